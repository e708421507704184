//! A node's start and end.

use std::collections::VecDeque;
use std::fs;
use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crossbeam::channel::{Sender, bounded};
use enforcer::RefusalRing;
use enforcer::gate::{Form, Gate, GateConfig, WorkerGate};
use enforcer::verdicts::{self, Enforcer, Restored};
use licensing::Now;
use licensing::snapshot::NodeIdentity;
use parking_lot::Mutex;
use rand::TryRngCore;
use rand::rngs::OsRng;
use session_plane::{PlaneConfig, Seat, SessionPlane, Shared};
use smart_agent::AtStart;
use tokio::runtime::{Handle, Runtime};
use tokio::sync::{Semaphore, mpsc};

use crate::access::{Accounts, Audit};
use crate::admission::Admissions;
use crate::agent::{AgentAsk, AgentShell, Parts};
use crate::bulkstats::{BulkstatsAsk, BulkstatsShell};
use crate::clock::Clock;
use crate::config::Config;
use crate::control::{ASKS, Ask, Check, Control, Current, Keeper, Samples};
use crate::datagrams::Outgoing;
use crate::error::NodeError;
use crate::fence::{self, GateChoice};
use crate::interface::{self, Interface};
use crate::journal::{Header, Recorder};
use crate::logging::{SyslogAsk, SyslogShell};
use crate::metrics::{self, LastRefusals, Latencies};
use crate::queue::Queue;
use crate::receiver::{HandOn, Reads, Receiver, Spares};
use crate::settings::Settings;
use crate::shutdown::Shutdown;
use crate::snmp::{self, Feed, SnmpAsk, SnmpShell};
use crate::socket;
use crate::ssh::Shells;
use crate::store::{AgentKept, Found, Store};
use crate::threads::Thread;
use crate::vitals::Vitals;
use crate::worker::Worker;

/// Refusals that wait for the control thread at most.
const RING: usize = 4096;
/// Longest that a thread takes to end.
const END: Duration = Duration::from_secs(30);
/// Longest that requests of the control interface are waited for at the end.
const INTERFACE_END: Duration = Duration::from_millis(500);

/// Bound of the first lease's number: such numbers are exact in every reader of JSON.
const FIRST_LEASES: u64 = 1 << 52;

/// A node that runs.
#[derive(Debug)]
pub struct Running {
    config: Arc<Config>,
    gn: SocketAddr,
    asks: Sender<Ask>,
    stop: Arc<AtomicBool>,
    /// None once it has ended.
    threads: Option<Threads>,
}

/// All that runs.
#[derive(Debug)]
struct Threads {
    reads: Reads,
    workers: Vec<Thread>,
    agent: Thread,
    commands: mpsc::Sender<AgentAsk>,
    snmp: Thread,
    snmp_asks: mpsc::Sender<SnmpAsk>,
    bulkstats: Thread,
    bulkstats_asks: mpsc::Sender<BulkstatsAsk>,
    syslog: Thread,
    syslog_asks: mpsc::Sender<SyslogAsk>,
    control: Thread,
    journal: Option<Thread>,
    metrics: Option<Runtime>,
    ssh: Option<Runtime>,
    interface: Runtime,
}

/// Holds the control thread, as a disk that does not answer would; it works on when this is dropped.
#[derive(Debug)]
pub struct Pause {
    _until: Sender<()>,
}

/// What the threads have in common.
struct Common {
    config: Arc<Config>,
    clock: Arc<Clock>,
    vitals: Arc<Vitals>,
    gate: Arc<Gate>,
    form: Form,
    ring: Arc<RefusalRing>,
    /// One, or one for each worker.
    sockets: Vec<Arc<UdpSocket>>,
    gn: SocketAddr,
    latencies: Arc<Latencies>,
    refusals: Arc<LastRefusals>,
}

impl Running {
    /// Starts a node; on return it listens. `shutdown` is triggered by signals if it watches them.
    ///
    /// Errors: the state directory, an address or a socket can't be had, or the system gives no thread.
    pub fn start(config: Config, shutdown: &Shutdown) -> Result<Self, NodeError> {
        Self::start_with_shells(config, shutdown, None)
    }

