use licensing::snapshot::State;
use licensing::{Compliance, Policy, SessionCount};

use super::*;
use crate::terms::Block;

fn used_s(rig: &Rig) -> u64 {
    rig.snapshot().evaluation.used_s
}

const DAYS_90_S: u64 = 90 * 86_400;

//= L3
#[test]
fn the_clock_runs_only_while_a_tag_is_in_use_and_the_node_is_not_registered() {
    let mut rig = Rig::enabled(config());
    assert!(!rig.snapshot().evaluation.running);
    rig.pass(DAY);
    assert_eq!(used_s(&rig), 0, "nothing is in use");
    rig.sessions(GGSN, 1);
    assert!(rig.snapshot().evaluation.running);
    rig.pass(DAY);
    assert_eq!(used_s(&rig), 86_400);
    rig.sessions(GGSN, 0);
    rig.pass(DAY);
    assert_eq!(used_s(&rig), 86_400);
    rig.tell(Input::Feature {
        feature: GRE,
        enabled: true,
    });
    rig.pass(DAY);
    assert_eq!(used_s(&rig), 2 * 86_400, "an enabled feature is use");
    rig.tell(Input::Registered);
    rig.pass(DAY);
    assert_eq!(used_s(&rig), 2 * 86_400, "registered");
    rig.tell(Input::Deregistered);
    rig.pass(HOUR);
    assert_eq!(used_s(&rig), 2 * 86_400 + 3_600, "what is left was kept");
}

//= L3
#[test]
fn a_minute_is_asked_to_be_kept_before_it_is_used() {
    let mut rig = Rig::enabled(config());
    assert_eq!(rig.enforcer.poll_timeout(), None);
    rig.sessions(GGSN, 1);
    assert_eq!(rig.clock().evaluation_minutes, 1);
    let deadline = rig.enforcer.poll_timeout();
    assert_eq!(deadline, Some(rig.now.mono.after(MINUTE)));
    let generation = rig.clock().generation;
    rig.pass(MINUTE - Duration::from_millis(1));
    assert_eq!(rig.clock().evaluation_minutes, 1);
    rig.pass(Duration::from_millis(1));
    assert_eq!(rig.clock().evaluation_minutes, 2);
    assert_eq!(rig.clock().generation, generation + 1);
    assert_eq!(used_s(&rig), 60);
}

//= L3
#[test]
fn the_record_comes_before_what_follows_from_it() {
    let mut rig = Rig::new(config());
    rig.sessions(GGSN, 1);
    rig.said();
    rig.tell(Input::SmartLicensing { enable: true });
    let said = rig.said();
    let record = said.iter().position(|output| {
        let clock = Record::Clock(ClockRecord::default());
        let Output::Persist(record) = output else {
            return false;
        };
        std::mem::discriminant(record) == std::mem::discriminant(&clock)
    });
    let terms = said
        .iter()
        .position(|output| matches!(output, Output::Terms { .. }));
    assert!(record.unwrap() < terms.unwrap());
}

//= L3
#[test]
fn a_restart_costs_at_most_a_minute_and_never_gains_one() {
    let mut rig = Rig::enabled(config());
    let mut real = Duration::ZERO;
    for (restarts, step) in (1..).zip([1, 59, 61, 3_600, 7, 86_399]) {
        rig.sessions(GGSN, 1);
        let step = Duration::from_secs(step);
        rig.pass(step);
        real += step;
        rig = rig.restart();
        let used = Duration::from_secs(used_s(&rig));
        assert!(used >= real, "gained: {used:?} of {real:?}");
        assert!(used <= real + restarts * MINUTE, "{used:?} of {real:?}");
    }
    assert_eq!(rig.clock().boots, 7);
}

