//! The agent: what managers ask, and what they are answered.
//!
//! ```text
//!   octets -> version -> v1, v2c: community ------------------> view -> walk's snapshot -> answer -> octets
//!                     -> v3: user, MAC, time, decryption ----->
//!                             '- report: usmStats ...
//! ```
//!
//! Whoever may not ask is not answered, but where the standard has a report or an error for it; what is answered is no
//! longer than the bound, however often it was asked to be repeated. Everything that is not answered is counted.
//! Nothing can be set.

mod answer;
mod secured;
mod walks;

use std::net::SocketAddr;
use std::sync::Arc;

use licensing::time::Mono;

use crate::counters::count;
use crate::groups::{Own, System};
use crate::message::{
    CommunityMessage, DecodeError, Kind, MESSAGE_MAX_BYTES, MESSAGE_MIN_BYTES, Pdu, Version,
    community_room, version_of,
};
use crate::objects::{Mib, Tree};
use crate::usm::{KeyError, Keys, Local, Replays, User};
use crate::vacm::View;
use crate::{Community, Counters};

use answer::Rules;
use walks::{Walker, Walks};

pub use walks::{HELD_MAX, WALK_IDLE, WALK_MAX};

/// Who may read what.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Access {
    /// Communities of SNMPv1 and SNMPv2c, and their views.
    pub communities: Vec<(Community, View)>,
    /// Users of SNMPv3, and their views. A user reads at the highest level that its secrets reach, and not below.
    pub users: Vec<(User, View)>,
}

/// How much is answered at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Longest answer, in octets: 484 to 65,507.
    pub response_bytes: usize,
    /// Most repetitions of a GETBULK.
    pub repetitions: u32,
}

/// One that no router has to take apart.
impl Default for Limits {
    fn default() -> Self {
        Self {
            response_bytes: 1472,
            repetitions: 100,
        }
    }
}

/// The agent, over snapshots of type `S`.
#[derive(Debug)]
pub struct Agent<S> {
    mib: Arc<Mib<S>>,
    system: Arc<System>,
    limits: Limits,
    communities: Vec<(Community, View)>,
    users: Vec<Reader>,
    walks: Walks<S>,
    replays: Replays,
    counters: Counters,
}

/// A user, with its keys with this engine.
#[derive(Debug)]
struct Reader {
    name: Vec<u8>,
    keys: Keys,
    view: View,
}

/// A datagram, and when and from where it came.
#[derive(Clone, Copy, Debug)]
pub struct Arrival<'a> {
    /// When.
    pub now: Mono,
    /// From where.
    pub peer: SocketAddr,
    /// What.
    pub bytes: &'a [u8],
}

impl<S> Agent<S> {
    /// An agent that nobody may ask yet.
    pub fn new(mib: Mib<S>, system: System, limits: Limits) -> Self {
        let response_bytes = limits
            .response_bytes
            .clamp(MESSAGE_MIN_BYTES, MESSAGE_MAX_BYTES);
        Self {
            mib: Arc::new(mib),
            system: Arc::new(system),
            limits: Limits {
                response_bytes,
                ..limits
            },
            communities: Vec::new(),
            users: Vec::new(),
            walks: Walks::default(),
            replays: Replays::default(),
            counters: Counters::default(),
        }
    }

    /// Sets who may read what, from now on. A user whose keys are not for this engine changes nothing.
    pub fn allow(&mut self, access: Access, local: &Local) -> Result<(), KeyError> {
        let readers = access.users.into_iter().map(|(user, view)| {
            let keys = user.keys(local.id())?;
            let name = user.name.into_bytes();
            Ok(Reader { name, keys, view })
        });
        self.users = readers.collect::<Result<_, KeyError>>()?;
        self.communities = access.communities;
        self.walks = Walks::default();
        Ok(())
    }

    /// What was counted.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// The objects.
    pub fn mib(&self) -> &Mib<S> {
        &self.mib
    }

    /// Snapshots that walks hold.
    pub fn walks_held(&self) -> usize {
        self.walks.held()
    }

    /// The agent itself, as objects show it.
    pub fn own(&self, local: &Local, now: Mono) -> Own {
        Own {
            system: Arc::clone(&self.system),
            uptime: local.uptime(now),
            engine_id: local.id().clone(),
            boots: local.boots(),
            time: local.time(now),
            max_bytes: MESSAGE_MAX_BYTES as u32,
            counters: self.counters,
        }
    }

