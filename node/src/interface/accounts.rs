//! `administrator`, `operator`, `inspector` and their `no` forms, and `clear administrator lock`.

use api::{AccountCommand, Failure, Privilege, Reply};
use axum::http::StatusCode;
use tokio::sync::oneshot;
use toml::Value;
use zeroize::Zeroizing;

use super::{Interface, Refused, settings};
use crate::access::{PASSWORD_BYTES_MAX, PASSWORD_LETTERS_MIN, PasswordHash, Who};
use crate::config::{is_account_name, public_key};
use crate::settings::{Changed, Edit, Setting};

const ROLE: &str = "role";
const PASSWORD_FILE: &str = "password_file";
const KEYS: &str = "ssh_keys";

/// What a command does to the settings.
type Change = Box<dyn FnOnce(&mut Edit) + Send>;

impl Interface {
    /// Changes accounts. They are in force with the answer, also for who is logged in.
    pub(super) async fn set_account(
        &self,
        who: &Who,
        command: AccountCommand,
    ) -> Result<Reply, Refused> {
        let (words, name) = (command.words(), command.name().to_owned());
        let refuse = |status, what: String, todo: &str| {
            let failure = Failure::new(format!("{what}; nothing has changed"), words, todo);
            Err((status, failure))
        };
        if !is_account_name(&name) {
            let todo =
                "give 1 to 32 letters, digits, dots, hyphens and underscores, a letter first";
            return refuse(
                StatusCode::BAD_REQUEST,
                format!("{name:?} is no name"),
                todo,
            );
        }
        if let Some(why) = self.locks_out(who, &command) {
            let todo = "do it at the control socket, or make another administrator first";
            return refuse(StatusCode::CONFLICT, why, todo);
        }
        let change: Change = match command {
            AccountCommand::Unlock { name } => return self.unlock(&name),
            AccountCommand::Remove { privilege, .. } => {
                if self.accounts.privilege(&name) != Some(privilege) {
                    let what = format!("there is no {privilege} {name}");
                    return refuse(StatusCode::NOT_FOUND, what, "see show administrators");
                }
                let name = name.clone();
                Box::new(move |edit| edit.remove(Setting::account(&name)))
            }
            AccountCommand::Password {
                privilege,
                password,
                ..
            } => {
                let password = Zeroizing::new(password);
                if let Some((what, todo)) = no_password(&password) {
                    return refuse(StatusCode::BAD_REQUEST, what, todo);
                }
                let hashed = tokio::task::spawn_blocking(move || PasswordHash::of(&password));
                let hash = match hashed.await {
                    Ok(Ok(hash)) => Zeroizing::new(hash.to_string()),
                    Ok(Err(error)) => {
                        return refuse(
                            StatusCode::SERVICE_UNAVAILABLE,
                            error.to_string(),
                            "try again",
                        );
                    }
                    Err(error) => {
                        return refuse(
                            StatusCode::SERVICE_UNAVAILABLE,
                            error.to_string(),
                            "try again",
                        );
                    }
                };
                let name = name.clone();
                Box::new(move |edit| {
                    let mut entry = edit.entry(Setting::account(&name)).unwrap_or_default();
                    entry.insert(ROLE.into(), privilege.word().into());
                    let file = edit.secret(hash);
                    entry.insert(PASSWORD_FILE.into(), file);
                    edit.set(Setting::account(&name), entry);
                })
            }
            AccountCommand::Key { privilege, key, .. } => {
                let Some(key) = public_key(&key) else {
                    let todo = "give the line of a .pub file: ssh-ed25519 or ecdsa-sha2-nistp...";
                    return refuse(StatusCode::BAD_REQUEST, "it is no public key".into(), todo);
                };
                let name = name.clone();
                Box::new(move |edit| add_key(edit, &name, privilege, key))
            }
        };
        let accounts = std::sync::Arc::clone(&self.accounts);
        let hand_over = move |Changed { config, changed }| {
            if changed {
                event!(ACCOUNT_SET, command = words, name);
            }
            accounts.set(config.ssh.accounts);
            let (done, in_force) = oneshot::channel();
            done.send(()).ok().map(|()| in_force)
        };
        let done = settings::change(&self.settings, words, change, hand_over).await?;
        Ok(done.map_or(Reply::Done { changed: true }, |(reply, ())| reply))
    }

    fn unlock(&self, name: &str) -> Result<Reply, Refused> {
        match self.accounts.unlock(name) {
            Some(changed) => {
                event!(LOCK_CLEARED, name);
                Ok(Reply::Done { changed })
            }
            None => {
                let what = format!("there is no account {name}");
                let failure =
                    Failure::new(what, "clear administrator lock", "see show administrators");
                Err((StatusCode::NOT_FOUND, failure))
            }
        }
    }

    /// Why whoever is logged in may not: nobody could administer by SSH any more. At the control socket somebody can.
    fn locks_out(&self, who: &Who, command: &AccountCommand) -> Option<String> {
        let keeps = match command {
            AccountCommand::Password { privilege, .. } | AccountCommand::Key { privilege, .. } => {
                *privilege == Privilege::Administrator
            }
            AccountCommand::Remove { .. } => false,
            AccountCommand::Unlock { .. } => true,
        };
        let name = command.name();
        let is_one = self.accounts.privilege(name) == Some(Privilege::Administrator);
        let is_last = is_one && self.accounts.other_administrators(name) == 0;
        let refused = who.is_remote && is_last && !keeps;
        refused.then(|| format!("{name} is the last administrator"))
    }
}

/// Why a text is not taken as a password.
fn no_password(password: &str) -> Option<(String, &'static str)> {
    let letters = password.chars().count();
    let todo = "give one line of at least 8 characters, at most 255 bytes";
    if letters < PASSWORD_LETTERS_MIN {
        let what = format!(
            "a password has at least {PASSWORD_LETTERS_MIN} characters, this one {letters}"
        );
        return Some((what, todo));
    }
    let fits = password.len() <= PASSWORD_BYTES_MAX && !password.contains(char::is_control);
    (!fits).then(|| ("what is given is not a password".to_owned(), todo))
}

fn add_key(edit: &mut Edit, name: &str, privilege: Privilege, key: String) {
    let mut entry = edit.entry(Setting::account(name)).unwrap_or_default();
    let mut keys = match entry.remove(KEYS) {
        Some(Value::Array(keys)) => keys,
        Some(_) | None => Vec::new(),
    };
    let key = Value::String(key);
    if !keys.contains(&key) {
        keys.push(key);
    }
    entry.insert(ROLE.into(), privilege.word().into());
    entry.insert(KEYS.into(), Value::Array(keys));
    edit.set(Setting::account(name), entry);
}
