//! The authority itself: the store, the certificates, the tags and the calendar, and what is done with them.

use std::path::PathBuf;
use std::sync::Arc;

use api::smart::Digest;
use licensing::{Catalog, Wall};
use thiserror::Error;
use tokio::sync::Semaphore;

use crate::admin::door::Doorkeeper;
use crate::admin::orders;
use crate::moment::{Calendar, Moment, put_setting, wall_now};
use crate::pki::{Pki, PkiError};
use crate::retention::Kept;
use crate::revocation::Revocations;
use crate::secret;
use crate::store::{self, Database, Store, StoreError};
use crate::tags::Tags;

/// Name of the setting that holds the digest of the one-time set-up secret.
pub(crate) const SETUP_SECRET: &str = "setup_secret";

/// Reports that are written at once: each keeps one of the connections that read.
const REPORTS_AT_ONCE: usize = 2;

/// What an authority is opened with.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where its state is kept.
    pub state_dir: PathBuf,
    /// The database of the store; none: SQLite in a file there.
    pub database: Option<Database>,
    /// What is sold.
    pub catalog: Arc<Catalog>,
    /// License seconds a second; none: it is no lab authority.
    pub speedup: Option<u32>,
    /// Days without a message after which an instance is shown as silent.
    pub silent_days: u32,
    /// For how long things are kept.
    pub kept: Kept,
}

/// Why an authority can't be opened.
#[derive(Debug, Error)]
pub enum OpenError {
    /// Its folder can't be made.
    #[error("{dir}: can't be made: {source}")]
    Dir {
        /// The folder.
        dir: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Its store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Its certificates.
    #[error(transparent)]
    Pki(#[from] PkiError),
}

/// A license authority.
pub struct Authority {
    pub(crate) store: Store,
    pub(crate) pki: Pki,
    pub(crate) tags: Tags,
    pub(crate) speedup: Option<u32>,
    pub(crate) silent_days: u32,
    pub(crate) kept: Kept,
    pub(crate) calendar: Calendar,
    pub(crate) door: Doorkeeper,
    pub(crate) revocations: Revocations,
    /// Reports that may be written at once.
    pub(crate) reports: Arc<Semaphore>,
    /// What is kept of a password that nobody has.
    pub(crate) no_password: String,
}

/// A one-time set-up secret: whoever has it makes a Smart Account and its first administrator. It is shown once.
pub struct SetupSecret(String);

impl SetupSecret {
    /// The secret itself.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for SetupSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SetupSecret(..)")
    }
}

impl Authority {
    /// Opens an authority, and makes it at its first start. Until it has an account there is a set-up secret, too, another
    /// one each time.
    pub async fn open(settings: Settings) -> Result<(Self, Option<SetupSecret>), OpenError> {
        Self::open_at(settings, wall_now()).await
    }

    /// The same at a time of the wall clock.
    pub async fn open_at(
        settings: Settings,
        wall: Wall,
    ) -> Result<(Self, Option<SetupSecret>), OpenError> {
        let dir = &settings.state_dir;
        std::fs::create_dir_all(dir).map_err(|source| OpenError::Dir {
            dir: dir.clone(),
            source,
        })?;
        let store = match &settings.database {
            None => Store::open(&dir.join("authority.sqlite")).await?,
            Some(database) => Store::open_database(database).await?,
        };
        let mut tx = store.write().await?;
        let tags = Tags::load(&mut tx, &settings.catalog).await?;
        orders::digest_catalogs(&mut tx).await?;
        let calendar = Calendar::resume(&mut tx, settings.speedup, wall).await?;
        // Until somebody has set it up, each start shows another secret: the last one may have been overlooked.
        let set_up: bool = store::query_scalar("SELECT EXISTS (SELECT 1 FROM smart_accounts)")
            .fetch_one(&mut tx)
            .await?;
        let pki = Pki::open(
            &dir.join("pki"),
            settings.speedup.is_some(),
            calendar.at(wall),
        )?;
        let authority = Self {
            store,
            pki,
            tags,
            speedup: settings.speedup,
            silent_days: settings.silent_days,
            kept: settings.kept,
            calendar,
            door: Doorkeeper::default(),
            revocations: Revocations::default(),
            reports: Arc::new(Semaphore::new(REPORTS_AT_ONCE)),
            no_password: secret::no_password(),
        };
        let made = (!set_up).then(secret::secret);
        if let Some(made) = &made {
            put_setting(&mut tx, SETUP_SECRET, &kept(made)).await?;
        }
        tx.commit().await?;
        Ok((authority, made.map(SetupSecret)))
    }

    /// Another one-time set-up secret, in place of one that was not used: for one more Smart Account, or for an account
    /// whose administrators are gone.
    pub async fn new_setup_secret(&self) -> Result<SetupSecret, StoreError> {
        let made = secret::secret();
        let mut tx = self.store.write().await?;
        put_setting(&mut tx, SETUP_SECRET, &kept(&made)).await?;
        tx.commit().await?;
        Ok(SetupSecret(made))
    }

    /// The time by its calendar.
    pub fn now(&self) -> Moment {
        self.calendar.now()
    }

    /// The times at a time of the wall clock.
    pub fn at(&self, wall: Wall) -> Moment {
        self.calendar.at(wall)
    }

    /// SHA-256 of its root certificate, which people compare.
    pub fn fingerprint(&self) -> Digest {
        self.pki.fingerprint()
    }

    /// Its root certificate in DER.
    pub fn root(&self) -> &[u8] {
        &self.pki.root().0
    }

    /// Its API without a server: connections, TLS and their bounds are whoever's who serves it.
    pub fn router(self: &Arc<Self>) -> axum::Router {
        crate::rest::router(Arc::clone(self))
    }

    /// Ends it; what was answered is on disk.
    pub async fn close(&self) {
        self.store.close().await;
    }
}

/// What is kept of a secret.
pub(crate) fn kept(secret: &str) -> String {
    secret::digest(secret.as_bytes()).to_string()
}
