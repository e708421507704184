//! `cargo xtask test`: everything that must hold, step by step; its last line counts the tests.

mod peers;
mod tally;

use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};

use self::tally::Tally;
use crate::run;
use crate::workspace::{Workspace, cargo};
use crate::{mutants, tidy};

struct Step {
    name: &'static str,
    what: &'static str,
    run: fn(&Workspace, &mut Tally) -> Result<()>,
}

/// Which steps to run.
#[derive(Clone, Copy, Debug)]
pub enum Which<'a> {
    /// All but those with [`PEERS`].
    Ordinary,
    /// All of them.
    All,
    /// The one of this name.
    One(&'a str),
}

/// The steps that each need a peer more than the others.
const PEERS: [&str; 2] = ["postgres", "unicon"];

/// The authority's tests that touch its store: the crate, Smart Agents on a wire that fails, nodes that it licenses, faults
/// between it and them, its secrets, its API by its document, and a server that is killed.
const ON_POSTGRES: [&str; 17] = [
    "--package",
    "authority",
    "--package",
    "tests",
    "--features",
    "tests/postgres",
    "--lib",
    "--test",
    "server",
    "--test",
    "agents_and_authority",
    "--test",
    "openapi",
    "--test=faults",
    "--test=licensed",
    "--test=secrets",
    "--test=authority_on_postgres",
];

/// Cheap ones first; each says by itself what is wrong.
const STEPS: [Step; 11] = [
    Step {
        name: "fmt",
        what: "the sources are formatted",
        run: fmt,
    },
    Step {
        name: "tidy",
        what: "the house rules hold",
        run: |workspace, _| tidy::holds(workspace),
    },
    Step {
        name: "mutants",
        what: "the report of the mutants is that of this code",
        run: |workspace, _| mutants::holds(workspace),
    },
    Step {
        name: "peers",
        what: "the programs that tests talk to are installed",
        run: |workspace, _| peers::install(workspace),
    },
    Step {
        name: "clippy",
        what: "no lint",
        run: clippy,
    },
    Step {
        name: "build",
        what: "the tests, and the binary that they start",
        run: build,
    },
    Step {
        name: "test",
        what: "unit, property, scenario and interop tests",
        run: test,
    },
    Step {
        name: "loom",
        what: "the gate under every interleaving",
        run: loom,
    },
    Step {
        name: "instructions",
        what: "the gate costs as many instructions as were accepted",
        run: instructions,
    },
    Step {
        name: "postgres",
        what: "the authority's tests once more, with its store on PostgreSQL",
        run: postgres,
    },
    Step {
        name: "unicon",
        what: "Cisco's unicon before the shell",
        run: unicon,
    },
];

