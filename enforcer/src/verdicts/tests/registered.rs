use licensing::snapshot::State;
use licensing::{Compliance, Policy, SessionCount, Threshold, Thresholds};

use super::*;
use crate::terms::Block;

fn ooc_feature(rig: &mut Rig) {
    rig.tell(Input::Feature {
        feature: GRE,
        enabled: true,
    });
    rig.verdict(TagRef::Feature(GRE), Answer::OutOfCompliance, None);
}

const FEATURE_OOC: AlarmKind = AlarmKind::FeatureOutOfCompliance { feature: GRE };
const GRACE_EXPIRED: AlarmKind = AlarmKind::GraceExpired {
    service: None,
    feature: Some(GRE),
};

//= L4
#[test]
fn until_the_first_verdict_the_ceiling_is_one_license_more_than_last_authorized() {
    let mut rig = Rig::registered(config());
    rig.sessions(GGSN, 5);
    let row = rig.service(GGSN);
    assert_eq!(row.tag.compliance, Some(Compliance::Waiting));
    assert_eq!(row.ceiling, Some(SessionCount(10_000)), "nothing plus one");
    rig.verdict(TAG, Answer::Authorized, Some(4));
    assert_eq!(rig.service(GGSN).ceiling, Some(SessionCount(40_000)));
    rig.tell(Input::Deregistered);
    assert_eq!(rig.service(GGSN).ceiling, Some(SessionCount(10_000)));
    rig.tell(Input::Registered);
    let row = rig.service(GGSN);
    assert_eq!(row.tag.compliance, Some(Compliance::Waiting));
    assert_eq!(row.ceiling, Some(SessionCount(50_000)));
    let rig = rig.restart();
    assert_eq!(rig.service(GGSN).ceiling, Some(SessionCount(50_000)));
}

//= L4
#[test]
fn authorized_without_a_grant_has_no_ceiling_and_counts_as_what_was_reported() {
    let mut rig = Rig::registered(config());
    rig.sessions(GGSN, 25_000);
    rig.tell(Input::Reported {
        tag: TAG,
        licenses: LicenseCount(3),
        ok: true,
    });
    rig.verdict(TAG, Answer::Authorized, None);
    assert_eq!(rig.service(GGSN).ceiling, None);
    assert_eq!(rig.terms(GGSN).ceiling, None);
    rig.tell(Input::Deregistered);
    rig.tell(Input::Registered);
    assert_eq!(rig.service(GGSN).ceiling, Some(SessionCount(40_000)));
}

//= L5
#[test]
fn a_service_out_of_compliance_is_blocked_at_once_and_an_authorized_verdict_clears() {
    let mut rig = Rig::registered(config());
    rig.sessions(GGSN, 20_001);
    rig.verdict(TAG, Answer::Authorized, None);
    rig.said();
    rig.verdict(TAG, Answer::OutOfCompliance, None);
    let since = rig.now.wall;
    let row = rig.service(GGSN);
    let ooc = Compliance::OutOfCompliance { since };
    assert_eq!(row.tag.compliance, Some(ooc));
    assert_eq!(
        (row.tag.policy, row.tag.state),
        (Policy::Block, State::Block)
    );
    assert_eq!(row.tag.grace_left_s, None);
    assert_eq!(rig.terms(GGSN).block, Some(Block::Service));
    let snapshot = rig.snapshot();
    let alarm = snapshot.alarms.iter().find(|alarm| alarm.kind == OOC);
    assert_eq!(alarm.map(|alarm| alarm.value), Some(3), "licenses in use");
    assert_eq!(raised(&rig.events()), [OOC]);
    rig.pass(HOUR);
    rig.said();
    rig.verdict(TAG, Answer::Authorized, None);
    assert_eq!(rig.service(GGSN).tag.state, State::Allow);
    assert_eq!(rig.terms(GGSN).block, None);
    assert_eq!(cleared(&rig.events()), [OOC]);
}

