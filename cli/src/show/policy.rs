//! `show license enforcement policy`: the rules by which new calls are let through or refused.

use licensing::snapshot::{FeatureStatus, ServiceStatus};
use licensing::{Mode, OnOoc, Snapshot, Tie};
use serde_json::{Value, json};

use super::table::{Column, Table, left, right};
use super::text;
use super::{View, node_fields};

const SERVICES: &[Column] = &[
    right("TagId"),
    left("Service", 20),
    right("Sess/License"),
    left("On OOC", 6),
    right("Grace"),
    right("Ceiling"),
    left("Policy", 6),
];

const FEATURES: &[Column] = &[
    right("TagId"),
    left("Feature", 24),
    left("On OOC", 6),
    right("Grace"),
    left("Policy", 6),
    left("Tied", 7),
    left("To services", 20),
];

/// The surface as text.
pub fn text(view: &View) -> String {
    let snapshot = &view.snapshot;
    let mut out = String::from("Smart Licensing Enforcement Policy\n");
    out.push_str(&node_fields(snapshot));
    out.push_str(&general(snapshot));
    out.push_str("\nService Level Enforcement Policy\n");
    out.push_str(&services(&snapshot.services));
    out.push_str("\nFeature Level Enforcement Policy\n");
    out.push_str(&features(snapshot));
    out
}

/// The surface as data.
pub fn json(view: &View) -> Value {
    let service = |row: &ServiceStatus| {
        json!({
            "tag_id": row.tag.tag_id, "name": row.tag.name, "rule": row.tag.rule, "policy": row.tag.policy,
            "sessions_per_license": row.sessions_per_license, "ceiling": row.ceiling,
        })
    };
    let feature = |row: &FeatureStatus| {
        json!({
            "tag_id": row.tag.tag_id, "name": row.tag.name, "rule": row.tag.rule, "policy": row.tag.policy,
            "tie": row.tie, "services": tied_names(&view.snapshot, row),
        })
    };
    json!({
        "smart": view.snapshot.smart,
        "services": view.snapshot.services.iter().map(service).collect::<Vec<_>>(),
        "features": view.snapshot.features.iter().map(feature).collect::<Vec<_>>(),
    })
}

fn general(snapshot: &Snapshot) -> String {
    let standing = match snapshot.smart.mode {
        _ if !snapshot.smart.ever_enabled => {
            "calls are counted and let through until license smart enable"
        }
        Mode::Evaluation if snapshot.evaluation.expired && snapshot.recovery.is_none() => {
            "every one is refused: the evaluation period is used up"
        }
        Mode::Evaluation => {
            "one license a service, features without limit; afterwards every new call is refused"
        }
        Mode::Registered => "by the verdict of the authority for each tag, see below",
    };
    let mut out = text::field("New calls", standing);
    out.push_str(&text::field(
        "Established calls",
        "never ended, changed or moved for a license",
    ));
    out.push_str(&text::field(
        "Emergency calls",
        "never refused for a license, and hold none",
    ));
    out
}

fn services(rows: &[ServiceStatus]) -> String {
    let mut table = Table::new(SERVICES);
    for row in rows {
        table.row([
            row.tag.tag_id.to_string(),
            row.tag.name.clone(),
            row.sessions_per_license.to_string(),
            on_ooc(row.tag.rule.on_ooc).to_owned(),
            grace(row.tag.rule.grace_days),
            text::ceiling(row.ceiling),
            row.tag.policy.to_string(),
        ]);
    }
    table.render()
}

fn features(snapshot: &Snapshot) -> String {
    let mut table = Table::new(FEATURES);
    for row in &snapshot.features {
        table.row([
            row.tag.tag_id.to_string(),
            row.tag.name.clone(),
            on_ooc(row.tag.rule.on_ooc).to_owned(),
            grace(row.tag.rule.grace_days),
            row.tag.policy.to_string(),
            tie(row.tie).to_owned(),
            tied_to(snapshot, row),
        ]);
    }
    table.render()
}

fn on_ooc(rule: OnOoc) -> &'static str {
    match rule {
        OnOoc::Block => "BLOCK",
        OnOoc::Allow => "ALLOW",
    }
}

fn grace(days: u16) -> String {
    match days {
        0 => "none".to_owned(),
        days => format!("{days} d"),
    }
}

fn tie(tie: Tie) -> &'static str {
    match tie {
        Tie::Service => "service",
        Tie::Call => "call",
    }
}

fn tied_names(snapshot: &Snapshot, feature: &FeatureStatus) -> Vec<String> {
    let names = feature.services.iter();
    names.map(|s| text::service_name(snapshot, *s)).collect()
}

fn tied_to(snapshot: &Snapshot, feature: &FeatureStatus) -> String {
    if feature.services.is_empty() {
        "none".to_owned()
    } else if feature.services.len() == snapshot.services.len() {
        "all".to_owned()
    } else {
        tied_names(snapshot, feature).join(" ")
    }
}
