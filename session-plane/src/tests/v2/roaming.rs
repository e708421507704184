//! UEs that come, go and move at random between S11, S5 and S2b, against a plain model.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use enforcer::{Block, Terms};
use gtp::v2::{Cause, IeType, Indication, InterfaceType, MessageType};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::super::rig::{PGW, Rig, SAEGW};
use super::rig::*;

const APNS: [&str; 2] = ["internet", "ims"];
const UES: u64 = 5;
/// The number that bearers by S2b have, of the first access point name, and one more of each after it.
const WLAN: u8 = 7;

/// A UE's sessions by S11.
#[derive(Default)]
struct Ue {
    teid: u32,
    /// Place of the access point name and the endpoint as a PGW, by number.
    sessions: BTreeMap<u8, (usize, u32)>,
    /// Numbers of those that came for a hand-over that may be cancelled.
    prepared: BTreeSet<u8>,
}

/// Where a session is that is handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum From {
    S11(u8),
    S5(u8),
    S2b,
}

struct Run {
    rig: Rig,
    random: StdRng,
    by_s11: BTreeMap<u64, Ue>,
    /// Place of the access point name and endpoint, by whose they are and number.
    by_s5: BTreeMap<(u64, u8), (usize, u32)>,
    by_s2b: BTreeMap<(u64, usize), u32>,
    ceiling: u32,
    blocked: bool,
}

impl Run {
    fn new(seed: u64) -> Self {
        Self {
            rig: Rig::with(|config| {
                and_v2(config);
                config.recount_interval = Duration::from_secs(1);
                config.echo.interval = None;
            }),
            random: StdRng::seed_from_u64(seed),
            by_s11: BTreeMap::new(),
            by_s5: BTreeMap::new(),
            by_s2b: BTreeMap::new(),
            ceiling: u32::MAX,
            blocked: false,
        }
    }

    fn step(&mut self) {
        let (who, apn) = (
            self.random.random_range(0..UES),
            self.random.random_range(0..2),
        );
        match self.random.random_range(0..100) {
            0..35 => self.create_by_s11(who, apn),
            35..50 => self.create_by_s2b(who, apn),
            50..58 => self.go_to_an_sgw(who),
            58..66 => self.come_from_an_sgw(who),
            66..76 => self.modify(who),
            76..88 => self.delete(who),
            88..96 => self.change_terms(),
            _ => drop(self.rig.run(Duration::from_millis(700))),
        }
        self.check();
    }

    /// What a hand-over is about, in the order in which it is looked for.
    fn handed_over(&self, who: u64, apn: usize, to: From) -> Option<From> {
        let ue = self.by_s11.get(&who);
        let sessions = ue.into_iter().flat_map(|ue| &ue.sessions);
        let of_name = sessions.filter(|(_, session)| session.0 == apn);
        let mut by_s11 = of_name.map(|(number, _)| From::S11(*number));
        let mut by_s5 = self.by_s5.iter();
        let by_s5 = by_s5.find(|(key, session)| (key.0, session.0) == (who, apn));
        let by_s5 = by_s5.map(|(key, _)| From::S5(key.1));
        let by_s2b = self.by_s2b.get(&(who, apn)).map(|_| From::S2b);
        match to {
            From::S2b => by_s2b.or(by_s11.next()).or(by_s5),
            From::S11(_) | From::S5(_) => {
                let same = by_s11.clone().find(|from| *from == to);
                same.or(by_s5).or(by_s2b).or(by_s11.next())
            }
        }
    }

    fn take(&mut self, who: u64, apn: usize, from: From) {
        let gone = match from {
            From::S11(number) => self.leave_ue(who, number).is_some(),
            From::S5(number) => self.by_s5.remove(&(who, number)).is_some(),
            From::S2b => self.by_s2b.remove(&(who, apn)).is_some(),
        };
        assert!(gone);
    }

    fn leave_ue(&mut self, who: u64, number: u8) -> Option<(usize, u32)> {
        let ue = self.by_s11.get_mut(&who)?;
        let gone = ue.sessions.remove(&number);
        ue.prepared.remove(&number);
        if ue.sessions.is_empty() {
            self.by_s11.remove(&who);
        }
        gone
    }

    fn counted(&self) -> (u32, u32) {
        let by_s11 = self.by_s11.values().map(|ue| ue.sessions.len());
        let by_s11: usize = by_s11.sum();
        let by_pgw = self.by_s5.len() + self.by_s2b.len();
        (by_s11 as u32, by_pgw as u32)
    }

