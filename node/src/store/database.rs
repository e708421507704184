//! What operators switch at run time and the authority said: one record in a redb database, with its code before it.

use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use licensing::record::{ClockRecord, OperatorRecord};
use redb::backends::FileBackend;
use redb::{Database, Durability, ReadableDatabase, TableDefinition, TableError};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::key::NodeKey;
use super::{StoreError, file_error};

/// Rows: `schema`, and of each record its code (32 bytes) and itself as JSON.
const ROWS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("node");
const SCHEMA: &[u8] = b"1";
const OPERATOR: &str = "operator";
/// The license clock once more, so that slots put back as they were before are seen.
const CLOCK: &str = "clock";
const CODE_BYTES: usize = 32;

/// Memory that the database may keep pages in, in bytes.
const CACHE_BYTES: usize = 1 << 20;

#[derive(Debug)]
pub(super) struct OperatorDatabase {
    path: PathBuf,
    key: NodeKey,
    /// None: it could not be opened; the next write tries again.
    database: Option<Database>,
}

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
        let mut this = Self {
            path: path(dir),
            key: key.clone(),
            database: None,
        };
        let existed = this.path.exists();
        let kept = this.connect().and_then(|database| {
            let kept = if existed {
                this.read(&database)?
            } else {
                Kept::default()
            };
            this.database = Some(database);
            Ok(kept)
        });
        let kept = kept.unwrap_or_else(|error| {
            tracing::error!(%error, "the operator's record can't be read");
            // What only can't be reached now may be whole.
            let tampered = existed && !matches!(error, StoreError::File { .. });
            if tampered {
                this.set_aside();
            }
            Kept {
                tampered,
                ..Kept::default()
            }
        });
        (this, kept)
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
        let database = match self.database.take() {
            Some(database) => database,
            None => self.connect()?,
        };
        let fail = |reason: String| self.error("writing", reason);
        let json = serde_json::to_vec(record).map_err(|error| fail(error.to_string()))?;
        let row = [self.key.code(&json).as_slice(), &json].concat();
        let written = write_row(&database, name, &row).map_err(|error| fail(error.to_string()));
        // After an error the database is opened anew: what it holds in memory may not be what is on disk.
        if written.is_ok() {
            self.database = Some(database);
        }
        written
    }

    fn connect(&self) -> Result<Database, StoreError> {
        let made = |reason: redb::Error| {
            if let redb::Error::Io(source) = &reason
                && source.kind() != io::ErrorKind::InvalidData
            {
                let source = io::Error::new(source.kind(), source.to_string());
                return file_error("opening", &self.path)(source);
            }
            self.error("opening", reason.to_string())
        };
        if self.path.exists() {
            let mut builder = Database::builder();
            builder.set_cache_size(CACHE_BYTES);
            return builder.open(&self.path).map_err(|error| made(error.into()));
        }
        let beside = self.path.with_added_extension("new");
        let _gone = fs::remove_file(&beside);
        let mut builder = Database::builder();
        builder.set_cache_size(CACHE_BYTES);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true).mode(0o600);
        let file = options
            .open(&beside)
            .map_err(file_error("making", &beside))?;
        let backend = FileBackend::new(file).map_err(|error| made(error.into()))?;
        let database = builder
            .create_with_backend(backend)
            .map_err(|error| made(error.into()))?;
        put_schema(&database).map_err(made)?;
        fs::rename(&beside, &self.path).map_err(file_error("renaming", &beside))?;
        super::sync_directory_of(&self.path)?;
        Ok(database)
    }

    fn read(&self, database: &Database) -> Result<Kept, StoreError> {
        Ok(Kept {
            record: self.get(database, OPERATOR)?,
            clock: self.get(database, CLOCK)?,
            tampered: false,
        })
    }

    fn get<T: DeserializeOwned>(
        &self,
        database: &Database,
        name: &str,
    ) -> Result<Option<T>, StoreError> {
        let fail = |reason: String| self.error("reading", reason);
        let row = read_row(database, name).map_err(|error| fail(error.to_string()))?;
        let Some(row) = row else {
            return Ok(None);
        };
        let Some((code, json)) = row.split_at_checked(CODE_BYTES) else {
            return Err(fail("the record is cut short".into()));
        };
        if !self.key.is_code(json, code) {
            return Err(fail("the record's code is wrong".into()));
        }
        let record = serde_json::from_slice(json).map_err(|error| fail(error.to_string()))?;
        Ok(Some(record))
    }

    fn set_aside(&self) {
        let aside = self.path.with_added_extension("unreadable");
        if let Err(error) = fs::rename(&self.path, &aside) {
            tracing::error!(path = %self.path.display(), %error, "it can't be set aside");
        }
    }

    fn error(&self, doing: &'static str, reason: String) -> StoreError {
        StoreError::Database {
            doing,
            path: self.path.clone(),
            reason,
        }
    }
}

fn put_schema(database: &Database) -> Result<(), redb::Error> {
    write_row(database, "schema", SCHEMA)
}

fn write_row(database: &Database, name: &str, row: &[u8]) -> Result<(), redb::Error> {
    let mut transaction = database.begin_write()?;
    transaction.set_durability(Durability::Immediate)?;
    transaction.open_table(ROWS)?.insert(name, row)?;
    transaction.commit()?;
    Ok(())
}

/// A row; an error if the schema is another one.
fn read_row(database: &Database, name: &str) -> Result<Option<Vec<u8>>, redb::Error> {
    let transaction = database.begin_read()?;
    let table = match transaction.open_table(ROWS) {
        Ok(table) => table,
        Err(TableError::TableDoesNotExist(_)) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let schema = table.get("schema")?.map(|row| row.value().to_vec());
    if schema.as_deref() != Some(SCHEMA) {
        let message = "the schema is another version's".to_owned();
        return Err(redb::Error::Corrupted(message));
    }
    Ok(table.get(name)?.map(|row| row.value().to_vec()))
}
