//! Thousands of peers: Echo at a bounded rate, the end of many sessions in steps, and what forgers can bring about.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use gtp::v1::{Cause, IeType, MessageType};
use gtp::v2;
use licensing::Mono;

use super::rig::*;
use super::v2::rig::{MME, Message2, OTHER_MME, and_v2, create2, create11, fteid};
use crate::config::{PathDown, PlaneConfig, Pool, PoolRange};
use crate::output::{Output, Path};
use crate::statistics::Ended;

const SECOND: Duration = Duration::from_secs(1);
const PEERS: u32 = 10_000;
/// Of Echo Requests to these; it is short, so that a test of them is.
const INTERVAL: Duration = Duration::from_secs(10);
/// Echo Requests in one step, and in one second.
const ECHOES_A_STEP: usize = 10;
const ECHOES_A_SECOND: usize = 2_000;
/// Sessions ended in one step.
const ENDED_A_STEP: u32 = 256;

/// Addresses for as many sessions as a test makes.
fn many_addresses(config: &mut PlaneConfig) {
    config.pools[0] = Pool {
        name: "a".into(),
        range: PoolRange::Ipv4 {
            first: [11, 0, 0, 1].into(),
            last: [11, 255, 255, 254].into(),
        },
    };
}

fn peer(number: u32) -> Ipv4Addr {
    Ipv4Addr::from_bits(0x0A00_0000 + number)
}

fn call_of(peer: Ipv4Addr, subscriber: u64) -> Message1 {
    create(subscriber, 5, "internet").but(IeType::GSN_ADDRESS, 0, &peer.octets())
}

fn told(message: Message1, counter: u8) -> Message1 {
    message.with(IeType::RECOVERY, &[counter])
}

impl Rig {
    /// Octets in from an address; what comes out. The table is not checked, which takes its time when it is large.
    fn feed(&mut self, from: Ipv4Addr, datagram: &[u8]) -> Vec<(Path, Vec<u8>)> {
        let path = Self::path(&from.to_string());
        self.plane.handle_datagram(datagram, path, self.now);
        self.sent()
    }

    fn sent(&mut self) -> Vec<(Path, Vec<u8>)> {
        let mut sent = Vec::new();
        while let Some(output) = self.plane.poll_output() {
            if let Output::Send { path, bytes } = output {
                sent.push((path, bytes.to_vec()));
            }
        }
        sent
    }

    fn call(&mut self, from: Ipv4Addr, request: &Message1) -> Cause {
        let sequence = self.next_sequence();
        let answers = self.feed(from, &request.encode(sequence));
        assert_eq!(answers.len(), 1);
        Answer1::read(&answers[0].1).cause()
    }

    fn accepted(&mut self, from: Ipv4Addr, request: &Message1) {
        assert_eq!(self.call(from, request), Cause::REQUEST_ACCEPTED);
    }

    /// What one call of `handle_timeout` sends, at the time that is due, if that is before `end`.
    fn step(&mut self, end: Mono) -> Option<Vec<(Path, Vec<u8>)>> {
        let due = self.plane.poll_timeout().filter(|due| *due <= end)?;
        self.pass(due.since(self.now.mono));
        self.plane.handle_timeout(self.now);
        Some(self.sent())
    }

    fn peer_lost(&self) -> u64 {
        let ended = self.plane.statistics().sessions_ended;
        ended.get(&Ended::PeerLost).copied().unwrap_or(0)
    }
}

/// Lets time pass; whom an Echo Request was sent at which time. Each step sends no more than it may. `answer` is the
/// restart counter that a peer answers with, none: it is silent.
fn echoes(
    rig: &mut Rig,
    time: Duration,
    answer: impl Fn(IpAddr) -> Option<u8>,
) -> Vec<(Mono, IpAddr)> {
    let end = rig.now.mono.after(time);
    let mut echoes = Vec::new();
    while let Some(sent) = rig.step(end) {
        assert!(
            sent.len() <= ECHOES_A_STEP,
            "{} datagrams in one step",
            sent.len()
        );
        for (path, datagram) in sent {
            assert_eq!(datagram[..2], [0x32, 1]);
            echoes.push((rig.now.mono, path.peer.ip()));
            if let Some(counter) = answer(path.peer.ip()) {
                let sequence = u16::from_be_bytes([datagram[8], datagram[9]]);
                let answer = told(Message1::new(MessageType::ECHO_RESPONSE, 0), counter);
                rig.plane
                    .handle_datagram(&answer.encode(sequence), path, rig.now);
            }
        }
    }
    echoes
}

