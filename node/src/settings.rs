//! What operators change of the configuration while the node runs: kept in the state directory, laid over the
//! configuration at each start.
//!
//! ```text
//! settings.toml  keys of the configuration (config::SETTABLE), and `removed`; mode 0600
//! secrets/N      a secret that settings.toml names as a file, in a file of its own, sealed by the node's key; mode 0600
//! secrets.last   the last N given out: none is given to another secret, which an older text would then take for its own
//! ```
//!
//! A change is made on a copy, checked with the configuration as a whole, written, and only then in force: what is refused
//! has changed nothing. Of what can't be written nobody knows whether a start finds it: until a file is written whole,
//! no secret is swept, and the next change is written also if it changes nothing. Files of secrets are written before
//! what names them and swept after it, so that a process that is killed anywhere leaves the old settings or the new ones.

#[cfg(test)]
mod tests;

use std::ffi::OsStr;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::{fmt, fs};

use thiserror::Error;
use toml::{Table, Value};
use zeroize::Zeroizing;

use crate::config::text::{EXTENSION, table_of};
use crate::config::{Config, ConfigError, NAME, NUMBER, Problem, REMOVED, Settable, is_path};
use crate::store::{BESIDE, StoreError, create_whole, has_key, make_private, seal};

/// The file.
const FILE: &str = "settings.toml";

/// Where the configuration is saved unless another file is named.
pub(crate) const STARTUP: &str = "startup.cfg";

/// The directory of secrets.
const SECRETS: &str = "secrets";

/// The last number that was given to one of them.
const LAST: &str = "secrets.last";

/// The first lines of the file.
const HEADING: &str = "\
# What operators have set, laid over the configuration at each start. The node writes this file.
";

/// A key of the configuration that operators may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setting<'a> {
    section: &'static str,
    key: &'static str,
    /// The entry of a list.
    entry: Option<Entry<'a>>,
}

/// An entry of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry<'a> {
    /// The key that names it.
    by: &'static str,
    name: &'a str,
}

impl<'a> Setting<'a> {
    /// `agent.authority`.
    pub const AUTHORITY: Self = Self::of("agent", "authority");
    /// `agent.proxy`.
    pub const PROXY: Self = Self::of("agent", "proxy");

    const fn of(section: &'static str, key: &'static str) -> Self {
        let entry = None;
        Self {
            section,
            key,
            entry,
        }
    }

    /// A key of `[bulkstats]`.
    pub const fn bulkstats(key: &'static str) -> Self {
        Self::of("bulkstats", key)
    }

    /// The `[[bulkstats.file]]` of this number, in digits.
    pub const fn bulkstats_file(number: &'a str) -> Self {
        Self::entry_of("bulkstats", "file", NUMBER, number)
    }

    /// `licensing.remaining_low_percent`.
    pub const REMAINING_LOW: Self = Self::of("licensing", "remaining_low_percent");
    /// `licensing.remaining_clear_percent`.
    pub const REMAINING_CLEAR: Self = Self::of("licensing", "remaining_clear_percent");
    /// `snmp.suppress`.
    pub const SNMP_SUPPRESS: Self = Self::of("snmp", "suppress");

    /// The `[[snmp.community]]` of this name.
    pub const fn snmp_community(name: &'a str) -> Self {
        Self::named_of("snmp", "community", name)
    }

    /// The `[[snmp.target]]` of this name.
    pub const fn snmp_target(name: &'a str) -> Self {
        Self::named_of("snmp", "target", name)
    }

    /// The `[[snmp.user]]` of this name.
    pub const fn snmp_user(name: &'a str) -> Self {
        Self::named_of("snmp", "user", name)
    }

    /// The `[[ssh.account]]` of this name.
    pub const fn account(name: &'a str) -> Self {
        Self::entry_of("ssh", "account", NAME, name)
    }

    /// The `[[logging.filter]]` of this name.
    pub const fn logging_filter(name: &'a str) -> Self {
        Self::named_of("logging", "filter", name)
    }

    /// The `[[logging.syslog]]` of this name.
    pub const fn logging_syslog(name: &'a str) -> Self {
        Self::named_of("logging", "syslog", name)
    }