    /// The same with what understands what is typed by SSH; without it SSH is not served. Errors: as [`Running::start`].
    pub fn start_with_shells(
        config: Config,
        shutdown: &Shutdown,
        shells: Option<Arc<dyn Shells>>,
    ) -> Result<Self, NodeError> {
        let (store, found) = Store::open(&config.state_dir)?;
        let (config, settings) = Settings::open(config)?;
        let clock = Arc::new(Clock::start(config.lab.map_or(1, |lab| lab.speedup)));
        let agent_kept = store.open_agent()?;
        let (config, orders) = orders_at_start(config, &agent_kept, clock.now())?;
        let (syslog, syslog_asks) = SyslogShell::new(&config.logging, &config.name)?;
        let syslog = Thread::start("syslog", move || syslog.run())?;
        let (common, receive_buffer_bytes) = Common::new(config, clock)?;
        let listener = bind_control(&common.config)?;
        let scraped = bind_metrics(&common.config)?;
        let visited = bind_ssh(&common.config)?;
        let plane = Arc::new(PlaneConfig {
            control: common.gn,
            recovery: restarts(&found, common.clock.now()),
            ..common.config.plane.clone()
        });
        let (asks, asked) = bounded(ASKS);
        let snmp_kept = store.open_snmp();
        let starts = found.clock.as_ref().map_or(0, |clock| clock.boots);
        let (feed, told) = snmp::feed();
        let (mut control, journal) = make_control(
            &common,
            store,
            restored(found, &orders),
            asked,
            feed.clone(),
        )?;
        control.begin();
        let shared = Shared::new(&plane, &common.gate, Arc::clone(&common.ring), secret()?)?;
        let current = Arc::clone(&control.current);
        let (agent, commands, agent_shown) = AgentShell::new(agent_parts(
            &common,
            agent_kept,
            orders,
            Arc::clone(&current),
            asks.clone(),
            feed,
        )?)?;
        let (snmp, snmp_asks, snmp_shown) = SnmpShell::new(snmp::Parts {
            config: Arc::clone(&common.config),
            clock: Arc::clone(&common.clock),
            vitals: Arc::clone(&common.vitals),
            current: Arc::clone(&current),
            agent: Arc::clone(&agent_shown),
            told,
            kept: snmp_kept,
            starts,
        })?;
        let control = Thread::start("control", move || control.run())?;
        let agent = Thread::start("agent", move || agent.run())?;
        let snmp = Thread::start("snmp", move || snmp.run())?;
        let spares = Spares::new();
        let (workers, queues) = start_workers(&common, &plane, &shared, &spares, &asks)?;
        let (bulkstats, bulkstats_end) =
            BulkstatsShell::new(&common.config, &common.clock, &common.vitals)?;
        let bulkstats_asks = bulkstats_end.asks.clone();
        let admissions = make_admissions(&common, &plane)?;
        let interface = Interface {
            config: Arc::clone(&common.config),
            gn: common.gn,
            receive_buffer_bytes,
            gate: fence::name(common.form),
            clock: Arc::clone(&common.clock),
            vitals: Arc::clone(&common.vitals),
            current,
            asks: asks.clone(),
            commands: commands.clone(),
            agent: agent_shown,
            snmp: snmp_shown,
            snmp_asks: snmp_asks.clone(),
            bulkstats: bulkstats_end,
            syslog_asks: syslog_asks.clone(),
            latencies: Arc::clone(&common.latencies),
            refusals: Arc::clone(&common.refusals),
            counted: tokio::sync::Mutex::new(vec![Arc::default(); queues.len()]),
            queues: queues.clone(),
            plane: Arc::clone(&shared),
            settings: Arc::new(tokio::sync::Mutex::new(settings)),
            audit: Arc::new(Audit::new(
                &common.config.state_dir,
                common.config.audit_bytes,
            )),
            accounts: Arc::new(Accounts::new(&common.config.ssh)),
            changes: Arc::new(Semaphore::new(interface::CHANGES_MAX)),
            counters: Mutex::default(),
            growth: Mutex::new(interface::Hours::open(&common.config.state_dir)),
            admissions: Mutex::new(admissions),
        };
        let interface = Arc::new(interface);
        let node = Arc::clone(&interface);
        let bulkstats = Thread::start("bulkstats", move || bulkstats.run(&node))?;
        let metrics = scraped.map(|listener| metrics::serve(Arc::clone(&interface), listener));
        let metrics = metrics.transpose()?;
        let served = Arc::clone(&interface);
        let interface = serve(interface, &common.config.state_dir, listener, shutdown)?;
        let ssh = start_ssh(served, shells, interface.handle().clone(), visited)?;
        // What reads the socket comes last: if anything before fails, all others end with the queues.
        let stop = Arc::new(AtomicBool::new(false));
        let reads = match common.sockets.as_slice() {
            [only] if queues.len() > 1 => {
                let queues = queues.into_iter().map(Queue::silent).collect();
                Reads::by_receiver(Receiver {
                    socket: Arc::clone(only),
                    hand_on: HandOn::new(queues, spares, common.vitals, shared),
                    clock: common.clock,
                    stop: Arc::clone(&stop),
                })?
            }
            _ => Reads::by_workers(queues, &spares, &common.vitals, &shared)?,
        };
        let threads = Threads {
            reads,
            workers,
            agent,
            commands,
            snmp,
            snmp_asks,
            bulkstats,
            bulkstats_asks,
            syslog,
            syslog_asks,
            control,
            journal,
            metrics,
            ssh,
            interface,
        };
        let running = Self {
            config: common.config,
            gn: common.gn,
            asks,
            stop,
            threads: Some(threads),
        };
        event!(READY, said = %running.ready_line());
        Ok(running)
    }

