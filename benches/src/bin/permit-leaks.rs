//! `permit-leaks`: permits that are not back after a million random procedure steps, with peers that restart, on as many
//! nodes as there are threads here, each beside a plain model. `TOLLGATE_SEED` repeats a run.
#![forbid(unsafe_code)]

use std::process::ExitCode;
use std::thread;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, anyhow};
use benches::figure::{Figure, Good};
use tests::leaks::{self, Done};

const STEPS: u64 = 1_000_000;
/// Nodes, each on a thread of its own, with so many workers.
const NODES: u64 = 2;
const WORKERS: [u16; NODES as usize] = [3, 4];

fn seed() -> Result<u64> {
    match std::env::var("TOLLGATE_SEED") {
        Ok(text) => text.parse().context("TOLLGATE_SEED is a number"),
        Err(_) => Ok(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs()),
    }
}

fn main() -> Result<ExitCode> {
    let (seed, begun) = (seed()?, Instant::now());
    println!("TOLLGATE_SEED={seed}");
    let nodes = (0..NODES).zip(WORKERS).map(|(node, workers)| {
        thread::spawn(move || leaks::run(seed.wrapping_add(node), workers, STEPS / NODES))
    });
    let nodes: Vec<_> = nodes.collect();
    let mut leaked = 0;
    for node in nodes {
        let done: Done = node.join().map_err(|_| anyhow!("a node's thread died"))??;
        println!("{done:?}");
        leaked += done.leaked;
    }
    println!("{STEPS} steps in {:.1} s", begun.elapsed().as_secs_f64());
    Ok(Figure {
        id: "permit-leaks",
        value: Some(leaked as f64),
        target: 0.0,
        good: Good::AtMost,
    }
    .finish())
}
