//! Between the types of `rasn` and ours, and the little BER that is read by hand.

use std::net::Ipv4Addr;

use rasn::types::{Any, Integer, ObjectIdentifier, OctetString};
use rasn_smi::v1::ToOpaque;
use rasn_smi::{v1 as smi1, v2 as smi2};
use rasn_snmp::{v1, v2};

use super::{DecodeError, EncodeError};
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

pub fn encode<T: rasn::Encode>(value: &T) -> Result<Vec<u8>, EncodeError> {
    rasn::ber::encode(value).map_err(|error| EncodeError::Unencodable(error.to_string()))
}

pub fn number<T: TryFrom<Integer>>(integer: Integer) -> Decoded<T> {
    T::try_from(integer).map_err(|_| DecodeError::Malformed("a number out of range"))
}

pub fn oid(oid: &Oid) -> ObjectIdentifier {
    ObjectIdentifier::new_unchecked(oid.arcs().to_vec().into())
}

fn oid_from(oid: &ObjectIdentifier) -> Decoded<Oid> {
    let arcs: &[u32] = oid.as_ref();
    Oid::new(arcs).map_err(|_| DecodeError::Malformed("an object identifier out of range"))
}

pub fn octets_from(octets: &OctetString) -> Vec<u8> {
    octets.as_ref().to_vec()
}

fn opaque(octets: Vec<u8>) -> Result<smi1::Opaque, EncodeError> {
    let opaque = Any::new(octets).to_opaque();
    opaque.map_err(|error| EncodeError::Unencodable(error.to_string()))
}

pub fn v2_bindings(varbinds: Vec<VarBind>) -> Result<v2::VarBindList, EncodeError> {
    let bind = |varbind: VarBind| {
        Ok(v2::VarBind {
            name: oid(&varbind.name),
            value: v2_value(varbind.value)?,
        })
    };
    varbinds.into_iter().map(bind).collect()
}

fn v2_value(value: Value) -> Result<v2::VarBindValue, EncodeError> {
    use smi2::{ApplicationSyntax as App, SimpleSyntax as Simple};
    let simple = |value| v2::VarBindValue::Value(smi2::ObjectSyntax::Simple(value));
    let wide = |value| v2::VarBindValue::Value(smi2::ObjectSyntax::ApplicationWide(value));
    Ok(match value {
        Value::Integer(value) => simple(Simple::Integer(value.into())),
        Value::OctetString(octets) => simple(Simple::String(octets.into())),
        Value::ObjectIdentifier(value) => simple(Simple::ObjectId(oid(&value))),
        Value::IpAddress(address) => wide(App::Address(ip(address))),
        Value::Counter32(value) => wide(App::Counter(smi1::Counter(value))),
        Value::Gauge32(value) => wide(App::Unsigned(smi1::Gauge(value))),
        Value::TimeTicks(value) => wide(App::Ticks(smi1::TimeTicks(value))),
        Value::Opaque(octets) => wide(App::Arbitrary(opaque(octets)?)),
        Value::Counter64(value) => wide(App::BigCounter(smi2::Counter64(value))),
        Value::Unspecified => v2::VarBindValue::Unspecified,
        Value::NoSuchObject => v2::VarBindValue::NoSuchObject,
        Value::NoSuchInstance => v2::VarBindValue::NoSuchInstance,
        Value::EndOfMibView => v2::VarBindValue::EndOfMibView,
    })
}

pub fn ip(address: Ipv4Addr) -> smi1::IpAddress {
    smi1::IpAddress(address.octets().into())
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

pub fn v1_bindings(varbinds: Vec<VarBind>) -> Result<v1::VarBindList, EncodeError> {
    let bind = |varbind: VarBind| {
        Ok(v1::VarBind {
            name: oid(&varbind.name),
            value: v1_value(varbind.value)?,
        })
    };
    varbinds.into_iter().map(bind).collect()
}

fn v1_value(value: Value) -> Result<smi1::ObjectSyntax, EncodeError> {
    use smi1::{ApplicationSyntax as App, NetworkAddress, SimpleSyntax as Simple};
    let simple = smi1::ObjectSyntax::Simple;
    let wide = smi1::ObjectSyntax::ApplicationWide;
    Ok(match value {
        Value::Integer(value) => simple(Simple::Number(value.into())),
        Value::OctetString(octets) => simple(Simple::String(octets.into())),
        Value::ObjectIdentifier(value) => simple(Simple::Object(oid(&value))),
        Value::IpAddress(address) => wide(App::Address(NetworkAddress::Internet(ip(address)))),
        Value::Counter32(value) => wide(App::Counter(smi1::Counter(value))),
        Value::Gauge32(value) => wide(App::Gauge(smi1::Gauge(value))),
        Value::TimeTicks(value) => wide(App::Ticks(smi1::TimeTicks(value))),
        Value::Opaque(octets) => wide(App::Arbitrary(opaque(octets)?)),
        Value::Counter64(_) => return Err(EncodeError::Counter64),
        Value::Unspecified => simple(Simple::Empty),
        Value::NoSuchObject | Value::NoSuchInstance | Value::EndOfMibView => {
            return Err(EncodeError::NotInV1);
        }
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
