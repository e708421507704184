//! Refusals for a license, emergency and priority calls.

use enforcer::{Block, Terms};
use gtp::v2::{Cause, EpcTimer, IeType, Indication};
use licensing::RefusalReason;

use crate::config::{BackOff, PeerOptions};

use super::super::rig::*;
use super::rig::*;

const MEI: [u8; 8] = [0x53, 0x20, 0x43, 0x70, 0x65, 0x87, 0x09, 0x21];

fn at(rig: &Rig, ceiling: u32) {
    rig.terms(
        PGW,
        Terms {
            ceiling: Some(ceiling),
            ..Terms::default()
        },
    );
}

fn blocked(block: Block) -> Terms {
    Terms {
        block: Some(block),
        ..Terms::default()
    }
}

//= L17
#[test]
fn a_refusal_is_told_with_the_cause_of_its_reason_and_leaves_no_trace() {
    let mut rig = Rig::with(|config| {
        and_v2(config);
        config.causes_v2.feature_blocked = Cause::SERVICE_DENIED;
    });
    rig.make2(1, 5, "internet");
    at(&rig, 1);
    let answer = rig.ask2(&create2(2, 5, "internet"));
    assert_eq!(answer.complaint(), (Cause::NO_RESOURCES_AVAILABLE, None));
    assert_eq!(answer.header.teid, Some(sgw_teids(2, 5).0));
    assert_eq!(answer.ies().len(), 1, "the cause alone");
    let seen = rig.refusals().remove(0);
    assert_eq!((seen.cause, seen.reason), (73, RefusalReason::AtCeiling));
    assert_eq!((&*seen.apn, seen.service), ("internet", PGW));
    rig.terms(PGW, blocked(Block::Service));
    let answer = rig.ask2(&create2(2, 5, "internet"));
    assert_eq!(answer.cause(), Cause::NO_RESOURCES_AVAILABLE);
    let feature = Terms {
        block: Some(Block::Feature(GRE)),
        ..Terms::default()
    };
    rig.terms(PGW, feature);
    let answer = rig.ask2(&create2(2, 5, "tunnel"));
    assert_eq!(answer.cause(), Cause::SERVICE_DENIED);
    assert_eq!((rig.live(), rig.addresses_out()), (1, 1));
    let statistics = rig.plane.statistics();
    assert_eq!((statistics.refused, statistics.refused_subscribers), (3, 1));
    assert_eq!(statistics.sessions_by_service[&PGW], 1);
}

#[test]
fn a_back_off_time_comes_with_congestion_only() {
    let mut rig = Rig::v2();
    rig.terms(PGW, blocked(Block::Service));
    let answer = rig.ask2(&create2(1, 5, "slow"));
    assert_eq!(answer.cause(), Cause::APN_CONGESTION);
    let timer = answer.ies().get(IeType::EPC_TIMER, 0).unwrap()[0];
    let shortest = EpcTimer::at_least(std::time::Duration::from_secs(40));
    let longest = EpcTimer::at_least(std::time::Duration::from_secs(60));
    assert!((shortest.octet()..=longest.octet()).contains(&timer));
}

/// To a peer that takes it so, with the cause of the reason; without a back-off time of the access point name nothing
/// differs.
#[test]
fn a_back_off_time_comes_with_any_cause_where_the_peer_wants_it() {
    let mut rig = Rig::with(|config| {
        and_v2(config);
        let always = PeerOptions {
            back_off: BackOff::Always,
            ..PeerOptions::default()
        };
        config.peer_options = [(SGSN.parse().unwrap(), always)].into();
        config.causes_v2.service_blocked = Cause::SERVICE_DENIED;
        config.causes.service_blocked = gtp::v1::Cause::NO_MEMORY_IS_AVAILABLE;
    });
    rig.terms(PGW, blocked(Block::Service));
    rig.terms(GGSN, blocked(Block::Service));
    let answer = rig.ask2(&create2(1, 5, "slow"));
    assert_eq!(answer.cause(), Cause::SERVICE_DENIED);
    let timer = answer.ies().get(IeType::EPC_TIMER, 0).unwrap()[0];
    let shortest = EpcTimer::at_least(std::time::Duration::from_secs(40));
    assert!(timer >= shortest.octet());
    assert_eq!(rig.refusals()[0].cause, Cause::SERVICE_DENIED.0);
    let plain = rig.ask2(&create2(2, 5, "internet"));
    assert_eq!(plain.cause(), Cause::SERVICE_DENIED);
    assert_eq!(plain.ies().len(), 1, "the cause alone");
    let by_v1 = rig.ask(&create(1, 5, "slow"));
    assert_eq!(by_v1.cause(), gtp::v1::Cause::NO_MEMORY_IS_AVAILABLE);
    let types = [gtp::v1::IeType::CAUSE, gtp::v1::IeType::GGSN_BACK_OFF_TIME];
    assert_eq!(by_v1.types(), types);
}