    /// Where GTP-C is received; the port is a real one if the configuration's was 0.
    pub fn gn(&self) -> SocketAddr {
        self.gn
    }

    /// What is said once the node listens.
    pub fn ready_line(&self) -> String {
        let lab = if self.config.lab.is_some() {
            " LAB"
        } else {
            ""
        };
        format!(
            "tollgate ready: node {}{lab}, gn {}, control {}",
            self.config.name,
            self.gn,
            self.config.control_socket.display()
        )
    }

    /// Holds the control thread, from this return on; none: it takes no order, or not within 30 s.
    pub fn pause_control(&self) -> Option<Pause> {
        let (until, paused) = bounded(0);
        let asked = self.asks.try_send(Ask::Pause(paused));
        asked.ok()?;
        until.send_timeout((), END).ok()?;
        Some(Pause { _until: until })
    }

    /// Ends the control thread alone, its state saved: calls go on with its last policies and ceilings.
    pub fn end_control(&self) {
        // One that takes no order any more has ended or will not.
        let _ended = self.asks.try_send(Ask::End);
    }

    /// Ends the Smart Agent's thread alone: calls go on, and nothing is asked of the authority or reported.
    pub fn end_agent(&self) {
        if let Some(threads) = &self.threads {
            let _ended = threads.commands.try_send(AgentAsk::End);
        }
    }

    /// Ends the thread of SNMP alone: calls go on, and no manager is told anything, or answered.
    pub fn end_snmp(&self) {
        if let Some(threads) = &self.threads {
            let _ended = threads.snmp_asks.try_send(SnmpAsk::End);
        }
    }

    /// Ends the thread of bulk statistics alone: calls go on, and no sample is taken.
    pub fn end_bulkstats(&self) {
        if let Some(threads) = &self.threads {
            let _ended = threads.bulkstats_asks.try_send(BulkstatsAsk::End);
        }
    }

    /// Ends the node: takes what has arrived, saves, and lets go of everything. Errors: a thread did not end within its
    /// time or had failed before; the first is told, the others are logged.
    pub fn end(mut self) -> Result<(), NodeError> {
        match self.threads.take() {
            Some(threads) => self.end_threads(threads),
            None => Ok(()),
        }
    }

    fn end_threads(&self, threads: Threads) -> Result<(), NodeError> {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(ssh) = threads.ssh {
            ssh.shutdown_timeout(INTERFACE_END);
        }
        // It asks others what they have counted.
        let _ended = threads.bulkstats_asks.try_send(BulkstatsAsk::End);
        let mut ends = vec![threads.bulkstats.join(END), threads.reads.end(END)];
        ends.extend(threads.workers.into_iter().map(|worker| worker.join(END)));
        // A queue of commands that is full ends with the interface's end of it.
        let _ended = threads.commands.try_send(AgentAsk::End);
        ends.push(threads.agent.join(END));
        let _ended = self.asks.send_timeout(Ask::End, END);
        ends.push(threads.control.join(END));
        // What the control thread told last is still taken.
        let _ended = threads.snmp_asks.try_send(SnmpAsk::End);
        ends.push(threads.snmp.join(END));
        ends.extend(threads.journal.map(|journal| journal.join(END)));
        // What the others logged last is still sent.
        let _ended = threads.syslog_asks.try_send(SyslogAsk::End);
        ends.push(threads.syslog.join(END));
        if let Some(metrics) = threads.metrics {
            metrics.shutdown_timeout(INTERFACE_END);
        }
        threads.interface.shutdown_timeout(INTERFACE_END);
        match fs::remove_file(&self.config.control_socket) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => event!(SOCKET_LEFT, %error),
        }
        let failed = ends.into_iter().filter_map(Result::err);
        let first = failed.inspect(|error| event!(NOT_CLEAN, %error));
        first.reduce(|first, _| first).map_or(Ok(()), Err)
    }
}

