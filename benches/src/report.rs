//! What a measurement hands over for the report, beside what it prints.
//!
//! `cargo xtask bench` names a file in [`DATA`]; each table, ratio and figure is appended to it as one line of JSON. Without
//! the variable nothing is written. Each size has a bound, and no number is infinite or none at all.

use std::env;
use std::fmt;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde::Serialize;

/// The environment variable that names the file.
pub const DATA: &str = "TOLLGATE_BENCH_DATA";
/// Rows of one table.
pub const ROWS_MAX: usize = 1_024;
/// Columns of one table.
pub const COLUMNS_MAX: usize = 24;
/// Characters of one title, column or cell.
pub const TEXT_MAX: usize = 200;
/// Octets of the file.
pub const FILE_MAX: u64 = 4 << 20;

/// What stands at one place of a table.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Cell {
    /// A number; its unit stands at the head of the column.
    Number(f64),
    /// Anything else; `-` where there is nothing to say.
    Text(String),
}

/// One line or one set of bars.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Series {
    /// The column with its values.
    pub column: String,
    /// Columns with the 10th and the 90th percentile.
    pub spread: Option<[String; 2]>,
}

/// How a table is drawn: lines if its column `x` holds numbers, bars if it holds text.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Plot {
    /// The column along the horizontal axis.
    pub x: String,
    /// What is drawn over it.
    pub y: Vec<Series>,
    /// What the vertical axis shows, with its unit.
    pub y_label: String,
    /// Equal ratios at equal distances along the horizontal axis.
    pub x_log: bool,
    /// The same along the vertical one.
    pub y_log: bool,
}

/// A table of the report.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Table {
    #[serde(rename = "table")]
    id: String,
    title: String,
    columns: Vec<String>,
    rows: Vec<Vec<Cell>>,
    plot: Option<Plot>,
}

/// What one sandwich found.
#[derive(Serialize)]
pub(crate) struct Ratio<'a> {
    #[serde(rename = "ratio")]
    pub what: &'a str,
    pub p10: f64,
    pub median: f64,
    pub p90: f64,
    pub rounds: usize,
    /// CPU nanoseconds a repetition of the yardstick.
    pub yardstick_ns: f64,
    /// Median disagreement of two neighbouring slices of the yardstick, over their mean.
    pub noise: f64,
}

/// A figure's last line.
#[derive(Serialize)]
pub(crate) struct Line<'a> {
    #[serde(rename = "figure")]
    pub id: &'a str,
    pub value: Option<f64>,
    pub target: f64,
    pub at_least: bool,
    pub verdict: &'a str,
}

impl From<f64> for Cell {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.pad(text),
            Self::Number(number) if number.fract() == 0.0 => f.pad(&format!("{number:.0}")),
            Self::Number(number) => f.pad(&format!("{number:.3}")),
        }
    }
}

impl Plot {
    /// These columns over that one, without a spread.
    pub fn of(x: &str, columns: &[&str], y_label: &str) -> Self {
        let series = columns.iter().map(|column| Series {
            column: (*column).to_owned(),
            spread: None,
        });
        Self {
            x: x.to_owned(),
            y: series.collect(),
            y_label: y_label.to_owned(),
            ..Self::default()
        }
    }
}

impl Table {
    /// One without rows. Its id is a file name: small letters, digits and hyphens.
    pub fn new(id: &str, title: &str, columns: &[&str]) -> Self {
        Self {
            id: id.to_owned(),
            title: title.to_owned(),
            columns: columns.iter().map(|column| (*column).to_owned()).collect(),
            rows: Vec::new(),
            plot: None,
        }
    }

    /// Is drawn too.
    pub fn plotted(mut self, plot: Plot) -> Self {
        self.plot = Some(plot);
        self
    }

    /// One row more: as many cells as there are columns.
    pub fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// Prints it, and hands it over.
    pub fn show(&self) -> Result<()> {
        print!("{self}");
        self.check()?;
        hand_over(self)
    }

    fn check(&self) -> Result<()> {
        let id = &self.id;
        let letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        ensure!(
            !id.is_empty() && id.chars().all(letter),
            "table {id:?}: its id is no file name"
        );
        let (columns, rows) = (self.columns.len(), self.rows.len());
        ensure!(
            (1..=COLUMNS_MAX).contains(&columns),
            "table {id}: {columns} columns, not 1 to {COLUMNS_MAX}"
        );
        ensure!(
            (1..=ROWS_MAX).contains(&rows),
            "table {id}: {rows} rows, not 1 to {ROWS_MAX}"
        );
        let heads = self.columns.iter().chain([&self.title]);
        heads.into_iter().try_for_each(|text| short(id, text))?;
        for (number, row) in self.rows.iter().enumerate() {
            let cells = row.len();
            ensure!(
                cells == columns,
                "table {id}, row {number}: {cells} cells for {columns} columns"
            );
            for cell in row {
                match cell {
                    Cell::Text(text) => short(id, text)?,
                    Cell::Number(value) => ensure!(
                        value.is_finite(),
                        "table {id}, row {number}: {value} is no number to report"
                    ),
                }
            }
        }
        let plot = self.plot.iter();
        let named = plot.flat_map(|plot| {
            let series = plot.y.iter();
            let series = series.flat_map(|one| one.spread.iter().flatten().chain([&one.column]));
            series.chain([&plot.x])
        });
        for name in named {
            ensure!(
                self.columns.contains(name),
                "table {id}: its plot names a column {name:?}, which it doesn't have"
            );
        }
        Ok(())
    }
}

