//! Requests of our own that wait for their answers (TS 29.274 7.6, TS 29.060 11.2).
//!
//! A request is sent every T3-RESPONSE, the same octets each time, at most N3-REQUESTS times; then it is given up. What
//! its answer or its failure is good for its [`Purpose`] says, and [`SessionPlane::conclude`] does it, once for each
//! request: an answer takes the request out, so that the same answer again finds nothing.
//!
//! An answer belongs to a request by its sequence number, the peer's address, its type and the endpoint that it is sent
//! to: ours, or 0 from a peer that does not know what we speak of. Anything else is counted and dropped.
//!
//! Sequence numbers are unique among those outstanding of all workers, whoever the peer is, and apart from those of our
//! Echo Requests. Modulo the number of workers their low byte is the worker, so that an answer with TEID 0 finds it.
//!
//! There is a bound ([`Bounds::requests`](crate::config::Bounds::requests)): one too many is not sent, and whoever
//! wanted it is told ([`NoRoom`]).

use std::collections::{BTreeSet, HashMap};
use std::net::{IpAddr, SocketAddr};

use gtp::v1::Nsapi;
use gtp::{v1, v2};
use licensing::{Mono, Now};

use crate::config::{GtpVersion, PlaneConfig};
use crate::hashing::OwnNumbers;
use crate::output::Path;
use crate::plane::{Seat, SessionPlane};
use crate::session::NONE;
use crate::slab::Slab;
use crate::statistics::{DropReason, Ended};
use crate::steer::WORKERS_MAX;
use crate::v2::Wanted;

/// Requests sent again or given up in one step.
const STEP: usize = 256;
/// Numbers tried for one that is free.
const DRAWS: u32 = 64;
/// What a sequence number has above its low byte: by GTPv1 the upper half of its 16 bits, the lower half is left to Echo
/// Requests; by GTPv2 what lies above those of GTPv1 in 23 bits, the 24th is for commands (TS 29.274 7.6).
const UPPER_V1: std::ops::Range<u32> = 0x80..0x100;
const UPPER_V2: std::ops::Range<u32> = 0x100..0x8000;

/// What an answer, or its absence, is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// The session at this place ends, whatever the answer says, and without one.
    EndSession {
        /// Its place in the table; a session that leaves the table takes the request with it.
        place: u32,
        /// Why.
        why: Why,
    },
    /// Somebody else waits for what the answer says.
    Relay {
        /// Who, and for what.
        pending: u32,
    },
    /// Nobody waits any more for this session to be made: if it is made, it is deleted again.
    Unwanted {
        /// Which session.
        wanted: Wanted,
    },
    /// The same, after it was given up.
    Late,
    /// The session is gone here, or at another access: the answer of the one that is told so changes nothing.
    Farewell,
}

/// Why we end a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// An operator clears it.
    Cleared {
        /// The UE is asked to connect again.
        reactivate: bool,
    },
    /// Nothing was heard of an emergency call for too long.
    Inactive,
}

/// What an answer by GTPv2 says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Said<'a> {
    pub cause: v2::CauseIe,
    pub ies: &'a v2::IeSet<'a>,
}

/// One request too many waits for its answer, or no sequence number is free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NoRoom;

/// One request.
#[derive(Debug)]
pub(crate) struct Transaction {
    pub path: Path,
    pub version: GtpVersion,
    /// The octet of its message type.
    pub kind: u8,
    pub sequence: u32,
    /// Our endpoint that its answer is sent to.
    pub teid: u32,
    pub purpose: Purpose,
    /// The connection that it deletes at its peer, if that one may be gone here before the answer is there.
    pub deletes: Option<Name>,
}

/// What a peer tells a connection by: its address, its endpoint for signalling, the first bearer.
pub(crate) type Name = (SocketAddr, u32, u8);

/// How a session's peer is spoken to about it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Leg {
    pub peer: SocketAddr,
    /// Its endpoint for signalling.
    pub peer_teid: u32,
    /// Ours.
    pub teid: u32,
    /// NSAPI, or EPS bearer identity, of the first context.
    pub number: Nsapi,
}

