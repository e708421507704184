//! Address pools, shared by the workers: each address is out at most once, and a freed one comes back last.

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use parking_lot::Mutex;

use crate::config::{Pool, PoolRange};
use crate::error::PlaneError;

/// Prefix length that a UE gets (TS 29.061 11.2.1.3).
const UE_PREFIX_BITS: u32 = 64;
/// Most addresses of one pool.
const POOL_MAX: u64 = 1 << 31;

/// An address that is out: the pool that it came from, and its place there.
///
/// Whoever holds one gives it back to [`AddressPools::release`], once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lease {
    place: u32,
    pool: u16,
}

/// What a pool holds now.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct PoolCount {
    /// Its name.
    pub name: String,
    /// Addresses that it has.
    pub size: u32,
    /// Addresses that are out.
    pub used: u32,
}

/// All pools of a node.
#[derive(Debug)]
pub struct AddressPools {
    pools: Vec<SharedPool>,
}

#[derive(Debug)]
struct SharedPool {
    name: String,
    range: PoolRange,
    size: u32,
    places: Mutex<Places>,
}

/// The places of a pool: those never out, those that came back, and one bit a place that ever was out.
#[derive(Debug, Default)]
struct Places {
    fresh: u32,
    free: VecDeque<u32>,
    out: Vec<u64>,
    used: u32,
    surplus_releases: u64,
}

impl AddressPools {
    /// Checks the pools and takes them over.
    ///
    /// # Errors
    ///
    /// When a range is empty, too large or malformed, or two ranges share an address.
    pub(crate) fn new(pools: &[Pool]) -> Result<Self, PlaneError> {
        let sizes = pools.iter().map(size_of).collect::<Result<Vec<_>, _>>()?;
        for (at, first) in pools.iter().enumerate() {
            if let Some(second) = pools[..at].iter().find(|other| overlap(first, other)) {
                return Err(PlaneError::PoolsOverlap {
                    first: second.name.clone(),
                    second: first.name.clone(),
                });
            }
        }
        let shared = pools.iter().zip(sizes).map(|(pool, size)| SharedPool {
            name: pool.name.clone(),
            range: pool.range,
            size,
            places: Mutex::default(),
        });
        Ok(Self {
            pools: shared.collect(),
        })
    }

    /// How full each pool is.
    pub fn counts(&self) -> Vec<PoolCount> {
        let count = |pool: &SharedPool| PoolCount {
            name: pool.name.clone(),
            size: pool.size,
            used: pool.places.lock().used,
        };
        self.pools.iter().map(count).collect()
    }

    /// Releases of addresses that were not out: 0, always.
    pub fn surplus_releases(&self) -> u64 {
        let surplus = |pool: &SharedPool| pool.places.lock().surplus_releases;
        self.pools.iter().map(surplus).sum()
    }

    /// Takes an address out of the first of these pools that has one.
    pub(crate) fn allocate(&self, from: &[u16]) -> Option<Lease> {
        from.iter().find_map(|&pool| {
            let shared = self.pools.get(usize::from(pool))?;
            let place = shared.places.lock().take(shared.size)?;
            Some(Lease { place, pool })
        })
    }

    /// Gives an address back that a session had; it goes out again after all others that are free.
    pub(crate) fn release(&self, lease: Lease) {
        if let Some(pool) = self.pools.get(usize::from(lease.pool)) {
            pool.places.lock().give_back(lease.place, Again::Last);
        }
    }

    /// Gives an address back that no session ever had; it goes out again next.
    pub(crate) fn undo(&self, lease: Lease) {
        if let Some(pool) = self.pools.get(usize::from(lease.pool)) {
            pool.places.lock().give_back(lease.place, Again::Next);
        }
    }

    /// The address itself; for IPv6 the prefix with interface identifier 1.
    pub(crate) fn address(&self, lease: Lease) -> IpAddr {
        match self.pools[usize::from(lease.pool)].range {
            PoolRange::Ipv4 { first, .. } => {
                IpAddr::V4(Ipv4Addr::from_bits(first.to_bits() + lease.place))
            }
            PoolRange::Ipv6 { prefix, .. } => {
                let network = prefix.to_bits() >> UE_PREFIX_BITS;
                let bits = (network + u128::from(lease.place)) << UE_PREFIX_BITS;
                IpAddr::V6(Ipv6Addr::from_bits(bits | 1))
            }
        }
    }
}

