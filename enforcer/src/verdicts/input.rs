//! All that the slow half takes in, and all that it asks for: one closed enum each.

use licensing::record::Record;
use licensing::{
    Entitlement, Event, FeatureIndex, LicenseCount, ServiceIndex, TagOrder, TagRef, Threshold,
};
use serde::{Deserialize, Serialize};

use super::standing::Answer;
use crate::counts::{Counts, LedgerBounds, WorkerRecount};
use crate::ring::RefusalSeen;
use crate::terms::Terms;

/// What happened, as the machine is told it. With their times, a journal of these replays the machine.
///
/// A service, feature or worker that the configuration doesn't have changes nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "input", content = "of")]
pub enum Input {
    /// Time passed.
    Timeout,
    /// `license smart enable`, or its `no` form (rule L2).
    SmartLicensing {
        /// Which of them.
        enable: bool,
    },
    /// `feature <name> enable`, or its `no` form; it holds against the configuration file (rule L12).
    Feature {
        /// The feature.
        feature: FeatureIndex,
        /// Which of them.
        enabled: bool,
    },
    /// The license clock runs at another speed from here on; changes nothing on a node not marked `[lab]`.
    LabSpeedup {
        /// License seconds a second, at least 1.
        speedup: u32,
    },
    /// `threshold license remaining-sessions`, or its `no` form: where the alarm on few sessions left begins and ends; none:
    /// there is no such alarm.
    RemainingThreshold(Option<Threshold>),
    /// A sample of the gate (rule L13).
    Counts(Counts),
    /// The terms of a service took effect.
    Sealed {
        /// The service.
        service: ServiceIndex,
        /// How long the seal of all workers took, in microseconds.
        took_us: u64,
    },
    /// Refusals off the ring, oldest first (rule L17).
    Refusals(Vec<RefusalSeen>),
    /// So many more gave way on the ring before they were seen.
    RefusalsLost(u64),
    /// So many calls without an authenticated subscriber came to ordinary access points.
    UnidentifiedCalls(u64),
    /// A worker finished a pass over its session table (rule L14).
    Recounted(WorkerRecount),
    /// The ledgers were compared with the classes' counters (rule L14).
    ///
    /// A recount is finished when every worker's pass and one of these have come.
    LedgerChecked(Vec<LedgerBounds>),
    /// The authority registered the node, or renewed its registration (rule L11).
    Registered,
    /// A registration or its renewal failed: nothing changes (rule L10).
    RegistrationFailed,
    /// The node deregistered (rule L11).
    Deregistered,
    /// The authority answered for a tag (rules L4 to L6).
    Verdict {
        /// The tag.
        tag: TagRef,
        /// What it said.
        answer: Answer,
        /// What it granted; none: no grant, so no ceiling.
        granted: Option<Entitlement>,
        /// License time until the end of what it granted, in milliseconds; none: it has no end.
        #[serde(default)]
        lasts_ms: Option<u64>,
    },
    /// What is ordered about a tag from here on, in place of what was (rule L2).
    Order {
        /// The tag.
        tag: TagRef,
        /// What holds.
        order: TagOrder,
    },
    /// The node reported a tag's licenses to its agent (rule L15).
    Reported {
        /// The tag.
        tag: TagRef,
        /// Licenses reported.
        licenses: LicenseCount,
        /// The agent took the report.
        ok: bool,
    },
    /// The agent gave the authority up for now.
    AuthorityUnreachable,
    /// An authentic answer of the authority arrived.
    AuthorityReached,
    /// A root by which the authority is known is about to expire or has, or none is.
    AuthorityCertificate {
        /// Which of them.
        expiring: bool,
    },
    /// The last write of the state succeeded, or not.
    StateWritten(bool),
    /// The state on disk is older than another trace of it, or was altered.
    StateTampered,
    /// The control thread has not worked for longer than it should, or works again.
    ControlStalled(bool),
    /// The Smart Agent's thread has not worked for longer than it should, or works again.
    AgentStalled(bool),
    /// The thread of SNMP has not worked for longer than it should, or works again.
    SnmpStalled(bool),
    /// Bulk statistics have other troubles than before, or none.
    Bulkstats(BulkstatsTroubles),
    /// Everything worth keeping is to be asked for now: the process ends.
    Save,
}

/// What troubles bulk statistics now; each is an alarm.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BulkstatsTroubles {
    /// Their thread has not worked for longer than it should.
    pub stalled: bool,
    /// No receiver of a file takes it.
    pub undelivered: bool,
    /// A receiver shows another host key than the configured one, or a certificate that is not to be believed.
    pub host_key: bool,
    /// Files are dropped for want of room.
    pub discarding: bool,
    /// Samples can't be written.
    pub not_written: bool,
}

/// What the machine asks its shell to do, in this order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "output", content = "of")]
pub enum Output {
    /// Put these terms into the gate, and say when it is done: [`Input::Sealed`].
    Terms {
        /// The service.
        service: ServiceIndex,
        /// Its terms.
        terms: Terms,
    },
    /// Keep this; a clock record durably, before anything that follows it.
    Persist(Record),
    /// Tell every surface.
    Event(Event),
}
