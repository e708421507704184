//! CISCO-SMART-LIC-MIB: the notifications of its revision of 2021-07-21 for which the node has the fact.

use licensing::snapshot::TagRow;

use super::objects::{Object, Place, Subject, Syntax, compliance, display, sudi};
use super::{Kind, Mib, NotificationType, Severity};
use crate::Value;

const fn object(
    name: &'static str,
    arcs: &'static [u32],
    place: Place,
    syntax: Syntax,
    help: &'static str,
    value: fn(&Subject<'_>) -> Value,
) -> Object {
    Object {
        name,
        mib: Mib::CiscoSmartLic,
        arcs,
        place,
        syntax,
        help,
        value,
    }
}

static SUDI: Object = object(
    "ciscoSlaSUDIInfo",
    &[2],
    Place::Scalar,
    Syntax::Text,
    "The device: `PID:<product identifier>,SN:<serial number>`.",
    sudi,
);
static REQUEST_COUNT: Object = object(
    "ciscoSlaEntitlementRequestCount",
    &[5, 1, 1, 2],
    Place::Tag,
    Syntax::Unsigned,
    "Licenses that are asked for.",
    |subject| Value::Gauge32(subject.row().map_or(0, |row| row.tag().licenses.0)),
);
static TAG: Object = object(
    "ciscoSlaEntitlementTag",
    &[5, 1, 1, 3],
    Place::Tag,
    Syntax::Text,
    "The entitlement tag.",
    |subject| display(subject.row().map_or("", |row| row.tag().tag.as_str())),
);
static VERSION: Object = object(
    "ciscoSlaEntitlementVersion",
    &[5, 1, 1, 4],
    Place::Tag,
    Syntax::Text,
    "Version, which the tag names.",
    |subject| display(subject.row().map_or("", |row| entitlement_version(row))),
);
static ENFORCE_MODE: Object = object(
    "ciscoSlaEntitlementEnforceMode",
    &[5, 1, 1, 5],
    Place::Tag,
    Syntax::Named(ENFORCE_MODES),
    "Its standing; of the node as a whole, with instance 0, the worst of what is in use.",
    compliance,
);
static FAILURE_REASON: Object = object(
    "ciscoSlaFailureReason",
    &[9, 1],
    Place::Scalar,
    Syntax::Named(&[("deRegisterFailure", 3)]),
    "Always deRegisterFailure.",
    |_| Value::Integer(3),
);
static DEREGISTER_MESSAGE: Object = object(
    "ciscoSlaDeRegisterFailureMsg",
    &[9, 2],
    Place::Scalar,
    Syntax::Text,
    "Why.",
    |subject| display(subject.text),
);

const ENFORCE_MODES: &[(&str, i32)] = &[
    ("waiting", 2),
    ("authorized", 3),
    ("outOfCompliance", 4),
    ("evaluationPeriod", 6),
    ("evaluationExpired", 7),
    ("authorizationExpired", 8),
    ("invalidTag", 12),
    ("notInUse", 16),
];

/// What stands between the comma and the underscore of a tag.
pub(crate) fn entitlement_version(row: TagRow<'_>) -> &str {
    let tag = row.tag().tag.as_str();
    let after = tag.split_once(',').map_or("", |(_, after)| after);
    after.split_once('_').map_or(after, |(version, _)| version)
}

const fn row(
    number: u32,
    name: &'static str,
    severity: Severity,
    objects: &'static [&'static Object],
    [cause, action]: [&'static str; 2],
) -> NotificationType {
    NotificationType {
        name,
        mib: Mib::CiscoSmartLic,
        number,
        kind: Kind::Event,
        severity,
        objects,
        cause,
        clears: "",
        action,
    }
}

const NOTHING: &str = "Nothing.";
const NODE: &[&Object] = &[&SUDI];

/// By number. None of them is a condition: what lasts is a row of another MIB.
pub(super) static ROWS: &[NotificationType] = &[
    row(
        1,
        "ciscoSlaSmartAgentNotifyEnforcementMode",
        Severity::Informational,
        &[&SUDI, &ENFORCE_MODE],
        [
            "The worst standing of what is in use is another than before; told at the start too.",
            "Look at `show license enforcement policy`.",
        ],
    ),
    row(
        2,
        "ciscoSlaSmartAgentNotifyReady",
        Severity::Informational,
        NODE,
        ["The node has started.", NOTHING],
    ),
    row(
        3,
        "ciscoSlaSmartAgentNotifyEnabled",
        Severity::Informational,
        NODE,
        ["Smart licensing was enabled.", NOTHING],
    ),
    row(
        4,
        "ciscoSlaSmartAgentNotifyDisabled",
        Severity::Warning,
        NODE,
        [
            "Smart licensing was disabled: the last verdicts hold, and nothing is reported.",
            "Enable it again, unless it was meant: `license smart enable`.",
        ],
    ),
    row(
        5,
        "ciscoSlaSmartAgentNotifyRegisterFailed",
        Severity::Major,
        NODE,
        [
            "A registration failed.",
            "Look at `show license status` for the cause; get a new token if this one has expired.",
        ],
    ),
    row(
        6,
        "ciscoSlaSmartAgentNotifyRegisterSuccess",
        Severity::Informational,
        NODE,
        ["A registration succeeded.", NOTHING],
    ),
    row(
        7,
        "ciscoSlaSmartAgentNotifyIdCertExpired",
        Severity::Major,
        NODE,
        [
            "The identity certificate is not used any more: the date was outside of its validity for an hour.",
            "Correct the clock; register anew if the certificate has really expired.",
        ],
    ),
    row(
        8,
        "ciscoSlaSmartAgentNotifyIdCertRenewSuccess",
        Severity::Informational,
        NODE,
        ["The identity certificate was renewed.", NOTHING],
    ),
    row(
        9,
        "ciscoSlaSmartAgentNotifyIdCertRenewFail",
        Severity::Minor,
        NODE,
        [
            "The identity certificate was not renewed; it is tried again.",
            "Look at `show license status` for the cause.",
        ],
    ),
    row(
        10,
        "ciscoSlaSmartAgentNotifyAuthRenewSuccess",
        Severity::Informational,
        NODE,
        ["The authorization was renewed.", NOTHING],
    ),
    row(
        11,
        "ciscoSlaSmartAgentNotifyAuthRenewFail",
        Severity::Minor,
        NODE,
        [
            "The authorization was not renewed; it is tried again.",
            "Look at `show license status` for the cause.",
        ],
    ),
    row(
        12,
        "ciscoSlaSmartAgentNotifyCommunicationFailure",
        Severity::Minor,
        NODE,
        [
            "The first message in a row to the license authority got no answer.",
            "Wait for starSmartLicenseCSSMConntectionFail, which comes if the next ones get none either.",
        ],
    ),
    row(
        13,
        "ciscoSlaSmartAgentNotifyCommunicationRestored",
        Severity::Informational,
        NODE,
        ["The first message after that got an answer.", NOTHING],
    ),
    row(
        15,
        "ciscoSlaSmartAgentNotifyEntitlementEnforceMode",
        Severity::Informational,
        &[&REQUEST_COUNT, &TAG, &VERSION, &ENFORCE_MODE, &SUDI],
        [
            "The standing of a tag changed.",
            "Look at `show license enforcement policy`.",
        ],
    ),
    row(
        16,
        "ciscoSlaSmartAgentNotifyIdCertOutOfRange",
        Severity::Major,
        NODE,
        [
            "The date is outside of the identity certificate's validity.",
            "Correct the clock within the hour.",
        ],
    ),
    row(
        17,
        "ciscoSlaSmartAgentNotifySystemClockChanged",
        Severity::Minor,
        NODE,
        [
            "The wall clock jumped by more than five minutes. No license clock follows it.",
            "Look after the node's source of time.",
        ],
    ),
    row(
        18,
        "ciscoSlaSmartAgentNotifyEvalExpiryWarning",
        Severity::Warning,
        NODE,
        [
            "The evaluation period ends in 60, 30, 21, 14 or 7 days, or less.",
            "Register the node: `license smart register idtoken`.",
        ],
    ),
    row(
        19,
        "ciscoSlaSmartAgentNotifyEvalExpired",
        Severity::Critical,
        NODE,
        [
            "The evaluation period is used up.",
            "Register the node: `license smart register idtoken`.",
        ],
    ),
    row(
        21,
        "ciscoSlaSmartAgentNotifyDeRegisterSuccess",
        Severity::Warning,
        NODE,
        [
            "The registration has ended: the node runs in what is left of its evaluation.",
            "Register the node again, unless it was meant.",
        ],
    ),
    row(
        22,
        "ciscoSlaSmartAgentNotifyDeRegisterFailed",
        Severity::Minor,
        &[&SUDI, &FAILURE_REASON, &DEREGISTER_MESSAGE],
        [
            "A deregistration failed: the license authority was not told.",
            "Remove the product instance at the authority, so that its licenses come back.",
        ],
    ),
];
