//! How the node itself is.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

/// The state of the process, told by the control API itself, so that it answers while the control thread does not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// Host name of the node.
    pub name: String,
    /// Version of the software.
    pub version: String,
    /// The node is marked `[lab]` (rule L2).
    pub lab: bool,
    /// Time since the process began, in milliseconds.
    pub uptime_ms: u64,
    /// Where GTP-C is received.
    pub gn: SocketAddr,
    /// Time since the control thread last worked, in milliseconds.
    pub control_age_ms: u64,
    /// The control thread has not worked for more than its bound: the gate goes on with the last policies and ceilings.
    pub control_stalled: bool,
    /// The control thread has ended.
    pub control_dead: bool,
    /// Time since the Smart Agent's thread last worked, in milliseconds.
    pub agent_age_ms: u64,
    /// The Smart Agent's thread has not worked for more than its bound: calls go on, and nothing is asked or reported.
    pub agent_stalled: bool,
    /// The Smart Agent's thread has failed.
    pub agent_dead: bool,
    /// Time since the thread of SNMP last worked, in milliseconds.
    pub snmp_age_ms: u64,
    /// The thread of SNMP has not worked for more than its bound: calls go on, and no notification is sent.
    pub snmp_stalled: bool,
    /// The thread of SNMP has failed.
    pub snmp_dead: bool,
    /// Time since the thread of bulk statistics last worked, in milliseconds.
    #[serde(default)]
    pub bulkstats_age_ms: u64,
    /// The thread of bulk statistics has not worked for more than its bound: calls go on, and no sample is taken.
    #[serde(default)]
    pub bulkstats_stalled: bool,
    /// The thread of bulk statistics has failed.
    #[serde(default)]
    pub bulkstats_dead: bool,
    /// State was written when last it had to be; false: it is not saved now, and calls go on.
    pub state_written: bool,
    /// The journal of what the verdicts take in.
    pub journal: JournalHealth,
    /// Bytes that the socket may hold for us, as the kernel counts them.
    pub receive_buffer_bytes: u64,
    /// Bytes that were asked for.
    pub receive_buffer_wanted_bytes: u64,
    /// Datagrams lost because a worker's queue was full.
    pub queue_drops: u64,
    /// Datagrams that the kernel lost because the socket's receive buffer was full; none: it does not say.
    pub socket_drops: Option<u64>,
    /// Answers that the socket did not take.
    pub send_failures: u64,
    /// How workers move their own credit at the gate.
    #[serde(default)]
    pub gate: GateForm,
    /// Permits dropped unreleased; 0, always, or it is a defect.
    pub permits_dropped: u64,
    /// One entry a worker.
    pub workers: Vec<WorkerHealth>,
}

/// How workers move their own credit at the gate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GateForm {
    /// By one atomic step.
    #[default]
    Atomic,
    /// By a load and a store; who takes it away from them pays.
    Asymmetric,
}

/// The journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalHealth {
    /// Is it written?
    pub state: JournalState,
    /// Bytes in its file.
    pub bytes: u64,
    /// Inputs that came after it had stopped; those that waited for the disk then are not in it either.
    pub missed: u64,
}

/// Is the journal written?
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum JournalState {
    /// It is not configured.
    Off,
    /// It is.
    Writing,
    /// It has reached its bound and stopped.
    Full,
    /// Its disk failed or was too slow, and it stopped; calls go on.
    Failed,
}

/// One worker thread.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkerHealth {
    /// Its number, from 0.
    pub worker: u16,
    /// Its thread works.
    pub alive: bool,
    /// Datagrams waiting in its queue.
    pub queued: u64,
}
