//! What moved between virtual accounts: written in the transaction that moves it, and as people read it.

use serde::Serialize;

use super::records::Before;
use super::{By, text_of};
use crate::journal::Place;
use crate::store::{self, StoreError, Tx};

/// What is moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moved<'a> {
    /// So many licenses of this name.
    Licenses(&'a str, i64),
    /// The product instance of this identifier.
    Instance(&'a str),
}

/// A transfer.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TransferView {
    pub(crate) id: i64,
    pub(crate) at: String,
    pub(crate) who: String,
    /// `LICENSES` or `INSTANCE`.
    pub(crate) kind: String,
    pub(crate) object: String,
    pub(crate) quantity: i64,
    /// Names of virtual accounts, as they were then.
    pub(crate) from: String,
    pub(crate) to: String,
}

/// Writes down that something goes from a virtual account to another one.
pub(super) async fn note(
    tx: &mut Tx,
    from: Place,
    to: i64,
    moved: Moved<'_>,
    by: By<'_>,
) -> Result<(), StoreError> {
    let (kind, object, quantity) = match moved {
        Moved::Licenses(name, quantity) => ("LICENSES", name, quantity),
        Moved::Instance(piid) => ("INSTANCE", piid, 1),
    };
    store::query(
        "INSERT INTO transfers
            (at, account, who, kind, object, quantity, source, source_name, target, target_name)
         SELECT $1, $2, $3, $4, $5, $6, s.id, s.name, t.id, t.name
         FROM virtual_accounts s, virtual_accounts t WHERE s.id = $7 AND t.id = $8",
    )
    .bind(by.now.wall.0)
    .bind(from.account)
    .bind(by.who)
    .bind(kind)
    .bind(object)
    .bind(quantity)
    .bind(from.va)
    .bind(to)
    .execute(tx)
    .await?;
    Ok(())
}

type TransferRow = (i64, i64, String, String, String, i64, String, String);

/// Transfers in an account, or those from or to one virtual account of it.
pub(crate) async fn list(
    tx: &mut Tx,
    place: Place,
    before: Before,
) -> Result<Vec<TransferView>, StoreError> {
    let rows: Vec<TransferRow> = store::query_as(
        "SELECT id, at, who, kind, object, quantity, source_name, target_name FROM transfers
         WHERE account = $1 AND ($2 = 0 OR source = $2 OR target = $2) AND id < $3
         ORDER BY id DESC LIMIT $4",
    )
    .bind(place.account)
    .bind(place.va)
    .bind(before.below())
    .bind(before.limit)
    .fetch_all(tx)
    .await?;
    let view = |(id, at, who, kind, object, quantity, from, to): TransferRow| TransferView {
        id,
        at: text_of(at),
        who,
        kind,
        object,
        quantity,
        from,
        to,
    };
    Ok(rows.into_iter().map(view).collect())
}
