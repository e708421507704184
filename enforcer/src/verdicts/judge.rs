//! Judging: from the facts to verdicts, terms and alarms, and what of it is new.

use std::collections::BTreeSet;

use licensing::catalog::Tie;
use licensing::{
    AlarmKind, Compliance, Event, FeatureIndex, FeatureSet, Mode, Now, OnOoc, Policy, ServiceIndex,
    SessionCount, Shadow, TagRef, Wall,
};

use super::alarms::Conditions;
use super::clock::SILENCE_MINUTES;
use super::shadow::ByFeatures;
use super::standing::{self, NodeFacts, Order};
use super::tag::{FeatureState, Period, ServiceState, TagState};
use super::{Enforcer, Output};
use crate::terms::{Block, Eased};

impl Enforcer {
    /// Makes everything follow from the facts, and says what changed.
    pub(super) fn settle(&mut self, now: Now) {
        self.services.iter_mut().for_each(ServiceState::see_use);
        self.features.iter_mut().for_each(FeatureState::see_use);
        self.see_silence();
        self.run_clocks(0);
        self.keep_clock();
        self.judge_tags(now.wall);
        for place in 0..self.services.len() {
            self.judge_service(place, now.wall);
        }
        for feature in &mut self.features {
            let state = feature.state();
            feature.tag.show(state, now.wall);
        }
        self.see_statistics();
        let told = self.judge_alarms(now.wall);
        self.keeping.operator |= !told.is_empty();
        self.keep_operator(now.mono);
        // The table is the truth: it is kept before anybody is told of it.
        told.into_iter().for_each(|event| self.event(event));
    }

    /// What only silence or an authority could settle: grants that have ended, and objections to what is not in use,
    /// where no authority is heard that could take them back.
    fn see_silence(&mut self) {
        let registered = self.registration.is_some();
        let unheard = !registered || self.silent();
        let silent_ms = self.clocks.silence.used_ms();
        let mut settled = false;
        for tag in self.tags_mut() {
            tag.see_silence(silent_ms);
            if unheard && !tag.in_use && tag.episode.is_on() {
                tag.forget_answer();
                settled = true;
            }
        }
        self.keeping.operator |= settled;
        self.keeping.clock |= settled;
    }

    fn judge_tags(&mut self, at: Wall) {
        let (node, mode) = (self.node_facts(), self.mode());
        let mut events = Vec::new();
        for tag in self.tags_mut() {
            tag.judge(node, mode, at, &mut events);
        }
        for event in events {
            // The next process goes on from the policy of this one.
            self.keeping.operator |= matches!(event, Event::PolicyChanged { .. });
            self.event(event);
        }
    }

    fn judge_service(&mut self, place: usize, at: Wall) {
        let features = self.blocked_features(place);
        let state = &mut self.services[place];
        let (period, policy) = (state.tag.period, state.tag.ceiling_policy());
        state.blocked_by = features.all.filter(|_| policy == Policy::Allow);
        let granted = state.tag.granted.map(|grant| grant.licenses);
        let authorized = state.tag.authorized.unwrap_or_default();
        let licenses = standing::ceiling(period.compliance, policy, granted, authorized);
        let ceiling = licenses.map(|licenses| licenses.sessions(state.sessions_per_license).0);
        let was = std::mem::replace(&mut state.ceiling, ceiling);
        state.last_ceiling = ceiling.or(state.last_ceiling);
        state.judge_limit(was != ceiling);
        state.judge_use(self.config.thresholds);
        let shown = state.state();
        state.tag.show(shown, at);
        let mut order = self.order(place, features);
        order.shared_out = self.services[place].brought_by(order.priority_share());
        let terms = order.terms();
        let service = service_index(place);
        if self.services[place].terms.replace(terms) != Some(terms) {
            self.outputs.push_back(Output::Terms { service, terms });
        }
        if was != ceiling {
            let (from, to) = (was.map(SessionCount), ceiling.map(SessionCount));
            self.event(Event::CeilingChanged { service, from, to });
        }
    }

