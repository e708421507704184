//! One message, right or with a fault, given to a node of its own, and what becomes of it.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use gtp::v2::{
    Cause, CauseIe, FTeid, IeSet, IeType, InterfaceType, Message as Received, MessageType,
};
use session_plane::statistics::DropReason;
use session_plane::{Clear, Whom};

use super::table::Procedure;
use crate::message::{self, Caller, Content, Ie, Interface, Message, bearer, cause, fteid, ie};
use crate::planes::{CONTROL, Planes, config};

const PEER: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 50));
const OTHER: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 51));
/// The peer's endpoint for signalling, and the restart counter that it tells.
const PEER_TEID: u32 = 0x6000_0000;
const COUNTER: u8 = 7;
const SEQUENCE: u32 = 0x0012_3456;

/// What a message is to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Faced {
    /// A request, whose answer has a cause.
    Request,
    /// An Echo Request, whose answer has none.
    Echo,
    /// The answer to an Echo Request of ours.
    EchoAnswer,
    /// The answer to a request that ends a session.
    Ending,
}

/// What became of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was served.
    Done(Effect),
    /// It was refused, and nothing has changed.
    Refused {
        /// Why.
        cause: Cause,
        /// For the sake of which element: type and instance.
        element: (IeType, u8),
        /// That of a bearer context, as the answer says.
        of_bearer: bool,
    },
    /// Nothing was taken from it. A request has its answer all the same.
    Ignored,
}

/// What a message that was served has done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Effect {
    cause: Option<Cause>,
    /// The elements of the answer, those of its bearer contexts behind each.
    answer: Vec<(IeType, u8)>,
    state: State,
    /// The restart counter that the peer has told.
    counter: Option<u8>,
}

/// What there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct State {
    sessions: u32,
    permits: i64,
    addresses: u32,
}

/// A message that is ready to be given to a node.
pub(super) struct Prepared {
    pub message: Message,
    pub sequence: u32,
    pub from: IpAddr,
    /// The endpoint that the answer goes to if the message tells none.
    pub known: u32,
}

impl Outcome {
    /// Served with the same cause as the whole message, and answered with no element that its answer has not got.
    pub(super) fn is_less_than(&self, whole: &Self) -> Result<()> {
        let (Self::Done(less), Self::Done(whole)) = (self, whole) else {
            bail!("{self:?} instead of less than {whole:?}");
        };
        let fewer = less
            .answer
            .iter()
            .all(|element| whole.answer.contains(element));
        ensure!(
            less.cause == whole.cause && fewer,
            "{less:?} instead of less than {whole:?}"
        );
        Ok(())
    }
}

impl State {
    fn of(planes: &Planes) -> Self {
        Self {
            sessions: planes.sessions(),
            permits: planes.permits(),
            addresses: planes.addresses(),
        }
    }
}

impl Procedure {
    /// Gives a node the message after this change.
    pub(super) fn run(&self, change: impl FnOnce(&mut Message) -> Result<()>) -> Result<Outcome> {
        let mut planes = Planes::new(config(), 2, 1)?;
        let mut prepared = (self.prepare)(&mut planes, self.interface)?;
        ensure!(prepared.message.kind == self.kind, "another message");
        change(&mut prepared.message)?;
        while planes.take_sent().is_some() {}
        let before = State::of(&planes);
        planes.deliver(&prepared.message.encode(prepared.sequence), prepared.from);
        match self.faced {
            Faced::Request => answered(&mut planes, &prepared, before),
            Faced::Echo => echoed(&mut planes, &prepared),
            Faced::EchoAnswer => heard(&mut planes),
            Faced::Ending => ended(&mut planes, before),
        }
    }
}

