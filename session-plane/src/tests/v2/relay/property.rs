//! Random sequences with losses, repetitions and reordering between SGW and PGW: whatever happens, both count the same
//! once all is quiet, and nothing is left of anything when all is deleted.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use enforcer::{Block, Terms};
use gtp::v2::{Cause, IeType, Indication, InterfaceType, Message, MessageType};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::super::super::rig::{PGW, RELAY, SAEGW};
use super::super::rig::{Answer2, Message2, create11, fteid, modify11};
use super::net::{Net, Noise, PGW_AT, create, delete, ue_teid};
use crate::clear::{Clear, Whom};
use crate::config::Role;

const SECOND: Duration = Duration::from_secs(1);
const SUBSCRIBERS: u64 = 3;
const BEARERS: std::ops::Range<u8> = 5..8;
/// Requests that wait for their answers, at most: enough for all.
const MANY: u32 = 1000;
const QUIET: Duration = Duration::from_secs(200);

struct Run {
    net: Net,
    random: StdRng,
    /// Requests of the MME by the subscriber and bearer that they are about.
    asked: Vec<(u64, u8, Vec<u8>)>,
    /// Our endpoints for the UEs, by subscriber; 0: none is known.
    teids: [u32; SUBSCRIBERS as usize],
    /// The MME waits for an answer before it asks for the same bearer again, and no PGW restarts.
    orderly: bool,
    mme_restarts: u8,
    /// The PGW's endpoints for sessions that were made.
    pgw_teids: BTreeMap<(u64, u8), u32>,
}

impl Run {
    fn new(seed: u64, orderly: bool, requests: u32) -> Self {
        let workers = 1 + (seed % 3) as u16;
        let mut net = Net::with(workers, |config| {
            // Of 20 exchanges in a row that are lost none is seen.
            config.n3_requests = 10;
            config.bounds.requests = requests;
            for apn in &mut config.apns {
                apn.priority = Default::default();
            }
        })
        .seeded(seed);
        net.noise = Noise {
            lose: 10,
            repeat: 10,
            delay: Duration::from_millis(300),
        };
        Self {
            net,
            random: StdRng::seed_from_u64(seed ^ 0xABCD),
            asked: Vec::new(),
            teids: [0; SUBSCRIBERS as usize],
            orderly,
            mme_restarts: 1,
            pgw_teids: BTreeMap::new(),
        }
    }

    fn step(&mut self) {
        let who = self.random.random_range(0..SUBSCRIBERS);
        let ebi = self.random.random_range(BEARERS);
        match self.random.random_range(0..100) {
            0..31 => self.create(who, ebi),
            31..35 => self.bring(who, ebi),
            35..50 => self.delete(who, ebi),
            50..60 => self.modify(who, ebi),
            60..72 => self.again(),
            72..82 => self.change_terms(),
            82..85 => self.clear(who),
            85..88 => self.restart(),
            _ => self.wait(),
        }
        self.net.run(Duration::from_millis(20));
        self.hear();
        self.check();
    }

    fn is_busy(&self, who: u64, ebi: u8) -> bool {
        let of_it = |(other, number, _): &(u64, u8, Vec<u8>)| *other == who && *number == ebi;
        self.orderly && self.asked.iter().any(of_it)
    }

    fn say(&mut self, who: u64, ebi: u8, request: &Message2) {
        let octets = self.net.say(request);
        if self.orderly && request.kind != MessageType::MODIFY_BEARER_REQUEST {
            // It does not bring what it has given up.
            self.pgw_teids.remove(&(who, ebi));
        }
        self.asked.push((who, ebi, octets));
    }

    fn create(&mut self, who: u64, ebi: u8) {
        if self.is_busy(who, ebi) {
            return;
        }
        let apn = ["internet", "ims", "tiny"][self.random.random_range(0..3)];
        let request = match self.random.random_range(0..5) {
            0 => create11(who, ebi, apn),
            _ => create(who, ebi, apn),
        };
        let named = self.random.random_bool(0.5);
        let teid = Some(if named { self.teids[who as usize] } else { 0 });
        let recovery = [self.mme_restarts];
        let request = request.with(IeType::RECOVERY, 0, &recovery);
        self.say(who, ebi, &Message2 { teid, ..request });
    }

