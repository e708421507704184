//! `mass-deletion`: how long another peer's new calls wait while the 500,000 sessions of a peer that has restarted are ended,
//! over what they wait without: the 99th percentile, over real sockets, at a node with one worker.
//!
//! Not among the figures of SPECIFICATION.md: times over sockets of a machine that others load are not stable enough.
#![forbid(unsafe_code)]

use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use benches::figure::{Figure, Good};
use benches::sandwich::Sample;
use node::{Config, Running, Shutdown};
use tests::control::Control;
use tests::gateway::Site;
use tests::sgsn::{Call, Sgsn, cause};

const SESSIONS: u32 = 500_000;
/// Requests without an answer yet while sessions are made.
const WINDOW: u32 = 64;
/// For how long calls are made before the restart.
const QUIET: Duration = Duration::from_secs(2);
/// Calls that a sample needs at least.
const SAMPLE: usize = 200;
/// Between two looks at the count of sessions.
const LOOK: Duration = Duration::from_millis(20);

fn main() -> ExitCode {
    let value = measure().inspect_err(|error| eprintln!("{error:#}"));
    Figure {
        id: "mass-deletion",
        value: value.ok(),
        target: 4.0,
        good: Good::AtMost,
    }
    .finish()
}

fn measure() -> Result<f64> {
    let site = Site::new()?;
    let mut configuration = site.configuration();
    configuration.workers = 1;
    configuration.apns = configuration.apns.replace("10.0.0.0/14", "10.0.0.0/8");
    let config = Config::read(&configuration.write()?)?;
    let running = Running::start(config, &Shutdown::new())?;
    let control = Control::new(configuration.control_socket());
    let mut lost = Sgsn::new(site.subnet().socket(2)?, configuration.listen)?;
    let mut other = Sgsn::new(site.subnet().socket(3)?, configuration.listen)?;

    fill(&mut lost)?;
    let mut subscriber = SESSIONS + 1;
    let end = Instant::now() + QUIET;
    let quiet = calls_while(&mut other, &mut subscriber, &control, |_| {
        Instant::now() < end
    })?;
    let (before, began) = (ended(&control)?, Instant::now());
    accepted(&mut lost, SESSIONS, 2)?;
    let some_left = |ended| ended - before < u64::from(SESSIONS);
    let deleting = calls_while(&mut other, &mut subscriber, &control, some_left)?;
    let took = began.elapsed();
    running.end()?;

    println!("{SESSIONS} sessions ended in {took:.2?}");
    for (what, sample) in [("without", &quiet), ("during", &deleting)] {
        let micros = |part| sample.quantile(part) * 1e6;
        println!(
            "a call of another peer {what}: median {:.0} us, 99 % {:.0} us, longest {:.0} us",
            micros(0.5),
            micros(0.99),
            micros(1.0)
        );
    }
    Ok(deleting.quantile(0.99) / quiet.quantile(0.99))
}

/// The sessions of the peer that will restart.
fn fill(peer: &mut Sgsn) -> Result<()> {
    for subscriber in 0..SESSIONS + WINDOW {
        if subscriber >= WINDOW {
            let answer = peer.receive()?;
            ensure!(answer.cause()? == cause::ACCEPTED, "{answer:?}");
        }
        if subscriber < SESSIONS {
            let (seq, address) = (peer.seq(), peer.ip()?);
            peer.send(&call(subscriber, 1).request(seq, address).bytes())?;
        }
    }
    Ok(())
}

fn call(subscriber: u32, recovery: u8) -> Call {
    Call {
        recovery: Some(recovery),
        ..Call::new(subscriber, "internet")
    }
}

fn accepted(peer: &mut Sgsn, subscriber: u32, recovery: u8) -> Result<()> {
    let answer = peer.create(&call(subscriber, recovery))?;
    ensure!(answer.cause()? == cause::ACCEPTED, "{answer:?}");
    Ok(())
}

/// How long each call waited, in seconds, one after the other as long as `more` says so of the sessions that have ended.
fn calls_while(
    peer: &mut Sgsn,
    subscriber: &mut u32,
    control: &Control,
    more: impl Fn(u64) -> bool + Send,
) -> Result<Sample> {
    let done = AtomicBool::new(false);
    let mut waits = Vec::new();
    thread::scope(|scope| {
        let looks = scope.spawn(|| {
            let result = look_while(control, more);
            done.store(true, Ordering::Relaxed);
            result
        });
        while !done.load(Ordering::Relaxed) || waits.len() < SAMPLE {
            let sent = Instant::now();
            accepted(peer, *subscriber, 1)?;
            waits.push(sent.elapsed().as_secs_f64());
            *subscriber += 1;
        }
        looks.join().ok().context("the looking thread panicked")?
    })?;
    Ok(Sample::new(waits))
}

fn look_while(control: &Control, more: impl Fn(u64) -> bool) -> Result<()> {
    while more(ended(control)?) {
        thread::park_timeout(LOOK);
    }
    Ok(())
}

/// Sessions that have ended.
fn ended(control: &Control) -> Result<u64> {
    let rows = control.sessions()?.ended.into_iter();
    Ok(rows.map(|row| row.sessions).sum())
}
