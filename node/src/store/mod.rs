//! The store: what survives the process, in one directory that one node owns.
//!
//! ```text
//! lock           held while a node runs; its process id
//! node.key       32 random bytes, mode 0600, made at first start: the key of the codes in the other files
//! clock.a, .b    one slot each of the license clock: fixed size, allocated at first start, written in turn, in place
//! operator.redb  what operators and the authority said, and the license clock once more
//! identity.key   32 random bytes, mode 0600, made at first start: the seed of the key that the authority certifies
//! agent.redb     the smart agent's registration, trust pool and usage reports
//! snmp.redb      notifications that wait for targets, the alarms that they were told of, and snmpEngineBoots
//! bulkstats/     samples of bulk statistics that wait for receivers, and what is kept of those sent, see the module `bulkstats`
//! settings.toml  what operators set of the configuration, see [`crate::settings`]; their secrets are in secrets/
//! ```
//!
//! Files appear by rename, whole, and the key gets its name last. So a first start that was cut short is told from a
//! loss: when none of them is there, the node is new; when any of them is and no copy of the clock can be read, all are
//! lost. Of the copies that can be read the newest holds: slots put back as they were yesterday give no time. A failing
//! disk never stops a node that runs: [`Store::write`] says so, and is asked again.

mod agent;
#[cfg(test)]
mod crash_points;
mod database;
mod database_file;
mod key;
mod seal;
mod slots;
mod snmp;
#[cfg(test)]
mod tests;

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use enforcer::verdicts::{Restored, RestoredClock};
use licensing::record::{Choice, ClockRecord, OperatorRecord, Record};
use licensing::{TagOrder, TagRef};
use thiserror::Error;

pub use self::snmp::{SnmpKept, SnmpStore};
pub use agent::{AgentKept, AgentStore};
use database::OperatorDatabase;
use key::NodeKey;
pub(crate) use seal::{has_key, is_sealed, seal, unseal};
use slots::ClockSlots;