    /// As if it came from another SGW: a session that the PGW has, or had.
    fn bring(&mut self, who: u64, ebi: u8) {
        let Some(pgw_teid) = self.pgw_teids.get(&(who, ebi)).copied() else {
            return;
        };
        if self.is_busy(who, ebi) {
            return;
        }
        // One that is only prepared is here before it is the PGW's by us.
        let flags = match self.orderly || self.random.random_bool(0.5) {
            true => Indication::default().with(Indication::OI),
            false => Indication::default().with(Indication::CRSI),
        };
        let at_pgw = |interface| fteid(interface, pgw_teid, PGW_AT);
        let request = create(who, ebi, "internet")
            .but(false, IeType::F_TEID, 1, &at_pgw(InterfaceType::S5S8_PGW_C))
            .with(IeType::INDICATION, 0, flags.octets())
            .with(IeType::RECOVERY, 0, &[self.mme_restarts])
            .with_bearer(IeType::F_TEID, 3, &at_pgw(InterfaceType::S5S8_PGW_U));
        self.say(who, ebi, &request);
    }

    fn delete(&mut self, who: u64, ebi: u8) {
        let teid = self.teids[who as usize];
        if teid != 0 && !self.is_busy(who, ebi) {
            self.say(who, ebi, &delete(teid, ebi));
        }
    }

    fn modify(&mut self, who: u64, ebi: u8) {
        let teid = self.teids[who as usize];
        if teid == 0 || self.is_busy(who, ebi) {
            return;
        }
        let request = modify11(teid, who, ebi);
        let request = match self.random.random_bool(0.6) {
            true => request.with(IeType::UE_TIME_ZONE, 0, &[0x40, 0]),
            false => request,
        };
        self.say(who, ebi, &request);
    }

    /// The MME sends something again that it waits for.
    fn again(&mut self) {
        if !self.asked.is_empty() {
            let at = self.random.random_range(0..self.asked.len());
            let octets = self.asked[at].2.clone();
            self.net.mme_sends(octets);
        }
    }

    fn change_terms(&mut self) {
        let ceiling = self.random.random_bool(0.6);
        let ceiling = ceiling.then(|| self.random.random_range(0..6));
        let blocked = self.random.random_bool(0.2);
        let terms = Terms {
            ceiling,
            block: blocked.then_some(Block::Service),
            ..Terms::default()
        };
        match self.random.random_bool(0.5) {
            true => self.net.pgw.terms(PGW, terms),
            false => self.net.sgw[0].terms(RELAY, terms),
        }
    }

    fn clear(&mut self, who: u64) {
        let imsi = gtp::v1::Imsi::from_number(240_010_000_000_000 + who, 15).unwrap();
        let clear = Clear {
            whom: Whom::Imsi(imsi),
            reactivate: false,
        };
        let now = self.net.now;
        match self.random.random_bool(0.5) {
            true => drop(self.net.pgw.plane.clear(&clear, now)),
            false => self.net.sgw.iter_mut().for_each(|rig| {
                rig.plane.clear(&clear, now);
            }),
        }
    }

    fn restart(&mut self) {
        match self.orderly || self.random.random_bool(0.5) {
            true => self.restart_mme(),
            false => self.net.restart_pgw(),
        }
    }

    fn restart_mme(&mut self) {
        self.mme_restarts += 1;
        self.asked.clear();
        self.teids = [0; SUBSCRIBERS as usize];
        let echo = Message2::new(MessageType::ECHO_REQUEST, None)
            .with(IeType::RECOVERY, 0, &[self.mme_restarts])
            .encode(9);
        self.net.mme_sends(echo);
        if self.orderly {
            // What it had sent before has arrived when it is there again.
            self.net.run(SECOND);
            self.net.to_mme.clear();
            self.pgw_teids.clear();
        }
    }

    fn wait(&mut self) {
        let most = if self.random.random_bool(0.1) { 70 } else { 2 };
        let time = SECOND * self.random.random_range(0..=most);
        self.net.run(time);
    }

