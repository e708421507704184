//! The collector against a disk and receivers that fail.

mod change;

use std::collections::{BTreeMap, BTreeSet};

use licensing::Wall;
use proptest::prelude::*;

use super::*;
use crate::config::{FileConfig, Mechanism, Receiver, SchemaConfig};
use crate::fixture;

/// 2026-11-21 22:26:40 UTC; an interval of 15 minutes begins at 22:30.
const START: i64 = fixture::AT.0;
const MINUTE: i64 = 60_000;

/// All that is around a collector.
struct Rig {
    config: Config,
    view: View,
    collector: Collector,
    now: Now,
    disk: BTreeMap<(Place, String), Vec<u8>>,
    disk_full_at: usize,
    disk_fails: bool,
    primary: Party,
    secondary: Party,
    notices: Vec<Notice>,
    alarms: Vec<(bool, Condition)>,
    /// The process ends before so many outputs more.
    ends_in: Option<usize>,
    /// Nobody answers transfers, or what asks for a view.
    silent: bool,
    asked: usize,
    attempts: usize,
    /// Files as they arrived, with whomever: block, name and what is in it.
    arrived: Vec<(u8, String, Vec<u8>)>,
}

#[derive(Default)]
struct Party {
    away: Option<TransferError>,
    files: BTreeMap<String, Vec<u8>>,
    order: Vec<String>,
}

fn receiver(address: &str) -> Option<Receiver> {
    Some(Receiver {
        address: address.into(),
        mechanism: Mechanism::Sftp,
        login: Some("csv".into()),
    })
}

fn config() -> Config {
    let mut file = FileConfig::new(1, "/drop/%host%_%date%_%time%.csv");
    file.header = "Version-%version-no%,%date%".into();
    file.footer = "EndOfFile".into();
    file.primary = receiver("192.0.2.10");
    let line = "system schema s format S,%epochtime%,%uptime%,%sess-created%";
    file.schemas.push(SchemaConfig::parse(line).unwrap());
    Config {
        collection: true,
        files: vec![file],
        sample_interval_min: 15,
        transfer_interval_min: 15,
        ..Config::default()
    }
}

impl Rig {
    fn new(config: Config) -> Self {
        Self {
            collector: Collector::new(config.clone(), Vec::new()).unwrap(),
            config,
            view: fixture::view(),
            now: Now {
                mono: Mono(0),
                wall: Wall(START),
                ..Now::default()
            },
            disk: BTreeMap::new(),
            disk_full_at: usize::MAX,
            disk_fails: false,
            primary: Party::default(),
            secondary: Party::default(),
            notices: Vec::new(),
            alarms: Vec::new(),
            ends_in: None,
            silent: false,
            asked: 0,
            attempts: 0,
            arrived: Vec::new(),
        }
    }

    fn view(&self) -> View {
        let mut view = self.view.clone();
        view.uptime_s = self.now.mono.0 / 1_000_000_000;
        view.plane.created = view.uptime_s * 3;
        view
    }

    fn pass(&mut self, seconds: u64) {
        self.now.mono = self.now.mono.after(Duration::from_secs(seconds));
        self.now.wall.0 += i64::try_from(seconds).unwrap() * 1_000;
        self.tick();
    }

    /// So many minutes, with a look at the clock each.
    fn minutes(&mut self, minutes: u64) {
        for _ in 0..minutes {
            self.pass(60);
        }
    }

    fn tick(&mut self) {
        self.collector.tick(self.now);
        self.perform();
    }

    /// The process ends, and begins again on what is on disk.
    fn restart(&mut self) {
        let found = self.disk.iter().map(|((place, name), bytes)| Found {
            stored: Stored::parse(*place, name).unwrap(),
            bytes: bytes.len() as u64,
        });
        self.collector = Collector::new(self.config.clone(), found.collect()).unwrap();
    }

    fn perform(&mut self) {
        while let Some(output) = self.collector.poll_output() {
            if let Some(left) = &mut self.ends_in {
                if *left == 0 {
                    self.ends_in = None;
                    return self.restart();
                }
                *left -= 1;
            }
            self.perform_one(output);
        }
    }

    fn perform_one(&mut self, output: Output) {
        let now = self.now;
        match output {
            Output::Sample => {
                self.asked += 1;
                if !self.silent {
                    let view = self.view();
                    self.collector.sample(&view, now);
                }
            }
            Output::Write { op, to, bytes } => {
                let result = self.store(&to, bytes.to_vec());
                self.collector.stored(op, result, now);
            }
            Output::Join {
                op,
                parts,
                footer,
                to,
                gzip,
            } => {
                assert_eq!(gzip, to.name.ends_with(".gz"), "{to:?}");
                let mut bytes = Vec::new();
                for part in &parts {
                    bytes.extend(&self.disk[&(part.place, part.local_name())]);
                }
                bytes.extend_from_slice(&footer);
                let result = self.store(&to, bytes);
                self.collector.stored(op, result, now);
            }
            Output::Transfer {
                attempt,
                file,
                stored,
                receiver,
            } => {
                self.attempts += 1;
                let bytes = self.disk[&(stored.place, stored.local_name())].clone();
                if !self.silent {
                    let one = (file, stored.name, bytes);
                    let result = self.party(receiver).take(one.1.clone(), one.2.clone());
                    self.arrived.extend(result.is_ok().then_some(one));
                    self.collector.transferred(attempt, result, now);
                }
            }
            Output::Move { from, to } => {
                let bytes = self.disk.remove(&(from.place, from.local_name())).unwrap();
                self.disk.insert((to.place, to.local_name()), bytes);
            }
            Output::Remove(stored) => {
                let gone = self.disk.remove(&(stored.place, stored.local_name()));
                assert!(gone.is_some(), "{stored:?} is not there");
            }
            Output::Alarm { raised, condition } => self.alarms.push((raised, condition)),
            Output::Notice(notice) => self.notices.push(notice),
        }
    }

    fn party(&mut self, which: Which) -> &mut Party {
        match which {
            Which::Primary => &mut self.primary,
            Which::Secondary => &mut self.secondary,
        }
    }

    fn store(&mut self, to: &Stored, bytes: Vec<u8>) -> Result<u64, StoreError> {
        let used: usize = self.disk.values().map(Vec::len).sum();
        if self.disk_fails {
            return Err(StoreError::Other("input/output error".into()));
        }
        if used + bytes.len() > self.disk_full_at {
            return Err(StoreError::Full);
        }
        let length = bytes.len() as u64;
        self.disk.insert((to.place, to.local_name()), bytes);
        Ok(length)
    }

    /// The times of the samples that receivers have, in order of the files' names.
    fn received(&self) -> Vec<i64> {
        let files = self
            .primary
            .files
            .values()
            .chain(self.secondary.files.values());
        let mut times: Vec<i64> = files.flat_map(|bytes| times(bytes)).collect();
        times.sort_unstable();
        times
    }

    fn status(&self) -> FileStatus {
        self.collector.status().files.remove(0)
    }

