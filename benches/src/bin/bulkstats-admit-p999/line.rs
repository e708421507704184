//! A worker under a constant load of calls, as the node's: one job at a time, then what time has made due.

use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use benches::clock::Clock;
use benches::sampler::TAGS;
use enforcer::{Gate, RefusalRing};
use licensing::ServiceIndex;
use session_plane::config::{Apn, Pool, PoolRange};
use session_plane::{Output, Path, PlaneConfig, Seat, SessionPlane, Shared, Statistics};
use tests::sgsn::{Call, Message, Received, cause, ie, kind};

use crate::{PEERS, SESSIONS_A_PEER};

/// From one new call to the next; each is answered, and ends the oldest.
const CALL_EVERY: Duration = Duration::from_micros(100);
const FIRST_PEER: Ipv4Addr = Ipv4Addr::new(172, 16, 0, 1);
const NSAPI: u8 = 5;

/// What a worker is told beside datagrams.
pub(crate) enum Job {
    /// Say how it is.
    Statistics(Sender<Statistics>),
}

/// The worker, and the calls that it has.
pub(crate) struct Line {
    plane: SessionPlane,
    local: SocketAddr,
    jobs: Receiver<Job>,
    clock: Clock,
    answer: Vec<u8>,
    /// Our tunnel endpoints and their peers, the oldest first.
    calls: VecDeque<(u32, SocketAddr)>,
    /// Calls made so far.
    made: u32,
}

impl Line {
    /// A worker with [`PEERS`] peers and their sessions.
    pub(crate) fn new(gate: &Arc<Gate>, jobs: Receiver<Job>) -> Result<Self> {
        let local = SocketAddr::from(([192, 0, 2, 1], 2123));
        let config = Arc::new(config(local));
        let ring = Arc::new(RefusalRing::new(16));
        let shared = Shared::new(&config, gate, ring, [1, 2])?;
        let seat = Seat {
            worker: 0,
            workers: 1,
        };
        let mut clock = Clock::new();
        let now = clock.now();
        let plane = SessionPlane::new(config, shared, gate.worker()?, seat, [7; 32], now)?;
        let mut line = Self {
            plane,
            local,
            jobs,
            clock,
            answer: Vec::new(),
            calls: VecDeque::new(),
            made: 0,
        };
        for _ in 0..PEERS * SESSIONS_A_PEER {
            let (octets, peer) = line.next_call();
            line.create(&octets, peer)?;
        }
        Ok(line)
    }

    /// How long each of so many new calls waited for its answer, in nanoseconds, from when it was due, whatever the worker
    /// did then.
    pub(crate) fn window(&mut self, calls: u32) -> Result<Vec<u64>> {
        let begun = self.clock.at();
        let mut waits = Vec::new();
        for n in 0..calls {
            let due = begun + CALL_EVERY * n;
            let (octets, peer) = self.next_call();
            while self.clock.at() < due {
                self.step();
            }
            let answered = self.create(&octets, peer)?;
            let wait = answered.saturating_sub(due).as_nanos();
            waits.push(u64::try_from(wait)?);
            self.end_oldest()?;
        }
        Ok(waits)
    }

    /// Goes on without calls until this has happened.
    pub(crate) fn idle_until(&mut self, mut happened: impl FnMut() -> bool) {
        while !happened() {
            self.step();
        }
    }

    fn step(&mut self) {
        if let Ok(Job::Statistics(reply)) = self.jobs.try_recv() {
            // Whoever asked may have given up.
            let _gone = reply.send(self.plane.statistics());
        }
        self.timers();
    }

    fn timers(&mut self) {
        let now = self.clock.now();
        if self.plane.poll_timeout().is_some_and(|at| at <= now.mono) {
            self.plane.handle_timeout(now);
            while self.plane.poll_output().is_some() {}
        }
    }

    fn next_call(&mut self) -> (Vec<u8>, SocketAddr) {
        let number = self.made;
        self.made += 1;
        let peer = Ipv4Addr::from(u32::from(FIRST_PEER) + number % PEERS);
        let call = Call {
            recovery: Some(1),
            ..Call::new(number, &apn(number % u32::from(TAGS)))
        };
        let octets = call.request(sequence(number), peer).bytes();
        (octets, (peer, 2123).into())
    }

    /// When it was answered.
    fn create(&mut self, octets: &[u8], peer: SocketAddr) -> Result<Duration> {
        self.take(octets, peer);
        let answered = self.clock.at();
        let answer = Received::read(&self.answer)?;
        ensure!(answer.cause()? == cause::ACCEPTED, "{answer:?}");
        let teid = answer.teid_of(ie::TEID_CONTROL)?;
        self.calls.push_back((teid, peer));
        self.timers();
        Ok(answered)
    }

    fn end_oldest(&mut self) -> Result<()> {
        let (teid, peer) = self.calls.pop_front().context("there are calls")?;
        // No call of this peer that is on its way has the same number.
        let message = Message::new(kind::DELETE_REQUEST, teid, !sequence(self.made));
        let octets = message.tv(ie::TEARDOWN, &[0xff]).tv(ie::NSAPI, &[NSAPI]);
        self.take(&octets.bytes(), peer);
        let answer = Received::read(&self.answer)?;
        ensure!(answer.cause()? == cause::ACCEPTED, "{answer:?}");
        self.timers();
        Ok(())
    }

    /// Has a datagram handled and the answer sent, as far as its octets go.
    fn take(&mut self, octets: &[u8], peer: SocketAddr) {
        let path = Path {
            local: self.local,
            peer,
        };
        self.answer.clear();
        self.plane.handle_datagram(octets, path, self.clock.now());
        while let Some(output) = self.plane.poll_output() {
            match output {
                Output::Send { bytes, .. } => {
                    self.answer.clear();
                    self.answer.extend_from_slice(bytes);
                }
                Output::Cleared(_) | Output::Recounted(_) | Output::Restless(_) => {}
            }
        }
    }
}

/// An access point name a service.
fn config(local: SocketAddr) -> PlaneConfig {
    let mut config = PlaneConfig::new(local, local.ip(), 1);
    config.pools = vec![Pool {
        name: "all".into(),
        range: PoolRange::Ipv4 {
            first: [10, 0, 0, 1].into(),
            last: [10, 15, 255, 254].into(),
        },
    }];
    let apns = (0..TAGS).map(|service| Apn {
        ipv4_pools: vec![0],
        ..Apn::new(apn(service.into()), ServiceIndex(service))
    });
    config.apns = apns.collect();
    // None of the peers would answer.
    config.echo.interval = None;
    // Answers are kept for so long as has passed before the first window ends.
    (config.t3_response, config.n3_requests) = (Duration::from_millis(250), 2);
    config
}

fn apn(number: u32) -> String {
    format!("apn{number}.example")
}

fn sequence(number: u32) -> u16 {
    (number / PEERS) as u16 & 0x7FFF
}
