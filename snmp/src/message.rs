//! Messages of SNMPv1 (RFC 1157), SNMPv2c (RFC 1901) and SNMPv3 (RFC 3412), octets to values and back.
//!
//! `rasn` reads BER; here are what writes it, the shapes that the rest of the engine works with, and the bounds. Octets from
//! outside are decoded whole or not at all: nothing may follow a message in its datagram.

mod ber;
mod community;
mod notification;
mod pdu;
mod size;
mod v3;
mod wire;

use thiserror::Error;

pub use community::CommunityMessage;
pub use notification::{Notification, SNMP_TRAP_ENTERPRISE, SNMP_TRAP_OID, SYS_UP_TIME, v1_trap};
pub use pdu::{Kind, Pdu, Status};
pub use size::{community_room, encoded_len, v3_room};
pub use v3::{Flags, Header, Scoped, ScopedData, SecurityParameters, V3Message};

/// Longest datagram that is read or written, in octets: what UDP over IPv4 carries.
pub const MESSAGE_MAX_BYTES: usize = 65_507;

/// Shortest message that every engine takes, in octets (RFC 3412 section 6.3); a smaller msgMaxSize is an error.
pub const MESSAGE_MIN_BYTES: usize = 484;

/// Version field of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// SNMPv1, 0 on the wire.
    V1,
    /// SNMPv2c, 1 on the wire.
    V2c,
    /// SNMPv3, 3 on the wire.
    V3,
}

/// Why octets are not a message.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum DecodeError {
    /// Longer than [`MESSAGE_MAX_BYTES`].
    #[error("{0} octets, at most {MESSAGE_MAX_BYTES} are taken")]
    TooLong(usize),
    /// A version that is none of the three.
    #[error("unknown version")]
    Version,
    /// Not BER, or not of this shape: a wrong tag, a length past the end, octets left over, a number out of range.
    #[error("malformed: {0}")]
    Malformed(&'static str),
    /// A Trap-PDU of SNMPv1, which is for managers only.
    #[error("a trap of SNMPv1")]
    V1Trap,
}

/// Why something can't be sent.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum EncodeError {
    /// SNMPv1 has no Counter64 (RFC 3584 section 3.2).
    #[error("SNMPv1 has no Counter64")]
    Counter64,
    /// SNMPv1 has no such operation.
    #[error("SNMPv1 has no such operation")]
    NotInV1,
    /// Longer than what the other side, or UDP, takes, in octets.
    #[error("{bytes} octets, at most {max} are sent")]
    TooLong {
        /// What it would have.
        bytes: usize,
        /// What is allowed.
        max: usize,
    },
    /// A value that BER can't hold.
    #[error("can't be encoded: {0}")]
    Unencodable(String),
}

/// Version of a message, before anything else of it is read.
pub fn version_of(bytes: &[u8]) -> Result<Version, DecodeError> {
    if bytes.len() > MESSAGE_MAX_BYTES {
        return Err(DecodeError::TooLong(bytes.len()));
    }
    let (message, rest) = wire::element(bytes, wire::SEQUENCE)?;
    if !rest.is_empty() {
        return Err(DecodeError::Malformed("octets after the message"));
    }
    let (version, _) = wire::element(message, wire::INTEGER)?;
    match version {
        [0] => Ok(Version::V1),
        [1] => Ok(Version::V2c),
        [3] => Ok(Version::V3),
        [] => Err(DecodeError::Malformed("a number without octets")),
        _ => Err(DecodeError::Version),
    }
}
