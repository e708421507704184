//! `apply ...`.

use std::path::PathBuf;

use clap::Args;

use super::SocketArgs;

/// `apply ...`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tollgate apply site.cfg --dry-run
  tollgate apply site.cfg
  tollgate show configuration | tollgate apply
  ssh -p 2222 maja@ggsn-1 apply < site.cfg

Exit: 0 done, or with --dry-run nothing would change; 3 with --dry-run
something would; 1 refused, 2 not understood. In the shell 3 is 0.")]
pub struct ApplyArgs {
    /// The text; standard input as far as `end` unless given
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Take it as the whole configuration: take back what it does not say
    #[arg(long)]
    pub replace: bool,
    /// Print what would change, and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Only if the configuration in force has this checksum
    #[arg(long, value_name = "SHA256")]
    pub checksum: Option<String>,
    /// Print what changes as JSON
    #[arg(long)]
    pub json: bool,
    /// Where the node is.
    #[command(flatten)]
    pub socket: SocketArgs,
}
