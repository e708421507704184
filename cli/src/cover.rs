//! What every command of the table is to have: help, completion, a test that runs it, and a schema of what it shows.

use std::fs;
use std::path::Path;

use clap::CommandFactory;
use clap_complete::Shell;

use crate::grammar::Grammar;
use crate::manual::command_of;
use crate::shell::offers;
use crate::table::{Mode, Row};

/// What a command lacks, in words, in a workspace with this root; nothing: it is covered.
pub fn missing(row: &Row, root: &Path) -> Vec<&'static str> {
    let has = [
        (command_of(row).get_about().is_some(), "help"),
        (completes(row), "completion"),
        (is_run(row, root), "a test that runs it"),
        (has_schema(row, root), "a documented schema of its JSON"),
    ];
    let lacks = has.into_iter().filter(|(has, _)| !has);
    lacks.map(|(_, what)| what).collect()
}

/// Its last word is offered behind those before it: by the shell, and of what is no command of it by bash's completions.
fn completes(row: &Row) -> bool {
    let typed = row.typed();
    let (before, last) = typed.rsplit_once(' ').unwrap_or(("", typed));
    if row.mode != Mode::Program {
        return offers(row.mode, before, last);
    }
    let mut script = Vec::new();
    clap_complete::generate(
        Shell::Bash,
        &mut Grammar::command(),
        "tollgate",
        &mut script,
    );
    let script = String::from_utf8_lossy(&script);
    script.contains(&format!("tollgate__{}", row.words.replace(' ', "__")))
        || script.contains(&format!(
            "tollgate__subcmd__{}",
            row.words.replace(' ', "__subcmd__")
        ))
}

/// A line of `tests/shell/every-command` is it, or the test that it names has its words.
pub fn is_run(row: &Row, root: &Path) -> bool {
    let words = row.typed();
    let file = row.test.unwrap_or("tests/shell/every-command");
    let Ok(text) = fs::read_to_string(root.join(file)) else {
        return false;
    };
    match row.test {
        None => text.lines().any(|line| {
            let after_do = line.strip_prefix("do ").unwrap_or(line);
            let begins = |line: &str| line == words || line.starts_with(&format!("{words} "));
            begins(line) || begins(after_do)
        }),
        Some(_) => {
            // A string begins with them, or one with each.
            let begins = |begin: &str| text.contains(&format!("\"{begin}"));
            begins(words) || words.split(' ').all(begins)
        }
    }
}

/// What it shows, if it shows something, has a schema of this name among the documents.
fn has_schema(row: &Row, root: &Path) -> bool {
    let Some(schema) = &row.schema else {
        return true;
    };
    let name = schema.split('/').next().unwrap_or_default();
    let text = fs::read_to_string(root.join(format!("docs/schemas/{name}.json")));
    text.is_ok_and(|text| text.contains(&format!("\"title\": \"{schema}\"")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::rows;

    fn root() -> std::path::PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
    }

    #[test]
    fn every_command_has_help_completion_a_test_and_a_schema() {
        for row in rows() {
            let lacks = missing(row, &root());
            assert!(
                lacks.is_empty(),
                "{}: {lacks:?}; a line of tests/shell/every-command runs it, and `TOLLGATE_REWRITE_GOLDEN=1 cargo test -p \
                 cli --test schemas` makes its schema",
                row.words
            );
        }
    }

    #[test]
    fn what_is_missing_is_told() {
        let row = Row {
            words: "show nothing".to_owned(),
            schema: Some("nothing/1".to_owned()),
            ..rows()[0].clone()
        };
        assert!(missing(&row, &root()).contains(&"a documented schema of its JSON"));
        let row = Row {
            mode: Mode::Exec,
            test: None,
            ..row
        };
        let lacks = missing(&row, &root());
        assert!(lacks.contains(&"completion") && lacks.contains(&"a test that runs it"));
    }
}
