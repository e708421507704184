//! The words of `tollgate authority` and of `tollgate authority admin`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// Options of `tollgate authority`.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    infer_subcommands = true,
    after_help = "\
Examples:
  tollgate authority --state-dir /tmp/authority
      at the first start it makes its certificates and its store, and prints a
      set-up secret, once, and the SHA-256 of its root, for people to compare
  tollgate authority --config authority.toml
  tollgate authority admin --help           accounts, licenses, tokens, nodes

The authority runs in the foreground and logs to standard error; TOLLGATE_LOG
sets what. SIGTERM and Ctrl-C end it: what was answered is on disk.
authority/examples/authority.toml explains every key of the configuration;
docs/quickstart-authority.md goes from nothing to a registered node."
)]
pub struct AuthorityArgs {
    /// What else may be done.
    #[command(subcommand)]
    pub below: Option<Below>,
    /// The configuration, a TOML file [default: every key has its default]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Where the store and the certificates are kept [default:
    /// authority-state]
    #[arg(long, value_name = "DIR")]
    pub state_dir: Option<PathBuf>,
    /// Where nodes and people reach it [default: 127.0.0.1:8443]
    #[arg(long, value_name = "ADDR:PORT")]
    pub listen: Option<SocketAddr>,
    /// A name that they reach it by; may be repeated [default: localhost]
    #[arg(long, value_name = "NAME")]
    pub name: Vec<String>,
    /// Read and check the configuration, and end
    #[arg(long)]
    pub check: bool,
    /// End when standard input does
    #[arg(long)]
    pub until_stdin_closes: bool,
}

/// What is below `tollgate authority`.
#[derive(Debug, Subcommand)]
pub enum Below {
    /// Administer an authority: accounts, users, licenses, tokens, instances
    Admin(AdminArgs),
}

/// `tollgate authority admin ...`.
#[derive(Debug, Args)]
#[command(
    subcommand_required = true,
    arg_required_else_help = true,
    infer_subcommands = true,
    after_help = "\
Examples, in the order in which a newcomer needs them:
  tollgate authority admin trust /tmp/authority/pki/root.pem
  tollgate authority admin set-up --domain example.org --name Example --user ada
  tollgate authority admin licenses add PGW 10
  tollgate authority admin tokens create --out node.token
  tollgate authority admin instances list

Secrets are never words of a command: they are asked for, or come from a file
(--secret-file, --password-file; - is standard input). What set-up and login
obtain is kept in the folder --dir, else TOLLGATE_ADMIN_DIR, else ~/.tollgate:
root.pem, authority and token (mode 0600). TOLLGATE_ADMIN_TOKEN, or the file of
--token-file, goes before that token.
What deletes asks first, unless --noconfirm is there. Times are UTC.
Exit: 0 done, 1 failed (one line `Failure: ...`), 2 not understood."
)]
pub struct AdminArgs {
    /// What to do.
    #[command(subcommand)]
    pub admin: Admin,
    /// Where the authority is, and how it is spoken to.
    #[command(flatten)]
    pub with: With,
}

/// Where the authority is, and how it is spoken to.
#[derive(Debug, Args)]
pub struct With {
    /// Where the authority is [default: that of `trust`, else
    /// https://localhost:8443]
    #[arg(long, global = true, value_name = "URL")]
    pub authority: Option<String>,
    /// The root certificate in PEM below which its certificate must stand
    /// [default: root.pem in --dir]
    #[arg(long, global = true, value_name = "FILE")]
    pub root: Option<PathBuf>,
    /// What is kept between commands [default: $TOLLGATE_ADMIN_DIR, else
    /// ~/.tollgate]
    #[arg(long, global = true, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// The file whose first line is the token of a session or an API token
    #[arg(long, global = true, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// Domain of the Smart Account [default: the only one there is]
    #[arg(long, global = true, value_name = "DOMAIN")]
    pub account: Option<String>,
    /// Virtual account [default: Default; lists show all of them]
    #[arg(long, global = true, value_name = "NAME")]
    pub virtual_account: Option<String>,
    /// How to print [default: table; reports: csv]
    #[arg(long, global = true, value_enum, value_name = "FORMAT")]
    pub format: Option<Format>,
    /// Do not ask before what deletes; `-noconfirm` is understood as well
    #[arg(long, global = true)]
    pub noconfirm: bool,
}

