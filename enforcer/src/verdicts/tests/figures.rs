use std::sync::Arc;

use licensing::snapshot::{EmergencyCounts, ModeStatistics};
use licensing::{Compliance, Policy, RefusalReason, SessionCount};

use super::*;
use crate::counts::{LedgerBounds, RecountRow, WorkerRecount};
use crate::ring::RefusalSeen;

//= L8
#[test]
fn emergency_calls_hold_no_license_and_are_counted_apart() {
    let mut rig = Rig::enabled(config());
    let emergency = class(GGSN, &[GRE], CallKind::Emergency);
    rig.class(emergency, admitted(12, 5));
    let expected = EmergencyCounts {
        sessions: 7,
        admitted: 12,
    };
    assert_eq!(rig.snapshot().emergency, expected);
    let row = rig.service(GGSN);
    assert_eq!(
        (row.sessions.0, row.tag.licenses.0, row.tag.in_use),
        (0, 0, false)
    );
    assert!(!rig.feature(GRE).tag.in_use, "nor of a feature");
    assert!(!rig.snapshot().evaluation.running);
}

//= L8
#[test]
fn priority_calls_hold_a_license_and_their_share_follows_the_ceiling() {
    let mut rig = Rig::registered(Config {
        priority_percent: 4,
        ..config()
    });
    rig.counts.services[GGSN.at()].sessions = 9;
    rig.class(class(GGSN, &[], CallKind::Priority), admitted(6, 2));
    let row = rig.service(GGSN);
    assert_eq!((row.sessions.0, row.priority_sessions.0), (9, 4));
    assert_eq!(rig.service(PGW).priority_sessions.0, 0);
    rig.verdict(TAG, Answer::Authorized, Some(3));
    assert_eq!(rig.terms(GGSN).priority_share, 1_200);
    rig.verdict(TAG, Answer::Authorized, None);
    assert_eq!(rig.terms(GGSN).ceiling, None);
    rig.verdict(TAG, Answer::OutOfCompliance, None);
    let terms = rig.terms(GGSN);
    assert_eq!((terms.ceiling, terms.priority_share), (Some(30_000), 1_200));
    let rig = rig.restart();
    assert_eq!(rig.terms(GGSN), terms, "the last finite ceiling is kept");
}

//= L13
#[test]
fn a_service_counts_by_its_ledger_and_classes_count_for_features() {
    let mut rig = Rig::enabled(config());
    rig.counts.services[GGSN.at()] = ServiceCount {
        sessions: 40,
        peak: 55,
    };
    rig.class(class(GGSN, &[GRE], CallKind::Ordinary), admitted(100, 59));
    let row = rig.service(GGSN);
    assert_eq!(
        (row.sessions, row.peak),
        (SessionCount(40), SessionCount(55))
    );
    assert_eq!(row.tag.licenses, LicenseCount(1));
    assert_eq!(rig.feature(GRE).sessions, SessionCount(41));
    rig.sessions(GGSN, 10_001);
    assert_eq!(rig.service(GGSN).tag.licenses, LicenseCount(2));
}

fn pass(worker: u16, table: u64, counter: i64) -> Input {
    let class = class(GGSN, &[GRE], CallKind::Ordinary);
    let row = RecountRow {
        class,
        table,
        counter,
    };
    let rows = vec![row];
    Input::Recounted(WorkerRecount { worker, rows })
}

fn ledger(ledger: u32) -> Input {
    Input::LedgerChecked(vec![LedgerBounds {
        service: GGSN,
        ledger,
        low: 8,
        high: 10,
    }])
}

//= L14
#[test]
fn the_recount_publishes_drift_and_time_and_a_drift_is_an_alarm() {
    let (service, feature) = (Some(GGSN), Some(GRE));
    let of_service = AlarmKind::CountDrift {
        service,
        feature: None,
    };
    let of_feature = AlarmKind::CountDrift {
        service: None,
        feature,
    };
    let mut rig = Rig::new(Config {
        workers: 2,
        ..config()
    });
    assert_eq!(
        (rig.service(GGSN).tag.drift, rig.snapshot().recount),
        (None, None)
    );
    rig.tell(pass(0, 5, 5));
    rig.tell(pass(1, 4, 4));
    rig.pass(MINUTE);
    rig.tell(ledger(9));
    let proved = rig.now.wall;
    let tag = rig.service(GGSN).tag;
    assert_eq!((tag.drift, tag.proved), (Some(0), Some(proved)));
    let recount = rig.snapshot().recount.unwrap();
    assert_eq!((recount.sessions, recount.drift), (9, 0));
    assert_eq!(rig.alarms(), []);

    rig.pass(MINUTE);
    rig.said();
    rig.tell(ledger(12));
    rig.tell(pass(0, 5, 6));
    assert_eq!(
        rig.service(GGSN).tag.proved,
        Some(proved),
        "one worker is missing"
    );
    rig.tell(pass(1, 4, 4));
    assert_eq!(raised(&rig.events()), [of_feature, of_service]);
    assert_eq!(rig.service(GGSN).tag.drift, Some(3));
    assert_eq!(rig.feature(GRE).tag.drift, Some(1));
    assert_eq!(rig.service(PGW).tag.drift, Some(0));
    assert_eq!(rig.snapshot().alarms[1].value, 3);

    rig.tell(ledger(8));
    rig.tell(pass(0, 4, 4));
    rig.tell(pass(1, 4, 4));
    assert_eq!(cleared(&rig.events()), [of_feature, of_service]);
}

