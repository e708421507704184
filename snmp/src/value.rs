//! Values of objects, and their names beside them.

use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};

use crate::Oid;

/// A value as SMIv2 knows it (RFC 2578 section 7.1, RFC 3416 section 3), or what stands where there is none.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Value {
    /// INTEGER and Integer32, enumerations and TruthValue among them.
    Integer(i32),
    /// OCTET STRING: texts, DateAndTime, anything.
    OctetString(Vec<u8>),
    /// OBJECT IDENTIFIER.
    ObjectIdentifier(Oid),
    /// IpAddress.
    IpAddress(Ipv4Addr),
    /// Counter32: wraps.
    Counter32(u32),
    /// Gauge32 and Unsigned32, which are one type on the wire.
    Gauge32(u32),
    /// TimeTicks, in hundredths of a second: wraps.
    TimeTicks(u32),
    /// Opaque: octets that hold a value of another type; taken, never given.
    Opaque(Vec<u8>),
    /// Counter64: SNMPv1 has none.
    Counter64(u64),
    /// No value: what a request carries.
    Unspecified,
    /// There is no such type of object.
    NoSuchObject,
    /// There is such a type, but no such row.
    NoSuchInstance,
    /// Nothing comes after it.
    EndOfMibView,
}

impl Value {
    /// A text as an OCTET STRING.
    pub fn text(text: impl Into<String>) -> Self {
        Self::OctetString(text.into().into_bytes())
    }

    /// Whether it is one of the three answers that say that there is no value.
    pub fn is_exception(&self) -> bool {
        matches!(
            self,
            Self::NoSuchObject | Self::NoSuchInstance | Self::EndOfMibView
        )
    }
}

/// The name of an instance, and its value.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct VarBind {
    /// Of the instance: `.0` at the end if it is a scalar's.
    pub name: Oid,
    /// What it has.
    pub value: Value,
}

impl VarBind {
    /// A name and its value.
    pub fn new(name: Oid, value: Value) -> Self {
        Self { name, value }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_stands_for_no_value_is_an_exception() {
        let exceptions = [
            Value::NoSuchObject,
            Value::NoSuchInstance,
            Value::EndOfMibView,
        ];
        assert!(exceptions.iter().all(Value::is_exception));
        let values = [Value::Unspecified, Value::Integer(0), Value::text("")];
        assert!(!values.iter().any(Value::is_exception));
    }
}
