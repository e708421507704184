//! What managers are shown: one view of the node, which every object is a function of.

use std::collections::BTreeSet;
use std::sync::Arc;

use licensing::{Snapshot, Wall};

use crate::Oid;
use crate::delivery::{HISTORY_MAX, HistoryRow, TargetStatus};
use crate::groups::{Managed, Own};
use crate::notifications::Which;

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
    /// Its Smart Agent.
    pub agent: Arc<Agent>,
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
    pub log: Arc<[Arc<HistoryRow>]>,
    /// Notifications that are not sent.
    pub suppressed: BTreeSet<Which>,
}

/// The Smart Agent, as far as CISCO-SMART-LIC-MIB shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Agent {
    /// Where the registration stands.
    pub registration: Registration,
    /// How registration was tried.
    pub initial: Attempts,
    /// How the end of a registration was tried.
    pub deregistration: Attempts,
    /// How renewal of the identity was tried.
    pub renewal: Attempts,
    /// How authorization was asked for.
    pub authorization: Attempts,
    /// When the authorization expires unless the authority is heard; none: not registered, or it was not heard yet.
    pub authorized_until: Option<Wall>,
}

/// Where a registration stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Registration {
    /// There is none.
    #[default]
    None,
    /// It is being asked for.
    InProgress,
    /// It stands, also while it is being ended.
    Completed(Registered),
}

/// A registration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registered {
    /// Name of the Smart Account.
    pub smart_account: String,
    /// Name of the virtual account.
    pub virtual_account: String,
    /// When it began.
    pub since: Wall,
    /// When the identity certificate ends.
    pub expires: Wall,
}

/// Attempts at something.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attempts {
    /// The last one; none: there was none since the process began.
    pub last: Option<Wall>,
    /// Why it failed; none: it did not.
    pub failure: Option<String>,
    /// The next one; none: none is due.
    pub next: Option<Wall>,
}

impl Managed for View {
    fn own(&self) -> &Own {
        &self.own
    }
}
