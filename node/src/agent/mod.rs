//! The Smart Agent's shell: a thread beside the control thread, with its timers, connections and records.
//!
//! ```text
//! current snapshot --usage, switches--> agent --what it was told--> control thread --> verdicts
//! interface --operator's commands-----> agent --messages----------> license authority
//!                                       agent --records-----------> agent.redb, before what follows from them
//! ```
//!
//! The control thread never waits for it; it waits for the control thread only with what that has not taken yet, and
//! looks at no snapshot before: what it tells is shown before it looks again. A thread that ends anywhere is a process
//! that was killed, to which the records are the answer.

mod notice;
mod refusal;
mod shown;
mod told;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use api::LicenseCommand;
use api::smart::Sudi;
use crossbeam::channel::{Sender, TrySendError};
use licensing::snapshot::TagRow;
use licensing::{Mono, Snapshot, TagRef};
use smart_agent::{
    Agent, AtStart, Config as MachineConfig, Failure, Identity, Input, Message, Output, Start,
    TagUse, Ticket, Timers, Told,
};
use tokio::runtime::Runtime;
use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinError, JoinSet};
use tokio::time::sleep;

use crate::clock::Clock;
use crate::config::{self, Config};
use crate::control::{Ask, Current, Denied};
use crate::error::NodeError;
use crate::snmp::Feed;
use crate::store::{AgentKept, AgentStore};
use crate::transport::{Credentials, Outcome, Parcel, Transport, Trust};
use crate::vitals::{EndOf, Vitals};
pub use notice::news;
pub(crate) use shown::AgentCurrent;
pub use told::input;

/// From one look at the snapshot to the next.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Usage that is as before is told again after this time.
const USAGE_EVERY: Duration = Duration::from_secs(1);
/// Most commands that wait for the agent.
pub(crate) const COMMANDS: usize = 16;

/// What the agent is asked.
#[derive(Debug)]
pub(crate) enum AgentAsk {
    /// An operator's command.
    Command {
        /// What is asked.
        command: LicenseCommand,
        /// Where the answer goes.
        reply: oneshot::Sender<Result<(), Denied>>,
    },
    /// The next message goes another way.
    Way {
        /// The section that says which.
        agent: Box<config::Agent>,
        /// Told once it is so.
        reply: oneshot::Sender<()>,
    },
    /// End.
    End,
}

/// What the agent is made with.
pub(crate) struct Parts {
    pub(crate) config: Arc<Config>,
    pub(crate) clock: Arc<Clock>,
    pub(crate) vitals: Arc<Vitals>,
    pub(crate) current: Arc<Current>,
    pub(crate) control: Sender<Ask>,
    pub(crate) kept: AgentKept,
    /// The orders that are good of it.
    pub(crate) orders: AtStart,
    /// What managers are told.
    pub(crate) feed: Feed,
    /// For nonces and jitter.
    pub(crate) random: [u8; 32],
}

/// The agent's belongings.
pub(crate) struct AgentShell {
    runtime: Option<Runtime>,
    machine: Agent,
    store: AgentStore,
    failing: bool,
    transport: Arc<Transport>,
    flights: JoinSet<(Message, Outcome)>,
    trust_first: bool,
    clock: Arc<Clock>,
    vitals: Arc<Vitals>,
    current: Arc<Current>,
    shown: Arc<AgentCurrent>,
    control: Sender<Ask>,
    feed: Feed,
    asks: mpsc::Receiver<AgentAsk>,
    waiting: BTreeMap<Ticket, Waiting>,
    tickets: u64,
    /// What the control thread was not yet asked to take.
    told: Vec<Told>,
    /// What it has not yet taken.
    taken: Option<oneshot::Receiver<()>>,
    /// Answers to commands, which go out once every surface shows what follows from them.
    done: Vec<Answered>,
    seen: Seen,
}

/// Whoever waits for a command.
struct Waiting {
    words: &'static str,
    reply: oneshot::Sender<Result<(), Denied>>,
}

