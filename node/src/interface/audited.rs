//! Requests are answered to whoever may ask them, and what changes something is written down.

use std::sync::Arc;

use api::{
    AuditEntry, AuditOutcome, AuditView, Failure, LoggingCommand, Privilege, Reply, Request,
    SnmpCommand, SnmpEntry, ThresholdCommand,
};
use axum::http::StatusCode;
use serde_json::{Value, json};
use tokio::task::{JoinError, spawn_blocking};
use tokio::time::sleep;

use super::{Interface, Refused, apply};
use crate::access::{Line, Refusal, Who};
use crate::settings::Setting;

/// Changes that are under way at most; further ones wait.
pub(crate) const CHANGES_MAX: usize = 32;

/// What a change is of.
enum Subject {
    Nothing,
    SmartLicensing,
    Feature(String),
    Speedup,
    Registration,
    Way,
    Remaining,
    Snmp(SnmpEntry, String),
    LogFilter(String),
    Syslog(String),
    Suppressed,
    /// A key of `[bulkstats]`.
    Bulkstats(&'static str),
    /// A `[[bulkstats.file]]`, by its number.
    BulkstatsFile(u8),
    Account(String),
}

impl Interface {
    /// Answers, if who asks may ask it. A change is done and written down whether or not they wait for it.
    pub(crate) async fn serve(
        self: Arc<Self>,
        who: Who,
        request: Request,
    ) -> Result<Reply, Refused> {
        let command = request.command();
        let needed = request.privilege();
        if who.privilege < Some(needed) {
            let command = command.unwrap_or_else(|| "a request".to_owned());
            let failure = may_not(&who, needed, &command);
            let why = Some(failure.what.clone());
            let line = line(command, AuditOutcome::Refused, why);
            self.write_down(who, line).await;
            return Err((StatusCode::FORBIDDEN, failure));
        }
        let Some(command) = command else {
            return self.answer(&who, request).await;
        };
        // The semaphore is never closed, so that there is always a place in the end.
        let place = Arc::clone(&self.changes).acquire_owned().await;
        let change = async move {
            let _place = place;
            let (interface, asker, asked) = (Arc::clone(&self), who.clone(), command.clone());
            let change = async move { interface.change(who, command, request).await };
            let fails = async |why: String| {
                let line = line(asked, AuditOutcome::Failed, Some(why));
                self.write_down(asker, line).await;
            };
            to_its_end(change, fails).await
        };
        let done = tokio::spawn(change).await;
        done.unwrap_or_else(|error| Err(broke(&error)))
    }

    async fn change(&self, who: Who, command: String, request: Request) -> Result<Reply, Refused> {
        let subject = Subject::of(&request);
        let mut before = self.standing(&subject).await;
        let answer = self.answer(&who, request).await;
        let (outcome, why) = match &answer {
            Ok(Reply::Done { changed: false }) => (AuditOutcome::Unchanged, None),
            Ok(Reply::Applied { applied }) if applied.changes.is_empty() => {
                (AuditOutcome::Unchanged, None)
            }
            Ok(_) => (AuditOutcome::Done, None),
            Err((_, failure)) => (AuditOutcome::Failed, Some(failure.to_string())),
        };
        let after = match &answer {
            Ok(Reply::Cleared { sessions, clients }) => {
                Some(json!({ "sessions": sessions, "clients": clients }))
            }
            Ok(Reply::Applied { applied }) => {
                let after;
                (before, after) = apply::standing(applied);
                after
            }
            Ok(_) | Err(_) => self.standing(&subject).await,
        };
        let line = Line {
            before,
            after,
            ..line(command, outcome, why)
        };
        self.write_down(who, line).await;
        answer
    }

    /// Writes a line of the audit log; on return it is on disk, or in the event log. Of refusals so many a minute, and after
    /// it how many more there were.
    pub(crate) async fn write_down(&self, who: Who, line: Line) {
        let (audit, now) = (Arc::clone(&self.audit), self.clock.now());
        if line.outcome == AuditOutcome::Refused {
            let is_account = self.accounts.privilege(&who.name).is_some();
            match audit.refusal(&who, is_account, now.mono) {
                Refusal::Written => {}
                Refusal::Counted => return,
                Refusal::First(name, after) => {
                    let clock = self.clock.clone();
                    let told = async move {
                        sleep(after).await;
                        let tells = move || audit.write_more(&name, clock.now().wall);
                        drop(spawn_blocking(tells).await);
                    };
                    drop(tokio::spawn(told));
                    return;
                }
            }
        }
        let at = now.wall;
        let written = spawn_blocking(move || audit.write(&who, line, at)).await;
        drop(written);
    }

