//! The packed words: what one load tells, and what one compare-and-swap moves.

use licensing::{FeatureIndex, RefusalReason};

use super::config::SERVICES_MAX;
use super::mutants::{Mutant, on};
use crate::class::{CallKind, Class};
use crate::lot::Lot;
use crate::terms::{Block, Terms};

/// "No ceiling": more sessions than a process can hold, on the same path as any other ceiling.
pub(super) const NO_CEILING: u32 = 1 << 30;

/// What the terms in force mean for one class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ClassWord(pub(super) u64);

impl ClassWord {
    /// Holds no license and reads no terms.
    const EMERGENCY: u64 = 1;
    /// New ordinary calls are refused.
    const BLOCKED: u64 = 1 << 1;
    /// The gate is of the atomic form: beside the two above, so that one test tells the way to take.
    const AT_ONCE: u64 = 1 << 2;
    /// May go over the ceiling and past a block by the share.
    const PRIORITY: u64 = 1 << 3;
    /// The service, where its place is the offset of its cell too.
    const SERVICE: u64 = 0x3f << Self::SERVICE_SHIFT;
    /// The block refuses only the lots below the percentage in the bits from [`Self::PERCENT_SHIFT`].
    const EASED: u64 = 1 << 10;
    /// Blocked for a feature, whose place is in the bits from [`Self::FEATURE_SHIFT`]; otherwise for the service.
    const BY_FEATURE: u64 = 1 << 11;
    const SERVICE_SHIFT: u32 = 4;
    const FEATURE_SHIFT: u32 = 16;
    const PERCENT_SHIFT: u32 = 24;

    /// The word of an id that was never given out by this gate: nothing may enter by it.
    pub(super) const UNKNOWN: Self = Self(Self::BLOCKED);

    /// What `terms` say about `class`.
    pub(super) fn new(class: Class, terms: &Terms, asymmetric: bool) -> Self {
        let form = if asymmetric { 0 } else { Self::AT_ONCE };
        let service = u64::from(class.service.0) << Self::SERVICE_SHIFT & Self::SERVICE;
        let brought = class.features.intersection(terms.blocked_features);
        let block = match (terms.block, brought.iter().next()) {
            (Some(block), _) => Self::blocked(block),
            (None, Some(feature)) => Self::blocked(Block::Feature(feature)),
            (None, None) => 0,
        };
        let barred = class.features.intersection(terms.barred_features);
        let shared = terms.priority_share > 0 && barred.is_empty();
        let shared = shared || on(Mutant::NoShareIsPriority);
        Self(
            form | match class.kind {
                CallKind::Emergency => service | Self::EMERGENCY,
                CallKind::Priority if shared => service | Self::PRIORITY | block,
                CallKind::Priority | CallKind::Ordinary if block == 0 => {
                    service | Self::eased(class, terms)
                }
                CallKind::Priority | CallKind::Ordinary => service | block,
            },
        )
    }

    fn blocked(by: Block) -> u64 {
        match by {
            Block::Service => Self::BLOCKED,
            Block::Feature(feature) => {
                let place = u64::from(feature.0) << Self::FEATURE_SHIFT;
                Self::BLOCKED | Self::BY_FEATURE | place
            }
        }
    }

    /// The block that is tried out on a class.
    fn eased(class: Class, terms: &Terms) -> u64 {
        terms.eased_of(class.features).map_or(0, |eased| {
            let percent = u64::from(eased.percent.min(100)) << Self::PERCENT_SHIFT;
            Self::blocked(eased.by) | Self::EASED | percent
        })
    }

    #[inline(always)]
    pub(super) fn is_emergency(self) -> bool {
        self.0 & Self::EMERGENCY != 0
    }

    /// Takes and gives one of the own cell's credit, in the asymmetric form: neither blocked nor an emergency.
    #[inline(always)]
    pub(super) fn goes_by_window(self) -> bool {
        self.0 & (Self::EMERGENCY | Self::BLOCKED | Self::AT_ONCE) == 0
    }

    /// Neither blocked nor an emergency: one of the own cell's credit is all that an admission takes.
    #[inline(always)]
    pub(super) fn takes_credit(self) -> bool {
        self.0 & (Self::EMERGENCY | Self::BLOCKED) == 0
    }

    /// Ordinary and without any block: the ceiling alone may refuse it.
    #[inline]
    pub(super) fn is_plain(self) -> bool {
        self.0 & (Self::EMERGENCY | Self::BLOCKED | Self::PRIORITY) == 0
    }

