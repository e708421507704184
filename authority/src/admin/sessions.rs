//! Passwords, sessions and API tokens: who calls.

use serde::{Deserialize, Serialize};

use super::door::Doorkeeper;
use super::users::note;
use super::{By, Problem, check_name, invalid, not_found, text_of};
use crate::journal::Place;
use crate::moment::{DAY_MS, Moment};
use crate::roles::{Held, Role};
use crate::secret::{Secret, digest, secret};
use crate::store::{self, StoreError, Tx};

/// Bounds of a password, in bytes.
const PASSWORD_BYTES: std::ops::RangeInclusive<usize> = 12..=256;
/// How long a login lasts.
const SESSION_MS: i64 = DAY_MS / 2;
/// Days that an API token may be good for.
const API_TOKEN_DAYS: std::ops::RangeInclusive<u32> = 1..=365;
/// Most API tokens of a user that are not revoked.
const API_TOKENS_MAX: i64 = 100;
/// Most sessions of a user; the oldest one ends for one more.
const SESSIONS_MAX: i64 = 100;

const ENDED: Problem =
    Problem::Unauthenticated("the token is not one, was revoked, or has expired; log in again");

/// Who calls.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) held: Vec<Held>,
    /// Of the session or API token.
    pub(crate) token: i64,
}

/// A login.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Login {
    user: String,
    password: Secret,
}

/// Another password.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct PasswordEdit {
    old: Secret,
    new: Secret,
    /// API tokens go on; without it, they end as all other sessions do.
    #[serde(default)]
    keep_api_tokens: bool,
}

/// An API token to make.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct NewApiToken {
    name: String,
    #[serde(default = "ninety")]
    expires_after_days: u32,
}

fn ninety() -> u32 {
    90
}

/// An API token or a session; the secret is shown once, as it is made.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ApiToken {
    pub(crate) id: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) token: Option<String>,
    pub(crate) name: String,
    pub(crate) expires_at: String,
}

/// What is kept of a new user's password, if name and password are in their bounds.
pub(crate) async fn new_password(
    door: &Doorkeeper,
    name: &str,
    password: Secret,
) -> Result<String, Problem> {
    check_name("the name of a user", name)?;
    if !PASSWORD_BYTES.contains(&password.reveal().len()) {
        return invalid("a password has 12 to 256 bytes");
    }
    door.digest(password).await
}

/// Logs a user in. One that is not there, that is disabled and whose password is wrong are told the same, after the same work;
/// one without a role is told so, once his password was found good.
pub(crate) async fn login(
    authority: &crate::Authority,
    login: Login,
    now: Moment,
) -> Result<ApiToken, Problem> {
    const WRONG: Problem = Problem::Unauthenticated("the user or the password is wrong");
    // No user has such a name or such a password: there is nothing to look at.
    if check_name("", &login.user).is_err() || login.password.reveal().len() > *PASSWORD_BYTES.end()
    {
        return Err(WRONG);
    }
    let mut tx = authority.store.read().await?;
    let row: Option<(i64, String)> =
        store::query_as("SELECT id, password FROM users WHERE name = $1 AND disabled = 0")
            .bind(&login.user)
            .fetch_optional(&mut tx)
            .await?;
    drop(tx);
    let (id, kept) = row.unwrap_or((0, authority.no_password.clone()));
    let good = authority.door.is(&login.user, login.password, kept.clone());
    if !good.await? || id == 0 {
        return Err(WRONG);
    }
    let mut tx = authority.store.write().await?;
    check_still(&mut tx, id, &kept)
        .await?
        .then_some(())
        .ok_or(WRONG)?;
    if !has_role(&mut tx, id).await? {
        return Err(Problem::Forbidden(
            "you have no role in any account any more; an administrator can give you one".into(),
        ));
    }
    make_room(&mut tx, id, now).await?;
    let expires = now.wall.0.saturating_add(SESSION_MS);
    let made = insert_token(&mut tx, id, "login", true, expires, now).await?;
    tx.commit().await?;
    Ok(made)
}

/// Whether a user is still there with the password that was looked at.
async fn check_still(tx: &mut Tx, user: i64, kept: &str) -> Result<bool, StoreError> {
    let still = store::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM users WHERE id = $1 AND password = $2 AND disabled = 0)",
    );
    still.bind(user).bind(kept).fetch_one(tx).await
}

async fn has_role(tx: &mut Tx, user: i64) -> Result<bool, StoreError> {
    let any = store::query_scalar("SELECT EXISTS (SELECT 1 FROM roles WHERE user_id = $1)");
    any.bind(user).fetch_one(tx).await
}

