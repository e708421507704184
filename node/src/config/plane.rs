//! The part of the configuration that the session plane is told: Gn, pools, access points, refusals.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use gtp::{v1, v2};
use licensing::Catalog;
use session_plane::PlaneConfig;
use session_plane::config::{
    APNS_MAX, Apn, ArpLevels, BackOff, Bounds, DNS_MAX, Echo, NameServers, PathDown, PeerOptions,
    Pool, PoolRange, RefusalCauses, Role, StaticAddress, WILDCARD,
};

use super::Problem;
use super::allow;
use super::check::{Checked, check_name, features, missing, once, unknown, within, wrong};
use super::file::{self, File};

/// Shortest time between Echo Requests of a path (TS 29.060 7.2.1), in seconds.
const ECHO_INTERVAL_MIN_S: u64 = 60;
/// Most networks of all pools.
const NETWORKS_MAX: usize = 1024;
/// Most sessions of a node.
const SESSIONS_MAX: u64 = 1 << 24;
/// Sessions that only emergency calls may take, where the configuration does not say it.
const EMERGENCY_RESERVE_DEFAULT: u32 = 100_000;

/// Checks all of it.
pub(super) fn check(file: &File, catalog: &Catalog, lab: bool) -> Checked<PlaneConfig> {
    let gn = &file.gn;
    check_gn(gn, lab)?;
    let user = gn.user_plane.unwrap_or(gn.listen.ip());
    for (address, key) in [(gn.listen.ip(), "gn.listen"), (user, "gn.user_plane")] {
        if address.is_unspecified() || address.is_multicast() {
            return wrong(
                key,
                format!("{address} is not the address of one interface"),
            );
        }
    }
    let pools = check_pools(&file.pool)?;
    Ok(PlaneConfig {
        t3_response: Duration::from_secs(gn.t3_response_s),
        n3_requests: gn.n3_requests,
        echo: Echo {
            interval: (gn.echo_interval_s > 0).then(|| Duration::from_secs(gn.echo_interval_s)),
            peer_port: gn.echo_port,
            path_down: match gn.path_down {
                file::PathDown::EndSessions => PathDown::EndSessions,
                file::PathDown::KeepSessions => PathDown::KeepSessions,
            },
        },
        apns: check_apns(&file.apn, catalog, &file.pool, &pools)?,
        pools,
        causes: check_refusal(&file.refusal)?,
        causes_v2: check_refusal_v2(&file.refusal)?,
        peer_options: check_peers(&file.peer)?,
        allowed: allow::check(&file.allow, catalog)?,
        rates: allow::rates(&file.overload)?,
        low_priority_percent: check_low_priority(&file.licensing)?,
        bounds: Bounds {
            sessions: gn.sessions_max,
            emergency_reserve: emergency_reserve(gn)?,
            responses: gn.responses_max,
            peers: gn.peers_max,
            requests: gn.requests_max,
            ..Bounds::default()
        },
        recount_interval: Duration::from_secs(gn.recount_interval_s),
        ..PlaneConfig::new(gn.listen, user, 0)
    })
}

fn check_gn(gn: &file::Gn, lab: bool) -> Checked<()> {
    within(gn.t3_response_s, 1, 60, "gn.t3_response_s")?;
    within(gn.n3_requests, 1, 10, "gn.n3_requests")?;
    within(gn.echo_interval_s, 0, 3600, "gn.echo_interval_s")?;
    within(gn.echo_port, 1, 65_535, "gn.echo_port")?;
    within(gn.sessions_max, 1, SESSIONS_MAX, "gn.sessions_max")?;
    within(gn.responses_max, 1, 1 << 20, "gn.responses_max")?;
    within(gn.peers_max, 1, 1 << 16, "gn.peers_max")?;
    within(gn.requests_max, 1, 1 << 16, "gn.requests_max")?;
    within(gn.recount_interval_s, 1, 3600, "gn.recount_interval_s")?;
    if (1..ECHO_INTERVAL_MIN_S).contains(&gn.echo_interval_s) && !lab {
        let what = format!("an echo interval of {} s, below 60 s,", gn.echo_interval_s);
        return Err(("gn.echo_interval_s".into(), Problem::NeedsLab { what }));
    }
    Ok(())
}

