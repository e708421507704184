//! The procedures of a PGW on S5/S8, S2a and S2b and of an SGW on S11, one file each: GTPv2-C (TS 29.274). What an SGW has
//! to do with another's PGW is in [`relay`].

mod access_bearers;
mod answer;
mod create_session;
mod delete_bearer;
mod delete_session;
mod echo;
mod mandatory;
mod modify_bearer;
mod notices;
mod relay;
mod relocation;
mod urgency;

pub(crate) use relocation::Before;

use gtp::peek::peek;
use gtp::v1::Nsapi;
use gtp::v2::{
    Cause, CauseIe, EpcTimer, FTeid, HeaderError, IeSet, IeType, Message, MessageType, ValueError,
};
use licensing::Now;

use crate::cache::{Fingerprint, RequestKey};
use crate::config::{GtpVersion, PeerOptions};
use crate::output::Path;
use crate::overload::Passage;
use crate::plane::SessionPlane;
use crate::session::Access;
use crate::statistics::{ANSWERED_V2, DropReason};
use crate::steer::shard_of;
use crate::transactions::{AnswerHeader, Said};
use answer::{Answer, Bearers, Granted};
use mandatory::{
    CREATE_SESSION, CREATE_SESSION_S11, DELETE_BEARER, DELETE_SESSION, MODIFY_BEARER,
    REFUSED_BEARERS,
};
use notices::Repeated;
pub(crate) use relay::{Relay, Relays, State, Wanted};

/// A request that changes sessions.
#[derive(Clone, Copy)]
struct Request<'a> {
    kind: MessageType,
    /// None in a header without one, which no such request may have.
    teid: Option<u32>,
    sequence: u32,
    /// The shard that it was steered by, which the endpoints that it is given carry.
    shard: u8,
    path: Path,
    fingerprint: Fingerprint,
    /// Its elements as octets, and told apart.
    body: &'a [u8],
    ies: &'a IeSet<'a>,
    /// What its sender needs.
    options: PeerOptions,
    now: Now,
}

/// What a procedure has done.
struct Done {
    cause: Cause,
    granted: Option<Granted>,
    bearers: Bearers,
    removed: Bearers,
    /// Elements that another node has told, as octets.
    passed: Vec<u8>,
}

impl Done {
    fn with(cause: Cause) -> Self {
        Self {
            cause,
            granted: None,
            bearers: Bearers::default(),
            removed: Bearers::default(),
            passed: Vec::new(),
        }
    }
}

/// A request that was not accepted, and did nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Rejected {
    cause: CauseIe,
    back_off: Option<EpcTimer>,
}

impl From<CauseIe> for Rejected {
    fn from(cause: CauseIe) -> Self {
        Self {
            cause,
            back_off: None,
        }
    }
}

impl From<Cause> for Rejected {
    fn from(cause: Cause) -> Self {
        CauseIe::new(cause).into()
    }
}

impl SessionPlane {
    /// Takes a datagram in that says that it is of version 2, or of a later one.
    pub(crate) fn handle_v2(&mut self, datagram: &[u8], path: Path, now: Now) {
        let message = match Message::parse(datagram) {
            Ok(message) => message,
            Err(error) => return self.handle_fault_v2(error, datagram, path),
        };
        let header = message.header;
        self.counters.v2.received(header.kind.0);
        if message.piggybacked().is_some() {
            self.counters.dropped(DropReason::Piggybacked);
        }
        match header.kind {
            MessageType::ECHO_REQUEST if self.answers_echo(path.peer.ip(), now.mono) => {
                self.answer_echo_v2(&message, path, now.mono);
            }
            MessageType::ECHO_REQUEST => {}
            MessageType::ECHO_RESPONSE => self.take_echo_v2(&message, path, now.mono),
            kind if is_served(kind) => self.handle_request_v2(&message, datagram, path, now),
            kind if is_response(kind) => self.hear_answer_v2(&message, path, now),
            other => self.counters.dropped(unserved(other)),
        }
    }

