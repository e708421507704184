//! `show gtpc peers`: the peers that have sessions.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// Most peers of one answer.
pub const PEERS_LIMIT_MAX: u32 = 10_000;

/// Peers of the whole node, in the order of their addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeerList {
    /// Peers that have sessions, or had some a second ago.
    pub total: u64,
    /// Of these, peers whose path is down.
    pub down: u64,
    /// Of these, peers of which sessions from before a restart or a path failure are being ended.
    pub ending: u64,
    /// As many as were asked for.
    pub peers: Vec<PeerRow>,
}

/// One peer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeerRow {
    /// Its control-plane address.
    pub peer: IpAddr,
    /// The GTP version that it is asked for an Echo in: 1 or 2.
    pub gtp_version: u8,
    /// How it is.
    pub state: PeerState,
    /// Sessions now: those that it has made or taken over, and those that an SGW relays to it.
    pub sessions: u64,
    /// The restart counter that it last told.
    pub restart_counter: Option<u8>,
    /// Restarts noticed since it is known.
    pub restarts: u32,
    /// Echo Requests that it has left unanswered, of the last one and its repetitions.
    pub unanswered: u8,
    /// Time since it last answered one, in milliseconds.
    pub echo_age_ms: Option<u64>,
}

/// How a peer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PeerState {
    /// Nothing is wrong, as far as is known.
    Up,
    /// It left the last Echo Request and all its repetitions unanswered.
    Down,
    /// It restarted, or its path failed: sessions from before are being ended.
    Ending,
}
