//! What one may type: the commands, their words and options.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;

use api::ClearWhom;
use clap::error::ErrorKind;
use clap::{Arg, ArgAction, ArgMatches, Args, FromArgMatches, Parser, Subcommand, ValueEnum};

use crate::authority_command::args::AuthorityArgs;
use crate::load_command::LoadArgs;
use crate::show::{Filter, Kind, Needs, SURFACES, Standing, Surface};

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
    /// Show what a node knows
    Show(ShowArgs),
    /// End sessions of a node
    Clear(ClearArgs),
    /// Change the licensing of a node
    License(LicenseArgs),
    /// Enable an on/off feature of a node
    Feature(FeatureArgs),
    /// Take back: the `no` form of license and feature
    No(NoArgs),
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
    /// The configuration, a TOML file
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

/// `license ...`.
#[derive(Debug, Args)]
#[command(
    subcommand_required = true,
    arg_required_else_help = true,
    infer_subcommands = true,
    after_help = "\
Examples:
  tollgate license smart enable
  tollgate license smart register idtoken -      the token by standard input"
)]
pub struct LicenseArgs {
    /// What of it.
    #[command(subcommand)]
    pub license: License,
}

/// What of licensing one may change.
#[derive(Debug, Subcommand)]
pub enum License {
    /// Smart licensing
    #[command(
        subcommand_required = true,
        arg_required_else_help = true,
        infer_subcommands = true
    )]
    Smart {
        /// What of it.
        #[command(subcommand)]
        smart: Smart,
    },
}

/// What of smart licensing one may change.
#[derive(Debug, Subcommand)]
pub enum Smart {
    /// Begin to enforce licenses; with `no`, keep the last verdicts
    ///
    /// Until the node is registered its evaluation runs. After the `no` form nothing more is asked of the authority, and
    /// what was blocked or limited stays so.
    #[command(after_help = "\
Examples:
  tollgate license smart enable
  tollgate no license smart enable")]
    Enable(SocketArgs),
    /// Register the node with the license authority
    ///
    /// It waits for the authority's answer. A token that is typed stays in the shell's history: give it by standard input
    /// or by a file instead. With `force`, a registration that stands, here or there, is replaced.
    #[command(after_help = "\
Examples:
  tollgate license smart register idtoken - < token
  tollgate license smart register idtoken --token-file token
  tollgate license smart register idtoken --token-file token force")]
    Register(RegisterArgs),
    /// Ask the license authority anew, without waiting for the next time
    #[command(after_help = "\
Examples:
  tollgate license smart renew id                the identity certificate
  tollgate license smart renew auth              the authorization")]
    Renew(RenewArgs),
    /// End the registration: the node goes back to evaluation
    #[command(after_help = "Example:\n  tollgate license smart deregister")]
    Deregister(SocketArgs),
}

/// `license smart register idtoken TOKEN [force]`.
#[derive(Args)]
pub struct RegisterArgs {
    /// The word `idtoken`
    #[arg(value_parser = ["idtoken"], hide_possible_values = true, value_name = "idtoken")]
    pub idtoken: String,
    /// The token, or - for standard input; none with --token-file
    #[arg(value_name = "TOKEN")]
    pub token: Option<String>,
    /// The word `force`
    #[arg(value_parser = ["force"], hide_possible_values = true, value_name = "force")]
    pub force: Option<String>,
    /// The file whose first line is the token
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// Where the node is.
    #[command(flatten)]
    pub socket: SocketArgs,
}

/// Without the token.
impl fmt::Debug for RegisterArgs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("RegisterArgs");
        shown.field("force", &self.force).finish_non_exhaustive()
    }
}

/// Where a token is.
#[derive(PartialEq, Eq)]
pub enum TokenSource {
    /// It was typed.
    Typed(String),
    /// The first line of standard input.
    Input,
    /// The first line of a file.
    File(PathBuf),
}

impl RegisterArgs {
    /// Where the token is, and whether another registration is to be replaced; none: the words make no sense together.
    pub fn source(&self) -> Option<(TokenSource, bool)> {
        let force = self.force.is_some();
        match (&self.token_file, self.token.as_deref()) {
            (Some(file), None) => Some((TokenSource::File(file.clone()), force)),
            (Some(file), Some("force")) => Some((TokenSource::File(file.clone()), true)),
            (None, Some("-")) => Some((TokenSource::Input, force)),
            (None, Some(token)) => Some((TokenSource::Typed(token.to_owned()), force)),
            (Some(_), Some(_)) | (None, None) => None,
        }
    }
}

/// `license smart renew id|auth`.
#[derive(Debug, Args)]
pub struct RenewArgs {
    /// What is renewed
    #[arg(value_enum, value_name = "id | auth", hide_possible_values = true)]
    pub what: Renewed,
    /// Where the node is.
    #[command(flatten)]
    pub socket: SocketArgs,
}

