//! What one may type: the commands, their words and options.

mod accounts;
mod apply;
mod bulkstats;
mod bulkstats_mode;
mod clear;
mod license;
mod logging;
mod save;
mod show;
mod snmp;
mod switches;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::authority_command::args::AuthorityArgs;
use crate::load_command::LoadArgs;

pub use self::accounts::{AccountArgs, NameArgs};
pub use self::apply::ApplyArgs;
pub use self::bulkstats::{
    Bulkstats, BulkstatsArgs, FilesArgs, ForceBulkstats, PlotArgs, ReadArgs,
};
pub use self::bulkstats_mode::{
    BlockArgs, BulkstatsMode, CollectionWord, DefaultBulkstatsMode, FormatWord, Historical,
    HistoricalArgs, NoBulkstatsMode, NoSchemaWord, NumberArgs, PlainCollection, PlainFormat,
    ReceiverArgs, SchemaArgs, SchemaWord, WhichArgs,
};
pub use self::clear::{Clear, ClearAdministrator, ClearArgs, ClearBulkstats, ClearSubscribers};
pub use self::license::{
    License, LicenseArgs, ProxyArgs, RegisterArgs, RenewArgs, Renewed, Smart, TokenSource, UrlArgs,
};
pub use self::logging::{
    FilterArgs, Logging, LoggingArgs, NoFilterArgs, NoLogging, NoLoggingArgs, NoSyslogArgs,
    SyslogArgs,
};
pub use self::save::{Save, SaveArgs};
pub use self::show::ShowArgs;
pub use self::snmp::{
    CommunityArgs, LicenseThreshold, LocalizeArgs, NoSnmp, NoSnmpArgs, NoTrap, RemainingArgs, Snmp,
    SnmpArgs, TargetArgs, Threshold, ThresholdArgs, Trap, TrapArgs, UserArgs,
};
pub use self::switches::{FeatureArgs, Lab, LabArgs, No, NoArgs, NoLicense, NoSmart};

/// The environment variable that names the control socket.
pub const SOCKET_VARIABLE: &str = "TOLLGATE_SOCKET";

/// The control socket where neither option nor environment names one: that of a node with the default state directory.
pub const SOCKET_DEFAULT: &str = "/var/lib/tollgate/control.sock";

