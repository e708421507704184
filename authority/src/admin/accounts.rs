//! Smart Accounts and their virtual accounts.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    By, Problem, check_description, check_name, invalid, not_found, sessions, text_of, users,
};
use crate::authority::{Authority, SETUP_SECRET, kept};
use crate::journal::{self, Change, Place};
use crate::moment::{put_setting, setting};
use crate::roles::Role;
use crate::secret::Secret;
use crate::store::{self, StoreError, Tx};

/// The virtual account that takes new licenses and instances.
pub(crate) const DEFAULT: &str = "Default";
/// Most virtual accounts of a Smart Account.
const VIRTUAL_ACCOUNTS_MAX: i64 = 1_000;

/// What the first start asks for: the set-up secret, an account, and its administrator.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Setup {
    secret: Secret,
    domain: String,
    name: String,
    user: String,
    password: Secret,
}

/// A Smart Account.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Account {
    #[serde(skip)]
    pub(crate) id: i64,
    pub(crate) domain: String,
    pub(crate) name: String,
    pub(crate) terms_approved_at: Option<String>,
    pub(crate) terms_approved_by: Option<String>,
}

/// A virtual account.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct VirtualAccount {
    #[serde(skip)]
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) is_default: bool,
}

/// A new virtual account.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct NewVirtualAccount {
    name: String,
    #[serde(default)]
    description: String,
}

/// What a virtual account is to be; what is not named stays.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct VirtualAccountEdit {
    name: Option<String>,
    description: Option<String>,
}

/// What a Smart Account is to be.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct AccountEdit {
    name: String,
}

/// Makes the first administrator, and his Smart Account if there is none of that domain. The secret is good once.
pub(crate) async fn set_up(
    authority: &Authority,
    setup: Setup,
    now: crate::Moment,
) -> Result<Account, Problem> {
    check_domain(&setup.domain)?;
    check_name("the name of a Smart Account", &setup.name)?;
    let mut tx = authority.store.read().await?;
    check_secret(&mut tx, setup.secret.reveal()).await?;
    drop(tx);
    let password = sessions::new_password(&authority.door, &setup.user, setup.password).await?;
    let mut tx = authority.store.write().await?;
    // Once more: somebody else may have used it meanwhile.
    check_secret(&mut tx, setup.secret.reveal()).await?;
    put_setting(&mut tx, SETUP_SECRET, "").await?;
    let by = By {
        who: &setup.user,
        now,
    };
    let account = match find(&mut tx, &setup.domain).await? {
        Some(account) => account,
        None => create(&mut tx, &setup.domain, &setup.name, by).await?,
    };
    let user = users::insert(&mut tx, &setup.user, &password, now).await?;
    users::give(
        &mut tx,
        user,
        account.id,
        0,
        Role::SmartAccountAdministrator,
    )
    .await?;
    let place = Place {
        account: account.id,
        va: 0,
    };
    let change = Change {
        who: by.who,
        action: "set-up",
        object: &setup.domain,
        before: None,
        after: Some(json!({ "administrator": setup.user })),
    };
    journal::audit(&mut tx, place, change, now).await?;
    tx.commit().await?;
    Ok(account)
}

async fn check_secret(tx: &mut Tx, secret: &str) -> Result<(), Problem> {
    let wanted = setting(tx, SETUP_SECRET).await?;
    // The digest of a secret of 256 bits: the time of the comparison helps nobody.
    if wanted.filter(|wanted| !wanted.is_empty()) != Some(kept(secret)) {
        return Err(Problem::Unauthenticated(
            "the set-up secret is wrong, or was used",
        ));
    }
    Ok(())
}

fn check_domain(domain: &str) -> Result<(), Problem> {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    if domain.len() > super::NAME_BYTES_MAX || !domain.split('.').all(label) {
        return invalid(
            "a domain has labels of small letters, digits and hyphens, such as example.org",
        );
    }
    Ok(())
}

async fn create(tx: &mut Tx, domain: &str, name: &str, by: By<'_>) -> Result<Account, StoreError> {
    let id: i64 = store::query_scalar(
        "INSERT INTO smart_accounts (domain, name, created) VALUES ($1, $2, $3) RETURNING id",
    )
    .bind(domain)
    .bind(name)
    .bind(by.now.wall.0)
    .fetch_one(tx)
    .await?;
    insert(
        tx,
        id,
        DEFAULT,
        "takes new licenses and instances",
        true,
        by,
    )
    .await?;
    Ok(Account {
        id,
        domain: domain.to_owned(),
        name: name.to_owned(),
        terms_approved_at: None,
        terms_approved_by: None,
    })
}

