//! Typed views of the values of information elements: each reads from octets and writes them back.

mod address;
mod apn;
mod identity;
mod session;

pub use address::{EndUserAddress, PdpType, gsn_address, gsn_address_octets};
pub use apn::{APN_MAX_BYTES, Apn};
pub use identity::{Imei, Imsi, Msisdn, Rai};
pub(crate) use identity::{count_digits, write_digits};
pub use session::{
    ApnRestriction, BackOffTime, CommonFlags, EvolvedArp, MsTimeZone, Nsapi, PrivateExtension,
    QosProfile, RatType, SelectionMode, UserLocation,
};

use super::ValueError;

/// The only octet of a value.
///
/// # Errors
///
/// When there is none. Further octets of a TLV value are an extension of a later release and ignored (TS 29.060 11.1.6).
pub fn octet(what: &'static str, value: &[u8]) -> Result<u8, ValueError> {
    value
        .first()
        .copied()
        .ok_or(ValueError::Length { what, have: 0 })
}

/// A value of four octets: a tunnel endpoint identifier or a charging id.
///
/// # Errors
///
/// When there are not four.
pub fn number(what: &'static str, value: &[u8]) -> Result<u32, ValueError> {
    array(what, value).map(u32::from_be_bytes)
}

/// A value of exactly `N` octets.
pub(crate) fn array<const N: usize>(
    what: &'static str,
    value: &[u8],
) -> Result<[u8; N], ValueError> {
    value.try_into().map_err(|_| ValueError::Length {
        what,
        have: value.len(),
    })
}
