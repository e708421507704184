//! Rule by rule.

use super::*;

const RAISED: &str = "tgCountDrift";
const CLEARED: &str = "tgCountDriftClear";

//= L16
#[test]
fn a_start_tells_that_it_is_ready_and_what_stands() {
    let mut world = World::new(vec![traps("a")]);
    let id = world.raise(drift(0));
    world.forget();
    world.restart();
    assert_eq!(
        world.names(0),
        [
            "ciscoSlaSmartAgentNotifyReady",
            "ciscoSlaSmartAgentNotifyEnforcementMode"
        ],
        "the raise was told before"
    );
    world.clear(id);
    assert_eq!(world.names(0)[2..], [CLEARED]);
    assert_eq!(world.delivery.told().count(), 0);
}

//= L16
#[test]
fn what_the_process_did_not_come_to_tell_is_told_at_the_next_start() {
    let mut world = World::new(vec![traps("a")]);
    let first = world.raise(drift(0));
    world.forget();
    // It ends between the table of alarms and the notification.
    world.fuse = Some(0);
    world.clear(first);
    assert!(world.names(0).contains(&CLEARED));
    world.forget();
    world.fuse = Some(0);
    world.raise(drift(0));
    assert!(world.names(0).contains(&RAISED));
    assert_eq!(world.standing(0), world.outstanding());
}

//= L16
#[test]
fn what_the_shell_lost_is_told_by_the_table_of_alarms() {
    let mut world = World::new(vec![traps("a")]);
    let first = alarm(1, drift(0), 1);
    world.event(Event::AlarmRaised { alarm: first });
    world.forget();
    // Its clear and another raise were lost.
    world.snapshot.alarms = vec![alarm(2, drift(1), 1)];
    world.tell(Input::Missed);
    assert_eq!(world.names(0), [CLEARED, RAISED]);
    world.tell(Input::Missed);
    assert_eq!(world.names(0).len(), 2, "each once");
}

//= L16
#[test]
fn a_raise_is_told_once_and_a_clear_only_of_what_was_raised() {
    let mut world = World::new(vec![traps("a")]);
    let told = alarm(1, drift(0), 1);
    let again = told.clone();
    world.event(Event::AlarmRaised { alarm: told });
    world.event(Event::AlarmRaised {
        alarm: again.clone(),
    });
    assert_eq!(world.names(0), [RAISED]);
    let alarm = again;
    world.event(Event::AlarmRepeated {
        alarm: alarm.clone(),
    });
    assert_eq!(world.names(0), [RAISED, RAISED], "neither raise nor clear");
    assert_eq!(world.delivery.told().count(), 1);
    world.event(Event::AlarmCleared {
        alarm: alarm.clone(),
    });
    world.event(Event::AlarmCleared { alarm });
    assert_eq!(world.names(0), [RAISED, RAISED, CLEARED]);
}

#[test]
fn a_trap_is_kept_before_it_is_sent_and_deleted_after() {
    let world = World::new(vec![traps("a"), traps("b")]);
    let mut delivery = world.delivery;
    let alarm = alarm(1, drift(0), 1);
    let news = News::Event(Event::AlarmRaised { alarm });
    delivery.handle(Input::News(news), &world.snapshot, world.now);
    let outputs: Vec<_> = std::iter::from_fn(|| delivery.poll_output()).collect();
    let [
        Output::Commit {
            changes,
            durable: true,
        },
        Output::Send(first),
        Output::Send(second),
        Output::Commit {
            changes: after,
            durable: false,
        },
    ] = &outputs[..]
    else {
        panic!("{outputs:?}");
    };
    let queued = |change: &&Change| matches!(change, Change::Persist(Record::Queued { .. }));
    assert_eq!(changes.iter().filter(queued).count(), 2);
    assert_eq!((first.target, second.target), (0, 1));
    assert!(!first.inform);
    assert_eq!(first.uptime, 500, "hundredths since the start");
    assert_eq!(first.trap.to_string(), "1.3.6.1.4.1.32473.1.0.15");
    let deleted = |change: &Change| matches!(change, Change::Delete(_));
    assert!(after.len() == 2 && after.iter().all(deleted));
}

