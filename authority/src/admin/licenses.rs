//! Licenses: entered, changed, and moved between virtual accounts.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::transfers::{self, Moved};
use super::{By, Problem, check_description, invalid, not_found, parse_date, text_of};
use crate::authority::Authority;
use crate::books::{LOTS_MAX, PoolKey, number};
use crate::journal::{self, Change, Place};
use crate::moment::Moment;
use crate::store::{self, StoreError, Tx};

/// Most licenses of one entry.
const QUANTITY_MAX: u32 = 100_000_000;
/// Most items of one transfer, as the vendor has it.
const TRANSFERS_MAX: usize = 998;

/// How long licenses are good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum LicenseType {
    /// For good.
    Perpetual,
    /// From a date to a date.
    Term,
}

/// How licenses are paid.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Billing {
    /// So many, before they are used.
    #[default]
    Prepaid,
    /// As many as are used, after it.
    Usage,
}

impl LicenseType {
    const fn name(self) -> &'static str {
        match self {
            Self::Perpetual => "PERPETUAL",
            Self::Term => "TERM",
        }
    }
}

impl Billing {
    const fn name(self) -> &'static str {
        match self {
            Self::Prepaid => "PREPAID",
            Self::Usage => "USAGE",
        }
    }
}

/// Licenses to enter.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct NewLicenses {
    /// The tag, or its short name.
    license: String,
    quantity: u32,
    license_type: LicenseType,
    start_date: Option<String>,
    end_date: Option<String>,
    #[serde(default)]
    subscription_id: String,
    #[serde(default)]
    billing_type: Billing,
}

/// Another quantity of an entry.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct QuantityEdit {
    quantity: u32,
}

/// Licenses to move.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Transfer {
    pub(crate) licenses: Vec<TransferItem>,
}

/// See [`Transfer`].
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct TransferItem {
    license: String,
    license_type: Option<LicenseType>,
    quantity: u32,
    pub(crate) target_virtual_account: String,
}

/// An entry of licenses of the same terms.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Detail {
    pub(crate) id: i64,
    pub(crate) license_type: String,
    pub(crate) quantity: i64,
    pub(crate) start_date: String,
    pub(crate) end_date: Option<String>,
    pub(crate) subscription_id: String,
    pub(crate) billing_type: String,
    pub(crate) status: &'static str,
}

/// A row of `licenses`.
#[derive(Clone, Debug)]
pub(super) struct Row {
    id: i64,
    va: i64,
    tag: i64,
    quantity: i64,
    license_type: String,
    starts: i64,
    ends: Option<i64>,
    subscription: String,
    billing: String,
}

type RowTuple = (i64, i64, i64, i64, String, i64, Option<i64>, String, String);

impl Row {
    fn of(row: RowTuple) -> Self {
        let (id, va, tag, quantity, license_type, starts, ends, subscription, billing) = row;
        Self {
            id,
            va,
            tag,
            quantity,
            license_type,
            starts,
            ends,
            subscription,
            billing,
        }
    }

    fn key(&self) -> PoolKey {
        PoolKey {
            va: self.va,
            tag: self.tag,
        }
    }

    pub(super) fn view(&self, now: Moment) -> Detail {
        let status = match self.ends {
            Some(ends) if ends <= now.date.0 => "EXPIRED",
            Some(_) | None if self.starts > now.date.0 => "FUTURE",
            Some(_) | None => "ACTIVE",
        };
        Detail {
            id: self.id,
            license_type: self.license_type.clone(),
            quantity: self.quantity,
            start_date: text_of(self.starts),
            end_date: self.ends.map(text_of),
            subscription_id: self.subscription.clone(),
            billing_type: self.billing.clone(),
            status,
        }
    }
}

