//! Who calls: IMSI, MSISDN, IMEI, routeing area. Digits are packed two to an octet, the first in the low half
//! (TS 29.060 7.7.2, TS 23.003).

use std::fmt;

use super::{ValueError, array};

/// What stands where there is no digit.
const FILLER: u8 = 0xF;

/// International Mobile Subscriber Identity: 6 to 15 digits (TS 29.060 7.7.2, TS 23.003 2.2).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Imsi([u8; 8]);

/// International Mobile Equipment Identity, with or without its software version: 15 or 16 digits (TS 29.060 7.7.53).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Imei([u8; 8]);

/// MS international PSTN/ISDN number: an octet of numbering plan, then up to 15 digits (TS 29.060 7.7.33).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Msisdn<'a>(&'a [u8]);

/// Routeing Area Identity (TS 29.060 7.7.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rai {
    /// Mobile country code and mobile network code as they are packed.
    pub plmn: [u8; 3],
    /// Location area code.
    pub lac: u16,
    /// Routeing area code.
    pub rac: u8,
}

impl Imsi {
    /// Fewest digits: country code, network code and one more.
    pub const MIN_DIGITS: u8 = 6;
    /// Most digits.
    pub const MAX_DIGITS: u8 = 15;

    /// Reads the value of an IMSI element.
    ///
    /// # Errors
    ///
    /// When it is not 8 octets, or not 6 to 15 digits with fillers behind.
    pub fn parse(value: &[u8]) -> Result<Self, ValueError> {
        let octets = array::<8>("IMSI", value)?;
        let digits = count_digits("IMSI", &octets)?;
        check_digits("IMSI", digits, Self::MIN_DIGITS, Self::MAX_DIGITS)?;
        Ok(Self(octets))
    }

    /// Reads the value of an IMSI element of GTPv2-C, which has no more octets than its digits need (TS 29.274 8.3).
    ///
    /// # Errors
    ///
    /// When it is more than 8 octets, or not 6 to 15 digits with fillers behind.
    pub fn parse_short(value: &[u8]) -> Result<Self, ValueError> {
        let mut octets = [0xFF; 8];
        let Some(front) = octets.get_mut(..value.len()) else {
            return Err(ValueError::Length {
                what: "IMSI",
                have: value.len(),
            });
        };
        front.copy_from_slice(value);
        Self::parse(&octets)
    }

    /// The value of the element of GTPv2-C: as many octets as the digits need.
    pub fn short_octets(&self) -> &[u8] {
        &self.0[..usize::from(self.digit_count()).div_ceil(2)]
    }

    /// From a number written with that many digits, zeros in front.
    ///
    /// # Errors
    ///
    /// When `digits` is not 6 to 15, or the number has more.
    pub fn from_number(number: u64, digits: u8) -> Result<Self, ValueError> {
        check_digits("IMSI", digits, Self::MIN_DIGITS, Self::MAX_DIGITS)?;
        let mut octets = [0xFF; 8];
        let mut rest = number;
        for at in (0..usize::from(digits)).rev() {
            set_digit(&mut octets, at, (rest % 10) as u8);
            rest /= 10;
        }
        match rest {
            0 => Ok(Self(octets)),
            _ => Err(ValueError::Length {
                what: "IMSI",
                have: usize::from(digits) + 1,
            }),
        }
    }

    /// From decimal text.
    ///
    /// # Errors
    ///
    /// When it is not 6 to 15 decimal digits.
    pub fn from_text(text: &str) -> Result<Self, ValueError> {
        let digits = text.len();
        let number = text
            .bytes()
            .all(|byte| byte.is_ascii_digit())
            .then(|| text.parse::<u64>().ok())
            .flatten()
            .ok_or(ValueError::Digit { what: "IMSI" })?;
        Self::from_number(number, u8::try_from(digits).unwrap_or(u8::MAX))
    }

    /// The value of the element.
    pub fn octets(&self) -> [u8; 8] {
        self.0
    }

    /// The number its digits make.
    pub fn number(&self) -> u64 {
        digits(&self.0).fold(0, |number, digit| number * 10 + u64::from(digit))
    }

