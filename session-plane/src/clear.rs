//! Sessions that an operator ends: their peers are asked to delete them, and with the answer they are gone.
//!
//! Until then a session is there and holds its permit: it may be changed, deleted by its peer, replaced, or lost with its
//! peer; whatever ends it first ends it, once. One that moves is asked of the peer that it has moved to.
//!
//! A clear first counts, then asks. It looks at a few places of the table at a time and sends a few requests at a time, so
//! that it holds up no call; while half of the requests that may be outstanding are, it waits. Clears are counted one
//! after the other, and then asked for one after the other.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::time::Duration;

use gtp::v1::Imsi;
use gtp::{v1, v2};
use licensing::{Mono, Now, ServiceIndex};

use crate::config::{Apn, GtpVersion, PlaneConfig};
use crate::plane::SessionPlane;
use crate::session::{Access, Identity, Session};
use crate::statistics::Ended;
use crate::transactions::{Leg, NoRoom, Purpose, Why};
use crate::v2::{Relay, State};

/// Clears that wait for their turn, the one that goes on included.
const CLEARS_MAX: usize = 16;
/// Places looked at in one step.
const PLACES_STEP: u32 = 4096;
/// Sessions asked for in one step.
const SESSIONS_STEP: u32 = 16;
/// From one step to the next.
const PACE: Duration = Duration::from_millis(1);

/// What an operator wants ended, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clear {
    /// Whose sessions.
    pub whom: Whom,
    /// The UE is asked to connect again (TS 29.274 7.2.9.2, TS 29.060 7.3.5).
    pub reactivate: bool,
}

/// Whose sessions are ended. Emergency calls are only where the subscriber or the access point name is named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whom {
    /// A subscriber's.
    Imsi(Imsi),
    /// Those of an access point name as configured, letter case apart.
    Apn(String),
    /// A peer's, by its control-plane address, and what is relayed to it.
    Peer(IpAddr),
    /// Those that take a service's license.
    Service(ServiceIndex),
    /// All.
    All,
}

/// A session that went over to another access, as its old peer knows it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Farewell {
    pub leg: Leg,
    pub from: Access,
    pub to: Access,
}

/// Clears, in their order.
#[derive(Debug, Default)]
pub(crate) struct Clears {
    waiting: VecDeque<Clearing>,
    due: Mono,
}

/// One clear.
#[derive(Debug)]
struct Clearing {
    /// Access point names, by place, whose sessions are meant.
    apns: Vec<bool>,
    who: Option<Identity>,
    peer: Option<IpAddr>,
    reactivate: bool,
    /// The next place that is looked at, and the one after the last.
    next: u32,
    end: u32,
    /// Sessions found; none: they were counted and told.
    found: Option<u64>,
}

impl Clears {
    /// When the next step is due.
    pub(crate) fn due(&self) -> Option<Mono> {
        (!self.waiting.is_empty()).then_some(self.due)
    }
}

impl Clearing {
    fn new(clear: &Clear, config: &PlaneConfig, end: u32) -> Self {
        let meant = |apn: &Apn| match &clear.whom {
            Whom::Imsi(_) => true,
            Whom::Apn(name) => apn.name.eq_ignore_ascii_case(name),
            Whom::Peer(_) | Whom::All => !apn.emergency,
            Whom::Service(service) => apn.service == *service && !apn.emergency,
        };
        let (who, peer) = match clear.whom {
            Whom::Imsi(imsi) => (Some(Identity::of_imsi(imsi)), None),
            Whom::Peer(address) => (None, Some(address.to_canonical())),
            Whom::Apn(_) | Whom::Service(_) | Whom::All => (None, None),
        };
        Self {
            apns: config.apns.iter().map(meant).collect(),
            who,
            peer,
            reactivate: clear.reactivate,
            next: 0,
            end,
            found: Some(0),
        }
    }

    /// `peer`: the place of the peer that is meant, if one is and it is there; an SGW's session has two.
    fn means(&self, session: &Session, relay: Option<&Relay>, peer: Option<u32>) -> bool {
        let is_peer = |peer| session.peer == peer || relay.is_some_and(|relay| relay.is_at(peer));
        self.apns[usize::from(session.apn)]
            && self.who.is_none_or(|who| session.identity == who)
            && (self.peer.is_none() || peer.is_some_and(is_peer))
    }
}

impl SessionPlane {
    /// Begins to end the sessions that are there now. How many they are is told as
    /// [`Output::Cleared`](crate::Output::Cleared) before long, in the order of the clears. False: too many clears wait
    /// already.
    pub fn clear(&mut self, clear: &Clear, now: Now) -> bool {
        if self.clears.waiting.len() >= CLEARS_MAX {
            return false;
        }
        if self.clears.waiting.is_empty() {
            self.clears.due = now.mono;
        }
        let clearing = Clearing::new(clear, &self.config, self.table.places());
        self.clears.waiting.push_back(clearing);
        true
    }

    /// One step of the first clear that is to be counted, else of the first one, if it is due.
    pub(crate) fn step_clear(&mut self, now: Mono) {
        if self.clears.due().is_none_or(|due| now < due) {
            return;
        }
        self.clears.due = now.after(PACE);
        let waiting = &mut self.clears.waiting;
        let uncounted = waiting.iter().position(|clearing| clearing.found.is_some());
        let at = uncounted.unwrap_or(0);
        let Some(mut clearing) = waiting.remove(at) else {
            return;
        };
        let peer = clearing.peer.and_then(|peer| self.table.peers.find(peer));
        let to = clearing.next.saturating_add(PLACES_STEP).min(clearing.end);
        match clearing.found {
            Some(found) => self.count_cleared(&mut clearing, peer, to, found),
            None => self.ask_for_cleared(&mut clearing, peer, to, now),
        }
        if clearing.next < clearing.end {
            self.clears.waiting.insert(at, clearing);
        }
    }

