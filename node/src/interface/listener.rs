//! The Unix socket, for its owner alone; and connections of any listener, with bounds on their number and time.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixListener as StdListener, UnixStream as StdStream};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use socket2::{Domain, SockAddr, Socket, Type};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::access::Local;

/// What connections of one listener are held to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// At once; further ones wait to be accepted.
    pub(crate) connections: usize,
    /// Longest head of a request, in bytes.
    pub(crate) head_bytes: usize,
    /// Longest life of a connection, so that none keeps its place for good.
    pub(crate) life: Duration,
    /// More than one request.
    pub(crate) keep_alive: bool,
}

/// Of the control interface.
const BOUNDS: Bounds = Bounds {
    connections: 32,
    head_bytes: 16 * 1024,
    life: Duration::from_secs(60),
    keep_alive: true,
};
/// Connections that wait to be accepted.
const BACKLOG: i32 = 64;
/// Longest time that a client takes for the head of a request.
const HEAD: Duration = Duration::from_secs(5);
/// Pause after a failed accept, so that a lasting error does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Binds the socket, in place of one that a node left behind. Only its owner may connect, from the first moment.
///
/// Errors: another process serves it, or the path holds something else.
pub(crate) fn bind(path: &Path) -> io::Result<StdListener> {
    if let Ok(metadata) = fs::symlink_metadata(path) {
        if !metadata.file_type().is_socket() {
            let why = "something that is not a socket is there";
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, why));
        }
        if StdStream::connect(path).is_ok() {
            let why = "another process serves it";
            return Err(io::Error::new(io::ErrorKind::AddrInUse, why));
        }
        fs::remove_file(path)?;
    }
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.bind(&SockAddr::unix(path)?)?;
    fs::set_permissions(path, Permissions::from_mode(0o600))?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

/// Serves requests until the runtime ends.
pub(crate) async fn serve(listener: StdListener, router: Router) -> io::Result<()> {
    let listener = UnixListener::from_std(listener)?;
    serve_each(listener, router, BOUNDS).await;
    Ok(())
}

/// Where connections come in.
pub(crate) trait Accepts: Send + Sync {
    /// One connection.
    type Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static;

    /// The next.
    fn accept(&self) -> impl Future<Output = io::Result<Self::Stream>> + Send;

    /// The router of a connection, which knows who is at its other end, where that matters.
    fn told(_stream: &Self::Stream, router: Router) -> Router {
        router
    }
}

impl Accepts for UnixListener {
    type Stream = UnixStream;

    async fn accept(&self) -> io::Result<UnixStream> {
        Ok(UnixListener::accept(self).await?.0)
    }

    fn told(stream: &UnixStream, router: Router) -> Router {
        let other = stream.peer_cred().ok();
        router.layer(Extension(Local {
            uid: other.map(|other| other.uid()),
            pid: other.and_then(|other| other.pid()),
        }))
    }
}

impl Accepts for TcpListener {
    type Stream = TcpStream;

    async fn accept(&self) -> io::Result<TcpStream> {
        Ok(TcpListener::accept(self).await?.0)
    }
}

/// Serves each connection that is accepted, so many at a time.
pub(crate) async fn serve_each<L: Accepts>(listener: L, router: Router, bounds: Bounds) {
    let places = Arc::new(Semaphore::new(bounds.connections));
    loop {
        // The semaphore is never closed, so that there is always a place in the end.
        let Ok(place) = Arc::clone(&places).acquire_owned().await else {
            return;
        };
        match listener.accept().await {
            Ok(stream) => {
                let router = L::told(&stream, router.clone());
                tokio::spawn(async move {
                    connection(stream, router, bounds).await;
                    drop(place);
                });
            }
            Err(error) => {
                event!(ACCEPTING_FAILED, %error);
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn connection<S>(stream: S, router: Router, bounds: Bounds)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut server = http1::Builder::new();
    server
        .timer(TokioTimer::new())
        .keep_alive(bounds.keep_alive)
        .header_read_timeout(HEAD)
        .max_buf_size(bounds.head_bytes);
    let service = TowerToHyperService::new(router);
    let served = server.serve_connection(TokioIo::new(stream), service);
    match timeout(bounds.life, served).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "a connection broke"),
        Err(_) => tracing::debug!("a connection took too long"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_socket_is_its_owners_and_replaces_a_dead_one() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("control.sock");
        drop(bind(&path).unwrap());
        let live = bind(&path).unwrap();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let taken = bind(&path).unwrap_err();
        assert_eq!(taken.to_string(), "another process serves it");
        drop(live);
    }

    #[test]
    fn a_file_in_its_place_stays() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("control.sock");
        fs::write(&path, "mine").unwrap();
        let error = bind(&path).unwrap_err();
        assert_eq!(error.to_string(), "something that is not a socket is there");
        assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
    }
}
