//! What load to make.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use gtp::v1::value::APN_MAX_BYTES;
use gtp::v1::{Apn, Imsi, PdpType};
use gtp::v2::PdnType;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::Interface;

/// An APN and its share of the calls.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApnShare {
    /// The name, dotted.
    pub apn: String,
    /// Its share, relative to the others'.
    pub weight: u32,
}

/// How long an accepted call is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HoldTime {
    /// Always as long.
    Fixed(Duration),
    /// Exponentially distributed with this mean.
    Exponential(Duration),
    /// Until the end of the run.
    Forever,
}

/// What addresses calls ask for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Addresses {
    /// IPv4.
    #[default]
    Ipv4,
    /// IPv6.
    Ipv6,
    /// Both.
    Ipv4v6,
}

impl Addresses {
    pub(crate) fn pdp_type(self) -> PdpType {
        match self {
            Self::Ipv4 => PdpType::Ipv4,
            Self::Ipv6 => PdpType::Ipv6,
            Self::Ipv4v6 => PdpType::Ipv4v6,
        }
    }

    pub(crate) fn pdn_type(self) -> PdnType {
        match self {
            Self::Ipv4 => PdnType::Ipv4,
            Self::Ipv6 => PdnType::Ipv6,
            Self::Ipv4v6 => PdnType::Ipv4v6,
        }
    }
}

/// What load to make, against whom.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Plan {
    /// What is spoken: who we are, and who the gateway is.
    pub interface: Interface,
    /// The gateway's signalling address.
    pub peer: SocketAddr,
    /// On S11: the PGW that calls name. None: the gateway itself, which then is SGW and PGW in one.
    pub pgw: Option<IpAddr>,
    /// Our address: that of the calls, and where the gateway's own requests come to, at the GTP-C port.
    pub local: IpAddr,
    /// Our GTP-C port. The protocol has 2123; 0 takes any, then the gateway's Echo Requests may find nobody.
    pub local_port: u16,
    /// Sockets to send from, each with sequence numbers of its own. 0 takes as many as the rate needs.
    pub sockets: u16,
    /// Calls begun a second, once the ramp is over.
    pub calls_per_s: f64,
    /// Time in which the rate goes up from nothing.
    pub ramp: Duration,
    /// How long a call is held.
    pub hold: HoldTime,
    /// A call is updated every so often while it is held; on S11 its UE falls idle and comes back.
    pub update_every: Option<Duration>,
    /// The APNs.
    pub apns: Vec<ApnShare>,
    /// PDN connections of each call; more than one on S11 only. They go round the APNs.
    pub pdns: u8,
    /// What addresses calls ask for.
    pub addresses: Addresses,
    /// The first subscriber's IMSI.
    pub first_imsi: String,
    /// Subscribers; each has one call at a time.
    pub subscribers: u32,
    /// Calls come from phones without a subscriber, as an emergency call may: the first 14 digits of `first_imsi` begin
    /// their IMEIs. Not on Gn.
    pub emergency: bool,
    /// Calls signal low access priority.
    pub low_priority: bool,
    /// Begin no more than this many calls.
    pub max_calls: Option<u64>,
    /// Begin calls for so long.
    pub duration: Option<Duration>,
    /// At the end leave the calls up.
    pub leave_up: bool,
    /// Time to wait for an answer before the request is sent again (T3-RESPONSE).
    pub t3_response: Duration,
    /// How often a request is sent in all (N3-REQUESTS).
    pub n3_requests: u8,
    /// Most requests without an answer at any time.
    pub window: u32,
    /// Time in which the calls are taken down at the end; what is left then is left.
    pub drain_limit: Duration,
    /// Restart counter that the calls and Echo Responses carry.
    pub recovery: u8,
    /// Allocation/retention priority in the QoS profile of Gn, 1 to 3.
    pub arp: u8,
    /// Priority level, 1 to 15: on Gn in an element of its own, elsewhere that of the default bearer.
    pub evolved_arp_level: Option<u8>,
    /// Seed of what is random: APN and hold time.
    pub seed: u64,
}

/// Why a plan can't be carried out.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum PlanError {
    /// No APN, or none with a weight.
    #[error("apns: at least one with a weight above 0 is needed")]
    NoApn,
    /// An APN that can't be coded.
    #[error("apns: \"{apn}\" can't be coded")]
    Apn {
        /// Its name.
        apn: String,
    },
    /// The first IMSI is no IMSI.
    #[error("first_imsi: \"{imsi}\" is not 6 to 15 digits")]
    Imsi {
        /// What was given.
        imsi: String,
    },
    /// The IMSIs run out of digits.
    #[error("subscribers: {subscribers} from {imsi} on run out of digits")]
    Subscribers {
        /// How many.
        subscribers: u32,
        /// The first.
        imsi: String,
    },
    /// An IMEI has 14 digits and one that checks them, so the first IMSI must if it stands for one.
    #[error("first_imsi: \"{imsi}\" is not 14 or 15 digits, as emergency calls need")]
    Imei {
        /// What was given.
        imsi: String,
    },
    /// A field that this interface has no use for.
    #[error("{key}: {interface} has no such thing; {todo}")]
    Interface {
        /// The field.
        key: &'static str,
        /// The interface's name.
        interface: &'static str,
        /// What to do.
        todo: &'static str,
    },
    /// The PGW's address and ours are of different families.
    #[error("pgw: {pgw} and the gateway's own address are of different families")]
    Family {
        /// The PGW.
        pgw: IpAddr,
    },
    /// A number outside its bounds.
    #[error("{key}: {value} is not {least} to {most}")]
    Range {
        /// The field.
        key: &'static str,
        /// What was given.
        value: String,
        /// The least allowed.
        least: String,
        /// The most allowed.
        most: String,
    },
}

