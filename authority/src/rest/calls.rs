//! What each operation does.

use serde_json::json;

use super::{Answer, Call, openapi as document, unquoted};
use crate::admin::devices::{self, Move, Page};
use crate::admin::licenses::{self, Transfer};
use crate::admin::orders::NewOrder;
use crate::admin::records::{self, Before};
use crate::admin::{
    Problem, accounts, invalid, not_found, orders, pools, sessions, text_of, tokens, transfers,
    users,
};
use crate::authority::Authority;
use crate::instances::Instance;
use crate::journal::Place;
use crate::pki::pem;
use crate::roles::{Action, allowed};
use crate::smart::SmartError;
use crate::store::{self, Tx};

type Answered = Result<Answer, Problem>;

/// A message of a Smart Agent.
pub(crate) async fn smart(call: Call) -> Answered {
    let peer = call.peer.as_deref();
    match call.authority.answer(&call.body, peer, call.now).await {
        Ok(octets) => Ok(Answer::Octets("application/json", octets.into())),
        Err(SmartError::Wire(error)) => invalid(unquoted(&error.to_string())),
        Err(SmartError::Pki(error)) => Err(error.into()),
    }
}

/// Whether the store answers.
pub(crate) async fn health(call: Call) -> Answered {
    let mut tx = call.authority.store.read().await?;
    let instances: i64 =
        store::query_scalar("SELECT count(*) FROM (SELECT 1 FROM instances LIMIT 1) x")
            .fetch_one(&mut tx)
            .await?;
    Answer::ok(&json!({
        "status": "OK",
        "version": env!("CARGO_PKG_VERSION"),
        "lab": call.authority.speedup.is_some(),
        "time": text_of(call.now.wall.0),
        "date": text_of(call.now.date.0),
        "inUse": instances > 0,
    }))
}

/// The OpenAPI document.
pub(crate) async fn openapi(_: Call) -> Answered {
    let text = document::document().to_string();
    Ok(Answer::Octets("application/json", text.into()))
}

/// The root.
pub(crate) async fn roots(call: Call) -> Answered {
    let root = pem("CERTIFICATE", call.authority.root());
    Answer::ok(&json!({
        "fingerprint": call.authority.fingerprint().to_string(),
        "pem": root.as_str(),
    }))
}

/// The revocation list.
pub(crate) async fn crl(call: Call) -> Answered {
    let crl = call.authority.crl(call.now).await?;
    Ok(Answer::Octets("application/pkix-crl", crl))
}

/// What is licensed.
pub(crate) async fn catalog(call: Call) -> Answered {
    let tags = call.authority.tags.list();
    let tags = tags.into_iter().map(|(tag, sold)| {
        json!({
            "license": sold.name,
            "tag": tag.as_str(),
            "description": sold.description,
            "kind": if sold.feature { "FEATURE" } else { "SERVICE" },
        })
    });
    Answer::ok(&json!({ "licenses": tags.collect::<Vec<_>>() }))
}

/// The first account.
pub(crate) async fn set_up(call: Call) -> Answered {
    let account = accounts::set_up(&call.authority, call.json()?, call.now).await?;
    Answer::made(&account)
}

/// A session.
pub(crate) async fn login(call: Call) -> Answered {
    let session = sessions::login(&call.authority, call.json()?, call.now).await?;
    Answer::made(&session)
}

/// Ends the session that it is called with.
pub(crate) async fn logout(call: Call) -> Answered {
    let caller = call.caller()?;
    let mut tx = call.authority.store.write().await?;
    sessions::revoke_token(&mut tx, caller, caller.token, call.now).await?;
    tx.commit().await?;
    Ok(Answer::Empty)
}

/// One's own password.
pub(crate) async fn change_password(call: Call) -> Answered {
    let edit = call.json()?;
    sessions::set_password(&call.authority, call.caller()?, edit, call.now).await?;
    Ok(Answer::Empty)
}

/// One's own API tokens.
pub(crate) async fn list_api_tokens(call: Call) -> Answered {
    let mut tx = call.authority.store.read().await?;
    let tokens = sessions::tokens(&mut tx, call.caller()?, call.now).await?;
    Answer::ok(&json!({ "apiTokens": tokens }))
}

