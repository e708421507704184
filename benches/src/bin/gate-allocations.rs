//! `gate-allocations`: heap allocations of a worker in service: admissions, releases, refusals at the ceiling and by
//! policy, replacement, restoring, change of class, in open and tight mode.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use allocation_counter::measure;
use benches::figure::{Figure, Good};
use benches::subject::{CEILING, SERVICE, Subject, admit_release};
use enforcer::{Block, Permit, Terms, WorkerGate};

const PAIRS: u64 = 100_000;

fn main() -> ExitCode {
    let subject = Subject::new(2);
    let mut worker = subject.worker();
    let mut permits = Vec::with_capacity(CEILING as usize);
    let mut allocations = measure(|| {
        admit_release(&mut worker, subject.class, PAIRS);
        fill(&subject, &mut worker, &mut permits);
        empty(&mut worker, &mut permits);
    })
    .count_total;
    let terms = subject.gate.terms(SERVICE);
    let block = Some(Block::Service);
    subject.gate.set_terms(SERVICE, Terms { block, ..terms });
    allocations += measure(|| {
        let refused = (0..PAIRS).filter(|_| worker.admit(subject.class).is_err());
        assert_eq!(refused.count() as u64, PAIRS, "the service is blocked");
    })
    .count_total;
    println!(
        "{allocations} allocations over {PAIRS} pairs, {CEILING} calls to the ceiling and back, and {PAIRS} refusals"
    );
    Figure {
        id: "gate-allocations",
        value: Some(allocations as f64),
        target: 0.0,
        good: Good::AtMost,
    }
    .finish()
}

fn fill(subject: &Subject, worker: &mut WorkerGate, permits: &mut Vec<Permit>) {
    while let Ok(permit) = worker.admit(subject.class) {
        let permit = worker.reclass(permit, subject.elsewhere);
        let permit = worker.reclass(permit, subject.class);
        let permit = worker
            .replace(permit, subject.class)
            .unwrap_or_else(|(_, old)| old);
        permits.push(permit);
    }
    assert_eq!(permits.len(), CEILING as usize, "full");
    permits
        .pop()
        .into_iter()
        .for_each(|permit| worker.release(permit));
    permits.push(worker.restore(subject.class));
}

fn empty(worker: &mut WorkerGate, permits: &mut Vec<Permit>) {
    permits.drain(..).for_each(|permit| worker.release(permit));
}
