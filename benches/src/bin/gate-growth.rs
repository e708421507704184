//! `gate-growth`: what an admission and its release cost as services, features, workers, sessions and refusals grow, in CPU
//! time over that of the bare pair on an own line in the same run. No figure: a table and a picture of each.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use anyhow::Result;
use benches::lanes::{Found, Lane, Runner, side_by_side};
use benches::report::{Cell, Plot, Series, Table};
use benches::sized::{Size, hold};
use benches::subject::admit_release;
use enforcer::{ClassId, Form, Permit, WorkerGate};

/// Rounds of each table.
const ROUNDS: usize = 41;
const SERVICES: [u8; 7] = [1, 2, 4, 8, 16, 32, 64];
const FEATURES: [u8; 8] = [0, 1, 2, 4, 8, 16, 32, 64];
const WORKERS: [u16; 9] = [1, 2, 4, 8, 16, 32, 64, 128, 256];
const SESSIONS: [u32; 8] = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000];
/// Percent of all calls.
const REFUSED: [u64; 5] = [0, 10, 25, 50, 75];

/// What grows.
#[derive(Clone, Copy)]
enum Growth {
    Services(u8),
    Features(u8),
    Workers(u16),
    Sessions(u32),
    Refused(u64),
}

impl Growth {
    fn at(self) -> f64 {
        match self {
            Self::Services(n) | Self::Features(n) => f64::from(n),
            Self::Workers(n) => f64::from(n),
            Self::Sessions(n) => f64::from(n),
            Self::Refused(percent) => percent as f64,
        }
    }

    fn seat(self, form: Form) -> Seat {
        let usual = Size::usual(form);
        match self {
            Self::Services(services) => {
                Seat::new(Size { services, ..usual }, usize::from(services), 0)
            }
            Self::Features(features) => Seat::new(Size { features, ..usual }, 1, 0),
            Self::Workers(workers) => Seat::new(Size { workers, ..usual }, 1, 0),
            Self::Sessions(sessions) => {
                // More were there once, and there is room for more.
                let (ceiling, peak) = (sessions + 20_000, sessions + 10_000);
                let size = Size {
                    ceiling,
                    peak,
                    ..usual
                };
                Seat::new(size, 1, sessions)
            }
            Self::Refused(_) => Seat::new(usual, 1, usual.ceiling),
        }
    }

    fn lane(self, form: Form) -> Lane<'static> {
        let mut seat = self.seat(form);
        match self {
            Self::Refused(percent) => Box::new(move |calls| seat.full(calls, percent)),
            Self::Services(_) | Self::Features(_) | Self::Workers(_) | Self::Sessions(_) => {
                Box::new(move |pairs| seat.pairs(pairs))
            }
        }
    }
}

/// A worker, the classes that it is asked for by turns, and the sessions that are there besides.
struct Seat {
    worker: WorkerGate,
    classes: Vec<ClassId>,
    held: Vec<Permit>,
}

impl Seat {
    fn new(size: Size, asked: usize, held: u32) -> Self {
        let (gate, mut classes) = size.gate();
        let mut worker = gate.worker().expect("there is a place for this worker");
        classes.truncate(asked);
        let held = hold(&mut worker, classes[0], held);
        Self {
            worker,
            classes,
            held,
        }
    }

    /// Admissions, each with its release; how many were refused.
    #[inline(never)]
    fn pairs(&mut self, pairs: u64) -> u64 {
        if let [class] = *self.classes {
            admit_release(&mut self.worker, class, pairs);
            return 0;
        }
        let (mut refused, mut left) = (0, pairs);
        while left > 0 {
            let turn = self.classes.iter().take(left as usize);
            left -= turn.len() as u64;
            for class in turn {
                match self.worker.admit(*class) {
                    Ok(permit) => self.worker.release(permit),
                    Err(_) => refused += 1,
                }
            }
        }
        refused
    }

    /// Calls at a full service, so many percent of them refused, and as many ends of calls as are let in.
    #[inline(never)]
    fn full(&mut self, calls: u64, percent: u64) -> u64 {
        let class = self.classes[0];
        let (mut refused, mut due) = (0, 0);
        for _ in 0..calls {
            due += percent;
            if due >= 100 {
                due -= 100;
            } else if let Some(permit) = self.held.pop() {
                self.worker.release(permit);
            }
            match self.worker.admit(class) {
                Ok(permit) => self.held.push(permit),
                Err(_) => refused += 1,
            }
        }
        refused
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        for permit in self.held.drain(..) {
            self.worker.release(permit);
        }
    }
}

