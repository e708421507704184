//! pycrate's `TS29274_GTPC` as an encoder and decoder of GTPv2-C, in a virtual environment.

use anyhow::Result;
use serde_json::Value;

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

    /// The datagram that pycrate makes of them.
    pub fn write(&mut self, messages: &[Value]) -> Result<Vec<u8>> {
        self.0.write(messages)
    }
}
