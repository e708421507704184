//! docs/cli.md and the manual page, from the grammar and the table.

use std::fmt::Write as _;

use clap::{Command, CommandFactory};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use crate::grammar::Grammar;
use crate::shell::own;
use crate::table::{Mode, Row, rows};

const BEGINNING: &str = "\
# Commands

Made from the grammar and the table of commands by `cargo xtask documents`.

`tollgate WORDS` runs one command; `tollgate shell` is a session with the same words, in StarOS's manner. Words may be
shortened while they stay clear. In the shell `?` lists what may follow, without Enter, and Tab completes. `configure`
leads to the commands of mode config, `end` and `exit` back, and `do` runs one of mode exec there. An answer goes through
`| grep [-i] [-v] [-E] EXPRESSION`, `| count` and `| more`. Where *asks* is said, the shell asks `Are you sure ? [Yes |
No]:` unless `-noconfirm` is there; where *asks where calls would be refused* is said, it and the command line do, after they
have said how many. Arguments that are files or sockets are of the command line alone.

What `--json` prints is an object whose `schema` is the name and version of its schema, `license-status/1`: that is
`docs/schemas/license-status.json`. Keys may be added under the same version; one that goes, or means something else, makes
another.

Exit codes: 0 done, 1 failed, 2 not understood; of a shell whose lines come by a pipe, the worst of its lines.
`tollgate completion bash|zsh|fish` prints what makes a shell complete these commands, `tollgate man` a manual page.
";

/// docs/cli.md
pub fn text() -> String {
    let mut text = BEGINNING.to_owned();
    for (mode, heading) in [
        (Mode::Exec, "Mode exec"),
        (Mode::Config, "Mode config"),
        (
            Mode::Bulkstats,
            "Mode config-bulkstats, after `bulkstats mode`",
        ),
        (
            Mode::BulkstatsFile,
            "Mode config-bulkstats-file, after `file` there",
        ),
        (Mode::Program, "Not in the shell"),
    ] {
        // Nothing is left to do when a string can't be written to.
        let _ = write!(text, "\n## {heading}\n");
        for row in rows().iter().filter(|row| row.mode == mode) {
            text.push_str(&section(row));
        }
    }
    text
}

fn section(row: &Row) -> String {
    let command = command_of(row);
    let about = command.get_long_about().or(command.get_about());
    let about = about.map(ToString::to_string).unwrap_or_default();
    let mut command = command.clone().bin_name(match row.own {
        true => row.words.clone(),
        false => format!("tollgate {}", row.words),
    });
    let usage = command.render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ");
    let usage: Vec<&str> = usage.lines().map(str::trim).collect();
    // Whoever may begin a program may run these.
    let mut said = match row.mode {
        Mode::Program => vec!["of the command line alone".to_owned()],
        Mode::Exec | Mode::Config | Mode::Bulkstats | Mode::BulkstatsFile => {
            vec![format!("for {}s", row.privilege.word())]
        }
    };
    let takes_noconfirm = |command: &Command| {
        let mut arguments = command.get_arguments();
        arguments.any(|arg| arg.get_id() == "noconfirm")
    };
    if row.asks {
        said.push("asks".to_owned());
    } else if takes_noconfirm(&command) && row.mode != Mode::Program {
        said.push("asks where calls would be refused".to_owned());
    }
    if row.own {
        said.push("of the shell alone".to_owned());
    }
    if let Some(schema) = &row.schema {
        said.push(format!("`--json` is of schema `{schema}`"));
    }
    let about: Vec<String> = about.split("\n\n").map(wrapped).collect();
    let mut text = format!("\n### `{}`\n\n{}\n", row.typed(), about.join("\n\n"));
    let _ = write!(text, "\n```text\n{}\n```\n\n", usage.join("\n    "));
    let _ = writeln!(text, "{}.", upper(&said.join("; ")));
    let arguments = command.get_arguments().filter(|arg| !arg.is_hide_set());
    let arguments =
        arguments.filter(|arg| !["help", "version", "socket"].contains(&arg.get_id().as_str()));
    let rows = arguments.map(|arg| {
        let name = match arg.get_long() {
            Some(long) => format!("--{long}"),
            None => {
                let names = arg.get_value_names().unwrap_or_default();
                let names: Vec<&str> = names.iter().map(|name| name.as_str()).collect();
                match names.is_empty() {
                    true => arg.get_id().to_string().to_uppercase(),
                    false => names.join(" "),
                }
            }
        };
        let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
        let help: Vec<&str> = help.split_whitespace().collect();
        format!(
            "| `{}` | {} |\n",
            name.replace('|', "\\|"),
            help.join(" ").replace('|', "\\|")
        )
    });
    let rows: String = rows.collect();
    if !rows.is_empty() {
        let _ = write!(text, "\n| argument | |\n|---|---|\n{rows}");
    }
    text
}

/// The command of a row; that every row has one is tested.
pub(crate) fn command_of(row: &Row) -> Command {
    let mut root = match row.own {
        true => own::command(),
        false => Grammar::command(),
    };
    root.build();
    let mut command = &root;
    for word in row.words.split(' ') {
        command = command.find_subcommand(word).unwrap_or(command);
    }
    command.clone()
}

fn upper(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters).collect()
}

/// In lines of at most 120 columns.
fn wrapped(paragraph: &str) -> String {
    let mut lines = vec![String::new()];
    for word in paragraph.split_whitespace() {
        let full = lines
            .last()
            .is_some_and(|line| line.len() + word.len() >= 120);
        if full {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines.join("\n")
}

/// The manual page, in roff.
pub fn page() -> String {
    let mut grammar = Grammar::command();
    grammar.build();
    let after = grammar
        .get_after_help()
        .map(ToString::to_string)
        .unwrap_or_default();
    let man = Man::new(grammar);
    let mut page = Vec::new();
    let parts = [
        Man::render_title,
        Man::render_name_section,
        Man::render_synopsis_section,
        Man::render_description_section,
    ];
    for part in parts {
        // Nothing is left to do when memory can't be written to.
        let _ = part(&man, &mut page);
    }
    let mut roff = Roff::new();
    roff.control("SH", ["COMMANDS"]);
    for row in rows().iter().filter(|row| !row.own) {
        let command = command_of(row);
        let about = command
            .get_about()
            .map(ToString::to_string)
            .unwrap_or_default();
        roff.control("TP", []);
        roff.text([bold(row.words.as_str())]);
        roff.text([roman(about)]);
    }
    roff.control("SH", ["EXAMPLES"]);
    roff.control("nf", []);
    for line in after.lines() {
        roff.text([roman(line)]);
    }
    roff.control("fi", []);
    let _ = roff.to_writer(&mut page);
    String::from_utf8_lossy(&page).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_is_current() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/cli.md");
        let held = std::fs::read_to_string(file).unwrap();
        assert!(held == text(), "docs/cli.md: run cargo xtask documents");
    }

    #[test]
    fn the_manual_page_has_every_command() {
        let page = page();
        for row in rows().iter().filter(|row| !row.own) {
            assert!(
                page.contains(&format!("\\fB{}\\fR", row.words.replace('-', "\\-"))),
                "{}",
                row.words
            );
        }
    }
}
