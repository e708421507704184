//! Who reads datagrams, in batches, and hands each to the worker that owns its session: the receiver, or the workers.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam::channel::{Sender, TrySendError, bounded};
use crossbeam::queue::ArrayQueue;
use gtp::v1::{Imsi, MAX_MESSAGE_BYTES};
use licensing::Mono;
use session_plane::{Clear, PeerStatus, Shared, Statistics, Subscriber};
use tokio::sync::oneshot;

use crate::clock::Clock;
use crate::datagrams::{Incoming, Wait};
use crate::error::NodeError;
use crate::queue::{Bell, Queue};
use crate::threads::Thread;
use crate::vitals::Vitals;

/// Most batches that wait for one worker, of at most [`crate::datagrams::BATCH_DATAGRAMS`] each.
pub(crate) const QUEUE_BATCHES: usize = 1024;
/// Batches beyond which only urgent datagrams are handed on: deletions, answers to our own requests, emergency calls. The rest
/// of the queue is theirs.
const ORDINARY_BATCHES: usize = QUEUE_BATCHES / 4 * 3;
/// Batches kept for use again.
const SPARE_BATCHES: usize = 256;
/// Memory of a batch that is kept for use again, at most, in bytes.
const SPARE_BATCH_BYTES: usize = 64 * 1024;
/// What is read of a datagram, in bytes: one more than a message may have, which shows that it is none.
pub(crate) const DATAGRAM_BYTES: usize = MAX_MESSAGE_BYTES + 1;
/// Longest that a shutdown goes on reading what already arrived.
pub(crate) const DRAIN: Duration = Duration::from_secs(1);
/// Longest wait for room in a worker's queue when it is told to stop.
pub(crate) const STOP_WAIT: Duration = Duration::from_secs(2);
/// Pause after an error of the socket, so that a lasting one does not spin.
const ERROR_PAUSE: Duration = Duration::from_millis(50);

/// What a worker is given.
#[derive(Debug)]
pub(crate) enum Job {
    /// Process these.
    Batch(Batch),
    /// Say how it is.
    Statistics(oneshot::Sender<Statistics>),
    /// End these sessions, and say how many they are; none: too many clears wait already.
    Clear(Clear, oneshot::Sender<Option<u64>>),
    /// Say how its peers are.
    Peers(oneshot::Sender<Vec<PeerStatus>>),
    /// Say what there is of this subscriber.
    Subscriber(Imsi, oneshot::Sender<Subscriber>),
    /// Read your socket, too, from now on: nobody else does. The bell is rung with each job.
    Receive(Bell, HandOn),
    /// Take what has arrived at your socket, read it no more, and say so.
    Drain(Sender<()>),
    /// Nothing follows.
    Stop,
}

/// Datagrams in one piece of memory.
#[derive(Debug)]
pub(crate) struct Batch {
    /// When its first datagram was there.
    pub(crate) received: Mono,
    octets: Vec<u8>,
    datagrams: Vec<(SocketAddr, Range<usize>)>,
}

impl Default for Batch {
    fn default() -> Self {
        Self {
            received: Mono(0),
            octets: Vec::new(),
            datagrams: Vec::new(),
        }
    }
}

impl Batch {
    pub(crate) fn len(&self) -> usize {
        self.datagrams.len()
    }

    pub(crate) fn push(&mut self, peer: SocketAddr, datagram: &[u8]) {
        let from = self.octets.len();
        self.octets.extend_from_slice(datagram);
        self.datagrams.push((peer, from..self.octets.len()));
    }

    pub(crate) fn clear(&mut self) {
        self.octets.clear();
        self.octets.shrink_to(SPARE_BATCH_BYTES);
        self.datagrams.clear();
    }

    /// Lets go of what is not wanted; how many that were.
    fn retain(&mut self, wanted: impl Fn(&[u8]) -> bool) -> usize {
        let before = self.datagrams.len();
        let octets = &self.octets;
        self.datagrams
            .retain(|(_, range)| wanted(&octets[range.clone()]));
        before - self.datagrams.len()
    }

    /// Peers and what they sent, in the order of arrival.
    pub(crate) fn datagrams(&self) -> impl Iterator<Item = (SocketAddr, &[u8])> {
        let slices = self.datagrams.iter();
        slices.map(|(peer, range)| (*peer, &self.octets[range.clone()]))
    }
}

