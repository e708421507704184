//! GTPv1-C (TS 29.060): header, information elements, typed values, writer.

mod cause;
mod error;
mod header;
mod ie;
mod message;
pub mod value;
mod writer;

pub use cause::Cause;
pub use error::{HeaderError, IeError, ValueError, WriteError};
pub use header::{Extensions, Header, Message};
pub use ie::{Ie, IeSet, IeType, Ies};
pub use message::MessageType;
pub use value::{
    Apn, ApnRestriction, BackOffTime, CommonFlags, EndUserAddress, EvolvedArp, Imei, Imsi,
    MsTimeZone, Msisdn, Nsapi, PdpType, PrivateExtension, QosProfile, Rai, RatType, SelectionMode,
    UserLocation,
};
pub use writer::Writer;

/// Octets of the part of the header that every message has (TS 29.060 6).
pub const HEADER_BYTES: usize = 8;

/// Octets of a header with any of E, S, PN set: sequence number, N-PDU number and next extension header type are then
/// all there (TS 29.060 6).
pub const LONG_HEADER_BYTES: usize = 12;

/// Longest message that is read or written, whole. Unit: octets. No procedure on Gn comes near it.
pub const MAX_MESSAGE_BYTES: usize = 4096;

/// Most information elements in one message.
pub const MAX_IES: usize = 64;

/// Most extension headers in one message.
pub const MAX_EXTENSIONS: usize = 8;

#[cfg(test)]
mod tests;