/// The one answer to a request, which goes where it is due and repeats its sequence number.
fn answered(planes: &mut Planes, prepared: &Prepared, before: State) -> Result<Outcome> {
    let sent = planes.take_sent().context("no answer")?;
    ensure!(planes.take_sent().is_none(), "more than one datagram");
    ensure!(sent.to == prepared.from, "the answer went to {}", sent.to);
    let answer = Received::parse(&sent.octets)?;
    ensure!(
        Some(answer.header.kind) == prepared.message.kind.response(),
        "answered by {}",
        answer.header.kind
    );
    ensure!(
        answer.header.sequence == prepared.sequence,
        "another sequence"
    );
    let teid = told_endpoint(&prepared.message).unwrap_or(prepared.known);
    ensure!(
        answer.header.teid == Some(teid),
        "answered to endpoint {:?} instead of {teid:#x}",
        answer.header.teid
    );
    let ies = answer.ie_set()?;
    let cause = CauseIe::parse(ies.get(IeType::CAUSE, 0).context("no cause")?)?;
    let state = State::of(planes);
    if cause.cause.is_accepted() {
        return Ok(Outcome::Done(Effect {
            cause: Some(cause.cause),
            answer: elements(&ies)?,
            state,
            counter: None,
        }));
    }
    ensure!(state == before, "refused, and {before:?} became {state:?}");
    let Some(element) = cause.offending else {
        bail!("{} names no element", cause.cause);
    };
    Ok(Outcome::Refused {
        cause: cause.cause,
        element: (element.kind, element.instance),
        of_bearer: cause.bearer_context_error,
    })
}

/// The sender's endpoint for signalling, if it is well formed.
fn told_endpoint(message: &Message) -> Option<u32> {
    let is_it = |ie: &&Ie| (ie.kind, ie.instance) == (IeType::F_TEID, 0);
    let sender = message.ies.iter().find(is_it)?;
    match &sender.content {
        Content::Octets(value) => Some(FTeid::parse(value).ok()?.teid),
        Content::Group(_) => None,
    }
}

fn elements(ies: &IeSet<'_>) -> Result<Vec<(IeType, u8)>> {
    let mut elements = Vec::new();
    for ie in ies.iter() {
        elements.push((ie.kind, ie.instance));
        if ie.kind.is_grouped() {
            elements.extend(self::elements(&IeSet::parse(ie.value)?)?);
        }
    }
    Ok(elements)
}

/// An Echo Request is answered whatever is in it; what it tells is taken if it can be read.
fn echoed(planes: &mut Planes, prepared: &Prepared) -> Result<Outcome> {
    let sent = planes.take_sent().context("no answer")?;
    let answer = Received::parse(&sent.octets)?;
    let header = answer.header;
    ensure!(
        (header.kind, header.sequence) == (MessageType::ECHO_RESPONSE, prepared.sequence),
        "answered by {header:?}"
    );
    told(planes)
}

fn told(planes: &Planes) -> Result<Outcome> {
    let counter = planes.shared.restarts.told(PEER).counter;
    Ok(match counter {
        Some(_) => Outcome::Done(Effect {
            counter,
            state: State::of(planes),
            ..Effect::default()
        }),
        None => Outcome::Ignored,
    })
}

/// An answer that is not understood leaves our question open: it is put again, and can be answered still.
fn heard(planes: &mut Planes) -> Result<Outcome> {
    let outcome = told(planes)?;
    if outcome == Outcome::Ignored {
        ensure!(
            malformed_answers(planes) == 1,
            "the answer was not counted as malformed"
        );
        planes.pass(planes.config.t3_response + Duration::from_secs(1))?;
        let asked = next_of(planes, MessageType::ECHO_REQUEST)?;
        let answer = echo(MessageType::ECHO_RESPONSE);
        planes.deliver(&answer.encode(asked.1), PEER);
        ensure!(
            told(planes)? != Outcome::Ignored,
            "a right answer came too late"
        );
    }
    Ok(outcome)
}

/// Once the session has ended, its permit and its address are back. An answer that is not understood is none: the request
/// is sent again, and in the end the session is gone without an answer.
fn ended(planes: &mut Planes, before: State) -> Result<Outcome> {
    if planes.sessions() == 0 {
        planes.check_empty()?;
        let state = State::of(planes);
        return Ok(Outcome::Done(Effect {
            state,
            ..Effect::default()
        }));
    }
    ensure!(State::of(planes) == before, "half ended");
    ensure!(
        malformed_answers(planes) == 1,
        "the answer was not counted as malformed"
    );
    planes.pass(planes.config.t3_response + Duration::from_secs(1))?;
    next_of(planes, MessageType::DELETE_BEARER_REQUEST)?;
    planes.pass(planes.config.retransmission_window())?;
    planes.check_empty()?;
    Ok(Outcome::Ignored)
}

