//! PostgreSQL in a directory of its own, on a socket in it: started, killed, started again. The system's servers are left
//! alone.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use rustix::process::Signal;

use crate::child::Running;
use crate::subnet::Subnet;
use crate::wait::eventually;

/// Making a cluster takes seconds; the machine may be busy.
const READY: Duration = Duration::from_secs(120);
/// Where Debian has the programs of each version.
const VERSIONS: &str = "/usr/lib/postgresql";
/// Who runs it where the tests are root's, as whom it doesn't run.
const USER: &str = "postgres";
/// How it runs: on its socket alone. What is lost when the machine fails is of no use to a test.
const SERVER: [&str; 6] = [
    "-c",
    "listen_addresses=",
    "-c",
    "fsync=off",
    "-c",
    "max_connections=600",
];

/// A server; it ends with this.
#[derive(Debug)]
pub struct Postgres {
    dir: tempfile::TempDir,
    bin: PathBuf,
    /// The user and group to run as, if we are root.
    user: Option<(u32, u32)>,
    running: Option<Running>,
    /// Whose port it has, for TLS on loopback.
    secured: Option<Subnet>,
}

impl Postgres {
    /// Makes a cluster and starts it.
    pub fn start() -> Result<Self> {
        let mut postgres = Self {
            dir: tempfile::Builder::new().prefix("postgres-").tempdir()?,
            bin: programs()?,
            user: user()?,
            running: None,
            secured: None,
        };
        if let Some((user, group)) = postgres.user {
            chown(postgres.dir.path(), Some(user), Some(group))?;
        }
        let mut init = postgres.command("initdb");
        init.arg("-D").arg(postgres.data());
        // Roles other than its own need a password.
        let hosts = "--auth-local=trust";
        init.args([hosts, "--username", USER, "--encoding=UTF8", "--no-sync"]);
        let made = Running::start("initdb", &mut init)?.wait(READY)?;
        ensure!(made.status.success(), "initdb: {}", made.log());
        let rules = "local all postgres trust\nlocal all all scram-sha-256\n\
                     hostssl all all localhost scram-sha-256\n";
        fs::write(postgres.data().join("pg_hba.conf"), rules)?;
        postgres.begin()?;
        Ok(postgres)
    }

    /// Starts it again where it was, and waits until it answers.
    pub fn begin(&mut self) -> Result<()> {
        // One that was killed may have processes for a moment more; until they are gone no other one starts.
        let running = eventually("a server that answers", READY, || {
            let mut server = self.command("postgres");
            server.arg("-D").arg(self.data());
            server.arg("-k").arg(self.dir.path()).args(SERVER);
            if let Some(subnet) = &self.secured {
                let port = format!("port={}", subnet.tcp().port());
                for setting in ["listen_addresses=127.0.0.1", "ssl=on", &port] {
                    server.args(["-c", setting]);
                }
            }
            let running = Running::start("postgres", &mut server)?;
            let ready = running.wait_for_line("ready to accept connections", READY);
            Ok(ready.is_ok().then_some(running))
        })?;
        self.running = Some(running);
        Ok(())
    }

    /// Has it listen on loopback too, by TLS with this certificate and key in PEM, from its next start on.
    pub fn secure(&mut self, certificate: &str, key: &str) -> Result<SocketAddr> {
        for (name, text) in [("server.crt", certificate), ("server.key", key)] {
            let file = self.data().join(name);
            fs::write(&file, text)?;
            fs::set_permissions(&file, fs::Permissions::from_mode(0o600))?;
            if let Some((user, group)) = self.user {
                chown(&file, Some(user), Some(group))?;
            }
        }
        let subnet = Subnet::take()?;
        let address = subnet.tcp();
        self.secured = Some(subnet);
        Ok(address)
    }

    /// Kills it at once.
    pub fn kill(&mut self) -> Result<()> {
        self.running.take().context("it is down")?.kill()
    }

    /// The directory of its socket.
    pub fn socket(&self) -> &Path {
        self.dir.path()
    }

    /// The URL of a database as a role.
    pub fn url(&self, role: &str, database: &str) -> String {
        let socket = self.socket().display();
        let port = self.secured.as_ref().map(|subnet| subnet.tcp().port());
        let port = port.unwrap_or(5432);
        format!("postgres://{role}@localhost/{database}?host={socket}&port={port}")
    }

    /// Runs SQL as its superuser; what it prints.
    pub fn sql(&self, database: &str, sql: &str) -> Result<String> {
        let mut psql = Command::new(self.bin.join("psql"));
        psql.args(["--no-psqlrc", "--quiet", "--no-align", "--tuples-only"]);
        psql.args(["-v", "ON_ERROR_STOP=1", "--command", sql]);
        let Output {
            status,
            stdout,
            stderr,
        } = psql.arg(self.url(USER, database)).output()?;
        let why = String::from_utf8_lossy(&stderr);
        ensure!(status.success(), "{sql}: {why}");
        Ok(String::from_utf8_lossy(&stdout).trim().to_owned())
    }

    fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// One of its programs, killed when our thread dies.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL"]);
        if let Some((user, group)) = self.user {
            command.args(["--reuid", &user.to_string(), "--regid", &group.to_string()]);
            command.arg("--clear-groups");
        }
        command.arg("--").arg(self.bin.join(program));
        command.current_dir(self.dir.path());
        command
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            // What doesn't end by itself is killed as it is dropped.
            let _ = running.signal(Signal::INT).and_then(|()| {
                running.wait(READY)?;
                Ok(())
            });
        }
    }
}

/// The programs of the newest version.
fn programs() -> Result<PathBuf> {
    let missing = || format!("no PostgreSQL in {VERSIONS}: install the Debian package postgresql");
    let versions = fs::read_dir(VERSIONS).with_context(missing)?;
    let versions = versions.filter_map(|version| {
        let path = version.ok()?.path();
        let number: u32 = path.file_name()?.to_str()?.parse().ok()?;
        let bin = path.join("bin");
        bin.join("initdb").is_file().then_some((number, bin))
    });
    let newest = versions.max_by_key(|(number, _)| *number);
    Ok(newest.with_context(missing)?.1)
}

/// Whom to run it as.
fn user() -> Result<Option<(u32, u32)>> {
    if !rustix::process::geteuid().is_root() {
        return Ok(None);
    }
    let number = |option: &str| -> Result<u32> {
        let said = Command::new("id").args([option, USER]).output()?;
        let said = String::from_utf8_lossy(&said.stdout).trim().to_owned();
        said.parse().with_context(|| format!("no user {USER}"))
    };
    Ok(Some((number("-u")?, number("-g")?)))
}
