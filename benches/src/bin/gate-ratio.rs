//! `gate-ratio`: admit and release, with policy, three features and class counters, over a bare atomic add and sub on an
//! own line whose results are used; of the form that nodes take here, and of the atomic
//! one beside it.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use benches::figure::{Figure, Good};
use benches::sandwich::{Ratios, pin, sandwich};
use benches::subject::{Line, Subject, add_sub, admit_release, forms};
use enforcer::Form;

fn main() -> ExitCode {
    pin(0);
    let mut value = None;
    for (name, form) in forms() {
        value = value.or(Some(measure(name, form)));
    }
    Figure {
        id: "gate-ratio",
        value: value.and_then(|ratios| ratios.value()),
        target: 0.45,
        good: Good::AtMost,
    }
    .finish()
}

fn measure(name: &str, form: Form) -> Ratios {
    let subject = Subject::of(form, 2);
    let mut worker = subject.worker();
    let line = Line::default();
    let ratios = sandwich(
        |pairs| add_sub(&line, pairs),
        |pairs| admit_release(&mut worker, subject.class, pairs),
    );
    ratios.explain(&format!("{name}: admit and release over add and sub"));
    ratios
}
