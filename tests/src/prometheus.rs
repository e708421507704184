//! Prometheus, from Debian's package, on loopback with a directory of its own, and its promtool.

use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::child::{Running, command, require};
use crate::openmetrics::raw;
use crate::wait::until;

/// It is ready within a second; the machine may be busy.
const READY: Duration = Duration::from_secs(120);

/// A running Prometheus that scrapes one node every five seconds.
#[derive(Debug)]
pub struct Prometheus {
    at: SocketAddr,
    running: Running,
}

impl Prometheus {
    /// Starts it at this address, with the alert rules of the tree.
    pub fn start(dir: &Path, at: SocketAddr, node: SocketAddr) -> Result<Self> {
        require("prometheus", "prometheus")?;
        let dir = dir.join("prometheus");
        std::fs::create_dir_all(&dir)?;
        let rules = dashboards().join("alerts.yml");
        let config = dir.join("prometheus.yml");
        let text = format!(
            "global: {{scrape_interval: 5s, scrape_timeout: 5s, evaluation_interval: 1s}}\nrule_files: [{:?}]\nscrape_configs:\n\
             - job_name: tollgate\n  static_configs: [{{targets: [\"{node}\"]}}]\n",
            rules.canonicalize()?
        );
        std::fs::write(&config, text)?;
        let mut prometheus = command("prometheus");
        prometheus
            .arg(format!("--config.file={}", config.display()))
            .arg(format!(
                "--storage.tsdb.path={}",
                dir.join("data").display()
            ))
            .arg(format!("--web.listen-address={at}"))
            .args(["--log.level=warn", "--enable-feature=exemplar-storage"]);
        let running = Running::start("prometheus", &mut prometheus)?;
        let started = Self { at, running };
        until("Prometheus is ready", READY, || {
            Ok(started.get("/-/ready").is_ok())
        })
        .with_context(|| started.running.log())?;
        Ok(started)
    }

    /// What an expression is now: its rows, each `{"metric": LABELS, "value": [TIME, NUMBER]}`.
    pub fn query(&self, expression: &str) -> Result<Vec<Value>> {
        let data = self.api(&format!("query?query={}", escaped(expression)))?;
        Ok(data["result"].as_array().cloned().unwrap_or_default())
    }

    /// The number that an expression is; none: it has no row, or several.
    pub fn number(&self, expression: &str) -> Result<Option<f64>> {
        let rows = self.query(expression)?;
        let [row] = rows.as_slice() else {
            return Ok(None);
        };
        Ok(row["value"][1].as_str().and_then(|text| text.parse().ok()))
    }

    /// What a part of its API answers.
    pub fn api(&self, part: &str) -> Result<Value> {
        let body = self.get(&format!("/api/v1/{part}"))?;
        let answer: Value = serde_json::from_str(&body)?;
        ensure!(answer["status"] == "success", "{part}: {answer}");
        Ok(answer["data"].clone())
    }

    fn get(&self, path: &str) -> Result<String> {
        // By HTTP 1.0 nothing comes in chunks, and the connection ends.
        let answer = raw(self.at, &format!("GET {path} HTTP/1.0\r\n\r\n"))?;
        ensure!(answer.status == 200, "{path}: {answer:?}");
        Ok(answer.body)
    }
}

/// The directory of the dashboard and the alert rules.
pub fn dashboards() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../dashboards")
}

/// What promtool says of this, in the directory of the rules; it must not find a fault.
pub fn promtool(words: &[&str], input: &str) -> Result<String> {
    require("promtool", "prometheus")?;
    let mut child = Command::new("timeout");
    child.args(["120", "promtool"]).args(words);
    child.current_dir(dashboards());
    child
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = child.spawn()?;
    let mut stdin = child.stdin.take().context("it was piped")?;
    stdin.write_all(input.as_bytes())?;
    drop(stdin);
    let ended = child.wait_with_output()?;
    let said = [ended.stdout, ended.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    if !ended.status.success() {
        bail!("promtool {words:?}: {}\n{said}", ended.status);
    }
    Ok(said)
}

/// For the query of a URL.
fn escaped(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    text.bytes().map(byte).collect()
}
