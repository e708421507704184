//! The proved count (rule L14): the session tables and the ledgers against the counters.

use std::collections::BTreeMap;

use licensing::TagRef;
use licensing::Wall;
use licensing::snapshot::Recount;

use crate::class::CallKind;
use crate::counts::{LedgerBounds, RecountRow, WorkerRecount};

/// Passes of the workers as they come in, and what the last finished recount found.
#[derive(Clone, Debug)]
pub(super) struct Recounts {
    passes: Vec<Option<Vec<RecountRow>>>,
    ledgers: Option<Vec<LedgerBounds>>,
    found: Option<Found>,
}

/// What a finished recount found.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) recount: Recount,
    drifts: BTreeMap<TagRef, Drift>,
}

/// The differences of one tag's counters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Drift {
    /// Counters less table.
    net: i64,
    /// The differences without their signs, so that two errors never hide each other.
    sum: u64,
}

impl Drift {
    fn add(&mut self, difference: i64) {
        self.net = self.net.saturating_add(difference);
        self.sum = self.sum.saturating_add(difference.unsigned_abs());
    }
}

impl Recounts {
    pub(super) fn new(workers: u16) -> Self {
        Self {
            passes: vec![None; usize::from(workers)],
            ledgers: None,
            found: None,
        }
    }

    pub(super) fn worker(&mut self, pass: WorkerRecount, at: Wall) {
        if let Some(place) = self.passes.get_mut(usize::from(pass.worker)) {
            *place = Some(pass.rows);
            self.finish(at);
        }
    }

    pub(super) fn ledgers(&mut self, ledgers: Vec<LedgerBounds>, at: Wall) {
        self.ledgers = Some(ledgers);
        self.finish(at);
    }

    fn finish(&mut self, at: Wall) {
        if self.ledgers.is_none() || self.passes.iter().any(Option::is_none) {
            return;
        }
        let ledgers = self.ledgers.take().unwrap_or_default();
        let passes = self.passes.iter_mut().filter_map(Option::take);
        let rows: Vec<RecountRow> = passes.flatten().collect();
        self.found = Some(compare(&rows, &ledgers, at));
    }

    /// The last finished recount.
    pub(super) fn found(&self) -> Option<&Found> {
        self.found.as_ref()
    }

    /// The tags whose counters differ from the tables or the ledger.
    pub(super) fn adrift(&self) -> impl Iterator<Item = TagRef> {
        let drifts = self.found.iter().flat_map(|found| &found.drifts);
        drifts
            .filter(|(_, drift)| drift.sum > 0)
            .map(|(tag, _)| *tag)
    }
}

impl Found {
    /// Counters of a tag less what the tables hold.
    pub(super) fn drift(&self, tag: TagRef) -> i64 {
        self.drifts.get(&tag).map_or(0, |drift| drift.net)
    }

    /// The differences of a tag's counters, without their signs.
    pub(super) fn differences(&self, tag: TagRef) -> u64 {
        self.drifts.get(&tag).map_or(0, |drift| drift.sum)
    }
}

fn compare(rows: &[RecountRow], ledgers: &[LedgerBounds], at: Wall) -> Found {
    let mut drifts: BTreeMap<TagRef, Drift> = BTreeMap::new();
    let mut total = Drift::default();
    for row in rows {
        let difference = row.counter.saturating_sub_unsigned(row.table);
        total.add(difference);
        for tag in tags_of(row) {
            drifts.entry(tag).or_default().add(difference);
        }
    }
    for ledger in ledgers {
        let difference = ledger.outside();
        total.add(difference);
        let tag = TagRef::Service(ledger.service);
        drifts.entry(tag).or_default().add(difference);
    }
    let recount = Recount {
        at,
        sessions: rows.iter().map(|row| row.table).sum(),
        drift: total.sum,
    };
    Found { recount, drifts }
}

/// The tags that a row counts for. Emergency calls hold no license of a feature; their counter is the service's.
fn tags_of(row: &RecountRow) -> impl Iterator<Item = TagRef> {
    let features = match row.class.kind {
        CallKind::Ordinary | CallKind::Priority => row.class.features,
        CallKind::Emergency => licensing::FeatureSet::EMPTY,
    };
    let service = TagRef::Service(row.class.service);
    std::iter::once(service).chain(features.iter().map(TagRef::Feature))
}

