//! What a text changes of a configuration in force, item by item.
//!
//! Lines are taken as typed: each says one thing, `no` and `default` take one back, and what the text does not say stays.
//! Of a text that is taken whole, what it does not say is taken back. An entry of a list is one thing, and is said whole.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::path::Path;

use licensing::place::Places;
use toml::{Spanned, Table, Value};

use super::read::{Fault, Form, Read, Taken, read};
use super::schema::{self, Kind};
use super::{plain, print, with_paths_from};
use crate::config::{SETTABLE, Settable};

/// What commands of their own switch, beside the settings.
const SWITCHED: [(&str, &str); 2] = [("licensing", "features"), ("licensing", "smart_enable")];

/// A list of texts of which each stands for itself.
const SUPPRESS: (&str, &str) = ("snmp", "suppress");

/// What a text is compared with; paths are absolute.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Standing<'s> {
    /// The configuration in force.
    pub(crate) running: &'s Table,
    /// The configuration without settings.
    pub(crate) below: &'s Table,
    /// Where paths of the text start.
    pub(crate) base: &'s Path,
}

/// What a text changes.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Plan {
    /// What is changed at run time.
    pub(crate) changes: Vec<Change>,
    /// What differs, and is not changed so.
    pub(crate) fixed: Vec<Fixed>,
}

impl Plan {
    /// Where the text says what is at a key of the configuration that would come of it, as `snmp.target[2].address`.
    pub(crate) fn at(&self, key: &str, table: &Table) -> Option<usize> {
        let within = |change: &&Change| {
            let list = full(change.row, None);
            let Some(rest) = key.strip_prefix(&list) else {
                return false;
            };
            let Some((by, name)) = change.row.list.zip(change.entry.as_deref()) else {
                return rest.is_empty() || rest.starts_with(['.', '[']);
            };
            let number = rest.strip_prefix('[').and_then(|rest| rest.split_once(']'));
            let number = number.and_then(|(number, _)| number.parse::<usize>().ok());
            let entry = number
                .and_then(|number| find(table, change.row.section, change.row.key)?.get(number));
            entry.is_some_and(|entry| is(entry, by, name))
        };
        self.changes.iter().find(within)?.at
    }
}

/// One thing that is changed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Change {
    /// The key.
    pub(crate) row: &'static Settable,
    /// The name of the entry, if it is a list.
    pub(crate) entry: Option<String>,
    /// How it stands.
    pub(crate) before: Option<Value>,
    /// How it is to stand.
    pub(crate) after: Option<Value>,
    /// That is as the configuration has it without settings.
    pub(crate) as_below: bool,
    /// Where the text says so, in bytes; none: it does not say it.
    pub(crate) at: Option<usize>,
}

/// Something that differs, and is not changed by a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fixed {
    /// The key.
    pub(crate) key: String,
    /// As in [`Change`].
    pub(crate) at: Option<usize>,
    /// Why not.
    pub(crate) why: Why,
}

/// Why a text does not change something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// A start takes it.
    Restart,
    /// It has a command of its own, because calls depend on it.
    Switched,
}

/// What a text changes; `whole`: what it does not say is taken back. Errors: the text is none.
pub(crate) fn plan(text: &str, standing: &Standing<'_>, whole: bool) -> Result<Plan, Fault> {
    let Read { table, taken } = read(text)?;
    let places = Places::of_table(text, &table);
    let said = plain(Spanned::new(0..text.len(), table));
    let mut making = Making {
        said: with_paths_from(standing.base, said),
        taken,
        places,
        whole,
        standing,
        plan: Plan::default(),
    };
    for row in SETTABLE {
        match row.list {
            Some(by) => making.entries(row, by)?,
            None if (row.section, row.key) == SUPPRESS => making.texts(row),
            None => making.thing(row, None),
        }
    }
    making.switched();
    making.rest();
    let mut plan = making.plan;
    plan.changes
        .sort_by_key(|change| change.at.unwrap_or(usize::MAX));
    plan.fixed
        .sort_by_key(|fixed| fixed.at.unwrap_or(usize::MAX));
    Ok(plan)
}

impl Change {
    /// As `snmp.target[nms]`.
    pub(crate) fn key(&self) -> String {
        full(self.row, self.entry.as_deref())
    }

    /// How it stands, and how it is to stand, as lines of a text.
    pub(crate) fn lines(&self) -> [Vec<String>; 2] {
        [&self.before, &self.after].map(|value| self.lines_of(value.as_ref()))
    }

