//! A permit that is dropped instead of released. Alone in its process: every other test asserts that there is none.
#![forbid(unsafe_code)]

use enforcer::{CallKind, Class, Gate, GateConfig, permits_dropped};
use licensing::{FeatureSet, ServiceIndex};

#[test]
fn a_dropped_permit_is_counted_and_its_session_stays() {
    let gate = Gate::new(GateConfig::new(1, 1)).unwrap();
    let service = ServiceIndex(0);
    let class = gate
        .intern(Class {
            service,
            features: FeatureSet::EMPTY,
            kind: CallKind::Ordinary,
        })
        .unwrap();
    let mut worker = gate.worker().unwrap();
    let kept = worker.admit(class).unwrap();
    assert_eq!(permits_dropped(), 0);
    drop(worker.admit(class));
    assert_eq!(permits_dropped(), 1);
    worker.release(kept);
    assert_eq!((permits_dropped(), gate.count_exact(service)), (1, 1));
}
