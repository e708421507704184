//! Configuration of the plane: plain structs, checked once; `node::config` fills them.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

pub use gtp::pco::DNS_MAX;
use gtp::{pco, v1, v2};
use licensing::{FeatureSet, RefusalReason, ServiceIndex};

/// Most access point names.
pub const APNS_MAX: usize = 512;
/// The name that stands for every access point name not configured by its own.
pub const WILDCARD: &str = "*";

/// What the plane is told before it starts.
#[derive(Clone, Debug, PartialEq)]
pub struct PlaneConfig {
    /// Our control-plane address and port; the address goes out as GGSN Address for Control Plane, and in our F-TEIDs.
    pub control: SocketAddr,
    /// Our user-plane address, the GGSN Address for user traffic, or of a PGW's F-TEIDs; the user plane itself is not ours.
    pub user: IpAddr,
    /// Our restart counter (TS 29.060 7.7.11).
    pub recovery: u8,
    /// T3-RESPONSE: how long we wait for an answer before we ask again.
    pub t3_response: Duration,
    /// N3-REQUESTS: how often we ask, and how many times T3-RESPONSE an answer of ours is kept for a retransmission.
    pub n3_requests: u8,
    /// Path supervision.
    pub echo: Echo,
    /// Access point names; one named [`WILDCARD`] takes all the others.
    pub apns: Vec<Apn>,
    /// Address pools.
    pub pools: Vec<Pool>,
    /// Causes of license refusals of calls that come by GTPv1.
    pub causes: RefusalCauses<v1::Cause>,
    /// Causes of license refusals of calls that come by GTPv2.
    pub causes_v2: RefusalCauses<v2::Cause>,
    /// What peers need, by the address that their datagrams come from.
    pub peer_options: BTreeMap<IpAddr, PeerOptions>,
    /// Which peers may ask, for each service and interface; one that is not there takes whoever comes.
    pub allowed: Vec<Allowed>,
    /// How many requests may come a second.
    pub rates: Rates,
    /// What calls of low access priority leave free of a ceiling for others, in percent, rounded up; 0: they are like
    /// others.
    pub low_priority_percent: u8,
    /// Bounds.
    pub bounds: Bounds,
    /// From the start of one recount of the session table to the start of the next (rule L14).
    pub recount_interval: Duration,
}

/// Peers that may ask for what is of one service, by one interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allowed {
    /// The service.
    pub service: ServiceIndex,
    /// The interface.
    pub interface: Interface,
    /// Where datagrams must come from.
    pub networks: Vec<Network>,
}

/// What requests come by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interface {
    /// Gn and Gp.
    Gn,
    /// S5/S8, S2a and S2b: of a PGW, and of an SGW towards its PGWs.
    S5,
    /// S11.
    S11,
}

/// Addresses that begin alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    /// One of them.
    pub base: IpAddr,
    /// How many bits they have in common.
    pub prefix: u8,
}

/// Requests a second beyond which overload control begins; 0: any number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rates {
    /// Of one peer.
    pub peer_per_s: u32,
    /// Of all of them.
    pub all_per_s: u32,
}

/// How refusals to one peer differ from those to others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PeerOptions {
    /// A refused Create is answered with endpoints and addresses beside the cause, though none are granted: a proxy that
    /// maps endpoints passes no other answer on, and there are SGWs that tell the cause to the MME only then.
    pub padded: bool,
    /// What goes with a back-off time.
    pub back_off: BackOff,
}

/// The cause that a license refusal with a back-off time has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BackOff {
    /// APN congestion: 229 by GTPv1, 113 by GTPv2, with which alone the time may come (TS 29.060 7.3.2, TS 29.274 table
    /// 7.2.2-1).
    #[default]
    WithCongestion,
    /// The one of [`RefusalCauses`], for a peer that takes the time with any.
    Always,
}

/// Path supervision by Echo Requests of our own (TS 29.060 7.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Echo {
    /// From one Echo Request to the next, for every peer that has sessions; none: no supervision. The specification
    /// allows one every 60 seconds, not more often.
    pub interval: Option<Duration>,
    /// The port that peers listen on, 2123.
    pub peer_port: u16,
    /// What happens when a peer leaves N3-REQUESTS of them unanswered.
    pub path_down: PathDown,
}

/// What happens to the sessions of a peer whose path is down (TS 29.060 11.2 leaves the choice).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathDown {
    /// They are ended, and their permits come back.
    EndSessions,
    /// They stay; the failure is counted.
    KeepSessions,
}