/// Most of them in any second.
fn most_in_a_second(echoes: &[(Mono, IpAddr)]) -> usize {
    let behind = |from: usize| {
        let second = echoes[from].0.after(SECOND);
        echoes.partition_point(|(at, _)| *at < second) - from
    };
    (0..echoes.len()).map(behind).max().unwrap_or(0)
}

fn ten_thousand_peers() -> Rig {
    let mut rig = Rig::with(|config| {
        many_addresses(config);
        config.echo.interval = Some(INTERVAL);
    });
    for n in 0..PEERS {
        rig.accepted(peer(n), &call_of(peer(n), n.into()));
    }
    rig
}

#[test]
fn ten_thousand_peers_met_at_once_are_each_asked_once_an_interval_at_a_bounded_rate() {
    let mut rig = ten_thousand_peers();
    assert_eq!(rig.plane.statistics().peers, PEERS);
    for window in [INTERVAL + SECOND * 6, INTERVAL] {
        let asked = echoes(&mut rig, window, |_| Some(9));
        assert_eq!(asked.len(), PEERS as usize);
        let distinct: BTreeSet<_> = asked.iter().map(|(_, peer)| peer).collect();
        assert_eq!(distinct.len(), PEERS as usize);
        assert!(most_in_a_second(&asked) <= ECHOES_A_SECOND + ECHOES_A_STEP);
    }
    assert_eq!(rig.plane.statistics().paths_down, 0);
    assert_eq!(rig.plane.statistics().sessions, PEERS);
    // The first thousand restart, all in one interval.
    let counter = |of| if of < IpAddr::V4(peer(1_000)) { 10 } else { 9 };
    echoes(&mut rig, INTERVAL, |peer| Some(counter(peer)));
    let statistics = rig.plane.statistics();
    assert_eq!(
        (statistics.peer_restarts, statistics.paths_down),
        (1_000, 0)
    );
    assert_eq!((rig.live(), rig.peer_lost()), (9_000, 1_000));
    assert_eq!((statistics.peers, rig.addresses_out()), (9_000, 9_000));
}

#[test]
fn ten_thousand_paths_that_fail_at_once_are_found_down_at_a_bounded_rate() {
    let mut rig = ten_thousand_peers();
    let asked = echoes(&mut rig, SECOND * 60, |_| None);
    let mut times = BTreeMap::<IpAddr, u32>::new();
    for (_, peer) in &asked {
        *times.entry(*peer).or_default() += 1;
    }
    assert_eq!(times.len(), PEERS as usize);
    assert!(times.values().all(|times| *times == 5), "N3-REQUESTS each");
    assert!(most_in_a_second(&asked) <= ECHOES_A_SECOND + ECHOES_A_STEP);
    let statistics = rig.plane.statistics();
    assert_eq!(statistics.paths_down, PEERS.into());
    assert_eq!((statistics.sessions, rig.live()), (0, 0));
    assert_eq!(rig.peer_lost(), PEERS.into());
    assert_eq!(rig.addresses_out(), 0);
}

/// One Echo Request a peer and interval, however many workers have sessions of it.
#[test]
fn a_peer_is_asked_once_an_interval_by_the_node() {
    let mut rigs = Rig::rigs(4, many_addresses);
    for (worker, rig) in (0..).zip(rigs.iter_mut()) {
        for n in 0..50 {
            rig.accepted(peer(n), &call_of(peer(n), u64::from(n) << 8 | worker));
        }
    }
    let mut asked = BTreeMap::<IpAddr, u32>::new();
    for _ in 0..66 {
        for rig in &mut rigs {
            for (_, peer) in echoes(rig, SECOND, |_| Some(9)) {
                *asked.entry(peer).or_default() += 1;
            }
        }
    }
    assert_eq!(asked.len(), 50);
    assert!(asked.values().all(|times| *times == 1), "{asked:?}");
}

