//! Bulk statistics of a node that runs: files on the disk of an OpenSSH server, and everything that keeps them away.
#![forbid(unsafe_code)]

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, ensure};
use api::{BulkstatsCommand, BulkstatsFile, BulkstatsStatus, Request};
use licensing::AlarmKind;
use serde_json::Value;
use tempfile::TempDir;
use tests::gateway::{Gateway, Site};
use tests::node::{Configuration, Node};
use tests::receivers::{Door, PASSWORD, Sshd, USER};
use tests::sgsn::Call;
use tests::wait::until;

/// For a busy machine.
const LIMIT: Duration = Duration::from_secs(120);

/// What is in a file: the sessions that were made, then a row a mode and service.
const SCHEMAS: &str = r#"schemas = [
  'system schema c format "c,%sess-created%,%epochtime%"',
  'smart-license schema sl format "sl,%mode%,%tagid%,%cur_call_policy%,%cur_call_count%,%max_call_count%,%policy_change_block_calls%,%current_sl_mode%"',
]
"#;

/// Intervals that don't begin while a test runs: what is taken and sent is taken and sent because it is asked for.
const NO_INTERVALS: &str = "sample_interval_min = 10080\ntransfer_interval_min = 999999\n";

const PYTHON: &str = "import csv, json, sys\n\
                      print(json.dumps([list(csv.reader(open(name, newline=''))) for name in sys.argv[1:]]))";

/// A receiver, and the directory of its files and of the node's password.
struct Collector {
    dir: TempDir,
    sshd: Sshd,
}

impl Collector {
    fn new() -> Result<Self> {
        let dir = tempfile::tempdir()?;
        let sshd = Sshd::start(dir.path())?;
        let password = dir.path().join("password");
        fs::write(&password, format!("{PASSWORD}\n"))?;
        fs::set_permissions(password, Permissions::from_mode(0o600))?;
        Ok(Self { dir, sshd })
    }

    /// It as a receiver, behind a port, by this key.
    fn section(&self, role: &str, port: u16, host_key: &str) -> String {
        let password = self.dir.path().join("password");
        let password = password.display();
        format!(
            "[bulkstats.file.{role}]\naddress = \"127.0.0.1\"\nport = {port}\nmechanism = \"sftp\"\nlogin = \"{USER}\"\n\
             password_file = \"{password}\"\nhost_key = \"{host_key}\"\n"
        )
    }

    /// The same by its own key.
    fn itself(&self, role: &str, port: u16) -> Result<String> {
        Ok(self.section(role, port, &self.sshd.fingerprint("ed25519")?))
    }

    /// Its files, in the order in which they came.
    fn files(&self) -> Result<Vec<PathBuf>> {
        let mut files: Vec<(SystemTime, PathBuf)> = Vec::new();
        for entry in fs::read_dir(self.sshd.home())? {
            let entry = entry?;
            let path = entry.path();
            if path.extension().is_some_and(|ending| ending == "csv") {
                files.push((entry.metadata()?.modified()?, path));
            }
        }
        files.sort();
        Ok(files.into_iter().map(|(_, path)| path).collect())
    }

    /// Waits for so many files, and reads them by Python's csv.
    fn rows(&self, files: usize) -> Result<Vec<Vec<String>>> {
        until("files arrive", LIMIT, || Ok(self.files()?.len() >= files))?;
        read(&self.files()?)
    }

    /// How many sessions had been made at each sample, in the order of the rows.
    fn created(&self) -> Result<Vec<String>> {
        Ok(created(&read(&self.files()?)?))
    }
}

fn created(rows: &[Vec<String>]) -> Vec<String> {
    let rows = rows.iter().filter(|row| row[0] == "c");
    rows.map(|row| row[1].clone()).collect()
}

fn read(files: &[PathBuf]) -> Result<Vec<Vec<String>>> {
    if files.is_empty() {
        return Ok(Vec::new());
    }
    let output = Command::new("python3")
        .args(["-c", PYTHON])
        .args(files)
        .output()?;
    ensure!(output.status.success(), "python3: {output:?}");
    let files: Vec<Vec<Vec<String>>> = serde_json::from_slice(&output.stdout)?;
    for rows in &files {
        ensure!(
            rows.last() == Some(&vec!["EndOfFile".to_owned()]),
            "{rows:?}"
        );
    }
    Ok(files.into_iter().flatten().collect())
}