/// The GTP version that a call comes by. Both share one port.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GtpVersion {
    /// GTPv1-C: Gn and Gp, a GGSN's.
    #[default]
    V1,
    /// GTPv2-C: S5/S8, S2a and S2b, a PGW's; S11, an SGW's.
    V2,
}

/// What a call makes of us.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Its SGSN comes by Gn or Gp.
    #[default]
    Ggsn,
    /// Its SGW, TWAN or ePDG comes by S5/S8, S2a or S2b.
    Pgw,
    /// Its MME comes by S11 and wants us for PGW as well: SGW and PGW collapsed, one session.
    Saegw,
    /// Its MME comes by S11 and names another PGW.
    Sgw,
}

impl Role {
    /// How many there are.
    pub const COUNT: usize = 4;

    /// The GTP version that its calls come by.
    pub fn version(self) -> GtpVersion {
        match self {
            Self::Ggsn => GtpVersion::V1,
            Self::Pgw | Self::Saegw | Self::Sgw => GtpVersion::V2,
        }
    }
}

/// One access point name.
#[derive(Clone, Debug, PartialEq)]
pub struct Apn {
    /// Network identifier, or [`WILDCARD`]; letter case does not matter, and an operator identifier
    /// (`.mncNNN.mccNNN.gprs`) that a request appends does not either.
    pub name: String,
    /// What its calls make of us, and so the interface that they come by. The same name may be there once for each.
    pub role: Role,
    /// The service whose license its calls take.
    pub service: ServiceIndex,
    /// The features that its calls bring.
    pub features: FeatureSet,
    /// Pools for IPv4 addresses, places in [`PlaneConfig::pools`]; the first that has one gives it. An SGW has none: the
    /// addresses are the PGW's.
    pub ipv4_pools: Vec<u16>,
    /// Pools for IPv6 prefixes, likewise.
    pub ipv6_pools: Vec<u16>,
    /// Its calls are emergency calls (rule L8).
    pub emergency: bool,
    /// Its emergency calls end when nothing was signalled about them for so long, whatever passes on the user plane, which
    /// is not seen here; none: they don't.
    pub emergency_inactivity: Option<Duration>,
    /// What makes a call a priority call (rule L8).
    pub priority: ArpLevels,
    /// Its calls have low access priority, whether they say so or not.
    pub low_priority: bool,
    /// License refusals carry cause 229 (GTPv1) or 113 (GTPv2) and this Back-Off Time, jittered ([`BackOff`] makes
    /// exceptions); none: the cause of [`RefusalCauses`] alone.
    pub back_off: Option<Duration>,
    /// What a call that asks for an address of its own gets.
    pub static_address: StaticAddress,
    /// Name servers that UEs are told if they ask, in order, at most [`DNS_MAX`] of a family.
    pub dns: NameServers,
    /// Link MTU that UEs are told if they ask, in octets.
    pub mtu: Option<u16>,
}

/// Name servers, by family.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NameServers {
    /// By IPv4.
    pub v4: Vec<Ipv4Addr>,
    /// By IPv6.
    pub v6: Vec<Ipv6Addr>,
}

/// Allocation/retention priorities, as sets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ArpLevels {
    evolved: u16,
    rel99: u8,
}

impl ArpLevels {
    /// With this level of the Evolved Allocation/Retention Priority, 1 to 15 (TS 29.060 7.7.91), which GTPv2 has in the
    /// Bearer QoS (TS 29.274 8.15).
    #[must_use]
    pub const fn with_evolved(self, level: u8) -> Self {
        Self {
            evolved: self.evolved | 1 << (level & 15),
            ..self
        }
    }

    /// With this value of the QoS profile's first octet, 1 to 3 (TS 29.060 7.7.34).
    #[must_use]
    pub const fn with_rel99(self, level: u8) -> Self {
        Self {
            rel99: self.rel99 | 1 << (level & 7),
            ..self
        }
    }

    /// Whether a call with these levels is one of them; the evolved level, where there is one, decides alone.
    pub(crate) fn contain(self, evolved: Option<u8>, rel99: Option<u8>) -> bool {
        match (evolved, rel99) {
            (Some(level), _) => self.evolved >> (level & 15) & 1 == 1,
            (None, Some(level)) => level < 8 && self.rel99 >> level & 1 == 1,
            (None, None) => false,
        }
    }
}

/// What a request for a static address gets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StaticAddress {
    /// An address from the pool all the same.
    #[default]
    Dynamic,
    /// Cause 220, Unknown PDP address or PDP type; by GTPv2 cause 83, Preferred PDN type not supported.
    Refuse,
}

/// One address pool; no address may be in two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pool {
    /// Its name, for errors and statistics.
    pub name: String,
    /// What is in it.
    pub range: PoolRange,
}

