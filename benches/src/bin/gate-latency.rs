//! `gate-latency`: from when an admission is due to when it is answered, at a constant rate whatever the worker does, so
//! that one which is held up makes all wait that come meanwhile. Beside it the same loop without an admission: what the
//! timer and the machine take by themselves. Time in which somebody else had the worker's processor is not counted, as far as
//! the system tells it. No figure: a table and a picture.
//!
//! Four conditions take turns, half a second each: nobody else at work; a control thread that changes the terms and takes
//! the gate's counts each millisecond; one that takes a sample of all bulk statistics schemas in each turn; and one that
//! stands still in a read that nobody answers, as one does whose disk or license authority is stopped. The last shows
//! the gate alone: that no admission waits for its slow half. What a whole node does then is the matter of scenarios.
#![forbid(unsafe_code)]

use std::io::{PipeReader, Read, pipe};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use benches::clock::Clock;
use benches::report::{Cell, Plot, Table};
use benches::sampler::{Sampler, TAGS};
use benches::sandwich::pin;
use benches::sized::{Size, hold};
use enforcer::{ClassId, Form, Gate, Permit, Terms, WorkerGate};
use hdrhistogram::Histogram;
use licensing::ServiceIndex;

/// From one admission to the next.
const EVERY: Duration = Duration::from_micros(10);
/// One turn of one row.
const WINDOW: Duration = Duration::from_millis(500);
/// Turns of each row: about fifty seconds altogether.
const TURNS: usize = 8;
/// Sessions beside those that come.
const HELD: u32 = 1_024;
const QUANTILES: [(&str, f64); 5] = [
    ("p50", 0.5),
    ("p90", 0.9),
    ("p99", 0.99),
    ("p99.9", 0.999),
    ("p99.99", 0.9999),
];

/// What the control thread does meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Control {
    Nothing,
    Changes,
    Samples,
    Stopped,
}

const CONDITIONS: [(&str, Control); 4] = [
    ("nothing else", Control::Nothing),
    ("terms changed, counts taken each ms", Control::Changes),
    ("bulk statistics twice a second", Control::Samples),
    ("control thread stopped", Control::Stopped),
];

/// One worker's gate, and the thread that orders its terms.
struct Rig {
    gate: Arc<Gate>,
    worker: WorkerGate,
    class: ClassId,
    held: Vec<Permit>,
}

impl Rig {
    fn new(form: Form) -> Self {
        let size = Size {
            services: TAGS,
            ..Size::usual(form)
        };
        let (gate, classes) = size.gate();
        let mut worker = gate.worker().expect("there is a place for this worker");
        let class = classes[2];
        let held = hold(&mut worker, class, HELD);
        Self {
            gate,
            worker,
            class,
            held,
        }
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        for permit in self.held.drain(..) {
            self.worker.release(permit);
        }
    }
}

/// What is measured in a row, and what came of it.
struct Row {
    condition: &'static str,
    control: Control,
    what: &'static str,
    /// Which rig; none: the loop alone.
    rig: Option<usize>,
    waits: Histogram<u64>,
    refused: u64,
}

