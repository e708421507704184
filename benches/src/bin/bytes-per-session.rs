//! `bytes-per-session`: octets that each of 1,000,000 sessions of one worker adds to what is resident, with its indexes and
//! its address, answers kept apart: of Gn, S5/S8 and S11 the most, each in a process of its own.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use anyhow::Result;
use benches::figure::{Figure, Good};
use benches::filled;
use benches::worker::By;

const SESSIONS: u32 = 1_000_000;

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
        id: "bytes-per-session",
        value: value.ok(),
        target: 256.0,
        good: Good::AtMost,
    }
    .finish()
}

fn measure() -> Result<f64> {
    By::ALL.into_iter().try_fold(0.0_f64, |most, by| {
        let filled = filled::in_a_process(by, SESSIONS)?;
        Ok(most.max(filled.bytes_per_session))
    })
}
