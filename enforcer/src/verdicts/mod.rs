//! The verdicts: the slow half of enforcement, a machine that turns counts, time and the authority's answers into the
//! gate's terms, alarms, events and the snapshot.
//!
//! ```text
//!   Input + Now -> time passes (license clocks run) -> the input is taken -> everything is judged anew:
//!     use -> answers, episodes -> clocks charged -> compliance -> policy -> ceilings -> terms -> alarms -> records
//! ```
//!
//! Judging is a function of the state, so that no input has to know what follows from it, and the difference from what
//! was last told makes the events. The machine is deterministic: the same inputs at the same times make the same
//! outputs and the same snapshot.
//!
//! Deliberately absent: the gate (its counts are an input, its terms an output), the agent, and any clock or file.

mod alarms;
pub mod clock;
mod emergencies;
mod episode;
mod history;
mod input;
mod invariants;
mod judge;
mod keep;
mod preview;
mod recount;
mod shadow;
pub mod standing;
pub mod statistics;
mod tag;
mod take;
mod unidentified;
mod view;
mod walls;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use licensing::record::Registration;
use licensing::snapshot::{Lab, NodeIdentity};
use licensing::{Catalog, Event, FeatureSet, Mode, Mono, Now, RefusalRecord, Thresholds};

use self::alarms::Alarms;
use self::clock::{EVALUATION_MINUTES, Meter, RECOVERY_MINUTES, SILENCE_MINUTES, quantum_minutes};
use self::emergencies::Emergencies;
use self::history::History;
pub use self::input::{BulkstatsTroubles, Input, Output};
pub use self::keep::{Restored, RestoredClock};
pub use self::preview::{CallWindow, Effect, Foreseen, PREVIEW_WINDOW_MIN};
use self::recount::Recounts;
pub use self::standing::Answer;
use self::standing::{NodeFacts, PRIORITY_PERCENT_MAX};
use self::tag::{FeatureState, ServiceState, TagState};
use self::unidentified::Unidentified;
use self::walls::WallWatch;
use crate::class::Class;

/// Refusals that the history holds unless configured otherwise.
pub const HISTORY_DEFAULT: usize = 1_024;
/// Statistics that changed are asked to be kept this long after the last time.
const STATISTICS_EVERY: Duration = Duration::from_secs(60);

/// What the configuration says.
#[derive(Clone, Debug)]
pub struct Config {
    /// Who the node is.
    pub node: NodeIdentity,
    /// What is licensed.
    pub catalog: Arc<Catalog>,
    /// Present on a node marked `[lab]`.
    pub lab: Option<Lab>,
    /// How far priority calls may go over a ceiling or a block, in percent; more than 5 counts as 5 (rule L8).
    pub priority_percent: u8,
    /// Features that the configuration file enables.
    pub enabled_features: FeatureSet,
    /// Workers whose session tables are recounted, at least 1 (rule L14).
    pub workers: u16,
    /// Refusals that the history holds, at least 1.
    pub history: usize,
    /// Where the alarms on how much of a ceiling is in use begin and end.
    pub thresholds: Thresholds,
}

impl Config {
    /// One worker, no feature enabled, no lab, and the defaults of the rules.
    pub fn new(node: NodeIdentity, catalog: Arc<Catalog>) -> Self {
        Self {
            node,
            catalog,
            lab: None,
            priority_percent: PRIORITY_PERCENT_MAX,
            enabled_features: FeatureSet::EMPTY,
            workers: 1,
            history: HISTORY_DEFAULT,
            thresholds: Thresholds::default(),
        }
    }
}

/// The slow half.
#[derive(Clone, Debug)]
pub struct Enforcer {
    config: Config,
    last: Now,
    taken: u64,
    enabled: bool,
    ever_enabled: bool,
    total_enabled: u32,
    total_disabled: u32,
    registration: Option<Registration>,
    clocks: Clocks,
    troubles: Troubles,
    watch: WallWatch,
    services: Vec<ServiceState>,
    features: Vec<FeatureState>,
    emergencies: Emergencies,
    alarms: Alarms,
    recounts: Recounts,
    history: History,
    refusals_lost: u64,
    /// By class: calls that were let through, as last counted.
    eased_seen: BTreeMap<Class, shadow::EasedSeen>,
    unidentified: Unidentified,
    keeping: Keeping,
    outputs: VecDeque<Output>,
}

