//! License clocks: time of use, charged a minute before it is used, so that a crash never gains any.
//!
//! One [`Meter`] each for the evaluation period, the grace of a tag and the silence of the authority. What is on disk is
//! the charge; what is used lies below it by the credit, which a restart forfeits.

use serde::{Deserialize, Serialize};

/// Milliseconds of a license minute, the unit of every charge.
pub const MINUTE_MS: u64 = 60_000;
/// Milliseconds of a license hour.
pub const HOUR_MS: u64 = 60 * MINUTE_MS;
/// Milliseconds of a license day.
pub const DAY_MS: u64 = 24 * HOUR_MS;
/// Minutes of a license day.
pub const DAY_MINUTES: u32 = 24 * 60;
/// Length of the evaluation period (rule L3): 90 days of use.
pub const EVALUATION_MINUTES: u32 = 90 * DAY_MINUTES;
/// License time without the authority until an authorization expires (rule L10): 90 days.
pub const SILENCE_MINUTES: u32 = 90 * DAY_MINUTES;
/// A grant outlasts the end that the authority gave it by this license time, so that clocks that differ, or an authority
/// that is asked a little late, lower nothing: one hour.
pub const GRANT_GRACE_MS: u64 = HOUR_MS;
/// What is left to use when all copies of the license clock are lost: 7 days.
pub const RECOVERY_MINUTES: u32 = 7 * DAY_MINUTES;
/// An episode that begins within this time of the last one's end goes on with its grace (rule L5): 24 hours.
pub const COOLING_MINUTES: u32 = DAY_MINUTES;

/// Days left at which the end of the evaluation is warned of, before the last day; its hours follow.
const WARNING_DAYS: [u64; 11] = [60, 30, 21, 14, 7, 6, 5, 4, 3, 2, 1];
/// Days of silence at which the end of the authorization is warned of.
const SILENCE_DAYS: [u64; 4] = [30, 60, 80, 85];

/// Time used of a period that only use consumes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meter {
    charged_minutes: u32,
    credit_ms: u64,
}

impl Meter {
    /// A meter whose charge is so much, nothing of it unused.
    pub fn charged(minutes: u32) -> Self {
        Self {
            charged_minutes: minutes,
            credit_ms: 0,
        }
    }

    /// What is charged, in minutes: the figure for the disk.
    pub fn charged_minutes(&self) -> u32 {
        self.charged_minutes
    }

    /// What is used, in milliseconds; at most the charge.
    pub fn used_ms(&self) -> u64 {
        (u64::from(self.charged_minutes) * MINUTE_MS).saturating_sub(self.credit_ms)
    }

    /// What is left of a period, in milliseconds.
    pub fn left_ms(&self, total_minutes: u32) -> u64 {
        (u64::from(total_minutes) * MINUTE_MS).saturating_sub(self.used_ms())
    }

    /// What is not yet charged of a period, in milliseconds: what a restart now would find left.
    pub fn uncharged_ms(&self, total_minutes: u32) -> u64 {
        u64::from(total_minutes.saturating_sub(self.charged_minutes)) * MINUTE_MS
    }

    /// Nothing is left of the period.
    pub fn exhausted(&self, total_minutes: u32) -> bool {
        self.left_ms(total_minutes) == 0
    }

    /// Milliseconds until the next charge; none: all is charged.
    pub fn until_charge_ms(&self, total_minutes: u32) -> Option<u64> {
        let more = !self.exhausted(total_minutes);
        more.then_some(self.credit_ms)
    }

    /// Uses `elapsed_ms` and charges what comes next, `quantum_minutes` at a time, so that a running clock has credit
    /// whenever anything is left of the period. True if the charge rose and is to be written.
    pub fn run(&mut self, elapsed_ms: u64, total_minutes: u32, quantum_minutes: u32) -> bool {
        let before = self.charged_minutes;
        let quantum_ms = u64::from(quantum_minutes.max(1)) * MINUTE_MS;
        let short_ms = elapsed_ms.saturating_sub(self.credit_ms);
        self.credit_ms = self.credit_ms.saturating_sub(elapsed_ms);
        self.charge(short_ms.div_ceil(quantum_ms) * quantum_ms, total_minutes);
        self.credit_ms = self.credit_ms.saturating_sub(short_ms);
        if self.credit_ms == 0 {
            self.charge(quantum_ms, total_minutes);
        }
        self.charged_minutes != before
    }

    fn charge(&mut self, ms: u64, total_minutes: u32) {
        let room = total_minutes.saturating_sub(self.charged_minutes);
        let minutes = u32::try_from(ms / MINUTE_MS).unwrap_or(u32::MAX).min(room);
        self.charged_minutes += minutes;
        self.credit_ms += u64::from(minutes) * MINUTE_MS;
    }
}

