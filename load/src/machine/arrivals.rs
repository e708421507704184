//! When calls are due.

use std::time::Duration;

use licensing::Mono;

use crate::Plan;

/// Calls come evenly spaced, closer and closer while the rate goes up. The n-th is due at a time that hangs on n alone,
/// so a generator that was held up owes the calls it missed.
#[derive(Debug)]
pub(super) struct Arrivals {
    start: Mono,
    per_s: f64,
    ramp_s: f64,
    due: u64,
    most: u64,
}

impl Arrivals {
    pub fn new(plan: &Plan, start: Mono) -> Self {
        Self {
            start,
            per_s: plan.calls_per_s,
            ramp_s: plan.ramp.as_secs_f64(),
            due: 0,
            most: plan.max_calls.unwrap_or(u64::MAX),
        }
    }

    /// When the next call is due; `None` if there is none any more.
    pub fn next(&self) -> Option<Mono> {
        (self.due < self.most).then(|| self.start.after(self.offset(self.due)))
    }

    pub fn take(&mut self) {
        self.due += 1;
    }

    /// No call is due any more.
    pub fn stop(&mut self) {
        self.most = self.due;
    }

    pub fn due(&self) -> u64 {
        self.due
    }

    /// While the rate goes up evenly to `per_s`, `per_s * t^2 / (2 * ramp)` calls are due by `t`.
    fn offset(&self, n: u64) -> Duration {
        let n = n as f64;
        let in_ramp = self.per_s * self.ramp_s / 2.0;
        let offset_s = if n < in_ramp {
            (2.0 * n * self.ramp_s / self.per_s).sqrt()
        } else {
            self.ramp_s + (n - in_ramp) / self.per_s
        };
        Duration::from_secs_f64(offset_s.min(1e9))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_evenly_spaced_after_the_ramp_and_half_as_many_within_it() {
        let plan = Plan {
            calls_per_s: 100.0,
            ramp: Duration::from_secs(10),
            max_calls: Some(2000),
            ..Plan::default()
        };
        let mut arrivals = Arrivals::new(&plan, Mono(1_000));
        let mut times = Vec::new();
        while let Some(at) = arrivals.next() {
            times.push(at.since(Mono(1_000)).as_secs_f64());
            arrivals.take();
        }
        assert_eq!(times.len(), 2000);
        let until = |s: f64| times.iter().filter(|at| **at < s).count();
        assert_eq!(until(5.0), 125);
        assert_eq!(until(10.0), 500);
        assert!((times[501] - times[500] - 0.01).abs() < 1e-9);
        assert!((times[1999] - 24.99).abs() < 1e-9);
    }
}
