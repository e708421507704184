//! GTPv2-C (TS 29.274): header, information elements, typed values, writer.
//!
//! What has the same digits, labels or bits in both versions is one type: [`Imsi`], [`Imei`], [`Apn`] and a few small
//! ones come from [`v1`](crate::v1), so that a subscriber is the same whichever version the call came by.

mod cause;
mod error;
mod header;
mod ie;
mod message;
pub mod value;
mod writer;

pub use cause::Cause;
pub use error::{HeaderError, IeError, ValueError, WriteError};
pub use header::{Header, Message};
pub use ie::{Ie, IeSet, IeType, Ies};
pub use message::MessageType;
pub use value::{
    Ambr, Apn, ApnRestriction, Arp, BearerQos, CauseIe, CellId, DelayValue, Ebi, Ecgi, EpcTimer,
    ExtendedMacroEnb, FTeid, FlowQos, Imei, Imsi, Indication, IndicationFlag, InterfaceType, Lai,
    MacroEnb, MsTimeZone, Msisdn, NodeType, Offending, Paa, PdnType, Plmn, PrivateExtension,
    RatType, SelectionMode, Tai, UserLocation,
};
pub use writer::Writer;

/// Octets of a header without a TEID (TS 29.274 5.4).
pub const SHORT_HEADER_BYTES: usize = 8;

/// Octets of a header with a TEID (TS 29.274 5.5).
pub const HEADER_BYTES: usize = 12;

/// Octets in front of an element's value: type, length, spare half and instance (TS 29.274 8.2.1).
pub const IE_HEADER_BYTES: usize = 4;

/// Longest datagram that is read or written, a piggybacked message included. Unit: octets. No procedure on S11, S5/S8 or
/// S2 comes near it.
pub const MAX_MESSAGE_BYTES: usize = 4096;

/// Most information elements beside each other: in a message, or in one grouped element.
pub const MAX_IES: usize = 64;

/// How deep grouped elements may lie in each other. The deepest that is specified is a Bearer Context in a PDN
/// Connection (TS 29.274 table 7.3.1-2).
pub const MAX_DEPTH: u8 = 2;

/// Highest instance of an element (TS 29.274 8.2.1).
pub const MAX_INSTANCE: u8 = 15;

/// Highest sequence number: 24 bits (TS 29.274 5.5.1).
pub const MAX_SEQUENCE: u32 = 0x00FF_FFFF;

#[cfg(test)]
mod tests;
