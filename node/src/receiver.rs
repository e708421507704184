//! The receiver: reads datagrams in batches and hands each to the worker that owns its session.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam::channel::{Sender, TrySendError};
use crossbeam::queue::ArrayQueue;
use gtp::v1::{Imsi, MAX_MESSAGE_BYTES};
use licensing::Mono;
use session_plane::{Clear, PeerStatus, Statistics, Subscriber};
use tokio::sync::oneshot;

use crate::clock::Clock;
use crate::datagrams::{Incoming, Wait};
use crate::error::NodeError;
use crate::queue::{Bell, Queue};
use crate::threads::Thread;
use crate::vitals::Vitals;

/// Most batches that wait for one worker, of at most [`crate::datagrams::BATCH_DATAGRAMS`] each.
pub(crate) const QUEUE_BATCHES: usize = 1024;
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
    /// Read the socket, too, from now on: nobody else does. The bell is rung with each job.
    Receive(Bell),
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

/// The receiver's thread.
#[derive(Debug)]
pub(crate) struct Receiver {
    pub(crate) socket: Arc<UdpSocket>,
    pub(crate) queues: Vec<Sender<Job>>,
    pub(crate) spares: Spares,
    pub(crate) clock: Arc<Clock>,
    pub(crate) vitals: Arc<Vitals>,
    pub(crate) stop: Arc<AtomicBool>,
}

impl Receiver {
    /// Receives until `stop` is set, then what has already arrived, then tells the workers to stop.
    pub(crate) fn run(self) {
        let mut incoming = Incoming::new(DATAGRAM_BYTES);
        let mut batches: Vec<Batch> = self.queues.iter().map(|_| Batch::default()).collect();
        while !self.stop.load(Ordering::Relaxed) {
            self.receive(&mut incoming, &mut batches, Wait::First);
        }
        let begun = Instant::now();
        while begun.elapsed() < DRAIN {
            if self.receive(&mut incoming, &mut batches, Wait::No) == 0 {
                break;
            }
        }
        for (worker, queue) in self.queues.iter().enumerate() {
            if queue.send_timeout(Job::Stop, STOP_WAIT).is_err() {
                event!(WORKER_NOT_ENDING, worker);
            }
        }
    }

    /// Reads what is there, at most a batch, and hands it on; returns how many it read.
    fn receive(&self, incoming: &mut Incoming, batches: &mut [Batch], wait: Wait) -> usize {
        let place = |peer, datagram: &[u8]| self.place(batches, peer, datagram);
        let read = incoming.receive(&self.socket, wait, place);
        self.hand_on(batches, self.clock.mono());
        read.unwrap_or_else(|error| {
            rest_after(error);
            0
        })
    }

    fn place(&self, batches: &mut [Batch], peer: SocketAddr, datagram: &[u8]) {
        let workers = u16::try_from(batches.len()).unwrap_or(u16::MAX);
        let worker = session_plane::worker_of(datagram, workers);
        // A number that no worker has would be a defect of the steering; the first one then answers for it.
        let worker = usize::from(worker).min(batches.len() - 1);
        batches[worker].push(peer, datagram);
    }

    fn hand_on(&self, batches: &mut [Batch], received: Mono) {
        for (batch, queue) in batches.iter_mut().zip(&self.queues) {
            if batch.datagrams.is_empty() {
                continue;
            }
            batch.received = received;
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

/// Who reads the Gn socket.
#[derive(Debug)]
pub(crate) enum Reads {
    /// A thread that hands on to the workers.
    Receiver(Thread),
    /// The only worker.
    Worker(Queue),
}

impl Reads {
    /// Begins to read. Where there is one worker nothing has to be handed on, and it reads for itself. Errors: the system
    /// gives no thread, or the worker has ended.
    pub(crate) fn start(receiver: Receiver, mut queues: Vec<Queue>) -> Result<Self, NodeError> {
        if let (Some(only), true) = (queues.pop(), queues.is_empty()) {
            return match only.try_send(Job::Receive(only.bell())) {
                Ok(()) => Ok(Self::Worker(only)),
                Err(_) => Err(NodeError::Failed {
                    thread: "worker 0".to_owned(),
                }),
            };
        }
        Thread::start("receiver", move || receiver.run()).map(Self::Receiver)
    }

    /// Ends it, what has arrived taken, and tells the workers to stop. Errors: it goes on after `limit`, or it had panicked.
    pub(crate) fn end(self, limit: Duration) -> Result<(), NodeError> {
        match self {
            Self::Receiver(thread) => return thread.join(limit),
            Self::Worker(queue) => {
                if queue.send_timeout(Job::Stop, STOP_WAIT).is_err() {
                    event!(WORKER_NOT_ENDING, worker = 0);
                }
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
    use crossbeam::channel::bounded;

    use super::*;

    /// Queues of datagrams that no message may be as long as must not fill the memory.
    #[test]
    fn of_a_datagram_that_is_too_long_only_so_much_is_kept_as_shows_it() {
        let socket = UdpSocket::bind("127.0.61.2:0").unwrap();
        let peer = UdpSocket::bind("127.0.61.3:0").unwrap();
        peer.connect(socket.local_addr().unwrap()).unwrap();
        socket
            .set_read_timeout(Some(Duration::from_secs(120)))
            .unwrap();
        let (queue, jobs) = bounded(1);
        let receiver = Receiver {
            socket: Arc::new(socket),
            queues: vec![queue],
            spares: Spares::new(),
            clock: Arc::new(Clock::start(1)),
            vitals: Arc::new(Vitals::new(1, licensing::Mono(0))),
            stop: Arc::new(AtomicBool::new(false)),
        };
        peer.send(&[0x32; 65_507]).unwrap();
        let mut incoming = Incoming::new(DATAGRAM_BYTES);
        let read = receiver.receive(&mut incoming, &mut [Batch::default()], Wait::First);
        assert_eq!(read, 1);
        let Ok(Job::Batch(batch)) = jobs.try_recv() else {
            panic!("a batch is handed on");
        };
        let lengths: Vec<_> = batch.datagrams().map(|(_, bytes)| bytes.len()).collect();
        assert_eq!(lengths, [MAX_MESSAGE_BYTES + 1]);
    }
}
