//! The surfaces: what `tollgate show` prints, each a pure function of one [`View`].
//!
//! [`SURFACES`] is the table of them; the command line's grammar, its help and the answers all derive from it.

mod accounts;
pub(crate) mod alarms;
mod audit;
mod bulkstats;
mod configuration;
mod counters;
mod details;
mod disconnects;
mod eval_period;
mod forecast;
pub(crate) mod history;
pub(crate) mod license;
mod logging;
mod logs;
mod peers;
mod policy;
pub(crate) mod preview;
mod remedy;
mod sessions;
mod smart_tags;
mod snmp;
mod statistics;
pub(crate) mod status;
mod subscribers;
mod system;
pub(crate) mod table;
pub mod text;
mod why;

use ::bulkstats::table::Schema;
use api::{
    AccountsView, AgentView, AlarmView, AuditView, BulkstatsData, BulkstatsStatus, CountersHistory,
    Failure, LogFacility, LogSeverity, LogView, LoggingView, PeerList, Preview, ServiceForecast,
    SessionSummary, SnmpView, SubscriberView,
};
use licensing::snapshot::{CatalogOrigin, TagRow};
use licensing::{RefusalRecord, Snapshot, Wall};
use serde_json::{Value, json};

/// All that a surface may be a function of; what it does not need is empty.
#[derive(Clone, Debug)]
pub struct View {
    /// The node.
    pub snapshot: Snapshot,
    /// Age of the snapshot in milliseconds, if the control thread has stalled and it is the last one it made.
    pub stalled_ms: Option<u64>,
    /// Refused calls, newest first.
    pub history: Vec<RefusalRecord>,
    /// The Smart Agent.
    pub agent: AgentView,
    /// Sessions and messages.
    pub sessions: SessionSummary,
    /// Peers.
    pub peers: PeerList,
    /// Alarms.
    pub alarms: AlarmView,
    /// SNMP.
    pub snmp: SnmpView,
    /// Bulk statistics.
    pub bulkstats: BulkstatsStatus,
    /// Samples of theirs that wait.
    pub bulkstats_data: Vec<BulkstatsData>,
    /// The event log.
    pub logs: LogView,
    /// The audit log.
    pub audit: AuditView,
    /// Calls by intervals.
    pub counters: CountersHistory,
    /// How long ceilings will last.
    pub forecast: Vec<ServiceForecast>,
    /// What a change would refuse, and the change.
    pub preview: (String, Preview),
    /// One subscriber.
    pub subscriber: SubscriberView,
    /// Everything else that can be shown, or why it can't.
    pub details: Vec<(&'static Surface, Result<View, Failure>)>,
    /// What is logged, and who is sent it.
    pub logging: LoggingView,
    /// Accounts.
    pub accounts: AccountsView,
    /// The configuration in force, as text.
    pub configuration: String,
    /// Which rows.
    pub filter: Filter,
}

impl View {
    /// The node alone, and all of its rows.
    pub fn of(snapshot: Snapshot) -> Self {
        Self {
            snapshot,
            stalled_ms: None,
            history: Vec::new(),
            agent: AgentView::default(),
            sessions: SessionSummary::default(),
            peers: PeerList::default(),
            alarms: AlarmView::default(),
            snmp: SnmpView::default(),
            bulkstats: BulkstatsStatus::default(),
            bulkstats_data: Vec::new(),
            logs: LogView::default(),
            audit: AuditView::default(),
            counters: CountersHistory::default(),
            forecast: Vec::new(),
            preview: Default::default(),
            subscriber: SubscriberView::default(),
            details: Vec::new(),
            logging: LoggingView::default(),
            accounts: AccountsView::default(),
            configuration: String::new(),
            filter: Filter::default(),
        }
    }
}

/// Which rows of a surface are wanted; none of a kind: all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Let through or refused.
    pub standing: Option<Standing>,
    /// Services or features.
    pub kind: Option<Kind>,
    /// More of each.
    pub verbose: bool,
    /// Of bulk statistics.
    pub schema: Option<Schema>,
    /// Events of this facility.
    pub facility: Option<LogFacility>,
    /// Events of this severity and all above it.
    pub level: Option<LogSeverity>,
    /// Events from then on.
    pub since: Option<Wall>,
}

/// Are new calls of a row let through?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// ALLOW.
    Allowed,
    /// BLOCK, and ALLOW-AT-LIMIT (rule L6).
    Blocked,
}

