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
