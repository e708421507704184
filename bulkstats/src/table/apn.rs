//! Schema `apn`: a row an access point.

use licensing::snapshot::RefusedCounts;

use super::{About, Own, Rows, own};
use crate::value::Value::{Int, Text};
use crate::view::{Apn, View};

pub(crate) struct ApnRows;

const VARIABLES: &[Own<ApnRows>] = &[
    own(
        About::info(
            "apn",
            "The access point name; * takes those that have no other.",
        )
        .key(),
        |_, row| Text(&row.name),
    ),
    own(
        About::info("service", "Service that counts its calls.").key(),
        |_, row| Text(&row.service),
    ),
    own(About::gauge("sessions", "Sessions now."), |_, row| {
        Int(row.sessions)
    }),
    own(
        About::counter32(
            "sessstat-pdnrejrsn-license",
            "New calls refused for a license, for whatever reason.",
        ),
        |_, row| Int(total(&row.refused)),
    ),
    own(
        About::counter(
            "refused_blocked",
            "New calls refused: the service's policy was Block.",
        ),
        |_, row| Int(row.refused.blocked),
    ),
    own(
        About::counter(
            "refused_by_feature",
            "New calls refused: a feature's policy was Block.",
        ),
        |_, row| Int(row.refused.by_feature),
    ),
    own(
        About::counter(
            "refused_at_ceiling",
            "New calls refused: the service was at its ceiling.",
        ),
        |_, row| Int(row.refused.at_ceiling),
    ),
    own(
        About::counter(
            "refused_low_priority",
            "New calls of low access priority refused: near the ceiling.",
        ),
        |_, row| Int(row.refused.low_priority),
    ),
    own(
        About::counter(
            "refused_unsettled",
            "New calls refused: a worker stood still with credit in hand.",
        ),
        |_, row| Int(row.refused.unsettled),
    ),
    own(
        About::counter(
            "refused_subscribers",
            "Distinct subscribers, counted where first refused; a retry within a minute is one.",
        ),
        |_, row| Int(row.refused.subscribers),
    ),
];

impl Rows for ApnRows {
    type Row<'v> = &'v Apn;
    const VARIABLES: &'static [Own<Self>] = VARIABLES;

    fn rows(view: &View) -> impl Iterator<Item = &Apn> {
        view.plane.apns.iter()
    }
}

/// For whatever reason.
fn total(refused: &RefusedCounts) -> u64 {
    let near = refused.at_ceiling + refused.low_priority + refused.unsettled;
    refused.blocked + refused.by_feature + near
}
