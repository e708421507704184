//! `show system uptime`, `show version` and `show resources`: the node itself, in the layouts of StarOS.

use licensing::snapshot::{ServiceStatus, State, TagRow};
use serde_json::{Value, json};

use super::text::labelled;
use super::{View, text, why};

/// Width of the labels of a resource.
const LABEL: usize = 20;

/// `show system uptime` as text: `System uptime: 69D 1H 34M`.
pub fn uptime_text(view: &View) -> String {
    let minutes = uptime_s(view) / 60;
    let (days, hours) = (minutes / 1_440, minutes / 60 % 24);
    format!("System uptime: {days}D {hours}H {}M\n", minutes % 60)
}

/// `show system uptime` as data.
pub fn uptime_json(view: &View) -> Value {
    json!({ "uptime_s": uptime_s(view) })
}

/// `show version` as text.
pub fn version_text(view: &View) -> String {
    let node = &view.snapshot.node;
    let line = |label: &str, said: &str| labelled(&format!("  {label:<32}"), said);
    [
        "Active Software:\n".to_owned(),
        line("Image Version:", &node.version),
        line("Image Description:", "tollgate"),
        line("Product:", &node.product),
    ]
    .concat()
}

/// `show version` as data.
pub fn version_json(view: &View) -> Value {
    let node = &view.snapshot.node;
    json!({ "version": node.version, "product": node.product })
}

/// `show resources` as text: what each service uses of what it may.
pub fn resources_text(view: &View) -> String {
    let services = view.snapshot.services.iter();
    services.map(|service| resource(view, service)).collect()
}

/// `show resources` as data.
pub fn resources_json(view: &View) -> Value {
    let services = view.snapshot.services.iter().map(|service| {
        json!({
            "name": service.tag.name,
            "in_use": service.sessions,
            "max_used": service.peak,
            "max_used_at": service.peak_at,
            "limit": service.ceiling,
            "state": service.tag.state,
            "status": status(view, service),
        })
    });
    json!({ "services": services.collect::<Vec<_>>() })
}

fn resource(view: &View, service: &ServiceStatus) -> String {
    let line = |label: &str, said: &str| labelled(&format!("    {label:<LABEL$}: "), said);
    let at = match service.peak_at {
        Some(at) => text::long_stamp(Some(at)),
        None => "Never".to_owned(),
    };
    let max = format!("{} ( {at} )", service.peak);
    [
        format!("{} Service:\n", service.tag.name),
        line("In Use", &service.sessions.to_string()),
        line("Max Used", &max),
        line("Limit", &text::ceiling(service.ceiling)),
        line("License Status", &status(view, service)),
    ]
    .concat()
}

/// Whether new calls are let through; why not, if they are not.
fn status(view: &View, service: &ServiceStatus) -> String {
    let refused = match service.tag.state {
        State::Allow => return "Within Acceptable Limits".to_owned(),
        State::AllowAtLimit => "At Limit",
        State::Block => "Blocked",
    };
    match why::reason(&view.snapshot, TagRow::Service(service)) {
        Some(reason) => format!("{refused}: {reason}"),
        None => refused.to_owned(),
    }
}

/// Since the process began.
fn uptime_s(view: &View) -> u64 {
    view.snapshot.at.mono.0 / 1_000_000_000
}
