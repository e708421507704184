//! The machine of one worker: a datagram goes in, an answer comes out.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use enforcer::{CallKind, ClassId, Permit, WorkerGate};
use gtp::peek::peek;
use gtp::v1::{Cause, HeaderError, IeSet, IeType, Message, MessageType, Writer};
use gtp::v2;
use licensing::{Mono, Now};
use rand::rngs::StdRng;
use rand::{RngCore, SeedableRng};

use crate::answer::Answer;
use crate::cache::{RequestKey, ResponseCache};
use crate::clear::{Clears, Farewell};
use crate::config::{GtpVersion, PeerOptions, PlaneConfig};
use crate::emergency::Emergencies;
use crate::error::PlaneError;
use crate::hashing::{Keyed, OwnNumbers};
use crate::output::{Outbox, Output, Path};
use crate::overload::{Overload, Passage};
use crate::peers::PeerStatus;
use crate::procedure::Request;
use crate::recount::Recount;
use crate::session::{Leases, Session};
use crate::shared::Shared;
use crate::statistics::{Counters, DropReason, Ended, Statistics};
use crate::steer::{WORKERS_MAX, shard_of};
use crate::subscribers::RefusedSubscribers;
use crate::supervision::{SESSIONS_STEP, Supervision};
use crate::table::{Endpoints, PLACES_MAX, Table};
use crate::transactions::{AnswerHeader, Transactions};
use crate::v2::Before;
use crate::v2::Relays;

/// How often answers that have expired are dropped, while there are any.
const EXPIRY_PACE: Duration = Duration::from_secs(1);
/// Expired answers dropped in one step.
const EXPIRY_STEP: usize = 4096;

/// Which of the workers this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seat {
    /// Its number, from 0.
    pub worker: u16,
    /// How many there are, at most 256.
    pub workers: u16,
}

/// The session plane of one worker. Dropping it gives back every permit and address that its sessions hold.
pub struct SessionPlane {
    pub(crate) config: Arc<PlaneConfig>,
    pub(crate) shared: Arc<Shared>,
    pub(crate) gate: WorkerGate,
    pub(crate) seat: Seat,
    pub(crate) random: StdRng,
    pub(crate) table: Table,
    pub(crate) refused: RefusedSubscribers,
    pub(crate) emergencies: Emergencies,
    /// Sessions that MMEs have brought here for hand-overs that are not over, by place.
    pub(crate) prepared: HashMap<u32, Before, OwnNumbers>,
    pub(crate) counters: Counters,
    pub(crate) outbox: Outbox,
    pub(crate) supervision: Supervision,
    pub(crate) transactions: Transactions,
    pub(crate) relays: Relays,
    pub(crate) clears: Clears,
    /// To be said once the request that brought it about is answered.
    pub(crate) farewell: Option<Farewell>,
    pub(crate) recount: Recount,
    /// Octets of the answer in the making.
    pub(crate) scratch: Vec<u8>,
    pub(crate) cache: ResponseCache,
    pub(crate) overload: Overload,
    /// Some access point name is served by GTPv2; without one it is a version that we do not support.
    speaks_v2: bool,
    expiry_due: Mono,
    /// Sessions now, by class.
    live: Vec<u32>,
    /// Sessions now, by place of the access point name.
    pub(crate) live_by_apn: Vec<u32>,
}