/// Ends the oldest session of a user who has as many as he may.
async fn make_room(tx: &mut Tx, user: i64, now: Moment) -> Result<(), StoreError> {
    store::query(
        "UPDATE api_tokens SET revoked = $1 WHERE id IN
            (SELECT id FROM api_tokens
             WHERE user_id = $2 AND session = 1 AND revoked IS NULL AND expires > $1
             ORDER BY id DESC LIMIT 1000 OFFSET $3)",
    )
    .bind(now.wall.0)
    .bind(user)
    .bind(SESSIONS_MAX - 1)
    .execute(tx)
    .await?;
    Ok(())
}

/// Ends all sessions and API tokens of a user.
pub(super) async fn end_all(tx: &mut Tx, user: i64, now: Moment) -> Result<(), StoreError> {
    store::query("UPDATE api_tokens SET revoked = $1 WHERE user_id = $2 AND revoked IS NULL")
        .bind(now.wall.0)
        .bind(user)
        .execute(tx)
        .await?;
    Ok(())
}

/// Ends those of users who have roles in this virtual account alone.
pub(super) async fn end_those_of(tx: &mut Tx, va: i64, now: Moment) -> Result<(), StoreError> {
    store::query(
        "UPDATE api_tokens SET revoked = $1 WHERE revoked IS NULL
         AND user_id IN (SELECT user_id FROM roles WHERE va = $2)
         AND user_id NOT IN (SELECT user_id FROM roles WHERE va <> $2)",
    )
    .bind(now.wall.0)
    .bind(va)
    .execute(tx)
    .await?;
    Ok(())
}

async fn insert_token(
    tx: &mut Tx,
    user: i64,
    name: &str,
    session: bool,
    expires: i64,
    now: Moment,
) -> Result<ApiToken, StoreError> {
    let made = secret();
    let id = store::query_scalar(
        "INSERT INTO api_tokens (user_id, digest, name, session, created, expires)
         VALUES ($1, $2, $3, $4, $5, $6) RETURNING id",
    )
    .bind(user)
    .bind(digest(made.as_bytes()).0.to_vec())
    .bind(name)
    .bind(i64::from(session))
    .bind(now.wall.0)
    .bind(expires)
    .fetch_one(tx)
    .await?;
    Ok(ApiToken {
        id,
        token: Some(made),
        name: name.to_owned(),
        expires_at: text_of(expires),
    })
}

/// Who has this session or API token.
pub(crate) async fn authenticate(
    tx: &mut Tx,
    bearer: &str,
    now: Moment,
) -> Result<Caller, Problem> {
    let row: Option<(i64, i64, String)> = store::query_as(
        "SELECT t.id, u.id, u.name FROM api_tokens t JOIN users u ON u.id = t.user_id
         WHERE t.digest = $1 AND t.revoked IS NULL AND t.expires > $2 AND u.disabled = 0",
    )
    .bind(digest(bearer.as_bytes()).0.to_vec())
    .bind(now.wall.0)
    .fetch_optional(tx)
    .await?;
    let Some((token, id, name)) = row else {
        return Err(ENDED);
    };
    let rows: Vec<(i64, i64, String)> =
        store::query_as("SELECT account, va, role FROM roles WHERE user_id = $1")
            .bind(id)
            .fetch_all(tx)
            .await?;
    let held = rows.into_iter().filter_map(|(account, va, role)| {
        let role = Role::of(&role)?;
        Some(Held { account, va, role })
    });
    Ok(Caller {
        id,
        name,
        held: held.collect(),
        token,
    })
}

/// Changes a user's own password, and ends his other sessions and API tokens, unless he keeps these.
pub(crate) async fn set_password(
    authority: &crate::Authority,
    caller: &Caller,
    edit: PasswordEdit,
    now: Moment,
) -> Result<(), Problem> {
    if !PASSWORD_BYTES.contains(&edit.new.reveal().len()) {
        return invalid("a password has 12 to 256 bytes");
    }
    let wrong = || Problem::Forbidden("the old password is wrong".into());
    if edit.old.reveal().len() > *PASSWORD_BYTES.end() {
        return Err(wrong());
    }
    let mut tx = authority.store.read().await?;
    let kept: String = store::query_scalar("SELECT password FROM users WHERE id = $1")
        .bind(caller.id)
        .fetch_one(&mut tx)
        .await?;
    drop(tx);
    let door = &authority.door;
    if !door.is(&caller.name, edit.old, kept.clone()).await? {
        return Err(wrong());
    }
    let password = new_password(door, &caller.name, edit.new).await?;
    let mut tx = authority.store.write().await?;
    check_still(&mut tx, caller.id, &kept)
        .await?
        .then_some(())
        .ok_or_else(wrong)?;
    store::query("UPDATE users SET password = $1 WHERE id = $2")
        .bind(password)
        .bind(caller.id)
        .execute(&mut tx)
        .await?;
    store::query(
        "UPDATE api_tokens SET revoked = $1 WHERE user_id = $2 AND (session = 1 OR $4 = 0) AND id <> $3
         AND revoked IS NULL",
    )
    .bind(now.wall.0)
    .bind(caller.id)
    .bind(caller.token)
    .bind(i64::from(edit.keep_api_tokens))
    .execute(&mut tx)
    .await?;
    note_own(&mut tx, caller, "change-password", now).await?;
    tx.commit().await?;
    Ok(())
}

