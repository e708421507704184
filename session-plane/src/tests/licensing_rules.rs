//! What licensing may refuse, what it may not, and how a refusal looks.

use std::collections::BTreeSet;
use std::time::Duration;

use enforcer::{Block, Terms};
use gtp::v1::{BackOffTime, Cause, EvolvedArp, IeType};
use licensing::snapshot::RefusedCounts;
use licensing::{FeatureSet, RefusalReason};

use super::rig::*;
use crate::statistics::Ended;

fn blocked() -> Terms {
    Terms {
        block: Some(Block::Service),
        ..Terms::default()
    }
}

//= L7
#[test]
fn a_block_refuses_new_calls_and_nothing_else() {
    let mut rig = Rig::new();
    let teid = rig.make(1, 5, "internet");
    let other = rig.make(2, 5, "internet");
    rig.terms(GGSN, blocked());
    let refused = rig.ask(&create(3, 5, "internet"));
    assert_eq!(refused.cause(), Cause::NO_RESOURCES_AVAILABLE);
    assert_eq!(refused.types(), [IeType::CAUSE]);
    assert_eq!(rig.live(), 2, "none was ended");
    let moved = update(teid, 5).but(IeType::GSN_ADDRESS, 0, &address(OTHER_SGSN));
    for change in [
        update(teid, 5),
        moved,
        secondary(teid, 6, 5),
        update(teid, 6),
        delete(teid, 6, false),
        delete(teid, 5, true),
        delete(other, 5, false),
    ] {
        assert_eq!(
            rig.ask(&change).cause(),
            Cause::REQUEST_ACCEPTED,
            "{:?}",
            change.kind
        );
    }
    assert_eq!((rig.live(), rig.addresses_out()), (0, 0));
}

//= L7
#[test]
fn a_hand_over_is_let_through_even_from_one_peer_too_many() {
    let mut rig = Rig::with(|config| config.bounds.peers = 1);
    let teid = rig.make(1, 5, "internet");
    let stranger = create(2, 5, "internet").but(IeType::GSN_ADDRESS, 0, &address(OTHER_SGSN));
    assert_eq!(rig.ask(&stranger).cause(), Cause::NO_RESOURCES_AVAILABLE);
    let moved = update(teid, 5).but(IeType::GSN_ADDRESS, 0, &address(OTHER_SGSN));
    assert_eq!(rig.ask(&moved).cause(), Cause::REQUEST_ACCEPTED);
    let emergency = create(2, 5, "sos").but(IeType::GSN_ADDRESS, 0, &address("127.0.0.46"));
    assert_eq!(rig.ask(&emergency).cause(), Cause::REQUEST_ACCEPTED);
    assert_eq!(rig.live(), 2);
}

//= L9
#[test]
fn a_ceiling_below_use_ends_nothing_and_stops_growth() {
    let mut rig = Rig::new();
    let teids: Vec<_> = (1..=3).map(|n| rig.make(n, 5, "internet")).collect();
    rig.ceiling(1);
    assert_eq!(rig.live(), 3);
    for teid in &teids[..2] {
        rig.ask(&delete(*teid, 5, true));
        assert_eq!(
            rig.ask(&create(9, 5, "internet")).cause(),
            Cause::NO_RESOURCES_AVAILABLE
        );
    }
    rig.ask(&delete(teids[2], 5, true));
    rig.make(9, 5, "internet");
}

