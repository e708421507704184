//! Fuzz targets of `fuzz/`, built with the coverage that libFuzzer wants by the stable compiler.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::report::Soak;
use super::{BUILD_MAX_S, Outcome, keep};
use crate::run;
use crate::workspace::{Workspace, cargo};

/// Each target, and executions to be reached over all runs.
const TARGETS: [(&str, u64); 11] = [
    ("gtpv1", 100_000_000),
    ("gtpv2", 100_000_000),
    ("sequences", 10_000_000),
    ("slots", 10_000_000),
    ("control", 10_000_000),
    ("authority", 10_000_000),
    ("replies", 10_000_000),
    ("agent", 10_000_000),
    ("inform", 10_000_000),
    ("grammar", 10_000_000),
    ("configuration", 10_000_000),
];
/// What cargo-fuzz asks of the compiler, without a sanitizer: nothing here is unsafe.
const FLAGS: &str = "--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1 -Cdebug-assertions=yes";
/// The flags are for the targets, not for build scripts.
const TRIPLE: &str = "x86_64-unknown-linux-gnu";
/// One input takes far less.
const INPUT_MAX_S: u32 = 10;
const MEMORY_MAX_MIB: u32 = 2_048;
const KEPT_BYTES: &str = "100000000";

pub fn goals() -> impl Iterator<Item = (String, u64)> {
    TARGETS
        .iter()
        .map(|(target, goal)| (format!("fuzz {target}"), *goal))
}

pub fn run(workspace: &Workspace, only: Option<&str>, time: Duration) -> Result<bool> {
    let targets = TARGETS
        .iter()
        .filter(|(target, _)| only.is_none_or(|only| only == *target));
    let targets: Vec<&str> = targets.map(|(target, _)| *target).collect();
    let known = TARGETS.map(|(target, _)| target).join(", ");
    ensure!(!targets.is_empty(), "no target {only:?}; there are {known}");
    build(workspace)?;
    let each = time / u32::try_from(targets.len())?;
    let mut clean = true;
    for target in targets {
        let from = Soak::read(workspace)?.done(&format!("fuzz {target}"));
        let outcome = fuzz(workspace, target, each)?;
        println!("{target}: {} executions, {} bad", outcome.done, outcome.bad);
        clean &= outcome.bad == 0;
        let part = format!("fuzz {target}");
        keep(workspace, &part, "executions", from, outcome)?;
    }
    Ok(clean)
}

fn build(workspace: &Workspace) -> Result<()> {
    let mut build = run::bounded(BUILD_MAX_S, cargo());
    build.current_dir(workspace.root.join("fuzz"));
    build.args(["build", "--release", "--quiet", "--bins", "--locked"]);
    build.args(["--target", TRIPLE, "--target-dir"]);
    build.arg(workspace.target.join("fuzz"));
    build.env("RUSTC_BOOTSTRAP", "1").env("RUSTFLAGS", FLAGS);
    run::must("building fuzz targets", &mut build)
}

/// What it found is beside what it began with, in the target directory: only inputs that are worth it are committed, by hand.
fn fuzz(workspace: &Workspace, target: &str, time: Duration) -> Result<Outcome> {
    let dir = workspace.target.join("fuzz");
    let found = dir.join("corpus").join(target);
    let crashes = dir.join("crashes").join(target);
    for dir in [&found, &crashes] {
        fs::create_dir_all(dir).with_context(|| dir.display().to_string())?;
    }
    let seconds = time.as_secs().max(1);
    let limit = u32::try_from(seconds + 120)?;
    let program = dir.join(TRIPLE).join("release").join(target);
    let mut fuzz = run::bounded(limit, program);
    // What an input takes is given back after it, and would go to the system and come again.
    fuzz.env("MALLOC_TRIM_THRESHOLD_", KEPT_BYTES);
    fuzz.env("MALLOC_TOP_PAD_", KEPT_BYTES);
    fuzz.arg(format!("-max_total_time={seconds}"));
    fuzz.arg(format!("-timeout={INPUT_MAX_S}"));
    fuzz.arg(format!("-rss_limit_mb={MEMORY_MAX_MIB}"));
    fuzz.arg("-print_final_stats=1");
    fuzz.arg(format!("-artifact_prefix={}/", crashes.display()));
    fuzz.arg(&found);
    let committed = workspace.root.join("fuzz/corpus").join(target);
    fuzz.arg(&committed);
    // It tells everything on standard error.
    let output = fuzz.output().with_context(|| target.to_owned())?;
    let text = String::from_utf8_lossy(&output.stderr);
    let done = text
        .lines()
        .find_map(|line| line.strip_prefix("stat::number_of_executed_units:"))
        .and_then(|value| value.trim().parse().ok());
    let bad = u64::from(!output.status.success());
    if bad > 0 {
        let from = text.lines().count().saturating_sub(40);
        text.lines().skip(from).for_each(|line| println!("{line}"));
        println!("its input is in {}", crashes.display());
    }
    let done = match done {
        Some(done) => done,
        // One that ends before it can tell has found something with its first inputs.
        None if bad > 0 => 0,
        None => anyhow::bail!("{target} does not say how many executions there were"),
    };
    Ok(Outcome {
        done,
        bad,
        counts: BTreeMap::new(),
    })
}
