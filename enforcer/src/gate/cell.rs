//! A worker's cell of one service: credit that its owner hands out by itself, in either form of the gate.
//!
//! *Atomic form.* Credit moves by one atomic step. A sealed cell is one so far below zero that nothing brings it up.
//!
//! *Asymmetric form.* The owner moves credit by a load and a store inside a window: it sets `busy`, and leaves the credit
//! alone unless `mark` says [`OPEN`]. Whoever seals stores [`REVOKED`], issues the heavy fence and waits until `busy`
//! falls. Then either the owner has seen the mark, or the window is over and what it stored is seen. Credit is never
//! below zero here, and the mark is what says that a cell is sealed.

use super::mutants::{Mutant, on, order_of};
use super::sync::{AtomicI64, AtomicU32, Ordering::*, inside_window, light_fence, spin};

/// Atomic form, a sealed cell: so far below zero that no number of operations brings it up. Takes and releases that come
/// too late leave their offset on it, which nobody reads.
const SEALED_CREDIT: i64 = i64::MIN / 2;

/// Marks of the asymmetric form, written under the lock. The owner may use its credit.
const OPEN: u32 = 0;
/// The owner may not, once it sees this.
const REVOKED: u32 = 1;
/// A heavy fence has passed since: a window that is not over shows as busy.
const FENCED: u32 = 2;
/// The credit has been taken home.
const SEALED: u32 = 3;

/// What a release met that has no room for one more: the cell is sealed.
pub(super) const NOT_OPEN: i64 = -1;

/// One cell. 16 bytes, four services a cache line.
#[repr(align(16))]
pub(super) struct Cell {
    credit: AtomicI64,
    busy: AtomicU32,
    mark: AtomicU32,
}

impl Cell {
    /// Sealed and empty.
    pub(super) fn new(asymmetric: bool) -> Self {
        let credit = if asymmetric { 0 } else { SEALED_CREDIT };
        Self {
            credit: AtomicI64::new(credit),
            busy: AtomicU32::new(0),
            mark: AtomicU32::new(SEALED),
        }
    }

    /// Credit in it, whoever asks.
    pub(super) fn credit(&self) -> i64 {
        self.credit.load(Acquire).max(0)
    }

    // Its owner's, without the lock

    /// Takes one, if there is one.
    #[inline(always)]
    pub(super) fn take(&self, asymmetric: bool) -> bool {
        if !asymmetric {
            let order = order_of(Mutant::CellRelaxed, AcqRel);
            return self.credit.fetch_sub(1, order) > 0;
        }
        let open = self.enter();
        let credit = self.credit.load(Relaxed);
        inside_window();
        let taken = open && credit > 0;
        if taken {
            self.credit.store(credit - 1, Relaxed);
        }
        self.leave();
        taken
    }

    /// Gives one, and says what was there before; below zero: the cell is sealed.
    #[inline(always)]
    pub(super) fn give(&self, asymmetric: bool) -> i64 {
        if !asymmetric {
            let order = order_of(Mutant::CellRelaxed, AcqRel);
            return self.credit.fetch_add(1, order);
        }
        let open = self.enter();
        let credit = self.credit.load(Relaxed);
        inside_window();
        if open {
            self.credit.store(credit.wrapping_add(1), Relaxed);
        }
        self.leave();
        if open { credit } else { NOT_OPEN }
    }

    /// Begins a window: may the credit be used?
    #[inline(always)]
    fn enter(&self) -> bool {
        if on(Mutant::MarkBeforeBusy) {
            let open = self.mark.load(Relaxed) == OPEN;
            self.busy.store(1, Relaxed);
            light_fence();
            return open;
        }
        self.busy.store(1, Relaxed);
        if !on(Mutant::NoLightFence) {
            light_fence();
        }
        self.mark.load(Relaxed) == OPEN || on(Mutant::MarkIgnored)
    }

    /// Ends it: whoever sees this sees what was stored inside.
    #[inline(always)]
    fn leave(&self) {
        self.busy
            .store(0, order_of(Mutant::BusyFallsRelaxed, Release));
    }

    // Its owner's, under the lock

    /// Opens it if it is sealed, and adds credit.
    pub(super) fn put(&self, asymmetric: bool, tokens: i64) {
        if self.credit.load(Acquire) < 0 {
            self.credit.store(tokens, Release);
        } else {
            self.credit.fetch_add(tokens, AcqRel);
        }
        if asymmetric {
            self.mark.store(OPEN, Relaxed);
        }
    }

    /// Takes off credit above `kept`; how much.
    pub(super) fn skim(&self, kept: i64) -> i64 {
        let surplus = (self.credit.load(Acquire) - kept).max(0);
        if surplus > 0 {
            self.credit.fetch_sub(surplus, AcqRel);
        }
        surplus
    }

    /// Seals it and takes its credit, in the asymmetric form; no window of the caller's own is open.
    pub(super) fn drain(&self) -> i64 {
        self.mark.store(SEALED, Relaxed);
        let credit = self.credit.load(Relaxed);
        self.credit.store(0, Relaxed);
        credit
    }

    // Anybody's, under the lock, so that a cell seen sealed stays so

    /// Seals it and takes its credit, in the atomic form.
    pub(super) fn seal(&self) -> i64 {
        if self.credit.load(Acquire) < SEALED_CREDIT / 2 {
            return 0;
        }
        self.credit.swap(SEALED_CREDIT, AcqRel).max(0)
    }

    /// Tells the owner to leave its credit alone. Must a heavy fence follow before it may be taken?
    pub(super) fn revoke(&self) -> bool {
        if self.mark.load(Relaxed) == OPEN {
            self.mark.store(REVOKED, Relaxed);
        }
        self.mark.load(Relaxed) == REVOKED
    }

    /// Takes the credit of a revoked cell, waiting for its owner's window at most so many readings; none: the fence
    /// failed, or the window is still open, and the credit stays there.
    pub(super) fn collect(&self, fenced: bool, spins: u32) -> Option<i64> {
        let mut patience = 0;
        match self.mark.load(Relaxed) {
            SEALED => return Some(0),
            FENCED => {}
            _ if fenced => {
                self.mark.store(FENCED, Relaxed);
                patience = spins;
            }
            _ => return None,
        }
        while self.busy.load(Acquire) != 0 && !on(Mutant::BusyIgnored) {
            if patience == 0 {
                return None;
            }
            patience -= 1;
            spin();
        }
        Some(self.drain())
    }
}
