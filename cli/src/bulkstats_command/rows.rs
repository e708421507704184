//! Rows as tables, JSON and CSV.

use std::collections::BTreeMap;

use api::Failure;
use bulkstats::read::{ReadRow, ReadValue};
use bulkstats::table::DataType;
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::json;

use super::files::{Read, Row};
use super::formats::Formats;
use crate::show::text::{ABSENT, COLUMNS, counted};

/// Titles are folded to this width at least, in columns.
const TITLE_MIN: usize = 8;

/// A table of each schema, one after the other.
pub fn tables(read: &Read, formats: &Formats) -> String {
    let tables = by_schema(read, formats).into_iter().map(|(name, rows)| {
        let kind = formats
            .kind(name)
            .map_or_else(|_| String::new(), |kind| format!(" ({kind})"));
        let count = counted(rows.len() as u64, "row");
        format!("{name}{kind}, {count}\n\n{}", table(name, &rows, formats))
    });
    tables.collect::<Vec<String>>().join("\n")
}

/// Names of schemas with their rows, in the order in which the schemas were given; those without rows are left out.
fn by_schema<'r, 'f>(read: &'r Read, formats: &'f Formats) -> Vec<(&'f str, Vec<&'r ReadRow>)> {
    let mut rows: BTreeMap<&str, Vec<&ReadRow>> = BTreeMap::new();
    for Row { row, .. } in &read.rows {
        rows.entry(&row.name).or_default().push(row);
    }
    let wanted = formats.wanted().into_iter();
    wanted
        .filter_map(|name| Some((name, rows.remove(name)?)))
        .collect()
}

/// A column: its title in lines, its cells, and how it stands.
struct Column {
    title: Vec<String>,
    cells: Vec<String>,
    right: bool,
    width: usize,
}

impl Column {
    fn of(title: &str, cells: Vec<String>, right: bool) -> Self {
        let widest = cells.iter().map(String::len).max().unwrap_or(0);
        let title = folded(title, widest.max(TITLE_MIN));
        let width = title.iter().map(String::len).max().unwrap_or(0).max(widest);
        Self {
            title,
            cells,
            right,
            width,
        }
    }

    fn cell(&self, text: &str) -> String {
        let width = self.width;
        match self.right {
            true => format!("{text:>width$}"),
            false => format!("{text:<width$}"),
        }
    }
}

/// A name in lines that break behind `_` and `-`, none wider than its widest word if that can be helped.
fn folded(name: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in name.split_inclusive(['_', '-']) {
        match lines.last_mut() {
            Some(line) if line.is_empty() || line.len() + word.len() <= width => {
                line.push_str(word)
            }
            Some(_) | None => lines.push(word.to_owned()),
        }
    }
    lines
}

/// The rows of one schema. What is wider than a terminal goes on below, with the rows numbered.
fn table(name: &str, rows: &[&ReadRow], formats: &Formats) -> String {
    let variables = rows.first().map_or(&[][..], |row| &row.values);
    if variables.is_empty() {
        return "(no variables)\n".to_owned();
    }
    let columns = variables.iter().enumerate().map(|(place, (variable, _))| {
        let cells = rows.iter().map(|row| match row.values.get(place) {
            None | Some((_, ReadValue::Absent)) => ABSENT.to_owned(),
            Some((_, value)) => value.to_string(),
        });
        let about = formats.about(name, variable);
        let right = about.is_some_and(|about| about.data != DataType::String);
        Column::of(variable, cells.collect(), right)
    });
    let columns: Vec<Column> = columns.collect();
    let whole: usize = columns.iter().map(|column| column.width + 1).sum();
    if whole <= COLUMNS + 1 {
        return lines(&columns.iter().collect::<Vec<_>>());
    }
    let numbers = (1..=rows.len()).map(|n| n.to_string());
    let numbers = Column::of("row", numbers.collect(), true);
    let (mut parts, mut part) = (Vec::new(), vec![&numbers]);
    let mut width = numbers.width;
    for column in &columns {
        if width + 1 + column.width > COLUMNS && part.len() > 1 {
            parts.push(lines(&part));
            part = vec![&numbers];
            width = numbers.width;
        }
        width += 1 + column.width;
        part.push(column);
    }
    parts.push(lines(&part));
    parts.join("\n")
}

fn lines(columns: &[&Column]) -> String {
    let mut out = String::new();
    let mut line = |cells: Vec<String>| {
        out.push_str(cells.join(" ").trim_end());
        out.push('\n');
    };
    let height = columns
        .iter()
        .map(|column| column.title.len())
        .max()
        .unwrap_or(0);
    for n in 0..height {
        // Titles end above the dashes.
        let words = columns.iter().map(|column| {
            let missing = height - column.title.len();
            let word = n.checked_sub(missing).and_then(|n| column.title.get(n));
            column.cell(word.map_or("", String::as_str))
        });
        line(words.collect());
    }
    line(
        columns
            .iter()
            .map(|column| "-".repeat(column.width))
            .collect(),
    );
    let rows = columns.first().map_or(0, |column| column.cells.len());
    for n in 0..rows {
        let cells = columns.iter();
        line(
            cells
                .map(|column| column.cell(column.cells.get(n).map_or("", String::as_str)))
                .collect(),
        );
    }
    out
}

/// The values of a row, in the order of its format.
struct Values<'r>(&'r ReadRow);

impl Serialize for Values<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(Some(self.0.values.len()))?;
        for (name, value) in &self.0.values {
            match value {
                ReadValue::Int(n) => map.serialize_entry(name, n)?,
                ReadValue::Thousandths(n) => map.serialize_entry(name, &(*n as f64 / 1_000.0))?,
                ReadValue::Text(text) => map.serialize_entry(name, text)?,
                ReadValue::Absent => map.serialize_entry(name, &None::<u64>)?,
            }
        }
        map.end()
    }
}

/// An array, one row a line.
pub fn json(read: &Read) -> String {
    let rows = read.rows.iter().map(|Row { file, line, row }| {
        let values = serde_json::to_string(&Values(row)).unwrap_or_default();
        let (schema, file) = (json!(row.name), json!(file));
        format!(r#"  {{"schema": {schema}, "file": {file}, "line": {line}, "values": {values}}}"#)
    });
    let rows: Vec<String> = rows.collect();
    match rows.is_empty() {
        true => "[]\n".to_owned(),
        false => format!("[\n{}\n]\n", rows.join(",\n")),
    }
}

/// A line of names, and a line a row. No value has a comma, a quotation mark or a line end in it.
pub fn csv(read: &Read, formats: &Formats) -> Result<String, Failure> {
    let schemas = by_schema(read, formats);
    let [(_, rows)] = schemas.as_slice() else {
        let names: Vec<&str> = schemas.iter().map(|(name, _)| *name).collect();
        let what = match names.is_empty() {
            true => "there are no rows".to_owned(),
            false => format!(
                "rows of several schemas are no one table: {}",
                names.join(", ")
            ),
        };
        return Err(Failure::new(
            what,
            "--csv",
            "name one with --schema, or take --json",
        ));
    };
    let mut out = String::new();
    let names = rows.first().map_or(&[][..], |row| &row.values).iter();
    out.push_str(&names.map(|(name, _)| *name).collect::<Vec<_>>().join(","));
    out.push('\n');
    for row in rows {
        let values = row.values.iter().map(|(_, value)| value.to_string());
        out.push_str(&values.collect::<Vec<_>>().join(","));
        out.push('\n');
    }
    Ok(out)
}
