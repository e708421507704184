//! Taking inputs: each sets facts, and judging follows.

use licensing::record::Registration;
use licensing::snapshot::EmergencyCounts;
use licensing::{
    Compliance, Event, FeatureIndex, Mode, Now, RefusalReason, RefusalRecord, SessionCount, TagRef,
    Wall,
};

use super::clock::Meter;
use super::input::Input;
use super::statistics::BOUNCE_US;
use super::tag::TagState;
use super::{Enforcer, Troubles};
use crate::class::CallKind;
use crate::counts::Counts;
use crate::ring::RefusalSeen;

impl Enforcer {
    pub(super) fn take(&mut self, input: Input, now: Now) {
        match input {
            Input::Timeout => {}
            Input::SmartLicensing { enable } => self.switch(enable),
            Input::Feature { feature, enabled } => self.switch_feature(feature, enabled),
            Input::LabSpeedup { speedup } => self.speed_up(speedup),
            Input::RemainingThreshold(at) => self.config.thresholds.remaining = at,
            Input::Counts(counts) => self.count(&counts, now.wall),
            Input::Sealed { service, took_us } => self.sealed(TagRef::Service(service), took_us),
            Input::Refusals(seen) => seen.iter().for_each(|seen| self.refused(seen)),
            Input::RefusalsLost(lost) => self.refusals_lost += lost,
            Input::UnidentifiedCalls(calls) => self.unidentified.came(calls, now.mono),
            Input::Recounted(pass) => self.recounts.worker(pass, now.wall),
            Input::LedgerChecked(ledgers) => self.recounts.ledgers(ledgers, now.wall),
            Input::Registered => self.registered(now),
            Input::RegistrationFailed => {}
            Input::Deregistered => self.deregistered(),
            Input::Verdict {
                tag,
                answer,
                granted,
                lasts_ms,
            } => {
                if self.registration.is_some() {
                    self.heard();
                    self.keeping.operator = true;
                    if let Some(state) = self.tag_mut(tag) {
                        state.answered(answer, granted, lasts_ms, now.wall);
                    }
                }
            }
            Input::Order { tag, order } => {
                if let Some(state) = self.tag_mut(tag) {
                    state.ordered(order);
                }
            }
            Input::Reported { tag, licenses, ok } => {
                let mode = self.mode();
                self.keeping.statistics = true;
                if let Some(state) = self.tag_mut(tag) {
                    state.rows.reported(mode, licenses, ok);
                    state.reported = Some(licenses).filter(|_| ok).or(state.reported);
                }
            }
            Input::AuthorityUnreachable => self.troubles.unreachable = true,
            Input::AuthorityReached => {
                self.troubles.unreachable = false;
                if self.registration.is_some() {
                    self.heard();
                }
            }
            Input::AuthorityCertificate { expiring } => {
                self.troubles.certificate_expiring = expiring;
            }
            Input::StateWritten(ok) => self.troubles.state_not_written = !ok,
            Input::StateTampered => self.troubles.state_tampered = true,
            Input::ControlStalled(stalled) => self.troubles.control_stalled = stalled,
            Input::AgentStalled(stalled) => self.troubles.agent_stalled = stalled,
            Input::SnmpStalled(stalled) => self.troubles.snmp_stalled = stalled,
            Input::Bulkstats(troubles) => self.troubles.bulkstats = troubles,
            Input::Save => {
                self.keeping.clock = true;
                self.keeping.operator = true;
            }
        }
    }

    fn switch(&mut self, enable: bool) {
        if enable == self.enabled {
            return;
        }
        self.enabled = enable;
        self.keeping.operator = true;
        if enable {
            self.ever_enabled = true;
            self.total_enabled += 1;
            self.event(Event::SmartLicensingEnabled);
        } else {
            self.total_disabled += 1;
            self.event(Event::SmartLicensingDisabled);
        }
    }

    fn switch_feature(&mut self, feature: FeatureIndex, enabled: bool) {
        let Some(state) = self.features.get_mut(feature.at()) else {
            return;
        };
        let was = state.enabled();
        state.switched = Some(enabled);
        self.keeping.operator = true;
        match (was, enabled) {
            (false, true) => self.event(Event::FeatureEnabled { feature }),
            (true, false) => self.event(Event::FeatureDisabled { feature }),
            (false, false) | (true, true) => {}
        }
    }

