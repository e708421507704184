//! Axes: from where to where, and where something stands beside them.

use crate::moment::civil_from_days;

/// Ticks of an axis of values, about.
const VALUE_TICKS: f64 = 6.0;

/// Ticks of an axis of times at most.
const TIME_TICKS_MAX: i64 = 8;

const DAY_S: i64 = 86_400;

/// Steps of an axis of times, in seconds; beyond the last, whole multiples of it.
const STEPS_S: [i64; 17] = [
    1,
    5,
    15,
    30,
    60,
    120,
    300,
    600,
    900,
    1_800,
    3_600,
    2 * 3_600,
    3 * 3_600,
    6 * 3_600,
    12 * 3_600,
    DAY_S,
    7 * DAY_S,
];

/// An axis of values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Axis {
    pub low: f64,
    pub high: f64,
    pub step: f64,
}

/// An axis of times, in seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Times {
    pub first: i64,
    pub last: i64,
    pub step: i64,
}

impl Axis {
    /// For values from here to there. It begins at 0, unless they all lie within the upper half.
    pub fn of(lowest: f64, highest: f64) -> Self {
        let bottom = if lowest > highest / 2.0 && highest > lowest {
            lowest
        } else {
            0.0
        };
        let span = if highest > bottom {
            highest - bottom
        } else {
            1.0
        };
        let step = nice(span / VALUE_TICKS);
        Self {
            low: (bottom / step).floor() * step,
            high: ((bottom + span) / step).ceil() * step,
            step,
        }
    }

    pub fn ticks(&self) -> impl Iterator<Item = f64> {
        let Self { low, high, step } = *self;
        let count = ((high - low) / step).round() as u32;
        (0..=count).map(move |n| low + f64::from(n) * step)
    }

    /// Where a value lies, from 0 to 1.
    pub fn part(&self, value: f64) -> f64 {
        ((value - self.low) / (self.high - self.low)).clamp(0.0, 1.0)
    }
}

/// 1, 2 or 5 times a power of ten, the next that is no less; whole unless it is far below 1.
fn nice(step: f64) -> f64 {
    let power = 10f64.powf(step.log10().floor());
    let over = step / power;
    // A quotient of floating point numbers may lie a little above a whole number.
    let nice = [1.0, 2.0, 5.0].into_iter().find(|n| over <= n * 1.000_001);
    nice.unwrap_or(10.0) * power
}

