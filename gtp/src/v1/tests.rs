//! Header, elements and writer, at their edges.

use std::time::Duration;

use super::value::{APN_MAX_BYTES, octet};
use super::*;

/// A header with these flags, its length right, and what follows the first eight octets.
fn message(flags: u8, rest: &[u8]) -> Vec<u8> {
    let [l0, l1] = (rest.len() as u16).to_be_bytes();
    [&[flags, 1, l0, l1, 0, 0, 0, 9], rest].concat()
}

#[test]
fn with_none_of_e_s_pn_the_header_has_eight_octets() {
    let octets = message(0x30, &[14, 5]);
    let message = Message::parse(&octets).unwrap();
    assert_eq!(message.header.sequence, None);
    assert_eq!(message.header.teid, 9);
    assert_eq!(message.body, [14, 5]);
}

#[test]
fn with_any_of_e_s_pn_all_four_optional_octets_are_there() {
    let rest = [0x12, 0x34, 0x56, 0, 14, 5];
    let parsed = |flags| {
        let octets = message(flags, &rest);
        let message = Message::parse(&octets).unwrap();
        assert_eq!(message.body, [14, 5]);
        (message.header.sequence, message.header.npdu)
    };
    assert_eq!(parsed(0x32), (Some(0x1234), None));
    assert_eq!(parsed(0x31), (None, Some(0x56)));
    assert_eq!(parsed(0x33), (Some(0x1234), Some(0x56)));
    assert_eq!(parsed(0x34), (None, None));
    let octets = message(0x32, &rest[..3]);
    assert_eq!(
        Message::parse(&octets),
        Err(HeaderError::TooShort { have: 11 })
    );
}

#[test]
fn the_next_extension_type_means_nothing_without_e() {
    let octets = message(0x32, &[0, 1, 0, 0xC0, 14, 5]);
    let message = Message::parse(&octets).unwrap();
    assert_eq!(message.header.extensions, Extensions::default());
    assert_eq!(message.body, [14, 5]);
}

#[test]
fn extension_headers_are_skipped_and_the_first_not_understood_is_told() {
    let optional = [0, 1, 0, 0x02, 1, 0xAA, 0xBB, 0x00, 14, 5];
    let octets = message(0x36, &optional);
    let parsed = Message::parse(&octets).unwrap();
    assert_eq!(parsed.header.sequence, Some(1));
    let optional = Extensions {
        count: 1,
        not_understood: None,
    };
    assert_eq!(parsed.header.extensions, optional);
    assert_eq!(parsed.body, [14, 5]);

    let required = [
        0, 1, 0, 0x40, 1, 0, 0, 0xC1, 2, 0, 0, 0, 0, 0, 0, 0x81, 1, 0, 0, 0, 14, 5,
    ];
    let octets = message(0x36, &required);
    let parsed = Message::parse(&octets).unwrap();
    let required = Extensions {
        count: 3,
        not_understood: Some(0xC1),
    };
    assert_eq!(parsed.header.extensions, required);
    assert_eq!(parsed.body, [14, 5]);
}

#[test]
fn extension_headers_that_do_not_fit_or_do_not_end_are_refused() {
    let empty = message(0x36, &[0, 1, 0, 0x40, 0, 0, 0, 0]);
    let over = message(0x36, &[0, 1, 0, 0x40, 2, 0, 0, 0]);
    let none = message(0x36, &[0, 1, 0, 0x40]);
    for octets in [empty, over, none] {
        let expected = Err(HeaderError::Extension { kind: 0x40 });
        assert_eq!(Message::parse(&octets), expected);
    }
    let mut most = vec![0, 1, 0, 0x40];
    for _ in 1..MAX_EXTENSIONS {
        most.extend([1, 0, 0, 0x40]);
    }
    let mut fits = most.clone();
    fits.extend([1, 0, 0, 0]);
    let octets = message(0x36, &fits);
    let parsed = Message::parse(&octets).unwrap();
    assert_eq!(usize::from(parsed.header.extensions.count), MAX_EXTENSIONS);
    most.extend([1, 0, 0, 0x40, 1, 0, 0, 0]);
    let octets = message(0x36, &most);
    assert_eq!(Message::parse(&octets), Err(HeaderError::TooManyExtensions));
}

