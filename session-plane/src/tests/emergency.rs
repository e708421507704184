//! Emergency calls (rule L8).

use std::time::Duration;

use enforcer::{Block, Terms};
use gtp::v1::{Cause, IeType, Message, MessageType};

use super::rig::*;
use super::v2::rig::*;
use crate::statistics::Ended;

const IMEI: [u8; 8] = [0x53, 0x20, 0x43, 0x70, 0x65, 0x87, 0x09, 0x21];
const UNAUTHENTICATED: [u8; 1] = [1];

fn without_subscriber(apn: &str) -> Message1 {
    create(1, 5, apn)
        .without(IeType::IMSI, 0)
        .with(IeType::IMEI, &IMEI)
}

//= L8
#[test]
fn an_emergency_call_passes_at_the_ceiling_and_through_every_block() {
    let mut rig = Rig::new();
    rig.make(1, 5, "internet");
    let closed = [
        Terms {
            ceiling: Some(1),
            ..Terms::default()
        },
        Terms {
            ceiling: Some(0),
            block: Some(Block::Service),
            ..Terms::default()
        },
        Terms {
            block: Some(Block::Feature(GRE)),
            blocked_features: licensing::FeatureSet(u64::MAX),
            ..Terms::default()
        },
    ];
    for (n, terms) in (10..).zip(closed) {
        rig.terms(GGSN, terms);
        assert_eq!(
            rig.ask(&create(n, 5, "internet")).cause(),
            Cause::NO_RESOURCES_AVAILABLE
        );
        rig.make(n, 5, "sos");
    }
    assert_eq!(rig.gate.count_exact(GGSN), 1, "they hold no license");
    let statistics = rig.plane.statistics();
    assert_eq!(statistics.sessions_by_service[&GGSN], 4);
    assert_eq!(statistics.emergency_by_service[&GGSN], 3);
}

//= L8
#[test]
fn only_the_size_of_the_table_bounds_emergency_calls() {
    let mut rig = Rig::with(|config| {
        config.bounds.sessions = 2;
        config.bounds.emergency_reserve = 1;
    });
    rig.make(1, 5, "internet");
    rig.make(2, 5, "sos");
    assert_eq!(
        rig.ask(&create(3, 5, "internet")).cause(),
        Cause::NO_MEMORY_IS_AVAILABLE
    );
    rig.make(3, 5, "sos");
    assert_eq!(
        rig.ask(&create(4, 5, "sos")).cause(),
        Cause::NO_MEMORY_IS_AVAILABLE
    );
    assert_eq!(rig.live(), 3);
}

//= L8
#[test]
fn an_emergency_call_needs_no_subscriber() {
    let mut rig = Rig::new();
    rig.ceiling(0);
    let first = rig.ask(&without_subscriber("sos"));
    assert_eq!(first.cause(), Cause::REQUEST_ACCEPTED);
    let again = rig.ask(&without_subscriber("sos"));
    assert_eq!(again.cause(), Cause::REQUEST_ACCEPTED);
    assert_eq!(
        (first.control_teid() ^ again.control_teid()) & 0xFF,
        0,
        "both were steered by the equipment"
    );
    assert_eq!(
        (rig.live(), rig.addresses_out()),
        (1, 1),
        "the same equipment"
    );
    let answer = rig.ask(&delete(again.control_teid(), 5, true));
    assert_eq!(answer.cause(), Cause::REQUEST_ACCEPTED);
    assert_eq!((rig.live(), rig.addresses_out()), (0, 0));
}

#[test]
fn without_a_subscriber_there_are_only_emergency_calls() {
    let mut rig = Rig::new();
    let answer = rig.ask(&without_subscriber("internet"));
    assert_eq!(answer.cause(), Cause::MANDATORY_IE_MISSING);
    let answer = rig.ask(&create(1, 5, "sos").without(IeType::IMSI, 0));
    assert_eq!(
        answer.cause(),
        Cause::MANDATORY_IE_MISSING,
        "no equipment either"
    );
    let pretended = create(1, 5, "internet")
        .with(IeType::IMEI, &IMEI)
        .with(IeType::EXTENDED_COMMON_FLAGS, &UNAUTHENTICATED);
    assert_eq!(
        rig.ask(&pretended).cause(),
        Cause::USER_AUTHENTICATION_FAILED
    );
    assert_eq!((rig.live(), rig.admitted()), (0, 0));
    assert_eq!(
        rig.ring.take_unidentified(),
        2,
        "those in the form of an emergency call"
    );
    rig.ask(&without_subscriber("sos"));
    rig.make(1, 5, "internet");
    rig.ask(&create(1, 5, "internet").without(IeType::IMSI, 0));
    assert_eq!(rig.ring.take_unidentified(), 0);
}

