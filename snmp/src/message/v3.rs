//! Messages of SNMPv3 (RFC 3412 section 6) with the parameters of USM (RFC 3414 section 2.4).

use std::ops::Range;

use rasn_snmp::v3;

use super::ber::{Backwards, written};
use super::wire::{self, decode, element, number, octets_from};
use super::{DecodeError, MESSAGE_MAX_BYTES, MESSAGE_MIN_BYTES, Pdu};

/// The only security model that is known: USM.
const USM: u32 = 3;

/// A message, before its security is looked at or after it is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct V3Message {
    /// What says how to read the rest.
    pub header: Header,
    /// Whose message it is, when, and the proof.
    pub security: SecurityParameters,
    /// In the clear or encrypted.
    pub data: ScopedData,
}

/// msgGlobalData.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// msgID: pairs an answer with its question; 0 to 2^31-1.
    pub id: i32,
    /// msgMaxSize: the longest message that its sender takes, in octets.
    pub max_size: u32,
    /// msgFlags.
    pub flags: Flags,
    /// msgSecurityModel.
    pub model: u32,
}

/// msgFlags, one octet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flags(pub u8);

impl Flags {
    /// Authenticated.
    pub const AUTH: u8 = 1;
    /// Encrypted.
    pub const PRIV: u8 = 2;
    /// A report is welcome.
    pub const REPORTABLE: u8 = 4;

    /// Whether the bit is set.
    pub fn has(self, bit: u8) -> bool {
        self.0 & bit != 0
    }
}

/// UsmSecurityParameters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SecurityParameters {
    /// Engine whose clock and keys count; empty in a question for it.
    pub engine_id: Vec<u8>,
    /// How often that engine has started.
    pub boots: u32,
    /// Seconds since it last did.
    pub time: u32,
    /// Name of the user.
    pub user: Vec<u8>,
    /// The MAC; as many zeros while it is computed.
    pub mac: Vec<u8>,
    /// The salt of the encryption.
    pub salt: Vec<u8>,
}

/// msgData.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScopedData {
    /// In the clear.
    Plain(Scoped),
    /// The octets of a [`Scoped`], encrypted.
    Encrypted(Vec<u8>),
}

/// ScopedPDU: a PDU and the context that it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scoped {
    /// contextEngineID.
    pub engine_id: Vec<u8>,
    /// contextName; we have the default one, which is empty.
    pub context: Vec<u8>,
    /// What is asked or told.
    pub pdu: Pdu,
}

impl V3Message {
    /// Decodes a message. A security model other than USM leaves the parameters empty: the header says so.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let message: v3::Message = decode(bytes, "not a message of SNMPv3")?;
        let header = Header::from_wire(message.global_data)?;
        let security = match header.model {
            USM => SecurityParameters::from_wire(&message.security_parameters)?,
            _ => SecurityParameters::default(),
        };
        let data = match message.scoped_data {
            v3::ScopedPduData::CleartextPdu(scoped) => ScopedData::Plain(Scoped::of(scoped)?),
            v3::ScopedPduData::EncryptedPdu(octets) => ScopedData::Encrypted(octets_from(&octets)),
        };
        Ok(Self {
            header,
            security,
            data,
        })
    }

    /// Its octets.
    pub fn encode(&self) -> Vec<u8> {
        written(|out| {
            out.sequence(|out| {
                match &self.data {
                    ScopedData::Plain(scoped) => scoped.write(out),
                    ScopedData::Encrypted(octets) => out.octet_string(octets),
                }
                out.element(wire::OCTET_STRING, |out| self.security.write(out));
                self.header.write(out);
                out.integer(3);
            });
        })
    }

    /// Where the MAC is in the octets of a message.
    pub fn mac_in(bytes: &[u8]) -> Result<Range<usize>, DecodeError> {
        let (message, _) = element(bytes, wire::SEQUENCE)?;
        let (_, rest) = element(message, wire::INTEGER)?;
        let (_, rest) = element(rest, wire::SEQUENCE)?;
        let (security, after_security) = element(rest, wire::OCTET_STRING)?;
        let (fields, after_fields) = element(security, wire::SEQUENCE)?;
        let (_, rest) = element(fields, wire::OCTET_STRING)?;
        let (_, rest) = element(rest, wire::INTEGER)?;
        let (_, rest) = element(rest, wire::INTEGER)?;
        let (_, rest) = element(rest, wire::OCTET_STRING)?;
        let (mac, after_mac) = element(rest, wire::OCTET_STRING)?;
        let end = bytes.len() - after_security.len() - after_fields.len() - after_mac.len();
        Ok(end - mac.len()..end)
    }
}

