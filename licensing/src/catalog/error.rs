//! Why a catalog is refused.

use thiserror::Error;

use crate::tag::{TagError, TagId};

/// A catalog was refused: where, and why.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("line {line}: {fault}")]
pub struct CatalogError {
    /// Line of the text, from 1.
    pub line: usize,
    /// The reason.
    #[source]
    pub fault: CatalogFault,
}

/// What is wrong with a catalog.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CatalogFault {
    /// Not TOML, an unknown or missing key, or a value of another type than the key wants.
    #[error("{0}")]
    Form(String),
    /// A tag is not one; white space in it among the causes.
    #[error("{0}")]
    Tag(#[from] TagError),
    /// The name can't be a keyword of the command line.
    #[error(
        "{0:?} is not a name: a letter, then letters, digits, hyphens and underscores, at most {max} bytes",
        max = super::NAME_MAX_BYTES
    )]
    Name(String),
    /// The description can't be printed on one line.
    #[error(
        "a description has no control characters and at most {max} bytes",
        max = super::DESCRIPTION_MAX_BYTES
    )]
    Description,
    /// Two services, or two features, share a TagId.
    #[error("TagId {tag_id} is taken by the {kind} of line {line}")]
    DuplicateTagId {
        /// The TagId.
        tag_id: TagId,
        /// `service` or `feature`.
        kind: &'static str,
        /// Line of the first one.
        line: usize,
    },
    /// Two entries share a tag.
    #[error("the tag is taken by line {line}")]
    DuplicateTag {
        /// Line of the first one.
        line: usize,
    },
    /// Two entries of a kind share a name, letter case apart.
    #[error("the name {name:?} is taken by the {kind} of line {line}")]
    DuplicateName {
        /// The name.
        name: String,
        /// `product`, `service` or `feature`.
        kind: &'static str,
        /// Line of the first one.
        line: usize,
    },
    /// A license that covers no session.
    #[error("a license covers at least one session")]
    NoSessionsPerLicense,
    /// More entries than an index can number.
    #[error("a catalog has at most {max} {kind}s")]
    TooMany {
        /// `product`, `service` or `feature`.
        kind: &'static str,
        /// The bound.
        max: usize,
    },
    /// No entry of a kind that must be there.
    #[error("a catalog has at least one {kind}")]
    None {
        /// `product` or `service`.
        kind: &'static str,
    },
    /// A feature is tied to a service that the catalog doesn't list.
    #[error("no service has the name {0:?}")]
    UnknownService(String),
    /// A feature names the same service twice.
    #[error("the feature is tied to {0} already")]
    TiedTwice(String),
}

/// A new catalog would change a tag that is in use.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{kind} {name} is in use and can't be {change}")]
pub struct ReloadError {
    /// `service` or `feature`.
    pub kind: &'static str,
    /// Its name in the catalog in force.
    pub name: String,
    /// What the new catalog would do to it.
    pub change: &'static str,
}
