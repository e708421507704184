//! The file as it is written: sections and keys, their types and defaults. `examples/gateway.toml` explains each.

mod bulkstats;

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use api::{LogSeverity, SyslogFacility, SyslogProtocol};
use serde::Deserialize;

use crate::fence::GateChoice;
use crate::steering::GtpSockets;

pub(super) use bulkstats::{
    Bulkstats, BulkstatsFile, BulkstatsMechanism, BulkstatsMethod, BulkstatsReceiver,
};

/// What each key is to be, for errors; elements of arrays are `[]`.
pub(super) const EXPECTED: &[(&str, &str)] = &[
    ("node", "a section [node]"),
    ("node.name", "1 to 63 letters, digits, hyphens or dots"),
    ("node.state_dir", "the path of a directory"),
    ("node.workers", "a number of threads, 1 to 256"),
    ("node.gate", "\"auto\", \"asymmetric\" or \"atomic\""),
    ("node.gtp_sockets", "\"auto\", \"one\" or \"steered\""),
    ("node.product", "the name of a product tag"),
    (
        "node.udi",
        "a table such as { pid = \"VPC_SI\", serial = \"9FR4BQX\" }",
    ),
    ("node.udi.pid", "1 to 32 printable characters without space"),
    (
        "node.udi.serial",
        "1 to 32 printable characters without space",
    ),
    ("control", "a section [control]"),
    ("control.socket", "a path of at most 100 bytes"),
    ("gn", "a section [gn]"),
    (
        "gn.listen",
        "an address and port such as \"127.0.0.1:2123\"",
    ),
    ("gn.user_plane", "an address such as \"127.0.0.1\""),
    ("gn.t3_response_s", "a number of seconds, 1 to 60"),
    ("gn.n3_requests", "a number of tries, 1 to 10"),
    (
        "gn.echo_interval_s",
        "0 for none, or a number of seconds, 60 to 3600",
    ),
    ("gn.echo_port", "a UDP port, 1 to 65535"),
    ("gn.path_down", "\"end-sessions\" or \"keep-sessions\""),
    ("gn.sessions_max", "a number of sessions, 1 to 16777216"),
    (
        "gn.emergency_reserve",
        "a number of sessions, at most half of gn.sessions_max",
    ),
    ("gn.responses_max", "a number of responses, 1 to 1048576"),
    ("gn.peers_max", "a number of peers, 1 to 65536"),
    ("gn.requests_max", "a number of requests, 1 to 65536"),
    ("gn.recount_interval_s", "a number of seconds, 1 to 3600"),
    ("pool", "one or more sections [[pool]]"),
    ("pool[].name", "1 to 63 letters, digits, hyphens or dots"),
    (
        "pool[].ipv4",
        "a list of networks such as [\"10.1.0.0/16\"]",
    ),
    (
        "pool[].ipv4[]",
        "an IPv4 network such as \"10.1.0.0/16\", prefix length 8 to 30, host bits 0",
    ),
    (
        "pool[].ipv6",
        "a list of networks such as [\"2001:db8::/48\"]",
    ),
    (
        "pool[].ipv6[]",
        "an IPv6 network such as \"2001:db8::/48\", prefix length 33 to 64, host bits 0",
    ),
    ("apn", "one or more sections [[apn]]"),
    (
        "apn[].name",
        "an access point name, labels of letters, digits and hyphens, at most 99 characters, or \"*\"",
    ),
    (
        "apn[].service",
        "the name of a service of the catalog, such as \"GGSN\"",
    ),
    (
        "apn[].features",
        "a list of names of features such as [\"GRE\"]",
    ),
    (
        "apn[].features[]",
        "the name of a feature of the catalog, such as \"GRE\"",
    ),
    ("apn[].pool", "the name of a [[pool]], none for service SGW"),
    (
        "apn[].emergency",
        "true or false, the same for services PGW and SAEGW under one name",
    ),
    (
        "apn[].emergency_inactivity_s",
        "0 for none, or, where emergency is true, a number of seconds, 1 to 86400",
    ),
    (
        "apn[].priority_arp",
        "a list of priority levels such as [1]",
    ),
    (
        "apn[].priority_arp[]",
        "a priority level of allocation and retention, 1 to 15",
    ),
    ("apn[].priority_rel99", "a list of priorities such as [1]"),
    (
        "apn[].priority_rel99[]",
        "a priority of the QoS profile's first octet, 1 to 3",
    ),
    (
        "apn[].low_priority",
        "true or false, false where emergency is true",
    ),
    ("apn[].backoff_s", "a number of seconds, 2 to 3600"),
    (
        "apn[].static_address",
        "\"dynamic\" or \"refuse\", which service SGW leaves to its PGW",
    ),
    (
        "apn[].dns",
        "a list of addresses, at most 4 of a family, none for service SGW",
    ),
    ("apn[].dns[]", "an address such as \"192.0.2.53\""),
    (
        "apn[].mtu",
        "0 for none, as for service SGW, or a number of octets, 1280 to 9000",
    ),
    ("peer[].address", "an address such as \"192.0.2.1\""),
    ("peer[].refusal_style", "\"cause-only\" or \"padded\""),
    ("peer[].back_off", "\"with-congestion\" or \"always\""),
    ("allow[].service", "a service of the catalog, once"),
    (
        "allow[].gn",
        "a list of networks such as \"10.0.0.0/8\" for a service by GTPv1, at most 1024",
    ),
    (
        "allow[].gn[]",
        "an address, or a network such as \"10.0.0.0/8\" whose host bits are 0",
    ),
    (
        "allow[].s5s8",
        "a list of networks such as \"10.0.0.0/8\" for service PGW or SGW, at most 1024",
    ),
    (
        "allow[].s5s8[]",
        "an address, or a network such as \"10.0.0.0/8\" whose host bits are 0",
    ),
    (
        "allow[].s11",
        "a list of networks such as \"10.0.0.0/8\" for service SAEGW or SGW, at most 1024",
    ),
    (
        "allow[].s11[]",
        "an address, or a network such as \"10.0.0.0/8\" whose host bits are 0",
    ),
    ("overload", "a section [overload]"),
    (
        "overload.peer_requests_per_s",
        "0 for any number, or a number of requests, 1 to 1000000",
    ),
    (
        "overload.requests_per_s",
        "0 for any number, or a number of requests, 1 to 1000000",
    ),
    ("refusal", "a section [refusal]"),
    (
        "refusal.service_blocked",
        "a rejection cause of TS 29.060, 192 to 255",
    ),
    (
        "refusal.feature_blocked",
        "a rejection cause of TS 29.060, 192 to 255",
    ),
    (
        "refusal.at_ceiling",
        "a rejection cause of TS 29.060, 192 to 255",
    ),
    (
        "refusal.gtpv2_service_blocked",
        "a rejection cause of TS 29.274, 64 to 239",
    ),
    (
        "refusal.gtpv2_feature_blocked",
        "a rejection cause of TS 29.274, 64 to 239",
    ),
    (
        "refusal.gtpv2_at_ceiling",
        "a rejection cause of TS 29.274, 64 to 239",
    ),
    ("licensing", "a section [licensing]"),
    ("licensing.priority_percent", "a percentage, 0 to 5"),
    ("licensing.low_priority_percent", "a percentage, 0 to 50"),
    ("licensing.remaining_low_percent", "a percentage, 0 to 99"),
    (
        "licensing.remaining_clear_percent",
        "a percentage, remaining_low_percent to 99",
    ),
    ("licensing.congestion_percent", "a percentage, 0 to 100"),
    (
        "licensing.congestion_tolerance_percent",
        "a percentage, 0 to 25 and less than congestion_percent",
    ),
    (
        "licensing.features",
        "a list of names of features such as [\"GRE\"]",
    ),
    (
        "licensing.features[]",
        "the name of a feature of the catalog, such as \"GRE\"",
    ),
    ("licensing.smart_enable", "true or false"),
    ("agent", "a section [agent]"),
    (
        "agent.authority",
        "an address of HTTPS such as \"https://authority.example:8443\"",
    ),
    (
        "agent.proxy",
        "a table such as { host = \"proxy.example\", port = 3128 }",
    ),
    ("agent.proxy.host", "a host name or an address"),
    ("agent.proxy.port", "a TCP port, 1 to 65535"),
    (
        "agent.proxy.username",
        "1 to 255 printable characters without a colon",
    ),
    (
        "agent.proxy.password_file",
        "the path of a file that holds the password and is for this user alone",
    ),
    ("agent.connect_s", "a number of seconds, 1 to 60"),
    ("agent.answer_s", "a number of seconds, 1 to 300"),
    ("agent.report_usage_s", "a number of seconds, 1 to 86400"),
    ("agent.ooc_retry_s", "a number of seconds, 1 to 86400"),
    (
        "agent.trust_pool",
        "the path of a file of root certificates in PEM",
    ),
    ("agent.first_use", "\"refuse\" or \"trust\""),
    ("agent.send_hostname", "true or false"),
    ("snmp", "a section [snmp]"),
    (
        "snmp.enterprise",
        "an object identifier below 1.3.6.1.4.1 such as \"1.3.6.1.4.1.32473.1\"",
    ),
    (
        "snmp.suppress",
        "a list of names of notifications such as [\"tgCeilingChanged\"]",
    ),
    ("snmp.suppress[]", "the name of a notification"),
    (
        "snmp.listen",
        "the address of one interface and a port such as \"192.0.2.1:161\"",
    ),
    ("snmp.contact", "at most 255 printable characters"),
    ("snmp.location", "at most 255 printable characters"),
    (
        "snmp.community[].name",
        "1 to 63 letters, digits, hyphens, dots or underscores",
    ),
    (
        "snmp.community[].community_file",
        "the path of a file that holds the community and is for this user alone",
    ),
    (
        "snmp.community[].read",
        "a list of object identifiers such as [\"1.3.6.1.2.1\"]",
    ),
    (
        "snmp.user[].read",
        "a list of object identifiers such as [\"1.3.6.1.2.1\"]",
    ),
    (
        "snmp.user[].name",
        "1 to 32 printable characters without space",
    ),
    (
        "snmp.user[].auth",
        "\"sha-1\", \"sha-256\", \"sha-384\" or \"sha-512\"",
    ),
    (
        "snmp.user[].auth_file",
        "the path of a file that holds a password of at least 8 characters, or a localized key, and is for this user alone",
    ),
    (
        "snmp.user[].privacy",
        "\"aes-128\" or, with an auth of SHA-2, \"aes-256\"",
    ),
    (
        "snmp.user[].privacy_file",
        "the path of a file that holds a password of at least 8 characters, or a localized key, and is for this user alone",
    ),
    (
        "snmp.target[].name",
        "1 to 63 letters, digits, hyphens, dots or underscores",
    ),
    (
        "snmp.target[].address",
        "an address and port such as \"192.0.2.162:162\"",
    ),
    ("snmp.target[].version", "\"v1\", \"v2c\" or \"v3\""),
    (
        "snmp.target[].community_file",
        "the path of a file that holds the community and is for this user alone",
    ),
    (
        "snmp.target[].user",
        "the name of a [[snmp.user]], for version \"v3\"",
    ),
    (
        "snmp.target[].notify",
        "\"trap\" or, not for version \"v1\", \"inform\"",
    ),
    (
        "snmp.target[].timeout_ms",
        "a number of milliseconds, 100 to 60000",
    ),
    ("snmp.target[].retries", "a number of times, 0 to 10"),
    (
        "snmp.target[].queue",
        "a number of notifications, 16 to 10000",
    ),
    ("bulkstats", "a section [bulkstats]"),
    ("bulkstats.collection", "true or false"),
    (
        "bulkstats.sample_interval_min",
        "a number of minutes, 1 to 10080",
    ),
    (
        "bulkstats.transfer_interval_min",
        "a number of minutes, 1 to 999999",
    ),
    ("bulkstats.limit_mib", "a number of mebibytes, 1 to 96"),
    ("bulkstats.historical_days", "a number of days, 0 to 3650"),
    (
        "bulkstats.historical_mib",
        "a number of mebibytes, 1 to 1048576",
    ),
    ("bulkstats.file", "at most 4 sections [[bulkstats.file]]"),
    ("bulkstats.file[].number", "a number, 1 to 4, of its own"),
    (
        "bulkstats.file[].remotefile",
        "a format such as \"csvdrop/%host%_%localdate%_%localtime%.csv\"",
    ),
    (
        "bulkstats.file[].header",
        "a format of at most 2047 characters such as \"Version-%version-no%\"",
    ),
    (
        "bulkstats.file[].footer",
        "a format of at most 2047 characters such as \"EndOfFile\"",
    ),
    ("bulkstats.file[].gzip", "true or false"),
    (
        "bulkstats.file[].schemas",
        "a list of schemas, each with a name of its own",
    ),
    (
        "bulkstats.file[].schemas[]",
        "a line such as 'apn schema apn1 format \"apn1,%localdate%,%apn%,%sessions%\"'",
    ),
    (
        "bulkstats.file[].primary",
        "a section [bulkstats.file.primary] for the file",
    ),
    (
        "bulkstats.file[].primary.address",
        "a host name or an address",
    ),
    ("bulkstats.file[].primary.port", "a port, 1 to 65535"),
    (
        "bulkstats.file[].primary.mechanism",
        "\"sftp\", \"ftp\", \"ftps\", \"tftp\", \"http\" or \"https\"",
    ),
    (
        "bulkstats.file[].primary.login",
        "1 to 64 printable characters without a colon",
    ),
    (
        "bulkstats.file[].primary.password_file",
        "the path of a file that holds the password and is for this user alone",
    ),
    (
        "bulkstats.file[].primary.key_file",
        "the path of a private key for \"sftp\" that is for this user alone, and no password_file",
    ),
    (
        "bulkstats.file[].primary.host_key",
        "the host key for \"sftp\", as ssh-keygen -l or ssh-keyscan prints it",
    ),
    (
        "bulkstats.file[].primary.roots",
        "the path of a file of root certificates in PEM, for \"ftps\" and \"https\"",
    ),
    (
        "bulkstats.file[].primary.method",
        "\"put\" or \"post\", for \"http\" and \"https\"",
    ),
    (
        "bulkstats.file[].secondary",
        "a section [bulkstats.file.secondary] beside a primary one",
    ),
    (
        "bulkstats.file[].secondary.address",
        "a host name or an address",
    ),
    ("bulkstats.file[].secondary.port", "a port, 1 to 65535"),
    (
        "bulkstats.file[].secondary.mechanism",
        "\"sftp\", \"ftp\", \"ftps\", \"tftp\", \"http\" or \"https\"",
    ),
    (
        "bulkstats.file[].secondary.login",
        "1 to 64 printable characters without a colon",
    ),
    (
        "bulkstats.file[].secondary.password_file",
        "the path of a file that holds the password and is for this user alone",
    ),
    (
        "bulkstats.file[].secondary.key_file",
        "the path of a private key for \"sftp\" that is for this user alone, and no password_file",
    ),
    (
        "bulkstats.file[].secondary.host_key",
        "the host key for \"sftp\", as ssh-keygen -l or ssh-keyscan prints it",
    ),
    (
        "bulkstats.file[].secondary.roots",
        "the path of a file of root certificates in PEM, for \"ftps\" and \"https\"",
    ),
    (
        "bulkstats.file[].secondary.method",
        "\"put\" or \"post\", for \"http\" and \"https\"",
    ),
    ("logging", "a section [logging]"),
    ("logging.filter", "sections [[logging.filter]]"),
    (
        "logging.filter[].name",
        "\"all\", or a facility: \"slmgr\", \"slagent\", \"snmp\", \"bulkst\", \"gtpc\", \"cli\", \"system\" or \"evlog\"",
    ),
    ("logging.filter[].level", LEVELS),
    ("logging.syslog", "at most 4 sections [[logging.syslog]]"),
    ("logging.syslog[].name", "a host name or an address"),
    ("logging.syslog[].port", "a port, 1 to 65535"),
    ("logging.syslog[].protocol", "\"udp\" or \"tls\""),
    ("logging.syslog[].facility", "\"local0\" to \"local7\""),
    ("logging.syslog[].level", LEVELS),
    (
        "logging.syslog[].roots",
        "the path of a file of root certificates in PEM, for \"tls\"",
    ),
    ("logging.syslog[].queue", "a number of events, 16 to 10000"),
    ("ssh", "a section [ssh]"),
    (
        "ssh.listen",
        "an address and TCP port such as \"127.0.0.1:2222\"",
    ),
    ("ssh.sessions_max", "a number of sessions, 1 to 256"),
    ("ssh.idle_s", "a number of seconds, 10 to 86400"),
    ("ssh.failures_max", "a number of wrong passwords, 1 to 100"),
    ("ssh.lockout_s", "a number of seconds, 1 to 86400"),
    ("ssh.account", "at most 64 sections [[ssh.account]]"),
    (
        "ssh.account[].name",
        "1 to 32 letters, digits, dots, hyphens and underscores, the first a letter",
    ),
    (
        "ssh.account[].role",
        "\"inspector\", \"operator\" or \"administrator\"",
    ),
    (
        "ssh.account[].password_file",
        "a file that nobody else may read, with the hash that `argon2 SALT -id -e` prints, or ssh_keys",
    ),
    (
        "ssh.account[].ssh_keys",
        "at most 8 public keys such as [\"ssh-ed25519 AAAA...\"]",
    ),
    (
        "ssh.account[].ssh_keys[]",
        "a public key such as \"ssh-ed25519 AAAA...\", Ed25519 or ECDSA",
    ),
    ("metrics", "a section [metrics]"),
    (
        "metrics.listen",
        "an address and TCP port such as \"127.0.0.1:9464\"",
    ),
    ("journal", "a section [journal]"),
    ("journal.enabled", "true or false"),
    ("journal.file", "the path of a file"),
    ("journal.max_mib", "a number of mebibytes, 1 to 1048576"),
    ("audit", "a section [audit]"),
    ("audit.max_mib", "a number of mebibytes, 1 to 1024"),
    ("lab", "a section [lab]"),
    ("lab.speedup", "license seconds a second, 1 to 10000000"),
    ("lab.catalog", "the path of a catalog file"),
];