/// What one may renew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Renewed {
    /// The identity certificate.
    Id,
    /// The authorization.
    Auth,
}

/// `clear ...`.
#[derive(Debug, Args)]
#[command(
    subcommand_required = true,
    arg_required_else_help = true,
    infer_subcommands = true,
    after_help = "Example:\n  tollgate clear subscribers imsi 240010000000001"
)]
pub struct ClearArgs {
    /// What of it.
    #[command(subcommand)]
    pub clear: Clear,
}

/// What one may clear.
#[derive(Debug, Subcommand)]
pub enum Clear {
    /// End sessions: their peers are asked to delete them
    ///
    /// Each session's SGSN, SGW, MME, ePDG or TWAN gets a Delete Bearer Request, or a Delete PDP Context Request. A session
    /// counts until it is answered, or was not answered n3_requests times; its license is free then. New calls are not
    /// held up, nor refused. Sessions that other processes count here (admission clients) are theirs to end.
    #[command(
        subcommand_required = true,
        arg_required_else_help = true,
        infer_subcommands = true,
        after_help = "\
Examples:
  tollgate clear subscribers imsi 240010000000001
  tollgate clear subscribers apn internet --reactivate
  tollgate clear subscribers peer 10.1.2.3
  tollgate clear subscribers service PGW -noconfirm
  tollgate clear subscribers all -noconfirm

It asks before it clears, unless -noconfirm is there. Emergency sessions are
cleared by imsi and apn alone. Exit: 0 so many are cleared as it says, 1 none
matched, or it was not confirmed."
    )]
    Subscribers(ClearSubscribers),
}

/// Whose sessions one may clear.
#[derive(Debug, Args)]
pub struct ClearSubscribers {
    /// Whose.
    #[command(subcommand)]
    pub whose: ClearWhose,
}

/// Whose sessions, with the options.
#[derive(Debug, Subcommand)]
pub enum ClearWhose {
    /// A subscriber's, its emergency session too
    Imsi {
        /// The IMSI, 6 to 15 digits
        imsi: String,
        /// The options.
        #[command(flatten)]
        options: ClearOptions,
    },
    /// Those of an access point name
    Apn {
        /// Name in the configuration, letter case apart
        apn: String,
        /// The options.
        #[command(flatten)]
        options: ClearOptions,
    },
    /// Those of a peer, and what is relayed to it, but for emergency sessions
    Peer {
        /// The address that it signals from
        address: IpAddr,
        /// The options.
        #[command(flatten)]
        options: ClearOptions,
    },
    /// Those that take a service's license
    Service {
        /// Name in the catalog, letter case apart
        service: String,
        /// The options.
        #[command(flatten)]
        options: ClearOptions,
    },
    /// All, but for emergency sessions
    All {
        /// The options.
        #[command(flatten)]
        options: ClearOptions,
    },
}

/// How one may clear.
#[derive(Debug, Args)]
pub struct ClearOptions {
    /// Do not ask; `-noconfirm` is understood as well
    #[arg(long)]
    pub noconfirm: bool,
    /// Ask the UEs to connect again (cause Reactivation Requested)
    #[arg(long)]
    pub reactivate: bool,
    /// Where the node is.
    #[command(flatten)]
    pub socket: SocketArgs,
}

impl ClearSubscribers {
    /// As it is asked of a node.
    pub fn whom(self) -> (ClearWhom, ClearOptions) {
        match self.whose {
            ClearWhose::Imsi { imsi, options } => (ClearWhom::Imsi(imsi), options),
            ClearWhose::Apn { apn, options } => (ClearWhom::Apn(apn), options),
            ClearWhose::Peer { address, options } => (ClearWhom::Peer(address), options),
            ClearWhose::Service { service, options } => (ClearWhom::Service(service), options),
            ClearWhose::All { options } => (ClearWhom::All, options),
        }
    }
}

/// `feature <name> enable`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tollgate feature GRE enable
  tollgate no feature GRE enable
  tollgate show license smart-tags feature       the names")]
pub struct FeatureArgs {
    /// Name of the feature in the catalog, letter case apart
    pub name: String,
    /// The word `enable`
    #[arg(value_parser = ["enable"], hide_possible_values = true, value_name = "enable")]
    pub enable: String,
    /// Where the node is.
    #[command(flatten)]
    pub socket: SocketArgs,
}

/// `no ...`.
#[derive(Debug, Args)]
#[command(
    subcommand_required = true,
    arg_required_else_help = true,
    infer_subcommands = true,
    after_help = "Examples:\n  tollgate no license smart enable\n  tollgate no feature GRE enable"
)]
pub struct NoArgs {
    /// What to take back.
    #[command(subcommand)]
    pub no: No,
}

