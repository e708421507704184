//! Update PDP Context from an SGSN: another SGSN, other endpoints, another QoS (TS 29.060 7.3.3, 7.3.4). It changes a
//! session that is there, so it is never refused for a license (rule L7).

use gtp::v1::Cause;

use super::{Outcome, Request};
use crate::answer::Granted;
use crate::config::GtpVersion;
use crate::plane::SessionPlane;
use crate::table::Place;

impl SessionPlane {
    pub(super) fn update<'a>(&mut self, request: &Request<'a>) -> Outcome<'a> {
        let (nsapi, qos) = (request.nsapi()?, request.qos()?);
        let (user_teid, user_address) = request.user_plane()?;
        let address = request.peer()?;
        let session = self.table.by_teid_of(request.teid, GtpVersion::V1);
        let session = session.ok_or(Cause::NON_EXISTENT)?;
        let place = self.table.context_of(session, nsapi);
        let place = place.ok_or(Cause::NON_EXISTENT)?;

        let peer = self.meet(address, GtpVersion::V1, true, request.now.mono);
        let peer = peer.ok_or(Cause::NO_RESOURCES_AVAILABLE)?;
        if let Some(counter) = request.recovery() {
            self.hear_recovery(address, counter, request.now.mono);
        }
        let Some(record) = self.table.session_mut(session) else {
            return Err(Cause::NON_EXISTENT.into());
        };
        let teid = record.teid;
        let was_at = record.peer_teid;
        if let Some(peer_teid) = request.control_teid() {
            record.peer_teid = peer_teid;
        }
        let renamed = record.peer_teid != was_at;
        self.hand_to(session, peer, renamed, request.now.mono);
        let Some(context) = self.table.context_mut(place) else {
            return Err(Cause::NON_EXISTENT.into());
        };
        context.move_to(user_teid, user_address);
        let granted = Granted {
            teid,
            user_teid: context.teid,
            address: None,
            options: None,
            qos: qos.octets(),
        };
        if place == Place::First(session) {
            self.weigh_again(request, session);
        }
        Ok((Cause::REQUEST_ACCEPTED, Some(granted)))
    }

    /// The priority of the first context is that of the call (rule L8); when it changes, the session counts for another
    /// class from here on.
    fn weigh_again(&mut self, request: &Request<'_>, session: u32) {
        let Some(record) = self.table.session(session) else {
            return;
        };
        let apn = self.config.apns.get(usize::from(record.apn));
        let served = self.shared.apns.served(record.apn);
        if let (Some(apn), Some(served), Ok(qos)) = (apn, served, request.qos()) {
            let class = served.class(apn, request.priority_level(), Some(qos.arp()));
            self.reclass(session, class);
        }
    }
}
