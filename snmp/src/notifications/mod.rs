//! Notifications: one table, from which what is sent, the MIB text and the manual derive.
//!
//! ```text
//!   Event, News + Snapshot --> issue --> Issued (which row, varbinds in order) --> snmp::delivery --> targets
//! ```
//!
//! A row is of one of three MIBs. STARENT-MIB's and CISCO-SMART-LIC-MIB's have exactly the numbers, varbinds and order of
//! those MIBs (rule L18); what they have no number for is in ours, below an enterprise arc that is configured
//! ([`DEFAULT_ENTERPRISE`] unless it is). Every kind of alarm and event has a row: the matches of [`of_alarm`] and
//! [`issue`] are exhaustive.
//!
//! Deliberately absent: who is sent what, and when (that is [`crate::delivery`]), and any state. The table of
//! outstanding alarms is the truth, a notification only carries it (rule L16).

pub(crate) mod cisco;
mod enforce_mode;
mod issue;
mod objects;
mod ours;
mod starent;

#[cfg(test)]
mod tests;

use licensing::{AlarmId, Wall};
use serde::{Deserialize, Serialize};

use crate::{Oid, VarBind};

pub use enforce_mode::EnforceMode;
pub use issue::{News, issue, of_alarm, tag_of};
pub(crate) use objects::{
    MODES, POLICIES, STATES, admin, display, mode_number, policy_number, state_number,
};
pub use objects::{Object, Place, Subject};
pub use ours::notify_objects;

/// Where our own MIB is, unless a network gives it an arc of its own: below the enterprise number that RFC 5612 keeps for
/// examples, so that nobody's manager takes it for another's.
pub const DEFAULT_ENTERPRISE: [u32; 8] = [1, 3, 6, 1, 4, 1, 32473, 1];

/// Which MIB a row is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mib {
    /// STARENT-MIB: notifications `.1.3.6.1.4.1.8164.2`.
    Starent,
    /// CISCO-SMART-LIC-MIB: notifications `.1.3.6.1.4.1.9.9.831.1`.
    CiscoSmartLic,
    /// TOLLGATE-MIB: notifications `.0` below the enterprise arc.
    Tollgate,
}

/// What a notification says of a condition (rule L16).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It began, or still stands; the row of this name says that it ended.
    Raise {
        /// That row.
        cleared_by: &'static str,
    },
    /// It ended.
    Clear,
    /// Nothing that lasts.
    Event,
}

/// How urgent it is, as X.733 has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// New calls are refused, or all would be.
    Critical,
    /// Calls are about to be refused, or somebody tampers.
    Major,
    /// Something doesn't work that calls do not need now.
    Minor,
    /// Something will happen if nobody acts.
    Warning,
    /// For the record, and whatever ends a condition.
    Informational,
}

/// One row of the table.
#[derive(Debug)]
pub struct NotificationType {
    /// Name in its MIB.
    pub name: &'static str,
    /// Its MIB.
    pub mib: Mib,
    /// Its last arc.
    pub number: u32,
    /// Raise, clear or event.
    pub kind: Kind,
    /// How urgent.
    pub severity: Severity,
    /// Its varbinds in order.
    pub objects: &'static [&'static Object],
    /// What it says, and what causes it.
    pub cause: &'static str,
    /// What clears it; empty for a clear or an event.
    pub clears: &'static str,
    /// What an operator does.
    pub action: &'static str,
}

/// A row of the table, by its place.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Which(usize);

/// A name that is none of the table's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no notification {0:?}")]
pub struct UnknownNotification(pub String);

/// What a notification says of its condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// It began.
    Raise,
    /// It still stands: the same notification once more, neither raise nor clear.
    Repeat,
    /// It ended.
    Clear,
    /// It is no condition.
    Event,
}

/// A notification to be sent: a row, and its varbinds with their values.
///
/// `sysUpTime.0` and `snmpTrapOID.0` go before the varbinds on the wire; the first is `uptime`, the second
/// [`Which::oid`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issued {
    /// The row.
    pub which: Which,
    /// Its alarm; none: an event.
    pub alarm: Option<AlarmId>,
    /// What it says of that alarm.
    pub phase: Phase,
    /// What an event is about, so that a newer one may stand for an older: the place of the tag in a snapshot's rows and
    /// one more, or 0.
    pub subject: u32,
    /// When it was issued.
    pub at: Wall,
    /// `sysUpTime` then, in hundredths of a second.
    pub uptime: u32,
    /// The varbinds in the order of the MIB.
    pub varbinds: Vec<VarBind>,
}

/// All rows: STARENT-MIB's, CISCO-SMART-LIC-MIB's, ours; by number within each.
pub fn table() -> impl Iterator<Item = (Which, &'static NotificationType)> {
    let all = starent::ROWS.iter().chain(cisco::ROWS).chain(ours::ROWS);
    all.enumerate().map(|(place, row)| (Which(place), row))
}

impl Which {
    /// The row of a name.
    pub fn named(name: &str) -> Option<Self> {
        table()
            .find(|(_, row)| row.name == name)
            .map(|(which, _)| which)
    }

    /// The row.
    pub fn row(self) -> &'static NotificationType {
        let Self(place) = self;
        let (stars, licenses) = (starent::ROWS.len(), cisco::ROWS.len());
        match place {
            _ if place < stars => &starent::ROWS[place],
            _ if place < stars + licenses => &cisco::ROWS[place - stars],
            _ => &ours::ROWS[place - stars - licenses],
        }
    }

    /// `snmpTrapOID`; `enterprise` is the arc of our own MIB.
    pub fn oid(self, enterprise: &Oid) -> Oid {
        let row = self.row();
        match row.mib {
            Mib::Starent => Oid::from([1, 3, 6, 1, 4, 1, 8164, 2, row.number]),
            Mib::CiscoSmartLic => Oid::from([1, 3, 6, 1, 4, 1, 9, 9, 831, 1, row.number]),
            Mib::Tollgate => enterprise.join(&[0, row.number]),
        }
    }
}

impl std::fmt::Debug for Which {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.row().name)
    }
}

impl From<Which> for String {
    fn from(which: Which) -> Self {
        which.row().name.to_owned()
    }
}

impl TryFrom<String> for Which {
    type Error = UnknownNotification;

    fn try_from(name: String) -> Result<Self, UnknownNotification> {
        Self::named(&name).ok_or(UnknownNotification(name))
    }
}

impl NotificationType {
    /// Name as StarOS prints it, without its prefix.
    pub fn short_name(&self) -> &'static str {
        self.name.strip_prefix("star").unwrap_or(self.name)
    }
}

impl Mib {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Starent => "STARENT-MIB",
            Self::CiscoSmartLic => "CISCO-SMART-LIC-MIB",
            Self::Tollgate => "TOLLGATE-MIB",
        }
    }
}

impl Severity {
    /// In lower case.
    pub fn name(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::Major => "major",
            Self::Minor => "minor",
            Self::Warning => "warning",
            Self::Informational => "informational",
        }
    }
}

impl Issued {
    /// Names and values of the varbinds, for people: `SmartLicenseServiceName PGW SmartLicenseServiceUsage 3`.
    pub fn text(&self) -> String {
        let objects = self.which.row().objects.iter();
        let words = objects.zip(&self.varbinds).map(|(object, varbind)| {
            let name = object.name;
            let name = name.strip_prefix("star").unwrap_or(name);
            format!("{name} {}", objects::text(&varbind.value))
        });
        words.collect::<Vec<_>>().join(" ")
    }
}
