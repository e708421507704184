//! The demo's node: a child process of the same executable, in a directory of its own, ended on every way out; it ends by
//! itself if the demo is killed.

use std::fs::{self, File};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use api::{Failure, Health, Reply, Request};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::client::Client;
use crate::interrupt::Interrupt;

/// Longest wait for the node's first answer.
const READY_WAIT: Duration = Duration::from_secs(60);

/// Longest wait for the node to save its state and end.
const END_WAIT: Duration = Duration::from_secs(60);

/// Hosts of a network whose last octet is neither 0 nor 255.
const HOSTS: u32 = 254;

/// How often a wait looks.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Its log.
const LOG: &str = "node.log";

/// Lines of the log that are shown when it failed.
const TAIL_LINES: usize = 20;

/// A node, its directory and its addresses.
#[derive(Debug)]
pub struct Child {
    pid: Pid,
    exit: Receiver<io::Result<ExitStatus>>,
    status: Option<ExitStatus>,
    directory: Directory,
    /// While it is open the node runs.
    _stdin: Option<ChildStdin>,
    /// Who is where.
    pub addresses: Addresses,
}

/// The addresses of a demo, all on loopback.
#[derive(Clone, Copy, Debug)]
pub struct Addresses {
    /// Where the node takes GTP-C.
    pub gn: SocketAddr,
    /// Those of its peers.
    pub peers: [Ipv4Addr; 3],
    /// Where its license authority is to be.
    pub authority: SocketAddr,
}

/// Where the node keeps what it writes.
#[derive(Debug)]
enum Directory {
    /// Removed at the end.
    Temporary(TempDir),
    /// The user's.
    Kept(PathBuf),
}

impl Child {
    /// Starts it, in this directory if one is given; it does not answer yet.
    pub fn start(keep: Option<&Path>) -> Result<Self, Failure> {
        let directory = directory(keep).map_err(|error| cannot("make a directory", &error))?;
        let addresses = addresses().map_err(|error| cannot("take a port", &error))?;
        let config = directory.path().join("tollgate.toml");
        fs::write(&config, configuration(&addresses))
            .map_err(|error| cannot("write the configuration", &error))?;
        let cannot_start = |error| cannot("start the node", &error);
        let mut process = spawn(&config, &directory.path().join(LOG)).map_err(cannot_start)?;
        let stdin = process.stdin.take();
        let (pid, exit) = watched(process).map_err(cannot_start)?;
        Ok(Self {
            pid,
            exit,
            status: None,
            directory,
            _stdin: stdin,
            addresses,
        })
    }

    /// Where it writes its journal.
    pub fn journal(&self) -> PathBuf {
        self.directory.path().join("state").join("journal.jsonl")
    }

    /// Where its license authority is to keep its state.
    pub fn authority_dir(&self) -> PathBuf {
        self.directory.path().join("authority")
    }

    /// The client of its control socket.
    pub fn client(&self) -> Client {
        Client::new(self.directory.path().join("control.sock"))
    }

    /// Its configuration, as it was written.
    pub fn configuration(&self) -> String {
        configuration(&self.addresses)
    }

    /// Waits until it answers.
    pub fn ready(&mut self, interrupt: &Interrupt) -> Result<Box<Health>, Failure> {
        let end = Instant::now() + READY_WAIT;
        loop {
            if let Ok(Reply::Health { health }) = self.client().ask(&Request::Health) {
                return Ok(health);
            }
            if let Some(status) = self.ended() {
                let what = format!("the demo's node ended at once: {status}");
                return Err(Failure::new(what, "node", "see its log above"));
            }
            if Instant::now() > end {
                let what = "the demo's node does not answer";
                return Err(Failure::new(what, "node", "see its log above"));
            }
            if interrupt.wait(LOOK_EVERY) {
                return Err(super::interrupted());
            }
        }
    }

    /// The last lines of its log.
    pub fn log_tail(&self) -> String {
        let log = fs::read_to_string(self.directory.path().join(LOG)).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        let from = lines.len().saturating_sub(TAIL_LINES);
        lines[from..].join("\n")
    }

    /// Its exit status, if it has ended.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.ended_within(Duration::ZERO)
    }

    fn ended_within(&mut self, wait: Duration) -> Option<ExitStatus> {
        if self.status.is_none() {
            let told = self.exit.recv_timeout(wait);
            self.status = told.ok().and_then(Result::ok);
        }
        self.status
    }

    /// Asks it to save its state and end; waits, and kills it if that takes too long.
    pub fn end(&mut self) -> Option<ExitStatus> {
        for signal in [Signal::TERM, Signal::KILL] {
            if self.ended().is_some() {
                break;
            }
            // It may have ended in between; the wait sees that.
            let _ = kill_process(self.pid, signal);
            self.ended_within(END_WAIT);
        }
        self.status
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.end();
    }
}

