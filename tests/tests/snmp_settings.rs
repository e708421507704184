//! SNMP as operators set it while a node runs: targets, communities, users, suppressed notifications, by the command line.
#![forbid(unsafe_code)]

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use api::{Request, SnmpView};
use licensing::AlarmKind;
use snmp::usm::EngineId;
use tests::child::Ended;
use tests::gateway::{Gateway, Site};
use tests::net_snmp::{self, Snmptrapd};
use tests::sgsn::Call;
use tests::tollgate;
use tests::wait::until;

/// For a busy machine.
const LIMIT: Duration = Duration::from_secs(120);

const AUTH: &str = "maplesyrup";
const PRIVACY: &str = "syrupmaple";
const SENT: &str = "hunter2-sent";
const READ: &str = "hunter2-read";

const SYS_NAME: &str = ".1.3.6.1.2.1.1.5.0";
const EVALUATION: &str = "= OID: .1.3.6.1.4.1.8164.2.1351|";
const LAB_SPEEDUP: &str = "= OID: .1.3.6.1.4.1.32473.1.0.109|";
const SPEED: &str = ".1.3.6.1.4.1.32473.1.1.1.14.0 = Gauge32: ";

/// How snmptrapd marks what each target is sent.
const BY_COMMUNITY: &str = "INFORM, SNMP v2c, community hunter2-sent";
const TRAPS: &str = "TRAP2, SNMP v3, user noc";
const INFORMS: &str = "INFORM, SNMP v3, user everywhere";

/// A lab node in evaluation that has no target, community or user, and where it is asked.
struct Managed {
    gateway: Gateway,
    agent: SocketAddr,
    manager: SocketAddr,
}

impl Managed {
    fn start() -> Result<Self> {
        let site = Site::new()?;
        let at = |host, port| SocketAddr::from((site.subnet().ip(host), port));
        let (agent, manager) = (at(3, 1161), at(9, 1162));
        for (name, secret) in [
            ("auth", AUTH),
            ("privacy", PRIVACY),
            ("sent", SENT),
            ("read", READ),
        ] {
            private(site.dir(), name, secret)?;
        }
        let configuration = site.configuration().with_sessions_per_license(3)?;
        let sections = format!("[snmp]\nlisten = \"{agent}\"\n");
        let gateway = site.open(&configuration.with(&sections))?;
        let enable = Request::SmartLicensing { enable: true };
        gateway.node()?.control().change(&enable)?;
        Ok(Self {
            gateway,
            agent,
            manager,
        })
    }

    fn file(&self, name: &str) -> PathBuf {
        self.gateway.site().dir().join(name)
    }

    /// Runs a command of the CLI; `@name` is the file of that secret.
    fn cli(&self, line: &str) -> Result<Ended> {
        let dir = format!("{}/", self.gateway.site().dir().display());
        self.gateway.node()?.cli(&line.replace('@', &dir))
    }

    fn done(&self, line: &str) -> Result<()> {
        let ended = self.cli(line)?;
        ensure!(ended.status.success(), "{line}: {}", ended.log());
        Ok(())
    }

    fn refused(&self, line: &str, says: &str) -> Result<()> {
        let ended = self.cli(line)?;
        let log = ended.log();
        ensure!(
            !ended.status.success() && log.contains(says),
            "{line}: {log}"
        );
        Ok(())
    }

    fn speed_up(&self, speedup: u32) -> Result<()> {
        let request = Request::LabSpeedup { speedup };
        ensure!(self.gateway.node()?.control().change(&request)?);
        Ok(())
    }

    /// Asks the node for its name, as the user `noc`.
    fn ask(&self, options: &[&str]) -> Result<Ended> {
        let dir = self.gateway.site().dir();
        net_snmp::run(dir, "snmpget", options, self.agent, &[SYS_NAME])
    }

    fn shown(&self) -> Result<SnmpView> {
        Ok(self.gateway.node()?.control().snmp(0)?.1)
    }

    fn suppressed(&self) -> Result<Vec<String>> {
        let types = self.shown()?.types.into_iter();
        Ok(types
            .filter(|row| row.suppressed)
            .map(|row| row.name)
            .collect())
    }

    fn bad_communities(&self) -> Result<u32> {
        let view = self.shown()?;
        let mut counters = view.server.counters.iter();
        let bad = counters.find(|counter| counter.name == "snmpInBadCommunityNames");
        Ok(bad.context("it is counted")?.value)
    }

