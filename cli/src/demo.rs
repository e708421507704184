//! `tollgate demo`: a node, calls through it and a license authority, on loopback, with every promise checked on the way.
//!
//! The node is a child process of the same executable; calls reach it over UDP, what is shown comes over its control
//! socket. The license authority serves from the demo's own process. Nothing is left behind, however the demo ends.

mod caller;
mod child;
mod epc;
mod ledger;
mod licensed;
mod office;
mod steps;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use api::{ClearWhom, Failure, Health, Reply, Request};
use licensing::snapshot::ServiceStatus;
use licensing::{RefusalRecord, Snapshot};

use crate::client::Client;
use crate::grammar::DemoArgs;
use crate::interrupt::Interrupt;
use crate::show::{Filter, Surface, text};
use crate::{node_command, output};

use caller::Caller;
use child::Child;
use ledger::Ledger;
use office::Office;

/// The services that the demo's calls are counted for, and one that they are not.
const GGSN: &str = "GGSN";
const PGW: &str = "PGW";
const SAEGW: &str = "SAEGW";
const SGW: &str = "SGW";

/// Everything that a step works with.
struct Demo {
    client: Client,
    caller: Caller,
    ledger: Ledger,
    interrupt: Interrupt,
    authority: Place,
    office: Option<Office>,
}

/// Where the license authority is to be.
#[derive(Clone)]
struct Place {
    state_dir: PathBuf,
    listen: SocketAddr,
}

/// Runs all of it: success if every assertion held.
pub fn run(args: &DemoArgs) -> Result<ExitCode, Failure> {
    let interrupt = Interrupt::watch().map_err(|error| {
        let what = format!("signals can't be received: {error}");
        Failure::new(what, "demo", "run it again")
    })?;
    output::print(&introduction());
    let mut child = Child::start(args.keep.as_deref())?;
    match play(&mut child, &interrupt) {
        Ok(ledger) => {
            output::print(&format!("\nWhat Was Asserted\n{}", ledger.render()));
            Ok(if ledger.all_held() {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            })
        }
        Err(failure) => {
            if !interrupt.came() {
                output::complain(&format!("The node's log ends:\n{}\n", child.log_tail()));
            }
            Err(failure)
        }
    }
}

fn introduction() -> String {
    let words = "This starts a node on loopback with the embedded StarOS catalog, puts GTP calls on it over UDP, and \
                 shows what an operator sees; then a license authority that the node registers with. All of it is \
                 real except the license clock, which lab-only settings speed up. It takes a minute or two.";
    format!("tollgate demo\n{}", text::labelled("  ", words))
}

fn play(child: &mut Child, interrupt: &Interrupt) -> Result<Ledger, Failure> {
    output::print(&heading("A node starts"));
    let configuration = child.configuration();
    let indented = configuration.lines().map(|line| format!("    {line}"));
    let indented: Vec<String> = indented.map(|line| line.trim_end().to_owned()).collect();
    output::print(&format!("{}\n\n", indented.join("\n")));
    let health = child.ready(interrupt)?;
    output::print(&format!(
        "  It answers: {} {}, GTP-C on {}, {} workers.\n",
        health.name,
        health.version,
        health.gn,
        health.workers.len()
    ));
    let mut demo = Demo {
        client: child.client(),
        caller: Caller::new(child)?,
        ledger: Ledger::default(),
        interrupt: interrupt.clone(),
        authority: Place {
            state_dir: child.authority_dir(),
            listen: child.addresses.authority,
        },
        office: None,
    };
    for step in steps::STEPS {
        output::print(&heading(step.heading));
        output::print(&text::labelled("  ", step.words));
        (step.play)(&mut demo)?;
        if demo.interrupt.came() {
            return Err(interrupted());
        }
    }
    let status = child.end();
    output::print("\n");
    let observed = status.map_or_else(|| "no exit status".to_owned(), |status| status.to_string());
    let clean = status.is_some_and(|status| status.success());
    demo.check("the node saves its state and ends", clean, observed);
    replay(&mut demo, &child.journal())?;
    Ok(demo.ledger)
}

