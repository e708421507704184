use licensing::{Compliance, Policy, SessionCount};

use super::*;
use crate::terms::Block;
use crate::verdicts::BulkstatsTroubles;

fn lost(config: Config, operator: Option<OperatorRecord>) -> Rig {
    let restored = Restored {
        clock: RestoredClock::Lost,
        operator,
        ..Restored::default()
    };
    let now = Now {
        wall: START,
        ..Now::default()
    };
    Rig::restored(config, restored, now)
}

//= L3
#[test]
fn a_lost_clock_leaves_7_days_of_one_license_a_tag_and_never_90() {
    let mut rig = lost(config(), None);
    assert!(rig.has(AlarmKind::StateLost));
    assert_eq!(rig.terms(GGSN).ceiling, Some(10_000));
    assert_eq!(
        rig.service(GGSN).tag.policy,
        Policy::Allow,
        "no instant block"
    );
    let snapshot = rig.snapshot();
    assert!(snapshot.smart.enabled && snapshot.smart.ever_enabled);
    let seven_days_s = snapshot.recovery.map(|recovery| recovery.remaining_s);
    assert_eq!(seven_days_s, Some(7 * 86_400));
    assert_eq!(snapshot.evaluation.remaining_s, 0);
    rig.sessions(GGSN, 1);
    rig.pass(4 * DAY);
    let mut rig = rig.restart();
    assert!(rig.has(AlarmKind::StateLost));
    rig.sessions(GGSN, 1);
    rig.pass(3 * DAY - 2 * MINUTE);
    assert_eq!(rig.service(GGSN).tag.policy, Policy::Allow);
    rig.pass(2 * MINUTE);
    assert_eq!(rig.terms(GGSN).block, Some(Block::Service));
    assert!(rig.has(AlarmKind::EvaluationExpired));
    rig.tell(Input::Registered);
    assert_eq!(rig.terms(GGSN).block, None);
    assert!(!rig.has(AlarmKind::StateLost));
}

//= L2
//= L3
#[test]
fn a_lost_operators_record_does_not_make_a_node_that_was_never_enabled() {
    let mut rig = Rig::enabled(config());
    rig.sessions(GGSN, 1);
    rig.pass(DAY);
    rig.disk.operator = None;
    let rig = rig.restart();
    let snapshot = rig.snapshot();
    assert!(snapshot.smart.enabled && snapshot.smart.ever_enabled);
    assert_eq!(rig.terms(GGSN).ceiling, Some(10_000));
    assert!(snapshot.evaluation.used_s >= 86_400);
    assert!(rig.disk.operator.is_some(), "it is kept again");
    let rig = Rig::new(config()).restart();
    assert!(!rig.snapshot().smart.ever_enabled);
}

/// A registered node with nothing left of its evaluation, and with a call up.
fn registered_after_evaluation() -> Rig {
    let mut rig = Rig::enabled(config());
    rig.sessions(GGSN, 1);
    rig.pass(90 * DAY);
    rig.tell(Input::Registered);
    rig.verdict(TAG, Answer::Authorized, Some(5));
    rig
}

//= L3
//= L10
#[test]
fn a_lost_registration_blocks_nothing_at_once_and_leaves_7_days_but_once() {
    let mut rig = registered_after_evaluation();
    for days_left in [7, 2] {
        rig.disk.operator = None;
        rig = rig.restart();
        assert_eq!(rig.terms(GGSN).block, None, "no instant block");
        assert_eq!(rig.terms(GGSN).ceiling, Some(10_000));
        assert!(rig.has(AlarmKind::StateLost));
        let left_s = rig.snapshot().recovery.map(|recovery| recovery.remaining_s);
        assert_eq!(left_s, Some(days_left * 86_400));
        rig.sessions(GGSN, 1);
        rig.pass(5 * DAY - MINUTE);
    }
    assert_eq!(rig.terms(GGSN).block, Some(Block::Service));
}

//= L3
#[test]
fn a_lost_record_gives_an_unregistered_node_no_time() {
    let mut rig = Rig::enabled(config());
    rig.sessions(GGSN, 1);
    rig.pass(90 * DAY);
    rig.disk.operator = None;
    let rig = rig.restart();
    assert_eq!(rig.terms(GGSN).block, Some(Block::Service));
    assert_eq!(rig.snapshot().recovery, None);
}

