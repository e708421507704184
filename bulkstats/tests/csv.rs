//! Every variable of every schema, read by a CSV reader that nobody here wrote: Python's.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

#[path = "../src/fixture.rs"]
mod fixture;

use std::io::Write;
use std::process::{Command, Stdio};

use bulkstats::Moment;
use bulkstats::collector;
use bulkstats::config::{self, FileConfig, SchemaConfig};
use bulkstats::plan::FilePlan;
use bulkstats::read::{ReadValue, Reader};
use bulkstats::table::{Schema, common};
use bulkstats::view;

/// Fields are told apart by U+001F, which no value has.
const READER: &str = "import csv, sys\nfor row in csv.reader(sys.stdin): print('\\x1f'.join(row))";

/// Variables of one schema at most, so that its line is not too long.
const MOST: usize = 20;

fn schemas() -> Vec<SchemaConfig> {
    let mut schemas = Vec::new();
    for schema in Schema::ALL {
        let names: Vec<&str> = schema
            .variables()
            .into_iter()
            .chain(common())
            .map(|v| v.name)
            .collect();
        for (n, names) in names.chunks(MOST).enumerate() {
            let name = format!("{schema}-{n}");
            let variables: Vec<String> = names.iter().map(|name| format!("%{name}%")).collect();
            let line = format!(
                "{schema} schema {name} format \"{name},{}\"",
                variables.join(",")
            );
            schemas.push(SchemaConfig::parse(&line).unwrap());
        }
    }
    schemas
}

#[test]
fn pythons_csv_reads_what_was_collected() {
    let mut file = FileConfig::new(1, "stats.csv");
    file.schemas = schemas();
    let (view, mut bytes) = (fixture::view(), Vec::new());
    let plan = FilePlan::new(file.clone()).unwrap();
    let moment = Moment::new(&view, fixture::AT, plan.kinds(), None);
    plan.write_sample(&moment, &view, &mut bytes);

    let mut python = Command::new("python3");
    python
        .args(["-c", READER])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let mut python = python.spawn().expect("python3 is installed");
    // Less than a pipe holds, so that neither waits for the other.
    assert!(bytes.len() < 60_000);
    python.stdin.take().unwrap().write_all(&bytes).unwrap();
    let output = python.wait_with_output().unwrap();
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    let theirs: Vec<Vec<&str>> = text
        .lines()
        .map(|line| line.split('\x1f').collect())
        .collect();

    let reader = Reader::new(&file.schemas, "", "").unwrap();
    let ours = reader.read(std::str::from_utf8(&bytes).unwrap()).unwrap();
    assert_eq!(theirs.len(), ours.len());
    assert!(ours.len() > 100, "{}", ours.len());
    for (theirs, ours) in theirs.iter().zip(&ours) {
        let values = ours.values.iter().map(|(_, value)| match value {
            ReadValue::Int(n) => n.to_string(),
            ReadValue::Thousandths(n) => format!("{}.{:03}", n / 1_000, n % 1_000),
            ReadValue::Text(text) => text.clone(),
            ReadValue::Absent => String::new(),
        });
        let row: Vec<String> = std::iter::once(ours.name.clone()).chain(values).collect();
        assert_eq!(*theirs, row);
    }
    // Two of the numbers of the view, as they stand there.
    let ggsn = theirs
        .iter()
        .find(|row| row[0] == "smart-license-0" && row[5] == "REGISTERED" && row[6] == "2");
    assert_eq!(ggsn.unwrap()[8..10], ["9501", "9902"]);
}
