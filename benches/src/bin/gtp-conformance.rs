//! `gtp-conformance`: of the elements that the procedures of GTPv2-C want, each missing, malformed, twice and in any
//! order, the part that is met as the specification says. Unit: percent.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use benches::figure::{Figure, Good};
use tests::conformance::report;

fn main() -> ExitCode {
    let report = report();
    for failed in &report.failed {
        println!("{failed}");
    }
    println!("{} of {} cells shown", report.shown(), report.due);
    Figure {
        id: "gtp-conformance",
        value: Some(f64::from(report.shown()) * 100.0 / f64::from(report.due)),
        target: 100.0,
        good: Good::AtLeast,
    }
    .finish()
}