/// All sessions together are at most one and a half times those that the node is sized for: whoever has nothing but
/// emergency calls to make fills no more than that.
fn emergency_reserve(gn: &file::Gn) -> Checked<u32> {
    let most = gn.sessions_max / 2;
    let reserve = gn.emergency_reserve;
    let reserve = reserve.unwrap_or(most.min(EMERGENCY_RESERVE_DEFAULT));
    match reserve > most {
        true => {
            let found = format!("{reserve} where gn.sessions_max is {}", gn.sessions_max);
            wrong("gn.emergency_reserve", found)
        }
        false => Ok(reserve),
    }
}

fn check_refusal(refusal: &file::Refusal) -> Checked<RefusalCauses<v1::Cause>> {
    within(refusal.service_blocked, 192, 255, "refusal.service_blocked")?;
    within(refusal.feature_blocked, 192, 255, "refusal.feature_blocked")?;
    within(refusal.at_ceiling, 192, 255, "refusal.at_ceiling")?;
    Ok(RefusalCauses {
        service_blocked: v1::Cause(refusal.service_blocked),
        feature_blocked: v1::Cause(refusal.feature_blocked),
        at_ceiling: v1::Cause(refusal.at_ceiling),
    })
}

fn check_refusal_v2(refusal: &file::Refusal) -> Checked<RefusalCauses<v2::Cause>> {
    let cause = |cause: u8, key: &str| within(cause, 64, 239, key).map(|_| v2::Cause(cause));
    Ok(RefusalCauses {
        service_blocked: cause(
            refusal.gtpv2_service_blocked,
            "refusal.gtpv2_service_blocked",
        )?,
        feature_blocked: cause(
            refusal.gtpv2_feature_blocked,
            "refusal.gtpv2_feature_blocked",
        )?,
        at_ceiling: cause(refusal.gtpv2_at_ceiling, "refusal.gtpv2_at_ceiling")?,
    })
}

fn check_low_priority(licensing: &file::Licensing) -> Checked<u8> {
    let percent = licensing.low_priority_percent;
    within(percent, 0, 50, "licensing.low_priority_percent").map(|()| percent)
}

fn check_peers(sections: &[file::Peer]) -> Checked<BTreeMap<IpAddr, PeerOptions>> {
    let mut options = BTreeMap::new();
    for (place, section) in sections.iter().enumerate() {
        let key = format!("peer[{place}].address");
        let of_peer = PeerOptions {
            padded: section.refusal_style == file::RefusalStyle::Padded,
            back_off: match section.back_off {
                file::BackOff::WithCongestion => BackOff::WithCongestion,
                file::BackOff::Always => BackOff::Always,
            },
        };
        if options.insert(section.address, of_peer).is_some() {
            let (what, name) = ("peer", section.address.to_string());
            return Err((key, Problem::Twice { what, name }));
        }
    }
    Ok(options)
}

