//! One target's line: its queue, what of it is held, and what is on its way.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

use licensing::{AlarmId, Mono, Now, Wall};

use super::record::{Change, Key, Queued, Record};
use super::show::TargetStatus;
use super::target::{Inform, Target};
use super::window::{A_SECOND, Window};
use super::{REQUEST_MASK, Send};
use crate::Oid;
use crate::notifications::{Issued, Kind, Phase, Which, table};

/// What is held goes on, with a summary, this often.
const SUMMARY_EVERY: Duration = Duration::from_secs(10);
/// With what is released then, so many wait at most: as many as are sent until the next time.
const RELEASED_MAX: usize = 10 * A_SECOND;
/// Informs on their way to one target at most.
const IN_FLIGHT: usize = 32;
/// Notifications that are looked at for the next ones to send at most.
const LOOK_MAX: usize = 64;
/// Longest pause between two informs to a target that is away.
const AWAY_PACE: Duration = Duration::from_secs(10);

/// What later notifications take the place of earlier ones of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Matter {
    alarm: Option<AlarmId>,
    /// The row that raises it, or the event's.
    row: Which,
    subject: u32,
}

/// An inform on its way.
#[derive(Clone, Copy, Debug)]
struct Flight {
    /// Times that it was sent.
    tries: u32,
    due: Mono,
    /// It was sent again at once, because its target said how to ask it.
    hurried: bool,
}

#[derive(Clone, Copy, Debug)]
struct Away {
    since: Wall,
    pace: Duration,
}

#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    sent: u64,
    repeated: u64,
    acknowledged: u64,
    coalesced: u64,
    dropped: u64,
}

#[derive(Clone, Debug)]
pub(super) struct Line {
    target: Target,
    queue: BTreeMap<u64, Queued>,
    /// Those of the queue that are held.
    held: BTreeMap<Matter, u64>,
    flights: BTreeMap<u64, Flight>,
    arrivals: Window,
    sends: Window,
    /// Something waits for room in `sends`.
    stalled: bool,
    away: Option<Away>,
    flush_at: Option<Mono>,
    counts: Counts,
    /// Coalesced and dropped, as the last summary said.
    summed: (u64, u64),
}

/// A notification to be sent.
#[derive(Debug)]
pub(super) struct Sent {
    pub(super) target: usize,
    inform: bool,
    number: u64,
    issued: Issued,
}

impl Sent {
    pub(super) fn send(self, enterprise: &Oid) -> Send {
        let low = u32::try_from(self.number & REQUEST_MASK).unwrap_or(0);
        Send {
            target: self.target,
            inform: self.inform,
            request_id: low.cast_signed(),
            uptime: self.issued.uptime,
            trap: self.issued.which.oid(enterprise),
            varbinds: self.issued.varbinds,
        }
    }
}

impl Line {
    pub(super) fn new(target: Target) -> Self {
        Self {
            target,
            queue: BTreeMap::new(),
            held: BTreeMap::new(),
            flights: BTreeMap::new(),
            arrivals: Window::default(),
            sends: Window::default(),
            stalled: false,
            away: None,
            flush_at: None,
            counts: Counts::default(),
            summed: (0, 0),
        }
    }

    pub(super) fn is_named(&self, name: &str) -> bool {
        self.target.name == name
    }

    pub(super) fn is_at(&self, address: SocketAddr) -> bool {
        self.target.address == address
    }

    pub(super) fn status(&self) -> TargetStatus {
        TargetStatus {
            name: self.target.name.clone(),
            waiting: (self.queue.len() - self.held.len()) as u64,
            held: self.held.len() as u64,
            sent: self.counts.sent,
            repeated: self.counts.repeated,
            acknowledged: self.counts.acknowledged,
            coalesced: self.counts.coalesced,
            dropped: self.counts.dropped,
            away_since: self.away.map(|away| away.since),
        }
    }

