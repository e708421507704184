//! Octets of messages: exact where we write them, and refused where they are not messages.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

use std::net::Ipv4Addr;

use snmp::message::{
    CommunityMessage, DecodeError, EncodeError, Kind, MESSAGE_MAX_BYTES, Notification, Pdu,
    SNMP_TRAP_ENTERPRISE, Status, V3Message, Version, v1_trap, version_of,
};
use snmp::{Oid, Value, VarBind};

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<char> = text.chars().filter(|c| !c.is_whitespace()).collect();
    let octet = |pair: &[char]| u8::from_str_radix(&pair.iter().collect::<String>(), 16).unwrap();
    digits.chunks(2).map(octet).collect()
}

fn service_out_of_compliance() -> Notification {
    let data = |arc, value| VarBind::new(Oid::from([1, 3, 6, 1, 4, 1, 8164, 1, 31, arc, 0]), value);
    Notification {
        uptime: 12345,
        trap: Oid::from([1, 3, 6, 1, 4, 1, 8164, 2, 1349]),
        varbinds: vec![
            data(178, Value::text("pgw")),
            data(177, Value::Gauge32(70_000)),
        ],
    }
}

fn v2c(pdu: Pdu) -> Vec<u8> {
    let community = b"public".to_vec();
    let message = CommunityMessage {
        is_v1: false,
        community,
        pdu,
    };
    message.encode().unwrap()
}

/// A GET of sysUpTime.0 by SNMPv2c.
const GET: &str = "3026 020101 0406 7075626c6963
    a019 0201 05 020100 020100 300e 300c 0608 2b06010201010300 0500";

#[test]
fn a_trap_of_snmp_v2c_has_these_octets() {
    let bytes = v2c(service_out_of_compliance().pdu(0x62e3_ff1a, false));
    let expected = "306f 020101 0406 7075626c6963
        a762 0204 62e3ff1a 020100 020100
        3054 300e 0608 2b06010201010300 4302 3039
             3018 060a 2b060106030101040100 060a 2b06010401bf64028a45
             3013 060c 2b06010401bf64011f813200 0403 706777
             3013 060c 2b06010401bf64011f813100 4203 011170";
    assert_eq!(bytes, hex(expected));
}

#[test]
fn a_trap_of_snmp_v1_has_these_octets() {
    let mut notification = service_out_of_compliance();
    notification.varbinds.pop();
    let bytes = v1_trap(b"public", Ipv4Addr::new(10, 11, 12, 13), &notification).unwrap();
    let expected = "303f 020100 0406 7075626c6963
        a432 0608 2b06010401bf6402 4004 0a0b0c0d 020106 0202 0545 4302 3039
        3015 3013 060c 2b06010401bf64011f813200 0403 706777";
    assert_eq!(bytes, hex(expected));
}

/// Debian's snmptrap sends these; its request ids are its own.
#[test]
fn net_snmp_sends_the_same_octets() {
    let vectors = include_str!("vectors/net-snmp.txt");
    let of = |version: &str| {
        hex(vectors
            .lines()
            .find_map(|l| l.strip_prefix(version))
            .unwrap())
    };
    let theirs = of("v2c ");
    let request_id = i32::from_be_bytes(*theirs[17..].first_chunk().unwrap());
    let notification = service_out_of_compliance();
    assert_eq!(v2c(notification.pdu(request_id, false)), theirs);
    let mut notification = notification;
    notification.varbinds.pop();
    let ours = v1_trap(b"public", Ipv4Addr::new(10, 11, 12, 13), &notification).unwrap();
    assert_eq!(ours, of("v1 "));
}

/// Enterprise, generic and specific trap of the octets of a trap of SNMPv1.
fn v1_identity(notification: &Notification) -> (String, u8, u32) {
    let bytes = v1_trap(b"", Ipv4Addr::LOCALHOST, notification).unwrap();
    let (_, message) = snmp_parser::parse_snmp_v1(&bytes).unwrap();
    let snmp_parser::SnmpPdu::TrapV1(trap) = message.pdu else {
        panic!("not a trap");
    };
    let enterprise = trap.enterprise.to_id_string();
    (enterprise, trap.generic_trap.0, trap.specific_trap)
}

