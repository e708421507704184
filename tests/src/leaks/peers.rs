//! What the peers of the node do by themselves and on its word: they answer, ask, restart, fall silent.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use gtp::{v1, v2};
use rand::Rng;

use super::model::{GONE_AFTER, Key, Known, State, Via};
use super::requests::{self, PgwAnswer, Sender};
use super::run::{ALL, Asked, MME, PEERS, Run, Waiting, address};
use crate::message::{Interface, imsi};
use crate::planes::Sent;

/// So long a peer is silent that its path fails: an interval, all requests unanswered, and what workers take to notice.
const SILENCE: Duration = Duration::from_secs(100);
/// See [`Run::restart`].
const RESTARTS_SPAN: Duration = Duration::from_secs(60);
/// Sessions that went over, of which the node may still speak: it asks again for a retransmission window at most.
const FAREWELLS: usize = 500;

impl Run {
    /// A peer answers one of the node's requests: as it should, twice, or from another address, which is no answer.
    pub(crate) fn answer(&mut self) -> Result<()> {
        if self.asked.is_empty() {
            return Ok(());
        }
        let at = self.random.random_range(0..self.asked.len());
        self.answer_this(at)
    }

    pub(crate) fn answer_this(&mut self, at: usize) -> Result<()> {
        let asked = self.asked[at].clone();
        let accepted = self.random.random_bool(0.8);
        let octets = match asked.via {
            Via::Gn => {
                let cause = match accepted {
                    true => v1::Cause::REQUEST_ACCEPTED,
                    false => v1::Cause::NON_EXISTENT,
                };
                requests::deleted_v1(cause, asked.ours, asked.sequence as u16)
            }
            Via::V2(_) => {
                let (cause, teid) = match accepted {
                    true => (v2::Cause::REQUEST_ACCEPTED, asked.ours),
                    false => (v2::Cause::CONTEXT_NOT_FOUND, 0),
                };
                requests::deleted_v2(cause, teid).encode(asked.sequence)
            }
        };
        let stranger = (asked.peer + 1) % PEERS;
        self.planes.deliver(&octets, address(stranger));
        self.compare(false).context("a stranger's answer")?;
        self.planes.deliver(&octets, address(asked.peer));
        self.gone(asked.session);
        self.done.cleared += 1;
        self.compare(false).context("an answer")?;
        self.hear_all(Vec::new())?;
        self.planes.deliver(&octets, address(asked.peer));
        ensure!(self.planes.take_sent().is_none(), "an answer was answered");
        Ok(())
    }

    /// A peer asks whether the node is there, and tells its restart counter; sometimes one that is out of date.
    pub(crate) fn echo(&mut self) -> Result<()> {
        let peer = self.random.random_range(0..ALL);
        let outdated = self.peers[peer]
            .told
            .filter(|_| self.random.random_bool(0.1));
        if outdated.is_none() {
            self.tell(peer);
        }
        let counter = outdated.map_or(self.peers[peer].counter, |told| told.wrapping_sub(1));
        self.echo_of(peer, counter)
    }

    fn echo_of(&mut self, peer: usize, counter: u8) -> Result<()> {
        let from = Sender {
            counter,
            ..self.sender(peer)
        };
        let kind = v2::MessageType::ECHO_REQUEST;
        let sequence = self.next_sequence();
        let request = requests::echo_v2(kind, from).encode(sequence);
        self.planes.deliver(&request, address(peer));
        let sent = self.planes.take_sent().context("no answer")?;
        let answer = v2::Message::parse(&sent.octets)?;
        ensure!(
            answer.header.kind == v2::MessageType::ECHO_RESPONSE,
            "answered by {}",
            answer.header.kind
        );
        Ok(())
    }

    /// A peer restarts: the next that it says tells so. It tells of no more within a minute than end sessions at once.
    pub(crate) fn restart(&mut self) {
        let peer = self.random.random_range(0..ALL);
        let known = &self.peers[peer];
        let is_told = known.told == Some(known.counter);
        let now = self.planes.now.mono;
        let rests = known.restarts[0].is_some_and(|at| now < at.after(RESTARTS_SPAN));
        if is_told && rests {
            return;
        }
        self.peers[peer].counter = self.peers[peer].counter.wrapping_add(1);
    }

