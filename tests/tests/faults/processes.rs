//! Processes that are killed, copied and set back: the node at each of its messages, the authority while it answers, a copy
//! of a node beside it, and an authority that is put back to what it was.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use api::LicenseCommand;
use api::smart::{InstanceId, ReportText, RequestType};
use rustix::process::Signal;
use tests::child::Running;
use tests::courier::Answering;
use tests::database;
use tests::dump;
use tests::gateway::{Gateway, Site};
use tests::sgsn::Call;
use tests::tollgate::tollgate;
use tests::wait::until;

use crate::stage::{
    Held, LIMIT, PER_LICENSE, PLENTY, Stage, Watch, asking, ceiling, command, deregister, grow,
    held, instance, pool, settled, status, sums,
};

/// Where a message is when its node is killed.
#[derive(Clone, Copy, Debug)]
enum At {
    /// Before the authority has it.
    Asked,
    /// When the authority has answered it, and the node does not know.
    Answered,
}

/// The next two messages of a kind hold still, one before and one after the authority takes it, and are never answered.
fn doomed(stage: &Stage, kind: RequestType) -> [Held; 2] {
    [At::Asked, At::Answered].map(|at| {
        let (message, fate) = held(|_| Ok(Answering::Nothing));
        stage.courier.next(kind, move |passage| {
            if matches!(at, At::Answered) {
                passage.deliver()?;
            }
            fate(passage)
        });
        message
    })
}

/// Kills the node while a message is on its way.
fn kill(gateway: &mut Gateway, message: Held) -> Result<()> {
    message.came()?;
    gateway.crash_and_restart()?;
    message.release();
    Ok(())
}

/// The node is killed at each kind of message, before and after the authority took it.
//= L10
#[test]
fn a_node_killed_at_any_message_is_what_it_told_the_authority() -> Result<()> {
    let stage = Stage::open(5)?;
    let mut gateway = stage.gateway("report_usage_s = 1")?;
    let (_, token) = stage.office.token(1)?;
    // What was begun goes on after a restart, without an operator.
    let begun = [RequestType::Registration, RequestType::Acknowledgement];
    let begun = begun.map(|kind| doomed(&stage, kind));
    asking(gateway.node()?, command(&token, false));
    for message in begun.into_iter().flatten() {
        kill(&mut gateway, message)?;
    }
    settled(&gateway)?;
    let id = instance(&gateway)?;
    grow(&mut gateway, 0..15)?;
    settled(&gateway)?;
    let watch = Watch::begin(&gateway)?;
    for (kind, asked) in [
        (RequestType::Renew, LicenseCommand::RenewId),
        (RequestType::Entitlement, LicenseCommand::RenewAuth),
    ] {
        for message in doomed(&stage, kind) {
            asking(gateway.node()?, asked.clone());
            kill(&mut gateway, message)?;
            assert_eq!(instance(&gateway)?, id, "{kind}");
        }
        settled(&gateway)?;
    }
    // Whatever starts asks for the trust pool.
    let trust = doomed(&stage, RequestType::TrustPool);
    gateway.crash_and_restart()?;
    for message in trust {
        kill(&mut gateway, message)?;
    }
    grow(&mut gateway, 0..25)?;
    settled(&gateway)?;
    watch.end()?;
    let devices = stage.office.account("GET", "/devices", None)?;
    let devices = devices["devices"].as_array().context("a list")?.len();
    assert_eq!(devices, 1, "one registration, for one use of the token");
    let leaving = doomed(&stage, RequestType::Deregistration);
    asking(gateway.node()?, LicenseCommand::Deregister);
    for message in leaving {
        kill(&mut gateway, message)?;
    }
    until("it is deregistered", LIMIT, || {
        Ok(status(&gateway)?.registered.is_none())
    })?;
    assert!(stage.courier.is_idle());
    stage.conserved(&id)
}

