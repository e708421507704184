//! `gate-overload-ratio`: two workers at the ceiling, three calls of four refused, over a packed compare-and-swap of limit
//! and count that does the same; of the form that nodes take here, and of the atomic one beside it.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use benches::duet::{Step, duet};
use benches::figure::{Figure, Good};
use benches::packed::Packed;
use benches::sandwich::{NOISE_MAX, Sample, repetitions};
use benches::subject::{CEILING, Line, Subject, add_sub, forms};
use enforcer::{ClassId, Form, Permit, WorkerGate};
use licensing::RefusalReason;

/// Rounds tried; others may want the processors too.
const ROUNDS: usize = 401;
/// Undisturbed rounds that a result needs.
const ROUNDS_MIN: usize = 31;
/// Repetitions of the usual slice to one turn here, which is eight operations with both processors at them.
const SHORTER: u64 = 20;
/// Calls to each session that ends.
const CALLS: u32 = 4;

/// What runs in a slice.
#[derive(Clone, Copy)]
enum Work {
    Packed,
    Gate,
}

const PLAN: [Step<Work>; 3] = {
    const fn both(work: Work) -> Step<Work> {
        Step { work, both: true }
    }
    [both(Work::Packed), both(Work::Gate), both(Work::Packed)]
};

fn main() -> ExitCode {
    let mut value = None;
    for (name, form) in forms() {
        value = value.or(Some(overload(name, form)));
    }
    Figure {
        id: "gate-overload-ratio",
        value: value.flatten(),
        target: 1.6,
        good: Good::AtMost,
    }
    .finish()
}

fn overload(name: &str, form: Form) -> Option<f64> {
    let subject = Subject::of(form, 2);
    let packed = Packed::new(CEILING);
    let turns = repetitions(|pairs| add_sub(&Line::default(), pairs)) / SHORTER;
    let rounds = duet(&PLAN, ROUNDS, |_| {
        let class = subject.class;
        let mut calls = Calls::of(&subject, &packed);
        move |work| match work {
            Work::Packed => calls.packed(turns),
            Work::Gate => calls.gate(class, turns),
        }
    });
    println!("{name}: {} of {ROUNDS} rounds undisturbed", rounds.len());
    if rounds.len() < ROUNDS_MIN {
        return None;
    }
    let cost = |step: &[f64; 2]| step[0] + step[1];
    let mean = |round: &[[f64; 2]]| (cost(&round[0]) + cost(&round[2])) / 2.0;
    let local = Sample::new(
        rounds
            .iter()
            .map(|round| cost(&round[1]) / mean(round))
            .collect(),
    );
    let noise = rounds
        .iter()
        .map(|round| (cost(&round[0]) - cost(&round[2])).abs() / mean(round));
    let noise = Sample::new(noise.collect()).median();
    let operations = turns as f64 * 2.0 * f64::from(CALLS + 1);
    let own = Sample::new(
        rounds
            .iter()
            .map(|round| mean(round) * 1e9 / operations)
            .collect(),
    );
    println!(
        "{name}: three of four refused by two workers, over a packed compare-and-swap: p10 {:.3} median {:.3} p90 {:.3}; {:.1} ns an operation of that, neighbours differ by {:.1} %",
        local.quantile(0.1),
        local.median(),
        local.quantile(0.9),
        own.median(),
        noise * 100.0,
    );
    // Two threads at one line never take the same time twice.
    (noise <= NOISE_MAX * 2.0).then(|| local.median())
}

/// One thread's sessions, of the gate and of the packed word: half of what the ceiling lets in.
struct Calls<'a> {
    worker: WorkerGate,
    permits: Vec<Permit>,
    packed: &'a Packed,
    held: u32,
}

impl<'a> Calls<'a> {
    fn of(subject: &Subject, packed: &'a Packed) -> Self {
        let mut worker = subject.worker();
        let permits = (0..CEILING / 2).map(|_| worker.restore(subject.class));
        let permits = permits.collect();
        let held = (0..CEILING / 2).filter(|_| packed.admit()).count() as u32;
        Self {
            worker,
            permits,
            packed,
            held,
        }
    }

    /// A session ends, if there is one, and four calls come.
    fn gate(&mut self, class: ClassId, turns: u64) {
        for _ in 0..turns {
            if let Some(permit) = self.permits.pop() {
                self.worker.release(permit);
            }
            for _ in 0..CALLS {
                match self.worker.admit(class) {
                    Ok(permit) => self.permits.push(permit),
                    Err(refusal) => expected(refusal.reason),
                }
            }
        }
    }

    fn packed(&mut self, turns: u64) {
        for _ in 0..turns {
            if self.held > 0 {
                self.packed.release();
                self.held -= 1;
            }
            for _ in 0..CALLS {
                self.held += u32::from(self.packed.admit());
            }
        }
    }
}

impl Drop for Calls<'_> {
    fn drop(&mut self) {
        for permit in self.permits.drain(..) {
            self.worker.release(permit);
        }
    }
}

fn expected(reason: RefusalReason) {
    let known = [RefusalReason::AtCeiling, RefusalReason::Unsettled];
    assert!(
        known.contains(&reason),
        "refused at the ceiling: {reason:?}"
    );
}
