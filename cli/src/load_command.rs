//! `tollgate load`: GTP calls on any GGSN, PGW or SGW, and how it answers.

mod args;
mod report;

use std::io::{self, IsTerminal};
use std::process::ExitCode;

use api::Failure;
use load::{LoadError, Plan, Progress, Report};

use crate::interrupt::Interrupt;
use crate::{NOT_UNDERSTOOD, output};

pub use args::LoadArgs;

/// Runs the plan to its end, or to Ctrl-C, and prints the report.
pub fn run(args: &LoadArgs) -> Result<ExitCode, Failure> {
    let plan = match args.plan() {
        Ok(plan) => plan,
        Err(unfit) => {
            output::fail(&Failure::new(unfit.what, unfit.option, unfit.todo));
            return Ok(ExitCode::from(NOT_UNDERSTOOD));
        }
    };
    let interrupt = Interrupt::watch().map_err(|error| {
        let what = format!("signals can't be received: {error}");
        Failure::new(what, "load", "run it again")
    })?;
    let report = carry_out(plan, &interrupt, !args.json)?;
    let text = if args.json {
        format!("{:#}\n", serde_json::json!(report))
    } else {
        report::text(&report)
    };
    output::print(&text);
    match report::failure(&report) {
        None => Ok(ExitCode::SUCCESS),
        Some((what, todo)) => Err(Failure::new(what, args.target.to_string(), todo)),
    }
}

/// Carries a plan out until it is done or a signal came, and shows how it goes on standard error: on a terminal one
/// line that is written again and again, else a line each second.
pub fn carry_out(plan: Plan, interrupt: &Interrupt, told: bool) -> Result<Report, Failure> {
    let peer = plan.peer.to_string();
    let terminal = io::stderr().is_terminal();
    let tell = |progress: &Progress| {
        let line = report::progress(progress);
        if told && terminal {
            output::complain(&format!("\r{line:<79}"));
        } else if told {
            output::complain(&format!("{line}\n"));
        }
    };
    let report = load::run(plan, || interrupt.came(), tell);
    if told && terminal {
        output::complain("\n");
    }
    report.map_err(|error| failure(&error, peer))
}

fn failure(error: &LoadError, peer: String) -> Failure {
    let what = match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    };
    match error {
        LoadError::Plan(plan) => {
            let todo = "see tollgate load --help";
            Failure::new(plan.to_string(), args::option(plan), todo)
        }
        LoadError::Bind { .. } => {
            let todo = "name an address of this host with --local, a free port with --local-port";
            Failure::new(what, peer, todo)
        }
        LoadError::Socket { .. } => Failure::new(what, peer, "look at the network to the gateway"),
    }
}