    /// An answer to a request of ours, if it is one. It may tell a restart (TS 23.007 18).
    fn hear_answer_v2(&mut self, message: &Message<'_>, path: Path, now: Now) {
        let header = AnswerHeader {
            version: GtpVersion::V2,
            kind: message.header.kind.0,
            sequence: message.header.sequence,
            teid: message.header.teid.unwrap_or(0),
            peer: path.peer.ip().to_canonical(),
        };
        let ies = message.ie_set().ok();
        let said = ies.as_ref().and_then(|ies| {
            let cause = CauseIe::parse(ies.get(IeType::CAUSE, 0)?).ok()?;
            Some(Said { cause, ies })
        });
        let asked = self.transactions.find(header).is_some();
        self.take_answer(header, said.map(|said| said.cause.cause.0), said, now);
        if let Some(counter) = echo::recovery(message).filter(|_| asked) {
            self.hear_recovery(header.peer, counter, now.mono);
        }
    }

    /// As a request by GTPv1: the answer given before, if it is a retransmission, else a new one, which is kept.
    fn handle_request_v2(&mut self, message: &Message<'_>, datagram: &[u8], path: Path, now: Now) {
        let header = message.header;
        let key = RequestKey {
            path,
            version: GtpVersion::V2,
            kind: header.kind.0,
            sequence: header.sequence,
        };
        let fingerprint = self.cache.fingerprint(key, datagram);
        if let Some(answer) = self.cache.find(&fingerprint, now.mono) {
            self.counters.plain.retransmissions += 1;
            if let Some(response) = answer_kind(header.kind) {
                self.counters.v2.sent(response.0);
            }
            if !self.outbox.send(path, answer) {
                self.counters.dropped(DropReason::NoRoomToSend);
            }
            return;
        }
        if self.cache.is_in_progress(&fingerprint) {
            self.counters.plain.retransmissions += 1;
            return;
        }
        let (ies, cut) = IeSet::parse_prefix(message.body);
        let request = Request {
            kind: header.kind,
            teid: header.teid,
            sequence: header.sequence,
            shard: shard_of(datagram),
            path,
            fingerprint,
            body: message.body,
            ies: &ies,
            options: self.options_of(path),
            now,
        };
        let passage = self.passage_of_v2(&request);
        if passage == Passage::Drop {
            return;
        }
        let answer = match header.teid.filter(|_| cut.is_none()) {
            _ if passage == Passage::Refuse => {
                Some(self.refuse_v2(&request, Cause::GTP_C_ENTITY_CONGESTION))
            }
            None => Some(self.refuse_v2(&request, Cause::INVALID_MESSAGE_FORMAT)),
            Some(teid) => {
                self.hear_about(teid, now.mono);
                self.serve_v2(&request)
            }
        };
        let Some(mut answer) = answer else {
            return;
        };
        answer.padded = request.options.padded;
        self.counters
            .v2
            .answered(header.kind.0, answer.cause.cause.0);
        let mut octets = std::mem::take(&mut self.scratch);
        if let Ok(bytes) = answer.write(&self.config, &mut octets) {
            if passage == Passage::Pass {
                self.cache.keep(fingerprint, bytes, now.mono);
            }
            self.send_v2(path, answer.kind, bytes);
        }
        self.scratch = octets;
        self.say_farewell(now.mono);
    }

    /// An answer that does nothing but refuse.
    fn refuse_v2(&self, request: &Request<'_>, cause: Cause) -> Answer {
        let teid = self.answer_teid_v2(request);
        Answer::new(request.kind, teid, request.sequence, cause)
    }

    /// Checks what a request must carry, then does it. None: it is answered later.
    fn serve_v2(&mut self, request: &Request<'_>) -> Option<Answer> {
        // Before the session goes, if it goes.
        let mut answer = self.refuse_v2(request, Cause::REQUEST_ACCEPTED);
        answer.repeated = Repeated::of(request);
        match self.dispatch_v2(request) {
            Ok(None) => None,
            Ok(Some(done)) => Some(answer.says(Ok(done))),
            Err(rejected) => Some(answer.says(Err(rejected))),
        }
    }