/// Why a store can't be opened, or a record not written.
#[derive(Debug, Error)]
pub enum StoreError {
    /// Another node runs on this directory.
    #[error(
        "state directory {dir} is in use by process {pid}: one node at a time; stop that one or set another node.state_dir"
    )]
    InUse {
        /// The directory.
        dir: PathBuf,
        /// The process that holds it, as it wrote itself down.
        pid: String,
    },
    /// Others may write in the directory.
    #[error(
        "state directory {dir} has mode {mode:o}: others may write in it; make it 0700 or set another node.state_dir"
    )]
    Open {
        /// The directory.
        dir: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// A file can't be used.
    #[error("{doing} {path}: {source}; let this user write there, or set another node.state_dir")]
    File {
        /// What was tried.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// The database can't be used.
    #[error("{doing} {path}: {reason}")]
    Database {
        /// What was tried.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// Why it failed.
        reason: String,
    },
    /// A record that no slot holds.
    #[error("a record of the license clock: {0}")]
    Record(#[from] licensing::record::TooManyGraces),
}

/// What was found at a start.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// The license clock; none: the node is new, or all copies are lost.
    pub clock: Option<ClockRecord>,
    /// What operators and the authority said; none: nothing was kept.
    pub operator: Option<OperatorRecord>,
    /// All copies of the license clock are lost.
    pub lost: bool,
    /// A file was altered by another hand, or taken away.
    pub tampered: bool,
    /// A serial number that goes with the node's key.
    pub serial: String,
}

/// All copies of what is kept, as a start reads them.
#[derive(Clone, Debug)]
pub struct Copies {
    /// Nothing of a node was there.
    pub is_new: bool,
    /// The slots.
    pub slots: Choice,
    /// There was a database.
    pub had_database: bool,
    /// The license clock as the database has it.
    pub clock: Option<ClockRecord>,
    /// What operators and the authority said, from the database.
    pub operator: Option<OperatorRecord>,
    /// The database was altered, or can't be read.
    pub altered: bool,
}

impl Copies {
    /// What they come to: the newest copy holds.
    pub fn found(self, serial: String) -> Found {
        let generation = |clock: &ClockRecord| clock.generation;
        let in_slots = self.slots.record.as_ref().map_or(0, generation);
        let in_database = self.clock.as_ref().map_or(0, generation);
        // One slot may be lost to the medium; a pair that is older than that was put back.
        let put_back = in_database > in_slots + 1;
        let taken_away = in_slots > 1 && !self.had_database;
        let tampered = self.slots.is_tampered() || self.altered || taken_away || put_back;
        let copies = self.slots.record.into_iter().chain(self.clock);
        let clock = copies.max_by_key(generation);
        Found {
            lost: clock.is_none() && !self.is_new,
            clock,
            operator: self.operator,
            tampered,
            serial,
        }
    }
}

impl Found {
    /// What the verdicts begin with, by the orders in force.
    pub fn restored(self, orders: Vec<(TagRef, TagOrder)>) -> Restored {
        Restored {
            orders,
            clock: match self.clock {
                Some(clock) => RestoredClock::Kept(clock),
                None if self.lost => RestoredClock::Lost,
                None => RestoredClock::Fresh,
            },
            operator: self.operator,
            tampered: self.tampered,
        }
    }
}

/// The directory, held.
#[derive(Debug)]
pub struct Store {
    dir: PathBuf,
    key: NodeKey,
    slots: ClockSlots,
    database: OperatorDatabase,
    /// Held to the end; the kernel lets it go with the process.
    _lock: File,
}

impl Store {
    /// Takes the directory, made if it is not there, and reads what is in it. Errors: it is another's, or can't be used.
    pub fn open(dir: &Path) -> Result<(Self, Found), StoreError> {
        make_private(dir)?;
        let lock = lock(dir)?;
        let had_clock = slots::present(dir);
        let had_database = database::present(dir);
        let (key, had_key) = NodeKey::open(dir)?;
        let is_new = !had_key && !had_clock && !had_database;
        let (slots, choice) = ClockSlots::open(dir, &key, is_new)?;
        let (database, kept) = OperatorDatabase::open(dir, &key);
        if !had_key {
            NodeKey::set_up(dir)?;
        }
        let copies = Copies {
            is_new,
            slots: choice,
            had_database,
            clock: kept.clock,
            operator: kept.record,
            altered: kept.tampered,
        };
        let found = copies.found(key.serial());
        let store = Self {
            dir: dir.to_owned(),
            key,
            slots,
            database,
            _lock: lock,
        };
        Ok((store, found))
    }

    /// The smart agent's records and key, used by one thread while this directory is held.
    pub fn open_agent(&self) -> Result<AgentKept, StoreError> {
        AgentStore::open(&self.dir, &self.key)
    }

    /// The records of SNMP, used by one thread while this directory is held.
    pub fn open_snmp(&self) -> SnmpKept {
        SnmpStore::open(&self.dir, &self.key)
    }

    /// Writes a record so that it survives a loss of power before this returns.
    pub fn write(&mut self, record: &Record) -> Result<(), StoreError> {
        match record {
            Record::Clock(clock) => {
                self.slots.write(clock)?;
                self.database.write_clock(clock)
            }
            Record::Operator(operator) => self.database.write(operator),
        }
    }
}

pub(crate) fn make_private(dir: &Path) -> Result<(), StoreError> {
    let fail = |doing| file_error(doing, dir);
    let made = DirBuilder::new().recursive(true).mode(0o700).create(dir);
    made.map_err(fail("making the state directory"))?;
    let metadata = fs::metadata(dir).map_err(fail("looking at the state directory"))?;
    let mode = metadata.permissions().mode() & 0o7777;
    if mode & 0o022 != 0 {
        let dir = dir.to_owned();
        return Err(StoreError::Open { dir, mode });
    }
    if mode & 0o077 != 0 {
        let tightened = fs::set_permissions(dir, Permissions::from_mode(0o700));
        tightened.map_err(fail("setting the mode of the state directory"))?;
    }
    Ok(())
}

fn lock(dir: &Path) -> Result<File, StoreError> {
    let path = dir.join("lock");
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).mode(0o600);
    let opened = options.truncate(false).open(&path);
    let mut lock = opened.map_err(file_error("opening", &path))?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut pid = String::new();
            let known = lock.read_to_string(&mut pid).is_ok() && !pid.trim().is_empty();
            let pid = if known { pid.trim() } else { "unknown" }.to_owned();
            let dir = dir.to_owned();
            return Err(StoreError::InUse { dir, pid });
        }
        Err(TryLockError::Error(source)) => return Err(file_error("locking", &path)(source)),
    }
    // The process id only serves the message of a second node: on a full disk it stays unsaid.
    let _unsaid = lock
        .set_len(0)
        .and_then(|()| writeln!(lock, "{}", std::process::id()));
    Ok(lock)
}

/// Makes a file appear whole: written beside its place, made durable, then renamed.
pub(crate) fn create_whole(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    write_beside(path, bytes)?;
    put_in_place(path)
}

/// How the name of a file ends before it is put in its place.
pub(crate) const BESIDE: &str = ".new";

/// Where a file is written before it is put in its place.
fn beside(path: &Path) -> PathBuf {
    path.with_added_extension(BESIDE.trim_start_matches('.'))
}

fn write_beside(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let beside = beside(path);
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    let written = options.open(&beside).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    written.map_err(file_error("writing", &beside))
}

fn put_in_place(path: &Path) -> Result<(), StoreError> {
    let beside = beside(path);
    fs::rename(&beside, path).map_err(file_error("renaming", &beside))?;
    sync_directory_of(path)
}

fn sync_directory_of(path: &Path) -> Result<(), StoreError> {
    let dir = path.parent().unwrap_or(Path::new("."));
    let synced = File::open(dir).and_then(|dir| dir.sync_all());
    synced.map_err(file_error("making durable", dir))
}

fn file_error(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> StoreError {
    let path = path.to_owned();
    move |source| StoreError::File {
        doing,
        path,
        source,
    }
}
