//! Events on their way to syslog servers that nobody here wrote, and what a node does when they are not there.
#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]
#![forbid(unsafe_code)]

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use api::{LoggingView, Reply, Request, SyslogServerView, SyslogState};
use eventlog::table;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, SanType};
use serde_json::Value;
use tests::gateway::{Gateway, Site};
use tests::rsyslog::{Rsyslog, Speaks};
use tests::wait::{eventually, until};

/// Things take far less; the machine may be busy.
const LIMIT: Duration = Duration::from_secs(120);

const PORT: u16 = 5514;

/// A root in a file of its own, and certificates below it.
struct Authority {
    dir: PathBuf,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new(dir: &Path, name: &str) -> Self {
        let dir = dir.join(name);
        fs::create_dir_all(&dir).unwrap();
        let key = KeyPair::generate().unwrap();
        let mut root = CertificateParams::new(Vec::new()).unwrap();
        root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        root.distinguished_name.push(DnType::CommonName, name);
        let pem = root.self_signed(&key).unwrap().pem();
        fs::write(dir.join("root.pem"), pem).unwrap();
        let issuer = Issuer::new(root, key);
        Self { dir, issuer }
    }

    fn root(&self) -> PathBuf {
        self.dir.join("root.pem")
    }

    /// Certificate and key of a server that says it is at this address, in files of this name.
    fn issue(&self, name: &str, address: Ipv4Addr) -> (PathBuf, PathBuf) {
        let key = KeyPair::generate().unwrap();
        let mut server = CertificateParams::new(Vec::new()).unwrap();
        server.subject_alt_names = vec![SanType::IpAddress(address.into())];
        let certificate = server.signed_by(&key, &self.issuer).unwrap();
        let files = (
            self.dir.join(format!("{name}.pem")),
            self.dir.join(format!("{name}.key")),
        );
        fs::write(&files.0, certificate.pem()).unwrap();
        fs::write(&files.1, key.serialize_pem()).unwrap();
        files
    }
}

struct Logged {
    gateway: Gateway,
}

impl Logged {
    /// A plain node whose [logging] is this.
    fn start(site: Site, logging: &str) -> Result<Self> {
        let configuration = site.configuration().with(logging);
        let gateway = site.open(&configuration)?;
        Ok(Self { gateway })
    }

    fn dir(&self) -> &Path {
        self.gateway.site().dir()
    }

    fn ip(&self, host: u8) -> Ipv4Addr {
        self.gateway.site().subnet().ip(host)
    }

    fn does(&self, line: &str) -> Result<()> {
        let ended = self.gateway.node()?.cli(line)?;
        ensure!(ended.status.success(), "{line}: {}", ended.log());
        Ok(())
    }

    /// An event that a command of the control socket makes.
    fn event(&self, number: u32) -> Result<()> {
        let enable = number.is_multiple_of(2);
        let name = "GRE".to_owned();
        let control = self.gateway.node()?.control();
        control.change(&Request::Feature { name, enable })?;
        Ok(())
    }

    fn logging(&self) -> Result<LoggingView> {
        let reply = self.gateway.node()?.control().ask(&Request::Logging)?;
        let Reply::Logging { logging } = reply else {
            anyhow::bail!("{reply:?}");
        };
        Ok(logging)
    }

    fn server(&self, address: Ipv4Addr) -> Result<SyslogServerView> {
        let servers = self.logging()?.servers;
        let mut of = servers.into_iter();
        let server = of.find(|server| server.address == address.to_string());
        server.context("the server is not shown")
    }

    /// Events of this id in `show logs`.
    fn logged(&self, id: u32) -> Result<Vec<Value>> {
        let shown = self.gateway.node()?.cli("show logs --json")?;
        let logs: Value = serde_json::from_str(&shown.log())?;
        let entries = logs["entries"].as_array().cloned().unwrap_or_default();
        Ok(entries
            .into_iter()
            .filter(|entry| entry["id"] == id)
            .collect())
    }
}

/// Is a message of an event of this id?
fn is_of(message: &Value, id: u32) -> bool {
    let msgid = message["msgid"].as_str();
    msgid.and_then(|msgid| msgid.parse().ok()) == Some(id)
}

