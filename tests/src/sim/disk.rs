//! The disk: slots of the license clock octet by octet, databases as values that are there in one transaction or not.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use licensing::record::{ClockRecord, OperatorRecord, Record, SLOT_BYTES, Slot, SlotError, choose};
use node::store::{Copies, Found};
use rand::Rng;
use rand::rngs::StdRng;
use smart_agent::Restored;
use snmp::delivery::{Change, Key, Record as Told};

const SECTOR: usize = 512;

/// What the disk does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Mood {
    #[default]
    Well,
    /// ENOSPC: what is there already can be written in place.
    Full,
    /// EIO.
    Broken,
}

#[derive(Clone, Debug, Default)]
struct Database {
    clock: Option<ClockRecord>,
    operator: Option<OperatorRecord>,
}

#[derive(Debug)]
pub(super) struct Disk {
    pub mood: Mood,
    /// The next write of a slot stops after so many sectors, and so does the node.
    pub cut: Option<usize>,
    pub was_cut: bool,
    slots: [Vec<u8>; 2],
    /// As they were before.
    earlier: [Vec<u8>; 2],
    /// A slot before its last write.
    before: Option<(usize, Vec<u8>)>,
    database: Option<Database>,
    /// Slots have a clock that the database does not.
    pub behind: bool,
    pub agent: Restored,
    told: BTreeMap<Key, Told>,
    /// Of what was told, what a crash leaves.
    durable: BTreeMap<Key, Told>,
    key: u64,
}

fn place(slot: Slot) -> usize {
    match slot {
        Slot::A => 0,
        Slot::B => 1,
    }
}

impl Disk {
    pub(super) fn new(key: u64) -> Self {
        let mut disk = Self {
            mood: Mood::Well,
            cut: None,
            was_cut: false,
            slots: [vec![0; SLOT_BYTES], vec![0; SLOT_BYTES]],
            earlier: [vec![0; SLOT_BYTES], vec![0; SLOT_BYTES]],
            before: None,
            database: None,
            behind: false,
            agent: Restored::default(),
            told: BTreeMap::new(),
            durable: BTreeMap::new(),
            key,
        };
        disk.slots[0] = disk.encode(&ClockRecord::default());
        disk
    }

    fn encode(&self, record: &ClockRecord) -> Vec<u8> {
        let bytes = record.encode(|body| self.code(body));
        bytes.expect("few grace clocks").to_vec()
    }

    /// In place of the keyed code of `node::store`.
    fn code(&self, body: &[u8]) -> [u8; 32] {
        let mut hasher = DefaultHasher::new();
        (self.key, body).hash(&mut hasher);
        let mut code = [0; 32];
        for (place, part) in code.chunks_mut(8).enumerate() {
            place.hash(&mut hasher);
            part.copy_from_slice(&hasher.finish().to_le_bytes());
        }
        code
    }

    /// As `node::store::Store::write`: the slot, then the database. False: not all of it is written.
    pub(super) fn write(&mut self, record: &Record) -> bool {
        if self.mood == Mood::Broken || self.was_cut {
            return false;
        }
        if let Record::Clock(clock) = record {
            let bytes = self.encode(clock);
            let at = place(Slot::of(clock.generation));
            self.before = Some((at, self.slots[at].clone()));
            let length = self.cut.take().map(|sectors| sectors * SECTOR);
            self.was_cut = length.is_some();
            let length = length.unwrap_or(SLOT_BYTES);
            self.slots[at][..length].copy_from_slice(&bytes[..length]);
            self.behind = true;
        }
        if self.mood == Mood::Full || self.was_cut {
            return false;
        }
        let database = self.database.get_or_insert_default();
        match record {
            Record::Clock(clock) => {
                database.clock = Some(clock.clone());
                self.behind = false;
            }
            Record::Operator(operator) => database.operator = Some(operator.clone()),
        }
        true
    }

    pub(super) fn keep_agent(&mut self, record: smart_agent::Record) -> bool {
        let well = self.mood == Mood::Well && !self.was_cut;
        if well {
            self.agent.keep(record);
        }
        well
    }

    pub(super) fn keep_told(&mut self, changes: &[Change], durable: bool) -> bool {
        if self.mood != Mood::Well || self.was_cut {
            return false;
        }
        for change in changes {
            match change {
                Change::Persist(record) => {
                    self.told.insert(record.key(), record.clone());
                }
                Change::Delete(key) => {
                    self.told.remove(key);
                }
            }
        }
        if durable {
            self.durable.clone_from(&self.told);
        }
        true
    }

    /// The process has ended: what was not durable is there or not.
    pub(super) fn crash(&mut self, random: &mut StdRng) {
        self.was_cut = false;
        self.cut = None;
        if random.random_bool(0.5) {
            self.told.clone_from(&self.durable);
        }
        self.durable.clone_from(&self.told);
    }

    pub(super) fn told(&self) -> Vec<Told> {
        self.told.values().cloned().collect()
    }

    /// Marks a time to which slots can be put back.
    pub(super) fn remember(&mut self) {
        self.earlier.clone_from(&self.slots);
    }

    pub(super) fn put_back(&mut self) {
        self.slots.clone_from(&self.earlier);
    }

    /// The medium lost the last write of a slot.
    pub(super) fn lose_last(&mut self) {
        if let Some((at, bytes)) = self.before.take() {
            self.slots[at] = bytes;
        }
    }

    /// A bit of one slot turns.
    pub(super) fn rot(&mut self, random: &mut StdRng) {
        let at = random.random_range(0..SLOT_BYTES);
        self.slots[random.random_range(0..2)][at] ^= 1 << random.random_range(0..8);
    }

    /// All copies of the clock are gone.
    pub(super) fn lose_all(&mut self) {
        self.slots = [vec![0; SLOT_BYTES], vec![0; SLOT_BYTES]];
        self.database = None;
    }

    /// What a start finds.
    pub(super) fn found(&self) -> Found {
        let read = |slot: Slot| -> Result<ClockRecord, SlotError> {
            ClockRecord::decode(slot, &self.slots[place(slot)], |body| self.code(body))
        };
        let database = self.database.clone();
        let copies = Copies {
            is_new: false,
            slots: choose(read(Slot::A), read(Slot::B)),
            had_database: database.is_some(),
            clock: database.as_ref().and_then(|kept| kept.clock.clone()),
            operator: database.and_then(|kept| kept.operator),
            altered: false,
        };
        copies.found("SIM".into())
    }

    /// What is searched for secrets: all but what is one file of mode 0600.
    pub(super) fn shown(&self) -> String {
        format!("{:?} {:?}", self.database, self.told)
    }
}
