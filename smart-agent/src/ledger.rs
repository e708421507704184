//! The ledger of usage: an interval that is open, and reports that are closed, numbered and chained.
//!
//! ```text
//! measured = what the authority has (acknowledged reports) + reports on their way + the open interval
//! ```
//!
//! A report is written once and kept before it is sent. The authority tells reports apart by number and digest, so one
//! that comes twice counts once. When there is no room for another report, or the disk takes none, the interval stays open
//! and goes on adding: usage is told later, and coarser, but never lost.

use std::collections::{BTreeMap, VecDeque};

use api::smart::{
    Acknowledged, Digest, REPORTS_BYTES_MAX, REPORTS_MAX, Receipt, ReportEntry, ReportText,
    UsageReport,
};
use licensing::{LicenseCount, Tag, Wall};

use crate::certificate::digest;
use crate::record::{IntervalRecord, LedgerRecord, Marks, Record, UsageSum};

/// Most reports that wait for the authority; when there are more, intervals grow longer.
pub const WAITING_MAX: usize = 512;
/// Reports that are kept after the authority acknowledged them, for one that is restored from an older copy.
pub const KEPT: usize = 512;

/// The ledger.
#[derive(Clone, Debug)]
pub(crate) struct Ledger {
    /// Rising by one.
    reports: VecDeque<Closed>,
    acknowledged: u64,
    /// The last report of the chain, here or not.
    head: Option<Acknowledged>,
    open: IntervalRecord,
    unkept: Unkept,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Closed {
    report_id: u64,
    text: ReportText,
    digest: Digest,
}

/// What follows from a receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Follows {
    /// Other reports are to be sent now.
    pub(crate) more: bool,
    /// The authority has reports of this identity that this node did not make, or does not remember.
    pub(crate) behind: bool,
}

/// What the disk does not know yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Unkept {
    /// Reports from this number on.
    reports_from: Option<u64>,
    marks: bool,
    interval: bool,
    all: bool,
}

impl Ledger {
    pub(crate) fn restored(record: LedgerRecord, date: Wall) -> Self {
        let mut reports: VecDeque<Closed> = VecDeque::new();
        for (report_id, text) in record.reports {
            let readable = text.read().is_ok_and(|read| read.report_id == report_id);
            let last = reports.back();
            // No crash makes a hole, only a hand does: the chain is taken up after it.
            if !readable || last.is_some_and(|last| last.report_id + 1 != report_id) {
                reports.clear();
            }
            if readable {
                reports.push_back(Closed::new(report_id, text));
            }
        }
        let head = reports.back().map(Closed::stamp).or(record.marks.head);
        let last = head.map_or(0, |head| head.report_id);
        let open = record.interval.filter(|interval| interval.after == last);
        // The crash came before this interval was kept: it begins as the last one ended.
        let open = open.unwrap_or_else(|| IntervalRecord {
            after: last,
            start: date,
            interval_ms: 0,
            entries: reports.back().map(Closed::carried).unwrap_or_default(),
        });
        Self {
            reports,
            acknowledged: record.marks.acknowledged.min(last),
            head,
            open,
            unkept: Unkept::default(),
        }
    }

    /// Tags that nothing is seen of any more, as those of a catalog that was withdrawn, are not in use: what they were used
    /// until then is reported, and that they are used no longer.
    pub(crate) fn end_all_but(&mut self, known: impl Fn(&Tag) -> bool) {
        let entries = self.open.entries.iter_mut();
        for (_, sum) in entries.filter(|(tag, _)| !known(tag)) {
            sum.licenses = LicenseCount(0);
        }
    }

    /// Time passed in which so many licenses of each tag were in use.
    pub(crate) fn measure<'a>(
        &mut self,
        elapsed_ms: u64,
        used: impl Iterator<Item = (&'a Tag, LicenseCount)>,
    ) {
        if elapsed_ms == 0 {
            return;
        }
        self.open.interval_ms = self.open.interval_ms.saturating_add(elapsed_ms);
        for (tag, licenses) in used.filter(|(_, licenses)| licenses.0 > 0) {
            let sum = self.sum(tag);
            let more = u64::from(licenses.0).saturating_mul(elapsed_ms);
            sum.license_ms = sum.license_ms.saturating_add(more);
        }
    }

    /// So many licenses of a tag are in use from here on.
    pub(crate) fn see(&mut self, tag: &Tag, licenses: LicenseCount) {
        if licenses.0 > 0 || self.open.entries.contains_key(tag) {
            let sum = self.sum(tag);
            sum.licenses = licenses;
            sum.peak = sum.peak.max(licenses);
        }
    }

    fn sum(&mut self, tag: &Tag) -> &mut UsageSum {
        self.open.entries.entry(tag.clone()).or_default()
    }

