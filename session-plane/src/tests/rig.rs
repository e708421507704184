//! A plane with its gate, and an SGSN to talk to it.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use enforcer::{
    ClassCounters, Gate, GateConfig, RefusalRing, RefusalSeen, Terms, WorkerRecount,
    permits_dropped,
};
use gtp::v1::{
    Apn as ApnValue, Cause, EndUserAddress, Header, IeSet, IeType, Imsi, Message, MessageType,
    PdpType, value,
};
use licensing::{FeatureIndex, FeatureSet, LicenseTime, Mono, Now, ServiceIndex, Wall};

use crate::config::{Apn, ArpLevels, Pool, PoolRange};
use crate::{Output, Path, PlaneConfig, Seat, SessionPlane, Shared};

pub const GGSN: ServiceIndex = ServiceIndex(2);
pub const PGW: ServiceIndex = ServiceIndex(0);
pub const SAEGW: ServiceIndex = ServiceIndex(1);
pub const RELAY: ServiceIndex = ServiceIndex(3);
pub const GRE: FeatureIndex = FeatureIndex(0);
pub const RECOVERY: u8 = 42;
pub const SGSN: &str = "127.0.0.43";
pub const OTHER_SGSN: &str = "127.0.0.44";
pub const QOS: [u8; 4] = [2, 0x0B, 0x92, 0x1F];

/// Access point names: `internet` and `other` (service GGSN), `tunnel` (GGSN with GRE), `packet` (PGW), `sos`
/// (emergency), `slow` (GGSN with a back-off time), `fixed` (refuses static addresses), `six` (IPv6 only), `dual`.
pub fn config() -> PlaneConfig {
    let mut config = PlaneConfig::new(
        "127.0.0.1:2123".parse().unwrap(),
        "127.0.0.9".parse().unwrap(),
        RECOVERY,
    );
    let v4 = |name: &str, first: [u8; 4], last: [u8; 4]| Pool {
        name: name.into(),
        range: PoolRange::Ipv4 {
            first: first.into(),
            last: last.into(),
        },
    };
    config.pools = vec![
        v4("a", [10, 0, 0, 1], [10, 0, 255, 255]),
        Pool {
            name: "six".into(),
            range: PoolRange::Ipv6 {
                prefix: "2001:db8::".parse().unwrap(),
                length: 48,
            },
        },
        v4("sos", [10, 9, 0, 1], [10, 9, 0, 255]),
        v4("tiny", [10, 8, 0, 1], [10, 8, 0, 2]),
    ];
    let apn = |name: &str, service| Apn {
        ipv4_pools: vec![0],
        ..Apn::new(name, service)
    };
    config.apns = vec![
        Apn {
            priority: ArpLevels::default().with_evolved(2).with_rel99(1),
            ..apn("internet", GGSN)
        },
        apn("other", GGSN),
        Apn {
            features: FeatureSet::EMPTY.with(GRE),
            ..apn("tunnel", GGSN)
        },
        apn("packet", PGW),
        Apn {
            ipv4_pools: vec![2],
            emergency: true,
            ..Apn::new("sos", GGSN)
        },
        Apn {
            back_off: Some(Duration::from_secs(40)),
            ..apn("slow", GGSN)
        },
        Apn {
            static_address: crate::config::StaticAddress::Refuse,
            ..apn("fixed", GGSN)
        },
        Apn {
            ipv6_pools: vec![1],
            ..Apn::new("six", GGSN)
        },
        Apn {
            ipv6_pools: vec![1],
            ..apn("dual", GGSN)
        },
        Apn {
            ipv4_pools: vec![3],
            ..Apn::new("tiny", GGSN)
        },
    ];
    config
}

pub struct Rig {
    pub gate: Arc<Gate>,
    pub shared: Arc<Shared>,
    pub ring: Arc<RefusalRing>,
    pub plane: SessionPlane,
    pub now: Now,
    pub recounts: Vec<WorkerRecount>,
    /// Sessions found by the clears that have ended.
    pub cleared: Vec<u64>,
    /// Peers that restart too often.
    pub restless: Vec<IpAddr>,
    /// Requests of ours that went out beside an answer.
    pub aside: Vec<(Path, Vec<u8>)>,
    sequence: u16,
}

impl Rig {
    pub fn new() -> Self {
        Self::with(|_| {})
    }

    pub fn with(change: impl FnOnce(&mut PlaneConfig)) -> Self {
        Self::rigs(1, change).remove(0)
    }

