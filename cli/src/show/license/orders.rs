//! The orders of the license authority (rule L2).

use api::smart::OrderKind;
use api::{CatalogStanding, CatalogStatus, OrderStatus};
use licensing::OnOoc;

use super::{NONE, View, labelled, short_tag, stamp, stamp_or_none};

/// None are there, and none were refused.
pub(super) fn is_empty(view: &View) -> bool {
    let orders = &view.agent.status.orders;
    orders.serial == 0 && orders.refused == 0 && orders.catalog.is_none()
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
    if let Some(catalog) = &status.catalog {
        out.push_str(&labelled("  ", &catalog_line(catalog)));
    }
    if let Some(why) = &status.refusal {
        let refused = format!("{} refused, the last because {why}", status.refused);
        out.push_str(&labelled("Refused: ", &refused));
    }
    out
}

fn catalog_line(status: &CatalogStatus) -> String {
    let standing = match status.standing {
        CatalogStanding::InForce => "IN FORCE",
        CatalogStanding::Pending => "PENDING until the node starts again",
        CatalogStanding::Ending => {
            "withdrawn or ended, IN FORCE until the node starts again with that of its configuration"
        }
        CatalogStanding::SetAside => "SET ASIDE",
    };
    let why = status.refusal.as_ref();
    let why = why.map_or(String::new(), |why| format!(" ({why})"));
    let end = status
        .not_after
        .map(|until| format!(", until {}", stamp(until)));
    let (end, sha256) = (end.unwrap_or_default(), &status.sha256);
    format!("catalog: {standing}{why}{end}; SHA-256 {sha256}")
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
    let stands = status.in_force || status.pending || status.set_aside;
    let end = match (order.not_after, stands) {
        (None, _) => String::new(),
        (Some(until), true) => format!(", until {}", stamp(until)),
        (Some(until), false) => format!(", ended {}", stamp(until)),
    };
    let why_not = match (status.pending, status.set_aside) {
        (true, _) => {
            ", PENDING until the node starts again: the tag is in the catalog that is ordered"
        }
        (false, true) => ", SET ASIDE: the tag is not in the catalog in force",
        (false, false) => "",
    };
    format!("{}: {what}{end}{why_not}", short_tag(&order.tag))
}