/// `[bulkstats]` with one file and these receivers.
fn section(intervals: &str, receivers: &str) -> String {
    format!(
        "[bulkstats]\ncollection = true\n{intervals}[[bulkstats.file]]\nnumber = 1\nremotefile = \"%epochtime%.csv\"\n\
         footer = \"EndOfFile\"\n{SCHEMAS}{receivers}"
    )
}

fn configuration(site: &Site, receivers: &str) -> Configuration {
    site.configuration().with(&section(NO_INTERVALS, receivers))
}

fn open(receivers: &str) -> Result<Gateway> {
    let site = Site::new()?;
    let configuration = configuration(&site, receivers);
    site.open(&configuration)
}

fn ask(node: &Node, command: BulkstatsCommand) -> Result<()> {
    node.control().bulkstats_do(command)
}

/// One call more, and a sample of it.
fn sample(gateway: &mut Gateway, caller: u32) -> Result<()> {
    gateway.accepted(&Call::new(caller, "internet"))?;
    ask(gateway.node()?, BulkstatsCommand::ForceGather)
}

fn status(node: &Node) -> Result<BulkstatsStatus> {
    node.control().bulkstats()
}

fn file(node: &Node) -> Result<BulkstatsFile> {
    let files = status(node)?.files;
    files.into_iter().next().context("a file is configured")
}

fn wait_for_alarm(node: &Node, kind: AlarmKind, stands: bool) -> Result<()> {
    until(&format!("{kind:?}: {stands}"), LIMIT, || {
        let alarms = node.control().snapshot()?.alarms;
        Ok(alarms.iter().any(|alarm| alarm.kind == kind) == stands)
    })
}

#[test]
fn files_arrive_and_have_the_numbers_that_are_shown() -> Result<()> {
    //= L15
    let collector = Collector::new()?;
    let mut gateway = open(&collector.itself("primary", collector.sshd.port)?)?;
    let control = gateway.node()?.control().clone();
    control.change(&Request::SmartLicensing { enable: true })?;
    for caller in 1..=3 {
        gateway.accepted(&Call::new(caller, "internet"))?;
    }
    let node = gateway.node()?;
    let gathered = node.cli("bulkstats force gather")?;
    assert_eq!(gathered.log(), "a sample is taken");
    let shown = node.cli("show license statistics --json")?.log();
    let waits = node.cli("show bulkstats data")?.log();
    assert!(waits.contains("\nc,3,"), "{waits}");
    node.cli("bulkstats force transfer")?;
    let rows = collector.rows(1)?;

    assert_eq!(created(&rows), ["3"]);
    let shown: Value = serde_json::from_str(&shown)?;
    let services = shown["services"].as_array().context("services")?;
    let licenses: Vec<&Vec<String>> = rows.iter().filter(|row| row[0] == "sl").collect();
    assert_eq!(licenses.len(), 2 * services.len());
    for row in &licenses {
        let number: u64 = row[2].parse()?;
        let tag = services.iter().find(|of| of["tag_id"] == number);
        let tag = tag.context("a row is of a service")?;
        let mode = &tag[row[1].to_lowercase()];
        let policy = mode["policy"].as_str().unwrap_or_default().to_uppercase();
        assert_eq!(row[3], policy, "{row:?}");
        let expected = ["cur_call_count", "max_call_count", "policy_change_block"];
        let expected = expected.map(|name| mode[name].to_string());
        assert_eq!(row[4..7], expected, "{row:?}");
        assert_eq!(row[7], "EVALUATION");
    }
    let ggsn = licenses
        .iter()
        .find(|row| row[1] == "EVALUATION" && row[4] == "3");
    assert!(ggsn.is_some(), "{licenses:?}");

    // The word that it arrived comes a moment after it did.
    until("it is known to have arrived", LIMIT, || {
        Ok(file(node)?.transmitted_records > 0)
    })?;
    let file = file(node)?;
    let records = rows.len() as u64 - 1;
    assert_eq!(
        (file.collected_records, file.transmitted_records),
        (records, records)
    );
    assert_eq!((file.awaiting_records, file.awaiting_files), (0, 0));
    assert_eq!(
        file.last_transfer.context("it is the last")?.records,
        records
    );
    let shown = node.cli("show bulkstats")?.log();
    let line = format!("Primary: 127.0.0.1 using SFTP with username {USER}");
    assert!(shown.contains(&line), "{shown}");
    assert!(
        shown.contains(&format!("Total records transmitted:     {records}\n")),
        "{shown}"
    );
    node.cli("clear bulkstats counters")?;
    assert_eq!(self::file(node)?.transmitted_records, 0);
    let said = format!("{shown}{}", gateway.terminate()?.log());
    assert!(!said.contains(PASSWORD), "{said}");
    Ok(())
}

