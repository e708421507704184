//! Modify Bearer, from the MME to the PGW and back (TS 29.274 7.2.7, 7.2.8; TS 23.401 5.3.2.1, 5.3.3.2, 5.5.1): what only
//! this SGW has to know, the eNodeB's endpoints above all, is done here; what a PGW wants to know is told there first. It
//! is never refused for a license (rule L7).

use gtp::v1::Nsapi;
use gtp::v2::{Cause, CauseIe, IeSet, IeType, Indication, MessageType};
use licensing::Now;

use super::super::answer::Answer;
use super::super::{Request, bearer_number};
use super::{Pending, State, Step, pass};
use crate::plane::SessionPlane;
use crate::statistics::Ended;
use crate::transactions::{Purpose, Said};

/// What a PGW is told of when it is in a request (table 7.2.7-1).
const REPORTED: [IeType; 8] = [
    IeType::ULI,
    IeType::SERVING_NETWORK,
    IeType::RAT_TYPE,
    IeType::UE_TIME_ZONE,
    IeType::UCI,
    IeType::PRESENCE_REPORTING_AREA_INFORMATION,
    IeType::COUNTER,
    IeType::SECONDARY_RAT_USAGE_DATA_REPORT,
];

impl SessionPlane {
    /// Tells the PGWs of the sessions that a request is about, if it has anything to tell them. True: the answer waits for
    /// the first of these. The others are told too, and what they answer changes nothing but for their own session: an MME
    /// asks for one PDN connection at a time.
    pub(in super::super) fn report_to_pgw(&mut self, request: &Request<'_>, ue: u32) -> bool {
        let comes_over = request.flags().has(Indication::HI);
        let reports = comes_over || request.ies.iter().any(|ie| REPORTED.contains(&ie.kind));
        let mut waits = false;
        for place in self.relays_named(request, ue) {
            let state = self.relays.get(place).map(|relay| relay.state);
            let comes_here = state == Some(State::Prepared);
            if reports || comes_here {
                waits |= self.report_one(request, place, comes_here, !waits);
            }
        }
        waits
    }

    /// The sessions at a PGW of another's that have bearers in a request, or all of the UE's if it names none.
    fn relays_named(&self, request: &Request<'_>, ue: u32) -> Vec<u32> {
        let bearers = request.bearers(0).filter_map(Result::ok);
        let numbers = bearers.filter_map(|bearer| bearer_number(&bearer).ok());
        let bit = |number: Nsapi| 1_u16 << number.number();
        let named = numbers.fold(0, |named, number| named | bit(number));
        let sessions = self.table.ue(ue).map(|ue| ue.sessions());
        let is_up = |place: &u32| {
            let relay = self.relays.get(*place);
            relay.is_some_and(|relay| matches!(relay.state, State::Up | State::Prepared))
        };
        let is_named = |place: &u32| {
            let session = self.table.session(*place);
            let number = session.map(|session| session.context.nsapi);
            named == 0 || number.is_some_and(|number| named & bit(number) != 0)
        };
        let sessions = sessions.into_iter().flatten();
        sessions.filter(is_up).filter(is_named).collect()
    }

    /// Whether the answer waits for this one; `first`: it is to. If there is no room for a request of ours the PGW is not
    /// told, and the MME gets its answer: a change is not refused for that.
    /// `comes_here`: the PGW is to have the session by us from here on.
    fn report_one(
        &mut self,
        request: &Request<'_>,
        place: u32,
        comes_here: bool,
        first: bool,
    ) -> bool {
        let session = self.table.session(place);
        let at_pgw = session.and_then(|session| self.at_pgw(place, session));
        let Some(at_pgw) = at_pgw else {
            return false;
        };
        let (leg, kind) = (at_pgw.leg, MessageType::MODIFY_BEARER_REQUEST);
        let default = pass::linked(leg.number);
        let (bearer, _) = IeSet::parse_prefix(&default);
        if !first && !comes_here {
            let (purpose, now) = (Purpose::Farewell, request.now);
            let _untold = self.ask_peer_of_relay(leg, kind, purpose, now, |head, _| {
                pass::modify_bearer(head, request.ies)
            });
            return false;
        }
        let step = match first {
            true => Step::Modify,
            false => Step::Come,
        };
        let peer_teid = self.answer_teid_v2(request);
        let pending = self.ask_for(
            request,
            peer_teid,
            (place, step),
            leg,
            kind,
            |head, config| match comes_here {
                true => pass::take_over(head, request.ies, &bearer, leg.teid, config),
                false => pass::modify_bearer(head, request.ies),
            },
        );
        if pending.is_some() {
            let answered = self.config.retransmission_window() + self.config.t3_response;
            let until = request.now.mono.after(answered);
            self.relays.preparations.put_off(place, until);
        }
        first && pending.is_some()
    }

    /// The PGW has answered, or did not. Accepted, the request is done here; of a session that the PGW does not know
    /// nothing is left here either.
    pub(super) fn bearer_modified(&mut self, waiting: &Pending, said: Option<Said<'_>>, now: Now) {
        let (cause, passed) = match said {
            Some(said) => (pass::remote(said.cause), pass::of_modified(said.ies)),
            None => (CauseIe::new(Cause::REMOTE_PEER_NOT_RESPONDING), Vec::new()),
        };
        if cause.cause.is_accepted() {
            self.came_here(waiting);
            return self.modify_as_asked(waiting, passed, now);
        }
        self.end_unknown(waiting, cause.cause);
        self.answer_cause(&waiting.asked, cause, passed, now);
    }

    /// The same of one that no answer waits for.
    pub(super) fn connection_came(&mut self, waiting: &Pending, said: Option<Said<'_>>) {
        match said.map(|said| said.cause.cause) {
            Some(cause) if cause.is_accepted() => self.came_here(waiting),
            Some(cause) => self.end_unknown(waiting, cause),
            None => {}
        }
    }

    fn end_unknown(&mut self, waiting: &Pending, cause: Cause) {
        if cause == Cause::CONTEXT_NOT_FOUND
            && let Some(place) = self.waited_for(waiting)
        {
            self.relays.take(place, &mut self.table.peers);
            self.end_session(place, Ended::PeerLost);
        }
    }

    /// A session whose hand-over was prepared is the PGW's by us.
    fn came_here(&mut self, waiting: &Pending) {
        let Some(place) = self.waited_for(waiting) else {
            return;
        };
        if self.relays.get(place).map(|relay| relay.state) == Some(State::Prepared) {
            self.relays.set_state(place, State::Up);
        }
    }

    fn modify_as_asked(&mut self, waiting: &Pending, passed: Vec<u8>, now: Now) {
        let asked = &waiting.asked;
        let (ies, _) = IeSet::parse_prefix(&asked.body);
        let request = asked.request(&ies, self.options_of(asked.path), now);
        let ue = self.ue_named(&request);
        let done = match ue.ok_or(Cause::CONTEXT_NOT_FOUND) {
            Ok(ue) => self.change_access_bearers(&request, ue),
            Err(gone) => Err(gone.into()),
        };
        let answer = Answer {
            passed,
            ..asked.answer(Cause::REQUEST_ACCEPTED).says(done)
        };
        self.answer_wholly(asked, answer, now);
    }
}
