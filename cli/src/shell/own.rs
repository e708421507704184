//! What the shell does by itself: its words, help and arguments.

use clap::{Command, Subcommand};

/// One of its commands.
#[derive(Debug, Subcommand)]
pub enum Own {
    /// Enter configuration
    Configure,
    /// Bulk statistics
    #[command(subcommand_required = true)]
    Bulkstats {
        /// What of them.
        #[command(subcommand)]
        what: OwnBulkstats,
    },
    /// Run a command of the first prompt, and stay in configuration
    Do,
    /// Go back to the first prompt
    End,
    /// Leave this mode, or the shell
    Exit,
    /// Begin each answer with the time
    Timestamps,
    /// Set how much fits on the terminal
    #[command(subcommand_required = true)]
    Terminal {
        /// What of it.
        #[command(subcommand)]
        terminal: Terminal,
    },
    /// Take back
    #[command(subcommand_required = true)]
    No {
        /// What.
        #[command(subcommand)]
        no: NoOwn,
    },
}

/// What of the terminal one may set.
#[derive(Debug, Subcommand)]
pub enum Terminal {
    /// Lines of a page; 0 for no pages
    Length {
        /// Lines, 0 to 512
        #[arg(value_parser = clap::value_parser!(u16).range(0..=512))]
        lines: u16,
    },
    /// Columns of a line
    Width {
        /// Columns, 5 to 512
        #[arg(value_parser = clap::value_parser!(u16).range(5..=512))]
        columns: u16,
    },
}

/// What of bulk statistics the shell does by itself.
#[derive(Debug, Subcommand)]
pub enum OwnBulkstats {
    /// Say what is collected, when, and who gets it
    Mode,
}

/// What one may take back.
#[derive(Debug, Subcommand)]
pub enum NoOwn {
    /// Begin answers without the time
    Timestamps,
}

/// Their grammar.
pub fn command() -> Command {
    Own::augment_subcommands(
        Command::new("shell")
            .no_binary_name(true)
            .subcommand_required(true),
    )
}
