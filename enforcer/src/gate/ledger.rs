//! One service's ledger: the words that all threads share.

use std::sync::Arc;

use crossbeam::utils::CachePadded;

use super::mutants::{Mutant, on};
use super::permit::ClassId;
use super::row::Row;
use super::sync::{AtomicU32, AtomicU64, Mutex, Ordering::*, lock};
use super::word::{ClassWord, LedgerWord, NO_CEILING};
use crate::class::Class;
use crate::terms::Terms;

/// What is shared about one service. Three lines, by who writes them how often; a power of two in all, so that finding
/// a service's is a shift.
#[repr(align(512))]
pub(super) struct Ledger {
    /// Read by admissions without credit of their own, written by changes.
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
    /// The gate's form.
    asymmetric: bool,
}

pub(super) struct PoolLine {
    pub(super) word: AtomicU64,
    pub(super) peak: AtomicU32,
}

/// What the lock keeps.
#[derive(Default)]
pub(super) struct Held {
    pub(super) terms: Terms,
    pub(super) classes: Vec<(Class, ClassId)>,
    /// The most that was granted since credit was left in a cell, less what was collected: a record, if one was set, once
    /// the word is settled.
    pub(super) highest: u32,
}

impl Ledger {
    pub(super) fn new(asymmetric: bool) -> Self {
        Self {
            policy: CachePadded::new(PolicyLine {
                state: AtomicU64::new(0),
                limit: AtomicU32::new(NO_CEILING),
                priority_limit: AtomicU32::new(NO_CEILING),
                asymmetric,
            }),
            pool: CachePadded::new(PoolLine {
                word: AtomicU64::new(LedgerWord::EMPTY.0),
                peak: AtomicU32::new(0),
            }),
            held: CachePadded::new(Mutex::new(Held::default())),
        }
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

    /// Permits go home; the word before. Right in every mode: a token moves from a session, or from a holder's hands, to the
    /// pool.
    pub(super) fn give_back(&self, permits: u32) -> LedgerWord {
        let before = LedgerWord(self.pool.word.fetch_sub(u64::from(permits), AcqRel));
        let granted = before.granted();
        debug_assert!(granted >= permits, "{permits} back of {granted} granted");
        before
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

    /// Registers a class, and says in every row what the terms in force mean for it.
    pub(super) fn enroll(&self, class: Class, id: ClassId, rows: &[Arc<Row>]) {
        let mut held = lock(&self.held);
        if on(Mutant::EnrollUnlocked) {
            let terms = held.terms;
            drop(held);
            self.store_word(class, id, &terms, rows);
            return lock(&self.held).classes.push((class, id));
        }
        self.store_word(class, id, &held.terms, rows);
        held.classes.push((class, id));
    }

    /// Says in every row what these terms mean for a class.
    pub(super) fn store_word(&self, class: Class, id: ClassId, terms: &Terms, rows: &[Arc<Row>]) {
        let word = ClassWord::new(class, terms, self.policy.asymmetric);
        for row in rows {
            row.slot(id).store(word.0, Release);
        }
    }
}
