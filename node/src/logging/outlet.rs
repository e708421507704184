//! Where events leave the log for a syslog server: a queue that never makes anybody wait.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use api::{LogEntry, SyslogServerView, SyslogState};
use parking_lot::Mutex;
use tokio::sync::mpsc;

use crate::config::SyslogServer;

/// The log's end of a server's queue.
#[derive(Clone)]
pub(super) struct Outlet {
    server: Arc<SyslogServer>,
    queue: mpsc::Sender<Arc<LogEntry>>,
    tally: Arc<Tally>,
}

/// What became of the events for a server.
#[derive(Debug, Default)]
pub(super) struct Tally {
    sent: AtomicU64,
    dropped: AtomicU64,
    standing: Mutex<Standing>,
}

/// Whether it is reached, and why it was not when that was last so.
#[derive(Debug, Default)]
struct Standing {
    state: SyslogState,
    failure: Option<String>,
}

impl Outlet {
    /// With a queue as long as the server is to have; the other end of it, and what is counted.
    pub(super) fn new(
        server: &Arc<SyslogServer>,
    ) -> (Self, mpsc::Receiver<Arc<LogEntry>>, Arc<Tally>) {
        let (queue, entries) = mpsc::channel(usize::from(server.queue));
        let tally = Arc::<Tally>::default();
        let outlet = Self {
            server: Arc::clone(server),
            queue,
            tally: Arc::clone(&tally),
        };
        (outlet, entries, tally)
    }

    /// Takes an event if it is for this server; one that finds no room is counted.
    pub(super) fn offer(&self, entry: &Arc<LogEntry>) {
        let server = &self.server;
        if entry.severity > server.level || eventlog::syslog::is_about(entry, &server.address) {
            return;
        }
        if self.queue.try_send(Arc::clone(entry)).is_err() {
            self.tally.drop_one();
        }
    }

    /// Is it of this server, as it is configured?
    pub(super) fn is_of(&self, server: &SyslogServer) -> bool {
        *self.server == *server
    }

    /// As it stands.
    pub(super) fn view(&self) -> SyslogServerView {
        let SyslogServer {
            address,
            port,
            protocol,
            facility,
            level,
            queue,
            ..
        } = &*self.server;
        let standing = self.tally.standing.lock();
        SyslogServerView {
            address: address.clone(),
            port: *port,
            protocol: *protocol,
            facility: *facility,
            level: *level,
            state: standing.state,
            failure: standing.failure.clone(),
            queued: (self.queue.max_capacity() - self.queue.capacity()) as u64,
            queue: u64::from(*queue),
            sent: self.tally.sent.load(Ordering::Relaxed),
            dropped: self.tally.dropped(),
        }
    }
}

impl Tally {
    pub(super) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    pub(super) fn drop_one(&self) {
        self.dropped.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn send_one(&self) {
        self.sent.fetch_add(1, Ordering::Relaxed);
    }

    /// It is reached; true if it was away.
    pub(super) fn reached(&self) -> bool {
        let mut standing = self.standing.lock();
        let was = std::mem::replace(&mut standing.state, SyslogState::Reached);
        was == SyslogState::Away
    }

    /// It is not reached, for this reason; true if it was not away before.
    pub(super) fn away(&self, why: &str) -> bool {
        let mut standing = self.standing.lock();
        standing.failure = Some(why.to_owned());
        let was = std::mem::replace(&mut standing.state, SyslogState::Away);
        was != SyslogState::Away
    }
}
