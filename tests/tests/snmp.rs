//! Notifications of a node, taken by snmptrapd: every version and level, and a manager that is away.
#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use api::Request;
use snmp::usm::EngineId;
use tests::gateway::{Gateway, Site};
use tests::net_snmp::Snmptrapd;
use tests::sgsn::Call;
use tests::wait::until;

/// For a busy machine.
const LIMIT: Duration = Duration::from_secs(120);

const AUTH: &str = "maplesyrup";
const PRIVACY: &str = "syrupmaple";

/// Where a line tells that the license clock has another speed, and which.
const LAB_SPEEDUP: &str = "= OID: .1.3.6.1.4.1.32473.1.0.109|";
const SPEED: &str = ".1.3.6.1.4.1.32473.1.1.1.14.0 = Gauge32: ";

/// How the node speaks to its targets, and a part of the line that snmptrapd writes of what one is sent.
const TARGETS: [(&str, &str); 7] = [
    (
        "version = \"v1\"\ncommunity_file = \"one\"",
        "Enterprise Specific.",
    ),
    (
        "version = \"v2c\"\ncommunity_file = \"two\"",
        "TRAP2, SNMP v2c, community two",
    ),
    (
        "version = \"v2c\"\ncommunity_file = \"three\"\nnotify = \"inform\"",
        "INFORM, SNMP v2c, community three",
    ),
    (
        "version = \"v3\"\nuser = \"usual\"",
        "TRAP2, SNMP v3, user usual",
    ),
    (
        "version = \"v3\"\nuser = \"usual\"\nnotify = \"inform\"",
        "INFORM, SNMP v3, user usual",
    ),
    (
        "version = \"v3\"\nuser = \"strong\"",
        "TRAP2, SNMP v3, user strong",
    ),
    (
        "version = \"v3\"\nuser = \"strong\"\nnotify = \"inform\"",
        "INFORM, SNMP v3, user strong",
    ),
];

/// Places of those that are sent informs.
const INFORMED: [usize; 3] = [2, 4, 6];

/// Its place in the subnet.
const MANAGER: u8 = 9;

/// A lab node whose targets are all one snmptrapd.
struct Managed {
    gateway: Gateway,
    manager: SocketAddr,
}

impl Managed {
    fn start() -> Result<Self> {
        let site = Site::new()?;
        let manager = SocketAddr::from((site.subnet().ip(MANAGER), 1162));
        for name in ["one", "two", "three"] {
            private(site.dir(), name, name)?;
        }
        private(site.dir(), "auth", AUTH)?;
        private(site.dir(), "privacy", PRIVACY)?;
        let mut sections = String::new();
        for (name, privacy) in [("usual", "aes-128"), ("strong", "aes-256")] {
            sections += &format!(
                "[[snmp.user]]\nname = \"{name}\"\nauth = \"sha-256\"\nauth_file = \"auth\"\n\
                 privacy = \"{privacy}\"\nprivacy_file = \"privacy\"\n"
            );
        }
        for (at, (how, _)) in TARGETS.iter().enumerate() {
            sections += &format!(
                "[[snmp.target]]\nname = \"t{at}\"\naddress = \"{manager}\"\n{how}\n\
                 timeout_ms = 1000\nretries = 2\n"
            );
        }
        let configuration = site.configuration().with_sessions_per_license(2)?;
        let gateway = site.open(&configuration.with(&sections))?;
        Ok(Self { gateway, manager })
    }

    /// The manager, which knows the node's engine for its traps.
    fn manager(&self) -> Result<Snmptrapd> {
        let mut lines = vec!["disableAuthorization no".to_owned()];
        for community in ["one", "two", "three"] {
            lines.push(format!("authCommunity log {community}"));
        }
        let engine = EngineId::of_node(32473, "gw1");
        for (user, privacy) in [("usual", "AES"), ("strong", "AES-256")] {
            let keys = format!("{user} SHA-256 {AUTH} {privacy} {PRIVACY}");
            lines.push(format!("createUser {keys}"));
            lines.push(format!("createUser -e 0x{engine} {keys}"));
            lines.push(format!("authUser log {user} priv"));
        }
        let dir = self.gateway.site().dir().join("manager");
        fs::create_dir_all(&dir)?;
        Snmptrapd::start(&dir, self.manager, &lines.join("\n"))
    }

