//! The machine against a simulated GGSN behind a network that loses, repeats and reorders, on a virtual clock.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod double;

use std::net::SocketAddr;
use std::time::Duration;

use double::Ggsn;
use double::world::{BAD, CLEAN, GATEWAY as GGSN, LOCAL as SGSN, Network};
use gtp::v1::{Cause, Message, MessageType, Nsapi, Writer};
use licensing::Mono;
use load::{ApnShare, HoldTime, Machine, Plan};

type World = double::world::World<Ggsn>;

fn plan() -> Plan {
    Plan {
        peer: GGSN,
        calls_per_s: 100.0,
        hold: HoldTime::Fixed(Duration::from_secs(2)),
        max_calls: Some(1000),
        t3_response: Duration::from_secs(1),
        ..Plan::default()
    }
}

fn seconds(s: f64) -> Mono {
    Mono((s * 1e9) as u64)
}

fn cause_of(datagram: &[u8]) -> Option<u8> {
    let message = Message::parse(datagram).unwrap();
    let value = message.ie_set().unwrap().get(gtp::v1::IeType::CAUSE)?[0];
    Some(value)
}

#[test]
fn every_call_comes_up_is_held_and_goes() {
    let mut world = World::new(plan(), Ggsn::new(usize::MAX), CLEAN, 1);
    let report = world.run();
    for procedure in [&report.create, &report.delete] {
        assert_eq!(procedure.requests, 1000);
        assert_eq!(procedure.accepted, 1000);
        assert_eq!(procedure.retransmitted, 0);
        assert_eq!(procedure.causes.len(), 1);
        let first = &procedure.causes[0];
        assert_eq!((first.cause, first.count), (128, 1000));
        assert_eq!(first.name, "Request accepted");
        assert_eq!(
            (procedure.latency.min_us, procedure.latency.max_us),
            (2000, 2000)
        );
    }
    assert_eq!(report.update.requests, 0);
    assert_eq!(report.calls_due, 1000);
    assert_eq!(report.live, 0);
    // A hundred a second, each up for two seconds from when its answer came, and until its delete is answered.
    assert_eq!(report.peak_live, 201);
    assert!(
        (report.elapsed_s - 12.0).abs() < 0.05,
        "{}",
        report.elapsed_s
    );
    assert_eq!(world.gateway.created, 1000);
    assert!(world.gateway.sessions.is_empty());
    assert_eq!((report.late, report.unexpected), (0, 0));
}

#[test]
fn a_network_that_loses_repeats_and_reorders_leaves_nothing_behind_and_counts_add_up() {
    for seed in 0..8 {
        let mut plan = plan();
        plan.n3_requests = 5;
        plan.update_every = Some(Duration::from_millis(700));
        let mut world = World::new(plan, Ggsn::new(usize::MAX), BAD, seed);
        let report = world.run();
        for procedure in [&report.create, &report.update, &report.delete] {
            assert!(procedure.retransmitted > 0);
            assert_eq!(
                procedure.requests,
                procedure.accepted + procedure.refused + procedure.lost
            );
            assert_eq!(
                procedure.latency.count,
                procedure.accepted + procedure.refused
            );
            let causes: u64 = procedure.causes.iter().map(|cause| cause.count).sum();
            assert_eq!(causes, procedure.accepted + procedure.refused);
        }
        assert_eq!(report.create.requests, 1000);
        assert!(report.update.accepted > 1500, "{}", report.update.accepted);
        assert!(report.late > 0, "repeated answers are late ones");
        assert_eq!(report.create.refused, 0);
        // What is left at the GGSN is what nobody here heard of.
        let unheard = report.create.lost + report.delete.lost;
        assert!(
            world.gateway.sessions.len() as u64 <= unheard,
            "seed {seed}"
        );
        assert_eq!(report.unexpected, 0);
        assert_eq!(report.peer_restarts, 0);
    }
}

