//! Orders: what nodes do that their own configuration can't make them do (rule L2).

use api::smart::{CATALOG_BYTES_MAX, ORDER_SPAN_MS, OrderKind};
use licensing::{Catalog, OnOoc, OocRule, Shadow};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{By, Problem, invalid, not_found, parse_date, text_of};
use crate::authority::Authority;
use crate::instances::Instance;
use crate::journal::{self, Change, Place};
use crate::secret;
use crate::smart::{CATALOG, read_kind};
use crate::store::{self, StoreError, Tx};

/// Longest grace that is ordered, in days.
const GRACE_DAYS_MAX: u16 = 366;
/// Most orders that are listed, newest first.
const LISTED: i64 = 1_000;

/// An order to issue.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct NewOrder {
    kind: Kind,
    #[serde(default)]
    license: Option<String>,
    /// The text of a catalog.
    #[serde(default)]
    catalog: Option<String>,
    /// The instance that it is for; none: all of the virtual account.
    #[serde(default)]
    pub(crate) device: Option<String>,
    #[serde(default)]
    expires_at: Option<String>,
    #[serde(default)]
    on_ooc: Option<Ooc>,
    #[serde(default)]
    grace_days: Option<u16>,
    #[serde(default)]
    mode: Option<Mode>,
    #[serde(default)]
    percent: Option<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Kind {
    Rule,
    Shadow,
    Catalog,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Ooc {
    Allow,
    Block,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Mode {
    Off,
    Observe,
    Warn,
    Ramp,
    Block,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Rule => "rule",
            Self::Shadow => "shadow",
            Self::Catalog => "catalog",
        }
    }
}

/// An order as it is listed.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Listed {
    id: i64,
    kind: Kind,
    license: Option<String>,
    tag: Option<String>,
    /// SHA-256 of a catalog's text.
    catalog_sha256: Option<String>,
    device: Option<String>,
    on_ooc: Option<Ooc>,
    grace_days: Option<u16>,
    mode: Option<Mode>,
    percent: Option<u8>,
    issued_at: String,
    issued_by: String,
    expires_at: Option<String>,
    status: &'static str,
}

type OrderRow = (i64, i64, Option<String>, String, i64, String, Option<i64>);

/// What is ordered, as the books have it.
struct What {
    /// The number of the tag that it is about.
    tag: i64,
    /// A rule or shadow enforcement as JSON; the SHA-256 of a catalog's text.
    what: String,
    /// The text of a catalog.
    catalog: Option<String>,
}

impl NewOrder {
    fn what(&self, authority: &Authority) -> Result<What, Problem> {
        let what = match self.kind {
            Kind::Rule => OrderKind::Rule(self.rule()?),
            Kind::Shadow => OrderKind::Shadow(self.shadow()?),
            Kind::Catalog => {
                let text = self.catalog(authority)?;
                return Ok(What {
                    tag: CATALOG,
                    what: secret::digest(text.as_bytes()).to_string(),
                    catalog: Some(text),
                });
            }
        };
        let (Some(license), None) = (&self.license, &self.catalog) else {
            return invalid("a rule and shadow enforcement have a license, and no catalog");
        };
        let Some((_, sold)) = authority.tags.named(license) else {
            return invalid(format!("{license:?} is not licensed here"));
        };
        let text = serde_json::to_string(&what);
        let text = text.map_err(|error| StoreError::Value(error.to_string()))?;
        Ok(What {
            tag: sold.id,
            what: text,
            catalog: None,
        })
    }

