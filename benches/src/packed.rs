//! A limit and a count in one word, moved by compare-and-swap: the simplest gate that is exact.

use std::sync::atomic::{AtomicU64, Ordering::*};

/// `[limit: 32 | count: 32]` on a cache line of its own.
#[repr(align(128))]
pub struct Packed(AtomicU64);

impl Packed {
    /// Nobody in it.
    pub fn new(limit: u32) -> Self {
        Self(AtomicU64::new(u64::from(limit) << 32))
    }

    /// Lets one in below the limit.
    #[inline]
    pub fn admit(&self) -> bool {
        let mut word = self.0.load(Acquire);
        loop {
            if word as u32 >= (word >> 32) as u32 {
                return false;
            }
            let swapped = self
                .0
                .compare_exchange_weak(word, word + 1, AcqRel, Acquire);
            match swapped {
                Ok(_) => return true,
                Err(other) => word = other,
            }
        }
    }

    /// Lets one out.
    #[inline]
    pub fn release(&self) {
        self.0.fetch_sub(1, AcqRel);
    }
}
