//! net-snmp: `snmpget` and its kin, which ask an agent, and `snmptrapd`, which takes notifications.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::child::{Ended, Running, command, require};

/// Bound of one program; the machine may be busy.
const LIMIT: Duration = Duration::from_secs(120);

/// The authentication password of a [`Noc`]'s users.
pub const AUTH: &str = "maplesyrup";
const PRIVACY: &str = "syrupmaple";
const COMMUNITY: &str = "hunter2";
/// Options of a manager with the community of a [`Noc`]'s node.
pub const V2C: [&str; 3] = ["-v2c", "-c", COMMUNITY];

/// Options of a manager that is a user with these passwords, by SHA-256 and AES-128.
pub fn user<'a>(name: &'a str, password: &'a str) -> Vec<&'a str> {
    let mut options = vec!["-v3", "-l", "authPriv", "-u", name, "-A", password];
    options.extend(["-X", PRIVACY, "-a", "SHA-256", "-x", "AES"]);
    options
}

/// What a manager reads: values in the words of net-snmp, by name.
pub type Read = BTreeMap<String, String>;

/// Who manages one node, by the tools of net-snmp.
#[derive(Clone, Debug)]
pub struct Noc {
    dir: PathBuf,
    agent: SocketAddr,
}

impl Noc {
    /// Of the node that is configured by this too: it is asked at this address, its community sees the node's name and
    /// licenses, its user `noc` all, and its user `mute` nothing.
    pub fn new(dir: &Path, agent: SocketAddr) -> Result<(Self, String)> {
        for (name, secret) in [("seen", COMMUNITY), ("auth", AUTH), ("privacy", PRIVACY)] {
            let file = dir.join(name);
            fs::write(&file, secret)?;
            fs::set_permissions(&file, fs::Permissions::from_mode(0o600))?;
        }
        let keys = "auth = \"sha-256\"\nauth_file = \"auth\"\n\
                    privacy = \"aes-128\"\nprivacy_file = \"privacy\"";
        let sections = format!(
            "[snmp]\nlisten = \"{agent}\"\ncontact = \"the noc\"\n\
             [[snmp.community]]\ncommunity_file = \"seen\"\n\
             read = [\"1.3.6.1.2.1.1\", \"1.3.6.1.4.1.32473.1\", \"1.3.6.1.4.1.9.9.831\"]\n\
             [[snmp.user]]\nname = \"noc\"\n{keys}\nread = [\"1\"]\n\
             [[snmp.user]]\nname = \"mute\"\n{keys}\n"
        );
        let dir = dir.to_owned();
        Ok((Self { dir, agent }, sections))
    }

    /// Where the node is asked.
    pub fn agent(&self) -> SocketAddr {
        self.agent
    }

    /// Runs a tool to its end.
    pub fn run(&self, tool: &str, options: &[&str], names: &[&str]) -> Result<Ended> {
        run(&self.dir, tool, options, self.agent, names)
    }

    /// What a tool reads.
    pub fn read(&self, tool: &str, options: &[&str], names: &[&str]) -> Result<Read> {
        let ended = self.run(tool, options, names)?;
        ensure!(ended.status.success(), "{tool}: {}", ended.log());
        // Behind the last value of a view its name comes once more, with no value.
        let there = |(_, value): &(&str, &str)| !value.starts_with("No more variables");
        let split = ended.lines.iter().filter_map(|line| line.split_once(" = "));
        let split = split.filter(there);
        Ok(split
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect())
    }

    /// A number that is read alone by the user who may read everything.
    pub fn number(&self, name: &str) -> Result<u64> {
        let read = self.read("snmpget", &user("noc", AUTH), &[name])?;
        number(&read, name).with_context(|| format!("{read:?}"))
    }

    /// A table as `snmptable` prints it by the modules of this package and ours, with indexes as numbers: the columns, and a
    /// list of cells a row.
    pub fn table(&self, options: &[&str], name: &str) -> Result<Vec<Vec<String>>> {
        let (module, _) = name.split_once("::").context("MODULE::TABLE")?;
        let load = [
            "-Os",
            "-Ob",
            "-M",
            &modules(),
            "-m",
            module,
            "-Cf",
            "|",
            "-Ci",
        ];
        let ended = self.run("snmptable", &[options, &load].concat(), &[name])?;
        ensure!(ended.status.success(), "{}", ended.log());
        let rows = ended.lines.iter().filter(|line| line.contains('|'));
        let cells = rows.map(|line| {
            let cells = line.split('|').map(|cell| cell.trim_matches('"'));
            cells.map(str::to_owned).collect()
        });
        Ok(cells.collect())
    }
}

/// Where modules are: stand-ins of this package, and ours.
fn modules() -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    format!("{0}/smi:{0}/../mibs", root.display())
}

/// The number of a line such as `Gauge32: 7`.
pub fn number(read: &Read, name: &str) -> Option<u64> {
    read.get(name)?.split_once(": ")?.1.parse().ok()
}

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
        let numbers = ["-On", "-Oe", "-OU"];
        Self::start_with(dir, address, configuration, &numbers)
    }

    /// The same, but it prints what it knows of our module by name.
    pub fn start_with_module(dir: &Path, address: SocketAddr, configuration: &str) -> Result<Self> {
        let load = ["-M", &modules(), "-m", "TOLLGATE-MIB"];
        Self::start_with(dir, address, configuration, &load)
    }

    fn start_with(
        dir: &Path,
        address: SocketAddr,
        configuration: &str,
        options: &[&str],
    ) -> Result<Self> {
        require("snmptrapd", "snmptrapd")?;
        prepare(dir)?;
        let file = dir.join("trapd.conf");
        let all =
            format!("{configuration}\nformat1 %V|%a|%P|%W.%q|%N|%v\\n\nformat2 %V|%a|%P|%v\\n\n");
        std::fs::write(&file, all).context("write the configuration of snmptrapd")?;
        let mut command = with_environment("snmptrapd", dir);
        command
            .args(["-f", "-Lo", "-C"])
            .args(options)
            .arg("-c")
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