/// Is a row a service or a feature?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A counted service.
    Service,
    /// An on/off feature.
    Feature,
}

/// What a surface needs besides the snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// Nothing.
    Snapshot,
    /// The Smart Agent.
    Agent,
    /// The refused calls.
    History,
    /// Sessions and messages.
    Sessions,
    /// One subscriber, and the refused calls.
    Subscriber,
    /// Calls by intervals.
    Counters,
    /// How long ceilings will last.
    Forecast,
    /// What a change would refuse.
    Preview,
    /// All other surfaces.
    Details,
    /// Peers.
    Peers,
    /// Alarms.
    Alarms,
    /// SNMP, without its history.
    Snmp,
    /// SNMP with its history.
    Traps,
    /// The event log.
    Logs,
    /// The configuration.
    Configuration,
    /// The audit log.
    Audit,
    /// What is logged, and who is sent it.
    Logging,
    /// Accounts.
    Accounts,
    /// Bulk statistics.
    Bulkstats,
    /// The same, and samples that wait.
    BulkstatsData,
}

/// One `show` command.
#[derive(Debug)]
pub struct Surface {
    /// The words after `show`.
    pub words: &'static [&'static str],
    /// What it tells, in one line.
    pub help: &'static str,
    /// An example with what it answers.
    pub example: &'static str,
    /// It takes `allowed` or `blocked`.
    pub by_standing: bool,
    /// It takes `feature` or `service`.
    pub by_kind: bool,
    /// It takes `verbose`.
    pub has_verbose: bool,
    /// What it needs besides the snapshot.
    pub needs: Needs,
    text: fn(&View) -> String,
    json: fn(&View) -> Value,
}

/// The version of the schemas of all surfaces: a key that goes, or means something else, makes it another.
const SCHEMA_VERSION: u32 = 1;

