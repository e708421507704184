//! Whatever happens: outages, slow and repeated acknowledgements, storms, and ends of the process after any output.

use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Step {
    Raise(u8),
    Clear(u8),
    Repeat(u8),
    /// So many alarms that come and go at once; every third stays.
    Burst(u8),
    Pass(u16),
    Away(bool),
    Slow(u16),
    /// Every acknowledgement on its way comes twice.
    Twice,
    /// Acknowledgements on their way are lost.
    Deaf,
    /// The process ends after so many outputs more, and so many commits that are not durable are undone.
    Kill(u8, u8),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..40u8).prop_map(Step::Raise),
        4 => (0..40u8).prop_map(Step::Clear),
        1 => (0..40u8).prop_map(Step::Repeat),
        2 => (1..90u8).prop_map(Step::Burst),
        4 => (1..4_000u16).prop_map(Step::Pass),
        2 => any::<bool>().prop_map(Step::Away),
        1 => (0..3_000u16).prop_map(Step::Slow),
        1 => Just(Step::Twice),
        1 => Just(Step::Deaf),
        2 => (0..12u8, 0..4u8).prop_map(|(fuse, undo)| Step::Kill(fuse, undo)),
    ]
}

fn apply(world: &mut World, step: &Step) {
    let standing = |world: &World, of: u8| {
        let alarms = world.snapshot.alarms.iter();
        let found = alarms
            .filter(|alarm| alarm.kind == drift(of))
            .map(|alarm| alarm.id.0);
        found.max()
    };
    match *step {
        Step::Raise(of) => {
            if standing(world, of).is_none() {
                world.raise(drift(of));
            }
        }
        Step::Clear(of) => {
            if let Some(id) = standing(world, of) {
                world.clear(id);
            }
        }
        Step::Repeat(of) => {
            if let Some(id) = standing(world, of) {
                world.repeat(id);
            }
        }
        Step::Burst(alarms) => {
            for of in 0..alarms {
                if standing(world, 100 + of).is_none() {
                    let id = world.raise(drift(100 + of));
                    if of % 3 != 0 {
                        world.clear(id);
                    }
                }
            }
        }
        Step::Pass(ms) => world.pass(Duration::from_millis(ms.into())),
        Step::Away(away) => world.managers[1].away = away,
        Step::Slow(ms) => world.managers[1].slow = Duration::from_millis(ms.into()),
        Step::Twice => {
            let waiting = &mut world.managers[1].acknowledging;
            let again: Vec<_> = waiting.iter().copied().collect();
            waiting.extend(again);
            waiting.make_contiguous().sort();
        }
        Step::Deaf => world.managers[1].acknowledging.clear(),
        Step::Kill(fuse, undo) => {
            world.fuse = Some(fuse.into());
            world.undo = undo.into();
        }
    }
}

/// The first that a manager got of each alarm is its raise.
fn in_order(world: &World, manager: usize) {
    let mut raised = BTreeSet::new();
    for got in &world.managers[manager].got {
        let Some(id) = got.alarm else { continue };
        match got.which.row().kind {
            Kind::Raise { .. } => {
                raised.insert(id);
            }
            Kind::Clear | Kind::Event => assert!(raised.contains(&id), "clear {id} before raise"),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    //= L16
    #[test]
    fn no_state_is_lost_and_each_alarm_comes_in_order(steps in prop::collection::vec(step(), 1..80)) {
        let mut world = World::new(vec![traps("a"), informs("b")]);
        for step in &steps {
            apply(&mut world, step);
        }
        world.fuse = None;
        world.come_to_rest();
        prop_assert_eq!(world.status(1).dropped, 0);
        for manager in [0, 1] {
            prop_assert_eq!(world.standing(manager), world.outstanding());
            in_order(&world, manager);
        }
        let told: BTreeSet<_> = world.delivery.told().map(|alarm| alarm.id.0).collect();
        prop_assert_eq!(told, world.outstanding());
    }

    #[test]
    fn everything_is_acknowledged_coalesced_or_dropped(steps in prop::collection::vec(step(), 1..80)) {
        let small = Target { queue: 60, ..informs("b") };
        let mut world = World::new(vec![traps("a"), small]);
        for step in &steps {
            if !matches!(step, Step::Kill(..)) {
                apply(&mut world, step);
            }
        }
        world.come_to_rest();
        let status = world.status(1);
        let issued: u64 = world.delivery.counts().map(|(_, count, _)| count.generated).sum();
        // Each of the two targets has summaries of its own.
        let is_summary = |got: &&Got| got.which.row().name == "tgNotifySummary";
        let others = world.managers[0].got.iter().filter(is_summary).count() as u64;
        let ended = status.acknowledged + status.coalesced + status.dropped;
        prop_assert_eq!(issued - others, ended);
    }
}
