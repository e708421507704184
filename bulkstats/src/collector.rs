//! The collector: when samples are taken, what becomes of them, and who gets them.
//!
//! ```text
//! tick -> Sample -> sample(view) -> Write (one sample, in open/) -> stored
//!                                   Join (header, samples, footer, to pending/) -> stored
//!                                   Transfer -> transferred or failed -> Move to sent/
//! ```
//!
//! Outputs are done in their order, each whole: what is on disk is the truth, and [`Collector::new`] goes on from what it
//! finds there. A sample that is written is not lost by the end of the process, and a file is transferred at least once.

mod change;
mod delivery;
mod intervals;
mod line;
mod output;
mod room;
mod show;
#[cfg(test)]
mod tests;
mod way;

use std::collections::VecDeque;
use std::time::Duration;

use licensing::{Mono, Now};

use crate::config::{Config, ConfigError, FILES};
use crate::spool::{Found, Place, Stored};
use crate::view::View;
use intervals::Intervals;
pub use intervals::Skip;
use line::Line;
pub use output::{Condition, Notice, Output, StoreError};
pub use show::{FileStatus, LastTransfer, Statistics, Status};
pub use way::{BACK_OFF, BACK_OFF_MAX, PRIMARY_AGAIN, TRANSFER_MAX, TransferError, Which};

/// Longest wait for a view; then it is asked for again.
pub const VIEW_MAX: Duration = Duration::from_secs(30);

/// Files of one block that wait to be transferred at most, and that are kept at most; of more the oldest goes.
pub const PENDING_MAX: usize = 65_536;

/// A view that was asked for.
#[derive(Clone, Copy, Debug)]
struct Asked {
    /// A sample is taken, of the interval that began at this minute.
    gather: Option<i64>,
    /// Files are completed.
    close: bool,
    at: Mono,
}

/// The machine.
#[derive(Debug)]
pub struct Collector {
    config: Config,
    intervals: Intervals,
    transfers: Intervals,
    lines: Vec<Line>,
    /// Samples were found whose file is not complete. It is completed, as it may have been begun by another configuration.
    found_open: bool,
    asked: Option<Asked>,
    next_seq: u64,
    next_op: u64,
    next_attempt: u64,
    counts: Counts,
    /// When the last file was dropped, if that is alarmed.
    discarding: Option<Mono>,
    /// The minute in which it was looked at what is kept long enough.
    let_go: Option<i64>,
    outputs: VecDeque<Output>,
}

/// What happened to intervals since the process began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counts {
    samples: u64,
    skipped: u64,
    repeated: u64,
    lost: u64,
}

impl Collector {
    /// Goes on from what is on disk. Errors: the configuration is refused.
    pub fn new(config: Config, mut found: Vec<Found>) -> Result<Self, ConfigError> {
        let mut plans = config.plans()?;
        found.sort_by_key(|found| (found.stored.seq, found.stored.place));
        let lines = (1..=FILES).map(|number| {
            let plan = plans.iter().position(|plan| plan.config().number == number);
            Line::new(number, plan.map(|at| plans.swap_remove(at)), &config)
        });
        let mut lines: Vec<Line> = lines.collect();
        let last = found.last().map(|found| found.stored.minute);
        let next_seq = found
            .last()
            .map_or(1, |found| found.stored.seq.saturating_add(1));
        let mut outputs = VecDeque::new();
        for line in &mut lines {
            let number = line.number;
            let of_line = found.iter().filter(|found| found.stored.file == number);
            take_found(line, of_line, &mut outputs);
        }
        let mut intervals = Intervals::new(config.sample_interval_min, last);
        had(&mut intervals, &found, config.transfer_interval_min);
        let mut collector = Self {
            intervals,
            transfers: Intervals::new(config.transfer_interval_min, last),
            found_open: lines.iter().any(|line| !line.open.is_empty()),
            lines,
            asked: None,
            next_seq,
            next_op: 1,
            next_attempt: 1,
            counts: Counts::default(),
            discarding: None,
            let_go: None,
            outputs,
            config,
        };
        for at in 0..collector.lines.len() {
            collector.keep_orphans(at);
        }
        collector.keep_limit(Mono(0));
        Ok(collector)
    }

