//! The shell of bulk statistics: a thread beside the control thread, with the wall clock, the spool and the transfers.
//!
//! ```text
//! clock --> collector --asks--> view (snapshot, workers, agent) --> samples --> spool (state directory)
//!              ^  |--transfers--> courier (a thread of its own) --> receivers
//!              |  '--conditions--> vitals --> control thread --> alarms
//!        operators' asks
//! ```
//!
//! Nobody waits for it. What is on disk is the truth: a process that is killed goes on from there.

mod courier;
mod disk;
pub(crate) mod shown;
mod view;
mod zone;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use api::{BulkstatsCommand, BulkstatsData};
use bulkstats::collector::{Collector, Condition, Notice, Output, Status, TransferError, Which};
use bulkstats::config::ConfigError;
use parking_lot::RwLock;
use tokio::runtime::Runtime;
use tokio::sync::{mpsc, oneshot};
use tokio::time::sleep;

use crate::clock::Clock;
use crate::config::{Bulkstats, Config};
use crate::error::NodeError;
use crate::interface::Interface;
use crate::vitals::{EndOf, Vitals};
use courier::{Courier, Ended};
use disk::Disk;

/// From one look at the clock to the next at most: it may be set.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Most asks that wait.
const ASKS: usize = 16;

/// What the thread is asked.
#[derive(Debug)]
pub(crate) enum BulkstatsAsk {
    /// An operator's command; the word goes out when it is done.
    Command(BulkstatsCommand, oneshot::Sender<()>),
    /// Show the samples whose file is not complete.
    Data(oneshot::Sender<Vec<BulkstatsData>>),
    /// Take another configuration, which was checked; what comes of it goes out when it is in force.
    Change {
        /// The configuration.
        config: Box<Bulkstats>,
        /// Told then.
        done: oneshot::Sender<Result<(), ConfigError>>,
    },
    /// End.
    End,
}

/// How bulk statistics are, which surfaces read.
#[derive(Debug)]
pub(crate) struct BulkstatsCurrent(RwLock<Arc<Status>>);

impl BulkstatsCurrent {
    pub(crate) fn load(&self) -> Arc<Status> {
        Arc::clone(&self.0.read())
    }
}

/// Where the thread is asked, and what it shows.
#[derive(Clone, Debug)]
pub(crate) struct BulkstatsEnd {
    pub(crate) asks: mpsc::Sender<BulkstatsAsk>,
    pub(crate) shown: Arc<BulkstatsCurrent>,
}

/// The belongings of bulk statistics.
pub(crate) struct BulkstatsShell {
    config: Bulkstats,
    runtime: Option<Runtime>,
    collector: Collector,
    disk: Disk,
    courier: Courier,
    asks: mpsc::Receiver<BulkstatsAsk>,
    clock: Arc<Clock>,
    vitals: Arc<Vitals>,
    shown: Arc<BulkstatsCurrent>,
    /// Files that no receiver takes.
    undelivered: BTreeSet<u8>,
    /// Receivers that show another host key than theirs, or a certificate that is not to be believed, by file; `true`: the secondary.
    strangers: BTreeSet<(u8, bool)>,
    /// Files of which something is not written.
    unwritten: BTreeSet<u8>,
}

impl BulkstatsShell {
    /// Bulk statistics as a start finds them. Errors: the system gives no thread or runtime.
    pub(crate) fn new(
        config: &Arc<Config>,
        clock: &Arc<Clock>,
        vitals: &Arc<Vitals>,
    ) -> Result<(Self, BulkstatsEnd), NodeError> {
        let what = "starting bulk statistics";
        let fail = |source| NodeError::System { what, source };
        let mut builder = tokio::runtime::Builder::new_current_thread();
        let runtime = builder.enable_all().build().map_err(fail)?;
        let disk = Disk::new(&config.state_dir);
        let collector = Collector::new(config.bulkstats.config.clone(), disk.open());
        let collector = collector.map_err(|error| fail(std::io::Error::other(error)))?;
        let (asks, asked) = mpsc::channel(ASKS);
        let status = Arc::new(collector.status());
        let shown = Arc::new(BulkstatsCurrent(RwLock::new(status)));
        let end = BulkstatsEnd {
            asks,
            shown: Arc::clone(&shown),
        };
        let shell = Self {
            config: config.bulkstats.clone(),
            runtime: Some(runtime),
            collector,
            disk,
            courier: Courier::new().map_err(fail)?,
            asks: asked,
            clock: Arc::clone(clock),
            vitals: Arc::clone(vitals),
            shown,
            undelivered: BTreeSet::new(),
            strangers: BTreeSet::new(),
            unwritten: BTreeSet::new(),
        };
        Ok((shell, end))
    }

    /// Works until it is told to end. Samples are of what this interface is answered.
    pub(crate) fn run(mut self, node: &Interface) {
        let vitals = Arc::clone(&self.vitals);
        let end = EndOf::bulkstats(&vitals);
        if let Some(runtime) = self.runtime.take() {
            runtime.block_on(self.work(node));
        }
        self.courier.end();
        end.ends_as_told();
    }

