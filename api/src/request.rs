//! What one may ask, and the answers.

use licensing::{RefusalRecord, Snapshot, Wall};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::access::AuditView;
use crate::accounts::{AccountCommand, AccountsView};
use crate::admission::{ClientLease, ClientRequest};
use crate::agent::AgentView;
use crate::alarms::AlarmView;
use crate::apply::{APPLY_BYTES_MAX, Applied, ApplyCommand};
use crate::bulkstats::{BulkstatsCommand, BulkstatsData, BulkstatsStatus};
use crate::bulkstats_setting::BulkstatsSetting;
use crate::clear::ClearWhom;
use crate::counters::CountersHistory;
use crate::forecast::ServiceForecast;
use crate::health::Health;
use crate::license::LicenseCommand;
use crate::logging::{LoggingCommand, LoggingView};
use crate::logs::{LogFacility, LogSeverity, LogView};
use crate::peers::PeerList;
use crate::preview::{Preview, PreviewChange};
use crate::sessions::SessionSummary;
use crate::settings::{SnmpCommand, ThresholdCommand};
use crate::snmp::SnmpView;
use crate::subscribers::SubscriberView;
use crate::transport::TransportCommand;

/// Where requests are posted.
pub const REQUEST_PATH: &str = "/v1/request";

/// Longest request body accepted, in bytes.
pub const REQUEST_BYTES_MAX: usize = 2 * APPLY_BYTES_MAX;

/// Most refusals that one [`Request::History`] gets.
pub const HISTORY_LIMIT_MAX: u32 = 10_000;

