//! The header and piggybacking (TS 29.274 5).

use super::{
    HEADER_BYTES, HeaderError, IeError, IeSet, Ies, MAX_MESSAGE_BYTES, MessageType,
    SHORT_HEADER_BYTES,
};

/// The version field of a GTPv2 message.
pub(crate) const VERSION: u8 = 2;
/// P: another message follows this one in the datagram.
pub(crate) const FLAG_P: u8 = 0x10;
/// T: the header has a TEID.
pub(crate) const FLAG_T: u8 = 0x08;
/// MP: the upper half of the last octet is the message's priority, if there is a TEID.
pub(crate) const FLAG_MP: u8 = 0x04;
/// The length field counts the octets after itself.
pub(crate) const LENGTH_FROM: usize = 4;

/// What the header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Message type.
    pub kind: MessageType,
    /// The receiver's tunnel endpoint, 0 where it is not known yet; `None` in a header without one, which Echo Request,
    /// Echo Response and Version Not Supported have (5.5.2).
    pub teid: Option<u32>,
    /// Sequence number, 24 bits.
    pub sequence: u32,
    /// Message priority: 0, the highest, to 15, if MP is set (5.4).
    pub priority: Option<u8>,
}

/// A message: its header and, not yet looked at, its information elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// The header.
    pub header: Header,
    /// The octets after the header.
    pub body: &'a [u8],
    /// The octets of the message that follows this one in its datagram, none if P is clear.
    behind: &'a [u8],
}

impl<'a> Message<'a> {
    /// Reads the header of a datagram's first message. The length must be right to the octet: without P the datagram
    /// ends with the message. Spare bits are not looked at.
    ///
    /// # Errors
    ///
    /// When the octets are no GTPv2 message, or contradict themselves.
    pub fn parse(datagram: &'a [u8]) -> Result<Self, HeaderError> {
        let have = datagram.len();
        if have > MAX_MESSAGE_BYTES {
            return Err(HeaderError::TooLong { have });
        }
        let (&[flags, kind, l0, l1], rest) = datagram
            .split_first_chunk::<LENGTH_FROM>()
            .ok_or(HeaderError::TooShort { have })?;
        check_version(flags)?;
        let (header, header_bytes) = read_header(flags, kind, rest)?;
        let says = usize::from(u16::from_be_bytes([l0, l1]));
        let (message, behind) = rest.split_at_checked(says).ok_or(HeaderError::Length {
            says,
            have: rest.len(),
        })?;
        let needs = header_bytes - LENGTH_FROM;
        let body = message
            .get(needs..)
            .ok_or(HeaderError::LengthBelowHeader { says, needs })?;
        match (flags & FLAG_P != 0, behind.is_empty()) {
            (true, true) => Err(HeaderError::PiggybackMissing),
            (false, false) => Err(HeaderError::Length {
                says,
                have: rest.len(),
            }),
            (true, false) | (false, true) => Ok(Self {
                header,
                body,
                behind,
            }),
        }
    }

    /// The message that follows this one in its datagram, if there is one (5.5.1: a Create Bearer Request behind a
    /// Create Session Response, or a Modify Bearer Request behind a Create Bearer Response).
    ///
    /// # Errors
    ///
    /// As [`Message::parse`], and when that message has P set too: only one is allowed.
    pub fn piggybacked(&self) -> Option<Result<Self, HeaderError>> {
        let flags = self.behind.first()?;
        if flags & FLAG_P != 0 {
            return Some(Err(HeaderError::PiggybackNested));
        }
        Some(Self::parse(self.behind))
    }

    /// The information elements, one after the other.
    pub fn ies(&self) -> Ies<'a> {
        Ies::new(self.body)
    }

    /// The information elements, indexed.
    ///
    /// # Errors
    ///
    /// As [`IeSet::parse`].
    pub fn ie_set(&self) -> Result<IeSet<'a>, IeError> {
        IeSet::parse(self.body)
    }
}

fn check_version(flags: u8) -> Result<(), HeaderError> {
    match flags >> 5 {
        VERSION => Ok(()),
        version => Err(HeaderError::Version { version }),
    }
}

/// Reads what comes after the length field, and says how many octets the header has.
fn read_header(flags: u8, kind: u8, rest: &[u8]) -> Result<(Header, usize), HeaderError> {
    let too_short = HeaderError::TooShort {
        have: LENGTH_FROM + rest.len(),
    };
    let (teid, rest, bytes) = match flags & FLAG_T != 0 {
        true => {
            let (teid, rest) = rest.split_first_chunk::<4>().ok_or(too_short)?;
            (Some(u32::from_be_bytes(*teid)), rest, HEADER_BYTES)
        }
        false => (None, rest, SHORT_HEADER_BYTES),
    };
    let &[s0, s1, s2, last] = rest.first_chunk::<4>().ok_or(too_short)?;
    // Without a TEID the bit of MP is spare (5.4).
    let has_priority = flags & FLAG_MP != 0 && teid.is_some();
    let header = Header {
        kind: MessageType(kind),
        teid,
        sequence: u32::from_be_bytes([0, s0, s1, s2]),
        priority: has_priority.then_some(last >> 4),
    };
    Ok((header, bytes))
}