    /// The text of a catalog, which was parsed, and whose tags, those of products too, are sold here.
    fn catalog(&self, authority: &Authority) -> Result<String, Problem> {
        let other = self.on_ooc.is_some() || self.grace_days.is_some();
        let other = other || self.mode.is_some() || self.percent.is_some();
        let (Some(text), None, false) = (&self.catalog, &self.license, other) else {
            return invalid("a catalog has its text, and neither a license nor a rule nor a mode");
        };
        let bytes = text.len();
        if bytes > CATALOG_BYTES_MAX {
            return invalid(format!(
                "the catalog has {bytes} bytes, at most {CATALOG_BYTES_MAX} are taken"
            ));
        }
        let catalog = match Catalog::parse(text) {
            Ok(catalog) => catalog,
            Err(error) => return invalid(format!("the catalog is refused: {error}")),
        };
        let services = catalog.services().iter().map(|service| &service.tag);
        let features = catalog.features().iter().map(|feature| &feature.tag);
        let mut tags = services.chain(features);
        if let Some(tag) = tags.find(|tag| authority.tags.find(tag).is_none()) {
            return invalid(format!(
                "the catalog has the tag {tag}, which is not licensed here: to sell its licenses, the authority needs that catalog itself (catalog in authority.toml)"
            ));
        }
        let mut products = catalog.products().iter().map(|product| &product.tag);
        match products.find(|tag| authority.tags.product(tag).is_none()) {
            None => Ok(text.clone()),
            Some(tag) => invalid(format!(
                "the catalog has the product tag {tag}, which the authority does not have: a node of that product can't register here"
            )),
        }
    }

    fn rule(&self) -> Result<OocRule, Problem> {
        let (Some(on_ooc), Some(grace_days), None, None) =
            (self.on_ooc, self.grace_days, self.mode, self.percent)
        else {
            return invalid("a rule has onOoc and graceDays, and neither mode nor percent");
        };
        if grace_days > GRACE_DAYS_MAX {
            return invalid(format!("graceDays is at most {GRACE_DAYS_MAX}"));
        }
        let on_ooc = match on_ooc {
            Ooc::Allow => OnOoc::Allow,
            Ooc::Block => OnOoc::Block,
        };
        Ok(OocRule { on_ooc, grace_days })
    }

    fn shadow(&self) -> Result<Shadow, Problem> {
        if self.on_ooc.is_some() || self.grace_days.is_some() {
            return invalid("shadow enforcement has neither onOoc nor graceDays");
        }
        let shadow = match (self.mode, self.percent) {
            (Some(Mode::Off), None) => Shadow::Off,
            (Some(Mode::Observe), None) => Shadow::Observe,
            (Some(Mode::Warn), None) => Shadow::Warn,
            (Some(Mode::Block), None) => Shadow::Block,
            (Some(Mode::Ramp), Some(percent @ 1..=100)) => Shadow::Ramp { percent },
            (Some(_) | None, _) => {
                return invalid("shadow enforcement has a mode, and percent (1 to 100) with RAMP");
            }
        };
        if shadow.refused_percent() < 100 && self.expires_at.is_none() {
            return invalid("what loosens a block has an expiresAt");
        }
        Ok(shadow)
    }

    /// The date of its end.
    fn ends(&self, by: By<'_>) -> Result<Option<i64>, Problem> {
        let Some(text) = &self.expires_at else {
            return Ok(None);
        };
        let (ends, today) = (parse_date(text)?.0, by.now.date.0);
        if ends <= today || ends.saturating_sub(today) > ORDER_SPAN_MS {
            return invalid("expiresAt is in the future, at most 366 days from now");
        }
        Ok(Some(ends))
    }
}

