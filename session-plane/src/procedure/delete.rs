//! Delete PDP Context from an SGSN (TS 29.060 7.3.5, 7.3.6): one context, or with Teardown Ind all of its session. It
//! is never refused for a license (rule L7).

use gtp::v1::{Cause, IeType};

use super::{Outcome, Request};
use crate::config::GtpVersion;
use crate::plane::SessionPlane;
use crate::session::Leases;
use crate::statistics::Ended;
use crate::table::Left;

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
}
