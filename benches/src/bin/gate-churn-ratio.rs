//! `gate-churn-ratio`: a session ends and another comes, at the ceiling, before anybody was refused and after, over a bare
//! atomic sub and add of an own line in the same loop; nobody may be refused for nothing. Of the form that nodes take here,
//! and of the atomic one beside it.
#![forbid(unsafe_code)]

use std::mem;
use std::process::ExitCode;

use benches::figure::{Figure, Good};
use benches::sandwich::{pin, sandwich};
use benches::subject::{CEILING, Line, Subject, forms};
use enforcer::{ClassId, Form, Permit, WorkerGate};

/// Calls that are refused before each slice.
const REFUSALS: u32 = 100;

fn main() -> ExitCode {
    pin(0);
    let mut value = None;
    for (name, form) in forms() {
        let [before, after] = [0, REFUSALS].map(|refusals| churn(name, form, refusals));
        let worse = before.zip(after).map(|(before, after)| before.max(after));
        value = value.or(Some(worse));
    }
    Figure {
        id: "gate-churn-ratio",
        value: value.flatten(),
        target: 1.1,
        good: Good::AtMost,
    }
    .finish()
}

fn churn(name: &str, form: Form, refusals: u32) -> Option<f64> {
    let subject = Subject::of(form, 2);
    let mut worker = subject.worker();
    let line = Line::default();
    let mut permits: Vec<Permit> = (0..CEILING)
        .map(|_| worker.restore(subject.class))
        .collect();
    let mut held = vec![0_u8; permits.len()];
    for _ in &held {
        line.add();
    }
    let ratios = sandwich(
        |pairs| bare(&line, &mut held, pairs),
        |pairs| {
            for _ in 0..refusals {
                let answer = worker.admit(subject.class);
                assert!(
                    answer.map(|permit| worker.release(permit)).is_err(),
                    "above the ceiling"
                );
            }
            turn_over(&mut worker, subject.class, &mut permits, pairs);
        },
    );
    permits
        .into_iter()
        .for_each(|permit| worker.release(permit));
    let when = if refusals == 0 { "before" } else { "after" };
    ratios.explain(&format!("{name}: churn at the ceiling {when} refusals"));
    ratios.value()
}

/// Each session in turn ends, and another takes its place; a refusal would be for nothing.
#[inline(never)]
fn turn_over(worker: &mut WorkerGate, class: ClassId, permits: &mut Vec<Permit>, pairs: u64) {
    let Some(mut hand) = permits.pop() else {
        return;
    };
    let sessions = permits.len();
    let mut at = 0;
    for _ in 0..pairs {
        worker.release(hand);
        hand = match worker.admit(class) {
            Ok(permit) => mem::replace(&mut permits[at], permit),
            Err(refusal) => unexpected(refusal),
        };
        at += 1;
        if at == sessions {
            at = 0;
        }
    }
    permits.push(hand);
}

#[cold]
#[inline(never)]
fn unexpected(refusal: enforcer::Refusal) -> ! {
    panic!("refused with a place free: {refusal:?}");
}

/// The same of a bare line.
#[inline(never)]
fn bare(line: &Line, held: &mut [u8], pairs: u64) {
    let limit = u64::from(CEILING);
    let (mut hand, mut at) = (1_u8, 0);
    for _ in 0..pairs {
        assert!(line.sub() > 0, "too few");
        assert!(line.add() < limit, "too many");
        hand = mem::replace(&mut held[at], hand);
        at += 1;
        if at == held.len() {
            at = 0;
        }
    }
}
