//! All events: one row each. An id keeps its meaning for good: a new event takes the next free one of its facility, that of
//! an event which is no more stays free.

use api::{LogFacility, LogSeverity};
use licensing::{AlarmKind, Event};

/// What an event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its number.
    pub id: u32,
    /// Who says it.
    pub facility: LogFacility,
    /// How bad it is.
    pub severity: LogSeverity,
    /// What it says.
    pub text: &'static str,
    /// What an operator does about it.
    pub todo: &'static str,
}

/// Ids of a facility, and how many it may have.
pub const fn ids(facility: LogFacility) -> (u32, u32) {
    let first = match facility {
        LogFacility::Slmgr => 190_000,
        LogFacility::Slagent => 191_000,
        LogFacility::Snmp => 192_000,
        LogFacility::Bulkst => 193_000,
        LogFacility::Gtpc => 194_000,
        LogFacility::Cli => 195_000,
        LogFacility::System => 196_000,
        LogFacility::Evlog => 197_000,
    };
    (first, 1_000)
}

/// How far the id of an alarm's end is from that of its beginning.
const ENDED_BY: u32 = 100;

macro_rules! events {
    ($($name:ident = $id:literal, $facility:ident, $severity:ident, $text:literal, $todo:literal;)*) => {
        $(
            #[doc = $text]
            pub const $name: Row = Row {
                id: $id,
                facility: LogFacility::$facility,
                severity: LogSeverity::$severity,
                text: $text,
                todo: $todo,
            };
        )*

        /// All but alarms.
        const EVENTS: &[Row] = &[$($name),*];
    };
}

macro_rules! alarms {
    ($($kind:ident = $id:literal, $severity:ident, $text:literal, $todo:literal;)*) => {
        /// Alarms: what begins, and what ends.
        const ALARMS: &[Row] = &[$(
            Row {
                id: $id,
                facility: LogFacility::Slmgr,
                severity: LogSeverity::$severity,
                text: $text,
                todo: $todo,
            },
            Row {
                id: $id + ENDED_BY,
                facility: LogFacility::Slmgr,
                severity: LogSeverity::Info,
                text: concat!("over: ", $text),
                todo: "nothing",
            },
        )*];

        const fn begins(kind: &AlarmKind) -> u32 {
            match kind {
                $(AlarmKind::$kind { .. } => $id,)*
            }
        }
    };
}

