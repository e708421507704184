//! Small values of a session (TS 29.274 8.8, 8.27, 8.30, 8.65, 8.88).

use std::time::Duration;

use super::{ValueError, front, octet};

/// EPS Bearer ID: names a bearer of a UE (TS 29.274 8.8). 5 to 15 are for use, and 1 to 4 where both sides say so
/// (TS 24.007 11.2.3.1.5); 0 stands for a bearer that has none yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ebi(u8);

/// Delay Value: how long a notification is to be delayed, in steps of 50 ms (TS 29.274 8.27).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct DelayValue(pub u8);

/// Node Type: which of the two that hold a UE in common (TS 29.274 8.65).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NodeType(pub u8);

impl Ebi {
    /// The lowest that is not reserved, and so the default bearer of most.
    pub const FIRST: Self = Self(5);
    /// The highest number.
    pub const MAX: u8 = 15;

    /// This number.
    ///
    /// # Errors
    ///
    /// When it has more than four bits.
    pub fn new(number: u8) -> Result<Self, ValueError> {
        match number <= Self::MAX {
            true => Ok(Self(number)),
            false => Err(ValueError::Range {
                what: "EPS Bearer ID",
                value: u32::from(number),
            }),
        }
    }

    /// Reads the value of an EBI element; its upper half is spare.
    ///
    /// # Errors
    ///
    /// When it is empty.
    pub fn parse(value: &[u8]) -> Result<Self, ValueError> {
        Self::new(octet("EPS Bearer ID", value)? & 0xF)
    }

    /// Its number.
    pub fn number(self) -> u8 {
        self.0
    }
}

impl DelayValue {
    /// Reads the value of a Delay Value element.
    ///
    /// # Errors
    ///
    /// When it is empty.
    pub fn parse(value: &[u8]) -> Result<Self, ValueError> {
        octet("Delay Value", value).map(Self)
    }

    /// How long it is.
    pub fn duration(self) -> Duration {
        Duration::from_millis(50 * u64::from(self.0))
    }
}

impl NodeType {
    /// MME.
    pub const MME: Self = Self(0);
    /// SGSN.
    pub const SGSN: Self = Self(1);
}

/// Reads the value of a Charging Characteristics element: two octets of bits (TS 29.274 8.30, TS 32.251 annex A).
///
/// # Errors
///
/// When there are fewer.
pub fn charging_characteristics(value: &[u8]) -> Result<u16, ValueError> {
    front("Charging Characteristics", value).map(u16::from_be_bytes)
}

/// Reads the value of a Signalling Priority Indication element: LAPI, the UE signals with low access priority (TS 29.274
/// 8.88).
///
/// # Errors
///
/// When it is empty.
pub fn low_access_priority(value: &[u8]) -> Result<bool, ValueError> {
    Ok(octet("Signalling Priority Indication", value)? & 1 != 0)
}
