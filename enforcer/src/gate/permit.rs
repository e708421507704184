//! The gate's two answers: a permit, or a refusal.

use std::mem;
use std::sync::atomic::{AtomicU64, Ordering};

use licensing::RefusalReason;

use super::mutants::{Mutant, on};
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
    /// Where the token lies: a service's ledger, or [`Permit::NO_LEDGER`] for an emergency call.
    ledger: u32,
}

impl Permit {
    const NO_LEDGER: u32 = u32::MAX;

    #[inline]
    pub(super) fn new(class: ClassId, word: ClassWord) -> Self {
        let ledger = if word.is_emergency() && !on(Mutant::EmergencyTakesToken) {
            Self::NO_LEDGER
        } else {
            word.service() as u32
        };
        Self {
            class: class.0,
            ledger,
        }
    }

    /// One for a class that holds a token in this service's ledger.
    #[inline]
    pub(super) fn in_ledger(class: ClassId, service: usize) -> Self {
        Self {
            class: class.0,
            ledger: service as u32,
        }
    }

    /// The class that it was given for.
    #[inline]
    pub fn class(&self) -> ClassId {
        ClassId(self.class)
    }

    /// The service whose ledger holds its token; none for an emergency call.
    #[inline]
    pub(super) fn ledger(&self) -> Option<usize> {
        (self.ledger != Self::NO_LEDGER).then_some(self.ledger as usize)
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
