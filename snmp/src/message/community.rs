//! Messages of SNMPv1 and SNMPv2c: a version, a community, a PDU.

use rasn_snmp::{v1, v2, v2c};

use super::ber::written;
use super::wire::{decode, octets_from};
use super::{DecodeError, EncodeError, Pdu};

/// A message with a community.
#[derive(Clone, PartialEq, Eq)]
pub struct CommunityMessage {
    /// SNMPv1 if so, SNMPv2c otherwise.
    pub is_v1: bool,
    /// Octets that let a manager in; a secret, as far as one goes that travels in the clear.
    pub community: Vec<u8>,
    /// What is asked or told.
    pub pdu: Pdu,
}

/// The community stays out of logs.
impl std::fmt::Debug for CommunityMessage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CommunityMessage")
            .field("is_v1", &self.is_v1)
            .field("pdu", &self.pdu)
            .finish_non_exhaustive()
    }
}

impl CommunityMessage {
    /// Decodes a message of SNMPv1.
    pub fn decode_v1(bytes: &[u8]) -> Result<Self, DecodeError> {
        let message: v1::Message<v1::Pdus> = decode(bytes, "not a message of SNMPv1")?;
        Ok(Self {
            is_v1: true,
            community: octets_from(&message.community),
            pdu: Pdu::from_v1(message.data)?,
        })
    }

    /// Decodes a message of SNMPv2c.
    pub fn decode_v2c(bytes: &[u8]) -> Result<Self, DecodeError> {
        let message: v2c::Message<v2::Pdus> = decode(bytes, "not a message of SNMPv2c")?;
        Ok(Self {
            is_v1: false,
            community: octets_from(&message.community),
            pdu: Pdu::from_v2(message.data)?,
        })
    }

    /// Its octets.
    pub fn encode(&self) -> Result<Vec<u8>, EncodeError> {
        if self.is_v1 {
            self.pdu.check_v1()?;
        }
        Ok(written(|out| {
            out.sequence(|out| {
                self.pdu.write(out);
                out.octet_string(&self.community);
                out.integer(if self.is_v1 { 0 } else { 1 });
            });
        }))
    }
}
