//! A day of the license clock, cut off everywhere: after each step of each write, in the middle of one, and with what was
//! not yet durable there in any part. The steps are those that the store takes, written down as it takes them; that it waits until
//! a slot is durable is taken on its word.

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

/// A database in memory, beside slots in files, that writes the steps of both down.
#[derive(Clone, Debug)]
struct Medium(Arc<Mutex<Written>>);

#[derive(Debug)]
struct Written {
    /// Where the slots are.
    dir: PathBuf,
    /// The slots as they were seen last.
    slots: [(Slot, Vec<u8>); 2],
    database: Vec<u8>,
    steps: Vec<Step>,
}

fn slot_file(dir: &Path, slot: Slot) -> PathBuf {
    dir.join(match slot {
        Slot::A => "clock.a",
        Slot::B => "clock.b",
    })
}

impl Medium {
    fn new(dir: &Path) -> Self {
        let slots = [Slot::A, Slot::B];
        let slots = slots.map(|slot| (slot, fs::read(slot_file(dir, slot)).unwrap()));
        Self(Arc::new(Mutex::new(Written {
            dir: dir.to_owned(),
            slots,
            database: Vec::new(),
            steps: Vec::new(),
        })))
    }

    /// The steps since the last call.
    fn take(&self) -> Vec<Step> {
        let mut written = self.0.lock();
        written.look_at_slots();
        std::mem::take(&mut written.steps)
    }
}

impl Written {
    /// A slot that has changed was written before whatever comes next.
    fn look_at_slots(&mut self) {
        for (slot, seen) in &mut self.slots {
            let now = fs::read(slot_file(&self.dir, *slot)).unwrap();
            if now != *seen {
                seen.clone_from(&now);
                self.steps.push(Step::Slot(*slot, now));
            }
        }
    }

    fn note(&mut self, step: Step) {
        self.look_at_slots();
        self.steps.push(step);
    }
}

impl StorageBackend for Medium {
    fn len(&self) -> io::Result<u64> {
        Ok(self.0.lock().database.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let written = self.0.lock();
        let at = offset as usize;
        let found = written.database.get(at..at + out.len());
        out.copy_from_slice(found.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        let mut written = self.0.lock();
        written.database.resize(length as usize, 0);
        written.note(Step::Length(length));
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        self.0.lock().note(Step::Durable);
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut written = self.0.lock();
        written.database[offset as usize..][..data.len()].copy_from_slice(data);
        written.note(Step::Database(offset, data.to_vec()));
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
    /// The store that writes.
    store: Store,
    medium: Medium,
    /// Where it is, and where starts are tried.
    _work: tempfile::TempDir,
    dir: tempfile::TempDir,
    /// What is durable.
    disk: Disk,
    /// What was written since, and is there or not after a loss of power.
    group: Vec<Step>,
    state: State,
    /// Of the newest slot that is durable: no start may find an older clock.
    newest: u64,
    random: StdRng,
    points: u64,
}

/// In memory where there is such a place: what is durable is decided here, not by a disk.
fn directory() -> tempfile::TempDir {
    let shm = Path::new("/dev/shm");
    let dir = match shm.is_dir() {
        true => tempfile::tempdir_in(shm),
        false => tempfile::tempdir(),
    };
    dir.unwrap()
}

impl Rig {
    fn new(seed: u64) -> Self {
        let (work, dir) = (directory(), directory());
        let mut store = Store::open(work.path()).unwrap().0;
        fs::copy(work.path().join("node.key"), dir.path().join("node.key")).unwrap();
        let medium = Medium::new(work.path());
        let database = work.path().join("operator.redb");
        let database = DatabaseFile::of(database, &store.key, medium.clone());
        store.database = OperatorDatabase::of(database);
        let slot = |slot| fs::read(slot_file(work.path(), slot)).unwrap();
        let mut rig = Self {
            disk: Disk {
                a: slot(Slot::A),
                b: slot(Slot::B),
                database: Vec::new(),
            },
            store,
            medium,
            _work: work,
            dir,
            group: Vec::new(),
            newest: 0,
            state: State {
                clock: ClockRecord::default(),
                operator: OperatorRecord::default(),
            },
            random: StdRng::seed_from_u64(seed),
            points: 0,
        };
        let operator = Record::Operator(rig.state.operator.clone());
        rig.set_up(&operator);
        for generation in 1..=2 {
            rig.state.clock.generation = generation;
            let clock = Record::Clock(rig.state.clock.clone());
            rig.set_up(&clock);
        }
        rig
    }

    /// Writes a record that nothing happens to.
    fn set_up(&mut self, record: &Record) {
        self.store.write(record).unwrap();
        for step in self.medium.take() {
            self.disk.take(&step);
        }
    }

    /// Writes a record; the power fails at every point of that.
    fn write(&mut self, record: &Record) {
        let mut after = self.state.clone();
        match record {
            Record::Clock(clock) => after.clock = clock.clone(),
            Record::Operator(operator) => after.operator = operator.clone(),
        }
        self.store.write(record).unwrap();
        for step in self.medium.take() {
            match &step {
                // The store waits until a slot is durable: sectors of it alone.
                Step::Slot(..) => {
                    for part in parts_of(&step) {
                        self.start_with(Some(part), &after);
                    }
                    self.disk.take(&step);
                    self.newest = after.clock.generation;
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
        let generation = found.clock.generation;
        assert!(
            generation >= self.newest,
            "point {point}: {generation} is found, {} is durable",
            self.newest
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
        fs::write(slot_file(self.dir.path(), Slot::A), &disk.a).unwrap();
        fs::write(slot_file(self.dir.path(), Slot::B), &disk.b).unwrap();
        fs::write(self.dir.path().join("operator.redb"), &disk.database).unwrap();
        let (mut store, found) = Store::open(self.dir.path()).unwrap();
        assert!(!found.lost, "point {point}: nothing can be read");
        assert!(!found.tampered, "point {point}: taken for another hand's");
        assert_eq!(found.serial, self.store.key.serial());
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