/// An answer to a command.
struct Answered {
    reply: oneshot::Sender<Result<(), Denied>>,
    result: Result<(), Denied>,
}

/// What was last seen of the snapshot.
struct Seen {
    enabled: bool,
    speedup: u32,
    usage: Vec<TagUse>,
    at: Mono,
}

impl AgentShell {
    /// The agent as a start finds it, where it is asked, and what it shows. Errors: the system gives no runtime, or the
    /// key makes no signing request.
    pub(crate) fn new(
        parts: Parts,
    ) -> Result<(Self, mpsc::Sender<AgentAsk>, Arc<AgentCurrent>), NodeError> {
        let what = "starting the smart agent";
        let fail = |source| NodeError::System { what, source };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(fail)?;
        let (config, kept) = (&parts.config, parts.kept);
        let snapshot = parts.current.load();
        let machine = machine_config(config, &snapshot);
        let roots = kept.operator_roots(&config.agent);
        let identity = Identity::new(kept.seed, &machine.sudi);
        let identity = identity.map_err(|error| fail(std::io::Error::other(error)))?;
        let now = parts.clock.now();
        let start = Start {
            identity,
            orders: parts.orders,
            restored: kept.restored,
            enabled: snapshot.smart.enabled,
            registered: snapshot.smart.mode == licensing::Mode::Registered,
            random: parts.random,
        };
        let mut machine = Agent::new(machine, start, now);
        for der in roots {
            machine.handle(Input::Root { der }, now);
        }
        let status = machine.status(now);
        let feed = parts.feed.clone();
        let shown = Arc::new(AgentCurrent::new(status, &config.agent, feed));
        let (commands, asks) = mpsc::channel(COMMANDS);
        let shell = Self {
            runtime: Some(runtime),
            machine,
            store: kept.store,
            failing: false,
            transport: Arc::new(Transport::new(config.agent.way.clone())),
            flights: JoinSet::new(),
            trust_first: config.agent.trust_first,
            clock: parts.clock,
            vitals: parts.vitals,
            current: parts.current,
            shown: Arc::clone(&shown),
            control: parts.control,
            feed: parts.feed,
            asks,
            waiting: BTreeMap::new(),
            tickets: 0,
            told: Vec::new(),
            taken: None,
            done: Vec::new(),
            seen: Seen {
                enabled: snapshot.smart.enabled,
                speedup: speedup(&snapshot),
                usage: Vec::new(),
                at: now.mono,
            },
        };
        Ok((shell, commands, shown))
    }

    /// Works until it is told to end, or nobody is left who could.
    pub(crate) fn run(mut self) {
        let vitals = Arc::clone(&self.vitals);
        let end = EndOf::agent(&vitals);
        if let Some(runtime) = self.runtime.take() {
            runtime.block_on(self.work());
            // A name that is being looked up is not waited for.
            runtime.shutdown_background();
        }
        end.ends_as_told();
    }

    async fn work(&mut self) {
        self.perform();
        loop {
            let wait = self.pause();
            tokio::select! {
                ask = self.asks.recv() => match ask {
                    Some(AgentAsk::Command { command, reply }) => self.take(command, reply),
                    Some(AgentAsk::Way { agent, reply }) => {
                        self.go(&agent);
                        // Whoever asked may have given up.
                        let _ = reply.send(());
                    }
                    Some(AgentAsk::End) | None => return,
                },
                Some(landed) = self.flights.join_next() => self.landed(landed),
                () = sleep(wait) => {}
            }
            self.vitals.agent_beats(self.clock.now().mono);
            self.look();
            self.perform();
        }
    }

    fn pause(&self) -> Duration {
        let now = self.clock.now().mono;
        let due = self.machine.poll_timeout();
        due.map_or(LOOK_EVERY, |at| at.since(now).min(LOOK_EVERY))
            .max(Duration::from_millis(1))
    }

