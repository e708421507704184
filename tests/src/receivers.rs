//! Receivers of files that nobody here wrote: OpenSSH, vsftpd, nginx and tftpd-hpa, each on loopback with directories and
//! an account of its own.
//!
//! They run as root in a mount namespace of their own, where the account exists, and where a directory `full` is a disk
//! that has no room. Nothing of the machine is changed.

mod cut;
mod door;
mod nginx;
mod sshd;
mod tftpd;
mod valve;
mod vsftpd;

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Result, bail};

pub use cut::{Cut, Then};
pub use door::Door;
pub use nginx::Nginx;
pub use sshd::{HostKeys, Sshd};
pub use tftpd::Tftpd;
pub use valve::{Flow, Valve};
pub use vsftpd::Vsftpd;

use crate::child::{Running, command, require};

/// The account that receivers know.
pub const USER: &str = "collector";
/// Its password.
pub const PASSWORD: &str = "canary-hollyhock-77";
/// The same, as `/etc/shadow` has it (`openssl passwd -6`).
const HASH: &str = "$6$tollgate$igrjIDd4Cz5pxt/YfCdj/zJD5hkWNXE6y5WZe5YbyjsVbyCd7nPzSNwCH4dzga1mmfucK4/ka8vN4FciEPAe3.";
/// What PAM asks of whoever comes: the password, and nothing that needs more of a machine.
const PAM: &str =
    "auth required pam_unix.so\naccount required pam_unix.so\nsession required pam_permit.so\n";
/// Of a user and group that nobody has.
const ID: u32 = 64_321;
/// Bytes of the disk that is full.
const FULL_BYTES: u32 = 64 << 10;
/// They listen at once; the machine may be busy.
const READY: Duration = Duration::from_secs(120);

/// A directory for one receiver: its home, where files are left, and what it needs to run.
#[derive(Debug)]
struct Place {
    dir: PathBuf,
}

impl Place {
    /// Makes it below a directory of the test's.
    fn make(dir: &Path, name: &str) -> Result<Self> {
        if !rustix::process::geteuid().is_root() {
            bail!(
                "{name} needs root, for an account and a full disk of its own: run the tests as root"
            );
        }
        require("unshare", "util-linux")?;
        let place = Self {
            dir: dir.join(name),
        };
        let home = place.home();
        fs::create_dir_all(home.join("full"))?;
        for open in [dir, &place.dir] {
            fs::set_permissions(open, Permissions::from_mode(0o755))?;
        }
        for own in [&home, &home.join("full")] {
            chown(own, Some(ID), Some(ID))?;
        }
        let mut accounts = fs::read_to_string("/etc/passwd")?;
        accounts += &format!("{USER}:x:{ID}:{ID}::{}:/bin/sh\n", home.display());
        fs::write(place.file("passwd"), accounts)?;
        fs::write(place.file("shadow"), format!("{USER}:{HASH}:20000::::::\n"))?;
        fs::write(place.file("pam"), PAM)?;
        Ok(place)
    }

    /// Where files are left.
    fn home(&self) -> PathBuf {
        self.dir.join("home")
    }

    /// The directory `full` of it, as a process in its namespace sees it.
    fn full(&self, running: &Running) -> PathBuf {
        let root = PathBuf::from(format!("/proc/{}/root", running.pid()));
        let full = self.home().join("full");
        root.join(full.strip_prefix("/").unwrap_or(&full))
    }

    fn file(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// A program that finds the account, an empty `/run` with these directories, and the full disk.
    fn command(&self, program: &str, run: &str) -> Command {
        let script = format!(
            "set -e; cd {dir}; mount --bind passwd /etc/passwd; mount --bind shadow /etc/shadow; \
             [ ! -e /etc/pam.d/sshd ] || mount --bind pam /etc/pam.d/sshd; \
             mount -t tmpfs -o size={FULL_BYTES},mode=777 tmpfs home/full; \
             mount -t tmpfs -o mode=755 tmpfs /run; mkdir -p {run}; exec \"$0\" \"$@\"",
            dir = self.dir.display(),
        );
        let mut unshare = command("unshare");
        unshare.args(["--mount", "sh", "-c", &script, program]);
        unshare
    }
}