events! {
    SMART_LICENSING_ENABLED = 190_001, Slmgr, Info,
        "smart licensing is enabled",
        "nothing";
    SMART_LICENSING_DISABLED = 190_002, Slmgr, Warning,
        "smart licensing is disabled",
        "enable it, unless that was meant";
    MODE_CHANGED = 190_003, Slmgr, Warning,
        "the mode of the node has changed",
        "see `show license status`";
    EVALUATION_STARTED = 190_004, Slmgr, Warning,
        "the evaluation period has begun",
        "register before it ends";
    EVALUATION_ENDS = 190_005, Slmgr, Warning,
        "the evaluation period ends soon",
        "register before it does";
    SILENCE = 190_006, Slmgr, Warning,
        "the license authority has been silent for long",
        "see `show license transport` and the network";
    COMPLIANCE_CHANGED = 190_007, Slmgr, Unusual,
        "the standing of a license has changed",
        "see `show license enforcement status`";
    POLICY_CHANGED = 190_008, Slmgr, Warning,
        "the policy for new calls has changed",
        "see `show license why`, and `show license enforcement status`";
    CEILING_CHANGED = 190_009, Slmgr, Unusual,
        "the ceiling of a service has changed",
        "see `show resources`";
    FEATURE_ENABLED = 190_010, Slmgr, Info,
        "a feature is enabled",
        "nothing";
    FEATURE_DISABLED = 190_011, Slmgr, Info,
        "a feature is disabled",
        "nothing";
    CLOCK_JUMPED = 190_012, Slmgr, Warning,
        "the wall clock has jumped",
        "see who sets the clock";
    LAB_SPEEDUP = 190_013, Slmgr, Info,
        "LAB: the speed of the license clock is set",
        "nothing";
    GATE_FORM = 190_014, Slmgr, Info,
        "the gate's form is chosen",
        "nothing";
    GATE_ATOMIC = 190_015, Slmgr, Info,
        "the gate is atomic, the asymmetric form can't be had here",
        "nothing; calls are counted as exactly, and cost a little more";
    GTP_SOCKETS = 190_016, Slmgr, Info,
        "the sockets of GTP-C are bound",
        "nothing";
    GTP_ONE_SOCKET = 190_017, Slmgr, Info,
        "the workers share one socket of GTP-C, one for each can't be had here",
        "nothing; a thread of its own hands to the workers what comes, which costs a little more";
    REGISTERED = 191_001, Slagent, Info,
        "registered with the license authority",
        "nothing";
    REGISTRATION_FAILED = 191_002, Slagent, Error,
        "registration failed",
        "see why; mend that, or get a new token, and register again";
    DEREGISTERED = 191_003, Slagent, Info,
        "the registration has ended",
        "nothing";
    REGISTRATION_ENDED = 191_004, Slagent, Error,
        "the license authority has ended the registration",
        "register again, unless whoever runs the authority meant it";
    DEREGISTRATION_FAILED = 191_005, Slagent, Error,
        "deregistration failed",
        "see why, and deregister again";
    ID_RENEWED = 191_006, Slagent, Info,
        "the identity certificate was renewed",
        "nothing";
    ID_NOT_RENEWED = 191_007, Slagent, Warning,
        "the identity certificate was not renewed",
        "see why; it is tried again, `license smart renew id` tries at once";
    AUTHORIZATION_RENEWED = 191_008, Slagent, Info,
        "the authorization was renewed",
        "nothing";
    AUTHORIZATION_NOT_RENEWED = 191_009, Slagent, Warning,
        "the authorization was not renewed",
        "see why; it is tried again, `license smart renew auth` tries at once";
    AUTHORITY_SILENT = 191_010, Slagent, Warning,
        "no answer from the license authority",
        "see `show license transport` and the network; after 90 days without an answer calls are blocked";
    AUTHORITY_ANSWERS = 191_011, Slagent, Info,
        "the license authority answers again",
        "nothing";
    CERTIFICATE_OUT_OF_RANGE = 191_012, Slagent, Error,
        "the date is outside of the identity certificate's validity: correct the clock within the hour",
        "correct the clock";
    CERTIFICATE_DROPPED = 191_013, Slagent, Error,
        "the identity certificate is not used any more: correct the clock",
        "correct the clock; register again if that is too late";
    CERTIFICATE_IN_RANGE = 191_014, Slagent, Info,
        "the identity certificate is valid again",
        "nothing";
    CERTIFICATE_EXPIRES = 191_015, Slagent, Warning,
        "the identity certificate ends soon and is not renewed",
        "see why the authority does not answer; `license smart renew id`";
    TRUST_POOL_CHANGED = 191_016, Slagent, Info,
        "the trust pool has changed",
        "compare `show license trust-pool` with what the authority shows";
    TRUST_REFUSED = 191_017, Slagent, Warning,
        "the trust pool takes something not",
        "see why; ask whoever runs the authority";
    ROOT_EXPIRES = 191_018, Slagent, Warning,
        "a root of the trust pool expires",
        "ask whoever runs the authority for its successor";
    FORKED = 191_019, Slagent, Error,
        "the license authority sees two nodes of this identity, or that this one's state was restored",
        "end the other node, or register this one anew";
    ORDERS_TAKEN = 191_020, Slagent, Info,
        "orders of the license authority are in force",
        "see `show license enforcement policy`";
    ORDERS_SET_ASIDE = 191_021, Slagent, Error,
        "some orders of the license authority are not in force",
        "see why; upgrade the node, or have the order changed";
    ORDERS_REFUSED = 191_022, Slagent, Error,
        "orders of the license authority are refused",
        "see why; have the order signed anew";
    AGENT_NOT_WRITTEN = 191_023, Slagent, Error,
        "nothing is sent to the license authority until the disk takes records",
        "see the disk of node.state_dir";
    AGENT_SAVED_AGAIN = 191_024, Slagent, Warning,
        "the smart agent's records are saved again",
        "nothing";
    AGENT_NOT_SAVED = 191_025, Slagent, Error,
        "the smart agent's records are not saved; calls go on",
        "see the disk of node.state_dir";
    MESSAGE_LOST = 191_026, Slagent, Error,
        "a message was lost",
        "see why; it is sent again";
    ROOT_NOT_KEPT = 191_027, Slagent, Error,
        "the root is trusted until this process ends",
        "see the disk of node.state_dir";
    LAB_TRUST = 191_028, Slagent, Warning,
        "LAB: the first license authority that answered is trusted; compare this fingerprint with what it shows",
        "compare them";
    AGENT_STALLED = 191_029, Slagent, Error,
        "the smart agent does not work; calls go on",
        "restart the node if it does not come back; keep the log";
    AGENT_WORKS = 191_030, Slagent, Warning,
        "the smart agent works again",
        "nothing";
    AGENT_UNREADABLE = 191_031, Slagent, Error,
        "the smart agent's records can't be read",
        "see the disk of node.state_dir; register the node anew";
    AGENT_NO_KEY = 191_032, Slagent, Error,
        "it is no key; the node is to be registered anew",
        "register the node anew";
    ORDERS_NOT_IN_FORCE = 191_033, Slagent, Error,
        "the orders of the license authority are not in force",
        "see why; have the order changed";
    CATALOG_NOT_IN_FORCE = 191_034, Slagent, Error,
        "the catalog that the license authority orders is not in force",
        "see why; mend the configuration, or have the order changed";
    SNMP_STALLED = 192_001, Snmp, Error,
        "SNMP does not work; calls go on",
        "restart the node if it does not come back; keep the log";
    SNMP_WORKS = 192_002, Snmp, Warning,
        "SNMP works again",
        "nothing";
    TARGET_REMOVED = 192_003, Snmp, Warning,
        "a target is removed; what waited for it is dropped",
        "nothing";
    SNMP_LEFT_OUT = 192_004, Snmp, Error,
        "it is left out of SNMP: set it anew, or take its entry out of settings.toml of node.state_dir",
        "do that";
    SNMP_NOT_CHANGED = 192_005, Snmp, Error,
        "SNMP works as before the change",
        "see why, and set it again";
    NOTIFICATIONS_LOST = 192_006, Snmp, Warning,
        "events were lost to notifications; the table of alarms is told anew",
        "have managers read the table of alarms";
    INFORM_UNUSED = 192_007, Snmp, Warning,
        "a manager could not use an inform",
        "see the manager's own log";
    INFORM_REFUSED = 192_008, Snmp, Warning,
        "a manager refuses informs",
        "compare user, keys and clock with the manager's";
    SNMP_SAVED_AGAIN = 192_009, Snmp, Warning,
        "the records of SNMP are saved again",
        "nothing";
    SNMP_NOT_SAVED = 192_010, Snmp, Error,
        "the records of SNMP are not saved; notifications go on",
        "see the disk of node.state_dir";
    NOTIFICATION_UNSENT = 192_011, Snmp, Warning,
        "a notification can't be sent",
        "see why; see the route to the target";
    NOTIFICATIONS_SENT_AGAIN = 192_012, Snmp, Warning,
        "notifications are sent again",
        "nothing";
    MANAGER_UNANSWERED = 192_013, Snmp, Warning,
        "a manager can't be answered",
        "see why; see the route to the manager";
    MANAGERS_ANSWERED_AGAIN = 192_014, Snmp, Warning,
        "managers are answered again",
        "nothing";
    SNMP_UNREADABLE = 192_015, Snmp, Error,
        "the records of SNMP can't be read",
        "see the disk of node.state_dir";
    SNMP_OTHER_KEY = 192_016, Snmp, Warning,
        "records of SNMP have the code of another node.key; they count all the same",
        "nothing, if the key was made anew; else see who altered the state";
    FILE_UNTRANSFERRED = 193_001, Bulkst, Warning,
        "a file of bulk statistics is not transferred",
        "see why, and `show bulkstats`; it is tried again";
    SPOOL_UNUSABLE = 193_002, Bulkst, Error,
        "the spool of bulk statistics can't be used",
        "see the disk of node.state_dir";
    SAMPLES_UNREADABLE = 193_003, Bulkst, Warning,
        "samples can't be read",
        "see the disk of node.state_dir";
    FILE_UNRENAMED = 193_004, Bulkst, Error,
        "a file of bulk statistics can't be renamed",
        "see the disk of node.state_dir";
    FILE_UNREMOVED = 193_005, Bulkst, Error,
        "a file of bulk statistics can't be removed",
        "see the disk of node.state_dir";
    NAMES_NOT_DURABLE = 193_006, Bulkst, Warning,
        "names of bulk statistics' files are not durable",
        "see the disk of node.state_dir";
    SAMPLE_TAKEN_AWAY = 193_007, Bulkst, Error,
        "a sample was taken away by another hand",
        "keep other programs out of bulkstats/ of node.state_dir";
    RECEIVERS = 193_008, Bulkst, Warning,
        "receivers of bulk statistics",
        "see why, and `show bulkstats`";
    RECEIVER = 193_009, Bulkst, Error,
        "a receiver of bulk statistics",
        "see why, and `show bulkstats`";
    WRITING = 193_010, Bulkst, Error,
        "writing bulk statistics",
        "see the disk of node.state_dir";
    DISCARDING = 193_011, Bulkst, Error,
        "files of bulk statistics are dropped for want of room",
        "see that a receiver takes them, or give them more room";
    INTERVALS_MISSED = 193_012, Bulkst, Warning,
        "intervals have no sample",
        "nothing, if the node did not run; else see why";
    CLOCK_PUT_BACK = 193_013, Bulkst, Warning,
        "the clock was put back; intervals come once more",
        "see who sets the clock";
    SAMPLE_AGAIN = 193_014, Bulkst, Warning,
        "the sample of an interval that had one",
        "nothing; whoever reads the files takes the later one";
    SAMPLE_LOST = 193_015, Bulkst, Error,
        "a sample was not written and is lost",
        "see the disk of node.state_dir";
    FILE_DROPPED = 193_016, Bulkst, Error,
        "a file was dropped for want of room",
        "see that a receiver takes them, or give them more room";
    NAME_TAKEN = 193_017, Bulkst, Warning,
        "the receiver has another file of that name",
        "make the names of files unique";
    RECEIVER_CHANGED = 193_018, Bulkst, Warning,
        "another receiver gets the files",
        "see why the other does not";
    FILE_SET_ASIDE = 193_019, Bulkst, Error,
        "a file is set aside in sent/",
        "bring it to the receiver by hand";
    FILES_WITHOUT_RECEIVER = 193_020, Bulkst, Error,
        "files without a receiver are in sent/",
        "bring them to the receiver by hand";
    BULKSTATS_STALLED = 193_021, Bulkst, Error,
        "bulk statistics; calls go on",
        "restart the node if they do not come back; keep the log";
    LEASE_RAN_OUT = 194_001, Gtpc, Warning,
        "a client's lease ran out: its sessions are given back",
        "see whether the client lives";
    RECEIVE_BUFFER = 194_002, Gtpc, Warning,
        "the receive buffer is short, bursts may be lost: sysctl -w net.core.rmem_max",
        "set it to wanted_bytes";
    RECEIVING_FAILED = 194_003, Gtpc, Error,
        "receiving failed",
        "see why; see the address of gn.listen";
    WORKER_NOT_ENDING = 194_004, Gtpc, Warning,
        "the worker takes no order to stop",
        "nothing; the process ends all the same";
    PEER_RESTLESS = 194_005, Gtpc, Warning,
        "a peer's restart counter changes more than 3 times a minute: its sessions end once that is over",
        "see `show gtpc peers`, and why it restarts or who else has its address";
    CLEARING = 195_001, Cli, Info,
        "an operator clears sessions",
        "nothing";
    CLEARED = 195_002, Cli, Info,
        "sessions are cleared",
        "nothing";
    SNMP_SET = 195_003, Cli, Info,
        "an operator has set SNMP",
        "nothing";
    WAY_SET = 195_004, Cli, Info,
        "an operator has set the way to the license authority",
        "nothing";
    THRESHOLD_SET = 195_005, Cli, Info,
        "an operator has set where few sessions left are an alarm",
        "nothing";
    ANSWER_NOT_WRITTEN = 195_006, Cli, Error,
        "an answer can't be written as JSON",
        "keep the log";
    ACCEPTING_FAILED = 195_007, Cli, Warning,
        "accepting a connection failed",
        "see why; see the limit of open files";
    INTERFACE_ENDED = 195_008, Cli, Error,
        "the control interface has ended",
        "restart the node; calls go on";
    AUDIT_FAILED = 195_009, Cli, Error,
        "a line of the audit log can't be written",
        "keep the line, which is here; see the disk of node.state_dir";
    ACCOUNT_SET = 195_010, Cli, Info,
        "an account is set",
        "nothing";
    ACCOUNT_WITHOUT_PASSWORD = 195_011, Cli, Warning,
        "an account has no password: what is kept of it can't be used",
        "set it anew";
    LOGGED_IN = 195_012, Cli, Info,
        "somebody has logged in",
        "nothing";
    NOT_LET_IN = 195_013, Cli, Warning,
        "somebody was not let in",
        "nothing, unless there are many: then see from where";
    LOCKED_OUT = 195_014, Cli, Warning,
        "an account is locked after wrong passwords",
        "ask whoever it is; `clear administrator lock` opens it";
    LOCK_CLEARED = 195_015, Cli, Info,
        "wrong passwords of an account are forgotten",
        "nothing";
    SSH_SERVED = 195_016, Cli, Info,
        "the shell is served by SSH",
        "nothing";
    NO_ACCOUNT = 195_017, Cli, Warning,
        "SSH lets nobody in: there is no account",
        "make one: `administrator NAME password` at the control socket";
    SSH_BROKE = 195_018, Cli, Info,
        "a connection by SSH broke",
        "nothing, unless there are many";
    CONFIGURATION_SAVED = 195_019, Cli, Info,
        "the configuration is saved",
        "nothing";
    BULKSTATS_SET = 195_020, Cli, Info,
        "an operator has set bulk statistics",
        "nothing";
    CONFIGURATION_APPLIED = 195_021, Cli, Info,
        "a configuration text is applied",
        "nothing";
    SSH_FULL = 195_022, Cli, Warning,
        "SSH has no room for one more",
        "see from where, and `show administrators`; more sessions are `ssh.sessions_max`";
    READY = 196_001, System, Info,
        "the node is ready",
        "nothing";
    ENDING = 196_002, System, Info,
        "ending",
        "nothing";
    ENDED = 196_003, System, Info,
        "ended",
        "nothing";
    STATE_NOT_SAVED = 196_004, System, Error,
        "state is not saved; calls go on",
        "see the disk of node.state_dir";
    EVENT_NOT_WRITTEN = 196_005, System, Error,
        "an event can't be written down",
        "keep the log";
    CONTROL_STALLED = 196_006, System, Critical,
        "the control thread does not work; calls go on with the last policies and ceilings",
        "restart the node if it does not come back; keep the log";
    CONTROL_WORKS = 196_007, System, Warning,
        "the control thread works again",
        "nothing";
    JOURNAL_SLOW = 196_008, System, Error,
        "the journal has stopped: the disk is too slow; calls go on",
        "see the disk; the journal begins again with the node";
    JOURNAL_UNWRITTEN = 196_009, System, Error,
        "the journal has stopped: a line can't be written; calls go on",
        "keep the log; the journal begins again with the node";
    NO_JOURNAL = 196_010, System, Error,
        "no journal; calls go on",
        "see the path and its disk";
    JOURNAL_FULL = 196_011, System, Warning,
        "the journal is full and has stopped",
        "keep it elsewhere, and restart the node";
    JOURNAL_STOPPED = 196_012, System, Error,
        "the journal has stopped; calls go on",
        "see the disk; the journal begins again with the node";
    METRICS_UNWRITTEN = 196_013, System, Error,
        "metrics can't be written",
        "keep the log";
    METRICS_SERVED = 196_014, System, Info,
        "metrics are served",
        "nothing";
    SOCKET_LEFT = 196_015, System, Warning,
        "the control socket can't be removed",
        "nothing; the next start removes it";
    NOT_CLEAN = 196_016, System, Error,
        "not a clean end",
        "see why; keep the log";
    CLOCK_LOST = 196_017, System, Critical,
        "all copies of the license clock are lost: a recovery period of 7 days runs",
        "register the node within that time";
    STATE_ALTERED = 196_018, System, Critical,
        "the state was altered by another hand",
        "find whose; restore nothing from copies";
    SECRET_LEFT = 196_019, System, Warning,
        "a secret that is not used any more can't be removed",
        "see the disk of node.state_dir";
    OPERATORS_RECORD = 196_020, System, Error,
        "the operator's record can't be read",
        "see the disk of node.state_dir; set again what was set";
    NOT_SET_ASIDE = 196_021, System, Error,
        "it can't be set aside",
        "see the disk of node.state_dir";
    SLOT_UNREADABLE = 196_022, System, Warning,
        "a slot of the license clock can't be read",
        "see the disk of node.state_dir";
    FORECAST_UNREADABLE = 196_023, System, Warning,
        "what a forecast is made of can't be read; it begins anew",
        "see the disk of node.state_dir";
    FORECAST_UNWRITTEN = 196_024, System, Warning,
        "what a forecast is made of can't be written",
        "see the disk of node.state_dir; it is tried again in an hour";
    SYSLOG_AWAY = 197_001, Evlog, Warning,
        "a syslog server is not reached",
        "see why, and `show logging`";
    SYSLOG_REACHED = 197_002, Evlog, Info,
        "a syslog server is reached again",
        "nothing";
    SYSLOG_DROPPED = 197_003, Evlog, Warning,
        "events are not sent to a syslog server",
        "see `show logging`; `show logs` may have them still";
    LOGGING_SET = 197_004, Evlog, Info,
        "an operator has set logging",
        "nothing";
}

