//! An HTTP proxy on the way: it is asked for a tunnel (RFC 9110, section 9.3.6), and sees nothing of what goes through.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use smart_agent::Failure;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use zeroize::Zeroizing;

use super::{AuthorityUrl, DialError, address, dial, os_said};

/// Longest answer of a proxy to CONNECT, in bytes.
const ANSWER_BYTES_MAX: usize = 8 * 1024;

/// A proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proxy {
    /// Its name or address.
    pub host: String,
    /// Its TCP port.
    pub port: u16,
    /// What it wants to hear; none: nothing.
    pub credentials: Option<ProxyCredentials>,
}

/// What a proxy knows a node by.
#[derive(Clone, PartialEq, Eq)]
pub struct ProxyCredentials {
    /// The name.
    pub username: String,
    /// The password; a secret.
    pub password: Zeroizing<String>,
}

impl fmt::Debug for ProxyCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ProxyCredentials({})", self.username)
    }
}

/// `HOST:PORT`.
impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        address::write_address(f, &self.host, self.port)
    }
}

impl Proxy {
    /// A tunnel through it to the license authority.
    pub(super) async fn connect(&self, authority: &AuthorityUrl) -> Result<TcpStream, Failure> {
        let connected = dial(&self.host, self.port).await;
        let mut stream = connected.map_err(|error| match error {
            DialError::Unresolved(why) => {
                self.refuses(format!("its name can't be resolved: {why}"))
            }
            DialError::Unreachable(why) => self.refuses(format!("it can't be reached: {why}")),
        })?;
        let broke = |error: std::io::Error| self.refuses(os_said(&error));
        let request = self.request(authority);
        stream.write_all(request.as_bytes()).await.map_err(broke)?;
        let status = self.answer(&mut stream).await?;
        match status {
            200..=299 => Ok(stream),
            _ => Err(self.refuses(self.meaning(status, authority))),
        }
    }

    fn request(&self, authority: &AuthorityUrl) -> Zeroizing<String> {
        let mut request = Zeroizing::new(format!(
            "CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n"
        ));
        if let Some(ProxyCredentials { username, password }) = &self.credentials {
            let pair = Zeroizing::new(format!("{username}:{}", password.as_str()));
            let pair = Zeroizing::new(STANDARD.encode(pair.as_bytes()));
            request.push_str("Proxy-Authorization: Basic ");
            request.push_str(&pair);
            request.push_str("\r\n");
        }
        request.push_str("\r\n");
        request
    }

    /// Reads the head of the answer, to its last octet and no further: what follows is the authority's.
    async fn answer(&self, stream: &mut TcpStream) -> Result<u16, Failure> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            if head.len() == ANSWER_BYTES_MAX {
                return Err(self.refuses("its answer is too long".into()));
            }
            match stream.read_u8().await {
                Ok(octet) => head.push(octet),
                Err(_) => return Err(self.refuses("it closed the connection".into())),
            }
        }
        status_of(&head).ok_or_else(|| self.refuses("its answer is not one of HTTP".into()))
    }

    fn meaning(&self, status: u16, authority: &AuthorityUrl) -> String {
        match (status, &self.credentials) {
            (407, None) => "it wants a user name and a password (HTTP status 407)".into(),
            // RFC 9110 has 407 for it; tinyproxy says 401 of a password that is wrong.
            (401 | 407, Some(_)) => {
                format!("it does not take the user name and password (HTTP status {status})")
            }
            (403, _) => format!("it lets nobody through to {authority} (HTTP status 403)"),
            (500..=599, _) => format!("it can't reach {authority} (HTTP status {status})"),
            (_, _) => format!("it answered with HTTP status {status}"),
        }
    }

    fn refuses(&self, why: String) -> Failure {
        Failure::Proxy {
            proxy: self.to_string(),
            why,
        }
    }
}

/// The status of `HTTP/1.x NNN ...`.
fn status_of(head: &[u8]) -> Option<u16> {
    let line = head.split(|octet| *octet == b'\r').next()?;
    let line = std::str::from_utf8(line).ok()?;
    let rest = line.strip_prefix("HTTP/1.")?;
    let status = rest.split(' ').nth(1)?;
    let status: u16 = status.parse().ok()?;
    (100..=599).contains(&status).then_some(status)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxy() -> Proxy {
        Proxy {
            host: "proxy.example".into(),
            port: 3128,
            credentials: Some(ProxyCredentials {
                username: "node".into(),
                password: Zeroizing::new("hunter2".into()),
            }),
        }
    }

    #[test]
    fn a_proxy_is_asked_as_the_standard_has_it() {
        let authority = AuthorityUrl::parse("https://[2001:db8::1]:8443").unwrap();
        assert_eq!(
            proxy().request(&authority).as_str(),
            "CONNECT [2001:db8::1]:8443 HTTP/1.1\r\nHost: [2001:db8::1]:8443\r\n\
             Proxy-Authorization: Basic bm9kZTpodW50ZXIy\r\n\r\n"
        );
    }

    #[test]
    fn the_password_shows_nowhere() {
        let shown = format!("{:?} {}", proxy(), proxy());
        assert!(!shown.contains("hunter2"), "{shown}");
        assert!(shown.ends_with(" proxy.example:3128"), "{shown}");
    }

    #[test]
    fn the_status_is_the_second_word() {
        assert_eq!(
            status_of(b"HTTP/1.1 200 Connection established\r\n\r\n"),
            Some(200)
        );
        assert_eq!(status_of(b"HTTP/1.0 407 \r\n\r\n"), Some(407));
        for not in [
            &b"SSH-2.0-x\r\n\r\n"[..],
            b"HTTP/1.1\r\n\r\n",
            b"HTTP/1.1 7\r\n\r\n",
        ] {
            assert_eq!(status_of(not), None);
        }
    }
}
