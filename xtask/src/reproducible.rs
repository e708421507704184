//! `cargo xtask reproducible`: the commit built twice, in two directories, and whether both binaries are the same octets.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, ensure};

use crate::run;
use crate::soak;
use crate::workspace::{Workspace, cargo};

const BUILD_MAX_S: u32 = 3_600;
const BINARY: &str = "release/tollgate";
/// Of different lengths, so that a path that gets into the binary moves what follows.
const NAMES: [&str; 2] = ["one", "another-that-is-longer"];

pub fn run(workspace: &Workspace) -> Result<ExitCode> {
    let dir = workspace.target.join("reproducible");
    let mut sums = Vec::new();
    for name in NAMES {
        let checkout = dir.join(name);
        check_out(workspace, &checkout)?;
        println!("building in {}", checkout.display());
        let binary = build(&checkout)?;
        let sum = sum(&binary)?;
        println!("{sum}  {}", binary.display());
        sums.push(sum);
    }
    let same = sums[0] == sums[1];
    println!("build-reproducible {}", u8::from(same));
    soak::keep_builds(workspace, NAMES.len() as u64, u64::from(!same))?;
    fs::remove_dir_all(&dir).with_context(|| dir.display().to_string())?;
    Ok(match same {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

/// The commit, without what is changed or left from other builds.
fn check_out(workspace: &Workspace, to: &Path) -> Result<()> {
    match fs::remove_dir_all(to) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(error).with_context(|| to.display().to_string());
        }
        Ok(()) | Err(_) => {}
    }
    fs::create_dir_all(to)?;
    let mut clone = run::bounded(300, "git");
    clone.args(["clone", "--quiet", "--no-hardlinks"]);
    run::must("git clone", clone.arg(&workspace.root).arg(to))
}

/// The paths of both directories and of cargo's own are named the same in what is built.
fn build(checkout: &Path) -> Result<PathBuf> {
    let cargo_home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let cargo_home =
        cargo_home.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cargo")));
    let cargo_home = cargo_home.context("neither CARGO_HOME nor HOME")?;
    let flags = format!(
        "--remap-path-prefix={}=/tollgate --remap-path-prefix={}=/cargo",
        checkout.display(),
        cargo_home.display()
    );
    let target = checkout.join("target");
    let mut build = run::bounded(BUILD_MAX_S, cargo());
    build.args([
        "build",
        "--release",
        "--locked",
        "--quiet",
        "--package",
        "cli",
    ]);
    build.current_dir(checkout);
    build.env("CARGO_TARGET_DIR", &target);
    build.env("RUSTFLAGS", flags).env("SOURCE_DATE_EPOCH", "0");
    // C sources of dependencies have paths in what they assert.
    let c_flags = format!(
        "-ffile-prefix-map={}=/tollgate -ffile-prefix-map={}=/cargo",
        checkout.display(),
        cargo_home.display()
    );
    build.env("CFLAGS", c_flags);
    run::must("cargo build", &mut build)?;
    Ok(target.join(BINARY))
}

fn sum(file: &Path) -> Result<String> {
    let mut sum = Command::new("sha256sum");
    let said = run::output(sum.arg(file)).context("sha256sum (package coreutils)")?;
    let sum = said.split(' ').next().unwrap_or_default().to_owned();
    ensure!(sum.len() == 64, "sha256sum says {said:?}");
    Ok(sum)
}