fn short(id: &str, text: &str) -> Result<()> {
    let characters = text.chars().count();
    ensure!(
        characters <= TEXT_MAX,
        "table {id}: {characters} characters in {text:?}; at most {TEXT_MAX}"
    );
    Ok(())
}

/// As a person reads it: the title, then columns of equal width.
impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.title)?;
        let head: Vec<String> = self.columns.clone();
        let rows = self.rows.iter();
        let rows = rows.map(|row| row.iter().map(Cell::to_string).collect());
        let lines: Vec<Vec<String>> = [head].into_iter().chain(rows).collect();
        let width = |place: usize| {
            let cells = lines.iter().filter_map(|line| line.get(place));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..self.columns.len()).map(width).collect();
        for line in &lines {
            for (place, (cell, width)) in line.iter().zip(&widths).enumerate() {
                match place {
                    0 => write!(f, "  {cell:width$}")?,
                    _ => write!(f, "  {cell:>width$}")?,
                }
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

/// Appends it to the file that the environment names, if it names one.
pub(crate) fn hand_over(entry: &impl Serialize) -> Result<()> {
    match env::var_os(DATA) {
        None => Ok(()),
        Some(file) => append(Path::new(&file), entry),
    }
}

fn append(file: &Path, entry: &impl Serialize) -> Result<()> {
    let mut line = serde_json::to_vec(entry).context("data for the report")?;
    line.push(b'\n');
    let about = || format!("{}, which {DATA} names", file.display());
    let mut data = OpenOptions::new()
        .append(true)
        .create(true)
        .open(file)
        .with_context(about)?;
    let before = data.metadata().with_context(about)?.len();
    ensure!(
        before + line.len() as u64 <= FILE_MAX,
        "{}: over {FILE_MAX} octets",
        about()
    );
    data.write_all(&line).with_context(about)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let plot = Plot::of("workers", &["ratio"], "over the yardstick");
        let columns = ["workers", "ratio", "how"];
        let mut table = Table::new("growth", "Cost by workers", &columns).plotted(plot);
        table.row([1.0.into(), 0.5.into(), "alone".into()]);
        table.row([256.0.into(), 0.625.into(), "-".into()]);
        table
    }

    #[test]
    fn entries_are_lines_of_json() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("data");
        append(&file, &table()).unwrap();
        let line = Line {
            id: "gate-ratio",
            value: Some(1.1),
            target: 1.25,
            at_least: false,
            verdict: "ok",
        };
        append(&file, &line).unwrap();
        let ratio = Ratio {
            what: "admit over add",
            p10: 1.0,
            median: 1.1,
            p90: 1.5,
            rounds: 201,
            yardstick_ns: 18.5,
            noise: 0.02,
        };
        append(&file, &ratio).unwrap();
        let written = std::fs::read_to_string(&file).unwrap();
        let lines: Vec<&str> = written.lines().collect();
        assert_eq!(
            lines,
            [
                r#"{"table":"growth","title":"Cost by workers","columns":["workers","ratio","how"],"rows":[[1.0,0.5,"alone"],[256.0,0.625,"-"]],"plot":{"x":"workers","y":[{"column":"ratio","spread":null}],"y_label":"over the yardstick","x_log":false,"y_log":false}}"#,
                r#"{"figure":"gate-ratio","value":1.1,"target":1.25,"at_least":false,"verdict":"ok"}"#,
                r#"{"ratio":"admit over add","p10":1.0,"median":1.1,"p90":1.5,"rounds":201,"yardstick_ns":18.5,"noise":0.02}"#,
            ]
        );
    }

    #[test]
    fn a_file_over_its_bound_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("data");
        std::fs::write(&file, vec![b' '; FILE_MAX as usize - 1]).unwrap();
        let error = append(&file, &table()).unwrap_err().to_string();
        assert!(error.ends_with("over 4194304 octets"), "{error}");
        assert_eq!(std::fs::metadata(&file).unwrap().len(), FILE_MAX - 1);
        let nowhere = append(&folder.path().join("no/data"), &table()).unwrap_err();
        assert!(nowhere.to_string().contains("no/data"), "{nowhere}");
    }

    #[test]
    fn a_table_that_cannot_be_reported_says_why() {
        assert!(table().check().is_ok());
        let why = |table: Table| table.check().unwrap_err().to_string();
        let mut short = table();
        short.row([1.0.into()]);
        assert_eq!(why(short), "table growth, row 2: 1 cells for 3 columns");
        let mut endless = table();
        endless.row([1.0.into(), f64::INFINITY.into(), "-".into()]);
        assert_eq!(
            why(endless),
            "table growth, row 2: inf is no number to report"
        );
        let mut long = table();
        long.rows = vec![long.rows[0].clone(); ROWS_MAX + 1];
        assert_eq!(why(long), "table growth: 1025 rows, not 1 to 1024");
        let named = table().plotted(Plot::of("cores", &["ratio"], ""));
        assert_eq!(
            why(named),
            "table growth: its plot names a column \"cores\", which it doesn't have"
        );
        let mut wordy = table();
        wordy.title = "x".repeat(TEXT_MAX + 1);
        assert!(why(wordy).starts_with("table growth: 201 characters"));
        assert!(why(Table::new("a/b", "", &[])).contains("no file name"));
    }

    #[test]
    fn it_prints_in_columns() {
        assert_eq!(
            table().to_string(),
            "Cost by workers\n  workers  ratio    how\n  1        0.500  alone\n  256      0.625      -\n"
        );
    }
}
