//! What a plane has counted since it began.

use std::collections::BTreeMap;

use gtp::{v1, v2};
use licensing::ServiceIndex;
use licensing::snapshot::RefusedCounts;
use serde::{Deserialize, Serialize};

use crate::session::Access;

/// Counters of one worker; the node sums them up. As much whatever it serves: there is nothing of a peer or session in here,
/// so that whoever asks each second holds no call up. Of peers see [`crate::SessionPlane::peers`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statistics {
    /// Sessions now.
    pub sessions: u32,
    /// PDP contexts and bearers now, of all sessions.
    pub contexts: u32,
    /// Peers with sessions now.
    pub peers: u32,
    /// Sessions now, by service; emergency calls are in here too.
    pub sessions_by_service: BTreeMap<ServiceIndex, u32>,
    /// Emergency calls now, by service.
    pub emergency_by_service: BTreeMap<ServiceIndex, u32>,
    /// Sessions now, by place of the access point name in the configuration.
    pub sessions_by_apn: Vec<u32>,
    /// Sessions now, by access and addresses.
    pub sessions_by_type: Vec<TypeCount>,
    /// Datagrams taken, whatever was in them.
    pub datagrams: u64,
    /// Messages of GTPv1 received, by type (TS 29.060 table 1).
    pub received: BTreeMap<u8, u64>,
    /// Messages of GTPv1 sent, by type.
    pub sent: BTreeMap<u8, u64>,
    /// Answers by GTPv1, by the request's type and the cause.
    pub causes: Vec<CauseCount>,
    /// Messages of GTPv2 received, by type (TS 29.274 table 6.1-1).
    pub received_v2: BTreeMap<u8, u64>,
    /// Messages of GTPv2 sent, by type.
    pub sent_v2: BTreeMap<u8, u64>,
    /// Answers by GTPv2, by the request's type and the cause.
    pub causes_v2: Vec<CauseCount>,
    /// Answers to our own requests by GTPv1, by the request's type and the cause.
    pub heard: Vec<CauseCount>,
    /// Answers to our own requests by GTPv2, likewise.
    pub heard_v2: Vec<CauseCount>,
    /// Datagrams dropped without an answer, by reason.
    pub drops: BTreeMap<DropReason, u64>,
    /// Requests answered from the cache.
    pub retransmissions: u64,
    /// Sessions made; one that replaces another counts as well.
    pub sessions_created: u64,
    /// Sessions that went over to another access.
    pub handed_over: u64,
    /// Sessions ended, by what ended them.
    pub sessions_ended: BTreeMap<Ended, u64>,
    /// Further contexts made.
    pub contexts_created: u64,
    /// New calls refused for a license.
    pub refused: u64,
    /// Distinct subscribers among them; a retry within a minute is the same one.
    pub refused_subscribers: u64,
    /// The same calls, by place of the access point name in the configuration; a subscriber is counted where first refused.
    pub refused_by_apn: Vec<RefusedCounts>,
    /// Requests refused by overload control, with a cause.
    pub overload_refused: u64,
    /// Restarts of peers that this worker was told of.
    pub peer_restarts: u64,
    /// Those of them that were more than a peer may have within a minute, and so ended its sessions later.
    pub restless_restarts: u64,
    /// Restart counters older than the one known, discarded.
    pub outdated_recoveries: u64,
    /// Paths found down.
    pub paths_down: u64,
    /// Requests of our own sent again for want of an answer.
    pub requests_repeated: u64,
    /// Requests of our own given up without an answer.
    pub requests_unanswered: u64,
    /// Requests of our own not sent for want of room among those that wait for an answer.
    pub requests_unsent: u64,
    /// Passes of the recount that have ended (rule L14).
    pub recounts: u64,
}

/// Answers of one kind with one cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CauseCount {
    /// Message type of the request.
    pub request: u8,
    /// The cause.
    pub cause: u8,
    /// How many.
    pub count: u64,
}

/// Sessions of one access with such addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TypeCount {
    /// The interface that their signalling comes by.
    pub access: Access,
    /// The addresses that they have.
    pub addresses: AddressType,
    /// How many.
    pub sessions: u32,
}

