//! Whatever is written in GTPv2-C is read again as it was, and whatever comes is read without a panic.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::{Duration, Instant};

use gtp::peek;
use gtp::v2::value::{
    APN_MAX_BYTES, charging_characteristics, ip_address, ip_address_octets, low_access_priority,
    number, octet,
};
use gtp::v2::{
    Ambr, Apn, ApnRestriction, Arp, BearerQos, Cause, CauseIe, CellId, DelayValue, Ebi, Ecgi,
    EpcTimer, ExtendedMacroEnb, FTeid, FlowQos, Ie, IeError, IeSet, IeType, Imei, Imsi, Indication,
    InterfaceType, Lai, MAX_DEPTH, MAX_IES, MAX_SEQUENCE, MacroEnb, Message, MessageType,
    MsTimeZone, Msisdn, NodeType, Paa, PdnType, Plmn, PrivateExtension, RatType, SelectionMode,
    Tai, UserLocation, Writer,
};
use proptest::prelude::*;

const PLMN: Plmn = Plmn([0x42, 0xF0, 0x10]);
/// What the tests of many mutants may take in a debug build on a busy machine; a reader whose work grew faster than its
/// input would be far above.
const LIMIT: Duration = Duration::from_secs(600);

/// Reads all there is to read: header, elements, groups in groups, and every typed view of every element; says how many
/// elements there were.
fn read_everything(datagram: &[u8]) -> usize {
    let _ = peek::peek(datagram);
    let _ = peek::caller(datagram);
    let Ok(message) = Message::parse(datagram) else {
        return 0;
    };
    if let Some(Ok(behind)) = message.piggybacked() {
        assert!(behind.piggybacked().is_none());
        read_body(behind.body);
    }
    read_body(message.body)
}

fn read_body(body: &[u8]) -> usize {
    let (set, _) = IeSet::parse_prefix(body);
    read_set(&set)
}

fn read_set(set: &IeSet<'_>) -> usize {
    assert!(set.len() <= MAX_IES && set.depth() <= MAX_DEPTH);
    let mut count = set.len();
    for ie in set.iter() {
        view(ie.value);
        assert!(set.get(ie.kind, ie.instance).is_some());
        // Of several of one type and instance the first is opened, so that the work stays in proportion.
        let first = set.get(ie.kind, ie.instance).map(<[u8]>::as_ptr);
        if !ie.kind.is_grouped() || first != Some(ie.value.as_ptr()) {
            continue;
        }
        let group = set.group(ie.kind, ie.instance).unwrap();
        let too_deep = matches!(group, Err(IeError::TooDeep));
        assert_eq!(too_deep, set.depth() == MAX_DEPTH);
        count += group.map_or(0, |group| read_set(&group));
    }
    count
}

fn view(value: &[u8]) {
    let _ = Imsi::parse_short(value).map(|imsi| (imsi.to_string(), imsi.number()));
    let _ = Imei::parse(value).map(|imei| imei.to_string());
    let _ = Msisdn::parse(value).map(|msisdn| msisdn.to_string());
    let _ = Plmn::parse(value).map(|plmn| plmn.to_string());
    let _ = CauseIe::parse(value).map(|it| it.write(&mut [0; CauseIe::MAX_BYTES]));
    let _ = Ambr::parse(value).map(|it| it.octets());
    let _ = Ebi::parse(value);
    let _ = ip_address(value);
    let _ = Indication::parse(value).map(|it| format!("{it:?}"));
    let _ = Paa::parse(value).map(|it| it.write(&mut [0; Paa::MAX_BYTES]));
    let _ = BearerQos::parse(value).map(|it| it.octets());
    let _ = FlowQos::parse(value).map(|it| it.octets());
    let _ = UserLocation::parse(value).map(|it| it.write(&mut [0; UserLocation::MAX_BYTES]));
    let _ = FTeid::parse(value).map(|it| (it.write(&mut [0; FTeid::MAX_BYTES]), it.address()));
    let _ = DelayValue::parse(value).map(DelayValue::duration);
    let _ = charging_characteristics(value);
    let _ = low_access_priority(value);
    let _ = PdnType::parse(value);
    let _ = MsTimeZone::parse(value);
    let _ = SelectionMode::parse(value);
    let _ = EpcTimer::parse(value).map(EpcTimer::duration);
    let _ = PrivateExtension::parse(value);
    let _ = number("number", value);
    let _ = octet("octet", value);
    let mut out = [0; APN_MAX_BYTES];
    let _ = Apn::parse(value).map(|apn| {
        apn.network_identifier(&mut out);
        apn.to_string()
    });
}