/// How rows are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people: at most 80 columns, what has no room stands under its row
    Table,
    /// RFC 4180
    Csv,
    /// One array; of a report, an object with its rows
    Json,
}

/// What an administrator does.
#[derive(Debug, Subcommand)]
pub enum Admin {
    /// Keep an authority's root certificate and where it is, for later commands
    ///
    /// The file is the authority's pki/root.pem. What is kept is shown with its SHA-256, which is to be the one that the
    /// authority prints when it starts.
    Trust {
        /// The root certificate in PEM
        file: PathBuf,
    },
    /// Make a Smart Account and its first administrator, by the set-up secret
    SetUp {
        /// Domain of the account, such as example.org
        #[arg(long)]
        domain: String,
        /// Name of the account
        #[arg(long)]
        name: String,
        /// Name of its administrator
        #[arg(long)]
        user: String,
        /// The file whose first line is the set-up secret [default: asked for]
        #[arg(long, value_name = "FILE")]
        secret_file: Option<PathBuf>,
        /// The password.
        #[command(flatten)]
        password: PasswordArgs,
    },
    /// Log in, and keep the session's token
    Login {
        /// Whom as
        #[arg(long)]
        user: String,
        /// The password.
        #[command(flatten)]
        password: PasswordArgs,
    },
    /// End the session
    Logout,
    /// Change one's own password
    Password {
        /// The file whose first line is the old one [default: asked for]
        #[arg(long, value_name = "FILE")]
        old_password_file: Option<PathBuf>,
        /// The new one.
        #[command(flatten)]
        password: PasswordArgs,
        /// Let API tokens go on; else they end, as other sessions do
        #[arg(long)]
        keep_api_tokens: bool,
    },
    /// Smart Accounts
    #[command(subcommand, alias = "accounts")]
    Account(Account),
    /// Virtual accounts of a Smart Account
    #[command(subcommand)]
    VirtualAccounts(VirtualAccounts),
    /// Users and their roles; with --virtual-account, their roles in it
    #[command(subcommand)]
    Users(Users),
    /// Licenses: pools by virtual account and tag
    #[command(subcommand, visible_alias = "pools")]
    Licenses(Licenses),
    /// Registration tokens of a virtual account
    #[command(subcommand)]
    Tokens(Tokens),
    /// API tokens of one's own, for scripts
    #[command(subcommand)]
    ApiTokens(ApiTokens),
    /// Product instances: the nodes
    #[command(subcommand)]
    Instances(Instances),
    /// Orders to nodes of a virtual account: rules out of compliance, shadow enforcement
    #[command(subcommand)]
    Orders(Orders),
    /// Alerts, newest first
    Alerts {
        /// Those that have cleared, too
        #[arg(long)]
        cleared: bool,
    },
    /// Events, newest first
    Events,
    /// Who changed what, newest first
    Audit,
    /// What moved between virtual accounts, newest first
    Transfers,
    /// What can be licensed: tags and their short names
    Catalog,
    /// Reports of up to 100,000 lines
    ///
    /// A report that ends there while there are more says so, and fails: on standard error and by its exit code; in JSON, an
    /// object of `complete` and `rows`, by the former.
    Report {
        /// Of what
        #[arg(value_enum)]
        of: Report,
    },
}

/// A password that is to be told.
#[derive(Debug, Args)]
pub struct PasswordArgs {
    /// The file whose first line is the password [default: asked for]
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
}

/// What there is of Smart Accounts.
#[derive(Debug, Subcommand)]
pub enum Account {
    /// Those in which one has a role
    List,
    /// Name it anew
    Rename {
        /// The name
        name: String,
    },
    /// Approve the licensing terms
    ApproveTerms,
}

/// What there is of virtual accounts.
#[derive(Debug, Subcommand)]
pub enum VirtualAccounts {
    /// Those that one may see
    List,
    /// Make one
    Add {
        /// Its name
        name: String,
        /// What it is for
        #[arg(long, value_name = "TEXT", default_value = "")]
        description: String,
    },
    /// Name one anew, or describe it
    Edit {
        /// Its name
        name: String,
        /// The new one
        #[arg(long, value_name = "NAME")]
        to: Option<String>,
        /// What it is for
        #[arg(long, value_name = "TEXT")]
        description: Option<String>,
    },
    /// Remove one that is empty
    Remove {
        /// Its name
        name: String,
    },
}

