//! License enforcement: the gate that gives permits, and the verdicts that tell it what to give.
//!
//! The hot half decides each call in nanoseconds; the slow half is a machine with `now` as an argument that turns
//! counts, the clock and the authority's answers into the gate's terms, alarms and the snapshot.
//!
//! Deliberately absent: clocks, sockets, files and threads. The two halves meet only in values: [`Terms`] go from the
//! verdicts to the gate, [`Counts`] come back.
#![forbid(unsafe_code)]

// Tests that lie beside the crate run inside it too.
#[cfg(test)]
extern crate self as enforcer;

pub mod class;
pub mod counts;
pub mod forecast;
pub mod gate;
mod lot;
pub mod ring;
pub mod terms;
pub mod verdicts;

pub use class::{CallKind, Class};
pub use counts::{
    ClassCount, ClassCounters, Counts, LedgerBounds, RecountRow, ServiceCount, WorkerRecount,
};
pub use gate::{
    Change, ClassId, Form, Gate, GateConfig, GateError, HeavyFence, Permit, Refusal, WorkerGate,
    permits_dropped,
};
pub use lot::Lot;
pub use ring::{RefusalRing, RefusalSeen};
pub use terms::{Block, Eased, Shares, Terms};
pub use verdicts::{Answer, Config, Enforcer, Input, Output, Restored, RestoredClock};
