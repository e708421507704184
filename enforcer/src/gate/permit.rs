//! The gate's two answers: a permit, or a refusal.

use std::mem;
use std::sync::atomic::{AtomicU64, Ordering};

use licensing::RefusalReason;

use super::word::ClassWord;

static DROPPED: AtomicU64 = AtomicU64::new(0);

/// Permits of this process that were dropped instead of released; each is a session counted for ever. Always 0 in a
/// sound program, whose tests assert so.
pub fn permits_dropped() -> u64 {
    DROPPED.load(Ordering::Relaxed)
}

/// The small number of an interned class, of the gate that gave it. Never reused while the gate lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClassId(pub(super) u16);

impl ClassId {
    /// As an index: the order in which the classes were interned.
    pub const fn at(self) -> usize {
        self.0 as usize
    }
}

/// The right of one session to be there. It goes back to the gate that gave it, through any worker.
///
/// It can be neither copied nor cloned. One that is dropped is counted by [`permits_dropped`].
#[must_use = "a permit that is dropped is lost: release it"]
#[derive(Debug, PartialEq, Eq)]
pub struct Permit {
    class: u16,
    /// Where its token lies: the service, and that there is none if the call is an emergency.
    ledger: u32,
}

impl Permit {
    #[inline(always)]
    pub(super) fn new(class: ClassId, word: ClassWord) -> Self {
        Self {
            class: class.0,
            ledger: word.ledger(),
        }
    }

    /// The class that it was given for.
    #[inline]
    pub fn class(&self) -> ClassId {
        ClassId(self.class)
    }

    /// Of its class, the service and whether it is an emergency.
    #[inline(always)]
    pub(super) fn ledger(&self) -> ClassWord {
        ClassWord(u64::from(self.ledger))
    }

    /// Does its token lie in this service's ledger?
    pub(super) fn is_held_by(&self, service: usize) -> bool {
        !self.ledger().is_emergency() && self.ledger().service() == service
    }

    /// Ends it without a trace: its token has been accounted for.
    #[inline]
    pub(super) fn spend(self) {
        mem::forget(self);
    }
}

impl Drop for Permit {
    #[cold]
    #[inline(never)]
    fn drop(&mut self) {
        DROPPED.fetch_add(1, Ordering::Relaxed);
    }
}

/// Why there is no permit, and the numbers that explain it (rule L17).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What stands against it.
    pub reason: RefusalReason,
    /// Sessions of the service at that moment: exact at the ceiling, otherwise off by at most the operations in flight.
    pub sessions: u32,
    /// The service's ceiling; none: unlimited.
    pub ceiling: Option<u32>,
}