    fn nothing_waits(&self) -> bool {
        self.in_place(Place::Open) + self.in_place(Place::Pending) == 0
    }

    fn in_place(&self, place: Place) -> usize {
        self.disk.keys().filter(|(at, _)| *at == place).count()
    }
}

impl Party {
    fn take(&mut self, name: String, bytes: Vec<u8>) -> Result<(), TransferError> {
        if let Some(error) = &self.away {
            return Err(error.clone());
        }
        match self.files.get(&name) {
            Some(other) if *other != bytes => return Err(TransferError::NameTaken),
            Some(_) | None => {}
        }
        self.order.push(name.clone());
        self.files.insert(name, bytes);
        Ok(())
    }
}

fn times(bytes: &[u8]) -> Vec<i64> {
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    let rows = text.lines().filter_map(|line| line.strip_prefix("S,"));
    let times = rows.map(|row| row.split(',').next().unwrap().parse().unwrap());
    times.collect()
}

/// Seconds since 1970 of the beginnings of so many intervals of 15 minutes from the start on.
fn boundaries(intervals: i64) -> Vec<i64> {
    let first = (START / (15 * MINUTE) + 1) * 900;
    (0..intervals).map(|n| first + n * 900).collect()
}

fn unreachable() -> Option<TransferError> {
    Some(TransferError::Unreachable("connection refused".into()))
}

#[test]
fn a_file_has_header_rows_and_footer_and_arrives() {
    let mut rig = Rig::new(config());
    rig.tick();
    assert_eq!(
        rig.asked, 0,
        "an interval that has begun already is not sampled"
    );
    rig.pass(199);
    assert_eq!(rig.asked, 0);
    rig.pass(1);
    let expected = "Version-0.1.0,20261121\nS,1795300200,200,600\nEndOfFile\n";
    let (name, bytes) = rig.primary.files.pop_first().unwrap();
    assert_eq!(name, "/drop/gw1_20261121_223000.csv");
    assert_eq!(String::from_utf8(bytes).unwrap(), expected);
    assert!(rig.nothing_waits() && rig.notices.is_empty() && rig.alarms.is_empty());
    let status = rig.status();
    let statistics = &status.statistics;
    assert_eq!((status.awaiting_records, status.awaiting_bytes), (0, 0));
    assert_eq!(
        (statistics.collected_records, statistics.collected_bytes),
        (1, 44)
    );
    assert_eq!(
        (statistics.transmitted_records, statistics.transmitted_bytes),
        (1, 54)
    );
    let last = statistics.last.unwrap();
    assert_eq!((last.at, last.records, last.bytes), (rig.now.wall, 1, 54));
    assert_eq!(statistics.last_attempt, Some(rig.now.wall));
}

#[test]
fn a_file_holds_the_samples_of_a_transfer_interval() {
    let mut config = config();
    config.transfer_interval_min = 60;
    let mut rig = Rig::new(config);
    rig.tick();
    // 22:30 and 22:45 wait; at 23:00 the file is completed with its third sample.
    rig.pass(200);
    rig.minutes(29);
    assert!(rig.primary.files.is_empty());
    assert_eq!(
        (rig.in_place(Place::Open), rig.status().awaiting_records),
        (2, 2)
    );
    rig.minutes(1);
    assert_eq!(rig.primary.order, ["/drop/gw1_20261121_223000.csv"]);
    assert_eq!(rig.received(), boundaries(3));
    let file = rig.primary.files.values().next().unwrap();
    let lines = String::from_utf8(file.clone()).unwrap();
    let begins: Vec<&str> = lines.lines().map(|line| &line[..2]).collect();
    assert_eq!(begins, ["Ve", "S,", "S,", "S,", "En"]);
    rig.minutes(60);
    assert_eq!(rig.primary.order[1], "/drop/gw1_20261121_231500.csv");
    assert_eq!(rig.received(), boundaries(7));
}

#[test]
fn all_rows_of_a_sample_are_of_one_view() {
    let mut config = config();
    let mut second = FileConfig::new(3, "/other/%time%");
    second.primary = receiver("192.0.2.10");
    let line = "system schema t format T,%sess-created%,%schemas%,%schema-delta%";
    second.schemas.push(SchemaConfig::parse(line).unwrap());
    let line = "apn schema a format A,%apn%,%epochtime%,%uptime%";
    second.schemas.push(SchemaConfig::parse(line).unwrap());
    config.files.push(second);
    let mut rig = Rig::new(config);
    rig.tick();
    rig.pass(200);
    rig.minutes(15);
    assert_eq!(rig.asked, 2);
    let text = |name: &str| String::from_utf8(rig.primary.files[name].clone()).unwrap();
    assert!(text("/drop/gw1_20261121_223000.csv").contains("S,1795300200,200,600\n"));
    assert_eq!(
        text("/other/223000"),
        "T,600,system+apn,\nA,internet,1795300200,200\nA,*,1795300200,200\n"
    );
    assert!(text("/other/224500").starts_with("T,3300,system+apn,900\n"));
}

#[test]
fn the_secondary_gets_what_the_primary_does_not() {
    let mut config = config();
    config.files[0].secondary = receiver("192.0.2.11");
    let mut rig = Rig::new(config);
    rig.tick();
    rig.primary.away = unreachable();
    rig.pass(200);
    assert_eq!((rig.primary.files.len(), rig.secondary.files.len()), (0, 1));
    assert!(rig.status().on_secondary && rig.alarms.is_empty());
    rig.minutes(15);
    rig.primary.away = None;
    rig.minutes(15);
    assert_eq!((rig.primary.files.len(), rig.secondary.files.len()), (1, 2));
    assert!(!rig.status().on_secondary);
    let receiver = |now, why| Notice::Receiver { file: 1, now, why };
    let expected = [
        receiver(Which::Secondary, unreachable()),
        receiver(Which::Primary, None),
    ];
    assert_eq!(rig.notices, expected);
    assert_eq!(rig.received(), boundaries(3));
    assert!(rig.alarms.is_empty());
}

