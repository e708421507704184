//! What the Smart Agent keeps: its registration, trust pool, usage reports and what is known of them, and its key.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use api::smart::Octets;
use rand::TryRngCore;
use rand::rngs::OsRng;
use redb::{ReadTransaction, ReadableTable, TableDefinition, TableError, WriteTransaction};
use smart_agent::Seed;
use smart_agent::record::{LedgerRecord, Record, Restored};
use zeroize::Zeroizing;

use super::database_file::{DatabaseFile, put_row};
use super::key::NodeKey;
use super::{StoreError, create_whole, file_error};

/// Reports by their numbers, each with its code before it.
const REPORTS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("reports");
const STATE: &str = "state";
const TRUST: &str = "trust";
const INTERVAL: &str = "interval";
const MARKS: &str = "marks";
const FIRST_ROOT: &str = "first-root";

/// Bytes of the seed of the key.
const SEED_BYTES: usize = 32;

/// What a start finds of the agent, and where it keeps more.
pub struct AgentKept {
    /// Where it keeps more.
    pub store: AgentStore,
    /// Its records.
    pub restored: Restored,
    /// The seed of its key.
    pub seed: Seed,
    /// The root of the first authority that a lab node met, if it trusts that one.
    pub first_root: Option<Octets>,
}

impl AgentKept {
    /// The roots that this start trusts besides those of the records, in DER.
    pub(crate) fn operator_roots(&self, config: &crate::config::Agent) -> Vec<Vec<u8>> {
        let first = self.first_root.iter().filter(|_| config.trust_first);
        let first = first.map(|der| der.0.clone());
        config.roots.iter().cloned().chain(first).collect()
    }
}

/// The records of the Smart Agent, in a database of their own.
#[derive(Debug)]
pub struct AgentStore(DatabaseFile);

impl AgentStore {
    /// Opens the database, or makes one, and reads what is in it. One that can't be read is set aside under another name,
    /// and nothing was kept.
    pub(super) fn open(dir: &Path, key: &NodeKey) -> Result<AgentKept, StoreError> {
        let seed = seed(dir)?;
        let mut file = DatabaseFile::new(dir.join("agent.redb"), key);
        let existed = file.exists();
        let (restored, first_root) = file.read(read).unwrap_or_else(|error| {
            event!(AGENT_UNREADABLE, %error);
            // What only can't be reached now may be whole.
            if existed && !matches!(error, StoreError::File { .. }) {
                file.set_aside();
            }
            Default::default()
        });
        Ok(AgentKept {
            store: Self(file),
            restored,
            seed,
            first_root,
        })
    }

    /// Keeps the root of the first authority that a lab node met.
    pub fn keep_first_root(&mut self, der: &[u8]) -> Result<(), StoreError> {
        let row = self.0.encode(&Octets(der.to_vec()))?;
        self.0
            .write(|transaction| put_row(transaction, FIRST_ROOT, &row))
    }

    /// Keeps a record so that it survives a loss of power before this returns.
    pub fn keep(&mut self, record: &Record) -> Result<(), StoreError> {
        let file = &mut self.0;
        match record {
            Record::State(state) => {
                let row = file.encode(state)?;
                file.write(|transaction| put_row(transaction, STATE, &row))
            }
            Record::Trust(trust) => {
                let row = file.encode(trust)?;
                file.write(|transaction| put_row(transaction, TRUST, &row))
            }
            Record::Interval(interval) => {
                let row = file.encode(interval)?;
                file.write(|transaction| put_row(transaction, INTERVAL, &row))
            }
            Record::Report { report_id, text } => {
                let row = file.encode(text)?;
                file.write(|transaction| put_report(transaction, *report_id, &row))
            }
            Record::Marks(marks) => {
                let row = file.encode(marks)?;
                file.write(|transaction| {
                    put_row(transaction, MARKS, &row)?;
                    drop_reports(transaction, marks.below)
                })
            }
            Record::Ledger(ledger) => self.keep_ledger(ledger),
        }
    }

