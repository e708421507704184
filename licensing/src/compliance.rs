//! Compliance (a fact from the authority), policy (the node's verdict on it) and the mode of the node.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::count::LicenseCount;
use crate::time::Wall;

/// What is known of a tag's standing with the authority.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "is")]
pub enum Compliance {
    /// Registered, no verdict yet.
    Waiting,
    /// Use is covered.
    Authorized,
    /// Use exceeds what is owned.
    OutOfCompliance {
        /// When this episode began.
        since: Wall,
    },
    /// The authority does not know the tag.
    InvalidTag,
    /// Nothing heard from the authority for 90 days.
    AuthorizationExpired,
    /// Not registered, evaluation time left.
    Evaluation,
    /// Not registered, no evaluation time left.
    EvaluationExpired,
}

/// What the node does with new sessions of a tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Policy {
    /// New sessions are let through.
    Allow,
    /// New sessions are refused.
    Block,
}

/// The mode of the node (rule L2); statistics are kept apart for each (rule L15).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Mode {
    /// Not registered.
    Evaluation,
    /// Registered with a license authority.
    Registered,
}

/// What the authority granted for one tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entitlement {
    /// Licenses granted.
    pub licenses: LicenseCount,
    /// When the grant ends, if it does.
    pub until: Option<Wall>,
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Allow => "ALLOW",
            Self::Block => "BLOCK",
        })
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Evaluation => "EVALUATION",
            Self::Registered => "REGISTERED",
        })
    }
}
