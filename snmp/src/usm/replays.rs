//! Messages that were seen already.

use std::collections::{HashSet, VecDeque};

/// How many messages are remembered.
const REMEMBERED: usize = 4096;

/// The latest authentic messages, by their MACs.
///
/// The time window lets a copy of a message in for 150 s (RFC 3414 section 1.5); this keeps out one of the last
/// [`REMEMBERED`]. Who asks again with a new msgID, as they all do, has another MAC.
#[derive(Debug, Default)]
pub struct Replays {
    seen: HashSet<[u8; 12]>,
    order: VecDeque<[u8; 12]>,
}

impl Replays {
    /// Whether the message with this MAC was seen; from now on it was.
    pub fn is_replay(&mut self, mac: &[u8]) -> bool {
        let Some(mac) = mac.first_chunk::<12>() else {
            return false;
        };
        if !self.seen.insert(*mac) {
            return true;
        }
        self.order.push_back(*mac);
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.seen.remove(&oldest);
        }
        false
    }
}
