//! A node under load for a while, with faults by chance, and how it grows: memory, descriptors, threads, and counts beside session
//! tables.
#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use api::{LicenseCommand, Request};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use rustix::process::Signal;
use serde_json::json;
use tests::gateway::{Gateway, Site};
use tests::office::Office;
use tests::sgsn::{Call, Sgsn, cause, ie};

/// Names another length.
const MINUTES: &str = "TOLLGATE_SOAK_MINUTES";
const IN_A_TEST: Duration = Duration::from_secs(30);
/// Where the samples go, as one table in a line of JSON.
const DATA: &str = "TOLLGATE_SOAK_DATA";
const SEED: u64 = 30;
/// Sessions that are kept up, beside those of floods.
const SESSIONS: usize = 400;
/// Calls and ends in each second.
const CALLS: usize = 120;
const FLOOD: u32 = 2_000;
const DISK_KIB: u32 = 64 << 10;
/// The first part of a run fills caches.
const WARM_UP: f64 = 0.34;
/// What a slope adds over the rest of a run is about zero up to this part of the median, or this many of what is counted.
const GROWTH_MAX: f64 = 0.05;
const COUNT_MAX: f64 = 2.0;

/// What is looked at each second.
#[derive(Clone, Copy, Debug)]
struct Sample {
    minute: f64,
    rss_mib: f64,
    descriptors: f64,
    threads: f64,
    sessions: f64,
}

struct Soak {
    random: StdRng,
    gateway: Gateway,
    office: Office,
    /// The other peer, of floods.
    flood: Sgsn,
    up: Vec<u32>,
    subscriber: u32,
    recovery: u8,
    authority_up: bool,
    filler: Option<PathBuf>,
    gre: bool,
    faults: BTreeMap<&'static str, u64>,
    calls: u64,
    drift: u64,
}

impl Soak {
    fn new() -> Result<Self> {
        let site = Site::new()?;
        let office = Office::open(site.dir(), Some(60))?;
        office.own("GGSN", 3)?;
        let (_, token) = office.token(1)?;
        let root = office.root_file(site.dir())?;
        let agent = format!(
            "[agent]\nauthority = \"{}\"\ntrust_pool = \"{}\"",
            office.url(),
            root.display()
        );
        let configuration = site.configuration().with_sessions_per_license(1_000)?;
        let configuration = configuration.with(&agent);
        let flood = site.subnet().socket(3)?;
        let gateway = site.open_on_small_disk(&configuration, DISK_KIB)?;
        let flood = Sgsn::new(flood, gateway.node()?.address())?;
        let control = gateway.node()?.control();
        ensure!(control.change(&Request::SmartLicensing { enable: true })?);
        control.license(LicenseCommand::Register {
            idtoken: token,
            force: false,
        })?;
        Ok(Self {
            random: StdRng::seed_from_u64(SEED),
            gateway,
            office,
            flood,
            up: Vec::new(),
            subscriber: 0,
            recovery: 1,
            authority_up: true,
            filler: None,
            gre: false,
            faults: BTreeMap::new(),
            calls: 0,
            drift: 0,
        })
    }

    /// Calls and ends of a second.
    fn load(&mut self) -> Result<()> {
        for _ in 0..CALLS {
            self.subscriber += 1;
            let call = Call {
                recovery: Some(self.recovery),
                ..Call::new(self.subscriber, "internet")
            };
            let answer = self.gateway.sgsn.create(&call)?;
            self.calls += 1;
            if answer.cause()? == cause::ACCEPTED {
                self.up.push(answer.teid_of(ie::TEID_CONTROL)?);
            }
            if self.up.len() > SESSIONS {
                let at = self.random.random_range(0..self.up.len());
                let teid = self.up.swap_remove(at);
                self.gateway.delete(teid, 5)?;
            }
        }
        Ok(())
    }

