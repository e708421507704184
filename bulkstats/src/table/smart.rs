//! Schema `smart-license`: the variables, types and order of StarOS, a row a mode and service.

use licensing::Mode;
use licensing::snapshot::{ModeStatistics, ServiceStatus};

use super::{About, Own, Rows, own};
use crate::value::Value::{self, Absent, Int, Text};
use crate::view::View;

pub(crate) struct SmartRows;

#[derive(Clone, Copy)]
pub(crate) struct SmartRow<'v> {
    mode: Mode,
    service: &'v ServiceStatus,
    statistics: &'v ModeStatistics,
}

/// Features have the same small numbers: they are rows of `tollgate-license`.
const VARIABLES: &[Own<SmartRows>] = &[
    own(
        About::info("current_sl_state", "Smart licensing: Enabled or Disabled."),
        |v, _| {
            Text(match v.node.smart.enabled {
                true => "Enabled",
                false => "Disabled",
            })
        },
    ),
    own(
        About::info(
            "current_sl_mode",
            "The mode in force: EVALUATION or REGISTERED.",
        ),
        |v, _| Text(mode_name(v.node.smart.mode)),
    ),
    own(
        About::counter32("total_sl_enabled", "Times smart licensing was enabled."),
        |v, _| Int(v.node.smart.total_enabled.into()),
    ),
    own(
        About::counter32("total_sl_disabled", "Times smart licensing was disabled."),
        |v, _| Int(v.node.smart.total_disabled.into()),
    ),
    own(
        About::info(
            "mode",
            "The mode that the row counts for: EVALUATION or REGISTERED.",
        )
        .apart(),
        |_, row| Text(mode_name(row.mode)),
    ),
    own(
        About::counter32("tagid", "Small number of the service's tag.").apart(),
        |_, row| Int(row.service.tag.tag_id.0.into()),
    ),
    own(
        About::info(
            "cur_call_policy",
            "Policy for new calls when the row was last live: ALLOW or BLOCK; empty if the mode was never in force.",
        ),
        |_, row| {
            row.statistics
                .policy
                .map_or(Absent, |p| Text(policy_name(p)))
        },
    ),
    own(
        About::counter32("cur_call_count", "Sessions now; 0 once the mode is left."),
        |_, row| Int(row.statistics.cur_call_count.into()),
    ),
    own(
        About::counter32("max_call_count", "Most sessions in this mode."),
        |_, row| Int(row.statistics.max_call_count.into()),
    ),
    own(
        About::counter32(
            "last_lic_count",
            "Licenses last reported; 0 before the first report.",
        ),
        |_, row| digits(row.statistics.last_lic_count),
    ),
    own(
        About::counter32(
            "max_lic_count",
            "Most licenses reported; 0 before the first report.",
        ),
        |_, row| digits(row.statistics.max_lic_count),
    ),
    own(
        About::counter32(
            "policy_change_block_calls",
            "Times the policy changed to BLOCK.",
        ),
        |_, row| Int(row.statistics.policy_change_block),
    ),
];

impl Rows for SmartRows {
    type Row<'v> = SmartRow<'v>;
    const VARIABLES: &'static [Own<Self>] = VARIABLES;

    fn rows(view: &View) -> impl Iterator<Item = SmartRow<'_>> {
        let services = &view.node.services;
        let evaluation = services.iter().map(|service| SmartRow {
            mode: Mode::Evaluation,
            service,
            statistics: &service.tag.evaluation,
        });
        let registered = services.iter().map(|service| SmartRow {
            mode: Mode::Registered,
            service,
            statistics: &service.tag.registered,
        });
        evaluation.chain(registered)
    }
}

/// Numbers are digits there, as what reads the files of StarOS takes them for numbers.
fn digits(n: Option<impl Into<u64>>) -> Value<'static> {
    Int(n.map_or(0, Into::into))
}

pub(super) fn mode_name(mode: Mode) -> &'static str {
    match mode {
        Mode::Evaluation => "EVALUATION",
        Mode::Registered => "REGISTERED",
    }
}

pub(super) fn policy_name(policy: licensing::Policy) -> &'static str {
    match policy {
        licensing::Policy::Allow => "ALLOW",
        licensing::Policy::Block => "BLOCK",
    }
}
