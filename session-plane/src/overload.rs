//! Overload control (TS 29.274 12.3.9.3, TS 33.117 4.2.3.3.3): how many requests a peer, and all of them together, may make
//! a second, and who goes first when they make more.
//!
//! A bucket holds the requests of one second. The first half of it is for all; below that calls of low access priority are
//! refused, below an eighth ordinary calls, and an empty one refuses changes and leaves out Echo. Deletions, emergency calls
//! and what is about one are never refused: they take of the bucket what there is. A refusal has a cause as long as there are
//! no more of them than requests are allowed; beyond that nothing is answered. Each worker has its share of every rate.

use std::hash::BuildHasher;
use std::net::IpAddr;

use enforcer::ClassId;
use gtp::peek::peek;
use gtp::v1::Apn;
use gtp::{v1, v2};
use licensing::Mono;

use crate::config::{Rates, Role};
use crate::hashing::Keyed;
use crate::plane::SessionPlane;
use crate::shared::Shared;
use crate::statistics::DropReason;
use crate::ues::Ue;

/// What a request takes of a bucket. Unit: billionths of a request, so that a rate times nanoseconds is what comes back.
const REQUEST: u64 = 1_000_000_000;
/// Most of a rate: a bucket of it is far below 2^64.
pub(crate) const RATE_MAX: u32 = 10_000_000;
/// Peers that share a set of the table, of which the one longest unheard gives way.
const WAYS: usize = 4;

/// Who goes when there are too many.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Urgency {
    /// A call of low access priority, first of all.
    Low,
    /// A call.
    Ordinary,
    /// A priority call, a change of a session, or an Echo Request.
    High,
    /// A deletion, or what is about an emergency call: never.
    Always,
}

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Passage {
    /// It is served.
    Pass,
    /// It is refused for congestion.
    Refuse,
    /// It is not answered.
    Drop,
}

/// Requests that may come still.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    requests: u64,
    refusals: u64,
    at: Mono,
}

/// A peer's.
#[derive(Clone, Copy, Debug)]
struct OfPeer {
    peer: IpAddr,
    bucket: Bucket,
}

/// All of a worker. The table has a fixed size, and is not there without a rate.
#[derive(Debug)]
pub(crate) struct Overload {
    peer_rate: u64,
    all_rate: u64,
    all: Bucket,
    peers: Vec<[Option<OfPeer>; WAYS]>,
    keyed: Keyed,
}

impl Bucket {
    fn full(rate: u64, now: Mono) -> Self {
        Self {
            requests: rate * REQUEST,
            refusals: rate * REQUEST,
            at: now,
        }
    }

    /// Takes in what time has brought.
    fn fill(&mut self, rate: u64, now: Mono) {
        let most = rate * REQUEST;
        let nanos = now.0.saturating_sub(self.at.0).min(REQUEST);
        self.requests = (self.requests + nanos * rate).min(most);
        self.refusals = (self.refusals + nanos * rate).min(most);
        self.at = self.at.max(now);
    }

    /// Whether there is enough for one of this urgency.
    fn has(&self, rate: u64, urgency: Urgency) -> bool {
        let beyond_one = (rate - 1) * REQUEST;
        let left = match urgency {
            Urgency::Low => beyond_one / 2,
            Urgency::Ordinary => beyond_one / 8,
            Urgency::High => 0,
            Urgency::Always => return true,
        };
        self.requests >= REQUEST + left
    }

    fn take(&mut self) {
        self.requests = self.requests.saturating_sub(REQUEST);
    }

    fn refuse(&mut self) -> Passage {
        match self.refusals.checked_sub(REQUEST) {
            Some(left) => {
                self.refusals = left;
                Passage::Refuse
            }
            None => Passage::Drop,
        }
    }
}

impl Overload {
    /// `peers`: most of them that have a bucket of their own.
    pub(crate) fn new(rates: Rates, workers: u16, peers: u32, keyed: Keyed, now: Mono) -> Self {
        let share = |rate: u32| u64::from(rate.min(RATE_MAX).div_ceil(u32::from(workers).max(1)));
        let (peer_rate, all_rate) = (share(rates.peer_per_s), share(rates.all_per_s));
        let sets = match peer_rate {
            0 => 0,
            _ => (peers as usize).div_ceil(WAYS).next_power_of_two(),
        };
        Self {
            peer_rate,
            all_rate,
            all: Bucket::full(all_rate, now),
            peers: vec![[None; WAYS]; sets],
            keyed,
        }
    }

