//! The event log, and who is sent it.

use std::fmt;
use std::str::FromStr;

use licensing::Wall;
use serde::{Deserialize, Serialize};

/// Most events that one [`Request::Logs`](crate::Request::Logs) gets.
pub const LOGS_LIMIT_MAX: u32 = 4_096;

/// Who an event is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogFacility {
    /// Verdicts and alarms.
    Slmgr,
    /// The Smart Agent.
    Slagent,
    /// SNMP.
    Snmp,
    /// Bulk statistics.
    Bulkst,
    /// GTP-C.
    Gtpc,
    /// What operators do.
    Cli,
    /// The process, its disk and its threads.
    System,
    /// The event log itself, and who is sent it.
    Evlog,
}

/// How bad an event is; a level is that severity and all above it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogSeverity {
    /// Service is lost, or about to be.
    Critical,
    /// Something failed.
    Error,
    /// Something is about to fail, or works worse.
    Warning,
    /// Seldom, and no failure.
    Unusual,
    /// As it should be.
    Info,
    /// For whoever follows what happens.
    Trace,
    /// For whoever looks for a fault.
    Debug,
}

/// A word is none of these.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("none of {0}")]
pub struct NoSuchWord(String);

impl LogFacility {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Slmgr,
        Self::Slagent,
        Self::Snmp,
        Self::Bulkst,
        Self::Gtpc,
        Self::Cli,
        Self::System,
        Self::Evlog,
    ];

    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Slmgr => "slmgr",
            Self::Slagent => "slagent",
            Self::Snmp => "snmp",
            Self::Bulkst => "bulkst",
            Self::Gtpc => "gtpc",
            Self::Cli => "cli",
            Self::System => "system",
            Self::Evlog => "evlog",
        }
    }
}

impl LogSeverity {
    /// All of them, the worst first.
    pub const ALL: [Self; 7] = [
        Self::Critical,
        Self::Error,
        Self::Warning,
        Self::Unusual,
        Self::Info,
        Self::Trace,
        Self::Debug,
    ];

    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Unusual => "unusual",
            Self::Info => "info",
            Self::Trace => "trace",
            Self::Debug => "debug",
        }
    }
}

impl fmt::Display for LogFacility {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

impl fmt::Display for LogSeverity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

pub(crate) fn one_of<T: Copy>(
    all: &[T],
    word: fn(T) -> &'static str,
    said: &str,
) -> Result<T, NoSuchWord> {
    let found = all.iter().copied().find(|one| word(*one) == said);
    found.ok_or_else(|| {
        let words: Vec<&str> = all.iter().map(|one| word(*one)).collect();
        NoSuchWord(words.join(", "))
    })
}

impl FromStr for LogFacility {
    type Err = NoSuchWord;

    fn from_str(said: &str) -> Result<Self, NoSuchWord> {
        one_of(&Self::ALL, Self::word, said)
    }
}

impl FromStr for LogSeverity {
    type Err = NoSuchWord;

    fn from_str(said: &str) -> Result<Self, NoSuchWord> {
        one_of(&Self::ALL, Self::word, said)
    }
}

/// One event that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogEntry {
    /// Its number since the process began, from 1; counts also what was overwritten since.
    pub number: u64,
    /// When.
    pub at: Wall,
    /// Which: its row in docs/logs.md.
    pub id: u32,
    /// Who.
    pub facility: LogFacility,
    /// How bad.
    pub severity: LogSeverity,
    /// The thread.
    pub task: String,
    /// The process.
    pub pid: u32,
    /// File and line of the program.
    pub source: String,
    /// What happened; one line.
    pub text: String,
    /// What belongs to it, in the order of the text.
    pub fields: Vec<(String, String)>,
}

/// The event log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogView {
    /// Those that were asked for, the oldest first.
    pub entries: Vec<LogEntry>,
    /// How many there are.
    pub held: u64,
    /// How many there can be.
    pub capacity: u64,
    /// Older ones that are gone.
    pub overwritten: u64,
}
