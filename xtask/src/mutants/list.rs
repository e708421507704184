//! The lists of mutants, and what one is.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use crate::workspace::Workspace;

/// A `mutants.toml`.
pub struct List {
    /// Relative to the root of the workspace.
    pub path: PathBuf,
    pub mutants: Vec<Mutant>,
}

/// A place in the code, and what it is changed to.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mutant {
    pub name: String,
    /// Rules that it breaks: `L3`, or `L3 L10`; none of them, where it breaks a bound that no rule asks for.
    pub rule: String,
    /// Relative to the root of the workspace.
    pub file: PathBuf,
    /// Stands there exactly once.
    pub find: String,
    pub replace: String,
    /// Arguments of `cargo test` that must fail.
    pub test: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    mutant: Vec<Mutant>,
}

/// Every list of the tree, in order.
pub fn lists(workspace: &Workspace) -> Result<Vec<List>> {
    let files = workspace.files()?.into_iter();
    let files = files.filter(|file| file.file_name().is_some_and(|name| name == "mutants.toml"));
    let lists: Vec<List> = files
        .map(|path| {
            let text = workspace.text(&path)?;
            parse(&path, &text)
        })
        .collect::<Result<_>>()?;
    let mut names: Vec<&str> = lists
        .iter()
        .flat_map(|list| list.mutants.iter().map(|mutant| mutant.name.as_str()))
        .collect();
    names.sort_unstable();
    for pair in names.windows(2) {
        ensure!(pair[0] != pair[1], "two mutants have the name {}", pair[0]);
    }
    Ok(lists)
}

fn parse(path: &Path, text: &str) -> Result<List> {
    let raw: Raw = toml::from_str(text).with_context(|| path.display().to_string())?;
    Ok(List {
        path: path.to_owned(),
        mutants: raw.mutant,
    })
}

impl Mutant {
    pub fn rules(&self) -> impl Iterator<Item = &str> {
        self.rule.split([' ', ',']).filter(|rule| !rule.is_empty())
    }

    /// Tells one mutant from the same one before its text was edited.
    pub fn fingerprint(&self) -> String {
        let parts = [&self.find, &self.replace, &self.rule];
        let bytes = parts.into_iter().flat_map(|p| p.bytes().chain([0]));
        let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        format!("{hash:016x}")
    }

    /// The text with the change made; none: `find` doesn't stand there exactly once.
    pub fn applied(&self, text: &str) -> Option<String> {
        let once = text.matches(&self.find).count() == 1;
        (once && self.find != self.replace).then(|| text.replacen(&self.find, &self.replace, 1))
    }

    /// What is wrong with its place.
    pub fn misplaced(&self, text: &str) -> Option<String> {
        let file = self.file.display();
        match text.matches(&self.find).count() {
            1 => None,
            0 => Some(format!("{}: its text is not in {file}", self.name)),
            n => Some(format!(
                "{}: its text stands {n} times in {file}",
                self.name
            )),
        }
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;

    pub fn mutant(name: &str) -> Mutant {
        Mutant {
            name: name.to_owned(),
            rule: "L3 L10".to_owned(),
            file: "enforcer/src/a.rs".into(),
            find: "a < b".to_owned(),
            replace: "a <= b".to_owned(),
            test: vec!["--package".to_owned(), "enforcer".to_owned()],
        }
    }

    #[test]
    fn a_mutant_changes_one_place() {
        let mutant = mutant("m");
        assert_eq!(mutant.applied("if a < b {").as_deref(), Some("if a <= b {"));
        assert_eq!(mutant.applied("if a > b {"), None);
        assert_eq!(mutant.applied("a < b; a < b"), None);
        assert_eq!(mutant.misplaced("if a < b {"), None);
        assert!(mutant.misplaced("").is_some());
        assert!(mutant.misplaced("a < b; a < b").is_some());
        let rules: Vec<&str> = mutant.rules().collect();
        assert_eq!(rules, ["L3", "L10"]);
    }

    #[test]
    fn an_edited_mutant_has_another_fingerprint() {
        let (one, mut other) = (mutant("m"), mutant("m"));
        assert_eq!(one.fingerprint(), other.fingerprint());
        other.replace = "true".to_owned();
        assert_ne!(one.fingerprint(), other.fingerprint());
    }

    #[test]
    fn an_unknown_key_is_refused() {
        let text = "[[mutant]]\nname = \"m\"\nrule = \"L3\"\nfile = \"f\"\nfind = \"a\"\nreplace = \"b\"\ntest = []\n";
        assert_eq!(parse(Path::new("x"), text).unwrap().mutants.len(), 1);
        assert!(parse(Path::new("x"), &format!("{text}more = 1\n")).is_err());
    }
}
