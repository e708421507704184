//! Modify Bearer from an SGW or ePDG: another SGW, other endpoints (TS 29.274 7.2.7, 7.2.8). It changes a session that is
//! there, so it is never refused for a license (rule L7).

use gtp::v2::{Cause, CauseIe, FTeid, IeSet, IeType};

use super::answer::Bearers;
use super::{Done, Rejected, Request, bearer_number};
use crate::config::GtpVersion;
use crate::plane::SessionPlane;
use crate::table::Place;

/// Instance of the SGW's endpoint for user data (TS 29.274 table 7.2.7-2).
const SGW_USER_PLANE: u8 = 1;

impl SessionPlane {
    pub(super) fn modify_bearer(&mut self, request: &Request<'_>) -> Result<Done, Rejected> {
        let session = self.session_of_v2(request);
        let session = session.ok_or(Cause::CONTEXT_NOT_FOUND)?;
        let (bearers, moves_to, cause) = self.bearers_to_modify(request, session)?;
        if !cause.is_accepted() {
            return Err(cause.into());
        }
        self.move_session(request, session)?;
        if let (Some(endpoint), Some(context)) =
            (moves_to, self.table.context_mut(Place::First(session)))
            && let Some(address) = endpoint.address()
        {
            context.move_to(endpoint.teid, address.to_canonical());
        }
        Ok(Done {
            cause,
            granted: None,
            bearers,
        })
    }

    /// What becomes of each bearer, where user data of the default bearer goes from here on, and the cause of the whole.
    /// Nothing is changed yet.
    fn bearers_to_modify(
        &self,
        request: &Request<'_>,
        session: u32,
    ) -> Result<(Bearers, Option<FTeid>, Cause), CauseIe> {
        let record = self.table.session(session);
        let record = record.ok_or(CauseIe::new(Cause::CONTEXT_NOT_FOUND))?;
        let (mut bearers, mut moves_to) = (Bearers::default(), None);
        let (mut known, mut unknown) = (false, false);
        for bearer in request.ies.groups(IeType::BEARER_CONTEXT, 0) {
            let malformed =
                CauseIe::about(Cause::MANDATORY_IE_INCORRECT, IeType::BEARER_CONTEXT, 0);
            let bearer = bearer.map_err(|_| malformed)?;
            let number = bearer_number(&bearer)?;
            if number == record.context.nsapi {
                moves_to = user_plane(&bearer)?.or(moves_to);
                let charging_id = Some(record.context.teid);
                bearers.set(number, Cause::REQUEST_ACCEPTED, charging_id);
                known = true;
            } else {
                bearers.set(number, Cause::CONTEXT_NOT_FOUND, None);
                unknown = true;
            }
        }
        let cause = match (known, unknown) {
            (_, false) => Cause::REQUEST_ACCEPTED,
            (true, true) => Cause::REQUEST_ACCEPTED_PARTIALLY,
            (false, true) => Cause::CONTEXT_NOT_FOUND,
        };
        Ok((bearers, moves_to, cause))
    }

    /// A sender that tells an endpoint for signalling has the session from here on.
    fn move_session(&mut self, request: &Request<'_>, session: u32) -> Result<(), Cause> {
        let Some((sender, address)) = request
            .sender()
            .and_then(|sender| Some((sender, sender.address()?.to_canonical())))
        else {
            return self.hear_recovery_of(request, session);
        };
        let peer = self.meet(address, GtpVersion::V2, true, request.now.mono);
        let peer = peer.ok_or(Cause::NO_RESOURCES_AVAILABLE)?;
        if let Some(counter) = request.recovery() {
            self.hear_recovery(address, counter);
        }
        let record = self.table.session_mut(session);
        let record = record.ok_or(Cause::CONTEXT_NOT_FOUND)?;
        let was_at = std::mem::replace(&mut record.peer_teid, sender.teid);
        let came_from = record.peer;
        if came_from != peer {
            let incarnation = self.shared.restarts.incarnation(address);
            self.table.move_to(session, peer, incarnation);
            self.part(came_from);
        }
        if (came_from, was_at) != (peer, sender.teid) {
            self.follow_ending(session, request.now.mono);
        }
        Ok(())
    }

    /// A restart counter without an endpoint is that of the peer that has the session.
    fn hear_recovery_of(&mut self, request: &Request<'_>, session: u32) -> Result<(), Cause> {
        let peer = self.table.session(session).map(|record| record.peer);
        let peer = peer.and_then(|peer| self.table.peers.get(peer));
        if let (Some(address), Some(counter)) = (peer.map(|p| p.address), request.recovery()) {
            self.hear_recovery(address, counter);
        }
        Ok(())
    }
}

/// Where user data goes, if the bearer context tells it.
fn user_plane(bearer: &IeSet<'_>) -> Result<Option<FTeid>, CauseIe> {
    let Some(value) = bearer.get(IeType::F_TEID, SGW_USER_PLANE) else {
        return Ok(None);
    };
    match FTeid::parse(value) {
        Ok(endpoint) => Ok(Some(endpoint)),
        Err(_) => Err(CauseIe {
            bearer_context_error: true,
            ..CauseIe::about(
                Cause::MANDATORY_IE_INCORRECT,
                IeType::F_TEID,
                SGW_USER_PLANE,
            )
        }),
    }
}