impl SessionPlane {
    /// A plane without sessions. `seed` is secret: tunnel endpoints and the keys of the indexes are drawn from it.
    ///
    /// # Errors
    ///
    /// When the seat is none of at most 256.
    pub fn new(
        config: Arc<PlaneConfig>,
        shared: Arc<Shared>,
        gate: WorkerGate,
        seat: Seat,
        seed: [u8; 32],
        now: Now,
    ) -> Result<Self, PlaneError> {
        if seat.workers > WORKERS_MAX || seat.worker >= seat.workers {
            return Err(PlaneError::Seat {
                worker: seat.worker,
                workers: seat.workers,
            });
        }
        let mut random = StdRng::from_seed(seed);
        let keyed = Keyed::new([random.next_u64(), random.next_u64()]);
        let bounds = config.bounds;
        let window = config.retransmission_window();
        let classes = shared.apns.classes.iter().map(|(id, _)| id.at() + 1);
        let classes = classes.max().unwrap_or(0);
        Ok(Self {
            table: Table::new(keyed.clone()),
            refused: RefusedSubscribers::new(bounds.refused_subscribers, keyed.clone()),
            emergencies: Emergencies::new(keyed.clone()),
            prepared: HashMap::with_hasher(OwnNumbers),
            counters: Counters::new(config.apns.len()),
            outbox: Outbox::default(),
            supervision: Supervision::default(),
            clears: Clears::default(),
            farewell: None,
            transactions: Transactions::new(bounds.requests, seat),
            relays: Relays::new(keyed.clone()),
            recount: Recount::new(classes, now.mono.after(config.recount_interval)),
            scratch: Vec::new(),
            overload: Overload::new(
                config.rates,
                seat.workers,
                bounds.peers,
                keyed.clone(),
                now.mono,
            ),
            cache: ResponseCache::new(bounds.responses, window, keyed),
            expiry_due: now.mono,
            live: vec![0; classes],
            live_by_apn: vec![0; config.apns.len()],
            speaks_v2: config
                .apns
                .iter()
                .any(|apn| apn.role.version() == GtpVersion::V2),
            config,
            shared,
            gate,
            seat,
            random,
        })
    }

    /// Sessions that there are.
    pub fn sessions(&self) -> u32 {
        self.table.len()
    }

    /// What was counted so far, and what is there now, in a bounded time.
    pub fn statistics(&self) -> Statistics {
        let mut statistics = self.counters.statistics();
        statistics.sessions = self.table.len();
        statistics.contexts = self.table.contexts();
        statistics.peers = self.table.peers.len();
        statistics.sessions_by_type = self.table.by_type();
        statistics.sessions_by_apn = self.live_by_apn.clone();
        for (id, class) in &self.shared.apns.classes {
            let live = self.live[id.at()];
            if live > 0 {
                *statistics
                    .sessions_by_service
                    .entry(class.service)
                    .or_default() += live;
                if class.kind == CallKind::Emergency {
                    *statistics
                        .emergency_by_service
                        .entry(class.service)
                        .or_default() += live;
                }
            }
        }
        statistics
    }

    /// How its peers are, in no order. All of them are looked at: this is for operators, not for each second.
    pub fn peers(&self) -> Vec<PeerStatus> {
        let peers = self.table.peers.iter();
        peers.map(|(_, peer)| peer.status()).collect()
    }

    /// Takes a datagram in, whatever its octets. What comes of it is told by [`SessionPlane::poll_output`].
    pub fn handle_datagram(&mut self, datagram: &[u8], path: Path, now: Now) {
        self.take_datagram(datagram, path, now);
        self.tell_farewells(now);
    }

    fn take_datagram(&mut self, datagram: &[u8], path: Path, now: Now) {
        self.counters.plain.datagrams += 1;
        let by_v2 = self.speaks_v2 && version_of(datagram) > 1;
        let version = if by_v2 {
            GtpVersion::V2
        } else {
            GtpVersion::V1
        };
        if !self.hears(path.peer.ip(), version) {
            return;
        }
        if by_v2 {
            return self.handle_v2(datagram, path, now);
        }
        let message = match Message::parse(datagram) {
            Ok(message) => message,
            Err(error) => return self.handle_fault(error, datagram, path),
        };
        self.counters.v1.received(message.header.kind.0);
        let Some(sequence) = message.header.sequence else {
            return self.counters.dropped(DropReason::NoSequence);
        };
        if message.header.extensions.not_understood.is_some() && is_served(message.header.kind) {
            self.tell_extensions(path, sequence);
        }
        match message.header.kind {
            MessageType::ECHO_REQUEST if self.answers_echo(path.peer.ip(), now.mono) => {
                self.answer_echo(path, sequence);
            }
            MessageType::ECHO_REQUEST => {}
            MessageType::ECHO_RESPONSE => self.take_echo(&message, path, sequence, now.mono),
            MessageType::CREATE_PDP_CONTEXT_REQUEST
            | MessageType::UPDATE_PDP_CONTEXT_REQUEST
            | MessageType::DELETE_PDP_CONTEXT_REQUEST => {
                self.handle_request(&message, sequence, datagram, path, now);
            }
            kind if is_response(kind) => self.hear_answer(&message, sequence, path, now),
            other => self.counters.dropped(unserved(other)),
        }
    }

