//! Another configuration while the collector works.

use super::*;

impl Rig {
    /// Another configuration, which is also that of the next start.
    fn configure(&mut self, change: impl FnOnce(&mut Config)) {
        change(&mut self.config);
        let config = self.config.clone();
        self.collector.configure(config, &[], self.now).unwrap();
        self.perform();
    }

    /// Files as they arrived: their names and lines.
    fn files(&self) -> Vec<(&str, Vec<&str>)> {
        let lines = |bytes| std::str::from_utf8(bytes).unwrap().lines().collect();
        let files = self.arrived.iter();
        files
            .map(|(_, name, bytes)| (name.as_str(), lines(bytes)))
            .collect()
    }
}

#[test]
fn a_file_that_was_begun_ends_as_it_was_begun_and_the_next_sample_begins_another() {
    let mut config = config();
    config.transfer_interval_min = 60;
    let mut rig = Rig::new(config);
    rig.tick();
    rig.minutes(20);
    rig.configure(|config| {
        let file = &mut config.files[0];
        file.header = "H".into();
        file.footer = "F".into();
        let line = "apn schema a format A,%epochtime%,%apn%";
        file.schemas = vec![SchemaConfig::parse(line).unwrap()];
    });
    assert_eq!(rig.status().config.header, "H", "shown at once");
    rig.minutes(60);
    let files = rig.files();
    assert!(files[0].1[0].starts_with("Version-") && files[0].1[1].starts_with("S,"));
    assert_eq!((files[0].1.len(), files[0].1[3]), (4, "EndOfFile"));
    assert_eq!((files[1].1[0], *files[1].1.last().unwrap()), ("H", "F"));
    assert!(files[1].1[1].starts_with("A,"));
    assert!(rig.notices.is_empty(), "{:?}", rig.notices);
}

#[test]
fn who_receives_is_changed_without_another_file() {
    let mut rig = Rig::new(config());
    rig.config.transfer_interval_min = 60;
    rig.restart();
    rig.tick();
    rig.minutes(20);
    rig.configure(|config| config.files[0].primary = receiver("192.0.2.20"));
    rig.minutes(60);
    assert_eq!(rig.files()[0].1.len(), 5, "{:?}", rig.files());
}

#[test]
fn intervals_change_and_none_is_lost_or_comes_twice() {
    let mut rig = Rig::new(config());
    rig.tick();
    // 22:31:40; then 22:46:40, at which nobody has looked at the clock.
    rig.minutes(5);
    rig.now.wall.0 += 15 * MINUTE;
    rig.now.mono = rig.now.mono.after(Duration::from_secs(900));
    rig.configure(|config| config.sample_interval_min = 5);
    assert_eq!(rig.collector.status().samples, 2, "due by the old ones");
    // 22:50:40, 22:55:40, and then 23:10:40 and 23:15:40 by fifteen.
    rig.minutes(9);
    assert_eq!(rig.collector.status().samples, 4);
    rig.configure(|config| config.sample_interval_min = 15);
    rig.minutes(20);
    assert_eq!(rig.collector.status().samples, 6);
    let status = rig.collector.status();
    assert_eq!((status.skipped, status.repeated), (0, 0));
    rig.configure(|config| config.transfer_interval_min = 1);
    rig.minutes(2);
    assert_eq!(rig.received().len(), 6);
    assert_eq!(rig.collector.status().transfer_interval_min, 1);
}

#[test]
fn while_nothing_is_collected_no_interval_is_missed() {
    let mut rig = Rig::new(config());
    rig.tick();
    rig.minutes(5);
    rig.configure(|config| config.collection = false);
    rig.minutes(600);
    rig.configure(|config| config.collection = true);
    assert_eq!(rig.collector.status().samples, 1);
    rig.minutes(15);
    let status = rig.collector.status();
    assert_eq!((status.samples, status.skipped), (2, 0));
    assert!(rig.notices.is_empty(), "{:?}", rig.notices);
}

