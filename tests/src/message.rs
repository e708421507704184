//! GTPv2-C messages in the making, whose elements can be taken out, changed, doubled and moved.

use std::net::IpAddr;

use gtp::v2::value::APN_MAX_BYTES;
use gtp::v2::{Apn, Cause, CauseIe, FTeid, IeType, Imsi, InterfaceType, MessageType, Paa, PdnType};

use crate::planes::CONTROL;

/// An element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ie {
    /// Its type.
    pub kind: IeType,
    /// Its instance.
    pub instance: u8,
    /// What it carries.
    pub content: Content,
}

/// What an element carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// A value.
    Octets(Vec<u8>),
    /// Elements.
    Group(Vec<Ie>),
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its type.
    pub kind: MessageType,
    /// The receiver's endpoint; none: a header without one.
    pub teid: Option<u32>,
    /// Its elements.
    pub ies: Vec<Ie>,
}

/// An element with a value.
pub fn ie(kind: IeType, instance: u8, value: &[u8]) -> Ie {
    Ie {
        kind,
        instance,
        content: Content::Octets(value.to_vec()),
    }
}

/// A bearer context.
pub fn bearer(instance: u8, ies: Vec<Ie>) -> Ie {
    Ie {
        kind: IeType::BEARER_CONTEXT,
        instance,
        content: Content::Group(ies),
    }
}

/// An F-TEID.
pub fn fteid(instance: u8, interface: InterfaceType, teid: u32, address: IpAddr) -> Ie {
    let mut octets = [0; FTeid::MAX_BYTES];
    let len = FTeid::new(interface, teid, address).write(&mut octets);
    ie(IeType::F_TEID, instance, &octets[..len])
}

/// A Cause.
pub fn cause(cause: Cause) -> Ie {
    let mut octets = [0; CauseIe::MAX_BYTES];
    let len = CauseIe::new(cause).write(&mut octets);
    ie(IeType::CAUSE, 0, &octets[..len])
}

/// A subscriber's number.
pub fn imsi(subscriber: u64) -> Imsi {
    let number = 240_010_000_000_000 + subscriber;
    Imsi::from_number(number, 15).expect("the number has 15 digits")
}

/// An Access Point Name.
pub fn apn(name: &str) -> Ie {
    let mut octets = [0; APN_MAX_BYTES];
    let apn = Apn::encode(name, &mut octets).expect("the names here can be coded");
    ie(IeType::APN, 0, apn.octets())
}

impl Message {
    /// A message with these elements.
    pub fn new(kind: MessageType, teid: Option<u32>, ies: Vec<Ie>) -> Self {
        Self { kind, teid, ies }
    }

    /// With one more element.
    #[must_use]
    pub fn with(mut self, more: Ie) -> Self {
        self.ies.push(more);
        self
    }

    /// Its octets.
    pub fn encode(&self, sequence: u32) -> Vec<u8> {
        let flag = if self.teid.is_some() { 8 } else { 0 };
        let mut octets = vec![0x40 | flag, self.kind.0, 0, 0];
        if let Some(teid) = self.teid {
            octets.extend_from_slice(&teid.to_be_bytes());
        }
        let [_, s0, s1, s2] = sequence.to_be_bytes();
        octets.extend_from_slice(&[s0, s1, s2, 0]);
        encode(&self.ies, &mut octets);
        let length = (octets.len() - 4) as u16;
        octets[2..4].copy_from_slice(&length.to_be_bytes());
        octets
    }
}

fn encode(ies: &[Ie], out: &mut Vec<u8>) {
    for ie in ies {
        let at = out.len();
        out.extend_from_slice(&[ie.kind.0, 0, 0, ie.instance]);
        match &ie.content {
            Content::Octets(value) => out.extend_from_slice(value),
            Content::Group(inner) => encode(inner, out),
        }
        let length = (out.len() - at - 4) as u16;
        out[at + 1..at + 3].copy_from_slice(&length.to_be_bytes());
    }
}

/// The interface that a session's signalling comes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Interface {
    /// From an SGW.
    S5,
    /// From a trusted WLAN's gateway.
    S2a,
    /// From an ePDG.
    S2b,
    /// From an MME.
    S11,
}