/// The addresses of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AddressType {
    /// None of this node's pools: an SGW's session has its PGW's.
    Elsewhere,
    /// One of IPv4.
    Ipv4,
    /// A prefix of IPv6.
    Ipv6,
    /// Both.
    Ipv4v6,
}

impl AddressType {
    /// All of them, in their order.
    pub const ALL: [Self; 4] = [Self::Elsewhere, Self::Ipv4, Self::Ipv6, Self::Ipv4v6];
}

/// Why a datagram got no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DropReason {
    /// Too short for a header (TS 29.060 11.1.2).
    TooShort,
    /// Longer than any message.
    TooLong,
    /// The length field and the datagram disagree, and no request can be made out.
    Length,
    /// Protocol type 0: GTP', the charging protocol.
    NotGtp,
    /// An extension header that does not fit, or too many of them.
    Extension,
    /// No sequence number, so that no answer would be understood.
    NoSequence,
    /// A type that no table has (11.1.3).
    UnknownMessage,
    /// A message that a GGSN or PGW does not serve here (11.1.4).
    UnexpectedMessage,
    /// An answer that nobody waits for.
    UnexpectedResponse,
    /// An answer without what it must carry, or malformed.
    MalformedResponse,
    /// Version Not Supported, which is never answered.
    VersionNotSupported,
    /// A message that came behind another in one datagram; the first one is served (TS 29.274 5.5.1).
    Piggybacked,
    /// From a peer that may not send this.
    NotAllowed,
    /// More than the rates of overload control let through, and than are refused with a cause.
    Overload,
    /// No room among the datagrams to be sent.
    NoRoomToSend,
    /// No room among the requests of our own: a peer was not told of the end of a session.
    NoRoomToAsk,
}

/// What ended a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ended {
    /// Delete PDP Context Request, Delete Session Request.
    Deleted,
    /// Another one with the same subscriber and NSAPI, or bearer, took its place, or it went over to another access.
    Replaced,
    /// An operator cleared it.
    Cleared,
    /// An emergency call of which nothing was heard for too long.
    Inactive,
    /// Its PGW refused it, or did not answer; or an MME prepared a hand-over that did not come.
    NotMade,
    /// Its peer or its PGW restarted, or the path to it failed.
    PeerLost,
    /// The plane itself was stopped.
    Stopped,
}

/// The counters while they run.
#[derive(Debug)]
pub(crate) struct Counters {
    pub plain: Statistics,
    pub v1: Traffic,
    pub v2: Traffic,
}

/// The messages of one GTP version.
#[derive(Debug)]
pub(crate) struct Traffic {
    received: Box<[u64; 256]>,
    sent: Box<[u64; 256]>,
    /// Answers that we gave.
    answered: Causes,
    /// Answers that we got.
    heard: Causes,
}

/// Answers, by their causes.
#[derive(Debug)]
struct Causes {
    /// Requests whose answers have a cause.
    requests: Vec<u8>,
    /// Of each of those, by cause.
    counts: Vec<[u64; 256]>,
}

impl Counters {
    pub(crate) fn new(apns: usize) -> Self {
        Self {
            plain: Statistics {
                refused_by_apn: vec![RefusedCounts::default(); apns],
                ..Statistics::default()
            },
            v1: Traffic::new(&ANSWERED.map(|kind| kind.0), &ASKED.map(|kind| kind.0)),
            v2: Traffic::new(
                &ANSWERED_V2.map(|kind| kind.0),
                &ASKED_V2.map(|kind| kind.0),
            ),
        }
    }

    pub(crate) fn dropped(&mut self, why: DropReason) {
        *self.plain.drops.entry(why).or_default() += 1;
    }

    pub(crate) fn ended(&mut self, how: Ended) {
        *self.plain.sessions_ended.entry(how).or_default() += 1;
    }

    /// All of them; what only the table knows is left at its default.
    pub(crate) fn statistics(&self) -> Statistics {
        Statistics {
            received: by_type(&self.v1.received),
            sent: by_type(&self.v1.sent),
            causes: self.v1.answered.by_cause(),
            heard: self.v1.heard.by_cause(),
            received_v2: by_type(&self.v2.received),
            sent_v2: by_type(&self.v2.sent),
            causes_v2: self.v2.answered.by_cause(),
            heard_v2: self.v2.heard.by_cause(),
            ..self.plain.clone()
        }
    }
}

