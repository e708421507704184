//! `snmp target`, `community`, `user` and `trap`: kept first, then handed to the thread of SNMP.

use api::{
    Failure, Reply, SnmpCommand, SnmpEntry, SnmpPassword, SnmpTargetSetting, SnmpUserSetting,
};
use axum::http::StatusCode;
use snmp::notifications::Which;
use snmp::usm::{AuthProtocol, EngineId, Secret};
use tokio::sync::{mpsc, oneshot};
use toml::{Table, Value};
use zeroize::Zeroizing;

use super::settings::Handed;
use super::{Interface, Refused, settings};
use crate::config::{Snmp, auth_named, is_secret, written};
use crate::settings::{Changed, Edit, Setting};
use crate::snmp::{ChangeError, SnmpAsk};

/// What a command does to the settings.
type Change = Box<dyn FnOnce(&mut Edit) + Send>;

impl Interface {
    /// `snmp target`, `community`, `user` and `trap`, and their `no` forms.
    pub(super) async fn set_snmp(&self, command: SnmpCommand) -> Result<Reply, Refused> {
        let words = command.words();
        if self.vitals.snmp_stalled(self.clock.now().mono) {
            return Err(no_snmp("SNMP does not work; nothing has changed"));
        }
        let name = command.name().to_owned();
        let edit = change(command, &self.config.snmp.engine).map_err(|(what, todo)| {
            let what = format!("{what}; nothing has changed");
            (StatusCode::BAD_REQUEST, Failure::new(what, words, todo))
        })?;
        let asks = self.snmp_asks.clone();
        let hand_over = move |Changed { config, changed }| {
            if changed {
                event!(SNMP_SET, command = words, name);
            }
            hand_over_snmp(&asks, config.snmp)
        };
        let done = settings::change(&self.settings, words, edit, hand_over).await?;
        answer(words, done)
    }
}

pub(super) fn hand_over_snmp(
    asks: &mpsc::Sender<SnmpAsk>,
    snmp: Snmp,
) -> Handed<Result<(), ChangeError>> {
    let (done, in_force) = oneshot::channel();
    let config = Box::new(snmp);
    let asked = asks.try_send(SnmpAsk::Change { config, done });
    asked.is_ok().then_some(in_force)
}

/// What came of a change that is kept.
fn answer(words: &str, done: Option<(Reply, Result<(), ChangeError>)>) -> Result<Reply, Refused> {
    match done {
        Some((reply, Ok(()))) => Ok(reply),
        Some((_, Err(error))) => {
            let what = format!("{error}; it is kept, and not in force");
            let todo = "mend that and set it again, or take it back by its default form";
            let failure = Failure::new(what, words, todo);
            Err((StatusCode::SERVICE_UNAVAILABLE, failure))
        }
        None => Err(no_snmp("it is kept, and not in force before SNMP works")),
    }
}

fn no_snmp(what: &str) -> Refused {
    let todo = "see show health and the log";
    let failure = Failure::new(what, "SNMP", todo);
    (StatusCode::SERVICE_UNAVAILABLE, failure)
}

/// What a command changes. Errors: what is wrong, and what to do.
fn change(command: SnmpCommand, engine: &EngineId) -> Result<Change, (String, String)> {
    Ok(match command {
        SnmpCommand::Target(target) => set_target(target)?,
        SnmpCommand::Community {
            name,
            community,
            read,
        } => {
            let community = checked(community)?;
            Box::new(move |edit| {
                let mut entry = Table::new();
                entry.insert("community_file".into(), edit.secret(community));
                entry.insert("read".into(), texts(read));
                edit.set(Setting::snmp_community(&name), entry);
            })
        }
        SnmpCommand::User(user) => set_user(user, engine)?,
        SnmpCommand::Remove { what, name } => {
            Box::new(move |edit| edit.remove(setting(what, &name)))
        }
        SnmpCommand::Default { what, name } => {
            Box::new(move |edit| edit.unset(setting(what, &name)))
        }
        SnmpCommand::Suppress { name } => suppress(named(&name)?, true),
        SnmpCommand::Enable { name } => suppress(named(&name)?, false),
        SnmpCommand::DefaultTraps => Box::new(|edit| edit.unset(Setting::SNMP_SUPPRESS)),
    })
}

fn setting(what: SnmpEntry, name: &str) -> Setting<'_> {
    match what {
        SnmpEntry::Target => Setting::snmp_target(name),
        SnmpEntry::Community => Setting::snmp_community(name),
        SnmpEntry::User => Setting::snmp_user(name),
    }
}

fn checked(secret: String) -> Result<Zeroizing<String>, (String, String)> {
    let secret = Zeroizing::new(secret);
    match is_secret(&secret) {
        true => Ok(secret),
        false => Err((
            "what is given is not a community or password".into(),
            "give one line of 1 to 255 bytes".into(),
        )),
    }
}

fn texts(list: Vec<String>) -> Value {
    Value::Array(list.into_iter().map(Value::String).collect())
}

