//! Why octets were not understood, or a message could not be written.

use thiserror::Error;

/// Why a datagram is no GTPv1-C message (TS 29.060 11.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum HeaderError {
    /// Fewer octets than the header needs (11.1.2: discarded silently).
    #[error("{have} octets are too few for a header")]
    TooShort {
        /// Octets of the datagram.
        have: usize,
    },
    /// More octets than any message may have here.
    #[error("{have} octets are more than the {max} of the longest message", max = super::MAX_MESSAGE_BYTES)]
    TooLong {
        /// Octets of the datagram.
        have: usize,
    },
    /// Not version 1 (11.1.1: answered with Version Not Supported).
    #[error("version {version} is not 1")]
    Version {
        /// The version field.
        version: u8,
    },
    /// Protocol type 0 is GTP', the charging protocol.
    #[error("protocol type 0 is not GTP")]
    NotGtp,
    /// The length field and the datagram disagree (11.1.2).
    #[error("length field says {says} octets after the header's first eight, there are {have}")]
    Length {
        /// What the length field says.
        says: usize,
        /// Octets after the first eight.
        have: usize,
    },
    /// An extension header of length 0, or one that runs over the end (TS 29.281 5.2.1).
    #[error("extension header {kind:#04x} does not fit")]
    Extension {
        /// Its type.
        kind: u8,
    },
    /// More extension headers than any message may have here.
    #[error("more than {max} extension headers", max = super::MAX_EXTENSIONS)]
    TooManyExtensions,
}

/// Why the information elements of a message could not all be told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum IeError {
    /// An element runs over the end of the message (TS 29.060 11.1.6).
    #[error("information element {kind} needs {needs} octets, {have} are left")]
    Overrun {
        /// Its type.
        kind: u8,
        /// Octets it needs after its type (and length).
        needs: usize,
        /// Octets left.
        have: usize,
    },
    /// A type below 128 that no table has: its length is unknown, so nothing after it can be read.
    #[error("information element {kind} has a fixed length that is unknown here")]
    UnknownTv {
        /// Its type.
        kind: u8,
    },
    /// More elements than any message may have here.
    #[error("more than {max} information elements", max = super::MAX_IES)]
    TooMany,
}

/// Why the value of an information element is not what its type asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ValueError {
    /// The value's length is not one that the type may have.
    #[error("{what} may not have {have} octets")]
    Length {
        /// Which value.
        what: &'static str,
        /// Its octets.
        have: usize,
    },
    /// A semi-octet that is no digit, or a digit after the filler.
    #[error("{what} holds a semi-octet that is no digit")]
    Digit {
        /// Which value.
        what: &'static str,
    },
    /// A number outside what the type allows.
    #[error("{what} may not be {value}")]
    Range {
        /// Which value.
        what: &'static str,
        /// The number.
        value: u32,
    },
    /// An access point name whose labels do not add up, or hold what no name may hold.
    #[error("access point name has a label that is empty, too long or not printable")]
    Label,
}

/// Why a message could not be finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum WriteError {
    /// The elements make more octets than any message may have here.
    #[error("the message is longer than {max} octets", max = super::MAX_MESSAGE_BYTES)]
    TooLong,
    /// A value that its information element can't carry.
    #[error(transparent)]
    Value(#[from] ValueError),
}
