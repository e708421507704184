//! Changes of terms: on return nothing decided under the old ones can take effect.

use std::sync::Arc;

use super::rig::{
    Ghost, Rig, S, blocked, ceiling, check, end, raise_peak, rig, sized, spawn, warm, without,
};
use enforcer::{ClassId, Terms, WorkerGate};

/// The change returns while a worker asks: whatever it then counts stays the count.
fn cut(rig: &Rig, mut worker: WorkerGate, class: ClassId, terms: Terms) {
    let gate = Arc::clone(&rig.gate);
    let other = spawn(move || {
        gate.set_terms(S, terms);
        gate.count(S)
    });
    let got = worker.admit(class).ok();
    let then = other.join().unwrap();
    assert_eq!(
        rig.gate.count_exact(S),
        then,
        "admitted after the change had returned"
    );
    assert!(
        worker.admit(class).is_err(),
        "admitted under terms that forbid it"
    );
    end(&mut worker, got);
    assert_eq!(rig.gate.count_exact(S), 0);
}

#[test]
fn shrink_is_linearizable() {
    check(|| {
        let rig = rig(1, ceiling(1));
        let mut worker = rig.worker();
        warm(&mut worker, rig.class, 1);
        cut(&rig, worker, rig.class, ceiling(0));
    });
}

#[test]
fn shrink_is_linearizable_tight() {
    check(|| {
        let rig = rig(1, ceiling(1));
        let worker = rig.worker();
        cut(&rig, worker, rig.class, ceiling(0));
    });
}

#[test]
fn feature_block_is_linearizable() {
    check(|| {
        let rig = rig(1, ceiling(1));
        let brings = rig.bringing(3);
        let mut worker = rig.worker();
        warm(&mut worker, brings, 1);
        cut(&rig, worker, brings, without(1 << 3, ceiling(1)));
    });
}

#[test]
fn feature_block_is_linearizable_tight() {
    check(|| {
        let rig = rig(1, ceiling(1));
        let brings = rig.bringing(3);
        let worker = rig.worker();
        cut(&rig, worker, brings, without(1 << 3, ceiling(1)));
    });
}

#[test]
fn service_block_is_linearizable() {
    check(|| {
        let rig = rig(1, Terms::default());
        let mut worker = rig.worker();
        warm(&mut worker, rig.class, 1);
        cut(&rig, worker, rig.class, blocked(Terms::default()));
    });
}

/// One session, then none; the ceiling goes from 2 to 1: never a reason to refuse.
#[test]
fn no_false_block_during_shrink() {
    check(|| {
        let rig = sized(2, 1, 256, ceiling(2));
        let class = rig.class;
        let (mut a, mut b) = (rig.worker(), rig.worker());
        let held = b.admit(class).unwrap();
        let gate = Arc::clone(&rig.gate);
        let other = spawn(move || {
            b.release(held);
            gate.set_terms(S, ceiling(1));
        });
        let got = a.admit(class).ok();
        other.join().unwrap();
        assert!(
            got.is_some(),
            "refused, though a place was free under each ceiling"
        );
        end(&mut a, got);
        assert_eq!(rig.gate.count_exact(S), 0);
    });
}

/// No session under ceiling 1, one under ceiling 2: neither is full.
#[test]
fn no_false_block_during_a_change() {
    check(|| {
        let rig = sized(2, 1, 256, ceiling(1));
        let class = rig.class;
        let (mut a, mut b) = (rig.worker(), rig.worker());
        let gate = Arc::clone(&rig.gate);
        let other = spawn(move || {
            gate.set_terms(S, ceiling(2));
            (b.admit(class).ok(), b)
        });
        let of_a = a.admit(class).ok();
        let (of_b, mut b) = other.join().unwrap();
        assert!(of_b.is_some(), "refused under the raised ceiling");
        assert!(
            of_a.is_some(),
            "refused by the old ceiling and the new count"
        );
        end(&mut a, of_a);
        end(&mut b, of_b);
        assert_eq!(rig.gate.count_exact(S), 0);
    });
}

