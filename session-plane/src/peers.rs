//! The peers that one worker has sessions with.

use std::collections::HashMap;
use std::net::IpAddr;

use licensing::Mono;

use crate::config::GtpVersion;
use crate::hashing::Keyed;
use crate::session::NONE;
use crate::slab::Slab;

/// One peer.
#[derive(Debug)]
pub(crate) struct Peer {
    /// Its control-plane address.
    pub address: IpAddr,
    /// The GTP version that it last made or changed a session by, in which it is asked for an Echo.
    pub version: GtpVersion,
    /// Its sessions here, a list from the newest to the oldest: incarnations never rise along it.
    pub newest: u32,
    pub oldest: u32,
    pub sessions: u32,
    /// Sessions that came by S11 and are at it as their PGW, a list likewise.
    pub newest_relay: u32,
    pub oldest_relay: u32,
    pub relays: u32,
    /// When it is looked after next.
    pub watch_at: Mono,
    /// When it is sent an Echo Request next, or the waiting for its answer ends.
    pub echo_at: Mono,
    /// The Echo Request that is unanswered.
    pub asked: Option<Asked>,
    /// One is to be sent, as soon as the pace allows.
    pub asking: bool,
    /// When it last answered one.
    pub heard_at: Option<Mono>,
    /// It left the last one unanswered N3-REQUESTS times.
    pub down: bool,
    /// It is among those that may have sessions of older incarnations.
    pub stale: bool,
}

/// A peer as one worker knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerStatus {
    /// Its control-plane address.
    pub address: IpAddr,
    /// The GTP version that it is asked for an Echo in.
    pub version: GtpVersion,
    /// Its sessions here: those that it has made or taken over.
    pub sessions: u32,
    /// Sessions that are relayed to it.
    pub relayed: u32,
    /// Some of them are from before a restart or a path failure, and about to end.
    pub ending: bool,
    /// It left the last Echo Request unanswered, however often it was sent; false at a worker that does not ask it.
    pub down: bool,
    /// How often the Echo Request that is unanswered was sent.
    pub unanswered: u8,
    /// When it last answered one of this worker.
    pub heard_at: Option<Mono>,
}

impl Peer {
    /// Whether any session is there because of it.
    pub(crate) fn is_idle(&self) -> bool {
        self.sessions == 0 && self.relays == 0
    }
}

/// An Echo Request that is unanswered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    /// Its sequence number, the same each time.
    pub sequence: u16,
    /// How often it was sent.
    pub sends: u8,
}

impl Peer {
    pub(crate) fn status(&self) -> PeerStatus {
        PeerStatus {
            address: self.address,
            version: self.version,
            sessions: self.sessions,
            relayed: self.relays,
            ending: self.stale,
            down: self.down,
            unanswered: self.asked.map_or(0, |asked| asked.sends),
            heard_at: self.heard_at,
        }
    }
}

/// All of them, found by place and by address.
#[derive(Debug)]
pub(crate) struct Peers {
    peers: Slab<Peer>,
    places: HashMap<IpAddr, u32, Keyed>,
}

impl Peers {
    pub(crate) fn new(keyed: Keyed) -> Self {
        Self {
            peers: Slab::new(),
            places: HashMap::with_hasher(keyed),
        }
    }

    pub(crate) fn len(&self) -> u32 {
        self.peers.len()
    }

    pub(crate) fn find(&self, address: IpAddr) -> Option<u32> {
        self.places.get(&address).copied()
    }

    pub(crate) fn get(&self, place: u32) -> Option<&Peer> {
        self.peers.get(place)
    }

    pub(crate) fn get_mut(&mut self, place: u32) -> Option<&mut Peer> {
        self.peers.get_mut(place)
    }

    pub(crate) fn insert(
        &mut self,
        address: IpAddr,
        version: GtpVersion,
        watch_at: Mono,
        echo_at: Mono,
    ) -> u32 {
        let place = self.peers.insert(Peer {
            address,
            version,
            newest: NONE,
            oldest: NONE,
            sessions: 0,
            newest_relay: NONE,
            oldest_relay: NONE,
            relays: 0,
            watch_at,
            echo_at,
            asked: None,
            asking: false,
            heard_at: None,
            down: false,
            stale: false,
        });
        self.places.insert(address, place);
        place
    }

    pub(crate) fn remove(&mut self, place: u32) {
        if let Some(peer) = self.peers.remove(place) {
            self.places.remove(&peer.address);
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &Peer)> {
        self.peers.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of the 300 octets that a peer may take at a worker; the indexes, the watch and what is shared need the rest.
    #[test]
    fn records_are_small() {
        assert!(
            size_of::<Option<Peer>>() <= 120,
            "{}",
            size_of::<Option<Peer>>()
        );
    }
}
