//! Delivery: who is sent which notification, and when.
//!
//! ```text
//!   News --> issue --> for each target: arrivals --> queue --> at most 50 a second --> Send
//!                                         |                         ^            |
//!                                         +--> held, coalesced -----+  informs: until acknowledged
//! ```
//!
//! A target has a queue, kept on disk: nothing is lost while it is away until that is full, and then the oldest goes
//! first and is counted. Of more than 50 notifications that come in a second the rest is held: of each alarm the latest
//! stands for those before it, a raise and its clear together for nothing; every 10 seconds what is held goes on, with a
//! summary of what was coalesced or dropped. So the state that a manager has in the end is always that of the table of
//! alarms, which is the truth (rule L16).
//!
//! The notifications of one alarm go out in their order: an inform waits for the acknowledgement of the one before.
//! One that is not acknowledged after its retries means that the target is away; then one inform alone is tried, ever
//! slower, until one is answered. What was sent and not acknowledged when the process ended is sent again, under the same
//! request id: a manager may get a notification twice, and never not at all.
//!
//! Which alarms were told of is kept beside the queues, in the same transaction. After a start they are compared with the
//! table, so that each raise has one clear also where the process ended between an alarm and its notification.
//!
//! Its shell performs the outputs in their order: [`Output::Commit`] is one transaction, [`Output::Send`] one message.
//!
//! Deliberately absent: messages and their security ([`Output::Send`] has all that goes into one), sockets, files.

mod change;
mod line;
mod record;
mod show;
mod target;
mod window;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;

use licensing::{Alarm, AlarmId, Event, Mono, Now, Snapshot};

use crate::notifications::{self, EnforceMode, Issued, News, Which};
use crate::{Oid, VarBind};

use change::Before;
use line::Line;
pub use record::{Change, Key, Queued, Record};
pub use show::{HISTORY_MAX, HistoryRow, NotifyCount, PERIOD, Periods, TargetStatus};
pub use target::{Inform, QUEUE_MAX, TARGETS_MAX, Target, TargetError, check as check_targets};
pub use window::A_SECOND;

/// Numbers of notifications are reserved so many at a time.
const RESERVED: u64 = 4_096;
/// Request ids have 31 bits.
const REQUEST_MASK: u64 = 0x7fff_ffff;

/// What the configuration says.
#[derive(Clone, Debug)]
pub struct Config {
    /// Who is sent notifications, at most [`TARGETS_MAX`].
    pub targets: Vec<Target>,
    /// Notifications that nobody is sent.
    pub suppressed: BTreeSet<Which>,
    /// The arc of our own MIB.
    pub enterprise: Oid,
    /// When the process began: `sysUpTime` is 0.
    pub started: Mono,
}

/// What happened, as the machine is told it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// There is something to tell.
    News(News),
    /// A target acknowledged an inform. Only an authentic answer is one: what came from another address, or by other
    /// credentials, is not told.
    Acknowledged {
        /// The address that it came from.
        from: SocketAddr,
        /// Its request id.
        request_id: i32,
    },
    /// The target of an inform said how to ask it (its engine, its time): it is sent again at once, if it was not already.
    Again {
        /// Its request id.
        request_id: i32,
    },
    /// `snmp trap suppress <name>`, or `snmp trap enable <name>`, by which targets are told what stands of it.
    Suppress {
        /// The notification.
        which: Which,
        /// Suppress it.
        suppress: bool,
    },
    /// Some news was lost: what the table of alarms says is told anew, as at a start.
    Missed,
    /// Time passed.
    Timeout,
}

/// What the machine asks its shell to do, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Keep these changes: all or none, in one transaction, before what follows. `durable`: on disk; otherwise a crash may
    /// undo it, and something is sent twice. If the disk fails, go on.
    Commit {
        /// Records to keep and to delete.
        changes: Vec<Change>,
        /// On disk before anything that follows.
        durable: bool,
    },
    /// Send this.
    Send(Send),
}

