//! Random sequences against a plain model: gate, table, pools and answers agree after every step.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use enforcer::{Block, Terms};
use gtp::v1::{Cause, IeType, Imsi, MessageType};
use licensing::{Mono, ServiceIndex};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::rig::*;
use crate::statistics::Ended;
use crate::{Clear, Path, Whom};

/// An SGSN that restarts more often ends its sessions later, which the model knows nothing of.
const RESTARTS_MAX: usize = 3;
const RESTARTS_SPAN: Duration = Duration::from_secs(60);
const SUBSCRIBERS: u64 = 12;
const APNS: [&str; 6] = ["internet", "other", "tunnel", "packet", "sos", "tiny"];
const SGSNS: [&str; 2] = [SGSN, OTHER_SGSN];

/// What one session should be.
#[derive(Clone, Debug)]
struct Expected {
    teid: u32,
    who: u64,
    apn: &'static str,
    nsapis: BTreeSet<u8>,
    /// The NSAPI under which a Create collides with the session itself.
    first: u8,
    sgsn: usize,
}

#[derive(Default)]
struct Model {
    sessions: Vec<Expected>,
    ceilings: BTreeMap<ServiceIndex, u32>,
    blocked: BTreeSet<ServiceIndex>,
    recovery: [u8; 2],
}

fn service(apn: &str) -> ServiceIndex {
    if apn == "packet" { PGW } else { GGSN }
}

impl Model {
    fn counted(&self, of: ServiceIndex) -> u32 {
        let counts = |s: &&Expected| s.apn != "sos" && service(s.apn) == of;
        self.sessions.iter().filter(counts).count() as u32
    }

    fn at(&self, who: u64, nsapi: u8) -> Option<usize> {
        let has = |s: &Expected| s.who == who && s.nsapis.contains(&nsapi);
        self.sessions.iter().position(has)
    }

    /// What a Create should be answered with.
    fn verdict(&self, who: u64, nsapi: u8, apn: &str) -> Cause {
        let old = self.at(who, nsapi).map(|at| &self.sessions[at]);
        let old = old.filter(|s| s.first == nsapi);
        let tiny = |s: &&Expected| s.apn == "tiny";
        if apn == "tiny"
            && old.is_none_or(|s| s.apn != "tiny")
            && self.sessions.iter().filter(tiny).count() == 2
        {
            return Cause::ALL_DYNAMIC_PDP_ADDRESSES_OCCUPIED;
        }
        let of = service(apn);
        let in_place = old.is_some_and(|s| s.apn != "sos" && service(s.apn) == of);
        let full = self
            .ceilings
            .get(&of)
            .is_some_and(|most| self.counted(of) >= *most);
        match apn {
            "sos" => Cause::REQUEST_ACCEPTED,
            _ if self.blocked.contains(&of) || full && !in_place => Cause::NO_RESOURCES_AVAILABLE,
            _ => Cause::REQUEST_ACCEPTED,
        }
    }

    fn drop_context(&mut self, at: usize, nsapi: u8) {
        let session = &mut self.sessions[at];
        session.nsapis.remove(&nsapi);
        if session.nsapis.is_empty() {
            self.sessions.remove(at);
        }
    }
}

/// A request of ours to delete a session, as its peer got it.
#[derive(Clone)]
struct Asked {
    path: Path,
    sequence: u16,
    /// The endpoint of the session.
    teid: u32,
}

struct Run {
    rig: Rig,
    model: Model,
    random: StdRng,
    last: Option<(Vec<u8>, Vec<u8>)>,
    /// All of them, answered or not.
    asked: Vec<Asked>,
    /// Sessions that ended by what we asked.
    cleared: u64,
    /// When each SGSN has restarted of late.
    restarts: [Vec<Mono>; 2],
}

impl Run {
    fn step(&mut self) {
        match self.random.random_range(0..100) {
            0..36 => self.create(),
            36..45 => self.secondary(),
            45..55 => self.update(),
            55..67 => self.delete(),
            67..73 => self.retransmit(),
            73..81 => self.change_terms(),
            81..84 => self.restart(),
            84..87 => self.clear(),
            87..95 => self.answer(),
            _ => self.let_pass(Duration::from_millis(700)),
        }
        let aside = std::mem::take(&mut self.rig.aside);
        self.note(aside);
        self.check();
    }

    fn ask(&mut self, request: &Message1) -> Answer1 {
        let datagram = request.encode(self.rig.next_sequence());
        let mut answers = self.rig.raw(&datagram);
        assert_eq!(answers.len(), 1);
        let octets = answers.remove(0);
        let answer = Answer1::read(&octets);
        self.last = Some((datagram, octets));
        answer
    }

