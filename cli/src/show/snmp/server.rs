//! The agent, who may ask it, and the targets of notifications.

use api::SnmpTarget;
use serde_json::{Value, json};

use super::super::View;
use super::super::table::{Column, Table, left};
use super::super::text::{ABSENT, long_stamp};
use super::{banner, data, field};

/// Width of the labels of the agent.
const SERVER_LABEL: usize = 30;
/// Width of the labels of a target.
const TARGET_LABEL: usize = 15;

const COMMUNITIES: &[Column] = &[
    left("Community Name                  ", 32),
    left("Access Level", 12),
];
const USERS: &[Column] = &[
    left("User Name", 32),
    left("Security Level", 14),
    left("Auth", 7),
    left("Privacy", 7),
    left("Access Level", 12),
];

/// `show snmp server` as text.
pub fn server_text(view: &View) -> String {
    let server = &view.snmp.server;
    let line = |label: &str, text: &str| field(label, SERVER_LABEL, text);
    let number = |label: &str, number: u64| line(label, &number.to_string());
    let (state, port) = match server.listen {
        None => ("disabled", ABSENT.to_owned()),
        Some(at) => ("enabled", format!("{} ({})", at.port(), at.ip())),
    };
    let mut out = banner(view) + "SNMP Server Configuration:\n";
    out.push_str(&line("Server State", state));
    out.push_str(&line("SNMP Port", &port));
    out.push_str(&line("sysLocation", or_none(&server.location)));
    out.push_str(&line("sysContact", or_none(&server.contact)));
    // There is no such notification.
    out.push_str(&line("authenticationFail traps", "Disabled"));
    out.push_str(&line("EngineID", &server.engine_id));
    out.push_str(&number("EngineBoots", server.engine_boots.into()));
    out.push_str(&number("EngineTime", server.engine_time_s.into()));
    out.push_str(&line("TOLLGATE-MIB", &server.enterprise));
    let storm = format!("{} notifications a second and target", server.storm_limit);
    out.push_str(&line("Alert Threshold", &storm));
    out.push_str("\nSNMP Agent Mib Statistics:\n");
    for counter in &server.counters {
        out.push_str(&number(&counter.name, counter.value.into()));
    }
    out.push_str(&number("walks held now", server.walks_held));
    out
}

/// `show snmp server` as data.
pub fn server_json(view: &View) -> Value {
    data(view, json!({ "server": view.snmp.server }))
}

/// `show snmp communities` as text.
pub fn communities_text(view: &View) -> String {
    let mut table = Table::new(COMMUNITIES);
    for community in &view.snmp.communities {
        let name = community.name.as_deref().unwrap_or("(no name)");
        table.row([name.to_owned(), access(community.reads)]);
    }
    banner(view) + &table.render()
}

/// `show snmp communities` as data.
pub fn communities_json(view: &View) -> Value {
    data(view, json!({ "communities": view.snmp.communities }))
}

/// `show snmp users` as text.
pub fn users_text(view: &View) -> String {
    let mut table = Table::new(USERS);
    for user in &view.snmp.users {
        let level = match (&user.auth, &user.privacy) {
            (None, _) => "noAuthNoPriv",
            (Some(_), None) => "authNoPriv",
            (Some(_), Some(_)) => "authPriv",
        };
        let or_absent = |text: &Option<String>| text.clone().unwrap_or_else(|| ABSENT.to_owned());
        table.row([
            user.name.clone(),
            level.to_owned(),
            or_absent(&user.auth),
            or_absent(&user.privacy),
            access(user.reads),
        ]);
    }
    banner(view) + &table.render()
}

/// `show snmp users` as data.
pub fn users_json(view: &View) -> Value {
    data(view, json!({ "users": view.snmp.users }))
}

/// `show snmp transports` as text.
pub fn transports_text(view: &View) -> String {
    let targets = view.snmp.targets.iter().map(target);
    let targets = targets.collect::<Vec<_>>().join("\n");
    match targets.is_empty() {
        true => banner(view) + "(no targets)\n",
        false => banner(view) + &targets,
    }
}

/// `show snmp transports` as data.
pub fn transports_json(view: &View) -> Value {
    data(view, json!({ "targets": view.snmp.targets }))
}

fn target(to: &SnmpTarget) -> String {
    let line = |label: &str, text: &str| field(label, TARGET_LABEL, text);
    let number = |label: &str, number: u64| line(label, &number.to_string());
    let notifies = match to.inform {
        None => "traps".to_owned(),
        Some(times) => {
            let (timeout, retries) = (times.timeout_ms, times.retries);
            format!("informs, sent again after {timeout} ms, {retries} times")
        }
    };
    let state = match (to.away_since, to.inform) {
        _ if to.left_out => "left out: what it is to be sent waits".to_owned(),
        (Some(since), _) => format!("away since {}", long_stamp(Some(since))),
        (None, Some(_)) => "up".to_owned(),
        (None, None) => "not known: traps are not acknowledged".to_owned(),
    };
    let (waiting, held, most) = (to.waiting, to.held, to.queue);
    [
        format!("Target Name: {}\n", to.name),
        line("IP Address", &to.address.ip().to_string()),
        number("Port", to.address.port().into()),
        line("Version", &to.version),
        line(
            "Security Name",
            to.user.as_deref().unwrap_or("(a community, not shown)"),
        ),
        line("Notif Type", &notifies),
        line("State", &state),
        line(
            "Queue",
            &format!("{waiting} waiting, {held} held, {most} at most"),
        ),
        number("Sent", to.sent),
        number("Sent Again", to.repeated),
        number("Acknowledged", to.acknowledged),
        number("Coalesced", to.coalesced),
        number("Dropped", to.dropped),
    ]
    .concat()
}

fn access(reads: bool) -> String {
    match reads {
        true => "read-only".to_owned(),
        false => "none".to_owned(),
    }
}

fn or_none(text: &str) -> &str {
    if text.is_empty() { "(none)" } else { text }
}
