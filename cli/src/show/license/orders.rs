//! The orders of the license authority (rule L2).

use api::OrderStatus;
use api::smart::OrderKind;
use licensing::OnOoc;

use super::{NONE, View, labelled, short_tag, stamp, stamp_or_none};

/// None are there, and none were refused.
pub(super) fn is_empty(view: &View) -> bool {
    let orders = &view.agent.status.orders;
    orders.serial == 0 && orders.refused == 0
}

/// The orders, and what was refused of them.
pub(super) fn text(view: &View) -> String {
    let status = &view.agent.status.orders;
    let serial = match status.serial {
        0 => NONE.to_owned(),
        serial => serial.to_string(),
    };
    let taken = stamp_or_none(status.taken);
    let mut out = format!("Serial Number: {serial},  Taken: {taken}\n");
    for order in &status.orders {
        out.push_str(&labelled("  ", &line(order)));
    }
    if let Some(why) = &status.refusal {
        let refused = format!("{} refused, the last because {why}", status.refused);
        out.push_str(&labelled("Refused: ", &refused));
    }
    out
}

fn line(status: &OrderStatus) -> String {
    let order = &status.order;
    let what = match order.what {
        OrderKind::Rule(rule) => {
            let then = match rule.on_ooc {
                OnOoc::Allow => "ALLOW",
                OnOoc::Block => "BLOCK",
            };
            let days = rule.grace_days;
            format!("out of compliance {then} after {days} days of grace")
        }
        OrderKind::Shadow(shadow) => format!("shadow enforcement {shadow}"),
    };
    let end = match (order.not_after, status.in_force) {
        (None, _) => String::new(),
        (Some(until), true) => format!(", until {}", stamp(until)),
        (Some(until), false) => format!(", ended {}", stamp(until)),
    };
    format!("{}: {what}{end}", short_tag(&order.tag))
}
