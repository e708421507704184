//! Compares the ledgers with the classes' counters while calls come and go (rule L14).

use enforcer::{CallKind, Counts, Gate, LedgerBounds};
use licensing::ServiceIndex;

/// Most readings of one check.
const READINGS_MAX: usize = 16;

/// Most ticks over which a check goes on.
const TICKS_MAX: u32 = 10;

/// A check that is under way: a ledger outside its bounds is read again at the next tick, because a worker that the
/// machine holds up just then looks the same for as long as that lasts.
#[derive(Debug, Default)]
pub(crate) struct Check {
    /// None: no check is under way.
    ticks_left: Option<u32>,
}

impl Check {
    pub(super) fn begin(&mut self) {
        self.ticks_left = Some(TICKS_MAX);
    }

    pub(super) fn is_under_way(&self) -> bool {
        self.ticks_left.is_some()
    }

    /// Takes a reading: what the check found, once it is over.
    pub(super) fn take(&mut self, bounds: Vec<LedgerBounds>) -> Option<Vec<LedgerBounds>> {
        let settled = bounds.iter().all(|bounds| bounds.outside() == 0);
        let left = self.ticks_left.filter(|left| !settled && *left > 0);
        self.ticks_left = left.map(|left| left - 1);
        left.is_none().then_some(bounds)
    }
}

/// Reads the counters, the ledgers, and the counters again: a true ledger lies between what the two readings allow.
///
/// A worker that was stopped between its token and its counter shows for as long as it stands still, so a ledger outside
/// its bounds is read again, and the workers are let run in between; a real error stays.
pub(super) fn check(gate: &Gate) -> Vec<LedgerBounds> {
    let mut bounds = read(gate);
    for _ in 1..READINGS_MAX {
        if bounds.iter().all(|bounds| bounds.outside() == 0) {
            break;
        }
        std::thread::yield_now();
        bounds = read(gate);
    }
    bounds
}

fn read(gate: &Gate) -> Vec<LedgerBounds> {
    let before = gate.sample();
    let services = (0..).map(ServiceIndex).take(before.services.len());
    let ledgers: Vec<_> = services.map(|s| (s, gate.count_exact(s))).collect();
    let after = gate.sample();
    let bounds = ledgers.into_iter().map(|(service, ledger)| LedgerBounds {
        service,
        ledger,
        low: sum(&before, service, |c| c.admitted) - sum(&after, service, |c| c.released),
        high: sum(&after, service, |c| c.admitted) - sum(&before, service, |c| c.released),
    });
    bounds.collect()
}

/// A sum over the classes of a service that hold permits in its ledger: all but emergency.
fn sum(
    counts: &Counts,
    service: ServiceIndex,
    of: impl Fn(&enforcer::ClassCounters) -> u64,
) -> i64 {
    let classes = counts
        .classes
        .iter()
        .filter(|count| count.class.service == service && count.class.kind != CallKind::Emergency);
    classes.map(|count| of(&count.counters).cast_signed()).sum()
}

#[cfg(test)]
mod tests {
    use enforcer::{Class, GateConfig, Terms};
    use licensing::FeatureSet;

    use super::*;

    //= L14
    #[test]
    fn only_what_stays_outside_its_bounds_is_found() {
        let bounds = |ledger| {
            vec![LedgerBounds {
                service: ServiceIndex(0),
                ledger,
                low: 4,
                high: 4,
            }]
        };
        let mut check = Check::default();
        assert!(!check.is_under_way());
        check.begin();
        assert_eq!(check.take(bounds(5)), None, "a worker is held up");
        assert!(check.is_under_way());
        assert_eq!(check.take(bounds(4)), Some(bounds(4)));
        assert!(!check.is_under_way());
        check.begin();
        for _ in 0..TICKS_MAX {
            assert_eq!(check.take(bounds(5)), None);
        }
        assert_eq!(check.take(bounds(5)), Some(bounds(5)), "a real error");
        assert!(!check.is_under_way());
    }

    //= L14
    #[test]
    fn a_quiet_ledger_is_bounded_on_both_sides() {
        let gate = Gate::new(GateConfig::new(2, 1)).unwrap();
        let class = |kind| Class {
            service: ServiceIndex(1),
            features: FeatureSet::EMPTY,
            kind,
        };
        let ordinary = gate.intern(class(CallKind::Ordinary)).unwrap();
        let emergency = gate.intern(class(CallKind::Emergency)).unwrap();
        gate.set_terms(ServiceIndex(1), Terms::default());
        let mut worker = gate.worker().unwrap();
        let mut permits: Vec<_> = (0..5).map(|_| worker.admit(ordinary).unwrap()).collect();
        permits.push(worker.admit(emergency).unwrap());
        worker.release(permits.remove(0));
        let bounds = check(&gate);
        assert_eq!(
            bounds[1],
            LedgerBounds {
                service: ServiceIndex(1),
                ledger: 4,
                low: 4,
                high: 4
            }
        );
        assert_eq!(bounds[0].ledger, 0);
        permits
            .into_iter()
            .for_each(|permit| worker.release(permit));
    }
}
