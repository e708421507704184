//! Peers that restart, fall silent, or are supervised.

use std::time::Duration;

use gtp::v1::{Cause, IeType, MessageType};

use super::rig::*;
use crate::config::PathDown;
use crate::output::Path;
use crate::statistics::{DropReason, Ended};

const SECOND: Duration = Duration::from_secs(1);

fn create_with_recovery(number: u64, counter: u8) -> Message1 {
    create(number, 5, "internet").with(IeType::RECOVERY, &[counter])
}

fn echo_response(datagram: &[u8], recovery: u8) -> Vec<u8> {
    let sequence = u16::from_be_bytes([datagram[8], datagram[9]]);
    Message1::new(MessageType::ECHO_RESPONSE, 0)
        .with(IeType::RECOVERY, &[recovery])
        .encode(sequence)
}

#[test]
fn sessions_from_before_a_restart_end_in_steps_and_those_made_after_it_live() {
    let mut rig = Rig::new();
    for n in 0..600 {
        rig.ask(&create_with_recovery(n, 9));
    }
    let elsewhere = create(900, 5, "internet").but(IeType::GSN_ADDRESS, 0, &address(OTHER_SGSN));
    rig.ask(&elsewhere);
    rig.ask(&create_with_recovery(601, 10));
    assert_eq!(rig.live(), 602 - 4, "hardly any within a call");
    let after = rig.make(602, 5, "internet");
    rig.plane.handle_timeout(rig.now);
    assert_eq!(rig.live(), 603 - 8 - 256, "in steps");
    assert!(
        rig.plane.poll_timeout().unwrap() <= rig.now.mono,
        "more to do"
    );
    rig.run(SECOND);
    assert_eq!((rig.live(), rig.addresses_out()), (3, 3));
    assert_eq!(rig.gate.count_exact(GGSN), 3);
    assert_eq!(rig.ask(&update(after, 5)).cause(), Cause::REQUEST_ACCEPTED);
    let statistics = rig.plane.statistics();
    assert_eq!(statistics.sessions_ended[&Ended::PeerLost], 600);
    assert_eq!(statistics.peer_restarts, 1);
}

#[test]
fn an_older_restart_counter_is_discarded() {
    let mut rig = Rig::new();
    rig.ask(&create_with_recovery(1, 200));
    rig.ask(&create_with_recovery(2, 100));
    rig.ask(&create_with_recovery(3, 200));
    rig.run(SECOND * 3);
    assert_eq!(rig.live(), 3);
    let statistics = rig.plane.statistics();
    assert_eq!(
        (statistics.peer_restarts, statistics.outdated_recoveries),
        (0, 1)
    );
    rig.ask(&create_with_recovery(4, 5));
    rig.run(SECOND);
    assert_eq!(rig.live(), 1, "5 comes after 200, modulo 256");
}

#[test]
fn a_session_that_has_moved_away_survives_its_first_peers_restart() {
    let mut rig = Rig::new();
    let teid = Answer1::control_teid(&rig.ask(&create_with_recovery(1, 9)));
    rig.ask(&create_with_recovery(2, 9));
    let moved = update(teid, 5).but(IeType::GSN_ADDRESS, 0, &address(OTHER_SGSN));
    rig.ask(&moved);
    rig.ask(&create_with_recovery(3, 10));
    rig.run(SECOND);
    assert_eq!(rig.live(), 2);
    assert_eq!(rig.ask(&update(teid, 5)).cause(), Cause::REQUEST_ACCEPTED);
}

#[test]
fn a_restart_that_one_worker_hears_of_ends_sessions_at_all() {
    let mut rigs = Rig::rigs(2, |_| {});
    let (first, rest) = rigs.split_first_mut().unwrap();
    let second = &mut rest[0];
    first.ask(&create_with_recovery(1, 9));
    second.ask(&create(2, 5, "internet"));
    first.ask(&create_with_recovery(3, 10));
    second.ask(&create(4, 5, "internet"));
    second.run(SECOND * 2);
    first.run(SECOND * 2);
    assert_eq!((first.plane.table.len(), second.plane.table.len()), (1, 1));
    assert_eq!(
        second.plane.statistics().sessions_ended[&Ended::PeerLost],
        1
    );
    assert_eq!(first.live(), 2);
}

