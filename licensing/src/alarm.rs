//! Alarms: conditions outstanding from raise to clear (rule L16).

use serde::{Deserialize, Serialize};

use crate::tag::{FeatureIndex, ServiceIndex};
use crate::time::Wall;

/// Number of one alarm, from raise to clear; never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AlarmId(pub u64);

/// What the condition is, and of which tag; at most one alarm is outstanding for each value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "is")]
pub enum AlarmKind {
    /// A service is out of compliance, or its tag invalid (1349, 1350).
    ServiceOutOfCompliance {
        /// The service.
        service: ServiceIndex,
    },
    /// A feature is out of compliance, or its tag invalid (1401, 1402).
    FeatureOutOfCompliance {
        /// The feature.
        feature: FeatureIndex,
    },
    /// The node runs in evaluation (1351, 1352).
    EvaluationMode,
    /// The evaluation period is used up (1353, 1354).
    EvaluationExpired,
    /// The authority can't be reached (1355, 1356).
    AuthorityUnreachable,
    /// Nothing heard from the authority for 90 days.
    AuthorizationExpired,
    /// A service is at its ceiling: new calls are refused though its policy is Allow (65, 94).
    AtLimit {
        /// The service.
        service: ServiceIndex,
    },
    /// Grace of a feature or service has ended and its rule is Block.
    GraceExpired {
        /// The service, if it is one.
        service: Option<ServiceIndex>,
        /// The feature, if it is one.
        feature: Option<FeatureIndex>,
    },
    /// The evaluation of a service or feature that was in use has ended, so that it is blocked. It stands until the end
    /// of that, also when nothing is in use any more.
    EvaluationEnded {
        /// The service, if it is one.
        service: Option<ServiceIndex>,
        /// The feature, if it is one.
        feature: Option<FeatureIndex>,
    },
    /// A service or feature would be blocked, and an order that warns of it lets its calls through (rule L2).
    BlockNotApplied {
        /// The service, if it is one.
        service: Option<ServiceIndex>,
        /// The feature, if it is one.
        feature: Option<FeatureIndex>,
    },
    /// Few of the sessions that a service is licensed for are left (204, 205).
    RemainingLow {
        /// The service.
        service: ServiceIndex,
    },
    /// Much of what a service is licensed for is in use (81, 82).
    LicenseCongestion {
        /// The service.
        service: ServiceIndex,
    },
    /// A root by which the authority is known is about to expire, or has.
    AuthorityCertificateExpiring,
    /// A recount of the session table differs from the counters (rule L14).
    CountDrift {
        /// The service, if it is one.
        service: Option<ServiceIndex>,
        /// The feature, if it is one.
        feature: Option<FeatureIndex>,
    },
    /// All copies of the license clock are lost, or the registration is: a recovery period of 7 days runs unless more is
    /// left of the evaluation.
    StateLost,
    /// The state on disk is older than another trace of it, or was altered.
    StateTampered,
    /// The state can't be written.
    StateNotWritten,
    /// The wall clock jumped by more than 24 hours.
    ClockTampered,
    /// The control thread has not worked for longer than it should.
    ControlStalled,
    /// The Smart Agent does not work: nothing is asked of the authority, and nothing reported.
    AgentStalled,
    /// The thread of SNMP does not work: no manager is told anything, or answered.
    SnmpStalled,
    /// The thread of bulk statistics does not work: no sample is taken, and nothing is transferred.
    BulkstatsStalled,
    /// No receiver of a file of bulk statistics takes it; files wait.
    BulkstatsUndelivered,
    /// A receiver of bulk statistics showed another host key than the configured one, or a certificate that is not to be
    /// believed; it was told nothing.
    BulkstatsHostKey,
    /// More bulk statistics wait than may, and the oldest files are dropped.
    BulkstatsDiscarding,
    /// Samples of bulk statistics can't be written.
    BulkstatsNotWritten,
    /// Calls without an authenticated subscriber, as emergency calls may be, came to ordinary access points; they are
    /// refused there. Over when none has come for ten minutes.
    UnidentifiedCalls,
    /// Emergency sessions are many beside the others: at least 100, and at least half as many. Over when they are fewer than
    /// half of that.
    EmergencyShare,
}

/// Where the alarms on how much of a ceiling is in use begin and end; none: that alarm is never raised.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Thresholds {
    /// Of a service's ceiling, what is left: `raise_percent` or less raises, more than `clear_percent` clears.
    pub remaining: Option<Threshold>,
    /// Of a service's ceiling, what is in use: `raise_percent` or more raises, `clear_percent` or less clears.
    pub congestion: Option<Threshold>,
}

/// One threshold with its hysteresis.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Threshold {
    /// Where the alarm is raised, in percent.
    pub raise_percent: u8,
    /// Where it is cleared, in percent.
    pub clear_percent: u8,
}

/// One outstanding alarm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alarm {
    /// Its number.
    pub id: AlarmId,
    /// What it says.
    pub kind: AlarmKind,
    /// When it was raised.
    pub raised: Wall,
    /// When it was last said again; none: not since it was raised.
    pub repeated: Option<Wall>,
    /// The figure that goes with it when raised or last repeated: licenses in use for out of compliance, seconds left
    /// for evaluation, sessions for the limit, percent left or in use for the thresholds, the difference for drift,
    /// emergency sessions for their share, calls so far for those without an authenticated subscriber; zero where there is none.
    pub value: i64,
}