fn location() -> UserLocation {
    let cell = Some(CellId {
        plmn: PLMN,
        lac: 7,
        code: 8,
    });
    UserLocation {
        cgi: cell,
        sai: cell,
        rai: cell,
        tai: Some(Tai { plmn: PLMN, tac: 9 }),
        ecgi: Some(Ecgi {
            plmn: PLMN,
            eci: 10,
        }),
        lai: Some(Lai {
            plmn: PLMN,
            lac: 11,
        }),
        macro_enb: Some(MacroEnb { plmn: PLMN, id: 12 }),
        extended_macro_enb: Some(ExtendedMacroEnb {
            plmn: PLMN,
            is_short: true,
            id: 13,
        }),
    }
}

fn fill_bearer(writer: &mut Writer<'_>) {
    let fteid = FTeid {
        v6: Some(Ipv6Addr::LOCALHOST),
        ..FTeid::new(
            InterfaceType::S5S8_SGW_U,
            3,
            IpAddr::V4(Ipv4Addr::LOCALHOST),
        )
    };
    let qos = BearerQos {
        arp: Arp {
            priority_level: 9,
            may_preempt: true,
            preemptable: false,
        },
        flow: FlowQos {
            qci: 5,
            ..FlowQos::default()
        },
    };
    writer
        .ebi(0, Ebi::FIRST)
        .cause(&CauseIe::about(
            Cause::MANDATORY_IE_INCORRECT,
            IeType::F_TEID,
            2,
        ))
        .f_teid(2, &fteid)
        .bearer_qos(&qos)
        .flow_qos(&qos.flow)
        .bearer_tft(&[0x21, 0x30, 0, 3, 2, 0x30, 0x11])
        .charging_id(9);
}

/// A create request with an element of every kind that has a writer, and a second message behind it.
fn full_message() -> Vec<u8> {
    let mut out = Vec::new();
    let kind = MessageType::CREATE_SESSION_REQUEST;
    let mut writer = Writer::new(&mut out, kind, Some(0x0102_0304), 0x05_0607);
    let sender = FTeid::new(InterfaceType::S11_MME_C, 2, IpAddr::V6(Ipv6Addr::LOCALHOST));
    writer
        .priority(3)
        .imsi(Imsi::from_text("001010123456789").unwrap())
        .cause(&CauseIe::new(Cause::REQUEST_ACCEPTED))
        .recovery(3)
        .apn("ims.mnc001.mcc001.gprs")
        .ambr(Ambr {
            uplink_kbps: 1,
            downlink_kbps: 2,
        })
        .ebi(1, Ebi::new(6).unwrap())
        .ip_address(0, IpAddr::V6(Ipv6Addr::LOCALHOST))
        .mei(Imei::parse(&[0x53, 0x20, 0x10, 0x32, 0x54, 0x76, 0x98, 0xF0]).unwrap())
        .msisdn(&[0x64, 0x07, 0x12, 0x32, 0x54, 0xF6])
        .indication(Indication::default().with(Indication::EMCI))
        .pco(&[0x80, 0x80, 0x21, 0x04, 1, 0, 0, 4])
        .paa(&Paa::dynamic(PdnType::Ipv4v6))
        .rat_type(RatType::EUTRAN)
        .serving_network(PLMN)
        .user_location(0, &location())
        .f_teid(0, &sender)
        .delay_value(DelayValue(2))
        .bearer_context(0, fill_bearer)
        .bearer_context(0, fill_bearer)
        .bearer_context(1, fill_bearer)
        .group(IeType::PDN_CONNECTION, 0, |pdn| {
            pdn.apn("internet").bearer_context(0, fill_bearer);
        });
    writer
        .charging_characteristics(0x0800)
        .pdn_type(PdnType::Ipv4v6)
        .pti(1)
        .ue_time_zone(MsTimeZone {
            zone: 0x40,
            daylight_saving: 1,
        })
        .port_number(0, 4500)
        .apn_restriction(ApnRestriction(1))
        .selection_mode(SelectionMode::Verified)
        .fq_csid(0, &[0x01, 192, 0, 2, 1, 0, 7])
        .node_type(NodeType::MME)
        .node_features(1)
        .arp(Arp {
            priority_level: 2,
            may_preempt: false,
            preemptable: true,
        })
        .epc_timer(0, EpcTimer::at_least(Duration::from_secs(30)))
        .low_access_priority(true)
        .private_extension(
            0,
            &PrivateExtension {
                enterprise: 9,
                contents: &[1, 2, 3],
            },
        );
    writer.finish().unwrap();
    let kind = MessageType::CREATE_BEARER_REQUEST;
    let mut writer = Writer::piggyback(&mut out, kind, Some(1), 2);
    writer.ebi(0, Ebi::FIRST).bearer_context(0, fill_bearer);
    writer.finish().unwrap();
    out
}

