//! The event log of a node, as a machine.
//!
//! [`table`] has a row for each event: its id, facility, severity, what it says, and what an operator does. What is logged,
//! docs/logs.md and the ids that syslog servers see derive from it. [`Ring`] holds the newest events, [`line()`] writes one
//! as StarOS does, [`syslog`] puts that into a message.
//!
//! Deliberately absent: where events come from, and clocks.
#![forbid(unsafe_code)]

mod line;
pub mod manual;
mod ring;
pub mod syslog;
pub mod table;

pub use line::{field, line, printable};
pub use ring::{Levels, Ring, Wanted};
pub use table::Row;