#[test]
fn whoever_has_another_host_key_is_told_nothing_and_alarmed() -> Result<()> {
    let collector = Collector::new()?;
    let other = Sshd::start(collector.dir.path())?;
    let pinned = other.fingerprint("ed25519")?;
    let port = collector.sshd.port;
    let mut gateway = open(&collector.section("primary", port, &pinned))?;
    sample(&mut gateway, 1)?;
    let node = gateway.node()?;
    ask(node, BulkstatsCommand::ForceTransfer)?;
    wait_for_alarm(node, AlarmKind::BulkstatsHostKey, true)?;
    wait_for_alarm(node, AlarmKind::BulkstatsUndelivered, true)?;
    let shown = node.cli("show bulkstats")?.log();
    assert!(shown.contains("No receiver takes its files."), "{shown}");
    let alarms = node.cli("show alarm outstanding verbose")?.log();
    assert!(alarms.contains("host key"), "{alarms}");
    assert_eq!(collector.files()?, Vec::<PathBuf>::new());
    let log = collector.sshd.log();
    assert!(!log.contains(USER), "{log}");

    // The file waits for whoever has the key that is configured.
    let written = configuration(gateway.site(), &collector.itself("primary", port)?);
    gateway.terminate()?;
    let node = Node::start(&written)?;
    ask(&node, BulkstatsCommand::ForceTransfer)?;
    assert_eq!(created(&collector.rows(1)?), ["1"]);
    wait_for_alarm(&node, AlarmKind::BulkstatsHostKey, false)?;
    wait_for_alarm(&node, AlarmKind::BulkstatsUndelivered, false)
}

/// While its receiver is away, and killed in between: no sample is missing, and none is there twice.
#[test]
fn what_waits_survives_sigkill_and_arrives_once_and_in_order() -> Result<()> {
    let collector = Collector::new()?;
    let door = Door::before(collector.sshd.port)?;
    let mut gateway = open(&collector.itself("primary", door.port)?)?;
    for caller in 1..=3 {
        sample(&mut gateway, caller)?;
        if caller == 2 {
            ask(gateway.node()?, BulkstatsCommand::ForceTransfer)?;
        }
    }
    wait_for_alarm(gateway.node()?, AlarmKind::BulkstatsUndelivered, true)?;
    gateway.crash_and_restart()?;
    // Counters of the process begin anew.
    for caller in 4..=5 {
        sample(&mut gateway, caller)?;
    }
    let node = gateway.node()?;
    assert_eq!(file(node)?.transmitted_records, 0);
    ask(node, BulkstatsCommand::ForceTransfer)?;
    wait_for_alarm(node, AlarmKind::BulkstatsUndelivered, true)?;
    assert_eq!(collector.files()?, Vec::<PathBuf>::new());

    door.set_open(true);
    ask(node, BulkstatsCommand::ForceTransfer)?;
    until("all is there", LIMIT, || {
        Ok(collector.created()? == ["1", "2", "3", "1", "2"])
    })?;
    wait_for_alarm(node, AlarmKind::BulkstatsUndelivered, false)?;
    until("nothing waits", LIMIT, || {
        Ok(file(node)?.awaiting_records == 0)
    })?;
    assert_eq!(collector.created()?, ["1", "2", "3", "1", "2"]);
    assert_eq!(file(node)?.discarded_records, 0);
    Ok(())
}

