//! An SGW between the MME on S11 and a PGW on S5/S8: what the MME asks for is asked of the PGW, and answered when the PGW
//! has answered (TS 23.401 4.4.3.2, 5.3.2, 5.3.8, 5.4.4; TS 29.274 7.2).
//!
//! A session that comes by S11 for another PGW has a [`Relay`] beside its record: who that PGW is, and which procedure is
//! on. Its permit is taken before the PGW is asked, so that a call that is refused here never gets there; refused there,
//! or not answered, it is given back. While the PGW is asked the session is there, and holds the number of its bearer: the
//! MME's request again finds itself in progress and does nothing (rule L13), another one takes the session's place.
//!
//! What the MME waits for is a [`Pending`], and each has one request of ours outstanding, so that their bound is its
//! ([`Bounds::requests`](crate::config::Bounds::requests)). Every way out answers: the PGW's answer, its absence, and the
//! end of the session by something else ([`Farewell`]).
//!
//! One that comes from another SGW is at its PGW already: that is told to have it by us, with the Create or, while the MME
//! only prepares a hand-over, with the first Modify Bearer, for which it waits a minute ([`preparations`]). It is never
//! refused for a license (rule L7).
//!
//! Whatever ends a session here, nothing of it hangs at the PGW, and nothing of one that the PGW lost at the MME: they are
//! told, if they were not who asked for it. A PGW that accepts when nobody waits any more is told too.

mod asked;
mod create_session;
mod delete_bearer;
mod delete_session;
mod farewell;
mod modify_bearer;
mod pass;
mod preparations;
mod refused_bearers;

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;

use gtp::v2::{Cause, CauseIe, FTeid, IeType, MessageType, WriteError};
use licensing::{Mono, Now};

use super::Request;
use crate::config::{GtpVersion, PlaneConfig};
use crate::hashing::{Keyed, OwnNumbers};
use crate::peers::Peers;
use crate::plane::SessionPlane;
use crate::session::{ContextKey, NONE, Session};
use crate::slab::Slab;
use crate::statistics::Ended;
use crate::transactions::{Leg, NoRoom, Purpose, Said, Transaction};
use asked::Asked;
use farewell::{Farewell, Unanswered};
use pass::Head;
use preparations::Preparations;

/// Peers that wait to be told of the end of a session, at most, each of at most 64 octets; the rest are not told, and
/// counted.
const FAREWELLS_MAX: usize = 1 << 20;

/// A session's other half, towards its PGW.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Relay {
    pub state: State,
    /// The PGW's tunnel endpoint for signalling, once it has told it.
    pgw_teid: u32,
    /// The PGW, a place in the worker's table of peers; [`NONE`] until it has accepted.
    pgw: u32,
    /// The incarnation of the PGW that it belongs to.
    pub incarnation: u32,
    /// Sessions with the same PGW: the one accepted after and the one accepted before it.
    newer: u32,
    older: u32,
}

impl Relay {
    /// Whether it is with the PGW that has this place in the table of peers.
    pub(crate) fn is_at(&self, peer: u32) -> bool {
        self.pgw == peer
    }
}

/// Which procedure is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// The PGW is asked to make the session.
    Asking {
        /// What waits for that.
        pending: u32,
    },
    /// It is there, at the PGW too.
    Up,
    /// It is there, and at the PGW by another SGW still: the MME prepares a hand-over.
    Prepared,
    /// The MME wants it deleted, and the PGW is asked to.
    Leaving,
    /// The PGW wants it deleted, and the MME is asked to.
    Closing {
        /// What waits for that.
        pending: u32,
    },
}

/// A session as it is at its PGW.
#[derive(Clone, Copy, Debug)]
struct AtPgw {
    leg: Leg,
    /// Place of the access point name.
    apn: u16,
}

impl AtPgw {
    /// Whether any PGW has this one in the place of the other, or it is the other: there are some to which another access
    /// point name is another session.
    fn replaces(&self, other: &Self) -> bool {
        let same = self.apn == other.apn || self.leg.peer_teid == other.leg.peer_teid;
        self.leg.peer == other.leg.peer && same
    }
}

/// A session that a PGW is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    key: ContextKey,
    /// Place of the access point name.
    apn: u16,
    pgw: IpAddr,
}