#[test]
fn an_inform_is_sent_again_until_it_is_acknowledged() {
    let mut world = World::new(vec![informs("a")]);
    world.managers[0].slow = Duration::from_millis(2_500);
    world.raise(drift(0));
    world.pass(10 * SECOND);
    let got = &world.managers[0].got;
    let ids: BTreeSet<_> = got.iter().map(|got| got.request_id).collect();
    assert_eq!((got.len(), ids.len()), (3, 1), "the same request each time");
    let status = world.status(0);
    // Two at the start.
    assert_eq!(
        (status.sent, status.repeated, status.acknowledged),
        (2 + 1, 2, 2 + 1)
    );
    assert_eq!((status.waiting, status.away_since), (0, None));
}

#[test]
fn nothing_is_lost_of_a_target_that_is_away_for_long_and_it_is_asked_ever_slower() {
    let mut world = World::new(vec![informs("a")]);
    world.managers[0].away = true;
    let mut ids: Vec<_> = (200..203).map(|of| world.raise(drift(of))).collect();
    for of in 0..120 {
        ids.push(world.raise(drift(of)));
        world.pass(30 * SECOND);
    }
    let status = world.status(0);
    assert_eq!((status.waiting, status.dropped), (123, 0));
    assert!(status.away_since.is_some());
    // 3 at first, then at most one each 10 seconds.
    assert!(
        status.sent + status.repeated < 2 + 4 * 3 + 3_600 / 10 + 5,
        "{status:?}"
    );
    world.managers[0].away = false;
    world.pass(20 * SECOND);
    let got: Vec<_> = world.managers[0]
        .got
        .iter()
        .filter_map(|got| got.alarm)
        .collect();
    assert_eq!(got, ids, "in their order, none missing");
    let status = world.status(0);
    assert_eq!((status.waiting, status.away_since), (0, None));
}

//= L16
#[test]
fn the_clear_waits_for_the_acknowledgement_of_the_raise() {
    let mut world = World::new(vec![informs("a")]);
    world.managers[0].slow = 900 * Duration::from_millis(1);
    let first = world.raise(drift(0));
    world.clear(first);
    world.raise(drift(1));
    assert_eq!(
        world.names(0),
        [RAISED, RAISED],
        "another alarm does not wait"
    );
    world.pass(SECOND);
    assert_eq!(world.names(0), [RAISED, RAISED, CLEARED]);
}

#[test]
fn only_the_target_itself_acknowledges_and_only_what_waits() {
    let mut world = World::new(vec![informs("a"), informs("b")]);
    world.managers[0].away = true;
    world.managers[1].away = true;
    world.raise(drift(0));
    let waiting = |world: &World, at| world.status(at).waiting;
    let number = world.delivery.next - 2;
    let request_id = i32::try_from(number).unwrap();
    for (from, id) in [
        (address(1), request_id),
        (address(7), request_id),
        (address(0), request_id - 1),
        (address(0), request_id + 1_000),
        (address(0), -1),
    ] {
        let request_id = id;
        world.tell(Input::Acknowledged { from, request_id });
        assert_eq!((waiting(&world, 0), waiting(&world, 1)), (1, 1));
    }
    let from = address(0);
    world.tell(Input::Acknowledged { from, request_id });
    world.tell(Input::Acknowledged { from, request_id });
    assert_eq!((waiting(&world, 0), waiting(&world, 1)), (0, 1));
}

