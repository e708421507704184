//! What must hold of any input, by where it comes from: networks, files, and whoever types.
//!
//! The corpora are replayed by the tests of `snmp`, `cli` and `tests`, which take these files as modules of theirs.
#![forbid(unsafe_code)]

pub mod gtp;
#[path = "../../tests/src/planes.rs"]
pub mod planes;
pub mod sequences;
pub mod slots;
pub mod snmp;
pub mod typed;
pub mod wire;
