//! `apply`: a configuration text is compared with the configuration in force, and what differs is one change.
//!
//! It is checked whole, then kept and handed to each thread that it concerns, or it is refused and nothing has changed. No
//! part of it can refuse calls: what could is switched by commands of its own, and is refused here where it differs.

#[cfg(test)]
mod tests;

use std::fmt::Write;
use std::sync::Arc;

use api::{
    APPLY_BYTES_MAX, Applied, ApplyCommand, ChangeKind, ConfigurationChange, Failure, Privilege,
    Reply,
};
use axum::http::StatusCode;
use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};
use tokio::sync::{OwnedMutexGuard, oneshot};
use toml::Table;

use super::configuration::switched;
use super::set_bulkstats::hand_over_bulkstats;
use super::set_logging::hand_over_logging;
use super::set_snmp::hand_over_snmp;
use super::settings::{Handed, hand_over_way, in_one_task, refused};
use super::thresholds::hand_over_remaining;
use super::{Interface, Refused};
use crate::access::Who;
use crate::config::Account;
use crate::config::text::{self, Change, Fault, Fixed, Plan, Standing, Why};
use crate::config::{Config, Problem};
use crate::settings::{Changed, Edit, Setting, Settings, SettingsError, shorten_paths};

/// What it is called where it fails.
const WORDS: &str = "apply";

/// Differences that one refusal tells.
const TOLD_MAX: usize = 20;

/// Most bytes of lines that the audit log gets of one side.
const STANDING_BYTES_MAX: usize = 16 * 1024;

/// Who is handed a part of the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Agent,
    Bulkstats,
    Thresholds,
    Snmp,
    Logging,
    Accounts,
}

impl Interface {
    /// Changes what a text changes.
    pub(super) async fn apply(&self, who: &Who, command: ApplyCommand) -> Result<Reply, Refused> {
        if command.text.len() > APPLY_BYTES_MAX {
            let what = format!("the text has {} bytes", command.text.len());
            let todo = format!("give at most {APPLY_BYTES_MAX}");
            let failure = Failure::new(what, WORDS, todo);
            return Err((StatusCode::PAYLOAD_TOO_LARGE, failure));
        }
        // From the comparison to the change nobody else makes one.
        let settings = Arc::clone(&self.settings).lock_owned().await;
        let (snapshot, _, _) = self.now().await;
        let running = switched(settings.table(), &snapshot);
        let before = digest(&running);
        if let Some(wanted) = &command.checksum
            && !wanted.eq_ignore_ascii_case(&before)
        {
            let what = format!("the configuration in force has the checksum {before}");
            let todo = "look at it and at the plan once more, and apply with this checksum";
            return Err(nothing_changed(StatusCode::CONFLICT, what, todo));
        }
        let plan = plan(&command, &running, &settings)?;
        let dir = settings.dir().to_owned();
        let changes = plan.changes.clone();
        let edit = move |edit: &mut Edit| {
            for change in &changes {
                change_one(edit, change, &dir);
            }
        };
        let (table, config, settings) = checked(settings, edit.clone()).await?;
        let config = config.map_err(|error| placed(&command.text, &plan, &table, &error))?;
        if let Some(last) = self.locks_out_by(who, &config) {
            let todo = "do it at the control socket, or leave an administrator";
            return Err(nothing_changed(StatusCode::CONFLICT, last, todo));
        }
        let applied = Applied {
            changes: told(&command.text, &plan.changes),
            before,
            after: digest(&switched(table, &snapshot)),
        };
        if command.dry_run || plan.changes.is_empty() {
            return Ok(Reply::Applied { applied });
        }
        let parts = parts(&plan.changes);
        self.all_work(&parts)?;
        let count = applied.changes.len();
        let hand_over = self.handing_over(parts, count);
        let done = in_one_task(settings, WORDS, edit, hand_over).await?;
        match done {
            Some((_, Ok(()))) => Ok(Reply::Applied { applied }),
            Some((_, Err(why))) => Err(not_in_force(why)),
            None => Err(not_in_force("a thread does not work".to_owned())),
        }
    }

    /// Why whoever is logged in may not: nobody could administer by SSH any more.
    fn locks_out_by(&self, who: &Who, config: &Config) -> Option<String> {
        let is_one = |name: &str| self.accounts.privilege(name) == Some(Privilege::Administrator);
        let mut accounts = config.ssh.accounts.iter();
        let left = accounts.any(Account::administers);
        let refused = who.is_remote && is_one(&who.name) && !left;
        refused.then(|| "no administrator would be left".to_owned())
    }