impl Leg {
    pub(crate) fn name(self) -> Name {
        (self.peer, self.peer_teid, self.number.number())
    }

    /// A request about it.
    pub(crate) fn transaction(
        self,
        config: &PlaneConfig,
        version: GtpVersion,
        kind: u8,
        sequence: u32,
        purpose: Purpose,
    ) -> Transaction {
        let deletes = [
            v2::MessageType::DELETE_BEARER_REQUEST.0,
            v2::MessageType::DELETE_SESSION_REQUEST.0,
        ];
        let ends_with_session = matches!(purpose, Purpose::EndSession { .. });
        let deletes = version == GtpVersion::V2 && deletes.contains(&kind) && !ends_with_session;
        Transaction {
            path: Path {
                local: config.control,
                peer: self.peer,
            },
            version,
            kind,
            sequence,
            teid: self.teid,
            purpose,
            deletes: deletes.then(|| self.name()),
        }
    }
}

/// What tells whose answer a datagram is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AnswerHeader {
    pub version: GtpVersion,
    pub kind: u8,
    pub sequence: u32,
    pub teid: u32,
    pub peer: IpAddr,
}

#[derive(Debug)]
struct Outstanding {
    transaction: Transaction,
    octets: Vec<u8>,
    sends: u8,
    /// It is not sent again: a late answer is still heard.
    silent: bool,
    /// The peer wants to be asked later: by another request, since this one has its answer.
    put_off: bool,
    /// When it is sent again or given up.
    due: Mono,
    /// Those due before and after it, a list.
    before: u32,
    after: u32,
}

/// All of them, by the order in which they are due: the waiting is the same for each, so the one sent last is last.
#[derive(Debug)]
pub(crate) struct Transactions {
    outstanding: Slab<Outstanding>,
    /// By sequence number; those of the two versions are apart.
    numbers: HashMap<u32, u32, OwnNumbers>,
    /// Requests that end a session, by its place.
    endings: HashMap<u32, u32, OwnNumbers>,
    /// Numbers of requests that delete, by what they name.
    deletions: BTreeSet<(Name, u32)>,
    first: u32,
    last: u32,
    most: u32,
    seat: Seat,
    /// Counts the sequence numbers drawn, of each version.
    drawn: [u32; 2],
}

impl Transactions {
    pub(crate) fn new(most: u32, seat: Seat) -> Self {
        Self {
            outstanding: Slab::new(),
            numbers: HashMap::with_hasher(OwnNumbers),
            endings: HashMap::with_hasher(OwnNumbers),
            deletions: BTreeSet::new(),
            first: NONE,
            last: NONE,
            most,
            seat,
            drawn: [0; 2],
        }
    }

    /// Requests that wait for their answers.
    pub(crate) fn len(&self) -> u32 {
        self.outstanding.len()
    }

    /// When there is something to do.
    pub(crate) fn due(&self) -> Option<Mono> {
        self.outstanding.get(self.first).map(|first| first.due)
    }

    /// What the request that ends this session is for, if there is one that waits for its answer.
    pub(crate) fn ending(&self, session: u32) -> Option<Purpose> {
        let entry = self.outstanding.get(*self.endings.get(&session)?)?;
        Some(entry.transaction.purpose)
    }

    /// How often the peers of this session were asked to end it, whoever they are.
    pub(crate) fn sends_to_end(&self, session: u32) -> u8 {
        let place = self.endings.get(&session);
        let entry = place.and_then(|place| self.outstanding.get(*place));
        entry.map_or(0, |entry| entry.sends)
    }

    /// The request that ends this session takes the place of others that were sent so often.
    pub(crate) fn count_earlier(&mut self, session: u32, sends: u8) {
        let place = self.endings.get(&session);
        if let Some(entry) = place.and_then(|place| self.outstanding.get_mut(*place)) {
            entry.sends = entry.sends.saturating_add(sends);
        }
    }

    /// Whether there is room for one more.
    pub(crate) fn has_room(&self) -> bool {
        self.len() < self.most
    }