    fn order(&self, place: usize, by: ByFeatures) -> Order {
        let state = &self.services[place];
        let own = state.tag.eased().map(|percent| Eased {
            by: Block::Service,
            percent,
        });
        Order {
            enforced: self.ever_enabled,
            policy: state.tag.ceiling_policy(),
            ceiling: state.ceiling,
            last_ceiling: state.last_ceiling,
            reported: state.tag.reported,
            sessions_per_license: state.sessions_per_license,
            priority_percent: self.config.priority_percent,
            blocked_by: state.blocked_by,
            blocked_features: by.brought,
            shared_out: FeatureSet::EMPTY,
            eased: Eased::harder(own, by.eased),
            eased_features: by.eased_brought,
        }
    }

    /// Features whose block concerns a service (rule L12).
    fn blocked_features(&self, place: usize) -> ByFeatures {
        let listed = (0..).map(FeatureIndex).zip(self.config.catalog.features());
        let mut blocks = ByFeatures::default();
        for (index, feature) in listed {
            let state = &self.features[index.at()].tag;
            if !state.would_block {
                continue;
            }
            match feature.tie {
                Tie::Service if feature.services.contains(&service_index(place)) => {
                    blocks.add_tied(index, state.eased());
                }
                Tie::Service => {}
                Tie::Call => blocks.add_brought(index, state.eased()),
            }
        }
        blocks
    }

    fn see_statistics(&mut self) {
        if !self.ever_enabled {
            self.tags_mut().for_each(|tag| tag.reached = tag.sessions);
            return;
        }
        let mode = self.mode();
        let mut changed = false;
        for tag in self.tags_mut() {
            let before = tag.rows.row(mode).max_call_count;
            let (policy, sessions) = (tag.period.policy, tag.sessions);
            tag.rows.see(mode, policy, sessions, tag.reached);
            tag.reached = sessions;
            changed |= tag.rows.row(mode).max_call_count != before;
        }
        self.keeping.statistics |= changed;
    }

    /// Makes the table of alarms follow from the facts: what is to be told of it.
    fn judge_alarms(&mut self, at: Wall) -> Vec<Event> {
        let conditions = self.conditions();
        let mut alarms = std::mem::replace(&mut self.alarms, super::Alarms::empty());
        let mut events = alarms.reconcile(&conditions, |kind| self.figure(kind), at);
        let due = self.tags_mut().filter(|tag| tag.repeat_due);
        let due: Vec<_> = due
            .map(|tag| {
                tag.repeat_due = false;
                out_of_compliance(tag.tag)
            })
            .collect();
        for kind in due {
            events.extend(alarms.repeat(&kind, self.figure(kind), at));
        }
        self.alarms = alarms;
        events
    }

    /// Every condition that holds now (rule L16).
    pub(super) fn conditions(&self) -> Conditions {
        let mut holding = self.conditions_of_the_node();
        for tag in self.tags().filter(|tag| tag.episode.is_on()) {
            holding.insert(out_of_compliance(tag.tag));
            let graced = tag.rule.grace_days > 0 && !tag.grace_left();
            if graced && tag.rule.on_ooc == OnOoc::Block {
                let (service, feature) = parts(tag.tag);
                holding.insert(AlarmKind::GraceExpired { service, feature });
            }
        }
        let warned = |tag: &&TagState| tag.would_block && tag.order.shadow == Shadow::Warn;
        for tag in self.tags().filter(warned) {
            let (service, feature) = parts(tag.tag);
            holding.insert(AlarmKind::BlockNotApplied { service, feature });
        }
        for (place, state) in self.services.iter().enumerate() {
            let service = service_index(place);
            let of_use = [
                (state.at_limit, AlarmKind::AtLimit { service }),
                (state.remaining_low, AlarmKind::RemainingLow { service }),
                (state.congested, AlarmKind::LicenseCongestion { service }),
            ];
            holding.extend(
                of_use
                    .into_iter()
                    .filter_map(|(on, kind)| on.then_some(kind)),
            );
        }
        for tag in self.tags().filter(|tag| tag.evaluation_ended()) {
            let (service, feature) = parts(tag.tag);
            let kind = AlarmKind::EvaluationEnded { service, feature };
            if tag.in_use || self.alarms.contains(&kind) {
                holding.insert(kind);
            }
        }
        for tag in self.recounts.adrift() {
            let (service, feature) = parts(tag);
            holding.insert(AlarmKind::CountDrift { service, feature });
        }
        holding
    }

