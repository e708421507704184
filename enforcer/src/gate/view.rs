//! What an admission without credit of its own looks at, and what that means for it.

use licensing::RefusalReason;

use super::ledger::Ledger;
use super::mutants::{Mutant, on, order_of};
use super::permit::Refusal;
use super::sync::{AtomicU64, Ordering::*};
use super::word::{ClassWord, LedgerWord, NO_CEILING, StateWord};
use crate::lot::Lot;

/// What an admission asks of the terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Demand {
    /// To be let in by block and ceiling, as one of this lot.
    Entry(Lot),
    /// To be counted whatever they say: the session is there already.
    Return,
}

/// Whether an admission has looked already.
pub(super) enum Looked {
    NotYet,
    /// It saw this; none: a change was under way.
    Saw(Option<View>),
}

/// The terms and the word of one instant.
#[derive(Clone, Copy)]
pub(super) struct View {
    pub(super) class: ClassWord,
    pub(super) limit: u32,
    priority_limit: u32,
    pub(super) word: LedgerWord,
}

impl View {
    /// In tight mode, an ordinary call without any block: the ceiling alone decides.
    #[inline]
    pub(super) fn is_decided_at_once(&self) -> bool {
        self.word.is_exact() && self.class.is_plain()
    }

    /// Permits at which this demand is refused in tight mode, or why it is whatever their number.
    pub(super) fn bound(&self, demand: Demand) -> Result<u32, RefusalReason> {
        let lot = match demand {
            Demand::Return if on(Mutant::RestoreRefused) => return Ok(self.limit),
            Demand::Return => return Ok(u32::MAX),
            Demand::Entry(lot) => lot,
        };
        match self.class.reason(lot) {
            Some(reason) if on(Mutant::PriorityBlocked) => Err(reason),
            _ if self.class.is_priority() => Ok(self.priority_bound()),
            Some(reason) => Err(reason),
            None => Ok(self.limit),
        }
    }

    /// Read tight: nobody more may enter below `bound`.
    #[inline]
    pub(super) fn is_full(&self, bound: u32) -> bool {
        if on(Mutant::LimitOffByOne) {
            return self.word.granted() > bound;
        }
        self.word.granted() >= bound
    }

    /// It says nothing of whether ordinary calls find room.
    pub(super) fn is_apart(&self, demand: Demand) -> bool {
        demand == Demand::Return || self.class.is_priority()
    }

    /// The word after one more admission.
    pub(super) fn admitted(&self, demand: Demand) -> LedgerWord {
        if on(Mutant::RestoreUncounted) && demand == Demand::Return && self.is_full(self.limit) {
            return self.word;
        }
        self.word.grant(1)
    }

    fn priority_bound(&self) -> u32 {
        if on(Mutant::PriorityUnbounded) {
            u32::MAX
        } else if on(Mutant::PriorityAsOrdinary) {
            self.limit
        } else {
            self.priority_limit
        }
    }

    pub(super) fn refusal(&self, reason: RefusalReason, sessions: u32) -> Refusal {
        Refusal {
            reason,
            sessions,
            ceiling: (self.limit < NO_CEILING).then_some(self.limit),
        }
    }
}

impl Ledger {
    /// The word held as many permits as may be and every cell was empty: the ceiling was reached, and the peak with it.
    #[inline]
    pub(super) fn full(&self, view: &View) -> Refusal {
        if !on(Mutant::RefusalWithoutPeak) {
            self.note_peak(view.word.granted());
        }
        view.refusal(RefusalReason::AtCeiling, view.word.granted())
    }

    /// Terms and word as they stood at one instant, the reading of the word; none while a change is under way.
    #[inline]
    pub(super) fn look(&self, class: &AtomicU64) -> Option<View> {
        let state = |order| StateWord(self.policy.state.load(order));
        let before = state(order_of(Mutant::EpochRelaxed, Acquire));
        let view = self.view(class);
        let after = state(Acquire);
        let pending = before.is_pending() && !on(Mutant::PendingIgnored);
        let settled = !pending && after == before;
        (settled || on(Mutant::ViewNotValidated)).then_some(view)
    }

    #[inline]
    pub(super) fn view(&self, class: &AtomicU64) -> View {
        let order = order_of(Mutant::ViewRelaxed, Acquire);
        View {
            class: ClassWord(class.load(order)),
            limit: self.policy.limit.load(order),
            priority_limit: self.policy.priority_limit.load(order),
            word: self.word(),
        }
    }
}