    /// Whether half of the room is taken: what can wait leaves the rest to what can't.
    pub(crate) fn half_full(&self) -> bool {
        self.len() >= self.most.div_ceil(2)
    }

    /// The sequence number of a request to come.
    pub(crate) fn draw(&mut self, version: GtpVersion) -> Result<u32, NoRoom> {
        if !self.has_room() {
            return Err(NoRoom);
        }
        let drawn = self.drawn[version as usize];
        let mut numbers = (0..DRAWS).map(|n| drawn.wrapping_add(n));
        let free = numbers.find(|n| !self.numbers.contains_key(&self.number(version, *n)));
        let free = free.ok_or(NoRoom)?;
        self.drawn[version as usize] = free.wrapping_add(1);
        Ok(self.number(version, free))
    }

    /// The nth sequence number: first all shards of this worker, then the next upper part.
    fn number(&self, version: GtpVersion, nth: u32) -> u32 {
        let upper = match version {
            GtpVersion::V1 => UPPER_V1,
            GtpVersion::V2 => UPPER_V2,
        };
        let (worker, workers) = (u32::from(self.seat.worker), u32::from(self.seat.workers));
        let shards = (u32::from(WORKERS_MAX) - worker).div_ceil(workers.max(1));
        let high = upper.start + nth / shards % (upper.end - upper.start);
        let low = worker + nth % shards * workers;
        high << 8 | low
    }

    /// Takes in a request that was sent just now.
    pub(crate) fn begin(&mut self, transaction: Transaction, octets: &[u8], due: Mono) {
        self.insert(transaction, octets, false, due);
    }

    /// Takes in again a request that was given up, without sending it, for as long as it was asked.
    pub(crate) fn linger_on(&mut self, transaction: Transaction, due: Mono) {
        self.insert(transaction, &[], true, due);
    }

    /// The answer to a request is good for something else.
    pub(crate) fn reassign(&mut self, sequence: u32, purpose: Purpose) {
        if let Some(entry) = self.entry_mut(sequence) {
            entry.transaction.purpose = purpose;
        }
    }

    /// A request is not sent again, but its answer is heard as long as it would have been.
    pub(crate) fn silence(&mut self, sequence: u32) {
        if let Some(entry) = self.entry_mut(sequence) {
            entry.octets = Vec::new();
            (entry.sends, entry.silent) = (1, true);
            let deletes = entry.transaction.deletes.take();
            deletes.map(|name| self.deletions.remove(&(name, sequence)));
        }
    }

    /// The requests that delete the connection of this name, by number, and what each is for.
    pub(crate) fn deletions_of(&self, name: Name) -> Vec<(u32, Purpose)> {
        let found = self.deletions.range((name, 0)..=(name, u32::MAX));
        let purpose = |number: &u32| {
            let entry = self.outstanding.get(*self.numbers.get(number)?)?;
            Some((*number, entry.transaction.purpose))
        };
        found.filter_map(|(_, number)| purpose(number)).collect()
    }

    fn entry_mut(&mut self, sequence: u32) -> Option<&mut Outstanding> {
        self.outstanding.get_mut(*self.numbers.get(&sequence)?)
    }

    fn insert(&mut self, transaction: Transaction, octets: &[u8], silent: bool, due: Mono) {
        let Transaction {
            sequence,
            purpose,
            deletes,
            ..
        } = transaction;
        deletes.map(|name| self.deletions.insert((name, sequence)));
        let place = self.outstanding.insert(Outstanding {
            transaction,
            octets: octets.to_vec(),
            sends: 1,
            silent,
            put_off: false,
            due,
            before: NONE,
            after: NONE,
        });
        self.numbers.insert(sequence, place);
        match purpose {
            Purpose::EndSession { place: session, .. } => {
                self.endings.insert(session, place);
            }
            Purpose::Relay { .. }
            | Purpose::Unwanted { .. }
            | Purpose::Late
            | Purpose::Farewell => {}
        }
        self.append(place);
    }

