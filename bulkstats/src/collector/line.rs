//! The files of one `file <n>` block, from the first sample to the receiver.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use licensing::{Mono, Now, Wall};

use super::way::{Flight, Way};
use super::{LastTransfer, Output, Statistics};
use crate::config::{Config, FileConfig, Mechanism};
use crate::moment::Moment;
use crate::plan::{FilePlan, ZIPPED};
use crate::spool::{Found, Place, Stored};
use crate::view::View;

/// From one attempt to write a file to the next.
const WRITE_AGAIN: Duration = Duration::from_secs(10);

/// A name that is taken gets a number up to this; after that one that no other file has.
pub(super) const NUMBERS_MAX: u32 = 8;

/// The files of one block.
#[derive(Debug)]
pub(super) struct Line {
    pub number: u8,
    /// None: the block is not configured any more.
    pub plan: Option<FilePlan>,
    /// What takes the place of the plan once the file that it began is to be completed.
    next: Option<Option<FilePlan>>,
    /// It collects: it is configured and lacks nothing.
    collects: bool,
    /// What nobody gets is kept for days.
    keeps: bool,
    /// Samples of files that are not complete.
    pub open: Vec<Found>,
    /// The last of those files was begun by this process, and goes on.
    begun: bool,
    pub writing: Option<Writing>,
    /// Files that are to be completed, by name, with their footers.
    footers: VecDeque<(String, Vec<u8>)>,
    pub joining: Option<Joining>,
    pub pending: VecDeque<Found>,
    pub sent: VecDeque<Found>,
    pub way: Way,
    pub statistics: Statistics,
    /// What was to be written last was not.
    pub storage_failing: bool,
    /// When room was made on a full disk to complete a file.
    room: Option<Mono>,
    before: Option<Wall>,
}

/// A sample that is not on disk yet. It is tried until it is, or until the next one wants its place.
#[derive(Debug)]
pub(super) struct Writing {
    /// None: it waits to be written again.
    pub op: Option<u64>,
    pub stored: Stored,
    pub bytes: Arc<[u8]>,
    again: Mono,
    /// It has the header of its file.
    begins: bool,
    /// Room was made for it on a full disk.
    room: bool,
}

/// A file that is being completed.
#[derive(Debug)]
pub(super) struct Joining {
    /// None: it waits to be tried again.
    pub op: Option<u64>,
    pub parts: Vec<Found>,
    pub to: Stored,
    footer: Arc<[u8]>,
    again: Mono,
}

impl Line {
    pub fn new(number: u8, plan: Option<FilePlan>, whole: &Config) -> Self {
        let secondary = plan
            .as_ref()
            .is_some_and(|plan| plan.config().secondary.is_some());
        let mut line = Self {
            number,
            plan: None,
            next: None,
            collects: false,
            keeps: false,
            open: Vec::new(),
            begun: false,
            writing: None,
            footers: VecDeque::new(),
            joining: None,
            pending: VecDeque::new(),
            sent: VecDeque::new(),
            way: Way::new(secondary),
            statistics: Statistics::default(),
            storage_failing: false,
            room: None,
            before: None,
        };
        line.change(plan, whole);
        line
    }

    /// As it is configured, also if that waits for a file to be completed.
    pub fn config(&self) -> Option<&FileConfig> {
        let plan = self.next.as_ref().unwrap_or(&self.plan);
        plan.as_ref().map(FilePlan::config)
    }

    /// Takes another plan, or none, of this configuration. The file that was begun with the one before is completed with it,
    /// which wants a view: true.
    pub fn change(&mut self, plan: Option<FilePlan>, whole: &Config) -> bool {
        let config = plan.as_ref().map(FilePlan::config);
        self.collects = config.is_some_and(|file| whole.lacks(file).is_none());
        self.keeps = whole.historical_days > 0;
        let same = match (self.plan.as_ref().map(FilePlan::config), config) {
            (Some(old), Some(new)) => old.same_text(new) && self.collects,
            (old, new) => old.is_none() && new.is_none(),
        };
        self.next = Some(plan);
        let begun = !self.open.is_empty() || self.writing.is_some();
        if same || !begun {
            self.take_next();
            return false;
        }
        true
    }

    fn take_next(&mut self) {
        if let Some(plan) = self.next.take() {
            self.plan = plan;
        }
    }

