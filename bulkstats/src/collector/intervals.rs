//! Intervals of the wall clock, and what becomes of them when it jumps.

use std::collections::VecDeque;

use licensing::{Mono, Now, Wall};

/// Milliseconds of a minute.
pub(super) const MINUTE_MS: i64 = 60_000;

/// The wall clock and the monotonic one may drift apart by so much from one look to the next, in milliseconds.
const DRIFT_MS: i64 = 2_000;

/// Stretches of intervals that are remembered to have had a sample; of more, the one that was begun first is forgotten.
const STRETCHES_MAX: usize = 64;

/// Why intervals passed without a sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Skip {
    /// The wall clock was put forward.
    Clock,
    /// Nobody looked at the clock, or no view came.
    Stalled,
    /// The process did not run.
    NotRunning,
}

/// What a look at the clock finds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Look {
    /// An interval has begun that has no sample yet.
    pub due: bool,
    /// So many passed without one.
    pub skipped: Option<(u64, Skip)>,
    /// The clock was put back by so many intervals, which come once more.
    pub back: Option<u64>,
    /// This one had a sample before.
    pub repeated: bool,
}

/// Intervals of so many minutes, counted from 1970.
#[derive(Clone, Debug)]
pub(super) struct Intervals {
    length_ms: i64,
    /// The last one that was found due; none: the process has just begun, and nothing is known.
    last: Option<i64>,
    /// First and last of those that had one, a stretch each, as they came.
    had: VecDeque<(i64, i64)>,
    looked: Option<(Mono, Wall)>,
}

impl Intervals {
    /// With the minute at which the interval of the last sample began, if there was one.
    pub fn new(minutes: u32, last_minute: Option<i64>) -> Self {
        let length_ms = i64::from(minutes.max(1)) * MINUTE_MS;
        let last = last_minute.map(|minute| minute.saturating_mul(MINUTE_MS).div_euclid(length_ms));
        Self {
            length_ms,
            last,
            had: VecDeque::new(),
            looked: None,
        }
    }

    /// Intervals of so many minutes from now on: the first that begins is the first that is due. What had a sample is
    /// known still.
    pub fn anew(&self, minutes: u32, now: Now) -> Self {
        let mut anew = Self::new(minutes, None);
        anew.look(now);
        for (first, last) in &self.had {
            let interval = |of: i64| of.saturating_mul(self.length_ms) / anew.length_ms;
            let (first, last) = (interval(*first), interval(*last));
            anew.remember(first, last);
        }
        anew
    }

    /// The minute since 1970 at which the interval of this time begins; before 1970: 0.
    pub fn minute(&self, wall: Wall) -> i64 {
        let minute = wall.0.div_euclid(self.length_ms) * (self.length_ms / MINUTE_MS);
        minute.max(0)
    }

    /// The intervals after the one of this minute had a sample, to that of that minute.
    pub fn had(&mut self, after: i64, last: i64) {
        let interval = |minute: i64| {
            let wall_ms = minute.saturating_mul(MINUTE_MS);
            wall_ms.div_euclid(self.length_ms)
        };
        let (after, last) = (interval(after), interval(last));
        self.remember(after.saturating_add(1).min(last), last);
    }

    fn remember(&mut self, first: i64, last: i64) {
        match self.had.back_mut() {
            Some(stretch) if stretch.1.saturating_add(1) == first => stretch.1 = last,
            Some(_) | None => self.had.push_back((first, last)),
        }
        if self.had.len() > STRETCHES_MAX {
            self.had.pop_front();
        }
    }

    /// Milliseconds until the next one begins.
    pub fn left_ms(&self, wall: Wall) -> i64 {
        self.length_ms - wall.0.rem_euclid(self.length_ms)
    }

