//! Slices of a subject between slices of a yardstick.

use std::time::Duration;

use rustix::thread::{CpuSet, sched_setaffinity};
use rustix::time::{ClockId, clock_gettime};

use crate::report;

/// Aim for one slice: short against the drift of the machine, long against the clock.
pub const SLICE: Duration = Duration::from_millis(3);
/// Slices of the subject.
pub const ROUNDS: usize = 201;
/// Disagreement of two neighbouring yardstick slices, as the median of many, above which a run says nothing.
pub const NOISE_MAX: f64 = 0.08;

/// A sorted sample.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample(Vec<f64>);

impl Sample {
    /// Sorts the values; there must be one at least.
    pub fn new(mut values: Vec<f64>) -> Self {
        assert!(!values.is_empty(), "a sample of nothing");
        values.sort_by(f64::total_cmp);
        Self(values)
    }

    /// The values, in ascending order.
    pub fn values(&self) -> &[f64] {
        &self.0
    }

    /// How many values there are.
    fn len(&self) -> usize {
        self.0.len()
    }

    /// The value below which this part of the sample lies.
    pub fn quantile(&self, part: f64) -> f64 {
        self.0[((self.0.len() - 1) as f64 * part).round() as usize]
    }

    /// Half lie below, half above.
    pub fn median(&self) -> f64 {
        self.quantile(0.5)
    }
}

/// CPU time that this thread has used, in seconds: what others take from the machine doesn't count.
pub fn cpu_seconds() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9
}

/// CPU seconds of one slice.
pub fn timed(slice: impl FnOnce()) -> f64 {
    let start = cpu_seconds();
    slice();
    cpu_seconds() - start
}

/// Keeps this thread on one processor, if the system lets it.
pub fn pin(processor: usize) {
    let mut set = CpuSet::new();
    set.set(processor);
    if let Err(error) = sched_setaffinity(None, &set) {
        eprintln!("not pinned to processor {processor}: {error}");
    }
}

/// How many repetitions fill a slice.
pub fn repetitions(mut slice: impl FnMut(u64)) -> u64 {
    let mut count = 1_000;
    loop {
        let seconds = timed(|| slice(count));
        if seconds * 4.0 >= SLICE.as_secs_f64() {
            return (count as f64 * SLICE.as_secs_f64() / seconds) as u64;
        }
        count *= 2;
    }
}

/// What a sandwich found.
#[derive(Clone, Debug)]
pub struct Ratios {
    /// Subject over the mean of its two neighbours, round by round.
    pub local: Sample,
    /// Disagreement of the two neighbours: their difference over their mean.
    pub noise: Sample,
    /// CPU nanoseconds a repetition of the yardstick, for orientation.
    pub yardstick_ns: f64,
}

/// Measures `subject` between slices of `yardstick`; both repeat as often as they are told.
pub fn sandwich(mut yardstick: impl FnMut(u64), mut subject: impl FnMut(u64)) -> Ratios {
    let count = repetitions(&mut yardstick);
    subject(count);
    let mut before = timed(|| yardstick(count));
    let (mut local, mut noise, mut own) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let seconds = timed(|| subject(count));
        let after = timed(|| yardstick(count));
        let mean = (before + after) / 2.0;
        local.push(seconds / mean);
        noise.push((before - after).abs() / mean);
        own.push(mean * 1e9 / count as f64);
        before = after;
    }
    Ratios {
        local: Sample::new(local),
        noise: Sample::new(noise),
        yardstick_ns: Sample::new(own).median(),
    }
}

impl Ratios {
    /// The median of the local ratios, unless the machine was too noisy to say.
    pub fn value(&self) -> Option<f64> {
        (self.noise.median() <= NOISE_MAX).then(|| self.local.median())
    }

    /// Prints what stands behind the figure, and hands it over.
    pub fn explain(&self, what: &str) {
        let handed = report::hand_over(&report::Ratio {
            what,
            p10: self.local.quantile(0.1),
            median: self.local.median(),
            p90: self.local.quantile(0.9),
            rounds: self.local.len(),
            yardstick_ns: self.yardstick_ns,
            noise: self.noise.median(),
        });
        if let Err(error) = handed {
            eprintln!("{what}: not handed over: {error:#}");
        }
        println!(
            "{what}: p10 {:.3} median {:.3} p90 {:.3} of {} local ratios; yardstick {:.1} ns, neighbours differ by {:.1} %",
            self.local.quantile(0.1),
            self.local.median(),
            self.local.quantile(0.9),
            self.local.len(),
            self.yardstick_ns,
            self.noise.median() * 100.0,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_of_the_sorted_sample() {
        let sample = Sample::new(vec![5.0, 1.0, 4.0, 2.0, 3.0]);
        assert_eq!(
            (sample.quantile(0.0), sample.median(), sample.quantile(1.0)),
            (1.0, 3.0, 5.0)
        );
    }

    #[test]
    fn a_noisy_run_says_nothing() {
        let ratios = |noise| Ratios {
            local: Sample::new(vec![1.1]),
            noise: Sample::new(vec![noise]),
            yardstick_ns: 10.0,
        };
        assert_eq!(ratios(NOISE_MAX).value(), Some(1.1));
        assert_eq!(ratios(NOISE_MAX * 1.01).value(), None);
    }
}