impl Traffic {
    fn new(answered: &[u8], heard: &[u8]) -> Self {
        Self {
            received: Box::new([0; 256]),
            sent: Box::new([0; 256]),
            answered: Causes::new(answered),
            heard: Causes::new(heard),
        }
    }

    pub(crate) fn received(&mut self, kind: u8) {
        self.received[usize::from(kind)] += 1;
    }

    pub(crate) fn sent(&mut self, kind: u8) {
        self.sent[usize::from(kind)] += 1;
    }

    /// We answered a request.
    pub(crate) fn answered(&mut self, request: u8, cause: u8) {
        self.answered.count(request, cause);
    }

    /// A request of ours was answered.
    pub(crate) fn heard(&mut self, request: u8, cause: u8) {
        self.heard.count(request, cause);
    }
}

impl Causes {
    fn new(requests: &[u8]) -> Self {
        Self {
            requests: requests.to_vec(),
            counts: vec![[0; 256]; requests.len()],
        }
    }

    fn count(&mut self, request: u8, cause: u8) {
        if let Some(row) = self.requests.iter().position(|kind| *kind == request) {
            self.counts[row][usize::from(cause)] += 1;
        }
    }

    fn by_cause(&self) -> Vec<CauseCount> {
        let rows = self.requests.iter().zip(&self.counts);
        let counts = rows.flat_map(|(request, row)| {
            (0..=u8::MAX).zip(row).map(|(cause, &count)| CauseCount {
                request: *request,
                cause,
                count,
            })
        });
        counts.filter(|cell| cell.count > 0).collect()
    }
}

/// Requests by GTPv1 whose answers have a cause.
const ANSWERED: [v1::MessageType; 3] = [
    v1::MessageType::CREATE_PDP_CONTEXT_REQUEST,
    v1::MessageType::UPDATE_PDP_CONTEXT_REQUEST,
    v1::MessageType::DELETE_PDP_CONTEXT_REQUEST,
];

/// Requests by GTPv2 whose answers have a cause.
pub(crate) const ANSWERED_V2: [v2::MessageType; 15] = [
    v2::MessageType::CREATE_SESSION_REQUEST,
    v2::MessageType::MODIFY_BEARER_REQUEST,
    v2::MessageType::DELETE_SESSION_REQUEST,
    v2::MessageType::RELEASE_ACCESS_BEARERS_REQUEST,
    v2::MessageType::CHANGE_NOTIFICATION_REQUEST,
    v2::MessageType::SUSPEND_NOTIFICATION,
    v2::MessageType::RESUME_NOTIFICATION,
    v2::MessageType::MODIFY_BEARER_COMMAND,
    v2::MessageType::DELETE_BEARER_COMMAND,
    v2::MessageType::BEARER_RESOURCE_COMMAND,
    v2::MessageType::CREATE_INDIRECT_DATA_FORWARDING_TUNNEL_REQUEST,
    v2::MessageType::DELETE_INDIRECT_DATA_FORWARDING_TUNNEL_REQUEST,
    v2::MessageType::CREATE_BEARER_REQUEST,
    v2::MessageType::UPDATE_BEARER_REQUEST,
    v2::MessageType::DELETE_BEARER_REQUEST,
];

/// Requests of our own by GTPv1.
const ASKED: [v1::MessageType; 1] = [v1::MessageType::DELETE_PDP_CONTEXT_REQUEST];

/// Requests of our own by GTPv2.
const ASKED_V2: [v2::MessageType; 4] = [
    v2::MessageType::CREATE_SESSION_REQUEST,
    v2::MessageType::MODIFY_BEARER_REQUEST,
    v2::MessageType::DELETE_SESSION_REQUEST,
    v2::MessageType::DELETE_BEARER_REQUEST,
];

fn by_type(counts: &[u64; 256]) -> BTreeMap<u8, u64> {
    let all = (0..=u8::MAX).zip(counts.iter().copied());
    all.filter(|(_, count)| *count > 0).collect()
}
