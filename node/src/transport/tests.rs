//! Against a TLS server and a proxy on loopback, with certificates made for each test.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    PKCS_ED25519, date_time_ymd,
};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::*;

/// An authority's root, and what it made.
struct Ca {
    root: Vec<u8>,
    issuer: Issuer<'static, KeyPair>,
}

/// What a server is to do.
#[derive(Clone)]
enum Answering {
    /// These octets, whatever comes.
    With(Vec<u8>),
    /// Nothing, and the connection stays.
    Never,
}

/// What arrived at a server.
#[derive(Default)]
struct Arrived {
    heads: Vec<String>,
    bodies: Vec<Vec<u8>>,
    /// Certificates of the client, the first of each connection.
    clients: Vec<Option<Vec<u8>>>,
}

struct Server {
    port: u16,
    arrived: Arc<Mutex<Arrived>>,
}

impl Ca {
    fn new(name: &str) -> Self {
        let key = KeyPair::generate_for(&PKCS_ED25519).unwrap();
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let root = params.self_signed(&key).unwrap().der().to_vec();
        let issuer = Issuer::new(params, key);
        Self { root, issuer }
    }

    /// A certificate for a name, and its key.
    fn issue(&self, name: &str, change: impl FnOnce(&mut CertificateParams)) -> Credentials {
        let key = KeyPair::generate_for(&PKCS_ED25519).unwrap();
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        params.extended_key_usages = vec![
            ExtendedKeyUsagePurpose::ServerAuth,
            ExtendedKeyUsagePurpose::ClientAuth,
        ];
        change(&mut params);
        let made = params.signed_by(&key, &self.issuer).unwrap();
        Credentials {
            key: key.serialize_der().into(),
            chain: vec![made.der().to_vec()],
        }
    }

    fn trusted(&self) -> Trust {
        Trust::in_roots(&[&self.root])
    }
}

fn server_config(
    ca: &Ca,
    mut own: Credentials,
    versions: &[&'static rustls::SupportedProtocolVersion],
) -> ServerConfig {
    own.chain.push(ca.root.clone());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(ca.root.clone().into()).unwrap();
    let clients = WebPkiClientVerifier::builder_with_provider(roots.into(), Arc::clone(&provider))
        .allow_unauthenticated()
        .build()
        .unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(own.key.to_vec()));
    let chain = own.chain.into_iter().map(Into::into).collect();
    ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .unwrap()
        .with_client_cert_verifier(clients)
        .with_single_cert(chain, key)
        .unwrap()
}

const BOTH: &[&rustls::SupportedProtocolVersion] =
    &[&rustls::version::TLS13, &rustls::version::TLS12];

impl Server {
    async fn start(ca: &Ca, answering: Answering) -> Self {
        let own = ca.issue("localhost", |_| {});
        Self::start_with(server_config(ca, own, BOTH), answering).await
    }

    async fn start_with(config: ServerConfig, answering: Answering) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let arrived = Arc::new(Mutex::new(Arrived::default()));
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let seen = Arc::clone(&arrived);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, seen) = (acceptor.clone(), Arc::clone(&seen));
                let answering = answering.clone();
                tokio::spawn(async move {
                    let Ok(mut stream) = acceptor.accept(stream).await else {
                        return;
                    };
                    let client = stream.get_ref().1.peer_certificates();
                    let client = client.and_then(|chain| chain.first());
                    let client = client.map(|der| der.to_vec());
                    let Some((head, body)) = read_request(&mut stream).await else {
                        return;
                    };
                    {
                        let mut seen = seen.lock();
                        seen.heads.push(head);
                        seen.bodies.push(body);
                        seen.clients.push(client);
                    }
                    match answering {
                        Answering::With(octets) => {
                            // A client that has read enough goes away.
                            let _gone = stream.write_all(&octets).await;
                            let _gone = stream.shutdown().await;
                        }
                        Answering::Never => std::future::pending().await,
                    }
                });
            }
        });
        Self { port, arrived }
    }

    fn way(&self) -> Way {
        way(&format!("https://localhost:{}", self.port))
    }
}

async fn read_head(stream: &mut (impl AsyncRead + Unpin)) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    String::from_utf8(head).ok()
}

