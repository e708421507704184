//! `tollgate node`: runs a node in the foreground, checks its configuration, or replays its journal.

mod replay;

use std::error::Error;
use std::io::{self, IsTerminal};
use std::process::ExitCode;

use node::Shutdown;
use node::config::Config;
use tracing_subscriber::EnvFilter;

use crate::grammar::NodeArgs;
use crate::output;

/// The environment variable that says what is logged.
const LOG_VARIABLE: &str = "TOLLGATE_LOG";

/// What is logged where it does not say.
const LOG_DEFAULT: &str = "info";

/// Blocks until the node was asked to end.
pub fn run(args: &NodeArgs) -> Result<ExitCode, Box<dyn Error>> {
    if let Some(journal) = &args.replay {
        return Ok(replay::run(journal, args.json));
    }
    let file = args.config.clone().unwrap_or_default();
    let config = Config::read_with_catalog(&file, args.catalog.as_deref())?;
    if args.check {
        let file = file.display();
        output::print(&format!("{file} is a good configuration\n"));
        return Ok(ExitCode::SUCCESS);
    }
    log();
    node::run(config, &Shutdown::on_signals())?;
    Ok(ExitCode::SUCCESS)
}

/// Logs to standard error, in colour on a terminal.
fn log() {
    let filter = EnvFilter::try_from_env(LOG_VARIABLE);
    let filter = filter.unwrap_or_else(|_| EnvFilter::new(LOG_DEFAULT));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .init();
}
