//! The highest count of each service in each hour: what a forecast is made of.
//!
//! `forecast.json` in the state directory keeps it across restarts, written once an hour; the hour that goes on is lost with a
//! process that is killed. A file that can't be read begins anew, and the log says so.

use std::collections::{BTreeMap, VecDeque};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use api::{Outlook, ServiceForecast};
use enforcer::forecast::{Growth, HOURS_MAX, Insufficient};
use licensing::{Snapshot, Wall};
use serde::{Deserialize, Serialize};

use super::Interface;
use crate::store::create_whole;

const FILE: &str = "forecast.json";

/// From one look at the counts to the next.
const LOOK_EVERY: Duration = Duration::from_secs(60);

const HOUR_MS: i64 = 3_600_000;

/// Services that are kept at most; a catalog has no more.
const SERVICES_MAX: usize = licensing::catalog::SERVICES_MAX;

/// The hours that were seen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Hours {
    /// The hour that goes on, counted from 1970.
    last: i64,
    /// By short name, the hour that goes on at the end; none: there was no sample in that hour.
    services: BTreeMap<String, VecDeque<Option<u64>>>,
}

impl Hours {
    /// What was kept.
    pub(crate) fn open(state_dir: &Path) -> Self {
        let file = state_dir.join(FILE);
        let read = fs::read(&file).and_then(|octets| Ok(serde_json::from_slice(&octets)?));
        match read {
            Ok(hours) => hours,
            Err(error) if error.kind() == ErrorKind::NotFound => Self::default(),
            Err(error) => {
                event!(FORECAST_UNREADABLE, %error, path = %file.display());
                Self::default()
            }
        }
    }

    /// Takes the counts of this moment. True: an hour has ended.
    fn look<'a>(&mut self, counts: impl Iterator<Item = (&'a str, u64)>, now: Wall) -> bool {
        let hour = now.0.div_euclid(HOUR_MS);
        let passed = hour - self.last;
        self.move_on(passed);
        self.last = hour;
        for (service, sessions) in counts.take(SERVICES_MAX) {
            let hours = self.services.entry(service.to_owned()).or_default();
            if hours.is_empty() {
                hours.push_back(None);
            }
            if let Some(hour) = hours.back_mut() {
                *hour = (*hour).max(Some(sessions));
            }
        }
        passed != 0
    }

    /// So many hours have passed, in which there was no sample. Hours that a clock which is put back comes to again are
    /// taken anew.
    fn move_on(&mut self, passed: i64) {
        let new = usize::try_from(passed).unwrap_or(0).min(HOURS_MAX);
        let again = usize::try_from(passed.saturating_neg()).unwrap_or(0);
        for hours in self.services.values_mut() {
            if again > 0 {
                hours.truncate(hours.len().saturating_sub(again + 1));
                hours.push_back(None);
            }
            hours.extend(std::iter::repeat_n(None, new));
            let surplus = hours.len().saturating_sub(HOURS_MAX);
            hours.drain(..surplus);
        }
        self.services
            .retain(|_, hours| hours.iter().any(Option::is_some));
    }

    /// What is to be expected, of each service of a snapshot.
    pub(super) fn forecast(&self, snapshot: &Snapshot) -> Vec<ServiceForecast> {
        let services = snapshot.services.iter();
        services
            .map(|row| {
                let hours = self.services.get(&row.tag.name);
                let hours: Vec<Option<u64>> = hours.into_iter().flatten().copied().collect();
                let seen = hours.iter().flatten().count();
                let ceiling = row.ceiling.map(|ceiling| u64::from(ceiling.0));
                ServiceForecast {
                    service: row.tag.name.clone(),
                    sessions: u64::from(row.sessions.0),
                    ceiling,
                    hours: u32::try_from(seen).unwrap_or(u32::MAX),
                    outlook: outlook(&hours, ceiling),
                }
            })
            .collect()
    }
}

fn outlook(hours: &[Option<u64>], ceiling: Option<u64>) -> Outlook {
    let Some(ceiling) = ceiling else {
        return Outlook::NoCeiling;
    };
    let percent = |share: f64| (share * 100.0).round() as u32;
    match Growth::seen(hours) {
        Err(Insufficient::Hours(_)) => Outlook::InsufficientData {
            coverage_percent: None,
        },
        Err(Insufficient::Coverage(share)) => Outlook::InsufficientData {
            coverage_percent: Some(percent(share)),
        },
        Ok(growth) => {
            let days = growth.days_until(ceiling);
            let hours = |days: Option<f64>| days.map(|days| (days * 24.0).round() as u32);
            Outlook::Growth {
                level: growth.level,
                per_day: growth.per_day.map(|per_day| per_day.round() as i64),
                hours_until: [days.earliest, days.middle, days.latest].map(hours),
                coverage_percent: percent(growth.coverage),
            }
        }
    }
}

