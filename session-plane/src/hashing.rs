//! Hashing for keys that a peer chooses: SipHash behind a secret that each plane draws for itself, so that nobody can
//! aim at one bucket. No system randomness is read here.

use std::fmt;
use std::hash::{BuildHasher, DefaultHasher, Hasher};

/// Builds keyed hashers.
#[derive(Clone)]
pub(crate) struct Keyed {
    /// One that has the secret.
    begun: DefaultHasher,
}

impl Keyed {
    pub(crate) fn new(secret: [u64; 2]) -> Self {
        let mut begun = DefaultHasher::new();
        begun.write_u64(secret[0]);
        begun.write_u64(secret[1]);
        Self { begun }
    }
}

impl fmt::Debug for Keyed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keyed(secret)")
    }
}

impl BuildHasher for Keyed {
    type Hasher = DefaultHasher;

    fn build_hasher(&self) -> DefaultHasher {
        self.begun.clone()
    }
}

/// For numbers that no peer chooses, tunnel endpoints drawn at random and keyed digests: one multiplication spreads them
/// over the table.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct OwnNumbers;

/// See [`OwnNumbers`].
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct OwnNumberHasher(u64);

impl BuildHasher for OwnNumbers {
    type Hasher = OwnNumberHasher;

    fn build_hasher(&self) -> OwnNumberHasher {
        OwnNumberHasher(0)
    }
}

impl Hasher for OwnNumberHasher {
    /// The high bits are the good ones; the table takes its bucket from the low ones, and the endpoints of one worker
    /// have low bits in common.
    fn finish(&self) -> u64 {
        self.0.rotate_left(26)
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes
            .iter()
            .for_each(|byte| self.write_u32(u32::from(*byte)));
    }

    fn write_u32(&mut self, number: u32) {
        self.write_u64(u64::from(number));
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = (self.0 ^ number).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn endpoints_of_one_shard_spread_over_the_buckets() {
        let bucket = |n: u32| OwnNumbers.hash_one(n << 8 | 7) % 4096;
        let buckets: BTreeSet<_> = (1..=4096).map(bucket).collect();
        assert!(buckets.len() > 2400, "{}", buckets.len());
    }
}