    /// A plan waits for the file of the one before to be completed.
    pub fn changes(&self) -> bool {
        self.next.is_some()
    }

    /// It takes samples: it is configured, and lacks nothing.
    pub fn collects(&self) -> bool {
        self.collects
    }

    /// Somebody is to get its files.
    pub fn has_receiver(&self) -> bool {
        self.config().is_some_and(|file| file.primary.is_some())
    }

    /// Nobody is to get its files, and that is meant: the block is gone, or they are kept here. Else they wait.
    fn for_nobody(&self) -> bool {
        !self.has_receiver() && (self.keeps || self.config().is_none())
    }

    /// Nothing waits, and nothing is on its way.
    pub fn is_empty(&self) -> bool {
        let files = self.open.len() + self.pending.len();
        files == 0 && self.writing.is_none() && self.joining.is_none()
    }

    /// Records and bytes that wait to be transferred.
    pub fn waiting(&self) -> (u64, u64) {
        let joining = self.joining.iter().flat_map(|joining| &joining.parts);
        let all = self.open.iter().chain(joining).chain(&self.pending);
        all.fold((0, 0), |(records, bytes), found| {
            (records + found.stored.records, bytes + found.bytes)
        })
    }

    /// Bytes of samples whose file is not complete.
    pub fn open_bytes(&self) -> u64 {
        self.open.iter().map(|part| part.bytes).sum()
    }

    /// Some file is to be completed.
    pub fn closing(&self) -> bool {
        !self.footers.is_empty()
    }

    /// The file that a sample goes to, if it is not the first of one.
    fn going_on(&self) -> Option<&str> {
        let part = self.open.last().filter(|_| self.begun)?;
        Some(&part.stored.name)
    }

    /// The moment of a sample or footer; none: the block is not configured any more.
    pub fn moment(&self, view: &View, now: Now) -> Option<Moment> {
        let plan = self.plan.as_ref()?;
        Some(Moment::new(view, now.wall, plan.kinds(), self.before))
    }

    /// The name of the file that a sample of this moment and number goes to.
    pub fn name(
        &self,
        moment: &Moment,
        number: u64,
        fresh: impl Fn(&str) -> bool,
    ) -> Option<String> {
        if let Some(name) = self.going_on() {
            return Some(name.to_owned());
        }
        let plan = self.plan.as_ref()?;
        let zipped = plan.config().gzip;
        Some(unique(&plan.name(moment), zipped, number, fresh))
    }

    /// The sample before, if it waits still to be written when the next is taken: that wants its place.
    pub fn gives_up(&mut self, now: Mono) -> Option<Writing> {
        let writing = self.writing.take_if(|writing| writing.op.is_none())?;
        if writing.begins {
            self.begun = false;
        }
        // What was to be completed with it is completed without it.
        self.join_if_closed(now);
        Some(writing)
    }

    /// A sample that waits to be written is tried without a pause.
    pub fn hurry(&mut self, now: Mono) {
        if let Some(writing) = &mut self.writing {
            writing.again = now;
        }
    }

    /// Takes a sample, to be written to this file. Else the one before is being written still, and this one is given back.
    pub fn gather(
        &mut self,
        view: &View,
        moment: &Moment,
        now: Now,
        to: Stored,
    ) -> Option<Writing> {
        let plan = self.plan.as_ref()?;
        let mut bytes = Vec::new();
        let begins = self.going_on().is_none();
        if begins {
            plan.write_header(moment, &mut bytes);
        }
        let records = plan.write_sample(moment, view, &mut bytes);
        let writing = Writing {
            op: None,
            stored: Stored { records, ..to },
            bytes: bytes.into(),
            again: now.mono,
            begins,
            room: false,
        };
        if self.writing.is_some() {
            return Some(writing);
        }
        self.begun = true;
        self.before = Some(now.wall);
        self.writing = Some(writing);
        None
    }

    /// What there is of files is to be completed; the next sample begins another, by the plan that waits, if one does.
    pub fn close(&mut self, view: &View, now: Now) {
        let mut footer = Vec::new();
        if let (Some(plan), Some(moment)) = (&self.plan, self.moment(view, now)) {
            plan.write_footer(&moment, &mut footer);
        }
        let writing = self.writing.iter().map(|writing| &writing.stored);
        let parts = self.open.iter().map(|part| &part.stored).chain(writing);
        for Stored { name, .. } in parts {
            if !self.footers.iter().any(|(of, _)| of == name) {
                self.footers.push_back((name.clone(), footer.clone()));
            }
        }
        self.begun = false;
        self.take_next();
    }

