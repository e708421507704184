//! Terms: what the slow half orders for one service, and the gate keeps.

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
    pub eased_features: FeatureSet,
    /// Percent of the subscribers whose calls these refuse.
    #[serde(default)]
    pub eased_percent: u8,
}

/// A block that is tried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Eased {
    /// Why it is one.
    pub by: Block,
    /// Percent of the subscribers whose calls it refuses.
    pub percent: u8,
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
