//! Why octets were not understood, or a message could not be written.

use thiserror::Error;

pub use crate::v1::ValueError;

/// Why a datagram is no GTPv2-C message (TS 29.274 7.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum HeaderError {
    /// Fewer octets than the header needs (7.7.3: discarded silently).
    #[error("{have} octets are too few for a header")]
    TooShort {
        /// Octets of the message.
        have: usize,
    },
    /// More octets than any datagram may have here.
    #[error("{have} octets are more than the {max} of the longest message", max = super::MAX_MESSAGE_BYTES)]
    TooLong {
        /// Octets of the datagram.
        have: usize,
    },
    /// Not version 2 (7.7.2: answered with Version Not Supported).
    #[error("version {version} is not 2")]
    Version {
        /// The version field.
        version: u8,
    },
    /// The length field and the datagram disagree (7.7.3: a request is answered with cause 67, Invalid length).
    #[error("length field says {says} octets after the header's first four, there are {have}")]
    Length {
        /// What the length field says.
        says: usize,
        /// Octets after the first four.
        have: usize,
    },
    /// The length field leaves no room for the rest of the header.
    #[error("length field says {says} octets, the header alone has {needs} after its first four")]
    LengthBelowHeader {
        /// What the length field says.
        says: usize,
        /// What the rest of the header needs.
        needs: usize,
    },
    /// P is set and nothing follows (5.5.1; cause 105).
    #[error("a piggybacked message is announced and is not there")]
    PiggybackMissing,
    /// P is set in a message that is itself piggybacked: there may be one only (5.5.1).
    #[error("a piggybacked message carries another")]
    PiggybackNested,
}

/// Why the information elements of a message could not all be told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum IeError {
    /// An element runs over the end of the message, or of the grouped element that it is in (TS 29.274 7.7.7).
    #[error("information element {kind} needs {needs} octets, {have} are left")]
    Overrun {
        /// Its type.
        kind: u8,
        /// Octets it needs after its type.
        needs: usize,
        /// Octets left after its type.
        have: usize,
    },
    /// More elements beside each other than may be here.
    #[error("more than {max} information elements", max = super::MAX_IES)]
    TooMany,
    /// Grouped elements deeper in each other than may be here.
    #[error("information elements more than {max} deep", max = super::MAX_DEPTH)]
    TooDeep,
}

/// Why a message could not be finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum WriteError {
    /// The elements make more octets than any message may have here.
    #[error("the message is longer than {max} octets", max = super::MAX_MESSAGE_BYTES)]
    TooLong,
    /// Grouped elements deeper in each other than may be here.
    #[error("information elements more than {max} deep", max = super::MAX_DEPTH)]
    TooDeep,
    /// What a message is to be piggybacked on is not one whole message without a piggybacked one.
    #[error("there is no single whole message to piggyback on")]
    Piggyback,
    /// A value that its information element, or the header, can't carry.
    #[error(transparent)]
    Value(#[from] ValueError),
}
