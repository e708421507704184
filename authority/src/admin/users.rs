//! Users and their roles.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::door::Doorkeeper;
use super::sessions::{Caller, end_all, new_password};
use super::{By, Problem, invalid, not_found};
use crate::authority::Authority;
use crate::journal::{self, Change, Place};
use crate::moment::Moment;
use crate::roles::{Action, Role, allowed};
use crate::secret::Secret;
use crate::store::{self, StoreError, Tx};

/// A user to make.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct NewUser {
    name: String,
    password: Secret,
    role: Role,
}

/// What a user is to be.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RoleEdit {
    role: Role,
}

/// A password that somebody else is given.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct PasswordReset {
    password: Secret,
}

/// Whether a user may log in.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct UserState {
    disabled: bool,
}

/// A user and a role of his.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct User {
    pub(crate) name: String,
    pub(crate) role: String,
    /// None: the role holds in the whole Smart Account.
    pub(crate) virtual_account: Option<String>,
    /// He can't log in.
    pub(crate) disabled: bool,
}

/// Makes a user.
pub(crate) async fn insert(
    tx: &mut Tx,
    name: &str,
    password: &str,
    now: Moment,
) -> Result<i64, Problem> {
    let id: Option<i64> = store::query_scalar(
        "INSERT INTO users (name, password, created) VALUES ($1, $2, $3)
         ON CONFLICT (name) DO NOTHING RETURNING id",
    )
    .bind(name)
    .bind(password)
    .bind(now.wall.0)
    .fetch_optional(tx)
    .await?;
    id.ok_or_else(|| Problem::Conflict(format!("there is a user {name:?} already")))
}

/// Gives a user a role in place of the one that he had there.
pub(crate) async fn give(
    tx: &mut Tx,
    user: i64,
    account: i64,
    va: i64,
    role: Role,
) -> Result<(), StoreError> {
    store::query(
        "INSERT INTO roles (user_id, account, va, role) VALUES ($1, $2, $3, $4)
         ON CONFLICT (user_id, account, va) DO UPDATE SET role = excluded.role",
    )
    .bind(user)
    .bind(account)
    .bind(va)
    .bind(role.name())
    .execute(tx)
    .await?;
    Ok(())
}

fn check_role(role: Role, place: Place) -> Result<(), Problem> {
    match (role.of_virtual_account(), place.va) {
        (false, 0) => Ok(()),
        (true, va) if va != 0 => Ok(()),
        (true, _) => invalid("this role is one of a virtual account: give it there"),
        (false, _) => invalid("this role is one of a whole Smart Account: give it there"),
    }
}

/// Makes a user with a role.
pub(crate) async fn add(
    tx: &mut Tx,
    place: Place,
    new: &NewUser,
    password: &str,
    by: By<'_>,
) -> Result<User, Problem> {
    check_role(new.role, place)?;
    let user = insert(tx, &new.name, password, by.now).await?;
    give(tx, user, place.account, place.va, new.role).await?;
    note(tx, place, "add-user", &new.name, None, Some(new.role), by).await?;
    named(tx, &new.name, place).await
}

impl NewUser {
    /// What is kept of the password.
    pub(crate) async fn password(&mut self, door: &Doorkeeper) -> Result<String, Problem> {
        let password = std::mem::take(&mut self.password);
        new_password(door, &self.name, password).await
    }
}

pub(super) async fn note(
    tx: &mut Tx,
    place: Place,
    action: &str,
    user: &str,
    before: Option<Role>,
    after: Option<Role>,
    by: By<'_>,
) -> Result<(), StoreError> {
    let role = |role: Option<Role>| role.map(|role| json!({ "role": role.name() }));
    let change = Change {
        who: by.who,
        action,
        object: user,
        before: role(before),
        after: role(after),
    };
    journal::audit(tx, place, change, by.now).await
}

async fn named(tx: &mut Tx, name: &str, place: Place) -> Result<User, Problem> {
    let found = list(tx, place).await?;
    match found.into_iter().find(|user| user.name == name) {
        Some(user) => Ok(user),
        None => not_found("user of this name with a role here"),
    }
}

