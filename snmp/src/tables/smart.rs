//! Objects of CISCO-SMART-LIC-MIB, as of 2021-07-27, for which the node has the fact: the agent, what it asks for,
//! its registration and its authorization. Times are seconds since 1970 (UTC).
//!
//! Deliberately absent: what `absent.rs` lists, with its reasons.

use licensing::snapshot::TagRow;
use licensing::{AlarmKind, Compliance, TagRef};

use super::{Get, column, gauge, indexed, scalar, seconds, truth};
use crate::Value;
use crate::notifications::{EnforceMode, Mib, Object, Subject, admin, cisco, table};
use crate::objects::{Column, Group, Index, Row, Scalar, Syntax, Table};
use crate::view::{Attempts, Registered, Registration, View};

/// ciscoSlaMIBObjects.
const ROOT: [u32; 10] = [1, 3, 6, 1, 4, 1, 9, 9, 831, 0];

/// The one that ciscoSlaEntitlementNotifEnable is about; ciscoSlaGlobalNotifEnable is about all others.
const OF_ENTITLEMENT: &str = "ciscoSlaSmartAgentNotifyEntitlementEnforceMode";

const REGISTRATIONS: Syntax = Syntax::Named(&[
    ("notRegistered", 1),
    ("registrationInProgress", 2),
    ("registrationFailed", 3),
    ("registrationRetryinProgress", 4),
    ("registrationCompleted", 5),
]);

const EXPORTS: Syntax = Syntax::Named(&[("false", 0), ("true", 1)]);

/// All of them.
pub fn smart_licensing() -> Group<View> {
    let scalars = [
        node(),
        registration(),
        authorization(),
        evaluation(),
        enabled(),
        deregistration(),
    ];
    Group {
        root: ROOT.into(),
        scalars: scalars.into_iter().flatten().collect(),
        tables: vec![entitlements()],
    }
}

fn node() -> Vec<Scalar<View>> {
    vec![
        scalar(
            &[1],
            "ciscoSlaInstanceId",
            Syntax::Unsigned32,
            "Number of the agent: 1, a node has one.",
            |_| gauge(1),
        ),
        carried(&cisco::SUDI, |v| {
            Some((cisco::SUDI.value)(&Subject::node(&v.node)))
        }),
        scalar(
            &[3],
            "ciscoSlaVersion",
            Syntax::SnmpAdminString,
            "Version of the agent, which is the node's.",
            |v| {
                text(&format!(
                    "Smart Licensing Agent, Version {}",
                    v.node.node.version
                ))
            },
        ),
        scalar(
            &[4],
            "ciscoSlaEnabled",
            Syntax::TruthValue,
            "Smart licensing is enabled.",
            |v| truth(v.node.smart.enabled),
        ),
    ]
}

fn registration() -> Vec<Scalar<View>> {
    let mut all = vec![
        scalar(
            &[6, 1],
            "ciscoSlaRegistrationStatus",
            REGISTRATIONS,
            "Where the registration stands: registrationFailed until it is asked for again, registrationRetryinProgress once an attempt has failed.",
            |v| {
                let failed = v.agent.initial.failure.is_some();
                Some(Value::Integer(match v.agent.registration {
                    Registration::None => {
                        if failed {
                            3
                        } else {
                            1
                        }
                    }
                    Registration::InProgress => {
                        if failed {
                            4
                        } else {
                            2
                        }
                    }
                    Registration::Completed(_) => 5,
                }))
            },
        ),
        scalar(
            &[6, 2],
            "ciscoSlaVirtualAccount",
            Syntax::SnmpAdminString,
            "Name of the virtual account; not there if not registered.",
            |v| text(&registered(v)?.virtual_account),
        ),
        scalar(
            &[6, 3],
            "ciscoSlaNextCertificateExpireTime",
            Syntax::Unsigned32,
            "When the identity certificate ends; not there if not registered.",
            |v| seconds(registered(v)?.expires),
        ),
        scalar(
            &[6, 4],
            "ciscoSlaEnterpriseAccountName",
            Syntax::SnmpAdminString,
            "Name of the Smart Account; not there if not registered.",
            |v| text(&registered(v)?.smart_account),
        ),
        scalar(
            &[6, 5, 1],
            "ciscoSlaRegisterInitTime",
            Syntax::Unsigned32,
            "When registration was last tried, or began if that was before the process; not there if neither is known.",
            |v| {
                let began = || registered(v).map(|registered| registered.since);
                seconds(v.agent.initial.last.or_else(began)?)
            },
        ),
        scalar(
            &[6, 5, 2],
            "ciscoSlaRegisterSuccess",
            Syntax::TruthValue,
            "The last attempt at registration succeeded; not there if there was none, or the first is on its way.",
            |v| match (&v.agent.initial.failure, registered(v)) {
                (Some(_), _) => truth(false),
                (None, Some(_)) => truth(true),
                (None, None) => None,
            },
        ),
        scalar(
            &[6, 5, 3],
            "ciscoSlaRegisterFailureReason",
            Syntax::SnmpAdminString,
            "Why it failed; not there if it did not.",
            |v| text(v.agent.initial.failure.as_deref()?),
        ),
        scalar(
            &[6, 5, 4],
            "ciscoSlaRegisterNextRetryTime",
            Syntax::Unsigned32,
            "When registration is tried next; not there if that is not due.",
            |v| seconds(v.agent.initial.next?),
        ),
    ];
    all.extend([
        scalar(
            &[6, 6, 1],
            "ciscoSlaRenewInitTime",
            Syntax::Unsigned32,
            "When renewal of the identity certificate was last tried; not there if it was not since the process began.",
            |v| seconds(v.agent.renewal.last?),
        ),
        scalar(
            &[6, 6, 2],
            "ciscoSlaRenewSuccess",
            Syntax::TruthValue,
            "That renewal succeeded; not there if there was none.",
            |v| succeeded(&v.agent.renewal),
        ),
        scalar(
            &[6, 6, 3],
            "ciscoSlaRenewFailureReason",
            Syntax::SnmpAdminString,
            "Why it failed; not there if it did not.",
            |v| text(v.agent.renewal.failure.as_deref()?),
        ),
        scalar(
            &[6, 6, 4],
            "ciscoSlaRenewNextRetryTime",
            Syntax::Unsigned32,
            "When it is tried next; not there if none is due.",
            |v| seconds(v.agent.renewal.next?),
        ),
    ]);
    all
}

