//! What a node keeps on disk: the license clock in two fixed slots, and what operators and the authority said.
//!
//! Nothing here reads or writes a file; `node::store` does, and asks [`ClockRecord::encode`], [`ClockRecord::decode`]
//! and [`choose`] what the bytes are. Counts are never stored: they are rebuilt from the session table.

mod slot;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub use self::slot::{Choice, SLOT_BYTES, Slot, SlotError, TooManyGraces, choose};
use crate::alarm::{Alarm, AlarmId};
use crate::compliance::{Compliance, Entitlement};
use crate::count::{LicenseCount, SessionCount};
use crate::snapshot::ModeStatistics;
use crate::tag::{FeatureIndex, Tag, TagRef};
use crate::time::Wall;

/// Most grace clocks that a record holds: one a service and one a feature of the largest catalog.
pub const GRACES_MAX: usize = 128;

/// Something that a machine asks its shell to keep.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "record")]
pub enum Record {
    /// Into the slot of its generation, durably, before the minute it charges is used.
    Clock(ClockRecord),
    /// Into the database.
    Operator(OperatorRecord),
}

/// The license clock: all times that a restart must neither lose nor give back.
///
/// Every field but `highest_wall` and `boots` counts license time, which the wall clock can't move. A minute is charged
/// before it is used, so that a crash costs at most a minute and never gains one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockRecord {
    /// Rises by one with every write; its parity says which slot it belongs in. 0: the first, which a new node begins with.
    pub generation: u64,
    /// Starts of the process, this one included.
    pub boots: u32,
    /// Evaluation spent, in minutes; never falls.
    pub evaluation_minutes: u32,
    /// Spent of the recovery clock that runs once all copies of this record were lost, in minutes; none: it doesn't run.
    pub recovery_minutes: Option<u32>,
    /// License time since the authority was last heard, in milliseconds; none: never registered.
    pub silence_ms: Option<u64>,
    /// The highest wall time ever seen; one below it at a start is a rollback.
    pub highest_wall: Wall,
    /// Grace clocks, at most one a tag, at most [`GRACES_MAX`].
    pub graces: Vec<GraceClock>,
}

/// The grace of one tag (rule L5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GraceClock {
    /// The tag.
    pub tag: TagRef,
    /// Spent of its grace, in minutes of use.
    pub minutes: u32,
    /// License time since the episode ended, in milliseconds; none: it is on. One that begins within 24 h of the end
    /// goes on with what is spent.
    pub ended_ms: Option<u64>,
}

/// What operators switched at run time, what the authority said, and what statistics survive a restart.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OperatorRecord {
    /// `license smart enable` is in force.
    pub enabled: bool,
    /// It was, at least once.
    pub ever_enabled: bool,
    /// Times it was enabled.
    pub total_enabled: u32,
    /// Times it was disabled.
    pub total_disabled: u32,
    /// Features switched at run time; the configuration file holds for the others.
    pub features: Vec<FeatureSwitch>,
    /// The registration; none: in evaluation.
    pub registration: Option<Registration>,
    /// One entry a tag that has anything to keep.
    pub tags: Vec<TagRecord>,
    /// Alarms outstanding.
    pub alarms: Vec<Alarm>,
    /// The number of the next alarm; numbers are never used again.
    pub next_alarm: AlarmId,
}

impl Default for AlarmId {
    fn default() -> Self {
        Self(1)
    }
}

/// A feature switched at run time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeatureSwitch {
    /// The feature.
    pub feature: FeatureIndex,
    /// `feature <name> enable`, or its `no` form.
    pub enabled: bool,
}

/// A registration with a license authority.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registration {
    /// When it began.
    pub since: Wall,
    /// When it was last renewed.
    pub renewed: Wall,
}

/// What is kept of one tag.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TagRecord {
    /// The tag; an entry whose tag the catalog doesn't list is dropped.
    pub tag: Tag,
    /// The last verdict of the authority; none: it gave none yet.
    pub verdict: Option<LastVerdict>,
    /// Licenses last authorized (rule L4).
    pub authorized: Option<LicenseCount>,
    /// Licenses last reported to the agent (rule L8).
    pub reported: Option<LicenseCount>,
    /// The last finite ceiling of a service (rule L8).
    pub ceiling: Option<SessionCount>,
    /// Statistics in evaluation mode.
    pub evaluation: ModeStatistics,
    /// Statistics in registered mode.
    pub registered: ModeStatistics,
}

/// The last verdict of the authority on a tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastVerdict {
    /// What it said.
    pub compliance: Compliance,
    /// What it granted.
    pub entitlement: Option<Entitlement>,
    /// The end of that: license time from when the authority was last heard, in milliseconds; none: it has no end.
    #[serde(default)]
    pub lasts_ms: Option<u64>,
    /// When it said so.
    pub at: Wall,
}
