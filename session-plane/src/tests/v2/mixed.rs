//! Random steps with both versions mixed, against a plain model.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use enforcer::{Block, Terms};
use gtp::{v1, v2};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::super::rig::*;
use super::rig::*;
use crate::statistics::Ended;
use crate::{Clear, Path, Whom};

const APNS: [&str; 3] = ["internet", "ims", "sos"];
const SIDES: [Side; 3] = [S5, S2B, S2A];

/// Whose, which access point name, which access (none: by GTPv1), which number.
type Key = (u64, usize, Option<usize>, u8);

struct Run {
    rig: Rig,
    random: StdRng,
    /// Tunnel endpoints.
    sessions: BTreeMap<Key, u32>,
    ceiling: u32,
    blocked: bool,
    last: Option<(Vec<u8>, Vec<Vec<u8>>)>,
    /// Requests of ours.
    asked: Vec<(Path, Vec<u8>)>,
    /// Sessions that ended by them.
    cleared: usize,
}

impl Run {
    fn step(&mut self) {
        match self.random.random_range(0..100) {
            0..36 => self.create_v2(),
            36..49 => self.create_v1(),
            49..59 => self.modify(),
            59..71 => self.delete(),
            71..77 => self.again(),
            77..83 => self.change_terms(),
            83..87 => self.clear(),
            87..96 => self.answer(),
            _ => self.let_pass(Duration::from_millis(700)),
        }
        self.asked.append(&mut self.rig.aside);
        self.check();
    }

    fn exchange(&mut self, datagram: Vec<u8>) -> Vec<u8> {
        let answers = self.rig.raw(&datagram);
        assert_eq!(answers.len(), 1);
        self.last = Some((datagram, answers.clone()));
        answers[0].clone()
    }

    fn exchange_v2(&mut self, request: &Message2) -> Answer2 {
        let sequence = 0x0010_0000 + u32::from(self.rig.next_sequence());
        Answer2::read(&self.exchange(request.encode(sequence)))
    }

    fn counted(&self) -> u32 {
        let pgw = self.sessions.keys();
        pgw.filter(|key| key.2.is_some() && APNS[key.1] != "sos")
            .count() as u32
    }

    fn create_v2(&mut self) {
        let who = self.random.random_range(0..6);
        let apn = self.random.random_range(0..APNS.len());
        let side = self.random.random_range(0..SIDES.len());
        let number = self.random.random_range(5..7);
        let handed = self.random.random_bool(0.4);
        let key = (who, apn, Some(side), number);
        let request = create_by(SIDES[side], who, number, APNS[apn]);
        let request = if handed {
            handed_over(request)
        } else {
            request
        };
        // The number is taken once for each access, whatever the access point name is.
        let mut keys = self.sessions.keys().copied();
        let collides = |k: &Key| (k.0, k.2, k.3) == (key.0, key.2, key.3);
        let colliding = keys.find(collides);
        let same = colliding == Some(key);
        let in_place = colliding.is_some_and(|colliding| APNS[colliding.1] != "sos");
        let others: Vec<_> = self.sessions.keys().copied().collect();
        let mut others = others.into_iter();
        let connection = others.any(|k| k.0 == who && k.1 == apn && k.2.is_some());
        // What comes over takes the place of one; which one, if there are several, is the table's choice.
        let comes_over = handed && connection && !same;
        let full = self.counted() >= self.ceiling && !in_place;
        let refused = APNS[apn] != "sos" && (self.blocked || full);
        let answer = self.exchange_v2(&request);
        let cause = answer.cause();
        if handed && connection && same {
            // Either the same bearer by its own key, which may be what comes over as well.
            if !cause.is_accepted() {
                assert_eq!(cause, v2::Cause::NO_RESOURCES_AVAILABLE);
                assert!(refused);
                return;
            }
        } else if refused && !comes_over {
            assert_eq!(cause, v2::Cause::NO_RESOURCES_AVAILABLE);
            return;
        } else {
            assert_eq!(cause, v2::Cause::REQUEST_ACCEPTED);
        }
        if comes_over {
            let table = &self.rig.plane.table;
            self.sessions
                .retain(|_, teid| table.by_teid(*teid).is_some());
        }
        if let Some(colliding) = colliding {
            self.sessions.remove(&colliding);
        }
        if APNS[apn] == "sos" {
            self.sessions.retain(|k, _| k.0 != who || k.1 != apn);
        }
        self.sessions.insert(key, answer.control().teid);
    }

    fn create_v1(&mut self) {
        let (who, number) = (
            self.random.random_range(0..6),
            self.random.random_range(5..7),
        );
        let request = create(who, number, "internet").encode(self.rig.next_sequence());
        let answer = Answer1::read(&self.exchange(request));
        assert_eq!(answer.cause(), v1::Cause::REQUEST_ACCEPTED);
        let key = (who, 0, None, number);
        self.sessions.insert(key, answer.control_teid());
    }

    fn any(&mut self) -> Option<(Key, u32)> {
        let len = self.sessions.len();
        let at = (len > 0).then(|| self.random.random_range(0..len))?;
        let found = self.sessions.iter().nth(at);
        found.map(|(key, teid)| (*key, *teid))
    }

    fn modify(&mut self) {
        let Some((key, teid)) = self.any() else {
            return;
        };
        if key.2.is_none() {
            let request = update(teid, key.3).encode(self.rig.next_sequence());
            let answer = Answer1::read(&self.exchange(request));
            assert_eq!(answer.cause(), v1::Cause::REQUEST_ACCEPTED);
        } else {
            let sgw = [SGW, OTHER_SGW][self.random.random_range(0..2)];
            let answer = self.exchange_v2(&modify(teid, key.3, sgw, 0x6001_0001));
            assert_eq!(answer.cause(), v2::Cause::REQUEST_ACCEPTED);
        }
    }

