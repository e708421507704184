//! The asymmetric form: windows of owners against whoever seals, and what holds while a cell can't be collected.

use std::sync::Arc;

use licensing::RefusalReason;

use super::rig::{Ghost, S, ceiling, check_as, end, heavy_fence, rig, spawn, warm};
use enforcer::{Change, Form};

const PATIENT: u32 = u32::MAX;

/// An owner's window and a recall meet over one credit: it is in one place, and never in two.
#[test]
fn two_windows_or_none() {
    check_as(Form::Asymmetric(heavy_fence), PATIENT, || {
        let rig = rig(2, ceiling(1));
        let class = rig.class;
        let (mut a, mut b) = (rig.worker(), rig.worker());
        warm(&mut a, class, 1);
        let other = spawn(move || (b.admit(class).ok(), b));
        let of_a = a.admit(class).ok();
        let (of_b, mut b) = other.join().unwrap();
        let got = usize::from(of_a.is_some()) + usize::from(of_b.is_some());
        assert_eq!(got, 1, "one place, {got} permits");
        assert_eq!(rig.gate.count_exact(S), 1);
        assert_eq!(end(&mut a, of_a) + end(&mut b, of_b), 1);
        assert_eq!(rig.gate.count_exact(S), 0);
    });
}

/// A release inside its window against a seal: the token is in the cell or on its way home, and never in both.
#[test]
fn a_window_shows_what_it_stored() {
    check_as(Form::Asymmetric(heavy_fence), PATIENT, || {
        let rig = rig(1, ceiling(2));
        let class = rig.class;
        let mut worker = rig.worker();
        warm(&mut worker, class, 1);
        let permit = worker.admit(class).unwrap();
        let gate = Arc::clone(&rig.gate);
        let other = spawn(move || gate.count_exact(S));
        worker.release(permit);
        assert!(other.join().unwrap() <= 1, "counted twice");
        assert_eq!(rig.gate.count_exact(S), 0, "a token is lost");
    });
}

/// Whoever doesn't wait refuses for want of knowledge, not for the ceiling, and nobody enters above it. The change that was
/// pending is done once the worker has come by.
#[test]
fn unsettled_is_not_the_ceiling() {
    check_as(Form::Asymmetric(heavy_fence), 0, || {
        let rig = rig(2, ceiling(1));
        let class = rig.class;
        let (mut a, mut b) = (rig.worker(), rig.worker());
        warm(&mut a, class, 1);
        let live = Ghost::default();
        let theirs = live.clone();
        let other = spawn(move || {
            let answer = b.admit(class);
            if answer.is_ok() {
                assert!(theirs.add(1) <= 1, "above the ceiling");
                theirs.add(-1);
            }
            (answer, b)
        });
        let mine = a.admit(class);
        if mine.is_ok() {
            assert!(live.add(1) <= 1, "above the ceiling");
            live.add(-1);
        }
        let mine = mine.map(|permit| a.release(permit));
        let (theirs, mut b) = other.join().unwrap();
        let at_ceiling = |reason| reason == RefusalReason::AtCeiling;
        if let (Err(mine), Err(theirs)) = (&mine, &theirs) {
            let both = at_ceiling(mine.reason) && at_ceiling(theirs.reason);
            assert!(!both, "both refused, the place was free");
        }
        if let (Ok(()), Err(refusal)) = (&mine, &theirs) {
            let known = [RefusalReason::AtCeiling, RefusalReason::Unsettled];
            assert!(known.contains(&refusal.reason));
        }
        end(&mut b, theirs.ok());
        assert_eq!(rig.gate.count_exact(S), 0);
        let permit = a.admit(class).expect("settled, and empty");
        assert!(b.admit(class).is_err(), "above the ceiling");
        a.release(permit);
    });
}

/// Two places, one asked for by a worker that has the credit for both: whoever else asks meets no ceiling.
#[test]
fn credit_that_is_left_is_no_session() {
    check_as(Form::Asymmetric(heavy_fence), 0, || {
        let rig = rig(2, ceiling(2));
        let class = rig.class;
        let (mut a, mut b) = (rig.worker(), rig.worker());
        warm(&mut a, class, 2);
        let other = spawn(move || (b.admit(class), b));
        let of_a = a.admit(class).expect("its own credit, or a place");
        let (of_b, mut b) = other.join().unwrap();
        if let Err(refusal) = &of_b {
            assert_eq!(
                refusal.reason,
                RefusalReason::Unsettled,
                "one session of two"
            );
        }
        end(&mut b, of_b.ok());
        a.release(of_a);
        assert_eq!(rig.gate.count_exact(S), 0);
    });
}

