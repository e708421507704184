//! The tollgate command line: its grammar, what each surface prints, and the client of the control socket.
//!
//! [`show::SURFACES`] is the table of everything that can be shown; each surface is a pure function of one
//! [`show::View`]. [`run()`] takes the arguments of the process and gives its exit code: 0 done, 1 failed, 2 not
//! understood.
//!
//! Deliberately absent: decisions. What is shown comes from the node, and what is changed is asked of it.
#![forbid(unsafe_code)]

mod account_command;
pub mod apply_command;
mod authority_command;
mod bulkstats_command;
mod bulkstats_mode;
pub mod client;
pub mod console;
mod control;
pub mod cover;
mod demo;
mod grammar;
mod interrupt;
mod license_command;
mod load_command;
mod logging_command;
pub mod manual;
mod node_command;
mod output;
mod secrets;
pub mod shell;
pub mod show;
mod snmp_command;
pub mod table;
pub mod top;

use std::error::Error;
use std::ffi::OsString;
use std::process::ExitCode;

use api::{BulkstatsCommand, Failure, Privilege};
use clap::{CommandFactory, Parser};

use console::{Console, Terminal};
use grammar::{
    Clear, ClearAdministrator, ClearBulkstats, Command, FeatureArgs, Grammar, Lab, License,
    LicenseArgs, No, NoLicense, NoSmart, PlainCollection, Save, Smart,
};

/// Exit code of a command line that is not understood.
const NOT_UNDERSTOOD: u8 = 2;

/// Does what the arguments say; the first is the name of the program.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments = arguments.into_iter().enumerate().map(as_of_staros);
    match Grammar::try_parse_from(arguments) {
        Ok(grammar) => match perform(grammar.command, &mut Terminal) {
            Ok(code) => code,
            Err(failure) => {
                output::fail(&*failure);
                ExitCode::FAILURE
            }
        },
        Err(error) => not_understood(&error),
    }
}

/// StarOS has one hyphen before -noconfirm, and `sh` is what everybody types for show, though shell begins so, too.
fn as_of_staros((place, argument): (usize, OsString)) -> OsString {
    match argument.to_str() {
        Some("-noconfirm") => "--noconfirm".into(),
        Some("sh") if place == 1 => "show".into(),
        Some(_) | None => argument,
    }
}

fn perform(command: Command, console: &mut dyn Console) -> Result<ExitCode, Box<dyn Error>> {
    match command {
        Command::Node(node) => return node_command::run(&node),
        Command::Authority(authority) => return authority_command::run(&authority),
        Command::Load(load) => return Ok(load_command::run(&load)?),
        Command::Demo(demo) => return Ok(demo::run(&demo)?),
        Command::Shell(args) => return shell::run(&args),
        Command::Top(args) => return top::run(&args),
        Command::Man => console.write(&manual::page()),
        Command::Show(show) => control::show(&show, console)?,
        Command::Completion { shell } => {
            let mut script = Vec::new();
            let mut grammar = Grammar::command();
            clap_complete::generate(shell, &mut grammar, "tollgate", &mut script);
            console.write(&String::from_utf8_lossy(&script));
        }
        Command::Clear(clear) => match clear.clear {
            Clear::Subscribers(subscribers) => control::clear(subscribers, console)?,
            Clear::Administrator {
                what: ClearAdministrator::Lock(args),
            } => {
                account_command::unlock(args, console)?;
            }
            Clear::Bulkstats { what } => match what {
                ClearBulkstats::Counters(socket) => {
                    control::bulkstats_do(BulkstatsCommand::ClearCounters, &socket, console)?;
                }
                ClearBulkstats::Data(socket) => {
                    control::bulkstats_do(BulkstatsCommand::ClearData, &socket, console)?;
                }
            },
        },
        Command::License(license) => smart(license, console)?,
        Command::Save(args) => {
            let Save::Configuration { name, socket } = args.save;
            control::save(name, &socket, console)?;
        }
        Command::Apply(args) => return Ok(apply_command::run(args, console)?),
        Command::Feature(feature) => switch(feature, true, console)?,
        Command::Bulkstats(args) => bulkstats_command::run(args.bulkstats, console)?,
        Command::Snmp(snmp) => snmp_command::snmp(snmp.snmp, console)?,
        Command::Administrator(args) => {
            account_command::set(Privilege::Administrator, args, console)?
        }
        Command::Operator(args) => account_command::set(Privilege::Operator, args, console)?,
        Command::Inspector(args) => account_command::set(Privilege::Inspector, args, console)?,
        Command::Threshold(args) => snmp_command::threshold(args.threshold, console)?,
        Command::Logging(args) => logging_command::logging(args.logging, console)?,
        Command::No(no) => match no.no {
            No::License(license) => no_smart(license.license, console)?,
            No::Feature(feature) => switch(feature, false, console)?,
            No::Snmp(snmp) => snmp_command::no_snmp(snmp.snmp, console)?,
            No::Bulkstats {
                what: PlainCollection::Collection(socket),
            } => bulkstats_mode::collection(Some(false), &socket, console)?,
            No::Threshold(args) => snmp_command::no_threshold(args.threshold, console)?,
            No::Logging(args) => logging_command::no_logging(args.logging, console)?,
            No::Administrator(args) => {
                account_command::remove(Privilege::Administrator, args, console)?
            }
            No::Operator(args) => account_command::remove(Privilege::Operator, args, console)?,
            No::Inspector(args) => account_command::remove(Privilege::Inspector, args, console)?,
        },
        Command::Default { default } => {
            bulkstats_mode::collection_word(None, &default, console)?;
        }
        Command::Lab(lab) => match lab.lab {
            Lab::Speedup { speedup, socket } => control::speed_up(speedup, &socket, console)?,
        },
    }
    Ok(ExitCode::SUCCESS)
}