    pub(super) fn is_priority(self) -> bool {
        self.0 & Self::PRIORITY != 0
    }

    fn is_blocked(self) -> bool {
        self.0 & Self::BLOCKED != 0
    }

    /// A block of it is tried out.
    pub(super) fn is_eased(self) -> bool {
        self.0 & Self::EASED != 0
    }

    /// A block of it is tried out, and this lot is let through.
    pub(super) fn eases(self, lot: Lot) -> bool {
        // 7 bits.
        let percent = (self.0 >> Self::PERCENT_SHIFT) as u8;
        self.is_eased() && !lot.is_among(percent)
    }

    /// The block is that of a feature.
    pub(super) fn is_by_feature(self) -> bool {
        self.0 & Self::BY_FEATURE != 0
    }

    #[inline(always)]
    pub(super) fn service(self) -> usize {
        (self.0 >> Self::SERVICE_SHIFT) as usize & (SERVICES_MAX - 1)
    }

    /// What a permit keeps of it.
    #[inline(always)]
    pub(super) fn ledger(self) -> u32 {
        (self.0 & (Self::SERVICE | Self::EMERGENCY | Self::AT_ONCE)) as u32
    }

    /// Why new ordinary calls of this lot are refused, if they are.
    pub(super) fn reason(self, lot: Lot) -> Option<RefusalReason> {
        if !self.is_blocked() || self.eases(lot) {
            return None;
        }
        if !self.is_by_feature() {
            return Some(RefusalReason::ServiceBlocked);
        }
        let feature = FeatureIndex((self.0 >> Self::FEATURE_SHIFT) as u8);
        Some(RefusalReason::FeatureBlocked { feature })
    }
}

/// A service's ledger in one word: `[tight: 1 | unsettled: 1 | generation: 30 | granted: 32]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LedgerWord(pub(super) u64);

impl LedgerWord {
    const TIGHT: u64 = 1 << 63;
    const UNSETTLED: u64 = 1 << 62;
    const GENERATION: u64 = 0x3fff_ffff << 32;
    const ONE_GENERATION: u64 = 1 << 32;

    /// Nothing granted, every cell sealed.
    pub(super) const EMPTY: Self = Self(Self::TIGHT);

    /// Every cell is sealed, and empty if the word is settled.
    #[inline]
    pub(super) fn is_tight(self) -> bool {
        self.0 & Self::TIGHT != 0
    }

    /// Tight, but credit is left in a cell whose owner was inside its window.
    #[inline]
    pub(super) fn is_unsettled(self) -> bool {
        self.0 & Self::UNSETTLED != 0
    }

    /// Tight and settled: `granted` is the exact number of permits outstanding.
    #[inline]
    pub(super) fn is_exact(self) -> bool {
        self.0 & (Self::TIGHT | Self::UNSETTLED) == Self::TIGHT
    }

    /// Permits outstanding plus credit in the workers' cells.
    #[inline]
    pub(super) fn granted(self) -> u32 {
        self.0 as u32
    }

    /// With so many more granted.
    pub(super) fn grant(self, more: u32) -> Self {
        Self(self.0 + u64::from(more))
    }

    /// The same, left open to the cells.
    pub(super) fn opened(self) -> Self {
        Self(self.0 & !(Self::TIGHT | Self::UNSETTLED))
    }

    /// Tight, of the next generation, with `credit` brought home; settled unless some was left.
    pub(super) fn recalled(self, credit: u32, settled: bool) -> Self {
        let generation = self.0.wrapping_add(Self::ONE_GENERATION) & Self::GENERATION;
        let unsettled = if settled { 0 } else { Self::UNSETTLED };
        Self(Self::TIGHT | unsettled | generation | u64::from(self.granted() - credit))
    }

    /// The same without the step of the generation.
    pub(super) fn of_generation(self, other: Self) -> Self {
        Self(self.0 & !Self::GENERATION | other.0 & Self::GENERATION)
    }
}

/// A service's state in one word: `[epoch: 63 | pending: 1]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct StateWord(pub(super) u64);

impl StateWord {
    /// Terms are being changed: nothing may be decided without the lock.
    pub(super) const PENDING: u64 = 1;
    const ONE_EPOCH: u64 = 1 << 1;

    pub(super) fn is_pending(self) -> bool {
        self.0 & Self::PENDING != 0
    }

    /// The change is done: the next epoch.
    pub(super) fn changed(self) -> Self {
        Self((self.0 & !Self::PENDING).wrapping_add(Self::ONE_EPOCH))
    }
}
