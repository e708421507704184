//! `show subscribers ...` and `show license why imsi`: kinds of sessions, one subscriber, and why its calls are refused.

use api::{Addresses, Interface, SubscriberRefusal, SubscriberSession};
use licensing::snapshot::{ServiceStatus, TagRow};
use licensing::{RefusalRecord, Tie};
use serde_json::{Value, json};

use super::table::{Column, Table, left, right};
use super::{View, history, remedy, status, text, why};

/// Widths of a name and of a number beside which another name stands.
const NAME: usize = 31;
const VALUE: usize = 14;

const SESSIONS: &[Column] = &[
    left("APN", 48),
    left("Service", 8),
    left("By", 3),
    right("Bearer"),
    right("Further"),
];
const REFUSED: &[Column] = &[
    left("Time", 24),
    left("Service", 10),
    left("Reason", 10),
    right("Cause"),
    left("APN", 26),
];
const NOW: &[Column] = &[left("Service", 10), left("Policy", 16), left("Why", 50)];

/// StarOS's name of a kind of sessions; of what it has no name for, one like those.
fn name(interface: Interface, addresses: Addresses) -> Option<String> {
    let of = match (interface, addresses) {
        // Its PGW knows its addresses.
        (Interface::S11, Addresses::Elsewhere) => return Some("sgw-gtp".to_owned()),
        (_, Addresses::Elsewhere) => return None,
        (Interface::Gn, _) => "ggsn-pdp-type",
        (Interface::S11, _) => "saegw-gtp",
        (Interface::S5, _) => "pgw-gtp",
        (Interface::S2a, _) => "pgw-gtps2a",
        (Interface::S2b, _) => "pgw-gtps2b",
    };
    let addresses = match (interface, addresses) {
        (Interface::Gn, Addresses::Ipv4v6) => "ipv4v6",
        (_, Addresses::Ipv4) => "ipv4",
        (_, Addresses::Ipv6) => "ipv6",
        (_, Addresses::Ipv4v6 | Addresses::Elsewhere) => "ipv4-ipv6",
    };
    Some(format!("{of}-{addresses}"))
}

/// All kinds that there may be, with how many sessions of each there are.
fn kinds(view: &View) -> Vec<(String, u64)> {
    use Addresses::{Elsewhere, Ipv4, Ipv4v6, Ipv6};
    use Interface::{Gn, S2a, S2b, S5, S11};
    let counted = |interface, addresses| {
        let rows = view.sessions.kinds.iter();
        let of = rows.filter(|row| (row.interface, row.addresses) == (interface, addresses));
        of.map(|row| row.sessions).sum()
    };
    let all = [S5, S11, S2b, S2a, Gn]
        .map(|interface| [Ipv6, Ipv4, Ipv4v6, Elsewhere].map(|addresses| (interface, addresses)));
    let named = all
        .into_iter()
        .flatten()
        .filter_map(|(interface, addresses)| {
            let name = name(interface, addresses)?;
            Some((name, counted(interface, addresses)))
        });
    named.collect()
}

/// `show subscribers summary` as text: two names and values a line.
pub fn summary_text(view: &View) -> String {
    let sessions = &view.sessions;
    let clients: u64 = sessions.clients.iter().map(|client| client.sessions).sum();
    let mut rows = vec![
        ("emergency".to_owned(), sessions.emergency),
        ("admission-clients".to_owned(), clients),
    ];
    rows.extend(kinds(view));
    let mut out = format!("{:<NAME$}{}\n", "Total Subscribers:", sessions.sessions);
    for pair in rows.chunks(2) {
        let cells = pair
            .iter()
            .map(|(name, value)| format!("{:<NAME$}{value:<VALUE$}", format!("{name}:")));
        out.push_str(cells.collect::<String>().trim_end());
        out.push('\n');
    }
    out
}

/// `show subscribers summary` as data.
pub fn summary_json(view: &View) -> Value {
    let kinds = kinds(view);
    let kinds = kinds
        .iter()
        .map(|(name, sessions)| json!({ "name": name, "sessions": sessions }));
    json!({
        "sessions": view.sessions.sessions,
        "emergency": view.sessions.emergency,
        "clients": view.sessions.clients,
        "kinds": kinds.collect::<Vec<_>>(),
    })
}

/// `show subscribers imsi` as text.
pub fn imsi_text(view: &View) -> String {
    let mut table = Table::new(SESSIONS);
    for session in &view.subscriber.sessions {
        table.row([
            session.apn.clone(),
            text::service_name(&view.snapshot, session.service),
            interface(session.interface).to_owned(),
            session.number.to_string(),
            session.secondary_contexts.to_string(),
        ]);
        table.note("Peer", text::or_absent(session.peer));
        let addresses = session.addresses.iter().map(ToString::to_string);
        let addresses = addresses.collect::<Vec<_>>().join(", ");
        if !addresses.is_empty() {
            table.note("Address", addresses);
        }
        if session.emergency {
            table.note("Emergency", "it takes no license".to_owned());
        }
    }
    heading(view) + &table.render()
}

/// `show subscribers imsi` as data.
pub fn imsi_json(view: &View) -> Value {
    let sessions = view.subscriber.sessions.iter();
    let sessions = sessions.map(|session| session_json(view, session));
    json!({ "imsi": view.subscriber.imsi, "sessions": sessions.collect::<Vec<_>>() })
}

