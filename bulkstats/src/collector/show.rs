//! What `show bulkstats` has of each file.

use licensing::Wall;

use super::intervals::MINUTE_MS;
use super::line::Line;
use super::{Collector, TransferError, Which};
use crate::config::FileConfig;

/// Statistics of one block since the process began, or since they were cleared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Rows written.
    pub collected_records: u64,
    /// Bytes of samples written, headers included.
    pub collected_bytes: u64,
    /// Rows with a receiver.
    pub transmitted_records: u64,
    /// Bytes with a receiver.
    pub transmitted_bytes: u64,
    /// Rows dropped for want of room, set aside, or not written.
    pub discarded_records: u64,
    /// Bytes likewise.
    pub discarded_bytes: u64,
    /// The last transfer that succeeded.
    pub last: Option<LastTransfer>,
    /// When the last transfer was attempted.
    pub last_attempt: Option<Wall>,
}

/// A transfer that succeeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastTransfer {
    /// When it ended.
    pub at: Wall,
    /// How long it took, in seconds.
    pub took_s: u64,
    /// Rows.
    pub records: u64,
    /// Bytes.
    pub bytes: u64,
}

/// One block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileStatus {
    /// As it is configured.
    pub config: FileConfig,
    /// Rows that wait to be transferred.
    pub awaiting_records: u64,
    /// Bytes likewise.
    pub awaiting_bytes: u64,
    /// Files that are complete and wait.
    pub awaiting_files: u64,
    /// When the interval of the last sample of the oldest of them began.
    pub awaiting_since: Option<Wall>,
    /// The secondary took the last file.
    pub on_secondary: bool,
    /// What the primary said of the last file that it was given; none: it took it, or was given none.
    pub primary_error: Option<TransferError>,
    /// The same of the secondary.
    pub secondary_error: Option<TransferError>,
    /// No receiver takes its files.
    pub failing: bool,
    /// What happened.
    pub statistics: Statistics,
}

/// All of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// Samples are taken.
    pub collection: bool,
    /// Blocks that are configured, by number.
    pub files: Vec<FileStatus>,
    /// Samples taken.
    pub samples: u64,
    /// Intervals that passed without one.
    pub skipped: u64,
    /// Samples of intervals that had one before: the clock was put back.
    pub repeated: u64,
    /// Samples of one file that were taken and not written.
    pub lost: u64,
    /// Files are dropped for want of room.
    pub discarding: bool,
    /// Samples are not written.
    pub storage_failing: bool,
}

impl Collector {
    /// How it is.
    pub fn status(&self) -> Status {
        Status {
            collection: self.config.collection,
            files: self.lines.iter().filter_map(file).collect(),
            samples: self.counts.samples,
            skipped: self.counts.skipped,
            repeated: self.counts.repeated,
            lost: self.counts.lost,
            discarding: self.discarding.is_some(),
            storage_failing: self.lines.iter().any(|line| line.storage_failing),
        }
    }
}

fn file(line: &Line) -> Option<FileStatus> {
    let (awaiting_records, awaiting_bytes) = line.waiting();
    Some(FileStatus {
        config: line.plan.as_ref()?.config().clone(),
        awaiting_records,
        awaiting_bytes,
        awaiting_files: line.pending.len() as u64,
        awaiting_since: line
            .pending
            .front()
            .map(|oldest| began(oldest.stored.minute)),
        on_secondary: line.way.on_secondary(),
        primary_error: line.way.error(Which::Primary).cloned(),
        secondary_error: line.way.error(Which::Secondary).cloned(),
        failing: line.way.failing(),
        statistics: line.statistics.clone(),
    })
}

fn began(minute: i64) -> Wall {
    Wall(minute.saturating_mul(MINUTE_MS))
}
