//! Priority and emergency calls, and debt.

use super::rig::{
    Ghost, S, blocked, ceiling, check, end, raise_peak, rig, shared, spawn, warm, without,
};
use enforcer::CallKind;

/// One place and a share of one; an ordinary call and two priority calls ask.
#[test]
fn priority_goes_over_by_its_share() {
    check(|| {
        let rig = rig(2, shared(1, ceiling(1)));
        let (ordinary, priority) = (rig.class, rig.kind(CallKind::Priority));
        let (mut a, mut b) = (rig.worker(), rig.worker());
        warm(&mut a, ordinary, 1);
        let other = spawn(move || {
            let got = [b.admit(priority).ok(), b.admit(priority).ok()];
            (got, b)
        });
        let of_a = a.admit(ordinary).ok();
        let (of_b, mut b) = other.join().unwrap();
        let over = of_b.iter().flatten().count();
        assert_eq!(
            over + usize::from(of_a.is_some()),
            2,
            "the ceiling and the share"
        );
        assert!(b.admit(priority).is_err(), "above ceiling and share");
        assert!(b.admit(ordinary).is_err(), "above the ceiling");
        assert_eq!(rig.gate.count_exact(S), 2);
        end(&mut a, of_a);
        end(&mut b, of_b.into_iter().flatten());
        assert_eq!((rig.gate.count_exact(S), rig.gate.peak(S)), (0, 2));
    });
}

/// A blocked service: priority calls pass up to base and share, and not at all without a share.
#[test]
fn priority_passes_a_block() {
    check(|| {
        let rig = rig(2, shared(1, ceiling(1)));
        let (ordinary, priority) = (rig.class, rig.kind(CallKind::Priority));
        let (mut a, mut b) = (rig.worker(), rig.worker());
        warm(&mut a, ordinary, 1);
        rig.gate.set_terms(S, blocked(shared(1, ceiling(1))));
        let other = spawn(move || (b.admit(priority).ok(), b));
        assert!(a.admit(ordinary).is_err(), "blocked");
        let of_a = a.admit(priority).ok();
        let (of_b, mut b) = other.join().unwrap();
        assert!(of_a.is_some() && of_b.is_some(), "within base and share");
        assert!(a.admit(priority).is_err(), "above base and share");
        end(&mut a, of_a);
        end(&mut b, of_b);
        rig.gate.set_terms(S, blocked(ceiling(1)));
        assert!(
            a.admit(priority).is_err(),
            "no share: ordinary, hence blocked"
        );
        assert_eq!(rig.gate.count_exact(S), 0);
    });
}

/// A blocked feature while other classes use the cells: a priority call that brings it takes the credit home first.
#[test]
fn priority_passes_a_feature_block_in_open_mode() {
    check(|| {
        let rig = rig(2, without(1 << 3, shared(1, ceiling(1))));
        let (ordinary, blocked) = (rig.class, rig.bringing(3));
        let priority = rig.bringing_as(3, CallKind::Priority);
        let (mut a, mut b) = (rig.worker(), rig.worker());
        raise_peak(&rig.gate, &mut a, ordinary, 2);
        warm(&mut a, ordinary, 1);
        let other = spawn(move || (b.admit(priority).ok(), b));
        let of_a = a.admit(ordinary).ok();
        let (of_b, mut b) = other.join().unwrap();
        assert!(of_b.is_some(), "within ceiling and share");
        assert!(a.admit(blocked).is_err(), "an ordinary call that brings it");
        let total = 1 + u32::from(of_a.is_some());
        assert_eq!(rig.gate.count_exact(S), total);
        let last = a.admit(priority).ok();
        assert_eq!(total + u32::from(last.is_some()), 2, "ceiling and share");
        assert!(b.admit(priority).is_err(), "above ceiling and share");
        end(&mut a, of_a.into_iter().chain(last));
        end(&mut b, of_b);
        assert_eq!(rig.gate.count_exact(S), 0);
    });
}

