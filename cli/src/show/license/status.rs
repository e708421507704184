//! `show license status` and `show license summary`.

use api::{Attempts, RegistrationState};
use serde_json::{Value, json};

use licensing::AlarmKind;

use super::super::View;
use super::super::text::labelled;
use super::{NONE, authorization, authorization_lines, communication, stamp, stamp_or_none, usage};

/// `show license status` as text.
pub fn status_text(view: &View) -> String {
    let mut out = enabled(view);
    out.push_str("\nUtility:\n  Status: DISABLED\n\n");
    out.push_str(&privacy(view));
    out.push_str(&format!("\n{}", communication::transport_lines(view)));
    out.push_str(&format!("\nRegistration:\n{}", registration_lines(view)));
    out.push_str(&format!(
        "\nLicense Authorization:\n{}",
        authorization_lines(view)
    ));
    out.push_str(&communication_lines(view));
    out.push_str("\nExport Authorization Key:\n  Features Authorized:\n    <none>\n");
    out
}

/// `show license status` as data.
pub fn status_json(view: &View) -> Value {
    let status = &view.agent.status;
    json!({
        "smart": view.snapshot.smart,
        "evaluation": view.snapshot.evaluation,
        "recovery": view.snapshot.recovery,
        "registration": status.registration,
        "registered": status.registered,
        "initial": status.initial,
        "authorization_status": authorization(view),
        "authorization": status.authorization,
        "renewal": status.renewal,
        "communication_deadline": status.communication_deadline,
        "silence": status.silence,
        "transport": view.agent.transport,
    })
}

/// `show license summary` as text.
pub fn summary_text(view: &View) -> String {
    let status = &view.agent.status;
    let mut out = enabled(view);
    out.push_str("\nRegistration:\n");
    out.push_str(&format!("  Status: {}\n", registration(view)));
    out.push_str(&accounts(view));
    if status.registered.is_some() {
        out.push_str(&attempt("Last Renewal Attempt", &status.renewal));
        let next = stamp_or_none(status.renewal.next);
        out.push_str(&format!("  Next Renewal Attempt: {next}\n"));
    } else {
        out.push_str(&initial(view));
    }
    out.push_str("\nLicense Authorization:\n");
    out.push_str(&authorization_lines(view));
    if status.registered.is_some() {
        let attempts = &status.authorization;
        out.push_str(&attempt("Last Communication Attempt", attempts));
        let next = stamp_or_none(attempts.next);
        out.push_str(&format!("  Next Communication Attempt: {next}\n"));
    }
    out.push_str("\nLicense Usage:\n");
    out.push_str(&usage::table(view));
    out
}

/// `show license summary` as data.
pub fn summary_json(view: &View) -> Value {
    json!({ "status": status_json(view), "usage": usage::usage_json(view) })
}

fn enabled(view: &View) -> String {
    let smart = &view.snapshot.smart;
    let word = if smart.enabled { "ENABLED" } else { "DISABLED" };
    format!("Smart Licensing is {word}\n{}", troubles(view))
}

/// What is wrong with the agent: what stands below may be old, or another node's too.
fn troubles(view: &View) -> String {
    let alarms = &view.snapshot.alarms;
    let stalled = alarms
        .iter()
        .any(|alarm| alarm.kind == AlarmKind::AgentStalled);
    let status = &view.agent.status;
    let troubles = [
        (
            stalled,
            "The Smart Agent does not work: what follows is the last that it said; see the node's log, and restart the node.",
        ),
        (
            status.not_written,
            "The Smart Agent's state can't be written, and nothing is sent: see the disk of node.state_dir.",
        ),
        (
            status.forked,
            "The license authority sees two nodes of this identity, or that the state of this one was restored: register one of them anew, with a state of its own.",
        ),
    ];
    let said = troubles.into_iter().filter(|(holds, _)| *holds);
    said.map(|(_, what)| labelled("WARNING: ", what)).collect()
}

