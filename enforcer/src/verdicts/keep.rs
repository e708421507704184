//! What survives a restart: the records that the machine asks for, and the machine made from them.

use std::collections::{BTreeMap, VecDeque};

use licensing::record::{
    ClockRecord, FeatureSwitch, GraceClock, LastVerdict, OperatorRecord, Record, TagRecord,
};
use licensing::{
    AlarmId, AlarmKind, Catalog, Compliance, FeatureIndex, Mode, Mono, Now, ServiceIndex,
    SessionCount, Tag, TagOrder, TagRef, Wall,
};
use serde::{Deserialize, Serialize};

use super::alarms::Alarms;
use super::clock::{EVALUATION_MINUTES, MINUTE_MS, Meter, RECOVERY_MINUTES, SILENCE_MINUTES};
use super::emergencies::Emergencies;
use super::episode::Episode;
use super::history::History;
use super::recount::Recounts;
use super::standing::Answer;
use super::statistics::Rows;
use super::tag::{FeatureState, ServiceState, TagState};
use super::unidentified::Unidentified;
use super::walls::WallWatch;
use super::{Clocks, Config, Enforcer, Keeping, Output, STATISTICS_EVERY, Troubles};

/// What a start found on disk.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Restored {
    /// The license clock.
    pub clock: RestoredClock,
    /// The operator's record; none: there was none.
    pub operator: Option<OperatorRecord>,
    /// One of the copies was altered, or is older than another trace of it.
    pub tampered: bool,
    /// The orders in force; a tag that is not listed has none.
    #[serde(default)]
    pub orders: Vec<(TagRef, TagOrder)>,
}

/// What a start found of the license clock.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "clock", content = "of")]
pub enum RestoredClock {
    /// A first start: nothing was ever written.
    #[default]
    Fresh,
    /// The newest copy.
    Kept(ClockRecord),
    /// There was one, and no copy of it can be read: 7 days are left to use.
    Lost,
}

impl Enforcer {
    pub(super) fn restore(config: Config, restored: Restored, now: Now) -> Self {
        let lost = restored.clock == RestoredClock::Lost;
        let nothing_kept = restored.operator.is_none();
        let operator = restored.operator.unwrap_or_default();
        let mut record = match restored.clock {
            RestoredClock::Fresh => None,
            RestoredClock::Kept(record) => Some(record),
            RestoredClock::Lost => Some(lost_clock(&config.catalog, &operator)),
        };
        let unregistered = nothing_kept && record.as_mut().is_some_and(lose_registration);
        let alarm = |kind| operator.alarms.iter().find(|alarm| alarm.kind == kind);
        let tampered_wall = alarm(AlarmKind::ClockTampered).map(|alarm| alarm.value);
        let highest = record.as_ref().map(|record| record.highest_wall);
        let troubles = Troubles {
            unreachable: alarm(AlarmKind::AuthorityUnreachable).is_some(),
            certificate_expiring: alarm(AlarmKind::AuthorityCertificateExpiring).is_some(),
            state_lost: lost || unregistered || alarm(AlarmKind::StateLost).is_some(),
            state_tampered: restored.tampered || alarm(AlarmKind::StateTampered).is_some(),
            ..Troubles::default()
        };
        let record = record.unwrap_or_default();
        // A clock that ran was enforced, though the operator's record is lost; to forget that would loosen it.
        let forgotten = !operator.ever_enabled && ever_ran(&record);
        let (services, features) = tags(&config, &operator, &record, &restored.orders, now.wall);
        Self {
            last: now,
            taken: 0,
            enabled: operator.enabled || forgotten,
            ever_enabled: operator.ever_enabled || forgotten,
            total_enabled: operator.total_enabled,
            total_disabled: operator.total_disabled,
            registration: operator.registration,
            clocks: clocks(&record),
            troubles,
            watch: WallWatch::new(now, highest, tampered_wall),
            services,
            features,
            emergencies: Emergencies::default(),
            alarms: Alarms::restored(operator.alarms, operator.next_alarm),
            recounts: Recounts::new(config.workers),
            history: History::new(config.history),
            refusals_lost: 0,
            eased_seen: BTreeMap::new(),
            unidentified: Unidentified::default(),
            keeping: Keeping {
                clock: true,
                operator: forgotten,
                statistics: false,
                kept_at: now.mono,
            },
            outputs: VecDeque::new(),
            config,
        }
    }