/// Starts the authority of the stage as a process of its own, where it was.
fn process(stage: &Stage) -> Result<Running> {
    let config = stage.dir.path().join("authority.toml");
    let text = format!(
        "[authority]\nstate_dir = \"{}\"\nlisten = \"{}\"\n{}[lab]\nspeedup = 1\n",
        stage.office.state_dir().display(),
        stage.office.address(),
        database::url_of(stage.office.state_dir())
            .map(|url| format!("database = \"{url}\"\n"))
            .unwrap_or_default()
    );
    fs::write(&config, text)?;
    let mut authority = tollgate(["authority", "--config"])?;
    authority.arg(config);
    let running = Running::start("tollgate authority", &mut authority)?;
    running.wait_for_line("The license authority listens on", LIMIT)?;
    Ok(running)
}

/// SIGKILL hits the authority while reports come in, at times before, at times in the middle of, at times after its commit.
#[test]
fn an_authority_killed_while_reports_come_in_has_each_of_them_once() -> Result<()> {
    let mut stage = Stage::open(5)?;
    let mut gateway = stage.registered("report_usage_s = 1", PER_LICENSE)?;
    settled(&gateway)?;
    let id = instance(&gateway)?;
    stage.office.end();
    let mut authority = process(&stage)?;
    let watch = Watch::begin(&gateway)?;
    let mut second = None;
    for wait_ms in [0, 1, 2, 4, 8, 16] {
        // Use goes up and down past a license, so that there is something to report each time.
        second = match second {
            Some(teid) => gateway.delete(teid, 5).map(|()| None)?,
            None => {
                until("there is a second license", LIMIT, || {
                    Ok(ceiling(&gateway)? > Some(PER_LICENSE))
                })?;
                Some(gateway.accepted(&Call::new(100, "internet"))?)
            }
        };
        let (message, fate) = held(|passage| {
            passage.deliver()?;
            Ok(Answering::Nothing)
        });
        stage.courier.next(RequestType::Entitlement, fate);
        asking(gateway.node()?, LicenseCommand::RenewAuth);
        message.came()?;
        message.release();
        std::thread::park_timeout(Duration::from_millis(wait_ms));
        authority.kill()?;
        authority = process(&stage)?;
        settled(&gateway)?;
    }
    watch.end()?;
    deregister(&gateway)?;
    authority.signal(Signal::TERM)?;
    ensure!(authority.wait(LIMIT)?.status.success(), "it ended well");
    stage.office.begin()?;
    stage.conserved(&id)
}

/// Copies a directory of files and directories.
pub fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    fs::set_permissions(to, fs::metadata(from)?.permissions())?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let to = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &to)?;
        } else {
            fs::copy(entry.path(), to)?;
        }
    }
    Ok(())
}

