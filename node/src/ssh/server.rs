//! Connections: how many, how long they may take to log in, and their end.

use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use russh::keys::HashAlg;
use russh::server::{Config, RunningSession, run_stream};
use russh::{MethodKind, MethodSet};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio::runtime::{Handle, Runtime};
use tokio::time::{sleep, timeout};

use super::held::{Held, Hold};
use super::key::host_key;
use super::strangers::{Stranger, Strangers};
use super::visit::Keys;
use super::visitor::Visitor;
use super::{Session, Shells};
use crate::access::{Line, Who};
use crate::error::NodeError;
use crate::interface::Interface;

/// Longest time until somebody has logged in.
const LOGIN: Duration = Duration::from_secs(60);

/// Longest time until a client has said what it is.
const HELLO: Duration = Duration::from_secs(20);

/// Logins that fail, on one connection.
const ATTEMPTS_MAX: usize = 6;

/// How long the answer to a failed login takes at least, so that it tells nothing by its time.
const REJECTION: Duration = Duration::from_secs(1);

/// How long a client that left a held connection may not be noticed.
const LOOKS: Duration = Duration::from_secs(1);

/// Pause after a failed accept, so that a lasting error does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Bytes that a client may send ahead on a channel.
const WINDOW_BYTES: u32 = 32 * 1024;

/// Passwords that are looked at at once: each takes 19 MiB and a core for some tens of milliseconds.
const HASHES_MAX: usize = 2;

/// What connections have in common.
pub(crate) struct Server {
    pub(super) interface: Arc<Interface>,
    pub(super) shells: Arc<dyn Shells>,
    /// The runtime of the interface.
    runtime: Handle,
    strangers: Arc<Strangers<Arc<Ends>>>,
    /// When it was last said that there is no room.
    told: Mutex<Option<Instant>>,
}

/// How often that is said at most.
const TELL_EVERY: Duration = Duration::from_secs(60);

/// Ends a connection, whatever its task waits for.
#[derive(Debug)]
pub(super) struct Ends {
    stream: TcpStream,
    pub(super) hold: Arc<Hold>,
    /// Until somebody has logged in, or the connection has ended.
    stranger: Mutex<Option<Stranger<Arc<Self>>>>,
}

impl Ends {
    pub(super) fn end(&self) {
        // The client may have ended it.
        let _ended = self.stream.shutdown(Shutdown::Both);
        self.hold.end();
    }

    /// Somebody has: it takes no place of a stranger.
    pub(super) fn has_logged_in(&self) {
        drop(self.stranger.lock().take());
    }

    /// Ends it when the client has, of a connection that is held: nobody reads there that it has.
    async fn watch(&self) {
        loop {
            sleep(LOOKS).await;
            if self.hold.is_held() && self.has_left() {
                return self.end();
            }
        }
    }

    fn has_left(&self) -> bool {
        let mut polled = [PollFd::new(&self.stream, PollFlags::RDHUP)];
        // Errors of the connection are told without being asked for.
        matches!(poll(&mut polled, Some(&Timespec::default())), Ok(1..))
    }
}

/// The ways in.
pub(super) fn methods() -> MethodSet {
    MethodSet::from(&[MethodKind::PublicKey, MethodKind::Password][..])
}

/// Serves connections until the runtime ends. Errors: the host key can't be had, or the system gives no runtime.
pub(crate) fn start(
    interface: Arc<Interface>,
    shells: Arc<dyn Shells>,
    runtime: Handle,
    listener: TcpListener,
) -> Result<Runtime, NodeError> {
    let what = "starting SSH";
    let fail = |source| NodeError::System { what, source };
    let accounts = Arc::clone(&interface.accounts);
    let key = host_key(&interface.config.state_dir)?;
    let fingerprint = key.public_key().fingerprint(HashAlg::Sha256).to_string();
    let address = listener.local_addr().map_err(fail)?;
    listener.set_nonblocking(true).map_err(fail)?;
    let config = Arc::new(Config {
        methods: methods(),
        auth_rejection_time: REJECTION,
        auth_rejection_time_initial: Some(Duration::ZERO),
        keys: vec![key],
        window_size: WINDOW_BYTES,
        max_auth_attempts: ATTEMPTS_MAX,
        inactivity_timeout: Some(accounts.ssh().idle),
        nodelay: true,
        ..Config::default()
    });
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder
        .worker_threads(1)
        .max_blocking_threads(HASHES_MAX)
        .enable_all();
    let own = builder.thread_name("ssh").build().map_err(fail)?;
    let server = Arc::new(Server {
        interface,
        shells,
        runtime,
        strangers: Arc::new(Strangers::new()),
        told: Mutex::new(None),
    });
    event!(SSH_SERVED, %address, host_key = fingerprint);
    if accounts.is_empty() {
        event!(NO_ACCOUNT);
    }
    accounts.serves(address, fingerprint);
    own.spawn(async move {
        match tokio::net::TcpListener::from_std(listener) {
            Ok(listener) => accept(&server, &config, listener).await,
            Err(error) => event!(ACCEPTING_FAILED, %error),
        }
    });
    Ok(own)
}

