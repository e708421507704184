//! What is kept on disk, as values: each record has a key, and a newer record of a key takes the place of the older.

use std::fmt;

use licensing::{Alarm, AlarmId};
use serde::{Deserialize, Serialize};

use crate::notifications::Issued;

/// One record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "record", content = "of")]
pub enum Record {
    /// Numbers below this may have been used.
    Reserved {
        /// The first that was not.
        below: u64,
    },
    /// An alarm whose raise was told and whose clear was not.
    Told(Alarm),
    /// Names of all notifications that are suppressed.
    Suppressed(Vec<String>),
    /// Names of all targets.
    Targets(Vec<String>),
    /// A notification that waits for a target.
    Queued {
        /// Name of the target.
        target: String,
        /// Its number; its request id is the low 31 bits.
        number: u64,
        /// What waits.
        queued: Queued,
    },
}

/// A notification that waits for a target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Queued {
    /// It.
    pub issued: Issued,
    /// It is held, because more came than are sent: later ones of its alarm take its place.
    pub held: bool,
}

/// A change of what is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Keep this under its key.
    Persist(Record),
    /// Keep nothing under this key.
    Delete(Key),
}

/// Key of a record: a text of at most 96 octets.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(String);

impl Record {
    /// Its key.
    pub fn key(&self) -> Key {
        match self {
            Self::Reserved { .. } => Key("reserved".into()),
            Self::Told(alarm) => Key::told(alarm.id),
            Self::Suppressed(_) => Key("suppressed".into()),
            Self::Targets(_) => Key("targets".into()),
            Self::Queued { target, number, .. } => Key::queued(target, *number),
        }
    }
}

impl Key {
    /// As a text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn told(id: AlarmId) -> Self {
        Self(format!("told/{:020}", id.0))
    }

    pub(super) fn queued(target: &str, number: u64) -> Self {
        Self(format!("queued/{target}/{number:020}"))
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Queued {
    /// To be sent in its turn.
    pub(super) fn waiting(issued: Issued) -> Self {
        let held = false;
        Self { issued, held }
    }
}