    fn conditions_of_the_node(&self) -> Conditions {
        let troubles = &self.troubles;
        let bulkstats = troubles.bulkstats;
        let evaluating = self.ever_enabled && self.registration.is_none();
        let used_up = self.under_evaluation() && self.evaluation_left_ms() == 0;
        let conditions = [
            (evaluating, AlarmKind::EvaluationMode),
            (used_up, AlarmKind::EvaluationExpired),
            (troubles.unreachable, AlarmKind::AuthorityUnreachable),
            (self.expired(), AlarmKind::AuthorizationExpired),
            (
                troubles.certificate_expiring,
                AlarmKind::AuthorityCertificateExpiring,
            ),
            (troubles.state_lost, AlarmKind::StateLost),
            (troubles.state_tampered, AlarmKind::StateTampered),
            (troubles.state_not_written, AlarmKind::StateNotWritten),
            (self.watch.tampered().is_some(), AlarmKind::ClockTampered),
            (troubles.control_stalled, AlarmKind::ControlStalled),
            (troubles.agent_stalled, AlarmKind::AgentStalled),
            (troubles.snmp_stalled, AlarmKind::SnmpStalled),
            (bulkstats.stalled, AlarmKind::BulkstatsStalled),
            (bulkstats.undelivered, AlarmKind::BulkstatsUndelivered),
            (bulkstats.host_key, AlarmKind::BulkstatsHostKey),
            (bulkstats.discarding, AlarmKind::BulkstatsDiscarding),
            (bulkstats.not_written, AlarmKind::BulkstatsNotWritten),
            (self.unidentified.lately(), AlarmKind::UnidentifiedCalls),
            (self.emergencies.are_many(), AlarmKind::EmergencyShare),
        ];
        let holding = conditions.into_iter().filter(|(holds, _)| *holds);
        holding.map(|(_, kind)| kind).collect::<BTreeSet<_>>()
    }

    /// The figure that goes with an alarm now.
    fn figure(&self, kind: AlarmKind) -> i64 {
        let licenses = |tag| self.tag(tag).map_or(0, |tag| tag.licenses.0);
        let of = |service: ServiceIndex, figure: &dyn Fn(&ServiceState) -> u64| {
            self.services.get(service.at()).map_or(0, figure)
        };
        let figure = match kind {
            AlarmKind::ServiceOutOfCompliance { service } => {
                licenses(TagRef::Service(service)).into()
            }
            AlarmKind::FeatureOutOfCompliance { feature } => {
                licenses(TagRef::Feature(feature)).into()
            }
            AlarmKind::EvaluationMode | AlarmKind::EvaluationExpired | AlarmKind::StateLost => {
                self.evaluation_left_ms() / 1_000
            }
            AlarmKind::AuthorityUnreachable | AlarmKind::AuthorizationExpired => {
                self.silent_s().unwrap_or(0)
            }
            AlarmKind::AtLimit { service } => of(service, &|state| state.tag.sessions.into()),
            AlarmKind::RemainingLow { service } => {
                of(service, &|state| state.left_percent().unwrap_or(100))
            }
            AlarmKind::LicenseCongestion { service } => {
                of(service, &|state| state.used_percent().unwrap_or(0))
            }
            AlarmKind::CountDrift { service, feature } => {
                let service = service.map(TagRef::Service);
                let tag = service.or(feature.map(TagRef::Feature));
                let found = self.recounts.found();
                let found = found.zip(tag).map(|(found, tag)| found.differences(tag));
                found.unwrap_or(0)
            }
            AlarmKind::UnidentifiedCalls => self.unidentified.calls(),
            AlarmKind::EmergencyShare => self.emergencies.counts.sessions,
            AlarmKind::ClockTampered => return self.watch.tampered().unwrap_or(0),
            AlarmKind::GraceExpired { .. }
            | AlarmKind::EvaluationEnded { .. }
            | AlarmKind::AuthorityCertificateExpiring
            | AlarmKind::BlockNotApplied { .. }
            | AlarmKind::StateTampered
            | AlarmKind::StateNotWritten
            | AlarmKind::ControlStalled
            | AlarmKind::AgentStalled
            | AlarmKind::SnmpStalled
            | AlarmKind::BulkstatsStalled
            | AlarmKind::BulkstatsUndelivered
            | AlarmKind::BulkstatsHostKey
            | AlarmKind::BulkstatsDiscarding
            | AlarmKind::BulkstatsNotWritten => 0,
        };
        i64::try_from(figure).unwrap_or(i64::MAX)
    }