    fn change(&self, request: &Request) -> Result<()> {
        let changed = self.gateway.node()?.control().change(request)?;
        ensure!(changed, "{request:?} changed nothing");
        Ok(())
    }
}

fn private(dir: &Path, name: &str, secret: &str) -> Result<()> {
    let file = dir.join(name);
    fs::write(&file, secret)?;
    Ok(fs::set_permissions(
        &file,
        fs::Permissions::from_mode(0o600),
    )?)
}

/// Lines that a manager wrote of one target.
fn lines_of(manager: &Snmptrapd, target: usize) -> Vec<String> {
    let (_, mark) = TARGETS[target];
    let mut lines = manager.lines();
    lines.retain(|line| line.contains(mark));
    lines
}

/// Whether a line tells notification `number` of STARENT-MIB.
fn is_starent(line: &str, number: u32) -> bool {
    let v2 = format!("= OID: .1.3.6.1.4.1.8164.2.{number}");
    let v1 = format!("Enterprise Specific..{number}");
    let ends = |rest: &str| !rest.starts_with(|c: char| c.is_ascii_digit());
    let tells = |part: &str| line.split_once(part).is_some_and(|(_, rest)| ends(rest));
    tells(&v2) || tells(&v1)
}

/// Waits until a manager was sent something as every target.
fn wait_for_all(manager: &Snmptrapd, what: &str, told: impl Fn(&str) -> bool) -> Result<()> {
    for (target, (_, mark)) in TARGETS.iter().enumerate() {
        until(&format!("{what}: {mark}"), LIMIT, || {
            Ok(lines_of(manager, target).iter().any(|line| told(line)))
        })
        .with_context(|| manager.lines().join("\n"))?;
    }
    Ok(())
}

//= L18
#[test]
fn every_version_and_level_is_told_what_a_node_goes_through() -> Result<()> {
    let mut managed = Managed::start()?;
    let manager = managed.manager()?;
    managed.change(&Request::SmartLicensing { enable: true })?;
    wait_for_all(&manager, "evaluation", |line| is_starent(line, 1351))?;
    let call = |subscriber| Call::new(subscriber, "internet");
    let first = managed.gateway.accepted(&call(1))?;
    managed.gateway.accepted(&call(2))?;
    wait_for_all(&manager, "at the limit", |line| is_starent(line, 65))?;
    managed.gateway.refused(&call(3))?;
    managed.gateway.delete(first, 5)?;
    wait_for_all(&manager, "under the limit", |line| is_starent(line, 94))?;
    Ok(())
}

/// Speeds that a target was told, in order.
fn speeds(manager: &Snmptrapd, target: usize) -> Vec<u32> {
    let speed = |line: &String| -> Option<u32> {
        let (_, rest) = line.split_once(LAB_SPEEDUP)?;
        rest.split_once(SPEED)?
            .1
            .split('|')
            .next()?
            .trim()
            .parse()
            .ok()
    };
    let mut speeds: Vec<u32> = lines_of(manager, target).iter().filter_map(speed).collect();
    // One whose acknowledgement was lost is sent again.
    speeds.dedup();
    speeds
}

/// How long the manager is away at least: a minute where this is measured, and as long as it takes where it is tested.
fn outage() -> Duration {
    match std::env::var_os("TOLLGATE_FIGURE") {
        Some(_) => Duration::from_secs(60),
        None => Duration::ZERO,
    }
}

