//! Why a node does not start, or did not end as it should.

use std::io::{self, ErrorKind};
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
    /// The form of the gate that was asked for can't be had.
    #[error("node.gate \"asymmetric\" can't be had: {why}; set it to \"auto\"")]
    GateForm {
        /// Why.
        why: String,
    },
    /// The Gn address can't be bound.
    #[error("gn.listen {address}: {source}; {}", gn_todo(source))]
    Gn {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The address of the metrics can't be bound.
    #[error("metrics.listen {address}: {source}; {}", gn_todo(source))]
    Metrics {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The address of SSH can't be bound.
    #[error("ssh.listen {address}: {source}; {}", gn_todo(source))]
    Ssh {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The host key of SSH can't be used.
    #[error("{path}: {source}; mend it, or take it away and have a new one")]
    HostKey {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The control socket can't be bound.
    #[error("control.socket {path}: {source}; {}", control_todo(source))]
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

fn gn_todo(source: &io::Error) -> &'static str {
    let by_cause = [
        (
            ErrorKind::AddrInUse,
            "stop the process that has it, or set another address or port",
        ),
        (
            ErrorKind::AddrNotAvailable,
            "set an address of this machine",
        ),
        (
            ErrorKind::PermissionDenied,
            "let this user bind it, or set another port",
        ),
    ];
    todo(&by_cause, source).unwrap_or("set another address")
}

fn control_todo(source: &io::Error) -> &'static str {
    let by_cause = [
        (
            ErrorKind::AddrInUse,
            "stop that process or set another path",
        ),
        (ErrorKind::AlreadyExists, "move it away or set another path"),
    ];
    let other = "make its directory, for this user to write in, or set another path";
    todo(&by_cause, source).unwrap_or(other)
}

fn todo(by_cause: &[(ErrorKind, &'static str)], source: &io::Error) -> Option<&'static str> {
    let row = by_cause.iter().find(|(kind, _)| *kind == source.kind());
    row.map(|(_, todo)| *todo)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_to_do_follows_from_the_cause() {
        let control = |kind: ErrorKind| {
            let (path, source) = ("/run/t/c.sock".into(), kind.into());
            NodeError::Control { path, source }.to_string()
        };
        let missing = control(ErrorKind::NotFound);
        assert!(
            missing
                .ends_with("; make its directory, for this user to write in, or set another path")
        );
        let taken = control(ErrorKind::AddrInUse);
        assert!(taken.ends_with("; stop that process or set another path"));
        let gn = |kind: ErrorKind| {
            let address = SocketAddr::from(([127, 0, 0, 1], 2123));
            let source = kind.into();
            NodeError::Gn { address, source }.to_string()
        };
        let taken = gn(ErrorKind::AddrInUse);
        assert!(taken.starts_with("gn.listen 127.0.0.1:2123: "), "{taken}");
        assert!(taken.ends_with("; stop the process that has it, or set another address or port"));
        assert!(gn(ErrorKind::AddrNotAvailable).ends_with("; set an address of this machine"));
    }
}
