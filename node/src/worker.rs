//! A worker's thread: owns one session plane, feeds it datagrams and time, sends what it answers.

use std::collections::VecDeque;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam::channel::{Receiver, RecvTimeoutError, Sender, TryRecvError, TrySendError};
use licensing::Now;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use session_plane::{Clear, Output, Path, SessionPlane};
use tokio::sync::oneshot;

use crate::clock::Clock;
use crate::control::Ask;
use crate::datagrams::{BATCH_DATAGRAMS, Incoming, Outgoing, Wait};
use crate::metrics::{Latencies, Procedure};
use crate::queue::Bell;
use crate::receiver::{Batch, DATAGRAM_BYTES, DRAIN, HandOn, Job, Spares, rest_after};
use crate::vitals::{EndOf, Vitals};

/// Longest wait of an idle worker.
const IDLE: Duration = Duration::from_secs(1);

pub(crate) struct Worker {
    pub(crate) number: u16,
    pub(crate) local: SocketAddr,
    pub(crate) plane: SessionPlane,
    pub(crate) socket: Arc<UdpSocket>,
    pub(crate) outgoing: Outgoing,
    pub(crate) jobs: Receiver<Job>,
    pub(crate) spares: Spares,
    pub(crate) control: Sender<Ask>,
    /// Who waits for the counts of the plane's clears, in their order.
    pub(crate) clears: VecDeque<oneshot::Sender<Option<u64>>>,
    pub(crate) clock: Arc<Clock>,
    pub(crate) vitals: Arc<Vitals>,
    pub(crate) latencies: Arc<Latencies>,
    /// Which place of a batch is measured next.
    pub(crate) measured: usize,
}

impl Worker {
    /// Works until it is told to stop, all that waited before that included.
    pub(crate) fn run(mut self) {
        let vitals = Arc::clone(&self.vitals);
        let _end = EndOf::worker(&vitals, self.number);
        let mut now = self.clock.now();
        loop {
            let job = self.jobs.recv_timeout(self.wait(now));
            now = self.clock.now();
            match job {
                Ok(Job::Receive(bell, hand_on)) => match self.receive(&bell, hand_on) {
                    true => {}
                    false => return,
                },
                Ok(Job::Stop) | Err(RecvTimeoutError::Disconnected) => return,
                Ok(job) => self.take(job, now),
                Err(RecvTimeoutError::Timeout) => {}
            }
            self.timers(now);
        }
    }

    /// The same for a worker that reads its socket itself: between two batches of datagrams it takes one job. True: it reads
    /// no more, and jobs follow.
    fn receive(&mut self, bell: &Bell, mut hand_on: HandOn) -> bool {
        let mut incoming = Incoming::new(DATAGRAM_BYTES);
        let mut wait = Duration::ZERO;
        let drained = loop {
            self.await_either(bell, wait);
            let read = self.read(&mut incoming, &mut hand_on);
            let now = self.clock.now();
            let job = match self.jobs.try_recv() {
                Ok(Job::Drain(drained)) => break Some(drained),
                Ok(Job::Stop) | Err(TryRecvError::Disconnected) => break None,
                Ok(job) => Some(job),
                Err(TryRecvError::Empty) => None,
            };
            let more = read == BATCH_DATAGRAMS || job.is_some();
            if let Some(job) = job {
                self.take(job, now);
            }
            self.timers(now);
            wait = if more { Duration::ZERO } else { self.wait(now) };
        };
        let begun = Instant::now();
        while begun.elapsed() < DRAIN && self.read(&mut incoming, &mut hand_on) > 0 {}
        let Some(drained) = drained else {
            return false;
        };
        // Whoever asked may have given up.
        let _told = drained.send(());
        true
    }

    /// Until a datagram is there, or a job.
    fn await_either(&self, bell: &Bell, wait: Duration) {
        if wait.is_zero() {
            return;
        }
        let mut either = [
            PollFd::new(&self.socket, PollFlags::IN),
            PollFd::new(bell, PollFlags::IN),
        ];
        let wait = Timespec {
            tv_sec: wait.as_secs().cast_signed(),
            tv_nsec: wait.subsec_nanos().into(),
        };
        // What interrupts it is waited for again.
        let _ready = poll(&mut either, Some(&wait));
        if !either[1].revents().is_empty() {
            bell.silence();
        }
    }