/// A session is restored while a worker stands still with credit: what becomes of the credit says what the record is.
#[test]
fn credit_that_is_left_is_no_record() {
    check_as(Form::Asymmetric(heavy_fence), 0, || {
        let rig = rig(2, ceiling(2));
        let class = rig.class;
        let (mut a, mut b) = (rig.worker(), rig.worker());
        warm(&mut a, class, 2);
        let other = spawn(move || (b.restore(class), b));
        let of_a = a.admit(class).ok();
        let (of_b, mut b) = other.join().unwrap();
        assert_eq!(rig.gate.count_exact(S), 1 + u32::from(of_a.is_some()));
        assert_eq!(rig.gate.peak(S), 2, "two at once, whatever they were");
        let third = b.restore(class);
        assert_eq!(rig.gate.count_exact(S), 2 + u32::from(of_a.is_some()));
        assert_eq!(rig.gate.peak(S), 2 + u32::from(of_a.is_some()));
        b.release(third);
        b.release(of_b);
        end(&mut a, of_a);
        assert_eq!(rig.gate.count_exact(S), 0);
    });
}

/// The same, and the worker leaves: what it brings home was no session either.
#[test]
fn credit_of_a_worker_that_leaves_is_no_record() {
    check_as(Form::Asymmetric(heavy_fence), 0, || {
        let rig = rig(2, ceiling(2));
        let class = rig.class;
        let (mut a, mut b) = (rig.worker(), rig.worker());
        warm(&mut a, class, 2);
        let other = spawn(move || (b.restore(class), b));
        let of_a = a.admit(class).ok();
        let got = u32::from(of_a.is_some());
        drop(a);
        let (of_b, mut b) = other.join().unwrap();
        assert_eq!(rig.gate.count_exact(S), 1 + got);
        assert_eq!(rig.gate.peak(S), 2, "two at once, whatever they were");
        b.release(of_b);
        end(&mut b, of_a);
        assert_eq!(rig.gate.count_exact(S), 0);
    });
}

/// A ceiling is cut while a worker is inside its window: done means done, pending becomes so.
#[test]
fn done_means_done() {
    check_as(Form::Asymmetric(heavy_fence), 0, || {
        let rig = rig(1, ceiling(1));
        let class = rig.class;
        let mut worker = rig.worker();
        warm(&mut worker, class, 1);
        let gate = Arc::clone(&rig.gate);
        let other = spawn(move || {
            let change = gate.set_terms(S, ceiling(0));
            (change, gate.count(S))
        });
        let got = worker.admit(class).ok();
        let (change, then) = other.join().unwrap();
        if change == Change::Done {
            assert_eq!(rig.gate.count_exact(S), then, "admitted after it was done");
        }
        assert_eq!(rig.gate.set_terms(S, ceiling(0)), Change::Done);
        assert!(worker.admit(class).is_err(), "above the ceiling");
        end(&mut worker, got);
        assert_eq!(rig.gate.count_exact(S), 0);
    });
}

/// Without the heavy fence no cell is collected but by its owner: nobody is above the ceiling, and nothing is lost.
#[test]
fn a_failed_fence_reclaims_nothing() {
    check_as(Form::Asymmetric(|| false), PATIENT, || {
        let rig = rig(2, ceiling(1));
        let class = rig.class;
        let (mut a, mut b) = (rig.worker(), rig.worker());
        warm(&mut a, class, 1);
        let other = spawn(move || (b.admit(class), b));
        let of_a = a.admit(class).ok();
        let (of_b, mut b) = other.join().unwrap();
        assert_eq!(
            of_b.as_ref().map_err(|refusal| refusal.reason).err(),
            Some(RefusalReason::Unsettled),
            "its owner's credit was taken"
        );
        end(&mut b, of_b.ok());
        end(&mut a, of_a);
        let again = a.admit(class).expect("its owner brings the credit home");
        assert_eq!(rig.gate.count(S), 1);
        a.release(again);
        assert_eq!(rig.gate.count_exact(S), 0);
    });
}