fn malformed_answers(planes: &Planes) -> u64 {
    let dropped = |worker: session_plane::Statistics| {
        let drops = worker.drops.get(&DropReason::MalformedResponse);
        drops.copied().unwrap_or(0)
    };
    planes.statistics().map(dropped).sum()
}

/// The next message of this type among those sent: its receiver's endpoint, and its sequence number.
fn next_of(planes: &mut Planes, kind: MessageType) -> Result<(u32, u32)> {
    while let Some(sent) = planes.take_sent() {
        let header = Received::parse(&sent.octets)?.header;
        if header.kind == kind {
            return Ok((header.teid.unwrap_or(0), header.sequence));
        }
    }
    bail!("no {kind} was sent")
}

fn caller(interface: Interface, ebi: u8) -> Caller {
    Caller {
        subscriber: 1,
        ebi,
        interface,
        peer: PEER,
        teid: PEER_TEID,
    }
}

fn request(message: Message) -> Prepared {
    Prepared {
        message,
        sequence: SEQUENCE,
        from: PEER,
        known: 0,
    }
}

fn echo(kind: MessageType) -> Message {
    let features = ie(IeType::NODE_FEATURES, 0, &[0]);
    let ies = vec![ie(IeType::RECOVERY, 0, &[COUNTER]), features];
    Message::new(kind, None, ies)
}

/// Makes a session; our endpoint for its signalling.
fn made(planes: &mut Planes, interface: Interface, ebi: u8, named: u32) -> Result<u32> {
    let mut request = message::create(
        caller(interface, ebi),
        ["internet", "ims"][usize::from(ebi - 5)],
    );
    request.teid = Some(named);
    planes.deliver(&request.encode(u32::from(ebi)), PEER);
    let sent = planes.take_sent().context("no answer")?;
    let answer = Received::parse(&sent.octets)?;
    let ies = answer.ie_set()?;
    let ours = ies.get(IeType::F_TEID, interface.our_control());
    Ok(FTeid::parse(ours.context("no endpoint of ours")?)?.teid)
}

pub(super) fn echo_request(planes: &mut Planes, interface: Interface) -> Result<Prepared> {
    made(planes, interface, 5, 0)?;
    Ok(request(echo(MessageType::ECHO_REQUEST)))
}

pub(super) fn echo_response(planes: &mut Planes, interface: Interface) -> Result<Prepared> {
    made(planes, interface, 5, 0)?;
    let interval = planes.config.echo.interval.unwrap_or_default();
    planes.pass(interval + Duration::from_secs(1))?;
    let (_, sequence) = next_of(planes, MessageType::ECHO_REQUEST)?;
    let message = echo(MessageType::ECHO_RESPONSE);
    Ok(Prepared {
        sequence,
        ..request(message)
    })
}

/// Also with what one interface has and another need not look at: the PGW's address, bearers to be removed.
pub(super) fn create_session(_: &mut Planes, interface: Interface) -> Result<Prepared> {
    let message = message::create(caller(interface, 5), "internet");
    Ok(request(match interface {
        Interface::S11 => message.with(bearer(1, vec![ie(IeType::EBI, 0, &[6])])),
        Interface::S5 | Interface::S2a | Interface::S2b => {
            message.with(fteid(1, InterfaceType::S5S8_PGW_C, 0, CONTROL.into()))
        }
    }))
}

/// Another SGW takes the session over.
pub(super) fn modify_bearer(planes: &mut Planes, interface: Interface) -> Result<Prepared> {
    let session = made(planes, interface, 5, 0)?;
    let other = Caller {
        peer: OTHER,
        teid: 0x6100_0000,
        ..caller(interface, 5)
    };
    let message = message::modify(other, session).with(ie(IeType::RAT_TYPE, 0, &[6]));
    Ok(Prepared {
        from: OTHER,
        known: PEER_TEID,
        ..request(message)
    })
}

