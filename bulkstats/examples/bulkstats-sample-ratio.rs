//! `bulkstats-sample-ratio`: one sample of all schemas, every variable in each of four files, of a node with 64 services and
//! 64 features, over `write!` of the same values and texts, one call a value, which are looked up before.
#![forbid(unsafe_code)]

#[expect(
    clippy::unwrap_used,
    reason = "the node of the tests, whose texts are good"
)]
#[path = "../src/fixture.rs"]
mod fixture;

use std::fmt::Write as _;
use std::hint::black_box;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use bulkstats::Moment;
use bulkstats::collector;
use bulkstats::config::{self, FileConfig, SchemaConfig};
use bulkstats::plan::FilePlan;
use bulkstats::read::{ReadValue, Reader};
use bulkstats::table::Schema;
use bulkstats::view;
use bulkstats::view::View;
use licensing::TagId;

const TAGS: u16 = 64;
const FILES: usize = 4;
/// Times that each is done, by turns. Both do the same every time, and what else runs on the machine makes some slow and none
/// fast: the fastest of each are compared.
const ROUNDS: usize = 2_000;
/// Difference of the ratios of two halves of the run above which it says nothing.
const NOISE_MAX: f64 = 0.08;
const TARGET: f64 = 3.0;
/// Longest list of variables in one schema, in characters; a line has 1,021.
const LIST_MAX: usize = 900;

fn main() -> ExitCode {
    let view = node();
    let schemas = schemas();
    let plans: Vec<FilePlan> = (1..=FILES).map(|n| plan(n, &schemas)).collect();
    let mut bytes = Vec::new();
    sample(&plans, &view, &mut bytes);
    let pieces = pieces(
        &schemas,
        &String::from_utf8(bytes.clone()).expect("it is ASCII"),
    );
    let mut text = String::new();
    write_all(&pieces, &mut text);
    assert_eq!(text.as_bytes(), bytes, "both write the same");

    let mut reference = || {
        timed(|| {
            text.clear();
            write_all(black_box(&pieces), &mut text);
            black_box(&text);
        })
    };
    let mut subject = || {
        timed(|| {
            bytes.clear();
            sample(black_box(&plans), black_box(&view), &mut bytes);
            black_box(&bytes);
        })
    };
    let mut least = [[f64::MAX; 2]; 2];
    for round in 0..ROUNDS {
        for (n, seconds) in [reference(), subject()].into_iter().enumerate() {
            let part = &mut least[round % 2][n];
            *part = part.min(seconds);
        }
    }
    let [odd, even] = least;
    let [reference, own] = [odd[0].min(even[0]), odd[1].min(even[1])];
    let ratio = own / reference;
    let ratios = [odd, even].map(|[reference, own]| own / reference);
    let noise = (ratios[0] - ratios[1]).abs() / ratio;
    println!(
        "a sample: {} bytes in {:.0} microseconds; halves of the run differ by {:.1} %",
        bytes.len(),
        own * 1e6,
        noise * 100.0
    );
    let (word, code) = match (noise > NOISE_MAX, ratio <= TARGET) {
        (true, _) => ("invalid", 2),
        (false, true) => ("ok", 0),
        (false, false) => ("short", 1),
    };
    println!("bulkstats-sample-ratio {ratio:.2} target {TARGET} {word}");
    ExitCode::from(code)
}

/// The node of the tests, with more services and features.
fn node() -> View {
    let mut view = fixture::view();
    let node = Arc::make_mut(&mut view.node);
    let service = node.services[fixture::GGSN.at()].clone();
    let feature = node.features[fixture::GRE.at()].clone();
    node.services = (0..TAGS)
        .map(|n| {
            let mut row = service.clone();
            row.tag.tag_id = TagId(n);
            row
        })
        .collect();
    node.features = (0..TAGS)
        .map(|n| {
            let mut row = feature.clone();
            row.tag.tag_id = TagId(n);
            row
        })
        .collect();
    view
}

/// Every variable of every schema, in as few lines as there must be.
fn schemas() -> Vec<SchemaConfig> {
    let mut all = Vec::new();
    for schema in Schema::ALL {
        let mut list = String::new();
        for about in schema.variables() {
            if list.len() + about.name.len() > LIST_MAX {
                all.push((schema, std::mem::take(&mut list)));
            }
            list.push_str(&format!(",%{}%", about.name));
        }
        all.push((schema, list));
    }
    let all = all
        .into_iter()
        .enumerate()
        .map(|(n, (schema, list))| SchemaConfig {
            schema,
            name: format!("s{n}"),
            format: format!("PPM,{schema}-{n}{list}"),
        });
    all.collect()
}

fn plan(number: usize, schemas: &[SchemaConfig]) -> FilePlan {
    let mut file = FileConfig::new(number as u8, "stats");
    file.schemas = schemas.to_vec();
    FilePlan::new(file).expect("the schemas are good")
}

fn sample(plans: &[FilePlan], view: &View, out: &mut Vec<u8>) {
    for plan in plans {
        let moment = Moment::new(view, fixture::AT, plan.kinds(), None);
        plan.write_sample(&moment, view, out);
    }
}

/// What stands in a file, value by value.
enum Piece {
    Text(String),
    Int(u64),
    Float(f64),
}

fn pieces(schemas: &[SchemaConfig], file: &str) -> Vec<Piece> {
    let reader = Reader::new(schemas, "", "").expect("nothing is ambiguous");
    let mut pieces = Vec::new();
    for row in reader.read(file).expect("it is of these schemas") {
        let begins = schemas.iter().find(|schema| schema.name == row.name);
        let begins = begins.and_then(|schema| schema.format.split(",%").next());
        pieces.push(Piece::Text(begins.unwrap_or_default().to_owned()));
        for (_, value) in row.values {
            pieces.push(Piece::Text(",".to_owned()));
            match value {
                ReadValue::Int(n) => pieces.push(Piece::Int(n)),
                ReadValue::Thousandths(n) => pieces.push(Piece::Float(n as f64 / 1_000.0)),
                ReadValue::Text(text) => pieces.push(Piece::Text(text)),
                ReadValue::Absent => {}
            }
        }
        pieces.push(Piece::Text("\n".to_owned()));
    }
    pieces
}

fn write_all(pieces: &[Piece], out: &mut String) {
    for piece in pieces {
        // Writing to a String can't fail.
        let _ = match piece {
            Piece::Text(text) => write!(out, "{text}"),
            Piece::Int(n) => write!(out, "{n}"),
            Piece::Float(n) => write!(out, "{n:.3}"),
        };
    }
}

fn timed(slice: impl FnOnce()) -> f64 {
    let start = Instant::now();
    slice();
    start.elapsed().as_secs_f64()
}