    /// The newest lines. Inspectors read no IMSI in them.
    pub(super) async fn audit_view(&self, who: &Who, limit: u32) -> Result<Reply, Refused> {
        if limit > api::AUDIT_LIMIT_MAX {
            let todo = format!("ask for at most {}", api::AUDIT_LIMIT_MAX);
            let failure = Failure::new(format!("{limit} lines"), "limit", todo);
            return Err((StatusCode::BAD_REQUEST, failure));
        }
        let audit = Arc::clone(&self.audit);
        let read = spawn_blocking(move || audit.newest(limit)).await;
        let read = read.unwrap_or_else(|error| Err(std::io::Error::other(error)));
        let shown = |mut audit: AuditView| {
            if who.privilege < Some(Privilege::Operator) {
                let entries = audit.entries.into_iter();
                audit.entries = entries.map(AuditEntry::without_subscriber).collect();
            }
            Reply::Audit { audit }
        };
        read.map(shown).map_err(|error| {
            let what = format!("the audit log can't be read: {error}");
            let failure = Failure::new(what, "audit.jsonl", "see the disk of node.state_dir");
            (StatusCode::INTERNAL_SERVER_ERROR, failure)
        })
    }

    /// How that which is changed stands; none: there is nothing that stands.
    async fn standing(&self, subject: &Subject) -> Option<Value> {
        Some(match subject {
            Subject::Nothing => return None,
            Subject::SmartLicensing => self.now().await.0.smart.enabled.into(),
            Subject::Feature(name) => {
                let (snapshot, ..) = self.now().await;
                let mut features = snapshot.features.iter();
                let row = features.find(|row| row.tag.name.eq_ignore_ascii_case(name))?;
                row.enabled.into()
            }
            Subject::Speedup => self.now().await.0.lab?.speedup.into(),
            Subject::Registration => json!(self.agent.view().status.registration),
            Subject::Way => {
                let way = self.agent.view().transport;
                json!({ "url": way.url, "proxy": way.proxy })
            }
            Subject::Remaining => {
                let settings = self.settings.lock().await;
                let said = |setting| settings.said(setting);
                json!({
                    "low_percent": said(Setting::REMAINING_LOW),
                    "clear_percent": said(Setting::REMAINING_CLEAR),
                })
            }
            Subject::Snmp(what, name) => {
                let setting = match what {
                    SnmpEntry::Target => Setting::snmp_target(name),
                    SnmpEntry::Community => Setting::snmp_community(name),
                    SnmpEntry::User => Setting::snmp_user(name),
                };
                json!(self.settings.lock().await.said(setting)?)
            }
            Subject::Bulkstats(key) => {
                json!(self.settings.lock().await.said(Setting::bulkstats(key))?)
            }
            Subject::BulkstatsFile(number) => {
                let number = number.to_string();
                let setting = Setting::bulkstats_file(&number);
                json!(self.settings.lock().await.said(setting)?)
            }
            Subject::LogFilter(name) => {
                let setting = Setting::logging_filter(name);
                json!(self.settings.lock().await.said(setting)?)
            }
            Subject::Syslog(address) => {
                let setting = Setting::logging_syslog(address);
                json!(self.settings.lock().await.said(setting)?)
            }
            Subject::Account(name) => {
                json!(self.settings.lock().await.said(Setting::account(name))?)
            }
            Subject::Suppressed => {
                json!(self.settings.lock().await.said(Setting::SNMP_SUPPRESS)?)
            }
        })
    }
}

impl Subject {
    fn of(request: &Request) -> Self {
        match request {
            Request::SmartLicensing { .. } => Self::SmartLicensing,
            Request::Feature { name, .. } => Self::Feature(name.clone()),
            Request::LabSpeedup { .. } => Self::Speedup,
            Request::License(_) => Self::Registration,
            Request::Transport(_) => Self::Way,
            Request::Threshold(
                ThresholdCommand::Set { .. } | ThresholdCommand::Remove | ThresholdCommand::Default,
            ) => Self::Remaining,
            Request::SnmpSet(command) => Self::of_snmp(command),
            Request::BulkstatsSet(setting) => match (setting.file(), setting.key()) {
                (Some(number), _) => Self::BulkstatsFile(number),
                (None, Some(key)) => Self::Bulkstats(key),
                (None, None) => Self::Nothing,
            },
            Request::LoggingSet(command) => Self::of_logging(command),
            Request::Account(command) => Self::Account(command.name().to_owned()),
            Request::Clear { .. }
            | Request::BulkstatsDo { .. }
            | Request::Snapshot
            | Request::History { .. }
            | Request::Sessions
            | Request::Subscriber { .. }
            | Request::Counters
            | Request::Forecast
            | Request::Preview { .. }
            | Request::Peers { .. }
            | Request::Health
            | Request::Agent
            | Request::Alarms
            | Request::Snmp { .. }
            | Request::Logs { .. }
            | Request::Audit { .. }
            | Request::Logging
            | Request::Accounts
            | Request::Configuration
            | Request::SaveConfiguration { .. }
            | Request::Apply(_)
            | Request::Bulkstats
            | Request::BulkstatsData
            | Request::Client(_) => Self::Nothing,
        }
    }