#[test]
fn notifications_become_traps_of_snmp_v1_by_rfc_3584() {
    let of = |trap: &str| Notification {
        uptime: 1,
        trap: trap.parse().unwrap(),
        varbinds: Vec::new(),
    };
    // The 0 before the last arc is left out, if there is one.
    let ours = ("1.3.6.1.4.1.8164.2".to_owned(), 6, 1349);
    assert_eq!(v1_identity(&of("1.3.6.1.4.1.8164.2.1349")), ours);
    assert_eq!(v1_identity(&of("1.3.6.1.4.1.8164.2.0.1349")), ours);
    // The six of RFC 3418 have numbers of their own.
    let cold_start = of("1.3.6.1.6.3.1.1.5.1");
    let expected = ("1.3.6.1.6.3.1.1.5".to_owned(), 0, 0);
    assert_eq!(v1_identity(&cold_start), expected);
    let failure = v1_identity(&of("1.3.6.1.6.3.1.1.5.5"));
    assert_eq!((failure.1, failure.2), (4, 0));
    // With the enterprise that they tell.
    let enterprise = Value::ObjectIdentifier(Oid::from([1, 3, 6, 1, 4, 1, 8164]));
    let mut told = cold_start;
    let enterprise = VarBind::new(SNMP_TRAP_ENTERPRISE.into(), enterprise);
    told.varbinds.push(enterprise);
    assert_eq!(v1_identity(&told).0, "1.3.6.1.4.1.8164");
}

#[test]
fn snmp_v1_has_no_counters_of_64_bits_and_no_exceptions() {
    let mut notification = service_out_of_compliance();
    notification.varbinds[0].value = Value::Counter64(1);
    let trap = v1_trap(b"public", Ipv4Addr::LOCALHOST, &notification);
    assert_eq!(trap, Err(EncodeError::Counter64));
    for (value, error) in [
        (Value::Counter64(1), EncodeError::Counter64),
        (Value::EndOfMibView, EncodeError::NotInV1),
    ] {
        let varbinds = vec![VarBind::new(Oid::from([1, 3]), value)];
        let kind = Kind::Response {
            status: Status::NO_ERROR,
            index: 0,
        };
        let pdu = Pdu {
            kind,
            request_id: 1,
            varbinds,
        };
        let (is_v1, community) = (true, Vec::new());
        let message = CommunityMessage {
            is_v1,
            community,
            pdu,
        };
        assert_eq!(message.encode(), Err(error));
    }
}

/// Version and message, as a receiver takes them.
fn decode(bytes: &[u8]) -> Result<CommunityMessage, DecodeError> {
    match version_of(bytes)? {
        Version::V1 => CommunityMessage::decode_v1(bytes),
        Version::V2c => CommunityMessage::decode_v2c(bytes),
        Version::V3 => V3Message::decode(bytes).map(|_| panic!("of SNMPv3")),
    }
}

#[test]
fn what_is_not_minimal_is_read_all_the_same() {
    let expected = decode(&hex(GET)).unwrap();
    assert_eq!(expected.pdu.request_id, 5);
    for bytes in [
        // Lengths in two, three and five octets.
        "308126 020101 0406 7075626c6963 a019 0201 05 020100 020100 300e 300c 0608 2b06010201010300 0500",
        "3082002d 02 82 0001 01 0406 7075626c6963 a082001a 0201 05 020100 020100 30810e 300c 0608 2b06010201010300 0500",
        "30840000002a 020101 0406 7075626c6963 a019 0201 05 020100 020100 300e 300c 0608 2b06010201010300 0500",
        // A number with more octets than it needs.
        "3028 020101 0406 7075626c6963 a01b 0203 000005 020100 020100 300e 300c 0608 2b06010201010300 0500",
    ] {
        let mut bytes = hex(bytes);
        let (header, rest) = match bytes[1] {
            0x81 => (3, bytes.len() - 3),
            0x82 => (4, bytes.len() - 4),
            0x84 => (6, bytes.len() - 6),
            _ => (2, bytes.len() - 2),
        };
        bytes[header - 1] = u8::try_from(rest).unwrap();
        assert_eq!(decode(&bytes), Ok(expected.clone()), "{bytes:02x?}");
    }
}