impl Directory {
    fn path(&self) -> &Path {
        match self {
            Self::Temporary(directory) => directory.path(),
            Self::Kept(path) => path,
        }
    }
}

/// A directory, short enough for the path of a Unix socket in it.
fn directory(keep: Option<&Path>) -> io::Result<Directory> {
    const PATH_BYTES_MAX: usize = 60;
    if let Some(keep) = keep {
        fs::create_dir(keep)?;
        let path = keep.canonicalize()?;
        if path.as_os_str().len() > PATH_BYTES_MAX {
            let long = format!("{} has more than {PATH_BYTES_MAX} letters", path.display());
            return Err(io::Error::other(long));
        }
        return Ok(Directory::Kept(path));
    }
    let mut builder = tempfile::Builder::new();
    builder.prefix("tollgate-demo-");
    let mut place = std::env::temp_dir();
    if place.as_os_str().len() > PATH_BYTES_MAX {
        place = PathBuf::from("/tmp");
    }
    builder.tempdir_in(place).map(Directory::Temporary)
}

/// In a process group of its own, so that Ctrl-C reaches the demo alone, which then ends the node.
fn spawn(config: &Path, log: &Path) -> io::Result<std::process::Child> {
    let log = File::create(log)?;
    Command::new(std::env::current_exe()?)
        .args(["node", "--until-stdin-closes", "--config"])
        .arg(config)
        .stdin(Stdio::piped())
        .stdout(log.try_clone()?)
        .stderr(log)
        .process_group(0)
        .spawn()
}

/// The process's number, and where its exit status comes to.
fn watched(
    mut process: std::process::Child,
) -> io::Result<(Pid, Receiver<io::Result<ExitStatus>>)> {
    let number = i32::try_from(process.id()).ok().and_then(Pid::from_raw);
    let pid = number.ok_or_else(|| io::Error::other("a process number out of range"))?;
    let (told, exit) = mpsc::sync_channel(1);
    let wait = move || {
        // Nobody listens any more once the demo gave it up.
        let _ = told.send(process.wait());
    };
    std::thread::Builder::new()
        .name("node-exit".to_owned())
        .spawn(wait)?;
    Ok((pid, exit))
}

/// Free ports on loopback addresses that follow from our process number, and neighbours for the peers.
fn addresses() -> io::Result<Addresses> {
    let number = std::process::id();
    let [.., high] = (number / HOSTS).to_be_bytes();
    let [.., low] = (number % HOSTS + 1).to_be_bytes();
    let neighbour = |net| Ipv4Addr::new(127, net, high, low);
    Ok(Addresses {
        gn: UdpSocket::bind((neighbour(80), 0))?.local_addr()?,
        peers: [81, 82, 83].map(neighbour),
        authority: TcpListener::bind((neighbour(84), 0))?.local_addr()?,
    })
}

fn configuration(addresses: &Addresses) -> String {
    let Addresses { gn, authority, .. } = addresses;
    format!(
        r#"[node]
name = "demo"
state_dir = "state"
workers = 2

[control]
socket = "control.sock"

[gn]
listen = "{gn}"
echo_interval_s = 0

[[pool]]
name = "subscribers"
ipv4 = ["10.64.0.0/16"]

[[apn]]
name = "internet"
service = "GGSN"
pool = "subscribers"

[[apn]]
name = "sos"
service = "GGSN"
pool = "subscribers"
emergency = true

[[apn]]
name = "*"
service = "PGW"
pool = "subscribers"

[[apn]]
name = "patient"
service = "PGW"
pool = "subscribers"
backoff_s = 120

[[apn]]
name = "*"
service = "SAEGW"
pool = "subscribers"

[agent]
authority = "https://{authority}"
first_use = "trust"
report_usage_s = 1
ooc_retry_s = 1

[journal]
enabled = true

[lab]
speedup = 1
"#
    )
}

fn cannot(what: &str, error: &io::Error) -> Failure {
    Failure::new(
        format!("can't {what}: {error}"),
        "demo",
        "free what is missing and run it again",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_configuration_is_one_that_a_node_takes() {
        let addresses = addresses().unwrap();
        let text = configuration(&addresses);
        let config = node::config::Config::parse(&text, "demo.toml".as_ref()).unwrap();
        assert_eq!(config.gn(), addresses.gn);
        assert!(config.agent.trust_first);
        assert!(config.lab.is_some());
    }
}
