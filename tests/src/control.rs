//! A client of the node's control socket: HTTP/1.1 written out by hand, so that a test may also say it wrong.

use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use api::{
    AgentView, AlarmView, Answer, BulkstatsCommand, BulkstatsStatus, Health, LicenseCommand,
    PeerList, REQUEST_PATH, Reply, Request, SessionSummary, SnmpView,
};
use licensing::{RefusalRecord, Snapshot};

use crate::wait::eventually;

/// The node answers within its own bound, which is shorter.
const LIMIT: Duration = Duration::from_secs(120);

/// The control API of one node.
#[derive(Clone, Debug)]
pub struct Control {
    socket: PathBuf,
}

/// An HTTP response.
#[derive(Debug)]
pub struct Response {
    /// Status code.
    pub status: u16,
    /// The body.
    pub body: String,
}

impl Control {
    /// The API behind this socket.
    pub fn new(socket: impl Into<PathBuf>) -> Self {
        Self {
            socket: socket.into(),
        }
    }

    /// Where the socket is.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// Sends a request line's method and path with a body.
    pub fn http(&self, method: &str, path: &str, body: &str) -> Result<Response> {
        let length = body.len();
        self.raw(
            format!(
                "{method} {path} HTTP/1.1\r\nHost: node\r\nConnection: close\r\n\
                 Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
            )
            .as_bytes(),
        )
    }

    /// Sends octets and reads the response to its end.
    pub fn raw(&self, request: &[u8]) -> Result<Response> {
        let socket = &self.socket;
        let mut stream =
            UnixStream::connect(socket).with_context(|| format!("connect {socket:?}"))?;
        stream.set_read_timeout(Some(LIMIT))?;
        stream.write_all(request)?;
        let mut response = Vec::new();
        match stream.read_to_end(&mut response) {
            // It answered, and closed before it had read all of a request that is too long.
            Err(error) if error.kind() == ErrorKind::ConnectionReset && !response.is_empty() => {}
            read => drop(read?),
        }
        Response::read(&String::from_utf8(response)?)
    }

    /// Asks; a failure is an error.
    pub fn ask(&self, request: &Request) -> Result<Reply> {
        let response = self.http("POST", REQUEST_PATH, &serde_json::to_string(request)?)?;
        let answer = serde_json::from_str(&response.body);
        match answer.with_context(|| format!("{request:?} was answered {response:?}"))? {
            Answer::Reply(reply) => Ok(reply),
            Answer::Failure(failure) => Err(anyhow!("{}: {failure}", response.status)),
        }
    }

    /// The node at this instant. Where a busy machine keeps the control thread from answering in time, the node gives its
    /// last snapshot, which says nothing of this instant: it is asked again.
    pub fn snapshot(&self) -> Result<Snapshot> {
        eventually("a snapshot of this instant", LIMIT, || {
            let Reply::Snapshot {
                snapshot, stalled, ..
            } = self.ask(&Request::Snapshot)?
            else {
                bail!("a snapshot was asked for, another reply came");
            };
            Ok((!stalled).then_some(*snapshot))
        })
    }

    /// The newest refusals, at most a thousand.
    pub fn history(&self) -> Result<Vec<RefusalRecord>> {
        let Reply::History { refusals } = self.ask(&Request::History { limit: 1_000 })? else {
            bail!("history was asked for, another reply came");
        };
        Ok(refusals)
    }

    /// Sessions and messages.
    pub fn sessions(&self) -> Result<SessionSummary> {
        let Reply::Sessions { sessions } = self.ask(&Request::Sessions)? else {
            bail!("sessions were asked for, another reply came");
        };
        Ok(*sessions)
    }

    /// The first peers, at most so many.
    pub fn peers(&self, limit: u32) -> Result<PeerList> {
        let Reply::Peers { peers } = self.ask(&Request::Peers { offset: 0, limit })? else {
            bail!("peers were asked for, another reply came");
        };
        Ok(peers)
    }

    /// How the node is.
    pub fn health(&self) -> Result<Health> {
        let Reply::Health { health } = self.ask(&Request::Health)? else {
            bail!("health was asked for, another reply came");
        };
        Ok(*health)
    }

    /// The Smart Agent, and the node at the same instant.
    pub fn agent(&self) -> Result<(Snapshot, AgentView)> {
        let Reply::Agent {
            snapshot, agent, ..
        } = self.ask(&Request::Agent)?
        else {
            bail!("the agent was asked for, another reply came");
        };
        Ok((*snapshot, *agent))
    }

    /// Alarms, and the node at the same instant.
    pub fn alarms(&self) -> Result<(Snapshot, AlarmView)> {
        eventually("alarms of this instant", LIMIT, || {
            let Reply::Alarms {
                snapshot,
                stalled,
                alarms,
                ..
            } = self.ask(&Request::Alarms)?
            else {
                bail!("alarms were asked for, another reply came");
            };
            Ok((!stalled).then_some((*snapshot, alarms)))
        })
    }

    /// SNMP with at most so many notifications, and the node.
    pub fn snmp(&self, history: u32) -> Result<(Snapshot, SnmpView)> {
        let Reply::Snmp { snapshot, snmp, .. } = self.ask(&Request::Snmp { history })? else {
            bail!("SNMP was asked for, another reply came");
        };
        Ok((*snapshot, *snmp))
    }

    /// Bulk statistics.
    pub fn bulkstats(&self) -> Result<BulkstatsStatus> {
        let Reply::Bulkstats { bulkstats } = self.ask(&Request::Bulkstats)? else {
            bail!("bulk statistics were asked for, another reply came");
        };
        Ok(*bulkstats)
    }

    /// Has something done with bulk statistics.
    pub fn bulkstats_do(&self, command: BulkstatsCommand) -> Result<()> {
        self.change(&Request::BulkstatsDo { command }).map(drop)
    }

    /// Has the Smart Agent do something.
    pub fn license(&self, command: LicenseCommand) -> Result<()> {
        self.change(&Request::License(command)).map(drop)
    }

    /// What is said of a command that the Smart Agent can't do, without its status.
    pub fn unlicensed(&self, command: LicenseCommand) -> Result<String> {
        let error = self.license(command).err();
        let said = error.context("it was not to be done")?.to_string();
        let (_, said) = said.split_once(": ").context("a status")?;
        Ok(said.to_owned())
    }

    /// Asks for a change; true if it made a difference.
    pub fn change(&self, request: &Request) -> Result<bool> {
        let Reply::Done { changed } = self.ask(request)? else {
            bail!("a change was asked for, another reply came");
        };
        Ok(changed)
    }
}

impl Response {
    fn read(text: &str) -> Result<Self> {
        let (head, body) = text
            .split_once("\r\n\r\n")
            .with_context(|| format!("no HTTP response: {text:?}"))?;
        let status = head.split(' ').nth(1).context("a status line has a code")?;
        Ok(Self {
            status: status.parse()?,
            body: body.to_owned(),
        })
    }
}
