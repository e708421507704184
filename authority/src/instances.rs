//! Product instances in the store.

use api::smart::{Acknowledged, Digest};

use crate::admin::orders;
use crate::books::{self, PoolKey, count};
use crate::journal::{self, AlertKind, Place};
use crate::moment::Moment;
use crate::revocation;
use crate::store::{self, FromRow, Row, StoreError, Tx};
use crate::tags::Tags;

/// Where the life of an instance stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Registered, but it did not say yet that it has its certificate.
    Pending,
    /// Registered.
    Registered,
    /// It said goodbye.
    Deregistered,
    /// An account's administrator removed it, or another registration of its device took its place.
    Removed,
}

impl State {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Registered => "registered",
            Self::Deregistered => "deregistered",
            Self::Removed => "removed",
        }
    }

    fn of(name: &str) -> Option<Self> {
        let all = [
            Self::Pending,
            Self::Registered,
            Self::Deregistered,
            Self::Removed,
        ];
        all.into_iter().find(|state| state.name() == name)
    }

    /// Its licenses are on the books.
    pub(crate) const fn lives(self) -> bool {
        matches!(self, Self::Pending | Self::Registered)
    }
}

/// An instance, as answers need it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Instance {
    pub(crate) id: i64,
    pub(crate) piid: String,
    pub(crate) place: Place,
    pub(crate) udi: (String, String),
    pub(crate) key: Vec<u8>,
    pub(crate) state: State,
    pub(crate) token: Option<i64>,
    pub(crate) registered: i64,
    pub(crate) last_sent: i64,
    pub(crate) last: Option<Acknowledged>,
    pub(crate) forked: bool,
    pub(crate) silent: bool,
}

impl FromRow for Instance {
    fn from_row(row: &Row) -> Result<Self, sqlx::Error> {
        let number: Option<i64> = row.named("last_report")?;
        let digest: Option<Vec<u8>> = row.named("last_digest")?;
        let digest = digest.and_then(|octets| <[u8; 32]>::try_from(octets).ok());
        let last = number.zip(digest).map(|(number, digest)| Acknowledged {
            report_id: count(number),
            digest: Digest(digest),
        });
        let state: String = row.named("state")?;
        let unknown = || sqlx::Error::Decode(format!("the state {state:?}").into());
        Ok(Self {
            id: row.named("id")?,
            piid: row.named("piid")?,
            place: Place {
                account: row.named("account")?,
                va: row.named("va")?,
            },
            udi: (row.named("udi_pid")?, row.named("udi_sn")?),
            key: row.named("public_key")?,
            state: State::of(&state).ok_or_else(unknown)?,
            token: row.named("token")?,
            registered: row.named("registered")?,
            last_sent: row.named("last_sent")?,
            last,
            forked: row.named("forked")?,
            silent: row.named("silent")?,
        })
    }
}

impl Instance {
    /// For people.
    pub(crate) fn udi_text(&self) -> String {
        udi_text(&self.udi.0, &self.udi.1)
    }
}

/// A UDI as the vendor prints it.
pub(crate) fn udi_text(pid: &str, serial: &str) -> String {
    format!("PID:{pid},SN:{serial}")
}

/// The instance of this identifier.
pub(crate) async fn by_piid(tx: &mut Tx, piid: &str) -> Result<Option<Instance>, StoreError> {
    let found = store::query_as("SELECT * FROM instances WHERE piid = $1")
        .bind(piid)
        .fetch_optional(tx)
        .await?;
    Ok(found)
}

/// Living instances of a key, oldest first.
pub(crate) async fn by_key(tx: &mut Tx, key: &[u8]) -> Result<Vec<Instance>, StoreError> {
    let found = store::query_as(
        "SELECT * FROM instances WHERE public_key = $1 AND state IN ('pending', 'registered')
         ORDER BY id",
    )
    .bind(key)
    .fetch_all(tx)
    .await?;
    Ok(found)
}