    fn of_logging(command: &LoggingCommand) -> Self {
        let name = command.name().to_owned();
        match command {
            LoggingCommand::Filter { .. }
            | LoggingCommand::NoFilter { .. }
            | LoggingCommand::DefaultFilter { .. } => Self::LogFilter(name),
            LoggingCommand::Syslog(_)
            | LoggingCommand::NoSyslog { .. }
            | LoggingCommand::DefaultSyslog { .. } => Self::Syslog(name),
        }
    }

    fn of_snmp(command: &SnmpCommand) -> Self {
        let name = command.name().to_owned();
        match command {
            SnmpCommand::Target(_) => Self::Snmp(SnmpEntry::Target, name),
            SnmpCommand::Community { .. } => Self::Snmp(SnmpEntry::Community, name),
            SnmpCommand::User(_) => Self::Snmp(SnmpEntry::User, name),
            SnmpCommand::Remove { what, .. } | SnmpCommand::Default { what, .. } => {
                Self::Snmp(*what, name)
            }
            SnmpCommand::Suppress { .. }
            | SnmpCommand::Enable { .. }
            | SnmpCommand::DefaultTraps => Self::Suppressed,
        }
    }
}

/// A change as a task of its own. One that a panic ends has no line, perhaps after what it did: `fails` is told why.
async fn to_its_end(
    change: impl Future<Output = Result<Reply, Refused>> + Send + 'static,
    fails: impl AsyncFnOnce(String),
) -> Result<Reply, Refused> {
    match tokio::spawn(change).await {
        Ok(answer) => answer,
        Err(error) => {
            let (status, failure) = broke(&error);
            fails(failure.to_string()).await;
            Err((status, failure))
        }
    }
}

fn broke(error: &JoinError) -> Refused {
    let failure = Failure::new(error.to_string(), "control interface", "see the log");
    (StatusCode::INTERNAL_SERVER_ERROR, failure)
}

fn line(command: String, outcome: AuditOutcome, why: Option<String>) -> Line {
    Line {
        command,
        before: None,
        after: None,
        outcome,
        why,
    }
}

/// What is said to whoever asks what they may not.
fn may_not(who: &Who, needed: Privilege, command: &str) -> Failure {
    let is = who.privilege.map_or("nobody", Privilege::word);
    let what = format!("{} is {is}, and this takes an {needed}", who.name);
    let todo = format!("have an {needed} do it");
    Failure::new(what, command, todo)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_change_that_a_panic_ends_is_told_of() {
        let mut told = Vec::new();
        let panics = async { panic!("a disk of glass") };
        let answer = to_its_end(panics, async |why| told.push(why)).await;
        assert_eq!(
            answer.map_err(|(status, _)| status),
            Err(StatusCode::INTERNAL_SERVER_ERROR)
        );
        assert!(told.concat().contains("a disk of glass"), "{told:?}");
        assert_eq!(told.len(), 1);

        let done = async { Ok(Reply::Done { changed: true }) };
        let answer = to_its_end(done, async |why| told.push(why)).await;
        assert!(answer.is_ok());
        assert_eq!(told.len(), 1);
    }
}
