//! From what is written to what is meant: bounds, names, and what needs a lab node.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use licensing::snapshot::{CatalogOrigin, Lab};
use licensing::{Catalog, FeatureSet, Product, Threshold, Thresholds};
use session_plane::PlaneConfig;

use super::file::{self, EXPECTED, File};
use super::{Config, Journal, Problem, Source, agent, bulkstats, logging, plane, snmp};

/// A problem and the key that it is of.
pub(super) type Checked<T> = Result<T, (String, Problem)>;

/// Longest path of a Unix socket, in bytes: the kernel's 108 less room for a suffix.
const SOCKET_PATH_BYTES_MAX: usize = 100;

/// Checks all of a file; `base` is the directory that its relative paths start from, `catalog` a file that goes before
/// the one that it names.
pub(super) fn check(file: File, base: &Path, catalog: Option<&Path>) -> Checked<Config> {
    let speedup = file.lab.as_ref().map(check_lab).transpose()?;
    let named = file.lab.as_ref().and_then(|lab| lab.catalog.as_ref());
    let (catalog, catalog_text) = match (catalog, named) {
        (Some(path), _) => read_catalog(path, "--catalog")?,
        (None, Some(path)) => read_catalog(&base.join(path), "lab.catalog")?,
        (None, None) => (Catalog::staros(), Catalog::staros_text().to_owned()),
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
    let Named {
        plane,
        features,
        product,
    } = named_of(&file, &catalog, lab.is_some())?;
    within(
        file.licensing.priority_percent,
        0,
        5,
        "licensing.priority_percent",
    )?;
    let thresholds = thresholds(&file.licensing)?;
    let state_dir = base.join(&file.node.state_dir);
    let socket = file.control.socket.map(|socket| base.join(socket));
    let control_socket = socket.unwrap_or_else(|| state_dir.join("control.sock"));
    check_socket(&control_socket)?;
    let agent = agent::check(file.agent, base, lab.is_some())?;
    let snmp = snmp::check(file.snmp, base, &file.node.name, plane.control.ip())?;
    let bulkstats = bulkstats::check(file.bulkstats, base)?;
    let logging = logging::check(file.logging, base)?;
    let ssh = super::ssh::check(file.ssh, base)?;
    let journal = check_journal(&file.journal, base, &state_dir)?;
    within(file.audit.max_mib, 1, 1024, "audit.max_mib")?;
    Ok(Config {
        name: file.node.name,
        product,
        udi_pid: file.node.udi.pid,
        udi_serial: file.node.udi.serial,
        state_dir,
        workers: file.node.workers,
        gate: file.node.gate,
        gtp_sockets: file.node.gtp_sockets,
        control_socket,
        plane,
        priority_percent: file.licensing.priority_percent,
        thresholds,
        features,
        smart_enable: file.licensing.smart_enable == Some(true),
        catalog: Arc::new(catalog),
        catalog_text: catalog_text.into(),
        catalog_origin: match unsigned_catalog {
            true => CatalogOrigin::File,
            false => CatalogOrigin::Embedded,
        },
        agent,
        snmp,
        bulkstats,
        logging,
        ssh,
        metrics: file.metrics.listen,
        journal,
        audit_bytes: file.audit.max_mib << 20,
        lab,
        source: Source::default(),
    })
}

/// What names services, features and products of a catalog.
pub(super) struct Named {
    pub(super) plane: PlaneConfig,
    pub(super) features: FeatureSet,
    pub(super) product: Product,
}

/// What a file means by a catalog; it reads no other file.
pub(super) fn named_of(file: &File, catalog: &Catalog, lab: bool) -> Checked<Named> {
    Ok(Named {
        plane: plane::check(file, catalog, lab)?,
        features: features(&file.licensing.features, "licensing.features", catalog)?,
        product: check_node(&file.node, catalog)?,
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

/// The section that a key which is elsewhere belongs to, if it is the only one that has such a key.
pub(super) fn section_of(key: &str) -> Option<&'static str> {
    let name = key.rsplit('.').next().unwrap_or(key);
    let mut sections = EXPECTED.iter().filter_map(|(row, _)| {
        let (section, own) = row.split_once('.')?;
        (own == name).then_some(section)
    });
    let only = sections.next().filter(|_| sections.next().is_none());
    only.filter(|section| !section.ends_with("[]"))
}

/// Reads a catalog file; its text goes with it.
fn read_catalog(path: &Path, key: &str) -> Checked<(Catalog, String)> {
    let refuse = |reason: String| {
        let file = path.to_path_buf();
        (key.to_owned(), Problem::Catalog { file, reason })
    };
    let text = fs::read_to_string(path).map_err(|error| refuse(error.to_string()))?;
    let catalog = Catalog::parse(&text).map_err(|error| refuse(error.to_string()))?;
    Ok((catalog, text))
}

pub(super) fn wrong<T>(key: impl Into<String>, found: impl Into<String>) -> Checked<T> {
    let key = key.into();
    let expected = expected(&key).to_owned();
    let found = found.into();
    Err((key, Problem::Value { found, expected }))
}

pub(super) fn within<N: Into<u64>>(value: N, low: u64, high: u64, key: &str) -> Checked<()> {
    let value = value.into();
    match (low..=high).contains(&value) {
        true => Ok(()),
        false => wrong(key, value.to_string()),
    }
}

/// Alarms on how much of a ceiling is in use; a percentage of 0 switches one off.
fn thresholds(licensing: &file::Licensing) -> Checked<Thresholds> {
    let low = licensing.remaining_low_percent;
    within(low, 0, 99, "licensing.remaining_low_percent")?;
    let clear = licensing.remaining_clear_percent.unwrap_or(low);
    let least = u64::from(low);
    within(clear, least, 99, "licensing.remaining_clear_percent")?;
    let congested = licensing.congestion_percent;
    within(congested, 0, 100, "licensing.congestion_percent")?;
    let tolerance = licensing.congestion_tolerance_percent;
    // At 0 percent in use nothing would clear it.
    let most = u64::from(congested.saturating_sub(1)).min(25);
    let most = if congested == 0 { 25 } else { most };
    within(tolerance, 0, most, "licensing.congestion_tolerance_percent")?;
    Ok(Thresholds {
        remaining: (low > 0).then_some(Threshold {
            raise_percent: low,
            clear_percent: clear,
        }),
        congestion: (congested > 0).then(|| Threshold {
            raise_percent: congested,
            clear_percent: congested - tolerance,
        }),
    })
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

fn check_journal(
    journal: &file::Journal,
    base: &Path,
    state_dir: &Path,
) -> Checked<Option<Journal>> {
    within(journal.max_mib, 1, 1 << 20, "journal.max_mib")?;
    let named = journal.file.as_ref().map(|file| base.join(file));
    let journal_to = Journal {
        file: named.unwrap_or_else(|| state_dir.join("journal.jsonl")),
        max_bytes: journal.max_mib << 20,
    };
    Ok(journal.enabled.then_some(journal_to))
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

pub(super) fn check_name(name: &str, key: &str) -> Checked<()> {
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

pub(super) fn features(names: &[String], key: &str, catalog: &Catalog) -> Checked<FeatureSet> {
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

pub(super) fn once<'a>(
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

pub(super) fn unknown<'a, T>(
    what: &'static str,
    name: &str,
    key: impl Into<String>,
    known: impl Iterator<Item = &'a str>,
) -> Checked<T> {
    let known = known.collect::<Vec<_>>().join(", ");
    let name = name.to_owned();
    if known.is_empty() {
        return Err((key.into(), Problem::NoName { what, name }));
    }
    Err((key.into(), Problem::UnknownName { what, name, known }))
}

pub(super) fn missing<T>(key: impl Into<String>) -> Checked<T> {
    let key = key.into();
    let expected = expected(&key).to_owned();
    Err((key, Problem::Missing { expected }))
}