    const fn named_of(section: &'static str, key: &'static str, name: &'a str) -> Self {
        Self::entry_of(section, key, NAME, name)
    }

    const fn entry_of(
        section: &'static str,
        key: &'static str,
        by: &'static str,
        name: &'a str,
    ) -> Self {
        let entry = Some(Entry { by, name });
        Self {
            section,
            key,
            entry,
        }
    }

    /// A key that operators may change, or the entry of this name of a list.
    pub(crate) fn settable(row: &Settable, name: Option<&'a str>) -> Self {
        match row.list.zip(name) {
            Some((by, name)) => Self::entry_of(row.section, row.key, by, name),
            None => Self::of(row.section, row.key),
        }
    }

    /// As `removed` has it.
    fn named(&self) -> String {
        match self.entry {
            None => format!("{}.{}", self.section, self.key),
            Some(Entry { name, .. }) => format!("{}.{}[{name}]", self.section, self.key),
        }
    }

    /// What a table says of it.
    fn find<'t>(&self, table: &'t Table) -> Option<&'t Value> {
        let value = table.get(self.section)?.get(self.key)?;
        match self.entry {
            None => Some(value),
            Some(entry) => value.as_array()?.iter().find(|value| entry.is(value)),
        }
    }
}

impl Entry<'_> {
    /// Is it this one?
    fn is(&self, value: &Value) -> bool {
        let Some(named) = value.get(self.by) else {
            return false;
        };
        let number = named.as_integer().map(|number| number.to_string());
        number.as_deref().or(named.as_str()) == Some(self.name)
    }

    /// What its key says.
    fn value(&self) -> Value {
        let number = self.name.parse::<i64>().ok();
        match number.filter(|_| self.by == NUMBER) {
            Some(number) => number.into(),
            None => self.name.into(),
        }
    }
}

/// Why a change was not made; nothing has changed in this process.
#[derive(Debug, Error)]
pub enum SettingsError {
    /// The configuration is not a good one with it.
    #[error("{key}: {problem}")]
    Refused {
        /// The key.
        key: String,
        /// What is wrong with it.
        problem: Problem,
    },
    /// The settings themselves, or what the configuration names, can't be read.
    #[error(transparent)]
    Config(ConfigError),
    /// It can't be kept; the next start may have it all the same.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It can't be written as TOML.
    #[error("settings can't be written as TOML: {0}")]
    Toml(#[from] toml::ser::Error),
}

/// What came of a change.
#[derive(Clone, Debug)]
pub struct Changed {
    /// The configuration with it.
    pub config: Config,
    /// It made a difference; else it was so before.
    pub changed: bool,
}

/// The settings of a node.
#[derive(Debug)]
pub struct Settings {
    /// The configuration without them.
    below: Config,
    /// Where they are; an absolute path.
    dir: PathBuf,
    kept: Table,
    /// Entries that the configuration in force leaves out, as `removed` would name them.
    left_out: Vec<String>,
    /// The disk failed at the last writing: it may have `kept`, or what was to be kept.
    unsure: bool,
}

/// The configuration with the settings that are kept in its state directory, which is only read.
pub fn laid_over(config: Config) -> Result<Config, ConfigError> {
    Settings::read(config).map(|(config, _)| config)
}

impl Settings {
    /// The settings that are kept, and the configuration with them. Errors: [`ConfigError`], which names file and line.
    pub fn open(config: Config) -> Result<(Config, Self), ConfigError> {
        let (config, settings) = Self::read(config)?;
        settings.sweep();
        Ok((config, settings))
    }