    /// Files and rows that wait for nobody: the block is not configured any more, or they are kept here.
    pub fn orphans(&self) -> Option<(u64, u64)> {
        if !self.for_nobody() {
            return None;
        }
        let open = self.open.iter().filter(|_| self.plan.is_none());
        let file = u64::from(open.clone().next().is_some());
        let waiting = self.pending.iter().chain(open);
        let records = waiting.map(|found| found.stored.records).sum();
        let files = self.pending.len() as u64 + file;
        (files > 0).then_some((files, records))
    }

    /// What is to be written to disk now; `op` names it.
    pub fn write(&mut self, op: u64, now: Mono) -> Option<Output> {
        self.join_if_closed(now);
        if let Some(writing) = self
            .writing
            .as_mut()
            .filter(|w| w.op.is_none() && now >= w.again)
        {
            writing.op = Some(op);
            return Some(Output::Write {
                op,
                to: writing.stored.clone(),
                bytes: Arc::clone(&writing.bytes),
            });
        }
        let joining = self.joining.as_mut();
        let joining = joining.filter(|joining| joining.op.is_none() && now >= joining.again)?;
        joining.op = Some(op);
        Some(Output::Join {
            op,
            parts: joining
                .parts
                .iter()
                .map(|part| part.stored.clone())
                .collect(),
            footer: Arc::clone(&joining.footer),
            to: joining.to.clone(),
            gzip: joining.to.name.ends_with(ZIPPED),
        })
    }

    fn join_if_closed(&mut self, now: Mono) {
        if self.writing.is_some() || self.joining.is_some() {
            return;
        }
        let (first, footer) = loop {
            // Of one whose only sample was given up, nothing is there.
            let Some((name, footer)) = self.footers.pop_front() else {
                return;
            };
            let mut parts = self.open.iter().map(|part| &part.stored);
            if let Some(first) = parts.find(|part| part.name == name) {
                break (first.clone(), footer);
            }
        };
        let open = std::mem::take(&mut self.open).into_iter();
        let (parts, rest): (Vec<_>, _) = open.partition(|part| part.stored.name == first.name);
        self.open = rest;
        let to = Stored {
            place: match self.for_nobody() {
                true => Place::Sent,
                false => Place::Pending,
            },
            minute: parts.last().map_or(first.minute, |part| part.stored.minute),
            records: parts.iter().map(|part| part.stored.records).sum(),
            ..first
        };
        self.joining = Some(Joining {
            op: None,
            parts,
            to,
            footer: footer.into(),
            again: now,
        });
    }

    /// A sample is on disk.
    pub fn wrote(&mut self, op: u64, bytes: u64) -> bool {
        let Some(writing) = self.writing.take_if(|writing| writing.op == Some(op)) else {
            return false;
        };
        self.statistics.collected_records += writing.stored.records;
        self.statistics.collected_bytes += bytes;
        let stored = writing.stored;
        self.open.push(Found { stored, bytes });
        true
    }

    /// A file is complete: what is left of its parts.
    pub fn joined(&mut self, op: u64, bytes: u64) -> Option<Vec<Found>> {
        let joining = self.joining.take_if(|joining| joining.op == Some(op))?;
        self.room = None;
        let stored = joining.to;
        match stored.place {
            Place::Sent => self.sent.push_back(Found { stored, bytes }),
            Place::Open | Place::Pending => self.pending.push_back(Found { stored, bytes }),
        }
        Some(joining.parts)
    }

    /// The disk is full: bytes that it takes, and whether they are a sample's. None: room was made for it already, and others
    /// took it.
    pub fn needs(&mut self, op: u64, now: Mono) -> Option<(u64, bool)> {
        if let Some(writing) = self.writing.as_mut().filter(|w| w.op == Some(op)) {
            let bytes = writing.bytes.len() as u64;
            return (!std::mem::replace(&mut writing.room, true)).then_some((bytes, true));
        }
        if self.room.is_some_and(|room| now < room.after(WRITE_AGAIN)) {
            return None;
        }
        self.room = Some(now);
        let joining = self.joining.as_ref()?;
        let parts: u64 = joining.parts.iter().map(|part| part.bytes).sum();
        Some((parts + joining.footer.len() as u64, false))
    }

