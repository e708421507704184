//! A map in 256 segments, each of which grows by itself: to put one more in moves a 256th of what is there at most, so
//! that no message waits until millions of entries have moved.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash};

/// Segments of a map.
const SEGMENTS: usize = 1 << 8;

/// Entries that a segment has room for from the start: with a few thousand in all none of them grows any more.
const ROOM: usize = 28;

/// A key that says which segment it is in. Keys that share one cost nothing but that these grow together.
pub(crate) trait Segment {
    fn segment(&self) -> u8;
}

/// A tunnel endpoint of ours: its shard.
impl Segment for u32 {
    fn segment(&self) -> u8 {
        self.to_le_bytes()[0]
    }
}

/// The map.
#[derive(Debug)]
pub(crate) struct Segmented<K, V, S>(Box<[HashMap<K, V, S>]>);

impl<K: Segment + Eq + Hash, V, S: BuildHasher + Clone> Segmented<K, V, S> {
    pub(crate) fn with_hasher(hasher: &S) -> Self {
        let segment = || HashMap::with_capacity_and_hasher(ROOM, hasher.clone());
        Self(std::iter::repeat_with(segment).take(SEGMENTS).collect())
    }

    pub(crate) fn get(&self, key: &K) -> Option<&V> {
        self.0[usize::from(key.segment())].get(key)
    }

    pub(crate) fn contains_key(&self, key: &K) -> bool {
        self.get(key).is_some()
    }

    pub(crate) fn insert(&mut self, key: K, value: V) -> Option<V> {
        self.0[usize::from(key.segment())].insert(key, value)
    }

    pub(crate) fn remove(&mut self, key: &K) -> Option<V> {
        self.0[usize::from(key.segment())].remove(key)
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.0.iter().map(HashMap::len).sum()
    }
}

#[cfg(test)]
mod tests {
    use gtp::v1::{Imsi, Nsapi};

    use super::*;
    use crate::hashing::{Keyed, OwnNumbers};
    use crate::session::{ContextKey, Identity};

    #[test]
    fn it_is_a_map() {
        let mut map = Segmented::with_hasher(&OwnNumbers);
        for number in 0..10_000_u32 {
            assert_eq!(map.insert(number * 7, number), None);
        }
        assert_eq!((map.insert(14, 5), map.len()), (Some(2), 10_000));
        assert_eq!((map.get(&14), map.get(&15)), (Some(&5), None));
        assert_eq!((map.remove(&14), map.remove(&14)), (Some(5), None));
        assert!(!map.contains_key(&14) && map.contains_key(&21));
        assert_eq!(map.len(), 9_999);
    }

    #[test]
    fn subscribers_one_after_the_other_are_spread_over_the_segments() {
        let mut map = Segmented::<ContextKey, u32, Keyed>::with_hasher(&Keyed::new([1, 2]));
        let nsapi = Nsapi::new(5).unwrap();
        for number in 0..100_000 {
            let imsi = Imsi::from_number(240_010_000_000_000 + number, 15).unwrap();
            map.insert(Identity::of_imsi(imsi).with(nsapi), 0);
        }
        let most = map.0.iter().map(HashMap::len).max().unwrap();
        assert!(most < 2 * 100_000 / SEGMENTS, "{most}");
    }
}