    /// The place of the request that this is the answer to.
    pub(crate) fn find(&self, answer: AnswerHeader) -> Option<u32> {
        let place = *self.numbers.get(&answer.sequence)?;
        let asked = &self.outstanding.get(place)?.transaction;
        let response = match asked.version {
            GtpVersion::V1 => v1::MessageType(asked.kind).response().map(|kind| kind.0),
            GtpVersion::V2 => v2::MessageType(asked.kind).response().map(|kind| kind.0),
        };
        let fits = asked.version == answer.version
            && response == Some(answer.kind)
            && asked.path.peer.ip().to_canonical() == answer.peer
            && (answer.teid == 0 || answer.teid == asked.teid);
        fits.then_some(place)
    }

    /// Whether this answer to a request that ends a session says that the peer has a hand-over on and wants to be asked
    /// again when that is over (TS 23.401 5.4.4.1, TS 29.274 7.2.10.2); then it is, after T3-RESPONSE.
    fn puts_off(&mut self, place: u32, cause: u8) -> bool {
        let Some(entry) = self.outstanding.get_mut(place) else {
            return false;
        };
        let asked = &entry.transaction;
        let busy = asked.version == GtpVersion::V2
            && asked.kind == v2::MessageType::DELETE_BEARER_REQUEST.0
            && cause == v2::Cause::TEMPORARILY_REJECTED.0;
        let ends = matches!(asked.purpose, Purpose::EndSession { .. });
        entry.put_off |= busy && ends;
        busy && ends
    }

    /// The session has left the table: what was to end it is given up without a word.
    pub(crate) fn forget(&mut self, session: u32) {
        if let Some(place) = self.endings.remove(&session) {
            self.take(place);
        }
    }

    fn take(&mut self, place: u32) -> Option<Transaction> {
        self.unlink(place);
        let transaction = self.outstanding.remove(place)?.transaction;
        self.numbers.remove(&transaction.sequence);
        let deletes = transaction.deletes;
        deletes.map(|name| self.deletions.remove(&(name, transaction.sequence)));
        match transaction.purpose {
            Purpose::EndSession { place: session, .. } => {
                self.endings.remove(&session);
            }
            Purpose::Relay { .. }
            | Purpose::Unwanted { .. }
            | Purpose::Late
            | Purpose::Farewell => {}
        }
        Some(transaction)
    }

    fn append(&mut self, place: u32) {
        let before = std::mem::replace(&mut self.last, place);
        match self.outstanding.get_mut(before) {
            Some(entry) => entry.after = place,
            None => self.first = place,
        }
        if let Some(entry) = self.outstanding.get_mut(place) {
            (entry.before, entry.after) = (before, NONE);
        }
    }

    fn unlink(&mut self, place: u32) {
        let Some(entry) = self.outstanding.get(place) else {
            return;
        };
        let (before, after) = (entry.before, entry.after);
        match self.outstanding.get_mut(before) {
            Some(entry) => entry.after = after,
            None => self.first = after,
        }
        match self.outstanding.get_mut(after) {
            Some(entry) => entry.before = before,
            None => self.last = before,
        }
    }

    /// Every index leads to its request, and the list has them all in the order in which they are due.
    #[cfg(test)]
    pub(crate) fn check(&self) {
        let (mut at, mut before, mut due, mut found) = (self.first, NONE, Mono(0), 0);
        let deletes = |(_, entry): (u32, &Outstanding)| entry.transaction.deletes;
        let deletions = self.outstanding.iter().filter_map(deletes).count();
        assert_eq!(self.deletions.len(), deletions);
        while let Some(entry) = self.outstanding.get(at) {
            assert_eq!(entry.before, before);
            assert!(entry.due >= due, "in order");
            assert_eq!(self.numbers.get(&entry.transaction.sequence), Some(&at));
            (before, due, at) = (at, entry.due, entry.after);
            found += 1;
        }
        assert_eq!((self.last, self.len()), (before, found));
        assert_eq!(self.numbers.len(), found as usize);
        assert!(self.len() <= self.most);
        for (session, place) in &self.endings {
            let purpose = self.outstanding.get(*place).unwrap().transaction.purpose;
            assert!(matches!(purpose, Purpose::EndSession { place, .. } if place == *session));
        }
    }
}

