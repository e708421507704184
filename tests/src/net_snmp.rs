//! net-snmp: `snmpget` and its kin, which ask an agent, and `snmptrapd`, which takes notifications.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::child::{Ended, Running, command, require};

/// Bound of one program; the machine may be busy.
const LIMIT: Duration = Duration::from_secs(120);

/// Runs a tool to its end. It reads no MIB and no configuration but that of this directory, prints numbers, and asks
/// again for as long as a busy machine may take.
pub fn run(
    dir: &Path,
    tool: &str,
    options: &[&str],
    agent: SocketAddr,
    names: &[&str],
) -> Result<Ended> {
    require(tool, "snmp")?;
    prepare(dir)?;
    let mut command = with_environment(tool, dir);
    command.args(["-On", "-Oe", "-OU", "-t", "5", "-r", "5"]);
    command.args(options).arg(agent.to_string()).args(names);
    Running::start(tool, &mut command)?.wait(LIMIT)
}

/// What it would make, and say that it did.
fn prepare(dir: &Path) -> Result<()> {
    std::fs::create_dir_all(dir.join("cert_indexes")).context("prepare net-snmp's directory")
}

fn with_environment(program: &str, dir: &Path) -> Command {
    let mut command = command(program);
    command.env("MIBS", "");
    command
        .env("SNMP_PERSISTENT_DIR", dir)
        .env("SNMPCONFPATH", dir);
    command
}

/// A receiver of notifications, which prints a line each.
#[derive(Debug)]
pub struct Snmptrapd {
    running: Running,
}

impl Snmptrapd {
    /// Starts one at this address. `configuration` has its users and who may log; its engine lives in `dir`.
    pub fn start(dir: &Path, address: SocketAddr, configuration: &str) -> Result<Self> {
        require("snmptrapd", "snmptrapd")?;
        prepare(dir)?;
        let file = dir.join("trapd.conf");
        let all = format!("{configuration}\nformat1 %V|%a|%W.%q|%v\\n\nformat2 %V|%a|%P|%v\\n\n");
        std::fs::write(&file, all).context("write the configuration of snmptrapd")?;
        let mut command = with_environment("snmptrapd", dir);
        command
            .args(["-f", "-Lo", "-C", "-On", "-Oe", "-OU", "-c"])
            .arg(&file);
        command.arg(format!("udp:{address}"));
        let running = Running::start("snmptrapd", &mut command)?;
        running.wait_for_line("NET-SNMP version", LIMIT)?;
        Ok(Self { running })
    }

    /// Waits for a line that contains `part`.
    pub fn wait_for(&self, part: &str) -> Result<String> {
        self.running.wait_for_line(part, LIMIT)
    }

    /// What it has written until now.
    pub fn lines(&self) -> Vec<String> {
        self.running.lines()
    }

    /// Ends it by SIGKILL.
    pub fn kill(self) -> Result<()> {
        self.running.kill()
    }
}
