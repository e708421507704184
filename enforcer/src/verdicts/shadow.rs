//! Blocks that are tried out by an order: what the gate is told of them, and what it counted (rule L2).
//!
//! A block of a tag with such an order refuses a share of the subscribers, none of them under `observe` and `warn`. What it
//! lets through is counted by the gate, and here laid to the tags.

use licensing::{FeatureIndex, FeatureSet, Policy, TagRef};

use super::Enforcer;
use super::tag::TagState;
use crate::counts::Counts;
use crate::terms::{Block, Eased, Terms};

/// The blocks of features that concern a service.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ByFeatures {
    /// The first that refuses every new call.
    pub(super) all: Option<FeatureIndex>,
    /// Those that refuse the calls that bring them.
    pub(super) brought: FeatureSet,
    /// Of those that are tried out, the one that would refuse most new calls.
    pub(super) eased: Option<Eased>,
    /// Those that are tried out on the calls that bring them, and the highest percentage among them.
    pub(super) eased_brought: (FeatureSet, u8),
}

impl ByFeatures {
    /// A block of a feature tied to the service.
    pub(super) fn add_tied(&mut self, feature: FeatureIndex, eased: Option<u8>) {
        let by = Block::Feature(feature);
        match eased {
            None => self.all = self.all.or(Some(feature)),
            Some(percent) => self.eased = harder(self.eased, Some(Eased { by, percent })),
        }
    }

    /// A block of a feature that concerns the calls that bring it.
    pub(super) fn add_brought(&mut self, feature: FeatureIndex, eased: Option<u8>) {
        match eased {
            None => self.brought = self.brought.with(feature),
            Some(percent) => {
                let (features, highest) = self.eased_brought;
                self.eased_brought = (features.with(feature), highest.max(percent));
            }
        }
    }
}

/// The one that refuses more; of two alike the first.
pub(super) fn harder(first: Option<Eased>, second: Option<Eased>) -> Option<Eased> {
    match (first, second) {
        (Some(one), Some(other)) if other.percent > one.percent => Some(other),
        (first, second) => first.or(second),
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
    /// Lays what was let through to the tags whose blocks would have refused it, by the terms that were in force.
    pub(super) fn count_eased(&mut self, counts: &Counts) {
        for count in &counts.classes {
            let now = (count.counters.eased_service, count.counters.eased_feature);
            if now == (0, 0) {
                continue;
            }
            let seen = self.eased_seen.insert(count.class, now).unwrap_or_default();
            let fresh = (now.0.saturating_sub(seen.0), now.1.saturating_sub(seen.1));
            let service = TagRef::Service(count.class.service);
            self.add_eased(service, fresh.0);
            if fresh.1 > 0
                && let Some(feature) = self.easing(count.class.service.at(), count.class.features)
            {
                self.add_eased(TagRef::Feature(feature), fresh.1);
            }
        }
    }

    fn add_eased(&mut self, tag: TagRef, calls: u64) {
        if let Some(state) = self.tag_mut(tag) {
            state.let_through += calls;
        }
    }

    /// The feature whose block lets calls of a service with these features through.
    fn easing(&self, service: usize, features: FeatureSet) -> Option<FeatureIndex> {
        let terms: Terms = self.services.get(service)?.terms?;
        let brought = features.intersection(terms.eased_features).iter().next();
        let all = match terms.eased {
            Some(Eased {
                by: Block::Feature(feature),
                percent,
            }) => Some((feature, percent)),
            Some(_) | None => None,
        };
        match (all, brought) {
            (Some((_, percent)), Some(brought)) if terms.eased_percent > percent => Some(brought),
            (Some((feature, _)), _) => Some(feature),
            (None, brought) => brought.or_else(|| self.eased_features().next()),
        }
    }

    /// Features whose block is tried out.
    fn eased_features(&self) -> impl Iterator<Item = FeatureIndex> {
        let listed = (0..).map(FeatureIndex).zip(&self.features);
        let eased = listed.filter(|(_, state)| state.tag.eased().is_some());
        eased.map(|(feature, _)| feature)
    }
}
