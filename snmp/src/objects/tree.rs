//! The objects of one snapshot, by name and in order.

use std::ops::Bound;
use std::sync::Arc;

use super::mib::{Mib, Object};
use super::{Index, Table};
use crate::{Oid, Value, VarBind};

/// A row of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its place among the others.
    pub index: Index,
    /// What the columns find it by: its place in a list of the snapshot, say.
    pub key: usize,
}

/// The objects of one snapshot.
#[derive(Debug)]
pub struct Tree<S> {
    mib: Arc<Mib<S>>,
    snapshot: S,
    /// Of each entry that is a table, its rows in order once they were asked for.
    rows: Vec<Option<Vec<Row>>>,
}

/// Where to go on within an entry: the arcs below its identifier.
type Below<'a> = Bound<&'a [u32]>;

impl<S> Tree<S> {
    /// The objects of this snapshot.
    pub fn new(mib: Arc<Mib<S>>, snapshot: S) -> Self {
        let rows = mib.entries.iter().map(|_| None).collect();
        Self {
            mib,
            snapshot,
            rows,
        }
    }

    /// The snapshot.
    pub fn snapshot(&self) -> &S {
        &self.snapshot
    }

    /// The value of an instance, or why there is none (RFC 3416 section 4.2.1).
    pub fn get(&mut self, name: &Oid) -> Value {
        let mib = Arc::clone(&self.mib);
        let behind = mib.entries.partition_point(|entry| entry.oid <= *name);
        let found = behind.checked_sub(1).and_then(|at| {
            let below = name.below(&mib.entries[at].oid)?;
            Some((at, below))
        });
        let Some((at, below)) = found else {
            return Value::NoSuchObject;
        };
        match (&mib.entries[at].object, below) {
            (Object::Scalar(scalar), [0]) => {
                (scalar.value)(&self.snapshot).unwrap_or(Value::NoSuchInstance)
            }
            (Object::Scalar(_), _) => Value::NoSuchInstance,
            (Object::Table(table), [arc, index @ ..]) => self.cell(at, table, *arc, index),
            (Object::Table(_), []) => Value::NoSuchObject,
        }
    }

    fn cell(&mut self, at: usize, table: &Table<S>, arc: u32, index: &[u32]) -> Value {
        let column = table.columns.iter().find(|column| column.arc == arc);
        let Some(value) = column.and_then(|column| column.value) else {
            return Value::NoSuchObject;
        };
        let rows = self.rows(at, table);
        let row = rows.binary_search_by(|row| row.index.arcs().cmp(index));
        let key = row.ok().map(|place| rows[place].key);
        let found = key.and_then(|key| value(&self.snapshot, key));
        found.unwrap_or(Value::NoSuchInstance)
    }

    /// The first instance at or behind a name; none: there is no more.
    pub fn seek(&mut self, from: Bound<&Oid>) -> Option<VarBind> {
        let mib = Arc::clone(&self.mib);
        // Entries before this one end before the name; the name may be within this one, or before it.
        let first = match from {
            Bound::Unbounded => 0,
            Bound::Included(name) | Bound::Excluded(name) => mib
                .entries
                .partition_point(|entry| entry.oid <= *name && !name.is_within(&entry.oid)),
        };
        let mut below = match from {
            Bound::Included(name) => mib
                .entries
                .get(first)
                .and_then(|e| name.below(&e.oid))
                .map(Bound::Included),
            Bound::Excluded(name) => mib
                .entries
                .get(first)
                .and_then(|e| name.below(&e.oid))
                .map(Bound::Excluded),
            Bound::Unbounded => None,
        };
        for (at, entry) in mib.entries.iter().enumerate().skip(first) {
            let below = below.take().unwrap_or(Bound::Unbounded);
            let found = match &entry.object {
                Object::Scalar(scalar) if is_behind(&[0], below) => {
                    (scalar.value)(&self.snapshot).map(|value| (vec![0], value))
                }
                Object::Scalar(_) => None,
                Object::Table(table) => self.seek_cell(at, table, below),
            };
            if let Some((arcs, value)) = found {
                return Some(VarBind::new(entry.oid.join(&arcs), value));
            }
        }
        None
    }

    fn seek_cell(
        &mut self,
        at: usize,
        table: &Table<S>,
        from: Below<'_>,
    ) -> Option<(Vec<u32>, Value)> {
        let (first, mut index) = match from {
            Bound::Included([arc, index @ ..]) => (*arc, Bound::Included(index)),
            Bound::Excluded([arc, index @ ..]) => (*arc, Bound::Excluded(index)),
            Bound::Included([]) | Bound::Excluded([]) | Bound::Unbounded => (0, Bound::Unbounded),
        };
        self.rows(at, table);
        let rows = self.rows[at].as_deref().unwrap_or_default();
        let readable = table.columns.iter().filter(|column| column.arc >= first);
        for column in readable {
            if column.arc > first {
                index = Bound::Unbounded;
            }
            let Some(value) = column.value else {
                continue;
            };
            let start = rows.partition_point(|row| !is_behind(row.index.arcs(), index));
            for row in &rows[start..] {
                if let Some(value) = value(&self.snapshot, row.key) {
                    return Some(([&[column.arc], row.index.arcs()].concat(), value));
                }
            }
        }
        None
    }

    /// The rows of a table, in order, each index once, none longer than an identifier may be.
    fn rows(&mut self, at: usize, table: &Table<S>) -> &[Row] {
        let room = Oid::ARCS_MAX.saturating_sub(self.mib.entries[at].oid.arcs().len() + 1);
        let snapshot = &self.snapshot;
        self.rows[at].get_or_insert_with(|| {
            let mut rows = (table.rows)(snapshot);
            rows.retain(|row| row.index.arcs().len() <= room);
            rows.sort_by(|one, other| one.index.arcs().cmp(other.index.arcs()));
            rows.dedup_by(|later, earlier| later.index == earlier.index);
            rows
        })
    }
}

fn is_behind(arcs: &[u32], from: Below<'_>) -> bool {
    match from {
        Bound::Included(from) => arcs >= from,
        Bound::Excluded(from) => arcs > from,
        Bound::Unbounded => true,
    }
}