#[test]
fn an_acknowledgement_that_comes_after_a_restart_counts() {
    let mut world = World::new(vec![informs("a")]);
    world.managers[0].slow = 5 * SECOND;
    world.raise(drift(0));
    world.pass(SECOND / 2);
    world.restart();
    let before = world.managers[0].got[0].request_id;
    let from = address(0);
    let request_id = before;
    world.tell(Input::Acknowledged { from, request_id });
    let others = world.managers[0]
        .got
        .iter()
        .filter(|got| got.alarm.is_some());
    assert!(others.count() >= 1);
    let keys = world.disk.values();
    let waits = |record: &Record| match record {
        Record::Queued { number, .. } => *number == u64::from(before.unsigned_abs()),
        Record::Reserved { .. } | Record::Told(_) | Record::Suppressed(_) | Record::Targets(_) => {
            false
        }
    };
    assert!(!keys.into_iter().any(waits));
}

#[test]
fn a_request_id_is_never_used_again_by_a_later_process() {
    let mut world = World::new(vec![informs("a")]);
    let mut seen = BTreeSet::new();
    for _ in 0..5 {
        let id = world.raise(drift(0));
        world.clear(id);
        world.pass(SECOND);
        for got in std::mem::take(&mut world.managers[0].got) {
            assert!(seen.insert(got.request_id), "{got:?}");
        }
        world.restart();
        world.pass(SECOND);
    }
}

#[test]
fn request_ids_find_their_numbers_also_where_they_wrap() {
    let mut world = World::new(vec![informs("a")]);
    let wrap = 1 << 31;
    world.delivery.next = wrap - 1;
    world.delivery.reserved = wrap - 1;
    let first = world.raise(drift(0));
    world.raise(drift(1));
    world.clear(first);
    world.pass(SECOND);
    let ids: Vec<_> = world.managers[0]
        .got
        .iter()
        .map(|got| got.request_id)
        .collect();
    assert_eq!(ids, [i32::MAX, 0, 1]);
    assert_eq!(world.status(0).waiting, 0);
}

#[test]
fn an_inform_goes_again_at_once_when_its_target_said_how_to_ask_it_and_that_once() {
    let mut world = World::new(vec![informs("a")]);
    world.managers[0].slow = 60 * SECOND;
    world.raise(drift(0));
    let request_id = world.managers[0].got[0].request_id;
    for sent in [2, 2] {
        world.tell(Input::Again { request_id });
        assert_eq!(world.managers[0].got.len(), sent);
    }
}

//= L16
#[test]
fn what_is_suppressed_is_counted_and_not_sent_until_it_is_enabled_also_over_a_restart() {
    let mut world = World::new(vec![traps("a")]);
    let which = Which::named(RAISED).unwrap();
    let suppress = true;
    world.tell(Input::Suppress { which, suppress });
    let over = world.raise(drift(0));
    world.config.suppressed.insert(which);
    world.restart();
    world.forget();
    assert!(world.delivery.is_suppressed(which));
    let standing = world.raise(drift(1));
    world.clear(over);
    assert_eq!(world.names(0), [CLEARED]);
    let count = |world: &World| world.delivery.counts().find(|row| row.0 == which).unwrap();
    let (_, counted, suppressed) = count(&world);
    assert_eq!((counted.generated, counted.discarded), (0, 1));
    assert!(suppressed && counted.last.is_some());
    world.forget();
    // Once enabled, targets are told of what stands, and that once.
    let suppress = false;
    world.tell(Input::Suppress { which, suppress });
    world.tell(Input::Suppress { which, suppress });
    let got = world.managers[0].got.iter();
    let got: Vec<_> = got.map(|got| (got.which, got.alarm)).collect();
    assert_eq!(got, [(which, Some(standing))]);
    world.raise(drift(2));
    assert_eq!(world.names(0), [RAISED, RAISED]);
    let (_, counted, suppressed) = count(&world);
    assert_eq!((counted.generated, counted.discarded), (2, 1));
    assert!(!suppressed);
}

//= L16
#[test]
fn the_clear_of_an_alarm_whose_raise_was_enabled_again_in_a_storm_goes_out() {
    let mut world = World::new(vec![traps("a")]);
    let which = Which::named(RAISED).unwrap();
    let id = world.raise(drift(0));
    for suppress in [true, false] {
        // What is told now is held.
        for _ in 0..60 {
            world.tell(Input::News(News::Forked));
        }
        world.tell(Input::Suppress { which, suppress });
    }
    world.clear(id);
    world.come_to_rest();
    assert_eq!(world.standing(0), BTreeSet::new());
}

