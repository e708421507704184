//! One service's ledger, and every path that leaves the fast one.

use std::sync::Arc;

use crossbeam::utils::CachePadded;
use licensing::RefusalReason;

use super::permit::Refusal;
use super::row::{Row, SEALED};
use super::sync::{AtomicI64, AtomicU32, AtomicU64, Mutex, MutexGuard, Ordering::*, lock};
use super::word::{ClassWord, LedgerWord, NO_CEILING, StateWord};
use crate::class::Class;
use crate::terms::Terms;

/// Reads of a moving word before a fast count is content with what it has.
const COUNT_TRIES: usize = 8;

/// What is shared about one service. Three lines, by who writes them how often.
pub(super) struct Ledger {
    /// Read by every admission, written by changes and by the passage from open to tight and back.
    policy: CachePadded<PolicyLine>,
    /// The pool.
    pool: CachePadded<PoolLine>,
    /// For every movement that touches two words.
    held: CachePadded<Mutex<Held>>,
}

struct PolicyLine {
    state: AtomicU64,
    /// Where ordinary admissions end.
    limit: AtomicU32,
    /// Where priority admissions end.
    priority_limit: AtomicU32,
}

struct PoolLine {
    word: AtomicU64,
    peak: AtomicU32,
}

/// What the lock keeps.
#[derive(Default)]
pub(super) struct Held {
    terms: Terms,
    classes: Vec<(Class, u16)>,
}

/// What an admission asks of the terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Demand {
    /// To be let in by block and ceiling.
    Entry,
    /// To be counted whatever they say: the session is there already.
    Return,
}

/// The terms and the word of one instant.
#[derive(Clone, Copy)]
struct View {
    class: ClassWord,
    limit: u32,
    priority_limit: u32,
    word: LedgerWord,
}

impl View {
    /// Permits at which this demand is refused in tight mode, or why it is whatever their number.
    fn bound(&self, demand: Demand) -> Result<u32, RefusalReason> {
        match (demand, self.class.reason()) {
            (Demand::Return, _) => Ok(u32::MAX),
            (Demand::Entry, _) if self.class.is_priority() => Ok(self.priority_limit),
            (Demand::Entry, Some(reason)) => Err(reason),
            (Demand::Entry, None) => Ok(self.limit),
        }
    }

    fn refusal(&self, reason: RefusalReason, sessions: u32) -> Refusal {
        Refusal {
            reason,
            sessions,
            ceiling: (self.limit < NO_CEILING).then_some(self.limit),
        }
    }
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

    fn word(&self) -> LedgerWord {
        LedgerWord(self.pool.word.load(Acquire))
    }

    /// Moves the whole word, or nothing.
    fn swap_word(&self, from: LedgerWord, to: LedgerWord) -> bool {
        self.pool
            .word
            .compare_exchange(from.0, to.0, AcqRel, Acquire)
            .is_ok()
    }

    /// Permits go home. Right in every mode: a token moves from a session, or from a holder's hands, to the pool.
    pub(super) fn give_back(&self, permits: u32) {
        self.pool.word.fetch_sub(u64::from(permits), AcqRel);
    }

    /// So many permits were outstanding at one instant.
    fn note_peak(&self, sessions: u32) {
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
        word.store(ClassWord::new(class, &held.terms).0, Release);
        held.classes.push((class, id));
    }
}

/// One service's ledger together with every worker's cell of it.
#[derive(Clone, Copy)]
pub(super) struct Account<'a> {
    pub(super) ledger: &'a Ledger,
    pub(super) rows: &'a [Arc<Row>],
    pub(super) service: usize,
    pub(super) batch: u32,
    pub(super) calm: u32,
}