/// A small generator of our own: the same cases each time, and fast in a debug build.
struct Xorshift(u64);

impl Xorshift {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }
}

/// The length field set right again for a single message, so that a mutation gets past the first check.
fn mend_length(octets: &mut [u8]) {
    if octets.len() >= 4 {
        let length = (octets.len() - 4) as u16;
        octets[0] &= !0x10;
        octets[2..4].copy_from_slice(&length.to_be_bytes());
    }
}

#[test]
fn a_full_message_is_read_whole() {
    let whole = full_message();
    let parsed = Message::parse(&whole).unwrap();
    assert_eq!(parsed.header.priority, Some(3));
    // 35 of the message, of which are three bearers (the second not opened) and a connection with one.
    assert_eq!(read_everything(&whole), 35 + 7 + 7 + 2 + 7);
    let behind = parsed.piggybacked().unwrap().unwrap();
    assert_eq!(read_body(behind.body), 2 + 7);
    let full: Vec<Ie<'_>> = parsed.ies().map(Result::unwrap).collect();
    assert_eq!(full.len(), 35);
}

#[test]
fn every_octet_of_a_message_may_be_any_octet() {
    let whole = full_message();
    let began = Instant::now();
    let mut parsed = 0_u32;
    for at in 0..whole.len() {
        for octet in (0..=255).step_by(51) {
            let mut octets = whole.clone();
            octets[at] = octet;
            parsed += u32::from(read_everything(&octets) > 0);
        }
    }
    let mutants = whole.len() * 6;
    assert!(parsed as usize > mutants * 9 / 10, "{parsed} of {mutants}");
    assert!(began.elapsed() < LIMIT, "{:?}", began.elapsed());
}

#[test]
fn a_message_may_be_cut_anywhere_and_any_octet_changed() {
    let whole = full_message();
    let began = Instant::now();
    for len in (0..=whole.len()).step_by(7) {
        for at in (0..len).step_by(31) {
            for octet in [0, 1, 93, 0x7F, 0xFF] {
                let mut octets = whole[..len].to_vec();
                octets[at] = octet;
                mend_length(&mut octets);
                read_everything(&octets);
            }
        }
    }
    assert!(began.elapsed() < LIMIT, "{:?}", began.elapsed());
}