    fn is_meant(&self, clearing: &Clearing, place: u32, peer: Option<u32>) -> bool {
        let session = self.table.session(place);
        session.is_some_and(|session| clearing.means(session, self.relays.get(place), peer))
    }

    /// Having counted all, it begins anew.
    fn count_cleared(&mut self, clearing: &mut Clearing, peer: Option<u32>, to: u32, found: u64) {
        let places = clearing.next..to;
        let here = places
            .filter(|&place| self.is_meant(clearing, place, peer))
            .count();
        let found = found + here as u64;
        if to < clearing.end {
            (clearing.next, clearing.found) = (to, Some(found));
        } else {
            (clearing.next, clearing.found) = (0, None);
            self.outbox.cleared(found);
        }
    }

    /// Stops where there is no room to ask; the next step begins there.
    fn ask_for_cleared(&mut self, clearing: &mut Clearing, peer: Option<u32>, to: u32, now: Mono) {
        let mut asked = 0;
        while clearing.next < to {
            let place = clearing.next;
            let meant = self.is_meant(clearing, place, peer);
            if meant && self.is_to_be_asked(place, Ended::Cleared) {
                let full = asked >= SESSIONS_STEP || self.transactions.half_full();
                let why = Why::Cleared {
                    reactivate: clearing.reactivate,
                };
                if full || self.ask_to_delete(place, why, now).is_err() {
                    return;
                }
                asked += 1;
            }
            clearing.next += 1;
        }
    }

    /// Whether the peer of a session has to be asked for its end. One that an SGW is about to end is not, and one whose PGW
    /// has not answered yet the peer does not know: that one ends at once.
    pub(crate) fn is_to_be_asked(&mut self, place: u32, how: Ended) -> bool {
        match self.relays.get(place).map(|relay| relay.state) {
            Some(State::Asking { .. }) => {
                self.end_session(place, how);
                false
            }
            Some(State::Leaving | State::Closing { .. }) => false,
            Some(State::Up | State::Prepared) | None => self.transactions.ending(place).is_none(),
        }
    }

    /// A session has moved. If it is about to end, the peer that it has moved to is asked instead of the other, unless that
    /// was often enough: then it ends when the last one asked has had its time.
    pub(crate) fn follow_ending(&mut self, session: u32, now: Mono) {
        let sends = self.transactions.sends_to_end(session);
        if sends < self.config.n3_requests {
            self.ask_anew(session, sends, now);
        }
    }

    /// Asks for the end of a session by another request than before; N3-REQUESTS are sent in all, whatever they are.
    pub(crate) fn ask_anew(&mut self, session: u32, sends: u8, now: Mono) {
        if let Some(Purpose::EndSession { why, .. }) = self.transactions.ending(session) {
            self.transactions.forget(session);
            // There is room: one request was taken back.
            let _asked = self.ask_to_delete(session, why, now);
            self.transactions.count_earlier(session, sends);
        }
    }

    /// Tells the peer that a session has left by another access (TS 23.402 8.2, 8.6; TS 29.274 7.2.9.2). Nothing hangs on
    /// its answer, and where there is no room to ask it is left to find out by itself.
    pub(crate) fn say_farewell(&mut self, now: Mono) {
        let Some(Farewell { leg, from, to }) = self.farewell.take() else {
            return;
        };
        let cause = match (from.is_3gpp(), to.is_3gpp()) {
            (true, false) => Some(v2::Cause::RAT_CHANGED_TO_NON_3GPP),
            (false, true) => Some(v2::Cause::ACCESS_CHANGED_TO_3GPP),
            (false, false) => None,
            // From one SGW to another: the old one is told by its MME (TS 23.401 5.3.3.1).
            (true, true) => return,
        };
        if self
            .ask_to_delete_bearer(leg, cause, Purpose::Farewell, now)
            .is_err()
        {
            self.counters.plain.requests_unsent += 1;
        }
    }

    /// Asks the peer of a session to delete it.
    pub(crate) fn ask_to_delete(&mut self, place: u32, why: Why, now: Mono) -> Result<(), NoRoom> {
        let Some((session, leg)) = self.leg_of(place) else {
            return Ok(());
        };
        let purpose = Purpose::EndSession { place, why };
        match session.access.version() {
            GtpVersion::V1 => {
                let cause = match why {
                    Why::Cleared { reactivate } => {
                        reactivate.then_some(v1::Cause::REACTIVATION_REQUESTED)
                    }
                    Why::Inactive => Some(v1::Cause::PDP_ADDRESS_INACTIVITY_TIMER_EXPIRES),
                };
                self.ask_to_delete_contexts(leg, cause, purpose, now)
            }
            GtpVersion::V2 => {
                let cause = match why {
                    Why::Cleared { reactivate } => {
                        reactivate.then_some(v2::Cause::REACTIVATION_REQUESTED)
                    }
                    Why::Inactive => Some(v2::Cause::PDN_CONNECTION_INACTIVITY_TIMER_EXPIRES),
                };
                self.ask_to_delete_bearer(leg, cause, purpose, now)
            }
        }
    }

    /// A session, and how its peer is spoken to about it.
    pub(crate) fn leg_of(&self, place: u32) -> Option<(&Session, Leg)> {
        let session = self.table.session(place)?;
        let peer = self.table.peers.get(session.peer)?;
        let endpoints = self.table.endpoints(place)?;
        let leg = Leg {
            peer: (peer.address, self.config.echo.peer_port).into(),
            peer_teid: endpoints.peers,
            teid: endpoints.ours,
            number: session.context.nsapi,
        };
        Some((session, leg))
    }
}
