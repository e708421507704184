//! What operators set of the event log: what is logged, and which syslog servers are sent it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::logs::{LogFacility, LogSeverity, NoSuchWord, one_of};

/// What an operator may set of the event log. It is kept, and in force with the answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "do", deny_unknown_fields)]
pub enum LoggingCommand {
    /// `logging filter <facility|all> level <level>`.
    Filter {
        /// Whose; none: of all that have none of their own.
        facility: Option<LogFacility>,
        /// That severity and all above it.
        level: LogSeverity,
    },
    /// Its `no` form: there is none, whatever the configuration says.
    NoFilter {
        /// Whose.
        facility: Option<LogFacility>,
    },
    /// `logging filter <facility|all> default`: as the configuration says.
    DefaultFilter {
        /// Whose.
        facility: Option<LogFacility>,
    },
    /// `logging syslog <address> ...`.
    Syslog(SyslogSetting),
    /// Its `no` form: it is sent nothing, whatever the configuration says.
    NoSyslog {
        /// Which.
        address: String,
    },
    /// `logging syslog <address> default`: as the configuration says.
    DefaultSyslog {
        /// Which.
        address: String,
    },
}

/// A syslog server; what is not given has the default of the configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SyslogSetting {
    /// Its address or host name.
    pub address: String,
    /// Its port.
    pub port: Option<u16>,
    /// How it is spoken to.
    pub protocol: Option<SyslogProtocol>,
    /// What events are of there.
    pub facility: Option<SyslogFacility>,
    /// It is sent events of that severity and all above it.
    pub level: Option<LogSeverity>,
    /// By TLS: the path on the node of a file of root certificates in PEM.
    pub roots: Option<String>,
    /// Events that wait for it at most.
    pub queue: Option<u32>,
}

/// How a syslog server is spoken to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SyslogProtocol {
    /// A datagram an event (RFC 5426).
    #[default]
    Udp,
    /// TLS (RFC 5425).
    Tls,
}

/// What events are of on a syslog server (RFC 5424 6.2.1): one of those for local use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "their names say it")]
pub enum SyslogFacility {
    Local0,
    Local1,
    Local2,
    Local3,
    Local4,
    Local5,
    Local6,
    Local7,
}

/// What is logged, and who is sent it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoggingView {
    /// The level of each facility.
    pub filters: Vec<LogFilter>,
    /// The syslog servers, in the order of the configuration.
    pub servers: Vec<SyslogServerView>,
}

/// The level of a facility.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogFilter {
    /// Whose.
    pub facility: LogFacility,
    /// That severity and all above it are logged.
    pub level: LogSeverity,
}

/// A syslog server as it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyslogServerView {
    /// Its address or host name.
    pub address: String,
    /// Its port.
    pub port: u16,
    /// How it is spoken to.
    pub protocol: SyslogProtocol,
    /// What events are of there.
    pub facility: SyslogFacility,
    /// It is sent events of that severity and all above it.
    pub level: LogSeverity,
    /// Whether it is reached.
    pub state: SyslogState,
    /// Why it was not, when that was last so.
    pub failure: Option<String>,
    /// Events that wait for it.
    pub queued: u64,
    /// How many may.
    pub queue: u64,
    /// Events that were handed to the system, since the server was set or the node began.
    pub sent: u64,
    /// Events that it does not have: there was no room in the queue, or the system told that nobody took a datagram.
    pub dropped: u64,
}

/// Whether a syslog server is reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SyslogState {
    /// Nothing was tried yet.
    #[default]
    Idle,
    /// As far as one can tell: by UDP nobody acknowledges.
    Reached,
    /// It is tried again.
    Away,
}

impl LoggingCommand {
    /// The words of the command, without what goes with them.
    pub fn words(&self) -> &'static str {
        match self {
            Self::Filter { .. } => "logging filter",
            Self::NoFilter { .. } => "no logging filter",
            Self::DefaultFilter { .. } => "logging filter default",
            Self::Syslog(_) => "logging syslog",
            Self::NoSyslog { .. } => "no logging syslog",
            Self::DefaultSyslog { .. } => "logging syslog default",
        }
    }

    /// What it is about: a facility, `all`, or the address of a server.
    pub fn name(&self) -> &str {
        match self {
            Self::Filter { facility, .. }
            | Self::NoFilter { facility }
            | Self::DefaultFilter { facility } => filter_name(*facility),
            Self::Syslog(SyslogSetting { address, .. })
            | Self::NoSyslog { address }
            | Self::DefaultSyslog { address } => address,
        }
    }
}

