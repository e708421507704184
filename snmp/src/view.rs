//! What managers are shown: one view of the node, which every object is a function of.

use std::sync::Arc;

use licensing::Snapshot;

use crate::Oid;
use crate::delivery::{HISTORY_MAX, HistoryRow, TargetStatus};
use crate::groups::{Managed, Own};

/// Notifications of the log that managers are shown: the last so many.
pub const LOG_MAX: usize = 1_000;
const _: () = assert!(LOG_MAX <= HISTORY_MAX);

/// The node at one time.
#[derive(Clone, Debug)]
pub struct View {
    /// The agent itself.
    pub own: Own,
    /// The node.
    pub node: Arc<Snapshot>,
    /// What was told of it.
    pub told: Arc<Told>,
}

/// What was told, and to whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// The arc of our own MIB.
    pub enterprise: Oid,
    /// Every target, in the order of the configuration.
    pub targets: Vec<TargetStatus>,
    /// The last notifications, oldest first, at most [`LOG_MAX`].
    pub log: Vec<HistoryRow>,
}

impl Managed for View {
    fn own(&self) -> &Own {
        &self.own
    }
}