    /// An answer to a request of ours, if it is one.
    fn hear_answer(&mut self, message: &Message<'_>, sequence: u16, path: Path, now: Now) {
        let header = AnswerHeader {
            version: GtpVersion::V1,
            kind: message.header.kind.0,
            sequence: sequence.into(),
            teid: message.header.teid,
            peer: path.peer.ip().to_canonical(),
        };
        let ies = message.ie_set().ok();
        let cause = ies.and_then(|ies| ies.get(IeType::CAUSE)?.first().copied());
        self.take_answer(header, cause, None, now);
    }

    /// Does what time has made due: looks after peers, ends sessions that lost theirs, asks again what was not answered,
    /// ends what an MME has only prepared, asks for what an operator clears, recounts, forgets old answers.
    /// Every call does a bounded piece of it; [`SessionPlane::poll_timeout`] says when the next is due.
    pub fn handle_timeout(&mut self, now: Now) {
        self.watch_peers(now);
        self.ask_peers(now.mono);
        self.end_stale(SESSIONS_STEP);
        self.resend(now);
        self.end_unconfirmed(now.mono);
        self.step_clear(now.mono);
        self.end_inactive(now.mono);
        self.recount(now.mono);
        if self.expiry_due <= now.mono {
            self.cache.expire(now.mono, EXPIRY_STEP);
            self.expiry_due = now.mono.after(EXPIRY_PACE);
        }
        self.tell_farewells(now);
    }

    /// When [`SessionPlane::handle_timeout`] is to be called next; a time in the past means at once.
    pub fn poll_timeout(&self) -> Option<Mono> {
        let expiry = self
            .cache
            .next_expiry()
            .map(|expiry| expiry.max(self.expiry_due));
        let due = [
            self.supervision.due(),
            self.transactions.due(),
            self.clears.due(),
            self.emergencies.due(),
            self.preparations_due(),
            expiry,
            Some(self.recount.due()),
        ];
        due.into_iter().flatten().min()
    }

