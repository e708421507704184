//! Passwords, sessions and API tokens: who calls.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;

use super::users::note;
use super::{By, Problem, check_name, invalid, not_found, text_of};
use crate::journal::Place;
use crate::moment::{DAY_MS, Moment};
use crate::roles::{Held, Role};
use crate::secret::{digest, password_digest, password_is, secret};
use crate::store::{StoreError, Tx};

/// Bounds of a password, in bytes.
const PASSWORD_BYTES: std::ops::RangeInclusive<usize> = 12..=256;
/// How long a login lasts.
const SESSION_MS: i64 = DAY_MS / 2;
/// Days that an API token may be good for.
const API_TOKEN_DAYS: std::ops::RangeInclusive<u32> = 1..=365;
/// Most API tokens of a user that are not revoked.
const API_TOKENS_MAX: i64 = 100;
/// Passwords that are looked at at once: each takes a processor for tens of milliseconds, and 19 MiB.
const PASSWORDS_AT_ONCE: usize = 2;
/// Wrong passwords of a user before he has to wait.
const WRONG_FREE: u32 = 5;
/// Longest wait after wrong passwords.
const WRONG_WAIT_MAX: Duration = Duration::from_secs(300);
/// Most names whose wrong passwords are remembered.
const WRONG_NAMES_MAX: usize = 4_096;

/// Guards logins against guessing.
#[derive(Debug)]
pub(crate) struct Doorkeeper {
    wrong: Mutex<HashMap<String, (u32, Instant)>>,
    places: Semaphore,
}

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
    password: String,
}

/// Another password.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct PasswordEdit {
    old: String,
    new: String,
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
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ApiToken {
    pub(crate) id: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) token: Option<String>,
    pub(crate) name: String,
    pub(crate) expires_at: String,
}

impl Default for Doorkeeper {
    fn default() -> Self {
        Self {
            wrong: Mutex::new(HashMap::new()),
            places: Semaphore::new(PASSWORDS_AT_ONCE),
        }
    }
}

impl Doorkeeper {
    fn check(&self, name: &str) -> Result<(), Problem> {
        let wrong = self.wrong.lock();
        let Some((times, last)) = wrong.get(name).filter(|(times, _)| *times >= WRONG_FREE) else {
            return Ok(());
        };
        let wait = Duration::from_secs(1) * 2u32.pow((times - WRONG_FREE).min(9));
        match last.elapsed() < wait.min(WRONG_WAIT_MAX) {
            true => Err(Problem::TooMany(
                "too many wrong passwords; wait, then try again",
            )),
            false => Ok(()),
        }
    }

    fn note(&self, name: &str, good: bool) {
        let mut wrong = self.wrong.lock();
        if good {
            wrong.remove(name);
            return;
        }
        if wrong.len() >= WRONG_NAMES_MAX {
            wrong.retain(|_, (_, last)| last.elapsed() < WRONG_WAIT_MAX);
        }
        if wrong.len() < WRONG_NAMES_MAX || wrong.contains_key(name) {
            let entry = wrong.entry(name.to_owned()).or_insert((0, Instant::now()));
            *entry = (entry.0.saturating_add(1), Instant::now());
        }
    }

    async fn is(&self, password: String, kept: String) -> Result<bool, Problem> {
        // The semaphore is never closed.
        let _place = self.places.acquire().await;
        let found = tokio::task::spawn_blocking(move || password_is(&password, &kept)).await;
        found.map_err(|_| Problem::TooMany("the password can't be looked at now"))
    }
}

/// What is kept of a new user's password, if name and password are in their bounds.
pub(crate) async fn new_password(name: &str, password: String) -> Result<String, Problem> {
    check_name("the name of a user", name)?;
    if !PASSWORD_BYTES.contains(&password.len()) {
        return invalid("a password has 12 to 256 bytes");
    }
    let made = tokio::task::spawn_blocking(move || password_digest(&password)).await;
    made.map_err(|_| Problem::TooMany("the password can't be taken now"))
}