    fn read(config: Config) -> Result<(Config, Self), ConfigError> {
        let dir = std::path::absolute(&config.state_dir);
        let dir = dir.unwrap_or_else(|_| config.state_dir.clone());
        let file = dir.join(FILE);
        let text = match fs::read_to_string(&file) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let none = Self {
                    below: config.clone(),
                    dir,
                    kept: Table::new(),
                    left_out: left_out(&config),
                    unsure: false,
                };
                return Ok((config, none));
            }
            Err(source) => return Err(ConfigError::Settings { file, source }),
        };
        let laid = config.with_settings(&text, &file)?;
        let settings = Self {
            // It was read as TOML.
            kept: toml::from_str(&text).unwrap_or_default(),
            left_out: left_out(&laid),
            below: config,
            dir,
            unsure: false,
        };
        Ok((laid, settings))
    }

    /// Where they are; an absolute path.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The configuration with them as tables, paths whole.
    pub fn table(&self) -> Table {
        let text = toml::to_string(&self.kept).unwrap_or_default();
        self.below.table_with_settings(&text, &self.dir.join(FILE))
    }

    /// The configuration without them, likewise.
    pub(crate) fn table_below(&self) -> Table {
        self.below.table_with_settings("", &self.dir.join(FILE))
    }

    /// What would come of a change, as tables and as the configuration; nothing is written. Errors: those of
    /// [`Settings::change`].
    pub(crate) fn check(
        &self,
        edit: impl FnOnce(&mut Edit),
    ) -> (Table, Result<Config, SettingsError>) {
        let mut edited = self.edited();
        edit(&mut edited);
        let text = toml::to_string(&edited.kept).unwrap_or_default();
        let table = self.below.table_with_settings(&text, &self.dir.join(FILE));
        let checked = self.refuse_lost(&edited).and_then(|()| {
            let (_, config) = self.laid(&edited.kept)?;
            self.refuse_left_out(&config, &edited.set)?;
            Ok(config)
        });
        (table, checked)
    }

    fn edited(&self) -> Edit {
        Edit {
            below: self.below.source.table(),
            below_dir: self.below.source.dir(),
            kept: self.kept.clone(),
            secrets: Vec::new(),
            set: Vec::new(),
            next: self.last_secret(),
        }
    }

    /// Makes a change: edits, checks the whole, writes. On return it is kept, and the caller has it applied.
    ///
    /// Errors: [`SettingsError`]; nothing has changed then, but see [`SettingsError::Store`].
    pub fn change(&mut self, edit: impl FnOnce(&mut Edit)) -> Result<Changed, SettingsError> {
        let mut edited = self.edited();
        edit(&mut edited);
        let done = self.keep(&edited);
        match &done {
            Ok(Changed { config, .. }) => {
                self.left_out = left_out(config);
                self.kept = edited.kept;
                self.unsure = false;
            }
            Err(SettingsError::Store(_)) => self.unsure = true,
            Err(
                SettingsError::Refused { .. } | SettingsError::Config(_) | SettingsError::Toml(_),
            ) => {}
        }
        // What either names stays.
        if !self.unsure {
            self.sweep();
        }
        done
    }

    fn keep(&self, edited: &Edit) -> Result<Changed, SettingsError> {
        if !edited.secrets.is_empty() && !has_key(&self.dir)? {
            // Sealing makes a key where there is none: by then what the lost one had sealed is lost for good.
            let (_, config) = self.laid(&self.kept)?;
            self.refuse_left_out(&config, &[])?;
        }
        if !edited.secrets.is_empty() {
            make_private(&self.dir.join(SECRETS))?;
        }
        if !edited.secrets.is_empty() {
            create_whole(&self.dir.join(LAST), edited.next.to_string().as_bytes())?;
        }
        for (name, secret) in &edited.secrets {
            let sealed = seal(&self.dir, secret)?;
            create_whole(&self.dir.join(name), sealed.as_bytes())?;
        }
        self.refuse_lost(edited)?;
        let (text, config) = self.laid(&edited.kept)?;
        self.refuse_left_out(&config, &edited.set)?;
        let file = self.dir.join(FILE);
        let changed = edited.kept != self.kept;
        if changed || self.unsure {
            create_whole(&file, text.as_bytes())?;
        }
        Ok(Changed { config, changed })
    }

    /// What is said of it: by whoever set it, else by the configuration; none: nothing.
    pub fn said(&self, setting: Setting<'_>) -> Option<Value> {
        let removed = self.kept.get(REMOVED).and_then(Value::as_array);
        let named = Value::String(setting.named());
        if removed.is_some_and(|removed| removed.contains(&named)) {
            return None;
        }
        let kept = setting.find(&self.kept).cloned();
        kept.or_else(|| setting.find(&self.below.source.table()).cloned())
    }

    /// Settings as they are written, and the configuration with them.
    fn laid(&self, kept: &Table) -> Result<(String, Config), SettingsError> {
        let text = format!("{HEADING}{}", toml::to_string(kept)?);
        let laid = self.below.with_settings(&text, &self.dir.join(FILE));
        let config = laid.map_err(|error| match error {
            ConfigError::Wrong { key, problem, .. } => SettingsError::Refused {
                key: key.into(),
                problem,
            },
            ConfigError::Read { .. } | ConfigError::Settings { .. } => SettingsError::Config(error),
        })?;
        Ok((text, config))
    }

    /// Only a start leaves out: a change is refused by which something would be left out that is in force, or that is
    /// among what it sets.
    fn refuse_left_out(&self, config: &Config, set: &[String]) -> Result<(), SettingsError> {
        let new = |key: &String| set.contains(key) || !self.left_out.contains(key);
        let mut lost = left_out(config).into_iter().zip(&config.snmp.left_out);
        match lost.find(|(key, _)| new(key)) {
            None => Ok(()),
            Some((key, out)) => {
                let why = out.why.clone();
                let problem = Problem::Sealed { why };
                Err(SettingsError::Refused { key, problem })
            }
        }
    }

    /// A change names no secret that is gone; what was named before it is a start's to leave out.
    fn refuse_lost(&self, edited: &Edit) -> Result<(), SettingsError> {
        let made = |path: &Path| {
            let mut made = edited.secrets.iter();
            made.any(|(name, _)| self.dir.join(name) == path)
        };
        let before = Value::Table(self.kept.clone());
        let secrets = self.dir.join(SECRETS);
        let is_lost = |path: &Path| {
            path.parent() == Some(&secrets)
                && !made(path)
                && !names(&before, &self.dir, path)
                && path.try_exists().is_ok_and(|there| !there)
        };
        match file_that(&Value::Table(edited.kept.clone()), "", &self.dir, &is_lost) {
            None => Ok(()),
            Some((key, path)) => {
                let why = format!("{} is not there any more", path.display());
                let problem = Problem::Sealed { why };
                Err(SettingsError::Refused { key, problem })
            }
        }
    }

    /// The last number that was given to a secret.
    fn last_secret(&self) -> u64 {
        let noted = fs::read_to_string(self.dir.join(LAST));
        let noted = noted.ok().and_then(|last| last.trim().parse().ok());
        let names = self.files().into_iter();
        let there = names.filter_map(|name| name.parse().ok());
        there.chain(noted).max().unwrap_or(0)
    }

    /// The texts that were saved. Errors: one can't be read, so that nobody knows what it names.
    fn saved(&self) -> Result<Vec<Table>, String> {
        let mut saved = Vec::new();
        let files = fs::read_dir(&self.dir).map_err(|error| error.to_string())?;
        for file in files {
            let path = file.map_err(|error| error.to_string())?.path();
            if path.extension().is_some_and(|end| end == EXTENSION) {
                let text = fs::read_to_string(&path);
                let text = text.map_err(|error| format!("{}: {error}", path.display()))?;
                saved
                    .push(table_of(&text).map_err(|error| format!("{}: {error}", path.display()))?);
            }
        }
        Ok(saved)
    }

    /// Names in the directory of secrets.
    fn files(&self) -> Vec<String> {
        let files = fs::read_dir(self.dir.join(SECRETS)).into_iter().flatten();
        let names = files.filter_map(|file| file.ok()?.file_name().into_string().ok());
        names.collect()
    }

    /// Takes away secrets that neither settings nor configuration nor a saved text names, and those that were not written
    /// whole; none while a saved text can't be read.
    fn sweep(&self) {
        let saved = match self.saved() {
            Ok(saved) => saved,
            Err(error) => {
                event!(SECRET_LEFT, %error, path = %self.dir.join(SECRETS).display());
                return;
            }
        };
        let own = [self.kept.clone(), self.below.source.table()];
        let namers: Vec<Value> = own.into_iter().chain(saved).map(Value::Table).collect();
        for file in self.files() {
            let whole = file.strip_suffix(BESIDE).unwrap_or(&file);
            let path = self.dir.join(SECRETS).join(&file);
            let is_secret = whole.parse::<u64>().is_ok();
            if !is_secret || namers.iter().any(|by| names(by, &self.dir, &path)) {
                continue;
            }
            if let Err(error) = fs::remove_file(&path) {
                event!(SECRET_LEFT, %error, path = %path.display());
            }
        }
    }
}

