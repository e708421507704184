//! The refusal ring: fixed-size, written by the workers, drained by the control thread (rule L17).

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crossbeam::queue::ArrayQueue;
use licensing::{RefusalReason, ServiceIndex, Wall};
use serde::{Deserialize, Serialize};

/// One refused call, as the worker saw it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusalSeen {
    /// When it was decided: the wall time of the worker's batch.
    pub at: Wall,
    /// The service that was asked for.
    pub service: ServiceIndex,
    /// Why.
    pub reason: RefusalReason,
    /// Sessions of the service as the gate told them.
    pub sessions: u32,
    /// Its ceiling as the gate told it; none: unlimited.
    pub ceiling: Option<u32>,
    /// The access point name that was asked for.
    pub apn: Arc<str>,
    /// Cause sent to the peer.
    pub cause: u8,
    /// Not a retry of a subscriber refused less than a minute ago.
    pub new_subscriber: bool,
}

/// Refusals on their way to the history; when it is full, the oldest give way and are counted. Beside them the number of
/// calls that came without an authenticated subscriber to where only others are served.
#[derive(Debug)]
pub struct RefusalRing {
    seen: ArrayQueue<RefusalSeen>,
    lost: AtomicU64,
    unidentified: AtomicU64,
}

impl RefusalRing {
    /// A ring for at most so many refusals, at least one.
    pub fn new(capacity: usize) -> Self {
        Self {
            seen: ArrayQueue::new(capacity.max(1)),
            lost: AtomicU64::new(0),
            unidentified: AtomicU64::new(0),
        }
    }

    /// Refusals that it holds at most.
    pub fn capacity(&self) -> usize {
        self.seen.capacity()
    }

    /// Puts one in, in place of the oldest if there is no room.
    pub fn push(&self, refusal: RefusalSeen) {
        if self.seen.force_push(refusal).is_some() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Takes out what is there, oldest first, at most [`RefusalRing::capacity`].
    pub fn drain(&self) -> Vec<RefusalSeen> {
        std::iter::from_fn(|| self.seen.pop())
            .take(self.seen.capacity())
            .collect()
    }

    /// How many gave way since this was last asked.
    pub fn take_lost(&self) -> u64 {
        self.lost.swap(0, Ordering::Relaxed)
    }

    /// Notes a call without an authenticated subscriber.
    pub fn note_unidentified(&self) {
        self.unidentified.fetch_add(1, Ordering::Relaxed);
    }

    /// How many there were since this was last asked.
    pub fn take_unidentified(&self) -> u64 {
        self.unidentified.swap(0, Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(at: i64) -> RefusalSeen {
        RefusalSeen {
            at: Wall(at),
            service: ServiceIndex(2),
            reason: RefusalReason::AtCeiling,
            sessions: 10_000,
            ceiling: Some(10_000),
            apn: "internet".into(),
            cause: 199,
            new_subscriber: true,
        }
    }

    //= L17
    #[test]
    fn the_oldest_give_way_and_are_counted() {
        let ring = RefusalRing::new(3);
        (1..=5).for_each(|at| ring.push(refusal(at)));
        let at: Vec<_> = ring.drain().iter().map(|seen| seen.at.0).collect();
        assert_eq!(at, [3, 4, 5]);
        assert_eq!(ring.take_lost(), 2);
        assert_eq!((ring.take_lost(), ring.drain().len()), (0, 0));
    }
}
