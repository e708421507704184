//! `cargo xtask soak`: the long forms of what `cargo xtask test` does in short, in pieces that add up over several calls.
//!
//! A piece is a run of tests or of a fuzz target, over seeds, cycles or executions of its own. What it came to is in
//! docs/soak.toml, with its commit, before the next one begins; docs/soak.md is a function of that.

mod fuzz;
mod report;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use crate::run;
use crate::workspace::{Workspace, cargo};
use report::{Piece, Soak};
pub use report::{breaches, standing};

const HELP: &str = "\
usage: cargo xtask soak [PART] [--minutes N]

  sim      simulation of a whole node, by seeds
  kill     a node that is killed under load, by cycles
  crash    every point at which a day's writes of the license clock may be cut off
  load     a node under load with faults for N minutes, and how much it grows; kept from 30 on. This is what no PART means
  fuzz [TARGET]
           fuzz targets, each for its part of the time
  all      one after another

The others go on where docs/soak.toml ends, for 30 minutes unless another number is named, or until the part's goal is reached.
Ends on Ctrl-C without loss of the pieces that are done. A seed that fails is told with the command that runs it again.";

const BUILD_MAX_S: u32 = 1_800;

/// What a piece came to.
struct Outcome {
    /// Seeds, cycles, minutes or executions.
    done: u64,
    bad: u64,
    /// What else is counted.
    counts: BTreeMap<String, u64>,
}

/// One of the parts that are tests.
struct Part {
    name: &'static str,
    unit: &'static str,
    goal: u64,
    /// Units of one piece.
    piece: u64,
    /// Longest time of one.
    limit: Duration,
    test: &'static [&'static str],
    /// The line that says how many are bad begins with this.
    figure: &'static str,
    /// What names a piece to the test, from its first unit.
    environment: fn(u64, u64) -> Vec<(&'static str, String)>,
}

const PARTS: [Part; 4] = [
    Part {
        name: "sim",
        unit: "seeds",
        goal: 100_000,
        piece: 1_000,
        limit: Duration::from_secs(1_800),
        test: &["--package", "tests", "--test", "simulation"],
        figure: "sim-seeds-failed",
        environment: |from, piece| {
            vec![("TOLLGATE_SIM_SEEDS", format!("{from}..{}", from + piece))]
        },
    },
    Part {
        name: "kill",
        unit: "cycles",
        goal: 1_000,
        piece: 100,
        limit: Duration::from_secs(900),
        test: &["--package", "tests", "--test", "kills"],
        figure: "kill9-cycles",
        environment: |from, piece| {
            vec![
                ("TOLLGATE_KILL_CYCLES", piece.to_string()),
                ("TOLLGATE_KILL_SEED", from.to_string()),
            ]
        },
    },
    Part {
        name: "crash",
        unit: "minutes",
        goal: 1_440,
        piece: 1_440,
        limit: Duration::from_secs(3_600),
        test: &["--package", "node", "--lib", "store::crash_points"],
        figure: "crash-points",
        environment: |_, piece| vec![("TOLLGATE_CRASH_MINUTES", piece.to_string())],
    },
    Part {
        name: LOAD,
        unit: "minutes",
        goal: 30,
        piece: 30,
        limit: Duration::from_secs(26 * 3_600),
        test: &["--package", "tests", "--test", "soak"],
        figure: "soak-drift",
        environment: |_, piece| vec![("TOLLGATE_SOAK_MINUTES", piece.to_string())],
    },
];

/// The part that is one run each time.
const LOAD: &str = "load";

/// Builds that are compared, and how many there are to be.
const BUILDS: (&str, u64) = ("build", 2);

/// Every part, and its goal.
fn goals() -> impl Iterator<Item = (String, u64)> {
    let parts = PARTS.iter().map(|part| (part.name, part.goal));
    let parts = parts.chain([BUILDS]);
    let parts = parts.map(|(name, goal)| (name.to_owned(), goal));
    parts.chain(fuzz::goals())
}

