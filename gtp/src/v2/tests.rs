//! Header, elements, values and writer, at their edges.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use super::value::{
    charging_characteristics, ip_address, ip_address_octets, low_access_priority, number,
};
use super::*;

const PLMN: Plmn = Plmn([0x42, 0xF0, 0x10]);
const V4: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);

/// A header with these flags, its length right, and what follows the first four octets.
fn message(flags: u8, rest: &[u8]) -> Vec<u8> {
    let [l0, l1] = (rest.len() as u16).to_be_bytes();
    [&[flags, 34, l0, l1], rest].concat()
}

fn echo(sequence: u8) -> Vec<u8> {
    message(0x40, &[0, 0, sequence, 0, 3, 0, 1, 0, 7])
}

#[test]
fn the_header_has_twelve_octets_with_a_teid_and_eight_without() {
    let octets = message(0x48, &[0, 0, 0, 9, 1, 2, 3, 0xFF, 3, 0, 1, 0, 7]);
    let message = Message::parse(&octets).unwrap();
    let expected = Header {
        kind: MessageType::MODIFY_BEARER_REQUEST,
        teid: Some(9),
        sequence: 0x01_0203,
        priority: None,
    };
    assert_eq!(message.header, expected);
    assert_eq!(message.body, [3, 0, 1, 0, 7]);
    assert_eq!(message.piggybacked(), None);

    let octets = echo(5);
    let message = Message::parse(&octets).unwrap();
    assert_eq!((message.header.teid, message.header.sequence), (None, 5));
    assert_eq!(message.body, [3, 0, 1, 0, 7]);
}

#[test]
fn the_priority_is_there_with_mp_and_a_teid() {
    let priority = |flags, rest: &[u8]| {
        let octets = message(flags, rest);
        Message::parse(&octets).unwrap().header.priority
    };
    assert_eq!(priority(0x4C, &[0, 0, 0, 9, 1, 2, 3, 0xA5]), Some(10));
    assert_eq!(priority(0x48, &[0, 0, 0, 9, 1, 2, 3, 0xA5]), None);
    assert_eq!(priority(0x44, &[1, 2, 3, 0xA5]), None);
}

#[test]
fn spare_bits_of_the_header_are_not_looked_at() {
    let octets = message(0x4B, &[0, 0, 0, 9, 1, 2, 3, 0xFF]);
    assert_eq!(Message::parse(&octets).unwrap().header.sequence, 0x01_0203);
}

#[test]
fn what_is_no_gtpv2_message_is_refused_with_its_reason() {
    let refused = |octets: &[u8]| Message::parse(octets).unwrap_err();
    let with_teid = message(0x48, &[0; 8]);
    assert_eq!(refused(&[]), HeaderError::TooShort { have: 0 });
    assert_eq!(refused(&with_teid[..3]), HeaderError::TooShort { have: 3 });
    assert_eq!(
        refused(&with_teid[..11]),
        HeaderError::TooShort { have: 11 }
    );
    assert_eq!(refused(&echo(1)[..7]), HeaderError::TooShort { have: 7 });
    for (flags, version) in [(0x32, 1), (0x12, 0), (0x68, 3), (0xF0, 7)] {
        let octets = message(flags, &[0; 8]);
        assert_eq!(refused(&octets), HeaderError::Version { version });
    }
    let mut long = message(0x48, &[0; 8]);
    long.push(0);
    assert_eq!(refused(&long), HeaderError::Length { says: 8, have: 9 });
    long[3] = 10;
    assert_eq!(refused(&long), HeaderError::Length { says: 10, have: 9 });
    let mut below = message(0x48, &[0; 8]);
    below[3] = 7;
    let expected = HeaderError::LengthBelowHeader { says: 7, needs: 8 };
    assert_eq!(refused(&below), expected);
    let huge = message(0x48, &[0; MAX_MESSAGE_BYTES]);
    let have = MAX_MESSAGE_BYTES + 4;
    assert_eq!(refused(&huge), HeaderError::TooLong { have });
}