#[test]
fn a_full_ggsn_refuses_with_its_cause_and_the_subscriber_may_call_again() {
    let mut plan = plan();
    plan.subscribers = 150;
    let mut world = World::new(plan, Ggsn::new(120), CLEAN, 1);
    let report = world.run();
    assert_eq!(report.peak_live, 120);
    assert_eq!(report.create.requests + report.no_subscriber, 1000);
    assert_eq!(report.create.accepted, u64::from(world.gateway.created));
    assert!(report.create.refused > 300, "{}", report.create.refused);
    let causes: Vec<_> = report
        .create
        .causes
        .iter()
        .map(|cause| cause.cause)
        .collect();
    assert_eq!(causes, [128, 199]);
    assert_eq!(report.delete.accepted, report.create.accepted);
    assert!(world.gateway.sessions.is_empty());
}

#[test]
fn without_a_free_subscriber_a_call_is_counted_and_not_made() {
    let mut plan = plan();
    plan.subscribers = 50;
    let mut world = World::new(plan, Ggsn::new(usize::MAX), CLEAN, 1);
    world.run_until(seconds(1.5));
    assert_eq!(world.gateway.subscribers().len(), 50);
    let report = world.run();
    assert_eq!(report.peak_live, 50);
    assert_eq!(report.create.requests, report.create.accepted);
    assert_eq!(report.create.requests + report.no_subscriber, 1000);
    assert!(report.no_subscriber > 700);
}

#[test]
fn latency_counts_from_when_a_call_was_due() {
    let mut plan = plan();
    plan.window = 1;
    plan.max_calls = Some(51);
    plan.hold = HoldTime::Forever;
    plan.leave_up = true;
    let slow = Network {
        least: Duration::from_millis(50),
        most: Duration::from_millis(50),
        ..CLEAN
    };
    let report = World::new(plan, Ggsn::new(usize::MAX), slow, 1).run();
    assert_eq!(report.create.accepted, 51);
    // One call each 100 ms, though one is due each 10 ms: the last is due at 0.5 s and answered at 5.1 s.
    let last_us = report.create.latency.max_us;
    assert!((4_590_000..4_610_000).contains(&last_us), "{last_us}");
    let median_us = report.create.latency.p50_us;
    assert!((2_340_000..2_360_000).contains(&median_us), "{median_us}");
    assert_eq!(report.round_trip.max_us / 1000, 100);
    assert_eq!(report.live, 51);
}

#[test]
fn a_request_goes_out_as_often_as_it_may_and_always_the_same() {
    let mut plan = plan();
    plan.max_calls = Some(1);
    let mut machine = Machine::new(plan, SGSN, 0, Mono(0)).unwrap();
    let mut sent = Vec::new();
    let mut out = Vec::new();
    let mut now = Mono(0);
    loop {
        machine.handle_timeout(now);
        while machine.poll_transmit(&mut out).is_some() {
            sent.push((now, out.clone()));
        }
        if machine.is_done() {
            break;
        }
        now = machine.poll_timeout().unwrap();
    }
    let times: Vec<_> = sent.iter().map(|(at, _)| *at).collect();
    assert_eq!(times, [seconds(0.0), seconds(1.0), seconds(2.0)]);
    assert!(sent.iter().all(|(_, octets)| *octets == sent[0].1));
    assert_eq!(now, seconds(3.0));
    let report = machine.report(now);
    assert_eq!((report.create.lost, report.create.retransmitted), (1, 2));
    assert_eq!(report.live, 0);
}

#[test]
fn a_call_that_is_accepted_after_it_was_given_up_is_taken_down() {
    let mut plan = plan();
    plan.max_calls = Some(20);
    let slow = Network {
        least: Duration::from_secs(2),
        most: Duration::from_secs(2),
        ..CLEAN
    };
    let mut world = World::new(plan, Ggsn::new(usize::MAX), slow, 1);
    world.run_until(seconds(3.9));
    assert_eq!(world.gateway.sessions.len(), 20);
    world.run_until(seconds(12.0));
    let report = world.machine.report(world.now);
    assert_eq!((report.create.lost, report.create.accepted), (20, 0));
    assert_eq!(
        report.late,
        60 + 20 * 3,
        "three answers to each request, all late"
    );
    assert_eq!(world.gateway.created, 20);
    assert!(world.gateway.sessions.is_empty());
    assert!(world.machine.is_done());
}

