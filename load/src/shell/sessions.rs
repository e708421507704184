//! An SGW or an MME that makes one call after the other when told to: for tests and demonstrations.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use gtp::peek::peek;
use gtp::v2::{
    Cause, CauseIe, Ebi, EpcTimer, IeSet, IeType, Imsi, Message, MessageType, Paa, PdnType, Plmn,
    WriteError,
};
use licensing::Mono;
use thiserror::Error;

use super::socket::Sockets;
use super::{Clock, LoadError, salt};
use crate::heard::{Heard, hear};
use crate::message_v2::{
    ModifyBearer, write_delete, write_delete_bearer_response, write_echo, write_release,
};
use crate::{Caller, CreateSession, Interface};

/// Whom a [`SessionClient`] talks to, and how.
#[derive(Clone, Debug)]
pub struct SessionOptions {
    /// S5, and we are an SGW; or S11, and we are an MME.
    pub interface: Interface,
    /// The gateway's signalling address.
    pub peer: SocketAddr,
    /// On S11: the PGW that calls name; none: the gateway itself.
    pub pgw: Option<IpAddr>,
    /// Our address; if it names none, the one from which the peer is reached.
    pub local: IpAddr,
    /// Our port: 2123, so that the gateway's own requests find us, or 0 for any.
    pub local_port: u16,
    /// Time to wait for an answer before a request is sent again (T3-RESPONSE).
    pub t3_response: Duration,
    /// How often a request is sent in all (N3-REQUESTS).
    pub n3_requests: u8,
    /// Our restart counter; every create carries it, and every Echo Response.
    pub recovery: u8,
}

/// An SGW or an MME that makes calls when told to. While it waits for an answer it answers the gateway's own requests;
/// [`SessionClient::serve`] does only that.
#[derive(Debug)]
pub struct SessionClient {
    options: SessionOptions,
    clock: Clock,
    sockets: Sockets,
    sequence: u32,
    next_teid: u32,
    /// The gateway's tunnel endpoints, by ours.
    known: BTreeMap<u32, u32>,
    ended: Vec<(u32, u8)>,
}

/// A PDN connection that is up.
#[derive(Clone, Debug, PartialEq)]
pub struct Session {
    /// Who called.
    pub caller: Caller,
    /// The default bearer.
    pub ebi: Ebi,
    /// Our tunnel endpoint, for signalling and data.
    pub teid: u32,
    /// The gateway's tunnel endpoint for signalling.
    pub peer_teid: u32,
    /// The address that the PGW gave.
    pub address: Option<Paa>,
}

/// What the gateway answered.
#[derive(Clone, Debug, PartialEq)]
pub struct Answered {
    /// Its cause; 0 where the answer has none, as an Echo Response.
    pub cause: Cause,
    /// The session, if a create was accepted.
    pub session: Option<Session>,
    /// How long to leave the access point alone, if it says so.
    pub back_off: Option<EpcTimer>,
    /// The gateway's restart counter, if it says so.
    pub recovery: Option<u8>,
    /// The answer, whole.
    pub reply: Vec<u8>,
}