/// What there is of users.
#[derive(Debug, Subcommand)]
pub enum Users {
    /// Who has a role here
    List,
    /// Make one with a role here
    Add {
        /// The name to log in with
        name: String,
        /// The role
        #[arg(value_enum)]
        role: Role,
        /// The password.
        #[command(flatten)]
        password: PasswordArgs,
    },
    /// Give one another role here, or one more
    Role {
        /// The name
        name: String,
        /// The role
        #[arg(value_enum)]
        role: Role,
    },
    /// Give one another password; the sessions and API tokens of that user end
    Password {
        /// The name
        name: String,
        /// The new password.
        #[command(flatten)]
        password: PasswordArgs,
    },
    /// Keep one from logging in; the sessions and API tokens of that user end
    Disable {
        /// The name
        name: String,
    },
    /// Let one log in again
    Enable {
        /// The name
        name: String,
    },
    /// Take one's role here
    Remove {
        /// The name
        name: String,
    },
}

/// Roles; the first three are of a Smart Account, the others of a virtual account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Role {
    /// Approves the terms
    SmartAccountApprover,
    /// Administers the whole account
    SmartAccountAdministrator,
    /// Uses the whole account
    SmartAccountUser,
    /// Administers a virtual account
    VirtualAccountAdministrator,
    /// Uses a virtual account
    VirtualAccountUser,
}

/// What there is of licenses.
#[derive(Debug, Subcommand)]
pub enum Licenses {
    /// Owned and used, by virtual account and tag
    List,
    /// What was bought, entry by entry, with their numbers
    Entries,
    /// Enter licenses that were bought
    #[command(after_help = "\
Examples:
  tollgate authority admin licenses add PGW 10
  tollgate authority admin licenses add GRE 1 --ends 2027-12-31T00:00:00Z")]
    Add {
        /// The tag, or its short name as `catalog` has it
        license: String,
        /// How many
        #[arg(value_parser = clap::value_parser!(u32).range(1..))]
        quantity: u32,
        /// When they begin, RFC 3339 [default: now]
        #[arg(long, value_name = "TIME")]
        starts: Option<String>,
        /// When their term ends, RFC 3339 [default: they are perpetual]
        #[arg(long, value_name = "TIME")]
        ends: Option<String>,
        /// The subscription that they belong to
        #[arg(long, value_name = "ID")]
        subscription: Option<String>,
        /// Billed by usage: as many as are used
        #[arg(long)]
        usage: bool,
    },
    /// Change the quantity of an entry
    Edit {
        /// Number of the entry
        entry: u64,
        /// How many
        #[arg(value_parser = clap::value_parser!(u32).range(1..))]
        quantity: u32,
    },
    /// Remove an entry
    Remove {
        /// Number of the entry
        entry: u64,
    },
    /// Move licenses to another virtual account
    Transfer {
        /// The tag, or its short name
        license: String,
        /// How many
        #[arg(value_parser = clap::value_parser!(u32).range(1..))]
        quantity: u32,
        /// Where to
        #[arg(long, value_name = "VIRTUAL-ACCOUNT")]
        to: String,
    },
    /// Whether a pool answers with exact grants, or with verdicts alone
    Grants {
        /// The tag, or its short name
        license: String,
        /// Exact grants, or none
        #[arg(value_enum)]
        grants: Switch,
    },
}

/// On or off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Switch {
    /// Exact grants
    On,
    /// Verdicts alone
    Off,
}

/// What there is of registration tokens.
#[derive(Debug, Subcommand)]
pub enum Tokens {
    /// All of them, newest first, without their secrets
    List,
    /// Make one; its secret is printed, once, or written to a file
    #[command(after_help = "\
Examples:
  tollgate authority admin tokens create --out node.token
  tollgate license smart register idtoken --token-file node.token")]
    Create {
        /// Days until it expires
        #[arg(long, value_name = "N", default_value_t = 30,
              value_parser = clap::value_parser!(u32).range(1..=365))]
        days: u32,
        /// Registrations that it is good for
        #[arg(long, value_name = "N", default_value_t = 1,
              value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
        uses: u32,
        /// What it is for
        #[arg(long, value_name = "TEXT", default_value = "")]
        description: String,
        /// Write it to a new file, mode 0600, and do not print it
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Revoke one; what it registered stays
    Revoke {
        /// Its number
        id: u64,
    },
}