    /// How many digits it has.
    pub fn digit_count(&self) -> u8 {
        digits(&self.0).count() as u8
    }
}

impl Imei {
    /// Reads the value of an IMEI(SV) element.
    ///
    /// # Errors
    ///
    /// When it is not 8 octets, or not 14 to 16 digits with fillers behind.
    pub fn parse(value: &[u8]) -> Result<Self, ValueError> {
        let octets = array::<8>("IMEI", value)?;
        let digits = count_digits("IMEI", &octets)?;
        check_digits("IMEI", digits, 14, 16)?;
        Ok(Self(octets))
    }

    /// The value of the element.
    pub fn octets(&self) -> [u8; 8] {
        self.0
    }
}

impl<'a> Msisdn<'a> {
    /// Reads the value of an MSISDN element.
    ///
    /// # Errors
    ///
    /// When it is not 1 to 9 octets, or holds what is no digit.
    pub fn parse(value: &'a [u8]) -> Result<Self, ValueError> {
        let Some((_, packed)) = value.split_first().filter(|_| value.len() <= 9) else {
            return Err(ValueError::Length {
                what: "MSISDN",
                have: value.len(),
            });
        };
        count_digits("MSISDN", packed)?;
        Ok(Self(value))
    }

    /// The value of the element.
    pub fn octets(&self) -> &'a [u8] {
        self.0
    }
}

impl Rai {
    /// Reads the value of an RAI element.
    ///
    /// # Errors
    ///
    /// When it is not 6 octets.
    pub fn parse(value: &[u8]) -> Result<Self, ValueError> {
        let [p0, p1, p2, l0, l1, rac] = array::<6>("RAI", value)?;
        Ok(Self {
            plmn: [p0, p1, p2],
            lac: u16::from_be_bytes([l0, l1]),
            rac,
        })
    }

    /// The value of the element.
    pub fn octets(&self) -> [u8; 6] {
        let [p0, p1, p2] = self.plmn;
        let [l0, l1] = self.lac.to_be_bytes();
        [p0, p1, p2, l0, l1, self.rac]
    }
}

impl fmt::Display for Imsi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_digits(f, &self.0)
    }
}

impl fmt::Debug for Imsi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Imsi({self})")
    }
}

impl fmt::Display for Imei {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_digits(f, &self.0)
    }
}

impl fmt::Debug for Imei {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Imei({self})")
    }
}

impl fmt::Display for Msisdn<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_digits(f, self.0.get(1..).unwrap_or_default())
    }
}

impl fmt::Debug for Msisdn<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Msisdn({self})")
    }
}

/// The semi-octets, the low one of each octet first.
fn halves(packed: &[u8]) -> impl Iterator<Item = u8> + '_ {
    packed.iter().flat_map(|octet| [octet & 0xF, octet >> 4])
}

/// The digits before the first filler.
fn digits(packed: &[u8]) -> impl Iterator<Item = u8> + '_ {
    halves(packed).take_while(|half| *half != FILLER)
}

/// Counts digits; behind them there may be fillers only.
pub(crate) fn count_digits(what: &'static str, packed: &[u8]) -> Result<u8, ValueError> {
    let count = digits(packed).count();
    let well_formed = digits(packed).all(|half| half < 10)
        && halves(packed).skip(count).all(|half| half == FILLER);
    match well_formed {
        true => Ok(count as u8),
        false => Err(ValueError::Digit { what }),
    }
}

fn check_digits(what: &'static str, have: u8, least: u8, most: u8) -> Result<(), ValueError> {
    match (least..=most).contains(&have) {
        true => Ok(()),
        false => Err(ValueError::Length {
            what,
            have: usize::from(have),
        }),
    }
}

fn set_digit(octets: &mut [u8; 8], at: usize, digit: u8) {
    let octet = &mut octets[at / 2];
    *octet = match at % 2 {
        0 => *octet & 0xF0 | digit,
        _ => *octet & 0x0F | digit << 4,
    };
}

pub(crate) fn write_digits(f: &mut fmt::Formatter<'_>, packed: &[u8]) -> fmt::Result {
    digits(packed).try_for_each(|digit| write!(f, "{digit}"))
}
