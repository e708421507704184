//! Whatever is written is read again as it was, and whatever comes is read without a panic.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use gtp::peek;
use gtp::v1::value::{APN_MAX_BYTES, gsn_address, gsn_address_octets, number, octet};
use gtp::v1::{
    Apn, BackOffTime, Cause, CommonFlags, EndUserAddress, EvolvedArp, IeSet, IeType, Imei, Imsi,
    Message, MessageType, MsTimeZone, Msisdn, Nsapi, PdpType, PrivateExtension, QosProfile, Rai,
    RatType, SelectionMode, UserLocation, Writer,
};
use proptest::prelude::*;

/// Reads all there is to read: header, elements, and every typed view of every element.
fn read_everything(datagram: &[u8]) -> usize {
    let _ = peek::peek(datagram);
    let _ = peek::caller(datagram);
    let _ = gtp::pco::Asked::parse(datagram).map(|asked| asked.answer(&gtp::pco::Offer::default()));
    let Ok(message) = Message::parse(datagram) else {
        return 0;
    };
    let (set, _) = IeSet::parse_prefix(message.body);
    assert!(set.len() <= gtp::v1::MAX_IES);
    for ie in set.iter() {
        view(ie.value);
        assert!(set.get(ie.kind).is_some());
    }
    set.len()
}

fn view(value: &[u8]) {
    let _ = Imsi::parse(value).map(|imsi| (imsi.to_string(), imsi.number()));
    let _ = Imei::parse(value).map(|imei| imei.to_string());
    let _ = Msisdn::parse(value).map(|msisdn| msisdn.to_string());
    let _ = Rai::parse(value);
    let _ = Nsapi::parse(value);
    let _ = SelectionMode::parse(value);
    let _ = gsn_address(value);
    let _ = EndUserAddress::parse(value).map(|it| it.write(&mut [0; EndUserAddress::MAX_BYTES]));
    let _ = QosProfile::parse(value).map(|qos| (qos.arp(), qos.profile().len()));
    let _ = UserLocation::parse(value);
    let _ = MsTimeZone::parse(value);
    let _ = EvolvedArp::parse(value);
    let _ = BackOffTime::parse(value).map(BackOffTime::duration);
    let _ = PrivateExtension::parse(value);
    let _ = number("number", value);
    let _ = octet("octet", value);
    let mut out = [0; APN_MAX_BYTES];
    let _ = Apn::parse(value).map(|apn| {
        apn.network_identifier(&mut out);
        apn.to_string()
    });
}