async fn read_request(stream: &mut (impl AsyncRead + Unpin)) -> Option<(String, Vec<u8>)> {
    let head = read_head(stream).await?;
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        let wanted = name.eq_ignore_ascii_case("content-length");
        wanted.then(|| value.parse().unwrap())
    });
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).await.ok()?;
    Some((head, body))
}

/// A proxy that answers CONNECT with this status line, and makes the tunnel if that is 200.
async fn start_proxy(status: &'static str) -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&asked);
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let Some(head) = read_head(&mut client).await else {
                continue;
            };
            let to = head.split(' ').nth(1).unwrap().to_owned();
            seen.lock().push(head);
            let answer = format!("HTTP/1.1 {status}\r\nVia: 1.1 test\r\n\r\n");
            client.write_all(answer.as_bytes()).await.unwrap();
            if status.starts_with("200") {
                let mut server = TcpStream::connect(to).await.unwrap();
                tokio::spawn(async move {
                    let _ended = tokio::io::copy_bidirectional(&mut client, &mut server).await;
                });
            }
        }
    });
    (port, asked)
}

fn way(authority: &str) -> Way {
    Way {
        authority: Some(AuthorityUrl::parse(authority).unwrap()),
        proxy: None,
        connect: Duration::from_secs(60),
        overall: Duration::from_secs(120),
    }
}

fn through(port: u16, way: Way) -> Way {
    let proxy = Proxy {
        host: "127.0.0.1".into(),
        port,
        credentials: None,
    };
    Way {
        proxy: Some(proxy),
        ..way
    }
}

async fn post(way: Way, trust: Trust, credentials: Option<Credentials>) -> Outcome {
    let parcel = Parcel {
        octets: b"{\"request\":1}".to_vec(),
        trust,
        credentials,
    };
    Transport::new(way).post(parcel).await
}

async fn failure(way: Way, trust: Trust) -> Failure {
    post(way, trust, None).await.answer.unwrap_err()
}

fn answer(status: &str, body: &[u8]) -> Answering {
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    Answering::With([head.as_bytes(), body].concat())
}

#[tokio::test]
async fn a_message_goes_out_and_its_answer_comes_back() {
    let ca = Ca::new("root");
    let server = Server::start(&ca, answer("200 OK", b"{\"reply\":2}")).await;
    let outcome = post(server.way(), ca.trusted(), None).await;
    assert_eq!(outcome.answer.unwrap(), b"{\"reply\":2}");
    assert_eq!(outcome.presented.unwrap().last, ca.root);
    let arrived = server.arrived.lock();
    assert_eq!(arrived.bodies, [b"{\"request\":1}"]);
    assert_eq!(arrived.clients, [None]);
    let head = arrived.heads[0].to_ascii_lowercase();
    assert!(head.starts_with("post /v1/smart http/1.1\r\n"), "{head}");
    let host = format!("\r\nhost: localhost:{}\r\n", server.port);
    assert!(head.contains(&host), "{head}");
    assert!(head.contains("\r\ncontent-type: application/json\r\n"));
}

#[tokio::test]
async fn a_registered_node_shows_its_certificate() {
    let ca = Ca::new("root");
    for versions in [&[&rustls::version::TLS12][..], &[&rustls::version::TLS13]] {
        let config = server_config(&ca, ca.issue("localhost", |_| {}), versions);
        let server = Server::start_with(config, answer("200 OK", b"x")).await;
        let own = ca.issue("node", |_| {});
        let certificate = own.chain[0].clone();
        let outcome = post(server.way(), ca.trusted(), Some(own)).await;
        assert_eq!(outcome.answer.unwrap(), b"x");
        assert_eq!(server.arrived.lock().clients, [Some(certificate)]);
    }
}

#[tokio::test]
async fn a_certificate_that_the_authority_refuses_is_told_as_that() {
    let ca = Ca::new("root");
    let server = Server::start(&ca, answer("200 OK", b"x")).await;
    let foreign = Ca::new("another").issue("node", |_| {});
    let outcome = post(server.way(), ca.trusted(), Some(foreign)).await;
    let said = outcome.answer.unwrap_err().to_string();
    assert!(said.contains("received fatal alert"), "{said}");
    assert!(server.arrived.lock().bodies.is_empty());
}

