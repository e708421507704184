//! `show audit`: what was changed, and by whom.

use api::AuditEntry;
use eventlog::printable;
use serde_json::{Value, json};

use super::View;

/// As text: the oldest first, each with what it changed below it.
pub fn text(view: &View) -> String {
    let mut out: String = view.audit.entries.iter().map(entry).collect();
    let audit = &view.audit;
    out.push_str(&format!("{} lines are held", audit.held));
    if audit.unreadable > 0 {
        out.push_str(&format!(", {} of these can't be read", audit.unreadable));
    }
    if audit.lost > 0 {
        let lost = audit.lost;
        out.push_str(&format!(
            ", {lost} could not be written and are in the event log"
        ));
    }
    out + "\n"
}

fn entry(entry: &AuditEntry) -> String {
    let privilege = match entry.privilege {
        Some(privilege) => format!(" ({privilege})"),
        None => String::new(),
    };
    let mut out = format!(
        "{} {}: {}\n",
        entry.at,
        entry.outcome.word(),
        printable(&entry.command)
    );
    let who = format!("{}{privilege}, {}", entry.who, entry.from);
    out.push_str(&format!("  by {}\n", printable(&who)));
    match (&entry.before, &entry.after) {
        (None, None) => {}
        (before, after) if before == after => {}
        (before, after) => out.push_str(&format!("  {} -> {}\n", said(before), said(after))),
    }
    if let Some(why) = &entry.why {
        out.push_str(&format!("  {}\n", printable(why)));
    }
    out
}

fn said(value: &Option<Value>) -> String {
    match value {
        Some(value) => value.to_string(),
        None => "none".to_owned(),
    }
}

/// As data.
pub fn json(view: &View) -> Value {
    json!(view.audit)
}

#[cfg(test)]
mod tests {
    use api::{AuditOutcome, Privilege};

    use super::*;

    #[test]
    fn an_entry_says_what_was_done_by_whom_and_what_it_changed() {
        let change = AuditEntry {
            at: "2023-11-14T22:13:20.123Z".into(),
            who: "maja".into(),
            privilege: Some(Privilege::Administrator),
            from: "192.0.2.1:50000".into(),
            command: "feature GRE enable".into(),
            before: Some(false.into()),
            after: Some(true.into()),
            outcome: AuditOutcome::Done,
            why: None,
        };
        let expected = "2023-11-14T22:13:20.123Z done: feature GRE enable\n  by maja (administrator), 192.0.2.1:50000\n  false -> true\n";
        assert_eq!(entry(&change), expected);
        let failed = AuditEntry {
            privilege: None,
            who: "\x1b[2Jmaja".into(),
            after: Some(false.into()),
            outcome: AuditOutcome::Failed,
            why: Some("no such feature".into()),
            ..change
        };
        let expected = "2023-11-14T22:13:20.123Z failed: feature GRE enable\n  by  [2Jmaja, 192.0.2.1:50000\n  no such feature\n";
        assert_eq!(entry(&failed), expected);
    }
}
