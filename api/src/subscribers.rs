//! `show subscribers` and `show license why`: kinds of sessions, and one subscriber.

use std::net::IpAddr;

use licensing::{RefusalReason, ServiceIndex, Wall};
use serde::{Deserialize, Serialize};

/// The interface that a session's signalling comes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Interface {
    /// Gn or Gp, from an SGSN.
    Gn,
    /// S11, from an MME.
    S11,
    /// S5 or S8, from an SGW.
    S5,
    /// S2a, from a trusted WLAN's gateway.
    S2a,
    /// S2b, from an ePDG.
    S2b,
}

/// The addresses of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Addresses {
    /// None of this node's: an SGW's session has its PGW's.
    Elsewhere,
    /// One of IPv4.
    Ipv4,
    /// A prefix of IPv6.
    Ipv6,
    /// Both.
    Ipv4v6,
}

/// Sessions of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KindSessions {
    /// The interface that they come by.
    pub interface: Interface,
    /// The addresses that they have.
    pub addresses: Addresses,
    /// Sessions now.
    pub sessions: u64,
}

/// One subscriber; what clients of the admission API count here has none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubscriberView {
    /// The IMSI that was asked for.
    pub imsi: String,
    /// Its lot, 0 to 99: a block that is tried out on a share of the subscribers refuses those whose lot is below the
    /// percentage. None: a node of an older version does not say.
    #[serde(default)]
    pub lot: Option<u8>,
    /// Its sessions now.
    pub sessions: Vec<SubscriberSession>,
    /// Of the last minute, the last refusal by each service, newest first.
    pub refused: Vec<SubscriberRefusal>,
}

/// A session of a subscriber.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubscriberSession {
    /// Its access point name.
    pub apn: String,
    /// The service that counts it.
    pub service: ServiceIndex,
    /// It is an emergency session, which takes no license.
    pub emergency: bool,
    /// The interface that it comes by.
    pub interface: Interface,
    /// The peer that it was made by or has moved to; none: it went just now.
    pub peer: Option<IpAddr>,
    /// NSAPI or EPS bearer identity of its first context.
    pub number: u8,
    /// Contexts beyond that one.
    pub secondary_contexts: u32,
    /// Its addresses of this node's pools.
    pub addresses: Vec<IpAddr>,
    /// The worker that has it.
    pub worker: u16,
}

/// A refused call of a subscriber.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubscriberRefusal {
    /// When.
    pub at: Wall,
    /// The service.
    pub service: ServiceIndex,
    /// Why.
    pub reason: RefusalReason,
    /// The access point name that was asked for.
    pub apn: String,
    /// The cause that the peer was sent.
    pub cause: u8,
}
