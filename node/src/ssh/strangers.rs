//! Connections on which nobody has logged in yet: they have places of their own, few of them by address, and who comes last
//! takes the place of who has had it longest.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// How long a place is kept, while there are no more of them than of a burst: logins that come at once are let in.
const KEPT: Duration = Duration::from_secs(3);

/// Places that whoever comes next takes, in all and of one address.
const MOST: Places = Places { all: 16, of_one: 4 };

/// Places in a burst.
const BURST: Places = Places {
    all: 64,
    of_one: 16,
};

struct Places {
    all: usize,
    of_one: usize,
}

/// Who has a place; `E` ends one.
#[derive(Debug)]
pub(super) struct Strangers<E>(Mutex<State<E>>);

#[derive(Debug)]
struct State<E> {
    next: u64,
    /// The oldest first.
    places: Vec<Place<E>>,
}

#[derive(Debug)]
struct Place<E> {
    number: u64,
    network: IpAddr,
    since: Instant,
    ends: E,
}

/// A place, until this is dropped.
#[derive(Debug)]
pub(super) struct Stranger<E> {
    strangers: Arc<Strangers<E>>,
    number: u64,
}

impl<E> Strangers<E> {
    pub(super) fn new() -> Self {
        let (next, places) = (0, Vec::new());
        Self(Mutex::new(State { next, places }))
    }

    /// A place, and whose it was.
    pub(super) fn place(
        self: &Arc<Self>,
        from: IpAddr,
        ends: E,
        now: Instant,
    ) -> (Stranger<E>, Option<E>) {
        let network = network(from);
        let mut state = self.0.lock();
        let left = state.leaves(network, now);
        let left = left.map(|at| state.places.remove(at).ends);
        let number = state.next;
        state.next += 1;
        state.places.push(Place {
            number,
            network,
            since: now,
            ends,
        });
        let strangers = Arc::clone(self);
        (Stranger { strangers, number }, left)
    }
}

impl<E> State<E> {
    /// Whose place somebody of this network takes; none: there is another.
    fn leaves(&self, network: IpAddr, now: Instant) -> Option<usize> {
        let of_one = || {
            let places = self.places.iter().enumerate();
            places.filter(|(_, place)| place.network == network)
        };
        let is_over = |at: &usize| {
            let place = self.places.get(*at);
            place.is_some_and(|place| now.duration_since(place.since) >= KEPT)
        };
        let (all, own) = (self.places.len(), of_one().count());
        let oldest_own = of_one().map(|(at, _)| at).next();
        if own >= BURST.of_one {
            return oldest_own;
        }
        if all >= BURST.all {
            return Some(0);
        }
        let own = oldest_own.filter(is_over).filter(|_| own >= MOST.of_one);
        own.or_else(|| (all >= MOST.all).then_some(0).filter(is_over))
    }
}

impl<E> Drop for Stranger<E> {
    fn drop(&mut self) {
        let mut state = self.strangers.0.lock();
        state.places.retain(|place| place.number != self.number);
    }
}

/// What counts as one address: by IPv6 a client has a network of 64 bits.
fn network(from: IpAddr) -> IpAddr {
    match from.to_canonical() {
        IpAddr::V6(address) => {
            let prefix = address.to_bits() & !u128::from(u64::MAX);
            Ipv6Addr::from_bits(prefix).into()
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Comers {
        strangers: Arc<Strangers<u32>>,
        places: Vec<Stranger<u32>>,
        begun: Instant,
    }

    impl Comers {
        /// Whose place `name` takes, who comes from 192.0.2.`host` at this second.
        fn comes(&mut self, name: u32, host: u8, second: u64) -> Option<u32> {
            let now = self.begun + Duration::from_secs(second);
            let from = IpAddr::from([192, 0, 2, host]);
            let (place, left) = self.strangers.place(from, name, now);
            self.places.push(place);
            left
        }
    }

    fn comers() -> Comers {
        Comers {
            strangers: Arc::new(Strangers::new()),
            places: Vec::new(),
            begun: Instant::now(),
        }
    }

    #[test]
    fn an_address_that_has_its_places_takes_its_own_oldest_one() {
        let mut at = comers();
        assert_eq!(at.comes(100, 2, 0), None);
        for name in 0..4 {
            assert_eq!(at.comes(name, 1, 0), None);
        }
        assert_eq!(at.comes(4, 1, 3), Some(0));
        // Who has logged in leaves a place.
        at.places.retain(|place| place.number != 2);
        assert_eq!(at.comes(5, 1, 3), None);
        assert_eq!(at.comes(6, 1, 3), Some(2));
        assert_eq!(at.comes(101, 2, 9), None, "another address");
    }

    #[test]
    fn logins_of_one_address_that_come_at_once_have_a_place_each() {
        let mut at = comers();
        for name in 0..16 {
            assert_eq!(at.comes(name, 1, 2), None);
        }
        assert_eq!(at.comes(16, 1, 2), Some(0));
    }

    #[test]
    fn there_are_so_many_in_all_and_the_oldest_leaves() {
        let mut at = comers();
        for name in 0..16 {
            assert_eq!(at.comes(name, u8::try_from(name).unwrap(), 0), None);
        }
        assert_eq!(at.comes(16, 16, 3), Some(0));
        for name in 17..64 {
            at.comes(name, u8::try_from(name).unwrap(), 3);
            assert!(at.strangers.0.lock().places.len() <= BURST.all);
        }
    }

    #[test]
    fn a_network_of_ipv6_is_one_address() {
        let of = |text: &str| network(text.parse().unwrap());
        assert_eq!(of("2001:db8:1:2::1"), of("2001:db8:1:2:ffff::9"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
    }
}
