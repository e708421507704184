//! GTPv2-C messages that another encoder made, read field by field, and written again octet for octet.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use gtp::peek::{self, Caller, Peek};
use gtp::v2::value::{APN_MAX_BYTES, charging_characteristics, number};
use gtp::v2::{
    Ambr, Apn, Arp, BearerQos, Cause, CauseIe, Ebi, Ecgi, EpcTimer, FTeid, IeSet, IeType, Imei,
    Imsi, Indication, InterfaceType, Message, MessageType, MsTimeZone, Msisdn, Paa, PdnType, Plmn,
    RatType, SelectionMode, Tai, UserLocation, Writer,
};

fn vector(text: &str) -> Vec<u8> {
    let text = text.trim();
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}

fn echo_request() -> Vec<u8> {
    vector(include_str!("vectors/scapy-v2-echo-request.hex"))
}

fn create_request() -> Vec<u8> {
    vector(include_str!("vectors/scapy-v2-create-session-request.hex"))
}

fn create_response() -> Vec<u8> {
    vector(include_str!("vectors/scapy-v2-create-session-response.hex"))
}

fn modify_request() -> Vec<u8> {
    vector(include_str!("vectors/scapy-v2-modify-bearer-request.hex"))
}

fn delete_request() -> Vec<u8> {
    vector(include_str!("vectors/scapy-v2-delete-session-request.hex"))
}

fn all() -> [Vec<u8>; 5] {
    [
        echo_request(),
        create_request(),
        create_response(),
        modify_request(),
        delete_request(),
    ]
}

/// Copies elements, the grouped ones opened and closed again.
fn copy(set: &IeSet<'_>, writer: &mut Writer<'_>) {
    let mut opened = [0; 256];
    for ie in set.iter() {
        if !ie.kind.is_grouped() {
            writer.ie(ie.kind, ie.instance, ie.value);
            continue;
        }
        let nth = &mut opened[usize::from(ie.kind.0)];
        let group = set.groups(ie.kind, ie.instance).nth(*nth).unwrap().unwrap();
        *nth += 1;
        writer.group(ie.kind, ie.instance, |inner| copy(&group, inner));
    }
}

/// Every element copied from `octets` into a message of our own writer.
fn written_again(octets: &[u8]) -> Vec<u8> {
    let message = Message::parse(octets).unwrap();
    let mut out = Vec::new();
    let header = message.header;
    let mut writer = Writer::new(&mut out, header.kind, header.teid, header.sequence);
    copy(&message.ie_set().unwrap(), &mut writer);
    writer.finish().unwrap();
    out
}

fn set(octets: &[u8]) -> IeSet<'_> {
    Message::parse(octets).unwrap().ie_set().unwrap()
}

fn get<'a>(ies: &IeSet<'a>, kind: IeType) -> &'a [u8] {
    ies.get(kind, 0).unwrap()
}

fn v4(last: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(192, 0, 2, last))
}

#[test]
fn every_message_is_written_again_as_it_came() {
    for octets in all() {
        assert_eq!(written_again(&octets), octets);
    }
}

#[test]
fn an_echo_request_has_no_teid() {
    let octets = echo_request();
    let message = Message::parse(&octets).unwrap();
    assert_eq!(message.header.kind, MessageType::ECHO_REQUEST);
    assert_eq!(message.header.teid, None);
    assert_eq!(message.header.sequence, 0x01_0200);
    assert_eq!(get(&set(&octets), IeType::RECOVERY), [7]);
}