/// What one may take back.
#[derive(Debug, Subcommand)]
pub enum No {
    /// Change the licensing of a node
    License(NoLicenseArgs),
    /// Disable an on/off feature of a node
    Feature(FeatureArgs),
}

/// `no license ...`.
#[derive(Debug, Args)]
#[command(
    subcommand_required = true,
    arg_required_else_help = true,
    infer_subcommands = true,
    after_help = "Example:\n  tollgate no license smart enable"
)]
pub struct NoLicenseArgs {
    /// What of it.
    #[command(subcommand)]
    pub license: NoLicense,
}

/// What of licensing one may take back.
#[derive(Debug, Subcommand)]
pub enum NoLicense {
    /// Smart licensing
    #[command(
        subcommand_required = true,
        arg_required_else_help = true,
        infer_subcommands = true
    )]
    Smart {
        /// What of it.
        #[command(subcommand)]
        smart: NoSmart,
    },
}

/// What of smart licensing one may take back.
#[derive(Debug, Subcommand)]
pub enum NoSmart {
    /// Keep the last verdicts, and ask nothing more of the authority
    #[command(after_help = "Example:\n  tollgate no license smart enable")]
    Enable(SocketArgs),
}

/// `lab ...`.
#[derive(Debug, Args)]
#[command(
    subcommand_required = true,
    arg_required_else_help = true,
    infer_subcommands = true,
    after_help = "Example:\n  tollgate lab speedup 86400"
)]
pub struct LabArgs {
    /// What of it.
    #[command(subcommand)]
    pub lab: Lab,
}

/// What of a lab node one may change.
#[derive(Debug, Subcommand)]
pub enum Lab {
    /// Set the speed of the license clock, in license seconds a second
    ///
    /// Evaluation, grace and silence run by it, nothing else does. A node that its configuration does not mark `[lab]`
    /// refuses.
    #[command(after_help = "\
Examples:
  tollgate lab speedup 86400                     a day a second
  tollgate lab speedup 1                         as on any other node")]
    Speedup {
        /// License seconds a second
        #[arg(value_parser = clap::value_parser!(u32).range(1..))]
        speedup: u32,
        /// Where the node is.
        #[command(flatten)]
        socket: SocketArgs,
    },
}

/// `show ...`: its words come from the table of surfaces.
#[derive(Debug)]
pub struct ShowArgs {
    /// The surface.
    pub surface: &'static Surface,
    /// Which rows.
    pub filter: Filter,
    /// At most so many refusals, newest first, or peers; 0 where the surface lists none.
    pub limit: u32,
    /// So many of the first peers are left out; 0 where the surface lists none.
    pub offset: u32,
    /// As JSON.
    pub json: bool,
    /// Where the node is.
    pub socket: SocketArgs,
}

/// Refusals, or peers, shown unless told otherwise.
const LIMIT_DEFAULT: &str = "20";

impl Args for ShowArgs {
    fn augment_args(command: clap::Command) -> clap::Command {
        let all = SURFACES.iter().map(|surface| {
            let words = surface.words.join(" ");
            format!(
                "\n  {words}\n      {}\n      tollgate {}",
                surface.help, surface.example
            )
        });
        let help = format!(
            "All of it, each with an example:{}",
            all.collect::<String>()
        );
        let surfaces: Vec<&'static Surface> = SURFACES.iter().collect();
        add_words(command, 0, &surfaces).after_help(help)
    }

    fn augment_args_for_update(command: clap::Command) -> clap::Command {
        Self::augment_args(command)
    }
}

/// Adds the words at this depth of these surfaces, and below each what follows it.
fn add_words(command: clap::Command, depth: usize, surfaces: &[&'static Surface]) -> clap::Command {
    let mut command = command
        .subcommand_required(true)
        .arg_required_else_help(true)
        .infer_subcommands(true);
    let mut done: Vec<&str> = Vec::new();
    for &surface in surfaces {
        let word = surface.words[depth];
        if done.contains(&word) {
            continue;
        }
        done.push(word);
        let below = clap::Command::new(word);
        command = command.subcommand(if surface.words.len() == depth + 1 {
            leaf(below, surface)
        } else {
            let same = surfaces.iter().filter(|s| s.words[depth] == word);
            let same: Vec<&'static Surface> = same.copied().collect();
            add_words(below.about(about(word)), depth + 1, &same)
        });
    }
    command
}

/// What the words that only group say in help.
fn about(word: &str) -> &'static str {
    match word {
        "license" => "Licensing: registration, usage, enforcement, statistics",
        "enforcement" => "Which new calls are let through, and why not",
        "call-home" => "Messages to the license authority",
        "smart-licensing" => "Those of the Smart Agent",
        "session" => "Sessions and signalling",
        "gtpc" => "GTP-C",
        _ => "More",
    }
}

