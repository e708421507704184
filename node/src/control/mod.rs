//! The control thread: owns the verdicts, samples the gate for them, and does what they ask.
//!
//! Everything that the machine is told goes through [`Control::tell`], with one time; everything that it asks for comes
//! out there too. When this thread stalls or dies, workers and gate go on with the last terms.

mod events;
mod keeper;
mod ledgers;
mod preview;
mod switches;

use std::sync::Arc;
use std::time::{Duration, Instant};

use api::{Failure, HISTORY_LIMIT_MAX, Reply, Request};
use crossbeam::channel::{Receiver, RecvTimeoutError};
use enforcer::verdicts::{BulkstatsTroubles, Enforcer, Input, Output};
use enforcer::{Gate, RefusalRing, WorkerRecount};
use licensing::snapshot::Lab;
use licensing::{Catalog, Event, Now, Snapshot, Threshold};
use parking_lot::RwLock;
use smart_agent::Told;
use snmp::notifications::News;
use tokio::sync::oneshot;

use crate::agent;
use crate::alarms::Raised;
use crate::clock::{Clock, SPEEDUP_MAX};
use crate::journal::Recorder;
use crate::metrics::LastRefusals;
use crate::snmp::Feed;
use crate::vitals::{CONTROL_STALL, EndOf, Vitals};
use events::log;
pub(crate) use keeper::Keeper;
pub(crate) use ledgers::Check;
pub(crate) use preview::Samples;

/// From one sample of the gate to the next.
const SAMPLE_EVERY: Duration = Duration::from_millis(100);
/// Most asks that wait for the control thread.
pub(crate) const ASKS: usize = 1024;

/// What the control thread is asked.
#[derive(Debug)]
pub(crate) enum Ask {
    /// A request of the control interface.
    Request {
        /// What is asked.
        request: Request,
        /// Where the answer goes.
        reply: oneshot::Sender<Result<Reply, Denied>>,
    },
    /// The Smart Agent tells what it was told; take one word from the other end once every surface shows it.
    Told {
        /// What it tells, in this order.
        told: Vec<Told>,
        /// Where the word goes.
        taken: oneshot::Sender<()>,
    },
    /// Few sessions left are an alarm from here on; take one word from the other end once every surface shows it.
    RemainingThreshold {
        /// Where; none: nowhere.
        remaining: Option<Threshold>,
        /// Where the word goes.
        taken: oneshot::Sender<()>,
    },
    /// A worker's pass over its session table has ended.
    Recounted(WorkerRecount),
    /// Take one word that says that the pause has begun; work on only when another one comes or the other end is gone.
    Pause(Receiver<()>),
    /// Save everything and end.
    End,
}

/// Why the control thread does not do what it was asked.
#[derive(Debug)]
pub(crate) struct Denied {
    pub(crate) why: Denial,
    pub(crate) failure: Failure,
}

/// What kind of reason it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Denial {
    /// A value is wrong.
    Invalid,
    /// It names what is not there.
    Unknown,
    /// This node does not do it.
    NotHere,
    /// Not now, because of what came before.
    Conflict,
    /// A table has no room.
    Full,
}

/// The last snapshot, which every surface reads, and the alarms until then.
#[derive(Debug)]
pub(crate) struct Current(RwLock<(Arc<Snapshot>, Raised)>);

impl Current {
    pub(crate) fn new(snapshot: Snapshot) -> Self {
        Self(RwLock::new((Arc::new(snapshot), Raised::default())))
    }

    pub(crate) fn load(&self) -> Arc<Snapshot> {
        Arc::clone(&self.0.read().0)
    }

    /// The snapshot, and the alarms that were raised until then.
    pub(crate) fn load_raised(&self) -> (Arc<Snapshot>, Raised) {
        self.0.read().clone()
    }

    fn store(&self, snapshot: Arc<Snapshot>, events: &[Event]) {
        let mut current = self.0.write();
        current.1.count(events);
        current.0 = snapshot;
    }
}

