//! `tollgate authority`: runs a license authority in the foreground; below it `admin` asks one over its API.

mod admin;
pub mod args;

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;

use authority::{Config, Server};
use rustix::process::{Signal, getpid, kill_process};

use crate::node_command::{log, when_stdin_ends};
use crate::output;
use crate::secrets::leave_no_core;
use args::{AuthorityArgs, Below};

/// File of the root certificate, from the state directory on.
const ROOT_FILE: &str = "pki/root.pem";

/// Blocks until the authority was asked to end.
pub fn run(args: &AuthorityArgs) -> Result<ExitCode, Box<dyn Error>> {
    if let Some(Below::Admin(admin)) = &args.below {
        admin::run(admin)?;
        return Ok(ExitCode::SUCCESS);
    }
    let config = config(args)?;
    if args.check {
        output::print("it is a good configuration\n");
        return Ok(ExitCode::SUCCESS);
    }
    log();
    leave_no_core();
    let state_dir = std::path::absolute(&config.state_dir)?;
    if args.until_stdin_closes {
        when_stdin_ends(|| {
            // The server ends by the signal as it does by Ctrl-C. It may have ended already.
            let _told = kill_process(getpid(), Signal::TERM);
        })?;
    }
    authority::run(config, |server| {
        output::print(&greeting(server, &state_dir));
    })?;
    Ok(ExitCode::SUCCESS)
}

/// The file, or the defaults; what was typed goes before both.
fn config(args: &AuthorityArgs) -> Result<Config, Box<dyn Error>> {
    let mut config = match &args.config {
        Some(file) => Config::read(file)?,
        None => Config::new("authority-state".into()),
    };
    if let Some(dir) = &args.state_dir {
        config.state_dir.clone_from(dir);
    }
    if let Some(listen) = args.listen {
        config.listen = listen;
    }
    if !args.name.is_empty() {
        config.names.clone_from(&args.name);
    }
    Ok(config)
}

/// What whoever started it needs next. The set-up secret is shown here alone, and never logged.
fn greeting(server: &Server, state_dir: &Path) -> String {
    let root = state_dir.join(ROOT_FILE);
    let address = server.address();
    let mut text = format!(
        "The license authority listens on https://{address}\n  \
         State             {}\n  \
         Root certificate  {}\n  \
         Its SHA-256       {}\n",
        state_dir.display(),
        root.display(),
        server.authority().fingerprint(),
    );
    if let Some(secret) = server.setup_secret() {
        text.push_str(&format!(
            "  Set-up secret     {}\n\
             The secret makes the first account, once; it is not shown again. Elsewhere:\n  \
             tollgate authority admin trust {} --authority https://{address}\n  \
             tollgate authority admin set-up --domain example.org --name Example --user USER\n",
            secret.reveal(),
            root.display(),
        ));
    }
    text
}