impl Interface {
    /// Its name in the specification.
    pub fn name(self) -> &'static str {
        match self {
            Self::S5 => "S5/S8",
            Self::S2a => "S2a",
            Self::S2b => "S2b",
            Self::S11 => "S11",
        }
    }

    /// The sender's endpoint for signalling.
    pub fn control(self) -> InterfaceType {
        match self {
            Self::S5 => InterfaceType::S5S8_SGW_C,
            Self::S2a => InterfaceType::S2A_TWAN_C,
            Self::S2b => InterfaceType::S2B_EPDG_C,
            Self::S11 => InterfaceType::S11_MME_C,
        }
    }

    /// The sender's endpoint for user data, and its instance in a bearer context to be created (TS 29.274 table
    /// 7.2.1-2).
    pub fn user(self) -> (InterfaceType, u8) {
        match self {
            Self::S5 => (InterfaceType::S5S8_SGW_U, 2),
            Self::S2a => (InterfaceType::S2A_TWAN_U, 6),
            Self::S2b => (InterfaceType::S2B_EPDG_U, 5),
            Self::S11 => (InterfaceType::S1U_ENB_U, 0),
        }
    }

    /// Instance of our endpoint for signalling in a Create Session Response: S11 has one of its own.
    pub fn our_control(self) -> u8 {
        match self {
            Self::S5 | Self::S2a | Self::S2b => 1,
            Self::S11 => 0,
        }
    }
}

/// Who asks for a session, and where it is.
#[derive(Clone, Copy, Debug)]
pub struct Caller {
    /// The subscriber.
    pub subscriber: u64,
    /// The default bearer.
    pub ebi: u8,
    /// The interface.
    pub interface: Interface,
    /// The sender.
    pub peer: IpAddr,
    /// Its endpoint for signalling; the one for user data has the next number.
    pub teid: u32,
}

/// A Create Session Request for IPv4, with everything in it that the specification wants.
pub fn create(caller: Caller, name: &str) -> Message {
    let Caller {
        interface,
        peer,
        teid,
        ..
    } = caller;
    let (user, instance) = interface.user();
    let mut paa = [0; Paa::MAX_BYTES];
    let len = Paa::dynamic(PdnType::Ipv4).write(&mut paa);
    let mut qos = [0; 22];
    (qos[0], qos[1]) = (9 << 2, 9);
    let mut ies = vec![
        ie(IeType::IMSI, 0, imsi(caller.subscriber).short_octets()),
        ie(IeType::SERVING_NETWORK, 0, &[0x42, 0xF0, 0x10]),
        ie(IeType::RAT_TYPE, 0, &[6]),
        fteid(0, interface.control(), teid, peer),
        apn(name),
        ie(IeType::SELECTION_MODE, 0, &[0]),
        ie(IeType::PDN_TYPE, 0, &[1]),
        ie(IeType::PAA, 0, &paa[..len]),
        ie(IeType::APN_RESTRICTION, 0, &[0]),
        ie(IeType::AMBR, 0, &[0; 8]),
        bearer(
            0,
            vec![
                ie(IeType::EBI, 0, &[caller.ebi]),
                fteid(instance, user, teid + 1, peer),
                ie(IeType::BEARER_QOS, 0, &qos),
            ],
        ),
    ];
    if interface == Interface::S11 {
        let pgw = fteid(1, InterfaceType::S5S8_PGW_C, 0, CONTROL.into());
        ies.insert(4, pgw);
    }
    Message::new(MessageType::CREATE_SESSION_REQUEST, Some(0), ies)
}

/// A Modify Bearer Request by which another SGW has the session, or on S11 an eNodeB.
pub fn modify(caller: Caller, session: u32) -> Message {
    let (user, instance) = match caller.interface {
        Interface::S11 => (InterfaceType::S1U_ENB_U, 0),
        Interface::S5 | Interface::S2a | Interface::S2b => (InterfaceType::S5S8_SGW_U, 1),
    };
    let context = vec![
        ie(IeType::EBI, 0, &[caller.ebi]),
        fteid(instance, user, caller.teid + 1, caller.peer),
    ];
    let sender = fteid(0, caller.interface.control(), caller.teid, caller.peer);
    let ies = vec![sender, bearer(0, context)];
    Message::new(MessageType::MODIFY_BEARER_REQUEST, Some(session), ies)
}

/// A Delete Session Request.
pub fn delete(session: u32, ebi: u8) -> Message {
    let linked = ie(IeType::EBI, 0, &[ebi]);
    Message::new(
        MessageType::DELETE_SESSION_REQUEST,
        Some(session),
        vec![linked],
    )
}
