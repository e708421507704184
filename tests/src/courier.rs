//! A courier between nodes and a license authority: it ends the TLS of both, reads every message, and does with it, or with
//! its answer, what a test says. To the authority it speaks with the node's own key and certificate, so that each of the two
//! meets the other's real messages over real connections.

use std::collections::{BTreeMap, VecDeque};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use api::smart::{
    Digest, Envelope, InstanceId, ReportText, Request, RequestBody, RequestType, SMART_PATH,
};
use parking_lot::Mutex;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::crypto::ring::default_provider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::server::WebPkiClientVerifier;
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection, StreamOwned,
};

/// Longest silence of either side; the machine may be busy.
const LIMIT: Duration = Duration::from_secs(60);
/// PKCS#8 of an Ed25519 key, up to its 32 octets (RFC 8410).
const PKCS8_HEAD: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];

/// It goes on until it is dropped.
pub struct Courier {
    address: SocketAddr,
    root: Vec<u8>,
    shared: Arc<Shared>,
    front: Option<JoinHandle<()>>,
}

/// A node's key in PKCS#8, and its certificates.
type Identity = (Vec<u8>, Vec<CertificateDer<'static>>);

/// A message on its way.
pub struct Passage {
    /// What it asks for.
    pub request: Request,
    octets: Vec<u8>,
    /// None: it has none yet.
    identity: Option<Identity>,
    shared: Arc<Shared>,
}

/// What a node gets.
pub enum Answering {
    /// An answer with status 200.
    Whole(Vec<u8>),
    /// One that breaks off after half of what it says that it has.
    Half(Vec<u8>),
    /// One that comes twice over the same connection.
    Twice(Vec<u8>),
    /// The connection ends.
    Nothing,
}

/// What becomes of one message.
pub type Fate = Box<dyn FnOnce(&Passage) -> Result<Answering> + Send>;

/// What was said of messages to come.
type Fates = BTreeMap<&'static str, VecDeque<Fate>>;

struct Shared {
    ended: AtomicBool,
    /// The server that it is, and another one for a while.
    own: Arc<ServerConfig>,
    another: Mutex<Option<Arc<ServerConfig>>>,
    /// Where messages go, and the root that whoever is there stands below.
    authority: (SocketAddr, Vec<u8>),
    /// State directories of nodes.
    nodes: Mutex<Vec<PathBuf>>,
    fates: Mutex<Fates>,
    seen: Mutex<Seen>,
}

/// What came by.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// Kinds of messages, in their order.
    pub kinds: Vec<RequestType>,
    /// Every usage report of an instance once, in the order in which they came first.
    pub reports: BTreeMap<InstanceId, Vec<ReportText>>,
}

impl Courier {
    /// One that carries messages to this authority, and takes certificates of nodes that are below its root.
    pub fn start(authority: SocketAddr, root: &[u8]) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let (own_root, front) = front(root)?;
        let shared = Arc::new(Shared {
            ended: AtomicBool::new(false),
            own: Arc::new(front),
            another: Mutex::default(),
            authority: (authority, root.to_vec()),
            nodes: Mutex::default(),
            fates: Mutex::default(),
            seen: Mutex::default(),
        });
        let accepting = Arc::clone(&shared);
        let front = thread::spawn(move || accept(&listener, &accepting));
        Ok(Self {
            address,
            root: own_root,
            shared,
            front: Some(front),
        })
    }

    /// Where nodes reach it.
    pub fn url(&self) -> String {
        format!("https://localhost:{}", self.address.port())
    }

    /// Its TCP port.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Its own root in DER, for nodes to trust beside the authority's.
    pub fn root(&self) -> &[u8] {
        &self.root
    }

    /// Speaks for the node of this state directory.
    pub fn speak_for(&self, state_dir: impl Into<PathBuf>) {
        self.shared.nodes.lock().push(state_dir.into());
    }

    /// Shows a certificate below another root, of which this is the SHA-256 fingerprint.
    pub fn be_another(&self) -> Result<Digest> {
        let (root, another) = front(&self.shared.authority.1)?;
        *self.shared.another.lock() = Some(Arc::new(another));
        Ok(smart_agent::certificate::digest(&root))
    }

    /// Shows its own certificate again.
    pub fn be_itself(&self) {
        *self.shared.another.lock() = None;
    }

    /// What becomes of the next message of a kind for which nothing was said yet.
    pub fn next(
        &self,
        kind: RequestType,
        fate: impl FnOnce(&Passage) -> Result<Answering> + Send + 'static,
    ) {
        let mut fates = self.shared.fates.lock();
        fates
            .entry(kind.name())
            .or_default()
            .push_back(Box::new(fate));
    }

    /// Whether every message for which something was said has come.
    pub fn is_idle(&self) -> bool {
        self.shared.fates.lock().values().all(VecDeque::is_empty)
    }

    /// What came by until now.
    pub fn seen(&self) -> Seen {
        self.shared.seen.lock().clone()
    }
}