/// A change of one's own, in the audit log of each account that one belongs to.
async fn note_own(
    tx: &mut Tx,
    caller: &Caller,
    action: &str,
    now: Moment,
) -> Result<(), StoreError> {
    let mut accounts: Vec<i64> = caller.held.iter().map(|held| held.account).collect();
    accounts.dedup();
    let by = By {
        who: &caller.name,
        now,
    };
    for account in accounts {
        let place = Place { account, va: 0 };
        note(tx, place, action, &caller.name, None, None, by).await?;
    }
    Ok(())
}

/// What the caller calls with may have ended since: nothing that outlives it is made with it.
async fn check_alive(tx: &mut Tx, caller: &Caller, now: Moment) -> Result<(), Problem> {
    let alive: bool = store::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM api_tokens WHERE id = $1 AND revoked IS NULL AND expires > $2)",
    )
    .bind(caller.token)
    .bind(now.wall.0)
    .fetch_one(tx)
    .await?;
    alive.then_some(()).ok_or(ENDED)
}

/// Makes an API token, which may what its user may.
pub(crate) async fn make_token(
    tx: &mut Tx,
    caller: &Caller,
    new: NewApiToken,
    now: Moment,
) -> Result<ApiToken, Problem> {
    check_name("the name of an API token", &new.name)?;
    check_alive(tx, caller, now).await?;
    if !API_TOKEN_DAYS.contains(&new.expires_after_days) {
        return invalid("expiresAfterDays is 1 to 365");
    }
    let held: i64 = store::query_scalar(
        "SELECT count(*) FROM api_tokens WHERE user_id = $1 AND session = 0 AND revoked IS NULL
         AND expires > $2",
    )
    .bind(caller.id)
    .bind(now.wall.0)
    .fetch_one(tx)
    .await?;
    if held >= API_TOKENS_MAX {
        return Err(Problem::Conflict(format!(
            "a user has at most {API_TOKENS_MAX} API tokens"
        )));
    }
    let expires = now
        .wall
        .0
        .saturating_add(super::days(new.expires_after_days));
    let made = insert_token(tx, caller.id, &new.name, false, expires, now).await?;
    note_own(tx, caller, "make-api-token", now).await?;
    Ok(made)
}

/// One's own API tokens.
pub(crate) async fn tokens(
    tx: &mut Tx,
    caller: &Caller,
    now: Moment,
) -> Result<Vec<ApiToken>, StoreError> {
    let rows: Vec<(i64, String, i64)> = store::query_as(
        "SELECT id, name, expires FROM api_tokens
         WHERE user_id = $1 AND session = 0 AND revoked IS NULL AND expires > $2 ORDER BY id",
    )
    .bind(caller.id)
    .bind(now.wall.0)
    .fetch_all(tx)
    .await?;
    let token = |(id, name, expires)| ApiToken {
        id,
        token: None,
        name,
        expires_at: text_of(expires),
    };
    Ok(rows.into_iter().map(token).collect())
}

/// Revokes an API token or a session of one's own.
pub(crate) async fn revoke_token(
    tx: &mut Tx,
    caller: &Caller,
    id: i64,
    now: Moment,
) -> Result<(), Problem> {
    let revoked = store::query(
        "UPDATE api_tokens SET revoked = $1 WHERE id = $2 AND user_id = $3 AND revoked IS NULL",
    )
    .bind(now.wall.0)
    .bind(id)
    .bind(caller.id)
    .execute(tx)
    .await?;
    if revoked == 0 {
        return not_found("API token of this number");
    }
    note_own(tx, caller, "revoke-api-token", now).await?;
    Ok(())
}