//= L15
#[test]
fn statistics_are_kept_a_mode_and_freeze_when_it_is_left() {
    let mut rig = Rig::enabled(config());
    rig.sessions(GGSN, 700);
    rig.sessions(GGSN, 400);
    rig.tell(Input::Registered);
    let row = rig.service(GGSN).tag;
    let expected = ModeStatistics {
        policy: Some(Policy::Allow),
        cur_call_count: 0,
        max_call_count: 700,
        ..ModeStatistics::default()
    };
    assert_eq!(row.evaluation, expected);
    assert_eq!(row.registered.cur_call_count, 400);
    assert_eq!(
        row.registered.max_call_count, 400,
        "the peak was the other mode's"
    );
    rig.sessions(GGSN, 500);
    rig.verdict(TAG, Answer::OutOfCompliance, None);
    rig.verdict(TAG, Answer::Authorized, None);
    rig.verdict(TAG, Answer::OutOfCompliance, None);
    let row = rig.service(GGSN).tag;
    assert_eq!(row.evaluation, expected, "it stands still");
    let live = row.registered;
    assert_eq!(live.policy, Some(Policy::Block));
    assert_eq!((live.cur_call_count, live.max_call_count), (500, 500));
    assert_eq!((live.policy_change_block, live.policy_change_allow), (2, 1));
}

//= L15
#[test]
fn a_peak_between_two_samples_is_the_maximum() {
    let mut rig = Rig::enabled(config());
    rig.counts.services[GGSN.at()] = ServiceCount {
        sessions: 10,
        peak: 90,
    };
    rig.tell(Input::Counts(rig.counts.clone()));
    let seen_at = rig.now.wall;
    let row = rig.service(GGSN).tag.evaluation;
    assert_eq!((row.cur_call_count, row.max_call_count), (10, 90));
    assert_eq!(rig.service(GGSN).peak_at, Some(seen_at));
    assert_eq!(rig.service(PGW).peak_at, None, "no session, no peak");
    rig.pass(Duration::from_secs(60));
    rig.counts.services[GGSN.at()].sessions = 80;
    rig.tell(Input::Counts(rig.counts.clone()));
    let row = rig.service(GGSN);
    assert_eq!((row.peak.0, row.peak_at), (90, Some(seen_at)));
}

//= L15
#[test]
fn reports_seals_and_maxima_are_counted_and_kept() {
    let mut rig = Rig::registered(config());
    rig.sessions(GGSN, 25_000);
    assert_eq!(
        rig.service(GGSN).tag.registered.report_success,
        None,
        "no agent"
    );
    let report = |licenses, ok| Input::Reported {
        tag: TAG,
        licenses: LicenseCount(licenses),
        ok,
    };
    rig.tell(report(3, true));
    rig.tell(report(2, true));
    rig.tell(report(9, false));
    rig.verdict(TAG, Answer::OutOfCompliance, None);
    let sealed = |took_us| Input::Sealed {
        service: GGSN,
        took_us,
    };
    rig.tell(sealed(100_000));
    assert_eq!(rig.service(GGSN).tag.registered.policy_change_bounce, 0);
    rig.tell(sealed(100_001));
    rig.tell(sealed(100_001));
    let row = rig.service(GGSN).tag.registered;
    assert_eq!((row.last_lic_count, row.max_lic_count), (Some(2), Some(3)));
    assert_eq!((row.report_success, row.report_failure), (Some(2), Some(1)));
    assert_eq!(row.policy_change_bounce, 1, "one change, one bounce");
    assert_eq!(rig.service(PGW).tag.registered.policy_change_bounce, 0);
    rig.pass(MINUTE);
    let again = rig.restart().service(GGSN).tag.registered;
    let mut expected = row;
    expected.cur_call_count = 0;
    assert_eq!(again, expected);
}

//= L15
#[test]
fn refused_calls_are_counted_by_reason_and_subscribers_once() {
    let mut rig = Rig::enabled(config());
    let counters = ClassCounters {
        refused_service: 3,
        refused_feature: 4,
        refused_ceiling: 5,
        ..ClassCounters::default()
    };
    rig.class(class(GGSN, &[], CallKind::Ordinary), counters);
    rig.class(class(GGSN, &[GRE], CallKind::Priority), counters);
    let feature = GRE;
    let by_feature = RefusalReason::FeatureBlocked { feature };
    let seen = vec![
        refused(&rig, RefusalReason::AtCeiling, true),
        refused(&rig, RefusalReason::AtCeiling, false),
        refused(&rig, by_feature, true),
    ];
    rig.tell(Input::Refusals(seen));
    let counts = rig.service(GGSN).tag.refused;
    assert_eq!(
        (counts.blocked, counts.by_feature, counts.at_ceiling),
        (6, 8, 10)
    );
    assert_eq!(counts.subscribers, 2);
    let counts = rig.feature(GRE).tag.refused;
    assert_eq!((counts.blocked, counts.subscribers), (1, 1));
    assert_eq!(rig.service(PGW).tag.refused.at_ceiling, 0);
}