impl Drop for Courier {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::Relaxed);
        // The thread that waits for a connection gets one; it may have ended already.
        drop(TcpStream::connect(self.address));
        if let Some(front) = self.front.take() {
            drop(front.join());
        }
    }
}

impl Passage {
    /// Hands it to the authority; the answer.
    pub fn deliver(&self) -> Result<Vec<u8>> {
        let (address, root) = self.shared.authority.clone();
        self.deliver_to(address, root, self.identity.as_ref())
    }

    /// Hands it to another authority, which has no certificate for this node; the answer.
    pub fn deliver_elsewhere(&self, address: SocketAddr, root: &[u8]) -> Result<Vec<u8>> {
        self.deliver_to(address, root.to_vec(), None)
    }

    fn deliver_to(
        &self,
        address: SocketAddr,
        root: Vec<u8>,
        identity: Option<&Identity>,
    ) -> Result<Vec<u8>> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from(root))?;
        let config = ClientConfig::builder_with_provider(default_provider().into())
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots);
        let config = match identity {
            None => config.with_no_client_auth(),
            Some((key, chain)) => {
                let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.clone()));
                config.with_client_auth_cert(chain.clone(), key)?
            }
        };
        let name = ServerName::try_from("localhost")?;
        let connection = ClientConnection::new(Arc::new(config), name)?;
        let stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(LIMIT))?;
        let mut stream = BufReader::new(StreamOwned::new(connection, stream));
        let head = format!(
            "POST {SMART_PATH} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {}\r\n\r\n",
            self.octets.len()
        );
        stream.get_mut().write_all(head.as_bytes())?;
        stream.get_mut().write_all(&self.octets)?;
        let (line, body) = read_message(&mut stream)?;
        ensure!(line.starts_with("HTTP/1.1 200 "), "{line}");
        Ok(body)
    }

    /// Usage reports in it.
    fn reports(&self) -> &[ReportText] {
        match &self.request.body {
            RequestBody::Entitlement(asked) => &asked.reports,
            RequestBody::Deregistration(asked) => &asked.reports,
            RequestBody::Registration(_)
            | RequestBody::Renew(_)
            | RequestBody::Acknowledgement(_)
            | RequestBody::TrustPool(_) => &[],
        }
    }
}

/// It never reaches the authority.
pub fn lost(_: &Passage) -> Result<Answering> {
    Ok(Answering::Nothing)
}

/// It reaches the authority, and the answer does not come back.
pub fn unanswered(passage: &Passage) -> Result<Answering> {
    passage.deliver()?;
    Ok(Answering::Nothing)
}

/// A certificate for `localhost` below a root of our own, and whoever has one below the authority's may come.
fn front(authority_root: &[u8]) -> Result<(Vec<u8>, ServerConfig)> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::default();
    params
        .distinguished_name
        .push(DnType::CommonName, "courier");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root = params.self_signed(&key)?.der().to_vec();
    let issuer = Issuer::new(params, key);
    let own = KeyPair::generate()?;
    let params = CertificateParams::new(["localhost".to_owned()])?;
    let certificate = params.signed_by(&own, &issuer)?.der().clone();
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from(authority_root.to_vec()))?;
    let provider = Arc::new(default_provider());
    let clients = WebPkiClientVerifier::builder_with_provider(roots.into(), Arc::clone(&provider))
        .allow_unauthenticated()
        .build()?;
    let chain = vec![certificate, CertificateDer::from(root.clone())];
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(own.serialize_der()));
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_client_cert_verifier(clients)
        .with_single_cert(chain, key)?;
    Ok((root, config))
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for stream in listener.incoming() {
        if shared.ended.load(Ordering::Relaxed) {
            return;
        }
        let Ok(stream) = stream else { continue };
        let shared = Arc::clone(shared);
        thread::spawn(move || {
            // Whoever waits for an answer sees that there is none.
            if let Err(error) = serve(stream, &shared) {
                eprintln!("courier: {error:#}");
            }
        });
    }
}

