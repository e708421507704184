//! From the types of `rasn` to ours, and the little BER that is read by hand.

use std::net::Ipv4Addr;

use rasn::types::{Integer, ObjectIdentifier, OctetString};
use rasn_smi::{v1 as smi1, v2 as smi2};
use rasn_snmp::{v1, v2};

use super::DecodeError;
use crate::{Oid, Value, VarBind};

pub const INTEGER: u8 = 0x02;
pub const OCTET_STRING: u8 = 0x04;
pub const SEQUENCE: u8 = 0x30;

type Decoded<T> = Result<T, DecodeError>;

/// Contents of the element with this tag at the beginning of the octets, and what follows it. Only definite lengths are
/// taken (RFC 3417 section 8), with as many octets as the sender liked, up to four.
pub fn element(bytes: &[u8], tag: u8) -> Decoded<(&[u8], &[u8])> {
    let truncated = DecodeError::Malformed("truncated");
    let [found, first, rest @ ..] = bytes else {
        return Err(truncated);
    };
    if *found != tag {
        return Err(DecodeError::Malformed("an unexpected tag"));
    }
    let (length, rest) = match *first {
        short @ 0..=0x7f => (usize::from(short), rest),
        long @ 0x81..=0x84 => {
            let (octets, rest) = rest
                .split_at_checked(usize::from(long & 0x7f))
                .ok_or(truncated.clone())?;
            let length = octets
                .iter()
                .fold(0, |n, octet| n << 8 | usize::from(*octet));
            (length, rest)
        }
        _ => return Err(DecodeError::Malformed("a length that SNMP doesn't allow")),
    };
    rest.split_at_checked(length).ok_or(truncated)
}

/// Decodes all of the octets; what may follow is for the caller to say.
pub fn decode<T: rasn::Decode>(bytes: &[u8], what: &'static str) -> Decoded<T> {
    match rasn::ber::decode_with_remainder(bytes) {
        Ok((value, [])) => Ok(value),
        Ok(_) => Err(DecodeError::Malformed("octets after the message")),
        Err(_) => Err(DecodeError::Malformed(what)),
    }
}

pub fn number<T: TryFrom<Integer>>(integer: Integer) -> Decoded<T> {
    T::try_from(integer).map_err(|_| DecodeError::Malformed("a number out of range"))
}

fn oid_from(oid: &ObjectIdentifier) -> Decoded<Oid> {
    let arcs: &[u32] = oid.as_ref();
    Oid::new(arcs).map_err(|_| DecodeError::Malformed("an object identifier out of range"))
}

pub fn octets_from(octets: &OctetString) -> Vec<u8> {
    octets.as_ref().to_vec()
}

fn ip_from(address: &smi1::IpAddress) -> Ipv4Addr {
    Ipv4Addr::from(*address.0)
}

pub fn from_v2_bindings(bindings: v2::VarBindList) -> Decoded<Vec<VarBind>> {
    let bind = |binding: v2::VarBind| {
        let value = match binding.value {
            v2::VarBindValue::Value(value) => from_v2_value(value)?,
            v2::VarBindValue::Unspecified => Value::Unspecified,
            v2::VarBindValue::NoSuchObject => Value::NoSuchObject,
            v2::VarBindValue::NoSuchInstance => Value::NoSuchInstance,
            v2::VarBindValue::EndOfMibView => Value::EndOfMibView,
        };
        Ok(VarBind::new(oid_from(&binding.name)?, value))
    };
    bindings.into_iter().map(bind).collect()
}

fn from_v2_value(value: smi2::ObjectSyntax) -> Decoded<Value> {
    use smi2::{ApplicationSyntax as App, ObjectSyntax, SimpleSyntax as Simple};
    Ok(match value {
        ObjectSyntax::Simple(Simple::Integer(value)) => Value::Integer(number(value)?),
        ObjectSyntax::Simple(Simple::String(octets)) => Value::OctetString(octets_from(&octets)),
        ObjectSyntax::Simple(Simple::ObjectId(oid)) => Value::ObjectIdentifier(oid_from(&oid)?),
        ObjectSyntax::ApplicationWide(wide) => match wide {
            App::Address(address) => Value::IpAddress(ip_from(&address)),
            App::Counter(value) => Value::Counter32(value.0),
            App::Ticks(value) => Value::TimeTicks(value.0),
            App::Arbitrary(octets) => Value::Opaque(octets.as_ref().to_vec()),
            App::BigCounter(value) => Value::Counter64(value.0),
            App::Unsigned(value) => Value::Gauge32(value.0),
        },
    })
}

pub fn from_v1_bindings(bindings: v1::VarBindList) -> Decoded<Vec<VarBind>> {
    let bind = |binding: v1::VarBind| {
        let value = from_v1_value(binding.value)?;
        Ok(VarBind::new(oid_from(&binding.name)?, value))
    };
    bindings.into_iter().map(bind).collect()
}

fn from_v1_value(value: smi1::ObjectSyntax) -> Decoded<Value> {
    use smi1::{
        ApplicationSyntax as App, NetworkAddress::Internet, ObjectSyntax, SimpleSyntax as Simple,
    };
    Ok(match value {
        ObjectSyntax::Simple(Simple::Number(value)) => Value::Integer(number(value)?),
        ObjectSyntax::Simple(Simple::String(octets)) => Value::OctetString(octets_from(&octets)),
        ObjectSyntax::Simple(Simple::Object(oid)) => Value::ObjectIdentifier(oid_from(&oid)?),
        ObjectSyntax::Simple(Simple::Empty) => Value::Unspecified,
        ObjectSyntax::ApplicationWide(wide) => match wide {
            App::Address(Internet(address)) => Value::IpAddress(ip_from(&address)),
            App::Counter(value) => Value::Counter32(value.0),
            App::Gauge(value) => Value::Gauge32(value.0),
            App::Ticks(value) => Value::TimeTicks(value.0),
            App::Arbitrary(octets) => Value::Opaque(octets.as_ref().to_vec()),
        },
    })
}
