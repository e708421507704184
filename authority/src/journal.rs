//! Events, alerts and the audit log.

use serde_json::Value;

use crate::books::{self, PoolKey};
use crate::moment::Moment;
use crate::pool::Pool;
use crate::store::{self, StoreError, Tx};
use crate::tags::Tags;

/// Where something belongs: a Smart Account and a virtual account of it (0: to the whole).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) account: i64,
    pub(crate) va: i64,
}

/// What alerts are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AlertKind {
    /// More is in use than is owned.
    InsufficientLicenses,
    /// More is out with instances than is owned: licenses were moved away, and the instances have not heard of it yet.
    LicensesStillOut,
    /// An instance is not heard of any more.
    InstanceSilent,
    /// Two nodes have one identity, or the state of one was restored.
    ReportsForked,
    /// Reports of an instance are lost.
    ReportsMissing,
    /// The root certificate ends before long.
    RootEnds,
    /// Certificates below the root were to be made anew, and were not.
    NotRenewed,
}

impl AlertKind {
    /// Those that are about an instance.
    pub(crate) const OF_INSTANCES: [Self; 3] = [
        Self::InstanceSilent,
        Self::ReportsForked,
        Self::ReportsMissing,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::InsufficientLicenses => "INSUFFICIENT_LICENSES",
            Self::LicensesStillOut => "LICENSES_STILL_OUT",
            Self::InstanceSilent => "INSTANCE_SILENT",
            Self::ReportsForked => "REPORTS_FORKED",
            Self::ReportsMissing => "REPORTS_MISSING",
            Self::RootEnds => "ROOT_CERTIFICATE_ENDS",
            Self::NotRenewed => "CERTIFICATES_NOT_RENEWED",
        }
    }

    pub(crate) const fn severity(self) -> &'static str {
        match self {
            Self::InsufficientLicenses
            | Self::InstanceSilent
            | Self::ReportsForked
            | Self::RootEnds
            | Self::NotRenewed => "Major",
            Self::LicensesStillOut | Self::ReportsMissing => "Minor",
        }
    }
}

/// An alert to raise.
pub(crate) struct Alert<'a> {
    pub(crate) kind: AlertKind,
    pub(crate) subject: &'a str,
    pub(crate) needed: Option<u64>,
    pub(crate) message: &'a str,
}