/// `show license why imsi` as text: its sessions, the calls of it that were refused, and what a call now meets.
pub fn why_text(view: &View) -> String {
    let mut out = imsi_text(view);
    out.push_str("\nRefused within the Last Minute\n");
    let mut table = Table::new(REFUSED);
    for refused in &view.subscriber.refused {
        table.row([
            text::stamp(refused.at),
            text::service_name(&view.snapshot, refused.service),
            history::reason(refused.reason).to_owned(),
            refused.cause.to_string(),
            refused.apn.clone(),
        ]);
        if let Some(record) = record(view, refused) {
            table.note("Why", history::explained(&view.snapshot, record));
            if let Some(remedy) = remedy::of_refusal(&view.snapshot, record) {
                table.note("Remedy", remedy);
            }
        }
    }
    out.push_str(&table.render());
    out.push_str("\nA New Call Now\n");
    let mut table = Table::new(NOW);
    for service in &view.snapshot.services {
        let row = TagRow::Service(service);
        table.row([
            service.tag.name.clone(),
            status::state(service.tag.state).to_owned(),
            text::or_absent(why::reason(&view.snapshot, row)),
        ]);
        if let Some(remedy) = remedy::of(&view.snapshot, row) {
            table.note("Remedy", remedy);
        }
        for tried in tried_out(view, service) {
            let (name, shadow) = (text::kind_and_name(tried), tried.tag().shadow);
            let does = match refuses(view, tried) {
                Some(true) => "refuses",
                Some(false) => "lets through",
                None => "refuses or lets through",
            };
            let calls = "this subscriber's calls";
            table.note(
                "Shadow",
                format!("{shadow}: the block of {name} {does} {calls}"),
            );
        }
    }
    out + &table.render()
}

/// `show license why imsi` as data.
pub fn why_json(view: &View) -> Value {
    let refused = view.subscriber.refused.iter().map(|refused| {
        json!({
            "at": refused.at,
            "service": text::service_name(&view.snapshot, refused.service),
            "reason": refused.reason,
            "cause": refused.cause,
            "apn": refused.apn,
            "record": record(view, refused),
        })
    });
    let services = view.snapshot.services.iter().map(|service| {
        json!({
            "name": service.tag.name,
            "state": service.tag.state,
            "why": why::reason(&view.snapshot, TagRow::Service(service)),
            "remedy": remedy::of(&view.snapshot, TagRow::Service(service)),
            "tried_out": tried_out(view, service).map(|tried| tried_json(view, tried)).collect::<Vec<_>>(),
        })
    });
    let mut out = imsi_json(view);
    out["lot"] = json!(view.subscriber.lot);
    out["refused"] = json!(refused.collect::<Vec<_>>());
    out["services"] = json!(services.collect::<Vec<_>>());
    out
}

/// What concerns a service and whose block is tried out by an order: itself, and features.
fn tried_out<'v>(
    view: &'v View,
    service: &'v ServiceStatus,
) -> impl Iterator<Item = TagRow<'v>> + 'v {
    let features = view.snapshot.features.iter();
    let concerned = features
        .filter(|feature| feature.tie == Tie::Call || feature.services.contains(&service.service));
    let rows = std::iter::once(TagRow::Service(service)).chain(concerned.map(TagRow::Feature));
    rows.filter(|row| row.tag().eased)
}

/// Whether a block that is tried out refuses the subscriber; none: its lot is not known.
fn refuses(view: &View, row: TagRow<'_>) -> Option<bool> {
    match row.tag().shadow.refused_percent() {
        0 => Some(false),
        percent => view.subscriber.lot.map(|lot| lot < percent),
    }
}

fn tried_json(view: &View, row: TagRow<'_>) -> Value {
    json!({ "name": text::kind_and_name(row), "shadow": row.tag().shadow, "refuses": refuses(view, row) })
}

fn heading(view: &View) -> String {
    let told = &view.subscriber;
    let mut out = text::field("Subscriber", &told.imsi);
    out.push_str(&text::field("Sessions", &told.sessions.len().to_string()));
    out.push('\n');
    out
}

fn session_json(view: &View, session: &SubscriberSession) -> Value {
    json!({
        "apn": session.apn,
        "service": text::service_name(&view.snapshot, session.service),
        "emergency": session.emergency,
        "interface": session.interface,
        "peer": session.peer,
        "number": session.number,
        "secondary_contexts": session.secondary_contexts,
        "addresses": session.addresses,
        "worker": session.worker,
    })
}

/// What explains a refusal, if history has it still.
fn record<'v>(view: &'v View, refused: &SubscriberRefusal) -> Option<&'v RefusalRecord> {
    let same = |record: &&RefusalRecord| {
        (record.at, record.service, record.reason) == (refused.at, refused.service, refused.reason)
            && record.apn == refused.apn
    };
    view.history.iter().find(same)
}

fn interface(interface: Interface) -> &'static str {
    match interface {
        Interface::Gn => "Gn",
        Interface::S11 => "S11",
        Interface::S5 => "S5",
        Interface::S2a => "S2a",
        Interface::S2b => "S2b",
    }
}
