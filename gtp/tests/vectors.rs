//! Messages that others made, read field by field, and written again octet for octet.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

use std::net::{IpAddr, Ipv4Addr};

use gtp::peek::{self, Caller, Peek};
use gtp::v1::value::{APN_MAX_BYTES, gsn_address, number};
use gtp::v1::{
    Apn, Cause, EndUserAddress, IeSet, IeType, Imsi, Message, MessageType, Msisdn, Nsapi, PdpType,
    QosProfile, SelectionMode, Writer,
};

fn vector(text: &str) -> Vec<u8> {
    let text = text.trim();
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}

fn echo_request() -> Vec<u8> {
    vector(include_str!("vectors/sgsnemu-echo-request.hex"))
}

fn create_request() -> Vec<u8> {
    vector(include_str!("vectors/sgsnemu-create-request.hex"))
}

fn delete_request() -> Vec<u8> {
    vector(include_str!("vectors/sgsnemu-delete-request.hex"))
}

fn create_response() -> Vec<u8> {
    vector(include_str!("vectors/osmo-ggsn-create-response.hex"))
}

/// Every element copied from `octets` into a message of our own writer.
fn written_again(octets: &[u8]) -> Vec<u8> {
    let message = Message::parse(octets).unwrap();
    let mut out = Vec::new();
    let header = message.header;
    let mut writer = Writer::new(&mut out, header.kind, header.teid, header.sequence.unwrap());
    for ie in message.ies() {
        let ie = ie.unwrap();
        writer.ie(ie.kind, ie.value);
    }
    writer.finish().unwrap();
    out
}

#[test]
fn an_echo_request_of_sgsnemu_is_a_header_alone() {
    let octets = echo_request();
    let message = Message::parse(&octets).unwrap();
    assert_eq!(message.header.kind, MessageType::ECHO_REQUEST);
    assert_eq!(message.header.sequence, Some(0x0400));
    assert_eq!(message.header.teid, 0);
    assert_eq!(message.header.npdu, None);
    assert!(message.body.is_empty());
    assert_eq!(written_again(&octets), octets);
}

#[test]
fn a_create_request_of_sgsnemu_says_what_sgsnemu_was_told_to_say() {
    let octets = create_request();
    let message = Message::parse(&octets).unwrap();
    assert_eq!(message.header.kind, MessageType::CREATE_PDP_CONTEXT_REQUEST);
    assert_eq!(message.header.teid, 0);
    assert_eq!(message.header.sequence, Some(0x0401));
    let ies = message.ie_set().unwrap();
    assert_eq!(ies.len(), 14);
    let get = |kind| ies.get(kind).unwrap();

    let imsi = Imsi::parse(get(IeType::IMSI)).unwrap();
    assert_eq!(imsi.to_string(), "240010123456789");
    assert_eq!(imsi.number(), 240_010_123_456_789);
    assert_eq!(get(IeType::RECOVERY), [1]);
    let mode = SelectionMode::parse(get(IeType::SELECTION_MODE)).unwrap();
    assert_eq!(mode, SelectionMode::MsProvided);
    assert_eq!(number("TEID", get(IeType::TEID_DATA_I)), Ok(1));
    assert_eq!(number("TEID", get(IeType::TEID_CONTROL_PLANE)), Ok(1));
    let nsapi = Nsapi::parse(get(IeType::NSAPI)).unwrap();
    assert_eq!(nsapi.number(), 0, "a reserved one, and yet it is sent");
    assert_eq!(get(IeType::CHARGING_CHARACTERISTICS), [0x08, 0x00]);
    let address = EndUserAddress::parse(get(IeType::END_USER_ADDRESS)).unwrap();
    assert_eq!(address, EndUserAddress::dynamic(PdpType::Ipv4));
    let apn = Apn::parse(get(IeType::ACCESS_POINT_NAME)).unwrap();
    assert_eq!(apn.text(&mut [0; APN_MAX_BYTES]), "internet");
    assert_eq!(get(IeType::PROTOCOL_CONFIGURATION_OPTIONS).len(), 21);
    let sgsn = IpAddr::V4(Ipv4Addr::new(127, 0, 43, 2));
    assert_eq!(gsn_address(get(IeType::GSN_ADDRESS)), Ok(sgsn));
    let user = ies.nth(IeType::GSN_ADDRESS, 1).unwrap();
    assert_eq!(gsn_address(user), Ok(sgsn));
    assert_eq!(ies.nth(IeType::GSN_ADDRESS, 2), None);
    let msisdn = Msisdn::parse(get(IeType::MSISDN)).unwrap();
    assert_eq!(msisdn.to_string(), "46702123456");
    let qos = QosProfile::parse(get(IeType::QOS_PROFILE)).unwrap();
    assert_eq!((qos.arp(), qos.profile()), (0, &[0x0B, 0x92, 0x1F][..]));

    assert_eq!(written_again(&octets), octets);
}