/// A wrong key at the primary is told at once, though the secondary receives.
#[test]
fn an_impostor_is_told_whoever_else_receives() {
    let mut config = config();
    config.files[0].secondary = receiver("192.0.2.11");
    let mut rig = Rig::new(config);
    rig.tick();
    rig.primary.away = Some(TransferError::HostKey);
    rig.pass(200);
    let impostor = |why: Option<TransferError>| {
        let (file, which) = (1, Which::Primary);
        (why.is_some(), Condition::Receiver { file, which, why })
    };
    let nobody = |why: Option<TransferError>| {
        let file = 1;
        (why.is_some(), Condition::Receivers { file, why })
    };
    let mut alarms = vec![impostor(Some(TransferError::HostKey))];
    assert_eq!(rig.alarms, alarms);
    let (file, now, why) = (1, Which::Secondary, Some(TransferError::HostKey));
    assert_eq!(rig.notices, [Notice::Receiver { file, now, why }]);
    let status = rig.status();
    assert_eq!(status.primary_error, Some(TransferError::HostKey));
    assert_eq!((status.secondary_error, status.failing), (None, false));
    // The secondary fails for another reason: both are told, each once while it lasts.
    rig.secondary.away = Some(TransferError::Full);
    rig.minutes(60);
    alarms.push(nobody(Some(TransferError::Full)));
    assert_eq!(rig.alarms, alarms);
    assert_eq!(rig.status().secondary_error, Some(TransferError::Full));
    // It is not reached either: the reason why nobody receives is another, and whoever is away may be an impostor still.
    rig.primary.away = unreachable();
    rig.secondary.away = unreachable();
    rig.minutes(60);
    alarms.push(nobody(unreachable()));
    assert_eq!(rig.alarms, alarms);
    rig.primary.away = Some(TransferError::Login);
    rig.minutes(60);
    alarms.push(impostor(Some(TransferError::Login)));
    assert_eq!(rig.alarms, alarms);
    assert_eq!(rig.notices.len(), 1, "nobody has got a file since");
    rig.primary.away = None;
    rig.minutes(15);
    alarms.extend([impostor(None), nobody(None)]);
    assert_eq!(rig.alarms, alarms);
    assert_eq!(rig.received().len(), 14);
}

/// A file that is not there any more, or that no receiver can be given, holds up nothing.
#[test]
fn a_file_that_can_not_go_is_set_aside() {
    let mut rig = Rig::new(config());
    rig.tick();
    let gone = TransferError::Local("no such file".into());
    rig.primary.away = Some(gone.clone());
    rig.pass(200);
    for _ in 0..2 {
        assert_eq!((rig.in_place(Place::Pending), rig.notices.len()), (1, 0));
        rig.pass(10);
    }
    let (file, name) = (1, "/drop/gw1_20261121_223000.csv".to_owned());
    let (records, why) = (1, "no such file".to_owned());
    let told = Notice::SetAside {
        file,
        name,
        records,
        why,
    };
    assert_eq!(rig.notices, [told]);
    assert!(rig.alarms.is_empty(), "no receiver is blamed");
    assert!(rig.nothing_waits() && rig.in_place(Place::Sent) == 1);
    let status = rig.status();
    assert_eq!(status.statistics.discarded_records, 1);
    assert_eq!(status.statistics.transmitted_records, 0);
    assert_eq!((status.primary_error, status.failing), (None, false));
    rig.primary.away = None;
    rig.minutes(15);
    let received: Vec<i64> = rig.received().iter().map(|time| time / 900).collect();
    assert_eq!(received, [boundaries(2)[1] / 900]);
}

/// A block that lost its receiver, or is not configured any more: its files are told and do not wait for ever.
#[test]
fn files_of_a_block_without_a_receiver_are_told_and_kept() {
    for gone in [false, true] {
        let mut config = config();
        config.historical_days = 1;
        let mut other = config.files[0].clone();
        (other.number, other.primary) = (2, None);
        let mut rig = Rig::new(config);
        rig.tick();
        rig.primary.away = unreachable();
        rig.pass(200);
        rig.minutes(15);
        rig.collector.force_gather(rig.now);
        rig.perform();
        assert_eq!(
            (rig.in_place(Place::Pending), rig.in_place(Place::Open)),
            (2, 1)
        );
        match gone {
            true => rig.config.files = vec![other],
            false => rig.config.files[0].primary = None,
        }
        rig.restart();
        rig.perform();
        // What a block that is configured has open goes on; of one that is gone it is a file more.
        let files = 2 + u64::from(gone);
        let (file, records) = (1, files);
        let told = Notice::Orphaned {
            file,
            files,
            records,
        };
        assert_eq!(rig.notices, [told]);
        rig.tick();
        assert_eq!(rig.in_place(Place::Pending), 0);
        assert!(rig.collector.poll_timeout(rig.now) >= Duration::from_secs(1));
        rig.minutes(15);
        assert!(rig.nothing_waits() && rig.alarms.len() == 1);
        assert_eq!(rig.notices.len(), 1, "once");
        assert!(rig.in_place(Place::Sent) >= 4);
    }
}

#[test]
fn a_day_without_a_receiver_loses_nothing() {
    let mut rig = Rig::new(config());
    rig.tick();
    rig.primary.away = unreachable();
    rig.pass(200);
    rig.minutes(1_440);
    assert_eq!(rig.status().awaiting_files, 97);
    assert!(rig.status().failing);
    let first = Wall(boundaries(1)[0] * 1_000);
    assert_eq!(rig.status().awaiting_since, Some(first));
    rig.primary.away = None;
    rig.minutes(10);
    assert_eq!(rig.status().awaiting_since, None);
    assert_eq!(rig.received(), boundaries(97));
    let mut sorted = rig.primary.order.clone();
    sorted.sort();
    assert_eq!(rig.primary.order, sorted, "in order");
    let raised: Vec<bool> = rig.alarms.iter().map(|(raised, _)| *raised).collect();
    assert_eq!(raised, [true, false]);
}

#[test]
fn beyond_the_limit_the_oldest_goes_and_is_told() {
    let mut config = config();
    // Ten files of 54 to 58 bytes.
    config.limit_bytes = 600;
    let mut rig = Rig::new(config);
    rig.tick();
    rig.primary.away = unreachable();
    rig.pass(200);
    rig.minutes(15 * 19);
    let status = rig.status();
    let statistics = &status.statistics;
    assert_eq!(
        (status.awaiting_files, statistics.discarded_records),
        (10, 10)
    );
    for bytes in [status.awaiting_bytes, statistics.discarded_bytes] {
        assert!((540..=600).contains(&bytes), "{bytes}");
    }
    let discarded = |notice: &&Notice| matches!(notice, Notice::Discarded { .. });
    assert_eq!(rig.notices.iter().filter(discarded).count(), 10);
    assert!(rig.alarms.contains(&(true, Condition::Discarding)));
    assert!(!rig.alarms.contains(&(false, Condition::Discarding)));
    rig.primary.away = None;
    rig.minutes(10);
    assert_eq!(rig.received(), boundaries(20)[10..]);
    assert_eq!(rig.alarms.last(), Some(&(false, Condition::Discarding)));
    assert!(rig.nothing_waits());
}

