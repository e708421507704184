//! Protocol data units: one shape for the three versions.

use rasn_snmp::{v1, v2};

use super::ber::Backwards;
use super::wire::{from_v1_bindings, from_v2_bindings, number};
use super::{DecodeError, EncodeError};
use crate::{Value, VarBind};

/// Tag of a trap of SNMPv1.
pub(super) const V1_TRAP: u8 = 0xa4;

/// What is asked, told or answered, about which objects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pdu {
    /// What it is.
    pub kind: Kind,
    /// Chosen by who asks, and the same in the answer.
    pub request_id: i32,
    /// Names, with values where something is told.
    pub varbinds: Vec<VarBind>,
}

/// The operations of RFC 3416; SNMPv1 has the first two, Set and Response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The values of these names.
    Get,
    /// What comes after these names.
    GetNext,
    /// The same, several times over.
    GetBulk {
        /// How many names at the beginning are asked for once only.
        non_repeaters: u32,
        /// How often the others are.
        max_repetitions: u32,
    },
    /// Change values.
    Set,
    /// The answer.
    Response {
        /// How it went.
        status: Status,
        /// Which varbind is to blame, from 1; 0 if none.
        index: u32,
    },
    /// A notification that is to be acknowledged.
    Inform,
    /// A notification, SNMPv2's way.
    Trap,
    /// One engine tells another, by the name of a counter, what is wrong with its message.
    Report,
}

/// Error status of a response (RFC 3416 section 3), as on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status(pub u32);

impl Status {
    /// No error.
    pub const NO_ERROR: Self = Self(0);
    /// The answer would be longer than may be sent.
    pub const TOO_BIG: Self = Self(1);
    /// SNMPv1: no such name, or not in the view.
    pub const NO_SUCH_NAME: Self = Self(2);
    /// SNMPv1: a value that can't be set.
    pub const BAD_VALUE: Self = Self(3);
    /// Something else went wrong.
    pub const GEN_ERR: Self = Self(5);
    /// Not in the view.
    pub const NO_ACCESS: Self = Self(6);
    /// Whoever asks has no view at all.
    pub const AUTHORIZATION_ERROR: Self = Self(16);
    /// Nothing with this name can be set, whatever the value.
    pub const NOT_WRITABLE: Self = Self(17);
}

impl Kind {
    /// On the wire.
    fn tag(self) -> u8 {
        match self {
            Self::Get => 0xa0,
            Self::GetNext => 0xa1,
            Self::Response { .. } => 0xa2,
            Self::Set => 0xa3,
            Self::GetBulk { .. } => 0xa5,
            Self::Inform => 0xa6,
            Self::Trap => 0xa7,
            Self::Report => 0xa8,
        }
    }
}

impl Pdu {
    /// An answer to this one.
    pub fn response(&self, status: Status, index: u32, varbinds: Vec<VarBind>) -> Self {
        Self {
            kind: Kind::Response { status, index },
            request_id: self.request_id,
            varbinds,
        }
    }

    /// Whether its sender waits for an answer (confirmed class, RFC 3411 section 2.8).
    pub fn is_confirmed(&self) -> bool {
        match self.kind {
            Kind::Get | Kind::GetNext | Kind::GetBulk { .. } | Kind::Set | Kind::Inform => true,
            Kind::Response { .. } | Kind::Trap | Kind::Report => false,
        }
    }

