//! From what is written to what is meant: bounds, names, and what needs a lab node.

use std::fs;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use licensing::snapshot::Lab;
use licensing::{Catalog, FeatureSet, Product};

use super::file::{self, EXPECTED, File};
use super::{Apn, Config, Gn, Network, Pool, Problem, Refusal};

/// A problem and the key that it is of.
pub(super) type Checked<T> = Result<T, (String, Problem)>;

/// Longest path of a Unix socket, in bytes: the kernel's 108 less room for a suffix.
const SOCKET_PATH_BYTES_MAX: usize = 100;

/// Shortest time between Echo Requests of a path (TS 29.060 7.2.1), in seconds.
const ECHO_INTERVAL_MIN_S: u64 = 60;

/// Checks all of a file; `base` is the directory that its relative paths start from, `catalog` a file that goes before
/// the one that it names.
pub(super) fn check(file: File, base: &Path, catalog: Option<&Path>) -> Checked<Config> {
    let speedup = file.lab.as_ref().map(check_lab).transpose()?;
    let named = file.lab.as_ref().and_then(|lab| lab.catalog.as_ref());
    let catalog = match (catalog, named) {
        (Some(path), _) => read_catalog(path, "--catalog")?,
        (None, Some(path)) => read_catalog(&base.join(path), "lab.catalog")?,
        (None, None) => Catalog::staros(),
    };
    let unsigned_catalog = catalog != Catalog::staros();
    if unsigned_catalog && speedup.is_none() {
        let what = "an unsigned catalog".to_owned();
        return Err(("--catalog".into(), Problem::NeedsLab { what }));
    }
    let lab = speedup.map(|speedup| Lab {
        speedup,
        unsigned_catalog,
    });
    let gn = check_gn(&file.gn, lab.is_some())?;
    let pools = check_pools(&file.pool)?;
    let apns = check_apns(&file.apn, &catalog, &pools)?;
    let features = features(&file.licensing.features, "licensing.features", &catalog)?;
    within(
        file.licensing.priority_percent,
        0,
        5,
        "licensing.priority_percent",
    )?;
    let product = check_node(&file.node, &catalog)?;
    let state_dir = base.join(&file.node.state_dir);
    let socket = file.control.socket.map(|socket| base.join(socket));
    let control_socket = socket.unwrap_or_else(|| state_dir.join("control.sock"));
    check_socket(&control_socket)?;
    Ok(Config {
        name: file.node.name,
        product,
        udi_pid: file.node.udi.pid,
        udi_serial: file.node.udi.serial,
        state_dir,
        workers: file.node.workers,
        control_socket,
        gn,
        pools,
        apns,
        refusal: check_refusal(&file.refusal)?,
        priority_percent: file.licensing.priority_percent,
        features,
        catalog: Arc::new(catalog),
        lab,
    })
}

/// What a key is to be, by the table of keys.
pub(super) fn expected(key: &str) -> &'static str {
    let mut in_brackets = false;
    let generic = key.chars().filter(|c| {
        in_brackets = *c == '[' || in_brackets && *c != ']';
        !in_brackets || *c == '['
    });
    let generic: String = generic.collect();
    let row = EXPECTED.iter().find(|(name, _)| *name == generic);
    row.map_or("a key that is documented", |(_, expected)| expected)
}

/// Reads a catalog file.
fn read_catalog(path: &Path, key: &str) -> Checked<Catalog> {
    let refuse = |reason: String| {
        let file = path.to_path_buf();
        (key.to_owned(), Problem::Catalog { file, reason })
    };
    let text = fs::read_to_string(path).map_err(|error| refuse(error.to_string()))?;
    Catalog::parse(&text).map_err(|error| refuse(error.to_string()))
}

fn wrong<T>(key: impl Into<String>, found: impl Into<String>) -> Checked<T> {
    let key = key.into();
    let expected = expected(&key).to_owned();
    let found = found.into();
    Err((key, Problem::Value { found, expected }))
}

fn within<N: Into<u64>>(value: N, low: u64, high: u64, key: &str) -> Checked<()> {
    let value = value.into();
    match (low..=high).contains(&value) {
        true => Ok(()),
        false => wrong(key, value.to_string()),
    }
}

fn check_lab(lab: &file::Lab) -> Checked<u32> {
    within(
        lab.speedup,
        1,
        u64::from(crate::clock::SPEEDUP_MAX),
        "lab.speedup",
    )?;
    Ok(lab.speedup)
}

