//! Delete Bearer, from the PGW to the MME and back (TS 29.274 7.2.9.2, 7.2.10.2; TS 23.401 5.4.4.1): the PGW wants the
//! default bearer gone, and so the PDN connection.

use gtp::v1::Nsapi;
use gtp::v2::{Cause, CauseIe, IeType, MessageType};

use super::super::answer::Bearers;
use super::super::{Done, Rejected, Request};
use super::{State, Step, pass};
use crate::plane::SessionPlane;
use crate::statistics::Ended;

/// Instances of the bearers that are to go: the default one, and dedicated ones (table 7.2.9.2-1).
const LINKED: u8 = 0;
const DEDICATED: u8 = 1;

impl SessionPlane {
    /// None: the MME is asked, and the PGW answered when it has answered.
    pub(in super::super) fn delete_bearer(
        &mut self,
        request: &Request<'_>,
    ) -> Result<Option<Done>, Rejected> {
        let place = self.relay_named(request).ok_or(Cause::CONTEXT_NOT_FOUND)?;
        let session = self.table.session(place).ok_or(Cause::CONTEXT_NOT_FOUND)?;
        let number = session.context.nsapi;
        let linked = request.ies.get(IeType::EBI, LINKED);
        let Some(linked) = linked.map(Nsapi::parse) else {
            return self.no_dedicated_bearers(request);
        };
        if linked.ok() != Some(number) {
            return Err(Cause::CONTEXT_NOT_FOUND.into());
        }
        match self.relays.get(place).map(|relay| relay.state) {
            Some(State::Up | State::Prepared) if self.ask_to_close(request, place) => {
                return Ok(None);
            }
            // It is asked for by a request of another number; the answer to the first says it all.
            Some(State::Closing { .. }) => return Err(Cause::REQUEST_REJECTED.into()),
            // The MME is told whatever it has to know; of a session that the PGW is asked for, that it is not made.
            Some(State::Up | State::Prepared | State::Asking { .. } | State::Leaving) | None => {}
        }
        self.close(place);
        Ok(Some(Done {
            passed: pass::linked(number),
            ..Done::with(Cause::REQUEST_ACCEPTED)
        }))
    }

    /// Of bearers beyond the default one there are none.
    fn no_dedicated_bearers(&self, request: &Request<'_>) -> Result<Option<Done>, Rejected> {
        let mut bearers = Bearers::default();
        for value in request.ies.all(IeType::EBI, DEDICATED) {
            if let Ok(number) = Nsapi::parse(value) {
                bearers.set(number, Cause::CONTEXT_NOT_FOUND, None);
            }
        }
        if bearers.is_empty() {
            let missing = CauseIe::about(Cause::CONDITIONAL_IE_MISSING, IeType::EBI, LINKED);
            return Err(missing.into());
        }
        Ok(Some(Done {
            bearers,
            ..Done::with(Cause::CONTEXT_NOT_FOUND)
        }))
    }

    /// False: there is no room for one more request of ours.
    fn ask_to_close(&mut self, request: &Request<'_>, place: u32) -> bool {
        let session = self.table.session(place);
        let at_mme = self.leg_of(place).map(|(_, leg)| leg);
        let at_pgw = session.and_then(|session| self.at_pgw(place, session));
        let (Some(at_mme), Some(at_pgw)) = (at_mme, at_pgw) else {
            return false;
        };
        let pending = self.ask_for(
            request,
            at_pgw.leg.peer_teid,
            (place, Step::End),
            at_mme,
            MessageType::DELETE_BEARER_REQUEST,
            |head, _| pass::delete_bearer(head, request.ies),
        );
        if let Some(pending) = pending {
            self.relays.set_state(place, State::Closing { pending });
        }
        pending.is_some()
    }

    /// Ends a session that is gone at its PGW; the MME is told, unless it wants that itself.
    fn close(&mut self, place: u32) {
        match self.relays.get(place).map(|relay| relay.state) {
            Some(State::Asking { .. } | State::Leaving) => self.end_session(place, Ended::Deleted),
            Some(State::Up | State::Prepared | State::Closing { .. }) | None => {
                self.end_lost_relay(place);
            }
        }
    }
}
