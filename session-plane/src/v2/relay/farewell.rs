//! The end of a relayed session that one of its two peers has not asked for, and that therefore is to be told.
//!
//! Whoever waits for an answer about it has it with the end of the step: that takes no room, and what waits is bounded by
//! our requests. To tell another takes a request of ours, for which there may be no room yet.

use gtp::v2::{Cause, CauseIe, MessageType};
use licensing::Now;

use super::{AtPgw, FAREWELLS_MAX, State, pass};
use crate::plane::SessionPlane;
use crate::session::{Access, Identity, Session};
use crate::statistics::{DropReason, Ended};
use crate::transactions::{Leg, NoRoom, Purpose};

/// Who is to be told.
#[derive(Clone, Copy, Debug)]
pub(super) enum Farewell {
    /// The PGW, that the session is gone.
    Pgw(AtPgw),
    /// The MME, that the PGW has lost the session.
    Mme {
        /// As it knows the session.
        leg: Leg,
        /// Whose it was.
        who: Identity,
    },
}

/// Who waits for an answer about a session that has ended.
#[derive(Clone, Copy, Debug)]
pub(super) enum Unanswered {
    /// The MME, that the session which it asked for is not made. What came of it at the PGW is deleted there once the PGW
    /// tells.
    Unmade {
        /// What waits.
        pending: u32,
        /// The session's endpoint.
        ours: u32,
    },
    /// The PGW, that the session which it wanted deleted is gone.
    Closed {
        /// What waits.
        pending: u32,
    },
}

impl SessionPlane {
    /// A session has left the table, for whatever reason: if it was a relayed one, whoever does not know is told before
    /// the next datagram is looked at, or as soon as there is room for a request, if that takes one.
    pub(crate) fn leave_relay(&mut self, place: u32, session: &Session, how: Ended) {
        let at_pgw = self.at_pgw(place, session);
        let Some(relay) = self.relays.take(place, &mut self.table.peers) else {
            return;
        };
        let unanswered = &mut self.relays.unanswered;
        match (relay.state, at_pgw) {
            _ if how == Ended::Stopped => {}
            (State::Asking { pending }, _) => unanswered.push(Unanswered::Unmade {
                pending,
                ours: session.teid,
            }),
            (State::Up, Some(at_pgw)) => self.bid_farewell(Farewell::Pgw(at_pgw)),
            (State::Closing { pending }, _) => unanswered.push(Unanswered::Closed { pending }),
            // What the MME has only prepared is another SGW's still.
            (State::Up, None) | (State::Leaving | State::Prepared, _) => {}
        }
    }

    pub(super) fn bid_farewell(&mut self, farewell: Farewell) {
        match self.relays.farewells.len() < FAREWELLS_MAX {
            true => self.relays.farewells.push_back(farewell),
            false => self.counters.dropped(DropReason::NoRoomToAsk),
        }
    }

    /// Ends a session whose PGW has lost it; the MME is told, unless it is about to hear it anyway.
    pub(crate) fn end_lost_relay(&mut self, place: u32) {
        let at_mme = self.leg_of(place);
        let at_mme = at_mme.map(|(session, leg)| (session.identity, leg));
        let relay = self.relays.take(place, &mut self.table.peers);
        self.end_session(place, Ended::PeerLost);
        if relay.is_some_and(|relay| matches!(relay.state, State::Up | State::Prepared))
            && let Some((who, leg)) = at_mme
        {
            self.bid_farewell(Farewell::Mme { leg, who });
        }
    }

    /// A session begins at the peer that has this place, or moves there. What deletes another of the same name is not sent
    /// again: the peer, which has made it anew, would take it for this one (TS 29.274 7.2.9.2).
    pub(crate) fn spare(&mut self, place: u32) {
        if let Some((_, leg)) = self.leg_of(place) {
            self.spare_named(leg);
        }
    }

    /// The same of the session that the leg's peer knows so. Whoever waits for the other's end has it.
    pub(super) fn spare_named(&mut self, leg: Leg) {
        for (sequence, purpose) in self.transactions.deletions_of(leg.name()) {
            match purpose {
                Purpose::Farewell => self.transactions.silence(sequence),
                Purpose::Relay { pending } => {
                    let waiting = self.relays.pending.get(pending);
                    if waiting.is_some_and(|waiting| self.waited_for(waiting).is_none()) {
                        self.relays.unanswered.push(Unanswered::Closed { pending });
                    }
                }
                Purpose::EndSession { .. } | Purpose::Unwanted { .. } | Purpose::Late => {}
            }
        }
    }