/// An API token.
pub(crate) async fn make_api_token(call: Call) -> Answered {
    let new = call.json()?;
    let mut tx = call.authority.store.write().await?;
    let made = sessions::make_token(&mut tx, call.caller()?, new, call.now).await?;
    tx.commit().await?;
    Answer::made(&made)
}

/// Revokes an API token.
pub(crate) async fn revoke_api_token(call: Call) -> Answered {
    let id = call.number("apiToken")?;
    let mut tx = call.authority.store.write().await?;
    sessions::revoke_token(&mut tx, call.caller()?, id, call.now).await?;
    tx.commit().await?;
    Ok(Answer::Empty)
}

/// Accounts of the caller.
pub(crate) async fn list_accounts(call: Call) -> Answered {
    let mut tx = call.authority.store.read().await?;
    let accounts = accounts::of_user(&mut tx, call.caller()?.id).await?;
    Answer::ok(&json!({ "accounts": accounts }))
}

impl Call {
    fn take_account(&mut self) -> Result<accounts::Account, Problem> {
        let account = self.account.take();
        account.ok_or_else(|| Problem::NotFound("Smart Account of this domain".into()))
    }

    fn take_virtual(&mut self) -> Result<accounts::VirtualAccount, Problem> {
        let found = self.virtual_account.take();
        found.ok_or_else(|| Problem::NotFound("virtual account of this name".into()))
    }

    /// The virtual accounts of the path in which the caller may do this.
    async fn visible(
        &self,
        tx: &mut Tx,
        action: Action,
    ) -> Result<Vec<accounts::VirtualAccount>, Problem> {
        let Place { account, va } = self.place;
        let held = &self.caller()?.held;
        let all = accounts::virtual_accounts(tx, account).await?;
        let here = all.into_iter().filter(|one| va == 0 || one.id == va);
        let may = here.filter(|one| allowed(held, action, account, one.id));
        Ok(may.collect())
    }

    /// A virtual account that is named in the body, in which the caller may do this, too.
    async fn target(
        &self,
        tx: &mut Tx,
        name: &str,
        action: Action,
    ) -> Result<(i64, String), Problem> {
        let found = accounts::find_virtual(tx, self.place.account, name).await?;
        if !allowed(&self.caller()?.held, action, self.place.account, found.id) {
            let why = format!("your roles don't allow this in the virtual account {name:?}");
            return Err(Problem::Forbidden(why));
        }
        Ok((found.id, found.name))
    }

    /// The instance of the path, if it is where the path says.
    async fn device(&self, tx: &mut Tx) -> Result<Instance, Problem> {
        let found = devices::find(tx, self.place.account, self.part("device")?).await?;
        match self.place.va == 0 || self.place.va == found.place.va {
            true => Ok(found),
            false => not_found("product instance of this identifier"),
        }
    }

    fn before(&self) -> Result<Before, Problem> {
        Ok(Before {
            id: self.query_number("before", 0, i64::MAX)?,
            limit: self.limit()?,
        })
    }
}

/// An account.
pub(crate) async fn get_account(mut call: Call) -> Answered {
    Answer::ok(&call.take_account()?)
}

/// Changes an account.
pub(crate) async fn edit_account(mut call: Call) -> Answered {
    let (account, edit) = (call.take_account()?, call.json()?);
    let mut tx = call.authority.store.write().await?;
    let account = accounts::edit(&mut tx, account, edit, call.by()?).await?;
    tx.commit().await?;
    Answer::ok(&account)
}

/// Approves the terms.
pub(crate) async fn approve_terms(mut call: Call) -> Answered {
    let account = call.take_account()?;
    let mut tx = call.authority.store.write().await?;
    let account = accounts::approve_terms(&mut tx, account, call.by()?).await?;
    tx.commit().await?;
    Answer::ok(&account)
}

