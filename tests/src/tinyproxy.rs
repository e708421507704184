//! Tinyproxy, an HTTP proxy that asks for a name and a password.

use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

use anyhow::Result;

use crate::child::{Running, command, require};
use crate::subnet::Subnet;
use crate::wait::until;

/// It listens at once; the machine may be busy.
const READY: Duration = Duration::from_secs(120);

/// The name that it asks for.
pub const USER: &str = "gw1";
/// The password that it asks for.
pub const PASSWORD: &str = "correcthorse";

/// Whom it lets through.
#[derive(Clone, Copy, Debug)]
pub enum Wants {
    /// Everybody.
    Nothing,
    /// Who has [`USER`] and [`PASSWORD`].
    Password,
}

/// A proxy on loopback.
#[derive(Debug)]
pub struct Tinyproxy {
    /// Its TCP port.
    pub port: u16,
    running: Running,
    subnet: Subnet,
}

impl Tinyproxy {
    /// Starts one that wants its password and makes tunnels to this port alone; its files are in this directory.
    pub fn start(dir: &Path, to: u16) -> Result<Self> {
        Self::start_wanting(dir, to, Wants::Password)
    }

    /// The same, for whom it wants.
    pub fn start_wanting(dir: &Path, to: u16, wants: Wants) -> Result<Self> {
        Self::start_at(dir, Subnet::take()?, to, wants)
    }

    /// Ends it and starts another one where it was.
    pub fn again(self, dir: &Path, to: u16, wants: Wants) -> Result<Self> {
        Self::start_at(dir, self.end()?, to, wants)
    }

    /// Ends it; with this, nobody else comes to where it was.
    pub fn end(self) -> Result<Subnet> {
        self.running.kill()?;
        Ok(self.subnet)
    }

    /// Starts one at the port that goes with a subnet.
    pub fn start_at(dir: &Path, subnet: Subnet, to: u16, wants: Wants) -> Result<Self> {
        require("tinyproxy", "tinyproxy")?;
        let port = subnet.tcp().port();
        let file = dir.join(format!("tinyproxy-{port}.conf"));
        let password = match wants {
            Wants::Nothing => String::new(),
            Wants::Password => format!("BasicAuth {USER} {PASSWORD}\n"),
        };
        std::fs::write(
            &file,
            format!(
                "Port {port}\nListen 127.0.0.1\nAllow 127.0.0.1\nTimeout 60\nMaxClients 8\n\
                 {password}ConnectPort {to}\nLogLevel Connect\n"
            ),
        )?;
        let mut tinyproxy = command("tinyproxy");
        tinyproxy.arg("-d").arg("-c").arg(&file);
        let mut running = Running::start("tinyproxy", &mut tinyproxy)?;
        until("tinyproxy listens", READY, || {
            anyhow::ensure!(running.is_alive()?, "it ended:\n{}", running.log());
            Ok(TcpStream::connect(("127.0.0.1", port)).is_ok())
        })?;
        Ok(Self {
            port,
            running,
            subnet,
        })
    }

    /// What it has logged until now.
    pub fn log(&self) -> String {
        self.running.log()
    }
}
