//! What is counted while it runs.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;
use licensing::Mono;

use crate::interface::Kind;
use crate::{CauseCount, Interface, Latency, Procedure, Progress, Report};

/// Longest latency that is told apart: 10 minutes.
const LONGEST_US: u64 = 600_000_000;
/// Significant decimal digits of a latency.
const DIGITS: u8 = 3;

/// One kind of request.
#[derive(Debug)]
pub(super) struct Count {
    pub requests: u64,
    pub retransmitted: u64,
    pub accepted: u64,
    pub refused: u64,
    pub lost: u64,
    pub malformed: u64,
    causes: BTreeMap<u8, u64>,
    latency: Histogram<u64>,
}

/// Everything.
#[derive(Debug)]
pub(super) struct Tally {
    interface: Interface,
    create: Count,
    update: Count,
    release: Count,
    delete: Count,
    round_trip: Histogram<u64>,
    pub no_subscriber: u64,
    pub late: u64,
    pub unexpected: u64,
    pub echoes_answered: u64,
    pub ended_by_peer: u64,
    pub peer_restarts: u64,
    pub live: u64,
    peak_live: u64,
    told: (f64, u64),
}

impl Count {
    fn new() -> Self {
        Self {
            requests: 0,
            retransmitted: 0,
            accepted: 0,
            refused: 0,
            lost: 0,
            malformed: 0,
            causes: BTreeMap::new(),
            latency: histogram(),
        }
    }

    pub fn answered(&mut self, cause: u8, accepted: bool, latency: Duration) {
        *self.causes.entry(cause).or_default() += 1;
        match accepted {
            true => self.accepted += 1,
            false => self.refused += 1,
        }
        record(&mut self.latency, latency);
    }

    fn report(&self, interface: Interface) -> Procedure {
        Procedure {
            requests: self.requests,
            retransmitted: self.retransmitted,
            accepted: self.accepted,
            refused: self.refused,
            lost: self.lost,
            malformed: self.malformed,
            causes: self
                .causes
                .iter()
                .map(|(cause, count)| cause_count(interface, *cause, *count))
                .collect(),
            latency: summary(&self.latency),
        }
    }
}

impl Tally {
    pub fn new(interface: Interface) -> Self {
        Self {
            interface,
            create: Count::new(),
            update: Count::new(),
            release: Count::new(),
            delete: Count::new(),
            round_trip: histogram(),
            no_subscriber: 0,
            late: 0,
            unexpected: 0,
            echoes_answered: 0,
            ended_by_peer: 0,
            peer_restarts: 0,
            live: 0,
            peak_live: 0,
            told: (0.0, 0),
        }
    }

    pub fn of(&mut self, kind: Kind) -> &mut Count {
        match kind {
            Kind::Create => &mut self.create,
            Kind::Update => &mut self.update,
            Kind::Release => &mut self.release,
            Kind::Delete => &mut self.delete,
        }
    }

    fn all(&self) -> [&Count; 4] {
        [&self.create, &self.update, &self.release, &self.delete]
    }

    pub fn round_trip(&mut self, took: Duration) {
        record(&mut self.round_trip, took);
    }

    pub fn up(&mut self) {
        self.live += 1;
        self.peak_live = self.peak_live.max(self.live);
    }

    pub fn down(&mut self) {
        self.live -= 1;
    }

    pub fn report(&self, elapsed: Duration, calls_due: u64) -> Report {
        let [create, update, release, delete] =
            self.all().map(|count| count.report(self.interface));
        Report {
            interface: self.interface,
            elapsed_s: elapsed.as_secs_f64(),
            calls_due,
            no_subscriber: self.no_subscriber,
            create,
            update,
            release,
            delete,
            round_trip: summary(&self.round_trip),
            late: self.late,
            unexpected: self.unexpected,
            echoes_answered: self.echoes_answered,
            ended_by_peer: self.ended_by_peer,
            peer_restarts: self.peer_restarts,
            live: self.live,
            peak_live: self.peak_live,
        }
    }

    pub fn progress(&mut self, start: Mono, now: Mono, ending: bool) -> Progress {
        let elapsed_s = now.since(start).as_secs_f64();
        let begun = self.create.requests;
        let (told_s, told_begun) = std::mem::replace(&mut self.told, (elapsed_s, begun));
        Progress {
            elapsed_s,
            begun,
            begun_per_s: (begun - told_begun) as f64 / (elapsed_s - told_s).max(1e-9),
            live: self.live,
            accepted: self.create.accepted,
            refused: self.create.refused,
            lost: self.all().map(|count| count.lost).iter().sum(),
            retransmitted: self.all().map(|count| count.retransmitted).iter().sum(),
            ending,
        }
    }
}

fn cause_count(interface: Interface, cause: u8, count: u64) -> CauseCount {
    CauseCount {
        cause,
        name: interface.cause_name(cause),
        count,
    }
}

fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, LONGEST_US, DIGITS)
        .expect("1 to LONGEST_US with DIGITS are bounds that the histogram takes")
}

fn record(histogram: &mut Histogram<u64>, took: Duration) {
    let us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
    histogram.saturating_record(us.max(1));
}

fn summary(of: &Histogram<u64>) -> Latency {
    if of.is_empty() {
        return Latency::default();
    }
    Latency {
        count: of.len(),
        min_us: of.min(),
        mean_us: of.mean(),
        p50_us: of.value_at_quantile(0.5),
        p90_us: of.value_at_quantile(0.9),
        p99_us: of.value_at_quantile(0.99),
        p999_us: of.value_at_quantile(0.999),
        p9999_us: of.value_at_quantile(0.9999),
        max_us: of.max(),
    }
}
