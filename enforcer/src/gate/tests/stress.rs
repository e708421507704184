//! The storm of `tests/storm` over the asymmetric form, with workers that stop inside their windows. Both fences are fences
//! of one thread here; the heavy one of the system is put to the test where the system is.

use std::cell::Cell;
use std::sync::atomic::{Ordering::SeqCst, fence};
use std::thread;

use super::Form;

#[allow(clippy::unwrap_used)]
#[path = "../../../tests/storm/mod.rs"]
mod storm;

/// Windows of a thread, of which one is interrupted.
const INTERRUPTED: u32 = 97;

thread_local! {
    static WINDOWS: Cell<u32> = const { Cell::new(0) };
}

/// Lets another thread run, in the middle of a window, now and then.
pub(super) fn inside_window() {
    let windows = WINDOWS.get().wrapping_add(1);
    WINDOWS.set(windows);
    if windows.is_multiple_of(INTERRUPTED) {
        thread::yield_now();
    }
}

fn heavy_fence() -> bool {
    fence(SeqCst);
    true
}

/// A wait that ends before an interrupted window does.
fn form() -> (Form, u32) {
    (Form::Asymmetric(heavy_fence), 20)
}