    /// Processes what has arrived, at most a batch, and hands on what is another's; returns how many datagrams it read.
    fn read(&mut self, incoming: &mut Incoming, hand_on: &mut HandOn) -> usize {
        let read = incoming.receive(&self.socket, Wait::No, |peer, datagram| {
            hand_on.place(peer, datagram);
        });
        let now = self.clock.now();
        let own = hand_on.own(self.number);
        if own.len() > 0 {
            own.received = now.mono;
            self.process(own, now);
            own.clear();
        }
        hand_on.send(now.mono);
        read.unwrap_or_else(|error| {
            rest_after(error);
            0
        })
    }

    fn take(&mut self, job: Job, now: Now) {
        match job {
            Job::Batch(batch) => {
                self.process(&batch, now);
                self.spares.put(batch);
            }
            // Whoever asked may have given up.
            Job::Statistics(reply) => drop(reply.send(self.plane.statistics())),
            Job::Peers(reply) => drop(reply.send(self.plane.peers())),
            Job::Subscriber(imsi, reply) => {
                drop(reply.send(self.plane.subscriber(imsi, now.mono)));
            }
            Job::Clear(clear, reply) => self.clear(&clear, reply, now),
            // Whoever runs it sees to these.
            Job::Receive(..) | Job::Drain(_) | Job::Stop => {}
        }
    }

    fn timers(&mut self, now: Now) {
        if self.plane.poll_timeout().is_some_and(|at| at <= now.mono) {
            self.plane.handle_timeout(now);
            self.perform();
            self.send();
        }
    }

    fn wait(&self, now: Now) -> Duration {
        let next = self.plane.poll_timeout();
        next.map_or(IDLE, |at| at.since(now.mono)).min(IDLE)
    }

    fn clear(&mut self, clear: &Clear, reply: oneshot::Sender<Option<u64>>, now: Now) {
        match self.plane.clear(clear, now) {
            true => self.clears.push_back(reply),
            // Whoever asked may have given up.
            false => drop(reply.send(None)),
        }
    }

    /// Answers are sent when all of the batch are there.
    fn process(&mut self, batch: &Batch, now: Now) {
        self.measured = self.measured.wrapping_add(1);
        let measured = self.measured % batch.len().max(1);
        let mut times = None;
        for (place, (peer, datagram)) in batch.datagrams().enumerate() {
            let path = Path {
                local: self.local,
                peer,
            };
            let begun = (place == measured).then(|| self.clock.mono());
            self.plane.handle_datagram(datagram, path, now);
            self.perform();
            if let Some(begun) = begun {
                times = Some((Procedure::of(datagram), begun, self.clock.mono()));
            }
        }
        self.send();
        if let Some((procedure, begun, ended)) = times {
            let times = [batch.received, begun, ended, self.clock.mono()];
            self.latencies.message(self.number, procedure, times);
        }
    }

    /// Sends what waits for it.
    fn send(&mut self) {
        let vitals = &self.vitals;
        self.outgoing.send(&self.socket, |peer, error| {
            vitals.count_send_failure();
            tracing::debug!(%peer, %error, "an answer was not sent");
        });
    }