    fn take(&mut self, command: LicenseCommand, reply: oneshot::Sender<Result<(), Denied>>) {
        self.look();
        self.tickets += 1;
        let ticket = Ticket(self.tickets);
        let words = refusal::words(&command);
        self.waiting.insert(ticket, Waiting { words, reply });
        self.handle(Input::Operator { ticket, command });
    }

    /// Goes another way with the next message; one that is under way ends where it went.
    fn go(&mut self, agent: &config::Agent) {
        self.transport = Arc::new(self.transport.by(agent.way.clone()));
        self.shown.show_way(agent);
        self.handle(Input::AnotherWay);
    }

    fn handle(&mut self, input: Input) {
        self.shown.count(&input);
        self.machine.handle(input, self.clock.now());
    }

    /// Looks at the snapshot, unless it does not yet show what was told, and lets time pass.
    fn look(&mut self) {
        if self.is_taken() {
            let snapshot = self.current.load();
            self.see(&snapshot);
        }
        let now = self.clock.now();
        if self.machine.poll_timeout().is_some_and(|at| at <= now.mono) {
            self.handle(Input::Timeout);
        }
    }

    fn see(&mut self, snapshot: &Snapshot) {
        let enable = snapshot.smart.enabled;
        if std::mem::replace(&mut self.seen.enabled, enable) != enable {
            self.handle(Input::SmartLicensing { enable });
        }
        let speedup = speedup(snapshot);
        if std::mem::replace(&mut self.seen.speedup, speedup) != speedup {
            self.handle(Input::LabSpeedup { speedup });
        }
        let usage = usage(snapshot);
        let now = self.clock.now().mono;
        if usage != self.seen.usage || now.since(self.seen.at) >= USAGE_EVERY {
            self.seen.at = now;
            self.seen.usage.clone_from(&usage);
            self.handle(Input::Usage(usage));
        }
    }

    /// Does all that the machine asks for.
    fn perform(&mut self) {
        while self.pass_on() {
            let Some(output) = self.machine.poll_output() else {
                break;
            };
            match output {
                Output::Persist(record) => self.keep(&record),
                Output::Send(message) => self.send(message),
                Output::Tell(told) => self.told.push(told),
                Output::Done { ticket, result } => {
                    if let Some(Waiting { words, reply }) = self.waiting.remove(&ticket) {
                        let result = result.map_err(|error| refusal::denied(words, &error));
                        self.done.push(Answered { reply, result });
                    }
                }
                Output::Notice(notice) => {
                    notice::log(&notice);
                    if let Some(news) = notice::news(&notice) {
                        self.feed.tell(self.current.load(), vec![news]);
                    }
                }
            }
        }
        self.shown.show(self.machine.status(self.clock.now()));
        if self.is_taken() {
            for Answered { reply, result } in self.done.drain(..) {
                // Whoever asked may have given up.
                drop(reply.send(result));
            }
        }
    }

    fn keep(&mut self, record: &smart_agent::Record) {
        let kept = self.store.keep(record);
        match &kept {
            Ok(()) if self.failing => event!(AGENT_SAVED_AGAIN),
            Ok(()) => {}
            Err(error) if !self.failing => {
                event!(AGENT_NOT_SAVED, %error);
            }
            Err(_) => {}
        }
        self.failing = kept.is_err();
        if self.failing {
            self.handle(Input::NotPersisted);
        }
    }

    /// Hands what is told to the control thread; false: it has no room just now.
    fn pass_on(&mut self) -> bool {
        if self.told.is_empty() {
            return true;
        }
        let (word, taken) = oneshot::channel();
        let told = std::mem::take(&mut self.told);
        let many = told.len() as u64;
        match self.control.try_send(Ask::Told { told, taken: word }) {
            Ok(()) => {
                self.taken = Some(taken);
                self.shown.count_told(many);
            }
            Err(TrySendError::Full(ask)) => {
                if let Ask::Told { told, .. } = ask {
                    self.told = told;
                }
                return false;
            }
            // It has ended, and so will this thread.
            Err(TrySendError::Disconnected(_)) => {}
        }
        true
    }

