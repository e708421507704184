//! What one worker thread holds of the gate.

use std::fmt;
use std::hint::cold_path;
use std::sync::Arc;

use super::Gate;
use super::cell::{Cell, Given};
use super::config::SERVICES_MAX;
use super::mutants::{Mutant, on, order_of};
use super::permit::{ClassId, Permit, Refusal};
use super::row::Row;
use super::sync::Ordering::Acquire;
use super::view::{Demand, Looked, View};
use super::word::ClassWord;
use crate::counts::ClassCounters;
use crate::lot::Lot;

/// One worker's way through the gate: its own cells and counters, used by one thread at a time.
///
/// Dropping it pours its cells back and frees its place; its counters stay.
pub struct WorkerGate {
    gate: Arc<Gate>,
    row: Arc<Row>,
    /// Credit of a cell with a surplus, in the atomic form.
    full_cell: u64,
    /// The gate's form.
    asymmetric: bool,
    index: u16,
    /// By service, ordinary admissions in tight mode since the last refusal.
    calm: [u32; SERVICES_MAX],
    /// Calls of nobody known, of classes whose block is tried out.
    turn: u32,
}

impl WorkerGate {
    pub(super) fn new(gate: Arc<Gate>, row: Arc<Row>, index: u16) -> Self {
        Self {
            full_cell: u64::from(gate.config.batch) * 2,
            asymmetric: gate.is_asymmetric(),
            gate,
            row,
            index,
            calm: [0; SERVICES_MAX],
            turn: 0,
        }
    }

    /// Which worker it is, from 0.
    pub fn index(&self) -> u16 {
        self.index
    }

    /// The gate it belongs to.
    pub fn gate(&self) -> &Arc<Gate> {
        &self.gate
    }

    /// This worker's own counters of a class, exact at this instant. Of a place that had a worker before, they go on.
    pub fn counters(&self, class: ClassId) -> ClassCounters {
        self.row.counters(class)
    }

    /// Asks for a permit for a new session: an answer in nanoseconds, without lock, clock or allocation unless the
    /// worker's own credit is used up.
    #[inline]
    pub fn admit(&mut self, class: ClassId) -> Result<Permit, Refusal> {
        self.admit_of(class, None)
    }

    /// The same for a call of a subscriber with this lot, by which a block that is tried out refuses it or not; none: nobody
    /// is known, and such calls take turns.
    #[inline]
    pub fn admit_of(&mut self, class: ClassId, lot: Option<Lot>) -> Result<Permit, Refusal> {
        let row = &*self.row;
        let word = row.word(class, order_of(Mutant::ClassRelaxed, Acquire));
        let taken = if word.goes_by_window() {
            row.cell(word.service()).take_in_window()
        } else {
            cold_path();
            self.take_otherwise(word)
        };
        if taken {
            row.note_admitted(class);
        } else {
            self.admit_slow(class, lot)?;
        }
        Ok(Permit::new(class, word))
    }

    /// Asks for a permit for a call of low access priority: one that would leave less than `percent` of the ceiling free
    /// is refused, so that others find room. A priority or emergency class is asked for as ever.
    pub fn admit_low_priority(
        &mut self,
        class: ClassId,
        lot: Option<Lot>,
        percent: u8,
    ) -> Result<Permit, Refusal> {
        let word = self.row.word(class, Acquire);
        let lot = self.lot(word, lot);
        let account = self.gate.account(word.service());
        match account.too_near(word, lot, percent) {
            Some(refusal) => {
                self.row.note_refused(class, refusal.reason);
                Err(refusal)
            }
            None => self.admit_of(class, Some(lot)),
        }
    }

    /// The lot of a call; of nobody known, that of the next turn.
    fn lot(&mut self, word: ClassWord, lot: Option<Lot>) -> Lot {
        if lot.is_none() && word.is_eased() {
            self.turn = self.turn.wrapping_add(1);
        }
        lot.unwrap_or(Lot::in_turn(self.turn))
    }

