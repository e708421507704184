//! Modify Bearer and Release Access Bearers from an MME (TS 29.274 7.2.7, 7.2.8, 7.2.21, 7.2.22): the radio side of a
//! UE's PDN connections comes, moves and goes, and a UE goes over to another MME. They change sessions that are there, so
//! they are never refused for a license (rule L7).

use std::net::{IpAddr, Ipv4Addr};

use gtp::v1::Nsapi;
use gtp::v2::{Cause, CauseIe, FTeid};

use super::answer::Bearers;
use super::modify_bearer::user_plane;
use super::{Done, Rejected, Request, bearer_number};
use crate::plane::SessionPlane;
use crate::statistics::Ended;
use crate::table::Place;

/// Instance of the eNodeB's endpoint for user data in a bearer context (TS 29.274 table 7.2.7-2).
const ENODEB: u8 = 0;
/// Instances of bearer contexts: to be modified and, in the answer, modified; to be removed and marked for removal
/// (tables 7.2.7-1, 7.2.8-1).
const TO_MODIFY: u8 = 0;
const TO_REMOVE: u8 = 1;
/// Where user data goes while the UE has no access bearers.
const NOWHERE: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

/// What a request asks of the bearers of a UE, found to be something that can be done.
struct Plan {
    cause: Cause,
    modified: Bearers,
    removed: Bearers,
    /// Where user data of which sessions goes from here on.
    moves: [Option<(u32, FTeid)>; Nsapi::MAX as usize + 1],
}

impl SessionPlane {
    /// What a PGW wants to know is told there first; None: the answer waits for that.
    pub(super) fn modify_access_bearers(
        &mut self,
        request: &Request<'_>,
        ue: u32,
    ) -> Result<Option<Done>, Rejected> {
        let plan = self.plan_bearers(request, ue)?;
        if plan.cause.is_accepted() && self.report_to_pgw(request, ue) {
            return Ok(None);
        }
        self.change_access_bearers(request, ue).map(Some)
    }

    /// Without bearer contexts it tells where the UE is, or which MME has it.
    pub(super) fn change_access_bearers(
        &mut self,
        request: &Request<'_>,
        ue: u32,
    ) -> Result<Done, Rejected> {
        let plan = self.plan_bearers(request, ue)?;
        if !plan.cause.is_accepted() {
            return Err(plan.cause.into());
        }
        if let Some((peer, teid)) = self.new_peer(request)? {
            self.move_ue(ue, peer, teid, request.now.mono);
        } else if let Some(session) = self.table.ue(ue).and_then(|ue| ue.sessions().next()) {
            self.hear_recovery_of(request, session);
        }
        for (session, enodeb) in plan.moves.into_iter().flatten() {
            self.prepared.remove(&session);
            if let (Some(context), Some(address)) = (
                self.table.context_mut(Place::First(session)),
                enodeb.address(),
            ) {
                context.move_to(enodeb.teid, address.to_canonical());
            }
        }
        self.remove_bearers(request, ue);
        Ok(Done {
            bearers: plan.modified,
            removed: plan.removed,
            ..Done::with(plan.cause)
        })
    }

    /// Nothing is changed yet.
    fn plan_bearers(&self, request: &Request<'_>, ue: u32) -> Result<Plan, CauseIe> {
        let ue = self.table.ue(ue);
        let ue = ue.ok_or(CauseIe::new(Cause::CONTEXT_NOT_FOUND))?;
        let mut plan = Plan {
            cause: Cause::REQUEST_ACCEPTED,
            modified: Bearers::default(),
            removed: Bearers::default(),
            moves: [None; Nsapi::MAX as usize + 1],
        };
        let (mut known, mut unknown) = (false, false);
        for instance in [TO_MODIFY, TO_REMOVE] {
            for bearer in request.bearers(instance) {
                let bearer = bearer?;
                let number = bearer_number(&bearer)?;
                let session = ue.session(number);
                let enodeb = user_plane(&bearer, ENODEB)?;
                let (list, cause) = match (instance, session) {
                    (TO_REMOVE, Some(_)) => (&mut plan.removed, Cause::REQUEST_ACCEPTED),
                    (TO_REMOVE, None) => (&mut plan.removed, Cause::CONTEXT_NOT_FOUND),
                    (_, Some(_)) => (&mut plan.modified, Cause::REQUEST_ACCEPTED),
                    (_, None) => (&mut plan.modified, Cause::CONTEXT_NOT_FOUND),
                };
                list.set(number, cause, None);
                if let (TO_MODIFY, Some(session)) = (instance, session) {
                    plan.modified.serve(number, self.table.session(session));
                    plan.moves[usize::from(number.number())] = enodeb.map(|to| (session, to));
                }
                // A bearer that is to go and is not there is gone.
                known |= session.is_some() || instance == TO_REMOVE;
                unknown |= session.is_none() && instance == TO_MODIFY;
            }
        }
        plan.cause = match (known, unknown) {
            (_, false) => Cause::REQUEST_ACCEPTED,
            (true, true) => Cause::REQUEST_ACCEPTED_PARTIALLY,
            (false, true) => Cause::CONTEXT_NOT_FOUND,
        };
        Ok(plan)
    }

    /// A PDN connection does not outlive its default bearer (TS 23.401 4.7.2.1).
    fn remove_bearers(&mut self, request: &Request<'_>, ue: u32) {
        for bearer in request.bearers(TO_REMOVE).filter_map(Result::ok) {
            let number = bearer_number(&bearer).ok();
            let ue = self.table.ue(ue);
            let session = number.and_then(|number| ue?.session(number));
            if let Some(session) = session {
                self.end_session(session, Ended::Deleted);
            }
        }
    }

    /// The UE goes idle: user data of none of its sessions has anywhere to go. They stay, with their permits.
    pub(super) fn release_access_bearers(
        &mut self,
        request: &Request<'_>,
    ) -> Result<Done, Rejected> {
        let ue = self.ue_named(request);
        let ue = ue.and_then(|ue| self.table.ue(ue));
        let sessions = ue.ok_or(Cause::CONTEXT_NOT_FOUND)?.sessions();
        for session in sessions {
            if let Some(context) = self.table.context_mut(Place::First(session)) {
                context.move_to(0, NOWHERE);
            }
        }
        Ok(Done::with(Cause::REQUEST_ACCEPTED))
    }
}
