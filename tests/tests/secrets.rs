//! No secret is in any log, answer or metric, nor in what a license authority or a node keeps: both in one process, which
//! logs all that any crate in it has to say, beside real receivers of files.
#![forbid(unsafe_code)]

use std::io::{self, Read, Write};
use std::net::{Shutdown as Side, SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use api::{
    BulkstatsCommand, LicenseCommand, ProxyLogin, REQUEST_PATH, Request, SnmpCommand, SnmpPassword,
    SnmpUserSetting, TransportCommand,
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use node::{Config, Running, Shutdown};
use parking_lot::Mutex;
use serde_json::json;
use snmp::usm::{AuthProtocol, EngineId};
use tests::control::Control;
use tests::gateway::Site;
use tests::office::Office;
use tests::python::hex;
use tests::receivers::{Nginx, PASSWORD, Sshd, USER, Vsftpd};
use tests::wait::until;
use tracing_subscriber::filter::LevelFilter;

const WRONG_PASSWORD: &str = "difference engine no 2";
const PROXY_PASSWORD: &str = "walled garden 77";
const SET_COMMUNITY: &str = "topiary 1712";
const SET_AUTH: &str = "parterre de broderie";
const SET_PASSWORD: &str = "hedge maze 1688";

const REFUSED_PASSWORD: &str = "canary-foxglove-12";
/// Files arrive at once; the machine may be busy.
const LIMIT: Duration = Duration::from_secs(120);

/// All that was logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.0.lock().write(octets)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Secrets, each in a form in which it might be shown.
#[derive(Default)]
struct Secrets(Vec<(String, String)>);

impl Secrets {
    fn add(&mut self, what: &str, secret: &str) {
        self.0.push((what.to_owned(), secret.to_owned()));
    }

    /// In the forms that logs show octets in.
    fn add_octets(&mut self, what: &str, octets: &[u8]) {
        let listed = format!("{octets:?}");
        self.add(what, listed.trim_matches(['[', ']']));
        self.add(what, &hex(octets));
        self.add(what, STANDARD.encode(octets).trim_end_matches('='));
    }

    /// The names of those that are in a text.
    fn within(&self, text: &str) -> Vec<&str> {
        let found = self.0.iter().filter(|(_, secret)| text.contains(secret));
        found.map(|(what, _)| what.as_str()).collect()
    }
}

/// A proxy that makes tunnels; the heads of what it was asked.
fn proxy(target: u16) -> Result<(u16, Log)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let port = listener.local_addr()?.port();
    let asked = Log::default();
    let heads = asked.clone();
    thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let heads = heads.clone();
            // A tunnel that breaks is the node's to tell.
            thread::spawn(move || drop(tunnel(client, target, heads)));
        }
    });
    Ok((port, asked))
}

fn tunnel(mut client: TcpStream, target: u16, mut heads: Log) -> Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut octet = [0];
        client.read_exact(&mut octet)?;
        head.push(octet[0]);
    }
    heads.write_all(&head)?;
    let mut server = TcpStream::connect(("127.0.0.1", target))?;
    client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
    let (mut from, mut to) = (server.try_clone()?, client.try_clone()?);
    thread::spawn(move || {
        // Whichever side ends first ends it.
        drop(io::copy(&mut from, &mut to));
        drop(to.shutdown(Side::Write));
    });
    io::copy(&mut client, &mut server)?;
    server.shutdown(Side::Write)?;
    Ok(())
}

fn register(idtoken: &str, force: bool) -> Request {
    let idtoken = idtoken.to_owned();
    Request::License(LicenseCommand::Register { idtoken, force })
}

/// The private keys of an authority: each line of their files.
fn add_private_keys(secrets: &mut Secrets, dir: &Path) -> Result<usize> {
    let mut keys = 0;
    for file in std::fs::read_dir(dir)? {
        let path = file?.path();
        let text = std::fs::read_to_string(&path)?;
        let Some((_, key)) = text.split_once("-----BEGIN PRIVATE KEY-----") else {
            continue;
        };
        let key: String = key
            .lines()
            .take_while(|line| !line.starts_with("-----END"))
            .collect();
        secrets.add_octets("a private key of the authority", &STANDARD.decode(&key)?);
        keys += 1;
    }
    Ok(keys)
}

/// Names of secrets in the files below a directory, but in those that are theirs.
fn kept_in_the_clear(secrets: &Secrets, dir: &Path) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for file in std::fs::read_dir(dir)? {
        let path = file?.path();
        if path.is_file() {
            let text = String::from_utf8_lossy(&std::fs::read(&path)?).into_owned();
            let within = secrets.within(&text);
            found.extend(
                within
                    .iter()
                    .map(|what| format!("{}: {what}", path.display())),
            );
        }
    }
    Ok(found)
}