/// Two nodes run from one state directory, as after a machine was copied.
//= L10
#[test]
fn two_nodes_of_one_identity_are_shown_and_both_go_on() -> Result<()> {
    let stage = Stage::open(PLENTY)?;
    let mut first = stage.registered("report_usage_s = 1", 12)?;
    settled(&first)?;
    let id = instance(&first)?;
    let site = Site::new()?;
    let configuration = stage.configuration(&site, "report_usage_s = 1")?;
    first.while_down(|state_dir| copy(state_dir, &configuration.state_dir))?;
    let mut second = site.open(&configuration)?;
    let watches = [Watch::begin(&first)?, Watch::begin(&second)?];
    assert_eq!(instance(&second)?, id);
    for round in 1..=3 {
        grow(&mut second, (round - 1) * PER_LICENSE..round * PER_LICENSE)?;
        settled(&second)?;
        grow(&mut first, (round - 1) * PER_LICENSE..round * PER_LICENSE)?;
        settled(&first)?;
    }
    let both = [&first, &second];
    until("both are told", LIMIT, || {
        for gateway in both {
            let control = gateway.node()?.control();
            control.license(LicenseCommand::RenewAuth)?;
        }
        Ok(status(&first)?.forked && status(&second)?.forked)
    })?;
    for gateway in both {
        let log = gateway.node()?.process().log();
        let said = "the license authority sees two nodes of this identity";
        assert!(log.contains(said), "{log}");
    }
    assert_eq!(stage.device(&id)?["reportsForked"], true);
    let alerts = stage.office.account("GET", "/alerts", None)?;
    let alerts = alerts["alerts"].as_array().context("a list")?;
    let forked = alerts
        .iter()
        .find(|alert| alert["messageType"] == "REPORTS_FORKED");
    let forked = forked.with_context(|| format!("{alerts:?}"))?;
    assert_eq!(forked["severity"], "Major");
    let message = forked["message"].as_str().context("a message")?;
    assert!(
        message.contains("two nodes have this identity, or the state of one was restored"),
        "{message}"
    );
    watches.into_iter().try_for_each(Watch::end)?;
    for gateway in both {
        settled(gateway)?;
        gateway.node()?.process().signal(Signal::STOP)?;
    }
    until("the authority has what was said", LIMIT, || {
        let said = &stage.courier.seen().reports[&id];
        let once = without_numbers(said)?;
        ensure!(once.len() < said.len(), "some were numbered anew");
        Ok(stage.has(&id)? == sums(&once)?)
    })
}

/// Where the whole disk of a node is put back, nothing on it knows better; its authority does, and says so.
//= L3
//= L10
#[test]
fn a_node_put_back_to_yesterday_is_told_by_its_authority() -> Result<()> {
    let stage = Stage::open(PLENTY)?;
    let mut gateway = stage.registered("report_usage_s = 1", 12)?;
    reported(&gateway)?;
    let id = instance(&gateway)?;
    let yesterday = stage.dir.path().join("yesterday");
    gateway.while_down(|state_dir| copy(state_dir, &yesterday))?;
    grow(&mut gateway, 0..25)?;
    reported(&gateway)?;
    let log = gateway.node()?.process().log();
    assert!(!TAMPERED.iter().any(|said| log.contains(said)), "{log}");
    let had = stage.has(&id)?;
    gateway.while_down(|state_dir| {
        fs::remove_dir_all(state_dir)?;
        copy(&yesterday, state_dir)
    })?;
    let watch = Watch::begin(&gateway)?;
    grow(&mut gateway, 0..25)?;
    reported(&gateway)?;
    // The alarm is over with the next answer of an authority that has heard the node since.
    until("the node is told", LIMIT, || {
        let log = gateway.node()?.process().log();
        Ok(TAMPERED.iter().all(|said| log.contains(said)))
    })?;
    watch.end()?;
    assert_eq!(instance(&gateway)?, id, "it is who it was");
    deregister(&gateway)?;
    let has = stage.has(&id)?;
    for (tag, (_, before)) in had {
        assert!(has[&tag].1 > before, "what was reported is not taken back");
    }
    assert_eq!(
        has,
        sums(&without_numbers(&stage.courier.seen().reports[&id])?)?
    );
    Ok(())
}

/// What a log has when the authority knows more of a node than that does.
const TAMPERED: [&str; 2] = [
    "the license authority sees two nodes of this identity, or that this one's state was restored",
    "state of licensing is older than it should be, or altered event={\"event\":\"alarm-raised\"",
];

/// Reports that are the same but for their place in the chain, once. One that lost its number to the other node's got another.
fn without_numbers(said: &[ReportText]) -> Result<Vec<ReportText>> {
    let mut once = BTreeMap::new();
    for text in said {
        let report = text.read()?;
        let content = format!("{:?} {:?} {:?}", report.start, report.end, report.entries);
        once.insert(content, text.clone());
    }
    Ok(once.into_values().collect())
}

/// Has the node report what it used until now.
fn reported(gateway: &Gateway) -> Result<()> {
    let control = gateway.node()?.control();
    control.license(LicenseCommand::RenewAuth)?;
    settled(gateway)?;
    ensure!(status(gateway)?.last_report > 0, "it has reported");
    Ok(())
}

