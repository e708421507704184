//! Cisco's unicon, with its plugin for StarOS, in a virtual environment of its own: it is large.

use std::path::PathBuf;

use anyhow::{Result, bail};
use serde_json::{Value, json};

use crate::python::{Script, python_of};

/// What the test set-up installs, in the words of pip.
const PACKAGES: [&str; 3] = ["genie==26.9", "pyats==26.9", "unicon.plugins==26.9"];

/// The longest that unicon waits for a prompt, below what an answer of the script may take. Unit: seconds.
const LIMIT_S: u32 = 100;

/// A connection to a shell; it is closed when this value is dropped.
#[derive(Debug)]
pub struct Unicon(Script);

/// What unicon makes of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// The answer, without the command and the prompt.
    Text(String),
    /// It takes the answer for a failure.
    Failure(String),
}

impl Unicon {
    /// Connects by a command, to a node of this name; a password is given when it is asked for.
    pub fn connect(start: &str, hostname: &str, password: Option<&str>) -> Result<Self> {
        let venv = std::env::var_os("TOLLGATE_UNICON_VENV").map(PathBuf::from);
        let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/unicon");
        let python = python_of(&venv.unwrap_or_else(|| PathBuf::from(beside)), &PACKAGES)?;
        let mut unicon = Self(Script::start_by(python, "staros_unicon.py")?);
        let mut request = json!({
            "op": "connect", "start": start, "hostname": hostname, "limit_s": LIMIT_S,
        });
        if let Some(password) = password {
            request["credentials"] = json!({"password": password});
        }
        unicon.ask(request)?;
        Ok(unicon)
    }

    /// A command at the first prompt, to which unicon returns.
    pub fn execute(&mut self, command: &str) -> Result<Said> {
        self.ask(json!({"op": "execute", "command": command, "limit_s": LIMIT_S}))
    }

    /// Commands of configuration, which unicon enters and leaves.
    pub fn configure(&mut self, commands: &[&str]) -> Result<Said> {
        self.ask(json!({"op": "configure", "commands": commands, "limit_s": LIMIT_S}))
    }

    fn ask(&mut self, request: Value) -> Result<Said> {
        let answer = self.0.ask(&request)?;
        if let Some(failure) = answer["failure"].as_str() {
            return Ok(Said::Failure(failure.to_owned()));
        }
        if answer["state"] != "enable" {
            bail!("{request}: {answer}");
        }
        let text = &answer["text"];
        let text = text
            .as_str()
            .map_or_else(|| text.to_string(), str::to_owned);
        Ok(Said::Text(text))
    }
}
