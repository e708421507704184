//! The API over HTTPS, by HTTP/1.1 on one connection; the authority is who stands below the pinned root.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use api::Failure;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use hyper::{Response, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore, crypto::ring::default_provider};
use serde::Deserialize;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

/// Longest wait for a connection, for the head of an answer, and for each piece of its body.
const WAIT: Duration = Duration::from_secs(30);
/// Longest answer that is no report, in bytes: a page of a thousand rows with room to spare.
const ANSWER_BYTES_MAX: usize = 16 * 1024 * 1024;

/// A connection to an authority.
pub struct Desk {
    place: String,
    host: String,
    token: Option<String>,
    sender: SendRequest<Full<Bytes>>,
}

/// What it says when it can't do something.
#[derive(Deserialize)]
struct Problem {
    code: String,
    message: String,
}

impl Desk {
    /// Connects.
    pub async fn open(url: &str, root: CertificateDer<'static>) -> Result<Self, Failure> {
        let (host, port) = parts(url)?;
        let bad = |error: &dyn std::fmt::Display| connect_failure(url, error);
        let mut roots = RootCertStore::empty();
        roots.add(root).map_err(|error| bad(&error))?;
        let config = ClientConfig::builder_with_provider(default_provider().into())
            .with_safe_default_protocol_versions()
            .map_err(|error| bad(&error))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = host.trim_start_matches('[').trim_end_matches(']');
        let name = ServerName::try_from(name.to_owned()).map_err(|error| bad(&error))?;
        let address = format!("{host}:{port}");
        let connected = within(url, TcpStream::connect(&address)).await?;
        let stream = connected.map_err(|error| bad(&error))?;
        let connector = TlsConnector::from(Arc::new(config));
        let secured = within(url, connector.connect(name, stream)).await?;
        let stream = secured.map_err(|error| tls_failure(url, &error))?;
        let (sender, connection) = handshake(TokioIo::new(stream))
            .await
            .map_err(|error| bad(&error))?;
        // It ends with the sender; what went wrong with it the request says.
        tokio::spawn(connection);
        Ok(Self {
            place: url.to_owned(),
            host: address,
            token: None,
            sender,
        })
    }

    /// Calls carry this token from here on.
    pub fn show(&mut self, token: String) {
        self.token = Some(token);
    }

    /// Asks, and reads the whole answer; null if it is empty.
    pub async fn call(
        &mut self,
        verb: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, Failure> {
        let response = self.request(verb, path, body).await?;
        let said = self.read(response).await?;
        if said.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&said).map_err(|error| self.not_understood(&error))
    }

    /// Asks for a report, and gives it piece by piece; `take` says if it wants more. True: there is nothing after what it took
    /// that it wants.
    pub async fn stream(
        &mut self,
        path: &str,
        mut take: impl FnMut(&[u8]) -> Result<bool, Failure>,
    ) -> Result<bool, Failure> {
        let response = self.request("GET", path, None).await?;
        let complete = response.headers().get("report-complete");
        let complete = complete.is_none_or(|said| said != "false");
        let mut body = response.into_body();
        while let Some(frame) = within(&self.place, body.frame()).await? {
            let frame = frame.map_err(|error| self.broke_off(&error))?;
            if let Some(piece) = frame.data_ref()
                && !take(piece)?
            {
                return Ok(true);
            }
        }
        Ok(complete)
    }

