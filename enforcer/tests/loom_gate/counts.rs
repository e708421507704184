//! What is read: exact peak, counts that it shows.

use std::sync::Arc;

use super::rig::{Ghost, S, ceiling, check, end, rig, shared, spawn, warm};
use enforcer::{CallKind, ClassId, Terms, WorkerGate};

/// Two workers admit and release; the peak lies between what was surely there at once and what may have been.
#[test]
fn peak_exact() {
    check(|| {
        let rig = rig(2, Terms::default());
        let class = rig.class;
        let (mut a, mut b) = (rig.worker(), rig.worker());
        warm(&mut a, class, 1);
        let ghosts: [Ghost; 4] = Default::default();
        let turn =
            |worker: &mut WorkerGate, [low, lows, high, highs]: &[Ghost; 4], class: ClassId| {
                highs.raise(high.add(1));
                let permit = worker.admit(class).unwrap();
                lows.raise(low.add(1));
                low.add(-1);
                worker.release(permit);
                high.add(-1);
            };
        let of_b = ghosts.clone();
        let other = spawn(move || {
            turn(&mut b, &of_b, class);
            b
        });
        turn(&mut a, &ghosts, class);
        let _b = other.join().unwrap();
        let [_, lows, _, highs] = &ghosts;
        let peak = i64::from(rig.gate.peak(S));
        assert!(
            lows.value() <= peak,
            "{} at once, peak {peak}",
            lows.value()
        );
        assert!(
            peak <= highs.value().max(1),
            "peak {peak}, at most {}",
            highs.value()
        );
        assert_eq!(rig.gate.count_exact(S), 0);
    });
}

/// One worker alone sets record after record.
#[test]
fn peak_of_one_worker() {
    check(|| {
        let rig = rig(1, Terms::default());
        let mut worker = rig.worker();
        for sessions in 1..=4 {
            warm(&mut worker, rig.class, sessions);
            assert_eq!(rig.gate.peak(S), sessions as u32);
        }
    });
}

#[test]
fn peak_counts_what_is_above_the_limit() {
    check(|| {
        let rig = rig(2, shared(1, ceiling(1)));
        let (ordinary, priority) = (rig.class, rig.kind(CallKind::Priority));
        let (mut a, mut b) = (rig.worker(), rig.worker());
        let held = a.admit(ordinary).unwrap();
        let other = spawn(move || (b.restore(ordinary), b));
        let got = a.admit(priority).ok();
        let (restored, mut b) = other.join().unwrap();
        let all = 2 + u32::from(got.is_some());
        assert_eq!(rig.gate.peak(S), all);
        end(&mut a, got);
        end(&mut b, [held, restored]);
        assert_eq!((rig.gate.count_exact(S), rig.gate.peak(S)), (0, all));
    });
}

/// Whoever has counted so many sessions finds them in the peak.
#[test]
fn a_count_proves_the_peak() {
    check(|| {
        let rig = rig(1, ceiling(1));
        let class = rig.class;
        let mut worker = rig.worker();
        let other = spawn(move || (worker.admit(class).ok(), worker));
        let seen = rig.gate.count(S);
        assert!(rig.gate.peak(S) >= seen, "counted {seen}");
        let (got, mut worker) = other.join().unwrap();
        end(&mut worker, got);
    });
}

/// Whoever is refused at the ceiling finds it in the peak.
#[test]
fn a_refusal_proves_the_peak() {
    check(|| {
        let rig = rig(2, ceiling(1));
        let class = rig.class;
        let (mut a, mut b) = (rig.worker(), rig.worker());
        let other = spawn(move || (b.admit(class).ok(), b));
        let answer = a.admit(class);
        if let Err(refusal) = &answer {
            assert_eq!((refusal.sessions, rig.gate.peak(S)), (1, 1));
        }
        let (got, mut b) = other.join().unwrap();
        end(&mut a, answer.ok());
        end(&mut b, got);
        assert_eq!(rig.gate.count_exact(S), 0);
    });
}

/// A sweep meets an admission and a release in flight: the count is that of one instant.
#[test]
fn an_exact_count_is_of_one_instant() {
    check(|| {
        let rig = rig(2, ceiling(2));
        let class = rig.class;
        let (mut a, mut b) = (rig.worker(), rig.worker());
        warm(&mut a, class, 1);
        let held = b.admit(class).unwrap();
        let gate = Arc::clone(&rig.gate);
        let other = spawn(move || gate.count_exact(S));
        let got = a.admit(class).unwrap();
        b.release(held);
        let seen = other.join().unwrap();
        assert!((1..=2).contains(&seen), "counted {seen}");
        assert_eq!(rig.gate.count(S), 1);
        a.release(got);
        assert_eq!((rig.gate.count(S), rig.gate.count_exact(S)), (0, 0));
    });
}
