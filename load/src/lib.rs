//! GTP-C load generator: what an SGSN, an SGW or an MME would send, at a rate, and what came back.
//!
//! [`Machine`] is the call model: octets and the time go in, datagrams come out, no socket is touched. [`shell`] puts
//! it on UDP sockets: [`run`] for load, [`shell::Client`] and [`shell::SessionClient`] for one call after the other.
//!
//! Latency counts from the time at which a request was due, not from when it was sent, so that a peer which stalls the
//! generator can't hide behind it.
//!
//! Deliberately absent: a user plane; signal handling (whoever runs [`run`] says when to stop).
#![forbid(unsafe_code)]

mod heard;
mod interface;
mod machine;
mod message;
mod message_v2;
mod plan;
mod report;
pub mod shell;
mod transactions;

pub use gtp::v1::Imsi;
pub use gtp::v2::Ebi;
pub use interface::Interface;
pub use machine::{Machine, Transmit};
pub use message::{CreateRequest, QOS_R99};
pub use message_v2::{Caller, CreateSession};
pub use plan::{Addresses, ApnShare, HoldTime, Plan, PlanError};
pub use report::{CauseCount, Latency, Procedure, Progress, Report};
pub use shell::{LoadError, run};
