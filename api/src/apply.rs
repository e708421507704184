//! `apply`: a configuration text that changes a node, and what it changes.

use serde::{Deserialize, Serialize};

/// Longest text, in bytes.
pub const APPLY_BYTES_MAX: usize = 256 * 1024;

/// A text in StarOS's manner, and how it is taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApplyCommand {
    /// At most [`APPLY_BYTES_MAX`].
    pub text: String,
    /// It is the whole configuration: what it does not say is taken back. Else that stays.
    pub replace: bool,
    /// Nothing is changed; the answer tells what would be.
    pub dry_run: bool,
    /// SHA-256 of the configuration that it is made for, in hexadecimal digits; it is refused if another is in force.
    pub checksum: Option<String>,
}

/// What a text changed, or would.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Applied {
    /// In the order of the text; what it does not say is behind.
    pub changes: Vec<ConfigurationChange>,
    /// SHA-256 of the configuration before, in hexadecimal digits.
    pub before: String,
    /// The same of the configuration after.
    pub after: String,
}

/// One thing that is changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigurationChange {
    /// As `snmp.target[nms]`.
    pub key: String,
    /// What becomes of it.
    pub change: ChangeKind,
    /// Line and column of the text, both from 1; none: the text does not say it.
    pub place: Option<(u32, u32)>,
    /// How it stands, as lines of a configuration text.
    pub before: Vec<String>,
    /// How it is to stand.
    pub after: Vec<String>,
}

/// What becomes of something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeKind {
    /// It was not there.
    Added,
    /// It is another.
    Changed,
    /// It is no more.
    Removed,
}

impl ApplyCommand {
    /// The command, without the text.
    pub fn command(&self) -> String {
        let replace = if self.replace { " --replace" } else { "" };
        format!("apply{replace}")
    }
}

impl ChangeKind {
    /// In words.
    pub fn word(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Changed => "changed",
            Self::Removed => "removed",
        }
    }
}
