//! The session table of one worker: records, and the ways to find them.

use gtp::v1::Nsapi;
use rand::RngCore;
use rand::rngs::StdRng;

use crate::config::GtpVersion;
use crate::hashing::{Keyed, OwnNumbers};
use crate::peers::Peers;
use crate::segmented::Segmented;
use crate::session::{Access, Context, ContextKey, Further, Identity, NONE, Session};
use crate::slab::Slab;
use crate::statistics::{AddressType, TypeCount};
use crate::ues::{Ue, Ues};

/// Tries to draw a tunnel endpoint that is free; with half of a shard's numbers taken, 64 fail once in 10^19 times.
const DRAWS: usize = 64;
/// In an index: not a session's place but that of a further context.
const FURTHER: u32 = 1 << 31;
/// In the index of tunnel endpoints: not a session's place but that of a UE.
const UE: u32 = 1 << 30;
/// In the index of tunnel endpoints: taken for user data by the first context of a session that has another for signalling.
const USER_DATA_ONLY: u32 = u32::MAX;
/// Most sessions of a worker, and most further contexts.
pub(crate) const PLACES_MAX: u32 = UE - 1;

/// Where a context is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// The first one of this session.
    First(u32),
    /// A further one.
    Further(u32),
}

impl Place {
    fn of(entry: u32) -> Self {
        match entry & FURTHER {
            0 => Self::First(entry),
            _ => Self::Further(entry & !FURTHER),
        }
    }

    fn entry(self) -> u32 {
        match self {
            Self::First(place) => place,
            Self::Further(place) => place | FURTHER,
        }
    }
}

/// What is left of a session after one of its contexts went.
#[derive(Debug)]
pub(crate) enum Left {
    /// The session, with its other contexts.
    Session,
    /// Nothing: that was its last.
    Nothing(Session),
}

/// Sessions, further contexts, peers.
#[derive(Debug)]
pub(crate) struct Table {
    sessions: Slab<Session>,
    further: Slab<Further>,
    /// Our tunnel endpoints: sessions by the one for signalling, UEs likewise, further contexts by the one for user data.
    teids: Segmented<u32, u32, OwnNumbers>,
    /// Contexts of sessions that came by GTPv1.
    contexts: Segmented<ContextKey, u32, Keyed>,
    /// Sessions that came by GTPv2, but for S11: a subscriber uses the number of a bearer once for each access, whatever
    /// the access point name is (TS 29.274 7.2.1: the triplet of IMSI, EPS Bearer ID and interface type).
    bearers: Segmented<(ContextKey, Access), u32, Keyed>,
    /// Whose sessions came by S11, and these.
    ues: Ues,
    pub(crate) peers: Peers,
    /// Sessions, by place of their access and of their addresses.
    by_type: [[u32; AddressType::ALL.len()]; Access::ALL.len()],
}

/// The two tunnel endpoints of signalling.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Endpoints {
    pub ours: u32,
    pub peers: u32,
}

/// Where a session is counted.
fn cell<'a>(
    counts: &'a mut [[u32; AddressType::ALL.len()]; Access::ALL.len()],
    session: &Session,
) -> &'a mut u32 {
    let addresses = match (session.leases.v4, session.leases.v6) {
        (None, None) => AddressType::Elsewhere,
        (Some(_), None) => AddressType::Ipv4,
        (None, Some(_)) => AddressType::Ipv6,
        (Some(_), Some(_)) => AddressType::Ipv4v6,
    };
    &mut counts[session.access as usize][addresses as usize]
}

impl Table {
    pub(crate) fn new(keyed: Keyed) -> Self {
        Self {
            sessions: Slab::new(),
            further: Slab::new(),
            teids: Segmented::with_hasher(&OwnNumbers),
            contexts: Segmented::with_hasher(&keyed),
            bearers: Segmented::with_hasher(&keyed),
            ues: Ues::new(keyed.clone()),
            peers: Peers::new(keyed),
            by_type: Default::default(),
        }
    }

    /// Sessions.
    pub(crate) fn len(&self) -> u32 {
        self.sessions.len()
    }

    /// PDP contexts, of all sessions.
    pub(crate) fn contexts(&self) -> u32 {
        self.sessions.len() + self.further.len()
    }

