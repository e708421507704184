//! From facts to a verdict, in one place: compliance, then policy, then ceiling, then the gate's terms.
//!
//! All functions are pure; their tests go through every case.

use std::num::NonZeroU32;

use licensing::{Compliance, FeatureIndex, FeatureSet, LicenseCount, OnOoc, Policy, Wall};
use serde::{Deserialize, Serialize};

use crate::terms::{Block, Eased, Shares, Terms};

/// What the authority answered for a tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// Use is covered.
    Authorized,
    /// Use exceeds what is owned.
    OutOfCompliance,
    /// It does not know the tag.
    InvalidTag,
}

impl Answer {
    /// It begins an episode (rules L5 and L11).
    pub fn objects(self) -> bool {
        match self {
            Self::Authorized => false,
            Self::OutOfCompliance | Self::InvalidTag => true,
        }
    }
}

/// What holds for the whole node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodeFacts {
    /// Smart licensing was enabled at least once (rule L2).
    pub enforced: bool,
    /// Registered with an authority.
    pub registered: bool,
    /// Nothing heard from the authority for 90 days (rule L10).
    pub silent: bool,
    /// Something is left of the evaluation (rule L3).
    pub evaluation_left: bool,
}

/// What holds for one tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TagFacts {
    /// The last answer since the node registered, or an objection from before; none: not yet.
    pub answer: Option<Answer>,
    /// What was granted had an end, and that is past.
    pub ended: bool,
    /// When the episode began, if one is on.
    pub since: Wall,
    /// Something is left of the grace.
    pub grace_left: bool,
    /// The rule after the grace.
    pub on_ooc: OnOoc,
}

impl TagFacts {
    /// What the authority objects to, and the standing that this is.
    fn objection(self) -> Option<Compliance> {
        match self.answer? {
            Answer::Authorized => None,
            Answer::OutOfCompliance => Some(Compliance::OutOfCompliance { since: self.since }),
            Answer::InvalidTag => Some(Compliance::InvalidTag),
        }
    }

    /// The rule after an objection lets new sessions through.
    fn tolerated(self) -> bool {
        self.grace_left || self.on_ooc == OnOoc::Allow
    }
}

/// Standing of a tag with the authority; none: nothing is enforced yet.
///
/// Neither silence nor deregistering loosens: a tag that an objection blocks stays in that standing (rule L10).
pub fn compliance(node: NodeFacts, tag: TagFacts) -> Option<Compliance> {
    if !node.enforced {
        return None;
    }
    let objection = tag.objection();
    let blocked = objection.filter(|_| node.evaluation_left && !tag.tolerated());
    Some(match (node.registered, node.silent, tag.answer) {
        (false, _, _) if node.evaluation_left => blocked.unwrap_or(Compliance::Evaluation),
        (false, _, _) => Compliance::EvaluationExpired,
        (true, true, _) => blocked.unwrap_or(Compliance::AuthorizationExpired),
        (true, false, None) => Compliance::Waiting,
        (true, false, Some(_)) => match objection {
            Some(objection) => objection,
            None if tag.ended => Compliance::AuthorizationExpired,
            None => Compliance::Authorized,
        },
    })
}

/// What the node does with new sessions of a tag in this standing.
pub fn policy(compliance: Option<Compliance>, node: NodeFacts, tag: TagFacts) -> Policy {
    let allow = match compliance {
        None | Some(Compliance::Waiting | Compliance::Authorized | Compliance::Evaluation) => true,
        Some(Compliance::EvaluationExpired) => false,
        Some(Compliance::AuthorizationExpired) => node.evaluation_left,
        Some(Compliance::OutOfCompliance { .. } | Compliance::InvalidTag) => tag.tolerated(),
    };
    if allow { Policy::Allow } else { Policy::Block }
}

/// Licenses that bound a service in this standing; none: unlimited.
///
/// `granted` is what the last verdict granted, `authorized` what was last authorized, granted or not.
pub fn ceiling(
    compliance: Option<Compliance>,
    policy: Policy,
    granted: Option<LicenseCount>,
    authorized: LicenseCount,
) -> Option<LicenseCount> {
    match (compliance?, policy) {
        (
            Compliance::Evaluation
            | Compliance::EvaluationExpired
            | Compliance::AuthorizationExpired,
            _,
        ) => Some(LicenseCount(1)),
        (Compliance::Waiting, _) => Some(LicenseCount(authorized.0.saturating_add(1))),
        (Compliance::Authorized, _) => granted,
        (Compliance::OutOfCompliance { .. } | Compliance::InvalidTag, Policy::Allow) => None,
        (Compliance::OutOfCompliance { .. } | Compliance::InvalidTag, Policy::Block) => granted,
    }
}

/// All that the terms of a service follow from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    /// Smart licensing was enabled at least once; otherwise nothing is refused.
    pub enforced: bool,
    /// The service's own policy.
    pub policy: Policy,
    /// Sessions it may hold; none: unlimited.
    pub ceiling: Option<u32>,
    /// The last finite ceiling, in sessions.
    pub last_ceiling: Option<u32>,
    /// Licenses last reported.
    pub reported: Option<LicenseCount>,
    /// Sessions that one license covers.
    pub sessions_per_license: NonZeroU32,
    /// How far priority calls may go over, in percent, at most 5.
    pub priority_percent: u8,
    /// The first blocked feature that refuses every new call of the service (tie = service).
    pub blocked_by: Option<FeatureIndex>,
    /// Blocked features that refuse the calls that bring them (tie = call).
    pub blocked_features: FeatureSet,
    /// Features that as many priority calls of the service bring as the share has.
    pub shared_out: FeatureSet,
    /// The block that is tried out on every new call, the service's own or a feature's.
    pub eased: Option<Eased>,
    /// Features whose block is tried out on the calls that bring them.
    pub eased_features: Shares,
}

/// Most that `priority_percent` may be (rule L8).
pub const PRIORITY_PERCENT_MAX: u8 = 5;

impl Order {
    /// Sessions that the priority share is reckoned from: the last finite ceiling, else the licenses last reported, at
    /// least one license.
    pub fn base(&self) -> u32 {
        let reported = self.reported.unwrap_or_default();
        let one = LicenseCount(1).sessions(self.sessions_per_license).0;
        self.ceiling
            .or(self.last_ceiling)
            .unwrap_or(reported.sessions(self.sessions_per_license).0)
            .max(one)
    }

    /// Sessions above ceiling or block that priority calls may take, rounded down (rule L8).
    pub fn priority_share(&self) -> u32 {
        let percent = u64::from(self.priority_percent.min(PRIORITY_PERCENT_MAX));
        // A twentieth of a u32 at the most.
        u32::try_from(u64::from(self.base()) * percent / 100).unwrap_or(u32::MAX)
    }

    /// The terms for the gate.
    pub fn terms(&self) -> Terms {
        if !self.enforced {
            return Terms::default();
        }
        let block = match self.policy {
            Policy::Block => Some(Block::Service),
            Policy::Allow => self.blocked_by.map(Block::Feature),
        };
        let ceiling = self.ceiling.or(block.map(|_| self.base()));
        // Below a ceiling the ledger bounds them; where there is none, their own number does.
        let barred = self.blocked_features.intersection(self.shared_out);
        Terms {
            ceiling,
            priority_share: self.priority_share(),
            block,
            blocked_features: self.blocked_features,
            barred_features: ceiling.map_or(barred, |_| FeatureSet::EMPTY),
            eased: self.eased,
            eased_features: self.eased_features,
        }
    }
}

#[cfg(test)]
mod tests;
