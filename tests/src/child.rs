//! Child processes: their output collected, bounded in time, never left behind.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

/// A program that runs beside the test, killed when this value is dropped, and also when the test's thread dies.
#[derive(Debug)]
pub struct Running {
    name: String,
    child: Child,
    output: Arc<Output>,
}

/// Lines of stdout and stderr, in the order in which they came.
#[derive(Debug, Default)]
struct Output {
    written: Mutex<Written>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Written {
    lines: Vec<String>,
    closed: u8,
}

/// A program that ended by itself.
#[derive(Debug)]
pub struct Ended {
    /// How.
    pub status: ExitStatus,
    /// Lines of stdout and stderr, in the order in which they came.
    pub lines: Vec<String>,
}

/// A command that gets SIGKILL when the thread that starts it dies, so that nothing outlives a test that was killed.
///
/// `setpriv` (util-linux) becomes the program, so that the process id is the program's.
pub fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "--"]).arg(program);
    command
}

/// Fails with the package to install if `program` is not on the PATH.
pub fn require(program: &str, package: &str) -> Result<()> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).any(|dir| dir.join(program).is_file());
    if !found {
        bail!(
            "`{program}` is missing: install the Debian package {package} (apt-get install {package})"
        );
    }
    Ok(())
}

impl Running {
    /// Starts a command that [`command`] made.
    pub fn start(name: &str, command: &mut Command) -> Result<Self> {
        Self::start_with(name, command, Stdio::null())
    }

    /// The same with this standard input.
    pub fn start_with(name: &str, command: &mut Command, input: Stdio) -> Result<Self> {
        let mut child = command
            .stdin(input)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("start {name}: {command:?}"))?;
        let output = Arc::new(Output::default());
        if let Some(stdout) = child.stdout.take() {
            collect(stdout, Arc::clone(&output));
        }
        if let Some(stderr) = child.stderr.take() {
            collect(stderr, Arc::clone(&output));
        }
        Ok(Self {
            name: name.to_owned(),
            child,
            output,
        })
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it has written until now.
    pub fn lines(&self) -> Vec<String> {
        self.output.lock().lines.clone()
    }

    /// What it has written until now, for a message.
    pub fn log(&self) -> String {
        self.lines().join("\n")
    }

    /// Waits until a line contains `part`, and returns the line.
    pub fn wait_for_line(&self, part: &str, limit: Duration) -> Result<String> {
        let deadline = Instant::now() + limit;
        let mut written = self.output.lock();
        loop {
            if let Some(line) = written.lines.iter().find(|line| line.contains(part)) {
                return Ok(line.clone());
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() || written.closed == 2 {
                let log = written.lines.join("\n");
                bail!("{}: no line with {part:?}; it wrote:\n{log}", self.name);
            }
            let waited = self.output.changed.wait_timeout(written, left);
            written = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// True while it has not ended.
    pub fn is_alive(&mut self) -> Result<bool> {
        Ok(self.child.try_wait()?.is_none())
    }

    /// Waits until all that it wrote is in the log, which is soon after its end, but no longer than `limit`.
    pub fn read_to_the_end(&self, limit: Duration) {
        let written = self.output.lock();
        let open = |written: &mut Written| written.closed < 2;
        let changed = &self.output.changed;
        drop(changed.wait_timeout_while(written, limit, open));
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        let pid = i32::try_from(self.pid()).ok().and_then(Pid::from_raw);
        let pid = pid.context("a process id is above zero")?;
        kill_process(pid, signal).with_context(|| format!("{signal:?} to {}", self.name))
    }

    /// Waits until it ends by itself, and its output with it.
    pub fn wait(mut self, limit: Duration) -> Result<Ended> {
        let deadline = Instant::now() + limit;
        let mut written = self.output.lock();
        while written.closed < 2 {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                let log = written.lines.join("\n");
                bail!(
                    "{} did not end within {limit:?}; it wrote:\n{log}",
                    self.name
                );
            }
            let waited = self.output.changed.wait_timeout(written, left);
            written = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        let lines = written.lines.clone();
        drop(written);
        // Both streams are closed: the process has ended, or does so now.
        let status = self.child.wait()?;
        Ok(Ended { status, lines })
    }

    /// Sends SIGKILL and waits until it is gone.
    pub fn kill(mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already; then there is nothing to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Ended {
    /// What it wrote, for a message.
    pub fn log(&self) -> String {
        self.lines.join("\n")
    }

    /// Lines that contain `part`.
    pub fn count(&self, part: &str) -> usize {
        self.lines.iter().filter(|line| line.contains(part)).count()
    }
}

impl Output {
    fn lock(&self) -> std::sync::MutexGuard<'_, Written> {
        // A reader thread that panicked leaves whole lines behind.
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn collect(stream: impl Read + Send + 'static, output: Arc<Output>) {
    thread::spawn(move || {
        for line in BufReader::new(stream).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line).trim_end().to_owned();
            output.lock().lines.push(line);
            output.changed.notify_all();
        }
        output.lock().closed += 1;
        output.changed.notify_all();
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_and_status_are_collected() {
        let running = Running::start(
            "sh",
            command("sh").args(["-c", "echo one; echo two >&2; exit 3"]),
        );
        let ended = running.unwrap().wait(Duration::from_secs(120)).unwrap();
        assert_eq!(ended.status.code(), Some(3));
        assert_eq!((ended.count("one"), ended.count("two")), (1, 1));
    }

    #[test]
    fn a_missing_program_is_named_with_its_package() {
        let error = require("no-such-program", "its-package").unwrap_err();
        assert!(
            error.to_string().contains("apt-get install its-package"),
            "{error}"
        );
    }
}