    /// Does each thread that is handed something work?
    fn all_work(&self, parts: &[Part]) -> Result<(), Refused> {
        let now = self.clock.now().mono;
        for part in parts {
            let (stalled, who) = match part {
                Part::Agent => (self.vitals.agent_stalled(now), "the smart agent does"),
                Part::Bulkstats => (self.vitals.bulkstats_stalled(now), "bulk statistics do"),
                Part::Thresholds => (self.vitals.control_stalled(now), "the control thread does"),
                Part::Snmp => (self.vitals.snmp_stalled(now), "SNMP does"),
                Part::Logging | Part::Accounts => continue,
            };
            if stalled {
                let what = format!("{who} not work");
                let todo = "see show health and the log, and apply it again";
                return Err(nothing_changed(StatusCode::SERVICE_UNAVAILABLE, what, todo));
            }
        }
        Ok(())
    }

    /// Hands each its part, all at once, and tells when the last has taken it.
    fn handing_over(
        &self,
        parts: Vec<Part>,
        changes: usize,
    ) -> impl FnOnce(Changed) -> Handed<Result<(), String>> + Send + 'static {
        let agent = self.commands.clone();
        let bulkstats = self.bulkstats.asks.clone();
        let control = self.asks.clone();
        let snmp = self.snmp_asks.clone();
        let syslog = self.syslog_asks.clone();
        let accounts = Arc::clone(&self.accounts);
        move |Changed { config, .. }| {
            event!(CONFIGURATION_APPLIED, changes);
            let asked = |part: Part| parts.contains(&part);
            let way = asked(Part::Agent).then(|| hand_over_way(&agent, config.agent));
            let bulkstats =
                asked(Part::Bulkstats).then(|| hand_over_bulkstats(&bulkstats, config.bulkstats));
            let remaining = config.thresholds.remaining;
            let remaining =
                asked(Part::Thresholds).then(|| hand_over_remaining(&control, remaining));
            let snmp = asked(Part::Snmp).then(|| hand_over_snmp(&snmp, config.snmp));
            let logging = asked(Part::Logging).then(|| hand_over_logging(&syslog, config.logging));
            if asked(Part::Accounts) {
                accounts.set(config.ssh.accounts);
            }
            let (done, in_force) = oneshot::channel();
            tokio::spawn(async move {
                let all = async {
                    taken(way, "the smart agent").await?;
                    taken(remaining, "the control thread").await?;
                    taken(logging, "the thread of syslog").await?;
                    if let Some(bulkstats) = taken(bulkstats, "bulk statistics").await? {
                        bulkstats.map_err(|error| error.to_string())?;
                    }
                    if let Some(snmp) = taken(snmp, "SNMP").await? {
                        snmp.map_err(|error| error.to_string())?;
                    }
                    Ok(())
                };
                let all: Result<(), String> = all.await;
                // Whoever waited may be gone.
                let _gone = done.send(all);
            });
            Some(in_force)
        }
    }
}

/// What one of them says that was handed something; the wait for all has its own bound.
async fn taken<T>(handed: Option<Handed<T>>, who: &str) -> Result<Option<T>, String> {
    let no = || format!("{who} does not take it");
    match handed {
        None => Ok(None),
        Some(None) => Err(no()),
        Some(Some(taken)) => taken.await.map(Some).map_err(|_| no()),
    }
}

/// Before and after, for the audit log.
pub(super) fn standing(applied: &Applied) -> (Option<Json>, Option<Json>) {
    let of = |side: fn(&ConfigurationChange) -> &Vec<String>| {
        let mut bytes = 0;
        let lines = applied.changes.iter().flat_map(side);
        let fitting = lines.clone().take_while(|line| {
            bytes += line.len();
            bytes <= STANDING_BYTES_MAX
        });
        let mut told: Vec<String> = fitting.cloned().collect();
        let left = lines.count() - told.len();
        if left > 0 {
            told.push(format!("! {left} more lines"));
        }
        Some(json!(told))
    };
    (of(|change| &change.before), of(|change| &change.after))
}

fn plan(command: &ApplyCommand, running: &Table, settings: &Settings) -> Result<Plan, Refused> {
    let below = settings.table_below();
    let standing = Standing {
        running,
        below: &below,
        base: settings.dir(),
    };
    let plan = text::plan(&command.text, &standing, command.replace);
    let plan = plan.map_err(|fault| is_none(&command.text, &fault))?;
    match plan.fixed.is_empty() {
        true => Ok(plan),
        false => Err(differ(&command.text, &plan.fixed)),
    }
}

/// Reading files of secrets may take its time, and others are answered meanwhile.
async fn checked(
    settings: OwnedMutexGuard<Settings>,
    edit: impl FnOnce(&mut Edit) + Send + 'static,
) -> Result<
    (
        Table,
        Result<Config, SettingsError>,
        OwnedMutexGuard<Settings>,
    ),
    Refused,