/// When a free address goes out again.
#[derive(Clone, Copy)]
enum Again {
    Next,
    Last,
}

impl Places {
    fn take(&mut self, size: u32) -> Option<u32> {
        let place = if self.fresh < size {
            self.fresh += 1;
            self.fresh - 1
        } else {
            self.free.pop_front()?
        };
        let word = place as usize / 64;
        if word >= self.out.len() {
            self.out.push(0);
        }
        self.out[word] |= 1 << (place % 64);
        self.used += 1;
        Some(place)
    }

    fn give_back(&mut self, place: u32, again: Again) {
        let bit = 1 << (place % 64);
        match self.out.get_mut(place as usize / 64) {
            Some(word) if *word & bit != 0 => *word &= !bit,
            Some(_) | None => {
                self.surplus_releases += 1;
                return;
            }
        }
        self.used -= 1;
        match again {
            Again::Next if place + 1 == self.fresh => self.fresh -= 1,
            Again::Next => self.free.push_front(place),
            Again::Last => self.free.push_back(place),
        }
    }
}

fn size_of(pool: &Pool) -> Result<u32, PlaneError> {
    let wrong = |why| PlaneError::PoolRange {
        pool: pool.name.clone(),
        why,
    };
    let (first, last) = bounds(&pool.range).map_err(wrong)?;
    let size = last
        .checked_sub(first)
        .ok_or_else(|| wrong("its last address comes before its first"))?
        + 1;
    u64::try_from(size)
        .ok()
        .filter(|size| *size <= POOL_MAX)
        .and_then(|size| u32::try_from(size).ok())
        .ok_or_else(|| wrong("it has more than 2147483648 addresses"))
}

/// First and last, in one space of numbers a family.
fn bounds(range: &PoolRange) -> Result<(u128, u128), &'static str> {
    match *range {
        PoolRange::Ipv4 { first, last } => {
            Ok((u128::from(first.to_bits()), u128::from(last.to_bits())))
        }
        PoolRange::Ipv6 { prefix, length } => {
            if !(33..=64).contains(&length) {
                return Err("the length of its prefix is not 33 to 64");
            }
            if prefix.to_bits() << length != 0 {
                return Err("its prefix has bits behind its length");
            }
            let first = prefix.to_bits() >> UE_PREFIX_BITS;
            let last = first + ((1_u128 << (UE_PREFIX_BITS - u32::from(length))) - 1);
            Ok((first, last))
        }
    }
}

