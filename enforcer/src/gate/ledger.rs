//! One service's ledger: the words that all threads share.

use crossbeam::utils::CachePadded;

use super::mutants::{Mutant, on};
use super::sync::{AtomicU32, AtomicU64, Mutex, Ordering::*, lock};
use super::word::{ClassWord, LedgerWord, NO_CEILING, StateWord};
use crate::class::Class;
use crate::terms::Terms;

/// What is shared about one service. Three lines, by who writes them how often; a power of two in all, so that finding
/// a service's is a shift.
#[repr(align(512))]
pub(super) struct Ledger {
    /// Read by every admission, written by changes and by the passage from open to tight and back.
    pub(super) policy: CachePadded<PolicyLine>,
    /// The pool.
    pub(super) pool: CachePadded<PoolLine>,
    /// For every movement that touches two words.
    pub(super) held: CachePadded<Mutex<Held>>,
}

pub(super) struct PolicyLine {
    pub(super) state: AtomicU64,
    /// Where ordinary admissions end.
    pub(super) limit: AtomicU32,
    /// Where priority admissions end.
    pub(super) priority_limit: AtomicU32,
}

pub(super) struct PoolLine {
    pub(super) word: AtomicU64,
    pub(super) peak: AtomicU32,
}

/// What the lock keeps.
#[derive(Default)]
pub(super) struct Held {
    pub(super) terms: Terms,
    pub(super) classes: Vec<(Class, u16)>,
}

impl Ledger {
    pub(super) fn new() -> Self {
        Self {
            policy: CachePadded::new(PolicyLine {
                state: AtomicU64::new(StateWord::HINT),
                limit: AtomicU32::new(NO_CEILING),
                priority_limit: AtomicU32::new(NO_CEILING),
            }),
            pool: CachePadded::new(PoolLine {
                word: AtomicU64::new(LedgerWord::EMPTY.0),
                peak: AtomicU32::new(0),
            }),
            held: CachePadded::new(Mutex::new(Held::default())),
        }
    }

    /// The state, for the fast path; whoever has read a class word of a change sees that change pending here.
    #[inline(always)]
    pub(super) fn state(&self) -> StateWord {
        StateWord(self.policy.state.load(Relaxed))
    }

    pub(super) fn word(&self) -> LedgerWord {
        LedgerWord(self.pool.word.load(Acquire))
    }

    /// Moves the whole word, or nothing.
    pub(super) fn swap_word(&self, from: LedgerWord, to: LedgerWord) -> bool {
        self.pool
            .word
            .compare_exchange(from.0, to.0, AcqRel, Acquire)
            .is_ok()
    }

    /// Permits go home. Right in every mode: a token moves from a session, or from a holder's hands, to the pool.
    pub(super) fn give_back(&self, permits: u32) {
        let before = self.pool.word.fetch_sub(u64::from(permits), AcqRel);
        let granted = LedgerWord(before).granted();
        debug_assert!(granted >= permits, "{permits} back of {granted} granted");
    }

    /// So many permits were outstanding at one instant.
    pub(super) fn note_peak(&self, sessions: u32) {
        if self.pool.peak.load(Acquire) < sessions {
            self.pool.peak.fetch_max(sessions, AcqRel);
        }
    }

    pub(super) fn peak(&self) -> u32 {
        self.pool.peak.load(Acquire)
    }

    pub(super) fn terms(&self) -> Terms {
        lock(&self.held).terms
    }

    /// Registers a class, and says what the terms in force mean for it.
    pub(super) fn enroll(&self, class: Class, id: u16, word: &AtomicU64) {
        let mut held = lock(&self.held);
        if on(Mutant::EnrollUnlocked) {
            let terms = held.terms;
            drop(held);
            word.store(ClassWord::new(class, &terms).0, Release);
            return lock(&self.held).classes.push((class, id));
        }
        word.store(ClassWord::new(class, &held.terms).0, Release);
        held.classes.push((class, id));
    }
}
