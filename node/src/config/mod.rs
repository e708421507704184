//! Configuration: a file at start, TOML or text in StarOS's manner ([`text`]), checked whole before anything begins.
//!
//! `examples/gateway.toml` explains every key. A wrong file is refused with its name, the line, the key, what is
//! expected and what to do; a key that is not known is an error, too. Local configuration may only tighten (rule L2):
//! what loosens needs a `[lab]` section.

mod agent;
mod allow;
mod bulkstats;
mod check;
mod error;
mod file;
mod keys;
mod logging;
mod overlay;
mod plane;
mod snmp;
mod ssh;
#[cfg(test)]
mod tests;
pub mod text;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use licensing::place::Places;
use licensing::snapshot::{CatalogOrigin, Lab};
use licensing::{Catalog, FeatureSet, Product, Thresholds};
use serde::Deserialize;
use session_plane::PlaneConfig;
use smart_agent::Fits;
use toml::Spanned;
use toml::de::{DeTable, Deserializer};

use crate::fence::GateChoice;
use crate::steering::GtpSockets;

pub use self::bulkstats::{Bulkstats, Receiver as BulkstatsReceiver};
pub use self::snmp::{NotifyTarget, Snmp, TargetLeftOut, engine_of};
pub use self::ssh::{Account, Ssh};
pub(crate) use self::ssh::{is_account_name, public_key};
pub use agent::Agent;
pub(crate) use agent::is_secret;
pub use error::{ConfigError, Problem};
pub(crate) use keys::{auth_named, written};
pub use keys::{engine_named, localized};
pub use logging::{Logging, SyslogServer};
pub(crate) use overlay::{NAME, NUMBER, REMOVED, is_path};
pub use overlay::{SETTABLE, Settable};

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
    /// How workers move their own credit at the gate.
    pub gate: GateChoice,
    /// Through which sockets GTP-C comes.
    pub gtp_sockets: GtpSockets,
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
    /// Smart licensing is enabled at the start, unless operators have switched it before.
    pub smart_enable: bool,
    /// What is licensed.
    pub catalog: Arc<Catalog>,
    /// The text that the catalog was read from.
    pub catalog_text: Arc<str>,
    /// Where the catalog is from.
    pub catalog_origin: CatalogOrigin,
    /// The Smart Agent and its way to the license authority.
    pub agent: Agent,
    /// Who is sent notifications, and by which engine.
    pub snmp: Snmp,
    /// Bulk statistics, and who receives them.
    pub bulkstats: Bulkstats,
    /// What is logged, and which syslog servers are sent it.
    pub logging: Logging,
    /// Where the shell is served by SSH, and who may log in.
    pub ssh: Ssh,
    /// Where metrics are served; none: nowhere.
    pub metrics: Option<SocketAddr>,
    /// The journal of what the verdicts take in; none: there is none.
    pub journal: Option<Journal>,
    /// Most bytes of the audit log.
    pub audit_bytes: u64,
    /// Present on a lab node (rule L2).
    pub lab: Option<Lab>,
    /// What it was read from.
    pub source: Source,
}

/// What a configuration was read from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Source {
    path: PathBuf,
    text: Arc<str>,
    /// A catalog file that goes before the one that the text names.
    catalog: Option<PathBuf>,
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
        let source = Source {
            path: path.to_owned(),
            text: text.into(),
            catalog: catalog.map(Path::to_owned),
        };
        let checked = source.tables().and_then(|table| {
            let places = source.places();
            let config = source.check(table, &places)?;
            let complete = bulkstats::complete(&config.bulkstats);
            complete.map_err(|(key, problem)| (places.line_of_key(&key), key, problem))?;
            Ok(config)
        });
        checked.map_err(|wrong| source.explain(wrong))
    }

    /// The same configuration with a catalog that the license authority orders (rule L2). Errors: it names what that
    /// catalog does not have, or its product has another tag there.
    pub(crate) fn with_ordered(
        &self,
        catalog: &Arc<Catalog>,
        text: &str,
    ) -> Result<Self, ConfigError> {
        let named = self.source.named(catalog, self.lab.is_some());
        let named = named.and_then(|(named, places)| {
            let key = "node.product".to_owned();
            let what = named.product.name.clone();
            let problem = if named.product.tag != self.product.tag {
                Problem::OtherTag { what }
            } else if let Some(what) = displaced(&self.catalog, catalog) {
                Problem::Displaced { what }
            } else {
                return Ok(named);
            };
            Err((places.line_of_key(&key), key, problem))
        });
        let named = named.map_err(|wrong| self.source.explain(wrong))?;
        let lab = self.lab.map(|lab| Lab {
            unsigned_catalog: false,
            ..lab
        });
        Ok(Self {
            plane: named.plane,
            features: named.features,
            product: named.product,
            catalog: Arc::clone(catalog),
            catalog_text: text.into(),
            catalog_origin: CatalogOrigin::Ordered,
            lab,
            ..self.clone()
        })
    }

    /// Whether this configuration goes with a catalog that is ordered.
    pub(crate) fn fits(&self) -> Fits {
        let config = self.clone();
        Fits::new(move |catalog| {
            let fitting = config.with_ordered(catalog, "");
            fitting.map(drop).map_err(|error| error.to_string())
        })
    }
}

