//! Subscribers: which were refused of late, a retry within a minute by the same one being no other (rule L15), and what an
//! operator is told of one.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use enforcer::Lot;
use gtp::v1::{Imsi, Nsapi};
use licensing::{Mono, RefusalReason, ServiceIndex, Wall};

use crate::hashing::Keyed;
use crate::plane::SessionPlane;
use crate::session::{Access, Identity};
use crate::table::Place;

/// How long a refused subscriber counts as the same one.
const SAME_FOR: Duration = Duration::from_secs(60);

/// The last call of a subscriber that a service refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedCall {
    /// When.
    pub at: Wall,
    /// The service.
    pub service: ServiceIndex,
    /// Why.
    pub reason: RefusalReason,
    /// The access point name that was asked for.
    pub apn: Arc<str>,
    /// The cause that the peer was sent.
    pub cause: u8,
}

/// One session of a subscriber.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SubscriberSession {
    /// Place of its access point name in the configuration.
    pub apn: u16,
    /// The interface that its signalling comes by.
    pub access: Access,
    /// The peer that it was made by or has moved to.
    pub peer: Option<IpAddr>,
    /// NSAPI or EPS bearer identity of its first context.
    pub number: u8,
    /// Contexts beyond that one.
    pub further: u32,
    /// Its addresses, where they are of this node's pools.
    pub addresses: [Option<IpAddr>; 2],
}

/// What a worker knows of one subscriber.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subscriber {
    /// Sessions now.
    pub sessions: Vec<SubscriberSession>,
    /// The last refusal by each service, of those in the last minute.
    pub refused: Vec<RefusedCall>,
}

/// Where a subscriber stands when a share of them is chosen; every worker says the same.
pub fn lot(imsi: Imsi) -> Lot {
    Identity::of_imsi(imsi).lot()
}

impl SessionPlane {
    /// What there is of a subscriber here: a look-up for each access and bearer number, nothing is searched.
    pub fn subscriber(&self, imsi: Imsi, now: Mono) -> Subscriber {
        let who = Identity::of_imsi(imsi);
        let numbers = (0..=Nsapi::MAX).filter_map(|number| Nsapi::new(number).ok());
        let mut places = Vec::new();
        for number in numbers {
            let by_v1 = self.table.by_key(who.with(number)).and_then(|at| match at {
                Place::First(place) => Some(place),
                Place::Further(_) => None,
            });
            let by_v2 = Access::OF_V2.map(|access| self.table.by_bearer(who, number, access));
            places.extend(by_v1.into_iter().chain(by_v2.into_iter().flatten()));
        }
        let sessions = places.into_iter().filter_map(|at| self.told_of(at));
        Subscriber {
            sessions: sessions.collect(),
            refused: self.refused.of(who, now),
        }
    }

    fn told_of(&self, place: u32) -> Option<SubscriberSession> {
        let session = self.table.session(place)?;
        let address = |lease| self.shared.pools.address(lease);
        let peer = self.table.peers.get(session.peer);
        Some(SubscriberSession {
            apn: session.apn,
            access: session.access,
            peer: peer.map(|peer| peer.status().address),
            number: session.context.nsapi.number(),
            further: self.table.further_of(session),
            addresses: [session.leases.v4, session.leases.v6].map(|lease| lease.map(address)),
        })
    }
}

/// Subscribers refused in the last minute, bounded; when it is full, the longest known give way, and a retry of theirs
/// counts as a new one.
#[derive(Debug)]
pub(crate) struct RefusedSubscribers {
    known: HashMap<(Identity, ServiceIndex), RefusedCall, Keyed>,
    order: VecDeque<(Mono, Identity, ServiceIndex)>,
    most: usize,
}

impl RefusedSubscribers {
    pub(crate) fn new(most: u32, keyed: Keyed) -> Self {
        Self {
            known: HashMap::with_hasher(keyed),
            order: VecDeque::new(),
            most: most as usize,
        }
    }

    /// Notes a refusal; true for a subscriber who was not refused by this service in the minute before.
    pub(crate) fn note(&mut self, who: Identity, call: RefusedCall, now: Mono) -> bool {
        self.forget(now);
        let service = call.service;
        if let Some(known) = self.known.get_mut(&(who, service)) {
            *known = call;
            return false;
        }
        if self.order.len() >= self.most {
            self.forget_oldest();
        }
        self.known.insert((who, service), call);
        self.order.push_back((now, who, service));
        true
    }

    /// The last refusal of a subscriber by each service, of those that are known and not a minute old.
    fn of(&self, who: Identity, now: Mono) -> Vec<RefusedCall> {
        let of_who = self
            .order
            .iter()
            .filter(|(since, known, _)| *known == who && now.since(*since) < SAME_FOR);
        let calls = of_who.filter_map(|(_, _, service)| self.known.get(&(who, *service)));
        calls.cloned().collect()
    }

    fn forget(&mut self, now: Mono) {
        while let Some((since, _, _)) = self.order.front() {
            if now.since(*since) < SAME_FOR {
                break;
            }
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        if let Some((_, who, service)) = self.order.pop_front() {
            self.known.remove(&(who, service));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    fn who(number: u64) -> Identity {
        Identity::of_imsi(gtp::v1::Imsi::from_number(number, 15).unwrap())
    }

    fn call(service: ServiceIndex) -> RefusedCall {
        RefusedCall {
            at: Wall(7),
            service,
            reason: RefusalReason::AtCeiling,
            apn: "internet".into(),
            cause: 199,
        }
    }

    //= L15
    #[test]
    fn a_retry_within_a_minute_is_the_same_subscriber() {
        let mut refused = RefusedSubscribers::new(100, Keyed::new([3, 4]));
        let ggsn = ServiceIndex(2);
        assert!(refused.note(who(1), call(ggsn), Mono(0)));
        assert!(!refused.note(who(1), call(ggsn), Mono(59 * SECOND)));
        assert!(refused.note(who(2), call(ggsn), Mono(59 * SECOND)));
        assert!(refused.note(who(1), call(ServiceIndex(0)), Mono(59 * SECOND)));
        assert!(refused.note(who(1), call(ggsn), Mono(60 * SECOND)));
        assert!(!refused.note(who(2), call(ggsn), Mono(118 * SECOND)));
    }

    #[test]
    fn it_holds_no_more_than_it_may() {
        let mut refused = RefusedSubscribers::new(2, Keyed::new([3, 4]));
        let ggsn = ServiceIndex(2);
        (1..=3).for_each(|n| assert!(refused.note(who(n), call(ggsn), Mono(0))));
        assert_eq!((refused.known.len(), refused.order.len()), (2, 2));
        assert!(!refused.note(who(3), call(ggsn), Mono(0)));
        assert!(refused.note(who(1), call(ggsn), Mono(0)));
    }
}