    /// Contexts of a session beyond its first.
    pub(crate) fn further_of(&self, session: &Session) -> u32 {
        let next = |further: &Further| self.further.get(further.next);
        let all = std::iter::successors(self.further.get(session.further), |one| next(one));
        u32::try_from(all.count()).unwrap_or(u32::MAX)
    }

    /// Sessions now, by access and by the addresses that they have of the node's pools.
    pub(crate) fn by_type(&self) -> Vec<TypeCount> {
        let kinds = Access::ALL.into_iter().zip(&self.by_type);
        let counts = kinds.flat_map(|(access, row)| {
            let of = AddressType::ALL.into_iter().zip(row);
            of.map(move |(addresses, &sessions)| TypeCount {
                access,
                addresses,
                sessions,
            })
        });
        counts.filter(|count| count.sessions > 0).collect()
    }

    /// Places of sessions made; every session's is below.
    pub(crate) fn places(&self) -> u32 {
        self.sessions.places()
    }

    pub(crate) fn session(&self, place: u32) -> Option<&Session> {
        self.sessions.get(place)
    }

    pub(crate) fn session_mut(&mut self, place: u32) -> Option<&mut Session> {
        self.sessions.get_mut(place)
    }

    #[cfg(test)]
    pub(crate) fn sessions(&self) -> impl Iterator<Item = (u32, &Session)> {
        self.sessions.iter()
    }

    /// The session that has this tunnel endpoint.
    pub(crate) fn by_teid(&self, teid: u32) -> Option<u32> {
        let entry = *self.teids.get(&teid)?;
        (entry & (FURTHER | UE) == 0).then_some(entry)
    }

    /// The UE whose signalling by S11 has this tunnel endpoint.
    pub(crate) fn ue_by_teid(&self, teid: u32) -> Option<u32> {
        let entry = *self.teids.get(&teid)?;
        (entry & (FURTHER | UE) == UE).then_some(entry & !UE)
    }

    /// The UE that somebody has sessions of by S11.
    pub(crate) fn ue_of(&self, who: Identity) -> Option<u32> {
        self.ues.find(who)
    }

    pub(crate) fn ue(&self, place: u32) -> Option<&Ue> {
        self.ues.get(place)
    }

    pub(crate) fn ue_mut(&mut self, place: u32) -> Option<&mut Ue> {
        self.ues.get_mut(place)
    }

    /// The endpoints for the signalling of a session: by S11 those of its UE.
    pub(crate) fn endpoints(&self, place: u32) -> Option<Endpoints> {
        let session = self.sessions.get(place)?;
        match session.access {
            Access::S11 => {
                let ue = self.ue(self.ue_of(session.identity)?)?;
                Some(Endpoints {
                    ours: ue.teid,
                    peers: ue.peer_teid,
                })
            }
            Access::Gn | Access::S5 | Access::S2a | Access::S2b => Some(Endpoints {
                ours: session.teid,
                peers: session.peer_teid,
            }),
        }
    }

    /// The session whose signalling has this tunnel endpoint, if it came by this version.
    pub(crate) fn by_teid_of(&self, teid: u32, version: GtpVersion) -> Option<u32> {
        let place = self.by_teid(teid)?;
        let session = self.sessions.get(place)?;
        (session.access.version() == version).then_some(place)
    }

    /// The context with this key.
    pub(crate) fn by_key(&self, key: ContextKey) -> Option<Place> {
        self.contexts.get(&key).copied().map(Place::of)
    }

    /// The session by GTPv2 of this subscriber, bearer and access, whatever its access point name is.
    pub(crate) fn by_bearer(&self, who: Identity, number: Nsapi, access: Access) -> Option<u32> {
        match access {
            Access::S11 => self.ue(self.ue_of(who)?)?.session(number),
            Access::Gn | Access::S5 | Access::S2a | Access::S2b => {
                self.bearers.get(&(who.with(number), access)).copied()
            }
        }
    }