    fn fault(&mut self) -> Result<()> {
        let what = match self.random.random_range(0..8) {
            0 => {
                match self.authority_up {
                    true => self.office.end(),
                    false => self.office.begin()?,
                }
                self.authority_up = !self.authority_up;
                "authority down or up"
            }
            1 => {
                let process = self.gateway.node()?.process();
                process.signal(Signal::STOP)?;
                std::thread::park_timeout(Duration::from_millis(300));
                process.signal(Signal::CONT)?;
                "node stopped for 300 ms"
            }
            2 => {
                // The next call tells it, and all sessions of the peer end.
                self.recovery = self.recovery.wrapping_add(1);
                self.up.clear();
                "peer restarted"
            }
            3 => {
                for _ in 0..FLOOD {
                    self.subscriber += 1;
                    let seq = self.flood.seq();
                    let ip = self.flood.ip()?;
                    let call = Call {
                        recovery: Some(1),
                        ..Call::new(1_000_000 + self.subscriber, "internet")
                    };
                    self.flood.send(&call.request(seq, ip).bytes())?;
                }
                "flood of calls"
            }
            4 => {
                for _ in 0..FLOOD {
                    let length = self.random.random_range(1..200);
                    let octets: Vec<u8> = (0..length).map(|_| self.random.random()).collect();
                    self.flood.send(&octets)?;
                }
                "flood of nonsense"
            }
            5 => {
                match self.filler.take() {
                    Some(filler) => fs::remove_file(filler)?,
                    None => self.filler = Some(self.fill()?),
                }
                "disk full or free"
            }
            6 => {
                self.gre = !self.gre;
                let name = "gre".to_owned();
                let enable = self.gre;
                let feature = Request::Feature { name, enable };
                ensure!(self.gateway.node()?.control().change(&feature)?);
                "feature switched"
            }
            _ => {
                let speedup = [1, 60, 600][self.random.random_range(0..3)];
                let speed = Request::LabSpeedup { speedup };
                self.gateway.node()?.control().change(&speed)?;
                "license time at another speed"
            }
        };
        *self.faults.entry(what).or_default() += 1;
        Ok(())
    }

    /// Takes all the room that there is.
    fn fill(&self) -> Result<PathBuf> {
        let node = self.gateway.node()?;
        let filler = node.inside(&node.state_dir().join("filler"));
        let mut file = OpenOptions::new().create(true).append(true).open(&filler)?;
        let octets = [0_u8; 64 << 10];
        for _ in 0..=DISK_KIB / 64 {
            if file.write_all(&octets).is_err() {
                return Ok(filler);
            }
        }
        anyhow::bail!("the disk is larger than it was made");
    }

    /// Counts beside session tables, while nobody calls; and what the process takes.
    fn sample(&mut self, minute: f64) -> Result<Sample> {
        let node = self.gateway.node()?;
        let control = node.control();
        // What is in the node's queues comes to its end first.
        let mut pairs = (0..20).map(|_| -> Result<_> {
            let counted = self.gateway.ggsn()?.sessions.0;
            Ok((u64::from(counted), control.sessions()?.sessions))
        });
        let agree = pairs.find_map(|pair| pair.ok().filter(|(counted, there)| counted == there));
        if agree.is_none() {
            self.drift += 1;
        }
        let snapshot = self.gateway.snapshot()?;
        let drifted = snapshot
            .services
            .iter()
            .any(|row| row.tag.drift.is_some_and(|by| by != 0));
        self.drift += u64::from(drifted);
        let proc = PathBuf::from(format!("/proc/{}", node.process().pid()));
        let status = fs::read_to_string(proc.join("status"))?;
        let number = |name: &str| -> Result<f64> {
            let mut lines = status.lines().filter_map(|line| line.strip_prefix(name));
            let line = lines.next().with_context(|| name.to_owned())?;
            Ok(line
                .split_whitespace()
                .next()
                .context("a number")?
                .parse()?)
        };
        let (_, sessions) = agree.unwrap_or_default();
        Ok(Sample {
            minute,
            rss_mib: number("VmRSS:")? / 1024.0,
            descriptors: fs::read_dir(proc.join("fd"))?.count() as f64,
            threads: number("Threads:")?,
            sessions: sessions as f64,
        })
    }
}

