//! `show snmp ...`: notifications, who is sent them, and the agent, in the layouts of StarOS.
//!
//! A community is a password, and never shown; the name that it has in the configuration is none.

mod notifies;
mod server;

use serde_json::{Value, json};

use super::View;
use super::text::{COLUMNS, labelled, rough_span};
pub use notifies::{history_json, history_text, notifies_json, notifies_text};
pub use notifies::{statistics_json, statistics_text};
pub use server::{communities_json, communities_text, server_json, server_text};
pub use server::{transports_json, transports_text, users_json, users_text};

/// Said of a node that has neither a target nor a listen.
const NOT_CONFIGURED: &str = "SNMP is not configured: managers are neither answered nor sent anything. So that they \
                              are sent notifications, set a target: tollgate snmp target. So that they are answered, \
                              give [snmp] of the configuration a listen, and start the node again.";

/// Said after what is left out.
const SET_ANEW: &str = "Set it anew, or take its entry out of settings.toml of node.state_dir.";

/// What is said before anything else: that there is no SNMP, or that it does not work, or not as it is set.
fn banner(view: &View) -> String {
    let snmp = &view.snmp;
    let left_out = snmp.left_out.iter().map(|out| {
        let (what, name, why) = (&out.what, &out.name, &out.why);
        labelled(
            "*** ",
            &format!("LEFT OUT: {what} {name}: {why}. {SET_ANEW}"),
        )
    });
    left_out.collect::<String>() + &state(view)
}

fn state(view: &View) -> String {
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
        "left_out": snmp.left_out,
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
