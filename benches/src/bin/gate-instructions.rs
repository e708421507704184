//! `gate-instructions`: instructions of one admit and release, loop included, as callgrind counts them: the difference of
//! two run lengths, so that nothing of the set-up is in it.
#![forbid(unsafe_code)]

use std::env;
use std::error::Error;
use std::process::{Command, ExitCode};

use benches::figure::{Figure, Good};
use benches::subject::{Subject, admit_release};

const SHORT: u64 = 20_000;
const LONG: u64 = 120_000;

fn main() -> ExitCode {
    if let Some(pairs) = env::args().nth(1).and_then(|text| text.parse().ok()) {
        let subject = Subject::new(2);
        admit_release(&mut subject.worker(), subject.class, pairs);
        return ExitCode::SUCCESS;
    }
    let value = per_pair().inspect_err(|error| println!("callgrind could not count: {error}"));
    Figure {
        id: "gate-instructions",
        value: value.ok(),
        target: 30.0,
        good: Good::AtMost,
    }
    .finish()
}

fn per_pair() -> Result<f64, Box<dyn Error>> {
    let (short, long) = (instructions(SHORT)?, instructions(LONG)?);
    println!("{short} instructions with {SHORT} pairs, {long} with {LONG}");
    Ok((long - short) as f64 / (LONG - SHORT) as f64)
}

/// Runs this binary under callgrind for so many pairs.
fn instructions(pairs: u64) -> Result<i64, Box<dyn Error>> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(env::current_exe()?)
        .arg(pairs.to_string())
        .output()
        .map_err(|error| format!("valgrind (package valgrind): {error}"))?;
    let text = String::from_utf8_lossy(&output.stderr);
    let line = text.lines().find(|line| line.contains("Collected"));
    let number = line.and_then(|line| line.rsplit(' ').next());
    Ok(number
        .ok_or_else(|| format!("no count in: {text}"))?
        .parse()?)
}
