//! Restarts of peers, shared by the workers (TS 29.060 7.7.11, TS 23.007 18).
//!
//! A peer's control-plane address leads to its restart counter and its incarnation, which rises with each restart, and
//! with each failure of its path that is to end sessions. A session remembers the incarnation that it was made under:
//! that is how sessions made after a restart live and older ones end, whichever worker heard of it first.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::time::Duration;

use dashmap::DashMap;
use dashmap::mapref::entry::Entry;
use licensing::Mono;
use parking_lot::Mutex;

use crate::hashing::Keyed;

/// Restarts of one peer that end sessions at once, within [`RESTARTS_SPAN`] of the first of them. What more there are end
/// sessions together when that time is over: whoever flips a counter makes no work of it.
const RESTARTS_MAX: u8 = 3;
/// See [`RESTARTS_MAX`].
const RESTARTS_SPAN: Duration = Duration::from_secs(60);

/// The table; an entry is moved on under its own lock.
#[derive(Debug)]
pub struct PeerRestarts {
    peers: DashMap<IpAddr, Known, Keyed>,
    /// Locked with an entry held, never the other way round.
    turnover: Mutex<Turnover>,
    most: usize,
}

/// Which peers workers know.
#[derive(Debug, Default)]
struct Turnover {
    /// How many some worker knows.
    busy: u32,
    /// Those that no worker knows any more, the longest idle first, and some that have come back since.
    idle: VecDeque<IpAddr>,
}

/// What is known of a peer.
#[derive(Clone, Copy, Debug, Default)]
struct Known {
    recovery: Option<u8>,
    incarnation: u32,
    /// Sessions of incarnations below this one are to end.
    living: u32,
    /// When the restarts were first that are counted now, and how many there were since.
    since: Mono,
    within: u8,
    /// How often a counter told that it restarted.
    restarts: u32,
    /// Workers that know it.
    workers: u16,
    /// The worker that sends it Echo Requests.
    supervisor: Option<u16>,
    /// It is among the idle.
    queued: bool,
}

/// What a peer has told of its restarts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ToldRestarts {
    /// The counter that it last told.
    pub counter: Option<u8>,
    /// Restarts noticed since it is known.
    pub restarts: u32,
}

/// What a restart counter told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// Nothing new.
    Nothing,
    /// The peer has restarted: sessions of older incarnations are to end.
    Restarted,
    /// It has restarted once more than it may within a minute; its sessions are to end when that is over.
    Restless {
        /// It is the first such restart of that minute.
        first: bool,
    },
    /// The counter is older than the one known, modulo 256: it was discarded.
    Outdated,
}

/// Which of a peer's sessions are of which time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Incarnations {
    /// That of a session made now.
    pub current: u32,
    /// Sessions of older ones are to end.
    pub living: u32,
}

/// What a worker learns when it looks after a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Watched {
    /// Sessions of older incarnations are to end.
    pub living: u32,
    /// This worker sends the Echo Requests.
    pub supervisor: bool,
}

impl PeerRestarts {
    pub(crate) fn new(most: u32, keyed: Keyed) -> Self {
        Self {
            peers: DashMap::with_hasher(keyed),
            turnover: Mutex::default(),
            most: most as usize,
        }
    }

    /// Peers known.
    pub fn len(&self) -> usize {
        self.peers.len()
    }

    /// Peers that some worker knows: they have sessions, or had until a second ago.
    pub fn busy(&self) -> u32 {
        self.turnover.lock().busy
    }

    /// Whether none is known.
    pub fn is_empty(&self) -> bool {
        self.peers.is_empty()
    }

    /// A worker gets to know a peer. False if there is no room, even after all that no worker knows any more are
    /// forgotten; with `always` there is room.
    pub(crate) fn attach(&self, peer: IpAddr, worker: u16, always: bool) -> bool {
        if !always && !self.peers.contains_key(&peer) && !self.has_room() {
            return false;
        }
        let mut known = self.peers.entry(peer).or_default();
        if known.workers == 0 {
            self.turnover.lock().busy += 1;
        }
        known.workers += 1;
        known.supervisor.get_or_insert(worker);
        true
    }

    /// Each idle peer was queued by a detachment and is looked at once, so that a stranger's request costs no search.
    fn has_room(&self) -> bool {
        while self.peers.len() >= self.most {
            if !self.forget_idle() {
                return false;
            }
        }
        true
    }