/// Emergency calls come and go while the only place is asked for: it stays one place, and no call of theirs is counted.
#[test]
fn emergency_holds_nothing() {
    check(|| {
        let rig = rig(2, ceiling(1));
        let (ordinary, emergency) = (rig.class, rig.kind(CallKind::Emergency));
        let (mut a, mut b) = (rig.worker(), rig.worker());
        let held = a.admit(ordinary).unwrap();
        let other = spawn(move || {
            let call = b.admit(emergency).expect("never refused");
            b.release(call);
            b
        });
        assert!(a.admit(ordinary).is_err(), "above the ceiling");
        let mut b = other.join().unwrap();
        assert_eq!((rig.gate.count_exact(S), rig.gate.peak(S)), (1, 1));
        let moved = b.reclass(held, emergency);
        assert_eq!(rig.gate.count_exact(S), 0);
        b.release(moved);
        assert_eq!(rig.gate.count_exact(S), 0);
    });
}

/// A session is restored while another worker holds the last credit: afterwards no ordinary call may enter.
#[test]
fn restore_makes_debt_only_when_tight() {
    check(|| {
        let rig = rig(2, ceiling(1));
        let class = rig.class;
        let (mut a, mut b) = (rig.worker(), rig.worker());
        warm(&mut a, class, 1);
        let restored = Ghost::default();
        let seen = restored.clone();
        let other = spawn(move || {
            let permit = b.restore(class);
            seen.add(1);
            (permit, b)
        });
        let full = restored.value() == 1;
        let got = a.admit(class).ok();
        assert!(!full || got.is_none(), "admitted at the ceiling");
        let (permit, mut b) = other.join().unwrap();
        assert_eq!(rig.gate.count_exact(S), 1 + u32::from(got.is_some()));
        assert!(a.admit(class).is_err(), "above the ceiling");
        let debt = a.restore(class);
        end(&mut a, got);
        assert_eq!(rig.gate.count_exact(S), 2);
        end(&mut b, [permit]);
        assert!(
            b.admit(class).is_err(),
            "the debt was paid, nothing is free"
        );
        b.release(debt);
        assert_eq!(rig.gate.count_exact(S), 0);
    });
}

/// A worker leaves tight mode while another makes debt: as long as there is debt, a release pays it and lets nobody in.
#[test]
fn tight_is_left_only_without_debt() {
    check(|| {
        let rig = rig(2, ceiling(1));
        let class = rig.class;
        let (mut a, mut b) = (rig.worker(), rig.worker());
        let restored = Ghost::default();
        let seen = restored.clone();
        let other = spawn(move || {
            let permit = b.restore(class);
            seen.add(1);
            (permit, b)
        });
        let first = a.admit(class).ok();
        end(&mut a, first);
        let full = restored.value() == 1;
        let second = a.admit(class).ok();
        assert!(!full || second.is_none(), "admitted at the ceiling");
        let (permit, mut b) = other.join().unwrap();
        end(&mut a, second);
        assert_eq!(rig.gate.count_exact(S), 1);
        end(&mut b, [permit]);
        assert_eq!(rig.gate.count_exact(S), 0);
    });
}

/// The same with credit that debt must not read as: room below zero is none.
#[test]
fn debt_stops_growth() {
    check(|| {
        let rig = rig(2, ceiling(1));
        let class = rig.class;
        let (mut a, mut b) = (rig.worker(), rig.worker());
        let other = spawn(move || ([b.restore(class), b.restore(class)], b));
        let first = a.admit(class).ok();
        let (debt, mut b) = other.join().unwrap();
        assert!(
            a.admit(class).is_err() && b.admit(class).is_err(),
            "in debt"
        );
        assert_eq!(rig.gate.count_exact(S), 2 + u32::from(first.is_some()));
        end(&mut a, first);
        assert!(a.admit(class).is_err(), "still in debt");
        end(&mut b, debt);
        assert_eq!(rig.gate.count_exact(S), 0);
    });
}