    fn is_off(&self) -> bool {
        self.peer_rate == 0 && self.all_rate == 0
    }

    /// Whether a request of this peer passes, whatever it is; then it has taken what it takes.
    fn has_plenty(&mut self, peer: IpAddr, now: Mono) -> bool {
        self.is_off() || self.take(peer, now, Urgency::Low)
    }

    /// What becomes of a request of this peer.
    fn judge(&mut self, peer: IpAddr, now: Mono, urgency: Urgency) -> Passage {
        if self.take(peer, now, urgency) {
            return Passage::Pass;
        }
        let own = self.own(peer, now).map_or(Passage::Refuse, Bucket::refuse);
        match (own, self.all_rate) {
            (Passage::Refuse, 1..) => self.all.refuse(),
            (own, _) => own,
        }
    }

    fn take(&mut self, peer: IpAddr, now: Mono, urgency: Urgency) -> bool {
        let (peer_rate, all_rate) = (self.peer_rate, self.all_rate);
        if all_rate > 0 {
            self.all.fill(all_rate, now);
            if !self.all.has(all_rate, urgency) {
                return false;
            }
        }
        if let Some(own) = self.own(peer, now) {
            if !own.has(peer_rate, urgency) {
                return false;
            }
            own.take();
        }
        self.all.take();
        true
    }

    /// The bucket of a peer, filled; a new one is full, and takes the place of the one in its set that was not used for the
    /// longest time.
    fn own(&mut self, peer: IpAddr, now: Mono) -> Option<&mut Bucket> {
        let rate = self.peer_rate;
        let sets = self.peers.len();
        // The low bits of the hash choose the set; there are a power of two of them.
        let at = self.keyed.hash_one(peer) as usize & sets.checked_sub(1)?;
        let set = self.peers.get_mut(at)?;
        let is_known = |way: &Option<OfPeer>| way.is_some_and(|of| of.peer == peer);
        let known = set.iter().position(is_known);
        let oldest = || (0..WAYS).min_by_key(|way| set[*way].map(|of| of.bucket.at));
        let way = known.or_else(oldest)?;
        if known.is_none() {
            set[way] = Some(OfPeer {
                peer,
                bucket: Bucket::full(rate, now),
            });
        }
        let of = set[way].as_mut()?;
        of.bucket.fill(rate, now);
        Some(&mut of.bucket)
    }
}

impl SessionPlane {
    /// Whether a request passes whatever it is.
    pub(crate) fn has_plenty(&mut self, peer: IpAddr, now: Mono) -> bool {
        self.overload.has_plenty(peer.to_canonical(), now)
    }

    /// What becomes of a request that came when there was not plenty; counted, if it does not pass.
    pub(crate) fn judge(&mut self, peer: IpAddr, now: Mono, urgency: Urgency) -> Passage {
        let passage = self.overload.judge(peer.to_canonical(), now, urgency);
        match passage {
            Passage::Pass => {}
            Passage::Refuse => self.counters.plain.overload_refused += 1,
            Passage::Drop => self.counters.dropped(DropReason::Overload),
        }
        passage
    }

    /// Whether an Echo Request is answered; it is not refused, for want of a cause.
    pub(crate) fn answers_echo(&mut self, peer: IpAddr, now: Mono) -> bool {
        let peer = peer.to_canonical();
        let answers = self.overload.is_off() || self.overload.take(peer, now, Urgency::High);
        if !answers {
            self.counters.dropped(DropReason::Overload);
        }
        answers
    }

