//! SNMP's shell: a thread beside the control thread, with its sockets, timers and records.
//!
//! ```text
//! control thread --events, snapshot--> feed --> delivery --notifications--> targets (UDP)
//! smart agent    --notices-----------> feed        |  ^----acknowledgements---'
//!                                                  |--records--> snmp.redb, before what follows from them
//! managers --requests (UDP)--> managers --answers  '--what was told--> managers
//!                                          of the current snapshot
//! ```
//!
//! Nobody waits for it: what finds the feed full is lost, and the table of alarms of the current snapshot is compared with
//! what targets were told, so that each raise and clear still goes out, once.

mod change;
mod feed;
mod requests;
mod shown;
mod smart;
mod sockets;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use api::SnmpLeftOut;
use licensing::{Mono, Now};
use snmp::delivery::{self, Change, Delivery, Input, Output, Send};
use snmp::message::{EncodeError, Notification};
use snmp::target::{Heard, Outbound, Target};
use snmp::usm::Local;
use snmp::view::View;
use tokio::runtime::Runtime;
use tokio::sync::{mpsc, oneshot};
use tokio::time::sleep;

use crate::agent::AgentCurrent;
use crate::clock::Clock;
use crate::config::{self, Config, NotifyTarget};
use crate::control::Current;
use crate::error::NodeError;
use crate::store::{SnmpKept, SnmpStore};
use crate::vitals::{EndOf, Vitals};
pub(crate) use change::ChangeError;
use feed::Batch;
pub(crate) use feed::{Feed, Told, feed};
use requests::Managers;
pub(crate) use shown::SnmpCurrent;
use shown::{Configured, History, Shown};
use sockets::{Datagram, Sockets};

/// Longest pause from one sign of life to the next, and what is shown is no older, as long as it works.
const SHOW_EVERY: Duration = Duration::from_millis(100);

/// What the thread is asked.
#[derive(Debug)]
pub(crate) enum SnmpAsk {
    /// Work by this configuration from now on; where managers ask, and the engine, stay as they are.
    Change {
        /// All of it.
        config: Box<config::Snmp>,
        /// Where the word goes that it is in force, or why it is not, and nothing has changed.
        done: oneshot::Sender<Result<(), ChangeError>>,
    },
    /// End.
    End,
}

/// Most asks that wait.
const ASKS: usize = 16;

/// What the shell is made with.
pub(crate) struct Parts {
    pub(crate) config: Arc<Config>,
    pub(crate) clock: Arc<Clock>,
    pub(crate) vitals: Arc<Vitals>,
    pub(crate) current: Arc<Current>,
    pub(crate) agent: Arc<AgentCurrent>,
    pub(crate) told: Told,
    pub(crate) kept: SnmpKept,
    /// Starts of the process before this one, as far as is known.
    pub(crate) starts: u32,
}

/// The belongings of SNMP.
pub(crate) struct SnmpShell {
    runtime: Option<Runtime>,
    delivery: Delivery,
    local: Local,
    /// Those that are spoken to, in their places.
    targets: Vec<Line>,
    store: SnmpStore,
    failing: bool,
    sockets: Sockets,
    managers: Managers,
    told: Told,
    asks: mpsc::Receiver<SnmpAsk>,
    clock: Arc<Clock>,
    vitals: Arc<Vitals>,
    current: Arc<Current>,
    agent: Arc<AgentCurrent>,
    configured: Arc<Configured>,
    shown: Arc<SnmpCurrent>,
}

/// A target as it is spoken to.
struct Line {
    of: NotifyTarget,
    spoken: Target,
    /// The last thing that was sent could not be.
    failing: bool,
}

