//! PostgreSQL: a few connections of our own, made as they are needed.
//!
//! The connection that writes holds a lock of the database for as long as it lives, so that two authorities never write one
//! database. One that was cut is made again by the next transaction, so that a server that comes back is simply there;
//! while it is away each transaction fails at once.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgSslMode};
use sqlx::{ConnectOptions, Connection};
use thiserror::Error;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::error::Elapsed;
use tokio::time::timeout;
use zeroize::Zeroizing;

use super::{ACQUIRE, READERS, StoreError};

/// Longest wait for a connection to be made, or to begin a transaction.
const DIAL: Duration = Duration::from_secs(5);
/// Longest wait for the answer to a statement; the server gives up a second before.
const ANSWER: Duration = Duration::from_secs(31);
/// Longest file with a password, in bytes.
const PASSWORD_BYTES_MAX: u64 = 1_024;

/// What holds in every session, whatever role and database are set to. Milliseconds and seconds.
const SESSION: [(&str, &str); 6] = [
    ("synchronous_commit", "on"),
    ("statement_timeout", "30000"),
    ("lock_timeout", "4000"),
    ("tcp_keepalives_idle", "30"),
    ("tcp_keepalives_interval", "5"),
    ("tcp_keepalives_count", "3"),
];

/// The lock of whoever writes. It is waited for: an authority that was just killed may hold it for a moment.
const LOCK: &str = "SELECT pg_advisory_lock(8390043843661231205)";
/// With one that writes nothing fails by another's doing, but for what people change by hand.
const WRITE: &str = "BEGIN ISOLATION LEVEL SERIALIZABLE";
const READ: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// A PostgreSQL database to keep the store in. It holds no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Database {
    url: String,
    password_file: Option<PathBuf>,
}

/// Why a database can't be used by its URL. It never holds what stands in the URL.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum UrlError {
    /// It is of another form.
    #[error("it is no URL of the form postgres://user@host/database")]
    Form,
    /// It holds a password.
    #[error("a password stands in it; a password is kept in a file of mode 0600")]
    Password,
    /// It holds a parameter that is not known.
    #[error("it has a parameter other than sslmode, sslrootcert, sslcert, sslkey, host and port")]
    Parameter,
}

impl Database {
    /// By its URL, `postgres://user@host:port/database`, and the file with the password, if there is to be one.
    pub fn new(url: &str, password_file: Option<PathBuf>) -> Result<Self, UrlError> {
        let rest = url.strip_prefix("postgres://");
        let rest = rest.or_else(|| url.strip_prefix("postgresql://"));
        let rest = rest.ok_or(UrlError::Form)?;
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (place, name) = rest.split_once('/').ok_or(UrlError::Form)?;
        if let Some((user, _)) = place.rsplit_once('@')
            && user.contains(':')
        {
            return Err(UrlError::Password);
        }
        let known = [
            "sslmode",
            "sslrootcert",
            "sslcert",
            "sslkey",
            "host",
            "port",
        ];
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            match pair.split('=').next() {
                Some("password") => return Err(UrlError::Password),
                Some(key) if known.contains(&key) => {}
                Some(_) | None => return Err(UrlError::Parameter),
            }
        }
        if name.is_empty() || PgConnectOptions::from_str(url).is_err() {
            return Err(UrlError::Form);
        }
        Ok(Self {
            url: url.to_owned(),
            password_file,
        })
    }

    /// How to connect; the password is read anew each time.
    fn options(&self) -> Result<PgConnectOptions, StoreError> {
        let options = PgConnectOptions::from_str(&self.url)?;
        let host = options.get_host();
        let here = options.get_socket().is_some()
            || host.starts_with('/')
            || host == "localhost"
            || host
                .parse()
                .is_ok_and(|ip: std::net::IpAddr| ip.is_loopback());
        let options = match (self.url.contains("sslmode="), here) {
            (true, _) => options,
            (false, true) => options.ssl_mode(PgSslMode::Prefer),
            (false, false) => options.ssl_mode(PgSslMode::VerifyFull),
        };
        // Without a file there is none: neither the environment nor another file is asked for it.
        let password = match &self.password_file {
            Some(file) => read_password(file)?,
            None => Zeroizing::default(),
        };
        let options = options.password(&password).options(SESSION);
        Ok(options.application_name("tollgate authority"))
    }

    fn failed(&self, source: sqlx::Error) -> StoreError {
        let at = self.url.clone();
        let code = source.as_database_error().and_then(|error| error.code());
        match code.as_deref() {
            Some("28P01" | "28000") => StoreError::Login { at, source },
            Some("3D000") => StoreError::Missing { at },
            Some("55P03") => StoreError::InUse { at },
            None if is_of_tls(&source) => StoreError::Untrusted { at, source },
            Some(_) | None => StoreError::Unreachable { at, source },
        }
    }
}

