//! The gateway process: wires the machines to sockets, clock, threads and files.
#![forbid(unsafe_code)]

pub mod clock;
pub mod config;
pub mod store;

pub use config::{Config, ConfigError};