/// License enforcement for mobile packet cores.
///
/// A node sits in the session set-up path of a gateway, counts sessions per licensed service and feature, and lets new
/// calls through or refuses them. These commands run one, ask one, change one, and put calls on one.
#[derive(Debug, Parser)]
#[command(
    name = "tollgate",
    version,
    infer_subcommands = true,
    max_term_width = 80,
    subcommand_required = true,
    arg_required_else_help = true,
    after_help = TOP_EXAMPLES
)]
pub struct Grammar {
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

const TOP_EXAMPLES: &str = "\
Examples:
  tollgate demo                                  see all of it, in a minute
  tollgate node --config tollgate.toml           run a node
  tollgate show license enforcement status       what is blocked, and why
  tollgate show license enforcement history      the newest refused calls
  tollgate license smart enable                  begin to enforce
  tollgate show license status                   registration, authorization
  tollgate clear subscribers imsi 240010000000001    end a subscriber's calls
  tollgate load --target 127.0.0.1               put calls on any gateway
  tollgate authority --state-dir /tmp/authority  run a license authority

Commands may be shortened while they stay clear: tollgate sh lic enf st
The control socket is --socket, else TOLLGATE_SOCKET, else
/var/lib/tollgate/control.sock. Times are UTC.
Exit: 0 done, 1 failed (one line `Failure: ...` says what, where and what to
do), 2 not understood.";

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a node: a gateway's control plane with license enforcement
    Node(NodeArgs),
    /// Run a license authority, or administer one
    Authority(AuthorityArgs),
    /// Ask and change a node in a session, with ? and Tab
    ///
    /// Words may be shortened while they stay clear; ? lists what may follow, without Enter, and Tab completes. `configure`
    /// leads to what changes a node, `end` and `exit` back; `do` runs a command of the first prompt there. An answer goes
    /// through `| grep [-i] [-v] [-E] EXPRESSION`, `| count` and `| more`. Lines may come by a pipe, too: then nothing is
    /// prompted, and the exit code tells whether a line failed (1) or was not understood (2).
    #[command(after_help = "\
Examples:
  tollgate shell
  echo 'show license status | grep Status' | tollgate shell")]
    Shell(SocketArgs),
    /// Watch a node: sessions, calls a second, policies, alarms, the authority
    ///
    /// A page for a terminal of 80x24 and more, drawn anew with each answer of the node: a bar of the ceiling a service,
    /// calls admitted and refused a second, what is blocked, the alarms, and how the node stands with the license authority.
    /// ? explains the page and its keys. A node that does not answer is told there, and its last numbers stay, with their age.
    Top(TopArgs),
    /// Show what a node knows
    Show(ShowArgs),
    /// End sessions of a node, or drop bulk statistics
    Clear(ClearArgs),
    /// Change the licensing of a node
    License(LicenseArgs),
    /// Save the configuration of a node
    Save(SaveArgs),
    /// Change what a configuration text says, all of it or nothing
    ///
    /// The text is one as `show configuration` prints it, or a part of one between `config` and `end`. Each line says one
    /// thing, `no` and `default` take one back, and what the text does not say stays as it is; an entry of a list is said
    /// whole. The node compares it with the configuration in force, checks the whole, keeps it and brings it into force, or
    /// refuses it and changes nothing. What only a start takes, and what commands of their own switch (`license smart
    /// enable`, `feature`), is refused where it differs, with its line: what a text may say decides about no call.
    Apply(ApplyArgs),
    /// Enable an on/off feature of a node
    Feature(FeatureArgs),
    /// Set what bulk statistics are collected, take or send them now; read and draw files of them
    Bulkstats(BulkstatsArgs),
    /// Change who is sent notifications, who reads, and which are sent
    Snmp(SnmpArgs),
    /// Change when managers are warned
    Threshold(ThresholdArgs),
    /// Change what is logged, and which syslog servers are sent it
    Logging(LoggingArgs),
    /// Set an account that may do all by SSH
    Administrator(AccountArgs),
    /// Set an account that looks, ends sessions and sends what is collected
    Operator(AccountArgs),
    /// Set an account that looks
    Inspector(AccountArgs),
    /// Take back: the `no` form of license, feature, snmp, bulkstats, threshold, logging, accounts
    No(NoArgs),
    /// As the configuration file says, again
    #[command(
        subcommand_required = true,
        arg_required_else_help = true,
        infer_subcommands = true,
        after_help = "Example:\n  tollgate default bulkstats collection"
    )]
    Default {
        /// What.
        #[command(subcommand)]
        default: CollectionWord,
    },
    /// Put GTP calls on a gateway, and measure its answers
    Load(LoadArgs),
    /// See it work: a node, calls and a license authority, on loopback, in a minute
    ///
    /// A node starts in a temporary directory, 10,000 calls fill one license over UDP, the next is refused, calls come by
    /// S5 and S11 too, the evaluation period runs out under the lab clock, sessions are cleared. Then the node registers
    /// with a license authority, grows to what that owns, is out of compliance when licenses are moved away, goes through
    /// a feature's 90 days of grace, and is cleared by licenses that are bought; its journal is played again. Each step is
    /// explained and checked; what an operator would see is shown. It needs no root and leaves nothing behind.
    /// Exit code 1: some assertion did not hold.
    Demo(DemoArgs),
    /// For lab nodes only: the speed of their license clock
    Lab(LabArgs),
    /// Print what makes a shell complete these commands
    #[command(after_help = "\
Examples:
  tollgate completion bash > ~/.local/share/bash-completion/completions/tollgate
  tollgate completion fish > ~/.config/fish/completions/tollgate.fish")]
    Completion {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page
    #[command(after_help = "Example:\n  tollgate man > ~/.local/share/man/man1/tollgate.1")]
    Man,
}