#[test]
fn what_is_no_gtpv1_message_is_refused_with_its_reason() {
    let refused = |octets: &[u8]| Message::parse(octets).unwrap_err();
    assert_eq!(refused(&[]), HeaderError::TooShort { have: 0 });
    assert_eq!(
        refused(&message(0x32, &[0; 4])[..7]),
        HeaderError::TooShort { have: 7 }
    );
    let version = |version| HeaderError::Version { version };
    assert_eq!(refused(&message(0x48, &[0; 4])), version(2));
    assert_eq!(refused(&message(0x12, &[0; 4])), version(0));
    assert_eq!(refused(&message(0xF2, &[0; 4])), version(7));
    assert_eq!(refused(&message(0x22, &[0; 4])), HeaderError::NotGtp);
    let mut long = message(0x32, &[0; 6]);
    long.push(0);
    assert_eq!(refused(&long), HeaderError::Length { says: 6, have: 7 });
    long.truncate(10);
    assert_eq!(refused(&long), HeaderError::Length { says: 6, have: 2 });
    let huge = message(0x32, &[0; MAX_MESSAGE_BYTES]);
    let have = MAX_MESSAGE_BYTES + 8;
    assert_eq!(refused(&huge), HeaderError::TooLong { have });
}

#[test]
fn every_element_of_fixed_length_is_as_long_as_the_specification_says() {
    // TS 29.060 7.7, table 37: type and octets of the value.
    let table = [
        (1, 1),
        (2, 8),
        (3, 6),
        (4, 4),
        (5, 4),
        (8, 1),
        (9, 28),
        (11, 1),
        (12, 3),
        (13, 1),
        (14, 1),
        (15, 1),
        (16, 4),
        (17, 4),
        (18, 5),
        (19, 1),
        (20, 1),
        (21, 1),
        (22, 9),
        (23, 1),
        (24, 1),
        (25, 2),
        (26, 2),
        (27, 2),
        (28, 2),
        (29, 1),
        (127, 4),
    ];
    for kind in 0..=255 {
        let expected = table.iter().find(|(known, _)| *known == kind);
        assert_eq!(
            IeType(kind).fixed_length(),
            expected.map(|(_, octets)| *octets),
            "type {kind}"
        );
    }
    let body: Vec<u8> = table
        .iter()
        .flat_map(|(kind, octets)| [*kind].into_iter().chain((0..*octets).map(|_| 0x11)))
        .collect();
    let read: Vec<_> = Ies::new(&body).map(Result::unwrap).collect();
    assert_eq!(read.len(), table.len());
    for (ie, (kind, octets)) in read.iter().zip(table) {
        assert_eq!((ie.kind.0, ie.value.len()), (kind, usize::from(octets)));
    }
}

#[test]
fn an_unknown_element_with_a_length_is_skipped_and_one_without_ends_the_reading() {
    let body = [14, 5, 240, 0, 2, 0xAA, 0xBB, 255, 0, 2, 0, 9];
    let set = IeSet::parse(&body).unwrap();
    assert_eq!(set.get(IeType(240)), Some(&[0xAA, 0xBB][..]));
    assert_eq!(set.get(IeType::PRIVATE_EXTENSION), Some(&[0, 9][..]));

    let body = [14, 5, 99, 1, 2, 255, 0, 0];
    let (set, error) = IeSet::parse_prefix(&body);
    assert_eq!(error, Some(IeError::UnknownTv { kind: 99 }));
    assert_eq!(set.get(IeType::RECOVERY), Some(&[5][..]));
    assert_eq!(set.len(), 1);
    assert_eq!(
        IeSet::parse(&body).unwrap_err(),
        IeError::UnknownTv { kind: 99 }
    );
    let mut ies = Ies::new(&body);
    assert!(ies.next().unwrap().is_ok());
    assert!(ies.next().unwrap().is_err());
    assert!(ies.next().is_none());
}

