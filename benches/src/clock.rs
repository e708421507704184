//! A clock of one thread that stands still while somebody else has its processor.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::time::{Duration, Instant};

use licensing::{Mono, Now, Wall};

/// Time without that in which somebody else had the processor, as far as the system tells: so much a thread never waits for
/// what is measured.
pub struct Clock {
    begun: Instant,
    last: Duration,
    away: Duration,
    /// What the thread had waited before.
    before: Duration,
    schedule: Option<File>,
}

impl Default for Clock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock {
    /// The worker is here between two readings if it is not held up: a longer time may have been another's.
    const STEP: Duration = Duration::from_micros(20);

    /// From now on, for this thread alone.
    pub fn new() -> Self {
        let mut clock = Self {
            begun: Instant::now(),
            last: Duration::ZERO,
            away: Duration::ZERO,
            before: Duration::ZERO,
            schedule: File::open("/proc/thread-self/schedstat").ok(),
        };
        clock.before = clock.waited().unwrap_or_default();
        clock
    }

    /// Since it was made.
    pub fn at(&mut self) -> Duration {
        let at = self.begun.elapsed();
        if at - self.last > Self::STEP {
            let waited = self.waited();
            self.away = waited.map_or(self.away, |all| all.saturating_sub(self.before));
        }
        self.last = at;
        at.saturating_sub(self.away)
    }

    /// How long this thread has been kept waiting for a processor: the second number, in nanoseconds.
    fn waited(&self) -> Option<Duration> {
        let mut octets = [0; 64];
        let length = self.schedule.as_ref()?.read_at(&mut octets, 0).ok()?;
        let text = std::str::from_utf8(&octets[..length]).ok()?;
        let nanoseconds = text.split_whitespace().nth(1)?.parse().ok()?;
        Some(Duration::from_nanos(nanoseconds))
    }

    /// The same, as monotonic and wall time of a node.
    pub fn now(&mut self) -> Now {
        let at = self.at();
        Now {
            mono: Mono(1_000_000_000).after(at),
            wall: Wall(1_795_300_000_000 + at.as_millis() as i64),
            ..Now::default()
        }
    }
}