    /// Whether another report may be made now: there is room, and the disk has taken the last one.
    pub(crate) fn has_room(&self) -> bool {
        self.waiting() < WAITING_MAX && self.unkept.reports_from.is_none() && !self.unkept.all
    }

    /// Reports that the authority has not acknowledged.
    pub(crate) fn waiting(&self) -> usize {
        let waits = |closed: &&Closed| closed.report_id > self.acknowledged;
        self.reports.iter().rev().take_while(waits).count()
    }

    /// Number of the last report; 0: there is none.
    pub(crate) fn last_report(&self) -> u64 {
        self.head.map_or(0, |head| head.report_id)
    }

    /// Closes the interval into a report, if anything was used in it and there is room.
    pub(crate) fn close(&mut self, date: Wall) -> bool {
        if !self.has_room() || self.open.entries.is_empty() || self.open.interval_ms == 0 {
            return false;
        }
        let report_id = self.open.after + 1;
        let previous = self.head.map(|head| head.digest);
        let next = IntervalRecord {
            after: report_id,
            start: date,
            ..IntervalRecord::default()
        };
        let closed = std::mem::replace(&mut self.open, next);
        let used_on = closed.entries.iter().filter(|(_, sum)| sum.licenses.0 > 0);
        let begun = used_on.map(|(tag, sum)| (tag.clone(), UsageSum::begun(sum.licenses)));
        self.open.entries = begun.collect();
        let report = report(report_id, previous, closed, date);
        let closed = Closed::new(report_id, report.text());
        self.head = Some(closed.stamp());
        self.reports.push_back(closed);
        self.unkept.reports_from.get_or_insert(report_id);
        true
    }

    /// What is in the interval is to be kept: so much a crash can cost at the most.
    pub(crate) fn keep_interval(&mut self) {
        self.unkept.interval |= self.open.interval_ms > 0 && !self.open.entries.is_empty();
    }

    /// Reports for the next message, oldest first, and the number of the oldest that there is.
    pub(crate) fn next(&self) -> (Vec<ReportText>, Option<u64>) {
        let mut bytes = 0;
        let waiting = self.reports.iter();
        let waiting = waiting.filter(|closed| closed.report_id > self.acknowledged);
        let texts = waiting
            .map(|closed| closed.text.clone())
            .take(REPORTS_MAX)
            .take_while(|text| {
                bytes += text.as_str().len();
                bytes <= REPORTS_BYTES_MAX
            });
        let oldest = self.reports.front().map(|oldest| oldest.report_id);
        (texts.collect(), oldest)
    }

    /// What the authority says of the reports of the last message.
    pub(crate) fn receipt(&mut self, receipt: &Receipt) -> Follows {
        let before = self.acknowledged;
        let mut behind = false;
        let last = receipt.last;
        let known = last.and_then(|last| self.digest_of(last.report_id));
        match last {
            // It has nothing, or less than the oldest that is left: all that is left is for it.
            None => self.acknowledged = self.before_oldest(),
            Some(last) if known == Some(last.digest) => self.acknowledged = last.report_id,
            Some(last) if known.is_none() && last.report_id <= self.before_oldest() => {
                self.acknowledged = self.before_oldest();
            }
            // It has another report of this number, or of a later one: two nodes have this identity, or the state of this
            // one was restored.
            Some(last) => {
                self.renumber(last, &receipt.taken);
                behind = true;
            }
        }
        let moved = self.acknowledged != before;
        self.unkept.marks |= moved;
        self.trim();
        Follows {
            more: moved && self.waiting() > 0,
            behind,
        }
    }

    /// A registration begins: what another authority has acknowledged is not for this one, and what was used before it
    /// is for none.
    pub(crate) fn begin_instance(&mut self, was_registered: bool, date: Wall) {
        let acknowledged = self.acknowledged;
        self.reports
            .retain(|closed| closed.report_id > acknowledged);
        self.unkept.marks = true;
        if !was_registered {
            self.drop_interval(date);
        }
    }

    /// What was used since the last report is for nobody.
    pub(crate) fn drop_interval(&mut self, date: Wall) {
        let used_on = self
            .open
            .entries
            .iter()
            .filter(|(_, sum)| sum.licenses.0 > 0);
        let begun = used_on.map(|(tag, sum)| (tag.clone(), UsageSum::begun(sum.licenses)));
        self.open = IntervalRecord {
            after: self.open.after,
            start: date,
            interval_ms: 0,
            entries: begun.collect(),
        };
        self.unkept.interval = true;
    }

    fn digest_of(&self, report_id: u64) -> Option<Digest> {
        let is = |of: u64| of == report_id;
        let here = self.reports.iter().find(|closed| is(closed.report_id));
        let head = self.head.filter(|head| is(head.report_id));
        here.map(|closed| closed.digest)
            .or(head.map(|head| head.digest))
    }