/// A value with thousands apart and up to three decimals: `12,500`, `79.166`.
pub(super) fn written(value: f64) -> String {
    let text = format!("{value:.3}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
    let mut out = String::new();
    for (n, digit) in whole.chars().enumerate() {
        if n > 0 && (whole.len() - n).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    match rest.is_empty() {
        true => out,
        false => format!("{out}.{rest}"),
    }
}

impl Times {
    /// From the first to the last.
    pub fn of(first: i64, last: i64) -> Self {
        let span = (last - first).max(1);
        let fits = |step: &&i64| span / **step < TIME_TICKS_MAX;
        let longest = STEPS_S[STEPS_S.len() - 1];
        let step = STEPS_S.iter().find(fits).copied();
        let step = step.unwrap_or_else(|| (span / TIME_TICKS_MAX / longest + 1) * longest);
        Self { first, last, step }
    }

    /// Multiples of the step, with what stands there: the time of day, and the date at the first and where a day begins.
    pub fn ticks(&self) -> Vec<(i64, String)> {
        let mut day = None;
        let mut ticks = Vec::new();
        let mut at = self.first.div_euclid(self.step) * self.step;
        if at < self.first {
            at += self.step;
        }
        if at > self.last {
            at = self.first;
        }
        while at <= self.last {
            let (date, time) = (date(at), self.time(at));
            let new = day.replace(date.clone()) != Some(date.clone());
            ticks.push(match (self.step >= DAY_S, new) {
                (true, _) => (at, date),
                (false, true) => (at, format!("{time} {date}")),
                (false, false) => (at, time),
            });
            at += self.step;
        }
        ticks
    }

    fn time(&self, at: i64) -> String {
        let of_day = at.rem_euclid(DAY_S);
        let (hour, minute, second) = (of_day / 3_600, of_day / 60 % 60, of_day % 60);
        match self.step < 60 {
            true => format!("{hour:02}:{minute:02}:{second:02}"),
            false => format!("{hour:02}:{minute:02}"),
        }
    }

    /// Where a time lies, from 0 to 1; the middle if there is one time only.
    pub fn part(&self, at: i64) -> f64 {
        match self.last > self.first {
            true => (at - self.first) as f64 / (self.last - self.first) as f64,
            false => 0.5,
        }
    }
}

/// `2026-11-21`.
pub(super) fn date(at: i64) -> String {
    let (year, month, day) = civil_from_days(at.max(0).div_euclid(DAY_S));
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_round_ticks_that_hold_them() {
        for (lowest, highest, ticks) in [
            (0.0, 12_345.0, &["0", "5,000", "10,000", "15,000"][..]),
            (3.0, 6.0, &["0", "1", "2", "3", "4", "5", "6"]),
            (0.0, 0.0, &["0", "0.2", "0.4", "0.6", "0.8", "1"]),
            (7.0, 7.0, &["0", "2", "4", "6", "8"]),
            (
                9_000.0,
                10_000.0,
                &["9,000", "9,200", "9,400", "9,600", "9,800", "10,000"],
            ),
            (0.0, 79.166, &["0", "20", "40", "60", "80"]),
        ] {
            let axis = Axis::of(lowest, highest);
            let found: Vec<String> = axis.ticks().map(written).collect();
            assert_eq!(found, ticks, "{lowest} to {highest}");
            assert!(axis.low <= lowest && axis.high >= highest);
        }
        let largest = Axis::of(0.0, u64::MAX as f64);
        assert!(largest.ticks().count() < 12 && largest.high >= u64::MAX as f64);
        let axis = Axis::of(0.0, 10.0);
        assert_eq!(
            (axis.part(0.0), axis.part(5.0), axis.part(10.0)),
            (0.0, 0.5, 1.0)
        );
    }

    #[test]
    fn values_are_written_as_people_read_them() {
        for (value, text) in [
            (0.0, "0"),
            (999.0, "999"),
            (1_000.0, "1,000"),
            (1_234_567.5, "1,234,567.5"),
            (0.125, "0.125"),
            (100.0, "100"),
        ] {
            assert_eq!(written(value), text);
        }
    }

    #[test]
    fn times_stand_at_whole_steps_with_the_date_where_it_changes() {
        // 2026-11-21 22:26:40 UTC.
        let first = 1_795_300_000;
        let texts = |last: i64| -> Vec<String> {
            let ticks = Times::of(first, last).ticks();
            ticks.into_iter().map(|(_, text)| text).collect()
        };
        assert_eq!(
            texts(first + 7_200),
            ["22:30 2026-11-21", "23:00", "23:30", "00:00 2026-11-22"]
        );
        assert_eq!(texts(first), ["22:26:40 2026-11-21"]);
        assert_eq!(
            texts(first + 3 * DAY_S),
            [
                "00:00 2026-11-22",
                "12:00",
                "00:00 2026-11-23",
                "12:00",
                "00:00 2026-11-24",
                "12:00"
            ]
        );
        let year = Times::of(first, first + 365 * DAY_S).ticks();
        assert!((2..=9).contains(&year.len()), "{}", year.len());
        assert!(year.iter().all(|(_, text)| text.len() == 10));
        let times = Times::of(100, 200);
        assert_eq!(
            (times.part(100), times.part(150), times.part(200)),
            (0.0, 0.5, 1.0)
        );
        assert_eq!(Times::of(100, 100).part(100), 0.5);
    }
}