/// What a PGW tells sessions of this SGW apart by, whatever their access point name (TS 29.274 7.2.1): asked for the same
/// again, it replaces the one that it has made. It is asked once at a time: two requests might come in another order.
type Same = (ContextKey, IpAddr);

impl Wanted {
    fn same(self) -> Same {
        (self.key, self.pgw)
    }
}

/// A request that waits for another peer than the one that sent it.
#[derive(Debug)]
struct Pending {
    asked: Asked,
    /// The session that it is about, by place and endpoint: another may have the place by now.
    session: u32,
    teid: u32,
    /// Of our own request; none, it is still to be sent.
    sequence: Option<u32>,
    step: Step,
}

/// What is done when the answer is there.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// The session is made or not. What it replaced has to go at its PGW, unless that replaces it itself.
    Create {
        wanted: Wanted,
        predecessor: Option<AtPgw>,
    },
    /// The MME is told what the PGW says.
    Modify,
    /// The PGW has the session by us; the MME waits for another answer.
    Come,
    /// The session ends.
    End,
}

impl Step {
    fn predecessor(self) -> Option<AtPgw> {
        match self {
            Self::Create { predecessor, .. } => predecessor,
            Self::Modify | Self::Come | Self::End => None,
        }
    }

    fn wanted(self) -> Option<Wanted> {
        match self {
            Self::Create { wanted, .. } => Some(wanted),
            Self::Modify | Self::Come | Self::End => None,
        }
    }
}

/// The relayed sessions of one worker.
#[derive(Debug)]
pub(crate) struct Relays {
    /// By the session's place.
    relays: HashMap<u32, Relay, OwnNumbers>,
    pending: Slab<Pending>,
    /// Sessions that nobody waits for any more while their PGW is asked on, so that it can be told to delete what it has
    /// made; with what waits to ask for the same next, if anything does.
    unwanted: HashMap<Same, Option<u32>, Keyed>,
    /// Who waits for an answer about a session that has ended in this step.
    unanswered: Vec<Unanswered>,
    /// Who is still to be told that a session has ended.
    farewells: VecDeque<Farewell>,
    preparations: Preparations,
}

impl Relays {
    pub(crate) fn new(keyed: Keyed) -> Self {
        Self {
            relays: HashMap::with_hasher(OwnNumbers),
            pending: Slab::new(),
            unwanted: HashMap::with_hasher(keyed),
            unanswered: Vec::new(),
            farewells: VecDeque::new(),
            preparations: Preparations::new(),
        }
    }

    pub(crate) fn get(&self, session: u32) -> Option<&Relay> {
        self.relays.get(&session)
    }

    /// The PGW is asked to make a session.
    fn begin(&mut self, session: u32, pending: u32) {
        let relay = Relay {
            state: State::Asking { pending },
            pgw_teid: 0,
            pgw: NONE,
            incarnation: 0,
            newer: NONE,
            older: NONE,
        };
        self.relays.insert(session, relay);
    }

    fn set_state(&mut self, session: u32, state: State) {
        if let Some(relay) = self.relays.get_mut(&session) {
            relay.state = state;
            self.preparations.end(session);
        }
    }

    /// A hand-over is prepared, until then.
    fn prepare(&mut self, session: u32, until: Mono) {
        self.set_state(session, State::Prepared);
        self.preparations.begin(session, until);
    }

    /// Takes a session's half out.
    fn take(&mut self, session: u32, peers: &mut Peers) -> Option<Relay> {
        self.unlink(session, peers);
        self.preparations.end(session);
        self.relays.remove(&session)
    }

    /// The PGW has the session from here on; it becomes the newest there.
    fn link(&mut self, session: u32, peers: &mut Peers, pgw: u32, incarnation: u32) {
        let Some(peer) = peers.get_mut(pgw) else {
            return;
        };
        let older = std::mem::replace(&mut peer.newest_relay, session);
        peer.relays += 1;
        match self.relays.get_mut(&older) {
            Some(before) => before.newer = session,
            None => peer.oldest_relay = session,
        }
        if let Some(relay) = self.relays.get_mut(&session) {
            (relay.pgw, relay.incarnation) = (pgw, incarnation);
            (relay.newer, relay.older) = (NONE, older);
        }
    }