    /// A peer answers nothing until its path has failed. Requests about single sessions would end them before that, so
    /// none is outstanding, and no restart of another peer is still to be told.
    pub(crate) fn fall_silent(&mut self) -> Result<()> {
        for peer in 0..ALL {
            self.tell(peer);
            self.echo_of(peer, self.peers[peer].counter)?;
        }
        self.pass(GONE_AFTER)?;
        if !self.waiting.is_empty() {
            self.pass(Duration::from_secs(60))?;
        }
        while !self.asked.is_empty() {
            self.answer()?;
        }
        let peer = self.random.random_range(0..ALL);
        let had = |s: &Known| s.is_of(peer);
        let surely = |s: &Known| had(s) && s.doomed.is_none();
        let failing = self.model.sessions.iter().any(surely);
        let end = self.planes.now.mono.after(SILENCE);
        for session in self.model.sessions.iter_mut().filter(|s| surely(s)) {
            session.doomed = Some(end);
        }
        self.peers[peer].silent = true;
        self.pass(SILENCE)?;
        self.peers[peer].silent = false;
        let told = self.planes.shared.restarts.told(address(peer)).counter;
        if failing {
            ensure!(told.is_none(), "the path did not fail");
            self.done.peers_lost += 1;
        }
        self.peers[peer].told = told;
        self.model.sessions.retain(|s| !had(s));
        self.compare(true).context("a path failed")
    }

    /// A PGW wants a session gone.
    pub(crate) fn close(&mut self) -> Result<()> {
        let asked = &self.asked;
        let quiet = |s: &&Known| {
            let asked = asked.iter().any(|asked| asked.session == s.key());
            s.state == State::Up && s.doomed.is_none() && !asked
        };
        let at_pgw = |s: &&Known| s.pgw.is_some_and(|pgw| self.s5.contains_key(&(s.id, pgw)));
        let sessions = self.model.sessions.iter();
        let fit: Vec<Known> = sessions.filter(quiet).filter(at_pgw).copied().collect();
        if fit.is_empty() {
            return Ok(());
        }
        let session = fit[self.random.random_range(0..fit.len())];
        let pgw = session.pgw.context("it is at a PGW")?;
        let ours = *self.s5.get(&(session.id, pgw)).context("it is known")?;
        let sequence = self.next_sequence();
        let request = requests::delete_bearer(ours, session.number).encode(sequence);
        self.planes.deliver(&request, address(pgw));
        let at = self.model.by_id(session.id).context("it is there")?;
        self.model.sessions[at].state = State::Closing;
        self.hear_all(Vec::new())
    }

    /// Time passes; peers answer what the node sends, unless they are silent.
    pub(crate) fn pass(&mut self, time: Duration) -> Result<()> {
        let end = self.planes.now.mono.after(time);
        while self.planes.step_to(end)? {
            while let Some(sent) = self.planes.take_sent() {
                self.hear(sent)?;
            }
        }
        let now = self.planes.now.mono;
        let config = &self.planes.config;
        let given_up = self.asked.iter().filter(|asked| {
            asked.sends >= config.n3_requests && now >= asked.at.after(config.t3_response)
        });
        let given_up: Vec<Key> = given_up.map(|asked| asked.session).collect();
        for session in given_up {
            self.gone(session);
            self.done.cleared += 1;
        }
        self.model.forget_gone(now);
        self.forget_asked();
        let model = &self.model;
        self.s5.retain(|(id, _), _| model.by_id(*id).is_some());
        Ok(())
    }

    /// Of sessions that are no more nothing is asked, but for what a PGW wants to know that has lost its session since.
    pub(crate) fn forget_asked(&mut self) {
        for at in (0..self.asked.len()).rev() {
            if self.model.find(self.asked[at].session).is_none() {
                let asked = self.asked.swap_remove(at);
                if asked.closing {
                    self.note_farewell(asked.sequence);
                }
            }
        }
    }

    fn note_farewell(&mut self, sequence: u32) {
        self.farewells.push_back(sequence);
        let surplus = self.farewells.len().saturating_sub(FAREWELLS);
        self.farewells.drain(..surplus);
    }

