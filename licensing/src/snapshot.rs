//! The snapshot: one immutable view of the node that every surface (CLI, MIB, bulk statistics, reports) is a function of.
//!
//! A field without a source yet is absent (`None`), not zero.

use serde::{Deserialize, Serialize};

use crate::alarm::{Alarm, Thresholds};
use crate::catalog::{OocRule, Tie};
use crate::compliance::{Compliance, Entitlement, Mode, Policy};
use crate::count::{LicenseCount, SessionCount};
use crate::order::Shadow;
use crate::refusal::RefusalReason;
use crate::tag::{FeatureIndex, FeatureSet, ServiceIndex, Tag, TagId};
use crate::time::{Now, Wall};

/// The node at one instant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Rises with everything that the license machine takes in; two snapshots of one number show the same state.
    pub seq: u64,
    /// When it was taken.
    pub at: Now,
    /// Who the node is.
    pub node: NodeIdentity,
    /// Present on a node marked `[lab]` (rule L2).
    pub lab: Option<Lab>,
    /// Smart licensing as a whole.
    pub smart: SmartLicensing,
    /// The evaluation clock.
    pub evaluation: Evaluation,
    /// The recovery clock, after all copies of the license clock were lost.
    pub recovery: Option<Recovery>,
    /// License time since the authority was last heard, in seconds; none: never registered.
    pub authority_silent_s: Option<u64>,
    /// One entry a service of the catalog, in its order.
    pub services: Vec<ServiceStatus>,
    /// One entry a feature of the catalog, in its order.
    pub features: Vec<FeatureStatus>,
    /// Emergency calls, counted apart (rule L8).
    pub emergency: EmergencyCounts,
    /// Calls without an authenticated subscriber that came to ordinary access points, since the process began.
    pub unidentified_calls: u64,
    /// Outstanding alarms, oldest first.
    pub alarms: Vec<Alarm>,
    /// Where the alarms on how much of a ceiling is in use begin and end.
    #[serde(default)]
    pub thresholds: Thresholds,
    /// The last finished recount of the session table (rule L14).
    pub recount: Option<Recount>,
    /// Refusals that the history never saw, because more came at once than the ring between the threads holds.
    pub refusals_lost: u64,
}

/// Who the node is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeIdentity {
    /// Host name, as in the prompt.
    pub name: String,
    /// Product identifier of the UDI.
    pub pid: String,
    /// Serial number of the UDI.
    pub serial: String,
    /// Name of the product tag in use.
    pub product: String,
    /// The product tag.
    pub product_tag: Tag,
    /// Version of the software.
    pub version: String,
    /// Where its catalog is from.
    #[serde(default)]
    pub catalog: CatalogOrigin,
}

/// Where a catalog is from (rule L1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CatalogOrigin {
    /// It is part of the software.
    #[default]
    Embedded,
    /// It is a file's, and unsigned: on a lab node only.
    File,
    /// The license authority ordered it, and signed it.
    Ordered,
}

/// What makes a node a lab node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lab {
    /// License seconds a second.
    pub speedup: u32,
    /// A catalog other than the embedded one is in use, unsigned.
    pub unsigned_catalog: bool,
}

/// Smart licensing as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SmartLicensing {
    /// `license smart enable` is in force.
    pub enabled: bool,
    /// It was enabled at least once: verdicts are enforced.
    pub ever_enabled: bool,
    /// The mode.
    pub mode: Mode,
    /// Times it was enabled.
    pub total_enabled: u32,
    /// Times it was disabled.
    pub total_disabled: u32,
}

/// The evaluation clock (rule L3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evaluation {
    /// Length of the period, in seconds of license time.
    pub total_s: u64,
    /// Used, in seconds; the charge on disk is up to a minute ahead.
    pub used_s: u64,
    /// Left, in seconds.
    pub remaining_s: u64,
    /// The clock runs now: some tag is in use and the node is not registered.
    pub running: bool,
    /// Nothing is left.
    pub expired: bool,
}

/// The recovery clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recovery {
    /// Left, in seconds of license time.
    pub remaining_s: u64,
}

/// What an operator sees of a service or feature at a glance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum State {
    /// New calls are let through.
    #[serde(rename = "ALLOW")]
    Allow,
    /// The policy is Allow, and the service holds as many sessions as its ceiling lets it.
    #[serde(rename = "ALLOW-AT-LIMIT")]
    AllowAtLimit,
    /// New calls are refused.
    #[serde(rename = "BLOCK")]
    Block,
}

/// What services and features have in common.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TagStatus {
    /// Small number of the tag.
    pub tag_id: TagId,
    /// Short name: PGW, GRE, ...
    pub name: String,
    /// The tag.
    pub tag: Tag,
    /// What it licenses.
    pub description: String,
    /// A session holds it or a feature is enabled.
    pub in_use: bool,
    /// Its standing; none: not in use, or smart licensing never enabled.
    pub compliance: Option<Compliance>,
    /// The policy.
    pub policy: Policy,
    /// The policy, and the limit.
    pub state: State,
    /// Since when `state` holds.
    pub since: Wall,
    /// The rule once out of compliance (rule L5).
    pub rule: OocRule,
    /// Grace left, in seconds of license time; none: no episode is on, or its rule has no grace.
    pub grace_left_s: Option<u64>,
    /// What was granted; none: no grant.
    pub entitlement: Option<Entitlement>,
    /// Licenses that the use takes now.
    pub licenses: LicenseCount,
    /// Statistics in evaluation mode (rule L15).
    pub evaluation: ModeStatistics,
    /// Statistics in registered mode.
    pub registered: ModeStatistics,
    /// What is ordered about its block (rule L2).
    #[serde(default)]
    pub shadow: Shadow,
    /// It would be blocked, and the order lets calls through.
    #[serde(default)]
    pub eased: bool,
    /// New calls that were let through so, since the process began.
    #[serde(default)]
    pub let_through: u64,
    /// New calls refused because of this tag.
    pub refused: RefusedCounts,
    /// Counter minus session table at the last recount; none: not yet counted.
    pub drift: Option<i64>,
    /// When the recount last found this tag's drift.
    pub proved: Option<Wall>,
}

