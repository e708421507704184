//! One service's ledger with everybody's cells of it: every path that leaves the fast one.

use std::mem;
use std::sync::Arc;

use licensing::RefusalReason;

use super::Change;
use super::cell::Cell;
use super::config::Form;
use super::ledger::{Held, Ledger};
use super::mutants::{Mutant, on};
use super::permit::Refusal;
use super::row::Row;
use super::sync::{AtomicU64, MutexGuard, Ordering::*, lock};
use super::view::{Demand, Looked, View};
use super::word::{ClassWord, LedgerWord, NO_CEILING, StateWord};
use crate::lot::Lot;
use crate::terms::Terms;

/// Reads of a moving word before a fast count is content with what it has.
const COUNT_TRIES: usize = 8;

/// Cells that their owners have been told to leave alone.
#[derive(Clone, Copy)]
struct Closed {
    /// Credit taken from them already.
    credit: i64,
    /// A heavy fence must pass before the rest may be taken.
    revoked: bool,
}

/// One service's ledger together with every worker's cell of it.
#[derive(Clone, Copy)]
pub(super) struct Account<'a> {
    pub(super) ledger: &'a Ledger,
    pub(super) rows: &'a [Arc<Row>],
    pub(super) service: usize,
    pub(super) batch: u32,
    pub(super) calm: u32,
    pub(super) form: Form,
    pub(super) spins: u32,
}