    /// The next thing to do, until there is none.
    pub fn poll_output(&mut self) -> Option<Output<'_>> {
        self.outbox.poll()
    }

    /// A request that changes sessions: the answer given before, if it is a retransmission, else a new one, which is
    /// kept. It is all done before the next datagram is looked at, so that no request is ever found half done.
    fn handle_request(
        &mut self,
        message: &Message<'_>,
        sequence: u16,
        datagram: &[u8],
        path: Path,
        now: Now,
    ) {
        let kind = message.header.kind;
        let key = RequestKey {
            path,
            version: GtpVersion::V1,
            kind: kind.0,
            sequence: sequence.into(),
        };
        let fingerprint = self.cache.fingerprint(key, datagram);
        if let Some(answer) = self.cache.find(&fingerprint, now.mono) {
            self.counters.plain.retransmissions += 1;
            if let Some(response) = kind.response() {
                self.counters.v1.sent(response.0);
            }
            if !self.outbox.send(path, answer) {
                self.counters.dropped(DropReason::NoRoomToSend);
            }
            return;
        }
        let (ies, cut) = IeSet::parse_prefix(message.body);
        let request = Request {
            kind,
            teid: message.header.teid,
            sequence,
            shard: shard_of(datagram),
            ies: &ies,
            options: self.options_of(path),
            now,
        };
        let passage = self.passage_of(&request, path.peer.ip());
        if passage == Passage::Drop {
            return;
        }
        let mut answer = if passage == Passage::Refuse {
            self.refuse(&request, Cause::NO_RESOURCES_AVAILABLE)
        } else if message.header.extensions.not_understood.is_some() {
            self.refuse(&request, Cause::UNKNOWN_MANDATORY_EXTENSION_HEADER)
        } else if cut.is_some() {
            self.refuse(&request, Cause::INVALID_MESSAGE_FORMAT)
        } else {
            self.hear_about(request.teid, now.mono);
            self.serve(&request)
        };
        answer.padded = request.options.padded;
        self.counters.v1.answered(kind.0, answer.cause.0);
        let mut octets = std::mem::take(&mut self.scratch);
        if let Ok(bytes) = answer.write(&self.config, &mut octets) {
            // What overload refuses it takes no memory for.
            if passage == Passage::Pass {
                self.cache.keep(fingerprint, bytes, now.mono);
            }
            self.send(path, answer.kind, bytes);
        }
        self.scratch = octets;
    }

    pub(crate) fn options_of(&self, path: Path) -> PeerOptions {
        let options = self.config.peer_options.get(&path.peer.ip());
        options.copied().unwrap_or_default()
    }

    /// An answer that does nothing but refuse.
    pub(crate) fn refuse<'a>(&self, request: &Request<'a>, cause: Cause) -> Answer<'a> {
        Answer::refusal(request, self.answer_teid(request), cause)
    }

    /// Where the answer goes: the endpoint that the request tells, else the one that its session knows, else 0
    /// (TS 29.060 6, 7.3.2, 7.3.4, 7.3.6).
    pub(crate) fn answer_teid(&self, request: &Request<'_>) -> u32 {
        let told = request.ies.get(IeType::TEID_CONTROL_PLANE);
        let told = told.and_then(|value| value.try_into().ok());
        told.map(u32::from_be_bytes).unwrap_or_else(|| {
            let session = self.table.by_teid_of(request.teid, GtpVersion::V1);
            let session = session.and_then(|place| self.table.session(place));
            session.map_or(0, |session| session.peer_teid)
        })
    }

    /// What is no GTPv1 message: most of it is dropped and counted, some of it is answered.
    fn handle_fault(&mut self, error: HeaderError, datagram: &[u8], path: Path) {
        match error {
            HeaderError::TooShort { .. } => self.counters.dropped(DropReason::TooShort),
            HeaderError::TooLong { .. } => self.counters.dropped(DropReason::TooLong),
            HeaderError::NotGtp => self.counters.dropped(DropReason::NotGtp),
            HeaderError::Extension { .. } | HeaderError::TooManyExtensions => {
                self.counters.dropped(DropReason::Extension);
            }
            HeaderError::Version { .. } => self.answer_version(datagram, path),
            HeaderError::Length { .. } => self.answer_length(datagram, path),
        }
    }

    /// A request whose length is not what it says is answered with cause 193 (TS 29.060 11.1.2).
    fn answer_length(&mut self, datagram: &[u8], path: Path) {
        let header = peek(datagram);
        let request = header.map(|header| (MessageType(header.kind), header.sequence));
        let Some((kind, Some(sequence))) = request.filter(|(kind, _)| is_served(*kind)) else {
            return self.counters.dropped(DropReason::Length);
        };
        self.counters.v1.received(kind.0);
        self.counters
            .v1
            .answered(kind.0, Cause::INVALID_MESSAGE_FORMAT.0);
        // A GTPv1 sequence number has 16 bits.
        let answer = Answer::of_length_fault(kind, sequence as u16);
        let mut octets = std::mem::take(&mut self.scratch);
        if let Ok(bytes) = answer.write(&self.config, &mut octets) {
            self.send(path, answer.kind, bytes);
        }
        self.scratch = octets;
    }

    /// We understand no extension header (TS 29.281 5.2.1).
    fn tell_extensions(&mut self, path: Path, sequence: u16) {
        let kind = MessageType::SUPPORTED_EXTENSION_HEADERS_NOTIFICATION;
        let mut octets = std::mem::take(&mut self.scratch);
        let mut writer = Writer::new(&mut octets, kind, 0, sequence);
        writer.extension_header_types(&[]);
        if let Ok(bytes) = writer.finish() {
            self.send(path, kind, bytes);
        }
        self.scratch = octets;
    }

    pub(crate) fn send_v2(&mut self, path: Path, kind: v2::MessageType, bytes: &[u8]) {
        match self.outbox.send(path, bytes) {
            true => self.counters.v2.sent(kind.0),
            false => self.counters.dropped(DropReason::NoRoomToSend),
        }
    }

    pub(crate) fn send(&mut self, path: Path, kind: MessageType, bytes: &[u8]) {
        match self.outbox.send(path, bytes) {
            true => self.counters.v1.sent(kind.0),
            false => self.counters.dropped(DropReason::NoRoomToSend),
        }
    }

    /// Whether there is room for a session, in the place of another or for one more; emergency calls have a reserve of
    /// their own, which no other call takes over from one (rule L8).
    pub(crate) fn has_room(&self, emergency: bool, in_place_of: Option<u32>) -> bool {
        let session = in_place_of.and_then(|place| self.table.session(place));
        let old = session.and_then(|session| self.config.apns.get(usize::from(session.apn)));
        if old.is_some_and(|apn| emergency || !apn.emergency) {
            return true;
        }
        let bounds = &self.config.bounds;
        let reserve = if emergency {
            bounds.emergency_reserve
        } else {
            0
        };
        let node = bounds.sessions.saturating_add(reserve);
        let most = node.div_ceil(u32::from(self.seat.workers)).min(PLACES_MAX);
        self.table.len() - u32::from(old.is_some()) < most
    }

    /// Puts a session into the table; its place.
    pub(crate) fn begin_session(&mut self, session: Session, ue: Option<Endpoints>) -> u32 {
        let class = session.class;
        self.live_by_apn[usize::from(session.apn)] += 1;
        let place = self.table.insert(session, ue);
        self.live[class.at()] += 1;
        self.recount.came(place, class);
        self.counters.plain.sessions_created += 1;
        place
    }

    /// Takes a session out of the table and gives back what it holds.
    pub(crate) fn end_session(&mut self, place: u32, how: Ended) {
        if let Some(session) = self.table.remove(place) {
            self.settle(place, session, how, Leases::default());
        }
    }

    /// Gives back what a session held that has left the table, but for the addresses that another has taken over.
    pub(crate) fn settle(&mut self, place: u32, session: Session, how: Ended, kept: Leases) {
        self.live[session.class.at()] -= 1;
        self.live_by_apn[usize::from(session.apn)] -= 1;
        self.recount.left(place, session.class);
        self.emergencies.ended(session.identity, place);
        self.prepared.remove(&place);
        self.counters.ended(how);
        self.transactions.forget(place);
        self.leave_relay(place, &session, how);
        if let Some(permit) = session.permit {
            self.gate.release(permit);
        }
        for lease in session.leases.iter() {
            if kept.iter().all(|other| other != lease) {
                self.shared.pools.release(lease);
            }
        }
    }

    /// Moves a live session to another class; never refused (rule L7).
    pub(crate) fn reclass(&mut self, place: u32, class: ClassId) {
        let Some(session) = self.table.session_mut(place) else {
            return;
        };
        let Some(permit) = session.permit.take_if(|_| session.class != class) else {
            return;
        };
        let was = std::mem::replace(&mut session.class, class);
        session.permit = Some(self.gate.reclass(permit, class));
        self.live[was.at()] -= 1;
        self.live[class.at()] += 1;
        self.recount.left(place, was);
        self.recount.came(place, class);
    }

    /// The permit of the session that is to be replaced.
    pub(crate) fn take_permit(&mut self, place: u32) -> Option<Permit> {
        self.table.session_mut(place)?.permit.take()
    }
}

