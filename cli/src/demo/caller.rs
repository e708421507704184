//! The demo's peer: an SGSN that makes single calls and remembers them, and the load generator beside it.

use std::net::IpAddr;
use std::time::Duration;

use api::Failure;
use load::shell::{Client, ClientError, ClientOptions, Context};
use load::{ApnShare, HoldTime, Imsi, Plan, Report};

use super::child::Child;
use crate::interrupt::Interrupt;

/// IMSI of the first subscriber that calls by itself; the load generator's begin a million later.
const FIRST_IMSI: u64 = 1_010_000_000_001;

/// Digits of an IMSI.
const IMSI_DIGITS: u8 = 15;

/// Calls that the load generator begins a second.
const LOAD_PER_S: f64 = 2_500.0;

/// Calls one at a time, and the load generator.
pub struct Caller {
    client: Client,
    plan: Plan,
    next_imsi: u64,
    up: Vec<Context>,
}

impl Caller {
    /// Of this node.
    pub fn new(child: &Child) -> Result<Self, Failure> {
        let local = IpAddr::V4(child.peer);
        let options = ClientOptions {
            peer: child.gn,
            local,
            local_port: 0,
            ..ClientOptions::default()
        };
        let client = Client::open(options).map_err(|error| failed(&error))?;
        let plan = Plan {
            peer: child.gn,
            local,
            local_port: 0,
            calls_per_s: LOAD_PER_S,
            ramp: Duration::from_secs(1),
            hold: HoldTime::Forever,
            first_imsi: "001010001000001".to_owned(),
            leave_up: true,
            ..Plan::default()
        };
        Ok(Self {
            client,
            plan,
            next_imsi: FIRST_IMSI,
            up: Vec::new(),
        })
    }

    /// A new subscriber calls; the cause that it is answered with.
    pub fn create(&mut self, apn: &str) -> Result<u8, Failure> {
        let imsi =
            Imsi::from_number(self.next_imsi, IMSI_DIGITS).map_err(|error| failed(&error))?;
        self.next_imsi += 1;
        let outcome = self
            .client
            .create(apn, imsi)
            .map_err(|error| lost(&error))?;
        self.up.extend(outcome.context);
        Ok(outcome.cause.0)
    }

    /// The oldest call changes.
    pub fn update(&mut self) -> Result<u8, Failure> {
        let context = self.up.first().ok_or_else(none_up)?;
        let outcome = self.client.update(context).map_err(|error| lost(&error))?;
        Ok(outcome.cause.0)
    }

    /// The oldest call ends.
    pub fn delete(&mut self) -> Result<u8, Failure> {
        let context = self.up.first().ok_or_else(none_up)?;
        let outcome = self.client.delete(context).map_err(|error| lost(&error))?;
        self.up.remove(0);
        Ok(outcome.cause.0)
    }

    /// So many calls come at a rate, and stay up.
    pub fn load(&self, apn: &str, calls: u64, interrupt: &Interrupt) -> Result<Report, Failure> {
        let plan = Plan {
            apns: vec![ApnShare {
                apn: apn.to_owned(),
                weight: 1,
            }],
            max_calls: Some(calls),
            ..self.plan.clone()
        };
        crate::load_command::carry_out(plan, interrupt, true)
    }
}

fn failed(error: &dyn std::error::Error) -> Failure {
    Failure::new(
        format!("no calls can be made: {error}"),
        "demo",
        "run it again",
    )
}

fn lost(error: &ClientError) -> Failure {
    Failure::new(error.to_string(), "GTP-C", "see the node's log above")
}

fn none_up() -> Failure {
    Failure::new("no call is up", "demo", "see the assertions above")
}