#[test]
fn what_waits_goes_to_who_receives_now_at_once() {
    let mut rig = Rig::new(config());
    rig.tick();
    rig.primary.away = unreachable();
    rig.pass(200);
    rig.minutes(45);
    assert_eq!((rig.in_place(Place::Pending), rig.alarms.len()), (4, 1));
    rig.primary.away = None;
    rig.configure(|config| config.files[0].primary = receiver("192.0.2.20"));
    assert_eq!(
        (rig.received(), rig.in_place(Place::Pending)),
        (boundaries(4), 0)
    );
    let over = Condition::Receivers { file: 1, why: None };
    assert_eq!(rig.alarms[1..], [(false, over)]);
}

/// Its password, say, which is not shown.
#[test]
fn a_receiver_that_is_another_though_shown_alike_is_tried_at_once_and_blamed_no_more() {
    let mut rig = Rig::new(config());
    rig.tick();
    rig.primary.away = Some(TransferError::Login);
    rig.pass(200);
    rig.minutes(45);
    let raised = rig.alarms.len();
    rig.primary.away = None;
    let config = rig.config.clone();
    let renewed = [(1, Which::Primary)];
    rig.collector.configure(config, &renewed, rig.now).unwrap();
    rig.perform();
    assert_eq!((raised, rig.received()), (2, boundaries(4)));
    assert!(rig.alarms[2..].iter().all(|(raised, _)| !raised) && rig.alarms.len() == 4);
}

#[test]
fn who_never_answers_is_not_waited_for_after_a_change() {
    let mut rig = Rig::new(config());
    rig.tick();
    rig.minutes(3);
    rig.collector.force_gather(rig.now);
    rig.perform();
    rig.silent = true;
    rig.collector.force_transfer(rig.now);
    while let Some(output) = rig.collector.poll_output() {
        if matches!(output, Output::Sample) {
            let view = rig.view();
            rig.collector.sample(&view, rig.now);
        } else {
            rig.perform_one(output);
        }
    }
    assert_eq!((rig.attempts, rig.in_place(Place::Pending)), (1, 1));
    rig.silent = false;
    rig.configure(|config| config.files[0].primary = receiver("192.0.2.20"));
    assert_eq!((rig.attempts, rig.in_place(Place::Pending)), (2, 0));
    // Its answer comes late.
    let before = rig.collector.status();
    rig.collector
        .transferred(1, Err(TransferError::HostKey), rig.now);
    rig.perform();
    assert_eq!((rig.collector.status(), rig.alarms.len()), (before, 0));
}

#[test]
fn without_a_receiver_files_wait_for_the_next_one_also_over_a_start() {
    for restart in [false, true] {
        let mut rig = Rig::new(config());
        rig.tick();
        rig.primary.away = unreachable();
        rig.pass(200);
        rig.minutes(15);
        rig.collector.force_gather(rig.now);
        rig.perform();
        rig.configure(|config| config.files[0].primary = None);
        assert_eq!(rig.status().lacks, Some(ConfigError::Nowhere(1)));
        if restart {
            rig.restart();
            rig.tick();
        }
        rig.minutes(100);
        assert_eq!(
            (rig.in_place(Place::Open), rig.in_place(Place::Pending)),
            (0, 3)
        );
        assert!(rig.notices.is_empty(), "{:?}", rig.notices);
        rig.primary.away = None;
        rig.configure(|config| config.files[0].primary = receiver("192.0.2.20"));
        let times = rig.received();
        assert_eq!((times.len(), times[..2].to_vec()), (3, boundaries(2)));
        rig.minutes(15);
        assert_eq!(rig.received().len(), 4, "it collects again");
    }
}

