//! Excerpts of files that documents quote: a comment names the source, and the block of code after it holds its text.
//!
//! ```text
//! <!-- from node/examples/gateway.toml -->
//! <!-- from cli/tests/golden/evaluation.txt: $ tollgate show license eval-period -->
//! ```
//!
//! With a command, the text is what stands between that line and the next one that begins with `$ `. The comments
//! `<!-- rules -->`, `<!-- gate mutants -->` and `<!-- clauses -->` stand above the tables of the rules and what proves them,
//! of the gate's mutants, and of the clauses of security specifications.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::Breach;
use crate::workspace::{Workspace, cargo};
use crate::{clauses, mutants, rules, run};

const MARK: &str = "<!-- from ";
const RULES: &str = "<!-- rules -->";
const CLAUSES: &str = "<!-- clauses -->";
const GATE: &str = "<!-- gate mutants -->";

/// Documents whose excerpts are not what their sources say.
pub fn stale(workspace: &Workspace) -> Result<Vec<Breach>> {
    let mut breaches = Vec::new();
    for (document, held, wanted) in documents(workspace)? {
        if held != wanted {
            let lines = held.lines().zip(wanted.lines());
            let line = 1 + lines.take_while(|(held, wanted)| held == wanted).count();
            let why = "an excerpt is not what its source says; run cargo xtask documents";
            breaches.push(Breach::at(document, line, why));
        }
    }
    Ok(breaches)
}

/// Documents that are made whole by the example `documents` of a crate, by its argument. That they are not stale is a
/// test of that crate.
const WHOLE: [(&str, &str, &str); 6] = [
    ("snmp", "mib", "mibs/TOLLGATE-MIB.txt"),
    ("snmp", "manual", "docs/snmp.md"),
    ("eventlog", "manual", "docs/logs.md"),
    ("bulkstats", "manual", "docs/bulkstats.md"),
    ("bulkstats", "metrics", "docs/metrics.md"),
    ("cli", "manual", "docs/cli.md"),
];

/// Brings documents up to date: those that are made whole, then excerpts in others.
pub fn write(workspace: &Workspace) -> Result<()> {
    for (package, argument, document) in WHOLE {
        let mut command = run::bounded(600, cargo());
        command.current_dir(&workspace.root);
        command.args(["run", "--quiet", "--package", package]);
        command.args(["--example", "documents", argument]);
        let text = run::output(&mut command);
        let text = text.with_context(|| format!("{package} makes no {document}"))?;
        let file = workspace.root.join(document);
        if fs::read_to_string(&file).ok().as_deref() != Some(&text) {
            fs::write(file, text)?;
            println!("{document}: written");
        }
    }
    for (document, held, wanted) in documents(workspace)? {
        if held != wanted {
            fs::write(workspace.root.join(&document), wanted)?;
            println!("{document}: written");
        }
    }
    Ok(())
}

/// Each document with excerpts: its name, its text, and what its text should be.
fn documents(workspace: &Workspace) -> Result<Vec<(String, String, String)>> {
    let mut documents = Vec::new();
    for file in workspace.files()? {
        if file.extension().is_some_and(|extension| extension == "md") {
            let held = workspace.text(&file)?;
            let name = file.display().to_string();
            let wanted = renewed(&held, |source| workspace.text(Path::new(source)));
            let wanted = wanted.with_context(|| name.clone())?;
            let wanted = with_table(&wanted, RULES, || rules::table(workspace))?;
            let wanted = with_table(&wanted, GATE, || mutants::gate_table(workspace))?;
            let wanted = with_table(&wanted, CLAUSES, || clauses::table(workspace))?;
            documents.push((name, held, wanted));
        }
    }
    Ok(documents)
}