impl Drop for SessionPlane {
    fn drop(&mut self) {
        for place in 0..self.table.places() {
            if let Some(session) = self.table.remove(place) {
                self.settle(place, session, Ended::Stopped, Leases::default());
            }
        }
        for (_, peer) in self.table.peers.iter() {
            self.shared.restarts.detach(peer.address, self.seat.worker);
        }
    }
}

/// The version field; 0 of what has none.
fn version_of(datagram: &[u8]) -> u8 {
    datagram.first().map_or(0, |flags| flags >> 5)
}

fn is_served(kind: MessageType) -> bool {
    matches!(
        kind,
        MessageType::CREATE_PDP_CONTEXT_REQUEST
            | MessageType::UPDATE_PDP_CONTEXT_REQUEST
            | MessageType::DELETE_PDP_CONTEXT_REQUEST
    )
}

/// What answers a request of which one might be ours.
fn is_response(kind: MessageType) -> bool {
    matches!(
        kind,
        MessageType::CREATE_PDP_CONTEXT_RESPONSE
            | MessageType::UPDATE_PDP_CONTEXT_RESPONSE
            | MessageType::DELETE_PDP_CONTEXT_RESPONSE
    )
}

fn unserved(kind: MessageType) -> DropReason {
    match kind {
        MessageType::VERSION_NOT_SUPPORTED => DropReason::VersionNotSupported,
        known if known.name().is_some() => DropReason::UnexpectedMessage,
        _ => DropReason::UnknownMessage,
    }
}
