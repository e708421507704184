//! CISCO-SMART-LIC-MIB: the notifications for which the node has the fact, as of 2021-07-27, and what they carry,
//! which the agent's table takes from here.

use super::enforce_mode::{ENFORCE_MODES, EnforceMode};
use super::objects::{Object, Place, Subject, admin};
use super::{Kind, Mib, NotificationType, Severity};
use crate::Value;
use crate::objects::Syntax;

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

/// The device.
pub static SUDI: Object = object(
    "ciscoSlaSUDIInfo",
    &[2],
    Place::Scalar,
    Syntax::SnmpAdminString,
    "The device: `PID:<product identifier>,SN:<serial number>`.",
    |subject| {
        let node = &subject.snapshot.node;
        admin(&format!("PID:{},SN:{}", node.pid, node.serial))
    },
);
/// Licenses that are asked for.
pub static REQUEST_COUNT: Object = object(
    "ciscoSlaEntitlementRequestCount",
    &[5, 1, 1, 2],
    Place::Tag,
    Syntax::Unsigned32,
    "Licenses that are asked for.",
    |subject| Value::Gauge32(subject.row().map_or(0, |row| row.tag().licenses.0)),
);
/// The tag.
pub static TAG: Object = object(
    "ciscoSlaEntitlementTag",
    &[5, 1, 1, 3],
    Place::Tag,
    Syntax::SnmpAdminString,
    "The entitlement tag.",
    |subject| admin(tag(subject)),
);
/// What stands between the comma and the underscore of a tag.
pub static VERSION: Object = object(
    "ciscoSlaEntitlementVersion",
    &[5, 1, 1, 4],
    Place::Tag,
    Syntax::SnmpAdminString,
    "Version, which the tag names.",
    |subject| {
        let after = tag(subject).split_once(',').map_or("", |(_, after)| after);
        admin(after.split_once('_').map_or(after, |(version, _)| version))
    },
);
/// What is enforced.
pub static ENFORCE_MODE: Object = object(
    "ciscoSlaEntitlementEnforceMode",
    &[5, 1, 1, 5],
    Place::Tag,
    ENFORCE_MODES,
    "Its standing; of the node as a whole, which notifications alone carry, with instance 0: the worst of what is in use, initialized if nothing is. Disabled while smart licensing is off.",
    |subject| Value::Integer(EnforceMode::of(subject).number()),
);
/// Why a registration could not be ended, in kind.
pub static FAILURE_REASON: Object = object(
    "ciscoSlaFailureReason",
    &[9, 1],
    Place::Scalar,
    Syntax::Named(&[
        ("invalid", 0),
        ("alreadyRegistered", 1),
        ("dailyJobTimerReset", 2),
        ("deRegisterFailure", 3),
    ]),
    "deRegisterFailure if the last attempt to end a registration failed; else not there.",
    |_| Value::Integer(3),
);
/// Why a registration could not be ended, in words.
pub static DEREGISTER_MESSAGE: Object = object(
    "ciscoSlaDeRegisterFailureMsg",
    &[9, 2],
    Place::Scalar,
    Syntax::SnmpAdminString,
    "Why it failed; not there if it did not.",
    |subject| admin(subject.text),
);

fn tag<'a>(subject: &Subject<'a>) -> &'a str {
    subject.row().map_or("", |row| row.tag().tag.as_str())
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
        20,
        "ciscoSlaSmartAgentNotifyIdCertExpiryWarning",
        Severity::Warning,
        NODE,
        [
            "The identity certificate ends within 60 days, or a quarter of its validity if that is less, and was not \
             renewed, which was due at half of it. Told once a certificate, and again at a start.",
            "Look at `show license status` for the cause; `license smart renew id` tries at once.",
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
