//! Create Bearer and Update Bearer from the PGW (TS 29.274 7.2.3, 7.2.4, 7.2.15, 7.2.16): bearers beyond the default one
//! are not made, and that one is not changed.

use gtp::v2::Cause;

use super::super::answer::Bearers;
use super::super::{Done, Rejected, Request, bearer_number};
use crate::plane::SessionPlane;

impl SessionPlane {
    /// Each bearer has its cause, as the answer has.
    pub(in super::super) fn refuse_bearers(
        &self,
        request: &Request<'_>,
    ) -> Result<Option<Done>, Rejected> {
        self.relay_named(request).ok_or(Cause::CONTEXT_NOT_FOUND)?;
        let cause = Cause::NO_RESOURCES_AVAILABLE;
        let mut bearers = Bearers::default();
        for bearer in request.bearers(0) {
            bearers.set(bearer_number(&bearer?)?, cause, None);
        }
        Ok(Some(Done {
            bearers,
            ..Done::with(cause)
        }))
    }
}