impl Account<'_> {
    // Admission

    /// As [`Self::admit`] does, where the ceiling alone decides. None: somebody else was quicker.
    #[inline]
    pub(super) fn admit_at_once(
        &self,
        own: &Cell,
        view: &View,
        calm: &mut u32,
    ) -> Option<Result<(), Refusal>> {
        if view.is_full(view.limit) {
            return Some(Err(self.refuse_at_ceiling(view, calm)));
        }
        if !self.ledger.swap_word(view.word, view.word.grant(1)) {
            return None;
        }
        self.admitted_tight(own, view, false, calm);
        Some(Ok(()))
    }

    /// Admits by the pool, and says by which class word, or why not; `looked`: what was seen in this call before; `calm` counts this worker's ordinary
    /// admissions since the last refusal.
    pub(super) fn admit(
        &self,
        own: &Cell,
        class: &AtomicU64,
        demand: Demand,
        looked: Looked,
        calm: &mut u32,
    ) -> Result<ClassWord, Refusal> {
        let mut looked = looked;
        loop {
            let seen = match mem::replace(&mut looked, Looked::NotYet) {
                Looked::NotYet => self.ledger.look(class),
                Looked::Saw(view) => view,
            };
            let Some(view) = seen else {
                return self.admit_locked(own, class, demand, calm);
            };
            match view.bound(demand) {
                Err(reason) => return Err(view.refusal(reason, self.count())),
                Ok(bound) if !view.word.is_exact() => {
                    if on(Mutant::BlockWithoutTight) && view.word.granted() >= bound {
                        return Err(self.refuse_at_ceiling(&view, calm));
                    }
                    return self.admit_locked(own, class, demand, calm);
                }
                Ok(bound) if view.is_full(bound) => {
                    return Err(self.refuse_at_ceiling(&view, calm));
                }
                Ok(_) => {
                    if self.ledger.swap_word(view.word, view.admitted(demand)) {
                        self.admitted_tight(own, &view, view.is_apart(demand), calm);
                        return Ok(view.class);
                    }
                }
            }
        }
    }

    /// The same, where the terms can't change and the cells can't be opened by others.
    fn admit_locked(
        &self,
        own: &Cell,
        class: &AtomicU64,
        demand: Demand,
        calm: &mut u32,
    ) -> Result<ClassWord, Refusal> {
        let mut held = lock(&self.ledger.held);
        let mut view = self.ledger.view(class);
        let bound = match view.bound(demand) {
            Ok(bound) => bound,
            Err(reason) => return Err(view.refusal(reason, self.count())),
        };
        if !view.word.is_tight() {
            if on(Mutant::DebtInOpenMode) && demand == Demand::Return {
                self.ledger.pool.word.fetch_add(1, AcqRel);
                return Ok(view.class);
            }
            let blocked = match demand {
                Demand::Entry(lot) => view.class.reason(lot).is_some(),
                Demand::Return => false,
            };
            let past_a_block = blocked && !on(Mutant::PriorityPastBlockOpen);
            if !past_a_block && self.refill(&held, own, &view) {
                return Ok(view.class);
            }
            if !on(Mutant::NoRecallBeforeBlock) {
                self.recall(&mut held, Some(own));
            }
        } else if view.word.is_unsettled() {
            self.recall(&mut held, Some(own));
        }
        loop {
            view.word = self.ledger.word();
            if self.is_doubtful(&view, bound, demand) {
                *calm = 0;
                return Err(view.refusal(RefusalReason::Unsettled, self.count()));
            }
            if view.is_full(bound) {
                return Err(self.refuse_at_ceiling(&view, calm));
            }
            let after = view.admitted(demand);
            if self.ledger.swap_word(view.word, after) {
                if after.is_unsettled() && !on(Mutant::UnsettledRecord) {
                    // How much of it is sessions is known once the rest is collected.
                    held.highest = held.highest.max(after.granted());
                    return Ok(view.class);
                }
                drop(held);
                self.admitted_tight(own, &view, view.is_apart(demand), calm);
                return Ok(view.class);
            }
        }
    }

    /// Credit that is left in a cell keeps the word from telling whether there is a place.
    fn is_doubtful(&self, view: &View, bound: u32, demand: Demand) -> bool {
        let entry = matches!(demand, Demand::Entry(_)) && !on(Mutant::UnsettledAsCeiling);
        entry && view.word.is_unsettled() && view.is_full(bound)
    }

    /// At the ceiling; whoever is refused there begins to be calm anew.
    #[inline]
    fn refuse_at_ceiling(&self, view: &View, calm: &mut u32) -> Refusal {
        *calm = 0;
        self.ledger.full(view)
    }

    /// After an admission by the word: the peak, and perhaps the way back to the cells, to which those apart do not count.
    #[inline]
    fn admitted_tight(&self, own: &Cell, view: &View, apart: bool, calm: &mut u32) {
        let sessions = view.word.granted() + 1;
        let above = on(Mutant::NoPeakAboveLimit) && sessions > view.limit;
        if !on(Mutant::NoPeakOnAdmission) && !above {
            self.ledger.note_peak(sessions);
        }
        if apart && !on(Mutant::PriorityCountsToCalm) {
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
    fn refill(&self, _held: &MutexGuard<'_, Held>, own: &Cell, view: &View) -> bool {
        let cap = self.cap(view.limit, Mutant::PeakCapMissing);
        let room = room(cap, self.ledger.word().granted());
        if room <= 0 {
            return false;
        }
        let tokens = if on(Mutant::RefillIgnoresCap) {
            self.batch
        } else {
            self.portion(room)
        };
        self.ledger.pool.word.fetch_add(u64::from(tokens), AcqRel);
        let kept = i64::from(tokens) - i64::from(!on(Mutant::RefillDouble));
        own.put(self.is_asymmetric(), kept, self.full());
        true
    }

    /// Where handing out ends: the limit, or the peak if that is lower, so that a record is set by the word alone.
    fn cap(&self, limit: u32, without_peak: Mutant) -> u32 {
        if on(without_peak) {
            return limit;
        }
        let over = u32::from(on(Mutant::LimitOffByOneLocked));
        limit.min(self.ledger.peak()) + over
    }

    /// Seals every cell and brings its credit home: the word is the exact count, and of a new generation. False: a worker
    /// inside its window keeps its credit, and the word says that it is unsettled. `own`: the caller's own cell.
    fn recall(&self, held: &mut Held, own: Option<&Cell>) -> bool {
        if on(Mutant::TightBeforeSeal) {
            self.tighten(0, true);
            let (credit, settled) = self.collect(self.close(own));
            self.ledger.give_back(credit);
            return settled;
        }
        self.bring_home(held, self.close(own))
    }

    /// Tells the owners of all cells to leave their credit alone: in the atomic form they are sealed then, in the other one
    /// an owner that is inside its window may still use one.
    fn close(&self, own: Option<&Cell>) -> Closed {
        match self.form {
            Form::Atomic => Closed {
                credit: self.cells().map(Cell::seal).sum(),
                revoked: false,
            },
            Form::Asymmetric(_) => {
                // No window of the caller's own is open.
                let credit = own.map_or(0, Cell::drain);
                let revoked = self.cells().filter(|cell| cell.revoke()).count() > 0;
                Closed { credit, revoked }
            }
        }
    }

    /// Takes the credit of closed cells into the caller's hands; all of it if the second is true.
    fn collect(&self, closed: Closed) -> (u32, bool) {
        let Form::Asymmetric(heavy_fence) = self.form else {
            return (closed.credit as u32, true);
        };
        let fenced = !closed.revoked
            || on(Mutant::NoHeavyFence)
            || heavy_fence()
            || on(Mutant::FailedFenceIgnored);
        let (mut credit, mut settled) = (closed.credit, true);
        for cell in self.cells() {
            match cell.collect(fenced, self.spins) {
                Some(taken) => credit += taken,
                None => settled = false,
            }
        }
        (credit as u32, settled)
    }

    /// With the credit of closed cells the word turns tight; false: some of it is left in a cell.
    fn bring_home(&self, held: &mut Held, closed: Closed) -> bool {
        let (credit, settled) = self.collect(closed);
        let credit = if on(Mutant::RecallLosesTokens) {
            0
        } else {
            credit
        };
        self.tighten(credit, settled || on(Mutant::SettledTooEarly));
        held.highest = held.highest.saturating_sub(credit);
        if settled {
            self.ledger.note_peak(mem::take(&mut held.highest));
        }
        settled
    }

    fn cells(&self) -> impl Iterator<Item = &Cell> {
        self.rows.iter().map(|row| row.cell(self.service))
    }

    /// Credit of a cell with a surplus.
    fn full(&self) -> u32 {
        2 * self.batch
    }

    fn is_asymmetric(&self) -> bool {
        matches!(self.form, Form::Asymmetric(_))
    }

    /// Turns the word tight, with so much credit brought home.
    fn tighten(&self, credit: u32, settled: bool) {
        loop {
            let word = self.ledger.word();
            let mut tight = word.recalled(credit, settled);
            if on(Mutant::NoWordGeneration) {
                tight = tight.of_generation(word);
            }
            if self.ledger.swap_word(word, tight) {
                return;
            }
        }
    }

    /// Leaves tight mode if there is room, or none is needed, and opens the caller's own cell.
    #[cold]
    #[inline(never)]
    fn loosen(&self, own: &Cell, calm_enough: bool) {
        let _held = (!on(Mutant::LeaveTightUnlocked)).then(|| lock(&self.ledger.held));
        let limit = self.ledger.policy.limit.load(Acquire);
        loop {
            let word = self.ledger.word();
            let room = room(self.cap(limit, Mutant::NoPeakOnLeave), word.granted());
            let debt = room < 0 && !on(Mutant::LeaveInDebt);
            if !word.is_exact() || debt || !(calm_enough || self.is_roomy(room)) {
                return;
            }
            let tokens = if room > 0 { self.portion(room) } else { 0 };
            if self.open_word(word, tokens) {
                own.put(self.is_asymmetric(), i64::from(tokens), self.full());
                if on(Mutant::ForeignReopen) {
                    self.open_foreign();
                }
                return;
            }
        }
    }

    /// Breaks the rule that only a cell's owner opens it.
    fn open_foreign(&self) {
        for row in self.rows {
            self.ledger.pool.word.fetch_add(1, AcqRel);
            let cell = row.cell(self.service);
            cell.put(self.is_asymmetric(), 1, self.full());
        }
    }

    /// Tight no more, with so many tokens handed out; only from exactly this word.
    fn open_word(&self, word: LedgerWord, tokens: u32) -> bool {
        if on(Mutant::LeaveInTwoSteps) {
            let pool = &self.ledger.pool.word;
            pool.fetch_add(u64::from(tokens), AcqRel);
            pool.fetch_and(LedgerWord(u64::MAX).opened().0, AcqRel);
            return true;
        }
        self.ledger.swap_word(word, word.grant(tokens).opened())
    }

    // Release

    /// Takes back a permit while the caller's own cell is sealed; in open mode the next one finds it open.
    pub(super) fn release_sealed(&self, own: &Cell) {
        let opens = on(Mutant::ReleaseOpensTight);
        if !opens && self.ledger.give_back(1).is_exact() {
            return;
        }
        let mut held = lock(&self.ledger.held);
        let word = self.ledger.word();
        if !word.is_tight() || opens {
            return own.put(self.is_asymmetric(), i64::from(opens), self.full());
        }
        if word.is_unsettled() {
            self.recall(&mut held, Some(own));
        }
    }

    /// Moves the surplus of the caller's own cell home. A sweep may have taken it already: then there is nothing to move.
    pub(super) fn flush(&self, own: &Cell) {
        let mut held = (!on(Mutant::FlushUnlocked)).then(|| lock(&self.ledger.held));
        let surplus = own.skim(self.is_asymmetric(), i64::from(self.batch));
        if surplus > 0 && !on(Mutant::FlushLoses) {
            self.credit_comes_home(held.as_deref_mut(), surplus as u32);
        }
    }

    /// Seals the cell of a worker that leaves and brings its credit home.
    pub(super) fn retire(&self, own: &Cell) {
        let mut held = (!on(Mutant::RetireUnlocked)).then(|| lock(&self.ledger.held));
        let credit = match self.form {
            Form::Atomic => own.seal(),
            Form::Asymmetric(_) => own.drain(),
        };
        if !on(Mutant::RetireWithoutReturn) {
            self.credit_comes_home(held.as_deref_mut(), credit as u32);
        }
    }

    /// Credit that its owner brings home: of what was granted while the word was unsettled, so much was no session.
    fn credit_comes_home(&self, held: Option<&mut Held>, credit: u32) {
        self.ledger.give_back(credit);
        if let Some(held) = held
            && !on(Mutant::RecordKeepsCredit)
        {
            held.highest = held.highest.saturating_sub(credit);
        }
    }

    // Replacement

    /// May this class take the place of a permit of the same service, and by which class word? No token moves.
    pub(super) fn may_replace(&self, class: &AtomicU64, lot: Lot) -> Result<ClassWord, Refusal> {
        let _held = (!on(Mutant::ReplaceUnlocked)).then(|| lock(&self.ledger.held));
        let view = self.ledger.view(class);
        match view.bound(Demand::Entry(lot)) {
            Ok(_) => Ok(view.class),
            Err(reason) => Err(view.refusal(reason, self.count())),
        }
    }

    // Terms

    /// Puts other terms in force: on return no admission decided under the old ones can take effect.
    pub(super) fn set_terms(&self, terms: Terms) -> Change {
        let mut held = lock(&self.ledger.held);
        let state = &self.ledger.policy.state;
        if !on(Mutant::FlipWithoutPending) {
            state.fetch_or(StateWord::PENDING, AcqRel);
        }
        held.terms = terms;
        if on(Mutant::WordsBeforeSeal) {
            self.store_terms(&held);
        }
        // Before the words: whoever reads a new one finds his cell closed.
        let closed = (!on(Mutant::FlipWithoutSeal)).then(|| self.close(None));
        if !on(Mutant::WordsAfterEpoch) {
            self.store_terms(&held);
        }
        let settled = closed.is_none_or(|closed| self.bring_home(&mut held, closed));
        let before = StateWord(state.load(Acquire));
        let after = if on(Mutant::EpochStays) {
            before.0 & !StateWord::PENDING
        } else {
            before.changed().0
        };
        state.store(after, Release);
        if on(Mutant::WordsAfterEpoch) {
            self.store_terms(&held);
        }
        if settled {
            Change::Done
        } else {
            Change::Pending
        }
    }

    /// Writes out what the terms mean for every class, and where admissions end.
    fn store_terms(&self, held: &Held) {
        for (class, id) in &held.classes {
            self.ledger.store_word(*class, *id, &held.terms, self.rows);
        }
        let limit = held.terms.ceiling.unwrap_or(NO_CEILING).min(NO_CEILING);
        let share = held.terms.priority_share.min(NO_CEILING);
        self.ledger.policy.limit.store(limit, Release);
        self.ledger
            .policy
            .priority_limit
            .store(limit + share, Release);
    }

    // Reading

    /// The refusal of an ordinary call that would leave fewer than `percent` of the ceiling free, rounded up; none without
    /// a ceiling or under a block, which says why itself.
    pub(super) fn too_near(&self, class: ClassWord, lot: Lot, percent: u8) -> Option<Refusal> {
        let limit = self.ledger.policy.limit.load(Acquire);
        let exempt = class.is_priority() || class.is_emergency() || class.reason(lot).is_some();
        if exempt || limit >= NO_CEILING {
            return None;
        }
        let kept = (u64::from(limit) * u64::from(percent)).div_ceil(100);
        let sessions = self.count();
        let free = u64::from(limit.saturating_sub(sessions));
        (kept > 0 && free <= kept).then_some(Refusal {
            reason: RefusalReason::LowPriority,
            sessions,
            ceiling: Some(limit),
        })
    }

    /// Permits outstanding without a lock: exact when tight or quiet, otherwise off by the operations in flight, of which
    /// a refill counts its whole batch.
    pub(super) fn count(&self) -> u32 {
        let mut word = self.ledger.word();
        let mut sessions = 0;
        for _ in 0..COUNT_TRIES {
            if word.is_exact() {
                return self.seen(word);
            }
            let asymmetric = self.is_asymmetric();
            let credit: i64 = self.cells().map(|cell| cell.credit(asymmetric)).sum();
            sessions = (i64::from(word.granted()) - credit).max(0) as u32;
            let again = self.ledger.word();
            if again == word {
                break;
            }
            word = again;
        }
        sessions
    }

    /// Permits outstanding at one instant; seals every cell to see it. With credit left in a cell, what a fast count says.
    pub(super) fn count_exact(&self) -> u32 {
        let mut word = self.ledger.word();
        if !word.is_exact() {
            let mut held = lock(&self.ledger.held);
            if !self.ledger.word().is_exact() {
                self.recall(&mut held, None);
            }
            word = self.ledger.word();
        }
        if word.is_unsettled() {
            return self.count();
        }
        self.seen(word)
    }

    /// The exact count that a tight word shows; the peak is never below it again.
    fn seen(&self, word: LedgerWord) -> u32 {
        if !on(Mutant::CountWithoutPeak) {
            self.ledger.note_peak(word.granted());
        }
        word.granted()
    }
}

/// Permits that may still be handed out; below zero: debt.
fn room(cap: u32, granted: u32) -> i64 {
    if on(Mutant::RoomUnsigned) {
        return i64::from(cap.wrapping_sub(granted));
    }
    i64::from(cap) - i64::from(granted)
}
