//! The demo's peers: an SGSN, an SGW and an MME that make single calls and remember them, and the load generator beside
//! them.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use api::Failure;
use load::shell::{Client, ClientOptions, Context, Session, SessionClient, SessionOptions};
use load::{ApnShare, Ebi, HoldTime, Imsi, Interface, Plan, Report};

use super::child::{Addresses, Child};
use crate::interrupt::Interrupt;

/// IMSI of the first subscriber that calls by itself; those of the load generator begin a million later, for each
/// interface a million of their own.
const FIRST_IMSI: u64 = 1_010_000_000_001;

/// A million.
const APART: u64 = 1_000_000;

/// Digits of an IMSI.
const IMSI_DIGITS: u8 = 15;

/// How often a request is sent before it is given up: the machine may stand still for a while.
const SENDS_MAX: u8 = 20;

/// Calls that the load generator begins a second.
const LOAD_PER_S: f64 = 2_500.0;

/// Calls one at a time, and the load generator.
pub struct Caller {
    sgsn: Client,
    contexts: Vec<Context>,
    sgw: Sessions,
    mme: Sessions,
    node: SocketAddr,
    next_imsi: u64,
    /// Subscribers of loads so far.
    loaded: u64,
}

/// An SGW or an MME, and the sessions that it made, oldest first.
struct Sessions {
    client: SessionClient,
    local: IpAddr,
    up: Vec<Session>,
}

/// An answer to a single call.
#[derive(Clone, Copy, Debug)]
pub struct Answer {
    /// What it says.
    pub cause: u8,
    /// How long to stay away, if it says so.
    pub back_off: Option<Duration>,
}

impl Caller {
    /// Of this node.
    pub fn new(child: &Child) -> Result<Self, Failure> {
        let Addresses { gn, peers, .. } = child.addresses;
        let [sgsn, sgw, mme] = peers.map(IpAddr::V4);
        let options = ClientOptions {
            peer: gn,
            local: sgsn,
            local_port: 0,
            n3_requests: SENDS_MAX,
            ..ClientOptions::default()
        };
        Ok(Self {
            sgsn: Client::open(options).map_err(|error| failed(&error))?,
            contexts: Vec::new(),
            sgw: Sessions::open(Interface::S5, gn, sgw)?,
            mme: Sessions::open(Interface::S11, gn, mme)?,
            node: gn,
            next_imsi: FIRST_IMSI,
            loaded: 0,
        })
    }

    /// A new subscriber calls.
    pub fn create(&mut self, on: Interface, apn: &str) -> Result<Answer, Failure> {
        let imsi = Imsi::from_number(self.next_imsi, IMSI_DIGITS);
        let imsi = imsi.map_err(|error| failed(&error))?;
        self.next_imsi += 1;
        if let Some(sessions) = self.sessions(on) {
            let answered = sessions.client.create(apn, imsi);
            let answered = answered.map_err(|error| lost(&error))?;
            let back_off = answered.back_off.and_then(|timer| timer.duration());
            sessions.up.extend(answered.session);
            return Ok(Answer {
                cause: answered.cause.0,
                back_off,
            });
        }
        let outcome = self.sgsn.create(apn, imsi).map_err(|error| lost(&error))?;
        self.contexts.extend(outcome.context);
        Ok(Answer {
            cause: outcome.cause.0,
            back_off: outcome.back_off.and_then(|time| time.duration()),
        })
    }

    /// The newest UE on S11 asks for a further PDN connection.
    pub fn create_beside(&mut self, apn: &str) -> Result<u8, Failure> {
        let first = self.mme.up.last().ok_or_else(none_up)?;
        let ebi = Ebi::new(first.ebi.number() + 1).map_err(|error| failed(&error))?;
        let answered = self.mme.client.create_beside(first, apn, ebi);
        let answered = answered.map_err(|error| lost(&error))?;
        self.mme.up.extend(answered.session);
        Ok(answered.cause.0)
    }