    fn keep_ledger(&mut self, ledger: &LedgerRecord) -> Result<(), StoreError> {
        let file = &mut self.0;
        let marks = file.encode(&ledger.marks)?;
        let interval = ledger.interval.as_ref();
        let interval = interval.map(|interval| file.encode(interval)).transpose()?;
        let reports = ledger.reports.iter();
        let reports = reports.map(|(id, text)| Ok((*id, file.encode(text)?)));
        let reports: Vec<_> = reports.collect::<Result<_, StoreError>>()?;
        file.write(|transaction| {
            drop_reports(transaction, u64::MAX)?;
            for (report_id, row) in &reports {
                put_report(transaction, *report_id, row)?;
            }
            put_row(transaction, MARKS, &marks)?;
            match &interval {
                Some(interval) => put_row(transaction, INTERVAL, interval),
                None => drop_row(transaction, INTERVAL),
            }
        })
    }
}

fn read(
    transaction: &ReadTransaction,
    file: &DatabaseFile,
) -> Result<(Restored, Option<Octets>), StoreError> {
    let rows = read_reports(transaction);
    let rows = rows.map_err(|error| file.error("reading", error.to_string()))?;
    let reports = rows.iter().map(|(id, row)| Ok((*id, file.decode(row)?)));
    let reports = reports.collect::<Result<_, StoreError>>()?;
    let restored = Restored {
        state: file.get(transaction, STATE)?,
        trust: file.get(transaction, TRUST)?.unwrap_or_default(),
        ledger: LedgerRecord {
            reports,
            marks: file.get(transaction, MARKS)?.unwrap_or_default(),
            interval: file.get(transaction, INTERVAL)?,
        },
    };
    Ok((restored, file.get(transaction, FIRST_ROOT)?))
}

fn read_reports(transaction: &ReadTransaction) -> Result<Vec<(u64, Vec<u8>)>, redb::Error> {
    let table = match transaction.open_table(REPORTS) {
        Ok(table) => table,
        Err(TableError::TableDoesNotExist(_)) => return Ok(Vec::new()),
        Err(error) => return Err(error.into()),
    };
    let mut reports = Vec::new();
    for row in table.iter()? {
        let (id, row) = row?;
        reports.push((id.value(), row.value().to_vec()));
    }
    Ok(reports)
}

fn put_report(transaction: &WriteTransaction, id: u64, row: &[u8]) -> Result<(), redb::Error> {
    transaction.open_table(REPORTS)?.insert(id, row)?;
    Ok(())
}

/// Drops those below this number.
fn drop_reports(transaction: &WriteTransaction, below: u64) -> Result<(), redb::Error> {
    let mut table = transaction.open_table(REPORTS)?;
    table.retain_in(..below, |_, _| false)?;
    Ok(())
}

fn drop_row(transaction: &WriteTransaction, name: &str) -> Result<(), redb::Error> {
    let mut table = transaction.open_table(super::database_file::ROWS)?;
    table.remove(name)?;
    Ok(())
}

/// The seed of the node's own key; made at the first start, and never anywhere but in its file.
fn seed(dir: &Path) -> Result<Seed, StoreError> {
    let path = seed_path(dir);
    match fs::read(&path).map(Zeroizing::new) {
        Ok(octets) => {
            let set = fs::set_permissions(&path, Permissions::from_mode(0o600));
            set.map_err(file_error("setting the mode of", &path))?;
            match <[u8; SEED_BYTES]>::try_from(octets.as_slice()) {
                Ok(octets) => Ok(Seed::new(octets)),
                Err(_) => replace_seed(&path),
            }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => make_seed(&path),
        Err(error) => Err(file_error("reading", &path)(error)),
    }
}

/// A key that can't be read is put aside: the node serves on, and its registration can't be used until it is made anew.
fn replace_seed(path: &Path) -> Result<Seed, StoreError> {
    let aside = path.with_added_extension("unreadable");
    event!(AGENT_NO_KEY, path = %path.display());
    fs::rename(path, &aside).map_err(file_error("setting aside", path))?;
    make_seed(path)
}

fn make_seed(path: &Path) -> Result<Seed, StoreError> {
    let mut octets = Zeroizing::new([0; SEED_BYTES]);
    let filled = OsRng.try_fill_bytes(octets.as_mut_slice());
    let filled = filled.map_err(io::Error::other);
    filled.map_err(file_error("making a key for", path))?;
    create_whole(path, octets.as_slice())?;
    Ok(Seed::new(*octets))
}

fn seed_path(dir: &Path) -> PathBuf {
    dir.join("identity.key")
}