//= L3
#[test]
fn the_wall_clock_has_no_part_in_it() {
    let mut rig = Rig::enabled(config());
    rig.sessions(GGSN, 1);
    rig.pass(HOUR);
    let used = used_s(&rig);
    for days in [400, -800] {
        rig.now.wall.0 += days * 86_400_000;
        rig.tell(Input::Timeout);
        assert_eq!(used_s(&rig), used);
        assert_eq!(rig.service(GGSN).tag.policy, Policy::Allow);
    }
}

//= L3
#[test]
fn in_evaluation_each_service_has_one_license_and_features_are_free() {
    let mut rig = Rig::enabled(config());
    rig.sessions(GGSN, 1);
    for row in rig.snapshot().services {
        assert_eq!(row.ceiling, Some(SessionCount(10_000)));
        assert_eq!(rig.terms(row.service).ceiling, Some(10_000));
        assert_eq!(rig.terms(row.service).block, None);
    }
    rig.class(
        class(PGW, &[GRE, VOLTE], CallKind::Ordinary),
        admitted(2_000_000, 0),
    );
    let row = rig.feature(VOLTE);
    assert_eq!((row.sessions.0, row.tag.licenses.0), (2_000_000, 1));
    assert_eq!(row.tag.compliance, Some(Compliance::Evaluation));
    assert_eq!(row.tag.state, State::Allow);
    assert_eq!(rig.terms(PGW).blocked_features, FeatureSet::EMPTY);
}

//= L3
#[test]
fn it_lasts_90_days_of_use_and_then_everything_is_blocked() {
    let mut rig = Rig::enabled(config());
    rig.sessions(GGSN, 7);
    rig.pass(90 * DAY - Duration::from_millis(1));
    let evaluation = rig.snapshot().evaluation;
    assert!(evaluation.running && !evaluation.expired);
    assert_eq!(rig.service(GGSN).tag.policy, Policy::Allow);
    rig.said();
    rig.pass(Duration::from_millis(1));
    let snapshot = rig.snapshot();
    let evaluation = snapshot.evaluation;
    assert!(evaluation.expired && !evaluation.running);
    assert_eq!((evaluation.used_s, evaluation.remaining_s), (DAYS_90_S, 0));
    for row in snapshot.rows() {
        assert_eq!(row.tag().policy, Policy::Block, "{}", row.tag().name);
        assert_eq!(row.tag().state, State::Block);
    }
    for service in 0..7 {
        let block = rig.terms(ServiceIndex(service)).block;
        assert_eq!(block, Some(Block::Service));
    }
    let row = rig.service(GGSN);
    assert_eq!(row.tag.compliance, Some(Compliance::EvaluationExpired));
    assert_eq!(row.sessions.0, 7, "no session is ended");
    let events = rig.events();
    let of_ggsn = evaluation_ended(GGSN);
    assert_eq!(raised(&events), [AlarmKind::EvaluationExpired, of_ggsn]);
    assert_eq!(cleared(&events), [], "it is still not registered");
    rig.pass(1_000 * DAY);
    assert_eq!(used_s(&rig), DAYS_90_S);
}

//= L3
#[test]
fn an_expired_evaluation_stays_so_over_a_restart_and_ends_by_registering() {
    let mut rig = Rig::enabled(config());
    rig.sessions(GGSN, 7);
    rig.pass(90 * DAY);
    let mut rig = rig.restart();
    assert_eq!(rig.terms(GGSN).block, Some(Block::Service));
    let evaluation = rig.snapshot().evaluation;
    assert!(evaluation.expired && !evaluation.running);
    rig.said();
    rig.tell(Input::Registered);
    assert_eq!(rig.terms(GGSN).block, None);
    let mut ended = cleared(&rig.events());
    ended.sort();
    let expected = [
        AlarmKind::EvaluationMode,
        AlarmKind::EvaluationExpired,
        evaluation_ended(GGSN),
    ];
    assert_eq!(ended, expected);
    rig.tell(Input::Deregistered);
    assert_eq!(rig.service(GGSN).tag.policy, Policy::Block, "never reset");
}