/// Issues an order, in place of one of its kind about the same license for the same.
pub(crate) async fn issue(
    authority: &Authority,
    tx: &mut Tx,
    place: Place,
    device: Option<&Instance>,
    new: &NewOrder,
    by: By<'_>,
) -> Result<Listed, Problem> {
    let (What { tag, what, catalog }, ends) = (new.what(authority)?, new.ends(by)?);
    let (va, instance) = match device {
        Some(device) if !device.state.lives() || device.place != place => {
            return not_found("product instance of this identifier in this virtual account");
        }
        Some(device) => (0, device.id),
        None => (place.va, 0),
    };
    let replaced = of_subject(tx, (va, instance, tag), new.kind).await?;
    store::query("DELETE FROM orders WHERE va = $1 AND instance = $2 AND tag = $3 AND kind = $4")
        .bind(va)
        .bind(instance)
        .bind(tag)
        .bind(new.kind.name())
        .execute(tx)
        .await?;
    let id: i64 = store::query_scalar(
        "INSERT INTO orders (va, instance, tag, kind, what, issued, issued_by, ends)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING id",
    )
    .bind(va)
    .bind(instance)
    .bind(tag)
    .bind(new.kind.name())
    .bind(&what)
    .bind(by.now.date.0)
    .bind(by.who)
    .bind(ends)
    .fetch_one(tx)
    .await?;
    if let Some(text) = catalog {
        store::query("INSERT INTO ordered_catalogs (id, text) VALUES ($1, $2)")
            .bind(id)
            .bind(text)
            .execute(tx)
            .await?;
    }
    let piid = device.map(|device| device.piid.clone());
    let row = (id, tag, piid, what, by.now.date.0, by.who.to_owned(), ends);
    let listed = listed(authority, row, by)?;
    let before = replaced
        .map(|row| self::listed(authority, row, by))
        .transpose()?;
    let object = id.to_string();
    let change = Change {
        who: by.who,
        action: "issue-order",
        object: &object,
        before: before.map(|before| json!(before)),
        after: Some(json!(listed)),
    };
    journal::audit(tx, place, change, by.now).await?;
    Ok(listed)
}

async fn of_subject(
    tx: &mut Tx,
    (va, instance, tag): (i64, i64, i64),
    kind: Kind,
) -> Result<Option<OrderRow>, StoreError> {
    let row = store::query_as(
        "SELECT o.id, o.tag, i.piid, o.what, o.issued, o.issued_by, o.ends
         FROM orders o LEFT JOIN instances i ON i.id = o.instance
         WHERE o.va = $1 AND o.instance = $2 AND o.tag = $3 AND o.kind = $4",
    )
    .bind(va)
    .bind(instance)
    .bind(tag)
    .bind(kind.name())
    .fetch_optional(tx)
    .await?;
    Ok(row)
}

/// The orders of a virtual account and of its instances, newest first.
pub(crate) async fn list(
    authority: &Authority,
    tx: &mut Tx,
    va: i64,
    by: By<'_>,
) -> Result<Vec<Listed>, Problem> {
    let rows: Vec<OrderRow> = store::query_as(
        "SELECT o.id, o.tag, i.piid, o.what, o.issued, o.issued_by, o.ends
         FROM orders o LEFT JOIN instances i ON i.id = o.instance
         WHERE o.va = $1 OR i.va = $1 ORDER BY o.id DESC LIMIT $2",
    )
    .bind(va)
    .bind(LISTED)
    .fetch_all(tx)
    .await?;
    let listed = rows.into_iter().map(|row| listed(authority, row, by));
    listed.collect()
}

fn listed(authority: &Authority, row: OrderRow, by: By<'_>) -> Result<Listed, Problem> {
    let (id, tag, device, what, issued, issued_by, ends) = row;
    let sold = (tag != CATALOG).then(|| authority.tags.name_of(tag));
    let (kind, rule, shadow) = match sold {
        None => (Kind::Catalog, None, None),
        Some(_) => match read_kind(&what)? {
            OrderKind::Rule(rule) => (Kind::Rule, Some(rule), None),
            OrderKind::Shadow(shadow) => (Kind::Shadow, None, Some(shadow)),
        },
    };
    let ended = ends.is_some_and(|ends| ends <= by.now.date.0);
    Ok(Listed {
        id,
        kind,
        license: sold.map(|(_, license)| license.to_owned()),
        tag: sold.map(|(tag, _)| tag.to_owned()),
        catalog_sha256: sold.is_none().then_some(what),
        device,
        on_ooc: rule.map(|rule| match rule.on_ooc {
            OnOoc::Allow => Ooc::Allow,
            OnOoc::Block => Ooc::Block,
        }),
        grace_days: rule.map(|rule| rule.grace_days),
        mode: shadow.map(|shadow| match shadow {
            Shadow::Off => Mode::Off,
            Shadow::Observe => Mode::Observe,
            Shadow::Warn => Mode::Warn,
            Shadow::Ramp { .. } => Mode::Ramp,
            Shadow::Block => Mode::Block,
        }),
        percent: match shadow {
            Some(Shadow::Ramp { percent }) => Some(percent),
            Some(Shadow::Off | Shadow::Observe | Shadow::Warn | Shadow::Block) | None => None,
        },
        issued_at: text_of(issued),
        issued_by,
        expires_at: ends.map(text_of),
        status: if ended { "EXPIRED" } else { "ACTIVE" },
    })
}