/// Runs all steps or one; those after a failed one run too, so that one run tells everything.
pub fn run(workspace: &Workspace, which: Which<'_>) -> Result<ExitCode> {
    if let Which::One(only) = which
        && !STEPS.iter().any(|step| step.name == only)
    {
        let names: Vec<&str> = STEPS.iter().map(|step| step.name).collect();
        bail!("no step {only:?}; there are {}", names.join(", "));
    }
    let start = Instant::now();
    let mut tally = Tally::default();
    let mut reports = Vec::new();
    let wanted = |step: &&Step| match which {
        Which::Ordinary => !PEERS.contains(&step.name),
        Which::All => true,
        Which::One(only) => step.name == only,
    };
    for step in STEPS.iter().filter(wanted) {
        println!("==> {}: {}", step.name, step.what);
        let begin = Instant::now();
        let report = match (step.run)(workspace, &mut tally) {
            Ok(()) => format!("ok      {:8} {}", step.name, seconds(begin.elapsed())),
            Err(error) => {
                tally.step_failed();
                println!("error: {}: {error:#}", step.name);
                format!(
                    "FAILED  {:8} {} {error:#}",
                    step.name,
                    seconds(begin.elapsed())
                )
            }
        };
        println!("<== {report}");
        reports.push(report);
    }
    println!("\nin {}:", seconds(start.elapsed()));
    for report in reports {
        println!("  {report}");
    }
    println!("{tally}");
    Ok(if tally.is_green() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn seconds(duration: Duration) -> String {
    format!("{:6.1} s", duration.as_secs_f64())
}

/// Cargo in the workspace, bounded.
fn bounded_cargo(workspace: &Workspace, limit_s: u32) -> Command {
    let mut command = run::bounded(limit_s, cargo());
    command.current_dir(&workspace.root);
    command
}

fn fmt(workspace: &Workspace, _: &mut Tally) -> Result<()> {
    let mut fmt = bounded_cargo(workspace, 120);
    run::must(
        "cargo fmt --all --check",
        fmt.args(["fmt", "--all", "--check"]),
    )
}

fn clippy(workspace: &Workspace, _: &mut Tally) -> Result<()> {
    let mut clippy = bounded_cargo(workspace, 900);
    clippy.args(["clippy", "--workspace", "--all-targets", "--quiet"]);
    run::must("cargo clippy", clippy.args(["--", "-D", "warnings"]))?;
    let mut bare = bounded_cargo(workspace, 600);
    bare.args(["clippy", "--package", "cli", "--no-default-features"]);
    let bare = bare.args(["--quiet", "--", "-D", "warnings"]);
    run::must("cargo clippy --no-default-features", bare)
}

/// All test programs, and with them the binary, since `cli` has tests of it.
fn build(workspace: &Workspace, _: &mut Tally) -> Result<()> {
    let mut build = bounded_cargo(workspace, 900);
    build.args(["test", "--workspace", "--no-run", "--quiet"]);
    run::must("cargo test --no-run", &mut build)?;
    let binary = binary(workspace);
    ensure!(run::exists(&binary), "{} was not built", binary.display());
    Ok(())
}

fn binary(workspace: &Workspace) -> PathBuf {
    workspace.target.join("debug/tollgate")
}

fn test(workspace: &Workspace, tally: &mut Tally) -> Result<()> {
    let mut test = bounded_cargo(workspace, 2400);
    test.args(["test", "--workspace", "--no-fail-fast"]);
    tell(workspace, &mut test);
    stream("cargo test", &mut test, tally)
}

/// Tells tests where what they start is.
fn tell(workspace: &Workspace, test: &mut Command) {
    test.env("TOLLGATE_BIN", binary(workspace));
    test.env("TOLLGATE_VENV", peers::venv(workspace));
}

/// A server of its own, and each of the tests beside it.
fn postgres(workspace: &Workspace, tally: &mut Tally) -> Result<()> {
    peers::install(workspace)?;
    peers::install_postgres()?;
    let mut clippy = bounded_cargo(workspace, 900);
    clippy.args(["clippy", "--workspace", "--features", "tests/postgres"]);
    clippy.args(["--all-targets", "--quiet", "--", "-D", "warnings"]);
    run::must("cargo clippy", &mut clippy)?;
    build(workspace, tally)?;
    let mut test = bounded_cargo(workspace, 2400);
    test.args(["run", "--quiet", "--package", "tests"]);
    test.args(["--example", "with-postgres", "--"]);
    test.arg(cargo()).args(["test", "--no-fail-fast"]);
    tell(workspace, test.args(ON_POSTGRES));
    stream("cargo test on PostgreSQL", &mut test, tally)
}

/// Cisco's plugin for StarOS, in an environment of its own.
fn unicon(workspace: &Workspace, tally: &mut Tally) -> Result<()> {
    peers::install(workspace)?;
    let venv = workspace.target.join("unicon");
    peers::install_unicon(&venv)?;
    let mut clippy = bounded_cargo(workspace, 900);
    clippy.args(["clippy", "--package", "tests", "--features", "unicon"]);
    clippy.args(["--test", "unicon", "--quiet", "--", "-D", "warnings"]);
    run::must("cargo clippy", &mut clippy)?;
    build(workspace, tally)?;
    let mut test = bounded_cargo(workspace, 1200);
    test.args(["test", "--package", "tests", "--features", "unicon"]);
    test.args(["--test", "unicon"]);
    test.env("TOLLGATE_UNICON_VENV", venv);
    tell(workspace, &mut test);
    stream("cargo test with unicon", &mut test, tally)
}

fn loom(workspace: &Workspace, tally: &mut Tally) -> Result<()> {
    stream("loom", &mut loom_command(workspace, 900), tally)
}

/// Counted by callgrind, so that no load of the machine is in it.
fn instructions(workspace: &Workspace, _: &mut Tally) -> Result<()> {
    let mut count = bounded_cargo(workspace, 600);
    count.args(["run", "--release", "--quiet", "--package", "enforcer"]);
    run::must(
        "gate-instructions",
        count.args(["--example", "gate-instructions"]),
    )
}

/// The gate's models. Loom compiles the gate in another way, so it has a target directory of its own.
pub fn loom_command(workspace: &Workspace, limit_s: u32) -> Command {
    let mut loom = bounded_cargo(workspace, limit_s);
    loom.args(["test", "--release", "--package", "enforcer"]);
    loom.args(["--test", "loom_gate"]);
    loom.env("RUSTFLAGS", "--cfg loom");
    loom.env("CARGO_TARGET_DIR", workspace.target.join("loom"));
    loom
}

/// Shows what cargo test prints, and counts its tests.
fn stream(what: &str, command: &mut Command, tally: &mut Tally) -> Result<()> {
    let before = tally.passed();
    let green = run::lines(command, |line| {
        println!("{line}");
        tally.read(line);
    })?;
    if !green {
        bail!("{what} fails");
    }
    if tally.passed() == before {
        bail!("{what} ran no test");
    }
    Ok(())
}
