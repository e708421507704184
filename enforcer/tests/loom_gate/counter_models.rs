//! Two ways that look right and are not: the models must find them out, or they would find nothing.

use std::sync::Arc;

use loom::sync::atomic::{AtomicU64, Ordering::SeqCst};
use loom::thread;

use super::rig::check;

fn load_then_add(count: &AtomicU64, limit: u64) -> bool {
    if count.load(SeqCst) >= limit {
        return false;
    }
    count.fetch_add(1, SeqCst);
    true
}

fn add_then_undo(count: &AtomicU64, limit: u64) -> bool {
    if count.fetch_add(1, SeqCst) < limit {
        return true;
    }
    count.fetch_sub(1, SeqCst);
    false
}

/// Two ask; how many got in.
fn two_ask(admit: fn(&AtomicU64, u64) -> bool, held: u64, limit: u64) -> usize {
    let count = Arc::new(AtomicU64::new(held));
    let theirs = Arc::clone(&count);
    let other = thread::spawn(move || admit(&theirs, limit));
    let mine = admit(&count, limit);
    usize::from(mine) + usize::from(other.join().unwrap())
}

#[test]
#[should_panic(expected = "above the limit")]
fn load_then_add_overshoots() {
    check(|| assert!(two_ask(load_then_add, 4, 5) <= 1, "above the limit"));
}

/// A third one leaves and asks again for its own place, which is refused for two that stand in each other's way.
#[test]
#[should_panic(expected = "refused though the place was free")]
fn add_then_undo_refuses_for_nothing() {
    check(|| {
        let count = Arc::new(AtomicU64::new(1));
        let theirs = Arc::clone(&count);
        let other = thread::spawn(move || add_then_undo(&theirs, 1));
        count.fetch_sub(1, SeqCst);
        let mine = add_then_undo(&count, 1);
        let got = mine || other.join().unwrap();
        assert!(got, "refused though the place was free");
    });
}