/// All that one may ask a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "request", deny_unknown_fields)]
pub enum Request {
    /// The node at this instant; answered with [`Reply::Snapshot`].
    ///
    /// Counts are sampled for it, unless the control thread has stalled: then the last snapshot comes, with its age.
    Snapshot,
    /// The newest refusals (rule L17); answered with [`Reply::History`].
    History {
        /// At most so many, at most [`HISTORY_LIMIT_MAX`].
        limit: u32,
    },
    /// Sessions and messages; answered with [`Reply::Sessions`].
    Sessions,
    /// Peers that have sessions; answered with [`Reply::Peers`].
    Peers {
        /// So many of the first ones are left out, in the order of their addresses.
        offset: u32,
        /// At most so many, at most [`PEERS_LIMIT_MAX`](crate::PEERS_LIMIT_MAX).
        limit: u32,
    },
    /// What there is of one subscriber; answered with [`Reply::Subscriber`].
    Subscriber {
        /// Its IMSI, 6 to 15 digits.
        imsi: String,
    },
    /// Calls by intervals of 15 minutes; answered with [`Reply::Counters`].
    Counters,
    /// How long ceilings will last; answered with [`Reply::Forecast`].
    Forecast,
    /// What a change would refuse, which is not made; answered with [`Reply::Preview`].
    Preview {
        /// The change.
        of: PreviewChange,
    },
    /// `license smart enable`, or its `no` form (rule L2); answered with [`Reply::Done`].
    SmartLicensing {
        /// Enable; else disable.
        enable: bool,
    },
    /// `feature <name> enable`, or its `no` form (rule L12); answered with [`Reply::Done`].
    Feature {
        /// Its short name in the catalog, letter case apart.
        name: String,
        /// Enable; else disable.
        enable: bool,
    },
    /// Sets the speed of the license clock; refused on a node that is not marked `[lab]`. Answered with [`Reply::Done`].
    LabSpeedup {
        /// License seconds a second, at least 1.
        speedup: u32,
    },
    /// Ends sessions: their peers are asked to delete them. Answered with [`Reply::Cleared`], also when the control thread
    /// has stalled.
    Clear {
        /// Whose.
        whom: ClearWhom,
        /// Their UEs are asked to connect again.
        reactivate: bool,
    },
    /// How the node itself is; answered with [`Reply::Health`], also when the control thread has stalled.
    Health,
    /// `license smart register`, `renew` and `deregister`; answered with [`Reply::Done`] once the license authority has
    /// answered, after [`crate::LICENSE_ANSWER_S`] at the latest.
    License(LicenseCommand),
    /// `license smart url` and `proxy`, and their `no` forms; answered with [`Reply::Done`] once it is kept and the next
    /// message goes that way.
    Transport(TransportCommand),
    /// `snmp target`, `community`, `user` and `trap`, and their `no` forms; answered with [`Reply::Done`] once it is kept and
    /// in force.
    SnmpSet(Box<SnmpCommand>),
    /// `threshold license remaining-sessions`, and its `no` form; likewise.
    Threshold(ThresholdCommand),
    /// The Smart Agent and the node at one instant; answered with [`Reply::Agent`].
    Agent,
    /// Outstanding alarms, and how many there were; answered with [`Reply::Alarms`].
    Alarms,
    /// SNMP: who is sent notifications, which there were, what managers asked; answered with [`Reply::Snmp`].
    Snmp {
        /// At most so many notifications of the history, the newest, at most
        /// [`TRAPS_LIMIT_MAX`](crate::TRAPS_LIMIT_MAX).
        history: u32,
    },
    /// The event log; answered with [`Reply::Logs`], also when the control thread has stalled.
    Logs {
        /// At most so many, the newest, at most [`LOGS_LIMIT_MAX`](crate::LOGS_LIMIT_MAX).
        limit: u32,
        /// Of this facility alone; none: of all.
        facility: Option<LogFacility>,
        /// Of this severity and all above it; none: all.
        level: Option<LogSeverity>,
        /// From then on; none: all.
        since: Option<Wall>,
    },
    /// The audit log; answered with [`Reply::Audit`], also when the control thread has stalled.
    Audit {
        /// At most so many lines, the newest, at most [`AUDIT_LIMIT_MAX`](crate::AUDIT_LIMIT_MAX).
        limit: u32,
    },
    /// What is logged and who is sent it; answered with [`Reply::Logging`], also when the control thread has stalled.
    Logging,
    /// `logging filter` and `syslog`, and their `no` forms; answered with [`Reply::Done`] once it is kept and in force.
    LoggingSet(Box<LoggingCommand>),
    /// Accounts and logins; answered with [`Reply::Accounts`], also when the control thread has stalled.
    Accounts,
    /// `administrator`, `operator`, `inspector` and their `no` forms, and `clear administrator lock`; answered with
    /// [`Reply::Done`] once it is kept and in force.
    Account(AccountCommand),
    /// Bulk statistics; answered with [`Reply::Bulkstats`], also when their thread has stalled.
    Bulkstats,
    /// Samples that wait and whose file is not complete; answered with [`Reply::BulkstatsData`].
    BulkstatsData,
    /// `bulkstats force` and `clear bulkstats`; answered with [`Reply::Done`] once it is done; a transfer has then begun.
    BulkstatsDo {
        /// What is to be done.
        command: BulkstatsCommand,
    },
    /// `bulkstats collection`, and what is said in `bulkstats mode`; answered with [`Reply::Done`] once it is kept and in force.
    BulkstatsSet(Box<BulkstatsSetting>),
    /// The configuration in force, as text in StarOS's manner; answered with [`Reply::Configuration`].
    Configuration,
    /// Writes that text to a file of the node's; answered with [`Reply::Saved`] once it is on disk.
    SaveConfiguration {
        /// Its name, from the state directory on; none: `startup.cfg` there. Another file than such a text is not written
        /// over.
        file: Option<String>,
    },
    /// Changes what a configuration text changes at run time, all of it or nothing; answered with [`Reply::Applied`] once it is
    /// kept and in force.
    Apply(Box<ApplyCommand>),
    /// What a client of the admission API asks; answered with [`Reply::Lease`], also when the control thread has stalled.
    Client(ClientRequest),
}