/// A late answer takes the place of the question that waited for its turn.
#[test]
fn who_answers_while_the_next_question_waits_is_not_asked_again() {
    let mut rig = Rig::with(many_addresses);
    for n in 0..100 {
        rig.accepted(peer(n), &call_of(peer(n), n.into()));
    }
    let asked = echoes(&mut rig, SECOND * 61, |_| None);
    assert_eq!(asked.len(), 100);
    // All are due again; ten are sent, and the one that waits longest answers.
    let last = asked[99].1;
    let again = rig.now.mono.after(SECOND * 6);
    let mut sent = Vec::new();
    while sent.is_empty() {
        sent = rig.step(again).unwrap();
    }
    let IpAddr::V4(late) = last else {
        panic!("an IPv4 address");
    };
    let place = rig.plane.table.peers.find(last).unwrap();
    let asked = rig.plane.table.peers.get(place).unwrap().asked.unwrap();
    let answer = told(Message1::new(MessageType::ECHO_RESPONSE, 0), 9);
    rig.feed(late, &answer.encode(asked.sequence));
    let rest = echoes(&mut rig, SECOND * 2, |_| Some(9));
    assert_eq!(rest.len(), 89);
    assert!(rest.iter().all(|(_, peer)| *peer != last));
}

#[test]
fn the_sessions_of_a_restarted_peer_end_in_steps_between_the_calls_of_others() {
    const LOST: u32 = 50_000;
    let (restarted, other) = (peer(1), peer(2));
    let mut rig = Rig::with(many_addresses);
    for n in 0..u64::from(LOST) {
        rig.accepted(restarted, &told(call_of(restarted, n), 9));
    }
    rig.accepted(restarted, &told(call_of(restarted, 100_000), 10));
    let (mut steps, mut made) = (0, 1);
    while rig.peer_lost() < u64::from(LOST) {
        assert_eq!(rig.plane.poll_timeout(), Some(Mono(0)), "at once");
        let before = rig.plane.table.len();
        rig.plane.handle_timeout(rig.now);
        let ended = before - rig.plane.table.len();
        assert!(ended <= ENDED_A_STEP, "{ended} in one step");
        steps += 1;
        // A call of another peer, one of the restarted one and one in an emergency are answered between any two steps.
        let sos = create(300_000 + made, 5, "sos").but(IeType::GSN_ADDRESS, 0, &other.octets());
        for (from, call) in [
            (other, call_of(other, 200_000 + made)),
            (restarted, told(call_of(restarted, 100_000 + made), 10)),
            (other, sos),
        ] {
            if steps <= 64 {
                rig.accepted(from, &call);
                made += 1;
            }
        }
    }
    assert!(
        steps >= (LOST - 3 * 64 * 4) / ENDED_A_STEP,
        "not in {steps} steps"
    );
    assert_ne!(rig.plane.poll_timeout(), Some(Mono(0)));
    rig.run(SECOND * 2);
    assert_eq!(rig.peer_lost(), u64::from(LOST));
    let live = u64::from(rig.plane.table.len());
    assert_eq!((live, rig.live() as u64), (made, made), "those made since");
    assert_eq!(u64::from(rig.addresses_out()), made);
    assert_eq!(rig.plane.statistics().peer_restarts, 1);
}

#[test]
fn a_path_that_fails_takes_its_sessions_in_steps_too() {
    let mut rig = Rig::with(many_addresses);
    for n in 0..2_000 {
        rig.accepted(peer(1), &call_of(peer(1), n));
    }
    let mut most = 0;
    while rig.plane.table.len() > 0 {
        let before = rig.plane.table.len();
        rig.step(Mono(u64::MAX)).unwrap();
        most = most.max(before - rig.plane.table.len());
    }
    assert_eq!(most, ENDED_A_STEP);
    assert_eq!((rig.live(), rig.peer_lost()), (0, 2_000));
}

#[test]
fn peers_that_restarted_share_the_steps() {
    let mut rig = Rig::with(many_addresses);
    for (number, sessions) in [(1, 20_000_u64), (2, 100), (3, 100)] {
        for n in 0..sessions {
            let subscriber = u64::from(number) << 20 | n;
            rig.accepted(peer(number), &told(call_of(peer(number), subscriber), 9));
        }
    }
    for number in 1..=3 {
        let call = told(call_of(peer(number), 900_000 + u64::from(number)), 10);
        rig.accepted(peer(number), &call);
    }
    rig.plane.handle_timeout(rig.now);
    rig.plane.handle_timeout(rig.now);
    let sessions = rig.sessions_by_peer();
    let left: Vec<_> = (1..=3).map(|n| sessions[&peer(n).into()]).collect();
    assert!(left[0] > 19_000, "{left:?}");
    assert_eq!(left[1..], [1, 1], "those made since");
}

