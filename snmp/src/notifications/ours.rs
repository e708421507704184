//! TOLLGATE-MIB: what neither STARENT-MIB nor CISCO-SMART-LIC-MIB has a number for.
//!
//! Names have at most 32 letters and begin with `tg`. A number is never used again for anything else.

use licensing::Policy;
use licensing::snapshot::State;

use super::objects::{
    MODES, Object, POLICIES, Place, STATES, Subject, ceiling, display, figure, mode_number,
    policy_number, sessions, signed, state_number, tag_name, unsigned,
};
use super::{Kind, Mib, NotificationType, Severity};
use crate::Value;
use crate::objects::Syntax;

const fn object(
    arc: &'static [u32],
    name: &'static str,
    syntax: Syntax,
    help: &'static str,
    value: fn(&Subject<'_>) -> Value,
) -> Object {
    Object {
        name,
        mib: Mib::Tollgate,
        arcs: arc,
        place: Place::Scalar,
        syntax,
        help,
        value,
    }
}

static ALARM_ID: Object = object(
    &[1, 1],
    "tgNotifyAlarmId",
    Syntax::Unsigned32,
    "Number of the alarm, the same from raise over repeats to clear, as in the table of outstanding alarms.",
    |subject| {
        let id = subject.alarm.map_or(0, |alarm| alarm.id.0);
        Value::Gauge32(u32::try_from(id).unwrap_or(u32::MAX))
    },
);
static TAG_NAME: Object = object(
    &[1, 2],
    "tgNotifyTagName",
    Syntax::DisplayString,
    "Name of the service or feature.",
    tag_name,
);
static SESSIONS: Object = object(
    &[1, 3],
    "tgNotifySessions",
    Syntax::Gauge32,
    "Sessions that use the service or feature.",
    sessions,
);
static CEILING: Object = object(
    &[1, 4],
    "tgNotifyCeiling",
    Syntax::Gauge32,
    "Sessions that the service may hold; 4294967295 if it has no ceiling.",
    ceiling,
);
static POLICY: Object = object(
    &[1, 5],
    "tgNotifyPolicy",
    POLICIES,
    "What becomes of new calls by the verdict on the service or feature.",
    |subject| {
        let policy = subject.row().map_or(Policy::Allow, |row| row.tag().policy);
        Value::Integer(policy_number(policy))
    },
);
static STATE: Object = object(
    &[1, 6],
    "tgNotifyState",
    STATES,
    "What becomes of new calls: by the verdict, by features that the service is tied to, and by its ceiling.",
    |subject| {
        let state = subject.row().map_or(State::Allow, |row| row.tag().state);
        Value::Integer(state_number(state))
    },
);
static DRIFT: Object = object(
    &[1, 7],
    "tgNotifyDrift",
    Syntax::Integer32,
    "How far the count lies above the session table, in sessions.",
    |subject| signed(subject.figure),
);
static SECONDS_LEFT: Object = object(
    &[1, 8],
    "tgNotifySecondsLeft",
    Syntax::Unsigned32,
    "License time that is left, in seconds.",
    figure,
);
static SILENT_SECONDS: Object = object(
    &[1, 9],
    "tgNotifySilentSeconds",
    Syntax::Unsigned32,
    "License time since the license authority was last heard, in seconds.",
    figure,
);
static DETAIL: Object = object(
    &[1, 10],
    "tgNotifyDetail",
    Syntax::DisplayString,
    "What there is to say of it.",
    |subject| display(subject.text),
);
static MODE: Object = object(
    &[1, 11],
    "tgNotifyMode",
    MODES,
    "Mode of the node.",
    |subject| Value::Integer(mode_number(subject.snapshot.smart.mode)),
);
static CLOCK_JUMP: Object = object(
    &[1, 12],
    "tgNotifyClockJump",
    Syntax::Integer32,
    "Seconds by which the wall clock jumped, forward positive.",
    |subject| signed(subject.figure),
);
static CALLS: Object = object(
    &[1, 13],
    "tgNotifyCalls",
    Syntax::Gauge32,
    "Such calls since the process began.",
    figure,
);
static EMERGENCY_SESSIONS: Object = object(
    &[1, 18],
    "tgNotifyEmergencySessions",
    Syntax::Gauge32,
    "Emergency sessions.",
    figure,
);
static SPEEDUP: Object = object(
    &[1, 14],
    "tgNotifySpeedup",
    Syntax::Unsigned32,
    "License seconds a second.",
    figure,
);
static COALESCED: Object = object(
    &[1, 15],
    "tgNotifyCoalesced",
    Syntax::Gauge32,
    "Notifications to this target since the last summary for which others stand: more came than it is sent.",
    figure,
);
static DROPPED: Object = object(
    &[1, 16],
    "tgNotifyDropped",
    Syntax::Gauge32,
    "Notifications to this target since the last summary that were dropped: its queue was full.",
    |subject| unsigned(subject.further),
);
static OUTSTANDING: Object = object(
    &[1, 17],
    "tgNotifyOutstanding",
    Syntax::Gauge32,
    "Outstanding alarms.",
    |subject| {
        let alarms = subject.snapshot.alarms.len();
        Value::Gauge32(u32::try_from(alarms).unwrap_or(u32::MAX))
    },
);

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
        mib: Mib::Tollgate,
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

const fn clear(
    number: u32,
    name: &'static str,
    objects: &'static [&'static Object],
    cause: &'static str,
) -> NotificationType {
    let severity = Severity::Informational;
    row(
        number,
        name,
        Kind::Clear,
        severity,
        objects,
        [cause, "", NOTHING],
    )
}

