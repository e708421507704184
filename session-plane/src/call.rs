//! A call, whichever GTP version it came by: room, tunnel endpoint, addresses, permit, session.
//!
//! Both versions find out what is asked for, each in its own words, and say in their own causes what stood in the way.

use std::net::IpAddr;

use enforcer::{ClassId, Permit, Refusal};
use gtp::v1::{Apn as AskedApn, Nsapi};
use licensing::{Mono, Now};

use crate::clear::Farewell;
use crate::config::GtpVersion;
use crate::plane::SessionPlane;
use crate::pools::Lease;
use crate::session::{Access, Context, Identity, Leases, NONE, Session};
use crate::statistics::Ended;
use crate::table::{Endpoints, Place};

/// What a request asks for, found to be something that can be given.
pub(crate) struct Call<'a> {
    pub asked: AskedApn<'a>,
    /// Place in the configured access point names.
    pub apn: u16,
    pub emergency: bool,
    pub class: ClassId,
    /// It gives way to others near the ceiling.
    pub low_priority: bool,
    pub who: Identity,
    pub access: Access,
    /// Our tunnel endpoint in the header of the request, or 0.
    pub named: u32,
    /// NSAPI, or EPS bearer identity, of the first context.
    pub number: Nsapi,
    /// The shard that the request was steered by, which the endpoint that it is given carries.
    pub shard: u8,
    pub wants_v4: bool,
    pub wants_v6: bool,
    pub peer: IpAddr,
    pub peer_teid: u32,
    pub recovery: Option<u8>,
    pub user: (u32, IpAddr),
    /// A session that comes over from another access with its permit and its addresses; never refused for a license
    /// (rule L7).
    pub comes_over: Option<u32>,
    /// A session that is at another's PGW already, by an SGW elsewhere, and comes from there; never refused for a license
    /// either (rule L7).
    pub comes_here: bool,
}

/// A session was made.
pub(crate) struct Made {
    /// Its place in the table.
    pub place: u32,
    /// Our tunnel endpoint, for signalling as for user data.
    pub teid: u32,
    /// By S11: our tunnel endpoint for the signalling of its UE.
    pub ue_teid: Option<u32>,
    pub leases: Leases,
}

/// What stood in the way of a call. It left no trace.
pub(crate) enum Obstacle {
    /// One peer too many.
    Peers,
    /// No room for a session.
    Memory,
    /// No tunnel endpoint is free.
    Endpoints,
    /// No address is free.
    Addresses,
    /// The gate refused.
    License(Refusal),
}

/// Addresses for a session.
struct Offer {
    leases: Leases,
    /// Those of them taken out of the pools for it; the others are its predecessor's.
    fresh: Leases,
}

impl SessionPlane {
    /// Everything that may fail comes before the permit; after it nothing does. A refused request leaves all as it was.
    pub(crate) fn begin_call(&mut self, call: &Call<'_>, now: Now) -> Result<Made, Obstacle> {
        let version = call.access.version();
        let always = call.emergency || call.comes_over.is_some();
        let peer = self.meet(call.peer, version, always, now.mono);
        let peer = peer.ok_or(Obstacle::Peers)?;
        if let Some(counter) = call.recovery {
            self.hear_recovery(call.peer, counter, now.mono);
        }
        let incarnations = self.shared.restarts.incarnations(call.peer);
        // What comes over may itself be about to end: it has come over before that.
        if call.comes_over.is_none() {
            self.make_way_for_call(peer, incarnations.living);
        }
        let made = self.make(call, peer, incarnations.current, now.mono);
        if made.is_err() {
            self.part(peer);
        }
        made
    }

