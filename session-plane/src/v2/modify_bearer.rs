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
    /// None: the answer waits for a PGW's.
    pub(super) fn modify_bearer(
        &mut self,
        request: &Request<'_>,
    ) -> Result<Option<Done>, Rejected> {
        if let Some(ue) = self.ue_named(request) {
            return self.modify_access_bearers(request, ue);
        }
        let session = self
            .session_named(request)
            .or_else(|| self.taken_by_an_sgw(request));
        let session = session.ok_or(Cause::CONTEXT_NOT_FOUND)?;
        let (bearers, moves_to, cause) = self.bearers_to_modify(request, session)?;
        if !cause.is_accepted() {
            return Err(cause.into());
        }
        self.leave_ue(session);
        self.move_session(request, session)?;
        if let (Some(endpoint), Some(context)) =
            (moves_to, self.table.context_mut(Place::First(session)))
            && let Some(address) = endpoint.address()
        {
            context.move_to(endpoint.teid, address.to_canonical());
        }
        Ok(Some(Done {
            bearers,
            ..Done::with(cause)
        }))
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
        for bearer in request.bearers(0) {
            let bearer = bearer?;
            let number = bearer_number(&bearer)?;
            if number == record.context.nsapi {
                moves_to = user_plane(&bearer, SGW_USER_PLANE)?.or(moves_to);
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
        let Some((peer, teid)) = self.new_peer(request)? else {
            self.hear_recovery_of(request, session);
            return Ok(());
        };
        let record = self.table.session_mut(session);
        let record = record.ok_or(Cause::CONTEXT_NOT_FOUND)?;
        let renamed = std::mem::replace(&mut record.peer_teid, teid) != teid;
        self.hand_to(session, peer, renamed, request.now.mono);
        Ok(())
    }

    /// The peer, and its endpoint, that a request tells to be its sender, if it tells one.
    pub(super) fn new_peer(&mut self, request: &Request<'_>) -> Result<Option<(u32, u32)>, Cause> {
        let Some((sender, address)) = request
            .sender()
            .and_then(|sender| Some((sender, sender.address()?.to_canonical())))
        else {
            return Ok(None);
        };
        let peer = self.meet(address, GtpVersion::V2, true, request.now.mono);
        let peer = peer.ok_or(Cause::NO_RESOURCES_AVAILABLE)?;
        if let Some(counter) = request.recovery() {
            self.hear_recovery(address, counter, request.now.mono);
        }
        Ok(Some((peer, sender.teid)))
    }

    /// A restart counter without an endpoint is that of the peer that has the session.
    pub(super) fn hear_recovery_of(&mut self, request: &Request<'_>, session: u32) {
        let peer = self.table.session(session).map(|record| record.peer);
        let peer = peer.and_then(|peer| self.table.peers.get(peer));
        if let (Some(address), Some(counter)) = (peer.map(|p| p.address), request.recovery()) {
            self.hear_recovery(address, counter, request.now.mono);
        }
    }
}

/// Where user data goes, if the bearer context tells it in this instance.
pub(super) fn user_plane(bearer: &IeSet<'_>, instance: u8) -> Result<Option<FTeid>, CauseIe> {
    let Some(value) = bearer.get(IeType::F_TEID, instance) else {
        return Ok(None);
    };
    match FTeid::parse(value) {
        Ok(endpoint) => Ok(Some(endpoint)),
        Err(_) => Err(CauseIe {
            bearer_context_error: true,
            ..CauseIe::about(Cause::MANDATORY_IE_INCORRECT, IeType::F_TEID, instance)
        }),
    }
}