/// One service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ServiceStatus {
    /// Place in the catalog.
    pub service: ServiceIndex,
    /// What it has in common with features.
    #[serde(flatten)]
    pub tag: TagStatus,
    /// Sessions that hold a permit.
    pub sessions: SessionCount,
    /// Of these, admitted as priority calls.
    pub priority_sessions: SessionCount,
    /// Calls that were given a permit since the process began, emergency calls apart.
    #[serde(default)]
    pub admitted: u64,
    /// Highest count since the process began.
    pub peak: SessionCount,
    /// When that was seen; none: there was no session yet.
    pub peak_at: Option<Wall>,
    /// Sessions that one license covers.
    pub sessions_per_license: u32,
    /// Sessions that it may hold; none: unlimited.
    pub ceiling: Option<SessionCount>,
    /// The feature whose block refuses this service's new calls, if one does (rule L12).
    pub blocked_by: Option<FeatureIndex>,
}

/// One feature.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FeatureStatus {
    /// Place in the catalog.
    pub feature: FeatureIndex,
    /// What it has in common with services.
    #[serde(flatten)]
    pub tag: TagStatus,
    /// Enabled in the node's configuration.
    pub enabled: bool,
    /// Calls that use it.
    pub sessions: SessionCount,
    /// Services it is tied to.
    pub services: Vec<ServiceIndex>,
    /// How it is tied.
    pub tie: Tie,
}

/// The columns of `show license statistics` for one tag and mode (rule L15).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModeStatistics {
    /// The policy when the row was last live; none: the mode was never in force.
    pub policy: Option<Policy>,
    /// CurCallCnt: sessions now; 0 once the mode is left.
    pub cur_call_count: u32,
    /// MaxCallCnt: most sessions in this mode.
    pub max_call_count: u32,
    /// LastLicCnt: licenses last reported; none: nothing was reported yet.
    pub last_lic_count: Option<u32>,
    /// MaxLicCnt: most licenses reported; none: nothing was reported yet.
    pub max_lic_count: Option<u32>,
    /// ReportSucc: reports of the node that its agent took; none: no agent.
    pub report_success: Option<u64>,
    /// ReportFail: reports that it did not take; none: no agent.
    pub report_failure: Option<u64>,
    /// PChgAllow: changes of the policy to Allow.
    pub policy_change_allow: u64,
    /// PChgBlock: changes of the policy to Block.
    pub policy_change_block: u64,
    /// PChgBounce: changes whose seal of all workers took over 100 ms.
    pub policy_change_bounce: u64,
}

/// New calls refused because of one tag, since the process began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedCounts {
    /// Its policy was Block.
    pub blocked: u64,
    /// At the ceiling (services only).
    pub at_ceiling: u64,
    /// Of low access priority, near the ceiling (services only).
    pub low_priority: u64,
    /// Told neither room nor ceiling: a worker stood still with credit in hand (services only).
    #[serde(default)]
    pub unsettled: u64,
    /// For a service: a feature's block refused them.
    pub by_feature: u64,
    /// Distinct subscribers refused; a retry within a minute is one.
    pub subscribers: u64,
}

/// Emergency calls (rule L8).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmergencyCounts {
    /// Now.
    pub sessions: u64,
    /// Admitted since the process began.
    pub admitted: u64,
}

/// A finished recount (rule L14).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recount {
    /// When the last worker's pass ended.
    pub at: Wall,
    /// Sessions counted in the tables.
    pub sessions: u64,
    /// Sum of the absolute differences of all counters; 0, always, or it is an alarm.
    pub drift: u64,
}

impl RefusedCounts {
    /// Counts one refusal more.
    pub fn count(&mut self, reason: RefusalReason) {
        match reason {
            RefusalReason::ServiceBlocked => self.blocked += 1,
            RefusalReason::FeatureBlocked { .. } => self.by_feature += 1,
            RefusalReason::AtCeiling => self.at_ceiling += 1,
            RefusalReason::LowPriority => self.low_priority += 1,
            RefusalReason::Unsettled => self.unsettled += 1,
        }
    }
}

/// A row of the snapshot that is a service or a feature, for surfaces that list both.
#[derive(Clone, Copy, Debug)]
pub enum TagRow<'a> {
    /// A service.
    Service(&'a ServiceStatus),
    /// A feature.
    Feature(&'a FeatureStatus),
}

impl<'a> TagRow<'a> {
    /// What both have in common.
    pub fn tag(self) -> &'a TagStatus {
        match self {
            Self::Service(service) => &service.tag,
            Self::Feature(feature) => &feature.tag,
        }
    }

    /// Sessions that use it now.
    pub fn sessions(self) -> SessionCount {
        match self {
            Self::Service(service) => service.sessions,
            Self::Feature(feature) => feature.sessions,
        }
    }
}

impl Snapshot {
    /// Services first, then features, in the catalog's order.
    pub fn rows(&self) -> impl Iterator<Item = TagRow<'_>> {
        let services = self.services.iter().map(TagRow::Service);
        services.chain(self.features.iter().map(TagRow::Feature))
    }

    /// Names of the features in a set, in the catalog's order.
    pub fn feature_names(&self, set: FeatureSet) -> impl Iterator<Item = &str> {
        let named = self
            .features
            .iter()
            .filter(move |row| set.contains(row.feature));
        named.map(|row| row.tag.name.as_str())
    }
}
