//! Single-threaded behaviour of the gate, one answer at a time.

use licensing::{FeatureIndex, FeatureSet, RefusalReason, ServiceIndex};

use super::worker::SLOW_ENTRIES;
use super::*;
use crate::class::CallKind;
use crate::lot::Lot;
use crate::terms::{Block, Eased, Shares};

const S: ServiceIndex = ServiceIndex(2);

fn class(kind: CallKind) -> Class {
    Class {
        service: S,
        features: FeatureSet::EMPTY.with(FeatureIndex(3)),
        kind,
    }
}

fn ceiling(sessions: u32) -> Terms {
    Terms {
        ceiling: Some(sessions),
        ..Terms::default()
    }
}

fn gate(terms: Terms) -> (Arc<Gate>, WorkerGate, ClassId) {
    let gate = Gate::new(GateConfig::new(7, 2)).unwrap();
    let ordinary = gate.intern(class(CallKind::Ordinary)).unwrap();
    gate.set_terms(S, terms);
    let worker = gate.worker().unwrap();
    (gate, worker, ordinary)
}

fn refused(answer: Result<Permit, Refusal>) -> Refusal {
    answer.expect_err("it should have been refused")
}

fn at_ceiling(ceiling: u32) -> Refusal {
    Refusal {
        reason: RefusalReason::AtCeiling,
        sessions: ceiling,
        ceiling: Some(ceiling),
    }
}

fn fill(worker: &mut WorkerGate, class: ClassId, calls: u32) -> Vec<Permit> {
    (0..calls).map(|_| worker.admit(class).unwrap()).collect()
}

fn empty(worker: &mut WorkerGate, permits: Vec<Permit>) {
    permits
        .into_iter()
        .for_each(|permit| worker.release(permit));
    assert_eq!(permits_dropped(), 0);
}

#[test]
fn the_ceiling_is_exact_and_a_release_lets_one_in() {
    let (gate, mut worker, class) = gate(ceiling(1000));
    for _ in 0..3 {
        let mut permits = fill(&mut worker, class, 1000);
        assert_eq!(refused(worker.admit(class)), at_ceiling(1000));
        worker.release(permits.pop().unwrap());
        permits.push(worker.admit(class).unwrap());
        assert_eq!(refused(worker.admit(class)), at_ceiling(1000));
        assert_eq!(
            (gate.count(S), gate.count_exact(S), gate.peak(S)),
            (1000, 1000, 1000)
        );
        empty(&mut worker, permits);
        assert_eq!(
            (gate.count(S), gate.count_exact(S), gate.peak(S)),
            (0, 0, 1000)
        );
    }
    let counters = ClassCounters {
        admitted: 3003,
        released: 3003,
        refused_ceiling: 6,
        ..ClassCounters::default()
    };
    assert_eq!(worker.counters(class), counters);
    assert_eq!(gate.class_counters(class), counters);
}

//= L9
#[test]
fn a_ceiling_cut_below_use_ends_nothing_and_stops_growth_until_use_is_below_it() {
    let (gate, mut worker, class) = gate(ceiling(100));
    let mut permits = fill(&mut worker, class, 100);
    gate.set_terms(S, ceiling(40));
    assert_eq!(gate.count(S), 100);
    for sessions in (40..=100).rev() {
        let refusal = refused(worker.admit(class));
        assert_eq!((refusal.sessions, refusal.ceiling), (sessions, Some(40)));
        worker.release(permits.pop().unwrap());
    }
    permits.push(worker.admit(class).unwrap());
    assert_eq!(refused(worker.admit(class)), at_ceiling(40));
    empty(&mut worker, permits);
    assert_eq!(gate.count_exact(S), 0);
}

//= L8
#[test]
fn emergency_calls_are_never_refused_and_hold_nothing() {
    let (gate, mut worker, class) = gate(Terms {
        ceiling: Some(0),
        block: Some(Block::Service),
        ..Terms::default()
    });
    let emergency = gate.intern(self::class(CallKind::Emergency)).unwrap();
    let permits = fill(&mut worker, emergency, 10);
    assert_eq!(
        refused(worker.admit(class)).reason,
        RefusalReason::ServiceBlocked
    );
    assert_eq!((gate.count_exact(S), gate.peak(S)), (0, 0));
    assert_eq!(gate.class_counters(emergency).live(), 10);
    empty(&mut worker, permits);
    assert_eq!(gate.class_counters(emergency).live(), 0);
}

