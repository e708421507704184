//! The Smart Agent: registers a node with a license authority, asks for authorization, and reports usage.
//!
//! ```text
//!   Input + Now -> time passes (usage is measured) -> the input is taken -> timers -> records kept -> a message sent
//! ```
//!
//! It is a machine: what happened goes in with its time, and what is to be done comes out ([`Input`], [`Output`]).
//! One message is on its way at a time. Whatever a message follows from is kept before it is sent, and every message may
//! come twice, so that the process may be killed between any two outputs: what starts again is in the state that it had
//! told the authority.
//!
//! | time | what goes by it |
//! |---|---|
//! | monotonic | reports every 300 s, retries, back-off, timeouts: the pace of messages |
//! | license | renewal of the authorization, the retry out of compliance, the hour for a certificate outside its validity, usage |
//! | date | validity of certificates, renewal of the identity |
//!
//! The date is the wall clock; on a lab node it is the date that its authority last named, moved on by license time, so
//! that certificates age as fast as terms do.
//!
//! It judges nothing: verdicts are told on ([`Told`]), and what follows from them, as from 90 days of silence, is the
//! business of `enforcer`. No failure of a message ever lowers anything (rule L10): nothing is told but that it failed.
//!
//! Deliberately absent: sockets, TLS, proxies, files, clocks and randomness from outside (a seed is handed in).
#![forbid(unsafe_code)]

mod agent;
mod backoff;
mod callhome;
pub mod certificate;
pub mod config;
mod error;
mod growth;
pub mod identity;
mod input;
mod ledger;
pub mod orders;
pub mod record;
pub mod trust;

pub use agent::{Agent, Start};
pub use config::{Ahead, Config, Fits, Timers};
pub use error::{Failure, OperatorError};
pub use identity::{Identity, Seed};
pub use input::{Input, Message, Notice, Output, TagUse, Ticket, Told};
pub use ledger::{KEPT, WAITING_MAX};
pub use orders::{AtStart, OrdersError};
pub use record::{Record, Restored};
pub use trust::TrustPool;