#[test]
fn ten_thousand_random_mutations_do_no_harm() {
    let whole = full_message();
    let began = Instant::now();
    let mut random = Xorshift(0x9E37_79B9_7F4A_7C15);
    let mut parsed = 0_u32;
    for _ in 0..10_000 {
        let mut octets = whole.clone();
        for _ in 0..=random.below(4) {
            let at = random.below(octets.len());
            match random.below(4) {
                0 => octets.truncate(at.max(1)),
                1 => octets.insert(at, random.next() as u8),
                2 => {
                    octets.remove(at);
                    if octets.is_empty() {
                        octets.push(0x48);
                    }
                }
                _ => octets[at] = random.next() as u8,
            }
        }
        if random.below(8) > 0 {
            mend_length(&mut octets);
        }
        parsed += u32::from(read_everything(&octets) > 0);
    }
    assert!(parsed > 7_000, "{parsed} mutants got past the header");
    assert!(began.elapsed() < LIMIT, "{:?}", began.elapsed());
}

proptest! {
    #[test]
    fn any_octets_are_read_without_a_panic(mut octets in prop::collection::vec(any::<u8>(), 0..300)) {
        read_everything(&octets);
        if octets.len() >= 12 {
            octets[0] = 0x40 | octets[0] & 0x0F;
            mend_length(&mut octets);
            read_everything(&octets);
        }
    }

    #[test]
    fn elements_written_are_the_elements_read(
        teid: Option<u32>,
        sequence in 0..=MAX_SEQUENCE,
        elements in prop::collection::vec((any::<u8>(), 0_u8..16, prop::collection::vec(any::<u8>(), 0..60)), 0..40),
    ) {
        let mut out = Vec::new();
        let mut writer = Writer::new(&mut out, MessageType::ECHO_REQUEST, teid, sequence);
        for (kind, instance, value) in &elements {
            writer.ie(IeType(*kind), *instance, value);
        }
        let octets = writer.finish().unwrap();
        let message = Message::parse(octets).unwrap();
        prop_assert_eq!((message.header.teid, message.header.sequence), (teid, sequence));
        let owned = |ie: Ie<'_>| (ie.kind.0, ie.instance, ie.value.to_vec());
        let read: Vec<_> = message.ies().map(Result::unwrap).map(owned).collect();
        prop_assert_eq!(&read, &elements);
        let set = message.ie_set().unwrap();
        let indexed: Vec<_> = set.iter().map(owned).collect();
        prop_assert_eq!(indexed, elements);
    }

    #[test]
    fn groups_written_are_the_groups_read(
        groups in prop::collection::vec((0_u8..16, prop::collection::vec((any::<u8>(), prop::collection::vec(any::<u8>(), 0..20)), 0..12)), 0..12),
    ) {
        let mut out = Vec::new();
        let mut writer = Writer::new(&mut out, MessageType::MODIFY_BEARER_REQUEST, Some(1), 1);
        for (instance, elements) in &groups {
            writer.bearer_context(*instance, |bearer| {
                for (kind, value) in elements {
                    bearer.ie(IeType(*kind), 0, value);
                }
            });
        }
        let set = Message::parse(writer.finish().unwrap()).unwrap().ie_set().unwrap();
        for instance in 0..16 {
            let read: Vec<Vec<_>> = set
                .groups(IeType::BEARER_CONTEXT, instance)
                .map(|group| group.unwrap().iter().map(|ie| (ie.kind.0, ie.value.to_vec())).collect())
                .collect();
            let written: Vec<_> = groups.iter().filter(|(it, _)| *it == instance).map(|(_, it)| it.clone()).collect();
            prop_assert_eq!(read, written);
        }
    }

    #[test]
    fn an_imsi_is_its_digits_in_both_versions(digits in "[0-9]{6,15}") {
        let imsi = Imsi::from_text(&digits).unwrap();
        prop_assert_eq!(imsi.short_octets().len(), digits.len().div_ceil(2));
        prop_assert_eq!(Imsi::parse_short(imsi.short_octets()), Ok(imsi));
        prop_assert_eq!(Imsi::parse_short(&imsi.octets()), Ok(imsi));
    }

    #[test]
    fn a_network_is_its_digits(country in "[0-9]{3}", network in "[0-9]{2,3}") {
        let plmn = Plmn::from_text(&country, &network).unwrap();
        prop_assert_eq!(plmn.to_string(), country + &network);
    }

    #[test]
    fn a_cause_is_written_as_it_was_read(cause: u8, bits in 0_u8..8, offending: Option<(u8, u8)>) {
        let mut octets = vec![cause, bits];
        if let Some((kind, instance)) = offending {
            octets.extend([kind, 0, 0, instance & 0xF]);
        }
        let read = CauseIe::parse(&octets).unwrap();
        prop_assert_eq!(read.cause, Cause(cause));
        let mut out = [0; CauseIe::MAX_BYTES];
        let len = read.write(&mut out);
        prop_assert_eq!(&out[..len], &octets[..]);
    }

    #[test]
    fn an_address_is_written_as_it_was_read(kind in 1_u8..6, prefix_bits: u8, v4: u32, v6: u128) {
        let (v4, address) = (Ipv4Addr::from_bits(v4), Ipv6Addr::from_bits(v6));
        let paa = match kind {
            1 => Paa::Ipv4(v4),
            2 => Paa::Ipv6 { prefix_bits, address },
            3 => Paa::Ipv4v6 { prefix_bits, v6: address, v4 },
            4 => Paa::NonIp,
            _ => Paa::Ethernet,
        };
        let mut out = [0; Paa::MAX_BYTES];
        let len = paa.write(&mut out);
        prop_assert_eq!(Paa::parse(&out[..len]), Ok(paa));
        prop_assert_eq!(paa.pdn_type().number(), kind);
    }

    #[test]
    fn an_endpoint_is_written_as_it_was_read(interface in 0_u8..64, teid: u32, v4: Option<u32>, v6: Option<u128>) {
        let fteid = FTeid {
            interface: InterfaceType(interface),
            teid,
            v4: v4.map(Ipv4Addr::from_bits),
            v6: v6.map(Ipv6Addr::from_bits),
        };
        let mut out = [0; FTeid::MAX_BYTES];
        let len = fteid.write(&mut out);
        match fteid.address() {
            Some(_) => prop_assert_eq!(FTeid::parse(&out[..len]), Ok(fteid)),
            None => prop_assert!(FTeid::parse(&out[..len]).is_err()),
        }
    }

    #[test]
    fn a_location_that_parses_is_written_as_it_came(value in prop::collection::vec(any::<u8>(), 1..60)) {
        if let Ok(read) = UserLocation::parse(&value) {
            let mut out = [0; UserLocation::MAX_BYTES];
            let len = read.write(&mut out);
            prop_assert!(len <= value.len());
            prop_assert_eq!(out[0], value[0]);
            prop_assert_eq!(UserLocation::parse(&out[..len]), Ok(read));
        }
    }

    #[test]
    fn a_quality_is_written_as_it_was_read(value: [u8; 22]) {
        let qos = BearerQos::parse(&value).unwrap();
        let octets = qos.octets();
        prop_assert_eq!(&octets[1..], &value[1..]);
        prop_assert_eq!(octets[0], value[0] & 0x7D);
        let rates = Ambr::parse(&value).unwrap();
        prop_assert_eq!(&rates.octets()[..], &value[..8]);
    }

    #[test]
    fn flags_are_written_as_they_were_read(value in prop::collection::vec(any::<u8>(), 1..17)) {
        let flags = Indication::parse(&value).unwrap();
        prop_assert_eq!(flags.octets(), &value[..]);
        let set = Indication::FLAGS.iter().filter(|(flag, _)| flags.has(*flag)).count();
        let known: u32 = value.iter().take(9).map(|octet| octet.count_ones()).sum();
        let last = value.get(9).map_or(0, |octet| (octet & 7).count_ones());
        prop_assert_eq!(set, (known + last) as usize);
    }

    #[test]
    fn a_node_address_is_written_as_it_was_read(v4: u32, v6: u128) {
        for address in [IpAddr::V4(Ipv4Addr::from_bits(v4)), IpAddr::V6(Ipv6Addr::from_bits(v6))] {
            prop_assert_eq!(ip_address(ip_address_octets(address, &mut [0; 16])), Ok(address));
        }
    }
}