/// One message to one target: a trap, or an inform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Send {
    /// Place of the target in the configuration: its address, version and credentials.
    pub target: usize,
    /// To be acknowledged.
    pub inform: bool,
    /// Of the message; the same whenever this notification is sent to this target again.
    pub request_id: i32,
    /// `sysUpTime.0` when it was issued, in hundredths of a second.
    pub uptime: u32,
    /// `snmpTrapOID.0`.
    pub trap: Oid,
    /// What comes after those two.
    pub varbinds: Vec<VarBind>,
}

/// The machine.
#[derive(Debug)]
pub struct Delivery {
    config: Config,
    lines: Vec<Line>,
    /// Alarms whose raise was told and whose clear was not.
    told: BTreeMap<AlarmId, Alarm>,
    /// Standing of the node as last told; none: not since the start.
    overall: Option<EnforceMode>,
    next: u64,
    reserved: u64,
    changes: Vec<Change>,
    /// The changes are to be on disk before anything that follows, also if they only delete.
    durable: bool,
    outputs: VecDeque<Output>,
    history: VecDeque<Arc<HistoryRow>>,
    logged: u64,
    /// The end of the history as managers are shown it, and what `logged` was then.
    shown: (u64, Arc<[Arc<HistoryRow>]>),
    periods: Periods,
    counts: BTreeMap<Which, NotifyCount>,
    gone: BTreeMap<String, u64>,
}

impl Delivery {
    /// The machine as a start finds it: with the records that were kept, in any order, and the node as it is. What is
    /// queued for a target that there is no more is deleted. A target that was not there before is told what stands, and
    /// all are of a notification that was suppressed. Errors: a target is wrong.
    pub fn new(
        config: Config,
        kept: Vec<Record>,
        snapshot: &Snapshot,
        now: Now,
    ) -> Result<Self, TargetError> {
        target::check(&config.targets)?;
        let lines = config.targets.iter().cloned().map(Line::new).collect();
        let mut delivery = Self {
            config,
            lines,
            told: BTreeMap::new(),
            overall: None,
            next: 1,
            reserved: 1,
            changes: Vec::new(),
            durable: false,
            outputs: VecDeque::new(),
            history: VecDeque::new(),
            logged: 0,
            shown: (0, Arc::default()),
            periods: Periods::new(now.mono),
            counts: BTreeMap::new(),
            gone: BTreeMap::new(),
        };
        let mut before = Before::default();
        for record in kept {
            delivery.restore(record, &mut before, now);
        }
        delivery.next = delivery.next.max(delivery.reserved);
        delivery.tell(&News::Ready, snapshot, now);
        delivery.tell_changed(&before, snapshot, now);
        delivery.compare(snapshot, now);
        delivery.settle(snapshot, now);
        Ok(delivery)
    }

    /// Outstanding alarms that targets were told of, oldest first.
    pub fn told(&self) -> impl Iterator<Item = &Alarm> {
        self.told.values()
    }

    /// Targets that the start found no more, and how many notifications waited for each and were dropped.
    pub fn gone(&self) -> impl Iterator<Item = (&str, u64)> {
        self.gone
            .iter()
            .map(|(name, dropped)| (name.as_str(), *dropped))
    }

    /// Whether a notification is suppressed.
    pub fn is_suppressed(&self, which: Which) -> bool {
        self.config.suppressed.contains(&which)
    }

    /// Takes one input; `snapshot` is the node after it.
    pub fn handle(&mut self, input: Input, snapshot: &Snapshot, now: Now) {
        match input {
            Input::News(news) => self.tell(&news, snapshot, now),
            Input::Acknowledged { from, request_id } => {
                let number = self.number_of(request_id);
                for line in self.lines.iter_mut().filter(|line| line.is_at(from)) {
                    self.durable |= line.acknowledged(number, &mut self.changes);
                }
            }
            Input::Again { request_id } => {
                let number = self.number_of(request_id);
                let lines = self.lines.iter_mut();
                lines.for_each(|line| line.again(number, now.mono));
            }
            Input::Suppress { which, suppress } => self.suppress(which, suppress, snapshot, now),
            Input::Missed => self.compare(snapshot, now),
            Input::Timeout => {}
        }
        self.settle(snapshot, now);
    }

