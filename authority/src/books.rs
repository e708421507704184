//! The books: pools and demands in the store. Whatever the size of a pool, each of these is a few rows found by their key.

use std::collections::HashMap;

use licensing::Wall;

use crate::pool::{Demand, Lot, NEVER, Out, Pool};
use crate::store::{self, StoreError, Tx};

/// Most entries of licenses that a pool may have; entries of the same terms are one.
pub(crate) const LOTS_MAX: i64 = 256;

/// A virtual account's pool of a tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct PoolKey {
    pub(crate) va: i64,
    pub(crate) tag: i64,
}

/// A pool as it stands on the books.
pub(crate) async fn pool(tx: &mut Tx, key: PoolKey) -> Result<Pool, StoreError> {
    let row: Option<(bool, i64, i64)> =
        store::query_as("SELECT grants, in_use, requested FROM pools WHERE va = $1 AND tag = $2")
            .bind(key.va)
            .bind(key.tag)
            .fetch_optional(tx)
            .await?;
    let (grants, in_use, requested) = row.unwrap_or((true, 0, 0));
    let out: Vec<(i64, i64)> =
        store::query_as("SELECT ends, licenses FROM outstanding WHERE va = $1 AND tag = $2")
            .bind(key.va)
            .bind(key.tag)
            .fetch_all(tx)
            .await?;
    let out = out.into_iter().map(|(ends, licenses)| Out {
        ends,
        licenses: count(licenses),
    });
    Ok(Pool {
        grants,
        in_use: count(in_use),
        requested: count(requested),
        lots: lots(tx, key).await?,
        out: out.collect(),
    })
}

async fn lots(tx: &mut Tx, key: PoolKey) -> Result<Vec<Lot>, StoreError> {
    let rows: Vec<(i64, i64, Option<i64>, String)> = store::query_as(
        "SELECT quantity, starts, ends, billing FROM licenses WHERE va = $1 AND tag = $2",
    )
    .bind(key.va)
    .bind(key.tag)
    .fetch_all(tx)
    .await?;
    let lot = |(quantity, starts, ends, billing): (i64, i64, Option<i64>, String)| Lot {
        quantity: count(quantity),
        starts,
        ends: ends.unwrap_or(NEVER),
        by_use: billing == "USAGE",
    };
    Ok(rows.into_iter().map(lot).collect())
}

/// All demands of an instance, by tag.
pub(crate) async fn demands(
    tx: &mut Tx,
    instance: i64,
) -> Result<HashMap<i64, Demand>, StoreError> {
    let rows: Vec<(i64, i64, i64, Option<i64>, i64, i64)> = store::query_as(
        "SELECT tag, in_use, requested, granted, out, ends FROM demands WHERE instance = $1",
    )
    .bind(instance)
    .fetch_all(tx)
    .await?;
    let demand = |(tag, in_use, requested, granted, out, ends)| {
        let demand = Demand {
            in_use: count(in_use),
            requested: count(requested),
            granted: Option::map(granted, count),
            out: Out {
                ends,
                licenses: count(out),
            },
        };
        (tag, demand)
    };
    Ok(rows.into_iter().map(demand).collect())
}

/// Puts a demand in place of another, and the sums with it.
pub(crate) async fn put(
    tx: &mut Tx,
    instance: i64,
    key: PoolKey,
    before: Demand,
    after: Demand,
) -> Result<(), StoreError> {
    if before == after {
        return Ok(());
    }
    store::query(
        "INSERT INTO demands (instance, tag, in_use, requested, granted, out, ends)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (instance, tag) DO UPDATE SET in_use = excluded.in_use,
            requested = excluded.requested, granted = excluded.granted, out = excluded.out, ends = excluded.ends",
    )
    .bind(instance)
    .bind(key.tag)
    .bind(number(after.in_use))
    .bind(number(after.requested))
    .bind(after.granted.map(number))
    .bind(number(after.out.licenses))
    .bind(after.out.ends)
    .execute(tx)
    .await?;
    move_sums(tx, key, before, after).await
}

