//! The three times, and [`Now`], in which they travel together.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Monotonic time since the process began: GTP timers and pacing. Unit: nanoseconds.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Mono(pub u64);

/// Wall time: what people read, and certificates. Unit: milliseconds since 1970-01-01 UTC. It may jump.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Wall(pub i64);

/// License time since the process began: evaluation, grace and silence. Unit: milliseconds.
///
/// It counts CLOCK_BOOTTIME, never the wall clock, and is the only time that a lab node may speed up.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct LicenseTime(pub u64);

/// The time as a machine is told it: read once by a shell, then handed down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Now {
    /// Monotonic time.
    pub mono: Mono,
    /// Wall time.
    pub wall: Wall,
    /// License time.
    pub license: LicenseTime,
}

impl Mono {
    /// This much later, at the most the end of time.
    #[must_use]
    pub fn after(self, wait: Duration) -> Self {
        Self(
            self.0
                .saturating_add(u64::try_from(wait.as_nanos()).unwrap_or(u64::MAX)),
        )
    }

    /// Time from `earlier` to here; zero if `earlier` is later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl LicenseTime {
    /// This much later, at the most the end of time.
    #[must_use]
    pub fn after(self, wait: Duration) -> Self {
        Self(
            self.0
                .saturating_add(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)),
        )
    }

    /// Time from `earlier` to here; zero if `earlier` is later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_move_on_and_stop_at_the_end() {
        let second = Duration::from_secs(1);
        assert_eq!(Mono(5).after(second), Mono(1_000_000_005));
        assert_eq!(Mono(u64::MAX).after(second), Mono(u64::MAX));
        assert_eq!(LicenseTime(5).after(second), LicenseTime(1_005));
        assert_eq!(LicenseTime(1).after(Duration::MAX), LicenseTime(u64::MAX));
    }

    #[test]
    fn a_span_is_never_negative() {
        assert_eq!(Mono(7).since(Mono(5)), Duration::from_nanos(2));
        assert_eq!(Mono(5).since(Mono(7)), Duration::ZERO);
        assert_eq!(
            LicenseTime(7).since(LicenseTime(5)),
            Duration::from_millis(2)
        );
        assert_eq!(LicenseTime(5).since(LicenseTime(7)), Duration::ZERO);
    }
}