#[test]
fn the_secondary_receives_until_the_primary_is_back() -> Result<()> {
    let (first, second) = (Collector::new()?, Collector::new()?);
    let door = Door::before(first.sshd.port)?;
    let receivers = format!(
        "{}{}",
        first.itself("primary", door.port)?,
        second.itself("secondary", second.sshd.port)?
    );
    let mut gateway = open(&receivers)?;
    sample(&mut gateway, 1)?;
    ask(gateway.node()?, BulkstatsCommand::ForceTransfer)?;
    assert_eq!(created(&second.rows(1)?), ["1"]);
    until("the secondary is known to receive", LIMIT, || {
        Ok(file(gateway.node()?)?.on_secondary)
    })?;
    let failing = file(gateway.node()?)?;
    assert!(!failing.failing);
    let error = failing.primary.and_then(|primary| primary.error);
    assert!(error.is_some());

    door.set_open(true);
    sample(&mut gateway, 2)?;
    ask(gateway.node()?, BulkstatsCommand::ForceTransfer)?;
    assert_eq!(created(&first.rows(1)?), ["2"]);
    until("the primary is known to receive", LIMIT, || {
        Ok(!file(gateway.node()?)?.on_secondary)
    })?;
    assert_eq!(second.created()?, ["1"]);
    Ok(())
}

/// A node with a sample on its disk, which is full, and one that is not written for that; and what fills it.
fn on_a_full_disk(collector: &Collector) -> Result<(Gateway, PathBuf)> {
    let site = Site::new()?;
    let written = configuration(&site, &collector.itself("primary", collector.sshd.port)?);
    let mut gateway = site.open_on_small_disk(&written, 32 << 10)?;
    sample(&mut gateway, 1)?;
    let node = gateway.node()?;
    let filler = node.inside(&node.state_dir().join("filler"));
    fill(&filler)?;
    sample(&mut gateway, 2)?;
    wait_for_alarm(gateway.node()?, AlarmKind::BulkstatsNotWritten, true)?;
    Ok((gateway, filler))
}

#[test]
fn a_disk_here_that_is_full_for_less_than_an_interval_loses_nothing() -> Result<()> {
    let collector = Collector::new()?;
    let (gateway, filler) = on_a_full_disk(&collector)?;
    let node = gateway.node()?;
    fs::remove_file(filler)?;
    wait_for_alarm(node, AlarmKind::BulkstatsNotWritten, false)?;
    ask(node, BulkstatsCommand::ForceTransfer)?;
    let rows = collector.rows(1)?;
    let received = created(&rows);
    let there = |number: &str| received.iter().filter(|is| **is == number).count();
    let wrong: usize = ["1", "2"]
        .map(|number| there(number).abs_diff(1))
        .iter()
        .sum();
    println!("bulkstats-lost {wrong}");
    assert_eq!(received, ["1", "2"]);
    assert_eq!((status(node)?.lost, file(node)?.discarded_records), (0, 0));
    Ok(())
}

#[test]
fn a_full_disk_here_is_counted_alarmed_and_got_over() -> Result<()> {
    let collector = Collector::new()?;
    let (mut gateway, filler) = on_a_full_disk(&collector)?;
    let node = gateway.node()?;
    assert!(status(node)?.not_written);
    let shown = node.cli("show bulkstats")?.log();
    assert!(shown.contains("NOT WRITTEN"), "{shown}");
    // A sample that is not written is tried again, until the next wants its place.
    gateway.accepted(&Call::new(3, "internet"))?;
    let node = gateway.node()?;
    until("the one that waits is counted", LIMIT, || {
        ask(node, BulkstatsCommand::ForceGather)?;
        Ok(status(node)?.lost > 0)
    })?;
    let lost = status(node)?.lost;
    fs::remove_file(filler)?;
    wait_for_alarm(node, AlarmKind::BulkstatsNotWritten, false)?;
    assert_eq!(status(node)?.lost, lost);
    ask(node, BulkstatsCommand::ForceTransfer)?;
    assert_eq!(created(&collector.rows(1)?), ["1", "3"]);
    assert!(file(node)?.discarded_records > 0);
    Ok(())
}

/// Takes all room of the file system.
fn fill(path: &Path) -> Result<()> {
    use std::io::Write;
    let mut file = fs::File::create(path)?;
    let mut block = vec![0; 1 << 20];
    while !block.is_empty() {
        // Ever smaller, until not a byte has room.
        match file.write_all(&block) {
            Ok(()) => {}
            Err(_) => block.truncate(block.len() / 2),
        }
    }
    Ok(())
}