    fn speed_up(&mut self, speedup: u32) {
        if let Some(lab) = &mut self.config.lab {
            lab.speedup = speedup.max(1);
            let speedup = lab.speedup;
            self.event(Event::LabSpeedup { speedup });
        }
    }

    /// A service's count is its ledger; those of features and kinds are sums over the classes (rule L13).
    fn count(&mut self, counts: &Counts, now: Wall) {
        for (state, count) in self.services.iter_mut().zip(&counts.services) {
            let record = count.peak > state.peak;
            let reached = if record { count.peak } else { count.sessions };
            state.peak = state.peak.max(count.peak);
            state.peak_at = if record { Some(now) } else { state.peak_at };
            state.tag.sessions = count.sessions;
            state.tag.reached = state.tag.reached.max(reached);
        }
        let live = |holds: &dyn Fn(&crate::Class) -> bool| {
            let classes = counts.classes.iter();
            let held = classes.filter(|count| holds(&count.class));
            let sum: i64 = held.map(|count| count.counters.live()).sum();
            u32::try_from(sum.max(0)).unwrap_or(u32::MAX)
        };
        let licensed = |kind: CallKind| kind != CallKind::Emergency;
        for (place, state) in (0..).map(FeatureIndex).zip(&mut self.features) {
            let brings =
                |class: &crate::Class| class.features.contains(place) && licensed(class.kind);
            state.tag.sessions = live(&brings);
            state.tag.reached = state.tag.reached.max(state.tag.sessions);
        }
        for (place, state) in (0u8..).zip(&mut self.services) {
            let priority =
                |class: &crate::Class| class.service.0 == place && class.kind == CallKind::Priority;
            state.priority_sessions = live(&priority);
            state.priority_bringing = vec![0; self.features.len()];
        }
        self.count_priority(counts);
        self.count_admitted(counts);
        let emergency = EmergencyCounts {
            sessions: live(&|class| class.kind == CallKind::Emergency).into(),
            admitted: admitted_emergencies(counts),
        };
        let others = live(&|class| class.kind != CallKind::Emergency);
        self.emergencies.came(emergency, others.into());
        self.count_refused(counts);
        self.count_eased(counts);
    }

    /// Priority calls of each service that bring a feature (rule L8).
    fn count_priority(&mut self, counts: &Counts) {
        let classes = counts.classes.iter();
        for count in classes.filter(|count| count.class.kind == CallKind::Priority) {
            let Some(state) = self.services.get_mut(count.class.service.at()) else {
                continue;
            };
            let live = u32::try_from(count.counters.live().max(0)).unwrap_or(u32::MAX);
            for feature in count.class.features.iter() {
                if let Some(bringing) = state.priority_bringing.get_mut(feature.at()) {
                    *bringing = bringing.saturating_add(live);
                }
            }
        }
    }

    fn count_admitted(&mut self, counts: &Counts) {
        for (place, state) in (0u8..).zip(&mut self.services) {
            let classes = counts.classes.iter();
            let mine = classes.filter(|count| count.class.service.0 == place);
            let licensed = mine.filter(|count| count.class.kind != CallKind::Emergency);
            state.admitted = licensed.map(|count| count.counters.admitted).sum();
        }
    }

    fn count_refused(&mut self, counts: &Counts) {
        for (place, state) in (0u8..).zip(&mut self.services) {
            let mine = |count: &&crate::ClassCount| count.class.service.0 == place;
            let sum = |of: fn(&crate::ClassCounters) -> u64| {
                let mine = counts.classes.iter().filter(mine);
                mine.map(|count| of(&count.counters)).sum::<u64>()
            };
            let refused = &mut state.tag.refused;
            let at_ceiling = sum(|counters| counters.refused_ceiling);
            state.refused_lately |= at_ceiling > refused.at_ceiling;
            refused.at_ceiling = at_ceiling;
            refused.low_priority = sum(|counters| counters.refused_low);
            refused.unsettled = sum(|counters| counters.refused_unsettled);
            refused.blocked = sum(|counters| counters.refused_service);
            refused.by_feature = sum(|counters| counters.refused_feature);
        }
    }

