//! What a report was measured on, and how busy it was.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::run;

/// What must be known to compare two reports; it stands in the report as a line of JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// UTC.
    pub date: String,
    pub commit: String,
    /// With changes that are not in the commit.
    pub dirty: bool,
    pub rustc: String,
    pub cpu: String,
    pub cores: usize,
    pub kernel: String,
    pub memory_gib: f64,
    /// Of one minute.
    pub load_before: f64,
    pub load_after: f64,
    /// Processors that others took meanwhile, on average.
    pub others: f64,
    /// Median disagreement of neighbouring slices of the yardsticks; none: nothing told.
    pub noise: Option<f64>,
    /// Programs that gave no result.
    pub failed: usize,
    pub seconds: u64,
}

impl Run {
    /// Of this machine and tree, before anything is measured.
    pub fn begin(root: &Path) -> Self {
        let said = |program: &str, arguments: &[&str]| {
            let mut command = Command::new(program);
            command.current_dir(root).args(arguments);
            let text = run::output(&mut command).unwrap_or_default();
            text.trim().to_owned()
        };
        let system = |file: &str| std::fs::read_to_string(file).unwrap_or_default();
        let commit = said("git", &["rev-parse", "--short=12", "HEAD"]);
        Self {
            date: said("date", &["-u", "+%Y-%m-%d %H:%M:%S"]),
            commit,
            dirty: !said("git", &["status", "--porcelain"]).is_empty(),
            rustc: said("rustc", &["--version"]),
            cpu: model(&system("/proc/cpuinfo")).to_owned(),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            kernel: system("/proc/sys/kernel/osrelease").trim().to_owned(),
            memory_gib: memory_gib(&system("/proc/meminfo")),
            load_before: load(),
            load_after: 0.0,
            others: 0.0,
            noise: None,
            failed: 0,
            seconds: 0,
        }
    }
}

fn model(cpuinfo: &str) -> &str {
    let line = cpuinfo.lines().find(|line| line.starts_with("model name"));
    let name = line.and_then(|line| line.split_once(": "));
    name.map_or("unknown", |(_, name)| name)
}

fn memory_gib(meminfo: &str) -> f64 {
    let line = meminfo.lines().find(|line| line.starts_with("MemTotal:"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1));
    let kib: f64 = kib.and_then(|text| text.parse().ok()).unwrap_or(0.0);
    kib / f64::from(1 << 20)
}

/// The load average of one minute.
pub fn load() -> f64 {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let first = text.split(' ').next();
    first.and_then(|text| text.parse().ok()).unwrap_or(0.0)
}

/// Processor time so far, in ticks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ticks {
    /// Of all processors, idle or not.
    all: u64,
    /// Of all processors, not idle.
    busy: u64,
    /// Of ours: this process and those that it has waited for.
    ours: u64,
}

impl Ticks {
    pub fn now() -> Result<Self> {
        let text = |file: &str| std::fs::read_to_string(file).context(file.to_owned());
        Self::parse(&text("/proc/stat")?, &text("/proc/self/stat")?).context("processor times")
    }

    /// `cpu user nice system idle iowait irq softirq steal guest guest_nice`; guests are in user and nice.
    fn parse(stat: &str, own: &str) -> Option<Self> {
        let numbers = stat.lines().next()?.split_whitespace().skip(1).take(8);
        let numbers: Vec<u64> = numbers.map_while(|text| text.parse().ok()).collect();
        let all: u64 = numbers.iter().sum();
        let idle = numbers.get(3)? + numbers.get(4)?;
        // The name of the program may hold spaces; utime, stime, cutime and cstime are fields 14 to 17.
        let fields = own.rsplit_once(')')?.1.split_whitespace().skip(11).take(4);
        let ours = fields.map_while(|text| text.parse::<u64>().ok()).sum();
        Some(Self {
            all,
            busy: all - idle,
            ours,
        })
    }

    /// Processors that others took since then, on average.
    pub fn others_since(self, then: Self, cores: usize) -> f64 {
        let busy = self.busy.saturating_sub(then.busy);
        let ours = self.ours.saturating_sub(then.ours);
        let all = self.all.saturating_sub(then.all).max(1);
        busy.saturating_sub(ours) as f64 / all as f64 * cores as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_system_tells_is_read() {
        let cpuinfo = "processor\t: 0\nmodel name\t: A Processor: fast\ncores\t: 2\n";
        assert_eq!(model(cpuinfo), "A Processor: fast");
        assert_eq!(model(""), "unknown");
        let meminfo = "MemTotal:        8388608 kB\nMemFree: 1 kB\n";
        assert_eq!(memory_gib(meminfo), 8.0);
    }

    #[test]
    fn what_others_took_is_what_is_busy_and_not_ours() {
        let own = |ticks| format!("7 (a b) c) S 1 7 7 0 -1 0 0 0 0 0 {ticks} 5 80 10 20 0");
        let then = Ticks::parse("cpu  100 0 50 800 50 0 0 0 9 9\ncpu0 1", &own(5)).unwrap();
        assert_eq!(
            then,
            Ticks {
                all: 1000,
                busy: 150,
                ours: 100
            }
        );
        let now = Ticks::parse("cpu  200 0 50 860 50 0 0 40 9 9\n", &own(105)).unwrap();
        // 140 ticks busy, 100 of them ours, of 200 on two processors.
        assert_eq!(now.others_since(then, 2), 0.4);
        assert_eq!(Ticks::parse("cpu  1 2", &own(5)), None);
    }
}
