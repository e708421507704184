//! Scrapes of a node's metrics, read by prometheus_client (Python), a parser that nobody here wrote.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::python::Script;

/// For a busy machine.
const LIMIT: Duration = Duration::from_secs(120);

/// An answer over HTTP.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Names in lower case, and values.
    pub headers: BTreeMap<String, String>,
    /// What came behind them.
    pub body: String,
}

/// What a request line is answered with; the peer ends the connection.
pub fn http(at: SocketAddr, method: &str, path: &str) -> Result<Answer> {
    raw(
        at,
        &format!("{method} {path} HTTP/1.1\r\nHost: {at}\r\n\r\n"),
    )
}

/// What a whole request is answered with.
pub fn raw(at: SocketAddr, request: &str) -> Result<Answer> {
    let mut stream = TcpStream::connect(at)?;
    stream.set_read_timeout(Some(LIMIT))?;
    stream.write_all(request.as_bytes())?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    let (head, body) = text.split_once("\r\n\r\n").context("a head")?;
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1));
    let headers = lines.filter_map(|line| line.split_once(": "));
    Ok(Answer {
        status: status.context("a status")?.parse()?,
        headers: headers
            .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
            .collect(),
        body: body.to_owned(),
    })
}

/// What a scrape says.
#[derive(Clone, Debug)]
pub struct Scrape {
    /// Families by name, each `{"name", "type", "unit", "help", "samples"}`.
    pub families: BTreeMap<String, Value>,
    /// The same in the text format of Prometheus, without exemplars.
    pub plain: String,
}

/// A running parser.
#[derive(Debug)]
pub struct Parser(Script);

impl Parser {
    /// Starts it.
    pub fn start() -> Result<Self> {
        Script::start("openmetrics.py").map(Self)
    }

    /// Reads a text. Errors: it is not OpenMetrics.
    pub fn read(&mut self, text: &str) -> Result<Scrape> {
        let answer = self.0.ask(&json!({"op": "read", "text": text}))?;
        let Some(families) = answer["families"].as_array() else {
            bail!("not OpenMetrics: {answer}\n{text}");
        };
        let name = |family: &Value| family["name"].as_str().unwrap_or_default().to_owned();
        Ok(Scrape {
            families: families
                .iter()
                .map(|row| (name(row), row.clone()))
                .collect(),
            plain: answer["plain"].as_str().context("a plain text")?.to_owned(),
        })
    }
}

impl Scrape {
    /// All samples: name, labels, number, exemplar.
    pub fn samples(&self) -> impl Iterator<Item = &Value> {
        let samples = self
            .families
            .values()
            .filter_map(|family| family["samples"].as_array());
        samples.flatten()
    }

    /// The sample of this name that has these labels among its own.
    pub fn sample(&self, name: &str, labels: &[(&str, &str)]) -> Option<&Value> {
        self.samples().find(|sample| {
            sample[0] == name
                && labels
                    .iter()
                    .all(|(label, value)| sample[1][label] == *value)
        })
    }

    /// Its number.
    pub fn number(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        self.sample(name, labels)?[2].as_f64()
    }
}