#[cfg(test)]
mod tests {
    use licensing::{FeatureIndex, FeatureSet, ServiceIndex};

    use super::*;
    use crate::class::Class;

    const SERVICE: ServiceIndex = ServiceIndex(2);
    const FEATURE: FeatureIndex = FeatureIndex(1);

    fn row(kind: CallKind, features: FeatureSet, table: u64, counter: i64) -> RecountRow {
        let class = Class {
            service: SERVICE,
            features,
            kind,
        };
        RecountRow {
            class,
            table,
            counter,
        }
    }

    fn pass(worker: u16, rows: Vec<RecountRow>) -> WorkerRecount {
        WorkerRecount { worker, rows }
    }

    fn bounds(ledger: u32, low: i64, high: i64) -> Vec<LedgerBounds> {
        vec![LedgerBounds {
            service: SERVICE,
            ledger,
            low,
            high,
        }]
    }

    fn drift_of(found: &Found) -> (i64, i64, u64) {
        let service = found.drift(TagRef::Service(SERVICE));
        let feature = found.drift(TagRef::Feature(FEATURE));
        (service, feature, found.recount.drift)
    }

    //= L14
    #[test]
    fn it_is_finished_when_every_worker_and_the_ledgers_were_counted() {
        let mut recounts = Recounts::new(2);
        let clean = || vec![row(CallKind::Ordinary, FeatureSet::EMPTY, 5, 5)];
        recounts.worker(pass(0, clean()), Wall(1));
        recounts.worker(pass(0, clean()), Wall(2));
        recounts.worker(pass(7, clean()), Wall(3));
        recounts.ledgers(bounds(10, 9, 11), Wall(4));
        assert!(recounts.found().is_none());
        recounts.worker(pass(1, clean()), Wall(5));
        let found = recounts.found().expect("all were counted");
        let expected = Recount {
            at: Wall(5),
            sessions: 10,
            drift: 0,
        };
        assert_eq!(found.recount, expected);
        recounts.worker(pass(0, clean()), Wall(6));
        let at = recounts.found().map(|found| found.recount.at);
        assert_eq!(at, Some(Wall(5)), "the next recount has only begun");
    }

    //= L14
    #[test]
    fn two_errors_never_hide_each_other() {
        let mut recounts = Recounts::new(1);
        let with = FeatureSet::EMPTY.with(FEATURE);
        let rows = vec![
            row(CallKind::Ordinary, with, 5, 7),
            row(CallKind::Priority, FeatureSet::EMPTY, 3, 1),
        ];
        recounts.worker(pass(0, rows), Wall(1));
        recounts.ledgers(bounds(8, 8, 8), Wall(1));
        let found = recounts.found().expect("all were counted");
        assert_eq!(drift_of(found), (0, 2, 4));
        let adrift: Vec<_> = recounts.adrift().collect();
        let (service, feature) = (TagRef::Service(SERVICE), TagRef::Feature(FEATURE));
        assert_eq!(adrift, [service, feature]);
        assert_eq!(found.differences(service), 4);
        assert_eq!(found.differences(feature), 2);
    }

    //= L14
    #[test]
    fn a_ledger_outside_of_its_bounds_is_a_drift() {
        for (ledger, drift) in [(7, -1), (8, 0), (10, 0), (13, 3)] {
            let mut recounts = Recounts::new(1);
            recounts.worker(pass(0, Vec::new()), Wall(1));
            recounts.ledgers(bounds(ledger, 8, 10), Wall(1));
            let found = recounts.found().expect("all were counted");
            let sum = i64::unsigned_abs(drift);
            assert_eq!(drift_of(found), (drift, 0, sum), "{ledger}");
        }
    }

    //= L8
    //= L14
    #[test]
    fn emergency_calls_count_for_no_feature() {
        let mut recounts = Recounts::new(1);
        let with = FeatureSet::EMPTY.with(FEATURE);
        let rows = vec![row(CallKind::Emergency, with, 1, 2)];
        recounts.worker(pass(0, rows), Wall(1));
        recounts.ledgers(Vec::new(), Wall(1));
        let found = recounts.found().expect("all were counted");
        assert_eq!(drift_of(found), (1, 0, 1));
    }
}
