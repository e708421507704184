//! The wall clock, watched and never obeyed: no verdict depends on it.

use std::time::Duration;

use licensing::{Mono, Now, Wall};

use super::clock::{DAY_MS, MINUTE_MS};

/// A jump is told above this. Unit: milliseconds.
const WARN_MS: i64 = 5 * MINUTE_MS as i64;
/// A jump raises an alarm above this. Unit: milliseconds.
const TAMPER_MS: i64 = DAY_MS as i64;
/// The alarm stands until the clock was steady for this long.
const STEADY: Duration = Duration::from_millis(DAY_MS);

/// Compares the wall clock with the time that passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct WallWatch {
    last: Now,
    highest: Wall,
    tampered: Option<Tampered>,
}

/// A jump of more than 24 hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Tampered {
    by_s: i64,
    since: Mono,
}

impl WallWatch {
    /// Begins at `now`; `highest` is the highest wall time of earlier processes, `tampered` their alarm's figure.
    pub(super) fn new(now: Now, highest: Option<Wall>, tampered: Option<i64>) -> Self {
        let since = now.mono;
        Self {
            last: now,
            highest: highest.unwrap_or(now.wall).max(now.wall),
            tampered: tampered.map(|by_s| Tampered { by_s, since }),
        }
    }

    /// How far below the highest wall time ever seen a start is, if that is a jump. Unit: seconds.
    pub(super) fn behind_at_start(&mut self) -> Option<i64> {
        self.judge(
            self.last.wall.0.saturating_sub(self.highest.0),
            self.last.mono,
        )
    }

    /// Time passed: how far the wall clock jumped meanwhile, if it did. Unit: seconds, forward positive.
    ///
    /// `ran` is how long it was: not by the monotonic clock, which stands still while the machine is suspended.
    pub(super) fn pass(&mut self, now: Now, ran: Duration) -> Option<i64> {
        let walked = now.wall.0.saturating_sub(self.last.wall.0);
        let ran = i64::try_from(ran.as_millis()).unwrap_or(i64::MAX);
        self.last = now;
        self.highest = self.highest.max(now.wall);
        let jump = self.judge(walked.saturating_sub(ran), now.mono);
        if jump.is_none() {
            let steady = |alarm: &Tampered| now.mono.since(alarm.since) < STEADY;
            self.tampered = self.tampered.filter(steady);
        }
        jump
    }

    fn judge(&mut self, by_ms: i64, at: Mono) -> Option<i64> {
        if by_ms.saturating_abs() <= WARN_MS {
            return None;
        }
        let by_s = by_ms / 1_000;
        if by_ms.saturating_abs() > TAMPER_MS {
            self.tampered = Some(Tampered { by_s, since: at });
        } else if let Some(alarm) = &mut self.tampered {
            alarm.since = at;
        }
        Some(by_s)
    }

    /// The highest wall time ever seen.
    pub(super) fn highest(&self) -> Wall {
        self.highest
    }

    /// By how much it jumped, in seconds, while the alarm for it stands.
    pub(super) fn tampered(&self) -> Option<i64> {
        self.tampered.map(|alarm| alarm.by_s)
    }
}

#[cfg(test)]
mod tests {
    use super::super::clock::HOUR_MS;
    use super::*;

    fn at(mono_s: u64, wall_s: i64) -> Now {
        Now {
            mono: Mono(mono_s * 1_000_000_000),
            wall: Wall(wall_s * 1_000),
            ..Now::default()
        }
    }

    fn pass(watch: &mut WallWatch, now: Now) -> Option<i64> {
        watch.pass(now, now.mono.since(watch.last.mono))
    }

    const HOUR_S: i64 = (HOUR_MS / 1_000) as i64;

    #[test]
    fn a_jump_is_told_above_five_minutes() {
        let mut watch = WallWatch::new(at(0, 1_000_000), None, None);
        assert_eq!(
            pass(&mut watch, at(10, 1_000_310)),
            None,
            "300 s too far: not yet"
        );
        assert_eq!(pass(&mut watch, at(20, 1_000_621)), Some(301));
        assert_eq!(pass(&mut watch, at(30, 1_000_000)), Some(-631));
        assert_eq!(watch.tampered(), None);
        assert_eq!(watch.highest(), Wall(1_000_621_000));
    }

    #[test]
    fn a_jump_above_a_day_stands_until_the_clock_was_steady_for_a_day() {
        let mut watch = WallWatch::new(at(0, 1_000_000), None, None);
        let back = -24 * HOUR_S - 1;
        assert_eq!(pass(&mut watch, at(0, 1_000_000 + back)), Some(back));
        assert_eq!(watch.tampered(), Some(back));
        pass(&mut watch, at(86_399, 1_000_000 + back + 86_399));
        assert_eq!(watch.tampered(), Some(back));
        pass(&mut watch, at(86_400, 1_000_000 + back + 86_400));
        assert_eq!(watch.tampered(), None);
    }

    #[test]
    fn a_start_below_the_highest_wall_time_is_a_jump() {
        let mut watch = WallWatch::new(at(0, 1_000_000), Some(Wall(1_000_100_000)), None);
        assert_eq!(watch.behind_at_start(), None);
        let mut watch = WallWatch::new(at(0, 1_000_000), Some(Wall(1_090_000_000)), None);
        assert_eq!(watch.behind_at_start(), Some(-90_000));
        assert_eq!(watch.tampered(), Some(-90_000));
        let mut watch = WallWatch::new(at(0, 1_000_000), Some(Wall(900_000_000)), None);
        assert_eq!(watch.behind_at_start(), None);
    }
}
