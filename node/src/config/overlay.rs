//! Settings: what operators change at run time, laid over the configuration.
//!
//! They have the tables and keys of the configuration, but only those of [`SETTABLE`], each of which is taken whole: no
//! part of a proxy or of a target is left from the one below. `removed` names what the configuration has and the node
//! does not: `["agent.proxy", "snmp.target[nms]"]`. Files that they name start from the state directory.

use std::path::{Path, PathBuf};

use licensing::Thresholds;
use licensing::place::Places;
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use super::check::{Checked, missing, once};
use super::{Agent, Config, ConfigError, Problem, Source, Ssh, Wrong, table, text};
use crate::transport::Way;

/// The key of settings that says what is removed.
pub(crate) const REMOVED: &str = "removed";

/// The key that names an entry of a list.
pub(crate) const NAME: &str = "name";

/// The key that numbers an entry of a list.
pub(crate) const NUMBER: &str = "number";

/// How keys end whose values are paths of files.
const FILE_SUFFIX: &str = "_file";

/// Another key whose value is one.
const ROOTS: &str = "roots";

/// A key of a section that settings may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settable {
    /// The section.
    pub section: &'static str,
    /// Its key.
    pub key: &'static str,
    /// It is a list, and settings have entries of it, by this key.
    pub list: Option<&'static str>,
}

/// All of them.
pub const SETTABLE: &[Settable] = &[
    settable("agent", "authority"),
    settable("agent", "proxy"),
    settable("bulkstats", "collection"),
    settable("bulkstats", "sample_interval_min"),
    settable("bulkstats", "transfer_interval_min"),
    settable("bulkstats", "limit_mib"),
    settable("bulkstats", "historical_days"),
    settable("bulkstats", "historical_mib"),
    list("bulkstats", "file", NUMBER),
    settable("licensing", "remaining_low_percent"),
    settable("licensing", "remaining_clear_percent"),
    settable("snmp", "suppress"),
    list("snmp", "community", NAME),
    list("snmp", "target", NAME),
    list("snmp", "user", NAME),
    list("logging", "filter", NAME),
    list("logging", "syslog", NAME),
    list("ssh", "account", NAME),
];

const fn settable(section: &'static str, key: &'static str) -> Settable {
    let list = None;
    Settable { section, key, list }
}

const fn list(section: &'static str, key: &'static str, by: &'static str) -> Settable {
    let list = Some(by);
    Settable { section, key, list }
}

impl Config {
    /// This configuration with settings over it; `text` is that of `file`, in the absolute path of whose directory relative
    /// paths start. Errors: [`ConfigError`], of whichever file is wrong.
    pub(crate) fn with_settings(&self, text: &str, file: &Path) -> Result<Self, ConfigError> {
        let below = &self.source;
        // Both texts as one: what is behind the first is of the second.
        let lines_below = below.text.matches('\n').count() + 1;
        let wrong = |(line, key, problem): Wrong| ConfigError::Wrong {
            file: match line > lines_below {
                true => file.to_owned(),
                false => below.path.clone(),
            },
            line: match line > lines_below {
                true => line - lines_below,
                false => line,
            },
            column: match line > lines_below {
                true => None,
                false => below.column(&key, &problem),
            },
            key: key.into(),
            problem,
        };
        let behind = |(line, key, problem)| wrong((line + lines_below, key, problem));
        table(text).map_err(behind)?;
        let padded = format!("{}{text}", "\n".repeat(below.text.len() + 1));
        let over = DeTable::parse(&padded).map(Spanned::into_inner);
        let mut laid = below.tables().map_err(wrong)?;
        let base = file.parent().unwrap_or(Path::new(""));
        let done = lay_over(laid.get_mut(), over.unwrap_or_default(), base);
        let places = Places::of(text);
        done.map_err(|(key, problem)| behind((places.line_of_key(&key), key, problem)))?;
        let joined = format!("{}\n{text}", below.text);
        let places = Places::of_table(&joined, laid.get_ref());
        let checked = below.check(laid, &places).map_err(wrong)?;
        let settings: toml::Table = toml::from_str(text).unwrap_or_default();
        Ok(self.take(checked, &settings))
    }