    fn lines_of(&self, value: Option<&Value>) -> Vec<String> {
        let Some(value) = value.cloned() else {
            return Vec::new();
        };
        let value = match self.entry {
            Some(_) => Value::Array(vec![value]),
            None => value,
        };
        let key = Table::from_iter([(self.row.key.to_owned(), value)]);
        let section = Table::from_iter([(self.row.section.to_owned(), key.into())]);
        let text = print(&section);
        let lines = text.lines().filter_map(|line| line.strip_prefix("  "));
        lines.map(str::to_owned).collect()
    }
}

struct Making<'s> {
    said: Table,
    taken: Vec<Taken>,
    places: Places,
    whole: bool,
    standing: &'s Standing<'s>,
    plan: Plan,
}

impl Making<'_> {
    /// What is last taken back of a thing, of its list or of its section.
    fn taken(&self, row: &Settable, entry: Option<&str>) -> Option<&Taken> {
        let list = full(row, None);
        let own = full(row, entry);
        let mut newest_first = self.taken.iter().rev();
        newest_first.find(|taken| [row.section, &list, &own].contains(&taken.key.as_str()))
    }

    /// Where the text says it.
    fn place(&self, row: &Settable, entry: Option<&str>) -> usize {
        let key = full(row, None);
        let list = find(&self.said, row.section, row.key).and_then(Value::as_array);
        let by = row.list.zip(entry);
        let number = by.and_then(|(by, name)| list?.iter().position(|of| is(of, by, name)));
        match number {
            Some(number) => self.places.start_of_key(&format!("{key}[{number}]")),
            None => self.places.start_of_key(&key),
        }
    }

    /// A key, or an entry of a list.
    fn thing(&mut self, row: &'static Settable, entry: Option<&str>) {
        let of = |table: &Table| value_of(table, row, entry).cloned();
        let said = of(&self.said);
        let (running, below) = (of(self.standing.running), of(self.standing.below));
        let (after, at) = match (said, self.taken(row, entry)) {
            (Some(said), _) => (Some(said), Some(self.place(row, entry))),
            (None, Some(taken)) if taken.form == Form::Default => (below.clone(), Some(taken.at)),
            (None, Some(taken)) => (None, Some(taken.at)),
            (None, None) if self.whole => (None, None),
            (None, None) => return,
        };
        self.change(row, entry, [running, after, below], at);
    }

    fn change(
        &mut self,
        row: &'static Settable,
        entry: Option<&str>,
        [before, after, below]: [Option<Value>; 3],
        at: Option<usize>,
    ) {
        if before != after {
            self.plan.changes.push(Change {
                row,
                entry: entry.map(str::to_owned),
                as_below: after == below,
                before,
                after,
                at,
            });
        }
    }

    /// A list, by the names of its entries.
    fn entries(&mut self, row: &'static Settable, by: &'static str) -> Result<(), Fault> {
        let list = full(row, None);
        let said = names(&self.said, row, by);
        for (number, name) in said.iter().enumerate() {
            let at = self.places.start_of_key(&format!("{list}[{number}]"));
            let Some(name) = name else {
                return Err(Fault::new(at, format!("{list}: its {by} is missing")));
            };
            if said[..number].iter().flatten().any(|before| before == name) {
                return Err(Fault::new(at, format!("{list}[{name}] is given twice")));
            }
        }
        let of_taken = |taken: &Taken| Some(entry_of(&list, &taken.key)?.to_owned());
        let mut all: BTreeSet<String> = self.taken.iter().filter_map(of_taken).collect();
        let standing = [self.standing.running, self.standing.below];
        let standing = standing.map(|table| names(table, row, by));
        all.extend(standing.into_iter().chain([said]).flatten().flatten());
        for name in all {
            self.thing(row, Some(&name));
        }
        Ok(())
    }

    /// A list of texts: each that is said is added, each that is taken back goes.
    fn texts(&mut self, row: &'static Settable) {
        let of = |table: &Table| find(table, row.section, row.key).cloned();
        let (running, below) = (of(self.standing.running), of(self.standing.below));
        let said = texts_of(of(&self.said).as_ref());
        let list = full(row, None);
        let all = self.taken(row, None);
        let mut after = match all {
            Some(taken) if taken.form == Form::Default => texts_of(below.as_ref()),
            Some(_) => Vec::new(),
            None if self.whole => Vec::new(),
            None => texts_of(running.as_ref()),
        };
        let mut at = all.map(|taken| taken.at);
        for taken in &self.taken {
            if let Some(name) = entry_of(&list, &taken.key) {
                after.retain(|text| text != name);
                at = at.or(Some(taken.at));
            }
        }
        let new: Vec<String> = said
            .into_iter()
            .filter(|text| !after.contains(text))
            .collect();
        if !new.is_empty() {
            at = at.or(Some(self.place(row, None)));
        }
        after.extend(new);
        if same(&after, &texts_of(running.as_ref())) {
            return;
        }
        let after = match below {
            Some(below) if same(&after, &texts_of(Some(&below))) => {
                [running, Some(below.clone()), Some(below)]
            }
            None if after.is_empty() => [running, None, None],
            below => {
                let after = after.into_iter().map(Value::from).collect();
                [running, Some(Value::Array(after)), below]
            }
        };
        self.change(row, None, after, at);
    }

    /// What commands of their own switch.
    fn switched(&mut self) {
        let [features, smart] = SWITCHED;
        let of = |table: &Table, (section, key)| find(table, section, key).cloned();
        let lower = |value: Option<Value>| -> Vec<String> {
            let texts = texts_of(value.as_ref()).into_iter();
            texts.map(|text| text.to_lowercase()).collect()
        };
        let running = lower(of(self.standing.running, features));
        let said = texts_of(of(&self.said, features).as_ref());
        let list = "licensing.features";
        for (number, name) in said.iter().enumerate() {
            if !running.contains(&name.to_lowercase()) {
                let at = self.places.start_of_key(&format!("{list}[{number}]"));
                self.fix(format!("{list}[{name}]"), Some(at), Why::Switched);
            }
        }
        let said = lower(Some(said.into()));
        for taken in self.taken.clone() {
            let all = taken.key == list || taken.key == "licensing";
            let name = entry_of(list, &taken.key).map(str::to_lowercase);
            let goes = |on: &&String| !said.contains(on) && (all || name.as_ref() == Some(*on));
            for name in running.iter().filter(goes) {
                self.fix(format!("{list}[{name}]"), Some(taken.at), Why::Switched);
            }
        }
        for name in running.iter().filter(|on| !said.contains(on)) {
            if self.whole {
                self.fix(format!("{list}[{name}]"), None, Why::Switched);
            }
        }
        let enabled = |table| of(table, smart).and_then(|value| value.as_bool());
        let running = enabled(self.standing.running).unwrap_or_default();
        let key = "licensing.smart_enable";
        let taken = self.taken.iter().rev().find(|taken| taken.key == key);
        let at = match (enabled(&self.said), taken) {
            (Some(said), _) if said != running => Some(self.places.start_of_key(key)),
            (None, Some(taken)) if running => Some(taken.at),
            (None, None) if running && self.whole => None,
            _ => return,
        };
        self.fix(key.to_owned(), at, Why::Switched);
    }

    /// What a start takes.
    fn rest(&mut self) {
        let (said, running) = (rest(&self.said), rest(self.standing.running));
        for taken in self.taken.clone() {
            if at_key(&running, &taken.key).is_some() && at_key(&said, &taken.key).is_none() {
                self.fix(taken.key, Some(taken.at), Why::Restart);
            }
        }
        self.differences("", &Value::Table(said), &Value::Table(running));
    }

    fn differences(&mut self, key: &str, said: &Value, running: &Value) {
        let below = |name: &str| match key {
            "" => name.to_owned(),
            key => format!("{key}.{name}"),
        };
        let at = |making: &Self, key: &str| Some(making.places.start_of_key(key));
        match (said, running) {
            (Value::Table(said), Value::Table(running)) => {
                for (name, value) in said {
                    let key = below(name);
                    match running.get(name) {
                        Some(other) => self.differences(&key, value, other),
                        // An empty list is none.
                        None if value.as_array().is_some_and(Vec::is_empty) => {}
                        None => self.fix(key.clone(), at(self, &key), Why::Restart),
                    }
                }
                for name in running.keys().filter(|name| !said.contains_key(*name)) {
                    if self.whole {
                        self.fix(below(name), None, Why::Restart);
                    }
                }
            }
            (Value::Array(said), Value::Array(running)) if is_blocks(key) => {
                for (number, entry) in said.iter().enumerate() {
                    if !running.contains(entry) {
                        let at = at(self, &format!("{key}[{number}]"));
                        self.fix(labelled(key, entry), at, Why::Restart);
                    }
                }
                for entry in running.iter().filter(|entry| !said.contains(entry)) {
                    if self.whole {
                        self.fix(labelled(key, entry), None, Why::Restart);
                    }
                }
            }
            (said, running) if said == running => {}
            _ => self.fix(key.to_owned(), at(self, key), Why::Restart),
        }
    }

    fn fix(&mut self, key: String, at: Option<usize>, why: Why) {
        if !self.plan.fixed.iter().any(|fixed| fixed.key == key) {
            self.plan.fixed.push(Fixed { key, at, why });
        }
    }
}

