//! Another SGW for a PDN connection whose PGW we are (TS 23.401 5.3.3.1, 5.5.1): ourselves instead of an SGW elsewhere,
//! whereupon both are one here, or an SGW elsewhere instead of ourselves. It goes on, with its permit and its addresses,
//! under the service that it has become, and is never refused for a license (rule L7).
//!
//! For a hand-over between eNodeBs an MME prepares the new SGW before the UE goes, and tells so by leaving the Operation
//! Indication out (TS 23.401 5.5.1.2). The connection comes at once; if the hand-over is cancelled it goes back to the SGW
//! that had it.

use std::net::IpAddr;

use gtp::v2::{Cause, CauseIe, FTeid, PdnType};
use licensing::Mono;

use super::Request;
use crate::call::{Call, Made, Obstacle};
use crate::config::{GtpVersion, Role};
use crate::plane::SessionPlane;
use crate::session::{Access, Identity};
use crate::statistics::Ended;
use crate::table::{Endpoints, Place};

/// The SGW that a connection came from for a hand-over that is not over.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Before {
    peer: IpAddr,
    peer_teid: u32,
    /// The incarnation of it that had the connection.
    incarnation: u32,
    /// Its endpoint for user data.
    user: (u32, IpAddr),
}

impl SessionPlane {
    /// The connection that a Create from an MME brings to us: the one whose PGW's endpoint, ours, it names. None: it asks
    /// for a new one. `apns`: the places of the name that it asks for. One of another name is not meant: its permit, if it
    /// has one, is not for that name.
    pub(super) fn relocated(
        &self,
        pgw: &FTeid,
        who: Identity,
        apns: [Option<u16>; 2],
    ) -> Result<Option<u32>, CauseIe> {
        if pgw.teid == 0 {
            return Ok(None);
        }
        let place = self.table.by_teid_of(pgw.teid, GtpVersion::V2);
        let session = place.and_then(|place| self.table.session(place));
        // One that went to another SGW has the place that `leave_ue` gave it. None is an SGW's.
        let went_to = |apn| self.shared.apns.counterpart(apn, Role::Pgw);
        let mut names = apns.into_iter().flatten();
        let mut is_of = |apn| names.any(|name| name == apn || went_to(name) == Some(apn));
        let is_it = session.is_some_and(|session| {
            session.identity == who
                && matches!(session.access, Access::S11 | Access::S5)
                && is_of(session.apn)
        });
        match is_it {
            true => Ok(place),
            false => Err(CauseIe::new(Cause::CONTEXT_NOT_FOUND)),
        }
    }

    /// It comes, with its endpoint as a PGW's, which other SGWs know it by. `sure`: there is no going back.
    pub(super) fn come_from_an_sgw(
        &mut self,
        call: &Call<'_>,
        session: u32,
        sure: bool,
        now: Mono,
    ) -> Result<Made, Obstacle> {
        let record = self.table.session(session).ok_or(Obstacle::Endpoints)?;
        let (teid, leases, was_at) = (record.teid, record.leases, record.apn);
        let beside = self
            .table
            .by_bearer(call.who, call.number, Access::S11)
            .filter(|other| *other != session);
        let ue_teid = self.ue_teid(call, [Some(session), beside], teid)?;
        let peer = self.meet(call.peer, GtpVersion::V2, true, now);
        let peer = peer.ok_or(Obstacle::Peers)?;
        if let Some(counter) = call.recovery {
            self.hear_recovery(call.peer, counter, now);
        }
        if let Some(beside) = beside {
            self.end_session(beside, Ended::Replaced);
        }
        self.note_before(session, sure);
        let ue = Endpoints {
            ours: ue_teid,
            peers: call.peer_teid,
        };
        self.counters.plain.handed_over += 1;
        self.table.join_ue(session, call.apn, call.number, ue);
        self.live_by_apn[usize::from(was_at)] -= 1;
        self.live_by_apn[usize::from(call.apn)] += 1;
        self.reclass(session, call.class);
        if let Some(context) = self.table.context_mut(Place::First(session)) {
            context.move_to(call.user.0, call.user.1);
        }
        self.hand_to(session, peer, true, now);
        if let Some(ue) = self.table.ue_by_teid(ue_teid) {
            self.end_lost_of(ue, peer);
            self.move_ue(ue, peer, call.peer_teid, now);
        }
        Ok(Made {
            place: session,
            teid,
            ue_teid: Some(ue_teid),
            leases,
        })
    }