/// Logs a user in.
pub(crate) async fn login(
    authority: &crate::Authority,
    login: Login,
    now: Moment,
) -> Result<ApiToken, Problem> {
    const WRONG: Problem = Problem::Unauthenticated("the user or the password is wrong");
    let door = &authority.door;
    door.check(&login.user)?;
    if login.password.len() > *PASSWORD_BYTES.end() {
        return Err(WRONG);
    }
    let mut tx = authority.store.read().await?;
    let row: Option<(i64, String)> =
        sqlx::query_as("SELECT id, password FROM users WHERE name = $1 AND disabled = 0")
            .bind(&login.user)
            .fetch_optional(&mut *tx)
            .await?;
    drop(tx);
    // A user that is not there takes as long as one that is.
    let (id, kept) = row.unwrap_or((0, authority.no_password.clone()));
    let good = door.is(login.password, kept).await? && id != 0;
    door.note(&login.user, good);
    if !good {
        return Err(WRONG);
    }
    let mut tx = authority.store.write().await?;
    let expires = now.wall.0.saturating_add(SESSION_MS);
    let made = insert_token(&mut tx, id, "login", true, expires, now).await?;
    tx.commit().await?;
    Ok(made)
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
    let id = sqlx::query_scalar(
        "INSERT INTO api_tokens (user_id, digest, name, session, created, expires)
         VALUES ($1, $2, $3, $4, $5, $6) RETURNING id",
    )
    .bind(user)
    .bind(digest(made.as_bytes()).0.to_vec())
    .bind(name)
    .bind(i64::from(session))
    .bind(now.wall.0)
    .bind(expires)
    .fetch_one(&mut **tx)
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
    let row: Option<(i64, i64, String)> = sqlx::query_as(
        "SELECT t.id, u.id, u.name FROM api_tokens t JOIN users u ON u.id = t.user_id
         WHERE t.digest = $1 AND t.revoked IS NULL AND t.expires > $2 AND u.disabled = 0",
    )
    .bind(digest(bearer.as_bytes()).0.to_vec())
    .bind(now.wall.0)
    .fetch_optional(&mut **tx)
    .await?;
    let Some((token, id, name)) = row else {
        return Err(Problem::Unauthenticated(
            "the token is not one, was revoked, or has expired; log in again",
        ));
    };
    let rows: Vec<(i64, i64, String)> =
        sqlx::query_as("SELECT account, va, role FROM roles WHERE user_id = $1")
            .bind(id)
            .fetch_all(&mut **tx)
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

/// Changes a user's own password, and ends his other sessions.
pub(crate) async fn set_password(
    authority: &crate::Authority,
    caller: &Caller,
    edit: PasswordEdit,
    now: Moment,
) -> Result<(), Problem> {
    authority.door.check(&caller.name)?;
    let mut tx = authority.store.read().await?;
    let kept: String = sqlx::query_scalar("SELECT password FROM users WHERE id = $1")
        .bind(caller.id)
        .fetch_one(&mut *tx)
        .await?;
    drop(tx);
    let good = authority.door.is(edit.old, kept).await?;
    authority.door.note(&caller.name, good);
    if !good {
        return Err(Problem::Forbidden("the old password is wrong".into()));
    }
    let password = new_password(&caller.name, edit.new).await?;
    let mut tx = authority.store.write().await?;
    sqlx::query("UPDATE users SET password = $1 WHERE id = $2")
        .bind(password)
        .bind(caller.id)
        .execute(&mut *tx)
        .await?;
    sqlx::query(
        "UPDATE api_tokens SET revoked = $1 WHERE user_id = $2 AND session = 1 AND id <> $3
         AND revoked IS NULL",
    )
    .bind(now.wall.0)
    .bind(caller.id)
    .bind(caller.token)
    .execute(&mut *tx)
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

/// Makes an API token, which may what its user may.
pub(crate) async fn make_token(
    tx: &mut Tx,
    caller: &Caller,
    new: NewApiToken,
    now: Moment,
) -> Result<ApiToken, Problem> {
    check_name("the name of an API token", &new.name)?;
    if !API_TOKEN_DAYS.contains(&new.expires_after_days) {
        return invalid("expiresAfterDays is 1 to 365");
    }
    let held: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM api_tokens WHERE user_id = $1 AND session = 0 AND revoked IS NULL
         AND expires > $2",
    )
    .bind(caller.id)
    .bind(now.wall.0)
    .fetch_one(&mut **tx)
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
    let rows: Vec<(i64, String, i64)> = sqlx::query_as(
        "SELECT id, name, expires FROM api_tokens
         WHERE user_id = $1 AND session = 0 AND revoked IS NULL AND expires > $2 ORDER BY id",
    )
    .bind(caller.id)
    .bind(now.wall.0)
    .fetch_all(&mut **tx)
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
    let revoked = sqlx::query(
        "UPDATE api_tokens SET revoked = $1 WHERE id = $2 AND user_id = $3 AND revoked IS NULL",
    )
    .bind(now.wall.0)
    .bind(id)
    .bind(caller.id)
    .execute(&mut **tx)
    .await?;
    if revoked.rows_affected() == 0 {
        return not_found("API token of this number");
    }
    note_own(tx, caller, "revoke-api-token", now).await?;
    Ok(())
}
