//! Why a client's request is not done; nothing has changed then but that its lease, if it is known, is renewed.

use api::{
    BATCH_CALLS_MAX, CLIENT_CLASSES_MAX, CLIENT_NAME_BYTES_MAX, CLIENT_SESSIONS_MAX, CLIENTS_MAX,
    Failure, LEASE_MS_MAX, LEASE_MS_MIN, UNKNOWN_LEASE,
};
use enforcer::gate::GateError;
use thiserror::Error;

use crate::control::Denial;

/// Why a client's request is not done.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum AdmissionError {
    #[error("no lease is numbered {0}: it ran out, was closed, or the node has restarted")]
    UnknownLease(u64),
    #[error("a client called {name} has a lease for {lease_left_ms} ms yet")]
    NameTaken { name: String, lease_left_ms: u64 },
    #[error("{CLIENTS_MAX} clients have leases")]
    ClientsFull,
    #[error("the clients hold {CLIENT_SESSIONS_MAX} sessions")]
    SessionsFull,
    #[error("a name has 1 to {CLIENT_NAME_BYTES_MAX} printable characters, without white space")]
    Name,
    #[error("a lease of {0} ms")]
    LeaseLength(u64),
    #[error("{0} classes")]
    Classes(usize),
    #[error("no service is called {0:?}")]
    UnknownService(String),
    #[error("no feature is called {0:?}")]
    UnknownFeature(String),
    #[error(transparent)]
    Gate(#[from] GateError),
    #[error("batch {sequence} is neither the last, {last}, once more nor the next")]
    Sequence { sequence: u64, last: u64 },
    #[error("a batch of {0} calls")]
    Calls(u32),
    #[error("class {class} of {classes}")]
    Class { class: u16, classes: usize },
    #[error("{calls} sessions to release, {held} held")]
    NotHeld { calls: u32, held: u64 },
    #[error("calls were admitted or released under this lease: nothing is restored after that")]
    RestoreTooLate,
}

impl AdmissionError {
    /// As the control socket says it.
    pub(crate) fn failure(&self) -> (Denial, Failure) {
        let (why, place, todo) = match self {
            Self::UnknownLease(_) => (
                Denial::Unknown,
                UNKNOWN_LEASE,
                "open again, restore what lives".to_owned(),
            ),
            Self::NameTaken { .. } => (
                Denial::Conflict,
                "name",
                "wait until it ends, or take another name".to_owned(),
            ),
            Self::ClientsFull => (
                Denial::Full,
                "open-client",
                "close one, or wait until a lease ends".to_owned(),
            ),
            Self::SessionsFull => (Denial::Full, "calls", "release some first".to_owned()),
            Self::Name => (Denial::Invalid, "name", "choose another".to_owned()),
            Self::LeaseLength(_) => (
                Denial::Invalid,
                "lease_ms",
                format!("give {LEASE_MS_MIN} to {LEASE_MS_MAX}"),
            ),
            Self::Classes(_) => (
                Denial::Invalid,
                "classes",
                format!("give 1 to {CLIENT_CLASSES_MAX}"),
            ),
            Self::UnknownService(_) | Self::UnknownFeature(_) => (
                Denial::Unknown,
                "classes",
                "take a name of show license smart-tags".to_owned(),
            ),
            Self::Gate(_) => (
                Denial::Full,
                "classes",
                "take a class that is known already".to_owned(),
            ),
            Self::Sequence { .. } => (
                Denial::Conflict,
                "sequence",
                "send one batch after the other, each with the next number".to_owned(),
            ),
            Self::Calls(_) => (
                Denial::Invalid,
                "calls",
                format!("give 1 to {BATCH_CALLS_MAX}"),
            ),
            Self::Class { .. } => (
                Denial::Invalid,
                "class",
                "give the place of a class that was named, from 0".to_owned(),
            ),
            Self::NotHeld { .. } => (
                Denial::Conflict,
                "calls",
                "release what is held; the answer to a heartbeat says what is".to_owned(),
            ),
            Self::RestoreTooLate => (
                Denial::Conflict,
                "operation",
                "restore before the first admission or release".to_owned(),
            ),
        };
        (why, Failure::new(self.to_string(), place, todo))
    }
}
