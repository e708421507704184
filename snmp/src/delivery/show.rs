//! What is shown of delivery: `show snmp trap history`, `show snmp trap statistics`, `show snmp notifies`, and the tables
//! of targets and of the notification log.

use std::sync::Arc;
use std::time::Duration;

use licensing::{Mono, Wall};

use super::Delivery;
use crate::notifications::{Issued, Which, table};
use crate::view::{LOG_MAX, Told};

/// Notifications that the history holds.
pub const HISTORY_MAX: usize = 5_000;

/// How long notifications are counted together.
pub const PERIOD: Duration = Duration::from_secs(300);

/// One notification of the history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryRow {
    /// Rises with each one since the process began, from 1.
    pub place: u64,
    /// When it was issued.
    pub at: Wall,
    /// Its row.
    pub which: Which,
    /// Names and values of its varbinds.
    pub text: String,
}

/// How often a notification was issued since the process began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NotifyCount {
    /// For targets.
    pub generated: u64,
    /// Suppressed.
    pub discarded: u64,
    /// When last, either way.
    pub last: Option<Wall>,
}

/// Notifications for targets in this period and in the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Periods {
    began: Mono,
    /// In this one.
    pub current: u64,
    /// In the one before.
    pub previous: u64,
}

/// A target, and what became of what it was to be sent since the process began.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetStatus {
    /// Its name.
    pub name: String,
    /// Notifications that wait for it, held ones apart.
    pub waiting: u64,
    /// Notifications that are held, because more came than are sent.
    pub held: u64,
    /// Sent for the first time since the process began.
    pub sent: u64,
    /// Sent again.
    pub repeated: u64,
    /// Acknowledged.
    pub acknowledged: u64,
    /// For which others stand.
    pub coalesced: u64,
    /// Dropped: its queue was full.
    pub dropped: u64,
    /// Since when it does not acknowledge; none: it does, or is sent traps.
    pub away_since: Option<Wall>,
}

impl Periods {
    pub(super) fn new(began: Mono) -> Self {
        Self {
            began,
            current: 0,
            previous: 0,
        }
    }

    /// One more.
    pub(super) fn count(&mut self, now: Mono) {
        *self = self.at(now);
        self.current += 1;
    }

    /// As they are then.
    pub(super) fn at(self, now: Mono) -> Self {
        let passed = now.since(self.began).as_secs() / PERIOD.as_secs();
        let (current, previous) = match passed {
            0 => return self,
            1 => (0, self.current),
            2.. => (0, 0),
        };
        Self {
            began: self
                .began
                .after(Duration::from_secs(passed * PERIOD.as_secs())),
            current,
            previous,
        }
    }
}

impl HistoryRow {
    pub(super) fn of(place: u64, issued: &Issued) -> Self {
        Self {
            place,
            at: issued.at,
            which: issued.which,
            text: issued.text(),
        }
    }

    /// As StarOS prints it, after the time: `Internal trap notification 1349 (SmartLicenseServiceOOC) ...`.
    pub fn line(&self) -> String {
        let row = self.which.row();
        let (number, name) = (row.number, row.short_name());
        let line = format!("Internal trap notification {number} ({name}) {}", self.text);
        line.trim_end().to_owned()
    }
}

impl Delivery {
    /// The last notifications, oldest first.
    pub fn history(&self) -> impl Iterator<Item = &Arc<HistoryRow>> {
        self.history.iter()
    }

    /// How many there were since the process began.
    pub fn logged(&self) -> u64 {
        self.logged
    }

    /// How many there were of late.
    pub fn periods(&self, now: Mono) -> Periods {
        self.periods.at(now)
    }

    /// Every notification of the table, how often it was issued, and whether it is suppressed.
    pub fn counts(&self) -> impl Iterator<Item = (Which, NotifyCount, bool)> {
        table().map(|(which, _)| {
            let count = self.counts.get(&which).copied().unwrap_or_default();
            (which, count, self.is_suppressed(which))
        })
    }

    /// What managers are shown of it. The log is copied once for all who ask until it grows.
    pub fn shown(&mut self) -> Told {
        if self.shown.0 != self.logged {
            let before = self.history.len().saturating_sub(LOG_MAX);
            let log = self.history.iter().skip(before).cloned().collect();
            self.shown = (self.logged, log);
        }
        Told {
            enterprise: self.config.enterprise.clone(),
            targets: self.targets().collect(),
            log: Arc::clone(&self.shown.1),
            suppressed: self.config.suppressed.clone(),
        }
    }

    /// Every target, in the order of the configuration.
    pub fn targets(&self) -> impl Iterator<Item = TargetStatus> {
        self.lines.iter().map(super::line::Line::status)
    }
}