    /// Asks for the clock record if it changed: before anything that follows from the change.
    pub(super) fn keep_clock(&mut self) {
        if !std::mem::take(&mut self.keeping.clock) {
            return;
        }
        self.clocks.generation += 1;
        let record = Record::Clock(self.clock_record());
        self.outputs.push_back(Output::Persist(record));
    }

    /// Asks for the operator's record if it changed; for statistics alone, not more often than once a minute.
    pub(super) fn keep_operator(&mut self, at: Mono) {
        let due = at >= self.keeping.kept_at.after(STATISTICS_EVERY);
        let keep = self.keeping.operator || (self.keeping.statistics && due);
        if !keep {
            return;
        }
        self.keeping.operator = false;
        self.keeping.statistics = false;
        self.keeping.kept_at = at;
        let record = Record::Operator(self.operator_record());
        self.outputs.push_back(Output::Persist(record));
    }

    fn clock_record(&self) -> ClockRecord {
        let graces = self.tags().filter_map(|tag| {
            let episode = tag.episode;
            let matters = episode.is_on() || episode.ended_ms().is_some();
            matters.then(|| GraceClock {
                tag: tag.tag,
                minutes: episode.grace().charged_minutes(),
                ended_ms: episode.ended_ms(),
            })
        });
        let silence_ms = u64::from(self.clocks.silence.charged_minutes()) * MINUTE_MS;
        let recovery = self.clocks.recovery;
        ClockRecord {
            generation: self.clocks.generation,
            boots: self.clocks.boots,
            evaluation_minutes: self.clocks.evaluation.charged_minutes(),
            recovery_minutes: recovery.map(|meter| meter.charged_minutes()),
            silence_ms: self.registration.map(|_| silence_ms),
            highest_wall: self.watch.highest(),
            graces: graces.collect(),
        }
    }

    fn operator_record(&self) -> OperatorRecord {
        let features = (0..).map(FeatureIndex).zip(&self.features);
        let switches = features.filter_map(|(feature, state)| {
            let switch = |enabled| FeatureSwitch { feature, enabled };
            state.switched.map(switch)
        });
        let catalog = &self.config.catalog;
        let services = catalog.services().iter().zip(&self.services);
        let services = services.map(|(listed, state)| {
            let ceiling = state.last_ceiling.map(SessionCount);
            tag_record(&listed.tag, &state.tag, ceiling)
        });
        let features = catalog.features().iter().zip(&self.features);
        let features = features.map(|(listed, state)| tag_record(&listed.tag, &state.tag, None));
        OperatorRecord {
            enabled: self.enabled,
            ever_enabled: self.ever_enabled,
            total_enabled: self.total_enabled,
            total_disabled: self.total_disabled,
            features: switches.collect(),
            registration: self.registration,
            tags: services.chain(features).collect(),
            alarms: self.alarms.oldest_first(),
            next_alarm: self.alarms.next(),
        }
    }
}