/// What there is of API tokens.
#[derive(Debug, Subcommand)]
pub enum ApiTokens {
    /// One's own, without their secrets
    List,
    /// Make one; its secret is printed, once, or written to a file
    Create {
        /// What to call it
        name: String,
        /// Days until it expires
        #[arg(long, value_name = "N", default_value_t = 90,
              value_parser = clap::value_parser!(u32).range(1..=365))]
        days: u32,
        /// Write it to a new file, mode 0600, and do not print it
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Revoke one
    Revoke {
        /// Its number
        id: u64,
    },
}

/// What there is of product instances.
#[derive(Debug, Subcommand)]
pub enum Instances {
    /// All of them
    List {
        /// Those that are gone, too
        #[arg(long)]
        gone: bool,
    },
    /// One, with all that is known of it
    Show {
        /// Its product instance identifier
        instance: String,
    },
    /// Remove one; its licenses return, and it has to register anew
    Remove {
        /// Its product instance identifier
        instance: String,
    },
    /// Move one to another virtual account
    Transfer {
        /// Its product instance identifier
        instance: String,
        /// Where to
        #[arg(long, value_name = "VIRTUAL-ACCOUNT")]
        to: String,
    },
}

/// What there is of orders.
#[derive(Debug, Subcommand)]
pub enum Orders {
    /// Those of the virtual account and of its instances, newest first
    List,
    /// Issue one, in place of one of its kind about the same license for the same nodes
    #[command(subcommand)]
    Issue(Issue),
    /// Withdraw one: its nodes learn of it with their next message
    Withdraw {
        /// Its number
        id: u64,
    },
}

/// Orders to issue.
#[derive(Debug, Subcommand)]
pub enum Issue {
    /// What new calls meet while a license is out of compliance
    #[command(after_help = "\
Example:
  tollgate authority admin orders issue rule PGW --on-ooc allow --grace-days 30 --until 2027-01-31")]
    Rule {
        /// The license: its short name or its tag
        license: String,
        /// What becomes of new calls once the grace is over
        #[arg(long, value_name = "WHAT")]
        on_ooc: OnOoc,
        /// Days of use in which they are let through in any case
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(0..=366))]
        grace_days: u16,
        /// Whom it is for, and until when.
        #[command(flatten)]
        to: To,
    },
    /// Whether a block of a license refuses calls, or lets them through and counts them
    #[command(after_help = "\
Examples:
  tollgate authority admin orders issue shadow PGW observe --until 2027-01-31
  tollgate authority admin orders issue shadow PGW ramp --percent 10 --until 2027-01-31")]
    Shadow {
        /// The license: its short name or its tag
        license: String,
        /// How
        mode: ShadowMode,
        /// Percent of the subscribers that are refused, with ramp
        #[arg(long, value_name = "N", required_if_eq("mode", "ramp"),
              value_parser = clap::value_parser!(u8).range(1..=100))]
        percent: Option<u8>,
        /// Whom it is for, and until when.
        #[command(flatten)]
        to: To,
    },
    /// A catalog in place of the nodes' own, from their next start on
    #[command(after_help = "\
Example:
  tollgate authority admin orders issue catalog --file catalog.toml")]
    Catalog {
        /// The catalog, at most 64 KiB
        #[arg(long, value_name = "FILE")]
        file: PathBuf,
        /// Whom it is for, and until when.
        #[command(flatten)]
        to: To,
    },
}

/// Whom an order is for, and until when.
#[derive(Debug, Args)]
pub struct To {
    /// One product instance [default: all of the virtual account]
    #[arg(long, value_name = "INSTANCE")]
    pub instance: Option<String>,
    /// The day or time of its end, at most 366 days from now
    #[arg(long, value_name = "DATE")]
    pub until: Option<String>,
}

/// What becomes of new calls out of compliance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OnOoc {
    /// They are let through
    Allow,
    /// They are refused
    Block,
}

/// What becomes of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ShadowMode {
    /// It refuses, whatever is ordered for the virtual account
    Off,
    /// Calls that it would refuse are let through and counted
    Observe,
    /// The same, and an alarm stands
    Warn,
    /// It refuses a share of the subscribers, always the same ones
    Ramp,
    /// It refuses
    Block,
}

/// Reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Report {
    /// Licenses
    Licenses,
    /// Product instances
    Devices,
    /// What instances used
    Usage,
    /// The audit log
    Audit,
    /// What moved between virtual accounts
    Transfers,
}
