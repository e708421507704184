//! `flood-latency`: how long another peer's calls, and a flooding peer's emergency calls, wait while that peer sends ten times
//! what overload control lets it, over what they wait without: the 99th percentile, over real sockets, at a node with one
//! worker.
//!
//! Not among the figures of SPECIFICATION.md: times over sockets of a machine that others load are not stable enough.
#![forbid(unsafe_code)]

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
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

/// Requests a second of one peer.
const RATE: u32 = 1_000;
const FLOOD: u32 = 10 * RATE;
/// Datagrams of the flood are sent so many at a time.
const BURST: u32 = 10;
/// How long each part lasts.
const LASTS: Duration = Duration::from_secs(5);
/// Between two calls of one peer, so that it stays within its rate.
const PAUSE: Duration = Duration::from_millis(4);
const FLOODING: u8 = 2;
const OTHER: u8 = 3;

fn main() -> ExitCode {
    let value = measure().inspect_err(|error| eprintln!("{error:#}"));
    Figure {
        id: "flood-latency",
        value: value.ok(),
        target: 4.0,
        good: Good::AtMost,
    }
    .finish()
}

fn measure() -> Result<f64> {
    let site = Site::new()?;
    let limit = format!("[overload]\npeer_requests_per_s = {RATE}");
    let mut configuration = site.configuration().with(&limit);
    configuration.workers = 1;
    let config = Config::read(&configuration.write()?)?;
    let running = Running::start(config, &Shutdown::new())?;
    let control = Control::new(configuration.control_socket());
    let mut other = Sgsn::new(site.subnet().socket(OTHER)?, configuration.listen)?;
    let mut same = Sgsn::new(site.subnet().socket(FLOODING)?, configuration.listen)?;
    let ip = site.subnet().ip(FLOODING);
    let flooding = UdpSocket::bind((ip, 0))?;

    let quiet = both(&mut other, &mut same, 0)?;
    let done = AtomicBool::new(false);
    let (sent, loud) = thread::scope(|scope| {
        let flood = scope.spawn(|| flood(&flooding, configuration.listen, ip, &done));
        let loud = both(&mut other, &mut same, 1);
        done.store(true, Ordering::Relaxed);
        let sent = flood
            .join()
            .ok()
            .context("the flooding thread panicked")??;
        anyhow::Ok((sent, loud?))
    })?;
    let sessions = control.sessions()?;
    let peers = control.peers(10)?;
    running.end()?;

    println!("{sent} calls of one peer in {LASTS:?}, of which {RATE} a second may pass");
    println!("dropped: {:?}", sessions.dropped);
    println!("sessions: {}, of {} peers", sessions.sessions, peers.total);
    for (what, samples) in [("without", &quiet), ("in the flood", &loud)] {
        for (who, sample) in ["another peer", "an emergency call"].iter().zip(samples) {
            let micros = |part| sample.quantile(part) * 1e6;
            println!(
                "{who} {what}: median {:.0} us, 99 % {:.0} us, longest {:.0} us",
                micros(0.5),
                micros(0.99),
                micros(1.0)
            );
        }
    }
    let ratio = |at: usize| loud[at].quantile(0.99) / quiet[at].quantile(0.99);
    Ok(ratio(0).max(ratio(1)))
}

/// Calls of the other peer and emergency calls of the same one, in turn; how long each waited, in seconds.
fn both(other: &mut Sgsn, same: &mut Sgsn, part: u32) -> Result<[Sample; 2]> {
    let mut waits = [Vec::new(), Vec::new()];
    let end = Instant::now() + LASTS;
    let mut subscriber = 10_000_000 + part * 1_000_000;
    while Instant::now() < end {
        waits[0].push(wait(other, subscriber, "internet")?);
        waits[1].push(wait(same, subscriber + 500_000, "sos")?);
        subscriber += 1;
        thread::park_timeout(PAUSE);
    }
    Ok(waits.map(Sample::new))
}

fn wait(peer: &mut Sgsn, subscriber: u32, apn: &str) -> Result<f64> {
    let begun = Instant::now();
    let answer = peer.create(&Call::new(subscriber, apn))?;
    ensure!(answer.cause()? == cause::ACCEPTED, "{answer:?}");
    Ok(begun.elapsed().as_secs_f64())
}

/// How many calls it sent.
fn flood(socket: &UdpSocket, node: SocketAddr, ip: Ipv4Addr, done: &AtomicBool) -> Result<u32> {
    let begun = Instant::now();
    let mut sent = 0;
    while !done.load(Ordering::Relaxed) {
        let due = f64::from(FLOOD) * begun.elapsed().as_secs_f64();
        if f64::from(sent) + f64::from(BURST) > due {
            thread::park_timeout(Duration::from_micros(500));
            continue;
        }
        for _ in 0..BURST {
            let call = Call::new(sent, "internet").request(sent as u16, ip);
            socket.send_to(&call.bytes(), node)?;
            sent += 1;
        }
    }
    Ok(sent)
}
