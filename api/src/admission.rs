//! Admission by a client: a process that runs calls of its own, an MME, say, and counts them here.
//!
//! A client opens a lease and names the classes of its calls. Every request of its own renews the lease; when none
//! comes for that long, the client is taken for dead, and what it holds is given back. Batches carry a sequence number,
//! one more than the last: the same batch once more takes nothing and gets the same answer.

use licensing::RefusalReason;
use serde::{Deserialize, Serialize};

/// Most clients at once.
pub const CLIENTS_MAX: usize = 64;
/// Most classes of one client.
pub const CLIENT_CLASSES_MAX: usize = 32;
/// Longest name of a client, in bytes.
pub const CLIENT_NAME_BYTES_MAX: usize = 63;
/// Shortest lease, in milliseconds.
pub const LEASE_MS_MIN: u64 = 500;
/// Longest lease, in milliseconds.
pub const LEASE_MS_MAX: u64 = 600_000;
/// Most calls of one batch.
pub const BATCH_CALLS_MAX: u32 = 1_000;
/// Most sessions of all clients together.
pub const CLIENT_SESSIONS_MAX: u64 = 10_000_000;
/// Where a [`Failure`](crate::Failure) to find a lease points: it ran out, was closed, or the node has restarted.
pub const UNKNOWN_LEASE: &str = "lease";

/// How license limits bind calls (rule L8).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CallKind {
    /// By ceiling and block.
    Ordinary,
    /// They may go over ceiling and block by the service's priority share.
    Priority,
    /// Never: they hold no license and are counted apart.
    Emergency,
}

/// Calls that count alike.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CallClass {
    /// The service that counts them, by its name in the catalog.
    pub service: String,
    /// The features that they bring, by their names in the catalog.
    pub features: Vec<String>,
    /// How license limits bind them.
    pub kind: CallKind,
}

/// What a client asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "do", deny_unknown_fields)]
pub enum ClientRequest {
    /// Opens the lease of a client; the same once more changes nothing.
    Open {
        /// Its name, one lease at a time; printable ASCII, 1 to [`CLIENT_NAME_BYTES_MAX`].
        name: String,
        /// A number that its process has chosen by chance: another process of that name waits until the lease ends.
        instance: u64,
        /// How long it may be silent, [`LEASE_MS_MIN`] to [`LEASE_MS_MAX`].
        lease_ms: u64,
        /// The classes of its calls, 1 to [`CLIENT_CLASSES_MAX`].
        classes: Vec<CallClass>,
    },
    /// Renews a lease.
    Heartbeat {
        /// Its number.
        lease: u64,
    },
    /// Admits, releases or restores calls of one class, and renews the lease.
    Batch {
        /// Its number.
        lease: u64,
        /// One more than the last; the last once more gets the same answer and does nothing.
        sequence: u64,
        /// What to do.
        operation: BatchOperation,
        /// Place of the class among those that were named, from 0.
        class: u16,
        /// How many, 1 to [`BATCH_CALLS_MAX`].
        calls: u32,
    },
    /// Ends a lease; all that it holds is given back.
    Close {
        /// Its number.
        lease: u64,
    },
}

/// What a batch does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BatchOperation {
    /// Asks for permits for new calls.
    Admit,
    /// Gives permits back.
    Release,
    /// Counts calls that live already, after the node forgot them; never refused (rules L7, L9), and only before the
    /// first admission or release of a lease.
    Restore,
}

/// A client's lease; the answer to all that it asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientLease {
    /// Its number, which requests name.
    pub lease: u64,
    /// Time until it runs out unless another request comes, in milliseconds.
    pub lease_left_ms: u64,
    /// Sequence number of the last batch that was done; 0: none.
    pub sequence: u64,
    /// Sessions that it holds, one entry a class, in the order in which they were named.
    pub holds: Vec<u64>,
    /// What a batch did; none: it was no batch.
    pub batch: Option<BatchOutcome>,
}

/// What a batch did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchOutcome {
    /// Calls admitted, released or restored.
    pub done: u32,
    /// The rest of an admission; none: there is no rest.
    pub refused: Option<BatchRefusal>,
}

/// The calls of a batch that were refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchRefusal {
    /// How many.
    pub calls: u32,
    /// Why, of the last of them.
    pub reason: RefusalReason,
    /// Sessions of the service at that moment.
    pub sessions: u32,
    /// The service's ceiling at that moment; none: unlimited.
    pub ceiling: Option<u32>,
}
