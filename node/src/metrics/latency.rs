//! How long messages and admissions took, in fixed buckets.
//!
//! The gate itself reads no clock. A worker measures one message of each batch that it takes, the next place of the batch
//! each time: three readings a batch, whatever its size. Each worker has cells of its own.

use std::sync::atomic::{AtomicU64, Ordering};

use bulkstats::families::BOUNDS_S;
use crossbeam::utils::CachePadded;
use gtp::{v1, v2};
use licensing::Mono;

/// Buckets, that of all that took longer included.
const BUCKETS: usize = BOUNDS_S.len() + 1;

/// What a message is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Procedure {
    /// A new call, or another context or bearer: Create PDP Context Request, Create Session Request.
    Create,
    /// A change: Update PDP Context Request, Modify Bearer Request and its like.
    Update,
    /// An end: Delete PDP Context Request, Delete Session Request.
    Delete,
    /// Echo Request.
    Echo,
    /// Anything else, answers of peers included.
    Other,
}

/// Of one worker or of clients.
#[derive(Debug, Default)]
struct Cells {
    procedures: [Cell; Procedure::ALL.len()],
    admissions: Cell,
}

/// One histogram while it runs.
#[derive(Debug, Default)]
struct Cell {
    buckets: [AtomicU64; BUCKETS],
    sum_ns: AtomicU64,
}

/// One histogram.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Bucket {
    counts: [u64; BUCKETS],
    sum_ns: u64,
}

/// All of them: of each worker, and last of clients of the admission API.
#[derive(Debug)]
pub(crate) struct Latencies {
    workers: Vec<CachePadded<Cells>>,
    clients: Cell,
}

impl Procedure {
    const ALL: [(Self, &'static str); 5] = [
        (Self::Create, "create"),
        (Self::Update, "update"),
        (Self::Delete, "delete"),
        (Self::Echo, "echo"),
        (Self::Other, "other"),
    ];

    /// Of a datagram, by the version and type in its header (TS 29.060 6, TS 29.274 5.1).
    pub(crate) fn of(datagram: &[u8]) -> Self {
        let (Some(flags), Some(kind)) = (datagram.first(), datagram.get(1)) else {
            return Self::Other;
        };
        match flags >> 5 {
            1 => match v1::MessageType(*kind) {
                v1::MessageType::CREATE_PDP_CONTEXT_REQUEST => Self::Create,
                v1::MessageType::UPDATE_PDP_CONTEXT_REQUEST => Self::Update,
                v1::MessageType::DELETE_PDP_CONTEXT_REQUEST => Self::Delete,
                v1::MessageType::ECHO_REQUEST => Self::Echo,
                _ => Self::Other,
            },
            2 => match v2::MessageType(*kind) {
                v2::MessageType::CREATE_SESSION_REQUEST => Self::Create,
                v2::MessageType::MODIFY_BEARER_REQUEST
                | v2::MessageType::RELEASE_ACCESS_BEARERS_REQUEST => Self::Update,
                v2::MessageType::DELETE_SESSION_REQUEST => Self::Delete,
                v2::MessageType::ECHO_REQUEST => Self::Echo,
                _ => Self::Other,
            },
            _ => Self::Other,
        }
    }
}

impl Latencies {
    pub(crate) fn new(workers: u16) -> Self {
        Self {
            workers: (0..workers).map(|_| CachePadded::default()).collect(),
            clients: Cell::default(),
        }
    }

    /// A worker has handled a message, that came at `received`, from `begun` to `ended`; its answer was sent at `sent`.
    pub(crate) fn message(
        &self,
        worker: u16,
        procedure: Procedure,
        [received, begun, ended, sent]: [Mono; 4],
    ) {
        let Some(cells) = self.workers.get(usize::from(worker)) else {
            return;
        };
        cells.procedures[procedure as usize].count(received, sent);
        if procedure == Procedure::Create {
            cells.admissions.count(begun, ended);
        }
    }

    /// A batch of the admission API was decided.
    pub(crate) fn batch(&self, begun: Mono, ended: Mono) {
        self.clients.count(begun, ended);
    }

