//! Two planes back to back, an SGW with some workers and a PGW, and an MME that calls the SGW; on the way between them
//! datagrams are lost, come twice, late or in another order, as far as a test wants it.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use gtp::v2::{Cause, FTeid, IeType, Indication, InterfaceType, Message, MessageType};
use licensing::{Mono, Now};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::super::super::rig::{PGW, RECOVERY, RELAY, Rig};
use super::super::rig::{Answer2, MME, Message2, OURSELVES, and_v2, create11, delete2, fteid};
use crate::config::{Apn, Role};
use crate::{Path, PlaneConfig, worker_of};

pub const PGW_AT: &str = "127.0.0.2";

/// What happens to datagrams between SGW and PGW.
#[derive(Clone, Copy, Debug, Default)]
pub struct Noise {
    /// Of 100 datagrams so many do not come.
    pub lose: u32,
    /// So many come twice.
    pub repeat: u32,
    /// Each takes up to this long.
    pub delay: Duration,
}

pub struct Net {
    pub sgw: Vec<Rig>,
    pub pgw: Rig,
    pub now: Now,
    /// On the way: when it comes, and in which order it was sent.
    wires: BTreeMap<(Mono, u64), (Path, Vec<u8>)>,
    sent: u64,
    pub noise: Noise,
    /// The PGW can't be reached.
    pub cut: bool,
    /// What the PGW sends is held back, until it is let go.
    pub hold: bool,
    held: Vec<(Path, Vec<u8>)>,
    random: StdRng,
    sequence: u32,
    /// What came to the MME.
    pub to_mme: Vec<Vec<u8>>,
    /// What the SGW sent to the PGW, lost or not.
    pub to_pgw: Vec<Vec<u8>>,
    /// What the PGW sent to the SGW, lost or not.
    pub said_by_pgw: Vec<Vec<u8>>,
}

fn socket(address: &str) -> SocketAddr {
    SocketAddr::new(address.parse().unwrap(), 2123)
}

/// A PGW that has restarted so often, and sends its requests so often.
fn pgw(restarts: u8, n3_requests: u8) -> Rig {
    Rig::with(|config| {
        and_v2(config);
        config.echo.interval = None;
        config.control = socket(PGW_AT);
        config.user = PGW_AT.parse().unwrap();
        config.recovery += restarts;
        config.n3_requests = n3_requests;
    })
}

impl Net {
    pub fn new() -> Self {
        Self::with(1, |_| {})
    }

    /// So many workers of the SGW; `change` changes its configuration.
    pub fn with(workers: u16, change: impl FnOnce(&mut PlaneConfig)) -> Self {
        let sgw = Rig::rigs(workers, |config| {
            and_v2(config);
            config.apns.extend(["ims", "slow", "tiny"].map(|name| Apn {
                role: Role::Sgw,
                ..Apn::new(name, RELAY)
            }));
            config.echo.interval = None;
            change(config);
        });
        let pgw = pgw(0, sgw[0].plane.config.n3_requests);
        Self {
            now: pgw.now,
            sgw,
            pgw,
            wires: BTreeMap::new(),
            sent: 0,
            noise: Noise::default(),
            cut: false,
            hold: false,
            held: Vec::new(),
            random: StdRng::seed_from_u64(1),
            sequence: 0x0020_0000,
            to_mme: Vec::new(),
            to_pgw: Vec::new(),
            said_by_pgw: Vec::new(),
        }
    }

    pub fn seeded(mut self, seed: u64) -> Self {
        self.random = StdRng::seed_from_u64(seed);
        self
    }

    /// Puts a datagram on its way.
    pub fn post(&mut self, path: Path, octets: Vec<u8>) {
        let (from, to) = (path.local.ip(), path.peer.ip());
        let pgw: IpAddr = PGW_AT.parse().unwrap();
        let mut copies = 1;
        let mut delay = Duration::from_micros(100);
        if to == pgw || from == pgw {
            match to == pgw {
                true => self.to_pgw.push(octets.clone()),
                false => self.said_by_pgw.push(octets.clone()),
            }
            if self.hold && from == pgw {
                return self.held.push((path, octets));
            }
            let dice = self.random.random_range(0..100);
            if self.cut || dice < self.noise.lose {
                return;
            }
            if dice < self.noise.lose + self.noise.repeat {
                copies = 2;
            }
            if !self.noise.delay.is_zero() {
                let most = self.noise.delay.as_micros() as u64;
                delay = Duration::from_micros(self.random.random_range(0..most));
            }
        }
        for copy in 0..copies {
            self.sent += 1;
            let due = self.now.mono.after(delay * (copy + 1));
            self.wires.insert((due, self.sent), (path, octets.clone()));
        }
    }