/// A community and a user, as an operator sets them while the node runs, and one with a password that is refused.
fn set_snmp(control: &Control, secrets: &mut Secrets) -> Result<()> {
    secrets.add("a community", SET_COMMUNITY);
    secrets.add("a password of a user", SET_AUTH);
    let community = SnmpCommand::Community {
        name: "noc".to_owned(),
        community: SET_COMMUNITY.to_owned(),
        read: vec!["1".to_owned()],
    };
    ensure!(control.change(&Request::SnmpSet(Box::new(community)))?);
    for (protocol, informs, good) in [
        ("sha-256", false, true),
        ("sha-256", true, true),
        ("md5", true, false),
    ] {
        let user = SnmpUserSetting {
            name: "noc".to_owned(),
            auth: Some(SnmpPassword {
                protocol: protocol.to_owned(),
                password: SET_AUTH.to_owned(),
            }),
            privacy: None,
            read: Vec::new(),
            informs,
        };
        let set = control.change(&Request::SnmpSet(Box::new(SnmpCommand::User(user))));
        ensure!(set.is_ok() == good, "{protocol}: {set:?}");
        let said = set.err().map(|error| error.to_string());
        ensure!(!said.unwrap_or_default().contains(SET_AUTH));
    }
    let engine = EngineId::of_node(32473, "gw1");
    let auth = AuthProtocol::Sha256;
    let key = auth.key_of(SET_AUTH.as_bytes())?;
    secrets.add_octets("the key of a password", key.octets());
    let localized = auth.localize(&key, &engine);
    secrets.add_octets("a localized key", localized.octets());
    Ok(())
}

/// Receivers of files, each with a login.
struct Receivers {
    sshd: Sshd,
    vsftpd: Vsftpd,
    nginx: Nginx,
}

impl Receivers {
    fn start(dir: &Path) -> Result<Self> {
        Ok(Self {
            sshd: Sshd::start(dir)?,
            vsftpd: Vsftpd::start(dir, None)?,
            nginx: Nginx::start(dir, None)?,
        })
    }

    /// SFTP by a password and by a key, FTP, and HTTP for a file that FTP does not take from who has another password.
    fn section(&self, dir: &Path, secrets: &mut Secrets) -> Result<String> {
        let mut passwords = Vec::new();
        for (name, password) in [("good", PASSWORD), ("refused", REFUSED_PASSWORD)] {
            secrets.add("a receiver's password", password);
            let basic = STANDARD.encode(format!("{USER}:{password}"));
            secrets.add("a receiver's credentials", &basic);
            let file = dir.join(name);
            std::fs::write(&file, password)?;
            std::fs::set_permissions(&file, PermissionsExt::from_mode(0o600))?;
            passwords.push(format!("password_file = \"{}\"\n", file.display()));
        }
        let key = self.sshd.let_in_by_key("ed25519")?;
        add_login_key(secrets, &std::fs::read_to_string(&key)?)?;
        let key = format!("key_file = \"{}\"\n", key.display());
        let pinned = format!("host_key = \"{}\"\n", self.sshd.fingerprint("ed25519")?);
        let to = |role: &str, mechanism: &str, port: u16, more: &str| {
            format!(
                "[bulkstats.file.{role}]\naddress = \"127.0.0.1\"\nport = {port}\nmechanism = \"{mechanism}\"\nlogin = \"{USER}\"\n{more}"
            )
        };
        let (sftp, ftp, http) = (self.sshd.port, self.vsftpd.port, self.nginx.port);
        let blocks = [
            to(
                "primary",
                "sftp",
                sftp,
                &format!("{}{pinned}", passwords[0]),
            ),
            to("primary", "sftp", sftp, &format!("{key}{pinned}")),
            to("primary", "ftp", ftp, &passwords[0]),
            to("primary", "ftp", ftp, &passwords[1])
                + &to("secondary", "http", http, &passwords[0]),
        ];
        let blocks = blocks.iter().zip(1..).map(|(receivers, n)| {
            format!(
                "[[bulkstats.file]]\nnumber = {n}\nremotefile = \"{n}.csv\"\nschemas = ['system schema s format \"s,%uptime%\"']\n{receivers}"
            )
        });
        let blocks: String = blocks.collect();
        Ok(format!(
            "[bulkstats]\ncollection = true\nsample_interval_min = 10080\nhistorical_days = 9\n{blocks}"
        ))
    }