#[tokio::test]
async fn a_certificate_that_is_not_good_is_told_by_its_cause() {
    let ca = Ca::new("root");
    let names = [
        ("localhost", None, None),
        ("localhost", Some((2020, 2021)), Some("it has expired")),
        ("localhost", Some((2900, 2901)), Some("it is not valid yet")),
        ("elsewhere", None, Some("it is not for localhost")),
    ];
    for (name, years, why) in names {
        let own = ca.issue(name, |params| {
            if let Some((first, last)) = years {
                params.not_before = date_time_ymd(first, 1, 1);
                params.not_after = date_time_ymd(last, 1, 1);
            }
        });
        let config = server_config(&ca, own, BOTH);
        let server = Server::start_with(config, answer("200 OK", b"x")).await;
        let got = post(server.way(), ca.trusted(), None).await.answer;
        let expected = why.map(|why| Failure::Certificate(why.into()));
        assert_eq!(got.err(), expected);
        assert_eq!(server.arrived.lock().bodies.is_empty(), why.is_some());
    }
}

#[tokio::test]
async fn another_authority_is_told_with_the_fingerprint_of_its_root() {
    let ca = Ca::new("root");
    let server = Server::start(&ca, answer("200 OK", b"x")).await;
    let fingerprint = Presented {
        last: ca.root.clone(),
    }
    .fingerprint();
    let expected = Failure::WrongAuthority(fingerprint);
    // The same name and another key, another name, and no root at all.
    for trust in [
        Ca::new("root").trusted(),
        Ca::new("b").trusted(),
        Trust::default(),
    ] {
        let outcome = post(server.way(), trust, None).await;
        assert_eq!(outcome.answer.unwrap_err(), expected);
        assert_eq!(outcome.presented.unwrap().last, ca.root);
    }
    assert!(server.arrived.lock().bodies.is_empty());
}

#[tokio::test]
async fn any_status_but_200_is_a_failure_and_a_redirect_is_not_followed() {
    let ca = Ca::new("root");
    let other = Server::start(&ca, answer("200 OK", b"x")).await;
    let moved = format!(
        "HTTP/1.1 307 Moved\r\nlocation: https://localhost:{}/v1/smart\r\ncontent-length: 0\r\n\r\n",
        other.port
    );
    let cases = [
        (Answering::With(moved.into_bytes()), 307),
        (answer("503 Unavailable", b"later"), 503),
        (answer("204 No Content", b""), 204),
    ];
    for (answering, status) in cases {
        let server = Server::start(&ca, answering).await;
        let got = failure(server.way(), ca.trusted()).await;
        assert_eq!(got, Failure::Status(status));
    }
    assert!(other.arrived.lock().heads.is_empty());
}

#[tokio::test]
async fn an_answer_too_long_or_cut_short_is_not_one() {
    let ca = Ca::new("root");
    let long = vec![b'x'; MESSAGE_BYTES_MAX + 1];
    let whole = answer("200 OK", &long[1..]);
    let server = Server::start(&ca, whole).await;
    let got = post(server.way(), ca.trusted(), None).await.answer;
    assert_eq!(got.unwrap().len(), MESSAGE_BYTES_MAX);

    let server = Server::start(&ca, answer("200 OK", &long)).await;
    let got = failure(server.way(), ca.trusted()).await;
    let said = "it has more than 1048576 bytes".to_owned();
    assert_eq!(got, Failure::CutOff(said));

    let short = b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc".to_vec();
    for octets in [short, b"HTTP/1.1 20".to_vec(), Vec::new()] {
        let server = Server::start(&ca, Answering::With(octets)).await;
        let got = failure(server.way(), ca.trusted()).await;
        assert_eq!(got, Failure::CutOff("the connection broke off".into()));
    }
}

#[tokio::test]
async fn nobody_there_no_name_and_no_authority_are_told_apart() {
    // An address of loopback that nothing else has.
    let refused = failure(way("https://127.0.61.4:8443"), Trust::default()).await;
    let expected = Failure::Unreachable {
        address: "127.0.61.4:8443".into(),
        why: "connection refused".into(),
    };
    assert_eq!(refused, expected);

    let unresolved = failure(way("https://authority.invalid"), Trust::default()).await;
    let Failure::Unresolved(said) = unresolved else {
        panic!("{unresolved:?}");
    };
    assert!(said.starts_with("authority.invalid: "), "{said}");

    let nowhere = Way {
        authority: None,
        ..way("https://a")
    };
    assert_eq!(
        failure(nowhere, Trust::default()).await,
        Failure::NotConfigured
    );
}

