//! What must hold of any input, by where it comes from: networks, and whoever types.
//!
//! The corpora are replayed by the tests of `snmp` and `cli`, which take these files as modules of theirs.
#![forbid(unsafe_code)]

pub mod snmp;
pub mod typed;
