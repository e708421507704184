//! Objects of TOLLGATE-MIB: the node, its tags with their statistics (rule L15), ties of features, outstanding alarms,
//! the log of notifications, and targets; and those of CISCO-SMART-LIC-MIB.
//!
//! A field without a source yet has no instance.

mod smart;
mod tags;
mod told;

use licensing::Wall;

use crate::notifications::{MODES, mode_number};
use crate::objects::{Column, Group, Index, Row, Scalar, Syntax};
use crate::view::View;
use crate::{Oid, Value};

pub use smart::smart_licensing;

type Get = fn(&View, usize) -> Option<Value>;

/// All of TOLLGATE-MIB; `enterprise` is its arc.
pub fn group(enterprise: &Oid) -> Group<View> {
    Group {
        root: enterprise.join(&[1]),
        scalars: scalars(),
        tables: vec![
            tags::tags(),
            tags::modes(),
            tags::ties(),
            told::alarms(),
            told::log(),
            told::targets(),
        ],
    }
}

const KINDS: Syntax = Syntax::Named(&[("service", 1), ("feature", 2)]);
const STANDINGS: Syntax = Syntax::Named(&[
    ("waiting", 2),
    ("authorized", 3),
    ("outOfCompliance", 4),
    ("evaluationPeriod", 6),
    ("evaluationExpired", 7),
    ("authorizationExpired", 8),
    ("invalidTag", 12),
    ("notInUse", 16),
]);

fn scalar(
    arc: &'static [u32],
    name: &'static str,
    syntax: Syntax,
    help: &'static str,
    value: fn(&View) -> Option<Value>,
) -> Scalar<View> {
    Scalar {
        name,
        arcs: arc,
        syntax,
        help,
        value,
    }
}

fn column(
    arc: u32,
    name: &'static str,
    syntax: Syntax,
    help: &'static str,
    value: Get,
) -> Column<View> {
    Column {
        name,
        arc,
        syntax,
        help,
        value: Some(value),
    }
}

fn indexed(arc: u32, name: &'static str, syntax: Syntax, help: &'static str) -> Column<View> {
    Column {
        name,
        arc,
        syntax,
        help,
        value: None,
    }
}

fn scalars() -> Vec<Scalar<View>> {
    vec![
        scalar(
            &[2, 1],
            "tgNodeEnabled",
            Syntax::TruthValue,
            "Smart licensing is enabled.",
            |v| truth(v.node.smart.enabled),
        ),
        scalar(&[2, 2], "tgNodeMode", MODES, "Mode of the node.", |v| {
            Some(Value::Integer(mode_number(v.node.smart.mode)))
        }),
        scalar(
            &[2, 3],
            "tgNodeLab",
            Syntax::TruthValue,
            "The node is marked as a lab node.",
            |v| truth(v.node.lab.is_some()),
        ),
        scalar(
            &[2, 4],
            "tgEvaluationLeft",
            Syntax::Gauge32,
            "License time that is left of the evaluation, in seconds.",
            |v| gauge(v.node.evaluation.remaining_s),
        ),
        scalar(
            &[2, 5],
            "tgEvaluationRunning",
            Syntax::TruthValue,
            "The evaluation clock runs now.",
            |v| truth(v.node.evaluation.running),
        ),
        scalar(
            &[2, 6],
            "tgAuthoritySilent",
            Syntax::Gauge32,
            "License time since the license authority was last heard, in seconds; not there if the node never registered.",
            |v| gauge(v.node.authority_silent_s?),
        ),
        scalar(
            &[2, 7],
            "tgEmergencySessions",
            Syntax::Gauge32,
            "Emergency sessions, which hold no license.",
            |v| gauge(v.node.emergency.sessions),
        ),
        scalar(
            &[2, 8],
            "tgNodeUnidentifiedCalls",
            Syntax::Counter64,
            "Calls without an authenticated subscriber that came to ordinary access points.",
            |v| Some(Value::Counter64(v.node.unidentified_calls)),
        ),
        scalar(
            &[2, 9],
            "tgRecountDrift",
            Syntax::Gauge32,
            "Sum of the differences that the last recount of the session table found, in sessions; not there before the first.",
            |v| gauge(v.node.recount?.drift),
        ),
        scalar(
            &[2, 10],
            "tgOutstandingAlarms",
            Syntax::Gauge32,
            "Outstanding alarms.",
            |v| gauge(v.node.alarms.len() as u64),
        ),
        scalar(
            &[2, 11],
            "tgSnapshot",
            Syntax::Counter64,
            "Number of the snapshot that all these objects are of.",
            |v| Some(Value::Counter64(v.node.seq)),
        ),
    ]
}

fn rows(indexes: impl Iterator<Item = Index>) -> Vec<Row> {
    let all = indexes.enumerate();
    all.map(|(key, index)| Row { index, key }).collect()
}

fn truth(holds: bool) -> Option<Value> {
    Some(Value::Integer(if holds { 1 } else { 2 }))
}

fn gauge(number: u64) -> Option<Value> {
    Some(Value::Gauge32(u32::try_from(number).unwrap_or(u32::MAX)))
}

fn signed(number: i64) -> Option<Value> {
    let bounded = number.clamp(i32::MIN.into(), i32::MAX.into());
    i32::try_from(bounded).ok().map(Value::Integer)
}

fn seconds(at: Wall) -> Option<Value> {
    gauge(u64::try_from(at.0 / 1_000).unwrap_or(0))
}

fn text(text: &str) -> Option<Value> {
    Some(crate::notifications::display(text))
}

#[cfg(test)]
mod tests;