/// Batches on their way back to the receiver.
#[derive(Clone, Debug)]
pub(crate) struct Spares(Arc<ArrayQueue<Batch>>);

impl Spares {
    pub(crate) fn new() -> Self {
        Self(Arc::new(ArrayQueue::new(SPARE_BATCHES)))
    }

    pub(crate) fn put(&self, mut batch: Batch) {
        batch.clear();
        // One too many is freed.
        let _freed = self.0.push(batch);
    }

    fn take(&self) -> Batch {
        self.0.pop().unwrap_or_default()
    }
}

/// Hands datagrams to the workers whose they are.
#[derive(Debug)]
pub(crate) struct HandOn {
    queues: Vec<Queue>,
    /// By worker.
    batches: Vec<Batch>,
    spares: Spares,
    vitals: Arc<Vitals>,
    /// Which datagrams are urgent.
    plane: Arc<Shared>,
}

impl HandOn {
    pub(crate) fn new(
        queues: Vec<Queue>,
        spares: Spares,
        vitals: Arc<Vitals>,
        plane: Arc<Shared>,
    ) -> Self {
        Self {
            batches: queues.iter().map(|_| Batch::default()).collect(),
            queues,
            spares,
            vitals,
            plane,
        }
    }

    /// Puts one into the batch of its worker.
    pub(crate) fn place(&mut self, peer: SocketAddr, datagram: &[u8]) {
        let worker = match self.batches.len() {
            1 => 0,
            workers => session_plane::worker_of(datagram, workers as u16),
        };
        // A number that no worker has would be a defect of the steering; the first one then answers for it.
        let worker = usize::from(worker);
        let worker = if worker < self.batches.len() {
            worker
        } else {
            0
        };
        self.batches[worker].push(peer, datagram);
    }

    /// What is this worker's, to be processed by itself and given back to be used again.
    pub(crate) fn own(&mut self, worker: u16) -> &mut Batch {
        &mut self.batches[usize::from(worker)]
    }

    /// Sends each batch to its worker; what finds no room is counted.
    pub(crate) fn send(&mut self, received: Mono) {
        for (batch, queue) in self.batches.iter_mut().zip(&self.queues) {
            if batch.datagrams.is_empty() {
                continue;
            }
            batch.received = received;
            if queue.len() >= ORDINARY_BATCHES {
                let dropped = batch.retain(|datagram| self.plane.is_urgent(datagram));
                self.vitals.count_queue_drops(dropped as u64);
                if batch.datagrams.is_empty() {
                    batch.clear();
                    continue;
                }
            }
            let full = std::mem::replace(batch, self.spares.take());
            let (TrySendError::Full(job) | TrySendError::Disconnected(job)) =
                match queue.try_send(Job::Batch(full)) {
                    Ok(()) => continue,
                    Err(error) => error,
                };
            if let Job::Batch(dropped) = job {
                self.vitals
                    .count_queue_drops(dropped.datagrams.len() as u64);
                self.spares.put(dropped);
            }
        }
    }
}

/// The receiver's thread.
#[derive(Debug)]
pub(crate) struct Receiver {
    pub(crate) socket: Arc<UdpSocket>,
    pub(crate) hand_on: HandOn,
    pub(crate) clock: Arc<Clock>,
    pub(crate) stop: Arc<AtomicBool>,
}

impl Receiver {
    /// Receives until `stop` is set, then what has already arrived, then tells the workers to stop.
    pub(crate) fn run(mut self) {
        let mut incoming = Incoming::new(DATAGRAM_BYTES);
        while !self.stop.load(Ordering::Relaxed) {
            self.receive(&mut incoming, Wait::First);
        }
        let begun = Instant::now();
        while begun.elapsed() < DRAIN {
            if self.receive(&mut incoming, Wait::No) == 0 {
                break;
            }
        }
        stop(&self.hand_on.queues);
    }

    /// Reads what is there, at most a batch, and hands it on; returns how many it read.
    fn receive(&mut self, incoming: &mut Incoming, wait: Wait) -> usize {
        let place = |peer, datagram: &[u8]| self.hand_on.place(peer, datagram);
        let read = incoming.receive(&self.socket, wait, place);
        self.hand_on.send(self.clock.mono());
        read.unwrap_or_else(|error| {
            rest_after(error);
            0
        })
    }
}

