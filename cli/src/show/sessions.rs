//! `show session summary`: sessions by service, access point, peer, worker and client, and what went over the wire.

use api::SessionSummary;
use licensing::Snapshot;
use serde_json::{Value, json};

use super::View;
use super::table::{Column, Table, left, right};
use super::text::{self, field};

const SERVICES: &[Column] = &[
    left("Service", 18),
    right("Sessions"),
    right("Licensed"),
    right("Priority"),
    right("Peak"),
    right("Ceiling"),
    right("Licenses"),
];
const APNS: &[Column] = &[left("APN", 40), left("Service", 8), right("Sessions")];
const PEERS: &[Column] = &[left("Peer", 40), right("Sessions")];
const WORKERS: &[Column] = &[right("Worker"), right("Sessions"), right("Datagrams")];
const CLIENTS: &[Column] = &[
    left("Client", 16),
    left("Services", 14),
    right("Sessions"),
    right("Refused"),
    right("Restored"),
    right("Lease left"),
];
const POOLS: &[Column] = &[left("Address pool", 40), right("Used"), right("Size")];
const ENDED: &[Column] = &[left("Ended because", 56), right("Sessions")];
const MESSAGES: &[Column] = &[left("Message", 40), right("Received"), right("Sent")];
const CAUSES: &[Column] = &[
    right("Cause"),
    left("Name", 50),
    right("Answers"),
    right("Received"),
];
const DROPPED: &[Column] = &[left("Dropped because", 56), right("Datagrams")];

/// The surface as text.
pub fn text(view: &View) -> String {
    let sessions = &view.sessions;
    let mut out = String::from("Session Summary\n");
    out.push_str(&field("Sessions", &sessions.sessions.to_string()));
    out.push_str(&field("  Emergency", &sessions.emergency.to_string()));
    out.push_str(&field(
        "Secondary Contexts",
        &sessions.secondary_contexts.to_string(),
    ));
    out.push('\n');
    out.push_str(&services(&view.snapshot, sessions));
    for table in traffic(sessions).into_iter().flatten() {
        out.push('\n');
        out.push_str(&table.render());
    }
    out
}

/// The surface as data.
pub fn json(view: &View) -> Value {
    let licensed = view.snapshot.services.iter().map(|row| {
        json!({
            "name": row.tag.name, "licensed": row.sessions, "priority": row.priority_sessions, "peak": row.peak,
            "ceiling": row.ceiling, "licenses": row.tag.licenses,
        })
    });
    json!({ "sessions": view.sessions, "services": licensed.collect::<Vec<_>>() })
}

fn services(snapshot: &Snapshot, sessions: &SessionSummary) -> String {
    let mut table = Table::new(SERVICES);
    for row in &snapshot.services {
        let mut counted = sessions.services.iter();
        let counted = counted.find(|s| s.service == row.service);
        table.row([
            row.tag.name.clone(),
            text::or_absent(counted.map(|s| s.sessions)),
            row.sessions.to_string(),
            row.priority_sessions.to_string(),
            row.peak.to_string(),
            text::ceiling(row.ceiling),
            row.tag.licenses.to_string(),
        ]);
    }
    table.render()
}

/// The tables that have rows.
fn traffic(sessions: &SessionSummary) -> [Option<Table>; 9] {
    [
        filled(APNS, &sessions.apns, |row| {
            [
                row.apn.clone(),
                row.service.clone(),
                row.sessions.to_string(),
            ]
        }),
        filled(PEERS, &sessions.peers, |row| {
            [row.peer.to_string(), row.sessions.to_string()]
        }),
        filled(CLIENTS, &sessions.clients, |row| {
            [
                row.client.clone(),
                row.services.join(", "),
                row.sessions.to_string(),
                row.refused.to_string(),
                row.restored.to_string(),
                format!("{} s", row.lease_left_ms.div_ceil(1_000)),
            ]
        }),
        filled(POOLS, &sessions.pools, |row| {
            [row.pool.clone(), row.used.to_string(), row.size.to_string()]
        }),
        filled(WORKERS, &sessions.workers, |row| {
            [
                row.worker.to_string(),
                row.sessions.to_string(),
                row.datagrams.to_string(),
            ]
        }),
        filled(ENDED, &sessions.ended, |row| {
            [row.reason.clone(), row.sessions.to_string()]
        }),
        filled(MESSAGES, &sessions.messages, |row| {
            [
                row.message.clone(),
                row.received.to_string(),
                row.sent.to_string(),
            ]
        }),
        filled(CAUSES, &sessions.causes, |row| {
            [
                row.cause.to_string(),
                row.name.clone(),
                row.answers.to_string(),
                row.heard.to_string(),
            ]
        }),
        filled(DROPPED, &sessions.dropped, |row| {
            [row.reason.clone(), row.datagrams.to_string()]
        }),
    ]
}

fn filled<T, const N: usize>(
    columns: &'static [Column],
    rows: &[T],
    cells: impl Fn(&T) -> [String; N],
) -> Option<Table> {
    let mut table = Table::new(columns);
    for row in rows {
        table.row(cells(row));
    }
    (!rows.is_empty()).then_some(table)
}
