//! What the gateway sent, or did not send, and what it does to a call.

use std::cmp::Reverse;
use std::net::SocketAddr;

use gtp::v2::Ebi;
use licensing::Mono;

use super::calls::State;
use super::outgoing::Outgoing;
use super::{Machine, Request};
use crate::Interface;
use crate::heard::Answer;
use crate::interface::Kind;
use crate::transactions::Expired;

impl Machine {
    pub(super) fn expired(&mut self, path: u16, expired: Expired<Request>, now: Mono) {
        match expired {
            Expired::Resend(sequence) => {
                let pending = self.paths[usize::from(path)].get(sequence);
                if let Some(kind) = pending.map(|pending| pending.what.kind) {
                    self.tally.of(kind).retransmitted += 1;
                }
                self.outbox.push_back(Outgoing::Request { path, sequence });
            }
            Expired::GaveUp(pending) => {
                self.tally.of(pending.what.kind).lost += 1;
                self.without_answer(&pending.what, now);
            }
        }
    }

    /// No answer came, or none that can be understood.
    fn without_answer(&mut self, request: &Request, now: Mono) {
        let Request {
            kind, teid, pdn, ..
        } = *request;
        let until = now.after(self.plan.reuse_after());
        match (kind, self.calls.get_mut(teid)) {
            (Kind::Create, Some(call)) if call.up == 0 => {
                call.state = State::Abandoned;
                call.ends = until;
                self.timers.push(Reverse((until, teid)));
            }
            (Kind::Create | Kind::Update | Kind::Release, _) => {
                self.proceed(teid, kind, pdn, now);
            }
            (Kind::Delete, _) => self.deleted(teid, pdn, now),
        }
    }

    pub(super) fn response(&mut self, path: u16, answer: &Answer, now: Mono) {
        self.note_recovery(answer);
        let refused = answer
            .cause
            .is_some_and(|cause| !self.plan.interface.accepts(cause));
        let Some(transactions) = self.paths.get_mut(usize::from(path)) else {
            return;
        };
        let fits = |request: &Request| {
            request.kind == answer.kind
                && (request.teid == answer.teid || answer.teid == 0 && refused)
        };
        let Some(pending) = transactions.answer(answer.sequence, fits, now) else {
            self.late(answer);
            return;
        };
        let Some(cause) = answer.cause else {
            self.malformed(&pending.what, now);
            return;
        };
        self.answered(&pending.what, cause, answer.control, now);
    }

    fn malformed(&mut self, request: &Request, now: Mono) {
        self.tally.of(request.kind).malformed += 1;
        self.without_answer(request, now);
    }

    fn answered(&mut self, request: &Request, cause: u8, control: Option<u32>, now: Mono) {
        let Request {
            kind, teid, pdn, ..
        } = *request;
        let interface = self.plan.interface;
        let accepted = interface.accepts(cause);
        // A UE's further PDN connections go by the endpoint that it has.
        let known = (pdn > 0).then_some(request.peer_teid);
        let peer_teid = control.or(known);
        if kind == Kind::Create && accepted && peer_teid.is_none() {
            return self.malformed(request, now);
        }
        let latency = now.since(request.due);
        self.tally.of(kind).answered(cause, accepted, latency);
        self.tally.round_trip(now.since(request.sent));
        match kind {
            Kind::Create if accepted => {
                self.up(teid, pdn, peer_teid.unwrap_or_default(), now);
                self.proceed(teid, kind, pdn, now);
            }
            Kind::Create => self.refused(teid, pdn, now),
            // The gateway does not know the call any more.
            Kind::Update if interface.is_gone(cause) => {
                self.down(teid, pdn);
                self.proceed(teid, kind, pdn, now);
            }
            Kind::Release if interface.is_gone(cause) => self.all_down(teid),
            Kind::Update | Kind::Release => self.proceed(teid, kind, pdn, now),
            Kind::Delete => self.deleted(teid, pdn, now),
        }
    }

    /// An answer that nobody waits for. If it accepts a call that was given up, the call is up after all: take it down.
    fn late(&mut self, answer: &Answer) {
        self.tally.late += 1;
        let cause = answer.cause;
        let accepted = cause.is_some_and(|cause| self.plan.interface.accepts(cause));
        let (Some(call), Some(peer_teid), true) =
            (self.calls.get_mut(answer.teid), answer.control, accepted)
        else {
            return;
        };
        if call.state == State::Abandoned {
            call.state = State::Waiting;
            call.peer_teid = peer_teid;
            call.up = 1;
            call.ends = Mono(0);
            self.tally.up();
            self.ready.push_back((answer.teid, None));
        }
    }