impl Source {
    fn check(&self, table: Spanned<DeTable<'_>>, places: &Places) -> Result<Config, Wrong> {
        let file = file_of(table, places)?;
        let base = self.path.parent().unwrap_or(Path::new(""));
        let checked = check::check(file, base, self.catalog.as_deref());
        let config = checked.map_err(|(key, problem)| (places.line_of_key(&key), key, problem))?;
        Ok(Config {
            source: self.clone(),
            ..config
        })
    }

    /// What it names of a catalog, and the places of its keys.
    fn named(&self, catalog: &Catalog, lab: bool) -> Result<(check::Named, Places), Wrong> {
        let places = self.places();
        let file = file_of(self.tables()?, &places)?;
        let named = check::named_of(&file, catalog, lab);
        let named = named.map_err(|(key, problem)| (places.line_of_key(&key), key, problem))?;
        Ok((named, places))
    }

    /// The tables that it is read as, with their places.
    fn tables(&self) -> Result<Spanned<DeTable<'_>>, Wrong> {
        if !text::is_text(&self.path, &self.text) {
            return table(&self.text);
        }
        match text::read(&self.text) {
            Ok(read) => Ok(Spanned::new(0..self.text.len(), read.table)),
            Err(fault) => {
                let (line, column) = fault.line_and_column(&self.text);
                let said = fault.to_string();
                Err((line, String::new(), Problem::Text { column, said }))
            }
        }
    }

    fn places(&self) -> Places {
        match text::is_text(&self.path, &self.text).then(|| self.tables()) {
            Some(Ok(table)) => Places::of_table(&self.text, table.get_ref()),
            Some(Err(_)) | None => Places::of(&self.text),
        }
    }

    /// Where a key stands in its line, in letters from 1; none: it is of TOML, where the line tells enough.
    fn column(&self, key: &str, problem: &Problem) -> Option<u32> {
        let column = if let Problem::Text { column, .. } = problem {
            *column
        } else if text::is_text(&self.path, &self.text) {
            text::line_and_column(&self.text, self.places().start_of_key(key)).1
        } else {
            return None;
        };
        u32::try_from(column).ok()
    }

    fn explain(&self, (line, key, problem): Wrong) -> ConfigError {
        ConfigError::Wrong {
            file: self.path.clone(),
            line,
            column: self.column(&key, &problem),
            key: key.into(),
            problem,
        }
    }
}

/// The name of the first service or feature of `own` that `new` has not at the same place with the same tag. Switches, alarms
/// and what was spent of a grace are kept by place: those of a tag must stay its own.
fn displaced(own: &Catalog, new: &Catalog) -> Option<String> {
    let services = own.services().iter().enumerate().find(|&(place, old)| {
        let next = new.services().get(place);
        next.is_none_or(|next| next.tag != old.tag)
    });
    let features = own.features().iter().enumerate().find(|&(place, old)| {
        let next = new.features().get(place);
        next.is_none_or(|next| next.tag != old.tag)
    });
    let service = services.map(|(_, service)| service.name.clone());
    service.or_else(|| features.map(|(_, feature)| feature.name.clone()))
}

/// Line, key and problem.
type Wrong = (usize, String, Problem);

fn file_of(table: Spanned<DeTable<'_>>, places: &Places) -> Result<file::File, Wrong> {
    let file = file::File::deserialize(Deserializer::from(table));
    file.map_err(|error| explain(&error, places))
}

fn table(text: &str) -> Result<Spanned<DeTable<'_>>, Wrong> {
    DeTable::parse(text).map_err(|error| explain_syntax(&error, text, &Places::of(text)))
}

/// Line, key and problem of a text that is not TOML.
fn explain_syntax(error: &toml::de::Error, text: &str, places: &Places) -> Wrong {
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
fn explain(error: &toml::de::Error, places: &Places) -> Wrong {
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