    /// Whether an endpoint of ours is that of an emergency call, or of a UE that has one.
    pub(crate) fn is_of_emergency(&self, teid: u32) -> bool {
        let ue = self.table.ue_by_teid(teid);
        let of_ue = ue.and_then(|ue| self.table.ue(ue)).map(Ue::sessions);
        let mut sessions = self
            .table
            .by_teid(teid)
            .into_iter()
            .chain(of_ue.into_iter().flatten());
        sessions.any(|place| {
            let session = self.table.session(place);
            let apn = session.and_then(|session| self.config.apns.get(usize::from(session.apn)));
            apn.is_some_and(|apn| apn.emergency)
        })
    }

    /// How urgent a call is by its access point name, its class, and whether it says that it has low priority.
    pub(crate) fn urgency_of_call(&self, place: u16, class: ClassId, says_low: bool) -> Urgency {
        let apn = self.config.apns.get(usize::from(place));
        let Some((apn, served)) = apn.zip(self.shared.apns.served(place)) else {
            return Urgency::Ordinary;
        };
        if apn.emergency {
            return Urgency::Always;
        }
        match (
            class == served.priority,
            served.gives_way(apn, class, says_low),
        ) {
            (true, _) => Urgency::High,
            (false, true) => Urgency::Low,
            (false, false) => Urgency::Ordinary,
        }
    }
}

impl Shared {
    /// Whether a datagram is to be taken even where others find no room: a deletion, the answer to a request of ours, or a
    /// request for an access point name of emergency calls.
    pub fn is_urgent(&self, datagram: &[u8]) -> bool {
        let Some(header) = peek(datagram) else {
            return false;
        };
        match header.version {
            1 => match v1::MessageType(header.kind) {
                v1::MessageType::DELETE_PDP_CONTEXT_REQUEST
                | v1::MessageType::DELETE_PDP_CONTEXT_RESPONSE
                | v1::MessageType::ECHO_RESPONSE => true,
                v1::MessageType::CREATE_PDP_CONTEXT_REQUEST => {
                    let message = v1::Message::parse(datagram).ok();
                    let ies = message.map(|message| v1::IeSet::parse_prefix(message.body).0);
                    let asked = ies.and_then(|ies| ies.get(v1::IeType::ACCESS_POINT_NAME));
                    self.is_of_emergencies(asked)
                }
                _ => false,
            },
            2 => match v2::MessageType(header.kind) {
                v2::MessageType::DELETE_SESSION_REQUEST
                | v2::MessageType::DELETE_SESSION_RESPONSE
                | v2::MessageType::DELETE_BEARER_REQUEST
                | v2::MessageType::DELETE_BEARER_RESPONSE
                | v2::MessageType::DELETE_BEARER_COMMAND
                | v2::MessageType::CREATE_SESSION_RESPONSE
                | v2::MessageType::MODIFY_BEARER_RESPONSE
                | v2::MessageType::ECHO_RESPONSE => true,
                v2::MessageType::CREATE_SESSION_REQUEST => {
                    let message = v2::Message::parse(datagram).ok();
                    let ies = message.map(|message| v2::IeSet::parse_prefix(message.body).0);
                    let asked = ies.and_then(|ies| ies.get(v2::IeType::APN, 0));
                    self.is_of_emergencies(asked)
                }
                _ => false,
            },
            _ => false,
        }
    }