#[test]
fn low_priority_calls_leave_the_last_of_a_ceiling_to_others() {
    let (gate, mut worker, class) = gate(ceiling(99));
    let low = |worker: &mut WorkerGate| worker.admit_low_priority(class, None, 5);
    let near = |sessions| Refusal {
        reason: RefusalReason::LowPriority,
        sessions,
        ceiling: Some(99),
    };
    let mut permits: Vec<_> = (0..94).map(|_| low(&mut worker).unwrap()).collect();
    assert_eq!(refused(low(&mut worker)), near(94), "of 99, 5 are kept");
    permits.extend(fill(&mut worker, class, 5));
    assert_eq!(refused(low(&mut worker)), near(99));
    assert_eq!(refused(worker.admit(class)), at_ceiling(99));
    let none_kept = worker.admit_low_priority(class, None, 0);
    assert_eq!(refused(none_kept), at_ceiling(99));
    let counters = gate.class_counters(class);
    assert_eq!((counters.refused_low, counters.refused_ceiling), (2, 2));
    let six: Vec<_> = permits.drain(..6).collect();
    empty(&mut worker, six);
    permits.push(low(&mut worker).unwrap());
    assert_eq!(refused(low(&mut worker)), near(94));
    empty(&mut worker, permits);
}

//= L8
#[test]
fn low_priority_counts_for_nothing_where_license_limits_do_not_bind_or_refuse_all() {
    let terms = Terms {
        priority_share: 1,
        ..ceiling(1)
    };
    let (gate, mut worker, class) = gate(terms);
    let priority = gate.intern(self::class(CallKind::Priority)).unwrap();
    let emergency = gate.intern(self::class(CallKind::Emergency)).unwrap();
    let permits = vec![
        worker.admit_low_priority(priority, None, 100).unwrap(),
        worker.admit_low_priority(priority, None, 100).unwrap(),
        worker.admit_low_priority(emergency, None, 100).unwrap(),
    ];
    let refusal = refused(worker.admit_low_priority(class, None, 100));
    assert_eq!(refusal.reason, RefusalReason::LowPriority);
    empty(&mut worker, permits);
    let blocked = Terms {
        block: Some(Block::Service),
        ..terms
    };
    gate.set_terms(S, blocked);
    let refusal = refused(worker.admit_low_priority(class, None, 100));
    assert_eq!(refusal.reason, RefusalReason::ServiceBlocked);
    gate.set_terms(S, Terms::default());
    let unbounded = worker.admit_low_priority(class, None, 100).unwrap();
    empty(&mut worker, vec![unbounded]);
}

//= L8
#[test]
fn priority_calls_go_over_ceiling_and_block_by_the_share() {
    let terms = Terms {
        priority_share: 5,
        ..ceiling(100)
    };
    let (gate, mut worker, ordinary) = gate(terms);
    let priority = gate.intern(class(CallKind::Priority)).unwrap();
    let mut permits = fill(&mut worker, ordinary, 100);
    assert_eq!(refused(worker.admit(ordinary)), at_ceiling(100));
    permits.extend(fill(&mut worker, priority, 3));
    gate.set_terms(
        S,
        Terms {
            block: Some(Block::Feature(FeatureIndex(3))),
            ..terms
        },
    );
    permits.extend(fill(&mut worker, priority, 2));
    let refusal = refused(worker.admit(priority));
    assert_eq!(
        (refusal.reason, refusal.sessions),
        (RefusalReason::AtCeiling, 105)
    );
    assert_eq!(gate.peak(S), 105);
    gate.set_terms(S, ceiling(100));
    worker.release(permits.pop().unwrap());
    assert_eq!(refused(worker.admit(priority)).sessions, 104);
    empty(&mut worker, permits);
    assert_eq!(gate.count_exact(S), 0);
}