/// One pool of the plane for each network, under the name of the section that it is in.
fn check_pools(sections: &[file::Pool]) -> Checked<Vec<Pool>> {
    if sections.is_empty() {
        return missing("pool");
    }
    let mut pools = Vec::new();
    let mut v4 = Vec::new();
    let mut v6 = Vec::new();
    for (place, section) in sections.iter().enumerate() {
        let key = format!("pool[{place}].name");
        check_name(&section.name, &key)?;
        let before = sections[..place].iter().map(|other| other.name.as_str());
        once("pool", &section.name, &key, before)?;
        if section.ipv4.is_empty() && section.ipv6.is_empty() {
            return missing(format!("pool[{place}].ipv4"));
        }
        if pools.len() + section.ipv4.len() + section.ipv6.len() > NETWORKS_MAX {
            let found = format!("more than {NETWORKS_MAX} networks in all");
            return wrong(format!("pool[{place}].ipv4"), found);
        }
        let mut add = |range| {
            let name = section.name.clone();
            pools.push(Pool { name, range });
        };
        for (n, text) in section.ipv4.iter().enumerate() {
            let key = format!("pool[{place}].ipv4[{n}]");
            add(ipv4_range(network(text, &mut v4, &key)?));
        }
        for (n, text) in section.ipv6.iter().enumerate() {
            let key = format!("pool[{place}].ipv6[{n}]");
            let Network { base, prefix } = network(text, &mut v6, &key)?;
            add(PoolRange::Ipv6 {
                prefix: base,
                length: prefix,
            });
        }
    }
    Ok(pools)
}

/// All addresses of a network but its first and its last, which hosts take for the network's own and for broadcast.
fn ipv4_range(network: Network<Ipv4Addr>) -> PoolRange {
    let first = network.base.to_bits();
    let last = first | u32::MAX >> network.prefix;
    PoolRange::Ipv4 {
        first: Ipv4Addr::from_bits(first + 1),
        last: Ipv4Addr::from_bits(last - 1),
    }
}

/// A network whose host bits are 0.
#[derive(Clone, Copy)]
struct Network<A> {
    base: A,
    prefix: u8,
}

/// An address of either family as a number, and the prefix lengths that a pool may have.
trait Family: Copy + std::str::FromStr + std::fmt::Display {
    const BITS: u8;
    const PREFIXES: std::ops::RangeInclusive<u8>;
    fn number(self) -> u128;
}

impl Family for Ipv4Addr {
    const BITS: u8 = 32;
    const PREFIXES: std::ops::RangeInclusive<u8> = 8..=30;
    fn number(self) -> u128 {
        self.to_bits().into()
    }
}

impl Family for Ipv6Addr {
    const BITS: u8 = 128;
    const PREFIXES: std::ops::RangeInclusive<u8> = 33..=64;
    fn number(self) -> u128 {
        self.to_bits()
    }
}

/// Reads a network, and adds it to those of its family, from which it must lie apart.
fn network<A: Family>(text: &str, others: &mut Vec<Network<A>>, key: &str) -> Checked<Network<A>> {
    let parts = text.split_once('/');
    let parsed = parts.and_then(|(base, prefix)| Some((base.parse().ok()?, prefix.parse().ok()?)));
    let Some((base, prefix)) = parsed else {
        return wrong(key, format!("{text:?}"));
    };
    let base: A = base;
    if !A::PREFIXES.contains(&prefix) || base.number() & host_mask::<A>(prefix) != 0 {
        return wrong(key, format!("{text:?}"));
    }
    let shares = |other: &&Network<A>| {
        let shorter = prefix.min(other.prefix);
        (base.number() ^ other.base.number()) & !host_mask::<A>(shorter) == 0
    };
    if let Some(other) = others.iter().find(shares) {
        let network = text.to_owned();
        let other = format!("{}/{}", other.base, other.prefix);
        return Err((key.into(), Problem::Overlap { network, other }));
    }
    let network = Network { base, prefix };
    others.push(network);
    Ok(network)
}

fn host_mask<A: Family>(prefix: u8) -> u128 {
    (1 << (A::BITS - prefix)) - 1
}

fn check_apns(
    sections: &[file::Apn],
    catalog: &Catalog,
    named: &[file::Pool],
    pools: &[Pool],
) -> Checked<Vec<Apn>> {
    if sections.is_empty() {
        return missing("apn");
    }
    if sections.len() > APNS_MAX {
        let found = format!("{} sections, of at most {APNS_MAX}", sections.len());
        return wrong("apn", found);
    }
    let mut apns = Vec::with_capacity(sections.len());
    for (place, section) in sections.iter().enumerate() {
        let key = format!("apn[{place}]");
        let name_key = format!("{key}.name");
        check_apn_name(&section.name, &name_key)?;
        let role = role_of(&section.service);
        let before = sections[..place].iter();
        let before = before.filter(|other| role_of(&other.service) == role);
        let before = before.map(|other| other.name.as_str());
        once(access_point_of(role), &section.name, &name_key, before)?;
        check_pool_of(section, role, &format!("{key}.pool"), named)?;
        check_addressing(section, role, &key)?;
        check_emergency(section, role, &key, &sections[..place])?;
        apns.push(check_apn(section, &key, catalog, pools)?);
    }
    Ok(apns)
}

