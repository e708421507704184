//! Runs a command beside a PostgreSQL server of its own: `with-postgres COMMAND [ARGUMENT...]`. The command finds the
//! directory of the server's socket in `TOLLGATE_POSTGRES`, and the tests of the authority then keep their stores there.
#![forbid(unsafe_code)]

use std::process::{Command, ExitCode};

use anyhow::{Context, Result};
use tests::postgres::Postgres;

fn main() -> Result<ExitCode> {
    let mut words = std::env::args_os().skip(1);
    let program = words.next().context("usage: with-postgres COMMAND ...")?;
    let postgres = Postgres::start()?;
    let mut command = Command::new(program);
    command.args(words);
    command.env("TOLLGATE_POSTGRES", postgres.socket());
    let status = command.status()?;
    Ok(match status.success() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}
