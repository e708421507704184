//! Scenarios of a PGW and of an SAEGW: GTPv2 octets in, octets out, against a real gate.

mod conformance;
mod malformed;
mod mixed;
mod peers;
mod procedures;
mod refusals;
mod relay;
mod retransmission;
pub(crate) mod rig;
mod roaming;
mod saegw;