//= L10
#[test]
fn a_lost_registration_with_an_evaluation_left_goes_on_with_that() {
    let mut rig = Rig::enabled(config());
    rig.sessions(GGSN, 1);
    rig.pass(30 * DAY);
    rig.tell(Input::Registered);
    rig.disk.operator = None;
    let rig = rig.restart();
    assert_eq!(rig.terms(GGSN).block, None);
    let snapshot = rig.snapshot();
    assert_eq!(snapshot.recovery, None);
    assert!(snapshot.evaluation.remaining_s > 59 * 86_400);
}

//= L16
#[test]
fn an_alarm_is_kept_before_it_is_told() {
    let mut rig = Rig::enabled(config());
    rig.said();
    for input in [Input::StateTampered, Input::Registered] {
        rig.tell(input);
        let said = rig.said();
        let kept = |output: &Output| matches!(output, Output::Persist(Record::Operator(_)));
        let told = |output: &Output| {
            matches!(
                output,
                Output::Event(Event::AlarmRaised { .. } | Event::AlarmCleared { .. })
            )
        };
        let kept = said.iter().position(kept).expect("it is kept");
        let told = said.iter().position(told).expect("it is told");
        assert!(kept < told, "{said:?}");
    }
}

#[test]
fn a_machine_that_was_suspended_has_no_jump_of_its_wall_clock() {
    let mut rig = Rig::enabled(config());
    rig.said();
    // The monotonic clock stands still meanwhile, boot time does not.
    rig.now.wall.0 += 2 * 86_400_000;
    rig.now.license = rig.now.license.after(2 * DAY);
    rig.tell(Input::Timeout);
    assert_eq!(rig.events(), []);
    rig.now.license = rig.now.license.after(2 * DAY);
    rig.tell(Input::Timeout);
    let by_s = -2 * 86_400;
    assert_eq!(rig.events()[0], Event::ClockJumped { by_s });
}

//= L10
#[test]
fn a_registered_node_that_lost_its_clock_keeps_its_verdicts_for_7_days() {
    let mut rig = Rig::registered(config());
    rig.sessions(GGSN, 20_000);
    rig.verdict(TAG, Answer::Authorized, Some(5));
    rig.tell(Input::Feature {
        feature: GRE,
        enabled: true,
    });
    rig.verdict(TagRef::Feature(GRE), Answer::OutOfCompliance, None);
    rig.tell(Input::Save);
    let mut rig = lost(config(), rig.disk.operator);
    assert_eq!(rig.service(GGSN).ceiling, Some(SessionCount(50_000)));
    assert_eq!(rig.feature(GRE).tag.grace_left_s, Some(7 * 86_400));
    assert!(rig.has(AlarmKind::StateLost));
    rig.pass(7 * DAY - MINUTE);
    assert_eq!(rig.service(GGSN).ceiling, Some(SessionCount(50_000)));
    rig.pass(MINUTE);
    assert!(rig.has(AlarmKind::AuthorizationExpired));
    let policy = rig.service(GGSN).tag.policy;
    assert_eq!(policy, Policy::Allow, "7 days of use are left");
    let graced = rig.feature(GRE).tag.policy;
    assert_eq!(graced, Policy::Block, "its grace is over, heard or not");
    rig.pass(7 * DAY);
    assert_eq!(rig.service(GGSN).tag.policy, Policy::Block);
    rig.tell(Input::AuthorityReached);
    assert!(!rig.has(AlarmKind::StateLost));
    assert_eq!(rig.service(GGSN).ceiling, Some(SessionCount(50_000)));
}

