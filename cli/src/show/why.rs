//! The sentences that explain: why a tag has its state, why a call was refused, what an alarm says.

use licensing::snapshot::{RefusedCounts, ServiceStatus, State, TagRow, TagStatus};
use licensing::{Alarm, AlarmKind, Compliance, FeatureIndex, Policy, ServiceIndex, Snapshot};

use super::text::{self, counted, rough_span, stamp};

/// Why a tag has the state that it has; none: it is not in use, no call was refused for it, and nothing but the end of the
/// evaluation, which is said of all of them at once, blocks it.
pub fn reason(snapshot: &Snapshot, row: TagRow<'_>) -> Option<String> {
    let tag = row.tag();
    let asked_for = tag.in_use || tag.refused != RefusedCounts::default();
    match tag.state {
        State::AllowAtLimit => Some(at_limit(row)),
        State::Block if by_evaluation(snapshot, tag) && !asked_for => None,
        State::Block => Some(block(snapshot, row)),
        State::Allow => allow(snapshot, tag),
    }
}

fn by_evaluation(snapshot: &Snapshot, tag: &TagStatus) -> bool {
    match tag.compliance {
        Some(Compliance::EvaluationExpired) => true,
        None => snapshot.evaluation.expired,
        Some(
            Compliance::Waiting
            | Compliance::Authorized
            | Compliance::OutOfCompliance { .. }
            | Compliance::InvalidTag
            | Compliance::AuthorizationExpired
            | Compliance::Evaluation,
        ) => false,
    }
}

fn at_limit(row: TagRow<'_>) -> String {
    let TagRow::Service(service) = row else {
        return "at its limit".to_owned();
    };
    let ceiling = service.ceiling.unwrap_or_default();
    if service.sessions > ceiling {
        let over = service.sessions.0 - ceiling.0;
        return format!(
            "{} above its ceiling: no new call until {} ended",
            counted(u64::from(over), "call"),
            if over == 1 {
                "2 have".to_owned()
            } else {
                format!("{} have", u64::from(over) + 1)
            }
        );
    }
    format!(
        "the ceiling is reached ({}): a call that ends lets the next one in",
        covered(service)
    )
}

fn covered(service: &ServiceStatus) -> String {
    let licenses = service.ceiling.unwrap_or_default().0 / service.sessions_per_license.max(1);
    format!(
        "{} of {} calls",
        counted(u64::from(licenses), "license"),
        service.sessions_per_license
    )
}

fn block(snapshot: &Snapshot, row: TagRow<'_>) -> String {
    if let TagRow::Service(ServiceStatus {
        blocked_by: Some(feature),
        tag: TagStatus {
            policy: Policy::Allow,
            ..
        },
        ..
    }) = row
    {
        let name = text::feature_name(snapshot, *feature);
        return format!("feature {name} is BLOCK, and is tied to this service");
    }
    blocked_standing(snapshot, row.tag())
}

fn blocked_standing(snapshot: &Snapshot, tag: &TagStatus) -> String {
    match tag.compliance {
        _ if by_evaluation(snapshot, tag) => {
            "the evaluation period is used up and the node is not registered".to_owned()
        }
        Some(Compliance::OutOfCompliance { since }) => {
            let grace = match tag.rule.grace_days {
                0 => "no grace".to_owned(),
                days => format!("its grace of {} is used up", counted(days.into(), "day")),
            };
            format!("out of compliance since {}, {grace}", stamp(since))
        }
        Some(Compliance::InvalidTag) => "the authority does not know this tag".to_owned(),
        Some(Compliance::AuthorizationExpired) => {
            "nothing heard from the authority for 90 days, and no evaluation time is left"
                .to_owned()
        }
        Some(
            Compliance::Waiting
            | Compliance::Authorized
            | Compliance::Evaluation
            | Compliance::EvaluationExpired,
        ) => "by the last verdict".to_owned(),
        None => "by the last verdict; not in use".to_owned(),
    }
}

fn allow(snapshot: &Snapshot, tag: &TagStatus) -> Option<String> {
    if !snapshot.smart.ever_enabled {
        return tag
            .in_use
            .then(|| "smart licensing was never enabled: counted, not enforced".to_owned());
    }
    tag.compliance.map(|compliance| match compliance {
        Compliance::Waiting => "registered, no verdict of the authority yet".to_owned(),
        Compliance::Authorized => authorized(tag),
        Compliance::OutOfCompliance { since } => {
            format!("out of compliance since {}, {}", stamp(since), spared(tag))
        }
        Compliance::InvalidTag => {
            format!("the authority does not know this tag, {}", spared(tag))
        }
        Compliance::AuthorizationExpired => {
            "nothing heard from the authority for 90 days: evaluation time is used".to_owned()
        }
        Compliance::Evaluation if snapshot.recovery.is_some() => {
            "in the recovery period".to_owned()
        }
        Compliance::Evaluation => "in evaluation".to_owned(),
        Compliance::EvaluationExpired => format!("evaluation is used up, {}", spared(tag)),
    })
}

