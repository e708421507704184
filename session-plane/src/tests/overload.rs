//! A flood of ten times what is let through: who is served, in which order, and that counts are right afterwards.

use std::time::Duration;

use enforcer::Terms;
use gtp::v1::{Cause, IeType, MessageType};
use gtp::v2;

use super::rig::*;
use super::v2::rig::*;
use crate::PlaneConfig;
use crate::config::{ArpLevels, Rates};
use crate::statistics::DropReason;

const RATE: u32 = 100;
/// Ten times the rate.
const FLOOD: u64 = 1_000;

fn limited() -> Rig {
    limited_with(|_| {})
}

fn limited_with(change: impl FnOnce(&mut PlaneConfig)) -> Rig {
    Rig::with(|config| {
        and_v2(config);
        config.echo.interval = None;
        config.rates = Rates {
            peer_per_s: RATE,
            all_per_s: 0,
        };
        change(config);
    })
}

fn low(message: Message1) -> Message1 {
    message.with(IeType::SIGNALLING_PRIORITY_INDICATION, &[1])
}

/// What comes back: the cause, or nothing.
fn outcome(rig: &mut Rig, request: &Message1) -> Option<Cause> {
    let sequence = rig.next_sequence();
    let answers = rig.raw(&request.encode(sequence));
    answers.first().map(|octets| Answer1::read(octets).cause())
}

fn flood(rig: &mut Rig, from: u64) -> [u32; 3] {
    let [mut accepted, mut refused, mut dropped] = [0; 3];
    for n in from..from + FLOOD {
        match outcome(rig, &create(n, 5, "internet")) {
            Some(Cause::REQUEST_ACCEPTED) => accepted += 1,
            Some(Cause::NO_RESOURCES_AVAILABLE) => refused += 1,
            Some(other) => panic!("{other:?}"),
            None => dropped += 1,
        }
    }
    [accepted, refused, dropped]
}

//= L8
//= TS 33.117 4.2.3.3.3
//= TS 33.117 4.2.3.3.3
#[test]
fn in_a_flood_deletions_and_emergency_calls_are_served_and_counts_agree_with_the_table() {
    let mut rig = limited();
    rig.ceiling(60);
    let first = rig.make(1, 5, "internet");
    let [accepted, refused, dropped] = flood(&mut rig, 100);
    assert_eq!(accepted + 1, 60, "up to the ceiling, and not beyond it");
    assert_eq!((refused + accepted + dropped) as u64, FLOOD);
    assert!(dropped > 700, "{dropped}");
    let drops = rig.plane.statistics().drops[&DropReason::Overload];
    assert_eq!(drops, dropped.into());
    // With nothing left for others.
    assert_eq!(outcome(&mut rig, &create(2, 5, "internet")), None);
    for n in 0..200 {
        let call = create(10_000 + n, 5, "sos");
        assert_eq!(outcome(&mut rig, &call), Some(Cause::REQUEST_ACCEPTED));
    }
    let ended = outcome(&mut rig, &delete(first, 5, true));
    assert_eq!(ended, Some(Cause::REQUEST_ACCEPTED));
    assert_eq!(rig.gate.count_exact(GGSN), 59);
    assert_eq!((rig.live(), rig.plane.table.len()), (259, 259));
    assert_eq!(rig.addresses_out(), 259);
    rig.run(Duration::from_secs(11));
    let recount = rig.recounts.last().expect("it was counted again");
    assert!(
        recount
            .rows
            .iter()
            .all(|row| row.table as i64 == row.counter)
    );
    let made = outcome(&mut rig, &create(2, 5, "internet"));
    assert_eq!(made, Some(Cause::REQUEST_ACCEPTED), "it is over");
}

#[test]
fn low_priority_goes_first_then_calls_then_changes() {
    let mut rig = limited();
    let priority = |n| create(n, 5, "internet").with(IeType::EVOLVED_ARP_I, &[0x08]);
    let session = rig.make(1, 5, "internet");
    let emergency = rig.make(2, 5, "sos");
    rig.pass(Duration::from_secs(1));
    let passed = |rig: &mut Rig, request: &dyn Fn(u64) -> Message1| {
        let accepted = |n: &u64| outcome(rig, &request(*n)) == Some(Cause::REQUEST_ACCEPTED);
        (100..1_000).take_while(accepted).count()
    };
    // Of 100 a half, all but an eighth, and the last.
    assert_eq!(passed(&mut rig, &|n| low(create(n, 5, "internet"))), 50);
    assert_eq!(passed(&mut rig, &|n| create(1_000 + n, 5, "internet")), 37);
    assert_eq!(passed(&mut rig, &|n| priority(2_000 + n)), 13);
    let changed = outcome(&mut rig, &update(session, 5));
    assert_eq!(changed, Some(Cause::NO_RESOURCES_AVAILABLE));
    let echo = Message1::new(MessageType::ECHO_REQUEST, 0).encode(7);
    assert!(rig.raw(&echo).is_empty());
    let changed = outcome(&mut rig, &update(emergency, 5));
    assert_eq!(changed, Some(Cause::REQUEST_ACCEPTED));
    rig.pass(Duration::from_millis(20));
    let changed = outcome(&mut rig, &update(session, 5));
    assert_eq!(changed, Some(Cause::REQUEST_ACCEPTED), "before new calls");
    let call = outcome(&mut rig, &create(5_000, 5, "internet"));
    assert_eq!(call, Some(Cause::NO_RESOURCES_AVAILABLE));
    assert_eq!(rig.raw(&echo).len(), 1, "and Echo");
}

