//! SQLite: a file of its own, in write-ahead mode. Transactions that write take the write lock as they begin.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};

use super::{ACQUIRE, READERS, StoreError};

/// Memory for pages of each connection, in KiB.
const CACHE_KIB: &str = "-8192";

/// The connection that writes; the file is made if it is not there.
pub(super) async fn writer(file: &Path) -> Result<SqlitePool, StoreError> {
    make_private(file)?;
    let writer = SqlitePoolOptions::new()
        .max_connections(1)
        .acquire_timeout(ACQUIRE)
        .idle_timeout(None)
        .max_lifetime(None)
        .connect_with(options(file))
        .await?;
    Ok(writer)
}

/// Those that read.
pub(super) async fn readers(file: &Path) -> Result<SqlitePool, StoreError> {
    let readers = SqlitePoolOptions::new()
        .max_connections(READERS)
        .acquire_timeout(ACQUIRE)
        .connect_with(options(file).read_only(true))
        .await?;
    Ok(readers)
}

fn options(file: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(file)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(ACQUIRE)
        .pragma("cache_size", CACHE_KIB)
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