    /// The session by GTPv2 that a hand-over to this bearer and access is about: the one that is there already, else one
    /// that the subscriber has with this access point name by another access, else one by the same access. The name has
    /// a place for each role that gives addresses.
    pub(crate) fn handed_over(
        &self,
        who: Identity,
        number: Nsapi,
        apns: [Option<u16>; 2],
        access: Access,
    ) -> Option<u32> {
        let of = |number, access| {
            let place = self.by_bearer(who, number, access)?;
            let apn = self.sessions.get(place)?.apn;
            apns.contains(&Some(apn)).then_some(place)
        };
        let others = Access::OF_V2.into_iter().filter(|other| *other != access);
        let numbers = || (0..=Nsapi::MAX).filter_map(|number| Nsapi::new(number).ok());
        of(number, access).or_else(|| {
            let mut accesses = others.chain([access]);
            accesses.find_map(|access| numbers().find_map(|number| of(number, access)))
        })
    }

    /// The session that a context belongs to.
    pub(crate) fn session_of(&self, place: Place) -> Option<u32> {
        match place {
            Place::First(session) => Some(session),
            Place::Further(place) => self.further.get(place).map(|further| further.session),
        }
    }

    /// The context of this NSAPI in a session.
    pub(crate) fn context_of(&self, session: u32, nsapi: Nsapi) -> Option<Place> {
        let record = self.sessions.get(session)?;
        if record.context.nsapi == nsapi {
            return Some(Place::First(session));
        }
        let place = self.by_key(record.identity.with(nsapi))?;
        (self.session_of(place) == Some(session)).then_some(place)
    }

    pub(crate) fn context_mut(&mut self, place: Place) -> Option<&mut Context> {
        match place {
            Place::First(place) => self.sessions.get_mut(place).map(|s| &mut s.context),
            Place::Further(place) => self.further.get_mut(place).map(|f| &mut f.context),
        }
    }

    /// Draws a tunnel endpoint that no session, UE or context of ours has, and that is not `drawn` before: the shard
    /// below, 24 random bits above, never 0. None if there is none to be found.
    pub(crate) fn draw_teid(
        &self,
        shard: u8,
        drawn: Option<u32>,
        random: &mut StdRng,
    ) -> Option<u32> {
        (0..DRAWS)
            .map(|_| random.next_u32() & !0xFF | u32::from(shard))
            .find(|teid| *teid >= 0x100 && Some(*teid) != drawn && !self.teids.contains_key(teid))
    }

    /// Puts a session in, with no further contexts; it becomes the newest of its peer, and one by S11 its UE's.
    pub(crate) fn insert(&mut self, session: Session, ue: Option<Endpoints>) -> u32 {
        let (teid, peer) = (session.teid, session.peer);
        let key = session.identity.with(session.context.nsapi);
        let access = session.access;
        *cell(&mut self.by_type, &session) += 1;
        let (who, number) = (session.identity, session.context.nsapi);
        let place = self.sessions.insert(session);
        self.teids.insert(teid, Place::First(place).entry());
        match (access, ue) {
            (Access::Gn, _) => drop(self.contexts.insert(key, Place::First(place).entry())),
            (Access::S11, Some(Endpoints { ours, peers })) => {
                let ue = self.ues.join(who, ours, peers, number, place);
                self.teids.insert(ours, ue | UE);
            }
            (Access::S11, None) => {}
            (Access::S5 | Access::S2a | Access::S2b, _) => {
                self.bearers.insert((key, access), place);
            }
        }
        self.link(place, peer);
        place
    }

    /// Takes a session out, with all its contexts.
    pub(crate) fn remove(&mut self, place: u32) -> Option<Session> {
        self.unlink(place);
        let session = self.sessions.remove(place)?;
        *cell(&mut self.by_type, &session) -= 1;
        let mut next = session.further;
        while let Some(further) = self.further.remove(next) {
            self.forget(
                further.context.teid,
                session.identity,
                further.context.nsapi,
            );
            next = further.next;
        }
        let (identity, nsapi) = (session.identity, session.context.nsapi);
        match session.access {
            Access::Gn => self.forget(session.teid, identity, nsapi),
            Access::S11 | Access::S5 | Access::S2a | Access::S2b => {
                self.forget_bearer(identity, nsapi, session.access);
                self.teids.remove(&session.teid);
            }
        }
        self.teids.remove(&session.context.teid);
        Some(session)
    }