    async fn request(
        &mut self,
        verb: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Response<Incoming>, Failure> {
        let body = body.filter(|body| !body.is_null());
        let text = body.map_or_else(Bytes::new, |body| body.to_string().into());
        let mut request = hyper::Request::builder()
            .method(verb)
            .uri(path)
            .header(HOST, &self.host)
            .header(CONTENT_TYPE, "application/json");
        if let Some(token) = &self.token {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        let request = request.body(Full::new(text)).map_err(|_| {
            let todo = "log in anew, or give the token as it was shown, on one line";
            Failure::new("the token is none", self.place.clone(), todo)
        })?;
        let answered = within(&self.place, self.sender.send_request(request)).await?;
        let response = answered.map_err(|error| self.broke_off(&error))?;
        if response.status().is_success() {
            return Ok(response);
        }
        let status = response.status();
        let said = self.read(response).await?;
        Err(self.refused(status, &said))
    }

    async fn read(&self, response: Response<Incoming>) -> Result<Vec<u8>, Failure> {
        let mut body = response.into_body();
        let mut said = Vec::new();
        while let Some(frame) = within(&self.place, body.frame()).await? {
            let frame = frame.map_err(|error| self.broke_off(&error))?;
            said.extend_from_slice(frame.data_ref().map_or(&[], |piece| piece));
            if said.len() > ANSWER_BYTES_MAX {
                return Err(self.broke_off(&"it is too long"));
            }
        }
        Ok(said)
    }

    fn refused(&self, status: StatusCode, said: &[u8]) -> Failure {
        let Ok(problem) = serde_json::from_slice::<Problem>(said) else {
            return self.not_understood(&status);
        };
        let todo = match problem.code.as_str() {
            "UNAUTHENTICATED" => "tollgate authority admin login --user NAME",
            "FORBIDDEN" => "ask an administrator for the role that it takes",
            "NOT_FOUND" => "list what there is",
            "CONFLICT" => "see what stands there, and mend that first",
            "TOO_MANY" => "wait, then try again",
            "UNAVAILABLE" => "look at the authority's log",
            _ => "mend the value, and try again",
        };
        Failure::new(problem.message, self.place.clone(), todo)
    }

    fn broke_off(&self, error: &dyn std::fmt::Display) -> Failure {
        let what = format!("the answer broke off: {error}");
        Failure::new(what, self.place.clone(), "look at the authority's log")
    }

    fn not_understood(&self, error: &dyn std::fmt::Display) -> Failure {
        let what = format!("the answer is not understood: {error}");
        let todo = "see that a license authority of this version is there";
        Failure::new(what, self.place.clone(), todo)
    }
}

/// Host and port of an address.
fn parts(url: &str) -> Result<(String, u16), Failure> {
    let uri: Option<Uri> = url.parse().ok();
    let uri = uri.filter(|uri| uri.scheme_str() == Some("https"));
    let parts = uri.and_then(|uri| {
        let host = uri.host()?.to_owned();
        let port = uri.port_u16().unwrap_or(443);
        ["", "/"].contains(&uri.path()).then_some((host, port))
    });
    parts.ok_or_else(|| {
        let todo = "write it as https://license.example.org:8443";
        Failure::new("this is no address of a license authority", url, todo)
    })
}

async fn within<T>(place: &str, done: impl Future<Output = T>) -> Result<T, Failure> {
    timeout(WAIT, done).await.map_err(|_| {
        let what = format!("no answer within {} seconds", WAIT.as_secs());
        Failure::new(what, place, "look at the authority's log")
    })
}

fn connect_failure(url: &str, error: &dyn std::fmt::Display) -> Failure {
    Failure::new(
        format!("the license authority can't be reached: {error}"),
        url,
        "see that it runs there; name another address with --authority",
    )
}

fn tls_failure(url: &str, error: &std::io::Error) -> Failure {
    Failure::new(
        format!("the license authority is not trusted: {error}"),
        url,
        "compare the SHA-256 that the authority prints at its start with that of `tollgate authority admin trust`, and see that its names hold this one",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_https_a_host_and_perhaps_a_port() {
        let parts = |url| parts(url).ok();
        assert_eq!(parts("https://a.example"), Some(("a.example".into(), 443)));
        assert_eq!(parts("https://[::1]:8443/"), Some(("[::1]".into(), 8443)));
        for bad in ["http://a.example", "a.example:1", "https://a/b", ""] {
            assert_eq!(parts(bad), None, "{bad}");
        }
    }
}
