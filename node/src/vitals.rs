//! How the process is, written by each thread for itself and read by the control interface, which answers with it also
//! while the control thread does not work.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::time::Duration;

use api::{JournalHealth, JournalState};
use enforcer::verdicts::BulkstatsTroubles;
use licensing::Mono;

/// Longest time without work of the control thread that is not called a stall.
pub const CONTROL_STALL: Duration = Duration::from_secs(2);

/// Longest time without work of the agent's thread that is not called a stall: its disk may be slow.
pub const AGENT_STALL: Duration = Duration::from_secs(10);

/// Longest time without work of the thread of SNMP that is not called a stall: its disk may be slow.
pub const SNMP_STALL: Duration = Duration::from_secs(10);

/// Longest time without work of the thread of bulk statistics that is not called a stall: its disk may be slow, and a view of
/// the node may take 4 s.
pub const BULKSTATS_STALL: Duration = Duration::from_secs(20);

/// Marks of life and counts of losses.
#[derive(Debug)]
pub struct Vitals {
    control_beat_ns: AtomicU64,
    control_ended: AtomicBool,
    agent_beat_ns: AtomicU64,
    agent_ended: AtomicBool,
    snmp_beat_ns: AtomicU64,
    snmp_ended: AtomicBool,
    bulkstats_beat_ns: AtomicU64,
    bulkstats_ended: AtomicBool,
    bulkstats: BulkstatsVitals,
    state_written: AtomicBool,
    queue_drops: AtomicU64,
    send_failures: AtomicU64,
    journal: JournalVitals,
    workers_ended: Vec<AtomicBool>,
}

/// What troubles bulk statistics.
#[derive(Debug, Default)]
struct BulkstatsVitals {
    undelivered: AtomicBool,
    host_key: AtomicBool,
    discarding: AtomicBool,
    not_written: AtomicBool,
}

/// How the journal is.
#[derive(Debug, Default)]
struct JournalVitals {
    /// A [`JournalState`], by its place in [`JOURNAL_STATES`].
    state: AtomicU8,
    bytes: AtomicU64,
    missed: AtomicU64,
}

const JOURNAL_STATES: [JournalState; 4] = [
    JournalState::Off,
    JournalState::Writing,
    JournalState::Full,
    JournalState::Failed,
];

/// Why a journal stops before its node ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JournalStop {
    /// It has reached its bound.
    Full = 2,
    /// The disk fails, or is too slow.
    Failed = 3,
}

impl Vitals {
    /// Of a process with so many workers, all of them alive.
    pub(crate) fn new(workers: u16, now: Mono) -> Self {
        Self {
            control_beat_ns: AtomicU64::new(now.0),
            control_ended: AtomicBool::new(false),
            agent_beat_ns: AtomicU64::new(now.0),
            agent_ended: AtomicBool::new(false),
            snmp_beat_ns: AtomicU64::new(now.0),
            snmp_ended: AtomicBool::new(false),
            bulkstats_beat_ns: AtomicU64::new(now.0),
            bulkstats_ended: AtomicBool::new(false),
            bulkstats: BulkstatsVitals::default(),
            state_written: AtomicBool::new(true),
            queue_drops: AtomicU64::new(0),
            send_failures: AtomicU64::new(0),
            journal: JournalVitals::default(),
            workers_ended: (0..workers).map(|_| AtomicBool::new(false)).collect(),
        }
    }

    pub(crate) fn control_beats(&self, now: Mono) {
        self.control_beat_ns.store(now.0, Ordering::Relaxed);
    }

    /// Time since the control thread last worked.
    pub(crate) fn control_age(&self, now: Mono) -> Duration {
        now.since(Mono(self.control_beat_ns.load(Ordering::Relaxed)))
    }

    /// The control thread has ended, or has not worked for longer than [`CONTROL_STALL`].
    pub(crate) fn control_stalled(&self, now: Mono) -> bool {
        self.control_ended() || self.control_age(now) > CONTROL_STALL
    }

    pub(crate) fn control_ended(&self) -> bool {
        self.control_ended.load(Ordering::Relaxed)
    }

    pub(crate) fn agent_beats(&self, now: Mono) {
        self.agent_beat_ns.store(now.0, Ordering::Relaxed);
    }

    /// Time since the agent's thread last worked.
    pub(crate) fn agent_age(&self, now: Mono) -> Duration {
        now.since(Mono(self.agent_beat_ns.load(Ordering::Relaxed)))
    }

    /// The agent's thread has failed, or has not worked for longer than [`AGENT_STALL`].
    pub(crate) fn agent_stalled(&self, now: Mono) -> bool {
        self.agent_ended() || self.agent_age(now) > AGENT_STALL
    }

    pub(crate) fn agent_ended(&self) -> bool {
        self.agent_ended.load(Ordering::Relaxed)
    }

    pub(crate) fn snmp_beats(&self, now: Mono) {
        self.snmp_beat_ns.store(now.0, Ordering::Relaxed);
    }

    /// Time since the thread of SNMP last worked.
    pub(crate) fn snmp_age(&self, now: Mono) -> Duration {
        now.since(Mono(self.snmp_beat_ns.load(Ordering::Relaxed)))
    }

    /// The thread of SNMP has failed, or has not worked for longer than [`SNMP_STALL`].
    pub(crate) fn snmp_stalled(&self, now: Mono) -> bool {
        self.snmp_ended() || self.snmp_age(now) > SNMP_STALL
    }