    /// Looks at the clock. To be called at least once a second, and at [`Self::poll_timeout`].
    pub fn tick(&mut self, now: Now) {
        if self.asked.is_none() {
            self.look(now);
        }
        if let Some(asked) = self
            .asked
            .as_mut()
            .filter(|asked| now.mono >= asked.at.after(VIEW_MAX))
        {
            asked.at = now.mono;
            self.outputs.push_back(Output::Sample);
        }
        for attempt in self.overdue(now.mono) {
            self.transferred(attempt, Err(TransferError::Timeout), now);
        }
        self.proceed(now);
        self.let_go(now);
        self.calm(now.mono);
        for at in 0..self.lines.len() {
            if !self.config.collection || !self.lines[at].collects() {
                self.forgive(at);
            }
        }
    }

    /// Takes a sample of this view, completes files, or both, if that was asked for. What is about to be written is written
    /// first: it may have room now.
    pub fn sample(&mut self, view: &View, now: Now) {
        let writes = |output: &Output| matches!(output, Output::Write { .. });
        if self.asked.is_some() && self.outputs.iter().any(writes) {
            self.outputs.push_back(Output::Sample);
            return;
        }
        let Some(asked) = self.asked.take() else {
            return;
        };
        if let Some(minute) = asked.gather {
            self.gather(view, now, minute);
        }
        for at in 0..self.lines.len() {
            let changes = self.lines[at].changes();
            if asked.close || changes {
                self.lines[at].close(view, now);
            }
            if changes {
                self.keep_orphans(at);
            }
        }
        self.proceed(now);
    }

    /// A file is on disk, and so long; or it is not.
    pub fn stored(&mut self, op: u64, result: Result<u64, StoreError>, now: Now) {
        let Some(at) = self.lines.iter().position(|line| line.has_op(op)) else {
            return;
        };
        match result {
            Ok(bytes) => {
                self.storage(at, None);
                let line = &mut self.lines[at];
                if !line.wrote(op, bytes) {
                    let parts = line.joined(op, bytes).unwrap_or_default();
                    self.remove(&parts);
                }
                self.keep_limit(now.mono);
                self.close_if_large(now);
            }
            Err(error) => self.not_stored(at, op, error, now),
        }
        self.proceed(now);
    }

    /// `bulkstats force gather`: one sample more.
    pub fn force_gather(&mut self, now: Now) {
        let minute = self.intervals.minute(now.wall);
        self.ask(Some(minute), false, now);
    }

    /// `bulkstats force transfer`: files are completed, and all that wait are transferred.
    pub fn force_transfer(&mut self, now: Now) {
        self.ask(None, true, now);
        for line in &mut self.lines {
            line.way.hurry_to_primary();
        }
        self.proceed(now);
    }

    /// `clear bulkstats counters`.
    pub fn clear_counters(&mut self) {
        self.counts = Counts::default();
        for line in &mut self.lines {
            line.statistics = Statistics::default();
        }
    }

    /// `clear bulkstats data`: drops what waits to be transferred, but for what is on its way.
    pub fn clear_data(&mut self) {
        for at in 0..self.lines.len() {
            let all = self.lines[at].take_all();
            self.remove(&all);
            self.forgive(at);
        }
        self.settle();
    }

    /// When time alone asks for [`Self::tick`], at the latest; clocks may jump, so that once a second is better.
    pub fn poll_timeout(&self, now: Now) -> Duration {
        let boundary = self.intervals.left_ms(now.wall);
        let boundary = boundary.min(self.transfers.left_ms(now.wall));
        let boundary = Duration::from_millis(boundary.unsigned_abs());
        let ways = self.lines.iter().filter(|line| !line.pending.is_empty());
        let ways = ways.map(|line| line.way.due().since(now.mono));
        ways.fold(boundary, Duration::min)
    }

