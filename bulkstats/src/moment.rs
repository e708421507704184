//! The instant of a sample, in the words of the common variables.

use licensing::Wall;

use crate::view::{View, Zone};

/// One instant, written once for all rows of a sample.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    pub(crate) uptime_s: u64,
    pub(crate) epoch_s: u64,
    pub(crate) host: String,
    pub(crate) address: String,
    pub(crate) utc: Civil,
    pub(crate) local: Civil,
    pub(crate) zone: String,
    pub(crate) zone_offset: String,
    pub(crate) version: String,
    /// Kinds of schema in the file.
    pub(crate) schemas: String,
    /// Seconds since the sample before this one; empty: there is none.
    pub(crate) delta: String,
}

/// A date and a time of day in each of their spellings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Civil {
    /// YYYYMMDD.
    pub date: String,
    /// HHMMSS.
    pub time: String,
    /// HH:MM.
    pub time2: String,
    /// HH:MM:SS.
    pub time3: String,
}

impl Moment {
    /// Of a sample that is taken at this time.
    pub fn new(view: &View, at: Wall, schemas: &str, before: Option<Wall>) -> Self {
        let epoch_s = at.0.div_euclid(1_000);
        let Zone { name, offset_s } = &view.zone;
        let delta = before.map(|before| (at.0.saturating_sub(before.0)).max(0) / 1_000);
        Self {
            uptime_s: view.uptime_s,
            epoch_s: u64::try_from(epoch_s).unwrap_or(0),
            host: view.node.node.name.clone(),
            address: view.address.map_or_else(String::new, |a| a.to_string()),
            utc: Civil::of(epoch_s),
            local: Civil::of(epoch_s.saturating_add(i64::from(*offset_s))),
            zone: name.clone(),
            zone_offset: offset(*offset_s),
            version: view.node.node.version.clone(),
            schemas: schemas.to_owned(),
            delta: delta.map_or_else(String::new, |delta| delta.to_string()),
        }
    }
}

impl Civil {
    /// Of seconds since 1970; a time before that, or after the year 9999, is one at that end.
    fn of(epoch_s: i64) -> Self {
        /// 9999-12-31 23:59:59.
        const LAST_S: i64 = 253_402_300_799;
        let epoch_s = epoch_s.clamp(0, LAST_S);
        let (year, month, day) = civil_from_days(epoch_s / 86_400);
        let of_day = epoch_s % 86_400;
        let (hour, minute, second) = (of_day / 3_600, of_day / 60 % 60, of_day % 60);
        Self {
            date: format!("{year:04}{month:02}{day:02}"),
            time: format!("{hour:02}{minute:02}{second:02}"),
            time2: format!("{hour:02}:{minute:02}"),
            time3: format!("{hour:02}:{minute:02}:{second:02}"),
        }
    }
}

/// Year, month and day of days since 1970-01-01, of the Gregorian calendar, for days that are not negative.
///
/// Years are counted from March, so that a leap day is the last of its year; 400 of them have 146,097 days.
pub(crate) fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let (month, next) = match month {
        0..=9 => (month + 3, 0),
        _ => (month - 9, 1),
    };
    (era * 400 + year + next, month, day)
}

/// The inverse of [`civil_from_days`]; none: there is no such day.
pub(crate) fn days_from_civil(year: i64, month: i64, day: i64) -> Option<i64> {
    let shifted = if month > 2 { year } else { year - 1 };
    let (era, of_era) = (shifted.div_euclid(400), shifted.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    (days >= 0 && civil_from_days(days) == (year, month, day)).then_some(days)
}

/// `+HHMM` or `-HHMM`.
fn offset(offset_s: i32) -> String {
    let sign = if offset_s < 0 { '-' } else { '+' };
    let minutes = offset_s.unsigned_abs() / 60;
    format!("{sign}{:02}{:02}", minutes / 60 % 24, minutes % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (epoch_s, date, time) in [
            (0, "19700101", "000000"),
            (951_782_399, "20000228", "235959"),
            (951_782_400, "20000229", "000000"),
            (951_868_800, "20000301", "000000"),
            (1_795_300_000, "20261121", "222640"),
            (4_107_542_400, "21000301", "000000"),
            (253_402_300_799, "99991231", "235959"),
            (-5, "19700101", "000000"),
            (i64::MAX, "99991231", "235959"),
        ] {
            let civil = Civil::of(epoch_s);
            assert_eq!((civil.date.as_str(), civil.time.as_str()), (date, time));
        }
        let civil = Civil::of(1_795_300_000);
        assert_eq!(
            (civil.time2.as_str(), civil.time3.as_str()),
            ("22:26", "22:26:40")
        );
    }

    #[test]
    fn every_day_follows_the_one_before() {
        let (mut year, mut month, mut day) = (1970, 1, 1);
        for days in 0..200_000 {
            assert_eq!(civil_from_days(days), (year, month, day));
            assert_eq!(days_from_civil(year, month, day), Some(days));
            let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            let length = match month {
                2 => 28 + i64::from(leap),
                4 | 6 | 9 | 11 => 30,
                _ => 31,
            };
            day += 1;
            if day > length {
                (month, day) = (month + 1, 1);
            }
            if month > 12 {
                (year, month) = (year + 1, 1);
            }
        }
    }

    #[test]
    fn a_day_that_is_none_is_told() {
        for (year, month, day) in [
            (2026, 2, 29),
            (2026, 13, 1),
            (2026, 0, 1),
            (2026, 4, 31),
            (1969, 12, 31),
        ] {
            assert_eq!(days_from_civil(year, month, day), None);
        }
    }

    #[test]
    fn offsets_have_a_sign() {
        for (offset_s, text) in [
            (0, "+0000"),
            (3_600, "+0100"),
            (-12_600, "-0330"),
            (-1_800, "-0030"),
        ] {
            assert_eq!(offset(offset_s), text);
        }
    }
}