    fn create_by_s11(&mut self, who: u64, apn: usize) {
        let number = self.random.random_range(5..8);
        let handed = self.random.random_bool(0.3);
        let own = self.by_s11.get(&who).map_or(0, |ue| ue.teid);
        let others = self.by_s11.values().next().map_or(0x100, |ue| ue.teid);
        let mut request = create11(who, number, APNS[apn]);
        request.teid = Some([0, own, others][self.random.random_range(0..3)]);
        let named = request.teid;
        if handed {
            request = handed_over(request);
        }
        let ue = self.by_s11.get(&who);
        let collides = ue.is_some_and(|ue| ue.sessions.contains_key(&number));
        let over = self.handed_over(who, apn, From::S11(number));
        let over = over.filter(|_| handed);
        let full = self.counted().0 >= self.ceiling && !collides;
        let answer = self.rig.ask2(&request);
        if over.is_none() && (self.blocked || full) {
            assert_eq!(answer.cause(), Cause::NO_RESOURCES_AVAILABLE);
            return;
        }
        assert_eq!(answer.cause(), Cause::REQUEST_ACCEPTED);
        // What had the number is gone, and what has come over.
        let keeps = named == Some(own) && own != 0;
        if let Some(from) = over {
            self.take(who, apn, from);
        }
        self.leave_ue(who, number);
        let stays = self.by_s11.contains_key(&who);
        assert_eq!(answer.s11().teid == own, keeps || stays);
        let ue = self.by_s11.entry(who).or_default();
        ue.teid = answer.s11().teid;
        ue.sessions.insert(number, (apn, answer.control().teid));
    }

    fn create_by_s2b(&mut self, who: u64, apn: usize) {
        let handed = self.random.random_bool(0.5);
        let request = create_by(S2B, who, WLAN + apn as u8, APNS[apn]);
        let request = match handed {
            true => handed_over(request),
            false => request,
        };
        let over = self.handed_over(who, apn, From::S2b);
        let over = over.filter(|_| handed);
        let full = self.counted().1 >= self.ceiling && !self.by_s2b.contains_key(&(who, apn));
        let answer = self.rig.ask2(&request);
        if over.is_none() && (self.blocked || full) {
            assert_eq!(answer.cause(), Cause::NO_RESOURCES_AVAILABLE);
            return;
        }
        assert_eq!(answer.cause(), Cause::REQUEST_ACCEPTED);
        if let Some(from) = over {
            self.take(who, apn, from);
        }
        self.by_s2b.insert((who, apn), answer.control().teid);
    }

    /// A session by S11 goes on by S5, in the place of one that has its number there.
    fn go_to_an_sgw(&mut self, who: u64) {
        let Some((number, (apn, teid))) = self.any_of(who) else {
            return;
        };
        let answer = self.rig.ask2(&modify(teid, number, OTHER_SGW, 0x6123_0000));
        assert_eq!(answer.cause(), Cause::REQUEST_ACCEPTED);
        self.leave_ue(who, number);
        self.by_s5.insert((who, number), (apn, teid));
    }

    /// One by S5 comes back, whatever the license says.
    fn come_from_an_sgw(&mut self, who: u64) {
        let found = self.by_s5.iter().find(|(key, _)| key.0 == who);
        let Some(((_, number), (apn, teid))) = found.map(|(key, session)| (*key, *session)) else {
            return;
        };
        let pgw = fteid(InterfaceType::S5S8_PGW_C, teid, OURSELVES);
        let sure = self.random.random_bool(0.5);
        let mut request = create11(who, number, APNS[apn]).but(false, IeType::F_TEID, 1, &pgw);
        if sure {
            let flags = Indication::default().with(Indication::OI);
            request = request.with(IeType::INDICATION, 0, flags.octets());
        }
        let answer = self.rig.ask2(&request);
        assert_eq!(answer.cause(), Cause::REQUEST_ACCEPTED);
        assert_eq!(answer.control().teid, teid);
        self.by_s5.remove(&(who, number));
        self.leave_ue(who, number);
        let ue = self.by_s11.entry(who).or_default();
        ue.teid = answer.s11().teid;
        ue.sessions.insert(number, (apn, teid));
        if !sure {
            ue.prepared.insert(number);
        }
    }

    fn any_of(&mut self, who: u64) -> Option<(u8, (usize, u32))> {
        let sessions = &self.by_s11.get(&who)?.sessions;
        let at = self.random.random_range(0..sessions.len());
        sessions
            .iter()
            .nth(at)
            .map(|(number, session)| (*number, *session))
    }

