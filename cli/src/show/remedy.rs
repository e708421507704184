//! What ends a block, or the grace before it: what an operator does about it.

use licensing::snapshot::{ServiceStatus, TagRow};
use licensing::{Compliance, Policy, RefusalReason, RefusalRecord, Snapshot};

/// Of a service or feature as it stands; none: nothing is wrong with it, or nothing that anybody does helps.
pub fn of(snapshot: &Snapshot, row: TagRow<'_>) -> Option<String> {
    if let TagRow::Service(ServiceStatus {
        blocked_by: Some(feature),
        tag,
        ..
    }) = row
        && tag.policy == Policy::Allow
    {
        let feature = snapshot.features.get(feature.at())?;
        return of(snapshot, TagRow::Feature(feature));
    }
    let standing = row.tag().compliance;
    let used_up =
        standing.is_none() && snapshot.evaluation.expired && row.tag().policy == Policy::Block;
    let standing = standing.or(used_up.then_some(Compliance::EvaluationExpired));
    remedy(row, standing?)
}

/// Of a refused call, by what its tag was then.
pub fn of_refusal(snapshot: &Snapshot, record: &RefusalRecord) -> Option<String> {
    let row = match record.reason {
        RefusalReason::FeatureBlocked { feature } => {
            snapshot.features.get(feature.at()).map(TagRow::Feature)
        }
        RefusalReason::ServiceBlocked
        | RefusalReason::AtCeiling
        | RefusalReason::LowPriority
        | RefusalReason::Unsettled => {
            let service = snapshot.services.get(record.service.at());
            service.map(TagRow::Service)
        }
    };
    remedy(row?, record.compliance)
}

fn remedy(row: TagRow<'_>, standing: Compliance) -> Option<String> {
    match standing {
        Compliance::OutOfCompliance { .. } => Some(licenses(row)),
        Compliance::InvalidTag => Some(match unused(row) {
            Some(unused) => format!("an account that has this license, or {unused}"),
            None => "an account that has this license".to_owned(),
        }),
        Compliance::EvaluationExpired => Some("license smart register idtoken <token>".to_owned()),
        Compliance::AuthorizationExpired => {
            Some("reach the authority, then license smart renew auth".to_owned())
        }
        Compliance::Waiting | Compliance::Authorized | Compliance::Evaluation => None,
    }
}

fn licenses(row: TagRow<'_>) -> String {
    match unused(row) {
        Some(unused) => format!("more licenses of it, or {unused}"),
        None => "more licenses of it".to_owned(),
    }
}

/// How a feature that is enabled goes out of use (rule L12).
fn unused(row: TagRow<'_>) -> Option<String> {
    let TagRow::Feature(feature) = row else {
        return None;
    };
    let command = format!("no feature {} enable", feature.tag.name);
    match (feature.enabled, feature.sessions.0) {
        (true, 0) => Some(command),
        (true, _) => Some(format!("{command} and the end of the calls that bring it")),
        (false, 0) => None,
        (false, _) => Some("the end of the calls that bring it".to_owned()),
    }
}