/// Every surface.
pub const SURFACES: &[Surface] = &[
    Surface {
        words: &["license", "enforcement", "policy"],
        help: "The rules by which new calls are let through or refused",
        example: "show license enforcement policy",
        by_standing: false,
        by_kind: false,
        has_verbose: false,
        needs: Needs::Snapshot,
        text: policy::text,
        json: policy::json,
    },
    Surface {
        words: &["license", "enforcement", "status"],
        help: "What is blocked, why, since when, and what is about to be",
        example: "show license enforcement status blocked service",
        by_standing: true,
        by_kind: true,
        has_verbose: false,
        needs: Needs::Snapshot,
        text: status::text,
        json: status::json,
    },
    Surface {
        words: &["license", "enforcement", "history"],
        help: "The newest refused calls, each with what explains it",
        example: "show license enforcement history service",
        by_standing: false,
        by_kind: true,
        has_verbose: false,
        needs: Needs::History,
        text: history::text,
        json: history::json,
    },
    Surface {
        words: &["license", "enforcement", "preview"],
        help: "What a change would refuse of the calls that come now; it is not made",
        example: "show license enforcement preview no feature GRE enable",
        by_standing: false,
        by_kind: false,
        has_verbose: false,
        needs: Needs::Preview,
        text: preview::text,
        json: preview::json,
    },
    Surface {
        words: &["license", "why", "imsi"],
        help: "Why a subscriber's calls are let through, or were refused",
        example: "show license why imsi 240010000000001",
        by_standing: false,
        by_kind: false,
        has_verbose: false,
        needs: Needs::Subscriber,
        text: subscribers::why_text,
        json: subscribers::why_json,
    },
    Surface {
        words: &["license", "statistics"],
        help: "Counts, reports and policy changes of each tag, by mode",
        example: "show license statistics service",
        by_standing: false,
        by_kind: true,
        has_verbose: false,
        needs: Needs::Agent,
        text: statistics::text,
        json: statistics::json,
    },
    Surface {
        words: &["license", "forecast"],
        help: "Days until the ceilings of services are reached, at the growth that was seen",
        example: "show license forecast",
        by_standing: false,
        by_kind: false,
        has_verbose: false,
        needs: Needs::Forecast,
        text: forecast::text,
        json: forecast::json,
    },
    Surface {
        words: &["license", "eval-period"],
        help: "The evaluation clock: granted, used, remaining",
        example: "show license eval-period",
        by_standing: false,
        by_kind: false,
        has_verbose: false,
        needs: Needs::Snapshot,
        text: eval_period::text,
        json: eval_period::json,
    },
    Surface {
        words: &["license", "smart-tags"],
        help: "What can be licensed, and under which tag",
        example: "show license smart-tags feature",
        by_standing: false,
        by_kind: true,
        has_verbose: false,
        needs: Needs::Snapshot,
        text: smart_tags::text,
        json: smart_tags::json,
    },
    Surface {
        words: &["license", "status"],
        help: "Registration, authorization and their deadlines",
        example: "show license status",
        by_standing: false,
        by_kind: false,
        has_verbose: false,
        needs: Needs::Agent,
        text: license::status_text,
        json: license::status_json,
    },
    Surface {
        words: &["license", "summary"],
        help: "Registration, and a line for each license in use",
        example: "show license summary",
        by_standing: false,
        by_kind: false,
        has_verbose: false,
        needs: Needs::Agent,
        text: license::summary_text,
        json: license::summary_json,
    },
    Surface {
        words: &["license", "usage"],
        help: "The licenses in use, and where each stands",
        example: "show license usage",
        by_standing: false,
        by_kind: false,
        has_verbose: false,
        needs: Needs::Agent,
        text: license::usage_text,
        json: usage_object,
    },
    Surface {
        words: &["license", "all"],
        help: "Status, usage, product and agent in one",
        example: "show license all",
        by_standing: false,
        by_kind: false,
        has_verbose: false,
        needs: Needs::Agent,
        text: license::all_text,
        json: license::all_json,
    },
    Surface {
        words: &["license", "udi"],
        help: "The device as the license authority knows it",
        example: "show license udi",
        by_standing: false,
        by_kind: false,
        has_verbose: false,
        needs: Needs::Agent,
        text: license::udi_text,
        json: license::udi_json,
    },
    Surface {
        words: &["license", "transport"],
        help: "The way to the license authority, and its timers",
        example: "show license transport",
        by_standing: false,
        by_kind: false,
        has_verbose: false,
        needs: Needs::Agent,
        text: license::transport_text,
        json: license::transport_json,
    },
    Surface {
        words: &["license", "trust-pool"],
        help: "The roots that a license authority may stand below",
        example: "show license trust-pool",
        by_standing: false,
        by_kind: false,
        has_verbose: false,
        needs: Needs::Agent,
        text: license::trust_pool_text,
        json: license::trust_pool_json,
    },
    Surface {
        words: &["license", "tech-support"],
        help: "All that the Smart Agent knows, for support",
        example: "show license tech-support",
        by_standing: false,
        by_kind: false,
        has_verbose: false,
        needs: Needs::Agent,
        text: license::tech_support_text,
        json: license::tech_support_json,
    },
    Surface {
        words: &["call-home", "smart-licensing", "statistics"],
        help: "Messages to the license authority, by type",
        example: "show call-home smart-licensing statistics",
        by_standing: false,
        by_kind: false,
        has_verbose: false,
        needs: Needs::Agent,
        text: license::call_home_text,
        json: license::call_home_json,
    },
    Surface {
        words: &["session", "summary"],
        help: "Sessions by service, access point and peer; messages and causes",
        example: "show session summary",
        by_standing: false,
        by_kind: false,
        has_verbose: false,
        needs: Needs::Sessions,
        text: sessions::text,
        json: sessions::json,
    },
    Surface {
        words: &["session", "counters", "historical", "all"],
        help: "Calls by intervals of 15 minutes, the newest first",
        example: "show session counters historical all",
        by_standing: false,
        by_kind: false,
        has_verbose: false,
        needs: Needs::Counters,
        text: counters::text,
        json: counters::json,
    },
    Surface {
        words: &["session", "disconnect-reasons"],
        help: "What ended sessions, and the share of each",
        example: "show session disconnect-reasons",
        by_standing: false,
        by_kind: false,
        has_verbose: false,
        needs: Needs::Sessions,
        text: disconnects::text,
        json: disconnects::json,
    },
    Surface {
        words: &["subscribers", "summary"],
        help: "Sessions by their kind",
        example: "show subscribers summary",
        by_standing: false,
        by_kind: false,
        has_verbose: false,
        needs: Needs::Sessions,
        text: subscribers::summary_text,
        json: subscribers::summary_json,
    },
    Surface {
        words: &["subscribers", "imsi"],
        help: "A subscriber's sessions",
        example: "show subscribers imsi 240010000000001",
        by_standing: false,
        by_kind: false,
        has_verbose: false,
        needs: Needs::Subscriber,
        text: subscribers::imsi_text,
        json: subscribers::imsi_json,
    },
    Surface {
        words: &["gtpc", "peers"],
        help: "Peers with sessions: path, restarts, last Echo",
        example: "show gtpc peers --limit 100 --offset 200",
        by_standing: false,
        by_kind: false,
        has_verbose: false,
        needs: Needs::Peers,
        text: peers::text,
        json: peers::json,
    },
    Surface {
        words: &["resources"],
        help: "What each service uses of what it may",
        example: "show resources",
        by_standing: false,
        by_kind: false,
        has_verbose: false,
        needs: Needs::Snapshot,
        text: system::resources_text,
        json: system::resources_json,
    },
    Surface {
        words: &["configuration"],
        help: "The configuration in force, as text that can be read back",
        example: "show configuration",
        by_standing: false,
        by_kind: false,
        has_verbose: false,
        needs: Needs::Configuration,
        text: configuration::text,
        json: configuration::json,
    },
    Surface {
        words: &["configuration", "checksum"],
        help: "SHA-256 of that text, by which two are told apart",
        example: "show configuration checksum",
        by_standing: false,
        by_kind: false,
        has_verbose: false,
        needs: Needs::Configuration,
        text: configuration::checksum,
        json: configuration::checksum_json,
    },
    Surface {
        words: &["logs"],
        help: "The event log, the newest events last",
        example: "show logs --facility slmgr --level warning",
        by_standing: false,
        by_kind: false,
        has_verbose: false,
        needs: Needs::Logs,
        text: logs::text,
        json: logs::json,
    },
    Surface {
        words: &["administrators"],
        help: "Who may log in by SSH, and who is locked",
        example: "show administrators",
        by_standing: false,
        by_kind: false,
        has_verbose: false,
        needs: Needs::Accounts,
        text: accounts::text,
        json: accounts::json,
    },
    Surface {
        words: &["audit"],
        help: "What was changed, by whom and from where; logins",
        example: "show audit --limit 50",
        by_standing: false,
        by_kind: false,
        has_verbose: false,
        needs: Needs::Audit,
        text: audit::text,
        json: audit::json,
    },
    Surface {
        words: &["logging"],
        help: "What is logged, and how the syslog servers are",
        example: "show logging",
        by_standing: false,
        by_kind: false,
        has_verbose: false,
        needs: Needs::Logging,
        text: logging::text,
        json: logging::json,
    },
    Surface {
        words: &["system", "uptime"],
        help: "How long the node has run",
        example: "show system uptime",
        by_standing: false,
        by_kind: false,
        has_verbose: false,
        needs: Needs::Snapshot,
        text: system::uptime_text,
        json: system::uptime_json,
    },
    Surface {
        words: &["version"],
        help: "The software that runs",
        example: "show version",
        by_standing: false,
        by_kind: false,
        has_verbose: false,
        needs: Needs::Snapshot,
        text: system::version_text,
        json: system::version_json,
    },
    Surface {
        words: &["alarm", "outstanding"],
        help: "The conditions that stand now, the oldest first",
        example: "show alarm outstanding verbose",
        by_standing: false,
        by_kind: false,
        has_verbose: true,
        needs: Needs::Alarms,
        text: alarms::outstanding_text,
        json: alarms::outstanding_json,
    },
    Surface {
        words: &["alarm", "statistics"],
        help: "How many alarms stand, and how many were raised since the start",
        example: "show alarm statistics",
        by_standing: false,
        by_kind: false,
        has_verbose: false,
        needs: Needs::Alarms,
        text: alarms::statistics_text,
        json: alarms::statistics_json,
    },
    Surface {
        words: &["alarm", "all"],
        help: "Both in one",
        example: "show alarm all",
        by_standing: false,
        by_kind: false,
        has_verbose: false,
        needs: Needs::Alarms,
        text: alarms::all_text,
        json: alarms::all_json,
    },
    Surface {
        words: &["snmp", "trap", "history"],
        help: "The last notifications, oldest first, whether sent or not",
        example: "show snmp trap history --limit 100",
        by_standing: false,
        by_kind: false,
        has_verbose: false,
        needs: Needs::Traps,
        text: snmp::history_text,
        json: snmp::history_json,
    },
    Surface {
        words: &["snmp", "trap", "statistics"],
        help: "How many notifications there were; verbose: of each that there is",
        example: "show snmp trap statistics verbose",
        by_standing: false,
        by_kind: false,
        has_verbose: true,
        needs: Needs::Snmp,
        text: snmp::statistics_text,
        json: snmp::statistics_json,
    },
    Surface {
        words: &["snmp", "notifies"],
        help: "Each notification that there was: how often, and when last",
        example: "show snmp notifies",
        by_standing: false,
        by_kind: false,
        has_verbose: false,
        needs: Needs::Snmp,
        text: snmp::notifies_text,
        json: snmp::notifies_json,
    },
    Surface {
        words: &["snmp", "transports"],
        help: "The targets of notifications: state, queue, what became of them",
        example: "show snmp transports",
        by_standing: false,
        by_kind: false,
        has_verbose: false,
        needs: Needs::Snmp,
        text: snmp::transports_text,
        json: snmp::transports_json,
    },
    Surface {
        words: &["snmp", "server"],
        help: "The agent: where managers ask, its engine, its counters",
        example: "show snmp server",
        by_standing: false,
        by_kind: false,
        has_verbose: false,
        needs: Needs::Snmp,
        text: snmp::server_text,
        json: snmp::server_json,
    },
    Surface {
        words: &["snmp", "communities"],
        help: "Who may read by SNMPv1 and v2c",
        example: "show snmp communities",
        by_standing: false,
        by_kind: false,
        has_verbose: false,
        needs: Needs::Snmp,
        text: snmp::communities_text,
        json: snmp::communities_json,
    },
    Surface {
        words: &["snmp", "users"],
        help: "Who may read by SNMPv3, and how securely",
        example: "show snmp users",
        by_standing: false,
        by_kind: false,
        has_verbose: false,
        needs: Needs::Snmp,
        text: snmp::users_text,
        json: snmp::users_json,
    },
    Surface {
        words: &["bulkstats"],
        help: "Bulk statistics: files, receivers, what waits and what arrived",
        example: "show bulkstats",
        by_standing: false,
        by_kind: false,
        has_verbose: false,
        needs: Needs::Bulkstats,
        text: bulkstats::text,
        json: bulkstats::json,
    },
    Surface {
        words: &["bulkstats", "data"],
        help: "Samples that wait, as they stand in files not complete yet",
        example: "show bulkstats data",
        by_standing: false,
        by_kind: false,
        has_verbose: false,
        needs: Needs::BulkstatsData,
        text: bulkstats::data_text,
        json: bulkstats::data_json,
    },
    Surface {
        words: &["bulkstats", "schemas"],
        help: "What is in each file",
        example: "show bulkstats schemas",
        by_standing: false,
        by_kind: false,
        has_verbose: false,
        needs: Needs::Bulkstats,
        text: bulkstats::schemas_text,
        json: bulkstats::schemas_json,
    },
    Surface {
        words: &["bulkstats", "variables"],
        help: "Every variable that schemas, or one, may have",
        example: "show bulkstats variables smart-license",
        by_standing: false,
        by_kind: false,
        has_verbose: false,
        needs: Needs::Snapshot,
        text: bulkstats::variables_text,
        json: bulkstats::variables_json,
    },
    Surface {
        words: &["support", "details"],
        help: "All of it in one, for whoever helps; no secrets are in it",
        example: "show support details",
        by_standing: false,
        by_kind: false,
        has_verbose: false,
        needs: Needs::Details,
        text: details::text,
        json: details::json,
    },
];