    /// The tables of this configuration with settings over them, each path whole. Both were checked before.
    pub(crate) fn table_with_settings(&self, text: &str, file: &Path) -> toml::Table {
        let Ok(mut laid) = self.source.tables() else {
            return toml::Table::new();
        };
        let over = DeTable::parse(text).map(Spanned::into_inner);
        let base = file.parent().unwrap_or(Path::new(""));
        let done = lay_over(laid.get_mut(), over.unwrap_or_default(), base);
        debug_assert!(done.is_ok(), "it was laid over before: {done:?}");
        let base = self.source.path.parent().unwrap_or(Path::new(""));
        let base = std::path::absolute(base).unwrap_or_else(|_| base.to_owned());
        text::with_paths_from(&base, text::plain(laid))
    }

    /// Takes what settings may say, and nothing else.
    fn take(&self, from: Self, settings: &toml::Table) -> Self {
        Self {
            agent: Agent {
                authority_set: says(settings, "agent", "authority"),
                proxy_set: says(settings, "agent", "proxy"),
                way: Way {
                    authority: from.agent.way.authority,
                    proxy: from.agent.way.proxy,
                    ..self.agent.way
                },
                ..self.agent.clone()
            },
            bulkstats: from.bulkstats,
            snmp: from.snmp,
            logging: from.logging,
            ssh: Ssh {
                accounts: from.ssh.accounts,
                ..self.ssh
            },
            thresholds: Thresholds {
                remaining: from.thresholds.remaining,
                ..self.thresholds
            },
            ..self.clone()
        }
    }
}

/// Do settings say anything of this key?
fn says(settings: &toml::Table, section: &str, key: &str) -> bool {
    let set = settings.get(section).and_then(|keys| keys.get(key));
    let removed = settings.get(REMOVED).and_then(toml::Value::as_array);
    let named = format!("{section}.{key}");
    let is_it = |name: &toml::Value| name.as_str() == Some(&named);
    set.is_some() || removed.is_some_and(|names| names.iter().any(is_it))
}

impl Source {
    /// Where its paths start.
    pub(crate) fn dir(&self) -> PathBuf {
        let dir = self.path.parent().unwrap_or(Path::new(""));
        // An empty path is none that can be made absolute.
        std::path::absolute(Path::new(".").join(dir)).unwrap_or_else(|_| dir.to_owned())
    }

    /// The table that was read.
    pub(crate) fn table(&self) -> toml::Table {
        // It was read before.
        self.tables().map(text::plain).unwrap_or_default()
    }
}

fn lay_over<'a>(below: &mut DeTable<'a>, mut over: DeTable<'a>, base: &Path) -> Checked<()> {
    if let Some(removed) = over.remove(REMOVED) {
        remove(below, removed.get_ref())?;
    }
    for (section, value) in over {
        let Some(keys) = value.get_ref().as_table() else {
            return not_settable(section.get_ref());
        };
        let name: &str = section.get_ref();
        if !below.contains_key(name) {
            let empty = Spanned::new(value.span(), DeValue::Table(DeTable::new()));
            below.insert(section.clone(), empty);
        }
        let under = below.get_mut(name).map(Spanned::get_mut);
        let Some(DeValue::Table(under)) = under else {
            continue;
        };
        for (key, value) in keys {
            let mut value = value.clone();
            start_files_from(base, value.get_mut());
            lay_key(under, name, key, value)?;
        }
    }
    Ok(())
}

type Key<'a> = Spanned<std::borrow::Cow<'a, str>>;

fn lay_key<'a>(
    under: &mut DeTable<'a>,
    section: &str,
    key: &Key<'a>,
    value: Spanned<DeValue<'a>>,
) -> Checked<()> {
    let name: &str = key.get_ref();
    let full = format!("{section}.{name}");
    let mut rows = SETTABLE.iter();
    let Some(row) = rows.find(|row| row.section == section && row.key == name) else {
        return not_settable(&full);
    };
    if let Some(by) = row.list
        && value.get_ref().is_array()
    {
        return lay_entries(under, key, value, &full, by);
    }
    // The place of the key goes with it.
    under.remove(name);
    under.insert(key.clone(), value);
    Ok(())
}

