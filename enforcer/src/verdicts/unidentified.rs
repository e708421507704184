//! Calls in the form of an emergency call, without an authenticated subscriber, that came to ordinary access points.
//!
//! They are refused where they come; here they are an alarm, because whoever sends them is misconfigured or means harm.

use std::time::Duration;

use licensing::Mono;

/// The alarm is over when none has come for so long.
const QUIET: Duration = Duration::from_mins(10);

/// How many there were, and whether lately.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Unidentified {
    calls: u64,
    /// When the last one was told of; none: so long ago that it is quiet again.
    last: Option<Mono>,
}

impl Unidentified {
    pub(super) fn came(&mut self, calls: u64, now: Mono) {
        self.calls = self.calls.saturating_add(calls);
        self.last = Some(now).filter(|_| calls > 0).or(self.last);
    }

    pub(super) fn pass(&mut self, now: Mono) {
        self.last = self.last.filter(|last| now.since(*last) < QUIET);
    }

    /// Since the process began.
    pub(super) fn calls(&self) -> u64 {
        self.calls
    }

    pub(super) fn lately(&self) -> bool {
        self.last.is_some()
    }
}