/// Wherever the process ends within two hours, what was sampled arrives, and nothing is in two files.
#[test]
fn the_end_of_the_process_loses_at_most_the_interval_in_progress() {
    let mut config = config();
    config.transfer_interval_min = 30;
    let mut whole = 0;
    for ends_in in 0.. {
        let mut rig = Rig::new(config.clone());
        rig.tick();
        rig.ends_in = Some(ends_in);
        rig.pass(200);
        rig.minutes(160);
        // Files of the first two hours are complete.
        let received = rig.received();
        let distinct: BTreeSet<i64> = received.iter().copied().collect();
        assert_eq!(received.len(), distinct.len(), "ends in {ends_in}: twice");
        let expected = boundaries(10);
        // A sample may be taken late, by the interval that it belongs to. Before the first is on disk nothing is known.
        let has = |at: &&i64| distinct.iter().any(|time| time / 900 == **at / 900);
        let missing: Vec<&i64> = expected.iter().filter(|at| !has(at)).collect();
        let first = missing == [&expected[0]] && ends_in <= 1;
        assert!(
            first || missing.is_empty(),
            "ends in {ends_in}: nothing of {missing:?}"
        );
        let left: Vec<_> = rig.disk.keys().collect();
        assert!(
            rig.in_place(Place::Pending) == 0 && rig.in_place(Place::Open) <= 1,
            "ends in {ends_in}: {left:?}"
        );
        if rig.ends_in.is_some() {
            break;
        }
        whole += 1;
    }
    assert!(whole > 20, "{whole}");
}

/// The minutes of a file's samples need not rise.
#[test]
fn a_clock_that_is_put_back_while_a_file_is_open_brings_nothing_twice() {
    let mut config = config();
    config.transfer_interval_min = 60;
    for ends_in in 0..40 {
        let mut rig = Rig::new(config.clone());
        rig.tick();
        rig.pass(200);
        rig.minutes(15);
        rig.now.wall.0 -= 1_440 * MINUTE;
        rig.ends_in = Some(ends_in);
        rig.minutes(140);
        let received = rig.received();
        let distinct: BTreeSet<i64> = received.iter().copied().collect();
        assert_eq!(received.len(), distinct.len(), "ends in {ends_in}: twice");
        assert!(received.len() >= 7, "ends in {ends_in}: {received:?}");
    }
}

#[test]
fn a_clock_that_is_put_forward_a_day_tells_what_was_skipped() {
    let mut rig = Rig::new(config());
    rig.tick();
    rig.pass(200);
    rig.now.wall.0 += 1_440 * MINUTE;
    rig.pass(1);
    let (intervals, why) = (95, Skip::Clock);
    assert_eq!(rig.notices, [Notice::Skipped { intervals, why }]);
    assert_eq!(rig.received().len(), 2, "and one is taken at once");
    assert_eq!(rig.collector.status().skipped, 95);
    rig.minutes(15);
    assert_eq!(rig.received().len(), 3);
}

#[test]
fn a_clock_that_is_put_back_a_day_tells_what_is_repeated() {
    let mut rig = Rig::new(config());
    rig.tick();
    rig.pass(200);
    rig.minutes(15 * 4);
    rig.now.wall.0 -= 1_440 * MINUTE;
    rig.minutes(15 * 4);
    let told = |rig: &Rig| {
        rig.notices
            .iter()
            .filter(|n| matches!(n, Notice::Repeated { .. }))
            .count()
    };
    assert_eq!(rig.notices[0], Notice::PutBack { intervals: 96 });
    assert_eq!((told(&rig), rig.received().len()), (0, 9));
    // Of that day five intervals had a sample.
    rig.minutes(1_440);
    assert_eq!((told(&rig), rig.collector.status().repeated), (5, 5));
    assert_eq!(rig.received().len(), 105);
    // The second time a name comes, it gets a number: the first file is not overwritten.
    let numbered = rig
        .primary
        .files
        .keys()
        .filter(|name| name.ends_with("~2.csv"));
    assert_eq!(numbered.count(), 5);
}

/// The clock was a day ahead for a while, and is right again: what the samples of the wrong day say is not gone by.
#[test]
fn a_start_after_a_clock_that_was_ahead_goes_on_with_the_last_sample() {
    let mut config = config();
    config.historical_days = 2;
    let mut rig = Rig::new(config);
    rig.now.wall.0 += 1_440 * MINUTE;
    rig.tick();
    rig.pass(200);
    rig.now.wall.0 -= 1_440 * MINUTE;
    rig.minutes(30);
    assert_eq!(rig.notices, [Notice::PutBack { intervals: 96 }]);
    assert_eq!(rig.received().len(), 3);
    // Down at the beginning of the next interval: its sample is taken late.
    rig.now.wall.0 += 16 * MINUTE;
    rig.restart();
    rig.pass(1);
    assert_eq!(rig.received().len(), 4);
    rig.restart();
    rig.minutes(15);
    assert_eq!((rig.notices.len(), rig.received().len()), (1, 5));
    // What had a sample on the day ahead is repeated on that day, and nothing else of it is.
    rig.minutes(1_440);
    let at = (START / MINUTE + 1_440) / 15 * 15 + 15;
    assert_eq!(rig.notices[1..], [Notice::Repeated { minute: at }]);
}

/// A configuration that changed begins a file of its own.
#[test]
fn a_start_completes_the_files_that_it_finds() {
    let mut config = config();
    config.transfer_interval_min = 480;
    let mut rig = Rig::new(config);
    rig.tick();
    rig.pass(200);
    rig.minutes(15);
    let file = &mut rig.config.files[0];
    (file.header, file.gzip) = ("H".into(), true);
    let line = "system schema s format S,%epochtime%,%host%";
    file.schemas = vec![SchemaConfig::parse(line).unwrap()];
    rig.restart();
    // It is late for the interval that has begun: its sample is taken with the same view.
    rig.now.wall.0 += 15 * MINUTE;
    rig.pass(1);
    rig.minutes(15);
    rig.collector.force_transfer(rig.now);
    rig.perform();
    let files: Vec<(&str, String)> = rig
        .primary
        .files
        .iter()
        .map(|(name, bytes)| (name.as_str(), String::from_utf8(bytes.clone()).unwrap()))
        .collect();
    let rows = |text: &str| {
        text.lines()
            .map(|line| line.matches(',').count())
            .collect::<Vec<_>>()
    };
    assert_eq!(files[0].0, "/drop/gw1_20261121_223000.csv");
    assert_eq!(rows(&files[0].1), [1, 3, 3, 0], "{}", files[0].1);
    assert!(files[0].1.starts_with("Version-"));
    for (name, text) in &files[1..] {
        assert!(
            name.ends_with(".csv.gz") && text.starts_with("H\nS,"),
            "{name}: {text}"
        );
        assert!(text.ends_with(",gw1\nEndOfFile\n"), "{text}");
    }
    let distinct: BTreeSet<i64> = rig.received().into_iter().collect();
    assert_eq!((distinct.len(), rig.received().len()), (4, 4));
}

#[test]
fn who_was_down_tells_what_was_missed() {
    let mut config = config();
    config.historical_days = 1;
    let mut rig = Rig::new(config);
    rig.tick();
    rig.pass(200);
    rig.now.wall.0 += 50 * MINUTE;
    rig.restart();
    rig.pass(1);
    let (intervals, why) = (2, Skip::NotRunning);
    assert_eq!(rig.notices, [Notice::Skipped { intervals, why }]);
    assert_eq!(rig.received().len(), 2);
}