    /// All but the permit: what an admission does without credit of its own.
    #[cold]
    #[inline(never)]
    fn admit_slow(&mut self, class: ClassId, lot: Option<Lot>) -> Result<(), Refusal> {
        #[cfg(test)]
        slow_entry();
        let slot = self.row.slot(class);
        let word = self.row.word(class, Acquire);
        let service = word.service();
        let account = self.gate.account(service);
        if !word.is_plain() {
            return self.admit_slower(class, word, lot, Looked::NotYet);
        }
        let view = account.ledger.look(slot);
        let decided = view.filter(View::is_decided_at_once);
        let Some(decided) = decided else {
            return self.admit_slower(class, word, lot, Looked::Saw(view));
        };
        let calm = &mut self.calm[service];
        match account.admit_at_once(self.row.cell(service), &decided, calm) {
            Some(Ok(())) => {
                self.row.note_admitted(class);
                Ok(())
            }
            Some(Err(refusal)) => {
                self.row.note_refused(class, refusal.reason);
                Err(refusal)
            }
            None => self.admit_slower(class, word, lot, Looked::NotYet),
        }
    }

    /// The same for whom it takes more than a look.
    #[cold]
    #[inline(never)]
    fn admit_slower(
        &mut self,
        class: ClassId,
        word: ClassWord,
        lot: Option<Lot>,
        looked: Looked,
    ) -> Result<(), Refusal> {
        if !word.is_emergency() {
            let lot = self.lot(word, lot);
            let by = match self.take_eased(word, lot) {
                true => word,
                false => {
                    let taken = self.take_slow(class, word.service(), Demand::Entry(lot), looked);
                    taken.inspect_err(|refusal| self.row.note_refused(class, refusal.reason))?
                }
            };
            if by.eases(lot) {
                self.row.note_eased(class, by);
            }
        }
        self.row.note_admitted(class);
        Ok(())
    }

    /// Takes own credit as the fast path does, for a class that is kept off it by a block that lets this lot through.
    fn take_eased(&self, word: ClassWord, lot: Lot) -> bool {
        word.eases(lot) && self.take_credit(word.service())
    }

    /// Takes one from the own cell, if there is one.
    #[inline(always)]
    fn take_credit(&self, service: usize) -> bool {
        match self.asymmetric {
            true => self.row.cell(service).take_in_window(),
            false => self.row.cell(service).take_at_once(),
        }
    }

    /// The same for a class that doesn't go by a window, if there is another way to its own credit.
    #[inline(always)]
    fn take_otherwise(&self, word: ClassWord) -> bool {
        let service = word.service();
        if on(Mutant::NoClassCheck) {
            return self.take_credit(service);
        }
        word.takes_credit() && self.row.cell(service).take_at_once()
    }

    fn take_slow(
        &mut self,
        class: ClassId,
        service: usize,
        demand: Demand,
        looked: Looked,
    ) -> Result<ClassWord, Refusal> {
        self.gate.account(service).admit(
            self.row.cell(service),
            self.row.slot(class),
            demand,
            looked,
            &mut self.calm[service % SERVICES_MAX],
        )
    }

    fn permit(&self, class: ClassId, word: ClassWord) -> Permit {
        self.row.note_admitted(class);
        Permit::new(class, word)
    }

    /// Puts a new session in the place of a colliding one (rule L13).
    ///
    /// Within a service no ceiling is asked, so that no third call can steal the place; the policy still applies. Across
    /// services the new one is admitted first, then the old released. Refused, the old permit comes back untouched.
    pub fn replace(&mut self, old: Permit, class: ClassId) -> Result<Permit, (Refusal, Permit)> {
        self.replace_of(old, class, None)
    }

    /// The same for a subscriber with this lot, as in [`WorkerGate::admit_of`].
    pub fn replace_of(
        &mut self,
        old: Permit,
        class: ClassId,
        lot: Option<Lot>,
    ) -> Result<Permit, (Refusal, Permit)> {
        let word = self.row.word(class, Acquire);
        let lot = self.lot(word, lot);
        if word.is_emergency() || !old.is_held_by(word.service()) {
            return self.replace_across(old, class, lot);
        }
        if on(Mutant::ReplaceReleasesFirst) {
            self.release(old);
            let answer = self.admit_of(class, Some(lot));
            return answer.map_err(|refusal| (refusal, Permit::new(class, word)));
        }
        let account = self.gate.account(word.service());
        match account.may_replace(self.row.slot(class), lot) {
            Ok(by) => {
                if by.eases(lot) {
                    self.row.note_eased(class, by);
                }
                Ok(self.exchange(old, class, word))
            }
            Err(refusal) => {
                self.row.note_refused(class, refusal.reason);
                Err((refusal, old))
            }
        }
    }

