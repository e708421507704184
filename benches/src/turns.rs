//! Servers that take turns with one reference.

use anyhow::{Context, Result};

use crate::pairs::{PairClient, Slice};
use crate::report::{Cell, Table};
use crate::sandwich::Sample;

/// Disagreement of two neighbouring slices of the reference, as the median of many, above which a run says nothing.
const NOISE_MAX: f64 = 0.25;

const COLUMNS: [&str; 12] = [
    "server",
    "sessions at a time",
    "CPU us a pair",
    "p10",
    "p90",
    "over the reference",
    "ratio p10",
    "ratio p90",
    "pairs/s",
    "requests lost",
    "round trip p50 us",
    "round trip p99 us",
];

/// A server and its client.
#[derive(Debug)]
pub struct Party {
    /// What it is called.
    pub name: &'static str,
    /// Its process.
    pub pid: u32,
    /// Its client.
    pub client: PairClient,
}

/// What the slices of one party say.
#[derive(Default)]
struct Turns {
    slices: Vec<Slice>,
    /// CPU a pair over that of the two slices of the reference beside it.
    ratios: Vec<f64>,
}

impl Party {
    fn slice(&mut self, plan: Plan) -> Result<Slice> {
        Slice::take(&mut self.client, self.pid, plan.window, plan.pairs)
    }
}

/// How turns are taken.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Pairs of one slice.
    pub pairs: u32,
    /// Sessions at a time.
    pub window: u32,
    /// Slices of each subject.
    pub rounds: usize,
}

/// A table for what is seen.
pub fn table(id: &str, title: &str) -> Table {
    Table::new(id, title, &COLUMNS)
}

/// CPU a pair of the first subject over that of the reference, as the median of all rounds; the slices of a round lie between
/// two of the reference, which several servers that are alike may give by turns. Adds what was seen to the table. None: the
/// machine was too noisy to say.
///
/// # Errors
///
/// When a server does not do as it should.
pub fn compare(
    table: &mut Table,
    plan: Plan,
    subjects: &mut [Party],
    references: &mut [Party],
) -> Result<Option<f64>> {
    let mut own = Turns::default();
    let mut turns: Vec<Turns> = subjects.iter().map(|_| Turns::default()).collect();
    let mut noise = Vec::new();
    let name = references.first().context("no reference")?.name;
    let mut before = references[0].slice(plan)?;
    for round in 1..=plan.rounds {
        let mut those = Vec::new();
        for subject in subjects.iter_mut() {
            those.push(subject.slice(plan)?);
        }
        let number = round % references.len();
        let after = references[number].slice(plan)?;
        let mean = (before.cpu_us + after.cpu_us) / 2.0;
        noise.push((before.cpu_us - after.cpu_us).abs() / mean);
        for (slice, turns) in those.into_iter().zip(&mut turns) {
            turns.ratios.push(slice.cpu_us / mean);
            turns.slices.push(slice);
        }
        own.ratios.push(after.cpu_us / mean);
        own.slices.push(std::mem::replace(&mut before, after));
    }
    let noise = Sample::new(noise).median();
    let noise_percent = noise * 100.0;
    println!(
        "{name}, {} at a time: neighbouring slices differ by {noise_percent:.1} %",
        plan.window
    );
    row(table, name, plan, &own);
    for (subject, turns) in subjects.iter().zip(&turns) {
        row(table, subject.name, plan, turns);
    }
    let first = turns.into_iter().next().filter(|_| noise <= NOISE_MAX);
    Ok(first.map(|turns| Sample::new(turns.ratios).median()))
}

fn row(table: &mut Table, name: &str, plan: Plan, turns: &Turns) {
    let sample = |of: fn(&Slice) -> f64| Sample::new(turns.slices.iter().map(of).collect());
    let cpu_us = sample(|slice| slice.cpu_us);
    let ratio = Sample::new(turns.ratios.clone());
    let rate = sample(|slice| slice.seen.pairs as f64 / slice.seen.elapsed.as_secs_f64());
    let lost: u64 = turns.slices.iter().map(|slice| slice.seen.lost).sum();
    let p50 = sample(|slice| slice.seen.round_trips_us.median());
    let p99 = sample(|slice| slice.seen.round_trips_us.quantile(0.99));
    let numbers = [
        f64::from(plan.window),
        cpu_us.median(),
        cpu_us.quantile(0.1),
        cpu_us.quantile(0.9),
        ratio.median(),
        ratio.quantile(0.1),
        ratio.quantile(0.9),
        rate.median().round(),
        lost as f64,
        p50.median(),
        p99.median(),
    ];
    let numbers = numbers.into_iter().map(Cell::from);
    table.row([Cell::from(name)].into_iter().chain(numbers));
}
