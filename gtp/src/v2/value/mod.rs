//! Typed views of the values of information elements: each reads from octets and writes them back.
//!
//! Of a value that is longer than its type asks for, the known part is read: a later release may have extended it
//! (TS 29.274 7.7.7, 8.1). Protocol Configuration Options, traffic flow templates, FQ-CSIDs, and whatever else has no
//! view here, are octets that are passed on as they came.

mod address;
mod cause;
mod identity;
mod indication;
mod location;
mod qos;
mod session;

pub use address::{FTeid, InterfaceType, Paa, PdnType, ip_address, ip_address_octets};
pub use cause::{CauseIe, Offending};
pub use identity::{Msisdn, Plmn};
pub use indication::{Indication, IndicationFlag};
pub use location::{CellId, Ecgi, ExtendedMacroEnb, Lai, MacroEnb, Tai, UserLocation};
pub use qos::{Ambr, Arp, BearerQos, FlowQos};
pub use session::{DelayValue, Ebi, NodeType, charging_characteristics, low_access_priority};

pub use crate::v1::value::{
    APN_MAX_BYTES, Apn, ApnRestriction, BackOffTime as EpcTimer, Imei, Imsi, MsTimeZone,
    PrivateExtension, RatType, SelectionMode, octet,
};

use super::ValueError;

/// The first `N` octets of a value.
fn front<const N: usize>(what: &'static str, value: &[u8]) -> Result<[u8; N], ValueError> {
    value.first_chunk().copied().ok_or(ValueError::Length {
        what,
        have: value.len(),
    })
}

/// A value of four octets: a charging id (8.29) or the like.
///
/// # Errors
///
/// When there are fewer.
pub fn number(what: &'static str, value: &[u8]) -> Result<u32, ValueError> {
    front(what, value).map(u32::from_be_bytes)
}

/// Takes octets off the front of a value, and remembers how long it was for the error.
struct Reader<'a> {
    what: &'static str,
    have: usize,
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn new(what: &'static str, value: &'a [u8]) -> Self {
        Self {
            what,
            have: value.len(),
            rest: value,
        }
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], ValueError> {
        let (taken, rest) = self.rest.split_first_chunk().ok_or(ValueError::Length {
            what: self.what,
            have: self.have,
        })?;
        self.rest = rest;
        Ok(*taken)
    }
}

/// Puts octets together in an array that is large enough for every value of its type.
struct Octets<const MAX: usize> {
    octets: [u8; MAX],
    len: usize,
}

impl<const MAX: usize> Octets<MAX> {
    fn new() -> Self {
        Self {
            octets: [0; MAX],
            len: 0,
        }
    }

    fn put(&mut self, more: &[u8]) {
        self.octets[self.len..self.len + more.len()].copy_from_slice(more);
        self.len += more.len();
    }
}