    fn delete(&mut self) {
        let Some((key, teid)) = self.any() else {
            return;
        };
        if key.2.is_none() {
            let request = delete(teid, key.3, true).encode(self.rig.next_sequence());
            let answer = Answer1::read(&self.exchange(request));
            assert_eq!(answer.cause(), v1::Cause::REQUEST_ACCEPTED);
        } else {
            let answer = self.exchange_v2(&delete2(teid, key.3));
            assert_eq!(answer.cause(), v2::Cause::REQUEST_ACCEPTED);
        }
        self.sessions.remove(&key);
    }

    fn again(&mut self) {
        if let Some((datagram, answers)) = self.last.clone() {
            let admitted = self.rig.admitted();
            assert_eq!(self.rig.raw(&datagram), answers);
            assert_eq!(self.rig.admitted(), admitted, "no second permit");
        }
    }

    fn change_terms(&mut self) {
        self.ceiling = self.random.random_range(0..12);
        self.blocked = self.random.random_bool(0.2);
        let terms = Terms {
            ceiling: Some(self.ceiling),
            block: self.blocked.then_some(Block::Service),
            ..Terms::default()
        };
        self.rig.terms(PGW, terms);
    }

    fn clear(&mut self) {
        let whom = match self.random.random_range(0..3) {
            0 => Whom::All,
            1 => Whom::Service(PGW),
            _ => Whom::Apn(APNS[self.random.random_range(0..3)].into()),
        };
        let reactivate = self.random.random();
        let clear = Clear { whom, reactivate };
        assert!(self.rig.plane.clear(&clear, self.rig.now));
        self.let_pass(Duration::from_millis(5));
    }

    /// Time ends only what was to end.
    fn let_pass(&mut self, time: Duration) {
        let pending = self.pending();
        let sent = self.rig.run(time);
        self.asked.extend(sent);
        self.lose(&pending);
    }

    /// Endpoints of the sessions that are about to end.
    fn pending(&self) -> BTreeSet<u32> {
        let plane = &self.rig.plane;
        let sessions = plane.table.sessions();
        let pending = sessions.filter(|(place, _)| plane.transactions.ending(*place).is_some());
        pending.map(|(_, session)| session.teid).collect()
    }

    fn lose(&mut self, pending: &BTreeSet<u32>) {
        let table = &self.rig.plane.table;
        let before = self.sessions.len();
        self.sessions.retain(|_, teid| {
            let here = table.by_teid(*teid).is_some();
            assert!(here || pending.contains(teid), "it was not to end");
            here
        });
        self.cleared += before - self.sessions.len();
    }

    /// A right answer to some request of ours, which may have been answered before, or not count any more.
    fn answer(&mut self) {
        let len = self.asked.len();
        if len == 0 {
            return;
        }
        let at = self.random.random_range(len.saturating_sub(12)..len);
        let (path, octets) = self.asked[at].clone();
        let header = gtp::peek::peek(&octets).unwrap();
        let sequence = header.sequence.unwrap();
        let answer = match header.version {
            1 => Message1::new(v1::MessageType::DELETE_PDP_CONTEXT_RESPONSE, 0)
                .with(v1::IeType::CAUSE, &[128])
                .encode(sequence as u16),
            _ => Message2::new(v2::MessageType::DELETE_BEARER_RESPONSE, Some(0))
                .with(v2::IeType::CAUSE, 0, &[16, 0])
                .encode(sequence),
        };
        let pending = self.pending();
        self.rig.plane.handle_datagram(&answer, path, self.rig.now);
        assert!(self.rig.outputs().is_empty());
        let before = self.sessions.len();
        self.lose(&pending);
        assert!(
            before - self.sessions.len() <= 1,
            "one answer ends one session"
        );
    }

    fn check(&mut self) {
        let sessions = self.sessions.len();
        assert_eq!(self.rig.plane.table.len() as usize, sessions);
        assert_eq!(self.rig.live(), sessions as i64);
        assert_eq!(self.rig.addresses_out() as usize, sessions);
        assert_eq!(self.rig.gate.count(PGW), self.counted());
        for recount in self.rig.recounts.drain(..) {
            let mut rows = recount.rows.iter();
            assert!(rows.all(|row| row.table as i64 == row.counter));
        }
    }
}

//= L7
//= L13
//= L14
#[test]
fn random_steps_of_both_versions_agree_with_the_model() {
    let mut cleared = 0;
    for seed in 0..40 {
        let mut run = Run {
            rig: Rig::with(|config| {
                and_v2(config);
                config.recount_interval = Duration::from_secs(1);
                config.echo.interval = None;
            }),
            random: StdRng::seed_from_u64(seed),
            sessions: BTreeMap::new(),
            ceiling: u32::MAX,
            blocked: false,
            last: None,
            asked: Vec::new(),
            cleared: 0,
        };
        (0..400).for_each(|_| run.step());
        let ended = run.rig.plane.statistics().sessions_ended;
        let by_us = ended.get(&Ended::Cleared).copied().unwrap_or(0);
        assert_eq!(by_us, run.cleared as u64);
        cleared += by_us;
        let (gate, shared) = (run.rig.gate.clone(), run.rig.shared.clone());
        drop(run);
        assert_eq!((gate.count_exact(GGSN), gate.count_exact(PGW)), (0, 0));
        assert!(shared.pools.counts().iter().all(|pool| pool.used == 0));
        assert_eq!(enforcer::permits_dropped(), 0);
    }
    assert!(cleared > 150, "{cleared}");
}