/// A node that is dropped ends as [`Running::end`] does, and tells only the log of what failed.
impl Drop for Running {
    fn drop(&mut self) {
        if let Some(threads) = self.threads.take() {
            let _logged = self.end_threads(threads);
        }
    }
}

impl Common {
    /// Binds the Gn sockets and makes what is shared; with it goes the size of the receive buffers, in bytes.
    fn new(config: Config, clock: Arc<Clock>) -> Result<(Self, usize), NodeError> {
        let address = config.gn();
        let bound = socket::bind_all(address, config.workers, config.gtp_sockets);
        let (bound, why_one) = bound.map_err(|source| NodeError::Gn { address, source })?;
        match (bound.len(), why_one) {
            (_, None) if config.workers == 1 => {}
            (sockets, None) => event!(GTP_SOCKETS, sockets),
            (_, Some(why)) => event!(GTP_ONE_SOCKET, why),
        }
        let receive_buffer_bytes = bound.iter().map(|one| one.receive_buffer_bytes).sum();
        let sockets: Vec<_> = bound.into_iter().map(|one| Arc::new(one.socket)).collect();
        let gn = sockets.first().and_then(|first| first.local_addr().ok());
        let services = u8::try_from(config.catalog.services().len()).unwrap_or(u8::MAX);
        let form = gate_form(config.gate)?;
        let gate = GateConfig {
            form,
            ..GateConfig::new(services, seats(&config))
        };
        let common = Self {
            vitals: Arc::new(Vitals::new(config.workers, clock.now().mono)),
            gate: Gate::new(gate)?,
            form,
            ring: Arc::new(RefusalRing::new(RING)),
            gn: gn.unwrap_or(address),
            latencies: Arc::new(Latencies::new(config.workers)),
            refusals: Arc::default(),
            sockets,
            clock,
            config: Arc::new(config),
        };
        Ok((common, receive_buffer_bytes))
    }
}

/// The gate's form, said once.
fn gate_form(choice: GateChoice) -> Result<Form, NodeError> {
    let chosen = choice.form(fence::asymmetric());
    let (form, why) = chosen.map_err(|why| NodeError::GateForm { why })?;
    match why {
        None => event!(GATE_FORM, form = ?fence::name(form)),
        Some(why) => event!(GATE_ATOMIC, why),
    }
    Ok(form)
}

fn bind_control(config: &Config) -> Result<UnixListener, NodeError> {
    let path = &config.control_socket;
    interface::bind(path).map_err(|source| NodeError::Control {
        path: path.clone(),
        source,
    })
}

/// Where metrics are asked for, if they are.
fn bind_metrics(config: &Config) -> Result<Option<TcpListener>, NodeError> {
    let Some(address) = config.metrics else {
        return Ok(None);
    };
    let bound = TcpListener::bind(address);
    let bound = bound.map_err(|source| NodeError::Metrics { address, source })?;
    event!(METRICS_SERVED, %address);
    Ok(Some(bound))
}

/// Where SSH is served, if it is.
fn bind_ssh(config: &Config) -> Result<Option<TcpListener>, NodeError> {
    let bind = |address| {
        let bound = TcpListener::bind(address);
        bound.map_err(|source| NodeError::Ssh { address, source })
    };
    config.ssh.listen.map(bind).transpose()
}

#[cfg(feature = "sftp")]
fn start_ssh(
    interface: Arc<Interface>,
    shells: Option<Arc<dyn Shells>>,
    runtime: Handle,
    listener: Option<TcpListener>,
) -> Result<Option<Runtime>, NodeError> {
    let (Some(shells), Some(listener)) = (shells, listener) else {
        return Ok(None);
    };
    crate::ssh::start(interface, shells, runtime, listener).map(Some)
}

