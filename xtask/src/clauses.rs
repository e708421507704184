//! Clauses of the security assurance specifications, those of series 33, and the tests that cite them: `//= TS 33.117 4.4.2` above a test.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use crate::tidy::{self, Breach, rust};
use crate::workspace::Workspace;

const LIST: &str = "docs/security.toml";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    clause: Vec<Clause>,
}

/// A clause, and what shows that it is met.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Clause {
    /// `TS 33.117 4.4.2`.
    id: String,
    /// What it wants, in our words.
    wants: String,
    /// Why no test shows it, or what none does.
    reason: Option<String>,
}

/// A test that cites a clause.
struct Citation {
    clause: String,
    file: String,
    line: usize,
    test: String,
}

fn clauses(workspace: &Workspace) -> Result<Vec<Clause>> {
    let text = workspace.text(Path::new(LIST))?;
    let list: List = toml::from_str(&text).context(LIST)?;
    let mut ids: Vec<&str> = list
        .clause
        .iter()
        .map(|clause| clause.id.as_str())
        .collect();
    ids.sort_unstable();
    let twice = ids.windows(2).find(|two| two[0] == two[1]);
    ensure!(twice.is_none(), "{LIST} has {twice:?}");
    Ok(list.clause)
}

fn citations(workspace: &Workspace) -> Result<Vec<Citation>> {
    let mut all = Vec::new();
    for file in workspace.files()? {
        if file.extension().is_some_and(|extension| extension == "rs") {
            let text = workspace.text(&file)?;
            let name = file.display().to_string();
            all.extend(cited(&text, tidy::is_test(&file), &name));
        }
    }
    Ok(all)
}

/// The citations of a source: only tests cite.
fn cited(text: &str, all_is_test: bool, file: &str) -> Vec<Citation> {
    let tests = rust::test_items(&rust::code(text));
    let mut at = 0;
    let mut found = Vec::new();
    for (number, line) in (1..).zip(text.split_inclusive('\n')) {
        let here = at;
        at += line.len();
        let clause = line.trim().strip_prefix("//= TS 33.");
        let in_test = all_is_test || tests.iter().any(|item| item.contains(&here));
        let (Some(clause), true) = (clause, in_test) else {
            continue;
        };
        let function = text[at..].lines().find_map(|line| {
            let line = line.trim().trim_start_matches("async ");
            line.strip_prefix("fn ")?.split('(').next()
        });
        found.push(Citation {
            clause: format!("TS 33.{clause}"),
            file: file.to_owned(),
            line: number,
            test: function.unwrap_or_default().to_owned(),
        });
    }
    found
}

/// Clauses that nothing speaks of, and citations of clauses that are not in the list.
pub fn breaches(workspace: &Workspace) -> Result<Vec<Breach>> {
    let (clauses, citations) = (clauses(workspace)?, citations(workspace)?);
    let known = |id: &str| clauses.iter().any(|clause| clause.id == id);
    let strays = citations.iter().filter(|citation| !known(&citation.clause));
    let strays = strays.map(|citation| {
        let why = format!("{} is not in {LIST}", citation.clause);
        Breach::at(&citation.file, citation.line, why)
    });
    let open = open(&clauses, &citations);
    let open = open.map(|clause| {
        let why = format!(
            "{} has neither a test that cites it nor a reason",
            clause.id
        );
        Breach::at(LIST, 1, why)
    });
    Ok(strays.chain(open).collect())
}

fn open<'a>(clauses: &'a [Clause], citations: &'a [Citation]) -> impl Iterator<Item = &'a Clause> {
    clauses.iter().filter(|clause| {
        let cited = citations.iter().any(|one| one.clause == clause.id);
        !cited && clause.reason.is_none()
    })
}

/// How many clauses have neither a test nor a reason, of how many.
pub fn open_of_all(workspace: &Workspace) -> Result<(usize, usize)> {
    let (clauses, citations) = (clauses(workspace)?, citations(workspace)?);
    Ok((open(&clauses, &citations).count(), clauses.len()))
}

/// The table of docs/security.md.
pub fn table(workspace: &Workspace) -> Result<String> {
    let citations = citations(workspace)?;
    let mut table = "| clause | what it wants | tests, in `cargo xtask test` | beside them |\n\
                     |---|---|---|---|\n"
        .to_owned();
    for clause in clauses(workspace)? {
        let tests = citations.iter().filter(|one| one.clause == clause.id);
        let tests: Vec<String> = tests
            .map(|one| format!("`{}` ({})", one.test, one.file))
            .collect();
        let reason = clause.reason.unwrap_or_default();
        let row = [clause.id, clause.wants, tests.join(", "), reason];
        table.push_str(&format!("| {} |\n", row.join(" | ")));
    }
    Ok(table)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_citation_is_of_the_test_below_it() {
        let text = "//= TS 33.117 1\nfn a() {}\n#[cfg(test)]\nmod tests {\n    //= TS 33.117 4.4.2\n    \
                    //= L2\n    #[test]\n    fn b() {}\n}\n";
        let found = cited(text, false, "x.rs");
        let found: Vec<_> = found
            .iter()
            .map(|one| (one.clause.as_str(), one.test.as_str(), one.line))
            .collect();
        assert_eq!(found, [("TS 33.117 4.4.2", "b", 5)]);
    }

    #[test]
    fn a_clause_without_test_and_reason_is_open() {
        let clause = |id: &str, reason: Option<&str>| Clause {
            id: id.to_owned(),
            wants: String::new(),
            reason: reason.map(str::to_owned),
        };
        let clauses = [
            clause("TS 1 1", None),
            clause("TS 1 2", Some("why")),
            clause("TS 1 3", None),
        ];
        let citations = [Citation {
            clause: "TS 1 3".to_owned(),
            file: String::new(),
            line: 1,
            test: String::new(),
        }];
        let ids: Vec<&str> = open(&clauses, &citations)
            .map(|one| one.id.as_str())
            .collect();
        assert_eq!(ids, ["TS 1 1"]);
    }
}