#[test]
fn a_padded_refusal_carries_what_some_sgws_look_for_first() {
    let mut rig = Rig::with(|config| {
        and_v2(config);
        let padded = PeerOptions {
            padded: true,
            ..PeerOptions::default()
        };
        config.peer_options = [(SGSN.parse().unwrap(), padded)].into();
    });
    rig.terms(PGW, blocked(Block::Service));
    let answer = rig.ask2(&create2(1, 5, "internet"));
    assert_eq!(answer.cause(), Cause::NO_RESOURCES_AVAILABLE);
    assert_eq!(answer.control().teid, 0);
    assert_eq!(answer.control().interface.0, 7);
    assert_eq!(answer.paa().v4(), Some([0, 0, 0, 0].into()));
    let late = rig.ask2(&delete2(1, 5));
    assert_eq!(late.ies().len(), 1, "only a Create is padded");
}

//= L7
#[test]
fn what_is_there_is_changed_and_deleted_under_a_block() {
    let mut rig = Rig::v2();
    let teid = rig.make2(1, 5, "internet");
    rig.terms(PGW, blocked(Block::Service));
    rig.accepted2(&modify(teid, 5, OTHER_SGW, 9));
    assert_eq!(rig.live(), 1);
    rig.accepted2(&delete2(teid, 5));
    assert_eq!(rig.live(), 0);
}

//= L13
#[test]
fn a_colliding_session_keeps_its_place_at_the_ceiling_and_its_session_under_a_block() {
    let mut rig = Rig::v2();
    rig.make2(1, 5, "internet");
    at(&rig, 1);
    let teid = rig.make2(1, 5, "internet");
    rig.terms(PGW, blocked(Block::Service));
    let refused = rig.ask2(&create2(1, 5, "internet"));
    assert_eq!(refused.cause(), Cause::NO_RESOURCES_AVAILABLE);
    assert_eq!(rig.gate.count_exact(PGW), 1);
    rig.accepted2(&delete2(teid, 5));
}

//= L8
#[test]
fn emergency_calls_pass_without_a_subscriber_and_through_a_block() {
    let mut rig = Rig::v2();
    rig.terms(PGW, blocked(Block::Service));
    let unauthenticated = Indication::default().with(Indication::UIMSI);
    let without = |apn| {
        create2(1, 5, apn)
            .without(false, IeType::IMSI, 0)
            .with(IeType::MEI, 0, &MEI)
    };
    let flagged = |apn| create2(1, 5, apn).with(IeType::INDICATION, 0, unauthenticated.octets());
    rig.make2(9, 5, "sos");
    rig.accepted2(&without("sos"));
    rig.accepted2(&flagged("sos").with(IeType::MEI, 0, &MEI));
    assert_eq!(rig.plane.table.len(), 2, "the same equipment");
    assert_eq!(rig.gate.count_exact(PGW), 0, "they hold no license");
    assert_eq!(rig.plane.statistics().emergency_by_service[&PGW], 2);
    let no_mei = (Cause::CONDITIONAL_IE_MISSING, Some((IeType::MEI, 0)));
    assert_eq!(rig.ask2(&flagged("sos")).complaint(), no_mei);
    let no_imsi = (Cause::CONDITIONAL_IE_MISSING, Some((IeType::IMSI, 0)));
    assert_eq!(rig.ask2(&without("internet")).complaint(), no_imsi);
    let answer = rig.ask2(&flagged("internet").with(IeType::MEI, 0, &MEI));
    assert_eq!(answer.cause(), Cause::USER_AUTHENTICATION_FAILED);
    assert_eq!(rig.ring.take_unidentified(), 2);
}

