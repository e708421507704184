//! `show license status` and its like: the Smart Agent, in the layouts of the vendors' classical agents.
//!
//! Each is a function of the node's snapshot and of the agent's status beside it.

mod communication;
mod orders;
pub(crate) mod status;
mod usage;

use licensing::{Compliance, Mode, Snapshot, Tag, Wall};
use serde_json::{Value, json};

use super::View;
use super::text::{self, labelled, span};
pub use communication::{call_home_json, call_home_text, transport_json, transport_text};
pub use communication::{trust_pool_json, trust_pool_text};
pub use status::{status_json, status_text, summary_json, summary_text};
pub use usage::{usage_json, usage_text};

/// What stands where there is nothing.
const NONE: &str = "<none>";

/// `show license udi` as text.
pub fn udi_text(view: &View) -> String {
    let node = &view.snapshot.node;
    format!(
        "UDI: PID:{},SN:{}\n\nProduct: {}\n  {}\n",
        node.pid, node.serial, node.product, node.product_tag
    )
}

/// `show license udi` as data.
pub fn udi_json(view: &View) -> Value {
    let node = &view.snapshot.node;
    json!({
        "pid": node.pid,
        "serial": node.serial,
        "product": node.product,
        "product_tag": node.product_tag,
    })
}

/// `show license all` as text.
pub fn all_text(view: &View) -> String {
    let version = &view.snapshot.node.version;
    let mut out = section("Smart Licensing Status", &status_text(view));
    out.push_str(&section("License Usage", &usage::rows(view)));
    out.push_str(&section("Product Information", &udi_text(view)));
    let said = format!("Smart Agent for Licensing: {version}\n");
    out.push_str(&section("Agent Version", &said));
    out.push_str(&section("Usage Report Summary", &reports(view)));
    if !orders::is_empty(view) {
        out.push_str(&section("Orders of the Authority", &orders::text(view)));
    }
    out.trim_end().to_owned() + "\n"
}

/// `show license all` as data.
pub fn all_json(view: &View) -> Value {
    json!({
        "status": status_json(view),
        "usage": usage_json(view),
        "udi": udi_json(view),
        "last_report": view.agent.status.last_report,
        "reports_waiting": view.agent.status.reports_waiting,
        "orders": view.agent.status.orders,
    })
}

/// `show license tech-support` as text.
pub fn tech_support_text(view: &View) -> String {
    let mut out = all_text(view);
    out.push('\n');
    let call_home = call_home_text(view);
    out.push_str(&section("Communication Statistics", &call_home));
    out.push_str(&section("License Certificates", &certificates(view)));
    out.push_str(&section("Trust Pool", &trust_pool_text(view)));
    out.push_str(&section("Other Info", &other(view)));
    out.trim_end().to_owned() + "\n"
}

/// `show license tech-support` as data.
pub fn tech_support_json(view: &View) -> Value {
    json!({
        "all": all_json(view),
        "agent": view.agent.status,
        "transport": view.agent.transport,
        "alarms": view.snapshot.alarms,
    })
}

fn section(title: &str, body: &str) -> String {
    let dashes = "=".repeat(title.len());
    format!("{title}\n{dashes}\n\n{}\n\n", body.trim_end())
}

fn reports(view: &View) -> String {
    let status = &view.agent.status;
    let last = match status.last_report {
        0 => NONE.to_owned(),
        number => number.to_string(),
    };
    format!(
        "Last Report: {last},  Waiting for Ack: {}\n",
        status.reports_waiting
    )
}

fn certificates(view: &View) -> String {
    let Some(registered) = &view.agent.status.registered else {
        return "Not registered. No certificates installed\n".to_owned();
    };
    format!(
        "Production Cert: {}\nID Cert Info:\n  Serial Number: {}\n  Expires: {}\n",
        if view.snapshot.lab.is_some() {
            "False"
        } else {
            "True"
        },
        registered.serial.as_str(),
        stamp(registered.expires),
    )
}

