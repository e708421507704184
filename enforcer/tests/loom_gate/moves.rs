//! Replacement, restoring and change of class.

use std::sync::Arc;

use super::rig::{Ghost, OTHER, S, blocked, ceiling, check, end, rig, spawn, warm};

/// A third call asks while a session is replaced at the ceiling: the place is never free.
//= L13
#[test]
fn replace_keeps_its_place() {
    check(|| {
        let rig = rig(2, ceiling(1));
        let class = rig.class;
        let (mut a, mut b) = (rig.worker(), rig.worker());
        let old = a.admit(class).unwrap();
        let other = spawn(move || b.admit(class).is_err());
        let new = a.replace(old, class).expect("no ceiling is asked");
        assert!(other.join().unwrap(), "a third call stole the place");
        assert_eq!(rig.gate.count_exact(S), 1);
        a.release(new);
        assert_eq!(rig.gate.count_exact(S), 0);
    });
}

/// A replacement that begins after a block has returned is refused, and the old permit is whole.
#[test]
fn replace_sees_the_change() {
    check(|| {
        let rig = rig(1, ceiling(1));
        let class = rig.class;
        let mut worker = rig.worker();
        let old = worker.admit(class).unwrap();
        let returned = Ghost::default();
        let (gate, seen) = (Arc::clone(&rig.gate), returned.clone());
        let other = spawn(move || {
            gate.set_terms(S, blocked(ceiling(1)));
            seen.add(1);
        });
        let after = returned.value() == 1;
        let permit = match worker.replace(old, class) {
            Ok(new) => {
                assert!(!after, "replaced after the block had returned");
                new
            }
            Err((_, old)) => old,
        };
        other.join().unwrap();
        assert_eq!(rig.gate.count_exact(S), 1);
        worker.release(permit);
        assert_eq!(rig.gate.count_exact(S), 0);
    });
}

/// Across services: refused there, the session stays here.
#[test]
fn replace_across_services_admits_first() {
    check(|| {
        let rig = rig(2, ceiling(1));
        let (here, there) = (rig.class, rig.elsewhere());
        rig.gate.set_terms(OTHER, ceiling(1));
        let (mut a, mut b) = (rig.worker(), rig.worker());
        let old = a.admit(here).unwrap();
        let other = spawn(move || (b.admit(there).ok(), b));
        let (moved, permit) = match a.replace(old, there) {
            Ok(new) => (true, new),
            Err((_, old)) => (false, old),
        };
        let (got, mut b) = other.join().unwrap();
        assert!(moved != got.is_some(), "one place there");
        assert_eq!(rig.gate.count_exact(S), u32::from(!moved));
        assert_eq!(rig.gate.count_exact(OTHER), 1);
        a.release(permit);
        end(&mut b, got);
        assert_eq!(
            (rig.gate.count_exact(S), rig.gate.count_exact(OTHER)),
            (0, 0)
        );
    });
}

/// A session moves to a full service: somebody who looks first here, then there, always finds it.
//= L7
#[test]
fn reclass_is_never_without_a_place() {
    check(|| {
        let rig = rig(1, ceiling(1));
        let (here, there) = (rig.class, rig.elsewhere());
        rig.gate.set_terms(OTHER, ceiling(0));
        let mut worker = rig.worker();
        warm(&mut worker, here, 1);
        let permit = worker.admit(here).unwrap();
        let gate = Arc::clone(&rig.gate);
        let other = spawn(move || gate.count_exact(S) + gate.count_exact(OTHER));
        let moved = worker.reclass(permit, there);
        assert!(other.join().unwrap() >= 1, "a moment without a place");
        assert_eq!(
            (rig.gate.count_exact(S), rig.gate.count_exact(OTHER)),
            (0, 1)
        );
        worker.release(moved);
        assert_eq!(rig.gate.count_exact(OTHER), 0);
    });
}
