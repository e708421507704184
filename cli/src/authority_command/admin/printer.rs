//! Rows as a table, CSV or JSON, page by page as they come.

use api::csv;
use jiff::Timestamp;
use serde_json::Value;

use super::rows::Listing;
use crate::authority_command::args::Format;
use crate::show::text::{ABSENT, COLUMNS, chunks, fold};

/// Between two columns of a table.
const GAP: &str = "  ";

/// Before what stands under a row.
const INDENT: &str = "    ";

/// Rows as text, page by page.
pub struct Printer {
    listing: &'static Listing,
    format: Format,
    /// Of the columns of a table that stand side by side: the first ones, as many as fit by the first page.
    widths: Vec<usize>,
    rows: usize,
}

impl Printer {
    /// Nothing is printed yet.
    pub fn new(listing: &'static Listing, format: Format) -> Self {
        Self {
            listing,
            format,
            widths: Vec::new(),
            rows: 0,
        }
    }

    /// A page of it; the first may be empty, and has the head.
    pub fn page(&mut self, rows: &[Value]) -> String {
        let text = match self.format {
            Format::Table => self.table(rows),
            Format::Csv => self.csv(rows),
            Format::Json => self.json(rows),
        };
        self.rows += rows.len();
        text
    }

    /// What comes after the last page.
    pub fn end(&self) -> &'static str {
        match (self.format, self.rows) {
            (Format::Table, 0) => "(none)\n",
            (Format::Json, 0) => "[]\n",
            (Format::Json, _) => "\n]\n",
            (Format::Table | Format::Csv, _) => "",
        }
    }

    fn table(&mut self, rows: &[Value]) -> String {
        let columns = self.listing.columns;
        let cells = rows.iter().map(|row| {
            let cells = columns.iter().map(|(_, path)| shown(at(row, path)));
            cells.collect::<Vec<_>>()
        });
        let cells: Vec<Vec<String>> = cells.collect();
        let mut text = String::new();
        if self.widths.is_empty() {
            self.widths = self.fitting(&cells);
            let titles: Vec<String> = columns.iter().map(|(title, _)| (*title).into()).collect();
            text.push_str(&self.line(&titles));
            let dashes: Vec<String> = self.widths.iter().map(|width| "-".repeat(*width)).collect();
            text.push_str(&self.line(&dashes));
        }
        cells.iter().for_each(|row| text.push_str(&self.row(row)));
        text
    }

    /// Widths of the first columns, as many as stand side by side.
    fn fitting(&self, cells: &[Vec<String>]) -> Vec<usize> {
        let mut widths = Vec::new();
        let mut taken = 0;
        for (place, (title, _)) in self.listing.columns.iter().enumerate() {
            let widest = cells.iter().map(|row| width(&row[place])).max();
            let width = widest.unwrap_or(0).max(title.len());
            taken += width + if place > 0 { GAP.len() } else { 0 };
            match (taken <= COLUMNS, place) {
                (true, _) => widths.push(width),
                (false, 0) => return vec![COLUMNS],
                (false, _) => break,
            }
        }
        widths
    }

    /// A row: what is wider than its column goes on below, and what has no column stands under it.
    fn row(&self, cells: &[String]) -> String {
        let side_by_side = cells.iter().zip(&self.widths);
        let pieces: Vec<Vec<String>> = side_by_side
            .map(|(cell, width)| fold(cell, *width))
            .collect();
        let height = pieces.iter().map(Vec::len).max().unwrap_or(1);
        let mut text = String::new();
        for line in 0..height {
            let piece = |pieces: &Vec<String>| pieces.get(line).cloned().unwrap_or_default();
            text.push_str(&self.line(&pieces.iter().map(piece).collect::<Vec<_>>()));
        }
        text + &self.below(cells)
    }

    /// What has no column: as many of them on a line as fit, and none that is absent.
    fn below(&self, cells: &[String]) -> String {
        let rest = self.listing.columns.iter().zip(cells);
        let rest = rest.skip(self.widths.len());
        let mut lines: Vec<String> = Vec::new();
        for ((title, _), cell) in rest.filter(|(_, cell)| ![ABSENT, ""].contains(&cell.as_str())) {
            let room = COLUMNS - INDENT.len();
            let item = format!("{title}: {cell}");
            let pieces = match cell.contains(' ') {
                true => fold(&item, room),
                false => chunks(&item, room),
            };
            match (pieces.as_slice(), lines.last_mut()) {
                ([one], Some(line)) if width(line) + GAP.len() + width(one) <= room => {
                    line.push_str(GAP);
                    line.push_str(one);
                }
                _ => lines.extend(pieces),
            }
        }
        let lines = lines.iter().map(|line| format!("{INDENT}{line}\n"));
        lines.collect()
    }

    fn line(&self, cells: &[String]) -> String {
        let cells = cells.iter().zip(&self.widths);
        let cells: Vec<String> = cells
            .map(|(cell, width)| format!("{cell:<width$}"))
            .collect();
        format!("{}\n", cells.join(GAP).trim_end())
    }

    fn csv(&self, rows: &[Value]) -> String {
        let columns = self.listing.columns.iter();
        let mut text = String::new();
        if self.rows == 0 {
            text = csv::line(columns.clone().map(|(_, path)| (*path).to_owned()));
        }
        for row in rows {
            let cells = columns.clone().map(|(_, path)| csv::cell(at(row, path)));
            text.push_str(&csv::line(cells));
        }
        text
    }

    fn json(&self, rows: &[Value]) -> String {
        let mut text = String::new();
        for (place, row) in rows.iter().enumerate() {
            text.push_str(if self.rows + place == 0 { "[\n" } else { ",\n" });
            text.push_str(&row.to_string());
        }
        text
    }
}