#[test]
fn the_rate_goes_up_evenly_in_the_ramp() {
    let mut plan = plan();
    plan.ramp = Duration::from_secs(4);
    plan.hold = HoldTime::Forever;
    let mut world = World::new(plan, Ggsn::new(usize::MAX), CLEAN, 1);
    let mut begun = |s: f64| {
        world.run_until(seconds(s - 0.0001));
        world.machine.progress(world.now).begun
    };
    // 100/s after 4 s: by t, 12.5 t^2 calls.
    assert_eq!(
        [begun(1.0), begun(2.0), begun(4.0), begun(5.0)],
        [13, 50, 200, 300]
    );
}

#[test]
fn at_the_end_of_its_time_a_run_takes_its_calls_down() {
    let mut plan = plan();
    plan.max_calls = None;
    plan.duration = Some(Duration::from_secs(3));
    plan.hold = HoldTime::Forever;
    let mut world = World::new(plan, Ggsn::new(usize::MAX), CLEAN, 1);
    world.run_until(seconds(2.9));
    assert!(!world.machine.progress(world.now).ending);
    let report = world.run();
    assert_eq!(report.create.accepted, 300);
    assert_eq!(report.delete.accepted, 300);
    assert_eq!((report.peak_live, report.live), (300, 0));
    assert!(world.gateway.sessions.is_empty());
    assert!(report.elapsed_s < 3.1);
}

#[test]
fn a_run_that_is_stopped_takes_down_what_is_up_and_what_comes_up_yet() {
    let slow = Network {
        least: Duration::from_millis(100),
        most: Duration::from_millis(100),
        ..CLEAN
    };
    let mut world = World::new(plan(), Ggsn::new(usize::MAX), slow, 1);
    world.run_until(seconds(1.0));
    world.machine.finish();
    let report = world.run();
    assert_eq!(report.create.requests, 101);
    assert_eq!((report.create.accepted, report.delete.accepted), (101, 101));
    assert!(world.gateway.sessions.is_empty());
    assert!(report.elapsed_s < 1.5, "{}", report.elapsed_s);
}

#[test]
fn calls_may_be_left_up() {
    let mut plan = plan();
    plan.leave_up = true;
    plan.hold = HoldTime::Forever;
    let mut world = World::new(plan, Ggsn::new(usize::MAX), CLEAN, 1);
    let report = world.run();
    assert_eq!((report.live, report.delete.requests), (1000, 0));
    assert_eq!(world.gateway.sessions.len(), 1000);
    assert_eq!(world.gateway.subscribers().len(), 1000);
}

#[test]
fn calls_are_shared_out_by_weight_and_held_exponentially() {
    let mut plan = plan();
    plan.max_calls = Some(10_000);
    plan.calls_per_s = 1000.0;
    plan.hold = HoldTime::Exponential(Duration::from_secs(1));
    plan.apns = [("internet", 7), ("ims", 2), ("never", 0), ("sos", 1)]
        .map(|(apn, weight)| ApnShare {
            apn: apn.to_owned(),
            weight,
        })
        .to_vec();
    let mut world = World::new(plan, Ggsn::new(usize::MAX), CLEAN, 1);
    world.run_until(seconds(6.0));
    // A thousand a second, each up for a second in the mean.
    let up = world.gateway.sessions.len();
    assert!((880..1120).contains(&up), "{up}");
    world.run();
    let share = |apn| world.gateway.apns.get(apn).copied().unwrap_or(0);
    assert!((6800..7200).contains(&share("internet")));
    assert!((1850..2150).contains(&share("ims")));
    assert!((900..1100).contains(&share("sos")));
    assert_eq!(share("never"), 0);
}

