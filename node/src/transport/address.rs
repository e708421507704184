//! Where the license authority is.

use std::fmt;

use rustls_pki_types::ServerName;
use thiserror::Error;

/// The port of HTTPS.
const HTTPS_PORT: u16 = 443;

/// The address of a license authority: `https://HOST` or `https://HOST:PORT`, and nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthorityUrl {
    host: String,
    port: u16,
}

/// Why a text is not the address of a license authority.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum AddressError {
    /// Messages would go in the clear.
    #[error("{0} is not https, and nothing is sent in the clear")]
    NotHttps(String),
    /// Not of the form of one.
    #[error("{0:?} is not an address")]
    Form(String),
    /// A user, a path or a query.
    #[error("{0:?} has more than a host and a port")]
    More(String),
}

impl AuthorityUrl {
    /// Reads one.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let form = || AddressError::Form(shown(text));
        let Some((scheme, rest)) = text.split_once("://") else {
            return Err(form());
        };
        if scheme.contains('@') {
            return Err(form());
        }
        if !scheme.eq_ignore_ascii_case("https") {
            return Err(AddressError::NotHttps(shown(text)));
        }
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        if rest.contains(['@', '/', '?', '#']) {
            return Err(AddressError::More(shown(text)));
        }
        let (host, port) = split(rest).ok_or_else(form)?;
        ServerName::try_from(host).map_err(|_| form())?;
        Ok(Self {
            host: host.to_owned(),
            port,
        })
    }

    /// Its name or address.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Its TCP port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What its certificate is to be for; none never: it was read as one.
    pub(crate) fn server_name(&self) -> Option<ServerName<'static>> {
        ServerName::try_from(self.host.clone()).ok()
    }
}

/// What of a mistyped address may be shown: the scheme and the host. A password may be before an `@`, a token in the rest.
pub(crate) fn shown(text: &str) -> String {
    let (before, host) = text.rsplit_once('@').unwrap_or(("", text));
    let (scheme, host) = match host.split_once("://") {
        Some((scheme, host)) => (Some(scheme), host),
        // It was before the user.
        None => (before.split_once("://").map(|(scheme, _)| scheme), host),
    };
    let scheme = scheme.filter(|text| text.bytes().all(|b| b.is_ascii_alphabetic()));
    let scheme = scheme.map(|scheme| format!("{scheme}://"));
    let user = if before.is_empty() { "" } else { "...@" };
    // After a user a blank is of no host.
    let of_host =
        |c: char| c.is_alphanumeric() || ".-_:[]".contains(c) || (c == ' ' && before.is_empty());
    let end = host.find(|c| !of_host(c)).unwrap_or(host.len());
    let rest = if end < host.len() { "..." } else { "" };
    format!("{}{user}{}{rest}", scheme.unwrap_or_default(), &host[..end])
}

/// Host and port of `HOST`, `HOST:PORT` or `[HOST]:PORT`.
fn split(text: &str) -> Option<(&str, u16)> {
    let (host, port) = match text.strip_prefix('[') {
        Some(bracketed) => bracketed.split_once(']')?,
        None => text.split_at(text.find(':').unwrap_or(text.len())),
    };
    if port.is_empty() {
        return Some((host, HTTPS_PORT));
    }
    let port: u16 = port.strip_prefix(':')?.parse().ok()?;
    (port != 0).then_some((host, port))
}

/// `HOST:PORT`, as in a header or a CONNECT.
impl fmt::Display for AuthorityUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_address(f, &self.host, self.port)
    }
}

pub(super) fn write_address(f: &mut fmt::Formatter<'_>, host: &str, port: u16) -> fmt::Result {
    if host.contains(':') {
        write!(f, "[{host}]:{port}")
    } else {
        write!(f, "{host}:{port}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_https_with_a_host_and_perhaps_a_port() {
        let good = [
            ("https://authority.example", "authority.example:443"),
            ("https://authority.example:8443/", "authority.example:8443"),
            ("HTTPS://10.0.0.1:1", "10.0.0.1:1"),
            ("https://[2001:db8::1]:8443", "[2001:db8::1]:8443"),
        ];
        for (text, shown) in good {
            assert_eq!(AuthorityUrl::parse(text).unwrap().to_string(), shown);
        }
    }

    #[test]
    fn anything_else_is_refused_and_shows_no_password() {
        let bad = [
            (
                "http://authority.example",
                "http://authority.example is not https, and nothing is sent in the clear",
            ),
            (
                "http://u:secret@authority.example",
                "http://...@authority.example is not https, and nothing is sent in the clear",
            ),
            (
                "u:secret@authority.example",
                r#""...@authority.example" is not an address"#,
            ),
            (
                "u:secret@http://authority.example",
                r#""http://...@authority.example" is not an address"#,
            ),
            (
                "https://u:sec@ret@authority.example:1/?token=secret",
                r#""https://...@authority.example:1..." has more than a host and a port"#,
            ),
            (
                "https://authority.example?token=secret",
                r#""https://authority.example..." has more than a host and a port"#,
            ),
            (
                "https://authority.example/?to=a@b.example&token=secret",
                r#""https://...@b.example..." has more than a host and a port"#,
            ),
            (
                "authority.example/#secret",
                r#""authority.example..." is not an address"#,
            ),
            (
                "https://authority.example:secret@",
                r#""https://...@" has more than a host and a port"#,
            ),
            (
                "https://u:secret@authority.example",
                r#""https://...@authority.example" has more than a host and a port"#,
            ),
            (
                "https://authority.example/v2",
                r#""https://authority.example..." has more than a host and a port"#,
            ),
            (
                "authority.example",
                r#""authority.example" is not an address"#,
            ),
            ("https://", r#""https://" is not an address"#),
            ("https://a b", r#""https://a b" is not an address"#),
            ("https://a:", r#""https://a:" is not an address"#),
            ("https://[::1", r#""https://[::1" is not an address"#),
            ("https://a:0", r#""https://a:0" is not an address"#),
            ("https://a:70000", r#""https://a:70000" is not an address"#),
        ];
        for (text, error) in bad {
            let said = AuthorityUrl::parse(text).unwrap_err().to_string();
            assert_eq!(said, error);
            assert!(!said.contains("secret"), "{said}");
        }
    }
}