//= L16
#[test]
fn troubles_of_the_node_are_alarms_that_end() {
    type Case = (Input, Input, AlarmKind);
    let cases: [Case; 10] = [
        (
            Input::StateWritten(false),
            Input::StateWritten(true),
            AlarmKind::StateNotWritten,
        ),
        (
            Input::ControlStalled(true),
            Input::ControlStalled(false),
            AlarmKind::ControlStalled,
        ),
        (
            Input::AgentStalled(true),
            Input::AgentStalled(false),
            AlarmKind::AgentStalled,
        ),
        (
            Input::SnmpStalled(true),
            Input::SnmpStalled(false),
            AlarmKind::SnmpStalled,
        ),
        (
            Input::Bulkstats(BulkstatsTroubles {
                stalled: true,
                ..BulkstatsTroubles::default()
            }),
            Input::Bulkstats(BulkstatsTroubles::default()),
            AlarmKind::BulkstatsStalled,
        ),
        (
            Input::Bulkstats(BulkstatsTroubles {
                undelivered: true,
                ..BulkstatsTroubles::default()
            }),
            Input::Bulkstats(BulkstatsTroubles::default()),
            AlarmKind::BulkstatsUndelivered,
        ),
        (
            Input::Bulkstats(BulkstatsTroubles {
                host_key: true,
                ..BulkstatsTroubles::default()
            }),
            Input::Bulkstats(BulkstatsTroubles::default()),
            AlarmKind::BulkstatsHostKey,
        ),
        (
            Input::Bulkstats(BulkstatsTroubles {
                discarding: true,
                ..BulkstatsTroubles::default()
            }),
            Input::Bulkstats(BulkstatsTroubles::default()),
            AlarmKind::BulkstatsDiscarding,
        ),
        (
            Input::Bulkstats(BulkstatsTroubles {
                not_written: true,
                ..BulkstatsTroubles::default()
            }),
            Input::Bulkstats(BulkstatsTroubles::default()),
            AlarmKind::BulkstatsNotWritten,
        ),
        (
            Input::AuthorityUnreachable,
            Input::AuthorityReached,
            AlarmKind::AuthorityUnreachable,
        ),
    ];
    let mut rig = Rig::enabled(config());
    rig.sessions(GGSN, 5);
    let terms = rig.terms(GGSN);
    for (begins, ends, kind) in cases {
        rig.said();
        rig.tell(begins.clone());
        rig.tell(begins);
        assert_eq!(raised(&rig.events()), [kind]);
        assert!(rig.has(kind));
        rig.tell(ends.clone());
        rig.tell(ends);
        assert_eq!(cleared(&rig.events()), [kind]);
    }
    assert_eq!(rig.terms(GGSN), terms, "none of them blocks");
}

//= L16
#[test]
fn altered_state_is_an_alarm_until_the_authority_is_heard() {
    let mut rig = Rig::enabled(config());
    rig.tell(Input::StateTampered);
    let mut rig = rig.restart();
    assert!(rig.has(AlarmKind::StateTampered));
    rig.said();
    rig.tell(Input::Registered);
    assert!(cleared(&rig.events()).contains(&AlarmKind::StateTampered));
}

//= L16
#[test]
fn alarms_survive_a_restart_and_those_that_ended_with_the_process_are_cleared() {
    let mut rig = Rig::enabled(config());
    rig.sessions(GGSN, 10_000);
    let before = rig.snapshot().alarms;
    let service = GGSN;
    let at_limit = AlarmKind::AtLimit { service };
    assert_eq!(rig.alarms(), [AlarmKind::EvaluationMode, at_limit]);
    let mut rig = rig.restart();
    assert_eq!(rig.snapshot().alarms, before[..1]);
    let events = rig.events();
    assert_eq!(
        (cleared(&events), raised(&events)),
        (vec![at_limit], vec![])
    );
    rig.sessions(GGSN, 10_000);
    assert!(rig.snapshot().alarms[1].id > before[1].id);
}