    /// One rig a worker of the same node.
    pub fn rigs(workers: u16, change: impl FnOnce(&mut PlaneConfig)) -> Vec<Self> {
        let mut config = config();
        change(&mut config);
        let config = Arc::new(config);
        let gate = Gate::new(GateConfig::new(7, workers)).unwrap();
        let ring = Arc::new(RefusalRing::new(1000));
        let shared = Shared::new(&config, &gate, ring.clone(), [1, 2]).unwrap();
        let now = Now {
            mono: Mono(1_000_000_000),
            wall: Wall(1_700_000_000_000),
            license: LicenseTime(0),
        };
        let rig = |worker| Self {
            plane: SessionPlane::new(
                config.clone(),
                shared.clone(),
                gate.worker().unwrap(),
                Seat { worker, workers },
                [7 + worker as u8; 32],
                now,
            )
            .unwrap(),
            gate: gate.clone(),
            shared: shared.clone(),
            ring: ring.clone(),
            now,
            recounts: Vec::new(),
            cleared: Vec::new(),
            restless: Vec::new(),
            aside: Vec::new(),
            sequence: 0,
        };
        (0..workers).map(rig).collect()
    }

    pub fn path(peer: &str) -> Path {
        Path {
            local: "127.0.0.1:2123".parse().unwrap(),
            peer: format!("{peer}:2123").parse().unwrap(),
        }
    }

    /// Everything that the plane wants sent.
    pub fn outputs(&mut self) -> Vec<(Path, Vec<u8>)> {
        let mut sent = Vec::new();
        while let Some(output) = self.plane.poll_output() {
            match output {
                Output::Send { path, bytes } => sent.push((path, bytes.to_vec())),
                Output::Recounted(recount) => self.recounts.push(recount),
                Output::Cleared(sessions) => self.cleared.push(sessions),
                Output::Restless(peer) => self.restless.push(peer),
            }
        }
        self.plane.table.check();
        self.plane.transactions.check();
        self.plane.emergencies.check();
        self.plane.relays.check(&self.plane.table.peers);
        assert_eq!(permits_dropped(), 0);
        sent
    }

    /// Octets in, from an SGSN; the octets that come back to it. All else that goes out are requests of ours.
    pub fn raw(&mut self, datagram: &[u8]) -> Vec<Vec<u8>> {
        let path = Self::path(SGSN);
        self.plane.handle_datagram(datagram, path, self.now);
        let sent = self.outputs().into_iter();
        let is_request = |octets: &[u8]| [20, 99].contains(&octets[1]);
        let (aside, back): (Vec<_>, Vec<_>) = sent.partition(|(_, octets)| is_request(octets));
        assert!(back.iter().all(|(way, _)| *way == path));
        self.aside.extend(aside);
        back.into_iter().map(|(_, bytes)| bytes).collect()
    }

    pub fn next_sequence(&mut self) -> u16 {
        self.sequence += 1;
        self.sequence
    }

    /// A request with a sequence number of its own; its one answer.
    pub fn ask(&mut self, request: &Message1) -> Answer1 {
        let sequence = self.next_sequence();
        let datagram = request.encode(sequence);
        let mut answers = self.raw(&datagram);
        assert_eq!(answers.len(), 1, "one answer to {:?}", request.kind);
        let answer = Answer1::read(&answers.remove(0));
        assert_eq!(answer.header.sequence, Some(sequence));
        assert_eq!(answer.header.kind, request.kind.response().unwrap());
        answer
    }

    /// Makes a session; its tunnel endpoint for signalling.
    pub fn make(&mut self, imsi: u64, nsapi: u8, apn: &str) -> u32 {
        let answer = self.ask(&create(imsi, nsapi, apn));
        assert_eq!(answer.cause(), Cause::REQUEST_ACCEPTED);
        answer.control_teid()
    }

    pub fn pass(&mut self, time: Duration) {
        self.now.mono = self.now.mono.after(time);
        self.now.wall.0 += time.as_millis() as i64;
    }

    /// Lets time pass in steps, each time that something is due; what is sent meanwhile.
    pub fn run(&mut self, time: Duration) -> Vec<(Path, Vec<u8>)> {
        let end = self.now.mono.after(time);
        let mut sent = Vec::new();
        for _ in 0..1_000_000 {
            let due = self.plane.poll_timeout().map_or(end, |due| due.min(end));
            let wait = due.since(self.now.mono);
            self.pass(wait);
            self.plane.handle_timeout(self.now);
            sent.extend(self.outputs());
            let more = self.plane.poll_timeout().is_some_and(|due| due <= end);
            if self.now.mono >= end && !more {
                return sent;
            }
        }
        panic!("time does not pass");
    }