/// A session goes from PGW to SAEGW and back under one name with its permit, and an emergency call stays one (rule L8).
fn check_emergency(
    section: &file::Apn,
    role: Role,
    key: &str,
    before: &[file::Apn],
) -> Checked<()> {
    let counterpart = match role {
        Role::Pgw => Role::Saegw,
        Role::Saegw => Role::Pgw,
        Role::Ggsn | Role::Sgw => return Ok(()),
    };
    let is_same = |other: &&file::Apn| {
        role_of(&other.service) == counterpart && other.name.eq_ignore_ascii_case(&section.name)
    };
    match before.iter().find(is_same) {
        Some(other) if other.emergency != section.emergency => {
            let (name, service) = (&other.name, &other.service);
            let found = format!(
                "{} where {name:?} of service {service} has {}",
                section.emergency, other.emergency
            );
            wrong(format!("{key}.emergency"), found)
        }
        Some(_) | None => Ok(()),
    }
}

/// PGW, SAEGW and SGW are what they are called, letter case apart as in the catalog; the calls of every other service
/// come by GTPv1.
pub(super) fn role_of(service: &str) -> Role {
    match service.to_ascii_uppercase().as_str() {
        "PGW" => Role::Pgw,
        "SAEGW" => Role::Saegw,
        "SGW" => Role::Sgw,
        _ => Role::Ggsn,
    }
}

fn access_point_of(role: Role) -> &'static str {
    match role {
        Role::Pgw => "access point of service PGW",
        Role::Saegw => "access point of service SAEGW",
        Role::Sgw => "access point of service SGW",
        Role::Ggsn => "access point by GTPv1",
    }
}

/// What only a gateway that gives addresses can do is not asked of an SGW, whose PGW does it.
fn check_addressing(section: &file::Apn, role: Role, key: &str) -> Checked<()> {
    if role != Role::Sgw {
        return Ok(());
    }
    let of_sgw = |name: &str, found: String| {
        wrong(format!("{key}.{name}"), format!("{found} for service SGW"))
    };
    match (section.dns.len(), section.mtu, section.static_address) {
        (0, 0, file::StaticAddress::Dynamic) => Ok(()),
        (0, 0, file::StaticAddress::Refuse) => of_sgw("static_address", "\"refuse\"".into()),
        (0, mtu, _) => of_sgw("mtu", mtu.to_string()),
        (servers, _, _) => of_sgw("dns", servers.to_string()),
    }
}

/// An SGW's addresses are its PGW's; all others have a pool.
fn check_pool_of(section: &file::Apn, role: Role, key: &str, named: &[file::Pool]) -> Checked<()> {
    match (&section.pool, role) {
        (None, Role::Sgw) => Ok(()),
        (Some(pool), Role::Sgw) => wrong(key, format!("{pool:?} for service SGW")),
        (None, Role::Ggsn | Role::Pgw | Role::Saegw) => missing(key),
        (Some(pool), Role::Ggsn | Role::Pgw | Role::Saegw) => {
            let known = named.iter().map(|named| named.name.as_str());
            match known.clone().any(|name| name == pool) {
                true => Ok(()),
                false => unknown("pool", pool, key, known),
            }
        }
    }
}