    fn dispatch_v2(&mut self, request: &Request<'_>) -> Result<Option<Done>, Rejected> {
        match request.kind {
            MessageType::MODIFY_BEARER_REQUEST => {
                mandatory::check(&MODIFY_BEARER, request.ies, None)?;
                self.modify_bearer(request)
            }
            MessageType::DELETE_SESSION_REQUEST => {
                mandatory::check(&DELETE_SESSION, request.ies, None)?;
                self.delete_session(request)
            }
            MessageType::RELEASE_ACCESS_BEARERS_REQUEST => {
                self.release_access_bearers(request).map(Some)
            }
            MessageType::DELETE_BEARER_REQUEST => {
                mandatory::check(&DELETE_BEARER, request.ies, None)?;
                self.delete_bearer(request)
            }
            MessageType::CREATE_BEARER_REQUEST | MessageType::UPDATE_BEARER_REQUEST => {
                mandatory::check(&REFUSED_BEARERS, request.ies, None)?;
                self.refuse_bearers(request)
            }
            MessageType::CREATE_SESSION_REQUEST => {
                let access = request.access();
                let table = match access {
                    Some(Access::S11) => &CREATE_SESSION_S11[..],
                    Some(Access::Gn | Access::S5 | Access::S2a | Access::S2b) | None => {
                        &CREATE_SESSION[..]
                    }
                };
                mandatory::check(table, request.ies, access)?;
                self.create_session(request)
            }
            _ => self.take_notice(request).map(Some),
        }
    }

    /// Where the answer goes: the endpoint that the request tells, else the one that its session knows, else 0
    /// (TS 29.274 5.5.2).
    fn answer_teid_v2(&self, request: &Request<'_>) -> u32 {
        request.sender().map_or_else(
            || {
                if let Some(pgw_teid) = self.pgw_teid_of(request) {
                    return pgw_teid;
                }
                let ue = self.ue_named(request);
                let session = match ue.and_then(|ue| self.table.ue(ue)) {
                    Some(ue) => ue.sessions().next(),
                    None => self.session_named(request),
                };
                let endpoints = session.and_then(|session| self.table.endpoints(session));
                endpoints.map_or(0, |endpoints| endpoints.peers)
            },
            |sender| sender.teid,
        )
    }

    /// The session whose endpoint for signalling a request names; by S11 there is none of a session.
    fn session_named(&self, request: &Request<'_>) -> Option<u32> {
        let session = self.table.by_teid_of(request.teid?, GtpVersion::V2)?;
        let access = self.table.session(session)?.access;
        (access != Access::S11).then_some(session)
    }

    /// The UE whose endpoint for signalling by S11 a request names.
    fn ue_named(&self, request: &Request<'_>) -> Option<u32> {
        self.table.ue_by_teid(request.teid?)
    }

    /// What is no GTPv2 message: most of it is dropped and counted, some of it is answered (TS 29.274 7.7).
    fn handle_fault_v2(&mut self, error: HeaderError, datagram: &[u8], path: Path) {
        match error {
            HeaderError::TooShort { .. } | HeaderError::LengthBelowHeader { .. } => {
                self.counters.dropped(DropReason::TooShort);
            }
            HeaderError::TooLong { .. } => self.counters.dropped(DropReason::TooLong),
            HeaderError::Version { .. } => self.answer_version_v2(datagram, path),
            HeaderError::Length { .. } => self.answer_length_v2(datagram, path),
            HeaderError::PiggybackMissing | HeaderError::PiggybackNested => {
                self.counters.dropped(DropReason::Piggybacked);
            }
        }
    }