/// Minutes to charge at once: one license minute, or what one real second brings under the lab clock if that is more.
pub fn quantum_minutes(speedup: u32) -> u32 {
    speedup.div_ceil(60).max(1)
}

/// The warnings that fall due as what is left of the evaluation sinks from `before_ms` to `after_ms`: the time left
/// that each stands for, in seconds, the longest first.
pub fn warnings(before_ms: u64, after_ms: u64) -> Vec<u64> {
    let days = WARNING_DAYS.iter().map(|days| days * DAY_MS);
    let hours = (1..24).rev().map(|hours| hours * HOUR_MS);
    days.chain(hours)
        .filter(|mark| (after_ms..before_ms).contains(mark))
        .map(|mark| mark / 1_000)
        .collect()
}

/// The warnings that fall due as the silence grows from `before_ms` to `after_ms`, in seconds, the shortest first.
pub fn silence_warnings(before_ms: u64, after_ms: u64) -> Vec<u64> {
    SILENCE_DAYS
        .iter()
        .map(|days| days * DAY_MS)
        .filter(|mark| before_ms < *mark && *mark <= after_ms)
        .map(|mark| mark / 1_000)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOTAL: u32 = 3;

    //= L3
    #[test]
    fn a_minute_is_charged_before_it_is_used() {
        let mut meter = Meter::default();
        assert!(meter.run(0, TOTAL, 1), "the first use charges");
        assert_eq!((meter.charged_minutes(), meter.used_ms()), (1, 0));
        assert!(!meter.run(59_999, TOTAL, 1));
        assert_eq!((meter.charged_minutes(), meter.used_ms()), (1, 59_999));
        assert!(meter.run(1, TOTAL, 1), "the next minute, as it begins");
        assert_eq!((meter.charged_minutes(), meter.used_ms()), (2, 60_000));
    }

    //= L3
    #[test]
    fn it_ends_when_the_last_minute_is_used_and_not_when_it_is_charged() {
        let mut meter = Meter::default();
        meter.run(0, TOTAL, 1);
        meter.run(150_000, TOTAL, 1);
        assert_eq!((meter.charged_minutes(), meter.left_ms(TOTAL)), (3, 30_000));
        assert!(!meter.exhausted(TOTAL));
        assert!(!meter.run(30_000, TOTAL, 1));
        assert!(meter.exhausted(TOTAL));
        assert!(!meter.run(1_000_000, TOTAL, 1));
        assert_eq!(
            (meter.used_ms(), meter.until_charge_ms(TOTAL)),
            (180_000, None)
        );
    }

    //= L3
    #[test]
    fn a_restart_forfeits_the_credit_and_nothing_more() {
        let mut meter = Meter::default();
        meter.run(0, TOTAL, 1);
        meter.run(61_000, TOTAL, 1);
        let again = Meter::charged(meter.charged_minutes());
        assert_eq!(again.used_ms(), 120_000);
        assert!(again.used_ms() >= meter.used_ms());
        assert!(again.used_ms() - meter.used_ms() <= MINUTE_MS);
    }

    //= L3
    #[test]
    fn the_quantum_is_what_a_real_second_brings_under_the_lab_clock() {
        assert_eq!([0, 1, 60, 61, 600].map(quantum_minutes), [1, 1, 1, 2, 10]);
        let mut meter = Meter::default();
        meter.run(0, 100, 10);
        assert_eq!(meter.charged_minutes(), 10);
        assert!(!meter.run(9 * MINUTE_MS, 100, 10));
        assert!(meter.run(12 * MINUTE_MS, 100, 10));
        assert_eq!(
            (meter.charged_minutes(), meter.used_ms()),
            (30, 21 * MINUTE_MS)
        );
    }

    //= L3
    #[test]
    fn warnings_are_at_60_30_21_14_7_days_then_daily_then_hourly() {
        let days = |days: u64| days * DAY_MS;
        let all = warnings(days(90), 0);
        let marks: Vec<u64> = [60, 30, 21, 14, 7, 6, 5, 4, 3, 2, 1]
            .map(|days: u64| days * 86_400)
            .into_iter()
            .chain((1..24).rev().map(|hours| hours * 3_600))
            .collect();
        assert_eq!(all, marks);
        assert_eq!(warnings(days(60) + 1, days(60)), [60 * 86_400]);
        assert!(warnings(days(60), days(60) - 1).is_empty());
        assert!(warnings(days(29), days(22)).is_empty());
    }

    //= L10
    #[test]
    fn silence_is_warned_of_at_30_60_80_85_days() {
        let all = silence_warnings(0, 90 * DAY_MS);
        assert_eq!(all, [30, 60, 80, 85].map(|days| days * 86_400));
        assert!(silence_warnings(30 * DAY_MS, 60 * DAY_MS - 1).is_empty());
    }
}
