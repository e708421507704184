//! `show license eval-period`: the evaluation clock.

use licensing::{Mode, Snapshot};
use serde_json::{Value, json};

use super::View;
use super::text::{field, span};

/// The surface as text.
pub fn text(view: &View) -> String {
    let snapshot = &view.snapshot;
    let evaluation = &snapshot.evaluation;
    let mut out = String::from("Evaluation Period\n");
    out.push_str(&super::node_fields(snapshot));
    out.push_str(&field("Granted", &span(evaluation.total_s)));
    out.push_str(&field("Used", &span(evaluation.used_s)));
    out.push_str(&field("Remaining", &span(evaluation.remaining_s)));
    out.push_str(&field("Clock", clock(snapshot)));
    if let Some(lab) = snapshot
        .lab
        .filter(|lab| lab.speedup > 1 && !evaluation.expired)
    {
        let real = span(evaluation.remaining_s.div_ceil(u64::from(lab.speedup)));
        let said = format!("x{}: what remains passes in {real}", lab.speedup);
        out.push_str(&field("Lab Speed", &said));
    }
    if let Some(recovery) = &snapshot.recovery {
        out.push_str(&field("Recovery Remaining", &span(recovery.remaining_s)));
    }
    out.push_str(&match evaluation.expired {
        true => field("Ended", "used up"),
        false => field("Ends", "with a successful registration, or when used up"),
    });
    out
}

/// The surface as data.
pub fn json(view: &View) -> Value {
    json!({
        "smart": view.snapshot.smart,
        "evaluation": view.snapshot.evaluation,
        "recovery": view.snapshot.recovery,
    })
}

fn clock(snapshot: &Snapshot) -> &'static str {
    if snapshot.evaluation.expired && snapshot.recovery.is_some() {
        "expired: a recovery period runs"
    } else if snapshot.evaluation.expired {
        "expired: new calls of every service and feature are refused"
    } else if snapshot.evaluation.running {
        "running: a license is in use and the node is not registered"
    } else if snapshot.smart.mode == Mode::Registered {
        "stopped: the node is registered"
    } else if !snapshot.smart.ever_enabled {
        "not started: smart licensing was never enabled"
    } else {
        "stopped: no license is in use"
    }
}
