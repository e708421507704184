//! Managers that ask a node: net-snmp's tools over v2c and v3 read the license tables.
#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use api::Request;
use licensing::snapshot::{Snapshot, State, TagRow};
use tests::child::Ended;
use tests::gateway::{Gateway, Site};
use tests::net_snmp;
use tests::sgsn::Call;
use tests::wait::{eventually, until};

/// For a busy machine.
const LIMIT: Duration = Duration::from_secs(120);

const AUTH: &str = "maplesyrup";
const PRIVACY: &str = "syrupmaple";
const COMMUNITY: &str = "hunter2";

const MIB: &str = ".1.3.6.1.4.1.32473.1";
/// Without an instance.
const TAGS: &str = ".1.3.6.1.4.1.32473.1.1.3.1";
const SNAPSHOT: &str = ".1.3.6.1.4.1.32473.1.1.2.11.0";
const BAD_COMMUNITIES: &str = ".1.3.6.1.2.1.11.4.0";
const USM_STATISTICS: &str = ".1.3.6.1.6.3.15.1.1";
const SYS_NAME: &str = ".1.3.6.1.2.1.1.5.0";

const ALGORITHMS: [&str; 4] = ["-a", "SHA-256", "-x", "AES"];
const V2C: [&str; 3] = ["-v2c", "-c", COMMUNITY];

fn user<'a>(name: &'a str, password: &'a str) -> Vec<&'a str> {
    let mut options = vec!["-v3", "-l", "authPriv", "-u", name, "-A", password];
    options.extend(["-X", PRIVACY]);
    options.extend(ALGORITHMS);
    options
}

/// A lab node with room for three sessions, two of them up.
struct Managed {
    gateway: Gateway,
    agent: SocketAddr,
}

impl Managed {
    fn start() -> Result<Self> {
        let site = Site::new()?;
        let agent = SocketAddr::from((site.subnet().ip(3), 1161));
        for (name, secret) in [("seen", COMMUNITY), ("auth", AUTH), ("privacy", PRIVACY)] {
            let file = site.dir().join(name);
            fs::write(&file, secret)?;
            fs::set_permissions(&file, fs::Permissions::from_mode(0o600))?;
        }
        let keys = "auth = \"sha-256\"\nauth_file = \"auth\"\n\
                    privacy = \"aes-128\"\nprivacy_file = \"privacy\"";
        let sections = format!(
            "[snmp]\nlisten = \"{agent}\"\ncontact = \"the noc\"\n\
             [[snmp.community]]\ncommunity_file = \"seen\"\n\
             read = [\"1.3.6.1.2.1.1\", \"1.3.6.1.4.1.32473.1\"]\n\
             [[snmp.user]]\nname = \"noc\"\n{keys}\nread = [\"1\"]\n\
             [[snmp.user]]\nname = \"mute\"\n{keys}\n"
        );
        let configuration = site.configuration().with_sessions_per_license(3)?;
        let mut gateway = site.open(&configuration.with(&sections))?;
        let control = gateway.node()?.control();
        control.change(&Request::SmartLicensing { enable: true })?;
        for subscriber in [1, 2] {
            gateway.accepted(&Call::new(subscriber, "internet"))?;
        }
        Ok(Self { gateway, agent })
    }

    fn run(&self, tool: &str, options: &[&str], names: &[&str]) -> Result<Ended> {
        net_snmp::run(self.gateway.site().dir(), tool, options, self.agent, names)
    }

    fn read(
        &self,
        tool: &str,
        options: &[&str],
        names: &[&str],
    ) -> Result<BTreeMap<String, String>> {
        let ended = self.run(tool, options, names)?;
        ensure!(ended.status.success(), "{tool}: {}", ended.log());
        let split = ended.lines.iter().filter_map(|line| line.split_once(" = "));
        Ok(split
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect())
    }

    /// A number that is read alone by the user who may read everything.
    fn number(&self, name: &str) -> Result<u64> {
        let read = self.read("snmpget", &user("noc", AUTH), &[name])?;
        number(&read, name).with_context(|| format!("{read:?}"))
    }

