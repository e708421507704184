//! One program at a time, within a bound of time, and all that it started ended with it.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process_group};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::run;

/// Octets of one line; a longer one is cut.
const LINE_MAX: u64 = 400;
/// Lines that are kept, the last ones.
const LINES_MAX: usize = 60;
/// Lines under way to us; who writes more waits.
const QUEUE_MAX: usize = 256;
/// Between two looks at the program.
const LOOK: Duration = Duration::from_millis(50);
/// For what a killed program's pipes take to close.
const CLOSING_MAX: Duration = Duration::from_secs(5);
/// From the request to end to the end.
const MERCY: Duration = Duration::from_secs(2);

/// What is run.
pub struct Program {
    pub name: String,
    pub command: PathBuf,
    pub arguments: Vec<OsString>,
    /// How long it may take.
    pub limit: Duration,
}

/// How it went.
#[derive(Debug)]
pub struct Ending {
    /// Its exit status; none: it took too long.
    pub status: Option<ExitStatus>,
    /// The last lines of what it printed, errors among them.
    pub lines: Vec<String>,
    pub took: Duration,
}

enum Event {
    /// We are told to end.
    Interrupted,
    /// The program of this number printed a line.
    Line(u64, String),
    /// One of its two pipes is closed.
    Closed(u64),
}

/// Where everything that happens meanwhile arrives.
pub struct Desk {
    sender: SyncSender<Event>,
    events: Receiver<Event>,
    /// Programs so far.
    number: u64,
}

impl Desk {
    pub fn new() -> Self {
        let (sender, events) = sync_channel(QUEUE_MAX);
        Self {
            sender,
            events,
            number: 0,
        }
    }

    /// From now on, who ends this process (Ctrl-C) ends the program that runs first.
    pub fn watch_signals(&self) -> Result<()> {
        let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP]).context("signals")?;
        let sender = self.sender.clone();
        thread::spawn(move || {
            for _ in signals.forever() {
                // Nobody listens any more: we are at the end anyway.
                let _gone = sender.send(Event::Interrupted);
            }
        });
        Ok(())
    }

    #[cfg(test)]
    pub fn interrupt(&self) {
        self.sender.send(Event::Interrupted).unwrap();
    }

    /// Runs it to its end, or to its bound; what it prints goes to `show` too. An error: it can't be started, or we were
    /// interrupted.
    pub fn run(
        &mut self,
        program: &Program,
        environment: &[(&str, OsString)],
        mut show: impl FnMut(&str),
    ) -> Result<Ending> {
        let mut command = Command::new(&program.command);
        run::as_from_a_shell(&mut command);
        command.args(&program.arguments);
        command.envs(environment.iter().map(|(name, value)| (name, value)));
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.process_group(0);
        let child = command
            .spawn()
            .with_context(|| format!("{} ({})", program.name, program.command.display()))?;
        self.number += 1;
        let mut group = Group { child };
        self.listen(group.child.stdout.take());
        self.listen(group.child.stderr.take());
        let begun = Instant::now();
        let mut lines = VecDeque::new();
        let (mut open, mut status, mut until) = (2, None, begun + program.limit);
        while open > 0 {
            match self.events.recv_timeout(LOOK) {
                Ok(Event::Interrupted) => bail!("interrupted: {} is ended", program.name),
                Ok(Event::Line(number, line)) if number == self.number => {
                    show(&line);
                    lines.push_back(line);
                    if lines.len() > LINES_MAX {
                        lines.pop_front();
                    }
                }
                Ok(Event::Closed(number)) if number == self.number => open -= 1,
                Ok(Event::Line(..) | Event::Closed(_)) => {}
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => bail!("{}: nobody listens", program.name),
            }
            if status.is_none() {
                status = group.child.try_wait().context(program.name.clone())?;
                if status.is_some() {
                    // Whatever it left behind holds the pipes, and the processors.
                    group.kill();
                    until = Instant::now() + CLOSING_MAX;
                }
            }
            if Instant::now() > until {
                break;
            }
        }
        while status.is_none() && Instant::now() <= until {
            if let Ok(Event::Interrupted) = self.events.recv_timeout(LOOK) {
                bail!("interrupted: {} is ended", program.name);
            }
            status = group.child.try_wait().context(program.name.clone())?;
        }
        Ok(Ending {
            status,
            lines: lines.into(),
            took: begun.elapsed(),
        })
    }

    fn listen(&self, pipe: Option<impl Read + Send + 'static>) {
        let (sender, number) = (self.sender.clone(), self.number);
        thread::spawn(move || {
            let mut pipe = pipe.map(BufReader::new);
            let mut line = Vec::new();
            while let Some(pipe) = &mut pipe {
                line.clear();
                let read = pipe.by_ref().take(LINE_MAX).read_until(b'\n', &mut line);
                if !read.is_ok_and(|octets| octets > 0) {
                    break;
                }
                let text = String::from_utf8_lossy(&line);
                let event = Event::Line(number, text.trim_end().to_owned());
                if sender.send(event).is_err() {
                    break;
                }
            }
            // Nobody listens any more: the desk is gone.
            let _gone = sender.send(Event::Closed(number));
        });
    }
}

