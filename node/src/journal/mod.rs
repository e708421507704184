//! The journal: every input of the verdicts with its time, one JSON line each, and a replay that must come to the same.
//!
//! ```text
//! {"header":{..}}                       what the machine was made from: first line of every file
//! {"in":[[mono,wall,license],input]}    an input; {"same":[mono,wall,license]}: a sample of the gate like the last one
//! {"out":output}                        an event, or terms of the gate, in the order in which they were asked for
//! {"digest":{"seq":64,"sha256":".."}}   of the snapshot after that input, every 64 inputs
//! {"end":snapshot}                      the last snapshot, at an orderly end
//! ```
//!
//! Each start of a node begins a file of its own; the one before is kept beside it as `FILE.old`. A thread of its own
//! writes; when it can't keep up, the disk fails or the file has reached its bound, the journal stops for good, says so,
//! and nothing else changes. A gap would make a replay wrong, so none is ever left. No secret is an input of the
//! verdicts, so none is in the journal.
//!
//! Deliberately absent: what the workers decide. The gate's counts are inputs.

mod recorder;
mod replay;
#[cfg(test)]
mod tests;
mod writer;

use std::sync::Arc;

use enforcer::verdicts::{Config, Input, Output, Restored};
use licensing::snapshot::{Lab, NodeIdentity};
use licensing::{
    Catalog, CatalogError, FeatureSet, LicenseTime, Mono, Now, Snapshot, Thresholds, Wall,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

pub(crate) use recorder::Recorder;
pub use replay::{Difference, Replay, ReplayError, Told, replay};

/// The format that is written, and the only one that is read.
pub const FORMAT: u32 = 1;

/// Inputs from one digest of the snapshot to the next.
const DIGEST_EVERY: u64 = 64;

/// One line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Line {
    /// The first one.
    Header(Box<Header>),
    /// An input.
    In(At, Input),
    /// [`Input::Counts`] with the counts of the last one.
    Same(At),
    /// An output that is compared: all but records, which the digests cover.
    Out(Output),
    /// What the snapshot was.
    Digest(Digest),
    /// The last one.
    End(Box<Snapshot>),
}

/// A [`Now`], short.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct At(Mono, Wall, LicenseTime);

/// What the machine was made from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Header {
    format: u32,
    began: At,
    node: NodeIdentity,
    /// The catalog's text.
    catalog: String,
    lab: Option<Lab>,
    priority_percent: u8,
    enabled_features: FeatureSet,
    workers: u16,
    history: usize,
    #[serde(default)]
    thresholds: Thresholds,
    restored: Restored,
}

/// What a snapshot was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Digest {
    /// Its sequence number.
    seq: u64,
    /// SHA-256 of its JSON, in hexadecimal digits.
    sha256: String,
}

impl From<Now> for At {
    fn from(now: Now) -> Self {
        Self(now.mono, now.wall, now.license)
    }
}

impl From<At> for Now {
    fn from(At(mono, wall, license): At) -> Self {
        Self {
            mono,
            wall,
            license,
        }
    }
}

impl Header {
    /// Of a machine made from these; `catalog` is the text that its catalog was read from.
    pub(crate) fn new(config: &Config, catalog: &str, restored: &Restored, now: Now) -> Self {
        Self {
            format: FORMAT,
            began: now.into(),
            node: config.node.clone(),
            catalog: catalog.to_owned(),
            lab: config.lab,
            priority_percent: config.priority_percent,
            enabled_features: config.enabled_features,
            workers: config.workers,
            history: config.history,
            thresholds: config.thresholds,
            restored: restored.clone(),
        }
    }

    /// What the machine is made from again. Errors: the catalog is wrong.
    fn machine(self) -> Result<(Config, Restored, Now), CatalogError> {
        let catalog = Arc::new(Catalog::parse(&self.catalog)?);
        let config = Config {
            lab: self.lab,
            priority_percent: self.priority_percent,
            enabled_features: self.enabled_features,
            workers: self.workers,
            history: self.history,
            thresholds: self.thresholds,
            ..Config::new(self.node, catalog)
        };
        Ok((config, self.restored, self.began.into()))
    }
}

impl Digest {
    fn of(snapshot: &Snapshot) -> Result<Self, serde_json::Error> {
        let hash = Sha256::digest(serde_json::to_vec(snapshot)?);
        let digits = hash.iter().map(|octet| format!("{octet:02x}"));
        Ok(Self {
            seq: snapshot.seq,
            sha256: digits.collect(),
        })
    }
}

/// Outputs that are compared.
fn is_compared(output: &Output) -> bool {
    match output {
        Output::Terms { .. } | Output::Event(_) => true,
        Output::Persist(_) => false,
    }
}
