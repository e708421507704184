//! pysnmp as a manager and as a receiver of notifications, in a virtual environment.

use std::net::{IpAddr, SocketAddr};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::python::Script;

/// A running pysnmp; as a manager it learns the engines of agents, and as a receiver it has one of its own.
#[derive(Debug)]
pub struct Pysnmp(Script);

/// A name, its type as pysnmp calls it, and its value: a number, null, the name that it is, or octets in hexadecimal.
pub type Named = (String, String, Value);

impl Pysnmp {
    /// Starts pysnmp.
    pub fn start() -> Result<Self> {
        Script::start("pysnmp_manager.py").map(Self)
    }

    /// Asks an agent: `how` is "get", "walk" (a row at a time) or "bulkwalk", `who` is
    /// `{"community": ...}` or `{"user": ..., "auth": ..., "privacy": ..., "password": ...}`.
    pub fn ask(
        &mut self,
        how: &str,
        agent: SocketAddr,
        who: &Value,
        names: &[&str],
    ) -> Result<Vec<Named>> {
        let agent = (agent.ip(), agent.port());
        let request = json!({"op": how, "agent": agent, "who": who, "names": names});
        let answer = self.0.ask(&request)?;
        named(&answer)
    }

    /// Takes notifications of these from now on; where.
    pub fn listen(&mut self, at: IpAddr, who: &[Value]) -> Result<SocketAddr> {
        let request = json!({"op": "listen", "host": at, "who": who});
        let answer = self.0.ask(&request)?;
        let port = answer["port"]
            .as_u64()
            .with_context(|| answer.to_string())?;
        Ok(SocketAddr::new(at, u16::try_from(port)?))
    }

    /// The next notification, once it is there.
    pub fn take(&mut self) -> Result<Vec<Named>> {
        let answer = self.0.ask(&json!({"op": "take"}))?;
        named(&answer)
    }
}

fn named(answer: &Value) -> Result<Vec<Named>> {
    match answer.get("values") {
        Some(values) => Ok(serde_json::from_value(values.clone())?),
        None => bail!("{answer}"),
    }
}