fn set_target(target: SnmpTargetSetting) -> Result<Change, (String, String)> {
    let community = target.community.map(checked).transpose()?;
    Ok(Box::new(move |edit| {
        let mut entry = Table::new();
        entry.insert("address".into(), target.address.to_string().into());
        entry.insert("version".into(), target.version.into());
        if let Some(community) = community {
            entry.insert("community_file".into(), edit.secret(community));
        }
        if let Some(user) = target.user {
            entry.insert("user".into(), user.into());
        }
        let notify = if target.inform { "inform" } else { "trap" };
        entry.insert("notify".into(), notify.into());
        let numbers = [
            ("timeout_ms", target.timeout_ms.map(i64::from)),
            ("retries", target.retries.map(i64::from)),
            ("queue", target.queue.map(i64::from)),
        ];
        let given = numbers
            .into_iter()
            .filter_map(|(key, number)| Some((key.to_owned(), number?.into())));
        entry.extend(given);
        edit.set(Setting::snmp_target(&target.name), entry);
    }))
}

/// Of passwords the keys alone are kept: those with this engine, or, for informs, those of every engine.
fn set_user(user: SnmpUserSetting, engine: &EngineId) -> Result<Change, (String, String)> {
    let auth = user.auth.as_ref().map(|given| {
        auth_named(&given.protocol).ok_or_else(|| {
            let what = format!("no authentication protocol is called {:?}", given.protocol);
            (what, "give sha-1, sha-256, sha-384 or sha-512".to_owned())
        })
    });
    let Some(auth) = auth.transpose()? else {
        if user.privacy.is_some() {
            let what = "there is no privacy without authentication".to_owned();
            return Err((what, "give auth and its protocol, too".into()));
        }
        return Ok(keep_user(user.name, Vec::new(), user.read));
    };
    let mut keys = Vec::new();
    for (key, given) in [("auth", user.auth), ("privacy", user.privacy)] {
        let Some(SnmpPassword { protocol, password }) = given else {
            continue;
        };
        let secret = key_of(auth, &checked(password)?, user.informs, engine)?;
        keys.push((key, protocol, secret));
    }
    Ok(keep_user(user.name, keys, user.read))
}

/// A protocol and key as they stand in files, by the key of the configuration.
type Kept = (&'static str, String, Zeroizing<String>);

fn keep_user(name: String, keys: Vec<Kept>, read: Vec<String>) -> Change {
    Box::new(move |edit| {
        let mut entry = Table::new();
        for (key, protocol, secret) in keys {
            entry.insert(key.to_owned(), protocol.into());
            entry.insert(format!("{key}_file"), edit.secret(secret));
        }
        entry.insert("read".into(), texts(read));
        edit.set(Setting::snmp_user(&name), entry);
    })
}

fn key_of(
    auth: AuthProtocol,
    password: &str,
    informs: bool,
    engine: &EngineId,
) -> Result<Zeroizing<String>, (String, String)> {
    let master = auth.key_of(password.as_bytes()).map_err(|error| {
        let todo = "give one line of 8 to 255 characters".to_owned();
        (error.to_string(), todo)
    })?;
    Ok(written(&match informs {
        true => Secret::Master(master),
        false => Secret::Localized {
            engine: engine.clone(),
            key: auth.localize(&master, engine),
        },
    }))
}

/// A notification by its name, which may be without the prefix of STARENT-MIB, as it is shown.
fn named(name: &str) -> Result<&'static str, (String, String)> {
    let which = Which::named(name).or_else(|| Which::named(&format!("star{name}")));
    which.map(|which| which.row().name).ok_or_else(|| {
        let todo = "give a name that show snmp trap statistics or docs/snmp.md has".to_owned();
        (format!("no notification is called {name:?}"), todo)
    })
}

fn suppress(name: &'static str, suppress: bool) -> Change {
    Box::new(move |edit| {
        let mut all = edit.texts(Setting::SNMP_SUPPRESS);
        let is = all.iter().any(|other| other == name);
        match (suppress, is) {
            (true, false) => all.push(name.to_owned()),
            (false, true) => all.retain(|other| other != name),
            (true, true) | (false, false) => return,
        }
        edit.set(Setting::SNMP_SUPPRESS, texts(all));
    })
}

#[cfg(test)]
mod tests {
    use snmp::delivery::TargetError;

    use super::*;

    #[test]
    fn what_is_kept_and_not_in_force_is_said_with_its_cause() {
        let reply = || Reply::Done { changed: true };
        let said = |done| {
            answer("snmp target", done).map_err(|(status, failure)| (status.as_u16(), failure))
        };
        assert_eq!(said(Some((reply(), Ok(())))), Ok(reply()));
        let failed = Err(ChangeError::Targets(TargetError::TooMany(17)));
        let (status, failure) = said(Some((reply(), failed))).unwrap_err();
        assert_eq!(
            (status, failure.what.as_str()),
            (503, "17 targets; at most 16; it is kept, and not in force")
        );
        let (status, failure) = said(None).unwrap_err();
        assert_eq!(
            (status, failure.what.as_str()),
            (503, "it is kept, and not in force before SNMP works")
        );
    }
}
