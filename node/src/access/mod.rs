//! Who asks, what they may, and what is written down of it.

mod accounts;
mod audit;
mod local;
mod lockout;
mod password;
mod refusals;

use api::Privilege;

pub(crate) use accounts::Accounts;
#[cfg(feature = "sftp")]
pub(crate) use accounts::Held;
pub(crate) use audit::{Audit, Line};
pub(crate) use local::Local;
#[cfg(feature = "sftp")]
pub(crate) use lockout::Wrong;
pub use password::PasswordHash;
pub(crate) use password::{PASSWORD_BYTES_MAX, PASSWORD_LETTERS_MIN};
pub(crate) use refusals::Refusal;

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Who {
    /// The name of an account, or of the user at the control socket.
    pub(crate) name: String,
    /// What they may do; none: nothing, they are not let in.
    pub(crate) privilege: Option<Privilege>,
    /// Where they are.
    pub(crate) from: String,
    /// They are not at the control socket.
    pub(crate) is_remote: bool,
}
