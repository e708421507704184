//! Who may ask what, and the audit log: what was changed, or was to be, by whom.

use std::cmp::Ordering;
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

/// What a command that names a subscriber begins with.
const NAMES_A_SUBSCRIBER: &str = "clear subscribers imsi";

/// Digits of an IMSI that everybody may read: the network's, at most.
const NETWORK_DIGITS: usize = 5;

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

impl AuditEntry {
    /// As those may read it who name no subscriber: of an IMSI the network's digits are left.
    #[must_use]
    pub fn without_subscriber(self) -> Self {
        if !self.command.starts_with(NAMES_A_SUBSCRIBER) {
            return self;
        }
        Self {
            command: without_imsi(&self.command),
            why: self.why.as_deref().map(without_imsi),
            ..self
        }
    }
}

/// Of each number that is longer than a network's, the beginning.
fn without_imsi(text: &str) -> String {
    let mut out = String::new();
    let mut digits = 0;
    for letter in text.chars() {
        digits = if letter.is_ascii_digit() {
            digits + 1
        } else {
            0
        };
        match digits.cmp(&(NETWORK_DIGITS + 1)) {
            Ordering::Less => out.push(letter),
            Ordering::Equal => out.push_str("..."),
            Ordering::Greater => {}
        }
    }
    out
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clear::ClearWhom;

    #[test]
    fn of_a_subscriber_the_network_is_left_and_nothing_else_is_lost() {
        let whom = ClearWhom::Imsi("240010000000001".to_owned());
        let request = Request::Clear {
            whom,
            reactivate: true,
        };
        let entry = AuditEntry {
            at: "2026-11-23T07:49:02.425Z".to_owned(),
            who: "otto".to_owned(),
            privilege: Some(Privilege::Operator),
            from: "ssh 192.0.2.1:45150".to_owned(),
            command: request.command().unwrap(),
            before: None,
            after: None,
            outcome: AuditOutcome::Failed,
            why: Some("no session matches (imsi 240010000000001): see 127001".to_owned()),
        };
        let shown = entry.clone().without_subscriber();
        assert_eq!(
            shown.command,
            "clear subscribers imsi 24001... --reactivate"
        );
        let why = "no session matches (imsi 24001...): see 12700...";
        assert_eq!(shown.why.as_deref(), Some(why));
        assert_eq!(
            (shown.at, shown.from),
            (entry.at.clone(), entry.from.clone())
        );
        let other = AuditEntry {
            command: "snmp target nms1234567".to_owned(),
            ..entry
        };
        assert_eq!(other.clone().without_subscriber(), other);
    }
}