/// What a node answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "reply")]
pub enum Reply {
    /// To [`Request::Snapshot`].
    Snapshot {
        /// The snapshot.
        snapshot: Box<Snapshot>,
        /// How old it is, in milliseconds; near 0 unless `stalled`.
        age_ms: u64,
        /// The control thread does not work: this is the last snapshot that it made.
        stalled: bool,
    },
    /// To [`Request::Agent`].
    Agent {
        /// The snapshot.
        snapshot: Box<Snapshot>,
        /// As in [`Reply::Snapshot`].
        age_ms: u64,
        /// As in [`Reply::Snapshot`].
        stalled: bool,
        /// The agent.
        agent: Box<AgentView>,
    },
    /// To [`Request::Preview`].
    Preview {
        /// What would be refused.
        preview: Preview,
    },
    /// To [`Request::Logs`].
    Logs {
        /// The log.
        logs: LogView,
    },
    /// To [`Request::Audit`].
    Audit {
        /// The log.
        audit: AuditView,
    },
    /// To [`Request::Logging`].
    Logging {
        /// What is logged, and who is sent it.
        logging: LoggingView,
    },
    /// To [`Request::Accounts`].
    Accounts {
        /// The accounts.
        accounts: AccountsView,
    },
    /// To [`Request::Configuration`].
    Configuration {
        /// Its lines.
        text: String,
    },
    /// To [`Request::SaveConfiguration`].
    Saved {
        /// The file, by its whole path.
        file: String,
    },
    /// To [`Request::Apply`].
    Applied {
        /// What is changed.
        applied: Applied,
    },
    /// To [`Request::Bulkstats`].
    Bulkstats {
        /// How they are.
        bulkstats: Box<BulkstatsStatus>,
    },
    /// To [`Request::BulkstatsData`].
    BulkstatsData {
        /// One entry a file that has samples.
        files: Vec<BulkstatsData>,
    },
    /// To [`Request::Alarms`].
    Alarms {
        /// The snapshot.
        snapshot: Box<Snapshot>,
        /// As in [`Reply::Snapshot`].
        age_ms: u64,
        /// As in [`Reply::Snapshot`].
        stalled: bool,
        /// The alarms of that snapshot.
        alarms: AlarmView,
    },
    /// To [`Request::Snmp`].
    Snmp {
        /// The snapshot.
        snapshot: Box<Snapshot>,
        /// As in [`Reply::Snapshot`].
        age_ms: u64,
        /// As in [`Reply::Snapshot`].
        stalled: bool,
        /// SNMP.
        snmp: Box<SnmpView>,
    },
    /// To [`Request::History`].
    History {
        /// Newest first. Names of services and features are in the snapshot's rows of these indices.
        refusals: Vec<RefusalRecord>,
    },
    /// To [`Request::Sessions`].
    Sessions {
        /// The summary.
        sessions: Box<SessionSummary>,
    },
    /// To [`Request::Peers`].
    Peers {
        /// The peers.
        peers: PeerList,
    },
    /// To [`Request::Subscriber`].
    Subscriber {
        /// The subscriber.
        subscriber: Box<SubscriberView>,
    },
    /// To [`Request::Forecast`].
    Forecast {
        /// One entry a service of the catalog, in its order.
        services: Vec<ServiceForecast>,
    },
    /// To [`Request::Counters`].
    Counters {
        /// The intervals.
        counters: CountersHistory,
    },
    /// To a request that changes something.
    Done {
        /// It made a difference; else it was so before.
        changed: bool,
    },
    /// To [`Request::Clear`].
    Cleared {
        /// Sessions whose peers are asked to delete them; each ends with its peer's answer, or for want of one.
        sessions: u64,
        /// Sessions that are meant too, but are held by clients of the admission API: they are left to them.
        clients: u64,
    },
    /// To [`Request::Health`].
    Health {
        /// The health.
        health: Box<Health>,
    },
    /// To [`Request::Client`].
    Lease {
        /// The lease as it is then.
        lease: ClientLease,
    },
}

/// Why a request was not answered: what is wrong, where, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Error)]
#[error("{what} ({place}): {todo}")]
pub struct Failure {
    /// What is wrong; a lower-case phrase.
    pub what: String,
    /// The thing that it is about: a key of the request, a file, a thread.
    #[serde(rename = "where")]
    pub place: String,
    /// What to do about it.
    pub todo: String,
}

/// The body of every response, of either kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Answer {
    /// Status 200.
    Reply(Reply),
    /// Any other status.
    Failure(Failure),
}

