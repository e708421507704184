//! A Python script beside the tests that answers one JSON request a line by one JSON line, in a virtual environment.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::child::command;

/// What the test set-up installs, in the words of pip.
pub const PACKAGES: [&str; 7] = [
    "scapy==2.8.0",
    "pycrate==0.8.1",
    "schemathesis==4.32.5",
    "pysnmp==7.1.30",
    "cryptography==50.0.2",
    "prometheus_client==0.26.0",
    "pexpect==4.9.0",
];
/// The longest that one answer may take, the start of the interpreter included.
const ANSWER_MAX: Duration = Duration::from_secs(120);

/// A running script; killed when this value is dropped.
#[derive(Debug)]
pub(crate) struct Script {
    name: &'static str,
    child: Child,
    input: ChildStdin,
    lines: Receiver<String>,
}

/// The interpreter of the virtual environment.
pub(crate) fn python() -> Result<PathBuf> {
    let venv = std::env::var_os("TOLLGATE_VENV").map(PathBuf::from);
    let venv = venv
        .unwrap_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../target/venv")));
    python_of(&venv, &PACKAGES)
}

/// The interpreter of a virtual environment with these packages.
pub(crate) fn python_of(venv: &Path, packages: &[&str]) -> Result<PathBuf> {
    let python = venv.join("bin/python");
    if !python.is_file() {
        let (venv, packages) = (venv.display(), packages.join(" "));
        bail!(
            "no virtual environment with {packages} at {venv}: run `cargo xtask test`, or \
             `python3 -m venv {venv} && {venv}/bin/pip install {packages}` (Debian package python3-venv), or set TOLLGATE_VENV"
        );
    }
    Ok(python)
}

impl Script {
    /// Starts a script of `tests/scripts`.
    pub(crate) fn start(name: &'static str) -> Result<Self> {
        Self::start_by(python()?, name)
    }

    /// The same by this interpreter.
    pub(crate) fn start_by(python: PathBuf, name: &'static str) -> Result<Self> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("scripts")
            .join(name);
        let mut child = command(python)
            .arg(path)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("start {name}"))?;
        let input = child.stdin.take().context("its stdin was piped")?;
        let output = child.stdout.take().context("its stdout was piped")?;
        let (told, lines) = sync_channel(1);
        // It ends when the script does, or when nobody listens any more.
        thread::spawn(move || {
            let lines = BufReader::new(output).lines();
            for line in lines.map_while(Result::ok) {
                if told.send(line).is_err() {
                    break;
                }
            }
        });
        Ok(Self {
            name,
            child,
            input,
            lines,
        })
    }

    /// Its answer to a request.
    pub(crate) fn ask(&mut self, request: &Value) -> Result<Value> {
        let name = self.name;
        writeln!(self.input, "{request}").with_context(|| format!("write to {name}"))?;
        let line = match self.lines.recv_timeout(ANSWER_MAX) {
            Ok(line) => line,
            Err(RecvTimeoutError::Timeout) => bail!("{name}: no answer to {request}"),
            Err(RecvTimeoutError::Disconnected) => bail!("{name} ended at {request}"),
        };
        serde_json::from_str(&line).with_context(|| format!("{name} answered {line:?}"))
    }
}

/// What the scripts that speak GTPv2-C answer to "read" and "write", in the words of [`elements`](crate::elements).
impl Script {
    /// The messages of a datagram.
    pub(crate) fn read(&mut self, datagram: &[u8]) -> Result<Vec<Value>> {
        let answer = self.ask(&json!({"op": "read", "hex": hex(datagram)}))?;
        match answer["messages"].as_array() {
            Some(messages) => Ok(messages.clone()),
            None => bail!("{} can't read {}: {answer}", self.name, hex(datagram)),
        }
    }

    /// The octets of messages.
    pub(crate) fn write(&mut self, messages: &[Value]) -> Result<Vec<u8>> {
        let answer = self.ask(&json!({"op": "write", "messages": messages}))?;
        match answer["hex"].as_str() {
            Some(hex) => bytes(hex),
            None => bail!("{} can't write {messages:?}: {answer}", self.name),
        }
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        // It may have ended already; then there is nothing to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The octets of hexadecimal text.
pub fn bytes(hex: &str) -> Result<Vec<u8>> {
    let pairs = hex.as_bytes().chunks(2);
    let pair =
        |pair: &[u8]| -> Result<u8> { Ok(u8::from_str_radix(std::str::from_utf8(pair)?, 16)?) };
    pairs.map(pair).collect()
}