async fn insert(
    tx: &mut Tx,
    account: i64,
    name: &str,
    description: &str,
    is_default: bool,
    by: By<'_>,
) -> Result<i64, StoreError> {
    let id = store::query_scalar(
        "INSERT INTO virtual_accounts (account, name, description, is_default, created)
         VALUES ($1, $2, $3, $4, $5) RETURNING id",
    )
    .bind(account)
    .bind(name)
    .bind(description)
    .bind(i64::from(is_default))
    .bind(by.now.wall.0)
    .fetch_one(tx)
    .await?;
    Ok(id)
}

type AccountRow = (i64, String, String, Option<i64>, Option<String>);

fn account((id, domain, name, terms_at, terms_by): AccountRow) -> Account {
    Account {
        id,
        domain,
        name,
        terms_approved_at: terms_at.map(text_of),
        terms_approved_by: terms_by,
    }
}

/// The Smart Account of a domain.
pub(crate) async fn find(tx: &mut Tx, domain: &str) -> Result<Option<Account>, StoreError> {
    let row: Option<AccountRow> = store::query_as(
        "SELECT id, domain, name, terms_at, terms_by FROM smart_accounts WHERE domain = $1",
    )
    .bind(domain)
    .fetch_optional(tx)
    .await?;
    Ok(row.map(account))
}

/// Smart Accounts in which a user has a role.
pub(crate) async fn of_user(tx: &mut Tx, user: i64) -> Result<Vec<Account>, StoreError> {
    let rows: Vec<AccountRow> = store::query_as(
        "SELECT id, domain, name, terms_at, terms_by FROM smart_accounts
         WHERE id IN (SELECT account FROM roles WHERE user_id = $1) ORDER BY domain",
    )
    .bind(user)
    .fetch_all(tx)
    .await?;
    Ok(rows.into_iter().map(account).collect())
}

/// Changes the properties of a Smart Account.
pub(crate) async fn edit(
    tx: &mut Tx,
    before: Account,
    edit: AccountEdit,
    by: By<'_>,
) -> Result<Account, Problem> {
    check_name("the name of a Smart Account", &edit.name)?;
    store::query("UPDATE smart_accounts SET name = $1 WHERE id = $2")
        .bind(&edit.name)
        .bind(before.id)
        .execute(tx)
        .await?;
    let after = Account {
        name: edit.name,
        ..before
    };
    let change = Change {
        who: by.who,
        action: "edit-account",
        object: &after.domain,
        before: Some(json!({ "name": before.name })),
        after: Some(json!({ "name": after.name })),
    };
    let place = Place {
        account: after.id,
        va: 0,
    };
    journal::audit(tx, place, change, by.now).await?;
    Ok(after)
}

/// Approves the licensing terms.
pub(crate) async fn approve_terms(
    tx: &mut Tx,
    before: Account,
    by: By<'_>,
) -> Result<Account, Problem> {
    store::query("UPDATE smart_accounts SET terms_at = $1, terms_by = $2 WHERE id = $3")
        .bind(by.now.wall.0)
        .bind(by.who)
        .bind(before.id)
        .execute(tx)
        .await?;
    let change = Change {
        who: by.who,
        action: "approve-terms",
        object: &before.domain,
        before: Some(json!({ "by": before.terms_approved_by })),
        after: Some(json!({ "by": by.who })),
    };
    let place = Place {
        account: before.id,
        va: 0,
    };
    journal::audit(tx, place, change, by.now).await?;
    Ok(Account {
        terms_approved_at: Some(text_of(by.now.wall.0)),
        terms_approved_by: Some(by.who.to_owned()),
        ..before
    })
}

fn virtual_account(
    (id, name, description, is_default): (i64, String, String, bool),
) -> VirtualAccount {
    VirtualAccount {
        id,
        name,
        description,
        is_default,
    }
}

/// The virtual account of a name.
pub(crate) async fn find_virtual(
    tx: &mut Tx,
    account: i64,
    name: &str,
) -> Result<VirtualAccount, Problem> {
    let row = store::query_as(
        "SELECT id, name, description, is_default FROM virtual_accounts
         WHERE account = $1 AND name = $2",
    )
    .bind(account)
    .bind(name)
    .fetch_optional(tx)
    .await?;
    match row {
        Some(row) => Ok(virtual_account(row)),
        None => not_found("virtual account of this name"),
    }
}

/// The virtual accounts of a Smart Account.
pub(crate) async fn virtual_accounts(
    tx: &mut Tx,
    account: i64,
) -> Result<Vec<VirtualAccount>, StoreError> {
    let rows = store::query_as(
        "SELECT id, name, description, is_default FROM virtual_accounts
         WHERE account = $1 ORDER BY is_default DESC, name",
    )
    .bind(account)
    .fetch_all(tx)
    .await?;
    Ok(rows.into_iter().map(virtual_account).collect())
}