/// Why octets are not a request.
#[derive(Debug, Error)]
pub enum RequestError {
    /// They are not JSON, or not of the form of any request.
    #[error(transparent)]
    Form(#[from] serde_json::Error),
    /// They say more than the request has keys for.
    #[error("{request} has no other keys than {known}")]
    UnknownKey {
        /// The request that they are.
        request: String,
        /// Its keys.
        known: String,
    },
}

impl Request {
    /// Reads a request from JSON, all of whose keys must be the request's, each once.
    pub fn read(json: &[u8]) -> Result<Self, RequestError> {
        // Not by way of a value, in which the last of two equal keys would hold.
        let request: Self = serde_json::from_slice(json)?;
        let said: serde_json::Value = serde_json::from_slice(json)?;
        let meant = serde_json::to_value(&request)?;
        if said == meant {
            return Ok(request);
        }
        let keys = meant
            .as_object()
            .into_iter()
            .flat_map(|object| object.keys());
        Err(RequestError::UnknownKey {
            request: meant["request"].as_str().unwrap_or_default().to_owned(),
            known: keys.map(String::as_str).collect::<Vec<_>>().join(", "),
        })
    }
}

impl Failure {
    /// A failure of these three parts.
    pub fn new(what: impl Into<String>, place: impl Into<String>, todo: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            place: place.into(),
            todo: todo.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admission::{BatchOperation, CallClass, CallKind};

    #[test]
    fn requests_read_as_documented() {
        let cases = [
            (r#"{"request":"snapshot"}"#, Request::Snapshot),
            (
                r#"{"request":"history","limit":20}"#,
                Request::History { limit: 20 },
            ),
            (r#"{"request":"sessions"}"#, Request::Sessions),
            (
                r#"{"request":"peers","offset":10,"limit":20}"#,
                Request::Peers {
                    offset: 10,
                    limit: 20,
                },
            ),
            (
                r#"{"request":"smart-licensing","enable":true}"#,
                Request::SmartLicensing { enable: true },
            ),
            (
                r#"{"request":"feature","name":"GRE","enable":false}"#,
                Request::Feature {
                    name: "GRE".into(),
                    enable: false,
                },
            ),
            (
                r#"{"request":"lab-speedup","speedup":86400}"#,
                Request::LabSpeedup { speedup: 86_400 },
            ),
            (
                r#"{"request":"clear","whom":{"imsi":"240010000000001"},"reactivate":true}"#,
                Request::Clear {
                    whom: ClearWhom::Imsi("240010000000001".into()),
                    reactivate: true,
                },
            ),
            (
                r#"{"request":"clear","whom":{"peer":"10.0.0.9"},"reactivate":false}"#,
                Request::Clear {
                    whom: ClearWhom::Peer([10, 0, 0, 9].into()),
                    reactivate: false,
                },
            ),
            (
                r#"{"request":"clear","whom":"all","reactivate":false}"#,
                Request::Clear {
                    whom: ClearWhom::All,
                    reactivate: false,
                },
            ),
            (
                r#"{"request":"subscriber","imsi":"240010000000001"}"#,
                Request::Subscriber {
                    imsi: "240010000000001".into(),
                },
            ),
            (r#"{"request":"counters"}"#, Request::Counters),
            (r#"{"request":"forecast"}"#, Request::Forecast),
            (r#"{"request":"health"}"#, Request::Health),
            (r#"{"request":"agent"}"#, Request::Agent),
            (r#"{"request":"alarms"}"#, Request::Alarms),
            (
                r#"{"request":"logs","limit":20,"facility":"slmgr","level":null,"since":1700000000000}"#,
                Request::Logs {
                    limit: 20,
                    facility: Some(LogFacility::Slmgr),
                    level: None,
                    since: Some(Wall(1_700_000_000_000)),
                },
            ),
            (r#"{"request":"logging"}"#, Request::Logging),
            (
                r#"{"request":"logging-set","do":"filter","facility":null,"level":"error"}"#,
                Request::LoggingSet(Box::new(LoggingCommand::Filter {
                    facility: None,
                    level: LogSeverity::Error,
                })),
            ),
            (r#"{"request":"configuration"}"#, Request::Configuration),
            (
                r#"{"request":"save-configuration","file":null}"#,
                Request::SaveConfiguration { file: None },
            ),
            (r#"{"request":"bulkstats"}"#, Request::Bulkstats),
            (r#"{"request":"bulkstats-data"}"#, Request::BulkstatsData),
            (
                r#"{"request":"bulkstats-do","command":"force-gather"}"#,
                Request::BulkstatsDo {
                    command: BulkstatsCommand::ForceGather,
                },
            ),
            (
                r#"{"request":"snmp-set","do":"suppress","name":"tgForked"}"#,
                Request::SnmpSet(Box::new(SnmpCommand::Suppress {
                    name: "tgForked".into(),
                })),
            ),
            (
                r#"{"request":"threshold","do":"remove"}"#,
                Request::Threshold(ThresholdCommand::Remove),
            ),
            (
                r#"{"request":"snmp","history":20}"#,
                Request::Snmp { history: 20 },
            ),
            (
                r#"{"request":"license","do":"register","idtoken":"c2VjcmV0","force":false}"#,
                Request::License(LicenseCommand::Register {
                    idtoken: "c2VjcmV0".into(),
                    force: false,
                }),
            ),
            (
                r#"{"request":"transport","do":"url","url":"https://a.example"}"#,
                Request::Transport(TransportCommand::Url {
                    url: "https://a.example".into(),
                }),
            ),
            (
                r#"{"request":"client","do":"open","name":"mme","instance":7,"lease_ms":5000,"classes":[{"service":"MME","features":[],"kind":"emergency"}]}"#,
                Request::Client(ClientRequest::Open {
                    name: "mme".into(),
                    instance: 7,
                    lease_ms: 5_000,
                    classes: vec![CallClass {
                        service: "MME".into(),
                        features: Vec::new(),
                        kind: CallKind::Emergency,
                    }],
                }),
            ),
            (
                r#"{"request":"client","do":"heartbeat","lease":9}"#,
                Request::Client(ClientRequest::Heartbeat { lease: 9 }),
            ),
            (
                r#"{"request":"client","do":"batch","lease":9,"sequence":1,"operation":"admit","class":0,"calls":3}"#,
                Request::Client(ClientRequest::Batch {
                    lease: 9,
                    sequence: 1,
                    operation: BatchOperation::Admit,
                    class: 0,
                    calls: 3,
                }),
            ),
            (
                r#"{"request":"client","do":"close","lease":9}"#,
                Request::Client(ClientRequest::Close { lease: 9 }),
            ),
        ];
        for (text, request) in cases {
            assert_eq!(serde_json::to_string(&request).unwrap(), text);
            assert_eq!(serde_json::from_str::<Request>(text).unwrap(), request);
        }
    }

    #[test]
    fn a_key_that_the_request_does_not_have_is_refused() {
        let cases = [
            (
                r#"{"request":"smart-licensing","enable":true,"force":true}"#,
                "unknown field `force`, expected `enable`",
            ),
            (
                r#"{"request":"client","do":"heartbeat","lease":9,"force":true}"#,
                "unknown field `force`, expected `lease`",
            ),
            (
                r#"{"request":"health","deep":true}"#,
                "health has no other keys than request",
            ),
            (r#"{"request":"history"}"#, "missing field `limit`"),
            ("snapshot", "expected value at line 1 column 1"),
        ];
        for (text, expected) in cases {
            let error = Request::read(text.as_bytes()).unwrap_err();
            assert_eq!(error.to_string(), expected);
        }
        let health = Request::read(br#" { "request" : "health" } "#).unwrap();
        assert_eq!(health, Request::Health);
    }

    #[test]
    fn an_answer_is_told_apart_by_its_fields() {
        let failure = Failure::new("no such feature: GRX", "name", "show license smart-tags");
        let text = serde_json::to_string(&failure).unwrap();
        assert_eq!(
            text,
            r#"{"what":"no such feature: GRX","where":"name","todo":"show license smart-tags"}"#
        );
        let answer = serde_json::from_str::<Answer>(&text).unwrap();
        assert_eq!(answer, Answer::Failure(failure));
        let done = serde_json::from_str::<Answer>(r#"{"reply":"done","changed":true}"#).unwrap();
        assert_eq!(done, Answer::Reply(Reply::Done { changed: true }));
    }

    #[test]
    fn a_failure_reads_as_one_line() {
        let failure = Failure::new(
            "this node is not marked lab",
            "speedup",
            "set [lab] speedup",
        );
        assert_eq!(
            failure.to_string(),
            "this node is not marked lab (speedup): set [lab] speedup"
        );
    }
}
