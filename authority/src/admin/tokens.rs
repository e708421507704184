//! Registration tokens: secrets that register instances into a virtual account.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{By, Problem, check_description, days, invalid, not_found, text_of};
use crate::journal::{self, Change, Place};
use crate::secret::{digest, secret};
use crate::store::{self, StoreError, Tx};

/// Days that a token may be good for.
const DAYS: std::ops::RangeInclusive<u32> = 1..=365;
/// Most registrations of a token.
const USES_MAX: u32 = 1_000_000;
/// Most tokens that are listed, newest first.
const LISTED: i64 = 1_000;

/// A token to make.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct NewToken {
    #[serde(default)]
    description: String,
    #[serde(default = "thirty")]
    expires_after_days: u32,
    /// Registrations that it is good for.
    #[serde(default = "one")]
    uses_max: u32,
}

fn thirty() -> u32 {
    30
}

fn one() -> u32 {
    1
}

/// A token as it is listed; the secret is shown once, as it is made.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Token {
    pub(crate) id: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) token: Option<String>,
    pub(crate) description: String,
    pub(crate) created_at: String,
    pub(crate) created_by: String,
    pub(crate) expires_at: String,
    pub(crate) uses: i64,
    pub(crate) uses_max: i64,
    pub(crate) status: &'static str,
}

/// Makes a token.
pub(crate) async fn make(
    tx: &mut Tx,
    place: Place,
    new: NewToken,
    by: By<'_>,
) -> Result<Token, Problem> {
    check_description(&new.description)?;
    if !DAYS.contains(&new.expires_after_days) {
        return invalid("expiresAfterDays is 1 to 365");
    }
    if !(1..=USES_MAX).contains(&new.uses_max) {
        return invalid(format!("usesMax is 1 to {USES_MAX}"));
    }
    let made = secret();
    let expires = by.now.date.0.saturating_add(days(new.expires_after_days));
    let id: i64 = store::query_scalar(
        "INSERT INTO registration_tokens (va, digest, description, created, created_by, expires, uses_max)
         VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id",
    )
    .bind(place.va)
    .bind(digest(made.as_bytes()).0.to_vec())
    .bind(&new.description)
    .bind(by.now.date.0)
    .bind(by.who)
    .bind(expires)
    .bind(i64::from(new.uses_max))
    .fetch_one(tx)
    .await?;
    let after = json!({
        "description": new.description,
        "expiresAfterDays": new.expires_after_days,
        "usesMax": new.uses_max,
    });
    let object = id.to_string();
    let change = Change {
        who: by.who,
        action: "make-token",
        object: &object,
        before: None,
        after: Some(after),
    };
    journal::audit(tx, place, change, by.now).await?;
    Ok(Token {
        id,
        token: Some(made),
        description: new.description,
        created_at: text_of(by.now.date.0),
        created_by: by.who.to_owned(),
        expires_at: text_of(expires),
        uses: 0,
        uses_max: i64::from(new.uses_max),
        status: "ACTIVE",
    })
}

type TokenRow = (i64, String, i64, String, i64, i64, i64, Option<i64>);

/// The tokens of a virtual account, newest first.
pub(crate) async fn list(tx: &mut Tx, va: i64, by: By<'_>) -> Result<Vec<Token>, StoreError> {
    let rows: Vec<TokenRow> = store::query_as(
        "SELECT id, description, created, created_by, expires, uses, uses_max, revoked
         FROM registration_tokens WHERE va = $1 ORDER BY id DESC LIMIT $2",
    )
    .bind(va)
    .bind(LISTED)
    .fetch_all(tx)
    .await?;
    Ok(rows.into_iter().map(|row| token(row, by)).collect())
}

fn token(row: TokenRow, by: By<'_>) -> Token {
    let (id, description, created, created_by, expires, uses, uses_max, revoked) = row;
    let status = match revoked {
        Some(_) => "REVOKED",
        None if expires <= by.now.date.0 => "EXPIRED",
        None if uses >= uses_max => "USED_UP",
        None => "ACTIVE",
    };
    Token {
        id,
        token: None,
        description,
        created_at: text_of(created),
        created_by,
        expires_at: text_of(expires),
        uses,
        uses_max,
        status,
    }
}

/// Revokes a token; instances that it registered stay.
pub(crate) async fn revoke(tx: &mut Tx, place: Place, id: i64, by: By<'_>) -> Result<(), Problem> {
    let revoked = store::query(
        "UPDATE registration_tokens SET revoked = $1 WHERE id = $2 AND va = $3 AND revoked IS NULL",
    )
    .bind(by.now.date.0)
    .bind(id)
    .bind(place.va)
    .execute(tx)
    .await?;
    if revoked == 0 {
        return not_found("token of this number that is not revoked");
    }
    let object = id.to_string();
    let change = Change {
        who: by.who,
        action: "revoke-token",
        object: &object,
        before: None,
        after: None,
    };
    journal::audit(tx, place, change, by.now).await?;
    Ok(())
}
