//! Asking ahead of need (rule L6), and what can't be met (rule L5).

use std::collections::VecDeque;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::*;

//= L6
#[test]
fn the_next_license_is_there_before_it_is_needed() {
    let mut rig = Rig::using(7_000);
    assert_eq!(rig.held(service(PGW)), Some(1));
    let mut held = Vec::new();
    for sessions in (7_000..13_000).step_by(10) {
        rig.uses.insert(service(PGW), sessions);
        rig.step(SECOND);
        held.push((sessions, rig.held(service(PGW))));
    }
    let second = held.iter().find(|(_, held)| *held == Some(2)).unwrap();
    assert!((7_900..=8_010).contains(&second.0), "{second:?}");
    assert_eq!(held.last().unwrap().1, Some(2), "no more than is needed");
}

//= L5
#[test]
fn what_can_not_be_met_is_no_growth_and_nothing_else() {
    let mut rig = Rig::new();
    rig.pool(service(PGW)).owned = 1;
    rig.use_of(service(PGW), 9_999);
    rig.register().unwrap();
    rig.run(2 * SECOND);
    assert_eq!(rig.held(service(PGW)), Some(1));
    assert_eq!(rig.verdicts.standing[&service(PGW)], Verdict::Authorized);
    rig.run(10 * MINUTE);
    rig.forget();
    rig.run(5 * MINUTE);
    let sent = rig.sent.len();
    assert!((9..=11).contains(&sent), "asked every 30 s: {sent}");
    assert_eq!(rig.verdicts.standing[&service(PGW)], Verdict::Authorized);
    assert_eq!(rig.reported(service(PGW)), []);
    rig.pool(service(PGW)).owned = 2;
    rig.run(31 * SECOND);
    assert_eq!(rig.held(service(PGW)), Some(2));
    rig.forget();
    rig.run(5 * MINUTE);
    assert_eq!(rig.sent, []);
}

//= L6
#[test]
fn without_grants_nothing_is_asked_ahead() {
    let mut rig = Rig::registered();
    rig.pool(service(PGW)).exact = false;
    rig.use_of(service(PGW), 1);
    rig.run(10 * MINUTE);
    assert_eq!(rig.held(service(PGW)), None);
    rig.forget();
    rig.use_of(service(PGW), 9_900);
    rig.run(3 * MINUTE);
    assert_eq!(rig.sent, []);
}

//= L6
#[test]
fn what_is_not_needed_any_more_is_given_back() {
    let mut rig = Rig::using(45_000);
    rig.run(10 * MINUTE);
    assert!(rig.held(service(PGW)) >= Some(5));
    rig.use_of(service(PGW), 100);
    rig.run(10 * MINUTE);
    assert!(rig.held(service(PGW)) >= Some(5), "kept for a while");
    rig.run(HOUR);
    assert_eq!(rig.held(service(PGW)), Some(1));
    rig.forget();
    rig.run(HOUR);
    assert_eq!(rig.sent, [], "there is nothing more to give back");
}

//= L10
#[test]
fn a_restart_asks_for_what_it_held() {
    let mut rig = Rig::using(45_000);
    let held = rig.held(service(PGW));
    rig.uses.insert(service(PGW), 0);
    rig.kill();
    rig.run(10 * MINUTE);
    assert!(rig.sent.contains(&RequestType::Entitlement));
    assert_eq!(rig.held(service(PGW)), held);
}

/// A node whose agent's messages take time, and a gate that holds exactly the granted ceiling.
struct Sim {
    rig: Rig,
    random: StdRng,
    sessions: u32,
    asked: u32,
    refused_in_vain: u32,
    refused: u32,
    /// Answers and when they arrive.
    answers: VecDeque<(u64, Input)>,
    at_ms: u64,
    /// Since when the pool has had a license that nobody holds.
    free_since_ms: Option<u64>,
}

impl Sim {
    fn new(seed: u64) -> Self {
        let mut rig = Rig::using(1);
        rig.way = Way::Held;
        Self {
            rig,
            random: StdRng::seed_from_u64(seed),
            sessions: 1,
            asked: 0,
            refused_in_vain: 0,
            refused: 0,
            answers: VecDeque::new(),
            at_ms: 0,
            free_since_ms: Some(0),
        }
    }

    fn ceiling(&self) -> u32 {
        let held = self.rig.held(service(PGW));
        held.unwrap_or(0).saturating_mul(10_000)
    }

    /// Calls of 50 ms, and whatever messages move in that time.
    fn slice(&mut self, calls: u32, ends: u32, latency_ms: u64) {
        self.at_ms += 50;
        self.sessions = self.sessions.saturating_sub(ends);
        for _ in 0..calls {
            self.asked += 1;
            if self.sessions < self.ceiling() {
                self.sessions += 1;
            } else {
                self.refused += 1;
                self.refused_in_vain += u32::from(self.was_there(latency_ms));
            }
        }
        if self.at_ms.is_multiple_of(100) {
            self.rig.uses.insert(service(PGW), self.sessions);
            self.advance(latency_ms);
        }
    }

    /// The pool had a license, and that for long enough that the agent would have heard of it, had it asked in time.
    fn was_there(&self, latency_ms: u64) -> bool {
        let again_ms = u64::try_from(self.rig.config.ahead.again.as_millis()).unwrap();
        let hears_in_ms = again_ms + 4 * latency_ms + 300;
        let free = self.free_since_ms;
        free.is_some_and(|since| since == 0 || self.at_ms - since > hears_in_ms)
    }

