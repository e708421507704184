//! Scenarios of an SGW with a PGW behind it: two planes back to back, both asked for their counts.

mod create;
mod delete;
mod emergency;
mod malformed;
mod modify;
mod net;
mod peers;
mod property;
mod relocation;
