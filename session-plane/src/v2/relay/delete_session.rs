//! Delete Session, from the MME to the PGW and back (TS 29.274 7.2.9.1, 7.2.10.1; TS 23.401 5.3.8).

use gtp::v2::{Cause, Indication, MessageType};

use super::super::{Done, Rejected, Request};
use super::{State, Step, pass};
use crate::plane::SessionPlane;
use crate::statistics::Ended;

impl SessionPlane {
    /// Deletes a session of a UE. One that is at a PGW of another's is deleted there first, and with its answer, or
    /// without one, here; none: that answer is waited for. Without the Operation Indication the PGW is not told: another
    /// SGW has the session from here on (table 7.2.9.1-1).
    pub(in super::super) fn delete_of_mme(
        &mut self,
        request: &Request<'_>,
        place: u32,
    ) -> Result<Option<Done>, Rejected> {
        let tells_pgw = request.flags().has(Indication::OI);
        match self.relays.get(place).map(|relay| relay.state) {
            Some(State::Leaving) => return Err(Cause::CONTEXT_NOT_FOUND.into()),
            Some(State::Up | State::Prepared)
                if tells_pgw && self.ask_to_delete_at_pgw(request, place) =>
            {
                return Ok(None);
            }
            // Whoever has to know is told.
            Some(State::Up | State::Prepared | State::Asking { .. } | State::Closing { .. })
            | None => {}
        }
        self.end_here(place, request.flags());
        Ok(Some(Done::with(Cause::REQUEST_ACCEPTED)))
    }

    /// Ends a session that the MME has no use for here: the PGW is told if the flags say so.
    pub(in super::super) fn end_here(&mut self, place: u32, flags: Indication) {
        let relay = self.relays.get(place);
        if relay.is_some_and(|relay| relay.state == State::Up) && !flags.has(Indication::OI) {
            self.relays.take(place, &mut self.table.peers);
        }
        self.end_session(place, Ended::Deleted);
    }

    /// False: there is no room for one more request of ours.
    fn ask_to_delete_at_pgw(&mut self, request: &Request<'_>, place: u32) -> bool {
        let session = self.table.session(place);
        let at_pgw = session.and_then(|session| self.at_pgw(place, session));
        let Some(at_pgw) = at_pgw else {
            return false;
        };
        let asked = self.ask_for(
            request,
            self.answer_teid_v2(request),
            (place, Step::End),
            at_pgw.leg,
            MessageType::DELETE_SESSION_REQUEST,
            |head, _| pass::delete_session(head, Some(request.ies), at_pgw.leg.number),
        );
        if asked.is_some() {
            self.relays.set_state(place, State::Leaving);
        }
        asked.is_some()
    }
}
