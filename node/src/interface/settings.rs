//! What operators set while the node runs: checked and kept first, then handed to whom it concerns.

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use api::{Failure, IN_FORCE_S, ProxyLogin, Reply, TransportCommand};
use axum::http::StatusCode;
use tokio::sync::{Mutex, OwnedMutexGuard, mpsc, oneshot};
use tokio::task::JoinError;
use toml::Table;
use zeroize::Zeroizing;

use super::{Interface, Refused, no_agent, within};
use crate::agent::AgentAsk;
use crate::config::{Agent, is_secret};
use crate::settings::{Changed, Edit, Setting, Settings, SettingsError};
use crate::transport::Way;

/// Longest wait until what is kept is in force.
const IN_FORCE: Duration = Duration::from_secs(IN_FORCE_S);

/// Told what came of it once a thread has taken what it was handed; none: it takes nothing.
pub(super) type Handed<T> = Option<oneshot::Receiver<T>>;

impl Interface {
    /// `license smart url` and `proxy`, and their `no` forms.
    pub(super) async fn set_transport(&self, command: TransportCommand) -> Result<Reply, Refused> {
        let words = command.words();
        if self.vitals.agent_stalled(self.clock.now().mono) {
            let what = "the smart agent does not work; nothing has changed";
            let todo = "see show health and the log, and set it again";
            let failure = Failure::new(what, "smart agent", todo);
            return Err((StatusCode::SERVICE_UNAVAILABLE, failure));
        }
        let edit = transport_edit(command).map_err(|what| {
            let todo = "give one line of 1 to 255 bytes";
            (StatusCode::BAD_REQUEST, Failure::new(what, words, todo))
        })?;
        let commands = self.commands.clone();
        let hand_over = move |Changed { config, changed }| {
            if changed {
                told(words, &config.agent.way);
            }
            hand_over_way(&commands, config.agent)
        };
        let done = change(&self.settings, words, edit, hand_over).await?;
        let done = done.map(|(reply, ())| reply);
        done.ok_or_else(|| {
            no_agent("it is kept, and not in force before the smart agent works again")
        })
    }
}

pub(super) fn hand_over_way(commands: &mpsc::Sender<AgentAsk>, agent: Agent) -> Handed<()> {
    let (reply, done) = oneshot::channel();
    let agent = Box::new(agent);
    let asked = commands.try_send(AgentAsk::Way { agent, reply });
    asked.is_ok().then_some(done)
}

/// Makes a change that is asked for in these words: keeps it, and hands it over, also one that was kept before, which may
/// not have been handed over. It is done whether or not the client waits for it; the next one waits until it is in force.
///
/// With the answer comes what the thread says that it is for. None: it is kept, and that has not taken it within
/// [`IN_FORCE`].
pub(super) async fn change<T: Send + 'static>(
    settings: &Arc<Mutex<Settings>>,
    words: &'static str,
    edit: impl FnOnce(&mut Edit) + Send + 'static,
    hand_over: impl FnOnce(Changed) -> Handed<T> + Send + 'static,
) -> Result<Option<(Reply, T)>, Refused> {
    // Not in the task: of those that nobody waits for there is one at a time.
    let settings = Arc::clone(settings).lock_owned().await;
    in_one_task(settings, words, edit, hand_over).await
}

/// The same of settings that are held already.
pub(super) async fn in_one_task<T: Send + 'static>(
    settings: OwnedMutexGuard<Settings>,
    words: &'static str,
    edit: impl FnOnce(&mut Edit) + Send + 'static,
    hand_over: impl FnOnce(Changed) -> Handed<T> + Send + 'static,
) -> Result<Option<(Reply, T)>, Refused> {
    let whole = tokio::spawn(keep_and_hand_over(settings, edit, hand_over));
    let failed = |error: JoinError| {
        let todo = "see the node's log, and restart the node";
        let failure = Failure::new(error.to_string(), words, todo);
        (StatusCode::INTERNAL_SERVER_ERROR, failure)
    };
    let done = whole.await.and_then(|done| done).map_err(failed)?;
    done.map_err(|error| refused(words, &error))
}