    pub(super) fn from_v2(pdus: v2::Pdus) -> Result<Self, DecodeError> {
        let (kind, pdu) = match pdus {
            v2::Pdus::GetRequest(v2::GetRequest(pdu)) => (Kind::Get, pdu),
            v2::Pdus::GetNextRequest(v2::GetNextRequest(pdu)) => (Kind::GetNext, pdu),
            v2::Pdus::SetRequest(v2::SetRequest(pdu)) => (Kind::Set, pdu),
            v2::Pdus::InformRequest(v2::InformRequest(pdu)) => (Kind::Inform, pdu),
            v2::Pdus::Trap(v2::Trap(pdu)) => (Kind::Trap, pdu),
            v2::Pdus::Report(v2::Report(pdu)) => (Kind::Report, pdu),
            v2::Pdus::Response(v2::Response(pdu)) => {
                let status = Status(pdu.error_status);
                let index = pdu.error_index;
                (Kind::Response { status, index }, pdu)
            }
            v2::Pdus::GetBulkRequest(v2::GetBulkRequest(bulk)) => {
                return Ok(Self {
                    kind: Kind::GetBulk {
                        non_repeaters: bulk.non_repeaters,
                        max_repetitions: bulk.max_repetitions,
                    },
                    request_id: bulk.request_id,
                    varbinds: from_v2_bindings(bulk.variable_bindings)?,
                });
            }
        };
        Ok(Self {
            kind,
            request_id: pdu.request_id,
            varbinds: from_v2_bindings(pdu.variable_bindings)?,
        })
    }

    /// As all versions have it.
    pub(super) fn write(&self, out: &mut Backwards) {
        let (one, other) = match self.kind {
            Kind::Response { status, index } => (status.0, index),
            Kind::GetBulk {
                non_repeaters,
                max_repetitions,
            } => (non_repeaters, max_repetitions),
            Kind::Get | Kind::GetNext | Kind::Set | Kind::Inform | Kind::Trap | Kind::Report => {
                (0, 0)
            }
        };
        out.element(self.kind.tag(), |out| {
            out.varbinds(&self.varbinds);
            out.integer(other);
            out.integer(one);
            out.integer(self.request_id);
        });
    }

    /// Whether SNMPv1 can say it.
    pub(super) fn check_v1(&self) -> Result<(), EncodeError> {
        check_v1(&self.varbinds)?;
        match self.kind {
            Kind::Get | Kind::GetNext | Kind::Set | Kind::Response { .. } => Ok(()),
            Kind::GetBulk { .. } | Kind::Inform | Kind::Trap | Kind::Report => {
                Err(EncodeError::NotInV1)
            }
        }
    }

    pub(super) fn from_v1(pdus: v1::Pdus) -> Result<Self, DecodeError> {
        let (kind, pdu) = match pdus {
            v1::Pdus::GetRequest(v1::GetRequest(pdu)) => (Kind::Get, pdu),
            v1::Pdus::GetNextRequest(v1::GetNextRequest(pdu)) => (Kind::GetNext, pdu),
            v1::Pdus::SetRequest(v1::SetRequest(pdu)) => (Kind::Set, pdu),
            v1::Pdus::GetResponse(v1::GetResponse(pdu)) => {
                let status = Status(number(pdu.error_status.clone())?);
                let index = number(pdu.error_index.clone())?;
                (Kind::Response { status, index }, pdu)
            }
            v1::Pdus::Trap(_) => return Err(DecodeError::V1Trap),
        };
        Ok(Self {
            kind,
            request_id: number(pdu.request_id)?,
            varbinds: from_v1_bindings(pdu.variable_bindings)?,
        })
    }
}

/// Whether SNMPv1 has a type for each of these values.
pub(super) fn check_v1(varbinds: &[VarBind]) -> Result<(), EncodeError> {
    varbinds.iter().try_for_each(|varbind| match varbind.value {
        Value::Counter64(_) => Err(EncodeError::Counter64),
        Value::NoSuchObject | Value::NoSuchInstance | Value::EndOfMibView => {
            Err(EncodeError::NotInV1)
        }
        Value::Integer(_)
        | Value::OctetString(_)
        | Value::ObjectIdentifier(_)
        | Value::IpAddress(_)
        | Value::Counter32(_)
        | Value::Gauge32(_)
        | Value::TimeTicks(_)
        | Value::Opaque(_)
        | Value::Unspecified => Ok(()),
    })
}