    /// What a manager reads of our MIB, and the snapshot that it was of.
    fn walk(&self, tool: &str, options: &[&str]) -> Result<(BTreeMap<String, String>, Snapshot)> {
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
                let read = self.read(tool, options, &[MIB]);
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

/// The number of a line such as `Gauge32: 7`.
fn number(read: &BTreeMap<String, String>, name: &str) -> Option<u64> {
    read.get(name)?.split_once(": ")?.1.parse().ok()
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

#[test]
fn a_table_is_printed_by_the_module_that_managers_load() -> Result<()> {
    let managed = Managed::start()?;
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let modules = format!("{0}/smi:{0}/../mibs", root.display());
    for version in [V2C.to_vec(), user("noc", AUTH)] {
        let load = [
            "-Os",
            "-M",
            &modules,
            "-m",
            "TOLLGATE-MIB",
            "-Cf",
            "|",
            "-Ci",
        ];
        let options = [&version[..], &load].concat();
        let rows = managed.gateway.snapshot()?.rows().count();
        until("both calls are in the table", LIMIT, || {
            let ended = managed.run("snmptable", &options, &["TOLLGATE-MIB::tgTagTable"])?;
            ensure!(ended.status.success(), "{}", ended.log());
            let mut lines = ended.lines.iter().map(|line| line.split('|'));
            let head = lines.find(|cells| cells.clone().any(|cell| cell == "tgTagSessions"));
            let columns: Vec<&str> = head.with_context(|| ended.log())?.collect();
            let at = |name: &str| columns.iter().position(|column| *column == name);
            let (name, sessions) = (at("tgTagName"), at("tgTagSessions"));
            let (name, sessions) = (name.context("a name")?, sessions.context("sessions")?);
            let cells: Vec<Vec<&str>> = lines
                .map(|cells| cells.map(|cell| cell.trim_matches('"')).collect())
                .collect();
            ensure!(cells.len() == rows, "{}", ended.log());
            let ggsn = cells.iter().find(|row| row.get(name) == Some(&"GGSN"));
            let ggsn = ggsn.with_context(|| ended.log())?;
            Ok(ggsn.get(sessions) == Some(&"2"))
        })?;
    }
    Ok(())
}

#[test]
fn whoever_may_not_ask_is_refused_and_counted() -> Result<()> {
    let managed = Managed::start()?;
    let noc = managed.read("snmpget", &user("noc", AUTH), &[SYS_NAME, BAD_COMMUNITIES])?;
    assert_eq!(noc[SYS_NAME], "STRING: \"gw1\"");
    let refused = |options: &[&str], says: &str| -> Result<()> {
        let ended = managed.run("snmpget", options, &[SYS_NAME])?;
        ensure!(!ended.status.success(), "{options:?}: {}", ended.log());
        let log = ended.log();
        ensure!(log.contains(says), "{options:?}: {log}");
        Ok(())
    };
    let before = managed.number(BAD_COMMUNITIES)?;
    refused(&["-v2c", "-c", "public", "-t", "0.2", "-r", "0"], "Timeout")?;
    until("the community is counted", LIMIT, || {
        Ok(managed.number(BAD_COMMUNITIES)? > before)
    })?;
    let unknown_users = format!("{USM_STATISTICS}.3.0");
    let wrong_digests = format!("{USM_STATISTICS}.5.0");
    let before = managed.number(&unknown_users)?;
    refused(&user("somebody", AUTH), "Unknown user name")?;
    assert!(managed.number(&unknown_users)? > before);
    let before = managed.number(&wrong_digests)?;
    refused(&user("noc", "another password"), "")?;
    assert!(managed.number(&wrong_digests)? > before);
    // Nobody reads what was not given to him.
    refused(&user("mute", AUTH), "authorizationError")?;
    let outside = managed.read("snmpget", &V2C, &[BAD_COMMUNITIES])?;
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
    let before = managed.number(boots)?;
    managed.gateway.crash_and_restart()?;
    assert!(managed.number(boots)? > before);
    Ok(())
}
