//! Blocks that are tried out by an order: what the gate is told of them, and what it counted (rule L2).
//!
//! A block of a tag with such an order refuses a share of the subscribers, none of them under `observe` and `warn`. What it
//! lets through is counted by the gate, and here laid to the tags.

use licensing::{FeatureIndex, FeatureSet, Policy, TagRef};

use super::Enforcer;
use super::tag::TagState;
use crate::counts::Counts;
use crate::terms::{Block, Eased, Shares};

/// What was counted of a class, as last seen.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct EasedSeen {
    service: u64,
    feature: u64,
    /// The feature whose block was last tried out on it.
    by: Option<FeatureIndex>,
}

/// The blocks of features that concern a service.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ByFeatures {
    /// The first that refuses every new call.
    pub(super) all: Option<FeatureIndex>,
    /// Those that refuse the calls that bring them.
    pub(super) brought: FeatureSet,
    /// Of those that are tried out, the one that would refuse most new calls.
    pub(super) eased: Option<Eased>,
    /// Those that are tried out on the calls that bring them.
    pub(super) eased_brought: Shares,
}

impl ByFeatures {
    /// A block of a feature tied to the service.
    pub(super) fn add_tied(&mut self, feature: FeatureIndex, eased: Option<u8>) {
        let by = Block::Feature(feature);
        match eased {
            None => self.all = self.all.or(Some(feature)),
            Some(percent) => self.eased = Eased::harder(self.eased, Some(Eased { by, percent })),
        }
    }

    /// A block of a feature that concerns the calls that bring it.
    pub(super) fn add_brought(&mut self, feature: FeatureIndex, eased: Option<u8>) {
        match eased {
            None => self.brought = self.brought.with(feature),
            Some(percent) => self.eased_brought = self.eased_brought.with(feature, percent),
        }
    }
}

impl TagState {
    /// The block of the tag is tried out: the percentage of the subscribers that it refuses.
    pub(super) fn eased(&self) -> Option<u8> {
        let percent = self.order.shadow.refused_percent();
        (self.would_block && percent < 100).then_some(percent)
    }

    /// The policy that bounds ceilings: a block that lets anybody through has none of its own.
    pub(super) fn ceiling_policy(&self) -> Policy {
        match self.eased() {
            Some(_) => Policy::Allow,
            None => self.period.policy,
        }
    }
}

impl Enforcer {
    /// Lays what was let through to the tags whose blocks would have refused it. Of a class whose block of a feature is
    /// tried out no more, the rest is laid to the feature that it was last tried out by.
    pub(super) fn count_eased(&mut self, counts: &Counts) {
        for count in &counts.classes {
            let (service, counters) = (count.class.service, &count.counters);
            let terms = self
                .services
                .get(service.at())
                .and_then(|state| state.terms);
            let by = terms.and_then(|terms| terms.eased_of(count.class.features));
            let feature = by.and_then(|eased| match eased.by {
                Block::Feature(feature) => Some(feature),
                Block::Service => None,
            });
            let seen = self.eased_seen.entry(count.class).or_default();
            let of_service = counters.eased_service.saturating_sub(seen.service);
            let of_feature = counters.eased_feature.saturating_sub(seen.feature);
            *seen = EasedSeen {
                service: counters.eased_service,
                feature: counters.eased_feature,
                by: feature.or(seen.by),
            };
            let by = seen.by.map(TagRef::Feature);
            self.add_eased(TagRef::Service(service), of_service);
            by.into_iter()
                .for_each(|tag| self.add_eased(tag, of_feature));
        }
    }

    fn add_eased(&mut self, tag: TagRef, calls: u64) {
        if let Some(state) = self.tag_mut(tag) {
            state.let_through += calls;
        }
    }
}
