//! The types that order threads: those of the standard library, or loom's under `cfg(loom)`.
//!
//! Loom runs every interleaving of what is built from these. Counters by which nothing is decided are std atomics in both.

use std::sync::PoisonError;

#[cfg(loom)]
pub(super) use loom::sync::{
    Mutex, MutexGuard,
    atomic::{AtomicI64, AtomicU32, AtomicU64, Ordering},
};
#[cfg(not(loom))]
pub(super) use std::sync::{
    Mutex, MutexGuard,
    atomic::{AtomicI64, AtomicU32, AtomicU64, Ordering},
};

/// Takes the lock. A holder that panicked left every word whole, so poison is no reason to stop admitting.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