#[test]
fn an_imsi_that_nobody_authenticated_ends_no_session_of_its_owner() {
    let mut rig = Rig::new();
    let teid = rig.make(1, 5, "internet");
    let pretended = create(1, 5, "sos")
        .with(IeType::IMEI, &IMEI)
        .with(IeType::EXTENDED_COMMON_FLAGS, &UNAUTHENTICATED);
    let answer = rig.ask(&pretended);
    assert_eq!(answer.cause(), Cause::REQUEST_ACCEPTED);
    assert_eq!(
        answer.control_teid() & 0xFF,
        teid & 0xFF,
        "it was steered by the IMSI"
    );
    assert_eq!(rig.live(), 2);
    assert_eq!(rig.ask(&update(teid, 5)).cause(), Cause::REQUEST_ACCEPTED);
    let no_equipment = create(1, 5, "sos").with(IeType::EXTENDED_COMMON_FLAGS, &UNAUTHENTICATED);
    assert_eq!(rig.ask(&no_equipment).cause(), Cause::MANDATORY_IE_MISSING);
}

//= L8
#[test]
fn an_emergency_call_in_the_place_of_an_ordinary_one_frees_its_license() {
    let mut rig = Rig::new();
    rig.make(1, 5, "internet");
    rig.ceiling(1);
    rig.make(1, 5, "sos");
    assert_eq!(rig.gate.count_exact(GGSN), 0);
    rig.make(2, 5, "internet");
    let back = rig.ask(&create(1, 5, "internet"));
    assert_eq!(back.cause(), Cause::NO_RESOURCES_AVAILABLE);
    assert_eq!(rig.live(), 2, "the emergency call goes on");
}

//= L8
#[test]
fn an_ordinary_call_in_the_place_of_an_emergency_call_takes_none_of_the_reserve() {
    let mut rig = Rig::with(|config| {
        config.bounds.sessions = 1;
        config.bounds.emergency_reserve = 1;
    });
    rig.make(1, 5, "sos");
    rig.make(1, 5, "internet");
    rig.make(2, 5, "sos");
    let disguised = rig.ask(&create(2, 5, "internet"));
    assert_eq!(disguised.cause(), Cause::NO_MEMORY_IS_AVAILABLE);
    rig.make(1, 5, "internet");
    rig.make(2, 5, "sos");
    assert_eq!((rig.live(), rig.gate.count_exact(GGSN)), (2, 1));
}

/// By the number, the access point name, the peer or all of them another call, and in a table that is full.
//= L8
#[test]
fn a_second_emergency_call_of_a_caller_takes_the_place_of_the_first() {
    let mut rig = Rig::with(|config| {
        config.bounds.sessions = 2;
        config.bounds.emergency_reserve = 0;
        let mut other = config.apns[4].clone();
        other.name = "112".into();
        config.apns.push(other);
    });
    let first = rig.make(1, 5, "sos");
    rig.make(2, 5, "sos");
    let elsewhere = create(1, 6, "sos").but(IeType::GSN_ADDRESS, 0, &address(OTHER_SGSN));
    assert_eq!(rig.ask(&elsewhere).cause(), Cause::REQUEST_ACCEPTED);
    assert_eq!((rig.live(), rig.addresses_out()), (2, 2));
    assert_eq!(rig.ask(&update(first, 5)).cause(), Cause::NON_EXISTENT);
    rig.make(1, 5, "112");
    assert_eq!((rig.live(), rig.addresses_out()), (2, 2));
    let statistics = rig.plane.statistics();
    assert_eq!(statistics.sessions_ended[&Ended::Replaced], 2);
    assert_eq!(statistics.peers, 1, "the other SGSN has none left");
}

//= L8
#[test]
fn an_emergency_call_in_the_place_of_an_ordinary_one_ends_the_emergency_call_before_it_too() {
    let mut rig = Rig::new();
    rig.make(1, 5, "internet");
    rig.make(1, 7, "internet");
    rig.make(1, 6, "sos");
    rig.make(1, 5, "sos");
    assert_eq!((rig.live(), rig.addresses_out()), (2, 2));
    assert_eq!(rig.gate.count_exact(GGSN), 1, "the ordinary one of NSAPI 7");
    let last = rig.make(1, 8, "internet");
    assert_eq!(rig.live(), 3, "an ordinary call ends none");
    rig.ask(&delete(last, 8, true));
    rig.make(1, 6, "sos");
    assert_eq!(rig.live(), 2);
}

#[test]
fn a_malformed_equipment_identity_matters_only_where_it_is_needed() {
    let mut rig = Rig::new();
    let ordinary = create(1, 5, "internet").with(IeType::IMEI, &[0xFF; 8]);
    assert_eq!(rig.ask(&ordinary).cause(), Cause::REQUEST_ACCEPTED);
    let call = without_subscriber("sos").but(IeType::IMEI, 0, &[0xFF; 8]);
    assert_eq!(rig.ask(&call).cause(), Cause::MANDATORY_IE_INCORRECT);
}

const INACTIVE: Duration = Duration::from_secs(600);

fn with_inactivity() -> Rig {
    Rig::with(|config| {
        and_v2(config);
        config.echo.interval = None;
        config.apns.iter_mut().for_each(|apn| {
            apn.emergency_inactivity = Some(INACTIVE);
        });
    })
}

