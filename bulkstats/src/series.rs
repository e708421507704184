//! Values of one variable over time, from rows that were read back.

use std::collections::BTreeMap;

use thiserror::Error;

use crate::moment::days_from_civil;
use crate::read::{ReadRow, ReadValue};
use crate::table::{About, DataType, Kind, Schema, common};

/// Which values are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The kind of schema that the rows are of.
    pub schema: Schema,
    /// The variable.
    pub variable: About,
    /// Rows that have the same of these are one series; empty: the schema's keys, as far as the rows have them.
    pub by: Vec<&'static str>,
}

/// When a row was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct At {
    /// Seconds since 1970.
    pub s: i64,
    /// Of local time, and nothing says how far that is from UTC.
    pub local: bool,
}

/// One series.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// What its rows have in common, in words; empty: it is the only one.
    pub name: String,
    /// Its values by time, which rises; none: there was a row with nothing in it.
    pub points: Vec<(i64, Option<f64>)>,
}

/// All series of a variable, in the order of their names.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// What the names of the series are values of.
    pub by: Vec<&'static str>,
    /// The series.
    pub series: Vec<Series>,
    /// The times are local.
    pub local: bool,
    /// Rows that were there more than once, each counted once.
    pub repeated: usize,
}

/// Why rows have no series.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SeriesError {
    /// There is no row.
    #[error("no row has %{0}%")]
    Empty(&'static str),
    /// A text.
    #[error("%{0}% is a text, which can't be drawn")]
    Text(&'static str),
    /// A row that says no time.
    #[error(
        "rows of {0} say no time: their format wants %epochtime%, or %date% and %time%, or %localdate% and %localtime%"
    )]
    NoTime(String),
    /// Some times are local and some are not.
    #[error("some rows have local times and others have UTC")]
    Clocks,
    /// Two rows that are of the same and differ.
    #[error(
        "two rows of one time and of {of} say {first} and {second}; are they of two nodes? --by host"
    )]
    Differ {
        /// What they are both of.
        of: String,
        /// What one says.
        first: String,
        /// What the other says.
        second: String,
    },
    /// Rows that can't be added.
    #[error(
        "several rows have one time, and %{0}% can't be added: draw it by a variable that tells them apart"
    )]
    NotAdded(&'static str),
}

/// When this row was written; none: it does not say.
pub fn at(row: &ReadRow) -> Option<At> {
    if let Some(ReadValue::Int(s)) = row.value("epochtime") {
        let s = i64::try_from(*s).ok()?;
        return Some(At { s, local: false });
    }
    if let Some(s) = clock(row, ["date", "date3"], ["time", "time3", "time2"]) {
        return Some(At { s, local: false });
    }
    let s = clock(
        row,
        ["localdate", "localdate3"],
        ["localtime", "localtime3", "localtime2"],
    )?;
    match row.value("localtzoffset").and_then(offset_s) {
        Some(offset_s) => Some(At {
            s: s - offset_s,
            local: false,
        }),
        None => Some(At { s, local: true }),
    }
}

fn clock(row: &ReadRow, dates: [&str; 2], times: [&str; 3]) -> Option<i64> {
    let text = |name: &&str| match row.value(name) {
        Some(ReadValue::Text(text)) => Some(text.clone()),
        Some(_) | None => None,
    };
    let date: String = dates.iter().find_map(text)?;
    let time: String = times.iter().find_map(text)?;
    let time = time.replace(':', "");
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(&date) || !digits(&time) || !matches!(time.len(), 4 | 6) {
        return None;
    }
    let number = |text: &str| text.parse::<i64>().ok();
    let (year, rest) = match date.len() {
        8 => (number(&date[..4])?, &date[4..]),
        6 => (2_000 + number(&date[..2])?, &date[2..]),
        _ => return None,
    };
    let days = days_from_civil(year, number(&rest[..2])?, number(&rest[2..])?)?;
    let second = time.get(4..).filter(|text| !text.is_empty());
    let second = second.map_or(Some(0), number)?;
    let of_day = number(&time[..2])? * 3_600 + number(&time[2..4])? * 60 + second;
    Some(days * 86_400 + of_day)
}