/// The message of an event of this id, as soon as the server has it.
fn message(server: &Rsyslog, id: u32) -> Result<Value> {
    let what = format!("a message of {id}; rsyslogd: {}", server.log());
    eventually(&what, LIMIT, || {
        let messages = server.messages()?.into_iter();
        let mut of = messages.filter(|message| is_of(message, id));
        Ok(of.next())
    })
}

/// The same event, in `show logs`.
fn line(logged: &Logged, id: u32) -> Result<String> {
    let shown = logged.gateway.node()?.cli("show logs")?.log();
    let line = shown.lines().find(|line| line.contains(&format!(" {id} ")));
    line.map(str::to_owned).context(shown.clone())
}

fn assert_parsed(logged: &Logged, message: &Value, pri: u8, id: u32) -> Result<()> {
    assert_eq!(message["pri"], pri.to_string(), "{message}");
    assert_eq!(message["hostname"], "gw1");
    assert_eq!(message["app-name"], "tollgate");
    let pid = logged.gateway.node()?.process().pid();
    assert_eq!(message["procid"], pid.to_string());
    let data = message["structured-data"].as_str().unwrap_or_default();
    let entry = &logged.logged(id)?[0];
    let (facility, severity) = (&entry["facility"], &entry["severity"]);
    let number = &entry["number"];
    assert_eq!(
        data,
        format!(
            "[tollgate@32473 id=\"{id}\" facility={facility} severity={severity} number=\"{number}\"]"
        )
    );
    assert_eq!(message["msg"], line(logged, id)?);
    let reported = message["timereported"].as_str().unwrap_or_default();
    let reported: jiff::Timestamp = reported.parse()?;
    assert_eq!(entry["at"], reported.as_millisecond());
    Ok(())
}

//= TS 33.117 4.2.3.6.2
#[test]
fn events_reach_a_server_by_udp_as_they_are_in_the_log() -> Result<()> {
    let site = Site::new()?;
    let at = SocketAddr::from((site.subnet().ip(9), PORT));
    let server = Rsyslog::start(&site.dir().join("syslog"), at, Speaks::Udp)?;
    let configured = format!(
        "[[logging.syslog]]\nname = \"{}\"\nport = {PORT}\nfacility = \"local3\"\n",
        at.ip()
    );
    let logged = Logged::start(site, &configured)?;
    // From the first event on.
    let ready = message(&server, table::READY.id)?;
    assert_parsed(&logged, &ready, (16 + 3) * 8 + 6, table::READY.id)?;
    logged.does("license smart enable")?;
    let enabled = message(&server, table::SMART_LICENSING_ENABLED.id)?;
    assert_parsed(&logged, &enabled, 158, table::SMART_LICENSING_ENABLED.id)?;

    // A level of its own; what is filtered is in no log.
    let ip = at.ip();
    logged.does(&format!("logging syslog {ip} port {PORT} level warning"))?;
    logged.does("logging filter slmgr level error")?;
    logged.does("no license smart enable")?;
    logged.does("no logging filter slmgr")?;
    logged.does("license smart enable")?;
    logged.does("no license smart enable")?;
    let disabled = table::SMART_LICENSING_DISABLED.id;
    let message = message(&server, disabled)?;
    assert_eq!(message["pri"], (23 * 8 + 4).to_string());
    assert_eq!(logged.logged(disabled)?.len(), 1);
    let enabled = logged.logged(table::SMART_LICENSING_ENABLED.id)?;
    assert_eq!(enabled.len(), 2);
    let ids = server.messages()?;
    let of = |id: u32| ids.iter().filter(|m| is_of(m, id)).count();
    assert_eq!(
        (of(disabled), of(table::SMART_LICENSING_ENABLED.id)),
        (1, 1)
    );

    // Once it is removed, none comes; the last one that the other has tells when.
    logged.does(&format!("no logging syslog {ip}"))?;
    ensure!(logged.logging()?.servers.is_empty(), "removed");
    logged.does("license smart enable")?;
    logged.does("no license smart enable")?;
    logged.does(&format!("logging syslog {ip} port {PORT}"))?;
    logged.does("license smart enable")?;
    let enabled = table::SMART_LICENSING_ENABLED.id;
    until("it is sent events again", LIMIT, || {
        let messages = server.messages()?;
        Ok(messages.iter().filter(|m| is_of(m, enabled)).count() == 2)
    })?;
    let after = server.messages()?;
    let count = after.iter().filter(|m| is_of(m, disabled));
    assert_eq!(count.count(), 1);
    Ok(())
}