//= L8
//= L12
#[test]
fn a_priority_call_passes_a_features_block_until_that_is_barred() {
    let blocked = Terms {
        priority_share: 5,
        blocked_features: FeatureSet(0b1100),
        ..Terms::default()
    };
    let (gate, mut worker, _) = gate(blocked);
    let priority = gate.intern(class(CallKind::Priority)).unwrap();
    let permit = worker.admit(priority).unwrap();
    let barred_features = FeatureSet(0b1000);
    gate.set_terms(
        S,
        Terms {
            barred_features,
            ..blocked
        },
    );
    let reason = RefusalReason::FeatureBlocked {
        feature: FeatureIndex(3),
    };
    assert_eq!(refused(worker.admit(priority)).reason, reason);
    gate.set_terms(
        S,
        Terms {
            barred_features: FeatureSet(0b0100),
            ..blocked
        },
    );
    let other = worker.admit(priority).unwrap();
    worker.release(permit);
    worker.release(other);
}

#[test]
fn a_blocked_feature_refuses_those_that_bring_it_and_says_which() {
    let (gate, mut worker, brings) = gate(Terms::default());
    let without = gate
        .intern(Class {
            features: FeatureSet::EMPTY,
            ..class(CallKind::Ordinary)
        })
        .unwrap();
    gate.set_terms(
        S,
        Terms {
            blocked_features: FeatureSet(0b1100),
            ..Terms::default()
        },
    );
    let reason = RefusalReason::FeatureBlocked {
        feature: FeatureIndex(3),
    };
    assert_eq!(
        refused(worker.admit(brings)),
        Refusal {
            reason,
            sessions: 0,
            ceiling: None
        }
    );
    let permit = worker.admit(without).unwrap();
    worker.release(permit);
    assert_eq!(worker.counters(brings).refused_feature, 1);
}

//= L13
#[test]
fn a_replacement_keeps_the_place_and_a_refused_one_hands_the_old_permit_back() {
    let (gate, mut worker, class) = gate(ceiling(1));
    let old = worker.admit(class).unwrap();
    let new = worker.replace(old, class).unwrap();
    assert_eq!(
        (gate.count_exact(S), worker.counters(class).admitted),
        (1, 2)
    );
    gate.set_terms(
        S,
        Terms {
            block: Some(Block::Service),
            ..ceiling(1)
        },
    );
    let (refusal, old) = worker.replace(new, class).unwrap_err();
    assert_eq!(
        (refusal.reason, refusal.sessions),
        (RefusalReason::ServiceBlocked, 1)
    );
    worker.release(old);
    assert_eq!(gate.count_exact(S), 0);
}

//= L7
#[test]
fn recovery_and_changes_are_never_refused_and_make_debt() {
    let (gate, mut worker, class) = gate(ceiling(2));
    let elsewhere = gate
        .intern(Class {
            service: ServiceIndex(0),
            ..self::class(CallKind::Ordinary)
        })
        .unwrap();
    gate.set_terms(ServiceIndex(0), ceiling(0));
    let mut permits: Vec<_> = (0..5).map(|_| worker.restore(class)).collect();
    assert_eq!((gate.count_exact(S), gate.peak(S)), (5, 5));
    let moved = worker.reclass(permits.pop().unwrap(), elsewhere);
    assert_eq!(
        (gate.count_exact(S), gate.count_exact(ServiceIndex(0))),
        (4, 1)
    );
    permits.push(worker.reclass(moved, class));
    for _ in 0..3 {
        assert_eq!(refused(worker.admit(class)).ceiling, Some(2));
        worker.release(permits.pop().unwrap());
    }
    assert!(worker.admit(class).is_err());
    empty(&mut worker, permits);
    assert_eq!(
        gate.sample().services[2],
        ServiceCount {
            sessions: 0,
            peak: 5
        }
    );
}

#[test]
fn any_thread_releases_and_a_leaving_worker_pours_its_cells() {
    let (gate, mut worker, class) = gate(ceiling(100));
    let permits = fill(&mut worker, class, 60);
    empty(&mut worker, permits);
    let permit = worker.admit(class).unwrap();
    drop(worker);
    assert_eq!(gate.count(S), 1);
    gate.release(permit);
    assert_eq!((gate.count(S), gate.class_counters(class).live()), (0, 0));
    let again = gate.worker().unwrap();
    assert_eq!((again.index(), again.counters(class).admitted), (0, 61));
}