//= TS 29.274 12.3.9.3
#[test]
fn by_gtpv2_the_cause_is_congestion_and_a_hand_over_is_no_call() {
    let mut rig = limited();
    rig.make2(1, 5, "internet");
    let by_s11 = rig.make11(2, 5, "internet");
    while rig.ask2(&create2(3, 5, "ims")).cause().is_accepted() {}
    let refused = rig.ask2(&create2(3, 5, "ims")).cause();
    assert_eq!(refused, v2::Cause::GTP_C_ENTITY_CONGESTION);
    assert_eq!(rig.plane.statistics().overload_refused, 2);
    rig.accepted2(&modify11(by_s11, 2, 5));
    let handed = handed_over(create_by(S2B, 1, 5, "internet"));
    rig.accepted2(&handed);
    for n in 0..100 {
        rig.accepted2(&create2(100 + n, 5, "sos"));
        rig.accepted2(&create11(1_000 + n, 5, "sos"));
    }
    rig.accepted2(&delete2(by_s11, 5));
    assert_eq!(rig.live(), i64::from(rig.plane.table.len()));
}

/// A retransmission costs nothing, and a refusal takes no memory: the same request may pass later.
//= L13
#[test]
fn what_is_refused_for_overload_is_not_remembered() {
    let mut rig = limited();
    let first = create(1, 5, "internet").encode(0x4000);
    let answer = rig.raw(&first);
    let refused = (100..1_000).find_map(|n| {
        let call = create(n, 5, "internet").encode(0x5000 + n as u16);
        let cause = Answer1::read(&rig.raw(&call)[0]).cause();
        (cause == Cause::NO_RESOURCES_AVAILABLE).then_some(call)
    });
    let refused = refused.expect("one is refused");
    flood(&mut rig, 2_000);
    assert_eq!(rig.raw(&first), answer, "the answer is kept");
    rig.pass(Duration::from_secs(1));
    let answers = rig.raw(&refused);
    assert_eq!(Answer1::read(&answers[0]).cause(), Cause::REQUEST_ACCEPTED);
}

#[test]
fn one_peers_flood_is_not_anothers() {
    let mut rig = limited();
    flood(&mut rig, 100);
    let path = Rig::path(OTHER_SGSN);
    let call = create(1, 5, "internet").encode(9);
    rig.plane.handle_datagram(&call, path, rig.now);
    let sent = rig.outputs();
    assert_eq!(Answer1::read(&sent[0].1).cause(), Cause::REQUEST_ACCEPTED);
}

/// Sessions, answers, peers and refused subscribers have bounds of their own, and the buckets one of theirs.
//= I11
#[test]
fn a_flood_of_ever_new_peers_takes_no_more_memory_than_is_configured() {
    let mut rig = limited_with(|config| {
        config.rates.all_per_s = RATE;
        config.bounds.peers = 64;
        config.bounds.responses = 128;
    });
    for n in 0..5_000_u32 {
        let mut path = Rig::path(SGSN);
        path.peer
            .set_ip(std::net::Ipv4Addr::from_bits(0x0A00_0000 + n).into());
        let call = create(n.into(), 5, "internet").encode(1);
        rig.plane.handle_datagram(&call, path, rig.now);
    }
    rig.outputs();
    assert_eq!(rig.live(), 87, "all but an eighth of what all may");
    assert!(rig.plane.cache.expire(rig.now.mono, 0) <= 128);
    let drops = rig.plane.statistics().drops;
    assert_eq!(drops[&DropReason::Overload], 5_000 - 87 - 100);
}

/// By a license nobody is refused sooner: the ceiling is judged for what passes alone.
//= I1
#[test]
fn a_blocked_service_refuses_what_passes_and_emergency_calls_pass_both() {
    let mut rig = limited_with(|config| {
        config.apns[0].priority = ArpLevels::default();
    });
    rig.terms(
        GGSN,
        Terms {
            block: Some(enforcer::Block::Service),
            ..Terms::default()
        },
    );
    let [accepted, ..] = flood(&mut rig, 1);
    assert_eq!(accepted, 0);
    assert_eq!(rig.plane.statistics().refused, 87);
    let call = outcome(&mut rig, &create(9_000, 5, "sos"));
    assert_eq!(call, Some(Cause::REQUEST_ACCEPTED));
}
