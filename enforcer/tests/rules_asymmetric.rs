//! The rules once more, over the asymmetric form of the gate.
#![forbid(unsafe_code)]

#[path = "rules.rs"]
mod rules;