fn find<'t>(table: &'t Table, section: &str, key: &str) -> Option<&'t Value> {
    table.get(section)?.get(key)
}

fn value_of<'t>(table: &'t Table, row: &Settable, entry: Option<&str>) -> Option<&'t Value> {
    let value = find(table, row.section, row.key)?;
    match row.list.zip(entry) {
        None => Some(value),
        Some((by, name)) => value.as_array()?.iter().find(|of| is(of, by, name)),
    }
}

/// The name of an entry, or its number.
fn name_of(entry: &Value, by: &str) -> Option<String> {
    let named = entry.get(by)?;
    let number = named.as_integer().map(|number| number.to_string());
    number.or_else(|| named.as_str().map(str::to_owned))
}

fn is(entry: &Value, by: &str, name: &str) -> bool {
    name_of(entry, by).as_deref() == Some(name)
}

/// The names of a list's entries.
fn names(table: &Table, row: &Settable, by: &str) -> Vec<Option<String>> {
    let list = find(table, row.section, row.key).and_then(Value::as_array);
    let entries = list.into_iter().flatten();
    entries.map(|entry| name_of(entry, by)).collect()
}

fn texts_of(value: Option<&Value>) -> Vec<String> {
    let list = value.and_then(Value::as_array).into_iter().flatten();
    list.filter_map(|text| text.as_str().map(str::to_owned))
        .collect()
}