/// By which a line through the samples rises over their time (least squares).
fn rise(samples: &[Sample], of: fn(&Sample) -> f64) -> f64 {
    let many = samples.len() as f64;
    let mean = |of: &dyn Fn(&Sample) -> f64| samples.iter().map(of).sum::<f64>() / many;
    let (x, y) = (mean(&|sample| sample.minute), mean(&of));
    let both: f64 = samples.iter().map(|s| (s.minute - x) * (of(s) - y)).sum();
    let square: f64 = samples.iter().map(|s| (s.minute - x).powi(2)).sum();
    let time = samples.last().map_or(0.0, |last| last.minute) - samples[0].minute;
    both / square * time
}

fn hand_over(samples: &[Sample]) -> Result<()> {
    let Some(file) = std::env::var_os(DATA) else {
        return Ok(());
    };
    let rows = samples
        .iter()
        .map(|s| json!([s.minute, s.rss_mib, s.descriptors, s.threads, s.sessions]));
    let series = |column: &str| json!({ "column": column, "spread": null });
    let table = json!({
        "table": "soak-load",
        "title": "A node under load with faults: memory, descriptors and threads",
        "columns": ["minutes", "RSS, MiB", "descriptors", "threads", "sessions"],
        "rows": rows.collect::<Vec<_>>(),
        "plot": {
            "x": "minutes",
            "y": [series("RSS, MiB"), series("descriptors"), series("threads")],
            "y_label": "MiB, or how many",
            "x_log": false,
            "y_log": false,
        },
    });
    Ok(fs::write(file, format!("{table}\n"))?)
}

//= TS 33.117 4.2.3.3.3
#[test]
fn a_node_under_load_and_faults_neither_drifts_nor_grows() -> Result<()> {
    let minutes = std::env::var(MINUTES).ok().map(|text| text.parse::<u64>());
    let minutes = minutes.transpose()?;
    let length = match minutes {
        Some(minutes) => Duration::from_secs(minutes * 60),
        None => IN_A_TEST,
    };
    println!("seed {SEED}");
    let mut soak = Soak::new()?;
    let begun = Instant::now();
    let mut samples = Vec::new();
    while begun.elapsed() < length {
        let second = Instant::now();
        soak.load()?;
        if soak.random.random_bool(0.25) {
            soak.fault()?;
        }
        let minute = begun.elapsed().as_secs_f64() / 60.0;
        samples.push(soak.sample(minute)?);
        let rest = Duration::from_secs(1).saturating_sub(second.elapsed());
        std::thread::park_timeout(rest);
    }
    hand_over(&samples)?;
    let warm = (samples.len() as f64 * WARM_UP) as usize;
    let rest = &samples[warm..];
    ensure!(
        rest.len() >= 5,
        "{} samples: the machine is too slow",
        rest.len()
    );
    let mut memory: Vec<f64> = rest.iter().map(|sample| sample.rss_mib).collect();
    memory.sort_by(f64::total_cmp);
    let median = memory[memory.len() / 2];
    let rises = [
        ("MiB", rise(rest, |s| s.rss_mib), median * GROWTH_MAX),
        ("descriptors", rise(rest, |s| s.descriptors), COUNT_MAX),
        ("threads", rise(rest, |s| s.threads), COUNT_MAX),
    ];
    let mut grows = 0;
    for (what, by, most) in rises {
        println!(
            "{what}: {by:+.2} over {} samples, at most {most:.2}",
            rest.len()
        );
        // Half a minute says nothing of slopes.
        grows += u64::from(minutes.is_some() && by > most);
    }
    println!("count {} samples", samples.len());
    println!("count {} calls", soak.calls);
    for (what, many) in &soak.faults {
        println!("count {many} fault: {what}");
    }
    println!("soak-drift {}", soak.drift + grows);
    ensure!(
        soak.drift == 0,
        "counts and session tables differ {} times",
        soak.drift
    );
    ensure!(grows == 0, "it grows");
    soak.gateway.terminate()?;
    Ok(())
}