/// The ePDG tells that the UE has another address.
pub(super) fn modify_tunnel(planes: &mut Planes, interface: Interface) -> Result<Prepared> {
    let session = made(planes, interface, 5, 0)?;
    let address = ie(IeType::IP_ADDRESS, 1, &[198, 51, 100, 1]);
    let kind = MessageType::MODIFY_BEARER_REQUEST;
    let message = Message::new(kind, Some(session), vec![address]);
    Ok(Prepared {
        known: PEER_TEID,
        ..request(message)
    })
}

/// Another MME has the UE; one bearer goes to an eNodeB, another one is removed.
pub(super) fn modify_access_bearers(planes: &mut Planes, interface: Interface) -> Result<Prepared> {
    let ue = made(planes, interface, 5, 0)?;
    made(planes, interface, 6, ue)?;
    let other = Caller {
        peer: OTHER,
        teid: 0x6100_0000,
        ..caller(interface, 5)
    };
    let message = message::modify(other, ue)
        .with(ie(IeType::RAT_TYPE, 0, &[6]))
        .with(bearer(1, vec![ie(IeType::EBI, 0, &[6])]));
    Ok(Prepared {
        from: OTHER,
        known: PEER_TEID,
        ..request(message)
    })
}

pub(super) fn delete_session(planes: &mut Planes, interface: Interface) -> Result<Prepared> {
    let session = made(planes, interface, 5, 0)?;
    Ok(Prepared {
        known: PEER_TEID,
        ..request(message::delete(session, 5))
    })
}

pub(super) fn release_access_bearers(
    planes: &mut Planes,
    interface: Interface,
) -> Result<Prepared> {
    let ue = made(planes, interface, 5, 0)?;
    let kind = MessageType::RELEASE_ACCESS_BEARERS_REQUEST;
    let ies = vec![
        ie(IeType::NODE_TYPE, 0, &[0]),
        ie(IeType::INDICATION, 0, &[0, 0]),
    ];
    Ok(Prepared {
        known: PEER_TEID,
        ..request(Message::new(kind, Some(ue), ies))
    })
}

pub(super) fn change_notification(planes: &mut Planes, interface: Interface) -> Result<Prepared> {
    let kind = MessageType::CHANGE_NOTIFICATION_REQUEST;
    let mut prepared = notice(planes, interface, kind)?;
    let rat = ie(IeType::RAT_TYPE, 0, &[6]);
    prepared.message = prepared.message.with(rat);
    Ok(prepared)
}

pub(super) fn suspend_notification(planes: &mut Planes, interface: Interface) -> Result<Prepared> {
    notice(planes, interface, MessageType::SUSPEND_NOTIFICATION)
}

pub(super) fn resume_notification(planes: &mut Planes, interface: Interface) -> Result<Prepared> {
    notice(planes, interface, MessageType::RESUME_NOTIFICATION)
}

fn notice(planes: &mut Planes, interface: Interface, kind: MessageType) -> Result<Prepared> {
    let ue = made(planes, interface, 5, 0)?;
    let ies = vec![
        ie(IeType::IMSI, 0, message::imsi(1).short_octets()),
        ie(IeType::EBI, 0, &[5]),
    ];
    Ok(Prepared {
        known: PEER_TEID,
        ..request(Message::new(kind, Some(ue), ies))
    })
}

/// An operator clears the session, and its peer answers.
pub(super) fn delete_bearer(planes: &mut Planes, interface: Interface) -> Result<Prepared> {
    let ours = made(planes, interface, 5, 0)?;
    planes.clear(&Clear {
        whom: Whom::Imsi(message::imsi(1)),
        reactivate: false,
    });
    planes.pass(Duration::from_millis(10))?;
    let (theirs, sequence) = next_of(planes, MessageType::DELETE_BEARER_REQUEST)?;
    ensure!(theirs == PEER_TEID, "asked at endpoint {theirs:#x}");
    let accepted = || cause(Cause::REQUEST_ACCEPTED);
    let context = bearer(0, vec![ie(IeType::EBI, 0, &[5]), accepted()]);
    let ies = vec![accepted(), ie(IeType::EBI, 0, &[5]), context];
    let message = Message::new(MessageType::DELETE_BEARER_RESPONSE, Some(ours), ies);
    Ok(Prepared {
        sequence,
        ..request(message)
    })
}
