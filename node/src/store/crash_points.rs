//! A day of the license clock, cut off everywhere: after each step of each write, in the middle of one, and with what was
//! not yet durable there in any part. The steps are those that the store takes, written down as it takes them.

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;

use licensing::record::{SLOT_BYTES, Slot};
use parking_lot::Mutex;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use redb::StorageBackend;

use super::database_file::DatabaseFile;
use super::*;

/// Minutes that are charged: a day of them, or so many as this variable says.
const MINUTES: &str = "TOLLGATE_CRASH_MINUTES";
const IN_A_TEST: u32 = 20;
/// What an operator or the authority said is kept so often.
const OPERATOR_EVERY: u32 = 10;
const SECTOR: usize = 512;
/// Of larger groups so many parts are tried, by chance.
const PARTS: u32 = 16;
/// Each so many points the node goes on from there.
const GOES_ON_EVERY: u64 = 64;

/// One step of a write.
#[derive(Clone, Debug)]
enum Step {
    /// A slot, in place.
    Slot(Slot, Vec<u8>),
    /// The database, in place.
    Database(u64, Vec<u8>),
    Length(u64),
    /// What was written of the database before is durable.
    Durable,
}

/// A database in memory that writes its steps down.
#[derive(Clone, Debug, Default)]
struct Medium(Arc<Mutex<(Vec<u8>, Vec<Step>)>>);

