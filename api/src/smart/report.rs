//! Usage reports: numbered, chained, and kept as the exact text that was first written.

use licensing::{LicenseCount, Tag, Wall};
use serde::{Deserialize, Serialize};

use super::TAGS_MAX;
use super::envelope::{WireError, bound, text};
use super::parts::Digest;

/// The text of a [`UsageReport`]: its digest is over exactly these octets, so nobody writes it anew.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ReportText(String);

/// What a node used of each tag in an interval. Intervals of one node follow one another without a gap and without
/// overlap, so that the sum of all reports is the usage.
///
/// Our own format. From the published usage reports it takes the number that rises by one with each report, the link to
/// the report before, and measurements with a start and an end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UsageReport {
    /// One more than the last; the first has 1.
    pub report_id: u64,
    /// SHA-256 of the text of the report before; null for the first. An authority that already holds another report of
    /// this number, or another one before it, has seen two nodes with one identity, or one whose state was restored.
    pub previous: Option<Digest>,
    /// The node's date at which the interval began, in milliseconds since 1970-01-01 UTC. Informative: it may jump.
    pub start: Wall,
    /// The node's date at which it ended.
    pub end: Wall,
    /// Its length in license time, in milliseconds.
    pub interval_ms: u64,
    /// One entry a tag that was in use; at most [`TAGS_MAX`].
    pub entries: Vec<ReportEntry>,
}

/// What was used of one tag.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReportEntry {
    /// The tag.
    pub tag: Tag,
    /// Licenses in use at the end.
    pub licenses: LicenseCount,
    /// Most licenses in use at once.
    pub peak: LicenseCount,
    /// Licenses in use, times the license time for which they were, in license-milliseconds.
    pub license_ms: u64,
}

impl UsageReport {
    /// Writes it, once.
    pub fn text(&self) -> ReportText {
        ReportText(text(self))
    }
}

impl ReportText {
    /// Takes a text over that was written earlier; [`ReportText::read`] says whether it is a report.
    pub fn from_written(text: String) -> Self {
        Self(text)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What it says.
    pub fn read(&self) -> Result<UsageReport, WireError> {
        let report: UsageReport = serde_json::from_str(&self.0)?;
        bound("the list of entries", report.entries.len(), TAGS_MAX)?;
        Ok(report)
    }
}
