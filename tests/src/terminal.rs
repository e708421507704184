//! A program on a pseudo-terminal, by pexpect in a virtual environment.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::python::Script;

/// The longest that something is waited for, below what an answer of the script may take. Unit: seconds.
const LIMIT_S: u32 = 100;

/// Somebody at a terminal; the program is killed when this value is dropped.
#[derive(Debug)]
pub struct Terminal(Script);

impl Terminal {
    /// Runs a program on a terminal of this kind and of so many lines, and 80 columns.
    pub fn open(argv: &[String], kind: &str, lines: u16) -> Result<Self> {
        let environment: BTreeMap<&str, &str> = [("TERM", kind), ("LANG", "C.UTF-8")].into();
        let mut script = Script::start("terminal.py")?;
        let request = json!({
            "op": "open", "argv": argv, "env": environment, "lines": lines, "columns": 80,
        });
        script.ask(&request)?;
        Ok(Self(script))
    }

    /// Types this; `\r` is Enter.
    pub fn types(&mut self, text: &str) -> Result<()> {
        self.0.ask(&json!({"op": "type", "text": text})).map(drop)
    }

    /// What is shown until, and with, the next such text.
    pub fn until(&mut self, text: &str) -> Result<String> {
        let request = json!({"op": "until", "text": text, "limit_s": LIMIT_S});
        let answer = self.0.ask(&request)?;
        match answer["seen"].as_str() {
            Some(seen) => Ok(seen.to_owned()),
            None => bail!("{text:?} is not shown: {answer}"),
        }
    }

    /// Makes the terminal so many lines long.
    pub fn resize(&mut self, lines: u16) -> Result<()> {
        let request = json!({"op": "resize", "lines": lines, "columns": 80});
        self.0.ask(&request).map(drop)
    }

    /// Waits for the end of the program: what it showed last, and its exit code.
    pub fn end(mut self) -> Result<(String, i64)> {
        let answer: Value = self.0.ask(&json!({"op": "end", "limit_s": LIMIT_S}))?;
        let code = answer["code"]
            .as_i64()
            .with_context(|| answer.to_string())?;
        Ok((answer["seen"].as_str().unwrap_or_default().to_owned(), code))
    }
}