    /// Does all that the plane wants done; answers wait until they are sent together.
    fn perform(&mut self) {
        while let Some(output) = self.plane.poll_output() {
            match output {
                Output::Send { path, bytes } => {
                    self.outgoing.push(path.peer, bytes);
                    if self.outgoing.is_full() {
                        self.send();
                    }
                }
                Output::Cleared(sessions) => {
                    if let Some(reply) = self.clears.pop_front() {
                        // Whoever asked may have given up.
                        let _gone = reply.send(Some(sessions));
                    }
                }
                Output::Restless(peer) => event!(PEER_RESTLESS, %peer),
                Output::Recounted(recount) => {
                    match self.control.try_send(Ask::Recounted(recount)) {
                        // A recount that finds no room is made again before long.
                        Ok(()) | Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {}
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use crossbeam::channel::bounded;
    use enforcer::{Gate, GateConfig, RefusalRing};
    use gtp::v1::{EndUserAddress, Imsi, MessageType, Nsapi, PdpType, SelectionMode, Writer};
    use licensing::ServiceIndex;
    use session_plane::config::{Apn, Pool, PoolRange};
    use session_plane::statistics::Ended;
    use session_plane::{PlaneConfig, Seat, Shared};
    use tokio::sync::oneshot;

    use super::*;
    use crate::queue::Queue;

    const SESSIONS: u32 = 30_000;
    /// Sessions that a step ends, and that a new call ends before it is looked at.
    const STEP: u64 = 256;
    const CALL: u64 = 4;

    fn create(subscriber: u32, sgsn: IpAddr, counter: u8) -> Vec<u8> {
        let mut octets = Vec::new();
        let kind = MessageType::CREATE_PDP_CONTEXT_REQUEST;
        let mut writer = Writer::new(&mut octets, kind, 0, subscriber as u16);
        let imsi = Imsi::from_number(240_010_000_000_000 + u64::from(subscriber), 15);
        writer
            .imsi(imsi.unwrap())
            .recovery(counter)
            .selection_mode(SelectionMode::parse(&[0xFC]).unwrap())
            .teid_data(subscriber + 1)
            .teid_control(subscriber + 1)
            .nsapi(Nsapi::new(5).unwrap())
            .end_user_address(&EndUserAddress::dynamic(PdpType::Ipv4))
            .apn("internet")
            .gsn_address(sgsn)
            .gsn_address(sgsn)
            .qos_profile(&[2, 0x0B, 0x92, 0x1F]);
        writer.finish().unwrap().to_vec()
    }

    fn plane(local: SocketAddr, now: Now) -> SessionPlane {
        plane_and_shared(local, now).0
    }

    fn plane_and_shared(local: SocketAddr, now: Now) -> (SessionPlane, Arc<Shared>) {
        let mut config = PlaneConfig::new(local, local.ip(), 1);
        config.pools = vec![Pool {
            name: "internet".into(),
            range: PoolRange::Ipv4 {
                first: [10, 0, 0, 1].into(),
                last: [10, 0, 255, 254].into(),
            },
        }];
        config.apns = vec![Apn {
            ipv4_pools: vec![0],
            ..Apn::new("internet", ServiceIndex(2))
        }];
        let gate = Gate::new(GateConfig::new(7, 1)).unwrap();
        let ring = Arc::new(RefusalRing::new(1));
        let shared = Shared::new(&config, &gate, ring, [1, 2]).unwrap();
        let seat = Seat {
            worker: 0,
            workers: 1,
        };
        let gate = gate.worker().unwrap();
        let of_plane = Arc::clone(&shared);
        let plane = SessionPlane::new(Arc::new(config), of_plane, gate, seat, [7; 32], now);
        (plane.unwrap(), shared)
    }

    fn worker(
        socket: Arc<UdpSocket>,
        plane: SessionPlane,
        clock: Arc<Clock>,
        jobs: Receiver<Job>,
    ) -> Worker {
        let (control, _asked) = bounded(1_000);
        Worker {
            number: 0,
            local: socket.local_addr().unwrap(),
            plane,
            socket,
            outgoing: Outgoing::default(),
            jobs,
            spares: Spares::new(),
            control,
            clears: VecDeque::new(),
            clock,
            vitals: Arc::new(Vitals::new(1, licensing::Mono(0))),
            latencies: Arc::new(Latencies::new(1)),
            measured: 0,
        }
    }

    #[test]
    fn an_answer_that_can_not_be_sent_is_counted_and_keeps_no_other_back() {
        let socket = Arc::new(UdpSocket::bind("127.0.61.13:0").unwrap());
        let other = UdpSocket::bind("127.0.61.14:0").unwrap();
        other
            .set_read_timeout(Some(Duration::from_secs(120)))
            .unwrap();
        let (local, from) = (socket.local_addr().unwrap(), other.local_addr().unwrap());
        let nowhere = SocketAddr::new(from.ip(), 0);
        let clock = Arc::new(Clock::start(1));
        let plane = plane(local, clock.now());
        // Of two batches, each longer than what one call of the system sends.
        let (queue, jobs) = bounded(3);
        for batch in 0..2 {
            let mut octets = Batch::default();
            for n in 0..100 {
                let peer = if n % 50 == 7 { nowhere } else { from };
                octets.push(peer, &create(batch * 100 + n, from.ip(), 1));
            }
            queue.send(Job::Batch(octets)).unwrap();
        }
        queue.send(Job::Stop).unwrap();
        let worker = worker(socket, plane, clock, jobs);
        let vitals = Arc::clone(&worker.vitals);
        worker.run();
        assert_eq!(vitals.send_failures(), 4);
        for sequence in (0..200_u16).filter(|n| n % 50 != 7) {
            let mut octets = [0; 2048];
            other.recv(&mut octets).unwrap();
            assert_eq!(octets[1], MessageType::CREATE_PDP_CONTEXT_RESPONSE.0);
            assert_eq!(octets[8..10], sequence.to_be_bytes());
        }
    }

    #[test]
    fn a_worker_that_reads_for_itself_takes_jobs_between_batches_and_ends_when_all_is_answered() {
        let socket = Arc::new(UdpSocket::bind("127.0.61.15:0").unwrap());
        let other = UdpSocket::bind("127.0.61.16:0").unwrap();
        other
            .set_read_timeout(Some(Duration::from_secs(120)))
            .unwrap();
        let (local, from) = (socket.local_addr().unwrap(), other.local_addr().unwrap());
        let clock = Arc::new(Clock::start(1));
        let (plane, shared) = plane_and_shared(local, clock.now());
        for n in 0..150 {
            let request = create(n, from.ip(), 1);
            other.send_to(&request, local).unwrap();
        }
        let (queue, jobs) = Queue::new().unwrap();
        let vitals = Arc::new(Vitals::new(1, licensing::Mono(0)));
        let hand_on = HandOn::new(vec![queue.clone()], Spares::new(), vitals, shared);
        let bell = queue.bell().unwrap();
        queue.try_send(Job::Receive(bell, hand_on)).unwrap();
        let (reply, answer) = oneshot::channel();
        queue.try_send(Job::Statistics(reply)).unwrap();
        queue.try_send(Job::Stop).unwrap();
        worker(socket, plane, clock, jobs).run();
        let statistics = answer.blocking_recv().unwrap();
        assert_eq!(statistics.sessions_created, BATCH_DATAGRAMS as u64);
        for sequence in 0..150_u16 {
            let mut octets = [0; 2048];
            other.recv(&mut octets).unwrap();
            assert_eq!(octets[1], MessageType::CREATE_PDP_CONTEXT_RESPONSE.0);
            assert_eq!(octets[8..10], sequence.to_be_bytes());
        }
    }

    #[test]
    fn a_worker_that_waits_for_datagrams_hears_of_a_job() {
        let socket = Arc::new(UdpSocket::bind("127.0.61.17:0").unwrap());
        let other = UdpSocket::bind("127.0.61.18:0").unwrap();
        let clock = Arc::new(Clock::start(1));
        let local = socket.local_addr().unwrap();
        let plane = plane(local, clock.now());
        let (queue, jobs) = Queue::new().unwrap();
        let worker = worker(socket, plane, clock, jobs);
        let (begun, long) = (Instant::now(), Duration::from_secs(600));
        queue.try_send(Job::Stop).unwrap();
        worker.await_either(&queue.bell().unwrap(), long);
        other.send_to(&[1], local).unwrap();
        worker.await_either(&queue.bell().unwrap(), long);
        assert!(begun.elapsed() < long);
    }

    /// Jobs that wait are done one by one, each with one step of what time has made due.
    #[test]
    fn calls_that_wait_are_answered_between_the_steps_of_a_mass_deletion() {
        let socket = Arc::new(UdpSocket::bind("127.0.61.4:0").unwrap());
        let other = UdpSocket::bind("127.0.61.5:0").unwrap();
        other
            .set_read_timeout(Some(Duration::from_secs(120)))
            .unwrap();
        let (local, from) = (socket.local_addr().unwrap(), other.local_addr().unwrap());
        let lost: IpAddr = [127, 0, 61, 6].into();
        let clock = Arc::new(Clock::start(1));
        let mut plane = plane(local, clock.now());
        let path = Path {
            local,
            peer: (lost, 2123).into(),
        };
        for subscriber in 0..SESSIONS {
            plane.handle_datagram(&create(subscriber, lost, 1), path, clock.now());
            while plane.poll_output().is_some() {}
        }
        let (queue, jobs) = bounded(1_000);
        let mut told = Vec::new();
        for n in 0..40 {
            let mut batch = Batch::default();
            if n == 0 {
                batch.push(from, &create(SESSIONS, lost, 2));
            } else {
                batch.push(from, &create(SESSIONS + n, from.ip(), 1));
            }
            queue.send(Job::Batch(batch)).unwrap();
            let (reply, answer) = oneshot::channel();
            queue.send(Job::Statistics(reply)).unwrap();
            told.push(answer);
        }
        queue.send(Job::Stop).unwrap();
        worker(socket, plane, clock, jobs).run();
        for (n, answer) in (1..).zip(told) {
            let statistics = answer.blocking_recv().unwrap();
            let ended = statistics.sessions_ended[&Ended::PeerLost];
            assert_eq!(ended, n * (CALL + STEP) + (n - 1) * STEP);
            assert_eq!(statistics.sessions_created, u64::from(SESSIONS) + n);
            let mut octets = [0; 2048];
            let length = other.recv(&mut octets).unwrap();
            assert_eq!(octets[1], MessageType::CREATE_PDP_CONTEXT_RESPONSE.0);
            // Cause: request accepted.
            assert_eq!(octets[12..14], [1, 128], "{:?}", &octets[..length]);
        }
    }
}