    /// A worker has no sessions of a peer any more. Its restart counter stays known as long as there is room.
    pub(crate) fn detach(&self, peer: IpAddr, worker: u16) {
        if let Some(mut known) = self.peers.get_mut(&peer) {
            known.workers = known.workers.saturating_sub(1);
            if known.supervisor == Some(worker) {
                known.supervisor = None;
            }
            if known.workers == 0 {
                let mut turnover = self.turnover.lock();
                turnover.busy = turnover.busy.saturating_sub(1);
                if !std::mem::replace(&mut known.queued, true) {
                    turnover.idle.push_back(peer);
                }
            }
        }
        while self.peers.len() > self.most && self.forget_idle() {}
    }

    /// Forgets the one that has been idle longest, unless it came back; false if there is none.
    fn forget_idle(&self) -> bool {
        let Some(peer) = self.turnover.lock().idle.pop_front() else {
            return false;
        };
        if let Entry::Occupied(mut entry) = self.peers.entry(peer) {
            match entry.get().workers {
                0 => drop(entry.remove()),
                _ => entry.get_mut().queued = false,
            }
        }
        true
    }

    /// What a peer has told of its restarts; nothing if it is not known.
    pub fn told(&self, peer: IpAddr) -> ToldRestarts {
        let known = self.peers.get(&peer).map(|known| *known);
        let known = known.unwrap_or_default();
        ToldRestarts {
            counter: known.recovery,
            restarts: known.restarts,
        }
    }

    /// Which of its sessions live; none of an unknown peer is known to have ended.
    pub(crate) fn incarnations(&self, peer: IpAddr) -> Incarnations {
        let known = self.peers.get(&peer).map(|known| known.incarnations());
        known.unwrap_or_default()
    }

    /// Looks after a peer; a worker that finds it without a supervisor becomes it.
    pub(crate) fn watch(&self, peer: IpAddr, worker: u16, now: Mono) -> Watched {
        match self.peers.get_mut(&peer) {
            Some(mut known) => {
                known.rest(now);
                Watched {
                    living: known.living,
                    supervisor: *known.supervisor.get_or_insert(worker) == worker,
                }
            }
            None => Watched {
                living: 0,
                supervisor: false,
            },
        }
    }

    /// Takes a restart counter in. One that is newer, modulo 256, moves the incarnation on (TS 23.007 18).
    pub(crate) fn tell(&self, peer: IpAddr, counter: u8, now: Mono) -> Told {
        let Some(mut known) = self.peers.get_mut(&peer) else {
            return Told::Nothing;
        };
        let Some(last) = known.recovery.replace(counter) else {
            return Told::Nothing;
        };
        match counter.wrapping_sub(last) {
            0 => Told::Nothing,
            1..=127 => {
                known.incarnation += 1;
                known.restarts = known.restarts.saturating_add(1);
                known.restarted(now)
            }
            128..=255 => {
                known.recovery = Some(last);
                Told::Outdated
            }
        }
    }

    /// The path to a peer is down: its sessions are to end, and its restart counter, which was theirs, is forgotten: a
    /// peer that comes back may have lost its own (TS 23.007 18: the counter of a peer that one is in contact with).
    pub(crate) fn fail(&self, peer: IpAddr) {
        if let Some(mut known) = self.peers.get_mut(&peer) {
            known.incarnation += 1;
            known.living = known.incarnation;
            known.recovery = None;
        }
    }
}

impl Known {
    fn incarnations(&self) -> Incarnations {
        Incarnations {
            current: self.incarnation,
            living: self.living,
        }
    }

    /// Its time to rest is over: what restarts were told meanwhile end its older sessions now.
    fn rest(&mut self, now: Mono) {
        if self.within > 0 && now.since(self.since) >= RESTARTS_SPAN {
            self.living = self.incarnation;
            self.within = 0;
        }
    }