fn check_node(node: &file::Node, catalog: &Catalog) -> Checked<Product> {
    check_name(&node.name, "node.name")?;
    within(node.workers, 1, 256, "node.workers")?;
    let Some(product) = catalog.product(&node.product) else {
        let known = catalog.products().iter().map(|p| p.name.as_str());
        return unknown("product", &node.product, "node.product", known);
    };
    for (part, key) in [
        (&node.udi.pid, "node.udi.pid"),
        (&node.udi.serial, "node.udi.serial"),
    ] {
        let Some(part) = part else { continue };
        let printable = part.bytes().all(|b| b.is_ascii_graphic());
        if part.is_empty() || part.len() > 32 || !printable {
            return wrong(key, format!("{part:?}"));
        }
    }
    Ok(product.clone())
}

fn check_name(name: &str, key: &str) -> Checked<()> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'.';
    if name.is_empty() || name.len() > 63 || !name.bytes().all(allowed) {
        return wrong(key, format!("{name:?}"));
    }
    Ok(())
}

fn check_socket(path: &Path) -> Checked<()> {
    let bytes = path.as_os_str().len();
    match bytes <= SOCKET_PATH_BYTES_MAX {
        true => Ok(()),
        false => wrong(
            "control.socket",
            format!("{bytes} bytes: {}", path.display()),
        ),
    }
}

fn check_gn(gn: &file::Gn, lab: bool) -> Checked<Gn> {
    within(gn.t3_response_s, 1, 60, "gn.t3_response_s")?;
    within(gn.n3_requests, 1, 10, "gn.n3_requests")?;
    within(gn.sessions_max, 1, 1 << 24, "gn.sessions_max")?;
    within(gn.echo_interval_s, 0, 3600, "gn.echo_interval_s")?;
    if (1..ECHO_INTERVAL_MIN_S).contains(&gn.echo_interval_s) && !lab {
        let what = format!("an echo interval of {} s, below 60 s,", gn.echo_interval_s);
        return Err(("gn.echo_interval_s".into(), Problem::NeedsLab { what }));
    }
    let user_plane = gn.user_plane.unwrap_or(gn.listen.ip());
    for (address, key) in [(gn.listen.ip(), "gn.listen"), (user_plane, "gn.user_plane")] {
        if address.is_unspecified() || address.is_multicast() {
            return wrong(
                key,
                format!("{address} is not the address of one interface"),
            );
        }
    }
    Ok(Gn {
        listen: gn.listen,
        user_plane,
        t3_response: Duration::from_secs(gn.t3_response_s),
        n3_requests: gn.n3_requests,
        echo_interval: (gn.echo_interval_s > 0).then(|| Duration::from_secs(gn.echo_interval_s)),
        sessions_max: gn.sessions_max,
    })
}

fn check_refusal(refusal: &file::Refusal) -> Checked<Refusal> {
    within(refusal.service_blocked, 192, 255, "refusal.service_blocked")?;
    within(refusal.feature_blocked, 192, 255, "refusal.feature_blocked")?;
    within(refusal.at_ceiling, 192, 255, "refusal.at_ceiling")?;
    within(refusal.backoff_s, 2, 3600, "refusal.backoff_s")?;
    Ok(Refusal {
        service_blocked: refusal.service_blocked,
        feature_blocked: refusal.feature_blocked,
        at_ceiling: refusal.at_ceiling,
        backoff: Duration::from_secs(refusal.backoff_s.into()),
    })
}

fn check_pools(pools: &[file::Pool]) -> Checked<Vec<Pool>> {
    if pools.is_empty() {
        return missing("pool");
    }
    let mut checked: Vec<Pool> = Vec::with_capacity(pools.len());
    for (place, pool) in pools.iter().enumerate() {
        let key = format!("pool[{place}].name");
        check_name(&pool.name, &key)?;
        once(
            "pool",
            &pool.name,
            &key,
            checked.iter().map(|p| p.name.as_str()),
        )?;
        if pool.ipv4.is_empty() && pool.ipv6.is_empty() {
            return missing(format!("pool[{place}].ipv4"));
        }
        let mut taken = Pool {
            name: pool.name.clone(),
            ipv4: Vec::new(),
            ipv6: Vec::new(),
        };
        for (n, text) in pool.ipv4.iter().enumerate() {
            let key = format!("pool[{place}].ipv4[{n}]");
            let network = network::<Ipv4Addr>(text, &key)?;
            let others = checked.iter().flat_map(|p| &p.ipv4).chain(&taken.ipv4);
            apart(network, others, &key)?;
            taken.ipv4.push(network);
        }
        for (n, text) in pool.ipv6.iter().enumerate() {
            let key = format!("pool[{place}].ipv6[{n}]");
            let network = network::<Ipv6Addr>(text, &key)?;
            let others = checked.iter().flat_map(|p| &p.ipv6).chain(&taken.ipv6);
            apart(network, others, &key)?;
            taken.ipv6.push(network);
        }
        checked.push(taken);
    }
    Ok(checked)
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
    const PREFIXES: std::ops::RangeInclusive<u8> = 32..=63;
    fn number(self) -> u128 {
        self.to_bits()
    }
}