/// A configuration with an address is refused.
#[cfg(not(feature = "sftp"))]
fn start_ssh(
    _: Arc<Interface>,
    _: Option<Arc<dyn Shells>>,
    _: Handle,
    _: Option<TcpListener>,
) -> Result<Option<Runtime>, NodeError> {
    Ok(None)
}

/// Our restart counter (TS 29.060 7.7.11): starts of the process modulo 256, this one included.
fn restarts(found: &Found, now: Now) -> u8 {
    match &found.clock {
        Some(clock) => clock.boots.wrapping_add(1).to_le_bytes()[0],
        // Forgotten with the clock: any other counter than the last tells peers of the restart.
        None if found.lost => now.wall.0.div_euclid(1000).to_le_bytes()[0],
        None => 1,
    }
}

fn make_control(
    common: &Common,
    store: Store,
    (serial, restored): (String, Restored),
    asks: crossbeam::channel::Receiver<Ask>,
    feed: Feed,
) -> Result<(Control, Option<Thread>), NodeError> {
    let config = &common.config;
    let now = common.clock.now();
    let machine = verdicts::Config {
        lab: config.lab,
        priority_percent: config.priority_percent,
        enabled_features: config.features,
        workers: seats(config),
        thresholds: config.thresholds,
        ..verdicts::Config::new(identity(config, &serial), Arc::clone(&config.catalog))
    };
    let (journal, writer) = match &config.journal {
        None => (Recorder::off(Arc::clone(&common.vitals)), None),
        Some(journal) => {
            let header = Header::new(&machine, &config.catalog_text, &restored, now);
            Recorder::start(journal, header, &common.vitals)?
        }
    };
    let enforcer = Enforcer::new(machine, restored, now);
    let control = Control {
        current: Arc::new(Current::new(enforcer.snapshot(now))),
        enforcer,
        gate: Arc::clone(&common.gate),
        ring: Arc::clone(&common.ring),
        refusals: Arc::clone(&common.refusals),
        keeper: Keeper::new(store),
        journal,
        clock: Arc::clone(&common.clock),
        vitals: Arc::clone(&common.vitals),
        catalog: Arc::clone(&config.catalog),
        lab: config.lab,
        smart_enable: config.smart_enable,
        asks,
        stalled: false,
        agent_stalled: false,
        snmp_stalled: false,
        bulkstats: verdicts::BulkstatsTroubles::default(),
        check: Check::default(),
        samples: Samples::default(),
        feed,
        untold: Vec::new(),
    };
    Ok((control, writer))
}

fn agent_parts(
    common: &Common,
    kept: AgentKept,
    orders: AtStart,
    current: Arc<Current>,
    control: Sender<Ask>,
    feed: Feed,
) -> Result<Parts, NodeError> {
    Ok(Parts {
        config: Arc::clone(&common.config),
        clock: Arc::clone(&common.clock),
        vitals: Arc::clone(&common.vitals),
        current,
        control,
        kept,
        orders,
        feed,
        random: random()?,
    })
}

fn identity(config: &Config, serial: &str) -> NodeIdentity {
    let product = &config.product;
    NodeIdentity {
        name: config.name.clone(),
        pid: config
            .udi_pid
            .clone()
            .unwrap_or_else(|| product.name.clone()),
        serial: config
            .udi_serial
            .clone()
            .unwrap_or_else(|| serial.to_owned()),
        product: product.name.clone(),
        product_tag: product.tag.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        catalog: config.catalog_origin,
    }
}

/// The orders that are kept, judged by the trust pool of this start, and the configuration with the catalog that they put in
/// place of its own.
fn orders_at_start(
    config: Config,
    kept: &AgentKept,
    now: Now,
) -> Result<(Config, AtStart), NodeError> {
    let roots = kept.operator_roots(&config.agent);
    let own = (config.catalog.as_ref(), &config.fits());
    let found = AtStart::judge(&kept.restored, &roots, own, config.lab.is_some(), now);
    if let Some(error) = &found.refused {
        event!(ORDERS_NOT_IN_FORCE, %error);
    }
    if let Some(error) = &found.catalog_refused {
        event!(CATALOG_NOT_IN_FORCE, %error);
    }
    let config = match &found.catalog {
        Some(ordered) => config.with_ordered(&ordered.catalog, &ordered.text)?,
        None => config,
    };
    Ok((config, found))
}