    fn advance(&mut self, latency_ms: u64) {
        let time = Duration::from_millis(100);
        self.rig.now.mono = self.rig.now.mono.after(time);
        self.rig.now.license = self.rig.now.license.after(time);
        self.rig.now.wall.0 += 100;
        while let Some(message) = self.rig.outbox.pop() {
            let nonce = message.nonce;
            let wall = self.rig.wall();
            let octets = self.rig.authority.answer(&message.octets, wall);
            let jitter = self.random.random_range(0..=latency_ms);
            let input = Input::Answered { nonce, octets };
            self.answers
                .push_back((self.at_ms + latency_ms + jitter, input));
        }
        while self
            .answers
            .front()
            .is_some_and(|(at, _)| *at <= self.at_ms)
        {
            let (_, input) = self.answers.pop_front().unwrap();
            self.rig.tell(input);
        }
        self.rig.sample();
        self.check();
    }

    fn check(&mut self) {
        let tag = self.rig.tag(service(PGW));
        let owned = self.rig.pool(service(PGW)).owned;
        let granted = self.rig.authority.the_instance().granted[&tag];
        assert!(granted <= owned, "grants over owned: {granted} of {owned}");
        assert!(self.ceiling() <= granted * 10_000, "the node holds more");
        self.free_since_ms = match self.free_since_ms {
            _ if granted >= owned => None,
            None => Some(self.at_ms),
            since => since,
        };
    }
}

//= L6
#[test]
fn no_call_is_refused_while_the_pool_has_a_license() {
    let mut calls = 0;
    let mut refused = 0;
    let mut in_vain = 0;
    let mut seed = 0;
    while calls < 1_000_000 {
        seed += 1;
        let mut sim = Sim::new(seed);
        let latency_ms = [50, 500, 2_000, 4_000][seed as usize % 4];
        let owned = sim.random.random_range(2..12);
        sim.rig.pool(service(PGW)).owned = owned;
        let mut rate = 5.0_f64;
        let top = sim.random.random_range(20.0..60.0);
        for slice in 0..6_000u32 {
            // The rate of calls swings, and grows by 6 % a second at the most.
            let swing = if slice / 1_500 % 2 == 0 { 1.003 } else { 0.99 };
            rate = (rate * swing).clamp(1.0, top);
            let arrivals = rate + sim.random.random_range(-0.5..0.5) * rate.sqrt();
            let ends = f64::from(sim.sessions) / 20.0 / 60.0;
            sim.slice(arrivals.round() as u32, ends.round() as u32, latency_ms);
            if slice == 4_000 {
                sim.rig.pool(service(PGW)).owned += 2;
            }
        }
        calls += sim.asked;
        refused += sim.refused;
        in_vain += sim.refused_in_vain;
    }
    println!("ask-ahead-refusals {in_vain}");
    assert_eq!(in_vain, 0, "of {calls} calls, {refused} refused");
    assert!(refused > 0, "some pools were too small for what came");
}

/// Nodes of one pool, killed and cut off at random: what they hold together is never more than is owned.
//= L6
#[test]
fn what_the_nodes_of_a_pool_hold_is_never_more_than_is_owned() {
    let mut over = 0;
    for seed in 0..4 {
        let mut random = StdRng::seed_from_u64(seed);
        let owned = random.random_range(2..10);
        let mut shared = Authority::new(START);
        let mut rigs: Vec<Rig> = (0..4).map(|node| node_of(&shared, node)).collect();
        std::mem::swap(&mut shared.pools, &mut rigs[0].authority.pools);
        let tag = rigs[0].tag(service(PGW));
        shared.pools.get_mut(&tag).unwrap().owned = owned;
        let token = Token {
            uses: 4,
            fate: None,
        };
        shared.tokens.insert(TOKEN.into(), token);
        let mut most = 0;
        for _ in 0..150 {
            let rig = &mut rigs[random.random_range(0..4)];
            std::mem::swap(&mut shared, &mut rig.authority);
            if !rig.verdicts.registered {
                rig.register().unwrap();
            }
            rig.way = [Way::Open, Way::Open, Way::Outward, Way::Closed][random.random_range(0..4)];
            if random.random_bool(0.1) {
                rig.kill();
            }
            let room = rig.held(service(PGW)).unwrap_or(1) * 10_000;
            rig.use_of(service(PGW), random.random_range(0..=room));
            rig.leap(random.random_range(1..10) * MINUTE, MINUTE);
            std::mem::swap(&mut shared, &mut rig.authority);
            let held = rigs.iter().filter_map(|rig| rig.held(service(PGW)));
            most = most.max(held.sum::<u32>());
        }
        over += most.saturating_sub(owned);
        assert!(most >= owned, "seed {seed}: all of it was used");
    }
    println!("grants-over-owned {over}");
    assert_eq!(over, 0);
}

fn node_of(shared: &Authority, node: u8) -> Rig {
    let mut rig = Rig::new();
    rig.seed = 100 + node;
    rig.kill();
    let der = shared.keys.root.der().to_vec();
    rig.tell(Input::Root { der });
    rig
}