    async fn work(&mut self, node: &Interface) {
        let mut changed = true;
        loop {
            let now = self.clock.now();
            self.collector.tick(now);
            changed |= self.perform(node).await;
            if std::mem::take(&mut changed) {
                self.show();
            }
            self.vitals.bulkstats_beats(self.clock.now().mono);
            let wait = self.collector.poll_timeout(self.clock.now());
            tokio::select! {
                ask = self.asks.recv() => match ask {
                    Some(BulkstatsAsk::Command(command, done)) => {
                        self.command(command);
                        self.perform(node).await;
                        self.show();
                        // Whoever asked may have given up.
                        let _gone = done.send(());
                    }
                    Some(BulkstatsAsk::Change { config, done }) => {
                        let changed = self.change(*config);
                        self.perform(node).await;
                        self.show();
                        let _gone = done.send(changed);
                    }
                    Some(BulkstatsAsk::Data(reply)) => {
                        let _gone = reply.send(self.disk.open_samples());
                    }
                    Some(BulkstatsAsk::End) | None => break,
                },
                Some(ended) = self.courier.results.recv() => {
                    self.ended(ended);
                    changed = true;
                }
                () = sleep(wait.min(LOOK_EVERY)) => {}
            }
        }
    }

    fn command(&mut self, command: BulkstatsCommand) {
        let now = self.clock.now();
        match command {
            BulkstatsCommand::ForceGather => self.collector.force_gather(now),
            BulkstatsCommand::ForceTransfer => self.collector.force_transfer(now),
            BulkstatsCommand::ClearCounters => self.collector.clear_counters(),
            BulkstatsCommand::ClearData => self.collector.clear_data(),
        }
    }

    fn change(&mut self, config: Bulkstats) -> Result<(), ConfigError> {
        let renewed = config.renewed(&self.config);
        let now = self.clock.now();
        self.collector
            .configure(config.config.clone(), &renewed, now)?;
        self.config = config;
        Ok(())
    }

    fn ended(&mut self, ended: Ended) {
        let Ended { attempt, result } = ended;
        self.collector
            .transferred(attempt, result, self.clock.now());
    }

    /// Does all that the machine asks for, in its order; true if there was anything. Without it, and without a transfer
    /// that ended, the status is as it was.
    async fn perform(&mut self, node: &Interface) -> bool {
        let mut any = false;
        while let Some(output) = self.collector.poll_output() {
            any = true;
            match output {
                Output::Sample => {
                    let view = node.view().await;
                    self.collector.sample(&view, self.clock.now());
                }
                Output::Write { op, to, bytes } => {
                    let result = self.disk.write(&to, &bytes);
                    self.collector.stored(op, result, self.clock.now());
                }
                Output::Join {
                    op,
                    parts,
                    footer,
                    to,
                    gzip,
                } => {
                    let result = self.disk.join(&parts, &footer, &to, gzip);
                    self.collector.stored(op, result, self.clock.now());
                }
                Output::Transfer {
                    attempt,
                    file,
                    stored,
                    receiver,
                } => {
                    let path = self.disk.path(&stored);
                    self.courier
                        .send(&self.config, (file, receiver), attempt, path, stored.name);
                }
                Output::Move { from, to } => self.disk.rename(&from, &to),
                Output::Remove(stored) => self.disk.remove(&stored),
                Output::Alarm { raised, condition } => self.condition(raised, &condition),
                Output::Notice(notice) => log(&notice),
            }
        }
        self.disk.settle(self.clock.now().mono);
        any
    }

    /// A condition begins or ends; the control thread looks at the vitals and makes an alarm of it.
    fn condition(&mut self, raised: bool, condition: &Condition) {
        match condition {
            Condition::Receivers { file, why } => {
                match raised {
                    true => self.undelivered.insert(*file),
                    false => self.undelivered.remove(file),
                };
                let any = !self.undelivered.is_empty();
                self.vitals.set_bulkstats_undelivered(any);
                let why = why.as_ref().map(tracing::field::display);
                event!(RECEIVERS, file, raised, why);
            }
            Condition::Receiver { file, which, why } => {
                let who = (*file, *which == Which::Secondary);
                match why {
                    Some(TransferError::HostKey) => self.strangers.insert(who),
                    Some(_) | None => self.strangers.remove(&who),
                };
                self.vitals
                    .set_bulkstats_host_key(!self.strangers.is_empty());
                let why = why.as_ref().map(tracing::field::display);
                event!(RECEIVER, file, ?which, raised, why);
            }
            Condition::Storage { file, why } => {
                match raised {
                    true => self.unwritten.insert(*file),
                    false => self.unwritten.remove(file),
                };
                self.vitals
                    .set_bulkstats_not_written(!self.unwritten.is_empty());
                let why = why.as_ref().map(tracing::field::display);
                event!(WRITING, file, raised, why);
            }
            Condition::Discarding => {
                self.vitals.set_bulkstats_discarding(raised);
                event!(DISCARDING, raised);
            }
        }
    }

    fn show(&self) {
        *self.shown.0.write() = Arc::new(self.collector.status());
    }
}

fn log(notice: &Notice) {
    match notice {
        Notice::Skipped { intervals, why } => {
            event!(INTERVALS_MISSED, intervals, ?why);
        }
        Notice::PutBack { intervals } => {
            event!(CLOCK_PUT_BACK, intervals);
        }
        Notice::Repeated { minute } => {
            event!(SAMPLE_AGAIN, minute);
        }
        Notice::SampleLost { file, records } => {
            event!(SAMPLE_LOST, file, records);
        }
        Notice::Discarded {
            file,
            name,
            records,
        } => event!(FILE_DROPPED, file, name, records),
        Notice::Renamed { file, name } => {
            event!(NAME_TAKEN, file, name);
        }
        Notice::Receiver { file, now, why } => {
            let why = why.as_ref().map(tracing::field::display);
            event!(RECEIVER_CHANGED, file, ?now, why);
        }
        Notice::SetAside {
            file,
            name,
            records,
            why,
        } => event!(FILE_SET_ASIDE, file, name, records, why),
        Notice::Orphaned {
            file,
            files,
            records,
        } => event!(FILES_WITHOUT_RECEIVER, file, files, records),
    }
}