#[test]
fn a_negative_request_id_comes_back_negative() {
    let bytes = hex(&GET.replace("0201 05", "0201 fb"));
    let message = decode(&bytes).unwrap();
    assert_eq!(message.pdu.request_id, -5);
    let response = message.pdu.response(Status::NO_ERROR, 0, Vec::new());
    let octets = v2c(response);
    assert!(octets.windows(3).any(|w| w == [0x02, 0x01, 0xfb]));
}

#[test]
fn what_is_no_message_is_refused() {
    let get = hex(GET);
    for end in 0..get.len() {
        assert!(decode(&get[..end]).is_err(), "the first {end} octets");
    }
    let mut longer = get.clone();
    longer.push(0);
    let why = DecodeError::Malformed("octets after the message");
    assert_eq!(decode(&longer), Err(why));
    let long = vec![0x30; MESSAGE_MAX_BYTES + 1];
    assert_eq!(decode(&long), Err(DecodeError::TooLong(65_508)));
    for (what, from, to) in [
        ("a wrong version", "020101", "020102"),
        ("a wrong tag of the message", "3026", "3126"),
        ("a wrong tag of the community", "0406", "0206"),
        ("a PDU that there is not", "a019", "a919"),
        ("a sequence instead of a PDU", "a019", "3019"),
        ("an indefinite length", "3026", "3080"),
        ("a length of length of five octets", "3026", "3085"),
        ("a length past the end", "300e", "300f"),
        ("a length that is too short", "300e", "300d"),
        ("a value that there is not", "0500", "4700"),
        ("a number without octets", "0201 05", "0200 05"),
        ("a name whose last arc goes on", "010300", "010380"),
        (
            "a name without octets",
            "0608 2b06010201010300",
            "0600 2b06010201010300",
        ),
    ] {
        assert!(GET.contains(from), "{what}");
        assert!(decode(&hex(&GET.replacen(from, to, 1))).is_err(), "{what}");
    }
}

#[test]
fn a_request_id_of_five_octets_is_refused() {
    let bytes = "302a 020101 0406 7075626c6963 a01d 0205 0100000005 020100 020100 300e 300c 0608 2b06010201010300 0500";
    let why = DecodeError::Malformed("not a message of SNMPv2c");
    assert_eq!(decode(&hex(bytes)), Err(why));
    let v1 = bytes.replacen("020101", "020100", 1);
    let why = DecodeError::Malformed("a number out of range");
    assert_eq!(decode(&hex(&v1)), Err(why));
}

#[test]
fn a_name_of_more_than_128_arcs_is_refused() {
    let with = |arcs: usize| {
        let name = [vec![0x2b], vec![1; arcs - 2]].concat();
        let of = |tag: u8, contents: Vec<u8>| {
            let length = u16::try_from(contents.len()).unwrap().to_be_bytes();
            [vec![tag, 0x82, length[0], length[1]], contents].concat()
        };
        let varbind = of(0x30, [of(0x06, name), vec![5, 0]].concat());
        let numbers = hex("020105 020100 020100");
        let pdu = of(0xa0, [numbers, of(0x30, varbind)].concat());
        decode(&of(0x30, [hex("020101 0400"), pdu].concat()))
    };
    assert!(with(128).is_ok());
    let why = DecodeError::Malformed("an object identifier out of range");
    assert_eq!(with(129), Err(why));
}

#[test]
fn a_trap_of_snmp_v1_is_not_for_an_agent() {
    let trap = v1_trap(b"public", Ipv4Addr::LOCALHOST, &service_out_of_compliance());
    assert_eq!(decode(&trap.unwrap()), Err(DecodeError::V1Trap));
}
