//! HTTP/1.1, with or without TLS: one request, one connection.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue, IF_NONE_MATCH, USER_AGENT};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use zeroize::Zeroizing;

use super::{Account, Cause, Method, Roots, Sent, connect};

const STEP: &str = "take the file";

/// What is asked, and how.
pub(super) struct Target<'a> {
    pub(super) method: Method,
    pub(super) account: Option<&'a Account>,
    pub(super) tls: Option<&'a Roots>,
}

pub(super) async fn send(
    to: (&str, u16),
    target: Target<'_>,
    name: &str,
    octets: Bytes,
) -> Result<Sent, Cause> {
    let request = request(to, &target, name, octets)?;
    let stream = connect(to).await?;
    let status = match target.tls {
        None => ask(stream, request).await?,
        Some(roots) => {
            let host = ServerName::try_from(to.0.to_owned()).map_err(|e| Cause::tls(&e))?;
            let connector = TlsConnector::from(roots.config());
            let shaken = connector.connect(host, stream).await;
            let stream = shaken.map_err(|error| Cause::tls(&error))?;
            ask(stream, request).await?
        }
    };
    judge(status, &target, name)
}

fn request(
    (host, port): (&str, u16),
    target: &Target<'_>,
    name: &str,
    octets: Bytes,
) -> Result<Request<Full<Bytes>>, Cause> {
    let host = match host.contains(':') {
        true => format!("[{host}]:{port}"),
        false => format!("{host}:{port}"),
    };
    let method = match target.method {
        Method::Put => "PUT",
        Method::Post => "POST",
    };
    let mut request = Request::builder()
        .method(method)
        .uri(path(name))
        .header(HOST, host)
        .header(CONTENT_TYPE, "application/octet-stream")
        .header(USER_AGENT, concat!("tollgate/", env!("CARGO_PKG_VERSION")));
    if target.method == Method::Put {
        // What is there stays, with a receiver that knows this (RFC 9110, section 13.1.2).
        request = request.header(IF_NONE_MATCH, "*");
    }
    if let Some(account) = target.account {
        request = request.header(AUTHORIZATION, basic(account)?);
    }
    let request = request.body(Full::new(octets));
    // What it is made of was looked at but for the host.
    request.map_err(|_| Cause::Unresolved {
        why: "it is no name of a host".into(),
    })
}

/// RFC 7617.
fn basic(account: &Account) -> Result<HeaderValue, Cause> {
    let pair = Zeroizing::new(format!("{}:{}", account.user, account.password.as_str()));
    let text = Zeroizing::new(format!("Basic {}", STANDARD.encode(pair.as_bytes())));
    let mut value = HeaderValue::from_str(&text).map_err(|_| Cause::Login {
        user: account.user.clone(),
    })?;
    value.set_sensitive(true);
    Ok(value)
}

/// The path of a name: what is not in RFC 3986's unreserved, or a slash, is percent-encoded.
fn path(name: &str) -> String {
    let mut path = String::from("/");
    for byte in name.trim_start_matches('/').bytes() {
        match byte {
            b'-' | b'.' | b'_' | b'~' | b'/' => path.push(char::from(byte)),
            _ if byte.is_ascii_alphanumeric() => path.push(char::from(byte)),
            _ => path.push_str(&format!("%{byte:02X}")),
        }
    }
    path
}

async fn ask<S>(stream: S, request: Request<Full<Bytes>>) -> Result<StatusCode, Cause>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let shaken = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = shaken.map_err(|error| broke(&error))?;
    // The connection is worked here, not by a task of its own: whoever gives up on this future closes it.
    let exchange = sender.send_request(request);
    tokio::pin!(connection, exchange);
    let response = tokio::select! {
        answer = &mut exchange => answer,
        // It may end with the answer in it.
        _ended = &mut connection => exchange.await,
    };
    Ok(response.map_err(|error| broke(&error))?.status())
}

fn broke(error: &hyper::Error) -> Cause {
    match error.is_parse() {
        true => Cause::Protocol {
            why: "no answer of HTTP".into(),
        },
        false => Cause::Closed { step: STEP },
    }
}

/// What a status says of the file (RFC 9110, RFC 4918).
fn judge(status: StatusCode, target: &Target<'_>, name: &str) -> Result<Sent, Cause> {
    let said = || format!("status {}", status.as_u16());
    let named = || name.to_owned();
    match status.as_u16() {
        200 | 201 | 204 => Ok(Sent::Now),
        // It may do what it does with a file later, but it can't store one later.
        202 if target.method == Method::Post => Ok(Sent::Now),
        401 => Err(Cause::Login {
            user: target
                .account
                .map_or("nobody", |account| &account.user)
                .to_owned(),
        }),
        412 => Err(Cause::NameTaken { name: named() }),
        507 => Err(Cause::NoSpace),
        // 409: there is no collection to put it in.
        403 | 404 | 405 | 409 | 410 => Err(Cause::Denied {
            name: named(),
            said: said(),
        }),
        _ => Err(Cause::Refused {
            step: STEP,
            said: said(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_percent_encoded() {
        assert_eq!(path("/in/a b%?#é.csv"), "/in/a%20b%25%3F%23%C3%A9.csv");
        assert_eq!(path("gw-1_x~.csv"), "/gw-1_x~.csv");
    }

    /// A receiver that knows this keeps what it has (RFC 9110, section 13.1.2).
    #[test]
    fn a_put_asks_that_what_is_there_stays() {
        for (method, asked) in [(Method::Put, Some("*")), (Method::Post, None)] {
            let target = Target {
                method,
                account: None,
                tls: None,
            };
            let request = request(("h", 80), &target, "n", Bytes::new()).unwrap();
            let found = request.headers().get(IF_NONE_MATCH);
            assert_eq!(found.map(|value| value.to_str().unwrap()), asked);
        }
    }

    #[test]
    fn a_status_has_one_cause() {
        let by = |method, status: u16| {
            let target = Target {
                method,
                account: None,
                tls: None,
            };
            judge(StatusCode::from_u16(status).unwrap(), &target, "n")
        };
        let of = |status| by(Method::Put, status);
        for status in [200, 201, 204] {
            assert_eq!(of(status), Ok(Sent::Now));
        }
        assert_eq!(by(Method::Post, 202), Ok(Sent::Now));
        assert_eq!(of(507), Err(Cause::NoSpace));
        let user = "nobody".to_owned();
        assert_eq!(of(401), Err(Cause::Login { user }));
        let name = "n".to_owned();
        assert_eq!(of(412), Err(Cause::NameTaken { name: name.clone() }));
        let said = "status 409".to_owned();
        assert_eq!(of(409), Err(Cause::Denied { name, said }));
        for status in [202, 206, 207, 301, 302, 400, 413, 500, 503] {
            let said = format!("status {status}");
            let refused = Cause::Refused { step: STEP, said };
            assert_eq!(of(status), Err(refused));
        }
    }
}
