//! Which peers may ask, and how much: `[[allow]]` and `[overload]`.

use std::net::IpAddr;

use licensing::{Catalog, ServiceIndex};
use session_plane::config::{Allowed, Interface, Network, Rates, Role};

use super::check::{Checked, once, unknown, within, wrong};
use super::file;
use super::plane::role_of;

/// Most networks of one list.
const NETWORKS_MAX: usize = 1024;
/// Highest rate, in requests a second.
const RATE_MAX: u64 = 1_000_000;

/// The networks of every service and interface that has some.
pub(super) fn check(sections: &[file::Allow], catalog: &Catalog) -> Checked<Vec<Allowed>> {
    let mut allowed = Vec::new();
    for (place, section) in sections.iter().enumerate() {
        let key = format!("allow[{place}]");
        let service_key = format!("{key}.service");
        let before = sections[..place].iter().map(|other| other.service.as_str());
        once("allow of service", &section.service, &service_key, before)?;
        let Some(service) = catalog.service_named(&section.service) else {
            let known = catalog.services().iter().map(|s| s.name.as_str());
            return unknown("service", &section.service, service_key, known);
        };
        let role = role_of(&section.service);
        for (interface, name, texts) in [
            (Interface::Gn, "gn", &section.gn),
            (Interface::S5, "s5s8", &section.s5s8),
            (Interface::S11, "s11", &section.s11),
        ] {
            let key = format!("{key}.{name}");
            allowed.extend(list(
                &section.service,
                (service, role, interface),
                texts,
                &key,
            )?);
        }
    }
    Ok(allowed)
}

fn list(
    name: &str,
    (service, role, interface): (ServiceIndex, Role, Interface),
    texts: &[String],
    key: &str,
) -> Checked<Option<Allowed>> {
    if texts.is_empty() {
        return Ok(None);
    }
    if !Interface::of_role(role).contains(&interface) {
        return wrong(key, format!("a list for service {name}"));
    }
    if texts.len() > NETWORKS_MAX {
        return wrong(key, format!("{} networks", texts.len()));
    }
    let mut networks = Vec::with_capacity(texts.len());
    for (n, text) in texts.iter().enumerate() {
        match network(text) {
            Some(network) => networks.push(network),
            None => return wrong(format!("{key}[{n}]"), format!("{text:?}")),
        }
    }
    Ok(Some(Allowed {
        service,
        interface,
        networks,
    }))
}

/// An address, or a network whose host bits are 0.
fn network(text: &str) -> Option<Network> {
    let (base, prefix) = match text.split_once('/') {
        Some((base, prefix)) => (base, Some(prefix.parse::<u8>().ok()?)),
        None => (text, None),
    };
    let base: IpAddr = base.parse().ok()?;
    let (number, bits) = match base {
        IpAddr::V4(v4) => (u128::from(v4.to_bits()) << 96, 32),
        IpAddr::V6(v6) => (v6.to_bits(), 128),
    };
    let prefix = prefix.unwrap_or(bits);
    let host = number.checked_shl(prefix.into()).unwrap_or(0);
    (prefix <= bits && host == 0).then_some(Network { base, prefix })
}

pub(super) fn rates(overload: &file::Overload) -> Checked<Rates> {
    let (of_peer, of_all) = (overload.peer_requests_per_s, overload.requests_per_s);
    within(of_peer, 0, RATE_MAX, "overload.peer_requests_per_s")?;
    within(of_all, 0, RATE_MAX, "overload.requests_per_s")?;
    Ok(Rates {
        peer_per_s: of_peer,
        all_per_s: of_all,
    })
}
