//! What operators switch at run time and the authority said: one record in a redb database, with its code before it.

use std::path::{Path, PathBuf};

use licensing::record::{ClockRecord, OperatorRecord};
use serde::Serialize;

use super::StoreError;
use super::database_file::{DatabaseFile, put_row};
use super::key::NodeKey;

const OPERATOR: &str = "operator";
/// The license clock once more, so that slots put back as they were before are seen.
const CLOCK: &str = "clock";

#[derive(Debug)]
pub(super) struct OperatorDatabase(DatabaseFile);

/// What the database held.
#[derive(Debug, Default)]
pub(super) struct Kept {
    pub(super) record: Option<OperatorRecord>,
    /// The license clock as it was written last while this could be written.
    pub(super) clock: Option<ClockRecord>,
    /// It was altered, or can't be read.
    pub(super) tampered: bool,
}

/// Whether a directory holds a database.
pub(super) fn present(dir: &Path) -> bool {
    path(dir).exists()
}

fn path(dir: &Path) -> PathBuf {
    dir.join("operator.redb")
}

impl OperatorDatabase {
    /// Opens the database, or makes one. One that can't be read is set aside under another name, and nothing was kept.
    pub(super) fn open(dir: &Path, key: &NodeKey) -> (Self, Kept) {
        let mut file = DatabaseFile::new(path(dir), key);
        let existed = file.exists();
        let read = file.read(|transaction, file| {
            Ok(Kept {
                record: file.get(transaction, OPERATOR)?,
                clock: file.get(transaction, CLOCK)?,
                tampered: false,
            })
        });
        let kept = read.unwrap_or_else(|error| {
            event!(OPERATORS_RECORD, %error);
            // What only can't be reached now may be whole.
            let tampered = existed && !matches!(error, StoreError::File { .. });
            if tampered {
                file.set_aside();
            }
            Kept {
                tampered,
                ..Kept::default()
            }
        });
        (Self(file), kept)
    }

    #[cfg(test)]
    pub(super) fn of(file: DatabaseFile) -> Self {
        Self(file)
    }

    /// Puts the record in place of the last one, durably.
    pub(super) fn write(&mut self, record: &OperatorRecord) -> Result<(), StoreError> {
        self.put(OPERATOR, record)
    }

    /// The same with the license clock.
    pub(super) fn write_clock(&mut self, record: &ClockRecord) -> Result<(), StoreError> {
        self.put(CLOCK, record)
    }

    fn put(&mut self, name: &str, record: &impl Serialize) -> Result<(), StoreError> {
        let row = self.0.encode(record)?;
        self.0.write(|transaction| put_row(transaction, name, &row))
    }
}