/// Virtual accounts.
pub(crate) async fn list_virtual_accounts(call: Call) -> Answered {
    let mut tx = call.authority.store.read().await?;
    let found = call.visible(&mut tx, Action::SeeAccount).await?;
    Answer::ok(&json!({ "virtualAccounts": found }))
}

/// Makes a virtual account.
pub(crate) async fn add_virtual_account(call: Call) -> Answered {
    let new = call.json()?;
    let mut tx = call.authority.store.write().await?;
    let made = accounts::add_virtual(&mut tx, call.place.account, new, call.by()?).await?;
    tx.commit().await?;
    Answer::made(&made)
}

/// Changes a virtual account.
pub(crate) async fn edit_virtual_account(mut call: Call) -> Answered {
    let (before, edit) = (call.take_virtual()?, call.json()?);
    let mut tx = call.authority.store.write().await?;
    let account = call.place.account;
    let after = accounts::edit_virtual(&mut tx, account, before, edit, call.by()?).await?;
    tx.commit().await?;
    Answer::ok(&after)
}

/// Removes a virtual account.
pub(crate) async fn remove_virtual_account(mut call: Call) -> Answered {
    let gone = call.take_virtual()?;
    let mut tx = call.authority.store.write().await?;
    accounts::remove_virtual(&mut tx, call.place.account, gone, call.by()?).await?;
    tx.commit().await?;
    Ok(Answer::Empty)
}

/// Users.
pub(crate) async fn list_users(call: Call) -> Answered {
    let mut tx = call.authority.store.read().await?;
    let users = users::list(&mut tx, call.place).await?;
    Answer::ok(&json!({ "users": users }))
}

/// Makes a user.
pub(crate) async fn add_user(call: Call) -> Answered {
    let mut new: users::NewUser = call.json()?;
    let password = new.password(&call.authority.door).await?;
    let mut tx = call.authority.store.write().await?;
    let made = users::add(&mut tx, call.place, &new, &password, call.by()?).await?;
    tx.commit().await?;
    Answer::made(&made)
}

/// Gives a user a role.
pub(crate) async fn edit_user(call: Call) -> Answered {
    let edit = call.json()?;
    let mut tx = call.authority.store.write().await?;
    let user = users::edit(&mut tx, call.place, call.part("user")?, edit, call.by()?).await?;
    tx.commit().await?;
    Answer::ok(&user)
}

/// Gives a user another password.
pub(crate) async fn reset_password(call: Call) -> Answered {
    let (caller, reset) = (call.caller()?, call.json()?);
    let (authority, name): (&Authority, _) = (&call.authority, call.part("user")?);
    users::reset_password(authority, caller, call.place, name, reset, call.now).await?;
    Ok(Answer::Empty)
}

/// Disables a user, or enables him.
pub(crate) async fn disable_user(call: Call) -> Answered {
    let (caller, state) = (call.caller()?, call.json()?);
    let mut tx = call.authority.store.write().await?;
    let name = call.part("user")?;
    let user = users::set_disabled(&mut tx, caller, call.place, name, state, call.now).await?;
    tx.commit().await?;
    Answer::ok(&user)
}

/// Takes a user's role.
pub(crate) async fn remove_user(call: Call) -> Answered {
    let mut tx = call.authority.store.write().await?;
    users::remove(&mut tx, call.place, call.part("user")?, call.by()?).await?;
    tx.commit().await?;
    Ok(Answer::Empty)
}

/// Registration tokens.
pub(crate) async fn list_tokens(call: Call) -> Answered {
    let mut tx = call.authority.store.read().await?;
    let tokens = tokens::list(&mut tx, call.place.va, call.by()?).await?;
    Answer::ok(&json!({ "tokens": tokens }))
}

/// Makes a registration token.
pub(crate) async fn make_token(call: Call) -> Answered {
    let new = call.json()?;
    let mut tx = call.authority.store.write().await?;
    let made = tokens::make(&mut tx, call.place, new, call.by()?).await?;
    tx.commit().await?;
    Answer::made(&made)
}

