//! Why a node does not start, or did not end as it should.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use thiserror::Error;

use crate::config::ConfigError;
use crate::store::StoreError;

/// Why a node does not start, or did not end as it should.
#[derive(Debug, Error)]
pub enum NodeError {
    /// The configuration is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The state directory can't be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The Gn address can't be bound.
    #[error(
        "gn.listen {address}: {source}; another process has it, or it is not an address of this machine"
    )]
    Gn {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The control socket can't be bound.
    #[error("control.socket {path}: {source}; stop that process or set another path")]
    Control {
        /// The path.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The gate can't hold what the configuration asks for.
    #[error("the gate: {0}; have fewer access points or feature sets")]
    Gate(#[from] enforcer::gate::GateError),
    /// The session plane can't serve what the configuration asks for.
    #[error("the session plane: {0}; mend the configuration")]
    Plane(#[from] session_plane::PlaneError),
    /// The system gave no thread, no runtime or no random numbers.
    #[error("{what}: {source}")]
    System {
        /// What was asked of it.
        what: &'static str,
        /// Why it failed.
        source: io::Error,
    },
    /// A thread did not end in time; what it had not saved is lost.
    #[error("the {thread} did not end within {limit_s} s; it was left behind")]
    NotEnded {
        /// Which thread.
        thread: String,
        /// How long it had, in seconds.
        limit_s: u64,
    },
    /// A thread had ended before it was told to.
    #[error("the {thread} had failed; see the log")]
    Failed {
        /// Which thread.
        thread: String,
    },
}