> {
    let checked = tokio::task::spawn_blocking(move || {
        let (table, config) = settings.check(edit);
        (table, config, settings)
    });
    checked.await.map_err(|error| {
        let todo = "see the node's log";
        nothing_changed(StatusCode::INTERNAL_SERVER_ERROR, error.to_string(), todo)
    })
}

fn change_one(edit: &mut Edit, change: &Change, dir: &std::path::Path) {
    let setting = Setting::settable(change.row, change.entry.as_deref());
    match &change.after {
        _ if change.as_below => edit.unset(setting),
        None => edit.remove(setting),
        Some(value) => {
            let mut value = value.clone();
            shorten_paths(dir, &mut value);
            edit.set(setting, value);
        }
    }
}

fn parts(changes: &[Change]) -> Vec<Part> {
    let of = |change: &Change| match change.row.section {
        "agent" => Part::Agent,
        "bulkstats" => Part::Bulkstats,
        "licensing" => Part::Thresholds,
        "snmp" => Part::Snmp,
        "logging" => Part::Logging,
        _ => Part::Accounts,
    };
    let mut parts: Vec<Part> = changes.iter().map(of).collect();
    parts.sort();
    parts.dedup();
    parts
}

fn told(text: &str, changes: &[Change]) -> Vec<ConfigurationChange> {
    let one = |change: &Change| {
        let [before, after] = change.lines();
        ConfigurationChange {
            key: change.key(),
            change: match (&change.before, &change.after) {
                (None, _) => ChangeKind::Added,
                (Some(_), None) => ChangeKind::Removed,
                (Some(_), Some(_)) => ChangeKind::Changed,
            },
            place: change.at.map(|at| {
                let (line, column) = text::line_and_column(text, at);
                let bounded = |number| u32::try_from(number).unwrap_or(u32::MAX);
                (bounded(line), bounded(column))
            }),
            before,
            after,
        }
    };
    changes.iter().map(one).collect()
}

/// SHA-256 of a configuration as text, in hexadecimal digits, as `show configuration checksum` has it.
fn digest(table: &Table) -> String {
    let digest = Sha256::digest(text::print(table));
    digest.iter().fold(String::new(), |mut hex, octet| {
        // A string takes all of it.
        let _ = write!(hex, "{octet:02x}");
        hex
    })
}

fn nothing_changed(status: StatusCode, what: impl Into<String>, todo: &str) -> Refused {
    let what = format!("{}; nothing has changed", what.into());
    (status, Failure::new(what, WORDS, todo))
}

fn not_in_force(why: String) -> Refused {
    let what = format!("{why}; the configuration is kept, and a part of it is not in force");
    let todo = "see show health and the log; a restart brings it into force";
    let failure = Failure::new(what, WORDS, todo);
    (StatusCode::SERVICE_UNAVAILABLE, failure)
}

fn place(text: &str, at: usize) -> String {
    let (line, column) = text::line_and_column(text, at);
    format!("line {line}, column {column}: ")
}

/// The text is none.
fn is_none(text: &str, fault: &Fault) -> Refused {
    let what = format!("{}{fault}", place(text, fault.at));
    nothing_changed(StatusCode::BAD_REQUEST, what, "mend that line of the text")
}

/// What differs, and is not changed by a text.
fn differ(text: &str, fixed: &[Fixed]) -> Refused {
    let told = fixed.iter().take(TOLD_MAX).map(|fixed| {
        let place = fixed.at.map(|at| place(text, at)).unwrap_or_default();
        let said = match (fixed.at, fixed.why) {
            (Some(_), Why::Restart) => "differs, and takes a restart",
            (None, Why::Restart) => "is not in the text, and to leave it out takes a restart",
            (Some(_), Why::Switched) => "differs, and is switched by its own command",
            (None, Why::Switched) => "is not in the text, and is switched by its own command",
        };
        format!("{place}{} {said}", fixed.key)
    });
    let mut what = told.collect::<Vec<_>>().join("; ");
    if let Some(more @ 1..) = fixed.len().checked_sub(TOLD_MAX) {
        what.push_str(&format!("; and {more} more"));
    }
    let todo = "say these as show configuration prints them, or start the node with the text";
    nothing_changed(StatusCode::CONFLICT, what, todo)
}

/// The whole would not be a good one; `table` is what it would be.
fn placed(text: &str, plan: &Plan, table: &Table, error: &SettingsError) -> Refused {
    let (status, mut failure) = refused(WORDS, error);
    if let SettingsError::Refused { key, problem } = error
        && !matches!(problem, Problem::Sealed { .. })
        && let Some(at) = plan.at(key, table)
    {
        failure.what = format!("{}{}", place(text, at), failure.what);
    }
    (status, failure)
}