fn other(view: &View) -> String {
    let status = &view.agent.status;
    let transport = &view.agent.transport;
    let instance = status.registered.as_ref();
    let instance = instance.map_or(NONE, |registered| registered.instance.as_str());
    let yes = |yes: bool| if yes { "Yes" } else { "No" };
    format!(
        "Product Instance: {instance}\nAgent State: {}\nMessage Version: {}\n\
         Report License Usage: {} s\nOOC Retry: {} s\nAnswers Dropped: {}\n\
         State Not Written: {}\nIdentity Used Twice: {}\n",
        status::registration(view),
        api::smart::VERSION,
        transport.report_usage_s,
        transport.ooc_retry_s,
        status.stale_answers,
        yes(status.not_written),
        yes(status.forked),
    )
}

/// `Mar 13 08:09:24 2024 UTC`
fn stamp(wall: Wall) -> String {
    text::classic_stamp(wall)
}

fn stamp_or_none(wall: Option<Wall>) -> String {
    wall.map_or_else(|| NONE.to_owned(), stamp)
}

/// The authorization of the node as a whole: the worst of what is in use.
pub(crate) fn authorization(view: &View) -> String {
    let snapshot = &view.snapshot;
    let compliances: Vec<Compliance> = snapshot
        .rows()
        .filter_map(|row| row.tag().compliance)
        .collect();
    let has = |wanted: fn(&Compliance) -> bool| compliances.iter().any(wanted);
    if snapshot.smart.mode == Mode::Evaluation {
        return evaluation(snapshot, !compliances.is_empty()).to_owned();
    }
    if has(|c| *c == Compliance::AuthorizationExpired) {
        return "AUTHORIZATION EXPIRED".into();
    }
    let since = compliances.iter().filter_map(|compliance| {
        let Compliance::OutOfCompliance { since } = compliance else {
            return None;
        };
        Some(*since)
    });
    if let Some(since) = since.min() {
        return format!("OUT OF COMPLIANCE on {}", stamp(since));
    }
    if has(|c| *c == Compliance::InvalidTag) {
        return "INVALID TAG".into();
    }
    if has(|c| *c == Compliance::Waiting) {
        return "WAITING".into();
    }
    if !has(|c| *c == Compliance::Authorized) {
        return "No Licenses in Use".into();
    }
    let attempt = &view.agent.status.authorization;
    let heard = attempt.last.filter(|_| attempt.failure.is_none());
    heard.map_or_else(
        || "AUTHORIZED".into(),
        |at| format!("AUTHORIZED on {}", stamp(at)),
    )
}

fn evaluation(snapshot: &Snapshot, in_use: bool) -> &'static str {
    if snapshot.recovery.is_some() {
        "RECOVERY PERIOD"
    } else if snapshot.evaluation.expired && snapshot.smart.ever_enabled {
        "EVAL EXPIRED"
    } else if in_use {
        "EVAL MODE"
    } else {
        "No Licenses in Use"
    }
}

/// The lines under `License Authorization:` that say where it stands.
fn authorization_lines(view: &View) -> String {
    let snapshot = &view.snapshot;
    let mut out = format!("  Status: {}\n", authorization(view));
    let left = match &snapshot.recovery {
        Some(recovery) => Some(recovery.remaining_s),
        None if snapshot.smart.mode == Mode::Evaluation && !snapshot.evaluation.expired => {
            Some(snapshot.evaluation.remaining_s)
        }
        None => None,
    };
    if let Some(left) = left {
        out.push_str(&labelled("  Evaluation Period Remaining: ", &span(left)));
    }
    out
}

/// The part of a tag that people know it by: what stands between its domain, of two labels, and its version.
fn short_tag(tag: &Tag) -> &str {
    let text = tag.as_str();
    let name = text.splitn(5, '.').nth(4).unwrap_or(text);
    name.split_once(',').map_or(name, |(name, _)| name)
}

fn tag_version(tag: &Tag) -> &str {
    let version = tag.as_str().rsplit_once(',');
    let version = version.map_or("", |(_, version)| version);
    version
        .split_once('_')
        .map_or(version, |(number, _)| number)
}

#[cfg(test)]
mod tests {
    use licensing::Catalog;

    use super::*;

    #[test]
    fn a_tag_of_the_catalog_has_a_short_name() {
        let catalog = Catalog::staros();
        let tag = &catalog.services()[2].tag;
        assert_eq!(short_tag(tag), "ASR5K-00-GN10SESS");
        assert_eq!(tag_version(tag), "1.0");
    }
}