fn network<A: Family>(text: &str, key: &str) -> Checked<Network<A>> {
    let parts = text.split_once('/');
    let parsed = parts.and_then(|(base, prefix)| Some((base.parse().ok()?, prefix.parse().ok()?)));
    let Some((base, prefix)) = parsed else {
        return wrong(key, format!("{text:?}"));
    };
    let base: A = base;
    if !A::PREFIXES.contains(&prefix) || base.number() & host_mask::<A>(prefix) != 0 {
        return wrong(key, format!("{text:?}"));
    }
    Ok(Network { base, prefix })
}

fn host_mask<A: Family>(prefix: u8) -> u128 {
    (1 << (A::BITS - prefix)) - 1
}

fn apart<'a, A: Family + 'a>(
    network: Network<A>,
    others: impl IntoIterator<Item = &'a Network<A>>,
    key: &str,
) -> Checked<()> {
    let shares = |other: &Network<A>| {
        let shorter = network.prefix.min(other.prefix);
        (network.base.number() ^ other.base.number()) & !host_mask::<A>(shorter) == 0
    };
    match others.into_iter().find(|other| shares(other)) {
        None => Ok(()),
        Some(other) => Err((
            key.into(),
            Problem::Overlap {
                network: network.to_string(),
                other: other.to_string(),
            },
        )),
    }
}

fn check_apns(apns: &[file::Apn], catalog: &Catalog, pools: &[Pool]) -> Checked<Vec<Apn>> {
    if apns.is_empty() {
        return missing("apn");
    }
    let mut checked: Vec<Apn> = Vec::with_capacity(apns.len());
    for (place, apn) in apns.iter().enumerate() {
        let key = |name: &str| format!("apn[{place}].{name}");
        check_apn_name(&apn.name, &key("name"))?;
        let names = checked.iter().map(|a| a.name.as_str());
        once("access point", &apn.name, &key("name"), names)?;
        let Some(service) = catalog.service_named(&apn.service) else {
            let known = catalog.services().iter().map(|s| s.name.as_str());
            return unknown("service", &apn.service, key("service"), known);
        };
        let Some(pool) = pools.iter().position(|pool| pool.name == apn.pool) else {
            let known = pools.iter().map(|p| p.name.as_str());
            return unknown("pool", &apn.pool, key("pool"), known);
        };
        for (n, level) in apn.priority_arp.iter().enumerate() {
            within(*level, 1, 15, &format!("apn[{place}].priority_arp[{n}]"))?;
        }
        checked.push(Apn {
            name: apn.name.clone(),
            service,
            features: features(&apn.features, &key("features"), catalog)?,
            pool,
            emergency: apn.emergency,
            priority_arp: apn.priority_arp.clone(),
        });
    }
    Ok(checked)
}

fn check_apn_name(name: &str, key: &str) -> Checked<()> {
    let label = |label: &str| {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
        !label.is_empty() && label.len() <= 63 && label.bytes().all(allowed)
    };
    if name.len() > 99 || !name.split('.').all(label) {
        return wrong(key, format!("{name:?}"));
    }
    Ok(())
}

fn features(names: &[String], key: &str, catalog: &Catalog) -> Checked<FeatureSet> {
    let mut set = FeatureSet::EMPTY;
    for (n, name) in names.iter().enumerate() {
        let key = format!("{key}[{n}]");
        let Some(feature) = catalog.feature_named(name) else {
            let known = catalog.features().iter().map(|f| f.name.as_str());
            return unknown("feature", name, key, known);
        };
        if set.contains(feature) {
            let (what, name) = ("feature", name.clone());
            return Err((key, Problem::Twice { what, name }));
        }
        set = set.with(feature);
    }
    Ok(set)
}

fn once<'a>(
    what: &'static str,
    name: &str,
    key: &str,
    mut others: impl Iterator<Item = &'a str>,
) -> Checked<()> {
    match others.any(|other| other.eq_ignore_ascii_case(name)) {
        false => Ok(()),
        true => Err((
            key.into(),
            Problem::Twice {
                what,
                name: name.into(),
            },
        )),
    }
}

fn unknown<'a, T>(
    what: &'static str,
    name: &str,
    key: impl Into<String>,
    known: impl Iterator<Item = &'a str>,
) -> Checked<T> {
    let known = known.collect::<Vec<_>>().join(", ");
    let name = name.to_owned();
    Err((key.into(), Problem::UnknownName { what, name, known }))
}

fn missing<T>(key: impl Into<String>) -> Checked<T> {
    let key = key.into();
    let expected = expected(&key).to_owned();
    Err((key, Problem::Missing { expected }))
}