//= L16
#[test]
fn no_inform_is_missing_after_the_manager_was_away() -> Result<()> {
    let managed = Managed::start()?;
    let manager = managed.manager()?;
    managed.change(&Request::SmartLicensing { enable: true })?;
    wait_for_all(&manager, "evaluation", |line| is_starent(line, 1351))?;
    manager.kill()?;
    // Fewer than are sent in a second, so that none stands for others.
    let (away, began) = (outage(), Instant::now());
    for speedup in 2..=30 {
        managed.change(&Request::LabSpeedup { speedup })?;
        until("this part of the outage is over", away + LIMIT, || {
            Ok(began.elapsed() >= away * (speedup - 1) / 29)
        })?;
    }
    println!("the manager was away for {:?}", began.elapsed());
    let manager = managed.manager()?;
    let wanted: Vec<u32> = (2..=30).collect();
    let mut lost = 0;
    for target in INFORMED {
        let got = until(
            &format!("all informs: {}", TARGETS[target].1),
            LIMIT,
            || {
                let all = speeds(&manager, target);
                Ok(wanted.iter().all(|speed| all.contains(speed)))
            },
        );
        let got = got.map(|()| speeds(&manager, target));
        let got = got.unwrap_or_else(|_| speeds(&manager, target));
        lost += wanted.iter().filter(|speed| !got.contains(speed)).count();
        assert!(got.is_sorted(), "{got:?}");
    }
    println!("snmp-inform-lost {lost}");
    assert_eq!(lost, 0, "{}", manager.lines().join("\n"));
    Ok(())
}

/// What a manager was told of each alarm at a ceiling, in order, by the number of the alarm: 9 is its raise, 10 its clear.
fn limits(manager: &Snmptrapd) -> BTreeMap<u32, Vec<u32>> {
    let mut told: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for line in manager.lines() {
        let tells = |n: &u32| line.contains(&format!("= OID: .1.3.6.1.4.1.32473.1.0.{n}|"));
        let Some(number) = [9, 10].into_iter().find(tells) else {
            continue;
        };
        let id = line.split_once(".1.3.6.1.4.1.32473.1.1.1.1.0 = Gauge32: ");
        let id = id.and_then(|(_, rest)| rest.split('|').next()?.trim().parse().ok());
        told.entry(id.unwrap_or(0)).or_default().push(number);
    }
    // One whose acknowledgement was lost is sent again.
    told.values_mut().for_each(|of_one| of_one.dedup());
    told
}

/// What a manager that was there has seen was on disk for the one that was away: no kill undoes it.
//= L16
#[test]
fn no_raise_or_clear_is_missing_after_the_node_was_killed_while_the_manager_was_away() -> Result<()>
{
    let site = Site::new()?;
    let at = |port| SocketAddr::from((site.subnet().ip(MANAGER), port));
    let (away, there) = (at(1162), at(1163));
    private(site.dir(), "two", "two")?;
    let mut sections = String::new();
    for (name, address, notify) in [("away", away, "inform"), ("there", there, "trap")] {
        sections += &format!(
            "[[snmp.target]]\nname = \"{name}\"\naddress = \"{address}\"\nversion = \"v2c\"\n\
             community_file = \"two\"\nnotify = \"{notify}\"\ntimeout_ms = 500\nretries = 1\n"
        );
    }
    let configuration = site.configuration().with_sessions_per_license(1)?;
    let dirs = [site.dir().join("away"), site.dir().join("there")];
    let manager = |dir: &Path, address| {
        fs::create_dir_all(dir)?;
        Snmptrapd::start(dir, address, "authCommunity log two")
    };
    let witness = manager(&dirs[1], there)?;
    let mut gateway = site.open(&configuration.with(&sections))?;
    let enable = Request::SmartLicensing { enable: true };
    gateway.node()?.control().change(&enable)?;
    for round in 1..=4 {
        let call = gateway.accepted(&Call::new(round, "internet"))?;
        let round = round as usize;
        let raised = || {
            limits(&witness)
                .values()
                .filter(|told| told.first() == Some(&9))
                .count()
        };
        until("at the limit", LIMIT, || Ok(raised() == round))?;
        if round == 4 {
            break;
        }
        gateway.delete(call, 5)?;
        let cleared = || {
            limits(&witness)
                .values()
                .filter(|told| **told == [9, 10])
                .count()
        };
        until("under the limit", LIMIT, || Ok(cleared() == round))?;
    }
    let seen: Vec<u32> = limits(&witness).into_keys().collect();
    gateway.crash_and_restart()?;
    // The last one's session went with the process, and so it is cleared, too.
    let wanted: BTreeMap<u32, Vec<u32>> = seen.into_iter().map(|id| (id, vec![9, 10])).collect();
    assert_eq!(wanted.len(), 4);
    let manager = manager(&dirs[0], away)?;
    let all = until("every raise and clear", LIMIT, || {
        Ok(limits(&manager) == wanted)
    });
    all.with_context(|| manager.lines().join("\n"))
}