/// Two sessions without a ceiling, then ceiling 1: nobody enters until both are gone.
#[test]
fn enforce_on_over_limit() {
    check(|| {
        let rig = sized(2, 1, 256, Terms::default());
        let class = rig.class;
        let (mut a, mut b) = (rig.worker(), rig.worker());
        let mut held: Vec<_> = (0..2).map(|_| a.admit(class).unwrap()).collect();
        let (live, in_force) = (Ghost::default(), Ghost::default());
        live.add(2);
        let (gate, over, seen) = (Arc::clone(&rig.gate), live.clone(), in_force.clone());
        let last = held.pop().unwrap();
        let other = spawn(move || {
            gate.set_terms(S, ceiling(1));
            seen.add(1);
            over.add(-1);
            b.release(last);
            b
        });
        let forced = in_force.value() == 1;
        let got = a.admit(class).ok();
        if forced {
            assert!(
                got.is_none() || live.value() < 1,
                "admitted above the ceiling in force"
            );
        }
        let mut b = other.join().unwrap();
        held.extend(got);
        assert!(b.admit(class).is_err(), "one session is the ceiling");
        end(&mut b, held);
        let again = a.admit(class).expect("empty");
        a.release(again);
        assert_eq!(rig.gate.count_exact(S), 0);
    });
}

#[test]
fn blocked_feature_on_open_cell() {
    check(|| {
        let rig = sized(1, 2, 0, without(1 << 3, ceiling(4)));
        let brings = rig.bringing(3);
        let mut worker = rig.worker();
        warm(&mut worker, rig.class, 3);
        assert!(
            worker.admit(brings).is_err(),
            "blocked, though there is credit"
        );
        let permits: Vec<_> = (0..4).map(|_| worker.admit(rig.class).unwrap()).collect();
        assert!(worker.admit(rig.class).is_err(), "above the ceiling");
        assert!(worker.admit(brings).is_err(), "blocked");
        end(&mut worker, permits);
        assert_eq!((rig.gate.count(S), rig.gate.count_exact(S)), (0, 0));
    });
}

/// The block moves from one feature to another: whoever has passed by the new terms doesn't pass by the old ones.
#[test]
fn two_classes_change_at_once() {
    check(|| {
        let rig = rig(1, without(1 << 3, ceiling(2)));
        let (opens, closes) = (rig.bringing(3), rig.bringing(4));
        let mut worker = rig.worker();
        warm(&mut worker, closes, 2);
        let gate = Arc::clone(&rig.gate);
        let change = spawn(move || gate.set_terms(S, without(1 << 4, ceiling(2))));
        let by_new = worker.admit(opens).ok();
        let by_old = worker.admit(closes).ok();
        assert!(
            by_new.is_none() || by_old.is_none(),
            "passed by the old terms after the new ones"
        );
        change.join().unwrap();
        end(&mut worker, by_new.into_iter().chain(by_old));
        assert_eq!(rig.gate.count_exact(S), 0);
    });
}

/// After a block another worker admits by another class and opens its cell: the cell of a worker that has still read the
/// old class word stays sealed.
#[test]
fn only_the_owner_reopens() {
    check(|| {
        let rig = rig(2, ceiling(4));
        let (class, brings) = (rig.class, rig.bringing(3));
        let (mut a, mut b) = (rig.worker(), rig.worker());
        raise_peak(&rig.gate, &mut a, class, 4);
        warm(&mut b, brings, 1);
        let gate = Arc::clone(&rig.gate);
        let other = spawn(move || {
            gate.set_terms(S, without(1 << 3, ceiling(4)));
            let permit = a.admit(class).unwrap();
            (gate.count(S), permit, a)
        });
        let got = b.admit(brings).ok();
        let (then, permit, mut a) = other.join().unwrap();
        assert_eq!(
            rig.gate.count(S),
            then,
            "admitted after the change had returned"
        );
        end(&mut a, [permit]);
        end(&mut b, got);
        assert_eq!(rig.gate.count_exact(S), 0);
    });
}

/// A class that is interned while terms change is bound by those that hold afterwards.
#[test]
fn interned_under_the_terms_in_force() {
    check(|| {
        let rig = rig(1, ceiling(1));
        let mut worker = rig.worker();
        let gate = Arc::clone(&rig.gate);
        let other = spawn(move || gate.set_terms(S, without(1 << 3, ceiling(1))));
        let brings = rig.bringing(3);
        other.join().unwrap();
        assert!(worker.admit(brings).is_err(), "the feature is blocked");
        let permit = worker.admit(rig.class).unwrap();
        worker.release(permit);
    });
}