#[test]
fn an_element_that_runs_over_the_end_is_an_overrun() {
    let overrun = |kind, needs, have| Err(IeError::Overrun { kind, needs, have });
    let parse = |body: &[u8]| IeSet::parse(body).map(|set| set.len());
    assert_eq!(parse(&[2, 0, 0]), overrun(2, 8, 2));
    assert_eq!(parse(&[131, 0]), overrun(131, 2, 1));
    assert_eq!(parse(&[131, 0, 4, 1, 2, 3]), overrun(131, 4, 3));
    assert_eq!(parse(&[131, 0xFF, 0xFF]), overrun(131, 0xFFFF, 0));
    assert_eq!(parse(&[131, 0, 0]), Ok(1));
}

#[test]
fn an_extension_header_type_list_has_a_length_of_one_octet() {
    let mut out = Vec::new();
    let kind = MessageType::SUPPORTED_EXTENSION_HEADERS_NOTIFICATION;
    let mut writer = Writer::new(&mut out, kind, 0, 7);
    writer.extension_header_types(&[0xC0, 0xC1]);
    let octets = writer.finish().unwrap();
    assert_eq!(octets[12..], [141, 2, 0xC0, 0xC1]);
    let set = Message::parse(octets).unwrap().ie_set().unwrap();
    let types = set.get(IeType::EXTENSION_HEADER_TYPE_LIST);
    assert_eq!(types, Some(&[0xC0, 0xC1][..]));
}

#[test]
fn a_message_has_at_most_so_many_elements() {
    let most = [14, 5].repeat(MAX_IES);
    assert_eq!(IeSet::parse(&most).unwrap().len(), MAX_IES);
    let more = [14, 5].repeat(MAX_IES + 1);
    let (set, error) = IeSet::parse_prefix(&more);
    assert_eq!((set.len(), error), (MAX_IES, Some(IeError::TooMany)));
}

#[test]
fn the_writer_keeps_its_buffer_and_writes_the_length() {
    let mut out = Vec::with_capacity(256);
    let place = out.as_ptr();
    for sequence in 0..3 {
        let mut writer = Writer::new(&mut out, MessageType::ECHO_RESPONSE, 0, sequence);
        writer.recovery(7);
        let octets = writer.finish().unwrap();
        let [s0, s1] = sequence.to_be_bytes();
        assert_eq!(octets, [0x32, 2, 0, 6, 0, 0, 0, 0, s0, s1, 0, 0, 14, 7]);
    }
    assert_eq!(out.as_ptr(), place);
}

#[test]
fn the_writer_refuses_what_does_not_fit() {
    let mut out = Vec::new();
    let mut writer = Writer::new(&mut out, MessageType::ECHO_REQUEST, 0, 1);
    writer
        .pco(&[0; 3000])
        .pco(&[0; 3000])
        .rat_type(RatType::UTRAN);
    assert_eq!(writer.finish(), Err(WriteError::TooLong));
    let mut writer = Writer::new(&mut out, MessageType::ECHO_REQUEST, 0, 1);
    writer.private_extension(&PrivateExtension {
        enterprise: 1,
        contents: &[0; MAX_MESSAGE_BYTES],
    });
    assert_eq!(writer.finish(), Err(WriteError::TooLong));
    let mut writer = Writer::new(&mut out, MessageType::ECHO_REQUEST, 0, 1);
    writer.apn("a..b");
    assert_eq!(writer.finish(), Err(WriteError::Value(ValueError::Label)));
}