    /// What was to be written was not, and is to be written again.
    pub fn not_written(&mut self, op: u64, at_once: bool, now: Mono) {
        let again = if at_once { now } else { now.after(WRITE_AGAIN) };
        if let Some(joining) = self.joining.as_mut().filter(|j| j.op == Some(op)) {
            joining.op = None;
            joining.again = again;
        }
        if let Some(writing) = self.writing.as_mut().filter(|w| w.op == Some(op)) {
            writing.op = None;
            writing.again = again;
        }
    }

    /// Is it one of these?
    pub fn has_op(&self, op: u64) -> bool {
        let writing = self.writing.as_ref().and_then(|writing| writing.op);
        let joining = self.joining.as_ref().and_then(|joining| joining.op);
        writing == Some(op) || joining == Some(op)
    }

    /// A transfer, if it is time for one.
    pub fn transfer(&mut self, attempt: u64, now: Now) -> Option<Output> {
        let (number, receivers) = (self.number, self.has_receiver());
        let next = self.pending.front().filter(|_| receivers)?;
        let receiver = self.way.begin(attempt, next.stored.seq, now)?;
        self.statistics.last_attempt = Some(now.wall);
        Some(Output::Transfer {
            attempt,
            file: number,
            stored: next.stored.clone(),
            receiver,
        })
    }

    /// A file is with a receiver.
    pub fn transferred(&mut self, flight: Flight, now: Now) -> Option<Found> {
        let found = self.pending.pop_front_if(|f| f.stored.seq == flight.seq)?;
        let statistics = &mut self.statistics;
        statistics.transmitted_records += found.stored.records;
        statistics.transmitted_bytes += found.bytes;
        statistics.last = Some(LastTransfer {
            at: now.wall,
            took_s: now.mono.since(flight.since).as_secs(),
            records: found.stored.records,
            bytes: found.bytes,
        });
        Some(found)
    }

    /// A file that can't be transferred is taken for one that was.
    pub fn set_aside(&mut self, flight: Flight) -> Option<Found> {
        let found = self.pending.pop_front_if(|f| f.stored.seq == flight.seq)?;
        self.statistics.discarded_records += found.stored.records;
        self.statistics.discarded_bytes += found.bytes;
        Some(found)
    }

    /// The oldest file that can go: complete and not on its way, or one that can't be completed.
    pub fn oldest(&self) -> Option<u64> {
        let flying = self.way.flight().map(|flight| flight.seq);
        let mut pending = self.pending.iter().map(|found| found.stored.seq);
        let pending = pending.find(|seq| Some(*seq) != flying);
        let stuck = self.joining.as_ref().filter(|joining| joining.op.is_none());
        stuck
            .map(|joining| joining.to.seq)
            .into_iter()
            .chain(pending)
            .min()
    }

    /// Takes that file out: all that is on disk of it.
    pub fn take_out(&mut self, seq: u64) -> Vec<Found> {
        if let Some(joining) = self.joining.take_if(|joining| joining.to.seq == seq) {
            return joining.parts;
        }
        let place = self
            .pending
            .iter()
            .position(|found| found.stored.seq == seq);
        place
            .and_then(|place| self.pending.remove(place))
            .into_iter()
            .collect()
    }

    /// All that is not being completed or transferred. A sample that is being written goes once it is.
    pub fn take_all(&mut self) -> Vec<Found> {
        let mut all = std::mem::take(&mut self.open);
        let writing = self.writing.take().filter(|writing| writing.op.is_some());
        all.extend(writing.map(|writing| Found {
            stored: writing.stored,
            bytes: 0,
        }));
        self.footers.clear();
        while let Some(seq) = self.oldest() {
            all.extend(self.take_out(seq));
        }
        all
    }