    /// The oldest call changes; on S11 its eNodeB is told.
    pub fn update(&mut self, on: Interface) -> Result<u8, Failure> {
        if let Some(Sessions { client, up, .. }) = self.sessions(on) {
            let session = up.first().ok_or_else(none_up)?;
            let answered = client.modify(session).map_err(|error| lost(&error))?;
            return Ok(answered.cause.0);
        }
        let context = self.contexts.first().ok_or_else(none_up)?;
        let outcome = self.sgsn.update(context).map_err(|error| lost(&error))?;
        Ok(outcome.cause.0)
    }

    /// The UE of the oldest call on S11 falls idle.
    pub fn release(&mut self) -> Result<u8, Failure> {
        let session = self.mme.up.first().ok_or_else(none_up)?;
        let answered = self.mme.client.release(session);
        Ok(answered.map_err(|error| lost(&error))?.cause.0)
    }

    /// The oldest call ends.
    pub fn delete(&mut self, on: Interface) -> Result<u8, Failure> {
        if let Some(Sessions { client, up, .. }) = self.sessions(on) {
            let session = up.first().ok_or_else(none_up)?;
            let answered = client.delete(session).map_err(|error| lost(&error))?;
            up.remove(0);
            return Ok(answered.cause.0);
        }
        let context = self.contexts.first().ok_or_else(none_up)?;
        let outcome = self.sgsn.delete(context).map_err(|error| lost(&error))?;
        self.contexts.remove(0);
        Ok(outcome.cause.0)
    }

    /// For so long the MME does nothing but answer; the sessions that the node ended meanwhile, each by our tunnel
    /// endpoint and its default bearer, twice if it asked twice.
    pub fn ended(&mut self, time: Duration) -> Result<Vec<(u32, u8)>, Failure> {
        let served = self.mme.client.serve(time);
        served.map_err(|error| lost(&error))?;
        Ok(self.mme.client.take_ended())
    }

    /// So many calls come at a rate, and stay up.
    pub fn load(
        &mut self,
        on: Interface,
        apn: &str,
        calls: u64,
        interrupt: &Interrupt,
    ) -> Result<Report, Failure> {
        let (number, local) = match on {
            Interface::Gn => (1, self.sgsn.local_ip()),
            Interface::S5 => (2, self.sgw.local),
            Interface::S11 => (3, self.mme.local),
        };
        let plan = Plan {
            interface: on,
            peer: self.node,
            local,
            local_port: 0,
            calls_per_s: LOAD_PER_S,
            ramp: Duration::from_secs(1),
            hold: HoldTime::Forever,
            first_imsi: format!("{:015}", FIRST_IMSI + number * APART + self.loaded),
            leave_up: true,
            n3_requests: SENDS_MAX,
            apns: vec![ApnShare {
                apn: apn.to_owned(),
                weight: 1,
            }],
            max_calls: Some(calls),
            ..Plan::default()
        };
        self.loaded += calls;
        crate::load_command::carry_out(plan, interrupt, true)
    }

    fn sessions(&mut self, on: Interface) -> Option<&mut Sessions> {
        match on {
            Interface::Gn => None,
            Interface::S5 => Some(&mut self.sgw),
            Interface::S11 => Some(&mut self.mme),
        }
    }
}

impl Sessions {
    fn open(interface: Interface, node: SocketAddr, local: IpAddr) -> Result<Self, Failure> {
        let options = SessionOptions {
            interface,
            peer: node,
            local,
            n3_requests: SENDS_MAX,
            ..SessionOptions::default()
        };
        Ok(Self {
            client: SessionClient::open(options).map_err(|error| failed(&error))?,
            local,
            up: Vec::new(),
        })
    }
}

fn failed(error: &dyn std::error::Error) -> Failure {
    Failure::new(
        format!("no calls can be made: {error}"),
        "demo",
        "run it again",
    )
}

fn lost(error: &dyn std::error::Error) -> Failure {
    Failure::new(error.to_string(), "GTP-C", "see the node's log above")
}

fn none_up() -> Failure {
    Failure::new("no call is up", "demo", "see the assertions above")
}