#[test]
fn a_full_disk_makes_room_or_tells_what_is_lost() {
    let mut config = config();
    config.historical_days = 1;
    let mut rig = Rig::new(config);
    rig.tick();
    rig.pass(200);
    rig.minutes(30);
    assert_eq!(rig.in_place(Place::Sent), 3);
    // Room for three files: one that is kept goes, and one more for the copy while it is completed.
    rig.disk_full_at = 165;
    rig.minutes(15);
    assert_eq!(rig.received(), boundaries(4));
    assert_eq!(rig.in_place(Place::Sent), 2);
    let full = Some(StoreError::Full);
    let storage = |why| Condition::Storage { file: 1, why };
    assert_eq!(rig.alarms[0], (true, storage(full)));
    assert_eq!(rig.alarms.last(), Some(&(false, storage(None))));
    assert_eq!(rig.collector.status().lost, 0);
    rig.disk_full_at = 0;
    rig.minutes(16);
    assert_eq!(rig.collector.status().lost, 0, "it waits for room");
    // The next sample wants its place.
    rig.minutes(15);
    assert_eq!(rig.collector.status().lost, 1);
    assert_eq!(rig.status().statistics.discarded_records, 1);
    assert_eq!(rig.status().statistics.discarded_bytes, 47);
    let (file, records) = (1, 1);
    assert_eq!(rig.notices, [Notice::SampleLost { file, records }]);
    rig.disk_full_at = usize::MAX;
    rig.minutes(1);
    assert!(!rig.collector.status().storage_failing);
    assert_eq!(rig.received().len(), 5);
    assert_eq!(rig.collector.status().lost, 1);
}

/// The file that was to be completed with the sample that is lost is completed without it.
#[test]
fn a_sample_that_is_lost_keeps_no_file_open() {
    let mut rig = Rig::new(config());
    rig.tick();
    rig.collector.force_gather(rig.now);
    rig.perform();
    assert_eq!(rig.in_place(Place::Open), 1);
    rig.disk_fails = true;
    rig.pass(200);
    rig.minutes(15);
    assert_eq!(rig.collector.status().lost, 1);
    rig.disk_fails = false;
    rig.minutes(1);
    assert_eq!((rig.received().len(), rig.arrived.len()), (2, 2));
    assert!(rig.nothing_waits());
}

/// Files that wait, on a disk that others fill: what is freed is theirs at once.
fn taken_by_others(files: u64) -> Rig {
    let mut config = config();
    config.transfer_interval_min = 480;
    let mut rig = Rig::new(config);
    rig.tick();
    rig.pass(200);
    rig.collector.force_transfer(rig.now);
    rig.perform();
    assert_eq!(rig.received(), boundaries(1));
    rig.primary.away = unreachable();
    for _ in 0..files {
        rig.collector.force_gather(rig.now);
        rig.collector.force_transfer(rig.now);
        rig.perform();
    }
    rig.pass(1);
    assert_eq!(
        (rig.in_place(Place::Pending), rig.in_place(Place::Sent)),
        (10, 1)
    );
    rig
}

#[test]
fn what_waits_is_not_dropped_to_complete_a_file() {
    let mut rig = taken_by_others(10);
    rig.collector.force_gather(rig.now);
    rig.perform();
    rig.disk_full_at = 0;
    rig.collector.force_transfer(rig.now);
    rig.perform();
    rig.minutes(10);
    assert_eq!(rig.in_place(Place::Pending), 10);
    assert_eq!(rig.status().statistics.discarded_records, 0);
    rig.disk_full_at = usize::MAX;
    rig.minutes(1);
    assert_eq!(
        (rig.in_place(Place::Pending), rig.nothing_waits()),
        (11, false)
    );
}

#[test]
fn a_sample_drops_no_more_than_it_takes() {
    let mut rig = taken_by_others(10);
    rig.disk_full_at = 0;
    rig.minutes(16);
    assert_eq!(rig.collector.status().lost, 0);
    // Room for 44 bytes is made once, however often the sample is tried; a file has 54.
    assert_eq!(
        (rig.in_place(Place::Pending), rig.in_place(Place::Sent)),
        (9, 1)
    );
    assert_eq!(rig.status().statistics.discarded_records, 1);
    assert!(rig.collector.status().discarding);
    rig.disk_full_at = usize::MAX;
    rig.minutes(61);
    assert!(!rig.collector.status().discarding);
    assert_eq!(rig.alarms.last(), Some(&(false, Condition::Discarding)));
}

#[test]
fn a_large_sample_has_room_made_at_once_by_small_files() {
    let mut config = config();
    config.historical_days = 1;
    let mut rig = Rig::new(config);
    rig.tick();
    rig.pass(200);
    rig.minutes(15 * 59);
    assert_eq!(rig.in_place(Place::Sent), 60);
    let line = format!("system schema s format S,%epochtime%,{}", "x".repeat(900));
    rig.config.files[0].schemas = vec![SchemaConfig::parse(&line).unwrap()];
    rig.restart();
    rig.disk_full_at = rig.disk.values().map(Vec::len).sum::<usize>() + 10;
    rig.minutes(15);
    assert_eq!((rig.collector.status().lost, rig.received().len()), (0, 61));
    // 937 bytes for the sample and 947 for the file, of files of 54 to 58.
    let left = rig.in_place(Place::Sent);
    assert!((25..=31).contains(&left), "{left}");
}

/// The limit was lowered, or more files were found than may be.
#[test]
fn a_start_keeps_to_the_limit() {
    let mut rig = Rig::new(config());
    rig.tick();
    rig.primary.away = unreachable();
    rig.pass(200);
    rig.minutes(15 * 19);
    rig.config.limit_bytes = 300;
    rig.restart();
    rig.perform();
    assert_eq!(rig.in_place(Place::Pending), 5);
    assert_eq!(rig.status().statistics.discarded_records, 15);
}

/// Whose minutes need not rise: the clock was a day ahead for a while.
#[test]
fn what_was_kept_long_enough_goes_whatever_stands_before_it() {
    let mut config = config();
    config.historical_days = 1;
    let mut rig = Rig::new(config);
    rig.now.wall.0 += 30 * 1_440 * MINUTE;
    rig.tick();
    rig.pass(200);
    rig.now.wall.0 -= 30 * 1_440 * MINUTE;
    rig.minutes(3 * 1_440);
    // Of a day, and the one of a month ahead.
    assert_eq!(rig.in_place(Place::Sent), 97);
}

#[test]
fn a_disk_that_fails_for_a_while_loses_nothing() {
    let mut rig = Rig::new(config());
    rig.tick();
    rig.disk_fails = true;
    rig.pass(200);
    rig.pass(5);
    assert!(rig.collector.status().storage_failing);
    rig.disk_fails = false;
    rig.pass(10);
    assert_eq!(
        (rig.received(), rig.collector.status().lost),
        (boundaries(1), 0)
    );
    rig.disk_fails = true;
    // Nearly an interval: the next sample has not been taken.
    rig.minutes(27);
    assert_eq!(rig.received().len(), 1);
    rig.disk_fails = false;
    rig.minutes(1);
    assert_eq!((rig.received().len(), rig.collector.status().lost), (2, 0));
}

