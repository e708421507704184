//! `bulkstats collection`, and what is said in `bulkstats mode`: kept first, then handed to the thread of bulk statistics.

#[cfg(test)]
mod tests;

use api::{
    BulkstatsFileKey, BulkstatsKey, BulkstatsPart, BulkstatsReceiverSetting, BulkstatsSetting,
    Failure, Reply,
};
use axum::http::StatusCode;
use bulkstats::config::{ConfigError, SchemaConfig};
use tokio::sync::{mpsc, oneshot};
use toml::{Table, Value};
use zeroize::Zeroizing;

use super::settings::Handed;
use super::{Interface, Refused, settings};
use crate::bulkstats::BulkstatsAsk;
use crate::config::{Bulkstats, is_secret};
use crate::settings::{Changed, Edit, Setting};

impl Interface {
    /// `bulkstats collection`, and what is said in `bulkstats mode`.
    pub(super) async fn set_bulkstats(&self, setting: BulkstatsSetting) -> Result<Reply, Refused> {
        let words = setting.words();
        if self.vitals.bulkstats_stalled(self.clock.now().mono) {
            let what = "bulk statistics do not work; nothing has changed";
            return Err(no_bulkstats(what));
        }
        check(&setting).map_err(|(what, todo)| {
            let what = format!("{what}; nothing has changed");
            (StatusCode::BAD_REQUEST, Failure::new(what, words, todo))
        })?;
        let file = setting.file();
        let asks = self.bulkstats.asks.clone();
        let hand_over = move |Changed { config, changed }| {
            if changed {
                event!(BULKSTATS_SET, command = words, file);
            }
            hand_over_bulkstats(&asks, config.bulkstats)
        };
        let edit = |edit: &mut Edit| change(edit, setting);
        let done = settings::change(&self.settings, words, edit, hand_over).await?;
        answer(words, done)
    }
}

pub(super) fn hand_over_bulkstats(
    asks: &mpsc::Sender<BulkstatsAsk>,
    bulkstats: Bulkstats,
) -> Handed<Result<(), ConfigError>> {
    let (done, in_force) = oneshot::channel();
    let config = Box::new(bulkstats);
    let asked = asks.try_send(BulkstatsAsk::Change { config, done });
    asked.is_ok().then_some(in_force)
}

/// What came of a change that is kept.
fn answer(words: &str, done: Option<(Reply, Result<(), ConfigError>)>) -> Result<Reply, Refused> {
    match done {
        Some((reply, Ok(()))) => Ok(reply),
        Some((_, Err(error))) => {
            let what = format!("{error}; it is kept, and not in force");
            let failure = Failure::new(what, words, "take it back by its default form");
            Err((StatusCode::SERVICE_UNAVAILABLE, failure))
        }
        None => Err(no_bulkstats(
            "it is kept, and not in force before bulk statistics work",
        )),
    }
}

fn no_bulkstats(what: &str) -> Refused {
    let failure = Failure::new(what, "bulk statistics", "see show health and the log");
    (StatusCode::SERVICE_UNAVAILABLE, failure)
}

/// What is wrong by itself, and what to do; the whole is checked later.
fn check(setting: &BulkstatsSetting) -> Result<(), (String, String)> {
    let BulkstatsSetting::Part { part, .. } = setting else {
        return Ok(());
    };
    match part {
        BulkstatsPart::Schema { line } => {
            let todo = "see show bulkstats variables".to_owned();
            let parsed = SchemaConfig::parse(line);
            parsed.map(drop).map_err(|error| (error.to_string(), todo))
        }
        BulkstatsPart::Receiver { receiver, .. } => match &receiver.password {
            Some(password) if !is_secret(password) => Err((
                "what is given is not a password".to_owned(),
                "give one line of 1 to 255 bytes".to_owned(),
            )),
            Some(_) | None => Ok(()),
        },
        BulkstatsPart::Header { .. }
        | BulkstatsPart::Footer { .. }
        | BulkstatsPart::Remotefile { .. }
        | BulkstatsPart::Gzip { .. }
        | BulkstatsPart::NoSchema { .. }
        | BulkstatsPart::NoReceiver { .. }
        | BulkstatsPart::Default { .. } => Ok(()),
    }
}

fn change(edit: &mut Edit, setting: BulkstatsSetting) {
    match setting {
        BulkstatsSetting::Collection { on } => edit.set(COLLECTION, on),
        BulkstatsSetting::SampleInterval { minutes } => edit.set(SAMPLE, i64::from(minutes)),
        BulkstatsSetting::TransferInterval { minutes } => edit.set(TRANSFER, i64::from(minutes)),
        BulkstatsSetting::Limit { mib } => edit.set(LIMIT, number(mib)),
        BulkstatsSetting::HistoricalDays { days } => edit.set(HISTORY_DAYS, i64::from(days)),
        BulkstatsSetting::HistoricalLimit { mib } => edit.set(HISTORY_MIB, number(mib)),
        BulkstatsSetting::Default { what } => match what {
            BulkstatsKey::Collection => edit.unset(COLLECTION),
            BulkstatsKey::SampleInterval => edit.unset(SAMPLE),
            BulkstatsKey::TransferInterval => edit.unset(TRANSFER),
            BulkstatsKey::Limit => edit.unset(LIMIT),
            BulkstatsKey::Historical => {
                edit.unset(HISTORY_DAYS);
                edit.unset(HISTORY_MIB);
            }
        },
        BulkstatsSetting::File { number } => change_file(edit, number, |_, _, _| true),
        BulkstatsSetting::NoFile { number } => {
            edit.remove(Setting::bulkstats_file(&number.to_string()));
        }
        BulkstatsSetting::DefaultFile { number } => {
            edit.unset(Setting::bulkstats_file(&number.to_string()));
        }
        BulkstatsSetting::Part { number, part } => {
            change_file(edit, number, |edit, file, below| {
                change_part(edit, file, below, part)
            });
        }
    }
}