    /// Each interval is due once. A clock that goes back into the interval before, by less than an interval, makes this one
    /// longer, by less than two; one that goes back by more begins the intervals that it lands in once more. A process that begins with such a clock doesn't
    /// know whether the interval that it is in had a sample, and takes one.
    pub fn look(&mut self, now: Now) -> Look {
        let at = now.wall.0.div_euclid(self.length_ms);
        let before = self.looked.replace((now.mono, now.wall));
        let Some(last) = self.last else {
            self.last = Some(at);
            return Look::default();
        };
        let far = before.is_some_and(|before| -ahead_ms(before, now) >= self.length_ms);
        if at == last || (at == last - 1 && !far) {
            return Look::default();
        }
        self.last = Some(at);
        let back = (at < last).then(|| last.abs_diff(at));
        if back.is_some() && before.is_some() {
            return Look {
                back,
                ..Look::default()
            };
        }
        let skipped = match back {
            Some(_) => 0,
            None => last.abs_diff(at) - 1,
        };
        let mut had = self.had.iter();
        let repeated = had.any(|(first, last)| (*first..=*last).contains(&at));
        self.remember(at, at);
        Look {
            due: true,
            skipped: (skipped > 0).then(|| (skipped, why(before, now))),
            back,
            repeated,
        }
    }
}

fn why(before: Option<(Mono, Wall)>, now: Now) -> Skip {
    match before.map(|before| ahead_ms(before, now)) {
        None => Skip::NotRunning,
        Some(ahead) if ahead > DRIFT_MS => Skip::Clock,
        Some(_) => Skip::Stalled,
    }
}