/// Writes an event.
pub(crate) async fn event(
    tx: &mut Tx,
    place: Place,
    kind: &str,
    subject: &str,
    message: &str,
    now: Moment,
) -> Result<(), StoreError> {
    store::query(
        "INSERT INTO events (at, calendar, account, va, kind, subject, message)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(now.wall.0)
    .bind(now.date.0)
    .bind(place.account)
    .bind(place.va)
    .bind(kind)
    .bind(subject)
    .bind(message)
    .execute(tx)
    .await?;
    Ok(())
}

/// Raises an alert, or brings one that is outstanding up to date.
pub(crate) async fn raise(
    tx: &mut Tx,
    place: Place,
    alert: &Alert<'_>,
    now: Moment,
) -> Result<(), StoreError> {
    let kind = alert.kind.name();
    let outstanding: Option<(i64, Option<i64>)> = store::query_as(
        "SELECT id, needed FROM alerts WHERE va = $1 AND kind = $2 AND subject = $3 AND cleared IS NULL",
    )
    .bind(place.va)
    .bind(kind)
    .bind(alert.subject)
    .fetch_optional(tx)
    .await?;
    let needed = alert.needed.map(books::number);
    if let Some((id, before)) = outstanding {
        if before != needed {
            store::query("UPDATE alerts SET needed = $1, message = $2 WHERE id = $3")
                .bind(needed)
                .bind(alert.message)
                .bind(id)
                .execute(tx)
                .await?;
        }
        return Ok(());
    }
    store::query(
        "INSERT INTO alerts (account, va, kind, severity, subject, needed, message, raised)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(place.account)
    .bind(place.va)
    .bind(kind)
    .bind(alert.kind.severity())
    .bind(alert.subject)
    .bind(needed)
    .bind(alert.message)
    .bind(now.wall.0)
    .execute(tx)
    .await?;
    event(tx, place, "ALERT_RAISED", alert.subject, alert.message, now).await
}

/// Clears an alert if it is outstanding.
pub(crate) async fn clear(
    tx: &mut Tx,
    place: Place,
    kind: AlertKind,
    subject: &str,
    now: Moment,
) -> Result<(), StoreError> {
    let cleared = store::query(
        "UPDATE alerts SET cleared = $1 WHERE va = $2 AND kind = $3 AND subject = $4 AND cleared IS NULL",
    )
    .bind(now.wall.0)
    .bind(place.va)
    .bind(kind.name())
    .bind(subject)
    .execute(tx)
    .await?;
    if cleared > 0 {
        event(tx, place, "ALERT_CLEARED", subject, kind.name(), now).await?;
    }
    Ok(())
}

/// Raises or clears the alerts of a pool by what is used, out and owned.
pub(crate) async fn judge_pool(
    tx: &mut Tx,
    account: i64,
    key: PoolKey,
    pool: &Pool,
    tags: &Tags,
    now: Moment,
) -> Result<(), StoreError> {
    let (_, name) = tags.name_of(key.tag);
    let (in_use, out) = (pool.in_use, pool.out_beyond(now.date.0));
    let owned = pool.owned(now.date);
    let place = Place {
        account,
        va: key.va,
    };
    let lacking = pool.lacking(now.date);
    let lack = format!(
        "{name}: {in_use} licenses in use, {owned} owned; {lacking} more needed to be in compliance"
    );
    let kind = AlertKind::InsufficientLicenses;
    judge(tx, place, kind, name, (lacking, &lack), now).await?;
    let exceeding = pool.exceeding(now.date);
    let exceed = format!(
        "{name}: {out} licenses are out with instances, {owned} owned; {exceeding} come back when the instances that hold them ask"
    );
    let kind = AlertKind::LicensesStillOut;
    judge(tx, place, kind, name, (exceeding, &exceed), now).await
}

/// Raises an alert of so many licenses, or clears it if there are none.
async fn judge(
    tx: &mut Tx,
    place: Place,
    kind: AlertKind,
    subject: &str,
    (needed, message): (u64, &str),
    now: Moment,
) -> Result<(), StoreError> {
    if needed == 0 {
        return clear(tx, place, kind, subject, now).await;
    }
    let alert = Alert {
        kind,
        subject,
        needed: Some(needed),
        message,
    };
    raise(tx, place, &alert, now).await
}

/// The same for a pool that was not read yet.
pub(crate) async fn judge_key(
    tx: &mut Tx,
    account: i64,
    key: PoolKey,
    tags: &Tags,
    now: Moment,
) -> Result<(), StoreError> {
    let pool = books::pool(tx, key).await?;
    judge_pool(tx, account, key, &pool, tags, now).await
}

/// A change, for the audit log.
pub(crate) struct Change<'a> {
    pub(crate) who: &'a str,
    pub(crate) action: &'a str,
    pub(crate) object: &'a str,
    pub(crate) before: Option<Value>,
    pub(crate) after: Option<Value>,
}

/// Writes down who changed what.
pub(crate) async fn audit(
    tx: &mut Tx,
    place: Place,
    change: Change<'_>,
    now: Moment,
) -> Result<(), StoreError> {
    let text = |value: Option<Value>| value.map(|value| value.to_string());
    store::query(
        "INSERT INTO audit (at, account, va, who, action, object, before, after)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(now.wall.0)
    .bind(place.account)
    .bind(place.va)
    .bind(change.who)
    .bind(change.action)
    .bind(change.object)
    .bind(text(change.before))
    .bind(text(change.after))
    .execute(tx)
    .await?;
    Ok(())
}
