//! Configuration: a TOML file at start, checked whole before anything begins.
//!
//! `examples/gateway.toml` explains every key. A wrong file is refused with its name, the line, the key, what is
//! expected and what to do; a key that is not known is an error, too. Local configuration may only tighten (rule L2):
//! what loosens needs a `[lab]` section.

mod check;
mod error;
mod file;
mod place;
#[cfg(test)]
mod tests;

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use licensing::snapshot::Lab;
use licensing::{Catalog, FeatureSet, Product, ServiceIndex};

pub use error::{ConfigError, Problem};
use place::Places;

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
    /// GTP-C on Gn.
    pub gn: Gn,
    /// Address pools, their networks apart.
    pub pools: Vec<Pool>,
    /// Access points.
    pub apns: Vec<Apn>,
    /// What refused calls are told.
    pub refusal: Refusal,
    /// Sessions that priority calls may take above a ceiling, in percent of it, 0 to 5 (rule L8).
    pub priority_percent: u8,
    /// Features enabled from the start (rule L12).
    pub features: FeatureSet,
    /// What is licensed.
    pub catalog: Arc<Catalog>,
    /// Present on a lab node (rule L2).
    pub lab: Option<Lab>,
}

/// GTP-C on Gn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gn {
    /// Where it is received.
    pub listen: SocketAddr,
    /// User-plane address given to peers.
    pub user_plane: IpAddr,
    /// Wait for a response before a request is sent again.
    pub t3_response: Duration,
    /// Times that a request is sent at most.
    pub n3_requests: u8,
    /// Time between Echo Requests of a path; none: none are sent.
    pub echo_interval: Option<Duration>,
    /// Sessions of the whole node at most.
    pub sessions_max: u32,
}

/// An address pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pool {
    /// Its name.
    pub name: String,
    /// Networks of which each session gets one address.
    pub ipv4: Vec<Network<Ipv4Addr>>,
    /// Networks of which each session gets one prefix of 64 bits.
    pub ipv6: Vec<Network<Ipv6Addr>>,
}

/// A network whose host bits are 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network<A> {
    /// Its first address.
    pub base: A,
    /// Length of its prefix, in bits.
    pub prefix: u8,
}

/// An access point.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Apn {
    /// Its name.
    pub name: String,
    /// The service whose license its calls take.
    pub service: ServiceIndex,
    /// Features that its calls bring.
    pub features: FeatureSet,
    /// Place of its pool among the pools.
    pub pool: usize,
    /// Its calls are emergency calls (rule L8).
    pub emergency: bool,
    /// Priority levels of allocation and retention that make a call a priority call (rule L8).
    pub priority_arp: Vec<u8>,
}

/// What refused calls are told: causes of TS 29.060 7.7.1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The service's policy is Block.
    pub service_blocked: u8,
    /// A feature's policy is Block.
    pub feature_blocked: u8,
    /// The service is at its ceiling.
    pub at_ceiling: u8,
    /// Back-off time that goes with cause 229, before jitter.
    pub backoff: Duration,
}

impl Config {
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
        let file = toml::from_str(text).map_err(|error| {
            let (line, key, problem) = explain(&error, text, &places);
            wrong(line, key, problem)
        })?;
        let base = path.parent().unwrap_or(Path::new(""));
        check::check(file, base, catalog)
            .map_err(|(key, problem)| wrong(places.line_of_key(&key), key, problem))
    }
}

/// Line, key and problem of what the parser or a type refused.
fn explain(error: &toml::de::Error, text: &str, places: &Places) -> (usize, String, Problem) {
    let span = error.span().unwrap_or_default();
    let line = places.line_of(span.start);
    let key = places.key_at(span.start).to_owned();
    let message = error.message();
    if let Some(rest) = message.strip_prefix("unknown field ") {
        let known = rest
            .split_once(", expected ")
            .map_or("", |(_, known)| known);
        let known = known.to_owned();
        return (line, key, Problem::UnknownKey { known });
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
    if message == "duplicate key" {
        let name = text.get(span).unwrap_or_default().to_owned();
        return (line, name.clone(), Problem::Twice { what: "key", name });
    }
    if key.is_empty() {
        let message = message.to_owned();
        return (line, key, Problem::Syntax { message });
    }
    let expected = check::expected(&key).to_owned();
    let found = message
        .split_once(", expected ")
        .map_or(message, |(found, _)| found);
    let found = found.to_owned();
    (line, key, Problem::Value { found, expected })
}

impl<A: fmt::Display> fmt::Display for Network<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.base, self.prefix)
    }
}
