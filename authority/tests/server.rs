//! An authority as nodes and people meet it: real TLS on loopback, a port and a folder of its own.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test fails by it")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use api::smart::{
    Answer, EntitlementRequest, Envelope, FailureCode, Header, IdToken, InstanceId, Nonce, Octets,
    Registration, RegistrationAnswer, Reply, ReplyBody, ReplyEnvelope, Request, RequestBody,
    SIGNER_PURPOSE_DER, Serial, Sudi, TagDemand, Verdict, Version, WireError,
};
use authority::{Config, Database, Server};
use licensing::{Catalog, LicenseCount, Wall};
use rcgen::{CertificateParams, KeyPair, PKCS_ED25519, SigningKey};
use ring::signature::{ED25519, UnparsedPublicKey};
use rustls::crypto::ring::default_provider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ClientConfig, RootCertStore};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

#[path = "../src/rig/database.rs"]
mod database;

const PASSWORD: &str = "analytical engine";

struct Rig {
    dir: tempfile::TempDir,
    server: Server,
    token: String,
}

struct Node {
    key: KeyPair,
    registered: Option<RegistrationAnswer>,
}

fn config(dir: &tempfile::TempDir, speedup: Option<u32>) -> Config {
    let url = database::url_of(dir.path());
    Config {
        database: url.map(|url| Database::new(&url, None).unwrap()),
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        speedup,
        ..Config::new(dir.path().join("state"))
    }
}

impl Rig {
    async fn new(speedup: Option<u32>) -> Self {
        Self::with(speedup, |_| {}).await
    }

    async fn with(speedup: Option<u32>, change: impl FnOnce(&mut Config)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut config = config(&dir, speedup);
        change(&mut config);
        let server = Server::start(config).await.unwrap();
        let secret = server.setup_secret().unwrap().reveal().to_owned();
        let mut rig = Self {
            dir,
            server,
            token: String::new(),
        };
        let setup = json!({
            "secret": secret, "domain": "example.org", "name": "Example",
            "user": "ada", "password": PASSWORD,
        });
        assert_eq!(rig.post("/v1/setup", setup).await.0, 201);
        let login = json!({ "user": "ada", "password": PASSWORD });
        let (_, session) = rig.post("/v1/login", login).await;
        rig.token = session["token"].as_str().unwrap().to_owned();
        rig
    }

    fn url(&self, path: &str) -> String {
        format!("https://localhost:{}{path}", self.server.address().port())
    }

    /// A client that trusts the authority's root, and presents a node's certificate.
    fn client(
        &self,
        identity: Option<(Vec<CertificateDer<'static>>, &KeyPair)>,
    ) -> reqwest::Client {
        let mut roots = RootCertStore::empty();
        let root = self.server.authority().root().to_vec();
        roots.add(CertificateDer::from(root)).unwrap();
        let config = ClientConfig::builder_with_provider(default_provider().into())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots);
        let config = match identity {
            None => config.with_no_client_auth(),
            Some((chain, key)) => {
                let key = PrivatePkcs8KeyDer::from(key.serialize_der());
                let key = PrivateKeyDer::Pkcs8(key);
                config.with_client_auth_cert(chain, key).unwrap()
            }
        };
        reqwest::Client::builder()
            .tls_backend_preconfigured(config)
            .timeout(Duration::from_secs(120))
            .resolve("localhost", self.server.address())
            .no_proxy()
            .build()
            .unwrap()
    }

    /// A connection on which anything can be said.
    async fn tls(&self) -> TlsStream<TcpStream> {
        let mut roots = RootCertStore::empty();
        let root = self.server.authority().root().to_vec();
        roots.add(CertificateDer::from(root)).unwrap();
        let config = ClientConfig::builder_with_provider(default_provider().into())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let stream = TcpStream::connect(self.server.address()).await.unwrap();
        let name = "localhost".try_into().unwrap();
        let connector = TlsConnector::from(Arc::new(config));
        connector.connect(name, stream).await.unwrap()
    }

    async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        let request = self.client(None).post(self.url(path));
        let request = request.bearer_auth(&self.token).body(body.to_string());
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        let text = response.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    async fn virtual_account(&self, path: &str, body: Value) -> Value {
        let base = "/v1/accounts/example.org/virtual-accounts/Default";
        let (status, made) = self.post(&format!("{base}{path}"), body).await;
        assert_eq!(status, 201, "{made}");
        made
    }