//= L5
#[test]
fn a_feature_has_90_days_of_grace_told_daily_under_one_number() {
    let mut rig = Rig::registered(config());
    rig.sessions(GGSN, 1);
    ooc_feature(&mut rig);
    let number = |rig: &Rig| {
        let alarms = rig.snapshot().alarms;
        alarms
            .iter()
            .find(|alarm| alarm.kind == FEATURE_OOC)
            .map(|alarm| alarm.id)
    };
    let id = number(&rig).unwrap();
    rig.said();
    for day in 1..90 {
        rig.pass(DAY);
        // The authority answers, and stands by it.
        rig.verdict(TagRef::Feature(GRE), Answer::OutOfCompliance, None);
        let events = rig.events();
        assert_eq!(repeated(&events), [(id, FEATURE_OOC)], "day {day}");
        assert_eq!((raised(&events), cleared(&events)), (vec![], vec![]));
        assert_eq!(rig.feature(GRE).tag.policy, Policy::Allow);
        let left = rig.feature(GRE).tag.grace_left_s;
        assert_eq!(left, Some((90 - day) * 86_400));
        assert_eq!(rig.terms(GGSN).block, None);
    }
    rig.pass(DAY);
    assert_eq!(rig.feature(GRE).tag.policy, Policy::Block);
    assert_eq!(rig.feature(GRE).tag.grace_left_s, Some(0));
    assert_eq!(rig.terms(GGSN).block, Some(Block::Feature(GRE)));
    assert_eq!(number(&rig), Some(id), "the alarm stands");
    let events = rig.events();
    assert_eq!(raised(&events), [GRACE_EXPIRED]);
    assert_eq!(repeated(&events), []);
}

//= L5
#[test]
fn the_grace_counts_only_use_and_goes_on_after_a_restart() {
    let mut rig = Rig::registered(config());
    ooc_feature(&mut rig);
    rig.pass(50 * DAY);
    rig.verdict(TagRef::Feature(GRE), Answer::OutOfCompliance, None);
    let id = rig.snapshot().alarms[0].id;
    let mut rig = rig.restart();
    let left = rig.feature(GRE).tag.grace_left_s.unwrap();
    assert!((40 * 86_400 - 60..=40 * 86_400).contains(&left), "{left}");
    assert_eq!(rig.snapshot().alarms[0].id, id, "the same alarm");
    rig.pass(39 * DAY);
    assert_eq!(rig.feature(GRE).tag.policy, Policy::Allow);
    rig.pass(DAY);
    assert_eq!(rig.feature(GRE).tag.policy, Policy::Block);
}

//= L5
#[test]
fn use_that_falls_to_zero_clears() {
    let mut rig = Rig::registered(config());
    rig.sessions(GGSN, 20_000);
    rig.verdict(TAG, Answer::OutOfCompliance, Some(1));
    ooc_feature(&mut rig);
    rig.pass(DAY);
    rig.said();
    rig.sessions(GGSN, 0);
    assert_eq!(cleared(&rig.events()), [OOC]);
    assert_eq!(rig.service(GGSN).tag.policy, Policy::Allow);
    assert_eq!(rig.service(GGSN).tag.compliance, None, "not in use");
    rig.said();
    rig.tell(Input::Feature {
        feature: GRE,
        enabled: false,
    });
    assert_eq!(cleared(&rig.events()), [FEATURE_OOC]);
    assert_eq!(rig.feature(GRE).tag.policy, Policy::Allow);
    // A late answer to the use that is gone changes nothing.
    rig.verdict(TagRef::Feature(GRE), Answer::OutOfCompliance, None);
    assert!(!rig.has(FEATURE_OOC));
}

//= L5
#[test]
fn an_episode_within_24_hours_goes_on_with_its_grace_and_a_later_one_has_a_new() {
    let mut rig = Rig::registered(config());
    ooc_feature(&mut rig);
    let tag = TagRef::Feature(GRE);
    rig.pass(30 * DAY);
    rig.verdict(tag, Answer::Authorized, None);
    assert_eq!(rig.feature(GRE).tag.grace_left_s, None, "no episode is on");
    rig.pass(23 * HOUR);
    rig = rig.restart();
    rig.pass(59 * MINUTE);
    rig.verdict(tag, Answer::OutOfCompliance, None);
    let left = rig.feature(GRE).tag.grace_left_s.unwrap();
    assert!(left <= 60 * 86_400, "{left}");
    rig.verdict(tag, Answer::Authorized, None);
    rig.pass(DAY);
    rig.verdict(tag, Answer::OutOfCompliance, None);
    let left = rig.feature(GRE).tag.grace_left_s;
    assert_eq!(left, Some(90 * 86_400));
}

