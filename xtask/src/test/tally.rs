//! Tests passed and failed, summed over the summary lines of cargo's test harness.

use std::fmt;

#[derive(Debug, Default, PartialEq, Eq)]
pub struct Tally {
    passed: u64,
    failed: u64,
    steps_failed: u64,
}

impl Tally {
    /// Takes in a line, if it is a summary: `test result: ok. 3 passed; 0 failed; 0 ignored; ...`.
    pub fn read(&mut self, line: &str) {
        let Some(summary) = line.strip_prefix("test result: ") else {
            return;
        };
        let counts = summary.split_once(". ").map_or("", |(_, counts)| counts);
        for count in counts.split(';') {
            match count.trim().split_once(' ') {
                Some((n, "passed")) => self.passed += n.parse::<u64>().unwrap_or(0),
                Some((n, "failed")) => self.failed += n.parse::<u64>().unwrap_or(0),
                // an ignored test proves nothing
                Some((n, "ignored")) => self.failed += n.parse::<u64>().unwrap_or(0),
                Some(_) | None => {}
            }
        }
    }

    pub fn step_failed(&mut self) {
        self.steps_failed += 1;
    }

    pub fn passed(&self) -> u64 {
        self.passed
    }

    pub fn is_green(&self) -> bool {
        self.failed == 0 && self.steps_failed == 0
    }
}

impl fmt::Display for Tally {
    /// A step that fails without a failed test counts as one failure.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let failed = self.failed.max(self.steps_failed);
        write!(f, "{} passed, {failed} failed", self.passed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(lines: &[&str]) -> Tally {
        let mut tally = Tally::default();
        for line in lines {
            tally.read(line);
        }
        tally
    }

    #[test]
    fn summaries_are_summed() {
        let tally = after(&[
            "running 2 tests",
            "test a ... ok",
            "test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s",
            "test result: ok. 40 passed; 0 failed; 0 ignored; 0 measured; 7 filtered out; finished in 1.20s",
        ]);
        assert_eq!(tally.to_string(), "42 passed, 0 failed");
        assert!(tally.is_green());
    }

    #[test]
    fn a_failed_or_ignored_test_is_not_green() {
        let failed = after(&["test result: FAILED. 2 passed; 3 failed; 0 ignored; 0 measured"]);
        assert_eq!(failed.to_string(), "2 passed, 3 failed");
        assert!(!failed.is_green());
        let ignored = after(&["test result: ok. 2 passed; 0 failed; 1 ignored; 0 measured"]);
        assert_eq!(ignored.to_string(), "2 passed, 1 failed");
        assert!(!ignored.is_green());
    }

    #[test]
    fn a_failed_step_without_a_failed_test_is_one_failure() {
        let mut tally = after(&["test result: ok. 2 passed; 0 failed; 0 ignored"]);
        tally.step_failed();
        assert_eq!(tally.to_string(), "2 passed, 1 failed");
        assert!(!tally.is_green());
    }
}
