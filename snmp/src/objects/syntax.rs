//! Types of objects.

use crate::Value;

/// Type of an object, as its MIB names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Syntax {
    /// Integer32.
    Integer32,
    /// INTEGER with names.
    Named(&'static [(&'static str, i32)]),
    /// TruthValue: true (1), false (2).
    TruthValue,
    /// DisplayString: printable ASCII, at most 255 octets.
    DisplayString,
    /// SnmpAdminString: UTF-8, at most 255 octets.
    SnmpAdminString,
    /// OCTET STRING.
    OctetString,
    /// SnmpEngineID.
    SnmpEngineId,
    /// DateAndTime: 8 or 11 octets.
    DateAndTime,
    /// OBJECT IDENTIFIER.
    ObjectIdentifier,
    /// IpAddress.
    IpAddress,
    /// Counter32.
    Counter32,
    /// Counter64.
    Counter64,
    /// Gauge32.
    Gauge32,
    /// Unsigned32.
    Unsigned32,
    /// TimeTicks.
    TimeTicks,
    /// TimeStamp: a sysUpTime.
    TimeStamp,
}

impl Syntax {
    /// As a MIB writes it; the names of an INTEGER are left out: see [`Self::named`].
    pub fn name(self) -> &'static str {
        match self {
            Self::Integer32 => "Integer32",
            Self::Named(_) => "INTEGER",
            Self::TruthValue => "TruthValue",
            Self::DisplayString => "DisplayString",
            Self::SnmpAdminString => "SnmpAdminString",
            Self::OctetString => "OCTET STRING",
            Self::SnmpEngineId => "SnmpEngineID",
            Self::DateAndTime => "DateAndTime",
            Self::ObjectIdentifier => "OBJECT IDENTIFIER",
            Self::IpAddress => "IpAddress",
            Self::Counter32 => "Counter32",
            Self::Counter64 => "Counter64",
            Self::Gauge32 => "Gauge32",
            Self::Unsigned32 => "Unsigned32",
            Self::TimeTicks => "TimeTicks",
            Self::TimeStamp => "TimeStamp",
        }
    }

    /// The names of an INTEGER, each written so with its number; none: it is another type.
    pub fn named(self, written: fn(&str, i32) -> String) -> Option<String> {
        let Self::Named(names) = self else {
            return None;
        };
        let names = names.iter().map(|(name, number)| written(name, *number));
        Some(names.collect::<Vec<_>>().join(", "))
    }

    /// Whether a value is of this type.
    pub fn admits(self, value: &Value) -> bool {
        match (self, value) {
            (Self::Integer32, Value::Integer(_))
            | (Self::OctetString, Value::OctetString(_))
            | (Self::ObjectIdentifier, Value::ObjectIdentifier(_))
            | (Self::IpAddress, Value::IpAddress(_))
            | (Self::Counter32, Value::Counter32(_))
            | (Self::Counter64, Value::Counter64(_))
            | (Self::Gauge32 | Self::Unsigned32, Value::Gauge32(_))
            | (Self::TimeTicks | Self::TimeStamp, Value::TimeTicks(_)) => true,
            (Self::Named(names), Value::Integer(n)) => names.iter().any(|(_, named)| named == n),
            (Self::TruthValue, Value::Integer(n)) => matches!(n, 1 | 2),
            (Self::DisplayString, Value::OctetString(text)) => text.is_ascii() && text.len() <= 255,
            (Self::SnmpAdminString, Value::OctetString(text)) => {
                text.len() <= 255 && std::str::from_utf8(text).is_ok()
            }
            (Self::SnmpEngineId, Value::OctetString(id)) => (5..=32).contains(&id.len()),
            (Self::DateAndTime, Value::OctetString(date)) => matches!(date.len(), 8 | 11),
            _ => false,
        }
    }
}