#[test]
fn a_peer_with_sessions_is_asked_every_minute() {
    let mut rig = Rig::new();
    let teid = rig.make(1, 5, "internet");
    assert!(rig.run(SECOND * 59).is_empty());
    let mut sent = rig.run(SECOND * 2);
    assert_eq!(sent.len(), 1);
    let (path, datagram) = sent.remove(0);
    assert_eq!(path, Rig::path(SGSN));
    assert_eq!(
        datagram,
        Message1::new(MessageType::ECHO_REQUEST, 0).encode(0x0100)
    );
    assert!(rig.raw(&echo_response(&datagram, 9)).is_empty());
    assert!(rig.run(SECOND * 58).is_empty());
    let sent = rig.run(SECOND * 3);
    assert_eq!(sent.len(), 1);
    assert_ne!(sent[0].1, datagram, "a sequence number of its own");
    rig.raw(&echo_response(&sent[0].1, 9));
    rig.ask(&delete(teid, 5, true));
    assert!(
        rig.run(SECOND * 200).is_empty(),
        "no sessions, no supervision"
    );
    assert_eq!(rig.plane.statistics().peers, 0);
}

/// The question would come back to us, and our own restart counter would end the peer's sessions.
#[test]
fn a_peer_behind_our_own_address_is_not_asked() {
    let mut rig = Rig::with(|config| config.control = Rig::path(SGSN).peer);
    rig.ask(&create_with_recovery(1, 9));
    assert!(rig.run(SECOND * 200).is_empty());
    assert_eq!(rig.live(), 1);
}

#[test]
fn a_restart_told_by_an_echo_response_ends_sessions() {
    let mut rig = Rig::new();
    rig.ask(&create_with_recovery(1, 9));
    let sent = rig.run(SECOND * 61);
    rig.raw(&echo_response(&sent[0].1, 10));
    rig.run(SECOND);
    assert_eq!((rig.live(), rig.addresses_out()), (0, 0));
}

#[test]
fn a_silent_peer_is_asked_n3_times_and_then_loses_its_sessions() {
    let mut rig = Rig::new();
    rig.make(1, 5, "internet");
    let sent = rig.run(SECOND * 61);
    assert_eq!(sent.len(), 1);
    let again = rig.run(SECOND * 20);
    assert_eq!(again.len(), 4);
    assert!(
        again.iter().all(|(_, datagram)| *datagram == sent[0].1),
        "the same each time"
    );
    assert_eq!(rig.live(), 1);
    rig.run(SECOND * 5);
    assert_eq!((rig.live(), rig.addresses_out()), (0, 0));
    let statistics = rig.plane.statistics();
    assert_eq!(statistics.paths_down, 1);
    assert_eq!(statistics.sessions_ended[&Ended::PeerLost], 1);
    rig.make(2, 5, "internet");
    rig.run(SECOND * 5);
    assert_eq!(rig.live(), 1, "sessions made since live");
}

#[test]
fn sessions_stay_on_a_path_that_is_down_if_configured_so() {
    let mut rig = Rig::with(|config| config.echo.path_down = PathDown::KeepSessions);
    rig.make(1, 5, "internet");
    rig.run(SECOND * 400);
    assert_eq!((rig.live(), rig.plane.statistics().paths_down), (1, 1));
    let sent = loop {
        let sent = rig.run(SECOND);
        if !sent.is_empty() {
            break sent;
        }
    };
    rig.raw(&echo_response(&sent[0].1, 9));
    rig.run(SECOND * 100);
    assert_eq!(rig.plane.statistics().paths_down, 2, "it was up in between");
}

#[test]
fn a_peer_is_asked_by_one_worker_and_by_another_when_that_one_leaves() {
    let mut rigs = Rig::rigs(2, |_| {});
    rigs[0].make(1, 5, "internet");
    rigs[1].make(2, 5, "internet");
    assert_eq!(minute_of_echoes(&mut rigs), [0]);
    drop(rigs.remove(0));
    assert_eq!(minute_of_echoes(&mut rigs), [1], "the one that is left");
    assert_eq!(rigs[0].live(), 1);
}

/// Lets a minute pass; which workers sent an Echo Request, each of which is answered within the second.
fn minute_of_echoes(rigs: &mut [Rig]) -> Vec<u16> {
    let mut asked = Vec::new();
    for _ in 0..62 {
        for rig in rigs.iter_mut() {
            let worker = rig.plane.seat.worker;
            for (_, datagram) in rig.run(SECOND) {
                assert_eq!(crate::worker_of(&echo_response(&datagram, 9), 2), worker);
                rig.raw(&echo_response(&datagram, 9));
                asked.push(worker);
            }
        }
    }
    asked
}

#[test]
fn answers_that_nobody_waits_for_are_dropped() {
    let mut rig = Rig::new();
    rig.ask(&create_with_recovery(1, 9));
    let stray = Message1::new(MessageType::ECHO_RESPONSE, 0);
    assert!(
        rig.raw(&stray.clone().with(IeType::RECOVERY, &[10]).encode(1))
            .is_empty()
    );
    assert!(rig.raw(&stray.encode(1)).is_empty());
    let drops = rig.plane.statistics().drops;
    assert_eq!(drops[&DropReason::UnexpectedResponse], 1);
    assert_eq!(drops[&DropReason::MalformedResponse], 1);
    rig.run(SECOND * 2);
    assert_eq!(rig.live(), 1, "a forged restart ends nothing");
}

