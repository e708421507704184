//! Alerts, events and the audit log, as people read them.

use serde::Serialize;
use serde_json::Value;

use super::text_of;
use crate::journal::Place;
use crate::store::{self, StoreError, Tx};

/// Which records are listed: newest first, those before this one (0: from the newest), at most so many.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Before {
    pub(crate) id: i64,
    pub(crate) limit: i64,
}

impl Before {
    pub(super) fn below(self) -> i64 {
        match self.id {
            0 => i64::MAX,
            id => id,
        }
    }
}

/// An alert.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AlertView {
    pub(crate) id: i64,
    pub(crate) severity: String,
    pub(crate) message_type: String,
    pub(crate) source: String,
    pub(crate) virtual_account: Option<String>,
    pub(crate) message: String,
    /// Licenses that are missing.
    pub(crate) needed: Option<i64>,
    pub(crate) raised_at: String,
    pub(crate) cleared_at: Option<String>,
}

/// An event.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EventView {
    pub(crate) id: i64,
    pub(crate) at: String,
    /// By the calendar of licenses.
    pub(crate) date: String,
    pub(crate) virtual_account: Option<String>,
    pub(crate) kind: String,
    pub(crate) subject: String,
    pub(crate) message: String,
}

/// A change.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AuditView {
    pub(crate) id: i64,
    pub(crate) at: String,
    pub(crate) virtual_account: Option<String>,
    pub(crate) who: String,
    pub(crate) action: String,
    pub(crate) object: String,
    pub(crate) before: Option<Value>,
    pub(crate) after: Option<Value>,
}

type AlertRow = (
    i64,
    String,
    String,
    String,
    Option<String>,
    String,
    Option<i64>,
    i64,
    Option<i64>,
);

/// Alerts; `all`: those that have cleared, too.
pub(crate) async fn alerts(
    tx: &mut Tx,
    place: Place,
    all: bool,
    before: Before,
) -> Result<Vec<AlertView>, StoreError> {
    let rows: Vec<AlertRow> = store::query_as(
        "SELECT x.id, severity, kind, subject, v.name, message, needed, raised, cleared
         FROM alerts x LEFT JOIN virtual_accounts v ON v.id = x.va
         WHERE x.account = $1 AND ($2 = 0 OR x.va = $2) AND ($3 OR cleared IS NULL) AND x.id < $4
         ORDER BY x.id DESC LIMIT $5",
    )
    .bind(place.account)
    .bind(place.va)
    .bind(all)
    .bind(before.below())
    .bind(before.limit)
    .fetch_all(tx)
    .await?;
    let view =
        |(id, severity, message_type, source, va, message, needed, raised, cleared)| AlertView {
            id,
            severity,
            message_type,
            source,
            virtual_account: va,
            message,
            needed,
            raised_at: text_of(raised),
            cleared_at: Option::map(cleared, text_of),
        };
    Ok(rows.into_iter().map(view).collect())
}

type EventRow = (i64, i64, i64, Option<String>, String, String, String);

/// Events.
pub(crate) async fn events(
    tx: &mut Tx,
    place: Place,
    before: Before,
) -> Result<Vec<EventView>, StoreError> {
    let rows: Vec<EventRow> = store::query_as(
        "SELECT x.id, at, calendar, v.name, kind, subject, message
         FROM events x LEFT JOIN virtual_accounts v ON v.id = x.va
         WHERE x.account = $1 AND ($2 = 0 OR x.va = $2) AND x.id < $3
         ORDER BY x.id DESC LIMIT $4",
    )
    .bind(place.account)
    .bind(place.va)
    .bind(before.below())
    .bind(before.limit)
    .fetch_all(tx)
    .await?;
    let view = |(id, at, date, virtual_account, kind, subject, message)| EventView {
        id,
        at: text_of(at),
        date: text_of(date),
        virtual_account,
        kind,
        subject,
        message,
    };
    Ok(rows.into_iter().map(view).collect())
}

type AuditRow = (
    i64,
    i64,
    Option<String>,
    String,
    String,
    String,
    Option<String>,
    Option<String>,
);

/// Changes.
pub(crate) async fn audit(
    tx: &mut Tx,
    place: Place,
    before: Before,
) -> Result<Vec<AuditView>, StoreError> {
    let rows: Vec<AuditRow> = store::query_as(
        "SELECT x.id, at, v.name, who, action, object, before, after
         FROM audit x LEFT JOIN virtual_accounts v ON v.id = x.va
         WHERE x.account = $1 AND ($2 = 0 OR x.va = $2) AND x.id < $3
         ORDER BY x.id DESC LIMIT $4",
    )
    .bind(place.account)
    .bind(place.va)
    .bind(before.below())
    .bind(before.limit)
    .fetch_all(tx)
    .await?;
    let json = |text: Option<String>| text.and_then(|text| serde_json::from_str(&text).ok());
    let view = |(id, at, virtual_account, who, action, object, before, after)| AuditView {
        id,
        at: text_of(at),
        virtual_account,
        who,
        action,
        object,
        before: json(before),
        after: json(after),
    };
    Ok(rows.into_iter().map(view).collect())
}

type UsageRow = (i64, String, String, String, String, String, i64, i64, i64);

/// What an instance used of a tag.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UsageView {
    pub(crate) product_instance_identifier: String,
    pub(crate) display_name: String,
    pub(crate) virtual_account: String,
    pub(crate) tag: String,
    pub(crate) reports: i64,
    /// Licenses, times the hours for which they were in use.
    pub(crate) license_hours: f64,
    pub(crate) peak: i64,
}

/// Usage by instance and tag: those after this instance, all of theirs.
pub(crate) async fn usage(
    tx: &mut Tx,
    place: Place,
    after: i64,
    instances: i64,
) -> Result<(Vec<UsageView>, Option<i64>), StoreError> {
    let rows: Vec<UsageRow> = store::query_as(
        "SELECT i.id, i.piid, i.udi_pid, i.udi_sn, v.name, s.tag, s.reports, s.license_ms, s.peak
         FROM (SELECT id, piid, udi_pid, udi_sn FROM instances
               WHERE account = $1 AND id > $3 ORDER BY id LIMIT $4) i
         JOIN usage_sums s ON s.instance = i.id JOIN virtual_accounts v ON v.id = s.va
         WHERE $2 = 0 OR s.va = $2 ORDER BY i.id, s.va, s.tag",
    )
    .bind(place.account)
    .bind(place.va)
    .bind(after)
    .bind(instances)
    .fetch_all(tx)
    .await?;
    let last: Option<i64> = store::query_scalar(
        "SELECT max(id) FROM (SELECT id FROM instances WHERE account = $1 AND id > $2 ORDER BY id LIMIT $3) x",
    )
    .bind(place.account)
    .bind(after)
    .bind(instances)
    .fetch_one(tx)
    .await?;
    #[expect(
        clippy::cast_precision_loss,
        reason = "hours for people; the exact sum is in the store"
    )]
    let hours = |ms: i64| ms as f64 / 3_600_000.0;
    let view = |(_, piid, pid, sn, virtual_account, tag, reports, ms, peak): UsageRow| UsageView {
        product_instance_identifier: piid,
        display_name: format!("UDI_PID:{pid}; UDI_SN:{sn};"),
        virtual_account,
        tag,
        reports,
        license_hours: hours(ms),
        peak,
    };
    Ok((rows.into_iter().map(view).collect(), last))
}
