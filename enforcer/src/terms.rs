//! Terms: what the slow half orders for one service, and the gate keeps.

use std::fmt;

use licensing::catalog::FEATURES_MAX;
use licensing::{FeatureIndex, FeatureSet};
use serde::{Deserialize, Serialize};

/// What the gate lets through for one service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// Sessions it may hold; none: unlimited. Under a block it is the base of the priority share.
    pub ceiling: Option<u32>,
    /// Sessions above the ceiling, or past a block, that priority calls may take; 0: priority calls are ordinary.
    pub priority_share: u32,
    /// Why every ordinary new call is refused, if it is.
    pub block: Option<Block>,
    /// Features whose block refuses only the calls that bring them (rule L12, tie = call).
    pub blocked_features: FeatureSet,
    /// Those of them that priority calls may not bring either: their share is used up (rule L8).
    pub barred_features: FeatureSet,
    /// A block beside those, which is tried out: it refuses ordinary new calls of some subscribers, and the others' are let
    /// through and counted.
    #[serde(default)]
    pub eased: Option<Eased>,
    /// Features whose block, tried out likewise, concerns only the calls that bring them.
    #[serde(default)]
    pub eased_features: Shares,
}

impl Terms {
    /// The block that is tried out on calls that bring these features: of several, the one that refuses most.
    pub fn eased_of(&self, features: FeatureSet) -> Option<Eased> {
        if self.eased_features == Shares::EMPTY {
            return self.eased;
        }
        let brought = self.eased_features.iter();
        let brought = brought.filter(|(feature, _)| features.contains(*feature));
        let brought = brought.map(|(feature, percent)| Eased {
            by: Block::Feature(feature),
            percent,
        });
        brought.fold(self.eased, |all, one| Eased::harder(all, Some(one)))
    }
}

/// A block that is tried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Eased {
    /// Why it is one.
    pub by: Block,
    /// Percent of the subscribers whose calls it refuses.
    pub percent: u8,
}

impl Eased {
    /// The one that refuses more; of two alike the first.
    pub(crate) fn harder(first: Option<Self>, second: Option<Self>) -> Option<Self> {
        match (first, second) {
            (Some(one), Some(other)) if other.percent > one.percent => Some(other),
            (first, second) => first.or(second),
        }
    }
}

/// Percent of the subscribers that each feature's block refuses, of features whose block is tried out.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<(FeatureIndex, u8)>", into = "Vec<(FeatureIndex, u8)>")]
pub struct Shares([u8; FEATURES_MAX]);

impl Shares {
    /// No feature's block is tried out.
    pub const EMPTY: Self = Self([Self::NONE; FEATURES_MAX]);
    const NONE: u8 = u8::MAX;

    /// With this one as well.
    #[must_use]
    pub fn with(mut self, feature: FeatureIndex, percent: u8) -> Self {
        self.0[feature.at() % FEATURES_MAX] = percent.min(100);
        self
    }

    /// The features and their percentages, in the catalog's order.
    pub fn iter(&self) -> impl Iterator<Item = (FeatureIndex, u8)> + '_ {
        let listed = (0..).map(FeatureIndex).zip(self.0);
        listed.filter(|(_, percent)| *percent != Self::NONE)
    }
}

impl Default for Shares {
    fn default() -> Self {
        Self::EMPTY
    }
}

impl fmt::Debug for Shares {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl From<Vec<(FeatureIndex, u8)>> for Shares {
    fn from(listed: Vec<(FeatureIndex, u8)>) -> Self {
        let listed = listed.into_iter();
        listed.fold(Self::EMPTY, |all, (feature, percent)| {
            all.with(feature, percent)
        })
    }
}

impl From<Shares> for Vec<(FeatureIndex, u8)> {
    fn from(shares: Shares) -> Self {
        shares.iter().collect()
    }
}

/// Why a whole service is blocked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Block {
    /// Its own policy.
    Service,
    /// The policy of a feature tied to it (rule L12, tie = service).
    Feature(FeatureIndex),
}
