//! Hand-overs that MMEs have prepared: a session that comes by one takes a permit before its PGW is asked, so it may not
//! wait for ever for the Modify Bearer that has the PGW asked.
//!
//! An eNodeB gives a hand-over up after TS1RELOCprep and TS1RELOCoverall (TS 36.413 8.4.1, 8.4.2), an MME releases what it
//! has prepared when its own timer runs out (TS 23.401 5.5.1.2.2); the specifications give none of them a value, and all
//! are seconds.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use licensing::Mono;

use crate::hashing::OwnNumbers;
use crate::plane::SessionPlane;
use crate::statistics::Ended;

/// How long a prepared session waits for its hand-over, and a PGW's answer that is on its way then beside.
pub(super) const PREPARED_FOR: Duration = Duration::from_secs(60);
/// Sessions ended in one step.
const STEP: usize = 256;

/// Prepared sessions, by place.
#[derive(Debug)]
pub(super) struct Preparations {
    waiting: HashMap<u32, Waiting, OwnNumbers>,
    /// When the hand-over of each is given up.
    due: BTreeSet<(Mono, u32)>,
}

#[derive(Clone, Copy, Debug)]
struct Waiting {
    due: Mono,
    /// It was put off once, for the PGW's answer.
    put_off: bool,
}

impl Preparations {
    pub(super) fn new() -> Self {
        Self {
            waiting: HashMap::with_hasher(OwnNumbers),
            due: BTreeSet::new(),
        }
    }

    pub(super) fn begin(&mut self, session: u32, due: Mono) {
        self.end(session);
        let put_off = false;
        self.waiting.insert(session, Waiting { due, put_off });
        self.due.insert((due, session));
    }

    /// The PGW is asked, and answers by then. Once: the PGW of an MME that asks on and on may not even be there.
    pub(super) fn put_off(&mut self, session: u32, due: Mono) {
        if let Some(waiting) = self.waiting.get_mut(&session)
            && !std::mem::replace(&mut waiting.put_off, true)
            && waiting.due < due
        {
            self.due.remove(&(waiting.due, session));
            self.due.insert((due, session));
            waiting.due = due;
        }
    }

    /// The session has come, or is gone.
    pub(super) fn end(&mut self, session: u32) {
        if let Some(waiting) = self.waiting.remove(&session) {
            self.due.remove(&(waiting.due, session));
        }
    }

    /// Those that wait are those that are prepared.
    #[cfg(test)]
    pub(super) fn check(&self, prepared: &BTreeSet<u32>) {
        let waiting: BTreeSet<_> = self.waiting.keys().copied().collect();
        assert_eq!(*prepared, waiting);
        let due = self.waiting.iter();
        let due: BTreeSet<_> = due.map(|(place, waiting)| (waiting.due, *place)).collect();
        assert_eq!(due, self.due);
    }
}

impl SessionPlane {
    /// When the next hand-over is given up.
    pub(crate) fn preparations_due(&self) -> Option<Mono> {
        let first = self.relays.preparations.due.first();
        first.map(|(due, _)| *due)
    }

    /// Ends prepared sessions whose hand-overs did not come, a few at a time. They are other SGWs' still, so nobody is told:
    /// to an MME that hands over all the same the session is unknown.
    pub(crate) fn end_unconfirmed(&mut self, now: Mono) {
        for _ in 0..STEP {
            let first = self.relays.preparations.due.first();
            let Some((_, session)) = first.copied().filter(|(due, _)| *due <= now) else {
                return;
            };
            self.relays.preparations.end(session);
            self.end_session(session, Ended::NotMade);
        }
    }
}