    fn create(&mut self) {
        let who = self.random.random_range(0..SUBSCRIBERS);
        let nsapi = self.random.random_range(5..8);
        let apn = APNS[self.random.random_range(0..APNS.len())];
        let sgsn = self.random.random_range(0..2);
        let expected = self.model.verdict(who, nsapi, apn);
        let request = create(who, nsapi, apn).but(IeType::GSN_ADDRESS, 0, &address(SGSNS[sgsn]));
        let answer = self.ask(&request);
        assert_eq!(answer.cause(), expected, "{who} {nsapi} {apn}");
        if !answer.cause().is_accepted() {
            return;
        }
        if let Some(at) = self.model.at(who, nsapi) {
            match self.model.sessions[at].first == nsapi {
                true => drop(self.model.sessions.remove(at)),
                false => self.model.drop_context(at, nsapi),
            }
        }
        if apn == "sos" {
            let others = |s: &Expected| s.who != who || s.apn != "sos";
            self.model.sessions.retain(others);
        }
        self.model.sessions.push(Expected {
            teid: answer.control_teid(),
            who,
            apn,
            nsapis: [nsapi].into(),
            first: nsapi,
            sgsn,
        });
    }

    fn any_session(&mut self) -> Option<usize> {
        let len = self.model.sessions.len();
        (len > 0).then(|| self.random.random_range(0..len))
    }

    fn secondary(&mut self) {
        let Some(at) = self.any_session() else { return };
        let (teid, who) = (self.model.sessions[at].teid, self.model.sessions[at].who);
        let linked = *self.model.sessions[at].nsapis.first().unwrap();
        let nsapi = self.random.random_range(8..11);
        if nsapi == linked {
            return;
        }
        let answer = self.ask(&secondary(teid, nsapi, linked));
        assert_eq!(answer.cause(), Cause::REQUEST_ACCEPTED);
        if let Some(other) = self.model.at(who, nsapi) {
            match other != at && self.model.sessions[other].first == nsapi {
                true => drop(self.model.sessions.remove(other)),
                false => self.lose(other, nsapi),
            }
        }
        let this = self
            .model
            .sessions
            .iter_mut()
            .find(|s| s.teid == teid)
            .unwrap();
        this.nsapis.insert(nsapi);
    }

    /// A context goes; if it was the first, the table's choice of the next first is taken over.
    fn lose(&mut self, at: usize, nsapi: u8) {
        let teid = self.model.sessions[at].teid;
        self.model.drop_context(at, nsapi);
        self.follow(teid);
    }

    fn follow(&mut self, teid: u32) {
        let Some(place) = self.rig.plane.table.by_teid(teid) else {
            return;
        };
        let first = self
            .rig
            .plane
            .table
            .session(place)
            .unwrap()
            .context
            .nsapi
            .number();
        let session = self
            .model
            .sessions
            .iter_mut()
            .find(|s| s.teid == teid)
            .unwrap();
        assert!(session.nsapis.contains(&first));
        session.first = first;
    }

    fn update(&mut self) {
        let Some(at) = self.any_session() else { return };
        let session = &self.model.sessions[at];
        let sgsn = self.random.random_range(0..2);
        let request = update(session.teid, *session.nsapis.last().unwrap())
            .but(IeType::GSN_ADDRESS, 0, &address(SGSNS[sgsn]))
            .but(
                IeType::QOS_PROFILE,
                0,
                &[self.random.random_range(1..4), 1, 2, 3],
            );
        assert_eq!(self.ask(&request).cause(), Cause::REQUEST_ACCEPTED);
        self.model.sessions[at].sgsn = sgsn;
    }

    fn delete(&mut self) {
        let Some(at) = self.any_session() else { return };
        let session = &self.model.sessions[at];
        let (teid, teardown) = (session.teid, self.random.random_bool(0.3));
        let nsapis: Vec<_> = session.nsapis.iter().copied().collect();
        let nsapi = nsapis[self.random.random_range(0..nsapis.len())];
        assert_eq!(
            self.ask(&delete(teid, nsapi, teardown)).cause(),
            Cause::REQUEST_ACCEPTED
        );
        match teardown {
            true => drop(self.model.sessions.remove(at)),
            false => self.lose(at, nsapi),
        }
    }

    fn retransmit(&mut self) {
        let Some((datagram, octets)) = self.last.clone() else {
            return;
        };
        let admitted = self.rig.admitted();
        assert_eq!(self.rig.raw(&datagram), [octets]);
        assert_eq!(self.rig.admitted(), admitted, "no second permit");
    }

    fn change_terms(&mut self) {
        let of = if self.random.random_bool(0.8) {
            GGSN
        } else {
            PGW
        };
        let ceiling = self
            .random
            .random_bool(0.7)
            .then(|| self.random.random_range(0..15));
        let blocked = self.random.random_bool(0.2);
        self.rig.terms(
            of,
            Terms {
                ceiling,
                block: blocked.then_some(Block::Service),
                ..Terms::default()
            },
        );
        match ceiling {
            Some(most) => drop(self.model.ceilings.insert(of, most)),
            None => drop(self.model.ceilings.remove(&of)),
        }
        match blocked {
            true => self.model.blocked.insert(of),
            false => self.model.blocked.remove(&of),
        };
    }