#[test]
fn a_call_is_updated_while_it_is_held() {
    let mut plan = plan();
    plan.max_calls = Some(100);
    plan.update_every = Some(Duration::from_millis(600));
    let mut world = World::new(plan, Ggsn::new(usize::MAX), CLEAN, 1);
    let report = world.run();
    assert_eq!(report.update.accepted, 300, "at 0.6, 1.2 and 1.8 s of each");
    assert_eq!(world.gateway.updated, 300);
    assert_eq!(report.delete.accepted, 100);
}

#[test]
fn a_call_that_the_ggsn_no_longer_knows_is_over() {
    let mut plan = plan();
    plan.max_calls = Some(10);
    plan.update_every = Some(Duration::from_secs(1));
    let mut world = World::new(plan, Ggsn::new(usize::MAX), CLEAN, 1);
    world.run_until(seconds(0.5));
    world.gateway.sessions.clear();
    world.gateway.recovery += 1;
    let report = world.run();
    assert_eq!(report.update.refused, 10);
    assert_eq!(report.update.causes[0].cause, Cause::NON_EXISTENT.0);
    assert_eq!((report.delete.requests, report.live), (0, 0));
}

#[test]
fn a_restart_of_the_ggsn_is_seen() {
    let mut world = World::new(plan(), Ggsn::new(usize::MAX), CLEAN, 1);
    world.run_until(seconds(3.0));
    world.gateway.recovery = 200;
    world.run_until(seconds(5.0));
    world.gateway.recovery = 3;
    assert_eq!(world.run().peer_restarts, 2);
}

#[test]
fn a_sequence_number_rests_until_the_ggsn_has_forgotten_its_answer() {
    let mut plan = plan();
    plan.sockets = 1;
    plan.calls_per_s = 20_000.0;
    plan.hold = HoldTime::Fixed(Duration::from_millis(100));
    plan.max_calls = Some(40_000);
    plan.window = 4096;
    let mut world = World::new(plan.clone(), Ggsn::new(usize::MAX), CLEAN, 1);
    world.run_until(seconds(2.9));
    let begun = world.machine.report(world.now);
    assert_eq!(begun.create.requests + begun.delete.requests, 65_536);
    world.gateway.forget();
    let report = world.run();
    assert_eq!(report.delete.accepted, 40_000);
    assert!(report.elapsed_s > 3.0, "{}", report.elapsed_s);

    plan.sockets = 0;
    assert_eq!(plan.sockets_needed(), 3);
    let mut world = World::new(plan, Ggsn::new(usize::MAX), CLEAN, 1);
    let report = world.run();
    assert_eq!(report.delete.accepted, 40_000);
    assert!(report.elapsed_s < 2.2, "{}", report.elapsed_s);
}

#[test]
fn requests_of_the_ggsn_are_answered_and_a_call_that_it_deletes_is_over() {
    let mut plan = plan();
    plan.max_calls = Some(10);
    plan.recovery = 77;
    let mut world = World::new(plan, Ggsn::new(usize::MAX), CLEAN, 1);
    world.run_until(seconds(0.5));
    let other = SocketAddr::new(GGSN.ip(), 40_000);
    let mut out = Vec::new();
    Writer::new(&mut out, MessageType::ECHO_REQUEST, 0, 9)
        .finish()
        .unwrap();
    world.machine.handle_datagram(0, other, &out, world.now);
    world.flush();
    let (to, answer) = world.elsewhere.pop().unwrap();
    assert_eq!(to, other);
    assert_eq!(answer, [0x32, 2, 0, 6, 0, 0, 0, 0, 0, 9, 0, 0, 14, 77]);

    let (ggsn_teid, session) = world.gateway.sessions.iter().next().unwrap();
    let (ggsn_teid, sgsn_teid) = (*ggsn_teid, session.sgsn_teid);
    let mut writer = Writer::new(
        &mut out,
        MessageType::DELETE_PDP_CONTEXT_REQUEST,
        sgsn_teid,
        10,
    );
    writer.teardown(true).nsapi(Nsapi::FIRST);
    writer.finish().unwrap();
    for cause in [Cause::REQUEST_ACCEPTED, Cause::NON_EXISTENT] {
        world.machine.handle_datagram(0, GGSN, &out, world.now);
        world.flush();
        let (_, answer) = world.elsewhere.pop().unwrap();
        assert_eq!(cause_of(&answer), Some(cause.0));
    }
    world.gateway.sessions.remove(&ggsn_teid);
    let report = world.run();
    assert_eq!((report.echoes_answered, report.ended_by_peer), (1, 1));
    assert_eq!((report.delete.accepted, report.delete.refused), (9, 0));
    assert_eq!(report.live, 0);
}