async fn keep_and_hand_over<T>(
    mut settings: OwnedMutexGuard<Settings>,
    edit: impl FnOnce(&mut Edit) + Send + 'static,
    hand_over: impl FnOnce(Changed) -> Handed<T>,
) -> Result<Result<Option<(Reply, T)>, SettingsError>, JoinError> {
    // The disk may be slow, and others are answered meanwhile.
    let kept = tokio::task::spawn_blocking(move || (settings.change(edit), settings)).await;
    let (kept, _held) = kept?;
    Ok(match kept {
        Ok(kept) => {
            let changed = kept.changed;
            let in_force = match hand_over(kept) {
                Some(taken) => within(IN_FORCE, taken).await,
                None => None,
            };
            Ok(in_force.map(|said| (Reply::Done { changed }, said)))
        }
        Err(error) => Err(error),
    })
}

fn told(command: &str, way: &Way) {
    let shown = |at: Option<String>| at.unwrap_or_else(|| "none".to_owned());
    let authority = shown(way.authority.as_ref().map(ToString::to_string));
    let proxy = shown(way.proxy.as_ref().map(ToString::to_string));
    event!(WAY_SET, command, %authority, %proxy);
}

/// What a command changes. Errors: its password is none.
fn transport_edit(
    command: TransportCommand,
) -> Result<impl FnOnce(&mut Edit) + Send + 'static, &'static str> {
    if let TransportCommand::Proxy { login, .. } = &command
        && login.as_ref().is_some_and(|own| !is_secret(&own.password))
    {
        return Err("what is given is not a password; nothing has changed");
    }
    Ok(move |edit: &mut Edit| match command {
        TransportCommand::Url { url } => edit.set(Setting::AUTHORITY, url),
        TransportCommand::DefaultUrl => edit.unset(Setting::AUTHORITY),
        TransportCommand::Proxy { host, port, login } => {
            let mut proxy = Table::new();
            proxy.insert("host".into(), host.into());
            proxy.insert("port".into(), i64::from(port).into());
            if let Some(ProxyLogin { username, password }) = login {
                proxy.insert("username".into(), username.into());
                let file = edit.secret(Zeroizing::new(password));
                proxy.insert("password_file".into(), file);
            }
            edit.set(Setting::PROXY, proxy);
        }
        TransportCommand::NoProxy => edit.remove(Setting::PROXY),
        TransportCommand::DefaultProxy => edit.unset(Setting::PROXY),
    })
}

/// Why a change was not made: what is wrong, where, and what to do.
pub(super) fn refused(words: &str, error: &SettingsError) -> Refused {
    let said = error.to_string();
    let (status, what, todo) = match (error, said.split_once("; expected ")) {
        (SettingsError::Refused { .. }, Some((what, expected))) => {
            let todo = format!("expected {expected}");
            (StatusCode::BAD_REQUEST, what, todo)
        }
        (SettingsError::Refused { .. } | SettingsError::Config(_), _) => {
            let todo = "mend the configuration".to_owned();
            (StatusCode::CONFLICT, said.as_str(), todo)
        }
        (SettingsError::Store(_), _) => {
            let what =
                format!("{said}; nothing has changed, but it may be in force after a restart");
            let todo = "see the disk of node.state_dir, and set it again";
            let failure = Failure::new(what, words, todo);
            return (StatusCode::SERVICE_UNAVAILABLE, failure);
        }
        (SettingsError::Toml(_), _) => {
            let todo = "see the node's log".to_owned();
            (StatusCode::SERVICE_UNAVAILABLE, said.as_str(), todo)
        }
    };
    let what = format!("{what}; nothing has changed");
    (status, Failure::new(what, words, todo))
}