impl SnmpShell {
    /// SNMP as a start finds it, where it is asked, and what it shows. Errors: the system gives no runtime or socket, or
    /// the targets of the configuration are refused.
    pub(crate) fn new(
        parts: Parts,
    ) -> Result<(Self, mpsc::Sender<SnmpAsk>, Arc<SnmpCurrent>), NodeError> {
        let what = "starting SNMP";
        let fail = |source| NodeError::System { what, source };
        let config = &parts.config.snmp;
        for SnmpLeftOut { what, name, why } in &config.left_out {
            event!(SNMP_LEFT_OUT, what, name, why);
        }
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(fail)?;
        let mut sockets = Sockets::new();
        let addresses = config.targets.iter().map(|to| to.target.address);
        runtime.block_on(sockets.bind(addresses)).map_err(fail)?;
        let now = parts.clock.now();
        let SnmpKept {
            store,
            records,
            boots,
        } = parts.kept;
        // Of both the higher: managers drop what comes with fewer boots than they have seen.
        let boots = boots.max(parts.starts).saturating_add(1);
        let local = Local::new(config.engine.clone(), boots, now.mono);
        let machine = delivery::Config {
            targets: config.delivered(),
            suppressed: config.suppressed.iter().copied().collect(),
            enterprise: config.enterprise.clone(),
            started: now.mono,
        };
        let snapshot = parts.current.load();
        let delivery = Delivery::new(machine, records, &snapshot, now);
        let delivery = delivery.map_err(|error| fail(std::io::Error::other(error)))?;
        for (target, dropped) in delivery.gone() {
            change::report_gone(target, dropped);
        }
        let targets = config.targets.iter().map(|to| Line::new(to, &local));
        let targets = targets.collect();
        let managers = Managers::new(&parts.config, &local);
        let managers = runtime.block_on(managers).map_err(fail)?;
        let (asks, asked) = mpsc::channel(ASKS);
        let configured = Arc::new(Configured::of(config));
        let history = Arc::default();
        let shown = shown(
            &configured,
            &history,
            &delivery,
            &managers,
            &local,
            now.mono,
        );
        let shown = Arc::new(SnmpCurrent::new(shown));
        let mut shell = Self {
            runtime: Some(runtime),
            delivery,
            local,
            targets,
            store,
            failing: false,
            sockets,
            managers,
            told: parts.told,
            asks: asked,
            clock: parts.clock,
            vitals: parts.vitals,
            current: parts.current,
            agent: parts.agent,
            configured,
            shown: Arc::clone(&shown),
        };
        shell.keep_boots();
        Ok((shell, asks, shown))
    }

    /// Works until it is told to end, or nobody is left who could.
    pub(crate) fn run(mut self) {
        let vitals = Arc::clone(&self.vitals);
        let end = EndOf::snmp(&vitals);
        if let Some(runtime) = self.runtime.take() {
            runtime.block_on(self.work());
        }
        end.ends_as_told();
    }

    async fn work(&mut self) {
        self.perform().await;
        loop {
            let wait = self.pause();
            tokio::select! {
                ask = self.asks.recv() => match ask {
                    Some(SnmpAsk::Change { config, done }) => {
                        let changed = self.change(*config).await;
                        self.show_now();
                        if let Err(error) = &changed {
                            event!(SNMP_NOT_CHANGED, %error);
                        }
                        // Whoever asked may have given up.
                        let _gone = done.send(changed);
                    }
                    Some(SnmpAsk::End) | None => break,
                },
                Some(batch) = self.told.batches.recv() => self.take(batch),
                received = self.sockets.receive() => match received {
                    Ok(datagram) => self.hear(&datagram),
                    // Of something sent before; the machine sends it again.
                    Err(error) => tracing::debug!(%error, "receiving from targets"),
                },
                received = self.managers.receive() => match received {
                    Ok(datagram) => self.answer(&datagram).await,
                    Err(error) => tracing::debug!(%error, "receiving from managers"),
                },
                () = sleep(wait) => {}
            }
            self.look();
            self.vitals.snmp_beats(self.clock.now().mono);
            self.perform().await;
            self.show();
        }
        while let Ok(batch) = self.told.batches.try_recv() {
            self.take(batch);
        }
        self.perform().await;
    }

    /// Shows what there is, unless what is shown is new enough.
    fn show(&self) {
        let now = self.clock.now().mono;
        if now.since(self.shown.load().at) >= SHOW_EVERY {
            self.show_now();
        }
    }

    fn show_now(&self) {
        let now = self.clock.now().mono;
        let last = self.shown.load();
        let (delivery, managers) = (&self.delivery, &self.managers);
        let config = &self.configured;
        let shown = shown(config, &last.history, delivery, managers, &self.local, now);
        self.shown.store(shown);
    }

    fn pause(&self) -> Duration {
        let now = self.clock.now().mono;
        let due = self.delivery.poll_timeout();
        due.map_or(SHOW_EVERY, |at| at.since(now).min(SHOW_EVERY))
            .max(Duration::from_millis(1))
    }

    fn take(&mut self, batch: Batch) {
        let now = self.clock.now();
        self.delivery
            .handle_batch(&batch.news, &batch.snapshot, now);
    }

    /// Lets time pass, and looks at the snapshot if some news were lost, once those that were not are taken.
    fn look(&mut self) {
        if self.told.missed() {
            while let Ok(batch) = self.told.batches.try_recv() {
                self.take(batch);
            }
            event!(NOTIFICATIONS_LOST);
            self.handle(Input::Missed);
        }
        let now = self.clock.now().mono;
        if self.delivery.poll_timeout().is_some_and(|at| at <= now) {
            self.handle(Input::Timeout);
        }
    }

    fn handle(&mut self, input: Input) {
        let snapshot = self.current.load();
        self.delivery.handle(input, &snapshot, self.clock.now());
    }