fn authorized(tag: &TagStatus) -> String {
    match tag.entitlement {
        None => "authorized, without a ceiling".to_owned(),
        Some(grant) => format!(
            "authorized, {} granted, {} used",
            counted(u64::from(grant.licenses.0), "license"),
            tag.licenses
        ),
    }
}

fn spared(tag: &TagStatus) -> String {
    match tag.grace_left_s {
        _ if tag.eased => "an order lets its calls through".to_owned(),
        Some(left) if left > 0 => format!("{} of grace left", rough_span(left)),
        Some(_) | None => "its rule lets calls through".to_owned(),
    }
}

/// What an alarm says.
pub fn alarm(snapshot: &Snapshot, alarm: &Alarm) -> String {
    let tag = |service: Option<ServiceIndex>, feature: Option<FeatureIndex>| {
        let service = service.map(|s| format!("service {}", text::service_name(snapshot, s)));
        let feature = feature.map(|f| format!("feature {}", text::feature_name(snapshot, f)));
        service.or(feature).unwrap_or_else(|| "a tag".to_owned())
    };
    match alarm.kind {
        AlarmKind::ServiceOutOfCompliance { service } => {
            format!("{} is out of compliance", tag(Some(service), None))
        }
        AlarmKind::FeatureOutOfCompliance { feature } => {
            format!("{} is out of compliance", tag(None, Some(feature)))
        }
        AlarmKind::EvaluationMode => "the node runs in evaluation".to_owned(),
        AlarmKind::EvaluationExpired => "the evaluation period is used up".to_owned(),
        AlarmKind::AuthorityUnreachable => "the authority can't be reached".to_owned(),
        AlarmKind::AuthorizationExpired => {
            "nothing heard from the authority for 90 days".to_owned()
        }
        AlarmKind::AtLimit { service } => {
            format!("{} is at its ceiling", tag(Some(service), None))
        }
        AlarmKind::GraceExpired { service, feature } => {
            format!("the grace of {} is used up", tag(service, feature))
        }
        AlarmKind::EvaluationEnded { service, feature } => {
            format!("the evaluation of {} has ended", tag(service, feature))
        }
        AlarmKind::RemainingLow { service } => {
            let (tag, left) = (tag(Some(service), None), alarm.value);
            format!("{left}% of the sessions of {tag} are left")
        }
        AlarmKind::LicenseCongestion { service } => {
            let (tag, used) = (tag(Some(service), None), alarm.value);
            format!("{used}% of the licenses of {tag} are in use")
        }
        AlarmKind::AuthorityCertificateExpiring => {
            "a root of the trust pool expires within 60 days, or has expired".to_owned()
        }
        AlarmKind::BlockNotApplied { service, feature } => {
            let tag = tag(service, feature);
            format!("{tag} would be blocked, and an order lets its calls through")
        }
        AlarmKind::CountDrift { service, feature } => {
            let tag = tag(service, feature);
            format!("the count of {tag} differs from the session table")
        }
        AlarmKind::StateLost => {
            "all copies of the license clock are lost: a recovery period runs".to_owned()
        }
        AlarmKind::StateTampered => "the state on disk was altered or set back".to_owned(),
        AlarmKind::StateNotWritten => "the state can't be written".to_owned(),
        AlarmKind::ClockTampered => "the wall clock jumped by more than 24 hours".to_owned(),
        AlarmKind::ControlStalled => "the control thread does not work".to_owned(),
        AlarmKind::AgentStalled => {
            "the smart agent does not work: nothing is asked or reported".to_owned()
        }
        AlarmKind::SnmpStalled => "SNMP does not work: no manager is told or answered".to_owned(),
        AlarmKind::BulkstatsStalled => {
            "bulk statistics do not work: no sample is taken or transferred".to_owned()
        }
        AlarmKind::BulkstatsUndelivered => "no receiver takes bulk statistics".to_owned(),
        AlarmKind::BulkstatsHostKey => {
            "a receiver of bulk statistics shows another host key, or a certificate that is not to be believed".to_owned()
        }
        AlarmKind::BulkstatsDiscarding => {
            "too much waits, and old bulk statistics are dropped".to_owned()
        }
        AlarmKind::BulkstatsNotWritten => "bulk statistics can't be written".to_owned(),
        AlarmKind::UnidentifiedCalls => {
            let calls = text::counted(snapshot.unidentified_calls, "call");
            format!("{calls} to ordinary access points had no authenticated subscriber")
        }
        AlarmKind::EmergencyShare => {
            let sessions = text::counted(snapshot.emergency.sessions, "emergency session");
            format!("{sessions} are many beside the others")
        }
    }
}