impl Surface {
    /// It takes the name of a schema of bulk statistics.
    pub fn by_schema(&self) -> bool {
        self.words == ["bulkstats", "variables"]
    }

    /// What has to be named for it: what that is called, what it is, and whether it may be several words; none: nothing.
    pub fn names(&self) -> Option<(&'static str, &'static str, bool)> {
        match self.needs {
            Needs::Subscriber => Some(("IMSI", "The IMSI, 6 to 15 digits", false)),
            Needs::Preview => Some((
                "CHANGE",
                "The change: [no] license smart enable, license smart deregister, or [no] feature NAME enable",
                true,
            )),
            Needs::Snapshot
            | Needs::Agent
            | Needs::History
            | Needs::Sessions
            | Needs::Counters
            | Needs::Forecast
            | Needs::Details
            | Needs::Peers
            | Needs::Alarms
            | Needs::Snmp
            | Needs::Traps
            | Needs::Logs
            | Needs::Configuration
            | Needs::Audit
            | Needs::Logging
            | Needs::Accounts
            | Needs::Bulkstats
            | Needs::BulkstatsData => None,
        }
    }

    /// The name and version of the schema of its JSON: `license-status/1`.
    pub fn schema(&self) -> String {
        format!("{}/{SCHEMA_VERSION}", self.words.join("-"))
    }