    /// The manager, which knows the node's engine for its traps.
    fn manager(&self) -> Result<Snmptrapd> {
        let mut lines = vec![format!("authCommunity log {SENT}")];
        let engine = EngineId::of_node(32473, "gw1");
        for user in ["noc", "everywhere"] {
            let keys = format!("{user} SHA-256 {AUTH} AES {PRIVACY}");
            lines.push(format!("createUser {keys}"));
            lines.push(format!("createUser -e 0x{engine} {keys}"));
            lines.push(format!("authUser log {user} priv"));
        }
        let dir = self.file("manager");
        fs::create_dir_all(&dir)?;
        Snmptrapd::start(&dir, self.manager, &lines.join("\n"))
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

fn noc() -> Vec<&'static str> {
    let mut options = vec!["-v3", "-l", "authPriv", "-u", "noc", "-A", AUTH];
    options.extend(["-X", PRIVACY, "-a", "SHA-256", "-x", "AES"]);
    options
}

/// Speeds that a target was told.
fn speeds(manager: &Snmptrapd, mark: &str) -> Vec<u32> {
    let speed = |line: &String| -> Option<u32> {
        let (_, rest) = line.split_once(LAB_SPEEDUP)?;
        let (_, rest) = rest.split_once(SPEED)?;
        rest.split('|').next()?.trim().parse().ok()
    };
    let mut lines = manager.lines();
    lines.retain(|line| line.contains(mark));
    let mut speeds: Vec<u32> = lines.iter().filter_map(speed).collect();
    // One whose acknowledgement was lost is sent again.
    speeds.dedup();
    speeds
}

fn wait_for_speed(manager: &Snmptrapd, mark: &str, speed: u32) -> Result<()> {
    until(&format!("{mark} is told {speed}"), LIMIT, || {
        Ok(speeds(manager, mark).contains(&speed))
    })
    .with_context(|| manager.lines().join("\n"))
}

/// Files of the node that hold one of its secrets.
fn in_the_clear(dir: &Path, found: &mut Vec<PathBuf>) -> Result<usize> {
    let mut files = 0;
    for file in fs::read_dir(dir)? {
        let path = file?.path();
        if path.is_dir() {
            files += in_the_clear(&path, found)?;
        } else if path.is_file() {
            let text = String::from_utf8_lossy(&fs::read(&path)?).into_owned();
            let secrets = [AUTH, PRIVACY, SENT, READ];
            found.extend(secrets.iter().any(|s| text.contains(s)).then_some(path));
            files += 1;
        }
    }
    Ok(files)
}

//= L16
#[test]
fn what_an_operator_sets_is_in_force_at_once_and_after_a_restart() -> Result<()> {
    let mut managed = Managed::start()?;
    let manager = managed.manager()?;
    let at = managed.manager;
    // A new target is told what stands.
    managed.done(&format!(
        "snmp target nms {at} version v2c informs --community-file @sent"
    ))?;
    let standing = |mark: &str| {
        let told = |line: &String| line.contains(mark) && line.contains(EVALUATION);
        Ok(manager.lines().iter().any(told))
    };
    until("the alarm that stands", LIMIT, || standing(BY_COMMUNITY))?;

    managed.refused(
        &format!("snmp target v3 {at} version v3 user noc traps"),
        "no user is called",
    )?;
    managed.done(
        "snmp user noc auth sha-256 privacy aes-128 read 1 --auth-file @auth --privacy-file @privacy",
    )?;
    managed.done(&format!("snmp target v3 {at} version v3 user noc traps"))?;
    until("traps by a user", LIMIT, || standing(TRAPS))?;
    let informs = |user: &str| format!("snmp target v3i {at} version v3 user {user} informs");
    managed.refused(&informs("noc"), "localized keys")?;
    managed.done(
        "snmp user everywhere auth sha-256 privacy aes-128 informs --auth-file @auth --privacy-file @privacy",
    )?;
    managed.done(&informs("everywhere"))?;
    until("informs by a user", LIMIT, || standing(INFORMS))?;

    managed.done("snmp community seen read 1.3.6.1.2.1.1 --community-file @read")?;
    for options in [noc(), vec!["-v2c", "-c", READ]] {
        let ended = managed.ask(&options)?;
        ensure!(ended.status.success(), "{}", ended.log());
        ensure!(ended.log().contains("\"gw1\""), "{}", ended.log());
    }

    managed.done("snmp trap suppress tgForked")?;
    assert_eq!(managed.suppressed()?, ["tgForked"]);
    managed.done("snmp trap default")?;
    assert_eq!(managed.suppressed()?, [""; 0]);
    managed.done("snmp trap suppress tgLabSpeedup")?;
    managed.speed_up(2)?;
    managed.gateway.crash_and_restart()?;
    managed.speed_up(3)?;
    managed.done("no snmp trap suppress tgLabSpeedup")?;
    managed.speed_up(4)?;
    for mark in [BY_COMMUNITY, TRAPS, INFORMS] {
        wait_for_speed(&manager, mark, 4)?;
        assert_eq!(speeds(&manager, mark), [4], "{mark}");
    }
    let ended = managed.ask(&noc())?;
    ensure!(ended.status.success(), "{}", ended.log());

    // Nobody is left to speak as.
    managed.refused("no snmp user noc", "no user is called")?;
    managed.done("no snmp target v3")?;
    managed.done("no snmp user noc")?;
    managed.done("no snmp target nms")?;
    managed.done("no snmp community seen")?;
    let view = managed.shown()?;
    let names: Vec<_> = view.targets.iter().map(|to| to.name.as_str()).collect();
    assert_eq!(names, ["v3i"]);
    assert_eq!(view.communities, []);
    managed.speed_up(5)?;
    // What the others were sent would have come before it, by the same sockets.
    wait_for_speed(&manager, INFORMS, 5)?;
    assert_eq!(speeds(&manager, TRAPS), [4]);
    assert_eq!(speeds(&manager, BY_COMMUNITY), [4]);
    let ended = managed.ask(&noc())?;
    ensure!(ended.log().contains("Unknown user name"), "{}", ended.log());
    let before = managed.bad_communities()?;
    let unread = ["-v2c", "-c", READ, "-t", "0.2", "-r", "0"];
    ensure!(!managed.ask(&unread)?.status.success());
    // It was asked, and knows nobody by that community.
    until("the community is refused", LIMIT, || {
        Ok(managed.bad_communities()? == before + 1)
    })?;
    Ok(())
}

#[test]
fn no_secret_that_an_operator_sets_is_kept_in_the_clear_or_shown() -> Result<()> {
    let managed = Managed::start()?;
    let at = managed.manager;
    managed.done(&format!(
        "snmp target nms {at} version v2c traps --community-file @sent"
    ))?;
    managed.done("snmp community seen read 1 --community-file @read")?;
    let user = "auth sha-256 privacy aes-128 --auth-file @auth --privacy-file @privacy";
    managed.done(&format!("snmp user noc {user}"))?;
    managed.done(&format!(
        "snmp user everywhere {}",
        user.replace(" --auth", " informs --auth")
    ))?;
    managed.refused(
        &format!("snmp user noc {}", user.replace("sha-256", "md5")),
        "md5",
    )?;
    let state = managed.file("state");
    let settings = fs::read_to_string(state.join("settings.toml"))?;
    ensure!(settings.contains("everywhere"), "{settings}");
    let mut found = Vec::new();
    ensure!(in_the_clear(&state, &mut found)? >= 6 + 5);
    assert_eq!(found, Vec::<PathBuf>::new());
    for file in fs::read_dir(state.join("secrets"))? {
        let path = file?.path();
        let sealed = fs::read_to_string(&path)?;
        ensure!(sealed.starts_with("sealed:"), "{}", path.display());
        assert_eq!(fs::metadata(&path)?.permissions().mode() & 0o777, 0o600);
    }
    let mut shown = managed.gateway.node()?.process().log();
    for show in ["show snmp users", "show snmp users --json"] {
        let ended = managed.cli(show)?;
        ensure!(ended.log().contains("everywhere"), "{}", ended.log());
        shown += &ended.log();
    }
    for secret in [AUTH, PRIVACY, SENT, READ] {
        assert!(!shown.contains(secret), "{secret}: {shown}");
    }
    Ok(())
}

#[test]
fn a_node_that_has_lost_its_key_starts_without_what_that_had_sealed() -> Result<()> {
    let mut managed = Managed::start()?;
    let at = managed.manager;
    let set = format!("snmp target nms {at} version v2c traps --community-file @sent");
    managed.done(&set)?;
    managed.done("snmp community seen read 1.3.6.1.2.1.1 --community-file @read")?;
    managed.done("snmp user open read 1.3.6.1.2.1.1")?;
    let settings = managed.file("state/settings.toml");
    let text = fs::read_to_string(&settings)?;
    let lose = |state: &Path| Ok(fs::remove_file(state.join("node.key"))?);
    managed.gateway.while_down(lose)?;

    // Whoever needs no secret is answered.
    let open = ["-v3", "-l", "noAuthNoPriv", "-u", "open"];
    let ended = managed.ask(&open)?;
    ensure!(ended.log().contains("\"gw1\""), "{}", ended.log());
    let view = managed.shown()?;
    let left_out = view.left_out.iter();
    let left_out: Vec<_> = left_out.map(|out| (&*out.what, &*out.name)).collect();
    assert_eq!(left_out, [("community", "seen"), ("target", "nms")]);
    assert!(view.communities.is_empty());
    // What the target is to be sent waits.
    let waits = |view: &SnmpView| {
        let targets = view.targets.iter();
        let waits = targets.map(|to| (to.name.clone(), to.left_out, to.waiting > 0));
        waits.collect::<Vec<_>>()
    };
    assert_eq!(waits(&view), [("nms".to_owned(), true, true)]);
    let shown = managed.cli("show snmp communities")?.log();
    let wanted = ["LEFT OUT: community seen", "node.key", "settings.toml"];
    ensure!(wanted.iter().all(|part| shown.contains(part)), "{shown}");
    let log = managed.gateway.node()?.process().log();
    ensure!(log.contains("it is left out of SNMP"), "{log}");
    assert_eq!(fs::read_to_string(&settings)?, text);

    managed.done(&set)?;
    managed.done("snmp community seen read 1.3.6.1.2.1.1 --community-file @read")?;
    assert_eq!(managed.shown()?.left_out, []);
    until("what waited is sent", LIMIT, || {
        let sent = [("nms".to_owned(), false, false)];
        Ok(waits(&managed.shown()?) == sent)
    })?;
    let ended = managed.ask(&["-v2c", "-c", READ])?;
    ensure!(ended.log().contains("\"gw1\""), "{}", ended.log());
    Ok(())
}

#[test]
fn a_target_whose_words_do_not_go_together_is_refused_before_any_secret_is_asked_for() -> Result<()>
{
    let managed = Managed::start()?;
    let at = managed.manager;
    let cases = [
        ("v3", "version v3 wants a user"),
        ("v3 informs", "version v3 wants a user"),
        ("v2c user noc", "version v2c wants a community, and no user"),
        ("v4", "\"v4\" is no version"),
    ];
    for (words, says) in cases {
        managed.refused(&format!("snmp target nms {at} version {words}"), says)?;
    }
    assert_eq!(managed.shown()?.targets, []);
    Ok(())
}

#[test]
fn a_localized_key_in_a_file_is_as_good_as_the_password() -> Result<()> {
    let site = Site::new()?;
    let agent = SocketAddr::from((site.subnet().ip(3), 1161));
    let configuration = site.configuration().with(&format!(
        "[snmp]\nlisten = \"{agent}\"\n[[snmp.user]]\nname = \"noc\"\nauth = \"sha-256\"\n\
         auth_file = \"noc.auth\"\nprivacy = \"aes-128\"\nprivacy_file = \"noc.privacy\"\nread = [\"1\"]\n"
    ));
    // The files that it names are not there yet.
    let file = configuration.write()?;
    for (secret, key) in [(AUTH, "noc.auth"), (PRIVACY, "noc.privacy")] {
        private(site.dir(), "password", secret)?;
        let (password, key) = (site.dir().join("password"), site.dir().join(key));
        let line = format!(
            "snmp localize sha-256 --config {} --password-file {} --out {}",
            file.display(),
            password.display(),
            key.display()
        );
        let ended = tollgate::run(line.split(' '))?;
        ensure!(ended.status.success(), "{}", ended.log());
        assert_eq!(fs::metadata(&key)?.permissions().mode() & 0o777, 0o600);
        let written = fs::read_to_string(&key)?;
        let engine = EngineId::of_node(32473, "gw1");
        ensure!(
            written.starts_with(&format!("localized:{engine}:")),
            "{written}"
        );
    }
    let gateway = site.open(&configuration)?;
    let dir = gateway.site().dir();
    let ended = net_snmp::run(dir, "snmpget", &noc(), agent, &[SYS_NAME])?;
    ensure!(
        ended.status.success() && ended.log().contains("\"gw1\""),
        "{}",
        ended.log()
    );
    Ok(())
}

//= L16
#[test]
fn few_sessions_left_are_an_alarm_from_where_an_operator_sets_it() -> Result<()> {
    let mut managed = Managed::start()?;
    managed.gateway.accepted(&Call::new(1, "internet"))?;
    managed.gateway.accepted(&Call::new(2, "internet"))?;
    let low = |managed: &Managed| -> Result<bool> {
        let alarms = managed.gateway.snapshot()?.alarms;
        let is = |kind| matches!(kind, AlarmKind::RemainingLow { .. });
        Ok(alarms.iter().any(|alarm| is(alarm.kind)))
    };
    // One of three is left.
    managed.done("threshold license remaining-sessions 20 clear 30")?;
    until("both calls are counted", LIMIT, || {
        Ok(managed.gateway.ggsn()?.sessions.0 == 2)
    })?;
    assert!(!low(&managed)?);
    managed.refused(
        "threshold license remaining-sessions 40 clear 30",
        "remaining_clear_percent: 30",
    )?;
    managed.refused("threshold license remaining-sessions 0", "no threshold")?;
    managed.done("threshold license remaining-sessions 40 clear 50")?;
    assert!(low(&managed)?);
    managed.gateway.crash_and_restart()?;
    let marks = managed.gateway.snapshot()?.thresholds.remaining;
    assert_eq!(
        marks.map(|at| (at.raise_percent, at.clear_percent)),
        Some((40, 50))
    );
    managed.done("no threshold license remaining-sessions")?;
    assert_eq!(managed.gateway.snapshot()?.thresholds.remaining, None);
    Ok(())
}