/// The serial number of the device, and what the verdicts begin with.
fn restored(found: Found, orders: &AtStart) -> (String, Restored) {
    if found.lost {
        event!(CLOCK_LOST);
    }
    if found.tampered {
        event!(STATE_ALTERED);
    }
    (
        found.serial.clone(),
        found.restored(orders.in_force.clone()),
    )
}

fn start_workers(
    common: &Common,
    plane: &Arc<PlaneConfig>,
    shared: &Arc<Shared>,
    spares: &Spares,
    asks: &Sender<Ask>,
) -> Result<(Vec<Thread>, Vec<Queue>), NodeError> {
    let workers = common.config.workers;
    let mut threads = Vec::new();
    let mut queues = Vec::new();
    for number in 0..workers {
        let gate: WorkerGate = common.gate.worker()?;
        let seat = Seat {
            worker: number,
            workers,
        };
        let (plane, shared) = (Arc::clone(plane), Arc::clone(shared));
        let now = common.clock.now();
        let plane = SessionPlane::new(plane, shared, gate, seat, random()?, now)?;
        let (queue, jobs) = Queue::new().map_err(|source| NodeError::System {
            what: "making a worker's queue",
            source,
        })?;
        let worker = Worker {
            number,
            local: common.gn,
            plane,
            // The only one, or its own.
            socket: Arc::clone(&common.sockets[usize::from(number) % common.sockets.len()]),
            outgoing: Outgoing::default(),
            jobs,
            spares: spares.clone(),
            control: asks.clone(),
            clears: VecDeque::new(),
            clock: Arc::clone(&common.clock),
            vitals: Arc::clone(&common.vitals),
            latencies: Arc::clone(&common.latencies),
            measured: 0,
        };
        threads.push(Thread::start(format!("worker {number}"), move || {
            worker.run()
        })?);
        queues.push(queue);
    }
    Ok((threads, queues))
}

/// Whoever holds permits: the workers, and after them what counts for other processes.
fn seats(config: &Config) -> u16 {
    config.workers.saturating_add(1)
}

/// Takes the seat after the workers'.
fn make_admissions(common: &Common, plane: &PlaneConfig) -> Result<Admissions, NodeError> {
    let [chance, _] = secret()?;
    Ok(Admissions::new(
        common.gate.worker()?,
        Arc::clone(&common.config.catalog),
        Arc::clone(&common.ring),
        chance % FIRST_LEASES,
        plane.recount_interval,
    ))
}

fn serve(
    interface: Arc<Interface>,
    state_dir: &Path,
    listener: UnixListener,
    shutdown: &Shutdown,
) -> Result<Runtime, NodeError> {
    let what = "starting the control interface";
    let fail = |source| NodeError::System { what, source };
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder
        .worker_threads(1)
        .max_blocking_threads(1)
        .enable_all();
    let runtime = builder.thread_name("interface").build().map_err(fail)?;
    if shutdown.watches_signals() {
        let _runtime = runtime.enter();
        watch_signals(shutdown).map_err(fail)?;
    }
    runtime.spawn(Arc::clone(&interface).watch_control());
    runtime.spawn(Arc::clone(&interface).watch_clients());
    runtime.spawn(Arc::clone(&interface).keep_counters());
    runtime.spawn(Arc::clone(&interface).keep_growth(state_dir.to_owned()));
    let router = interface::router(interface);
    runtime.spawn(async move {
        if let Err(error) = interface::serve(listener, router).await {
            event!(INTERFACE_ENDED, %error);
        }
    });
    Ok(runtime)
}

/// Triggers a shutdown on SIGTERM and on SIGINT.
fn watch_signals(shutdown: &Shutdown) -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    for kind in [SignalKind::terminate(), SignalKind::interrupt()] {
        let mut signal = signal(kind)?;
        let shutdown = shutdown.clone();
        tokio::spawn(async move {
            if signal.recv().await.is_some() {
                shutdown.trigger();
            }
        });
    }
    Ok(())
}

fn random<const N: usize>() -> Result<[u8; N], NodeError> {
    let mut bytes = [0; N];
    let filled = OsRng
        .try_fill_bytes(&mut bytes)
        .map_err(std::io::Error::other);
    let what = "asking for random numbers";
    filled.map_err(|source| NodeError::System { what, source })?;
    Ok(bytes)
}

/// Keys of the hashes of what peers choose.
fn secret() -> Result<[u64; 2], NodeError> {
    let bytes: [u8; 16] = random()?;
    let number = u128::from_le_bytes(bytes);
    Ok([(number >> 64) as u64, number as u64])
}
