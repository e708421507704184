//! Who may ask what, and the audit log: what was changed, or was to be, by whom.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::bulkstats::BulkstatsCommand;
use crate::license::LicenseCommand;
use crate::request::Request;

/// Most lines that one [`Request::Audit`] gets.
pub const AUDIT_LIMIT_MAX: u32 = 10_000;

/// Who may do something; each may what those before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Privilege {
    /// Looks.
    Inspector,
    /// Ends sessions, sends and drops what is collected.
    Operator,
    /// Changes the node.
    Administrator,
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AuditOutcome {
    /// It is done.
    Done,
    /// It was so before.
    Unchanged,
    /// It failed.
    Failed,
    /// Whoever asked may not.
    Refused,
}

/// A line of the audit log; no secret is in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// When, in UTC, as RFC 3339 has it, to the millisecond.
    pub at: String,
    /// An account, or the user at the control socket.
    pub who: String,
    /// What they might do then; none: nobody was let in.
    pub privilege: Option<Privilege>,
    /// The address of an SSH client, or the control socket.
    pub from: String,
    /// The command, without secrets.
    pub command: String,
    /// How it stood before, where there is something that stands.
    pub before: Option<Value>,
    /// And after.
    pub after: Option<Value>,
    /// What came of it.
    pub outcome: AuditOutcome,
    /// Of a failure: why.
    pub why: Option<String>,
}

/// The audit log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditView {
    /// Those that were asked for, the oldest first.
    pub entries: Vec<AuditEntry>,
    /// How many there are.
    pub held: u64,
    /// Lines that can't be read.
    pub unreadable: u64,
    /// Lines that could not be written since the process began; the event log has them.
    pub lost: u64,
}

impl Privilege {
    /// In words.
    pub fn word(self) -> &'static str {
        match self {
            Self::Inspector => "inspector",
            Self::Operator => "operator",
            Self::Administrator => "administrator",
        }
    }
}

impl fmt::Display for Privilege {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

impl AuditOutcome {
    /// In words.
    pub fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Unchanged => "unchanged",
            Self::Failed => "failed",
            Self::Refused => "refused",
        }
    }
}

impl Request {
    /// Who may ask it.
    pub fn privilege(&self) -> Privilege {
        match self {
            Self::Snapshot
            | Self::History { .. }
            | Self::Sessions
            | Self::Subscriber { .. }
            | Self::Counters
            | Self::Forecast
            | Self::Preview { .. }
            | Self::Peers { .. }
            | Self::Health
            | Self::Agent
            | Self::Alarms
            | Self::Snmp { .. }
            | Self::Logs { .. }
            | Self::Audit { .. }
            | Self::Logging
            | Self::Accounts
            | Self::Configuration
            | Self::Bulkstats
            | Self::BulkstatsData => Privilege::Inspector,
            Self::Clear { .. } | Self::BulkstatsDo { .. } => Privilege::Operator,
            Self::SmartLicensing { .. }
            | Self::Feature { .. }
            | Self::LabSpeedup { .. }
            | Self::SaveConfiguration { .. }
            | Self::License(_)
            | Self::Transport(_)
            | Self::SnmpSet(_)
            | Self::BulkstatsSet(_)
            | Self::Threshold(_)
            | Self::LoggingSet(_)
            | Self::Account(_)
            | Self::Apply(_)
            | Self::Client(_) => Privilege::Administrator,
        }
    }

    /// The command that asks it to change something, without secrets, for the audit log; none: it changes nothing, or is
    /// a call of a client of the admission API.
    pub fn command(&self) -> Option<String> {
        let no = |on: bool| if on { "" } else { "no " };
        Some(match self {
            Self::Snapshot
            | Self::History { .. }
            | Self::Sessions
            | Self::Subscriber { .. }
            | Self::Counters
            | Self::Forecast
            | Self::Preview { .. }
            | Self::Peers { .. }
            | Self::Health
            | Self::Agent
            | Self::Alarms
            | Self::Snmp { .. }
            | Self::Logs { .. }
            | Self::Audit { .. }
            | Self::Logging
            | Self::Accounts
            | Self::Configuration
            | Self::Bulkstats
            | Self::BulkstatsData
            | Self::Client(_) => return None,
            Self::Account(command) => command.command(),
            Self::Apply(command) if command.dry_run => return None,
            Self::Apply(command) => command.command(),
            Self::Clear { whom, reactivate } => {
                let reactivate = if *reactivate { " --reactivate" } else { "" };
                format!("clear subscribers {}{reactivate}", whom.words())
            }
            Self::BulkstatsDo { command } => match command {
                BulkstatsCommand::ForceGather => "bulkstats force gather".to_owned(),
                BulkstatsCommand::ForceTransfer => "bulkstats force transfer".to_owned(),
                BulkstatsCommand::ClearCounters => "clear bulkstats counters".to_owned(),
                BulkstatsCommand::ClearData => "clear bulkstats data".to_owned(),
            },
            Self::SmartLicensing { enable } => format!("{}license smart enable", no(*enable)),
            Self::Feature { name, enable } => format!("{}feature {name} enable", no(*enable)),
            Self::SaveConfiguration { file } => {
                let file = file.as_deref().map(|file| format!(" {file}"));
                format!("save configuration{}", file.unwrap_or_default())
            }
            Self::LabSpeedup { speedup } => format!("lab speedup {speedup}"),
            Self::License(command) => license_words(command),
            Self::Transport(command) => command.words().to_owned(),
            Self::SnmpSet(command) => format!("{} {}", command.words(), command.name())
                .trim_end()
                .to_owned(),
            Self::BulkstatsSet(setting) => setting.command(),
            Self::Threshold(command) => command.words().to_owned(),
            Self::LoggingSet(command) => command.to_string(),
        })
    }
}

fn license_words(command: &LicenseCommand) -> String {
    match command {
        LicenseCommand::Register { force, .. } => {
            let force = if *force { " force" } else { "" };
            format!("license smart register idtoken ***{force}")
        }
        LicenseCommand::RenewId => "license smart renew id".to_owned(),
        LicenseCommand::RenewAuth => "license smart renew auth".to_owned(),
        LicenseCommand::Deregister => "license smart deregister".to_owned(),
    }
}