    fn hear(&mut self, datagram: &Datagram) {
        let now = self.clock.now();
        for at in 0..self.targets.len() {
            let target = &mut self.targets[at];
            if target.of.target.address != datagram.from {
                continue;
            }
            let heard = target.spoken.handle_datagram(now.mono, &datagram.bytes);
            let name = &target.of.target.name;
            match heard {
                Heard::Acknowledged(request_id) => self.acknowledged(datagram, request_id),
                Heard::Failed(request_id, status) => {
                    event!(INFORM_UNUSED, target = name, ?status);
                    self.acknowledged(datagram, request_id);
                }
                Heard::Learned(request_id) => self.handle(Input::Again { request_id }),
                Heard::Refused(_, counter) => {
                    event!(INFORM_REFUSED, target = name, %counter);
                }
                // Another target of this address may be meant.
                Heard::Ignored(_) => {}
            }
        }
    }

    async fn answer(&mut self, datagram: &Datagram) {
        let now = self.clock.now().mono;
        let (current, agent, delivery) = (&self.current, &self.agent, &mut self.delivery);
        let answer = self
            .managers
            .answer(&mut self.local, now, datagram, |own| View {
                own,
                node: current.load(),
                agent: Arc::new(smart::shown(&agent.status())),
                told: Arc::new(delivery.shown()),
            });
        if let Some(answer) = answer {
            self.managers.send(&answer, datagram.from).await;
        }
    }

    fn acknowledged(&mut self, datagram: &Datagram, request_id: i32) {
        let from = datagram.from;
        self.handle(Input::Acknowledged { from, request_id });
    }

    /// Does all that the machine asks for.
    async fn perform(&mut self) {
        while let Some(output) = self.delivery.poll_output() {
            match output {
                Output::Commit { changes, durable } => self.keep(&changes, durable),
                Output::Send(send) => self.send(send).await,
            }
        }
    }

    fn keep(&mut self, changes: &[Change], durable: bool) {
        let kept = self.store.keep(changes, durable);
        self.report_kept(kept);
    }

    fn keep_boots(&mut self) {
        let boots = self.local.boots();
        let kept = self.store.keep_boots(boots);
        self.report_kept(kept);
    }

    fn report_kept(&mut self, kept: Result<(), crate::store::StoreError>) {
        match &kept {
            Ok(()) if self.failing => event!(SNMP_SAVED_AGAIN),
            Ok(()) => {}
            Err(error) if !self.failing => {
                event!(SNMP_NOT_SAVED, %error);
            }
            Err(_) => {}
        }
        self.failing = kept.is_err();
    }

    async fn send(&mut self, send: Send) {
        let now = self.clock.now();
        let Some(manager) = self.targets.get_mut(send.target) else {
            return;
        };
        let address = manager.of.target.address;
        let place = send.target;
        let failure = match encode(&mut manager.spoken, &mut self.local, now, send) {
            Ok(bytes) => {
                let sent = self.sockets.send(&bytes, address).await;
                sent.err().map(|error| error.to_string())
            }
            Err(error) => Some(error.to_string()),
        };
        self.report_sent(place, failure);
    }

    fn report_sent(&mut self, place: usize, failure: Option<String>) {
        let Some(manager) = self.targets.get_mut(place) else {
            return;
        };
        let target = &manager.of.target.name;
        match &failure {
            Some(error) if !manager.failing => {
                event!(NOTIFICATION_UNSENT, target, %error);
            }
            None if manager.failing => event!(NOTIFICATIONS_SENT_AGAIN, target),
            Some(_) | None => {}
        }
        manager.failing = failure.is_some();
    }
}

/// What there is to show; of the history, if that has not changed, what was shown `before`.
fn shown(
    config: &Arc<Configured>,
    before: &Arc<History>,
    delivery: &Delivery,
    managers: &Managers,
    local: &Local,
    at: Mono,
) -> Shown {
    Shown {
        at,
        config: Arc::clone(config),
        own: managers.own(local, at),
        walks_held: managers.walks_held(),
        targets: delivery.targets().collect(),
        periods: delivery.periods(at),
        counts: delivery.counts().collect(),
        history: History::of(delivery, before),
    }
}

impl Line {
    fn new(of: &NotifyTarget, local: &Local) -> Self {
        Self {
            of: of.clone(),
            spoken: Target::new(of.security.clone(), local.id()),
            failing: false,
        }
    }
}

fn encode(
    spoken: &mut Target,
    local: &mut Local,
    now: Now,
    send: Send,
) -> Result<Vec<u8>, EncodeError> {
    let Send {
        inform,
        request_id,
        uptime,
        trap,
        varbinds,
        ..
    } = send;
    let notification = Notification {
        uptime,
        trap,
        varbinds,
    };
    if !inform {
        return spoken.trap(local, now.mono, request_id, &notification);
    }
    let outbound = spoken.inform(local, now.mono, request_id, &notification);
    outbound.map(|outbound| match outbound {
        Outbound::Inform(bytes) | Outbound::Question(bytes) => bytes,
    })
}
