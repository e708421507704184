//! A license authority that serves on loopback, and whoever administers it through its API.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use authority::{Config, Database, Server};
use rustls::crypto::ring::default_provider;
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::database;
use crate::subnet::Subnet;

/// The virtual account that takes new licenses and instances.
const ACCOUNT: &str = "/v1/accounts/example.org/virtual-accounts/Default";
const PASSWORD: &str = "analytical engine";
/// An answer takes far less; the machine may be busy.
const LIMIT: Duration = Duration::from_secs(120);

/// The authority and its administrator; it ends with this.
pub struct Office {
    runtime: Runtime,
    server: Option<Server>,
    config: Config,
    address: SocketAddr,
    root: Vec<u8>,
    setup_secret: String,
    session: String,
    /// Whose TCP port it has, while it is down too.
    _subnet: Subnet,
}

impl Office {
    /// Makes an authority in this directory, with one account; on a lab authority license seconds a second.
    pub fn open(dir: &Path, speedup: Option<u32>) -> Result<Self> {
        let dir = dir.join("authority");
        let url = database::url_of(&dir);
        Self::start(Config {
            speedup,
            database: url.map(|url| Database::new(&url, None)).transpose()?,
            ..Config::new(dir)
        })
    }

    /// The same by a configuration, at a port of its own.
    pub fn start(config: Config) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()?;
        let subnet = Subnet::take()?;
        let config = Config {
            listen: subnet.tcp(),
            ..config
        };
        let server = runtime.block_on(Server::start(config.clone()))?;
        let secret = server.setup_secret().context("the first start")?;
        let secret = secret.reveal().to_owned();
        let setup = json!({
            "secret": secret, "domain": "example.org", "name": "Example",
            "user": "ada", "password": PASSWORD,
        });
        let mut office = Self {
            address: server.address(),
            root: server.authority().root().to_vec(),
            runtime,
            server: Some(server),
            config,
            setup_secret: secret,
            session: String::new(),
            _subnet: subnet,
        };
        office.call("POST", "/v1/setup", Some(setup))?;
        let login = json!({ "user": "ada", "password": PASSWORD });
        let session = office.call("POST", "/v1/login", Some(login))?;
        office.session = text(&session["token"])?;
        Ok(office)
    }

    /// Where nodes reach it.
    pub fn url(&self) -> String {
        format!("https://localhost:{}", self.address.port())
    }

    /// Its TCP port.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// SHA-256 of its root, as it tells people.
    pub fn fingerprint(&self) -> Result<String> {
        let server = self.server.as_ref().context("it is down")?;
        Ok(server.authority().fingerprint().to_string())
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its root in DER.
    pub fn root(&self) -> &[u8] {
        &self.root
    }

    /// Its state directory.
    pub fn state_dir(&self) -> &Path {
        &self.config.state_dir
    }

    /// Its root in a file, for nodes to trust.
    pub fn root_file(&self, dir: &Path) -> Result<PathBuf> {
        roots_file(dir, &[&self.root])
    }

    /// Ends it; [`Office::begin`] starts it again where it was.
    pub fn end(&mut self) {
        if let Some(server) = self.server.take() {
            self.runtime.block_on(server.stop());
        }
    }

    /// Starts it again.
    pub fn begin(&mut self) -> Result<()> {
        let config = Config {
            listen: self.address,
            ..self.config.clone()
        };
        self.server = Some(self.runtime.block_on(Server::start(config))?);
        Ok(())
    }

    /// Enters licenses of a service or feature, by its short name.
    pub fn own(&self, license: &str, quantity: u32) -> Result<()> {
        let new = json!({ "license": license, "quantity": quantity, "licenseType": "PERPETUAL" });
        self.account("POST", "/licenses", Some(new)).map(drop)
    }

    /// Moves licenses to another virtual account, which is made for them.
    pub fn move_away(&self, license: &str, quantity: u32) -> Result<()> {
        let other = json!({ "name": "Elsewhere" });
        let path = "/v1/accounts/example.org/virtual-accounts";
        self.call("POST", path, Some(other))?;
        let item = json!({ "license": license, "quantity": quantity, "targetVirtualAccount": "Elsewhere" });
        let items = json!({ "licenses": [item] });
        self.account("POST", "/licenses/transfer", Some(items))
            .map(drop)
    }

    /// A registration token that may be used so often: its number and itself.
    pub fn token(&self, uses: u32) -> Result<(String, String)> {
        let made = self.account("POST", "/tokens", Some(json!({ "usesMax": uses })))?;
        Ok((made["id"].to_string(), text(&made["token"])?))
    }

    /// An API token of the administrator.
    pub fn api_token(&self, name: &str) -> Result<String> {
        let made = self.call("POST", "/v1/api-tokens", Some(json!({ "name": name })))?;
        text(&made["token"])
    }

    /// The secrets that it was set up with: the one-time secret, the administrator's password, and the session's token.
    pub fn secrets(&self) -> [&str; 3] {
        [&self.setup_secret, PASSWORD, &self.session]
    }

    /// Asks something of the virtual account.
    pub fn account(&self, verb: &str, path: &str, body: Option<Value>) -> Result<Value> {
        self.call(verb, &format!("{ACCOUNT}{path}"), body)
    }

    /// Asks something as its administrator.
    pub fn call(&self, verb: &str, path: &str, body: Option<Value>) -> Result<Value> {
        let client = client(&self.root)?;
        let url = format!("{}{path}", self.url());
        self.runtime.block_on(async {
            let request = client
                .request(verb.parse()?, url)
                .bearer_auth(&self.session);
            let request = request.body(body.map_or(String::new(), |body| body.to_string()));
            let response = request.send().await?;
            let status = response.status();
            let said = response.text().await?;
            ensure!(status.is_success(), "{verb} {path}: {status} {said}");
            Ok(serde_json::from_str(&said).unwrap_or(Value::Null))
        })
    }
}

/// Roots in a file, for nodes to trust.
pub fn roots_file(dir: &Path, roots: &[&[u8]]) -> Result<PathBuf> {
    let path = dir.join("root.pem");
    let texts: String = roots.iter().map(|root| pem("CERTIFICATE", root)).collect();
    std::fs::write(&path, texts)?;
    Ok(path)
}

fn client(root: &[u8]) -> Result<reqwest::Client> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from(root.to_vec()))?;
    let config = ClientConfig::builder_with_provider(default_provider().into())
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let builder = reqwest::Client::builder().tls_backend_preconfigured(config);
    Ok(builder.timeout(LIMIT).no_proxy().build()?)
}

fn text(value: &Value) -> Result<String> {
    Ok(value.as_str().context("a text")?.to_owned())
}

/// RFC 7468.
pub fn pem(label: &str, der: &[u8]) -> String {
    use base64::Engine;
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    let lines = text.as_bytes().chunks(64);
    let lines = lines.map(|line| String::from_utf8_lossy(line).into_owned() + "\n");
    let lines: String = lines.collect();
    format!("-----BEGIN {label}-----\n{lines}-----END {label}-----\n")
}