//= L5
#[test]
fn the_rule_of_the_catalog_decides() {
    let rule = "on_ooc = \"allow\"\ngrace_days = 0";
    let mut rig = Rig::registered(small(rule, "grace_days = 1"));
    rig.sessions(S, 30);
    let tag = TagRef::Service(S);
    rig.verdict(tag, Answer::OutOfCompliance, Some(2));
    let row = rig.service(S);
    assert_eq!((row.tag.policy, row.ceiling), (Policy::Allow, None));
    assert_eq!(rig.terms(S).block, None);
    let service = S;
    assert!(rig.has(AlarmKind::ServiceOutOfCompliance { service }));
}

//= L6
#[test]
fn a_grant_is_an_exact_ceiling_and_the_limit_is_shown_and_alarmed() {
    let at_limit = AlarmKind::AtLimit { service: GGSN };
    let mut rig = Rig::registered(config());
    rig.sessions(GGSN, 29_999);
    assert!(rig.has(at_limit), "waiting, with one license");
    rig.said();
    rig.verdict(TAG, Answer::Authorized, Some(3));
    assert_eq!(cleared(&rig.events()), [at_limit], "another ceiling");
    assert_eq!(rig.service(GGSN).tag.state, State::Allow);
    assert_eq!(rig.terms(GGSN).ceiling, Some(30_000));
    rig.said();
    rig.sessions(GGSN, 30_000);
    let row = rig.service(GGSN);
    assert_eq!(row.tag.state, State::AllowAtLimit);
    assert_eq!(row.tag.policy, Policy::Allow);
    assert_eq!(
        row.tag.registered.policy_change_block, 0,
        "reaching the limit is no block"
    );
    assert_eq!(row.tag.since, rig.now.wall);
    assert_eq!(raised(&rig.events()), [at_limit]);
    rig.sessions(GGSN, 29_999);
    assert_eq!(rig.service(GGSN).tag.state, State::Allow);
    rig.sessions(GGSN, 30_000);
    assert_eq!(
        rig.events(),
        [],
        "a call that comes and goes is no new alarm"
    );
    rig.sessions(GGSN, 29_400);
    assert_eq!(cleared(&rig.events()), [at_limit]);
    rig.sessions(GGSN, 30_000);
    rig.said();
    rig.verdict(TAG, Answer::Authorized, Some(4));
    assert_eq!(cleared(&rig.events()), [at_limit], "one license more");
}

//= L6
#[test]
fn a_call_refused_at_the_ceiling_between_two_samples_raises_the_alarm() {
    let mut rig = Rig::enabled(config());
    rig.sessions(GGSN, 9_990);
    let counters = ClassCounters {
        refused_ceiling: 1,
        ..ClassCounters::default()
    };
    rig.said();
    rig.class(class(GGSN, &[], CallKind::Ordinary), counters);
    let service = GGSN;
    assert_eq!(raised(&rig.events()), [AlarmKind::AtLimit { service }]);
    assert_eq!(rig.service(GGSN).tag.refused.at_ceiling, 1);
    rig.sessions(GGSN, 9_000);
    assert_eq!(cleared(&rig.events()), [AlarmKind::AtLimit { service }]);
}

//= L6
//= L16
#[test]
fn at_a_ceiling_of_zero_the_alarm_stands_until_the_ceiling_moves() {
    let mut rig = Rig::registered(config());
    rig.verdict(TAG, Answer::Authorized, Some(0));
    let service = GGSN;
    let at_limit = AlarmKind::AtLimit { service };
    assert_eq!(rig.service(GGSN).tag.state, State::AllowAtLimit);
    assert!(!rig.has(at_limit), "nobody called");
    let counters = ClassCounters {
        refused_ceiling: 1,
        ..ClassCounters::default()
    };
    rig.said();
    rig.class(class(GGSN, &[], CallKind::Ordinary), counters);
    assert_eq!(raised(&rig.events()), [at_limit]);
    rig.sessions(GGSN, 0);
    rig.pass(MINUTE);
    assert_eq!(rig.events(), [], "it stands");
    rig.verdict(TAG, Answer::Authorized, Some(1));
    assert_eq!(cleared(&rig.events()), [at_limit]);
}