async fn id_of(tx: &mut Tx, name: &str) -> Result<i64, Problem> {
    let id = store::query_scalar("SELECT id FROM users WHERE name = $1")
        .bind(name)
        .fetch_optional(tx)
        .await?;
    match id {
        Some(id) => Ok(id),
        None => not_found("user of this name"),
    }
}

async fn role_of(tx: &mut Tx, user: i64, place: Place) -> Result<Option<Role>, Problem> {
    let role: Option<String> = store::query_scalar(
        "SELECT role FROM roles WHERE user_id = $1 AND account = $2 AND va = $3",
    )
    .bind(user)
    .bind(place.account)
    .bind(place.va)
    .fetch_optional(tx)
    .await?;
    Ok(role.as_deref().and_then(Role::of))
}

/// Gives a user a role.
pub(crate) async fn edit(
    tx: &mut Tx,
    place: Place,
    name: &str,
    edit: RoleEdit,
    by: By<'_>,
) -> Result<User, Problem> {
    check_role(edit.role, place)?;
    let user = id_of(tx, name).await?;
    let before = role_of(tx, user, place).await?;
    check_last(tx, user, place, before, Some(edit.role)).await?;
    give(tx, user, place.account, place.va, edit.role).await?;
    note(tx, place, "edit-user", name, before, Some(edit.role), by).await?;
    named(tx, name, place).await
}

/// A Smart Account keeps an administrator who can log in.
async fn check_last(
    tx: &mut Tx,
    user: i64,
    place: Place,
    before: Option<Role>,
    after: Option<Role>,
) -> Result<(), Problem> {
    let administrator = Some(Role::SmartAccountAdministrator);
    if before != administrator || after == administrator {
        return Ok(());
    }
    let others: bool = store::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM roles r JOIN users u ON u.id = r.user_id
         WHERE r.account = $1 AND r.role = $2 AND r.user_id <> $3 AND u.disabled = 0)",
    )
    .bind(place.account)
    .bind(Role::SmartAccountAdministrator.name())
    .bind(user)
    .fetch_one(tx)
    .await?;
    match others {
        true => Ok(()),
        false => Err(Problem::Conflict(
            "he is the last administrator of the Smart Account".into(),
        )),
    }
}

/// Gives a user of here another password, and ends all his sessions and API tokens: whoever has them may have the old one.
/// Whoever does it administers users wherever that one has a role, so that nobody comes into an account through a user of it.
pub(crate) async fn reset_password(
    authority: &Authority,
    caller: &Caller,
    place: Place,
    name: &str,
    reset: PasswordReset,
    now: Moment,
) -> Result<(), Problem> {
    let mut tx = authority.store.read().await?;
    let user = check_reset(&mut tx, caller, place, name).await?;
    drop(tx);
    let password = new_password(&authority.door, name, reset.password).await?;
    let mut tx = authority.store.write().await?;
    // Once more: roles may have changed meanwhile.
    check_reset(&mut tx, caller, place, name).await?;
    store::query("UPDATE users SET password = $1 WHERE id = $2")
        .bind(password)
        .bind(user)
        .execute(&mut tx)
        .await?;
    end_all(&mut tx, user, now).await?;
    let by = By {
        who: &caller.name,
        now,
    };
    note(&mut tx, place, "reset-password", name, None, None, by).await?;
    tx.commit().await?;
    Ok(())
}

async fn check_reset(
    tx: &mut Tx,
    caller: &Caller,
    place: Place,
    name: &str,
) -> Result<i64, Problem> {
    let user = id_of(tx, name).await?;
    if role_of(tx, user, place).await?.is_none() {
        return not_found("user of this name with a role here");
    }
    if user == caller.id {
        let why = "change your own password with the old one".to_owned();
        return Err(Problem::Conflict(why));
    }
    check_everywhere(tx, caller, user).await?;
    Ok(user)
}

