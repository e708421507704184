//! `save ...`.

use clap::{Args, Subcommand};

use super::SocketArgs;

/// `save ...`.
#[derive(Debug, Args)]
#[command(
    subcommand_required = true,
    arg_required_else_help = true,
    infer_subcommands = true,
    after_help = "Example:\n  tollgate save configuration"
)]
pub struct SaveArgs {
    /// What is saved.
    #[command(subcommand)]
    pub save: Save,
}

/// What one may save.
#[derive(Debug, Subcommand)]
pub enum Save {
    /// Write the configuration in force to a file, as text that a start reads
    ///
    /// The node writes it, whole or not at all, mode 0600, and says where it is. It names files of secrets, and holds none.
    /// A file that is there and is no such text is not written over.
    #[command(after_help = "\
Examples:
  tollgate save configuration
  tollgate save configuration before-upgrade.cfg
  tollgate node --config /var/lib/tollgate/startup.cfg")]
    Configuration {
        /// The file in node.state_dir; startup.cfg unless given
        #[arg(value_name = "NAME")]
        name: Option<String>,
        /// Where the node is.
        #[command(flatten)]
        socket: SocketArgs,
    },
}
