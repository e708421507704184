//! More notifications than a target is sent.

use super::*;

const SUMMARY: &str = "tgNotifySummary";

fn summary(world: &World, at: usize) -> Vec<&'static str> {
    let names = world.names(at);
    names.into_iter().filter(|name| *name == SUMMARY).collect()
}

//= L16
#[test]
fn of_a_storm_fifty_a_second_go_and_the_state_comes_with_the_summary() {
    let mut world = World::new(vec![traps("a"), informs("b")]);
    for of in 0..200 {
        world.raise(drift(of));
    }
    assert_eq!(world.managers[0].got.len(), 50);
    let status = world.status(0);
    assert_eq!((status.held, status.coalesced), (150, 0));
    world.pass(9 * SECOND);
    assert_eq!(world.managers[0].got.len(), 50);
    world.come_to_rest();
    for at in [0, 1] {
        assert_eq!(world.managers[at].got.len(), 200);
        assert_eq!(world.standing(at), world.outstanding());
        assert_eq!(summary(&world, at), [""; 0], "nothing was left out");
    }
}

//= L16
#[test]
fn a_raise_and_its_clear_in_a_storm_stand_for_nothing_and_the_summary_says_so() {
    let mut world = World::new(vec![traps("a")]);
    for of in 0..50 {
        world.raise(drift(of));
    }
    for of in 50..150 {
        let id = world.raise(drift(of));
        world.repeat(id);
        world.clear(id);
    }
    let stays = world.raise(drift(200));
    assert_eq!(world.status(0).held, 1);
    world.pass(9 * SECOND);
    assert_eq!(world.managers[0].got.len(), 50);
    world.pass(2 * SECOND);
    let after: Vec<_> = world.managers[0].got[50..].to_vec();
    assert_eq!(after[0].alarm, Some(stays));
    assert_eq!(summary(&world, 0), [SUMMARY]);
    assert_eq!(after.len(), 2);
    let status = world.status(0);
    assert_eq!((status.held, status.coalesced, status.dropped), (0, 300, 0));
    assert_eq!(world.standing(0), world.outstanding());
    world.come_to_rest();
    assert_eq!(world.managers[0].got.len(), 52, "the storm is over");
}

//= L16
#[test]
fn the_clear_of_an_alarm_that_was_told_comes_after_the_storm() {
    let mut world = World::new(vec![traps("a")]);
    let ids: Vec<_> = (0..60).map(|of| world.raise(drift(of))).collect();
    world.clear(ids[0]);
    world.clear(ids[59]);
    world.repeat(ids[1]);
    world.repeat(ids[2]);
    world.clear(ids[2]);
    world.come_to_rest();
    assert_eq!(world.standing(0), world.outstanding());
    let of = |id| {
        world.managers[0]
            .got
            .iter()
            .filter(move |got| got.alarm == Some(id))
    };
    assert_eq!(of(ids[0]).count(), 2);
    assert_eq!(of(ids[59]).count(), 0);
    assert_eq!(of(ids[1]).count(), 2, "raise and repeat");
    assert_eq!(of(ids[2]).count(), 2, "raise and clear");
}

#[test]
fn a_flapping_alarm_for_half_a_minute_sends_a_bounded_number() {
    let mut world = World::new(vec![traps("a")]);
    for _ in 0..300 {
        for _ in 0..10 {
            let id = world.raise(drift(0));
            world.clear(id);
        }
        world.pass(SECOND / 10);
    }
    world.come_to_rest();
    // 6,000 came.
    assert!(world.managers[0].got.len() <= 31 * 50 + 8);
    assert_eq!(world.standing(0), BTreeSet::new());
    let summaries = summary(&world, 0).len();
    assert!((2..=6).contains(&summaries), "{summaries}");
}

#[test]
fn a_full_queue_drops_the_oldest_counts_it_and_says_so_when_the_target_is_back() {
    let mut world = World::new(vec![Target {
        queue: 100,
        ..informs("a")
    }]);
    world.managers[0].away = true;
    let mut ids = Vec::new();
    for of in 0..150 {
        ids.push(world.raise(drift(of)));
        world.pass(SECOND / 10);
    }
    let status = world.status(0);
    assert_eq!((status.waiting, status.dropped), (100, 50));
    world.come_to_rest();
    assert_eq!(summary(&world, 0), [SUMMARY]);
    let got: BTreeSet<_> = world.managers[0]
        .got
        .iter()
        .filter_map(|g| g.alarm)
        .collect();
    assert!(
        ids[60..].iter().all(|id| got.contains(id)),
        "the newest are there"
    );
    let total = world.status(0);
    assert_eq!(total.dropped, 50);
    assert_eq!(got.len(), 100);
}

#[test]
fn a_storm_that_never_ends_fills_no_queue() {
    let mut world = World::new(vec![informs("a")]);
    world.managers[0].slow = Duration::from_millis(400);
    let mut ids = VecDeque::new();
    for round in 0..250u32 {
        for of in 0..10 {
            ids.push_back(world.raise(drift(u8::try_from((round + of) % 250).unwrap())));
        }
        while ids.len() > 200 {
            let id = ids.pop_front().unwrap();
            world.clear(id);
        }
        world.pass(SECOND / 10);
    }
    let status = world.status(0);
    assert!(status.waiting + status.held < 4_000, "{status:?}");
    assert_eq!(status.dropped, 0);
    world.come_to_rest();
    assert_eq!(world.standing(0), world.outstanding());
}
