//! `gate-instructions`: instructions of what the gate is asked, loop included, as callgrind counts them, in both forms; the
//! difference of two run lengths, so that nothing of the set-up is in it. They are compared with `enforcer/instructions.txt`.
//!
//! `cargo run --release -p enforcer --example gate-instructions [accept]`; `accept` writes what was counted there.
#![forbid(unsafe_code)]

use std::error::Error;
use std::fs::OpenOptions;
use std::hint::black_box;
use std::io::Write;
use std::process::{Command, ExitCode};
use std::{env, fs};

use enforcer::{CallKind, Class, ClassId, Form, Gate, GateConfig, Terms, WorkerGate};
use licensing::{FeatureIndex, FeatureSet, ServiceIndex};

const ACCEPTED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../enforcer/instructions.txt");
const HEAD: &str = "\
# Instructions of what the gate is asked, by callgrind: one more or less is a change of the compiled code. Counted by
# the example gate-instructions of this crate, which writes this file when it is called with `accept`.
";
/// Largest change that is none, in percent.
const TOLERANCE: f64 = 3.0;
const SERVICE: ServiceIndex = ServiceIndex(2);
const CEILING: u32 = 10_000;
/// Turns of the two runs.
const SHORT: u64 = 2_000;
const LONG: u64 = 22_000;

type Ask = fn(&mut WorkerGate, ClassId, u64);

/// What is asked in a turn.
const ASKED: [(&str, Ask); 3] = [
    ("admit and release", pairs),
    ("refuse at the ceiling", refusals),
    ("release and admit at the ceiling", churn),
];

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        [] => compare(),
        ["accept"] => accept(),
        [form, asked, turns] => run(form, asked, turns),
        _ => Err("arguments: none, or accept".into()),
    };
    done.unwrap_or_else(|error| {
        eprintln!("error: {error}");
        println!("gate-instructions - target {TOLERANCE} invalid");
        ExitCode::FAILURE
    })
}

/// One run under callgrind.
fn run(form: &str, asked: &str, turns: &str) -> Result<ExitCode, Box<dyn Error>> {
    let form = match form {
        // One thread: nobody has to be fenced off.
        "asymmetric" => Form::Asymmetric(|| true),
        _ => Form::Atomic,
    };
    let asked = ASKED.iter().find(|(name, _)| *name == asked);
    let (_, ask) = asked.ok_or("nothing of that name is asked")?;
    let config = GateConfig {
        form,
        ..GateConfig::new(7, 2)
    };
    let gate = Gate::new(config)?;
    let class = gate.intern(Class {
        service: SERVICE,
        features: [0, 3, 5].map(FeatureIndex).into_iter().collect(),
        kind: CallKind::Ordinary,
    })?;
    gate.set_terms(
        SERVICE,
        Terms {
            ceiling: Some(CEILING),
            priority_share: CEILING / 20,
            blocked_features: FeatureSet::EMPTY.with(FeatureIndex(7)),
            ..Terms::default()
        },
    );
    ask(&mut gate.worker()?, class, turns.parse()?);
    Ok(ExitCode::SUCCESS)
}

/// Below a record that was set before.
fn pairs(worker: &mut WorkerGate, class: ClassId, turns: u64) {
    let record: Vec<_> = (0..CEILING / 2).map(|_| worker.restore(class)).collect();
    record.into_iter().for_each(|permit| worker.release(permit));
    pairs_of(worker, black_box(class), turns);
}

#[inline(never)]
fn pairs_of(worker: &mut WorkerGate, class: ClassId, turns: u64) {
    for _ in 0..turns {
        match worker.admit(class) {
            Ok(permit) => worker.release(permit),
            Err(refusal) => unexpected(&refusal),
        }
    }
}

fn refusals(worker: &mut WorkerGate, class: ClassId, turns: u64) {
    let held: Vec<_> = (0..CEILING).map(|_| worker.restore(class)).collect();
    refusals_of(worker, black_box(class), turns);
    held.into_iter().for_each(|permit| worker.release(permit));
}

#[inline(never)]
fn refusals_of(worker: &mut WorkerGate, class: ClassId, turns: u64) {
    for _ in 0..turns {
        match worker.admit(class) {
            Ok(permit) => unexpected(&permit),
            Err(refusal) => drop(black_box(refusal.sessions)),
        }
    }
}

/// One refusal after each admission, so that the gate stays tight.
fn churn(worker: &mut WorkerGate, class: ClassId, turns: u64) {
    let mut held: Vec<_> = (0..CEILING).map(|_| worker.restore(class)).collect();
    churn_of(worker, black_box(class), &mut held, turns);
    held.into_iter().for_each(|permit| worker.release(permit));
}

#[inline(never)]
fn churn_of(worker: &mut WorkerGate, class: ClassId, held: &mut Vec<enforcer::Permit>, turns: u64) {
    for _ in 0..turns {
        held.pop().into_iter().for_each(|old| worker.release(old));
        match worker.admit(class) {
            Ok(permit) => held.push(permit),
            Err(refusal) => unexpected(&refusal),
        }
        if let Ok(permit) = worker.admit(class) {
            unexpected(&permit);
        }
    }
}