    /// An eNodeB, another MME, or no access bearers for a while.
    fn modify(&mut self, who: u64) {
        let Some((number, _)) = self.any_of(who) else {
            return;
        };
        let teid = self.by_s11[&who].teid;
        let mme = [MME, OTHER_MME][self.random.random_range(0..2)];
        let sender = fteid(InterfaceType::S11_MME_C, 0x4ABC_0000, mme);
        let what = self.random.random_range(0..3);
        if let Some(ue) = self.by_s11.get_mut(&who).filter(|_| what < 2) {
            ue.prepared.remove(&number);
        }
        let request = match what {
            0 => modify11(teid, who, number),
            1 => modify11(teid, who, number).with(IeType::F_TEID, 0, &sender),
            _ => release11(teid),
        };
        assert_eq!(self.rig.ask2(&request).cause(), Cause::REQUEST_ACCEPTED);
    }

    fn delete(&mut self, who: u64) {
        if let Some((number, _)) = self.any_of(who) {
            let teid = self.by_s11[&who].teid;
            let all = self.random.random_bool(0.3);
            let scope = Indication::default().with(Indication::SI);
            let request = match all {
                true => Message2::new(MessageType::DELETE_SESSION_REQUEST, Some(teid)).with(
                    IeType::INDICATION,
                    0,
                    scope.octets(),
                ),
                false => delete2(teid, number),
            };
            assert_eq!(self.rig.ask2(&request).cause(), Cause::REQUEST_ACCEPTED);
            match all {
                true => self.scatter(who),
                false => drop(self.leave_ue(who, number)),
            }
        } else if let Some((&key, &(_, teid))) = self.by_s5.iter().next() {
            let deleted = self.rig.ask2(&delete2(teid, key.1));
            assert_eq!(deleted.cause(), Cause::REQUEST_ACCEPTED);
            self.by_s5.remove(&key);
        } else if let Some((&key, &teid)) = self.by_s2b.iter().next() {
            let deleted = self.rig.ask2(&delete2(teid, WLAN + key.1 as u8));
            assert_eq!(deleted.cause(), Cause::REQUEST_ACCEPTED);
            self.by_s2b.remove(&key);
        }
    }

    /// What was prepared for a hand-over goes back; the others are gone.
    fn scatter(&mut self, who: u64) {
        let ue = self.by_s11.remove(&who).unwrap();
        for number in ue.prepared {
            let (apn, teid) = ue.sessions[&number];
            self.by_s5.insert((who, number), (apn, teid));
        }
    }

    fn change_terms(&mut self) {
        self.ceiling = self.random.random_range(0..10);
        self.blocked = self.random.random_bool(0.2);
        for service in [PGW, SAEGW] {
            self.rig.terms(
                service,
                Terms {
                    ceiling: Some(self.ceiling),
                    block: self.blocked.then_some(Block::Service),
                    ..Terms::default()
                },
            );
        }
    }

    fn check(&mut self) {
        let (saegw, pgw) = self.counted();
        let sessions = saegw + pgw;
        assert_eq!(self.rig.plane.table.len(), sessions);
        assert_eq!(self.rig.live(), i64::from(sessions));
        assert_eq!(self.rig.addresses_out(), sessions);
        let types = self.rig.plane.statistics().sessions_by_type;
        let by_s11 = types
            .iter()
            .filter(|count| count.access == crate::Access::S11);
        let ues = self.by_s11.values().map(|ue| ue.sessions.len());
        assert_eq!(
            by_s11.map(|c| c.sessions as usize).sum::<usize>(),
            ues.sum()
        );
        assert_eq!(types.iter().map(|c| c.sessions).sum::<u32>(), sessions);
        let counts = (self.rig.gate.count(SAEGW), self.rig.gate.count(PGW));
        assert_eq!(counts, (saegw, pgw));
        for (who, ue) in &self.by_s11 {
            let place = self.rig.plane.table.ue_by_teid(ue.teid);
            let found = place.and_then(|place| self.rig.plane.table.ue(place));
            let found = found.expect("the UE has its endpoint");
            assert_eq!(found.sessions().count(), ue.sessions.len(), "of {who}");
        }
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
fn ues_that_roam_at_random_agree_with_the_model() {
    for seed in 0..40 {
        let mut run = Run::new(seed);
        (0..400).for_each(|_| run.step());
        let (gate, shared) = (run.rig.gate.clone(), run.rig.shared.clone());
        drop(run);
        assert_eq!((gate.count_exact(SAEGW), gate.count_exact(PGW)), (0, 0));
        assert!(shared.pools.counts().iter().all(|pool| pool.used == 0));
        assert_eq!(enforcer::permits_dropped(), 0);
    }
}
