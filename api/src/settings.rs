//! What an operator sets of SNMP, and of the alarm on few sessions left, while the node runs.

use std::fmt;
use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

/// What an operator may set of SNMP. It is kept, and in force with the answer.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "do", deny_unknown_fields)]
pub enum SnmpCommand {
    /// `snmp target <name> <address> ...`.
    Target(SnmpTargetSetting),
    /// `snmp community <name> read ...`.
    Community {
        /// Its name, which is no secret.
        name: String,
        /// What it is; a secret.
        community: String,
        /// Roots of the subtrees that it may read.
        read: Vec<String>,
    },
    /// `snmp user <name> ...`.
    User(SnmpUserSetting),
    /// The `no` forms of those: it is not there, whatever the configuration says.
    Remove {
        /// What it is.
        what: SnmpEntry,
        /// Its name.
        name: String,
    },
    /// `snmp target|community|user <name> default`: as the configuration says.
    Default {
        /// What it is.
        what: SnmpEntry,
        /// Its name.
        name: String,
    },
    /// `snmp trap suppress <name>`.
    Suppress {
        /// The notification.
        name: String,
    },
    /// `snmp trap enable <name>`.
    Enable {
        /// The notification.
        name: String,
    },
    /// `snmp trap default`: those are suppressed that the configuration says.
    DefaultTraps,
}

/// What has a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SnmpEntry {
    /// Who is sent notifications.
    Target,
    /// Who reads by SNMPv1 and SNMPv2c.
    Community,
    /// A user of SNMPv3.
    User,
}

/// A target; what is not given has the default of the configuration.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SnmpTargetSetting {
    /// Its name.
    pub name: String,
    /// Where it listens.
    pub address: SocketAddr,
    /// `v1`, `v2c` or `v3`.
    pub version: String,
    /// By v1 and v2c: what it knows the node by; a secret.
    pub community: Option<String>,
    /// By v3: the user.
    pub user: Option<String>,
    /// Sent informs; else traps.
    pub inform: bool,
    /// Milliseconds until an inform is sent again.
    pub timeout_ms: Option<u32>,
    /// How often it is.
    pub retries: Option<u8>,
    /// Notifications that wait for it at most.
    pub queue: Option<u32>,
}

/// A user.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SnmpUserSetting {
    /// Its name.
    pub name: String,
    /// How it authenticates; none: not at all.
    pub auth: Option<SnmpPassword>,
    /// How it encrypts; none: not at all.
    pub privacy: Option<SnmpPassword>,
    /// Roots of the subtrees that it may read.
    pub read: Vec<String>,
    /// Targets that are sent informs may name it: its keys are kept for every engine, not for this one alone.
    pub informs: bool,
}

/// A protocol and its password.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SnmpPassword {
    /// As the configuration names it: `sha-256`, say.
    pub protocol: String,
    /// A secret.
    pub password: String,
}

/// What an operator may set of the alarm on few sessions left. It is kept, and in force with the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "do", deny_unknown_fields)]
pub enum ThresholdCommand {
    /// `threshold license remaining-sessions <low> clear <high>`, both in percent of a service's ceiling.
    Set {
        /// Raised when so many are left, or fewer.
        low_percent: u8,
        /// Cleared when more are.
        clear_percent: u8,
    },
    /// Its `no` form: no such alarm, whatever the configuration says.
    Remove,
    /// `threshold license remaining-sessions default`: as the configuration says.
    Default,
}

impl SnmpEntry {
    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Target => "target",
            Self::Community => "community",
            Self::User => "user",
        }
    }
}

impl SnmpCommand {
    /// The words of the command, without what goes with them.
    pub fn words(&self) -> &'static str {
        match self {
            Self::Target(_) => "snmp target",
            Self::Community { .. } => "snmp community",
            Self::User(_) => "snmp user",
            Self::Remove { what, .. } => match what {
                SnmpEntry::Target => "no snmp target",
                SnmpEntry::Community => "no snmp community",
                SnmpEntry::User => "no snmp user",
            },
            Self::Default { what, .. } => match what {
                SnmpEntry::Target => "snmp target default",
                SnmpEntry::Community => "snmp community default",
                SnmpEntry::User => "snmp user default",
            },
            Self::Suppress { .. } => "snmp trap suppress",
            Self::Enable { .. } => "snmp trap enable",
            Self::DefaultTraps => "snmp trap default",
        }
    }

    /// What it is about; empty: all notifications.
    pub fn name(&self) -> &str {
        match self {
            Self::Target(SnmpTargetSetting { name, .. })
            | Self::User(SnmpUserSetting { name, .. })
            | Self::Community { name, .. }
            | Self::Remove { name, .. }
            | Self::Default { name, .. }
            | Self::Suppress { name }
            | Self::Enable { name } => name,
            Self::DefaultTraps => "",
        }
    }
}