    /// Whether an MME has made a session anew since, by the name of the one that it was to be told of.
    fn is_there_anew(&self, leg: Leg, who: Identity) -> bool {
        let session = self.table.by_bearer(who, leg.number, Access::S11);
        let there = session.and_then(|session| self.leg_of(session));
        there.is_some_and(|(_, there)| there.name() == leg.name())
    }

    /// Farewells that are still to be bidden.
    pub(super) fn farewells(&self) -> usize {
        self.relays.farewells.len()
    }

    /// Takes back what was to be told of the end of a session that another has replaced, of the farewells after so many;
    /// how it stands at its PGW.
    pub(super) fn take_farewell(&mut self, teid: u32, after: usize, now: Now) -> Option<AtPgw> {
        let unmade = |waits: &Unanswered| match waits {
            Unanswered::Unmade { pending, ours } => (*ours == teid).then_some(*pending),
            Unanswered::Closed { .. } => None,
        };
        let unanswered = &mut self.relays.unanswered;
        if let Some(at) = unanswered.iter().position(|waits| unmade(waits).is_some()) {
            let pending = unmade(&unanswered.remove(at))?;
            return self.give_up_asking(pending, now);
        }
        let farewells = &mut self.relays.farewells;
        let mut latest = farewells.range(after.min(farewells.len())..);
        let is_its = |farewell: &Farewell| match farewell {
            Farewell::Pgw(at) => at.leg.teid == teid,
            Farewell::Mme { .. } => false,
        };
        let at = after + latest.position(is_its)?;
        match farewells.remove(at)? {
            Farewell::Pgw(at_pgw) => Some(at_pgw),
            Farewell::Mme { .. } => None,
        }
    }

    /// Answers whoever waits, and tells whoever else is to be told, as far as there is room for requests; half of it is
    /// left to new calls.
    pub(crate) fn tell_farewells(&mut self, now: Now) {
        while let Some(waits) = self.relays.unanswered.pop() {
            match waits {
                Unanswered::Unmade { pending, .. } => {
                    if let Some(old) = self.give_up_asking(pending, now) {
                        self.bid_farewell(Farewell::Pgw(old));
                    }
                }
                Unanswered::Closed { pending } => self.give_up_closing(pending, now),
            }
        }
        while !self.transactions.half_full()
            && let Some(farewell) = self.relays.farewells.pop_front()
        {
            let told = match farewell {
                Farewell::Pgw(at_pgw) => self.delete_at_pgw(&at_pgw, now),
                Farewell::Mme { leg, who } if self.is_there_anew(leg, who) => Ok(()),
                Farewell::Mme { leg, .. } => {
                    // The UE is to connect again.
                    let cause = Some(Cause::REACTIVATION_REQUESTED);
                    self.ask_to_delete_bearer(leg, cause, Purpose::Farewell, now.mono)
                }
            };
            if told == Err(NoRoom) {
                self.relays.farewells.push_front(farewell);
                return;
            }
        }
    }

    /// Nobody waits any more for the PGW to make a session: the MME is told that it is not made. The PGW may have made it,
    /// or may yet, so it is asked on. What the session itself had replaced.
    fn give_up_asking(&mut self, pending: u32, now: Now) -> Option<AtPgw> {
        let waiting = self.relays.pending.remove(pending)?;
        let wanted = waiting.step.wanted()?;
        // One that was still to be sent waited for another that nobody wants either.
        if let Some(sequence) = waiting.sequence {
            let purpose = Purpose::Unwanted { wanted };
            self.transactions.reassign(sequence, purpose);
        }
        self.relays.unwanted.insert(wanted.same(), None);
        let cause = CauseIe::new(Cause::REQUEST_REJECTED);
        self.answer_cause(&waiting.asked, cause, Vec::new(), now);
        waiting.step.predecessor()
    }

    /// The MME need not be asked any more to delete a session: the PGW is told that it is gone.
    fn give_up_closing(&mut self, pending: u32, now: Now) {
        if let Some(waiting) = self.relays.pending.remove(pending) {
            if let Some(sequence) = waiting.sequence {
                self.transactions.reassign(sequence, Purpose::Farewell);
                self.transactions.silence(sequence);
            }
            self.session_gone(&waiting, None, now);
        }
    }

    /// Delete Session Request, of a session that is gone here: its answer changes nothing.
    fn delete_at_pgw(&mut self, at: &AtPgw, now: Now) -> Result<(), NoRoom> {
        let kind = MessageType::DELETE_SESSION_REQUEST;
        let number = at.leg.number;
        self.ask_peer_of_relay(at.leg, kind, Purpose::Farewell, now, |head, _| {
            pass::delete_session(head, None, number)
        })
        .map(drop)
    }
}
