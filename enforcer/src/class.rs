//! Call classes: what the gate tells apart among the calls that ask for a permit.

use licensing::{FeatureSet, ServiceIndex};
use serde::{Deserialize, Serialize};

/// What a call asks for: the service that counts it, the features it brings, and its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Class {
    /// The service whose license the call takes.
    pub service: ServiceIndex,
    /// The features that the call brings.
    pub features: FeatureSet,
    /// How license limits bind it.
    pub kind: CallKind,
}

/// How license limits bind a call (rule L8).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CallKind {
    /// By ceiling and block.
    Ordinary,
    /// It may go over ceiling and block by the service's priority share.
    Priority,
    /// Never: it holds no license and is counted apart.
    Emergency,
}
