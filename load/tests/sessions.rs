//! The machine as an SGW and as an MME, against a simulated gateway on a virtual clock.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod double;

use std::net::SocketAddr;
use std::time::Duration;

use double::epc::{Asked, Epc};
use double::world::{BAD, CLEAN, GATEWAY, LOCAL};
use gtp::v2::{
    Cause, CauseIe, Ebi, FTeid, IeType, InterfaceType, Message, MessageType, PdnType, Writer,
};
use licensing::Mono;
use load::{Addresses, ApnShare, HoldTime, Interface, Machine, Plan, Report};

type World = double::world::World<Epc>;

fn plan(interface: Interface) -> Plan {
    Plan {
        interface,
        peer: GATEWAY,
        calls_per_s: 100.0,
        hold: HoldTime::Fixed(Duration::from_secs(2)),
        max_calls: Some(500),
        t3_response: Duration::from_secs(1),
        ..Plan::default()
    }
}

fn world(plan: Plan) -> World {
    let gateway = Epc::new(plan.interface, usize::MAX);
    World::new(plan, gateway, CLEAN, 1)
}

fn seconds(s: f64) -> Mono {
    Mono((s * 1e9) as u64)
}

fn requests(report: &Report) -> Vec<(&'static str, u64, u64)> {
    let procedures = report.procedures();
    let counted = procedures.map(|(name, of)| (name, of.requests, of.accepted));
    counted.collect()
}

fn answer_of(datagram: &[u8]) -> (MessageType, u32, Cause, Option<u8>) {
    let message = Message::parse(datagram).unwrap();
    let ies = message.ie_set().unwrap();
    let cause = CauseIe::parse(ies.get(IeType::CAUSE, 0).unwrap()).unwrap();
    let linked = ies.get(IeType::EBI, 0).map(|value| value[0]);
    (
        message.header.kind,
        message.header.teid.unwrap(),
        cause.cause,
        linked,
    )
}

#[test]
fn on_s5_every_call_comes_up_is_modified_and_goes() {
    let mut plan = plan(Interface::S5);
    plan.update_every = Some(Duration::from_millis(1500));
    let mut world = world(plan);
    let report = world.run();
    assert_eq!(
        requests(&report),
        [
            ("Create", 500, 500),
            ("Modify", 500, 500),
            ("Delete", 500, 500)
        ]
    );
    for (_, procedure) in report.procedures() {
        let [cause] = &procedure.causes[..] else {
            panic!("one cause is expected: {report}");
        };
        assert_eq!((cause.cause, &*cause.name), (16, "Request accepted"));
        assert_eq!(procedure.latency.max_us, 2000);
    }
    // A hundred a second, each up for two seconds from when its answer came, and until its delete is answered.
    assert_eq!((report.peak_live, report.live), (201, 0));
    assert_eq!((world.gateway.created, world.gateway.modified), (500, 500));
    assert_eq!(world.gateway.sessions(), 0);
    assert_eq!((report.late, report.unexpected), (0, 0));
    let asked = Asked {
        by_imsi: true,
        pgw: None,
        pdn_type: PdnType::Ipv4,
        priority_level: 9,
        low_priority: false,
    };
    assert!(world.gateway.asked.iter().all(|said| *said == asked));
}

#[test]
fn on_s11_a_call_gets_its_user_data_path_and_loses_it_while_its_ue_is_idle() {
    let mut plan = plan(Interface::S11);
    plan.max_calls = Some(10);
    plan.update_every = Some(Duration::from_millis(1500));
    let mut world = world(plan);
    world.run_until(seconds(0.05));
    let connected = world.gateway.ues.values().flat_map(|ue| ue.pdns.values());
    let connected: Vec<bool> = connected.map(|pdn| pdn.connected).collect();
    assert_eq!(connected.len(), 5);
    assert_eq!(connected.iter().filter(|up| **up).count(), 5);
    let report = world.run();
    assert_eq!(
        requests(&report),
        [
            ("Create", 10, 10),
            ("Modify", 20, 20),
            ("Release", 10, 10),
            ("Delete", 10, 10)
        ]
    );
    assert_eq!((world.gateway.modified, world.gateway.released), (20, 10));
    assert_eq!((world.gateway.sessions(), report.live), (0, 0));
    // Without another PGW an MME names the gateway itself.
    let pgw = FTeid::new(InterfaceType::S5S8_PGW_C, 0, GATEWAY.ip());
    assert_eq!(world.gateway.asked[0].pgw, Some(pgw));
}

