//! Distinct subscribers refused: a retry within a minute is the same one (rule L15).

use std::collections::{HashSet, VecDeque};
use std::time::Duration;

use licensing::{Mono, ServiceIndex};

use crate::hashing::Keyed;
use crate::session::Identity;

/// How long a refused subscriber counts as the same one.
const SAME_FOR: Duration = Duration::from_secs(60);

/// Subscribers refused in the last minute, bounded; when it is full, the longest known give way, and a retry of theirs
/// counts as a new one.
#[derive(Debug)]
pub(crate) struct RefusedSubscribers {
    known: HashSet<(Identity, ServiceIndex), Keyed>,
    order: VecDeque<(Mono, Identity, ServiceIndex)>,
    most: usize,
}

impl RefusedSubscribers {
    pub(crate) fn new(most: u32, keyed: Keyed) -> Self {
        Self {
            known: HashSet::with_hasher(keyed),
            order: VecDeque::new(),
            most: most as usize,
        }
    }

    /// Notes a refusal; true for a subscriber who was not refused by this service in the minute before.
    pub(crate) fn note(&mut self, who: Identity, service: ServiceIndex, now: Mono) -> bool {
        self.forget(now);
        if self.known.contains(&(who, service)) {
            return false;
        }
        if self.order.len() >= self.most {
            self.forget_oldest();
        }
        self.known.insert((who, service));
        self.order.push_back((now, who, service));
        true
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

    //= L15
    #[test]
    fn a_retry_within_a_minute_is_the_same_subscriber() {
        let mut refused = RefusedSubscribers::new(100, Keyed::new([3, 4]));
        let ggsn = ServiceIndex(2);
        assert!(refused.note(who(1), ggsn, Mono(0)));
        assert!(!refused.note(who(1), ggsn, Mono(59 * SECOND)));
        assert!(refused.note(who(2), ggsn, Mono(59 * SECOND)));
        assert!(refused.note(who(1), ServiceIndex(0), Mono(59 * SECOND)));
        assert!(refused.note(who(1), ggsn, Mono(60 * SECOND)));
        assert!(!refused.note(who(2), ggsn, Mono(118 * SECOND)));
    }

    #[test]
    fn it_holds_no_more_than_it_may() {
        let mut refused = RefusedSubscribers::new(2, Keyed::new([3, 4]));
        let ggsn = ServiceIndex(2);
        (1..=3).for_each(|n| assert!(refused.note(who(n), ggsn, Mono(0))));
        assert_eq!((refused.known.len(), refused.order.len()), (2, 2));
        assert!(!refused.note(who(3), ggsn, Mono(0)));
        assert!(refused.note(who(1), ggsn, Mono(0)));
    }
}
