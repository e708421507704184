//! `tollgate node --replay`: what a journal comes to.

use std::path::Path;
use std::process::ExitCode;

use api::Failure;
use node::journal::{Difference, Replay, replay};
use serde_json::{Value, json};

use crate::output;
use crate::show::{Surface, View, text};

/// Exit code of a journal that can't be read.
const UNREADABLE: u8 = 2;

/// The surfaces that end a replay.
const SURFACES: [&[&str]; 3] = [
    &["license", "enforcement", "status"],
    &["license", "eval-period"],
    &["license", "enforcement", "history"],
];

/// Replays a journal and prints what it comes to.
pub fn run(journal: &Path, as_json: bool) -> ExitCode {
    let replay = match replay(journal) {
        Ok(replay) => replay,
        Err(error) => {
            output::fail(&error);
            return ExitCode::from(UNREADABLE);
        }
    };
    if as_json {
        output::print(&format!("{:#}\n", data(&replay)));
    } else {
        output::print(&page(&replay));
    }
    match &replay.difference {
        None => ExitCode::SUCCESS,
        Some(difference) => {
            output::fail(&failure(journal, difference));
            ExitCode::FAILURE
        }
    }
}

fn failure(journal: &Path, difference: &Difference) -> Failure {
    let place = format!("{}:{}", journal.display(), difference.line);
    let todo = "the journal was altered, or another program wrote it: replay it with that one";
    Failure::new(&difference.what, place, todo)
}

fn data(replay: &Replay) -> Value {
    json!({
        "same": replay.difference.is_none(),
        "replay": replay,
    })
}

fn page(replay: &Replay) -> String {
    let mut out = String::new();
    for told in &replay.events {
        let event = json!(told.event);
        out.push_str(&format!("{}  {event}\n", text::stamp(told.at)));
    }
    let view = View {
        history: replay.history.clone(),
        ..View::of(replay.snapshot.clone())
    };
    for surface in SURFACES.into_iter().filter_map(Surface::named) {
        out.push('\n');
        out.push_str(&surface.text(&view));
    }
    out.push_str(&format!("\n{}\n", verdict(replay)));
    out
}

/// What was compared, and how the journal ends.
pub fn verdict(replay: &Replay) -> String {
    let taken = text::counted(replay.inputs, "input");
    let compared = text::counted(replay.compared, "result");
    let said = match replay.difference {
        None => "the same as recorded",
        Some(_) => "compared, the last one is another than recorded",
    };
    let end = match (replay.ended, replay.cut, &replay.difference) {
        (true, _, _) | (false, _, Some(_)) => String::new(),
        (false, Some(line), None) => {
            format!("; line {line}, the last, was cut short and is left out")
        }
        (false, None, None) => {
            "; it has no end: the node was killed or still runs, or the journal stopped".to_owned()
        }
    };
    format!("{taken}, {compared} {said}{end}.")
}
