//! The agent.

mod answers;
mod dates;
mod mail;
mod orders;
mod registration;
mod status;
#[cfg(test)]
mod tests;
mod usage;

use std::collections::VecDeque;
use std::time::Duration;

use licensing::{LicenseTime, Mono, Now};
use rand::SeedableRng;
use rand::rngs::StdRng;

use self::dates::{Calendar, Range};
use self::mail::Mail;
use self::orders::Ordered;
use self::usage::Tagged;
use crate::backoff::pause;
use crate::certificate::Certificate;
use crate::config::Config;
use crate::identity::Identity;
use crate::input::{Input, Notice, Output, Told};
use crate::ledger::Ledger;
use crate::orders::AtStart;
use crate::record::{Record, Restored, StateRecord};
use crate::trust::TrustPool;

use api::smart::{Digest, RequestType};

/// What an agent begins with, beside its configuration.
pub struct Start {
    /// The node's key.
    pub identity: Identity,
    /// What was found on disk.
    pub restored: Restored,
    /// What of it is good of the orders.
    pub orders: AtStart,
    /// Smart licensing is enabled.
    pub enabled: bool,
    /// The verdicts hold the node for registered.
    pub registered: bool,
    /// For nonces and jitter: drawn by the shell, anew for each start.
    pub random: [u8; 32],
}

/// The agent.
pub struct Agent {
    config: Config,
    identity: Identity,
    trust: TrustPool,
    random: StdRng,
    last: Now,
    enabled: bool,
    state: StateRecord,
    certificate: Option<Certificate>,
    range: Range,
    calendar: Calendar,
    ledger: Ledger,
    tags: Vec<Tagged>,
    mail: Mail,
    due: Due,
    keeping: Keeping,
    warned: Vec<Digest>,
    /// The identity certificate of whose end people were warned.
    warned_id: Option<Digest>,
    /// What was last told of roots that expire; none: nothing since the start.
    root_expiring: Option<bool>,
    forked: bool,
    ordered: Ordered,
    /// The authority has reports that this node does not remember; to be told.
    behind: bool,
    outputs: VecDeque<Output>,
}

/// When timers expire.
#[derive(Clone, Copy, Debug)]
struct Due {
    report: Mono,
    ooc_retry: Mono,
    authorization: Option<LicenseTime>,
    trust: Option<LicenseTime>,
    deadline: Option<LicenseTime>,
}

/// What the disk does not know yet, the ledger apart.
#[derive(Clone, Copy, Debug)]
struct Keeping {
    state: bool,
    trust: bool,
    /// The disk was asked, and has not yet failed.
    asked: bool,
    failures: u32,
    not_before: Mono,
}

impl Agent {
    /// The agent as a start finds it.
    pub fn new(config: Config, start: Start, now: Now) -> Self {
        let state = start.restored.state.clone().unwrap_or_default();
        let tags = Tagged::of(&config.catalog);
        let registration = state.registration.as_ref();
        let leaf = registration.and_then(|found| found.certificates.first());
        let calendar = Calendar::restored(config.lab, state.calendar, now);
        let mut ledger = Ledger::restored(start.restored.ledger, calendar.date(now));
        ledger.end_all_but(|name| tags.iter().any(|tag| tag.is(name)));
        let mut agent = Self {
            identity: start.identity,
            trust: TrustPool::restored(&start.restored.trust),
            random: StdRng::from_seed(start.random),
            last: now,
            enabled: start.enabled,
            certificate: leaf.and_then(|der| Certificate::read(&der.0).ok()),
            range: Range::default(),
            ledger,
            calendar,
            tags,
            mail: Mail::new(now.mono),
            due: Due {
                report: now.mono.after(config.timers.report),
                ooc_retry: now.mono.after(config.timers.ooc_retry),
                authorization: None,
                trust: None,
                deadline: None,
            },
            keeping: Keeping {
                state: false,
                trust: false,
                asked: false,
                failures: 0,
                not_before: now.mono,
            },
            warned: Vec::new(),
            warned_id: None,
            root_expiring: None,
            forked: false,
            ordered: Ordered::restored(start.orders, &config.catalog, now),
            behind: false,
            outputs: VecDeque::new(),
            state,
            config,
        };
        agent.resume(start.restored.state.is_some(), start.registered, now);
        agent.turn(now);
        agent
    }

    /// Takes one input, told at `now`; the times of successive inputs don't fall.
    pub fn handle(&mut self, input: Input, now: Now) {
        // That a record could not be kept is told before anything else is: whatever else is told, it was.
        if self.keeping.asked && self.outputs.is_empty() && input != Input::NotPersisted {
            self.keeping.asked = false;
            self.keeping.failures = 0;
            self.orders_kept();
        }
        self.measure(now);
        self.last = now;
        self.take(input, now);
        self.turn(now);
    }

