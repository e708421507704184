//! Configuration: a TOML file at start, checked whole before anything begins.
//!
//! `examples/authority.toml` explains every key. A wrong file is refused with its name, the line, the key, what is
//! expected and what to do; a key that is not known is an error, too.

#[cfg(test)]
mod tests;

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use licensing::Catalog;
use licensing::place::Places;
use serde::Deserialize;
use thiserror::Error;

use crate::retention::Kept;
use crate::store::Database;

/// What each key is to be, for errors.
const EXPECTED: &[(&str, &str)] = &[
    ("authority", "a section [authority]"),
    ("authority.state_dir", "the path of a directory"),
    (
        "authority.database",
        "a URL such as \"postgres://user@host/database\", without a password",
    ),
    (
        "authority.database_password_file",
        "the path of a file of mode 0600, beside authority.database",
    ),
    (
        "authority.listen",
        "an address and port such as \"127.0.0.1:8443\"",
    ),
    (
        "authority.names",
        "a list of 1 to 16 names or addresses that nodes reach it by, such as [\"license.example.org\"]",
    ),
    ("authority.catalog", "the path of a catalog"),
    ("authority.silent_days", "a number of days, 1 to 365"),
    (
        "authority.audit_kept_days",
        "a number of days, 400 to 36500",
    ),
    (
        "authority.events_kept_days",
        "a number of days, 30 to 36500",
    ),
    (
        "authority.reports_kept_days",
        "a number of days, 400 to 36500",
    ),
    (
        "authority.instances_kept_days",
        "a number of days, 400 to 36500",
    ),
    (
        "authority.connections_max",
        "a number of connections, 1 to 65536",
    ),
    (
        "authority.connections_per_address_max",
        "a number of connections, 1 to 65536",
    ),
    (
        "authority.request_timeout_s",
        "a number of seconds, 1 to 600",
    ),
    ("lab", "a section [lab]"),
    (
        "lab.speedup",
        "license seconds a second, 1 to 1000000, the same as its nodes have",
    ),
];

/// A configuration that was checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Where state is kept.
    pub state_dir: PathBuf,
    /// The database of the store; none: SQLite in a file there.
    pub database: Option<Database>,
    /// Where it listens.
    pub listen: SocketAddr,
    /// Names and addresses that its certificate is for, besides the one that it listens on.
    pub names: Vec<String>,
    /// What is sold.
    pub catalog: Arc<Catalog>,
    /// Days without a message after which an instance is shown as silent.
    pub silent_days: u32,
    /// For how long things are kept.
    pub kept: Kept,
    /// Connections at once; further ones wait.
    pub connections_max: usize,
    /// Connections of an address at once; further ones are closed.
    pub connections_per_address_max: usize,
    /// Seconds that a client may take for a handshake, and for the head and the body of a request.
    pub request_timeout_s: u32,
    /// License seconds a second, on a lab authority.
    pub speedup: Option<u32>,
}

/// Why a configuration is refused.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// The file can't be read.
    #[error("{file}: can't be read: {source}; expected a TOML file; give its path with --config")]
    Read {
        /// The file.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Something in it is wrong.
    #[error("{file}:{line}: {}{problem}", if key.is_empty() { String::new() } else { format!("{key}: ") })]
    Wrong {
        /// The file.
        file: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The key, as `authority.listen`; empty: the text is not TOML.
        key: String,
        /// What is wrong with it, what is expected, and what to do.
        problem: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    authority: Section,
    lab: Option<Lab>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Section {
    state_dir: PathBuf,
    database: Option<String>,
    database_password_file: Option<PathBuf>,
    listen: SocketAddr,
    names: Vec<String>,
    catalog: Option<PathBuf>,
    silent_days: u32,
    audit_kept_days: u32,
    events_kept_days: u32,
    reports_kept_days: u32,
    instances_kept_days: u32,
    connections_max: usize,
    connections_per_address_max: usize,
    request_timeout_s: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Lab {
    speedup: u32,
}

impl Default for Section {
    fn default() -> Self {
        let kept = Kept::default();
        Self {
            state_dir: "authority-state".into(),
            database: None,
            database_password_file: None,
            listen: SocketAddr::from(([127, 0, 0, 1], 8443)),
            names: vec!["localhost".into()],
            catalog: None,
            silent_days: 31,
            audit_kept_days: kept.audit_days,
            events_kept_days: kept.events_days,
            reports_kept_days: kept.reports_days,
            instances_kept_days: kept.instances_days,
            connections_max: 1_024,
            connections_per_address_max: 256,
            request_timeout_s: 30,
        }
    }
}

impl Config {
    /// With the defaults, and its state in this folder.
    pub fn new(state_dir: PathBuf) -> Self {
        let section = Section::default();
        Self {
            state_dir,
            database: None,
            listen: section.listen,
            names: section.names,
            catalog: Catalog::staros().into(),
            silent_days: section.silent_days,
            kept: Kept::default(),
            connections_max: section.connections_max,
            connections_per_address_max: section.connections_per_address_max,
            request_timeout_s: section.request_timeout_s,
            speedup: None,
        }
    }

    /// Reads and checks a file. Errors: [`ConfigError`].
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Read {
            file: path.to_owned(),
            source,
        })?;
        Self::parse(&text, path)
    }

    /// Checks a text; `path` is the file that it is from. Errors: [`ConfigError`].
    pub fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        let places = Places::of(text);
        let wrong = |line, key: &str, problem| ConfigError::Wrong {
            file: path.to_owned(),
            line,
            key: key.to_owned(),
            problem,
        };
        let file: File = toml::from_str(text).map_err(|error| {
            let (line, key, problem) = explain(&error, &places);
            wrong(line, &key, problem)
        })?;
        check(file, path.parent().unwrap_or(Path::new("")))
            .map_err(|(key, found)| wrong(places.line_of_key(key), key, outside(key, &found)))
    }

    /// Names of the certificate: those of the configuration, and the address that it listens on.
    pub(crate) fn names(&self) -> Vec<String> {
        let mut names = self.names.clone();
        let address = self.listen.ip();
        if !address.is_unspecified() && !names.contains(&address.to_string()) {
            names.push(address.to_string());
        }
        names
    }
}

