//! `apply`: a configuration text that changes a node.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::process::ExitCode;

use api::{APPLY_BYTES_MAX, Applied, ApplyCommand, Failure, Reply, Request};
use serde_json::{Value, json};

use crate::console::Console;
use crate::grammar::ApplyArgs;

/// The name and version of the schema of its JSON.
pub const SCHEMA: &str = "apply/1";

/// Exit code of a dry run by which something would change.
const WOULD_CHANGE: u8 = 3;

/// The last line of a text.
const END: &str = "end";

/// `apply [FILE]`
pub fn run(args: ApplyArgs, console: &mut dyn Console) -> Result<ExitCode, Failure> {
    let text = match &args.file {
        Some(file) if file != Path::new("-") => read(file)?,
        Some(_) | None => typed(console)?,
    };
    let client = console.client(&args.socket);
    let request = Request::Apply(Box::new(ApplyCommand {
        text,
        replace: args.replace,
        dry_run: args.dry_run,
        checksum: args.checksum,
    }));
    let Reply::Applied { applied } = client.ask(&request)? else {
        return Err(client.unexpected());
    };
    match args.json {
        true => console.write(&format!("{:#}\n", json(&applied, args.dry_run))),
        false => console.write(&plan(&applied, args.dry_run)),
    }
    Ok(match args.dry_run && !applied.changes.is_empty() {
        true => ExitCode::from(WOULD_CHANGE),
        false => ExitCode::SUCCESS,
    })
}

fn read(file: &Path) -> Result<String, Failure> {
    let mut text = String::new();
    let opened = File::open(file);
    let read = opened.and_then(|file| file.take(more_than_fits()).read_to_string(&mut text));
    read.map_err(|error| unread(&file.display().to_string(), &error))?;
    Ok(text)
}

/// The node refuses what is longer than it takes.
fn more_than_fits() -> u64 {
    APPLY_BYTES_MAX as u64 + 1
}

/// The lines of the input, as far as the last of a text.
fn typed(console: &mut dyn Console) -> Result<String, Failure> {
    let mut text = String::new();
    while text.len() <= APPLY_BYTES_MAX {
        let line = console
            .typed()
            .map_err(|error| unread("standard input", &error))?;
        let Some(line) = line else {
            break;
        };
        text.push_str(&line);
        text.push('\n');
        if line.trim() == END {
            break;
        }
    }
    Ok(text)
}

fn unread(place: &str, error: &io::Error) -> Failure {
    let what = format!("the text can't be read: {error}");
    Failure::new(what, place, "name a file of UTF-8 text")
}

/// Each change with its line, and the checksum for what is applied next.
fn plan(applied: &Applied, dry_run: bool) -> String {
    let mut out = String::new();
    for change in &applied.changes {
        let place = match change.place {
            Some((line, _)) => format!("line {line}: "),
            None => "not in the text: ".to_owned(),
        };
        out.push_str(&format!("{place}{} {}\n", change.key, change.change.word()));
        let sides = [("-", &change.before), ("+", &change.after)];
        for (sign, lines) in sides {
            for line in lines {
                out.push_str(&format!("  {sign} {line}\n"));
            }
        }
    }
    let said = match (applied.changes.len(), dry_run) {
        (0, true) => "nothing would change",
        (0, false) => "nothing has changed: the configuration in force says all of it",
        (_, true) => "nothing has changed yet",
        (_, false) => "all of it is kept and in force",
    };
    let checksum = match dry_run {
        true => &applied.before,
        false => &applied.after,
    };
    out.push_str(&format!("{said}; checksum {checksum}\n"));
    out
}

/// The same as data.
pub fn json(applied: &Applied, dry_run: bool) -> Value {
    let changes = applied.changes.iter().map(|change| {
        json!({
            "key": change.key,
            "change": change.change,
            "line": change.place.map(|(line, _)| line),
            "column": change.place.map(|(_, column)| column),
            "before": change.before,
            "after": change.after,
        })
    });
    json!({
        "schema": SCHEMA,
        "dry_run": dry_run,
        "changes": changes.collect::<Vec<_>>(),
        "sha256_before": applied.before,
        "sha256_after": applied.after,
    })
}