    /// What the node says by itself: is a peer there, and end this session.
    pub(crate) fn hear(&mut self, sent: Sent) -> Result<()> {
        let peer = (0..ALL).find(|peer| address(*peer) == sent.to);
        let peer = peer.with_context(|| format!("sent to {}", sent.to))?;
        if sent.octets[0] >> 5 == 1 {
            return self.hear_v1(&sent.octets, peer);
        }
        let message = v2::Message::parse(&sent.octets)?;
        let header = message.header;
        match header.kind {
            v2::MessageType::ECHO_REQUEST if self.peers[peer].silent => Ok(()),
            v2::MessageType::ECHO_REQUEST => {
                let kind = v2::MessageType::ECHO_RESPONSE;
                let answer = requests::echo_v2(kind, self.sender(peer));
                self.tell(peer);
                self.planes
                    .deliver(&answer.encode(header.sequence), address(peer));
                Ok(())
            }
            v2::MessageType::DELETE_BEARER_REQUEST => {
                let ies = message.ie_set()?;
                let linked = ies.get(v2::IeType::EBI, 0).context("no linked bearer")?;
                let number = v2::Ebi::parse(linked)?.number();
                let session = (header.teid.unwrap_or(0), number);
                if self.left.take_if(|left| *left == session).is_some() || self.is_lost(session) {
                    self.note_farewell(header.sequence);
                }
                match self.farewells.contains(&header.sequence) {
                    true => self.hear_farewell(peer, header.sequence),
                    false => self.asked_to_delete(session, peer, header.sequence),
                }
            }
            v2::MessageType::CREATE_SESSION_REQUEST => self.asked_to_create(&message, peer),
            v2::MessageType::DELETE_SESSION_REQUEST => {
                self.asked_to_forget(header.sequence, peer);
                Ok(())
            }
            v2::MessageType::CREATE_SESSION_RESPONSE | v2::MessageType::DELETE_SESSION_RESPONSE => {
                self.answered(&sent.octets, peer, header)
            }
            // To a PGW that wanted a session gone.
            v2::MessageType::DELETE_BEARER_RESPONSE => Ok(()),
            other => bail!("{other} was sent"),
        }
    }

    /// Whether a session has been lost with its PGW, so that its MME is told.
    fn is_lost(&self, session: Key) -> bool {
        match self.model.find(session) {
            Some(at) => {
                let known = &self.model.sessions[at];
                known.pgw.is_some() && known.doomed.is_some()
            }
            None => session.0 >= MME,
        }
    }

    /// A PGW is asked for a session: mostly it accepts. One that is silent is asked again.
    fn asked_to_create(&mut self, message: &v2::Message<'_>, pgw: usize) -> Result<()> {
        let ies = message.ie_set()?;
        let value = |kind, instance| ies.get(kind, instance).context("an element is missing");
        let ours = v2::FTeid::parse(value(v2::IeType::F_TEID, 0)?)?.teid;
        let who = v2::Imsi::parse_short(value(v2::IeType::IMSI, 0)?)?;
        let context = ies.group(v2::IeType::BEARER_CONTEXT, 0);
        let context = context.context("no bearer context")??;
        let number = context.get(v2::IeType::EBI, 0).context("no number")?;
        let number = v2::Ebi::parse(number)?.number();
        let is_it = |s: &&Known| {
            (s.pgw, s.number, s.state) == (Some(pgw), number, State::Asking)
                && imsi(s.subscriber) == who
        };
        if let Some(asking) = self.model.sessions.iter().find(is_it) {
            self.s5.insert((asking.id, pgw), ours);
        }
        let answer = match self.random.random_range(0..20) {
            _ if self.peers[pgw].silent => return Ok(()),
            _ if self.ending => PgwAnswer::Accepts,
            0 => return Ok(()),
            1 | 2 => PgwAnswer::Refuses,
            3 => PgwAnswer::AcceptsHalf,
            _ => PgwAnswer::Accepts,
        };
        self.pgw_endpoint += 2;
        let teid = self.pgw_endpoint;
        let answer = requests::created(answer, ours, number, address(pgw), teid);
        let sequence = message.header.sequence;
        self.planes.deliver(&answer.encode(sequence), address(pgw));
        Ok(())
    }