/// A create request with an element of every kind that has a writer.
fn full_message() -> Vec<u8> {
    let mut out = Vec::new();
    let kind = MessageType::CREATE_PDP_CONTEXT_REQUEST;
    let mut writer = Writer::new(&mut out, kind, 0x0102_0304, 0x0506);
    writer
        .cause(Cause::REQUEST_ACCEPTED)
        .imsi(Imsi::from_text("001010123456789").unwrap())
        .rai(Rai {
            plmn: [0x00, 0xF1, 0x10],
            lac: 7,
            rac: 8,
        })
        .reordering_required(false)
        .recovery(3)
        .selection_mode(SelectionMode::Verified)
        .teid_data(1)
        .teid_control(2)
        .teardown(true)
        .nsapi(Nsapi::FIRST)
        .nsapi(Nsapi::new(6).unwrap())
        .charging_characteristics(0x0800)
        .charging_id(9)
        .end_user_address(&EndUserAddress::dynamic(PdpType::Ipv4v6))
        .apn("ims.mnc001.mcc001.gprs")
        .pco(&[0x80, 0x80, 0x21, 0x04, 1, 0, 0, 4])
        .gsn_address(IpAddr::V4(Ipv4Addr::LOCALHOST))
        .gsn_address(IpAddr::V6(Ipv6Addr::LOCALHOST))
        .msisdn(&[0x91, 0x64, 0x07, 0x12, 0x32, 0x54, 0xF6])
        .qos_profile(&[
            2, 0x0B, 0x92, 0x1F, 0x73, 0x96, 0x40, 0x40, 0x74, 0xFB, 0x40, 0x40,
        ])
        .common_flags(CommonFlags(CommonFlags::DUAL_ADDRESS_BEARER))
        .rat_type(RatType::UTRAN)
        .user_location(&UserLocation {
            geographic_location_type: 1,
            location: &[0x00, 0xF1, 0x10, 0, 1, 0, 2],
        })
        .ms_time_zone(MsTimeZone {
            zone: 0x40,
            daylight_saving: 1,
        })
        .imei(Imei::parse(&[0x53, 0x20, 0x10, 0x32, 0x54, 0x76, 0x98, 0xF0]).unwrap())
        .evolved_arp(EvolvedArp {
            priority_level: 9,
            may_preempt: true,
            preemptable: false,
        })
        .back_off_time(BackOffTime::at_least(Duration::from_secs(30)))
        .private_extension(&PrivateExtension {
            enterprise: 9,
            contents: &[1, 2, 3],
        });
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

/// The length field set right again, so that a mutation gets past the first check.
fn mend_length(octets: &mut [u8]) {
    if octets.len() >= 8 {
        let length = (octets.len() - 8) as u16;
        octets[2..4].copy_from_slice(&length.to_be_bytes());
    }
}

#[test]
fn every_octet_of_a_message_may_be_any_octet() {
    let whole = full_message();
    assert_eq!(read_everything(&whole), 28);
    let mut parsed = 0_u32;
    for at in 0..whole.len() {
        for octet in (0..=255).step_by(5) {
            let mut octets = whole.clone();
            octets[at] = octet;
            parsed += u32::from(read_everything(&octets) > 0);
        }
    }
    assert!(parsed > 8_000, "{parsed} mutants got past the header");
}

#[test]
fn a_message_may_be_cut_anywhere_and_any_octet_changed() {
    let whole = full_message();
    for len in 0..=whole.len() {
        for at in (0..len).step_by(3) {
            for octet in [0, 1, 3, 0x7F, 0x80, 0xFF] {
                let mut octets = whole[..len].to_vec();
                octets[at] = octet;
                mend_length(&mut octets);
                read_everything(&octets);
            }
        }
    }
}

#[test]
fn sixty_thousand_random_mutations_do_no_harm() {
    let whole = full_message();
    let mut random = Xorshift(0x9E37_79B9_7F4A_7C15);
    let mut parsed = 0_u32;
    for _ in 0..60_000 {
        let mut octets = whole.clone();
        for _ in 0..=random.below(4) {
            let at = random.below(octets.len());
            match random.below(4) {
                0 => octets.truncate(at.max(1)),
                1 => octets.insert(at, random.next() as u8),
                2 => {
                    octets.remove(at);
                    if octets.is_empty() {
                        octets.push(0x32);
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
    assert!(parsed > 30_000, "{parsed} mutants got past the header");
}

proptest! {
    #[test]
    fn any_octets_are_read_without_a_panic(mut octets in prop::collection::vec(any::<u8>(), 0..300)) {
        read_everything(&octets);
        if octets.len() >= 8 {
            octets[0] = 0x30 | octets[0] & 7;
            mend_length(&mut octets);
            read_everything(&octets);
        }
    }

    #[test]
    fn elements_written_are_the_elements_read(
        teid: u32,
        sequence: u16,
        mut elements in prop::collection::vec((128_u8..=255, prop::collection::vec(any::<u8>(), 0..60)), 0..40),
    ) {
        elements.retain(|(kind, _)| *kind != IeType::EXTENSION_HEADER_TYPE_LIST.0);
        elements.sort_by_key(|(kind, _)| *kind);
        let mut out = Vec::new();
        let mut writer = Writer::new(&mut out, MessageType::ECHO_REQUEST, teid, sequence);
        for (kind, value) in &elements {
            writer.ie(IeType(*kind), value);
        }
        let octets = writer.finish().unwrap();
        let message = Message::parse(octets).unwrap();
        prop_assert_eq!(message.header.teid, teid);
        prop_assert_eq!(message.header.sequence, Some(sequence));
        let read: Vec<_> = message.ies().map(Result::unwrap).map(|ie| (ie.kind.0, ie.value.to_vec())).collect();
        prop_assert_eq!(&read, &elements);
        let set = message.ie_set().unwrap();
        let indexed: Vec<_> = set.iter().map(|ie| (ie.kind.0, ie.value.to_vec())).collect();
        prop_assert_eq!(indexed, elements);
    }

    #[test]
    fn an_imsi_is_its_digits(digits in "[0-9]{6,15}") {
        let imsi = Imsi::from_text(&digits).unwrap();
        prop_assert_eq!(imsi.to_string(), digits.clone());
        prop_assert_eq!(Imsi::parse(&imsi.octets()), Ok(imsi));
        prop_assert_eq!(usize::from(imsi.digit_count()), digits.len());
        prop_assert_eq!(Imsi::from_number(imsi.number(), imsi.digit_count()), Ok(imsi));
    }

    #[test]
    fn an_imsi_that_parses_is_written_as_it_came(octets: [u8; 8]) {
        if let Ok(imsi) = Imsi::parse(&octets) {
            prop_assert_eq!(Imsi::from_text(&imsi.to_string()).unwrap().octets(), octets);
        }
    }

    #[test]
    fn an_apn_is_its_text(text in "[a-z0-9-]{1,20}(\\.[a-z0-9-]{1,20}){0,3}") {
        let mut octets = [0; APN_MAX_BYTES];
        let apn = Apn::encode(&text, &mut octets).unwrap();
        prop_assert_eq!(apn.octets().len(), text.len() + 1);
        prop_assert_eq!(Apn::parse(apn.octets()).unwrap().to_string(), text);
    }

    #[test]
    fn an_apn_that_parses_is_written_as_it_came(octets in prop::collection::vec(0_u8..=127, 0..110)) {
        if let Ok(apn) = Apn::parse(&octets) {
            let text = apn.labels().map(|label| String::from_utf8(label.to_vec()).unwrap()).collect::<Vec<_>>();
            if text.iter().all(|label| !label.contains('.')) {
                let mut again = [0; APN_MAX_BYTES];
                prop_assert_eq!(Apn::encode(&text.join("."), &mut again).unwrap().octets(), &octets[..]);
            }
        }
    }

    #[test]
    fn an_end_user_address_is_written_as_it_was_read(kind in 0_u8..4, v4: Option<u32>, v6: Option<u128>) {
        let pdp_type = [PdpType::Ipv4, PdpType::Ipv6, PdpType::Ipv4v6, PdpType::Ppp][usize::from(kind)];
        let address = EndUserAddress {
            pdp_type,
            v4: v4.filter(|_| kind == 0 || kind == 2).map(Ipv4Addr::from_bits),
            v6: v6.filter(|_| kind == 1 || kind == 2).map(Ipv6Addr::from_bits),
        };
        let mut octets = [0; EndUserAddress::MAX_BYTES];
        let len = address.write(&mut octets);
        prop_assert_eq!(EndUserAddress::parse(&octets[..len]), Ok(address));
    }

    #[test]
    fn a_node_address_is_written_as_it_was_read(v4: u32, v6: u128) {
        for address in [IpAddr::V4(Ipv4Addr::from_bits(v4)), IpAddr::V6(Ipv6Addr::from_bits(v6))] {
            prop_assert_eq!(gsn_address(gsn_address_octets(address, &mut [0; 16])), Ok(address));
        }
    }

    #[test]
    fn small_values_are_written_as_they_were_read(bits: u8, rai: [u8; 6]) {
        let arp = EvolvedArp::parse(&[bits]).unwrap();
        prop_assert_eq!(arp.octet(), bits & 0x7D);
        prop_assert_eq!(EvolvedArp::parse(&[arp.octet()]), Ok(arp));
        let mode = SelectionMode::parse(&[bits]).unwrap();
        prop_assert_eq!(SelectionMode::parse(&[mode.octet()]), Ok(mode));
        let nsapi = Nsapi::parse(&[bits]).unwrap();
        prop_assert_eq!(nsapi.number(), bits & 0xF);
        prop_assert_eq!(Rai::parse(&rai).unwrap().octets(), rai);
    }

    #[test]
    fn a_back_off_time_is_never_too_short_and_at_most_one_unit_too_long(wait_s in 0_u64..1_116_000) {
        let time = BackOffTime::at_least(Duration::from_secs(wait_s));
        let told_s = time.duration().unwrap().as_secs();
        let unit_s = [2, 60, 600, 3_600, 36_000][usize::from(time.octet() >> 5)];
        prop_assert!(told_s >= wait_s);
        prop_assert!(told_s < wait_s + unit_s);
        prop_assert_eq!(BackOffTime::parse(&[time.octet()]), Ok(time));
    }
}
