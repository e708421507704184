//! Osmocom's `sgsnemu`, an SGSN emulator.
//!
//! It takes 25 to 35 s a run, because it looks at its clock every ten seconds; one refusal ends it at once with status 1.

use std::net::Ipv4Addr;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::child::{Ended, Running, command, require};

/// A clean run takes 35 s at the most on a quiet machine.
const LIMIT: Duration = Duration::from_secs(240);

/// One run.
#[derive(Clone, Debug)]
pub struct Sgsnemu<'a> {
    /// Its own address, at port 2123.
    pub listen: Ipv4Addr,
    /// The GGSN's, at port 2123.
    pub remote: Ipv4Addr,
    /// Contexts that it asks for in one burst, at most 1,024.
    pub contexts: u16,
    /// 15 digits; the next context's is 10 higher.
    pub imsi: &'a str,
    /// Access point name.
    pub apn: &'a str,
    /// An empty directory of its own.
    pub state_dir: &'a Path,
}

/// What a run printed.
#[derive(Debug)]
pub struct Outcome {
    /// The end.
    pub ended: Ended,
    /// User addresses that it was given, in the order of the answers.
    pub addresses: Vec<Ipv4Addr>,
    /// Causes of Create PDP Context Responses that refused; -1: no answer came.
    pub refusals: Vec<i16>,
    /// Causes of Delete PDP Context Responses; -1: no answer came.
    pub deletions: Vec<i16>,
}

impl Sgsnemu<'_> {
    /// Starts it.
    pub fn start(&self) -> Result<Running> {
        require("sgsnemu", "osmo-ggsn")?;
        std::fs::create_dir_all(self.state_dir)?;
        let mut sgsnemu = command("sgsnemu");
        sgsnemu
            .args(["--listen", &self.listen.to_string()])
            .args(["--remote", &self.remote.to_string()])
            .args(["--contexts", &self.contexts.to_string()])
            .args(["--timelimit", "3"])
            .args([
                "--apn",
                self.apn,
                "--imsi",
                self.imsi,
                "--msisdn",
                "46702123456",
            ])
            .arg("--statedir")
            .arg(self.state_dir)
            .arg("--pidfile")
            .arg(self.state_dir.join("pid"));
        Running::start("sgsnemu", &mut sgsnemu)
    }

    /// Runs it to its end.
    pub fn run(&self) -> Result<Outcome> {
        Outcome::read(self.start()?.wait(LIMIT)?)
    }
}

impl Outcome {
    fn read(ended: Ended) -> Result<Self> {
        let after = |text: &str| -> Vec<String> {
            let found = ended.lines.iter().filter_map(|line| line.split_once(text));
            found.map(|(_, value)| value.trim().to_owned()).collect()
        };
        let addresses = after("received EUA with IP address:");
        let refusals = after("Received create PDP context response. Cause value:");
        let deletions = after("Received delete PDP context response. Cause value:");
        Ok(Self {
            addresses: parsed(&addresses).context("user addresses")?,
            refusals: parsed(&refusals).context("causes of refusals")?,
            deletions: parsed(&deletions).context("causes of deletions")?,
            ended,
        })
    }
}

fn parsed<T: std::str::FromStr<Err: std::error::Error + Send + Sync + 'static>>(
    values: &[String],
) -> Result<Vec<T>> {
    let parse = |value: &String| value.parse().with_context(|| format!("{value:?}"));
    values.iter().map(parse).collect()
}
