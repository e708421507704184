//! Servers in processes of their own, and the CPU time that they take.

use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use node::datagrams::{Incoming, Outgoing, Wait};
use node::{Config, Running as RunningNode, Shutdown};
use tests::child::{Running, command};
use tests::node::Configuration;

/// Bound of one wait; the machine may be busy.
const LIMIT: Duration = Duration::from_secs(120);
const DATAGRAM_BYTES: usize = gtp::v1::MAX_MESSAGE_BYTES + 1;
/// Create Session Request.
const CREATE: u8 = gtp::v2::MessageType::CREATE_SESSION_REQUEST.0;

/// A server: where it listens, and its process.
#[derive(Debug)]
pub struct ServerProcess {
    /// Where.
    pub address: SocketAddr,
    /// Its process.
    pub pid: u32,
    _running: Running,
}

/// What the program is when it is a server's process: `node FILE`, or `echo ADDRESS CREATE DELETE` with the lengths of the
/// answers. None: it is the measurement itself.
pub fn part(arguments: &[String]) -> Option<Result<()>> {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        [] => None,
        ["node", file] => Some(serve_node(Path::new(file))),
        ["echo", address, create, delete] => Some(serve_echo(address, [create, delete])),
        _ => Some(bail_on(&arguments)),
    }
}

fn bail_on(arguments: &[&str]) -> Result<()> {
    bail!("{arguments:?}: no such part")
}

/// A node with one access point, `internet`, of this service.
///
/// # Errors
///
/// When it does not start.
pub fn node(folder: &Path, address: IpAddr, service: &str, workers: u16) -> Result<ServerProcess> {
    let state = folder.join(format!("node-{workers}"));
    let mut configuration = Configuration::new(SocketAddr::new(address, 0), state);
    configuration.workers = workers;
    // Answers are kept for a second: the client's numbers come again after more.
    configuration.gn = "echo_interval_s = 0\nt3_response_s = 1\nn3_requests = 1".to_owned();
    configuration.apns = format!(
        "[[pool]]\nname = \"mobiles\"\nipv4 = [\"10.0.0.0/14\"]\n\n\
         [[apn]]\nname = \"internet\"\nservice = \"{service}\"\npool = \"mobiles\"\n"
    );
    let file = configuration.write()?;
    let file = file.to_str().context("a path of another encoding")?;
    start(&["node", file])
}

/// An echo on this address, with answers of this length to a create, and to anything else.
///
/// # Errors
///
/// When it does not start.
pub fn echo(address: IpAddr, [create, delete]: [usize; 2]) -> Result<ServerProcess> {
    let (create, delete) = (create.to_string(), delete.to_string());
    start(&["echo", &address.to_string(), &create, &delete])
}

fn start(part: &[&str]) -> Result<ServerProcess> {
    let mut program = command(std::env::current_exe()?);
    let running = Running::start(part[0], program.args(part))?;
    let line = running.wait_for_line("listens ", LIMIT)?;
    let address = line.strip_prefix("listens ").context("an address")?;
    Ok(ServerProcess {
        address: address.parse()?,
        pid: running.pid(),
        _running: running,
    })
}

/// A node until it is killed.
fn serve_node(file: &Path) -> Result<()> {
    let shutdown = Shutdown::new();
    let node = RunningNode::start(Config::read(file)?, &shutdown)?;
    println!("listens {}", node.gn());
    shutdown.wait();
    node.end()?;
    Ok(())
}

/// One thread that reads and answers in batches, as a node's do, until it is killed.
fn serve_echo(address: &str, bytes: [&str; 2]) -> Result<()> {
    let bytes = [bytes[0].parse()?, bytes[1].parse()?];
    let socket = UdpSocket::bind((address, 0))?;
    println!("listens {}", socket.local_addr()?);
    let (mut incoming, mut outgoing) = (Incoming::new(DATAGRAM_BYTES), Outgoing::default());
    let mut answer = vec![0; DATAGRAM_BYTES];
    loop {
        incoming.receive(&socket, Wait::First, |peer, octets| {
            let is_create = octets.get(1) == Some(&CREATE);
            let bytes: usize = bytes[usize::from(!is_create)];
            let same = bytes.min(octets.len());
            answer[..same].copy_from_slice(&octets[..same]);
            outgoing.push(peer, &answer[..bytes]);
        })?;
        outgoing.send(&socket, |to, error| eprintln!("{to}: {error}"));
    }
}

/// CPU time that a process has used, in seconds: that of its threads. One that ends takes
/// its own along, as those of a pool do that had nothing to do.
///
/// # Errors
///
/// When there is no such process.
pub fn cpu_seconds(pid: u32) -> Result<f64> {
    let mut sum_ns = 0;
    for thread in std::fs::read_dir(format!("/proc/{pid}/task"))? {
        let text = match std::fs::read_to_string(thread?.path().join("schedstat")) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            text => text?,
        };
        let first = text.split_whitespace().next().context("no time")?;
        sum_ns += first.parse::<u64>()?;
    }
    Ok(sum_ns as f64 * 1e-9)
}
