//! Which worker a datagram belongs to.
//!
//! Every tunnel endpoint that we give out carries its worker's shard in its low 8 bits; the shard is the low byte of a
//! hash of the IMSI, and shard modulo the number of workers is the worker. A request with TEID 0 goes by the same hash,
//! so that all sessions of one UE are at one worker, and so does a Create with any TEID: whatever endpoint it names and
//! wherever in it the IMSI is, a session that it collides with is where it goes. Without an IMSI, in an emergency call, it
//! goes by the digits of the IMEI that tell one equipment from another, so that one made anew finds the session of the one
//! before. An IMSI that nobody authenticated steers like any other: whoever sends it sends it again. Without either a
//! request with TEID 0 goes by its sequence number's low byte, as a response with TEID 0 does.

use gtp::peek::{Caller, caller, peek};
use gtp::{v1, v2};

/// Most workers: as many as there are shards.
pub(crate) const WORKERS_MAX: u16 = 256;

/// Octets of an IMEI with the 14 digits that matter: check digit and software version are behind (TS 23.003 6.2).
const EQUIPMENT_BYTES: usize = 7;

/// The worker, 0 to `workers - 1`, that is to handle a datagram, whatever its octets. With no workers, 0.
pub fn worker_of(datagram: &[u8], workers: u16) -> u16 {
    u16::from(shard_of(datagram))
        .checked_rem(workers)
        .unwrap_or(0)
}

/// The shard of a datagram.
pub(crate) fn shard_of(datagram: &[u8]) -> u8 {
    let Some(header) = peek(datagram) else {
        return 0;
    };
    let asks_for_session = match header.version {
        1 => header.kind == v1::MessageType::CREATE_PDP_CONTEXT_REQUEST.0,
        2 => header.kind == v2::MessageType::CREATE_SESSION_REQUEST.0,
        _ => false,
    };
    if header.teid != 0 && !asks_for_session {
        return low_byte(header.teid);
    }
    match caller(datagram) {
        Some(Caller::Subscriber(imsi)) => shard_by(&imsi.octets()),
        Some(Caller::Equipment(imei)) => shard_by(&imei.octets()[..EQUIPMENT_BYTES]),
        None if header.teid != 0 => low_byte(header.teid),
        None => low_byte(header.sequence.unwrap_or(0)),
    }
}

/// FNV-1a over the octets, its high half folded in, so that subscribers numbered one after the other spread evenly. It has
/// no key: another way to the same socket must come to the same worker.
fn shard_by(digits: &[u8]) -> u8 {
    let hash = digits.iter().fold(0x811C_9DC5_u32, |hash, octet| {
        (hash ^ u32::from(*octet)).wrapping_mul(0x0100_0193)
    });
    low_byte(hash ^ hash >> 16)
}

fn low_byte(number: u32) -> u8 {
    number.to_le_bytes()[0]
}

#[cfg(test)]
mod tests {
    use gtp::v1::{Imei, Imsi, MessageType, Writer};

    use super::*;

    fn create(teid: u32, sequence: u16, imsi: Option<u64>) -> Vec<u8> {
        let mut octets = Vec::new();
        let kind = MessageType::CREATE_PDP_CONTEXT_REQUEST;
        let mut writer = Writer::new(&mut octets, kind, teid, sequence);
        if let Some(number) = imsi {
            writer.imsi(Imsi::from_number(number, 15).unwrap());
        }
        writer.finish().unwrap();
        octets
    }

    #[test]
    fn a_tunnel_endpoint_decides_where_there_is_no_imsi() {
        let datagram = create(0x1234_5607, 0x99, None);
        assert_eq!(shard_of(&datagram), 0x07);
        assert_eq!(worker_of(&datagram, 4), 3);
    }

    #[test]
    fn a_tunnel_endpoint_decides_before_the_imsi_but_for_a_create() {
        let by_imsi = shard_of(&create(0, 0, Some(240_010_000_000_001)));
        let mut datagram = create(0x1234_5607, 0x99, Some(240_010_000_000_001));
        assert_ne!(by_imsi, 0x07);
        assert_eq!(shard_of(&datagram), by_imsi);
        datagram[1] = MessageType::UPDATE_PDP_CONTEXT_REQUEST.0;
        assert_eq!(shard_of(&datagram), 0x07);
    }

