//! What came of it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Interface;

/// Latency of one kind of request. Unit: microseconds; all 0 where nothing was measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Latency {
    /// Measurements.
    pub count: u64,
    /// The least.
    pub min_us: u64,
    /// The mean.
    pub mean_us: f64,
    /// Median.
    pub p50_us: u64,
    /// 90th percentile.
    pub p90_us: u64,
    /// 99th percentile.
    pub p99_us: u64,
    /// 99.9th percentile.
    pub p999_us: u64,
    /// 99.99th percentile.
    pub p9999_us: u64,
    /// The most.
    pub max_us: u64,
}

/// How often a cause came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CauseCount {
    /// The cause value, TS 29.060 7.7.1 on Gn, TS 29.274 8.4 elsewhere.
    pub cause: u8,
    /// Its name there.
    pub name: String,
    /// How often it came.
    pub count: u64,
}

/// One kind of request. `requests` = `accepted` + `refused` + `lost` + `malformed` + those without an answer yet.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Procedure {
    /// Requests, each once however often it was sent.
    pub requests: u64,
    /// Times that one was sent again.
    pub retransmitted: u64,
    /// Answered with a cause that accepts.
    pub accepted: u64,
    /// Answered with a cause that rejects.
    pub refused: u64,
    /// Never answered.
    pub lost: u64,
    /// Answered with what could not be understood.
    pub malformed: u64,
    /// The causes, in ascending order.
    pub causes: Vec<CauseCount>,
    /// From when the request was due until its answer came.
    pub latency: Latency,
}

/// A whole run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// What was spoken.
    pub interface: Interface,
    /// How long it took.
    pub elapsed_s: f64,
    /// Calls that were due.
    pub calls_due: u64,
    /// Those for which no subscriber was free.
    pub no_subscriber: u64,
    /// Create PDP Context, or Create Session.
    pub create: Procedure,
    /// Update PDP Context, or Modify Bearer.
    pub update: Procedure,
    /// Release Access Bearers, on S11.
    #[serde(default)]
    pub release: Procedure,
    /// Delete PDP Context, or Delete Session.
    pub delete: Procedure,
    /// Of all of them, from when a request was first sent until its answer came.
    pub round_trip: Latency,
    /// Answers to what was answered or given up already.
    pub late: u64,
    /// Datagrams that are no message of the interface's version, or not one that is known here.
    pub unexpected: u64,
    /// Echo Requests of the gateway's that were answered.
    pub echoes_answered: u64,
    /// Calls that the gateway ended.
    pub ended_by_peer: u64,
    /// Times that the gateway's restart counter changed.
    pub peer_restarts: u64,
    /// Calls up at the end; on S11, PDN connections.
    pub live: u64,
    /// Most of them up at once.
    pub peak_live: u64,
}

/// How it stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// Time since the start.
    pub elapsed_s: f64,
    /// Calls begun; on S11, PDN connections.
    pub begun: u64,
    /// Calls begun a second since the last progress.
    pub begun_per_s: f64,
    /// Calls up.
    pub live: u64,
    /// Creates accepted.
    pub accepted: u64,
    /// Creates refused.
    pub refused: u64,
    /// Requests of any kind that were never answered.
    pub lost: u64,
    /// Times that a request of any kind was sent again.
    pub retransmitted: u64,
    /// Whether calls are only being taken down any more.
    pub ending: bool,
}

impl Report {
    /// What was asked for, each kind with its short name on the interface.
    pub fn procedures(&self) -> impl Iterator<Item = (&'static str, &Procedure)> {
        let all = [&self.create, &self.update, &self.release, &self.delete];
        let named = self.interface.procedures().into_iter().zip(all);
        named.filter(|(_, procedure)| procedure.requests > 0)
    }
}

impl fmt::Display for Latency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.count == 0 {
            return f.write_str("nothing measured");
        }
        let percentiles = [
            ("p50", self.p50_us),
            ("p90", self.p90_us),
            ("p99", self.p99_us),
            ("p99.9", self.p999_us),
            ("p99.99", self.p9999_us),
            ("max", self.max_us),
        ];
        for (at, (name, us)) in percentiles.into_iter().enumerate() {
            let space = if at == 0 { "" } else { "  " };
            write!(f, "{space}{name} {:.3} ms", us as f64 / 1000.0)?;
        }
        Ok(())
    }
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            elapsed_s,
            begun,
            begun_per_s,
            live,
            accepted,
            refused,
            lost,
            retransmitted,
            ending,
        } = self;
        write!(
            f,
            "{elapsed_s:6.1} s  begun {begun} ({begun_per_s:.0}/s)  up {live}  accepted {accepted}  refused {refused}  \
             lost {lost}  sent again {retransmitted}{}",
            if *ending { "  ending" } else { "" }
        )
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:.1} s, {} calls due, {} without a free subscriber, at most {} up at once, {} up at the end",
            self.elapsed_s, self.calls_due, self.no_subscriber, self.peak_live, self.live
        )?;
        for (name, procedure) in self.procedures() {
            write_procedure(f, name, procedure)?;
        }
        writeln!(f, "round trip {}", self.round_trip)?;
        write!(
            f,
            "late {}  unexpected {}  echoes answered {}  ended by the gateway {}  restarts of the gateway {}",
            self.late,
            self.unexpected,
            self.echoes_answered,
            self.ended_by_peer,
            self.peer_restarts
        )
    }
}

fn write_procedure(f: &mut fmt::Formatter<'_>, name: &str, of: &Procedure) -> fmt::Result {
    writeln!(
        f,
        "{name}     {} requests: {} accepted, {} refused, {} lost, {} malformed; {} sent again",
        of.requests, of.accepted, of.refused, of.lost, of.malformed, of.retransmitted
    )?;
    for CauseCount { cause, name, count } in &of.causes {
        writeln!(f, "           cause {cause:3}  {count:10}  {name}")?;
    }
    writeln!(f, "           {}", of.latency)
}
