//! `gate-scaling`: throughput of two workers over one, relative to how the bare own-line pair scales in the same run.
#![forbid(unsafe_code)]

use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Barrier, Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use benches::figure::{Figure, Good};
use benches::sandwich::{NOISE_MAX, Sample, pin, repetitions, timed};
use benches::subject::{Line, Subject, add_sub, admit_release};
use enforcer::WorkerGate;

/// Rounds tried; others may want the processors too.
const ROUNDS: usize = 801;
/// Slices to the usual one: short ones are more often undisturbed.
const SHORTER: u64 = 3;
/// Wall time over CPU time of a slice above which its thread didn't have a processor to itself.
const STOLEN_MAX: f64 = 1.10;
/// Undisturbed rounds that a result needs.
const ROUNDS_MIN: usize = 31;

/// What runs in a slice.
#[derive(Clone, Copy)]
enum Work {
    AddSub,
    AdmitRelease,
}

/// One round: each work by one thread and by two, in an order that turns with the rounds.
const PLAN: [(Work, bool); 5] = [
    (Work::AddSub, false),
    (Work::AdmitRelease, false),
    (Work::AddSub, true),
    (Work::AdmitRelease, true),
    (Work::AddSub, false),
];

/// One thread's share of the run.
struct Lane<'a> {
    subject: &'a Subject,
    worker: WorkerGate,
    line: Line,
    pairs: u64,
}

/// CPU seconds of a slice, and whether it had its processor to itself.
#[derive(Clone, Copy)]
struct Slice {
    seconds: f64,
    calm: bool,
}

impl Lane<'_> {
    fn slice(&mut self, work: Work) -> Slice {
        let start = Instant::now();
        let seconds = timed(|| match work {
            Work::AddSub => add_sub(&self.line, self.pairs),
            Work::AdmitRelease => admit_release(&mut self.worker, self.subject.class, self.pairs),
        });
        let calm = start.elapsed().as_secs_f64() <= seconds * STOLEN_MAX;
        Slice { seconds, calm }
    }
}

/// Where the two threads meet before and after each slice.
struct Meeting {
    barrier: Barrier,
    ready: AtomicU64,
    slices: [Mutex<Vec<Slice>>; 2],
}

impl Meeting {
    /// Both start within a few hundred nanoseconds: the barrier wakes one thread late, so they spin for the rest.
    fn start_together(&self, slice: u64) {
        self.barrier.wait();
        self.ready.fetch_add(1, SeqCst);
        while self.ready.load(SeqCst) < slice * 2 {
            std::hint::spin_loop();
        }
    }
}

fn main() -> ExitCode {
    let subject = Subject::new(2);
    let pairs = repetitions(|pairs| add_sub(&Line::default(), pairs)) / SHORTER;
    let meeting = Meeting {
        barrier: Barrier::new(2),
        ready: AtomicU64::new(0),
        slices: [Mutex::new(Vec::new()), Mutex::new(Vec::new())],
    };
    thread::scope(|scope| {
        for place in 0..2 {
            let (subject, meeting) = (&subject, &meeting);
            scope.spawn(move || {
                pin(place);
                let lane = Lane {
                    subject,
                    worker: subject.worker(),
                    line: Line::default(),
                    pairs,
                };
                drive(lane, meeting, place);
            });
        }
    });
    let [first, second] = meeting
        .slices
        .map(|slices| slices.into_inner().unwrap_or_else(PoisonError::into_inner));
    result(&first, &second).finish()
}

fn drive(mut lane: Lane<'_>, meeting: &Meeting, place: usize) {
    let mut slices = Vec::new();
    lane.slice(Work::AdmitRelease);
    for round in 0..ROUNDS {
        for step in 0..PLAN.len() {
            let (work, both) = PLAN[(step + round) % PLAN.len()];
            meeting.start_together(slices.len() as u64 + 1);
            let idle = Slice {
                seconds: 0.0,
                calm: true,
            };
            slices.push(if both || place == 0 {
                lane.slice(work)
            } else {
                idle
            });
            meeting.barrier.wait();
        }
    }
    *meeting.slices[place]
        .lock()
        .unwrap_or_else(PoisonError::into_inner) = slices;
}

fn result(first: &[Slice], second: &[Slice]) -> Figure {
    let (mut local, mut noise) = (Vec::new(), Vec::new());
    let rounds = first.chunks(PLAN.len()).zip(second.chunks(PLAN.len()));
    for (round, (first, second)) in rounds.enumerate() {
        if !first.iter().chain(second).all(|slice| slice.calm) {
            continue;
        }
        let at = |place: usize| (place + PLAN.len() * ROUNDS - round) % PLAN.len();
        let alone = |place: usize| 1.0 / first[at(place)].seconds;
        let together =
            |place: usize| 1.0 / first[at(place)].seconds + 1.0 / second[at(place)].seconds;
        let own = together(2) / ((alone(0) + alone(4)) / 2.0);
        local.push(together(3) / alone(1) / own);
        noise.push((alone(0) - alone(4)).abs() * 2.0 / (alone(0) + alone(4)));
    }
    println!("{} of {ROUNDS} rounds undisturbed", local.len());
    let enough = local.len() >= ROUNDS_MIN;
    let samples = enough.then(|| (Sample::new(local), Sample::new(noise)));
    if let Some((local, noise)) = &samples {
        println!(
            "two workers over one, against the own-line pair: p10 {:.3} median {:.3} p90 {:.3}; yardsticks differ by {:.1} %",
            local.quantile(0.1),
            local.median(),
            local.quantile(0.9),
            noise.median() * 100.0,
        );
    }
    Figure {
        id: "gate-scaling",
        value: samples
            .and_then(|(local, noise)| (noise.median() <= NOISE_MAX).then(|| local.median())),
        target: 0.97,
        good: Good::AtLeast,
    }
}