    fn make(
        &mut self,
        call: &Call<'_>,
        peer: u32,
        incarnation: u32,
        now: Mono,
    ) -> Result<Made, Obstacle> {
        let colliding = self.colliding(call);
        let collision = call.comes_over.map(Place::First).or(colliding);
        let collision = collision.or_else(|| self.emergency_before(call));
        let old = first(collision);
        // The session that comes over and the one that has its bearer's number may be two.
        let beside = first(colliding).filter(|other| Some(*other) != old);
        if !self.has_room(call.emergency, old) {
            return Err(Obstacle::Memory);
        }
        let teid = self.table.draw_teid(call.shard, None, &mut self.random);
        let teid = teid.ok_or(Obstacle::Endpoints)?;
        let ue_teid = match call.access {
            Access::S11 => Some(self.ue_teid(call, [old, beside], teid)?),
            Access::Gn | Access::S5 | Access::S2a | Access::S2b => None,
        };
        let offer = self.offer(call, old)?;
        let permit = match self.ask(old, call) {
            Ok(permit) => permit,
            Err(refusal) => {
                offer
                    .fresh
                    .iter()
                    .for_each(|lease| self.shared.pools.undo(lease));
                return Err(Obstacle::License(refusal));
            }
        };
        self.farewell = self.leaves_behind(call);
        self.counters.plain.handed_over += u64::from(self.farewell.is_some());
        let left = self.make_way(collision, offer.leases);
        if let Some(beside) = beside {
            self.end_session(beside, Ended::Replaced);
        }
        let mut made = Made {
            place: NONE,
            teid,
            ue_teid,
            leases: offer.leases,
        };
        let begun = self.begin_made(call, &made, permit, (peer, incarnation));
        made.place = begun;
        self.spare(begun);
        if let Some(left) = left {
            self.part(left);
        }
        if call.emergency {
            self.only_emergency(call, begun, now);
        }
        if let Some(ue) = ue_teid.and_then(|teid| self.table.ue_by_teid(teid)) {
            self.end_lost_of(ue, peer);
            self.move_ue(ue, peer, call.peer_teid, now);
        }
        Ok(made)
    }

    /// The session of a call, with all that it was given; its place.
    fn begin_made(
        &mut self,
        call: &Call<'_>,
        made: &Made,
        permit: Permit,
        (peer, incarnation): (u32, u32),
    ) -> u32 {
        let ue = made.ue_teid.map(|ours| Endpoints {
            ours,
            peers: call.peer_teid,
        });
        let session = Session {
            identity: call.who,
            teid: made.teid,
            peer_teid: ue.map_or(call.peer_teid, |_| 0),
            peer,
            incarnation,
            apn: call.apn,
            access: call.access,
            leases: made.leases,
            class: call.class,
            permit: Some(permit),
            context: Context::new(made.teid, call.number, call.user.0, call.user.1),
            further: NONE,
            newer: NONE,
            older: NONE,
        };
        self.begin_session(session, ue)
    }

    /// Whom what comes over leaves, by another access.
    fn leaves_behind(&self, call: &Call<'_>) -> Option<Farewell> {
        let (session, leg) = self.leg_of(call.comes_over?)?;
        let (from, to) = (session.access, call.access);
        (from != to).then_some(Farewell { leg, from, to })
    }

    /// Our endpoint for a UE by S11: the one that it has, if the request names it or a session that stays has it; else
    /// another, so that what an MME may still send that had it before does not reach the new session.
    pub(crate) fn ue_teid(
        &mut self,
        call: &Call<'_>,
        leaving: [Option<u32>; 2],
        drawn: u32,
    ) -> Result<u32, Obstacle> {
        let ue = self.table.ue_of(call.who);
        let ue = ue.and_then(|place| self.table.ue(place)).filter(|ue| {
            let mut sessions = ue.sessions();
            ue.teid == call.named || sessions.any(|session| !leaving.contains(&Some(session)))
        });
        if let Some(ue) = ue {
            return Ok(ue.teid);
        }
        let drawn = self
            .table
            .draw_teid(call.shard, Some(drawn), &mut self.random);
        drawn.ok_or(Obstacle::Endpoints)
    }

    /// All sessions of a UE by S11 are with one MME, this one from here on.
    pub(crate) fn move_ue(&mut self, ue: u32, peer: u32, peer_teid: u32, now: Mono) {
        let Some(record) = self.table.ue_mut(ue) else {
            return;
        };
        let renamed = std::mem::replace(&mut record.peer_teid, peer_teid) != peer_teid;
        for session in record.sessions() {
            self.hand_to(session, peer, renamed, now);
        }
    }

    /// A session is this peer's from here on; `renamed`: with another endpoint than before.
    pub(crate) fn hand_to(&mut self, session: u32, peer: u32, renamed: bool, now: Mono) {
        let came_from = self.table.session(session).map(|session| session.peer);
        let address = self.table.peers.get(peer).map(|peer| peer.address);
        let (Some(came_from), Some(address)) = (came_from, address) else {
            return;
        };
        if came_from != peer {
            let incarnation = self.shared.restarts.incarnations(address).current;
            self.table.move_to(session, peer, incarnation);
            self.part(came_from);
        }
        if renamed || came_from != peer {
            self.spare(session);
            self.follow_ending(session, now);
        }
    }

    /// What has the same key as the new session, which takes its place.
    fn colliding(&self, call: &Call<'_>) -> Option<Place> {
        match call.access.version() {
            GtpVersion::V1 => self.table.by_key(call.who.with(call.number)),
            GtpVersion::V2 => {
                let same = self.table.by_bearer(call.who, call.number, call.access);
                same.map(Place::First)
            }
        }
    }