/// Enters licenses into a virtual account; entries of the same terms are one.
pub(crate) async fn add(
    authority: &Authority,
    tx: &mut Tx,
    place: Place,
    new: NewLicenses,
    by: By<'_>,
) -> Result<Detail, Problem> {
    let tag = tag_of(authority, &new.license)?;
    check_quantity(new.quantity)?;
    check_description(&new.subscription_id)?;
    let date = |text: &Option<String>| text.as_deref().map(parse_date).transpose();
    let starts = date(&new.start_date)?.map_or(by.now.date.0, |date| date.0);
    let ends = date(&new.end_date)?.map(|date| date.0);
    match (new.license_type, ends) {
        (LicenseType::Term, Some(ends)) if ends > starts => {}
        (LicenseType::Perpetual, None) => {}
        (LicenseType::Term, Some(_)) => return invalid("endDate is to be later than startDate"),
        (LicenseType::Term, None) => return invalid("a term has an endDate"),
        (LicenseType::Perpetual, Some(_)) => return invalid("a perpetual license has no endDate"),
    }
    let row = Row {
        id: 0,
        va: place.va,
        tag,
        quantity: i64::from(new.quantity),
        license_type: new.license_type.name().into(),
        starts,
        ends,
        subscription: new.subscription_id,
        billing: new.billing_type.name().into(),
    };
    let row = put(tx, row, by.now).await?;
    let after = row.view(by.now);
    let change = Change {
        who: by.who,
        action: "add-licenses",
        object: &new.license,
        before: None,
        after: Some(json!({ "added": new.quantity, "entry": after })),
    };
    journal::audit(tx, place, change, by.now).await?;
    let (_, name) = authority.tags.name_of(tag);
    let message = format!("{} licenses of {name} entered", new.quantity);
    journal::event(tx, place, "LICENSES_ADDED", name, &message, by.now).await?;
    journal::judge_key(tx, place.account, row.key(), &authority.tags, by.now).await?;
    Ok(after)
}

pub(super) fn tag_of(authority: &Authority, license: &str) -> Result<i64, Problem> {
    match authority.tags.named(license) {
        Some((_, sold)) => Ok(sold.id),
        None => not_found(format!("license {license:?} in the catalog")),
    }
}

fn check_quantity(quantity: u32) -> Result<(), Problem> {
    if !(1..=QUANTITY_MAX).contains(&quantity) {
        return invalid(format!("a quantity is 1 to {QUANTITY_MAX}"));
    }
    Ok(())
}

/// Adds a row, or its quantity to that of the row of the same terms.
async fn put(tx: &mut Tx, row: Row, now: Moment) -> Result<Row, Problem> {
    let held = rows(tx, row.key()).await?;
    let alike = |held: &&Row| {
        held.starts == row.starts
            && held.ends == row.ends
            && held.license_type == row.license_type
            && held.subscription == row.subscription
            && held.billing == row.billing
    };
    if let Some(held) = held.iter().find(alike) {
        let quantity = held.quantity.saturating_add(row.quantity);
        set_quantity(tx, held.id, quantity).await?;
        return Ok(Row {
            quantity,
            ..held.clone()
        });
    }
    if number(held.len() as u64) >= LOTS_MAX {
        return Err(Problem::Conflict(format!(
            "a pool has at most {LOTS_MAX} entries of different terms"
        )));
    }
    let id = store::query_scalar(
        "INSERT INTO licenses (va, tag, quantity, license_type, starts, ends, subscription, billing, created)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING id",
    )
    .bind(row.va)
    .bind(row.tag)
    .bind(row.quantity)
    .bind(&row.license_type)
    .bind(row.starts)
    .bind(row.ends)
    .bind(&row.subscription)
    .bind(&row.billing)
    .bind(now.wall.0)
    .fetch_one(tx)
    .await?;
    Ok(Row { id, ..row })
}

async fn set_quantity(tx: &mut Tx, id: i64, quantity: i64) -> Result<(), StoreError> {
    let sql = match quantity {
        0 => "DELETE FROM licenses WHERE id = $1",
        _ => "UPDATE licenses SET quantity = $2 WHERE id = $1",
    };
    let statement = store::query(sql).bind(id);
    let statement = match quantity {
        0 => statement,
        quantity => statement.bind(quantity),
    };
    statement.execute(tx).await?;
    Ok(())
}

/// The rows of a pool, those that last longest first.
pub(super) async fn rows(tx: &mut Tx, key: PoolKey) -> Result<Vec<Row>, StoreError> {
    let rows: Vec<RowTuple> = store::query_as(
        "SELECT id, va, tag, quantity, license_type, starts, ends, subscription, billing
         FROM licenses WHERE va = $1 AND tag = $2 ORDER BY ends IS NULL DESC, ends DESC, id",
    )
    .bind(key.va)
    .bind(key.tag)
    .fetch_all(tx)
    .await?;
    Ok(rows.into_iter().map(Row::of).collect())
}

