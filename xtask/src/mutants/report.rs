//! The committed report: what became of each mutant, and of which text of it.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;

use anyhow::Result;

use super::list::{List, Mutant};
use super::report_path;
use crate::run;
use crate::workspace::Workspace;

/// What became of a mutant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// By these tests, or by the bound of time.
    Killed(Vec<String>),
    /// All tests passed.
    Survived,
}

impl fmt::Display for Fate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Killed(tests) => {
                let named = &tests[..tests.len().min(NAMED_MAX)];
                write!(f, "killed by {}", named.join(", "))?;
                match tests.len() - named.len() {
                    0 => Ok(()),
                    more => write!(f, " and {more} more"),
                }
            }
            Self::Survived => f.write_str("survived"),
        }
    }
}

/// One row a mutant, by its name.
#[derive(Debug, Default)]
pub struct Report(BTreeMap<String, Row>);

#[derive(Debug, PartialEq, Eq)]
struct Row {
    rule: String,
    fingerprint: String,
    fate: String,
}

/// Most tests that a row names.
const NAMED_MAX: usize = 3;

const TITLE: &str = "\
# Mutants

Each row is a change that breaks the code on purpose, and the tests that failed under it. The changes are in
`mutants.toml` beside this page, which `cargo xtask mutants` writes.

| mutant | rule | text | fate |
|---|---|---|---|
";

impl Report {
    pub fn read(workspace: &Workspace, list: &List) -> Result<Self> {
        let path = report_path(list);
        if !run::exists(&workspace.root.join(&path)) {
            return Ok(Self::default());
        }
        Ok(Self::parse(&workspace.text(&path)?))
    }

    fn parse(text: &str) -> Self {
        let rows = text.lines().filter_map(|line| {
            let cells = line.strip_prefix("| `")?.strip_suffix(" |")?;
            let mut cells = cells.split(" | ");
            let name = cells.next()?.trim_end_matches('`').to_owned();
            let row = Row {
                rule: cells.next()?.to_owned(),
                fingerprint: cells.next()?.trim_matches('`').to_owned(),
                fate: cells.next()?.to_owned(),
            };
            Some((name, row))
        });
        Self(rows.collect())
    }

    pub fn note(&mut self, mutant: &Mutant, fate: Fate) {
        let row = Row {
            rule: mutant.rule.clone(),
            fingerprint: mutant.fingerprint(),
            fate: fate.to_string(),
        };
        self.0.insert(mutant.name.clone(), row);
    }

    /// Writes the rows of the list's mutants, in its order.
    pub fn write(&self, workspace: &Workspace, list: &List) -> Result<()> {
        fs::write(workspace.root.join(report_path(list)), self.text(list))?;
        Ok(())
    }

    fn text(&self, list: &List) -> String {
        let rows = list.mutants.iter().filter_map(|mutant| {
            let name = &mutant.name;
            let Row {
                rule,
                fingerprint,
                fate,
            } = self.0.get(name)?;
            Some(format!(
                "| `{name}` | {rule} | `{fingerprint}` | {fate} |\n"
            ))
        });
        TITLE
            .chars()
            .chain(rows.collect::<String>().chars())
            .collect()
    }

    pub fn is_killed(&self, mutant: &Mutant) -> bool {
        self.lacks(mutant).is_none()
    }

    /// What the report lacks of a mutant.
    pub fn lacks(&self, mutant: &Mutant) -> Option<String> {
        let name = &mutant.name;
        match self.0.get(name) {
            None => Some(format!("{name}: not in the report")),
            Some(row) if row.fingerprint != mutant.fingerprint() => {
                Some(format!("{name}: its text is not the one reported"))
            }
            Some(row) if !row.fate.starts_with("killed by ") => {
                Some(format!("{name}: {}", row.fate))
            }
            Some(_) => None,
        }
    }

    /// Rows without a mutant.
    pub fn strays(&self, list: &List) -> Vec<String> {
        let listed = |name: &str| list.mutants.iter().any(|mutant| mutant.name == name);
        let strays = self.0.keys().filter(|name| !listed(name));
        strays
            .map(|name| format!("{name}: reported, but not in the list"))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::list::tests::mutant;
    use super::*;

    fn list() -> List {
        List {
            path: "enforcer/mutants.toml".into(),
            mutants: vec![mutant("b"), mutant("a")],
        }
    }

    #[test]
    fn a_report_reads_back_as_written() {
        let list = list();
        let mut report = Report::default();
        report.note(
            &list.mutants[0],
            Fate::Killed(vec!["x::y".into(), "z".into()]),
        );
        report.note(&list.mutants[1], Fate::Survived);
        let text = report.text(&list);
        assert!(text.ends_with(&format!(
            "| `b` | L3 L10 | `{}` | killed by x::y, z |\n| `a` | L3 L10 | `{}` | survived |\n",
            list.mutants[0].fingerprint(),
            list.mutants[1].fingerprint()
        )));
        let again = Report::parse(&text);
        assert!(again.is_killed(&list.mutants[0]));
        assert_eq!(
            again.lacks(&list.mutants[1]).as_deref(),
            Some("a: survived")
        );
        assert_eq!(again.text(&list), text);
    }

    #[test]
    fn a_fate_names_three_tests_at_most() {
        let tests = |n: u8| Fate::Killed((0..n).map(|n| n.to_string()).collect());
        assert_eq!(tests(3).to_string(), "killed by 0, 1, 2");
        assert_eq!(tests(5).to_string(), "killed by 0, 1, 2 and 2 more");
    }

    #[test]
    fn what_the_report_lacks_is_found() {
        let mut list = list();
        let mut report = Report::default();
        report.note(&list.mutants[0], Fate::Killed(vec!["x".into()]));
        assert_eq!(
            report.lacks(&list.mutants[1]).as_deref(),
            Some("a: not in the report")
        );
        list.mutants[0].find = "other".to_owned();
        let lacks = report.lacks(&list.mutants[0]);
        assert_eq!(
            lacks.as_deref(),
            Some("b: its text is not the one reported")
        );
        list.mutants.remove(0);
        assert_eq!(report.strays(&list), ["b: reported, but not in the list"]);
    }
}