impl Account<'_> {
    // Admission

    /// Admits by the pool, or says why not; `calm` counts this worker's ordinary admissions since the last refusal.
    pub(super) fn admit(
        &self,
        own: &AtomicI64,
        class: &AtomicU64,
        demand: Demand,
        calm: &mut u32,
    ) -> Result<(), Refusal> {
        loop {
            let Some(view) = self.look(class) else {
                return self.admit_locked(own, class, demand, calm);
            };
            match view.bound(demand) {
                Err(reason) => return Err(view.refusal(reason, self.count())),
                Ok(_) if !view.word.is_tight() => {
                    return self.admit_locked(own, class, demand, calm);
                }
                Ok(bound) if view.word.granted() >= bound => {
                    return Err(self.refuse_at_ceiling(&view, calm));
                }
                Ok(_) => {
                    if self.ledger.swap_word(view.word, view.word.grant(1)) {
                        self.admitted_tight(own, &view, demand, calm);
                        return Ok(());
                    }
                }
            }
        }
    }

    /// Terms and word as they stood at one instant, the reading of the word; none while a change is under way.
    fn look(&self, class: &AtomicU64) -> Option<View> {
        let before = StateWord(self.ledger.policy.state.load(Acquire));
        let view = self.view(class);
        let after = StateWord(self.ledger.policy.state.load(Acquire));
        (!before.is_pending() && after.same_terms(before)).then_some(view)
    }

    fn view(&self, class: &AtomicU64) -> View {
        View {
            class: ClassWord(class.load(Acquire)),
            limit: self.ledger.policy.limit.load(Acquire),
            priority_limit: self.ledger.policy.priority_limit.load(Acquire),
            word: self.ledger.word(),
        }
    }

    /// The same, where the terms can't change and the cells can't be opened by others.
    fn admit_locked(
        &self,
        own: &AtomicI64,
        class: &AtomicU64,
        demand: Demand,
        calm: &mut u32,
    ) -> Result<(), Refusal> {
        let held = lock(&self.ledger.held);
        let mut view = self.view(class);
        let bound = match view.bound(demand) {
            Ok(bound) => bound,
            Err(reason) => return Err(view.refusal(reason, self.count())),
        };
        if !view.word.is_tight() {
            let past_a_block = demand == Demand::Entry && view.class.is_blocked();
            if !past_a_block && self.refill(&held, own, &view) {
                return Ok(());
            }
            self.recall(&held);
        }
        loop {
            view.word = self.ledger.word();
            if view.word.granted() >= bound {
                return Err(self.refuse_at_ceiling(&view, calm));
            }
            if self.ledger.swap_word(view.word, view.word.grant(1)) {
                drop(held);
                self.admitted_tight(own, &view, demand, calm);
                return Ok(());
            }
        }
    }

    /// The word held `bound` permits and every cell was empty: the ceiling was reached, and the peak with it.
    fn refuse_at_ceiling(&self, view: &View, calm: &mut u32) -> Refusal {
        *calm = 0;
        self.ledger.note_peak(view.word.granted());
        view.refusal(RefusalReason::AtCeiling, view.word.granted())
    }

    /// After an admission by the word: the peak, and perhaps the way back to the cells.
    fn admitted_tight(&self, own: &AtomicI64, view: &View, demand: Demand, calm: &mut u32) {
        let sessions = view.word.granted() + 1;
        self.ledger.note_peak(sessions);
        if demand == Demand::Return || view.class.is_priority() {
            return;
        }
        *calm = calm.saturating_add(1);
        let cap = view.limit.min(self.ledger.peak());
        let calm_enough = *calm >= self.calm;
        if calm_enough || self.is_roomy(room(cap, sessions)) {
            self.loosen(own, calm_enough);
            *calm = 0;
        }
    }

    // Between pool and cells: all of it under the lock

    fn shards(&self) -> i64 {
        self.rows.len() as i64
    }

    /// So much that handing it out will not end in a recall at once.
    fn is_roomy(&self, room: i64) -> bool {
        room > 8 * self.shards()
    }

    /// Tokens to hand out of this much room: a fair part of half of it, at least one.
    fn portion(&self, room: i64) -> u32 {
        let most = i64::from(self.batch);
        (room / (2 * self.shards())).clamp(1, most) as u32
    }

    /// Takes tokens from the pool, one of them for the caller, the rest into its cell. False: there are none.
    fn refill(&self, _held: &MutexGuard<'_, Held>, own: &AtomicI64, view: &View) -> bool {
        let cap = view.limit.min(self.ledger.peak());
        let room = room(cap, self.ledger.word().granted());
        if room <= 0 {
            return false;
        }
        let tokens = self.portion(room);
        self.ledger.pool.word.fetch_add(u64::from(tokens), AcqRel);
        put(own, i64::from(tokens) - 1);
        true
    }

    /// Seals every cell and brings its credit home: the word is the exact count, and of a new generation.
    fn recall(&self, _held: &MutexGuard<'_, Held>) {
        self.ledger.policy.state.fetch_or(StateWord::HINT, AcqRel);
        let credit: i64 = self
            .rows
            .iter()
            .map(|row| seal(row.cell(self.service)))
            .sum();
        let credit = credit as u32;
        loop {
            let word = self.ledger.word();
            if self.ledger.swap_word(word, word.recalled(credit)) {
                return;
            }
        }
    }

    /// Leaves tight mode if there is room, or none is needed, and opens the caller's own cell.
    fn loosen(&self, own: &AtomicI64, calm_enough: bool) {
        let _held = lock(&self.ledger.held);
        let limit = self.ledger.policy.limit.load(Acquire);
        loop {
            let word = self.ledger.word();
            self.ledger.note_peak(word.granted());
            let room = room(limit.min(self.ledger.peak()), word.granted());
            if !word.is_tight() || room < 0 || !(calm_enough || self.is_roomy(room)) {
                return;
            }
            let tokens = if room > 0 { self.portion(room) } else { 0 };
            if self.ledger.swap_word(word, word.grant(tokens).opened()) {
                self.ledger.policy.state.fetch_and(!StateWord::HINT, AcqRel);
                put(own, i64::from(tokens));
                return;
            }
        }
    }

    // Release

    /// Takes back a permit while the caller's own cell is sealed.
    pub(super) fn release_sealed(&self, own: &AtomicI64) {
        if self.ledger.word().is_tight() {
            return self.ledger.give_back(1);
        }
        let _held = lock(&self.ledger.held);
        if self.ledger.word().is_tight() {
            self.ledger.give_back(1);
        } else {
            put(own, 1);
        }
    }

    /// Moves the surplus of the caller's own cell home. A sweep may have taken it already: then there is nothing to move.
    pub(super) fn flush(&self, own: &AtomicI64) {
        let _held = lock(&self.ledger.held);
        let surplus = own.load(Acquire) - i64::from(self.batch);
        if surplus > 0 {
            own.fetch_sub(surplus, AcqRel);
            self.ledger.give_back(surplus as u32);
        }
    }

    /// Seals the cell of a worker that leaves and brings its credit home.
    pub(super) fn retire(&self, own: &AtomicI64) {
        let _held = lock(&self.ledger.held);
        let credit = seal(own);
        self.ledger.give_back(credit as u32);
    }

    // Replacement

    /// May this class take the place of a permit of the same service? No token moves.
    pub(super) fn may_replace(&self, class: &AtomicU64) -> Result<(), Refusal> {
        let _held = lock(&self.ledger.held);
        let view = self.view(class);
        match view.bound(Demand::Entry) {
            Ok(_) => Ok(()),
            Err(reason) => Err(view.refusal(reason, self.count())),
        }
    }

    // Terms

    /// Puts other terms in force: on return no admission decided under the old ones can take effect.
    pub(super) fn set_terms(&self, terms: Terms, words: &[AtomicU64]) {
        let mut held = lock(&self.ledger.held);
        let policy = &self.ledger.policy;
        policy.state.fetch_or(StateWord::PENDING, AcqRel);
        held.terms = terms;
        for (class, id) in &held.classes {
            words[usize::from(*id)].store(ClassWord::new(*class, &terms).0, Release);
        }
        let limit = terms.ceiling.unwrap_or(NO_CEILING).min(NO_CEILING);
        let share = terms.priority_share.min(NO_CEILING);
        policy.limit.store(limit, Release);
        policy.priority_limit.store(limit + share, Release);
        self.recall(&held);
        let state = StateWord(policy.state.load(Acquire));
        policy.state.store(state.changed().0, Release);
    }

    // Reading

    /// Permits outstanding without a lock: exact when tight or quiet, otherwise off by the operations in flight, of which
    /// a refill counts its whole batch.
    pub(super) fn count(&self) -> u32 {
        let mut word = self.ledger.word();
        let mut sessions = word.granted();
        for _ in 0..COUNT_TRIES {
            if word.is_tight() {
                sessions = word.granted();
                self.ledger.note_peak(sessions);
                return sessions;
            }
            let cells = self.rows.iter().map(|row| row.cell(self.service));
            let credit: i64 = cells.map(|cell| cell.load(Acquire).max(0)).sum();
            sessions = (i64::from(word.granted()) - credit).max(0) as u32;
            let again = self.ledger.word();
            if again == word {
                break;
            }
            word = again;
        }
        sessions
    }

    /// Permits outstanding at one instant; seals every cell to see it.
    pub(super) fn count_exact(&self) -> u32 {
        let mut word = self.ledger.word();
        if !word.is_tight() {
            let held = lock(&self.ledger.held);
            if !self.ledger.word().is_tight() {
                self.recall(&held);
            }
            word = self.ledger.word();
        }
        self.ledger.note_peak(word.granted());
        word.granted()
    }
}

/// Permits that may still be handed out; below zero: debt.
fn room(cap: u32, granted: u32) -> i64 {
    i64::from(cap) - i64::from(granted)
}

/// Adds to the caller's own cell and opens it if it was sealed. Under the lock.
fn put(own: &AtomicI64, tokens: i64) {
    if own.load(Acquire) < 0 {
        own.store(tokens, Release);
    } else {
        own.fetch_add(tokens, AcqRel);
    }
}

/// Seals a cell, whoever's, and takes its credit. Under the lock, so that a cell seen sealed stays so. An admission that
/// is about to undo its failed take leaves its debt on the sealed cell, where nobody reads it.
fn seal(cell: &AtomicI64) -> i64 {
    if cell.load(Acquire) < -1 {
        return 0;
    }
    cell.swap(SEALED, AcqRel).max(0)
}
