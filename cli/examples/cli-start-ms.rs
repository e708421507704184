//! `cli-start-ms`: milliseconds from the start of `tollgate --version` to its end, over those of `true` in the same run.
//!
//! This program has all of `tollgate` in it, and starts itself as that. The two take turns; the value is the difference of
//! the medians, and has no target: what a machine takes to start a process is its own.
#![forbid(unsafe_code)]

use std::io;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

/// Starts of each.
const ROUNDS: usize = 200;
/// By this argument it is `tollgate`.
const AS_TOLLGATE: &str = "as-tollgate";

fn main() -> io::Result<ExitCode> {
    if std::env::args().nth(1).as_deref() == Some(AS_TOLLGATE) {
        return Ok(cli::run(["tollgate", "--version"].map(Into::into)));
    }
    let itself = std::env::current_exe()?;
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        ours.push(time(Command::new(&itself).arg(AS_TOLLGATE))?);
        bare.push(time(&mut Command::new("true"))?);
    }
    let (ours, bare) = (median(ours), median(bare));
    println!("tollgate --version {ours:?}, true {bare:?}");
    let over = ours.saturating_sub(bare).as_secs_f64() * 1_000.0;
    println!("cli-start-ms {over:.2} target reported ok");
    Ok(ExitCode::SUCCESS)
}

fn time(command: &mut Command) -> io::Result<Duration> {
    let begun = Instant::now();
    let status = command.stdout(Stdio::null()).status()?;
    let took = begun.elapsed();
    match status.success() {
        true => Ok(took),
        false => Err(io::Error::other(format!("{command:?}: {status}"))),
    }
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}