    /// The emergency call that this emergency caller has.
    fn emergency_before(&self, call: &Call<'_>) -> Option<Place> {
        let before = self.emergencies.session_of(call.who);
        before.filter(|_| call.emergency).map(Place::First)
    }

    /// A caller has one emergency call: if it took the place of something else, the one before ends now.
    fn only_emergency(&mut self, call: &Call<'_>, session: u32, now: Mono) {
        let due = self.inactive_at(call.apn, now);
        if let Some(before) = self.emergencies.began(call.who, session, due) {
            let peer = self.table.session(before).map(|session| session.peer);
            self.end_session(before, Ended::Replaced);
            peer.into_iter().for_each(|peer| self.part(peer));
        }
    }

    /// Asks the gate. While a colliding session is replaced its place is never free; refused, the old one keeps its
    /// permit (rule L13). One that comes over brings its permit along.
    fn ask(&mut self, old: Option<u32>, call: &Call<'_>) -> Result<Permit, Refusal> {
        let (class, lot) = (call.class, Some(call.who.lot()));
        let Some((place, permit)) = old.and_then(|old| Some((old, self.take_permit(old)?))) else {
            return match (call.comes_here, call.low_priority) {
                (true, _) => Ok(self.gate.restore(class)),
                (false, true) => {
                    let percent = self.config.low_priority_percent;
                    self.gate.admit_low_priority(class, lot, percent)
                }
                (false, false) => self.gate.admit_of(class, lot),
            };
        };
        if call.comes_here || call.comes_over == Some(place) {
            let was = self.table.session(place).map(|session| session.class);
            return Ok(match was == Some(class) {
                true => permit,
                false => self.gate.reclass(permit, class),
            });
        }
        self.gate
            .replace_of(permit, class, lot)
            .map_err(|(refusal, permit)| {
                if let Some(session) = self.table.session_mut(place) {
                    session.permit = Some(permit);
                }
                refusal
            })
    }

    /// Takes out what the new session replaces: the old session whole, or the one further context that has its NSAPI
    /// (TS 29.060 7.3.1). The peer that had the old session, if there was one.
    fn make_way(&mut self, collision: Option<Place>, kept: Leases) -> Option<u32> {
        match collision? {
            Place::First(old) => {
                let session = self.table.remove(old)?;
                let peer = session.peer;
                self.settle(old, session, Ended::Replaced, kept);
                Some(peer)
            }
            further @ Place::Further(_) => {
                self.table.remove_context(further);
                None
            }
        }
    }

    /// Addresses of the wanted type. One that replaces a session of the same access point name keeps its addresses: a
    /// full pool must not end a session that is only made anew. So does one that comes over.
    fn offer(&self, call: &Call<'_>, old: Option<u32>) -> Result<Offer, Obstacle> {
        let comes_over = old.is_some() && old == call.comes_over;
        let old = old.and_then(|old| self.table.session(old));
        let old = old.filter(|session| comes_over || session.apn == call.apn);
        let inherited = old.map_or(Leases::default(), |session| session.leases);
        let apn = self.config.apns.get(usize::from(call.apn));
        let apn = apn.ok_or(Obstacle::Addresses)?;
        let v4 = self.lease(call.wants_v4, inherited.v4, &apn.ipv4_pools);
        let v6 = self.lease(call.wants_v6, inherited.v6, &apn.ipv6_pools);
        let unless_inherited =
            |lease: Option<Lease>, inherited| lease.filter(|_| lease != inherited);
        let fresh = Leases {
            v4: unless_inherited(v4.unwrap_or_default(), inherited.v4),
            v6: unless_inherited(v6.unwrap_or_default(), inherited.v6),
        };
        match (v4, v6) {
            (Some(v4), Some(v6)) => Ok(Offer {
                leases: Leases { v4, v6 },
                fresh,
            }),
            (None, _) | (_, None) => {
                fresh.iter().for_each(|lease| self.shared.pools.undo(lease));
                Err(Obstacle::Addresses)
            }
        }
    }

    /// The address of one family: the inherited one, or one from the pools; inside, none if none is wanted.
    fn lease(
        &self,
        wanted: bool,
        inherited: Option<Lease>,
        pools: &[u16],
    ) -> Option<Option<Lease>> {
        if !wanted {
            return Some(None);
        }
        let lease = inherited.or_else(|| self.shared.pools.allocate(pools));
        lease.map(Some)
    }
}

/// The session that a place is the first context of.
fn first(place: Option<Place>) -> Option<u32> {
    match place? {
        Place::First(session) => Some(session),
        Place::Further(_) => None,
    }
}
