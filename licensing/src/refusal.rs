//! Why a call was refused, in the form that history keeps (rule L17).

use serde::{Deserialize, Serialize};

use crate::compliance::{Compliance, Policy};
use crate::count::SessionCount;
use crate::tag::{FeatureIndex, ServiceIndex};
use crate::time::Wall;

/// Why the gate refused a new session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "is")]
pub enum RefusalReason {
    /// The service's policy is Block.
    ServiceBlocked,
    /// The policy of a feature that the call needs is Block.
    FeatureBlocked {
        /// The feature that blocks.
        feature: FeatureIndex,
    },
    /// The service holds as many sessions as its ceiling lets it.
    AtCeiling,
    /// The worker could not tell whether there was a place: another one stood still with credit in hand (asymmetric gate).
    Unsettled,
    /// The call has low access priority, and what is left below the ceiling is kept for others.
    LowPriority,
}

/// One refused call, with all that explains the decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusalRecord {
    /// When it was decided.
    pub at: Wall,
    /// The service that was asked for.
    pub service: ServiceIndex,
    /// Why.
    pub reason: RefusalReason,
    /// Sessions of the service at that moment.
    pub sessions: SessionCount,
    /// The service's ceiling at that moment; none: unlimited.
    pub ceiling: Option<SessionCount>,
    /// Policy of the tag that decided.
    pub policy: Policy,
    /// Since when that policy holds.
    pub policy_since: Wall,
    /// Compliance of the tag that decided.
    pub compliance: Compliance,
    /// License time left before the state of that tag changes by itself, in seconds; none: no timer runs.
    pub timer_left_s: Option<u64>,
    /// The access point name that was asked for.
    pub apn: String,
    /// Cause sent to the peer (TS 29.060 7.7.1).
    pub cause: u8,
}