impl Header {
    /// A header of ours: USM, and the longest message that we take.
    pub fn ours(id: i32, flags: Flags) -> Self {
        Self {
            id,
            max_size: MESSAGE_MAX_BYTES as u32,
            flags,
            model: USM,
        }
    }

    /// Whether the security model is the one that is known.
    pub fn is_usm(&self) -> bool {
        self.model == USM
    }

    fn write(&self, out: &mut Backwards) {
        out.sequence(|out| {
            out.integer(self.model);
            out.octet_string(&[self.flags.0]);
            out.integer(self.max_size);
            out.integer(self.id);
        });
    }

    fn from_wire(header: v3::HeaderData) -> Result<Self, DecodeError> {
        let [flags] = *header.flags.as_ref() else {
            return Err(DecodeError::Malformed("msgFlags is one octet"));
        };
        let id: i32 = number(header.message_id)?;
        let max_size: i32 = number(header.max_size)?;
        let model: i32 = number(header.security_model)?;
        if id < 0 || model < 1 {
            return Err(DecodeError::Malformed("a number out of range"));
        }
        let max_size = u32::try_from(max_size).unwrap_or(0);
        if (max_size as usize) < MESSAGE_MIN_BYTES {
            return Err(DecodeError::Malformed("msgMaxSize is at least 484"));
        }
        Ok(Self {
            id,
            max_size,
            flags: Flags(flags),
            model: model.unsigned_abs(),
        })
    }
}

impl SecurityParameters {
    fn write(&self, out: &mut Backwards) {
        out.sequence(|out| {
            out.octet_string(&self.salt);
            out.octet_string(&self.mac);
            out.octet_string(&self.user);
            out.integer(self.time);
            out.integer(self.boots);
            out.octet_string(&self.engine_id);
        });
    }

    fn from_wire(bytes: &[u8]) -> Result<Self, DecodeError> {
        let what = "not the parameters of USM";
        let wire: v3::USMSecurityParameters = decode(bytes, what)?;
        let boots: i32 = number(wire.authoritative_engine_boots)?;
        let time: i32 = number(wire.authoritative_engine_time)?;
        let user = octets_from(&wire.user_name);
        if boots < 0 || time < 0 || user.len() > 32 {
            return Err(DecodeError::Malformed(what));
        }
        Ok(Self {
            engine_id: octets_from(&wire.authoritative_engine_id),
            boots: boots.unsigned_abs(),
            time: time.unsigned_abs(),
            user,
            mac: octets_from(&wire.authentication_parameters),
            salt: octets_from(&wire.privacy_parameters),
        })
    }
}

impl Scoped {
    /// Decodes the octets that were encrypted.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        Self::of(decode(bytes, "not a scoped PDU")?)
    }

    /// Its octets, to be encrypted.
    pub fn encode(&self) -> Vec<u8> {
        written(|out| self.write(out))
    }

    fn write(&self, out: &mut Backwards) {
        out.sequence(|out| {
            self.pdu.write(out);
            out.octet_string(&self.context);
            out.octet_string(&self.engine_id);
        });
    }

    fn of(wire: v3::ScopedPdu) -> Result<Self, DecodeError> {
        Ok(Self {
            engine_id: octets_from(&wire.engine_id),
            context: octets_from(&wire.name),
            pdu: Pdu::from_v2(wire.data)?,
        })
    }
}
