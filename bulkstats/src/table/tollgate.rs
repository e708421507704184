//! Schema `tollgate-license`: what StarOS has no variable for, a row a service and feature (rule L15).

use licensing::Compliance;
use licensing::snapshot::{ServiceStatus, TagRow};

use super::smart::policy_name;
use super::{About, Own, Rows, count, own, seconds, truth};
use crate::value::Value::{self, Absent, Int, Text, Thousandths};
use crate::view::{View, state_name};

pub(crate) struct TollgateRows;

const VARIABLES: &[Own<TollgateRows>] = &[
    own(
        About::info("kind", "service or feature; they share small numbers.").key(),
        |_, row| {
            Text(match row {
                TagRow::Service(_) => "service",
                TagRow::Feature(_) => "feature",
            })
        },
    ),
    own(
        About::number("tagid", "Small number of the tag.").key(),
        |_, row| Int(row.tag().tag_id.0.into()),
    ),
    own(About::info("name", "Short name.").label(), |_, row| {
        Text(&row.tag().name)
    }),
    own(
        About::truth("in_use", "1: a session holds it or a feature is enabled."),
        |_, row| truth(row.tag().in_use),
    ),
    own(
        About::info(
            "compliance",
            "Its standing with the authority; empty if it is not in use.",
        ),
        |_, row| row.tag().compliance.map_or(Absent, |c| Text(standing(c))),
    ),
    own(About::info("policy", "ALLOW or BLOCK."), |_, row| {
        Text(policy_name(row.tag().policy))
    }),
    own(
        About::info("state", "ALLOW, ALLOW-AT-LIMIT or BLOCK."),
        |_, row| Text(state_name(row.tag().state)),
    ),
    own(
        About::time("since", "Since when the state holds."),
        |_, row| seconds(Some(row.tag().since)),
    ),
    own(
        About::gauge("sessions", "Sessions, or calls that use the feature, now."),
        |_, row| Int(row.sessions().0.into()),
    ),
    own(
        About::gauge(
            "priority_sessions",
            "Of these, admitted as priority calls; services only.",
        ),
        |_, row| of_service(row, |service| Int(service.priority_sessions.0.into())),
    ),
    own(
        About::gauge(
            "emergency_sessions",
            "Emergency sessions now, which hold no license; services only.",
        ),
        |v, row| of_service(row, |s| Int(v.plane.emergency_of(s.service))),
    ),
    own(
        About::gauge(
            "peak",
            "Most sessions since the process began; services only.",
        ),
        |_, row| of_service(row, |service| Int(service.peak.0.into())),
    ),
    own(
        About::gauge("licenses", "Licenses that the use takes."),
        |_, row| Int(row.tag().licenses.0.into()),
    ),
    own(
        About::gauge("granted", "Licenses granted; empty without a grant."),
        |_, row| count(row.tag().entitlement.map(|grant| grant.licenses.0)),
    ),
    own(
        About::gauge(
            "ceiling",
            "Sessions that it may hold; empty if unlimited, and for features.",
        ),
        |_, row| of_service(row, |service| count(service.ceiling.map(|c| c.0))),
    ),
    own(
        About::gauge(
            "headroom",
            "Sessions left below the ceiling; empty without one.",
        ),
        |_, row| {
            of_service(row, |service| {
                let left = service
                    .ceiling
                    .map(|c| c.0.saturating_sub(service.sessions.0));
                count(left)
            })
        },
    ),
    own(
        About::float("ceiling_use", "Use of the ceiling; empty without one.").unit("%"),
        |_, row| of_service(row, ceiling_use),
    ),
    own(
        About::gauge(
            "grace_left",
            "Grace left, of license time; empty without an episode or grace.",
        )
        .unit("s"),
        |_, row| count(row.tag().grace_left_s),
    ),
    own(
        About::counter(
            "refused_blocked",
            "New calls refused: its policy was Block.",
        ),
        |_, row| Int(row.tag().refused.blocked),
    ),
    own(
        About::counter("refused_at_ceiling", "New calls refused: at the ceiling."),
        |_, row| Int(row.tag().refused.at_ceiling),
    ),
    own(
        About::counter(
            "refused_low_priority",
            "New calls of low access priority refused: near the ceiling.",
        ),
        |_, row| Int(row.tag().refused.low_priority),
    ),
    own(
        About::counter(
            "refused_unsettled",
            "New calls refused: a worker stood still with credit in hand.",
        ),
        |_, row| Int(row.tag().refused.unsettled),
    ),
    own(
        About::counter(
            "refused_by_feature",
            "New calls of the service refused: a feature's policy was Block.",
        ),
        |_, row| Int(row.tag().refused.by_feature),
    ),
    own(
        About::counter(
            "refused_subscribers",
            "Distinct subscribers refused; a retry within a minute is one.",
        ),
        |_, row| Int(row.tag().refused.subscribers),
    ),
    own(
        About::counter(
            "let_through",
            "New calls that an order let through though it would be blocked.",
        ),
        |_, row| Int(row.tag().let_through),
    ),
    own(
        About::gauge(
            "drift",
            "Counter and session table differ by so many, whichever has more; empty until counted.",
        ),
        |_, row| count(row.tag().drift.map(i64::unsigned_abs)),
    ),
    own(
        About::time("proved", "When the drift was last found; empty: not yet."),
        |_, row| seconds(row.tag().proved),
    ),
    own(
        About::gauge("evaluation_calls", "Sessions now, by mode EVALUATION."),
        |_, row| Int(row.tag().evaluation.cur_call_count.into()),
    ),
    own(
        About::gauge("evaluation_calls_max", "Most sessions in that mode."),
        |_, row| Int(row.tag().evaluation.max_call_count.into()),
    ),
    own(
        About::gauge(
            "evaluation_licenses_last",
            "Licenses last reported in that mode; empty before the first report.",
        ),
        |_, row| count(row.tag().evaluation.last_lic_count),
    ),
    own(
        About::gauge(
            "evaluation_licenses_max",
            "Most licenses reported in that mode, likewise.",
        ),
        |_, row| count(row.tag().evaluation.max_lic_count),
    ),
    own(
        About::counter(
            "evaluation_report_success",
            "Reports that the agent took in that mode; empty without an agent.",
        ),
        |_, row| count(row.tag().evaluation.report_success),
    ),
    own(
        About::counter(
            "evaluation_report_failure",
            "Reports that it did not take, likewise.",
        ),
        |_, row| count(row.tag().evaluation.report_failure),
    ),
    own(
        About::counter("evaluation_to_allow", "Changes of the policy to Allow."),
        |_, row| Int(row.tag().evaluation.policy_change_allow),
    ),
    own(
        About::counter("evaluation_to_block", "Changes of the policy to Block."),
        |_, row| Int(row.tag().evaluation.policy_change_block),
    ),
    own(
        About::counter(
            "evaluation_bounced",
            "Changes whose seal of all workers took over 100 ms.",
        ),
        |_, row| Int(row.tag().evaluation.policy_change_bounce),
    ),
    own(
        About::gauge("registered_calls", "Sessions now, by mode REGISTERED."),
        |_, row| Int(row.tag().registered.cur_call_count.into()),
    ),
    own(
        About::gauge("registered_calls_max", "Most sessions in that mode."),
        |_, row| Int(row.tag().registered.max_call_count.into()),
    ),
    own(
        About::gauge(
            "registered_licenses_last",
            "Licenses last reported in that mode; empty before the first report.",
        ),
        |_, row| count(row.tag().registered.last_lic_count),
    ),
    own(
        About::gauge(
            "registered_licenses_max",
            "Most licenses reported in that mode, likewise.",
        ),
        |_, row| count(row.tag().registered.max_lic_count),
    ),
    own(
        About::counter(
            "registered_report_success",
            "Reports that the agent took in that mode; empty without an agent.",
        ),
        |_, row| count(row.tag().registered.report_success),
    ),
    own(
        About::counter(
            "registered_report_failure",
            "Reports that it did not take, likewise.",
        ),
        |_, row| count(row.tag().registered.report_failure),
    ),
    own(
        About::counter("registered_to_allow", "Changes of the policy to Allow."),
        |_, row| Int(row.tag().registered.policy_change_allow),
    ),
    own(
        About::counter("registered_to_block", "Changes of the policy to Block."),
        |_, row| Int(row.tag().registered.policy_change_block),
    ),
    own(
        About::counter(
            "registered_bounced",
            "Changes whose seal of all workers took over 100 ms.",
        ),
        |_, row| Int(row.tag().registered.policy_change_bounce),
    ),
];

