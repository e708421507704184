//! The feed: what other threads tell SNMP, without ever waiting for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use api::EventCounts;
use licensing::Snapshot;
use snmp::notifications::News;
use tokio::sync::mpsc;

/// Most batches of news that wait.
const WAITING: usize = 256;

/// News, and the node after them.
#[derive(Debug)]
pub(crate) struct Batch {
    pub(crate) snapshot: Arc<Snapshot>,
    pub(crate) news: Vec<News>,
}

/// The end that tells.
#[derive(Clone, Debug)]
pub(crate) struct Feed {
    batches: mpsc::Sender<Batch>,
    missed: Arc<AtomicBool>,
    counts: Arc<Counts>,
}

/// News since the process began.
#[derive(Debug, Default)]
struct Counts {
    taken: AtomicU64,
    lost: AtomicU64,
}

/// The end that is told.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) batches: mpsc::Receiver<Batch>,
    missed: Arc<AtomicBool>,
}

/// Both ends.
pub(crate) fn feed() -> (Feed, Told) {
    let (tell, batches) = mpsc::channel(WAITING);
    let missed = Arc::new(AtomicBool::new(false));
    let feed = Feed {
        batches: tell,
        missed: Arc::clone(&missed),
        counts: Arc::default(),
    };
    (feed, Told { batches, missed })
}

impl Feed {
    /// Tells news, of which the current snapshot knows already. Without room they are lost, and it is known that some were.
    pub(crate) fn tell(&self, snapshot: Arc<Snapshot>, news: Vec<News>) {
        let many = news.len() as u64;
        let counted = match self.batches.try_send(Batch { snapshot, news }) {
            Ok(()) => &self.counts.taken,
            Err(_) => {
                self.missed.store(true, Ordering::Release);
                &self.counts.lost
            }
        };
        counted.fetch_add(many, Ordering::Relaxed);
    }

    /// How many were told until now.
    pub(crate) fn counts(&self) -> EventCounts {
        EventCounts {
            taken: self.counts.taken.load(Ordering::Relaxed),
            lost: self.counts.lost.load(Ordering::Relaxed),
        }
    }
}

impl Told {
    /// Whether some were lost since this was asked last.
    pub(crate) fn missed(&self) -> bool {
        self.missed.swap(false, Ordering::Acquire)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::snapshot;
    use super::*;

    #[test]
    fn what_finds_no_room_is_known_to_be_lost() {
        let (feed, mut told) = feed();
        let snapshot = Arc::new(snapshot());
        for _ in 0..WAITING {
            feed.tell(Arc::clone(&snapshot), vec![News::Ready]);
        }
        assert!(!told.missed());
        feed.tell(snapshot, vec![News::Forked, News::Ready]);
        assert!(told.missed() && !told.missed());
        let counts = EventCounts {
            taken: WAITING as u64,
            lost: 2,
        };
        assert_eq!(feed.counts(), counts);
        let mut taken = 0;
        while let Ok(batch) = told.batches.try_recv() {
            assert_eq!(batch.news, [News::Ready]);
            taken += 1;
        }
        assert_eq!(taken, WAITING);
    }
}