/// Writes the digests of catalogs that were ordered before the books had any.
pub(crate) async fn digest_catalogs(tx: &mut Tx) -> Result<(), StoreError> {
    let next = "SELECT o.id, c.text FROM orders o JOIN ordered_catalogs c ON c.id = o.id
         WHERE o.what = '' LIMIT 1";
    while let Some((id, text)) = store::query_as(next).fetch_optional(tx).await? {
        let (id, text): (i64, String) = (id, text);
        store::query("UPDATE orders SET what = $1 WHERE id = $2")
            .bind(secret::digest(text.as_bytes()).to_string())
            .bind(id)
            .execute(tx)
            .await?;
    }
    Ok(())
}

/// Withdraws an order: its nodes learn of it with their next answer.
pub(crate) async fn withdraw(
    authority: &Authority,
    tx: &mut Tx,
    place: Place,
    id: i64,
    by: By<'_>,
) -> Result<(), Problem> {
    let row: Option<OrderRow> = store::query_as(
        "SELECT o.id, o.tag, i.piid, o.what, o.issued, o.issued_by, o.ends
         FROM orders o LEFT JOIN instances i ON i.id = o.instance
         WHERE o.id = $1 AND (o.va = $2 OR i.va = $2)",
    )
    .bind(id)
    .bind(place.va)
    .fetch_optional(tx)
    .await?;
    let Some(row) = row else {
        return not_found("order of this number");
    };
    store::query("DELETE FROM orders WHERE id = $1")
        .bind(id)
        .execute(tx)
        .await?;
    let object = id.to_string();
    let change = Change {
        who: by.who,
        action: "withdraw-order",
        object: &object,
        before: Some(json!(listed(authority, row, by)?)),
        after: None,
    };
    journal::audit(tx, place, change, by.now).await?;
    Ok(())
}

/// How an instance stands with its orders.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OfDevice {
    /// Serial number of the last text that was written for it.
    issued_serial: i64,
    /// That of the one that it says it has.
    applied_serial: i64,
    /// Why it does not take what it was sent.
    refused: Option<String>,
    /// What of that which it has is set aside, and why.
    set_aside: Option<String>,
}

/// How an instance stands with its orders; none: it never had any.
pub(crate) async fn of_device(tx: &mut Tx, instance: i64) -> Result<Option<OfDevice>, StoreError> {
    let row: Option<(i64, i64, Option<String>, Option<String>)> = store::query_as(
        "SELECT serial, held, refused, set_aside FROM instance_orders WHERE instance = $1",
    )
    .bind(instance)
    .fetch_optional(tx)
    .await?;
    let of = |(issued_serial, applied_serial, refused, set_aside)| OfDevice {
        issued_serial,
        applied_serial,
        refused,
        set_aside,
    };
    Ok(row.map(of))
}

/// An instance is gone, and what was ordered for it.
pub(crate) async fn forget_device(tx: &mut Tx, instance: i64) -> Result<(), StoreError> {
    for sql in [
        "DELETE FROM orders WHERE instance = $1",
        "DELETE FROM instance_orders WHERE instance = $1",
    ] {
        store::query(sql).bind(instance).execute(tx).await?;
    }
    Ok(())
}