    /// A PGW is asked to delete a session.
    fn asked_to_forget(&mut self, sequence: u32, pgw: usize) {
        let cause = match self.random.random_range(0..10) {
            _ if self.peers[pgw].silent => return,
            _ if self.ending => v2::Cause::REQUEST_ACCEPTED,
            0 => return,
            1 => v2::Cause::CONTEXT_NOT_FOUND,
            _ => v2::Cause::REQUEST_ACCEPTED,
        };
        let answer = requests::deleted(cause);
        self.planes.deliver(&answer.encode(sequence), address(pgw));
    }

    /// An MME has the answer to a request that waited for a PGW.
    fn answered(&mut self, octets: &[u8], peer: usize, header: v2::Header) -> Result<()> {
        let is_it = |w: &Waiting| (w.peer, w.sequence) == (peer, header.sequence);
        let at = self.waiting.iter().position(is_it);
        let waited = self
            .waiting
            .swap_remove(at.context("nobody waits for this answer")?);
        let answer = requests::read(octets, Via::V2(Interface::S11))?;
        self.keep(peer, waited.request, octets.to_vec());
        let accepted = answer.is_accepted(Via::V2(Interface::S11));
        let Some(at) = self.model.by_id(waited.session) else {
            return Ok(());
        };
        let session = &mut self.model.sessions[at];
        let created = header.kind == v2::MessageType::CREATE_SESSION_RESPONSE;
        if !(created && accepted) {
            let key = session.key();
            self.gone(key);
            return Ok(());
        }
        (session.state, session.ours) = (State::Up, answer.ours);
        let session = *session;
        if let Some(pgw) = session.pgw {
            self.peers[pgw].met = true;
        }
        // What a restart ends may have been left behind by its UE.
        match session.doomed {
            None => self.move_ue(session),
            Some(_) => Ok(()),
        }
    }

    /// A session has gone over to another access; what the one that it left answers changes nothing.
    fn hear_farewell(&mut self, peer: usize, sequence: u32) -> Result<()> {
        if !self.peers[peer].silent && self.random.random_bool(0.7) {
            let answer = requests::deleted_v2(v2::Cause::REQUEST_ACCEPTED, 0);
            self.planes.deliver(&answer.encode(sequence), address(peer));
        }
        Ok(())
    }

    fn hear_v1(&mut self, octets: &[u8], peer: usize) -> Result<()> {
        let message = v1::Message::parse(octets)?;
        let sequence = message.header.sequence.context("no sequence")?;
        match message.header.kind {
            v1::MessageType::ECHO_REQUEST if self.peers[peer].silent => Ok(()),
            v1::MessageType::ECHO_REQUEST => {
                let answer = requests::echo_response_v1(self.sender(peer), sequence);
                self.tell(peer);
                self.planes.deliver(&answer, address(peer));
                Ok(())
            }
            v1::MessageType::DELETE_PDP_CONTEXT_REQUEST => {
                let ies = message.ie_set()?;
                let number = ies.get(v1::IeType::NSAPI).context("no NSAPI")?;
                let number = v1::Nsapi::parse(number)?.number();
                self.asked_to_delete((message.header.teid, number), peer, sequence.into())
            }
            other => bail!("{other} was sent"),
        }
    }

    /// The node asks a peer to delete a session: anew, or again. It asks N3 times in all, however often the session moves.
    fn asked_to_delete(&mut self, session: Key, peer: usize, sequence: u32) -> Result<()> {
        let now = self.planes.now.mono;
        let mut asked = self.asked.iter_mut();
        if let Some(again) = asked.find(|a| a.session == session && a.sequence == sequence) {
            again.sends += 1;
            again.at = now;
            return Ok(());
        }
        let mut sends = 1;
        let at = self.model.find(session);
        let known = self.model.sessions[at.with_context(|| format!("{session:x?} is unknown"))?];
        ensure!(known.peer == peer, "{known:?} is not that peer's");
        if known.state != State::Closing {
            let earlier = self.asked.iter().filter(|asked| asked.session == session);
            sends += earlier.map(|asked| asked.sends).max().unwrap_or(0);
            self.asked.retain(|asked| asked.session != session);
        }
        self.asked.push(Asked {
            session,
            via: known.via,
            peer,
            sequence,
            ours: known.ours,
            closing: known.state == State::Closing,
            sends,
            at: now,
        });
        Ok(())
    }
}