impl Rows for TollgateRows {
    type Row<'v> = TagRow<'v>;
    const VARIABLES: &'static [Own<Self>] = VARIABLES;

    fn rows(view: &View) -> impl Iterator<Item = TagRow<'_>> {
        view.node.rows()
    }
}

fn of_service<'v>(row: TagRow<'v>, of: impl Fn(&'v ServiceStatus) -> Value<'v>) -> Value<'v> {
    match row {
        TagRow::Service(service) => of(service),
        TagRow::Feature(_) => Absent,
    }
}

/// In percent; a ceiling of 0 is all in use.
fn ceiling_use(service: &ServiceStatus) -> Value<'_> {
    let sessions = u64::from(service.sessions.0);
    match service.ceiling.map(|ceiling| u64::from(ceiling.0)) {
        None => Absent,
        Some(0) => Thousandths(100_000),
        Some(ceiling) => Thousandths(sessions * 100_000 / ceiling),
    }
}

fn standing(compliance: Compliance) -> &'static str {
    match compliance {
        Compliance::Waiting => "waiting",
        Compliance::Authorized => "authorized",
        Compliance::OutOfCompliance { .. } => "out-of-compliance",
        Compliance::InvalidTag => "invalid-tag",
        Compliance::AuthorizationExpired => "authorization-expired",
        Compliance::Evaluation => "evaluation",
        Compliance::EvaluationExpired => "evaluation-expired",
    }
}
