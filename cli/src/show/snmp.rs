//! `show snmp ...`: notifications, who is sent them, and the agent, in the layouts of StarOS.
//!
//! A name of a community is a password, and never shown.

mod notifies;
mod server;

use serde_json::{Value, json};

use super::View;
use super::text::{COLUMNS, labelled, rough_span};
pub use notifies::{history_json, history_text, notifies_json, notifies_text};
pub use notifies::{statistics_json, statistics_text};
pub use server::{communities_json, communities_text, server_json, server_text};
pub use server::{transports_json, transports_text, users_json, users_text};

/// Said of a node whose configuration has no `[snmp]` that does anything.
const NOT_CONFIGURED: &str = "SNMP is not configured: managers are neither answered nor sent anything. Give [snmp] \
                              a listen, or add an [[snmp.target]].";

/// What is said before anything else: that there is no SNMP, or that it does not work.
fn banner(view: &View) -> String {
    let snmp = &view.snmp;
    if snmp.server.listen.is_none() && snmp.targets.is_empty() {
        return labelled("*** ", NOT_CONFIGURED);
    }
    if !snmp.stalled {
        return String::new();
    }
    let age = rough_span(snmp.age_ms / 1_000);
    let said =
        format!("STALLED: the thread of SNMP does not work; this is {age} old. Calls go on.");
    labelled("*** ", &said)
}

/// The same as data, with the body.
fn data(view: &View, body: Value) -> Value {
    let snmp = &view.snmp;
    let mut out = json!({
        "configured": snmp.server.listen.is_some() || !snmp.targets.is_empty(),
        "snmp_age_ms": snmp.age_ms,
        "snmp_stalled": snmp.stalled,
    });
    if let (Value::Object(out), Value::Object(body)) = (&mut out, body) {
        out.extend(body);
    }
    out
}

/// `  label : text`, the label of this width, the text wrapped under itself.
fn field(label: &str, width: usize, text: &str) -> String {
    debug_assert!(width < COLUMNS / 2, "room for the text");
    labelled(&format!("  {label:<width$}: "), text)
}
