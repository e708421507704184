//! What a program handed over: one line of JSON each, as `benches::report` writes them.

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

/// Lines of one program's file.
const LINES_MAX: usize = 1_000;

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum Cell {
    Number(f64),
    Text(String),
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Series {
    pub column: String,
    /// Columns with the 10th and the 90th percentile.
    pub spread: Option<[String; 2]>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plot {
    pub x: String,
    pub y: Vec<Series>,
    pub y_label: String,
    pub x_log: bool,
    pub y_log: bool,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    #[serde(rename = "table")]
    pub id: String,
    pub title: String,
    pub columns: Vec<String>,
    pub rows: Vec<Vec<Cell>>,
    pub plot: Option<Plot>,
}

/// What one sandwich found.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ratio {
    #[serde(rename = "ratio")]
    pub what: String,
    pub p10: f64,
    pub median: f64,
    pub p90: f64,
    pub rounds: usize,
    pub yardstick_ns: f64,
    /// Median disagreement of two neighbouring slices of the yardstick, over their mean.
    pub noise: f64,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Figure {
    #[serde(rename = "figure")]
    pub id: String,
    /// None: the run could not say.
    pub value: Option<f64>,
    pub target: f64,
    pub at_least: bool,
    pub verdict: String,
}

/// All of one program.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Data {
    pub tables: Vec<Table>,
    pub ratios: Vec<Ratio>,
    pub figures: Vec<Figure>,
}

impl Data {
    pub fn parse(text: &str) -> Result<Self> {
        let mut data = Self::default();
        for (number, line) in (1..).zip(text.lines()) {
            ensure!(number <= LINES_MAX, "over {LINES_MAX} lines of data");
            let about = || format!("line {number} of its data");
            data.take(line).with_context(about)?;
        }
        Ok(data)
    }

    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    fn take(&mut self, line: &str) -> Result<()> {
        let value: serde_json::Value = serde_json::from_str(line)?;
        if value.get("table").is_some() {
            let table: Table = serde_json::from_value(value)?;
            table.check()?;
            self.tables.push(table);
        } else if value.get("ratio").is_some() {
            self.ratios.push(serde_json::from_value(value)?);
        } else {
            self.figures.push(serde_json::from_value(value)?);
        }
        Ok(())
    }
}

impl Table {
    fn check(&self) -> Result<()> {
        let id = &self.id;
        let letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        ensure!(
            !id.is_empty() && id.chars().all(letter),
            "table {id:?}: its id is no file name"
        );
        let whole = |row: &Vec<Cell>| row.len() == self.columns.len();
        ensure!(
            self.rows.iter().all(whole),
            "table {id}: a row has more or fewer cells than there are columns"
        );
        let series = self.plot.iter().flat_map(|plot| &plot.y);
        let named = series.flat_map(|one| one.spread.iter().flatten().chain([&one.column]));
        for name in named.chain(self.plot.iter().map(|plot| &plot.x)) {
            ensure!(
                self.place(name).is_some(),
                "table {id}: its plot names a column {name:?}, which it doesn't have"
            );
        }
        Ok(())
    }

    /// Where a column is.
    pub fn place(&self, column: &str) -> Option<usize> {
        self.columns.iter().position(|name| name == column)
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// As the crate benches writes them.
    pub const LINES: [&str; 3] = [
        r#"{"table":"growth","title":"Cost by workers","columns":["workers","ratio","how"],"rows":[[1.0,0.5,"alone"],[256.0,0.625,"-"]],"plot":{"x":"workers","y":[{"column":"ratio","spread":null}],"y_label":"over the yardstick","x_log":false,"y_log":false}}"#,
        r#"{"figure":"gate-ratio","value":1.1,"target":1.25,"at_least":false,"verdict":"ok"}"#,
        r#"{"ratio":"admit over add","p10":1.0,"median":1.1,"p90":1.5,"rounds":201,"yardstick_ns":18.5,"noise":0.02}"#,
    ];

    #[test]
    fn what_benches_writes_is_read() {
        let data = Data::parse(&LINES.join("\n")).unwrap();
        let table = &data.tables[0];
        assert_eq!(table.id, "growth");
        assert_eq!(
            table.rows[1],
            [
                Cell::Number(256.0),
                Cell::Number(0.625),
                Cell::Text("-".into())
            ]
        );
        assert_eq!(table.plot.as_ref().unwrap().y[0].column, "ratio");
        assert_eq!(data.figures[0].value, Some(1.1));
        assert_eq!(data.ratios[0].noise, 0.02);
        assert!(!data.is_empty());
        assert!(Data::parse("").unwrap().is_empty());
    }

    #[test]
    fn rubbish_is_refused_with_its_line() {
        let why = |last: &str| {
            let text = format!("{}\n{last}", LINES[1]);
            format!("{:#}", Data::parse(&text).unwrap_err())
        };
        for (last, what) in [
            ("all is well", "expected value"),
            ("{}", "missing field `figure`"),
            (&LINES[1].replace("value", "worth"), "unknown field `worth`"),
            (&LINES[0].replace("growth", "../x"), "no file name"),
            (&LINES[0].replace("[1.0,0.5,", "[1.0,"), "fewer cells"),
            (
                &LINES[0].replace("\"x\":\"workers\"", "\"x\":\"cores\""),
                "\"cores\"",
            ),
        ] {
            let why = why(last);
            assert!(
                why.starts_with("line 2 of its data: ") && why.contains(what),
                "{last}: {why}"
            );
        }
        let many = format!("{}\n", LINES[1]).repeat(LINES_MAX + 1);
        let error = Data::parse(&many).unwrap_err().to_string();
        assert_eq!(error, "over 1000 lines of data");
    }
}
