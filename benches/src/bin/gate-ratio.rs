//! `gate-ratio`: admit and release, with policy, three features and class counters, over a bare atomic add and sub on an
//! own line whose results are used.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use benches::figure::{Figure, Good};
use benches::sandwich::{pin, sandwich};
use benches::subject::{Line, Subject, add_sub, admit_release};

fn main() -> ExitCode {
    pin(0);
    let subject = Subject::new(2);
    let mut worker = subject.worker();
    let line = Line::default();
    let ratios = sandwich(
        |pairs| add_sub(&line, pairs),
        |pairs| admit_release(&mut worker, subject.class, pairs),
    );
    ratios.explain("admit and release over add and sub");
    Figure {
        id: "gate-ratio",
        value: ratios.value(),
        target: 1.25,
        good: Good::AtMost,
    }
    .finish()
}
