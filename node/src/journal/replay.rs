//! The replay: the same machine, the same inputs at the same times; what comes out is compared with what was recorded.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use enforcer::Counts;
use enforcer::verdicts::{Enforcer, Input, Output};
use licensing::{CatalogError, Event, Now, RefusalRecord, Snapshot, Wall};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;

use super::{Digest, FORMAT, Header, Line, is_compared};

/// Longest line, in bytes.
const LINE_BYTES_MAX: u64 = 16 << 20;

/// Why a journal can't be replayed.
#[derive(Debug, Error)]
pub enum ReplayError {
    /// It can't be read.
    #[error("{file}: {source}; give the file of a journal", file = file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A line is none of a journal.
    #[error("{file}:{line}: {reason}; it is damaged, or no journal", file = file.display())]
    Line {
        /// The file.
        file: PathBuf,
        /// The line, from 1.
        line: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// It has another format.
    #[error(
        "{file}:1: a journal of format {found}, this program reads {FORMAT}; replay it with the program that wrote it",
        file = file.display()
    )]
    Format {
        /// The file.
        file: PathBuf,
        /// Its format.
        found: u64,
    },
    /// Its catalog is wrong.
    #[error("{file}:1: its catalog: {source}; it is damaged", file = file.display())]
    Catalog {
        /// The file.
        file: PathBuf,
        /// Why.
        source: CatalogError,
    },
}

/// What a replay came to: all of the journal, or all up to the first difference.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Replay {
    /// Inputs that the machine took.
    pub inputs: u64,
    /// Recorded outputs and snapshots that were compared.
    pub compared: u64,
    /// Events, in their order.
    pub events: Vec<Told>,
    /// The machine at the last input.
    pub snapshot: Snapshot,
    /// Refused calls, newest first.
    pub history: Vec<RefusalRecord>,
    /// The last snapshot of the node is in the journal; false: the node was killed, or the journal stopped before it.
    pub ended: bool,
    /// The last line, if it was cut short and left out.
    pub cut: Option<u64>,
    /// The first difference from what was recorded; none: it is the same.
    pub difference: Option<Difference>,
}

/// An event of a replay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Told {
    /// The wall time of the input that it followed.
    pub at: Wall,
    /// The event.
    pub event: Event,
}

/// Where a replay came to something else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The line of the journal, from 1.
    pub line: u64,
    /// What is different.
    pub what: String,
}

/// Replays a journal. Errors: it can't be read; a difference is no error.
pub fn replay(path: &Path) -> Result<Replay, ReplayError> {
    let file = File::open(path).map_err(|source| read_error(path, source))?;
    let mut lines = Lines {
        path,
        input: BufReader::new(file),
        number: 0,
        cut: None,
    };
    let mut player = Player::new(lines.header()?, path)?;
    let mut difference = None;
    while difference.is_none() {
        let Some(line) = lines.next()? else { break };
        let what = player.play(line).map_err(|reason| lines.wrong(reason))?;
        let line = lines.number;
        difference = what.map(|what| Difference { line, what });
    }
    Ok(Replay {
        inputs: player.inputs,
        compared: player.compared,
        snapshot: player.machine.snapshot(player.now),
        history: player.machine.history().cloned().collect(),
        events: player.events,
        ended: player.ended,
        cut: lines.cut,
        difference,
    })
}

fn read_error(path: &Path, source: io::Error) -> ReplayError {
    let file = path.to_owned();
    ReplayError::Read { file, source }
}

/// The lines of a file, each with its number.
struct Lines<'a> {
    path: &'a Path,
    input: BufReader<File>,
    number: u64,
    cut: Option<u64>,
}

impl Lines<'_> {
    /// The text of the next line; none: there is none, or it was cut short.
    fn text(&mut self) -> Result<Option<Vec<u8>>, ReplayError> {
        let mut text = Vec::new();
        let mut bounded = (&mut self.input).take(LINE_BYTES_MAX);
        let read = bounded.read_until(b'\n', &mut text);
        let length = read.map_err(|source| read_error(self.path, source))?;
        if length == 0 {
            return Ok(None);
        }
        self.number += 1;
        if text.pop_if(|last| *last == b'\n').is_none() {
            if length as u64 == LINE_BYTES_MAX {
                return Err(self.wrong("a line is too long"));
            }
            self.cut = Some(self.number);
            return Ok(None);
        }
        Ok(Some(text))
    }

    fn next(&mut self) -> Result<Option<Line>, ReplayError> {
        let Some(text) = self.text()? else {
            return Ok(None);
        };
        let line = serde_json::from_slice(&text);
        line.map(Some).map_err(|error| self.wrong(error))
    }

    /// The first line; its format is looked at before anything else.
    fn header(&mut self) -> Result<Header, ReplayError> {
        #[derive(Deserialize)]
        struct Any {
            header: Format,
        }
        #[derive(Deserialize)]
        struct Format {
            format: u64,
        }
        let text = self.text()?;
        self.number = 1;
        let text = text.ok_or_else(|| self.wrong("no whole line is there"))?;
        let any: Any = serde_json::from_slice(&text).map_err(|error| self.wrong(error))?;
        if any.header.format != u64::from(FORMAT) {
            return Err(ReplayError::Format {
                file: self.path.to_owned(),
                found: any.header.format,
            });
        }
        match serde_json::from_slice(&text) {
            Ok(Line::Header(header)) => Ok(*header),
            Ok(Line::In(..) | Line::Same(_) | Line::Out(_) | Line::Digest(_) | Line::End(_)) => {
                Err(self.wrong("the header is missing"))
            }
            Err(error) => Err(self.wrong(error)),
        }
    }

    fn wrong(&self, reason: impl ToString) -> ReplayError {
        ReplayError::Line {
            file: self.path.to_owned(),
            line: self.number,
            reason: reason.to_string(),
        }
    }
}

