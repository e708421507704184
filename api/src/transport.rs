//! What an operator sets of the way to the license authority while the node runs.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Longest that what an operator sets takes to be in force once it is kept, in seconds.
pub const IN_FORCE_S: u64 = 30;

/// What an operator may set of the way. It is kept, and the next message goes by it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "do", deny_unknown_fields)]
pub enum TransportCommand {
    /// `license smart url <url>`.
    Url {
        /// `https://HOST` or `https://HOST:PORT`.
        url: String,
    },
    /// `no license smart url`: the configuration's again.
    DefaultUrl,
    /// `license smart proxy <host> <port> [username <name>]`.
    Proxy {
        /// Its name or address.
        host: String,
        /// Its TCP port.
        port: u16,
        /// What it knows the node by; none: it asks for nothing.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        login: Option<ProxyLogin>,
    },
    /// `no license smart proxy`: directly, though the configuration has a proxy.
    NoProxy,
    /// `license smart proxy default`: the configuration's again.
    DefaultProxy,
}

/// What a proxy knows a node by.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProxyLogin {
    /// The name.
    pub username: String,
    /// The password; a secret.
    pub password: String,
}

impl TransportCommand {
    /// The words of the command, without what goes with them.
    pub fn words(&self) -> &'static str {
        match self {
            Self::Url { .. } => "license smart url",
            Self::DefaultUrl => "no license smart url",
            Self::Proxy { .. } => "license smart proxy",
            Self::NoProxy => "no license smart proxy",
            Self::DefaultProxy => "license smart proxy default",
        }
    }
}

/// Its words alone: an address may hold a password, too.
impl fmt::Debug for TransportCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words())
    }
}

/// Without the password.
impl fmt::Debug for ProxyLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ProxyLogin({})", self.username)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_read_as_documented_and_keep_their_secret() {
        let login = ProxyLogin {
            username: "node".into(),
            password: "hunter2".into(),
        };
        let proxy = TransportCommand::Proxy {
            host: "proxy.example".into(),
            port: 3128,
            login: Some(login.clone()),
        };
        let url = "https://authority.example:8443".to_owned();
        let cases = [
            (
                r#"{"do":"url","url":"https://authority.example:8443"}"#,
                TransportCommand::Url { url },
            ),
            (r#"{"do":"default-url"}"#, TransportCommand::DefaultUrl),
            (
                r#"{"do":"proxy","host":"proxy.example","port":3128,"login":{"username":"node","password":"hunter2"}}"#,
                proxy.clone(),
            ),
            (
                r#"{"do":"proxy","host":"proxy.example","port":3128}"#,
                TransportCommand::Proxy {
                    host: "proxy.example".into(),
                    port: 3128,
                    login: None,
                },
            ),
            (r#"{"do":"no-proxy"}"#, TransportCommand::NoProxy),
            (r#"{"do":"default-proxy"}"#, TransportCommand::DefaultProxy),
        ];
        for (text, command) in cases {
            assert_eq!(serde_json::to_string(&command).unwrap(), text);
            let read = serde_json::from_str::<TransportCommand>(text);
            assert_eq!(read.unwrap(), command);
        }
        assert_eq!(format!("{proxy:?}"), "license smart proxy");
        assert_eq!(format!("{login:?}"), "ProxyLogin(node)");
    }
}
