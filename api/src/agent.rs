//! The Smart Agent as its node shows it: what the machine says of itself, and the way that messages take.

use serde::{Deserialize, Serialize};

use crate::license::AgentStatus;

/// Longest that an answer to [`crate::Request::License`] takes, in seconds; what is asked for may go on after that.
pub const LICENSE_ANSWER_S: u64 = 300;

/// The Smart Agent and its way to the license authority.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentView {
    /// The agent.
    pub status: AgentStatus,
    /// The way.
    pub transport: TransportStatus,
    /// What the node and its agent told each other.
    #[serde(default)]
    pub messages: AgentMessages,
    /// What managers were to be told.
    #[serde(default)]
    pub events: EventCounts,
}

/// What the node and its agent told each other since the process began, as `show license statistics` has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentMessages {
    /// To the agent: what is in use.
    pub usage: u64,
    /// To the agent: smart licensing was switched, the license clock's speed or the way to the authority changed.
    pub switches: u64,
    /// To the agent: operators' commands.
    pub commands: u64,
    /// From the agent: what the authority said, which reports it took.
    pub told: u64,
}

/// Events that were handed to whatever sends notifications, since the process began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventCounts {
    /// Taken.
    pub taken: u64,
    /// Lost as events, for want of room; their alarms are told all the same.
    pub lost: u64,
}

/// The way to the license authority, as it is configured or was set; no secret is in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransportStatus {
    /// Where messages go, as `https://HOST:PORT/...`; none: nowhere.
    pub url: Option<String>,
    /// An operator set that, in place of the configuration.
    #[serde(default)]
    pub url_set: bool,
    /// The proxy on the way; none: directly.
    pub proxy: Option<ProxyStatus>,
    /// An operator set that, or that there is none.
    #[serde(default)]
    pub proxy_set: bool,
    /// The authority is told the host name.
    pub send_hostname: bool,
    /// Report License Usage, in seconds.
    pub report_usage_s: u64,
    /// OOC Retry, in seconds.
    pub ooc_retry_s: u64,
}

/// A proxy.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProxyStatus {
    /// Its name or address.
    pub host: String,
    /// Its TCP port.
    pub port: u16,
    /// The name that it knows the node by; none: it asks for none.
    pub username: Option<String>,
}
