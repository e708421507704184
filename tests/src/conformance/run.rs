//! One message, right or with a fault, given to a node of its own, and what becomes of it.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use gtp::v2::{
    Cause, CauseIe, FTeid, IeSet, IeType, Indication, InterfaceType, Message as Received,
    MessageType,
};
use session_plane::statistics::DropReason;
use session_plane::{Clear, Whom};

use super::table::Procedure;
use crate::message::{self, Caller, Content, Ie, Interface, Message, bearer, cause, fteid, ie};
use crate::planes::{CONTROL, Planes, Sent, config};

const PEER: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 50));
const OTHER: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 51));
/// The peer's endpoint for signalling, and the restart counter that it tells.
const PEER_TEID: u32 = 0x6000_0000;
const COUNTER: u8 = 7;
const SEQUENCE: u32 = 0x0012_3456;
/// A PGW of another's, and its endpoint for signalling.
const PGW: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 60));
const PGW_TEID: u32 = 0x7000_0000;

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
    /// A PGW's answer that an MME waits for.
    Relayed,
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
        /// For the sake of which element, if of one: type and instance.
        element: Option<(IeType, u8)>,
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
    /// The elements of the answer, those of its bearer contexts among them, however often and wherever they come: an SGW
    /// passes on what it gets.
    answer: BTreeSet<(IeType, u8)>,
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
        let fewer = less.answer.is_subset(&whole.answer);
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
        self.run_on(&mut planes, change)
    }

    /// All that the node sends before and on account of the message without a fault.
    pub fn sent(&self) -> Result<Vec<Vec<u8>>> {
        let mut planes = Planes::new(config(), 2, 1)?;
        planes.record();
        self.run_on(&mut planes, |_| Ok(()))?;
        Ok(planes.recorded())
    }

    fn run_on(
        &self,
        planes: &mut Planes,
        change: impl FnOnce(&mut Message) -> Result<()>,
    ) -> Result<Outcome> {
        let mut prepared = (self.prepare)(planes, self.interface)?;
        ensure!(prepared.message.kind == self.kind, "another message");
        change(&mut prepared.message)?;
        while planes.take_sent().is_some() {}
        let before = State::of(planes);
        planes.deliver(&prepared.message.encode(prepared.sequence), prepared.from);
        match self.faced {
            Faced::Request => answered(planes, &prepared, before),
            Faced::Echo => echoed(planes, &prepared),
            Faced::EchoAnswer => heard(planes),
            Faced::Ending => ended(planes, before),
            Faced::Relayed => relayed(planes, &prepared),
        }
    }
}

