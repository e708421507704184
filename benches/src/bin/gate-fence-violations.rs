//! `gate-fence-violations`: two processors each store one word and then read the other's, the owner's with nothing but a
//! fence for the compiler between, whoever seals with the heavy fence. One of them at least must see the other's store. A
//! control, without the heavy fence, must show rounds in which neither does: otherwise the machine proves nothing.
#![forbid(unsafe_code)]

use std::env;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering::*, compiler_fence};
use std::thread;
use std::time::Instant;

use benches::figure::{Figure, Good};
use benches::sandwich::pin;
use node::fence;

const ROUNDS: u64 = 10_000_000;
const ROUNDS_OF_CONTROL: u64 = 1_000_000;

#[derive(Default)]
#[repr(align(128))]
struct Line(AtomicU64);

/// What both threads share. Each round has a number of its own, so that nothing has to be cleared between them.
#[derive(Default)]
struct Litmus {
    owners: Line,
    sealers: Line,
    /// Rounds that the owner has finished, and what it saw in the last one.
    done: Line,
    saw: Line,
    /// The round under way.
    round: Line,
}

fn main() -> ExitCode {
    let rounds = env::args().nth(1).and_then(|text| text.parse().ok());
    let value = match fence::asymmetric() {
        Ok(_) => {
            let control = violations(ROUNDS_OF_CONTROL, || true);
            println!(
                "control: {control} of {ROUNDS_OF_CONTROL} rounds in which neither saw the other"
            );
            let begun = Instant::now();
            let rounds = rounds.unwrap_or(ROUNDS);
            let found = violations(rounds, fence::heavy_fence);
            let took = begun.elapsed().as_secs_f64();
            println!("with the heavy fence: {found} of {rounds}, in {took:.1} s");
            (control > 0).then_some(found as f64)
        }
        Err(why) => {
            println!("no asymmetric form here: {why}");
            None
        }
    };
    Figure {
        id: "gate-fence-violations",
        value,
        target: 0.0,
        good: Good::AtMost,
    }
    .finish()
}

/// Rounds in which neither saw the other.
fn violations(rounds: u64, heavy_fence: fn() -> bool) -> u64 {
    let litmus = Litmus::default();
    thread::scope(|scope| {
        scope.spawn(|| {
            pin(0);
            for round in 1..=rounds {
                wait_for(&litmus.round.0, round);
                litmus.owners.0.store(round, Relaxed);
                compiler_fence(SeqCst);
                let seen = litmus.sealers.0.load(Relaxed);
                litmus.saw.0.store(seen, Relaxed);
                litmus.done.0.store(round, Release);
            }
        });
        pin(1);
        let mut found = 0;
        for round in 1..=rounds {
            litmus.round.0.store(round, Release);
            // The other processor sees the round a little later: by steps, either may be first.
            for _ in 0..round % 64 {
                std::hint::spin_loop();
            }
            litmus.sealers.0.store(round, Relaxed);
            compiler_fence(SeqCst);
            assert!(heavy_fence(), "the system had this fence a moment ago");
            let seen = litmus.owners.0.load(Relaxed);
            wait_for(&litmus.done.0, round);
            let neither = seen != round && litmus.saw.0.load(Relaxed) != round;
            found += u64::from(neither);
        }
        found
    })
}

fn wait_for(word: &AtomicU64, value: u64) {
    while word.load(Acquire) != value {
        std::hint::spin_loop();
    }
}
