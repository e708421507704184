//! Switches that break the gate on purpose, one at a time and only under `cfg(loom)`: a model that still passes with one
//! of them on proves nothing about what it breaks.
//!
//! Outside loom [`on`] is the constant `false`, and every switch is compiled away.

use super::sync::Ordering;

macro_rules! mutants {
    ($($variant:ident = $name:literal, $breaks:literal, $verdict:expr;)+) => {
        /// One way to break the gate.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Mutant { $($variant,)+ }

        /// Every mutant: its name, what it breaks, and what becomes of it.
        #[cfg(loom)]
        pub const MUTANTS: &[(&str, &str, Verdict)] = &[$(($name, $breaks, $verdict),)+];
    };
}

/// What becomes of a mutant.
#[cfg(loom)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// This model fails under it.
    Killed(&'static str),
    /// No model can fail under it, because of this.
    Equivalent(&'static str),
}

#[cfg(loom)]
use Verdict::{Equivalent, Killed};

mutants! {
    FlipWithoutSeal = "x01_flip_without_seal",
        "a change leaves the cells open and the generation as it was",
        Killed("shrink_is_linearizable");
    FlipWithoutPending = "x02_flip_without_pending",
        "a change of several words isn't announced",
        Killed("shrink_is_linearizable");
    BlockWithoutTight = "x03_block_without_tight",
        "a refusal for the ceiling is read off an open word",
        Killed("no_false_block_calm0");
    LimitOffByOne = "x04_limit_off_by_one",
        "the lock-free admission goes one over the limit",
        Killed("bound_1_cold");
    LimitOffByOneLocked = "x05_limit_off_by_one_locked",
        "a refill under the lock goes one over the limit",
        Killed("bound_1_pool");
    NoRecallBeforeBlock = "x06_no_recall_before_block",
        "an empty pool refuses while cells hold credit",
        Killed("no_false_block_calm0");
    RecallLosesTokens = "x07_recall_loses_tokens",
        "sealed cells' credit isn't brought home",
        Killed("sequential_accounting");
    NoWordGeneration = "x08_no_word_generation",
        "a recall leaves the generation as it was",
        Killed("shrink_is_linearizable_tight");
    RefillIgnoresCap = "x09_refill_ignores_cap",
        "a refill takes a whole batch whatever there is",
        Killed("sequential_accounting");
    UndoSurplusRelease = "x10_undo_surplus_release",
        "a release that fills the cell is undone before its token moves home",
        Killed("flush_vs_recall");
    ForeignReopen = "x12_foreign_reopen",
        "who leaves tight mode opens the others' cells too, with credit",
        Killed("only_the_owner_reopens");
    TightBeforeSeal = "x13_tight_before_seal",
        "the word turns tight before the cells are sealed",
        Killed("no_false_block_calm0");
    PeakCapMissing = "x14_peak_cap_missing",
        "credit is handed out above the old peak",
        Killed("peak_exact");
    RetireWithoutReturn = "x15_retire_without_return",
        "a leaving worker's credit is lost",
        Killed("retire_returns_credit");
    LeaveTightUnlocked = "x16_leave_tight_unlocked",
        "tight mode is left without the lock",
        Killed("shrink_is_linearizable_tight");
    ClassRelaxed = "x17_class_relaxed",
        "the fast path reads the class word relaxed",
        Equivalent("what follows orders it: a step of the cell before its seal would have been seen by the seal, hence before the word was stored, and a window looks at its bound after a fence");
    CellRelaxed = "x18_cell_relaxed",
        "the fast path moves its cell relaxed",
        Killed("reclass_is_never_without_a_place");
    RefillDouble = "x19_refill_double",
        "a refill doesn't take the caller's own token off",
        Killed("sequential_accounting");
    ReleaseSealedLost = "x20_release_sealed_lost",
        "a release into a sealed cell goes nowhere",
        Killed("flush_vs_recall");
    NoClassCheck = "x21_no_class_check_on_fast_path",
        "the fast path doesn't look at the class word",
        Killed("blocked_feature_on_open_cell");
    NoPeakOnAdmission = "x22_no_peak_on_admission",
        "an admission by the word doesn't fold the peak",
        Killed("peak_exact");
    NoPeakOnLeave = "x23_no_peak_on_leave",
        "leaving tight mode hands out credit above the old peak",
        Killed("peak_of_one_worker");
    ViewNotValidated = "x24_view_not_validated",
        "a refusal isn't checked against a change meanwhile",
        Killed("no_false_block_during_a_change");
    FlushLoses = "x25_flush_loses",
        "a flush takes credit off the cell and gives it to nobody",
        Killed("sequential_accounting");
    ReleaseOpensTight = "x26_release_opens_while_tight",
        "a release into a sealed cell opens it without a second look at the word under the lock",
        Killed("an_exact_count_is_of_one_instant");
    RetireUnlocked = "x27_retire_unlocked",
        "a leaving worker seals its cells without the lock",
        Killed("retire_returns_credit");
    FlushUnlocked = "x28_flush_unlocked",
        "a cell's surplus is moved home without the lock",
        Killed("flush_vs_recall");
    RoomUnsigned = "r1_room_unsigned",
        "debt reads as endless room",
        Killed("debt_stops_growth");
    EmergencyTakesToken = "r1_emergency_takes_token",
        "an emergency release gives back a token that it never took",
        Killed("emergency_holds_nothing");
    DebtInOpenMode = "r2_debt_in_open_mode",
        "a restored session is added without expecting tight",
        Killed("restore_makes_debt_only_when_tight");
    LeaveInTwoSteps = "r3_leave_in_two_steps",
        "tight mode is left by clearing a bit, not by the whole word",
        Killed("tight_is_left_only_without_debt");
    LeaveInDebt = "r3_leave_in_debt",
        "tight mode is left although more is granted than the limit",
        Killed("tight_is_left_only_without_debt");
    PriorityCountsToCalm = "r3_priority_counts_to_calm",
        "priority admissions count towards calm",
        Equivalent("tight mode is left by a whole-word swap with granted <= limit whoever asks for it: this costs vain attempts, not exactness");
    PriorityUnbounded = "r4_priority_unbounded",
        "priority calls have no limit of their own",
        Killed("priority_goes_over_by_its_share");
    PriorityAsOrdinary = "r4_priority_as_ordinary",
        "priority calls are bound by the ceiling",
        Killed("priority_goes_over_by_its_share");
    PriorityBlocked = "r4_priority_blocked",
        "priority calls don't pass a block",
        Killed("priority_passes_a_block");
    NoShareIsPriority = "r4_no_share_is_priority",
        "a share of 0 still passes a block",
        Killed("priority_passes_a_block");
    PriorityPastBlockOpen = "r4_priority_past_block_open",
        "a priority call passes a block without a recall",
        Equivalent("a credit taken in open mode means live < granted <= limit <= priority limit: the recall makes the count exact, the bound holds without");
    EpochStays = "r5_epoch_stays",
        "a change clears pending without moving the epoch",
        Killed("no_false_block_during_a_change");
    WordsAfterEpoch = "r5_words_after_epoch",
        "a change ends before it has stored the words",
        Killed("shrink_is_linearizable_tight");
    WordsBeforeSeal = "r5_words_before_seal",
        "a change stores its words while the cells are open",
        Killed("two_classes_change_at_once");
    PendingIgnored = "r5_pending_ignored",
        "what is read while a change is under way counts as validated",
        Killed("shrink_is_linearizable");
    ViewRelaxed = "r5_view_relaxed",
        "the words that a refusal is decided on are read relaxed",
        Killed("no_false_block_during_shrink");
    EpochRelaxed = "r5_epoch_relaxed",
        "the state word is read relaxed before the words that it vouches for",
        Killed("no_false_block_during_a_change");
    EnrollUnlocked = "r5_enroll_unlocked",
        "a class is interned by terms that were read before the lock was let go",
        Killed("interned_under_the_terms_in_force");
    ReplaceUnlocked = "r6_replace_unlocked",
        "a replacement reads its class word without the lock",
        Killed("replace_sees_the_change");
    ReplaceReleasesFirst = "r6_replace_releases_first",
        "a replacement gives the place up and asks for it again",
        Killed("replace_keeps_its_place");
    RestoreRefused = "r7_restore_obeys_the_ceiling",
        "a restored session is bound by the ceiling",
        Killed("restore_makes_debt_only_when_tight");
    RestoreUncounted = "r7_restore_uncounted",
        "a restored session above the ceiling isn't counted",
        Killed("restore_makes_debt_only_when_tight");
    ReclassReleasesFirst = "r8_reclass_releases_first",
        "a change of service releases the old before it restores the new",
        Killed("reclass_is_never_without_a_place");
    NoPeakAboveLimit = "r9_no_peak_above_limit",
        "an admission above the limit doesn't fold the peak",
        Killed("peak_counts_what_is_above_the_limit");
    RefusalWithoutPeak = "r9_refusal_without_peak",
        "a refusal at the ceiling doesn't show in the peak",
        Killed("a_refusal_proves_the_peak");
    CountWithoutPeak = "r9_count_without_peak",
        "a count doesn't show in the peak",
        Killed("a_count_proves_the_peak");
    NoLightFence = "a1_no_light_fence",
        "an owner's busy bit and its look at the bound aren't kept in order",
        Killed("two_windows_or_none");
    MarkBeforeBusy = "a2_mark_before_busy",
        "an owner looks at the bound before it says that it is busy",
        Killed("two_windows_or_none");
    MarkIgnored = "a3_mark_ignored",
        "an owner uses credit of a sealed cell",
        Killed("two_windows_or_none");
    NoHeavyFence = "a5_no_heavy_fence",
        "a cell is collected without the heavy fence",
        Killed("two_windows_or_none");
    FailedFenceIgnored = "a6_failed_fence_ignored",
        "a cell is collected although the heavy fence failed",
        Killed("a_failed_fence_reclaims_nothing");
    BusyIgnored = "a7_busy_ignored",
        "a cell is collected while its owner is inside its window",
        Killed("two_windows_or_none");
    UnsettledAsCeiling = "a8_unsettled_as_ceiling",
        "credit left in a cell counts as sessions of a refusal for the ceiling",
        Killed("credit_that_is_left_is_no_session");
    UnsettledRecord = "a4_unsettled_record",
        "credit left in a cell counts as sessions of a record",
        Killed("credit_that_is_left_is_no_record");
    RecordKeepsCredit = "a10_record_keeps_credit",
        "credit that a leaving worker brings home counts as sessions of a record",
        Killed("credit_of_a_worker_that_leaves_is_no_record");
    SettledTooEarly = "a9_settled_too_early",
        "the word is called exact while credit is left in a cell",
        Killed("unsettled_is_not_the_ceiling");
}

/// Ways to break sealed escrow that need a step which this gate hasn't got, and why it can do without.
#[cfg(loom)]
pub const ABSENT: &[(&str, &str)] = &[(
    "x11_no_undo_on_failed_take",
    "a take that found no credit is not undone: a cell below zero has no credit, and whoever opens it stores its value",
)];

/// Is it on? Never, outside loom.
#[cfg(not(loom))]
#[inline(always)]
pub(super) const fn on(_: Mutant) -> bool {
    false
}

/// The order of an atomic step: relaxed under this mutant.
#[inline(always)]
pub(super) fn order_of(mutant: Mutant, order: Ordering) -> Ordering {
    if on(mutant) { Ordering::Relaxed } else { order }
}

#[cfg(loom)]
static SELECTED: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(usize::MAX);

/// Is it on?
#[cfg(loom)]
pub(super) fn on(mutant: Mutant) -> bool {
    SELECTED.load(std::sync::atomic::Ordering::Relaxed) == mutant as usize
}

/// Turns this mutant on, for the whole process. False: there is none of this name.
#[cfg(loom)]
pub fn select(name: &str) -> bool {
    let place = MUTANTS.iter().position(|(known, ..)| *known == name);
    SELECTED.store(
        place.unwrap_or(usize::MAX),
        std::sync::atomic::Ordering::Relaxed,
    );
    place.is_some()
}
