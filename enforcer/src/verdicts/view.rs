//! The snapshot: the machine's state as every surface sees it.

use licensing::catalog::{Feature, Service};
use licensing::snapshot::{
    Evaluation, FeatureStatus, Recovery, ServiceStatus, SmartLicensing, Snapshot, TagStatus,
};
use licensing::{FeatureIndex, Now, SessionCount, Tag, TagId};

use super::Enforcer;
use super::clock::{EVALUATION_MINUTES, MINUTE_MS, RECOVERY_MINUTES};
use super::judge::service_index;
use super::tag::{FeatureState, ServiceState, TagState};

/// Who a tag is.
struct Listed<'a> {
    tag_id: TagId,
    name: &'a str,
    tag: &'a Tag,
    description: &'a str,
}

impl Enforcer {
    /// The node as it is since the last input; `now` only says when this was asked.
    pub fn snapshot(&self, now: Now) -> Snapshot {
        let catalog = &self.config.catalog;
        let services = catalog.services().iter().zip(&self.services).enumerate();
        let features = catalog.features().iter().zip(&self.features);
        let features = (0..).map(FeatureIndex).zip(features);
        Snapshot {
            seq: self.taken,
            at: now,
            node: self.config.node.clone(),
            lab: self.config.lab,
            smart: SmartLicensing {
                enabled: self.enabled,
                ever_enabled: self.ever_enabled,
                mode: self.mode(),
                total_enabled: self.total_enabled,
                total_disabled: self.total_disabled,
            },
            evaluation: self.evaluation(),
            recovery: self.clocks.recovery.map(|meter| Recovery {
                remaining_s: meter.left_ms(RECOVERY_MINUTES) / 1_000,
            }),
            authority_silent_s: self.silent_s(),
            services: services
                .map(|(place, (listed, state))| self.service_status(place, listed, state))
                .collect(),
            features: features
                .map(|(place, (listed, state))| self.feature_status(place, listed, state))
                .collect(),
            emergency: self.emergencies.counts,
            unidentified_calls: self.unidentified.calls(),
            alarms: self.alarms.oldest_first(),
            thresholds: self.config.thresholds,
            recount: self.recounts.found().map(|found| found.recount),
            refusals_lost: self.refusals_lost,
        }
    }

    fn evaluation(&self) -> Evaluation {
        let total_s = u64::from(EVALUATION_MINUTES) * MINUTE_MS / 1_000;
        let remaining_s = self.clocks.evaluation.left_ms(EVALUATION_MINUTES) / 1_000;
        Evaluation {
            total_s,
            used_s: total_s - remaining_s,
            remaining_s,
            running: self.evaluation_runs(),
            expired: self.evaluation_left_ms() == 0,
        }
    }

    fn service_status(
        &self,
        place: usize,
        listed: &Service,
        state: &ServiceState,
    ) -> ServiceStatus {
        let of = Listed {
            tag_id: listed.tag_id,
            name: &listed.name,
            tag: &listed.tag,
            description: &listed.description,
        };
        ServiceStatus {
            service: service_index(place),
            tag: self.tag_status(&of, &state.tag),
            sessions: SessionCount(state.tag.sessions),
            priority_sessions: SessionCount(state.priority_sessions),
            admitted: state.admitted,
            peak: SessionCount(state.peak),
            peak_at: state.peak_at,
            sessions_per_license: state.sessions_per_license.get(),
            ceiling: state.ceiling.map(SessionCount),
            blocked_by: state.blocked_by,
        }
    }

    fn feature_status(
        &self,
        feature: FeatureIndex,
        listed: &Feature,
        state: &FeatureState,
    ) -> FeatureStatus {
        let of = Listed {
            tag_id: listed.tag_id,
            name: &listed.name,
            tag: &listed.tag,
            description: &listed.description,
        };
        FeatureStatus {
            feature,
            tag: self.tag_status(&of, &state.tag),
            enabled: state.enabled(),
            sessions: SessionCount(state.tag.sessions),
            services: listed.services.clone(),
            tie: listed.tie,
        }
    }

    fn tag_status(&self, of: &Listed<'_>, state: &TagState) -> TagStatus {
        let found = self.recounts.found();
        TagStatus {
            tag_id: of.tag_id,
            name: of.name.to_owned(),
            tag: of.tag.clone(),
            description: of.description.to_owned(),
            in_use: state.in_use,
            compliance: state.told,
            policy: state.period.policy,
            state: state.state,
            since: state.since,
            rule: state.rule,
            grace_left_s: state.grace_left_s(),
            entitlement: state.granted,
            licenses: state.licenses,
            evaluation: state.rows.evaluation,
            registered: state.rows.registered,
            shadow: state.order.shadow,
            eased: state.eased().is_some(),
            let_through: state.let_through,
            refused: state.refused,
            drift: found.map(|found| found.drift(state.tag)),
            proved: found.map(|found| found.recount.at),
        }
    }
}