    /// Whether an access point name is one of emergency calls, in any role.
    fn is_of_emergencies(&self, asked: Option<&[u8]>) -> bool {
        let asked = asked.and_then(|value| Apn::parse(value).ok());
        let roles = [Role::Ggsn, Role::Pgw, Role::Saegw, Role::Sgw].into_iter();
        asked.is_some_and(|asked| {
            let mut places = roles.filter_map(|role| self.apns.find(&asked, role));
            places.any(|place| self.apns.served(place).is_some_and(|apn| apn.emergency))
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const NOW: Mono = Mono(5_000_000_000);
    const RATES: Rates = Rates {
        peer_per_s: 800,
        all_per_s: 0,
    };

    fn overload(rates: Rates, peers: u32) -> Overload {
        Overload::new(rates, 1, peers, Keyed::new([3, 4]), NOW)
    }

    fn peer(n: u16) -> IpAddr {
        let [high, low] = n.to_be_bytes();
        [10, 0, high, low].into()
    }

    /// How many of this urgency pass before one does not.
    fn passes(overload: &mut Overload, n: u16, urgency: Urgency, now: Mono) -> u32 {
        let mut passed = 0;
        while passed < 10_000 && overload.judge(peer(n), now, urgency) == Passage::Pass {
            passed += 1;
        }
        passed
    }

    #[test]
    fn the_less_urgent_go_first_and_the_most_urgent_never() {
        let overload = &mut overload(RATES, 4);
        assert_eq!(passes(overload, 1, Urgency::Low, NOW), 400);
        assert_eq!(passes(overload, 1, Urgency::Ordinary, NOW), 300);
        assert_eq!(passes(overload, 1, Urgency::High, NOW), 100);
        assert_eq!(passes(overload, 1, Urgency::Always, NOW), 10_000);
        assert_eq!(passes(overload, 2, Urgency::Low, NOW), 400, "of its own");
        let later = NOW.after(Duration::from_millis(10));
        assert_eq!(passes(overload, 1, Urgency::High, later), 8);
        let much_later = NOW.after(Duration::from_secs(1_000));
        assert_eq!(passes(overload, 1, Urgency::High, much_later), 800);
    }

    #[test]
    fn no_more_are_refused_than_might_pass_and_the_others_are_dropped() {
        let overload = &mut overload(RATES, 4);
        assert_eq!(passes(overload, 1, Urgency::High, NOW), 800);
        let mut judged = |now| overload.judge(peer(1), now, Urgency::Ordinary);
        let refused = (0..10_000)
            .filter(|_| judged(NOW) == Passage::Refuse)
            .count();
        // One was refused before.
        assert_eq!(refused, 799);
        assert_eq!(judged(NOW), Passage::Drop);
        assert_eq!(judged(NOW.after(Duration::from_millis(2))), Passage::Refuse);
    }

    #[test]
    fn all_together_have_a_rate_too() {
        let rates = Rates {
            all_per_s: 1_000,
            ..RATES
        };
        let overload = &mut overload(rates, 16);
        assert_eq!(passes(overload, 1, Urgency::High, NOW), 800);
        assert_eq!(passes(overload, 2, Urgency::High, NOW), 200);
        assert_eq!(passes(overload, 3, Urgency::High, NOW), 0);
        assert_eq!(passes(overload, 3, Urgency::Always, NOW), 10_000);
    }

    #[test]
    fn the_table_does_not_grow_and_the_longest_unheard_gives_way() {
        let overload = &mut overload(RATES, 4);
        assert_eq!(passes(overload, 0, Urgency::High, NOW), 800);
        for n in 1..=3 {
            let later = NOW.after(Duration::from_nanos(n.into()));
            assert_eq!(passes(overload, n, Urgency::High, later), 800);
        }
        let later = NOW.after(Duration::from_nanos(5));
        assert_eq!(passes(overload, 0, Urgency::High, later), 0, "is known");
        assert_eq!(passes(overload, 9, Urgency::High, later), 800);
        assert_eq!(passes(overload, 1, Urgency::High, later), 800, "forgotten");
        assert_eq!((overload.peers.len(), overload.peers.capacity()), (1, 1));
        assert!(size_of::<Option<OfPeer>>() <= 48);
    }

    #[test]
    fn the_least_rate_lets_everything_through_now_and_then() {
        let rates = Rates {
            peer_per_s: 1,
            all_per_s: 1,
        };
        let overload = &mut overload(rates, 4);
        for second in 0..4 {
            let now = NOW.after(Duration::from_secs(second));
            assert_eq!(passes(overload, 1, Urgency::Low, now), 1);
        }
        let most = Rates {
            peer_per_s: u32::MAX,
            all_per_s: u32::MAX,
        };
        let overload = &mut Overload::new(most, 1, 4, Keyed::new([3, 4]), NOW);
        assert_eq!(
            overload.judge(peer(1), Mono(u64::MAX), Urgency::Low),
            Passage::Pass
        );
    }

    #[test]
    fn without_a_rate_all_pass_and_nothing_is_kept() {
        let overload = &mut overload(Rates::default(), 16_384);
        assert!((0..10_000).all(|n| overload.has_plenty(peer(n), NOW)));
        assert_eq!(overload.peers.capacity(), 0);
    }
}