#[test]
fn one_message_may_follow_another() {
    let mut first = message(0x58, &[0, 0, 0, 9, 0, 0, 1, 0, 2, 0, 2, 0, 16, 0]);
    let second = message(0x48, &[0, 0, 0, 9, 0, 0, 2, 0]);
    let alone = first.clone();
    first.extend(&second);
    let parsed = Message::parse(&first).unwrap();
    assert_eq!(parsed.header.sequence, 1);
    assert_eq!(parsed.body, [2, 0, 2, 0, 16, 0]);
    let behind = parsed.piggybacked().unwrap().unwrap();
    assert_eq!((behind.header.sequence, behind.body), (2, &[][..]));
    assert_eq!(behind.piggybacked(), None);

    assert_eq!(Message::parse(&alone), Err(HeaderError::PiggybackMissing));
    let mut cut = first.clone();
    cut.pop();
    let behind = Message::parse(&cut).unwrap().piggybacked();
    assert_eq!(behind, Some(Err(HeaderError::TooShort { have: 11 })));
    let mut more = first.clone();
    more.push(0);
    let behind = Message::parse(&more).unwrap().piggybacked();
    let length = HeaderError::Length { says: 8, have: 9 };
    assert_eq!(behind, Some(Err(length)));
    let mut nested = first.clone();
    nested[alone.len()] |= 0x10;
    nested.extend(&second);
    let behind = Message::parse(&nested).unwrap().piggybacked();
    assert_eq!(behind, Some(Err(HeaderError::PiggybackNested)));
}

#[test]
fn elements_are_told_apart_by_type_and_instance() {
    let body = [
        73, 0, 1, 0, 5, 73, 0, 1, 0xF1, 6, 240, 0, 2, 0, 0xAA, 0xBB, 73, 0, 1, 1, 7, 240, 0, 0, 0,
    ];
    let set = IeSet::parse(&body).unwrap();
    assert_eq!(set.len(), 5);
    assert_eq!(set.get(IeType::EBI, 0), Some(&[5][..]));
    assert_eq!(set.get(IeType::EBI, 1), Some(&[6][..]), "the spare half");
    assert_eq!(set.get(IeType::EBI, 2), None);
    let all: Vec<_> = set.all(IeType::EBI, 1).collect();
    assert_eq!(all, [[6], [7]]);
    assert_eq!(set.get(IeType(240), 0), Some(&[0xAA, 0xBB][..]), "unknown");
    let kinds: Vec<_> = set.iter().map(|ie| (ie.kind.0, ie.instance)).collect();
    assert_eq!(kinds, [(73, 0), (73, 1), (240, 0), (73, 1), (240, 0)]);
    assert!(IeSet::parse(&[]).unwrap().is_empty());
}

#[test]
fn an_element_that_runs_over_the_end_is_an_overrun() {
    let overrun = |kind, needs, have| Err(IeError::Overrun { kind, needs, have });
    let parse = |body: &[u8]| IeSet::parse(body).map(|set| set.len());
    assert_eq!(parse(&[1]), overrun(1, 3, 0));
    assert_eq!(parse(&[1, 0, 0]), overrun(1, 3, 2));
    assert_eq!(parse(&[1, 0, 0, 0]), Ok(1));
    assert_eq!(parse(&[1, 0, 2, 0, 9]), overrun(1, 5, 4));
    assert_eq!(parse(&[1, 0xFF, 0xFF, 0]), overrun(1, 0x1_0002, 3));
    let (set, error) = IeSet::parse_prefix(&[3, 0, 1, 0, 7, 1, 0, 9, 0]);
    assert_eq!(set.get(IeType::RECOVERY, 0), Some(&[7][..]));
    assert_eq!((set.len(), error.is_some()), (1, true));
    let mut ies = Ies::new(&[1, 0, 2, 0, 9]);
    assert!(ies.next().unwrap().is_err());
    assert!(ies.next().is_none());
}

#[test]
fn a_message_has_at_most_so_many_elements() {
    let most = [3, 0, 1, 0, 5].repeat(MAX_IES);
    assert_eq!(IeSet::parse(&most).unwrap().len(), MAX_IES);
    let more = [3, 0, 1, 0, 5].repeat(MAX_IES + 1);
    let (set, error) = IeSet::parse_prefix(&more);
    assert_eq!((set.len(), error), (MAX_IES, Some(IeError::TooMany)));
}