    /// Takes back what was kept.
    pub(super) fn restore(&mut self, number: u64, queued: Queued, now: Mono) {
        if queued.held {
            self.held.insert(Matter::of(&queued.issued), number);
            self.summarize_later(now);
        }
        self.queue.insert(number, queued);
    }

    /// The target is spoken to in another way, or has another address; what waits goes on, from its oldest.
    pub(super) fn retarget(&mut self, target: Target, now: Mono, changes: &mut Vec<Change>) {
        if self.target == target {
            return;
        }
        self.target = target;
        self.flights.clear();
        self.away = None;
        self.drop_above(self.target.queue, now, changes);
    }

    /// The target is there no more; how many waited for it.
    pub(super) fn end(self, changes: &mut Vec<Change>) -> u64 {
        let keys = self.queue.keys();
        changes.extend(keys.map(|number| Change::Delete(Key::queued(&self.target.name, *number))));
        self.queue.len() as u64
    }

    /// Takes a new notification: into the queue, or, when more came within a second than are sent, held.
    pub(super) fn offer(
        &mut self,
        number: u64,
        issued: Issued,
        now: Now,
        changes: &mut Vec<Change>,
    ) {
        let matter = Matter::of(&issued);
        if let Some(before) = self.held.get(&matter).copied() {
            return self.coalesce(before, issued, changes);
        }
        let held = !self.arrivals.admits(now.mono);
        if !held {
            self.arrivals.take(now.mono);
        }
        self.make_room(now.mono, changes);
        if held {
            self.held.insert(matter, number);
            self.summarize_later(now.mono);
        }
        self.put(number, Queued { issued, held }, changes);
    }

    /// Puts it into the queue.
    pub(super) fn put(&mut self, number: u64, queued: Queued, changes: &mut Vec<Change>) {
        let target = self.target.name.clone();
        self.queue.insert(number, queued.clone());
        changes.push(Change::Persist(Record::Queued {
            target,
            number,
            queued,
        }));
    }

    /// One of an alarm of which one is held already: the newer stands for both, a raise and its clear for nothing.
    fn coalesce(&mut self, number: u64, issued: Issued, changes: &mut Vec<Change>) {
        let before = self.queue.get(&number).map(|queued| queued.issued.phase);
        self.counts.coalesced += 1;
        match (before, issued.phase) {
            (Some(Phase::Raise), Phase::Clear) => {
                self.counts.coalesced += 1;
                self.remove(number, changes);
            }
            (Some(Phase::Raise), Phase::Raise | Phase::Repeat | Phase::Event) => {}
            (Some(Phase::Repeat | Phase::Clear | Phase::Event) | None, _) => {
                let held = true;
                self.put(number, Queued { issued, held }, changes);
            }
        }
    }

    fn remove(&mut self, number: u64, changes: &mut Vec<Change>) -> Option<Queued> {
        let queued = self.queue.remove(&number)?;
        self.flights.remove(&number);
        if queued.held {
            self.held.remove(&Matter::of(&queued.issued));
        }
        changes.push(Change::Delete(Key::queued(&self.target.name, number)));
        Some(queued)
    }

    /// Drops the oldest that is not on its way, if there is no room for another.
    fn make_room(&mut self, now: Mono, changes: &mut Vec<Change>) {
        self.drop_above(self.target.queue.saturating_sub(1), now, changes);
    }

    fn drop_above(&mut self, most: usize, now: Mono, changes: &mut Vec<Change>) {
        while self.queue.len() > most {
            let mut numbers = self.queue.keys();
            let Some(oldest) = numbers.find(|number| !self.flights.contains_key(number)) else {
                return;
            };
            let oldest = *oldest;
            self.remove(oldest, changes);
            self.counts.dropped += 1;
            self.summarize_later(now);
        }
    }

    fn summarize_later(&mut self, now: Mono) {
        let at = now.after(SUMMARY_EVERY);
        self.flush_at.get_or_insert(at);
    }

