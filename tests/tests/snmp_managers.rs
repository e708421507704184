//! Managers that ask a node: net-snmp's tools over v2c and v3 read the license tables.
#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use api::Request;
use licensing::snapshot::{Snapshot, State, TagRow};
use snmp::Oid;
use snmp::notifications::DEFAULT_ENTERPRISE;
use snmp::objects::Table;
use snmp::view::View;
use tests::gateway::{Gateway, Site};
use tests::net_snmp::{AUTH, Noc, Read, V2C, number, user};
use tests::sgsn::Call;
use tests::wait::{eventually, until};

/// For a busy machine.
const LIMIT: Duration = Duration::from_secs(120);

const MIB: &str = ".1.3.6.1.4.1.32473.1";
/// Without an instance.
const TAGS: &str = ".1.3.6.1.4.1.32473.1.1.3.1";
const SNAPSHOT: &str = ".1.3.6.1.4.1.32473.1.1.2.11.0";
const BAD_COMMUNITIES: &str = ".1.3.6.1.2.1.11.4.0";
const USM_STATISTICS: &str = ".1.3.6.1.6.3.15.1.1";
const SYS_NAME: &str = ".1.3.6.1.2.1.1.5.0";

/// A lab node with room for three sessions, two of them up.
struct Managed {
    gateway: Gateway,
    manager: Noc,
}

impl Managed {
    fn start() -> Result<Self> {
        let site = Site::new()?;
        let agent = SocketAddr::from((site.subnet().ip(3), 1161));
        let (manager, sections) = Noc::new(site.dir(), agent)?;
        // Nobody is there: it is for the table of targets.
        let target = SocketAddr::from((site.subnet().ip(9), 1162));
        let target = format!(
            "[[snmp.target]]\nname = \"nms\"\naddress = \"{target}\"\nversion = \"v2c\"\n\
             community_file = \"seen\"\n"
        );
        let configuration = site.configuration().with_sessions_per_license(3)?;
        let mut gateway = site.open(&configuration.with(&(sections + &target)))?;
        let control = gateway.node()?.control();
        control.change(&Request::SmartLicensing { enable: true })?;
        for subscriber in [1, 2] {
            gateway.accepted(&Call::new(subscriber, "internet"))?;
        }
        Ok(Self { gateway, manager })
    }

    /// What a manager reads of our MIB, and the snapshot that it was of.
    fn walk(&self, tool: &str, options: &[&str]) -> Result<(Read, Snapshot)> {
        eventually("a walk of a snapshot that was seen", LIMIT, || {
            let ended = AtomicBool::new(false);
            std::thread::scope(|scope| {
                let look = || -> Result<Vec<Snapshot>> {
                    let mut seen = vec![self.gateway.snapshot()?];
                    while !ended.load(Ordering::Relaxed) {
                        seen.push(self.gateway.snapshot()?);
                    }
                    Ok(seen)
                };
                let looking = scope.spawn(look);
                let read = self.manager.read(tool, options, &[MIB]);
                ended.store(true, Ordering::Relaxed);
                let seen = looking.join().expect("it does not panic")?;
                let read = read?;
                let seq = number(&read, SNAPSHOT).with_context(|| format!("{read:?}"))?;
                let of = seen.into_iter().find(|snapshot| snapshot.seq == seq);
                Ok(of.map(|snapshot| (read, snapshot)))
            })
        })
    }
}

/// What the columns of a tag are, in the words of net-snmp.
fn wanted(row: TagRow<'_>) -> Vec<(u32, String)> {
    let tag = row.tag();
    let truth = |holds: bool| format!("INTEGER: {}", if holds { 1 } else { 2 });
    let state = match tag.state {
        State::Allow => 1,
        State::AllowAtLimit => 2,
        State::Block => 3,
    };
    let counter = |count: u64| format!("Counter64: {count}");
    let mut wanted = vec![
        (3, format!("STRING: \"{}\"", tag.name)),
        (4, format!("STRING: \"{}\"", tag.tag.as_str())),
        (5, truth(tag.in_use)),
        (8, format!("INTEGER: {state}")),
        (9, format!("Gauge32: {}", row.sessions().0)),
        (10, format!("Gauge32: {}", tag.licenses.0)),
        (14, counter(tag.refused.blocked)),
        (15, counter(tag.refused.at_ceiling)),
        (16, counter(tag.refused.low_priority)),
        (17, counter(tag.refused.by_feature)),
        (18, counter(tag.refused.subscribers)),
    ];
    if let TagRow::Service(service) = row
        && let Some(ceiling) = service.ceiling
    {
        wanted.push((12, format!("Gauge32: {}", ceiling.0)));
    }
    wanted
}

