//! A worker's thread: owns one session plane, feeds it datagrams and time, sends what it answers.

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use crossbeam::channel::{Receiver, RecvTimeoutError, Sender, TrySendError};
use licensing::Now;
use session_plane::{Output, Path, SessionPlane};

use crate::clock::Clock;
use crate::control::Ask;
use crate::receiver::{Batch, Job, Spares};
use crate::vitals::{EndOf, Vitals};

/// Longest wait of an idle worker.
const IDLE: Duration = Duration::from_secs(1);

pub(crate) struct Worker {
    pub(crate) number: u16,
    pub(crate) local: SocketAddr,
    pub(crate) plane: SessionPlane,
    pub(crate) socket: Arc<UdpSocket>,
    pub(crate) jobs: Receiver<Job>,
    pub(crate) spares: Spares,
    pub(crate) control: Sender<Ask>,
    pub(crate) clock: Arc<Clock>,
    pub(crate) vitals: Arc<Vitals>,
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
                Ok(Job::Batch(batch)) => self.process(batch, now),
                // Whoever asked may have given up.
                Ok(Job::Statistics(reply)) => drop(reply.send(self.plane.statistics())),
                Ok(Job::Peers(reply)) => drop(reply.send(self.plane.peers())),
                Ok(Job::Stop) | Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) => {}
            }
            if self.plane.poll_timeout().is_some_and(|at| at <= now.mono) {
                self.plane.handle_timeout(now);
                self.perform();
            }
        }
    }

    fn wait(&self, now: Now) -> Duration {
        let next = self.plane.poll_timeout();
        next.map_or(IDLE, |at| at.since(now.mono)).min(IDLE)
    }

    fn process(&mut self, batch: Batch, now: Now) {
        for (peer, datagram) in batch.datagrams() {
            let path = Path {
                local: self.local,
                peer,
            };
            self.plane.handle_datagram(datagram, path, now);
            self.perform();
        }
        self.spares.put(batch);
    }

    /// Does all that the plane wants done.
    fn perform(&mut self) {
        while let Some(output) = self.plane.poll_output() {
            match output {
                Output::Send { path, bytes } => {
                    if let Err(error) = self.socket.send_to(bytes, path.peer) {
                        self.vitals.count_send_failure();
                        tracing::debug!(peer = %path.peer, %error, "an answer was not sent");
                    }
                }
                Output::Cleared(sessions) => {
                    tracing::info!(
                        worker = self.number,
                        sessions,
                        "cleared sessions are asked of their peers"
                    );
                }
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
