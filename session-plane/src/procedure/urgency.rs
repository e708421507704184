//! Who may ask, and what overload control makes of a request by GTPv1.

use std::net::IpAddr;

use gtp::v1::{Apn as AskedApn, IeType, MessageType};

use super::Request;
use crate::config::{Interface, Role};
use crate::overload::{Passage, Urgency};
use crate::plane::SessionPlane;
use crate::statistics::DropReason;

impl SessionPlane {
    /// Before anything is done for it; what does not pass is counted.
    pub(crate) fn passage_of(&mut self, request: &Request<'_>, peer: IpAddr) -> Passage {
        let wanted = || self.wanted(request).map(|apn| (apn, Interface::Gn));
        if !self.allows_all() && !self.is_allowed(peer, request.teid, wanted()) {
            self.counters.dropped(DropReason::NotAllowed);
            return Passage::Drop;
        }
        match self.has_plenty(peer, request.now.mono) {
            true => Passage::Pass,
            false => self.judge(peer, request.now.mono, self.urgency(request)),
        }
    }

    /// The access point name that a request is to make a session with.
    fn wanted(&self, request: &Request<'_>) -> Option<u16> {
        let makes = request.kind == MessageType::CREATE_PDP_CONTEXT_REQUEST;
        if !makes || request.linked_nsapi().is_some() {
            return None;
        }
        let asked = AskedApn::parse(request.ies.get(IeType::ACCESS_POINT_NAME)?).ok()?;
        self.shared.apns.find(&asked, Role::Ggsn)
    }

    fn urgency(&self, request: &Request<'_>) -> Urgency {
        let is_create = request.kind == MessageType::CREATE_PDP_CONTEXT_REQUEST;
        if let Some(place) = self.wanted(request) {
            let apn = self.config.apns.get(usize::from(place));
            let served = apn.zip(self.shared.apns.served(place));
            let rel99 = request.qos().ok().map(|qos| qos.arp());
            let class =
                served.map(|(apn, served)| served.class(apn, request.priority_level(), rel99));
            return class.map_or(Urgency::Ordinary, |class| {
                self.urgency_of_call(place, class, request.has_low_priority())
            });
        }
        let deletes = request.kind == MessageType::DELETE_PDP_CONTEXT_REQUEST;
        if deletes || self.is_of_emergency(request.teid) {
            return Urgency::Always;
        }
        match is_create && request.linked_nsapi().is_none() {
            true => Urgency::Ordinary,
            false => Urgency::High,
        }
    }
}