//= L8
#[test]
fn low_access_priority_is_refused_first_near_the_ceiling() {
    let mut rig = Rig::with(|config| {
        and_v2(config);
        config.low_priority_percent = 25;
    });
    at(&rig, 4);
    rig.terms(GGSN, rig.gate.terms(PGW));
    let lapi = |number| {
        create2(number, 5, "internet").with(IeType::SIGNALLING_PRIORITY_INDICATION, 0, &[1])
    };
    let by_v1 = |number| {
        create(number, 5, "internet").with(gtp::v1::IeType::SIGNALLING_PRIORITY_INDICATION, &[1])
    };
    for number in 1..=3 {
        rig.accepted2(&lapi(number));
        let answer = rig.ask(&by_v1(number + 100));
        assert_eq!(answer.cause(), gtp::v1::Cause::REQUEST_ACCEPTED);
    }
    assert_eq!(
        rig.ask2(&lapi(4)).cause(),
        Cause::NO_RESOURCES_AVAILABLE,
        "the fourth place is for others"
    );
    let answer = rig.ask(&by_v1(104));
    assert_eq!(answer.cause(), gtp::v1::Cause::NO_RESOURCES_AVAILABLE);
    let reasons: Vec<_> = rig.refusals().iter().map(|seen| seen.reason).collect();
    assert_eq!(reasons, [RefusalReason::LowPriority; 2]);
    rig.accepted2(&lapi(3));
    let emergency = create2(4, 6, "sos").with(IeType::SIGNALLING_PRIORITY_INDICATION, 0, &[1]);
    rig.accepted2(&emergency);
    rig.accepted2(&lapi(4).but(true, IeType::BEARER_QOS, 0, &qos(2)));
    assert_eq!(rig.gate.count_exact(PGW), 4, "priority outranks it");
    rig.make(104, 5, "internet");
    let full = rig.ask2(&create2(5, 5, "internet"));
    assert_eq!(full.cause(), Cause::NO_RESOURCES_AVAILABLE);
    assert_eq!(rig.refusals()[0].reason, RefusalReason::AtCeiling);
}

#[test]
fn an_access_point_of_machines_gives_way_whether_its_calls_say_so_or_not() {
    let mut rig = Rig::with(|config| {
        and_v2(config);
        config.low_priority_percent = 50;
        config
            .apns
            .iter_mut()
            .for_each(|apn| apn.low_priority = true);
    });
    at(&rig, 2);
    rig.make2(1, 5, "internet");
    rig.ask2(&create2(2, 5, "internet"));
    assert_eq!(rig.refusals()[0].reason, RefusalReason::LowPriority);
    let not_low = create2(2, 5, "internet").with(IeType::SIGNALLING_PRIORITY_INDICATION, 0, &[0]);
    rig.ask2(&not_low);
    assert_eq!(rig.refusals()[0].reason, RefusalReason::LowPriority);
}

//= L8
#[test]
fn an_emergency_call_by_another_access_or_version_takes_the_place_of_the_one_before() {
    let mut rig = Rig::v2();
    rig.make2(1, 5, "sos");
    rig.accepted2(&create_by(S2B, 1, 6, "sos"));
    assert_eq!((rig.live(), rig.addresses_out()), (1, 1));
    rig.make(1, 7, "sos");
    assert_eq!((rig.live(), rig.addresses_out()), (1, 1));
    rig.make2(1, 5, "internet");
    rig.make2(2, 5, "sos");
    rig.make2(1, 6, "sos");
    assert_eq!(rig.live(), 3);
    assert_eq!(rig.plane.statistics().emergency_by_service[&PGW], 2);
}

//= L8
#[test]
fn a_priority_level_of_the_bearer_goes_over_the_ceiling() {
    let mut rig = Rig::v2();
    rig.terms(
        PGW,
        Terms {
            ceiling: Some(0),
            priority_share: 1,
            ..Terms::default()
        },
    );
    let request = |number| create2(number, 5, "internet");
    let answer = rig.ask2(&request(1));
    assert_eq!(answer.cause(), Cause::NO_RESOURCES_AVAILABLE);
    rig.accepted2(&request(1).but(true, IeType::BEARER_QOS, 0, &qos(2)));
    let answer = rig.ask2(&request(2).but(true, IeType::BEARER_QOS, 0, &qos(2)));
    assert_eq!(answer.cause(), Cause::NO_RESOURCES_AVAILABLE);
    assert_eq!(rig.gate.count_exact(PGW), 1);
}