/// The license clocks of the node; those of the tags are in their episodes.
#[derive(Clone, Copy, Debug)]
struct Clocks {
    generation: u64,
    boots: u32,
    evaluation: Meter,
    /// Runs in place of the evaluation once all copies of the clock were lost.
    recovery: Option<Meter>,
    silence: Meter,
}

/// Conditions of the node that an input began and another one ends.
#[derive(Clone, Copy, Debug, Default)]
struct Troubles {
    unreachable: bool,
    certificate_expiring: bool,
    state_lost: bool,
    state_tampered: bool,
    state_not_written: bool,
    control_stalled: bool,
    agent_stalled: bool,
    snmp_stalled: bool,
    bulkstats: BulkstatsTroubles,
}

/// What changed since it was last kept.
#[derive(Clone, Copy, Debug, Default)]
struct Keeping {
    clock: bool,
    operator: bool,
    statistics: bool,
    kept_at: Mono,
}

impl Enforcer {
    /// The machine as a start finds it. Its first outputs are the clock record of this start and the terms of every
    /// service; the gate is to have them before it admits.
    pub fn new(config: Config, restored: Restored, now: Now) -> Self {
        let mut enforcer = Self::restore(config, restored, now);
        if let Some(by_s) = enforcer.watch.behind_at_start() {
            enforcer.event(Event::ClockJumped { by_s });
        }
        enforcer.settle(now);
        enforcer.check_invariants();
        enforcer
    }

    /// The mode of the node.
    pub fn mode(&self) -> Mode {
        match self.registration {
            None => Mode::Evaluation,
            Some(_) => Mode::Registered,
        }
    }

    /// Refused calls, newest first, at most as many as configured (rule L17).
    pub fn history(&self) -> impl Iterator<Item = &RefusalRecord> {
        self.history.iter()
    }

    /// Takes one input, told at `now`; the times of successive inputs don't fall.
    pub fn handle(&mut self, input: Input, now: Now) {
        let charged = self.clocks.evaluation.charged_minutes();
        self.taken += 1;
        self.pass(now);
        self.take(input, now);
        self.settle(now);
        // The gate goes on by the last terms if this one ends.
        let now_charged = self.clocks.evaluation.charged_minutes();
        assert!(
            now_charged >= charged,
            "I4: {now_charged} minutes charged, {charged} before"
        );
        self.check_invariants();
    }

    /// Takes that time passed: the same as [`Input::Timeout`].
    pub fn handle_timeout(&mut self, now: Now) {
        self.handle(Input::Timeout, now);
    }

    /// When [`Enforcer::handle_timeout`] is due: a license clock is used up to its charge, or statistics are to be
    /// kept. Once a second besides makes every change of state timely.
    pub fn poll_timeout(&self) -> Option<Mono> {
        let speedup = u64::from(self.speedup());
        let charge = self.until_charge_ms().map(|ms| {
            let wait = Duration::from_millis(ms.div_ceil(speedup));
            self.last.mono.after(wait)
        });
        let keep = self.keeping.statistics;
        let keep = keep.then(|| self.keeping.kept_at.after(STATISTICS_EVERY));
        charge.into_iter().chain(keep).min()
    }

