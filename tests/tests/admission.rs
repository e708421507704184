//! Processes that run calls of their own and count them through a node's admission API, with the real binary.
#![forbid(unsafe_code)]

use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use admission_client::{Client, ClientError};
use anyhow::{Context, Result, bail, ensure};
use api::{BatchOperation, CallClass, CallKind, ClientRequest, Reply, Request};
use licensing::RefusalReason;
use licensing::snapshot::Snapshot;
use tests::child::{Running, command};
use tests::control::Control;
use tests::gateway::{Gateway, Site};
use tests::node::Node;
use tests::sgsn::Call;
use tests::tollgate::mme_process;
use tests::wait::{eventually, until};

/// A node does in far less what is waited for; the machine may be busy.
const LIMIT: Duration = Duration::from_secs(120);
/// Longer than a busy machine holds a test up.
const LEASE: Duration = Duration::from_secs(300);

fn classes() -> Vec<CallClass> {
    let class = |service: &str, kind| CallClass {
        service: service.to_owned(),
        features: Vec::new(),
        kind,
    };
    vec![
        class("MME", CallKind::Ordinary),
        class("ePDG", CallKind::Ordinary),
        class("MME", CallKind::Emergency),
    ]
}

fn open(node: &Node) -> Result<Client> {
    let socket = node.control().socket();
    Ok(Client::open(socket, "mme-1", LEASE, classes())?)
}

/// Licensed sessions of a service.
fn licensed(snapshot: &Snapshot, service: &str) -> Result<u32> {
    let mut rows = snapshot.services.iter();
    let row = rows.find(|row| row.tag.name == service);
    Ok(row.context("a service of the catalog")?.sessions.0)
}

/// Waits for a recount that found so many sessions, and no drift.
fn recounted(control: &Control, sessions: u64) -> Result<()> {
    until("a recount finds them all", LIMIT, || {
        let recount = control.snapshot()?.recount;
        let Some(recount) = recount.filter(|recount| recount.sessions == sessions) else {
            return Ok(false);
        };
        ensure!(recount.drift == 0, "{recount:?}");
        Ok(true)
    })
}

/// How long the lease of `mme-2` goes on; not at all if the machine stood still for as long as that.
fn lease_left(control: &Control) -> Result<Duration> {
    let clients = control.sessions()?.clients;
    let of = clients.iter().find(|row| row.client == "mme-2");
    Ok(of.map_or(Duration::ZERO, |row| {
        Duration::from_millis(row.lease_left_ms)
    }))
}

fn ended_with_lease(control: &Control) -> Result<u64> {
    let ended = control.sessions()?.ended;
    let mut rows = ended.iter();
    let row = rows.find(|row| row.reason == "its client's lease ran out");
    Ok(row.map_or(0, |row| row.sessions))
}

/// Sessions of a killed process come back once, after its lease; those of others stay.
//= L13
//= L14
#[test]
fn a_killed_process_gives_its_sessions_back_after_its_lease() -> Result<()> {
    // It may have to be built, which takes longer than a lease.
    let mut command = command(mme_process()?);
    let gateway = Gateway::plain()?;
    let node = gateway.node()?;
    let mut living = open(node)?;
    ensure!(living.admit(0, 7)?.done == 7);
    let socket = node.control().socket();
    command.arg(socket).args(["2500", "15000", "mme-2"]);
    let mme = Running::start("mme_process", &mut command)?;
    mme.wait_for_line("mme-2 holds 2500 sessions", LIMIT)?;
    recounted(node.control(), 2_507)?;
    assert_eq!(licensed(&node.control().snapshot()?, "MME")?, 2_507);
    let shown = node.cli("show session summary")?.log();
    ensure!(shown.contains("mme-2"), "{shown}");
    mme.kill()?;
    let (killed, left) = (Instant::now(), lease_left(node.control())?);
    until("the lease runs out", LIMIT, || {
        Ok(ended_with_lease(node.control())? > 0)
    })?;
    assert!(killed.elapsed() >= left, "not before its lease");
    recounted(node.control(), 7)?;
    assert_eq!(ended_with_lease(node.control())?, 2_500);
    assert_eq!(licensed(&node.control().snapshot()?, "MME")?, 7);
    assert_eq!(living.heartbeat()?, LEASE);
    living.close()?;
    recounted(node.control(), 0)?;
    assert_eq!(node.control().health()?.permits_dropped, 0);
    Ok(())
}

