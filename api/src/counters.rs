//! `show session counters historical all`: calls, by intervals of 15 minutes.

use licensing::Wall;
use serde::{Deserialize, Serialize};

/// Length of an interval, in seconds.
pub const COUNTERS_INTERVAL_S: u64 = 900;

/// Intervals kept: two days.
pub const COUNTERS_INTERVALS_MAX: usize = 192;

/// What became of calls; retransmissions are no calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallCounters {
    /// Requests for a session that were answered, whatever the answer.
    pub arrived: u64,
    /// Refused for a license.
    pub rejected: u64,
    /// Sessions made.
    pub connected: u64,
    /// Sessions ended.
    pub disconnected: u64,
    /// Refused for anything else.
    pub failed: u64,
    /// Sessions that went over to another access.
    pub handed_over: u64,
}

/// One interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CounterInterval {
    /// Its end; of the one that goes on, now.
    pub until: Wall,
    /// What was counted in it.
    pub counted: CallCounters,
}

/// The intervals since the process began.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CountersHistory {
    /// The one that goes on; none: no worker has told yet.
    pub current: Option<CounterInterval>,
    /// Those before, the newest first, at most [`COUNTERS_INTERVALS_MAX`].
    pub intervals: Vec<CounterInterval>,
}
