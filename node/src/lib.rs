//! The gateway process: wires the machines to sockets, clock, threads and files.
//!
//! ```text
//! receiver --batches--> worker 0..N-1 (each owns a session plane) --answers--> Gn socket
//!          (with a socket for each worker it reads that itself, and there is no receiver)
//!                          |   gate (shared)          |
//!                          v                          v
//!                       control (owns the verdicts, the store) <--asks-- interface (HTTP on a Unix socket)
//!                          |
//!                          +--lines--> journal (writes what the verdicts took in, if it is configured)
//!                          |           bulkstats (takes samples, keeps them, sends them to receivers)
//!                          +--events-> snmp (sends notifications to targets and answers managers, if there are any)
//! ```
//!
//! Clients of the admission API, processes that run calls of their own, are served by the interface, which has a seat of
//! its own at the gate: an admission waits for no other thread.
//!
//! Shared between the threads, and nothing else: the gate, the address pools and the table of peers' restart counters,
//! the refusal ring, the current snapshot, the clock and the vitals.
//!
//! Deliberately absent: decisions. They are in `enforcer` and `session-plane`, which know no thread, socket or file.
#![forbid(unsafe_code)]

#[macro_use]
pub mod logging;

#[cfg_attr(
    not(feature = "sftp"),
    allow(dead_code, reason = "without SSH nobody logs in")
)]
mod access;
mod admission;
mod agent;
pub mod alarms;
mod bulkstats;
pub mod clock;
pub mod config;
mod control;
pub mod datagrams;
mod error;
pub mod fence;
mod interface;
pub mod journal;
pub mod machines;
mod metrics;
mod queue;
mod receiver;
mod running;
pub mod settings;
mod shutdown;
mod snmp;
mod socket;
pub mod ssh;
mod steering;
pub mod store;
mod threads;
pub mod transfer;
pub mod transport;
mod vitals;
mod worker;

use std::io::Write;
use std::sync::Arc;

pub use config::{Config, ConfigError};
pub use error::NodeError;
pub use running::{Pause, Running};
pub use shutdown::Shutdown;
pub use socket::RECEIVE_BUFFER_BYTES;
pub use vitals::CONTROL_STALL;

/// Runs a node until it is asked to end: takes what has arrived, saves, and returns.
///
/// One line on standard output says that it listens: `tollgate ready: node NAME, gn ADDRESS, control PATH`. Errors: it
/// can't start, or a thread of it failed.
pub fn run(
    config: Config,
    shutdown: &Shutdown,
    shells: Arc<dyn ssh::Shells>,
) -> Result<(), NodeError> {
    let running = Running::start_with_shells(config, shutdown, Some(shells))?;
    // Nobody may be there to read it: the log has it, too.
    let _unread = writeln!(std::io::stdout(), "{}", running.ready_line());
    shutdown.wait();
    event!(ENDING);
    let ended = running.end();
    event!(ENDED);
    ended
}
