//! Delete Session from an SGW, TWAN or ePDG (TS 29.274 7.2.9.1, 7.2.10.1). It is never refused for a license (rule L7).

use gtp::v1::Nsapi;
use gtp::v2::{Cause, IeType};

use super::answer::Bearers;
use super::{Done, Rejected, Request};
use crate::plane::SessionPlane;
use crate::statistics::Ended;

impl SessionPlane {
    /// The tunnel endpoint says which session; a linked bearer that is not its default one says that the peer means
    /// another, which is not here.
    pub(super) fn delete_session(&mut self, request: &Request<'_>) -> Result<Done, Rejected> {
        let session = self.session_of_v2(request);
        let session = session.ok_or(Cause::CONTEXT_NOT_FOUND)?;
        let linked = request.ies.get(IeType::EBI, 0);
        let linked = linked.and_then(|value| Nsapi::parse(value).ok());
        let record = self.table.session(session);
        let number = record.map(|record| record.context.nsapi);
        if linked.is_some() && linked != number {
            return Err(Cause::CONTEXT_NOT_FOUND.into());
        }
        self.end_session(session, Ended::Deleted);
        Ok(Done {
            cause: Cause::REQUEST_ACCEPTED,
            granted: None,
            bearers: Bearers::default(),
        })
    }
}
