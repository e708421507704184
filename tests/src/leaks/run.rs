//! One node, its peers and the model, step by step.

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use enforcer::{Block, Terms};
use gtp::{v1, v2};
use licensing::Mono;
use rand::Rng;
use rand::rngs::StdRng;
use session_plane::{Clear, Whom};

use super::Done;
use super::model::{APNS, Key, Known, Model, SERVICES, TINY, Via};
use super::requests::{self, Answer, Sender};
use crate::message::{Interface, imsi};
use crate::planes::{Planes, Sent, config};

const SUBSCRIBERS: u64 = 40;
pub(super) const PEERS: usize = 4;
/// After so long an answer is not kept for a retransmission any more: T3-RESPONSE times N3-REQUESTS, and a second off.
const KEPT: Duration = Duration::from_secs(24);
/// Exchanges that may be repeated.
const REPEATABLE: usize = 8;
/// Full comparisons are made every so many steps.
const COMPARED_EVERY: u64 = 64;
const VIAS: [Via; 5] = [
    Via::Gn,
    Via::V2(Interface::S5),
    Via::V2(Interface::S2a),
    Via::V2(Interface::S2b),
    Via::V2(Interface::S11),
];
/// Above all endpoints that are counted up: an MME's endpoints.
const MME: u32 = 0x8000_0000;

/// A peer as it is, and as the node knows it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Peer {
    pub counter: u8,
    /// It has called at least once.
    pub met: bool,
    /// What it has told the node.
    pub told: Option<u8>,
    /// It answers nothing.
    pub silent: bool,
}

/// A request of the node's that waits for its answer.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub session: Key,
    pub via: Via,
    pub peer: usize,
    pub sequence: u32,
    pub ours: u32,
    pub at: Mono,
}

/// A request and its answer.
#[derive(Clone, Debug)]
struct Exchange {
    at: Mono,
    peer: usize,
    request: Vec<u8>,
    answer: Vec<u8>,
}

pub(super) struct Run {
    pub planes: Planes,
    pub model: Model,
    pub random: StdRng,
    pub peers: [Peer; PEERS],
    pub asked: Vec<Asked>,
    /// A session that has just gone over to another access, as its old peer knows it.
    pub left: Option<Key>,
    /// What the node has said of such sessions of late, by sequence number.
    pub farewells: VecDeque<u32>,
    exchanges: VecDeque<Exchange>,
    sequence: u32,
    endpoint: u32,
    pub done: Done,
}

pub(super) fn address(peer: usize) -> IpAddr {
    Ipv4Addr::new(198, 51, 100, 1 + peer as u8).into()
}

impl Run {
    pub(super) fn new(random: StdRng, workers: u16) -> Result<Self> {
        Ok(Self {
            planes: Planes::new(config(), workers, 5)?,
            model: Model::default(),
            random,
            peers: [Peer::default(); PEERS],
            asked: Vec::new(),
            left: None,
            farewells: VecDeque::new(),
            exchanges: VecDeque::new(),
            sequence: 0,
            endpoint: 0x1000_0000,
            done: Done::default(),
        })
    }

    pub(super) fn step(&mut self) -> Result<()> {
        match self.random.random_range(0..2000) {
            0..800 => self.create()?,
            800..1000 => self.modify()?,
            1000..1060 => self.release_access_bearers()?,
            1060..1360 => self.delete()?,
            1360..1500 => self.repeat()?,
            1500..1520 => self.clear()?,
            1520..1640 => self.answer()?,
            1640..1720 => self.echo()?,
            1720..1730 => self.restart(),
            1730..1731 => self.fall_silent()?,
            1731..1800 => self.change_terms(),
            _ => {
                let time = Duration::from_millis(self.random.random_range(1..600));
                self.pass(time)?;
            }
        }
        self.done.steps += 1;
        self.compare(self.done.steps.is_multiple_of(COMPARED_EVERY))
    }