/// Milliseconds by which the wall clock was put forward since.
fn ahead_ms((mono, wall): (Mono, Wall), now: Now) -> i64 {
    let passed = i64::try_from(now.mono.since(mono).as_millis()).unwrap_or(i64::MAX);
    now.wall.0.saturating_sub(wall.0).saturating_sub(passed)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60_000;

    fn now(mono_s: u64, wall_ms: i64) -> Now {
        Now {
            mono: Mono(mono_s * 1_000_000_000),
            wall: Wall(wall_ms),
            ..Now::default()
        }
    }

    #[test]
    fn each_interval_is_due_once_at_its_beginning() {
        let mut intervals = Intervals::new(15, None);
        let mut due = Vec::new();
        // From 00:07 on, a look every 500 ms for a day.
        for half in 0..172_800 {
            let wall = 7 * MINUTE + half * 500;
            let look = intervals.look(now(half as u64 / 2, wall));
            assert_eq!(
                (look.skipped, look.back, look.repeated),
                (None, None, false)
            );
            if look.due {
                due.push(wall);
            }
        }
        let expected: Vec<i64> = (1..=96).map(|n| n * 15 * MINUTE).collect();
        assert_eq!(due, expected);
    }

    #[test]
    fn a_clock_that_steps_back_a_little_repeats_nothing() {
        let mut intervals = Intervals::new(15, None);
        intervals.look(now(0, 14 * MINUTE));
        assert!(intervals.look(now(60, 15 * MINUTE)).due);
        assert_eq!(intervals.look(now(61, 14 * MINUTE)), Look::default());
        assert_eq!(intervals.look(now(121, 15 * MINUTE)), Look::default());
        let look = intervals.look(now(1_021, 30 * MINUTE));
        assert_eq!((look.due, look.skipped, look.repeated), (true, None, false));
    }

    #[test]
    fn a_clock_that_steps_back_an_interval_is_told_and_samples_go_on() {
        for (minutes, back_ms) in [
            (1_440, 1_440 * MINUTE),
            (15, 15 * MINUTE),
            (15, 16 * MINUTE),
        ] {
            let length = i64::from(minutes) * MINUTE;
            let mut intervals = Intervals::new(minutes, None);
            intervals.look(now(0, length - 5_000));
            assert!(intervals.look(now(5, length)).due);
            // Nearly at the end of the interval.
            let s = length as u64 / 1_000;
            intervals.look(now(s, 2 * length - 5_000));
            let put = 2 * length - 4_000 - back_ms;
            let look = intervals.look(now(s + 1, put));
            assert_eq!((look.due, look.back), (false, Some(1)), "{minutes}");
            let look = intervals.look(now(s + 1 + (length - put) as u64 / 1_000, length));
            assert_eq!((look.due, look.repeated), (true, true), "{minutes}");
        }
    }

    #[test]
    fn a_day_forward_is_told_and_goes_on_at_once() {
        let mut intervals = Intervals::new(15, None);
        intervals.look(now(0, 0));
        let look = intervals.look(now(1, 1_440 * MINUTE + 1_000));
        assert_eq!((look.due, look.skipped), (true, Some((95, Skip::Clock))));
        let look = intervals.look(now(900, 1_455 * MINUTE));
        assert_eq!((look.due, look.skipped), (true, None));
    }

    #[test]
    fn a_day_back_is_told_and_each_of_its_intervals_is_told_to_be_repeated() {
        let mut intervals = Intervals::new(15, Some(1_440));
        intervals.had(0, 1_440);
        // Who has just begun takes a sample, as it doesn't know whether there is one.
        let look = intervals.look(now(1, 1_000));
        assert_eq!((look.due, look.back), (true, Some(96)));
        for n in 1..=96 {
            let look = intervals.look(now(n as u64 * 900, n * 15 * MINUTE));
            assert_eq!(
                (look.due, look.skipped, look.repeated),
                (true, None, true),
                "{n}"
            );
        }
        assert!(!intervals.look(now(90_000, 1_455 * MINUTE)).repeated);
    }

    #[test]
    fn what_had_no_sample_is_not_repeated() {
        let mut intervals = Intervals::new(15, None);
        intervals.look(now(0, 0));
        assert!(intervals.look(now(900, 15 * MINUTE)).due);
        // A day forward and back: of the day one interval had a sample.
        let look = intervals.look(now(901, 1_455 * MINUTE));
        assert_eq!(look.skipped, Some((95, Skip::Clock)));
        let look = intervals.look(now(902, 15 * MINUTE + 2_000));
        assert_eq!((look.due, look.back), (false, Some(96)));
        for n in 2..=98 {
            let look = intervals.look(now(n as u64 * 900 + 2, n * 15 * MINUTE));
            assert_eq!((look.due, look.repeated), (true, n == 97), "{n}");
        }
        // Stretches are bounded: the first that was begun is forgotten.
        for n in 0..200 {
            intervals.had(n * 30, n * 30 + 15);
        }
        assert_eq!(intervals.had.len(), STRETCHES_MAX);
    }

    #[test]
    fn a_minute_is_not_before_1970() {
        let intervals = Intervals::new(15, None);
        assert_eq!(intervals.minute(Wall(-1)), 0);
        assert_eq!(intervals.minute(Wall(16 * MINUTE)), 15);
    }

    #[test]
    fn who_did_not_run_or_stood_still_is_told_so() {
        let mut intervals = Intervals::new(15, Some(30));
        let look = intervals.look(now(1, 90 * MINUTE));
        assert_eq!(
            (look.due, look.skipped),
            (true, Some((3, Skip::NotRunning)))
        );
        let look = intervals.look(now(1 + 45 * 60, 135 * MINUTE));
        assert_eq!((look.due, look.skipped), (true, Some((2, Skip::Stalled))));
        let mut same = Intervals::new(15, Some(30));
        assert_eq!(same.look(now(1, 44 * MINUTE)), Look::default());
        let mut next = Intervals::new(15, Some(30));
        let look = next.look(now(1, 50 * MINUTE));
        assert_eq!((look.due, look.skipped), (true, None));
    }

    #[test]
    fn an_interval_begins_at_a_minute() {
        let intervals = Intervals::new(15, None);
        assert_eq!(intervals.minute(Wall(44 * MINUTE)), 30);
        assert_eq!(intervals.left_ms(Wall(44 * MINUTE)), MINUTE);
        assert_eq!(intervals.left_ms(Wall(45 * MINUTE)), 15 * MINUTE);
    }
}