//= L12
//= L17
#[test]
fn a_refusal_explains_itself() {
    let mut rig = Rig::with(|config| {
        config.causes.service_blocked = Cause::APN_ACCESS_DENIED;
        config.causes.feature_blocked = Cause::SERVICE_NOT_SUPPORTED;
        config.causes.at_ceiling = Cause::SYSTEM_FAILURE;
    });
    rig.make(1, 5, "internet");
    rig.ceiling(1);
    assert_eq!(
        rig.ask(&create(2, 5, "internet")).cause(),
        Cause::SYSTEM_FAILURE
    );
    rig.terms(GGSN, blocked());
    assert_eq!(
        rig.ask(&create(3, 5, "other")).cause(),
        Cause::APN_ACCESS_DENIED
    );
    rig.terms(
        GGSN,
        Terms {
            blocked_features: FeatureSet::EMPTY.with(GRE),
            ..Terms::default()
        },
    );
    assert_eq!(
        rig.ask(&create(4, 5, "tunnel")).cause(),
        Cause::SERVICE_NOT_SUPPORTED
    );
    rig.make(4, 5, "internet");
    rig.terms(
        GGSN,
        Terms {
            block: Some(Block::Feature(GRE)),
            ..Terms::default()
        },
    );
    assert_eq!(
        rig.ask(&create(5, 5, "internet")).cause(),
        Cause::SERVICE_NOT_SUPPORTED
    );
    let seen = rig.refusals();
    let told: Vec<_> = seen
        .iter()
        .map(|r| (&*r.apn, r.reason, r.cause, r.ceiling))
        .collect();
    let feature = RefusalReason::FeatureBlocked { feature: GRE };
    assert_eq!(
        told,
        [
            ("internet", RefusalReason::AtCeiling, 204, Some(1)),
            ("other", RefusalReason::ServiceBlocked, 222, None),
            ("tunnel", feature, 200, None),
            ("internet", feature, 200, None),
        ]
    );
    let by_apn = rig.plane.statistics().refused_by_apn;
    let sum = |of: fn(&RefusedCounts) -> u64| by_apn.iter().map(of).sum::<u64>();
    let sums = (
        sum(|apn| apn.at_ceiling),
        sum(|apn| apn.blocked),
        sum(|apn| apn.by_feature),
    );
    assert_eq!(sums, (1, 1, 2));
    assert_eq!(
        (by_apn[0].at_ceiling, by_apn[0].by_feature),
        (1, 1),
        "of internet"
    );
    assert!(
        seen.iter()
            .all(|r| r.service == GGSN && r.at == rig.now.wall && r.new_subscriber)
    );
    assert_eq!(seen[0].sessions, 1);
    assert_eq!(
        (rig.live(), rig.addresses_out()),
        (2, 2),
        "a refusal leaves no trace"
    );
}

//= L15
#[test]
fn distinct_subscribers_are_counted_once_a_minute() {
    let mut rig = Rig::new();
    rig.terms(GGSN, blocked());
    for wait in [0, 20, 20] {
        rig.pass(Duration::from_secs(wait));
        rig.ask(&create(1, 5, "internet"));
        rig.ask(&create(1, 6, "other"));
    }
    rig.ask(&create(2, 5, "internet"));
    rig.pass(Duration::from_secs(20));
    rig.ask(&create(1, 5, "internet"));
    let statistics = rig.plane.statistics();
    assert_eq!((statistics.refused, statistics.refused_subscribers), (8, 3));
    let by_apn = statistics
        .refused_by_apn
        .iter()
        .map(|apn| (apn.blocked, apn.subscribers));
    let by_apn: Vec<_> = by_apn.filter(|(refused, _)| *refused > 0).collect();
    assert_eq!(by_apn, [(5, 3), (3, 0)], "counted where first refused");
    let new = rig.refusals().iter().filter(|r| r.new_subscriber).count();
    assert_eq!(new, 3);
}

#[test]
fn a_back_off_time_is_jittered_upwards() {
    let mut rig = Rig::new();
    rig.terms(GGSN, blocked());
    let mut waits = BTreeSet::new();
    for n in 0..40 {
        let answer = rig.ask(&create(n, 5, "slow"));
        assert_eq!(answer.cause(), Cause::APN_CONGESTION);
        assert_eq!(answer.types(), [IeType::CAUSE, IeType::GGSN_BACK_OFF_TIME]);
        let value = answer.get(IeType::GGSN_BACK_OFF_TIME, 0).unwrap();
        waits.insert(
            BackOffTime::parse(&value)
                .unwrap()
                .duration()
                .unwrap()
                .as_secs(),
        );
    }
    assert!(
        waits.iter().all(|wait| (40..=60).contains(wait)),
        "{waits:?}"
    );
    assert!(waits.len() > 5, "{waits:?}");
    assert!(rig.refusals().iter().all(|refusal| refusal.cause == 229));
}