#[test]
fn a_create_session_request_says_who_wants_what() {
    let octets = create_request();
    let message = Message::parse(&octets).unwrap();
    assert_eq!(message.header.kind, MessageType::CREATE_SESSION_REQUEST);
    assert_eq!(message.header.teid, Some(0));
    assert_eq!(message.header.sequence, 0x01_0203);
    let ies = message.ie_set().unwrap();
    assert_eq!(ies.len(), 18);

    let imsi = Imsi::parse_short(get(&ies, IeType::IMSI)).unwrap();
    assert_eq!(imsi.to_string(), "240010123456789");
    let msisdn = Msisdn::parse(get(&ies, IeType::MSISDN)).unwrap();
    assert_eq!(msisdn.to_string(), "46702123456");
    let mei = Imei::parse(get(&ies, IeType::MEI)).unwrap();
    assert_eq!(mei.to_string(), "3512340012345678");
    let plmn = Plmn::parse(get(&ies, IeType::SERVING_NETWORK)).unwrap();
    assert_eq!(plmn, Plmn::from_text("240", "01").unwrap());
    let location = UserLocation::parse(get(&ies, IeType::ULI)).unwrap();
    let expected = UserLocation {
        tai: Some(Tai { plmn, tac: 77 }),
        ecgi: Some(Ecgi {
            plmn,
            eci: 0x0123_4567,
        }),
        ..UserLocation::default()
    };
    assert_eq!(location, expected);
    assert_eq!(get(&ies, IeType::RAT_TYPE), [RatType::EUTRAN.0]);
    let flags = Indication::parse(get(&ies, IeType::INDICATION)).unwrap();
    let expected = Indication::default()
        .with(Indication::HI)
        .with(Indication::PS);
    assert_eq!(flags, expected);
    let sender = FTeid::parse(get(&ies, IeType::F_TEID)).unwrap();
    let expected = FTeid::new(InterfaceType::S5S8_SGW_C, 0x1122_3344, v4(2));
    assert_eq!(sender, expected);
    let apn = Apn::parse(get(&ies, IeType::APN)).unwrap();
    let network = &mut [0; APN_MAX_BYTES];
    assert_eq!(apn.network_identifier(network), "internet");
    let mode = SelectionMode::parse(get(&ies, IeType::SELECTION_MODE)).unwrap();
    assert_eq!(mode, SelectionMode::Verified);
    let pdn_type = PdnType::parse(get(&ies, IeType::PDN_TYPE)).unwrap();
    assert_eq!(pdn_type, PdnType::Ipv4);
    let paa = Paa::parse(get(&ies, IeType::PAA)).unwrap();
    assert_eq!(paa, Paa::dynamic(PdnType::Ipv4));
    let ambr = Ambr::parse(get(&ies, IeType::AMBR)).unwrap();
    assert_eq!((ambr.uplink_kbps, ambr.downlink_kbps), (50_000, 150_000));
    let zone = MsTimeZone::parse(get(&ies, IeType::UE_TIME_ZONE)).unwrap();
    assert_eq!((zone.zone, zone.daylight_saving), (0x40, 1));
    let bits = charging_characteristics(get(&ies, IeType::CHARGING_CHARACTERISTICS));
    assert_eq!(bits, Ok(0x0800));
}

#[test]
fn a_create_session_request_brings_its_default_bearer() {
    let octets = create_request();
    let ies = set(&octets);
    let bearer = ies.group(IeType::BEARER_CONTEXT, 0).unwrap().unwrap();
    assert_eq!(bearer.len(), 3);
    assert_eq!(Ebi::parse(get(&bearer, IeType::EBI)), Ok(Ebi::FIRST));
    assert_eq!(bearer.get(IeType::F_TEID, 0), None);
    let user = FTeid::parse(bearer.get(IeType::F_TEID, 2).unwrap()).unwrap();
    let expected = FTeid::new(InterfaceType::S5S8_SGW_U, 0x5566_7788, v4(3));
    assert_eq!(user, expected);
    let qos = BearerQos::parse(get(&bearer, IeType::BEARER_QOS)).unwrap();
    let arp = Arp {
        priority_level: 9,
        may_preempt: false,
        preemptable: true,
    };
    assert_eq!((qos.arp, qos.flow.qci), (arp, 5));
}

#[test]
fn a_create_session_response_gives_an_address_and_endpoints() {
    let octets = create_response();
    let ies = set(&octets);
    let accepted = CauseIe::new(Cause::REQUEST_ACCEPTED);
    assert_eq!(CauseIe::parse(get(&ies, IeType::CAUSE)), Ok(accepted));
    let paa = Paa::parse(get(&ies, IeType::PAA)).unwrap();
    assert_eq!(paa.v4(), Some(Ipv4Addr::new(10, 1, 2, 3)));
    let control = FTeid::parse(ies.get(IeType::F_TEID, 1).unwrap()).unwrap();
    let expected = FTeid::new(InterfaceType::S5S8_PGW_C, 0xCAFE_F00D, v4(1));
    assert_eq!(control, expected);
    let bearer = ies.group(IeType::BEARER_CONTEXT, 0).unwrap().unwrap();
    let cause = CauseIe::parse(get(&bearer, IeType::CAUSE));
    assert_eq!(cause, Ok(accepted));
    let user = FTeid::parse(bearer.get(IeType::F_TEID, 2).unwrap()).unwrap();
    let expected = FTeid::new(InterfaceType::S5S8_PGW_U, 0xDEAD_BEEF, v4(1));
    assert_eq!(user, expected);
    let charging_id = number("Charging ID", get(&bearer, IeType::CHARGING_ID));
    assert_eq!(charging_id, Ok(0x0102_0304));
}

