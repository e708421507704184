//! One node, its peers and the model, step by step.

use std::collections::{BTreeMap, VecDeque};
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
use super::model::{APNS, Key, Known, Model, SERVICES, State, TINY, Via};
use super::requests::{self, Answer, Sender};
use crate::message::{Interface, imsi};
use crate::planes::{CONTROL, Planes, SGW, Sent, config};

const SUBSCRIBERS: u64 = 40;
/// Peers that call, and behind them PGWs of another's.
pub(crate) const PEERS: usize = 4;
pub(crate) const ALL: usize = PEERS + 2;
/// Access point names that have a PGW elsewhere: the first ones.
const ELSEWHERE: usize = 2;
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
pub(crate) const MME: u32 = 0x8000_0000;

/// A peer as it is, and as the node knows it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Peer {
    pub counter: u8,
    /// It has called at least once.
    pub met: bool,
    /// What it has told the node.
    pub told: Option<u8>,
    /// When it told of its last restarts, the oldest first.
    pub restarts: [Option<Mono>; 3],
    /// It answers nothing.
    pub silent: bool,
}

/// A request of the node's that waits for its answer.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub session: Key,
    pub via: Via,
    pub peer: usize,
    pub sequence: u32,
    pub ours: u32,
    /// On a PGW's behalf.
    pub closing: bool,
    /// How often, whichever request it was.
    pub sends: u8,
    /// When it was sent last.
    pub at: Mono,
}

/// An MME's request that waits for a PGW.
#[derive(Clone, Debug)]
pub(crate) struct Waiting {
    pub peer: usize,
    pub sequence: u32,
    pub session: u64,
    pub request: Vec<u8>,
}

/// A request and its answer.
#[derive(Clone, Debug)]
struct Exchange {
    at: Mono,
    peer: usize,
    request: Vec<u8>,
    answer: Vec<u8>,
}

pub(crate) struct Run {
    pub planes: Planes,
    pub model: Model,
    pub random: StdRng,
    pub peers: [Peer; ALL],
    pub asked: Vec<Asked>,
    pub waiting: Vec<Waiting>,
    /// The node's endpoints towards PGWs, by session.
    pub s5: BTreeMap<(u64, usize), u32>,
    /// Counts the PGWs' own.
    pub pgw_endpoint: u32,
    /// PGWs accept whatever they are asked.
    pub ending: bool,
    /// A session that has just gone over to another access, as its old peer knows it.
    pub left: Option<Key>,
    /// What the node has said of such sessions of late, by sequence number.
    pub farewells: VecDeque<u32>,
    exchanges: VecDeque<Exchange>,
    sequence: u32,
    endpoint: u32,
    ids: u64,
    pub done: Done,
}

pub(crate) fn address(peer: usize) -> IpAddr {
    Ipv4Addr::new(198, 51, 100, 1 + peer as u8).into()
}

impl Run {
    pub(crate) fn new(random: StdRng, workers: u16) -> Result<Self> {
        Ok(Self {
            planes: Planes::new(config(), workers, 5)?,
            model: Model::default(),
            random,
            peers: [Peer::default(); ALL],
            asked: Vec::new(),
            waiting: Vec::new(),
            s5: BTreeMap::new(),
            pgw_endpoint: 0x5000_0000,
            ending: false,
            left: None,
            farewells: VecDeque::new(),
            exchanges: VecDeque::new(),
            sequence: 0,
            endpoint: 0x1000_0000,
            ids: 0,
            done: Done::default(),
        })
    }

    pub(crate) fn step(&mut self) -> Result<()> {
        let draw = self.random.random_range(0..2000);
        self.act(draw)
    }

    /// A step of whoever calls: none that changes terms, or in which so much time passes that a path fails.
    pub(crate) fn traffic(&mut self) -> Result<()> {
        let draw = self.random.random_range(0..1930);
        let left_out = 1730..1800;
        self.act(draw + if draw < left_out.start { 0 } else { 70 })
    }

