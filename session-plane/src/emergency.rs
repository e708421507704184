//! Living emergency calls by who makes them: one a UE (TS 23.401 4.3.12), ended when nothing is heard of it for too long.
//!
//! A UE may have one emergency PDN connection, whatever its number, its access point name and the access, and MME or SGSN
//! see to it. A second one that reaches us tells that the first is gone for whoever asks: it takes its place, as a
//! colliding session would (TS 29.274 7.2.1). It is not refused, because no emergency call is (rule L8).
//!
//! Inactive is a call about which its peer has signalled nothing: the user plane is not ours, so that whoever talks is not
//! seen here. Its peer is asked to delete it, as an operator's clear would.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use licensing::Mono;

use crate::hashing::Keyed;
use crate::plane::SessionPlane;
use crate::session::Identity;
use crate::statistics::Ended;
use crate::transactions::Why;
use crate::ues::Ue;

/// Peers asked in one step to delete calls that are inactive.
const STEP: usize = 16;
/// From one look at a call that is inactive to the next: it may not have been asked for yet, for want of room.
const PACE: Duration = Duration::from_secs(1);

/// Emergency sessions.
#[derive(Debug)]
pub(crate) struct Emergencies {
    living: HashMap<Identity, Living, Keyed>,
    /// When each is inactive, of those that may be.
    due: BTreeSet<(Mono, Identity)>,
}

#[derive(Clone, Copy, Debug)]
struct Living {
    /// Its place in the table.
    session: u32,
    /// None: never.
    due: Option<Mono>,
}

impl Emergencies {
    pub(crate) fn new(keyed: Keyed) -> Self {
        Self {
            living: HashMap::with_hasher(keyed),
            due: BTreeSet::new(),
        }
    }

    /// When the next one is inactive.
    pub(crate) fn due(&self) -> Option<Mono> {
        self.due.first().map(|(at, _)| *at)
    }

    pub(crate) fn session_of(&self, who: Identity) -> Option<u32> {
        self.living.get(&who).map(|living| living.session)
    }

    /// A session has begun; the one that its caller had, if it is still there, is to end.
    pub(crate) fn began(&mut self, who: Identity, session: u32, due: Option<Mono>) -> Option<u32> {
        let before = self.living.insert(who, Living { session, due });
        self.wait(who, before.and_then(|before| before.due), due);
        before.map(|before| before.session)
    }

    /// A session, of whatever kind, has ended.
    pub(crate) fn ended(&mut self, who: Identity, session: u32) {
        if self.session_of(who) == Some(session)
            && let Some(living) = self.living.remove(&who)
        {
            self.wait(who, living.due, None);
        }
    }

    /// It is inactive at another time, if it ever is.
    fn put_off(&mut self, who: Identity, session: u32, due: Mono) {
        let living = self.living.get_mut(&who);
        let living = living.filter(|living| living.session == session);
        if let Some(before) = living.and_then(|living| living.due.as_mut()) {
            let before = std::mem::replace(before, due);
            self.wait(who, Some(before), Some(due));
        }
    }

    fn wait(&mut self, who: Identity, before: Option<Mono>, due: Option<Mono>) {
        if let Some(before) = before {
            self.due.remove(&(before, who));
        }
        self.due.extend(due.map(|due| (due, who)));
    }

    /// One that is inactive now.
    fn inactive(&self, now: Mono) -> Option<(Identity, u32)> {
        let (_, who) = *self.due.first().filter(|(at, _)| *at <= now)?;
        Some((who, self.session_of(who)?))
    }

    /// Those that wait are those that may be inactive, and the waiting is of the living.
    #[cfg(test)]
    pub(crate) fn check(&self) {
        let waiting = self.living.iter();
        let waiting: BTreeSet<_> = waiting
            .filter_map(|(who, living)| Some((living.due?, *who)))
            .collect();
        assert_eq!(waiting, self.due);
    }
}

impl SessionPlane {
    /// When a session of this access point name is inactive if nothing more is heard of it.
    pub(crate) fn inactive_at(&self, apn: u16, now: Mono) -> Option<Mono> {
        let apn = self.config.apns.get(usize::from(apn))?;
        Some(now.after(apn.emergency_inactivity.filter(|_| apn.emergency)?))
    }

    /// A peer signalled to this endpoint of ours: what belongs to it is not inactive.
    pub(crate) fn hear_about(&mut self, teid: u32, now: Mono) {
        if self.emergencies.due.is_empty() {
            return;
        }
        let ue = self.table.ue_by_teid(teid);
        let of_ue = ue.and_then(|ue| self.table.ue(ue)).map(Ue::sessions);
        let sessions = self.table.by_teid(teid).into_iter();
        for place in sessions.chain(of_ue.into_iter().flatten()) {
            let session = self.table.session(place);
            let session = session.map(|session| (session.identity, session.apn));
            if let Some((who, apn)) = session
                && let Some(due) = self.inactive_at(apn, now)
            {
                self.emergencies.put_off(who, place, due);
            }
        }
    }

    /// Asks for the deletion of calls that are inactive, a few at a time.
    pub(crate) fn end_inactive(&mut self, now: Mono) {
        for _ in 0..STEP {
            let Some((who, session)) = self.emergencies.inactive(now) else {
                return;
            };
            if self.is_to_be_asked(session, Ended::Inactive) {
                // Where there is no room to ask, there may be at the next look.
                let _asked = self.ask_to_delete(session, Why::Inactive, now);
            }
            self.emergencies.put_off(who, session, now.after(PACE));
        }
    }
}