/// What a key is to be.
fn expected(key: &str) -> &'static str {
    let found = EXPECTED.iter().find(|(of, _)| *of == key);
    found.map_or("another value", |(_, expected)| expected)
}

fn outside(key: &str, found: &str) -> String {
    format!("{found}; expected {}; mend the value", expected(key))
}

fn check(file: File, base: &Path) -> Result<Config, (&'static str, String)> {
    let section = file.authority;
    let bounds = |key, good: bool, found: String| good.then_some(()).ok_or((key, found));
    let days = section.silent_days;
    bounds(
        "authority.silent_days",
        (1..=365).contains(&days),
        days.to_string(),
    )?;
    for (key, days, least) in [
        ("authority.audit_kept_days", section.audit_kept_days, 400),
        ("authority.events_kept_days", section.events_kept_days, 30),
        (
            "authority.reports_kept_days",
            section.reports_kept_days,
            400,
        ),
        (
            "authority.instances_kept_days",
            section.instances_kept_days,
            400,
        ),
    ] {
        bounds(key, (least..=36_500).contains(&days), days.to_string())?;
    }
    for (key, most) in [
        ("authority.connections_max", section.connections_max),
        (
            "authority.connections_per_address_max",
            section.connections_per_address_max,
        ),
    ] {
        bounds(key, (1..=65_536).contains(&most), most.to_string())?;
    }
    let timeout_s = section.request_timeout_s;
    bounds(
        "authority.request_timeout_s",
        (1..=600).contains(&timeout_s),
        timeout_s.to_string(),
    )?;
    let name = |name: &String| {
        let part = |b: u8| b.is_ascii_alphanumeric() || b"-.:".contains(&b);
        (1..=253).contains(&name.len()) && name.bytes().all(part)
    };
    let names = (1..=16).contains(&section.names.len()) && section.names.iter().all(name);
    bounds("authority.names", names, format!("{:?}", section.names))?;
    let speedup = file.lab.map(|lab| lab.speedup);
    let fast = speedup.unwrap_or(1);
    bounds(
        "lab.speedup",
        (1..=1_000_000).contains(&fast),
        fast.to_string(),
    )?;
    Ok(Config {
        state_dir: base.join(section.state_dir),
        database: database(
            section.database.as_deref(),
            section.database_password_file,
            base,
        )?,
        listen: section.listen,
        names: section.names,
        catalog: Arc::new(catalog(section.catalog.as_deref(), base)?),
        silent_days: days,
        kept: Kept {
            audit_days: section.audit_kept_days,
            events_days: section.events_kept_days,
            reports_days: section.reports_kept_days,
            instances_days: section.instances_kept_days,
        },
        connections_max: section.connections_max,
        connections_per_address_max: section.connections_per_address_max,
        request_timeout_s: timeout_s,
        speedup,
    })
}

/// The database by its URL. What stands there is not repeated: it may be a password that should not.
fn database(
    url: Option<&str>,
    password_file: Option<PathBuf>,
    base: &Path,
) -> Result<Option<Database>, (&'static str, String)> {
    let Some(url) = url else {
        return match password_file {
            None => Ok(None),
            Some(_) => Err((
                "authority.database_password_file",
                "there is no authority.database".into(),
            )),
        };
    };
    let file = password_file.map(|file| base.join(file));
    let made = Database::new(url, file);
    made.map(Some)
        .map_err(|why| ("authority.database", why.to_string()))
}

fn catalog(file: Option<&Path>, base: &Path) -> Result<Catalog, (&'static str, String)> {
    let Some(file) = file else {
        return Ok(Catalog::staros());
    };
    let file = base.join(file);
    let failed = |why: String| ("authority.catalog", format!("{}: {why}", file.display()));
    let text = std::fs::read_to_string(&file).map_err(|error| failed(error.to_string()))?;
    Catalog::parse(&text).map_err(|error| failed(error.to_string()))
}

/// Line, key and problem of what the parser or a type refused.
fn explain(error: &toml::de::Error, places: &Places) -> (usize, String, String) {
    let span = error.span().unwrap_or_default();
    let line = places.line_of(span.start);
    let key = places.key_at(span.start).to_owned();
    let message = error.message();
    if let Some(rest) = message.strip_prefix("unknown field ") {
        let known = rest
            .split_once(", expected ")
            .map_or("", |(_, known)| known);
        let problem = format!("no such key; expected {known}; mend its spelling or remove it");
        return (line, key, problem);
    }
    if let Some(name) = message.strip_prefix("missing field ") {
        let key = format!("{}.{}", places.key_of(&span), name.trim_matches('`'));
        let problem = format!("missing; expected {}; add it", expected(&key));
        return (line, key, problem);
    }
    if key.is_empty() || !EXPECTED.iter().any(|(of, _)| *of == key) {
        let problem =
            format!("not TOML: {message}; expected key = value or [section]; mend this line");
        return (line, String::new(), problem);
    }
    let found = message.split_once(", expected ");
    let found = found.map_or(message, |(found, _)| found);
    (line, key.clone(), outside(&key, found))
}
