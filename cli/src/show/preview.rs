//! `show license enforcement preview`: what a change would refuse of the calls that come now, and the warning before one.

use api::{Preview, PreviewEffect, ServicePreview};
use serde_json::{Value, json};

use super::View;
use super::table::{Column, Table, left, right};
use super::text::{self, field, rough_span};

const ROWS: &[Column] = &[
    left("Service", 10),
    right("Sessions"),
    right("Calls an hour"),
    right("Refused an hour"),
    left("Because", 30),
];

/// The surface as text.
pub fn text(view: &View) -> String {
    let (change, preview) = &view.preview;
    let mut out = String::from("Preview: nothing is changed\n");
    out.push_str(&field("Change", change));
    out.push_str(&field("Calls Of The Last", &rough_span(preview.window_s)));
    let said = match preview.at_stake().next() {
        None => "no call",
        Some(_) => "see below",
    };
    out.push_str(&field("Would Be Refused", said));
    out.push('\n');
    out.push_str(&table(preview.window_s, preview.services.iter()));
    out
}

/// The surface as data.
pub fn json(view: &View) -> Value {
    let (change, preview) = &view.preview;
    json!({ "change": change, "preview": preview })
}

/// What is said before a change that would refuse calls: the services of which some are at stake.
pub fn warning(change: &str, preview: &Preview) -> String {
    let of = rough_span(preview.window_s);
    let head = format!("{change} would refuse calls, by those of the last {of}:");
    let lines: String = text::wrap(&head, text::COLUMNS)
        .into_iter()
        .map(|line| line + "\n")
        .collect();
    lines + &table(preview.window_s, preview.at_stake())
}

fn table<'p>(window_s: u64, rows: impl Iterator<Item = &'p ServicePreview>) -> String {
    let mut table = Table::new(ROWS);
    for row in rows {
        let an_hour = (row.calls * 3_600).checked_div(window_s);
        let calls = match row.refused_an_hour {
            Some(_) => text::or_absent(an_hour),
            None => text::ABSENT.to_owned(),
        };
        let refused = row.refused_an_hour;
        let refused = refused.map_or_else(|| "too soon to say".to_owned(), |n| n.to_string());
        table.row([
            row.service.clone(),
            row.sessions.to_string(),
            calls,
            refused,
            because(row),
        ]);
    }
    table.render()
}

fn because(row: &ServicePreview) -> String {
    match row.effect {
        PreviewEffect::Unchanged => "let through as now".to_owned(),
        PreviewEffect::Partly => "a feature or a share is blocked".to_owned(),
        PreviewEffect::AtCeiling => {
            format!("a ceiling of {} sessions", text::ceiling(row.ceiling))
        }
        PreviewEffect::Blocked => "every ordinary call is blocked".to_owned(),
    }
}