    pub(crate) fn snmp_ended(&self) -> bool {
        self.snmp_ended.load(Ordering::Relaxed)
    }

    pub(crate) fn bulkstats_beats(&self, now: Mono) {
        self.bulkstats_beat_ns.store(now.0, Ordering::Relaxed);
    }

    /// Time since the thread of bulk statistics last worked.
    pub(crate) fn bulkstats_age(&self, now: Mono) -> Duration {
        now.since(Mono(self.bulkstats_beat_ns.load(Ordering::Relaxed)))
    }

    /// The thread of bulk statistics has failed, or has not worked for longer than [`BULKSTATS_STALL`].
    pub(crate) fn bulkstats_stalled(&self, now: Mono) -> bool {
        self.bulkstats_ended() || self.bulkstats_age(now) > BULKSTATS_STALL
    }

    pub(crate) fn bulkstats_ended(&self) -> bool {
        self.bulkstats_ended.load(Ordering::Relaxed)
    }

    /// What is to be an alarm of them.
    pub(crate) fn bulkstats_troubles(&self, now: Mono) -> BulkstatsTroubles {
        let holds = |flag: &AtomicBool| flag.load(Ordering::Relaxed);
        BulkstatsTroubles {
            stalled: self.bulkstats_stalled(now),
            undelivered: holds(&self.bulkstats.undelivered),
            host_key: holds(&self.bulkstats.host_key),
            discarding: holds(&self.bulkstats.discarding),
            not_written: holds(&self.bulkstats.not_written),
        }
    }

    pub(crate) fn set_bulkstats_undelivered(&self, holds: bool) {
        self.bulkstats.undelivered.store(holds, Ordering::Relaxed);
    }

    pub(crate) fn set_bulkstats_host_key(&self, holds: bool) {
        self.bulkstats.host_key.store(holds, Ordering::Relaxed);
    }

    pub(crate) fn set_bulkstats_discarding(&self, holds: bool) {
        self.bulkstats.discarding.store(holds, Ordering::Relaxed);
    }

    pub(crate) fn set_bulkstats_not_written(&self, holds: bool) {
        self.bulkstats.not_written.store(holds, Ordering::Relaxed);
    }

    pub(crate) fn state_written(&self) -> bool {
        self.state_written.load(Ordering::Relaxed)
    }

    /// Returns what it was before.
    pub(crate) fn set_state_written(&self, written: bool) -> bool {
        self.state_written.swap(written, Ordering::Relaxed)
    }

    pub(crate) fn count_queue_drops(&self, datagrams: u64) {
        self.queue_drops.fetch_add(datagrams, Ordering::Relaxed);
    }

    pub(crate) fn queue_drops(&self) -> u64 {
        self.queue_drops.load(Ordering::Relaxed)
    }

    pub(crate) fn count_send_failure(&self) {
        self.send_failures.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn send_failures(&self) -> u64 {
        self.send_failures.load(Ordering::Relaxed)
    }

    pub(crate) fn journal_begins(&self) {
        self.journal.state.store(1, Ordering::Relaxed);
    }

    pub(crate) fn journal_stops(&self, why: JournalStop) {
        self.journal.state.store(why as u8, Ordering::Relaxed);
    }

    /// So many bytes are in the file.
    pub(crate) fn journal_has(&self, bytes: u64) {
        self.journal.bytes.store(bytes, Ordering::Relaxed);
    }

    /// An input came that is not recorded.
    pub(crate) fn journal_misses(&self) {
        self.journal.missed.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn journal(&self) -> JournalHealth {
        let state = self.journal.state.load(Ordering::Relaxed);
        let state = JOURNAL_STATES.get(usize::from(state)).copied();
        let state = state.unwrap_or(JournalState::Failed);
        let missed = self.journal.missed.load(Ordering::Relaxed);
        JournalHealth {
            state,
            bytes: self.journal.bytes.load(Ordering::Relaxed),
            missed: if state == JournalState::Off {
                0
            } else {
                missed
            },
        }
    }

    pub(crate) fn worker_ended(&self, worker: u16) -> bool {
        let flag = self.workers_ended.get(usize::from(worker));
        flag.is_none_or(|ended| ended.load(Ordering::Relaxed))
    }
}

/// Marks the end of a thread, also when it panics.
pub(crate) struct EndOf<'a>(&'a AtomicBool);

impl<'a> EndOf<'a> {
    pub(crate) fn control(vitals: &'a Vitals) -> Self {
        Self(&vitals.control_ended)
    }

    /// Of the agent's thread, but for the end that it is told to make.
    pub(crate) fn agent(vitals: &'a Vitals) -> Self {
        Self(&vitals.agent_ended)
    }

    /// Of the thread of SNMP, but for the end that it is told to make.
    pub(crate) fn snmp(vitals: &'a Vitals) -> Self {
        Self(&vitals.snmp_ended)
    }

    /// Of the thread of bulk statistics, but for the end that it is told to make.
    pub(crate) fn bulkstats(vitals: &'a Vitals) -> Self {
        Self(&vitals.bulkstats_ended)
    }

    /// It ends as it should.
    pub(crate) fn ends_as_told(self) {
        std::mem::forget(self);
    }

    /// `worker` is below the number of workers.
    pub(crate) fn worker(vitals: &'a Vitals, worker: u16) -> Self {
        Self(&vitals.workers_ended[usize::from(worker)])
    }
}

impl Drop for EndOf<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
