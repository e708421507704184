//! STARENT-MIB: numbers, varbinds and their order as in its revision of 2018-09-02 (rule L18).

use licensing::snapshot::TagRow;

use super::objects::{Object, Place, Subject, ceiling, days, figure, sessions, signed, tag_name};
use super::{Kind, Mib, NotificationType, Severity};
use crate::Value;
use crate::objects::Syntax;

const fn scalar(
    name: &'static str,
    arcs: &'static [u32],
    syntax: Syntax,
    help: &'static str,
    value: fn(&Subject<'_>) -> Value,
) -> Object {
    Object {
        name,
        mib: Mib::Starent,
        arcs,
        place: Place::Scalar,
        syntax,
        help,
        value,
    }
}

static SERVICE_USAGE: Object = scalar(
    "starSmartLicenseServiceUsage",
    &[31, 177],
    Syntax::Unsigned32,
    "Licenses of the service that are in use.",
    figure,
);
static SERVICE_NAME: Object = scalar(
    "starSmartLicenseServiceName",
    &[31, 178],
    Syntax::DisplayString,
    "Name of the service.",
    tag_name,
);
static EVAL_REMAINING: Object = scalar(
    "starSmartLicenseEvalModeRemaining",
    &[31, 179],
    Syntax::Unsigned32,
    "Days of evaluation left; one that has begun counts.",
    days,
);
static FEATURE_USAGE: Object = scalar(
    "starSmartLicenseFeatureUsage",
    &[31, 195],
    Syntax::Unsigned32,
    "Licenses of the feature that are in use: 1 or 0.",
    figure,
);
static FEATURE_NAME: Object = scalar(
    "starSmartLicenseFeatureName",
    &[31, 196],
    Syntax::DisplayString,
    "Name of the feature.",
    tag_name,
);
static LICENSED_SESSIONS: Object = scalar(
    "starLicensedSessions",
    &[31, 9],
    Syntax::Unsigned32,
    "Sessions that the service may hold.",
    ceiling,
);
static CURRENT_SESSIONS: Object = scalar(
    "starCurrentSessions",
    &[31, 10],
    Syntax::Gauge32,
    "Sessions of the service.",
    sessions,
);
static SERVICE_TYPE: Object = Object {
    name: "starServiceType",
    mib: Mib::Starent,
    arcs: &[18, 1, 1, 7],
    place: Place::Service,
    syntax: Syntax::Named(SERVICE_TYPES),
    help: "Type of the service; unknown for one that the MIB has no number for. Its instance is context 1 and the \
           service's place in the catalog.",
    value: service_type,
};
static THRESHOLD: Object = scalar(
    "starThreshPct",
    &[28, 2],
    Syntax::Integer32,
    "The threshold that was crossed, in percent of the ceiling left.",
    threshold,
);
static MEASURED: Object = scalar(
    "starThreshMeasuredPct",
    &[28, 1],
    Syntax::Gauge32,
    "Sessions left, in whole percent of the ceiling.",
    figure,
);
static CONGESTION_POLICY: Object = scalar(
    "starCongestionPolicy",
    &[31, 1],
    Syntax::Named(&[("reject", 1), ("redirect", 2), ("drop", 3)]),
    "Always reject: at the ceiling new calls are refused.",
    |_| Value::Integer(1),
);
static CONGESTION_RESOURCE: Object = scalar(
    "starCongestionResourceType",
    &[31, 2],
    Syntax::Named(&[("license", 6)]),
    "Always license.",
    |_| Value::Integer(6),
);

/// Those of `starServiceType` that a service of the catalog may be.
const SERVICE_TYPES: &[(&str, i32)] = &[
    ("unknown", 1),
    ("ggsn", 3),
    ("sgw", 20),
    ("pgw", 21),
    ("sgsn", 25),
    ("mme", 26),
    ("epdg", 37),
    ("samog", 42),
    ("saegw", 43),
];

fn service_type(subject: &Subject<'_>) -> Value {
    let name = match subject.row() {
        Some(TagRow::Service(service)) => service.tag.name.as_str(),
        Some(TagRow::Feature(_)) | None => "",
    };
    let named = |(known, _): &&(&str, i32)| known.eq_ignore_ascii_case(name);
    let found = SERVICE_TYPES.iter().find(named);
    Value::Integer(found.map_or(1, |(_, number)| *number))
}

fn threshold(subject: &Subject<'_>) -> Value {
    signed(subject.further)
}

const fn row(
    number: u32,
    name: &'static str,
    kind: Kind,
    severity: Severity,
    objects: &'static [&'static Object],
    [cause, clears, action]: [&'static str; 3],
) -> NotificationType {
    NotificationType {
        name,
        mib: Mib::Starent,
        number,
        kind,
        severity,
        objects,
        cause,
        clears,
        action,
    }
}

const fn raise(cleared_by: &'static str) -> Kind {
    Kind::Raise { cleared_by }
}

const NOTHING: &str = "Nothing.";

/// By number.
pub(super) static ROWS: &[NotificationType] = &[
    row(
        65,
        "starLicenseExceeded",
        raise("starLicenseUnderLimit"),
        Severity::Major,
        &[&LICENSED_SESSIONS, &CURRENT_SESSIONS, &SERVICE_TYPE],
        [
            "A service holds as many sessions as its ceiling lets it: new calls are refused though its policy is Allow. \
             A share of priority calls may go beyond.",
            "Use fell a fiftieth below the ceiling, or the ceiling is another.",
            "Add licenses to the pool of the node's virtual account, or move calls to another node.",
        ],
    ),
    row(
        81,
        "starCongestion",
        raise("starCongestionClear"),
        Severity::Major,
        &[&SERVICE_TYPE, &CONGESTION_POLICY, &CONGESTION_RESOURCE],
        [
            "Of a service's ceiling, congestion_percent or more is in use.",
            "Use is congestion_tolerance_percent below that, the service has no ceiling any more, or it is blocked.",
            "Add licenses before the ceiling is reached.",
        ],
    ),
    row(
        82,
        "starCongestionClear",
        Kind::Clear,
        Severity::Informational,
        &[&SERVICE_TYPE],
        [
            "Use of a service's ceiling is below the mark again.",
            "",
            NOTHING,
        ],
    ),
    row(
        94,
        "starLicenseUnderLimit",
        Kind::Clear,
        Severity::Informational,
        &[&LICENSED_SESSIONS, &CURRENT_SESSIONS, &SERVICE_TYPE],
        [
            "A service is below its ceiling again, or has another one.",
            "",
            NOTHING,
        ],
    ),
    row(
        204,
        "starThreshLicense",
        raise("starThreshClearLicense"),
        Severity::Warning,
        &[&THRESHOLD, &MEASURED, &SERVICE_TYPE],
        [
            "Of a service's ceiling, remaining_low_percent or less is left.",
            "More than remaining_clear_percent is left, the service has no ceiling any more, or it is blocked.",
            "Add licenses before the ceiling is reached.",
        ],
    ),
    row(
        205,
        "starThreshClearLicense",
        Kind::Clear,
        Severity::Informational,
        &[&THRESHOLD, &MEASURED, &SERVICE_TYPE],
        ["Enough of a service's ceiling is left again.", "", NOTHING],
    ),
    row(
        1349,
        "starSmartLicenseServiceOOC",
        raise("starSmartLicenseServiceOOCClear"),
        Severity::Critical,
        &[&SERVICE_NAME, &SERVICE_USAGE],
        [
            "A service is out of compliance, or the authority does not know its tag. By its rule new calls are refused, \
             at once or after its grace; while grace runs this is repeated daily.",
            "The authority authorizes it, or nothing of it is in use any more.",
            "Add licenses of the service to the node's virtual account; `license smart renew auth` asks again at once.",
        ],
    ),
    row(
        1350,
        "starSmartLicenseServiceOOCClear",
        Kind::Clear,
        Severity::Informational,
        &[&SERVICE_NAME, &SERVICE_USAGE],
        [
            "A service is in compliance again: new calls are let through.",
            "",
            NOTHING,
        ],
    ),
    row(
        1351,
        "starSmartLicenseEvalMode",
        raise("starSmartLicenseEvalModeClear"),
        Severity::Warning,
        &[&EVAL_REMAINING],
        [
            "Smart licensing is enabled and the node is not registered: it runs in evaluation.",
            "The node registers.",
            "Register the node: `license smart register idtoken`.",
        ],
    ),
    row(
        1352,
        "starSmartLicenseEvalModeClear",
        Kind::Clear,
        Severity::Informational,
        &[&EVAL_REMAINING],
        ["The node is registered.", "", NOTHING],
    ),
    row(
        1353,
        "starSmartLicenseEvalModeExpire",
        raise("starSmartLicenseEvalModeExpireClear"),
        Severity::Critical,
        &[],
        [
            "The evaluation period is used up: every service and feature is blocked for new calls.",
            "The node registers, or the authority is heard again.",
            "Register the node: `license smart register idtoken`. Evaluation time never comes back.",
        ],
    ),
    row(
        1354,
        "starSmartLicenseEvalModeExpireClear",
        Kind::Clear,
        Severity::Informational,
        &[],
        [
            "The state of a used up evaluation has ended: the authority's verdicts hold.",
            "",
            NOTHING,
        ],
    ),
    row(
        1355,
        "starSmartLicenseCSSMConntectionFail",
        raise("starSmartLicenseCSSMConnectionFailClear"),
        Severity::Minor,
        &[],
        [
            "Several messages in a row to the license authority got no answer. The last verdicts hold; after 90 days of \
             silence evaluation time runs.",
            "An authentic answer arrives.",
            "Look at `show license status` for the cause: name, route, proxy, certificate, or the authority itself.",
        ],
    ),
    row(
        1356,
        "starSmartLicenseCSSMConnectionFailClear",
        Kind::Clear,
        Severity::Informational,
        &[],
        ["The license authority answers again.", "", NOTHING],
    ),
    row(
        1401,
        "starSmartLicenseFeatureOOC",
        raise("starSmartLicenseFeatureOOCClear"),
        Severity::Major,
        &[&FEATURE_NAME, &FEATURE_USAGE],
        [
            "A feature is out of compliance, or the authority does not know its tag. After its grace new calls of the \
             services tied to it are refused, if its rule says so; while grace runs this is repeated daily.",
            "The authority authorizes it, or it is not in use any more.",
            "Add licenses of the feature, or disable it: `no feature <name> enable`.",
        ],
    ),
    row(
        1402,
        "starSmartLicenseFeatureOOCClear",
        Kind::Clear,
        Severity::Informational,
        &[&FEATURE_NAME, &FEATURE_USAGE],
        ["A feature is in compliance again.", "", NOTHING],
    ),
];