/// What is at a path of keys, `orders.issuedSerial`; null if there is nothing.
fn at<'a>(row: &'a Value, path: &str) -> &'a Value {
    path.split('.').fold(row, |value, key| &value[key])
}

/// All keys of one thing, one a line.
pub fn one(thing: &Value) -> String {
    let empty = serde_json::Map::new();
    let keys = thing.as_object().unwrap_or(&empty);
    let widest = keys.keys().map(String::len).max().unwrap_or(0);
    let lines = keys.iter().map(|(key, value)| {
        let head = format!("{key:<widest$}  ");
        under(&head, &shown(value))
    });
    lines.collect()
}

/// The same as CSV: its keys, then their values.
pub fn one_csv(thing: &Value) -> String {
    let empty = serde_json::Map::new();
    let things = thing.as_object().unwrap_or(&empty);
    csv::line(things.keys().cloned()) + &csv::line(things.values().map(csv::cell))
}

fn width(text: &str) -> usize {
    text.chars().count()
}

/// A head, and a text behind it that goes on under itself.
fn under(head: &str, text: &str) -> String {
    let indent = width(head);
    let lines = fold(text, COLUMNS - indent);
    let text = lines.join(&format!("\n{}", " ".repeat(indent)));
    format!("{}\n", format!("{head}{text}").trim_end())
}

/// A cell of a table: no control characters, times to the second, parts to three places; what has keys, as people read it.
fn shown(value: &Value) -> String {
    let text = match value {
        Value::Null => return ABSENT.into(),
        Value::String(text) => time(text).unwrap_or_else(|| text.clone()),
        Value::Bool(true) => "yes".into(),
        Value::Bool(false) => "no".into(),
        Value::Number(number) => match number.as_f64().filter(|_| number.is_f64()) {
            Some(number) => format!("{number:.3}"),
            None => number.to_string(),
        },
        Value::Array(all) => {
            let all: Vec<String> = all.iter().map(shown).collect();
            format!("[{}]", all.join(", "))
        }
        Value::Object(keys) => {
            let all = keys
                .iter()
                .map(|(key, value)| format!("{key}: {}", shown(value)));
            format!("{{{}}}", all.collect::<Vec<_>>().join(", "))
        }
    };
    text.chars().filter(|c| !c.is_control()).collect()
}

/// A time of the API's as people read it.
fn time(text: &str) -> Option<String> {
    let time: Timestamp = text.strip_suffix('Z').and_then(|_| text.parse().ok())?;
    Some(time.strftime("%Y-%m-%d %H:%M:%S").to_string())
}

#[cfg(test)]
mod tests;