    /// The counts are those of the model, or between what it is sure of and what may be there.
    pub(super) fn compare(&self, whole: bool) -> Result<()> {
        for service in SERVICES {
            let expected = self.model.licensed(service);
            let count = self.planes.gate.count(service);
            ensure!(
                expected.has(count.into()),
                "service {} counts {count}, not {expected:?}",
                service.0
            );
        }
        if !whole {
            return Ok(());
        }
        let (all, emergencies) = (self.model.all(), self.model.emergencies());
        let sessions = self.planes.sessions();
        ensure!(all.has(sessions.into()), "{sessions} sessions, not {all:?}");
        let permits = self.planes.permits();
        ensure!(
            permits == i64::from(sessions),
            "{permits} permits of {sessions} sessions"
        );
        let addresses = self.planes.addresses();
        ensure!(
            addresses == sessions,
            "{addresses} addresses of {sessions} sessions"
        );
        let counted = self.planes.emergencies();
        ensure!(
            emergencies.has(counted),
            "{counted} emergency calls, not {emergencies:?}"
        );
        Ok(())
    }

    pub(super) fn sender(&self, peer: usize) -> Sender {
        Sender {
            address: address(peer),
            counter: self.peers[peer].counter,
        }
    }

    pub(super) fn next_sequence(&mut self) -> u32 {
        self.sequence = (self.sequence + 1) % (1 << 24);
        self.sequence
    }

    /// The endpoint of a new session at its peer; an MME has one for each of its UEs.
    fn endpoint(&mut self, via: Via, subscriber: u64, peer: usize) -> u32 {
        if via.is_s11() {
            return MME | (subscriber as u32) << 8 | (peer as u32) << 4;
        }
        self.endpoint = (self.endpoint + 2) & !MME;
        self.endpoint
    }

    /// Sends a request; its one answer, and what else was sent, which is to be heard once the model has followed.
    fn exchange(&mut self, request: Vec<u8>, peer: usize, via: Via) -> Result<(Answer, Vec<Sent>)> {
        self.planes.deliver(&request, address(peer));
        let (mut answer, mut others) = (None, Vec::new());
        while let Some(sent) = self.planes.take_sent() {
            if sent.to == address(peer) && is_response(&sent.octets) {
                ensure!(answer.is_none(), "two answers");
                answer = Some(sent.octets);
            } else {
                others.push(sent);
            }
        }
        let answer = answer.context("no answer")?;
        let read = requests::read(&answer, via)?;
        if self.exchanges.len() == REPEATABLE {
            self.exchanges.pop_front();
        }
        self.exchanges.push_back(Exchange {
            at: self.planes.now.mono,
            peer,
            request,
            answer,
        });
        Ok((read, others))
    }

    /// The same where the model need not follow.
    fn ask(&mut self, request: Vec<u8>, peer: usize, via: Via) -> Result<Answer> {
        let (answer, others) = self.exchange(request, peer, via)?;
        self.hear_all(others)?;
        Ok(answer)
    }

    fn hear_all(&mut self, sent: Vec<Sent>) -> Result<()> {
        sent.into_iter().try_for_each(|sent| self.hear(sent))
    }

    fn any_session(&mut self, wanted: impl Fn(&Known) -> bool) -> Option<Known> {
        let fit: Vec<&Known> = self.model.sessions.iter().filter(|s| wanted(s)).collect();
        (!fit.is_empty()).then(|| *fit[self.random.random_range(0..fit.len())])
    }

    /// The node is told a restart counter (TS 23.007 18).
    pub(super) fn tell(&mut self, peer: usize) {
        let known = &mut self.peers[peer];
        let counter = known.counter;
        let newer = known.told.map(|told| counter.wrapping_sub(told));
        if !known.met || newer.is_some_and(|newer| newer >= 128) {
            return;
        }
        known.told = Some(counter);
        if newer.is_some_and(|newer| newer != 0) {
            self.model.doom(peer, self.planes.now.mono);
            self.done.peers_lost += 1;
        }
    }

