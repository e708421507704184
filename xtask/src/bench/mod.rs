//! `cargo xtask bench`: every measurement of speed, one after another, and the report of them.

pub mod data;
pub mod machine;
mod plan;
pub mod plot;
mod program;
mod report;

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use self::data::Data;
use self::machine::{Run, Ticks};
use self::plan::{Step, TOTAL_MAX};
use self::program::{Desk, Ending, Program};
use self::report::{Measured, PICTURES, Report};
use crate::workspace::{Workspace, cargo};

const DATA: &str = "TOLLGATE_BENCH_DATA";
const BUILD_MAX: Duration = Duration::from_secs(1800);
/// Octets of a program's data.
const DATA_MAX: u64 = 4 << 20;
const NAME: &str = "performance.md";
/// A load average that is higher by this is of a busier machine.
const LOAD_SLACK: f64 = 0.25;
/// A disagreement of the yardsticks that is higher by this is of a noisier one.
const NOISE_SLACK: f64 = 0.005;

/// What was asked for.
#[derive(Debug, Default, PartialEq)]
struct Request {
    /// One program alone.
    only: Option<String>,
    /// Whatever the report that is there was measured on.
    force: bool,
    /// Where the report goes.
    out: Option<PathBuf>,
}

impl Request {
    fn parse(words: &[&str]) -> Result<Self> {
        let mut request = Self::default();
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let mut value = || words.next().with_context(|| format!("{word} what?"));
            match *word {
                "--force" => request.force = true,
                "--only" => request.only = Some((*value()?).to_owned()),
                "--out" => request.out = Some(PathBuf::from(value()?)),
                other => bail!("bench knows --only NAME, --force and --out DIR, not {other:?}"),
            }
        }
        Ok(request)
    }
}

/// Builds, measures and writes. The exit code is 0 if every program gave its result, and the report could be written.
pub fn run(workspace: &Workspace, words: &[&str]) -> Result<ExitCode> {
    let request = Request::parse(words)?;
    let mut steps = plan::steps(workspace);
    if let Some(only) = &request.only {
        let names: Vec<&str> = steps.iter().map(|step| step.name.as_str()).collect();
        ensure!(
            names.contains(&only.as_str()),
            "no measurement {only:?}; there are {}",
            names.join(", ")
        );
        steps.retain(|step| step.name == *only);
    }
    // A part of the measurements is no report to keep.
    let aside = workspace.target.join("bench");
    let out = match (&request.out, &request.only) {
        (Some(out), _) => out.clone(),
        (None, Some(_)) => aside.clone(),
        (None, None) => workspace.root.join("docs"),
    };
    let reasons = workspace.text(Path::new("benches/reasons.toml"))?;
    let reasons = report::reasons(&reasons).context("benches/reasons.toml")?;
    let mut about = Run::begin(&workspace.root);
    let keeps = !request.force && out != aside;
    if keeps && let Some(better) = better(&out, &about)? {
        bail!("{better}; wait, or give --force");
    }
    let mut desk = Desk::new();
    desk.watch_signals()?;
    build(workspace, &mut desk)?;
    let folder = workspace.target.join("release");
    let then = Ticks::now()?;
    let begun = Instant::now();
    let all = measured(&mut desk, steps, &aside, |name| {
        (folder.join(name), Vec::new())
    })?;
    about.seconds = begun.elapsed().as_secs();
    about.others = Ticks::now()?.others_since(then, about.cores);
    about.load_after = machine::load();
    about.noise = noise(&all);
    about.failed = all.iter().filter(|one| one.failure.is_some()).count();
    let report = report::report(&about, &all, &reasons)?;
    let refused = if keeps { better(&out, &about)? } else { None };
    let at = if refused.is_some() { &aside } else { &out };
    write(&report, at)?;
    summary(&all, &report);
    println!("{}", at.join(NAME).display());
    if let Some(better) = refused {
        bail!("{better}; this run's report is in {}", at.display());
    }
    Ok(match about.failed {
        0 => ExitCode::SUCCESS,
        1.. => ExitCode::FAILURE,
    })
}

