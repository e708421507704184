//! A client that creates and deletes sessions, as many at a time as it is told, and says how long each answer took.
//!
//! A socket is used until it has had all sequence numbers, then the next is: none is used again while a gateway may keep
//! the answer to its last use.

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use gtp::{v1, v2};
use load::{Caller, CreateRequest, CreateSession, Imsi, Interface, QOS_R99};
use node::datagrams::{Incoming, Outgoing, Wait};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::sandwich::Sample;
use crate::servers::cpu_seconds;

/// Sockets, so many that a run does not come to the first again: osmo-ggsn keeps what answers it can for a minute.
const SOCKETS: usize = 128;
/// Sequence numbers of a socket.
const NUMBERS: usize = 1 << 16;
/// Whatever has no answer then is lost.
const LOST_AFTER: Timespec = Timespec {
    tv_sec: 2,
    tv_nsec: 0,
};
/// More lost requests than this, and something is wrong.
const LOST_MAX: u64 = 10_000;
const DATAGRAM_BYTES: usize = v1::MAX_MESSAGE_BYTES;
const APN: &str = "internet";
const FIRST_SUBSCRIBER: u64 = 240_010_000_000_000;
const SUBSCRIBERS: u64 = 1_000_000;
/// The default bearer's number.
const BEARER: u8 = 5;

/// Who answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Server {
    /// A GGSN, by GTPv1-C.
    Ggsn,
    /// A PGW, by GTPv2-C on S5.
    Pgw,
    /// What sends the requests of a [`Server::Pgw`] back, as long as that one's answers.
    Echo,
}

/// A request on its way.
#[derive(Clone, Copy, Debug)]
struct Request {
    /// The pair that it is of.
    pair: u32,
    is_delete: bool,
    socket: usize,
    sent: Instant,
}

/// What was measured.
#[derive(Debug)]
pub struct Pairs {
    /// Pairs that were answered.
    pub pairs: u64,
    /// Requests without an answer.
    pub lost: u64,
    /// How long it took.
    pub elapsed: Duration,
    /// From a request to its answer, in microseconds; deletes and creates.
    pub round_trips_us: Sample,
}

/// The client of one server.
#[derive(Debug)]
pub struct PairClient {
    server: Server,
    to: SocketAddr,
    local: IpAddr,
    sockets: Rc<[UdpSocket]>,
    outgoing: Outgoing,
    under_way: Vec<Option<Request>>,
    waiting: u32,
    requests: usize,
    begun: u32,
    octets: Vec<u8>,
    round_trips_us: Vec<f64>,
    answered: u64,
    lost: u64,
    /// Octets of the last answer to a create, and to a delete.
    pub answer_bytes: [usize; 2],
}

impl PairClient {
    /// Of this server, from sockets on `local`.
    ///
    /// # Errors
    ///
    /// When the address can't be bound.
    pub fn new(server: Server, to: SocketAddr, local: IpAddr) -> Result<Self> {
        let sockets = (0..SOCKETS).map(|_| UdpSocket::bind((local, 0)));
        Ok(Self {
            server,
            to,
            local,
            sockets: sockets.collect::<Result<_, _>>()?,
            outgoing: Outgoing::default(),
            under_way: vec![None; NUMBERS],
            waiting: 0,
            requests: 0,
            begun: 0,
            octets: Vec::new(),
            round_trips_us: Vec::new(),
            answered: 0,
            lost: 0,
            answer_bytes: [0; 2],
        })
    }

    /// Creates and deletes so many sessions, `window` at a time; ends when all are deleted.
    ///
    /// # Errors
    ///
    /// When a request is refused, an answer is none, or too many are lost.
    pub fn run(&mut self, window: u32, pairs: u32) -> Result<Pairs> {
        (self.answered, self.lost) = (0, 0);
        self.round_trips_us.clear();
        let mut incoming = Incoming::new(DATAGRAM_BYTES);
        let begun = Instant::now();
        let end = self.begun.wrapping_add(pairs);
        loop {
            while self.waiting < window && self.begun != end {
                self.create()?;
            }
            if self.waiting == 0 {
                break;
            }
            self.send()?;
            if !self.receive(&mut incoming)? {
                self.wait()?;
            }
        }
        Ok(Pairs {
            pairs: self.answered,
            lost: self.lost,
            elapsed: begun.elapsed(),
            round_trips_us: Sample::new(std::mem::take(&mut self.round_trips_us)),
        })
    }

