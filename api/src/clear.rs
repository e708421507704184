//! Clearing sessions.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// Whose sessions are cleared. Emergency sessions are only where the subscriber or the access point name is named.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClearWhom {
    /// A subscriber's, by 6 to 15 digits.
    Imsi(String),
    /// Those of an access point name, as it is configured, letter case apart.
    Apn(String),
    /// A peer's, by the address that it signals from, and what an SGW relays to it.
    Peer(IpAddr),
    /// Those that take the license of a service, by its name in the catalog, letter case apart.
    Service(String),
    /// All.
    All,
}

impl ClearWhom {
    /// As it is typed.
    pub fn words(&self) -> String {
        match self {
            Self::Imsi(imsi) => format!("imsi {imsi}"),
            Self::Apn(apn) => format!("apn {apn}"),
            Self::Peer(peer) => format!("peer {peer}"),
            Self::Service(service) => format!("service {service}"),
            Self::All => "all".to_owned(),
        }
    }
}