/// Living instances of a device: those of its UDI in a Smart Account, since nobody proves to have a UDI and other accounts
/// are not to suffer from it; and those of its key in any, since that is proved.
pub(crate) async fn of_device(
    tx: &mut Tx,
    account: i64,
    (pid, serial): (&str, &str),
    key: &[u8],
) -> Result<Vec<Instance>, StoreError> {
    let found = store::query_as(
        "SELECT * FROM instances
         WHERE (account = $1 AND udi_pid = $2 AND udi_sn = $3 OR public_key = $4)
         AND state IN ('pending', 'registered') ORDER BY id",
    )
    .bind(account)
    .bind(pid)
    .bind(serial)
    .bind(key)
    .fetch_all(tx)
    .await?;
    Ok(found)
}

/// What is known of an instance as it is made.
pub(crate) struct NewInstance<'a> {
    pub(crate) piid: &'a str,
    pub(crate) place: Place,
    pub(crate) udi: (&'a str, &'a str),
    pub(crate) hostname: &'a str,
    pub(crate) product: &'a str,
    pub(crate) version: &'a str,
    pub(crate) key: &'a [u8],
    pub(crate) token: Option<i64>,
}

/// Makes one, pending.
pub(crate) async fn insert(
    tx: &mut Tx,
    new: &NewInstance<'_>,
    now: Moment,
) -> Result<i64, StoreError> {
    let id = store::query_scalar(
        "INSERT INTO instances (piid, account, va, udi_pid, udi_sn, hostname, product, version,
            public_key, state, token, registered, last_contact)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'pending', $10, $11, $11) RETURNING id",
    )
    .bind(new.piid)
    .bind(new.place.account)
    .bind(new.place.va)
    .bind(new.udi.0)
    .bind(new.udi.1)
    .bind(new.hostname)
    .bind(new.product)
    .bind(new.version)
    .bind(new.key)
    .bind(new.token)
    .bind(now.date.0)
    .fetch_one(tx)
    .await?;
    Ok(id)
}

/// It has its certificate: it takes the place of other registrations of its device.
pub(crate) async fn confirm(
    tx: &mut Tx,
    instance: &Instance,
    tags: &Tags,
    now: Moment,
) -> Result<(), StoreError> {
    let udi = (instance.udi.0.as_str(), instance.udi.1.as_str());
    for other in of_device(tx, instance.place.account, udi, &instance.key).await? {
        if other.id < instance.id {
            end(tx, &other, State::Removed, tags, now).await?;
            let message = format!("{} was registered anew", other.udi_text());
            let kind = "INSTANCE_REPLACED";
            journal::event(tx, other.place, kind, &other.piid, &message, now).await?;
        }
    }
    store::query("UPDATE instances SET state = 'registered' WHERE id = $1")
        .bind(instance.id)
        .execute(tx)
        .await?;
    Ok(())
}

/// Ends the life of an instance: its licenses return, its certificates are revoked, its alerts clear.
pub(crate) async fn end(
    tx: &mut Tx,
    instance: &Instance,
    state: State,
    tags: &Tags,
    now: Moment,
) -> Result<(), StoreError> {
    let place = instance.place;
    let demands = books::take_off(tx, instance.id, place.va).await?;
    for tag in demands.keys() {
        let key = PoolKey {
            va: place.va,
            tag: *tag,
        };
        journal::judge_key(tx, place.account, key, tags, now).await?;
    }
    store::query("UPDATE instances SET state = $1, ended = $2 WHERE id = $3")
        .bind(state.name())
        .bind(now.date.0)
        .bind(instance.id)
        .execute(tx)
        .await?;
    store::query("UPDATE certificates SET revoked = $1 WHERE instance = $2 AND revoked IS NULL")
        .bind(now.date.0)
        .bind(instance.id)
        .execute(tx)
        .await?;
    revocation::note(tx).await?;
    orders::forget_device(tx, instance.id).await?;
    for kind in AlertKind::OF_INSTANCES {
        journal::clear(tx, place, kind, &instance.piid, now).await?;
    }
    Ok(())
}