#[cold]
#[inline(never)]
fn unexpected(answer: &dyn std::fmt::Debug) {
    panic!("{answer:?}");
}

/// Instructions a turn, by form and what is asked.
fn count() -> Result<Vec<(String, f64)>, Box<dyn Error>> {
    let mut counts = Vec::new();
    for form in ["asymmetric", "atomic"] {
        for (asked, _) in ASKED {
            let (short, long) = (under(form, asked, SHORT)?, under(form, asked, LONG)?);
            let each = long.saturating_sub(short) as f64 / (LONG - SHORT) as f64;
            counts.push((format!("{form}: {asked}"), each));
        }
    }
    Ok(counts)
}

/// Runs this binary under callgrind for so many turns.
fn under(form: &str, asked: &str, turns: u64) -> Result<u64, Box<dyn Error>> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(env::current_exe()?)
        .args([form, asked, &turns.to_string()])
        .output()
        .map_err(|error| format!("valgrind (package valgrind): {error}"))?;
    let text = String::from_utf8_lossy(&output.stderr);
    let line = text.lines().find(|line| line.contains("Collected"));
    let number = line.and_then(|line| line.rsplit(' ').next());
    let number = number.filter(|_| output.status.success());
    Ok(number
        .ok_or_else(|| format!("no count in: {text}"))?
        .parse()?)
}

/// What the compiler was: another one makes other code.
fn made_by() -> Result<String, Box<dyn Error>> {
    let output = Command::new("rustc").arg("--version").output()?;
    let version = String::from_utf8(output.stdout)?;
    Ok(format!("{} {}", env::consts::ARCH, version.trim()))
}

fn accept() -> Result<ExitCode, Box<dyn Error>> {
    let mut text = format!("{HEAD}{}\n", made_by()?);
    for (name, each) in count()? {
        text.push_str(&format!("{name} = {each:.1}\n"));
    }
    fs::write(ACCEPTED, &text)?;
    print!("{text}");
    Ok(ExitCode::SUCCESS)
}

/// Appends table and figure to the file that `cargo xtask bench` names, as crate benches does (`benches::report`).
fn hand_over(rows: &[String], largest: Option<f64>) -> Result<(), Box<dyn Error>> {
    let Some(path) = env::var_os("TOLLGATE_BENCH_DATA") else {
        return Ok(());
    };
    let rows = rows.join(",");
    let verdict = match largest {
        None => "invalid",
        Some(largest) if largest > TOLERANCE => "short",
        Some(_) => "ok",
    };
    let value = largest.map_or("null".to_owned(), |largest| format!("{largest:.1}"));
    let mut file = OpenOptions::new().append(true).create(true).open(path)?;
    writeln!(
        file,
        r#"{{"table":"instructions","title":"Instructions of the gate by callgrind","columns":["asked","counted","accepted","change, %"],"rows":[{rows}],"plot":null}}"#
    )?;
    writeln!(
        file,
        r#"{{"figure":"gate-instructions","value":{value},"target":{TOLERANCE:.1},"at_least":false,"verdict":"{verdict}"}}"#
    )?;
    Ok(())
}

fn compare() -> Result<ExitCode, Box<dyn Error>> {
    let text = fs::read_to_string(ACCEPTED).map_err(|error| format!("{ACCEPTED}: {error}"))?;
    let mut lines = text.lines().filter(|line| !line.starts_with('#'));
    let accepted_by = lines.next().unwrap_or_default();
    let accepted: Vec<(&str, &str)> = lines.filter_map(|line| line.split_once(" = ")).collect();
    let mut largest: f64 = 0.0;
    let mut rows = Vec::new();
    println!(
        "{:52} {:>8} {:>8} {:>7}",
        "instructions", "counted", "accepted", "change"
    );
    for (name, each) in count()? {
        let before = accepted.iter().find(|(of, _)| *of == name);
        let (_, before) = before.ok_or_else(|| format!("{ACCEPTED} has no {name:?}"))?;
        let before: f64 = before.parse()?;
        let change = (each / before - 1.0) * 100.0;
        println!("{name:52} {each:8.1} {before:8.1} {change:+6.1}%");
        largest = largest.max(change.abs());
        rows.push(format!("[\"{name}\",{each:.1},{before:.1},{change:.1}]"));
    }
    let here = made_by()?;
    let known = here == accepted_by;
    hand_over(&rows, known.then_some(largest))?;
    if !known {
        println!("counted with {here}, accepted with {accepted_by}: no comparison");
        println!("gate-instructions - target {TOLERANCE} invalid");
        return Ok(ExitCode::SUCCESS);
    }
    if largest > TOLERANCE {
        println!(
            "a change that is meant: cargo run --release -p enforcer --example gate-instructions accept"
        );
        println!("gate-instructions {largest:.1} target {TOLERANCE} short");
        return Ok(ExitCode::FAILURE);
    }
    println!("gate-instructions {largest:.1} target {TOLERANCE} ok");
    Ok(ExitCode::SUCCESS)
}
