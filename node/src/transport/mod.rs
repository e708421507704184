//! How messages reach the license authority: HTTPS, directly or through an HTTP proxy, and nothing else.
//!
//! ```text
//! name -> TCP [-> CONNECT at the proxy] -> TLS below the trust pool [with the identity certificate] -> POST -> status, body
//! ```
//!
//! Each message has a connection of its own, because there are few: a change of trust or identity is in force with the
//! next one. Redirects are not followed, nothing is trusted but the agent's own roots, and every step has a bound in time
//! or bytes. What failed is told by its cause; no secret is in any cause, and nothing is logged here.

mod address;
mod proxy;
#[cfg(test)]
mod tests;
mod tls;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use api::smart::{MESSAGE_BYTES_MAX, SMART_PATH};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, HOST, USER_AGENT};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use smart_agent::Failure;
use tokio::net::{TcpStream, lookup_host};
use tokio::sync::Semaphore;
use tokio::time::timeout;

pub(crate) use address::shown;
pub use address::{AddressError, AuthorityUrl};
pub use proxy::{Proxy, ProxyCredentials};
pub use tls::{Credentials, Presented, Trust};

/// Most messages on their way at a time.
const MESSAGES_MAX: usize = 4;
/// Most addresses of a name that are tried.
const ADDRESSES_MAX: usize = 8;

/// What the configuration says of the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Way {
    /// The license authority; none: no message is sent.
    pub authority: Option<AuthorityUrl>,
    /// The proxy to go through; none: directly.
    pub proxy: Option<Proxy>,
    /// Longest time until a connection stands, TLS included.
    pub connect: Duration,
    /// Longest time for all of it.
    pub overall: Duration,
}

/// Sends messages.
#[derive(Debug)]
pub struct Transport {
    way: Way,
    /// Of all ways together.
    at_once: Arc<Semaphore>,
}

/// What a message goes out with.
#[derive(Debug)]
pub struct Parcel {
    /// The body.
    pub octets: Vec<u8>,
    /// Whom to believe.
    pub trust: Trust,
    /// Who says it; none: nobody yet.
    pub credentials: Option<Credentials>,
}

/// What came of a message.
#[derive(Debug)]
pub struct Outcome {
    /// The body of an answer with status 200.
    pub answer: Result<Vec<u8>, Failure>,
    /// The certificates that the authority showed; none: it did not come to that.
    pub presented: Option<Presented>,
}

impl Transport {
    /// One that goes this way.
    pub fn new(way: Way) -> Self {
        Self {
            way,
            at_once: Arc::new(Semaphore::new(MESSAGES_MAX)),
        }
    }

    /// One that goes another way; what is on its way by this one ends so.
    pub fn by(&self, way: Way) -> Self {
        Self {
            way,
            at_once: Arc::clone(&self.at_once),
        }
    }

    /// Sends a message and takes the answer; never takes longer than [`Way::overall`].
    pub async fn post(&self, parcel: Parcel) -> Outcome {
        let judge = tls::Judge::new(&parcel.trust);
        let exchange = self.exchange(parcel, &judge);
        let answer = match timeout(self.way.overall, exchange).await {
            Ok(answer) => answer,
            Err(_) => Err(Failure::Timeout),
        };
        Outcome {
            answer,
            presented: judge.presented(),
        }
    }

    async fn exchange(&self, parcel: Parcel, judge: &tls::Judge) -> Result<Vec<u8>, Failure> {
        let authority = self.way.authority.as_ref().ok_or(Failure::NotConfigured)?;
        // It is never closed.
        let _place = self.at_once.acquire().await;
        let connect = async {
            let stream = self.dial(authority).await?;
            tls::shake_hands(stream, authority, parcel.credentials, judge).await
        };
        let stream = timeout(self.way.connect, connect).await;
        let stream = stream.unwrap_or(Err(Failure::Timeout))?;
        send(stream, authority, parcel.octets).await
    }

    async fn dial(&self, authority: &AuthorityUrl) -> Result<TcpStream, Failure> {
        match &self.way.proxy {
            Some(proxy) => proxy.connect(authority).await,
            None => dial(authority.host(), authority.port())
                .await
                .map_err(|error| match error {
                    DialError::Unresolved(why) => {
                        Failure::Unresolved(format!("{}: {why}", authority.host()))
                    }
                    DialError::Unreachable(why) => unreachable_at(authority, why),
                }),
        }
    }
}

/// Why there is no connection.
pub(crate) enum DialError {
    /// The name has no address.
    Unresolved(String),
    /// None of its addresses answers; the cause of the last one.
    Unreachable(String),
}

/// Connects to one of the addresses of a name, in their order.
pub(crate) async fn dial(host: &str, port: u16) -> Result<TcpStream, DialError> {
    let found = lookup_host((host, port)).await;
    let addresses = found.map_err(|error| DialError::Unresolved(resolver_said(&error)))?;
    let addresses: Vec<SocketAddr> = addresses.take(ADDRESSES_MAX).collect();
    let mut last = DialError::Unresolved("it has no address".into());
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(stream) => return Ok(stream),
            Err(error) => last = DialError::Unreachable(os_said(&error)),
        }
    }
    Err(last)
}

async fn send(
    stream: tls::Stream,
    authority: &AuthorityUrl,
    octets: Vec<u8>,
) -> Result<Vec<u8>, Failure> {
    let broke = |error: hyper::Error| tls::broke_off(authority, &error);
    let shaken = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = shaken.map_err(broke)?;
    let request = Request::post(SMART_PATH)
        .header(HOST, authority.to_string())
        .header(CONTENT_TYPE, "application/json")
        .header(USER_AGENT, concat!("tollgate/", env!("CARGO_PKG_VERSION")))
        .body(Full::<Bytes>::from(octets))
        .map_err(|error| unreachable_at(authority, error.to_string()))?;
    // The connection is worked here, not by a task of its own: whoever gives up on this future closes it.
    let exchange = async {
        let response = sender.send_request(request).await.map_err(broke)?;
        if response.status() != StatusCode::OK {
            return Err(Failure::Status(response.status().as_u16()));
        }
        let body = Limited::new(response.into_body(), MESSAGE_BYTES_MAX);
        let body = body.collect().await.map_err(|error| cut_off(&*error))?;
        Ok(body.to_bytes().to_vec())
    };
    tokio::pin!(connection, exchange);
    tokio::select! {
        answer = &mut exchange => answer,
        // It may end before the answer is read to its end.
        _ended = &mut connection => exchange.await,
    }
}

fn cut_off(error: &(dyn std::error::Error + Send + Sync + 'static)) -> Failure {
    if error.is::<LengthLimitError>() {
        return Failure::CutOff(format!("it has more than {MESSAGE_BYTES_MAX} bytes"));
    }
    Failure::CutOff("the connection broke off".into())
}

fn unreachable_at(authority: &AuthorityUrl, why: String) -> Failure {
    Failure::Unreachable {
        address: authority.to_string(),
        why,
    }
}

/// What the system says, without its number.
fn os_said(error: &std::io::Error) -> String {
    error.kind().to_string()
}

/// The words of the resolver, which come with some of its own around them.
pub(crate) fn resolver_said(error: &std::io::Error) -> String {
    let said = error.to_string();
    let words = said.rsplit(": ").next().unwrap_or(&said);
    words.to_ascii_lowercase()
}
