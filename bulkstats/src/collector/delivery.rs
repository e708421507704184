//! Files on their way to their receivers.

use licensing::{Mono, Now};

use super::line::Line;
use super::way::{After, Flight, Way};
use super::{Collector, Condition, Notice, Output, TransferError, Which};
use crate::spool::{Found, Place};

impl Collector {
    /// A transfer has ended.
    pub fn transferred(&mut self, attempt: u64, result: Result<(), TransferError>, now: Now) {
        let lines = self.lines.iter_mut().enumerate();
        let mut flights = lines.filter_map(|(at, line)| Some((at, line.way.take(attempt)?)));
        let Some((at, flight)) = flights.next() else {
            return;
        };
        if !matches!(result, Err(TransferError::Local(_))) {
            self.said(at, flight.which, result.as_ref().err());
        }
        match result {
            Ok(()) => self.arrived(at, flight, now),
            Err(TransferError::Local(why)) => self.stays(at, flight, why, now),
            Err(error) => self.not_transferred(at, flight, &error, now),
        }
        self.proceed(now);
    }

    /// An impostor is told of at once, and who refuses the node, whatever the other receiver does.
    fn said(&mut self, at: usize, which: Which, error: Option<&TransferError>) {
        let line = &mut self.lines[at];
        let file = line.number;
        if let Some(why) = line.way.says(which, error) {
            self.alarm(why.is_some(), Condition::Receiver { file, which, why });
        }
    }

    fn arrived(&mut self, at: usize, flight: Flight, now: Now) {
        let line = &mut self.lines[at];
        let file = line.number;
        let other = line.way.succeeded(flight.which);
        let failed = line.way.settled();
        let arrived = line.transferred(flight, now);
        if failed {
            self.alarm(false, Condition::Receivers { file, why: None });
        }
        if let Some(why) = other {
            let now = flight.which;
            self.notice(Notice::Receiver { file, now, why });
        }
        if let Some(found) = arrived {
            self.keep(at, found);
        }
    }

    /// Nothing is to be given to the receivers of a block any more: what they said of the last file is not told for ever.
    pub(super) fn forgive(&mut self, at: usize) {
        let line = &mut self.lines[at];
        if !line.is_empty() {
            return;
        }
        let (file, why) = (line.number, None);
        for which in [Which::Primary, Which::Secondary] {
            self.said(at, which, None);
        }
        if self.lines[at].way.forgiven() {
            self.alarm(false, Condition::Receivers { file, why });
        }
        self.storage(at, None);
    }

    /// What waits for a receiver that nobody is to be any more is told of, counted and does not wait.
    pub(super) fn keep_orphans(&mut self, at: usize) {
        let line = &mut self.lines[at];
        let file = line.number;
        let Some((files, records)) = line.orphans() else {
            return;
        };
        for found in std::mem::take(&mut line.pending) {
            let statistics = &mut self.lines[at].statistics;
            statistics.discarded_records += found.stored.records;
            statistics.discarded_bytes += found.bytes;
            self.keep(at, found);
        }
        self.notice(Notice::Orphaned {
            file,
            files,
            records,
        });
    }

    /// Somebody else is to get the files of a block than before, or nobody. What is on its way goes there once more.
    pub(super) fn renew(&mut self, at: usize) {
        for which in [Which::Primary, Which::Secondary] {
            self.said(at, which, None);
        }
        let line = &mut self.lines[at];
        let file = line.number;
        let secondary = line.config().is_some_and(|file| file.secondary.is_some());
        let told = std::mem::replace(&mut line.way, Way::new(secondary)).settled();
        if told {
            self.alarm(false, Condition::Receivers { file, why: None });
        }
    }

    /// A file that waited is kept as one that was transferred.
    pub(super) fn keep(&mut self, at: usize, found: Found) {
        let mut kept = found.clone();
        kept.stored.place = Place::Sent;
        let (from, to) = (found.stored, kept.stored.clone());
        self.outputs.push_back(Output::Move { from, to });
        self.lines[at].sent.push_back(kept);
        self.settle();
    }

    /// The file itself is in the way of those behind it: tried a few times, it is set aside.
    fn stays(&mut self, at: usize, flight: Flight, why: String, now: Now) {
        let line = &mut self.lines[at];
        let file = line.number;
        if !line.way.local(flight.seq, now.mono) {
            return;
        }
        if let Some(found) = line.set_aside(flight) {
            let (name, records) = (found.stored.name.clone(), found.stored.records);
            self.keep(at, found);
            self.notice(Notice::SetAside {
                file,
                name,
                records,
                why,
            });
        }
    }

    fn not_transferred(&mut self, at: usize, flight: Flight, error: &TransferError, now: Now) {
        let file = self.lines[at].number;
        let taken = *error == TransferError::NameTaken;
        if taken {
            self.rename(at, flight.seq);
        }
        let way = &mut self.lines[at].way;
        if taken && way.renamed() {
            return;
        }
        if way.failed(flight.which, now.mono) == After::Wait && way.tells(error) {
            let why = Some(error.clone());
            self.alarm(true, Condition::Receivers { file, why });
        }
    }

    /// A receiver has another file of that name: this one gets another.
    fn rename(&mut self, at: usize, seq: u64) {
        let names = self.lines.iter().flat_map(Line::names);
        let names: Vec<String> = names.map(str::to_owned).collect();
        let line = &mut self.lines[at];
        let (file, number) = (line.number, self.next_seq);
        let renamed = line.rename(seq, number, |name| !names.iter().any(|known| known == name));
        let Some((from, to)) = renamed else {
            return;
        };
        self.next_seq += 1;
        let name = to.name.clone();
        self.outputs.push_back(Output::Move { from, to });
        self.notice(Notice::Renamed { file, name });
    }

    pub(super) fn overdue(&self, now: Mono) -> Vec<u64> {
        let ways = self.lines.iter().map(|line| &line.way);
        ways.filter_map(|way| way.overdue(now)).collect()
    }
}