fn serve(stream: TcpStream, shared: &Arc<Shared>) -> Result<()> {
    stream.set_read_timeout(Some(LIMIT))?;
    let connection = ServerConnection::new(shared.config())?;
    let mut stream = BufReader::new(StreamOwned::new(connection, stream));
    let (line, octets) = read_message(&mut stream)?;
    ensure!(line.starts_with(&format!("POST {SMART_PATH} ")), "{line}");
    let stream = stream.get_mut();
    let passage = passage(stream, octets, shared)?;
    let kind = passage.request.body.kind();
    note(&passage, kind, shared);
    let mut fates = shared.fates.lock();
    let fate = fates.get_mut(kind.name()).and_then(VecDeque::pop_front);
    drop(fates);
    let answering = match fate {
        Some(fate) => fate(&passage)?,
        None => passage.deliver().map(Answering::Whole)?,
    };
    // A node that has given up is not there any more.
    let _gone = answer(stream, &answering);
    let _gone = stream.sock.shutdown(Shutdown::Both);
    Ok(())
}

fn passage(
    stream: &StreamOwned<ServerConnection, TcpStream>,
    octets: Vec<u8>,
    shared: &Arc<Shared>,
) -> Result<Passage> {
    let envelope = Envelope::read(&octets)?;
    let key = &envelope.credential.public_key.0;
    let request = envelope.open(|_, _| true)?;
    let chain = stream.conn.peer_certificates();
    let identity = match chain {
        None => None,
        Some(chain) => {
            let chain = chain.iter().map(|der| der.clone().into_owned());
            Some((shared.key_of(key)?, chain.collect()))
        }
    };
    Ok(Passage {
        request,
        octets,
        identity,
        shared: Arc::clone(shared),
    })
}

fn note(passage: &Passage, kind: RequestType, shared: &Shared) {
    let mut seen = shared.seen.lock();
    seen.kinds.push(kind);
    let Some(instance) = &passage.request.header.product_instance_identifier else {
        return;
    };
    let reports = seen.reports.entry(instance.clone()).or_default();
    for report in passage.reports() {
        if !reports.contains(report) {
            reports.push(report.clone());
        }
    }
}

impl Shared {
    fn config(&self) -> Arc<ServerConfig> {
        let another = self.another.lock();
        Arc::clone(another.as_ref().unwrap_or(&self.own))
    }

    /// The key of the node that has this public one, in PKCS#8.
    fn key_of(&self, public: &[u8]) -> Result<Vec<u8>> {
        let keys = self.nodes.lock();
        let keys = keys.iter().map(|dir| -> Result<_> {
            let seed = fs::read(dir.join("identity.key"))?;
            let pkcs8 = [&PKCS8_HEAD[..], &seed].concat();
            let der = PrivatePkcs8KeyDer::from(pkcs8.clone());
            Ok((KeyPair::try_from(&der)?.public_key_raw().to_vec(), pkcs8))
        });
        let keys: Vec<_> = keys.collect::<Result<_>>()?;
        let found = keys.into_iter().find(|(of, _)| of == public);
        Ok(found.context("a node that the courier speaks for")?.1)
    }
}

fn answer(
    stream: &mut StreamOwned<ServerConnection, TcpStream>,
    answering: &Answering,
) -> Result<()> {
    let (octets, times) = match answering {
        Answering::Nothing => return Ok(()),
        Answering::Whole(octets) | Answering::Half(octets) => (octets, 1),
        Answering::Twice(octets) => (octets, 2),
    };
    let written = match answering {
        Answering::Half(_) => octets.len() / 2,
        Answering::Whole(_) | Answering::Twice(_) | Answering::Nothing => octets.len(),
    };
    for _ in 0..times {
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            octets.len()
        );
        stream.write_all(head.as_bytes())?;
        stream.write_all(&octets[..written])?;
    }
    stream.conn.send_close_notify();
    stream.flush()?;
    Ok(())
}

/// The first line of a message of HTTP, and its body.
fn read_message(stream: &mut impl BufRead) -> Result<(String, Vec<u8>)> {
    let mut first = String::new();
    stream.read_line(&mut first)?;
    let mut length = 0;
    loop {
        let mut line = String::new();
        ensure!(stream.read_line(&mut line)? > 0, "it broke off");
        let Some((name, value)) = line.trim_end().split_once(':') else {
            break;
        };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse()?;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    Ok((first, body))
}
