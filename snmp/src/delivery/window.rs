//! At most so many in any second.

use std::collections::VecDeque;
use std::time::Duration;

use licensing::Mono;

/// Notifications that a target is sent in any second at most, repeated informs among them.
pub const A_SECOND: usize = 50;

const SECOND: Duration = Duration::from_secs(1);

/// When each of the last [`A_SECOND`] was.
#[derive(Clone, Debug, Default)]
pub(super) struct Window {
    times: VecDeque<Mono>,
}

impl Window {
    /// From when on there is room; none: there is.
    pub(super) fn free_at(&self) -> Option<Mono> {
        let full = self.times.len() >= A_SECOND;
        self.times
            .front()
            .filter(|_| full)
            .map(|first| first.after(SECOND))
    }

    pub(super) fn admits(&self, now: Mono) -> bool {
        self.free_at().is_none_or(|at| now >= at)
    }

    pub(super) fn take(&mut self, now: Mono) {
        if self.times.len() >= A_SECOND {
            self.times.pop_front();
        }
        self.times.push_back(now);
    }
}
