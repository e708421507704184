//! The bound: never above the ceiling, never refused below it.

use super::rig::{Ghost, Rig, S, ceiling, check, end, raise_peak, rig, sized, spawn, warm};
use enforcer::{ClassId, WorkerGate, permits_dropped};

/// Two workers ask once each for the only place: one gets it.
fn one_place_for_two(rig: &Rig, mut a: WorkerGate, mut b: WorkerGate) {
    let class = rig.class;
    let other = spawn(move || (b.admit(class).ok(), b));
    let of_a = a.admit(class).ok();
    let (of_b, mut b) = other.join().unwrap();
    let got = usize::from(of_a.is_some()) + usize::from(of_b.is_some());
    assert_eq!(got, 1, "one place, {got} permits");
    assert_eq!(rig.gate.count_exact(S), 1);
    assert_eq!(end(&mut a, of_a) + end(&mut b, of_b), 1);
    assert_eq!((rig.gate.count_exact(S), rig.gate.peak(S)), (0, 1));
    assert_eq!(permits_dropped(), 0);
}

#[test]
fn bound_1_cold() {
    check(|| {
        let rig = sized(2, 1, 256, ceiling(1));
        let (a, b) = (rig.worker(), rig.worker());
        one_place_for_two(&rig, a, b);
    });
}

#[test]
fn bound_1_warm_calm0() {
    check(|| {
        let rig = rig(2, ceiling(1));
        let (mut a, b) = (rig.worker(), rig.worker());
        warm(&mut a, rig.class, 1);
        one_place_for_two(&rig, a, b);
    });
}

#[test]
fn bound_1_pool() {
    check(|| {
        let rig = sized(2, 2, 0, ceiling(1));
        let (mut a, b) = (rig.worker(), rig.worker());
        let permit = a.admit(rig.class).unwrap();
        rig.gate.release(permit);
        one_place_for_two(&rig, a, b);
    });
}

/// Each worker admits and releases once; together never above the ceiling.
fn churn(rig: &Rig, mut a: WorkerGate, mut b: WorkerGate, limit: i64) {
    let class = rig.class;
    let live = Ghost::default();
    let turn = move |worker: &mut WorkerGate, live: &Ghost, class: ClassId| {
        let Ok(permit) = worker.admit(class) else {
            return false;
        };
        assert!(live.add(1) <= limit, "above the ceiling");
        live.add(-1);
        worker.release(permit);
        true
    };
    let of_b = live.clone();
    let other = spawn(move || (turn(&mut b, &of_b, class), b));
    let got_a = turn(&mut a, &live, class);
    let (got_b, _b) = other.join().unwrap();
    assert!(got_a || got_b, "both refused, the place was free");
    assert!(limit < 2 || got_a && got_b, "refused below the ceiling");
    assert_eq!(rig.gate.count_exact(S), 0);
}

#[test]
fn bound_1_peak() {
    check(|| {
        let rig = sized(2, 1, 1, ceiling(1));
        let (mut a, b) = (rig.worker(), rig.worker());
        raise_peak(&rig.gate, &mut a, rig.class, 2);
        churn(&rig, a, b, 1);
    });
}

#[test]
fn no_false_block_calm256() {
    check(|| {
        let rig = sized(2, 1, 256, ceiling(2));
        let (a, b) = (rig.worker(), rig.worker());
        churn(&rig, a, b, 2);
    });
}

#[test]
fn no_false_block_calm0() {
    check(|| {
        let rig = rig(2, ceiling(2));
        let (mut a, b) = (rig.worker(), rig.worker());
        warm(&mut a, rig.class, 2);
        churn(&rig, a, b, 2);
    });
}

#[test]
fn no_false_block_peak() {
    check(|| {
        let rig = rig(2, ceiling(2));
        let (mut a, b) = (rig.worker(), rig.worker());
        warm(&mut a, rig.class, 1);
        churn(&rig, a, b, 2);
    });
}

/// One worker's releases overflow its cell while the other, finding the pool empty, takes all credit home.
#[test]
fn flush_vs_recall() {
    check(|| {
        let rig = rig(2, ceiling(3));
        let class = rig.class;
        let (mut a, mut b) = (rig.worker(), rig.worker());
        let mut held: Vec<_> = (0..3).map(|_| a.admit(class).unwrap()).collect();
        let last = held.pop().unwrap();
        end(&mut a, held);
        let other = spawn(move || (b.admit(class).ok(), b));
        a.release(last);
        let (of_b, mut b) = other.join().unwrap();
        assert!(of_b.is_some(), "two places were free");
        let mut all: Vec<_> = of_b.into_iter().collect();
        all.extend((0..2).map(|_| a.admit(class).expect("a place was free")));
        assert!(
            a.admit(class).is_err() && b.admit(class).is_err(),
            "above the ceiling"
        );
        end(&mut b, all);
        assert_eq!(rig.gate.count_exact(S), 0);
    });
}

/// Two that churn at a full service: the passage from tight to open and back.
#[test]
fn full_churn() {
    check(|| {
        let rig = rig(2, ceiling(2));
        let class = rig.class;
        let (mut a, mut b) = (rig.worker(), rig.worker());
        let (of_a, of_b) = (a.admit(class).unwrap(), b.admit(class).unwrap());
        let other = spawn(move || {
            b.release(of_b);
            (b.admit(class).ok(), b)
        });
        a.release(of_a);
        let of_a = a.admit(class).ok();
        let (of_b, mut b) = other.join().unwrap();
        assert!(
            of_a.is_some() && of_b.is_some(),
            "each had freed its own place"
        );
        assert!(a.admit(class).is_err(), "above the ceiling");
        end(&mut a, of_a);
        end(&mut b, of_b);
        assert_eq!(rig.gate.count_exact(S), 0);
    });
}

#[test]
fn retire_returns_credit() {
    check(|| {
        let rig = rig(2, ceiling(1));
        let class = rig.class;
        let (mut a, mut b) = (rig.worker(), rig.worker());
        warm(&mut a, class, 1);
        let other = spawn(move || drop(a));
        let of_b = b.admit(class).ok();
        other.join().unwrap();
        assert!(of_b.is_some(), "the place was free all the time");
        end(&mut b, of_b);
        assert_eq!((rig.gate.count(S), rig.gate.count_exact(S)), (0, 0));
        drop(b);
        assert_eq!(rig.gate.count(S), 0);
    });
}

/// One thread, every kind of movement: refill, surplus, recall, a release into a sealed cell.
#[test]
fn sequential_accounting() {
    check(|| {
        let rig = sized(2, 2, 0, ceiling(12));
        let class = rig.class;
        let (mut a, mut b) = (rig.worker(), rig.worker());
        for round in 0..3 {
            let mut permits: Vec<_> = (0..12).map(|_| a.admit(class).unwrap()).collect();
            assert!(
                a.admit(class).is_err() && b.admit(class).is_err(),
                "above the ceiling"
            );
            assert_eq!(rig.gate.count(S), 12);
            end(&mut b, permits.split_off(9));
            assert_eq!(rig.gate.count(S), 9);
            permits.push(b.admit(class).unwrap());
            end(&mut a, permits.split_off(1));
            assert_eq!(rig.gate.count(S), 1);
            permits.extend((0..5).map(|_| b.admit(class).unwrap()));
            assert_eq!(rig.gate.count(S), 6);
            end(&mut b, permits);
            assert_eq!((rig.gate.count(S), rig.gate.peak(S)), (0, 12));
            if round == 1 {
                assert_eq!(rig.gate.count_exact(S), 0);
            }
        }
    });
}