    /// An SGSN restarts and tries an access point name that there is not.
    fn restart(&mut self) {
        let sgsn = self.random.random_range(0..2);
        let now = self.rig.now.mono;
        let restarts = &mut self.restarts[sgsn];
        restarts.retain(|at| now.since(*at) < RESTARTS_SPAN);
        if restarts.len() == RESTARTS_MAX {
            return;
        }
        restarts.push(now);
        self.model.recovery[sgsn] = self.model.recovery[sgsn].wrapping_add(1);
        let counter = self.model.recovery[sgsn];
        let Some(at) = self.any_session() else { return };
        let session = self.model.sessions[at].clone();
        let request = update(session.teid, *session.nsapis.first().unwrap())
            .but(IeType::GSN_ADDRESS, 0, &address(SGSNS[sgsn]))
            .with(IeType::RECOVERY, &[counter]);
        let known = self.rig.plane.statistics().peer_restarts;
        assert_eq!(self.ask(&request).cause(), Cause::REQUEST_ACCEPTED);
        let restarted = self.rig.plane.statistics().peer_restarts > known;
        // A session that comes over from the other SGSN was made under the new incarnation.
        let moved = session.sgsn != sgsn;
        self.model.sessions[at].sgsn = sgsn;
        if restarted {
            let teid = session.teid;
            let stays = |s: &Expected| s.sgsn != sgsn || moved && s.teid == teid;
            self.model.sessions.retain(stays);
        }
        self.rig.plane.handle_timeout(self.rig.now);
        self.rig.outputs();
    }

    /// Time ends only what was to end.
    fn let_pass(&mut self, time: Duration) {
        let pending = self.pending();
        let sent = self.rig.run(time);
        self.note(sent);
        if time > Duration::from_millis(500) {
            // After N3 times T3 its answer is no longer kept.
            self.last = None;
        }
        let table = &self.rig.plane.table;
        let sessions = std::mem::take(&mut self.model.sessions).into_iter();
        let (here, gone): (Vec<_>, Vec<_>) =
            sessions.partition(|s| table.by_teid(s.teid).is_some());
        assert!(gone.iter().all(|s| pending.contains(&s.teid)));
        self.cleared += gone.len() as u64;
        self.model.sessions = here;
    }

    /// Sessions that are about to end, by their endpoints.
    fn pending(&self) -> BTreeSet<u32> {
        let plane = &self.rig.plane;
        let sessions = plane.table.sessions();
        let pending = sessions.filter(|(place, _)| plane.transactions.ending(*place).is_some());
        pending.map(|(_, session)| session.teid).collect()
    }

    fn note(&mut self, sent: Vec<(Path, Vec<u8>)>) {
        for (path, octets) in sent {
            let request = Answer1::read(&octets);
            assert_eq!(request.header.kind, MessageType::DELETE_PDP_CONTEXT_REQUEST);
            let sequence = request.header.sequence.unwrap();
            if self.asked.iter().any(|asked| asked.sequence == sequence) {
                continue;
            }
            let plane = &self.rig.plane;
            let mut sessions = plane.table.sessions();
            let session = sessions.find(|(place, session)| {
                let peer = plane.table.peers.get(session.peer).unwrap().address;
                (peer, session.peer_teid) == (path.peer.ip(), request.header.teid)
                    && plane.transactions.ending(*place).is_some()
            });
            // It may have ended since.
            if let Some((_, session)) = session {
                let teid = session.teid;
                self.asked.push(Asked {
                    path,
                    sequence,
                    teid,
                });
            }
        }
    }

    fn clear(&mut self) {
        let apn = APNS[self.random.random_range(0..APNS.len())];
        let who = self.random.random_range(0..SUBSCRIBERS);
        let imsi = Imsi::from_number(240_010_000_000_000 + who, 15).unwrap();
        let sgsn = self.random.random_range(0..2);
        let whom = match self.random.random_range(0..5) {
            0 => Whom::All,
            1 => Whom::Imsi(imsi),
            2 => Whom::Apn(apn.into()),
            3 => Whom::Peer(SGSNS[sgsn].parse().unwrap()),
            _ => Whom::Service(service(apn)),
        };
        let meant = |s: &&Expected| match &whom {
            Whom::All => s.apn != "sos",
            Whom::Imsi(_) => s.who == who,
            Whom::Apn(apn) => s.apn == apn,
            Whom::Peer(_) => s.apn != "sos" && s.sgsn == sgsn,
            Whom::Service(of) => s.apn != "sos" && service(s.apn) == *of,
        };
        let meant = self.model.sessions.iter().filter(meant);
        let meant: BTreeSet<_> = meant.map(|s| s.teid).collect();
        let mut allowed = self.pending();
        allowed.extend(&meant);
        let reactivate = self.random.random();
        let clear = Clear { whom, reactivate };
        assert!(self.rig.plane.clear(&clear, self.rig.now));
        self.let_pass(Duration::from_millis(5));
        assert_eq!(self.rig.cleared, [meant.len() as u64]);
        self.rig.cleared.clear();
        let pending = self.pending();
        assert!(pending.is_subset(&allowed));
        let mut sessions = self.model.sessions.iter();
        assert!(sessions.all(|s| !meant.contains(&s.teid) || pending.contains(&s.teid)));
    }