/// The control thread's belongings.
pub(crate) struct Control {
    pub(crate) enforcer: Enforcer,
    pub(crate) gate: Arc<Gate>,
    pub(crate) ring: Arc<RefusalRing>,
    pub(crate) refusals: Arc<LastRefusals>,
    pub(crate) keeper: Keeper,
    pub(crate) journal: Recorder,
    pub(crate) clock: Arc<Clock>,
    pub(crate) vitals: Arc<Vitals>,
    pub(crate) current: Arc<Current>,
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) lab: Option<Lab>,
    /// Smart licensing is enabled at the start.
    pub(crate) smart_enable: bool,
    pub(crate) asks: Receiver<Ask>,
    pub(crate) stalled: bool,
    pub(crate) agent_stalled: bool,
    pub(crate) snmp_stalled: bool,
    pub(crate) bulkstats: BulkstatsTroubles,
    pub(crate) check: Check,
    pub(crate) samples: Samples,
    pub(crate) feed: Feed,
    /// Events that SNMP was not told yet.
    pub(crate) untold: Vec<Event>,
}

impl Control {
    /// Works until it is told to end.
    pub(crate) fn run(mut self) {
        let vitals = Arc::clone(&self.vitals);
        let _end = EndOf::control(&vitals);
        self.enable_at_start();
        let mut due = Instant::now();
        loop {
            match self.asks.recv_deadline(due) {
                // Whoever has given up was told that it failed, so it is not done.
                Ok(Ask::Request { reply, .. }) if reply.is_closed() => {}
                Ok(Ask::Request { request, reply }) => {
                    let answer = self.answer(&request);
                    // It may have given up in between.
                    drop(reply.send(answer));
                }
                Ok(Ask::Told { told, taken }) => {
                    self.told(told);
                    // The agent may have ended.
                    let _ended = taken.send(());
                }
                Ok(Ask::RemainingThreshold { remaining, taken }) => {
                    let now = self.clock.now();
                    self.tell(Input::RemainingThreshold(remaining), now);
                    self.publish(now);
                    // Whoever asked may have given up.
                    let _gone = taken.send(());
                }
                Ok(Ask::Recounted(recount)) => self.recounted(recount),
                // The end of the other side says as much as its word.
                Ok(Ask::Pause(until)) => drop(until.recv().and_then(|()| until.recv())),
                Ok(Ask::End) | Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {}
            }
            if Instant::now() >= due {
                self.tick();
                due = Instant::now() + self.pause();
            }
        }
        self.sample(self.clock.now());
        let now = self.clock.now();
        self.tell(Input::Save, now);
        self.journal.end(&self.enforcer.snapshot(now));
    }

    /// Time to the next tick: not past the machine's own deadline, at which a license minute is to be charged.
    fn pause(&self) -> Duration {
        let deadline = self.enforcer.poll_timeout();
        let now = self.clock.now().mono;
        deadline.map_or(SAMPLE_EVERY, |at| at.since(now).min(SAMPLE_EVERY))
    }

    /// Does what the machine asked for at its making; workers begin after that.
    pub(crate) fn begin(&mut self) {
        let now = self.clock.now();
        self.perform(now);
        self.publish(now);
    }

    fn tick(&mut self) {
        let now = self.clock.now();
        self.watch_itself(now);
        self.watch_agent(now);
        self.watch_snmp(now);
        self.watch_bulkstats(now);
        self.sample(now);
        if let Some(written) = self.keeper.retry(now.mono) {
            self.report_written(written, now);
            self.perform(now);
        }
        if self.check.is_under_way() {
            self.check_ledgers(now);
        }
        self.publish(now);
    }