/// A service of clients has its own ceiling; what is refused is in the history, and an emergency is not refused.
//= L8
//= L17
#[test]
fn a_ceiling_binds_calls_of_other_processes() -> Result<()> {
    let mut gateway = Gateway::in_evaluation(20)?;
    let mut client = open(gateway.node()?)?;
    let outcome = client.admit(0, 23)?;
    let refused = outcome.refused.context("above the ceiling")?;
    assert_eq!((outcome.done, refused.calls), (20, 3));
    assert_eq!(refused.reason, RefusalReason::AtCeiling);
    assert_eq!((refused.sessions, refused.ceiling), (20, Some(20)));
    assert_eq!(client.admit(1, 4)?.done, 4, "ePDG has a ceiling of its own");
    assert_eq!(client.admit(2, 5)?.done, 5, "emergency");
    gateway.sgsn.create(&Call::new(1, "internet"))?;
    let control = gateway.node()?.control();
    recounted(control, 30)?;
    let history = control.history()?;
    assert_eq!(history.len(), 3);
    ensure!(
        history.iter().all(|record| record.apn == "mme-1"),
        "{history:?}"
    );
    let summary = control.sessions()?;
    assert_eq!((summary.sessions, summary.emergency), (30, 5));
    client.release(0, 1)?;
    assert_eq!(client.admit(0, 2)?.done, 1);
    assert_eq!(client.holds(), [20, 4, 5]);
    Ok(())
}

/// A node that was killed knows no lease; what lives is counted again, above the ceiling too.
//= L7
//= L9
#[test]
fn a_client_restores_what_lives_after_the_node_was_killed() -> Result<()> {
    let mut gateway = Gateway::in_evaluation(20)?;
    let mut client = open(gateway.node()?)?;
    assert_eq!(client.admit(0, 18)?.done, 18);
    assert_eq!(client.admit(2, 3)?.done, 3);
    gateway.crash_and_restart()?;
    let node = gateway.node()?;
    let mut other = Client::open(node.control().socket(), "mme-2", LEASE, classes())?;
    assert_eq!(other.admit(0, 6)?.done, 6);
    let forgotten = client.admit(0, 1);
    let Err(ClientError::UnknownLease(_)) = forgotten else {
        bail!("the node has forgotten: {forgotten:?}");
    };
    client.reopen()?;
    recounted(node.control(), 27)?;
    assert_eq!(licensed(&node.control().snapshot()?, "MME")?, 24);
    assert_eq!(client.admit(0, 1)?.done, 0, "debt");
    client.release(0, 5)?;
    assert_eq!(client.admit(0, 2)?.done, 1);
    assert_eq!(client.holds(), [14, 0, 3]);
    recounted(node.control(), 23)?;
    Ok(())
}