#[test]
fn grouped_elements_open_one_in_the_other_to_a_bounded_depth() {
    let mut out = Vec::new();
    let kind = MessageType::CREATE_SESSION_REQUEST;
    let mut writer = Writer::new(&mut out, kind, Some(0), 1);
    writer
        .group(IeType::PDN_CONNECTION, 0, |pdn| {
            pdn.apn("ims").bearer_context(0, |bearer| {
                bearer.ebi(0, Ebi::FIRST);
            });
            pdn.bearer_context(0, |bearer| {
                bearer.ebi(0, Ebi::new(6).unwrap());
            });
        })
        .recovery(7);
    let octets = writer.finish().unwrap();
    let set = Message::parse(octets).unwrap().ie_set().unwrap();
    assert_eq!((set.len(), set.depth()), (2, 0));
    assert_eq!(set.get(IeType::RECOVERY, 0), Some(&[7][..]));
    let pdn = set.group(IeType::PDN_CONNECTION, 0).unwrap().unwrap();
    assert_eq!((pdn.len(), pdn.depth()), (3, 1));
    assert_eq!(pdn.get(IeType::APN, 0), Some(&b"\x03ims"[..]));
    let bearers: Vec<_> = pdn
        .groups(IeType::BEARER_CONTEXT, 0)
        .map(|bearer| bearer.unwrap().get(IeType::EBI, 0).unwrap()[0])
        .collect();
    assert_eq!(bearers, [5, 6]);
    assert!(set.group(IeType::BEARER_CONTEXT, 0).is_none());
    assert!(pdn.group(IeType::BEARER_CONTEXT, 1).is_none());

    let body = [93, 0, 12, 0, 93, 0, 8, 0, 93, 0, 4, 0, 93, 0, 0, 0];
    let at = |set: &IeSet<'_>| set.group(IeType::BEARER_CONTEXT, 0).unwrap().map(|_| ());
    let set = IeSet::parse(&body).unwrap();
    let one = set.group(IeType::BEARER_CONTEXT, 0).unwrap().unwrap();
    let two = one.group(IeType::BEARER_CONTEXT, 0).unwrap().unwrap();
    assert_eq!(two.depth(), MAX_DEPTH);
    assert_eq!(at(&two), Err(IeError::TooDeep));

    let broken = IeSet::parse(&[93, 0, 5, 0, 73, 0, 9, 0, 5]).unwrap();
    let overrun = IeError::Overrun {
        kind: 73,
        needs: 12,
        have: 4,
    };
    assert_eq!(at(&broken), Err(overrun));
    assert!(IeType::BEARER_CONTEXT.is_grouped());
    assert!(!IeType::F_TEID.is_grouped());
}

#[test]
fn the_writer_keeps_its_buffer_and_writes_the_lengths() {
    let mut out = Vec::with_capacity(256);
    let place = out.as_ptr();
    for sequence in 0..3 {
        let mut writer = Writer::new(&mut out, MessageType::ECHO_RESPONSE, None, sequence);
        writer.recovery(7);
        let octets = writer.finish().unwrap();
        let sequence = sequence as u8;
        assert_eq!(octets, [0x40, 2, 0, 9, 0, 0, sequence, 0, 3, 0, 1, 0, 7]);
    }
    let kind = MessageType::DELETE_BEARER_RESPONSE;
    let mut writer = Writer::new(&mut out, kind, Some(0x0102_0304), MAX_SEQUENCE);
    writer.bearer_context(3, |bearer| {
        bearer.ebi(0, Ebi::FIRST).recovery(9);
    });
    let octets = writer.finish().unwrap();
    let expected = [
        0x48, 100, 0, 22, 1, 2, 3, 4, 0xFF, 0xFF, 0xFF, 0, 93, 0, 10, 3, 73, 0, 1, 0, 5, 3, 0, 1,
        0, 9,
    ];
    assert_eq!(octets, expected);
    assert_eq!(out.as_ptr(), place);
}

#[test]
fn the_writer_writes_a_priority_where_there_is_room_for_one() {
    let mut out = Vec::new();
    let mut writer = Writer::new(&mut out, MessageType::CREATE_SESSION_REQUEST, Some(0), 1);
    writer.priority(10);
    let octets = writer.finish().unwrap();
    assert_eq!((octets[0], octets[11]), (0x4C, 0xA0));
    assert_eq!(Message::parse(octets).unwrap().header.priority, Some(10));
    let wrong = |teid, priority| {
        let mut out = Vec::new();
        let mut writer = Writer::new(&mut out, MessageType::ECHO_REQUEST, teid, 1);
        writer.priority(priority);
        writer.finish().unwrap_err()
    };
    let range = |value| {
        WriteError::Value(ValueError::Range {
            what: "message priority",
            value,
        })
    };
    assert_eq!(wrong(Some(0), 16), range(16));
    assert_eq!(wrong(None, 1), range(1));
}