/// The books in a backup, where they are not in the folder of the authority.
const DUMP: &str = "dump.sql";

/// Puts the authority of a stage back to what it was when this was begun, and has it know less than its nodes.
struct Yesterday {
    old: Gateway,
    new: Gateway,
    ids: [InstanceId; 2],
    backup: PathBuf,
}

impl Yesterday {
    /// A node that grows to 25 sessions after the copy is made, and one that is registered after it and has 12.
    fn begin(stage: &mut Stage) -> Result<Self> {
        let mut old = stage.registered("report_usage_s = 1", 12)?;
        reported(&old)?;
        let backup = stage.dir.path().join("backup");
        stage.office.end();
        copy(stage.office.state_dir(), &backup)?;
        if let Some(url) = database::url_of(stage.office.state_dir()) {
            dump::write(&url, &backup.join(DUMP));
        }
        stage.office.begin()?;
        grow(&mut old, 12..25)?;
        let new = stage.registered("report_usage_s = 1", 12)?;
        reported(&old)?;
        reported(&new)?;
        Ok(Self {
            ids: [instance(&old)?, instance(&new)?],
            old,
            new,
            backup,
        })
    }

    fn nodes(&self) -> [(&Gateway, &InstanceId); 2] {
        [(&self.old, &self.ids[0]), (&self.new, &self.ids[1])]
    }

    /// Both nodes are heard once, in this order: they are who they were.
    fn put_back(&self, stage: &mut Stage) -> Result<()> {
        let [old, new] = &self.ids;
        let before = stage.has(old)?;
        stage.office.end();
        fs::remove_dir_all(stage.office.state_dir())?;
        copy(&self.backup, stage.office.state_dir())?;
        if let Some(url) = database::url_of(stage.office.state_dir()) {
            dump::read(&url, &self.backup.join(DUMP));
        }
        stage.office.begin()?;
        assert_ne!(stage.has(old)?, before, "it has forgotten");
        assert!(!stage.has(old)?.is_empty(), "not all of it");
        assert!(stage.has(new)?.is_empty(), "it has forgotten");
        for (gateway, id) in self.nodes() {
            // The new one is not known at first, and is taken in again by its certificate.
            let control = gateway.node()?.control();
            let _told = control.license(LicenseCommand::RenewAuth);
            settled(gateway)?;
            assert_eq!(instance(gateway)?, *id);
        }
        Ok(())
    }

    /// What the ceilings of both allow.
    fn held(&self) -> Result<u32> {
        let ceilings = [ceiling(&self.old)?, ceiling(&self.new)?];
        Ok(ceilings.into_iter().flatten().sum())
    }

    /// Both end, and the authority has all that they said.
    fn end(&self, stage: &Stage) -> Result<()> {
        for (gateway, id) in self.nodes() {
            deregister(gateway)?;
            stage.conserved(id)?;
        }
        Ok(())
    }
}

/// Nobody loses anything, what the authority has lost it gets again, and what is held is out.
//= L6
//= L10
#[test]
fn an_authority_put_back_to_yesterday_has_everything_again() -> Result<()> {
    let mut stage = Stage::open(PLENTY)?;
    let mut yesterday = Yesterday::begin(&mut stage)?;
    let watches = [Watch::begin(&yesterday.old)?, Watch::begin(&yesterday.new)?];
    yesterday.put_back(&mut stage)?;
    grow(&mut yesterday.new, 12..15)?;
    settled(&yesterday.new)?;
    assert_eq!(pool(&stage, "inUse")?, 5);
    let held = u64::from(yesterday.held()? / PER_LICENSE);
    assert!(
        (held..=PLENTY.into()).contains(&pool(&stage, "granted")?),
        "{held}"
    );
    watches.into_iter().try_for_each(Watch::end)?;
    yesterday.end(&stage)
}
