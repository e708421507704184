//! The store: SQLite in a file of its own, or a database of PostgreSQL. Every commit is on disk before it is answered.
//!
//! One connection writes, so that no transaction fails half way; others read, each from the state of its beginning. The
//! tables are written once, in SQL of SQLite ([`migrations`]), and so are statements ([`query`]).

mod migrations;
mod postgres;
mod sqlite;
mod statement;
#[cfg(test)]
mod tests;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sqlx::migrate::MigrateError;
use sqlx::sqlite::SqlitePool;
use sqlx::{Sqlite, Transaction};
use thiserror::Error;

use migrations::Dialect;
pub use postgres::{Database, UrlError};
use postgres::{Lines, PgTx};
pub(crate) use statement::{FromRow, Row, query, query_as, query_scalar};

/// Connections that read.
const READERS: u32 = 4;
/// Longest wait for a connection.
const ACQUIRE: Duration = Duration::from_secs(30);

/// Why the store could not do something. None holds a password.
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
    /// A newer program has brought its tables up to date.
    #[error(
        "the store is of version {found}, and this program knows those up to {known}; start the newer program that made it, or restore a backup of before"
    )]
    Newer {
        /// The version of the store.
        found: i64,
        /// The latest one that is known.
        known: i64,
    },
    /// Its tables are another program's.
    #[error(
        "the database holds tables that no license authority made; give the authority a database of its own"
    )]
    Foreign,
    /// Texts in it are of another encoding.
    #[error("the encoding of the database is {0}; make one of UTF8")]
    Encoding(String),
    /// It holds what it never wrote.
    #[error("the store holds a value that is none of ours: {0}")]
    Value(String),
    /// A text that is to be stored or looked for can't be.
    #[error("a text holds the character U+0000")]
    Zero,
    /// The database of PostgreSQL can't be reached, or was not heard of for too long.
    #[error("{at}: the database can't be reached: {source}")]
    Unreachable {
        /// Its URL, which holds no password.
        at: String,
        /// Why.
        source: sqlx::Error,
    },
    /// It is not who it is to be, or can't be spoken to in secret.
    #[error(
        "{at}: the server of the database is not trusted: {source}; it needs TLS and a certificate for the host of authority.database, below a root of the system's or the one in its sslrootcert"
    )]
    Untrusted {
        /// Its URL.
        at: String,
        /// Why.
        source: sqlx::Error,
    },
    /// It doesn't take the user or the password.
    #[error(
        "{at}: the database refuses the login: {source}; mend the user, or the password in the file of authority.database_password_file"
    )]
    Login {
        /// Its URL.
        at: String,
        /// What it says.
        source: sqlx::Error,
    },
    /// The server has no database of this name.
    #[error("{at}: there is no such database; make it with createdb")]
    Missing {
        /// Its URL.
        at: String,
    },
    /// Another authority has it open.
    #[error("{at}: another license authority has this database open; stop it first")]
    InUse {
        /// Its URL.
        at: String,
    },
    /// The file with the password can't be used.
    #[error("{file}: the password of the database can't be read: {source}")]
    Password {
        /// The file.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Too many wait for it.
    #[error("the store was busy for too long")]
    Busy,
    /// It was closed.
    #[error("the store is closed")]
    Closed,
    /// An earlier statement of the transaction failed, and nothing of it is kept.
    #[error("the transaction failed before")]
    Failed,
}

/// A transaction; unless it is committed, nothing of it is kept.
pub(crate) enum Tx {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(PgTx),
}

impl Tx {
    /// Makes it lasting: when this returns it is on disk.
    pub(crate) async fn commit(self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(tx) => Ok(tx.commit().await?),
            Self::Postgres(tx) => tx.commit().await,
        }
    }
}

/// The store.
#[derive(Debug)]
pub(crate) enum Store {
    Sqlite {
        writer: SqlitePool,
        readers: SqlitePool,
    },
    Postgres {
        writer: Arc<Lines>,
        readers: Arc<Lines>,
    },
}

impl Store {
    /// Opens the store in a file, and makes it if it is not there.
    pub(crate) async fn open(file: &Path) -> Result<Self, StoreError> {
        let writer = sqlite::writer(file).await?;
        let mut tx = Tx::Sqlite(writer.begin().await?);
        migrations::check(&mut tx, Dialect::Sqlite).await?;
        drop(tx);
        let all = migrations::all(Dialect::Sqlite);
        all.run(&writer).await?;
        let readers = sqlite::readers(file).await?;
        Ok(Self::Sqlite { writer, readers })
    }

    /// Opens the store in a database of PostgreSQL.
    pub(crate) async fn open_database(database: &Database) -> Result<Self, StoreError> {
        let writer = Lines::new(database, true);
        let mut tx = Tx::Postgres(writer.begin().await?);
        migrations::check(&mut tx, Dialect::Postgres).await?;
        tx.commit().await?;
        writer.migrate(&migrations::all(Dialect::Postgres)).await?;
        let readers = Lines::new(database, false);
        Ok(Self::Postgres { writer, readers })
    }

    /// A transaction that writes; there is one at a time.
    pub(crate) async fn write(&self) -> Result<Tx, StoreError> {
        match self {
            Self::Sqlite { writer, .. } => {
                Ok(Tx::Sqlite(writer.begin_with("BEGIN IMMEDIATE").await?))
            }
            Self::Postgres { writer, .. } => Ok(Tx::Postgres(writer.begin().await?)),
        }
    }

    /// A transaction that reads.
    pub(crate) async fn read(&self) -> Result<Tx, StoreError> {
        match self {
            Self::Sqlite { readers, .. } => Ok(Tx::Sqlite(readers.begin().await?)),
            Self::Postgres { readers, .. } => Ok(Tx::Postgres(readers.begin().await?)),
        }
    }

    /// Ends all connections; SQLite folds the write-ahead log into the file.
    pub(crate) async fn close(&self) {
        match self {
            Self::Sqlite { writer, readers } => {
                readers.close().await;
                writer.close().await;
            }
            Self::Postgres { writer, readers } => {
                readers.close().await;
                writer.close().await;
            }
        }
    }
}
