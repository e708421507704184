//! The clock: reads the three times and hands them down as one [`Now`].
//!
//! License time counts CLOCK_BOOTTIME, which goes on while the machine is suspended and which nobody can set, times the
//! speed of a lab node. A change of speed moves only what comes after it.

use std::time::{SystemTime, UNIX_EPOCH};

use licensing::{LicenseTime, Mono, Now, Wall};
use parking_lot::RwLock;
use rustix::time::{ClockId, clock_gettime};

/// Fastest license clock of a lab node, in license seconds a second: 90 days in less than a second.
pub const SPEEDUP_MAX: u32 = 10_000_000;

/// The clock of one process.
#[derive(Debug)]
pub struct Clock {
    began_mono_ns: u64,
    license: RwLock<LicenseClock>,
}

/// License time at one instant, and how fast it goes on from there.
#[derive(Clone, Copy, Debug)]
struct LicenseClock {
    at_boot_ns: u64,
    spent_ns: u128,
    speedup: u32,
}

impl LicenseClock {
    /// License time at an instant of CLOCK_BOOTTIME, in nanoseconds.
    fn ns(&self, boot_ns: u64) -> u128 {
        let passed = boot_ns.saturating_sub(self.at_boot_ns);
        self.spent_ns + u128::from(passed) * u128::from(self.speedup)
    }

    /// The same clock, from this instant on at another speed.
    fn at_speed(&self, speedup: u32, boot_ns: u64) -> Self {
        Self {
            at_boot_ns: boot_ns.max(self.at_boot_ns),
            spent_ns: self.ns(boot_ns),
            speedup: speedup.clamp(1, SPEEDUP_MAX),
        }
    }
}

impl Clock {
    /// A clock that begins now; `speedup` is license seconds a second, 1 unless on a lab node.
    pub fn start(speedup: u32) -> Self {
        Self {
            began_mono_ns: read_ns(ClockId::Monotonic),
            license: RwLock::new(LicenseClock {
                at_boot_ns: read_ns(ClockId::Boottime),
                spent_ns: 0,
                speedup: speedup.clamp(1, SPEEDUP_MAX),
            }),
        }
    }

    /// The three times now.
    pub fn now(&self) -> Now {
        let license_ns = self.license.read().ns(read_ns(ClockId::Boottime));
        Now {
            mono: self.mono(),
            wall: wall(),
            license: LicenseTime(u64::try_from(license_ns / 1_000_000).unwrap_or(u64::MAX)),
        }
    }

    /// The monotonic time alone.
    pub fn mono(&self) -> Mono {
        Mono(read_ns(ClockId::Monotonic).saturating_sub(self.began_mono_ns))
    }

    /// License seconds a second.
    pub fn speedup(&self) -> u32 {
        self.license.read().speedup
    }

    /// Sets license seconds a second; license time goes on from where it is, without a step.
    pub fn set_speedup(&self, speedup: u32) {
        let mut license = self.license.write();
        *license = license.at_speed(speedup, read_ns(ClockId::Boottime));
    }
}

fn read_ns(clock: ClockId) -> u64 {
    let time = clock_gettime(clock);
    let (seconds, nanos) = (time.tv_sec.unsigned_abs(), time.tv_nsec.unsigned_abs());
    seconds.saturating_mul(1_000_000_000).saturating_add(nanos)
}

fn wall() -> Wall {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let since = since.unwrap_or_default().as_millis();
    Wall(i64::try_from(since).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    //= L2
    #[test]
    fn a_change_of_speed_moves_only_what_comes_after_it() {
        let clock = LicenseClock {
            at_boot_ns: 100 * SECOND,
            spent_ns: 0,
            speedup: 1,
        };
        let fast = clock.at_speed(1_000, 160 * SECOND);
        assert_eq!(fast.ns(160 * SECOND), u128::from(60 * SECOND));
        assert_eq!(fast.ns(161 * SECOND), u128::from(1_060 * SECOND));
        let slow = fast.at_speed(1, 162 * SECOND);
        assert_eq!(slow.ns(172 * SECOND), u128::from(2_070 * SECOND));
    }

    #[test]
    fn license_time_never_runs_backwards() {
        let clock = LicenseClock {
            at_boot_ns: 100 * SECOND,
            spent_ns: 7,
            speedup: 50,
        };
        assert_eq!(clock.ns(10 * SECOND), 7);
        assert_eq!(clock.at_speed(1, 10 * SECOND).ns(100 * SECOND), 7);
    }

    #[test]
    fn speed_moves_license_time_and_no_other() {
        let clock = Clock::start(SPEEDUP_MAX);
        let first = clock.now();
        let mut later = clock.now();
        while later.mono.since(first.mono).as_millis() < 2 {
            later = clock.now();
        }
        let mono_ms = u64::try_from(later.mono.since(first.mono).as_millis()).unwrap();
        // A reading takes license time first: only the next one's is past what `later` says of the other.
        let license_ms = clock.now().license.0 - first.license.0;
        assert!(
            license_ms > mono_ms * 1_000_000,
            "{license_ms} against {mono_ms}"
        );
        assert!(later.wall.0 - first.wall.0 < 10_000);
    }
}