    /// A slow seal counts once for every change of policy behind it: the service's own and those of features tied to it.
    fn sealed(&mut self, service: TagRef, took_us: u64) {
        let TagRef::Service(index) = service else {
            return;
        };
        let mode = self.mode();
        let tied = self.config.catalog.tied_to(index);
        for tag in self.tags_mut() {
            let concerned = match tag.tag {
                TagRef::Service(of) => of == index,
                TagRef::Feature(of) => tied.contains(of),
            };
            if concerned && took_us > BOUNCE_US && std::mem::take(&mut tag.bounce_due) {
                tag.rows.bounced(mode);
            }
        }
        self.keeping.statistics |= took_us > BOUNCE_US;
    }

    fn refused(&mut self, seen: &RefusalSeen) {
        let service = TagRef::Service(seen.service);
        let decided = match seen.reason {
            RefusalReason::FeatureBlocked { feature } => TagRef::Feature(feature),
            RefusalReason::ServiceBlocked
            | RefusalReason::AtCeiling
            | RefusalReason::LowPriority
            | RefusalReason::Unsettled => service,
        };
        let Some(period) = self.tag(decided).map(|tag| tag.period_at(seen.at)) else {
            return;
        };
        let record = RefusalRecord {
            at: seen.at,
            service: seen.service,
            reason: seen.reason,
            sessions: SessionCount(seen.sessions),
            ceiling: seen.ceiling.map(SessionCount),
            policy: period.policy,
            policy_since: period.since,
            // Nothing is refused before smart licensing was enabled, and then this is how it begins.
            compliance: period.compliance.unwrap_or(Compliance::Evaluation),
            timer_left_s: self.timer_left_s(period.compliance, decided),
            apn: seen.apn.to_string(),
            cause: seen.cause,
        };
        self.history.add(record);
        let subscribers = u64::from(seen.new_subscriber);
        if let Some(state) = self.tag_mut(service) {
            state.refused.subscribers += subscribers;
        }
        if let (TagRef::Feature(_), Some(state)) = (decided, self.tag_mut(decided)) {
            state.refused.blocked += 1;
            state.refused.subscribers += subscribers;
        }
    }

    fn registered(&mut self, now: Now) {
        let since = self.registration.map_or(now.wall, |before| before.since);
        if self.registration.is_none() {
            if !self.ever_enabled {
                return;
            }
            self.change_mode(Mode::Registered);
        }
        self.registration = Some(Registration {
            since,
            renewed: now.wall,
        });
        self.heard();
        self.keeping.operator = true;
    }

    fn deregistered(&mut self) {
        if self.registration.take().is_none() {
            return;
        }
        self.change_mode(Mode::Evaluation);
        self.tags_mut().for_each(TagState::leave);
        self.clocks.silence = Meter::default();
        self.troubles.unreachable = false;
        self.keeping.operator = true;
        self.keeping.clock = true;
    }

    fn change_mode(&mut self, to: Mode) {
        let from = match to {
            Mode::Evaluation => Mode::Registered,
            Mode::Registered => Mode::Evaluation,
        };
        self.tags_mut().for_each(|tag| tag.rows.freeze(from));
        self.event(Event::ModeChanged { from, to });
    }

    /// The authority was heard: its silence begins anew, and what it alone can settle is settled.
    fn heard(&mut self) {
        let silence = std::mem::take(&mut self.clocks.silence);
        for tag in self.tags_mut() {
            tag.heard_after(silence.used_ms());
        }
        let ends = self.tags().any(|tag| tag.lasts_ms.is_some());
        self.keeping.operator |= ends;
        self.keeping.clock = true;
        self.troubles = Troubles {
            unreachable: false,
            state_lost: false,
            state_tampered: false,
            ..self.troubles
        };
    }

    pub(super) fn tag(&self, tag: TagRef) -> Option<&TagState> {
        match tag {
            TagRef::Service(service) => self.services.get(service.at()).map(|s| &s.tag),
            TagRef::Feature(feature) => self.features.get(feature.at()).map(|f| &f.tag),
        }
    }

    pub(super) fn tag_mut(&mut self, tag: TagRef) -> Option<&mut TagState> {
        match tag {
            TagRef::Service(service) => self.services.get_mut(service.at()).map(|s| &mut s.tag),
            TagRef::Feature(feature) => self.features.get_mut(feature.at()).map(|f| &mut f.tag),
        }
    }
}

fn admitted_emergencies(counts: &Counts) -> u64 {
    let classes = counts.classes.iter();
    let emergency = classes.filter(|count| count.class.kind == CallKind::Emergency);
    emergency.map(|count| count.counters.admitted).sum()
}
