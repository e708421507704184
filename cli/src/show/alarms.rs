//! `show alarm ...`: conditions from raise to clear, and how many there were, in the layouts of StarOS.

use api::{AlarmCounts, AlarmRow, AlarmSeverity};
use licensing::{Alarm, TagRef};
use serde_json::{Value, json};

use super::text::{self, COLUMNS, labelled, long_stamp};
use super::{View, why};

/// Column of what an alarm says.
const EVENT_AT: usize = 20;

/// `show alarm outstanding` as text.
pub fn outstanding_text(view: &View) -> String {
    let head = match view.filter.verbose {
        true => verbose_head(),
        false => head(),
    };
    let each = match view.filter.verbose {
        true => verbose_row,
        false => row,
    };
    let rows: String = listed(view)
        .map(|(alarm, of)| each(view, alarm, of))
        .collect();
    match rows.is_empty() {
        true => head + "(none)\n",
        false => head + &rows,
    }
}

/// `show alarm outstanding` as data.
pub fn outstanding_json(view: &View) -> Value {
    let rows = listed(view).map(|(alarm, of)| {
        json!({
            "id": alarm.id,
            "name": of.name,
            "severity": of.severity,
            "object": object(view, of),
            "event": why::alarm(&view.snapshot, alarm),
            "condition": alarm.kind,
            "raised": alarm.raised,
            "repeated": alarm.repeated,
            "value": alarm.value,
        })
    });
    json!({ "alarms": rows.collect::<Vec<_>>() })
}

/// `show alarm statistics` as text.
pub fn statistics_text(view: &View) -> String {
    let last = long_stamp(view.alarms.last_raised);
    format!(
        "Alarm Statistics:\n  Current Outstanding Alarms\n{}  Cumulative Totals\n{}  Last Alarm Received: {last}\n",
        counts(&current(view)),
        counts(&view.alarms.raised),
    )
}

/// `show alarm statistics` as data.
pub fn statistics_json(view: &View) -> Value {
    json!({
        "outstanding": current(view),
        "raised": view.alarms.raised,
        "last_raised": view.alarms.last_raised,
    })
}

/// `show alarm all` as text.
pub fn all_text(view: &View) -> String {
    let statistics = statistics_text(view);
    let outstanding = outstanding_text(view);
    format!("{statistics}\nOutstanding Alarms:\n\n{outstanding}")
}

/// `show alarm all` as data.
pub fn all_json(view: &View) -> Value {
    json!({
        "statistics": statistics_json(view),
        "outstanding": outstanding_json(view),
    })
}

fn listed(view: &View) -> impl Iterator<Item = (&Alarm, &AlarmRow)> {
    view.snapshot.alarms.iter().zip(&view.alarms.outstanding)
}

fn current(view: &View) -> AlarmCounts {
    let severities = view.alarms.outstanding.iter().map(|row| row.severity);
    severities.collect()
}

fn counts(counts: &AlarmCounts) -> String {
    let rows = [
        ("Total:", counts.total()),
        ("Critical:", counts.critical),
        ("Major:", counts.major),
        ("Minor:", counts.minor),
        ("Warning:", counts.warning),
    ];
    let rows = rows.map(|(label, count)| format!("    {label:<9} {count}\n"));
    rows.concat()
}

fn head() -> String {
    let dashes = "-".repeat(COLUMNS - EVENT_AT);
    format!("Sev Object          Event\n--- ----------      {dashes}\n")
}

fn row(view: &View, alarm: &Alarm, of: &AlarmRow) -> String {
    let severity = short(of.severity);
    let head = format!("{severity:<3} {:<15} ", object(view, of));
    labelled(&head, &why::alarm(&view.snapshot, alarm))
}

/// A severity as StarOS's table has it.
pub(crate) fn short(severity: AlarmSeverity) -> &'static str {
    match severity {
        AlarmSeverity::Critical => "CR",
        AlarmSeverity::Major => "MJ",
        AlarmSeverity::Minor => "MN",
        AlarmSeverity::Warning => "WN",
        AlarmSeverity::Informational => "IN",
    }
}

/// An outstanding alarm in three columns.
pub(crate) struct Brief {
    pub(crate) severity: AlarmSeverity,
    pub(crate) object: String,
    pub(crate) event: String,
}

/// The outstanding ones, oldest first.
pub(crate) fn brief(view: &View) -> Vec<Brief> {
    let brief = listed(view).map(|(alarm, of)| Brief {
        severity: of.severity,
        object: object(view, of),
        event: why::alarm(&view.snapshot, alarm),
    });
    brief.collect()
}

fn verbose_head() -> String {
    format!(
        "Severity Object          Timestamp                                Alarm ID\n\
         -------- ----------      ---------------------------------------- {}\n\
         Alarm Details\n{}\n",
        "-".repeat(14),
        "-".repeat(COLUMNS),
    )
}

fn verbose_row(view: &View, alarm: &Alarm, of: &AlarmRow) -> String {
    let severity = match of.severity {
        AlarmSeverity::Critical => "Critical",
        AlarmSeverity::Major => "Major",
        AlarmSeverity::Minor => "Minor",
        AlarmSeverity::Warning => "Warning",
        AlarmSeverity::Informational => "Info",
    };
    let (object, raised) = (object(view, of), long_stamp(Some(alarm.raised)));
    let mut out = format!("{severity:<8} {object:<15} {raised:<40} {}\n", of.id);
    out.push_str(&labelled("  ", &why::alarm(&view.snapshot, alarm)));
    let mut said = format!("Notification {}", of.name);
    if let Some(at) = alarm.repeated {
        said.push_str(&format!(", last said again {}", long_stamp(Some(at))));
    }
    out.push_str(&labelled("  ", &said));
    out
}

/// What it is of: `Service GGSN`, `Feature GRE`, or the node.
fn object(view: &View, of: &AlarmRow) -> String {
    let snapshot = &view.snapshot;
    match of.tag {
        None => "Node".to_owned(),
        Some(TagRef::Service(service)) => {
            format!("Service {}", text::service_name(snapshot, service))
        }
        Some(TagRef::Feature(feature)) => {
            format!("Feature {}", text::feature_name(snapshot, feature))
        }
    }
}
