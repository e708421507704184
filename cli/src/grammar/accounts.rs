//! `administrator`, `operator` and `inspector`.

use std::path::PathBuf;

use clap::Args;

use super::SocketArgs;

/// `administrator NAME password`, `administrator NAME ssh-key KEY`, and the like.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tollgate administrator maja password
  tollgate operator otto ssh-key \"ssh-ed25519 AAAAC3Nza... otto@desk\"
  tollgate inspector ivo password --password-file ivo.password")]
pub struct AccountArgs {
    /// Its name
    pub name: String,
    /// The word `password`, which is then asked for; or `ssh-key` and a public
    /// key as in a .pub file
    #[arg(value_name = "password | ssh-key KEY", required = true)]
    pub words: Vec<String>,
    /// The file whose first line is the password, - for standard input
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
    /// Where the node is.
    #[command(flatten)]
    pub socket: SocketArgs,
}

/// An account by its name.
#[derive(Debug, Args)]
pub struct NameArgs {
    /// Its name
    pub name: String,
    /// Where the node is.
    #[command(flatten)]
    pub socket: SocketArgs,
}
