//! The machine on UDP sockets, and clients that make one call after the other.

mod client;
mod outcome;
mod sessions;
mod socket;

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use licensing::Mono;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use thiserror::Error;

pub use client::{Client, ClientOptions};
pub use outcome::{Burst, ClientError, Context, Outcome};
pub use sessions::{Answered, Session, SessionClient, SessionError, SessionOptions};

use self::socket::Sockets;
use crate::{Machine, Plan, PlanError, Progress, Report};

/// Time between two calls of the progress callback.
const PROGRESS_EVERY: Duration = Duration::from_secs(1);
/// Longest wait for a datagram, so that a stop is noticed.
const LONGEST_WAIT: Duration = Duration::from_millis(100);

/// Why load could not be made.
#[derive(Debug, Error)]
pub enum LoadError {
    /// The plan is out of its bounds.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// An address that can't be bound.
    #[error("cannot bind {address}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// Why not.
        source: io::Error,
    },
    /// A socket failed.
    #[error("cannot {doing}")]
    Socket {
        /// What failed.
        doing: &'static str,
        /// Why.
        source: io::Error,
    },
}

/// Carries the plan out and blocks until that is done.
///
/// `progress` is called once a second and at the end. Once `stop` says true no more calls are begun, and those there are
/// are taken down, within the plan's `drain_limit`; it is asked ten times a second at least.
///
/// # Errors
///
/// When the plan is out of its bounds, or a socket fails.
pub fn run(
    plan: Plan,
    mut stop: impl FnMut() -> bool,
    mut progress: impl FnMut(&Progress),
) -> Result<Report, LoadError> {
    plan.check()?;
    let clock = Clock::start();
    let peer = plan.peer;
    let drain_limit = plan.drain_limit;
    let mut sockets = Sockets::bind(plan.local, plan.local_port, plan.sockets_needed(), peer)?;
    let mut machine = Machine::new(plan, sockets.local_ip(), salt(), clock.now())?;
    let mut next_progress = clock.now().after(PROGRESS_EVERY);
    let mut give_up_at: Option<Mono> = None;
    let mut out = Vec::new();
    loop {
        let now = clock.now();
        machine.handle_timeout(now);
        while let Some(transmit) = machine.poll_transmit(&mut out) {
            sockets.send(transmit.path, transmit.to.unwrap_or(peer), &out)?;
        }
        if now >= next_progress {
            progress(&machine.progress(now));
            next_progress = now.after(PROGRESS_EVERY);
        }
        if machine.is_done() || give_up_at.is_some_and(|limit| now >= limit) {
            progress(&machine.progress(now));
            return Ok(machine.report(now));
        }
        if !machine.is_ending() && stop() {
            machine.finish();
        }
        if machine.is_ending() {
            give_up_at.get_or_insert(now.after(drain_limit));
        }
        let wait = machine
            .poll_timeout()
            .map_or(LONGEST_WAIT, |due| due.since(clock.now()));
        sockets.receive(wait.min(LONGEST_WAIT), |path, from, datagram| {
            machine.handle_datagram(path, from, datagram, clock.now());
        })?;
    }
}

/// The clock of the shell: the only place here that reads one.
#[derive(Clone, Copy, Debug)]
struct Clock(Instant);

impl Clock {
    fn start() -> Self {
        Self(Instant::now())
    }

    fn now(self) -> Mono {
        Mono(u64::try_from(self.0.elapsed().as_nanos()).unwrap_or(u64::MAX))
    }
}

/// A number of the system's entropy.
fn salt() -> u32 {
    StdRng::from_os_rng().random()
}