impl StorageBackend for Medium {
    fn len(&self) -> io::Result<u64> {
        Ok(self.0.lock().0.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let medium = self.0.lock();
        let at = offset as usize;
        let found = medium.0.get(at..at + out.len());
        out.copy_from_slice(found.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        let mut medium = self.0.lock();
        medium.0.resize(length as usize, 0);
        medium.1.push(Step::Length(length));
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        self.0.lock().1.push(Step::Durable);
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut medium = self.0.lock();
        medium.0[offset as usize..][..data.len()].copy_from_slice(data);
        medium.1.push(Step::Database(offset, data.to_vec()));
        Ok(())
    }
}

/// What is on the disk.
#[derive(Clone, Debug)]
struct Disk {
    a: Vec<u8>,
    b: Vec<u8>,
    database: Vec<u8>,
}

impl Disk {
    fn take(&mut self, step: &Step) {
        match step {
            Step::Slot(Slot::A, bytes) => self.a[..bytes.len()].copy_from_slice(bytes),
            Step::Slot(Slot::B, bytes) => self.b[..bytes.len()].copy_from_slice(bytes),
            Step::Database(at, bytes) => {
                let end = *at as usize + bytes.len();
                if self.database.len() < end {
                    self.database.resize(end, 0);
                }
                self.database[*at as usize..end].copy_from_slice(bytes);
            }
            Step::Length(length) => self.database.resize(*length as usize, 0),
            Step::Durable => {}
        }
    }
}

/// What a start may find: what was durable before a write, or the write.
#[derive(Clone, Debug, PartialEq)]
struct State {
    clock: ClockRecord,
    operator: OperatorRecord,
}

struct Rig {
    dir: tempfile::TempDir,
    key: NodeKey,
    slots: ClockSlots,
    database: OperatorDatabase,
    medium: Medium,
    /// What is durable.
    disk: Disk,
    /// What was written since, and is there or not after a loss of power.
    group: Vec<Step>,
    state: State,
    random: StdRng,
    points: u64,
}

impl Rig {
    fn new(seed: u64) -> Self {
        // In memory where there is such a place: what is durable is decided here, not by a disk.
        let shm = Path::new("/dev/shm");
        let dir = match shm.is_dir() {
            true => tempfile::tempdir_in(shm),
            false => tempfile::tempdir(),
        };
        let dir = dir.unwrap();
        drop(Store::open(dir.path()).unwrap());
        let (key, _) = NodeKey::open(dir.path()).unwrap();
        let medium = Medium::default();
        let (slots, _) = ClockSlots::open(dir.path(), &key, false).unwrap();
        let database = DatabaseFile::of(dir.path().join("operator.redb"), &key, medium.clone());
        let mut rig = Self {
            disk: Disk {
                a: fs::read(dir.path().join("clock.a")).unwrap(),
                b: fs::read(dir.path().join("clock.b")).unwrap(),
                database: Vec::new(),
            },
            group: Vec::new(),
            dir,
            key,
            slots,
            database: OperatorDatabase::of(database),
            medium,
            state: State {
                clock: ClockRecord::default(),
                operator: OperatorRecord::default(),
            },
            random: StdRng::seed_from_u64(seed),
            points: 0,
        };
        let operator = Record::Operator(rig.state.operator.clone());
        for step in rig.steps(&operator) {
            rig.disk.take(&step);
        }
        for generation in 1..=2 {
            rig.state.clock.generation = generation;
            let clock = Record::Clock(rig.state.clock.clone());
            for step in rig.steps(&clock) {
                rig.disk.take(&step);
            }
        }
        rig
    }

    /// The steps of a write, as the store takes them.
    fn steps(&mut self, record: &Record) -> Vec<Step> {
        self.medium.0.lock().1.clear();
        let mut steps = Vec::new();
        match record {
            Record::Clock(clock) => {
                self.slots.write(clock).unwrap();
                let slot = Slot::of(clock.generation);
                let name = match slot {
                    Slot::A => "clock.a",
                    Slot::B => "clock.b",
                };
                let bytes = fs::read(self.dir.path().join(name)).unwrap();
                steps.push(Step::Slot(slot, bytes));
                self.database.write_clock(clock).unwrap();
            }
            Record::Operator(operator) => self.database.write(operator).unwrap(),
        }
        steps.append(&mut self.medium.0.lock().1);
        steps
    }

    /// Writes a record; the power fails at every point of that.
    fn write(&mut self, record: &Record) {
        let mut after = self.state.clone();
        match record {
            Record::Clock(clock) => after.clock = clock.clone(),
            Record::Operator(operator) => after.operator = operator.clone(),
        }
        // The directory of the rig is free for starts from here on: what the store has written there is in the steps.
        for step in self.steps(record) {
            match &step {
                // The store waits until a slot is durable: sectors of it alone.
                Step::Slot(..) => {
                    for part in parts_of(&step) {
                        self.start_with(Some(part), &after);
                    }
                    self.disk.take(&step);
                }
                Step::Durable => {
                    for step in std::mem::take(&mut self.group) {
                        self.disk.take(&step);
                    }
                }
                Step::Database(..) | Step::Length(_) => {
                    for part in parts_of(&step) {
                        self.start_with(Some(part), &after);
                    }
                    self.group.push(step);
                }
            }
            self.start_with(None, &after);
        }
        // It was answered: whatever of what is not durable is lost, the record is there.
        self.state = after.clone();
        self.start_with(None, &after);
    }

    /// Starts with all, and with some, of what is not durable, and this part of a step besides.
    fn start_with(&mut self, part: Option<Step>, after: &State) {
        let mut group = self.group.clone();
        group.extend(part);
        let all: Vec<&Step> = group.iter().collect();
        self.start(&all, after);
        for chosen in self.some_of(group.len()) {
            let some: Vec<&Step> = chosen.iter().map(|at| &group[*at]).collect();
            self.start(&some, after);
        }
    }

    /// Some of so many steps, in their order, not all of them.
    fn some_of(&mut self, many: usize) -> BTreeSet<Vec<usize>> {
        let all = 1_u32.checked_shl(many as u32).filter(|all| *all <= PARTS);
        let sets: Vec<u32> = match all {
            Some(all) => (0..all.saturating_sub(1)).collect(),
            None => (0..PARTS).map(|_| self.random.random()).collect(),
        };
        let places = |set: u32| (0..many).filter(|at| set >> (at % 32) & 1 == 1).collect();
        sets.into_iter().map(places).collect()
    }

    /// A start from what is durable and these steps besides: it finds what was there before the write, or the write, and at
    /// least what is durable.
    fn start(&mut self, steps: &[&Step], after: &State) {
        let mut disk = self.disk.clone();
        steps.iter().for_each(|step| disk.take(step));
        let found = self.start_on(&disk);
        let before = &self.state;
        let point = self.points;
        let clock = [&before.clock, &after.clock].contains(&&found.clock);
        assert!(
            clock,
            "point {point}: {found:?}, between {before:?} and {after:?}"
        );
        let operator = [&before.operator, &after.operator].contains(&&found.operator);
        assert!(
            operator,
            "point {point}: {found:?}, between {before:?} and {after:?}"
        );
        self.points += 1;
    }

    /// A start, and now and then the next minute after it.
    fn start_on(&self, disk: &Disk) -> State {
        let point = self.points;
        let path = |name: &str| self.dir.path().join(name);
        fs::write(path("clock.a"), &disk.a).unwrap();
        fs::write(path("clock.b"), &disk.b).unwrap();
        fs::write(path("operator.redb"), &disk.database).unwrap();
        let (mut store, found) = Store::open(self.dir.path()).unwrap();
        assert!(!found.lost, "point {point}: nothing can be read");
        assert!(!found.tampered, "point {point}: taken for another hand's");
        assert_eq!(found.serial, self.key.serial());
        let state = State {
            clock: found.clock.unwrap(),
            operator: found.operator.unwrap(),
        };
        if point.is_multiple_of(GOES_ON_EVERY) {
            let mut next = state.clock.clone();
            next.generation += 1;
            next.evaluation_minutes += 1;
            store.write(&Record::Clock(next.clone())).unwrap();
            drop(store);
            let found = Store::open(self.dir.path()).unwrap().1;
            assert_eq!(found.clock, Some(next), "point {point}: it goes on");
        }
        state
    }
}

/// A write as far as it had come: by sectors of a slot, the first half of anything else, and not at all.
fn parts_of(step: &Step) -> Vec<Step> {
    match step {
        Step::Slot(slot, bytes) => (0..=bytes.len())
            .step_by(SECTOR)
            .map(|length| Step::Slot(*slot, bytes[..length].to_vec()))
            .collect(),
        Step::Database(at, bytes) => {
            let half = (bytes.len() / 2).next_multiple_of(SECTOR).min(bytes.len());
            vec![Step::Database(*at, bytes[..half].to_vec())]
        }
        Step::Length(_) | Step::Durable => Vec::new(),
    }
}

//= L3
#[test]
fn a_day_of_the_clock_may_be_cut_off_anywhere() {
    let minutes = std::env::var(MINUTES).map_or(IN_A_TEST, |minutes| minutes.parse().unwrap());
    let seed = 9;
    let mut rig = Rig::new(seed);
    assert_eq!(rig.disk.a.len(), SLOT_BYTES);
    for minute in 1..=minutes {
        let mut clock = rig.state.clock.clone();
        clock.generation += 1;
        clock.evaluation_minutes = minute;
        rig.write(&Record::Clock(clock));
        if minute % OPERATOR_EVERY == 0 {
            let mut operator = rig.state.operator.clone();
            operator.total_enabled = minute;
            rig.write(&Record::Operator(operator));
        }
    }
    println!("seed {seed}, {minutes} minutes");
    println!("count {} points", rig.points);
    // Each is asserted.
    println!("crash-points 0");
}
