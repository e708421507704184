//! A worker's cell of one service: credit that its owner hands out by itself, in either form of the gate.
//!
//! *Atomic form.* Credit moves by one atomic step. A sealed cell is one so far below zero that nothing brings it up.
//!
//! *Asymmetric form.* The cell is a word that its owner alone ever writes: credit, and a busy bit. It moves credit by a load
//! and two stores that enclose a window: the first says busy, the second says what is left, and between them the owner looks
//! at `bound`, which is written under the lock alone: while that is 0, the second store changes nothing. Whoever seals a cell
//! stores this 0, issues the heavy fence and waits until the busy bit is seen fallen. Then either the owner has seen the
//! bound, or its window is over and what it left is in the same word. What a sealed cell's word says is nobody's any more: its
//! credit was taken, and whoever opens the cell stores its value anew.

use std::hint::cold_path;

use super::mutants::{Mutant, on, order_of};
use super::sync::{AtomicI64, AtomicU32, Ordering::*, inside_window, light_fence, spin};

/// Atomic form, a sealed cell: so far below zero that no number of operations brings it up. Takes and releases that come
/// too late leave their offset on it, which nobody reads.
const SEALED_CREDIT: i64 = i64::MIN / 2;

/// Asymmetric form, the owner is inside its window; credit is in the bits above.
const BUSY: i64 = 1;
/// Asymmetric form, one of credit.
const ONE: i64 = 2;

/// Marks of the asymmetric form, read and written under the lock. The owner may use its credit: the bound is not 0.
const OPEN: u32 = 0;
/// The bound is 0, which the owner may not have seen.
const REVOKED: u32 = 1;
/// A heavy fence has passed since: a window that is not over shows as busy.
const FENCED: u32 = 2;
/// The credit has been taken home.
const SEALED: u32 = 3;

/// What a release meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Given {
    /// The credit is in the cell.
    Kept,
    /// It is, and the cell has more than it should.
    Surplus,
    /// It is not: the cell is sealed.
    Sealed,
}

/// One cell. 16 bytes, four services a cache line.
#[repr(align(16))]
pub(super) struct Cell {
    /// Atomic form: credit. Asymmetric form: credit and busy bit.
    word: AtomicI64,
    /// Asymmetric form, read by the owner in its window: the word at which a cell has a surplus; 0: leave it alone.
    bound: AtomicU32,
    /// Asymmetric form.
    mark: AtomicU32,
}

impl Cell {
    /// Sealed and empty.
    pub(super) fn new(asymmetric: bool) -> Self {
        let word = if asymmetric { 0 } else { SEALED_CREDIT };
        Self {
            word: AtomicI64::new(word),
            bound: AtomicU32::new(0),
            mark: AtomicU32::new(SEALED),
        }
    }

    /// Credit in it, whoever asks.
    pub(super) fn credit(&self, asymmetric: bool) -> i64 {
        if !asymmetric {
            return self.word.load(Acquire).max(0);
        }
        match self.mark.load(Acquire) {
            SEALED => 0,
            _ => self.word.load(Acquire) / ONE,
        }
    }

    // Its owner's, without the lock

    /// Takes one, if there is one. Atomic form.
    #[inline(always)]
    pub(super) fn take_at_once(&self) -> bool {
        let order = order_of(Mutant::CellRelaxed, AcqRel);
        self.word.fetch_sub(1, order) > 0
    }

    /// Gives one; with so many, the cell has a surplus. Atomic form.
    #[inline(always)]
    pub(super) fn give_at_once(&self, full: u64) -> Given {
        let order = order_of(Mutant::CellRelaxed, AcqRel);
        let before = self.word.fetch_add(1, order);
        // Below zero, read unsigned, is above as well.
        match before.cast_unsigned() >= full {
            false => Given::Kept,
            true if before < 0 => Given::Sealed,
            true => Given::Surplus,
        }
    }