alarms! {
    ServiceOutOfCompliance = 190_101, Critical,
        "a service is out of compliance",
        "buy licenses, or move some to this account; new calls are blocked";
    FeatureOutOfCompliance = 190_102, Error,
        "a feature is out of compliance",
        "buy licenses, or disable the feature, before grace ends";
    EvaluationMode = 190_103, Warning,
        "the node runs in evaluation",
        "register it";
    EvaluationExpired = 190_104, Critical,
        "the evaluation period is used up",
        "register the node; new calls are blocked";
    AuthorityUnreachable = 190_105, Error,
        "the license authority can't be reached",
        "see `show license transport` and the network";
    AuthorizationExpired = 190_106, Critical,
        "nothing was heard from the license authority for 90 days",
        "see the network; `license smart renew auth`";
    AtLimit = 190_107, Critical,
        "a service is at its ceiling; new calls are refused",
        "buy licenses, or see which calls do not end";
    GraceExpired = 190_108, Critical,
        "grace has ended; new calls are blocked",
        "buy licenses, or disable the feature";
    EvaluationEnded = 190_109, Critical,
        "the evaluation of what was in use has ended; new calls are blocked",
        "register the node";
    BlockNotApplied = 190_110, Warning,
        "calls would be blocked, and an order lets them through",
        "buy licenses before the order ends";
    RemainingLow = 190_111, Warning,
        "few sessions of a service are left",
        "buy licenses";
    LicenseCongestion = 190_112, Warning,
        "much of what a service is licensed for is in use",
        "buy licenses";
    AuthorityCertificateExpiring = 190_113, Error,
        "a root by which the license authority is known expires",
        "ask whoever runs the authority for its successor";
    CountDrift = 190_114, Error,
        "a recount of sessions differs from the counters",
        "keep the log and tell the makers; counts are corrected";
    StateLost = 190_115, Critical,
        "state of licensing is lost; a recovery period of 7 days runs",
        "register the node within that time";
    StateTampered = 190_116, Critical,
        "state of licensing is older than it should be, or altered",
        "find whose hand it was; restore nothing from copies";
    StateNotWritten = 190_117, Error,
        "state of licensing can't be written",
        "see the disk of node.state_dir";
    ClockTampered = 190_118, Error,
        "the wall clock has jumped by more than a day",
        "see who sets the clock";
    ControlStalled = 190_119, Critical,
        "the control thread does not work",
        "restart the node if it does not come back";
    AgentStalled = 190_120, Error,
        "the Smart Agent does not work",
        "restart the node if it does not come back";
    SnmpStalled = 190_121, Error,
        "the thread of SNMP does not work",
        "restart the node if it does not come back";
    BulkstatsStalled = 190_122, Error,
        "the thread of bulk statistics does not work",
        "restart the node if it does not come back";
    BulkstatsUndelivered = 190_123, Error,
        "no receiver takes a file of bulk statistics",
        "see `show bulkstats`, and the receivers";
    BulkstatsHostKey = 190_124, Error,
        "a receiver of bulk statistics is not the one that is configured",
        "compare its key or certificate; find who answers in its place";
    BulkstatsDiscarding = 190_125, Error,
        "bulk statistics are dropped for want of room",
        "see that a receiver takes them";
    BulkstatsNotWritten = 190_126, Error,
        "bulk statistics can't be written",
        "see the disk of node.state_dir";
    UnidentifiedCalls = 190_127, Warning,
        "calls without a subscriber come to ordinary access points",
        "see which peer sends them: `show license enforcement history`";
    EmergencyShare = 190_128, Warning,
        "emergency sessions are many beside the others",
        "see which peer makes them: `show subscribers summary`";
}

