//! The process is killed between any two outputs.

use super::*;

/// A life: registered, used, renewed, deregistered, with what an operator asks asked again until it is done.
fn live(mut rig: Rig) -> Rig {
    rig.use_of(service(PGW), 10_001);
    insist(&mut rig, |rig| {
        if rig.verdicts.registered {
            return None;
        }
        Some(LicenseCommand::Register {
            idtoken: TOKEN.into(),
            force: false,
        })
    });
    for sessions in [30_000, 1, 0, 25_000] {
        rig.use_of(service(PGW), sessions);
        rig.run_by(6 * MINUTE, 10 * SECOND);
    }
    rig.ask(LicenseCommand::RenewId);
    rig.run_by(6 * MINUTE, 10 * SECOND);
    insist(&mut rig, |rig| {
        rig.verdicts
            .registered
            .then_some(LicenseCommand::Deregister)
    });
    rig
}

/// As an operator does who sees his command come to nothing.
fn insist(rig: &mut Rig, command: impl Fn(&Rig) -> Option<LicenseCommand>) {
    for _ in 0..50 {
        let Some(command) = command(rig) else {
            return;
        };
        rig.ask(command);
        rig.run(10 * SECOND);
    }
    panic!("it does not come about: {:?}", rig.done);
}

fn check(rig: &Rig, lives: usize) {
    let instance = rig.authority.the_instance();
    let ids: Vec<_> = instance.reports.keys().copied().collect();
    assert_eq!(ids, (1..=ids.len() as u64).collect::<Vec<_>>(), "{lives}");
    assert!(!instance.forked, "{lives}");
    assert_eq!(
        instance.license_ms(),
        rig.closed_ms,
        "{lives}: lost or twice"
    );
    assert!(
        instance.license_ms() <= rig.measured_ms,
        "{lives}: more than was used"
    );
    assert_eq!(rig.authority.tokens[TOKEN].uses, 0, "{lives}: one use");
    let disk = rig.disk.state.as_ref().unwrap();
    assert_eq!(disk.registration, None, "{lives}");
    assert_eq!(disk.attempt, None, "{lives}");
    assert!(!rig.verdicts.registered, "{lives}");
}

//= L10
#[test]
fn killed_after_any_output_the_agent_is_in_the_state_it_had_told_the_authority() {
    let whole = live(Rig::new());
    check(&whole, usize::MAX);
    let mut killed = 0;
    for lives in 0.. {
        let mut rig = Rig::new();
        rig.lives = Some(lives);
        let rig = live(rig);
        if rig.starts == 0 {
            break;
        }
        killed += 1;
        check(&rig, lives);
    }
    assert!(killed > 60, "{killed} places to be killed at");
}

//= L10
#[test]
fn killed_while_registered_the_verdicts_stand() {
    for lives in 0..40 {
        let mut rig = Rig::using(25_000);
        let before = rig.verdicts.clone();
        rig.lives = Some(lives);
        rig.use_of(service(PGW), 25_001);
        rig.run_by(11 * MINUTE, 10 * SECOND);
        assert!(rig.verdicts.registered, "{lives}");
        assert!(!rig.told.contains(&Told::Deregistered), "{lives}");
        let held = before.held[&service(PGW)];
        assert!(rig.verdicts.held[&service(PGW)] >= held, "{lives}");
    }
}

#[test]
fn an_interval_that_was_cut_off_loses_what_was_not_kept_yet_and_no_more() {
    let mut rig = Rig::using(10_001);
    rig.run(21 * MINUTE);
    rig.kill();
    rig.run(MINUTE);
    rig.command(LicenseCommand::Deregister).unwrap();
    let told = rig.authority.the_instance().license_ms();
    let used = 2 * 22 * 60_000;
    assert!(told <= used + 10_000, "{told}");
    assert!(
        told + 2 * 5 * 60_000 >= used,
        "at most the time of the report timer"
    );
}

#[test]
fn an_interval_that_became_a_report_counts_once() {
    let mut rig = Rig::using(10_001);
    rig.run(21 * MINUTE);
    let kept = rig.disk.ledger.interval.as_ref().unwrap().interval_ms;
    assert!(kept >= 15 * 60_000, "the interval is kept as it grows");
    rig.use_of(service(PGW), 1);
    rig.run(6 * MINUTE);
    assert_eq!(rig.disk.ledger.reports.len(), 1);
    rig.kill();
    rig.run(6 * MINUTE);
    rig.command(LicenseCommand::Deregister).unwrap();
    let told = rig.authority.the_instance().license_ms();
    assert!(told <= rig.measured_ms, "{told} of {}", rig.measured_ms);
    assert!(told + 5 * 60_000 >= rig.measured_ms);
}

/// Many lives under one seed each: the way to the authority opens and closes, the process is killed, calls come and go.
#[test]
fn whatever_happens_reports_are_neither_lost_nor_counted_twice() {
    use rand::{Rng, SeedableRng};
    let mut apart = 0;
    for seed in 0..20 {
        let mut random = rand::rngs::StdRng::seed_from_u64(seed);
        let mut rig = Rig::using(1);
        for _ in 0..60 {
            match random.random_range(0..8) {
                0 => rig.way = Way::Closed,
                1 => rig.way = Way::Outward,
                2 | 3 => rig.way = Way::Open,
                4 => rig.way = Way::Cut,
                5 => rig.way = Way::Twice,
                6 => rig.lives = Some(random.random_range(0..12)),
                _ => rig.disk_full = !rig.disk_full && random.random_bool(0.3),
            }
            let sessions = random.random_range(0..50_000);
            rig.use_of(service(PGW), sessions);
            let minutes = random.random_range(1..8);
            rig.leap(minutes * MINUTE, 30 * SECOND);
        }
        rig.way = Way::Open;
        rig.lives = None;
        rig.disk_full = false;
        rig.leap(3 * HOUR, 30 * SECOND);
        assert!(!rig.told.contains(&Told::Deregistered), "{seed}");
        assert!(rig.verdicts.registered, "{seed}");
        rig.command(LicenseCommand::Deregister).unwrap();
        let instance = rig.authority.the_instance();
        assert!(!instance.forked, "{seed}");
        assert!(instance.license_ms() <= rig.measured_ms, "{seed}");
        apart += instance.license_ms().abs_diff(rig.closed_ms);
    }
    println!("report-conservation {apart}");
    assert_eq!(apart, 0);
}
