//! What is malformed, missing, unknown or cut short.

use gtp::v1::{Cause, IeType, MessageType};
use proptest::prelude::*;

use super::rig::*;
use crate::mandatory::{CREATE, CREATE_SECONDARY, DELETE, Mandatory, UPDATE, When};
use crate::statistics::DropReason;

/// Every row of every table, with a request that has it: taken out it is missed, spoilt it is found malformed, and
/// nothing is done either way.
#[test]
fn each_mandatory_element_is_missed_and_checked() {
    let mut rig = Rig::new();
    let teid = rig.make(1, 5, "internet");
    rig.ask(&secondary(teid, 6, 5));
    // Without an equipment identity the IMSI must be there.
    let with_imei = create(2, 5, "internet").with(
        IeType::IMEI,
        &[0x53, 0x20, 0x43, 0x70, 0x65, 0x87, 0x09, 0x21],
    );
    let with_control = update(teid, 5).with(IeType::TEID_CONTROL_PLANE, &[0; 4]);
    let tables: [(&[Mandatory], Message1); 4] = [
        (&CREATE, with_imei),
        (
            &CREATE_SECONDARY,
            secondary(teid, 7, 5).with(IeType::TEID_CONTROL_PLANE, &[0; 4]),
        ),
        (&UPDATE, with_control),
        (&DELETE, delete(teid, 5, true)),
    ];
    let mut missed = 0;
    for (table, request) in tables {
        for row in table {
            // Without its second NSAPI a Create is one for a first context, which misses other things.
            let due = match row.when {
                When::Always => true,
                When::WithoutTeid => request.teid == 0,
                When::WithoutImei | When::Optional => false,
            };
            if due {
                let answer = rig.ask(&request.clone().without(row.kind, row.nth));
                assert_eq!(
                    answer.cause(),
                    Cause::MANDATORY_IE_MISSING,
                    "{} {}",
                    row.kind,
                    row.nth
                );
                missed += 1;
            }
            if let Some(spoilt) = spoilt(row.kind) {
                let answer = rig.ask(&request.clone().but(row.kind, row.nth, spoilt));
                assert_eq!(
                    answer.cause(),
                    Cause::MANDATORY_IE_INCORRECT,
                    "{} {}",
                    row.kind,
                    row.nth
                );
            }
        }
    }
    assert_eq!(missed, 8 + 6 + 5 + 1);
    assert_eq!((rig.admitted(), rig.live()), (1, 1));
    assert_eq!(rig.plane.statistics().contexts, 2);
}

/// A value that the element may not have; four octets of tunnel endpoint and one of NSAPI may be anything.
fn spoilt(kind: IeType) -> Option<&'static [u8]> {
    match kind {
        IeType::IMSI => Some(&[0xAA; 8]),
        IeType::END_USER_ADDRESS => Some(&[0xF1]),
        IeType::ACCESS_POINT_NAME => Some(&[3, b'a', b'b']),
        IeType::GSN_ADDRESS => Some(&[127, 0, 0]),
        IeType::QOS_PROFILE => Some(&[1]),
        _ => None,
    }
}

#[test]
fn an_imsi_is_missed_unless_an_equipment_identity_is_there() {
    let mut rig = Rig::new();
    let answer = rig.ask(&create(1, 5, "internet").without(IeType::IMSI, 0));
    assert_eq!(answer.cause(), Cause::MANDATORY_IE_MISSING);
    assert_eq!(
        answer.header.teid,
        sgsn_teids(1, 5).0,
        "the SGSN said where to answer"
    );
}

#[test]
fn what_is_missing_goes_before_what_is_malformed() {
    let mut rig = Rig::new();
    let request = create(1, 5, "internet")
        .but(IeType::IMSI, 0, &[0xAA; 8])
        .without(IeType::QOS_PROFILE, 0);
    assert_eq!(rig.ask(&request).cause(), Cause::MANDATORY_IE_MISSING);
}

#[test]
fn unknown_elements_are_skipped() {
    let mut rig = Rig::new();
    let request = create(1, 5, "internet")
        .with(IeType(190), &[1, 2, 3])
        .with(IeType(250), &[])
        .with(IeType::PRIVATE_EXTENSION, &[0, 1, 2]);
    assert_eq!(rig.ask(&request).cause(), Cause::REQUEST_ACCEPTED);
}

#[test]
fn elements_that_cannot_be_told_apart_make_an_invalid_message() {
    let mut rig = Rig::new();
    let mut unknown_tv = create(1, 5, "internet").encode(700);
    unknown_tv.extend_from_slice(&[120, 1, 2]);
    let mut overrun = create(1, 5, "internet").encode(701);
    overrun.extend_from_slice(&[135, 0, 9, 1]);
    for datagram in [&mut unknown_tv, &mut overrun] {
        let length = (datagram.len() - 8) as u16;
        datagram[2..4].copy_from_slice(&length.to_be_bytes());
        let answer = Answer1::read(&rig.raw(datagram)[0]);
        assert_eq!(answer.cause(), Cause::INVALID_MESSAGE_FORMAT);
        assert_eq!(answer.header.teid, sgsn_teids(1, 5).0);
    }
    assert_eq!(rig.admitted(), 0);
}