#[test]
fn what_waits_of_a_block_that_is_gone_is_kept_counted_and_told() {
    let mut rig = Rig::new(config());
    rig.config.historical_days = 1;
    rig.restart();
    rig.tick();
    rig.primary.away = Some(TransferError::Login);
    rig.minutes(20);
    rig.collector.force_gather(rig.now);
    rig.perform();
    let alarms = rig.alarms.len();
    rig.configure(|config| config.files.clear());
    let told = |files| Notice::Orphaned {
        file: 1,
        files,
        records: files,
    };
    assert_eq!(rig.notices, [told(3)]);
    rig.tick();
    assert!(rig.nothing_waits() && rig.in_place(Place::Sent) == 3);
    assert!(rig.alarms.len() == 2 * alarms && alarms == 2);
    assert_eq!(rig.alarms.iter().filter(|(raised, _)| *raised).count(), 2);
    assert!(rig.collector.status().files.is_empty());
    rig.primary.away = None;
    let file = config().files.remove(0);
    rig.configure(|config| config.files.push(file));
    assert_eq!(rig.status().statistics.discarded_records, 2);
    rig.minutes(15);
    assert_eq!((rig.received().len(), rig.notices.len()), (1, 1));
}

#[test]
fn a_limit_that_is_lowered_drops_the_oldest_and_tells() {
    let mut rig = Rig::new(config());
    rig.tick();
    rig.primary.away = unreachable();
    rig.pass(200);
    rig.minutes(90);
    let bytes = rig.status().awaiting_bytes;
    assert_eq!(rig.in_place(Place::Pending), 7);
    rig.configure(|config| config.limit_bytes = bytes / 2);
    assert_eq!(rig.in_place(Place::Pending), 3);
    let dropped = |notice: &&Notice| matches!(notice, Notice::Discarded { .. });
    assert_eq!(rig.notices.iter().filter(dropped).count(), 4);
    assert!(rig.alarms.contains(&(true, Condition::Discarding)));
    rig.primary.away = None;
    rig.minutes(15);
    assert_eq!(rig.received(), boundaries(8)[4..]);
}

#[test]
fn a_configuration_that_is_refused_changes_nothing() {
    let mut rig = Rig::new(config());
    rig.tick();
    rig.minutes(5);
    let before = rig.collector.status();
    let mut wrong = rig.config.clone();
    wrong.sample_interval_min = 5;
    wrong.files[0].footer = "%uptimes%".into();
    let error = rig.collector.configure(wrong, &[], rig.now).unwrap_err();
    assert!(
        error.to_string().ends_with("the nearest is %uptime%"),
        "{error}"
    );
    assert_eq!(
        (rig.collector.status(), rig.collector.poll_output()),
        (before, None)
    );
}

/// What an operator does.
#[derive(Clone, Debug)]
enum Deed {
    Wait(u64),
    Text,
    SampleInterval(u32),
    TransferInterval(u32),
    Receiver(bool),
    Away(bool),
    Gone,
    Collection(bool),
    Zipped(bool),
    DiskFails(u64),
}

fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    let deed = prop_oneof![
        6 => (0..40_u64).prop_map(Deed::Wait),
        3 => Just(Deed::Text),
        2 => (1..31_u32).prop_map(Deed::SampleInterval),
        1 => (1..61_u32).prop_map(Deed::TransferInterval),
        2 => any::<bool>().prop_map(Deed::Receiver),
        2 => any::<bool>().prop_map(Deed::Away),
        1 => Just(Deed::Gone),
        1 => any::<bool>().prop_map(Deed::Collection),
        1 => any::<bool>().prop_map(Deed::Zipped),
        // Shorter than an interval, and than the time to the next.
        1 => (0..2_u64).prop_map(Deed::DiskFails),
    ];
    prop::collection::vec(deed, 60)
}

/// A block whose text tells its version everywhere.
fn versioned(version: u32) -> FileConfig {
    let mut file = FileConfig::new(1, "f_%date%_%time%");
    file.header = format!("H{version}");
    file.footer = format!("F{version}");
    file.primary = receiver("192.0.2.10");
    let line = format!("system schema s format {version},%epochtime%");
    file.schemas.push(SchemaConfig::parse(&line).unwrap());
    file
}

/// Samples that are due, by the clock alone.
struct Due {
    times: Vec<i64>,
    minutes: i64,
    block: bool,
    collection: bool,
    receiver: bool,
}