/// What no caller can do with permits of one gate shows at once where assertions are on, and not as a ledger that wraps.
#[cfg(debug_assertions)]
#[test]
#[should_panic(expected = "1 back of 0 granted")]
fn a_permit_of_another_gate_is_a_bug_that_shows() {
    let (_here, mut worker, class) = gate(ceiling(1));
    let (elsewhere, ..) = gate(ceiling(1));
    elsewhere.release(worker.admit(class).unwrap());
}

#[test]
fn sizes_have_bounds() {
    assert_eq!(
        Gate::new(GateConfig::new(0, 1)).err(),
        Some(GateError::Services(0))
    );
    assert_eq!(
        Gate::new(GateConfig::new(65, 1)).err(),
        Some(GateError::Services(65))
    );
    assert_eq!(
        Gate::new(GateConfig::new(1, 258)).err(),
        Some(GateError::Workers(258))
    );
    let batch = GateConfig {
        batch: 65,
        ..GateConfig::new(1, 1)
    };
    assert_eq!(Gate::new(batch).err(), Some(GateError::Batch(65)));

    let gate = Gate::new(GateConfig::new(1, 1)).unwrap();
    let of = |features| Class {
        service: ServiceIndex(0),
        features: FeatureSet(features),
        kind: CallKind::Ordinary,
    };
    let ids: Vec<_> = (0..1024).map(|f| gate.intern(of(f)).unwrap()).collect();
    assert_eq!(gate.intern(of(1024)), Err(GateError::ClassesFull));
    assert_eq!(gate.intern(of(77)), Ok(ids[77]));
    assert_eq!(gate.class(ids[1023]), Some(of(1023)));
    let elsewhere = Class {
        service: ServiceIndex(1),
        ..of(0)
    };
    let unknown = GateError::UnknownService {
        service: 1,
        services: 1,
    };
    assert_eq!(gate.intern(elsewhere), Err(unknown));
    let worker = gate.worker().unwrap();
    assert_eq!(gate.worker().err(), Some(GateError::WorkersFull(1)));
    drop(worker);
    assert!(gate.worker().is_ok());
}

fn tried_out(percent: u8, terms: Terms) -> Terms {
    let by = Block::Service;
    Terms {
        eased: Some(Eased { by, percent }),
        ..terms
    }
}

//= L2
#[test]
fn a_block_that_is_observed_lets_every_call_through_and_counts_it() {
    let (gate, mut worker, class) = gate(tried_out(0, ceiling(1_000)));
    let mut permits = fill(&mut worker, class, 999);
    let replaced = permits.pop().unwrap();
    permits.push(worker.replace(replaced, class).unwrap());
    permits.push(worker.admit_low_priority(class, None, 0).unwrap());
    assert_eq!(
        refused(worker.admit(class)),
        at_ceiling(1_000),
        "the ceiling holds as ever"
    );
    let counters = gate.class_counters(class);
    assert_eq!((counters.admitted, counters.eased_service), (1_001, 1_001));
    assert_eq!((counters.eased_feature, counters.refused_service), (0, 0));
    gate.set_terms(S, ceiling(1_000));
    worker.release(permits.pop().unwrap());
    permits.push(worker.admit(class).unwrap());
    assert_eq!(
        gate.class_counters(class).eased_service,
        1_001,
        "nothing is tried out"
    );
    empty(&mut worker, permits);
    assert_eq!(gate.count_exact(S), 0);
}

//= L2
#[test]
fn a_ramp_refuses_its_share_always_the_same_and_that_of_nobody_known_by_turns() {
    let (gate, mut worker, class) = gate(tried_out(25, Terms::default()));
    let mut permits = Vec::new();
    for subscriber in 0..2_000 {
        let lot = Lot::of(subscriber);
        for _ in 0..2 {
            let answer = worker.admit_of(class, Some(lot));
            assert_eq!(answer.is_err(), lot.is_among(25), "{subscriber}");
            match answer {
                Ok(permit) => permits.push(permit),
                Err(refusal) => assert_eq!(refusal.reason, RefusalReason::ServiceBlocked),
            }
        }
    }
    let lots = (0..2_000).filter(|subscriber| Lot::of(*subscriber).is_among(25));
    let refusals = 2 * lots.count() as u64;
    let counters = gate.class_counters(class);
    assert_eq!(counters.refused_service, refusals);
    assert_eq!(counters.eased_service, 4_000 - refusals);
    let answers: Vec<_> = (0..200).map(|_| worker.admit(class)).collect();
    let (let_in, kept_out): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
    assert_eq!((let_in.len(), kept_out.len()), (150, 50));
    permits.extend(let_in.into_iter().flatten());
    empty(&mut worker, permits);
}

