//! A `tollgate node` as a child process, from a configuration file in a directory of its own.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustix::process::Signal;

use crate::child::{Ended, Running, command, require};
use crate::control::Control;
use crate::tollgate::{binary, tollgate};
use crate::wait::eventually;

/// A node answers a second after its start; the machine may be busy.
const READY: Duration = Duration::from_secs(120);
/// It drains and saves in well under this.
const STOPPED: Duration = Duration::from_secs(120);

/// What a configuration file says, where a test wants something else than a plain GGSN.
#[derive(Clone, Debug)]
pub struct Configuration {
    /// Where GTP-C is received.
    pub listen: SocketAddr,
    /// Where state is kept; other files of the node are beside it.
    pub state_dir: PathBuf,
    /// Worker threads.
    pub workers: u16,
    /// Through which sockets GTP-C comes, if it is said.
    pub gtp_sockets: Option<&'static str>,
    /// More of section `[gn]`.
    pub gn: String,
    /// The `[[pool]]` and `[[apn]]` sections.
    pub apns: String,
    /// All other sections.
    pub more: String,
    /// A file that says how many seconds are added to the wall clock, such as `-86400`, and may say something else at any
    /// time; none: the clock is right.
    pub clock: Option<PathBuf>,
    /// The text of the file, in place of what the others say.
    pub instead: Option<String>,
}

/// Pools of all three kinds; an ordinary, an emergency and a priority APN of service GGSN.
pub const APNS: &str = r#"
[[pool]]
name = "mobiles"
ipv4 = ["10.0.0.0/14"]
ipv6 = ["2001:db8::/44"]

[[apn]]
name = "internet"
service = "GGSN"
pool = "mobiles"

[[apn]]
name = "sos"
service = "GGSN"
pool = "mobiles"
emergency = true

[[apn]]
name = "blue-light"
service = "GGSN"
pool = "mobiles"
priority_arp = [1, 2]
"#;

impl Configuration {
    /// A GGSN with two workers, no path supervision and the APNs `internet`, `sos` (emergency) and `blue-light` (ARP
    /// levels 1 and 2 are priority).
    pub fn new(listen: SocketAddr, state_dir: impl Into<PathBuf>) -> Self {
        Self {
            listen,
            state_dir: state_dir.into(),
            workers: 2,
            gtp_sockets: None,
            gn: "echo_interval_s = 0\nrecount_interval_s = 1".to_owned(),
            apns: APNS.to_owned(),
            more: String::new(),
            clock: None,
            instead: None,
        }
    }

    /// With this text in place of all that.
    #[must_use]
    pub fn saying(self, text: &str) -> Self {
        Self {
            instead: Some(text.to_owned()),
            ..self
        }
    }

    /// With other sections.
    #[must_use]
    pub fn with(mut self, sections: &str) -> Self {
        self.more.push_str(sections);
        self.more.push('\n');
        self
    }

    /// On a lab node with a catalog like the embedded one, but for so many sessions a license.
    pub fn with_sessions_per_license(self, sessions: u32) -> Result<Self> {
        let catalog = self.beside("catalog.toml");
        let embedded = include_str!("../../licensing/catalogs/staros.toml");
        let small = embedded.replace(
            "sessions_per_license = 10_000",
            &format!("sessions_per_license = {sessions}"),
        );
        std::fs::write(&catalog, small)?;
        let path = catalog.display();
        Ok(self.with(&format!("[lab]\ncatalog = \"{path}\"")))
    }

    /// The text of the file.
    pub fn text(&self) -> String {
        let socket = self.control_socket();
        let socket = socket.display();
        let Self {
            listen,
            workers,
            gtp_sockets,
            gn,
            apns,
            more,
            ..
        } = self;
        let state_dir = self.state_dir.display();
        if let Some(text) = &self.instead {
            return text.clone();
        }
        let sockets = gtp_sockets.map(|how| format!("gtp_sockets = \"{how}\"\n"));
        let sockets = sockets.unwrap_or_default();
        format!(
            "[node]\nname = \"gw1\"\nstate_dir = \"{state_dir}\"\nworkers = {workers}\n{sockets}\n\
             [control]\nsocket = \"{socket}\"\n\n[gn]\nlisten = \"{listen}\"\n{gn}\n{apns}\n{more}"
        )
    }

    /// Writes the file beside the state directory.
    pub fn write(&self) -> Result<PathBuf> {
        let path = self.beside("node.toml");
        std::fs::write(&path, self.text())?;
        Ok(path)
    }

    /// Where the control socket is.
    pub fn control_socket(&self) -> PathBuf {
        self.beside("control.sock")
    }

    /// The path of a file beside the state directory, called after it.
    pub fn beside(&self, name: &str) -> PathBuf {
        let mut file = self.state_dir.file_name().unwrap_or_default().to_owned();
        file.push("-");
        file.push(name);
        self.state_dir.with_file_name(file)
    }
}