    /// A PDN connection came up; with the first the call did.
    fn up(&mut self, teid: u32, pdn: u8, peer_teid: u32, now: Mono) {
        let first = self
            .calls
            .get(teid)
            .is_some_and(|call| call.ends == Mono(u64::MAX));
        let hold = first.then(|| self.hold()).flatten();
        if let Some(call) = self.calls.get_mut(teid) {
            call.peer_teid = peer_teid;
            call.up |= 1 << pdn;
            if let Some(hold) = hold {
                call.ends = now.after(hold);
            }
            self.tally.up();
        }
    }

    /// A create was refused: that of the first PDN connection is the call's.
    fn refused(&mut self, teid: u32, pdn: u8, now: Mono) {
        match self.calls.get(teid).is_some_and(|call| call.up != 0) {
            true => self.proceed(teid, Kind::Create, pdn, now),
            false => self.end_call(teid),
        }
    }

    /// A step is done: the next one follows, or the call is left alone until its time comes. On S11 an accepted create
    /// is followed by the eNodeB's endpoint, a release by those of all PDN connections (TS 23.401 5.3.2.1, 5.3.4.1).
    fn proceed(&mut self, teid: u32, done: Kind, pdn: u8, now: Mono) {
        let on_s11 = self.plan.interface == Interface::S11;
        let ending = self.ending && !self.plan.leave_up;
        let pdns = self.plan.pdns;
        let Some(call) = self.calls.get_mut(teid) else {
            return;
        };
        let from = match done {
            Kind::Create => pdn,
            Kind::Release => 0,
            Kind::Update | Kind::Delete => pdn + 1,
        };
        let next = match call.up_from(from) {
            Some(pdn) if on_s11 => Some((Kind::Update, pdn)),
            _ if call.asked < pdns => Some((Kind::Create, call.asked)),
            _ => None,
        };
        match next {
            Some(next) if !ending => {
                call.next = next;
                call.state = State::Waiting;
                self.ready.push_back((teid, Some(now)));
            }
            _ => self.back_up(teid, now),
        }
    }

    /// The call is up and nothing is under way for it: arm its next step.
    fn back_up(&mut self, teid: u32, now: Mono) {
        let Some(call) = self.calls.get_mut(teid) else {
            return;
        };
        call.next_update = match self.plan.update_every {
            Some(every) => now.after(every),
            None => Mono(u64::MAX),
        };
        if self.ending && !self.plan.leave_up {
            call.state = State::Waiting;
            self.ready.push_back((teid, None));
            return;
        }
        call.state = State::Up;
        let next = call.ends.min(call.next_update);
        if next < Mono(u64::MAX) && !self.ending {
            self.timers.push(Reverse((next, teid)));
        }
    }

    /// A delete is over: that of a UE's next PDN connection follows.
    fn deleted(&mut self, teid: u32, pdn: u8, now: Mono) {
        self.down(teid, pdn);
        if let Some(call) = self.calls.get_mut(teid) {
            call.ends = Mono(0);
            call.state = State::Waiting;
            self.ready.push_back((teid, Some(now)));
        }
    }

    /// A PDN connection is gone; with the last the call is.
    fn down(&mut self, teid: u32, pdn: u8) {
        let Some(call) = self.calls.get_mut(teid) else {
            return;
        };
        if call.up & 1 << pdn != 0 {
            call.up &= !(1 << pdn);
            self.tally.down();
        }
        if call.up == 0 {
            self.end_call(teid);
        }
    }

    fn all_down(&mut self, teid: u32) {
        while let Some(pdn) = self.calls.get(teid).and_then(|call| call.up_from(0)) {
            self.down(teid, pdn);
        }
    }

    pub(super) fn end_call(&mut self, teid: u32) {
        if let Some(call) = self.calls.end(teid) {
            self.subscribers.put(call.subscriber);
        }
    }

    /// The gateway ends a PDN connection: the one with this default bearer, or the only one.
    pub(super) fn peer_ends(
        &mut self,
        (path, to): (u16, SocketAddr),
        teid: u32,
        sequence: u32,
        bearer: Option<u8>,
    ) {
        let pdn = match bearer {
            Some(bearer) => bearer.checked_sub(Ebi::FIRST.number()),
            None => Some(0),
        };
        let call = self.calls.get(teid);
        let ended = call.and_then(|call| Some((call.peer_teid, call.up_from(pdn?)?)));
        let ended = ended.filter(|(_, up)| Some(*up) == pdn);
        if let Some((_, pdn)) = ended {
            self.tally.ended_by_peer += 1;
            self.down(teid, pdn);
        }
        self.outbox.push_back(Outgoing::Ended {
            to,
            path,
            sequence,
            teid: ended.map_or(0, |(peer_teid, _)| peer_teid),
            bearer,
            known: ended.is_some(),
        });
    }

    fn note_recovery(&mut self, answer: &Answer) {
        let Some(counter) = answer.recovery else {
            return;
        };
        let before = self.peer_recovery.replace(counter);
        if before.is_some_and(|before| before != counter) {
            self.tally.peer_restarts += 1;
        }
    }
}