    /// Takes news that came together, with one commit of what follows from all of them.
    pub fn handle_batch(&mut self, news: &[News], snapshot: &Snapshot, now: Now) {
        for news in news {
            self.tell(news, snapshot, now);
        }
        self.settle(snapshot, now);
    }

    /// When [`Input::Timeout`] is due.
    pub fn poll_timeout(&self) -> Option<Mono> {
        self.lines.iter().filter_map(Line::wake).min()
    }

    /// The next thing to do; none: nothing is left to do.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    fn restore(&mut self, record: Record, before: &mut Before, now: Now) {
        match record {
            Record::Reserved { below } => self.reserved = self.reserved.max(below),
            Record::Told(alarm) => {
                self.told.insert(alarm.id, alarm);
            }
            Record::Suppressed(names) => {
                let known = names.iter().filter_map(|name| Which::named(name));
                before.suppressed.extend(known);
            }
            Record::Targets(names) => before.targets.extend(names),
            Record::Queued {
                target,
                number,
                queued,
            } => {
                self.next = self.next.max(number + 1);
                let mut lines = self.lines.iter_mut();
                match lines.find(|line| line.is_named(&target)) {
                    Some(line) => line.restore(number, queued, now.mono),
                    None => {
                        self.changes
                            .push(Change::Delete(Key::queued(&target, number)));
                        *self.gone.entry(target).or_default() += 1;
                    }
                }
            }
        }
    }

    /// Tells what the table of alarms says and targets were not told (rule L16).
    fn compare(&mut self, snapshot: &Snapshot, now: Now) {
        // Where the records of alarms were lost, and these not, their numbers are used again.
        let is = |told: &Alarm, alarm: &Alarm| {
            (told.id, told.kind, told.raised) == (alarm.id, alarm.kind, alarm.raised)
        };
        let stands = |told: &Alarm| snapshot.alarms.iter().any(|alarm| is(told, alarm));
        let over = self.told.values().filter(|told| !stands(told));
        let over: Vec<_> = over.cloned().collect();
        for alarm in over {
            self.tell(&News::Event(Event::AlarmCleared { alarm }), snapshot, now);
        }
        for alarm in snapshot.alarms.iter().cloned() {
            self.tell(&News::Event(Event::AlarmRaised { alarm }), snapshot, now);
        }
        self.tell_overall(snapshot, now);
    }

    fn tell(&mut self, news: &News, snapshot: &Snapshot, now: Now) {
        let Some(news) = self.note_alarm(news) else {
            return;
        };
        self.issue(&news, snapshot, now);
        self.tell_overall(snapshot, now);
    }

    fn tell_overall(&mut self, snapshot: &Snapshot, now: Now) {
        let mode = EnforceMode::overall(snapshot);
        if self.overall.replace(mode) != Some(mode) {
            self.issue(&News::Overall, snapshot, now);
        }
    }

    /// Keeps the book of what was told; none: it was told already, so that each raise has one clear (rule L16).
    fn note_alarm(&mut self, news: &News) -> Option<News> {
        let News::Event(event) = news else {
            return Some(news.clone());
        };
        match event {
            Event::AlarmRaised { alarm } | Event::AlarmRepeated { alarm } => {
                let known = self.told.insert(alarm.id, alarm.clone()).is_some();
                self.changes
                    .push(Change::Persist(Record::Told(alarm.clone())));
                match (known, event) {
                    (true, Event::AlarmRaised { .. }) => None,
                    (false, _) => {
                        let alarm = alarm.clone();
                        Some(News::Event(Event::AlarmRaised { alarm }))
                    }
                    (true, _) => Some(news.clone()),
                }
            }
            Event::AlarmCleared { alarm } => {
                self.told.remove(&alarm.id)?;
                self.changes.push(Change::Delete(Key::told(alarm.id)));
                Some(news.clone())
            }
            Event::SmartLicensingEnabled
            | Event::SmartLicensingDisabled
            | Event::ModeChanged { .. }
            | Event::EvaluationStarted
            | Event::EvaluationWarning { .. }
            | Event::SilenceWarning { .. }
            | Event::ComplianceChanged { .. }
            | Event::PolicyChanged { .. }
            | Event::CeilingChanged { .. }
            | Event::FeatureEnabled { .. }
            | Event::FeatureDisabled { .. }
            | Event::ClockJumped { .. }
            | Event::LabSpeedup { .. } => Some(news.clone()),
        }
    }

    fn issue(&mut self, news: &News, snapshot: &Snapshot, now: Now) {
        self.tell_issued(self.make(news, snapshot, now), now);
    }

    fn tell_issued(&mut self, issued: Vec<Issued>, now: Now) {
        for issued in issued {
            if !self.record(&issued, now) {
                continue;
            }
            for at in 0..self.lines.len() {
                let number = self.number();
                self.lines[at].offer(number, issued.clone(), now, &mut self.changes);
            }
        }
    }

    /// The notifications of some news, also those that are suppressed.
    fn make(&self, news: &News, snapshot: &Snapshot, now: Now) -> Vec<Issued> {
        let up = now.mono.since(self.config.started).as_millis() / 10;
        // TimeTicks wrap.
        let up = u32::try_from(up % (1 << 32)).unwrap_or(0);
        let mut issued = notifications::issue(news, snapshot, up, &self.config.enterprise);
        for issued in &mut issued {
            issued.at = now.wall;
        }
        issued
    }

    /// Counts it, and logs it unless it is suppressed; whether it goes out.
    fn record(&mut self, issued: &Issued, now: Now) -> bool {
        let suppressed = self.is_suppressed(issued.which);
        let count = self.counts.entry(issued.which).or_default();
        count.last = Some(now.wall);
        if suppressed {
            count.discarded += 1;
            return false;
        }
        count.generated += 1;
        self.logged += 1;
        self.periods.count(now.mono);
        let row = HistoryRow::of(self.logged, issued);
        self.history.push_back(Arc::new(row));
        if self.history.len() > HISTORY_MAX {
            self.history.pop_front();
        }
        true
    }

    /// The next number, never used before, also by an earlier process.
    fn number(&mut self) -> u64 {
        if self.next >= self.reserved {
            self.reserved = self.next + RESERVED;
            let below = self.reserved;
            self.changes
                .push(Change::Persist(Record::Reserved { below }));
        }
        self.next += 1;
        self.next - 1
    }

    /// The number behind a request id: the highest below the next one with these low bits.
    fn number_of(&self, request_id: i32) -> u64 {
        let low = u64::from(request_id.cast_unsigned()) & REQUEST_MASK;
        let number = (self.next & !REQUEST_MASK) | low;
        match number < self.next {
            true => number,
            false => number.saturating_sub(REQUEST_MASK + 1),
        }
    }

    /// Sends what may be sent, what is new only after it was kept.
    fn settle(&mut self, snapshot: &Snapshot, now: Now) {
        for at in 0..self.lines.len() {
            if let Some((coalesced, dropped)) = self.lines[at].flush(now.mono, &mut self.changes) {
                let news = News::Summary { coalesced, dropped };
                for summary in self.make(&news, snapshot, now) {
                    if self.record(&summary, now) {
                        let number = self.number();
                        self.lines[at].put(number, Queued::waiting(summary), &mut self.changes);
                    }
                }
            }
        }
        self.commit();
        for (at, line) in self.lines.iter_mut().enumerate() {
            let mut sends = line.pump(now, &mut self.changes);
            for send in &mut sends {
                send.target = at;
            }
            let sends = sends
                .into_iter()
                .map(|sent| sent.send(&self.config.enterprise));
            self.outputs.extend(sends.map(Output::Send));
        }
        self.commit();
    }

    fn commit(&mut self) {
        let changes = std::mem::take(&mut self.changes);
        let durable = std::mem::take(&mut self.durable);
        if !changes.is_empty() {
            let persists = |change: &Change| matches!(change, Change::Persist(_));
            let durable = durable || changes.iter().any(persists);
            self.outputs.push_back(Output::Commit { changes, durable });
        }
    }
}
