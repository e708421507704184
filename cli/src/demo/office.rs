//! The demo's license authority: it serves on loopback from the demo's own process, and is administered by its API over
//! HTTPS, as any other.

use std::error::Error;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use api::Failure;
use authority::{Config, Server};
use http_body_util::{BodyExt, Full, Limited};
use hyper::Request;
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio_rustls::TlsConnector;

use crate::output;
use crate::show::text;

/// The virtual account that takes new licenses and instances.
const ACCOUNT: &str = "/v1/accounts/example.org/virtual-accounts/Default";

/// Longest wait for an answer, connecting included.
const ANSWER_WAIT: Duration = Duration::from_secs(30);

/// Longest answer accepted, in bytes.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;

/// What a call of the API fails with.
type Because = Box<dyn Error + Send + Sync>;

/// The authority, and its administrator's session.
pub struct Office {
    runtime: Runtime,
    server: Option<Server>,
    config: Config,
    root: Vec<u8>,
    session: String,
}

impl Office {
    /// Makes an authority in this directory, with one Smart Account, one administrator and an empty virtual account
    /// beside the default one.
    pub fn open(state_dir: PathBuf, listen: SocketAddr) -> Result<Self, Failure> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .map_err(|error| failed(&error))?;
        let config = Config {
            listen,
            speedup: Some(1),
            ..Config::new(state_dir)
        };
        let server = runtime.block_on(Server::start(config.clone()));
        let server = server.map_err(|error| failed(&error))?;
        let root = server.authority().root().to_vec();
        let secret = server
            .setup_secret()
            .map(|secret| secret.reveal().to_owned());
        let mut office = Self {
            runtime,
            server: Some(server),
            config,
            root,
            session: String::new(),
        };
        // Nobody else has the one-time secret: it is good for a password that lives as long as the demo.
        let secret = secret.unwrap_or_default();
        let setup = json!({
            "secret": secret, "domain": "example.org", "name": "Example",
            "user": "ada", "password": secret,
        });
        office.call("POST", "/v1/setup", Some(&setup))?;
        let login = json!({ "user": "ada", "password": secret });
        let login = office.call("POST", "/v1/login", Some(&login))?;
        office.session = word(&login["token"])?;
        let spare = json!({ "name": "Spare" });
        let path = "/v1/accounts/example.org/virtual-accounts";
        office.call("POST", path, Some(&spare))?;
        Ok(office)
    }

    /// SHA-256 of its root, as it tells people.
    pub fn fingerprint(&self) -> String {
        let server = self.server.as_ref();
        server.map_or_else(String::new, |server| {
            server.authority().fingerprint().to_string()
        })
    }

    /// A date by its calendar, so many days from now.
    pub fn date_in(&self, days: i64) -> String {
        let now = self.server.as_ref().map(|server| server.authority().now());
        let at = now.map_or(0, |now| now.date.0) / 1_000 + days * 86_400;
        let at = jiff::Timestamp::from_second(at).unwrap_or_default();
        at.to_string()
    }

    /// Ends it, and starts it again where it was, with its calendar at another speed.
    pub fn restart(&mut self, speedup: u32) -> Result<(), Failure> {
        self.end();
        self.config.speedup = Some(speedup);
        let server = self.runtime.block_on(Server::start(self.config.clone()));
        self.server = Some(server.map_err(|error| failed(&error))?);
        Ok(())
    }

    fn end(&mut self) {
        if let Some(server) = self.server.take() {
            self.runtime.block_on(server.stop());
        }
    }

    /// A registration token for one node; it is not shown.
    pub fn token(&self) -> Result<String, Failure> {
        let made = self.account("POST", "/tokens", Some(&json!({ "usesMax": 1 })))?;
        word(&made["token"])
    }

    /// Asks something of the virtual account, and shows what.
    pub fn ask(&self, verb: &str, path: &str, body: Option<&Value>) -> Result<Value, Failure> {
        output::print(&format!("\n> {verb} {ACCOUNT}{path}\n"));
        if let Some(body) = body {
            let body = body.to_string().replace(",\"", ", \"");
            output::print(&text::labelled("  ", &body));
        }
        self.account(verb, path, body)
    }

    /// Asks something of the virtual account.
    pub fn account(&self, verb: &str, path: &str, body: Option<&Value>) -> Result<Value, Failure> {
        self.call(verb, &format!("{ACCOUNT}{path}"), body)
    }

    fn call(&self, verb: &str, path: &str, body: Option<&Value>) -> Result<Value, Failure> {
        let body = body.map_or_else(String::new, Value::to_string);
        let asked = self.runtime.block_on(async {
            tokio::time::timeout(ANSWER_WAIT, self.exchange(verb, path, body)).await
        });
        let told = |why: String| {
            let what = format!("{verb} {path}: {why}");
            Failure::new(what, "license authority", "run it again")
        };
        match asked {
            Ok(answer) => answer.map_err(|error| told(error.to_string())),
            Err(late) => Err(told(late.to_string())),
        }
    }

    async fn exchange(&self, verb: &str, path: &str, body: String) -> Result<Value, Because> {
        let address = self.config.listen;
        let stream = TcpStream::connect(address).await?;
        let name = ServerName::from(address.ip());
        let stream = connector(&self.root)?.connect(name, stream).await?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        let request = Request::builder()
            .method(verb)
            .uri(path)
            .header(hyper::header::HOST, address.to_string())
            .header(
                hyper::header::AUTHORIZATION,
                format!("Bearer {}", self.session),
            )
            .body(Full::new(Bytes::from(body)))?;
        let response = sender.send_request(request).await?;
        let status = response.status();
        let said = Limited::new(response.into_body(), ANSWER_BYTES_MAX);
        let said = said.collect().await?.to_bytes();
        if !status.is_success() {
            return Err(format!("{status} {}", String::from_utf8_lossy(&said)).into());
        }
        Ok(match said.is_empty() {
            true => Value::Null,
            false => serde_json::from_slice(&said)?,
        })
    }
}

impl Drop for Office {
    fn drop(&mut self) {
        self.end();
    }
}

fn connector(root: &[u8]) -> Result<TlsConnector, rustls::Error> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from(root.to_vec()))?;
    let config = ClientConfig::builder_with_provider(default_provider().into())
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(std::sync::Arc::new(config)))
}

fn word(value: &Value) -> Result<String, Failure> {
    let word = value.as_str().map(str::to_owned);
    word.ok_or_else(|| {
        let what = "an answer of the demo's license authority is not understood";
        Failure::new(what, "demo", "run it again")
    })
}

fn failed(error: &dyn Error) -> Failure {
    Failure::new(
        format!("the demo's license authority does not serve: {error}"),
        "demo",
        "run it again",
    )
}