    /// The control thread has taken all that it was told.
    fn is_taken(&mut self) -> bool {
        if let Some(taken) = &mut self.taken
            && matches!(taken.try_recv(), Err(oneshot::error::TryRecvError::Empty))
        {
            return false;
        }
        self.taken = None;
        self.told.is_empty()
    }

    fn send(&mut self, message: Message) {
        let credentials = message.identified.then(|| self.credentials()).flatten();
        let parcel = Parcel {
            octets: message.octets.clone(),
            trust: Trust::of(self.machine.trust()),
            credentials,
        };
        let transport = Arc::clone(&self.transport);
        self.flights
            .spawn(async move { (message, transport.post(parcel).await) });
    }

    fn credentials(&self) -> Option<Credentials> {
        let (identity, chain) = self.machine.credentials()?;
        Some(Credentials {
            key: identity.pkcs8(),
            chain: chain.iter().map(|der| der.0.clone()).collect(),
        })
    }

    fn landed(&mut self, landed: Result<(Message, Outcome), JoinError>) {
        let (message, outcome) = match landed {
            Ok(landed) => landed,
            // The agent takes no answer in time for none.
            Err(error) => return event!(MESSAGE_LOST, %error),
        };
        let nonce = message.nonce;
        match outcome.answer {
            Ok(octets) => self.handle(Input::Answered { nonce, octets }),
            Err(failure) => {
                if let (Failure::WrongAuthority(_), Some(presented)) = (&failure, outcome.presented)
                    && self.trust(presented.last)
                {
                    return self.send(message);
                }
                self.handle(Input::NotAnswered { nonce, failure });
            }
        }
    }

    /// Trusts the first authority that a lab node meets, if it is configured to; true: it does now.
    fn trust(&mut self, root: Vec<u8>) -> bool {
        if !self.trust_first || !self.machine.trust().roots().is_empty() {
            return false;
        }
        self.handle(Input::Root { der: root.clone() });
        if let Err(error) = self.store.keep_first_root(&root) {
            event!(ROOT_NOT_KEPT, %error);
        }
        let Some(root) = self.machine.trust().roots().first() else {
            return false;
        };
        let fingerprint = root.certificate.fingerprint;
        event!(LAB_TRUST, %fingerprint);
        true
    }
}

fn machine_config(config: &Config, snapshot: &Snapshot) -> MachineConfig {
    let node = &snapshot.node;
    let sudi = Sudi {
        udi_pid: node.pid.clone(),
        udi_serial_number: node.serial.clone(),
    };
    let agent = &config.agent;
    let catalog = Arc::clone(&config.catalog);
    MachineConfig {
        version: node.version.clone(),
        hostname: agent.send_hostname.then(|| config.name.clone()),
        lab: config.lab.is_some(),
        speedup: speedup(snapshot),
        timers: Timers {
            report: agent.report_usage,
            ooc_retry: agent.ooc_retry,
            answer: agent.way.overall,
            ..Timers::default()
        },
        fits: config.fits(),
        ..MachineConfig::new(sudi, node.product_tag.clone(), catalog)
    }
}

fn speedup(snapshot: &Snapshot) -> u32 {
    snapshot.lab.map_or(1, |lab| lab.speedup)
}

/// What is in use of each tag.
pub fn usage(snapshot: &Snapshot) -> Vec<TagUse> {
    let used = |row: TagRow<'_>| TagUse {
        tag: match row {
            TagRow::Service(service) => TagRef::Service(service.service),
            TagRow::Feature(feature) => TagRef::Feature(feature.feature),
        },
        sessions: row.sessions().0,
        licenses: row.tag().licenses,
        held: row.tag().entitlement.map(|grant| grant.licenses),
    };
    snapshot.rows().map(used).collect()
}
