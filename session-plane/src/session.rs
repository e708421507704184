//! The record of one session: a PDN connection with one or more PDP contexts, one permit and its addresses.

use std::net::{IpAddr, Ipv6Addr};

use enforcer::{ClassId, Lot, Permit};
use gtp::v1::{Imei, Imsi, Nsapi};
use serde::{Deserialize, Serialize};

use crate::config::GtpVersion;
use crate::pools::Lease;
use crate::segmented::Segment;

/// No place: the end of a list.
pub(crate) const NONE: u32 = u32::MAX;

/// Whose session it is: an IMSI of up to 15 digits, or the 14 digits of an equipment identity that tell one equipment
/// from another. Sixteen digits of four bits; the last is free for an NSAPI.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Identity(u64);

/// The fifteenth digit of an equipment identity, which no IMSI has.
const EQUIPMENT: u64 = 0xE;

impl Identity {
    pub(crate) fn of_imsi(imsi: Imsi) -> Self {
        Self(packed(imsi.octets()) & !0xF)
    }

    /// Check digit and software version are no part of it (TS 23.003 6.2).
    pub(crate) fn of_imei(imei: Imei) -> Self {
        Self(packed(imei.octets()) & !0xFF | EQUIPMENT << 4)
    }

    /// Its lot, by which a block that is tried out refuses it or not.
    pub(crate) fn lot(self) -> Lot {
        Lot::of(self.0)
    }

    /// With an NSAPI: what only one context of a node may have at a time.
    pub(crate) fn with(self, nsapi: Nsapi) -> ContextKey {
        ContextKey(self.0 | u64::from(nsapi.number()))
    }
}

/// An identity and an NSAPI.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ContextKey(u64);

impl Segment for Identity {
    /// One multiplication spreads numbers that follow one another.
    fn segment(&self) -> u8 {
        self.0.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes()[0]
    }
}

impl Segment for ContextKey {
    fn segment(&self) -> u8 {
        Identity(self.0).segment()
    }
}

impl Segment for (ContextKey, Access) {
    fn segment(&self) -> u8 {
        self.0.segment()
    }
}

/// Digits first to last, four bits each, from the top.
fn packed(octets: [u8; 8]) -> u64 {
    u64::from_be_bytes(octets.map(|octet| octet.rotate_left(4)))
}

/// The interface that a session's signalling comes by. Bearer identities are the UE's own on each of those of GTPv2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Access {
    /// Gn or Gp, GTPv1.
    Gn,
    /// S11, from an MME.
    S11,
    /// S5 or S8, from an SGW.
    S5,
    /// S2a, from a trusted WLAN's gateway.
    S2a,
    /// S2b, from an ePDG.
    S2b,
}

impl Access {
    /// All of them, in their order.
    pub const ALL: [Self; 5] = [Self::Gn, Self::S11, Self::S5, Self::S2a, Self::S2b];

    /// Those of GTPv2.
    pub(crate) const OF_V2: [Self; 4] = [Self::S11, Self::S5, Self::S2a, Self::S2b];

    /// Of a 3GPP radio access; else of a WLAN.
    pub(crate) fn is_3gpp(self) -> bool {
        match self {
            Self::Gn | Self::S5 | Self::S11 => true,
            Self::S2a | Self::S2b => false,
        }
    }

    pub(crate) fn version(self) -> GtpVersion {
        match self {
            Self::Gn => GtpVersion::V1,
            Self::S11 | Self::S5 | Self::S2a | Self::S2b => GtpVersion::V2,
        }
    }
}

/// One PDP context, or one default bearer, whose EPS bearer identity is an NSAPI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Context {
    /// Our tunnel endpoint for user data, which is its charging identifier as well.
    pub teid: u32,
    /// The peer's tunnel endpoint for user data.
    pub peer_teid: u32,
    /// The peer's address for user data, IPv4 in its mapped form.
    peer_user: Ipv6Addr,
    pub nsapi: Nsapi,
}

