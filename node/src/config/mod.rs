//! Configuration: a TOML file at start, checked whole before anything begins.
//!
//! `examples/gateway.toml` explains every key. A wrong file is refused with its name, the line, the key, what is
//! expected and what to do; a key that is not known is an error, too. Local configuration may only tighten (rule L2):
//! what loosens needs a `[lab]` section.

mod agent;
mod check;
mod error;
mod file;
mod plane;
mod snmp;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use licensing::place::Places;
use licensing::snapshot::Lab;
use licensing::{Catalog, FeatureSet, Product, Thresholds};
use session_plane::PlaneConfig;
use toml::de::DeTable;

pub use self::snmp::{NotifyTarget, Snmp};
pub use agent::Agent;
pub use error::{ConfigError, Problem};

/// A configuration that was checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Host name of the node.
    pub name: String,
    /// The product tag in use.
    pub product: Product,
    /// Product identifier of the UDI; none: the product's name.
    pub udi_pid: Option<String>,
    /// Serial number of the UDI; none: one is made at first start and kept.
    pub udi_serial: Option<String>,
    /// Where state is kept.
    pub state_dir: PathBuf,
    /// Worker threads, 1 to 256.
    pub workers: u16,
    /// Path of the control socket.
    pub control_socket: PathBuf,
    /// GTP-C on Gn, access points and pools; its restart counter is set at start.
    pub plane: PlaneConfig,
    /// Sessions that priority calls may take above a ceiling, in percent of it, 0 to 5 (rule L8).
    pub priority_percent: u8,
    /// Where the alarms on how much of a ceiling is in use begin and end.
    pub thresholds: Thresholds,
    /// Features enabled from the start (rule L12).
    pub features: FeatureSet,
    /// What is licensed.
    pub catalog: Arc<Catalog>,
    /// The text that the catalog was read from.
    pub catalog_text: Arc<str>,
    /// The Smart Agent and its way to the license authority.
    pub agent: Agent,
    /// Who is sent notifications, and by which engine.
    pub snmp: Snmp,
    /// The journal of what the verdicts take in; none: there is none.
    pub journal: Option<Journal>,
    /// Present on a lab node (rule L2).
    pub lab: Option<Lab>,
}

/// Where the journal is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Journal {
    /// Its file.
    pub file: PathBuf,
    /// Most bytes of the file.
    pub max_bytes: u64,
}

impl Config {
    /// Where GTP-C is received.
    pub fn gn(&self) -> SocketAddr {
        self.plane.control
    }

    /// Reads and checks a file. Errors: [`ConfigError`].
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        Self::read_with_catalog(path, None)
    }

    /// Reads and checks a file, with the catalog of another file; only a lab node takes one that is not the embedded
    /// one (rule L2). Errors: [`ConfigError`].
    pub fn read_with_catalog(path: &Path, catalog: Option<&Path>) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Read {
            file: path.to_owned(),
            source,
        })?;
        Self::parse_with_catalog(&text, path, catalog)
    }

    /// Checks a text; `path` is the file that it is from. Errors: [`ConfigError`].
    pub fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        Self::parse_with_catalog(text, path, None)
    }

    fn parse_with_catalog(
        text: &str,
        path: &Path,
        catalog: Option<&Path>,
    ) -> Result<Self, ConfigError> {
        let places = Places::of(text);
        let wrong = |line, key: String, problem| ConfigError::Wrong {
            file: path.to_owned(),
            line,
            key,
            problem,
        };
        let read = match DeTable::parse(text) {
            Ok(_) => toml::from_str(text).map_err(|error| explain(&error, &places)),
            Err(error) => Err(explain_syntax(&error, text, &places)),
        };
        let file = read.map_err(|(line, key, problem)| wrong(line, key, problem))?;
        let base = path.parent().unwrap_or(Path::new(""));
        check::check(file, base, catalog)
            .map_err(|(key, problem)| wrong(places.line_of_key(&key), key, problem))
    }
}

/// Line, key and problem of a text that is not TOML.
fn explain_syntax(
    error: &toml::de::Error,
    text: &str,
    places: &Places,
) -> (usize, String, Problem) {
    let span = error.span().unwrap_or_default();
    let line = places.line_of(span.start);
    if error.message() == "duplicate key" {
        let name = text.get(span).unwrap_or_default().to_owned();
        return (line, name.clone(), Problem::Twice { what: "key", name });
    }
    let message = error.message().to_owned();
    (line, String::new(), Problem::Syntax { message })
}

/// Line, key and problem of what a type refused.
fn explain(error: &toml::de::Error, places: &Places) -> (usize, String, Problem) {
    let span = error.span().unwrap_or_default();
    let line = places.line_of(span.start);
    let key = places.key_at(span.start).to_owned();
    let message = error.message();
    if let Some(rest) = message.strip_prefix("unknown field ") {
        let known = rest
            .split_once(", expected ")
            .map_or("", |(_, known)| known);
        let problem = match check::section_of(&key) {
            Some(section) => Problem::Misplaced { section },
            None => Problem::UnknownKey {
                known: known.to_owned(),
            },
        };
        return (line, key, problem);
    }
    if let Some(name) = message.strip_prefix("missing field ") {
        let name = name.trim_matches('`');
        let key = match places.key_of(&span) {
            "" => name.to_owned(),
            section => format!("{section}.{name}"),
        };
        let expected = check::expected(&key).to_owned();
        return (line, key, Problem::Missing { expected });
    }
    let expected = check::expected(&key).to_owned();
    let found = message
        .split_once(", expected ")
        .map_or(message, |(found, _)| found);
    let found = found.to_owned();
    (line, key, Problem::Value { found, expected })
}
