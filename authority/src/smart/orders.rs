//! Orders of an instance: written anew when they change, and sent with its answers until it says that it has them
//! (rule L2).

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use api::smart::{CatalogOrder, Header, InstanceId, Order, OrderKind, Orders, OrdersHeld, Version};
use licensing::{Tag, Wall};

use super::Refusal;
use crate::authority::Authority;
use crate::books::{count, number};
use crate::instances::Instance;
use crate::journal;
use crate::moment::Moment;
use crate::secret;
use crate::store::{self, StoreError, Tx};

/// The number in the store that a catalog has in place of a tag's.
pub(crate) const CATALOG: i64 = 0;

/// What is ordered for an instance.
struct Open {
    orders: Vec<Order>,
    catalog: Option<OpenCatalog>,
}

/// A catalog that is ordered, without its text.
struct OpenCatalog {
    id: i64,
    sha256: String,
    not_after: Option<Wall>,
}

impl Open {
    /// What tells it from what was ordered before.
    fn digest(&self) -> Result<String, StoreError> {
        let catalog = self.catalog.as_ref();
        let catalog = catalog.map(|catalog| (&catalog.sha256, catalog.not_after));
        let all = json(&(&self.orders, catalog))?;
        Ok(secret::digest(all.as_bytes()).to_string())
    }
}

/// A row of what is ordered.
type Row = (i64, i64, i64, String, String, Option<i64>);

/// What the last text says, and what the instance says of it. The text itself is made again from what is ordered, which has
/// this digest, and is the same to the octet.
struct Written {
    serial: i64,
    digest: String,
    issued: i64,
    held: i64,
    refused: Option<String>,
    set_aside: Option<String>,
}

/// The text of orders that the instance is to get with this answer; none: it has them.
pub(super) async fn due(
    authority: &Authority,
    tx: &mut Tx,
    instance: &Instance,
    header: &Header,
    now: Moment,
) -> Result<Option<String>, Refusal> {
    let Some(held) = &header.orders else {
        return Ok(None);
    };
    let orders = open(authority, tx, instance, now).await?;
    let before = written(tx, instance.id).await?;
    let none = orders.orders.is_empty() && orders.catalog.is_none();
    if none && before.is_none() && held.serial == 0 {
        return Ok(None);
    }
    let digest = orders.digest()?;
    let has = number(held.serial);
    let stands = |before: &Written| before.digest == digest && before.serial >= has;
    let (serial, issued) = match before {
        Some(before) if stands(&before) => {
            hear(tx, instance, &before, held, now).await?;
            (before.serial, Wall(before.issued))
        }
        before => {
            let serial = before
                .map_or(0, |before| before.serial)
                .max(has)
                .saturating_add(1);
            write(tx, instance.id, (serial, digest, now.date), held).await?;
            (serial, now.date)
        }
    };
    if serial == has {
        return Ok(None);
    }
    let text = text(authority, tx, instance, orders, (serial, issued)).await?;
    Ok(Some(text))
}

/// What is ordered for an instance now: its own orders before those of its virtual account.
async fn open(
    authority: &Authority,
    tx: &mut Tx,
    instance: &Instance,
    now: Moment,
) -> Result<Open, Refusal> {
    let rows: Vec<Row> = store::query_as(
        "SELECT id, instance, tag, kind, what, ends FROM orders WHERE va = $1
         UNION ALL SELECT id, instance, tag, kind, what, ends FROM orders WHERE instance = $2",
    )
    .bind(instance.place.va)
    .bind(instance.id)
    .fetch_all(tx)
    .await?;
    let mut catalog: Option<(i64, OpenCatalog)> = None;
    let mut chosen: BTreeMap<(String, String), (i64, Order)> = BTreeMap::new();
    for (id, of, tag, kind, what, ends) in rows {
        let ended = ends.is_some_and(|ends| ends <= now.date.0);
        if tag == CATALOG {
            let order = OpenCatalog {
                id,
                sha256: what,
                not_after: ends.map(Wall),
            };
            if !ended && catalog.as_ref().is_none_or(|(before, _)| *before < of) {
                catalog = Some((of, order));
            }
            continue;
        }
        let (tag, _) = authority.tags.name_of(tag);
        let (false, Ok(tag)) = (ended, Tag::new(tag)) else {
            continue;
        };
        let order = Order {
            tag,
            not_after: ends.map(Wall),
            what: read_kind(&what)?,
        };
        let subject = (order.tag.as_str().to_owned(), kind);
        match chosen.get(&subject) {
            Some((before, _)) if *before >= of => {}
            Some(_) | None => drop(chosen.insert(subject, (of, order))),
        }
    }
    Ok(Open {
        orders: chosen.into_values().map(|(_, order)| order).collect(),
        catalog: catalog.map(|(_, order)| order),
    })
}