/// The server has no TLS, or none that is good.
fn is_of_tls(error: &sqlx::Error) -> bool {
    let broke = |error: &io::Error| {
        let cause = error.get_ref();
        cause.is_some_and(|cause| cause.is::<rustls::Error>())
    };
    matches!(error, sqlx::Error::Tls(_)) || matches!(error, sqlx::Error::Io(error) if broke(error))
}

/// A password in a file of its owner's.
fn read_password(file: &Path) -> Result<Zeroizing<String>, StoreError> {
    let read = || {
        let open = File::open(file)?;
        if open.metadata()?.permissions().mode() & 0o077 != 0 {
            let why = "others may read this password; make its mode 0600, and think about who has read it";
            return Err(io::Error::other(why));
        }
        let mut text = Zeroizing::new(String::new());
        open.take(PASSWORD_BYTES_MAX).read_to_string(&mut text)?;
        Ok(Zeroizing::new(
            text.trim_end_matches(['\r', '\n']).to_owned(),
        ))
    };
    read().map_err(|source| StoreError::Password {
        file: file.to_owned(),
        source,
    })
}

/// Connections of a kind.
#[derive(Debug)]
pub(crate) struct Lines {
    database: Database,
    writes: bool,
    places: Arc<Semaphore>,
    idle: Mutex<Vec<PgConnection>>,
}

impl Lines {
    /// Those that read, or the one that writes.
    pub(super) fn new(database: &Database, writes: bool) -> Arc<Self> {
        let places = if writes { 1 } else { READERS as usize };
        Arc::new(Self {
            database: database.clone(),
            writes,
            places: Arc::new(Semaphore::new(places)),
            idle: Mutex::default(),
        })
    }

    /// Makes a connection; the one that writes takes the lock.
    pub(super) async fn dial(&self) -> Result<PgConnection, StoreError> {
        let options = self.database.options()?;
        let made = timeout(DIAL, options.connect()).await;
        let mut line = self.heard(made)?;
        if self.writes {
            let locked = bounded(sqlx::raw_sql(LOCK).execute(&mut line)).await;
            self.heard(locked)?;
        }
        Ok(line)
    }

    fn heard<T>(&self, asked: Result<Result<T, sqlx::Error>, Elapsed>) -> Result<T, StoreError> {
        match asked {
            Ok(answer) => answer.map_err(|source| self.database.failed(source)),
            Err(_) => Err(StoreError::Unreachable {
                at: self.database.url.clone(),
                source: sqlx::Error::PoolTimedOut,
            }),
        }
    }

    /// Keeps a connection for the next transaction.
    pub(super) fn keep(&self, line: PgConnection) {
        if !self.places.is_closed() {
            self.idle.lock().push(line);
        }
    }

    /// Brings the tables up to date, which may take as long as it takes.
    pub(super) async fn migrate(&self, all: &Migrator) -> Result<(), StoreError> {
        let idle = self.idle.lock().pop();
        let mut line = match idle {
            Some(line) => line,
            None => self.dial().await?,
        };
        sqlx::raw_sql("SET statement_timeout = 0")
            .execute(&mut line)
            .await?;
        all.run(&mut line).await?;
        sqlx::raw_sql("RESET statement_timeout")
            .execute(&mut line)
            .await?;
        self.keep(line);
        Ok(())
    }

