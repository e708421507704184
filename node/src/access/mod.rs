//! Who asks, what they may, and what is written down of it.

mod audit;
mod local;

use api::Privilege;

pub(crate) use audit::{Audit, Line};
pub(crate) use local::Local;

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Who {
    /// The name of an account, or of the user at the control socket.
    pub(crate) name: String,
    /// What they may do; none: nothing, they are not let in.
    pub(crate) privilege: Option<Privilege>,
    /// Where they are.
    pub(crate) from: String,
}
