//! What the documents must keep to.

use std::path::Path;

use anyhow::Result;

use super::Breach;
use crate::figure;
use crate::workspace::Workspace;

const README_MAX_LINES: usize = 150;

const COMMANDS: [&str; 2] = ["cargo run --release -- demo", "cargo xtask test"];

const DOCUMENTS: [&str; 6] = [
    "README.md",
    "ARCHITECTURE.md",
    "GLOSSARY.md",
    "SPECIFICATION.md",
    "CHANGELOG.md",
    "LICENSE",
];

pub fn breaches(workspace: &Workspace) -> Result<Vec<Breach>> {
    let files = workspace.files()?;
    let mut breaches: Vec<Breach> = DOCUMENTS
        .iter()
        .filter(|document| !files.iter().any(|file| file == Path::new(document)))
        .map(|document| Breach::of(document, "it is missing"))
        .collect();
    if breaches.is_empty() {
        breaches.extend(readme(&workspace.text(Path::new("README.md"))?));
        let text = workspace.text(Path::new("SPECIFICATION.md"))?;
        let reports = files.iter().filter(|file| file.ends_with("mutants.md"));
        let reports = reports.map(|report| report.display().to_string());
        breaches.extend(specification(&text, figure::ids(), reports));
        let sources = files
            .iter()
            .filter(|f| f.extension().is_some_and(|e| e == "rs"));
        let sources = sources.map(|file| workspace.text(file));
        let sources = sources.collect::<Result<Vec<_>>>()?.concat();
        breaches.extend(faults(&text, &sources));
    }
    for file in files
        .iter()
        .filter(|f| f.extension().is_some_and(|e| e == "md"))
    {
        breaches.extend(dead_links(workspace, file)?);
    }
    Ok(breaches)
}

fn readme(text: &str) -> Vec<Breach> {
    let lines = text.lines().count();
    let mut breaches = Vec::new();
    if lines > README_MAX_LINES {
        let why = format!("{lines} lines; at most {README_MAX_LINES}");
        breaches.push(Breach::of("README.md", why));
    }
    for command in COMMANDS {
        if !text.contains(command) {
            let why = format!("it doesn't name the command `{command}`");
            breaches.push(Breach::of("README.md", why));
        }
    }
    breaches
}

/// It has a row for every figure, and links every report of mutants.
fn specification<'a>(
    text: &str,
    figures: impl Iterator<Item = &'a str>,
    reports: impl Iterator<Item = String>,
) -> Vec<Breach> {
    let figures = figures.map(|id| format!("| `{id}` |"));
    let reports = reports.map(|report| format!("]({report})"));
    figures
        .chain(reports)
        .filter(|needed| !text.contains(needed.as_str()))
        .map(|needed| Breach::of("SPECIFICATION.md", format!("it lacks {needed}")))
        .collect()
}

/// Every test that the table of faults names is a function somewhere.
fn faults(text: &str, sources: &str) -> Vec<Breach> {
    let table = text.split("\n| fault | shown by |\n").nth(1).unwrap_or("");
    let rows = table.lines().take_while(|line| line.starts_with('|'));
    let names = rows.flat_map(|row| row.split('`').skip(1).step_by(2));
    let names = names.filter(|name| !name.contains('/'));
    let missing = names.filter(|name| !sources.contains(&format!("fn {name}(")));
    missing
        .map(|name| Breach::of("SPECIFICATION.md", format!("no test is called `{name}`")))
        .collect()
}

/// Links to files that aren't there.
fn dead_links(workspace: &Workspace, file: &Path) -> Result<Vec<Breach>> {
    let text = workspace.text(file)?;
    let folder = workspace.root.join(file);
    let folder = folder.parent().unwrap_or(&workspace.root);
    let dead = links(&text).filter(|(_, target)| !folder.join(target).exists());
    Ok(dead
        .map(|(line, target)| {
            Breach::at(file, line, format!("a link to {target}, which isn't there"))
        })
        .collect())
}

/// Relative links, without their fragments, and their lines.
fn links(text: &str) -> impl Iterator<Item = (usize, &str)> {
    (1..).zip(text.lines()).flat_map(|(line, text)| {
        text.split("](").skip(1).filter_map(move |rest| {
            let target = rest.split([')', '#', ' ']).next()?;
            let relative = !target.is_empty() && !target.contains(':');
            relative.then_some((line, target))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_readme_that_is_too_long_or_lacks_a_command_is_found() {
        let good = COMMANDS.join("\n");
        assert_eq!(readme(&good), []);
        assert_eq!(readme("cargo xtask test").len(), 1);
        let long = format!("{good}\n{}", "line\n".repeat(README_MAX_LINES));
        assert_eq!(readme(&long).len(), 1);
    }

    #[test]
    fn a_specification_that_lacks_a_figure_or_a_report_is_found() {
        let report = || ["gtp/mutants.md".to_owned()].into_iter();
        let text = "| `a-figure` | means | [r](gtp/mutants.md)\n";
        assert_eq!(specification(text, ["a-figure"].into_iter(), report()), []);
        assert_eq!(
            specification("", ["a-figure"].into_iter(), report()).len(),
            2
        );
    }

    #[test]
    fn a_fault_whose_test_is_not_there_is_found() {
        let text =
            "`x`\n| fault | shown by |\n|---|---|\n| a | `a_test`, `b` in `tests/b.rs` |\n\n`c`\n";
        assert_eq!(faults(text, "fn a_test() {} fn b() {}"), []);
        let found = faults(text, "fn a_test() {} fn bb() {}");
        assert_eq!(
            found,
            [Breach::of("SPECIFICATION.md", "no test is called `b`")]
        );
    }

    #[test]
    fn relative_links_are_found() {
        let text = "[a](A.md) and [b](https://b)\n[c](docs/c.md#d), [e](#f)\n";
        let found: Vec<_> = links(text).collect();
        assert_eq!(found, [(1, "A.md"), (2, "docs/c.md")]);
    }
}