/// Alarms of which a manager got this.
fn told(world: &World, at: usize, which: Which) -> Vec<Option<u64>> {
    let got = world.managers[at].got.iter();
    let got = got.filter(|got| got.which == which);
    got.map(|got| got.alarm).collect()
}

//= L16
#[test]
fn a_target_that_is_new_with_a_start_is_told_what_stands_once() {
    let which = Which::named(RAISED).unwrap();
    let mut world = World::new(vec![traps("a")]);
    let over = world.raise(drift(0));
    let standing = world.raise(drift(1));
    world.clear(over);
    world.forget();
    world.config.targets.push(Target {
        address: address(1),
        ..traps("b")
    });
    world.managers.push(Receiver::default());
    world.sends.push(VecDeque::new());
    // Once, whatever starts follow.
    for _ in 0..2 {
        world.restart();
        world.pass(2 * SECOND);
        assert_eq!(told(&world, 0, which), []);
        assert_eq!(told(&world, 1, which), [Some(standing)]);
    }
    // Nor is what a command adds new to the next start.
    world.retarget(vec![traps("a"), traps("b"), traps("c")]);
    world.restart();
    world.pass(2 * SECOND);
    assert_eq!(told(&world, 1, which), [Some(standing)]);
    assert_eq!(told(&world, 2, which), [Some(standing)]);
    world.clear(standing);
    assert_eq!(world.standing(2), BTreeSet::new());
}

//= L16
#[test]
fn what_a_start_enables_is_told_to_all_of_what_stands_once() {
    let which = Which::named(RAISED).unwrap();
    let mut world = World::new(vec![traps("a")]);
    world.config.suppressed.insert(which);
    world.restart();
    let over = world.raise(drift(0));
    let standing = world.raise(drift(1));
    world.clear(over);
    world.config.suppressed.clear();
    for _ in 0..2 {
        assert_eq!(world.outstanding(), BTreeSet::from([standing]));
        world.restart();
        world.pass(2 * SECOND);
        assert_eq!(told(&world, 0, which), [Some(standing)]);
    }
}

//= L16
#[test]
fn the_clear_of_an_alarm_that_a_target_was_told_before_it_was_set_again_goes_out() {
    let mut world = World::new(vec![traps("a")]);
    let ids: Vec<u64> = (0..60).map(|of| world.raise(drift(of))).collect();
    world.come_to_rest();
    assert_eq!(world.standing(0), world.outstanding());
    world.retarget(Vec::new());
    world.retarget(vec![traps("a")]);
    // More is told than is sent at once: the last ones are held.
    assert_eq!(world.status(0).held, 10);
    world.clear(ids[59]);
    world.come_to_rest();
    let last = world.managers[0].got.iter().rev();
    let last = last
        .filter(|got| got.alarm == Some(ids[59]))
        .map(|got| got.which.row().name);
    assert_eq!(last.collect::<Vec<_>>(), [CLEARED]);
}

#[test]
fn the_history_prints_as_staros_does_and_is_bounded() {
    let mut world = World::new(vec![]);
    let service = ServiceIndex(2);
    world.raise(AlarmKind::ServiceOutOfCompliance { service });
    let last = world.delivery.history().last().unwrap();
    assert_eq!(
        last.line(),
        "Internal trap notification 1349 (SmartLicenseServiceOOC) \
         SmartLicenseServiceName GGSN SmartLicenseServiceUsage 1"
    );
    let at = last.place;
    for _ in 0..5_100 {
        world.tell(Input::News(News::Forked));
    }
    assert_eq!(world.delivery.history().count(), HISTORY_MAX);
    let last = world.delivery.history().last().unwrap();
    assert_eq!(last.place, at + 5_100);
    assert_eq!(last.line(), "Internal trap notification 114 (tgForked)");
}