impl Context {
    pub(crate) fn new(teid: u32, nsapi: Nsapi, peer_teid: u32, peer_user: IpAddr) -> Self {
        Self {
            teid,
            peer_teid,
            peer_user: mapped(peer_user),
            nsapi,
        }
    }

    /// Where user data goes now.
    pub(crate) fn move_to(&mut self, peer_teid: u32, peer_user: IpAddr) {
        self.peer_teid = peer_teid;
        self.peer_user = mapped(peer_user);
    }

    pub(crate) fn peer_user(&self) -> IpAddr {
        self.peer_user.to_canonical()
    }
}

fn mapped(address: IpAddr) -> Ipv6Addr {
    match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped(),
        IpAddr::V6(v6) => v6,
    }
}

/// The addresses of a session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Leases {
    pub v4: Option<Lease>,
    pub v6: Option<Lease>,
}

impl Leases {
    pub(crate) fn iter(self) -> impl Iterator<Item = Lease> {
        [self.v4, self.v6].into_iter().flatten()
    }
}

/// One session. What is not here is not needed again: QoS and protocol options go back as they came.
#[derive(Debug)]
pub(crate) struct Session {
    pub identity: Identity,
    /// Our tunnel endpoint for signalling; by S11 that is its UE's, and this one is for user data, and as a PGW's.
    pub teid: u32,
    /// The peer's; by S11 it is its UE's.
    pub peer_teid: u32,
    /// The peer that it was made by or has moved to, a place in the worker's table of peers.
    pub peer: u32,
    /// The incarnation of that peer that it belongs to.
    pub incarnation: u32,
    /// Place in the configured access point names.
    pub apn: u16,
    pub access: Access,
    pub leases: Leases,
    /// The class that it counts for.
    pub class: ClassId,
    /// The only permit, however many contexts; taken out only while it is being replaced.
    pub permit: Option<Permit>,
    /// The first context.
    pub context: Context,
    /// Further contexts, a list.
    pub further: u32,
    /// Sessions of the same peer: the one made after and the one made before it.
    pub newer: u32,
    pub older: u32,
}

/// A context beyond the first of its session.
#[derive(Debug)]
pub(crate) struct Further {
    pub context: Context,
    /// Its session.
    pub session: u32,
    /// The next one of that session.
    pub next: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identities_tell_subscribers_and_equipment_apart() {
        let imsi = |text: &str| Identity::of_imsi(Imsi::from_text(text).unwrap());
        let imei = |octets: [u8; 8]| Identity::of_imei(Imei::parse(&octets).unwrap());
        assert_eq!(imsi("240010123456789").0, 0x2400_1012_3456_7890);
        assert_eq!(imsi("2400101234567").0, 0x2400_1012_3456_7FF0);
        let equipment = [0x53, 0x20, 0x43, 0x70, 0x65, 0x87, 0x09, 0x21];
        let other_software = [0x53, 0x20, 0x43, 0x70, 0x65, 0x87, 0x09, 0xF5];
        assert_eq!(imei(equipment).0, 0x3502_3407_5678_90E0);
        assert_eq!(imei(equipment), imei(other_software));
        let key = imsi("240010123456789").with(Nsapi::new(5).unwrap());
        assert_eq!(key.0, 0x2400_1012_3456_7895);
    }

    /// Of the 256 octets a session may take; the indexes and the pools need the rest.
    #[test]
    fn records_are_small() {
        assert!(
            size_of::<Option<Session>>() <= 120,
            "{}",
            size_of::<Option<Session>>()
        );
        assert!(
            size_of::<Option<Further>>() <= 48,
            "{}",
            size_of::<Option<Further>>()
        );
    }

    #[test]
    fn user_addresses_come_back_as_they_were() {
        let nsapi = Nsapi::new(5).unwrap();
        for address in ["10.1.2.3", "2001:db8::7"] {
            let address: IpAddr = address.parse().unwrap();
            assert_eq!(Context::new(1, nsapi, 2, address).peer_user(), address);
        }
    }
}