/// All rows.
pub fn rows() -> impl Iterator<Item = &'static Row> {
    EVENTS.iter().chain(ALARMS)
}

/// That of an id; none: there is no such event.
pub fn row(id: u32) -> Option<&'static Row> {
    rows().find(|row| row.id == id)
}

/// That of an event of licensing.
pub fn of(event: &Event) -> &'static Row {
    match event {
        Event::AlarmRaised { alarm } | Event::AlarmRepeated { alarm } => {
            alarm_row(begins(&alarm.kind))
        }
        Event::AlarmCleared { alarm } => alarm_row(begins(&alarm.kind) + ENDED_BY),
        Event::SmartLicensingEnabled => &SMART_LICENSING_ENABLED,
        Event::SmartLicensingDisabled => &SMART_LICENSING_DISABLED,
        Event::ModeChanged { .. } => &MODE_CHANGED,
        Event::EvaluationStarted => &EVALUATION_STARTED,
        Event::EvaluationWarning { .. } => &EVALUATION_ENDS,
        Event::SilenceWarning { .. } => &SILENCE,
        Event::ComplianceChanged { .. } => &COMPLIANCE_CHANGED,
        Event::PolicyChanged { .. } => &POLICY_CHANGED,
        Event::CeilingChanged { .. } => &CEILING_CHANGED,
        Event::FeatureEnabled { .. } => &FEATURE_ENABLED,
        Event::FeatureDisabled { .. } => &FEATURE_DISABLED,
        Event::ClockJumped { .. } => &CLOCK_JUMPED,
        Event::LabSpeedup { .. } => &LAB_SPEEDUP,
    }
}