/// Options of `tollgate demo`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tollgate demo
  tollgate demo --keep /tmp/d
  tollgate node --replay /tmp/d/state/journal.jsonl      play that once more")]
pub struct DemoArgs {
    /// Make this directory, and keep in it what the node writes: its
    /// configuration, log, state and journal; the license authority's state, too
    #[arg(long, value_name = "DIR")]
    pub keep: Option<PathBuf>,
}

/// Options of `tollgate node`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tollgate node --config tollgate.toml
  tollgate node --config tollgate.toml --check     read and check it, then end
  tollgate node --replay journal.jsonl             play its journal again

The node runs in the foreground and logs to standard error; TOLLGATE_LOG sets
what (error, warn, info, debug, or one per module: node=debug). SIGTERM and
Ctrl-C drain it and save its state, and so does the end of standard input with
--until-stdin-closes: a node that a program starts with a pipe to it ends when
that program does, however that ends. node/examples/gateway.toml explains every
key of the configuration.

A replay prints events, status and refused calls of the machine that took in
what the journal holds. Exit: 0 they are those that were recorded, 1 they are
not (the first difference is told), 2 the journal can't be read.")]
pub struct NodeArgs {
    /// The configuration: a TOML file, or a text as show configuration prints it
    #[arg(long, value_name = "FILE", required_unless_present = "replay")]
    pub config: Option<PathBuf>,
    /// A catalog in place of the embedded one; lab nodes only
    #[arg(long, value_name = "FILE")]
    pub catalog: Option<PathBuf>,
    /// Read and check the configuration, and end
    #[arg(long)]
    pub check: bool,
    /// End when standard input does
    #[arg(long)]
    pub until_stdin_closes: bool,
    /// Play a journal again, compare, and end; no node runs
    #[arg(long, value_name = "FILE", conflicts_with_all = ["config", "catalog", "check", "until_stdin_closes"])]
    pub replay: Option<PathBuf>,
    /// Print the replay as JSON
    #[arg(long, requires = "replay")]
    pub json: bool,
}

/// Options of `tollgate top`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Examples:
  tollgate top
  tollgate top --interval 0.5 --no-color

Exit: 0 ended by q or Ctrl-C, 1 failed (there is no terminal, or no node at the
start), 143 ended by a signal.")]
pub struct TopArgs {
    #[command(flatten)]
    pub socket: SocketArgs,
    /// Seconds between two questions, 0.2 to 60
    #[arg(long, value_name = "S", default_value_t = 2.0, value_parser = interval)]
    pub interval: f64,
    /// No colours; so it is with NO_COLOR set, too
    #[arg(long)]
    pub no_color: bool,
}

fn interval(said: &str) -> Result<f64, String> {
    let seconds = said.parse::<f64>().ok();
    let seconds = seconds.filter(|seconds| (0.2..=60.0).contains(seconds));
    seconds.ok_or_else(|| "seconds from 0.2 to 60 are expected".to_owned())
}

/// Whether it is asked before calls are refused, and where the node is.
#[derive(Clone, Debug, Default, Args)]
pub struct ConfirmArgs {
    /// Do not ask where calls would be refused; `-noconfirm` is understood as well
    #[arg(long, visible_alias = "yes")]
    pub noconfirm: bool,
    #[command(flatten)]
    pub socket: SocketArgs,
}

/// Where the node is.
#[derive(Clone, Debug, Default, Args)]
pub struct SocketArgs {
    /// Control socket of the node [default: $TOLLGATE_SOCKET, else
    /// /var/lib/tollgate/control.sock]
    #[arg(long, value_name = "PATH")]
    pub socket: Option<PathBuf>,
}

impl SocketArgs {
    /// The option, else what the environment says, else the default.
    pub fn path(&self) -> PathBuf {
        let named = self.socket.clone();
        named
            .or_else(|| std::env::var_os(SOCKET_VARIABLE).map(PathBuf::from))
            .unwrap_or_else(|| PathBuf::from(SOCKET_DEFAULT))
    }
}