/// The control thread's stall holds no client up, as it holds no call up; a batch whose answer was lost is done once.
//= L13
#[test]
fn a_stalled_control_thread_holds_no_client_up() -> Result<()> {
    let site = Site::new()?;
    let configuration = site.configuration();
    let config = node::Config::read(&configuration.write()?)?;
    let running = node::Running::start(config, &node::Shutdown::new())?;
    let control = Control::new(configuration.control_socket());
    let pause = running.pause_control().context("it can be paused")?;
    eventually("it is seen to stall", LIMIT, || {
        Ok(control.health()?.control_stalled.then_some(()))
    })?;
    let lease = ask(
        control.socket(),
        ClientRequest::Open {
            name: "mme-1".to_owned(),
            instance: 1,
            lease_ms: 60_000,
            classes: classes(),
        },
    )?;
    let batch = || ClientRequest::Batch {
        lease: lease.lease,
        sequence: 1,
        operation: BatchOperation::Admit,
        class: 0,
        calls: 9,
    };
    let first = ask(control.socket(), batch())?;
    let again = ask(control.socket(), batch())?;
    assert_eq!((first.holds.clone(), &first), (vec![9, 0, 0], &again));
    drop(pause);
    recounted(&control, 9)?;
    running.end()?;
    assert_eq!(enforcer::gate::permits_dropped(), 0);
    Ok(())
}

fn ask(socket: &Path, request: ClientRequest) -> Result<api::ClientLease> {
    let reply = Control::new(socket).ask(&Request::Client(request))?;
    let Reply::Lease { lease } = reply else {
        bail!("a lease was asked for, another reply came");
    };
    Ok(lease)
}

/// What breaks off is done once, or taken back: after a lost answer the same request is sent again; after two, an
/// admission is undone and a release completed before the next request.
//= L13
#[test]
fn a_lost_answer_leaks_nothing() -> Result<()> {
    let gateway = Gateway::plain()?;
    let control = gateway.node()?.control();
    let relay = Relay::start(
        gateway.site().dir().join("relay.sock"),
        control.socket().to_owned(),
    )?;
    let mut client = Client::open(&relay.socket, "mme-1", LEASE, classes())?;
    relay.lose(1);
    assert_eq!(client.admit(0, 9)?.done, 9);
    recounted(control, 9)?;
    relay.lose(2);
    let lost = client.admit(0, 30);
    ensure!(matches!(lost, Err(ClientError::Unreachable(_))), "{lost:?}");
    recounted(control, 39)?;
    assert_eq!(client.admit(0, 1)?.done, 1);
    assert_eq!(client.holds(), [10, 0, 0]);
    recounted(control, 10)?;
    relay.lose(2);
    let lost = client.release(0, 4);
    ensure!(matches!(lost, Err(ClientError::Unreachable(_))), "{lost:?}");
    client.heartbeat()?;
    assert_eq!(client.holds(), [6, 0, 0]);
    recounted(control, 6)
}

/// Between client and node: it loses as many answers as it is told to.
struct Relay {
    socket: PathBuf,
    lost: Arc<Mutex<u32>>,
}

impl Relay {
    fn start(socket: PathBuf, node: PathBuf) -> Result<Self> {
        let listener = UnixListener::bind(&socket)?;
        let lost = Arc::new(Mutex::new(0));
        let losing = Arc::clone(&lost);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // A connection that breaks off is what the client sees then, too.
                drop(pass(stream, &node, &losing));
            }
        });
        Ok(Self { socket, lost })
    }

    fn lose(&self, answers: u32) {
        *self.lost.lock().unwrap_or_else(PoisonError::into_inner) = answers;
    }
}

/// Passes one request on, and its answer back unless it is to be lost.
fn pass(mut client: UnixStream, node: &Path, lost: &Mutex<u32>) -> Result<()> {
    let mut request = Vec::new();
    let mut piece = [0; 4096];
    while !is_whole(&request) {
        let read = client.read(&mut piece)?;
        ensure!(read > 0, "the client went away");
        request.extend_from_slice(&piece[..read]);
    }
    let mut node = UnixStream::connect(node)?;
    node.write_all(&request)?;
    let mut answer = Vec::new();
    node.read_to_end(&mut answer)?;
    let mut lost = lost.lock().unwrap_or_else(PoisonError::into_inner);
    if *lost > 0 {
        *lost -= 1;
    } else {
        client.write_all(&answer)?;
    }
    Ok(())
}

/// A request that ends with its JSON.
fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let body = text.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    serde_json::from_str::<Request>(body).is_ok()
}