#[test]
fn the_standing_of_the_node_is_told_when_it_changes() {
    let mut world = World::new(vec![traps("a")]);
    world.snapshot.smart.enabled = false;
    world.event(Event::SmartLicensingDisabled);
    world.tell(Input::Timeout);
    world.event(Event::FeatureEnabled {
        feature: FeatureIndex(0),
    });
    assert_eq!(
        world.names(0),
        [
            "ciscoSlaSmartAgentNotifyDisabled",
            "ciscoSlaSmartAgentNotifyEnforcementMode",
            "tgFeatureEnabled"
        ]
    );
}

#[test]
fn what_waited_for_a_target_that_there_is_no_more_is_deleted() {
    let mut world = World::new(vec![informs("a"), informs("b")]);
    world.managers[0].away = true;
    world.managers[1].away = true;
    world.raise(drift(0));
    let waits = |world: &World| {
        let keys = world.disk.keys();
        keys.filter(|key| key.starts_with("queued/a/")).count()
    };
    assert_eq!(waits(&world), 1);
    assert_eq!(world.delivery.gone().count(), 0);
    world.config.targets.remove(0);
    world.config.targets[0].address = address(0);
    world.managers.remove(0);
    world.sends.remove(0);
    world.restart();
    assert_eq!(waits(&world), 0);
    assert_eq!(world.delivery.gone().collect::<Vec<_>>(), [("a", 1)]);
    assert_eq!(
        world.status(0).waiting,
        3,
        "its raise, and what a start tells"
    );
}

//= L16
#[test]
fn nothing_is_lost_of_a_target_that_is_left_out_until_its_queue_is_full() {
    for target in [informs("a"), traps("a")] {
        let mut world = World::new(vec![Target {
            queue: 200,
            ..target
        }]);
        world.managers[0].away = true;
        let before = match world.config.targets[0].inform {
            Some(_) => vec![world.raise(drift(0))],
            None => Vec::new(),
        };
        world.managers[0].away = false;
        world.config.targets[0].left_out = true;
        world.restart();
        world.forget();
        let while_out = [world.raise(drift(1)), world.raise(drift(2))];
        world.clear(while_out[0]);
        world.pass(60 * SECOND);
        world.restart();
        world.pass(60 * SECOND);
        assert_eq!(world.names(0), [] as [&str; 0]);
        let status = world.status(0);
        assert!(status.waiting as usize >= before.len() + 3, "{status:?}");
        assert_eq!((status.dropped, status.away_since), (0, None));
        // It can be spoken to again: each in its order.
        world.config.targets[0].left_out = false;
        let back = world.config.targets.clone();
        let gone = world.delivery.set_targets(back, &world.snapshot, world.now);
        assert_eq!(gone, Ok(Vec::new()));
        world.perform();
        world.come_to_rest();
        let got = world.managers[0].got.iter();
        let got: Vec<_> = got.filter_map(|got| got.alarm).collect();
        assert_eq!(
            got,
            [before, vec![while_out[0], while_out[1], while_out[0]]].concat()
        );
        // Full, it drops and counts.
        world.config.targets[0].left_out = true;
        world.restart();
        for _ in 0..250 {
            world.pass(SECOND / 40);
            world.tell(Input::News(News::Forked));
        }
        let status = world.status(0);
        assert_eq!(status.waiting + status.held, 200);
        assert!(status.dropped >= 50, "{status:?}");
    }
}

//= L16
#[test]
fn a_number_that_another_alarm_has_now_is_told_as_that() {
    let mut world = World::new(vec![traps("a")]);
    let id = world.raise(drift(0));
    // The records of alarms are lost, those of delivery are not.
    world.snapshot.alarms[0].kind = drift(1);
    world.forget();
    world.restart();
    let got = world.managers[0].got.iter();
    let got = got.filter(|got| got.alarm == Some(id));
    let got: Vec<_> = got.map(|got| got.which.row().name).collect();
    assert_eq!(got, [CLEARED, RAISED]);
}

