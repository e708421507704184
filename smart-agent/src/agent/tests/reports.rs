use super::*;

//= L15
#[test]
fn only_changes_are_reported_and_only_on_the_timer() {
    let mut rig = Rig::registered();
    rig.run(10 * MINUTE - 2 * SECOND);
    rig.forget();
    rig.use_of(service(PGW), 10_001);
    rig.run(299 * SECOND);
    assert_eq!(rig.reported(service(PGW)), []);
    rig.run(2 * SECOND);
    assert_eq!(rig.reported(service(PGW)), [(2, true)]);
    rig.run(HOUR);
    assert_eq!(rig.reported(service(PGW)), [(2, true)], "nothing changed");
    rig.use_of(service(PGW), 19_999);
    rig.run(10 * MINUTE);
    assert_eq!(rig.reported(service(PGW)).len(), 1, "as many licenses");
    rig.use_of(service(PGW), 0);
    rig.run(5 * MINUTE);
    assert_eq!(rig.reported(service(PGW)), [(2, true), (0, true)]);
    assert_eq!(rig.reported(feature(GRE)), []);
}

//= L5
#[test]
fn use_that_came_and_went_between_two_reports_is_told_to_be_over() {
    let mut rig = Rig::registered();
    rig.run(11 * MINUTE);
    let pgw = rig.tag(service(PGW));
    rig.use_of(service(PGW), 1);
    rig.run(30 * SECOND);
    assert_eq!(rig.authority.the_instance().in_use[&pgw], 1);
    rig.use_of(service(PGW), 0);
    rig.run(5 * MINUTE);
    assert_eq!(rig.authority.the_instance().in_use[&pgw], 0);
    let reported_ms = rig.authority.the_instance().license_ms();
    assert!((29_000..=31_000).contains(&reported_ms), "{reported_ms}");
    rig.forget();
    rig.run(20 * MINUTE);
    assert_eq!(rig.sent, [], "it is told once");
}

//= L12
#[test]
fn a_feature_in_use_is_one_license_and_a_disabled_one_none() {
    let mut rig = Rig::registered();
    rig.use_of(feature(GRE), 5_000);
    rig.run(6 * MINUTE);
    assert_eq!(rig.reported(feature(GRE)), [(1, true)]);
    let gre = rig.tag(feature(GRE));
    assert_eq!(rig.authority.the_instance().in_use[&gre], 1);
    rig.use_of(feature(GRE), 0);
    rig.run(6 * MINUTE);
    assert_eq!(rig.reported(feature(GRE)), [(1, true), (0, true)]);
    assert_eq!(rig.authority.the_instance().in_use[&gre], 0);
    assert_eq!(rig.held(feature(GRE)), None, "a feature has no grant");
}

//= L5
#[test]
fn out_of_compliance_unchanged_counts_are_reported_every_minute_until_it_ends() {
    let mut rig = Rig::registered();
    rig.pool(service(PGW)).owned = 1;
    rig.pool(service(PGW)).exact = false;
    rig.use_of(service(PGW), 10_001);
    rig.run(6 * MINUTE);
    assert_eq!(
        rig.verdicts.standing[&service(PGW)],
        Verdict::OutOfCompliance
    );
    rig.forget();
    rig.run(10 * MINUTE);
    assert_eq!(rig.reported(service(PGW)), [(2, true); 10]);
    let sent = rig.sent.iter();
    assert_eq!(sent.filter(|k| **k == RequestType::Entitlement).count(), 10);
    rig.pool(service(PGW)).owned = 2;
    rig.run(MINUTE);
    assert_eq!(rig.verdicts.standing[&service(PGW)], Verdict::Authorized);
    rig.forget();
    rig.run(10 * MINUTE);
    assert_eq!(rig.reported(service(PGW)), []);
    assert_eq!(rig.sent, []);
}

//= L11
#[test]
fn without_the_nodes_own_timer_the_agent_asks_every_12_hours_out_of_compliance() {
    let mut rig = Rig::with(Config {
        timers: crate::Timers {
            ooc_retry: 1_000 * DAY,
            ..crate::Timers::default()
        },
        ..config()
    });
    rig.register().unwrap();
    rig.pool(service(PGW)).owned = 0;
    rig.use_of(service(PGW), 1);
    rig.run(10 * MINUTE);
    rig.forget();
    rig.leap(12 * HOUR - 15 * MINUTE, MINUTE);
    assert_eq!(rig.sent, []);
    rig.leap(20 * MINUTE, MINUTE);
    assert_eq!(rig.sent, [RequestType::Entitlement]);
}