#[test]
#[cfg(debug_assertions)]
#[should_panic(expected = "Recovery after NSAPI")]
fn the_writer_wants_elements_in_ascending_order() {
    let mut out = Vec::new();
    let mut writer = Writer::new(&mut out, MessageType::ECHO_REQUEST, 0, 1);
    writer.nsapi(Nsapi::FIRST).recovery(1);
}

#[test]
fn digits_end_at_the_filler() {
    let imsi = Imsi::parse(&[0x42, 0x00, 0x01, 0x21, 0x43, 0x65, 0x87, 0xF9]).unwrap();
    assert_eq!(imsi.to_string(), "240010123456789");
    let short = Imsi::parse(&[0x00, 0x01, 0xF1, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]);
    assert!(matches!(short, Err(ValueError::Length { have: 5, .. })));
    let sixteen = Imsi::parse(&[0x11; 8]);
    assert!(matches!(sixteen, Err(ValueError::Length { have: 16, .. })));
    let after_filler = Imsi::parse(&[0x11, 0x11, 0x11, 0x1F, 0xFF, 0xFF, 0xFF, 0xFF]);
    assert_eq!(after_filler, Err(ValueError::Digit { what: "IMSI" }));
    let no_digit = Imsi::parse(&[0xA1, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0xF1]);
    assert_eq!(no_digit, Err(ValueError::Digit { what: "IMSI" }));
    assert!(Imsi::parse(&[0x11; 7]).is_err());
    assert!(Imsi::from_text("+12345").is_err());
    assert!(Imsi::from_number(1_000_000, 6).is_err());
}

#[test]
fn names_are_compared_in_lower_case_and_without_the_operators_part() {
    let text = |octets: &[u8]| Apn::parse(octets).unwrap().to_string();
    assert_eq!(text(b"\x08InterNET\x03CoM"), "internet.com");
    assert_eq!(text(b"\x0cinternet.com"), "internet.com");
    let network = |name: &str| {
        let mut octets = [0; APN_MAX_BYTES];
        let apn = Apn::encode(name, &mut octets).unwrap();
        apn.network_identifier(&mut [0; APN_MAX_BYTES]).to_owned()
    };
    assert_eq!(network("ims.example.MNC001.mcc001.gprs"), "ims.example");
    assert_eq!(network("mnc001.mcc001.gprs"), "mnc001.mcc001.gprs");
    assert_eq!(network("ims.mnc1.mcc001.gprs"), "ims.mnc1.mcc001.gprs");
    assert_eq!(network("ims"), "ims");
}

#[test]
fn names_that_do_not_add_up_are_refused() {
    for octets in [
        &b"\x05four"[..],
        b"\x00",
        b"\x04four\x00",
        b"\x04fo r",
        b"\x04fo\xC3\xA9",
    ] {
        assert_eq!(Apn::parse(octets), Err(ValueError::Label), "{octets:?}");
    }
    let label = [&[63][..], &[b'a'; 63]].concat();
    assert!(Apn::parse(&label).is_ok());
    let long = [&[64][..], &[b'a'; 64]].concat();
    assert_eq!(Apn::parse(&long), Err(ValueError::Label));
    let hundred = [&label[..], &[35], &[b'b'; 35]].concat();
    assert_eq!(hundred.len(), APN_MAX_BYTES);
    assert!(Apn::parse(&hundred).is_ok());
    let more = [&label[..], &[36], &[b'b'; 36]].concat();
    assert!(matches!(Apn::parse(&more), Err(ValueError::Length { .. })));
    assert!(Apn::parse(&[]).is_err());
    let mut out = [0; APN_MAX_BYTES];
    assert!(Apn::encode(&format!("{}.{}", "a".repeat(63), "b".repeat(35)), &mut out).is_ok());
    let text = format!("{}.{}", "a".repeat(63), "b".repeat(36));
    assert!(Apn::encode(&text, &mut out).is_err());
    assert!(Apn::encode("", &mut out).is_err());
}