    /// The names that its files have at the receiver.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let joining = self.joining.iter().map(|joining| &joining.to);
        let writing = self.writing.iter().map(|writing| &writing.stored);
        let found = self.open.iter().chain(&self.pending).chain(&self.sent);
        let all = found
            .map(|found| &found.stored)
            .chain(joining)
            .chain(writing);
        all.map(|stored| stored.name.as_str())
    }

    /// Another name for the file that was to be transferred: as it was, and as it is.
    pub fn rename(
        &mut self,
        seq: u64,
        number: u64,
        fresh: impl Fn(&str) -> bool,
    ) -> Option<(Stored, Stored)> {
        let found = self
            .pending
            .front_mut()
            .filter(|found| found.stored.seq == seq)?;
        let from = found.stored.clone();
        let plain = from.name.strip_suffix(ZIPPED);
        let name = plain.unwrap_or(&from.name);
        found.stored.name = unique(name, plain.is_some(), number, |other| {
            *other != from.name && fresh(other)
        });
        Some((from, found.stored.clone()))
    }
}

/// The name, or the next with a number before its last point that is fresh: `a.csv`, `a~2.csv`, `a~3.csv`. There are few of
/// them, as a receiver is asked for each; then comes one by a number that files have only once: `a~s4711.csv`.
fn unique(name: &str, zipped: bool, number: u64, fresh: impl Fn(&str) -> bool) -> String {
    let slash = name.rfind('/').map_or(0, |at| at + 1);
    let point = name[slash..].rfind('.').map_or(name.len(), |at| slash + at);
    let (stem, ending) = name.split_at(point);
    let (stem, first) = match stem.rsplit_once('~') {
        Some((stem, tag)) if tag.parse::<u32>().is_ok() => (stem, tag.parse().unwrap_or(1)),
        Some((stem, tag)) if by_number(tag) => (stem, NUMBERS_MAX),
        Some(_) | None => (stem, 1),
    };
    let zipped = if zipped { ZIPPED } else { "" };
    let numbered = first.saturating_add(1)..=NUMBERS_MAX;
    let numbered = numbered.map(|n| format!("{stem}~{n}{ending}{zipped}"));
    let others = (number..).map(|n| format!("{stem}~s{n}{ending}{zipped}"));
    let as_it_is = format!("{name}{zipped}");
    let mut names = std::iter::once(as_it_is.clone())
        .chain(numbered)
        .chain(others);
    names.find(|name| fresh(name)).unwrap_or(as_it_is)
}

/// `s4711`
fn by_number(tag: &str) -> bool {
    let number = tag.strip_prefix('s');
    number.is_some_and(|number| number.parse::<u64>().is_ok())
}

/// `SFTP`, as it is shown.
impl std::fmt::Display for Mechanism {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Sftp => "SFTP",
            Self::Ftp => "FTP",
            Self::Tftp => "TFTP",
            Self::Http => "HTTP",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_taken_gets_a_number() {
        let taken = ["d.x/a.csv", "d.x/a~2.csv", "b", "c.csv.gz"];
        let fresh = |name: &str| !taken.contains(&name);
        for (name, zipped, expected) in [
            ("d.x/b.csv", false, "d.x/b.csv"),
            ("d.x/a.csv", false, "d.x/a~3.csv"),
            ("b", false, "b~2"),
            ("c.csv", true, "c~2.csv.gz"),
        ] {
            assert_eq!(unique(name, zipped, 42, fresh), expected);
        }
        let not = |name: &str, taken: &str| unique(name, false, 42, |other| other != taken);
        assert_eq!(not("d.x/e", "d.x/e"), "d.x/e~2");
        assert_eq!(not("f~7.csv", "f~7.csv"), "f~8.csv");
        assert_eq!(not("f~8.csv", "f~8.csv"), "f~s42.csv");
        assert_eq!(not("f~s41.csv", "f~s41.csv"), "f~s42.csv");
        assert_eq!(not("f~s42.csv", "f~s42.csv"), "f~s43.csv", "never the same");
    }

    #[test]
    fn names_never_come_to_an_end() {
        let mut names: Vec<String> = Vec::new();
        for number in 1..=1_200 {
            let name = unique("stats.csv", false, number, |name| {
                !names.iter().any(|known| known == name)
            });
            assert!(!names.contains(&name), "{name}");
            names.push(name);
        }
        assert_eq!(names[7..9], ["stats~8.csv", "stats~s9.csv"]);
        assert_eq!(names[1_199], "stats~s1200.csv");
    }
}