//= L11
#[test]
fn a_tag_that_is_not_known_is_told_as_invalid() {
    let mut rig = Rig::registered();
    let tag = rig.tag(service(PGW));
    rig.authority.pools.remove(&tag);
    rig.use_of(service(PGW), 1);
    rig.run(2 * SECOND);
    assert_eq!(rig.verdicts.standing[&service(PGW)], Verdict::InvalidTag);
}

//= L4
#[test]
fn what_comes_into_use_is_asked_for_at_once() {
    let mut rig = Rig::registered();
    rig.run(10 * MINUTE);
    rig.forget();
    rig.use_of(service(SAEGW), 1);
    rig.run(SECOND);
    assert_eq!(rig.sent, [RequestType::Entitlement]);
    assert_eq!(rig.held(service(SAEGW)), Some(1));
}

//= L15
#[test]
fn in_evaluation_reports_end_at_the_agent() {
    let mut rig = Rig::new();
    rig.use_of(service(PGW), 10_001);
    rig.run(11 * MINUTE);
    assert_eq!(rig.reported(service(PGW)), [(2, true)]);
    assert_eq!(rig.sent, []);
    assert_eq!(rig.disk.ledger.reports.len(), 0);
    rig.register().unwrap();
    rig.run(SECOND);
    assert_eq!(rig.reported(service(PGW)), [(2, true), (2, true)]);
}

#[test]
fn reports_are_numbered_chained_and_add_up_to_what_was_used() {
    let mut rig = Rig::registered();
    let mut measured = 0;
    for (sessions, minutes) in [(1, 7), (10_001, 20), (30_000, 5), (0, 30), (5, 9)] {
        rig.use_of(service(PGW), sessions);
        rig.run(minutes * MINUTE);
        let licenses = u64::from(sessions.div_ceil(10_000));
        measured += licenses * u64::from(minutes) * 60_000;
    }
    rig.command(LicenseCommand::Deregister).unwrap();
    let instance = rig.authority.the_instance();
    assert_eq!(instance.license_ms(), measured);
    assert!(!instance.forked);
    let ids: Vec<_> = instance.reports.keys().copied().collect();
    assert!(ids.len() >= 6);
    assert_eq!(ids, (1..=ids.len() as u64).collect::<Vec<_>>());
    let chained = instance
        .reports
        .values()
        .zip(instance.reports.values().skip(1));
    for (before, after) in chained {
        assert_eq!(after.report.previous, Some(before.digest));
        assert_eq!(after.report.start, before.report.end);
    }
}

#[test]
fn the_peak_between_reports_is_told() {
    let mut rig = Rig::using(1);
    rig.use_of(service(PGW), 45_000);
    rig.step(SECOND);
    rig.use_of(service(PGW), 10_001);
    rig.run(6 * MINUTE);
    let instance = rig.authority.the_instance();
    let last = instance.reports.values().last().unwrap();
    let entry = &last.report.entries[0];
    assert_eq!((entry.licenses.0, entry.peak.0), (2, 5));
}

#[test]
fn when_there_is_no_room_intervals_grow_and_nothing_is_lost() {
    let mut rig = Rig::using(1);
    rig.run(6 * MINUTE);
    rig.way = Way::Closed;
    let rounds = u64::try_from(crate::WAITING_MAX).unwrap() + 20;
    for round in 0..rounds {
        let sessions = if round % 2 == 0 { 10_001 } else { 1 };
        rig.uses.insert(service(PGW), sessions);
        rig.leap(5 * MINUTE, MINUTE);
    }
    let status = rig.agent.status(rig.now);
    assert_eq!(status.reports_waiting, crate::WAITING_MAX as u64);
    let reported = rig.reported(service(PGW));
    assert!(
        reported.iter().rev().take(10).all(|(_, ok)| !ok),
        "ReportFail"
    );
    rig.way = Way::Open;
    rig.leap(3 * HOUR, MINUTE);
    assert_eq!(rig.agent.status(rig.now).reports_waiting, 0);
    rig.command(LicenseCommand::Deregister).unwrap();
    let instance = rig.authority.the_instance();
    assert_eq!(instance.license_ms(), rig.closed_ms);
    assert!(!instance.forked);
}