#[test]
fn the_writer_piggybacks_one_message_on_a_whole_one() {
    let mut out = Vec::new();
    let create = MessageType::CREATE_SESSION_RESPONSE;
    Writer::new(&mut out, create, Some(9), 1).finish().unwrap();
    let request = MessageType::CREATE_BEARER_REQUEST;
    let mut writer = Writer::piggyback(&mut out, request, Some(9), 2);
    writer.ebi(0, Ebi::FIRST);
    writer.finish().unwrap();
    let first = Message::parse(&out).unwrap();
    assert_eq!((first.header.kind, first.header.sequence), (create, 1));
    let second = first.piggybacked().unwrap().unwrap();
    assert_eq!((second.header.kind, second.header.sequence), (request, 2));
    assert_eq!(second.body, [73, 0, 1, 0, 5]);

    let third = Writer::piggyback(&mut out, request, Some(9), 3).finish();
    assert_eq!(third, Err(WriteError::Piggyback));
    let mut nothing = Vec::new();
    let on_nothing = Writer::piggyback(&mut nothing, request, Some(9), 3).finish();
    assert_eq!(on_nothing, Err(WriteError::Piggyback));
    let mut half = vec![0x48, 33, 0, 20, 0, 0, 0, 9];
    let on_half = Writer::piggyback(&mut half, request, Some(9), 3).finish();
    assert_eq!(on_half, Err(WriteError::Piggyback));
}

#[test]
fn the_writer_refuses_what_does_not_fit() {
    let written = |fill: &dyn Fn(&mut Writer<'_>)| {
        let mut out = Vec::new();
        let mut writer = Writer::new(&mut out, MessageType::CREATE_SESSION_REQUEST, Some(0), 1);
        fill(&mut writer);
        writer.finish().map(<[u8]>::len)
    };
    let long = written(&|writer| {
        writer.pco(&[0; 3000]).pco(&[0; 3000]).recovery(1);
    });
    assert_eq!(long, Err(WriteError::TooLong));
    let most = MAX_MESSAGE_BYTES - HEADER_BYTES - IE_HEADER_BYTES;
    let fits = written(&|writer| {
        writer.pco(&vec![0; most]);
    });
    assert_eq!(fits, Ok(MAX_MESSAGE_BYTES));
    let long = written(&|writer| {
        writer.pco(&vec![0; most + 1]);
    });
    assert_eq!(long, Err(WriteError::TooLong));
    let long = written(&|writer| {
        writer.bearer_context(0, |bearer| {
            bearer.pco(&vec![0; most]);
        });
    });
    assert_eq!(long, Err(WriteError::TooLong));
    let deep = written(&|writer| {
        writer.bearer_context(0, |one| {
            one.bearer_context(0, |two| {
                two.bearer_context(0, |_| ());
            });
        });
    });
    assert_eq!(deep, Err(WriteError::TooDeep));
    let name = written(&|writer| {
        writer.apn("a..b");
    });
    assert_eq!(name, Err(WriteError::Value(ValueError::Label)));
    let no_address = written(&|writer| {
        let fteid = FTeid::new(InterfaceType::S11_MME_C, 1, V4.into());
        writer.f_teid(0, &FTeid { v4: None, ..fteid });
    });
    assert!(matches!(no_address, Err(WriteError::Value(_))));
    let mut out = Vec::new();
    let number = Writer::new(&mut out, MessageType::ECHO_REQUEST, None, MAX_SEQUENCE + 1).finish();
    let range = ValueError::Range {
        what: "sequence number",
        value: MAX_SEQUENCE + 1,
    };
    assert_eq!(number, Err(WriteError::Value(range)));
}

