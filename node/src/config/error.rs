//! What can be wrong with a configuration: each error names file, line and key, what is expected, and what to do.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::transport::AddressError;

/// Why a configuration is refused.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// The file can't be read.
    #[error(
        "{file}: can't be read: {source}; expected a TOML file, or a text that begins with config; give its path with --config"
    )]
    Read {
        /// The file.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// What operators have set can't be read.
    #[error(
        "{file}: can't be read: {source}; expected what operators have set; let this user read it, or move it away and set that anew"
    )]
    Settings {
        /// The file.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Something in it is wrong.
    #[error(
        "{file}:{}{}{problem}",
        match column {
            Some(column) => format!(" line {line}, column {column}: "),
            None => format!("{line}: "),
        },
        if key.is_empty() { String::new() } else { format!("{key}: ") }
    )]
    Wrong {
        /// The file.
        file: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The column, from 1, of text in StarOS's manner.
        column: Option<u32>,
        /// The key, as `apn[1].service`, elements counted from 0; empty: the text is not TOML.
        key: Box<str>,
        /// What is wrong with it.
        problem: Problem,
    },
}

/// What is wrong with a key.
#[derive(Debug, PartialEq, Eq, Error)]
pub enum Problem {
    /// The text is not TOML.
    #[error("not TOML: {message}; expected key = value or [section]; mend this line")]
    Syntax {
        /// The parser's words.
        message: String,
    },
    /// The text in StarOS's manner is none.
    #[error("{said}")]
    Text {
        /// Where in the line, from 1.
        column: usize,
        /// What is wrong there.
        said: String,
    },
    /// No such key.
    #[error("no such key; expected {known}; mend its spelling or remove it")]
    UnknownKey {
        /// The keys there are, as the parser lists them.
        known: String,
    },
    /// A key of another section.
    #[error("no such key here; expected in [{section}]; move it there")]
    Misplaced {
        /// That section.
        section: &'static str,
    },
    /// A key that is not set at run time.
    #[error("not set at run time; expected {known}; move it to the configuration")]
    NotSettable {
        /// The keys that are.
        known: String,
    },
    /// A key that has no default is not there.
    #[error("missing; expected {expected}; add it")]
    Missing {
        /// What it is to be.
        expected: String,
    },
    /// The value is of another type or outside its bounds.
    #[error("{found}; expected {expected}; mend the value")]
    Value {
        /// What is there.
        found: String,
        /// What it is to be.
        expected: String,
    },
    /// A name of something that is not there.
    #[error("no {what} is called {name:?}; expected {known}; mend the name")]
    UnknownName {
        /// What it names.
        what: &'static str,
        /// The name.
        name: String,
        /// The names there are.
        known: String,
    },
    /// A name of something of which there is none; operators may have removed it.
    #[error(
        "no {what} is called {name:?}: there is none; expected one {what} at least; add it, or see `removed` in settings.toml of node.state_dir"
    )]
    NoName {
        /// What it names.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// The same name twice.
    #[error("{name:?} is given twice; expected each {what} once; remove one")]
    Twice {
        /// What it names.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// Two pools share addresses.
    #[error("{network} shares addresses with {other}; expected networks that lie apart; mend one")]
    Overlap {
        /// A network.
        network: String,
        /// Another, given before it.
        other: String,
    },
    /// Only a lab node may do this (rule L2).
    #[error(
        "{what} loosens what is licensed or specified; expected only on a node marked lab; remove it or add a [lab] section"
    )]
    NeedsLab {
        /// What it is.
        what: String,
    },
    /// The catalog is not one.
    #[error(
        "the catalog {file} is refused: {reason}; expected a catalog as the embedded one; mend it"
    )]
    Catalog {
        /// Its file.
        file: PathBuf,
        /// Why.
        reason: String,
    },
    /// A catalog that is ordered has another tag for the product.
    #[error(
        "{what} has another tag in that catalog; expected the tag that the node is registered with; order a catalog that keeps it"
    )]
    OtherTag {
        /// The product.
        what: String,
    },
    /// A catalog that is ordered has a service or feature of the node's own at another place, with another tag, or not at all.
    #[error(
        "{what} is not where it was in that catalog, or has another tag; expected what the node's own catalog has, in its order, and what is new after it; order such a catalog"
    )]
    Displaced {
        /// The service or feature.
        what: String,
    },
    /// The license authority's address is not one.
    #[error("{0}; expected an address such as \"https://authority.example:8443\"; mend the value")]
    Authority(AddressError),
    /// A file that the key names can't be used.
    #[error("{refused}; expected {expected}; mend the file or name another")]
    Named {
        /// Which file, and why.
        refused: String,
        /// What it is to be.
        expected: &'static str,
    },
    /// A secret that operators have set is of no use any more, because of the node's key, name or enterprise.
    #[error(
        "{why}; expected a secret that this node has sealed; set it anew, or take its entry out of settings.toml of node.state_dir"
    )]
    Sealed {
        /// Which file, and why; or what else it was that is of no use.
        why: String,
    },
    /// A key that goes with another one which is not there.
    #[error("it is of no use without {other}; expected both or neither; add {other} or remove it")]
    Alone {
        /// The other key.
        other: &'static str,
    },
}

impl Problem {
    /// Of the secret in a file.
    pub(super) fn sealed(file: &Path, reason: &str) -> Self {
        let why = format!("{} can't be used: {reason}", file.display());
        Self::Sealed { why }
    }
}
