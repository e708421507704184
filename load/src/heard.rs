//! What a datagram says, whichever the version.

use gtp::peek::peek;
use gtp::{v1, v2};

use crate::Interface;
use crate::interface::Kind;

/// One datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    /// An Echo Request.
    Echo { sequence: u32 },
    /// An answer to a request of ours.
    Answer(Answer),
    /// The gateway ends a call: that of the bearer, where there may be several.
    Ends {
        sequence: u32,
        teid: u32,
        bearer: Option<u8>,
    },
    /// A message of a version that is not spoken on this interface.
    OtherVersion { sequence: u32 },
    /// Anything else.
    Unknown,
}

/// An answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    /// What was asked for.
    pub kind: Kind,
    pub sequence: u32,
    /// Our tunnel endpoint.
    pub teid: u32,
    pub cause: Option<u8>,
    /// The gateway's tunnel endpoint for signalling.
    pub control: Option<u32>,
    /// The gateway's restart counter.
    pub recovery: Option<u8>,
}

/// What this datagram says on this interface.
pub(crate) fn hear(interface: Interface, datagram: &[u8]) -> Heard {
    match interface {
        Interface::Gn => hear_v1(datagram),
        Interface::S5 => hear_v2(datagram, 1),
        Interface::S11 => hear_v2(datagram, 0),
    }
}

fn hear_v1(datagram: &[u8]) -> Heard {
    use v1::MessageType;
    let Ok(message) = v1::Message::parse(datagram) else {
        return Heard::Unknown;
    };
    let Some(sequence) = message.header.sequence.map(u32::from) else {
        return Heard::Unknown;
    };
    let teid = message.header.teid;
    let kind = match message.header.kind {
        MessageType::ECHO_REQUEST => return Heard::Echo { sequence },
        MessageType::DELETE_PDP_CONTEXT_REQUEST => {
            return Heard::Ends {
                sequence,
                teid,
                bearer: None,
            };
        }
        MessageType::CREATE_PDP_CONTEXT_RESPONSE => Kind::Create,
        MessageType::UPDATE_PDP_CONTEXT_RESPONSE => Kind::Update,
        MessageType::DELETE_PDP_CONTEXT_RESPONSE => Kind::Delete,
        _ => return Heard::Unknown,
    };
    let (ies, _) = v1::IeSet::parse_prefix(message.body);
    let octet = |of| ies.get(of).and_then(|value| value.first().copied());
    let control = ies.get(v1::IeType::TEID_CONTROL_PLANE);
    let number = |value| v1::value::number("TEID Control Plane", value).ok();
    Heard::Answer(Answer {
        kind,
        sequence,
        teid,
        cause: octet(v1::IeType::CAUSE),
        control: control.and_then(number),
        recovery: octet(v1::IeType::RECOVERY),
    })
}

/// The gateway's endpoint is the F-TEID with instance 1 where it is a PGW's, with 0 where it is an SGW's (TS 29.274 table
/// 7.2.2-1).
fn hear_v2(datagram: &[u8], control: u8) -> Heard {
    use v2::{IeType, MessageType};
    let message = match v2::Message::parse(datagram) {
        Ok(message) => message,
        Err(v2::HeaderError::Version { .. }) => return other_version(datagram),
        Err(_) => return Heard::Unknown,
    };
    let sequence = message.header.sequence;
    let teid = message.header.teid.unwrap_or(0);
    let kind = match message.header.kind {
        MessageType::ECHO_REQUEST => return Heard::Echo { sequence },
        MessageType::DELETE_BEARER_REQUEST => {
            let (ies, _) = v2::IeSet::parse_prefix(message.body);
            let linked = ies.get(IeType::EBI, 0);
            let linked = linked.and_then(|value| v2::Ebi::parse(value).ok());
            return Heard::Ends {
                sequence,
                teid,
                bearer: Some(linked.map_or(0, v2::Ebi::number)),
            };
        }
        MessageType::CREATE_SESSION_RESPONSE => Kind::Create,
        MessageType::MODIFY_BEARER_RESPONSE => Kind::Update,
        MessageType::RELEASE_ACCESS_BEARERS_RESPONSE => Kind::Release,
        MessageType::DELETE_SESSION_RESPONSE => Kind::Delete,
        _ => return Heard::Unknown,
    };
    let (ies, _) = v2::IeSet::parse_prefix(message.body);
    let octet = |of| ies.get(of, 0).and_then(|value| value.first().copied());
    let endpoint = ies.get(IeType::F_TEID, control);
    Heard::Answer(Answer {
        kind,
        sequence,
        teid,
        cause: octet(IeType::CAUSE),
        control: endpoint.and_then(|value| Some(v2::FTeid::parse(value).ok()?.teid)),
        recovery: octet(IeType::RECOVERY),
    })
}

/// A message of another version is told so; what tells us so is not (TS 29.274 7.7.2).
fn other_version(datagram: &[u8]) -> Heard {
    match peek(datagram) {
        Some(header) if header.kind != v2::MessageType::VERSION_NOT_SUPPORTED.0 => {
            Heard::OtherVersion {
                sequence: header.sequence.unwrap_or(0) & v2::MAX_SEQUENCE,
            }
        }
        Some(_) | None => Heard::Unknown,
    }
}
