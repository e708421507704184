//! The requests of the model's peers, and what their answers say.

use std::net::IpAddr;

use anyhow::{Context, Result};
use gtp::v1::{self, EndUserAddress, Nsapi, PdpType, SelectionMode};
use gtp::v2::{self, CauseIe, FTeid, IeType, Indication, InterfaceType, MessageType};

use super::model::{Known, Via};
use crate::message::{self, Caller, Ie, Message, bearer, fteid, ie, imsi};

/// A QoS profile of R97.
const QOS: [u8; 4] = [2, 0x0B, 0x92, 0x1F];

/// An answer, as far as it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub cause: u8,
    /// Our endpoint for signalling, if it tells one.
    pub ours: u32,
}

impl Answer {
    pub(crate) fn is_accepted(&self, via: Via) -> bool {
        match via {
            Via::Gn => v1::Cause(self.cause).is_accepted(),
            Via::V2(_) => v2::Cause(self.cause).is_accepted(),
        }
    }
}

/// Who sends, from where, and what restart counter it tells.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sender {
    pub address: IpAddr,
    pub counter: u8,
}

fn nsapi(number: u8) -> Nsapi {
    Nsapi::new(number).expect("the numbers here have four bits")
}

fn written(octets: Vec<u8>, result: Result<(), v1::WriteError>) -> Vec<u8> {
    result.expect("the requests here fit");
    octets
}

/// A Create PDP Context Request.
pub(crate) fn create_v1(call: &Known, apn: &str, from: Sender, sequence: u16) -> Vec<u8> {
    let mut octets = Vec::new();
    let kind = v1::MessageType::CREATE_PDP_CONTEXT_REQUEST;
    let mut writer = v1::Writer::new(&mut octets, kind, 0, sequence);
    writer
        .imsi(imsi(call.subscriber))
        .recovery(from.counter)
        .selection_mode(SelectionMode::Verified)
        .teid_data(call.theirs + 1)
        .teid_control(call.theirs)
        .nsapi(nsapi(call.number))
        .end_user_address(&EndUserAddress::dynamic(PdpType::Ipv4))
        .apn(apn)
        .gsn_address(from.address)
        .gsn_address(from.address)
        .qos_profile(&QOS);
    let result = writer.finish().map(drop);
    written(octets, result)
}

/// An Update PDP Context Request of an SGSN.
pub(crate) fn update_v1(session: &Known, from: Sender, theirs: u32, sequence: u16) -> Vec<u8> {
    let mut octets = Vec::new();
    let kind = v1::MessageType::UPDATE_PDP_CONTEXT_REQUEST;
    let mut writer = v1::Writer::new(&mut octets, kind, session.ours, sequence);
    writer
        .recovery(from.counter)
        .teid_data(theirs + 1)
        .teid_control(theirs)
        .nsapi(nsapi(session.number))
        .gsn_address(from.address)
        .gsn_address(from.address)
        .qos_profile(&QOS);
    let result = writer.finish().map(drop);
    written(octets, result)
}

/// A Delete PDP Context Request.
pub(crate) fn delete_v1(session: &Known, sequence: u16) -> Vec<u8> {
    let mut octets = Vec::new();
    let kind = v1::MessageType::DELETE_PDP_CONTEXT_REQUEST;
    let mut writer = v1::Writer::new(&mut octets, kind, session.ours, sequence);
    writer.teardown(true).nsapi(nsapi(session.number));
    let result = writer.finish().map(drop);
    written(octets, result)
}

fn recovery(from: Sender) -> Ie {
    ie(IeType::RECOVERY, 0, &[from.counter])
}

fn caller(session: &Known, interface: message::Interface, from: Sender, theirs: u32) -> Caller {
    Caller {
        subscriber: session.subscriber,
        ebi: session.number,
        interface,
        peer: from.address,
        teid: theirs,
    }
}

/// A Create Session Request; `named`: the endpoint that it goes to, `pgw`: where the MME wants it.
pub(crate) fn create_v2(
    call: &Known,
    interface: message::Interface,
    apn: &str,
    from: Sender,
    (named, pgw): (u32, IpAddr),
    handed_over: bool,
) -> Message {
    let mut request = message::create(caller(call, interface, from, call.theirs), apn);
    request.teid = Some(named);
    let is_pgw = |ie: &&mut Ie| (ie.kind, ie.instance) == (IeType::F_TEID, 1);
    for ie in request.ies.iter_mut().filter(is_pgw) {
        *ie = fteid(1, InterfaceType::S5S8_PGW_C, 0, pgw);
    }
    let request = request.with(recovery(from));
    if !handed_over {
        return request;
    }
    let flags = Indication::default().with(Indication::HI);
    request.with(ie(IeType::INDICATION, 0, flags.octets()))
}

/// A Modify Bearer Request of an SGW, ePDG, TWAN or MME.
pub(crate) fn modify(
    session: &Known,
    interface: message::Interface,
    from: Sender,
    theirs: u32,
) -> Message {
    let caller = caller(session, interface, from, theirs);
    message::modify(caller, session.ours).with(recovery(from))
}

