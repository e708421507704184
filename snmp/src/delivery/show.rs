//! What is shown of delivery: `show snmp trap history`, `show snmp trap statistics`, `show snmp notifies`, and the tables
//! of targets and of the notification log.

use std::sync::Arc;

use licensing::Wall;

use super::Delivery;
use crate::notifications::{Issued, Mib, NotificationType, Which, table};
use crate::view::{LOG_MAX, Told};

/// Notifications that the history holds.
pub const HISTORY_MAX: usize = 5_000;

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
        let (number, name) = (row.number, short(row));
        let line = format!("Internal trap notification {number} ({name}) {}", self.text);
        line.trim_end().to_owned()
    }
}

/// Name as StarOS prints it, without its prefix.
fn short(row: &NotificationType) -> &'static str {
    match row.mib {
        Mib::Starent => row.name.strip_prefix("star").unwrap_or(row.name),
        Mib::CiscoSmartLic | Mib::Tollgate => row.name,
    }
}

impl Delivery {
    /// The last notifications, oldest first.
    pub fn history(&self) -> impl Iterator<Item = &HistoryRow> {
        self.history.iter()
    }

    /// Every notification of the table, how often it was issued, and whether it is suppressed.
    pub fn counts(&self) -> impl Iterator<Item = (Which, NotifyCount, bool)> {
        table().map(|(which, _)| {
            let count = self.counts.get(&which).copied().unwrap_or_default();
            (which, count, self.suppressed.contains(&which))
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
            suppressed: self.suppressed.clone(),
        }
    }

    /// Every target, in the order of the configuration.
    pub fn targets(&self) -> impl Iterator<Item = TargetStatus> {
        self.lines.iter().map(super::line::Line::status)
    }
}