fn check_apn(section: &file::Apn, key: &str, catalog: &Catalog, pools: &[Pool]) -> Checked<Apn> {
    let Some(service) = catalog.service_named(&section.service) else {
        let known = catalog.services().iter().map(|s| s.name.as_str());
        return unknown("service", &section.service, format!("{key}.service"), known);
    };
    if let Some(backoff_s) = section.backoff_s {
        within(backoff_s, 2, 3600, &format!("{key}.backoff_s"))?;
    }
    if section.low_priority && section.emergency {
        return wrong(
            format!("{key}.low_priority"),
            "true where emergency is true",
        );
    }
    let mtu = (section.mtu > 0).then_some(section.mtu);
    if let Some(mtu) = mtu {
        within(mtu, 1280, 9000, &format!("{key}.mtu"))?;
    }
    let places = |v4: bool| {
        let numbered = (0..).zip(pools);
        let ours = numbered.filter(|(_, pool)| section.pool.as_ref() == Some(&pool.name));
        let family = ours.filter(|(_, pool)| matches!(pool.range, PoolRange::Ipv4 { .. }) == v4);
        family.map(|(place, _)| place).collect()
    };
    Ok(Apn {
        features: features(&section.features, &format!("{key}.features"), catalog)?,
        ipv4_pools: places(true),
        ipv6_pools: places(false),
        emergency: section.emergency,
        emergency_inactivity: inactivity(section, key)?,
        priority: levels(section, key)?,
        low_priority: section.low_priority,
        back_off: section.backoff_s.map(Duration::from_secs),
        dns: name_servers(&section.dns, key)?,
        mtu,
        static_address: match section.static_address {
            file::StaticAddress::Dynamic => StaticAddress::Dynamic,
            file::StaticAddress::Refuse => StaticAddress::Refuse,
        },
        role: role_of(&section.service),
        ..Apn::new(&section.name, service)
    })
}

fn name_servers(addresses: &[IpAddr], key: &str) -> Checked<NameServers> {
    let mut servers = NameServers::default();
    for (n, address) in addresses.iter().enumerate() {
        if address.is_unspecified() || address.is_multicast() {
            return wrong(format!("{key}.dns[{n}]"), address.to_string());
        }
        match address {
            IpAddr::V4(v4) => servers.v4.push(*v4),
            IpAddr::V6(v6) => servers.v6.push(*v6),
        }
    }
    match servers.v4.len().max(servers.v6.len()) {
        0..=DNS_MAX => Ok(servers),
        have => wrong(format!("{key}.dns"), format!("{have} of a family")),
    }
}

/// Bounds are those of StarOS, 1 to 3600 s, and more: user data is not seen here, so that what is short ends who talks.
fn inactivity(section: &file::Apn, key: &str) -> Checked<Option<Duration>> {
    let seconds = section.emergency_inactivity_s;
    let key = format!("{key}.emergency_inactivity_s");
    match (seconds, section.emergency) {
        (0, _) => Ok(None),
        (_, false) => wrong(key, format!("{seconds} where emergency is false")),
        (_, true) => within(seconds, 1, 86_400, &key).map(|()| Some(Duration::from_secs(seconds))),
    }
}

fn levels(section: &file::Apn, key: &str) -> Checked<ArpLevels> {
    let mut levels = ArpLevels::default();
    for (n, level) in section.priority_arp.iter().enumerate() {
        within(*level, 1, 15, &format!("{key}.priority_arp[{n}]"))?;
        levels = levels.with_evolved(*level);
    }
    for (n, level) in section.priority_rel99.iter().enumerate() {
        within(*level, 1, 3, &format!("{key}.priority_rel99[{n}]"))?;
        levels = levels.with_rel99(*level);
    }
    Ok(levels)
}

fn check_apn_name(name: &str, key: &str) -> Checked<()> {
    let label = |label: &str| {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
        !label.is_empty() && label.len() <= 63 && label.bytes().all(allowed)
    };
    if name != WILDCARD && (name.len() > 99 || !name.split('.').all(label)) {
        return wrong(key, format!("{name:?}"));
    }
    Ok(())
}
