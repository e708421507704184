//! `show license statistics`: the scalars, then the rows of each tag, level and mode (rule L15).
//!
//! The columns have the names of the field; they stand in two tables side by side no screen of 80 columns could hold,
//! so one below the other.

use api::{AgentMessages, EventCounts};
use licensing::Mode;
use licensing::snapshot::{ModeStatistics, TagRow, TagStatus};
use serde_json::{Value, json};

use super::table::{Column, Table, left, right};
use super::text::{field, or_absent};
use super::{Kind, View, status};

const COUNTS: &[Column] = &[
    right("TagId"),
    left("Name", 20),
    left("Policy", 6),
    right("CurCallCnt"),
    right("MaxCallCnt"),
    right("LastLicCnt"),
    right("MaxLicCnt"),
];

const CHANGES: &[Column] = &[
    right("TagId"),
    left("Name", 20),
    right("ReportSucc"),
    right("ReportFail"),
    right("PChgAllow"),
    right("PChgBlock"),
    right("PChgBounce"),
];

const REFUSED: &[Column] = &[
    right("TagId"),
    left("Name", 20),
    right("Blocked"),
    right("AtCeiling"),
    right("LowPrio"),
    right("ByFeature"),
    right("Subscribers"),
    right("Drift"),
];

/// The surface as text.
pub fn text(view: &View) -> String {
    let snapshot = &view.snapshot;
    let mut out = String::from("Smart Licensing Statistics\n");
    out.push_str(&scalars(view));
    for (kind, title) in [(Kind::Service, "Service"), (Kind::Feature, "Feature")] {
        if view.filter.kind.is_none_or(|wanted| wanted == kind) {
            let rows: Vec<TagRow<'_>> = snapshot
                .rows()
                .filter(|row| super::kind_of(*row) == kind)
                .collect();
            for mode in [Mode::Evaluation, Mode::Registered] {
                out.push_str(&level(title, mode, &rows));
            }
            out.push_str(&format!("\n{title} Level New Calls Refused\n"));
            out.push_str(&refused(&rows));
        }
    }
    out
}

/// The surface as data.
pub fn json(view: &View) -> Value {
    let rows = |kind: Kind| {
        let wanted = view.filter.kind.is_none_or(|wanted| wanted == kind);
        let rows = view.snapshot.rows();
        rows.filter(move |row| wanted && super::kind_of(*row) == kind)
            .map(|row| row_json(row.tag()))
            .collect::<Vec<_>>()
    };
    json!({
        "smart": view.snapshot.smart,
        "timers": {
            "report_usage_s": view.agent.transport.report_usage_s,
            "ooc_retry_s": view.agent.transport.ooc_retry_s,
        },
        "messages": view.agent.messages,
        "events": view.agent.events,
        "services": rows(Kind::Service),
        "features": rows(Kind::Feature),
    })
}

fn row_json(tag: &TagStatus) -> Value {
    json!({
        "tag_id": tag.tag_id, "name": tag.name, "evaluation": tag.evaluation, "registered": tag.registered,
        "refused": tag.refused, "shadow": tag.shadow, "eased": tag.eased, "let_through": tag.let_through, "drift": tag.drift, "proved": tag.proved,
    })
}

fn scalars(view: &View) -> String {
    let smart = &view.snapshot.smart;
    let status = if smart.enabled { "Enabled" } else { "Disabled" };
    let mut out = field("Smart Licensing Status", status);
    out.push_str(&field("Smart Licensing Mode", &smart.mode.to_string()));
    out.push_str(&field("Total SL Enabled", &smart.total_enabled.to_string()));
    out.push_str(&field(
        "Total SL Disabled",
        &smart.total_disabled.to_string(),
    ));
    let reporting = smart.enabled && smart.mode == Mode::Registered;
    let reporting = if reporting { "Running" } else { "Not Running" };
    out.push_str(&field("Report License Usage", reporting));
    let transport = &view.agent.transport;
    let intervals = format!(
        "Report License Usage {} s, OOC Retry {} s",
        transport.report_usage_s, transport.ooc_retry_s
    );
    out.push_str(&field("List of Timer Intervals", &intervals));
    let AgentMessages {
        usage,
        switches,
        commands,
        told,
    } = view.agent.messages;
    let messages = format!(
        "to the agent {usage} of usage, {switches} of switches, {commands} commands; from it {told}"
    );
    out.push_str(&field("SLMGR - SLAGENT Messages", &messages));
    let EventCounts { taken, lost } = view.agent.events;
    let events = format!("{taken} taken, {lost} lost for want of room");
    out.push_str(&field("Event Notification Stats", &events));
    out
}

fn level(title: &str, mode: Mode, rows: &[TagRow<'_>]) -> String {
    let statistics = |row: &TagRow<'_>| match mode {
        Mode::Evaluation => row.tag().evaluation,
        Mode::Registered => row.tag().registered,
    };
    let heading = format!("\n{title} Level Stats Mode: {mode}\n");
    if rows.iter().all(|row| statistics(row).policy.is_none()) {
        return format!("{heading}(this mode was never in force)\n");
    }
    let mut counts = Table::new(COUNTS);
    let mut changes = Table::new(CHANGES);
    for row in rows {
        counts.row(count_cells(row.tag(), &statistics(row)));
        changes.row(change_cells(row.tag(), &statistics(row)));
    }
    format!("{heading}{}\n{}", counts.render(), changes.render())
}

fn count_cells(tag: &TagStatus, statistics: &ModeStatistics) -> [String; 7] {
    [
        tag.tag_id.to_string(),
        tag.name.clone(),
        or_absent(statistics.policy),
        statistics.cur_call_count.to_string(),
        statistics.max_call_count.to_string(),
        or_absent(statistics.last_lic_count),
        or_absent(statistics.max_lic_count),
    ]
}

fn change_cells(tag: &TagStatus, statistics: &ModeStatistics) -> [String; 7] {
    [
        tag.tag_id.to_string(),
        tag.name.clone(),
        or_absent(statistics.report_success),
        or_absent(statistics.report_failure),
        statistics.policy_change_allow.to_string(),
        statistics.policy_change_block.to_string(),
        statistics.policy_change_bounce.to_string(),
    ]
}

fn refused(rows: &[TagRow<'_>]) -> String {
    let mut table = Table::new(REFUSED);
    for row in rows {
        let tag = row.tag();
        table.row([
            tag.tag_id.to_string(),
            tag.name.clone(),
            tag.refused.blocked.to_string(),
            tag.refused.at_ceiling.to_string(),
            tag.refused.low_priority.to_string(),
            tag.refused.by_feature.to_string(),
            tag.refused.subscribers.to_string(),
            or_absent(tag.drift),
        ]);
        if let Some(shadow) = status::shadow(tag) {
            table.note("Shadow", shadow);
        }
    }
    table.render()
}
