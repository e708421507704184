//! Envelopes of everything that crosses a process border.
//!
//! One enum, [`Request`], lists all that one may ask a node; [`Reply`] is what it answers, [`Failure`] what it says
//! when it can't. They travel as JSON: `POST` [`REQUEST_PATH`] over HTTP on the node's Unix socket, a request as the
//! body; a reply comes with status 200, a failure with 400 (not understood), 403 (not on this node), 404 (no such
//! thing), 405 (not a POST), 408 (too slow), 409 (not now, because of what came before), 413 (too long) or 503 (a thread
//! of the node does not answer, or a table is full).
//!
//! What crosses the border between a node and a license authority has envelopes of its own: [`smart`].
//!
//! Deliberately absent: sockets, and what a reply is rendered as.
#![forbid(unsafe_code)]

mod access;
mod accounts;
mod admission;
mod agent;
mod alarms;
mod apply;
mod bulkstats;
mod bulkstats_setting;
mod clear;
mod counters;
pub mod csv;
mod forecast;
mod health;
mod license;
mod logging;
mod logs;
mod peers;
mod preview;
mod request;
mod sessions;
mod settings;
pub mod smart;
mod snmp;
mod subscribers;
mod transport;

pub use access::{AUDIT_LIMIT_MAX, AuditEntry, AuditOutcome, AuditView, Privilege};
pub use accounts::{AccountCommand, AccountRow, AccountsView};
pub use admission::{
    BATCH_CALLS_MAX, BatchOperation, BatchOutcome, BatchRefusal, CLIENT_CLASSES_MAX,
    CLIENT_NAME_BYTES_MAX, CLIENT_SESSIONS_MAX, CLIENTS_MAX, CallClass, CallKind, ClientLease,
    ClientRequest, LEASE_MS_MAX, LEASE_MS_MIN, UNKNOWN_LEASE,
};
pub use agent::{
    AgentMessages, AgentView, EventCounts, LICENSE_ANSWER_S, ProxyStatus, TransportStatus,
};
pub use alarms::{AlarmCounts, AlarmRow, AlarmSeverity, AlarmView};
pub use apply::{APPLY_BYTES_MAX, Applied, ApplyCommand, ChangeKind, ConfigurationChange};
pub use bulkstats::{
    BULKSTATS_ANSWER_S, BULKSTATS_DATA_MAX, BulkstatsCommand, BulkstatsData, BulkstatsFile,
    BulkstatsReceiver, BulkstatsSchema, BulkstatsStatus, BulkstatsTransfer,
};
pub use bulkstats_setting::{
    BulkstatsFileKey, BulkstatsKey, BulkstatsPart, BulkstatsReceiverSetting, BulkstatsSetting,
};
pub use clear::ClearWhom;
pub use counters::{
    COUNTERS_INTERVAL_S, COUNTERS_INTERVALS_MAX, CallCounters, CounterInterval, CountersHistory,
};
pub use forecast::{Outlook, ServiceForecast};
pub use health::{GateForm, Health, JournalHealth, JournalState, WorkerHealth};
pub use license::{
    AgentStatus, Attempts, CallHomeRow, CatalogStanding, CatalogStatus, LicenseCommand,
    OrderStatus, OrdersStatus, RegisteredStatus, RegistrationState, RootStatus, Silence,
};
pub use logging::{
    LogFilter, LoggingCommand, LoggingView, SyslogFacility, SyslogProtocol, SyslogServerView,
    SyslogSetting, SyslogState, filter_name, filter_named,
};
pub use logs::{LOGS_LIMIT_MAX, LogEntry, LogFacility, LogSeverity, LogView, NoSuchWord};
pub use peers::{PEERS_LIMIT_MAX, PeerList, PeerRow, PeerState};
pub use preview::{Preview, PreviewChange, PreviewEffect, ServicePreview};
pub use request::{
    Answer, Failure, HISTORY_LIMIT_MAX, REQUEST_BYTES_MAX, REQUEST_PATH, Reply, Request,
    RequestError,
};
pub use sessions::{
    ApnSessions, CauseCount, ClientSessions, DropCount, EndCount, MessageCount, PeerSessions,
    PoolUse, ServiceSessions, SessionSummary, WorkerSessions,
};
pub use settings::{
    SnmpCommand, SnmpEntry, SnmpPassword, SnmpTargetSetting, SnmpUserSetting, ThresholdCommand,
};
pub use snmp::{
    InformTimes, NotifyRow, NotifyTotals, SnmpCommunity, SnmpCounter, SnmpLeftOut, SnmpServer,
    SnmpTarget, SnmpUser, SnmpView, TRAPS_LIMIT_MAX, TrapRow,
};
pub use subscribers::{
    Addresses, Interface, KindSessions, SubscriberRefusal, SubscriberSession, SubscriberView,
};
pub use transport::{IN_FORCE_S, ProxyLogin, TransportCommand};
