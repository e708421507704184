use licensing::snapshot::State;
use licensing::{Compliance, Mode, Policy};

use super::*;
use crate::terms::Block;

//= L2
#[test]
fn before_it_was_ever_enabled_calls_are_counted_and_nothing_is_enforced() {
    let mut rig = Rig::new(config());
    rig.sessions(GGSN, 1_000_000);
    rig.pass(200 * DAY);
    rig.tell(Input::Registered);
    rig.verdict(TAG, Answer::OutOfCompliance, Some(0));
    let row = rig.service(GGSN);
    assert_eq!(row.sessions.0, 1_000_000);
    assert_eq!((row.tag.state, row.ceiling), (State::Allow, None));
    assert_eq!(row.tag.compliance, None);
    assert_eq!(
        row.tag.evaluation.policy, None,
        "the mode was never in force"
    );
    let snapshot = rig.snapshot();
    assert_eq!(snapshot.smart.mode, Mode::Evaluation);
    assert!(!snapshot.smart.ever_enabled);
    assert_eq!((snapshot.evaluation.used_s, snapshot.alarms.len()), (0, 0));
    assert_eq!(rig.terms(GGSN), Terms::default());
    assert_eq!(rig.events(), []);
}

//= L2
#[test]
fn enabling_begins_evaluation_and_registering_ends_it() {
    let mut rig = Rig::new(config());
    rig.said();
    rig.tell(Input::SmartLicensing { enable: true });
    assert_eq!(rig.terms(GGSN).ceiling, Some(10_000));
    let events = rig.events();
    assert_eq!(events[0], Event::SmartLicensingEnabled);
    assert_eq!(raised(&events), [AlarmKind::EvaluationMode]);
    rig.tell(Input::SmartLicensing { enable: true });
    assert_eq!(rig.events(), [], "it is enabled");
    rig.tell(Input::Registered);
    let (from, to) = (Mode::Evaluation, Mode::Registered);
    let events = rig.events();
    assert_eq!(events[0], Event::ModeChanged { from, to });
    assert_eq!(cleared(&events), [AlarmKind::EvaluationMode]);
    rig.tell(Input::Deregistered);
    let (from, to) = (to, from);
    let events = rig.events();
    assert_eq!(events[0], Event::ModeChanged { from, to });
    assert_eq!(raised(&events), [AlarmKind::EvaluationMode]);
    let smart = rig.snapshot().smart;
    assert_eq!((smart.total_enabled, smart.total_disabled), (1, 0));
}

//= L2
#[test]
fn disabling_keeps_the_last_verdicts() {
    let mut rig = Rig::registered(config());
    rig.sessions(GGSN, 20_000);
    rig.verdict(TAG, Answer::OutOfCompliance, Some(1));
    let blocked = rig.terms(GGSN);
    assert_eq!(blocked.block, Some(Block::Service));
    rig.said();
    rig.tell(Input::SmartLicensing { enable: false });
    assert_eq!(rig.events(), [Event::SmartLicensingDisabled]);
    let row = rig.service(GGSN);
    assert_eq!(
        (row.tag.policy, row.tag.state),
        (Policy::Block, State::Block)
    );
    let since = rig.now.wall;
    let ooc = Some(Compliance::OutOfCompliance { since });
    assert_eq!(row.tag.compliance, ooc);
    assert!(rig.has(OOC));
    let smart = rig.snapshot().smart;
    assert!(!smart.enabled && smart.ever_enabled);
    assert_eq!((smart.total_enabled, smart.total_disabled), (1, 1));
}

/// While it is disabled the evaluation runs and nobody asks the authority: both alarms stand, and each has its clear from
/// what ends it, once.
//= L16
#[test]
fn what_is_outstanding_when_it_is_disabled_is_cleared_by_what_ends_it() {
    let mut rig = Rig::enabled(config());
    assert!(rig.has(AlarmKind::EvaluationMode));
    rig.said();
    rig.tell(Input::SmartLicensing { enable: false });
    assert_eq!(rig.events(), [Event::SmartLicensingDisabled]);
    let mut rig = rig.restart();
    assert!(rig.has(AlarmKind::EvaluationMode));
    rig.tell(Input::SmartLicensing { enable: true });
    rig.tell(Input::Registered);
    let events = rig.events();
    assert_eq!(cleared(&events), [AlarmKind::EvaluationMode]);
    assert_eq!(raised(&events), []);

    rig.tell(Input::AuthorityUnreachable);
    assert_eq!(raised(&rig.events()), [AlarmKind::AuthorityUnreachable]);
    rig.tell(Input::SmartLicensing { enable: false });
    assert_eq!(rig.events(), [Event::SmartLicensingDisabled]);
    let mut rig = rig.restart();
    assert!(rig.has(AlarmKind::AuthorityUnreachable));
    rig.said();
    rig.tell(Input::SmartLicensing { enable: true });
    rig.tell(Input::AuthorityReached);
    let events = rig.events();
    assert_eq!(cleared(&events), [AlarmKind::AuthorityUnreachable]);
    assert_eq!(raised(&events), []);
}

//= L2
//= L3
#[test]
fn the_evaluation_goes_on_and_ends_although_it_was_disabled() {
    let mut rig = Rig::enabled(config());
    rig.sessions(GGSN, 1);
    rig.pass(DAY);
    rig.tell(Input::SmartLicensing { enable: false });
    rig.pass(88 * DAY);
    assert_eq!(rig.service(GGSN).tag.policy, Policy::Allow);
    rig.pass(DAY);
    assert_eq!(rig.service(GGSN).tag.policy, Policy::Block);
    assert_eq!(rig.terms(GGSN).block, Some(Block::Service));
}

//= L2
#[test]
fn what_was_switched_survives_a_restart() {
    let mut rig = Rig::enabled(config());
    rig.tell(Input::Feature {
        feature: GRE,
        enabled: true,
    });
    rig.tell(Input::SmartLicensing { enable: false });
    rig.tell(Input::SmartLicensing { enable: true });
    let rig = rig.restart();
    let smart = rig.snapshot().smart;
    assert!(smart.enabled && smart.ever_enabled);
    assert_eq!((smart.total_enabled, smart.total_disabled), (2, 1));
    assert!(rig.feature(GRE).enabled);
    assert_eq!(rig.terms(GGSN).ceiling, Some(10_000));
}

#[test]
fn only_a_lab_node_changes_the_speed_of_its_clock() {
    let mut rig = Rig::enabled(config());
    rig.said();
    rig.tell(Input::LabSpeedup { speedup: 100 });
    assert_eq!((rig.snapshot().lab, rig.events()), (None, Vec::new()));
    let mut rig = Rig::enabled(Config {
        lab: lab(1),
        ..config()
    });
    rig.said();
    rig.tell(Input::LabSpeedup { speedup: 100 });
    assert_eq!(rig.snapshot().lab.map(|lab| lab.speedup), Some(100));
    assert_eq!(rig.events(), [Event::LabSpeedup { speedup: 100 }]);
}