/// The caller administers users wherever this one has a role; those places.
async fn check_everywhere(tx: &mut Tx, caller: &Caller, user: i64) -> Result<Vec<Place>, Problem> {
    let roles: Vec<(i64, i64)> =
        store::query_as("SELECT account, va FROM roles WHERE user_id = $1")
            .bind(user)
            .fetch_all(tx)
            .await?;
    let places = roles.into_iter().map(|(account, va)| Place { account, va });
    let places: Vec<Place> = places.collect();
    let mine = |place: &Place| allowed(&caller.held, Action::EditUsers, place.account, place.va);
    match places.iter().all(mine) {
        true => Ok(places),
        false => Err(Problem::Forbidden(
            "this user has roles where you don't administer users".into(),
        )),
    }
}

/// Disables a user of here, or enables him again: without a log-in he keeps his roles, and all his sessions and API tokens end.
/// Whoever does it administers users wherever that one has a role.
pub(crate) async fn set_disabled(
    tx: &mut Tx,
    caller: &Caller,
    place: Place,
    name: &str,
    state: UserState,
    now: Moment,
) -> Result<User, Problem> {
    let user = id_of(tx, name).await?;
    if role_of(tx, user, place).await?.is_none() {
        return not_found("user of this name with a role here");
    }
    let places = check_everywhere(tx, caller, user).await?;
    let before = named(tx, name, place).await?.disabled;
    if state.disabled {
        for place in places {
            let role = role_of(tx, user, place).await?;
            check_last(tx, user, place, role, None).await?;
        }
        end_all(tx, user, now).await?;
    }
    store::query("UPDATE users SET disabled = $1 WHERE id = $2")
        .bind(i64::from(state.disabled))
        .bind(user)
        .execute(tx)
        .await?;
    let change = Change {
        who: &caller.name,
        action: if state.disabled {
            "disable-user"
        } else {
            "enable-user"
        },
        object: name,
        before: Some(json!({ "disabled": before })),
        after: Some(json!({ "disabled": state.disabled })),
    };
    journal::audit(tx, place, change, now).await?;
    named(tx, name, place).await
}

/// Takes a user's role; with the last one his sessions and API tokens end, and he can't log in any more.
pub(crate) async fn remove(
    tx: &mut Tx,
    place: Place,
    name: &str,
    by: By<'_>,
) -> Result<(), Problem> {
    let user = id_of(tx, name).await?;
    let before = role_of(tx, user, place).await?;
    if before.is_none() {
        return not_found("user of this name with a role here");
    }
    check_last(tx, user, place, before, None).await?;
    store::query("DELETE FROM roles WHERE user_id = $1 AND account = $2 AND va = $3")
        .bind(user)
        .bind(place.account)
        .bind(place.va)
        .execute(tx)
        .await?;
    let left: bool = store::query_scalar("SELECT EXISTS (SELECT 1 FROM roles WHERE user_id = $1)")
        .bind(user)
        .fetch_one(tx)
        .await?;
    if !left {
        end_all(tx, user, by.now).await?;
    }
    note(tx, place, "remove-user", name, before, None, by).await?;
    Ok(())
}

/// Users with a role in an account, or in one virtual account of it.
pub(crate) async fn list(tx: &mut Tx, place: Place) -> Result<Vec<User>, StoreError> {
    let rows: Vec<(String, String, Option<String>, bool)> = store::query_as(
        "SELECT u.name, r.role, v.name, u.disabled FROM roles r JOIN users u ON u.id = r.user_id
         LEFT JOIN virtual_accounts v ON v.id = r.va
         WHERE r.account = $1 AND ($2 = 0 OR r.va = $2) ORDER BY u.name, v.name NULLS FIRST",
    )
    .bind(place.account)
    .bind(place.va)
    .fetch_all(tx)
    .await?;
    let user = |(name, role, virtual_account, disabled)| User {
        name,
        role,
        virtual_account,
        disabled,
    };
    Ok(rows.into_iter().map(user).collect())
}