/// The first file that is named in a value and of which this holds: its key, as `removed` would name it, and its path.
fn file_that(
    value: &Value,
    key: &str,
    dir: &Path,
    holds: &impl Fn(&Path) -> bool,
) -> Option<(String, PathBuf)> {
    match value {
        Value::String(file) => {
            let path = dir.join(file);
            (is_path(key) && holds(&path)).then(|| (key.to_owned(), path))
        }
        Value::Array(entries) => entries.iter().find_map(|entry| {
            let name = entry.get(NAME).or_else(|| entry.get(NUMBER));
            let name = name.map(|name| match name.as_str() {
                Some(name) => name.to_owned(),
                None => name.to_string(),
            });
            let key = format!("{key}[{}]", name.unwrap_or_default());
            file_that(entry, &key, dir, holds)
        }),
        Value::Table(table) => table.iter().find_map(|(name, value)| {
            let key = match key {
                "" => name.clone(),
                key => format!("{key}.{name}"),
            };
            file_that(value, &key, dir, holds)
        }),
        Value::Integer(_) | Value::Float(_) | Value::Boolean(_) | Value::Datetime(_) => None,
    }
}

/// What a configuration leaves out, as `removed` would name it.
fn left_out(config: &Config) -> Vec<String> {
    let out = config.snmp.left_out.iter();
    out.map(|out| format!("snmp.{}[{}]", out.what, out.name))
        .collect()
}

