//! The header and its extension headers (TS 29.060 6, TS 29.281 5.2).

use super::{
    HEADER_BYTES, HeaderError, IeError, IeSet, Ies, LONG_HEADER_BYTES, MAX_EXTENSIONS,
    MAX_MESSAGE_BYTES, MessageType,
};

/// PT: set for GTP, clear for GTP'.
pub(crate) const FLAG_PT: u8 = 0x10;
/// E: an extension header follows.
pub(crate) const FLAG_E: u8 = 0x04;
/// S: the sequence number means something. Set in every signalling message (TS 29.060 6).
pub(crate) const FLAG_S: u8 = 0x02;
/// PN: the N-PDU number means something.
pub(crate) const FLAG_PN: u8 = 0x01;

/// Extension header types with both high bits set, or bit 8 alone, must be understood by the one they end at.
const COMPREHENSION_REQUIRED_AT_ENDPOINT: u8 = 0x80;
/// No further extension header.
const NO_MORE_EXTENSIONS: u8 = 0;

/// What the header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Message type.
    pub kind: MessageType,
    /// The receiver's tunnel endpoint; 0 where it is not known yet.
    pub teid: u32,
    /// Sequence number, if S is set.
    pub sequence: Option<u16>,
    /// N-PDU number, if PN is set.
    pub npdu: Option<u8>,
    /// What the extension headers were.
    pub extensions: Extensions,
}

/// The extension headers of a message; their contents are of no use to a GGSN's control plane.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extensions {
    /// How many there were.
    pub count: u8,
    /// The first whose comprehension is required and that is unknown here: the request is to be refused with cause 214
    /// and a Supported Extension Headers Notification sent (TS 29.060 7.2.4, TS 29.281 5.2.1).
    pub not_understood: Option<u8>,
}

/// A message: its header and, not yet looked at, its information elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// The header.
    pub header: Header,
    /// The octets after the header and its extension headers.
    pub body: &'a [u8],
}

impl<'a> Message<'a> {
    /// Reads the header of a datagram.
    ///
    /// # Errors
    ///
    /// When the octets are no GTPv1 message, or contradict themselves.
    pub fn parse(datagram: &'a [u8]) -> Result<Self, HeaderError> {
        let have = datagram.len();
        let Some((fixed, rest)) = datagram.split_first_chunk::<HEADER_BYTES>() else {
            return Err(HeaderError::TooShort { have });
        };
        if have > MAX_MESSAGE_BYTES {
            return Err(HeaderError::TooLong { have });
        }
        let [flags, kind, l0, l1, t0, t1, t2, t3] = *fixed;
        check_flags(flags)?;
        let says = usize::from(u16::from_be_bytes([l0, l1]));
        if says != rest.len() {
            return Err(HeaderError::Length {
                says,
                have: rest.len(),
            });
        }
        let mut header = Header {
            kind: MessageType(kind),
            teid: u32::from_be_bytes([t0, t1, t2, t3]),
            sequence: None,
            npdu: None,
            extensions: Extensions::default(),
        };
        let body = if flags & (FLAG_E | FLAG_S | FLAG_PN) == 0 {
            rest
        } else {
            header.read_options(flags, rest)?
        };
        Ok(Self { header, body })
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

impl Header {
    /// Reads the four optional octets, which are all there if any of E, S, PN is set, and skips the extension headers.
    fn read_options<'a>(&mut self, flags: u8, rest: &'a [u8]) -> Result<&'a [u8], HeaderError> {
        let Some((&[s0, s1, npdu, next], body)) =
            rest.split_first_chunk::<{ LONG_HEADER_BYTES - HEADER_BYTES }>()
        else {
            return Err(HeaderError::TooShort {
                have: HEADER_BYTES + rest.len(),
            });
        };
        if flags & FLAG_S != 0 {
            self.sequence = Some(u16::from_be_bytes([s0, s1]));
        }
        if flags & FLAG_PN != 0 {
            self.npdu = Some(npdu);
        }
        if flags & FLAG_E == 0 {
            return Ok(body);
        }
        self.skip_extensions(next, body)
    }

    /// Each extension header is its length in units of four octets, its contents, and the type of the next one
    /// (TS 29.281 5.2.1).
    fn skip_extensions<'a>(
        &mut self,
        first: u8,
        mut body: &'a [u8],
    ) -> Result<&'a [u8], HeaderError> {
        let mut kind = first;
        for _ in 0..MAX_EXTENSIONS {
            if kind == NO_MORE_EXTENSIONS {
                return Ok(body);
            }
            let octets = body.first().map_or(0, |units| usize::from(*units) * 4);
            if octets == 0 || octets > body.len() {
                return Err(HeaderError::Extension { kind });
            }
            self.extensions.count += 1;
            if kind & COMPREHENSION_REQUIRED_AT_ENDPOINT != 0 {
                self.extensions.not_understood.get_or_insert(kind);
            }
            kind = body[octets - 1];
            body = &body[octets..];
        }
        match kind {
            NO_MORE_EXTENSIONS => Ok(body),
            _ => Err(HeaderError::TooManyExtensions),
        }
    }
}

fn check_flags(flags: u8) -> Result<(), HeaderError> {
    let version = flags >> 5;
    if version != 1 {
        return Err(HeaderError::Version { version });
    }
    if flags & FLAG_PT == 0 {
        return Err(HeaderError::NotGtp);
    }
    Ok(())
}