fn alarm_row(id: u32) -> &'static Row {
    let row = ALARMS.iter().find(|row| row.id == id);
    row.expect("every kind of alarm has its rows by one macro")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_id_is_one_event_s_and_in_the_range_of_its_facility() {
        let mut ids = BTreeSet::new();
        let mut texts = BTreeSet::new();
        for row in rows() {
            assert!(ids.insert(row.id), "{} twice", row.id);
            assert!(texts.insert(row.text), "{:?} twice", row.text);
            let (first, count) = super::ids(row.facility);
            assert!((first..first + count).contains(&row.id), "{row:?}");
            assert!(!row.text.is_empty() && !row.todo.is_empty(), "{row:?}");
            assert_eq!(super::row(row.id), Some(row));
        }
        assert_eq!(super::row(1), None);
    }

    #[test]
    fn an_alarm_has_an_id_when_it_begins_and_another_when_it_ends() {
        let alarm = |kind| licensing::Alarm {
            id: licensing::AlarmId(1),
            kind,
            raised: licensing::Wall(0),
            repeated: None,
            value: 0,
        };
        let row = |event: Event| (of(&event).id, of(&event).severity);
        let kind = AlarmKind::EvaluationExpired;
        let began = row(Event::AlarmRaised { alarm: alarm(kind) });
        assert_eq!(began, (190_104, LogSeverity::Critical));
        assert_eq!(row(Event::AlarmRepeated { alarm: alarm(kind) }), began);
        let ended = row(Event::AlarmCleared { alarm: alarm(kind) });
        assert_eq!(ended, (190_204, LogSeverity::Info));
        assert_eq!(
            row(Event::SmartLicensingEnabled),
            (190_001, LogSeverity::Info)
        );
    }
}