    async fn send(&self, client: &reqwest::Client, envelope: &Envelope) -> reqwest::Result<Reply> {
        let request = client.post(self.url("/v1/smart")).body(envelope.octets());
        let response = request.send().await?;
        assert_eq!(response.status(), 200);
        let octets = response.bytes().await?;
        let envelope = ReplyEnvelope::read(&octets).unwrap();
        let opened = envelope.open(|text, envelope| {
            let (_, signer) = x509_parser::parse_x509_certificate(&envelope.chain[0].0).unwrap();
            let usage = signer.extended_key_usage().unwrap().unwrap();
            assert_eq!(usage.value.other[0].as_bytes(), SIGNER_PURPOSE_DER);
            let key = &signer.public_key().subject_public_key.data;
            UnparsedPublicKey::new(&ED25519, key)
                .verify(text, &envelope.signature.value.0)
                .map_err(|_| WireError::NotAuthentic)
        });
        Ok(opened.unwrap())
    }

    /// Enters 10 licenses of PGW and registers a node.
    async fn node(&self, lab: bool) -> Node {
        let new = json!({ "license": "PGW", "quantity": 10, "licenseType": "PERPETUAL" });
        self.virtual_account("/licenses", new).await;
        let token = self.virtual_account("/tokens", json!({})).await;
        let token = token["token"].as_str().unwrap();
        let mut node = Node::new();
        let envelope = node.envelope(node.registration(token, lab));
        let reply = self.send(&self.client(None), &envelope).await.unwrap();
        let ReplyBody::Ok(Answer::Registration(answer)) = reply.body else {
            panic!("{:?}", reply.body);
        };
        node.registered = Some(answer);
        node
    }
}

impl Node {
    fn new() -> Self {
        Self {
            key: KeyPair::generate_for(&PKCS_ED25519).unwrap(),
            registered: None,
        }
    }

    fn chain(&self) -> Vec<CertificateDer<'static>> {
        let chain = self.registered.as_ref().unwrap().certificates.iter();
        chain
            .map(|der| CertificateDer::from(der.0.clone()))
            .collect()
    }

    fn serial(&self) -> Option<Serial> {
        let der = &self.registered.as_ref()?.certificates[0].0;
        let (_, read) = x509_parser::parse_x509_certificate(der).unwrap();
        Some(Serial::of(read.raw_serial()))
    }

    fn instance(&self) -> Option<InstanceId> {
        let registered = self.registered.as_ref();
        registered.map(|answer| answer.product_instance_identifier.clone())
    }

    fn registration(&self, token: &str, lab: bool) -> RequestBody {
        let csr = CertificateParams::default().serialize_request(&self.key);
        RequestBody::Registration(Registration {
            idtoken: IdToken::new(token).unwrap(),
            csr: Octets(csr.unwrap().der().to_vec()),
            software_tag_identifier: Catalog::staros().products()[0].tag.clone(),
            software_version: "0.1.0".into(),
            hostname: None,
            force: false,
            lab,
        })
    }

    fn entitlement(&self, in_use: u32) -> RequestBody {
        let catalog = Catalog::staros();
        let pgw = catalog.service_named("PGW").unwrap();
        let demand = TagDemand {
            tag: catalog.services()[pgw.at()].tag.clone(),
            in_use: LicenseCount(in_use),
            requested: LicenseCount(in_use + 1),
            held: None,
        };
        RequestBody::Entitlement(EntitlementRequest {
            tags: vec![demand],
            reports: Vec::new(),
            oldest_report: None,
        })
    }

    fn envelope(&self, body: RequestBody) -> Envelope {
        let since = std::time::UNIX_EPOCH.elapsed().unwrap().as_millis();
        let header = Header {
            version: Version,
            timestamp: Wall(i64::try_from(since).unwrap()),
            nonce: Nonce(rand_u64()),
            sudi: Sudi {
                udi_pid: "VPC-SI".into(),
                udi_serial_number: "SN1".into(),
            },
            product_instance_identifier: self.instance(),
            id_cert_serial_number: self.serial(),
            signing_cert_serial_number: None,
            orders: None,
        };
        let mut key = [0; 32];
        key.copy_from_slice(self.key.public_key_raw());
        Envelope::seal(&Request { header, body }, key, |text| {
            self.key.sign(text).unwrap()
        })
    }
}

fn rand_u64() -> u64 {
    use ring::rand::SecureRandom;
    let mut octets = [0; 8];
    ring::rand::SystemRandom::new().fill(&mut octets).unwrap();
    u64::from_be_bytes(octets)
}

fn verdict(reply: Reply) -> (Verdict, u32) {
    let ReplyBody::Ok(Answer::Authorization(answer)) = reply.body else {
        panic!("{:?}", reply.body);
    };
    let said = &answer.verdicts[0];
    (said.verdict, said.granted.unwrap().licenses.0)
}

