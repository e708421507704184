//! tmux as a terminal that can be looked at: what stands on the screen, as somebody before it would see it.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::child::{Running, command, require};
use crate::wait::eventually;

/// For a busy machine.
const LIMIT: Duration = Duration::from_secs(100);

/// One session of a server of its own, which is killed when this value is dropped, with all that runs in it.
#[derive(Debug)]
pub struct Tmux {
    socket: PathBuf,
    _server: Running,
    /// The server's socket is in it.
    _dir: tempfile::TempDir,
}

impl Tmux {
    /// Runs a program on a screen of this size.
    pub fn open(argv: &[String], columns: u16, lines: u16) -> Result<Self> {
        require("tmux", "tmux")?;
        let dir = tempfile::tempdir()?;
        let socket = dir.path().join("socket");
        let configuration = dir.path().join("tmux.conf");
        std::fs::write(&configuration, "set -g status off\nset -g escape-time 0\n")?;
        let mut server = command("tmux");
        server.args(["-u", "-D", "-S"]).arg(&socket);
        server.arg("-f").arg(&configuration);
        server.env("LANG", "C.UTF-8").env_remove("TMUX");
        let server = Running::start("tmux", &mut server)?;
        let tmux = Self {
            socket,
            _server: server,
            _dir: dir,
        };
        let size = [columns, lines].map(|size| size.to_string());
        let session = ["new-session", "-d", "-x", &size[0], "-y", &size[1], "--"];
        // The server takes a moment to listen.
        eventually("tmux takes a session", LIMIT, || {
            let words = session.iter().map(|word| word.as_ref());
            let words = words.chain(argv.iter().map(|word| word.as_ref()));
            Ok(tmux.told(words)?.0.then_some(()))
        })?;
        Ok(tmux)
    }

    /// Types this, or presses the key of this name: `Enter`, `Tab`.
    pub fn types(&self, keys: &str) -> Result<()> {
        let how = match ["Enter", "Tab"].contains(&keys) {
            true => "-t:",
            false => "-lt:",
        };
        let (done, said) = self.told(["send-keys", how, keys].map(AsRef::as_ref))?;
        ensure!(done, "{keys}: {said}");
        Ok(())
    }

    /// Makes the screen of this size.
    pub fn resize(&self, columns: u16, lines: u16) -> Result<()> {
        let size = [columns, lines].map(|size| size.to_string());
        let words = ["resize-window", "-t:", "-x", &size[0], "-y", &size[1]];
        let (done, said) = self.told(words.map(AsRef::as_ref))?;
        ensure!(done, "{size:?}: {said}");
        Ok(())
    }

    /// What stands on the screen, each line without the spaces at its end, once this holds of it.
    pub fn screen(&self, what: &str, holds: impl Fn(&str) -> bool) -> Result<String> {
        let mut last = String::new();
        let found = eventually(what, LIMIT, || {
            let (done, screen) = self.told(["capture-pane", "-p", "-t:"].map(AsRef::as_ref))?;
            ensure!(done, "{screen}");
            let lines = screen.lines().map(|line| line.trim_end().to_owned() + "\n");
            last = lines.collect();
            Ok(holds(last.trim_end()).then(|| last.clone()))
        });
        found.with_context(|| last.clone())
    }

    /// Asks the server: whether it did it, and what it said.
    fn told<'w>(&self, words: impl IntoIterator<Item = &'w OsStr>) -> Result<(bool, String)> {
        let mut client = client(&self.socket);
        let output = client.args(words).output()?;
        let said = [output.stdout, output.stderr].concat();
        Ok((
            output.status.success(),
            String::from_utf8_lossy(&said).into_owned(),
        ))
    }
}

fn client(socket: &Path) -> Command {
    let mut client = command("tmux");
    client.args(["-u", "-N", "-S"]).arg(socket);
    client.env("LANG", "C.UTF-8").env_remove("TMUX");
    client
}
