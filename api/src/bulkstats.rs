//! Bulk statistics: what operators ask of them, and how they are.

use licensing::Wall;
use serde::{Deserialize, Serialize};

/// Most characters of samples that [`crate::Request::BulkstatsData`] is answered with for one file.
pub const BULKSTATS_DATA_MAX: usize = 65_536;

/// Longest that a command is waited for, in seconds: its thread may wait for the node's answers and for its disk.
pub const BULKSTATS_ANSWER_S: u64 = 15;

/// What operators ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BulkstatsCommand {
    /// `bulkstats force gather`: one sample more, now.
    ForceGather,
    /// `bulkstats force transfer`: files are completed, and all that wait are transferred.
    ForceTransfer,
    /// `clear bulkstats counters`: the statistics of files begin anew.
    ClearCounters,
    /// `clear bulkstats data`: what waits to be transferred is dropped.
    ClearData,
}

/// How bulk statistics are; all counts are since the process began, or since they were cleared.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BulkstatsStatus {
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
    /// Samples are not written: the disk fails, or is full.
    pub not_written: bool,
    /// The thread has not worked for longer than it should, or has failed: this is its last word.
    pub stalled: bool,
    /// One entry a file, by number.
    pub files: Vec<BulkstatsFile>,
}

/// One file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BulkstatsFile {
    /// 1 to 4.
    pub number: u8,
    /// Why nothing is collected for it; none: nothing is missing.
    #[serde(default)]
    pub lacks: Option<String>,
    /// The format of its name at the receiver.
    pub remotefile: String,
    /// The format of its first line; empty: none.
    pub header: String,
    /// The format of its last line; empty: none.
    pub footer: String,
    /// It is compressed.
    pub gzip: bool,
    /// What is in it, in order.
    pub schemas: Vec<BulkstatsSchema>,
    /// Who gets it; none: it is kept here.
    pub primary: Option<BulkstatsReceiver>,
    /// Who gets it while the primary does not.
    pub secondary: Option<BulkstatsReceiver>,
    /// The secondary receives.
    pub on_secondary: bool,
    /// No receiver takes its files.
    pub failing: bool,
    /// Rows that wait to be transferred.
    pub awaiting_records: u64,
    /// Bytes likewise.
    pub awaiting_bytes: u64,
    /// Files that are complete and wait.
    pub awaiting_files: u64,
    /// Rows written.
    pub collected_records: u64,
    /// Bytes written.
    pub collected_bytes: u64,
    /// Rows with a receiver.
    pub transmitted_records: u64,
    /// Bytes with a receiver.
    pub transmitted_bytes: u64,
    /// Rows dropped for want of room, or not written.
    pub discarded_records: u64,
    /// Bytes likewise.
    pub discarded_bytes: u64,
    /// The last transfer that succeeded.
    pub last_transfer: Option<BulkstatsTransfer>,
    /// When the last transfer was attempted.
    pub last_attempt: Option<Wall>,
}

/// One schema.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BulkstatsSchema {
    /// Its kind: smart-license, apn, ...
    pub schema: String,
    /// Its name.
    pub name: String,
    /// Its format.
    pub format: String,
}

/// A receiver, without its secrets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BulkstatsReceiver {
    /// Its address or name.
    pub address: String,
    /// SFTP, FTP, TFTP or HTTP.
    pub mechanism: String,
    /// The name that it knows the node by.
    pub login: Option<String>,
    /// What it said of the last file that it was given; none: it took it, or was given none.
    pub error: Option<String>,
}

/// A transfer that succeeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BulkstatsTransfer {
    /// When it ended.
    pub at: Wall,
    /// How long it took, in seconds.
    pub took_s: u64,
    /// Rows.
    pub records: u64,
    /// Bytes.
    pub bytes: u64,
}

/// Samples of one file that is not complete yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BulkstatsData {
    /// Its number.
    pub number: u8,
    /// Its name at the receiver.
    pub name: String,
    /// What is in it until now, at most the last [`BULKSTATS_DATA_MAX`] characters.
    pub text: String,
    /// So many before these were left out.
    pub left_out: u64,
}