#[test]
fn a_text_of_somebody_else_makes_no_line_of_its_own() -> Result<()> {
    let site = Site::new()?;
    let at = SocketAddr::from((site.subnet().ip(9), PORT));
    let server = Rsyslog::start(&site.dir().join("syslog"), at, Speaks::Udp)?;
    let logged = Logged::start(site, "")?;
    let ip = at.ip();
    logged.does(&format!("logging syslog {ip} port {PORT}"))?;
    // A name of a syslog server is text of whoever asks the socket; so is one of SNMP.
    let hostile = "x\n<13>1 - evil evil - - - forged\r\n\u{1b}[31m\u{2028}\u{202e}é";
    let remove = Request::SnmpSet(Box::new(api::SnmpCommand::Community {
        name: hostile.to_owned(),
        community: "hunter2".to_owned(),
        read: Vec::new(),
    }));
    // Whether or not such a name may be is not the question.
    let _refused = logged.gateway.node()?.control().ask(&remove);
    let remove = Request::LoggingSet(Box::new(api::LoggingCommand::NoSyslog {
        address: hostile.to_owned(),
    }));
    let _unchanged = logged.gateway.node()?.control().ask(&remove);
    let enable = logged.gateway.node()?.cli("license smart enable")?;
    ensure!(enable.status.success(), "{}", enable.log());
    message(&server, table::SMART_LICENSING_ENABLED.id)?;
    for message in server.messages()? {
        assert_eq!(message["hostname"], "gw1", "{message}");
        assert_eq!(message["app-name"], "tollgate", "{message}");
        let text = message["msg"].as_str().context("text")?;
        ensure!(!text.chars().any(char::is_control), "{message}");
    }
    Ok(())
}

fn tls(logged: &Logged, ip: Ipv4Addr, root: &Path, more: &str) -> Result<()> {
    let root = root.display();
    let line = format!("logging syslog {ip} port {PORT} protocol tls roots {root} {more}");
    logged.does(line.trim_end())
}

//= TS 33.117 4.2.3.2.4
#[test]
fn by_tls_events_go_to_who_is_configured_and_nobody_else() -> Result<()> {
    let site = Site::new()?;
    let logged = Logged::start(site, "")?;
    let dir = logged.dir().to_owned();
    let (ours, other) = (Authority::new(&dir, "ours"), Authority::new(&dir, "other"));
    let (good, named, foreign) = (logged.ip(9), logged.ip(10), logged.ip(11));
    let start = |name: &str, ip: Ipv4Addr, (certificate, key): &(PathBuf, PathBuf)| {
        let tls = Speaks::Tls { certificate, key };
        Rsyslog::start(&dir.join(name), (ip, PORT).into(), tls)
    };
    let server = start("good", good, &ours.issue("good", good))?;
    // Below the root, but of another address; and of that address, below another root.
    let misnamed = start("named", named, &ours.issue("named", good))?;
    let stranger = start("foreign", foreign, &other.issue("foreign", foreign))?;
    for ip in [good, named, foreign] {
        tls(&logged, ip, &ours.root(), "")?;
    }
    logged.does("license smart enable")?;
    let id = table::SMART_LICENSING_ENABLED.id;
    let enabled = message(&server, id)?;
    assert_parsed(&logged, &enabled, 23 * 8 + 6, id)?;
    assert_eq!(logged.server(good)?.state, SyslogState::Reached);
    for (ip, why) in [(named, "NotValidForName"), (foreign, "UnknownIssuer")] {
        let away = eventually("the other one is refused", LIMIT, || {
            let server = logged.server(ip)?;
            Ok((server.state == SyslogState::Away).then_some(server))
        })?;
        let failure = away.failure.unwrap_or_default();
        let said = failure.contains(why) || failure.contains("not valid for name");
        ensure!(said, "{failure}");
        assert_eq!((away.sent, away.dropped), (0, 0));
        ensure!(away.queued > 0, "nothing waits");
    }
    assert_eq!(misnamed.messages()?, Vec::<Value>::new());
    assert_eq!(stranger.messages()?, Vec::<Value>::new());
    let away = logged.logged(table::SYSLOG_AWAY.id)?;
    assert_eq!(away.len(), 2, "{away:?}");
    Ok(())
}