    pub fn terms(&self, service: ServiceIndex, terms: Terms) {
        self.gate.set_terms(service, terms);
    }

    pub fn ceiling(&self, ceiling: u32) {
        self.terms(
            GGSN,
            Terms {
                ceiling: Some(ceiling),
                ..Terms::default()
            },
        );
    }

    /// Permits given so far, by all classes.
    pub fn admitted(&self) -> u64 {
        self.sum(|counters| counters.admitted)
    }

    /// Of the peers' own sessions, not those that are relayed to them.
    pub fn sessions_by_peer(&self) -> BTreeMap<IpAddr, u32> {
        let peers = self.plane.peers().into_iter();
        peers.map(|peer| (peer.address, peer.sessions)).collect()
    }

    pub fn live(&self) -> i64 {
        let classes = &self.shared.apns.classes;
        classes
            .iter()
            .map(|(id, _)| self.gate.class_counters(*id).live())
            .sum()
    }

    fn sum(&self, of: impl Fn(ClassCounters) -> u64) -> u64 {
        let classes = &self.shared.apns.classes;
        let counters = classes.iter().map(|(id, _)| self.gate.class_counters(*id));
        counters.map(of).sum()
    }

    pub fn refusals(&self) -> Vec<RefusalSeen> {
        self.ring.drain()
    }

    pub fn addresses_out(&self) -> u32 {
        assert_eq!(self.shared.pools.surplus_releases(), 0);
        self.shared
            .pools
            .counts()
            .iter()
            .map(|pool| pool.used)
            .sum()
    }
}

/// A message in the making, whose elements can be taken out and changed.
#[derive(Clone, Debug)]
pub struct Message1 {
    pub kind: MessageType,
    pub teid: u32,
    pub ies: Vec<(IeType, Vec<u8>)>,
}

impl Message1 {
    pub fn new(kind: MessageType, teid: u32) -> Self {
        Self {
            kind,
            teid,
            ies: Vec::new(),
        }
    }

    /// With this element as well, after those of its type and before those of higher ones.
    pub fn with(mut self, kind: IeType, value: &[u8]) -> Self {
        let at = self.ies.partition_point(|(other, _)| *other <= kind);
        self.ies.insert(at, (kind, value.to_vec()));
        self
    }

    fn place(&self, kind: IeType, nth: usize) -> usize {
        let mut places = (0..self.ies.len()).filter(|at| self.ies[*at].0 == kind);
        places.nth(nth).expect("the element is there")
    }

    pub fn without(mut self, kind: IeType, nth: usize) -> Self {
        let place = self.place(kind, nth);
        self.ies.remove(place);
        self
    }

    pub fn but(mut self, kind: IeType, nth: usize, value: &[u8]) -> Self {
        let place = self.place(kind, nth);
        self.ies[place].1 = value.to_vec();
        self
    }

    pub fn encode(&self, sequence: u16) -> Vec<u8> {
        let mut octets = vec![0x32, self.kind.0, 0, 0];
        octets.extend_from_slice(&self.teid.to_be_bytes());
        octets.extend_from_slice(&sequence.to_be_bytes());
        octets.extend_from_slice(&[0, 0]);
        for (kind, value) in &self.ies {
            octets.push(kind.0);
            if kind.is_tlv() {
                octets.extend_from_slice(&(value.len() as u16).to_be_bytes());
            }
            octets.extend_from_slice(value);
        }
        let length = (octets.len() - 8) as u16;
        octets[2..4].copy_from_slice(&length.to_be_bytes());
        octets
    }
}

pub fn imsi(number: u64) -> [u8; 8] {
    Imsi::from_number(240_010_000_000_000 + number, 15)
        .unwrap()
        .octets()
}

pub fn address(text: &str) -> Vec<u8> {
    let mut octets = [0; 16];
    let address: IpAddr = text.parse().unwrap();
    value::gsn_address_octets(address, &mut octets).to_vec()
}

pub fn end_user(pdp_type: PdpType) -> Vec<u8> {
    let mut octets = [0; EndUserAddress::MAX_BYTES];
    let len = EndUserAddress::dynamic(pdp_type).write(&mut octets);
    octets[..len].to_vec()
}

pub fn apn(name: &str) -> Vec<u8> {
    let mut octets = [0; value::APN_MAX_BYTES];
    ApnValue::encode(name, &mut octets)
        .unwrap()
        .octets()
        .to_vec()
}