/// A Delete Session Request; the PGW is told, where there is one.
pub(crate) fn delete_v2(session: &Known, tells_pgw: bool) -> Message {
    let request = message::delete(session.ours, session.number);
    let flags = Indication::default().with(Indication::OI);
    match tells_pgw {
        true => request.with(ie(IeType::INDICATION, 0, flags.octets())),
        false => request,
    }
}

/// A PGW's Create Session Response to this endpoint: it accepts, with all that it must tell or with nothing, or refuses.
pub(crate) fn created(answer: PgwAnswer, to: u32, number: u8, pgw: IpAddr, teid: u32) -> Message {
    let accepted = || message::cause(v2::Cause::REQUEST_ACCEPTED);
    let endpoint = fteid(1, InterfaceType::S5S8_PGW_C, teid, pgw);
    let ies = match answer {
        PgwAnswer::Refuses => vec![message::cause(v2::Cause::NO_RESOURCES_AVAILABLE)],
        PgwAnswer::AcceptsHalf => vec![accepted(), endpoint],
        PgwAnswer::Accepts => vec![
            accepted(),
            endpoint,
            ie(IeType::PAA, 0, &[1, 10, 9, 8, 7]),
            bearer(
                0,
                vec![
                    ie(IeType::EBI, 0, &[number]),
                    accepted(),
                    fteid(2, InterfaceType::S5S8_PGW_U, teid + 1, pgw),
                ],
            ),
        ],
    };
    Message::new(MessageType::CREATE_SESSION_RESPONSE, Some(to), ies)
}

/// What a PGW answers to a Create Session Request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PgwAnswer {
    Accepts,
    /// Without what it must tell.
    AcceptsHalf,
    Refuses,
}

/// A PGW's Delete Session Response.
pub(crate) fn deleted(cause: v2::Cause) -> Message {
    let kind = MessageType::DELETE_SESSION_RESPONSE;
    Message::new(kind, Some(0), vec![message::cause(cause)])
}

/// A PGW's Delete Bearer Request for a default bearer.
pub(crate) fn delete_bearer(ours: u32, number: u8) -> Message {
    let linked = ie(IeType::EBI, 0, &[number]);
    let kind = MessageType::DELETE_BEARER_REQUEST;
    Message::new(kind, Some(ours), vec![linked])
}

/// A Release Access Bearers Request.
pub(crate) fn release_access_bearers(session: &Known) -> Message {
    let kind = MessageType::RELEASE_ACCESS_BEARERS_REQUEST;
    Message::new(kind, Some(session.ours), Vec::new())
}

/// An Echo Request or Response by GTPv2.
pub(crate) fn echo_v2(kind: MessageType, from: Sender) -> Message {
    Message::new(kind, None, vec![recovery(from)])
}

/// An Echo Response by GTPv1.
pub(crate) fn echo_response_v1(from: Sender, sequence: u16) -> Vec<u8> {
    let mut octets = Vec::new();
    let kind = v1::MessageType::ECHO_RESPONSE;
    let mut writer = v1::Writer::new(&mut octets, kind, 0, sequence);
    writer.recovery(from.counter);
    let result = writer.finish().map(drop);
    written(octets, result)
}

/// A Delete PDP Context Response with this cause.
pub(crate) fn deleted_v1(cause: v1::Cause, teid: u32, sequence: u16) -> Vec<u8> {
    let mut octets = Vec::new();
    let kind = v1::MessageType::DELETE_PDP_CONTEXT_RESPONSE;
    let mut writer = v1::Writer::new(&mut octets, kind, teid, sequence);
    writer.cause(cause);
    let result = writer.finish().map(drop);
    written(octets, result)
}

/// A Delete Bearer Response with this cause.
pub(crate) fn deleted_v2(cause: v2::Cause, teid: u32) -> Message {
    let kind = MessageType::DELETE_BEARER_RESPONSE;
    Message::new(kind, Some(teid), vec![message::cause(cause)])
}

/// Reads an answer to one of these.
pub(crate) fn read(octets: &[u8], via: Via) -> Result<Answer> {
    match via {
        Via::Gn => {
            let message = v1::Message::parse(octets)?;
            let ies = message.ie_set()?;
            let cause = ies.get(v1::IeType::CAUSE).context("no cause")?;
            let ours = ies.get(v1::IeType::TEID_CONTROL_PLANE);
            let ours = ours.and_then(|value| value.try_into().ok());
            Ok(Answer {
                cause: *cause.first().context("empty")?,
                ours: ours.map_or(0, u32::from_be_bytes),
            })
        }
        Via::V2(interface) => {
            let message = v2::Message::parse(octets)?;
            let ies = message.ie_set()?;
            let cause = ies.get(IeType::CAUSE, 0).context("no cause")?;
            let ours = ies.get(IeType::F_TEID, interface.our_control());
            let ours = ours.and_then(|value| FTeid::parse(value).ok());
            Ok(Answer {
                cause: CauseIe::parse(cause)?.cause.0,
                ours: ours.map_or(0, |fteid| fteid.teid),
            })
        }
    }
}