    /// The surface of these words.
    pub fn named(words: &[&str]) -> Option<&'static Self> {
        SURFACES.iter().find(|surface| surface.words == words)
    }

    /// As text: the time, the banners of a lab node and of a stalled one, then the surface.
    pub fn text(&self, view: &View) -> String {
        self.heading(view) + &self.body(view)
    }

    /// The line of its time.
    pub fn heading(&self, view: &View) -> String {
        if self.is_file() {
            return String::new();
        }
        format!("{}\n", text::heading_stamp(view.snapshot.at.wall))
    }

    /// It prints what a file may be: no date and no banner stands before it.
    fn is_file(&self) -> bool {
        self.words == ["configuration"]
    }

    /// What follows that line.
    pub fn body(&self, view: &View) -> String {
        if self.is_file() {
            // A remark there, the banner says what it says anywhere.
            let remarks: String = lab_banner(&view.snapshot)
                .lines()
                .map(|line| format!("! {line}\n"))
                .collect();
            return (self.text)(view).replacen('\n', &format!("\n{remarks}"), 1);
        }
        let mut out = lab_banner(&view.snapshot);
        if let Some(age) = view.stalled_ms {
            out.push_str(&text::labelled("*** ", &stalled_banner(age)));
        }
        out.push_str(&(self.text)(view));
        out
    }

    /// As data: the node, the time and the sequence number of the snapshot, then the surface.
    pub fn json(&self, view: &View) -> Value {
        let snapshot = &view.snapshot;
        let mut out = json!({
            "schema": self.schema(),
            "seq": snapshot.seq,
            "at": snapshot.at.wall,
            "node": snapshot.node,
            "lab": snapshot.lab,
            "stalled_ms": view.stalled_ms,
        });
        if let (Value::Object(out), Value::Object(body)) = (&mut out, (self.json)(view)) {
            out.extend(body);
        }
        out
    }
}