#[test]
fn on_s11_a_ue_has_as_many_pdn_connections_as_the_plan_says() {
    let mut plan = plan(Interface::S11);
    plan.max_calls = Some(20);
    plan.pdns = 3;
    plan.update_every = Some(Duration::from_millis(1500));
    plan.apns = ["internet", "ims"]
        .map(|apn| ApnShare {
            apn: apn.to_owned(),
            weight: u32::from(apn == "ims"),
        })
        .to_vec();
    plan.pgw = Some([10, 0, 0, 9].into());
    let mut world = world(plan);
    world.run_until(seconds(0.5));
    assert_eq!(
        (world.gateway.ues.len(), world.gateway.sessions()),
        (20, 60)
    );
    for ue in world.gateway.ues.values() {
        let pdns: Vec<_> = ue.pdns.iter().map(|(ebi, pdn)| (*ebi, &*pdn.apn)).collect();
        assert_eq!(pdns, [(5, "ims"), (6, "internet"), (7, "ims")]);
        assert!(ue.pdns.values().all(|pdn| pdn.connected));
    }
    let report = world.run();
    assert_eq!(
        requests(&report),
        [
            ("Create", 60, 60),
            ("Modify", 120, 120),
            ("Release", 20, 20),
            ("Delete", 60, 60)
        ]
    );
    assert_eq!((report.peak_live, report.live), (60, 0));
    assert_eq!(world.gateway.ues.len(), 0);
    let pgw = FTeid::new(InterfaceType::S5S8_PGW_C, 0, [10, 0, 0, 9].into());
    assert!(world.gateway.asked.iter().all(|said| said.pgw == Some(pgw)));
}

#[test]
fn what_a_plan_asks_for_is_asked_for() {
    let plan = Plan {
        max_calls: Some(3),
        addresses: Addresses::Ipv4v6,
        emergency: true,
        low_priority: true,
        evolved_arp_level: Some(1),
        ..plan(Interface::S5)
    };
    let mut world = world(plan);
    world.run_until(seconds(1.0));
    let asked = Asked {
        by_imsi: false,
        pgw: None,
        pdn_type: PdnType::Ipv4v6,
        priority_level: 1,
        low_priority: true,
    };
    assert_eq!(world.gateway.asked, [asked.clone(), asked.clone(), asked]);
    let callers = world.gateway.ues.values().map(|ue| ue.caller.clone());
    let mut callers: Vec<_> = callers.collect();
    callers.sort();
    assert_eq!(callers[2], [0x00, 0x01, 0x01, 0, 0, 0, 0x20, 0xF0]);
}

/// Every request is counted once; each that was lost or refused leaves nothing behind that somebody heard of.
#[test]
fn through_a_bad_network_the_books_are_right() {
    for (interface, pdns, seed) in [
        (Interface::S5, 1, 1),
        (Interface::S11, 1, 2),
        (Interface::S11, 3, 3),
        (Interface::S11, 3, 4),
    ] {
        let mut plan = plan(interface);
        plan.pdns = pdns;
        plan.update_every = Some(Duration::from_millis(700));
        let mut world = World::new(plan, Epc::new(interface, usize::MAX), BAD, seed);
        let report = world.run();
        for (name, of) in report.procedures() {
            let answered = of.accepted + of.refused;
            assert_eq!(of.requests, answered + of.lost, "{name}: {report}");
            assert_eq!(of.latency.count, answered);
            assert!(of.retransmitted > 0, "{name}: {report}");
        }
        assert_eq!((report.create.refused, report.live), (0, 0), "{report}");
        assert!(report.late > 0, "repeated answers are late ones");
        let unheard = report.create.lost + report.delete.lost;
        assert!(world.gateway.sessions() as u64 <= unheard, "{report}");
        assert_eq!((report.unexpected, report.peer_restarts), (0, 0));
    }
}

#[test]
fn refusals_are_told_by_the_names_of_their_version() {
    for (interface, created, refused) in [(Interface::S5, 60, 440), (Interface::S11, 60, 440)] {
        let mut gateway = Epc::new(interface, 60);
        gateway.refusal = Cause::APN_CONGESTION;
        let mut plan = plan(interface);
        plan.hold = HoldTime::Forever;
        let mut world = World::new(plan, gateway, CLEAN, 1);
        let report = world.run();
        let causes = report.create.causes.iter();
        let causes: Vec<_> = causes.map(|of| (of.cause, &*of.name, of.count)).collect();
        assert_eq!(
            causes,
            [
                (16, "Request accepted", created),
                (113, "APN Congestion", refused)
            ]
        );
        assert_eq!((report.delete.accepted, report.live), (created, 0));
    }
}

/// Of a UE's PDN connections those that the gateway has no room for are refused; the others live.
#[test]
fn a_ue_goes_on_without_the_pdn_connection_that_was_refused() {
    let mut plan = plan(Interface::S11);
    plan.max_calls = Some(2);
    plan.pdns = 2;
    let mut world = World::new(plan, Epc::new(Interface::S11, 3), CLEAN, 1);
    let report = world.run();
    assert_eq!(
        requests(&report),
        [("Create", 4, 3), ("Modify", 3, 3), ("Delete", 3, 3)]
    );
    assert_eq!((report.peak_live, world.gateway.sessions()), (3, 0));
}

