//! `bulkstats-admit-p999`: the 99.9th percentile of the time from a new call to its answer, at a worker with 16,384 peers,
//! while a sample of all schemas is taken each second, over the same without: what the worker itself counts for it, the
//! gate's counts, the snapshot, and every variable in each of four files, of a node with 64 services and 64 features.
//!
//! Calls come at a constant rate, whatever the worker does, so that one which holds it up makes all wait that come meanwhile.
//! Windows of a second with a sample and without are by turns, each has a percentile of its own, and the medians of these
//! are compared: the worst thousandth of all calls is of the few windows in which the machine paused by itself. The windows
//! without a sample are compared among themselves, by halves.
#![forbid(unsafe_code)]

mod asked;
mod line;

use std::process::ExitCode;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use benches::figure::{Figure, Good};
use benches::sampler::{Sampler, TAGS};
use benches::sandwich::{self, NOISE_MAX, Sample};
use enforcer::{Gate, GateConfig};

use crate::line::Line;

/// As many as a node has room for unless it is told otherwise.
const PEERS: u32 = 16_384;
const SESSIONS_A_PEER: u32 = 2;
/// Windows of each kind.
const ROUNDS: usize = 40;
/// New calls in each window: a second's.
const CALLS: u32 = 10_000;
/// A sample takes no longer, on a machine that others load; then something is wrong.
const SAMPLE_MAX: Duration = Duration::from_secs(30);

fn main() -> ExitCode {
    let value = measured().inspect_err(|error| println!("not measured: {error:#}"));
    Figure {
        id: "bulkstats-admit-p999",
        value: value.ok().flatten(),
        target: 1.1,
        good: Good::AtMost,
    }
    .finish()
}

fn measured() -> Result<Option<f64>> {
    let gate = Gate::new(GateConfig::new(TAGS, 2))?;
    let (tell, jobs) = channel();
    let sampler = Sampler::new(gate.clone())?;
    let (ask, asked) = channel();
    let (done, told) = channel();
    let thread = thread::spawn(move || {
        sandwich::pin(1);
        asked::run(sampler, &tell, &asked, &done)
    });
    sandwich::pin(0);
    let mut line = Line::new(&gate, jobs)?;
    let (mut without, mut with) = (Vec::new(), Vec::new());
    line.window(CALLS)?;
    for _ in 0..ROUNDS {
        without.push(line.window(CALLS)?);
        ask.send(())?;
        with.push(line.window(CALLS)?);
        line.idle_until(|| thread.is_finished() || told.try_recv().is_ok());
    }
    drop(ask);
    let bytes = thread.join().ok().context("the sampler failed")??;
    println!("{ROUNDS} samples of {bytes} bytes, one in each second window of {CALLS} calls");
    Ok(compared(&without, &with))
}

/// None: the windows without a sample disagree too much to say anything.
fn compared(without: &[Vec<u64>], with: &[Vec<u64>]) -> Option<f64> {
    let even = by_window(without.iter().step_by(2)).median();
    let odd = by_window(without.iter().skip(1).step_by(2)).median();
    let noise = (even - odd).abs() / even.min(odd);
    let (plain, sampled) = (by_window(without), by_window(with));
    println!(
        "p99.9 from a call to its answer, by windows: without a sample {}; with one {}; halves without differ by {:.1} %",
        told(&plain, without),
        told(&sampled, with),
        noise * 100.0
    );
    (noise <= NOISE_MAX).then(|| sampled.median() / plain.median())
}

/// The 99.9th percentile of each window, in nanoseconds.
fn by_window<'a>(windows: impl IntoIterator<Item = &'a Vec<u64>>) -> Sample {
    let p999 = |window: &Vec<u64>| sorted(window).quantile(0.999);
    Sample::new(windows.into_iter().map(p999).collect())
}

fn sorted<'a>(calls: impl IntoIterator<Item = &'a u64>) -> Sample {
    Sample::new(calls.into_iter().map(|ns| *ns as f64).collect())
}

fn told(each: &Sample, windows: &[Vec<u64>]) -> String {
    let all = sorted(windows.iter().flatten());
    let us = |ns: f64| ns / 1e3;
    format!(
        "{:.1}, {:.1}, {:.1} us at 10, 50, 90 % (of all calls {:.1}; longest wait {:.0})",
        us(each.quantile(0.1)),
        us(each.median()),
        us(each.quantile(0.9)),
        us(all.quantile(0.999)),
        us(all.quantile(1.0))
    )
}
