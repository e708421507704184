//! pycrate's `TS29274_GTPC` as an encoder and decoder of GTPv2-C, in a virtual environment.

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::python::Script;

/// A running pycrate.
#[derive(Debug)]
pub struct Pycrate(Script);

impl Pycrate {
    /// Starts pycrate.
    pub fn start() -> Result<Self> {
        Script::start("pycrate_gtp.py").map(Self)
    }

    /// The messages of a datagram as pycrate reads them, in the words of [`elements`](crate::elements), each with
    /// "complete": nothing is missing that pycrate holds mandatory.
    pub fn read(&mut self, datagram: &[u8]) -> Result<Vec<Value>> {
        self.0.read(datagram)
    }

    /// The elements that pycrate holds mandatory in messages of a type: for each the instance of the bearer context that it
    /// is in, if it is in one, its type and its instance.
    pub fn mandatory(&mut self, kind: u8) -> Result<Vec<(Option<u64>, u64, u64)>> {
        let answer = self.0.ask(&json!({"op": "mandatory", "type": kind}))?;
        let elements = answer["mandatory"].as_array().context("a list")?;
        let element = |element: &Value| {
            let number = |key: &str| element[key].as_u64();
            let numbers = number("type").zip(number("instance"));
            let (kind, instance) = numbers.with_context(|| format!("an element: {element}"))?;
            Ok((number("bearer"), kind, instance))
        };
        elements.iter().map(element).collect()
    }

    /// The datagram that pycrate makes of them.
    pub fn write(&mut self, messages: &[Value]) -> Result<Vec<u8>> {
        self.0.write(messages)
    }
}