    /// The PGW loses all that it has, and what is on its way, and starts anew.
    pub fn restart_pgw(&mut self) {
        let pgw_at = socket(PGW_AT);
        let stays = |path: &Path| path.local != pgw_at && path.peer != pgw_at;
        self.wires.retain(|_, (path, _)| stays(path));
        let restarts = self.pgw.plane.config.recovery - RECOVERY;
        let mut pgw = pgw(restarts + 1, self.pgw.plane.config.n3_requests);
        pgw.now = self.now;
        let old = std::mem::replace(&mut self.pgw, pgw);
        let gate = old.gate.clone();
        drop(old);
        assert_eq!(gate.count_exact(PGW), 0);
    }

    /// What the PGW sent goes on its way.
    pub fn let_go(&mut self) {
        self.hold = false;
        for (path, octets) in std::mem::take(&mut self.held) {
            self.post(path, octets);
        }
    }

    /// What the PGW sent is lost.
    pub fn lose_held(&mut self) {
        self.hold = false;
        self.held.clear();
    }

    /// Lets time pass, and all happen that is due in it.
    pub fn run(&mut self, time: Duration) {
        let end = self.now.mono.after(time);
        while let Some(next) = self.next_event().filter(|next| *next <= end) {
            self.advance(next.max(self.now.mono));
            self.deliver();
            for rig in self.sgw.iter_mut().chain([&mut self.pgw]) {
                if rig
                    .plane
                    .poll_timeout()
                    .is_some_and(|due| due <= rig.now.mono)
                {
                    rig.plane.handle_timeout(rig.now);
                }
            }
            self.collect();
        }
        self.advance(end);
    }

    fn next_event(&self) -> Option<Mono> {
        let planes = self.sgw.iter().chain([&self.pgw]);
        let timers = planes.filter_map(|rig| rig.plane.poll_timeout());
        let wires = self.wires.first_key_value().map(|((due, _), _)| *due);
        timers.chain(wires).min()
    }

    fn advance(&mut self, to: Mono) {
        let step = to.since(self.now.mono);
        self.now.mono = to;
        self.now.wall.0 += step.as_millis() as i64;
        for rig in self.sgw.iter_mut().chain([&mut self.pgw]) {
            rig.now = self.now;
        }
    }

    fn deliver(&mut self) {
        while let Some(entry) = self.wires.first_entry()
            && entry.key().0 <= self.now.mono
        {
            let (path, octets) = entry.remove();
            let back = Path {
                local: path.peer,
                peer: path.local,
            };
            if path.peer == socket(MME) {
                self.to_mme.push(octets);
            } else if path.peer == socket(PGW_AT) {
                self.pgw.plane.handle_datagram(&octets, back, self.now);
            } else if path.peer == socket(OURSELVES) {
                let worker = worker_of(&octets, self.sgw.len() as u16);
                let rig = &mut self.sgw[usize::from(worker)];
                rig.plane.handle_datagram(&octets, back, self.now);
            }
            self.collect();
        }
    }

    /// What the planes want sent goes on its way.
    pub fn collect(&mut self) {
        let mut sent = Vec::new();
        for rig in self.sgw.iter_mut().chain([&mut self.pgw]) {
            sent.extend(rig.outputs());
        }
        for (path, octets) in sent {
            self.post(path, octets);
        }
    }

    /// The PGW sends these octets.
    pub fn pgw_sends(&mut self, octets: Vec<u8>) {
        let path = Path {
            local: socket(PGW_AT),
            peer: socket(OURSELVES),
        };
        self.post(path, octets);
    }

    /// The MME sends these octets.
    pub fn mme_sends(&mut self, octets: Vec<u8>) {
        let path = Path {
            local: socket(MME),
            peer: socket(OURSELVES),
        };
        self.post(path, octets);
    }

    pub fn next_sequence(&mut self) -> u32 {
        self.sequence += 1;
        self.sequence
    }

    /// The MME sends a request; its octets, with a sequence number of their own.
    pub fn say(&mut self, request: &Message2) -> Vec<u8> {
        let octets = request.encode(self.next_sequence());
        self.mme_sends(octets.clone());
        octets
    }

    /// The answers that came to the MME for a request of its, and are not taken yet.
    pub fn answers_to(&mut self, request: &[u8]) -> Vec<Answer2> {
        let asked = Message::parse(request).unwrap().header;
        let of_it = |octets: &Vec<u8>| {
            let header = Message::parse(octets).unwrap().header;
            Some(header.kind) == asked.kind.response() && header.sequence == asked.sequence
        };
        let answers = self.to_mme.extract_if(.., |octets| of_it(octets));
        answers.map(|octets| Answer2::read(&octets)).collect()
    }

