//! The few octets that decide which worker a datagram goes to, read without decoding the rest. Both GTP versions share
//! one port.

use crate::v1::{Imei, Imsi};
use crate::{v1, v2};

/// What every GTP-C header has, whatever the version. None of it is checked against the datagram's length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peek {
    /// GTP version: 1 or 2 for what may be served here, anything up to 7 in a datagram.
    pub version: u8,
    /// Message type octet.
    pub kind: u8,
    /// The receiver's tunnel endpoint; 0 where it is unknown or the header has none.
    pub teid: u32,
    /// Sequence number: 16 bits in GTPv1 if S is set, 24 in GTPv2.
    pub sequence: Option<u32>,
}

/// GTPv1: any of E, S, PN.
const V1_ANY_OPTION: u8 = 0x07;
/// GTPv1: S.
const V1_SEQUENCE: u8 = 0x02;
/// GTPv2: T, a TEID is there.
const V2_TEID: u8 = 0x08;

/// Reads version, type, TEID and sequence number: GTPv1 has its TEID at octets 4 to 7 and its sequence number at 8 and
/// 9 if S is set; GTPv2 with T has its TEID at 4 to 7 and its sequence number at 8 to 10, without T its sequence number
/// at 4 to 6 (counted from 0; TS 29.060 6, TS 29.274 5.1). `None` if the datagram ends before that.
pub fn peek(datagram: &[u8]) -> Option<Peek> {
    let (&[flags, kind, _, _], rest) = datagram.split_first_chunk::<4>()?;
    let version = flags >> 5;
    let (teid, sequence) = match version {
        2 if flags & V2_TEID == 0 => (0, Some(u24(rest)?)),
        2 => (u32_be(rest)?, Some(u24(rest.get(4..)?)?)),
        _ if flags & V1_ANY_OPTION == 0 => (u32_be(rest)?, None),
        _ => {
            let &[s0, s1] = rest.get(4..)?.first_chunk::<2>()?;
            let number = u32::from(u16::from_be_bytes([s0, s1]));
            (u32_be(rest)?, (flags & V1_SEQUENCE != 0).then_some(number))
        }
    };
    Some(Peek {
        version,
        kind,
        teid,
        sequence,
    })
}

/// Who makes a request, by what a request without a tunnel endpoint of ours tells of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caller {
    /// A subscriber.
    Subscriber(Imsi),
    /// Equipment without one, as in an emergency call.
    Equipment(Imei),
}

/// Who makes a request, whichever the version: the first IMSI, as the sets of elements of [`v1`](crate::v1::IeSet::get)
/// and [`v2`](crate::v2::IeSet::get) find it, else the first IMEI, if it is well formed. The same subscriber is the same
/// IMSI in both, and the same equipment the same IMEI.
pub fn caller(datagram: &[u8]) -> Option<Caller> {
    match datagram.first()? >> 5 {
        1 => caller_of_v1(datagram),
        2 => caller_of_v2(datagram),
        _ => None,
    }
}

/// Elements come in ascending order and IMSI is the second type of all, so where there is one this looks at the first few
/// octets only; a message without one, or of a peer that has its elements in another order, is read to the end.
fn caller_of_v1(datagram: &[u8]) -> Option<Caller> {
    use v1::{IeType, Message};
    let message = Message::parse(datagram).ok()?;
    let mut equipment = None;
    for ie in message.ies().map_while(Result::ok) {
        match ie.kind {
            IeType::IMSI => return Imsi::parse(ie.value).ok().map(Caller::Subscriber),
            IeType::IMEI if equipment.is_none() => equipment = Some(ie.value),
            _ => {}
        }
    }
    equipment_of(equipment?)
}

/// Elements may come in any order (TS 29.274 6.1.1), though IMSI comes first in what is seen.
fn caller_of_v2(datagram: &[u8]) -> Option<Caller> {
    use v2::{IeType, Message};
    let message = Message::parse(datagram).ok()?;
    let mut equipment = None;
    for ie in message.ies().map_while(Result::ok) {
        match (ie.kind, ie.instance) {
            (IeType::IMSI, 0) => return Imsi::parse_short(ie.value).ok().map(Caller::Subscriber),
            (IeType::MEI, 0) if equipment.is_none() => equipment = Some(ie.value),
            _ => {}
        }
    }
    equipment_of(equipment?)
}

fn equipment_of(value: &[u8]) -> Option<Caller> {
    Imei::parse(value).ok().map(Caller::Equipment)
}

fn u32_be(octets: &[u8]) -> Option<u32> {
    octets.first_chunk().map(|four| u32::from_be_bytes(*four))
}

fn u24(octets: &[u8]) -> Option<u32> {
    let &[a, b, c] = octets.first_chunk::<3>()?;
    Some(u32::from_be_bytes([0, a, b, c]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_versions_have_their_fields_where_they_are() {
        let v1 = [0x32, 16, 0, 4, 1, 2, 3, 4, 0xAB, 0xCD, 0, 0];
        let expected = Peek {
            version: 1,
            kind: 16,
            teid: 0x0102_0304,
            sequence: Some(0xABCD),
        };
        assert_eq!(peek(&v1), Some(expected));
        let v2 = [0x48, 32, 0, 8, 1, 2, 3, 4, 0xAB, 0xCD, 0xEF, 0];
        let expected = Peek {
            version: 2,
            kind: 32,
            teid: 0x0102_0304,
            sequence: Some(0x00AB_CDEF),
        };
        assert_eq!(peek(&v2), Some(expected));
        let v2_without_teid = [0x40, 1, 0, 4, 0xAB, 0xCD, 0xEF, 0];
        let expected = Peek {
            version: 2,
            kind: 1,
            teid: 0,
            sequence: Some(0x00AB_CDEF),
        };
        assert_eq!(peek(&v2_without_teid), Some(expected));
        let v1_without_sequence = [0x30, 26, 0, 0, 1, 2, 3, 4];
        let sequence = peek(&v1_without_sequence).and_then(|peek| peek.sequence);
        assert_eq!(sequence, None);
        let v1_with_npdu_alone = [0x31, 26, 0, 4, 1, 2, 3, 4, 0xAB, 0xCD, 7, 0];
        let sequence = peek(&v1_with_npdu_alone).and_then(|peek| peek.sequence);
        assert_eq!(sequence, None);
    }

    #[test]
    fn what_ends_too_early_is_nothing() {
        let whole = [0x32, 16, 0, 4, 1, 2, 3, 4, 0xAB, 0xCD, 0, 0];
        for len in 0..10 {
            assert_eq!(peek(&whole[..len]), None, "{len} octets");
        }
        assert!(peek(&whole[..10]).is_some());
        assert_eq!(peek(&[0x48, 32, 0, 0, 1, 2, 3, 4, 5, 6]), None);
    }
}