#[test]
fn what_is_not_known_is_counted() {
    let mut plan = plan();
    plan.max_calls = Some(1);
    let mut world = World::new(plan, Ggsn::new(usize::MAX), CLEAN, 1);
    world.run_until(seconds(0.5));
    let mut out = Vec::new();
    Writer::new(&mut out, MessageType::PDU_NOTIFICATION_REQUEST, 0, 9)
        .finish()
        .unwrap();
    for datagram in [&out[..], &[], &[0x48, 32, 0, 8], &[0xFF; 40]] {
        world.machine.handle_datagram(0, GGSN, datagram, world.now);
    }
    assert_eq!(world.machine.report(world.now).unexpected, 4);
}

#[test]
fn an_accepting_answer_without_a_tunnel_is_malformed() {
    let mut plan = plan();
    plan.max_calls = Some(1);
    let mut machine = Machine::new(plan, SGSN, 0, Mono(0)).unwrap();
    machine.handle_timeout(Mono(0));
    let mut out = Vec::new();
    machine.poll_transmit(&mut out).unwrap();
    let sequence = Message::parse(&out).unwrap().header.sequence.unwrap();
    let teid = 0x0100_0001;
    let mut answer = |teid, cause| {
        let kind = MessageType::CREATE_PDP_CONTEXT_RESPONSE;
        let mut writer = Writer::new(&mut out, kind, teid, sequence);
        writer.cause(cause);
        writer.finish().unwrap();
        machine.handle_datagram(0, GGSN, &out, Mono(1));
        let report = machine.report(Mono(1));
        (report.create.malformed, report.create.refused, report.late)
    };
    assert_eq!(
        answer(teid + 1, Cause::REQUEST_ACCEPTED),
        (0, 0, 1),
        "another's"
    );
    assert_eq!(answer(0, Cause::REQUEST_ACCEPTED), (0, 0, 2), "nobody's");
    assert_eq!(answer(teid, Cause::REQUEST_ACCEPTED), (1, 0, 2));
    assert_eq!(answer(teid, Cause::REQUEST_ACCEPTED), (1, 0, 3));
}

#[test]
fn a_refusal_may_come_to_no_tunnel() {
    let mut plan = plan();
    plan.max_calls = Some(1);
    let mut machine = Machine::new(plan, SGSN, 0, Mono(0)).unwrap();
    machine.handle_timeout(Mono(0));
    let mut out = Vec::new();
    machine.poll_transmit(&mut out).unwrap();
    let sequence = Message::parse(&out).unwrap().header.sequence.unwrap();
    let kind = MessageType::CREATE_PDP_CONTEXT_RESPONSE;
    let mut writer = Writer::new(&mut out, kind, 0, sequence);
    writer.cause(Cause::APN_CONGESTION);
    writer.finish().unwrap();
    machine.handle_datagram(0, GGSN, &out, Mono(1));
    assert_eq!(machine.report(Mono(1)).create.refused, 1);
    assert!(machine.is_done());
}

#[test]
fn a_run_is_not_taken_for_the_run_before_it() {
    let mut plan = plan();
    plan.max_calls = Some(100);
    let mut world = World::new(plan.clone(), Ggsn::new(usize::MAX), CLEAN, 1);
    assert_eq!(world.run().create.accepted, 100);
    // The GGSN remembers its answers, and the second run begins at once, from the same socket.
    world.machine = Machine::new(plan, SGSN, 0x8000_0001, world.now).unwrap();
    let report = world.run();
    assert_eq!((report.create.accepted, report.delete.accepted), (100, 100));
    assert_eq!((report.late, world.gateway.created), (0, 200));
}
