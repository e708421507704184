//! How many connections an address has.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use parking_lot::Mutex;

/// Connections by address: at most so many of each. It has no more rows than there are connections.
#[derive(Clone, Debug)]
pub(super) struct Addresses {
    most: usize,
    held: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

/// One connection of an address, until it is dropped.
#[derive(Debug)]
pub(super) struct Seat {
    of: IpAddr,
    held: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

impl Addresses {
    pub(super) fn new(most: usize) -> Self {
        Self {
            most,
            held: Arc::default(),
        }
    }

    /// None: it has as many as it may.
    pub(super) fn seat(&self, address: IpAddr) -> Option<Seat> {
        let of = site(address);
        let mut held = self.held.lock();
        let count = held.entry(of).or_insert(0);
        if *count >= self.most {
            return None;
        }
        *count += 1;
        let held = Arc::clone(&self.held);
        Some(Seat { of, held })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut held = self.held.lock();
        let Some(count) = held.get_mut(&self.of) else {
            return;
        };
        *count -= 1;
        if *count == 0 {
            held.remove(&self.of);
        }
    }
}

/// Whoever has an address of IPv6 has its whole /64 (RFC 6177).
fn site(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_so_many_and_gets_them_back() {
        let addresses = Addresses::new(2);
        let seat = |address: &str| addresses.seat(address.parse().unwrap());
        let first = seat("192.0.2.1").unwrap();
        let second = seat("::ffff:192.0.2.1").unwrap();
        assert!(seat("192.0.2.1").is_none());
        let other = seat("192.0.2.2").unwrap();
        drop(first);
        let third = seat("192.0.2.1").unwrap();
        assert!(seat("192.0.2.1").is_none());
        let site = (seat("2001:db8::1").unwrap(), seat("2001:db8::2:1").unwrap());
        assert!(seat("2001:db8::3").is_none() && seat("2001:db8:0:1::1").is_some());
        drop((second, third, other, site));
        assert!(addresses.held.lock().is_empty());
    }
}
