//! Counts: what the gate has counted, as values that the slow half takes in.

use licensing::ServiceIndex;
use serde::{Deserialize, Serialize};

use crate::class::Class;

/// Counters of one class; each only ever rises.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClassCounters {
    /// Permits given.
    pub admitted: u64,
    /// Permits that came back.
    pub released: u64,
    /// Refused because the service's policy is Block.
    pub refused_service: u64,
    /// Refused because a feature's policy is Block.
    pub refused_feature: u64,
    /// Refused at the ceiling.
    pub refused_ceiling: u64,
    /// Of low access priority, refused near the ceiling.
    #[serde(default)]
    pub refused_low: u64,
    /// Refused because credit of a worker inside its window could not be counted: the asymmetric form alone does so.
    #[serde(default)]
    pub refused_unsettled: u64,
    /// Let through though the service's policy is Block, which is tried out.
    #[serde(default)]
    pub eased_service: u64,
    /// Let through though a feature's policy is Block, which is tried out.
    #[serde(default)]
    pub eased_feature: u64,
}

impl ClassCounters {
    /// Permits given less permits that came back; below zero for a worker that releases what another one admitted.
    pub fn live(&self) -> i64 {
        self.admitted.wrapping_sub(self.released).cast_signed()
    }
}

/// The ledger of one service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceCount {
    /// Sessions that hold a permit.
    pub sessions: u32,
    /// Most sessions since the process began.
    pub peak: u32,
}

/// One class and its counters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClassCount {
    /// The class.
    pub class: Class,
    /// Its counters, summed over the workers.
    pub counters: ClassCounters,
}

/// All that the gate has counted, read at about one time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// One entry a service, in the catalog's order.
    pub services: Vec<ServiceCount>,
    /// One entry a class, in the order in which they were interned.
    pub classes: Vec<ClassCount>,
}

/// One worker's finished pass over its session table (rule L14).
///
/// Table and counters are of the same instant: the pass adjusts for what changed behind its cursor.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkerRecount {
    /// Which worker.
    pub worker: u16,
    /// One row for every class that has a session in the table or a permit in the worker's counters.
    pub rows: Vec<RecountRow>,
}

/// One class in a worker's session table and in its counters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecountRow {
    /// The class.
    pub class: Class,
    /// Sessions of the class found in the table.
    pub table: u64,
    /// What the worker's own counters say: admitted less released.
    pub counter: i64,
}

/// A service's ledger, read between two readings of its classes' counters (rule L14).
///
/// Of the classes that hold permits in the ledger (all but emergency), `low` is the admitted of the first reading less
/// the released of the second, `high` the admitted of the second less the released of the first; a true ledger lies
/// between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerBounds {
    /// The service.
    pub service: ServiceIndex,
    /// Sessions in the ledger.
    pub ledger: u32,
    /// The least that the counters allow.
    pub low: i64,
    /// The most that the counters allow.
    pub high: i64,
}

impl LedgerBounds {
    /// How far the ledger lies outside of what the counters allow: above zero is above, 0 is inside.
    pub fn outside(&self) -> i64 {
        let ledger = i64::from(self.ledger);
        if ledger < self.low {
            ledger.saturating_sub(self.low)
        } else {
            ledger.saturating_sub(self.high).max(0)
        }
    }
}