    /// The next thing to do.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    fn look(&mut self, now: Now) {
        let close = self.transfers.look(now).due | std::mem::take(&mut self.found_open);
        if !self.config.collection {
            let open = self.lines.iter().any(|line| !line.open.is_empty());
            if open {
                self.ask(None, true, now);
            }
            return;
        }
        let minute = self.intervals.minute(now.wall);
        let look = self.intervals.look(now);
        if let Some((intervals, why)) = look.skipped {
            self.counts.skipped += intervals;
            self.notice(Notice::Skipped { intervals, why });
        }
        if let Some(intervals) = look.back {
            self.notice(Notice::PutBack { intervals });
        }
        if look.repeated {
            self.counts.repeated += 1;
            self.notice(Notice::Repeated { minute });
        }
        if look.due || close {
            self.ask(look.due.then_some(minute), close, now);
        }
    }

    fn ask(&mut self, gather: Option<i64>, close: bool, now: Now) {
        // A sample that is not on disk yet is tried once more before the next takes its place.
        if gather.is_some() {
            self.lines.iter_mut().for_each(|line| line.hurry(now.mono));
            self.proceed(now);
        }
        match &mut self.asked {
            Some(asked) => {
                asked.gather = asked.gather.or(gather);
                asked.close |= close;
            }
            None => {
                self.asked = Some(Asked {
                    gather,
                    close,
                    at: now.mono,
                });
                self.outputs.push_back(Output::Sample);
            }
        }
    }

    fn gather(&mut self, view: &View, now: Now, minute: i64) {
        self.counts.samples += 1;
        for at in 0..self.lines.len() {
            if let Some(sample) = self.lines[at].gives_up(now.mono) {
                self.lost(at, &sample);
            }
            let fresh = |name: &str| !self.lines.iter().flat_map(Line::names).any(|n| n == name);
            let line = &self.lines[at];
            if !line.collects() {
                continue;
            }
            let moment = line.moment(view, now);
            let name = moment.as_ref();
            let name = name.and_then(|moment| line.name(moment, self.next_seq, fresh));
            let (Some(moment), Some(name)) = (moment, name) else {
                continue;
            };
            let to = Stored {
                place: Place::Open,
                file: line.number,
                seq: self.next_seq,
                minute,
                records: 0,
                name,
            };
            self.next_seq += 1;
            if let Some(sample) = self.lines[at].gather(view, &moment, now, to) {
                self.lost(at, &sample);
            }
        }
    }

    /// Begins whatever can be begun: writes, completions, transfers.
    fn proceed(&mut self, now: Now) {
        for line in &mut self.lines {
            while let Some(output) = line.write(self.next_op, now.mono) {
                self.next_op += 1;
                self.outputs.push_back(output);
            }
            if let Some(output) = line.transfer(self.next_attempt, now) {
                self.next_attempt += 1;
                self.outputs.push_back(output);
            }
        }
    }

    fn remove(&mut self, files: &[Found]) {
        let files = files.iter().map(|found| found.stored.clone());
        self.outputs.extend(files.map(Output::Remove));
    }

    fn alarm(&mut self, raised: bool, condition: Condition) {
        self.outputs.push_back(Output::Alarm { raised, condition });
    }

    fn notice(&mut self, notice: Notice) {
        self.outputs.push_back(Output::Notice(notice));
    }
}

/// Intervals that had a sample by what is on disk. A file tells that of its last one; it began after the file before, and a
/// transfer interval earlier at most.
fn had(intervals: &mut Intervals, found: &[Found], transfer_interval_min: u32) {
    for number in 1..=FILES {
        let mut before = None;
        for stored in found.iter().map(|found| &found.stored) {
            if stored.file != number {
                continue;
            }
            let earliest = stored.minute - i64::from(transfer_interval_min);
            let after = before.filter(|before| *before <= stored.minute);
            intervals.had(
                after.map_or(earliest, |after: i64| after.max(earliest)),
                stored.minute,
            );
            before = Some(stored.minute);
        }
    }
}

/// What was found of one block. A part of a file that is complete is left from before the end of the process, and goes.
fn take_found<'f>(
    line: &mut Line,
    found: impl Iterator<Item = &'f Found>,
    outputs: &mut VecDeque<Output>,
) {
    let (parts, whole): (Vec<_>, Vec<_>) = found.partition(|f| f.stored.place == Place::Open);
    let complete = |part: &Stored| {
        let mut stored = whole.iter().map(|found| &found.stored);
        stored.any(|whole| whole.name == part.name && whole.seq <= part.seq)
    };
    for part in parts {
        match complete(&part.stored) {
            true => outputs.push_back(Output::Remove(part.stored.clone())),
            false => line.open.push(part.clone()),
        }
    }
    for found in whole {
        match found.stored.place {
            Place::Sent => line.sent.push_back(found.clone()),
            Place::Open | Place::Pending => line.pending.push_back(found.clone()),
        }
    }
}
