//! `gate-scaling`: throughput of two workers over one, relative to how the bare own-line pair scales in the same run; of the
//! form that nodes take here, and of the atomic one beside it.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use benches::duet::{Step, duet};
use benches::figure::{Figure, Good};
use benches::sandwich::{NOISE_MAX, Sample, repetitions};
use benches::subject::{Line, Subject, add_sub, admit_release, forms};
use enforcer::Form;

/// Rounds tried; others may want the processors too.
const ROUNDS: usize = 401;
/// Slices to the usual one: short ones are more often undisturbed.
const SHORTER: u64 = 3;
/// Undisturbed rounds that a result needs.
const ROUNDS_MIN: usize = 31;

/// What runs in a slice.
#[derive(Clone, Copy)]
enum Work {
    AddSub,
    AdmitRelease,
}

/// One round: each work by one thread and by two.
const PLAN: [Step<Work>; 5] = {
    const fn step(work: Work, both: bool) -> Step<Work> {
        Step { work, both }
    }
    [
        step(Work::AddSub, false),
        step(Work::AdmitRelease, false),
        step(Work::AddSub, true),
        step(Work::AdmitRelease, true),
        step(Work::AddSub, false),
    ]
};

fn main() -> ExitCode {
    let mut value = None;
    for (name, form) in forms() {
        value = value.or(Some(scaling(name, form)));
    }
    Figure {
        id: "gate-scaling",
        value: value.flatten(),
        target: 0.97,
        good: Good::AtLeast,
    }
    .finish()
}

fn scaling(name: &str, form: Form) -> Option<f64> {
    let subject = Subject::of(form, 2);
    let pairs = repetitions(|pairs| add_sub(&Line::default(), pairs)) / SHORTER;
    let rounds = duet(&PLAN, ROUNDS, |_| {
        let (mut worker, line) = (subject.worker(), Line::default());
        let class = subject.class;
        admit_release(&mut worker, class, pairs);
        move |work| match work {
            Work::AddSub => add_sub(&line, pairs),
            Work::AdmitRelease => admit_release(&mut worker, class, pairs),
        }
    });
    println!("{name}: {} of {ROUNDS} rounds undisturbed", rounds.len());
    let (mut local, mut noise) = (Vec::new(), Vec::new());
    for round in &rounds {
        let alone = |step: usize| 1.0 / round[step][0];
        let together = |step: usize| 1.0 / round[step][0] + 1.0 / round[step][1];
        let own = together(2) / ((alone(0) + alone(4)) / 2.0);
        local.push(together(3) / alone(1) / own);
        noise.push((alone(0) - alone(4)).abs() * 2.0 / (alone(0) + alone(4)));
    }
    if rounds.len() < ROUNDS_MIN {
        return None;
    }
    let (local, noise) = (Sample::new(local), Sample::new(noise).median());
    println!(
        "{name}: two workers over one, against the own-line pair: p10 {:.3} median {:.3} p90 {:.3}; yardsticks differ by {:.1} %",
        local.quantile(0.1),
        local.median(),
        local.quantile(0.9),
        noise * 100.0,
    );
    (noise <= NOISE_MAX).then(|| local.median())
}