    fn unlink(&mut self, session: u32, peers: &mut Peers) {
        let Some(relay) = self.relays.get(&session) else {
            return;
        };
        let (newer, older) = (relay.newer, relay.older);
        let Some(peer) = peers.get_mut(relay.pgw) else {
            return;
        };
        peer.relays -= 1;
        match self.relays.get_mut(&newer) {
            Some(after) => after.older = older,
            None => peer.newest_relay = older,
        }
        match self.relays.get_mut(&older) {
            Some(before) => before.newer = newer,
            None => peer.oldest_relay = newer,
        }
    }

    /// Requests that wait for another peer.
    #[cfg(test)]
    pub(crate) fn waiting(&self) -> usize {
        self.pending.len() as usize
    }

    /// Every list is whole, and whoever waits is waited for.
    #[cfg(test)]
    pub(crate) fn check(&self, peers: &Peers) {
        let mut linked = 0;
        for (place, peer) in peers.iter() {
            let (mut at, mut newer, mut found) = (peer.newest_relay, NONE, 0);
            let mut incarnation = u32::MAX;
            while let Some(relay) = self.relays.get(&at) {
                assert_eq!((relay.pgw, relay.newer), (place, newer));
                assert!(relay.incarnation <= incarnation, "older ones come later");
                incarnation = relay.incarnation;
                (newer, at) = (at, relay.older);
                found += 1;
            }
            assert_eq!((peer.relays, peer.oldest_relay), (found, newer));
            linked += found as usize;
        }
        let unsent = self
            .pending
            .iter()
            .filter(|(_, waiting)| waiting.sequence.is_none());
        let unsent: Vec<_> = unsent.map(|(place, _)| Some(place)).collect();
        let next = self.unwanted.values().filter(|next| next.is_some());
        assert!(next.clone().all(|next| unsent.contains(next)));
        assert_eq!(unsent.len(), next.count());
        let asking = |relay: &&Relay| matches!(relay.state, State::Asking { .. });
        let asking = self.relays.values().filter(asking).count();
        assert_eq!(self.relays.len(), linked + asking);
        let prepared = self.relays.iter();
        let prepared = prepared.filter(|(_, relay)| relay.state == State::Prepared);
        let prepared = prepared.map(|(place, _)| *place).collect();
        self.preparations.check(&prepared);
    }
}

impl SessionPlane {
    /// The peer that somebody waits for has answered, or was given up.
    pub(crate) fn relay_answered(
        &mut self,
        pending: u32,
        transaction: Transaction,
        said: Option<Said<'_>>,
        now: Now,
    ) {
        let state = State::Asking { pending };
        let Some(waiting) = self.relays.pending.remove(pending) else {
            return;
        };
        match waiting.step {
            Step::Create { predecessor, .. } => {
                let wanted =
                    self.relays.get(waiting.session).map(|relay| relay.state) == Some(state);
                self.session_asked(&waiting, predecessor, wanted, transaction, said, now);
            }
            Step::Modify => self.bearer_modified(&waiting, said, now),
            Step::Come => self.connection_came(&waiting, said),
            Step::End => self.session_gone(&waiting, said, now),
        }
    }

