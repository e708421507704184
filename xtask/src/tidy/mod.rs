//! `cargo xtask tidy`: house rules that a compiler doesn't check.

mod arrows;
mod documents;
pub mod excerpts;
pub mod rust;
mod sources;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Result, bail};

pub use self::sources::is_test;
use crate::clauses;
use crate::soak;
use crate::supply;
use crate::workspace::Workspace;

/// One breach of a rule.
#[derive(Debug, PartialEq, Eq)]
pub struct Breach {
    pub file: PathBuf,
    /// From 1; none: the file as a whole.
    pub line: Option<usize>,
    pub why: String,
}

impl Breach {
    fn of(file: impl AsRef<Path>, why: impl Into<String>) -> Self {
        Self {
            file: file.as_ref().to_owned(),
            line: None,
            why: why.into(),
        }
    }

    pub fn at(file: impl AsRef<Path>, line: usize, why: impl Into<String>) -> Self {
        Self {
            line: Some(line),
            ..Self::of(file, why)
        }
    }
}

/// Prints every breach; green without one.
pub fn run(workspace: &Workspace) -> Result<ExitCode> {
    holds(workspace)?;
    println!("tidy: ok");
    Ok(ExitCode::SUCCESS)
}

/// Prints every breach; an error if there is one.
pub fn holds(workspace: &Workspace) -> Result<()> {
    let mut breaches = arrows::breaches(workspace)?;
    breaches.extend(sources::breaches(workspace)?);
    breaches.extend(documents::breaches(workspace)?);
    breaches.extend(clauses::breaches(workspace)?);
    breaches.extend(supply::breaches(workspace)?);
    breaches.extend(soak::breaches(workspace)?);
    breaches.extend(excerpts::stale(workspace)?);
    for Breach { file, line, why } in &breaches {
        match line {
            Some(line) => println!("{}:{line}: {why}", file.display()),
            None => println!("{}: {why}", file.display()),
        }
    }
    match breaches.len() {
        0 => Ok(()),
        n => bail!("{n} breaches of the house rules"),
    }
}
