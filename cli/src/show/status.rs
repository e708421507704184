//! `show license enforcement status`: what is blocked, why, since when, and what is about to be.

use licensing::snapshot::{RefusedCounts, State, TagRow, TagStatus};
use licensing::{Mode, OnOoc, Policy, Shadow, Snapshot};
use serde_json::{Value, json};

use super::table::{Column, Table, left, right};
use super::text::{self, counted, rough_span};
use super::{Kind, Standing, View, kind_of, remedy, why};

const ROWS: &[Column] = &[
    left(" ", 1),
    left("Name", 20),
    left("State", 14),
    right("Calls"),
    right("Ceiling"),
    left("Since", 24),
];

/// A service this full, in percent of its ceiling, is named among what is about to change.
const NEARLY_FULL_PERCENT: u64 = 90;

/// The surface as text.
pub fn text(view: &View) -> String {
    let snapshot = &view.snapshot;
    let mut out = String::from("Smart Licensing Enforcement Status\n");
    out.push_str(&super::node_fields(snapshot));
    out.push_str(&general(snapshot));
    if view.filter.kind != Some(Kind::Feature) {
        out.push_str("\nService Level Enforcement Status\n");
        let services = snapshot.services.iter().map(TagRow::Service);
        out.push_str(&table(view, services));
    }
    if view.filter.kind != Some(Kind::Service) {
        out.push_str("\nFeature Level Enforcement Status\n");
        let features = snapshot.features.iter().map(TagRow::Feature);
        out.push_str(&table(view, features));
    }
    out.push_str(
        "  X BLOCK: new calls are refused   ! ALLOW-AT-LIMIT: refused until a call ends\n",
    );
    if view.filter.standing.is_none() {
        out.push_str(&changes(snapshot));
        out.push_str(&alarms(snapshot));
    }
    out
}

/// The surface as data.
pub fn json(view: &View) -> Value {
    let snapshot = &view.snapshot;
    let services = snapshot
        .services
        .iter()
        .filter(|row| listed(view, TagRow::Service(row)));
    let features = snapshot
        .features
        .iter()
        .filter(|row| listed(view, TagRow::Feature(row)));
    json!({
        "smart": snapshot.smart,
        "evaluation": snapshot.evaluation,
        "recovery": snapshot.recovery,
        "authority_silent_s": snapshot.authority_silent_s,
        "emergency": snapshot.emergency,
        "recount": snapshot.recount,
        "services": services.collect::<Vec<_>>(),
        "features": features.collect::<Vec<_>>(),
        "alarms": snapshot.alarms,
    })
}

fn general(snapshot: &Snapshot) -> String {
    let evaluation = &snapshot.evaluation;
    let clock = if evaluation.expired && snapshot.recovery.is_none() {
        "used up: every service and feature is BLOCK".to_owned()
    } else if evaluation.running {
        format!("{} left, running", rough_span(evaluation.remaining_s))
    } else {
        format!("{} left, stopped", rough_span(evaluation.remaining_s))
    };
    let mut out = text::field("Evaluation Period", &clock);
    if let Some(recovery) = &snapshot.recovery {
        let left = text::span(recovery.remaining_s);
        let said = format!("the license clock was lost; every service has one license for {left}");
        out.push_str(&text::field("Recovery Period", &said));
    }
    let emergency = &snapshot.emergency;
    let said = format!(
        "{} now, {} admitted; never refused for a license",
        emergency.sessions, emergency.admitted
    );
    out.push_str(&text::field("Emergency Calls", &said));
    out.push_str(&text::field("Count Proved", &proved(snapshot)));
    out
}

fn proved(snapshot: &Snapshot) -> String {
    match &snapshot.recount {
        None => "not yet".to_owned(),
        Some(recount) => format!(
            "{}, {}, drift {}",
            text::stamp(recount.at),
            counted(recount.sessions, "session"),
            recount.drift
        ),
    }
}

fn listed(view: &View, row: TagRow<'_>) -> bool {
    let standing = match row.tag().state {
        State::Allow => Standing::Allowed,
        State::AllowAtLimit | State::Block => Standing::Blocked,
    };
    view.filter.kind.is_none_or(|wanted| wanted == kind_of(row))
        && view.filter.standing.is_none_or(|wanted| wanted == standing)
}

fn table<'a>(view: &View, rows: impl Iterator<Item = TagRow<'a>>) -> String {
    let mut table = Table::new(ROWS);
    for row in rows.filter(|row| listed(view, *row)) {
        let ceiling = match row {
            TagRow::Service(service) => text::ceiling(service.ceiling),
            TagRow::Feature(_) => text::ABSENT.to_owned(),
        };
        let tag = row.tag();
        table.row([
            mark(tag.state).to_owned(),
            tag.name.clone(),
            state(tag.state).to_owned(),
            row.sessions().to_string(),
            ceiling,
            text::stamp(tag.since),
        ]);
        if let Some(reason) = why::reason(&view.snapshot, row) {
            table.note("Why", reason);
            if let Some(remedy) = remedy::of(&view.snapshot, row) {
                table.note("Remedy", remedy);
            }
        }
        if let Some(refused) = refused(&tag.refused) {
            table.note("Refused", refused);
        }
        if let Some(shadow) = shadow(tag) {
            table.note("Shadow", shadow);
        }
    }
    table.render()
}

/// The word of a state, as printed.
pub fn state(state: State) -> &'static str {
    match state {
        State::Allow => "ALLOW",
        State::AllowAtLimit => "ALLOW-AT-LIMIT",
        State::Block => "BLOCK",
    }
}

fn mark(state: State) -> &'static str {
    match state {
        State::Allow => "",
        State::AllowAtLimit => "!",
        State::Block => "X",
    }
}

