//! Development tasks: test, tidy, mutants, figure, bench, soak.
#![forbid(unsafe_code)]

mod bench;
mod clauses;
mod figure;
mod mutants;
mod reproducible;
mod rules;
mod run;
mod soak;
mod supply;
mod test;
mod tidy;
mod workspace;

use std::process::ExitCode;

use anyhow::{Result, bail};

use crate::workspace::Workspace;

const USAGE: &str = "\
usage: cargo xtask TASK

  test [--only STEP]   everything that must hold; the last line counts the tests
  test --peers         all of it, the authority's tests once more on a PostgreSQL server, and Cisco's unicon
  sbom                 write what the product is made of, as CycloneDX, to target/sbom.cdx.json
  reproducible         build twice, in two directories, and compare
  tidy                 the house rules: arrows between crates, no IO in machines, ...
  documents            bring excerpts and tables in documents up to date with their sources
  mutants [--check] [NAME ...]
                       break the code on purpose and see tests fail; --check only compares with the report
  figure [ID]          measure one of the promises of SPECIFICATION.md; alone: list them
  bench [--only NAME] [--force] [--out DIR]
                       measure speed and memory, and write docs/performance.md and its pictures; a report of a calmer
                       machine stays without --force
  soak PART [--minutes N]
                       long runs, which add up in docs/soak.md: sim, kill, crash, load, fuzz [TARGET], all";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match task(&arguments) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn task(arguments: &[String]) -> Result<ExitCode> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let workspace = Workspace::read()?;
    match words.as_slice() {
        ["test"] => test::run(&workspace, test::Which::Ordinary),
        ["test", "--peers"] => test::run(&workspace, test::Which::All),
        ["test", "--only", step] => test::run(&workspace, test::Which::One(step)),
        ["sbom"] => supply::sbom(&workspace),
        ["reproducible"] => reproducible::run(&workspace),
        ["tidy"] => tidy::run(&workspace),
        ["documents"] => tidy::excerpts::write(&workspace).map(|()| ExitCode::SUCCESS),
        ["mutants", "--check"] => mutants::check(&workspace),
        ["mutants", names @ ..] => mutants::run(&workspace, names),
        ["figure"] => Ok(figure::list()),
        ["soak", words @ ..] => soak::run(&workspace, words),
        ["bench", words @ ..] => bench::run(&workspace, words),
        ["figure", id] => figure::measure(&workspace, id),
        _ => bail!("{USAGE}"),
    }
}
