//! Schema `bulkstats`: what becomes of the files of bulk statistics themselves.

use super::{About, Own, Rows, own, seconds, truth};
use crate::collector::{FileStatus, TransferError};
use crate::config::Receiver;
use crate::value::Value::{self, Absent, Int};
use crate::view::View;

pub(crate) struct FileRows;

const VARIABLES: &[Own<FileRows>] = &[
    own(
        About::number("file", "Number of the file in the configuration.").key(),
        |_, row| Int(row.config.number.into()),
    ),
    own(
        About::gauge(
            "files-waiting",
            "Files that are complete and wait to be transferred.",
        ),
        |_, row| Int(row.awaiting_files),
    ),
    own(
        About::gauge(
            "records-waiting",
            "Rows that wait, those of files not complete included.",
        ),
        |_, row| Int(row.awaiting_records),
    ),
    own(
        About::gauge("bytes-waiting", "Bytes likewise."),
        |_, row| Int(row.awaiting_bytes),
    ),
    own(
        About::time(
            "waiting-since",
            "When the interval of the last sample began in the oldest file that is complete and waits; empty: none waits.",
        ),
        |_, row| seconds(row.awaiting_since),
    ),
    own(
        About::counter("records-collected", "Rows written."),
        |_, row| Int(row.statistics.collected_records),
    ),
    own(
        About::counter("records-transmitted", "Rows that a receiver has."),
        |_, row| Int(row.statistics.transmitted_records),
    ),
    own(
        About::counter("bytes-transmitted", "Bytes that a receiver has."),
        |_, row| Int(row.statistics.transmitted_bytes),
    ),
    own(
        About::counter(
            "records-discarded",
            "Rows dropped for want of room, set aside, or not written.",
        ),
        |_, row| Int(row.statistics.discarded_records),
    ),
    own(
        About::time(
            "last-transfer",
            "When a receiver last took a file; empty: none has since the process began.",
        ),
        |_, row| seconds(row.statistics.last.map(|last| last.at)),
    ),
    own(
        About::gauge("last-transfer-time", "How long that took; empty likewise.").unit("s"),
        |_, row| row.statistics.last.map_or(Absent, |last| Int(last.took_s)),
    ),
    own(
        About::time(
            "last-attempt",
            "When a transfer was last attempted; empty likewise.",
        ),
        |_, row| seconds(row.statistics.last_attempt),
    ),
    own(
        About::truth("failing", "1: no receiver takes its files."),
        |_, row| truth(row.failing),
    ),
    own(
        About::truth(
            "on-secondary",
            "1: the secondary receiver took the last file.",
        ),
        |_, row| truth(row.on_secondary),
    ),
    own(
        About::truth(
            "primary-failing",
            "1: the primary receiver did not take the last file that it was given; empty: there is none.",
        ),
        |_, row| failing(row.config.primary.as_ref(), row.primary_error.as_ref()),
    ),
    own(
        About::truth("secondary-failing", "The same of the secondary receiver."),
        |_, row| failing(row.config.secondary.as_ref(), row.secondary_error.as_ref()),
    ),
];

impl Rows for FileRows {
    type Row<'v> = &'v FileStatus;
    const VARIABLES: &'static [Own<Self>] = VARIABLES;

    fn rows(view: &View) -> impl Iterator<Item = &FileStatus> {
        view.bulkstats.files.iter()
    }
}

fn failing(receiver: Option<&Receiver>, error: Option<&TransferError>) -> Value<'static> {
    receiver.map_or(Absent, |_| truth(error.is_some()))
}