//= L15
#[test]
fn managers_read_the_license_tables_of_one_snapshot() -> Result<()> {
    let managed = Managed::start()?;
    for (tool, options) in [
        ("snmpwalk", V2C.to_vec()),
        ("snmpbulkwalk", V2C.to_vec()),
        ("snmpbulkwalk", user("noc", AUTH)),
    ] {
        let (read, snapshot) = managed.walk(tool, &options)?;
        let mut rows = 0;
        for row in snapshot.rows() {
            let kind = match row {
                TagRow::Service(_) => 1,
                TagRow::Feature(_) => 2,
            };
            let id = row.tag().tag_id.0;
            for (column, value) in wanted(row) {
                let name = format!("{TAGS}.{column}.{kind}.{id}");
                assert_eq!(read.get(&name), Some(&value), "{tool} {name}");
            }
            rows += 1;
        }
        let of_tags = format!("{TAGS}.3.");
        let names = read.keys().filter(|name| name.starts_with(&of_tags));
        assert_eq!(names.count(), rows, "{tool}");
        let ggsn = snapshot.services.iter().find(|row| row.tag.name == "GGSN");
        assert_eq!(ggsn.map(|row| row.sessions.0), Some(2));
    }
    Ok(())
}

/// The catalog of StarOS, with more of services and features until there are 64 of each.
fn full_catalog() -> String {
    let mut text = include_str!("../../licensing/catalogs/staros.toml").to_owned();
    for (kind, more) in [
        ("service", "sessions_per_license = 10"),
        ("feature", "services = [\"PGW\", \"GGSN\"]"),
    ] {
        let there = text.matches(&format!("[[{kind}]]")).count();
        for id in there..64 {
            text += &format!(
                "\n[[{kind}]]\ntag_id = {id}\nname = \"{kind}-{id}\"\n\
                 tag = \"regid.2017-02.com.example.{kind}-{id},1.0_00000000-0000-4000-8000-0000000000{id:02}\"\n\
                 description = \"one of many\"\n{more}\n"
            );
        }
    }
    text
}

#[test]
fn a_walk_of_64_services_and_64_features_is_in_order() -> Result<()> {
    let site = Site::new()?;
    let agent = SocketAddr::from((site.subnet().ip(3), 1161));
    let (manager, sections) = Noc::new(site.dir(), agent)?;
    let catalog = site.dir().join("catalog.toml");
    std::fs::write(&catalog, full_catalog())?;
    let lab = format!("[lab]\ncatalog = \"{}\"\n{sections}", catalog.display());
    let configuration = site.configuration().with(&lab);
    let gateway = site.open(&configuration)?;
    let control = gateway.node()?.control();
    control.change(&Request::SmartLicensing { enable: true })?;
    for tool in ["snmpwalk", "snmpbulkwalk"] {
        let ended = manager.run(tool, &user("noc", AUTH), &[".1"])?;
        ensure!(ended.status.success(), "{tool}: {}", ended.log());
        // The last line has the last name once more, and says that nothing is behind it.
        let lines = ended
            .lines
            .iter()
            .filter(|line| !line.contains("No more variables"));
        let names = lines.filter_map(|line| line.split_once(" = "));
        let names: Vec<&str> = names.map(|(name, _)| name).collect();
        let oids: Vec<snmp::Oid> = names
            .iter()
            .map(|name| name.parse())
            .collect::<Result<_, _>>()?;
        let broken = oids.windows(2).find(|pair| pair[0] >= pair[1]);
        assert_eq!(broken, None, "{tool}: repeated, or out of order");
        for kind in [1, 2] {
            let rows = format!("{TAGS}.3.{kind}.");
            let rows = names.iter().filter(|name| name.starts_with(&rows));
            assert_eq!(rows.count(), 64, "{tool}");
        }
    }
    Ok(())
}

/// The cells of a table by a walk of it, and their columns; none: a type that `snmptable` writes in a way of its own.
fn cells(read: &Read, entry: &Oid, arcs: &[u32]) -> Vec<Vec<Option<String>>> {
    let mut rows: BTreeMap<Vec<u32>, BTreeMap<u32, Option<String>>> = BTreeMap::new();
    let below = format!(".{entry}.");
    for (name, value) in read {
        let Some((arc, index)) = name
            .strip_prefix(&below)
            .and_then(|rest| rest.split_once('.'))
        else {
            continue;
        };
        let index = index.split('.').filter_map(|arc| arc.parse().ok());
        let cell = match value.split_once(": ") {
            Some(("STRING", text)) => Some(text.trim_matches('"').to_owned()),
            Some(("INTEGER" | "Gauge32" | "Counter32" | "Counter64", number)) => {
                Some(number.to_owned())
            }
            Some(_) => None,
            None => Some(value.trim_matches('"').to_owned()),
        };
        let row = rows.entry(index.collect()).or_default();
        row.insert(arc.parse().unwrap_or(0), cell);
    }
    let missing = || Some("?".to_owned());
    let of_row = |mut row: BTreeMap<u32, Option<String>>| {
        let cells = arcs
            .iter()
            .map(|arc| row.remove(arc).unwrap_or_else(missing));
        cells.collect()
    };
    rows.into_values().map(of_row).collect()
}

