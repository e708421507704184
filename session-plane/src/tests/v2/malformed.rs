//! Lengths that are wrong, messages that are not served, octets at random; elements that are missing or malformed are in
//! `conformance`.

use gtp::v2::{Cause, IeType, InterfaceType, MessageType};

use super::super::rig::*;
use super::rig::*;
use crate::statistics::DropReason;

#[test]
fn what_is_missing_goes_before_what_is_malformed() {
    let mut rig = Rig::v2();
    let request = create2(1, 5, "internet").but(false, IeType::RAT_TYPE, 0, &[]);
    let answer = rig.ask2(&request.without(false, IeType::PAA, 0));
    let expected = (Cause::CONDITIONAL_IE_MISSING, Some((IeType::PAA, 0)));
    assert_eq!(answer.complaint(), expected);
}

#[test]
fn an_interface_that_we_have_no_part_in_is_refused() {
    let mut rig = Rig::v2();
    let sgsn = fteid(InterfaceType::S4_SGSN_C, 7, SGW);
    let answer = rig.ask2(&create2(1, 5, "internet").but(false, IeType::F_TEID, 0, &sgsn));
    assert_eq!(answer.cause(), Cause::SERVICE_NOT_SUPPORTED);
    assert_eq!(answer.header.teid, Some(7));
}

#[test]
fn lengths_that_are_wrong_are_told_of_requests_only() {
    let mut rig = Rig::v2();
    let mut long = create2(1, 5, "internet").encode(0x0012_3456);
    long[3] = long[3].wrapping_add(1);
    let answer = Answer2::read(&rig.raw(&long).remove(0));
    assert_eq!(answer.cause(), Cause::INVALID_LENGTH);
    assert_eq!(answer.header.sequence, 0x0012_3456);
    let echo = [0x40, 1, 0, 9, 0, 0, 1, 0];
    assert!(rig.raw(&echo).is_empty());
    assert!(rig.raw(&[0x48, 32, 0, 0, 0]).is_empty());
    let cut = Message2::new(MessageType::CREATE_SESSION_REQUEST, Some(0));
    let mut cut = cut.encode(1);
    cut.extend_from_slice(&[IeType::IMSI.0, 0, 9]);
    cut[3] += 3;
    let answer = Answer2::read(&rig.raw(&cut).remove(0));
    assert_eq!(answer.cause(), Cause::INVALID_MESSAGE_FORMAT);
    let mut headless = create2(1, 5, "internet");
    headless.teid = None;
    let answer = rig.ask2(&headless);
    assert_eq!(answer.cause(), Cause::INVALID_MESSAGE_FORMAT);
    let drops = rig.plane.statistics().drops;
    assert_eq!(drops[&DropReason::Length], 1);
    assert_eq!(drops[&DropReason::TooShort], 1);
    assert_eq!(rig.live(), 0);
}

#[test]
fn a_piggybacked_message_is_dropped_and_the_first_one_served() {
    let mut rig = Rig::v2();
    let mut datagram = create2(1, 5, "internet").encode(1);
    datagram[0] |= 0x10;
    assert!(rig.raw(&datagram).is_empty(), "announced, and not there");
    datagram.extend(modify(7, 5, SGW, 1).encode(2));
    let answer = Answer2::read(&rig.raw(&datagram).remove(0));
    assert_eq!(answer.cause(), Cause::REQUEST_ACCEPTED);
    assert_eq!(rig.plane.statistics().drops[&DropReason::Piggybacked], 2);
    assert_eq!(rig.live(), 1);
}

#[test]
fn what_is_not_served_is_dropped_and_counted() {
    let mut rig = Rig::v2();
    let cases = [
        (
            MessageType::CREATE_SESSION_RESPONSE,
            DropReason::UnexpectedResponse,
        ),
        (
            MessageType::DELETE_BEARER_RESPONSE,
            DropReason::UnexpectedResponse,
        ),
        (
            MessageType::MODIFY_ACCESS_BEARERS_REQUEST,
            DropReason::UnexpectedMessage,
        ),
        (MessageType(250), DropReason::UnknownMessage),
    ];
    for (n, (kind, _)) in (1..).zip(cases) {
        assert!(rig.raw(&Message2::new(kind, Some(1)).encode(n)).is_empty());
    }
    let response = Message2::new(MessageType::ECHO_RESPONSE, None);
    assert!(rig.raw(&response.encode(1)).is_empty());
    let told = response.with(IeType::RECOVERY, 0, &[1]);
    assert!(rig.raw(&told.encode(1)).is_empty());
    let drops = rig.plane.statistics().drops;
    assert_eq!(drops[&DropReason::UnexpectedResponse], 3);
    assert_eq!(drops[&DropReason::UnexpectedMessage], 1);
    assert_eq!(drops[&DropReason::UnknownMessage], 1);
    assert_eq!(drops[&DropReason::MalformedResponse], 1);
}

/// Whatever the octets: no panic, and nothing is kept of what was not accepted.
#[test]
fn mutated_octets_break_nothing() {
    use rand::rngs::StdRng;
    use rand::{Rng, SeedableRng};
    let mut rig = Rig::v2();
    let mut random = StdRng::seed_from_u64(9);
    let teid = rig.make2(1, 5, "internet");
    let ue = rig.make11(4, 5, "internet");
    let wholes = [
        create2(2, 6, "dual").encode(0x10),
        handed_over(create_by(S2B, 1, 6, "internet")).encode(0x11),
        modify(teid, 5, OTHER_SGW, 3).encode(0x12),
        delete2(teid, 5).encode(0x13),
        create11(3, 5, "dual").encode(0x14),
        modify11(ue, 4, 5).encode(0x15),
        release11(ue).encode(0x16),
        delete2(ue, 5).encode(0x17),
    ];
    for _ in 0..20_000 {
        let mut octets = wholes[random.random_range(0..wholes.len())].clone();
        for _ in 0..random.random_range(1..4) {
            let at = random.random_range(1..octets.len());
            octets[at] = random.random();
        }
        rig.plane.handle_datagram(&octets, Rig::path(SGW), rig.now);
        while rig.plane.poll_output().is_some() {}
    }
    rig.outputs();
    assert_eq!(rig.live(), i64::from(rig.plane.table.len()));
}
