//! The nouns of license enforcement, and nothing that acts.
//!
//! Here are the words every other crate shares: tags and the catalog that lists them, counts, compliance and policy,
//! events and alarms, the one snapshot that every surface is a function of, the three times that travel as one
//! [`Now`], the byte formats of the state slots, and where the keys of a configuration are. One word has one meaning
//! (GLOSSARY.md).
//!
//! Deliberately absent: decisions (crate `enforcer`), clocks, files, sockets and cryptography. Whoever needs a keyed
//! digest passes it in.
#![forbid(unsafe_code)]

pub mod alarm;
pub mod catalog;
pub mod compliance;
pub mod count;
pub mod event;
pub mod order;
pub mod place;
pub mod record;
pub mod refusal;
pub mod snapshot;
pub mod tag;
pub mod time;

pub use alarm::{Alarm, AlarmId, AlarmKind, Threshold, Thresholds};
pub use catalog::{Catalog, CatalogError, Feature, OnOoc, OocRule, Product, Service, Tie};
pub use compliance::{Compliance, Entitlement, Mode, Policy};
pub use count::{LicenseCount, SessionCount};
pub use event::Event;
pub use order::{Shadow, TagOrder};
pub use refusal::{RefusalReason, RefusalRecord};
pub use snapshot::Snapshot;
pub use tag::{FeatureIndex, FeatureSet, ServiceIndex, Tag, TagId, TagRef};
pub use time::{LicenseTime, Mono, Now, Wall};
