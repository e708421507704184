//! Services and features: their state, their statistics for each mode, their ties.

use licensing::catalog::Tie;
use licensing::snapshot::{ModeStatistics, TagRow};
use licensing::{FeatureIndex, Mode, ServiceIndex};

use super::{KINDS, STANDINGS, column, gauge, indexed, rows, signed, text, truth};
use crate::Value;
use crate::notifications::{
    EnforceMode, MODES, POLICIES, STATES, mode_number, policy_number, state_number,
};
use crate::objects::{Index, Syntax, Table};
use crate::view::View;

pub(super) fn tags() -> Table<View> {
    Table {
        name: "tgTagTable",
        entry: "tgTagEntry",
        arcs: &[3],
        index: &["tgTagKind", "tgTagId"],
        help: "Every service and feature of the catalog.",
        rows: |v| rows(v.node.rows().map(|row| tag_index(&row))),
        columns: vec![
            indexed(1, "tgTagKind", KINDS, "Service or feature."),
            indexed(
                2,
                "tgTagId",
                Syntax::Unsigned32,
                "Small number of the tag, unique among its kind.",
            ),
            column(
                3,
                "tgTagName",
                Syntax::DisplayString,
                "Its name.",
                |v, n| text(&row(v, n)?.tag().name),
            ),
            column(
                4,
                "tgTagEntitlement",
                Syntax::DisplayString,
                "The entitlement tag.",
                |v, n| text(row(v, n)?.tag().tag.as_str()),
            ),
            column(
                5,
                "tgTagInUse",
                Syntax::TruthValue,
                "A session holds it, or the feature is enabled.",
                |v, n| truth(row(v, n)?.tag().in_use),
            ),
            column(6, "tgTagCompliance", STANDINGS, "Its standing.", |v, n| {
                let standing = row(v, n)?.tag().compliance.map(EnforceMode::from);
                Some(Value::Integer(standing.map_or(16, EnforceMode::number)))
            }),
            column(
                7,
                "tgTagPolicy",
                POLICIES,
                "The verdict on its new calls.",
                |v, n| Some(Value::Integer(policy_number(row(v, n)?.tag().policy))),
            ),
            column(
                8,
                "tgTagState",
                STATES,
                "What becomes of its new calls.",
                |v, n| Some(Value::Integer(state_number(row(v, n)?.tag().state))),
            ),
            column(
                9,
                "tgTagSessions",
                Syntax::Gauge32,
                "Sessions that use it.",
                |v, n| gauge(row(v, n)?.sessions().0.into()),
            ),
            column(
                10,
                "tgTagLicenses",
                Syntax::Gauge32,
                "Licenses that these take.",
                |v, n| gauge(row(v, n)?.tag().licenses.0.into()),
            ),
            column(
                11,
                "tgTagGranted",
                Syntax::Gauge32,
                "Licenses granted; not there without a grant.",
                |v, n| gauge(row(v, n)?.tag().entitlement?.licenses.0.into()),
            ),
            column(
                12,
                "tgTagCeiling",
                Syntax::Gauge32,
                "Sessions that a service may hold; not there without a ceiling.",
                |v, n| match row(v, n)? {
                    TagRow::Service(service) => gauge(service.ceiling?.0.into()),
                    TagRow::Feature(_) => None,
                },
            ),
            column(
                13,
                "tgTagGraceLeft",
                Syntax::Gauge32,
                "License time of grace that is left, in seconds; not there without an episode.",
                |v, n| gauge(row(v, n)?.tag().grace_left_s?),
            ),
            column(
                14,
                "tgTagRefusedBlocked",
                Syntax::Counter64,
                "New calls refused by its policy.",
                |v, n| Some(Value::Counter64(row(v, n)?.tag().refused.blocked)),
            ),
            column(
                15,
                "tgTagRefusedCeiling",
                Syntax::Counter64,
                "New calls refused at its ceiling.",
                |v, n| Some(Value::Counter64(row(v, n)?.tag().refused.at_ceiling)),
            ),
            column(
                16,
                "tgTagRefusedLow",
                Syntax::Counter64,
                "New calls of low access priority refused near its ceiling.",
                |v, n| Some(Value::Counter64(row(v, n)?.tag().refused.low_priority)),
            ),
            column(
                17,
                "tgTagRefusedByFeature",
                Syntax::Counter64,
                "New calls of a service refused by the block of a feature.",
                |v, n| Some(Value::Counter64(row(v, n)?.tag().refused.by_feature)),
            ),
            column(
                18,
                "tgTagRefusedSubscribers",
                Syntax::Counter64,
                "Distinct subscribers refused; a retry within a minute is one.",
                |v, n| Some(Value::Counter64(row(v, n)?.tag().refused.subscribers)),
            ),
            column(
                19,
                "tgTagDrift",
                Syntax::Integer32,
                "Counter less session table at the last recount; not there before the first.",
                |v, n| signed(row(v, n)?.tag().drift?),
            ),
        ],
    }
}