//= L9
#[test]
fn a_ceiling_below_use_ends_nothing_and_stops_growth() {
    let mut rig = Rig::registered(config());
    rig.sessions(GGSN, 25_000);
    rig.verdict(TAG, Answer::Authorized, Some(3));
    rig.said();
    rig.verdict(TAG, Answer::Authorized, Some(1));
    let row = rig.service(GGSN);
    assert_eq!((row.tag.policy, row.sessions.0), (Policy::Allow, 25_000));
    assert_eq!(row.tag.state, State::AllowAtLimit);
    let terms = rig.terms(GGSN);
    assert_eq!((terms.ceiling, terms.block), (Some(10_000), None));
    let told = rig.events();
    let shrunk = Event::CeilingChanged {
        service: GGSN,
        from: Some(SessionCount(30_000)),
        to: Some(SessionCount(10_000)),
    };
    assert!(told.contains(&shrunk));
    rig.sessions(GGSN, 9_999);
    assert_eq!(rig.service(GGSN).tag.state, State::Allow);
}

//= L10
#[test]
fn silence_never_lowers_a_ceiling_until_its_90_days_are_over() {
    let mut rig = Rig::registered(config());
    rig.sessions(GGSN, 25_000);
    rig.verdict(TAG, Answer::Authorized, Some(5));
    let terms = rig.terms(GGSN);
    rig.said();
    rig.tell(Input::AuthorityUnreachable);
    rig.tell(Input::RegistrationFailed);
    assert_eq!(raised(&rig.events()), [AlarmKind::AuthorityUnreachable]);
    rig.pass(45 * DAY);
    let mut rig = rig.restart();
    assert_eq!(rig.terms(GGSN), terms, "a restart changes nothing");
    assert!(rig.has(AlarmKind::AuthorityUnreachable));
    rig.sessions(GGSN, 25_000);
    rig.pass(45 * DAY - 2 * MINUTE);
    assert_eq!(rig.terms(GGSN), terms);
    rig.said();
    rig.pass(2 * MINUTE);
    let row = rig.service(GGSN);
    assert_eq!(row.tag.compliance, Some(Compliance::AuthorizationExpired));
    assert_eq!(row.tag.policy, Policy::Allow, "evaluation is left");
    assert_eq!(rig.terms(GGSN).ceiling, Some(10_000));
    assert_eq!(
        raised(&rig.events())[..1],
        [AlarmKind::AuthorizationExpired]
    );
    assert!(rig.snapshot().evaluation.running);
    rig.pass(90 * DAY);
    assert_eq!(rig.service(GGSN).tag.policy, Policy::Block);
    assert!(rig.has(AlarmKind::EvaluationExpired));
    rig.said();
    rig.tell(Input::AuthorityReached);
    assert_eq!(rig.terms(GGSN), terms, "the last verdict holds again");
    let mut ended = cleared(&rig.events());
    ended.sort();
    let expected = [
        AlarmKind::EvaluationExpired,
        AlarmKind::AuthorityUnreachable,
        AlarmKind::AuthorizationExpired,
        AlarmKind::EvaluationEnded {
            service: Some(GGSN),
            feature: None,
        },
    ];
    assert_eq!(ended, expected);
}

//= L10
#[test]
fn silence_is_warned_of_on_its_ladder_and_any_answer_begins_it_anew() {
    let mut rig = Rig::registered(config());
    let warned = |rig: &mut Rig| -> Vec<u64> {
        let events = rig.events().into_iter();
        events
            .filter_map(|event| {
                let Event::SilenceWarning { silent_s } = event else {
                    return None;
                };
                Some(silent_s / 86_400)
            })
            .collect()
    };
    rig.pass(29 * DAY);
    assert!(warned(&mut rig).is_empty());
    rig.tell(Input::AuthorityReached);
    assert_eq!(rig.snapshot().authority_silent_s, Some(0));
    rig.pass(29 * DAY);
    assert!(warned(&mut rig).is_empty());
    rig.verdict(TAG, Answer::Authorized, None);
    for _ in 0..95 {
        rig.pass(DAY);
    }
    assert_eq!(warned(&mut rig), [30, 60, 80, 85]);
    assert!(rig.has(AlarmKind::AuthorizationExpired));
}