async fn check_free(tx: &mut Tx, account: i64, name: &str) -> Result<(), Problem> {
    match find_virtual(tx, account, name).await {
        Ok(_) => Err(Problem::Conflict(format!(
            "there is a virtual account {name:?} already"
        ))),
        Err(Problem::NotFound(_)) => Ok(()),
        Err(other) => Err(other),
    }
}

/// Makes a virtual account.
pub(crate) async fn add_virtual(
    tx: &mut Tx,
    account: i64,
    new: NewVirtualAccount,
    by: By<'_>,
) -> Result<VirtualAccount, Problem> {
    check_name("the name of a virtual account", &new.name)?;
    check_description(&new.description)?;
    check_free(tx, account, &new.name).await?;
    let count: i64 =
        store::query_scalar("SELECT count(*) FROM virtual_accounts WHERE account = $1")
            .bind(account)
            .fetch_one(tx)
            .await?;
    if count >= VIRTUAL_ACCOUNTS_MAX {
        return Err(Problem::Conflict(format!(
            "a Smart Account has at most {VIRTUAL_ACCOUNTS_MAX} virtual accounts"
        )));
    }
    let va = insert(tx, account, &new.name, &new.description, false, by).await?;
    let change = Change {
        who: by.who,
        action: "add-virtual-account",
        object: &new.name,
        before: None,
        after: Some(json!({ "name": new.name, "description": new.description })),
    };
    journal::audit(tx, Place { account, va }, change, by.now).await?;
    Ok(VirtualAccount {
        id: va,
        name: new.name,
        description: new.description,
        is_default: false,
    })
}

/// Renames or describes a virtual account.
pub(crate) async fn edit_virtual(
    tx: &mut Tx,
    account: i64,
    before: VirtualAccount,
    edit: VirtualAccountEdit,
    by: By<'_>,
) -> Result<VirtualAccount, Problem> {
    let name = edit.name.unwrap_or_else(|| before.name.clone());
    let description = edit
        .description
        .unwrap_or_else(|| before.description.clone());
    check_name("the name of a virtual account", &name)?;
    check_description(&description)?;
    if name != before.name {
        check_free(tx, account, &name).await?;
    }
    store::query("UPDATE virtual_accounts SET name = $1, description = $2 WHERE id = $3")
        .bind(&name)
        .bind(&description)
        .bind(before.id)
        .execute(tx)
        .await?;
    let change = Change {
        who: by.who,
        action: "edit-virtual-account",
        object: &before.name,
        before: Some(json!({ "name": before.name, "description": before.description })),
        after: Some(json!({ "name": name, "description": description })),
    };
    let va = before.id;
    journal::audit(tx, Place { account, va }, change, by.now).await?;
    Ok(VirtualAccount {
        id: va,
        name,
        description,
        is_default: before.is_default,
    })
}

/// Removes a virtual account that is empty and not the default one.
pub(crate) async fn remove_virtual(
    tx: &mut Tx,
    account: i64,
    virtual_account: VirtualAccount,
    by: By<'_>,
) -> Result<(), Problem> {
    let va = virtual_account.id;
    if virtual_account.is_default {
        return Err(Problem::Conflict(
            "the default virtual account takes new licenses and instances, and stays".into(),
        ));
    }
    let held: i64 = store::query_scalar(
        "SELECT (SELECT count(*) FROM licenses WHERE va = $1)
              + (SELECT count(*) FROM instances WHERE va = $1)
              + (SELECT count(*) FROM registration_tokens WHERE va = $1)",
    )
    .bind(va)
    .fetch_one(tx)
    .await?;
    if held > 0 {
        return Err(Problem::Conflict(
            "it holds licenses, or has or had instances or tokens; transfer them, and it stays with their history".into(),
        ));
    }
    sessions::end_those_of(tx, va, by.now).await?;
    for sql in [
        "DELETE FROM roles WHERE va = $1",
        "DELETE FROM pools WHERE va = $1",
        "DELETE FROM orders WHERE va = $1",
        "DELETE FROM virtual_accounts WHERE id = $1",
    ] {
        store::query(sql).bind(va).execute(tx).await?;
    }
    let change = Change {
        who: by.who,
        action: "remove-virtual-account",
        object: &virtual_account.name,
        before: Some(json!({ "description": virtual_account.description })),
        after: None,
    };
    journal::audit(tx, Place { account, va }, change, by.now).await?;
    Ok(())
}