    fn create(&mut self) -> Result<()> {
        let subscriber = self.random.random_range(0..SUBSCRIBERS);
        let via = VIAS[self.random.random_range(0..VIAS.len())];
        let apn = self.random.random_range(0..APNS.len());
        // Mostly a number of the access point name's own, so that some collide across names and most do not.
        let number = match self.random.random_bool(0.8) {
            true => 5 + apn as u8,
            false => self.random.random_range(5..9),
        };
        let peer = self.random.random_range(0..PEERS);
        let call = Known {
            subscriber,
            via,
            apn,
            number,
            ours: 0,
            theirs: self.endpoint(via, subscriber, peer),
            peer,
            doomed: None,
        };
        self.settle_ue(&call)?;
        let comes_over = self.comes_over(&call);
        self.call(call, comes_over)
    }

    /// The session that a hand-over is about, where there is no doubt which: the only one that the subscriber has with
    /// this access point name by GTPv2.
    fn comes_over(&mut self, call: &Known) -> Option<Key> {
        if call.via == Via::Gn || call.is_emergency() || call.apn == TINY {
            return None;
        }
        let fits =
            |s: &&Known| s.subscriber == call.subscriber && s.apn == call.apn && s.via != Via::Gn;
        let mut found = self.model.sessions.iter().filter(fits);
        let (only, none) = (found.next().copied(), found.next());
        let only = only.filter(|only| none.is_none() && only.doomed.is_none())?;
        self.random.random_bool(0.5).then(|| only.key())
    }

    fn call(&mut self, call: Known, comes_over: Option<Key>) -> Result<()> {
        self.peers[call.peer].met = true;
        self.tell(call.peer);
        // A restart that this call tells of ends what it takes the place of: it is there until then.
        let verdicts = self.model.verdicts(&call, comes_over);
        let request = self.create_request(&call, comes_over.is_some());
        let (answer, others) = self.exchange(request, call.peer, call.via)?;
        let allowed = match answer.cause {
            _ if answer.is_accepted(call.via) => verdicts.accepted,
            73 | 199 => verdicts.no_license,
            84 | 211 => verdicts.no_address,
            _ => false,
        };
        ensure!(allowed, "{call:?} has cause {}: {verdicts:?}", answer.cause);
        if !answer.is_accepted(call.via) {
            self.done.refused += 1;
            return self.hear_all(others);
        }
        self.done.made += 1;
        for replaced in self.model.replaced(&call, comes_over) {
            self.gone(replaced.key());
        }
        self.left = comes_over;
        ensure!(answer.ours != 0, "no endpoint of ours");
        let made = Known {
            ours: answer.ours,
            ..call
        };
        self.model.sessions.push(made);
        if made.via.is_s11() {
            self.move_ue(made)?;
        }
        self.hear_all(others)?;
        self.left = None;
        Ok(())
    }

    fn create_request(&mut self, call: &Known, handed_over: bool) -> Vec<u8> {
        let (sequence, from) = (self.next_sequence(), self.sender(call.peer));
        match call.via {
            Via::Gn => requests::create_v1(call, APNS[call.apn], from, sequence as u16),
            Via::V2(interface) => {
                let ue = self.ue(call).next().map_or(0, |session| session.ours);
                let named = if self.random.random_bool(0.7) { ue } else { 0 };
                let apn = APNS[call.apn];
                let request = requests::create_v2(call, interface, apn, from, named, handed_over);
                request.encode(sequence)
            }
        }
    }

