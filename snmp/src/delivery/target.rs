//! Targets: who is sent notifications. How they are spoken to, and by which credentials, is their shell's affair.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

use thiserror::Error;

/// Targets at most.
pub const TARGETS_MAX: usize = 16;
/// Notifications that wait for one target at most, those on their way among them.
pub const QUEUE_MAX: usize = 10_000;
/// Least that a queue may hold.
const QUEUE_LEAST: usize = 16;

/// One target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Its name; what is queued for it goes by that.
    pub name: String,
    /// Where it listens.
    pub address: SocketAddr,
    /// Sent informs, which it acknowledges; none: traps.
    pub inform: Option<Inform>,
    /// Notifications that wait for it at most: 16 to [`QUEUE_MAX`].
    pub queue: usize,
    /// It is left out, because it can't be spoken to: what it is to be sent waits.
    pub left_out: bool,
}

/// How informs are repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inform {
    /// An acknowledgement that takes longer is taken for none; 100 ms to 60 s.
    pub timeout: Duration,
    /// Times that it is sent again before the target is taken to be away, at most 10.
    pub retries: u8,
}

/// Why targets are not taken.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TargetError {
    /// More than [`TARGETS_MAX`].
    #[error("{0} targets; at most {TARGETS_MAX}")]
    TooMany(usize),
    /// A name twice, or none.
    #[error(
        "target {0:?}: a name of its own is needed, of letters, digits, dots, hyphens and underscores"
    )]
    Name(String),
    /// The queue.
    #[error("target {0}: a queue holds {QUEUE_LEAST} to {QUEUE_MAX} notifications")]
    Queue(String),
    /// Timeout or retries.
    #[error("target {0}: a timeout is 100 ms to 60 s, and there are at most 10 retries")]
    Inform(String),
}

impl Target {
    /// Sent traps, with a queue of [`QUEUE_MAX`].
    pub fn new(name: &str, address: SocketAddr) -> Self {
        Self {
            name: name.to_owned(),
            address,
            inform: None,
            queue: QUEUE_MAX,
            left_out: false,
        }
    }
}

impl Inform {
    /// 5 seconds and 3 retries.
    pub const DEFAULT: Self = Self {
        timeout: Duration::from_secs(5),
        retries: 3,
    };
}

/// Checks all targets: what it takes, [`Delivery::set_targets`](super::Delivery::set_targets) takes.
pub fn check(targets: &[Target]) -> Result<(), TargetError> {
    if targets.len() > TARGETS_MAX {
        return Err(TargetError::TooMany(targets.len()));
    }
    let mut names = BTreeSet::new();
    for target in targets {
        let name = target.name.clone();
        let letter = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
        let named = !name.is_empty() && name.len() <= 63 && name.bytes().all(letter);
        if !named || !names.insert(name.clone()) {
            return Err(TargetError::Name(name));
        }
        if !(QUEUE_LEAST..=QUEUE_MAX).contains(&target.queue) {
            return Err(TargetError::Queue(name));
        }
        if let Some(Inform { timeout, retries }) = target.inform {
            let bounds = Duration::from_millis(100)..=Duration::from_secs(60);
            if !bounds.contains(&timeout) || retries > 10 {
                return Err(TargetError::Inform(name));
            }
        }
    }
    Ok(())
}