#[test]
fn targets_are_checked() {
    let refuse = |change: &dyn Fn(&mut Vec<Target>)| {
        let mut targets = vec![informs("a"), informs("b")];
        change(&mut targets);
        target::check(&targets).unwrap_err().to_string()
    };
    assert!(refuse(&|all| all[1].name = "a".into()).starts_with("target \"a\": a name"));
    assert!(refuse(&|all| all[0].name = "a/b".into()).starts_with("target \"a/b\""));
    assert!(refuse(&|all| all[0].queue = 10_001).contains("16 to 10000"));
    assert!(refuse(&|all| all.extend((0..15).map(|n| traps(&n.to_string())))).contains("17"));
    let slow = |all: &mut Vec<Target>| {
        let timeout = 61 * SECOND;
        all[0].inform = Some(Inform {
            timeout,
            retries: 1,
        });
    };
    assert!(refuse(&slow).contains("60 s"));
}

#[test]
fn the_log_that_managers_are_shown_is_one_copy_until_it_grows() {
    let mut world = World::new(vec![traps("one")]);
    let before = world.delivery.shown().log;
    assert!(Arc::ptr_eq(&before, &world.delivery.shown().log));
    world.raise(drift(0));
    let after = world.delivery.shown().log;
    assert_eq!(after.len(), before.len() + 1);
    assert_eq!(after.last().unwrap().which.row().name, "tgCountDrift");
    assert!(Arc::ptr_eq(&after, &world.delivery.shown().log));
}

#[test]
fn notifications_are_counted_by_periods() {
    let mut world = World::new(vec![]);
    let which = Which::named("tgForked").unwrap();
    let counted = |world: &World| {
        let periods = world.delivery.periods(world.now.mono);
        (periods.current, periods.previous)
    };
    let (begun, _) = counted(&world);
    world.tell(Input::News(News::Forked));
    assert_eq!(counted(&world), (begun + 1, 0));
    world.pass(PERIOD);
    assert_eq!(counted(&world), (0, begun + 1));
    world.tell(Input::News(News::Forked));
    world.tell(Input::News(News::Forked));
    assert_eq!(counted(&world), (2, begun + 1));
    world.pass(PERIOD);
    assert_eq!(counted(&world), (0, 2));
    let suppress = true;
    world.tell(Input::Suppress { which, suppress });
    world.tell(Input::News(News::Forked));
    assert_eq!(counted(&world), (0, 2));
    world.pass(2 * PERIOD);
    assert_eq!(counted(&world), (0, 0));
    assert_eq!(world.delivery.logged(), begun + 3);
}

/// Commits and sends, in the order in which they come out.
fn outputs(world: &mut World) -> Vec<&'static str> {
    let polled = std::iter::from_fn(|| world.delivery.poll_output());
    let named = polled.map(|output| match output {
        Output::Commit { durable: true, .. } => "durable",
        Output::Commit { durable: false, .. } => "commit",
        Output::Send(_) => "send",
    });
    named.collect()
}

#[test]
fn news_that_come_together_are_on_disk_by_one_commit_before_any_is_sent() {
    let mut world = World::new(vec![informs("one"), traps("two")]);
    let news = [News::Forked, News::Ready, News::Forked];
    world
        .delivery
        .handle_batch(&news, &world.snapshot, world.now);
    let polled = outputs(&mut world);
    assert_eq!(polled[0], "durable");
    let durable = polled.iter().filter(|output| **output == "durable");
    assert_eq!(durable.count(), 1);
    let sends = polled.iter().filter(|output| **output == "send");
    // One subject's informs go out one by one.
    assert_eq!(sends.count(), 2 + 3);
}

impl World {
    /// Other targets, at the addresses of their places.
    fn retarget(&mut self, mut targets: Vec<Target>) -> Vec<(String, u64)> {
        for (at, target) in targets.iter_mut().enumerate() {
            target.address = address(at);
        }
        let set = self
            .delivery
            .set_targets(targets.clone(), &self.snapshot, self.now);
        let gone = set.unwrap();
        self.managers.resize(targets.len(), Receiver::default());
        self.sends.resize(targets.len(), VecDeque::new());
        self.config.targets = targets;
        self.perform();
        gone
    }
}