/// What is printed once all is measured: the figures, and what somebody should look at.
fn summary(all: &[Measured], report: &Report) {
    for figure in all.iter().flat_map(|one| &one.data.figures) {
        let value = figure.value.map_or("-".to_owned(), report::number);
        let (target, judged) = (report::number(figure.target), report::judged(figure));
        println!(
            "{:24} {value} target {target} {}",
            figure.id,
            judged.replace("**", "")
        );
    }
    for warning in &report.warnings {
        eprintln!("warning: {warning}");
    }
}

fn build(workspace: &Workspace, desk: &mut Desk) -> Result<()> {
    eprintln!("building the measurements");
    let manifest = workspace.root.join("Cargo.toml");
    let arguments = ["build", "--release", "--quiet", "--package", "benches"];
    let arguments = arguments.iter().map(OsString::from);
    let arguments = arguments.chain(["--bins".into(), "--manifest-path".into(), manifest.into()]);
    let program = Program {
        name: "cargo build".to_owned(),
        command: cargo().into(),
        arguments: arguments.collect(),
        limit: BUILD_MAX,
    };
    let ending = desk.run(&program, &[], |line| eprintln!("  {line}"))?;
    match ending.status {
        Some(status) if status.success() => Ok(()),
        Some(status) => bail!("the measurements are not built: {status}"),
        None => bail!(
            "the measurements are not built after {} s",
            BUILD_MAX.as_secs()
        ),
    }
}

/// Runs them one after another; `command` says which program is meant, and its arguments.
fn measured(
    desk: &mut Desk,
    steps: Vec<Step>,
    aside: &Path,
    command: impl Fn(&str) -> (PathBuf, Vec<OsString>),
) -> Result<Vec<Measured>> {
    fs::create_dir_all(aside).with_context(|| aside.display().to_string())?;
    let (begun, count) = (Instant::now(), steps.len());
    let mut left_s: u64 = steps.iter().map(|step| step.usual_s).sum();
    let mut all = Vec::new();
    for (place, step) in steps.into_iter().enumerate() {
        let gone = begun.elapsed();
        let name = step.name.clone();
        eprintln!(
            "[{:2}/{count}] {name} ({} gone, about {} left)",
            place + 1,
            clock(gone.as_secs()),
            clock(left_s)
        );
        left_s -= step.usual_s;
        let (path, arguments) = command(&name);
        let limit = step.limit().min(TOTAL_MAX.saturating_sub(gone));
        let file = aside.join(format!("{name}.jsonl"));
        let result = if limit.is_zero() {
            Err(format!("the {} s for all were over", TOTAL_MAX.as_secs()))
        } else if !path.is_file() {
            Err("crate benches has no such program".to_owned())
        } else {
            let program = Program {
                name,
                command: path,
                arguments,
                limit,
            };
            Ok(one(desk, &program, &file)?)
        };
        let mut measured = Measured {
            step,
            data: Data::default(),
            lines: Vec::new(),
            took_s: 0.0,
            failure: None,
        };
        match result {
            Err(why) => measured.failure = Some(why),
            Ok((ending, data)) => {
                (measured.data, measured.failure) = judged(&ending, data, limit);
                measured.took_s = ending.took.as_secs_f64();
                measured.lines = ending.lines;
            }
        }
        if let Some(why) = &measured.failure {
            eprintln!("        no result: {why}");
        }
        all.push(measured);
    }
    Ok(all)
}

/// Runs a program and reads what it handed over.
fn one(desk: &mut Desk, program: &Program, file: &Path) -> Result<(Ending, Result<Data>)> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(error).with_context(|| file.display().to_string());
        }
        Ok(()) | Err(_) => {}
    }
    let environment = [(DATA, file.as_os_str().to_owned())];
    let ending = desk.run(program, &environment, |line| println!("        {line}"))?;
    let size = fs::metadata(file).map_or(0, |about| about.len());
    let data = match size {
        0 => Ok(Data::default()),
        1..=DATA_MAX => fs::read_to_string(file)
            .map_err(anyhow::Error::from)
            .and_then(|text| Data::parse(&text)),
        _ => Err(anyhow::anyhow!("it handed over {size} octets of data")),
    };
    Ok((ending, data))
}