async fn row(tx: &mut Tx, va: i64, id: i64) -> Result<Row, Problem> {
    let row: Option<RowTuple> = store::query_as(
        "SELECT id, va, tag, quantity, license_type, starts, ends, subscription, billing
         FROM licenses WHERE id = $1 AND va = $2",
    )
    .bind(id)
    .bind(va)
    .fetch_optional(tx)
    .await?;
    match row {
        Some(row) => Ok(Row::of(row)),
        None => not_found("entry of licenses of this number"),
    }
}

/// Changes the quantity of an entry; none: removes it.
pub(crate) async fn edit(
    authority: &Authority,
    tx: &mut Tx,
    place: Place,
    id: i64,
    edit: Option<QuantityEdit>,
    by: By<'_>,
) -> Result<Option<Detail>, Problem> {
    let before = row(tx, place.va, id).await?;
    let quantity = match edit {
        Some(edit) => {
            check_quantity(edit.quantity)?;
            i64::from(edit.quantity)
        }
        None => 0,
    };
    set_quantity(tx, id, quantity).await?;
    let after = Row {
        quantity,
        ..before.clone()
    };
    let after = (quantity > 0).then(|| after.view(by.now));
    let (_, name) = authority.tags.name_of(before.tag);
    let change = Change {
        who: by.who,
        action: if quantity > 0 {
            "edit-licenses"
        } else {
            "remove-licenses"
        },
        object: name,
        before: Some(json!(before.view(by.now))),
        after: after.as_ref().map(|after| json!(after)),
    };
    journal::audit(tx, place, change, by.now).await?;
    journal::judge_key(tx, place.account, before.key(), &authority.tags, by.now).await?;
    Ok(after)
}

/// Moves licenses to other virtual accounts of the same Smart Account: all of the items or none. `targets` are theirs, in
/// the order of the items.
pub(crate) async fn transfer(
    authority: &Authority,
    tx: &mut Tx,
    place: Place,
    items: &[(TransferItem, i64)],
    by: By<'_>,
) -> Result<(), Problem> {
    if items.is_empty() || items.len() > TRANSFERS_MAX {
        return invalid(format!("a transfer has 1 to {TRANSFERS_MAX} items"));
    }
    for (item, target) in items {
        if *target == place.va {
            return invalid("licenses move to another virtual account");
        }
        check_quantity(item.quantity)?;
        let tag = tag_of(authority, &item.license)?;
        let key = PoolKey { va: place.va, tag };
        move_licenses(tx, key, *target, item, by.now).await?;
        let (_, name) = authority.tags.name_of(tag);
        let moved = Moved::Licenses(name, i64::from(item.quantity));
        transfers::note(tx, place, *target, moved, by).await?;
        for va in [place.va, *target] {
            let key = PoolKey { va, tag };
            journal::judge_key(tx, place.account, key, &authority.tags, by.now).await?;
        }
        let moved = json!({
            "quantity": item.quantity,
            "to": item.target_virtual_account,
        });
        let change = Change {
            who: by.who,
            action: "transfer-licenses",
            object: &item.license,
            before: None,
            after: Some(moved),
        };
        journal::audit(tx, place, change, by.now).await?;
        let message = format!(
            "{} licenses of {} moved to {}",
            item.quantity, item.license, item.target_virtual_account
        );
        let kind = "LICENSES_TRANSFERRED";
        journal::event(tx, place, kind, &item.license, &message, by.now).await?;
    }
    Ok(())
}

async fn move_licenses(
    tx: &mut Tx,
    key: PoolKey,
    target: i64,
    item: &TransferItem,
    now: Moment,
) -> Result<(), Problem> {
    let mut left = i64::from(item.quantity);
    for row in rows(tx, key).await? {
        let of_type = item
            .license_type
            .is_none_or(|kind| kind.name() == row.license_type);
        let over = row.ends.is_some_and(|ends| ends <= now.date.0);
        if left == 0 || over || !of_type {
            continue;
        }
        let moved = left.min(row.quantity);
        left -= moved;
        set_quantity(tx, row.id, row.quantity - moved).await?;
        let row = Row {
            va: target,
            quantity: moved,
            ..row
        };
        put(tx, row, now).await?;
    }
    if left > 0 {
        return Err(Problem::Conflict(format!(
            "there are {} licenses of {} to move, not {}; nothing was moved",
            i64::from(item.quantity) - left,
            item.license,
            item.quantity
        )));
    }
    Ok(())
}