impl ThresholdCommand {
    /// The words of the command, without what goes with them.
    pub fn words(&self) -> &'static str {
        match self {
            Self::Set { .. } | Self::Default => "threshold license remaining-sessions",
            Self::Remove => "no threshold license remaining-sessions",
        }
    }
}

/// Its words and name alone.
impl fmt::Debug for SnmpCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = format!("{} {}", self.words(), self.name());
        f.write_str(whole.trim_end())
    }
}

/// Its name alone.
impl fmt::Debug for SnmpTargetSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SnmpTargetSetting({})", self.name)
    }
}

/// Its name alone.
impl fmt::Debug for SnmpUserSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SnmpUserSetting({})", self.name)
    }
}

/// The protocol alone.
impl fmt::Debug for SnmpPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SnmpPassword({})", self.protocol)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user() -> SnmpUserSetting {
        let password = |protocol: &str, password: &str| SnmpPassword {
            protocol: protocol.into(),
            password: password.into(),
        };
        SnmpUserSetting {
            name: "noc".into(),
            auth: Some(password("sha-256", "maplesyrup")),
            privacy: Some(password("aes-128", "syrupmaple")),
            read: vec!["1.3.6.1".into()],
            informs: false,
        }
    }

    fn target() -> SnmpTargetSetting {
        SnmpTargetSetting {
            name: "nms".into(),
            address: "192.0.2.1:162".parse().unwrap(),
            version: "v2c".into(),
            community: Some("hunter2".into()),
            user: None,
            inform: true,
            timeout_ms: Some(700),
            retries: None,
            queue: None,
        }
    }

    #[test]
    fn commands_read_as_documented_and_keep_their_secrets() {
        let name = || "nms".to_owned();
        let cases = [
            (
                r#"{"do":"target","name":"nms","address":"192.0.2.1:162","version":"v2c","community":"hunter2","user":null,"inform":true,"timeout_ms":700,"retries":null,"queue":null}"#,
                SnmpCommand::Target(target()),
                "snmp target nms",
            ),
            (
                r#"{"do":"user","name":"noc","auth":{"protocol":"sha-256","password":"maplesyrup"},"privacy":{"protocol":"aes-128","password":"syrupmaple"},"read":["1.3.6.1"],"informs":false}"#,
                SnmpCommand::User(user()),
                "snmp user noc",
            ),
            (
                r#"{"do":"community","name":"nms","community":"hunter2","read":[]}"#,
                SnmpCommand::Community {
                    name: name(),
                    community: "hunter2".into(),
                    read: Vec::new(),
                },
                "snmp community nms",
            ),
            (
                r#"{"do":"remove","what":"user","name":"nms"}"#,
                SnmpCommand::Remove {
                    what: SnmpEntry::User,
                    name: name(),
                },
                "no snmp user nms",
            ),
            (
                r#"{"do":"default","what":"target","name":"nms"}"#,
                SnmpCommand::Default {
                    what: SnmpEntry::Target,
                    name: name(),
                },
                "snmp target default nms",
            ),
            (
                r#"{"do":"suppress","name":"nms"}"#,
                SnmpCommand::Suppress { name: name() },
                "snmp trap suppress nms",
            ),
            (
                r#"{"do":"enable","name":"nms"}"#,
                SnmpCommand::Enable { name: name() },
                "snmp trap enable nms",
            ),
            (
                r#"{"do":"default-traps"}"#,
                SnmpCommand::DefaultTraps,
                "snmp trap default",
            ),
        ];
        for (text, command, shown) in cases {
            assert_eq!(serde_json::to_string(&command).unwrap(), text);
            let read = serde_json::from_str::<SnmpCommand>(text);
            assert_eq!(read.unwrap(), command);
            assert_eq!(format!("{command:?}"), shown);
        }
        let parts = format!("{:?} {:?} {:?}", user(), target(), user().auth);
        for secret in ["hunter2", "maplesyrup", "syrupmaple"] {
            assert!(!parts.contains(secret), "{parts}");
        }
        let threshold = ThresholdCommand::Set {
            low_percent: 10,
            clear_percent: 20,
        };
        let text = r#"{"do":"set","low_percent":10,"clear_percent":20}"#;
        assert_eq!(serde_json::to_string(&threshold).unwrap(), text);
    }
}
