//! What `show bulkstats` has of each file.

use licensing::Wall;

use super::intervals::MINUTE_MS;
use super::line::Line;
use super::{Collector, TransferError, Which};
use crate::config::{ConfigError, FileConfig};

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
    /// Why nothing is collected for it; none: it is, or nothing is at all.
    pub lacks: Option<ConfigError>,
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
    /// From one sample to the next, in minutes.
    pub sample_interval_min: u32,
    /// From one transfer to the next, in minutes.
    pub transfer_interval_min: u32,
    /// Bytes that wait to be transferred at most.
    pub limit_bytes: u64,
    /// Days that what was transferred is kept here.
    pub historical_days: u32,
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
            sample_interval_min: self.config.sample_interval_min,
            transfer_interval_min: self.config.transfer_interval_min,
            limit_bytes: self.config.limit_bytes,
            historical_days: self.config.historical_days,
            files: self
                .lines
                .iter()
                .filter_map(|line| self.file(line))
                .collect(),
            samples: self.counts.samples,
            skipped: self.counts.skipped,
            repeated: self.counts.repeated,
            lost: self.counts.lost,
            discarding: self.discarding.is_some(),
            storage_failing: self.lines.iter().any(|line| line.storage_failing),
        }
    }

    fn file(&self, line: &Line) -> Option<FileStatus> {
        let config = line.config()?;
        let (awaiting_records, awaiting_bytes) = line.waiting();
        Some(FileStatus {
            config: config.clone(),
            lacks: self.config.lacks(config),
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
}

fn began(minute: i64) -> Wall {
    Wall(minute.saturating_mul(MINUTE_MS))
}