//= L13
#[test]
fn a_colliding_session_is_replaced_at_the_ceiling() {
    let mut rig = Rig::new();
    let first = rig.ask(&create(1, 5, "internet"));
    rig.ask(&secondary(first.control_teid(), 6, 5));
    rig.ceiling(1);
    assert_eq!(
        rig.ask(&create(2, 5, "internet")).cause(),
        Cause::NO_RESOURCES_AVAILABLE
    );
    let again = rig.ask(&create(1, 5, "internet"));
    assert_eq!(again.cause(), Cause::REQUEST_ACCEPTED);
    assert_eq!(again.end_user(), first.end_user(), "it keeps its address");
    assert_ne!(again.control_teid(), first.control_teid());
    assert_eq!((rig.live(), rig.addresses_out()), (1, 1));
    assert_eq!(rig.gate.count_exact(GGSN), 1);
    assert_eq!(
        rig.plane.statistics().contexts,
        1,
        "its further context went with it"
    );
    let late = rig.ask(&delete(first.control_teid(), 5, true));
    assert_eq!(late.cause(), Cause::NON_EXISTENT);
    assert_eq!(rig.plane.statistics().sessions_ended[&Ended::Replaced], 1);
}

//= L13
#[test]
fn a_replacement_that_is_refused_leaves_the_old_session() {
    let mut rig = Rig::new();
    let teid = rig.make(1, 5, "internet");
    rig.terms(GGSN, blocked());
    assert_eq!(
        rig.ask(&create(1, 5, "internet")).cause(),
        Cause::NO_RESOURCES_AVAILABLE
    );
    assert_eq!(
        rig.ask(&create(1, 5, "dual")).cause(),
        Cause::NO_RESOURCES_AVAILABLE
    );
    assert_eq!((rig.live(), rig.addresses_out()), (1, 1));
    assert_eq!(rig.ask(&update(teid, 5)).cause(), Cause::REQUEST_ACCEPTED);
    rig.terms(GGSN, Terms::default());
    assert_eq!(
        rig.ask(&delete(teid, 5, true)).cause(),
        Cause::REQUEST_ACCEPTED
    );
    assert_eq!((rig.live(), rig.addresses_out()), (0, 0));
}

//= L13
#[test]
fn across_services_the_new_session_is_admitted_before_the_old_is_released() {
    let mut rig = Rig::new();
    let teid = rig.make(1, 5, "internet");
    rig.ceiling(1);
    rig.terms(
        PGW,
        Terms {
            ceiling: Some(0),
            ..Terms::default()
        },
    );
    assert_eq!(
        rig.ask(&create(1, 5, "packet")).cause(),
        Cause::NO_RESOURCES_AVAILABLE
    );
    assert_eq!(rig.refusals()[0].service, PGW);
    assert_eq!(rig.ask(&update(teid, 5)).cause(), Cause::REQUEST_ACCEPTED);
    rig.terms(PGW, Terms::default());
    let moved = rig.make(1, 5, "packet");
    assert_eq!(
        (rig.gate.count_exact(GGSN), rig.gate.count_exact(PGW)),
        (0, 1)
    );
    assert_eq!(rig.ask(&delete(teid, 5, true)).cause(), Cause::NON_EXISTENT);
    rig.make(2, 5, "internet");
    rig.ask(&delete(moved, 5, true));
    assert_eq!((rig.live(), rig.addresses_out()), (1, 1));
}