/// Why a request came to nothing. A refusal is no error: it is [`Answered`].
#[derive(Debug, Error)]
pub enum SessionError {
    /// No answer, however often it was sent.
    #[error("no answer to a {kind}")]
    NoAnswer {
        /// The request.
        kind: MessageType,
    },
    /// The request can't be written.
    #[error("cannot write the request")]
    Write(#[from] WriteError),
    /// A socket failed.
    #[error(transparent)]
    Socket(#[from] LoadError),
}

impl Default for SessionOptions {
    fn default() -> Self {
        Self {
            interface: Interface::S5,
            peer: SocketAddr::from((Ipv4Addr::LOCALHOST, 2123)),
            pgw: None,
            local: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            local_port: 2123,
            t3_response: Duration::from_secs(1),
            n3_requests: 5,
            recovery: 1,
        }
    }
}

impl SessionClient {
    /// Opens its socket. Nothing is sent yet.
    ///
    /// # Errors
    ///
    /// When the address can't be bound.
    pub fn open(options: SessionOptions) -> Result<Self, LoadError> {
        let salt = salt();
        Ok(Self {
            clock: Clock::start(),
            sockets: Sockets::bind(options.local, options.local_port, 1, options.peer)?,
            sequence: salt & options.interface.last_sequence(),
            next_teid: salt.max(1),
            known: BTreeMap::new(),
            ended: Vec::new(),
            options,
        })
    }

    /// Sessions that the gateway ended since this was last asked: our tunnel endpoint and the default bearer.
    pub fn take_ended(&mut self) -> Vec<(u32, u8)> {
        std::mem::take(&mut self.ended)
    }

    /// Create Session, of a UE that has none.
    ///
    /// # Errors
    ///
    /// When no answer comes, the access point name can't be coded, or the socket fails.
    pub fn create(&mut self, apn: &str, imsi: Imsi) -> Result<Answered, SessionError> {
        self.create_with(apn, Caller::Subscriber(imsi), |_| {})
    }

    /// Create Session, after `change` has seen to the request.
    ///
    /// # Errors
    ///
    /// As [`SessionClient::create`].
    pub fn create_with(
        &mut self,
        apn: &str,
        caller: Caller,
        change: impl FnOnce(&mut CreateSession<'_>),
    ) -> Result<Answered, SessionError> {
        let teid = self.next_teid;
        self.next_teid = teid.wrapping_add(1).max(1);
        let nobody = Session {
            caller,
            ebi: Ebi::FIRST,
            teid,
            peer_teid: 0,
            address: None,
        };
        self.begin(apn, nobody, change)
    }

    /// Create Session of a further PDN connection of the UE that has `beside`, on S11.
    ///
    /// # Errors
    ///
    /// As [`SessionClient::create`].
    pub fn create_beside(
        &mut self,
        beside: &Session,
        apn: &str,
        ebi: Ebi,
    ) -> Result<Answered, SessionError> {
        let further = Session {
            ebi,
            address: None,
            ..beside.clone()
        };
        self.begin(apn, further, |_| {})
    }

    /// Modify Bearer: user data goes to our endpoint, on S11 to that of the eNodeB.
    ///
    /// # Errors
    ///
    /// When no answer comes, or the socket fails.
    pub fn modify(&mut self, session: &Session) -> Result<Answered, SessionError> {
        let modify = ModifyBearer {
            interface: self.options.interface,
            ebi: session.ebi,
            local: self.sockets.local_ip(),
            teid: session.teid,
        };
        let kind = MessageType::MODIFY_BEARER_REQUEST;
        self.exchange(kind, |out, sequence| {
            modify.write(out, session.peer_teid, sequence).map(drop)
        })
    }

    /// Release Access Bearers of the UE that has this session, on S11.
    ///
    /// # Errors
    ///
    /// When no answer comes, or the socket fails.
    pub fn release(&mut self, session: &Session) -> Result<Answered, SessionError> {
        let kind = MessageType::RELEASE_ACCESS_BEARERS_REQUEST;
        self.exchange(kind, |out, sequence| {
            write_release(out, session.peer_teid, sequence).map(drop)
        })
    }

    /// Delete Session.
    ///
    /// # Errors
    ///
    /// When no answer comes, or the socket fails.
    pub fn delete(&mut self, session: &Session) -> Result<Answered, SessionError> {
        let kind = MessageType::DELETE_SESSION_REQUEST;
        let interface = self.options.interface;
        self.exchange(kind, |out, sequence| {
            write_delete(out, interface, session.peer_teid, sequence, session.ebi).map(drop)
        })
    }

    /// Echo.
    ///
    /// # Errors
    ///
    /// When no answer comes, or the socket fails.
    pub fn echo(&mut self) -> Result<Answered, SessionError> {
        let (kind, recovery) = (MessageType::ECHO_REQUEST, self.options.recovery);
        self.exchange(kind, |out, sequence| {
            write_echo(out, kind, sequence, recovery).map(drop)
        })
    }

    /// Answers the gateway's own requests for so long, and does nothing else.
    ///
    /// # Errors
    ///
    /// When the socket fails.
    pub fn serve(&mut self, time: Duration) -> Result<(), SessionError> {
        let until = self.clock.now().after(time);
        while self.clock.now() < until {
            self.receive(until, |_| false)?;
        }
        Ok(())
    }

    fn begin(
        &mut self,
        apn: &str,
        session: Session,
        change: impl FnOnce(&mut CreateSession<'_>),
    ) -> Result<Answered, SessionError> {
        let options = &self.options;
        let mut request = CreateSession {
            interface: options.interface,
            caller: session.caller,
            plmn: Plmn::from_text("001", "01").map_err(WriteError::from)?,
            local: self.sockets.local_ip(),
            teid: session.teid,
            pgw: options.pgw.unwrap_or(options.peer.ip()),
            apn,
            pdn_type: PdnType::Ipv4,
            ebi: session.ebi,
            priority_level: 9,
            low_priority: false,
            recovery: Some(options.recovery),
        };
        change(&mut request);
        let kind = MessageType::CREATE_SESSION_REQUEST;
        let mut answered = self.exchange(kind, |out, sequence| {
            request.write(out, session.peer_teid, sequence).map(drop)
        })?;
        answered.session = answered.complete(self.options.interface, session);
        let made = answered.session.iter();
        self.known
            .extend(made.map(|session| (session.teid, session.peer_teid)));
        Ok(answered)
    }

    /// Sends a request until its answer comes, as often as it may be sent.
    fn exchange(
        &mut self,
        kind: MessageType,
        write: impl FnOnce(&mut Vec<u8>, u32) -> Result<(), WriteError>,
    ) -> Result<Answered, SessionError> {
        self.sequence = (self.sequence + 1) & self.options.interface.last_sequence();
        let sequence = self.sequence;
        let mut out = Vec::new();
        write(&mut out, sequence)?;
        for _ in 0..self.options.n3_requests {
            self.sockets.send(0, self.options.peer, &out)?;
            let until = self.clock.now().after(self.options.t3_response);
            let mut reply = None;
            while reply.is_none() && self.clock.now() < until {
                self.receive(until, |datagram| {
                    let ours = answers(datagram, kind, sequence);
                    if ours {
                        reply = Some(datagram.to_vec());
                    }
                    ours
                })?;
            }
            if let Some(reply) = reply {
                return Ok(Answered::read(reply));
            }
        }
        Err(SessionError::NoAnswer { kind })
    }

    /// Waits for datagrams, and answers the requests among those that `take` does not.
    fn receive(
        &mut self,
        until: Mono,
        mut take: impl FnMut(&[u8]) -> bool,
    ) -> Result<(), LoadError> {
        let Self {
            options,
            clock,
            sockets,
            known,
            ended,
            ..
        } = self;
        let mut answers = Vec::new();
        let wait = until.since(clock.now());
        sockets.receive(wait, |_, from, datagram| {
            if take(datagram) {
                return;
            }
            let mut out = Vec::new();
            if answer_request(options, datagram, (known, ended), &mut out) {
                answers.push((from, out));
            }
        })?;
        for (to, octets) in answers {
            self.sockets.send(0, to, &octets)?;
        }
        Ok(())
    }
}

impl Answered {
    fn read(reply: Vec<u8>) -> Self {
        let parsed = Message::parse(&reply);
        let body = parsed.map_or(&[][..], |message| message.body);
        let (ies, _) = IeSet::parse_prefix(body);
        let cause = ies.get(IeType::CAUSE, 0);
        let cause = cause.and_then(|value| CauseIe::parse(value).ok());
        let back_off = ies.get(IeType::EPC_TIMER, 0);
        let back_off = back_off.and_then(|value| EpcTimer::parse(value).ok());
        let recovery = ies.get(IeType::RECOVERY, 0);
        let recovery = recovery.and_then(|value| value.first().copied());
        Self {
            cause: cause.map_or(Cause(0), |cause| cause.cause),
            session: None,
            back_off,
            recovery,
            reply,
        }
    }

    /// The session that an accepting answer makes of what was asked for. A further PDN connection goes by the endpoint
    /// of the first if the answer names none.
    fn complete(&self, interface: Interface, asked: Session) -> Option<Session> {
        let Heard::Answer(answer) = hear(interface, &self.reply) else {
            return None;
        };
        let message = Message::parse(&self.reply).ok()?;
        let (ies, _) = IeSet::parse_prefix(message.body);
        let address = ies.get(IeType::PAA, 0);
        let known = Some(asked.peer_teid).filter(|teid| *teid != 0);
        let peer_teid = answer.control.or(known)?;
        self.cause.is_accepted().then(|| Session {
            peer_teid,
            address: address.and_then(|value| Paa::parse(value).ok()),
            ..asked
        })
    }
}

/// Whether this is the answer to that request.
fn answers(datagram: &[u8], request: MessageType, sequence: u32) -> bool {
    peek(datagram).is_some_and(|header| {
        Some(MessageType(header.kind)) == request.response() && header.sequence == Some(sequence)
    })
}

/// Writes the answer to a request of the gateway's, if it is one that is known here.
fn answer_request(
    options: &SessionOptions,
    datagram: &[u8],
    (known, ended): (&BTreeMap<u32, u32>, &mut Vec<(u32, u8)>),
    out: &mut Vec<u8>,
) -> bool {
    match hear(options.interface, datagram) {
        Heard::Echo { sequence } => {
            let kind = MessageType::ECHO_RESPONSE;
            write_echo(out, kind, sequence, options.recovery).is_ok()
        }
        Heard::Ends {
            sequence,
            teid,
            bearer,
        } => {
            let linked = bearer.and_then(|number| Ebi::new(number).ok());
            ended.extend(bearer.map(|number| (teid, number)));
            let peer_teid = known.get(&teid).copied().unwrap_or(0);
            let accepted = Cause::REQUEST_ACCEPTED;
            write_delete_bearer_response(out, peer_teid, sequence, accepted, linked).is_ok()
        }
        Heard::Answer(_) | Heard::OtherVersion { .. } | Heard::Unknown => false,
    }
}
