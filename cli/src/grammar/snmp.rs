//! `snmp ...` and `threshold ...`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::SocketArgs;

/// `snmp ...`.
#[derive(Debug, Args)]
#[command(
    subcommand_required = true,
    arg_required_else_help = true,
    infer_subcommands = true,
    after_help = SNMP_EXAMPLES
)]
pub struct SnmpArgs {
    /// What of it.
    #[command(subcommand)]
    pub snmp: Snmp,
}

const SNMP_EXAMPLES: &str = "\
Examples:
  tollgate snmp user noc auth sha-256 privacy aes-128 read 1.3.6.1
  tollgate snmp target nms 192.0.2.162 version v3 user noc traps
  tollgate snmp trap suppress tgCeilingChanged
  tollgate snmp trap default                     the configuration's again
  tollgate no snmp target nms
  tollgate show snmp server

What is set is kept, in place of the configuration's entry of that name, and in
force at once. Secrets are asked for, or read from files or standard input; they
are never words of a command.";

/// What of SNMP one may change.
#[derive(Debug, Subcommand)]
pub enum Snmp {
    /// Say who is sent notifications
    ///
    /// A new one is told of the alarms that stand. What waits for one that is there already goes on waiting.
    #[command(after_help = "\
Examples:
  tollgate snmp target nms 192.0.2.162 version v2c informs
  tollgate snmp target nms 192.0.2.162:1162 version v2c traps \\
      --community-file community
  tollgate snmp target nms 192.0.2.162 version v3 user noc traps
  tollgate snmp target nms default               the configuration's again")]
    Target(TargetArgs),
    /// Say who reads by SNMPv1 and SNMPv2c, and what
    #[command(after_help = "\
Examples:
  tollgate snmp community noc read 1.3.6.1.2.1 1.3.6.1.4.1.32473.1
  tollgate snmp community noc default            the configuration's again")]
    Community(CommunityArgs),
    /// Set a user of SNMPv3
    ///
    /// Of its passwords the keys with this engine are kept, which are good for no other. With the word `informs` those are
    /// kept that are good for every engine: targets that are sent informs need them, since those have engines of their own.
    #[command(after_help = "\
Examples:
  tollgate snmp user noc auth sha-256 privacy aes-128 read 1.3.6.1
  tollgate snmp user nms auth sha-512 privacy aes-256 informs \\
      --auth-file auth --privacy-file privacy
  tollgate snmp user noc default                 the configuration's again")]
    User(UserArgs),
    /// Suppress or enable a notification
    #[command(
        subcommand_required = true,
        arg_required_else_help = true,
        infer_subcommands = true
    )]
    Trap {
        /// Which of them.
        #[command(subcommand)]
        trap: Trap,
    },
    /// Print a password as a key that is good for one engine alone
    ///
    /// What it prints may stand in place of the password in auth_file and privacy_file of [[snmp.user]], so that no password
    /// lies on the node. No node needs to run.
    #[command(after_help = "\
Examples:
  tollgate snmp localize sha-256 --config gateway.toml --out noc.auth
  tollgate snmp localize sha-256 --engine 80007ed904677731 --password-file -")]
    Localize(LocalizeArgs),
}

/// What of a notification one may change.
#[derive(Debug, Subcommand)]
pub enum Trap {
    /// Send it to nobody; how often it would have been is counted
    #[command(after_help = "Example:\n  tollgate snmp trap suppress tgCeilingChanged")]
    Suppress(TrapArgs),
    /// Send it again
    ///
    /// Targets are told at once of the alarms that stand of it, once more of those that they were told of before. A clear
    /// that was suppressed itself is not told later: the table of alarms says that nothing stands.
    #[command(after_help = "Example:\n  tollgate snmp trap enable tgCeilingChanged")]
    Enable(TrapArgs),
    /// Suppress what the configuration says, and nothing else
    #[command(after_help = "Example:\n  tollgate snmp trap default")]
    Default(SocketArgs),
}

/// A notification.
#[derive(Debug, Args)]
pub struct TrapArgs {
    /// Its name
    pub name: String,
    /// Where the node is.
    #[command(flatten)]
    pub socket: SocketArgs,
}

/// `snmp target NAME ADDRESS[:PORT] version V [user USER] [traps | informs]`.
#[derive(Debug, Args)]
pub struct TargetArgs {
    /// Its name
    pub name: String,
    /// Address, and UDP port unless it is 162; or the word default
    #[arg(value_name = "ADDRESS[:PORT] | default")]
    pub address: String,
    /// The words `version v1|v2c|v3`, `user` and a name with v3, `traps` or
    /// `informs`
    #[arg(value_name = "WORDS")]
    pub words: Vec<String>,
    /// The file whose first line is the community, - for standard input
    #[arg(long, value_name = "FILE")]
    pub community_file: Option<PathBuf>,
    /// Milliseconds until an inform is sent again
    #[arg(long, value_name = "MS")]
    pub timeout_ms: Option<u32>,
    /// How often it is
    #[arg(long, value_name = "TIMES")]
    pub retries: Option<u8>,
    /// Notifications that wait for it at most
    #[arg(long, value_name = "COUNT")]
    pub queue: Option<u32>,
    /// Where the node is.
    #[command(flatten)]
    pub socket: SocketArgs,
}

