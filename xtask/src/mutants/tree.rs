//! A copy of the workspace in which mutants live, with a target directory that is kept.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

use super::list::Mutant;
use super::report::Fate;
use crate::run;
use crate::workspace::{Workspace, cargo};

/// A mutant under which a test hangs is killed by this bound.
const TEST_MAX_S: u32 = 300;
const BUILD_MAX_S: u32 = 900;

pub struct Tree {
    root: PathBuf,
    target: PathBuf,
}

impl Tree {
    /// Brings the copy up to date; files that didn't change keep their time, so that cargo builds little.
    pub fn copy(workspace: &Workspace) -> Result<Self> {
        let tree = Self {
            root: workspace.target.join("mutants/tree"),
            target: workspace.target.join("mutants/target"),
        };
        let files = workspace.files()?;
        for stale in tree.stale(&files)? {
            fs::remove_file(&stale).with_context(|| stale.display().to_string())?;
        }
        for file in files {
            let text = fs::read(workspace.root.join(&file))?;
            tree.put(&file, &text)?;
        }
        Ok(tree)
    }

    /// Files of the copy that the workspace doesn't have any more.
    fn stale(&self, files: &[PathBuf]) -> Result<Vec<PathBuf>> {
        let mut stale = Vec::new();
        let mut folders = vec![self.root.clone()];
        while let Some(folder) = folders.pop() {
            if !run::exists(&folder) {
                continue;
            }
            for entry in fs::read_dir(&folder)? {
                let path = entry?.path();
                if path.is_dir() {
                    folders.push(path);
                } else if !files.iter().any(|file| self.root.join(file) == path) {
                    stale.push(path);
                }
            }
        }
        Ok(stale)
    }

    fn put(&self, file: &Path, text: &[u8]) -> Result<()> {
        let place = self.root.join(file);
        if fs::read(&place).is_ok_and(|held| held == text) {
            return Ok(());
        }
        if let Some(folder) = place.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(&place, text).with_context(|| place.display().to_string())
    }

    /// The tests pass while nothing is broken; else no mutant means anything.
    pub fn must_pass(&self, test: &[String]) -> Result<()> {
        self.must_build(test)?;
        let (passed, failures) = self.test(test)?;
        ensure!(
            passed,
            "cargo test {} fails as it is: {failures:?}",
            test.join(" ")
        );
        Ok(())
    }

    /// Breaks the copy, runs the tests, mends it again.
    pub fn fate(&self, mutant: &Mutant) -> Result<Fate> {
        let text = fs::read_to_string(self.root.join(&mutant.file))
            .with_context(|| mutant.file.display().to_string())?;
        let Some(broken) = mutant.applied(&text) else {
            bail!(
                "{}: its text doesn't stand once in {}",
                mutant.name,
                mutant.file.display()
            );
        };
        self.put(&mutant.file, broken.as_bytes())?;
        let fate = self.fate_as_it_is(mutant);
        self.put(&mutant.file, text.as_bytes())?;
        fate.with_context(|| mutant.name.clone())
    }

    fn fate_as_it_is(&self, mutant: &Mutant) -> Result<Fate> {
        self.must_build(&mutant.test)?;
        Ok(match self.test(&mutant.test)? {
            (true, _) => Fate::Survived,
            (false, failures) if failures.is_empty() => {
                Fate::Killed(vec!["a hang or abort".to_owned()])
            }
            (false, failures) => Fate::Killed(failures),
        })
    }

    /// A mutant that doesn't compile proves nothing, so this is an error.
    fn must_build(&self, test: &[String]) -> Result<()> {
        let mut build = self.cargo_test(BUILD_MAX_S, &["--no-run", "--quiet"], test);
        run::must("it doesn't compile", &mut build)
    }

    /// Did all pass? Else the names of those that failed.
    fn test(&self, test: &[String]) -> Result<(bool, Vec<String>)> {
        let mut failures = Vec::new();
        let mut command = self.cargo_test(TEST_MAX_S, &["--no-fail-fast"], test);
        command.stderr(Stdio::null());
        let passed = run::lines(&mut command, |line| {
            let line = line.strip_prefix("test ");
            let failed = line.and_then(|line| line.strip_suffix(" ... FAILED"));
            failures.extend(failed.map(|name| name.trim_end_matches(" - should panic").to_owned()));
        })?;
        failures.sort();
        Ok((passed, failures))
    }

    fn cargo_test(&self, limit_s: u32, flags: &[&str], test: &[String]) -> Command {
        let mut command = run::bounded(limit_s, cargo());
        command.current_dir(&self.root);
        command.env("CARGO_TARGET_DIR", &self.target);
        command.arg("test").args(flags).args(test);
        command
    }
}