//= L11
#[tokio::test]
async fn a_node_registers_over_https_and_asks_with_its_certificate() {
    // Nobody else comes to this address while nobody listens there.
    let own = SocketAddr::from(([127, 0, 62, 1], 0));
    let rig = Rig::with(None, |config| config.listen = own).await;
    let node = rig.node(false).await;
    let client = rig.client(Some((node.chain(), &node.key)));
    let reply = rig.send(&client, &node.envelope(node.entitlement(3))).await;
    assert_eq!(verdict(reply.unwrap()), (Verdict::Authorized, 4));
    let naked = rig.client(None);
    let reply = rig.send(&naked, &node.envelope(node.entitlement(3))).await;
    let ReplyBody::Failed { code, message, .. } = reply.unwrap().body else {
        panic!("it was done");
    };
    assert_eq!(code, FailureCode::CertificateInvalid);
    assert_eq!(
        message,
        "the connection was made without the identity certificate"
    );

    // It stops, starts again, and goes on with what it knew.
    let Rig { dir, server, token } = rig;
    let address = server.address();
    server.stop().await;
    assert!(TcpStream::connect(address).await.is_err());
    let server = Server::start(Config {
        listen: own,
        ..config(&dir, None)
    });
    let server = server.await.unwrap();
    assert!(server.setup_secret().is_none());
    let rig = Rig { dir, server, token };
    let client = rig.client(Some((node.chain(), &node.key)));
    let reply = rig
        .send(&client, &node.envelope(node.entitlement(11)))
        .await;
    assert_eq!(verdict(reply.unwrap()), (Verdict::OutOfCompliance, 10));
    rig.server.stop().await;
}

//= TS 33.117 4.2.3.4.4.1
#[tokio::test]
async fn a_certificate_of_another_authority_is_refused() {
    let rig = Rig::new(None).await;
    let other = Rig::new(None).await;
    let node = other.node(false).await;
    let client = rig.client(Some((node.chain(), &node.key)));
    let refused = rig.send(&client, &node.envelope(node.entitlement(1))).await;
    assert!(refused.is_err());
    let trusts_other = other.client(None).get(rig.url("/v1/health")).send().await;
    assert!(trusts_other.is_err(), "and ours by its nodes");
}

//= TS 33.117 4.2.3.2.4
#[tokio::test]
async fn plain_http_is_refused_with_words() {
    let rig = Rig::new(None).await;
    let mut stream = TcpStream::connect(rig.server.address()).await.unwrap();
    stream
        .write_all(b"POST /v1/smart HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(
        answer.starts_with("HTTP/1.1 400 Bad Request\r\n"),
        "{answer}"
    );
    assert!(
        answer.contains("this license authority speaks HTTPS only"),
        "{answer}"
    );
}

#[tokio::test]
async fn a_slow_handshake_holds_nobody_up_and_too_long_a_message_is_refused() {
    let rig = Rig::new(None).await;
    let mut silent = Vec::new();
    for _ in 0..20 {
        silent.push(TcpStream::connect(rig.server.address()).await.unwrap());
    }
    let health = rig
        .client(None)
        .get(rig.url("/v1/health"))
        .send()
        .await
        .unwrap();
    assert_eq!(health.status(), 200);
    let long = vec![b' '; 1024 * 1024 + 1];
    let request = rig.client(None).post(rig.url("/v1/smart")).body(long);
    assert_eq!(request.send().await.unwrap().status(), 413);
}

/// All that comes until the other side ends it, within a generous time.
async fn to_end(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut octets = Vec::new();
    let read = timeout(Duration::from_secs(60), stream.read_to_end(&mut octets));
    // A connection that is reset has ended, too.
    drop(read.await.expect("it was cut off"));
    String::from_utf8_lossy(&octets).into_owned()
}

/// Seconds that suffice for what is to be done, on a busy machine, too.
const SHORT_S: u32 = 5;

/// Says this and no more, and hears all that comes.
async fn said_and_silent(mut stream: impl AsyncRead + AsyncWrite + Unpin, text: &[u8]) -> String {
    stream.write_all(text).await.unwrap();
    to_end(&mut stream).await
}

#[tokio::test]
async fn whoever_is_slow_is_cut_off_at_each_step() {
    let rig = Rig::with(None, |config| config.request_timeout_s = SHORT_S).await;
    let tcp = || async { TcpStream::connect(rig.server.address()).await.unwrap() };
    let (silent, half, head, body, idle) =
        tokio::join!(tcp(), tcp(), rig.tls(), rig.tls(), rig.tls());
    let (silent, half, head, body, idle) = tokio::join!(
        said_and_silent(silent, b""),
        said_and_silent(half, &[22, 3, 1, 2]),
        said_and_silent(head, b"GET /v1/health HTTP/1.1\r\nhost: localhost\r\n"),
        said_and_silent(
            body,
            b"POST /v1/login HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n\r\n{"
        ),
        said_and_silent(idle, b"GET /v1/health HTTP/1.1\r\nhost: localhost\r\n\r\n"),
    );
    assert_eq!((silent.as_str(), half.as_str()), ("", ""));
    assert!(!head.contains("200 OK"), "{head}");
    assert!(body.starts_with("HTTP/1.1 408 "), "{body}");
    assert!(body.contains("connection: close"), "{body}");
    assert!(idle.starts_with("HTTP/1.1 200 OK"), "{idle}");
}