fn main() -> ExitCode {
    match measured() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("not measured: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn measured() -> Result<()> {
    let asymmetric = node::fence::asymmetric();
    let asymmetric = asymmetric.inspect_err(|why| println!("no asymmetric form here: {why}"));
    let forms = asymmetric.ok().map(|form| ("asymmetric form", form));
    let forms = forms.into_iter().chain([("atomic form", Form::Atomic)]);
    let (names, mut rigs): (Vec<&str>, Vec<Rig>) =
        forms.map(|(name, form)| (name, Rig::new(form))).unzip();
    pin(0);
    let mut rows = Vec::new();
    for (condition, control) in CONDITIONS {
        let whats = [("timer alone", None)].into_iter();
        let whats = whats.chain(names.iter().enumerate().map(|(at, name)| (*name, Some(at))));
        for (what, rig) in whats {
            rows.push(Row {
                condition,
                control,
                what,
                rig,
                waits: Histogram::new(3)?,
                refused: 0,
            });
        }
    }
    for _ in 0..TURNS {
        for row in &mut rows {
            window(row, &mut rigs)?;
        }
    }
    for row in rows.iter().filter(|row| row.refused > 0) {
        let Row {
            condition,
            what,
            refused,
            ..
        } = row;
        println!(
            "{what}, {condition}: {refused} of {} refused",
            row.waits.len()
        );
    }
    table(&rows).show()?;
    beyond(&rows, &names).show()
}

/// One turn of a row, with the control thread beside it.
fn window(row: &mut Row, rigs: &mut [Rig]) -> Result<()> {
    let gate = rigs[row.rig.unwrap_or(0)].gate.clone();
    let (end, ended) = channel();
    let (ready, begin) = channel();
    // Nobody writes until the turn is over.
    let (reader, writer) = pipe()?;
    let control = row.control;
    thread::scope(|scope| {
        let beside = scope.spawn(move || {
            // The worker has a processor of its own.
            pin(1);
            beside(control, &gate, &ready, &ended, reader)
        });
        let worked = match begin.recv() {
            Ok(()) => work(row, rigs),
            Err(_) => Ok(()),
        };
        drop(end);
        drop(writer);
        beside.join().ok().context("the control thread failed")??;
        worked
    })
}

/// The control thread, until the worker's turn is over.
fn beside(
    control: Control,
    gate: &Arc<Gate>,
    ready: &Sender<()>,
    ended: &Receiver<()>,
    mut reader: PipeReader,
) -> Result<()> {
    let over = |wait: Duration| ended.recv_timeout(wait) == Err(RecvTimeoutError::Disconnected);
    let service = ServiceIndex(2);
    match control {
        Control::Nothing => {
            ready.send(())?;
            while !over(Duration::from_secs(1)) {}
        }
        Control::Changes => {
            let terms = gate.terms(service);
            let ceilings = [terms.ceiling, terms.ceiling.map(|ceiling| ceiling - 1)];
            ready.send(())?;
            for ceiling in ceilings.iter().cycle() {
                gate.set_terms(
                    service,
                    Terms {
                        ceiling: *ceiling,
                        ..terms
                    },
                );
                gate.sample();
                if over(Duration::from_millis(1)) {
                    break;
                }
            }
            gate.set_terms(service, terms);
        }
        Control::Samples => {
            let mut sampler = Sampler::new(gate.clone())?;
            ready.send(())?;
            // One in each turn, which is half a second.
            sampler.sample(u64::from(HELD))?;
            while !over(Duration::from_secs(1)) {}
        }
        Control::Stopped => {
            ready.send(())?;
            reader.read_to_end(&mut Vec::new())?;
        }
    }
    Ok(())
}

/// Admissions at a constant rate; each is released when the next is due.
fn work(row: &mut Row, rigs: &mut [Rig]) -> Result<()> {
    let mut rig = row.rig.map(|at| &mut rigs[at]);
    let mut clock = Clock::new();
    let count = WINDOW.as_nanos() / EVERY.as_nanos();
    for number in 1..=count as u32 {
        let due = EVERY * number;
        while clock.at() < due {
            std::hint::spin_loop();
        }
        let answer = rig.as_deref_mut().map(|rig| rig.worker.admit(rig.class));
        let waited = clock.at().saturating_sub(due);
        row.waits.record(u64::try_from(waited.as_nanos())?)?;
        match (answer, &mut rig) {
            (Some(Ok(permit)), Some(rig)) => rig.worker.release(permit),
            (Some(Err(_)), _) => row.refused += 1,
            (None, _) | (Some(Ok(_)), None) => {}
        }
    }
    Ok(())
}

fn table(rows: &[Row]) -> Table {
    let mut columns = vec!["condition", "what", "p99.9 over the timer's"];
    let names = QUANTILES.map(|(name, _)| format!("{name}, ns"));
    columns.extend(names.iter().map(String::as_str));
    columns.extend(["longest, us", "admissions"]);
    let title = format!(
        "From due to answered, an admission each {} us, without the time in which others had the processor",
        EVERY.as_micros()
    );
    let mut table = Table::new("gate-latency", &title, &columns);
    for row in rows {
        let timer = rows
            .iter()
            .find(|other| other.control == row.control && other.rig.is_none());
        let p999 = |row: &Row| row.waits.value_at_quantile(0.999) as f64;
        let over = timer.map_or(Cell::from("-"), |timer| (p999(row) / p999(timer)).into());
        let mut cells = vec![row.condition.into(), row.what.into(), over];
        for (_, part) in QUANTILES {
            cells.push((row.waits.value_at_quantile(part) as f64).into());
        }
        cells.push((row.waits.max() as f64 / 1e3).into());
        cells.push((row.waits.len() as f64).into());
        table.row(cells);
    }
    table
}

/// How long the slowest of so many wait: of the form that nodes take, and of the timer with nothing else.
fn beyond(rows: &[Row], names: &[&str]) -> Table {
    let drawn = rows.iter().filter(|row| match row.rig {
        None => row.control == Control::Nothing,
        Some(at) => at == 0,
    });
    let drawn: Vec<&Row> = drawn.collect();
    let label = |row: &&Row| match row.rig {
        None => row.what.to_owned(),
        Some(_) => row.condition.to_owned(),
    };
    let labels: Vec<String> = drawn.iter().map(label).collect();
    let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
    let mut plot = Plot::of("one in", &labels, "ns from due to answered, or more");
    (plot.x_log, plot.y_log) = (true, true);
    let columns: Vec<&str> = ["one in"].into_iter().chain(labels).collect();
    let title = format!("One admission in so many waits as long, {}", names[0]);
    let mut table = Table::new("gate-latency-beyond", &title, &columns).plotted(plot);
    for part in [2.0, 5.0, 10.0, 100.0, 1_000.0, 10_000.0, 100_000.0_f64] {
        let waits = drawn.iter().map(|row| {
            let ns = row.waits.value_at_quantile(1.0 - 1.0 / part);
            Cell::from(ns.max(1) as f64)
        });
        table.row([Cell::from(part)].into_iter().chain(waits));
    }
    table
}
