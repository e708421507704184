//! The times of an authority: its wall clock, and the calendar by which licenses, tokens and certificates age.

use std::time::{SystemTime, UNIX_EPOCH};

use licensing::Wall;
use rustls::pki_types::UnixTime;
use rustls::time_provider::TimeProvider;

use crate::store::{self, StoreError, Tx};

/// Milliseconds of a day.
pub(crate) const DAY_MS: i64 = 86_400_000;

/// The time, read once a request and handed down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// What people read, and what nodes compare their clocks with.
    pub wall: Wall,
    /// By which licenses, tokens and certificates age; off the lab it is the wall clock.
    pub date: Wall,
}

/// How the calendar follows the wall clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Calendar {
    origin: Moment,
    speedup: Option<u32>,
}

impl Calendar {
    /// The calendar as the store has it, which goes on from where it was, whatever the speed.
    ///
    /// Errors: the store; or the other kind of authority made it.
    pub(crate) async fn resume(
        tx: &mut Tx,
        speedup: Option<u32>,
        wall: Wall,
    ) -> Result<Self, StoreError> {
        let kept = setting(tx, "calendar").await?;
        let kept = kept.map(|text| Self::parse(&text)).transpose()?;
        if kept.is_some_and(|kept| kept.speedup.is_some() != speedup.is_some()) {
            let why = "a lab authority made it, or this is one and none made it";
            return Err(StoreError::Value(why.into()));
        }
        let date = match (kept, speedup) {
            (Some(kept), Some(_)) => kept.at(wall).date,
            (None, _) | (Some(_), None) => wall,
        };
        let origin = Moment { wall, date };
        let calendar = Self { origin, speedup };
        put_setting(tx, "calendar", &calendar.text()).await?;
        Ok(calendar)
    }

    /// Both times at a time of the wall clock.
    pub(crate) fn at(&self, wall: Wall) -> Moment {
        let Some(speedup) = self.speedup else {
            return Moment { wall, date: wall };
        };
        let passed = wall.0.saturating_sub(self.origin.wall.0);
        let passed = passed.saturating_mul(i64::from(speedup));
        Moment {
            wall,
            date: Wall(self.origin.date.0.saturating_add(passed)),
        }
    }

    /// Both times now.
    pub(crate) fn now(&self) -> Moment {
        self.at(wall_now())
    }

    fn text(&self) -> String {
        let Moment { wall, date } = self.origin;
        format!("{} {} {}", wall.0, date.0, self.speedup.unwrap_or(0))
    }

    fn parse(text: &str) -> Result<Self, StoreError> {
        let wrong = || StoreError::Value(format!("the calendar {text:?}"));
        let mut numbers = text.split(' ').map(str::parse::<i64>);
        let mut next = || numbers.next().and_then(Result::ok).ok_or_else(wrong);
        let (wall, date) = (Wall(next()?), Wall(next()?));
        let speedup = u32::try_from(next()?).map_err(|_| wrong())?;
        Ok(Self {
            origin: Moment { wall, date },
            speedup: (speedup > 0).then_some(speedup),
        })
    }
}

/// Identity certificates age by the calendar on connections, too.
impl TimeProvider for Calendar {
    fn current_time(&self) -> Option<UnixTime> {
        let ms = u64::try_from(self.now().date.0).ok()?;
        Some(UnixTime::since_unix_epoch(
            std::time::Duration::from_millis(ms),
        ))
    }
}

/// The wall clock.
pub(crate) fn wall_now() -> Wall {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let ms = since.map_or(0, |since| since.as_millis());
    Wall(i64::try_from(ms).unwrap_or(i64::MAX))
}

/// A setting of the store.
pub(crate) async fn setting(tx: &mut Tx, name: &str) -> Result<Option<String>, StoreError> {
    let found = store::query_scalar("SELECT value FROM settings WHERE name = $1")
        .bind(name)
        .fetch_optional(tx)
        .await?;
    Ok(found)
}

/// Writes a setting.
pub(crate) async fn put_setting(tx: &mut Tx, name: &str, value: &str) -> Result<(), StoreError> {
    store::query(
        "INSERT INTO settings (name, value) VALUES ($1, $2)
         ON CONFLICT (name) DO UPDATE SET value = excluded.value",
    )
    .bind(name)
    .bind(value)
    .execute(tx)
    .await?;
    Ok(())
}
