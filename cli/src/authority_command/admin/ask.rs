//! What each command asks of the API, and what is printed of the answer.

use std::path::{Path, PathBuf};

use api::Failure;
use clap::ValueEnum;
use serde_json::{Value, json};

use super::rows::{self, Listing};
use crate::authority_command::args::{
    Account, Admin, ApiTokens, Instances, Issue, Licenses, Orders, Report, Switch, To, Tokens,
    Users, VirtualAccounts,
};
use crate::console::Terminal;
use crate::secrets::{new_password, secret};

/// A call of the API.
pub struct Ask {
    pub verb: &'static str,
    pub scope: Scope,
    /// What follows the scope.
    pub path: String,
    pub body: Option<Value>,
    pub show: Show,
    /// What it deletes.
    pub deletes: Option<String>,
}

/// Where its path begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// At `/v1`, whoever asks.
    Open,
    /// At `/v1`, logged in.
    Root,
    /// At the Smart Account.
    Account,
    /// At the virtual account.
    Virtual,
    /// At the virtual account that was named, else at the Smart Account.
    Either,
}

/// What is printed.
pub enum Show {
    /// Rows.
    Rows(&'static Listing),
    /// All keys of one thing.
    One,
    /// That it is done.
    Said(String),
    /// A token, once; or it goes into this file.
    Token(Option<PathBuf>),
    /// The token of a session is kept.
    Session(String),
    /// The session is over.
    Over,
    /// Lines as they come, or a table of them.
    Lines(&'static Listing),
}

fn get(scope: Scope, path: impl Into<String>, show: Show) -> Ask {
    Ask {
        verb: "GET",
        scope,
        path: path.into(),
        body: None,
        show,
        deletes: None,
    }
}

fn list(scope: Scope, path: &str, listing: &'static Listing) -> Ask {
    get(scope, path, Show::Rows(listing))
}

fn send(verb: &'static str, scope: Scope, path: impl Into<String>, body: Value) -> Ask {
    Ask {
        verb,
        body: Some(body),
        ..get(scope, path, Show::Said("done".into()))
    }
}

fn delete(scope: Scope, path: impl Into<String>, what: String) -> Ask {
    Ask {
        verb: "DELETE",
        deletes: Some(what.clone()),
        ..get(scope, path, Show::Said(format!("{what}: done")))
    }
}

impl Ask {
    fn saying(mut self, said: String) -> Self {
        self.show = Show::Said(said);
        self
    }

    fn giving(mut self, out: Option<PathBuf>) -> Self {
        self.show = Show::Token(out);
        self
    }

    /// A log-in.
    pub fn login(user: &str, password: &str) -> Self {
        let body = json!({ "user": user, "password": password });
        let mut ask = send("POST", Scope::Open, "/login", body);
        ask.show = Show::Session(user.to_owned());
        ask
    }
}

/// One segment of a path (RFC 3986, section 2.3).
pub fn segment(text: &str) -> String {
    let coded = text.bytes().map(|b| match b {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(b).to_string()
        }
        other => format!("%{other:02X}"),
    });
    coded.collect()
}

/// What a command asks, one after the other; secrets are asked for here. None for `trust`, which asks nobody.
pub fn of(admin: &Admin) -> Result<Vec<Ask>, Failure> {
    let one = match admin {
        Admin::Trust { .. } => return Ok(Vec::new()),
        Admin::SetUp {
            domain,
            name,
            user,
            secret_file,
            password,
        } => {
            let set_up = secret(secret_file.as_deref(), "Set-up secret: ", &mut Terminal)?;
            let password = new_password(password.password_file.as_deref())?;
            let body = json!({
                "secret": set_up, "domain": domain, "name": name, "user": user, "password": password,
            });
            let made = send("POST", Scope::Open, "/setup", body);
            let made = made.saying(format!(
                "the Smart Account {domain} is made; {user} administers it"
            ));
            return Ok(vec![made, Ask::login(user, &password)]);
        }
        Admin::Login { user, password } => {
            let password = secret(
                password.password_file.as_deref(),
                "Password: ",
                &mut Terminal,
            )?;
            Ask::login(user, &password)
        }
        Admin::Logout => Ask {
            show: Show::Over,
            ..send("POST", Scope::Root, "/logout", Value::Null)
        },
        Admin::Password {
            old_password_file,
            password,
            keep_api_tokens,
        } => {
            let old = secret(
                old_password_file.as_deref(),
                "Old password: ",
                &mut Terminal,
            )?;
            let new = new_password(password.password_file.as_deref())?;
            let body = json!({ "old": old, "new": new, "keepApiTokens": keep_api_tokens });
            send("PUT", Scope::Root, "/password", body).saying("the password is changed".into())
        }
        Admin::Account(account) => of_account(account),
        Admin::VirtualAccounts(accounts) => of_virtual_accounts(accounts),
        Admin::Users(users) => of_users(users)?,
        Admin::Licenses(licenses) => of_licenses(licenses),
        Admin::Tokens(tokens) => of_tokens(tokens),
        Admin::ApiTokens(tokens) => of_api_tokens(tokens),
        Admin::Instances(instances) => of_instances(instances),
        Admin::Orders(orders) => of_orders(orders)?,
        Admin::Alerts { cleared } => {
            let path = format!("/alerts?cleared={cleared}");
            list(Scope::Either, &path, &rows::ALERTS)
        }
        Admin::Events => list(Scope::Either, "/events", &rows::EVENTS),
        Admin::Audit => list(Scope::Either, "/audit", &rows::AUDIT),
        Admin::Transfers => list(Scope::Either, "/transfers", &rows::TRANSFERS),
        Admin::Catalog => list(Scope::Root, "/catalog", &rows::CATALOG),
        Admin::Report { of } => {
            let path = format!("/reports/{}", word(*of));
            let listing = match of {
                Report::Licenses => &rows::LICENSES,
                Report::Devices => &rows::INSTANCES,
                Report::Usage => &rows::USAGE,
                Report::Audit => &rows::AUDIT,
                Report::Transfers => &rows::TRANSFERS,
            };
            get(Scope::Either, path, Show::Lines(listing))
        }
    };
    Ok(vec![one])
}

fn of_account(account: &Account) -> Ask {
    match account {
        Account::List => list(Scope::Root, "/accounts", &rows::ACCOUNTS),
        Account::Rename { name } => send("PATCH", Scope::Account, "", json!({ "name": name }))
            .saying(format!("the Smart Account is named {name}")),
        Account::ApproveTerms => send("PUT", Scope::Account, "/terms", Value::Null)
            .saying("the licensing terms are approved".into()),
    }
}

fn of_virtual_accounts(accounts: &VirtualAccounts) -> Ask {
    const PATH: &str = "/virtual-accounts";
    let path = |name: &str| format!("{PATH}/{}", segment(name));
    match accounts {
        VirtualAccounts::List => list(Scope::Account, PATH, &rows::VIRTUAL_ACCOUNTS),
        VirtualAccounts::Add { name, description } => {
            let body = json!({ "name": name, "description": description });
            send("POST", Scope::Account, PATH, body)
                .saying(format!("the virtual account {name} is made"))
        }
        VirtualAccounts::Edit {
            name,
            to,
            description,
        } => {
            let body = json!({ "name": to, "description": description });
            let to = to.as_ref().unwrap_or(name);
            send("PATCH", Scope::Account, path(name), body)
                .saying(format!("the virtual account {to} is changed"))
        }
        VirtualAccounts::Remove { name } => delete(
            Scope::Account,
            path(name),
            format!("remove the virtual account {name}"),
        ),
    }
}

fn of_users(users: &Users) -> Result<Ask, Failure> {
    let path = |name: &str| format!("/users/{}", segment(name));
    Ok(match users {
        Users::List => list(Scope::Either, "/users", &rows::USERS),
        Users::Add {
            name,
            role,
            password,
        } => {
            let password = new_password(password.password_file.as_deref())?;
            let body = json!({ "name": name, "password": password, "role": constant(*role) });
            send("POST", Scope::Either, "/users", body).saying(format!("the user {name} is made"))
        }
        Users::Role { name, role } => {
            let body = json!({ "role": constant(*role) });
            send("PUT", Scope::Either, path(name), body)
                .saying(format!("{name} is {} here", word(*role)))
        }
        Users::Password { name, password } => {
            let password = new_password(password.password_file.as_deref())?;
            let body = json!({ "password": password });
            let path = format!("{}/password", path(name));
            send("PUT", Scope::Either, path, body).saying(format!(
                "{name} has another password, and is logged in nowhere"
            ))
        }
        Users::Disable { name } => {
            let path = format!("{}/disabled", path(name));
            send("PUT", Scope::Either, path, json!({ "disabled": true }))
                .saying(format!("{name} can't log in, and is logged in nowhere"))
        }
        Users::Enable { name } => {
            let path = format!("{}/disabled", path(name));
            send("PUT", Scope::Either, path, json!({ "disabled": false }))
                .saying(format!("{name} can log in again"))
        }
        Users::Remove { name } => delete(
            Scope::Either,
            path(name),
            format!("take the role of {name} here"),
        ),
    })
}

fn of_licenses(licenses: &Licenses) -> Ask {
    let path = |entry: &u64| format!("/licenses/{entry}");
    match licenses {
        Licenses::List => list(Scope::Either, "/licenses", &rows::LICENSES),
        Licenses::Entries => list(Scope::Either, "/licenses", &rows::ENTRIES),
        Licenses::Add {
            license,
            quantity,
            starts,
            ends,
            subscription,
            usage,
        } => {
            let mut body = json!({
                "license": license,
                "quantity": quantity,
                "licenseType": if ends.is_some() { "TERM" } else { "PERPETUAL" },
                "startDate": starts,
                "endDate": ends,
                "billingType": if *usage { "USAGE" } else { "PREPAID" },
            });
            if let Some(subscription) = subscription {
                body["subscriptionId"] = json!(subscription);
            }
            send("POST", Scope::Virtual, "/licenses", body)
                .saying(format!("{quantity} of {license} are entered"))
        }
        Licenses::Edit { entry, quantity } => {
            let body = json!({ "quantity": quantity });
            send("PATCH", Scope::Virtual, path(entry), body)
                .saying(format!("entry {entry} is {quantity} licenses"))
        }
        Licenses::Remove { entry } => delete(
            Scope::Virtual,
            path(entry),
            format!("remove entry {entry} of licenses"),
        ),
        Licenses::Transfer {
            license,
            quantity,
            to,
        } => {
            let item =
                json!({ "license": license, "quantity": quantity, "targetVirtualAccount": to });
            let body = json!({ "licenses": [item] });
            send("POST", Scope::Virtual, "/licenses/transfer", body)
                .saying(format!("{quantity} of {license} are moved to {to}"))
        }
        Licenses::Grants { license, grants } => {
            let on = *grants == Switch::On;
            let body = json!({ "license": license, "grants": on });
            let how = if on {
                "with exact grants"
            } else {
                "with verdicts alone"
            };
            send("PUT", Scope::Virtual, "/grants", body)
                .saying(format!("the pool of {license} answers {how}"))
        }
    }
}

fn of_tokens(tokens: &Tokens) -> Ask {
    match tokens {
        Tokens::List => list(Scope::Virtual, "/tokens", &rows::TOKENS),
        Tokens::Create {
            days,
            uses,
            description,
            out,
        } => {
            let body =
                json!({ "expiresAfterDays": days, "usesMax": uses, "description": description });
            send("POST", Scope::Virtual, "/tokens", body).giving(out.clone())
        }
        Tokens::Revoke { id } => delete(
            Scope::Virtual,
            format!("/tokens/{id}"),
            format!("revoke registration token {id}"),
        ),
    }
}

fn of_api_tokens(tokens: &ApiTokens) -> Ask {
    match tokens {
        ApiTokens::List => list(Scope::Root, "/api-tokens", &rows::API_TOKENS),
        ApiTokens::Create { name, days, out } => {
            let body = json!({ "name": name, "expiresAfterDays": days });
            send("POST", Scope::Root, "/api-tokens", body).giving(out.clone())
        }
        ApiTokens::Revoke { id } => delete(
            Scope::Root,
            format!("/api-tokens/{id}"),
            format!("revoke API token {id}"),
        ),
    }
}

fn of_instances(instances: &Instances) -> Ask {
    let path = |instance: &str| format!("/devices/{}", segment(instance));
    match instances {
        Instances::List { gone } => {
            let path = format!("/devices?gone={gone}");
            list(Scope::Either, &path, &rows::INSTANCES)
        }
        Instances::Show { instance } => get(Scope::Either, path(instance), Show::One),
        Instances::Remove { instance } => delete(
            Scope::Either,
            path(instance),
            format!("remove the product instance {instance}"),
        ),
        Instances::Transfer { instance, to } => {
            let body = json!({ "targetVirtualAccount": to });
            let path = format!("{}/transfer", path(instance));
            send("POST", Scope::Either, path, body)
                .saying(format!("the product instance {instance} is moved to {to}"))
        }
    }
}

fn of_orders(orders: &Orders) -> Result<Ask, Failure> {
    Ok(match orders {
        Orders::List => list(Scope::Virtual, "/orders", &rows::ORDERS),
        Orders::Issue(issue) => {
            let (about, body) = order(issue)?;
            send("POST", Scope::Virtual, "/orders", body).saying(format!(
                "the order about {about} is issued; nodes get it with their next message"
            ))
        }
        Orders::Withdraw { id } => delete(
            Scope::Virtual,
            format!("/orders/{id}"),
            format!("withdraw order {id}"),
        ),
    })
}

fn catalog(file: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(file).map_err(|error| {
        let what = format!("the catalog can't be read: {error}");
        Failure::new(what, file.display().to_string(), "name a file of TOML")
    })
}

/// What an order is about, and the body that issues it. Errors: its file can't be read.
fn order(issue: &Issue) -> Result<(String, Value), Failure> {
    let (license, To { instance, until }) = match issue {
        Issue::Rule { license, to, .. } | Issue::Shadow { license, to, .. } => (Some(license), to),
        Issue::Catalog { to, .. } => (None, to),
    };
    let mut body = json!({ "license": license, "device": instance, "expiresAt": until });
    match issue {
        Issue::Rule {
            on_ooc, grace_days, ..
        } => {
            body["kind"] = json!("RULE");
            body["onOoc"] = json!(constant(*on_ooc));
            body["graceDays"] = json!(grace_days);
        }
        Issue::Shadow { mode, percent, .. } => {
            body["kind"] = json!("SHADOW");
            body["mode"] = json!(constant(*mode));
            body["percent"] = json!(percent);
        }
        Issue::Catalog { file, .. } => {
            body["kind"] = json!("CATALOG");
            body["catalog"] = json!(catalog(file)?);
        }
    }
    let about = license.map_or("the catalog", |license| license.as_str());
    Ok((about.to_owned(), body))
}

/// As it is typed: `smart-account-user`.
fn word(value: impl ValueEnum) -> String {
    let possible = value.to_possible_value();
    possible.map_or_else(String::new, |value| value.get_name().to_owned())
}

/// As the API has it: `SMART_ACCOUNT_USER`.
fn constant(value: impl ValueEnum) -> String {
    word(value).replace('-', "_").to_uppercase()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authority_command::args::Role;

    #[test]
    fn names_are_one_segment_of_a_path_and_roles_are_as_the_api_has_them() {
        assert_eq!(segment("a/b c?é"), "a%2Fb%20c%3F%C3%A9");
        assert_eq!(
            constant(Role::VirtualAccountAdministrator),
            "VIRTUAL_ACCOUNT_ADMINISTRATOR"
        );
        assert_eq!(word(Role::SmartAccountUser), "smart-account-user");
    }

    #[test]
    fn licenses_with_an_end_are_a_term() {
        let add = |ends: Option<&str>| Licenses::Add {
            license: "PGW".into(),
            quantity: 3,
            starts: None,
            ends: ends.map(str::to_owned),
            subscription: None,
            usage: false,
        };
        let kind = |ask: Ask| ask.body.unwrap()["licenseType"].clone();
        assert_eq!(kind(of_licenses(&add(None))), "PERPETUAL");
        assert_eq!(
            kind(of_licenses(&add(Some("2027-01-01T00:00:00Z")))),
            "TERM"
        );
    }

    #[test]
    fn what_deletes_says_what() {
        let ask = of_tokens(&Tokens::Revoke { id: 7 });
        assert_eq!((ask.verb, ask.path.as_str()), ("DELETE", "/tokens/7"));
        assert_eq!(ask.deletes.as_deref(), Some("revoke registration token 7"));
        assert!(of_tokens(&Tokens::List).deletes.is_none());
    }
}