    /// An answer, right, wrong, late or once more, to any request of ours there was.
    fn answer(&mut self) {
        if self.asked.is_empty() {
            return;
        }
        // Most of them of late.
        let len = self.asked.len();
        let from = if self.random.random_bool(0.8) {
            len.saturating_sub(10)
        } else {
            0
        };
        let at = self.random.random_range(from..len);
        let Asked {
            path,
            sequence,
            teid,
        } = self.asked[at].clone();
        let is_here = self.rig.plane.table.by_teid(teid).is_some();
        let last = self.asked.iter().rfind(|asked| asked.teid == teid);
        let waits = self.pending().contains(&teid) && last.unwrap().sequence == sequence;
        let mut from = path;
        let mut answer = Message1::new(
            MessageType::DELETE_PDP_CONTEXT_RESPONSE,
            [teid, 0][self.random.random_range(0..2)],
        );
        let cause = [128, 192, 199, 201][self.random.random_range(0..4)];
        answer = answer.with(IeType::CAUSE, &[cause]);
        let fault = self.random.random_range(0..8);
        match fault {
            0 => from.peer.set_ip("127.0.0.99".parse().unwrap()),
            1 => answer.teid = teid ^ 0x1_0000,
            2 => answer.kind = MessageType::UPDATE_PDP_CONTEXT_RESPONSE,
            3 => answer.ies.clear(),
            _ => {}
        }
        let octets = answer.encode(sequence);
        self.rig.plane.handle_datagram(&octets, from, self.rig.now);
        assert!(self.rig.outputs().is_empty());
        let ends = waits && fault > 3;
        let stays = self.rig.plane.table.by_teid(teid).is_some();
        assert_eq!(stays, is_here && !ends);
        if ends {
            self.cleared += 1;
            self.model.sessions.retain(|s| s.teid != teid);
        }
    }

    fn check(&mut self) {
        let sessions = self.model.sessions.len();
        assert_eq!(self.rig.plane.table.len() as usize, sessions);
        assert_eq!(self.rig.live(), sessions as i64);
        assert_eq!(self.rig.addresses_out() as usize, sessions);
        let contexts: usize = self.model.sessions.iter().map(|s| s.nsapis.len()).sum();
        assert_eq!(self.rig.plane.table.contexts() as usize, contexts);
        for of in [GGSN, PGW] {
            assert_eq!(self.rig.gate.count(of), self.model.counted(of));
        }
        for recount in self.rig.recounts.drain(..) {
            assert!(
                recount
                    .rows
                    .iter()
                    .all(|row| row.table as i64 == row.counter)
            );
        }
    }
}

//= L7
//= L13
//= L14
#[test]
fn random_sequences_agree_with_the_model() {
    let mut cleared = 0;
    for seed in 0..40 {
        let mut run = Run {
            rig: Rig::with(|config| {
                config.recount_interval = Duration::from_secs(1);
                config.echo.interval = None;
                config.t3_response = Duration::from_secs(1);
                config.n3_requests = 2;
                config
                    .apns
                    .iter_mut()
                    .for_each(|apn| apn.priority = Default::default());
            }),
            model: Model::default(),
            random: StdRng::seed_from_u64(seed),
            last: None,
            asked: Vec::new(),
            cleared: 0,
            restarts: Default::default(),
        };
        (0..400).for_each(|_| run.step());
        let ended = run.rig.plane.statistics().sessions_ended;
        let by_us = ended.get(&Ended::Cleared).copied().unwrap_or(0);
        assert_eq!(by_us, run.cleared);
        cleared += by_us;
        let (gate, shared) = (run.rig.gate.clone(), run.rig.shared.clone());
        drop(run);
        assert_eq!((gate.count_exact(GGSN), gate.count_exact(PGW)), (0, 0));
        assert!(shared.pools.counts().iter().all(|pool| pool.used == 0));
        assert_eq!(enforcer::permits_dropped(), 0);
    }
    assert!(cleared > 150, "{cleared}");
}