/// What `snmptable` prints of a table beside what a walk gives, until both are of one moment.
fn printed_as_walked(
    manager: &Noc,
    options: &[&str],
    module: &str,
    root: &Oid,
    table: &Table<View>,
) -> Result<usize> {
    let root = root.join(table.arcs);
    let columns = table.columns.iter().filter(|column| column.value.is_some());
    let (arcs, names): (Vec<_>, Vec<_>) = columns.map(|c| (c.arc, c.name.to_owned())).unzip();
    let mut last = None;
    let same = until(table.name, LIMIT, || {
        let walked = manager.read("snmpbulkwalk", options, &[&format!(".{root}")])?;
        let walked = cells(&walked, &root.join(&[1]), &arcs);
        let printed = manager.table(options, &format!("{module}::{}", table.name))?;
        // A node that has just begun has no alarms and no log yet.
        let Some((head, rows)) = printed.split_first() else {
            return Ok(false);
        };
        ensure!(head[1..] == names, "{head:?}");
        // Rows without a value in the first column come where the next column has them.
        let mut rows: Vec<_> = rows.iter().collect();
        rows.sort_by_key(|row| {
            let arcs = row[0].split('.').filter_map(|arc| arc.parse().ok());
            arcs.collect::<Vec<u32>>()
        });
        let same_row = |(walked, printed): (&Vec<Option<String>>, &&Vec<String>)| {
            let mut cells = walked.iter().zip(&printed[1..]);
            cells.all(|(walked, printed)| match walked {
                Some(walked) => walked == printed,
                None => !matches!(printed.as_str(), "" | "?"),
            })
        };
        let is_same = walked.len() == rows.len() && walked.iter().zip(&rows).all(same_row);
        last = Some((walked, printed));
        Ok(is_same)
    });
    same.with_context(|| format!("{last:?}"))?;
    Ok(last.map_or(0, |(walked, _)| walked.len()))
}

//= L18
#[test]
fn snmptable_prints_every_table_as_it_is_walked() -> Result<()> {
    let managed = Managed::start()?;
    let ours = Oid::from(DEFAULT_ENTERPRISE);
    let mut groups = vec![
        ("TOLLGATE-MIB", snmp::tables::group(&ours)),
        ("CISCO-SMART-LIC-MIB", snmp::tables::smart_licensing()),
    ];
    groups.extend(
        snmp::groups::groups()
            .into_iter()
            .map(|group| ("AGENT-TABLES", group)),
    );
    for options in [V2C.to_vec(), user("noc", AUTH)] {
        let mut rows = BTreeMap::new();
        for (module, group) in &groups {
            for table in &group.tables {
                // The community does not see the contexts.
                if options == V2C && table.name == "vacmContextTable" {
                    continue;
                }
                let manager = &managed.manager;
                let count = printed_as_walked(manager, &options, module, &group.root, table)?;
                rows.insert(table.name, count);
            }
        }
        assert!(rows.values().all(|count| *count > 0), "{rows:?}");
        assert_eq!(rows.len(), if options == V2C { 8 } else { 9 }, "{rows:?}");
    }
    Ok(())
}

#[test]
fn whoever_may_not_ask_is_refused_and_counted() -> Result<()> {
    let managed = Managed::start()?;
    let noc = managed
        .manager
        .read("snmpget", &user("noc", AUTH), &[SYS_NAME, BAD_COMMUNITIES])?;
    assert_eq!(noc[SYS_NAME], "STRING: \"gw1\"");
    let refused = |options: &[&str], says: &str| -> Result<()> {
        let ended = managed.manager.run("snmpget", options, &[SYS_NAME])?;
        ensure!(!ended.status.success(), "{options:?}: {}", ended.log());
        let log = ended.log();
        ensure!(log.contains(says), "{options:?}: {log}");
        Ok(())
    };
    let before = managed.manager.number(BAD_COMMUNITIES)?;
    refused(&["-v2c", "-c", "public", "-t", "0.2", "-r", "0"], "Timeout")?;
    until("the community is counted", LIMIT, || {
        Ok(managed.manager.number(BAD_COMMUNITIES)? > before)
    })?;
    let unknown_users = format!("{USM_STATISTICS}.3.0");
    let wrong_digests = format!("{USM_STATISTICS}.5.0");
    let before = managed.manager.number(&unknown_users)?;
    refused(&user("somebody", AUTH), "Unknown user name")?;
    assert!(managed.manager.number(&unknown_users)? > before);
    let before = managed.manager.number(&wrong_digests)?;
    refused(&user("noc", "another password"), "")?;
    assert!(managed.manager.number(&wrong_digests)? > before);
    // Nobody reads what was not given to him.
    refused(&user("mute", AUTH), "authorizationError")?;
    let outside = managed.manager.read("snmpget", &V2C, &[BAD_COMMUNITIES])?;
    assert_eq!(
        outside[BAD_COMMUNITIES],
        "No Such Object available on this agent at this OID"
    );
    Ok(())
}

#[test]
fn boots_rise_with_each_start() -> Result<()> {
    let mut managed = Managed::start()?;
    let boots = ".1.3.6.1.6.3.10.2.1.2.0";
    let before = managed.manager.number(boots)?;
    managed.gateway.crash_and_restart()?;
    assert!(managed.manager.number(boots)? > before);
    Ok(())
}