    /// Takes what is there; false: nothing was.
    fn receive(&mut self, incoming: &mut Incoming) -> Result<bool> {
        let mut some = false;
        let sockets = Rc::clone(&self.sockets);
        for number in self.in_use() {
            let now = Instant::now();
            let mut taken = Ok(());
            let take = |_, octets: &[u8]| {
                if taken.is_ok() {
                    taken = self.answer(number, octets, now);
                }
            };
            match incoming.receive(&sockets[number], Wait::No, take) {
                Ok(_) => some = true,
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error).context("receive"),
            }
            taken?;
        }
        Ok(some)
    }

    /// The socket that requests are sent from, and the one before, to which answers may still come.
    fn in_use(&self) -> [usize; 2] {
        let now = self.requests / NUMBERS;
        [now + SOCKETS - 1, now].map(|socket| socket % SOCKETS)
    }

    fn send(&mut self) -> Result<()> {
        let mut failed = None;
        let [_, socket] = self.in_use();
        let socket = &self.sockets[socket];
        self.outgoing.send(socket, |_, error| failed = Some(error));
        failed.map_or(Ok(()), |error| Err(error).context("send"))
    }

    /// Until a datagram is there; if none comes, all that is under way is lost.
    fn wait(&mut self) -> Result<()> {
        let sockets = self.in_use().map(|number| &self.sockets[number]);
        let mut polled = sockets.map(|socket| PollFd::new(socket, PollFlags::IN));
        if poll(&mut polled, Some(&LOST_AFTER))? > 0 {
            return Ok(());
        }
        self.lost += u64::from(self.waiting);
        self.waiting = 0;
        self.under_way.fill(None);
        ensure!(self.lost < LOST_MAX, "{} requests are lost", self.lost);
        Ok(())
    }

    fn create(&mut self) -> Result<()> {
        let pair = self.begun;
        self.begun = pair.wrapping_add(1);
        self.waiting += 1;
        let sequence = self.next_sequence();
        let subscriber = FIRST_SUBSCRIBER + u64::from(pair) % SUBSCRIBERS;
        let imsi = Imsi::from_number(subscriber, 15).context("an IMSI")?;
        let teid = pair.wrapping_add(1);
        match self.server {
            Server::Ggsn => CreateRequest {
                imsi: Some(imsi),
                nsapi: v1::Nsapi::FIRST,
                linked_nsapi: None,
                recovery: Some(1),
                teid_data: teid,
                teid_control: teid,
                charging_characteristics: 0x0800,
                end_user_address: v1::EndUserAddress::dynamic(v1::PdpType::Ipv4),
                apn: APN,
                pco: None,
                gsn_address: self.local,
                msisdn: Some(&[0x91, 0x64, 0x07, 0x12, 0x32, 0x54, 0xF6]),
                arp: 2,
                qos: &QOS_R99,
                evolved_arp: None,
                low_priority: false,
            }
            .write(&mut self.octets, 0, sequence)
            .map(drop)?,
            Server::Pgw | Server::Echo => CreateSession {
                interface: Interface::S5,
                caller: Caller::Subscriber(imsi),
                plmn: v2::Plmn::from_text("240", "01")?,
                local: self.local,
                teid,
                pgw: self.to.ip(),
                apn: APN,
                pdn_type: v2::PdnType::Ipv4,
                ebi: v2::Ebi::new(BEARER).context("a bearer")?,
                priority_level: 9,
                low_priority: false,
                recovery: Some(1),
            }
            .write(&mut self.octets, 0, sequence.into())
            .map(drop)?,
        }
        self.begin(pair, false)
    }

    fn delete(&mut self, pair: u32, teid: u32) -> Result<()> {
        let sequence = self.next_sequence();
        match self.server {
            Server::Ggsn => {
                let kind = v1::MessageType::DELETE_PDP_CONTEXT_REQUEST;
                let mut writer = v1::Writer::new(&mut self.octets, kind, teid, sequence);
                writer.teardown(true).nsapi(v1::Nsapi::FIRST);
                writer.finish()?;
            }
            Server::Pgw | Server::Echo => {
                let kind = v2::MessageType::DELETE_SESSION_REQUEST;
                let mut writer =
                    v2::Writer::new(&mut self.octets, kind, Some(teid), sequence.into());
                writer.ebi(0, v2::Ebi::new(BEARER).context("a bearer")?);
                writer.finish()?;
            }
        }
        self.begin(pair, true)
    }

    fn next_sequence(&self) -> u16 {
        (self.requests % NUMBERS) as u16
    }

    /// What is written goes on its way.
    fn begin(&mut self, pair: u32, is_delete: bool) -> Result<()> {
        let [_, socket] = self.in_use();
        let request = Request {
            pair,
            is_delete,
            socket,
            sent: Instant::now(),
        };
        self.under_way[self.requests % NUMBERS] = Some(request);
        self.outgoing.push(self.to, &self.octets);
        if (self.requests + 1).is_multiple_of(NUMBERS) {
            self.send()?;
        }
        self.requests += 1;
        Ok(())
    }

    fn answer(&mut self, socket: usize, octets: &[u8], now: Instant) -> Result<()> {
        let sequence = match (self.server, octets) {
            (Server::Ggsn, [_, _, _, _, _, _, _, _, high, low, ..])
            | (Server::Pgw | Server::Echo, [_, _, _, _, _, _, _, _, _, high, low, ..]) => {
                u16::from_be_bytes([*high, *low])
            }
            _ => bail!("{octets:?} is no answer"),
        };
        let asked = &mut self.under_way[usize::from(sequence)];
        let Some(request) = asked.take_if(|asked| asked.socket == socket) else {
            // Given up before.
            return Ok(());
        };
        let round_trip = now.saturating_duration_since(request.sent);
        self.round_trips_us.push(round_trip.as_nanos() as f64 / 1e3);
        self.answer_bytes[usize::from(request.is_delete)] = octets.len();
        let teid = self.accepted(octets, request.is_delete)?;
        if request.is_delete {
            self.answered += 1;
            self.waiting -= 1;
            return Ok(());
        }
        self.delete(request.pair, teid)
    }

    /// The gateway's endpoint, if it is the answer to a create.
    fn accepted(&self, octets: &[u8], is_delete: bool) -> Result<u32> {
        let (kind, cause, teid) = match self.server {
            Server::Ggsn => {
                let message = v1::Message::parse(octets)?;
                let (ies, _) = v1::IeSet::parse_prefix(message.body);
                let cause = ies.get(v1::IeType::CAUSE);
                let teid = ies.get(v1::IeType::TEID_CONTROL_PLANE);
                let teid = teid.and_then(|value| Some(u32::from_be_bytes(value.try_into().ok()?)));
                let accepted = cause.is_some_and(|value| value == [v1::Cause::REQUEST_ACCEPTED.0]);
                (message.header.kind.0, accepted, teid)
            }
            Server::Pgw => {
                let message = v2::Message::parse(octets)?;
                let (ies, _) = v2::IeSet::parse_prefix(message.body);
                let cause = ies.get(v2::IeType::CAUSE, 0);
                let cause = cause.and_then(|value| value.first().copied());
                let teid = ies.get(v2::IeType::F_TEID, 1);
                let teid = teid.and_then(|value| Some(v2::FTeid::parse(value).ok()?.teid));
                let accepted = cause == Some(v2::Cause::REQUEST_ACCEPTED.0);
                (message.header.kind.0, accepted, teid)
            }
            Server::Echo => return Ok(1),
        };
        let expected = match (self.server, is_delete) {
            (Server::Ggsn, false) => v1::MessageType::CREATE_PDP_CONTEXT_RESPONSE.0,
            (Server::Ggsn, true) => v1::MessageType::DELETE_PDP_CONTEXT_RESPONSE.0,
            (Server::Pgw | Server::Echo, false) => v2::MessageType::CREATE_SESSION_RESPONSE.0,
            (Server::Pgw | Server::Echo, true) => v2::MessageType::DELETE_SESSION_RESPONSE.0,
        };
        ensure!(kind == expected && cause, "refused: {octets:?}");
        match teid {
            Some(teid) => Ok(teid),
            None if is_delete => Ok(0),
            None => bail!("no tunnel endpoint: {octets:?}"),
        }
    }
}

/// A slice of one server's time.
#[derive(Debug)]
pub struct Slice {
    /// Microseconds of the server's CPU for each pair.
    pub cpu_us: f64,
    /// What the client saw.
    pub seen: Pairs,
}

impl Slice {
    /// One of this server's.
    ///
    /// # Errors
    ///
    /// As [`PairClient::run`], or when the server has ended.
    pub fn take(client: &mut PairClient, pid: u32, window: u32, pairs: u32) -> Result<Self> {
        let before = cpu_seconds(pid)?;
        let seen = client.run(window, pairs)?;
        let cpu_s = cpu_seconds(pid)? - before;
        ensure!(seen.pairs > 0, "none of {pairs} pairs");
        let cpu_us = cpu_s * 1e6 / seen.pairs as f64;
        Ok(Self { cpu_us, seen })
    }
}
