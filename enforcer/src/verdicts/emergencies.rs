//! Whether emergency calls are many beside the others: they take no license, so that whoever would have calls without one has
//! them so.

use licensing::snapshot::EmergencyCounts;

/// Fewer are not told of, whatever else there is.
const LEAST: u64 = 100;

/// How many there are, beside how many others, and whether that was too many.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Emergencies {
    pub(super) counts: EmergencyCounts,
    many: bool,
}

impl Emergencies {
    /// Many are at least 100, and at least half as many as all other sessions; no longer many are fewer than half of either.
    pub(super) fn came(&mut self, counts: EmergencyCounts, others: u64) {
        let bound = LEAST.max(others / 2);
        let bound = if self.many { bound / 2 } else { bound };
        self.many = counts.sessions >= bound;
        self.counts = counts;
    }

    pub(super) fn are_many(&self) -> bool {
        self.many
    }
}