    /// The MME asks and waits for the answer, of which there is one.
    pub fn ask(&mut self, request: &Message2) -> Answer2 {
        self.ask_for(request, Duration::from_secs(30))
    }

    pub fn ask_for(&mut self, request: &Message2, wait: Duration) -> Answer2 {
        let octets = self.say(request);
        for _ in 0..1 + wait.as_millis() / 10 {
            self.run(Duration::from_millis(10));
            let mut answers = self.answers_to(&octets);
            if let Some(answer) = answers.pop() {
                assert!(answers.is_empty(), "one answer to {:?}", request.kind);
                return answer;
            }
        }
        panic!("no answer to {:?}", request.kind);
    }

    /// The requests of this kind that came to the MME, and are not taken yet.
    pub fn asked_of_mme(&mut self, kind: MessageType) -> Vec<Vec<u8>> {
        let is_it = |octets: &Vec<u8>| Message::parse(octets).unwrap().header.kind == kind;
        self.to_mme.extract_if(.., |octets| is_it(octets)).collect()
    }

    /// The MME answers a Delete Bearer Request of a UE at which our endpoint is this.
    pub fn mme_answers(&mut self, request: &[u8], teid: u32, cause: Cause) {
        let asked = Message::parse(request).unwrap();
        let linked = asked.ie_set().unwrap().get(IeType::EBI, 0).unwrap()[0];
        let answer = Message2::new(MessageType::DELETE_BEARER_RESPONSE, Some(teid))
            .with(IeType::CAUSE, 0, &[cause.0, 0])
            .with(IeType::EBI, 0, &[linked]);
        self.mme_sends(answer.encode(asked.header.sequence));
    }

    /// Sends a request, and lets what is near answer; its octets.
    pub fn begin(&mut self, request: &Message2) -> Vec<u8> {
        let octets = self.say(request);
        self.run(Duration::from_millis(10));
        octets
    }

    /// The one answer that there is to a request by now.
    pub fn answer_to(&mut self, request: &[u8]) -> Answer2 {
        let mut answers = self.answers_to(request);
        assert_eq!(answers.len(), 1);
        answers.remove(0)
    }

    /// Nothing is left of any session, at either, but for what lingers.
    pub fn assert_empty(&self) {
        assert_eq!(self.counts(), (0, 0));
        for rig in &self.sgw {
            assert_eq!(
                (rig.plane.table.len(), rig.plane.cache.in_progress()),
                (0, 0)
            );
        }
        assert_eq!(
            (self.pgw.plane.table.len(), self.pgw.addresses_out()),
            (0, 0)
        );
    }

    /// Makes a session through the PGW; the answer.
    pub fn accepted(&mut self, request: &Message2) -> Answer2 {
        let answer = self.ask(request);
        assert_eq!(answer.cause(), Cause::REQUEST_ACCEPTED);
        answer
    }

    /// Permits that are out: those of service SGW at the SGW, and those of service PGW at the PGW.
    pub fn counts(&self) -> (u32, u32) {
        let sgw = self.sgw[0].gate.count_exact(RELAY);
        let pgw = self.pgw.gate.count_exact(PGW);
        (sgw, pgw)
    }

    /// Message types that the SGW sent to the PGW since this was asked last.
    pub fn kinds_to_pgw(&mut self) -> Vec<MessageType> {
        let sent = std::mem::take(&mut self.to_pgw);
        let kind = |octets: Vec<u8>| Message::parse(&octets).unwrap().header.kind;
        sent.into_iter().map(kind).collect()
    }
}

/// A Create Session Request from the MME, for a connection through the PGW at this address.
pub fn create_through(pgw: &str, number: u64, ebi: u8, name: &str) -> Message2 {
    let pgw = fteid(InterfaceType::S5S8_PGW_C, 0, pgw);
    create11(number, ebi, name).but(false, IeType::F_TEID, 1, &pgw)
}

/// The same through the PGW that is there.
pub fn create(number: u64, ebi: u8, name: &str) -> Message2 {
    create_through(PGW_AT, number, ebi, name)
}

/// A Delete Session Request of which the PGW is to be told.
pub fn delete(teid: u32, ebi: u8) -> Message2 {
    let flags = Indication::default().with(Indication::OI);
    delete2(teid, ebi).with(IeType::INDICATION, 0, flags.octets())
}

/// Our endpoint for a UE, out of the answer that made a session of it.
pub fn ue_teid(answer: &Answer2) -> u32 {
    let ies = answer.ies();
    FTeid::parse(ies.get(IeType::F_TEID, 0).unwrap())
        .unwrap()
        .teid
}
