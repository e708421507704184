//! rsyslog, a syslog server that nobody here wrote: by UDP and by TLS on loopback, what it has read a line of JSON each.

use std::fs;
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::process::Signal;
use serde_json::Value;

use crate::child::{Running, command, require};
use crate::wait::until;

/// It listens at once; the machine may be busy.
const READY: Duration = Duration::from_secs(120);

/// What it keeps of a message.
const KEPT: [&str; 8] = [
    "pri",
    "timereported",
    "hostname",
    "app-name",
    "procid",
    "msgid",
    "structured-data",
    "msg",
];

/// How it is spoken to.
#[derive(Clone, Copy, Debug)]
pub enum Speaks<'a> {
    /// Datagrams.
    Udp,
    /// TLS, with this certificate and key, in PEM.
    Tls {
        /// The certificate.
        certificate: &'a Path,
        /// Its key.
        key: &'a Path,
    },
}

/// A server that runs.
#[derive(Debug)]
pub struct Rsyslog {
    file: PathBuf,
    running: Running,
}

impl Rsyslog {
    /// Starts one; its files, and what it has read, are in this directory.
    pub fn start(dir: &Path, at: SocketAddr, speaks: Speaks<'_>) -> Result<Self> {
        require("rsyslogd", "rsyslog")?;
        fs::create_dir_all(dir)?;
        let of = |name: &str| dir.join(name);
        let (address, port) = (at.ip(), at.port());
        let input = match speaks {
            Speaks::Udp => format!(
                "module(load=\"imudp\")\ninput(type=\"imudp\" address=\"{address}\" port=\"{port}\")\n"
            ),
            Speaks::Tls { certificate, key } => format!(
                "global(DefaultNetstreamDriver=\"gtls\"\n\
                 DefaultNetstreamDriverCAFile=\"{0}\"\n\
                 DefaultNetstreamDriverCertFile=\"{0}\"\n\
                 DefaultNetstreamDriverKeyFile=\"{1}\")\n\
                 module(load=\"imtcp\" StreamDriver.Name=\"gtls\" StreamDriver.Mode=\"1\" StreamDriver.AuthMode=\"anon\")\n\
                 input(type=\"imtcp\" address=\"{address}\" port=\"{port}\")\n",
                certificate.display(),
                key.display()
            ),
        };
        let properties = KEPT.map(|name| {
            format!("property(outname=\"{name}\" name=\"{name}\" format=\"jsonf\" dateFormat=\"rfc3339\")\n")
        });
        let file = of("messages.jsonl");
        let configuration = format!(
            "global(workDirectory=\"{}\")\n{input}\
             template(name=\"json\" type=\"list\" option.jsonf=\"on\") {{\n{}}}\n\
             action(type=\"omfile\" file=\"{}\" template=\"json\")\n",
            dir.display(),
            properties.concat(),
            file.display()
        );
        fs::write(of("rsyslog.conf"), configuration)?;
        let mut rsyslogd = command("rsyslogd");
        rsyslogd.args(["-n", "-f"]).arg(of("rsyslog.conf"));
        rsyslogd.arg("-i").arg(of("rsyslog.pid"));
        let running = Running::start("rsyslogd", &mut rsyslogd)?;
        let mut server = Self { file, running };
        until("rsyslogd listens", READY, || server.listens(at, speaks))?;
        Ok(server)
    }

    fn listens(&mut self, at: SocketAddr, speaks: Speaks<'_>) -> Result<bool> {
        anyhow::ensure!(self.running.is_alive()?, "{}", self.running.log());
        match speaks {
            Speaks::Udp => is_bound(at),
            Speaks::Tls { .. } => Ok(TcpStream::connect(at).is_ok()),
        }
    }

    /// Messages that it has read, in their order.
    pub fn messages(&self) -> Result<Vec<Value>> {
        let text = fs::read_to_string(&self.file).unwrap_or_default();
        let whole = text
            .split_inclusive('\n')
            .filter(|line| line.ends_with('\n'));
        whole
            .map(|line| serde_json::from_str(line).with_context(|| line.to_owned()))
            .collect()
    }

    /// Lines of what it has written, whatever they are.
    pub fn raw(&self) -> String {
        fs::read_to_string(&self.file).unwrap_or_default()
    }

    /// What it says itself.
    pub fn log(&self) -> String {
        self.running.log()
    }

    /// Ends it as an administrator does, and waits until it has ended.
    pub fn stop(self) -> Result<()> {
        self.running.signal(Signal::TERM)?;
        self.running.wait(READY)?;
        Ok(())
    }
}

/// Does a process of this machine receive datagrams there?
fn is_bound(at: SocketAddr) -> Result<bool> {
    let IpAddr::V4(ip) = at.ip() else {
        anyhow::bail!("{at}: an IPv4 address is expected");
    };
    let kept = format!("{:08X}:{:04X}", u32::from_ne_bytes(ip.octets()), at.port());
    let sockets = fs::read_to_string("/proc/net/udp")?;
    Ok(sockets.lines().any(|line| line.contains(&kept)))
}