/// The SGSN's endpoints for the context of a subscriber: signalling, then user data.
pub fn sgsn_teids(imsi: u64, nsapi: u8) -> (u32, u32) {
    let base = (imsi as u32) << 8 | u32::from(nsapi);
    (0x1000_0000 | base, 0x2000_0000 | base)
}

/// A Create PDP Context Request as an SGSN sends it for a subscriber's first context, IPv4.
pub fn create(number: u64, nsapi: u8, name: &str) -> Message1 {
    let (control, user) = sgsn_teids(number, nsapi);
    Message1::new(MessageType::CREATE_PDP_CONTEXT_REQUEST, 0)
        .with(IeType::IMSI, &imsi(number))
        .with(IeType::SELECTION_MODE, &[0xFC])
        .with(IeType::TEID_DATA_I, &user.to_be_bytes())
        .with(IeType::TEID_CONTROL_PLANE, &control.to_be_bytes())
        .with(IeType::NSAPI, &[nsapi])
        .with(IeType::END_USER_ADDRESS, &end_user(PdpType::Ipv4))
        .with(IeType::ACCESS_POINT_NAME, &apn(name))
        .with(IeType::GSN_ADDRESS, &address(SGSN))
        .with(IeType::GSN_ADDRESS, &address(SGSN))
        .with(IeType::MSISDN, &[0x91, 0x64, 0x07])
        .with(IeType::QOS_PROFILE, &QOS)
}

pub fn secondary(teid: u32, nsapi: u8, linked: u8) -> Message1 {
    Message1::new(MessageType::CREATE_PDP_CONTEXT_REQUEST, teid)
        .with(
            IeType::TEID_DATA_I,
            &(0x3000_0000 + u32::from(nsapi)).to_be_bytes(),
        )
        .with(IeType::NSAPI, &[nsapi])
        .with(IeType::NSAPI, &[linked])
        .with(IeType::GSN_ADDRESS, &address(SGSN))
        .with(IeType::GSN_ADDRESS, &address(SGSN))
        .with(IeType::QOS_PROFILE, &QOS)
        .with(
            IeType::TRAFFIC_FLOW_TEMPLATE,
            &[0x21, 0x10, 0x00, 0x02, 0x30, 0x11],
        )
}

pub fn update(teid: u32, nsapi: u8) -> Message1 {
    Message1::new(MessageType::UPDATE_PDP_CONTEXT_REQUEST, teid)
        .with(IeType::TEID_DATA_I, &0x5000_0001_u32.to_be_bytes())
        .with(IeType::NSAPI, &[nsapi])
        .with(IeType::GSN_ADDRESS, &address(SGSN))
        .with(IeType::GSN_ADDRESS, &address(SGSN))
        .with(IeType::QOS_PROFILE, &QOS)
}

pub fn delete(teid: u32, nsapi: u8, teardown: bool) -> Message1 {
    let message = Message1::new(MessageType::DELETE_PDP_CONTEXT_REQUEST, teid);
    let message = match teardown {
        true => message.with(IeType::TEARDOWN_IND, &[0xFF]),
        false => message,
    };
    message.with(IeType::NSAPI, &[nsapi])
}

/// An answer, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer1 {
    pub header: Header,
    pub body: Vec<u8>,
}

impl Answer1 {
    pub fn read(octets: &[u8]) -> Self {
        let message = Message::parse(octets).unwrap();
        message.ie_set().unwrap();
        Self {
            header: message.header,
            body: message.body.to_vec(),
        }
    }

    pub fn get(&self, kind: IeType, nth: usize) -> Option<Vec<u8>> {
        let ies = IeSet::parse(&self.body).unwrap();
        ies.nth(kind, nth).map(<[u8]>::to_vec)
    }

    pub fn cause(&self) -> Cause {
        Cause(self.get(IeType::CAUSE, 0).unwrap()[0])
    }

    fn number(&self, kind: IeType) -> u32 {
        u32::from_be_bytes(self.get(kind, 0).unwrap().try_into().unwrap())
    }

    pub fn control_teid(&self) -> u32 {
        self.number(IeType::TEID_CONTROL_PLANE)
    }

    pub fn user_teid(&self) -> u32 {
        self.number(IeType::TEID_DATA_I)
    }

    pub fn charging_id(&self) -> u32 {
        self.number(IeType::CHARGING_ID)
    }

    pub fn end_user(&self) -> EndUserAddress {
        EndUserAddress::parse(&self.get(IeType::END_USER_ADDRESS, 0).unwrap()).unwrap()
    }

    pub fn types(&self) -> Vec<IeType> {
        let ies = IeSet::parse(&self.body).unwrap();
        ies.iter().map(|ie| ie.kind).collect()
    }
}
