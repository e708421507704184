//! `sessions-10m-gib`: GiB of a process with one worker, at most ever, that makes 10,000,000 sessions, answers kept apart: of
//! Gn and S11 the more, each in a process of its own.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use anyhow::Result;
use benches::figure::{Figure, Good};
use benches::filled;
use benches::worker::By;

const SESSIONS: u32 = 10_000_000;

fn main() -> ExitCode {
    match filled::here() {
        Ok(true) => return ExitCode::SUCCESS,
        Ok(false) => {}
        Err(error) => {
            eprintln!("{error:#}");
            return ExitCode::FAILURE;
        }
    }
    let value = measure().inspect_err(|error| eprintln!("{error:#}"));
    Figure {
        id: "sessions-10m-gib",
        value: value.ok(),
        target: 3.0,
        good: Good::AtMost,
    }
    .finish()
}

fn measure() -> Result<f64> {
    [By::Gn, By::S11].into_iter().try_fold(0.0_f64, |most, by| {
        let filled = filled::in_a_process(by, SESSIONS)?;
        Ok(most.max(filled.most_gib))
    })
}
