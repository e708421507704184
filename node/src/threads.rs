//! Threads that can be waited for with a limit.

use std::thread;
use std::time::Duration;

use crossbeam::channel::{Receiver, RecvTimeoutError, bounded};

use crate::error::NodeError;

/// A thread that runs.
#[derive(Debug)]
pub(crate) struct Thread {
    name: String,
    handle: thread::JoinHandle<()>,
    /// Nothing is ever sent: the other end goes with the thread.
    ended: Receiver<()>,
}

impl Thread {
    /// Starts a thread with this name, at most 15 bytes of which the kernel shows.
    pub(crate) fn start(
        name: impl Into<String>,
        work: impl FnOnce() + Send + 'static,
    ) -> Result<Self, NodeError> {
        let name = name.into();
        let (running, ended) = bounded(0);
        let builder = thread::Builder::new().name(name.clone());
        let handle = builder.spawn(move || {
            let _running = running;
            work();
        });
        let what = "starting a thread";
        let handle = handle.map_err(|source| NodeError::System { what, source })?;
        Ok(Self {
            name,
            handle,
            ended,
        })
    }

    /// Waits for its end. Errors: it goes on after `limit`, or it had panicked.
    pub(crate) fn join(self, limit: Duration) -> Result<(), NodeError> {
        let thread = self.name;
        match self.ended.recv_timeout(limit) {
            Err(RecvTimeoutError::Timeout) => Err(NodeError::NotEnded {
                thread,
                limit_s: limit.as_secs(),
            }),
            Ok(()) | Err(RecvTimeoutError::Disconnected) => {
                let ended = self.handle.join();
                ended.map_err(|_| NodeError::Failed { thread })
            }
        }
    }
}