fn privacy(view: &View) -> String {
    let (sends, private) = if view.agent.transport.send_hostname {
        ("yes", "DISABLED")
    } else {
        ("no", "ENABLED")
    };
    format!(
        "Data Privacy:\n  Sending Hostname: {sends}\n    Callhome hostname privacy: {private}\n    \
         Smart Licensing hostname privacy: {private}\n  Version privacy: DISABLED\n"
    )
}

/// Where the registration stands, in the vendors' words.
pub(crate) fn registration(view: &View) -> &'static str {
    match view.agent.status.registration {
        RegistrationState::Unregistered => "UNREGISTERED",
        RegistrationState::Registering => "REGISTERING - REGISTRATION IN PROGRESS",
        RegistrationState::Registered => "REGISTERED",
        RegistrationState::OutOfRange => "REGISTERED - CLOCK OUTSIDE OF THE CERTIFICATE",
        RegistrationState::Deregistering => "REGISTERED - DEREGISTRATION IN PROGRESS",
    }
}

fn accounts(view: &View) -> String {
    let registered = view.agent.status.registered.as_ref();
    let accounts = registered.map(|registered| {
        labelled("  Smart Account: ", &registered.smart_account)
            + &labelled("  Virtual Account: ", &registered.virtual_account)
    });
    accounts.unwrap_or_default() + "  Export-Controlled Functionality: NOT ALLOWED\n"
}

fn registration_lines(view: &View) -> String {
    let status = &view.agent.status;
    let mut out = format!("  Status: {}\n", registration(view));
    out.push_str(&accounts(view));
    let Some(registered) = &status.registered else {
        return out + &initial(view);
    };
    let since = stamp(registered.since);
    out.push_str(&format!("  Initial Registration: SUCCEEDED on {since}\n"));
    out.push_str(&match (registered.renewed, &status.renewal.last) {
        (Some(renewed), None) => {
            format!("  Last Renewal Attempt: SUCCEEDED on {}\n", stamp(renewed))
        }
        (Some(_) | None, _) => attempt("Last Renewal Attempt", &status.renewal),
    });
    let next = stamp(registered.renew_at);
    out.push_str(&format!("  Next Renewal Attempt: {next}\n"));
    let expires = stamp(registered.expires);
    out.push_str(&format!("  Registration Expires: {expires}\n"));
    out
}

/// A registration that failed, and why; what was asked before it, and there is nothing left of, is not shown.
fn initial(view: &View) -> String {
    let initial = &view.agent.status.initial;
    match initial.failure {
        Some(_) => attempt("Initial Registration", initial),
        None => String::new(),
    }
}

fn communication_lines(view: &View) -> String {
    let status = &view.agent.status;
    if status.registered.is_none() {
        return silence(view);
    }
    let attempts = &status.authorization;
    let mut out = attempt("Last Communication Attempt", attempts);
    let next = stamp_or_none(attempts.next);
    out.push_str(&format!("  Next Communication Attempt: {next}\n"));
    let deadline = stamp_or_none(status.communication_deadline);
    out.push_str(&format!("  Communication Deadline: {deadline}\n"));
    out.push_str(&silence(view));
    out
}

fn silence(view: &View) -> String {
    let Some(silence) = &view.agent.status.silence else {
        return String::new();
    };
    let said = format!("since {}: {}", stamp(silence.since), silence.why);
    labelled("  Authority Unreachable: ", &said)
}

/// The last of some attempts: none, good, or failed and why.
fn attempt(label: &str, attempts: &Attempts) -> String {
    match (attempts.last, &attempts.failure) {
        (None, _) => format!("  {label}: None\n"),
        (Some(at), None) => format!("  {label}: SUCCEEDED on {}\n", stamp(at)),
        (Some(at), Some(why)) => {
            let why = if why.is_empty() { NONE } else { why };
            format!("  {label}: FAILED on {}\n", stamp(at)) + &labelled("    Failure reason: ", why)
        }
    }
}
