//! From a table of sections and keys to text.

use toml::{Table, Value};

use super::commands::{COMMANDS, Command};
use super::read::hyphens;
use super::schema::{self, Keys, Kind};
use super::table_of;
use super::words::written;

/// How far a block is set in.
const INDENT: &str = "  ";

/// The whole text.
pub(super) fn print(mut table: Table) -> String {
    let mut out = String::new();
    for command in COMMANDS {
        let said = said_by(command, &table);
        if said.is_empty() {
            continue;
        }
        let lines = (command.lines)(&said);
        // What a command can't say exactly is left to the blocks.
        if table_of(&whole(&lines)).as_ref() != Ok(&said) {
            continue;
        }
        lines.iter().for_each(|line| push(&mut out, 1, line));
        take(command, &mut table);
    }
    block(&mut out, 1, &table, schema::keys());
    format!("config\n{out}end\n")
}

/// Lines as a text of their own.
fn whole(lines: &[String]) -> String {
    format!("config\n{}\nend\n", lines.join("\n"))
}

fn push(out: &mut String, depth: usize, line: &str) {
    out.push_str(&INDENT.repeat(depth));
    out.push_str(line);
    out.push('\n');
}

/// What is in the table of what the command is about.
fn said_by(command: &Command, table: &Table) -> Table {
    let mut said = Table::new();
    let section = table.get(command.section).and_then(Value::as_table);
    for key in command.keys {
        if let Some(value) = section.and_then(|section| section.get(*key)) {
            let into = said.entry(command.section);
            let into = into.or_insert_with(|| Table::new().into());
            if let Value::Table(into) = into {
                into.insert((*key).to_owned(), value.clone());
            }
        }
    }
    said
}

fn take(command: &Command, table: &mut Table) {
    let Some(Value::Table(section)) = table.get_mut(command.section) else {
        return;
    };
    for key in command.keys {
        section.remove(*key);
    }
    if section.is_empty() {
        table.remove(command.section);
    }
}

fn block(out: &mut String, depth: usize, table: &Table, keys: &Keys) {
    for (name, kind) in keys {
        let Some(value) = table.get(*name) else {
            continue;
        };
        let word = hyphens(name);
        match (kind, value) {
            (Kind::Block(keys), Value::Table(below)) => {
                push(out, depth, &word);
                block(out, depth + 1, below, keys);
                push(out, depth, "#exit");
            }
            (Kind::Blocks(_), Value::Array(entries)) if entries.is_empty() => {
                push(out, depth, &format!("no {word}"));
            }
            (Kind::Blocks(keys), Value::Array(entries)) => {
                for entry in entries.iter().filter_map(Value::as_table) {
                    entry_block(out, depth, &word, entry, keys);
                }
            }
            (_, Value::Boolean(false)) => push(out, depth, &format!("no {word}")),
            (_, Value::Boolean(true)) => push(out, depth, &word),
            (_, Value::Array(values)) => {
                let values = values.iter().map(|value| format!(" {}", scalar(value)));
                push(out, depth, &format!("{word}{}", values.collect::<String>()));
            }
            (_, value) => push(out, depth, &format!("{word} {}", scalar(value))),
        }
    }
}

/// An entry of a list, with its first key in the line that begins it.
fn entry_block(out: &mut String, depth: usize, word: &str, entry: &Table, keys: &Keys) {
    let first = keys.first().map_or("", |(name, _)| name);
    let mut rest = entry.clone();
    match rest.remove(first) {
        Some(name) => push(out, depth, &format!("{word} {}", scalar(&name))),
        None => push(out, depth, word),
    }
    block(out, depth + 1, &rest, keys);
    push(out, depth, "#exit");
}

fn scalar(value: &Value) -> String {
    match value {
        Value::String(text) => written(text).into_owned(),
        Value::Integer(_)
        | Value::Float(_)
        | Value::Boolean(_)
        | Value::Datetime(_)
        | Value::Array(_)
        | Value::Table(_) => value.to_string(),
    }
}
