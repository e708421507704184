//! MSISDN and network (TS 29.274 8.11, 8.18).

use std::fmt;

use super::{ValueError, front};
use crate::v1::value::{count_digits, write_digits};

/// MSISDN: up to 15 digits of an international number, without the octet of numbering plan that GTPv1 has in front
/// (TS 29.274 8.11).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Msisdn<'a>(&'a [u8]);

/// Public land mobile network: mobile country code and mobile network code, as they are packed (TS 29.274 8.18).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Plmn(pub [u8; 3]);

impl<'a> Msisdn<'a> {
    /// Most octets: 15 digits and a filler.
    pub const MAX_BYTES: usize = 8;

    /// Reads the value of an MSISDN element.
    ///
    /// # Errors
    ///
    /// When it is not 1 to 8 octets, or holds what is no digit.
    pub fn parse(value: &'a [u8]) -> Result<Self, ValueError> {
        if !(1..=Self::MAX_BYTES).contains(&value.len()) {
            return Err(ValueError::Length {
                what: "MSISDN",
                have: value.len(),
            });
        }
        count_digits("MSISDN", value)?;
        Ok(Self(value))
    }

    /// The value of the element.
    pub fn octets(&self) -> &'a [u8] {
        self.0
    }
}

impl Plmn {
    /// Of a three-digit country code and a network code of two or three digits, as text.
    ///
    /// # Errors
    ///
    /// When a code has another length, or holds what is no digit.
    pub fn from_text(country: &str, network: &str) -> Result<Self, ValueError> {
        const WHAT: &str = "PLMN";
        let wrong = |have| ValueError::Length { what: WHAT, have };
        let digit = |octet: u8| match octet.is_ascii_digit() {
            true => Ok(octet - b'0'),
            false => Err(ValueError::Digit { what: WHAT }),
        };
        let &[c1, c2, c3] = country.as_bytes() else {
            return Err(wrong(country.len()));
        };
        let (n1, n2, n3) = match *network.as_bytes() {
            [n1, n2] => (digit(n1)?, digit(n2)?, 0xF),
            [n1, n2, n3] => (digit(n1)?, digit(n2)?, digit(n3)?),
            _ => return Err(wrong(network.len())),
        };
        Ok(Self([
            digit(c2)? << 4 | digit(c1)?,
            n3 << 4 | digit(c3)?,
            n2 << 4 | n1,
        ]))
    }

    /// Reads the value of a Serving Network element. Its digits are not looked at.
    ///
    /// # Errors
    ///
    /// When it has fewer than 3 octets.
    pub fn parse(value: &[u8]) -> Result<Self, ValueError> {
        front("Serving Network", value).map(Self)
    }
}

impl fmt::Display for Msisdn<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_digits(f, self.0)
    }
}

impl fmt::Debug for Msisdn<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Msisdn({self})")
    }
}

/// Country code, then network code, each semi-octet in hexadecimal: what is no digit shows.
impl fmt::Display for Plmn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c] = self.0;
        let (c1, c2, c3) = (a & 0xF, a >> 4, b & 0xF);
        write!(f, "{c1:x}{c2:x}{c3:x}{:x}{:x}", c & 0xF, c >> 4)?;
        match b >> 4 {
            0xF => Ok(()),
            n3 => write!(f, "{n3:x}"),
        }
    }
}

impl fmt::Debug for Plmn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Plmn({self})")
    }
}
