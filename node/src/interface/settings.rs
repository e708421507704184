//! What operators set while the node runs: checked and kept first, then handed to whom it concerns.

use std::sync::Arc;
use std::time::Duration;

use api::{Failure, IN_FORCE_S, ProxyLogin, Reply, TransportCommand};
use axum::http::StatusCode;
use tokio::sync::{OwnedMutexGuard, oneshot};
use toml::Table;
use zeroize::Zeroizing;

use super::{Interface, Refused, no_agent, within};
use crate::agent::AgentAsk;
use crate::config::is_secret;
use crate::settings::{Changed, Edit, Setting, Settings, SettingsError};

/// Longest wait until what is kept is in force.
pub(super) const IN_FORCE: Duration = Duration::from_secs(IN_FORCE_S);

impl Interface {
    /// Makes a change that is asked for in these words, and keeps it; others wait until what it gives is dropped, which is
    /// once the change is in force.
    pub(super) async fn change(
        &self,
        words: &'static str,
        edit: impl FnOnce(&mut Edit) + Send + 'static,
    ) -> Result<(Changed, OwnedMutexGuard<Settings>), Refused> {
        let mut settings = Arc::clone(&self.settings).lock_owned().await;
        // The disk may be slow, and others are answered meanwhile.
        let changed = tokio::task::spawn_blocking(move || (settings.change(edit), settings));
        match changed.await {
            Ok((Ok(changed), settings)) => Ok((changed, settings)),
            Ok((Err(error), _)) => Err(refused(words, &error)),
            Err(error) => {
                let todo = "see the node's log, and restart the node";
                let failure = Failure::new(error.to_string(), words, todo);
                Err((StatusCode::INTERNAL_SERVER_ERROR, failure))
            }
        }
    }

    /// `license smart url` and `proxy`, and their `no` forms.
    pub(super) async fn set_transport(&self, command: TransportCommand) -> Result<Reply, Refused> {
        let words = command.words();
        if self.vitals.agent_stalled(self.clock.now().mono) {
            return Err(no_agent(
                "the smart agent does not work; nothing has changed",
            ));
        }
        let edit = transport_edit(command).map_err(|what| {
            let todo = "give one line of 1 to 255 characters";
            (StatusCode::BAD_REQUEST, Failure::new(what, words, todo))
        })?;
        let (Changed { config, changed }, _held) = self.change(words, edit).await?;
        if !changed {
            return Ok(Reply::Done { changed });
        }
        let way = &config.agent.way;
        let shown = |at: Option<String>| at.unwrap_or_else(|| "none".to_owned());
        let authority = shown(way.authority.as_ref().map(ToString::to_string));
        let proxy = shown(way.proxy.as_ref().map(ToString::to_string));
        tracing::info!(command = words, %authority, %proxy, "an operator has set the way to the license authority");
        let (reply, done) = oneshot::channel();
        let agent = Box::new(config.agent);
        let asked = self.commands.try_send(AgentAsk::Way { agent, reply });
        match (asked, within(IN_FORCE, done).await) {
            (Ok(()), Some(())) => Ok(Reply::Done { changed }),
            (Ok(()) | Err(_), _) => Err(no_agent(
                "it is kept, and not in force before the smart agent works again",
            )),
        }
    }
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
fn refused(words: &str, error: &SettingsError) -> Refused {
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
        (SettingsError::Store(_) | SettingsError::Toml(_), _) => {
            let todo = "see the disk of node.state_dir".to_owned();
            (StatusCode::SERVICE_UNAVAILABLE, said.as_str(), todo)
        }
    };
    let what = format!("{what}; nothing has changed");
    (status, Failure::new(what, words, todo))
}
