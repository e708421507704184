//! Osmocom's `osmo-ggsn`, in a network namespace of its own because it needs a TUN device.

use std::fs::File;
use std::net::Ipv4Addr;
use std::os::fd::AsFd;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use crate::child::{Running, command, require};

/// Its address inside the namespace, at port 2123.
pub const ADDRESS: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 60);

/// One APN, with 65,000 addresses; a blank at the start of a line is part of the language.
const CONFIGURATION: &str = "\
log stderr
 logging filter all 1
 logging level set-all ALL
 logging level ggsn OWN
line vty
 no login
 bind ADDRESS
ggsn ggsn0
 gtp state-dir STATE
 gtp bind-ip ADDRESS
 apn internet
  gtpu-mode tun
  tun-device tgtest0
  type-support v4
  ip prefix dynamic 10.250.0.0/16
  no shutdown
 default-apn internet
 no shutdown ggsn
";

/// A running GGSN.
#[derive(Debug)]
pub struct OsmoGgsn {
    running: Running,
}

impl OsmoGgsn {
    /// Starts it with one APN, `internet`; it logs each context. It needs root and says so.
    pub fn start(state_dir: &Path) -> Result<Self> {
        Self::start_logging(state_dir, ["error", "info"])
    }

    /// The same, and neither contexts are logged nor that it has no room to keep an answer.
    pub fn start_quiet(state_dir: &Path) -> Result<Self> {
        Self::start_logging(state_dir, ["fatal", "notice"])
    }

    fn start_logging(state_dir: &Path, [all, own]: [&str; 2]) -> Result<Self> {
        require("osmo-ggsn", "osmo-ggsn")?;
        require("ip", "iproute2")?;
        if !rustix::process::geteuid().is_root() {
            bail!(
                "osmo-ggsn needs root, for a network namespace and a TUN device: run the tests as root"
            );
        }
        std::fs::create_dir_all(state_dir)?;
        let configuration = state_dir.join("ggsn.cfg");
        let text = CONFIGURATION
            .replace("ADDRESS", &ADDRESS.to_string())
            .replace("ALL", all)
            .replace("OWN", own)
            .replace("STATE", &state_dir.to_string_lossy());
        std::fs::write(&configuration, text)?;
        let mut ggsn = command("unshare");
        ggsn.args([
            "--net",
            "--",
            "sh",
            "-c",
            "ip link set lo up && exec osmo-ggsn -c \"$1\"",
            "sh",
        ])
        .arg(&configuration);
        let running = Running::start("osmo-ggsn", &mut ggsn)?;
        running.wait_for_line(
            "GGSN(ggsn0): Successfully started",
            Duration::from_secs(120),
        )?;
        Ok(Self { running })
    }

    /// A command that runs in its namespace.
    pub fn beside(&self, program: &Path) -> Command {
        let mut inside = command("nsenter");
        inside
            .args(["--net", "--target", &self.running.pid().to_string(), "--"])
            .arg(program);
        inside
    }

    /// Moves the calling thread into its namespace, with the threads that it starts from now on.
    pub fn enter(&self) -> Result<()> {
        let namespace = File::open(format!("/proc/{}/ns/net", self.running.pid()))?;
        move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network))
            .context("enter the network namespace of osmo-ggsn")
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.running.pid()
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        self.running.log()
    }
}