    /// Summed over the workers, by procedure.
    pub(super) fn procedures(&self) -> Vec<(&'static str, Bucket)> {
        let of = |procedure: Procedure| {
            let cells = self.workers.iter();
            Bucket::sum(cells.map(|worker| &worker.procedures[procedure as usize]))
        };
        let rows = Procedure::ALL.iter();
        rows.map(|(procedure, name)| (*name, of(*procedure)))
            .collect()
    }

    /// By GTP, and by the admission API.
    pub(super) fn admissions(&self) -> Vec<(&'static str, Bucket)> {
        let gtp = self.workers.iter().map(|worker| &worker.admissions);
        vec![
            ("gtp", Bucket::sum(gtp)),
            ("api", Bucket::sum([&self.clients].into_iter())),
        ]
    }
}

impl Cell {
    fn count(&self, from: Mono, to: Mono) {
        let ns = to.0.saturating_sub(from.0);
        let seconds = ns as f64 / 1e9;
        let bucket = BOUNDS_S.partition_point(|bound| *bound < seconds);
        self.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        self.sum_ns.fetch_add(ns, Ordering::Relaxed);
    }
}

impl Bucket {
    fn sum<'a>(cells: impl Iterator<Item = &'a Cell>) -> Self {
        let mut sum = Self::default();
        for cell in cells {
            sum.sum_ns += cell.sum_ns.load(Ordering::Relaxed);
            for (count, bucket) in sum.counts.iter_mut().zip(&cell.buckets) {
                *count += bucket.load(Ordering::Relaxed);
            }
        }
        sum
    }

    pub(super) fn sum_s(&self) -> f64 {
        self.sum_ns as f64 / 1e9
    }

    pub(super) fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Upper bounds, in seconds, and how many took so long, not summed up; the last has no bound.
    pub(super) fn buckets(&self) -> impl Iterator<Item = (f64, u64)> {
        let bounds = BOUNDS_S.into_iter().chain([f64::INFINITY]);
        bounds.zip(self.counts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_holds_what_took_its_bound_or_less() {
        let latencies = Latencies::new(2);
        let us = |n: u64| Mono(n * 1_000);
        latencies.message(0, Procedure::Create, [us(0), us(90), us(99), us(100)]);
        latencies.message(1, Procedure::Create, [us(0), us(0), us(101), us(101)]);
        latencies.message(1, Procedure::Echo, [us(0), us(1), us(2), us(9_000_000)]);
        latencies.message(2, Procedure::Echo, [us(0), us(1), us(2), us(3)]);
        latencies.batch(us(7), us(7));
        let rows = latencies.procedures();
        let filled = |row: &Bucket| {
            let filled = row.buckets().filter(|(_, count)| *count > 0);
            filled.collect::<Vec<_>>()
        };
        assert_eq!(rows[0].0, "create");
        assert_eq!(filled(&rows[0].1), [(0.000_1, 1), (0.000_25, 1)]);
        assert_eq!((rows[0].1.count(), rows[0].1.sum_s()), (2, 0.000_201));
        assert_eq!(rows[3].0, "echo");
        assert_eq!(filled(&rows[3].1), [(f64::INFINITY, 1)]);
        let rows = latencies.admissions();
        assert_eq!(filled(&rows[0].1), [(0.000_01, 1), (0.000_25, 1)]);
        assert_eq!(filled(&rows[1].1), [(0.000_01, 1)]);
    }

    #[test]
    fn a_datagram_is_known_by_version_and_type() {
        let cases: [(&[u8], Procedure); 10] = [
            (&[0x32, 16], Procedure::Create),
            (&[0x32, 18], Procedure::Update),
            (&[0x32, 20], Procedure::Delete),
            (&[0x32, 1], Procedure::Echo),
            (&[0x32, 32], Procedure::Other),
            (&[0x48, 32], Procedure::Create),
            (&[0x48, 34], Procedure::Update),
            (&[0x48, 36], Procedure::Delete),
            (&[0x40, 1], Procedure::Echo),
            (&[0x48], Procedure::Other),
        ];
        for (octets, procedure) in cases {
            assert_eq!(Procedure::of(octets), procedure, "{octets:?}");
        }
        for (place, (procedure, _)) in Procedure::ALL.iter().enumerate() {
            assert_eq!(*procedure as usize, place);
        }
    }
}