/// The same texts, in whichever order.
fn same(one: &[String], other: &[String]) -> bool {
    let set = |list: &[String]| list.iter().cloned().collect::<BTreeSet<_>>();
    set(one) == set(other)
}

/// As `agent.proxy`, or `snmp.target[nms]`.
fn full(row: &Settable, entry: Option<&str>) -> String {
    let key = format!("{}.{}", row.section, row.key);
    match entry {
        Some(name) => format!("{key}[{name}]"),
        None => key,
    }
}

/// The entry of this list that a key names.
fn entry_of<'k>(list: &str, key: &'k str) -> Option<&'k str> {
    key.strip_prefix(list)?.strip_prefix('[')?.strip_suffix(']')
}

/// What is neither changed at run time nor switched.
fn rest(table: &Table) -> Table {
    let mut rest = table.clone();
    let settable = SETTABLE.iter().map(|row| (row.section, row.key));
    for (section, key) in settable.chain(SWITCHED) {
        let Some(Value::Table(keys)) = rest.get_mut(section) else {
            continue;
        };
        keys.remove(key);
        if keys.is_empty() {
            rest.remove(section);
        }
    }
    rest
}

/// What is at a key: `gn`, `gn.listen`, `pool[internet]`.
fn at_key<'t>(table: &'t Table, key: &str) -> Option<&'t Value> {
    let (path, name) = match key.split_once('[') {
        Some((path, name)) => (path, name.strip_suffix(']')),
        None => (key, None),
    };
    let mut parts = path.split('.');
    let first = table.get(parts.next()?)?;
    let value = parts.try_fold(first, |value, part| value.get(part))?;
    match name {
        None => Some(value),
        Some(name) => {
            let by = first_key(path)?;
            value.as_array()?.iter().find(|entry| is(entry, by, name))
        }
    }
}

/// The key that names an entry of a list of blocks; none: it is no such list.
fn first_key(list: &str) -> Option<&'static str> {
    let mut keys = schema::keys();
    let mut parts = list.split('.').peekable();
    while let Some(part) = parts.next() {
        let (_, kind) = keys.iter().find(|(name, _)| *name == part)?;
        keys = match kind {
            Kind::Block(keys) => keys,
            Kind::Blocks(keys) if parts.peek().is_none() => return Some(keys.first()?.0),
            Kind::Blocks(_)
            | Kind::Text
            | Kind::Path
            | Kind::Word(_)
            | Kind::Integer
            | Kind::Boolean
            | Kind::List(_) => return None,
        };
    }
    None
}

fn is_blocks(list: &str) -> bool {
    first_key(list).is_some()
}

/// As `pool[internet]`.
fn labelled(list: &str, entry: &Value) -> String {
    let name = first_key(list).and_then(|by| name_of(entry, by));
    format!("{list}[{}]", name.unwrap_or_default())
}