#[test]
fn a_step_looks_at_no_more_peers_than_it_ends_sessions() {
    let mut rig = Rig::with(many_addresses);
    let mut teids = Vec::new();
    for n in 0..1_000 {
        let sequence = rig.next_sequence();
        let call = told(call_of(peer(n), n.into()), 9).encode(sequence);
        let answer = rig.feed(peer(n), &call);
        teids.push(Answer1::read(&answer[0].1).control_teid());
    }
    for n in 0..1_000 {
        rig.plane.hear_recovery(peer(n).into(), 10, rig.now.mono);
    }
    // Each session is gone before its time.
    for (n, teid) in (0..).zip(teids) {
        rig.accepted(peer(n), &delete(teid, 5, true));
    }
    assert_eq!(rig.plane.supervision.stale.len(), 1_000);
    rig.plane.handle_timeout(rig.now);
    assert_eq!(
        rig.plane.supervision.stale.len(),
        1_000 - ENDED_A_STEP as usize
    );
    rig.run(SECOND * 2);
    assert_eq!(rig.plane.statistics().peers, 0);
}

/// The permits that the dead hold do not refuse the living.
//= L13
#[test]
fn a_restarted_peers_calls_are_not_refused_for_its_dead_sessions() {
    let mut rig = Rig::with(|config| {
        many_addresses(config);
        config.bounds.sessions = 400;
    });
    rig.ceiling(400);
    for n in 0..400 {
        rig.accepted(peer(1), &told(call_of(peer(1), n), 9));
    }
    assert_eq!(
        rig.call(peer(1), &told(call_of(peer(1), 400), 9)),
        Cause::NO_MEMORY_IS_AVAILABLE
    );
    for n in 1_000..1_400 {
        rig.accepted(peer(1), &told(call_of(peer(1), n), 10));
        assert!(rig.gate.count_exact(GGSN) <= 400);
    }
    assert_eq!((rig.plane.table.len(), rig.peer_lost()), (400, 400));
    assert_eq!(rig.gate.count_exact(GGSN), 400);
    let over = told(call_of(peer(1), 2_000), 10);
    assert_eq!(rig.call(peer(1), &over), Cause::NO_MEMORY_IS_AVAILABLE);
}

#[test]
fn nor_at_a_worker_that_was_not_told_of_the_restart() {
    let mut rigs = Rig::rigs(2, many_addresses);
    rigs[0].ceiling(2);
    rigs[0].accepted(peer(1), &told(call_of(peer(1), 0), 9));
    rigs[1].accepted(peer(1), &told(call_of(peer(1), 1), 9));
    rigs[0].accepted(peer(1), &told(call_of(peer(1), 2), 10));
    rigs[1].accepted(peer(1), &told(call_of(peer(1), 3), 10));
    assert_eq!((rigs[0].peer_lost(), rigs[1].peer_lost()), (1, 1));
    assert_eq!(rigs[0].gate.count_exact(GGSN), 2);
}

/// Both versions of GTP tell the restart counter of the entity that has the address (TS 23.007 18).
#[test]
fn a_restart_told_by_one_version_ends_the_sessions_of_both() {
    let mut rig = Rig::with(and_v2);
    rig.ask(&told(create(1, 5, "internet"), 9));
    let sender = fteid(v2::InterfaceType::S5S8_SGW_C, 1, SGSN);
    let by_v2 = |number, counter: u8| {
        let create = create2(number, 5, "internet").but(false, v2::IeType::F_TEID, 0, &sender);
        create.with(v2::IeType::RECOVERY, 0, &[counter])
    };
    rig.accepted2(&by_v2(2, 9));
    assert_eq!(rig.plane.statistics().peers, 1);
    rig.run(SECOND * 2);
    assert_eq!(rig.live(), 2);
    rig.accepted2(&by_v2(3, 10));
    rig.run(SECOND * 2);
    assert_eq!((rig.live(), rig.peer_lost()), (1, 2));
}

