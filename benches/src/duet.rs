//! Slices of works by one thread and by two at once, each on a processor of its own.

use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Barrier, Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use crate::sandwich::{pin, timed};

/// Wall time over CPU time of a slice above which its thread didn't have a processor to itself.
const STOLEN_MAX: f64 = 1.10;

/// One slice of a round.
#[derive(Clone, Copy, Debug)]
pub struct Step<W> {
    /// What runs.
    pub work: W,
    /// By both threads at once; otherwise by the first.
    pub both: bool,
}

/// CPU seconds of a slice, and whether it had its processor to itself.
#[derive(Clone, Copy)]
struct Slice {
    seconds: f64,
    calm: bool,
}

/// Where the two threads meet before and after each slice.
struct Meeting {
    barrier: Barrier,
    ready: AtomicU64,
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

/// Runs the plan so many times, in an order that turns with the rounds, and gives what was undisturbed: by step of the plan,
/// the CPU seconds of either thread, 0 for one that had nothing to do. Each lane does one slice of a work.
pub fn duet<W: Copy + Sync, L: FnMut(W)>(
    plan: &[Step<W>],
    rounds: usize,
    lane: impl Fn(usize) -> L + Sync,
) -> Vec<Vec<[f64; 2]>> {
    let meeting = Meeting {
        barrier: Barrier::new(2),
        ready: AtomicU64::new(0),
    };
    let slices = [Mutex::new(Vec::new()), Mutex::new(Vec::new())];
    thread::scope(|scope| {
        for (place, slices) in slices.iter().enumerate() {
            let (meeting, lane) = (&meeting, &lane);
            scope.spawn(move || {
                pin(place);
                let own = drive(plan, rounds, meeting, place, lane(place));
                *slices.lock().unwrap_or_else(PoisonError::into_inner) = own;
            });
        }
    });
    let [first, second] =
        slices.map(|slices| slices.into_inner().unwrap_or_else(PoisonError::into_inner));
    let both = first.chunks(plan.len()).zip(second.chunks(plan.len()));
    let undisturbed = both.enumerate().filter_map(|(round, (first, second))| {
        let calm = first.iter().chain(second).all(|slice| slice.calm);
        let at = |step: usize| (step + plan.len() * rounds - round) % plan.len();
        let seconds = |step| [first[at(step)].seconds, second[at(step)].seconds];
        calm.then(|| (0..plan.len()).map(seconds).collect())
    });
    undisturbed.collect()
}

fn drive<W: Copy>(
    plan: &[Step<W>],
    rounds: usize,
    meeting: &Meeting,
    place: usize,
    mut work: impl FnMut(W),
) -> Vec<Slice> {
    let mut slices = Vec::new();
    for round in 0..rounds {
        for step in 0..plan.len() {
            let step = plan[(step + round) % plan.len()];
            meeting.start_together(slices.len() as u64 + 1);
            let busy = step.both || place == 0;
            slices.push(slice(|| {
                if busy {
                    work(step.work);
                }
            }));
            if !busy && let Some(idle) = slices.last_mut() {
                *idle = Slice {
                    seconds: 0.0,
                    calm: true,
                };
            }
            meeting.barrier.wait();
        }
    }
    slices
}

fn slice(work: impl FnOnce()) -> Slice {
    let start = Instant::now();
    let seconds = timed(work);
    let calm = start.elapsed().as_secs_f64() <= seconds * STOLEN_MAX;
    Slice { seconds, calm }
}