impl Interface {
    /// Looks at the counts each minute, and keeps each hour when it is over.
    pub(crate) async fn keep_growth(self: Arc<Self>, state_dir: PathBuf) {
        let mut looks = tokio::time::interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            looks.tick().await;
            let (snapshot, _, stalled) = self.now().await;
            // Counts of another time are none of this hour's.
            if stalled {
                continue;
            }
            let rows = snapshot.services.iter();
            let counts = rows.map(|row| (row.tag.name.as_str(), u64::from(row.sessions.0)));
            let now = self.clock.now().wall;
            let kept = {
                let mut hours = self.growth.lock();
                hours.look(counts, now).then(|| hours.clone())
            };
            if let Some(kept) = kept {
                write(&state_dir, &kept).await;
            }
        }
    }
}

/// Off this thread, which answers requests.
async fn write(state_dir: &Path, hours: &Hours) {
    let file = state_dir.join(FILE);
    let said = match serde_json::to_vec(hours) {
        Ok(octets) => {
            let path = file.clone();
            let written = tokio::task::spawn_blocking(move || create_whole(&path, &octets)).await;
            written.map_or_else(
                |ended| Some(ended.to_string()),
                |written| written.err().map(|error| error.to_string()),
            )
        }
        Err(error) => Some(error.to_string()),
    };
    if let Some(error) = said {
        event!(FORECAST_UNWRITTEN, %error, path = %file.display());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hours: i64) -> Wall {
        Wall((500_000 + hours) * HOUR_MS + 60_000)
    }

    fn looked(looks: &[(i64, u64)]) -> Hours {
        let mut hours = Hours::default();
        for (hour, count) in looks {
            hours.look([("GGSN", *count)].into_iter(), at(*hour));
        }
        hours
    }

    fn kept(hours: &Hours) -> Vec<Option<u64>> {
        let all = hours.services.get("GGSN");
        all.into_iter().flatten().copied().collect()
    }

    #[test]
    fn each_hour_has_its_highest_count_and_one_without_a_sample_none() {
        let hours = looked(&[(0, 5), (0, 9), (0, 2), (1, 3), (4, 7)]);
        assert_eq!(kept(&hours), [Some(9), Some(3), None, None, Some(7)]);
        let whole = serde_json::to_vec(&hours).unwrap();
        assert_eq!(serde_json::from_slice::<Hours>(&whole).unwrap(), hours);
    }

    #[test]
    fn a_clock_that_is_put_back_takes_its_hours_anew() {
        let hours = looked(&[(0, 1), (1, 2), (2, 3), (1, 9), (2, 4)]);
        assert_eq!(kept(&hours), [Some(1), Some(9), Some(4)]);
        let hours = looked(&[(0, 1), (-9, 2)]);
        assert_eq!(kept(&hours), [Some(2)]);
    }

    #[test]
    fn four_weeks_are_kept_and_what_is_older_is_gone() {
        let many: Vec<(i64, u64)> = (0..800).map(|hour| (hour, 1)).collect();
        assert_eq!(kept(&looked(&many)).len(), HOURS_MAX);
        let hours = looked(&[(0, 1), (10_000, 5)]);
        assert_eq!(kept(&hours), [Some(5)]);
    }

    #[test]
    fn what_was_written_is_there_after_a_restart_and_what_is_no_hours_begins_anew() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(Hours::open(dir.path()), Hours::default());
        let hours = looked(&[(0, 5), (1, 6)]);
        fs::write(dir.path().join(FILE), serde_json::to_vec(&hours).unwrap()).unwrap();
        assert_eq!(Hours::open(dir.path()), hours);
        fs::write(dir.path().join(FILE), b"{\"last\":1").unwrap();
        assert_eq!(Hours::open(dir.path()), Hours::default());
    }

    #[test]
    fn the_outlook_is_of_the_ceiling() {
        let hours: Vec<Option<u64>> = (0..200).map(|hour| Some(hour * 10)).collect();
        assert_eq!(outlook(&hours, None), Outlook::NoCeiling);
        let expected = Outlook::Growth {
            level: 1_990,
            per_day: [240; 3],
            hours_until: [Some(48); 3],
            coverage_percent: 80,
        };
        assert_eq!(outlook(&hours, Some(1_990 + 480)), expected);
        let expected = Outlook::InsufficientData {
            coverage_percent: None,
        };
        assert_eq!(outlook(&hours[..23], Some(10)), expected);
    }
}