const COLLECTION: Setting<'static> = Setting::bulkstats("collection");
const SAMPLE: Setting<'static> = Setting::bulkstats("sample_interval_min");
const TRANSFER: Setting<'static> = Setting::bulkstats("transfer_interval_min");
const LIMIT: Setting<'static> = Setting::bulkstats("limit_mib");
const HISTORY_DAYS: Setting<'static> = Setting::bulkstats("historical_days");
const HISTORY_MIB: Setting<'static> = Setting::bulkstats("historical_mib");

/// Too large a number is refused as such when the whole is checked.
fn number(number: u64) -> Value {
    i64::try_from(number).unwrap_or(i64::MAX).into()
}

/// Changes the entry of a file. What does not begin one does nothing where there is none, and where nothing changes the
/// entry stays the configuration's.
fn change_file(
    edit: &mut Edit,
    number: u8,
    change: impl FnOnce(&mut Edit, &mut Table, &Table) -> bool,
) {
    let number = number.to_string();
    let setting = Setting::bulkstats_file(&number);
    let before = edit.entry(setting);
    let below = edit.entry_below(setting).unwrap_or_default();
    let mut file = before.clone().unwrap_or_default();
    let begins = change(edit, &mut file, &below);
    if before.as_ref() != Some(&file) && (begins || before.is_some()) {
        edit.set(setting, file);
    }
}

/// Whether it begins a file, if there is none.
fn change_part(edit: &mut Edit, file: &mut Table, below: &Table, part: BulkstatsPart) -> bool {
    match part {
        BulkstatsPart::Header { format } => drop(file.insert("header".into(), format.into())),
        BulkstatsPart::Footer { format } => drop(file.insert("footer".into(), format.into())),
        BulkstatsPart::Remotefile { format } => {
            file.insert("remotefile".into(), format.into());
        }
        BulkstatsPart::Gzip { on } => drop(file.insert("gzip".into(), on.into())),
        BulkstatsPart::Schema { line } => set_schema(file, &line),
        BulkstatsPart::NoSchema { schema, name } => {
            let mut list = schemas(file);
            list.retain(|line| !is_schema(line, &schema, &name));
            if list.len() < schemas(file).len() {
                file.insert("schemas".into(), list.into());
            }
            return false;
        }
        BulkstatsPart::Receiver {
            secondary,
            receiver,
        } => {
            let receiver = written(edit, *receiver);
            file.insert(which(secondary).into(), receiver.into());
        }
        BulkstatsPart::NoReceiver { secondary } => {
            file.remove(which(secondary));
            return false;
        }
        BulkstatsPart::Default { what } => {
            let key = match what {
                BulkstatsFileKey::Header => "header",
                BulkstatsFileKey::Footer => "footer",
                BulkstatsFileKey::Remotefile => "remotefile",
                BulkstatsFileKey::Gzip => "gzip",
                BulkstatsFileKey::Schemas => "schemas",
                BulkstatsFileKey::Primary => which(false),
                BulkstatsFileKey::Secondary => which(true),
            };
            match below.get(key) {
                Some(value) => drop(file.insert(key.into(), value.clone())),
                None => drop(file.remove(key)),
            }
            return false;
        }
    }
    true
}

fn which(secondary: bool) -> &'static str {
    match secondary {
        true => "secondary",
        false => "primary",
    }
}

fn schemas(file: &Table) -> Vec<Value> {
    let list = file.get("schemas").and_then(Value::as_array);
    list.cloned().unwrap_or_default()
}

fn is_schema(line: &Value, schema: &str, name: &str) -> bool {
    let parsed = line
        .as_str()
        .and_then(|line| SchemaConfig::parse(line).ok());
    parsed.is_some_and(|parsed| parsed.schema.name() == schema && parsed.name == name)
}

/// In place of the one of its kind and name, or behind all. A line that is none was refused before.
fn set_schema(file: &mut Table, line: &str) {
    let Ok(parsed) = SchemaConfig::parse(line) else {
        return;
    };
    let mut list = schemas(file);
    let is_same = |line: &&mut Value| is_schema(line, parsed.schema.name(), &parsed.name);
    match list.iter_mut().find(is_same) {
        Some(same) => *same = line.into(),
        None => list.push(line.into()),
    }
    file.insert("schemas".into(), list.into());
}

/// A receiver as the configuration has it; its password goes to a file.
fn written(edit: &mut Edit, receiver: BulkstatsReceiverSetting) -> Table {
    let BulkstatsReceiverSetting {
        address,
        mechanism,
        port,
        login,
        password,
        key_file,
        host_key,
        roots,
        method,
    } = receiver;
    let mut entry = Table::new();
    entry.insert("address".into(), address.into());
    entry.insert("mechanism".into(), mechanism.into());
    if let Some(port) = port {
        entry.insert("port".into(), i64::from(port).into());
    }
    if let Some(password) = password {
        let file = edit.secret(Zeroizing::new(password));
        entry.insert("password_file".into(), file);
    }
    for (key, value) in [
        ("login", login),
        ("key_file", key_file),
        ("host_key", host_key),
        ("roots", roots),
        ("method", method),
    ] {
        if let Some(value) = value {
            entry.insert(key.into(), value.into());
        }
    }
    entry
}