pub(crate) fn read_kind(what: &str) -> Result<OrderKind, StoreError> {
    serde_json::from_str(what).map_err(|error| StoreError::Value(format!("an order: {error}")))
}

fn json<T: serde::Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Value(error.to_string()))
}

/// A row of what was written: the fields of [`Written`].
type WrittenRow = (i64, String, i64, i64, Option<String>, Option<String>);

async fn written(tx: &mut Tx, instance: i64) -> Result<Option<Written>, StoreError> {
    let row: Option<WrittenRow> = store::query_as(
        "SELECT serial, digest, issued, held, refused, set_aside FROM instance_orders
         WHERE instance = $1",
    )
    .bind(instance)
    .fetch_optional(tx)
    .await?;
    let written = |(serial, digest, issued, held, refused, set_aside)| Written {
        serial,
        digest,
        issued,
        held,
        refused,
        set_aside,
    };
    Ok(row.map(written))
}

/// The instance says what it has, why it has not what was sent, and what of it has no effect.
async fn hear(
    tx: &mut Tx,
    instance: &Instance,
    before: &Written,
    held: &OrdersHeld,
    now: Moment,
) -> Result<(), StoreError> {
    let has = number(held.serial);
    let mut refused = held.refused.as_deref().map(printable);
    let mut set_aside = held.set_aside.as_deref().map(printable);
    // A node that does not know `setAside` says so as a refusal of what it has.
    let of_old = |why: &mut String| has == before.serial && why.starts_with("set aside: ");
    if let Some(why) = refused.take_if(of_old) {
        set_aside.get_or_insert(why);
    }
    let newly_refused = before.refused != refused;
    let newly_applied = before.held != has || before.set_aside != set_aside;
    if !newly_refused && !newly_applied {
        return Ok(());
    }
    store::query(
        "UPDATE instance_orders SET held = $1, refused = $2, set_aside = $3 WHERE instance = $4",
    )
    .bind(has)
    .bind(refused.clone())
    .bind(set_aside.clone())
    .bind(instance.id)
    .execute(tx)
    .await?;
    let refused = refused.filter(|_| newly_refused);
    let refused = refused.map(|why| ("ORDERS_REFUSED", why));
    let applied = newly_applied.then(|| match set_aside {
        Some(what) => ("ORDERS_PARTLY_APPLIED", what),
        None => ("ORDERS_APPLIED", format!("serial number {has}")),
    });
    for (kind, message) in refused.into_iter().chain(applied) {
        journal::event(tx, instance.place, kind, &instance.piid, &message, now).await?;
    }
    Ok(())
}

fn printable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}

/// Another text is written, with a higher serial number than any before it.
async fn write(
    tx: &mut Tx,
    instance: i64,
    (serial, digest, issued): (i64, String, Wall),
    held: &OrdersHeld,
) -> Result<(), StoreError> {
    store::query(
        "INSERT INTO instance_orders (instance, serial, digest, issued, held, refused, set_aside)
         VALUES ($1, $2, $3, $4, $5, NULL, NULL)
         ON CONFLICT (instance) DO UPDATE SET serial = excluded.serial, digest = excluded.digest,
            issued = excluded.issued, held = excluded.held, refused = excluded.refused,
            set_aside = excluded.set_aside",
    )
    .bind(instance)
    .bind(serial)
    .bind(digest)
    .bind(issued.0)
    .bind(number(held.serial))
    .execute(tx)
    .await?;
    Ok(())
}

/// The text of this serial number, which was written at this date.
async fn text(
    authority: &Authority,
    tx: &mut Tx,
    instance: &Instance,
    open: Open,
    (serial, issued): (i64, Wall),
) -> Result<String, Refusal> {
    let Ok(id) = InstanceId::new(instance.piid.clone()) else {
        return Err(StoreError::Value(instance.piid.clone()).into());
    };
    let catalog = match open.catalog {
        None => None,
        Some(OpenCatalog { id, not_after, .. }) => {
            let text = store::query_scalar("SELECT text FROM ordered_catalogs WHERE id = $1");
            let text = text.bind(id).fetch_one(tx).await?;
            Some(CatalogOrder { text, not_after })
        }
    };
    let text = json(&Orders {
        version: Version,
        serial: count(serial),
        product_instance_identifier: id,
        issued,
        lab: authority.speedup.is_some(),
        orders: open.orders,
        catalog,
    })?;
    Ok(text)
}