    /// It has restarted, and its incarnation has moved on.
    fn restarted(&mut self, now: Mono) -> Told {
        self.rest(now);
        if self.within == 0 {
            self.since = now;
        }
        let first = self.within == RESTARTS_MAX;
        self.within = self.within.saturating_add(1);
        if self.within > RESTARTS_MAX {
            return Told::Restless { first };
        }
        self.living = self.incarnation;
        Told::Restarted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Mono = Mono(1_000_000_000);

    fn table(most: u32) -> PeerRestarts {
        PeerRestarts::new(most, Keyed::new([5, 6]))
    }

    fn peer(last: u8) -> IpAddr {
        [127, 0, 0, last].into()
    }

    #[test]
    fn a_newer_counter_moves_the_incarnation_on_and_an_older_one_does_not() {
        let table = table(4);
        assert_eq!(
            table.tell(peer(1), 9, NOW),
            Told::Nothing,
            "nobody knows it"
        );
        assert!(table.attach(peer(1), 0, false));
        assert_eq!(table.tell(peer(1), 254, NOW), Told::Nothing);
        assert_eq!(table.tell(peer(1), 254, NOW), Told::Nothing);
        assert_eq!(table.incarnations(peer(1)).living, 0);
        assert_eq!(table.tell(peer(1), 1, NOW), Told::Restarted);
        assert_eq!(table.tell(peer(1), 254, NOW), Told::Outdated);
        assert_eq!(table.tell(peer(1), 1, NOW), Told::Nothing);
        assert_eq!(table.tell(peer(1), 128, NOW), Told::Restarted);
        assert_eq!(table.tell(peer(1), 0, NOW), Told::Outdated);
        assert_eq!(table.incarnations(peer(1)).living, 2);
    }

    #[test]
    fn one_worker_supervises_and_another_takes_over() {
        let table = table(4);
        assert!(table.attach(peer(1), 0, false));
        assert!(table.attach(peer(1), 1, false));
        assert_eq!(table.busy(), 1, "a peer of two workers is one");
        assert!(table.watch(peer(1), 0, NOW).supervisor);
        assert!(!table.watch(peer(1), 1, NOW).supervisor);
        table.detach(peer(1), 0);
        assert!(table.watch(peer(1), 1, NOW).supervisor);
        table.fail(peer(1));
        assert_eq!(table.watch(peer(1), 1, NOW).living, 1);
    }

    #[test]
    fn peers_that_nobody_knows_make_room_and_keep_their_counter_until_then() {
        let table = table(2);
        assert!(table.attach(peer(1), 0, false));
        assert!(table.attach(peer(2), 0, false));
        assert!(!table.attach(peer(3), 0, false));
        assert!(table.attach(peer(1), 1, false), "known already");
        table.tell(peer(2), 7, NOW);
        table.detach(peer(2), 0);
        assert!(table.attach(peer(2), 0, false));
        assert_eq!(table.tell(peer(2), 8, NOW), Told::Restarted);
        table.detach(peer(2), 0);
        assert!(table.attach(peer(3), 0, false));
        assert_eq!(table.len(), 2);
        assert!(table.attach(peer(4), 0, true));
        assert_eq!(table.len(), 3);
    }

    #[test]
    fn peers_that_had_to_have_room_give_it_back() {
        let table = table(2);
        for last in 1..=9 {
            assert!(table.attach(peer(last), 0, true));
        }
        assert_eq!(table.len(), 9);
        for last in (1..=9).rev() {
            table.detach(peer(last), 0);
        }
        assert_eq!((table.len(), table.turnover.lock().idle.len()), (2, 2));
        assert!(table.attach(peer(3), 0, false));
    }

    #[test]
    fn who_comes_and_goes_is_queued_once_and_kept_while_it_is_known() {
        let table = table(2);
        for _ in 0..9 {
            assert!(table.attach(peer(1), 0, false));
            assert_eq!(table.busy(), 1);
            table.detach(peer(1), 0);
            assert_eq!(table.busy(), 0);
        }
        assert_eq!(table.turnover.lock().idle.len(), 1);
        assert!(table.attach(peer(1), 0, false));
        assert!(table.attach(peer(2), 0, false));
        assert!(!table.attach(peer(3), 0, false), "both are known");
        table.detach(peer(1), 0);
        assert!(table.attach(peer(3), 0, false), "queued again");
        assert_eq!((table.len(), table.turnover.lock().idle.len()), (2, 0));
    }

    /// Each restart makes sessions of its own time; those of the times before end at most so often.
    #[test]
    fn who_restarts_too_often_ends_its_sessions_once_a_minute() {
        let table = table(4);
        assert!(table.attach(peer(1), 0, false));
        let tell = |counter, now| table.tell(peer(1), counter, now);
        let living = |now| table.watch(peer(1), 0, now).living;
        assert_eq!(tell(0, NOW), Told::Nothing);
        for counter in 1..=3 {
            assert_eq!(tell(counter, NOW), Told::Restarted);
        }
        let later = NOW.after(RESTARTS_SPAN - Duration::from_nanos(1));
        for counter in 4..=99 {
            let first = counter == 4;
            assert_eq!(tell(counter, later), Told::Restless { first });
        }
        assert_eq!(living(later), 3);
        assert_eq!(table.incarnations(peer(1)).current, 99);
        assert_eq!(living(NOW.after(RESTARTS_SPAN)), 99, "all at once");
        assert_eq!(tell(100, NOW.after(RESTARTS_SPAN)), Told::Restarted);
        table.fail(peer(1));
        assert_eq!(living(later), 101, "a path that is down waits for nothing");
    }
}