pub(super) fn modes() -> Table<View> {
    Table {
        name: "tgModeTable",
        entry: "tgModeEntry",
        arcs: &[4],
        index: &["tgTagKind", "tgTagId", "tgModeOf"],
        help: "Statistics of every service and feature, apart for each mode of the node; those of a mode that was left are \
               frozen.",
        rows: |v| {
            let both = [Mode::Evaluation, Mode::Registered];
            let each = |row: TagRow<'_>| {
                both.map(|mode| tag_index(&row).number(mode_number(mode).unsigned_abs()))
            };
            rows(v.node.rows().flat_map(each))
        },
        columns: vec![
            indexed(1, "tgModeOf", MODES, "The mode."),
            column(
                2,
                "tgModePolicy",
                POLICIES,
                "The policy when this was last current; not there if the mode never was.",
                |v, n| Some(Value::Integer(policy_number(mode(v, n)?.policy?))),
            ),
            column(
                3,
                "tgModeCurCallCnt",
                Syntax::Gauge32,
                "Sessions now; 0 once the mode is left.",
                |v, n| gauge(mode(v, n)?.cur_call_count.into()),
            ),
            column(
                4,
                "tgModeMaxCallCnt",
                Syntax::Gauge32,
                "Most sessions in this mode.",
                |v, n| gauge(mode(v, n)?.max_call_count.into()),
            ),
            column(
                5,
                "tgModeLastLicCnt",
                Syntax::Gauge32,
                "Licenses last reported; not there before a report.",
                |v, n| gauge(mode(v, n)?.last_lic_count?.into()),
            ),
            column(
                6,
                "tgModeMaxLicCnt",
                Syntax::Gauge32,
                "Most licenses reported; not there before a report.",
                |v, n| gauge(mode(v, n)?.max_lic_count?.into()),
            ),
            column(
                7,
                "tgModeReportSucc",
                Syntax::Counter64,
                "Reports of the node that its agent took.",
                |v, n| Some(Value::Counter64(mode(v, n)?.report_success?)),
            ),
            column(
                8,
                "tgModeReportFail",
                Syntax::Counter64,
                "Reports that it did not take.",
                |v, n| Some(Value::Counter64(mode(v, n)?.report_failure?)),
            ),
            column(
                9,
                "tgModePChgAllow",
                Syntax::Counter64,
                "Changes of the policy to allow.",
                |v, n| Some(Value::Counter64(mode(v, n)?.policy_change_allow)),
            ),
            column(
                10,
                "tgModePChgBlock",
                Syntax::Counter64,
                "Changes of the policy to block.",
                |v, n| Some(Value::Counter64(mode(v, n)?.policy_change_block)),
            ),
            column(
                11,
                "tgModePChgBounce",
                Syntax::Counter64,
                "Changes of the policy whose seal took more than 100 ms.",
                |v, n| Some(Value::Counter64(mode(v, n)?.policy_change_bounce)),
            ),
        ],
    }
}

pub(super) fn ties() -> Table<View> {
    Table {
        name: "tgTieTable",
        entry: "tgTieEntry",
        arcs: &[5],
        index: &["tgTieFeature", "tgTieService"],
        help: "Which features are tied to which services.",
        rows: |v| {
            let each = all_ties(v).map(|(feature, service)| {
                let feature = v
                    .node
                    .features
                    .get(feature.at())
                    .map_or(0, |f| f.tag.tag_id.0);
                let service = v
                    .node
                    .services
                    .get(service.at())
                    .map_or(0, |s| s.tag.tag_id.0);
                Index::of(feature.into()).number(service.into())
            });
            rows(each)
        },
        columns: vec![
            indexed(
                1,
                "tgTieFeature",
                Syntax::Unsigned32,
                "tgTagId of the feature.",
            ),
            indexed(
                2,
                "tgTieService",
                Syntax::Unsigned32,
                "tgTagId of the service.",
            ),
            column(
                3,
                "tgTieOf",
                Syntax::Named(&[("service", 1), ("call", 2)]),
                "A block of the feature refuses every new call of the service, or only calls that bring it.",
                |v, n| {
                    let (feature, _) = all_ties(v).nth(n)?;
                    Some(Value::Integer(
                        match v.node.features.get(feature.at())?.tie {
                            Tie::Service => 1,
                            Tie::Call => 2,
                        },
                    ))
                },
            ),
        ],
    }
}

fn row(view: &View, place: usize) -> Option<TagRow<'_>> {
    view.node.rows().nth(place)
}

fn tag_index(row: &TagRow<'_>) -> Index {
    let kind = match row {
        TagRow::Service(_) => 1,
        TagRow::Feature(_) => 2,
    };
    Index::of(kind).number(row.tag().tag_id.0.into())
}

/// Two rows a tag: evaluation, registered.
fn mode(view: &View, place: usize) -> Option<&ModeStatistics> {
    let tag = row(view, place / 2)?.tag();
    Some(match place % 2 {
        0 => &tag.evaluation,
        _ => &tag.registered,
    })
}

fn all_ties(view: &View) -> impl Iterator<Item = (FeatureIndex, ServiceIndex)> {
    let features = view.node.features.iter();
    features.flat_map(|row| row.services.iter().map(|service| (row.feature, *service)))
}
