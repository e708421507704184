//! Looking after peers: Echo Requests of our own, and the end of sessions whose peer restarted or is unreachable.

use std::collections::{BTreeSet, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use gtp::{v1, v2};
use licensing::{Mono, Now};

use crate::config::{GtpVersion, PathDown};
use crate::output::Path;
use crate::peers::Asked;
use crate::plane::SessionPlane;
use crate::restarts::Told;
use crate::statistics::Ended;

/// A worker hears of a restart that another worker was told of at most this much later.
const WATCH: Duration = Duration::from_secs(1);
/// Peers looked after in one step.
const PEERS_STEP: usize = 64;
/// Peers are looked after at multiples of this, so that many of them do not wake a worker one by one.
const WATCH_GRAIN: Duration = Duration::from_millis(50);
/// Echo Requests sent in one step.
pub(crate) const ECHOES_STEP: usize = 10;
/// From one such step to the next: a worker asks at most 2,000 peers a second, so that the answers of many that were met
/// at the same instant, or are silent at the same time, do not come as a flood either.
pub(crate) const ECHO_PACE: Duration = Duration::from_millis(5);
/// Sessions ended in one step.
pub(crate) const SESSIONS_STEP: usize = 256;
/// Of these, sessions of one peer before it is the next one's turn.
pub(crate) const SESSIONS_SHARE: usize = 32;
/// Sessions ended before a new call is looked at: it is not refused for what the dead hold.
pub(crate) const SESSIONS_BEFORE_CALL: usize = 4;

/// What is to be done for peers.
#[derive(Debug, Default)]
pub(crate) struct Supervision {
    /// When each peer is looked after next.
    watches: BTreeSet<(Mono, u32)>,
    /// Peers that may have sessions of older incarnations, in turn.
    pub(crate) stale: VecDeque<u32>,
    /// Peers whose Echo Request is due, in the order in which it became so.
    asking: VecDeque<u32>,
    /// When the next of these may be sent one.
    asking_at: Mono,
    /// Counts our Echo Requests.
    sequence: u8,
}

/// A session of a peer's older incarnation.
#[derive(Clone, Copy)]
enum Stale {
    /// Its own.
    Own(u32),
    /// One that came by S11, of which it is the PGW.
    Relayed(u32),
}

impl Supervision {
    /// When there is something to do; the beginning of time if there is something now.
    pub(crate) fn due(&self) -> Option<Mono> {
        if !self.stale.is_empty() {
            return Some(Mono(0));
        }
        let watch = self.watches.first().map(|(at, _)| *at);
        let asking = (!self.asking.is_empty()).then_some(self.asking_at);
        [watch, asking].into_iter().flatten().min()
    }

    /// Our sequence numbers carry the worker's number in their low byte: that is how an answer finds it. Those with the
    /// highest bit set are left to the requests that await an answer of their own.
    fn next_sequence(&mut self, worker: u16) -> u16 {
        self.sequence = self.sequence.wrapping_add(1) & 0x7F;
        u16::from(self.sequence) << 8 | worker
    }
}

impl SessionPlane {
    /// The peer of this address, known to all workers from here on. None for one too many, unless `always`: a change of
    /// a session is never refused (rule L7), and an emergency call only for want of room for itself (rule L8).
    pub(crate) fn meet(
        &mut self,
        peer: IpAddr,
        version: GtpVersion,
        always: bool,
        now: Mono,
    ) -> Option<u32> {
        if let Some(place) = self.table.peers.find(peer) {
            if let Some(known) = self.table.peers.get_mut(place) {
                known.version = version;
            }
            return Some(place);
        }
        if !self.shared.restarts.attach(peer, self.seat.worker, always) {
            return None;
        }
        let watch_at = next_watch(now);
        let echo_at = now.after(self.config.echo.interval.unwrap_or_default());
        let place = self.table.peers.insert(peer, version, watch_at, echo_at);
        self.supervision.watches.insert((watch_at, place));
        Some(place)
    }

    /// Forgets a peer of which no session is left or none was made, at once: whoever names ever new ones must not fill
    /// the table. One whose last session was ended stays until it is looked after next, in case it comes back.
    pub(crate) fn part(&mut self, place: u32) {
        let peer = self.table.peers.get(place);
        let Some(peer) = peer.filter(|peer| peer.is_idle()) else {
            return;
        };
        let (address, watch_at) = (peer.address, peer.watch_at);
        self.supervision.watches.remove(&(watch_at, place));
        self.shared.restarts.detach(address, self.seat.worker);
        self.table.peers.remove(place);
    }

    /// A peer told its restart counter. It is the entity's that has the address, whichever GTP version it speaks
    /// (TS 23.007 18).
    pub(crate) fn hear_recovery(&mut self, peer: IpAddr, counter: u8, now: Mono) {
        match self.shared.restarts.tell(peer, counter, now) {
            Told::Nothing => {}
            Told::Outdated => self.counters.plain.outdated_recoveries += 1,
            Told::Restless { first } => {
                self.counters.plain.peer_restarts += 1;
                self.counters.plain.restless_restarts += 1;
                if first {
                    self.outbox.restless(peer);
                }
            }
            Told::Restarted => {
                self.counters.plain.peer_restarts += 1;
                if let Some(place) = self.table.peers.find(peer) {
                    self.note_stale(place);
                }
            }
        }
    }

    /// A peer may have sessions of older incarnations; it is noted once, however often it is found out.
    fn note_stale(&mut self, place: u32) {
        if let Some(peer) = self.table.peers.get_mut(place)
            && !std::mem::replace(&mut peer.stale, true)
        {
            self.supervision.stale.push_back(place);
        }
    }

    /// Looks after the peers whose time has come, a few at a time.
    pub(crate) fn watch_peers(&mut self, now: Now) {
        for _ in 0..PEERS_STEP {
            match self.supervision.watches.first() {
                Some(&(at, place)) if at <= now.mono => {
                    self.supervision.watches.remove(&(at, place));
                    self.watch_peer(place, now);
                }
                Some(_) | None => break,
            }
        }
    }

    fn watch_peer(&mut self, place: u32, now: Now) {
        let Some(peer) = self.table.peers.get(place) else {
            return;
        };
        let address = peer.address;
        if peer.is_idle() {
            return self.part(place);
        }
        let watched = self
            .shared
            .restarts
            .watch(address, self.seat.worker, now.mono);
        if let Some(interval) = self.echo_interval(address) {
            match watched.supervisor {
                true => self.supervise(place, interval, now.mono),
                false => self.leave_supervised(place, interval, now.mono),
            }
        }
        if self.stale_of(place, watched.living).is_some() {
            self.note_stale(place);
        }
        self.watch_again(place, now.mono);
    }

    /// Before a new call of this peer: what another worker was told of its restart counts here at once, and what dead
    /// sessions hold does not stand in the call's way.
    pub(crate) fn make_way_for_call(&mut self, place: u32, living: u32) {
        if self.stale_of(place, living).is_some() {
            self.note_stale(place);
        }
        self.end_stale(SESSIONS_BEFORE_CALL);
    }

    /// What a UE had with other peers that have restarted since does not go over with it to this one, which has not heard
    /// of it.
    pub(crate) fn end_lost_of(&mut self, ue: u32, peer: u32) {
        let Some(sessions) = self.table.ue(ue).map(|ue| ue.sessions()) else {
            return;
        };
        for place in sessions {
            let session = self.table.session(place);
            let other = session.filter(|session| session.peer != peer);
            let other = other.and_then(|session| self.table.peers.get(session.peer));
            let living = other.map(|other| self.shared.restarts.incarnations(other.address).living);
            if session.map(|session| session.incarnation) < living {
                self.end_session(place, Ended::PeerLost);
            }
        }
    }

    /// A session of an older incarnation of this peer: one that it made or moved to, or one that is at it as a PGW.
    fn stale_of(&self, place: u32, living: u32) -> Option<Stale> {
        let peer = self.table.peers.get(place)?;
        let own = self.table.session(peer.oldest);
        if own.is_some_and(|session| session.incarnation < living) {
            return Some(Stale::Own(peer.oldest));
        }
        let relay = self.relays.get(peer.oldest_relay);
        let stale = relay.is_some_and(|relay| relay.incarnation < living);
        stale.then_some(Stale::Relayed(peer.oldest_relay))
    }

    fn watch_again(&mut self, place: u32, now: Mono) {
        let Some(address) = self.table.peers.get(place).map(|peer| peer.address) else {
            return;
        };
        let supervised = self.echo_interval(address).is_some();
        let Some(peer) = self.table.peers.get_mut(place) else {
            return;
        };
        peer.watch_at = match supervised && !peer.asking {
            true => next_watch(now).min(peer.echo_at),
            false => next_watch(now),
        };
        let at = peer.watch_at;
        self.supervision.watches.insert((at, place));
    }

    /// How often this peer is asked; none: never. One behind our own address is not: we would answer in its place, and
    /// our restart counter would count as its own.
    fn echo_interval(&self, peer: IpAddr) -> Option<Duration> {
        let echo = &self.config.echo;
        let ourselves = SocketAddr::new(peer, echo.peer_port) == self.config.control;
        echo.interval.filter(|_| !ourselves)
    }

    /// Has an Echo Request sent if one is due, has it sent again if it went unanswered for T3-RESPONSE, and takes the path
    /// for down after N3-REQUESTS of them (TS 29.060 7.2.1, 11.2; TS 29.274 7.1.1, 7.6).
    fn supervise(&mut self, place: u32, interval: Duration, now: Mono) {
        let Some(peer) = self.table.peers.get_mut(place) else {
            return;
        };
        if peer.asking || now < peer.echo_at {
            return;
        }
        let sends = peer.asked.map_or(0, |asked| asked.sends);
        if sends >= self.config.n3_requests {
            peer.asked = None;
            peer.echo_at = now.after(interval);
            return self.path_down(place);
        }
        peer.asking = true;
        self.supervision.asking.push_back(place);
    }

    /// Sends the Echo Requests that are due, a few at a time and no sooner than the pace allows.
    pub(crate) fn ask_peers(&mut self, now: Mono) {
        if now < self.supervision.asking_at {
            return;
        }
        for _ in 0..ECHOES_STEP {
            let Some(place) = self.supervision.asking.pop_front() else {
                break;
            };
            self.supervision.asking_at = now.after(ECHO_PACE);
            self.ask_peer(place, now);
        }
    }

    /// Nothing is sent to one that was answered for, or left to another worker, while it waited.
    fn ask_peer(&mut self, place: u32, now: Mono) {
        let sequence = self.supervision.next_sequence(self.seat.worker);
        let Some(peer) = self.table.peers.get_mut(place) else {
            return;
        };
        if !std::mem::replace(&mut peer.asking, false) {
            return;
        }
        let first = Asked { sequence, sends: 0 };
        let asked = peer.asked.unwrap_or(first);
        peer.asked = Some(Asked {
            sends: asked.sends + 1,
            ..asked
        });
        peer.echo_at = now.after(self.config.t3_response);
        let (address, version) = (peer.address, peer.version);
        self.send_echo_request(address, version, asked.sequence);
    }

    /// Another worker asks this peer; when it leaves, our first question comes an interval later.
    fn leave_supervised(&mut self, place: u32, interval: Duration, now: Mono) {
        if let Some(peer) = self.table.peers.get_mut(place) {
            peer.asked = None;
            peer.asking = false;
            peer.down = false;
            peer.echo_at = now.after(interval);
        }
    }

    fn send_echo_request(&mut self, peer: IpAddr, version: GtpVersion, sequence: u16) {
        let path = Path {
            local: self.config.control,
            peer: SocketAddr::new(peer, self.config.echo.peer_port),
        };
        let mut octets = std::mem::take(&mut self.scratch);
        match version {
            GtpVersion::V1 => {
                let kind = v1::MessageType::ECHO_REQUEST;
                if let Ok(bytes) = v1::Writer::new(&mut octets, kind, 0, sequence).finish() {
                    self.send(path, kind, bytes);
                }
            }
            GtpVersion::V2 => {
                let kind = v2::MessageType::ECHO_REQUEST;
                let mut writer = v2::Writer::new(&mut octets, kind, None, sequence.into());
                writer.recovery(self.config.recovery);
                if let Ok(bytes) = writer.finish() {
                    self.send_v2(path, kind, bytes);
                }
            }
        }
        self.scratch = octets;
    }

    fn path_down(&mut self, place: u32) {
        let Some(peer) = self.table.peers.get_mut(place) else {
            return;
        };
        let address = peer.address;
        if !std::mem::replace(&mut peer.down, true) {
            self.counters.plain.paths_down += 1;
        }
        match self.config.echo.path_down {
            PathDown::KeepSessions => {}
            PathDown::EndSessions => {
                self.shared.restarts.fail(address);
                self.note_stale(place);
            }
        }
    }

    /// An answer to our Echo Request; false if we did not ask.
    pub(crate) fn hear_echo(&mut self, peer: IpAddr, sequence: u32, now: Mono) -> bool {
        let interval = self.config.echo.interval.unwrap_or_default();
        let place = self.table.peers.find(peer);
        let Some(peer) = place.and_then(|place| self.table.peers.get_mut(place)) else {
            return false;
        };
        if peer
            .asked
            .is_none_or(|asked| u32::from(asked.sequence) != sequence)
        {
            return false;
        }
        peer.asked = None;
        peer.asking = false;
        peer.down = false;
        peer.heard_at = Some(now);
        peer.echo_at = now.after(interval);
        true
    }

    /// Ends sessions of older incarnations, at most so many; those made since live. Peers take turns: one that had many
    /// sessions holds up the end of none of another's.
    pub(crate) fn end_stale(&mut self, most: usize) {
        let mut left = most;
        while left > 0
            && let Some(place) = self.supervision.stale.pop_front()
        {
            let (ended, more) = self.end_stale_of(place, left.min(SESSIONS_SHARE));
            if more {
                self.supervision.stale.push_back(place);
            } else if let Some(peer) = self.table.peers.get_mut(place) {
                peer.stale = false;
            }
            // To look at one that has none is work too.
            left -= ended.max(1);
        }
    }

    /// Of one peer; how many it ended, and whether there are more.
    fn end_stale_of(&mut self, place: u32, most: usize) -> (usize, bool) {
        let Some(peer) = self.table.peers.get(place) else {
            return (0, false);
        };
        let living = self.shared.restarts.incarnations(peer.address).living;
        let mut ended = 0;
        loop {
            match self.stale_of(place, living) {
                None => return (ended, false),
                Some(_) if ended == most => return (ended, true),
                Some(Stale::Own(session)) => self.end_session(session, Ended::PeerLost),
                Some(Stale::Relayed(session)) => self.end_lost_relay(session),
            }
            ended += 1;
        }
    }
}

/// The first multiple of [`WATCH_GRAIN`] that is not before [`WATCH`] has passed.
fn next_watch(now: Mono) -> Mono {
    let grain = u64::try_from(WATCH_GRAIN.as_nanos()).unwrap_or(u64::MAX);
    let at = now.after(WATCH).0;
    Mono(at.checked_next_multiple_of(grain).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_echo_requests_are_not_those_of_other_requests() {
        let mut supervision = Supervision::default();
        let numbers: Vec<_> = (0..300).map(|_| supervision.next_sequence(9)).collect();
        assert!(
            numbers
                .iter()
                .all(|number| *number < 0x8000 && *number & 0xFF == 9)
        );
        assert!(numbers.windows(2).all(|pair| pair[0] != pair[1]));
    }
}