    /// Sends a request of ours, whose answer another one waits for: the peer's, about the session at this place. None: it
    /// can't be sent, and nothing waits.
    fn ask_for(
        &mut self,
        request: &Request<'_>,
        peer_teid: u32,
        (session, step): (u32, Step),
        leg: Leg,
        kind: MessageType,
        write: impl for<'b> FnOnce(Head<'b>, &PlaneConfig) -> Result<&'b [u8], WriteError>,
    ) -> Option<u32> {
        let teid = self.table.session(session)?.teid;
        let pending = self.relays.pending.insert(Pending {
            asked: Asked::new(request, peer_teid),
            session,
            teid,
            sequence: None,
            step,
        });
        let purpose = Purpose::Relay { pending };
        let asked = self.ask_peer_of_relay(leg, kind, purpose, request.now, write);
        match (asked, self.relays.pending.get_mut(pending)) {
            (Ok(sequence), Some(waiting)) => {
                waiting.sequence = Some(sequence);
                self.cache.begin(&request.fingerprint);
                Some(pending)
            }
            (Err(_), _) | (_, None) => {
                self.relays.pending.remove(pending);
                None
            }
        }
    }

    /// Sends a request of ours; the number that it has.
    fn ask_peer_of_relay(
        &mut self,
        leg: Leg,
        kind: MessageType,
        purpose: Purpose,
        now: Now,
        write: impl for<'b> FnOnce(Head<'b>, &PlaneConfig) -> Result<&'b [u8], WriteError>,
    ) -> Result<u32, NoRoom> {
        let sequence = self.transactions.draw(GtpVersion::V2)?;
        let version = GtpVersion::V2;
        let transaction = leg.transaction(&self.config, version, kind.0, sequence, purpose);
        let mut octets = std::mem::take(&mut self.scratch);
        let head = Head {
            kind,
            teid: leg.peer_teid,
            sequence,
            out: &mut octets,
        };
        let written = write(head, &self.config).is_ok();
        if written {
            self.begin_request(transaction, &octets, now.mono);
        }
        self.scratch = octets;
        match written {
            true => Ok(sequence),
            false => Err(NoRoom),
        }
    }

    /// Who was asked to end a session has answered, or did not: it is gone here, which is what was wanted. What the other
    /// does not know is gone there too. Only while the MME has a hand-over on it stays, and the PGW asks again (TS 23.401
    /// 5.4.4.1).
    fn session_gone(&mut self, waiting: &Pending, said: Option<Said<'_>>, now: Now) {
        let busy = said.is_some_and(|said| said.cause.cause == Cause::TEMPORARILY_REJECTED);
        if let Some(place) = self.waited_for(waiting) {
            let state = self.relays.get(place).map(|relay| relay.state);
            if busy && matches!(state, Some(State::Closing { .. })) {
                self.relays.set_state(place, State::Up);
            } else {
                self.relays.take(place, &mut self.table.peers);
                self.end_session(place, Ended::Deleted);
            }
        }
        let gone = CauseIe::new(Cause::REQUEST_ACCEPTED);
        let (cause, mut passed) = match said {
            Some(said) => (pass::remote(said.cause), pass::of_answer(said.ies)),
            None => (gone, Vec::new()),
        };
        if said.is_none_or(|said| said.ies.get(IeType::EBI, 0).is_none()) {
            passed.extend(waiting.asked.linked());
        }
        let cause = match cause.cause {
            Cause::CONTEXT_NOT_FOUND => gone,
            _ => cause,
        };
        self.answer_cause(&waiting.asked, cause, passed, now);
    }

    /// The session that somebody waits for, if it is there still.
    fn waited_for(&self, waiting: &Pending) -> Option<u32> {
        let session = self.table.session(waiting.session)?;
        (session.teid == waiting.teid).then_some(waiting.session)
    }

    /// How a session stands at its PGW, if that has accepted it.
    fn at_pgw(&self, place: u32, session: &Session) -> Option<AtPgw> {
        let relay = self.relays.get(place)?;
        let address = self.table.peers.get(relay.pgw)?.address;
        Some(AtPgw {
            leg: self.leg_to_pgw(address, relay.pgw_teid, session),
            apn: session.apn,
        })
    }

    /// The address that the endpoint of a PGW has, if one other host may have it that our own address can reach.
    pub(super) fn pgw_address(&self, endpoint: &FTeid) -> Option<IpAddr> {
        let ours = self.config.control.ip();
        let v4 = endpoint.v4.filter(|address| !address.is_broadcast());
        let v6 = endpoint.v6.map(|address| address.to_canonical());
        let mut addresses = v4.map(IpAddr::V4).into_iter().chain(v6);
        addresses.find(|address| {
            address.is_ipv4() == ours.is_ipv4()
                && *address != ours
                && !address.is_unspecified()
                && !address.is_multicast()
        })
    }

    fn leg_to_pgw(&self, address: IpAddr, peer_teid: u32, session: &Session) -> Leg {
        Leg {
            peer: (address, self.config.echo.peer_port).into(),
            peer_teid,
            teid: session.teid,
            number: session.context.nsapi,
        }
    }

    /// The endpoint of the PGW whose session a request is about, if it names our end towards it.
    pub(super) fn pgw_teid_of(&self, request: &Request<'_>) -> Option<u32> {
        let relay = self.relays.get(self.relay_named(request)?)?;
        Some(relay.pgw_teid)
    }

    /// The relayed session whose endpoint towards its PGW a request names.
    fn relay_named(&self, request: &Request<'_>) -> Option<u32> {
        let place = self.table.by_teid(request.teid?)?;
        self.relays.get(place).map(|_| place)
    }
}
