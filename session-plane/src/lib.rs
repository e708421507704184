//! The session plane of a GGSN, of a PGW, of an SGW and of both in one, an SAEGW: GTP-C procedures, session table and
//! peers. It asks the gate and owns no sockets. Both GTP versions share the port, the table, the pools, the peers and the cache of answers; the role of an
//! access point name decides which interface its calls come by.
//!
//! One [`SessionPlane`] is one worker's machine: datagrams and [`Now`](licensing::Now) go in, datagrams come out. A
//! request is answered before the next is looked at, so a session is never half made: everything that may fail is
//! decided first, the permit is taken last, and what was refused leaves no trace. Only an SGW's request waits, for the
//! PGW's answer: its session is there meanwhile, with its permit, and every end of the waiting settles it. What the workers of a node share is in
//! [`Shared`] and nowhere else; [`worker_of`] says which of them a datagram belongs to.
//!
//! Deliberately absent: sockets, clocks, threads, the user plane (its address is configuration), licensing (the gate
//! decides; here a refusal becomes a cause), bearers beyond the default one.
#![forbid(unsafe_code)]

mod allow;
mod answer;
mod cache;
mod call;
mod clear;
pub mod config;
mod emergency;
mod error;
mod hashing;
mod mandatory;
mod output;
mod overload;
mod peers;
mod plane;
mod pools;
mod procedure;
mod recount;
mod refusal;
mod restarts;
mod segmented;
mod session;
mod shared;
mod slab;
pub mod statistics;
mod steer;
mod subscribers;
mod supervision;
mod table;
mod transactions;
mod ues;
mod v2;

#[cfg(test)]
mod tests;

pub use clear::{Clear, Whom};
pub use config::PlaneConfig;
pub use error::PlaneError;
pub use output::{Output, Path};
pub use peers::PeerStatus;
pub use plane::{Seat, SessionPlane};
pub use pools::{AddressPools, PoolCount};
pub use restarts::{PeerRestarts, ToldRestarts};
pub use session::Access;
pub use shared::Shared;
pub use statistics::Statistics;
pub use steer::worker_of;
pub use subscribers::{RefusedCall, Subscriber, SubscriberSession, lot};
