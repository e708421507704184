//! One connection: TLS, or a word to whoever speaks without it.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::Service;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::pki::raw_key;

/// Longest life of a connection: a report of the greatest length ends within it.
const CONNECTION: Duration = Duration::from_secs(600);
/// Longest head of a request, in bytes.
const HEAD_BYTES: usize = 16 * 1024;
/// Longest time for a word to whoever speaks without TLS.
const PLAIN: Duration = Duration::from_secs(5);
/// First octet of TLS: a handshake record (RFC 8446, section 5.1).
const TLS_HANDSHAKE: u8 = 22;

/// The raw public key of the certificate that the other side of a connection has; none: it presented none.
#[derive(Clone, Debug)]
pub(crate) struct Peer(pub(crate) Option<Vec<u8>>);

/// Longest time for a handshake, its first byte included; for the head of a request, or the silence between two; and for the
/// body of one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace(pub(crate) Duration);

/// Serves a connection until it ends, or the server does.
pub(super) async fn serve(
    stream: TcpStream,
    acceptor: TlsAcceptor,
    router: Router,
    pace: Pace,
    mut stopped: watch::Receiver<bool>,
) {
    let stream = tokio::select! {
        stream = handshake(stream, acceptor, pace) => stream,
        () = super::ended(&mut stopped) => return,
    };
    if let Some(stream) = stream {
        over_tls(stream, router, pace, stopped).await;
    }
}

/// None: it did not come to one.
async fn handshake(
    mut stream: TcpStream,
    acceptor: TlsAcceptor,
    pace: Pace,
) -> Option<TlsStream<TcpStream>> {
    let mut first = [0];
    let read = timeout(pace.0, stream.peek(&mut first)).await.ok()?;
    if read.ok()? == 0 {
        return None;
    }
    if first[0] != TLS_HANDSHAKE {
        // Whether it could be told makes no difference.
        let _told = timeout(PLAIN, refuse_plain(&mut stream)).await;
        return None;
    }
    match timeout(pace.0, acceptor.accept(stream)).await {
        Ok(Ok(stream)) => return Some(stream),
        Ok(Err(error)) => tracing::debug!(%error, "a handshake failed"),
        Err(_) => tracing::debug!("a handshake took too long"),
    }
    None
}

/// Says in plain HTTP that there is none.
async fn refuse_plain(stream: &mut TcpStream) -> std::io::Result<()> {
    let mut request = vec![0; HEAD_BYTES];
    let mut read = 0;
    while read < request.len() && !request[..read].windows(4).any(|four| four == b"\r\n\r\n") {
        match stream.read(&mut request[read..]).await? {
            0 => break,
            more => read += more,
        }
    }
    let body = r#"{"code":"HTTPS_ONLY","message":"this license authority speaks HTTPS only: use https:// and TLS 1.2 or newer"}"#;
    let answer = format!(
        "HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(answer.as_bytes()).await?;
    stream.shutdown().await
}

async fn over_tls(
    stream: TlsStream<TcpStream>,
    router: Router,
    pace: Pace,
    mut stopped: watch::Receiver<bool>,
) {
    let certificates = stream.get_ref().1.peer_certificates();
    let certificate = certificates.and_then(<[_]>::first);
    let peer = Peer(certificate.and_then(|certificate| raw_key(certificate)));
    let service = WithPeer {
        router: TowerToHyperService::new(router),
        peer,
        pace,
    };
    let mut server = http1::Builder::new();
    server
        .timer(TokioTimer::new())
        .header_read_timeout(pace.0)
        .max_buf_size(HEAD_BYTES);
    let served = server.serve_connection(TokioIo::new(stream), service);
    let mut served = std::pin::pin!(served);
    let whole = async {
        tokio::select! {
            ended = served.as_mut() => ended,
            () = super::ended(&mut stopped) => {
                served.as_mut().graceful_shutdown();
                served.await
            }
        }
    };
    match timeout(CONNECTION, whole).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "a connection broke"),
        Err(_) => tracing::debug!("a connection took too long"),
    }
}

/// Tells each request whose connection it came over.
struct WithPeer {
    router: TowerToHyperService<Router>,
    peer: Peer,
    pace: Pace,
}

impl Service<Request<Incoming>> for WithPeer {
    type Response = Response<Body>;
    type Error = std::convert::Infallible;
    type Future = <TowerToHyperService<Router> as Service<Request<Incoming>>>::Future;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        request.extensions_mut().insert(self.peer.clone());
        request.extensions_mut().insert(self.pace);
        self.router.call(request)
    }
}
