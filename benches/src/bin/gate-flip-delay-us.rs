//! `gate-flip-delay-us`: 100,000 admissions a second, each due at its own time, with the terms changing 1,000 times a second
//! on another processor: by how much that lengthens the 99.99th percentile from when a call was due to its permit, over
//! the same without changes. Of the form that nodes take here, and of the atomic one beside it.
//!
//! Whatever else has the processor only lengthens a window's times, and has it in some windows; changes come a hundred times
//! in each. So the windows of both kinds are short and many, and their first quartiles are compared.
#![forbid(unsafe_code)]

use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use benches::figure::{Figure, Good};
use benches::sandwich::{Sample, pin};
use benches::subject::{CEILING, SERVICE, Subject, forms};
use enforcer::{Block, Form, Terms, WorkerGate};
use hdrhistogram::Histogram;
use licensing::{FeatureIndex, FeatureSet};

/// Time from one call to the next.
const EVERY: Duration = Duration::from_micros(10);
/// Time from one change to the next.
const FLIP: Duration = Duration::from_millis(1);
/// Calls of one window; every other one is without changes.
const CALLS: u32 = 10_000;
const WINDOWS: usize = 100;
/// Of the windows' percentiles, the one that is compared.
const QUARTILE: f64 = 0.25;
/// 99.99th percentile without changes above which others had the processor even so.
const NOISE_MAX_US: f64 = 100.0;

fn main() -> ExitCode {
    let mut value = None;
    for (name, form) in forms() {
        value = value.or(Some(delay(name, form)));
    }
    Figure {
        id: "gate-flip-delay-us",
        value: value.flatten(),
        target: 20.0,
        good: Good::AtMost,
    }
    .finish()
}

fn delay(name: &str, form: Form) -> Option<f64> {
    let subject = Subject::of(form, 2);
    let (flipping, over, flips) = (
        AtomicBool::new(false),
        AtomicBool::new(false),
        AtomicU64::new(0),
    );
    let (calm, flipped) = thread::scope(|scope| {
        scope.spawn(|| {
            pin(1);
            flip(&subject, &flipping, &over, &flips);
        });
        pin(0);
        let mut worker = subject.worker();
        let (mut calm, mut flipped) = (Vec::new(), Vec::new());
        window(&mut worker, &subject);
        for _ in 0..WINDOWS {
            calm.push(window(&mut worker, &subject));
            flipping.store(true, Relaxed);
            flipped.push(window(&mut worker, &subject));
            flipping.store(false, Relaxed);
        }
        over.store(true, Relaxed);
        (calm, flipped)
    });
    let quartile = |windows: &[Histogram<u64>], quantile| {
        let values = windows
            .iter()
            .map(|times| times.value_at_quantile(quantile) as f64 / 1e3);
        Sample::new(values.collect()).quantile(QUARTILE)
    };
    println!("{name}: {} changes of terms", flips.load(Relaxed));
    println!("{name}: us, quartiles of {WINDOWS} windows: p50     p99    p99.9  p99.99");
    for (what, windows) in [("without changes", &calm), ("with changes", &flipped)] {
        let row = [0.5, 0.99, 0.999, 0.9999]
            .map(|quantile| format!("{:7.2}", quartile(windows, quantile)));
        println!("{name}: {what:22} {}", row.join(" "));
    }
    let undisturbed = quartile(&calm, 0.9999);
    (undisturbed <= NOISE_MAX_US).then(|| quartile(&flipped, 0.9999) - undisturbed)
}

/// Blocks a feature that our calls don't bring, or does not, while it is told to.
fn flip(subject: &Subject, flipping: &AtomicBool, over: &AtomicBool, flips: &AtomicU64) {
    let mut due = Instant::now();
    while !over.load(Relaxed) {
        due += FLIP;
        while Instant::now() < due {
            std::hint::spin_loop();
        }
        if flipping.load(Relaxed) {
            let odd = flips.fetch_add(1, Relaxed) % 2 == 1;
            let blocked = FeatureSet::EMPTY.with(FeatureIndex(6 + u8::from(odd)));
            subject.gate.set_terms(
                SERVICE,
                Terms {
                    ceiling: Some(CEILING),
                    priority_share: CEILING / 20,
                    block: None::<Block>,
                    blocked_features: blocked,
                    ..Terms::default()
                },
            );
        }
    }
}

/// Times of the calls of a window, in nanoseconds from when each was due.
fn window(worker: &mut WorkerGate, subject: &Subject) -> Histogram<u64> {
    let mut times = Histogram::new_with_bounds(1, 10_000_000_000, 3).expect("these are bounds");
    let begun = Instant::now();
    for call in 1..=CALLS {
        let due = EVERY * call;
        while begun.elapsed() < due {
            std::hint::spin_loop();
        }
        match worker.admit(subject.class) {
            Ok(permit) => {
                let took = begun.elapsed().saturating_sub(due);
                times.saturating_record(took.as_nanos() as u64);
                worker.release(permit);
            }
            Err(refusal) => assert_eq!(refusal.reason, licensing::RefusalReason::Unsettled),
        }
    }
    times
}