#[test]
fn a_session_made_anew_keeps_its_address_in_a_full_pool() {
    let mut rig = Rig::new();
    rig.make(1, 5, "tiny");
    rig.make(2, 5, "tiny");
    rig.make(2, 5, "tiny");
    assert_eq!((rig.live(), rig.addresses_out()), (2, 2));
    let elsewhere = rig.ask(&create(2, 5, "internet"));
    assert_eq!(elsewhere.end_user().v4, Some([10, 0, 0, 1].into()));
    rig.make(3, 5, "tiny");
}

fn evolved(level: u8) -> [u8; 1] {
    let arp = EvolvedArp {
        priority_level: level,
        may_preempt: false,
        preemptable: false,
    };
    [arp.octet()]
}

//= L8
#[test]
fn priority_calls_go_over_the_ceiling_by_their_share() {
    let mut rig = Rig::new();
    rig.terms(
        GGSN,
        Terms {
            ceiling: Some(1),
            priority_share: 2,
            ..Terms::default()
        },
    );
    rig.make(1, 5, "internet");
    assert_eq!(
        rig.ask(&create(2, 5, "internet")).cause(),
        Cause::NO_RESOURCES_AVAILABLE
    );
    let by_level = create(2, 5, "internet").with(IeType::EVOLVED_ARP_I, &evolved(2));
    assert_eq!(rig.ask(&by_level).cause(), Cause::REQUEST_ACCEPTED);
    let outranked = create(3, 5, "internet")
        .with(IeType::EVOLVED_ARP_I, &evolved(3))
        .but(IeType::QOS_PROFILE, 0, &[1, 1, 2, 3]);
    assert_eq!(
        rig.ask(&outranked).cause(),
        Cause::NO_RESOURCES_AVAILABLE,
        "the evolved level decides alone"
    );
    let by_qos = create(3, 5, "internet").but(IeType::QOS_PROFILE, 0, &[1, 1, 2, 3]);
    assert_eq!(rig.ask(&by_qos).cause(), Cause::REQUEST_ACCEPTED);
    let too_many = create(4, 5, "internet").but(IeType::QOS_PROFILE, 0, &[1, 1, 2, 3]);
    assert_eq!(rig.ask(&too_many).cause(), Cause::NO_RESOURCES_AVAILABLE);
    let not_here = create(4, 5, "other").but(IeType::QOS_PROFILE, 0, &[1, 1, 2, 3]);
    assert_eq!(rig.ask(&not_here).cause(), Cause::NO_RESOURCES_AVAILABLE);
    assert_eq!(rig.live(), 3);
}

//= L7
#[test]
fn a_change_of_priority_moves_the_session_to_another_class_and_is_never_refused() {
    let mut rig = Rig::new();
    let teid = rig.make(1, 5, "internet");
    rig.terms(
        GGSN,
        Terms {
            ceiling: Some(0),
            ..blocked()
        },
    );
    let live = |rig: &Rig| -> Vec<i64> {
        let served = rig.shared.apns.served(0).unwrap();
        [served.ordinary, served.priority]
            .map(|id| rig.gate.class_counters(id).live())
            .to_vec()
    };
    assert_eq!(live(&rig), [1, 0]);
    let urgent = update(teid, 5).but(IeType::QOS_PROFILE, 0, &[1, 1, 2, 3]);
    assert_eq!(rig.ask(&urgent).cause(), Cause::REQUEST_ACCEPTED);
    assert_eq!(live(&rig), [0, 1]);
    rig.ask(&secondary(teid, 6, 5));
    assert_eq!(rig.ask(&update(teid, 6)).cause(), Cause::REQUEST_ACCEPTED);
    assert_eq!(
        live(&rig),
        [0, 1],
        "a further context's priority is its own"
    );
    assert_eq!(rig.ask(&update(teid, 5)).cause(), Cause::REQUEST_ACCEPTED);
    assert_eq!(live(&rig), [1, 0]);
    assert_eq!(rig.gate.count_exact(GGSN), 1);
}
