//! The server: HTTPS for Smart Agents and for the API, and the work that goes by time.
//!
//! A connection has its handshake in a task of its own, so that a slow one holds nobody up. Their number, in all and of an
//! address, their time, the time and the size of a head and of a body have bounds.

mod addresses;
mod connection;
mod tls;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

use crate::authority::{Authority, OpenError, Settings, SetupSecret};
use crate::config::Config;
use crate::pki::PkiError;
use addresses::Addresses;
pub(crate) use connection::{Pace, Peer};

/// Longest time that connections have to end once the server is to.
const GOODBYE: Duration = Duration::from_secs(5);
/// Pause after a failed accept, so that a lasting error does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// How often it is looked at what time has changed.
const SWEEP: Duration = Duration::from_secs(5);
/// The same in a lab, where time runs faster.
const LAB_SWEEP: Duration = Duration::from_millis(500);

/// Why a server can't start or go on.
#[derive(Debug, Error)]
pub enum ServeError {
    /// Its authority can't be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Its certificate can't be made.
    #[error(transparent)]
    Pki(#[from] PkiError),
    /// Its address can't be listened on.
    #[error("{address}: can't be listened on: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// Its runtime can't be made.
    #[error("the threads can't be made: {0}")]
    Runtime(io::Error),
}

/// An authority that serves.
pub struct Server {
    authority: Arc<Authority>,
    address: SocketAddr,
    setup_secret: Option<SetupSecret>,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Server {
    /// Opens an authority and serves it.
    pub async fn start(config: Config) -> Result<Self, ServeError> {
        let settings = Settings {
            state_dir: config.state_dir.clone(),
            database: config.database.clone(),
            catalog: Arc::clone(&config.catalog),
            speedup: config.speedup,
            silent_days: config.silent_days,
            kept: config.kept,
        };
        let (authority, setup_secret) = Authority::open(settings).await?;
        let authority = Arc::new(authority);
        let address = config.listen;
        let listen = |source| ServeError::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let certificate = tls::Certificate::make(&authority, config.names())?;
        let certificate = Arc::new(certificate);
        let acceptor = tls::acceptor(&authority, Arc::clone(&certificate))?;
        let (stop, stopped) = watch::channel(false);
        let served = Served {
            acceptor,
            router: authority.router(),
            places: Arc::new(Semaphore::new(config.connections_max)),
            addresses: Addresses::new(config.connections_per_address_max),
            pace: Pace(Duration::from_secs(config.request_timeout_s.into())),
            stopped: stopped.clone(),
        };
        let tasks = vec![
            tokio::spawn(served.accept(listener)),
            tokio::spawn(keep(Arc::clone(&authority), certificate, stopped)),
        ];
        Ok(Self {
            authority,
            address,
            setup_secret,
            stop,
            tasks,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it serves.
    pub fn authority(&self) -> &Authority {
        &self.authority
    }

    /// Until there is an account: what makes the first one. It is not shown again.
    pub fn setup_secret(&self) -> Option<&SetupSecret> {
        self.setup_secret.as_ref()
    }

    /// Ends it: what was begun is answered, nothing new is taken.
    pub async fn stop(self) {
        // Nobody listens if the tasks have ended already.
        let _told = self.stop.send(true);
        for task in self.tasks {
            // A task that panicked has said so.
            let _ended = task.await;
        }
        self.authority.close().await;
    }
}

/// What connections are served with.
struct Served {
    acceptor: TlsAcceptor,
    router: axum::Router,
    places: Arc<Semaphore>,
    addresses: Addresses,
    pace: Pace,
    stopped: watch::Receiver<bool>,
}

impl Served {
    async fn accept(self, listener: TcpListener) {
        let mut connections = JoinSet::new();
        let mut stopped = self.stopped.clone();
        loop {
            while connections.try_join_next().is_some() {}
            // The semaphore is never closed.
            let place = tokio::select! {
                Ok(place) = Arc::clone(&self.places).acquire_owned() => place,
                () = ended(&mut stopped) => break,
            };
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = ended(&mut stopped) => break,
            };
            match accepted {
                Ok((stream, from)) => {
                    let Some(seat) = self.addresses.seat(from.ip()) else {
                        tracing::debug!(%from, "it has as many connections as it may");
                        continue;
                    };
                    let pace = self.pace;
                    let acceptor = self.acceptor.clone();
                    let router = self.router.clone();
                    let stopped = self.stopped.clone();
                    connections.spawn(async move {
                        connection::serve(stream, acceptor, router, pace, stopped).await;
                        drop((seat, place));
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "accepting a connection failed");
                    sleep(ACCEPT_PAUSE).await;
                }
            }
        }
        drop(listener);
        let all = async { while connections.join_next().await.is_some() {} };
        if timeout(GOODBYE, all).await.is_err() {
            tracing::warn!("connections took too long to end");
        }
    }
}

/// The server is to end.
async fn ended(stopped: &mut watch::Receiver<bool>) {
    // Whoever could say so is gone: that is the end, too.
    let _said = stopped.wait_for(|stopped| *stopped).await;
}

/// Does what goes by time, until the server ends.
async fn keep(
    authority: Arc<Authority>,
    certificate: Arc<tls::Certificate>,
    mut stopped: watch::Receiver<bool>,
) {
    let pause = match authority.speedup {
        Some(_) => LAB_SWEEP,
        None => SWEEP,
    };
    loop {
        let now = authority.now();
        if let Err(error) = authority.sweep(now).await {
            tracing::error!(%error, "what time has changed was not looked at");
        }
        if let Err(error) = certificate.renew(&authority, now) {
            tracing::error!(%error, "the certificate of connections was not renewed");
        }
        tokio::select! {
            () = sleep(pause) => {}
            () = ended(&mut stopped) => return,
        }
    }
}

/// Runs an authority until SIGINT or SIGTERM; `started` is told once it serves.
pub fn run(config: Config, started: impl FnOnce(&Server)) -> Result<(), ServeError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(ServeError::Runtime)?;
    runtime.block_on(async {
        use tokio::signal::unix::{SignalKind, signal};
        let mut interrupt = signal(SignalKind::interrupt()).map_err(ServeError::Runtime)?;
        let mut terminate = signal(SignalKind::terminate()).map_err(ServeError::Runtime)?;
        let server = Server::start(config).await?;
        started(&server);
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        server.stop().await;
        Ok(())
    })
}