/// The one answer to a request, which goes where it is due and repeats its sequence number. Whoever is asked on its behalf
/// accepts.
fn answered(planes: &mut Planes, prepared: &Prepared, before: State) -> Result<Outcome> {
    let mut answers = accepted_by_others(planes, prepared.from)?;
    let sent = answers.pop().context("no answer")?;
    ensure!(answers.is_empty(), "more than one datagram");
    let answer = Received::parse(&sent.octets)?;
    let kind = prepared.message.kind.response();
    ensure!(
        Some(answer.header.kind) == kind,
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
    let outcome = told_by(&answer, State::of(planes))?;
    if let Outcome::Refused { cause, element, .. } = &outcome {
        let after = State::of(planes);
        ensure!(after == before, "refused, and {before:?} became {after:?}");
        ensure!(element.is_some(), "{cause} names no element");
    }
    Ok(outcome)
}

/// What an answer with a cause says.
fn told_by(answer: &Received<'_>, state: State) -> Result<Outcome> {
    let ies = answer.ie_set()?;
    let cause = CauseIe::parse(ies.get(IeType::CAUSE, 0).context("no cause")?)?;
    if !cause.cause.is_accepted() {
        let element = cause.offending;
        return Ok(Outcome::Refused {
            cause: cause.cause,
            element: element.map(|element| (element.kind, element.instance)),
            of_bearer: cause.bearer_context_error,
        });
    }
    Ok(Outcome::Done(Effect {
        cause: Some(cause.cause),
        answer: elements(&ies)?,
        state,
        counter: None,
    }))
}

/// What was sent to this peer; requests to a PGW, and to an MME on a PGW's behalf, are accepted meanwhile.
fn accepted_by_others(planes: &mut Planes, peer: IpAddr) -> Result<Vec<Sent>> {
    let mut sent_to_peer = Vec::new();
    while let Some(sent) = planes.take_sent() {
        let message = Received::parse(&sent.octets)?;
        let (kind, sequence) = (message.header.kind, message.header.sequence);
        match (kind, kind.response()) {
            (MessageType::CREATE_SESSION_REQUEST, _) => {
                let ours = endpoint(&message, 0)?;
                planes.deliver(&created(ours).encode(sequence), PGW);
            }
            (_, Some(response)) => {
                let accepted = vec![cause(Cause::REQUEST_ACCEPTED)];
                let answer = Message::new(response, Some(0), accepted);
                planes.deliver(&answer.encode(sequence), sent.to);
            }
            (_, None) => {
                ensure!(sent.to == peer, "{kind} went to {}", sent.to);
                sent_to_peer.push(sent);
            }
        }
    }
    Ok(sent_to_peer)
}

/// An endpoint of ours in a message that was sent.
fn endpoint(message: &Received<'_>, instance: u8) -> Result<u32> {
    let ies = message.ie_set()?;
    let ours = ies.get(IeType::F_TEID, instance);
    Ok(FTeid::parse(ours.context("no endpoint of ours")?)?.teid)
}

/// What the MME is told, or whether the PGW is asked again, and in the end given up.
fn relayed(planes: &mut Planes, prepared: &Prepared) -> Result<Outcome> {
    if let Some(answer) = answer_to_mme(planes)? {
        return told_by(&Received::parse(&answer)?, State::of(planes));
    }
    ensure!(
        malformed_answers(planes) == 1,
        "the answer was not counted as malformed"
    );
    planes.pass(planes.config.t3_response + Duration::from_secs(1))?;
    let request = MessageType(prepared.message.kind.0 - 1);
    next_of(planes, request)?;
    planes.pass(planes.config.retransmission_window())?;
    ensure!(answer_to_mme(planes)?.is_some(), "the MME has no answer");
    Ok(Outcome::Ignored)
}

/// The response that an MME has been sent.
fn answer_to_mme(planes: &mut Planes) -> Result<Option<Vec<u8>>> {
    while let Some(sent) = planes.take_sent() {
        let kind = Received::parse(&sent.octets)?.header.kind;
        if sent.to == PEER && kind.response().is_none() {
            return Ok(Some(sent.octets));
        }
    }
    Ok(None)
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

fn elements(ies: &IeSet<'_>) -> Result<BTreeSet<(IeType, u8)>> {
    let mut elements = BTreeSet::new();
    for ie in ies.iter() {
        elements.insert((ie.kind, ie.instance));
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
    endpoint(&Received::parse(&sent.octets)?, interface.our_control())
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
    let kind = MessageType::DELETE_BEARER_RESPONSE;
    Ok(Prepared {
        sequence,
        ..request(Message::new(kind, Some(ours), deleted_bearer()))
    })
}

fn deleted_bearer() -> Vec<Ie> {
    let accepted = || cause(Cause::REQUEST_ACCEPTED);
    let context = bearer(0, vec![ie(IeType::EBI, 0, &[5]), accepted()]);
    vec![accepted(), ie(IeType::EBI, 0, &[5]), context]
}

/// A PDN connection at a PGW of another's.
fn through(ebi: u8, teid: u32) -> Message {
    let mut message = message::create(caller(Interface::S11, ebi), "internet");
    message.teid = Some(teid);
    let theirs = fteid(1, InterfaceType::S5S8_PGW_C, 0, PGW);
    let is_pgw = |ie: &&mut Ie| (ie.kind, ie.instance) == (IeType::F_TEID, 1);
    message
        .ies
        .iter_mut()
        .filter(is_pgw)
        .for_each(|ie| *ie = theirs.clone());
    message
}

/// Create Session Response of the PGW, to this endpoint of ours.
fn created(ours: u32) -> Message {
    let address = ie(IeType::PAA, 0, &[1, 10, 9, 8, 7]);
    let context = vec![
        ie(IeType::EBI, 0, &[5]),
        cause(Cause::REQUEST_ACCEPTED),
        fteid(2, InterfaceType::S5S8_PGW_U, PGW_TEID + 1, PGW),
    ];
    let ies = vec![
        cause(Cause::REQUEST_ACCEPTED),
        fteid(1, InterfaceType::S5S8_PGW_C, PGW_TEID, PGW),
        address,
        bearer(0, context),
        ie(IeType::RECOVERY, 0, &[COUNTER]),
    ];
    Message::new(MessageType::CREATE_SESSION_RESPONSE, Some(ours), ies)
}

/// Makes a PDN connection at a PGW of another's; our endpoints for the MME and for the PGW.
fn made_through(planes: &mut Planes) -> Result<(u32, u32)> {
    planes.deliver(&through(5, 0).encode(5), PEER);
    let asked = planes.take_sent().context("the PGW was not asked")?;
    let asked = Received::parse(&asked.octets)?;
    let ours = endpoint(&asked, 0)?;
    planes.deliver(&created(ours).encode(asked.header.sequence), PGW);
    let answer = answer_to_mme(planes)?.context("the MME has no answer")?;
    Ok((endpoint(&Received::parse(&answer)?, 0)?, ours))
}

pub(super) fn create_through(_: &mut Planes, _: Interface) -> Result<Prepared> {
    let removed = bearer(1, vec![ie(IeType::EBI, 0, &[6])]);
    Ok(request(through(5, 0).with(removed)))
}

/// Another MME has the UE, and tells what the PGW wants to know.
pub(super) fn modify_through(planes: &mut Planes, interface: Interface) -> Result<Prepared> {
    let (ue, _) = made_through(planes)?;
    let other = Caller {
        peer: OTHER,
        teid: 0x6100_0000,
        ..caller(interface, 5)
    };
    let message = message::modify(other, ue).with(ie(IeType::RAT_TYPE, 0, &[6]));
    Ok(Prepared {
        from: OTHER,
        known: PEER_TEID,
        ..request(message)
    })
}

/// The PGW is to be told (Operation Indication).
pub(super) fn delete_through(planes: &mut Planes, _: Interface) -> Result<Prepared> {
    let (ue, _) = made_through(planes)?;
    Ok(Prepared {
        known: PEER_TEID,
        ..request(delete_told(ue))
    })
}

fn delete_told(ue: u32) -> Message {
    let flags = Indication::default().with(Indication::OI);
    message::delete(ue, 5).with(ie(IeType::INDICATION, 0, flags.octets()))
}

/// Gives the node an MME's request; what it then asks of the PGW: the endpoint that it names, and the sequence number.
fn asked_of_pgw(planes: &mut Planes, message: &Message) -> Result<u32> {
    planes.deliver(&message.encode(SEQUENCE), PEER);
    let sent = planes.take_sent().context("the PGW was not asked")?;
    ensure!(sent.to == PGW, "{} was asked", sent.to);
    Ok(Received::parse(&sent.octets)?.header.sequence)
}

/// A bearer that goes with a change of SGW, which only an SGW tells of.
fn marked_for_removal() -> Ie {
    let accepted = cause(Cause::REQUEST_ACCEPTED);
    bearer(1, vec![ie(IeType::EBI, 0, &[6]), accepted])
}

fn from_pgw(message: Message, sequence: u32) -> Prepared {
    Prepared {
        message,
        sequence,
        from: PGW,
        known: PGW_TEID,
    }
}

pub(super) fn created_by_pgw(planes: &mut Planes, _: Interface) -> Result<Prepared> {
    planes.deliver(&through(5, 0).encode(SEQUENCE), PEER);
    let asked = planes.take_sent().context("the PGW was not asked")?;
    let asked = Received::parse(&asked.octets)?;
    let ours = endpoint(&asked, 0)?;
    let message = created(ours).with(marked_for_removal());
    Ok(from_pgw(message, asked.header.sequence))
}

pub(super) fn modified_by_pgw(planes: &mut Planes, interface: Interface) -> Result<Prepared> {
    let (ue, ours) = made_through(planes)?;
    let message = message::modify(caller(interface, 5), ue);
    let request = message.with(ie(IeType::RAT_TYPE, 0, &[6]));
    let sequence = asked_of_pgw(planes, &request)?;
    let accepted = || cause(Cause::REQUEST_ACCEPTED);
    let context = bearer(0, vec![ie(IeType::EBI, 0, &[5]), accepted()]);
    let kind = MessageType::MODIFY_BEARER_RESPONSE;
    let ies = vec![accepted(), context, marked_for_removal()];
    let message = Message::new(kind, Some(ours), ies);
    Ok(from_pgw(message, sequence))
}

pub(super) fn deleted_by_pgw(planes: &mut Planes, _: Interface) -> Result<Prepared> {
    let (ue, ours) = made_through(planes)?;
    let sequence = asked_of_pgw(planes, &delete_told(ue))?;
    let kind = MessageType::DELETE_SESSION_RESPONSE;
    let recovery = ie(IeType::RECOVERY, 0, &[COUNTER]);
    let ies = vec![cause(Cause::REQUEST_ACCEPTED), recovery];
    Ok(from_pgw(Message::new(kind, Some(ours), ies), sequence))
}

/// The PGW wants the PDN connection gone.
pub(super) fn delete_bearer_by_pgw(planes: &mut Planes, _: Interface) -> Result<Prepared> {
    let (_, ours) = made_through(planes)?;
    let kind = MessageType::DELETE_BEARER_REQUEST;
    let failed = vec![ie(IeType::EBI, 0, &[6]), cause(Cause::UE_REFUSES)];
    let ies = vec![ie(IeType::EBI, 0, &[5]), bearer(0, failed)];
    Ok(from_pgw(Message::new(kind, Some(ours), ies), SEQUENCE))
}

/// The MME answers what it was asked on the PGW's behalf.
pub(super) fn deleted_by_mme(planes: &mut Planes, interface: Interface) -> Result<Prepared> {
    let wanted = delete_bearer_by_pgw(planes, interface)?;
    planes.deliver(&wanted.message.encode(wanted.sequence), PGW);
    let (_, sequence) = next_of(planes, MessageType::DELETE_BEARER_REQUEST)?;
    let kind = MessageType::DELETE_BEARER_RESPONSE;
    Ok(Prepared {
        sequence,
        ..request(Message::new(kind, Some(0), deleted_bearer()))
    })
}
