//! `show logging`: what is logged, and how syslog servers are.

use api::SyslogServerView;
use serde_json::{Value, json};

use super::View;
use super::text::{ABSENT, field};

/// As text: the level of each facility, then the servers.
pub fn text(view: &View) -> String {
    let mut out = "Level of each facility; it is that severity and all above it:\n".to_owned();
    for filter in &view.logging.filters {
        out.push_str(&format!("  {:<8}  {}\n", filter.facility, filter.level));
    }
    if view.logging.servers.is_empty() {
        return out + "No syslog server is sent events.\n";
    }
    out + &view.logging.servers.iter().map(server).collect::<String>()
}

fn server(server: &SyslogServerView) -> String {
    let SyslogServerView {
        address,
        port,
        protocol,
        facility,
        level,
        state,
        failure,
        queued,
        queue,
        sent,
        dropped,
    } = server;
    let failure = failure.as_deref().unwrap_or(ABSENT);
    let lines = [
        ("State", state.word().to_owned()),
        ("Last failure", failure.to_owned()),
        ("Facility", facility.word().to_owned()),
        ("Level", level.to_string()),
        ("Waiting", format!("{queued} of at most {queue}")),
        ("Sent", sent.to_string()),
        ("Dropped", dropped.to_string()),
    ];
    let head = format!(
        "Syslog server {address}, port {port}, {}:\n",
        protocol.word()
    );
    let lines = lines.map(|(label, said)| field(label, &said));
    head + &lines.concat()
}

/// As data.
pub fn json(view: &View) -> Value {
    json!(view.logging)
}