#[test]
fn an_imsi_has_as_many_octets_as_its_digits_need_and_is_the_same_in_both_versions() {
    let imsi = Imsi::parse_short(&[0x42, 0x00, 0x01, 0x21, 0x43, 0x65, 0x87, 0xF9]).unwrap();
    assert_eq!(imsi.to_string(), "240010123456789");
    assert_eq!(imsi, Imsi::from_text("240010123456789").unwrap());
    let six = Imsi::parse_short(&[0x00, 0x01, 0x21]).unwrap();
    assert_eq!(six.to_string(), "001012");
    assert_eq!(six.short_octets(), [0x00, 0x01, 0x21]);
    assert_eq!(six.octets()[3..], [0xFF; 5]);
    let seven = Imsi::parse_short(&[0x00, 0x01, 0x21, 0xF3]).unwrap();
    assert_eq!(seven.to_string(), "0010123");
    assert_eq!(seven.short_octets(), [0x00, 0x01, 0x21, 0xF3]);
    assert!(Imsi::parse_short(&[0x00, 0x01]).is_err());
    assert!(Imsi::parse_short(&[0x11; 9]).is_err());
    assert!(Imsi::parse_short(&[0x11, 0x11, 0x1F, 0x11]).is_err());
}

#[test]
fn an_msisdn_has_no_numbering_plan() {
    let msisdn = Msisdn::parse(&[0x64, 0x07, 0x12, 0x32, 0x54, 0xF6]).unwrap();
    assert_eq!(msisdn.to_string(), "46702123456");
    assert_eq!(msisdn.octets().len(), 6);
    assert!(Msisdn::parse(&[]).is_err());
    assert!(Msisdn::parse(&[0x11; 9]).is_err());
    let no_digit = Msisdn::parse(&[0x1A]);
    assert_eq!(no_digit, Err(ValueError::Digit { what: "MSISDN" }));
}

#[test]
fn a_network_has_two_or_three_digits_after_its_country() {
    assert_eq!(Plmn::from_text("240", "01").unwrap(), PLMN);
    assert_eq!(PLMN.to_string(), "24001");
    let three = Plmn::from_text("310", "410").unwrap();
    assert_eq!(three, Plmn([0x13, 0x00, 0x14]));
    assert_eq!(three.to_string(), "310410");
    for (country, network) in [("24", "01"), ("240", "1"), ("240", "0123"), ("24a", "01")] {
        assert!(Plmn::from_text(country, network).is_err());
    }
    assert_eq!(Plmn::parse(&[0x42, 0xF0, 0x10, 9]), Ok(PLMN));
    assert!(Plmn::parse(&[0x42, 0xF0]).is_err());
}

#[test]
fn a_cause_may_name_the_element_that_it_is_about() {
    let parse = CauseIe::parse;
    let accepted = parse(&[16, 0]).unwrap();
    assert_eq!(accepted, CauseIe::new(Cause::REQUEST_ACCEPTED));
    let flags = parse(&[73, 0xFF]).unwrap();
    assert!(flags.pdn_connection_error && flags.bearer_context_error && flags.from_remote_node);
    assert!(!parse(&[73, 6]).unwrap().from_remote_node);
    let missing = parse(&[70, 2, 87, 0, 0, 0xF2]).unwrap();
    let mut expected = CauseIe::about(Cause::MANDATORY_IE_MISSING, IeType::F_TEID, 2);
    expected.bearer_context_error = true;
    assert_eq!(missing, expected);
    let mut out = [0xEE; CauseIe::MAX_BYTES];
    let len = expected.write(&mut out);
    assert_eq!(out[..len], [70, 2, 87, 0, 0, 2]);
    let len = flags.write(&mut out);
    assert_eq!(out[..len], [73, 7]);
    for octets in [&[16][..], &[], &[70, 0, 87], &[70, 0, 87, 0, 0]] {
        assert!(parse(octets).is_err(), "{octets:?}");
    }
}