#[test]
fn without_supervision_nobody_is_asked() {
    let mut rig = Rig::with(|config| config.echo.interval = None);
    rig.make(1, 5, "internet");
    assert!(rig.run(SECOND * 300).is_empty());
    assert_eq!(rig.live(), 1);
}

#[test]
fn state_does_not_hang_on_where_datagrams_come_from() {
    let mut rig = Rig::new();
    let proxy = Path {
        peer: "127.0.0.77:5000".parse().unwrap(),
        ..Rig::path(SGSN)
    };
    rig.plane
        .handle_datagram(&create(1, 5, "internet").encode(1), proxy, rig.now);
    let sent = rig.outputs();
    assert_eq!(sent[0].0, proxy);
    let teid = Answer1::read(&sent[0].1).control_teid();
    assert_eq!(
        rig.ask(&delete(teid, 5, true)).cause(),
        Cause::REQUEST_ACCEPTED
    );
}

/// Another control-plane address each time.
fn sgsn(number: u32) -> Vec<u8> {
    address(&std::net::Ipv4Addr::from_bits(0x0A00_0000 + number).to_string())
}

#[test]
fn a_session_that_moves_on_and_on_leaves_no_peers_behind() {
    let mut rig = Rig::with(|config| config.bounds.peers = 4);
    let teid = rig.make(1, 5, "internet");
    for n in 0..100 {
        let moved = update(teid, 5).but(IeType::GSN_ADDRESS, 0, &sgsn(n));
        assert_eq!(rig.ask(&moved).cause(), Cause::REQUEST_ACCEPTED);
        assert_eq!(rig.plane.statistics().peers, 1);
        assert!(rig.shared.restarts.len() <= 5, "after {n} moves");
    }
    let other = create(2, 5, "internet").but(IeType::GSN_ADDRESS, 0, &address(OTHER_SGSN));
    assert_eq!(rig.ask(&other).cause(), Cause::REQUEST_ACCEPTED);
    assert!(rig.shared.restarts.len() <= 4);
}

#[test]
fn a_session_made_anew_from_elsewhere_leaves_no_peer_behind() {
    let mut rig = Rig::with(|config| config.bounds.peers = 2);
    for n in 0..10 {
        let anew = create(1, 5, "internet").but(IeType::GSN_ADDRESS, 0, &sgsn(n));
        assert_eq!(rig.ask(&anew).cause(), Cause::REQUEST_ACCEPTED);
    }
    assert_eq!(rig.plane.statistics().peers, 1);
}

#[test]
fn a_refused_call_leaves_no_peer_behind() {
    let mut rig = Rig::with(|config| {
        config.bounds.peers = 2;
        config.bounds.sessions = 1;
        config.bounds.emergency_reserve = 0;
    });
    rig.ceiling(0);
    for n in 0..10 {
        let call = create(1, 5, "internet").but(IeType::GSN_ADDRESS, 0, &sgsn(n));
        rig.ask(&call);
    }
    assert_eq!(rig.plane.statistics().peers, 0);
    rig.ceiling(1);
    rig.make(1, 5, "internet");
    for n in 10..20 {
        let call = create(2, 5, "sos").but(IeType::GSN_ADDRESS, 0, &sgsn(n));
        assert_eq!(rig.ask(&call).cause(), Cause::NO_MEMORY_IS_AVAILABLE);
    }
    assert_eq!(rig.plane.statistics().peers, 1);
    assert!(rig.shared.restarts.len() <= 2);
}

#[test]
fn a_peer_whose_call_was_refused_is_watched_once_when_it_comes_back() {
    let mut rig = Rig::new();
    rig.ceiling(0);
    rig.ask(&create(1, 5, "internet"));
    rig.ceiling(1);
    rig.make(1, 5, "internet");
    assert_eq!(rig.run(SECOND * 61).len(), 1, "one Echo Request");
}

#[test]
fn a_peer_that_restarts_again_and_again_is_noted_once() {
    let mut rig = Rig::new();
    for n in 0..500 {
        rig.ask(&create_with_recovery(n, 9));
    }
    for counter in 10..110 {
        rig.ask(&create_with_recovery(500, counter));
    }
    assert_eq!(rig.plane.supervision.stale.len(), 1);
    rig.run(SECOND * 2);
    assert_eq!((rig.live(), rig.plane.supervision.stale.len()), (1, 0));
    rig.run(SECOND * 59);
    rig.ask(&create_with_recovery(501, 110));
    rig.run(SECOND / 2);
    assert_eq!(rig.live(), 1, "noted again");
}