/// The clock that stands in for a lost one: all of the evaluation is used, and 7 days are left, once, of whatever was
/// running. The wall clock has no part in it.
fn lost_clock(catalog: &Catalog, operator: &OperatorRecord) -> ClockRecord {
    let spent = |total: u32| total.saturating_sub(RECOVERY_MINUTES);
    let objected = operator.tags.iter().filter_map(|record| {
        let verdict = record.verdict?;
        answer_of(verdict.compliance).filter(|answer| answer.objects())?;
        let (tag, days) = find(catalog, &record.tag)?;
        let grace = u32::from(days) * super::clock::DAY_MINUTES;
        Some(GraceClock {
            tag,
            minutes: spent(grace),
            ended_ms: None,
        })
    });
    let silence_ms = u64::from(spent(SILENCE_MINUTES)) * MINUTE_MS;
    ClockRecord {
        evaluation_minutes: EVALUATION_MINUTES,
        recovery_minutes: Some(0),
        silence_ms: operator.registration.map(|_| silence_ms),
        graces: objected.collect(),
        ..ClockRecord::default()
    }
}

/// What follows if the registration is lost: the evaluation holds, and if less than 7 days are left of that, 7 days, once,
/// so that an unreadable file blocks nothing at once. True if there was a registration, or this is not its first loss.
fn lose_registration(record: &mut ClockRecord) -> bool {
    let registered = record.silence_ms.take().is_some();
    let left = EVALUATION_MINUTES.saturating_sub(record.evaluation_minutes);
    if registered && left < RECOVERY_MINUTES {
        record.recovery_minutes.get_or_insert(0);
    }
    registered || record.recovery_minutes.is_some()
}

/// A tag's place in the catalog, and its days of grace.
fn find(catalog: &Catalog, tag: &Tag) -> Option<(TagRef, u16)> {
    let services = (0..).map(ServiceIndex).zip(catalog.services());
    let service = services.map(|(at, listed)| (TagRef::Service(at), &listed.tag, listed.rule));
    let features = (0..).map(FeatureIndex).zip(catalog.features());
    let feature = features.map(|(at, listed)| (TagRef::Feature(at), &listed.tag, listed.rule));
    let mut all = service.chain(feature);
    let (place, _, rule) = all.find(|(_, listed, _)| *listed == tag)?;
    Some((place, rule.grace_days))
}

/// Some license clock ran: smart licensing was enabled then.
fn ever_ran(record: &ClockRecord) -> bool {
    record.evaluation_minutes > 0
        || record.recovery_minutes.is_some()
        || record.silence_ms.is_some()
        || !record.graces.is_empty()
}

fn clocks(record: &ClockRecord) -> Clocks {
    let silence = record.silence_ms.unwrap_or(0).div_ceil(MINUTE_MS);
    let silence = u32::try_from(silence).unwrap_or(u32::MAX);
    Clocks {
        generation: record.generation,
        boots: record.boots.saturating_add(1),
        evaluation: Meter::charged(record.evaluation_minutes.min(EVALUATION_MINUTES)),
        recovery: record
            .recovery_minutes
            .map(|minutes| Meter::charged(minutes.min(RECOVERY_MINUTES))),
        silence: Meter::charged(silence.min(SILENCE_MINUTES)),
    }
}

fn tags(
    config: &Config,
    operator: &OperatorRecord,
    record: &ClockRecord,
    orders: &[(TagRef, TagOrder)],
    at: Wall,
) -> (Vec<ServiceState>, Vec<FeatureState>) {
    let services = (0..).map(ServiceIndex).zip(config.catalog.services());
    let services = services.map(|(place, listed)| {
        let mut state = ServiceState::new(TagRef::Service(place), listed, at);
        state.tag.ordered(order_of(orders, TagRef::Service(place)));
        let kept = restore_tag(&mut state.tag, &listed.tag, operator, record);
        let ceiling = kept.and_then(|kept| kept.ceiling);
        state.last_ceiling = ceiling.map(|sessions| sessions.0);
        state
    });
    let features = (0..).map(FeatureIndex).zip(config.catalog.features());
    let features = features.map(|(place, listed)| {
        let configured = config.enabled_features.contains(place);
        let mut state = FeatureState::new(TagRef::Feature(place), listed, configured, at);
        state.tag.ordered(order_of(orders, TagRef::Feature(place)));
        let switch = operator.features.iter().find(|kept| kept.feature == place);
        state.switched = switch.map(|kept| kept.enabled);
        restore_tag(&mut state.tag, &listed.tag, operator, record);
        // No call is up yet: one that is enabled no longer has no use to object to (rule L5).
        if !state.enabled() && state.tag.episode.is_on() {
            state.tag.forget_answer();
        }
        state
    });
    (services.collect(), features.collect())
}

