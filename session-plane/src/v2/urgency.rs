//! Who may ask, and what overload control makes of a request by GTPv2.

use gtp::v2::{Apn as AskedApn, BearerQos, IeType, Indication, MessageType};

use super::create_session::pgw_of;
use super::{Request, value};
use crate::config::Interface;
use crate::overload::{Passage, Urgency};
use crate::plane::SessionPlane;
use crate::statistics::DropReason;

impl SessionPlane {
    /// Before anything is done for it; what does not pass is counted.
    pub(super) fn passage_of_v2(&mut self, request: &Request<'_>) -> Passage {
        let (peer, now) = (request.path.peer.ip(), request.now.mono);
        let teid = request.teid.unwrap_or(0);
        if !self.allows_all() && !self.is_allowed(peer, teid, self.wanted_v2(request)) {
            self.counters.dropped(DropReason::NotAllowed);
            return Passage::Drop;
        }
        match self.has_plenty(peer, now) {
            true => Passage::Pass,
            false => self.judge(peer, now, self.urgency_v2(request)),
        }
    }

    /// The access point name that a request is to make a session with, and the interface that it comes by.
    fn wanted_v2(&self, request: &Request<'_>) -> Option<(u16, Interface)> {
        if request.kind != MessageType::CREATE_SESSION_REQUEST {
            return None;
        }
        let access = request.access()?;
        let asked = AskedApn::parse(request.ies.get(IeType::APN, 0)?).ok()?;
        let role = self.role_of(pgw_of(request, access).ok()?.as_ref());
        let place = self.shared.apns.find(&asked, role)?;
        Some((place, Interface::of(access)))
    }

    /// A hand-over is no new call: refused it would be a lost one.
    fn urgency_v2(&self, request: &Request<'_>) -> Urgency {
        if let Some((place, _)) = self.wanted_v2(request) {
            let apn = self.config.apns.get(usize::from(place));
            let served = apn.zip(self.shared.apns.served(place));
            let bearer = request.bearer().ok();
            let qos = bearer.and_then(|b| value(&b, IeType::BEARER_QOS, 0, BearerQos::parse).ok());
            let level = qos.map(|qos| qos.arp.priority_level);
            let class = served.map(|(apn, served)| served.class(apn, level, None));
            let urgency = class.map_or(Urgency::Ordinary, |class| {
                self.urgency_of_call(place, class, request.has_low_priority())
            });
            let flags = request.flags();
            return match flags.has(Indication::HI) || flags.has(Indication::OI) {
                true => urgency.max(Urgency::High),
                false => urgency,
            };
        }
        let deletes = matches!(
            request.kind,
            MessageType::DELETE_SESSION_REQUEST
                | MessageType::DELETE_BEARER_REQUEST
                | MessageType::DELETE_BEARER_COMMAND
        );
        if deletes || self.is_of_emergency(request.teid.unwrap_or(0)) {
            return Urgency::Always;
        }
        match request.kind {
            MessageType::CREATE_SESSION_REQUEST => Urgency::Ordinary,
            _ => Urgency::High,
        }
    }
}