const fn event(
    number: u32,
    name: &'static str,
    severity: Severity,
    objects: &'static [&'static Object],
    [cause, action]: [&'static str; 2],
) -> NotificationType {
    row(
        number,
        name,
        Kind::Event,
        severity,
        objects,
        [cause, "", action],
    )
}

const NOTHING: &str = "Nothing.";
const OF_NODE: &[&Object] = &[&ALARM_ID];
const OF_TAG: &[&Object] = &[&ALARM_ID, &TAG_NAME, &STATE, &SESSIONS];
const TAG_ALONE: &[&Object] = &[&TAG_NAME, &STATE];
const SAID: &[&Object] = &[&DETAIL];
const REGISTER: &str = "Register the node: `license smart register idtoken`.";
const CALL_US: &str = "Report it with the output of `show license enforcement policy verbose`: the count must never drift.";

/// By number.
pub(super) static ROWS: &[NotificationType] = &[
    row(
        1,
        "tgServiceEvalExpiry",
        raise("tgServiceEvalExpiryClear"),
        Severity::Critical,
        OF_TAG,
        [
            "The evaluation has ended while a service was in use: its new calls are refused.",
            "The node registers, or the license authority is heard again.",
            REGISTER,
        ],
    ),
    clear(
        2,
        "tgServiceEvalExpiryClear",
        OF_TAG,
        "A service is not blocked by the end of evaluation any more.",
    ),
    row(
        3,
        "tgFeatureEvalExpiry",
        raise("tgFeatureEvalExpiryClear"),
        Severity::Critical,
        OF_TAG,
        [
            "The evaluation has ended while a feature was in use: new calls of the services tied to it are refused.",
            "The node registers, or the license authority is heard again.",
            REGISTER,
        ],
    ),
    clear(
        4,
        "tgFeatureEvalExpiryClear",
        OF_TAG,
        "A feature is not blocked by the end of evaluation any more.",
    ),
    row(
        5,
        "tgServiceGraceExpiry",
        raise("tgServiceGraceExpiryClear"),
        Severity::Critical,
        OF_TAG,
        [
            "The grace of a service that is out of compliance is used up: its new calls are refused.",
            "The authority authorizes it, or nothing of it is in use any more.",
            "Add licenses of the service to the node's virtual account.",
        ],
    ),
    clear(
        6,
        "tgServiceGraceExpiryClear",
        OF_TAG,
        "A service is in compliance again after its grace was used up.",
    ),
    row(
        7,
        "tgFeatureGraceExpiry",
        raise("tgFeatureGraceExpiryClear"),
        Severity::Critical,
        OF_TAG,
        [
            "The grace of a feature that is out of compliance is used up: new calls of the services tied to it are refused.",
            "The authority authorizes it, or it is not in use any more.",
            "Add licenses of the feature, or disable it: `no feature <name> enable`.",
        ],
    ),
    clear(
        8,
        "tgFeatureGraceExpiryClear",
        OF_TAG,
        "A feature is in compliance again after its grace was used up.",
    ),
    row(
        9,
        "tgServiceAtLimit",
        raise("tgServiceAtLimitClear"),
        Severity::Major,
        &[&ALARM_ID, &TAG_NAME, &SESSIONS, &CEILING],
        [
            "A service holds as many sessions as its ceiling lets it: new calls are refused though its policy is Allow. \
             starLicenseExceeded says the same of services that its MIB knows.",
            "Use fell a fiftieth below the ceiling, or the ceiling is another.",
            "Add licenses to the pool of the node's virtual account, or move calls to another node.",
        ],
    ),
    clear(
        10,
        "tgServiceAtLimitClear",
        &[&ALARM_ID, &TAG_NAME, &SESSIONS, &CEILING],
        "A service is below its ceiling again, or has another one.",
    ),
    row(
        11,
        "tgAuthorizationExpiry",
        raise("tgAuthorizationExpiryClear"),
        Severity::Major,
        &[&ALARM_ID, &SILENT_SECONDS],
        [
            "Nothing was heard from the license authority for 90 days: the node uses what is left of its evaluation.",
            "An authentic answer arrives, or the node deregisters.",
            "Restore the way to the license authority; look at `show license status`.",
        ],
    ),
    clear(
        12,
        "tgAuthorizationExpiryClear",
        &[&ALARM_ID, &SILENT_SECONDS],
        "The license authority was heard again after 90 days.",
    ),
    row(
        13,
        "tgAuthorityCertExpiry",
        raise("tgAuthorityCertExpiryClear"),
        Severity::Warning,
        OF_NODE,
        [
            "A root certificate of the trust pool, by which the license authority is known, expires within 60 days or has expired.",
            "No root of the trust pool is about to expire any more.",
            "Put the authority's next root into the file of `trust_pool`.",
        ],
    ),
    clear(
        14,
        "tgAuthorityCertExpiryClear",
        OF_NODE,
        "No root of the trust pool is about to expire any more.",
    ),
    row(
        15,
        "tgCountDrift",
        raise("tgCountDriftClear"),
        Severity::Major,
        &[&ALARM_ID, &TAG_NAME, &SESSIONS, &DRIFT],
        [
            "A recount of the session table differs from a counter.",
            "A later recount finds no difference.",
            CALL_US,
        ],
    ),
    clear(
        16,
        "tgCountDriftClear",
        &[&ALARM_ID, &TAG_NAME, &SESSIONS, &DRIFT],
        "A recount finds no difference any more.",
    ),
    row(
        17,
        "tgStateLost",
        raise("tgStateLostClear"),
        Severity::Major,
        &[&ALARM_ID, &SECONDS_LEFT],
        [
            "All copies of the license clock are lost, or the registration is: a recovery period of 7 days runs, unless \
             more of the evaluation is left.",
            "The license authority is heard.",
            "Register the node, and look after its disk.",
        ],
    ),
    clear(
        18,
        "tgStateLostClear",
        &[&ALARM_ID, &SECONDS_LEFT],
        "The license authority was heard after the state was lost.",
    ),
    row(
        19,
        "tgStateTampered",
        raise("tgStateTamperedClear"),
        Severity::Major,
        OF_NODE,
        [
            "The state on disk was altered, or is older than another trace of it.",
            "The license authority is heard.",
            "Find out who restored or altered the state directory.",
        ],
    ),
    clear(
        20,
        "tgStateTamperedClear",
        OF_NODE,
        "The license authority was heard after the state was tampered with.",
    ),
    row(
        21,
        "tgStateNotWritten",
        raise("tgStateNotWrittenClear"),
        Severity::Major,
        OF_NODE,
        [
            "The state can't be written. Calls go on; a restart would forget what changed since.",
            "A write succeeds.",
            "Look after the disk of the state directory: full, read-only, or failing.",
        ],
    ),
    clear(
        22,
        "tgStateNotWrittenClear",
        OF_NODE,
        "The state is written again.",
    ),
    row(
        23,
        "tgClockTampered",
        raise("tgClockTamperedClear"),
        Severity::Major,
        &[&ALARM_ID, &CLOCK_JUMP],
        [
            "The wall clock jumped by more than 24 hours. No license clock follows it.",
            "A day passes without another such jump.",
            "Correct the clock, and find out who set it.",
        ],
    ),
    clear(
        24,
        "tgClockTamperedClear",
        &[&ALARM_ID, &CLOCK_JUMP],
        "A day has passed since the wall clock jumped.",
    ),
    row(
        25,
        "tgControlStalled",
        raise("tgControlStalledClear"),
        Severity::Major,
        OF_NODE,
        [
            "The control thread has not worked for longer than it should: the gate goes on with its last policies and ceilings.",
            "It works again.",
            "Look at the load of the machine; restart the node if it stays so.",
        ],
    ),
    clear(
        26,
        "tgControlStalledClear",
        OF_NODE,
        "The control thread works again.",
    ),
    row(
        27,
        "tgUnidentifiedCalls",
        raise("tgUnidentifiedCallsClear"),
        Severity::Minor,
        &[&ALARM_ID, &CALLS],
        [
            "Calls without an authenticated subscriber, as emergency calls may be, came to ordinary access points, where \
             they are refused.",
            "None has come for ten minutes.",
            "Look at the configuration of the peer that sends them.",
        ],
    ),
    clear(
        28,
        "tgUnidentifiedCallsClear",
        &[&ALARM_ID, &CALLS],
        "No such call has come for ten minutes.",
    ),
    row(
        29,
        "tgAgentStalled",
        raise("tgAgentStalledClear"),
        Severity::Major,
        OF_NODE,
        [
            "The Smart Agent does not work: nothing is asked of the license authority, and nothing reported.",
            "It works again.",
            "Look at the disk of the state directory; restart the node if it stays so.",
        ],
    ),
    clear(
        30,
        "tgAgentStalledClear",
        OF_NODE,
        "The Smart Agent works again.",
    ),
    row(
        31,
        "tgBlockNotApplied",
        raise("tgBlockNotAppliedClear"),
        Severity::Warning,
        OF_TAG,
        [
            "A service or feature would be blocked, and an order of the license authority lets its calls through.",
            "It would not be blocked any more, or the order has ended.",
            "Buy licenses before the order ends.",
        ],
    ),
    clear(
        32,
        "tgBlockNotAppliedClear",
        OF_TAG,
        "It would not be blocked any more, or the order has ended.",
    ),
    row(
        33,
        "tgSnmpStalled",
        raise("tgSnmpStalledClear"),
        Severity::Major,
        OF_NODE,
        [
            "The thread of SNMP does not work: managers are neither told nor answered. They get this notification, and its \
             clear, once it works again; until then `show alarm` and the log have it.",
            "It works again.",
            "Look at the disk of the state directory; restart the node if it stays so.",
        ],
    ),
    clear(
        34,
        "tgSnmpStalledClear",
        OF_NODE,
        "The thread of SNMP works again.",
    ),
    row(
        35,
        "tgBulkstatsStalled",
        raise("tgBulkstatsStalledClear"),
        Severity::Major,
        OF_NODE,
        [
            "The thread of bulk statistics does not work: no sample is taken, and nothing is transferred.",
            "It works again.",
            "Look at the disk of the state directory; restart the node if it stays so.",
        ],
    ),
    clear(
        36,
        "tgBulkstatsStalledClear",
        OF_NODE,
        "The thread of bulk statistics works again.",
    ),
    row(
        37,
        "tgBulkstatsUndelivered",
        raise("tgBulkstatsUndeliveredClear"),
        Severity::Minor,
        OF_NODE,
        [
            "No receiver of a file of bulk statistics takes it: files wait, up to the limit.",
            "A receiver has taken one.",
            "Look at `show bulkstats` and the log, which says why; restore the receiver.",
        ],
    ),
    clear(
        38,
        "tgBulkstatsUndeliveredClear",
        OF_NODE,
        "A receiver takes the files of bulk statistics again.",
    ),
    row(
        39,
        "tgBulkstatsHostKey",
        raise("tgBulkstatsHostKeyClear"),
        Severity::Major,
        OF_NODE,
        [
            "A receiver of bulk statistics showed another host key than the configured one, or a certificate that is not to be believed. It was told nothing, no name and no password.",
            "It has shown one that is believed.",
            "Find out who answers there. If the key was changed on purpose, configure the new one; if the certificate was, the root above it.",
        ],
    ),
    clear(
        40,
        "tgBulkstatsHostKeyClear",
        OF_NODE,
        "The receiver of bulk statistics has shown its own host key or certificate.",
    ),
    row(
        41,
        "tgBulkstatsDiscarding",
        raise("tgBulkstatsDiscardingClear"),
        Severity::Major,
        OF_NODE,
        [
            "More bulk statistics wait than the limit lets, and the oldest files are dropped.",
            "Half of the limit is free.",
            "Restore the receiver, or raise the limit.",
        ],
    ),
    clear(
        42,
        "tgBulkstatsDiscardingClear",
        OF_NODE,
        "No bulk statistics are dropped any more.",
    ),
    row(
        43,
        "tgBulkstatsNotWritten",
        raise("tgBulkstatsNotWrittenClear"),
        Severity::Major,
        OF_NODE,
        [
            "Samples of bulk statistics can't be written.",
            "One was written.",
            "Make room on the disk of the state directory.",
        ],
    ),
    clear(
        44,
        "tgBulkstatsNotWrittenClear",
        OF_NODE,
        "Bulk statistics are written again.",
    ),
    row(
        45,
        "tgEmergencyShare",
        raise("tgEmergencyShareClear"),
        Severity::Warning,
        &[&ALARM_ID, &EMERGENCY_SESSIONS],
        [
            "Emergency sessions, which take no license, are many beside the others: at least 100, and at least half as many.",
            "They are fewer than half of that.",
            "See which peer makes them: `show subscribers summary`; an emergency elsewhere is a reason, a peer that calls \
             its calls so is none.",
        ],
    ),
    clear(
        46,
        "tgEmergencyShareClear",
        &[&ALARM_ID, &EMERGENCY_SESSIONS],
        "Emergency sessions are few again.",
    ),
    event(
        101,
        "tgEvaluationStarted",
        Severity::Warning,
        &[&SECONDS_LEFT],
        [
            "The evaluation period was used for the first time.",
            REGISTER,
        ],
    ),
    event(
        102,
        "tgEvaluationWarning",
        Severity::Warning,
        &[&SECONDS_LEFT],
        [
            "The evaluation period ends in 60, 30, 21, 14 or 7 days, in the last week in so many days, on the last day in so \
             many hours.",
            REGISTER,
        ],
    ),
    event(
        103,
        "tgSilenceWarning",
        Severity::Warning,
        &[&SILENT_SECONDS],
        [
            "Nothing was heard from the license authority for 30, 60, 80 or 85 days; at 90 the node falls back to its evaluation.",
            "Restore the way to the license authority; look at `show license status`.",
        ],
    ),
    event(
        104,
        "tgModeChanged",
        Severity::Informational,
        &[&MODE],
        ["The node is registered now, or not any more.", NOTHING],
    ),
    event(
        105,
        "tgPolicyChanged",
        Severity::Warning,
        &[&TAG_NAME, &POLICY, &STATE],
        [
            "The policy of a service or feature changed.",
            "Look at `show license enforcement policy`, which says why.",
        ],
    ),
    event(
        106,
        "tgCeilingChanged",
        Severity::Informational,
        &[&TAG_NAME, &CEILING],
        ["The ceiling of a service changed.", NOTHING],
    ),
    event(
        107,
        "tgFeatureEnabled",
        Severity::Informational,
        TAG_ALONE,
        ["A feature was enabled.", NOTHING],
    ),
    event(
        108,
        "tgFeatureDisabled",
        Severity::Informational,
        TAG_ALONE,
        ["A feature was disabled.", NOTHING],
    ),
    event(
        109,
        "tgLabSpeedup",
        Severity::Warning,
        &[&SPEEDUP],
        [
            "The speed of a lab node's license clock was set.",
            "No node that serves subscribers is a lab node.",
        ],
    ),
    event(
        110,
        "tgRegistrationEnded",
        Severity::Major,
        SAID,
        [
            "The license authority has ended the registration: it removed the instance, or revoked its certificate.",
            "Ask the owner of the virtual account; register the node again.",
        ],
    ),
    event(
        111,
        "tgIdCertInRange",
        Severity::Informational,
        &[],
        [
            "The date is inside of the identity certificate's validity again.",
            NOTHING,
        ],
    ),
    event(
        112,
        "tgTrustPoolChanged",
        Severity::Informational,
        &[],
        [
            "The trust pool has changed.",
            "Compare its fingerprints, unless it was meant: `show license status`.",
        ],
    ),
    event(
        113,
        "tgTrustRefused",
        Severity::Warning,
        SAID,
        [
            "What was offered for the trust pool was not taken.",
            "Look at the file of `trust_pool`.",
        ],
    ),
    event(
        114,
        "tgForked",
        Severity::Major,
        &[],
        [
            "The license authority sees two nodes of this identity, or that the state of this one was restored.",
            "Stop the other node, or register one of them anew.",
        ],
    ),
    event(
        115,
        "tgReportsNotWritten",
        Severity::Major,
        &[],
        [
            "The agent's records can't be written: nothing is sent to the license authority until they can.",
            "Look after the disk of the state directory: full, read-only, or failing.",
        ],
    ),
    event(
        116,
        SUMMARY,
        Severity::Warning,
        &[&COALESCED, &DROPPED, &OUTSTANDING],
        [
            "More notifications came for this target than it is sent, 50 a second, or its queue was full. At most every 10 \
             seconds; the latest notification of each alarm follows.",
            "Read the table of outstanding alarms, which is the truth.",
        ],
    ),
];

/// Name of the row that tells a target what it was not sent.
pub(super) const SUMMARY: &str = "tgNotifySummary";

/// Objects that only notifications carry, for the MIB.
pub fn notify_objects() -> Vec<&'static Object> {
    let mut all: Vec<&Object> = ROWS.iter().flat_map(|row| row.objects).copied().collect();
    all.sort_by_key(|object| object.arcs);
    all.dedup_by_key(|object| object.arcs);
    all
}
