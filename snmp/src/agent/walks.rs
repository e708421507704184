//! Walks: the snapshots that managers are in the middle of.

use std::net::SocketAddr;
use std::time::Duration;

use licensing::time::Mono;

use crate::Oid;
use crate::counters::count;
use crate::message::{Kind, Pdu};
use crate::objects::Tree;

/// How long a snapshot is held after its last request.
pub const WALK_IDLE: Duration = Duration::from_secs(5);

/// How long one is held in all, so that who never stops asking is not told the same for ever.
pub const WALK_MAX: Duration = Duration::from_secs(300);

/// Most snapshots that are held.
pub const HELD_MAX: usize = 64;

/// Who walks, by place in the list of who may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Walker {
    Community(usize),
    User(usize),
}

/// The snapshots held, one for each peer and security name.
#[derive(Debug)]
pub struct Walks<S> {
    held: Vec<Walk<S>>,
}

#[derive(Debug)]
struct Walk<S> {
    who: (SocketAddr, Walker),
    tree: Tree<S>,
    began: Mono,
    last: Mono,
    /// The first name of the request that it began with, and the id of that request: who asks from there again, or from
    /// before, begins anew.
    start: Oid,
    request_id: i32,
}

impl<S> Default for Walks<S> {
    fn default() -> Self {
        Self { held: Vec::new() }
    }
}

impl<S> Walks<S> {
    pub fn held(&self) -> usize {
        self.held.len()
    }

    /// Answers a request from the snapshot of its walk: one that is held, or a fresh one, which a GETNEXT or GETBULK holds.
    pub fn with_tree<T>(
        &mut self,
        now: Mono,
        who: (SocketAddr, Walker),
        request: &Pdu,
        dropped: &mut u32,
        fresh: impl FnOnce() -> Tree<S>,
        answer: impl FnOnce(&mut Tree<S>) -> T,
    ) -> T {
        self.held.retain(|walk| walk.is_held(now));
        let steps = match request.kind {
            Kind::GetNext | Kind::GetBulk { .. } => request.varbinds.first(),
            Kind::Get | Kind::Set | Kind::Inform | Kind::Trap | Kind::Report => None,
            Kind::Response { .. } => None,
        };
        let at = self.held.iter().position(|walk| walk.who == who);
        let Some(first) = steps.map(|varbind| &varbind.name) else {
            return match at {
                Some(at) => answer(&mut self.held[at].tree),
                None => answer(&mut fresh()),
            };
        };
        if let Some(at) = at {
            let walk = &mut self.held[at];
            if walk.goes_on(first, request.request_id) {
                walk.last = now;
                return answer(&mut walk.tree);
            }
            self.held.swap_remove(at);
        }
        self.make_room(dropped);
        let mut walk = Walk {
            who,
            tree: fresh(),
            began: now,
            last: now,
            start: first.clone(),
            request_id: request.request_id,
        };
        let answer = answer(&mut walk.tree);
        self.held.push(walk);
        answer
    }

    /// The one that was asked of longest ago goes.
    fn make_room(&mut self, dropped: &mut u32) {
        if self.held.len() < HELD_MAX {
            return;
        }
        let oldest = self
            .held
            .iter()
            .enumerate()
            .min_by_key(|(_, walk)| walk.last);
        if let Some((at, _)) = oldest {
            self.held.swap_remove(at);
            count(dropped);
        }
    }
}

impl<S> Walk<S> {
    fn is_held(&self, now: Mono) -> bool {
        now.since(self.last) <= WALK_IDLE && now.since(self.began) <= WALK_MAX
    }

    fn goes_on(&self, first: &Oid, request_id: i32) -> bool {
        *first > self.start || *first == self.start && request_id == self.request_id
    }
}