/// The sums of a pool, moved from what a demand was to what it is.
async fn move_sums(
    tx: &mut Tx,
    key: PoolKey,
    before: Demand,
    after: Demand,
) -> Result<(), StoreError> {
    let in_use = number(after.in_use) - number(before.in_use);
    let requested = number(after.requested) - number(before.requested);
    if (in_use, requested) != (0, 0) {
        store::query(
            "INSERT INTO pools (va, tag, in_use, requested) VALUES ($1, $2, $3, $4)
             ON CONFLICT (va, tag) DO UPDATE SET in_use = pools.in_use + excluded.in_use,
                requested = pools.requested + excluded.requested",
        )
        .bind(key.va)
        .bind(key.tag)
        .bind(in_use)
        .bind(requested)
        .execute(tx)
        .await?;
    }
    if before.out != after.out {
        add_out(tx, key, before.out.ends, -number(before.out.licenses)).await?;
        add_out(tx, key, after.out.ends, number(after.out.licenses)).await?;
    }
    Ok(())
}

async fn add_out(tx: &mut Tx, key: PoolKey, ends: i64, more: i64) -> Result<(), StoreError> {
    if more == 0 {
        return Ok(());
    }
    let left: i64 = store::query_scalar(
        "INSERT INTO outstanding (va, tag, ends, licenses) VALUES ($1, $2, $3, $4)
         ON CONFLICT (va, tag, ends) DO UPDATE SET licenses = outstanding.licenses + excluded.licenses
         RETURNING licenses",
    )
    .bind(key.va)
    .bind(key.tag)
    .bind(ends)
    .bind(more)
    .fetch_one(tx)
    .await?;
    if left == 0 {
        store::query("DELETE FROM outstanding WHERE va = $1 AND tag = $2 AND ends = $3")
            .bind(key.va)
            .bind(key.tag)
            .bind(ends)
            .execute(tx)
            .await?;
    }
    Ok(())
}

/// Takes all that an instance uses and holds off the books of a virtual account; returns it by tag.
pub(crate) async fn take_off(
    tx: &mut Tx,
    instance: i64,
    va: i64,
) -> Result<HashMap<i64, Demand>, StoreError> {
    let demands = demands(tx, instance).await?;
    for (tag, demand) in &demands {
        let key = PoolKey { va, tag: *tag };
        move_sums(tx, key, *demand, Demand::NONE).await?;
    }
    store::query("DELETE FROM demands WHERE instance = $1")
        .bind(instance)
        .execute(tx)
        .await?;
    Ok(demands)
}

/// Whether any license of a tag was ever entered or used in a virtual account.
pub(crate) async fn pools_of(tx: &mut Tx, va: i64) -> Result<Vec<i64>, StoreError> {
    let tags = store::query_scalar(
        "SELECT tag FROM pools WHERE va = $1 UNION SELECT tag FROM licenses WHERE va = $1 ORDER BY 1",
    )
    .bind(va)
    .fetch_all(tx)
    .await?;
    Ok(tags)
}

/// Pools whose licenses began or ended after one date, and not after another.
pub(crate) async fn turned(
    tx: &mut Tx,
    after: Wall,
    until: Wall,
) -> Result<Vec<PoolKey>, StoreError> {
    let rows: Vec<(i64, i64)> = store::query_as(
        "SELECT va, tag FROM licenses WHERE ends > $1 AND ends <= $2
         UNION SELECT va, tag FROM licenses WHERE starts > $1 AND starts <= $2",
    )
    .bind(after.0)
    .bind(until.0)
    .fetch_all(tx)
    .await?;
    Ok(rows
        .into_iter()
        .map(|(va, tag)| PoolKey { va, tag })
        .collect())
}

/// A count of the store; none is negative.
pub(crate) fn count(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// A count as the store takes it.
pub(crate) fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