    /// The next thing to do; none: nothing is left to do.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    fn event(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event));
    }

    fn speedup(&self) -> u32 {
        self.config.lab.map_or(1, |lab| lab.speedup.max(1))
    }

    fn node_facts(&self) -> NodeFacts {
        NodeFacts {
            enforced: self.ever_enabled,
            registered: self.registration.is_some(),
            silent: self.silent(),
            evaluation_left: self.evaluation_left_ms() > 0,
        }
    }

    fn silent(&self) -> bool {
        self.registration.is_some() && self.clocks.silence.exhausted(SILENCE_MINUTES)
    }

    /// The authorization has expired: of all tags by silence, or of one in use by the end of what was granted.
    fn expired(&self) -> bool {
        self.silent() || self.tags().any(|tag| tag.ended && tag.in_use)
    }

    /// Evaluation is what calls are let through by: not registered, or the authorization has expired (rule L10).
    fn under_evaluation(&self) -> bool {
        self.ever_enabled && (self.registration.is_none() || self.expired())
    }

    /// License time left to use without an authority, in milliseconds.
    fn evaluation_left_ms(&self) -> u64 {
        match self.clocks.recovery {
            None => self.clocks.evaluation.left_ms(EVALUATION_MINUTES),
            Some(recovery) => recovery.left_ms(RECOVERY_MINUTES),
        }
    }

    fn evaluation_runs(&self) -> bool {
        self.under_evaluation()
            && self.tags().any(|tag| tag.in_use)
            && self.evaluation_left_ms() > 0
    }

    fn tags(&self) -> impl Iterator<Item = &TagState> {
        let services = self.services.iter().map(|service| &service.tag);
        services.chain(self.features.iter().map(|feature| &feature.tag))
    }

    fn tags_mut(&mut self) -> impl Iterator<Item = &mut TagState> {
        let services = self.services.iter_mut().map(|service| &mut service.tag);
        services.chain(self.features.iter_mut().map(|feature| &mut feature.tag))
    }

    /// Time passes under the state as it was.
    fn pass(&mut self, now: Now) {
        let elapsed = now.license.since(self.last.license).as_millis();
        let elapsed_ms = u64::try_from(elapsed).unwrap_or(u64::MAX);
        // License time counts suspension too, but only off a lab node does it run at the speed of time.
        let ran = match self.config.lab {
            None => now.license.since(self.last.license),
            Some(_) => now.mono.since(self.last.mono),
        };
        if let Some(by_s) = self.watch.pass(now, ran) {
            self.event(Event::ClockJumped { by_s });
        }
        self.unidentified.pass(now.mono);
        self.run_clocks(elapsed_ms);
        let cooled = self
            .tags_mut()
            .filter_map(|tag| tag.episode.cool(elapsed_ms).then_some(()));
        self.keeping.clock |= cooled.count() > 0;
        self.last = now;
    }

    /// Runs every license clock that runs now, and charges the minute that each is about to use.
    fn run_clocks(&mut self, elapsed_ms: u64) {
        let quantum = quantum_minutes(self.speedup());
        if self.evaluation_runs() {
            self.run_evaluation(elapsed_ms, quantum);
        }
        if self.registration.is_some() {
            self.run_silence(elapsed_ms, quantum);
        }
        let mut charged = false;
        for tag in self.tags_mut() {
            if tag.in_use && tag.episode.is_on() {
                let total = tag.grace_minutes();
                let days = tag.episode.days_charged();
                charged |= tag.episode.run(elapsed_ms, total, quantum);
                tag.repeat_due |= tag.episode.days_charged() > days && tag.grace_left();
            }
        }
        self.keeping.clock |= charged;
    }

    fn run_evaluation(&mut self, elapsed_ms: u64, quantum: u32) {
        let (meter, total) = match &mut self.clocks.recovery {
            None => (&mut self.clocks.evaluation, EVALUATION_MINUTES),
            Some(recovery) => (recovery, RECOVERY_MINUTES),
        };
        let before = meter.uncharged_ms(total);
        self.keeping.clock |= meter.run(elapsed_ms, total, quantum);
        let after = meter.uncharged_ms(total);
        let first = before == u64::from(total) * clock::MINUTE_MS && after < before;
        if first && total == EVALUATION_MINUTES {
            self.event(Event::EvaluationStarted);
        }
        for remaining_s in clock::warnings(before, after) {
            self.event(Event::EvaluationWarning { remaining_s });
        }
    }

    fn run_silence(&mut self, elapsed_ms: u64, quantum: u32) {
        let total = u64::from(SILENCE_MINUTES) * clock::MINUTE_MS;
        let meter = &mut self.clocks.silence;
        let before = total - meter.uncharged_ms(SILENCE_MINUTES);
        self.keeping.clock |= meter.run(elapsed_ms, SILENCE_MINUTES, quantum);
        let after = total - meter.uncharged_ms(SILENCE_MINUTES);
        for silent_s in clock::silence_warnings(before, after) {
            self.event(Event::SilenceWarning { silent_s });
        }
    }

    /// License milliseconds until a running clock needs its next charge.
    fn until_charge_ms(&self) -> Option<u64> {
        let evaluation = match &self.clocks.recovery {
            _ if !self.evaluation_runs() => None,
            None => self.clocks.evaluation.until_charge_ms(EVALUATION_MINUTES),
            Some(recovery) => recovery.until_charge_ms(RECOVERY_MINUTES),
        };
        let registered = self.registration.is_some();
        let silence = self.clocks.silence.until_charge_ms(SILENCE_MINUTES);
        let silence = silence.filter(|_| registered);
        let running = self.tags().filter(|tag| tag.in_use && tag.episode.is_on());
        let graces = running.filter_map(|tag| {
            let total = tag.grace_minutes();
            tag.episode.grace().until_charge_ms(total)
        });
        graces.chain(evaluation).chain(silence).min()
    }
}
