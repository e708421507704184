//! Other ways to keep a limit on what is held at once, as somebody would write each.

use std::collections::HashMap;
use std::hint::black_box;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering::AcqRel, Ordering::Acquire};

use dashmap::DashMap;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use tokio::sync::Semaphore;

/// The service that is asked for, among as many as the catalog has.
const KEY: u8 = 2;
const KEYS: u8 = 7;

/// Takes one of a limited number, or says no; gives it back.
pub(crate) trait Limit: Send + Sync {
    fn admit(&self) -> bool;
    fn release(&self);
}

/// A count that others don't share a cache line with.
#[repr(align(128))]
pub(crate) struct Count(AtomicU64);

/// Adds and compares, and lets in whatever came of it: no limit is kept.
pub(crate) struct AddAlone {
    count: Count,
    limit: u64,
}

impl AddAlone {
    pub(crate) fn new(limit: u32) -> Self {
        Self {
            count: Count(AtomicU64::new(0)),
            limit: limit.into(),
        }
    }
}

impl Limit for AddAlone {
    #[inline]
    fn admit(&self) -> bool {
        // Used as an admission would use it, though nobody is refused.
        if self.count.0.fetch_add(1, AcqRel) >= self.limit {
            return black_box(true);
        }
        true
    }

    #[inline]
    fn release(&self) {
        self.count.0.fetch_sub(1, AcqRel);
    }
}

/// Adds, and takes it back if that was too many.
pub(crate) struct AddUndo {
    count: Count,
    limit: u64,
}

impl AddUndo {
    pub(crate) fn new(limit: u32, held: u32) -> Self {
        Self {
            count: Count(AtomicU64::new(held.into())),
            limit: limit.into(),
        }
    }
}

impl Limit for AddUndo {
    #[inline]
    fn admit(&self) -> bool {
        let admitted = self.count.0.fetch_add(1, AcqRel) < self.limit;
        if !admitted {
            self.count.0.fetch_sub(1, AcqRel);
        }
        admitted
    }

    #[inline]
    fn release(&self) {
        self.count.0.fetch_sub(1, AcqRel);
    }
}

/// Limit and count in one word, moved by compare-and-swap.
pub(crate) struct Packed(Count);

impl Packed {
    pub(crate) fn new(limit: u32, held: u32) -> Self {
        let word = u64::from(limit) << 32 | u64::from(held);
        Self(Count(AtomicU64::new(word)))
    }
}

impl Limit for Packed {
    #[inline]
    fn admit(&self) -> bool {
        let mut word = self.0.0.load(Acquire);
        loop {
            if word as u32 >= (word >> 32) as u32 {
                return false;
            }
            match self
                .0
                .0
                .compare_exchange_weak(word, word + 1, AcqRel, Acquire)
            {
                Ok(_) => return true,
                Err(now) => word = now,
            }
        }
    }

    #[inline]
    fn release(&self) {
        self.0.0.fetch_sub(1, AcqRel);
    }
}

/// What a map holds for a service.
pub(crate) struct Entry {
    count: u32,
    limit: u32,
}

impl Entry {
    fn all(limit: u32, held: u32) -> impl Iterator<Item = (u8, Self)> {
        (0..KEYS).map(move |key| (key, Self { count: held, limit }))
    }

    fn admit(&mut self) -> bool {
        let admitted = self.count < self.limit;
        self.count += u32::from(admitted);
        admitted
    }
}

/// A map behind a lock of `std`.
pub(crate) struct StdMutex(std::sync::Mutex<HashMap<u8, Entry>>);

impl StdMutex {
    pub(crate) fn new(limit: u32, held: u32) -> Self {
        Self(std::sync::Mutex::new(Entry::all(limit, held).collect()))
    }

    fn with<T>(&self, what: impl FnOnce(&mut Entry) -> T) -> Option<T> {
        let mut map = self
            .0
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        map.get_mut(&black_box(KEY)).map(what)
    }
}

impl Limit for StdMutex {
    fn admit(&self) -> bool {
        self.with(Entry::admit).unwrap_or(false)
    }

    fn release(&self) {
        self.with(|entry| entry.count -= 1);
    }
}

/// A map behind a lock of `parking_lot`.
pub(crate) struct ParkingLot(parking_lot::Mutex<HashMap<u8, Entry>>);

impl ParkingLot {
    pub(crate) fn new(limit: u32, held: u32) -> Self {
        Self(parking_lot::Mutex::new(Entry::all(limit, held).collect()))
    }
}

impl Limit for ParkingLot {
    fn admit(&self) -> bool {
        let mut map = self.0.lock();
        map.get_mut(&black_box(KEY)).is_some_and(Entry::admit)
    }

    fn release(&self) {
        if let Some(entry) = self.0.lock().get_mut(&black_box(KEY)) {
            entry.count -= 1;
        }
    }
}

/// A map with a lock for each of its parts.
pub(crate) struct Dash(DashMap<u8, Entry>);

impl Dash {
    pub(crate) fn new(limit: u32, held: u32) -> Self {
        Self(Entry::all(limit, held).collect())
    }
}

impl Limit for Dash {
    fn admit(&self) -> bool {
        let entry = self.0.get_mut(&black_box(KEY));
        entry.is_some_and(|mut entry| entry.admit())
    }

    fn release(&self) {
        if let Some(mut entry) = self.0.get_mut(&black_box(KEY)) {
            entry.count -= 1;
        }
    }
}

/// Permits of an asynchronous program, taken without waiting.
pub(crate) struct TokioSemaphore(Semaphore);

impl TokioSemaphore {
    pub(crate) fn new(limit: u32, held: u32) -> Self {
        Self(Semaphore::new((limit - held) as usize))
    }
}

impl Limit for TokioSemaphore {
    fn admit(&self) -> bool {
        match self.0.try_acquire() {
            Ok(permit) => {
                permit.forget();
                true
            }
            Err(_) => false,
        }
    }

    fn release(&self) {
        self.0.add_permits(1);
    }
}

/// A rate limiter: it counts what comes, not what is held, so nothing is given back.
pub(crate) struct Governor(DefaultDirectRateLimiter);

impl Governor {
    /// One that lets all in, or after the first nobody for an hour.
    pub(crate) fn new(all: bool) -> Self {
        const MANY: NonZeroU32 = NonZeroU32::new(1_000_000_000).unwrap();
        let quota = match all {
            true => Quota::per_second(MANY),
            false => Quota::per_hour(NonZeroU32::MIN),
        };
        let limiter = RateLimiter::direct(quota);
        if !all {
            // The first is let in; it is not of those who are counted.
            let _first = limiter.check();
        }
        Self(limiter)
    }
}

impl Limit for Governor {
    fn admit(&self) -> bool {
        self.0.check().is_ok()
    }

    fn release(&self) {}
}