#[test]
fn an_address_must_suit_its_kind() {
    let parse = EndUserAddress::parse;
    assert!(parse(&[0xF1]).is_err());
    assert!(parse(&[0xF1, 0x21, 1, 2, 3]).is_err());
    assert!(parse(&[0xF0, 0x01, 1, 2, 3, 4]).is_err());
    assert!(parse(&[0xF1, 0x57, 1, 2, 3, 4]).is_err());
    let both = [&[0xF1, 0x8D, 10, 0, 0, 1][..], &[0x20; 16]].concat();
    let both = parse(&both).unwrap();
    assert_eq!(both.pdp_type, PdpType::Ipv4v6);
    assert_eq!(both.v4, Some([10, 0, 0, 1].into()));
    assert_eq!(both.v6, Some([0x20; 16].into()));
    let osp = parse(&[0xF0, 0x02, 9, 9, 9]).unwrap().pdp_type;
    let expected = PdpType::Other {
        organization: 0,
        number: 2,
    };
    assert_eq!(osp, expected);
}

#[test]
fn a_priority_level_sits_between_its_two_flags() {
    let arp = EvolvedArp {
        priority_level: 15,
        may_preempt: false,
        preemptable: true,
    };
    assert_eq!(arp.octet(), 0b0111_1100);
    let arp = EvolvedArp::parse(&[0b1000_0101]).unwrap();
    assert_eq!(arp.priority_level, 1);
    assert!(arp.may_preempt);
    assert!(!arp.preemptable);
}

#[test]
fn a_back_off_time_counts_in_growing_units() {
    let octet = |wait_s| BackOffTime::at_least(Duration::from_secs(wait_s)).octet();
    assert_eq!(octet(0), 0);
    assert_eq!(octet(62), 31);
    assert_eq!(octet(63), 1 << 5 | 2);
    assert_eq!(octet(31 * 60 + 1), 2 << 5 | 4);
    assert_eq!(octet(31 * 3600), 3 << 5 | 31);
    assert_eq!(octet(u64::MAX / 2), 4 << 5 | 31);
    let read = |octet| BackOffTime::parse(&[octet]).unwrap().duration();
    assert_eq!(read(7 << 5), None);
    assert_eq!(read(5 << 5 | 3), Some(Duration::from_secs(180)));
}

#[test]
fn causes_accept_from_128_and_reject_from_192() {
    assert!(Cause::REQUEST_ACCEPTED.is_accepted());
    assert!(Cause::NEW_PDP_TYPE_SINGLE_ADDRESS_BEARER.is_accepted());
    assert!(!Cause::NON_EXISTENT.is_accepted());
    assert!(!Cause::REACTIVATION_REQUESTED.is_accepted());
    assert_eq!(Cause::NO_RESOURCES_AVAILABLE.0, 199);
    assert_eq!(Cause(199).to_string(), "No resources available");
    assert_eq!(Cause(229).to_string(), "APN Congestion");
    assert_eq!(Cause(250).to_string(), "cause 250");
}

#[test]
fn requests_know_the_type_that_answers_them() {
    let kinds = [
        (1, Some(2)),
        (16, Some(17)),
        (18, Some(19)),
        (20, Some(21)),
        (2, None),
        (26, None),
    ];
    for (kind, response) in kinds {
        assert_eq!(MessageType(kind).response(), response.map(MessageType));
    }
}

#[test]
fn of_a_longer_value_than_is_known_the_known_part_is_read() {
    assert_eq!(octet("Common Flags", &[0x80, 1, 2]), Ok(0x80));
    assert!(octet("Common Flags", &[]).is_err());
    assert!(QosProfile::parse(&[2, 0x0B, 0x92]).is_err());
    for octets in [4, 12, 13, 15, 17, 22, 255] {
        let value = vec![2; octets];
        let qos = QosProfile::parse(&value).unwrap();
        assert_eq!((qos.arp(), qos.profile().len()), (2, octets - 1));
    }
}