pub fn run(workspace: &Workspace, words: &[&str]) -> Result<ExitCode> {
    let (words, minutes) = match words {
        [words @ .., "--minutes", minutes] => (words, minutes.parse().context("--minutes N")?),
        words => (words, 30_u64),
    };
    ensure!((1..=1_440).contains(&minutes), "--minutes: 1 to 1440");
    let time = Duration::from_secs(minutes * 60);
    let clean = match words {
        ["fuzz"] => fuzz::run(workspace, None, time)?,
        ["fuzz", target] => fuzz::run(workspace, Some(target), time)?,
        ["all"] => {
            let mut clean = true;
            for part in PARTS.iter().filter(|part| part.name != LOAD) {
                clean &= pieces(workspace, part, time)?;
            }
            clean &= load(workspace, minutes)?;
            clean & fuzz::run(workspace, None, time)?
        }
        [] | ["load"] => load(workspace, minutes)?,
        [name] => match PARTS.iter().find(|part| part.name == *name) {
            Some(part) => pieces(workspace, part, time)?,
            None => bail!("no part {name:?}\n{HELP}"),
        },
        _ => bail!("{HELP}"),
    };
    Ok(match clean {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

/// Runs pieces until the goal is reached or the time is over; false: something is bad.
fn pieces(workspace: &Workspace, part: &Part, time: Duration) -> Result<bool> {
    let until = Instant::now() + time;
    let mut clean = true;
    while clean && Instant::now() < until {
        let done = Soak::read(workspace)?.done(part.name);
        if done >= part.goal {
            println!("{}: {done} {} are done", part.name, part.unit);
            // A page that somebody has changed is made anew.
            Soak::read(workspace)?.write(workspace)?;
            break;
        }
        println!("{}: {} from {done}", part.name, part.unit);
        let outcome = piece(workspace, part, done, part.piece)?;
        clean = outcome.bad == 0;
        keep(workspace, part.name, part.unit, done, outcome)?;
    }
    Ok(clean)
}

/// One run of so many minutes: a slope of pieces would say nothing.
fn load(workspace: &Workspace, minutes: u64) -> Result<bool> {
    let part = PARTS.iter().find(|part| part.name == LOAD);
    let part = part.context("a part of that name")?;
    let outcome = piece(workspace, part, 0, minutes)?;
    let clean = outcome.bad == 0;
    if minutes < part.goal {
        println!("less than {} minutes: not kept in docs/soak.md", part.goal);
        return Ok(clean);
    }
    report::draw(workspace, part.name, &data_of(workspace))?;
    let done = Soak::read(workspace)?.done(part.name);
    keep(workspace, part.name, part.unit, done, outcome)?;
    Ok(clean)
}

/// What the run hands over to be drawn.
fn data_of(workspace: &Workspace) -> PathBuf {
    workspace.target.join("soak-data.jsonl")
}

fn keep(workspace: &Workspace, part: &str, unit: &str, from: u64, outcome: Outcome) -> Result<()> {
    let Outcome { done, bad, counts } = outcome;
    let piece = Piece::now(workspace, part, unit, from, done, bad, counts);
    Soak::read(workspace)?.with(piece).write(workspace)
}

/// What `cargo xtask reproducible` came to.
pub fn keep_builds(workspace: &Workspace, done: u64, bad: u64) -> Result<()> {
    let counts = BTreeMap::new();
    let outcome = Outcome { done, bad, counts };
    let from = Soak::read(workspace)?.done(BUILDS.0);
    keep(workspace, BUILDS.0, "builds", from, outcome)
}

fn piece(workspace: &Workspace, part: &Part, from: u64, many: u64) -> Result<Outcome> {
    let mut build = run::bounded(BUILD_MAX_S, cargo());
    build.args(["build", "--release", "--quiet", "--package", "cli"]);
    run::must("cargo build", build.current_dir(&workspace.root))?;
    let limit = u32::try_from(part.limit.as_secs()).unwrap_or(u32::MAX);
    let mut test = run::bounded(limit, cargo());
    test.current_dir(&workspace.root);
    test.args(["test", "--release", "--quiet"]).args(part.test);
    test.args(["--", "--nocapture"]);
    test.env("TOLLGATE_BIN", workspace.target.join("release/tollgate"));
    test.envs((part.environment)(from, many));
    let data = data_of(workspace);
    // Of a piece before this one.
    let _gone = fs::remove_file(&data);
    test.env("TOLLGATE_SOAK_DATA", &data);
    let mut bad = None;
    let mut counts = BTreeMap::new();
    let green = run::lines(&mut test, |line| {
        println!("{line}");
        if let Some(value) = line.strip_prefix(part.figure) {
            bad = value.trim().parse().ok();
        }
        if let Some((name, many)) = count(line) {
            *counts.entry(name.to_owned()).or_default() += many;
        }
    })?;
    let bad: u64 = bad.with_context(|| format!("{} said nothing of {}", part.name, part.figure))?;
    ensure!(green || bad > 0, "{}: the test fails", part.name);
    Ok(Outcome {
        done: many,
        bad,
        counts,
    })
}

/// `count 17 torn writes`.
fn count(line: &str) -> Option<(&str, u64)> {
    let (many, name) = line.strip_prefix("count ")?.split_once(' ')?;
    Some((name, many.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted_is_read() {
        assert_eq!(count("count 17 torn writes"), Some(("torn writes", 17)));
        assert_eq!(count("17 torn writes"), None);
        assert_eq!(count("count many writes"), None);
    }
}
