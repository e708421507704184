//! Faults between nodes and a license authority, all three real: node processes, an authority with its store, TLS and what
//! runs through it. In none does a node that was authorized lose its ceiling, and every usage report counts once.
#![forbid(unsafe_code)]

mod answers;
mod machines;
mod messages;
mod operators;
mod processes;
mod stage;
