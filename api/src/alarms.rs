//! Alarms: what the snapshot's table of them does not say itself.

use licensing::{TagRef, Wall};
use serde::{Deserialize, Serialize};

/// Alarms of a node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlarmView {
    /// The outstanding ones, in the order of the snapshot's.
    pub outstanding: Vec<AlarmRow>,
    /// How many were raised since the process began.
    pub raised: AlarmCounts,
    /// When one was raised last.
    pub last_raised: Option<Wall>,
}

/// One outstanding alarm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlarmRow {
    /// Its number, from raise to clear.
    pub id: u64,
    /// Name of the notification that raises it.
    pub name: String,
    /// How urgent it is.
    pub severity: AlarmSeverity,
    /// The service or feature that it is of; none: it is the node's.
    pub tag: Option<TagRef>,
}

/// How urgent an alarm is, as X.733 has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AlarmSeverity {
    /// New calls are refused, or all would be.
    Critical,
    /// Calls are about to be refused, or somebody tampers.
    Major,
    /// Something doesn't work that calls do not need now.
    Minor,
    /// Something will happen if nobody acts.
    Warning,
    /// For the record.
    Informational,
}

/// Alarms by urgency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlarmCounts {
    /// [`AlarmSeverity::Critical`].
    pub critical: u64,
    /// [`AlarmSeverity::Major`].
    pub major: u64,
    /// [`AlarmSeverity::Minor`].
    pub minor: u64,
    /// [`AlarmSeverity::Warning`].
    pub warning: u64,
    /// [`AlarmSeverity::Informational`].
    pub informational: u64,
}

impl AlarmCounts {
    /// One more.
    pub fn count(&mut self, severity: AlarmSeverity) {
        *match severity {
            AlarmSeverity::Critical => &mut self.critical,
            AlarmSeverity::Major => &mut self.major,
            AlarmSeverity::Minor => &mut self.minor,
            AlarmSeverity::Warning => &mut self.warning,
            AlarmSeverity::Informational => &mut self.informational,
        } += 1;
    }

    /// All of them.
    pub fn total(&self) -> u64 {
        self.critical + self.major + self.minor + self.warning + self.informational
    }
}

impl FromIterator<AlarmSeverity> for AlarmCounts {
    fn from_iter<T: IntoIterator<Item = AlarmSeverity>>(severities: T) -> Self {
        let mut counts = Self::default();
        severities.into_iter().for_each(|of| counts.count(of));
        counts
    }
}