#[tokio::test]
async fn a_head_has_a_greatest_length() {
    let rig = Rig::new(None).await;
    let mut stream = rig.tls().await;
    let long = format!(
        "GET /v1/health HTTP/1.1\r\nhost: localhost\r\nx: {}",
        "x".repeat(17_000)
    );
    // It may be cut off before all of it is written.
    drop(stream.write_all(long.as_bytes()).await);
    assert!(!to_end(&mut stream).await.contains("200 OK"));
}

#[tokio::test]
async fn an_address_has_so_many_connections_and_others_are_served_meanwhile() {
    let rig = Rig::with(None, |config| {
        config.connections_per_address_max = 2;
        // Nothing is closed for being slow as long as the test waits.
        config.request_timeout_s = 3_600;
    })
    .await;
    let address = rig.server.address();
    let from = |last: u8| async move {
        let socket = TcpSocket::new_v4().unwrap();
        socket
            .bind(SocketAddr::from(([127, 0, 0, last], 0)))
            .unwrap();
        socket.connect(address).await.unwrap()
    };
    let held = [from(2).await, from(2).await];
    assert_eq!(to_end(&mut from(2).await).await, "", "closed at once");
    // Whoever speaks plain HTTP gets an answer, and that is enough here.
    let asked = |mut stream: TcpStream| async move {
        // A connection that is closed at once may take nothing.
        drop(stream.write_all(b"GET / HTTP/1.1\r\n\r\n").await);
        to_end(&mut stream).await.starts_with("HTTP/1.1 400")
    };
    assert!(asked(from(3).await).await);
    drop(held);
    let again = async { while !asked(from(2).await).await {} };
    timeout(Duration::from_secs(60), again).await.unwrap();
}

#[tokio::test]
async fn connections_beyond_the_most_wait_and_are_served_when_others_end() {
    let rig = Rig::with(None, |config| {
        config.connections_max = 1;
        config.request_timeout_s = SHORT_S;
    })
    .await;
    let silent = TcpStream::connect(rig.server.address()).await.unwrap();
    let health = rig.client(None).get(rig.url("/v1/health")).send().await;
    assert_eq!(health.unwrap().status(), 200);
    // One at a time: that before it was cut off by then, and what has ended can be read to its end without waiting.
    let ended = silent.try_read(&mut [0]);
    assert_eq!(ended.unwrap(), 0);
}

//= TS 33.117 4.3.2.7
#[tokio::test]
async fn files_with_secrets_are_their_owners() {
    use std::os::unix::fs::PermissionsExt;
    let rig = Rig::new(None).await;
    let state = rig.dir.path().join("state");
    let mode = |file: &str| {
        let metadata = std::fs::metadata(state.join(file)).unwrap();
        metadata.permissions().mode() & 0o777
    };
    let store = database::url_of(rig.dir.path()).is_none();
    let keys = ["pki/root.key", "pki/issuing.key", "pki/signer.key"];
    for file in keys.into_iter().chain(store.then_some("authority.sqlite")) {
        assert_eq!(mode(file), 0o600, "{file}");
    }
    assert_eq!(mode("pki"), 0o700);
    rig.server.stop().await;
    let key = state.join("pki/signer.key");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o640)).unwrap();
    let refused = Server::start(config(&rig.dir, None)).await;
    let why = refused.err().unwrap().to_string();
    assert!(
        why.contains("signer.key: others may read this key"),
        "{why}"
    );
}

#[tokio::test]
async fn a_lab_authority_takes_certificates_by_its_calendar() {
    // A day passes in a second.
    let rig = Rig::new(Some(86_400)).await;
    let node = rig.node(true).await;
    let client = rig.client(Some((node.chain(), &node.key)));
    let reply = rig.send(&client, &node.envelope(node.entitlement(3))).await;
    let reply = reply.unwrap();
    assert_eq!(reply.header.lab.unwrap().speedup, 86_400);
    let ahead_ms = reply.header.calendar.0 - reply.header.timestamp.0;
    assert!(ahead_ms > 3_600_000, "{ahead_ms}");
    assert_eq!(verdict(reply), (Verdict::Authorized, 4));
}
