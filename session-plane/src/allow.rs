//! Which peers may ask (TS 33.117 4.2.6.2.3, GTP-C filtering; GSMA FS.20): networks for each service and interface.
//!
//! A datagram is looked at twice. By its header alone it must come from a network of some service of its GTP version; then a
//! request must come from one of the service and interface that it is about. Who may not ask is dropped and counted, and
//! learns nothing. A service and interface without networks takes whoever comes.

use std::net::IpAddr;

use licensing::ServiceIndex;

use crate::config::{Allowed, Apn, GtpVersion, Interface, Network, PlaneConfig, Role};
use crate::plane::SessionPlane;
use crate::session::Access;
use crate::statistics::DropReason;

/// Addresses of some networks, those of IPv4 as IPv6 has them: ranges in order, apart from one another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Ranges(Vec<(u128, u128)>);

/// Networks of all services and interfaces.
#[derive(Debug, Default)]
pub(crate) struct AllowLists {
    lists: Vec<(ServiceIndex, Interface, Ranges)>,
    /// Of whoever may send anything at all, by GTP version; none: anybody.
    by_version: [Option<Ranges>; 2],
}

impl Ranges {
    fn new(networks: impl Iterator<Item = Network>) -> Self {
        let mut ranges: Vec<_> = networks.map(Network::range).collect();
        ranges.sort_unstable();
        let mut joined: Vec<(u128, u128)> = Vec::with_capacity(ranges.len());
        for (first, last) in ranges {
            match joined.last_mut() {
                Some(before) if first <= before.1 => before.1 = before.1.max(last),
                Some(_) | None => joined.push((first, last)),
            }
        }
        Self(joined)
    }

    fn contain(&self, address: IpAddr) -> bool {
        let number = number(address);
        let behind = self.0.partition_point(|(first, _)| *first <= number);
        let range = behind.checked_sub(1).and_then(|at| self.0.get(at));
        range.is_some_and(|(_, last)| number <= *last)
    }
}

impl Network {
    /// Its first and its last address.
    fn range(self) -> (u128, u128) {
        let bits = match self.base {
            IpAddr::V4(_) => 32,
            IpAddr::V6(_) => 128,
        };
        let host = bits - u32::from(self.prefix).min(bits);
        let mask = 1_u128.checked_shl(host).map_or(u128::MAX, |bit| bit - 1);
        let first = number(self.base) & !mask;
        (first, first | mask)
    }
}

fn number(address: IpAddr) -> u128 {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().to_bits(),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

impl Interface {
    /// The one that sessions by this access have their requests by.
    pub(crate) fn of(access: Access) -> Self {
        match access {
            Access::Gn => Self::Gn,
            Access::S5 | Access::S2a | Access::S2b => Self::S5,
            Access::S11 => Self::S11,
        }
    }

    /// Those that calls of a role have.
    pub fn of_role(role: Role) -> &'static [Self] {
        match role {
            Role::Ggsn => &[Self::Gn],
            Role::Pgw => &[Self::S5],
            Role::Saegw => &[Self::S11],
            Role::Sgw => &[Self::S11, Self::S5],
        }
    }
}

impl AllowLists {
    pub(crate) fn new(config: &PlaneConfig) -> Self {
        let list = |allowed: &Allowed| {
            let ranges = Ranges::new(allowed.networks.iter().copied());
            (allowed.service, allowed.interface, ranges)
        };
        let lists: Vec<_> = config.allowed.iter().map(list).collect();
        let of_version = |version| {
            let apns = config.apns.iter();
            let of_version = |apn: &&Apn| apn.role.version() == version;
            let pairs: Vec<_> = apns
                .filter(of_version)
                .flat_map(|apn| {
                    Interface::of_role(apn.role)
                        .iter()
                        .map(|i| (apn.service, *i))
                })
                .collect();
            let is_listed = |pair: &(ServiceIndex, Interface)| {
                let mut listed = config.allowed.iter();
                listed.any(|allowed| (allowed.service, allowed.interface) == *pair)
            };
            let networks = config.allowed.iter();
            let networks = networks
                .filter(|allowed| pairs.contains(&(allowed.service, allowed.interface)))
                .flat_map(|allowed| allowed.networks.iter().copied());
            let all = !pairs.is_empty() && pairs.iter().all(is_listed);
            all.then(|| Ranges::new(networks))
        };
        Self {
            by_version: [GtpVersion::V1, GtpVersion::V2].map(of_version),
            lists,
        }
    }

