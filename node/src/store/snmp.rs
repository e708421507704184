//! What SNMP keeps: notifications that wait for targets, which alarms were told of, and how often its engine began.

use std::path::Path;

use redb::{
    Durability, ReadTransaction, ReadableTable, TableDefinition, TableError, WriteTransaction,
};
use snmp::delivery::{Change, Record};

use super::StoreError;
use super::database_file::{DatabaseFile, put_row};
use super::key::NodeKey;

/// Records of delivery by their keys, each with its code before it.
const DELIVERY: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("delivery");
const BOOTS: &str = "boots";

/// What a start finds of SNMP, and where it keeps more.
pub struct SnmpKept {
    /// Where it keeps more.
    pub store: SnmpStore,
    /// Records of delivery.
    pub records: Vec<Record>,
    /// snmpEngineBoots of the last start; 0: there was none.
    pub boots: u32,
}

/// The records of SNMP, in a database of their own.
#[derive(Debug)]
pub struct SnmpStore(DatabaseFile);

impl SnmpStore {
    /// Opens the database, or makes one, and reads what is in it. One that can't be read is set aside under another name,
    /// and nothing was kept. Records with codes of another key count as well: a node that has lost its own still owes its
    /// managers what waits for them, and the table of alarms is the truth.
    pub(super) fn open(dir: &Path, key: &NodeKey) -> SnmpKept {
        let mut file = DatabaseFile::new(dir.join("snmp.redb"), key);
        let existed = file.exists();
        let (records, boots) = file.read(read).unwrap_or_else(|error| {
            event!(SNMP_UNREADABLE, %error);
            // What only can't be reached now may be whole.
            if existed && !matches!(error, StoreError::File { .. }) {
                file.set_aside();
            }
            Default::default()
        });
        SnmpKept {
            store: Self(file),
            records,
            boots,
        }
    }

    /// Keeps snmpEngineBoots so that it survives a loss of power before this returns.
    pub fn keep_boots(&mut self, boots: u32) -> Result<(), StoreError> {
        let row = self.0.encode(&boots)?;
        self.0
            .write(|transaction| put_row(transaction, BOOTS, &row))
    }

    /// Does all changes or none; `durable`: so that they survive a loss of power before this returns.
    pub fn keep(&mut self, changes: &[Change], durable: bool) -> Result<(), StoreError> {
        let rows = changes.iter().map(|change| match change {
            Change::Persist(record) => Ok((record.key(), Some(self.0.encode(record)?))),
            Change::Delete(key) => Ok((key.clone(), None)),
        });
        let rows: Vec<_> = rows.collect::<Result<_, StoreError>>()?;
        let durability = if durable {
            Durability::Immediate
        } else {
            Durability::None
        };
        self.0.write_with(durability, |transaction| {
            rows.iter()
                .try_for_each(|(key, row)| put(transaction, key.as_str(), row.as_deref()))
        })
    }
}

fn put(transaction: &WriteTransaction, key: &str, row: Option<&[u8]>) -> Result<(), redb::Error> {
    let mut table = transaction.open_table(DELIVERY)?;
    match row {
        Some(row) => table.insert(key, row)?,
        None => table.remove(key)?,
    };
    Ok(())
}

fn read(
    transaction: &ReadTransaction,
    file: &DatabaseFile,
) -> Result<(Vec<Record>, u32), StoreError> {
    let rows = read_rows(transaction);
    let rows = rows.map_err(|error| file.error("reading", error.to_string()))?;
    let records = rows.iter().map(|row| file.decode_of_any(row));
    let records: Vec<(Record, bool)> = records.collect::<Result<_, StoreError>>()?;
    let boots = file.row(transaction, BOOTS)?;
    let boots = boots.map(|row| file.decode_of_any(&row)).transpose()?;
    let others = records.iter().filter(|(_, own)| !own).count();
    if others > 0 {
        event!(SNMP_OTHER_KEY, others);
    }
    let records = records.into_iter().map(|(record, _)| record).collect();
    Ok((records, boots.map_or(0, |(boots, _)| boots)))
}

fn read_rows(transaction: &ReadTransaction) -> Result<Vec<Vec<u8>>, redb::Error> {
    let table = match transaction.open_table(DELIVERY) {
        Ok(table) => table,
        Err(TableError::TableDoesNotExist(_)) => return Ok(Vec::new()),
        Err(error) => return Err(error.into()),
    };
    let mut rows = Vec::new();
    for row in table.iter()? {
        rows.push(row?.1.value().to_vec());
    }
    Ok(rows)
}