//= L16
#[test]
fn targets_come_and_go_and_nothing_that_waits_for_those_that_stay_is_lost() {
    let mut world = World::new(vec![informs("one"), informs("two")]);
    let old = world.raise(drift(0));
    world.pass(SECOND);
    world.managers.iter_mut().for_each(|m| m.away = true);
    let ids: Vec<u64> = (1..5).map(|of| world.raise(drift(of))).collect();
    world.clear(ids[0]);
    world.forget();
    let recorded = |world: &World| {
        let counts = world.delivery.counts().map(|(_, count, _)| count);
        let periods = world.delivery.periods(world.now.mono);
        (world.delivery.logged(), periods, counts.collect::<Vec<_>>())
    };
    let before = recorded(&world);
    // The second stays, and is now the first; another begins in its place.
    let third = informs("three");
    assert_eq!(
        world.retarget(vec![informs("two"), third]),
        [("one".to_owned(), 5)]
    );
    assert_eq!(world.status(0).waiting, 5);
    let kept = world.disk.keys().filter(|key| key.contains("/one/"));
    assert_eq!(kept.count(), 0);
    assert_eq!(world.status(1).waiting, 4);
    // Of which nothing is new.
    assert_eq!(recorded(&world), before);
    world.managers[1].away = false;
    world.restart();
    world.managers.iter_mut().for_each(|m| m.away = false);
    world.come_to_rest();
    // What was told before the change is not told again to who stays, and to whoever is new it is.
    let alarms = |at: usize| world.managers[at].got.iter().filter_map(|got| got.alarm);
    assert!(alarms(0).all(|id| id != old) && ids.iter().all(|id| alarms(0).any(|got| got == *id)));
    let told: BTreeSet<u64> = alarms(1).collect();
    let standing: BTreeSet<u64> = world.outstanding();
    assert_eq!(told, standing);
    assert_eq!(world.standing(1), standing);
    assert_eq!(
        world
            .names(0)
            .iter()
            .filter(|name| name.ends_with("Clear"))
            .count(),
        1
    );
}

#[test]
fn a_target_that_is_spoken_to_in_another_way_keeps_what_waits_for_it() {
    let mut world = World::new(vec![informs("one")]);
    world.managers[0].away = true;
    let ids: Vec<u64> = (0..40).map(|of| world.raise(drift(of))).collect();
    world.pass(60 * SECOND);
    assert!(world.status(0).away_since.is_some());
    world.forget();
    world.managers[0].away = false;
    let small = Target {
        queue: 16,
        ..informs("one")
    };
    assert_eq!(world.retarget(vec![small]), []);
    let status = world.status(0);
    assert_eq!((status.away_since, status.dropped > 0), (None, true));
    let left = ids.len() - usize::try_from(status.dropped).unwrap();
    assert_eq!(left, 16);
    world.retarget(vec![traps("one")]);
    world.pass(20 * SECOND);
    let got = world.managers[0].got.iter().filter_map(|got| got.alarm);
    let got: Vec<u64> = got.collect();
    // Those that were on their way as informs may come a second time, as traps.
    assert!(ids[ids.len() - left..].iter().all(|id| got.contains(id)));
}

#[test]
fn targets_that_are_wrong_change_nothing() {
    let mut world = World::new(vec![informs("one")]);
    world.managers[0].away = true;
    world.raise(drift(0));
    let wrong = vec![informs("two"), informs("two")];
    let refused = world
        .delivery
        .set_targets(wrong, &world.snapshot, world.now);
    assert_eq!(refused, Err(TargetError::Name("two".into())));
    assert_eq!(world.delivery.poll_output(), None);
    assert_eq!(
        (world.status(0).name, world.delivery.targets().count()),
        ("one".to_owned(), 1)
    );
    assert_eq!(world.status(0).waiting, 1);
}
