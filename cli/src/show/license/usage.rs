//! `show license usage`: what is in use of each tag, and where that stands.

use licensing::snapshot::{TagRow, TagStatus};
use serde_json::{Value, json};

use super::super::View;
use super::super::text::{COLUMNS, compliance, labelled};
use super::{authorization_lines, short_tag, stamp, tag_version};

/// Widths of the columns before the status, as the classical table has them.
const NAME: usize = 23;
const TAG: usize = 28;
const COUNT: usize = 5;
/// Dashes under the titles.
const DASHES: usize = 77;

/// `show license usage` as text.
pub fn usage_text(view: &View) -> String {
    format!(
        "License Authorization:\n{}\n{}",
        authorization_lines(view),
        rows(view)
    )
}

/// `show license usage` as data.
pub fn usage_json(view: &View) -> Value {
    let rows = in_use(view).map(|tag| {
        json!({
            "tag_id": tag.tag_id,
            "name": tag.name,
            "tag": tag.tag,
            "description": tag.description,
            "count": tag.licenses,
            "status": status(tag),
            "compliance": tag.compliance,
            "granted": tag.entitlement,
        })
    });
    Value::Array(rows.collect())
}

/// A paragraph a tag in use.
pub(super) fn rows(view: &View) -> String {
    let paragraphs: Vec<String> = in_use(view).map(paragraph).collect();
    if paragraphs.is_empty() {
        return "No licenses in use\n".to_owned();
    }
    paragraphs.join("\n")
}

/// A line a tag in use.
pub(super) fn table(view: &View) -> String {
    let mut out = line("License", "Entitlement Tag", "Count", "Status");
    out.push_str(&format!("{}\n", "-".repeat(DASHES)));
    let before = out.len();
    for tag in in_use(view) {
        let short = format!("({})", cut(short_tag(&tag.tag), TAG - 2));
        let name = cut(&tag.name, NAME);
        out.push_str(&line(&name, &short, &tag.licenses.to_string(), status(tag)));
    }
    if out.len() == before {
        out.push_str("No licenses in use\n");
    }
    out
}

fn line(name: &str, tag: &str, count: &str, status: &str) -> String {
    let line = format!("{name:<NAME$} {tag:<TAG$} {count:>COUNT$} {status}");
    debug_assert!(line.chars().count() <= COLUMNS);
    format!("{line}\n")
}

/// Cut to a width, the end marked.
fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let kept: String = text.chars().take(width - 3).collect();
    format!("{kept}...")
}

fn in_use(view: &View) -> impl Iterator<Item = &TagStatus> {
    view.snapshot
        .rows()
        .map(TagRow::tag)
        .filter(|tag| tag.in_use)
}

fn status(tag: &TagStatus) -> &'static str {
    tag.compliance.map_or("DISABLED", compliance)
}

fn paragraph(tag: &TagStatus) -> String {
    let mut out = format!("{} ({}):\n", tag.name, short_tag(&tag.tag));
    out.push_str(&labelled("  Description: ", &tag.description));
    out.push_str(&format!("  Count: {}\n", tag.licenses));
    out.push_str(&format!("  Version: {}\n", tag_version(&tag.tag)));
    out.push_str(&format!("  Status: {}\n", status(tag)));
    if let Some(grant) = tag.entitlement {
        let until = grant.until.map(|at| format!(" until {}", stamp(at)));
        let until = until.unwrap_or_default();
        out.push_str(&format!("  Granted: {}{until}\n", grant.licenses));
    }
    out.push_str("  Export status: NOT RESTRICTED\n");
    out
}
