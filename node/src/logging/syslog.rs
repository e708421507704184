//! Syslog servers: each is sent the events of its queue, by a task of the thread `syslog`.
//!
//! ```text
//! event log --Outlet--> queue --> task of the server --> UDP, TLS
//!              counts drops        connects again, tells of drops
//! ```

use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use api::{LogEntry, SyslogProtocol};
use eventlog::syslog::{frame, message};
use rustls_pki_types::ServerName;
use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket, lookup_host};
use tokio::runtime::Runtime;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{interval, sleep, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::LOG;
use super::outlet::{Outlet, Tally};
use crate::config::{Logging, SyslogServer};
use crate::error::NodeError;
use crate::transfer::Roots;
use crate::transport::{DialError, dial, resolver_said};

/// Longest time in which a server acknowledges nothing of what it was sent by TLS.
const SILENT: Duration = Duration::from_secs(30);

/// It is asked whether it is there after so long in which nothing was sent, and so often.
const PROBE_AFTER: Duration = Duration::from_secs(20);
const PROBE_EVERY: Duration = Duration::from_secs(5);

/// Longest until a connection stands, TLS included.
const CONNECT: Duration = Duration::from_secs(10);

/// Longest that a server may take until the system has room for a message.
const SEND: Duration = Duration::from_secs(10);

/// From a lost connection to the next attempt, the first time; then twice as long each time.
const AGAIN_FIRST: Duration = Duration::from_secs(1);

/// The same at most.
const AGAIN_LAST: Duration = Duration::from_secs(30);

/// A connection that stood so long was a good one.
const STEADY: Duration = Duration::from_secs(60);

/// From one look at what was dropped to the next.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// From one event about drops to the next at least.
const TELL_EVERY: Duration = Duration::from_secs(60);

/// Longest that what waits is still sent at the end.
const FAREWELL: Duration = Duration::from_secs(2);

/// Most asks that wait.
const ASKS: usize = 16;

/// Said of a connection that the server ended.
const CLOSED: &str = "the server has closed the connection";

/// What the thread is asked.
#[derive(Debug)]
pub(crate) enum SyslogAsk {
    /// Log by this from now on; told when it is in force.
    Change {
        config: Box<Logging>,
        done: oneshot::Sender<()>,
    },
    /// Send what waits, and end.
    End,
}

/// The belongings of the thread.
pub(crate) struct SyslogShell {
    host: Arc<str>,
    runtime: Runtime,
    asks: mpsc::Receiver<SyslogAsk>,
    servers: Vec<Server>,
}

/// A server that is sent events.
struct Server {
    outlet: Outlet,
    task: JoinHandle<()>,
}

impl SyslogShell {
    /// The event log is by this configuration from this return on. Errors: the system gives no runtime.
    pub(crate) fn new(
        config: &Logging,
        host: &str,
    ) -> Result<(Self, mpsc::Sender<SyslogAsk>), NodeError> {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        let runtime = builder.enable_all().max_blocking_threads(1).build();
        let what = "starting syslog";
        let runtime = runtime.map_err(|source| NodeError::System { what, source })?;
        let (asks, asked) = mpsc::channel(ASKS);
        let mut shell = Self {
            host: host.into(),
            runtime,
            asks: asked,
            servers: Vec::new(),
        };
        shell.apply(config);
        Ok((shell, asks))
    }

    /// Works until it is told to end.
    pub(crate) fn run(mut self) {
        // It is told to end, or nobody is left who could.
        while let Some(SyslogAsk::Change { config, done }) = self.runtime.block_on(self.asks.recv())
        {
            self.apply(&config);
            // Whoever asked may have given up.
            let _gone = done.send(());
        }
        LOG.state.lock().outlets.clear();
        // Without their outlets: whoever sends has to hear that nothing more comes.
        let servers = std::mem::take(&mut self.servers).into_iter();
        let tasks: Vec<_> = servers.map(|server| server.task).collect();
        let all = async {
            for task in tasks {
                let _ended = task.await;
            }
        };
        let _late = self
            .runtime
            .block_on(async { timeout(FAREWELL, all).await });
        self.runtime.shutdown_background();
    }

    /// Servers that are as they were go on; what waits for another is dropped with it.
    fn apply(&mut self, config: &Logging) {
        let mut before = std::mem::take(&mut self.servers);
        for server in &config.syslog {
            let same = before.iter().position(|other| other.outlet.is_of(server));
            let same = same.map(|place| before.swap_remove(place));
            let now = same.unwrap_or_else(|| self.start(server));
            self.servers.push(now);
        }
        let mut log = LOG.state.lock();
        log.levels = config.levels.clone();
        log.outlets = self
            .servers
            .iter()
            .map(|server| server.outlet.clone())
            .collect();
        drop(log);
        for gone in before {
            gone.task.abort();
        }
    }

    fn start(&self, server: &SyslogServer) -> Server {
        let server = Arc::new(server.clone());
        let (outlet, entries, tally) = Outlet::new(&server);
        let courier = Courier {
            server,
            host: Arc::clone(&self.host),
            tally,
        };
        let task = self.runtime.spawn(courier.work(entries));
        Server { outlet, task }
    }
}

/// Brings one server its events.
struct Courier {
    server: Arc<SyslogServer>,
    host: Arc<str>,
    tally: Arc<Tally>,
}

/// Why a connection is given up.
enum Broken {
    /// Nothing is to be sent any more.
    Over,
    /// It failed; this event was not sent, if there is one.
    Failed(String, Option<Arc<LogEntry>>),
}

type Entries = mpsc::Receiver<Arc<LogEntry>>;

impl Courier {
    async fn work(self, entries: Entries) {
        tokio::select! {
            () = self.bring(entries) => {}
            () = self.tell_drops() => {}
        }
    }

    /// Says in the log that events are dropped, at most once in [`TELL_EVERY`].
    async fn tell_drops(&self) {
        let mut looks = interval(LOOK_EVERY);
        let (mut told, mut told_at) = (0, None::<Instant>);
        loop {
            looks.tick().await;
            let dropped = self.tally.dropped();
            let silent = told_at.is_none_or(|at| at.elapsed() >= TELL_EVERY);
            if dropped > told && silent {
                event!(
                    SYSLOG_DROPPED,
                    server = self.server.address,
                    events = dropped - told
                );
                (told, told_at) = (dropped, Some(Instant::now()));
            }
        }
    }

    /// Until the queue is empty and closed.
    async fn bring(&self, mut entries: Entries) {
        let mut unsent = None;
        let mut again = AGAIN_FIRST;
        loop {
            let begun = Instant::now();
            let broken = match self.server.protocol {
                SyslogProtocol::Udp => self.by_udp(&mut entries, unsent.take()).await,
                SyslogProtocol::Tls => self.by_tls(&mut entries, unsent.take()).await,
            };
            let Broken::Failed(why, left) = broken else {
                return;
            };
            unsent = left;
            self.away(&why);
            if begun.elapsed() >= STEADY {
                again = AGAIN_FIRST;
            }
            sleep(again).await;
            again = AGAIN_LAST.min(again * 2);
        }
    }

    fn away(&self, why: &str) {
        if self.tally.away(why) {
            event!(SYSLOG_AWAY, server = self.server.address, why);
        }
    }

    fn reached(&self) {
        if self.tally.reached() {
            event!(SYSLOG_REACHED, server = self.server.address);
        }
    }

    fn message(&self, entry: &LogEntry) -> String {
        message(entry, self.server.facility, &self.host)
    }

    async fn by_udp(&self, entries: &mut Entries, unsent: Option<Arc<LogEntry>>) -> Broken {
        let socket = match timeout(CONNECT, self.open_udp()).await {
            Ok(Ok(socket)) => socket,
            Ok(Err(why)) => return Broken::Failed(why, unsent),
            Err(_) => return Broken::Failed("its name was not found in time".into(), unsent),
        };
        let mut unsent = unsent;
        loop {
            let Some(entry) = next(&mut unsent, entries).await else {
                return Broken::Over;
            };
            let message = self.message(&entry);
            let mut sent = socket.send(message.as_bytes()).await;
            match &sent {
                Ok(_) => self.reached(),
                // It is of a datagram before: nobody listens there.
                Err(error) if error.kind() == ErrorKind::ConnectionRefused => {
                    self.tally.drop_one();
                    self.away(&said(error));
                    sent = socket.send(message.as_bytes()).await;
                }
                Err(_) => {}
            }
            match sent {
                Ok(_) => self.tally.send_one(),
                Err(error) => return Broken::Failed(said(&error), Some(entry)),
            }
        }
    }

    async fn open_udp(&self) -> Result<UdpSocket, String> {
        let place = (self.server.address.as_str(), self.server.port);
        let found = lookup_host(place).await;
        let mut found = found.map_err(|error| resolver_said(&error))?;
        let to = found.next().ok_or("it has no address")?;
        let any: SocketAddr = match to {
            SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
            SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
        };
        let socket = UdpSocket::bind(any).await.map_err(|error| said(&error))?;
        socket.connect(to).await.map_err(|error| said(&error))?;
        Ok(socket)
    }

    async fn by_tls(&self, entries: &mut Entries, unsent: Option<Arc<LogEntry>>) -> Broken {
        let mut stream = match timeout(CONNECT, self.open_tls()).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(why)) => return Broken::Failed(why, unsent),
            Err(_) => return Broken::Failed("no connection in time".into(), unsent),
        };
        self.reached();
        let mut unsent = unsent;
        loop {
            let mut octet = [0; 1];
            let entry = tokio::select! {
                biased;
                // A server has nothing to say.
                read = stream.read(&mut octet) => {
                    let why = match read {
                        Ok(0) => CLOSED.to_owned(),
                        Ok(_) => "the server sends something".to_owned(),
                        Err(error) => said(&error),
                    };
                    return Broken::Failed(why, unsent);
                }
                entry = next(&mut unsent, entries) => entry,
            };
            let Some(entry) = entry else {
                // Whether or not it hears that.
                let _gone = timeout(SEND, stream.shutdown()).await;
                return Broken::Over;
            };
            let octets = frame(&self.message(&entry));
            let sending = async {
                stream.write_all(&octets).await?;
                stream.flush().await
            };
            let why = match timeout(SEND, sending).await {
                Ok(Ok(())) => {
                    self.tally.send_one();
                    continue;
                }
                Ok(Err(error)) => said(&error),
                Err(_) => "the server takes nothing".to_owned(),
            };
            return Broken::Failed(why, Some(entry));
        }
    }

    async fn open_tls(&self) -> Result<TlsStream<TcpStream>, String> {
        let SyslogServer {
            address,
            port,
            roots,
            ..
        } = &*self.server;
        let roots = Roots::parse(roots).map_err(|error| error.to_string())?;
        let name = ServerName::try_from(address.clone()).map_err(|error| error.to_string())?;
        let stream = dial(address, *port).await.map_err(|error| match error {
            DialError::Unresolved(why) | DialError::Unreachable(why) => why,
        })?;
        ends_when_silent(&stream).map_err(|error| said(&error))?;
        let connector = TlsConnector::from(roots.config());
        let shaken = connector.connect(name, stream).await;
        shaken.map_err(|error| said(&error))
    }
}

