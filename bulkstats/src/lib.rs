//! Bulk statistics: what a node has counted, in files of the form that collectors already parse.
//!
//! It is a machine: a view of the node and times go in, texts come out. Whoever runs it owns the clock, the files and the
//! way to the receivers.
//!
//! | what | where |
//! |---|---|
//! | which variables there are, and where their values come from | [`table`], [`view`] |
//! | what people write in a schema, and what becomes of it | [`format`], [`plan`] |
//! | files, intervals and receivers as configured | [`config`] |
//! | when samples are taken, and what becomes of them | [`collector`], [`spool`] |
//! | files read back, and drawn | [`read`], [`series`], [`chart`] |
//! | the same variables as OpenMetrics has them | [`families`] |
//!
//! Deliberately absent: files, sockets, clocks, compression, and passwords of receivers.
#![forbid(unsafe_code)]

pub mod chart;
pub mod collector;
pub mod config;
pub mod families;
#[cfg(test)]
mod fixture;
pub mod format;
pub mod manual;
mod moment;
pub mod plan;
pub mod read;
pub mod series;
pub mod spool;
pub mod table;
mod value;
pub mod view;

pub use format::nearest;
pub use moment::Moment;
pub use value::{Value, word};