    //= L13
    #[test]
    fn an_imsi_is_found_wherever_it_is() {
        let first = create(0, 3, Some(240_010_000_000_001));
        let mut later = first[..12].to_vec();
        later.extend_from_slice(&[14, 9, 131, 0, 2, 1, b'a']);
        later.extend_from_slice(&first[12..]);
        later[3] = (later.len() - 8) as u8;
        assert_eq!(shard_of(&later), shard_of(&first));
    }

    #[test]
    fn an_imsi_decides_before_the_sequence_number() {
        let shards: Vec<_> = (0..2)
            .map(|sequence| shard_of(&create(0, sequence, Some(240_010_000_000_001))))
            .collect();
        assert_eq!(shards[0], shards[1]);
        assert_eq!(shard_of(&create(0, 0x1209, None)), 9);
    }

    #[test]
    fn a_subscriber_is_at_one_worker_whichever_the_version() {
        let number = 240_010_000_000_001;
        let imsi = Imsi::from_number(number, 15).unwrap();
        let expected = shard_of(&create(0, 1, Some(number)));
        for teid in [0, 0x1234_5607] {
            let mut octets = Vec::new();
            let kind = v2::MessageType::CREATE_SESSION_REQUEST;
            let mut writer = v2::Writer::new(&mut octets, kind, Some(teid), 0x99);
            writer.imsi(imsi);
            let datagram = writer.finish().unwrap();
            assert_eq!(shard_of(datagram), expected);
            assert!(![0x99, 0x07].contains(&expected));
        }
    }

    //= L8
    //= L13
    #[test]
    fn equipment_without_a_subscriber_is_at_one_worker_however_often_it_calls() {
        let digits = [0x53, 0x20, 0x43, 0x70, 0x65, 0x87, 0x09];
        let by_v1 = |sequence, last: u8| {
            let [d0, d1, d2, d3, d4, d5, d6] = digits;
            let imei = Imei::parse(&[d0, d1, d2, d3, d4, d5, d6, last]).unwrap();
            let mut octets = Vec::new();
            let kind = MessageType::CREATE_PDP_CONTEXT_REQUEST;
            let mut writer = Writer::new(&mut octets, kind, 0, sequence);
            writer.imei(imei);
            shard_of(writer.finish().unwrap())
        };
        let expected = by_v1(1, 0x21);
        assert_eq!(expected, shard_by(&digits));
        assert_eq!(by_v1(2, 0x21), expected);
        assert_eq!(by_v1(3, 0xF5), expected, "another software version");
        let mut octets = Vec::new();
        let kind = v2::MessageType::CREATE_SESSION_REQUEST;
        let mut writer = v2::Writer::new(&mut octets, kind, Some(0), 0x99);
        writer.ie(v2::IeType::MEI, 0, &[&digits[..], &[0x21]].concat());
        assert_eq!(shard_of(writer.finish().unwrap()), expected);
        assert!(![1, 2, 3, 0x99].contains(&expected));
    }

    #[test]
    fn other_datagrams_go_somewhere() {
        assert_eq!(worker_of(&[], 4), 0);
        assert_eq!(worker_of(&create(0, 3, None), 0), 0);
        let version_2 = [0x48, 32, 0, 8, 0, 0, 1, 6, 0, 0, 9, 0];
        assert_eq!(shard_of(&version_2), 6);
        let version_2_without_teid = [0x40, 1, 0, 4, 0, 0, 9, 0];
        assert_eq!(shard_of(&version_2_without_teid), 9);
    }

    #[test]
    fn subscribers_in_a_row_spread_over_the_workers() {
        for step in [1, 10] {
            let mut loads = [0_u32; 4];
            for n in 0..4000 {
                let datagram = create(0, 0, Some(240_010_123_456_789 + n * step));
                loads[usize::from(worker_of(&datagram, 4))] += 1;
            }
            assert!(
                loads.iter().all(|load| (800..=1200).contains(load)),
                "{loads:?}"
            );
        }
    }
}