    /// When [`Input::Timeout`] is due at the latest; once a second besides makes every step timely.
    pub fn poll_timeout(&self) -> Option<Mono> {
        let now = self.last;
        let speedup = u64::from(self.config.speedup.max(1));
        let renewals = self
            .enabled
            .then_some([self.due.authorization, self.due.trust]);
        let renewals = renewals.into_iter().flatten().chain([self.range.ends()]);
        let by_license = renewals.flatten().map(|at| {
            let left_ms = u64::try_from(at.since(now.license).as_millis()).unwrap_or(u64::MAX);
            let wait = Duration::from_millis(left_ms.div_ceil(speedup));
            now.mono.after(wait)
        });
        let timers = self
            .enabled
            .then_some([self.due.report, self.due.ooc_retry]);
        let timers = timers.into_iter().flatten();
        let keep = self.unkept().then_some(self.keeping.not_before);
        // Nothing is sent before all is kept.
        let mail = self
            .mail_due()
            .map(|at| keep.map_or(at, |keep| keep.max(at)));
        by_license.chain(timers).chain(keep).chain(mail).min()
    }

    /// The next thing to do; none: nothing is left to do.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// The roots and revocation lists: the shell's connections are judged by them too.
    pub fn trust(&self) -> &TrustPool {
        &self.trust
    }

    /// The node's key, and the identity certificate with those above it; none: not registered.
    pub fn credentials(&self) -> Option<(&Identity, &[api::smart::Octets])> {
        let registration = self.state.registration.as_ref()?;
        Some((&self.identity, &registration.certificates))
    }

    fn take(&mut self, input: Input, now: Now) {
        match input {
            Input::Timeout => {}
            Input::SmartLicensing { enable } => self.enable(enable, now),
            Input::LabSpeedup { speedup } => self.config.speedup = speedup.max(1),
            Input::AnotherWay => self.mail.try_anew(now.mono),
            Input::Usage(uses) => self.see(&uses, now),
            Input::Operator { ticket, command } => self.command(ticket, command, now),
            Input::Root { der } => self.add_root(&der),
            Input::Answered { nonce, octets } => self.answered(nonce, &octets, now),
            Input::NotAnswered { nonce, failure } => self.not_answered(nonce, failure, now),
            Input::NotPersisted => self.not_persisted(now),
        }
    }

    fn enable(&mut self, enable: bool, now: Now) {
        if enable && !self.enabled {
            self.due.report = now.mono.after(self.config.timers.report);
            self.due.ooc_retry = now.mono.after(self.config.timers.ooc_retry);
        }
        self.enabled = enable;
    }

    /// What is due is done.
    fn turn(&mut self, now: Now) {
        self.judge_range(now);
        self.warn_of_identity(now);
        self.run_timers(now);
        self.post(now);
        // A message that can't go makes no record wait.
        self.keep(now);
        self.tell_orders(now);
    }

    fn unkept(&self) -> bool {
        self.keeping.state || self.keeping.trust || !self.ledger.unkept().is_empty()
    }

    /// Asks for all that is unkept to be kept. False: the disk failed lately.
    fn keep(&mut self, now: Now) -> bool {
        if !self.unkept() {
            return true;
        }
        if now.mono < self.keeping.not_before {
            return false;
        }
        let state = self.keeping.state.then(|| self.state.clone());
        let trust = self.keeping.trust.then(|| self.trust.record());
        let records = self.ledger.unkept().into_iter();
        let records = records.chain(state.map(Record::State));
        let records = records.chain(trust.map(Record::Trust));
        let records: Vec<_> = records.map(Output::Persist).collect();
        self.outputs.extend(records);
        self.keeping.state = false;
        self.keeping.trust = false;
        self.keeping.asked = true;
        self.ledger.kept();
        true
    }

    /// A record could not be kept: all of them are to be kept anew, and nothing that follows from them is sent.
    fn not_persisted(&mut self, now: Now) {
        self.keeping.state = true;
        self.keeping.trust = true;
        self.keeping.asked = false;
        self.ledger.not_kept();
        self.keeping.failures += 1;
        let wait = pause(self.keeping.failures, &self.config.timers, &mut self.random);
        self.keeping.not_before = now.mono.after(wait);
        if self.keeping.failures == 1 {
            self.notice(Notice::NotWritten);
        }
        let outputs = std::mem::take(&mut self.outputs);
        for output in outputs {
            if self.untell_order(&output) {
                continue;
            }
            match output {
                Output::Persist(_) => {}
                Output::Send(message) => self.unsend(&message, now),
                Output::Tell(_) | Output::Done { .. } | Output::Notice(_) => {
                    self.outputs.push_back(output);
                }
            }
        }
    }

    fn tell(&mut self, told: Told) {
        self.outputs.push_back(Output::Tell(told));
    }

    fn notice(&mut self, notice: Notice) {
        self.outputs.push_back(Output::Notice(notice));
    }

    fn want(&mut self, kind: RequestType) {
        self.mail.want(kind);
    }
}
