//! One measured figure against its target.

use std::fmt;
use std::process::ExitCode;

use crate::report;

/// Which side of the target is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Good {
    /// At most the target.
    AtMost,
    /// At least the target.
    AtLeast,
}

/// A figure as it is printed: `ID VALUE target TARGET ok|short|invalid`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figure {
    /// Its name in SPECIFICATION.md.
    pub id: &'static str,
    /// What was measured; none: the run could not say.
    pub value: Option<f64>,
    /// What is promised.
    pub target: f64,
    /// Which side of it is good.
    pub good: Good,
}

impl Figure {
    fn word(&self) -> (&'static str, u8) {
        let reached = |value: f64| match self.good {
            Good::AtMost => value <= self.target,
            Good::AtLeast => value >= self.target,
        };
        match self.value {
            None => ("invalid", 2),
            Some(value) if reached(value) => ("ok", 0),
            Some(_) => ("short", 1),
        }
    }

    /// Prints it as the last line and gives the exit code: 0 reached, 1 short of the target, 2 invalid.
    pub fn finish(self) -> ExitCode {
        let (verdict, code) = self.word();
        let handed = report::hand_over(&report::Line {
            id: self.id,
            value: self.value,
            target: self.target,
            at_least: self.good == Good::AtLeast,
            verdict,
        });
        if let Err(error) = handed {
            eprintln!("{}: not handed over: {error:#}", self.id);
        }
        println!("{self}");
        ExitCode::from(code)
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.value.map_or("-".to_owned(), number);
        let (target, word) = (number(self.target), self.word().0);
        write!(f, "{} {value} target {target} {word}", self.id)
    }
}

/// Two decimals, none for a whole number.
fn number(value: f64) -> String {
    if value.fract() == 0.0 {
        return format!("{value:.0}");
    }
    format!("{value:.2}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_says_whether_it_reached_its_target() {
        let figure = |value, good| Figure {
            id: "gate-ratio",
            value,
            target: 1.25,
            good,
        };
        let line = |value, good| figure(value, good).to_string();
        assert_eq!(
            line(Some(1.25), Good::AtMost),
            "gate-ratio 1.25 target 1.25 ok"
        );
        assert_eq!(
            line(Some(1.251), Good::AtMost),
            "gate-ratio 1.25 target 1.25 short"
        );
        assert_eq!(
            line(Some(2.0), Good::AtLeast),
            "gate-ratio 2 target 1.25 ok"
        );
        assert_eq!(
            line(None, Good::AtLeast),
            "gate-ratio - target 1.25 invalid"
        );
        assert_eq!(figure(Some(1.3), Good::AtMost).word().1, 1);
        assert_eq!(figure(None, Good::AtMost).word().1, 2);
    }
}