/// The document with the text of each excerpt taken from its source.
fn renewed(document: &str, source: impl Fn(&str) -> Result<String>) -> Result<String> {
    let mut out = String::with_capacity(document.len());
    let mut lines = document.lines();
    while let Some(line) = lines.next() {
        out.push_str(line);
        out.push('\n');
        let Some(from) = line.strip_prefix(MARK).and_then(|l| l.strip_suffix(" -->")) else {
            continue;
        };
        let (file, command) = match from.split_once(": ") {
            Some((file, command)) => (file, Some(command)),
            None => (from, None),
        };
        let text = source(file)?;
        let text = match command {
            Some(command) => {
                section(&text, command).with_context(|| format!("{file} has no {command:?}"))?
            }
            None => text,
        };
        let open = lines.find(|line| !line.is_empty());
        let open = open.filter(|line| line.starts_with("```"));
        let open = open.with_context(|| format!("no block of code follows {line:?}"))?;
        let end = lines.find(|line| line.starts_with("```"));
        end.with_context(|| format!("the block of code after {line:?} doesn't end"))?;
        out.push_str(&format!("{open}\n{}\n```\n", text.trim_end()));
    }
    Ok(out)
}

/// The document with this table in place of the one under the comment, if it has the comment.
fn with_table(
    document: &str,
    mark: &str,
    table: impl FnOnce() -> Result<String>,
) -> Result<String> {
    let whole = format!("\n{document}");
    let Some((before, after)) = whole.split_once(&format!("\n{mark}\n")) else {
        return Ok(document.to_owned());
    };
    let old = after
        .lines()
        .take_while(|l| l.is_empty() || l.starts_with('|'));
    let rest: Vec<&str> = after.lines().skip(old.count()).collect();
    let mut out = format!("{before}\n{mark}\n\n{}", table()?);
    for line in rest.first().map(|_| "").into_iter().chain(rest) {
        out.push_str(line);
        out.push('\n');
    }
    Ok(out.trim_start_matches('\n').to_owned())
}

/// A command and its output.
fn section(text: &str, command: &str) -> Option<String> {
    let mut lines = text.lines().skip_while(|line| *line != command);
    let first = lines.next()?;
    let rest = lines.take_while(|line| !line.starts_with("$ "));
    Some(
        [first]
            .into_iter()
            .chain(rest)
            .collect::<Vec<_>>()
            .join("\n"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "$ a\none\n\n$ b\ntwo\nthree\n\n$ c\n";

    fn of(document: &str) -> Result<String> {
        renewed(document, |file| {
            (file == "x.txt")
                .then(|| SOURCE.to_owned())
                .context("no such file")
        })
    }

    #[test]
    fn an_excerpt_is_taken_from_its_source() {
        let document = "before\n<!-- from x.txt: $ b -->\n```text\nold\n```\nafter\n";
        let wanted = "before\n<!-- from x.txt: $ b -->\n```text\n$ b\ntwo\nthree\n```\nafter\n";
        assert_eq!(of(document).unwrap(), wanted);
        assert_eq!(of(wanted).unwrap(), wanted);
        let whole = of("<!-- from x.txt -->\n\n```\n```\n").unwrap();
        assert!(whole.contains("$ a\none\n\n$ b\ntwo"));
        assert_eq!(of("no excerpt\n").unwrap(), "no excerpt\n");
    }

    #[test]
    fn a_table_takes_the_place_of_the_old_one() {
        let renew =
            |document: &str| with_table(document, RULES, || Ok("| new |\n".to_owned())).unwrap();
        let document = "a\n<!-- rules -->\n\n| old |\n| older |\n\nb\n";
        let wanted = "a\n<!-- rules -->\n\n| new |\n\nb\n";
        assert_eq!(renew(document), wanted);
        assert_eq!(renew(wanted), wanted);
        let filled = "<!-- rules -->\n\n| new |\n";
        assert_eq!(renew("<!-- rules -->\n"), filled);
        assert_eq!(renew(filled), filled);
        assert_eq!(renew("no table\n"), "no table\n");
    }

    #[test]
    fn an_excerpt_of_nothing_is_an_error() {
        for document in [
            "<!-- from y.txt -->\n```\n```\n",
            "<!-- from x.txt: $ d -->\n```\n```\n",
            "<!-- from x.txt -->\ntext\n",
            "<!-- from x.txt -->\n```\nopen\n",
        ] {
            assert!(of(document).is_err(), "{document}");
        }
    }
}
