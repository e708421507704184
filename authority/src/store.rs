//! The store: SQLite in a file of its own, in write-ahead mode, every commit on disk before it is answered.
//!
//! One connection writes, and takes the write lock as its transaction begins, so that no transaction fails half way;
//! others read, each from the state of its beginning.

use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{SqlSafeStr, Sqlite, Transaction};
use thiserror::Error;

/// Connections that read.
const READERS: u32 = 4;
/// Longest wait for a connection.
const ACQUIRE: Duration = Duration::from_secs(30);
/// Memory for pages of each connection, in KiB.
const CACHE_KIB: &str = "-8192";

/// A transaction.
pub(crate) type Tx = Transaction<'static, Sqlite>;

/// Why the store could not do something.
#[derive(Debug, Error)]
pub enum StoreError {
    /// Its file can't be made.
    #[error("{file}: can't be made: {source}")]
    File {
        /// The file.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It can't be opened, read or written.
    #[error("the store: {0}")]
    Database(#[from] sqlx::Error),
    /// Its tables can't be brought up to date.
    #[error("the store can't be brought up to date: {0}")]
    Migration(#[from] MigrateError),
    /// It holds what it never wrote.
    #[error("the store holds a value that is none of ours: {0}")]
    Value(String),
}

/// The store.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    writer: SqlitePool,
    readers: SqlitePool,
}

impl Store {
    /// Opens the store, and makes it if it is not there.
    pub(crate) async fn open(file: &Path) -> Result<Self, StoreError> {
        make_private(file)?;
        let options = SqliteConnectOptions::new()
            .filename(file)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(ACQUIRE)
            .pragma("cache_size", CACHE_KIB);
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .acquire_timeout(ACQUIRE)
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_with(options.clone())
            .await?;
        migrations().run(&writer).await?;
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS)
            .acquire_timeout(ACQUIRE)
            .connect_with(options.read_only(true))
            .await?;
        Ok(Self { writer, readers })
    }

    /// A transaction that writes; there is one at a time.
    pub(crate) async fn write(&self) -> Result<Tx, StoreError> {
        Ok(self.writer.begin_with("BEGIN IMMEDIATE").await?)
    }

    /// A transaction that reads.
    pub(crate) async fn read(&self) -> Result<Tx, StoreError> {
        Ok(self.readers.begin().await?)
    }

    /// Ends all connections, and folds the write-ahead log into the file.
    pub(crate) async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

/// Only its owner may read the store: it holds digests of passwords.
fn make_private(file: &Path) -> Result<(), StoreError> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false).mode(0o600);
    let made = options.open(file).map(drop);
    made.map_err(|source| StoreError::File {
        file: file.to_owned(),
        source,
    })
}

fn migrations() -> Migrator {
    let version = |version, what: &'static str, sql: &'static str| {
        let kind = MigrationType::Simple;
        Migration::new(version, what.into(), kind, sql.into_sql_str(), false)
    };
    Migrator::with_migrations(vec![
        version(
            1,
            "accounts, licenses, instances, users",
            include_str!("store/schema.sql"),
        ),
        version(
            2,
            "what is kept, by its date",
            include_str!("store/retention.sql"),
        ),
    ])
}