#[test]
fn calls_that_were_admitted_are_counted_by_service_emergency_calls_apart() {
    let mut rig = Rig::enabled(config());
    rig.class(class(GGSN, &[GRE], CallKind::Ordinary), admitted(100, 59));
    rig.class(class(GGSN, &[], CallKind::Priority), admitted(6, 2));
    rig.class(class(GGSN, &[], CallKind::Emergency), admitted(7, 0));
    rig.class(class(PGW, &[], CallKind::Ordinary), admitted(1, 0));
    assert_eq!(rig.service(GGSN).admitted, 106);
    assert_eq!(rig.service(PGW).admitted, 1);
}

fn refused(rig: &Rig, reason: RefusalReason, new_subscriber: bool) -> RefusalSeen {
    RefusalSeen {
        at: rig.now.wall,
        service: GGSN,
        reason,
        sessions: 10_000,
        ceiling: Some(10_000),
        apn: Arc::from("internet"),
        cause: 199,
        new_subscriber,
    }
}

//= L17
#[test]
fn every_refusal_is_explained_by_what_held_when_it_was_decided() {
    let mut rig = Rig::enabled(config());
    rig.sessions(GGSN, 10_000);
    rig.pass(DAY);
    let at_ceiling = refused(&rig, RefusalReason::AtCeiling, true);
    rig.tell(Input::Refusals(vec![at_ceiling.clone()]));
    rig.pass(89 * DAY);
    let ended = rig.now.wall;
    let blocked = refused(&rig, RefusalReason::ServiceBlocked, true);
    // One that was decided before the end arrives after it.
    rig.tell(Input::Refusals(vec![at_ceiling, blocked]));
    let history: Vec<_> = rig.enforcer.history().cloned().collect();
    let [blocked, late, first] = &history[..] else {
        panic!("three: {history:?}");
    };
    assert_eq!(first.timer_left_s, Some(89 * 86_400));
    assert_eq!((first.policy, first.policy_since), (Policy::Allow, START));
    assert_eq!(first.compliance, Compliance::Evaluation);
    assert_eq!((late.at, late.policy), (first.at, Policy::Allow));
    assert_eq!(
        (late.compliance, late.policy_since),
        (Compliance::Evaluation, START)
    );
    assert_eq!(
        (blocked.policy, blocked.policy_since),
        (Policy::Block, ended)
    );
    assert_eq!(blocked.compliance, Compliance::EvaluationExpired);
    assert_eq!(blocked.timer_left_s, None);
    assert_eq!((blocked.cause, blocked.apn.as_str()), (199, "internet"));
    assert_eq!(
        (blocked.sessions.0, blocked.ceiling),
        (10_000, Some(SessionCount(10_000)))
    );
}

//= L17
#[test]
fn a_refusal_by_a_feature_is_explained_by_the_feature() {
    let mut rig = Rig::registered(config());
    rig.sessions(GGSN, 1);
    rig.tell(Input::Feature {
        feature: GRE,
        enabled: true,
    });
    rig.verdict(TagRef::Feature(GRE), Answer::OutOfCompliance, None);
    let since = rig.now.wall;
    rig.pass(90 * DAY - HOUR);
    rig.verdict(TAG, Answer::Authorized, None);
    rig.pass(HOUR);
    let feature = GRE;
    let seen = refused(&rig, RefusalReason::FeatureBlocked { feature }, true);
    rig.tell(Input::Refusals(vec![seen]));
    let record = rig.enforcer.history().next().unwrap();
    assert_eq!(
        (record.policy, record.policy_since),
        (Policy::Block, rig.now.wall)
    );
    assert_eq!(record.compliance, Compliance::OutOfCompliance { since });
    assert_eq!(record.timer_left_s, None, "the grace is over");
}

//= L17
#[test]
fn the_history_is_of_fixed_size_and_says_what_it_never_saw() {
    let mut rig = Rig::enabled(Config {
        history: 3,
        ..config()
    });
    for sessions in 1..=5 {
        let mut seen = refused(&rig, RefusalReason::AtCeiling, true);
        seen.sessions = sessions;
        rig.tell(Input::Refusals(vec![seen]));
    }
    rig.tell(Input::RefusalsLost(7));
    let history: Vec<_> = rig
        .enforcer
        .history()
        .map(|record| record.sessions.0)
        .collect();
    assert_eq!(history, [5, 4, 3]);
    assert_eq!(rig.snapshot().refusals_lost, 7);
}
