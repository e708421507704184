//! `show license enforcement history`: the newest refused calls, each with all that explains it.

use licensing::{RefusalReason, RefusalRecord, Snapshot};
use serde_json::{Value, json};

use super::table::{Column, Table, left, right};
use super::text::{self, counted, rough_span, stamp};
use super::{Kind, View, remedy};

const ROWS: &[Column] = &[
    left("Time", 24),
    left("Service", 10),
    left("Reason", 10),
    right("Calls"),
    right("Ceiling"),
    right("Cause"),
    left("APN", 16),
];

/// The surface as text.
pub fn text(view: &View) -> String {
    let mut out = String::from("Refused Calls, Newest First\n");
    let mut table = Table::new(ROWS);
    for record in listed(view) {
        table.row([
            stamp(record.at),
            text::service_name(&view.snapshot, record.service),
            reason(record.reason).to_owned(),
            record.sessions.to_string(),
            text::ceiling(record.ceiling),
            record.cause.to_string(),
            record.apn.clone(),
        ]);
        table.note("Why", explained(&view.snapshot, record));
        if let Some(remedy) = remedy::of_refusal(&view.snapshot, record) {
            table.note("Remedy", remedy);
        }
    }
    out.push_str(&table.render());
    if view.snapshot.refusals_lost > 0 {
        let lost = counted(view.snapshot.refusals_lost, "refused call");
        out.push_str(&format!("{lost} came too fast to be listed.\n"));
    }
    out
}

/// The surface as data.
pub fn json(view: &View) -> Value {
    json!({
        "refusals": listed(view).collect::<Vec<_>>(),
        "refusals_lost": view.snapshot.refusals_lost,
    })
}

/// Refusals by a service's own state, or by a feature's, as the filter wants.
fn listed(view: &View) -> impl Iterator<Item = &RefusalRecord> {
    let wanted = view.filter.kind;
    let rows = view.history.iter();
    rows.filter(move |record| wanted.is_none_or(|wanted| wanted == kind(record.reason)))
}

fn kind(reason: RefusalReason) -> Kind {
    match reason {
        RefusalReason::ServiceBlocked
        | RefusalReason::AtCeiling
        | RefusalReason::LowPriority
        | RefusalReason::Unsettled => Kind::Service,
        RefusalReason::FeatureBlocked { .. } => Kind::Feature,
    }
}

/// The word of a reason, as printed.
pub fn reason(reason: RefusalReason) -> &'static str {
    match reason {
        RefusalReason::ServiceBlocked => "BLOCK",
        RefusalReason::FeatureBlocked { .. } => "FEATURE",
        RefusalReason::AtCeiling => "AT-LIMIT",
        RefusalReason::LowPriority => "LOW-PRIO",
        RefusalReason::Unsettled => "UNSETTLED",
    }
}

/// The tag that decided, its policy, its compliance and its timer.
pub fn explained(snapshot: &Snapshot, record: &RefusalRecord) -> String {
    let name = match record.reason {
        RefusalReason::FeatureBlocked { feature } => {
            format!("feature {}", text::feature_name(snapshot, feature))
        }
        RefusalReason::ServiceBlocked
        | RefusalReason::AtCeiling
        | RefusalReason::LowPriority
        | RefusalReason::Unsettled => {
            format!("service {}", text::service_name(snapshot, record.service))
        }
    };
    let left = match record.timer_left_s {
        Some(left) => format!(", {} left on its timer", rough_span(left)),
        None => String::new(),
    };
    let since = stamp(record.policy_since);
    let compliance = text::compliance(record.compliance);
    let limit = match record.reason {
        RefusalReason::AtCeiling => " at its ceiling,",
        RefusalReason::LowPriority => " near its ceiling, a call of low access priority,",
        RefusalReason::Unsettled => " near its ceiling, a worker stood still with credit in hand,",
        RefusalReason::ServiceBlocked | RefusalReason::FeatureBlocked { .. } => "",
    };
    let policy = record.policy;
    format!("{name}{limit} policy {policy} since {since}, {compliance}{left}")
}