fn secret_name(number: u64) -> String {
    format!("{SECRETS}/{number}")
}

/// Whether it is a file of a secret that was set, and is gone; the settings are there.
pub(crate) fn is_lost(file: &Path) -> bool {
    let name = file.file_name().and_then(OsStr::to_str);
    let secrets = file.parent().filter(|dir| dir.ends_with(SECRETS));
    let settings = secrets.and_then(Path::parent).map(|dir| dir.join(FILE));
    name.is_some_and(|name| name.parse::<u64>().is_ok())
        && settings.is_some_and(|settings| settings.is_file())
        && file.try_exists().is_ok_and(|there| !there)
}

/// Is this path a value somewhere, perhaps from this directory on?
fn names(value: &Value, dir: &Path, path: &Path) -> bool {
    match value {
        Value::String(value) => dir.join(value) == path,
        Value::Array(values) => values.iter().any(|value| names(value, dir, path)),
        Value::Table(table) => table.iter().any(|(_, value)| names(value, dir, path)),
        Value::Integer(_) | Value::Float(_) | Value::Boolean(_) | Value::Datetime(_) => false,
    }
}

/// A change in the making.
pub struct Edit {
    below: Table,
    /// Where paths in it start.
    below_dir: PathBuf,
    kept: Table,
    secrets: Vec<(String, Zeroizing<String>)>,
    /// What it sets, as `removed` would name it.
    set: Vec<String>,
    next: u64,
}

/// Without the secrets.
impl fmt::Debug for Edit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Edit");
        shown.field("kept", &self.kept).finish_non_exhaustive()
    }
}

impl Edit {
    /// Sets it, in place of what the configuration says; the value of an entry of a list is a table, without its name.
    pub fn set(&mut self, setting: Setting<'_>, value: impl Into<Value>) {
        self.unset(setting);
        self.set.push(setting.named());
        let mut value = value.into();
        let section = self.kept.entry(setting.section);
        let Value::Table(section) = section.or_insert_with(|| Table::new().into()) else {
            return;
        };
        let Some(entry) = setting.entry else {
            section.insert(setting.key.to_owned(), value);
            return;
        };
        if let Value::Table(keys) = &mut value {
            keys.insert(entry.by.to_owned(), entry.value());
        }
        let list = section
            .entry(setting.key)
            .or_insert_with(|| Vec::<Value>::new().into());
        if let Value::Array(list) = list {
            list.push(value);
        }
    }

    /// The texts of a list that is set, or else is in the configuration.
    pub fn texts(&self, setting: Setting<'_>) -> Vec<String> {
        let of = |table| setting.find(table)?.as_array().cloned();
        let list = of(&self.kept).or_else(|| of(&self.below));
        let texts = list.unwrap_or_default().into_iter();
        texts
            .filter_map(|text| text.as_str().map(str::to_owned))
            .collect()
    }