//= L11
#[test]
fn a_tag_that_the_authority_does_not_know_goes_by_the_rule_of_l5() {
    let mut rig = Rig::registered(config());
    rig.sessions(GGSN, 5);
    rig.verdict(TAG, Answer::InvalidTag, None);
    let row = rig.service(GGSN);
    assert_eq!(row.tag.compliance, Some(Compliance::InvalidTag));
    assert_eq!(row.tag.policy, Policy::Block);
    assert!(rig.has(OOC));
    rig.tell(Input::Feature {
        feature: GRE,
        enabled: true,
    });
    rig.verdict(TagRef::Feature(GRE), Answer::InvalidTag, None);
    let row = rig.feature(GRE);
    assert_eq!(row.tag.policy, Policy::Allow);
    assert_eq!(row.tag.grace_left_s, Some(90 * 86_400));
    assert!(rig.has(FEATURE_OOC));
}

//= L11
#[test]
fn a_renewal_keeps_the_verdicts_and_deregistering_returns_to_evaluation() {
    let mut rig = Rig::registered(config());
    rig.sessions(GGSN, 5);
    rig.verdict(TAG, Answer::OutOfCompliance, Some(2));
    rig.pass(DAY);
    rig.said();
    rig.tell(Input::Registered);
    assert_eq!(rig.events(), [], "a renewal is no change of mode");
    assert_eq!(rig.service(GGSN).tag.policy, Policy::Block);
    let registration = rig.enforcer.registration.unwrap();
    assert_eq!(registration.renewed, rig.now.wall);
    assert!(registration.since < registration.renewed);
    rig.verdict(TAG, Answer::Authorized, Some(2));
    rig.tell(Input::Deregistered);
    let row = rig.service(GGSN);
    assert_eq!(row.tag.compliance, Some(Compliance::Evaluation));
    assert_eq!(row.ceiling, Some(SessionCount(10_000)));
    assert_eq!(row.tag.entitlement, None);
    assert!(!rig.has(OOC));
    rig.verdict(TAG, Answer::OutOfCompliance, Some(2));
    assert_eq!(
        rig.service(GGSN).tag.policy,
        Policy::Allow,
        "nobody's verdict"
    );
}

fn watched() -> Config {
    Config {
        thresholds: Thresholds {
            remaining: Some(Threshold {
                raise_percent: 10,
                clear_percent: 20,
            }),
            congestion: Some(Threshold {
                raise_percent: 75,
                clear_percent: 70,
            }),
        },
        ..config()
    }
}

//= L16
#[test]
fn few_sessions_left_are_an_alarm_until_more_than_the_upper_mark_are() {
    let low = AlarmKind::RemainingLow { service: GGSN };
    let mut rig = Rig::registered(watched());
    rig.sessions(GGSN, 8_999);
    rig.verdict(TAG, Answer::Authorized, Some(1));
    assert!(!rig.has(low));
    rig.said();
    rig.sessions(GGSN, 9_000);
    assert_eq!(raised(&rig.events()), [low]);
    let alarms = rig.snapshot().alarms;
    let value = alarms.iter().find(|alarm| alarm.kind == low);
    assert_eq!(value.unwrap().value, 10, "percent left");
    for sessions in [8_999, 9_500, 8_000] {
        rig.sessions(GGSN, sessions);
        assert!(rig.has(low), "{sessions}");
    }
    rig.said();
    rig.sessions(GGSN, 7_999);
    let events = rig.events();
    let [Event::AlarmCleared { alarm }] = &events[..] else {
        panic!("one clear: {events:?}");
    };
    assert_eq!((alarm.kind, alarm.value), (low, 20));
    rig.sessions(GGSN, 10_000);
    assert!(rig.has(low));
    rig.verdict(TAG, Answer::Authorized, None);
    assert!(!rig.has(low), "without a ceiling nothing is few");
}

//= L16
#[test]
fn licenses_in_use_beyond_a_mark_are_an_alarm_until_they_are_a_tolerance_below_it() {
    let congested = AlarmKind::LicenseCongestion { service: GGSN };
    let mut rig = Rig::registered(watched());
    rig.sessions(GGSN, 7_499);
    rig.verdict(TAG, Answer::Authorized, Some(1));
    assert!(!rig.has(congested));
    rig.said();
    rig.sessions(GGSN, 7_500);
    assert_eq!(raised(&rig.events()), [congested]);
    rig.sessions(GGSN, 7_001);
    assert!(rig.has(congested));
    rig.said();
    rig.sessions(GGSN, 7_000);
    assert_eq!(cleared(&rig.events()), [congested]);
    rig.sessions(GGSN, 7_499);
    assert!(!rig.has(congested));
    rig.sessions(GGSN, 12_000);
    assert!(rig.has(congested), "in debt");
    rig.verdict(TAG, Answer::OutOfCompliance, Some(1));
    assert!(!rig.has(congested), "a block is another alarm");
}