/// Which sample goes first to a disk that works again is not left to the pause between attempts.
#[test]
fn a_sample_is_tried_once_more_before_the_next_takes_its_place() {
    let mut config = config();
    config.transfer_interval_min = 60;
    for fails in [true, false] {
        let mut rig = Rig::new(config.clone());
        rig.tick();
        (rig.disk_fails, rig.disk_full_at) = (fails, if fails { usize::MAX } else { 0 });
        rig.pass(200);
        // An attempt has just failed.
        rig.pass(899);
        (rig.disk_fails, rig.disk_full_at) = (false, usize::MAX);
        rig.pass(1);
        assert_eq!(rig.in_place(Place::Open), 2, "{fails}");
        assert_eq!(rig.collector.status().lost, 0);
        rig.minutes(60);
        assert_eq!(rig.received(), boundaries(3));
        let file = rig.primary.files.values().next().unwrap();
        let headers = file.windows(8).filter(|of| of == b"Version-");
        assert_eq!(headers.count(), 1);
    }
}

/// Room that is made for a sample at the last moment is not left to the next.
#[test]
fn a_sample_that_has_room_at_last_is_written_before_the_next() {
    let mut rig = taken_by_others(10);
    rig.disk_fails = true;
    rig.minutes(29);
    assert_eq!(rig.status().awaiting_records, 10);
    rig.pass(58);
    // Until now the disk failed; it is full as well.
    rig.disk_fails = false;
    rig.disk_full_at = rig.disk.values().map(Vec::len).sum::<usize>() + 10;
    rig.pass(1);
    assert_eq!(
        (rig.collector.status().lost, rig.in_place(Place::Open)),
        (0, 2)
    );
}

/// With files of another configuration before it that are not complete.
#[test]
fn a_file_whose_first_sample_is_lost_has_its_header() {
    let mut config = config();
    config.transfer_interval_min = 30;
    let mut rig = Rig::new(config);
    rig.tick();
    // Room for a sample, and none to complete its file; then for one more.
    rig.disk_full_at = 50;
    rig.pass(200);
    rig.disk_full_at = 95;
    rig.minutes(15);
    assert_eq!(rig.in_place(Place::Open), 2);
    rig.config.files[0].header = "H".into();
    rig.restart();
    rig.disk_fails = true;
    rig.minutes(30);
    assert_eq!(rig.collector.status().lost, 1);
    (rig.disk_fails, rig.disk_full_at) = (false, usize::MAX);
    rig.minutes(15);
    let times = boundaries(5);
    assert_eq!(rig.received(), [&times[..2], &times[3..]].concat());
    let texts = rig
        .primary
        .order
        .iter()
        .map(|name| &rig.primary.files[name]);
    let begins: Vec<&[u8]> = texts.map(|text| &text[..2]).collect();
    assert_eq!(begins, [b"Ve", b"Ve", b"H\n"]);
}

#[test]
fn a_file_that_can_not_be_completed_is_tried_again() {
    let mut rig = Rig::new(config());
    rig.tick();
    // Room for the sample, and none for its copy with the footer.
    rig.disk_full_at = 60;
    rig.pass(200);
    rig.minutes(1);
    assert_eq!((rig.in_place(Place::Open), rig.received().len()), (1, 0));
    rig.disk_full_at = usize::MAX;
    rig.minutes(1);
    assert_eq!(rig.received(), boundaries(1));
    assert!(rig.nothing_waits() && rig.collector.status().lost == 0);
}

#[test]
fn another_file_of_that_name_is_not_overwritten() {
    let mut rig = Rig::new(config());
    rig.config.files[0].remote = "stats.csv".into();
    rig.restart();
    rig.tick();
    rig.pass(200);
    rig.minutes(30);
    let names: Vec<&str> = rig.primary.files.keys().map(String::as_str).collect();
    assert_eq!(names, ["stats.csv", "stats~2.csv", "stats~3.csv"]);
    assert_eq!(rig.received(), boundaries(3));
    // The second was known here to be one more; of the third only its receiver knew.
    let name = "stats~3.csv".to_owned();
    assert_eq!(rig.notices, [Notice::Renamed { file: 1, name }]);
    assert!(rig.nothing_waits());
}

/// A name that does not change, and a receiver that keeps what it got: each file arrives, with few logins.
#[test]
fn a_name_that_is_always_the_same_runs_out_of_no_numbers() {
    let mut rig = Rig::new(config());
    rig.config.files[0].remote = "stats.csv".into();
    rig.restart();
    rig.tick();
    rig.primary.away = unreachable();
    rig.pass(200);
    rig.minutes(15 * 1_100);
    let names = rig.collector.lines[0].names().map(str::to_owned);
    let distinct: BTreeSet<String> = names.collect();
    assert_eq!(distinct.len(), 1_101);
    // A restart finds all of them, and one that is open.
    rig.collector.force_gather(rig.now);
    rig.perform();
    rig.restart();
    assert_eq!(rig.in_place(Place::Open), 1);
    rig.primary.away = None;
    rig.minutes(15);
    assert_eq!(rig.received().len(), 1_103);
    // Others put a file there under each name that is tried.
    for n in 2..=8 {
        rig.primary
            .files
            .insert(format!("stats~{n}.csv"), b"another".to_vec());
    }
    let before = rig.attempts;
    rig.minutes(15);
    assert_eq!(rig.received().len(), 1_103 - 7 + 1);
    assert!(rig.attempts - before <= 9, "{}", rig.attempts - before);
    assert!(!rig.status().failing && rig.nothing_waits());
}

/// One that takes no name at all gets a pause like any that fails.
#[test]
fn a_receiver_that_takes_no_name_is_not_overrun() {
    let mut rig = Rig::new(config());
    rig.tick();
    rig.primary.away = Some(TransferError::NameTaken);
    rig.pass(200);
    assert_eq!(rig.attempts, 9);
    let why = Some(TransferError::NameTaken);
    assert_eq!(rig.alarms, [(true, Condition::Receivers { file: 1, why })]);
    rig.minutes(1_440);
    assert!((100..=200).contains(&rig.attempts), "{}", rig.attempts);
    rig.primary.away = None;
    rig.minutes(15);
    assert_eq!(rig.received().len(), 98);
}