fn authorization() -> Vec<Scalar<View>> {
    vec![
        scalar(
            &[7, 1],
            "ciscoSlaAuthExpireTime",
            Syntax::Unsigned32,
            "When the authorization expires unless the authority is heard; not there if not registered, or not heard since the process began.",
            |v| seconds(v.agent.authorized_until?),
        ),
        scalar(
            &[7, 2],
            "ciscoSlaAuthComplianceStatus",
            Syntax::SnmpAdminString,
            "The worst standing of what is in use, as `show license status` words it; DISABLED while smart licensing is off.",
            |v| text(EnforceMode::overall(&v.node).words()),
        ),
        scalar(
            &[7, 3],
            "ciscoSlaAuthOOCStartTime",
            Syntax::Unsigned32,
            "Since when a tag is out of compliance, the first of them; not there if none is.",
            |v| seconds(out_of_compliance(v).min()?),
        ),
        scalar(
            &[7, 5, 1],
            "ciscoSlaAuthRenewInitTime",
            Syntax::Unsigned32,
            "When authorization was last asked for; not there if it was not since the process began.",
            |v| seconds(v.agent.authorization.last?),
        ),
        scalar(
            &[7, 5, 2],
            "ciscoSlaAuthRenewSuccess",
            Syntax::TruthValue,
            "That it was given; not there if it was not asked for.",
            |v| succeeded(&v.agent.authorization),
        ),
        scalar(
            &[7, 5, 3],
            "ciscoSlaAuthRenewFailureReason",
            Syntax::SnmpAdminString,
            "Why it was not; not there if it was.",
            |v| text(v.agent.authorization.failure.as_deref()?),
        ),
        scalar(
            &[7, 5, 4],
            "ciscoSlaAuthRenewNextRetryTime",
            Syntax::Unsigned32,
            "When it is asked for next; not there if that is not due.",
            |v| seconds(v.agent.authorization.next?),
        ),
    ]
}

fn evaluation() -> Vec<Scalar<View>> {
    vec![
        scalar(
            &[7, 4, 1],
            "ciscoSlaAuthEvalPeriodInUse",
            Syntax::TruthValue,
            "The evaluation clock runs now.",
            |v| truth(v.node.evaluation.running),
        ),
        scalar(
            &[7, 4, 2],
            "ciscoSlaAuthEvalExpiredTime",
            Syntax::Unsigned32,
            "When the evaluation period was used up; not there unless its alarm is outstanding.",
            |v| {
                let mut alarms = v.node.alarms.iter();
                let expired = alarms.find(|alarm| alarm.kind == AlarmKind::EvaluationExpired);
                seconds(expired?.raised)
            },
        ),
        scalar(
            &[7, 4, 3],
            "ciscoSlaAuthEvalPeriodLeft",
            Syntax::Unsigned32,
            "License time that is left of the evaluation, in seconds.",
            |v| gauge(v.node.evaluation.remaining_s),
        ),
    ]
}

fn enabled() -> Vec<Scalar<View>> {
    vec![
        scalar(
            &[8, 1],
            "ciscoSlaGlobalNotifEnable",
            Syntax::TruthValue,
            "Of the notifications of this MIB other than ciscoSlaSmartAgentNotifyEntitlementEnforceMode not all are suppressed; it can't be set.",
            |v| truth(is_told(v, false)),
        ),
        scalar(
            &[8, 2],
            "ciscoSlaEntitlementNotifEnable",
            Syntax::TruthValue,
            "ciscoSlaSmartAgentNotifyEntitlementEnforceMode is not suppressed; it can't be set.",
            |v| truth(is_told(v, true)),
        ),
    ]
}

