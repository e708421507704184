//! Rows of objects, group by group, brought into order.

use thiserror::Error;

use super::{Row, Syntax};
use crate::{Oid, Value};

/// Objects below one root.
#[derive(Debug)]
pub struct Group<S> {
    /// Below which all of them are.
    pub root: Oid,
    /// Objects with one instance.
    pub scalars: Vec<Scalar<S>>,
    /// Objects with an instance a row.
    pub tables: Vec<Table<S>>,
}

/// An object with one instance, `.0`.
#[derive(Debug)]
pub struct Scalar<S> {
    /// Name in its MIB.
    pub name: &'static str,
    /// Arcs below the root of its group.
    pub arcs: &'static [u32],
    /// Its type.
    pub syntax: Syntax,
    /// What it is.
    pub help: &'static str,
    /// Its value; none: it is not there.
    pub value: fn(&S) -> Option<Value>,
}

/// A table.
#[derive(Debug)]
pub struct Table<S> {
    /// Name in its MIB.
    pub name: &'static str,
    /// Name of its row type.
    pub entry: &'static str,
    /// Arcs of the table below the root of its group; the row type is `.1` below.
    pub arcs: &'static [u32],
    /// Names of the columns that make its index, in order.
    pub index: &'static [&'static str],
    /// What it is.
    pub help: &'static str,
    /// Its rows, in any order.
    pub rows: fn(&S) -> Vec<Row>,
    /// Its columns, in any order.
    pub columns: Vec<Column<S>>,
}

/// A column of a table.
#[derive(Debug)]
pub struct Column<S> {
    /// Name in its MIB.
    pub name: &'static str,
    /// Its arc below the row type.
    pub arc: u32,
    /// Its type.
    pub syntax: Syntax,
    /// What it is.
    pub help: &'static str,
    /// Its value in the row with this key; no function: it is in the index alone (not-accessible).
    pub value: Option<fn(&S, usize) -> Option<Value>>,
}

/// All objects, in the order of a walk.
#[derive(Debug)]
pub struct Mib<S> {
    pub(super) entries: Vec<Entry<S>>,
}

/// A scalar, or a table whose columns are in order.
#[derive(Debug)]
pub(super) struct Entry<S> {
    /// The scalar, or the row type of the table.
    pub oid: Oid,
    pub object: Object<S>,
}

#[derive(Debug)]
pub(super) enum Object<S> {
    Scalar(Scalar<S>),
    Table(Table<S>),
}

/// Two objects that are in each other's way.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{one} and {other} have the same object identifier, or one is below the other")]
pub struct MibError {
    /// The one.
    pub one: &'static str,
    /// The other.
    pub other: &'static str,
}

/// An object as a manual lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Name in its MIB.
    pub name: &'static str,
    /// Its identifier, without an instance.
    pub oid: Oid,
    /// Its type; none: it is a table.
    pub syntax: Option<Syntax>,
    /// Whether it can be read.
    pub readable: bool,
    /// What it is.
    pub help: &'static str,
}

impl<S> Mib<S> {
    /// Puts groups together.
    pub fn new(groups: Vec<Group<S>>) -> Result<Self, MibError> {
        let mut entries = Vec::new();
        for group in groups {
            let root = group.root;
            entries.extend(group.scalars.into_iter().map(|scalar| Entry {
                oid: root.join(scalar.arcs),
                object: Object::Scalar(scalar),
            }));
            for mut table in group.tables {
                table.columns.sort_by_key(|column| column.arc);
                let twice = table
                    .columns
                    .windows(2)
                    .find(|pair| pair[0].arc == pair[1].arc);
                if let Some([one, other]) = twice {
                    let (one, other) = (one.name, other.name);
                    return Err(MibError { one, other });
                }
                entries.push(Entry {
                    oid: root.join(table.arcs).join(&[1]),
                    object: Object::Table(table),
                });
            }
        }
        entries.sort_by(|one, other| one.oid.cmp(&other.oid));
        let clash = entries
            .windows(2)
            .find(|pair| pair[1].oid.is_within(&pair[0].oid));
        if let Some([one, other]) = clash {
            let (one, other) = (one.name(), other.name());
            return Err(MibError { one, other });
        }
        Ok(Self { entries })
    }

    /// Every table, scalar and column, in the order of a walk.
    pub fn listed(&self) -> impl Iterator<Item = Listed> {
        self.entries.iter().flat_map(Entry::listed)
    }
}

impl<S> Entry<S> {
    fn name(&self) -> &'static str {
        match &self.object {
            Object::Scalar(scalar) => scalar.name,
            Object::Table(table) => table.name,
        }
    }

    fn listed(&self) -> Vec<Listed> {
        let table = match &self.object {
            Object::Scalar(scalar) => {
                return vec![Listed {
                    name: scalar.name,
                    oid: self.oid.clone(),
                    syntax: Some(scalar.syntax),
                    readable: true,
                    help: scalar.help,
                }];
            }
            Object::Table(table) => table,
        };
        let arcs = self.oid.arcs();
        let head = Listed {
            name: table.name,
            oid: Oid::bound(&arcs[..arcs.len() - 1]),
            syntax: None,
            readable: false,
            help: table.help,
        };
        let columns = table.columns.iter().map(|column| Listed {
            name: column.name,
            oid: self.oid.join(&[column.arc]),
            syntax: Some(column.syntax),
            readable: column.value.is_some(),
            help: column.help,
        });
        std::iter::once(head).chain(columns).collect()
    }
}