/// The addresses of a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PoolRange {
    /// IPv4 addresses, both ends included.
    Ipv4 {
        /// The first.
        first: Ipv4Addr,
        /// The last.
        last: Ipv4Addr,
    },
    /// The /64 prefixes of a shorter IPv6 prefix.
    Ipv6 {
        /// The prefix; bits behind its length are 0.
        prefix: Ipv6Addr,
        /// Its length, 33 to 64.
        length: u8,
    },
}

/// Cause of a license refusal, by reason (TS 29.060 7.7.1, TS 29.274 8.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefusalCauses<C> {
    /// The service's policy is Block.
    pub service_blocked: C,
    /// A feature's policy is Block.
    pub feature_blocked: C,
    /// At the ceiling, or of low access priority near it.
    pub at_ceiling: C,
}

impl<C: Copy> RefusalCauses<C> {
    /// The same cause for every reason.
    pub fn all_as(cause: C) -> Self {
        Self {
            service_blocked: cause,
            feature_blocked: cause,
            at_ceiling: cause,
        }
    }

    /// The cause for a reason.
    pub fn of(&self, reason: RefusalReason) -> C {
        match reason {
            RefusalReason::ServiceBlocked => self.service_blocked,
            RefusalReason::FeatureBlocked { .. } => self.feature_blocked,
            RefusalReason::AtCeiling | RefusalReason::LowPriority | RefusalReason::Unsettled => {
                self.at_ceiling
            }
        }
    }

    pub(crate) fn all(&self) -> [C; 3] {
        [self.service_blocked, self.feature_blocked, self.at_ceiling]
    }
}

/// Bounds; those of a node are split evenly between its workers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Sessions of the node.
    pub sessions: u32,
    /// Sessions beyond these that only emergency calls may take.
    pub emergency_reserve: u32,
    /// Answers kept for retransmissions, a worker.
    pub responses: u32,
    /// Peers with sessions, of the node.
    pub peers: u32,
    /// Requests of our own that wait for an answer, a worker; while there are as many, a clear waits, and what can't wait
    /// is not sent.
    pub requests: u32,
    /// Refused subscribers remembered for a minute, a worker.
    pub refused_subscribers: u32,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            sessions: 10_000_000,
            emergency_reserve: 100_000,
            responses: 65_536,
            peers: 16_384,
            requests: 16_384,
            refused_subscribers: 65_536,
        }
    }
}

impl PlaneConfig {
    /// A configuration with the specification's defaults: T3 5 s, N3 5, Echo every 60 s to port 2123.
    pub fn new(control: SocketAddr, user: IpAddr, recovery: u8) -> Self {
        Self {
            control,
            user,
            recovery,
            t3_response: Duration::from_secs(5),
            n3_requests: 5,
            echo: Echo {
                interval: Some(Duration::from_secs(60)),
                peer_port: 2123,
                path_down: PathDown::EndSessions,
            },
            apns: Vec::new(),
            pools: Vec::new(),
            causes: RefusalCauses::all_as(v1::Cause::NO_RESOURCES_AVAILABLE),
            causes_v2: RefusalCauses::all_as(v2::Cause::NO_RESOURCES_AVAILABLE),
            peer_options: BTreeMap::new(),
            allowed: Vec::new(),
            rates: Rates::default(),
            low_priority_percent: 5,
            bounds: Bounds::default(),
            recount_interval: Duration::from_secs(10),
        }
    }

    /// How long an answer is kept: as long as its request may be sent again.
    pub fn retransmission_window(&self) -> Duration {
        self.t3_response.saturating_mul(u32::from(self.n3_requests))
    }
}

impl Apn {
    /// The answer to protocol configuration options (TS 24.008 10.5.6.3); none if they ask for nothing that there is, or
    /// are malformed.
    pub(crate) fn answer_to(&self, options: &[u8]) -> Option<pco::Answer> {
        pco::Asked::parse(options)?.answer(&pco::Offer {
            dns_v4: &self.dns.v4,
            dns_v6: &self.dns.v6,
            mtu: self.mtu,
        })
    }

    /// An access point name that asks for nothing special.
    pub fn new(name: impl Into<String>, service: ServiceIndex) -> Self {
        Self {
            name: name.into(),
            role: Role::Ggsn,
            service,
            features: FeatureSet::EMPTY,
            ipv4_pools: Vec::new(),
            ipv6_pools: Vec::new(),
            emergency: false,
            emergency_inactivity: None,
            priority: ArpLevels::default(),
            low_priority: false,
            back_off: None,
            static_address: StaticAddress::Dynamic,
            dns: NameServers::default(),
            mtu: None,
        }
    }
}