    /// Begins a transaction.
    pub(super) async fn begin(self: &Arc<Self>) -> Result<PgTx, StoreError> {
        let place = timeout(ACQUIRE, Arc::clone(&self.places).acquire_owned()).await;
        let place = place.map_err(|_| StoreError::Busy)?;
        let place = place.map_err(|_| StoreError::Closed)?;
        let begin = if self.writes { WRITE } else { READ };
        let idle = self.idle.lock().pop();
        let mut line = None;
        if let Some(mut idle) = idle {
            let begun = timeout(DIAL, sqlx::raw_sql(begin).execute(&mut idle)).await;
            line = matches!(begun, Ok(Ok(_))).then_some(idle);
        }
        // One that lay idle may have been cut since.
        let line = match line {
            Some(line) => line,
            None => {
                let mut line = self.dial().await?;
                let begun = timeout(DIAL, sqlx::raw_sql(begin).execute(&mut line)).await;
                self.heard(begun)?;
                line
            }
        };
        Ok(PgTx {
            line: Some(line),
            failed: false,
            place: Some(place),
            home: Arc::clone(self),
        })
    }

    /// Ends all connections.
    pub(super) async fn close(&self) {
        let all = if self.writes { 1 } else { READERS };
        // What goes on is waited for, as long as it may take.
        let places = timeout(ANSWER, self.places.acquire_many(all)).await;
        self.places.close();
        drop(places);
        let idle = std::mem::take(&mut *self.idle.lock());
        for line in idle {
            // What can't be told to end has ended.
            let _ = timeout(DIAL, line.close()).await;
        }
    }
}

/// A transaction; unless it is committed, nothing of it is kept.
pub(crate) struct PgTx {
    line: Option<PgConnection>,
    failed: bool,
    place: Option<OwnedSemaphorePermit>,
    home: Arc<Lines>,
}

/// Waits for an answer as long as one may take.
pub(super) async fn bounded<T>(
    asked: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<Result<T, sqlx::Error>, Elapsed> {
    timeout(ANSWER, asked).await
}

impl PgTx {
    pub(super) fn line(&mut self) -> Result<&mut PgConnection, StoreError> {
        self.line.as_mut().ok_or(StoreError::Failed)
    }

    /// An answer. After a failure nothing of the transaction is kept, and after a cut or silence the connection isn't either.
    pub(super) fn heard<T>(
        &mut self,
        asked: Result<Result<T, sqlx::Error>, Elapsed>,
    ) -> Result<T, StoreError> {
        let error = match asked {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(source)) => source,
            Err(_) => sqlx::Error::PoolTimedOut,
        };
        self.failed = true;
        if error
            .as_database_error()
            .is_some_and(|error| !is_end(error))
        {
            return Err(error.into());
        }
        self.line = None;
        Err(StoreError::Unreachable {
            at: self.home.database.url.clone(),
            source: error,
        })
    }

    /// Makes it lasting: when this returns it is on disk.
    pub(super) async fn commit(mut self) -> Result<(), StoreError> {
        if self.failed {
            return Err(StoreError::Failed);
        }
        let asked = bounded(sqlx::raw_sql("COMMIT").execute(self.line()?)).await;
        self.heard(asked)?;
        if let Some(line) = self.line.take() {
            self.home.keep(line);
        }
        Ok(())
    }
}

/// The server ends the session with this error.
fn is_end(error: &dyn sqlx::error::DatabaseError) -> bool {
    let code = error.code();
    code.is_some_and(|code| code.starts_with("57P") || code.starts_with("08"))
}

impl Drop for PgTx {
    fn drop(&mut self) {
        let (Some(mut line), Some(place)) = (self.line.take(), self.place.take()) else {
            return;
        };
        // Without a runtime the connection is cut, and that ends the transaction, too.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        let home = Arc::clone(&self.home);
        runtime.spawn(async move {
            let ended = timeout(DIAL, sqlx::raw_sql("ROLLBACK").execute(&mut line)).await;
            if let Ok(Ok(_)) = ended {
                home.keep(line);
            }
            drop(place);
        });
    }
}
