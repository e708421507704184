//! Osmocom's `osmo-ggsn`, in a network namespace of its own because it needs a TUN device.

use std::net::Ipv4Addr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Result, bail};

use crate::child::{Running, command, require};

/// Its address inside the namespace, at port 2123.
pub const ADDRESS: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 60);

/// A running GGSN.
#[derive(Debug)]
pub struct OsmoGgsn {
    running: Running,
}

impl OsmoGgsn {
    /// Starts it with one APN, `internet`, and 65,000 addresses. It needs root and says so.
    pub fn start(state_dir: &Path) -> Result<Self> {
        require("osmo-ggsn", "osmo-ggsn")?;
        require("ip", "iproute2")?;
        if !rustix::process::geteuid().is_root() {
            bail!(
                "osmo-ggsn needs root, for a network namespace and a TUN device: run the tests as root"
            );
        }
        std::fs::create_dir_all(state_dir)?;
        let configuration = state_dir.join("ggsn.cfg");
        let state = state_dir.display();
        std::fs::write(
            &configuration,
            format!(
                "log stderr\n logging filter all 1\n logging level set-all error\n logging level ggsn notice\n\
                 line vty\n no login\n bind {ADDRESS}\n\
                 ggsn ggsn0\n gtp state-dir {state}\n gtp bind-ip {ADDRESS}\n\
                 apn internet\n  gtpu-mode tun\n  tun-device tgtest0\n  type-support v4\n  \
                 ip prefix dynamic 10.250.0.0/16\n  no shutdown\n default-apn internet\n no shutdown ggsn\n"
            ),
        )?;
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
        running.wait_for_line("GGSN(ggsn0): Successfully started", Duration::from_secs(20))?;
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

    /// What it has logged.
    pub fn log(&self) -> String {
        self.running.log()
    }
}
