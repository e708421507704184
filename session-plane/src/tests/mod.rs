//! Scenarios: octets in, octets out, against a real gate.

mod allow;
mod clear;
mod emergency;
mod hardening;
mod licensing_rules;
mod malformed;
mod many_peers;
mod options;
mod overload;
mod peers;
mod procedures;
mod property;
mod recounting;
mod retransmission;
pub(crate) mod rig;
mod subscribers;
mod v2;