    /// Tells the machine when the agent's thread stops working, and when it works again.
    fn watch_agent(&mut self, now: Now) {
        let stalled = self.vitals.agent_stalled(now.mono);
        if stalled == self.agent_stalled {
            return;
        }
        self.agent_stalled = stalled;
        if stalled {
            let age_ms = self.vitals.agent_age(now.mono).as_millis();
            let ended = self.vitals.agent_ended();
            event!(AGENT_STALLED, age_ms, ended);
        } else {
            event!(AGENT_WORKS);
        }
        self.tell(Input::AgentStalled(stalled), now);
    }

    /// Tells the machine when the thread of SNMP stops working, and when it works again.
    fn watch_snmp(&mut self, now: Now) {
        let stalled = self.vitals.snmp_stalled(now.mono);
        if stalled == self.snmp_stalled {
            return;
        }
        self.snmp_stalled = stalled;
        if stalled {
            let age_ms = self.vitals.snmp_age(now.mono).as_millis();
            let ended = self.vitals.snmp_ended();
            event!(SNMP_STALLED, age_ms, ended);
        } else {
            event!(SNMP_WORKS);
        }
        self.tell(Input::SnmpStalled(stalled), now);
    }

    /// Tells the machine when bulk statistics have other troubles than before.
    fn watch_bulkstats(&mut self, now: Now) {
        let troubles = self.vitals.bulkstats_troubles(now.mono);
        let before = std::mem::replace(&mut self.bulkstats, troubles);
        if troubles == before {
            return;
        }
        if troubles.stalled != before.stalled {
            let age_ms = self.vitals.bulkstats_age(now.mono).as_millis();
            let stalled = troubles.stalled;
            event!(BULKSTATS_STALLED, age_ms, stalled);
        }
        self.tell(Input::Bulkstats(troubles), now);
    }

    /// Tells the machine of a stall once it is over, and that it is over at the next tick.
    fn watch_itself(&mut self, now: Now) {
        let age = self.vitals.control_age(now.mono);
        let stalled = age > CONTROL_STALL;
        if stalled != self.stalled {
            self.stalled = stalled;
            self.tell(Input::ControlStalled(stalled), now);
        }
        self.vitals.control_beats(now.mono);
    }

    /// Tells the machine what the gate has counted and refused.
    fn sample(&mut self, now: Now) {
        let counts = self.gate.sample();
        self.samples.note(&counts, now.mono);
        self.tell(Input::Counts(counts), now);
        let refusals = self.ring.drain();
        if !refusals.is_empty() {
            self.refusals.note(&refusals);
            self.tell(Input::Refusals(refusals), now);
        }
        let lost = self.ring.take_lost();
        if lost > 0 {
            self.tell(Input::RefusalsLost(lost), now);
        }
        let unidentified = self.ring.take_unidentified();
        if unidentified > 0 {
            self.tell(Input::UnidentifiedCalls(unidentified), now);
        }
    }

    fn told(&mut self, told: Vec<Told>) {
        let now = self.clock.now();
        for told in told {
            if let Told::LabSpeedup { speedup } = told
                && self.lab.is_some()
            {
                self.clock.set_speedup(speedup.clamp(1, SPEEDUP_MAX));
            }
            self.tell(agent::input(told), now);
        }
        self.publish(now);
    }

    fn recounted(&mut self, recount: WorkerRecount) {
        let first = recount.worker == 0;
        let now = self.clock.now();
        self.tell(Input::Recounted(recount), now);
        if first {
            self.check.begin();
            self.check_ledgers(now);
        }
    }

    fn check_ledgers(&mut self, now: Now) {
        let reading = ledgers::check(&self.gate);
        if let Some(ledgers) = self.check.take(reading) {
            self.tell(Input::LedgerChecked(ledgers), now);
        }
    }

    fn tell(&mut self, input: Input, now: Now) {
        self.handle(input, now);
        self.perform(now);
    }

    /// All that the machine takes goes through here, and so through the journal.
    fn handle(&mut self, input: Input, now: Now) {
        self.journal.input(&input, now);
        self.enforcer.handle(input, now);
        if self.journal.wants_digest() {
            self.journal.digest(&self.enforcer.snapshot(now));
        }
    }

