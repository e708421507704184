//! `show gtpc peers`: who has sessions here, whether the path is up, and what the peer said of its restarts.

use api::{PeerRow, PeerState};
use serde_json::{Value, json};

use super::View;
use super::table::{Column, Table, left, right};
use super::text;

const ROWS: &[Column] = &[
    left("Peer", 36),
    right("GTP"),
    left("State", 6),
    right("Sessions"),
    right("Restarts"),
    right("Counter"),
    right("Echo"),
];

/// The surface as text.
pub fn text(view: &View) -> String {
    let list = &view.peers;
    let mut out = String::from("GTP-C Peers\n");
    out.push_str(&text::field("Peers", &list.total.to_string()));
    out.push_str(&text::field("  Down", &list.down.to_string()));
    out.push_str(&text::field("  Ending", &list.ending.to_string()));
    let shown = list.peers.len() as u64;
    if shown < list.total {
        let told = format!("{shown}, in the order of their addresses");
        out.push_str(&text::field("  Shown", &told));
    }
    out.push('\n');
    let mut table = Table::new(ROWS);
    for row in &list.peers {
        table.row([
            row.peer.to_string(),
            format!("v{}", row.gtp_version),
            state(row.state).to_owned(),
            row.sessions.to_string(),
            row.restarts.to_string(),
            text::or_absent(row.restart_counter),
            echo(row),
        ]);
    }
    out.push_str(&table.render());
    out
}

/// The surface as data.
pub fn json(view: &View) -> Value {
    json!({ "peers": view.peers })
}

fn state(state: PeerState) -> &'static str {
    match state {
        PeerState::Up => "up",
        PeerState::Down => "down",
        PeerState::Ending => "ending",
    }
}

/// Time since the last answer, in seconds; absent for none.
fn echo(row: &PeerRow) -> String {
    let age = row.echo_age_ms.map(|age| format!("{} s", age / 1_000));
    text::or_absent(age)
}