#[test]
fn an_operator_gathers_transfers_and_clears() {
    let mut config = config();
    config.transfer_interval_min = 480;
    let mut rig = Rig::new(config);
    rig.tick();
    rig.collector.force_gather(rig.now);
    rig.perform();
    assert_eq!(
        (rig.in_place(Place::Open), rig.status().awaiting_records),
        (1, 1)
    );
    rig.collector.force_transfer(rig.now);
    rig.perform();
    assert_eq!(rig.received(), [START / 1_000]);
    rig.collector.clear_counters();
    assert_eq!(rig.status().statistics, Statistics::default());
    rig.pass(200);
    rig.primary.away = unreachable();
    rig.collector.force_transfer(rig.now);
    rig.perform();
    rig.collector.force_gather(rig.now);
    rig.perform();
    assert_eq!(
        (rig.status().awaiting_records, rig.in_place(Place::Pending)),
        (2, 1)
    );
    rig.collector.clear_data();
    rig.perform();
    assert_eq!(rig.status().awaiting_records, 0);
    assert!(rig.nothing_waits());
    // A pause between attempts does not hold up who is told to transfer.
    rig.collector.force_gather(rig.now);
    rig.collector.force_transfer(rig.now);
    rig.primary.away = None;
    rig.collector.force_transfer(rig.now);
    rig.perform();
    assert_eq!(rig.received().len(), 2);
}

/// A sample whose header was cleared away is no beginning of a file.
#[test]
fn what_is_being_written_is_cleared_too() {
    let mut config = config();
    config.transfer_interval_min = 480;
    let mut rig = Rig::new(config);
    rig.tick();
    for under_way in [false, true] {
        rig.collector.force_gather(rig.now);
        rig.perform();
        rig.disk_fails = !under_way;
        rig.collector.force_gather(rig.now);
        match under_way {
            // The write was asked for and is not done.
            true => {
                assert_eq!(rig.collector.poll_output(), Some(Output::Sample));
                let view = rig.view();
                rig.collector.sample(&view, rig.now);
            }
            // It failed, and is to be tried again.
            false => rig.perform(),
        }
        rig.collector.clear_data();
        rig.disk_fails = false;
        rig.perform();
        rig.pass(20);
        assert!(rig.nothing_waits(), "{under_way}");
    }
    rig.collector.force_gather(rig.now);
    rig.collector.force_transfer(rig.now);
    rig.perform();
    let file = rig.primary.files.values().next().unwrap();
    assert!(file.starts_with(b"Version-"));
    assert_eq!(rig.received().len(), 1);
}

#[test]
fn who_never_answers_is_not_waited_for() {
    let mut rig = Rig::new(config());
    rig.tick();
    rig.silent = true;
    rig.pass(200);
    assert_eq!(rig.asked, 1);
    rig.pass(29);
    assert_eq!(rig.asked, 1);
    rig.pass(1);
    assert_eq!(rig.asked, 2);
    let view = rig.view();
    rig.collector.sample(&view, rig.now);
    rig.collector.sample(&view, rig.now);
    rig.perform();
    assert_eq!(
        (rig.in_place(Place::Pending), rig.status().failing),
        (1, false)
    );
    rig.pass(899);
    assert!(!rig.status().failing);
    rig.pass(1);
    assert!(rig.status().failing);
    let why = Some(TransferError::Timeout);
    assert_eq!(rig.alarms, [(true, Condition::Receivers { file: 1, why })]);
    // An answer that comes after all is none.
    rig.collector.transferred(1, Ok(()), rig.now);
    rig.perform();
    assert!(rig.status().failing && rig.status().awaiting_files >= 1);
}

#[test]
fn what_was_transferred_is_kept_for_so_many_days() {
    let mut config = config();
    config.historical_days = 2;
    let mut rig = Rig::new(config.clone());
    rig.tick();
    rig.pass(200);
    rig.minutes(3 * 1_440);
    assert_eq!(rig.in_place(Place::Sent), 192);
    config.historical_bytes = 550;
    let mut rig = Rig::new(config);
    rig.tick();
    rig.pass(200);
    rig.minutes(300);
    assert_eq!(rig.in_place(Place::Sent), 10);
    assert_eq!(rig.received().len(), 21);
}

#[test]
fn a_file_that_nobody_gets_is_kept() {
    let mut config = config();
    config.files[0].primary = None;
    config.historical_days = 1;
    let mut rig = Rig::new(config);
    rig.tick();
    rig.pass(200);
    rig.minutes(15);
    assert_eq!((rig.in_place(Place::Sent), rig.disk.len()), (2, 2));
    let status = rig.status();
    assert_eq!(
        (
            status.awaiting_records,
            status.statistics.transmitted_records
        ),
        (0, 0)
    );
    assert_eq!(status.statistics.collected_records, 2);
}

#[test]
fn ten_thousand_files_wait_and_go_in_order() {
    let mut rig = Rig::new(config());
    for n in 0..10_000 {
        let stored = Stored {
            place: Place::Pending,
            file: 1,
            seq: n + 1,
            minute: START / MINUTE - 60,
            records: 1,
            name: format!("{n:05}"),
        };
        rig.disk
            .insert((Place::Pending, stored.local_name()), vec![b'x'; 100]);
    }
    rig.restart();
    assert_eq!(rig.status().awaiting_files, 10_000);
    rig.tick();
    assert_eq!(rig.primary.order.len(), 10_001);
    assert!(
        rig.primary
            .order
            .is_sorted_by_key(|name| name.trim_start_matches('/').to_owned())
    );
    assert_eq!(rig.primary.order[9_999], "09999");
}

#[test]
fn without_collection_nothing_is_sampled_and_what_is_there_goes() {
    let mut config = config();
    config.transfer_interval_min = 480;
    let mut rig = Rig::new(config);
    rig.tick();
    rig.pass(200);
    assert_eq!(rig.in_place(Place::Open), 1);
    rig.config.collection = false;
    rig.restart();
    rig.minutes(60);
    assert_eq!(rig.received(), boundaries(1));
    assert!(rig.nothing_waits());
    assert_eq!(rig.collector.status().samples, 0);
}

/// Nobody takes files, and one is an impostor; then nothing is to be sent any more.
#[test]
fn who_has_nothing_to_take_is_blamed_no_more() {
    for cleared in [true, false] {
        let mut config = config();
        config.files[0].secondary = receiver("192.0.2.11");
        config.transfer_interval_min = 480;
        let mut rig = Rig::new(config);
        rig.tick();
        rig.pass(200);
        rig.config.collection = cleared;
        rig.restart();
        rig.primary.away = Some(TransferError::HostKey);
        rig.secondary.away = unreachable();
        rig.collector.force_transfer(rig.now);
        rig.perform();
        rig.pass(1);
        let raised = |rig: &Rig| rig.alarms.iter().filter(|(raised, _)| *raised).count();
        let ended = |rig: &Rig| rig.alarms.len() - raised(rig);
        assert_eq!((raised(&rig), ended(&rig)), (2, 0), "{cleared}");
        match cleared {
            true => {
                rig.collector.clear_data();
                rig.perform();
            }
            // The secondary takes the last file that there is.
            false => {
                rig.secondary.away = None;
                rig.minutes(10);
            }
        }
        assert!(rig.nothing_waits());
        assert_eq!((raised(&rig), ended(&rig)), (2, 2), "{cleared}");
        assert!(!rig.status().failing);
        assert_eq!(rig.status().primary_error, None);
    }
}

