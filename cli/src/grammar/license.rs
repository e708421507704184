//! `license ...`.

use std::fmt;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::{ConfirmArgs, SocketArgs};

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
    Enable(ConfirmArgs),
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
    Deregister(ConfirmArgs),
    /// Say where the license authority is
    ///
    /// It is kept, in place of the configuration's agent.authority, and the next message goes there: no restart. What is
    /// trusted stays as it is: an authority below another root is not.
    #[command(after_help = "\
Examples:
  tollgate license smart url https://authority.example:8443
  tollgate license smart url default             the configuration's again
  tollgate show license transport")]
    Url(UrlArgs),
    /// Say which HTTP proxy is on the way to the license authority
    ///
    /// It is kept, in place of the configuration's agent.proxy, and the next message goes through it: no restart. With a
    /// user name, the password is asked for, or read from standard input or a file; it is never a word of the command.
    #[command(after_help = "\
Examples:
  tollgate license smart proxy proxy.example 3128
  tollgate license smart proxy proxy.example 3128 username gw1 \\
      --password-file password
  tollgate license smart proxy default           the configuration's again
  tollgate no license smart proxy                go there directly")]
    Proxy(ProxyArgs),
}

/// `license smart url URL`.
#[derive(Debug, Args)]
pub struct UrlArgs {
    /// https://HOST or https://HOST:PORT; or the word default
    #[arg(value_name = "URL | default")]
    pub url: String,
    /// Where the node is.
    #[command(flatten)]
    pub socket: SocketArgs,
}

/// `license smart proxy HOST PORT [username NAME]`.
#[derive(Debug, Args)]
pub struct ProxyArgs {
    /// Name or address of the proxy; or the word default
    #[arg(value_name = "HOST | default")]
    pub host: String,
    /// Its TCP port
    #[arg(value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    pub port: Option<u16>,
    /// The word `username`
    #[arg(value_parser = ["username"], hide_possible_values = true, value_name = "username", requires = "name")]
    pub username: Option<String>,
    /// The name that the proxy knows the node by
    #[arg(value_name = "NAME")]
    pub name: Option<String>,
    /// The file whose first line is the password, - for standard input
    #[arg(long, value_name = "FILE", requires = "name")]
    pub password_file: Option<PathBuf>,
    /// Where the node is.
    #[command(flatten)]
    pub socket: SocketArgs,
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