#[test]
fn a_delete_session_request_has_a_cause_and_a_bearer() {
    let octets = delete_request();
    let ies = set(&octets);
    let cause = CauseIe::parse(get(&ies, IeType::CAUSE)).unwrap().cause;
    assert_eq!(cause, Cause::COMPLETE_DETACH);
    assert_eq!(Ebi::parse(get(&ies, IeType::EBI)), Ok(Ebi::FIRST));
    let flags = Indication::parse(get(&ies, IeType::INDICATION)).unwrap();
    assert!(flags.has(Indication::OI));
    let timer = EpcTimer::parse(get(&ies, IeType::EPC_TIMER)).unwrap();
    assert_eq!(timer.duration(), Some(Duration::from_secs(120)));
}

#[test]
fn peeking_sees_what_parsing_sees() {
    for octets in all() {
        let header = Message::parse(&octets).unwrap().header;
        let peeked = Peek {
            version: 2,
            kind: header.kind.0,
            teid: header.teid.unwrap_or(0),
            sequence: Some(header.sequence),
        };
        assert_eq!(peek::peek(&octets), Some(peeked));
    }
    let imsi = Imsi::from_text("240010123456789").unwrap();
    assert_eq!(
        peek::caller(&create_request()),
        Some(Caller::Subscriber(imsi))
    );
    for without in [modify_request(), delete_request(), echo_request()] {
        assert_eq!(peek::caller(&without), None);
    }
}

#[test]
fn an_imsi_is_found_behind_other_elements_and_not_within_them() {
    let imsi = Imsi::from_text("001010000000001").unwrap();
    let mut out = Vec::new();
    let kind = MessageType::CREATE_SESSION_REQUEST;
    let mut writer = Writer::new(&mut out, kind, Some(0), 1);
    writer.recovery(1).imsi(imsi);
    assert_eq!(
        peek::caller(writer.finish().unwrap()),
        Some(Caller::Subscriber(imsi))
    );
    let mut writer = Writer::new(&mut out, kind, Some(0), 1);
    writer.ie(IeType::IMSI, 1, imsi.short_octets());
    writer.bearer_context(0, |bearer| {
        bearer.imsi(imsi);
    });
    assert_eq!(peek::caller(writer.finish().unwrap()), None);
    let equipment = Imei::parse(&[0x53, 0x20, 0x43, 0x70, 0x65, 0x87, 0x09, 0x21]).unwrap();
    let mut writer = Writer::new(&mut out, kind, Some(0), 1);
    writer.ie(IeType::MEI, 0, &equipment.octets());
    let without_subscriber = Some(Caller::Equipment(equipment));
    assert_eq!(peek::caller(writer.finish().unwrap()), without_subscriber);
    let mut writer = Writer::new(&mut out, kind, Some(0), 1);
    writer.ie(IeType::MEI, 0, &equipment.octets()).imsi(imsi);
    let subscriber = Some(Caller::Subscriber(imsi));
    assert_eq!(peek::caller(writer.finish().unwrap()), subscriber);
}

#[test]
fn a_message_cut_short_anywhere_is_refused() {
    for whole in all() {
        for len in 0..whole.len() {
            assert!(Message::parse(&whole[..len]).is_err(), "{len} octets");
        }
    }
}

#[test]
fn without_one_of_its_elements_the_others_are_found() {
    let octets = create_request();
    let message = Message::parse(&octets).unwrap();
    let all: Vec<_> = message.ies().map(Result::unwrap).collect();
    for gone in 0..all.len() {
        let mut out = Vec::new();
        let mut writer = Writer::new(&mut out, message.header.kind, Some(0), 7);
        for (_, ie) in all.iter().enumerate().filter(|(at, _)| *at != gone) {
            writer.ie(ie.kind, ie.instance, ie.value);
        }
        let set = set(writer.finish().unwrap());
        assert_eq!(set.len(), all.len() - 1);
        for (at, ie) in all.iter().enumerate() {
            let expected = (at != gone).then_some(ie.value);
            assert_eq!(set.get(ie.kind, ie.instance), expected, "{}", ie.kind);
        }
    }
}

#[test]
fn of_an_element_that_comes_twice_the_first_counts() {
    let mut out = Vec::new();
    let kind = MessageType::CREATE_SESSION_REQUEST;
    let mut writer = Writer::new(&mut out, kind, Some(0), 7);
    writer.recovery(4).recovery(5).apn("first").apn("second");
    let set = set(writer.finish().unwrap());
    assert_eq!(set.len(), 4);
    assert_eq!(set.get(IeType::RECOVERY, 0), Some(&[4][..]));
    assert_eq!(set.get(IeType::APN, 0), Some(&b"\x05first"[..]));
    let all: Vec<_> = set.all(IeType::RECOVERY, 0).collect();
    assert_eq!(all, [[4], [5]]);
}