fn leaf(command: clap::Command, surface: &'static Surface) -> clap::Command {
    let json = Arg::new("json")
        .long("json")
        .action(ArgAction::SetTrue)
        .help("Print JSON, of the same snapshot");
    let mut command = SocketArgs::augment_args(command.arg(json))
        .about(surface.help)
        .after_help(format!("Example:\n  tollgate {}", surface.example));
    if let Some((name, usage, words)) = surface.filter_words() {
        let command_words = surface.words.join(" ");
        command = command.override_usage(format!(
            "tollgate show {command_words}\n         {usage} [--json] [--socket <PATH>]"
        ));
        let most = usize::from(surface.by_standing) + usize::from(surface.by_kind);
        let filter = Arg::new("filter")
            .value_name(name)
            .num_args(0..=most)
            .value_parser(move |typed: &str| expand(typed, words))
            .help("Only these rows");
        command = command.arg(filter);
    }
    if let Some((most, which)) = surface.limit() {
        let limit = Arg::new("limit")
            .long("limit")
            .value_name("N")
            .default_value(LIMIT_DEFAULT)
            .value_parser(clap::value_parser!(u32).range(1..=i64::from(most)))
            .help(which);
        command = command.arg(limit);
    }
    if surface.needs == Needs::Peers {
        let offset = Arg::new("offset")
            .long("offset")
            .value_name("N")
            .default_value("0")
            .value_parser(clap::value_parser!(u32))
            .help("Leave out the first N of all");
        command = command.arg(offset);
    }
    command
}

/// The one of `words` that `typed` begins, or is.
fn expand(typed: &str, words: &[&'static str]) -> Result<&'static str, String> {
    let mut fitting = words
        .iter()
        .filter(|word| word.starts_with(&typed.to_lowercase()));
    match (fitting.next(), fitting.next()) {
        (Some(word), None) if !typed.is_empty() => Ok(word),
        _ => Err(format!("one of {} is expected", words.join(", "))),
    }
}

impl FromArgMatches for ShowArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut words: Vec<&str> = Vec::new();
        let mut leaf = matches;
        while let Some((word, below)) = leaf.subcommand() {
            words.push(word);
            leaf = below;
        }
        let surface = Surface::named(&words).ok_or_else(|| {
            clap::Error::raw(ErrorKind::InvalidSubcommand, "no such thing to show\n")
        })?;
        let number = |name| leaf.try_get_one::<u32>(name).ok().flatten().copied();
        Ok(Self {
            surface,
            filter: filter(leaf)?,
            limit: number("limit").unwrap_or_default(),
            offset: number("offset").unwrap_or_default(),
            json: leaf.get_flag("json"),
            socket: SocketArgs::from_arg_matches(leaf)?,
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

fn filter(leaf: &ArgMatches) -> Result<Filter, clap::Error> {
    let mut filter = Filter::default();
    let words = leaf.try_get_many::<&'static str>("filter").ok().flatten();
    for word in words.into_iter().flatten() {
        let twice = match *word {
            "allowed" => filter.standing.replace(Standing::Allowed).is_some(),
            "blocked" => filter.standing.replace(Standing::Blocked).is_some(),
            "service" => filter.kind.replace(Kind::Service).is_some(),
            _ => filter.kind.replace(Kind::Feature).is_some(),
        };
        if twice {
            let said = format!("`{word}` and the word before it exclude each other\n");
            return Err(clap::Error::raw(ErrorKind::ArgumentConflict, said));
        }
    }
    Ok(filter)
}

impl Surface {
    /// The words by which its rows are chosen, with their name and their usage; none: it has no choice.
    fn filter_words(&self) -> Option<(&'static str, &'static str, &'static [&'static str])> {
        const WORDS: &[&str] = &["allowed", "blocked", "feature", "service"];
        match (self.by_standing, self.by_kind) {
            (true, true) => Some((
                "allowed|blocked|feature|service",
                "[allowed | blocked] [feature | service]",
                WORDS,
            )),
            (true, false) => Some(("allowed|blocked", "[allowed | blocked]", &WORDS[..2])),
            (false, true) => Some(("feature|service", "[feature | service]", &WORDS[2..])),
            (false, false) => None,
        }
    }

    /// How many rows one may ask for, and which these are; none: it has no such option.
    fn limit(&self) -> Option<(u32, &'static str)> {
        match self.needs {
            Needs::History => Some((api::HISTORY_LIMIT_MAX, "At most so many, the newest")),
            Needs::Peers => Some((
                api::PEERS_LIMIT_MAX,
                "At most so many, in the order of their addresses",
            )),
            Needs::Snapshot | Needs::Agent | Needs::Sessions => None,
        }
    }
}