/// Tells workers that nothing follows.
fn stop(queues: &[Queue]) {
    for (worker, queue) in queues.iter().enumerate() {
        if queue.send_timeout(Job::Stop, STOP_WAIT).is_err() {
            event!(WORKER_NOT_ENDING, worker);
        }
    }
}

/// Who reads the Gn sockets.
#[derive(Debug)]
pub(crate) enum Reads {
    /// A thread that hands on to the workers.
    Receiver(Thread),
    /// The workers, each its own socket.
    Workers(Vec<Queue>),
}

impl Reads {
    /// A thread begins to read the only socket of several workers. Errors: the system gives no thread.
    pub(crate) fn by_receiver(receiver: Receiver) -> Result<Self, NodeError> {
        Thread::start("receiver", move || receiver.run()).map(Self::Receiver)
    }

    /// Each worker begins to read a socket of its own, and hands on to the others what is theirs. Errors: a worker has
    /// ended.
    pub(crate) fn by_workers(
        queues: Vec<Queue>,
        spares: &Spares,
        vitals: &Arc<Vitals>,
        plane: &Arc<Shared>,
    ) -> Result<Self, NodeError> {
        for (number, queue) in queues.iter().enumerate() {
            let (spares, vitals) = (spares.clone(), Arc::clone(vitals));
            let hand_on = HandOn::new(queues.clone(), spares, vitals, Arc::clone(plane));
            let bell = queue.bell();
            let told = bell.map(|bell| queue.try_send(Job::Receive(bell, hand_on)));
            if !matches!(told, Some(Ok(()))) {
                return Err(NodeError::Failed {
                    thread: format!("worker {number}"),
                });
            }
        }
        Ok(Self::Workers(queues))
    }

    /// Ends it, what has arrived taken, and tells the workers to stop. Errors: it goes on after `limit`, or it had panicked.
    pub(crate) fn end(self, limit: Duration) -> Result<(), NodeError> {
        match self {
            Self::Receiver(thread) => return thread.join(limit),
            Self::Workers(queues) => {
                // Before any of them stops all have handed on what is another's.
                let (drained, all) = bounded(queues.len());
                for queue in &queues {
                    // One that takes nothing is told of below.
                    drop(queue.send_timeout(Job::Drain(drained.clone()), STOP_WAIT));
                }
                drop(drained);
                let until = Instant::now() + STOP_WAIT;
                while all.recv_deadline(until).is_ok() {}
                stop(&queues);
            }
        }
        Ok(())
    }
}

/// Says an error that is one, and rests so that a lasting one does not spin.
pub(crate) fn rest_after(error: io::Error) {
    let nothing_there = [
        io::ErrorKind::WouldBlock,
        io::ErrorKind::TimedOut,
        io::ErrorKind::Interrupted,
    ];
    if !nothing_there.contains(&error.kind()) {
        event!(RECEIVING_FAILED, %error);
        thread::park_timeout(ERROR_PAUSE);
    }
}

#[cfg(test)]
mod tests {
    use enforcer::{Gate, GateConfig, RefusalRing};
    use gtp::v1::{MessageType, Writer};
    use licensing::ServiceIndex;
    use session_plane::PlaneConfig;
    use session_plane::config::{Apn, Pool, PoolRange};

    use super::*;

    /// With access point names `internet` and, for emergency calls, `sos`.
    fn plane() -> Arc<Shared> {
        let local: SocketAddr = "127.0.61.2:2123".parse().unwrap();
        let mut config = PlaneConfig::new(local, local.ip(), 1);
        config.pools = vec![Pool {
            name: "all".into(),
            range: PoolRange::Ipv4 {
                first: [10, 0, 0, 1].into(),
                last: [10, 0, 0, 9].into(),
            },
        }];
        config.apns = ["internet", "sos"]
            .map(|name| Apn {
                ipv4_pools: vec![0],
                emergency: name == "sos",
                ..Apn::new(name, ServiceIndex(2))
            })
            .to_vec();
        let gate = Gate::new(GateConfig::new(7, 1)).unwrap();
        let ring = Arc::new(RefusalRing::new(1));
        Shared::new(&config, &gate, ring, [1, 2]).unwrap()
    }