impl Due {
    fn minute(&mut self, rig: &mut Rig) {
        let before = rig.now.wall.0;
        rig.pass(60);
        let length = self.minutes * MINUTE;
        let begins = rig.now.wall.0.div_euclid(length) != before.div_euclid(length);
        if begins && self.block && self.collection && self.receiver {
            self.times.push(rig.now.wall.0 / 1_000);
        }
    }
}

fn do_it(deed: &Deed, rig: &mut Rig, due: &mut Due, version: u32) {
    let block = |config: &mut Config, change: &dyn Fn(&mut FileConfig)| {
        config.files.first_mut().map(change);
    };
    match *deed {
        Deed::Wait(minutes) => (0..minutes).for_each(|_| due.minute(rig)),
        Deed::Text => {
            (due.block, due.receiver) = (true, true);
            rig.configure(|config| config.files = vec![versioned(version)]);
        }
        Deed::SampleInterval(minutes) => {
            due.minutes = i64::from(minutes);
            rig.configure(|config| config.sample_interval_min = minutes);
        }
        Deed::TransferInterval(minutes) => {
            rig.configure(|config| config.transfer_interval_min = minutes);
        }
        Deed::Receiver(there) => {
            due.receiver = there;
            let primary = receiver("192.0.2.30").filter(|_| there);
            rig.configure(|config| {
                block(config, &|file| file.primary.clone_from(&primary));
            });
        }
        Deed::Away(away) => rig.primary.away = unreachable().filter(|_| away),
        Deed::Gone => {
            due.block = false;
            rig.configure(|config| config.files.clear());
        }
        Deed::Collection(on) => {
            due.collection = on;
            rig.configure(|config| config.collection = on);
        }
        Deed::Zipped(gzip) => rig.configure(|config| {
            block(config, &|file| file.gzip = gzip);
        }),
        Deed::DiskFails(minutes) => {
            rig.disk_fails = true;
            (0..minutes).for_each(|_| due.minute(rig));
            rig.disk_fails = false;
            due.minute(rig);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Whatever is changed and when: each sample that was due is with a receiver once, or of a block that is gone and told; and
    /// each file is of one configuration from its first line to its last.
    #[test]
    fn changes_lose_no_sample_and_bring_none_twice(deeds in deeds()) {
        let mut config = config();
        config.files = vec![versioned(0)];
        let mut rig = Rig::new(config);
        rig.tick();
        let mut due = Due {
            times: Vec::new(),
            minutes: 15,
            block: true,
            collection: true,
            receiver: true,
        };
        for (deed, version) in deeds.iter().zip(1..) {
            do_it(deed, &mut rig, &mut due, version);
        }
        rig.primary.away = None;
        do_it(&Deed::Text, &mut rig, &mut due, 1_000);
        rig.collector.force_transfer(rig.now);
        rig.perform();
        let mut times = Vec::new();
        for (name, lines) in rig.files() {
            let (first, rows, last) = (lines[0], &lines[1..lines.len() - 1], lines[lines.len() - 1]);
            let version = first.strip_prefix('H').unwrap();
            prop_assert_eq!(last.strip_prefix('F'), Some(version), "{}: {:?}", name, lines);
            for row in rows {
                let (of, time) = row.split_once(',').unwrap();
                prop_assert_eq!(of, version, "{}: {:?}", name, lines);
                times.push(time.parse::<i64>().unwrap());
            }
        }
        let orphans: u64 = rig.notices.iter().map(|notice| {
            let Notice::Orphaned { records, .. } = notice else {
                panic!("{notice:?}");
            };
            *records
        }).sum();
        prop_assert!(times.is_sorted_by(|a, b| a < b), "{:?}", times);
        prop_assert_eq!(times.len() as u64 + orphans, due.times.len() as u64);
        prop_assert!(times.iter().all(|time| due.times.contains(time)));
        prop_assert!(rig.nothing_waits());
    }
}