//= L16
#[test]
fn a_mark_that_an_operator_sets_holds_from_then_on() {
    let low = AlarmKind::RemainingLow { service: GGSN };
    let mut rig = Rig::registered(config());
    rig.verdict(TAG, Answer::Authorized, Some(1));
    rig.sessions(GGSN, 9_000);
    rig.said();
    let at = |raise_percent, clear_percent| {
        Input::RemainingThreshold(Some(Threshold {
            raise_percent,
            clear_percent,
        }))
    };
    rig.tell(at(9, 20));
    assert!(!rig.has(low));
    rig.tell(at(10, 20));
    assert_eq!(raised(&rig.events()), [low]);
    assert_eq!(
        rig.snapshot().thresholds.remaining.unwrap().raise_percent,
        10
    );
    rig.tell(at(5, 5));
    assert_eq!(cleared(&rig.events()), [low]);
    rig.tell(at(50, 50));
    assert!(rig.has(low));
    rig.said();
    rig.tell(Input::RemainingThreshold(None));
    assert_eq!(cleared(&rig.events()), [low]);
}

#[test]
fn without_thresholds_nobody_is_told_of_use_below_the_ceiling() {
    let mut rig = Rig::registered(config());
    rig.verdict(TAG, Answer::Authorized, Some(1));
    rig.sessions(GGSN, 9_999);
    assert_eq!(rig.alarms(), []);
}

//= L16
#[test]
fn a_root_that_is_about_to_expire_is_an_alarm_also_over_a_restart() {
    let expiring = AlarmKind::AuthorityCertificateExpiring;
    let mut rig = Rig::registered(config());
    rig.said();
    rig.tell(Input::AuthorityCertificate { expiring: true });
    assert_eq!(raised(&rig.events()), [expiring]);
    let mut rig = rig.restart();
    assert!(rig.has(expiring));
    rig.said();
    rig.tell(Input::AuthorityCertificate { expiring: false });
    assert_eq!(cleared(&rig.events()), [expiring]);
}

//= L5
//= L10
#[test]
fn deregistering_does_not_lift_a_block_and_use_that_falls_to_zero_does() {
    let mut rig = Rig::registered(config());
    rig.sessions(GGSN, 20_001);
    rig.sessions(PGW, 5);
    rig.verdict(TAG, Answer::OutOfCompliance, Some(2));
    let since = rig.now.wall;
    rig.pass(DAY);
    rig.said();
    rig.tell(Input::Deregistered);
    let row = rig.service(GGSN);
    let ooc = Compliance::OutOfCompliance { since };
    assert_eq!(row.tag.compliance, Some(ooc));
    assert_eq!((row.tag.policy, row.tag.entitlement), (Policy::Block, None));
    assert_eq!(cleared(&rig.events()), []);
    assert_eq!(
        rig.service(PGW).tag.policy,
        Policy::Allow,
        "nobody objected"
    );
    // Registered anew, the authority decides; until it has, the objection holds.
    rig.tell(Input::Registered);
    assert_eq!(rig.service(GGSN).tag.policy, Policy::Block);
    rig.tell(Input::Deregistered);
    rig.said();
    rig.sessions(GGSN, 0);
    assert_eq!(cleared(&rig.events()), [OOC]);
    rig.sessions(GGSN, 1);
    let row = rig.service(GGSN);
    assert_eq!(row.tag.compliance, Some(Compliance::Evaluation));
    assert_eq!(row.ceiling, Some(SessionCount(10_000)));
}