    /// Number of the last report that is not here any more.
    fn before_oldest(&self) -> u64 {
        let oldest = self.reports.front().map(|oldest| oldest.report_id - 1);
        oldest.unwrap_or_else(|| self.last_report())
    }

    /// Gives what is not taken the numbers after the authority's last, and forgets the rest.
    fn renumber(&mut self, last: Acknowledged, taken: &[u64]) {
        let acknowledged = self.acknowledged;
        let mut chain = last;
        let mut renumbered = VecDeque::new();
        for closed in self.reports.drain(..) {
            let done = closed.report_id <= acknowledged || taken.contains(&closed.report_id);
            // What was kept is a report: it was read when it was written.
            let Some(mut report) = closed.text.read().ok().filter(|_| !done) else {
                continue;
            };
            report.report_id = chain.report_id + 1;
            report.previous = Some(chain.digest);
            let closed = Closed::new(report.report_id, report.text());
            chain = closed.stamp();
            renumbered.push_back(closed);
        }
        self.reports = renumbered;
        self.acknowledged = last.report_id;
        self.head = Some(chain);
        self.open.after = chain.report_id;
        self.unkept.all = true;
    }

    /// Lets go of what was acknowledged long ago.
    fn trim(&mut self) {
        let acknowledged = self.acknowledged;
        let done = |closed: &Closed| closed.report_id <= acknowledged;
        let held = self
            .reports
            .iter()
            .take_while(|closed| done(closed))
            .count();
        for _ in KEPT..held {
            self.reports.pop_front();
            self.unkept.marks = true;
        }
    }

    /// What is to be kept now, oldest first.
    pub(crate) fn unkept(&self) -> Vec<Record> {
        if self.unkept.all {
            return vec![Record::Ledger(self.record())];
        }
        let from = self.unkept.reports_from.unwrap_or(u64::MAX);
        let reports = self.reports.iter().filter(|r| r.report_id >= from);
        let reports = reports.map(|closed| Record::Report {
            report_id: closed.report_id,
            text: closed.text.clone(),
        });
        let marks = self.unkept.marks.then(|| Record::Marks(self.marks()));
        let interval = self.unkept.interval.then(|| self.open.clone());
        let interval = interval.map(Record::Interval);
        reports.chain(marks).chain(interval).collect()
    }

    /// The disk took all of it.
    pub(crate) fn kept(&mut self) {
        self.unkept = Unkept::default();
    }

    /// The disk did not take it: all is to be kept anew.
    pub(crate) fn not_kept(&mut self) {
        self.unkept.all = true;
    }

    fn marks(&self) -> Marks {
        Marks {
            acknowledged: self.acknowledged,
            below: self.before_oldest() + 1,
            head: self.head,
        }
    }

    fn record(&self) -> LedgerRecord {
        let reports = self.reports.iter();
        LedgerRecord {
            reports: reports.map(|r| (r.report_id, r.text.clone())).collect(),
            marks: self.marks(),
            interval: Some(self.open.clone()),
        }
    }
}

impl Closed {
    fn new(report_id: u64, text: ReportText) -> Self {
        let digest = digest(text.as_str().as_bytes());
        Self {
            report_id,
            text,
            digest,
        }
    }

    /// What an interval after it begins with.
    fn carried(&self) -> BTreeMap<Tag, UsageSum> {
        // What was kept is a report: it was read when it was written.
        let entries = self.text.read().map(|report| report.entries);
        let used_on = entries.unwrap_or_default().into_iter();
        let used_on = used_on.filter(|entry| entry.licenses.0 > 0);
        used_on
            .map(|entry| (entry.tag, UsageSum::begun(entry.licenses)))
            .collect()
    }

    fn stamp(&self) -> Acknowledged {
        Acknowledged {
            report_id: self.report_id,
            digest: self.digest,
        }
    }
}

impl UsageSum {
    /// What an interval begins with where the last one ended with so many licenses.
    fn begun(licenses: LicenseCount) -> Self {
        Self {
            licenses,
            peak: licenses,
            license_ms: 0,
        }
    }
}

fn report(
    report_id: u64,
    previous: Option<Digest>,
    closed: IntervalRecord,
    end: Wall,
) -> UsageReport {
    let entries = closed.entries.into_iter().map(|(tag, sum)| ReportEntry {
        tag,
        licenses: sum.licenses,
        peak: sum.peak,
        license_ms: sum.license_ms,
    });
    UsageReport {
        report_id,
        previous,
        start: closed.start,
        end,
        interval_ms: closed.interval_ms,
        entries: entries.collect(),
    }
}
