//! Notifications of a node, taken by snmptrapd: every version and level, and a manager that is away.
#![forbid(unsafe_code)]

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

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

//= L16
#[test]
fn no_inform_is_missing_after_the_manager_was_away() -> Result<()> {
    let managed = Managed::start()?;
    let manager = managed.manager()?;
    managed.change(&Request::SmartLicensing { enable: true })?;
    wait_for_all(&manager, "evaluation", |line| is_starent(line, 1351))?;
    manager.kill()?;
    // Fewer than are sent in a second, so that none stands for others.
    for speedup in 2..=30 {
        managed.change(&Request::LabSpeedup { speedup })?;
    }
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
