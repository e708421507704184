//! How the agent reaches the license authority: transport, call-home statistics, trust pool.

use api::{CallHomeRow, RootStatus};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use licensing::Wall;
use serde_json::{Value, json};

use super::super::View;
use super::super::table::{Column, Table, left, right};
use super::super::text::labelled;
use super::stamp;

/// What stands for a value that is not configured.
const EMPTY: &str = "<empty>";

/// The head of the statistics, as the vendor's command prints it.
const LEGEND: &str = "\
Success: Successfully sent and response received.
Failed : Failed to send or response indicated error occurred.
Inqueue: In queue waiting to be sent.
Dropped: Dropped due to incorrect call-home configuration.

";

const STATISTICS: &[Column] = &[
    left("Msg Subtype", 16),
    right("Success"),
    right("Failed"),
    right("Inqueue"),
    right("Dropped"),
    left("Last-sent (UTC)", 19),
];

/// `show call-home smart-licensing statistics` as text.
pub fn call_home_text(view: &View) -> String {
    let mut table = Table::new(STATISTICS);
    for row in &view.agent.status.call_home {
        table.row(cells(row));
    }
    format!("{LEGEND}{}", table.render())
}

/// `show call-home smart-licensing statistics` as data.
pub fn call_home_json(view: &View) -> Value {
    json!({ "call_home": view.agent.status.call_home })
}

fn cells(row: &CallHomeRow) -> [String; 6] {
    [
        row.subtype.to_string(),
        row.success.to_string(),
        row.failed.to_string(),
        row.in_queue.to_string(),
        row.dropped.to_string(),
        row.last_sent.map_or_else(|| "NA".to_owned(), sent),
    ]
}

/// `2014-04-24 18:24:34`
fn sent(at: Wall) -> String {
    match Timestamp::from_millisecond(at.0) {
        Ok(at) => at
            .to_zoned(TimeZone::UTC)
            .strftime("%Y-%m-%d %H:%M:%S")
            .to_string(),
        Err(_) => "NA".to_owned(),
    }
}

/// `show license transport` as text.
pub fn transport_text(view: &View) -> String {
    let transport = &view.agent.transport;
    let set = match (transport.url_set, transport.proxy_set) {
        (false, false) => "<none>",
        (true, false) => "URL",
        (false, true) => "Proxy",
        (true, true) => "URL, Proxy",
    };
    transport_lines(view)
        + &format!("  Set at run time: {set}\n")
        + &format!(
            "\nTimers:\n  Report License Usage: {} s\n  OOC Retry: {} s\n",
            transport.report_usage_s, transport.ooc_retry_s
        )
}

/// `show license transport` as data.
pub fn transport_json(view: &View) -> Value {
    json!({ "transport": view.agent.transport })
}

/// The block `Transport:`.
pub(super) fn transport_lines(view: &View) -> String {
    let transport = &view.agent.transport;
    let mut out = String::from("Transport:\n  Type: Smart\n");
    let url = transport.url.as_deref().unwrap_or(EMPTY);
    out.push_str(&labelled("  URL: ", url));
    out.push_str("  Proxy:\n");
    let Some(proxy) = &transport.proxy else {
        out.push_str("    Not Configured\n");
        return out;
    };
    let (username, password) = match &proxy.username {
        Some(username) => (username.as_str(), "<hidden>"),
        None => (EMPTY, EMPTY),
    };
    out.push_str(&labelled("    Address: ", &proxy.host));
    out.push_str(&format!("    Port: {}\n", proxy.port));
    out.push_str(&labelled("    Username: ", username));
    out.push_str(&format!("    Password: {password}\n"));
    out
}

/// `show license trust-pool` as text.
pub fn trust_pool_text(view: &View) -> String {
    let roots = &view.agent.status.trust_pool;
    if roots.is_empty() {
        return labelled(
            "No root is trusted: ",
            "set agent.trust_pool to the root certificate of the license authority, compare its SHA-256 with the one \
             that the authority shows, and restart the node.",
        );
    }
    let roots: Vec<String> = roots.iter().map(root).collect();
    roots.join("\n")
}

/// `show license trust-pool` as data.
pub fn trust_pool_json(view: &View) -> Value {
    json!({ "trust_pool": view.agent.status.trust_pool })
}

fn root(root: &RootStatus) -> String {
    let fingerprint = root.fingerprint.to_string();
    // In two halves, because a line has 80 columns.
    let (first, second) = fingerprint.split_at(fingerprint.len() / 2);
    let origin = if root.by_operator {
        "the operator's file"
    } else {
        "the license authority"
    };
    let warning = if root.expiring {
        "  (expires soon, or has)"
    } else {
        ""
    };
    let mut out = labelled("Root: ", &root.subject);
    out.push_str(&format!("  SHA-256: {first}\n           {second}\n"));
    out.push_str(&format!("  Valid from: {}\n", stamp(root.not_before)));
    out.push_str(&format!(
        "  Valid until: {}{warning}\n",
        stamp(root.not_after)
    ));
    out.push_str(&format!("  From: {origin}\n"));
    out
}
