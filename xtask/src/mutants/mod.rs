//! `cargo xtask mutants`: break the code on purpose, one place at a time, and see which tests fail.
//!
//! `<crate>/mutants.toml` lists the mutants; the committed report beside it, `mutants.md`, says what became of each. A
//! mutant that no test notices means that a rule is not proved.

mod list;
mod report;
mod tree;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Result, bail, ensure};

pub use self::list::{List, lists};
pub use self::report::{Fate, Report};
use self::tree::Tree;
use crate::workspace::Workspace;
use crate::{run, test};

/// Every model under every mutant.
const GATE_MAX_S: u32 = 900;
const GATE_REPORT: &str = "enforcer/tests/gate_mutants.md";

/// Runs the mutants of these names, or all, and writes the reports.
pub fn run(workspace: &Workspace, names: &[&str]) -> Result<ExitCode> {
    let lists = lists(workspace)?;
    for name in names {
        let known = lists
            .iter()
            .flat_map(|list| &list.mutants)
            .any(|m| m.name == *name);
        ensure!(known, "there is no mutant {name}");
    }
    let tree = Tree::copy(workspace)?;
    let mut survivors = Vec::new();
    for list in &lists {
        let mut report = Report::read(workspace, list)?;
        let chosen = |name: &str| names.is_empty() || names.contains(&name);
        let mutants: Vec<_> = list.mutants.iter().filter(|m| chosen(&m.name)).collect();
        if mutants.is_empty() {
            continue;
        }
        let mut commands: Vec<&[String]> = mutants.iter().map(|m| m.test.as_slice()).collect();
        commands.sort();
        commands.dedup();
        for command in commands {
            tree.must_pass(command)?;
        }
        for mutant in mutants {
            let begin = Instant::now();
            let fate = tree.fate(mutant)?;
            println!(
                "{:8.1} s  {}: {fate}",
                begin.elapsed().as_secs_f64(),
                mutant.name
            );
            if fate == Fate::Survived {
                survivors.push(mutant.name.clone());
            }
            report.note(mutant, fate);
        }
        report.write(workspace, list)?;
    }
    if names.is_empty() {
        gate(workspace)?;
    }
    if survivors.is_empty() {
        Ok(ExitCode::SUCCESS)
    } else {
        bail!("no test notices {}", survivors.join(", "))
    }
}

/// The gate's mutants are switches that only loom compiles; its models run each and write their own report.
fn gate(workspace: &Workspace) -> Result<()> {
    let report = workspace.root.join(GATE_REPORT);
    let mut models = test::loom_command(workspace, GATE_MAX_S);
    models.args(["--", "--exact", "mutants::every_mutant_is_killed_or_argued"]);
    models.env("TOLLGATE_MUTANT_REPORT", &report);
    run::must("the gate's mutants", &mut models)
}

/// The gate's mutants for SPECIFICATION.md: of the models that kill one, that which is named for it in the report.
pub fn gate_table(workspace: &Workspace) -> Result<String> {
    let report = workspace.text(Path::new(GATE_REPORT))?;
    Ok(named_models(&report))
}

fn named_models(report: &str) -> String {
    let rows = report.lines().filter(|line| line.starts_with("| `"));
    let rows = rows.map(|row| match row.split("**").collect::<Vec<_>>().as_slice() {
        [before, model, ..] => format!("{before}`{model}` |\n"),
        _ => format!("{row}\n"),
    });
    let head = "| mutant | what it breaks | model that kills it |\n|---|---|---|\n";
    head.chars()
        .chain(rows.collect::<String>().chars())
        .collect()
}

/// Compares lists, sources and reports, without running anything.
pub fn check(workspace: &Workspace) -> Result<ExitCode> {
    holds(workspace)?;
    println!("mutants: ok");
    Ok(ExitCode::SUCCESS)
}

/// Each text to be found stands once in its file, and the report tells a killed mutant of that very text, and no other.
pub fn holds(workspace: &Workspace) -> Result<()> {
    let mut wrong = Vec::new();
    for list in lists(workspace)? {
        let report = Report::read(workspace, &list)?;
        for mutant in &list.mutants {
            let text = workspace.text(&mutant.file)?;
            wrong.extend(mutant.misplaced(&text));
            wrong.extend(report.lacks(mutant));
        }
        wrong.extend(report.strays(&list));
    }
    if wrong.is_empty() {
        return Ok(());
    }
    for line in &wrong {
        println!("{line}");
    }
    bail!(
        "{} mutants are not as reported; run cargo xtask mutants",
        wrong.len()
    )
}

/// Mutants that the reports say are killed, each beside every rule that it breaks.
pub fn killed(workspace: &Workspace) -> Result<Vec<(String, String)>> {
    let mut killed = Vec::new();
    for list in lists(workspace)? {
        let report = Report::read(workspace, &list)?;
        for mutant in list.mutants.iter().filter(|m| report.is_killed(m)) {
            let rules = mutant.rules().map(str::to_owned);
            killed.extend(rules.map(|rule| (rule, mutant.name.clone())));
        }
    }
    Ok(killed)
}

/// Where the report of a list stands.
fn report_path(list: &List) -> PathBuf {
    list.path.with_extension("md")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gate_mutant_is_told_with_the_model_named_for_it() {
        let report = "# Title\n\n| mutant | what | killed by |\n|---|---|---|\n\
                      | `a` | breaks a | **one**, two |\n| `b` | breaks b | equivalent: c |\n";
        let told = named_models(report);
        let rows: Vec<&str> = told.lines().skip(2).collect();
        assert_eq!(
            rows,
            [
                "| `a` | breaks a | `one` |",
                "| `b` | breaks b | equivalent: c |"
            ]
        );
    }
}