#[test]
fn what_was_acknowledged_long_ago_is_let_go() {
    let mut rig = Rig::using(1);
    let rounds = crate::KEPT + 30;
    for round in 0..rounds {
        let sessions = if round % 2 == 0 { 10_001 } else { 1 };
        rig.uses.insert(service(PGW), sessions);
        rig.leap(5 * MINUTE, MINUTE);
    }
    let kept = rig.disk.ledger.reports.len();
    assert!((crate::KEPT..crate::KEPT + 2).contains(&kept), "{kept}");
    let instance = rig.authority.the_instance();
    assert!(instance.reports.len() >= rounds);
}

/// The end of what was last told of a service's grant.
fn lasts(rig: &Rig) -> Option<Duration> {
    let mut told = rig.told.iter().filter_map(|told| match told {
        Told::Verdict { tag, lasts_ms, .. } if key(*tag) == service(PGW) => Some(*lasts_ms),
        Told::Verdict { .. }
        | Told::Registered
        | Told::RegistrationFailed
        | Told::Deregistered
        | Told::Reported { .. }
        | Told::AuthorityUnreachable
        | Told::AuthorityReached
        | Told::StateTampered
        | Told::RootExpiring(_)
        | Told::Order { .. }
        | Told::LabSpeedup { .. } => None,
    });
    told.next_back().flatten().map(Duration::from_millis)
}

/// The node's clock may be an hour wrong: the end of a grant is reckoned by the authority's own.
///
//= L10
#[test]
fn the_end_of_a_grant_is_told_as_a_time_left_and_asked_after_within_ten_minutes() {
    for wrong in [-59 * 60_000, 0, 59 * 60_000] {
        let mut rig = Rig::new();
        rig.run_by(2 * HOUR, HOUR);
        rig.wrong_ms = wrong;
        rig.now.wall.0 += wrong;
        let ends = START.0 + 7 * 3_600_000;
        rig.pool(service(PGW)).until = Some(Wall(ends));
        rig.use_of(service(PGW), 15_000);
        rig.register().unwrap();
        rig.run(2 * SECOND);
        let left = lasts(&rig).unwrap();
        assert!(left <= 5 * HOUR && left > 5 * HOUR - MINUTE, "{left:?}");
        // What was asked ahead of need is given back meanwhile.
        rig.run_by(2 * HOUR, MINUTE);
        rig.forget();
        while rig.wall().0 < ends {
            rig.run_by(MINUTE, MINUTE);
        }
        assert_eq!(rig.sent, [], "not before its end");
        rig.pool(service(PGW)).until = None;
        rig.run_by(11 * MINUTE, MINUTE);
        assert_eq!(rig.sent, [RequestType::Entitlement]);
        assert_eq!(lasts(&rig), None, "it has no end any more");
    }
}

//= L11
#[test]
fn an_authority_that_wants_to_be_asked_again_at_once_is_asked_once_a_minute() {
    let mut rig = Rig::registered();
    rig.use_of(service(PGW), 1);
    rig.authority.renew_s = 0;
    // A grant that has ended, as an authority whose date stands still has it.
    rig.pool(service(PGW)).until = Some(START);
    rig.run(10 * MINUTE);
    rig.forget();
    rig.run_by(HOUR, 10 * SECOND);
    let sent = rig.sent.len();
    assert!((59..=61).contains(&sent), "{sent}");
}

//= L11
#[test]
fn nodes_that_hear_of_the_same_day_ask_at_different_times() {
    let asked = |seed: u8| {
        let mut rig = Rig::registered();
        rig.authority.renew_s = 4 * 3_600;
        rig.starts = seed;
        rig.kill();
        rig.use_of(service(PGW), 1);
        rig.run_by(6 * MINUTE, MINUTE);
        rig.forget();
        let begun = rig.now.mono;
        while !rig.sent.contains(&RequestType::Entitlement) {
            rig.run_by(MINUTE, MINUTE);
        }
        rig.now.mono.since(begun)
    };
    let times: Vec<_> = (0..8).map(asked).collect();
    let within = 4 * HOUR - 6 * MINUTE..=4 * HOUR + 11 * MINUTE;
    assert!(times.iter().all(|time| within.contains(time)), "{times:?}");
    let spread = *times.iter().max().unwrap() - *times.iter().min().unwrap();
    assert!(spread > MINUTE, "{times:?}");
}