impl SessionPlane {
    /// Sends a request of ours whose number was drawn before, and waits for its answer.
    pub(crate) fn begin_request(&mut self, transaction: Transaction, octets: &[u8], now: Mono) {
        let due = now.after(self.config.t3_response);
        let Transaction {
            path,
            version,
            kind,
            ..
        } = transaction;
        self.send_request(path, version, kind, octets);
        self.transactions.begin(transaction, octets, due);
    }

    fn send_request(&mut self, path: Path, version: GtpVersion, kind: u8, octets: &[u8]) {
        match version {
            GtpVersion::V1 => self.send(path, v1::MessageType(kind), octets),
            GtpVersion::V2 => self.send_v2(path, v2::MessageType(kind), octets),
        }
    }

    /// Takes in an answer with this cause; none: it has none that can be read, so it is as good as none.
    pub(crate) fn take_answer(
        &mut self,
        answer: AnswerHeader,
        cause: Option<u8>,
        said: Option<Said<'_>>,
        now: Now,
    ) {
        let Some(place) = self.transactions.find(answer) else {
            return self.counters.dropped(DropReason::UnexpectedResponse);
        };
        let Some(cause) = cause else {
            return self.counters.dropped(DropReason::MalformedResponse);
        };
        if self.transactions.puts_off(place, cause) {
            let kind = v2::MessageType::DELETE_BEARER_REQUEST;
            return self.counters.v2.heard(kind.0, cause);
        }
        let Some(answered) = self.transactions.take(place) else {
            return;
        };
        match answered.version {
            GtpVersion::V1 => self.counters.v1.heard(answered.kind, cause),
            GtpVersion::V2 => self.counters.v2.heard(answered.kind, cause),
        }
        self.conclude(answered, said, now);
    }

    /// Does what a request was sent for, once its answer has come or will come no more.
    /// What the answer said is none then, as it is by GTPv1.
    fn conclude(&mut self, transaction: Transaction, said: Option<Said<'_>>, now: Now) {
        match transaction.purpose {
            Purpose::EndSession { place, why } => {
                let how = match why {
                    Why::Cleared { .. } => Ended::Cleared,
                    Why::Inactive => Ended::Inactive,
                };
                self.end_session(place, how);
            }
            Purpose::Relay { pending } => self.relay_answered(pending, transaction, said, now),
            Purpose::Unwanted { wanted } => {
                self.unwanted_answered(&transaction, wanted, said, now);
            }
            Purpose::Late => self.late_answered(&transaction, said),
            Purpose::Farewell => {}
        }
    }

    /// Sends again what was not answered in time, and gives up what was sent often enough, a few at a time.
    pub(crate) fn resend(&mut self, now: Now) {
        for _ in 0..STEP {
            let first = self.transactions.first;
            let Some(entry) = self.transactions.outstanding.get_mut(first) else {
                return;
            };
            if now.mono < entry.due {
                return;
            }
            if entry.sends < self.config.n3_requests {
                match entry.transaction.purpose {
                    Purpose::EndSession { place, .. } if entry.put_off => {
                        let sends = entry.sends;
                        self.ask_anew(place, sends, now.mono);
                    }
                    Purpose::EndSession { .. }
                    | Purpose::Relay { .. }
                    | Purpose::Unwanted { .. }
                    | Purpose::Late
                    | Purpose::Farewell => self.send_first_again(now.mono),
                }
                continue;
            }
            // Of one that is silent it has been counted, or nobody wants it any more; one put off has its answer.
            let unanswered = !entry.silent && !entry.put_off;
            self.counters.plain.requests_unanswered += u64::from(unanswered);
            if let Some(given_up) = self.transactions.take(first) {
                self.conclude(given_up, None, now);
            }
        }
    }

