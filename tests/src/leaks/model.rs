//! What should be there.

use std::time::Duration;

use licensing::{Mono, ServiceIndex};

use crate::message::Interface;
use crate::planes::{GGSN, PGW, SAEGW, SGW};

/// Access point names; the third is for emergencies, the last has few addresses.
pub(crate) const APNS: [&str; 4] = ["internet", "ims", "sos", "tiny"];
const SOS: usize = 2;
pub(crate) const TINY: usize = 3;
/// Addresses that the last one has.
const TINY_ADDRESSES: u32 = 8;
pub(crate) const SERVICES: [ServiceIndex; 4] = [GGSN, PGW, SAEGW, SGW];
/// After a restart was told the sessions of the peer are gone by then: a worker hears of it within a second.
pub(crate) const GONE_AFTER: Duration = Duration::from_millis(1_300);

/// How a session's signalling comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Via {
    /// By GTPv1.
    Gn,
    /// By GTPv2.
    V2(Interface),
}

impl Via {
    pub(crate) fn is_s11(self) -> bool {
        self == Self::V2(Interface::S11)
    }
}

/// How far a session is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Its PGW is asked for it.
    Asking,
    Up,
    /// Its PGW is asked to delete it.
    Leaving,
    /// Its PGW wants it deleted, and the MME is asked.
    Closing,
}

/// One session, or one that is asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Known {
    /// No other has had it.
    pub id: u64,
    pub subscriber: u64,
    pub via: Via,
    pub apn: usize,
    /// NSAPI, or the number of the default bearer.
    pub number: u8,
    /// Our endpoint for its signalling, and its peer's.
    pub ours: u32,
    pub theirs: u32,
    pub peer: usize,
    /// The PGW of another's, of a session that is passed on there.
    pub pgw: Option<usize>,
    pub state: State,
    /// Its peer has restarted at this time: it may be gone.
    pub doomed: Option<Mono>,
}

/// A session's endpoint at its peer, and the number of its first context: by S11 a UE has one endpoint for all of them.
pub(crate) type Key = (u32, u8);

impl Known {
    pub(crate) fn key(&self) -> Key {
        (self.theirs, self.number)
    }

    pub(crate) fn service(&self) -> ServiceIndex {
        match (self.via, self.pgw) {
            (_, Some(_)) => SGW,
            (Via::Gn, None) => GGSN,
            (Via::V2(Interface::S11), None) => SAEGW,
            (Via::V2(Interface::S5 | Interface::S2a | Interface::S2b), None) => PGW,
        }
    }

    /// Whether it ends when this peer restarts. A PGW has what it has made.
    pub(crate) fn is_of(&self, peer: usize) -> bool {
        self.peer == peer || self.pgw == Some(peer) && self.state != State::Asking
    }

    pub(crate) fn is_emergency(&self) -> bool {
        self.apn == SOS
    }

    /// Whether it takes the place of the other.
    fn collides(&self, other: &Self) -> bool {
        if self.subscriber != other.subscriber {
            return false;
        }
        if self.is_emergency() && other.is_emergency() {
            return true;
        }
        self.via == other.via && self.number == other.number
    }
}

/// How many there are, surely and at most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Range {
    pub sure: u32,
    pub most: u32,
}

impl Range {
    fn of<'a>(sessions: impl Iterator<Item = &'a Known>) -> Self {
        let mut range = Self::default();
        for session in sessions {
            range.most += 1;
            range.sure += u32::from(session.doomed.is_none());
        }
        range
    }

    pub(crate) fn has(&self, count: i64) -> bool {
        (i64::from(self.sure)..=i64::from(self.most)).contains(&count)
    }
}

/// What may be answered to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Verdicts {
    pub accepted: bool,
    pub no_license: bool,
    pub no_address: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Model {
    pub sessions: Vec<Known>,
    /// By place in [`SERVICES`].
    pub ceilings: [Option<u32>; 4],
    pub blocked: [bool; 4],
}