    /// Does all that the machine asks for.
    fn perform(&mut self, now: Now) {
        while let Some(output) = self.enforcer.poll_output() {
            self.journal.output(&output);
            match output {
                Output::Terms { service, terms } => {
                    let begun = Instant::now();
                    self.gate.set_terms(service, terms);
                    let took_us = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
                    let sealed = Input::Sealed { service, took_us };
                    self.handle(sealed, now);
                }
                Output::Persist(record) => {
                    let written = self.keeper.keep(record, now.mono);
                    self.report_written(written, now);
                }
                Output::Event(event) => {
                    log(&event);
                    self.untold.push(event);
                }
            }
        }
    }

    /// Tells the machine when writing begins to fail, and when it works again.
    fn report_written(&mut self, written: bool, now: Now) {
        if self.vitals.set_state_written(written) != written {
            self.handle(Input::StateWritten(written), now);
        }
    }

    /// Shows what there is now, then tells what has happened until now.
    fn publish(&mut self, now: Now) -> Arc<Snapshot> {
        let snapshot = Arc::new(self.enforcer.snapshot(now));
        self.current.store(Arc::clone(&snapshot), &self.untold);
        if !self.untold.is_empty() {
            let news = self.untold.drain(..).map(News::Event).collect();
            self.feed.tell(Arc::clone(&snapshot), news);
        }
        snapshot
    }

    fn answer(&mut self, request: &Request) -> Result<Reply, Denied> {
        match request {
            Request::Snapshot => Ok(self.snapshot()),
            Request::History { limit } => self.history(*limit),
            Request::SmartLicensing { enable } => Ok(self.switch(*enable)),
            Request::Feature { name, enable } => self.switch_feature(name, *enable),
            Request::LabSpeedup { speedup } => self.speed_up(*speedup),
            Request::Preview { of } => self.preview(of),
            Request::Sessions
            | Request::Subscriber { .. }
            | Request::Counters
            | Request::Forecast
            | Request::Peers { .. }
            | Request::Clear { .. }
            | Request::Health
            | Request::License(_)
            | Request::SnmpSet(_)
            | Request::Logging
            | Request::LoggingSet(_)
            | Request::Threshold(_)
            | Request::Transport(_)
            | Request::Agent
            | Request::Alarms
            | Request::Logs { .. }
            | Request::Configuration
            | Request::SaveConfiguration { .. }
            | Request::Apply(_)
            | Request::Audit { .. }
            | Request::Accounts
            | Request::Account(_)
            | Request::Bulkstats
            | Request::BulkstatsData
            | Request::BulkstatsDo { .. }
            | Request::BulkstatsSet(_)
            | Request::Snmp { .. }
            | Request::Client(_) => {
                let what = "the control thread is not asked this";
                deny(Denial::NotHere, what, "request", "ask the control socket")
            }
        }
    }

    fn history(&mut self, limit: u32) -> Result<Reply, Denied> {
        if limit > HISTORY_LIMIT_MAX {
            let what = format!("{limit} refusals");
            let todo = format!("ask for at most {HISTORY_LIMIT_MAX}");
            return deny(Denial::Invalid, what, "limit", todo);
        }
        self.sample(self.clock.now());
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let refusals = self.enforcer.history().take(limit).cloned().collect();
        Ok(Reply::History { refusals })
    }

    fn snapshot(&mut self) -> Reply {
        let now = self.clock.now();
        self.sample(now);
        Reply::Snapshot {
            snapshot: Box::new(self.publish(now).as_ref().clone()),
            age_ms: 0,
            stalled: false,
        }
    }
}

fn deny<T>(
    why: Denial,
    what: impl Into<String>,
    place: &str,
    todo: impl Into<String>,
) -> Result<T, Denied> {
    let failure = Failure::new(what, place, todo);
    Err(Denied { why, failure })
}
