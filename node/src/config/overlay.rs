//! Settings: what operators change at run time, laid over the configuration.
//!
//! They have the tables and keys of the configuration, but only those of [`SETTABLE`], each of which is taken whole: no
//! part of a proxy or of a target is left from the one below. `removed` names what the configuration has and the node
//! does not: `["agent.proxy", "snmp.target[nms]"]`. Files that they name start from the state directory.

use std::path::Path;

use licensing::Thresholds;
use licensing::place::Places;
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use super::check::{Checked, missing, once};
use super::{Agent, Config, ConfigError, Problem, Source, Wrong, table};
use crate::transport::Way;

/// The key of settings that says what is removed.
pub(crate) const REMOVED: &str = "removed";

/// The key that names an entry of a list.
pub(crate) const NAME: &str = "name";

/// How keys end whose values are paths of files.
const FILE_SUFFIX: &str = "_file";

/// A key of a section that settings may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settable {
    /// The section.
    pub section: &'static str,
    /// Its key.
    pub key: &'static str,
    /// It is a list, and settings have entries of it, by their names.
    pub list: bool,
}

/// All of them.
pub const SETTABLE: &[Settable] = &[
    settable("agent", "authority", false),
    settable("agent", "proxy", false),
    settable("licensing", "remaining_low_percent", false),
    settable("licensing", "remaining_clear_percent", false),
    settable("snmp", "suppress", false),
    settable("snmp", "community", true),
    settable("snmp", "target", true),
    settable("snmp", "user", true),
];

const fn settable(section: &'static str, key: &'static str, list: bool) -> Settable {
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
            key,
            problem,
        };
        let behind = |(line, key, problem)| wrong((line + lines_below, key, problem));
        table(text).map_err(behind)?;
        let padded = format!("{}{text}", "\n".repeat(below.text.len() + 1));
        let over = DeTable::parse(&padded).map(Spanned::into_inner);
        let mut laid = table(&below.text).map_err(wrong)?;
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
            snmp: from.snmp,
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
    /// The table that was read.
    pub(crate) fn table(&self) -> toml::Table {
        // It was read before.
        toml::from_str(&self.text).unwrap_or_default()
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
    if row.list && value.get_ref().is_array() {
        return lay_entries(under, key, value, &full);
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
        let Some(name) = name_of(entry.get_ref()) else {
            return missing(format!("{full}[{place}].{NAME}"));
        };
        let before = entries[..place].iter();
        let before = before.filter_map(|entry| name_of(entry.get_ref()));
        once("entry", name, &format!("{full}[{place}].{NAME}"), before)?;
        let same = list
            .iter_mut()
            .find(|of_list| name_of(of_list.get_ref()) == Some(name));
        match same {
            Some(same) => *same = entry.clone(),
            None => list.push(entry.clone()),
        }
    }
    Ok(())
}

fn name_of<'v>(entry: &'v DeValue<'_>) -> Option<&'v str> {
    entry.as_table()?.get(NAME)?.get_ref().as_str()
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
        match name {
            None => drop(under.remove(row.key)),
            Some(name) => {
                if let Some(DeValue::Array(list)) = under.get_mut(row.key).map(Spanned::get_mut) {
                    let others = std::mem::replace(list, DeArray::new()).into_iter();
                    *list = others
                        .filter(|entry| name_of(entry.get_ref()) != Some(name))
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
        key.split_once('.') == Some((row.section, row.key)) && row.list == name.is_some()
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
        if key.get_ref().ends_with(FILE_SUFFIX)
            && let DeValue::String(path) = value
        {
            let from_base = base.join(path.as_ref());
            *path = from_base.to_string_lossy().into_owned().into();
        }
        start_files_from(base, value);
    }
}