/// A program and all that it started, which end when this is dropped.
struct Group {
    child: Child,
}

impl Group {
    fn kill(&self) {
        self.signal(Signal::KILL);
    }

    fn signal(&self, signal: Signal) {
        if let Some(pid) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            // An error: there is nobody left in it.
            let _ended = kill_process_group(pid, signal);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let running = |child: &mut Child| matches!(child.try_wait(), Ok(None));
        if running(&mut self.child) {
            self.signal(Signal::TERM);
            let until = Instant::now() + MERCY;
            while running(&mut self.child) && Instant::now() < until {
                thread::park_timeout(LOOK);
            }
        }
        self.kill();
        // It is killed, so it ends; an error: it has been waited for.
        let _ended = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Far more than any of these takes, on a machine that others load.
    const LONG: Duration = Duration::from_secs(60);

    fn shell(script: &str, limit: Duration) -> Program {
        Program {
            name: "fake".into(),
            command: "/bin/sh".into(),
            arguments: vec!["-c".into(), script.into()],
            limit,
        }
    }

    fn is_running(pid: &str) -> bool {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let state = stat
            .rsplit(") ")
            .next()
            .and_then(|rest| rest.chars().next());
        !matches!(state, None | Some('Z' | 'X'))
    }

    fn gone(pid: &str) -> bool {
        let until = Instant::now() + LONG;
        while is_running(pid) && Instant::now() < until {
            thread::yield_now();
        }
        !is_running(pid)
    }

    #[test]
    fn what_it_prints_and_how_it_ends_is_told() {
        let mut shown = Vec::new();
        let script = "echo out; echo \"$COLOUR\" >&2; exit 3";
        let ending = Desk::new()
            .run(
                &shell(script, LONG),
                &[("COLOUR", "green".into())],
                |line| shown.push(line.to_owned()),
            )
            .unwrap();
        assert_eq!(ending.status.unwrap().code(), Some(3));
        shown.sort();
        assert_eq!(shown, ["green", "out"]);
    }

    #[test]
    fn only_the_last_lines_are_kept_and_none_is_endless() {
        let script = "seq 1 1000; head -c 1000 /dev/zero | tr '\\0' x";
        let ending = Desk::new().run(&shell(script, LONG), &[], |_| {}).unwrap();
        assert_eq!(ending.lines.len(), LINES_MAX);
        assert!(
            ending
                .lines
                .iter()
                .all(|line| line.len() as u64 <= LINE_MAX)
        );
        assert_eq!(ending.lines[LINES_MAX - 4], "1000");
    }

    #[test]
    fn one_that_hangs_is_ended_with_all_that_it_started() {
        let mut shown = String::new();
        let script = "trap '' TERM; sleep 1000 & echo $!; wait; sleep 1000";
        let limit = Duration::from_millis(300);
        let ending = Desk::new().run(&shell(script, limit), &[], |line| shown.push_str(line));
        let ending = ending.unwrap();
        assert!(ending.status.is_none(), "{ending:?}");
        assert!(gone(&shown), "{shown} runs on");
    }

    #[test]
    fn what_one_leaves_behind_is_ended() {
        let mut shown = String::new();
        let script = "sleep 1000 & echo $!";
        let ending = Desk::new().run(&shell(script, LONG), &[], |line| shown.push_str(line));
        let ending = ending.unwrap();
        assert_eq!(ending.status.unwrap().code(), Some(0));
        assert!(ending.took < LONG, "nobody waits for it");
        assert!(gone(&shown), "{shown} runs on");
    }

    #[test]
    fn an_interruption_ends_what_runs() {
        let mut desk = Desk::new();
        let sender = desk.sender.clone();
        let mut shown = String::new();
        let error = desk.run(&shell("echo $$; sleep 1000", LONG), &[], |line| {
            shown.push_str(line);
            sender.send(Event::Interrupted).unwrap();
        });
        let error = error.unwrap_err().to_string();
        assert_eq!(error, "interrupted: fake is ended");
        assert!(gone(&shown), "{shown} runs on");
    }

    #[test]
    fn one_that_is_not_there_is_named() {
        let mut program = shell("", LONG);
        program.command = "/nowhere/gate-ratio".into();
        let error = Desk::new().run(&program, &[], |_| {}).unwrap_err();
        assert_eq!(error.to_string(), "fake (/nowhere/gate-ratio)");
    }
}