/// A connection whose other end acknowledges nothing for so long has ended, also when nothing is sent on it.
fn ends_when_silent(stream: &TcpStream) -> io::Result<()> {
    let socket = SockRef::from(stream);
    let keepalive = TcpKeepalive::new()
        .with_time(PROBE_AFTER)
        .with_interval(PROBE_EVERY);
    socket.set_tcp_keepalive(&keepalive)?;
    socket.set_tcp_user_timeout(Some(SILENT))
}

/// What was not sent, or else what comes next; none: nothing comes any more.
async fn next(unsent: &mut Option<Arc<LogEntry>>, entries: &mut Entries) -> Option<Arc<LogEntry>> {
    match unsent.take() {
        Some(entry) => Some(entry),
        None => entries.recv().await,
    }
}

/// What the system, or TLS, says, without a number.
fn said(error: &io::Error) -> String {
    match (error.kind(), error.get_ref()) {
        (ErrorKind::UnexpectedEof, _) => CLOSED.to_owned(),
        (_, Some(inner)) => inner.to_string(),
        (kind, None) => kind.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn a_connection_ends_when_its_other_end_is_silent() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).await;
        let stream = stream.unwrap();
        ends_when_silent(&stream).unwrap();
        let socket = SockRef::from(&stream);
        assert!(socket.keepalive().unwrap());
        assert_eq!(socket.tcp_keepalive_time().unwrap(), PROBE_AFTER);
        assert_eq!(socket.tcp_keepalive_interval().unwrap(), PROBE_EVERY);
        assert_eq!(socket.tcp_user_timeout().unwrap(), Some(SILENT));
    }
}