/// Entries take the places of those of their names, else they go to the end.
fn lay_entries<'a>(
    under: &mut DeTable<'a>,
    key: &Key<'a>,
    entries: Spanned<DeValue<'a>>,
    full: &str,
    by: &str,
) -> Checked<()> {
    if !under.contains_key(key.get_ref().as_ref()) {
        let empty = DeValue::Array(DeArray::new());
        under.insert(key.clone(), Spanned::new(entries.span(), empty));
    }
    let list = under.get_mut(key.get_ref().as_ref()).map(Spanned::get_mut);
    let (Some(DeValue::Array(list)), DeValue::Array(entries)) = (list, entries.into_inner()) else {
        return Ok(());
    };
    for (place, entry) in entries.iter().enumerate() {
        let name_of = |entry: &Spanned<DeValue<'_>>| name_of(entry.get_ref(), by);
        let Some(name) = name_of(entry) else {
            return missing(format!("{full}[{place}].{by}"));
        };
        let before = entries[..place].iter().filter_map(name_of);
        let before: Vec<String> = before.collect();
        let before = before.iter().map(String::as_str);
        once("entry", &name, &format!("{full}[{place}].{by}"), before)?;
        let same = list
            .iter_mut()
            .find(|of_list| name_of(of_list) == Some(name.clone()));
        match same {
            Some(same) => *same = entry.clone(),
            None => list.push(entry.clone()),
        }
    }
    Ok(())
}

/// The name of an entry, or its number, by its key.
fn name_of(entry: &DeValue<'_>, by: &str) -> Option<String> {
    let named = entry.as_table()?.get(by)?.get_ref();
    let number = named.as_integer().map(|number| number.to_string());
    number.or_else(|| named.as_str().map(str::to_owned))
}

/// Takes away what `removed` names, where it is.
fn remove(below: &mut DeTable<'_>, removed: &DeValue<'_>) -> Checked<()> {
    let Some(removed) = removed.as_array() else {
        return not_a_name(REMOVED.into(), removed);
    };
    for (place, named) in removed.iter().enumerate() {
        let key = format!("{REMOVED}[{place}]");
        let Some((row, name)) = named.get_ref().as_str().and_then(parse_name) else {
            return not_a_name(key, named.get_ref());
        };
        let Some(DeValue::Table(under)) = below.get_mut(row.section).map(Spanned::get_mut) else {
            continue;
        };
        match name.zip(row.list) {
            None => drop(under.remove(row.key)),
            Some((name, by)) => {
                if let Some(DeValue::Array(list)) = under.get_mut(row.key).map(Spanned::get_mut) {
                    let others = std::mem::replace(list, DeArray::new()).into_iter();
                    *list = others
                        .filter(|entry| name_of(entry.get_ref(), by).as_deref() != Some(name))
                        .collect();
                }
            }
        }
    }
    Ok(())
}

/// `SECTION.KEY`, or `SECTION.KEY[NAME]` of a list.
fn parse_name(text: &str) -> Option<(&'static Settable, Option<&str>)> {
    let (key, name) = match text.split_once('[') {
        None => (text, None),
        Some((key, rest)) => (key, Some(rest.strip_suffix(']')?)),
    };
    let row = SETTABLE.iter().find(|row| {
        key.split_once('.') == Some((row.section, row.key)) && row.list.is_some() == name.is_some()
    });
    Some((row?, name))
}

fn not_a_name<T>(key: String, found: &DeValue<'_>) -> Checked<T> {
    let found = match found.as_str() {
        Some(text) => format!("{text:?}"),
        None => found.type_str().to_owned(),
    };
    let expected = "a list of names such as [\"agent.proxy\", \"snmp.target[nms]\"]".to_owned();
    Err((key, Problem::Value { found, expected }))
}

fn not_settable<T>(key: &str) -> Checked<T> {
    let keys = SETTABLE
        .iter()
        .map(|row| format!("{}.{}", row.section, row.key));
    let known = keys.collect::<Vec<_>>().join(", ");
    Err((key.to_owned(), Problem::NotSettable { known }))
}

/// Is the value of this key the path of a file?
pub(crate) fn is_path(key: &str) -> bool {
    key.ends_with(FILE_SUFFIX) || key == ROOTS
}

/// Paths of files in a value start from this directory.
fn start_files_from(base: &Path, value: &mut DeValue<'_>) {
    if let DeValue::Array(elements) = value {
        for element in elements.iter_mut() {
            start_files_from(base, element.get_mut());
        }
    }
    let DeValue::Table(table) = value else {
        return;
    };
    for (key, value) in table.iter_mut() {
        let value = value.get_mut();
        if is_path(key.get_ref())
            && let DeValue::String(path) = value
        {
            let from_base = base.join(path.as_ref());
            *path = from_base.to_string_lossy().into_owned().into();
        }
        start_files_from(base, value);
    }
}
