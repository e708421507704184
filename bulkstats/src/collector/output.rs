//! What a collector asks for and tells.

use std::sync::Arc;

use thiserror::Error;

use super::{Skip, TransferError, Which};
use crate::spool::Stored;

/// Why a file is not on disk.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum StoreError {
    /// There is no room.
    #[error("the disk is full")]
    Full,
    /// Another reason.
    #[error("{0}")]
    Other(String),
}

/// What is to be done, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Take a view and hand it to [`super::Collector::sample`].
    Sample,
    /// Write a file whole: a temporary name, to the disk, then its own name. Tell [`super::Collector::stored`].
    Write {
        /// To be told with the result.
        op: u64,
        /// The file.
        to: Stored,
        /// What is in it.
        bytes: Arc<[u8]>,
    },
    /// Write a file whole that holds these, one after the other, and then the footer. Tell [`super::Collector::stored`]. The parts
    /// stay.
    Join {
        /// To be told with the result.
        op: u64,
        /// Files in `open`, in order.
        parts: Vec<Stored>,
        /// What follows them.
        footer: Arc<[u8]>,
        /// The file.
        to: Stored,
        /// It is compressed.
        gzip: bool,
    },
    /// Begin to transfer a file, and give it up before [`super::TRANSFER_MAX`]. Tell [`super::Collector::transferred`].
    Transfer {
        /// To be told with the result.
        attempt: u64,
        /// Number of its block.
        file: u8,
        /// The file.
        stored: Stored,
        /// Who gets it.
        receiver: Which,
    },
    /// Rename a file.
    Move {
        /// As it is.
        from: Stored,
        /// As it is to be.
        to: Stored,
    },
    /// Remove a file.
    Remove(Stored),
    /// A condition begins or ends.
    Alarm {
        /// It begins.
        raised: bool,
        /// Which.
        condition: Condition,
    },
    /// Something happened that an operator wants to know.
    Notice(Notice),
}

/// A condition that lasts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// A receiver shows another key than its own, or does not let the node in, whatever the other one does. It is raised anew
    /// if it does the other of these, and ends when it takes a file.
    Receiver {
        /// The block.
        file: u8,
        /// Who.
        which: Which,
        /// What it does; none: it is over.
        why: Option<TransferError>,
    },
    /// No receiver of a block takes its files. It is raised anew if the reason changes.
    Receivers {
        /// The block.
        file: u8,
        /// What the last one said; none: it is over.
        why: Option<TransferError>,
    },
    /// Samples or files of a block are not written.
    Storage {
        /// The block.
        file: u8,
        /// Why; none: it is over.
        why: Option<StoreError>,
    },
    /// More waits than the limit lets, and the oldest files go. It ends when half of it is free.
    Discarding,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// Intervals passed without a sample.
    Skipped {
        /// So many.
        intervals: u64,
        /// Why.
        why: Skip,
    },
    /// The clock was put back by so many intervals, which come once more.
    PutBack {
        /// So many.
        intervals: u64,
    },
    /// The sample of this interval is one more: the clock was put back.
    Repeated {
        /// When the interval began.
        minute: i64,
    },
    /// A sample was not written and is lost.
    SampleLost {
        /// The block.
        file: u8,
        /// Its rows.
        records: u64,
    },
    /// A file was dropped for want of room.
    Discarded {
        /// The block.
        file: u8,
        /// Its name at the receiver.
        name: String,
        /// Its rows.
        records: u64,
    },
    /// The receiver has another file of that name.
    Renamed {
        /// The block.
        file: u8,
        /// Its name from now on.
        name: String,
    },
    /// Another receiver has got a file of a block.
    Receiver {
        /// The block.
        file: u8,
        /// Who.
        now: Which,
        /// What the one before said last.
        why: Option<TransferError>,
    },
    /// A file can't be transferred to whomever, and is kept as if it had been.
    SetAside {
        /// The block.
        file: u8,
        /// Its name at the receiver.
        name: String,
        /// Its rows.
        records: u64,
        /// Why.
        why: String,
    },
    /// Files wait for a block that has no receiver any more, and are kept as if they had been transferred.
    Orphaned {
        /// The block.
        file: u8,
        /// So many.
        files: u64,
        /// Their rows.
        records: u64,
    },
}
