//! `logging ...`, and its `no` forms.

use std::str::FromStr;

use api::{LogFacility, NoSuchWord, filter_named};
use clap::{Args, Subcommand};

use super::SocketArgs;

/// `logging ...`.
#[derive(Debug, Args)]
#[command(
    subcommand_required = true,
    arg_required_else_help = true,
    infer_subcommands = true,
    after_help = "\
Examples:
  tollgate logging filter slmgr level warning
  tollgate logging syslog 192.0.2.50
  tollgate no logging syslog 192.0.2.50
  tollgate show logging

What is set is kept, in place of the configuration's entry of that name, and in
force at once."
)]
pub struct LoggingArgs {
    /// What of it.
    #[command(subcommand)]
    pub logging: Logging,
}

/// What of logging one may change.
#[derive(Debug, Subcommand)]
pub enum Logging {
    /// Say which events of a facility are logged
    ///
    /// The filter of `all` is for facilities that have none of their own. An event that is filtered out is neither in show
    /// logs nor sent to a syslog server. Where nothing is said the level is info.
    #[command(after_help = "\
Examples:
  tollgate logging filter slmgr level warning
  tollgate logging filter all level error
  tollgate logging filter slmgr default          the configuration's again")]
    Filter(FilterArgs),
    /// Say which syslog server is sent the events that are logged
    ///
    /// At most four, as RFC 5424 has it; by UDP unless told otherwise. By TLS its certificate must be below the roots, and
    /// name the address or host name that is given here.
    #[command(after_help = "\
Examples:
  tollgate logging syslog 192.0.2.50
  tollgate logging syslog logs.example protocol tls \\
      roots /etc/tollgate/syslog.pem level warning
  tollgate logging syslog 192.0.2.50 default     the configuration's again")]
    Syslog(SyslogArgs),
}

/// Whose events a filter is of.
#[derive(Clone, Copy, Debug)]
pub struct Filtered(pub Option<LogFacility>);

impl FromStr for Filtered {
    type Err = NoSuchWord;

    fn from_str(said: &str) -> Result<Self, NoSuchWord> {
        filter_named(said).map(Self)
    }
}

/// `logging filter FACILITY|all level LEVEL | default`.
#[derive(Debug, Args)]
pub struct FilterArgs {
    /// all, slmgr, slagent, snmp, bulkst, gtpc, cli, system or evlog
    #[arg(value_name = "FACILITY | all")]
    pub facility: Filtered,
    /// The word level and critical, error, warning, unusual, info, trace or
    /// debug; or the word default
    #[arg(value_name = "level SEVERITY | default", required = true)]
    pub words: Vec<String>,
    /// Where the node is.
    #[command(flatten)]
    pub socket: SocketArgs,
}

/// `logging syslog ADDRESS ...`.
#[derive(Debug, Args)]
pub struct SyslogArgs {
    /// Its address or host name
    pub address: String,
    /// The words port and a number; protocol and udp or tls; facility and local0
    /// to local7; level and a severity; roots and a file on the node, for tls;
    /// queue and a number of events; format and rfc5424; or the word default
    #[arg(value_name = "WORDS")]
    pub words: Vec<String>,
    /// Where the node is.
    #[command(flatten)]
    pub socket: SocketArgs,
}

/// `no logging ...`.
#[derive(Debug, Args)]
#[command(
    subcommand_required = true,
    arg_required_else_help = true,
    infer_subcommands = true,
    after_help = "\
Examples:
  tollgate no logging syslog 192.0.2.50
  tollgate logging syslog 192.0.2.50 default     the configuration's again"
)]
pub struct NoLoggingArgs {
    /// What of it.
    #[command(subcommand)]
    pub logging: NoLogging,
}

/// What of logging one may take back.
#[derive(Debug, Subcommand)]
pub enum NoLogging {
    /// There is no such filter, whatever the configuration says
    Filter(NoFilterArgs),
    /// Send it events no more, whatever the configuration says
    ///
    /// What waits for it is dropped.
    Syslog(NoSyslogArgs),
}

/// `no logging filter FACILITY|all`.
#[derive(Debug, Args)]
pub struct NoFilterArgs {
    /// all, or a facility
    #[arg(value_name = "FACILITY | all")]
    pub facility: Filtered,
    /// Where the node is.
    #[command(flatten)]
    pub socket: SocketArgs,
}

/// `no logging syslog ADDRESS`.
#[derive(Debug, Args)]
pub struct NoSyslogArgs {
    /// Its address or host name
    pub address: String,
    /// Where the node is.
    #[command(flatten)]
    pub socket: SocketArgs,
}