//= L2
#[test]
fn of_blocks_that_are_tried_out_the_hardest_holds_and_a_real_one_before_all() {
    let feature = FeatureIndex(3);
    let brought = Terms {
        eased_features: Shares::EMPTY.with(feature, 100),
        ..tried_out(0, Terms::default())
    };
    let by_feature = RefusalReason::FeatureBlocked { feature };
    let (gate, mut worker, ordinary) = gate(brought);
    assert_eq!(refused(worker.admit(ordinary)).reason, by_feature);
    let plain = Class {
        features: FeatureSet::EMPTY,
        ..class(CallKind::Ordinary)
    };
    let plain = gate.intern(plain).unwrap();
    let mut permits = fill(&mut worker, plain, 1);
    let none = Terms {
        eased_features: Shares::EMPTY.with(feature, 0),
        eased: None,
        ..brought
    };
    gate.set_terms(S, none);
    permits.extend(fill(&mut worker, ordinary, 2));
    let counters = gate.class_counters(ordinary);
    assert_eq!((counters.eased_service, counters.eased_feature), (0, 2));
    let really = Terms {
        block: Some(Block::Service),
        ceiling: Some(10),
        ..none
    };
    gate.set_terms(S, really);
    for class in [ordinary, plain] {
        let reason = refused(worker.admit(class)).reason;
        assert_eq!(reason, RefusalReason::ServiceBlocked);
    }
    empty(&mut worker, permits);
}

//= L2
#[test]
fn the_share_of_one_feature_is_not_that_of_another() {
    let (observed, blocked) = (FeatureIndex(3), FeatureIndex(4));
    let terms = Terms {
        eased_features: Shares::EMPTY.with(observed, 0).with(blocked, 99),
        ..Terms::default()
    };
    let (gate, mut worker, _) = gate(terms);
    let bringing = |features: FeatureSet| {
        let class = Class {
            features,
            ..class(CallKind::Ordinary)
        };
        gate.intern(class).unwrap()
    };
    let one = bringing(FeatureSet::EMPTY.with(observed));
    let both = bringing(FeatureSet::EMPTY.with(observed).with(blocked));
    let permits = fill(&mut worker, one, 100);
    assert_eq!(gate.class_counters(one).eased_feature, 100);
    let let_in: Vec<_> = (0..100).filter_map(|_| worker.admit(both).ok()).collect();
    assert_eq!(let_in.len(), 1, "of both the harder holds");
    empty(&mut worker, permits);
    empty(&mut worker, let_in);
}

/// A change of terms costs each worker one call off the fast path, in either form, wherever it is met.
#[test]
fn a_change_of_terms_takes_each_worker_off_the_fast_path_once() {
    for form in [Form::Atomic, Form::Asymmetric(|| true)] {
        let config = GateConfig {
            form,
            ..GateConfig::new(7, 2)
        };
        let gate = Gate::new(config).unwrap();
        let ordinary = gate.intern(class(CallKind::Ordinary)).unwrap();
        gate.set_terms(S, ceiling(10_000));
        let mut worker = gate.worker().unwrap();
        // A record, below which credit is handed out.
        let permits = fill(&mut worker, ordinary, 5_000);
        empty(&mut worker, permits);
        for change in 0..100 {
            gate.set_terms(S, ceiling(10_000 + change % 2));
            SLOW_ENTRIES.set(0);
            for _ in 0..50 {
                let permit = worker.admit(ordinary).unwrap();
                worker.release(permit);
            }
            assert_eq!(SLOW_ENTRIES.get(), 1, "{form:?}, change {change}");
        }
    }
}