#[test]
fn a_delete_request_of_sgsnemu_tears_down() {
    let octets = delete_request();
    let message = Message::parse(&octets).unwrap();
    assert_eq!(message.header.kind, MessageType::DELETE_PDP_CONTEXT_REQUEST);
    assert_eq!(message.header.teid, 1);
    let ies = message.ie_set().unwrap();
    assert_eq!(ies.get(IeType::TEARDOWN_IND), Some(&[0xFF][..]));
    assert_eq!(ies.get(IeType::NSAPI), Some(&[0][..]));
    assert_eq!(written_again(&octets), octets);
}

#[test]
fn a_create_response_of_osmo_ggsn_gives_an_address() {
    let octets = create_response();
    let message = Message::parse(&octets).unwrap();
    assert_eq!(
        message.header.kind,
        MessageType::CREATE_PDP_CONTEXT_RESPONSE
    );
    assert_eq!(message.header.teid, 1);
    let ies = message.ie_set().unwrap();
    assert_eq!(
        ies.get(IeType::CAUSE),
        Some(&[Cause::REQUEST_ACCEPTED.0][..])
    );
    assert_eq!(ies.get(IeType::RECOVERY), Some(&[2][..]));
    assert_eq!(ies.get(IeType::CHARGING_ID), Some(&[0, 0, 0, 1][..]));
    let address = EndUserAddress::parse(ies.get(IeType::END_USER_ADDRESS).unwrap()).unwrap();
    assert_eq!(address.v4, Some(Ipv4Addr::new(10, 61, 0, 1)));
    assert_eq!(address.v6, None);
    assert_eq!(written_again(&octets), octets);
}

#[test]
fn peeking_sees_what_parsing_sees() {
    for octets in [
        echo_request(),
        create_request(),
        delete_request(),
        create_response(),
    ] {
        let header = Message::parse(&octets).unwrap().header;
        let peeked = Peek {
            version: 1,
            kind: header.kind.0,
            teid: header.teid,
            sequence: header.sequence.map(u32::from),
        };
        assert_eq!(peek::peek(&octets), Some(peeked));
    }
    let imsi = Imsi::from_text("240010123456789").unwrap();
    assert_eq!(
        peek::caller(&create_request()),
        Some(Caller::Subscriber(imsi))
    );
    assert_eq!(peek::caller(&delete_request()), None);
}

#[test]
fn a_message_cut_short_anywhere_is_refused() {
    for whole in [create_request(), create_response()] {
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
        let mut writer = Writer::new(&mut out, message.header.kind, 0, 7);
        for (at, ie) in all.iter().enumerate() {
            if at != gone {
                writer.ie(ie.kind, ie.value);
            }
        }
        let octets = writer.finish().unwrap();
        let set = Message::parse(octets).unwrap().ie_set().unwrap();
        let before = all[..gone].iter().filter(|ie| ie.kind == all[gone].kind);
        let after = all[gone + 1..]
            .iter()
            .filter(|ie| ie.kind == all[gone].kind);
        let same: Vec<_> = before.chain(after).map(|ie| ie.value).collect();
        assert_eq!(set.len(), all.len() - 1);
        assert_eq!(set.get(all[gone].kind), same.first().copied());
    }
}

#[test]
fn of_an_element_that_comes_twice_the_first_counts() {
    let mut out = Vec::new();
    let mut writer = Writer::new(&mut out, MessageType::CREATE_PDP_CONTEXT_REQUEST, 0, 7);
    writer.recovery(4).recovery(5).apn("first").apn("second");
    let octets = writer.finish().unwrap();
    let set = IeSet::parse(Message::parse(octets).unwrap().body).unwrap();
    assert_eq!(set.len(), 4);
    assert_eq!(set.get(IeType::RECOVERY), Some(&[4][..]));
    assert_eq!(set.nth(IeType::RECOVERY, 1), Some(&[5][..]));
    assert_eq!(set.get(IeType::ACCESS_POINT_NAME), Some(&b"\x05first"[..]));
}
