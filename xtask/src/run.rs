//! Other programs, run within a bound of time.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// A program that gets no input and is killed after `limit_s` seconds.
pub fn bounded(limit_s: u32, program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new("timeout");
    command.args(["--kill-after=10", &limit_s.to_string()]);
    command.arg(program);
    as_from_a_shell(&mut command);
    command
}

/// Without input, and without what cargo tells this program of its own package: another cargo would build again what asks
/// for that (ring's build script), and all that depends on it.
pub fn as_from_a_shell(command: &mut Command) {
    command.stdin(Stdio::null());
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
}

/// Runs it, its output going where ours goes; an exit code other than 0 is an error that names `what`.
pub fn must(what: &str, command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| what.to_owned())?;
    match status.code() {
        Some(0) => Ok(()),
        Some(124 | 137) => bail!("{what}: took too long"),
        _ => bail!("{what}: {status}"),
    }
}

/// Runs it and gives each line of its standard output to `line`; true: it exited with 0.
pub fn lines(command: &mut Command, mut line: impl FnMut(&str)) -> Result<bool> {
    let mut child = command.stdout(Stdio::piped()).spawn()?;
    let output = child.stdout.take().context("no pipe")?;
    for text in BufReader::new(output).split(b'\n') {
        line(&String::from_utf8_lossy(&text?));
    }
    Ok(child.wait()?.success())
}

/// What it prints, if it exits with 0.
pub fn output(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).output().ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Is there such a file?
pub fn exists(path: &Path) -> bool {
    path.try_exists().unwrap_or(false)
}