    fn send_first_again(&mut self, now: Mono) {
        let first = self.transactions.first;
        self.transactions.unlink(first);
        if let Some(entry) = self.transactions.outstanding.get_mut(first) {
            entry.sends += 1;
            entry.due = now.after(self.config.t3_response);
            let Transaction {
                path,
                version,
                kind,
                ..
            } = entry.transaction;
            let octets = std::mem::take(&mut entry.octets);
            if !entry.silent {
                self.counters.plain.requests_repeated += 1;
                self.send_request(path, version, kind, &octets);
            }
            if let Some(entry) = self.transactions.outstanding.get_mut(first) {
                entry.octets = octets;
            }
        }
        self.transactions.append(first);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn transactions(most: u32, worker: u16, workers: u16) -> Transactions {
        Transactions::new(most, Seat { worker, workers })
    }

    fn begin(transactions: &mut Transactions, version: GtpVersion, session: u32) -> u32 {
        let sequence = transactions.draw(version).unwrap();
        let leg = Leg {
            peer: "127.0.0.53:2123".parse().unwrap(),
            peer_teid: 1,
            teid: 2,
            number: Nsapi::new(5).unwrap(),
        };
        let config = crate::tests::rig::config();
        let purpose = Purpose::EndSession {
            place: session,
            why: Why::Inactive,
        };
        let transaction = leg.transaction(&config, version, 99, sequence, purpose);
        transactions.begin(transaction, &[], Mono(session.into()));
        transactions.check();
        sequence
    }

    #[test]
    fn numbers_are_unique_find_their_worker_and_are_not_those_of_echo() {
        for (worker, workers) in [(0, 1), (1, 3), (2, 3), (255, 256)] {
            let mut transactions = transactions(1000, worker, workers);
            for (version, range) in [
                (GtpVersion::V1, 0x8000..0x1_0000),
                (GtpVersion::V2, 0x1_0000..0x80_0000),
            ] {
                let draws = (0..128).map(|_| transactions.draw(version).unwrap());
                let numbers: BTreeSet<u32> = draws.collect();
                assert_eq!(numbers.len(), 128);
                assert!(numbers.iter().all(|number| range.contains(number)));
                let own = |number: &u32| (number & 0xFF) % u32::from(workers) == u32::from(worker);
                assert!(numbers.iter().all(own));
            }
        }
    }

    #[test]
    fn a_number_is_not_drawn_again_while_its_request_is_outstanding() {
        let mut transactions = transactions(1000, 255, 256);
        let first = begin(&mut transactions, GtpVersion::V1, 7);
        let numbers: Vec<_> = (0..300)
            .map(|_| transactions.draw(GtpVersion::V1).unwrap())
            .collect();
        assert!(!numbers.contains(&first));
        assert_eq!(
            numbers[0], numbers[127],
            "128 numbers, of which one is taken"
        );
        transactions.forget(7);
        transactions.check();
        let again = (0..128).map(|_| transactions.draw(GtpVersion::V1).unwrap());
        assert!(again.collect::<Vec<_>>().contains(&first));
    }

    #[test]
    fn one_too_many_is_told_and_leaves_no_trace() {
        let mut transactions = transactions(3, 0, 1);
        assert!(!transactions.half_full());
        begin(&mut transactions, GtpVersion::V2, 1);
        begin(&mut transactions, GtpVersion::V1, 2);
        assert!(transactions.half_full());
        begin(&mut transactions, GtpVersion::V2, 3);
        assert_eq!(transactions.draw(GtpVersion::V2), Err(NoRoom));
        transactions.forget(2);
        transactions.check();
        assert_eq!(transactions.len(), 2);
        begin(&mut transactions, GtpVersion::V2, 4);
        assert_eq!(transactions.due(), Some(Mono(1)));
    }

    #[test]
    fn where_the_numbers_run_out_that_is_told_too() {
        let mut transactions = transactions(1000, 255, 256);
        for session in 0..128 {
            begin(&mut transactions, GtpVersion::V1, session);
        }
        assert_eq!(transactions.draw(GtpVersion::V1), Err(NoRoom));
        begin(&mut transactions, GtpVersion::V2, 128);
    }
}