/// Of `+HHMM` or `-HHMM`.
fn offset_s(value: &ReadValue) -> Option<i64> {
    let ReadValue::Text(text) = value else {
        return None;
    };
    let (sign, digits) = text.split_at_checked(1)?;
    let (hours, minutes) = digits.split_at_checked(2)?;
    let s = hours.parse::<i64>().ok()? * 3_600 + minutes.parse::<i64>().ok()? * 60;
    match sign {
        "+" => Some(s),
        "-" => Some(-s),
        _ => None,
    }
}

/// The series of a variable. The rows are of the wanted kind of schema; a row that hasn't got the variable is passed over.
///
/// Rows of one series and one time are added, unless they tell themselves apart by all keys of their schema: then they are
/// the same row twice, as a file is that was transferred twice.
pub fn series(rows: &[&ReadRow], wanted: &Wanted) -> Result<Found, SeriesError> {
    let name = wanted.variable.name;
    if wanted.variable.data == DataType::String {
        return Err(SeriesError::Text(name));
    }
    let rows = rows.iter().filter(|row| row.value(name).is_some());
    let rows: Vec<&ReadRow> = rows.copied().collect();
    let first = rows.first().ok_or(SeriesError::Empty(name))?;
    let keys = wanted
        .schema
        .variables()
        .into_iter()
        .filter(|about| about.apart);
    let keys: Vec<&str> = keys.map(|about| about.name).collect();
    let by = match wanted.by.is_empty() {
        true => keys
            .iter()
            .copied()
            .filter(|key| first.value(key).is_some())
            .collect(),
        false => wanted.by.clone(),
    };
    let Once {
        rows,
        local,
        repeated,
    } = Once::of(&rows, wanted, &keys, &by)?;
    let mut all: BTreeMap<Vec<Word>, BTreeMap<i64, Option<f64>>> = BTreeMap::new();
    for (s, row) in rows {
        let value = row.value(name).and_then(number);
        let point = all.entry(words(row, &by)).or_default().entry(s);
        match point {
            std::collections::btree_map::Entry::Vacant(entry) => {
                entry.insert(value);
            }
            std::collections::btree_map::Entry::Occupied(_) if !adds(&wanted.variable) => {
                return Err(SeriesError::NotAdded(name));
            }
            std::collections::btree_map::Entry::Occupied(mut entry) => {
                let sum = [*entry.get(), value].into_iter().flatten();
                let sum = sum.reduce(|one, other| one + other);
                entry.insert(sum);
            }
        }
    }
    let series = all.into_iter().map(|(words, points)| Series {
        name: said(&words),
        points: points.into_iter().collect(),
    });
    Ok(Found {
        by,
        series: series.collect(),
        local,
        repeated,
    })
}

/// Rows with their times, of which none is a copy of another.
struct Once<'r> {
    rows: Vec<(i64, &'r ReadRow)>,
    /// The times are local.
    local: bool,
    /// Copies that were left out.
    repeated: usize,
}