    /// Takes a datagram; what to answer, if anything. `snapshot` is asked for one when a walk begins.
    pub fn handle_datagram(
        &mut self,
        local: &mut Local,
        arrival: Arrival<'_>,
        snapshot: impl FnOnce(Own) -> S,
    ) -> Option<Vec<u8>> {
        count(&mut self.counters.in_pkts);
        let bytes = arrival.bytes;
        let message = match version_of(bytes) {
            Ok(Version::V3) => return self.handle_v3(local, arrival, snapshot),
            Ok(Version::V1) => CommunityMessage::decode_v1(bytes),
            Ok(Version::V2c) => CommunityMessage::decode_v2c(bytes),
            Err(error) => Err(error),
        };
        match message {
            Ok(message) => self.handle_community(local, arrival, message, snapshot),
            Err(error) => {
                self.count_undecodable(&error);
                None
            }
        }
    }

    fn count_undecodable(&mut self, error: &DecodeError) {
        count(match error {
            DecodeError::Version => &mut self.counters.in_bad_versions,
            DecodeError::V1Trap => &mut self.counters.unknown_pdu_handlers,
            DecodeError::TooLong(_) | DecodeError::Malformed(_) => {
                &mut self.counters.in_asn_parse_errs
            }
        });
    }

    fn handle_community(
        &mut self,
        local: &Local,
        arrival: Arrival<'_>,
        message: CommunityMessage,
        snapshot: impl FnOnce(Own) -> S,
    ) -> Option<Vec<u8>> {
        // All of them are compared, so that how long it takes says nothing of which is there.
        let known = self.communities.iter().enumerate();
        let found = known.fold(None, |found, (at, (known, _))| {
            if known.is(&message.community) {
                Some(at)
            } else {
                found
            }
        });
        let Some(at) = found else {
            count(&mut self.counters.in_bad_community_names);
            return None;
        };
        if !is_request(message.pdu.kind) {
            count(&mut self.counters.unknown_pdu_handlers);
            return None;
        }
        if message.pdu.kind == Kind::Set {
            count(&mut self.counters.in_bad_community_uses);
        }
        let max = self.limits.response_bytes;
        let rules = Rules {
            is_v1: message.is_v1,
            room: community_room(max, &message.community),
            repetitions: self.limits.repetitions,
        };
        let pdu = self.answer(
            local,
            arrival,
            Walker::Community(at),
            &message.pdu,
            rules,
            snapshot,
        );
        let response = CommunityMessage { pdu, ..message };
        self.bounded(response.encode().ok(), max)
    }

    /// Looks at what is asked, in the snapshot of the walk that it belongs to.
    fn answer(
        &mut self,
        local: &Local,
        arrival: Arrival<'_>,
        walker: Walker,
        request: &Pdu,
        rules: Rules,
        snapshot: impl FnOnce(Own) -> S,
    ) -> Pdu {
        let own = self.own(local, arrival.now);
        let view = match walker {
            Walker::Community(at) => &self.communities[at].1,
            Walker::User(at) => &self.users[at].view,
        };
        if view.is_empty() {
            return answer::unauthorized(request, rules);
        }
        let mib = Arc::clone(&self.mib);
        let fresh = || Tree::new(mib, snapshot(own));
        let dropped = &mut self.counters.walks_dropped;
        let now = arrival.now;
        let who = (arrival.peer, walker);
        self.walks
            .with_tree(now, who, request, dropped, fresh, |tree| {
                answer::answer(tree, view, request, rules)
            })
    }

    /// An answer that is not too long; otherwise none, which is counted.
    fn bounded(&mut self, bytes: Option<Vec<u8>>, max: usize) -> Option<Vec<u8>> {
        let bytes = bytes.filter(|bytes| bytes.len() <= max);
        if bytes.is_none() {
            count(&mut self.counters.silent_drops);
        }
        bytes
    }
}

fn is_request(kind: Kind) -> bool {
    match kind {
        Kind::Get | Kind::GetNext | Kind::GetBulk { .. } | Kind::Set => true,
        Kind::Response { .. } | Kind::Inform | Kind::Trap | Kind::Report => false,
    }
}