    fn create(apn: &str) -> Vec<u8> {
        let mut octets = Vec::new();
        let kind = MessageType::CREATE_PDP_CONTEXT_REQUEST;
        let mut writer = Writer::new(&mut octets, kind, 0, 1);
        writer.apn(apn);
        writer.finish().unwrap().to_vec()
    }

    fn delete() -> Vec<u8> {
        let mut octets = Vec::new();
        let kind = MessageType::DELETE_PDP_CONTEXT_REQUEST;
        Writer::new(&mut octets, kind, 0x700, 2)
            .finish()
            .unwrap()
            .to_vec()
    }

    /// The last quarter of a queue is for what must not wait for room that others take.
    //= I3
    #[test]
    fn a_queue_that_is_full_for_others_takes_deletions_and_emergency_calls() {
        let (queue, jobs) = Queue::new().unwrap();
        let vitals = Arc::new(Vitals::new(1, licensing::Mono(0)));
        let queues = vec![queue.silent()];
        let mut all = HandOn::new(queues, Spares::new(), Arc::clone(&vitals), plane());
        let peer: SocketAddr = "127.0.61.9:2123".parse().unwrap();
        let mut hand_on = |datagrams: &[Vec<u8>]| {
            for datagram in datagrams {
                all.place(peer, datagram);
            }
            all.send(Mono(0));
        };
        let ordinary = create("internet");
        for _ in 0..QUEUE_BATCHES {
            hand_on(&[ordinary.clone(), ordinary.clone()]);
        }
        let dropped = 2 * (QUEUE_BATCHES - ORDINARY_BATCHES) as u64;
        assert_eq!(
            (jobs.len(), vitals.queue_drops()),
            (ORDINARY_BATCHES, dropped)
        );
        hand_on(&[create("sos"), ordinary.clone(), delete(), vec![0x32, 20]]);
        assert_eq!(vitals.queue_drops(), dropped + 2);
        let last = jobs.try_iter().last();
        let Some(Job::Batch(batch)) = last else {
            panic!("a batch is the last");
        };
        let kept: Vec<_> = batch.datagrams().map(|(_, bytes)| bytes.to_vec()).collect();
        assert_eq!(kept, [create("sos"), delete()]);
        // When the rest is taken too, all that comes is dropped.
        for _ in 0..2 * QUEUE_BATCHES {
            hand_on(&[delete()]);
        }
        assert_eq!(jobs.len(), QUEUE_BATCHES);
        assert_eq!(vitals.queue_drops(), dropped + 2 + QUEUE_BATCHES as u64);
    }

    /// Queues of datagrams that no message may be as long as must not fill the memory.
    #[test]
    fn of_a_datagram_that_is_too_long_only_so_much_is_kept_as_shows_it() {
        let socket = UdpSocket::bind("127.0.61.2:0").unwrap();
        let peer = UdpSocket::bind("127.0.61.3:0").unwrap();
        peer.connect(socket.local_addr().unwrap()).unwrap();
        socket
            .set_read_timeout(Some(Duration::from_secs(120)))
            .unwrap();
        let (queue, jobs) = Queue::new().unwrap();
        let vitals = Arc::new(Vitals::new(1, licensing::Mono(0)));
        let mut receiver = Receiver {
            socket: Arc::new(socket),
            hand_on: HandOn::new(vec![queue.silent()], Spares::new(), vitals, plane()),
            clock: Arc::new(Clock::start(1)),
            stop: Arc::new(AtomicBool::new(false)),
        };
        peer.send(&[0x32; 65_507]).unwrap();
        let mut incoming = Incoming::new(DATAGRAM_BYTES);
        let read = receiver.receive(&mut incoming, Wait::First);
        assert_eq!(read, 1);
        let Ok(Job::Batch(batch)) = jobs.try_recv() else {
            panic!("a batch is handed on");
        };
        let lengths: Vec<_> = batch.datagrams().map(|(_, bytes)| bytes.len()).collect();
        assert_eq!(lengths, [MAX_MESSAGE_BYTES + 1]);
    }
}