fn order_of(orders: &[(TagRef, TagOrder)], tag: TagRef) -> TagOrder {
    let found = orders.iter().find(|(of, _)| *of == tag);
    found.map_or(TagOrder::default(), |(_, order)| *order)
}

fn restore_tag<'a>(
    state: &mut TagState,
    tag: &Tag,
    operator: &'a OperatorRecord,
    record: &ClockRecord,
) -> Option<&'a TagRecord> {
    let kept = operator.tags.iter().find(|kept| kept.tag == *tag);
    let mut since = None;
    if let Some(kept) = kept {
        state.authorized = kept.authorized;
        state.reported = kept.reported;
        state.rows = Rows {
            evaluation: kept.evaluation,
            registered: kept.registered,
        };
        // Counts are never kept.
        state.rows.evaluation.cur_call_count = 0;
        state.rows.registered.cur_call_count = 0;
        let mode = operator
            .registration
            .map_or(Mode::Evaluation, |_| Mode::Registered);
        let policy = state.rows.row(mode).policy;
        state.period.policy = policy.unwrap_or(state.period.policy);
        if let Some(verdict) = kept.verdict {
            state.answer = answer_of(verdict.compliance);
            state.answered = verdict.at;
            state.granted = verdict.entitlement;
            state.lasts_ms = verdict.lasts_ms;
            let objects = state.answer.is_some_and(Answer::objects);
            since = objects.then_some(match verdict.compliance {
                Compliance::OutOfCompliance { since } => since,
                Compliance::Waiting
                | Compliance::Authorized
                | Compliance::InvalidTag
                | Compliance::AuthorizationExpired
                | Compliance::Evaluation
                | Compliance::EvaluationExpired => verdict.at,
            });
        }
    }
    let grace = record.graces.iter().find(|grace| grace.tag == state.tag);
    let minutes = grace.map_or(0, |grace| grace.minutes.min(state.longest_grace()));
    // An episode whose end was not written ended, for all we know, just now.
    let ended_ms = grace.map(|grace| grace.ended_ms.unwrap_or(0));
    state.episode = Episode::restored(since, minutes, ended_ms);
    kept
}

fn tag_record(tag: &Tag, state: &TagState, ceiling: Option<SessionCount>) -> TagRecord {
    TagRecord {
        tag: tag.clone(),
        verdict: state.answer.map(|answer| LastVerdict {
            compliance: match answer {
                Answer::Authorized => Compliance::Authorized,
                Answer::InvalidTag => Compliance::InvalidTag,
                Answer::OutOfCompliance => Compliance::OutOfCompliance {
                    since: state.episode.since().unwrap_or(state.answered),
                },
            },
            entitlement: state.granted,
            lasts_ms: state.lasts_ms,
            at: state.answered,
        }),
        authorized: state.authorized,
        reported: state.reported,
        ceiling,
        evaluation: state.rows.evaluation,
        registered: state.rows.registered,
    }
}

/// The answer behind a compliance; none: it is not the authority's.
fn answer_of(compliance: Compliance) -> Option<Answer> {
    match compliance {
        Compliance::Authorized => Some(Answer::Authorized),
        Compliance::OutOfCompliance { .. } => Some(Answer::OutOfCompliance),
        Compliance::InvalidTag => Some(Answer::InvalidTag),
        Compliance::Waiting
        | Compliance::AuthorizationExpired
        | Compliance::Evaluation
        | Compliance::EvaluationExpired => None,
    }
}

impl Alarms {
    /// No alarm, none ever raised.
    pub(super) fn empty() -> Self {
        Self::restored(Vec::new(), AlarmId::default())
    }
}
