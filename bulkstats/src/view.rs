//! What the variables are functions of: one view of the node, filled by whoever runs it.

use std::net::IpAddr;
use std::sync::Arc;

use licensing::snapshot::{RefusedCounts, Snapshot, State};
use licensing::{ServiceIndex, Wall};

use crate::collector::Status;

/// The node at one instant.
#[derive(Clone, Debug)]
pub struct View {
    /// Time since the process began, in seconds.
    pub uptime_s: u64,
    /// Address by which the node is managed; none: it has no such address.
    pub address: Option<IpAddr>,
    /// Local time.
    pub zone: Zone,
    /// Licensing.
    pub node: Arc<Snapshot>,
    /// The process.
    pub process: Process,
    /// Sessions and signalling, summed over the workers.
    pub plane: Plane,
    /// The Smart Agent.
    pub agent: Agent,
    /// Bulk statistics, as they were before this view.
    pub bulkstats: Arc<Status>,
}

/// Local time, as it is at the view's instant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Zone {
    /// Its name: UTC, CET, ...
    pub name: String,
    /// Local time minus UTC, in seconds, less than a day.
    pub offset_s: i32,
}

/// How the process is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Process {
    /// Time since the control thread last worked, in milliseconds.
    pub control_age_ms: u64,
    /// State was written when last it had to be.
    pub state_written: bool,
    /// Worker threads that there should be.
    pub workers: u32,
    /// Worker threads that work.
    pub workers_alive: u32,
    /// Datagrams lost because a worker's queue was full.
    pub queue_drops: u64,
    /// Datagrams that the kernel lost; none: it does not say.
    pub socket_drops: Option<u64>,
    /// Answers that the socket did not take.
    pub send_failures: u64,
    /// Permits dropped unreleased.
    pub permits_dropped: u64,
}

/// Sessions and signalling; counters are since the process began.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plane {
    /// Sessions now, those of clients and emergency sessions included.
    pub sessions: u64,
    /// Secondary PDP contexts now.
    pub secondary_contexts: u64,
    /// Peers with sessions now.
    pub peers: u64,
    /// Sessions made, and restored by clients; one that replaces another counts as well.
    pub created: u64,
    /// Sessions ended, by what ended them.
    pub ended: Ended,
    /// New calls refused for a license, those of clients included.
    pub refused: u64,
    /// Distinct subscribers among them; a retry within a minute is the same one, each call of a client is another.
    pub refused_subscribers: u64,
    /// Datagrams taken, whatever was in them.
    pub datagrams: u64,
    /// Datagrams that got no answer.
    pub dropped: u64,
    /// Requests answered from the cache.
    pub retransmissions: u64,
    /// Requests of the node's own sent again for want of an answer.
    pub repeated: u64,
    /// Requests of the node's own given up without an answer.
    pub unanswered: u64,
    /// Restarts of peers.
    pub peer_restarts: u64,
    /// Paths found down.
    pub paths_down: u64,
    /// Datagrams of peers that may not send them.
    pub not_allowed: u64,
    /// Requests refused by overload control, with a cause.
    pub overload_refused: u64,
    /// Requests that overload control left unanswered.
    pub overload_dropped: u64,
    /// Restarts of peers beyond those that end sessions at once.
    pub restless_restarts: u64,
    /// Emergency sessions now, by service of the catalog, in its order; a service that is missing has none.
    pub emergency: Vec<u64>,
    /// One entry an access point of the configuration, in its order.
    pub apns: Vec<Apn>,
    /// One entry a message type that was received or sent.
    pub messages: Vec<Messages>,
    /// One entry a request and cause that was sent or received.
    pub causes: Vec<Causes>,
}

/// Sessions that have ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ended {
    /// By their peer or client.
    pub deleted: u64,
    /// Another one of the same subscriber took their place.
    pub replaced: u64,
    /// By an operator.
    pub cleared: u64,
    /// Emergency calls without signalling for too long.
    pub inactive: u64,
    /// Refused or not answered by their PGW, or their hand-over did not come.
    pub not_made: u64,
    /// Their peer or PGW restarted, the path to it failed, or the lease of their client ran out.
    pub peer_lost: u64,
    /// Stopped with the node.
    pub stopped: u64,
}

/// One access point.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Apn {
    /// The access point name, which there may be once for each of GGSN, PGW, SAEGW and SGW.
    pub name: String,
    /// Name of the service that counts its calls.
    pub service: String,
    /// Sessions now.
    pub sessions: u64,
    /// New calls refused for a license; a subscriber is counted where first refused.
    pub refused: RefusedCounts,
}

/// Messages of one type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Messages {
    /// Version of GTP, 1 or 2.
    pub version: u8,
    /// The type.
    pub kind: u8,
    /// Its name in the specification; none: it has none.
    pub name: Option<&'static str>,
    /// Received, retransmissions included.
    pub received: u64,
    /// Sent, retransmissions included.
    pub sent: u64,
}

/// Answers to requests of one type with one cause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Causes {
    /// Version of GTP, 1 or 2.
    pub version: u8,
    /// The request's type.
    pub request: u8,
    /// Its name in the specification; none: it has none.
    pub name: Option<&'static str>,
    /// The cause.
    pub cause: u8,
    /// Answers sent with it, retransmissions apart.
    pub answered: u64,
    /// Answers to requests of the node's own received with it.
    pub heard: u64,
}

/// The Smart Agent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Agent {
    /// Where the registration stands: unregistered, registering, registered, out-of-range, deregistering.
    pub registration: &'static str,
    /// The virtual account; none: not registered.
    pub virtual_account: Option<String>,
    /// When the registration began.
    pub registered: Option<Wall>,
    /// When it is to be renewed.
    pub renew: Option<Wall>,
    /// When the identity certificate ends.
    pub expires: Option<Wall>,
    /// When the authorization expires unless the authority is heard.
    pub deadline: Option<Wall>,
    /// Since when nothing is heard.
    pub silent_since: Option<Wall>,
    /// Number of the last usage report; 0: there is none.
    pub last_report: u64,
    /// Usage reports that the authority has not acknowledged.
    pub reports_waiting: u64,
    /// The authority sees two nodes of this identity.
    pub forked: bool,
    /// Serial number of the orders in force; 0: there are none.
    pub orders_serial: u64,
    /// Orders refused since the process began.
    pub orders_refused: u64,
    /// Answers that came late, twice, or to nothing.
    pub stale_answers: u64,
    /// Roots of the Trust Pool.
    pub roots: u64,
    /// Messages to the authority since the process began.
    pub messages: AgentMessages,
}

/// Messages to the license authority, of all types.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AgentMessages {
    /// Sent, and done.
    pub success: u64,
    /// Not sent, without an answer, or not done.
    pub failed: u64,
    /// To be sent, or on their way.
    pub queued: u64,
    /// Not sent because the configuration does not let them.
    pub dropped: u64,
    /// When one was last sent.
    pub last: Option<Wall>,
}

impl Plane {
    /// Emergency sessions of a service.
    pub(crate) fn emergency_of(&self, service: ServiceIndex) -> u64 {
        self.emergency.get(service.at()).copied().unwrap_or(0)
    }
}

/// A state as people write it.
pub(crate) fn state_name(state: State) -> &'static str {
    match state {
        State::Allow => "ALLOW",
        State::AllowAtLimit => "ALLOW-AT-LIMIT",
        State::Block => "BLOCK",
    }
}
