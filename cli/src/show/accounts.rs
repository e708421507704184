//! `show administrators`: who may log in, and where.

use api::AccountRow;
use eventlog::printable;
use serde_json::{Value, json};

use super::View;
use super::text::{field, stamp};

/// As text.
pub fn text(view: &View) -> String {
    let view = &view.accounts;
    let served = match (view.listen, &view.host_key) {
        (Some(at), Some(key)) => format!("{at}, host key {key}"),
        _ => "not served".to_owned(),
    };
    let mut out = field("SSH", &served);
    let sessions = format!("{} of at most {}", view.sessions, view.sessions_max);
    out.push_str(&field("Sessions", &sessions));
    let lockout = format!(
        "after {} wrong passwords, for {} s",
        view.failures_max, view.lockout_s
    );
    out.push_str(&field("Lock-out", &lockout));
    if view.accounts.is_empty() {
        out.push_str("There is no account: nobody can log in by SSH.\n");
    }
    for account in &view.accounts {
        out.push_str(&row(account));
    }
    out
}

fn row(account: &AccountRow) -> String {
    let by = match (account.password, account.keys) {
        (true, 0) => "password".to_owned(),
        (true, keys) => format!("password, {keys} keys"),
        (false, 0) => "nothing: its password can't be used".to_owned(),
        (false, keys) => format!("{keys} keys"),
    };
    let mut out = format!("{} ({})\n", printable(&account.name), account.privilege);
    out.push_str(&format!("  logs in by {by}\n"));
    match account.locked_s {
        Some(left) => out.push_str(&format!("  LOCKED for {left} s yet\n")),
        None if account.failures > 0 => {
            out.push_str(&format!("  {} wrong passwords\n", account.failures));
        }
        None => {}
    }
    match (account.last_login, &account.last_from) {
        (Some(at), Some(from)) => {
            out.push_str(&format!("  last login {} from {from}\n", stamp(at)));
        }
        _ => out.push_str("  no login since the node began\n"),
    }
    out
}

/// As data.
pub fn json(view: &View) -> Value {
    json!(view.accounts)
}
