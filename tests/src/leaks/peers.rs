//! What the peers of the node do by themselves and on its word: they answer, ask, restart, fall silent.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use gtp::{v1, v2};
use rand::Rng;

use super::model::{Key, Known, Via};
use super::requests;
use super::run::{Asked, PEERS, Run, address};
use crate::planes::Sent;

/// So long a peer is silent that its path fails: an interval, all requests unanswered, and what workers take to notice.
const SILENCE: Duration = Duration::from_secs(100);
/// Sessions that went over, of which the node may still speak: it asks again for a retransmission window at most.
const FAREWELLS: usize = 500;

impl Run {
    /// A peer answers one of the node's requests: as it should, twice, or from another address, which is no answer.
    pub(super) fn answer(&mut self) -> Result<()> {
        if self.asked.is_empty() {
            return Ok(());
        }
        let at = self.random.random_range(0..self.asked.len());
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
        self.planes.deliver(&octets, address(asked.peer));
        ensure!(self.planes.take_sent().is_none(), "an answer was answered");
        Ok(())
    }

    /// A peer asks whether the node is there, and tells its restart counter; sometimes one that is out of date.
    pub(super) fn echo(&mut self) -> Result<()> {
        let peer = self.random.random_range(0..PEERS);
        let mut from = self.sender(peer);
        let outdated = self.peers[peer].told.is_some() && self.random.random_bool(0.1);
        if outdated {
            from.counter = self.peers[peer].told.unwrap_or_default().wrapping_sub(1);
        } else {
            self.tell(peer);
        }
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

    /// A peer restarts: the next that it says tells so.
    pub(super) fn restart(&mut self) {
        let peer = self.random.random_range(0..PEERS);
        self.peers[peer].counter = self.peers[peer].counter.wrapping_add(1);
    }

    /// A peer answers nothing until its path has failed. Requests about single sessions would end them before that, so
    /// none is outstanding.
    pub(super) fn fall_silent(&mut self) -> Result<()> {
        while !self.asked.is_empty() {
            self.answer()?;
        }
        let peer = self.random.random_range(0..PEERS);
        let had = |s: &Known| s.peer == peer;
        let surely = |s: &Known| had(s) && s.doomed.is_none();
        let failing = self.model.sessions.iter().any(surely);
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

    /// Time passes; peers answer what the node sends, unless they are silent.
    pub(super) fn pass(&mut self, time: Duration) -> Result<()> {
        let end = self.planes.now.mono.after(time);
        while self.planes.step_to(end)? {
            while let Some(sent) = self.planes.take_sent() {
                self.hear(sent)?;
            }
        }
        let now = self.planes.now.mono;
        let window = self.planes.config.retransmission_window();
        let given_up = self
            .asked
            .iter()
            .filter(|asked| now >= asked.at.after(window));
        let given_up: Vec<Key> = given_up.map(|asked| asked.session).collect();
        for session in given_up {
            self.gone(session);
            self.done.cleared += 1;
        }
        self.model.forget_gone(now);
        let model = &self.model;
        self.asked
            .retain(|asked| model.find(asked.session).is_some());
        Ok(())
    }

    /// What the node says by itself: is a peer there, and end this session.
    pub(super) fn hear(&mut self, sent: Sent) -> Result<()> {
        let peer = (0..PEERS).find(|peer| address(*peer) == sent.to);
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
                if self.left.take_if(|left| *left == session).is_some() {
                    self.farewells.push_back(header.sequence);
                    let surplus = self.farewells.len().saturating_sub(FAREWELLS);
                    self.farewells.drain(..surplus);
                }
                match self.farewells.contains(&header.sequence) {
                    true => self.hear_farewell(peer, header.sequence),
                    false => self.asked_to_delete(session, peer, header.sequence),
                }
            }
            other => bail!("{other} was sent"),
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

    /// The node asks a peer to delete a session: anew, or again.
    fn asked_to_delete(&mut self, session: Key, peer: usize, sequence: u32) -> Result<()> {
        let again = |asked: &Asked| asked.session == session && asked.sequence == sequence;
        if self.asked.iter().any(again) {
            return Ok(());
        }
        let at = self.model.find(session);
        let known = self.model.sessions[at.with_context(|| format!("{session:x?} is unknown"))?];
        ensure!(known.peer == peer, "{known:?} is not that peer's");
        self.asked.retain(|asked| asked.session != session);
        self.asked.push(Asked {
            session,
            via: known.via,
            peer,
            sequence,
            ours: known.ours,
            at: self.planes.now.mono,
        });
        Ok(())
    }
}
