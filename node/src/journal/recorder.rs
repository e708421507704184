//! The side of the control thread: makes lines, and never waits for the disk.

use std::sync::Arc;

use crossbeam::channel::{Receiver, Sender, bounded};
use enforcer::Counts;
use enforcer::verdicts::{Input, Output};
use licensing::{Now, Snapshot};

use super::{DIGEST_EVERY, Digest, Header, Line, is_compared};
use crate::vitals::{JournalStop, Vitals};

/// Most lines that wait for the disk.
const LINES_MAX: usize = 1_024;

/// Makes lines of what the machine takes and gives.
#[derive(Debug)]
pub(crate) struct Recorder {
    /// None: off, or stopped.
    lines: Option<Sender<Vec<u8>>>,
    last: Option<Counts>,
    taken: u64,
    vitals: Arc<Vitals>,
}

impl Recorder {
    /// One that records nothing.
    pub(crate) fn off(vitals: Arc<Vitals>) -> Self {
        Self {
            lines: None,
            last: None,
            taken: 0,
            vitals,
        }
    }

    /// One whose lines come out of the other end, the header first.
    pub(crate) fn new(header: Header, vitals: Arc<Vitals>) -> (Self, Receiver<Vec<u8>>) {
        let (lines, written) = bounded(LINES_MAX);
        let mut recorder = Self {
            lines: Some(lines),
            ..Self::off(vitals)
        };
        recorder.line(&Line::Header(Box::new(header)));
        (recorder, written)
    }

    /// Before the machine takes an input.
    pub(crate) fn input(&mut self, input: &Input, now: Now) {
        if self.lines.is_some() {
            let line = self.line_of(input, now);
            self.line(&line);
        }
        match self.lines {
            Some(_) => self.taken += 1,
            None => self.vitals.journal_misses(),
        }
    }

    fn line_of(&mut self, input: &Input, now: Now) -> Line {
        let at = now.into();
        if let Input::Counts(counts) = input {
            if self.last.as_ref() == Some(counts) {
                return Line::Same(at);
            }
            self.last = Some(counts.clone());
        }
        Line::In(at, input.clone())
    }

    /// After the machine took an input: is [`Recorder::digest`] wanted?
    pub(crate) fn wants_digest(&self) -> bool {
        self.lines.is_some() && self.taken.is_multiple_of(DIGEST_EVERY)
    }

    /// What the snapshot is after the last input, at its time.
    pub(crate) fn digest(&mut self, snapshot: &Snapshot) {
        match Digest::of(snapshot) {
            Ok(digest) => self.line(&Line::Digest(digest)),
            Err(error) => self.not_json(&error),
        }
    }

    /// What the machine asks for.
    pub(crate) fn output(&mut self, output: &Output) {
        if is_compared(output) {
            self.line(&Line::Out(output.clone()));
        }
    }

    /// An orderly end; nothing is recorded any more.
    pub(crate) fn end(&mut self, snapshot: &Snapshot) {
        self.line(&Line::End(Box::new(snapshot.clone())));
        self.lines = None;
    }

    fn line(&mut self, line: &Line) {
        let Some(lines) = &self.lines else { return };
        let mut text = match serde_json::to_vec(line) {
            Ok(text) => text,
            Err(error) => return self.not_json(&error),
        };
        text.push(b'\n');
        // A writer that has ended has said why; one that is behind by so much is stopped here.
        if let Err(error) = lines.try_send(text) {
            if error.is_full() {
                self.vitals.journal_stops(JournalStop::Failed);
                event!(JOURNAL_SLOW);
            }
            self.lines = None;
        }
    }

    fn not_json(&mut self, error: &serde_json::Error) {
        self.vitals.journal_stops(JournalStop::Failed);
        event!(JOURNAL_UNWRITTEN, %error);
        self.lines = None;
    }
}