#[test]
fn a_call_that_the_gateway_no_longer_knows_is_over() {
    for interface in [Interface::S5, Interface::S11] {
        let mut plan = plan(interface);
        plan.max_calls = Some(10);
        plan.update_every = Some(Duration::from_secs(1));
        let mut world = world(plan);
        world.run_until(seconds(0.5));
        world.gateway.ues.clear();
        world.gateway.recovery += 1;
        let report = world.run();
        let asked = match interface {
            Interface::S11 => &report.release,
            Interface::S5 | Interface::Gn => &report.update,
        };
        assert_eq!(asked.refused, 10);
        assert_eq!(asked.causes[0].cause, Cause::CONTEXT_NOT_FOUND.0);
        assert_eq!(report.update.requests, 10, "nothing more is asked for");
        assert_eq!((report.delete.requests, report.live), (0, 0));
    }
}

#[test]
fn requests_of_the_gateway_are_answered_and_a_session_that_it_deletes_is_over() {
    let mut plan = plan(Interface::S11);
    plan.max_calls = Some(5);
    plan.pdns = 2;
    plan.recovery = 77;
    let mut world = world(plan);
    world.run_until(seconds(0.5));
    let other = SocketAddr::new(GATEWAY.ip(), 40_000);
    let mut out = Vec::new();
    let kind = MessageType::ECHO_REQUEST;
    let mut writer = Writer::new(&mut out, kind, None, 9);
    writer.recovery(5);
    writer.finish().unwrap();
    world.machine.handle_datagram(0, other, &out, world.now);
    world.flush();
    let (to, answer) = world.elsewhere.pop().unwrap();
    assert_eq!(to, other);
    assert_eq!(answer, [0x40, 2, 0, 9, 0, 0, 9, 0, 3, 0, 1, 0, 77]);

    let (ours, ue) = world.gateway.ues.iter_mut().next().unwrap();
    let (ours, theirs) = (*ours, ue.peer_teid);
    ue.pdns.remove(&6);
    let kind = MessageType::DELETE_BEARER_REQUEST;
    let mut writer = Writer::new(&mut out, kind, Some(theirs), 10);
    writer.ebi(0, Ebi::new(6).unwrap());
    writer.finish().unwrap();
    let response = MessageType::DELETE_BEARER_RESPONSE;
    for expected in [
        (response, ours, Cause::REQUEST_ACCEPTED, Some(6)),
        (response, 0, Cause::CONTEXT_NOT_FOUND, None),
    ] {
        world.machine.handle_datagram(0, GATEWAY, &out, world.now);
        world.flush();
        let (_, answer) = world.elsewhere.pop().unwrap();
        assert_eq!(answer_of(&answer), expected);
    }
    let report = world.run();
    assert_eq!((report.echoes_answered, report.ended_by_peer), (1, 1));
    assert_eq!((report.delete.accepted, report.delete.refused), (9, 0));
    assert_eq!(report.live, 0);
}

#[test]
fn a_message_of_another_version_is_told_which_one_is_spoken() {
    let mut plan = plan(Interface::S5);
    plan.max_calls = Some(1);
    let mut world = world(plan);
    world.run_until(seconds(0.5));
    let gtpv1_echo = [0x32, 1, 0, 4, 0, 0, 0, 0, 0x12, 0x34, 0, 0];
    world
        .machine
        .handle_datagram(0, GATEWAY, &gtpv1_echo, world.now);
    world.flush();
    let (_, answer) = world.elsewhere.pop().unwrap();
    assert_eq!(answer, [0x40, 3, 0, 4, 0, 0x12, 0x34, 0]);
    // Whoever says so is not told so again.
    let gtpv1_says = [0x32, 3, 0, 4, 0, 0, 0, 0, 0x12, 0x34, 0, 0];
    world
        .machine
        .handle_datagram(0, GATEWAY, &gtpv1_says, world.now);
    world.flush();
    assert!(world.elsewhere.is_empty());
    assert_eq!(world.machine.report(world.now).unexpected, 2);
}

#[test]
fn an_accepting_answer_without_an_endpoint_is_malformed() {
    for (interface, instance) in [(Interface::S5, 0), (Interface::S11, 1)] {
        let mut plan = plan(interface);
        plan.max_calls = Some(1);
        let mut machine = Machine::new(plan, LOCAL, 0, Mono(0)).unwrap();
        machine.handle_timeout(Mono(0));
        let mut out = Vec::new();
        machine.poll_transmit(&mut out).unwrap();
        let sequence = Message::parse(&out).unwrap().header.sequence;
        let kind = MessageType::CREATE_SESSION_RESPONSE;
        let mut writer = Writer::new(&mut out, kind, Some(0x0100_0001), sequence);
        let another = FTeid::new(InterfaceType::S5S8_PGW_C, 7, GATEWAY.ip());
        writer
            .cause(&CauseIe::new(Cause::REQUEST_ACCEPTED))
            .f_teid(instance, &another);
        writer.finish().unwrap();
        machine.handle_datagram(0, GATEWAY, &out, Mono(1));
        let report = machine.report(Mono(1));
        assert_eq!((report.create.malformed, report.create.accepted), (1, 0));
    }
}