fn smart(license: LicenseArgs, console: &mut dyn Console) -> Result<(), Failure> {
    let License::Smart { smart } = license.license;
    match smart {
        Smart::Enable(confirm) => control::smart_licensing(true, &confirm, console),
        Smart::Register(register) => license_command::register(&register, console),
        Smart::Renew(renew) => license_command::renew(&renew, console),
        Smart::Deregister(confirm) => license_command::deregister(&confirm, console),
        Smart::Url(url) => license_command::url(url, console),
        Smart::Proxy(proxy) => license_command::proxy(proxy, console),
    }
}

fn no_smart(license: NoLicense, console: &mut dyn Console) -> Result<(), Failure> {
    let NoLicense::Smart { smart } = license;
    match smart {
        NoSmart::Enable(confirm) => control::smart_licensing(false, &confirm, console),
        NoSmart::Url(socket) => license_command::no_url(&socket, console),
        NoSmart::Proxy(socket) => license_command::no_proxy(&socket, console),
    }
}

fn switch(feature: FeatureArgs, enable: bool, console: &mut dyn Console) -> Result<(), Failure> {
    control::feature(feature.name, enable, &feature.confirm, console)
}

/// Help and version go to standard output with success; help that was not asked for, and errors, to standard error.
fn not_understood(error: &clap::Error) -> ExitCode {
    use clap::error::ErrorKind;
    let kind = error.kind();
    if kind == ErrorKind::DisplayHelp || kind == ErrorKind::DisplayVersion {
        output::print(&error.render().to_string());
        return ExitCode::SUCCESS;
    }
    if kind == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        output::complain(&error.render().to_string());
    } else {
        output::fail(&usage_failure(error));
    }
    ExitCode::from(NOT_UNDERSTOOD)
}

/// What clap says in several lines, in one.
fn usage_failure(error: &clap::Error) -> Failure {
    let text = error.render().to_string();
    let mut paragraphs = text.split("\n\n");
    let joined = |paragraph: &str| {
        let words: Vec<&str> = paragraph.split_whitespace().collect();
        words.join(" ")
    };
    let first = joined(paragraphs.next().unwrap_or_default());
    let what = first.strip_prefix("error: ").unwrap_or(&first).to_owned();
    let tip = paragraphs.find_map(|paragraph| {
        let paragraph = joined(paragraph);
        paragraph.strip_prefix("tip: ").map(str::to_owned)
    });
    let todo = match tip {
        Some(tip) => format!("{tip}; see tollgate --help"),
        None => "see tollgate --help".to_owned(),
    };
    Failure::new(what, "command line", todo)
}