#[test]
fn causes_accept_from_16_and_reject_from_64() {
    assert!(Cause::REQUEST_ACCEPTED.is_accepted());
    assert!(Cause::NEW_PDN_TYPE_SINGLE_ADDRESS_BEARER.is_accepted());
    assert!(!Cause::EPS_TO_5GS_MOBILITY.is_accepted());
    assert!(!Cause::CONTEXT_NOT_FOUND.is_accepted());
    assert!(Cause(63).is_accepted());
    let named = [
        (16, "Request accepted"),
        (64, "Context Not Found"),
        (67, "Invalid length"),
        (73, "No resources available"),
        (78, "Missing or unknown APN"),
        (103, "Conditional IE missing"),
        (113, "APN Congestion"),
        (250, "cause 250"),
    ];
    for (number, name) in named {
        assert_eq!(Cause(number).to_string(), name);
    }
    assert_eq!(Cause::NO_RESOURCES_AVAILABLE.0, 73);
    assert_eq!(Cause::REMOTE_PEER_NOT_RESPONDING.0, 100);
    assert_eq!(Cause::INVALID_LENGTH_WITH_PIGGYBACKED.0, 105);
    assert_eq!((0..=255).filter(|n| Cause(*n).name().is_some()).count(), 82);
}

#[test]
fn an_address_must_suit_its_type() {
    let parse = Paa::parse;
    assert_eq!(parse(&[1, 192, 0, 2, 1]), Ok(Paa::Ipv4(V4)));
    assert_eq!(parse(&[0xF9, 192, 0, 2, 1, 9]), Ok(Paa::Ipv4(V4)));
    let v6 = Ipv6Addr::LOCALHOST;
    let octets = [&[2, 64][..], &v6.octets()].concat();
    let expected = Paa::Ipv6 {
        prefix_bits: 64,
        address: v6,
    };
    assert_eq!(parse(&octets), Ok(expected));
    let both = [&[3, 64][..], &v6.octets(), &V4.octets()].concat();
    let paa = parse(&both).unwrap();
    assert_eq!((paa.v4(), paa.v6()), (Some(V4), Some(v6)));
    assert_eq!(parse(&[4]), Ok(Paa::NonIp));
    assert_eq!(parse(&[5]), Ok(Paa::Ethernet));
    for len in 0..both.len() {
        assert!(parse(&both[..len]).is_err(), "{len}");
    }
    for octets in [&[1, 192, 0, 2][..], &[0, 1, 2, 3, 4], &[6], &[]] {
        assert!(parse(octets).is_err(), "{octets:?}");
    }
    let mut out = [0; Paa::MAX_BYTES];
    let len = Paa::dynamic(PdnType::Ipv4).write(&mut out);
    assert_eq!(out[..len], [1, 0, 0, 0, 0]);
    let len = Paa::dynamic(PdnType::NonIp).write(&mut out);
    assert_eq!(out[..len], [4]);
    assert_eq!(PdnType::parse(&[0xFB]), Ok(PdnType::Ipv4v6));
    assert!(PdnType::parse(&[0]).is_err());
}

#[test]
fn a_tunnel_endpoint_says_which_addresses_it_has() {
    let octets = [0x8A, 1, 2, 3, 4, 192, 0, 2, 1];
    let fteid = FTeid::parse(&octets).unwrap();
    let expected = FTeid::new(InterfaceType::S11_MME_C, 0x0102_0304, IpAddr::V4(V4));
    assert_eq!(fteid, expected);
    assert_eq!(fteid.interface.to_string(), "S11 MME GTP-C");
    for len in 0..octets.len() {
        assert!(FTeid::parse(&octets[..len]).is_err(), "{len}");
    }
    let v6 = Ipv6Addr::LOCALHOST;
    let both = [&[0xC6, 0, 0, 0, 9][..], &V4.octets(), &v6.octets()].concat();
    let fteid = FTeid::parse(&both).unwrap();
    assert_eq!((fteid.v4, fteid.v6), (Some(V4), Some(v6)));
    assert_eq!(fteid.address(), Some(IpAddr::V4(V4)));
    let none = FTeid::parse(&[0x06, 0, 0, 0, 9]);
    assert!(matches!(none, Err(ValueError::Range { value: 6, .. })));
    let mut out = [0; FTeid::MAX_BYTES];
    let len = fteid.write(&mut out);
    assert_eq!(out[..len], both);
    assert_eq!(InterfaceType(62).to_string(), "interface 62");
    let ends = [
        (InterfaceType::S5S8_SGW_C, 6),
        (InterfaceType::S5S8_PGW_C, 7),
        (InterfaceType::S11_SGW_C, 11),
        (InterfaceType::S2B_EPDG_C, 30),
        (InterfaceType::S2B_PGW_C, 32),
        (InterfaceType::S2A_TWAN_C, 35),
        (InterfaceType::S2A_PGW_C, 36),
    ];
    for (interface, number) in ends {
        assert_eq!(interface.0, number, "{interface}");
    }
}