fn overlap(one: &Pool, other: &Pool) -> bool {
    let same_family = matches!(
        (one.range, other.range),
        (PoolRange::Ipv4 { .. }, PoolRange::Ipv4 { .. })
            | (PoolRange::Ipv6 { .. }, PoolRange::Ipv6 { .. })
    );
    match (bounds(&one.range), bounds(&other.range)) {
        (Ok((a0, a1)), Ok((b0, b1))) => same_family && a0 <= b1 && b0 <= a1,
        (Err(_), _) | (_, Err(_)) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn v4(name: &str, first: [u8; 4], last: [u8; 4]) -> Pool {
        Pool {
            name: name.into(),
            range: PoolRange::Ipv4 {
                first: first.into(),
                last: last.into(),
            },
        }
    }

    fn v6(name: &str, prefix: &str, length: u8) -> Pool {
        Pool {
            name: name.into(),
            range: PoolRange::Ipv6 {
                prefix: prefix.parse().unwrap(),
                length,
            },
        }
    }

    #[test]
    fn every_address_is_out_once_and_a_freed_one_comes_back_last() {
        let pools = AddressPools::new(&[v4("a", [10, 0, 0, 1], [10, 0, 0, 3])]).unwrap();
        let leases: Vec<_> = std::iter::from_fn(|| pools.allocate(&[0])).collect();
        let addresses: Vec<_> = leases
            .iter()
            .map(|l| pools.address(*l).to_string())
            .collect();
        assert_eq!(addresses, ["10.0.0.1", "10.0.0.2", "10.0.0.3"]);
        for at in [2, 0, 1] {
            pools.release(leases[at]);
        }
        let again: Vec<_> = std::iter::from_fn(|| pools.allocate(&[0]))
            .map(|l| pools.address(l).to_string())
            .collect();
        assert_eq!(again, ["10.0.0.3", "10.0.0.1", "10.0.0.2"]);
        assert_eq!((pools.counts()[0].used, pools.surplus_releases()), (3, 0));
    }

    #[test]
    fn fresh_addresses_go_out_before_freed_ones() {
        let pools = AddressPools::new(&[v4("a", [10, 0, 0, 1], [10, 0, 0, 3])]).unwrap();
        let first = pools.allocate(&[0]).unwrap();
        pools.release(first);
        assert_eq!(
            pools.address(pools.allocate(&[0]).unwrap()).to_string(),
            "10.0.0.2"
        );
    }

    #[test]
    fn what_no_session_had_goes_out_next() {
        let pools = AddressPools::new(&[v4("a", [10, 0, 0, 1], [10, 0, 0, 2])]).unwrap();
        let first = pools.allocate(&[0]).unwrap();
        pools.undo(first);
        assert_eq!(pools.allocate(&[0]), Some(first));
        let second = pools.allocate(&[0]).unwrap();
        pools.release(first);
        pools.undo(second);
        assert_eq!(pools.allocate(&[0]), Some(second));
        assert_eq!(pools.counts()[0].used, 1);
    }

    #[test]
    fn a_second_release_is_counted_and_changes_nothing() {
        let pools = AddressPools::new(&[v4("a", [10, 0, 0, 1], [10, 0, 0, 1])]).unwrap();
        let lease = pools.allocate(&[0]).unwrap();
        pools.release(lease);
        pools.release(lease);
        pools.undo(lease);
        assert_eq!(pools.surplus_releases(), 2);
        assert_eq!(pools.allocate(&[0]), Some(lease));
        assert_eq!(pools.allocate(&[0]), None);
    }

    #[test]
    fn prefixes_are_64_bits_long_and_the_next_pool_helps_out() {
        let pools = [v6("p", "2001:db8:0:4::", 63), v6("q", "2001:db8:1::", 64)];
        let pools = AddressPools::new(&pools).unwrap();
        let given: Vec<_> = std::iter::from_fn(|| pools.allocate(&[0, 1]))
            .map(|l| pools.address(l).to_string())
            .collect();
        assert_eq!(
            given,
            ["2001:db8:0:4::1", "2001:db8:0:5::1", "2001:db8:1::1"]
        );
    }

    #[test]
    fn faults_are_told() {
        let why = |pools: &[Pool]| AddressPools::new(pools).unwrap_err().to_string();
        assert_eq!(
            why(&[v4("a", [10, 0, 0, 2], [10, 0, 0, 1])]),
            "pool \"a\": its last address comes before its first"
        );
        assert_eq!(
            why(&[v6("p", "2001:db8::1", 64)]),
            "pool \"p\": its prefix has bits behind its length"
        );
        assert_eq!(
            why(&[v6("p", "2001:db8::", 32)]),
            "pool \"p\": the length of its prefix is not 33 to 64"
        );
        assert_eq!(
            why(&[
                v4("a", [10, 0, 0, 1], [10, 0, 0, 9]),
                v4("b", [10, 0, 0, 9], [10, 0, 0, 10])
            ]),
            "pools \"a\" and \"b\" share addresses"
        );
        assert_eq!(
            why(&[v4("a", [0, 0, 0, 0], [255, 255, 255, 255])]),
            "pool \"a\": it has more than 2147483648 addresses"
        );
        let apart = [v4("a", [0, 0, 0, 1], [0, 0, 0, 9]), v6("p", "::", 64)];
        assert!(AddressPools::new(&apart).is_ok());
    }
}