/// Its counter was that of sessions which are gone; what it says next is where it begins (TS 23.007 18).
#[test]
fn a_peer_that_was_away_may_come_back_with_any_counter() {
    let mut rig = Rig::new();
    rig.ask(&told(create(1, 5, "internet"), 100));
    rig.run(SECOND * 90);
    assert_eq!((rig.live(), rig.plane.statistics().paths_down), (0, 1));
    // It has lost its own; what it made before it told is its own as well.
    rig.make(2, 5, "internet");
    rig.ask(&told(create(3, 5, "internet"), 3));
    rig.run(SECOND * 2);
    assert_eq!(rig.live(), 2);
    rig.ask(&told(create(4, 5, "internet"), 4));
    rig.run(SECOND * 2);
    assert_eq!(rig.live(), 1, "a restart is noticed again");
    assert_eq!(rig.plane.statistics().outdated_recoveries, 0);
}

#[test]
fn a_path_that_is_down_keeps_the_counter_of_the_sessions_that_stay() {
    let mut rig = Rig::with(|config| config.echo.path_down = PathDown::KeepSessions);
    rig.ask(&told(create(1, 5, "internet"), 100));
    rig.run(SECOND * 90);
    assert_eq!((rig.live(), rig.plane.statistics().paths_down), (1, 1));
    rig.ask(&told(create(2, 5, "internet"), 101));
    rig.run(SECOND * 2);
    assert_eq!(rig.live(), 1);
}

fn echo_request(counter: u8) -> Message2 {
    Message2::new(v2::MessageType::ECHO_REQUEST, None).with(v2::IeType::RECOVERY, 0, &[counter])
}

#[test]
fn forged_restarts_end_no_more_than_there_is() {
    let mut rig = Rig::with(|config| {
        many_addresses(config);
        and_v2(config);
    });
    for n in 0..1_000 {
        rig.accepted(peer(1), &told(call_of(peer(1), n), 9));
        rig.accepted(peer(2), &told(call_of(peer(2), 10_000 + n), 9));
    }
    let mut sent = 0;
    for n in 0..10_000_u32 {
        let counter = [200, 60, 130, 9][n as usize % 4];
        sent += rig.feed(peer(1), &echo_request(counter).encode(n)).len();
        assert!(rig.plane.supervision.stale.len() <= 1);
        if n % 100 == 0 {
            let before = rig.plane.table.len();
            rig.plane.handle_timeout(rig.now);
            assert!(before - rig.plane.table.len() <= ENDED_A_STEP);
        }
    }
    assert_eq!(sent, 10_000, "an answer to each, and nothing else");
    rig.run(SECOND * 2);
    assert_eq!((rig.live(), rig.peer_lost()), (1_000, 1_000));
}

#[test]
fn strangers_leave_nothing_behind() {
    let mut rig = Rig::with(and_v2);
    let answer = told(Message1::new(MessageType::ECHO_RESPONSE, 0), 9);
    for n in 0..PEERS {
        assert_eq!(rig.feed(peer(n), &echo_request(n as u8).encode(n)).len(), 1);
        assert!(rig.feed(peer(n), &answer.encode(n as u16)).is_empty());
        let echo = Message1::new(MessageType::ECHO_REQUEST, 0);
        assert_eq!(rig.feed(peer(n), &echo.encode(n as u16)).len(), 1);
    }
    assert_eq!(rig.shared.restarts.len(), 0);
    assert_eq!(rig.plane.statistics().peers, 0);
    assert_eq!(rig.plane.supervision.due(), None);
    assert_eq!(rig.plane.cache.next_expiry(), None);
}

/// A UE attaches by another MME after its own has restarted: what it had is not carried over to where nobody knows it.
//= L13
#[test]
fn what_a_restarted_mme_had_does_not_go_over_to_another_with_its_ue() {
    const UES: u64 = 300;
    let mut rig = Rig::with(and_v2);
    let told = |request: Message2, counter: u8| request.with(v2::IeType::RECOVERY, 0, &[counter]);
    for n in 0..UES {
        rig.accepted2(&told(create11(n, 5, "internet"), 1));
    }
    rig.plane
        .hear_recovery(MME.parse().unwrap(), 2, rig.now.mono);
    let sender = fteid(v2::InterfaceType::S11_MME_C, 7, OTHER_MME);
    let by_other = create11(UES - 1, 6, "ims").but(false, v2::IeType::F_TEID, 0, &sender);
    rig.accepted2(&by_other);
    rig.run(SECOND * 2);
    assert_eq!((rig.live(), rig.peer_lost()), (1, UES));
}