/// A running node that answers on its control socket.
#[derive(Debug)]
pub struct Node {
    running: Running,
    control: Control,
    configuration: Configuration,
}

impl Node {
    /// Starts a node and waits until it answers.
    pub fn start(configuration: &Configuration) -> Result<Self> {
        let file = configuration.write()?;
        let running = match &configuration.clock {
            None => launch(&file)?,
            Some(wrong) => launch_with(&file, wrong_clock(wrong)?)?,
        };
        Self::ready(running, configuration)
    }

    /// The same, its state directory on a file system of its own with so much room; [`Node::inside`] leads there.
    ///
    /// It needs root, or user namespaces.
    pub fn start_on_small_disk(configuration: &Configuration, room_kib: u32) -> Result<Self> {
        require("unshare", "util-linux")?;
        std::fs::create_dir_all(&configuration.state_dir)?;
        let mut unshare = command("unshare");
        if !rustix::process::geteuid().is_root() {
            unshare.arg("--map-root-user");
        }
        let script = "mount -t tmpfs -o size=\"$1\"k,mode=700 none \"$2\" && exec \"$3\" node --config \"$4\"";
        unshare.args([
            "--mount",
            "--",
            "sh",
            "-c",
            script,
            "sh",
            &room_kib.to_string(),
        ]);
        unshare.args([&configuration.state_dir, binary()?, &configuration.write()?]);
        Self::ready(
            Running::start("tollgate node", &mut unshare)?,
            configuration,
        )
    }

    fn ready(mut running: Running, configuration: &Configuration) -> Result<Self> {
        let control = Control::new(configuration.control_socket());
        let ready = eventually("the node answers on its control socket", READY, || {
            if !running.is_alive()? {
                running.read_to_the_end(READY);
                bail!("the node ended:\n{}", running.log());
            }
            Ok(control.health().ok())
        });
        ready.with_context(|| format!("the node wrote:\n{}", running.log()))?;
        Ok(Self {
            running,
            control,
            configuration: configuration.clone(),
        })
    }

    /// A path of the node's, where its file systems are its own.
    pub fn inside(&self, path: &Path) -> PathBuf {
        let root = PathBuf::from(format!("/proc/{}/root", self.running.pid()));
        root.join(path.strip_prefix("/").unwrap_or(path))
    }

    /// Its control API.
    pub fn control(&self) -> &Control {
        &self.control
    }

    /// Where it receives GTP-C.
    pub fn address(&self) -> SocketAddr {
        self.configuration.listen
    }

    /// What it was started with.
    pub fn configuration(&self) -> &Configuration {
        &self.configuration
    }

    /// Its state directory.
    pub fn state_dir(&self) -> &Path {
        &self.configuration.state_dir
    }

    /// The process.
    pub fn process(&self) -> &Running {
        &self.running
    }

    /// Runs a command of the CLI against it: `show license enforcement policy`, say.
    pub fn cli(&self, command_line: &str) -> Result<Ended> {
        let socket = self.control.socket().to_string_lossy().into_owned();
        let words = command_line.split(' ').map(str::to_owned);
        crate::tollgate::run(words.chain(["--socket".to_owned(), socket]))
    }

    /// Sends SIGTERM and waits for its end.
    pub fn terminate(self) -> Result<Ended> {
        self.running.signal(Signal::TERM)?;
        self.ended()
    }

    /// Waits for the end of one that was told.
    pub fn ended(self) -> Result<Ended> {
        self.running.wait(STOPPED)
    }

    /// Sends SIGKILL and waits for its end.
    pub fn kill(self) -> Result<()> {
        self.running.kill()
    }

    /// Sends SIGKILL, then starts it again from the same directory.
    pub fn crash_and_restart(self) -> Result<Self> {
        let configuration = self.configuration.clone();
        self.kill()?;
        Self::start(&configuration)
    }
}

/// Starts a node that need not come up.
pub fn launch(configuration: &Path) -> Result<Running> {
    launch_with(configuration, Vec::new())
}

fn launch_with(configuration: &Path, environment: Vec<(&str, PathBuf)>) -> Result<Running> {
    let mut node = tollgate(["node", "--config"])?;
    node.arg(configuration).envs(environment);
    Running::start("tollgate node", &mut node)
}

/// The environment in which a process has the wall clock of a file, and no other time changes.
fn wrong_clock(file: &Path) -> Result<Vec<(&'static str, PathBuf)>> {
    require("faketime", "faketime")?;
    let found = std::fs::read_dir("/usr/lib")?.filter_map(|entry| {
        let path = entry.ok()?.path().join("faketime/libfaketimeMT.so.1");
        path.is_file().then_some(path)
    });
    let library = found.into_iter().next();
    let library = library.context("libfaketimeMT.so.1 is where Debian has it")?;
    Ok(vec![
        ("LD_PRELOAD", library),
        ("FAKETIME_TIMESTAMP_FILE", file.to_owned()),
        ("FAKETIME_NO_CACHE", "1".into()),
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1".into()),
    ])
}