    /// License time since the authority was last heard, in seconds; none: not registered.
    pub(super) fn silent_s(&self) -> Option<u64> {
        let silent_s = self.clocks.silence.used_ms() / 1_000;
        self.registration.map(|_| silent_s)
    }

    /// License time until silence ends what the authority said of a tag, in milliseconds.
    fn authorized_left_ms(&self, tag: TagRef) -> u64 {
        let silence = &self.clocks.silence;
        let ends_ms = self.tag(tag).and_then(TagState::ends_ms);
        let left_ms = ends_ms.map(|ends_ms| ends_ms.saturating_sub(silence.used_ms()));
        let silent_ms = silence.left_ms(SILENCE_MINUTES);
        left_ms.unwrap_or(silent_ms).min(silent_ms)
    }

    /// License time until what holds of a tag changes by itself, in seconds; none: it won't.
    pub(super) fn timer_left_s(&self, compliance: Option<Compliance>, tag: TagRef) -> Option<u64> {
        let left_ms = match compliance? {
            Compliance::EvaluationExpired => 0,
            Compliance::Evaluation | Compliance::AuthorizationExpired => self.evaluation_left_ms(),
            Compliance::Waiting | Compliance::Authorized => self.authorized_left_ms(tag),
            Compliance::OutOfCompliance { .. } | Compliance::InvalidTag => {
                self.tag(tag).map_or(0, TagState::grace_left_ms)
            }
        };
        Some(left_ms / 1_000).filter(|_| left_ms > 0)
    }
}

impl TagState {
    /// Makes compliance and policy follow from the facts.
    fn judge(&mut self, node: NodeFacts, mode: Mode, at: Wall, events: &mut Vec<Event>) {
        let facts = self.facts();
        let compliance = standing::compliance(node, facts);
        let verdict = standing::policy(compliance, node, facts);
        self.would_block = verdict == Policy::Block;
        // A block that refuses nobody is none.
        let policy = match self.eased() {
            Some(0) => Policy::Allow,
            Some(_) | None => verdict,
        };
        let tag = self.tag;
        let told = compliance.filter(|_| self.in_use);
        let from = std::mem::replace(&mut self.told, told);
        if from != told {
            let to = told;
            events.push(Event::ComplianceChanged { tag, from, to });
        }
        let (from, to) = (self.period.policy, policy);
        if from == to {
            self.period.compliance = compliance;
            return;
        }
        self.before = Some(self.period);
        self.period = Period {
            policy,
            since: at,
            compliance,
        };
        self.rows.policy_changed(mode, policy);
        self.bounce_due = true;
        events.push(Event::PolicyChanged { tag, from, to });
    }

    fn show(&mut self, state: licensing::snapshot::State, at: Wall) {
        if self.state != state {
            self.state = state;
            self.since = at;
        }
    }

    /// It is blocked because nothing is left of the evaluation.
    fn evaluation_ended(&self) -> bool {
        let by_evaluation = match self.period.compliance {
            Some(Compliance::EvaluationExpired | Compliance::AuthorizationExpired) => true,
            None
            | Some(
                Compliance::Waiting
                | Compliance::Authorized
                | Compliance::OutOfCompliance { .. }
                | Compliance::InvalidTag
                | Compliance::Evaluation,
            ) => false,
        };
        by_evaluation && self.period.policy == Policy::Block
    }

    fn grace_left_ms(&self) -> u64 {
        self.episode.grace().left_ms(self.grace_minutes())
    }
}

pub(super) fn out_of_compliance(tag: TagRef) -> AlarmKind {
    match tag {
        TagRef::Service(service) => AlarmKind::ServiceOutOfCompliance { service },
        TagRef::Feature(feature) => AlarmKind::FeatureOutOfCompliance { feature },
    }
}

fn parts(tag: TagRef) -> (Option<ServiceIndex>, Option<FeatureIndex>) {
    match tag {
        TagRef::Service(service) => (Some(service), None),
        TagRef::Feature(feature) => (None, Some(feature)),
    }
}

/// The index of a place in the services, of which a catalog has at most 64.
pub(super) fn service_index(place: usize) -> ServiceIndex {
    ServiceIndex(u8::try_from(place).unwrap_or(u8::MAX))
}