    /// A session goes on by S11, under this access point name and number; its own endpoint is the same.
    pub(crate) fn join_ue(&mut self, place: u32, apn: u16, number: Nsapi, ue: Endpoints) {
        let Some(session) = self.sessions.get_mut(place) else {
            return;
        };
        let (who, had) = (session.identity, session.context.nsapi);
        let access = session.access;
        *cell(&mut self.by_type, session) -= 1;
        (session.access, session.apn) = (Access::S11, apn);
        *cell(&mut self.by_type, session) += 1;
        (session.context.nsapi, session.peer_teid) = (number, 0);
        self.forget_bearer(who, had, access);
        let joined = self.ues.join(who, ue.ours, ue.peers, number, place);
        self.teids.insert(ue.ours, joined | UE);
    }

    /// A session by S11 leaves its UE and goes on by S5, under this access point name; its endpoint is the same.
    pub(crate) fn leave_ue(&mut self, place: u32, apn: u16) {
        let Some(session) = self.sessions.get_mut(place) else {
            return;
        };
        *cell(&mut self.by_type, session) -= 1;
        (session.access, session.apn) = (Access::S5, apn);
        *cell(&mut self.by_type, session) += 1;
        let (who, number) = (session.identity, session.context.nsapi);
        self.forget_bearer(who, number, Access::S11);
        self.bearers.insert((who.with(number), Access::S5), place);
    }

    /// Puts a further context into a session.
    pub(crate) fn insert_further(&mut self, session: u32, context: Context) {
        let Some(record) = self.sessions.get_mut(session) else {
            return;
        };
        let place = self.further.insert(Further {
            context,
            session,
            next: record.further,
        });
        record.further = place;
        let key = record.identity.with(context.nsapi);
        self.teids
            .insert(context.teid, Place::Further(place).entry());
        self.contexts.insert(key, Place::Further(place).entry());
    }

    /// Takes one context out; the session goes with its last one. Its first context's place is taken by another.
    pub(crate) fn remove_context(&mut self, place: Place) -> Option<Left> {
        match place {
            Place::Further(place) => {
                self.remove_further(place)?;
                Some(Left::Session)
            }
            Place::First(session) => match self.sessions.get(session)?.further {
                NONE => self.remove(session).map(Left::Nothing),
                heir => self.promote(session, heir),
            },
        }
    }

    fn remove_further(&mut self, place: u32) -> Option<Further> {
        let gone = self.further.remove(place)?;
        let record = self.sessions.get_mut(gone.session)?;
        let identity = record.identity;
        if record.further == place {
            record.further = gone.next;
        } else {
            let mut at = record.further;
            while let Some(before) = self.further.get_mut(at) {
                if before.next == place {
                    before.next = gone.next;
                    break;
                }
                at = before.next;
            }
        }
        self.forget(gone.context.teid, identity, gone.context.nsapi);
        Some(gone)
    }

    /// The heir becomes the first context. The session's signalling endpoint stays, and the number that the heir has for
    /// user data stays taken.
    fn promote(&mut self, session: u32, heir: u32) -> Option<Left> {
        let heir = self.remove_further(heir)?;
        let record = self.sessions.get_mut(session)?;
        let old = record.identity.with(record.context.nsapi);
        let new = record.identity.with(heir.context.nsapi);
        let user_data = std::mem::replace(&mut record.context, heir.context).teid;
        if user_data != record.teid {
            self.teids.remove(&user_data);
        }
        self.teids.insert(heir.context.teid, USER_DATA_ONLY);
        self.contexts.remove(&old);
        self.contexts.insert(new, Place::First(session).entry());
        Some(Left::Session)
    }

    /// The number of a bearer by GTPv2 is free; by S11 its UE goes with its last session.
    fn forget_bearer(&mut self, who: Identity, number: Nsapi, access: Access) {
        if access != Access::S11 {
            self.bearers.remove(&(who.with(number), access));
        } else if let Some(ue) = self.ues.leave(who, number) {
            self.teids.remove(&ue.teid);
        }
    }

    fn forget(&mut self, teid: u32, identity: Identity, nsapi: Nsapi) {
        self.teids.remove(&teid);
        self.contexts.remove(&identity.with(nsapi));
    }

    /// Moves a session to another peer, of which it becomes the newest.
    pub(crate) fn move_to(&mut self, session: u32, peer: u32, incarnation: u32) {
        self.unlink(session);
        if let Some(record) = self.sessions.get_mut(session) {
            record.incarnation = incarnation;
        }
        self.link(session, peer);
    }

