//! SNMP: the agent that managers ask, and the notifications that they are sent.
//!
//! It is a machine: bytes and times go in, bytes come out. Whoever runs it owns the sockets, the clock, the queue on
//! disk and the number of engine boots, which never falls.
//!
//! | what | where |
//! |---|---|
//! | octets to values and back | [`message`] |
//! | who may speak, in secret | [`usm`], [`Community`] |
//! | who may read what | [`vacm`], [`agent`] |
//! | what there is to read | [`objects`], [`groups`] |
//! | what is told, to whom and when | [`notifications`], [`delivery`], [`target`] |
//!
//! Deliberately absent: sockets, files, clocks and randomness, MD5, DES, masks of views, contexts with names, and any
//! object that can be set.
#![forbid(unsafe_code)]

mod absent;
pub mod agent;
mod community;
mod counters;
pub mod delivery;
#[cfg(test)]
mod fixture;
pub mod groups;
pub mod manual;
pub mod message;
pub mod mib;
pub mod notifications;
pub mod objects;
mod oid;
pub mod tables;
pub mod target;
pub mod usm;
pub mod vacm;
mod value;
pub mod view;

pub use community::Community;
pub use counters::Counters;
pub use oid::{Oid, OidError};
pub use value::{Value, VarBind};