/// Most calls begun a second.
const MAX_CALLS_PER_S: f64 = 1_000_000.0;
/// Most subscribers: our TEIDs have 24 bits for the call.
const MAX_SUBSCRIBERS: u32 = (1 << 24) - 1;
/// Most sockets.
const MAX_SOCKETS: u16 = 256;
/// Most requests under way: half the sequence numbers of one socket.
const MAX_WINDOW: u32 = 32_768;
/// Digits of an IMEI that number the phone: type and serial number (TS 23.003 6.2.1).
const IMEI_NUMBER_DIGITS: u8 = 14;
/// Most PDN connections of a UE: default bearers 5 to 15.
const MAX_PDNS: u8 = 11;

impl Default for Plan {
    fn default() -> Self {
        Self {
            interface: Interface::Gn,
            pgw: None,
            peer: SocketAddr::from((Ipv4Addr::LOCALHOST, 2123)),
            local: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            local_port: 2123,
            sockets: 0,
            calls_per_s: 10.0,
            ramp: Duration::ZERO,
            hold: HoldTime::Fixed(Duration::from_secs(10)),
            update_every: None,
            apns: vec![ApnShare {
                apn: "internet".to_owned(),
                weight: 1,
            }],
            pdns: 1,
            addresses: Addresses::Ipv4,
            first_imsi: "001010000000001".to_owned(),
            subscribers: 100_000,
            emergency: false,
            low_priority: false,
            max_calls: None,
            duration: None,
            leave_up: false,
            t3_response: Duration::from_secs(3),
            n3_requests: 3,
            window: 512,
            drain_limit: Duration::from_secs(30),
            recovery: 1,
            arp: 2,
            evolved_arp_level: None,
            seed: 1,
        }
    }
}

impl Plan {
    /// Checks every bound.
    ///
    /// # Errors
    ///
    /// Names the first field that is out of its bounds.
    pub fn check(&self) -> Result<(), PlanError> {
        range("calls_per_s", self.calls_per_s, 0.01, MAX_CALLS_PER_S)?;
        range("subscribers", self.subscribers, 1, MAX_SUBSCRIBERS)?;
        range("sockets", self.sockets, 0, MAX_SOCKETS)?;
        range("window", self.window, 1, MAX_WINDOW)?;
        range("n3_requests", self.n3_requests, 1, 20)?;
        range("arp", self.arp, 1, 3)?;
        range("pdns", self.pdns, 1, MAX_PDNS)?;
        range(
            "evolved_arp_level",
            self.evolved_arp_level.unwrap_or(1),
            1,
            15,
        )?;
        let minute_s = Duration::from_secs(60).as_secs_f64();
        range(
            "t3_response",
            self.t3_response.as_secs_f64(),
            0.001,
            minute_s,
        )?;
        if let Some(every) = self.update_every {
            range("update_every", every.as_secs_f64(), 0.001, f64::MAX)?;
        }
        self.check_interface()?;
        self.check_apns()?;
        self.check_imsis()
    }

    /// What there is on one interface only.
    fn check_interface(&self) -> Result<(), PlanError> {
        let (gn, s11) = (
            self.interface == Interface::Gn,
            self.interface == Interface::S11,
        );
        let alien = [
            (
                "pgw",
                self.pgw.is_some() && !s11,
                "an MME names a PGW, on S11",
            ),
            ("pdns", self.pdns > 1 && !s11, "a UE has several on S11"),
            (
                "emergency",
                self.emergency && gn,
                "name an access point for emergency calls",
            ),
        ];
        let alien = alien.into_iter().find(|(_, given, _)| *given);
        if let Some((key, _, todo)) = alien {
            let interface = self.interface.name();
            return Err(PlanError::Interface {
                key,
                interface,
                todo,
            });
        }
        match self.pgw {
            Some(pgw) if pgw.is_ipv4() != self.peer.is_ipv4() => Err(PlanError::Family { pgw }),
            _ => Ok(()),
        }
    }

    /// Sockets that the rate needs: a sequence number is not used again while the gateway may still keep the answer to
    /// its last use, N3 x T3. The plan's own number, if it has one.
    pub fn sockets_needed(&self) -> u16 {
        if self.sockets > 0 {
            return self.sockets;
        }
        let requests_per_s = self.calls_per_s * self.requests_per_call();
        let numbers = f64::from(self.interface.last_sequence()) + 1.0;
        let needed = requests_per_s * self.reuse_after().as_secs_f64() * 1.25 / numbers;
        (needed.ceil() as u16).clamp(1, MAX_SOCKETS)
    }

