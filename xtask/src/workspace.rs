//! The workspace as cargo tells it, and its files.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

/// Members of the workspace and where they are.
pub struct Workspace {
    pub root: PathBuf,
    pub target: PathBuf,
    pub members: Vec<Member>,
}

#[derive(Deserialize)]
pub struct Member {
    pub name: String,
    pub manifest_path: PathBuf,
    pub dependencies: Vec<Dependency>,
    pub targets: Vec<Target>,
}

#[derive(Deserialize)]
pub struct Dependency {
    pub name: String,
}

#[derive(Deserialize)]
pub struct Target {
    pub name: String,
    pub kind: Vec<String>,
    pub src_path: PathBuf,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Member>,
    workspace_root: PathBuf,
    target_directory: PathBuf,
}

impl Workspace {
    pub fn read() -> Result<Self> {
        let mut cargo = Command::new(cargo());
        cargo.args(["metadata", "--no-deps", "--format-version", "1"]);
        let output = cargo.output().context("cargo metadata")?;
        let failure = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "cargo metadata: {failure}");
        let metadata: Metadata =
            serde_json::from_slice(&output.stdout).context("cargo metadata")?;
        Ok(Self {
            root: metadata.workspace_root,
            target: metadata.target_directory,
            members: metadata.packages,
        })
    }

    /// Files of the tree, relative to its root: those that git tracks or would.
    pub fn files(&self) -> Result<Vec<PathBuf>> {
        let mut git = Command::new("git");
        git.arg("-C").arg(&self.root);
        git.args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ]);
        let output = git.output().context("git ls-files")?;
        ensure!(output.status.success(), "git ls-files fails");
        let names = String::from_utf8(output.stdout).context("a file name is not UTF-8")?;
        let mut files: Vec<PathBuf> = names
            .split_terminator('\0')
            .map(PathBuf::from)
            .filter(|file| self.root.join(file).is_file())
            .collect();
        files.sort();
        files.dedup();
        Ok(files)
    }

    pub fn text(&self, file: &Path) -> Result<String> {
        std::fs::read_to_string(self.root.join(file)).with_context(|| file.display().to_string())
    }
}

/// The cargo that runs this task.
pub fn cargo() -> String {
    std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned())
}
