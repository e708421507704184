//! What a plane wants done: datagrams sent, finished recounts handed on.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::ops::Range;

use enforcer::WorkerRecount;

/// Most datagrams that wait to be sent; the shell takes them after each call, so that more means that it does not.
const WAITING_MAX: usize = 65_536;
/// Most peers that wait to be told of.
const RESTLESS_MAX: usize = 64;

/// Both ends of a datagram's way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Path {
    /// Ours.
    pub local: SocketAddr,
    /// The peer's.
    pub peer: SocketAddr,
}

/// Something to do for the shell.
#[derive(Debug, PartialEq, Eq)]
pub enum Output<'a> {
    /// Send this datagram.
    Send {
        /// From `local` to `peer`.
        path: Path,
        /// The octets.
        bytes: &'a [u8],
    },
    /// A pass over the session table has ended (rule L14).
    Recounted(WorkerRecount),
    /// A clear has counted the sessions that it is about to ask their peers for.
    Cleared(u64),
    /// A peer's restart counter changes so often that its sessions end no more with each change.
    Restless(IpAddr),
}

/// Outputs that wait; one buffer holds all datagrams and is used again once they are gone.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    octets: Vec<u8>,
    datagrams: VecDeque<(Path, Range<usize>)>,
    recounts: VecDeque<WorkerRecount>,
    /// Few: as many as clears may wait.
    cleared: VecDeque<u64>,
    restless: VecDeque<IpAddr>,
}

impl Outbox {
    /// Puts a datagram in; false if there is no room.
    pub(crate) fn send(&mut self, path: Path, bytes: &[u8]) -> bool {
        if self.datagrams.len() >= WAITING_MAX {
            return false;
        }
        if self.datagrams.is_empty() {
            self.octets.clear();
        }
        let from = self.octets.len();
        self.octets.extend_from_slice(bytes);
        self.datagrams.push_back((path, from..self.octets.len()));
        true
    }

    /// Puts a finished recount in; the shell has taken the last one long ago.
    pub(crate) fn recounted(&mut self, recount: WorkerRecount) {
        self.recounts.clear();
        self.recounts.push_back(recount);
    }

    pub(crate) fn cleared(&mut self, sessions: u64) {
        self.cleared.push_back(sessions);
    }

    /// What finds no room is counted all the same.
    pub(crate) fn restless(&mut self, peer: IpAddr) {
        if self.restless.len() < RESTLESS_MAX {
            self.restless.push_back(peer);
        }
    }

    pub(crate) fn poll(&mut self) -> Option<Output<'_>> {
        if let Some((path, range)) = self.datagrams.pop_front() {
            let bytes = &self.octets[range];
            return Some(Output::Send { path, bytes });
        }
        let recount = self.recounts.pop_front().map(Output::Recounted);
        let cleared = || self.cleared.pop_front().map(Output::Cleared);
        let done = recount.or_else(cleared);
        done.or_else(|| self.restless.pop_front().map(Output::Restless))
    }
}