    /// A request whose length is not what it says is answered with cause 67 (TS 29.274 7.7.3).
    fn answer_length_v2(&mut self, datagram: &[u8], path: Path) {
        let header = peek(datagram).map(|header| (MessageType(header.kind), header.sequence));
        let Some((kind, Some(sequence))) = header.filter(|(kind, _)| is_served(*kind)) else {
            return self.counters.dropped(DropReason::Length);
        };
        let answer = Answer::new(kind, 0, sequence, Cause::INVALID_LENGTH);
        self.counters.v2.received(kind.0);
        self.counters.v2.answered(kind.0, answer.cause.cause.0);
        let mut octets = std::mem::take(&mut self.scratch);
        if let Ok(bytes) = answer.write(&self.config, &mut octets) {
            self.send_v2(path, answer.kind, bytes);
        }
        self.scratch = octets;
    }
}

impl<'a> Request<'a> {
    /// An element that the table has checked.
    fn value<T>(
        &self,
        kind: IeType,
        parse: impl FnOnce(&'a [u8]) -> Result<T, ValueError>,
    ) -> Result<T, CauseIe> {
        value(self.ies, kind, 0, parse)
    }

    /// The sender's endpoint for signalling, where it tells one.
    fn sender(&self) -> Option<FTeid> {
        FTeid::parse(self.ies.get(IeType::F_TEID, 0)?).ok()
    }

    /// Its bearer contexts of this instance.
    fn bearers(&self, instance: u8) -> impl Iterator<Item = Result<IeSet<'a>, CauseIe>> + '_ {
        let kind = IeType::BEARER_CONTEXT;
        let malformed = CauseIe::about(Cause::MANDATORY_IE_INCORRECT, kind, instance);
        let groups = self.ies.groups(kind, instance);
        groups.map(move |group| group.map_err(|_| malformed))
    }

    fn recovery(&self) -> Option<u8> {
        self.ies.get(IeType::RECOVERY, 0)?.first().copied()
    }
}

/// An element, of a message or of a bearer context.
fn value<'a, T>(
    ies: &IeSet<'a>,
    kind: IeType,
    instance: u8,
    parse: impl FnOnce(&'a [u8]) -> Result<T, ValueError>,
) -> Result<T, CauseIe> {
    let about = |cause| CauseIe {
        bearer_context_error: ies.depth() > 0,
        ..CauseIe::about(cause, kind, instance)
    };
    let value = ies.get(kind, instance);
    let value = value.ok_or_else(|| about(Cause::MANDATORY_IE_MISSING))?;
    parse(value).map_err(|_| about(Cause::MANDATORY_IE_INCORRECT))
}

/// The number of a bearer. It is what GTPv1 calls NSAPI (TS 23.401 5.3.1).
fn bearer_number(ies: &IeSet<'_>) -> Result<Nsapi, CauseIe> {
    value(ies, IeType::EBI, 0, Nsapi::parse)
}

fn is_served(kind: MessageType) -> bool {
    ANSWERED_V2.contains(&kind)
}

/// What answers a request, or a command that we don't do.
fn answer_kind(kind: MessageType) -> Option<MessageType> {
    kind.response().or(kind.failure_indication())
}

/// What answers a request of which one might be ours.
fn is_response(kind: MessageType) -> bool {
    matches!(
        kind,
        MessageType::CREATE_SESSION_RESPONSE
            | MessageType::MODIFY_BEARER_RESPONSE
            | MessageType::DELETE_SESSION_RESPONSE
            | MessageType::CREATE_BEARER_RESPONSE
            | MessageType::UPDATE_BEARER_RESPONSE
            | MessageType::DELETE_BEARER_RESPONSE
    )
}

fn unserved(kind: MessageType) -> DropReason {
    match kind {
        MessageType::VERSION_NOT_SUPPORTED => DropReason::VersionNotSupported,
        MessageType::DOWNLINK_DATA_NOTIFICATION_ACKNOWLEDGE => DropReason::UnexpectedResponse,
        known if known.name().is_some() => DropReason::UnexpectedMessage,
        _ => DropReason::UnknownMessage,
    }
}
