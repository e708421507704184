//! `show session summary`: sessions, messages and causes.

use std::net::IpAddr;

use licensing::ServiceIndex;
use serde::{Deserialize, Serialize};

use crate::subscribers::KindSessions;

/// Sessions and messages of the whole node, summed over its workers; counters are since the process began.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionSummary {
    /// Sessions now; emergency sessions and those of clients are among them.
    pub sessions: u64,
    /// Of these, emergency sessions.
    pub emergency: u64,
    /// Secondary PDP contexts now; they hold no permit of their own (rule L13).
    pub secondary_contexts: u64,
    /// One entry a service of the catalog, in its order.
    pub services: Vec<ServiceSessions>,
    /// One entry a kind of sessions of this node's own that there are.
    pub kinds: Vec<KindSessions>,
    /// One entry an APN of the configuration, in its order.
    pub apns: Vec<ApnSessions>,
    /// One entry a peer that has sessions, in the order of their addresses, at most 1,000.
    pub peers: Vec<PeerSessions>,
    /// One entry a worker.
    pub workers: Vec<WorkerSessions>,
    /// One entry a client that counts its sessions here, in the order in which their leases began.
    pub clients: Vec<ClientSessions>,
    /// One entry an address pool of the configuration, in its order.
    pub pools: Vec<PoolUse>,
    /// Sessions that have ended, one entry a reason.
    pub ended: Vec<EndCount>,
    /// One entry a message type that was received or sent, in the order of the types' numbers, GTPv1 first.
    pub messages: Vec<MessageCount>,
    /// One entry a cause that was sent or received, in the order of the causes' numbers, GTPv1 first.
    pub causes: Vec<CauseCount>,
    /// Datagrams that got no answer, one entry a reason.
    pub dropped: Vec<DropCount>,
}

/// Sessions of one service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceSessions {
    /// Place in the catalog.
    pub service: ServiceIndex,
    /// Its name there.
    pub name: String,
    /// Sessions now, emergency sessions and those of clients included.
    pub sessions: u64,
}

/// Sessions of one APN.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApnSessions {
    /// The access point name, which there may be once for each of GGSN, PGW, SAEGW and SGW.
    pub apn: String,
    /// The name of the service that counts its calls.
    pub service: String,
    /// Sessions now.
    pub sessions: u64,
}

/// Sessions of one peer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeerSessions {
    /// Its control-plane address.
    pub peer: IpAddr,
    /// Sessions now.
    pub sessions: u64,
}

/// One worker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkerSessions {
    /// Its number, from 0.
    pub worker: u16,
    /// Sessions now.
    pub sessions: u64,
    /// Datagrams that it took.
    pub datagrams: u64,
}

/// One client of the admission API.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientSessions {
    /// Its name.
    pub client: String,
    /// The services that count its sessions, by name, each once, in the order in which it named them.
    pub services: Vec<String>,
    /// Sessions that it holds.
    pub sessions: u64,
    /// Calls admitted under this lease.
    pub admitted: u64,
    /// Calls refused under this lease.
    pub refused: u64,
    /// Sessions restored under this lease.
    pub restored: u64,
    /// Time until its lease runs out, in milliseconds.
    pub lease_left_ms: u64,
}

/// One address pool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PoolUse {
    /// Its name in the configuration.
    pub pool: String,
    /// Addresses and prefixes given out now.
    pub used: u64,
    /// Addresses and prefixes that it has.
    pub size: u64,
}

/// Sessions that ended for one reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndCount {
    /// The reason, a lower-case phrase.
    pub reason: String,
    /// How many.
    pub sessions: u64,
}

/// Messages of one type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageCount {
    /// Its name in the specification, `Create PDP Context Request`; one of GTPv2 begins with `GTPv2`.
    pub message: String,
    /// Received, retransmissions included.
    pub received: u64,
    /// Sent, retransmissions included.
    pub sent: u64,
}

/// Answers with one cause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CauseCount {
    /// Its number (TS 29.060 7.7.1; of GTPv2, TS 29.274 8.4).
    pub cause: u8,
    /// Its name there, `No resources available`; one of GTPv2 begins with `GTPv2`.
    pub name: String,
    /// Answers sent with it, retransmissions apart.
    pub answers: u64,
    /// Answers to requests of the node's own received with it.
    pub heard: u64,
}

/// Datagrams dropped for one reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DropCount {
    /// The reason, a lower-case phrase.
    pub reason: String,
    /// How many.
    pub datagrams: u64,
}