#[tokio::test]
async fn whoever_is_silent_is_not_waited_for_longer_than_allowed() {
    let ca = Ca::new("root");
    // Takes connections, and says nothing of TLS.
    let mute = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = mute.local_addr().unwrap().port();
    let short = Duration::from_millis(50);
    let connect = Way {
        connect: short,
        ..way(&format!("https://localhost:{port}"))
    };
    let began = Instant::now();
    assert_eq!(failure(connect, ca.trusted()).await, Failure::Timeout);
    assert!(began.elapsed() < Duration::from_secs(60));
    let server = Server::start(&ca, Answering::Never).await;
    let mut way = server.way();
    way.overall = Duration::from_millis(500);
    // On a busy machine the time may be over before the message is out.
    while server.arrived.lock().bodies.is_empty() && way.overall < Duration::from_secs(60) {
        assert_eq!(failure(way.clone(), ca.trusted()).await, Failure::Timeout);
        way.overall *= 2;
    }
    assert_eq!(server.arrived.lock().bodies.len(), 1);
}

#[tokio::test]
async fn a_server_that_speaks_no_tls_is_not_talked_to() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let plain = b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nx";
        stream.write_all(plain).await.unwrap();
        let mut heard = Vec::new();
        let _broken = stream.read_to_end(&mut heard).await;
        heard
    });
    let authority = format!("https://127.0.0.1:{port}");
    let got = failure(way(&authority), Trust::default()).await;
    let said = got.to_string();
    let expected = format!("can't be reached at 127.0.0.1:{port}: TLS: received corrupt message");
    assert!(said.contains(&expected), "{said}");
    let heard = server.await.unwrap();
    assert!(!heard.windows(9).any(|window| window == b"{\"request"));
}

#[tokio::test]
async fn a_proxy_passes_on_what_it_can_not_read() {
    let ca = Ca::new("root");
    let server = Server::start(&ca, answer("200 OK", b"x")).await;
    let (port, asked) = start_proxy("200 Connection established").await;
    let mut way = through(port, server.way());
    let credentials = ProxyCredentials {
        username: "node".into(),
        password: "hunter2".to_owned().into(),
    };
    way.proxy.as_mut().unwrap().credentials = Some(credentials);
    let own = ca.issue("node", |_| {});
    let outcome = post(way, ca.trusted(), Some(own)).await;
    assert_eq!(outcome.answer.unwrap(), b"x");
    assert!(server.arrived.lock().clients[0].is_some());
    let asked = asked.lock();
    assert_eq!(
        *asked,
        [format!(
            "CONNECT localhost:{port} HTTP/1.1\r\nHost: localhost:{port}\r\n\
             Proxy-Authorization: Basic bm9kZTpodW50ZXIy\r\n\r\n",
            port = server.port
        )]
    );
}

#[tokio::test]
async fn what_a_proxy_says_is_told_as_the_proxys() {
    let cases = [
        (
            "407 Authenticate",
            "it wants a user name and a password (HTTP status 407)",
        ),
        (
            "403 No",
            "it lets nobody through to a.example:443 (HTTP status 403)",
        ),
        (
            "502 Bad Gateway",
            "it can't reach a.example:443 (HTTP status 502)",
        ),
        ("302 Found", "it answered with HTTP status 302"),
        ("abc", "its answer is not one of HTTP"),
    ];
    for (status, why) in cases {
        let (port, _) = start_proxy(status).await;
        let got = failure(through(port, way("https://a.example")), Trust::default()).await;
        let proxy = format!("127.0.0.1:{port}");
        let why = why.to_owned();
        assert_eq!(got, Failure::Proxy { proxy, why });
    }
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = gone.local_addr().unwrap().port();
    drop(gone);
    let got = failure(through(port, way("https://a.example")), Trust::default()).await;
    let said =
        format!("the proxy 127.0.0.1:{port} refuses: it can't be reached: connection refused");
    assert_eq!(got.to_string(), said);
}
