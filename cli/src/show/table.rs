//! Fixed-width tables: titles, dashes, rows, and notes under a row.

use super::text::{COLUMNS, fold, labelled};

/// One column: its title, on which side its cells stand, and how wide it may get.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    title: &'static str,
    right: bool,
    widest: usize,
}

/// A column of words.
pub const fn left(title: &'static str, widest: usize) -> Column {
    Column {
        title,
        right: false,
        widest,
    }
}

/// A column of numbers.
pub const fn right(title: &'static str) -> Column {
    Column {
        title,
        right: true,
        widest: COLUMNS,
    }
}

/// Rows under titles.
#[derive(Debug)]
pub struct Table {
    columns: &'static [Column],
    rows: Vec<Row>,
}

#[derive(Debug)]
struct Row {
    cells: Vec<String>,
    notes: Vec<(&'static str, String)>,
}

impl Table {
    /// Without rows.
    pub fn new(columns: &'static [Column]) -> Self {
        Self {
            columns,
            rows: Vec::new(),
        }
    }

    /// Adds a row, one cell a column.
    pub fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.push(Row {
            cells: cells.into(),
            notes: Vec::new(),
        });
    }

    /// Puts a labelled line under the last row.
    pub fn note(&mut self, label: &'static str, text: String) {
        if let Some(row) = self.rows.last_mut() {
            row.notes.push((label, text));
        }
    }

    /// The table as text; `(none)` where there is no row.
    pub fn render(&self) -> String {
        let widths = self.widths();
        let titles = self.columns.iter().map(|column| column.title.to_owned());
        let mut text = self.line(&titles.collect::<Vec<_>>(), &widths);
        let dashes: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
        text.push_str(&dashes.join(" "));
        text.push('\n');
        if self.rows.is_empty() {
            text.push_str("(none)\n");
        }
        for row in &self.rows {
            text.push_str(&self.folded(&row.cells, &widths));
            for (label, note) in &row.notes {
                text.push_str(&labelled(&format!("    {label}: "), note));
            }
        }
        text
    }

    fn widths(&self) -> Vec<usize> {
        let widest_cell = |place: usize| {
            let cells = self.rows.iter().filter_map(|row| row.cells.get(place));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let columns = self.columns.iter().enumerate();
        columns
            .map(|(place, column)| {
                let title = column.title.chars().count();
                widest_cell(place).min(column.widest).max(title)
            })
            .collect()
    }

    /// A row whose cells may be wider than their columns: what does not fit goes on below.
    fn folded(&self, cells: &[String], widths: &[usize]) -> String {
        let pieces: Vec<Vec<String>> = cells
            .iter()
            .zip(widths)
            .map(|(cell, width)| fold(cell, *width))
            .collect();
        let height = pieces.iter().map(Vec::len).max().unwrap_or(1);
        let lines = (0..height).map(|line| {
            let part = |piece: &Vec<String>| piece.get(line).cloned().unwrap_or_default();
            self.line(&pieces.iter().map(part).collect::<Vec<_>>(), widths)
        });
        lines.collect()
    }

    fn line(&self, cells: &[String], widths: &[usize]) -> String {
        let mut text = String::new();
        for ((cell, width), column) in cells.iter().zip(widths).zip(self.columns) {
            if column.right {
                text.push_str(&format!("{cell:>width$} "));
            } else {
                text.push_str(&format!("{cell:<width$} "));
            }
        }
        format!("{}\n", text.trim_end())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS_OF_TWO: &[Column] = &[left("Name", 6), right("Calls")];

    #[test]
    fn a_wide_cell_goes_on_below_and_numbers_stand_right() {
        let mut table = Table::new(COLUMNS_OF_TWO);
        table.row(["GGSN".into(), "12".into()]);
        table.row(["RECOVERY".into(), "3".into()]);
        table.note("Why", "because".into());
        assert_eq!(
            table.render(),
            "Name   Calls\n------ -----\nGGSN      12\nRECOVE     3\nRY\n    Why: because\n"
        );
    }

    #[test]
    fn an_empty_table_says_so() {
        assert_eq!(
            Table::new(COLUMNS_OF_TWO).render(),
            "Name Calls\n---- -----\n(none)\n"
        );
    }
}
