//! Stopping one thread of a node, so that a test sees what the others do without it.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use anyhow::{Context, Result, ensure};

use crate::child::{command, require};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/stop_thread.py");

/// A thread that stands still while this value lives.
#[derive(Debug)]
pub struct Stopped {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

/// The threads of a process: (thread id, name).
pub fn threads(pid: u32) -> Result<Vec<(u32, String)>> {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task"))?;
    tasks
        .map(|task| {
            let path = task?.path();
            let tid = path
                .file_name()
                .and_then(|name| name.to_str())
                .context("a task is a number")?;
            let name = std::fs::read_to_string(path.join("comm"))?;
            Ok((tid.parse()?, name.trim().to_owned()))
        })
        .collect()
}

/// Stops the only thread of this name.
pub fn stop(pid: u32, name: &str) -> Result<Stopped> {
    require("python3", "python3")?;
    let all = threads(pid)?;
    let named: Vec<u32> = all
        .iter()
        .filter(|(_, of)| of == name)
        .map(|(tid, _)| *tid)
        .collect();
    ensure!(
        named.len() == 1,
        "not exactly one thread is called {name}: {all:?}"
    );
    let mut child = command("python3")
        .args([SCRIPT, &named[0].to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("start python3")?;
    let input = child.stdin.take().context("its stdin was piped")?;
    let output = BufReader::new(child.stdout.take().context("its stdout was piped")?);
    let mut stopped = Stopped {
        child,
        input,
        output,
    };
    stopped.hears("stopped")?;
    Ok(stopped)
}

impl Stopped {
    /// Lets the thread go on.
    pub fn release(mut self) -> Result<()> {
        writeln!(self.input)?;
        self.hears("goes on")
    }

    fn hears(&mut self, word: &str) -> Result<()> {
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        ensure!(
            line.trim() == word,
            "{word:?} was expected of the tracer, {line:?} came"
        );
        Ok(())
    }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        // A tracer that ends detaches its thread.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
