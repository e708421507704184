//! What the shell does between two machines, for harnesses that run these without it.

pub use crate::agent::{input, news, usage};
