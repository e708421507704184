//! Delete PDP Context (TS 29.060 7.3.5, 7.3.6): one context, or with Teardown Ind all of its session. From an SGSN it is
//! never refused for a license (rule L7).

use gtp::v1::{Cause, IeType, MessageType, Writer};
use licensing::Mono;

use super::{Outcome, Request};
use crate::config::GtpVersion;
use crate::plane::SessionPlane;
use crate::session::Leases;
use crate::statistics::Ended;
use crate::table::Left;
use crate::transactions::{Leg, NoRoom, Purpose};

impl SessionPlane {
    pub(super) fn delete<'a>(&mut self, request: &Request<'a>) -> Outcome<'a> {
        let nsapi = request.nsapi()?;
        let session = self.table.by_teid_of(request.teid, GtpVersion::V1);
        let session = session.ok_or(Cause::NON_EXISTENT)?;
        let context = self.table.context_of(session, nsapi);
        let context = context.ok_or(Cause::NON_EXISTENT)?;
        let teardown = request.ies.get(IeType::TEARDOWN_IND);
        let teardown = teardown.and_then(|value| value.first()).unwrap_or(&0);
        if teardown & 1 == 1 {
            self.end_session(session, Ended::Deleted);
        } else if let Some(Left::Nothing(gone)) = self.table.remove_context(context) {
            self.settle(session, gone, Ended::Deleted, Leases::default());
        }
        Ok((Cause::REQUEST_ACCEPTED, None))
    }

    /// Asks an SGSN to delete a session with all its contexts.
    pub(crate) fn ask_to_delete_contexts(
        &mut self,
        leg: Leg,
        cause: Option<Cause>,
        purpose: Purpose,
        now: Mono,
    ) -> Result<(), NoRoom> {
        let kind = MessageType::DELETE_PDP_CONTEXT_REQUEST;
        let sequence = self.transactions.draw(GtpVersion::V1)?;
        let mut octets = std::mem::take(&mut self.scratch);
        // One drawn for GTPv1 has 16 bits.
        let mut writer = Writer::new(&mut octets, kind, leg.peer_teid, sequence as u16);
        if let Some(cause) = cause {
            writer.cause(cause);
        }
        writer.teardown(true).nsapi(leg.number);
        if let Ok(bytes) = writer.finish() {
            let transaction =
                leg.transaction(&self.config, GtpVersion::V1, kind.0, sequence, purpose);
            self.begin_request(transaction, bytes, now);
        }
        self.scratch = octets;
        Ok(())
    }
}
