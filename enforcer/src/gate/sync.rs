//! The types that order threads: those of the standard library, or loom's under `cfg(loom)`.
//!
//! Loom runs every interleaving of what is built from these. Counters by which nothing is decided are std atomics in both.

use std::sync::PoisonError;

#[cfg(loom)]
pub(super) use loom::hint::spin_loop as spin;
#[cfg(loom)]
pub(super) use loom::sync::{
    Mutex, MutexGuard,
    atomic::{AtomicI64, AtomicU32, AtomicU64, Ordering},
};
#[cfg(not(loom))]
pub(super) use std::hint::spin_loop as spin;
#[cfg(not(loom))]
pub(super) use std::sync::{
    Mutex, MutexGuard,
    atomic::{AtomicI64, AtomicU32, AtomicU64, Ordering},
};

/// The owner's half of the fence between its busy bit and its look at the bound: for the compiler alone, the heavy fence
/// of the other side does the rest.
#[cfg(not(any(loom, test)))]
#[inline(always)]
pub(super) fn light_fence() {
    std::sync::atomic::compiler_fence(Ordering::SeqCst);
}
/// The owner's half of the fence, where the other half is a fence of one thread too.
#[cfg(loom)]
pub(super) fn light_fence() {
    loom::sync::atomic::fence(Ordering::SeqCst);
}
/// The owner's half of the fence, where the other half is a fence of one thread too.
#[cfg(all(test, not(loom)))]
pub(super) fn light_fence() {
    std::sync::atomic::fence(Ordering::SeqCst);
}

/// Between an owner's loads and its store. Tests of this crate stop there now and then.
#[inline(always)]
pub(super) fn inside_window() {
    #[cfg(all(test, not(loom)))]
    super::stress::inside_window();
}

/// Takes the lock. A holder that panicked left every word whole, so poison is no reason to stop admitting.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