#[test]
fn what_waits_for_a_server_arrives_when_it_is_back_and_what_had_no_room_is_counted() -> Result<()> {
    let site = Site::new()?;
    let logged = Logged::start(site, "")?;
    let dir = logged.dir().to_owned();
    let ours = Authority::new(&dir, "ours");
    let ip = logged.ip(9);
    let (certificate, key) = ours.issue("server", ip);
    let speaks = Speaks::Tls {
        certificate: &certificate,
        key: &key,
    };
    let server = Rsyslog::start(&dir.join("first"), (ip, PORT).into(), speaks)?;
    tls(&logged, ip, &ours.root(), "queue 16")?;
    logged.does("license smart enable")?;
    message(&server, table::SMART_LICENSING_ENABLED.id)?;
    server.stop()?;
    until("the node sees that it is away", LIMIT, || {
        Ok(logged.server(ip)?.state == SyslogState::Away)
    })?;
    let sent = logged.server(ip)?.sent;
    for number in 0..40 {
        logged.event(number)?;
    }
    // Nobody has waited for it: the events are in the log.
    let features = [table::FEATURE_ENABLED.id, table::FEATURE_DISABLED.id];
    let logged_now = features.map(|id| logged.logged(id).map(|all| all.len()).unwrap_or(0));
    assert_eq!(logged_now, [20, 20]);
    let away = logged.server(ip)?;
    assert_eq!((away.queue, away.sent), (16, sent));
    // One may be in the courier's hand.
    ensure!((15..=16).contains(&away.queued), "{away:?}");
    ensure!(away.dropped >= 23, "{away:?}");
    let told = eventually("the log tells of the drops", LIMIT, || {
        Ok(logged.logged(table::SYSLOG_DROPPED.id)?.into_iter().next())
    })?;
    let text = told["text"].as_str().unwrap_or_default();
    ensure!(text.contains(&format!("server={ip} events=")), "{text}");

    let server = Rsyslog::start(&dir.join("second"), (ip, PORT).into(), speaks)?;
    message(&server, table::FEATURE_ENABLED.id)?;
    logged.does("no license smart enable")?;
    message(&server, table::SMART_LICENSING_DISABLED.id)?;
    let back = logged.server(ip)?;
    assert_eq!(back.state, SyslogState::Reached);
    assert_eq!(logged.logged(table::SYSLOG_REACHED.id)?.len(), 1);
    let shown = logged.gateway.node()?.cli("show logging")?.log();
    let dropped = format!("Dropped                 : {}", back.dropped);
    ensure!(shown.contains(&dropped), "{shown}");
    Ok(())
}

#[test]
fn by_udp_a_server_that_is_gone_is_told_of_and_the_next_one_there_has_what_follows() -> Result<()> {
    let site = Site::new()?;
    let logged = Logged::start(site, "")?;
    let dir = logged.dir().to_owned();
    let ip = logged.ip(9);
    logged.does(&format!("logging syslog {ip} port {PORT}"))?;
    let mut number = 0;
    until("the system tells that nobody listens", LIMIT, || {
        logged.event(number)?;
        number += 1;
        let server = logged.server(ip)?;
        Ok(server.state == SyslogState::Away && server.dropped > 0)
    })?;
    let failure = logged.server(ip)?.failure;
    assert_eq!(failure.as_deref(), Some("connection refused"));
    let server = Rsyslog::start(&dir.join("syslog"), (ip, PORT).into(), Speaks::Udp)?;
    logged.does("license smart enable")?;
    message(&server, table::SMART_LICENSING_ENABLED.id)?;
    logged.event(0)?;
    until("it is reached", LIMIT, || {
        logged.event(1)?;
        Ok(logged.server(ip)?.state == SyslogState::Reached)
    })
}
