//! OpenSSH's sshd with its sftp-server.

use std::fs;
use std::net::TcpStream;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use super::{Place, READY, USER};
use crate::child::{Running, command, require};
use crate::subnet::Subnet;
use crate::wait::until;

/// Which kinds of host keys it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostKeys {
    /// Ed25519 and ECDSA.
    Both,
    /// RSA alone.
    Rsa,
}

/// An SSH server.
#[derive(Debug)]
pub struct Sshd {
    /// Its TCP port.
    pub port: u16,
    place: Place,
    running: Running,
    _subnet: Subnet,
}

impl Sshd {
    /// Starts one; its files are below this directory.
    pub fn start(dir: &Path) -> Result<Self> {
        Self::start_with(dir, HostKeys::Both)
    }

    /// The same with these host keys.
    pub fn start_with(dir: &Path, keys: HostKeys) -> Result<Self> {
        Self::start_by(dir, keys, "UsePAM no\nPasswordAuthentication yes\n")
    }

    /// One that takes a password as the answer to a question of PAM's alone.
    pub fn start_asking(dir: &Path) -> Result<Self> {
        let asks = "UsePAM yes\nPasswordAuthentication no\nKbdInteractiveAuthentication yes\n";
        Self::start_by(dir, HostKeys::Both, asks)
    }

    fn start_by(dir: &Path, keys: HostKeys, login: &str) -> Result<Self> {
        require("sshd", "openssh-server")?;
        require("ssh-keygen", "openssh-client")?;
        let subnet = Subnet::take()?;
        let port = subnet.tcp().port();
        let place = Place::make(dir, &format!("sshd-{port}"))?;
        let kinds: &[&str] = match keys {
            HostKeys::Both => &["ed25519", "ecdsa"],
            HostKeys::Rsa => &["rsa"],
        };
        let mut config = format!(
            "ListenAddress 127.0.0.1:{port}\nPidFile none\n{login}StrictModes no\n\
             AuthorizedKeysFile {}\nAllowUsers {USER}\n\
             Subsystem sftp /usr/lib/openssh/sftp-server -l INFO\nLogLevel VERBOSE\n",
            place.file("authorized").display()
        );
        for kind in kinds {
            let key = place.file(&format!("host-{kind}"));
            generate(&key, kind)?;
            config += &format!("HostKey {}\n", key.display());
        }
        let file = place.file("sshd_config");
        fs::write(&file, config)?;
        // It starts itself again for each connection, by the path that it was started by.
        let mut sshd = place.command("/usr/sbin/sshd", "/run/sshd");
        sshd.args(["-D", "-e", "-f"]).arg(&file);
        let mut running = Running::start("sshd", &mut sshd)?;
        until("sshd listens", READY, || {
            ensure!(running.is_alive()?, "it ended:\n{}", running.log());
            Ok(TcpStream::connect(("127.0.0.1", port)).is_ok())
        })?;
        Ok(Self {
            port,
            place,
            running,
            _subnet: subnet,
        })
    }

    /// The public half of a host key, as a line.
    pub fn host_key(&self, kind: &str) -> Result<String> {
        let file = self.place.file(&format!("host-{kind}.pub"));
        Ok(fs::read_to_string(file)?)
    }

    /// The fingerprint of a host key, as `ssh-keygen` prints it.
    pub fn fingerprint(&self, kind: &str) -> Result<String> {
        let file = self.place.file(&format!("host-{kind}.pub"));
        let said = command("ssh-keygen").arg("-lf").arg(file).output()?;
        let line = String::from_utf8(said.stdout)?;
        let print = line.split(' ').nth(1).context("bits, fingerprint, name")?;
        Ok(print.to_owned())
    }

    /// Lets the account in by a new key, and gives its file.
    pub fn let_in_by_key(&self, kind: &str) -> Result<PathBuf> {
        let file = new_key(&self.place.dir, kind)?;
        fs::copy(file.with_extension("pub"), self.place.file("authorized"))?;
        Ok(file)
    }

    /// A new key that it does not know.
    pub fn another_key(&self) -> Result<PathBuf> {
        new_key(&self.place.file("home"), "ed25519")
    }

    /// Where files are left.
    pub fn home(&self) -> PathBuf {
        self.place.home()
    }

    /// The directory `full` of its home, as it sees it.
    pub fn full(&self) -> PathBuf {
        self.place.full(&self.running)
    }

    /// Waits until it has logged this.
    pub fn has_logged(&self, part: &str) -> Result<()> {
        self.running.wait_for_line(part, READY).map(drop)
    }

    /// What it has logged until now.
    pub fn log(&self) -> String {
        self.running.log()
    }
}

fn new_key(dir: &Path, kind: &str) -> Result<PathBuf> {
    let file = dir.join(format!("login-{kind}"));
    generate(&file, kind)?;
    Ok(file)
}

fn generate(file: &Path, kind: &str) -> Result<()> {
    let mut generate = command("ssh-keygen");
    generate.args(["-q", "-N", "", "-t", kind, "-f"]).arg(file);
    let done = generate.output()?;
    ensure!(done.status.success(), "ssh-keygen: {done:?}");
    Ok(())
}
