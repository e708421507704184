//! The gateway process: wires the machines to sockets, clock, threads and files.
#![forbid(unsafe_code)]