/// `snmp community NAME read OID...`.
#[derive(Debug, Args)]
pub struct CommunityArgs {
    /// Its name, which is no secret
    pub name: String,
    /// The word `read` and roots of subtrees; or the word default
    #[arg(value_name = "read OID... | default", required = true)]
    pub words: Vec<String>,
    /// The file whose first line is the community, - for standard input
    #[arg(long, value_name = "FILE")]
    pub community_file: Option<PathBuf>,
    /// Where the node is.
    #[command(flatten)]
    pub socket: SocketArgs,
}

/// `snmp user NAME [auth P [privacy P]] [informs] [read OID...]`.
#[derive(Debug, Args)]
pub struct UserArgs {
    /// Its name
    pub name: String,
    /// `auth` and sha-1, sha-256, sha-384 or sha-512; `privacy` and aes-128 or
    /// aes-256; `informs`; `read` and roots of subtrees; or the word default
    #[arg(value_name = "WORDS")]
    pub words: Vec<String>,
    /// The file whose first line is the password of auth, - for standard input
    #[arg(long, value_name = "FILE")]
    pub auth_file: Option<PathBuf>,
    /// The file whose first line is the password of privacy, likewise
    #[arg(long, value_name = "FILE")]
    pub privacy_file: Option<PathBuf>,
    /// Where the node is.
    #[command(flatten)]
    pub socket: SocketArgs,
}

/// `snmp localize PROTOCOL`.
#[derive(Debug, Args)]
pub struct LocalizeArgs {
    /// The protocol that the user authenticates by, also for a password of privacy
    #[arg(value_parser = ["sha-1", "sha-256", "sha-384", "sha-512"])]
    pub auth: String,
    /// The configuration of the node whose engine it is
    #[arg(
        long,
        value_name = "FILE",
        required_unless_present = "engine",
        conflicts_with = "engine"
    )]
    pub config: Option<PathBuf>,
    /// The id of the engine, in hexadecimal
    #[arg(long, value_name = "HEX")]
    pub engine: Option<String>,
    /// The file whose first line is the password, - for standard input
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
    /// Write it to this file, mode 0600, in place of standard output
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// `no snmp ...`.
#[derive(Debug, Args)]
#[command(
    subcommand_required = true,
    arg_required_else_help = true,
    infer_subcommands = true,
    after_help = "\
Examples:
  tollgate no snmp target nms
  tollgate snmp target nms default               the configuration's again"
)]
pub struct NoSnmpArgs {
    /// What of it.
    #[command(subcommand)]
    pub snmp: NoSnmp,
}

/// What of SNMP one may take back.
#[derive(Debug, Subcommand)]
pub enum NoSnmp {
    /// Send notifications to it no more, whatever the configuration says
    ///
    /// What waits for it is dropped.
    Target(TrapArgs),
    /// It reads no more, whatever the configuration says
    Community(TrapArgs),
    /// There is no such user, whatever the configuration says
    User(TrapArgs),
    /// Enable a notification that is suppressed
    #[command(
        subcommand_required = true,
        arg_required_else_help = true,
        infer_subcommands = true
    )]
    Trap {
        /// Which of them.
        #[command(subcommand)]
        trap: NoTrap,
    },
}

/// What of a notification one may take back.
#[derive(Debug, Subcommand)]
pub enum NoTrap {
    /// Send it again
    Suppress(TrapArgs),
}

/// `threshold ...`, and its `no` form.
#[derive(Debug, Args)]
#[command(
    subcommand_required = true,
    arg_required_else_help = true,
    infer_subcommands = true,
    after_help = "Example:\n  tollgate threshold license remaining-sessions 10 clear 20"
)]
pub struct ThresholdArgs {
    /// What of it.
    #[command(subcommand)]
    pub threshold: Threshold,
}

/// What has a threshold.
#[derive(Debug, Subcommand)]
pub enum Threshold {
    /// Licenses
    #[command(
        subcommand_required = true,
        arg_required_else_help = true,
        infer_subcommands = true
    )]
    License {
        /// What of them.
        #[command(subcommand)]
        license: LicenseThreshold,
    },
}

/// What of licenses has a threshold.
#[derive(Debug, Subcommand)]
pub enum LicenseThreshold {
    /// Tell managers when few sessions are left of a service's ceiling
    ///
    /// starThreshLicense is sent when so many percent of the sessions are left, or fewer, and its clear when more than the
    /// second number are. It is kept, in place of remaining_low_percent and remaining_clear_percent of the configuration.
    #[command(after_help = "\
Examples:
  tollgate threshold license remaining-sessions 10 clear 20
  tollgate threshold license remaining-sessions default
  tollgate no threshold license remaining-sessions")]
    RemainingSessions(RemainingArgs),
}

/// `threshold license remaining-sessions LOW [clear HIGH] | default`.
#[derive(Debug, Args)]
pub struct RemainingArgs {
    /// Percent, 1 to 99, then perhaps `clear` and percent, no fewer; or the
    /// word default. The `no` form has none of it
    #[arg(value_name = "LOW [clear HIGH] | default")]
    pub words: Vec<String>,
    /// Where the node is.
    #[command(flatten)]
    pub socket: SocketArgs,
}
