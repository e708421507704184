//! Protocol data units: one shape for the three versions.

use rasn_snmp::{v1, v2};

use super::wire::{from_v1_bindings, from_v2_bindings, number, v1_bindings, v2_bindings};
use super::{DecodeError, EncodeError};
use crate::VarBind;

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
    /// What its error status and index are on the wire.
    fn error(self) -> (u32, u32) {
        if let Self::Response { status, index } = self {
            return (status.0, index);
        }
        (0, 0)
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

    pub(super) fn into_v2(self) -> Result<v2::Pdus, EncodeError> {
        let (error_status, error_index) = self.kind.error();
        let request_id = self.request_id;
        let variable_bindings = v2_bindings(self.varbinds)?;
        if let Kind::GetBulk {
            non_repeaters,
            max_repetitions,
        } = self.kind
        {
            return Ok(v2::Pdus::GetBulkRequest(v2::GetBulkRequest(v2::BulkPdu {
                request_id,
                non_repeaters,
                max_repetitions,
                variable_bindings,
            })));
        }
        let pdu = v2::Pdu {
            request_id,
            error_status,
            error_index,
            variable_bindings,
        };
        Ok(match self.kind {
            Kind::Get => v2::Pdus::GetRequest(v2::GetRequest(pdu)),
            Kind::GetNext => v2::Pdus::GetNextRequest(v2::GetNextRequest(pdu)),
            Kind::Set => v2::Pdus::SetRequest(v2::SetRequest(pdu)),
            Kind::Inform => v2::Pdus::InformRequest(v2::InformRequest(pdu)),
            Kind::Trap => v2::Pdus::Trap(v2::Trap(pdu)),
            Kind::Report => v2::Pdus::Report(v2::Report(pdu)),
            Kind::Response { .. } | Kind::GetBulk { .. } => v2::Pdus::Response(v2::Response(pdu)),
        })
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

    pub(super) fn into_v1(self) -> Result<v1::Pdus, EncodeError> {
        let (status, index) = self.kind.error();
        let pdu = v1::Pdu {
            request_id: self.request_id.into(),
            error_status: status.into(),
            error_index: index.into(),
            variable_bindings: v1_bindings(self.varbinds)?,
        };
        match self.kind {
            Kind::Get => Ok(v1::Pdus::GetRequest(v1::GetRequest(pdu))),
            Kind::GetNext => Ok(v1::Pdus::GetNextRequest(v1::GetNextRequest(pdu))),
            Kind::Set => Ok(v1::Pdus::SetRequest(v1::SetRequest(pdu))),
            Kind::Response { .. } => Ok(v1::Pdus::GetResponse(v1::GetResponse(pdu))),
            Kind::GetBulk { .. } | Kind::Inform | Kind::Trap | Kind::Report => {
                Err(EncodeError::NotInV1)
            }
        }
    }
}