/// As it is typed.
impl fmt::Display for LoggingCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.name();
        match self {
            Self::Filter { level, .. } => write!(f, "logging filter {name} level {level}"),
            Self::NoFilter { .. } => write!(f, "no logging filter {name}"),
            Self::DefaultFilter { .. } => write!(f, "logging filter {name} default"),
            Self::Syslog(server) => server.fmt(f),
            Self::NoSyslog { .. } => write!(f, "no logging syslog {name}"),
            Self::DefaultSyslog { .. } => write!(f, "logging syslog {name} default"),
        }
    }
}

/// As it is typed.
impl fmt::Display for SyslogSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = [
            ("port", self.port.map(|port| port.to_string())),
            ("protocol", self.protocol.map(|by| by.word().to_owned())),
            ("facility", self.facility.map(|of| of.word().to_owned())),
            ("level", self.level.map(|level| level.to_string())),
            ("roots", self.roots.clone()),
            ("queue", self.queue.map(|queue| queue.to_string())),
        ];
        write!(f, "logging syslog {}", self.address)?;
        for (name, value) in words {
            if let Some(value) = value {
                write!(f, " {name} {value}")?;
            }
        }
        Ok(())
    }
}

/// As the configuration and commands name it; none: `all`.
pub fn filter_name(facility: Option<LogFacility>) -> &'static str {
    facility.map_or("all", LogFacility::word)
}

/// The facility of such a name; none within: `all`. Errors: it names none.
pub fn filter_named(name: &str) -> Result<Option<LogFacility>, NoSuchWord> {
    match name {
        "all" => Ok(None),
        name => name.parse().map(Some),
    }
}

impl SyslogProtocol {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Udp, Self::Tls];

    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tls => "tls",
        }
    }

    /// The port that IANA gave it.
    pub fn port(self) -> u16 {
        match self {
            Self::Udp => 514,
            Self::Tls => 6514,
        }
    }
}

impl SyslogFacility {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Local0,
        Self::Local1,
        Self::Local2,
        Self::Local3,
        Self::Local4,
        Self::Local5,
        Self::Local6,
        Self::Local7,
    ];

    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Local0 => "local0",
            Self::Local1 => "local1",
            Self::Local2 => "local2",
            Self::Local3 => "local3",
            Self::Local4 => "local4",
            Self::Local5 => "local5",
            Self::Local6 => "local6",
            Self::Local7 => "local7",
        }
    }

    /// Its number, 16 to 23.
    pub fn code(self) -> u8 {
        16 + self as u8
    }
}

impl SyslogState {
    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Reached => "reached",
            Self::Away => "away",
        }
    }
}

impl FromStr for SyslogProtocol {
    type Err = NoSuchWord;

    fn from_str(said: &str) -> Result<Self, NoSuchWord> {
        one_of(&Self::ALL, Self::word, said)
    }
}

impl FromStr for SyslogFacility {
    type Err = NoSuchWord;

    fn from_str(said: &str) -> Result<Self, NoSuchWord> {
        one_of(&Self::ALL, Self::word, said)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_read_as_they_are_written() {
        for facility in SyslogFacility::ALL {
            assert_eq!(facility.word().parse(), Ok(facility));
            let json = serde_json::to_value(facility).unwrap();
            assert_eq!(json, facility.word());
        }
        for protocol in SyslogProtocol::ALL {
            assert_eq!(protocol.word().parse(), Ok(protocol));
        }
        assert!("local8".parse::<SyslogFacility>().is_err());
        assert_eq!(SyslogFacility::Local0.code(), 16);
        assert_eq!(SyslogFacility::Local7.code(), 23);
        assert_eq!(filter_named("all"), Ok(None));
        assert_eq!(filter_named("cli"), Ok(Some(LogFacility::Cli)));
        assert!(filter_named("smtp").is_err());
    }

    #[test]
    fn a_command_is_said_as_it_is_typed() {
        let mut server = SyslogSetting {
            address: "192.0.2.50".into(),
            port: None,
            protocol: None,
            facility: None,
            level: None,
            roots: None,
            queue: None,
        };
        let said = |server: &SyslogSetting| LoggingCommand::Syslog(server.clone()).to_string();
        assert_eq!(said(&server), "logging syslog 192.0.2.50");
        server.port = Some(6515);
        server.protocol = Some(SyslogProtocol::Tls);
        server.facility = Some(SyslogFacility::Local3);
        server.level = Some(LogSeverity::Error);
        server.roots = Some("/roots.pem".into());
        server.queue = Some(99);
        assert_eq!(
            said(&server),
            "logging syslog 192.0.2.50 port 6515 protocol tls facility local3 level error roots /roots.pem queue 99"
        );
        let facility = Some(LogFacility::Cli);
        let level = LogSeverity::Error;
        let filter = LoggingCommand::Filter { facility, level };
        assert_eq!(filter.to_string(), "logging filter cli level error");
        let none = LoggingCommand::NoFilter { facility: None };
        assert_eq!(none.to_string(), "no logging filter all");
    }
}
