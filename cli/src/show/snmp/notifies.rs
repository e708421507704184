//! Notifications: the last ones, and how many there were of each.

use api::{NotifyRow, TrapRow};
use serde_json::{Value, json};

use super::super::View;
use super::super::text::{COLUMNS, colon_stamp, counted, long_stamp, stamp, wrap};
use super::{banner, data, field};

/// Width of the labels.
const LABEL: usize = 32;
/// Width of the column of names.
const NAME: usize = 35;

/// `show snmp trap history` as text.
pub fn history_text(view: &View) -> String {
    let mut out = banner(view);
    let rows = &view.snmp.history;
    let before = rows.first().map_or(0, |row| row.place.saturating_sub(1));
    if before > 0 {
        let earlier = counted(before, "earlier notification");
        out.push_str(&format!("({earlier} not listed)\n"));
    }
    if rows.is_empty() {
        out.push_str("(none)\n");
    }
    rows.iter().for_each(|row| out.push_str(&line(row)));
    out
}

/// `show snmp trap history` as data.
pub fn history_json(view: &View) -> Value {
    data(view, json!({ "history": view.snmp.history }))
}

/// `show snmp trap statistics` as text.
pub fn statistics_text(view: &View) -> String {
    let mut out = banner(view) + &totals(view);
    let snmp = &view.snmp;
    let sum = |of: fn(&api::SnmpTarget) -> u64| snmp.targets.iter().map(of).sum::<u64>();
    let ours = [
        ("Notifications suppressed", snmp.notifies.discarded),
        ("Notifications waiting", sum(|to| to.waiting)),
        ("Notifications held", sum(|to| to.held)),
        ("Notifications coalesced", sum(|to| to.coalesced)),
        ("Notifications dropped", sum(|to| to.dropped)),
    ];
    for (label, value) in ours {
        out.push_str(&field(label, LABEL, &value.to_string()));
    }
    if view.filter.verbose {
        out.push('\n');
        out.push_str(&table(snmp.types.iter()));
        out.push_str(&suppressed(view));
    }
    out
}

/// `show snmp trap statistics` as data.
pub fn statistics_json(view: &View) -> Value {
    let snmp = &view.snmp;
    data(
        view,
        json!({ "notifies": snmp.notifies, "types": snmp.types, "targets": snmp.targets }),
    )
}

/// `show snmp notifies` as text.
pub fn notifies_text(view: &View) -> String {
    let was = view.snmp.types.iter().filter(|row| row.generated > 0);
    let mut out = banner(view) + &totals(view);
    out.push('\n');
    out.push_str(&table(was));
    // Notifications are held and coalesced when there are too many, and go on being generated.
    out.push_str("\nTotal number of notifications Disabled  : 0\n");
    out.push_str(&suppressed(view));
    out
}

/// `show snmp notifies` as data.
pub fn notifies_json(view: &View) -> Value {
    let snmp = &view.snmp;
    let was = snmp.types.iter().filter(|row| row.generated > 0);
    let types: Vec<_> = was.collect();
    data(view, json!({ "notifies": snmp.notifies, "types": types }))
}

/// As StarOS has it up to the name, and in one line with what it says if there is room.
fn line(row: &TrapRow) -> String {
    let (at, number, name) = (stamp(row.at), row.number, short(&row.name));
    let head = format!("{at} Internal trap notification {number} ({name})");
    let whole = format!("{head} {}", row.text);
    if whole.chars().count() <= COLUMNS {
        return format!("{}\n", whole.trim_end());
    }
    let lines = wrap(&row.text, COLUMNS - 4).into_iter();
    let lines: String = lines.map(|line| format!("    {line}\n")).collect();
    format!("{head}\n{lines}")
}

fn totals(view: &View) -> String {
    let notifies = &view.snmp.notifies;
    // Whether it has ever been disabled nobody keeps: targets come and go.
    let sending = match view.snmp.targets.is_empty() {
        true => "disabled, there is no target",
        false => "enabled",
    };
    let period = format!("{} seconds", notifies.period_s);
    [
        "SNMP Notification Statistics:\n".to_owned(),
        field(
            "Total number of notifications",
            LABEL,
            &notifies.total.to_string(),
        ),
        field("Last notification sent", LABEL, &long_stamp(notifies.last)),
        field("Notification sending is", LABEL, sending),
        "  Notifications have never been cleared\n".to_owned(),
        field(
            "Notifications in current period",
            LABEL,
            &notifies.current_period.to_string(),
        ),
        field(
            "Notifications in previous period",
            LABEL,
            &notifies.previous_period.to_string(),
        ),
        field("Notification monitor period", LABEL, &period),
    ]
    .concat()
}

/// Columns as StarOS has them; a name that is too long for its own stands on a line of its own.
fn table<'a>(rows: impl Iterator<Item = &'a NotifyRow>) -> String {
    let dash = |width: usize| "-".repeat(width);
    let mut out = format!(
        "{:<NAME$} {:>5} {:>5}  {:>7} Last Generated\n{} {} {}  {} {}\n",
        "Trap Name",
        "#Gen",
        "#Disc",
        "Disable",
        dash(NAME),
        dash(5),
        dash(5),
        dash(7),
        dash(20),
    );
    let titles = out.len();
    for row in rows {
        let mut name = short(&row.name);
        if name.len() > NAME {
            out.push_str(&format!("{name}\n"));
            name = "";
        }
        let (generated, discarded) = (row.generated, row.discarded);
        let last = row.last.map_or_else(|| "never".to_owned(), colon_stamp);
        out.push_str(&format!(
            "{name:<NAME$} {generated:>5} {discarded:>5} {:>8}  {last}\n",
            0
        ));
    }
    if out.len() == titles {
        out.push_str("(none)\n");
    }
    out
}

fn suppressed(view: &View) -> String {
    let rows = view.snmp.types.iter().filter(|row| row.suppressed);
    let names: Vec<&str> = rows.map(|row| short(&row.name)).collect();
    match names.is_empty() {
        true => String::new(),
        false => super::labelled("Suppressed: ", &names.join(", ")),
    }
}

/// A name as StarOS prints it, without its prefix.
fn short(name: &str) -> &str {
    name.strip_prefix("star").unwrap_or(name)
}