/// What of it counts, and why it has no result.
fn judged(ending: &Ending, data: Result<Data>, limit: Duration) -> (Data, Option<String>) {
    let said = ending.lines.iter().rev().find(|line| !line.is_empty());
    let said = said.map_or("nothing".to_owned(), |line| format!("{line:?}"));
    let Some(status) = ending.status else {
        let why = format!("it took over {:.0} s and was ended", limit.as_secs_f64());
        return (Data::default(), Some(why));
    };
    let data = match data {
        Ok(data) => data,
        Err(error) => return (Data::default(), Some(format!("{error:#}"))),
    };
    // A figure that is short or that the machine was too busy for is a result too.
    let codes = if data.figures.is_empty() {
        0..=0
    } else {
        0..=2
    };
    let failure = match status.code() {
        Some(code) if !codes.contains(&code) => {
            Some(format!("it ended with {status}; its last words: {said}"))
        }
        None => Some(format!("it ended with {status}; its last words: {said}")),
        Some(_) if data.is_empty() => {
            Some(format!("it handed nothing over; its last words: {said}"))
        }
        Some(_) => None,
    };
    match failure {
        // Half a measurement is none.
        Some(why) => (Data::default(), Some(why)),
        None => (data, None),
    }
}

fn clock(seconds: u64) -> String {
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

/// The median of what all yardsticks say.
fn noise(all: &[Measured]) -> Option<f64> {
    let ratios = all.iter().flat_map(|one| &one.data.ratios);
    let mut noise: Vec<f64> = ratios.map(|ratio| ratio.noise).collect();
    noise.sort_by(f64::total_cmp);
    noise.get(noise.len() / 2).copied()
}

/// Why the report that is there stays: it was measured better.
fn better(out: &Path, new: &Run) -> Result<Option<String>> {
    let file = out.join(NAME);
    let text = match fs::read_to_string(&file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(|| file.display().to_string()),
    };
    let why = match report::run_of(&text) {
        Ok(old) => better_run(&old, new),
        Err(error) => Some(format!("{error:#}")),
    };
    Ok(why.map(|why| format!("{} stays: {why}", file.display())))
}

fn better_run(old: &Run, new: &Run) -> Option<String> {
    if new.load_before > old.load_before + LOAD_SLACK {
        return Some(format!(
            "it was begun at a load average of {:.2}, this run at {:.2}",
            old.load_before, new.load_before
        ));
    }
    if let (Some(old), Some(new)) = (old.noise, new.noise)
        && new > old + NOISE_SLACK
    {
        let (old, new) = (old * 100.0, new * 100.0);
        return Some(format!(
            "its yardsticks differ by {old:.1} %, those of this run by {new:.1} %"
        ));
    }
    (new.failed > old.failed).then(|| {
        let (old, new) = (old.failed, new.failed);
        format!("{old} of its measurements have no result, {new} of this run's")
    })
}

/// Each file is whole or as before; pictures of an earlier run go.
fn write(report: &Report, out: &Path) -> Result<()> {
    let pictures = out.join(PICTURES);
    fs::create_dir_all(&pictures).with_context(|| pictures.display().to_string())?;
    for (name, svg) in &report.pictures {
        replace(&pictures.join(name), svg)?;
    }
    replace(&out.join(NAME), &report.text)?;
    for entry in fs::read_dir(&pictures).with_context(|| pictures.display().to_string())? {
        let file = entry?.path();
        let kept = |(name, _): &(String, String)| file.ends_with(name);
        let drawn = file.extension().is_some_and(|ending| ending == "svg");
        if drawn && !report.pictures.iter().any(kept) {
            fs::remove_file(&file).with_context(|| file.display().to_string())?;
        }
    }
    Ok(())
}

fn replace(file: &Path, text: &str) -> Result<()> {
    let new = file.with_extension("new");
    fs::write(&new, text).with_context(|| new.display().to_string())?;
    fs::rename(&new, file).with_context(|| file.display().to_string())
}

#[cfg(test)]
mod tests;