    /// Requests of a call in the mean: on S11 each create and each release is followed by a Modify Bearer.
    fn requests_per_call(&self) -> f64 {
        let updates = match (self.update_every, self.hold) {
            (Some(every), HoldTime::Fixed(hold) | HoldTime::Exponential(hold)) => {
                hold.as_secs_f64() / every.as_secs_f64()
            }
            (Some(_), HoldTime::Forever) | (None, _) => 0.0,
        };
        let pdns = f64::from(self.pdns);
        match self.interface {
            Interface::Gn | Interface::S5 => 2.0 + updates,
            Interface::S11 => 3.0 * pdns + updates * (1.0 + pdns),
        }
    }

    /// How long a sequence number rests after its use.
    pub fn reuse_after(&self) -> Duration {
        self.t3_response * u32::from(self.n3_requests)
    }

    fn check_apns(&self) -> Result<(), PlanError> {
        if self.apns.iter().all(|share| share.weight == 0) {
            return Err(PlanError::NoApn);
        }
        let bad = self
            .apns
            .iter()
            .find(|share| Apn::encode(&share.apn, &mut [0; APN_MAX_BYTES]).is_err());
        match bad {
            Some(share) => Err(PlanError::Apn {
                apn: share.apn.clone(),
            }),
            None => Ok(()),
        }
    }

    /// The number from which callers are counted: the first IMSI, or the digits of it that number a phone.
    pub(crate) fn first_caller(&self, first: Imsi) -> u64 {
        match self.emergency && first.digit_count() > IMEI_NUMBER_DIGITS {
            true => first.number() / 10,
            false => first.number(),
        }
    }

    fn check_imsis(&self) -> Result<(), PlanError> {
        let imsi = self.first_imsi.clone();
        let Ok(first) = Imsi::from_text(&imsi) else {
            return Err(PlanError::Imsi { imsi });
        };
        if self.emergency && first.digit_count() < IMEI_NUMBER_DIGITS {
            return Err(PlanError::Imei { imsi });
        }
        let last = self.first_caller(first) + u64::from(self.subscribers) - 1;
        let digits = match self.emergency {
            true => IMEI_NUMBER_DIGITS,
            false => first.digit_count(),
        };
        match Imsi::from_number(last, digits) {
            Ok(_) => Ok(()),
            Err(_) => Err(PlanError::Subscribers {
                subscribers: self.subscribers,
                imsi,
            }),
        }
    }
}

fn range<T: PartialOrd + ToString>(
    key: &'static str,
    value: T,
    least: T,
    most: T,
) -> Result<(), PlanError> {
    if value >= least && value <= most {
        return Ok(());
    }
    Err(PlanError::Range {
        key,
        value: value.to_string(),
        least: least.to_string(),
        most: most.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_plan_can_be_carried_out() {
        assert_eq!(Plan::default().check(), Ok(()));
        assert_eq!(Plan::default().sockets_needed(), 1);
    }

    #[test]
    fn a_plan_out_of_its_bounds_names_the_field() {
        let refused = |change: fn(&mut Plan)| {
            let mut plan = Plan::default();
            change(&mut plan);
            plan.check().unwrap_err().to_string()
        };
        type Change = fn(&mut Plan);
        let cases: [(Change, &str); 9] = [
            (
                |plan| plan.calls_per_s = 0.0,
                "calls_per_s: 0 is not 0.01 to 1000000",
            ),
            (
                |plan| plan.calls_per_s = f64::NAN,
                "calls_per_s: NaN is not 0.01 to 1000000",
            ),
            (
                |plan| plan.subscribers = 0,
                "subscribers: 0 is not 1 to 16777215",
            ),
            (
                |plan| plan.window = 40_000,
                "window: 40000 is not 1 to 32768",
            ),
            (|plan| plan.arp = 4, "arp: 4 is not 1 to 3"),
            (
                |plan| plan.apns.clear(),
                "apns: at least one with a weight above 0 is needed",
            ),
            (
                |plan| plan.apns[0].apn = "a..b".to_owned(),
                "apns: \"a..b\" can't be coded",
            ),
            (
                |plan| plan.first_imsi = "12x".to_owned(),
                "first_imsi: \"12x\" is not 6 to 15 digits",
            ),
            (
                |plan| plan.first_imsi = "999999999999990".to_owned(),
                "subscribers: 100000 from 999999999999990 on run out of digits",
            ),
        ];
        for (change, text) in cases {
            assert_eq!(refused(change), text);
        }
    }

    #[test]
    fn the_faster_the_more_sockets() {
        let mut plan = Plan {
            calls_per_s: 10_000.0,
            ..Plan::default()
        };
        // 20,000 requests a second, each sequence number resting for 9 s, and a quarter to spare.
        assert_eq!(plan.sockets_needed(), 4);
        plan.update_every = Some(Duration::from_secs(1));
        assert_eq!(plan.sockets_needed(), 21);
        plan.sockets = 2;
        assert_eq!(plan.sockets_needed(), 2);
    }
}