    fn link(&mut self, session: u32, peer: u32) {
        let Some(entry) = self.peers.get_mut(peer) else {
            return;
        };
        let older = entry.newest;
        entry.newest = session;
        entry.sessions += 1;
        if older == NONE {
            entry.oldest = session;
        } else if let Some(before) = self.sessions.get_mut(older) {
            before.newer = session;
        }
        if let Some(record) = self.sessions.get_mut(session) {
            record.peer = peer;
            record.newer = NONE;
            record.older = older;
        }
    }

    fn unlink(&mut self, session: u32) {
        let Some(record) = self.sessions.get(session) else {
            return;
        };
        let (peer, newer, older) = (record.peer, record.newer, record.older);
        if let Some(after) = self.sessions.get_mut(newer) {
            after.older = older;
        }
        if let Some(before) = self.sessions.get_mut(older) {
            before.newer = newer;
        }
        let Some(entry) = self.peers.get_mut(peer) else {
            return;
        };
        entry.sessions -= 1;
        if newer == NONE {
            entry.newest = older;
        }
        if older == NONE {
            entry.oldest = newer;
        }
    }

    /// Every index leads to its record, every record is found, and lists are whole.
    #[cfg(test)]
    pub(crate) fn check(&self) {
        let (mut contexts, mut promoted, mut by_s11) = (0, 0, 0);
        for (place, session) in self.sessions.iter() {
            if session.context.teid != session.teid {
                assert_eq!(self.teids.get(&session.context.teid), Some(&USER_DATA_ONLY));
                promoted += 1;
            }
            assert_eq!(self.by_teid(session.teid), Some(place));
            let key = session.identity.with(session.context.nsapi);
            contexts += 1;
            if session.access.version() == GtpVersion::V2 {
                let (who, number) = (session.identity, session.context.nsapi);
                let found = self.by_bearer(who, number, session.access);
                assert_eq!(found, Some(place));
                assert_eq!(session.further, NONE);
                by_s11 += usize::from(session.access == Access::S11);
                continue;
            }
            assert_eq!(self.by_key(key), Some(Place::First(place)));
            let mut next = session.further;
            while let Some(further) = self.further.get(next) {
                assert_eq!(further.session, place);
                let key = session.identity.with(further.context.nsapi);
                assert_eq!(self.by_key(key), Some(Place::Further(next)));
                assert_eq!(self.by_teid(further.context.teid), None);
                contexts += 1;
                next = further.next;
            }
        }
        assert_eq!(contexts, self.contexts() as usize);
        assert_eq!(contexts, self.contexts.len() + self.bearers.len() + by_s11);
        let ues = self.ues.len() as usize;
        assert_eq!(contexts + promoted + ues, self.teids.len());
        for (place, ue) in self.ues.iter() {
            assert_eq!(self.ue_by_teid(ue.teid), Some(place));
            let sessions = || ue.sessions().filter_map(|session| self.session(session));
            assert!(sessions().count() > 0);
            assert_eq!(sessions().count(), ue.sessions().count());
            assert!(sessions().all(|session| self.ue_of(session.identity) == Some(place)));
            by_s11 -= ue.sessions().count();
            // All of them are with one MME.
            let peers: std::collections::BTreeSet<_> = sessions().map(|s| s.peer).collect();
            assert_eq!(peers.len(), 1);
        }
        assert_eq!(by_s11, 0);
        for (place, peer) in self.peers.iter() {
            self.check_peer(place, peer);
        }
    }

    #[cfg(test)]
    fn check_peer(&self, place: u32, peer: &crate::peers::Peer) {
        let mut sessions = 0;
        let (mut at, mut newer, mut incarnation) = (peer.newest, NONE, u32::MAX);
        while let Some(session) = self.sessions.get(at) {
            assert_eq!((session.peer, session.newer), (place, newer));
            assert!(session.incarnation <= incarnation, "older ones come later");
            incarnation = session.incarnation;
            sessions += 1;
            (newer, at) = (at, session.older);
        }
        assert_eq!((sessions, peer.oldest), (peer.sessions, newer));
    }
}