#[test]
fn flags_are_octets_as_many_as_their_sender_knows() {
    let flags = Indication::parse(&[0x20, 0x48]).unwrap();
    assert!(flags.has(Indication::HI));
    assert!(flags.has(Indication::UIMSI) && flags.has(Indication::PS));
    assert!(!flags.has(Indication::DAF) && !flags.has(Indication::EMCI));
    assert_eq!(format!("{flags:?}"), r#"{"HI", "UIMSI", "PS"}"#);
    assert_eq!(flags.octets(), [0x20, 0x48]);
    let one = Indication::default().with(Indication::OI);
    assert_eq!(one.octets(), [0x08, 0]);
    let far = one.with(Indication::EMCI);
    assert_eq!(far.octets(), [0x08, 0, 0, 0, 0, 0, 0, 0, 1]);
    let longest = Indication::parse(&[0xFF; 40]).unwrap();
    assert_eq!(longest.octets(), [0xFF; Indication::MAX_BYTES]);
    assert!(Indication::parse(&[]).is_err());
    assert_eq!(Indication::default().octets(), []);
    assert_eq!(Indication::FLAGS.len(), 75);
    let mut all = Indication::default();
    for (flag, name) in Indication::FLAGS {
        assert!(!all.has(*flag), "{name} has the bit of another");
        all = all.with(*flag);
    }
    assert_eq!(all.octets()[..9], [0xFF; 9]);
    assert_eq!(all.octets()[9], 0x07);
}

#[test]
fn a_location_has_each_part_that_its_flags_say() {
    let cell = |code| {
        Some(CellId {
            plmn: PLMN,
            lac: 0x0102,
            code,
        })
    };
    let location = UserLocation {
        cgi: cell(1),
        sai: cell(2),
        rai: cell(0x03FF),
        tai: Some(Tai {
            plmn: PLMN,
            tac: 77,
        }),
        ecgi: Some(Ecgi {
            plmn: PLMN,
            eci: 0x0123_4567,
        }),
        lai: Some(Lai {
            plmn: PLMN,
            lac: 78,
        }),
        macro_enb: Some(MacroEnb {
            plmn: PLMN,
            id: 0x000A_BCDE,
        }),
        extended_macro_enb: Some(ExtendedMacroEnb {
            plmn: PLMN,
            is_short: false,
            id: 0x001A_BCDE,
        }),
    };
    let mut octets = [0; UserLocation::MAX_BYTES];
    assert_eq!(location.write(&mut octets), UserLocation::MAX_BYTES);
    let p = PLMN.0;
    let expected = [
        &[0xFF][..],
        &[p[0], p[1], p[2], 1, 2, 0, 1],
        &[p[0], p[1], p[2], 1, 2, 0, 2],
        &[p[0], p[1], p[2], 1, 2, 3, 0xFF],
        &[p[0], p[1], p[2], 0, 77],
        &[p[0], p[1], p[2], 0x01, 0x23, 0x45, 0x67],
        &[p[0], p[1], p[2], 0, 78],
        &[p[0], p[1], p[2], 0x0A, 0xBC, 0xDE],
        &[p[0], p[1], p[2], 0x1A, 0xBC, 0xDE],
    ]
    .concat();
    assert_eq!(octets[..], expected);
    assert_eq!(UserLocation::parse(&octets), Ok(location));
    for len in 0..octets.len() {
        assert!(UserLocation::parse(&octets[..len]).is_err(), "{len}");
    }
    assert_eq!(UserLocation::parse(&[0]), Ok(UserLocation::default()));
    let short = UserLocation::parse(&[0x80, p[0], p[1], p[2], 0x80 | 0x1F, 0xFF, 0xFF]).unwrap();
    let enb = short.extended_macro_enb.unwrap();
    assert_eq!((enb.is_short, enb.id), (true, 0x0003_FFFF));
    let len = short.write(&mut octets);
    assert_eq!(octets[4..len], [0x83, 0xFF, 0xFF]);
}

#[test]
fn a_bearers_quality_is_a_priority_a_class_and_four_rates() {
    let qos = BearerQos {
        arp: Arp {
            priority_level: 9,
            may_preempt: false,
            preemptable: true,
        },
        flow: FlowQos {
            qci: 1,
            maximum_uplink_kbps: 0x01_0000_0002,
            maximum_downlink_kbps: 3,
            guaranteed_uplink_kbps: FlowQos::MAX_KBPS,
            guaranteed_downlink_kbps: 0,
        },
    };
    let octets = qos.octets();
    let expected = [
        0b0110_0100,
        1,
        1,
        0,
        0,
        0,
        2,
        0,
        0,
        0,
        0,
        3,
        0xFF,
        0xFF,
        0xFF,
        0xFF,
        0xFF,
        0,
        0,
        0,
        0,
        0,
    ];
    assert_eq!(octets, expected);
    assert_eq!(BearerQos::parse(&octets), Ok(qos));
    assert_eq!(FlowQos::parse(&octets[1..]), Ok(qos.flow));
    assert!(BearerQos::parse(&octets[..21]).is_err());
    let over = FlowQos {
        maximum_uplink_kbps: FlowQos::MAX_KBPS + 2,
        ..FlowQos::default()
    };
    assert_eq!(over.octets()[1..6], [0xFF; 5]);
    assert!(Ambr::parse(&[0; 7]).is_err());
}

#[test]
fn of_a_longer_value_than_is_known_the_known_part_is_read() {
    assert_eq!(Ebi::parse(&[0xF5, 1]).unwrap(), Ebi::FIRST);
    assert!(Ebi::parse(&[]).is_err());
    assert!(Ebi::new(16).is_err());
    assert_eq!(low_access_priority(&[0xFF]), Ok(true));
    assert_eq!(low_access_priority(&[0xFE, 1]), Ok(false));
    assert!(low_access_priority(&[]).is_err());
    assert_eq!(charging_characteristics(&[8, 0, 1]), Ok(0x0800));
    assert!(charging_characteristics(&[8]).is_err());
    assert_eq!(number("Charging ID", &[0, 0, 1, 2, 3]), Ok(258));
    assert!(number("Charging ID", &[0, 0, 1]).is_err());
    let delay = DelayValue::parse(&[4]).unwrap();
    assert_eq!(delay.duration(), Duration::from_millis(200));
    let timer = EpcTimer::at_least(Duration::from_secs(90));
    assert_eq!(timer.octet(), 1 << 5 | 2);
    for address in [IpAddr::V4(V4), IpAddr::V6(Ipv6Addr::LOCALHOST)] {
        let mut out = [0; 16];
        assert_eq!(
            ip_address(ip_address_octets(address, &mut out)),
            Ok(address)
        );
    }
    assert!(ip_address(&[1, 2, 3, 4, 5]).is_err());
}

#[test]
fn spare_bits_are_sent_as_zeros() {
    let mut out = Vec::new();
    let mut writer = Writer::new(&mut out, MessageType::CREATE_SESSION_REQUEST, Some(0), 1);
    writer
        .selection_mode(SelectionMode::MsProvided)
        .low_access_priority(true)
        .ue_time_zone(MsTimeZone {
            zone: 0x40,
            daylight_saving: 0xFE,
        });
    let set = Message::parse(writer.finish().unwrap())
        .unwrap()
        .ie_set()
        .unwrap();
    assert_eq!(set.get(IeType::SELECTION_MODE, 0), Some(&[1][..]));
    let priority = set.get(IeType::SIGNALLING_PRIORITY_INDICATION, 0);
    assert_eq!(priority, Some(&[1][..]));
    assert_eq!(set.get(IeType::UE_TIME_ZONE, 0), Some(&[0x40, 2][..]));
}

#[test]
fn requests_know_the_type_that_answers_them() {
    let kinds = [
        (1, Some(2)),
        (32, Some(33)),
        (34, Some(35)),
        (36, Some(37)),
        (38, Some(39)),
        (95, Some(96)),
        (97, Some(98)),
        (99, Some(100)),
        (162, Some(163)),
        (164, Some(165)),
        (170, Some(171)),
        (211, Some(212)),
        (3, None),
        (33, None),
        (64, None),
        (70, None),
    ];
    for (kind, response) in kinds {
        assert_eq!(MessageType(kind).response(), response.map(MessageType));
    }
    for kind in 0..=255 {
        if let Some(response) = MessageType(kind).response() {
            assert!(response.name().is_some(), "{response}");
        }
    }
}
