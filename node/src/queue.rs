//! A worker's queue, with a bell for one that waits for datagrams too.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use crossbeam::channel::{Receiver, SendTimeoutError, Sender, TrySendError, bounded};
use rustix::event::{EventfdFlags, eventfd};

use crate::receiver::{Job, QUEUE_BATCHES};

/// The end at which jobs are put in.
#[derive(Clone, Debug)]
pub(crate) struct Queue {
    jobs: Sender<Job>,
    /// None: whoever takes the jobs waits for them alone.
    bell: Option<Bell>,
}

/// Rung with each job; it can be waited for together with a socket.
#[derive(Clone, Debug)]
pub(crate) struct Bell(Arc<OwnedFd>);

impl Queue {
    /// A queue of [`QUEUE_BATCHES`] jobs, and its other end. Errors: the system has no descriptor left.
    pub(crate) fn new() -> std::io::Result<(Self, Receiver<Job>)> {
        let (jobs, taken) = bounded(QUEUE_BATCHES);
        let bell = eventfd(0, EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC)?;
        let bell = Some(Bell(Arc::new(bell)));
        Ok((Self { jobs, bell }, taken))
    }

    pub(crate) fn len(&self) -> usize {
        self.jobs.len()
    }

    pub(crate) fn bell(&self) -> Option<Bell> {
        self.bell.clone()
    }

    /// For a worker that waits for jobs alone.
    pub(crate) fn silent(self) -> Self {
        Self { bell: None, ..self }
    }

    pub(crate) fn try_send(&self, job: Job) -> Result<(), TrySendError<Job>> {
        self.jobs.try_send(job)?;
        self.ring();
        Ok(())
    }

    pub(crate) fn send_timeout(
        &self,
        job: Job,
        wait: Duration,
    ) -> Result<(), SendTimeoutError<Job>> {
        self.jobs.send_timeout(job, wait)?;
        self.ring();
        Ok(())
    }

    fn ring(&self) {
        if let Some(bell) = &self.bell {
            bell.ring();
        }
    }
}

impl Bell {
    fn ring(&self) {
        // A counter that is full has rung.
        let _rung = rustix::io::write(&self.0, &1_u64.to_ne_bytes());
    }

    /// It has not rung any more.
    pub(crate) fn silence(&self) {
        // Without a ring there is nothing to read.
        let _silent = rustix::io::read(&self.0, &mut [0; 8]);
    }
}

impl AsFd for Bell {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};

    use super::*;

    fn rings(bell: &Bell) -> bool {
        let mut one = [PollFd::new(bell, PollFlags::IN)];
        let at_once = Timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        poll(&mut one, Some(&at_once)).unwrap() > 0
    }

    #[test]
    fn the_bell_rings_with_each_job_until_it_is_silenced() {
        let (queue, jobs) = Queue::new().unwrap();
        let bell = queue.bell().unwrap();
        assert!(!rings(&bell));
        for _ in 0..2 {
            queue.try_send(Job::Stop).unwrap();
        }
        assert!(rings(&bell));
        bell.silence();
        assert!(!rings(&bell));
        bell.silence();
        queue.send_timeout(Job::Stop, Duration::ZERO).unwrap();
        assert!(rings(&bell));
        assert_eq!((queue.len(), jobs.len()), (3, 3));
        bell.silence();
        queue.silent().try_send(Job::Stop).unwrap();
        assert!(!rings(&bell));
    }
}
