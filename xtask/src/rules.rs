//! The rules in force, the tests that cite them, and the mutants that these tests kill.

use std::collections::BTreeSet;

use anyhow::Result;

use crate::tidy::rust;
use crate::workspace::Workspace;
use crate::{mutants, tidy};

/// Rules in force, L1 to L18.
const IN_FORCE: std::ops::RangeInclusive<u8> = 1..=18;

/// What proves one rule.
pub struct Rule {
    /// `L7`.
    pub name: String,
    /// Crates with tests that cite it, in the order of their names.
    pub cited_in: BTreeSet<String>,
    /// Names of the mutants that break it and that the reports say are killed.
    pub killed: Vec<String>,
}

/// All of them, in order.
pub fn all(workspace: &Workspace) -> Result<Vec<Rule>> {
    let mut cited = Vec::new();
    for file in workspace.files()? {
        if file.extension().is_some_and(|extension| extension == "rs") {
            let text = workspace.text(&file)?;
            let home = file.iter().next().unwrap_or_default().to_string_lossy();
            let rules = citations(&text, tidy::is_test(&file));
            cited.extend(rules.map(|rule| (rule.to_owned(), home.to_string())));
        }
    }
    let killed = mutants::killed(workspace)?;
    let rules = IN_FORCE.map(|n| format!("L{n}")).map(|name| Rule {
        cited_in: of(&cited, &name).collect(),
        killed: of(&killed, &name).collect(),
        name,
    });
    Ok(rules.collect())
}

/// What stands beside this rule.
fn of(pairs: &[(String, String)], rule: &str) -> impl Iterator<Item = String> {
    let beside = pairs.iter().filter(move |(name, _)| name == rule);
    beside.map(|(_, other)| other.clone())
}

/// The table of SPECIFICATION.md.
pub fn table(workspace: &Workspace) -> Result<String> {
    let mut table =
        "| rule | tests that cite it are in | mutants that tests kill |\n|---|---|---|\n"
            .to_owned();
    for rule in all(workspace)? {
        let names: Vec<String> = rule.killed.iter().map(|name| format!("`{name}`")).collect();
        let homes: Vec<String> = rule.cited_in.into_iter().collect();
        let row = [rule.name, homes.join(", "), names.join(", ")];
        table.push_str(&format!("| {} |\n", row.join(" | ")));
    }
    Ok(table)
}

/// Rules that tests of this source cite, each on a line of its own: `//= L7`.
fn citations(text: &str, all_is_test: bool) -> impl Iterator<Item = &str> {
    let tests = rust::test_items(&rust::code(text));
    let mut at = 0;
    text.split_inclusive('\n').filter_map(move |line| {
        let here = at;
        at += line.len();
        let in_test = all_is_test || tests.iter().any(|item| item.contains(&here));
        line.trim().strip_prefix("//= ").filter(|_| in_test)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_tests_cite() {
        let text = "//= L1\nfn a() {}\n#[cfg(test)]\nmod tests {\n    //= L2\n    //  L3\n    fn b() {}\n}\n//= L4\n";
        assert_eq!(citations(text, false).collect::<Vec<_>>(), ["L2"]);
        assert_eq!(
            citations(text, true).collect::<Vec<_>>(),
            ["L1", "L2", "L4"]
        );
    }
}