impl Model {
    /// Sessions of a service that hold a license.
    pub(crate) fn licensed(&self, of: ServiceIndex) -> Range {
        let sessions = self.sessions.iter();
        Range::of(sessions.filter(|s| s.service() == of && !s.is_emergency()))
    }

    pub(crate) fn all(&self) -> Range {
        Range::of(self.sessions.iter())
    }

    pub(crate) fn emergencies(&self) -> Range {
        Range::of(self.sessions.iter().filter(|s| s.is_emergency()))
    }

    /// What a call replaces: what it collides with, or what comes over to it. Of an emergency call's there may be two.
    pub(crate) fn replaced(&self, call: &Known, comes_over: Option<Key>) -> Vec<Known> {
        let goes = |s: &&Known| call.collides(s) || comes_over == Some(s.key());
        self.sessions.iter().filter(goes).copied().collect()
    }

    /// What may be answered to a call.
    pub(crate) fn verdicts(&self, call: &Known, comes_over: Option<Key>) -> Verdicts {
        // What comes over keeps its place before what has the same number; an emergency call takes the place of what has
        // the same number before that of another emergency call.
        let replaced = self.replaced(call, comes_over);
        let over = |s: &&Known| comes_over == Some(s.key());
        let number = |s: &&Known| (s.via, s.number) == (call.via, call.number);
        let old = replaced.iter().find(over).or(replaced.iter().find(number));
        let old = old.or(replaced.first());
        let sure_old = old.filter(|old| old.doomed.is_none());
        let doubtful = old.is_some() && sure_old.is_none();

        let keeps_address = |old: &&Known| old.apn == call.apn && old.service() == call.service();
        let tiny = Range::of(self.sessions.iter().filter(|s| s.apn == TINY));
        let needs_address = call.apn == TINY && sure_old.filter(keeps_address).is_none();
        let no_address = needs_address && tiny.most >= TINY_ADDRESSES;
        let surely_no_address = needs_address && !doubtful && tiny.sure >= TINY_ADDRESSES;

        let at = SERVICES.iter().position(|s| *s == call.service());
        let at = at.unwrap_or_default();
        let count = self.licensed(call.service());
        let full = |count: u32| self.ceilings[at].is_some_and(|most| count >= most);
        let free = call.is_emergency() || comes_over.is_some() && sure_old.is_some();
        let in_place = |old: &&Known| !old.is_emergency() && old.service() == call.service();
        let sure_in_place = sure_old.filter(in_place).is_some();
        let no_license = !free && (self.blocked[at] || full(count.most) && !sure_in_place);
        let surely_no_license =
            !free && !doubtful && (self.blocked[at] || full(count.sure) && !sure_in_place);
        Verdicts {
            accepted: !surely_no_address && !surely_no_license,
            no_license,
            no_address,
        }
    }

    /// The sessions of a peer that were made before its restart.
    pub(crate) fn doom(&mut self, peer: usize, now: Mono) {
        let sessions = self.sessions.iter_mut();
        for session in sessions.filter(|session| session.is_of(peer)) {
            session.doomed.get_or_insert(now);
        }
    }

    /// Forgets those that must be gone by now.
    pub(crate) fn forget_gone(&mut self, now: Mono) {
        let lives = |doomed: Option<Mono>| doomed.is_none_or(|at| now < at.after(GONE_AFTER));
        self.sessions.retain(|session| lives(session.doomed));
    }

    pub(crate) fn find(&self, key: Key) -> Option<usize> {
        self.sessions
            .iter()
            .position(|session| session.key() == key)
    }

    pub(crate) fn by_id(&self, id: u64) -> Option<usize> {
        self.sessions.iter().position(|session| session.id == id)
    }

    pub(crate) fn remove(&mut self, key: Key) {
        self.sessions.retain(|session| session.key() != key);
    }
}