/// What is on its way was not cleared, and may be refused still.
#[test]
fn who_is_being_given_a_file_may_be_blamed_still() {
    let mut rig = Rig::new(config());
    rig.tick();
    rig.primary.away = unreachable();
    rig.pass(200);
    rig.silent = true;
    rig.pass(10);
    rig.collector.clear_data();
    rig.perform();
    let ended = |rig: &Rig| rig.alarms.iter().any(|(raised, _)| !raised);
    assert!(rig.alarms.len() == 1 && !ended(&rig));
    assert_eq!(rig.in_place(Place::Pending), 1);
}

#[test]
fn the_next_look_is_at_the_boundary_or_the_next_attempt() {
    let mut rig = Rig::new(config());
    rig.tick();
    assert_eq!(
        rig.collector.poll_timeout(rig.now),
        Duration::from_secs(200)
    );
    rig.primary.away = unreachable();
    rig.pass(200);
    assert_eq!(rig.collector.poll_timeout(rig.now), BACK_OFF);
}

/// What happens in the hours of a year.
#[derive(Clone, Debug)]
enum Hour {
    Quiet,
    ReceiverAway(bool),
    SecondaryAway(bool),
    Clock(i64),
    DiskFails(bool),
    Stands(u64),
    Restart,
}

fn hours(restarts: u32) -> impl Strategy<Value = Vec<Hour>> {
    let hour = prop_oneof![
        20 => Just(Hour::Quiet),
        3 => any::<bool>().prop_map(Hour::ReceiverAway),
        2 => any::<bool>().prop_map(Hour::SecondaryAway),
        2 => prop_oneof![Just(-1_440), Just(1_440), -90_i64..90].prop_map(Hour::Clock),
        1 => any::<bool>().prop_map(Hour::DiskFails),
        1 => (1..7_200_u64).prop_map(Hour::Stands),
        restarts => Just(Hour::Restart),
    ];
    // 40 of them, each followed by nine days of nothing: a year.
    prop::collection::vec(hour, 40)
}

/// A year of these; the intervals that began by the clock, each time that one did.
fn year(hours: &[Hour]) -> (Rig, u64) {
    let mut config = config();
    config.sample_interval_min = 60;
    config.transfer_interval_min = 240;
    config.files[0].secondary = receiver("192.0.2.11");
    let line = "system schema s format S,%epochtime%,%uptime%,%sess-created%";
    let mut other = FileConfig::new(3, "other_%date%_%time%.csv");
    other.primary = receiver("192.0.2.10");
    other.schemas.push(SchemaConfig::parse(line).unwrap());
    config.files.push(other);
    let mut rig = Rig::new(config);
    rig.tick();
    let (mut begun, mut at) = (0_u64, START.div_euclid(60 * MINUTE));
    let mut count = |rig: &Rig, far: bool| {
        let here = rig.now.wall.0.div_euclid(60 * MINUTE);
        if here > at {
            begun += here.abs_diff(at);
        }
        if here > at || at - here > 1 || far {
            at = here;
        }
        begun
    };
    // The first sample is on disk: what went before it nobody knows after a restart.
    for _ in 0..4 {
        rig.pass(1_800);
        count(&rig, false);
    }
    for hour in hours {
        match hour {
            Hour::Quiet => {}
            Hour::ReceiverAway(away) => rig.primary.away = unreachable().filter(|_| *away),
            Hour::SecondaryAway(away) => rig.secondary.away = unreachable().filter(|_| *away),
            Hour::Clock(minutes) => {
                rig.now.wall.0 += minutes * MINUTE;
                count(&rig, *minutes <= -60);
                rig.tick();
            }
            Hour::DiskFails(fails) => rig.disk_fails = *fails,
            Hour::Stands(seconds) => {
                rig.pass(*seconds);
                count(&rig, false);
            }
            Hour::Restart => rig.restart(),
        }
        for _ in 0..438 {
            rig.pass(1_800);
            count(&rig, false);
        }
    }
    (rig.primary.away, rig.secondary.away) = (None, None);
    rig.disk_fails = false;
    for _ in 0..16 {
        rig.pass(1_800);
        count(&rig, false);
    }
    rig.collector.force_transfer(rig.now);
    rig.perform();
    let begun = count(&rig, false);
    (rig, begun)
}

/// What is told of a block, and what it has with its receivers.
#[derive(Debug, Default)]
struct Told {
    missing: u64,
    repeated: u64,
    put_back: u64,
    arrived: u64,
    /// Samples of intervals that had one that arrived.
    twice: u64,
}

fn told(rig: &Rig, block: u8) -> Told {
    let mut told = Told::default();
    for notice in &rig.notices {
        match notice {
            Notice::Skipped { intervals, .. } => told.missing += intervals,
            Notice::SampleLost { file, .. } if *file == block => told.missing += 1,
            Notice::Discarded { file, records, .. } if *file == block => told.missing += records,
            Notice::Repeated { .. } => told.repeated += 1,
            Notice::PutBack { intervals } => told.put_back += intervals,
            Notice::SampleLost { .. }
            | Notice::Discarded { .. }
            | Notice::Renamed { .. }
            | Notice::Receiver { .. }
            | Notice::SetAside { .. }
            | Notice::Orphaned { .. } => {}
        }
    }
    let (mut hours, mut uptime) = (BTreeSet::new(), 0);
    for (_, name, bytes) in rig.arrived.iter().filter(|(file, _, _)| *file == block) {
        for row in String::from_utf8(bytes.clone()).unwrap().lines() {
            let fields: Vec<&str> = row.split(',').collect();
            if fields[0] != "S" {
                continue;
            }
            let (time, since): (i64, u64) =
                (fields[1].parse().unwrap(), fields[2].parse().unwrap());
            // A clock that is put forward takes no time.
            assert!(since >= uptime, "{name} out of order");
            uptime = since;
            told.arrived += 1;
            told.twice += u64::from(!hours.insert(time / 3_600));
        }
    }
    told
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3, max_shrink_iters: 4, ..ProptestConfig::default() })]

    /// Every interval of a year, by the wall clock as it went, is with a receiver, or was told to be skipped or lost; what is
    /// there twice was told to be repeated; files arrive in order, and none overwrites another.
    #[test]
    fn in_a_year_nothing_is_silent(hours in hours(0)) {
        let (rig, begun) = year(&hours);
        for block in [1, 3] {
            let told = told(&rig, block);
            prop_assert_eq!(told.arrived + told.missing, begun, "{:?}", told);
            prop_assert!(told.twice <= told.repeated, "{:?}", told);
        }
    }

    /// With restarts what is on disk is all that is known: an interval may be told twice to be missing, and one may be there
    /// twice that the clock was told to come once more to.
    #[test]
    fn in_a_year_with_restarts_nothing_is_silent(hours in hours(3)) {
        let (rig, begun) = year(&hours);
        for block in [1, 3] {
            let told = told(&rig, block);
            prop_assert!(told.arrived + told.missing >= begun, "{:?} of {}", told, begun);
            prop_assert!(told.twice <= told.repeated + told.put_back, "{:?}", told);
        }
    }
}
