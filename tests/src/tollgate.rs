//! The `tollgate` binary under test.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use anyhow::{Result, anyhow};

use crate::child::{Ended, Running, command};

/// A command of the CLI takes far less; the machine may be busy.
const LIMIT: Duration = Duration::from_secs(120);

/// The binary: that of `TOLLGATE_BIN`, else built now, once a process, beside the test that asks.
pub fn binary() -> Result<&'static Path> {
    static BINARY: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let binary = BINARY.get_or_init(|| match std::env::var_os("TOLLGATE_BIN") {
        Some(path) => Ok(PathBuf::from(path)),
        None => build(["--package", "cli", "--bin", "tollgate"], "tollgate"),
    });
    binary
        .as_deref()
        .map_err(|error| anyhow!("the binary under test: {error}"))
}

/// The example of a client of the admission API, built now, once a process.
pub fn mme_process() -> Result<&'static Path> {
    static EXAMPLE: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let what = ["--package", "admission-client", "--example", "mme_process"];
    let example = EXAMPLE.get_or_init(|| build(what, "examples/mme_process"));
    example
        .as_deref()
        .map_err(|error| anyhow!("the example mme_process: {error}"))
}

/// A command line of `tollgate`.
pub fn tollgate(arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Result<Command> {
    let mut tollgate = command(binary()?);
    tollgate.args(arguments);
    Ok(tollgate)
}

/// Runs a command line of `tollgate` to its end.
pub fn run(arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Result<Ended> {
    Running::start("tollgate", &mut tollgate(arguments)?)?.wait(LIMIT)
}

/// Builds it; the path of its binary.
fn build(what: [&str; 4], binary: &str) -> Result<PathBuf, String> {
    cargo_build(what, binary).map_err(|error| format!("{error:#}"))
}

fn cargo_build(what: [&str; 4], binary: &str) -> Result<PathBuf> {
    // target/PROFILE/deps/TEST
    let test = std::env::current_exe()?;
    let directory = test
        .ancestors()
        .nth(2)
        .ok_or_else(|| anyhow!("{test:?} is not in target/PROFILE/deps"))?;
    let profile = match directory.file_name().and_then(OsStr::to_str) {
        Some("debug") => "dev",
        Some(other) => other,
        None => return Err(anyhow!("{test:?} is not in target/PROFILE/deps")),
    };
    let target = directory
        .parent()
        .ok_or_else(|| anyhow!("{test:?} is not in target/PROFILE/deps"))?;
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut cargo = Command::new(cargo);
    // What cargo tells this test of its package would have it build again what asks for that (ring's build script).
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            cargo.env_remove(&name);
        }
    }
    let output = cargo
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["build", "--quiet"])
        .args(what)
        .args(["--profile", profile, "--target-dir"])
        .arg(target)
        .output()?;
    if !output.status.success() {
        return Err(anyhow!(
            "cargo build {}: {}",
            what.join(" "),
            String::from_utf8_lossy(&output.stderr)
        ));
    }
    Ok(directory.join(binary))
}