impl<'r> Once<'r> {
    fn of(
        rows: &[&'r ReadRow],
        wanted: &Wanted,
        keys: &[&str],
        by: &[&'static str],
    ) -> Result<Self, SeriesError> {
        let name = wanted.variable.name;
        let (mut local, mut repeated) = (None, 0);
        let mut once: Vec<(i64, &'r ReadRow)> = Vec::new();
        let mut known: BTreeMap<(i64, Vec<Word>), &ReadRow> = BTreeMap::new();
        for row in rows.iter().copied() {
            let at = at(row).ok_or_else(|| SeriesError::NoTime(row.name.clone()))?;
            if *local.get_or_insert(at.local) != at.local {
                return Err(SeriesError::Clocks);
            }
            if keys.iter().all(|key| row.value(key).is_some()) {
                let mut told: Vec<&str> = keys.to_vec();
                told.push("host");
                let own = |name: &&&str| !keys.contains(*name) && **name != "host";
                told.extend(by.iter().filter(own));
                if let Some(before) = known.insert((at.s, words(row, &told)), row) {
                    let said = |row: &ReadRow| {
                        row.value(name)
                            .map_or_else(String::new, ToString::to_string)
                    };
                    if said(before) != said(row) {
                        return Err(SeriesError::Differ {
                            of: described(row, &told),
                            first: said(before),
                            second: said(row),
                        });
                    }
                    repeated += 1;
                    continue;
                }
            }
            once.push((at.s, row));
        }
        Ok(Self {
            rows: once,
            local: local.unwrap_or(false),
            repeated,
        })
    }
}

/// A value in the order of its kind: numbers by size.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Word {
    Number(u64),
    Text(String),
}

fn words(row: &ReadRow, names: &[&str]) -> Vec<Word> {
    let word = |name: &&str| match row.value(name) {
        Some(ReadValue::Int(n)) => Word::Number(*n),
        Some(value) => Word::Text(value.to_string()),
        None => Word::Text(String::new()),
    };
    names.iter().map(word).collect()
}

fn said(words: &[Word]) -> String {
    let words = words.iter().map(|word| match word {
        Word::Number(n) => n.to_string(),
        Word::Text(text) if text.is_empty() => "-".to_owned(),
        Word::Text(text) => text.clone(),
    });
    words.collect::<Vec<_>>().join(" ")
}

fn described(row: &ReadRow, names: &[&str]) -> String {
    let there = names
        .iter()
        .filter_map(|name| Some(format!("{name} {}", row.value(name)?)));
    let there: Vec<String> = there.collect();
    match there.is_empty() {
        true => row.name.clone(),
        false => there.join(", "),
    }
}

fn number(value: &ReadValue) -> Option<f64> {
    match value {
        ReadValue::Int(n) => Some(*n as f64),
        ReadValue::Thousandths(n) => Some(*n as f64 / 1_000.0),
        ReadValue::Text(_) | ReadValue::Absent => None,
    }
}

/// Numbers of things can be added; percents, times and numbers that name something can't.
fn adds(about: &About) -> bool {
    about.kind != Kind::Info && about.unit.is_empty() && !about.apart
}

/// A variable of a kind of schema, or of all of them.
pub fn about(schema: Schema, name: &str) -> Option<About> {
    let mut all = schema.variables().into_iter().chain(common());
    all.find(|about| about.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(values: &[(&'static str, &str)]) -> ReadRow {
        let value = |text: &str, name: &str| match text {
            "" => ReadValue::Absent,
            _ if ["date", "time", "tz"]
                .iter()
                .any(|part| name.contains(part))
                && name != "epochtime" =>
            {
                ReadValue::Text(text.into())
            }
            _ => text
                .parse()
                .map_or_else(|_| ReadValue::Text(text.into()), ReadValue::Int),
        };
        ReadRow {
            name: "sl".into(),
            values: values
                .iter()
                .map(|(name, text)| (*name, value(text, name)))
                .collect(),
        }
    }

    fn wanted(name: &str, by: &[&'static str]) -> Wanted {
        Wanted {
            schema: Schema::SmartLicense,
            variable: about(Schema::SmartLicense, name).unwrap(),
            by: by.to_vec(),
        }
    }

    fn sl(at: &str, mode: &str, tag: &str, calls: &str) -> ReadRow {
        row(&[
            ("epochtime", at),
            ("mode", mode),
            ("tagid", tag),
            ("cur_call_count", calls),
        ])
    }

    fn of(rows: &[ReadRow], wanted: &Wanted) -> Result<Found, SeriesError> {
        series(&rows.iter().collect::<Vec<_>>(), wanted)
    }

    #[test]
    fn times_are_read_whatever_they_are_written_with() {
        // 2026-11-21 22:26:40 UTC.
        let s = 1_795_300_000;
        for (values, local) in [
            (&[("epochtime", "1795300000")][..], false),
            (&[("date", "20261121"), ("time", "222640")], false),
            (&[("date3", "261121"), ("time3", "22:26:40")], false),
            (&[("localdate", "20261121"), ("localtime", "222640")], true),
            (
                &[
                    ("localdate", "20261122"),
                    ("localtime3", "03:56:40"),
                    ("localtzoffset", "+0530"),
                ],
                false,
            ),
            (
                &[
                    ("localdate3", "261121"),
                    ("localtime", "212640"),
                    ("localtzoffset", "-0100"),
                ],
                false,
            ),
        ] {
            assert_eq!(at(&row(values)), Some(At { s, local }), "{values:?}");
        }
        let to_the_minute = row(&[("date", "20261121"), ("time2", "22:26")]);
        assert_eq!(
            at(&to_the_minute),
            Some(At {
                s: s - 40,
                local: false
            })
        );
        for none in [
            &[("date", "20261121")][..],
            &[("time", "222640")],
            &[("date", "20260229"), ("time", "000000")],
            &[("date", "2026"), ("time", "000000")],
            &[("date", "20261121"), ("time", "")],
        ] {
            assert_eq!(at(&row(none)), None, "{none:?}");
        }
    }

    #[test]
    fn rows_are_series_by_their_keys_in_the_order_of_time_and_number() {
        let rows = [
            sl("120", "EVALUATION", "10", "7"),
            sl("60", "EVALUATION", "10", "5"),
            sl("60", "EVALUATION", "3", "1"),
            sl("120", "EVALUATION", "3", ""),
        ];
        let found = of(&rows, &wanted("cur_call_count", &[])).unwrap();
        assert_eq!(found.by, ["mode", "tagid"]);
        let names: Vec<&str> = found.series.iter().map(|one| one.name.as_str()).collect();
        assert_eq!(names, ["EVALUATION 3", "EVALUATION 10"]);
        assert_eq!(found.series[0].points, [(60, Some(1.0)), (120, None)]);
        assert_eq!(found.series[1].points, [(60, Some(5.0)), (120, Some(7.0))]);
        assert_eq!((found.local, found.repeated), (false, 0));
    }

    #[test]
    fn rows_of_one_time_and_series_are_added_and_copies_are_not() {
        let rows = [
            sl("60", "EVALUATION", "3", "5"),
            sl("60", "REGISTERED", "3", "2"),
            sl("60", "EVALUATION", "3", "5"),
        ];
        let found = of(&rows, &wanted("cur_call_count", &["tagid"])).unwrap();
        assert_eq!(found.series[0].points, [(60, Some(7.0))]);
        assert_eq!(found.repeated, 1);
        let mut other = rows.to_vec();
        other.push(sl("60", "EVALUATION", "3", "6"));
        let error = of(&other, &wanted("cur_call_count", &[])).unwrap_err();
        let said = "two rows of one time and of mode EVALUATION, tagid 3 say 5 and 6; are they of two nodes? --by host";
        assert_eq!(error.to_string(), said);
    }

    /// Two nodes at 50 % are not one at 100 %, and a Float is in thousandths until it is drawn.
    #[test]
    fn percents_are_numbers_and_are_not_added() {
        let wanted = Wanted {
            schema: Schema::TollgateLicense,
            variable: about(Schema::TollgateLicense, "ceiling_use").unwrap(),
            by: vec!["kind"],
        };
        let part = |at: &str, tag: &str, use_: u64| {
            let mut row = row(&[("epochtime", at), ("kind", "service"), ("tagid", tag)]);
            row.values
                .push(("ceiling_use", ReadValue::Thousandths(use_)));
            row
        };
        let rows = [part("60", "2", 79_166), part("120", "2", 50_000)];
        let found = of(&rows, &wanted).unwrap();
        assert_eq!(
            found.series[0].points,
            [(60, Some(79.166)), (120, Some(50.0))]
        );
        let rows = [part("60", "2", 50_000), part("60", "3", 50_000)];
        assert_eq!(
            of(&rows, &wanted),
            Err(SeriesError::NotAdded("ceiling_use"))
        );
    }

    #[test]
    fn what_has_no_series_says_why() {
        let rows = [
            sl("60", "EVALUATION", "3", "5"),
            sl("60", "REGISTERED", "3", "5"),
        ];
        assert_eq!(
            of(&rows, &wanted("mode", &[])),
            Err(SeriesError::Text("mode"))
        );
        assert_eq!(
            of(&rows, &wanted("max_call_count", &[])),
            Err(SeriesError::Empty("max_call_count"))
        );
        assert_eq!(
            of(&rows, &wanted("tagid", &["tagid"])),
            Err(SeriesError::NotAdded("tagid"))
        );
        let untimed = [row(&[("cur_call_count", "5")])];
        assert_eq!(
            of(&untimed, &wanted("cur_call_count", &[])),
            Err(SeriesError::NoTime("sl".into()))
        );
        let local = row(&[
            ("localdate", "20261121"),
            ("localtime", "000000"),
            ("cur_call_count", "5"),
        ]);
        let mixed = [rows[0].clone(), local];
        assert_eq!(
            of(&mixed, &wanted("cur_call_count", &[])),
            Err(SeriesError::Clocks)
        );
    }
}