    /// Every 10 seconds: what is held goes on, as much as is sent until the next time. Gives what was coalesced and
    /// dropped since the last summary, if anything was. A target that is away is told when it is back.
    pub(super) fn flush(&mut self, now: Mono, changes: &mut Vec<Change>) -> Option<(u32, u32)> {
        self.flush_at.filter(|at| now >= *at)?;
        self.flush_at = None;
        if self.away.is_some() || self.target.left_out {
            self.summarize_later(now);
            return None;
        }
        self.release(changes);
        if !self.held.is_empty() {
            self.summarize_later(now);
        }
        let Counts {
            coalesced, dropped, ..
        } = self.counts;
        let (before_coalesced, before_dropped) =
            std::mem::replace(&mut self.summed, (coalesced, dropped));
        let since = |all: u64, before: u64| u32::try_from(all - before).unwrap_or(u32::MAX);
        let since = (
            since(coalesced, before_coalesced),
            since(dropped, before_dropped),
        );
        if since == (0, 0) {
            return None;
        }
        self.make_room(now, changes);
        Some(since)
    }

    fn release(&mut self, changes: &mut Vec<Change>) {
        let waiting = self.queue.len() - self.held.len();
        let mut numbers: Vec<u64> = self.held.values().copied().collect();
        numbers.sort_unstable();
        numbers.truncate(RELEASED_MAX.saturating_sub(waiting));
        for number in numbers {
            if let Some(queued) = self.queue.get(&number).cloned() {
                self.held.remove(&Matter::of(&queued.issued));
                self.put(number, Queued::waiting(queued.issued), changes);
            }
        }
    }

    /// The target acknowledged this number: it is there, and has it. True: that must not be forgotten, because the next of
    /// the same alarm goes out now, and this one must not come after it.
    pub(super) fn acknowledged(&mut self, number: u64, changes: &mut Vec<Change>) -> bool {
        let known = self.queue.get(&number).is_some_and(|queued| !queued.held);
        if self.target.inform.is_none() || !known {
            return false;
        }
        let Some(queued) = self.remove(number, changes) else {
            return false;
        };
        self.counts.acknowledged += 1;
        self.away = None;
        let ordered = order(&queued.issued);
        self.queue
            .values()
            .any(|other| order(&other.issued) == ordered)
    }

    /// The target said how to ask it.
    pub(super) fn again(&mut self, number: u64, now: Mono) {
        if let Some(flight) = self.flights.get_mut(&number).filter(|f| !f.hurried) {
            flight.hurried = true;
            flight.due = now;
            flight.tries = flight.tries.saturating_sub(1);
        }
    }

    /// What is to be sent now.
    pub(super) fn pump(&mut self, now: Now, changes: &mut Vec<Change>) -> Vec<Sent> {
        self.stalled = false;
        let mut sent = Vec::new();
        match self.target.inform {
            _ if self.target.left_out => {}
            None => self.traps(now.mono, &mut sent, changes),
            Some(inform) => {
                self.overdue(inform, now, &mut sent);
                self.fresh(inform, now.mono, &mut sent);
            }
        }
        sent
    }

    fn has_room(&mut self, now: Mono) -> bool {
        let room = self.sends.admits(now);
        self.stalled |= !room;
        room
    }

    fn traps(&mut self, now: Mono, sent: &mut Vec<Sent>, changes: &mut Vec<Change>) {
        let waiting = self.queue.iter().filter(|(_, queued)| !queued.held);
        let waiting: Vec<u64> = waiting
            .map(|(number, _)| *number)
            .take(A_SECOND + 1)
            .collect();
        for number in waiting {
            if !self.has_room(now) {
                return;
            }
            self.sends.take(now);
            self.counts.sent += 1;
            if let Some(Queued { issued, .. }) = self.remove(number, changes) {
                sent.push(Sent {
                    target: 0,
                    inform: false,
                    number,
                    issued,
                });
            }
        }
    }