    /// The MME takes in what has come.
    fn hear(&mut self) {
        for octets in self.net.asked_of_mme(MessageType::DELETE_BEARER_REQUEST) {
            if self.random.random_bool(0.8) {
                // To an endpoint that it may not know any more: to none.
                self.net.mme_answers(&octets, 0, Cause::REQUEST_ACCEPTED);
            }
        }
        for octets in std::mem::take(&mut self.net.to_mme) {
            let header = Message::parse(&octets).unwrap().header;
            let asked = self.asked.iter().position(|(_, _, request)| {
                let asked = Message::parse(request).unwrap().header;
                asked.sequence == header.sequence && asked.kind.response() == Some(header.kind)
            });
            let Some(asked) = asked else { continue };
            let (who, ebi, _) = self.asked.remove(asked);
            let answer = Answer2::read(&octets);
            let made = header.kind == MessageType::CREATE_SESSION_RESPONSE;
            if made && answer.cause().is_accepted() {
                self.teids[who as usize] = ue_teid(&answer);
                if answer.control().address() == Some(PGW_AT.parse().unwrap()) {
                    self.pgw_teids.insert((who, ebi), answer.control().teid);
                }
            }
        }
    }

    /// Sessions at the SGW that are relayed.
    fn relayed(&self) -> u32 {
        let is_relayed = |rig: &super::super::super::rig::Rig| {
            let apns = &rig.plane.config.apns;
            let sessions = rig.plane.table.sessions();
            let roles = sessions.map(|(_, session)| apns[usize::from(session.apn)].role);
            roles.filter(|role| *role == Role::Sgw).count() as u32
        };
        self.net.sgw.iter().map(is_relayed).sum()
    }

    fn check(&self) {
        assert_eq!(self.net.counts().0, self.relayed());
        let pgw = self.net.pgw.plane.table.len();
        assert_eq!(self.net.counts().1, pgw);
        for rig in &self.net.sgw {
            let waiting = rig.plane.relays.waiting();
            assert_eq!(rig.plane.cache.in_progress(), waiting);
            assert!(waiting <= rig.plane.transactions.len() as usize);
        }
    }

    /// All that is under way comes to its end; the MME does not ask for more.
    fn settle(&mut self) {
        self.net.noise = Noise::default();
        for _ in 0..100 {
            self.net.run(QUIET / 100);
            self.hear();
        }
        self.check();
        for rig in &self.net.sgw {
            assert_eq!(rig.plane.transactions.len(), 0);
            assert_eq!(rig.plane.cache.in_progress(), 0);
        }
    }

    fn end(mut self) {
        self.settle();
        if self.orderly {
            let (sgw, pgw) = self.net.counts();
            assert_eq!(sgw, pgw, "both have the same sessions");
        }
        self.restart_mme();
        self.settle();
        self.net.assert_empty();
        assert_eq!(self.net.sgw[0].gate.count_exact(SAEGW), 0);
        let peers: BTreeSet<_> = self
            .net
            .sgw
            .iter()
            .map(|rig| rig.plane.table.peers.len())
            .collect();
        assert_eq!(peers, [0].into());
    }
}

//= L7
//= L13
//= L14
#[test]
fn random_sequences_leave_both_with_the_same_count_and_none_at_the_end() {
    for seed in 0..25 {
        let mut run = Run::new(seed, true, MANY);
        (0..200).for_each(|_| run.step());
        run.end();
    }
}

//= L13
#[test]
fn random_sequences_of_a_hasty_mme_and_a_pgw_that_restarts_leave_nothing() {
    for seed in 1000..1025 {
        let mut run = Run::new(seed, false, MANY);
        (0..200).for_each(|_| run.step());
        run.end();
    }
}

//= L13
#[test]
fn random_sequences_with_room_for_few_requests_leave_nothing() {
    for seed in 2000..2014 {
        let mut run = Run::new(seed, false, 2 + (seed % 7) as u32);
        (0..200).for_each(|_| run.step());
        run.end();
    }
}