    /// The entry of a list as it is in force: as it is set, or else as the configuration has it, if it is not removed. Its paths
    /// are absolute, or start from the state directory.
    pub fn entry(&self, setting: Setting<'_>) -> Option<Table> {
        let set = setting.find(&self.kept).and_then(Value::as_table).cloned();
        set.or_else(|| self.entry_below(setting).filter(|_| !self.removes(setting)))
    }

    /// The entry of a list as the configuration has it. Its paths are absolute.
    pub fn entry_below(&self, setting: Setting<'_>) -> Option<Table> {
        let mut entry = setting.find(&self.below)?.as_table()?.clone();
        start_paths_from(&self.below_dir, &mut entry);
        Some(entry)
    }

    fn removes(&self, setting: Setting<'_>) -> bool {
        let removed = self.kept.get(REMOVED).and_then(Value::as_array);
        let named = setting.named();
        removed.is_some_and(|names| names.iter().any(|name| name.as_str() == Some(&named)))
    }

    /// It is not set, also where the configuration says it.
    pub fn remove(&mut self, setting: Setting<'_>) {
        self.unset(setting);
        if setting.find(&self.below).is_none() {
            return;
        }
        let removed = self.kept.entry(REMOVED);
        let removed = removed.or_insert_with(|| Vec::<Value>::new().into());
        if let Value::Array(removed) = removed {
            removed.push(setting.named().into());
        }
    }

    /// It is as the configuration says.
    pub fn unset(&mut self, setting: Setting<'_>) {
        let named = Value::String(setting.named());
        if let Some(Value::Array(removed)) = self.kept.get_mut(REMOVED) {
            removed.retain(|other| *other != named);
            if removed.is_empty() {
                self.kept.remove(REMOVED);
            }
        }
        let Some(Value::Table(section)) = self.kept.get_mut(setting.section) else {
            return;
        };
        match (setting.entry, section.get_mut(setting.key)) {
            (None, _) => drop(section.remove(setting.key)),
            (Some(entry), Some(Value::Array(list))) => {
                list.retain(|value| !entry.is(value));
                if list.is_empty() {
                    section.remove(setting.key);
                }
            }
            (Some(_), _) => {}
        }
        if section.is_empty() {
            self.kept.remove(setting.section);
        }
    }

    /// A file that holds a secret: what a key says that names one.
    pub fn secret(&mut self, secret: Zeroizing<String>) -> Value {
        // One that is gone is named still, and is not another's.
        let kept = Value::Table(self.kept.clone());
        let name = loop {
            self.next += 1;
            let name = secret_name(self.next);
            if !names(&kept, Path::new(""), Path::new(&name)) {
                break name;
            }
        };
        self.secrets.push((name.clone(), secret));
        name.into()
    }
}

/// Paths of files in a value that are in this directory start from it.
pub(crate) fn shorten_paths(base: &Path, value: &mut Value) {
    match value {
        Value::Array(values) => values
            .iter_mut()
            .for_each(|value| shorten_paths(base, value)),
        Value::Table(table) => {
            for (key, value) in table.iter_mut() {
                if let Value::String(path) = value
                    && is_path(key)
                    && let Ok(short) = Path::new(&*path).strip_prefix(base)
                {
                    *path = short.to_string_lossy().into_owned();
                }
                shorten_paths(base, value);
            }
        }
        Value::String(_)
        | Value::Integer(_)
        | Value::Float(_)
        | Value::Boolean(_)
        | Value::Datetime(_) => {}
    }
}

/// Paths of files in a table start from this directory.
fn start_paths_from(base: &Path, table: &mut Table) {
    for (key, value) in table.iter_mut() {
        match value {
            Value::Table(table) => start_paths_from(base, table),
            Value::String(path) if is_path(key) => {
                *path = base.join(&*path).to_string_lossy().into_owned();
            }
            Value::String(_)
            | Value::Integer(_)
            | Value::Float(_)
            | Value::Boolean(_)
            | Value::Datetime(_)
            | Value::Array(_) => {}
        }
    }
}