fn deregistration() -> Vec<Scalar<View>> {
    fn failed(view: &View, object: &Object) -> Option<Value> {
        let text = view.agent.deregistration.failure.as_deref()?;
        let subject = Subject::node(&view.node);
        Some((object.value)(&Subject { text, ..subject }))
    }
    vec![
        carried(&cisco::FAILURE_REASON, |v| {
            failed(v, &cisco::FAILURE_REASON)
        }),
        carried(&cisco::DEREGISTER_MESSAGE, |v| {
            failed(v, &cisco::DEREGISTER_MESSAGE)
        }),
    ]
}

fn entitlements() -> Table<View> {
    use Syntax::{SnmpAdminString, Unsigned32};
    Table {
        name: "ciscoSlaEntitlementInfoTable",
        entry: "ciscoSlaEntitlementInfoEntry",
        arcs: &[5, 1],
        index: &["ciscoSlaEntitlementInfoIndex"],
        help: "Entitlements that are asked for, or have a standing.",
        rows: asked_for,
        columns: vec![
            indexed(
                1,
                "ciscoSlaEntitlementInfoIndex",
                Unsigned32,
                "Place of the tag from 1 among services, then features.",
            ),
            carried_column(&cisco::REQUEST_COUNT, |v, n| {
                of_tag(v, n, &cisco::REQUEST_COUNT)
            }),
            carried_column(&cisco::TAG, |v, n| of_tag(v, n, &cisco::TAG)),
            carried_column(&cisco::VERSION, |v, n| of_tag(v, n, &cisco::VERSION)),
            carried_column(&cisco::ENFORCE_MODE, |v, n| {
                of_tag(v, n, &cisco::ENFORCE_MODE)
            }),
            column(
                6,
                "ciscoSlaEntitlementDescription",
                SnmpAdminString,
                "What it licenses.",
                |v, n| text(&tag_row(v, n)?.tag().description),
            ),
            column(
                7,
                "ciscoSlaEntitlementFeatureName",
                SnmpAdminString,
                "Name of the service or feature.",
                |v, n| text(&tag_row(v, n)?.tag().name),
            ),
            column(
                8,
                "ciscoSlaEntitlementExportAllowed",
                EXPORTS,
                "True: none is restricted in export.",
                |_, _| Some(Value::Integer(1)),
            ),
        ],
    }
}

/// A scalar that notifications carry, too: of one row.
fn carried(object: &Object, value: fn(&View) -> Option<Value>) -> Scalar<View> {
    scalar(object.arcs, object.name, object.syntax, object.help, value)
}

/// A column that notifications carry, too: of one row.
fn carried_column(object: &Object, value: Get) -> Column<View> {
    let arc = object.arcs.last().copied().unwrap_or_default();
    column(arc, object.name, object.syntax, object.help, value)
}

fn of_tag(view: &View, place: usize, object: &Object) -> Option<Value> {
    let row = tag_row(view, place)?;
    let tag = match row {
        TagRow::Service(service) => TagRef::Service(service.service),
        TagRow::Feature(feature) => TagRef::Feature(feature.feature),
    };
    let subject = Subject {
        tag: Some(tag),
        compliance: row.tag().compliance,
        ..Subject::node(&view.node)
    };
    Some((object.value)(&subject))
}

/// A row has the place of its tag in the snapshot, so that it is the one that notifications name.
fn asked_for(view: &View) -> Vec<Row> {
    let all = view.node.rows().zip(1..).enumerate();
    let there = all.filter(|(_, (row, _))| {
        let tag = row.tag();
        tag.licenses.0 > 0 || tag.compliance.is_some()
    });
    let rows = there.map(|(key, (_, place))| Row {
        index: Index::of(place),
        key,
    });
    rows.collect()
}

fn tag_row(view: &View, place: usize) -> Option<TagRow<'_>> {
    view.node.rows().nth(place)
}

fn registered(view: &View) -> Option<&Registered> {
    match &view.agent.registration {
        Registration::Completed(registered) => Some(registered),
        Registration::None | Registration::InProgress => None,
    }
}

fn succeeded(attempts: &Attempts) -> Option<Value> {
    attempts.last?;
    truth(attempts.failure.is_none())
}

fn out_of_compliance(view: &View) -> impl Iterator<Item = licensing::Wall> {
    view.node
        .rows()
        .filter_map(|row| match row.tag().compliance? {
            Compliance::OutOfCompliance { since } => Some(since),
            Compliance::Waiting
            | Compliance::Authorized
            | Compliance::InvalidTag
            | Compliance::AuthorizationExpired
            | Compliance::Evaluation
            | Compliance::EvaluationExpired => None,
        })
}

/// Whether one of the notifications of this MIB is not suppressed: that of entitlements, or of the others.
fn is_told(view: &View, entitlement: bool) -> bool {
    let all = table().filter(|(_, row)| row.mib == Mib::CiscoSmartLic);
    let mut these = all.filter(|(_, row)| (row.name == OF_ENTITLEMENT) == entitlement);
    these.any(|(which, _)| !view.told.suppressed.contains(&which))
}

fn text(text: &str) -> Option<Value> {
    Some(admin(text))
}
