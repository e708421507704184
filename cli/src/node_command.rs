//! `tollgate node`: runs a node in the foreground, checks its configuration, or replays its journal.

mod replay;

use std::error::Error;
use std::io::{self, IsTerminal};
use std::process::ExitCode;
use std::sync::Arc;

use node::Shutdown;
use node::config::Config;
use node::settings::laid_over;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::prelude::*;

use crate::grammar::NodeArgs;
use crate::output;
use crate::secrets::leave_no_core;
use crate::shell::ByRemote;

pub use replay::verdict;

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
        for out in laid_over(config)?.snmp.left_out {
            let said = format!("left out: SNMP {} {}: {}\n", out.what, out.name, out.why);
            output::print(&said);
        }
        let file = file.display();
        output::print(&format!("{file} is a good configuration\n"));
        return Ok(ExitCode::SUCCESS);
    }
    log();
    leave_no_core();
    let shutdown = Shutdown::on_signals();
    if args.until_stdin_closes {
        let shutdown = shutdown.clone();
        when_stdin_ends(move || shutdown.trigger())?;
    }
    node::run(config, &shutdown, Arc::new(ByRemote))?;
    Ok(ExitCode::SUCCESS)
}

/// Does this once standard input ends, or can't be read any more.
pub fn when_stdin_ends(end: impl FnOnce() + Send + 'static) -> io::Result<()> {
    let wait = move || {
        if let Err(error) = io::copy(&mut io::stdin().lock(), &mut io::sink()) {
            tracing::warn!(%error, "standard input can't be read");
        }
        end();
    };
    let thread = std::thread::Builder::new().name("stdin".to_owned());
    thread.spawn(wait).map(drop)
}

/// Logs to standard error, in colour on a terminal, and to the event log whatever the variable says.
pub fn log() {
    let filter = EnvFilter::try_from_env(LOG_VARIABLE);
    let filter = filter.unwrap_or_else(|_| EnvFilter::new(LOG_DEFAULT));
    let stderr = tracing_subscriber::fmt::layer()
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .with_filter(filter);
    tracing_subscriber::registry()
        .with(stderr)
        .with(node::logging::layer())
        .init();
}
