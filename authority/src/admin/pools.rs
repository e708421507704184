//! Pools: what virtual accounts own and use, and how they answer.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::licenses::{Detail, rows, tag_of};
use super::{By, Problem};
use crate::authority::Authority;
use crate::books::{self, PoolKey, count};
use crate::journal::{self, Change, Place};
use crate::moment::Moment;
use crate::pool::Pool;
use crate::store::{self, StoreError, Tx};

/// How a pool answers.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct PoolEdit {
    license: String,
    /// Exact grants, or verdicts alone.
    grants: bool,
}

/// What a virtual account owns and uses of a license.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PoolView {
    pub(crate) license: String,
    pub(crate) tag: String,
    pub(crate) virtual_account: String,
    /// None: as many as are used.
    pub(crate) quantity: Option<u64>,
    pub(crate) in_use: u64,
    /// Out with instances by exact grants.
    pub(crate) granted: u64,
    pub(crate) available: Option<u64>,
    /// Licenses that are missing.
    pub(crate) needed: u64,
    pub(crate) status: &'static str,
    pub(crate) grants: bool,
    pub(crate) license_details: Vec<Detail>,
}

/// Says whether a pool answers with exact grants.
pub(crate) async fn set_grants(
    authority: &Authority,
    tx: &mut Tx,
    place: Place,
    edit: PoolEdit,
    by: By<'_>,
) -> Result<(), Problem> {
    let tag = tag_of(authority, &edit.license)?;
    let key = PoolKey { va: place.va, tag };
    let before = books::pool(tx, key).await?.grants;
    store::query(
        "INSERT INTO pools (va, tag, grants) VALUES ($1, $2, $3)
         ON CONFLICT (va, tag) DO UPDATE SET grants = excluded.grants",
    )
    .bind(key.va)
    .bind(key.tag)
    .bind(i64::from(edit.grants))
    .execute(tx)
    .await?;
    let change = Change {
        who: by.who,
        action: "set-grants",
        object: &edit.license,
        before: Some(json!({ "grants": before })),
        after: Some(json!({ "grants": edit.grants })),
    };
    journal::audit(tx, place, change, by.now).await?;
    Ok(())
}

/// The pools of these virtual accounts, with the names of those.
pub(crate) async fn keys(
    tx: &mut Tx,
    virtual_accounts: Vec<(i64, String)>,
) -> Result<Vec<(PoolKey, Arc<str>)>, StoreError> {
    let mut keys = Vec::new();
    for (va, name) in virtual_accounts {
        let name: Arc<str> = name.into();
        for tag in books::pools_of(tx, va).await? {
            keys.push((PoolKey { va, tag }, Arc::clone(&name)));
        }
    }
    Ok(keys)
}

/// What is owned and used in pools.
pub(crate) async fn pools(
    authority: &Authority,
    tx: &mut Tx,
    keys: &[(PoolKey, Arc<str>)],
    now: Moment,
) -> Result<Vec<PoolView>, StoreError> {
    let mut views = Vec::new();
    for (key, name) in keys {
        let pool = books::pool(tx, *key).await?;
        let rows = rows(tx, *key).await?;
        let (tag, license) = authority.tags.name_of(key.tag);
        let details = rows.iter().map(|row| row.view(now)).collect();
        views.push(view(&pool, (license, tag), name, details, now));
    }
    Ok(views)
}

fn view(
    pool: &Pool,
    (license, tag): (&str, &str),
    virtual_account: &str,
    license_details: Vec<Detail>,
    now: Moment,
) -> PoolView {
    let owned = pool.owned(now.date);
    let counted = (owned < u64::MAX).then_some(owned);
    let needed = pool.lacking(now.date);
    PoolView {
        license: license.to_owned(),
        tag: tag.to_owned(),
        virtual_account: virtual_account.to_owned(),
        quantity: counted,
        in_use: pool.in_use,
        granted: pool.out_beyond(now.date.0),
        available: counted.map(|owned| owned.saturating_sub(pool.in_use)),
        needed,
        status: match needed {
            0 => "In Compliance",
            _ => "Insufficient Licenses",
        },
        grants: pool.grants,
        license_details,
    }
}

/// Licenses in use by an instance, for listings.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Usage {
    pub(crate) license: String,
    pub(crate) quantity: u64,
    pub(crate) granted: Option<u64>,
}

/// What an instance uses.
pub(crate) async fn usage(
    authority: &Authority,
    tx: &mut Tx,
    instance: i64,
) -> Result<Vec<Usage>, StoreError> {
    let rows: Vec<(i64, i64, Option<i64>)> = store::query_as(
        "SELECT tag, in_use, granted FROM demands WHERE instance = $1 ORDER BY tag",
    )
    .bind(instance)
    .fetch_all(tx)
    .await?;
    let usage = rows.into_iter().map(|(tag, in_use, granted)| Usage {
        license: authority.tags.name_of(tag).1.to_owned(),
        quantity: count(in_use),
        granted: granted.map(count),
    });
    Ok(usage.collect())
}