/// The machine, and what it has come to.
struct Player {
    machine: Enforcer,
    now: Now,
    counts: Option<Counts>,
    inputs: u64,
    compared: u64,
    events: Vec<Told>,
    ended: bool,
}

impl Player {
    fn new(header: Header, path: &Path) -> Result<Self, ReplayError> {
        let made = header.machine();
        let (config, restored, now) = made.map_err(|source| ReplayError::Catalog {
            file: path.to_owned(),
            source,
        })?;
        Ok(Self {
            machine: Enforcer::new(config, restored, now),
            now,
            counts: None,
            inputs: 0,
            compared: 0,
            events: Vec::new(),
            ended: false,
        })
    }

    /// Plays a line: what is different, if anything is. Errors: the line can't stand there.
    fn play(&mut self, line: Line) -> Result<Option<String>, &'static str> {
        if self.ended {
            return Err("a line after the end");
        }
        match line {
            Line::Header(_) => Err("a second header"),
            Line::In(at, input) => {
                if let Input::Counts(counts) = &input {
                    self.counts = Some(counts.clone());
                }
                self.take(input, at.into());
                Ok(None)
            }
            Line::Same(at) => {
                let counts = self.counts.clone().ok_or("the same counts as none")?;
                self.take(Input::Counts(counts), at.into());
                Ok(None)
            }
            Line::Out(recorded) => Ok(self.compare_output(&recorded)),
            Line::Digest(recorded) => Ok(self.compare_digest(&recorded)),
            Line::End(recorded) => {
                self.ended = true;
                Ok(self.compare_end(&recorded))
            }
        }
    }

    fn take(&mut self, input: Input, now: Now) {
        self.inputs += 1;
        self.now = now;
        self.machine.handle(input, now);
    }

    /// The next output that is compared; an event of it is kept.
    fn output(&mut self) -> Option<Output> {
        let output = std::iter::from_fn(|| self.machine.poll_output()).find(is_compared)?;
        if let Output::Event(event) = &output {
            self.events.push(Told {
                at: self.now.wall,
                event: event.clone(),
            });
        }
        Some(output)
    }

    fn compare_output(&mut self, recorded: &Output) -> Option<String> {
        self.compared += 1;
        let replayed = self.output();
        let differs = replayed.as_ref() != Some(recorded);
        differs.then(|| {
            let replayed = replayed.as_ref().map_or("none".to_owned(), json);
            format!("recorded output {}, replayed {replayed}", json(recorded))
        })
    }

    fn compare_digest(&mut self, recorded: &Digest) -> Option<String> {
        self.compared += 1;
        let replayed = Digest::of(&self.machine.snapshot(self.now)).ok();
        let differs = replayed.as_ref() != Some(recorded);
        differs.then(|| {
            format!(
                "the snapshot after input {} is another than the one recorded there",
                recorded.seq
            )
        })
    }

    fn compare_end(&mut self, recorded: &Snapshot) -> Option<String> {
        self.compared += 1;
        if let Some(more) = self.output() {
            return Some(format!("recorded no more output, replayed {}", json(&more)));
        }
        let replayed = self.machine.snapshot(self.now);
        if replayed == *recorded {
            return None;
        }
        let values = serde_json::to_value(recorded).and_then(|recorded| {
            let replayed = serde_json::to_value(&replayed)?;
            Ok(first_difference("snapshot", &recorded, &replayed))
        });
        let told = values.ok().flatten();
        Some(told.unwrap_or_else(|| "the last snapshot".to_owned()))
    }
}

/// The first place at which two values differ, with what is there.
fn first_difference(place: &str, recorded: &Value, replayed: &Value) -> Option<String> {
    if recorded == replayed {
        return None;
    }
    let inside = match (recorded, replayed) {
        (Value::Object(one), Value::Object(other)) => one.iter().find_map(|(key, value)| {
            let other = other.get(key)?;
            first_difference(&format!("{place}.{key}"), value, other)
        }),
        (Value::Array(one), Value::Array(other)) => {
            let pairs = one.iter().zip(other).enumerate();
            let mut places = pairs.map(|(n, pair)| (format!("{place}[{n}]"), pair));
            places.find_map(|(place, (one, other))| first_difference(&place, one, other))
        }
        _ => None,
    };
    inside.or_else(|| Some(format!("{place}: recorded {recorded}, replayed {replayed}")))
}

fn json<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_else(|error| error.to_string())
}
