//! What the GGSN sent, or did not send, and what it does to a call.

use std::cmp::Reverse;
use std::net::SocketAddr;

use gtp::v1::{Cause, IeSet, IeType, Message, MessageType, value};
use licensing::Mono;

use super::calls::State;
use super::outgoing::Outgoing;
use super::{Machine, Request};
use crate::transactions::{Expired, Pending};

impl Machine {
    pub(super) fn expired(&mut self, path: u16, expired: Expired<Request>, now: Mono) {
        match expired {
            Expired::Resend(sequence) => {
                if let Some(kind) = self.paths[usize::from(path)].get(sequence).map(|p| p.kind) {
                    self.count(kind).retransmitted += 1;
                }
                self.outbox.push_back(Outgoing::Request { path, sequence });
            }
            Expired::GaveUp(pending) => {
                self.count(pending.kind).lost += 1;
                self.without_answer(&pending, now);
            }
        }
    }

    /// No answer came, or none that can be understood.
    fn without_answer(&mut self, pending: &Pending<Request>, now: Mono) {
        let teid = pending.what.teid;
        match pending.kind {
            MessageType::CREATE_PDP_CONTEXT_REQUEST => {
                let until = now.after(self.plan.reuse_after());
                if let Some(call) = self.calls.get_mut(teid) {
                    call.state = State::Abandoned;
                    call.ends = until;
                    self.timers.push(Reverse((until, teid)));
                }
            }
            MessageType::UPDATE_PDP_CONTEXT_REQUEST => self.back_up(teid, now),
            _ => self.down(teid),
        }
    }

    pub(super) fn response(&mut self, path: u16, sequence: u16, message: &Message<'_>, now: Mono) {
        let (ies, _) = IeSet::parse_prefix(message.body);
        self.note_recovery(&ies);
        let cause = ies.get(IeType::CAUSE).and_then(|value| value.first());
        let cause = cause.map(|value| Cause(*value));
        let header = &message.header;
        let Some(transactions) = self.paths.get_mut(usize::from(path)) else {
            return;
        };
        let fits = transactions.get(sequence).is_some_and(|pending| {
            let refused = cause.is_some_and(|cause| !cause.is_accepted());
            pending.what.teid == header.teid || header.teid == 0 && refused
        });
        let answered = match fits {
            true => transactions.answer(sequence, header.kind, now),
            false => None,
        };
        let Some(pending) = answered else {
            self.late(header.teid, cause, &ies);
            return;
        };
        let Some(cause) = cause else {
            self.count(pending.kind).malformed += 1;
            self.without_answer(&pending, now);
            return;
        };
        self.answered(&pending, cause, &ies, now);
    }

    fn answered(&mut self, pending: &Pending<Request>, cause: Cause, ies: &IeSet<'_>, now: Mono) {
        let Request {
            teid, due, sent, ..
        } = pending.what;
        let created = pending.kind == MessageType::CREATE_PDP_CONTEXT_REQUEST;
        let peer_teid = control_teid(ies);
        if created && cause.is_accepted() && peer_teid.is_none() {
            self.tally.create.malformed += 1;
            self.without_answer(pending, now);
            return;
        }
        self.count(pending.kind).answered(cause, now.since(due));
        self.tally.round_trip(now.since(sent));
        match (pending.kind, cause.is_accepted()) {
            (MessageType::CREATE_PDP_CONTEXT_REQUEST, true) => {
                self.up(teid, peer_teid.unwrap_or_default(), now);
            }
            (MessageType::CREATE_PDP_CONTEXT_REQUEST, false) => self.end_call(teid),
            // The GGSN does not know the call any more.
            (MessageType::UPDATE_PDP_CONTEXT_REQUEST, false) if cause == Cause::NON_EXISTENT => {
                self.down(teid);
            }
            (MessageType::UPDATE_PDP_CONTEXT_REQUEST, _) => self.back_up(teid, now),
            _ => self.down(teid),
        }
    }

    /// An answer that nobody waits for. If it accepts a call that was given up, the call is up after all: take it down.
    fn late(&mut self, teid: u32, cause: Option<Cause>, ies: &IeSet<'_>) {
        self.tally.late += 1;
        let accepted = cause.is_some_and(Cause::is_accepted);
        let (Some(call), Some(peer_teid), true) =
            (self.calls.get_mut(teid), control_teid(ies), accepted)
        else {
            return;
        };
        if call.state == State::Abandoned {
            call.state = State::Waiting;
            call.peer_teid = peer_teid;
            call.ends = Mono(0);
            self.tally.up();
            self.ready.push_back((teid, None));
        }
    }

    fn up(&mut self, teid: u32, peer_teid: u32, now: Mono) {
        let ends = self.hold().map_or(Mono(u64::MAX), |hold| now.after(hold));
        if let Some(call) = self.calls.get_mut(teid) {
            call.peer_teid = peer_teid;
            call.ends = ends;
            self.tally.up();
            self.back_up(teid, now);
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

    fn down(&mut self, teid: u32) {
        if self.calls.get(teid).is_some() {
            self.tally.down();
            self.end_call(teid);
        }
    }

    pub(super) fn end_call(&mut self, teid: u32) {
        if let Some(call) = self.calls.end(teid) {
            self.subscribers.put(call.subscriber);
        }
    }

    pub(super) fn peer_deletes(&mut self, path: u16, to: SocketAddr, teid: u32, sequence: u16) {
        let call = self.calls.get(teid).filter(|call| {
            matches!(
                call.state,
                State::Up | State::Waiting | State::Updating | State::Deleting
            )
        });
        let (peer_teid, cause) = match call {
            Some(call) => (call.peer_teid, Cause::REQUEST_ACCEPTED),
            None => (0, Cause::NON_EXISTENT),
        };
        if call.is_some() {
            self.tally.ended_by_peer += 1;
            self.down(teid);
        }
        self.outbox.push_back(Outgoing::Deleted {
            to,
            path,
            sequence,
            teid: peer_teid,
            cause,
        });
    }

    fn note_recovery(&mut self, ies: &IeSet<'_>) {
        let Some(&[counter]) = ies.get(IeType::RECOVERY) else {
            return;
        };
        let before = self.peer_recovery.replace(counter);
        if before.is_some_and(|before| before != counter) {
            self.tally.peer_restarts += 1;
        }
    }
}

fn control_teid(ies: &IeSet<'_>) -> Option<u32> {
    let value = ies.get(IeType::TEID_CONTROL_PLANE)?;
    value::number("Tunnel Endpoint Identifier Control Plane", value).ok()
}
