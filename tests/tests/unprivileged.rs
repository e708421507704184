//! A node needs no root: it runs and serves as nobody, without a capability, where its own directory alone can be written; and
//! the unit that systemd runs it by asks for no more.
#![forbid(unsafe_code)]

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use rustix::process::Signal;
use tests::child::{Running, command, require};
use tests::control::Control;
use tests::gateway::Site;
use tests::sgsn::{Call, Sgsn, cause};
use tests::tollgate::binary;
use tests::wait::eventually;

const NOBODY: u32 = 65_534;
const UNIT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../packaging/tollgate.service");
const LIMIT: Duration = Duration::from_secs(120);
/// What `systemd-analyze security` says at most; 10 is a service without any of it.
const EXPOSURE_MAX: f64 = 2.0;

//= TS 33.117 4.3.2.7
#[test]
fn a_node_serves_as_nobody() -> Result<()> {
    ensure!(
        rustix::process::geteuid().is_root(),
        "root alone can become nobody: run this test as root, or in `unshare --map-auto --map-root-user`"
    );
    require("setpriv", "util-linux")?;
    let site = Site::new()?;
    let mut configuration = site.configuration();
    // Others may look in, nobody alone may write.
    fs::set_permissions(site.dir(), fs::Permissions::from_mode(0o755))?;
    let own = site.dir().join("own");
    fs::create_dir(&own)?;
    chown(&own, Some(NOBODY), Some(NOBODY))?;
    fs::set_permissions(&own, fs::Permissions::from_mode(0o700))?;
    configuration.state_dir = own.join("state");
    let file = site.dir().join("node.toml");
    fs::write(&file, configuration.text())?;
    let program = site.dir().join("tollgate");
    fs::copy(binary()?, &program)?;
    let mut setpriv = command("setpriv");
    let ids = [format!("--reuid={NOBODY}"), format!("--regid={NOBODY}")];
    setpriv.args(ids);
    setpriv.args(["--clear-groups", "--no-new-privs", "--bounding-set=-all"]);
    // What it was told before of the death of its parent is forgotten with its user.
    setpriv.args(["--inh-caps=-all", "--pdeathsig=KILL", "--"]);
    setpriv.arg(&program);
    setpriv.args(["node", "--config"]).arg(&file);
    let mut running = Running::start("tollgate node", &mut setpriv)?;
    let control = Control::new(configuration.control_socket());
    eventually("the node answers", LIMIT, || {
        ensure!(running.is_alive()?, "it ended:\n{}", running.log());
        Ok(control.health().ok())
    })?;
    let status = fs::read_to_string(format!("/proc/{}/status", running.pid()))?;
    let line = |name: &str| {
        let mut lines = status.lines().filter_map(|line| line.strip_prefix(name));
        lines.next().map(str::trim).context("a line of status")
    };
    ensure!(
        line("Uid:")?
            .split_whitespace()
            .all(|id| id == NOBODY.to_string())
    );
    for set in ["CapEff:", "CapPrm:", "CapBnd:", "CapAmb:"] {
        let bits = u64::from_str_radix(line(set)?, 16)?;
        ensure!(bits == 0, "{set} {bits:x}");
    }
    let mut sgsn = Sgsn::new(site.subnet().socket(2)?, configuration.listen)?;
    let answer = sgsn.create(&Call::new(1, "internet"))?;
    ensure!(answer.cause()? == cause::ACCEPTED, "{answer:?}");
    running.signal(Signal::TERM)?;
    let ended = running.wait(LIMIT)?;
    ensure!(ended.status.success(), "{:?}", ended.lines);
    private(&configuration.state_dir)
}

/// All that it keeps is its own, and nobody else's to read.
fn private(dir: &Path) -> Result<()> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let about = entry.metadata()?;
        let mode = about.mode() & 0o777;
        let path = entry.path();
        ensure!(about.uid() == NOBODY, "{path:?} is of user {}", about.uid());
        ensure!(mode & 0o077 == 0, "{path:?} has mode {mode:o}");
        if about.is_dir() {
            private(&path)?;
        }
    }
    Ok(())
}

//= TS 33.117 4.3.2.7
#[test]
fn the_unit_is_one_and_exposes_little() -> Result<()> {
    require("systemd-analyze", "systemd")?;
    let unit = fs::read_to_string(UNIT)?;
    // What is not installed here is no fault of the unit.
    let dir = tempfile::tempdir()?;
    let there = dir.path().join("tollgate.service");
    let here = unit.replace("/usr/bin/tollgate", &binary()?.display().to_string());
    fs::write(&there, here)?;
    let mut verify = command("systemd-analyze");
    let verified = verify.args(["verify", "--man=no"]).arg(&there).output()?;
    let said = String::from_utf8_lossy(&verified.stderr).into_owned();
    let of_ours: Vec<&str> = said
        .lines()
        .filter(|line| line.contains("tollgate.service"))
        .collect();
    ensure!(of_ours.is_empty(), "{of_ours:?}");
    let mut security = command("systemd-analyze");
    let judged = security
        .args(["security", "--offline=true"])
        .arg(&there)
        .output()?;
    let text = String::from_utf8_lossy(&judged.stdout).into_owned();
    let line = text.lines().find(|line| line.contains("Overall exposure"));
    let line = line.with_context(|| format!("systemd-analyze says {text}"))?;
    let score = line.split(':').nth(1).context("a score")?;
    let score: f64 = score.trim().split(' ').next().context("a score")?.parse()?;
    println!("exposure {score}");
    ensure!(score <= EXPOSURE_MAX, "{line}");
    for hardened in [
        "User=tollgate",
        "NoNewPrivileges=yes",
        "CapabilityBoundingSet=\n",
    ] {
        ensure!(unit.contains(hardened), "{hardened:?}");
    }
    Ok(())
}