#[test]
fn a_jump_of_the_wall_clock_is_told_and_changes_nothing() {
    let mut rig = Rig::registered(config());
    rig.sessions(GGSN, 20_000);
    rig.verdict(TAG, Answer::Authorized, Some(2));
    rig.said();
    rig.now.wall.0 += 400_000;
    rig.tell(Input::Timeout);
    assert_eq!(rig.events(), [Event::ClockJumped { by_s: 400 }]);
    rig.now.wall.0 -= 100 * 86_400_000;
    rig.tell(Input::Timeout);
    let events = rig.events();
    let by_s = -100 * 86_400;
    assert_eq!(events[0], Event::ClockJumped { by_s });
    assert_eq!(raised(&events), [AlarmKind::ClockTampered]);
    let row = rig.service(GGSN);
    assert_eq!(row.tag.compliance, Some(Compliance::Authorized));
    assert_eq!(row.ceiling, Some(SessionCount(20_000)));
    assert_eq!(rig.snapshot().authority_silent_s, Some(0));
    rig.pass(DAY);
    assert_eq!(cleared(&rig.events()), [AlarmKind::ClockTampered]);
}

//= L8
//= L16
#[test]
fn calls_without_an_authenticated_subscriber_are_one_alarm_until_it_was_quiet_for_ten_minutes() {
    let mut rig = Rig::registered(config());
    rig.said();
    rig.tell(Input::UnidentifiedCalls(2));
    assert_eq!(raised(&rig.events()), [AlarmKind::UnidentifiedCalls]);
    assert_eq!(rig.snapshot().alarms[0].value, 2);
    rig.pass(Duration::from_secs(599));
    rig.tell(Input::UnidentifiedCalls(1));
    rig.pass(Duration::from_secs(599));
    assert_eq!(rig.events(), [], "neither raised again nor cleared");
    assert_eq!(rig.snapshot().unidentified_calls, 3);
    rig.pass(Duration::from_secs(1));
    let events = rig.events();
    assert_eq!(cleared(&events), [AlarmKind::UnidentifiedCalls]);
    assert_eq!(raised(&events), []);
    rig.tell(Input::UnidentifiedCalls(1));
    assert_eq!(raised(&rig.events()), [AlarmKind::UnidentifiedCalls]);
}

//= L8
//= L16
#[test]
fn emergency_sessions_that_are_many_beside_the_others_are_one_alarm_until_they_are_few() {
    let mut rig = Rig::registered(config());
    rig.said();
    let mut step = |emergency: u64, others: u64| {
        rig.emergency_and_others(emergency, others);
        let events = rig.events();
        (raised(&events).len(), cleared(&events).len())
    };
    for (emergency, others, expected) in [
        (99, 0, (0, 0)),
        (100, 201, (1, 0)),
        (100, 202, (0, 0)),
        (100, 402, (0, 0)),
        (100, 404, (0, 1)),
        (101, 204, (0, 0)),
        (102, 204, (1, 0)),
        (51, 0, (0, 0)),
        (50, 0, (0, 0)),
        (49, 0, (0, 1)),
    ] {
        assert_eq!(step(emergency, others), expected, "{emergency} of {others}");
    }
    rig.emergency_and_others(100, 0);
    let alarms = rig.snapshot().alarms;
    let alarm = alarms
        .iter()
        .find(|alarm| alarm.kind == AlarmKind::EmergencyShare);
    assert_eq!(alarm.unwrap().value, 100);
}

//= L7
#[test]
fn a_block_is_an_order_about_new_calls_and_no_input_ends_a_session() {
    let mut rig = Rig::registered(config());
    rig.sessions(GGSN, 20_000);
    rig.verdict(TAG, Answer::OutOfCompliance, Some(1));
    let terms = rig.terms(GGSN);
    assert_eq!(terms.block, Some(Block::Service));
    let row = rig.service(GGSN);
    assert_eq!((row.sessions.0, row.tag.licenses.0), (20_000, 2));
}

#[test]
fn inputs_of_tags_that_are_not_there_change_nothing() {
    let mut rig = Rig::registered(config());
    let before = rig.snapshot();
    let tag = TagRef::Service(ServiceIndex(63));
    rig.verdict(tag, Answer::OutOfCompliance, None);
    rig.verdict(TagRef::Feature(FeatureIndex(63)), Answer::InvalidTag, None);
    rig.tell(Input::Feature {
        feature: FeatureIndex(63),
        enabled: true,
    });
    rig.tell(Input::Sealed {
        service: ServiceIndex(63),
        took_us: 1_000_000,
    });
    let mut after = rig.snapshot();
    after.seq = before.seq;
    assert_eq!(after, before);
}