async fn accept(server: &Arc<Server>, config: &Arc<Config>, listener: tokio::net::TcpListener) {
    loop {
        match listener.accept().await {
            Ok((stream, from)) => {
                let Ok(own) = stream.as_fd().try_clone_to_owned() else {
                    continue;
                };
                let ends = server.stranger(own.into(), from);
                let (server, config) = (Arc::clone(server), Arc::clone(config));
                tokio::spawn(connection(server, config, stream, ends, from));
            }
            Err(error) => {
                event!(ACCEPTING_FAILED, %error);
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn connection(
    server: Arc<Server>,
    config: Arc<Config>,
    stream: tokio::net::TcpStream,
    ends: Arc<Ends>,
    from: SocketAddr,
) {
    let visitor = Visitor::new(server, Arc::clone(&ends), from);
    let hold = Arc::clone(&ends.hold);
    let stream = Held { stream, hold };
    let begun = timeout(HELLO, run_stream(config, stream, visitor)).await;
    let ended = match begun {
        Ok(Ok(session)) => tokio::select! {
            ended = lasts(&ends, session) => ended,
            // The session finds the end of what it reads.
            () = ends.watch() => Ok(()),
        },
        Ok(Err(_)) | Err(_) => Ok(()),
    };
    ends.end();
    // Its place holds it.
    ends.has_logged_in();
    if let Err(error) = ended {
        event!(SSH_BROKE, %error, %from);
    }
}

/// To the end of a connection, if somebody logs in.
async fn lasts(ends: &Ends, mut session: RunningSession<Visitor>) -> Result<(), russh::Error> {
    if let Ok(ended) = timeout(LOGIN, &mut session).await {
        return ended;
    }
    if ends.stranger.lock().is_some() {
        ends.end();
    }
    session.await
}

impl Server {
    /// Of an account, whose keys these are, at a terminal or not.
    pub(super) fn session(
        &self,
        account: &str,
        from: SocketAddr,
        (keys, terminal): (Arc<Keys>, bool),
    ) -> Session {
        Session {
            keys,
            terminal,
            interface: Arc::clone(&self.interface),
            runtime: self.runtime.clone(),
            account: account.to_owned(),
            from: format!("ssh {from}"),
        }
    }

    /// A connection on which nobody has logged in.
    fn stranger(&self, stream: TcpStream, from: SocketAddr) -> Arc<Ends> {
        let ends = Arc::new(Ends {
            stream,
            hold: Arc::default(),
            stranger: Mutex::new(None),
        });
        let (place, left) = self
            .strangers
            .place(from.ip(), Arc::clone(&ends), Instant::now());
        *ends.stranger.lock() = Some(place);
        if let Some(left) = left {
            left.end();
            self.has_no_room("as many as may be have not logged in", from);
        }
        ends
    }

    /// Says so, once a while.
    pub(super) fn has_no_room(&self, why: &'static str, from: SocketAddr) {
        let mut told = self.told.lock();
        if told.is_none_or(|at| at.elapsed() >= TELL_EVERY) {
            *told = Some(Instant::now());
            event!(SSH_FULL, why, %from);
        }
    }

    /// Writes a login down.
    pub(super) async fn write_down(&self, who: Who, line: Line) {
        let interface = Arc::clone(&self.interface);
        let written = self.runtime.spawn(async move {
            interface.write_down(who, line).await;
        });
        drop(written.await);
    }
}
