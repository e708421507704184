//! Another SGW for a PDN connection whose PGW we are (TS 23.401 5.3.3.1, 5.5.1): ourselves instead of an SGW elsewhere,
//! whereupon both are one here, or an SGW elsewhere instead of ourselves. It goes on, with its permit and its addresses,
//! under the service that it has become, and is never refused for a license (rule L7).
//!
//! An MME prepares a hand-over between eNodeBs at the new SGW before it is sure of it, and without the Operation
//! Indication: that makes no difference here, the connection comes at once.

use gtp::v2::{Cause, CauseIe, FTeid, PdnType};

use super::Request;
use crate::config::{GtpVersion, Role};
use crate::plane::SessionPlane;
use crate::session::{Access, Identity};
use crate::statistics::Ended;

impl SessionPlane {
    /// The connection that a Create from an MME brings to us: the one whose PGW's endpoint, ours, it names. None: it asks
    /// for a new one.
    pub(super) fn relocated(&self, pgw: &FTeid, who: Identity) -> Result<Option<u32>, CauseIe> {
        if pgw.teid == 0 {
            return Ok(None);
        }
        let place = self.table.by_teid_of(pgw.teid, GtpVersion::V2);
        let session = place.and_then(|place| self.table.session(place));
        match session.is_some_and(|session| session.identity == who) {
            true => Ok(place),
            false => Err(CauseIe::new(Cause::CONTEXT_NOT_FOUND)),
        }
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
        let counterpart = self.shared.apns.counterpart(was_at, Role::Pgw);
        let apn = counterpart.unwrap_or(was_at);
        let class = self.shared.apns.class_there(class, was_at, apn);
        if let Some(other) = self.table.by_bearer(who, number, apn, Access::S5) {
            self.end_session(other, Ended::Replaced);
        }
        self.table.leave_ue(session, apn);
        self.live_by_apn[usize::from(was_at)] -= 1;
        self.live_by_apn[usize::from(apn)] += 1;
        self.reclass(session, class);
    }
}
