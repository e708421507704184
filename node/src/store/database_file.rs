//! A redb database in a file of its own, opened anew after each failure.

use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use redb::backends::FileBackend;
use redb::{
    Database, Durability, ReadTransaction, ReadableDatabase, TableDefinition, TableError,
    WriteTransaction,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::key::NodeKey;
use super::{StoreError, file_error, sync_directory_of};

/// Rows: `schema`, and of each record its code (32 bytes) and itself as JSON.
pub(super) const ROWS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("node");
const SCHEMA: &[u8] = b"1";
const CODE_BYTES: usize = 32;

/// Memory that a database may keep pages in, in bytes.
const CACHE_BYTES: usize = 1 << 20;

#[derive(Debug)]
pub(super) struct DatabaseFile {
    path: PathBuf,
    key: NodeKey,
    /// None: it could not be opened, or failed; the next use tries again.
    database: Option<Database>,
}

impl DatabaseFile {
    pub(super) fn new(path: PathBuf, key: &NodeKey) -> Self {
        Self {
            path,
            key: key.clone(),
            database: None,
        }
    }

    /// The same on another medium, where there is none yet.
    #[cfg(test)]
    pub(super) fn of(path: PathBuf, key: &NodeKey, medium: impl redb::StorageBackend) -> Self {
        Self {
            database: Some(make(medium).expect("a medium that takes it")),
            ..Self::new(path, key)
        }
    }

    pub(super) fn exists(&self) -> bool {
        self.path.exists()
    }

    /// Does all of it in one transaction, durably, or nothing.
    pub(super) fn write(
        &mut self,
        change: impl FnOnce(&WriteTransaction) -> Result<(), redb::Error>,
    ) -> Result<(), StoreError> {
        self.write_with(Durability::Immediate, change)
    }

    /// The same, durable only if that is wanted, or else with the next that is.
    pub(super) fn write_with(
        &mut self,
        durability: Durability,
        change: impl FnOnce(&WriteTransaction) -> Result<(), redb::Error>,
    ) -> Result<(), StoreError> {
        let database = match self.database.take() {
            Some(database) => database,
            None => self.connect()?,
        };
        let written = write(&database, durability, change);
        let written = written.map_err(|error| self.error("writing", error.to_string()));
        // After an error the database is opened anew: what it holds in memory may not be what is on disk.
        if written.is_ok() {
            self.database = Some(database);
        }
        written
    }

    /// Reads all of it from one transaction; an error if the schema is another one.
    pub(super) fn read<T>(
        &mut self,
        look: impl FnOnce(&ReadTransaction, &Self) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let database = match self.database.take() {
            Some(database) => database,
            None => self.connect()?,
        };
        let begun = database.begin_read();
        let transaction = begun.map_err(|error| self.error("reading", error.to_string()))?;
        self.check_schema(&transaction)?;
        let looked = look(&transaction, self)?;
        self.database = Some(database);
        Ok(looked)
    }

    /// A record, with its code before it.
    pub(super) fn encode(&self, record: &impl Serialize) -> Result<Vec<u8>, StoreError> {
        let json = serde_json::to_vec(record);
        let json = json.map_err(|error| self.error("writing", error.to_string()))?;
        Ok([self.key.code(&json).as_slice(), &json].concat())
    }

    /// The record of a row.
    pub(super) fn decode<T: DeserializeOwned>(&self, row: &[u8]) -> Result<T, StoreError> {
        let (code, json) = self.parts(row)?;
        if !self.key.is_code(json, code) {
            return Err(self.error("reading", "the record's code is wrong".into()));
        }
        self.parse(json)
    }

    /// The record of a row, also if its code is not of our key; whether it is.
    pub(super) fn decode_of_any<T: DeserializeOwned>(
        &self,
        row: &[u8],
    ) -> Result<(T, bool), StoreError> {
        let (code, json) = self.parts(row)?;
        Ok((self.parse(json)?, self.key.is_code(json, code)))
    }

    fn parts<'a>(&self, row: &'a [u8]) -> Result<(&'a [u8], &'a [u8]), StoreError> {
        let parts = row.split_at_checked(CODE_BYTES);
        parts.ok_or_else(|| self.error("reading", "the record is cut short".into()))
    }

    fn parse<T: DeserializeOwned>(&self, json: &[u8]) -> Result<T, StoreError> {
        let parsed = serde_json::from_slice(json);
        parsed.map_err(|error| self.error("reading", error.to_string()))
    }

    /// The record of this name; none: there is none.
    pub(super) fn get<T: DeserializeOwned>(
        &self,
        transaction: &ReadTransaction,
        name: &str,
    ) -> Result<Option<T>, StoreError> {
        let row = self.row(transaction, name)?;
        row.map(|row| self.decode(&row)).transpose()
    }

    /// The row of this name; none: there is none.
    pub(super) fn row(
        &self,
        transaction: &ReadTransaction,
        name: &str,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let row = read_row(transaction, name);
        row.map_err(|error| self.error("reading", error.to_string()))
    }

    /// Gives the file another name, so that a new one takes its place.
    pub(super) fn set_aside(&mut self) {
        self.database = None;
        let aside = self.path.with_added_extension("unreadable");
        if let Err(error) = fs::rename(&self.path, &aside) {
            event!(NOT_SET_ASIDE, path = %self.path.display(), %error);
        }
    }

    pub(super) fn error(&self, doing: &'static str, reason: String) -> StoreError {
        StoreError::Database {
            doing,
            path: self.path.clone(),
            reason,
        }
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
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true).mode(0o600);
        let file = options
            .open(&beside)
            .map_err(file_error("making", &beside))?;
        let backend = FileBackend::new(file).map_err(|error| made(error.into()))?;
        let database = make(backend).map_err(made)?;
        fs::rename(&beside, &self.path).map_err(file_error("renaming", &beside))?;
        sync_directory_of(&self.path)?;
        Ok(database)
    }

    fn check_schema(&self, transaction: &ReadTransaction) -> Result<(), StoreError> {
        let schema = read_row(transaction, "schema");
        let schema = schema.map_err(|error| self.error("reading", error.to_string()))?;
        match schema.as_deref() {
            Some(SCHEMA) => Ok(()),
            Some(_) | None => {
                Err(self.error("reading", "the schema is another version's".to_owned()))
            }
        }
    }
}

/// Puts a row in place of the one of its name.
pub(super) fn put_row(
    transaction: &WriteTransaction,
    name: &str,
    row: &[u8],
) -> Result<(), redb::Error> {
    transaction.open_table(ROWS)?.insert(name, row)?;
    Ok(())
}

/// A new database.
fn make(backend: impl redb::StorageBackend) -> Result<Database, redb::Error> {
    let mut builder = Database::builder();
    builder.set_cache_size(CACHE_BYTES);
    let database = builder.create_with_backend(backend)?;
    write(&database, Durability::Immediate, |transaction| {
        put_row(transaction, "schema", SCHEMA)
    })?;
    Ok(database)
}

fn write(
    database: &Database,
    durability: Durability,
    change: impl FnOnce(&WriteTransaction) -> Result<(), redb::Error>,
) -> Result<(), redb::Error> {
    let mut transaction = database.begin_write()?;
    transaction.set_durability(durability)?;
    change(&transaction)?;
    transaction.commit()?;
    Ok(())
}

fn read_row(transaction: &ReadTransaction, name: &str) -> Result<Option<Vec<u8>>, redb::Error> {
    let table = match transaction.open_table(ROWS) {
        Ok(table) => table,
        Err(TableError::TableDoesNotExist(_)) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    Ok(table.get(name)?.map(|row| row.value().to_vec()))
}