fn refused(counts: &RefusedCounts) -> Option<String> {
    let reasons = [
        (counts.blocked, "blocked"),
        (counts.at_ceiling, "at the ceiling"),
        (counts.low_priority, "of low priority near it"),
        (counts.unsettled, "unsettled"),
        (counts.by_feature, "by a feature"),
    ];
    let parts: Vec<String> = reasons
        .iter()
        .filter(|(n, _)| *n > 0)
        .map(|(n, reason)| format!("{n} {reason}"))
        .collect();
    let subscribers = counted(counts.subscribers, "subscriber");
    (!parts.is_empty()).then(|| format!("{}; {subscribers}", parts.join(", ")))
}

/// What is ordered about the block of a tag, and what was let through by it.
pub fn shadow(tag: &TagStatus) -> Option<String> {
    let calls = counted(tag.let_through, "call");
    let through = format!("{calls} let through that a block would have refused");
    match (tag.shadow, tag.eased) {
        (Shadow::Off, _) if tag.let_through == 0 => None,
        (Shadow::Off, _) => Some(format!("off; {through}")),
        (shadow, true) => Some(format!("{shadow}, and it would be BLOCK; {through}")),
        (shadow, false) => Some(format!("{shadow}; {through}")),
    }
}

fn changes(snapshot: &Snapshot) -> String {
    let mut lines = vec![];
    lines.extend(evaluation_end(snapshot));
    lines.extend(recovery_end(snapshot));
    lines.extend(silence_end(snapshot));
    for row in snapshot.rows() {
        lines.extend(grace_end(row));
        lines.extend(grant_end(row));
        lines.extend(ceiling_near(row));
    }
    if lines.is_empty() {
        lines.push("nothing, by itself".to_owned());
    }
    let body = lines.iter().map(|line| text::labelled("  ", line));
    format!("\nAbout To Change\n{}", body.collect::<String>())
}

fn evaluation_end(snapshot: &Snapshot) -> Option<String> {
    let evaluation = &snapshot.evaluation;
    let enforced = snapshot.smart.ever_enabled && snapshot.smart.mode == Mode::Evaluation;
    if !enforced || evaluation.expired || snapshot.recovery.is_some() {
        return None;
    }
    let left = rough_span(evaluation.remaining_s);
    let clock = if evaluation.running {
        ""
    } else {
        " (the clock is stopped: nothing is in use)"
    };
    Some(format!(
        "in {left} of use: evaluation ends, every service and feature BLOCK{}{clock}",
        lab_clock(snapshot, evaluation.remaining_s)
    ))
}

fn recovery_end(snapshot: &Snapshot) -> Option<String> {
    let left = rough_span(snapshot.recovery.as_ref()?.remaining_s);
    Some(format!(
        "in {left} of use: the recovery period ends, every service and feature BLOCK"
    ))
}

/// On a lab node whose license clock is fast: how long that is for the one who waits.
fn lab_clock(snapshot: &Snapshot, license_s: u64) -> String {
    match snapshot.lab {
        Some(lab) if lab.speedup > 1 => {
            let real = rough_span(license_s.div_ceil(u64::from(lab.speedup)));
            format!(", at lab speed after {real}")
        }
        Some(_) | None => String::new(),
    }
}

fn silence_end(snapshot: &Snapshot) -> Option<String> {
    const SILENCE_S: u64 = 90 * 86_400;
    let silent = snapshot.authority_silent_s?;
    let left = SILENCE_S.checked_sub(silent).filter(|left| *left > 0)?;
    let registered = snapshot.smart.mode == Mode::Registered;
    registered.then(|| {
        format!(
            "in {}: authorization expires, unless the authority is heard (last {} ago)",
            rough_span(left),
            rough_span(silent)
        )
    })
}

fn grace_end(row: TagRow<'_>) -> Option<String> {
    let tag = row.tag();
    let left = tag.grace_left_s.filter(|left| *left > 0)?;
    let then = match tag.rule.on_ooc {
        OnOoc::Block => "BLOCK",
        OnOoc::Allow => "ALLOW stays",
    };
    let clock = if tag.in_use {
        ""
    } else {
        " (the clock is stopped: not in use)"
    };
    Some(format!(
        "in {} of use: {}, its grace ends, {then}{clock}",
        rough_span(left),
        text::kind_and_name(row)
    ))
}

fn grant_end(row: TagRow<'_>) -> Option<String> {
    let grant = row.tag().entitlement?;
    let until = text::stamp(grant.until?);
    let name = text::kind_and_name(row);
    let licenses = counted(u64::from(grant.licenses.0), "license");
    Some(format!("on {until}: {name}, its grant of {licenses} ends"))
}

fn ceiling_near(row: TagRow<'_>) -> Option<String> {
    let TagRow::Service(service) = row else {
        return None;
    };
    let ceiling = service.ceiling?.0;
    let room = ceiling.checked_sub(service.sessions.0)?;
    let near = u64::from(service.sessions.0) * 100 >= u64::from(ceiling) * NEARLY_FULL_PERCENT;
    let open = service.tag.policy == Policy::Allow && service.tag.state == State::Allow;
    (near && open && ceiling > 0).then(|| {
        format!(
            "after {} more: service {} reaches its ceiling of {ceiling}",
            counted(u64::from(room), "call"),
            service.tag.name
        )
    })
}

fn alarms(snapshot: &Snapshot) -> String {
    let mut out = String::from("\nOutstanding Alarms\n");
    if snapshot.alarms.is_empty() {
        out.push_str("  none\n");
    }
    for alarm in &snapshot.alarms {
        let head = format!("  {}  ", text::stamp(alarm.raised));
        let words = why::alarm(snapshot, alarm);
        out.push_str(&text::labelled(&head, &words));
    }
    out
}
