//! SNMP: the agent that managers ask, and the notifications that they are sent.
//!
//! It is a machine: bytes and times go in, bytes come out. Whoever runs it owns the sockets, the clock, the queue on
//! disk and the number of engine boots.
//!
//! Deliberately absent: sockets, files, clocks and randomness (a seed is handed in), MD5, DES, and any object that can
//! be set.
#![forbid(unsafe_code)]

mod community;
pub mod delivery;
#[cfg(test)]
mod fixture;
pub mod message;
pub mod notifications;
mod oid;
pub mod target;
pub mod usm;
mod value;

pub use community::Community;
pub use oid::{Oid, OidError};
pub use value::{Value, VarBind};