/// What the verdicts took in is played again.
fn replay(demo: &mut Demo, journal: &Path) -> Result<(), Failure> {
    output::print(&heading("20. What was taken in is played again"));
    let words = "The node wrote a journal of every input of its verdicts: counts, refusals, switches, times. The same \
                 machine takes them in again, and comes to the same verdicts, events and snapshots.";
    output::print(&text::labelled("  ", words));
    output::print("\n$ tollgate node --replay state/journal.jsonl | tail -1\n");
    let replay = node::journal::replay(journal).map_err(|error| {
        let what = error.to_string();
        Failure::new(what, "demo", "see the node's log above")
    })?;
    output::print(&text::labelled("", &node_command::verdict(&replay)));
    output::print("\n");
    let observed = format!(
        "{}, {}",
        text::counted(replay.events.len() as u64, "event"),
        text::counted(replay.compared, "result")
    );
    let held = replay.ended && replay.difference.is_none();
    demo.check("the journal comes to the same", held, observed);
    Ok(())
}

fn heading(words: &str) -> String {
    format!(
        "\n=== {words} {}\n",
        "=".repeat(text::COLUMNS - 5 - words.len())
    )
}

fn interrupted() -> Failure {
    Failure::new(
        "interrupted",
        "demo",
        "nothing is left behind; run it again",
    )
}

impl Demo {
    /// Asserts: notes it, and tells it.
    fn check(&mut self, asserted: &'static str, held: bool, observed: impl Into<String>) {
        let line = self.ledger.note(asserted, held, observed.into());
        output::print(&line);
    }

    fn ask(&self, request: &Request) -> Result<Reply, Failure> {
        Ok(self.client.ask(request)?)
    }

    fn change(&self, request: &Request) -> Result<bool, Failure> {
        let Reply::Done { changed } = self.ask(request)? else {
            return Err(self.client.unexpected());
        };
        Ok(changed)
    }

    /// How many sessions are meant.
    fn clear(&self, whom: ClearWhom) -> Result<u64, Failure> {
        let reactivate = false;
        let Reply::Cleared { sessions, .. } = self.ask(&Request::Clear { whom, reactivate })?
        else {
            return Err(self.client.unexpected());
        };
        Ok(sessions)
    }

    /// The node at this instant; one that a busy machine holds up is asked again.
    fn snapshot(&self) -> Result<Snapshot, Failure> {
        let end = Instant::now() + steps::WAIT;
        loop {
            let Reply::Snapshot {
                snapshot, stalled, ..
            } = self.ask(&Request::Snapshot)?
            else {
                return Err(self.client.unexpected());
            };
            if !stalled || Instant::now() > end {
                return Ok(*snapshot);
            }
        }
    }

    /// The newest refusal.
    fn refusal(&self) -> Result<Option<RefusalRecord>, Failure> {
        let Reply::History { refusals } = self.ask(&Request::History { limit: 1 })? else {
            return Err(self.client.unexpected());
        };
        Ok(refusals.into_iter().next())
    }

    fn health(&self) -> Result<Health, Failure> {
        let Reply::Health { health } = self.ask(&Request::Health)? else {
            return Err(self.client.unexpected());
        };
        Ok(*health)
    }

    /// The row of a service.
    fn service(&self, name: &str) -> Result<ServiceStatus, Failure> {
        let rows = self.snapshot()?.services.into_iter();
        let mut rows = rows.filter(|row| row.tag.name == name);
        rows.next().ok_or_else(|| self.client.unexpected())
    }

    /// Prints what `tollgate show` answers to these words.
    fn show(&self, words: &[&str], filter: Filter, typed: &str) -> Result<(), Failure> {
        let surface = Surface::named(words).ok_or_else(|| self.client.unexpected())?;
        let view = crate::control::view(
            &self.client,
            surface,
            &crate::control::Asked {
                filter,
                limit: 3,
                ..Default::default()
            },
        )?;
        output::print(&format!(
            "\n$ tollgate show {}{typed}\n{}",
            words.join(" "),
            surface.text(&view)
        ));
        Ok(())
    }
}
