//! Create PDP Context with a linked NSAPI: a further context of a session. It takes no address and no permit
//! (TS 29.060 7.3.1, rule L13), and is never refused for a license: it is a change of a session (rule L7).

use gtp::v1::{Cause, IeType, Nsapi};

use super::{Outcome, Request};
use crate::answer::Granted;
use crate::config::GtpVersion;
use crate::plane::SessionPlane;
use crate::session::Context;
use crate::statistics::Ended;
use crate::table::Place;

impl SessionPlane {
    pub(super) fn create_secondary<'a>(&mut self, request: &Request<'a>) -> Outcome<'a> {
        let nsapi = request.nsapi()?;
        let linked = request.value(IeType::NSAPI, 1, Nsapi::parse)?;
        let (qos, user) = (request.qos()?, request.user_plane()?);
        let session = self.table.by_teid_of(request.teid, GtpVersion::V1);
        let session = session.filter(|session| self.table.context_of(*session, linked).is_some());
        let session = session.ok_or(Cause::CONTEXT_NOT_FOUND)?;
        if nsapi == linked {
            return Err(Cause::INVALID_MESSAGE_FORMAT.into());
        }
        let teid = self.table.draw_teid(request.shard, None, &mut self.random);
        let user_teid = teid.ok_or(Cause::NO_RESOURCES_AVAILABLE)?;

        self.make_room(session, nsapi);
        let context = Context::new(user_teid, nsapi, user.0, user.1);
        self.table.insert_further(session, context);
        self.counters.plain.contexts_created += 1;
        let Some(record) = self.table.session_mut(session) else {
            return Err(Cause::SYSTEM_FAILURE.into());
        };
        if let Some(peer_teid) = request.control_teid() {
            record.peer_teid = peer_teid;
        }
        let granted = Granted {
            teid: record.teid,
            user_teid,
            address: None,
            options: None,
            qos: qos.octets(),
        };
        if let Some(counter) = request.recovery() {
            self.hear_recovery(request.peer()?, counter, request.now.mono);
        }
        Ok((Cause::REQUEST_ACCEPTED, Some(granted)))
    }

    /// A context that has the NSAPI already goes; if it is the first one of another session, that session does
    /// (TS 29.060 7.3.1).
    fn make_room(&mut self, session: u32, nsapi: Nsapi) {
        let Some(record) = self.table.session(session) else {
            return;
        };
        let Some(place) = self.table.by_key(record.identity.with(nsapi)) else {
            return;
        };
        match place {
            Place::First(other) if other != session => self.end_session(other, Ended::Replaced),
            Place::First(_) | Place::Further(_) => drop(self.table.remove_context(place)),
        }
    }
}
