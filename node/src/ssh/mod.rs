//! The shell by SSH: connections, logins and channels. What is typed is understood elsewhere, by whoever brings
//! [`Shells`]: each session has a thread of its own, reads its [`Visit`] and asks the node through its [`Session`], which
//! says who asks, so that the node judges each request by the account's role.

#[cfg_attr(not(feature = "sftp"), allow(dead_code))]
mod held;
mod session;
mod visit;

#[cfg(feature = "sftp")]
mod key;
#[cfg(feature = "sftp")]
mod server;
#[cfg(feature = "sftp")]
mod strangers;
#[cfg(feature = "sftp")]
mod visitor;

#[cfg(feature = "sftp")]
pub(crate) use server::start;
pub use session::{Session, Unanswered};
pub use visit::Visit;

/// Who understands what is typed.
pub trait Shells: Send + Sync + 'static {
    /// Runs a session to its end, on a thread of its own. The exit status.
    fn run(&self, session: &Session, visit: &mut Visit) -> u32;
}
