//! One worker's session plane without sockets, and peers' messages to it.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use enforcer::{Gate, GateConfig, RefusalRing};
use gtp::v2::{self, Cause, CauseIe, FTeid, IeType, MessageType};
use licensing::{Mono, Now, Wall};
use session_plane::config::{Apn, Pool, PoolRange, Role};
use session_plane::{Output, Path, PlaneConfig, Seat, SessionPlane, Shared};
use tests::message::{self, Caller, Interface};
use tests::planes::{CONTROL, GGSN, PGW, SAEGW};
use tests::sgsn::{self, Call, Received, cause, ie, kind};

/// Services of the gate, as many as the embedded catalog has.
const SERVICES: u8 = 7;
const PORT: u16 = 2123;
/// The access point name of every call.
const NAME: &str = "internet";
/// NSAPI or EPS bearer identity of every call.
const NUMBER: u8 = 5;
const FIRST_PEER: Ipv4Addr = Ipv4Addr::new(172, 16, 0, 1);
/// Sessions that its addresses are enough for.
pub const SESSIONS_MAX: u32 = 16_000_000;

/// How a call comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// By GTPv1, from an SGSN.
    Gn,
    /// By GTPv2, from an SGW.
    S5,
    /// By GTPv2, from an MME.
    S11,
}

impl By {
    /// Each.
    pub const ALL: [Self; 3] = [Self::Gn, Self::S5, Self::S11];

    /// Its name in the specifications.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gn => "Gn",
            Self::S5 => "S5/S8",
            Self::S11 => "S11",
        }
    }

    fn interface(self) -> Option<Interface> {
        match self {
            Self::Gn => None,
            Self::S5 => Some(Interface::S5),
            Self::S11 => Some(Interface::S11),
        }
    }
}

/// One call: who, how, and from which of the peers.
#[derive(Clone, Copy, Debug)]
pub struct Subscriber {
    /// The subscriber's number.
    pub number: u32,
    /// How.
    pub by: By,
    /// The peer's number.
    pub peer: u32,
}

/// The worker.
pub struct Worker {
    /// Its plane.
    pub plane: SessionPlane,
    /// The time.
    pub now: Now,
    local: SocketAddr,
    answer: Vec<u8>,
}

/// What a node with these interfaces has, echo requests apart: nobody would answer them.
pub fn config() -> PlaneConfig {
    let mut config = PlaneConfig::new((CONTROL, PORT).into(), CONTROL.into(), 1);
    config.pools = vec![Pool {
        name: "all".into(),
        range: PoolRange::Ipv4 {
            first: [10, 0, 0, 1].into(),
            last: [10, 255, 255, 254].into(),
        },
    }];
    config.apns = [(Role::Ggsn, GGSN), (Role::Pgw, PGW), (Role::Saegw, SAEGW)]
        .map(|(role, service)| Apn {
            role,
            ipv4_pools: vec![0],
            ..Apn::new(NAME, service)
        })
        .into();
    config.bounds.sessions = SESSIONS_MAX;
    config.echo.interval = None;
    config
}

impl Worker {
    /// One without sessions.
    ///
    /// # Errors
    ///
    /// When the configuration contradicts itself.
    pub fn new(config: PlaneConfig) -> Result<Self> {
        let config = Arc::new(config);
        let gate = Gate::new(GateConfig::new(SERVICES, 1))?;
        let ring = Arc::new(RefusalRing::new(16));
        let shared = Shared::new(&config, &gate, ring, [1, 2])?;
        let seat = Seat {
            worker: 0,
            workers: 1,
        };
        let now = Now {
            mono: Mono(1_000_000_000),
            wall: Wall(1_795_300_000_000),
            ..Now::default()
        };
        let local = config.control;
        Ok(Self {
            plane: SessionPlane::new(config, shared, gate.worker()?, seat, [7; 32], now)?,
            now,
            local,
            answer: Vec::with_capacity(2048),
        })
    }

    /// Lets so much time pass, and does what it has made due, up to the end.
    pub fn pass(&mut self, time: Duration) {
        self.now.mono = self.now.mono.after(time);
        self.now.wall.0 += time.as_millis() as i64;
        while self
            .plane
            .poll_timeout()
            .is_some_and(|due| due <= self.now.mono)
        {
            self.plane.handle_timeout(self.now);
            while self.plane.poll_output().is_some() {}
        }
    }

    /// Has a datagram handled, and what is to be sent taken; the last of it is the answer.
    pub fn take(&mut self, octets: &[u8], peer: u32) {
        let path = Path {
            local: self.local,
            peer: (address(peer), PORT).into(),
        };
        self.answer.clear();
        self.plane.handle_datagram(octets, path, self.now);
        while let Some(output) = self.plane.poll_output() {
            match output {
                Output::Send { bytes, .. } => {
                    self.answer.clear();
                    self.answer.extend_from_slice(bytes);
                }
                Output::Cleared(_) | Output::Recounted(_) | Output::Restless(_) => {}
            }
        }
    }

