//! `show session disconnect-reasons`: what ended sessions, in the layout of StarOS.

use api::EndCount;
use serde_json::{Value, json};

use super::View;

/// Width of a reason, and of a number.
const REASON: usize = 53;
const NUMBER: usize = 10;

/// StarOS's words for what it knows, too.
const NAMES: &[(&str, &str)] = &[
    ("deleted by its peer", "Remote-disconnect"),
    ("cleared by an operator", "Admin-disconnect"),
    (
        "emergency call without signalling for too long",
        "Idle-Inactivity-timeout",
    ),
    ("peer or PGW restarted, or path to it down", "path-failure"),
];

/// The surface as text.
pub fn text(view: &View) -> String {
    let ended = &view.sessions.ended;
    let total = total(ended);
    let mut out = format!(
        "Session Disconnect Statistics\n\nTotal Disconnects: {total}\n\n{:<REASON$}  {:>NUMBER$}  {:>NUMBER$}\n",
        "Disconnect Reason", "Num Disc", "Percentage"
    );
    let dashes = "-".repeat(NUMBER);
    out.push_str(&format!("{}  {dashes}  {dashes}\n", "-".repeat(REASON)));
    for row in ended {
        out.push_str(&format!(
            "{:<REASON$}  {:>NUMBER$}  {:>NUMBER$.5}\n",
            name(&row.reason),
            row.sessions,
            share(row, total)
        ));
    }
    out
}

/// The surface as data.
pub fn json(view: &View) -> Value {
    let ended = &view.sessions.ended;
    let total = total(ended);
    let rows = ended.iter().map(|row| {
        json!({
            "name": name(&row.reason),
            "reason": row.reason,
            "sessions": row.sessions,
            "percentage": share(row, total),
        })
    });
    json!({ "total": total, "reasons": rows.collect::<Vec<_>>() })
}

fn total(ended: &[EndCount]) -> u64 {
    ended.iter().map(|row| row.sessions).sum()
}

/// In percent; a row has at least one.
fn share(row: &EndCount, total: u64) -> f64 {
    row.sessions as f64 * 100.0 / total.max(1) as f64
}

/// In one word: what StarOS says, or the first part of what happened.
fn name(reason: &str) -> String {
    let known = NAMES.iter().find(|(phrase, _)| *phrase == reason);
    let word = || {
        let part = reason.split(',').next().unwrap_or_default();
        let word = part.replace(' ', "-");
        word.chars().take(REASON).collect()
    };
    known.map_or_else(word, |(_, name)| (*name).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_one_word() {
        assert_eq!(name("cleared by an operator"), "Admin-disconnect");
        let not_made = "refused or not answered by its PGW, or its hand-over did not come";
        assert_eq!(name(not_made), "refused-or-not-answered-by-its-PGW");
    }

    #[test]
    fn shares_are_of_all() {
        let row = |sessions| EndCount {
            reason: "stopped with the node".into(),
            sessions,
        };
        let rows = [row(1), row(7)];
        assert_eq!(total(&rows), 8);
        assert_eq!(format!("{:.5}", share(&rows[0], 8)), "12.50000");
        assert_eq!(share(&row(0), 0), 0.0);
    }
}