/// Revokes a registration token.
pub(crate) async fn revoke_token(call: Call) -> Answered {
    let id = call.number("token")?;
    let mut tx = call.authority.store.write().await?;
    tokens::revoke(&mut tx, call.place, id, call.by()?).await?;
    tx.commit().await?;
    Ok(Answer::Empty)
}

/// What is ordered here.
pub(crate) async fn list_orders(call: Call) -> Answered {
    let mut tx = call.authority.store.read().await?;
    let listed = orders::list(&call.authority, &mut tx, call.place.va, call.by()?).await?;
    Answer::ok(&json!({ "orders": listed }))
}

/// Issues an order.
pub(crate) async fn issue_order(call: Call) -> Answered {
    let new: NewOrder = call.json()?;
    let mut tx = call.authority.store.write().await?;
    let device = match &new.device {
        Some(piid) => Some(devices::find(&mut tx, call.place.account, piid).await?),
        None => None,
    };
    let (device, by) = (device.as_ref(), call.by()?);
    let made = orders::issue(&call.authority, &mut tx, call.place, device, &new, by).await?;
    tx.commit().await?;
    Answer::made(&made)
}

/// Withdraws an order.
pub(crate) async fn withdraw_order(call: Call) -> Answered {
    let id = call.number("order")?;
    let mut tx = call.authority.store.write().await?;
    orders::withdraw(&call.authority, &mut tx, call.place, id, call.by()?).await?;
    tx.commit().await?;
    Ok(Answer::Empty)
}

/// Licenses.
pub(crate) async fn list_licenses(call: Call) -> Answered {
    let offset = call.query_number("offset", 0, 1_000_000)?;
    let (offset, limit) = (usize_of(offset), usize_of(call.limit()?));
    let mut tx = call.authority.store.read().await?;
    let here = virtual_accounts(&call, &mut tx).await?;
    let keys = pools::keys(&mut tx, here).await?;
    let from = offset.min(keys.len());
    let page = &keys[from..keys.len().min(from + limit)];
    let pools = pools::pools(&call.authority, &mut tx, page, call.now).await?;
    Answer::ok(&json!({ "licenses": pools }))
}

/// Numbers and names of the virtual accounts whose licenses the caller may see.
pub(crate) async fn virtual_accounts(
    call: &Call,
    tx: &mut Tx,
) -> Result<Vec<(i64, String)>, Problem> {
    let here = call.visible(tx, Action::SeeLicenses).await?;
    Ok(here.into_iter().map(|one| (one.id, one.name)).collect())
}