    /// Whether this peer may send anything by this version.
    fn hears(&self, peer: IpAddr, version: GtpVersion) -> bool {
        let ranges = self.by_version[version as usize].as_ref();
        ranges.is_none_or(|ranges| ranges.contain(peer))
    }

    /// Whether this peer may ask for what is of this service and interface.
    fn serves(&self, peer: IpAddr, service: ServiceIndex, interface: Interface) -> bool {
        let mut lists = self.lists.iter();
        let list = lists.find(|(of, by, _)| (*of, *by) == (service, interface));
        list.is_none_or(|(_, _, ranges)| ranges.contain(peer))
    }
}

impl SessionPlane {
    /// Whether a datagram is heard, by its header alone; one that is not is counted.
    pub(crate) fn hears(&mut self, peer: IpAddr, version: GtpVersion) -> bool {
        let hears = self.shared.allow.hears(peer, version);
        if !hears {
            self.counters.dropped(DropReason::NotAllowed);
        }
        hears
    }

    /// Whether every peer may ask for everything.
    pub(crate) fn allows_all(&self) -> bool {
        self.shared.allow.lists.is_empty()
    }

    /// Whether a request is served that is about this endpoint of ours, or, if it is to make a session, about this access
    /// point name; what is about nothing that there is may be asked by whoever is heard.
    pub(crate) fn is_allowed(
        &self,
        peer: IpAddr,
        teid: u32,
        wanted: Option<(u16, Interface)>,
    ) -> bool {
        let about = wanted.or_else(|| self.interface_of(teid));
        let of = about.and_then(|(apn, interface)| {
            let apn = self.config.apns.get(usize::from(apn))?;
            Some((apn.service, interface))
        });
        of.is_none_or(|(service, interface)| self.shared.allow.serves(peer, service, interface))
    }

    /// The access point name of the session that has this endpoint, and the interface that the endpoint is for: of a
    /// session by S11 its own is for the PGW that it is at, or for SGWs that its MME may move it to.
    fn interface_of(&self, teid: u32) -> Option<(u16, Interface)> {
        let ue = self.table.ue_by_teid(teid);
        if let Some(ue) = ue.and_then(|ue| self.table.ue(ue)) {
            let session = self.table.session(ue.sessions().next()?)?;
            return Some((session.apn, Interface::S11));
        }
        let session = self.table.session(self.table.by_teid(teid)?)?;
        let interface = match session.access {
            Access::S11 => Interface::S5,
            Access::Gn | Access::S5 | Access::S2a | Access::S2b => Interface::of(session.access),
        };
        Some((session.apn, interface))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(base: &str, prefix: u8) -> Network {
        Network {
            base: base.parse().unwrap(),
            prefix,
        }
    }

    #[test]
    fn networks_are_joined_and_hold_what_is_between_their_ends() {
        let networks = [
            network("10.1.0.0", 16),
            network("10.0.0.0", 8),
            network("192.0.2.7", 32),
            network("2001:db8::", 32),
        ];
        let ranges = Ranges::new(networks.into_iter());
        assert_eq!(ranges.0.len(), 3);
        for (address, inside) in [
            ("10.0.0.0", true),
            ("10.255.255.255", true),
            ("::ffff:10.7.0.1", true),
            ("9.255.255.255", false),
            ("11.0.0.0", false),
            ("192.0.2.6", false),
            ("192.0.2.7", true),
            ("192.0.2.8", false),
            ("2001:db8:ffff::1", true),
            ("2001:db9::", false),
            ("::1", false),
        ] {
            assert_eq!(
                ranges.contain(address.parse().unwrap()),
                inside,
                "{address}"
            );
        }
        assert!(!Ranges::default().contain([10, 0, 0, 1].into()));
        let all = Ranges::new([network("0.0.0.0", 0)].into_iter());
        assert!(all.contain([255; 4].into()) && !all.contain("::1".parse().unwrap()));
        let all = Ranges::new([network("::", 0)].into_iter());
        assert!(all.contain([1; 4].into()) && all.contain("ff::".parse().unwrap()));
    }
}