    /// A file each, and all that a node says of it.
    fn deliver(&self, control: &Control, metrics: SocketAddr) -> Result<String> {
        control.bulkstats_do(BulkstatsCommand::ForceGather)?;
        let mut said = control
            .http("POST", REQUEST_PATH, r#"{"request":"bulkstats-data"}"#)?
            .body;
        control.bulkstats_do(BulkstatsCommand::ForceTransfer)?;
        until("a receiver has each file", LIMIT, || {
            let files = control.bulkstats()?.files;
            Ok(files.iter().all(|file| file.last_transfer.is_some()))
        })?;
        ensure!(control.bulkstats()?.files[3].on_secondary);
        for request in ["bulkstats", "alarms", "snapshot", "health", "agent"] {
            let request = format!(r#"{{"request":"{request}"}}"#);
            said += &control.http("POST", REQUEST_PATH, &request)?.body;
        }
        let socket = control.socket().to_string_lossy().into_owned();
        for command in [
            "show bulkstats",
            "show bulkstats schemas",
            "show alarm all",
            "show snmp trap history",
        ] {
            let words = command.split(' ').chain(["--socket", &socket]);
            said += &tests::tollgate::run(words)?.log();
        }
        let mut scrape = TcpStream::connect(metrics)?;
        scrape.write_all(b"GET /metrics HTTP/1.1\r\nHost: node\r\nConnection: close\r\n\r\n")?;
        scrape.read_to_string(&mut said)?;
        for part in [
            "127.0.0.1 using SFTP with username",
            "the receiver refuses the login",
            "tollgate_",
        ] {
            ensure!(said.contains(part), "{part}: {said}");
        }
        Ok(said)
    }
}

/// The private half of an Ed25519 key in a file of OpenSSH's.
fn add_login_key(secrets: &mut Secrets, text: &str) -> Result<()> {
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('-')).collect();
    for line in &lines[1..] {
        secrets.add("a line of a receiver's key", line);
    }
    let octets = STANDARD.decode(lines.concat())?;
    // 64 octets: the secret, and the public key once more.
    let at = octets
        .windows(4)
        .rposition(|length| length == [0, 0, 0, 64]);
    let at = at.context("a length")? + 4;
    secrets.add_octets("a receiver's key", &octets[at..at + 32]);
    Ok(())
}

//= TS 33.117 4.2.3.2.2
#[test]
fn no_secret_is_in_a_log_or_kept_in_the_clear() -> Result<()> {
    let log = Log::default();
    let writer = log.clone();
    tracing_subscriber::fmt()
        .with_max_level(LevelFilter::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .init();
    let mut secrets = Secrets::default();

    let dir = tempfile::tempdir()?;
    let office = Office::open(dir.path(), None)?;
    let [setup_secret, password, session] = office.secrets();
    secrets.add("the set-up secret", setup_secret);
    secrets.add("a password", password);
    secrets.add("a session", session);
    secrets.add("an API token", &office.api_token("portal")?);
    secrets.add("a wrong password", WRONG_PASSWORD);
    let wrong = json!({ "user": "ada", "password": WRONG_PASSWORD });
    ensure!(office.call("POST", "/v1/login", Some(wrong)).is_err());
    let used = json!({
        "secret": setup_secret, "domain": "example.org", "name": "Example",
        "user": "eve", "password": WRONG_PASSWORD,
    });
    ensure!(office.call("POST", "/v1/setup", Some(used)).is_err());
    let change = json!({ "old": password, "new": WRONG_PASSWORD });
    office.call("PUT", "/v1/password", Some(change))?;
    ensure!(add_private_keys(&mut secrets, &dir.path().join("authority/pki"))? >= 3);

    let site = Site::new()?;
    let password_file = site.dir().join("password");
    std::fs::write(&password_file, PROXY_PASSWORD)?;
    std::fs::set_permissions(&password_file, PermissionsExt::from_mode(0o600))?;
    secrets.add("the proxy's password", PROXY_PASSWORD);
    let credentials = STANDARD.encode(format!("node:{PROXY_PASSWORD}"));
    secrets.add("the proxy's credentials", &credentials);
    let target = office.url().rsplit_once(':').context("a port")?.1.parse()?;
    let (port, asked) = proxy(target)?;
    let receivers = Receivers::start(dir.path())?;
    let metrics = site.subnet().tcp();
    let mut section = receivers.section(site.dir(), &mut secrets)?;
    section += &format!("[metrics]\nlisten = \"{metrics}\"\n[journal]\nenabled = true\n");
    section += &format!(
        "[agent]\nauthority = \"{}\"\ntrust_pool = \"{}\"\n\
         proxy = {{ host = \"127.0.0.1\", port = {port}, username = \"node\", password_file = \"{}\" }}",
        office.url(),
        office.root_file(site.dir())?.display(),
        password_file.display()
    );
    let configuration = site.configuration().with(&section);
    let config = Config::read(&configuration.write()?)?;
    let running = Running::start(config, &Shutdown::new())?;
    let control = Control::new(configuration.control_socket());
    ensure!(control.change(&Request::SmartLicensing { enable: true })?);

    let (id, revoked) = office.token(1)?;
    office.account("DELETE", &format!("/tokens/{id}"), None)?;
    let (_, token) = office.token(1)?;
    let (_, again) = office.token(1)?;
    for (what, token) in [("revoked", &revoked), ("good", &token), ("second", &again)] {
        secrets.add(&format!("the {what} registration token"), token);
    }
    ensure!(control.change(&register(&revoked, false)).is_err());
    ensure!(control.change(&register(&token, false))?);
    ensure!(control.change(&register(&token, false)).is_err());
    ensure!(control.change(&register(&again, true))?);
    // A password that is set while the node runs, and one that takes its place.
    for password in [SET_PASSWORD, PROXY_PASSWORD, SET_PASSWORD] {
        let login = ProxyLogin {
            username: "node".to_owned(),
            password: password.to_owned(),
        };
        let set = TransportCommand::Proxy {
            host: "127.0.0.1".to_owned(),
            port,
            login: Some(login),
        };
        ensure!(control.change(&Request::Transport(set))?);
    }
    let refused = TransportCommand::Url {
        url: format!("http://node:{SET_PASSWORD}@localhost"),
    };
    let refused = control.change(&Request::Transport(refused));
    let said = refused.err().context("it is not https")?.to_string();
    assert!(!said.contains(SET_PASSWORD), "{said}");
    secrets.add("a password that was set", SET_PASSWORD);
    let set_credentials = STANDARD.encode(format!("node:{SET_PASSWORD}"));
    secrets.add("credentials that were set", &set_credentials);
    set_snmp(&control, &mut secrets)?;
    for command in [
        LicenseCommand::RenewId,
        LicenseCommand::RenewAuth,
        LicenseCommand::Deregister,
    ] {
        ensure!(control.change(&Request::License(command))?);
    }
    let key = std::fs::read(configuration.state_dir.join("identity.key"))?;
    ensure!(key.len() == 32);
    secrets.add_octets("the node's key", &key);
    let key = std::fs::read(configuration.state_dir.join("node.key"))?;
    secrets.add_octets("the key of the node's codes", &key);
    let said = receivers.deliver(&control, metrics)?;
    let within = secrets.within(&said);
    assert!(within.is_empty(), "{within:?}: {said}");
    drop(running);

    let heads = String::from_utf8(asked.0.lock().clone())?;
    assert!(heads.contains(&credentials), "the proxy has heard them");
    assert!(heads.contains(&set_credentials), "and those");
    let log = String::from_utf8_lossy(&log.0.lock()).into_owned();
    for said in [
        "registered with the license authority",
        "TRACE",
        "DEBUG sqlx::query",
        "hyper",
        "a file of bulk statistics is not transferred",
    ] {
        assert!(log.contains(said), "{said} is logged");
    }
    let within = secrets.within(&log);
    if !within.is_empty() {
        let lines = log.lines().filter(|line| !secrets.within(line).is_empty());
        let lines: Vec<_> = lines
            .map(|line| line.split_whitespace().take(6).collect::<Vec<_>>())
            .collect();
        bail!("in the log: {within:?}, by {lines:?}");
    }
    let kept = kept_in_the_clear(&secrets, &dir.path().join("authority"))?;
    assert!(kept.is_empty(), "{kept:?}");
    assert!(configuration.state_dir.join("journal.jsonl").is_file());
    let mut kept = kept_in_the_clear(&secrets, &configuration.state_dir)?;
    for below in ["secrets", "bulkstats/sent"] {
        let dir = configuration.state_dir.join(below);
        kept.extend(kept_in_the_clear(&secrets, &dir)?);
    }
    let own = |file: &String| !file.contains("identity.key") && !file.contains("node.key");
    let kept: Vec<_> = kept.into_iter().filter(own).collect();
    assert!(kept.is_empty(), "{kept:?}");
    // Each is asserted.
    println!("secrets-found 0");
    Ok(())
}
