//! What must hold of any datagram at the decoders of GTPv1-C and GTPv2-C: whatever is read is written again and read the same,
//! and no typed view of any value panics.

use std::hint::black_box;

use gtp::{peek, v1, v2};

/// What became of a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Read {
    /// It is no message.
    Refused,
    /// It is one, and its elements contradict themselves.
    Malformed,
    /// All of it was read, and written again.
    Whole,
}

/// To the decoder of GTPv1-C.
pub fn v1(datagram: &[u8]) -> Read {
    black_box(peek::peek(datagram));
    black_box(peek::caller(datagram));
    let Ok(message) = v1::Message::parse(datagram) else {
        return Read::Refused;
    };
    let (prefix, error) = v1::IeSet::parse_prefix(message.body);
    for ie in prefix.iter() {
        views_v1(ie.value);
        assert!(prefix.get(ie.kind).is_some());
    }
    let Ok(set) = message.ie_set() else {
        assert!(error.is_some(), "whole by one way alone");
        return Read::Malformed;
    };
    assert!(error.is_none() && set.len() == prefix.len());
    let mut octets = Vec::new();
    let header = message.header;
    let sequence = header.sequence.unwrap_or(0);
    let mut writer = v1::Writer::new(&mut octets, header.kind, header.teid, sequence);
    // Elements are written in the order of their types (TS 29.060 7.7), and read in any.
    let mut sorted: Vec<_> = set.iter().collect();
    sorted.sort_by_key(|ie| ie.kind);
    for ie in &sorted {
        match ie.kind {
            v1::IeType::EXTENSION_HEADER_TYPE_LIST => writer.extension_header_types(ie.value),
            _ => writer.ie(ie.kind, ie.value),
        };
    }
    // A message at the longest has no room for the options of the header that it came without.
    if writer.finish().is_err() {
        return Read::Whole;
    }
    let again = v1::Message::parse(&octets).expect("what was written is a message");
    assert_eq!(again.header.kind, header.kind);
    assert_eq!(again.header.teid, header.teid);
    assert_eq!(again.header.sequence, Some(sequence));
    let again = again.ie_set().expect("as its elements are");
    assert!(again.iter().eq(sorted), "another list of elements");
    Read::Whole
}

fn views_v1(value: &[u8]) {
    black_box(v1::EndUserAddress::parse(value)).ok();
    black_box(v1::Imsi::parse(value)).ok();
    black_box(v1::Imei::parse(value)).ok();
    black_box(v1::Apn::parse(value)).ok();
    black_box(v1::UserLocation::parse(value)).ok();
    black_box(v1::MsTimeZone::parse(value)).ok();
    black_box(v1::PrivateExtension::parse(value)).ok();
    black_box(gtp::pco::Asked::parse(value));
}

/// To the decoder of GTPv2-C.
pub fn v2(datagram: &[u8]) -> Read {
    black_box(peek::peek(datagram));
    black_box(peek::caller(datagram));
    let Ok(message) = v2::Message::parse(datagram) else {
        return Read::Refused;
    };
    if let Some(Ok(behind)) = message.piggybacked() {
        assert!(behind.piggybacked().is_none(), "one may follow, not two");
        body_v2(&behind);
    }
    body_v2(&message)
}

fn body_v2(message: &v2::Message<'_>) -> Read {
    let Ok(set) = message.ie_set() else {
        return Read::Malformed;
    };
    let whole = groups_v2(&set);
    let header = message.header;
    let mut octets = Vec::new();
    let mut writer = v2::Writer::new(&mut octets, header.kind, header.teid, header.sequence);
    if let Some(priority) = header.priority {
        writer.priority(priority);
    }
    for ie in set.iter() {
        writer.ie(ie.kind, ie.instance, ie.value);
    }
    if writer.finish().is_err() {
        return Read::Whole;
    }
    let again = v2::Message::parse(&octets).expect("what was written is a message");
    assert_eq!(again.header, header);
    let again = again.ie_set().expect("as its elements are");
    assert!(again.iter().eq(set.iter()), "another list of elements");
    match whole {
        true => Read::Whole,
        false => Read::Malformed,
    }
}

/// Looks into every element, and into the first group of each type and instance; false: one contradicts itself.
fn groups_v2(set: &v2::IeSet<'_>) -> bool {
    let mut whole = true;
    for ie in set.iter() {
        views_v2(ie.value);
        let first = set.get(ie.kind, ie.instance).map(<[u8]>::as_ptr);
        if ie.kind.is_grouped() && first == Some(ie.value.as_ptr()) {
            match set.group(ie.kind, ie.instance) {
                Some(Ok(group)) => whole &= groups_v2(&group),
                Some(Err(_)) => whole = false,
                None => panic!("an element that is there is found"),
            }
        }
    }
    whole
}

fn views_v2(value: &[u8]) {
    black_box(v2::Indication::parse(value)).ok();
    black_box(v2::FTeid::parse(value)).ok();
    black_box(v2::Paa::parse(value)).ok();
    black_box(v2::UserLocation::parse(value)).ok();
    black_box(v2::CauseIe::parse(value)).ok();
    black_box(v2::BearerQos::parse(value)).ok();
    black_box(v2::FlowQos::parse(value)).ok();
    black_box(v2::Ambr::parse(value)).ok();
    black_box(v2::Msisdn::parse(value)).ok();
    black_box(v2::PrivateExtension::parse(value)).ok();
    black_box(v2::Apn::parse(value)).ok();
    black_box(gtp::pco::Asked::parse(value));
}