fn usize_of(number: i64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// Enters licenses.
pub(crate) async fn add_licenses(call: Call) -> Answered {
    let new = call.json()?;
    let mut tx = call.authority.store.write().await?;
    let made = licenses::add(&call.authority, &mut tx, call.place, new, call.by()?).await?;
    tx.commit().await?;
    Answer::made(&made)
}

/// Changes an entry of licenses.
pub(crate) async fn edit_licenses(call: Call) -> Answered {
    let (id, edit) = (call.number("license")?, call.json()?);
    let mut tx = call.authority.store.write().await?;
    let authority: &Authority = &call.authority;
    let after = licenses::edit(authority, &mut tx, call.place, id, Some(edit), call.by()?).await?;
    tx.commit().await?;
    Answer::ok(&after)
}

/// Removes an entry of licenses.
pub(crate) async fn remove_licenses(call: Call) -> Answered {
    let id = call.number("license")?;
    let mut tx = call.authority.store.write().await?;
    let authority: &Authority = &call.authority;
    licenses::edit(authority, &mut tx, call.place, id, None, call.by()?).await?;
    tx.commit().await?;
    Ok(Answer::Empty)
}

/// Moves licenses.
pub(crate) async fn transfer_licenses(call: Call) -> Answered {
    let transfer: Transfer = call.json()?;
    let mut tx = call.authority.store.write().await?;
    let mut items = Vec::with_capacity(transfer.licenses.len());
    for item in transfer.licenses {
        let name = item.target_virtual_account.clone();
        let target = call.target(&mut tx, &name, Action::ManageLicenses).await?;
        items.push((item, target.0));
    }
    licenses::transfer(&call.authority, &mut tx, call.place, &items, call.by()?).await?;
    tx.commit().await?;
    Ok(Answer::Empty)
}

/// Exact grants, or none.
pub(crate) async fn set_grants(call: Call) -> Answered {
    let edit = call.json()?;
    let mut tx = call.authority.store.write().await?;
    pools::set_grants(&call.authority, &mut tx, call.place, edit, call.by()?).await?;
    tx.commit().await?;
    Ok(Answer::Empty)
}

/// Instances.
pub(crate) async fn list_devices(call: Call) -> Answered {
    let page = Page {
        after: call.query_number("after", 0, i64::MAX)?,
        limit: call.limit()?,
        gone: call.flag("gone")?,
    };
    let mut tx = call.authority.store.read().await?;
    let devices = devices::list(&call.authority, &mut tx, call.place, page).await?;
    let full = devices.len() >= usize_of(page.limit);
    let next = devices.last().filter(|_| full).map(|last| last.id);
    Answer::ok(&json!({ "devices": devices, "next": next }))
}

/// An instance.
pub(crate) async fn get_device(call: Call) -> Answered {
    let mut tx = call.authority.store.read().await?;
    let found = call.device(&mut tx).await?;
    Answer::ok(&devices::show(&call.authority, &mut tx, &found).await?)
}

/// Removes an instance.
pub(crate) async fn remove_device(call: Call) -> Answered {
    let mut tx = call.authority.store.write().await?;
    let found = call.device(&mut tx).await?;
    devices::remove(&call.authority, &mut tx, &found, call.by()?).await?;
    tx.commit().await?;
    Ok(Answer::Empty)
}

/// Moves an instance.
pub(crate) async fn transfer_device(call: Call) -> Answered {
    let to: Move = call.json()?;
    let mut tx = call.authority.store.write().await?;
    let found = call.device(&mut tx).await?;
    let target = call.target(&mut tx, &to.target_virtual_account, Action::ManageInstances);
    let target = target.await?;
    devices::transfer(&call.authority, &mut tx, &found, &target, call.by()?).await?;
    let moved = devices::find(&mut tx, call.place.account, &found.piid).await?;
    let moved = devices::show(&call.authority, &mut tx, &moved).await?;
    tx.commit().await?;
    Answer::ok(&moved)
}

/// Alerts.
pub(crate) async fn list_alerts(call: Call) -> Answered {
    let (before, cleared) = (call.before()?, call.flag("cleared")?);
    let mut tx = call.authority.store.read().await?;
    let alerts = records::alerts(&mut tx, call.place, cleared, before).await?;
    let full = alerts.len() >= usize_of(before.limit);
    let next = alerts.last().filter(|_| full).map(|last| last.id);
    Answer::ok(&json!({ "alerts": alerts, "next": next }))
}

/// Events.
pub(crate) async fn list_events(call: Call) -> Answered {
    let before = call.before()?;
    let mut tx = call.authority.store.read().await?;
    let events = records::events(&mut tx, call.place, before).await?;
    let full = events.len() >= usize_of(before.limit);
    let next = events.last().filter(|_| full).map(|last| last.id);
    Answer::ok(&json!({ "events": events, "next": next }))
}

/// The audit log.
pub(crate) async fn list_audit(call: Call) -> Answered {
    let before = call.before()?;
    let mut tx = call.authority.store.read().await?;
    let changes = records::audit(&mut tx, call.place, before).await?;
    let full = changes.len() >= usize_of(before.limit);
    let next = changes.last().filter(|_| full).map(|last| last.id);
    Answer::ok(&json!({ "audit": changes, "next": next }))
}

/// What moved between virtual accounts.
pub(crate) async fn list_transfers(call: Call) -> Answered {
    let before = call.before()?;
    let mut tx = call.authority.store.read().await?;
    let moved = transfers::list(&mut tx, call.place, before).await?;
    let full = moved.len() >= usize_of(before.limit);
    let next = moved.last().filter(|_| full).map(|last| last.id);
    Answer::ok(&json!({ "transfers": moved, "next": next }))
}
