//! Room on the disk: what goes when there is none, when more waits than may, and when it was kept long enough.

use std::time::Duration;

use licensing::{Mono, Now};

use super::line::{Line, Writing};
use super::{Collector, Condition, Notice, Output, PENDING_MAX, StoreError};

/// Minutes of a day.
const DAY_MIN: i64 = 1_440;

/// The alarm that files are dropped ends so long after the last was, unless much waits still.
const CALM: Duration = Duration::from_secs(3_600);

impl Collector {
    pub(super) fn not_stored(&mut self, at: usize, op: u64, error: StoreError, now: Now) {
        let full = error == StoreError::Full;
        self.storage(at, Some(error));
        let line = &mut self.lines[at];
        let needs = full.then(|| line.needs(op, now.mono)).flatten();
        let freed = match needs {
            Some((bytes, sample)) => self.make_room(bytes, sample, now.mono),
            None => false,
        };
        self.lines[at].not_written(op, freed, now.mono);
    }

    /// A sample that was taken is not written.
    pub(super) fn lost(&mut self, at: usize, sample: &Writing) {
        let line = &mut self.lines[at];
        let (file, records) = (line.number, sample.stored.records);
        line.statistics.discarded_records += records;
        line.statistics.discarded_bytes += sample.bytes.len() as u64;
        self.counts.lost += 1;
        self.notice(Notice::SampleLost { file, records });
    }

    /// Removes what is oldest until so many bytes are free: of what is kept, and for a sample then of what waits. Whether
    /// anything was.
    fn make_room(&mut self, bytes: u64, sample: bool, now: Mono) -> bool {
        let mut freed = 0;
        while freed < bytes {
            let more = self.let_one_go();
            let more = more.or_else(|| sample.then(|| self.discard(now)).flatten());
            let Some(more) = more else { break };
            freed += more;
        }
        freed > 0
    }

    /// Drops the oldest files until no more waits than may.
    pub(super) fn keep_limit(&mut self, now: Mono) {
        let mut bytes: u64 = self.lines.iter().map(|line| line.waiting().1).sum();
        while bytes > self.config.limit_bytes {
            let Some(gone) = self.discard(now) else { break };
            bytes = bytes.saturating_sub(gone);
        }
        for at in 0..self.lines.len() {
            while self.lines[at].pending.len() > PENDING_MAX {
                let Some(seq) = self.lines[at].oldest() else {
                    break;
                };
                self.discard_of(at, seq, now);
            }
        }
    }

    /// Completes files that are large already.
    pub(super) fn close_if_large(&mut self, now: Now) {
        let open: u64 = self.lines.iter().map(Line::open_bytes).sum();
        let closing = self.lines.iter().any(Line::closing);
        if open > self.config.limit_bytes / 2 && !closing {
            self.ask(None, true, now);
        }
    }

    /// Drops the oldest file that waits. Its bytes.
    fn discard(&mut self, now: Mono) -> Option<u64> {
        let lines = self.lines.iter().enumerate();
        let oldest = lines.filter_map(|(at, line)| Some((line.oldest()?, at)));
        let (seq, at) = oldest.min()?;
        Some(self.discard_of(at, seq, now))
    }

    fn discard_of(&mut self, at: usize, seq: u64, now: Mono) -> u64 {
        let line = &mut self.lines[at];
        let (file, gone) = (line.number, line.take_out(seq));
        let records = gone.iter().map(|found| found.stored.records).sum();
        let bytes = gone.iter().map(|found| found.bytes).sum();
        line.statistics.discarded_records += records;
        line.statistics.discarded_bytes += bytes;
        let name = gone
            .first()
            .map_or_else(String::new, |found| found.stored.name.clone());
        self.remove(&gone);
        if self.discarding.replace(now).is_none() {
            self.alarm(true, Condition::Discarding);
        }
        self.notice(Notice::Discarded {
            file,
            name,
            records,
        });
        bytes
    }

    /// Lets go of what was kept long enough, once a minute. The last file of a block stays: it says which interval had the last
    /// sample.
    pub(super) fn let_go(&mut self, now: Now) {
        let minute = now.wall.0.div_euclid(60_000);
        if self.let_go.replace(minute) == Some(minute) {
            return;
        }
        let oldest = minute - i64::from(self.config.historical_days) * DAY_MIN;
        for line in &mut self.lines {
            let mut many = line.sent.len().saturating_sub(PENDING_MAX);
            let mut left = line.sent.len();
            // The clock may have been put: minutes need not rise.
            line.sent.retain(|found| {
                left -= 1;
                let stays = left == 0 || (many == 0 && found.stored.minute > oldest);
                many = many.saturating_sub(1);
                if !stays {
                    self.outputs.push_back(Output::Remove(found.stored.clone()));
                }
                stays
            });
        }
        let sent = self.lines.iter().flat_map(|line| &line.sent);
        let mut bytes: u64 = sent.map(|found| found.bytes).sum();
        while bytes > self.config.historical_bytes {
            let Some(gone) = self.let_one_go() else { break };
            bytes = bytes.saturating_sub(gone);
        }
    }

    /// Lets go of the oldest file that is kept. Its bytes.
    fn let_one_go(&mut self) -> Option<u64> {
        let lines = self.lines.iter_mut().filter(|line| line.sent.len() > 1);
        let oldest = lines.min_by_key(|line| line.sent.front().map(|found| found.stored.seq));
        let found = oldest?.sent.pop_front()?;
        let bytes = found.bytes;
        self.remove(&[found]);
        Some(bytes)
    }

    pub(super) fn storage(&mut self, at: usize, why: Option<StoreError>) {
        let (failing, line) = (why.is_some(), &mut self.lines[at]);
        let file = line.number;
        if std::mem::replace(&mut line.storage_failing, failing) != failing {
            self.alarm(failing, Condition::Storage { file, why });
        }
    }

    /// Ends the alarm on what is dropped once half of the limit is free.
    pub(super) fn settle(&mut self) {
        if self.discarding.is_none() {
            return;
        }
        let waiting: u64 = self.lines.iter().map(|line| line.waiting().1).sum();
        if waiting <= self.config.limit_bytes / 2 {
            self.discarding = None;
            self.alarm(false, Condition::Discarding);
        }
    }

    /// The same if none arrives: it was for want of room on the disk, and there is some again.
    pub(super) fn calm(&mut self, now: Mono) {
        if self.discarding.is_some_and(|last| now >= last.after(CALM)) {
            self.settle();
        }
    }
}