/// The line that a lab node says LAB with on every surface (rule L2); empty on any other.
pub fn lab_banner(snapshot: &Snapshot) -> String {
    let Some(lab) = snapshot.lab else {
        return String::new();
    };
    let catalog = match (snapshot.node.catalog, lab.unsigned_catalog) {
        (_, true) | (CatalogOrigin::File, _) => "unsigned catalog",
        (CatalogOrigin::Ordered, false) => "signed catalog",
        (CatalogOrigin::Embedded, false) => "embedded catalog",
    };
    format!(
        "*** LAB node, not for service: license clock x{}, {catalog} ***\n",
        lab.speedup
    )
}

fn stalled_banner(age_ms: u64) -> String {
    format!(
        "STALLED: the control thread does not work; this is {} old. Calls go on under the last policies and ceilings.",
        text::rough_span(age_ms / 1000)
    )
}

fn usage_object(view: &View) -> Value {
    json!({ "usage": license::usage_json(view) })
}

fn kind_of(row: TagRow<'_>) -> Kind {
    match row {
        TagRow::Service(_) => Kind::Service,
        TagRow::Feature(_) => Kind::Feature,
    }
}

/// The lines on the node and on smart licensing as a whole that several surfaces begin with.
fn node_fields(snapshot: &Snapshot) -> String {
    let node = &snapshot.node;
    let udi = format!("PID:{},SN:{} ({})", node.pid, node.serial, node.product);
    let smart = &snapshot.smart;
    let status = match (smart.enabled, smart.ever_enabled) {
        (true, _) => "Enabled",
        (false, true) => "Disabled, the last verdicts are kept",
        (false, false) => "Disabled, never enabled: calls are counted and let through",
    };
    let mut out = text::field("Node", &format!("{}, {udi}", node.name));
    out.push_str(&text::field("Smart Licensing", status));
    out.push_str(&text::field("Mode", &smart.mode.to_string()));
    out.push_str(&text::field("Catalog", catalog(node.catalog)));
    out
}

/// Which catalog is in force.
fn catalog(origin: CatalogOrigin) -> &'static str {
    match origin {
        CatalogOrigin::Embedded => "embedded",
        CatalogOrigin::File => "a file's, unsigned",
        CatalogOrigin::Ordered => "ordered and signed by the license authority",
    }
}