/// What a level is to be.
const LEVELS: &str =
    "\"critical\", \"error\", \"warning\", \"unusual\", \"info\", \"trace\" or \"debug\"";

/// The whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) node: Node,
    #[serde(default)]
    pub(super) control: Control,
    #[serde(default)]
    pub(super) gn: Gn,
    pub(super) pool: Vec<Pool>,
    pub(super) apn: Vec<Apn>,
    #[serde(default)]
    pub(super) peer: Vec<Peer>,
    #[serde(default)]
    pub(super) allow: Vec<Allow>,
    #[serde(default)]
    pub(super) overload: Overload,
    #[serde(default)]
    pub(super) refusal: Refusal,
    #[serde(default)]
    pub(super) licensing: Licensing,
    #[serde(default)]
    pub(super) agent: Agent,
    #[serde(default)]
    pub(super) snmp: Snmp,
    #[serde(default)]
    pub(super) bulkstats: Bulkstats,
    #[serde(default)]
    pub(super) logging: Logging,
    #[serde(default)]
    pub(super) ssh: Ssh,
    #[serde(default)]
    pub(super) metrics: Metrics,
    #[serde(default)]
    pub(super) journal: Journal,
    #[serde(default)]
    pub(super) audit: Audit,
    pub(super) lab: Option<Lab>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Node {
    pub(super) name: String,
    pub(super) state_dir: PathBuf,
    #[serde(default = "one_worker")]
    pub(super) workers: u16,
    #[serde(default)]
    pub(super) gate: GateChoice,
    #[serde(default)]
    pub(super) gtp_sockets: GtpSockets,
    #[serde(default = "vpc_si")]
    pub(super) product: String,
    #[serde(default)]
    pub(super) udi: Udi,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Udi {
    pub(super) pid: Option<String>,
    pub(super) serial: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Control {
    pub(super) socket: Option<PathBuf>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Gn {
    pub(super) listen: SocketAddr,
    pub(super) user_plane: Option<IpAddr>,
    pub(super) t3_response_s: u64,
    pub(super) n3_requests: u8,
    pub(super) echo_interval_s: u64,
    pub(super) echo_port: u16,
    pub(super) path_down: PathDown,
    pub(super) sessions_max: u32,
    pub(super) emergency_reserve: Option<u32>,
    pub(super) responses_max: u32,
    pub(super) peers_max: u32,
    pub(super) requests_max: u32,
    pub(super) recount_interval_s: u64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Pool {
    pub(super) name: String,
    #[serde(default)]
    pub(super) ipv4: Vec<String>,
    #[serde(default)]
    pub(super) ipv6: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Apn {
    pub(super) name: String,
    pub(super) service: String,
    #[serde(default)]
    pub(super) features: Vec<String>,
    pub(super) pool: Option<String>,
    #[serde(default)]
    pub(super) emergency: bool,
    #[serde(default)]
    pub(super) emergency_inactivity_s: u64,
    #[serde(default)]
    pub(super) priority_arp: Vec<u8>,
    #[serde(default)]
    pub(super) priority_rel99: Vec<u8>,
    #[serde(default)]
    pub(super) low_priority: bool,
    pub(super) backoff_s: Option<u64>,
    #[serde(default)]
    pub(super) static_address: StaticAddress,
    #[serde(default)]
    pub(super) dns: Vec<IpAddr>,
    #[serde(default)]
    pub(super) mtu: u16,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Peer {
    pub(super) address: IpAddr,
    #[serde(default)]
    pub(super) refusal_style: RefusalStyle,
    #[serde(default)]
    pub(super) back_off: BackOff,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Allow {
    pub(super) service: String,
    #[serde(default)]
    pub(super) gn: Vec<String>,
    #[serde(default)]
    pub(super) s5s8: Vec<String>,
    #[serde(default)]
    pub(super) s11: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Overload {
    pub(super) peer_requests_per_s: u32,
    pub(super) requests_per_s: u32,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum RefusalStyle {
    #[default]
    CauseOnly,
    Padded,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum BackOff {
    #[default]
    WithCongestion,
    Always,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum PathDown {
    EndSessions,
    KeepSessions,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum StaticAddress {
    #[default]
    Dynamic,
    Refuse,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Refusal {
    pub(super) service_blocked: u8,
    pub(super) feature_blocked: u8,
    pub(super) at_ceiling: u8,
    pub(super) gtpv2_service_blocked: u8,
    pub(super) gtpv2_feature_blocked: u8,
    pub(super) gtpv2_at_ceiling: u8,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Licensing {
    pub(super) priority_percent: u8,
    pub(super) low_priority_percent: u8,
    pub(super) remaining_low_percent: u8,
    pub(super) remaining_clear_percent: Option<u8>,
    pub(super) congestion_percent: u8,
    pub(super) congestion_tolerance_percent: u8,
    pub(super) features: Vec<String>,
    pub(super) smart_enable: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Agent {
    pub(super) authority: Option<String>,
    pub(super) proxy: Option<Proxy>,
    pub(super) connect_s: u64,
    pub(super) answer_s: u64,
    pub(super) report_usage_s: u64,
    pub(super) ooc_retry_s: u64,
    pub(super) trust_pool: Option<PathBuf>,
    pub(super) first_use: FirstUse,
    pub(super) send_hostname: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Proxy {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) username: Option<String>,
    pub(super) password_file: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum FirstUse {
    #[default]
    Refuse,
    Trust,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Snmp {
    pub(super) enterprise: Option<String>,
    pub(super) suppress: Vec<String>,
    pub(super) listen: Option<SocketAddr>,
    pub(super) contact: String,
    pub(super) location: String,
    pub(super) community: Vec<SnmpCommunity>,
    pub(super) user: Vec<SnmpUser>,
    pub(super) target: Vec<SnmpTarget>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SnmpCommunity {
    pub(super) name: Option<String>,
    pub(super) community_file: PathBuf,
    pub(super) read: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SnmpUser {
    pub(super) name: String,
    pub(super) auth: Option<SnmpAuth>,
    pub(super) auth_file: Option<PathBuf>,
    pub(super) privacy: Option<SnmpPrivacy>,
    pub(super) privacy_file: Option<PathBuf>,
    #[serde(default)]
    pub(super) read: Vec<String>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
pub(super) enum SnmpAuth {
    #[serde(rename = "sha-1")]
    Sha1,
    #[serde(rename = "sha-256")]
    Sha256,
    #[serde(rename = "sha-384")]
    Sha384,
    #[serde(rename = "sha-512")]
    Sha512,
}

#[derive(Clone, Copy, Debug, Deserialize)]
pub(super) enum SnmpPrivacy {
    #[serde(rename = "aes-128")]
    Aes128,
    #[serde(rename = "aes-256")]
    Aes256,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SnmpTarget {
    pub(super) name: String,
    pub(super) address: SocketAddr,
    pub(super) version: SnmpVersion,
    pub(super) community_file: Option<PathBuf>,
    pub(super) user: Option<String>,
    #[serde(default)]
    pub(super) notify: SnmpNotify,
    #[serde(default = "five_seconds")]
    pub(super) timeout_ms: u64,
    #[serde(default = "three")]
    pub(super) retries: u8,
    #[serde(default = "ten_thousand")]
    pub(super) queue: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum SnmpVersion {
    V1,
    V2c,
    V3,
}

impl SnmpVersion {
    /// As it is written.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::V1 => "v1",
            Self::V2c => "v2c",
            Self::V3 => "v3",
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum SnmpNotify {
    #[default]
    Trap,
    Inform,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Ssh {
    pub(super) listen: Option<SocketAddr>,
    pub(super) sessions_max: u16,
    pub(super) idle_s: u64,
    pub(super) failures_max: u32,
    pub(super) lockout_s: u64,
    pub(super) account: Vec<SshAccount>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SshAccount {
    pub(super) name: String,
    pub(super) role: api::Privilege,
    pub(super) password_file: Option<PathBuf>,
    #[serde(default)]
    pub(super) ssh_keys: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Logging {
    pub(super) filter: Vec<LoggingFilter>,
    pub(super) syslog: Vec<LoggingSyslog>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LoggingFilter {
    pub(super) name: String,
    pub(super) level: LogSeverity,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LoggingSyslog {
    pub(super) name: String,
    pub(super) port: Option<u16>,
    #[serde(default)]
    pub(super) protocol: SyslogProtocol,
    #[serde(default = "local7")]
    pub(super) facility: SyslogFacility,
    #[serde(default = "info")]
    pub(super) level: LogSeverity,
    pub(super) roots: Option<PathBuf>,
    #[serde(default = "a_thousand")]
    pub(super) queue: u16,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Metrics {
    pub(super) listen: Option<SocketAddr>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Journal {
    pub(super) enabled: bool,
    pub(super) file: Option<PathBuf>,
    pub(super) max_mib: u64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Audit {
    pub(super) max_mib: u64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Lab {
    pub(super) speedup: u32,
    pub(super) catalog: Option<PathBuf>,
}

fn one_worker() -> u16 {
    1
}

fn five_seconds() -> u64 {
    5_000
}

fn three() -> u8 {
    3
}

fn ten_thousand() -> u64 {
    10_000
}

fn a_thousand() -> u16 {
    1_024
}

fn local7() -> SyslogFacility {
    SyslogFacility::Local7
}

fn info() -> LogSeverity {
    LogSeverity::Info
}

fn vpc_si() -> String {
    "VPC_SI".into()
}

impl Default for Gn {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 2123)),
            user_plane: None,
            t3_response_s: 5,
            n3_requests: 5,
            echo_interval_s: 60,
            echo_port: 2123,
            path_down: PathDown::EndSessions,
            sessions_max: 1_000_000,
            emergency_reserve: None,
            responses_max: 65_536,
            peers_max: 16_384,
            requests_max: 16_384,
            recount_interval_s: 10,
        }
    }
}

impl Default for Refusal {
    fn default() -> Self {
        Self {
            service_blocked: 199,
            feature_blocked: 199,
            at_ceiling: 199,
            gtpv2_service_blocked: 73,
            gtpv2_feature_blocked: 73,
            gtpv2_at_ceiling: 73,
        }
    }
}

impl Default for Licensing {
    fn default() -> Self {
        Self {
            priority_percent: 5,
            low_priority_percent: 5,
            remaining_low_percent: 0,
            remaining_clear_percent: None,
            congestion_percent: 0,
            congestion_tolerance_percent: 10,
            features: Vec::new(),
            smart_enable: None,
        }
    }
}

impl Default for Agent {
    fn default() -> Self {
        Self {
            authority: None,
            proxy: None,
            connect_s: 10,
            answer_s: 60,
            report_usage_s: 300,
            ooc_retry_s: 60,
            trust_pool: None,
            first_use: FirstUse::Refuse,
            send_hostname: true,
        }
    }
}

impl Default for Ssh {
    fn default() -> Self {
        Self {
            listen: None,
            sessions_max: 16,
            idle_s: 600,
            failures_max: 5,
            lockout_s: 900,
            account: Vec::new(),
        }
    }
}

impl Default for Audit {
    fn default() -> Self {
        Self { max_mib: 16 }
    }
}

impl Default for Journal {
    fn default() -> Self {
        Self {
            enabled: false,
            file: None,
            max_mib: 256,
        }
    }
}

impl Default for Lab {
    fn default() -> Self {
        Self {
            speedup: 1,
            catalog: None,
        }
    }
}