    /// The last answer's octets.
    pub fn answer(&self) -> &[u8] {
        &self.answer
    }

    /// That the last answer accepts.
    ///
    /// # Errors
    ///
    /// When it doesn't, or is none.
    pub fn accepted(&self, by: By) -> Result<()> {
        match by {
            By::Gn => {
                let answer = Received::read(&self.answer)?;
                ensure!(answer.cause()? == cause::ACCEPTED, "{answer:?}");
            }
            By::S5 | By::S11 => {
                let answer = v2::Message::parse(&self.answer)?;
                let ies = answer.ie_set()?;
                let cause = ies.get(IeType::CAUSE, 0).context("no cause")?;
                let cause = CauseIe::parse(cause)?.cause;
                ensure!(cause == Cause::REQUEST_ACCEPTED, "{cause:?}");
            }
        }
        Ok(())
    }

    /// Our endpoint for signalling in the last answer, which accepts a call.
    ///
    /// # Errors
    ///
    /// When it doesn't.
    pub fn endpoint(&self, by: By) -> Result<u32> {
        self.accepted(by)?;
        match by.interface() {
            None => Received::read(&self.answer)?.teid_of(ie::TEID_CONTROL),
            Some(interface) => {
                let ies = v2::Message::parse(&self.answer)?.ie_set()?;
                let ours = ies.get(IeType::F_TEID, interface.our_control());
                Ok(FTeid::parse(ours.context("no endpoint")?)?.teid)
            }
        }
    }

    /// Makes a call; our endpoint for its signalling.
    ///
    /// # Errors
    ///
    /// When it is refused.
    pub fn call(&mut self, who: Subscriber, sequence: u32) -> Result<u32> {
        self.take(&who.create(sequence), who.peer);
        self.endpoint(who.by)
            .with_context(|| format!("the call of {who:?}"))
    }
}

fn address(peer: u32) -> Ipv4Addr {
    Ipv4Addr::from(u32::from(FIRST_PEER) + peer)
}

/// Sequence numbers count anew after 2^16 and 2^24.
impl Subscriber {
    /// The request for a session.
    pub fn create(self, sequence: u32) -> Vec<u8> {
        match self.caller() {
            None => {
                let call = Call {
                    recovery: Some(1),
                    ..Call::new(self.number, NAME)
                };
                call.request(sequence as u16, address(self.peer)).bytes()
            }
            Some(caller) => message::create(caller, NAME).encode(sequence & 0xFF_FFFF),
        }
    }

    /// The request to change it: the peer's endpoint for user data.
    pub fn update(self, ours: u32, sequence: u32) -> Vec<u8> {
        match self.caller() {
            None => sgsn::Message::new(kind::UPDATE_REQUEST, ours, sequence as u16)
                .tv(ie::TEID_DATA, &self.number.to_be_bytes())
                .tv(ie::NSAPI, &[NUMBER])
                .gsn_addresses(address(self.peer))
                .tlv(ie::QOS, &[1, 0x0b, 0x92, 0x1f])
                .bytes(),
            Some(caller) => message::modify(caller, ours).encode(sequence & 0xFF_FFFF),
        }
    }

    /// The request that ends it.
    pub fn delete(self, ours: u32, sequence: u32) -> Vec<u8> {
        match self.by {
            By::Gn => sgsn::Message::new(kind::DELETE_REQUEST, ours, sequence as u16)
                .tv(ie::TEARDOWN, &[0xff])
                .tv(ie::NSAPI, &[NUMBER])
                .bytes(),
            By::S5 | By::S11 => message::delete(ours, NUMBER).encode(sequence & 0xFF_FFFF),
        }
    }

    /// An Echo Request of the peer.
    pub fn echo(self, sequence: u32) -> Vec<u8> {
        match self.by {
            By::Gn => sgsn::Message::new(kind::ECHO_REQUEST, 0, sequence as u16).bytes(),
            By::S5 | By::S11 => {
                let recovery = message::ie(IeType::RECOVERY, 0, &[1]);
                message::Message::new(MessageType::ECHO_REQUEST, None, vec![recovery])
                    .encode(sequence & 0xFF_FFFF)
            }
        }
    }

    fn caller(self) -> Option<Caller> {
        Some(Caller {
            subscriber: self.number.into(),
            ebi: NUMBER,
            interface: self.by.interface()?,
            peer: address(self.peer).into(),
            teid: self.number.wrapping_mul(2).wrapping_add(2),
        })
    }
}