//= L5
//= L10
#[test]
fn the_grace_of_a_feature_runs_on_after_deregistering_and_a_restart() {
    let mut rig = Rig::registered(config());
    rig.sessions(GGSN, 1);
    ooc_feature(&mut rig);
    rig.pass(50 * DAY);
    rig.tell(Input::Deregistered);
    let row = rig.feature(GRE);
    assert_eq!(row.tag.compliance, Some(Compliance::Evaluation), "in grace");
    assert!(rig.has(FEATURE_OOC));
    let mut rig = rig.restart();
    rig.sessions(GGSN, 1);
    rig.pass(39 * DAY);
    assert_eq!(rig.feature(GRE).tag.policy, Policy::Allow);
    rig.pass(DAY);
    assert_eq!(rig.feature(GRE).tag.policy, Policy::Block);
    assert_eq!(rig.terms(GGSN).block, Some(Block::Feature(GRE)));
    rig.tell(Input::Feature {
        feature: GRE,
        enabled: false,
    });
    assert!(!rig.has(FEATURE_OOC));
    assert_eq!(rig.terms(GGSN).block, None);
}

//= L10
#[test]
fn ninety_days_of_silence_do_not_lift_a_block() {
    let mut rig = Rig::registered(config());
    rig.sessions(GGSN, 20_001);
    rig.verdict(TAG, Answer::OutOfCompliance, Some(2));
    rig.pass(91 * DAY);
    assert!(rig.has(AlarmKind::AuthorizationExpired));
    assert_eq!(rig.service(GGSN).tag.policy, Policy::Block);
    assert!(rig.has(OOC));
    rig.pass(90 * DAY);
    let row = rig.service(GGSN);
    let expired = Some(Compliance::AuthorizationExpired);
    assert_eq!(
        (row.tag.compliance, row.tag.policy),
        (expired, Policy::Block)
    );
    // Without use nothing is objected to, and nobody is heard who could say so.
    rig.sessions(GGSN, 0);
    assert!(!rig.has(OOC));
}

/// What the authority granted for so long.
fn grant(rig: &mut Rig, licenses: u32, lasts: Duration) {
    rig.tell(Input::Verdict {
        tag: TAG,
        answer: Answer::Authorized,
        granted: Some(Entitlement {
            licenses: LicenseCount(licenses),
            until: Some(Wall(rig.now.wall.0 + lasts.as_millis() as i64)),
        }),
        lasts_ms: Some(u64::try_from(lasts.as_millis()).unwrap()),
    });
}

//= L10
#[test]
fn a_grant_holds_until_its_end_and_an_hour_whatever_the_silence_and_no_longer() {
    let mut rig = Rig::registered(config());
    rig.sessions(GGSN, 25_000);
    grant(&mut rig, 5, 10 * DAY);
    let terms = rig.terms(GGSN);
    rig.tell(Input::AuthorityUnreachable);
    rig.pass(10 * DAY + 59 * MINUTE);
    assert_eq!(rig.terms(GGSN), terms);
    assert!(!rig.has(AlarmKind::AuthorizationExpired));
    rig.said();
    rig.pass(MINUTE);
    let row = rig.service(GGSN);
    assert_eq!(row.tag.compliance, Some(Compliance::AuthorizationExpired));
    assert_eq!(row.ceiling, Some(SessionCount(10_000)), "of the evaluation");
    assert!(raised(&rig.events()).contains(&AlarmKind::AuthorizationExpired));
    assert!(rig.snapshot().evaluation.running);
    rig.verdict(TAG, Answer::Authorized, Some(5));
    assert_eq!(rig.terms(GGSN), terms);
    assert!(!rig.has(AlarmKind::AuthorizationExpired));
}

//= L10
#[test]
fn the_end_of_a_grant_moves_neither_by_other_answers_nor_by_restarts_nor_by_the_wall_clock() {
    let mut rig = Rig::registered(config());
    rig.sessions(GGSN, 25_000);
    grant(&mut rig, 5, 10 * DAY);
    rig.pass(4 * DAY);
    rig.tell(Input::AuthorityReached);
    rig.pass(4 * DAY);
    rig.now.wall = Wall(rig.now.wall.0 + 40 * 86_400_000);
    let mut rig = rig.restart();
    rig.sessions(GGSN, 25_000);
    assert_eq!(rig.service(GGSN).ceiling, Some(SessionCount(50_000)));
    rig.pass(2 * DAY + 50 * MINUTE);
    assert_eq!(rig.service(GGSN).ceiling, Some(SessionCount(50_000)));
    rig.pass(10 * MINUTE);
    assert_eq!(rig.service(GGSN).ceiling, Some(SessionCount(10_000)));
}