    /// Informs whose acknowledgement is overdue go out again; once one has been repeated often enough, the target is away
    /// and the oldest alone goes on.
    fn overdue(&mut self, inform: Inform, now: Now, sent: &mut Vec<Sent>) {
        let late = |flight: &Flight| flight.due <= now.mono;
        let given_up = |flight: &Flight| late(flight) && flight.tries > u32::from(inform.retries);
        if self.away.is_none() && self.flights.values().any(given_up) {
            self.away = Some(Away {
                since: now.wall,
                pace: inform.timeout,
            });
            let oldest = self.flights.keys().next().copied();
            self.flights.retain(|number, _| Some(*number) == oldest);
        }
        let due = self.flights.iter().filter(|(_, flight)| late(flight));
        let due: Vec<u64> = due.map(|(number, _)| *number).collect();
        for number in due {
            if !self.has_room(now.mono) {
                return;
            }
            self.transmit(number, inform, now.mono, sent);
        }
    }

    /// Informs that were not sent yet, and of whose alarm none before them waits.
    fn fresh(&mut self, inform: Inform, now: Mono, sent: &mut Vec<Sent>) {
        let most = if self.away.is_some() { 1 } else { IN_FLIGHT };
        let in_flight = self
            .flights
            .keys()
            .filter_map(|number| self.queue.get(number));
        let mut busy: BTreeSet<_> = in_flight.map(|queued| order(&queued.issued)).collect();
        let waiting = self.queue.iter().filter(|(_, queued)| !queued.held);
        let waiting = waiting.filter(|(number, _)| !self.flights.contains_key(number));
        let first = waiting.take(LOOK_MAX);
        let free = first.filter(|(_, queued)| busy.insert(order(&queued.issued)));
        let free = free.map(|(number, _)| *number);
        let room = most.saturating_sub(self.flights.len());
        let next: Vec<u64> = free.take(room).collect();
        for number in next {
            if !self.has_room(now) {
                return;
            }
            self.transmit(number, inform, now, sent);
        }
    }

    fn transmit(&mut self, number: u64, inform: Inform, now: Mono, sent: &mut Vec<Sent>) {
        let Some(queued) = self.queue.get(&number) else {
            return;
        };
        let pause = match &mut self.away {
            None => inform.timeout,
            Some(away) => {
                away.pace = (away.pace * 2).min(AWAY_PACE.max(inform.timeout));
                away.pace
            }
        };
        let flight = self.flights.entry(number).or_insert(Flight {
            tries: 0,
            due: now,
            hurried: false,
        });
        match flight.tries {
            0 if !flight.hurried => self.counts.sent += 1,
            _ => self.counts.repeated += 1,
        }
        flight.tries += 1;
        flight.due = now.after(pause);
        self.sends.take(now);
        sent.push(Sent {
            target: 0,
            inform: true,
            number,
            issued: queued.issued.clone(),
        });
    }

    /// When this line is to be looked at again.
    pub(super) fn wake(&self) -> Option<Mono> {
        let free = self.sends.free_at().filter(|_| self.stalled);
        let due = self.flights.values().map(|flight| flight.due).min();
        let due = due.map(|due| free.map_or(due, |free| due.max(free)));
        [free, due, self.flush_at].into_iter().flatten().min()
    }
}

impl Matter {
    fn of(issued: &Issued) -> Self {
        let row = match issued.phase {
            Phase::Raise | Phase::Repeat | Phase::Event => issued.which,
            Phase::Clear => raise_of(issued.which),
        };
        Self {
            alarm: issued.alarm,
            row,
            subject: issued.subject,
        }
    }
}

/// The row that a clear clears.
fn raise_of(clear: Which) -> Which {
    let name = clear.row().name;
    let clears = |kind: Kind| matches!(kind, Kind::Raise { cleared_by } if cleared_by == name);
    let raise = table().find(|(_, row)| clears(row.kind));
    raise.map_or(clear, |(which, _)| which)
}

/// What goes out in its order: the notifications of one alarm; of events, those of one row and subject.
fn order(issued: &Issued) -> (Option<AlarmId>, Option<Matter>) {
    match issued.alarm {
        Some(alarm) => (Some(alarm), None),
        None => (None, Some(Matter::of(issued))),
    }
}