    /// The sessions that the subscriber has by S11.
    fn ue<'a>(&'a self, of: &Known) -> impl Iterator<Item = &'a Known> + use<'a> {
        let (subscriber, is_s11) = (of.subscriber, of.via.is_s11());
        let sessions = self.model.sessions.iter();
        sessions.filter(move |s| is_s11 && s.via.is_s11() && s.subscriber == subscriber)
    }

    /// What is in doubt of a UE by S11 is waited for before its sessions move: one that moves in time lives on.
    fn settle_ue(&mut self, of: &Known) -> Result<()> {
        let in_doubt = self.ue(of).any(|session| session.doomed.is_some());
        match in_doubt {
            true => self.pass(super::model::GONE_AFTER),
            false => Ok(()),
        }
    }

    /// All sessions of a UE by S11 are where this one is from here on, but for those that a restart ends: what is in doubt
    /// here is of the MME that has just told of its own.
    fn move_ue(&mut self, to: Known) -> Result<()> {
        let moves =
            |s: &Known| s.via.is_s11() && s.subscriber == to.subscriber && s.doomed.is_none();
        for session in self.model.sessions.iter_mut().filter(|s| moves(s)) {
            let was = session.key();
            ensure!(session.ours == to.ours, "a UE has two endpoints of ours");
            (session.theirs, session.peer) = (to.theirs, to.peer);
            let now = session.key();
            let asked = self.asked.iter_mut().filter(|asked| asked.session == was);
            asked.for_each(|asked| asked.session = now);
        }
        Ok(())
    }

    /// A session is no more, and neither is what the node asked about it.
    pub(super) fn gone(&mut self, session: Key) {
        self.model.remove(session);
        self.asked.retain(|asked| asked.session != session);
    }

    fn modify(&mut self) -> Result<()> {
        let Some(session) = self.any_session(|_| true) else {
            return Ok(());
        };
        self.settle_ue(&session)?;
        let Some(at) = self.model.find(session.key()) else {
            return Ok(());
        };
        let session = self.model.sessions[at];
        let peer = self.random.random_range(0..PEERS);
        let theirs = self.endpoint(session.via, session.subscriber, peer);
        let (sequence, from) = (self.next_sequence(), self.sender(peer));
        let request = match session.via {
            Via::Gn => requests::update_v1(&session, from, theirs, sequence as u16),
            Via::V2(interface) => {
                let request = requests::modify(&session, interface, from, theirs);
                request.encode(sequence)
            }
        };
        let (answer, others) = self.exchange(request, peer, session.via)?;
        if answer.is_accepted(session.via) {
            self.peers[peer].met = true;
            // Told before the session moves: if it does not, it is one of those that end.
            self.tell(peer);
            self.moved(session.key(), peer, theirs)?;
        } else {
            let may_be_gone = session.doomed.is_some();
            let cause = answer.cause;
            ensure!(
                may_be_gone && [64, 192].contains(&cause),
                "{session:?}: {cause}"
            );
            self.gone(session.key());
        }
        self.hear_all(others)
    }

    fn moved(&mut self, session: Key, peer: usize, theirs: u32) -> Result<()> {
        let at = self.model.find(session).context("the session is known")?;
        let known = &mut self.model.sessions[at];
        if known.peer != peer {
            known.peer = peer;
            known.doomed = None;
        }
        known.theirs = theirs;
        let (now, known) = (known.key(), *known);
        let asked = self
            .asked
            .iter_mut()
            .filter(|asked| asked.session == session);
        asked.for_each(|asked| asked.session = now);
        match known.via.is_s11() {
            true => self.move_ue(known),
            false => Ok(()),
        }
    }

    fn release_access_bearers(&mut self) -> Result<()> {
        let Some(session) = self.any_session(|s| s.via.is_s11() && s.doomed.is_none()) else {
            return Ok(());
        };
        let request = requests::release_access_bearers(&session);
        let sequence = self.next_sequence();
        let answer = self.ask(request.encode(sequence), session.peer, session.via)?;
        ensure!(answer.cause == 16, "{session:?}: {}", answer.cause);
        Ok(())
    }

    fn delete(&mut self) -> Result<()> {
        match self.any_session(|_| true) {
            Some(session) => self.delete_this(session),
            None => Ok(()),
        }
    }

    fn delete_this(&mut self, session: Known) -> Result<()> {
        let sequence = self.next_sequence();
        let request = match session.via {
            Via::Gn => requests::delete_v1(&session, sequence as u16),
            Via::V2(_) => requests::delete_v2(&session).encode(sequence),
        };
        let answer = self.ask(request, session.peer, session.via)?;
        let gone = session.doomed.is_some() && [64, 192].contains(&answer.cause);
        ensure!(
            gone || answer.is_accepted(session.via),
            "{session:?}: {}",
            answer.cause
        );
        self.gone(session.key());
        Ok(())
    }

    /// The same request again has the same answer, octet by octet.
    fn repeat(&mut self) -> Result<()> {
        let now = self.planes.now.mono;
        self.exchanges
            .retain(|exchange| now < exchange.at.after(KEPT));
        if self.exchanges.is_empty() {
            return Ok(());
        }
        let at = self.random.random_range(0..self.exchanges.len());
        let exchange = self.exchanges[at].clone();
        let permits = self.planes.permits();
        self.planes
            .deliver(&exchange.request, address(exchange.peer));
        let sent = self.planes.take_sent().context("no answer")?;
        ensure!(sent.octets == exchange.answer, "another answer");
        ensure!(self.planes.take_sent().is_none(), "two answers");
        ensure!(self.planes.permits() == permits, "a second effect");
        Ok(())
    }

    /// An operator ends sessions: those of a subscriber, of an access point name, or of a peer.
    fn clear(&mut self) -> Result<()> {
        let subscriber = self.random.random_range(0..SUBSCRIBERS);
        let apn = self.random.random_range(0..APNS.len());
        let peer = self.random.random_range(0..PEERS);
        let whom = match self.random.random_range(0..20) {
            0 => Whom::All,
            1 => Whom::Peer(address(peer)),
            2 => Whom::Apn(APNS[apn].to_owned()),
            _ => Whom::Imsi(imsi(subscriber)),
        };
        let meant = |session: &Known| match &whom {
            Whom::Imsi(_) => session.subscriber == subscriber,
            Whom::Apn(_) => session.apn == apn,
            Whom::Peer(_) => session.peer == peer && !session.is_emergency(),
            Whom::Service(_) | Whom::All => !session.is_emergency(),
        };
        self.planes.clear(&Clear {
            whom: whom.clone(),
            reactivate: self.random.random(),
        });
        self.pass(Duration::from_millis(60))?;
        let sure = self.model.sessions.iter();
        let mut sure = sure.filter(|s| s.doomed.is_none() && meant(s));
        let unasked = sure.find(|s| !self.asked.iter().any(|asked| asked.session == s.key()));
        ensure!(unasked.is_none(), "nobody was asked to delete {unasked:?}");
        Ok(())
    }

    fn change_terms(&mut self) {
        let at = self.random.random_range(0..SERVICES.len());
        let ceiling = self
            .random
            .random_bool(0.7)
            .then(|| self.random.random_range(0..50));
        let blocked = self.random.random_bool(0.15);
        self.planes.set_terms(
            SERVICES[at],
            Terms {
                ceiling,
                block: blocked.then_some(Block::Service),
                ..Terms::default()
            },
        );
        self.model.ceilings[at] = ceiling;
        self.model.blocked[at] = blocked;
    }

    /// Everything is ended: by its peer, or by an operator. What is not back after that has leaked.
    pub(super) fn end(mut self) -> Result<Done> {
        self.pass(super::model::GONE_AFTER)?;
        self.compare(true)?;
        while let Some(session) = self.model.sessions.pop() {
            self.model.sessions.push(session);
            if self.model.sessions.len().is_multiple_of(2) {
                self.delete_this(session)?;
            } else {
                let whom = Whom::Imsi(imsi(session.subscriber));
                let reactivate = false;
                self.planes.clear(&Clear { whom, reactivate });
                self.pass(Duration::from_millis(60))?;
                while !self.asked.is_empty() {
                    self.answer()?;
                }
            }
            self.compare(true)?;
        }
        self.pass(Duration::from_secs(60))?;
        self.done.leaked = self.planes.permits().unsigned_abs() + enforcer::permits_dropped();
        if self.done.leaked == 0 {
            self.planes.check_empty()?;
        }
        Ok(self.done)
    }
}

/// Whether a message is the answer to one of a peer's.
fn is_response(octets: &[u8]) -> bool {
    match octets[0] >> 5 {
        1 => !matches!(
            v1::MessageType(octets[1]),
            v1::MessageType::ECHO_REQUEST | v1::MessageType::DELETE_PDP_CONTEXT_REQUEST
        ),
        _ => !matches!(
            v2::MessageType(octets[1]),
            v2::MessageType::ECHO_REQUEST | v2::MessageType::DELETE_BEARER_REQUEST
        ),
    }
}