    fn note_before(&mut self, session: u32, sure: bool) {
        let record = self.table.session(session);
        let record = record.filter(|record| record.access == Access::S5);
        let peer = record.and_then(|record| self.table.peers.get(record.peer));
        if let (Some(record), Some(peer), false) = (record, peer, sure) {
            let before = Before {
                peer: peer.address,
                peer_teid: record.peer_teid,
                incarnation: record.incarnation,
                user: (record.context.peer_teid, record.context.peer_user()),
            };
            self.prepared.insert(session, before);
        }
    }

    /// The hand-over that a connection came for was cancelled: it goes back, unless the SGW has restarted since and knows
    /// it no more. False: it came for none.
    pub(super) fn go_back(&mut self, session: u32, now: Mono) -> bool {
        let Some(before) = self.prepared.remove(&session) else {
            return false;
        };
        if before.incarnation < self.shared.restarts.incarnations(before.peer).living {
            self.end_session(session, Ended::PeerLost);
            return true;
        }
        self.leave_ue(session);
        let peer = self.meet(before.peer, GtpVersion::V2, true, now);
        if let Some(record) = self.table.session_mut(session) {
            record.peer_teid = before.peer_teid;
            record.context.move_to(before.user.0, before.user.1);
        }
        if let Some(peer) = peer {
            self.hand_to(session, peer, true, now);
        }
        true
    }

    /// The PDN type that a session has.
    pub(super) fn pdn_type_of(&self, session: u32) -> Option<PdnType> {
        let leases = self.table.session(session)?.leases;
        Some(match (leases.v4, leases.v6) {
            (Some(_), Some(_)) => PdnType::Ipv4v6,
            (None, Some(_)) => PdnType::Ipv6,
            (_, None) => PdnType::Ipv4,
        })
    }

    /// The connection of a UE by S11 that a Modify Bearer from an SGW names as its PGW's.
    pub(super) fn taken_by_an_sgw(&self, request: &Request<'_>) -> Option<u32> {
        let session = self.table.by_teid_of(request.teid?, GtpVersion::V2)?;
        let record = self.table.session(session)?;
        let apn = self.config.apns.get(usize::from(record.apn))?;
        let is_ours = record.access == Access::S11 && apn.role == Role::Saegw;
        (is_ours && request.access() == Some(Access::S5)).then_some(session)
    }

    /// It leaves its UE and is a PGW's alone, under the same access point name if a PGW has that; else it counts as it
    /// did.
    pub(super) fn leave_ue(&mut self, session: u32) {
        let Some(record) = self.table.session(session) else {
            return;
        };
        let (who, number, was_at, class) = (
            record.identity,
            record.context.nsapi,
            record.apn,
            record.class,
        );
        if record.access != Access::S11 {
            return;
        }
        self.prepared.remove(&session);
        let counterpart = self.shared.apns.counterpart(was_at, Role::Pgw);
        let apn = counterpart.unwrap_or(was_at);
        let class = self.shared.apns.class_there(class, was_at, apn);
        if let Some(other) = self.table.by_bearer(who, number, Access::S5) {
            self.end_session(other, Ended::Replaced);
        }
        self.counters.plain.handed_over += 1;
        self.table.leave_ue(session, apn);
        self.live_by_apn[usize::from(was_at)] -= 1;
        self.live_by_apn[usize::from(apn)] += 1;
        self.reclass(session, class);
    }
}
