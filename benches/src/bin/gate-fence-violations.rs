//! `gate-fence-violations`: two processors each store one word and then read the other's, the owner's with nothing but a
//! fence for the compiler between, whoever seals with the heavy fence. One of them at least must see the other's store. A
//! control, without the heavy fence, must show tries in which neither does: otherwise the machine proves nothing. A round has
//! sixteen such pairs of words and one heavy fence for all, which is how a recall goes over the cells of all workers.
#![forbid(unsafe_code)]

use std::env;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering::*, compiler_fence};
use std::thread;
use std::time::Instant;

use benches::figure::{Figure, Good};
use benches::sandwich::pin;
use node::fence;

/// Pairs of words of a round.
const PAIRS: usize = 16;
const TRIES: u64 = 10_000_000;
const TRIES_OF_CONTROL: u64 = 1_000_000;

#[derive(Default)]
#[repr(align(128))]
struct Line(AtomicU64);

/// What both threads share. Each round has a number of its own, so that nothing has to be cleared between them.
#[derive(Default)]
struct Litmus {
    owners: [Line; PAIRS],
    sealers: [Line; PAIRS],
    /// Rounds that the owner has finished, and what it saw in the last one.
    done: Line,
    saw: [Line; PAIRS],
    /// The round under way.
    round: Line,
}

fn main() -> ExitCode {
    let tries = env::args().nth(1).and_then(|text| text.parse().ok());
    let value = match fence::asymmetric() {
        Ok(_) => {
            let control = violations(TRIES_OF_CONTROL, || true);
            println!(
                "control: {control} of {TRIES_OF_CONTROL} tries in which neither saw the other"
            );
            let begun = Instant::now();
            let tries = tries.unwrap_or(TRIES);
            let found = violations(tries, fence::heavy_fence);
            let took = begun.elapsed().as_secs_f64();
            println!(
                "with the heavy fence: {found} of {tries}, {PAIRS} to a fence, in {took:.1} s"
            );
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

/// Tries, so many, in which neither saw the other.
fn violations(tries: u64, heavy_fence: fn() -> bool) -> u64 {
    let rounds = tries.div_ceil(PAIRS as u64);
    let litmus = Litmus::default();
    thread::scope(|scope| {
        scope.spawn(|| {
            pin(0);
            for round in 1..=rounds {
                wait_for(&litmus.round.0, round);
                for ((own, sealers), saw) in
                    litmus.owners.iter().zip(&litmus.sealers).zip(&litmus.saw)
                {
                    own.0.store(round, Relaxed);
                    compiler_fence(SeqCst);
                    let seen = sealers.0.load(Relaxed);
                    saw.0.store(seen, Relaxed);
                }
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
            for sealers in &litmus.sealers {
                sealers.0.store(round, Relaxed);
            }
            compiler_fence(SeqCst);
            assert!(heavy_fence(), "the system had this fence a moment ago");
            let seen: [u64; PAIRS] =
                std::array::from_fn(|pair| litmus.owners[pair].0.load(Relaxed));
            wait_for(&litmus.done.0, round);
            for (seen, saw) in seen.iter().zip(&litmus.saw) {
                let neither = *seen != round && saw.0.load(Relaxed) != round;
                found += u64::from(neither);
            }
        }
        found
    })
}

fn wait_for(word: &AtomicU64, value: u64) {
    while word.load(Acquire) != value {
        std::hint::spin_loop();
    }
}