    /// The new one first, then the old: no moment without either.
    fn replace_across(
        &mut self,
        old: Permit,
        class: ClassId,
        lot: Lot,
    ) -> Result<Permit, (Refusal, Permit)> {
        match self.admit_of(class, Some(lot)) {
            Ok(new) => {
                self.release(old);
                Ok(new)
            }
            Err(refusal) => Err((refusal, old)),
        }
    }

    /// The token stays, the class changes.
    fn exchange(&self, old: Permit, class: ClassId, word: ClassWord) -> Permit {
        self.row.note_released(old.class());
        old.spend();
        self.permit(class, word)
    }

    /// A permit for a session that is there already, as after a recovery: never refused, above the ceiling it is debt
    /// that releases pay (rules L7, L9).
    pub fn restore(&mut self, class: ClassId) -> Permit {
        let word = self.row.word(class, Acquire);
        let credit = !word.is_emergency() && self.take_credit(word.service());
        if !credit && !word.is_emergency() {
            let counted = self.take_slow(class, word.service(), Demand::Return, Looked::NotYet);
            debug_assert!(counted.is_ok(), "a restored session is never refused");
        }
        self.permit(class, word)
    }

    /// Moves a live session to another class, as an update or a hand-over does; never refused (rule L7).
    pub fn reclass(&mut self, permit: Permit, class: ClassId) -> Permit {
        if permit.class() == class {
            return permit;
        }
        let word = self.row.word(class, Acquire);
        if !word.is_emergency() && permit.is_held_by(word.service()) {
            return self.exchange(permit, class, word);
        }
        if on(Mutant::ReclassReleasesFirst) {
            self.release(permit);
            return self.restore(class);
        }
        let new = self.restore(class);
        self.release(permit);
        new
    }

    /// Gives a permit back, whichever worker it came from.
    #[inline]
    pub fn release(&mut self, permit: Permit) {
        let row = &*self.row;
        let (class, ledger) = (permit.class(), permit.ledger());
        permit.spend();
        row.note_released(class);
        let own = row.cell(ledger.service());
        let given = if ledger.goes_by_window() {
            own.give_in_window()
        } else {
            cold_path();
            self.give_otherwise(ledger, own)
        };
        if given != Given::Kept {
            self.release_slow(ledger, given);
        }
    }

    /// The same for a permit that doesn't go by a window; that of an emergency holds no token.
    #[inline(always)]
    fn give_otherwise(&self, ledger: ClassWord, own: &Cell) -> Given {
        if ledger.is_emergency() && !on(Mutant::EmergencyTakesToken) {
            return Given::Kept;
        }
        match self.asymmetric {
            true => own.give_in_window(),
            false => own.give_at_once(self.full_cell),
        }
    }

    #[cold]
    #[inline(never)]
    fn release_slow(&self, ledger: ClassWord, given: Given) {
        #[cfg(test)]
        slow_entry();
        let service = ledger.service();
        let own = self.row.cell(service);
        let account = self.gate.account(service);
        if given == Given::Sealed {
            if !on(Mutant::ReleaseSealedLost) {
                account.release_sealed(own);
            }
        } else if on(Mutant::UndoSurplusRelease) {
            let _ = self.take_credit(service);
            account.flush(own);
            self.gate.ledger(service).give_back(1);
        } else {
            account.flush(own);
        }
    }
}

#[cfg(test)]
thread_local! {
    /// How often this thread left the fast path.
    pub(super) static SLOW_ENTRIES: std::cell::Cell<u32> = const { std::cell::Cell::new(0) };
}

#[cfg(test)]
fn slow_entry() {
    SLOW_ENTRIES.set(SLOW_ENTRIES.get() + 1);
}

impl fmt::Debug for WorkerGate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WorkerGate")
            .field("index", &self.index)
            .finish_non_exhaustive()
    }
}

impl Drop for WorkerGate {
    fn drop(&mut self) {
        self.gate.retire(self.index, &self.row);
    }
}