//= L3
#[test]
fn its_end_is_warned_of_once_at_each_mark_also_over_restarts() {
    let mut rig = Rig::enabled(config());
    let mut warnings = Vec::new();
    let mut days = 0;
    while !rig.snapshot().evaluation.expired {
        rig.sessions(GGSN, 1);
        rig.pass(HOUR - Duration::from_secs(1));
        warnings.extend(rig.events().into_iter().filter_map(|event| {
            let Event::EvaluationWarning { remaining_s } = event else {
                return None;
            };
            Some(remaining_s)
        }));
        days += 1;
        if days % 24 == 0 {
            rig.tell(Input::Save);
            rig = rig.restart();
        }
    }
    let marks = [60, 30, 21, 14, 7, 6, 5, 4, 3, 2, 1].map(|days: u64| days * 86_400);
    let hours = (1..24).rev().map(|hours: u64| hours * 3_600);
    let expected: Vec<_> = marks.into_iter().chain(hours).collect();
    assert_eq!(warnings, expected);
}

//= L3
#[test]
fn the_first_use_is_told_once() {
    let mut rig = Rig::enabled(config());
    rig.said();
    let started = |rig: &mut Rig| {
        let events = rig.events();
        events.contains(&Event::EvaluationStarted)
    };
    rig.sessions(GGSN, 1);
    assert!(started(&mut rig));
    rig.pass(DAY);
    rig.sessions(GGSN, 0);
    rig.sessions(GGSN, 1);
    assert!(!started(&mut rig));
}

//= L3
#[test]
fn under_the_lab_clock_a_real_second_is_charged_at_once() {
    let mut rig = Rig::enabled(Config {
        lab: lab(86_400),
        ..config()
    });
    rig.sessions(GGSN, 1);
    assert_eq!(rig.clock().evaluation_minutes, 1_440);
    let second = rig.now.mono.after(Duration::from_secs(1));
    assert_eq!(rig.enforcer.poll_timeout(), Some(second));
    for day in 1..=90 {
        assert_eq!(rig.service(GGSN).tag.policy, Policy::Allow, "day {day}");
        rig.pass(DAY);
    }
    assert_eq!(rig.service(GGSN).tag.policy, Policy::Block);
    assert_eq!(rig.now.mono, Mono(90_000_000_000));
    assert_eq!(rig.now.license, LicenseTime(90 * 86_400_000));
}

fn evaluation_ended(service: ServiceIndex) -> AlarmKind {
    let (service, feature) = (Some(service), None);
    AlarmKind::EvaluationEnded { service, feature }
}

//= L16
#[test]
fn the_end_of_evaluation_is_an_alarm_of_each_tag_in_use_until_it_is_over() {
    let mut rig = Rig::enabled(config());
    rig.sessions(GGSN, 7);
    let feature = GRE;
    let enabled = true;
    rig.tell(Input::Feature { feature, enabled });
    rig.pass(90 * DAY);
    let of_gre = AlarmKind::EvaluationEnded {
        service: None,
        feature: Some(GRE),
    };
    assert!(rig.has(evaluation_ended(GGSN)) && rig.has(of_gre));
    assert!(!rig.has(evaluation_ended(PGW)), "it is not in use");
    rig.said();
    rig.sessions(GGSN, 0);
    assert!(rig.has(evaluation_ended(GGSN)), "its block stands");
    rig.sessions(PGW, 1);
    assert_eq!(raised(&rig.events()), [evaluation_ended(PGW)]);
    let mut rig = rig.restart();
    assert!(rig.has(evaluation_ended(GGSN)) && rig.has(evaluation_ended(PGW)));
    rig.said();
    rig.tell(Input::Registered);
    let ended = cleared(&rig.events());
    for kind in [evaluation_ended(GGSN), evaluation_ended(PGW), of_gre] {
        assert_eq!(ended.iter().filter(|ended| **ended == kind).count(), 1);
    }
}