fn main() -> ExitCode {
    match grown() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("not measured: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn grown() -> Result<()> {
    let forms = forms();
    show(
        "services",
        "Services, asked for by turns",
        &SERVICES.map(Growth::Services),
        &forms,
    )?;
    show(
        "features",
        "Features that a call brings",
        &FEATURES.map(Growth::Features),
        &forms,
    )?;
    show(
        "workers",
        "Places for workers, one of them at work",
        &WORKERS.map(Growth::Workers),
        &forms,
    )?;
    show(
        "sessions",
        "Sessions there are meanwhile",
        &SESSIONS.map(Growth::Sessions),
        &forms,
    )?;
    let title = "Percent of calls refused at the ceiling, as many ended as let in; a call";
    show("refused", title, &REFUSED.map(Growth::Refused), &forms)
}

/// First the form that nodes take.
fn forms() -> Vec<(&'static str, Form)> {
    let asymmetric = node::fence::asymmetric();
    let asymmetric = asymmetric.inspect_err(|why| println!("no asymmetric form here: {why}"));
    let asymmetric = asymmetric.ok().map(|form| ("asymmetric", form));
    asymmetric
        .into_iter()
        .chain([("atomic", Form::Atomic)])
        .collect()
}

fn show(what: &str, title: &str, steps: &[Growth], forms: &[(&'static str, Form)]) -> Result<()> {
    let runners = forms.iter().flat_map(|(name, form)| {
        steps.iter().map(move |step| Runner {
            name: format!("{name} {}", step.at()),
            lanes: vec![step.lane(*form)],
        })
    });
    let found = side_by_side(runners.collect(), ROUNDS);
    told(&found, steps, forms);
    let mut columns = vec![what.to_owned()];
    let mut series = Vec::new();
    for (name, _) in forms {
        let [low, high] = ["p10", "p90"].map(|part| format!("{name} {part}"));
        columns.extend([(*name).to_owned(), low.clone(), high.clone()]);
        series.push(Series {
            column: (*name).to_owned(),
            spread: Some([low, high]),
        });
    }
    columns.push("pair of the yardstick, ns".to_owned());
    let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
    let plot = Plot {
        x: what.to_owned(),
        y: series,
        y_label: "times the bare pair on an own line".to_owned(),
        x_log: !matches!(
            steps.first(),
            Some(Growth::Features(_) | Growth::Refused(_))
        ),
        y_log: false,
    };
    let id = format!("gate-growth-{what}");
    let mut table = Table::new(&id, title, &columns).plotted(plot);
    for (place, step) in steps.iter().enumerate() {
        let mut row = vec![Cell::from(step.at())];
        let mut yardstick = Cell::from("-");
        for form in 0..forms.len() {
            let ratios = &found[form * steps.len() + place].ratios;
            row.extend(match ratios {
                None => ["-"; 3].map(Cell::from),
                Some(ratios) => {
                    yardstick = ratios.yardstick_ns.into();
                    [0.5, 0.1, 0.9].map(|part| ratios.local.quantile(part).into())
                }
            });
        }
        row.push(yardstick);
        table.row(row);
    }
    table.show()
}

/// What a picture doesn't show: refusals that were not asked for, and the noise.
fn told(found: &[Found], steps: &[Growth], forms: &[(&'static str, Form)]) {
    for (place, one) in found.iter().enumerate() {
        let step = &steps[place % steps.len()];
        let asked = match step {
            Growth::Refused(percent) => one.all as f64 * *percent as f64 / 100.0,
            Growth::Services(_)
            | Growth::Features(_)
            | Growth::Workers(_)
            | Growth::Sessions(_) => 0.0,
        };
        // Slices don't end with whole cycles of a hundred calls.
        if (one.refused as f64 - asked).abs() > 100.0 * ROUNDS as f64 {
            println!("{}: {} of {} refused", one.name, one.refused, one.all);
        }
    }
    for form in 0..forms.len() {
        let last = &found[form * steps.len() + steps.len() - 1];
        if let Some(ratios) = &last.ratios {
            ratios.explain(&last.name);
        }
    }
}