    fn act(&mut self, draw: u32) -> Result<()> {
        match draw {
            0..800 => self.create()?,
            800..1000 => self.modify()?,
            1000..1060 => self.release_access_bearers()?,
            1060..1360 => self.delete()?,
            1360..1500 => self.repeat()?,
            1500..1520 => self.clear()?,
            1520..1540 => self.close()?,
            1540..1640 => self.answer()?,
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
    pub(crate) fn compare(&self, whole: bool) -> Result<()> {
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
        // The addresses of those at an SGW alone are their PGW's.
        let with_address = sessions - self.planes.sessions_of(SGW);
        ensure!(
            addresses == with_address,
            "{addresses} addresses of {with_address} sessions"
        );
        let counted = self.planes.emergencies();
        ensure!(
            emergencies.has(counted),
            "{counted} emergency calls, not {emergencies:?}"
        );
        Ok(())
    }

    pub(crate) fn sender(&self, peer: usize) -> Sender {
        Sender {
            address: address(peer),
            counter: self.peers[peer].counter,
        }
    }

    pub(crate) fn next_sequence(&mut self) -> u32 {
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

    /// Sends a request; its one answer, unless it waits for another peer, and what else was sent, which is to be heard
    /// once the model has followed.
    fn exchange(
        &mut self,
        request: Vec<u8>,
        peer: usize,
        via: Via,
    ) -> Result<(Option<Answer>, Vec<Sent>)> {
        self.planes.deliver(&request, address(peer));
        let sequence = gtp::peek::peek(&request).and_then(|peeked| peeked.sequence);
        let (mut answer, mut others) = (None, Vec::new());
        while let Some(sent) = self.planes.take_sent() {
            let answered = gtp::peek::peek(&sent.octets).and_then(|peeked| peeked.sequence);
            if sent.to == address(peer) && is_response(&sent.octets) && answered == sequence {
                ensure!(answer.is_none(), "two answers");
                answer = Some(sent.octets);
            } else {
                others.push(sent);
            }
        }
        let Some(answer) = answer else {
            return Ok((None, others));
        };
        let read = requests::read(&answer, via)?;
        self.keep(peer, request, answer);
        Ok((Some(read), others))
    }

    /// Remembers an exchange that may be repeated.
    pub(crate) fn keep(&mut self, peer: usize, request: Vec<u8>, answer: Vec<u8>) {
        if self.exchanges.len() == REPEATABLE {
            self.exchanges.pop_front();
        }
        self.exchanges.push_back(Exchange {
            at: self.planes.now.mono,
            peer,
            request,
            answer,
        });
    }

    /// The same where the model need not follow and nobody else is asked.
    fn ask(&mut self, request: Vec<u8>, peer: usize, via: Via) -> Result<Answer> {
        let (answer, others) = self.exchange(request, peer, via)?;
        self.hear_all(others)?;
        answer.context("no answer")
    }

    /// Hears this, and what comes of it.
    pub(crate) fn hear_all(&mut self, sent: Vec<Sent>) -> Result<()> {
        sent.into_iter().try_for_each(|sent| self.hear(sent))?;
        while let Some(sent) = self.planes.take_sent() {
            self.hear(sent)?;
        }
        Ok(())
    }

    fn any_session(&mut self, wanted: impl Fn(&Known) -> bool) -> Option<Known> {
        let fit: Vec<&Known> = self.model.sessions.iter().filter(|s| wanted(s)).collect();
        (!fit.is_empty()).then(|| *fit[self.random.random_range(0..fit.len())])
    }

    /// The node is told a restart counter (TS 23.007 18).
    pub(crate) fn tell(&mut self, peer: usize) {
        let known = &mut self.peers[peer];
        let counter = known.counter;
        let newer = known.told.map(|told| counter.wrapping_sub(told));
        if !known.met || newer.is_some_and(|newer| newer >= 128) {
            return;
        }
        known.told = Some(counter);
        if newer.is_some_and(|newer| newer != 0) {
            known.restarts.rotate_left(1);
            known.restarts[2] = Some(self.planes.now.mono);
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
        let elsewhere = via.is_s11() && apn < ELSEWHERE && self.random.random_bool(0.6);
        self.ids += 1;
        let call = Known {
            id: self.ids,
            subscriber,
            via,
            apn,
            number,
            ours: 0,
            theirs: self.endpoint(via, subscriber, peer),
            peer,
            pgw: elsewhere.then(|| self.random.random_range(PEERS..ALL)),
            state: State::Up,
            doomed: None,
        };
        self.settle_ue(&call)?;
        let comes_over = self.comes_over(&call);
        self.call(call, comes_over)
    }

    /// The session that a hand-over is about, where there is no doubt which: the only one that the subscriber has with
    /// this access point name by GTPv2.
    fn comes_over(&mut self, call: &Known) -> Option<Key> {
        let excepted = call.is_emergency() || call.apn == TINY || call.pgw.is_some();
        if call.via == Via::Gn || excepted {
            return None;
        }
        let fits = |s: &&Known| {
            let is_v2 = s.via != Via::Gn && s.pgw.is_none();
            is_v2 && s.subscriber == call.subscriber && s.apn == call.apn
        };
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
        let (answer, others) = self.exchange(request.clone(), call.peer, call.via)?;
        let (ours, state) = match answer {
            Some(answer) if answer.is_accepted(call.via) => (answer.ours, State::Up),
            None => (0, State::Asking),
            Some(answer) => {
                let allowed = match answer.cause {
                    73 | 199 => verdicts.no_license,
                    84 | 211 => verdicts.no_address,
                    _ => false,
                };
                ensure!(allowed, "{call:?} has cause {}: {verdicts:?}", answer.cause);
                self.done.refused += 1;
                return self.hear_all(others);
            }
        };
        ensure!(verdicts.accepted, "{call:?} is accepted: {verdicts:?}");
        let asks = call.pgw.is_some();
        ensure!(asks == (state == State::Asking), "{call:?} is {state:?}");
        self.done.made += 1;
        for replaced in self.model.replaced(&call, comes_over) {
            self.gone(replaced.key());
        }
        self.left = comes_over;
        let made = Known {
            ours,
            state,
            ..call
        };
        self.model.sessions.push(made);
        if asks {
            self.wait(made, request)?;
        }
        if made.via.is_s11() {
            self.move_ue(made)?;
        }
        self.hear_all(others)?;
        self.left = None;
        Ok(())
    }

    /// An MME's request waits for a PGW's answer.
    fn wait(&mut self, session: Known, request: Vec<u8>) -> Result<()> {
        let peeked = gtp::peek::peek(&request).and_then(|peeked| peeked.sequence);
        self.waiting.push(Waiting {
            peer: session.peer,
            sequence: peeked.context("no sequence")?,
            session: session.id,
            request,
        });
        Ok(())
    }

    fn create_request(&mut self, call: &Known, handed_over: bool) -> Vec<u8> {
        let (sequence, from) = (self.next_sequence(), self.sender(call.peer));
        match call.via {
            Via::Gn => requests::create_v1(call, APNS[call.apn], from, sequence as u16),
            Via::V2(interface) => {
                let ue = self.ue(call).map(|session| session.ours).max().unwrap_or(0);
                let named = if self.random.random_bool(0.7) { ue } else { 0 };
                let pgw = call.pgw.map_or(CONTROL.into(), address);
                let (apn, to) = (APNS[call.apn], (named, pgw));
                let request = requests::create_v2(call, interface, apn, from, to, handed_over);
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

    /// What is in doubt of a UE by S11 is waited for before its sessions move: one that moves in time lives on. What its
    /// MME was asked on a PGW's behalf is answered before, too: another MME is not asked for it.
    fn settle_ue(&mut self, of: &Known) -> Result<()> {
        let closing = |run: &Self| {
            let mut closing = run.ue(of).filter(|s| s.state == State::Closing);
            let key = closing.next()?.key();
            run.asked.iter().position(|asked| asked.session == key)
        };
        while let Some(at) = closing(self) {
            self.answer_this(at)?;
        }
        let in_doubt = self.ue(of).any(|session| session.doomed.is_some());
        match in_doubt {
            true => self.pass(super::model::GONE_AFTER),
            false => Ok(()),
        }
    }

    /// All sessions of a UE by S11 are where this one is from here on, but for those that a restart ends: what is in doubt
    /// here is of the MME that has just told of its own.
    pub(crate) fn move_ue(&mut self, to: Known) -> Result<()> {
        let moves =
            |s: &Known| s.via.is_s11() && s.subscriber == to.subscriber && s.doomed.is_none();
        for session in self.model.sessions.iter_mut().filter(|s| moves(s)) {
            let was = session.key();
            let ours = [session.ours, to.ours];
            ensure!(
                ours.contains(&0) || session.ours == to.ours,
                "a UE has two endpoints of ours"
            );
            session.ours = session.ours.max(to.ours);
            (session.theirs, session.peer) = (to.theirs, to.peer);
            let now = session.key();
            let asked = self.asked.iter_mut().filter(|asked| asked.session == was);
            asked.for_each(|asked| asked.session = now);
        }
        Ok(())
    }

    /// A session is no more, and neither is what the node asked about it.
    pub(crate) fn gone(&mut self, session: Key) {
        self.model.remove(session);
        self.forget_asked();
    }

    fn modify(&mut self) -> Result<()> {
        let Some(session) = self.any_session(|s| s.ours != 0) else {
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
        let answer = answer.context("no answer")?;
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
        let Some(session) =
            self.any_session(|s| s.via.is_s11() && s.ours != 0 && s.doomed.is_none())
        else {
            return Ok(());
        };
        let request = requests::release_access_bearers(&session);
        let sequence = self.next_sequence();
        let answer = self.ask(request.encode(sequence), session.peer, session.via)?;
        ensure!(answer.cause == 16, "{session:?}: {}", answer.cause);
        Ok(())
    }

    fn delete(&mut self) -> Result<()> {
        match self.any_session(|s| s.state == State::Up) {
            Some(session) => self.delete_this(session),
            None => Ok(()),
        }
    }

    fn delete_this(&mut self, session: Known) -> Result<()> {
        let sequence = self.next_sequence();
        let tells_pgw = session.pgw.is_some() && self.random.random_bool(0.8);
        let request = match session.via {
            Via::Gn => requests::delete_v1(&session, sequence as u16),
            Via::V2(_) => requests::delete_v2(&session, tells_pgw).encode(sequence),
        };
        let (answer, others) = self.exchange(request.clone(), session.peer, session.via)?;
        let Some(answer) = answer else {
            ensure!(tells_pgw, "no answer");
            let at = self.model.find(session.key()).context("it is known")?;
            self.model.sessions[at].state = State::Leaving;
            self.wait(session, request)?;
            return self.hear_all(others);
        };
        let gone = session.doomed.is_some() && [64, 192].contains(&answer.cause);
        ensure!(
            gone || answer.is_accepted(session.via),
            "{session:?}: {}",
            answer.cause
        );
        self.gone(session.key());
        self.hear_all(others)
    }

    /// A request that waits for another peer is in progress: again, it does nothing.
    fn repeat_waiting(&mut self) -> Result<()> {
        let at = self.random.random_range(0..self.waiting.len());
        let Waiting { peer, request, .. } = self.waiting[at].clone();
        self.planes.deliver(&request, address(peer));
        ensure!(self.planes.take_sent().is_none(), "begun twice");
        Ok(())
    }

    /// The same request again has the same answer, octet by octet.
    fn repeat(&mut self) -> Result<()> {
        let now = self.planes.now.mono;
        self.exchanges
            .retain(|exchange| now < exchange.at.after(KEPT));
        if !self.waiting.is_empty() && self.random.random_bool(0.3) {
            return self.repeat_waiting();
        }
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
        let is_sure = |s: &Known| s.doomed.is_none() && s.state == State::Up;
        let mut sure = sure.filter(|s| is_sure(s) && meant(s));
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
    pub(crate) fn end(mut self) -> Result<Done> {
        self.ending = true;
        self.pass(Duration::from_secs(60))?;
        ensure!(self.waiting.is_empty(), "{:?} have no answer", self.waiting);
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
        1 => v1::MessageType(octets[1]).response().is_none(),
        _ => v2::MessageType(octets[1]).response().is_none(),
    }
}
