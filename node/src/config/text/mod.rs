//! Configuration as text in StarOS's manner: printed from the sections and keys that there are, and read back.
//!
//! ```text
//! config
//!   feature GRE enable
//!   gn
//!     listen 127.0.0.1:2123
//!   #exit
//! end
//! ```
//!
//! What has commands is printed as those ([`commands`]): a row each for what a configuration says in them, and for what
//! they say of one. All else is a block for each section and a line for each key, with hyphens, by the types that
//! [`schema`] finds. `no` and `default` before a line take it back. Lines that begin with `!` or `#` are remarks, but
//! `#exit`, as `exit`, ends a block.

mod commands;
mod plan;
mod print;
mod read;
mod schema;
#[cfg(test)]
mod tests;
mod words;

use std::path::Path;

use serde::Deserialize;
use thiserror::Error;
use toml::de::Deserializer;
use toml::{Spanned, Table, Value, de::DeTable};

pub(crate) use plan::{Change, Fixed, Plan, Standing, Why, plan};
pub use read::nearest;
pub(super) use read::read;
pub(crate) use read::{Fault, line_and_column};
use schema::{Keys, Kind};
use words::lines;

/// The first word of a text.
const CONFIG: &str = "config";

/// How names of files end that hold such a text.
pub(crate) const EXTENSION: &str = "cfg";

/// Is it such a text? By the end of its file's name, or by its first word.
pub(super) fn is_text(path: &Path, text: &str) -> bool {
    let named = path.extension().is_some_and(|end| end == EXTENSION);
    named || begins_as_text(text)
}

/// Does it begin as such a text does?
pub(crate) fn begins_as_text(text: &str) -> bool {
    let first = lines(text).find_map(|line| match line {
        Ok(line) => Some(line.words.first()?.text == CONFIG),
        Err(_) => Some(false),
    });
    first.unwrap_or(false)
}

/// A table of the sections and keys as text.
pub fn print(table: &Table) -> String {
    print::print(table.clone())
}

/// What is wrong with a text, and where, both from 1; columns are letters.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{what}")]
pub struct Misread {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
    /// What is wrong.
    pub what: String,
}

/// The sections and keys of a text. Errors: what is wrong, where.
pub fn table_of(text: &str) -> Result<Table, Misread> {
    match read(text) {
        Ok(read) => Ok(plain(Spanned::new(0..text.len(), read.table))),
        Err(fault) => {
            let (line, column) = fault.line_and_column(text);
            let what = fault.to_string();
            Err(Misread { line, column, what })
        }
    }
}

/// Without places.
pub(super) fn plain(table: Spanned<DeTable<'_>>) -> Table {
    // Only what was read as values of TOML is in it.
    Table::deserialize(Deserializer::from(table)).unwrap_or_default()
}

/// Paths of files start from this directory.
pub(super) fn with_paths_from(base: &Path, mut table: Table) -> Table {
    start_from(base, &mut table, schema::keys());
    table
}

fn start_from(base: &Path, table: &mut Table, keys: &Keys) {
    for (name, kind) in keys {
        match (kind, table.get_mut(*name)) {
            (Kind::Path, Some(Value::String(path))) => {
                *path = base.join(&*path).to_string_lossy().into_owned();
            }
            (Kind::Block(keys), Some(Value::Table(below))) => start_from(base, below, keys),
            (Kind::Blocks(keys), Some(Value::Array(entries))) => {
                for entry in entries.iter_mut().filter_map(Value::as_table_mut) {
                    start_from(base, entry, keys);
                }
            }
            _ => {}
        }
    }
}