    /// Takes one, if there is one. Asymmetric form.
    #[inline(always)]
    pub(super) fn take_in_window(&self) -> bool {
        let (word, bound) = self.enter();
        let left = word.wrapping_sub(ONE);
        // Below zero, read unsigned, is above every bound.
        if left.cast_unsigned() >= bound {
            cold_path();
            self.leave(word);
            return false;
        }
        self.leave(left);
        true
    }

    /// Gives one. Asymmetric form.
    #[inline(always)]
    pub(super) fn give_in_window(&self) -> Given {
        let (word, bound) = self.enter();
        if word.cast_unsigned() >= bound {
            cold_path();
            let open = bound != 0;
            self.leave(if open { word + ONE } else { word });
            return if open { Given::Surplus } else { Given::Sealed };
        }
        self.leave(word + ONE);
        Given::Kept
    }

    /// Begins a window: what the cell holds, and up to where it may be used.
    #[inline(always)]
    fn enter(&self) -> (i64, u64) {
        let word = self.word.load(Relaxed);
        let bound = || match self.bound.load(Relaxed) {
            0 if on(Mutant::MarkIgnored) => u64::MAX / 2,
            bound => u64::from(bound),
        };
        if on(Mutant::MarkBeforeBusy) {
            let bound = bound();
            self.word.store(word + BUSY, Relaxed);
            light_fence();
            return (word, bound);
        }
        self.word.store(word + BUSY, Relaxed);
        if !on(Mutant::NoLightFence) {
            light_fence();
        }
        let bound = bound();
        inside_window();
        (word, bound)
    }

    /// Ends it with what is left.
    #[inline(always)]
    fn leave(&self, word: i64) {
        self.word.store(word, Relaxed);
    }

    // Its owner's, under the lock

    /// Opens it if it is sealed, and adds credit; with `full` of it, the cell has a surplus.
    pub(super) fn put(&self, asymmetric: bool, tokens: i64, full: u32) {
        let word = self.word.load(Acquire);
        if !asymmetric {
            match word < 0 {
                true => self.word.store(tokens, Release),
                false => drop(self.word.fetch_add(tokens, AcqRel)),
            }
            return;
        }
        let kept = match self.mark.load(Relaxed) {
            SEALED => 0,
            _ => word,
        };
        self.word.store(kept + tokens * ONE, Release);
        self.mark.store(OPEN, Release);
        self.bound.store(full * ONE as u32, Relaxed);
    }

    /// Takes off credit above `kept`; how much.
    pub(super) fn skim(&self, asymmetric: bool, kept: i64) -> i64 {
        let surplus = (self.credit(asymmetric) - kept).max(0);
        if surplus > 0 {
            let unit = if asymmetric { ONE } else { 1 };
            self.word.fetch_sub(surplus * unit, AcqRel);
        }
        surplus
    }

    /// Seals it and takes its credit, in the asymmetric form; no window of the caller's own is open.
    pub(super) fn drain(&self) -> i64 {
        let credit = self.credit(true);
        self.bound.store(0, Relaxed);
        self.mark.store(SEALED, Release);
        credit
    }

    // Anybody's, under the lock, so that a cell seen sealed stays so

    /// Seals it and takes its credit, in the atomic form.
    pub(super) fn seal(&self) -> i64 {
        if self.word.load(Acquire) < SEALED_CREDIT / 2 {
            return 0;
        }
        self.word.swap(SEALED_CREDIT, AcqRel).max(0)
    }

    /// Tells the owner to leave its credit alone. Must a heavy fence follow before it may be taken?
    pub(super) fn revoke(&self) -> bool {
        if self.mark.load(Relaxed) == OPEN {
            self.bound.store(0, Relaxed);
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
        while self.word.load(Acquire) & BUSY != 0 && !on(Mutant::BusyIgnored) {
            if patience == 0 {
                return None;
            }
            patience -= 1;
            spin();
        }
        Some(self.drain())
    }
}