#[test]
fn a_length_that_is_not_true_is_answered_if_a_request_can_be_made_out() {
    let mut rig = Rig::new();
    let whole = create(1, 5, "internet").encode(0x0102);
    for datagram in [&whole[..whole.len() - 1], &[&whole[..], &[0]].concat()] {
        let answer = Answer1::read(&rig.raw(datagram)[0]);
        assert_eq!(answer.cause(), Cause::INVALID_MESSAGE_FORMAT);
        assert_eq!(answer.header.kind, MessageType::CREATE_PDP_CONTEXT_RESPONSE);
        assert_eq!(
            (answer.header.sequence, answer.header.teid),
            (Some(0x0102), 0)
        );
    }
    let mut echo = Message1::new(MessageType::ECHO_REQUEST, 0).encode(1);
    echo.push(0);
    assert!(rig.raw(&echo).is_empty());
    assert_eq!(rig.plane.statistics().drops[&DropReason::Length], 1);
}

#[test]
fn what_is_no_message_is_dropped_and_counted() {
    let mut rig = Rig::new();
    let mut gtp_prime = Message1::new(MessageType::ECHO_REQUEST, 0).encode(1);
    gtp_prime[0] &= !0x10;
    let mut without_sequence = vec![0x30, 16, 0, 0, 0, 0, 0, 0];
    let notification = Message1::new(MessageType::MS_INFO_CHANGE_NOTIFICATION_REQUEST, 0);
    let cases: [(&[u8], DropReason); 7] = [
        (&[], DropReason::TooShort),
        (&[0x32, 1, 0], DropReason::TooShort),
        (&gtp_prime, DropReason::NotGtp),
        (&without_sequence, DropReason::NoSequence),
        (
            &Message1::new(MessageType(200), 0).encode(1),
            DropReason::UnknownMessage,
        ),
        (&notification.encode(1), DropReason::UnexpectedMessage),
        (&[0x32; 5000], DropReason::TooLong),
    ];
    for (n, (datagram, why)) in (1..).zip(cases) {
        assert!(rig.raw(datagram).is_empty());
        let drops = rig.plane.statistics().drops;
        assert!(drops.contains_key(&why), "{why:?}");
        assert_eq!(drops.values().sum::<u64>(), n);
    }
    without_sequence.truncate(0);
    assert_eq!(rig.admitted(), 0);
}

#[test]
fn an_extension_header_that_must_be_understood_is_refused() {
    let mut rig = Rig::new();
    let teid = rig.make(1, 5, "internet");
    let mut datagram = delete(teid, 5, true).encode(700);
    datagram[0] |= 0x04;
    datagram[11] = 0xC5;
    datagram.splice(12..12, [1, 0, 0, 0]);
    let length = (datagram.len() - 8) as u16;
    datagram[2..4].copy_from_slice(&length.to_be_bytes());
    let answers = rig.raw(&datagram);
    assert_eq!(
        answers[0][1],
        MessageType::SUPPORTED_EXTENSION_HEADERS_NOTIFICATION.0
    );
    assert_eq!(answers[0][12..], [141, 0], "we know none");
    let answer = Answer1::read(&answers[1]);
    assert_eq!(answer.cause(), Cause::UNKNOWN_MANDATORY_EXTENSION_HEADER);
    assert_eq!(answer.header.teid, sgsn_teids(1, 5).0);
    assert_eq!(rig.live(), 1);
}

#[test]
fn reserved_nsapis_of_real_peers_are_taken() {
    let mut rig = Rig::new();
    for nsapi in 0..16 {
        let teid = rig.make(1, nsapi, "internet");
        assert_eq!(
            rig.ask(&update(teid, nsapi)).cause(),
            Cause::REQUEST_ACCEPTED
        );
    }
    assert_eq!(rig.live(), 16);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever comes, nothing panics, every answer is well formed, and counts agree.
    #[test]
    fn any_octets_do(datagrams in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..80), 1..20)) {
        let mut rig = Rig::new();
        for datagram in datagrams {
            for answer in rig.raw(&datagram) {
                Answer1::read(&answer);
            }
        }
        prop_assert_eq!(rig.live(), i64::from(rig.plane.table.len()));
    }

    /// Good messages with a few octets changed.
    #[test]
    fn spoilt_messages_do(edits in prop::collection::vec((0_usize..5, 0_usize..140, any::<u8>()), 1..40)) {
        let mut rig = Rig::new();
        let teid = rig.make(1, 5, "internet");
        rig.ask(&secondary(teid, 6, 5));
        for (n, (which, at, octet)) in (700..).zip(edits) {
            let request = match which {
                0 => create(2, 5, "dual"),
                1 => secondary(teid, 7, 5),
                2 => update(teid, 6),
                3 => delete(teid, 6, false),
                _ => create(1, 5, "sos"),
            };
            let mut datagram = request.encode(n);
            let place = at % datagram.len();
            datagram[place] ^= octet;
            for answer in rig.raw(&datagram) {
                if answer[1] != 31 {
                    Answer1::read(&answer);
                }
            }
            prop_assert_eq!(rig.live(), i64::from(rig.plane.table.len()));
        }
    }
}