fn kind_of(sent: &[(crate::Path, Vec<u8>)]) -> Vec<u8> {
    sent.iter().map(|(_, octets)| octets[1]).collect()
}

//= TS 33.250 4.2.2.6
#[test]
fn an_emergency_call_of_which_nothing_is_heard_is_asked_of_its_peer_and_ends() {
    let mut rig = with_inactivity();
    let teid = rig.make(1, 5, "sos");
    rig.make(2, 5, "internet");
    assert!(rig.run(Duration::from_secs(599)).is_empty());
    assert_eq!(rig.ask(&update(teid, 5)).cause(), Cause::REQUEST_ACCEPTED);
    assert!(rig.run(Duration::from_secs(599)).is_empty(), "put off");
    let sent = rig.run(Duration::from_secs(2));
    assert_eq!(
        kind_of(&sent),
        [MessageType::DELETE_PDP_CONTEXT_REQUEST.0],
        "the ordinary call stays"
    );
    let asked = Message::parse(&sent[0].1).unwrap();
    let (ies, teardown) = (asked.ie_set().unwrap(), Some(&[0xFF][..]));
    assert_eq!(ies.get(IeType::CAUSE), Some(&[7][..]));
    assert_eq!(ies.get(IeType::TEARDOWN_IND), teardown);
    assert_eq!(rig.live(), 2, "until the answer");
    let answer = Message1::new(MessageType::DELETE_PDP_CONTEXT_RESPONSE, teid)
        .with(IeType::CAUSE, &[Cause::REQUEST_ACCEPTED.0])
        .encode(asked.header.sequence.unwrap());
    assert!(rig.raw(&answer).is_empty());
    assert_eq!((rig.live(), rig.addresses_out()), (1, 1));
    let ended = rig.plane.statistics().sessions_ended;
    assert_eq!(ended[&Ended::Inactive], 1);
    assert!(rig.run(Duration::from_secs(3_600)).is_empty());
}

#[test]
fn by_gtpv2_too_and_whatever_a_ue_signals_by_s11_is_heard() {
    let mut rig = with_inactivity();
    rig.make2(1, 5, "sos");
    rig.run(Duration::from_secs(500));
    let made = rig.accepted2(&create11(2, 5, "sos"));
    let ue = made.s11().teid;
    let sent = rig.run(Duration::from_secs(101));
    let asked = gtp::v2::Message::parse(&sent[0].1).unwrap();
    assert_eq!(
        asked.header.kind,
        gtp::v2::MessageType::DELETE_BEARER_REQUEST
    );
    let cause = asked.ie_set().unwrap().get(gtp::v2::IeType::CAUSE, 0);
    assert_eq!(cause, Some(&[11, 0][..]));
    let unanswered = rig.run(Duration::from_secs(25));
    assert_eq!(unanswered.len(), 4, "N3-REQUESTS is 5");
    assert_eq!(rig.live(), 1, "without an answer it ends too");
    rig.run(Duration::from_secs(400));
    rig.accepted2(&release11(ue));
    assert!(rig.run(Duration::from_secs(599)).is_empty());
    assert_eq!(rig.live(), 1);
    assert_eq!(rig.run(Duration::from_secs(2)).len(), 1);
}

#[test]
fn an_inactive_call_waits_for_room_to_ask_and_one_made_anew_is_not_inactive() {
    let mut rig = Rig::with(|config| {
        config.echo.interval = None;
        config.bounds.requests = 1;
        config.apns[4].emergency_inactivity = Some(INACTIVE);
    });
    rig.make(1, 5, "sos");
    rig.make(2, 5, "sos");
    rig.run(Duration::from_secs(300));
    rig.make(3, 5, "sos");
    rig.make(3, 6, "sos");
    let sent = rig.run(Duration::from_secs(301));
    assert_eq!(sent.len(), 1, "one may wait for its answer at a time");
    rig.run(Duration::from_secs(60));
    let ended = rig.plane.statistics().sessions_ended;
    assert_eq!(ended[&Ended::Inactive], 2);
    assert_eq!(rig.live(), 1);
}

/// Its place may be another's before the answer to a second request would come.
#[test]
fn a_call_that_an_operator_clears_is_not_asked_for_once_more_when_it_is_inactive() {
    let mut rig = with_inactivity();
    rig.make(1, 5, "sos");
    rig.run(Duration::from_millis(599_900));
    let clear = crate::Clear {
        whom: crate::Whom::Apn("sos".into()),
        reactivate: false,
    };
    assert!(rig.plane.clear(&clear, rig.now));
    let sent = rig.run(Duration::from_secs(1));
    assert_eq!(kind_of(&sent), [MessageType::DELETE_PDP_CONTEXT_REQUEST.0]);
    rig.run(Duration::from_secs(60));
    let ended = rig.plane.statistics().sessions_ended;
    assert_eq!(ended[&Ended::Cleared], 1);
    assert_eq!(ended.get(&Ended::Inactive), None);
    assert_eq!((rig.live(), rig.plane.transactions.len()), (0, 0));
}
