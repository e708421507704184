//! An authority, a courier and nodes, and what must hold of them whatever happens.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail, ensure};
use api::smart::{InstanceId, ReportText};
use api::{AgentStatus, LicenseCommand, Request};
use licensing::snapshot::State;
use licensing::{Compliance, Mode};
use tests::control::Control;
use tests::courier::{Answering, Courier, Passage};
use tests::gateway::{Gateway, Site};
use tests::node::{Configuration, Node};
use tests::office::{Office, roots_file};
use tests::sgsn::Call;
use tests::wait::until;

/// What is waited for takes far less; the machine may be busy.
pub const LIMIT: Duration = Duration::from_secs(60);
/// Sessions that one license covers here.
pub const PER_LICENSE: u32 = 10;
/// Licenses of which nobody asks so many ahead of need that others would get less.
pub const PLENTY: u32 = 1_000;
/// From one look of a [`Watch`] to the next.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// An authority, and a courier before it.
pub struct Stage {
    pub dir: tempfile::TempDir,
    pub office: Office,
    pub courier: Courier,
}

impl Stage {
    /// With a lab authority that owns so many licenses of GGSN.
    pub fn open(owned: u32) -> Result<Self> {
        let dir = tempfile::tempdir()?;
        let office = Office::open(dir.path(), Some(1))?;
        office.own("GGSN", owned)?;
        let courier = Courier::start(office.address(), office.root())?;
        Ok(Self {
            dir,
            office,
            courier,
        })
    }

    /// A lab node with small licenses behind the courier, with more keys in its section `[agent]`.
    pub fn gateway(&self, more: &str) -> Result<Gateway> {
        let site = Site::new()?;
        let configuration = self.configuration(&site, more)?;
        let gateway = site.open(&configuration)?;
        self.courier.speak_for(&configuration.state_dir);
        enable(gateway.node()?)?;
        Ok(gateway)
    }

    pub fn configuration(&self, site: &Site, more: &str) -> Result<Configuration> {
        let roots = [self.office.root(), self.courier.root()];
        let section = format!(
            "[agent]\nauthority = \"{}\"\ntrust_pool = \"{}\"\n{more}",
            self.courier.url(),
            roots_file(site.dir(), &roots)?.display()
        );
        let configuration = site.configuration().with(&section);
        configuration.with_sessions_per_license(PER_LICENSE)
    }

    /// The same, registered, with so many sessions and the licenses that it takes.
    pub fn registered(&self, more: &str, sessions: u32) -> Result<Gateway> {
        let mut gateway = self.gateway(more)?;
        register(gateway.node()?, &self.office.token(1)?.1)?;
        grow(&mut gateway, 0..sessions)?;
        Ok(gateway)
    }

    /// What the node has said, all of it once, is what the authority has of it, and the node has no more to say.
    pub fn conserved(&self, instance: &InstanceId) -> Result<()> {
        let said = self.courier.seen().reports;
        let said = said.get(instance).context("it reported nothing")?;
        let numbers = said.iter().map(|text| Ok(text.read()?.report_id));
        let numbers: Vec<u64> = numbers.collect::<Result<_>>()?;
        let last = u64::try_from(numbers.len())?;
        assert_eq!(numbers, (1..=last).collect::<Vec<_>>(), "one after another");
        assert_eq!(self.has(instance)?, sums(said)?, "what was reported");
        let alerts = self.alerts()?;
        assert!(!alerts.contains("REPORTS_"), "{alerts}");
        Ok(())
    }

    /// What was ever alerted.
    pub fn alerts(&self) -> Result<String> {
        let alerts = self.office.account("GET", "/alerts?cleared=true", None)?;
        Ok(alerts.to_string())
    }

    /// Reports and license-milliseconds of each tag that the authority has of an instance.
    pub fn has(&self, instance: &InstanceId) -> Result<BTreeMap<String, (u64, u64)>> {
        let rows = self
            .office
            .account("GET", "/reports/usage?format=json", None)?;
        let rows = rows["rows"].as_array().context("rows")?.iter();
        let rows = rows.filter(|row| row["productInstanceIdentifier"] == instance.as_str());
        rows.map(|row| {
            let tag = row["tag"].as_str().context("a tag")?.to_owned();
            let hours = row["licenseHours"].as_f64().context("hours")?;
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "whole milliseconds, far below 2^53"
            )]
            let ms = (hours * 3_600_000.0).round() as u64;
            Ok((tag, (row["reports"].as_u64().context("reports")?, ms)))
        })
        .collect()
    }

    pub fn device(&self, instance: &InstanceId) -> Result<serde_json::Value> {
        let devices = self.office.account("GET", "/devices", None)?;
        let devices = devices["devices"].as_array().context("a list")?;
        let is =
            |device: &&serde_json::Value| device["productInstanceIdentifier"] == instance.as_str();
        devices.iter().find(is).cloned().context("the instance")
    }
}

/// What the authority says of its pool of GGSN.
pub fn pool(stage: &Stage, what: &str) -> Result<u64> {
    let listed = stage.office.account("GET", "/licenses", None)?;
    let pools = listed["licenses"].as_array().context("a list")?;
    let ggsn = pools.iter().find(|pool| pool["license"] == "GGSN");
    ggsn.context("a pool of GGSN")?[what]
        .as_u64()
        .context("a number")
}

/// Reports and license-milliseconds of each tag in these.
pub fn sums(reports: &[ReportText]) -> Result<BTreeMap<String, (u64, u64)>> {
    let mut sums = BTreeMap::new();
    for text in reports {
        for entry in text.read()?.entries {
            let sum: &mut (u64, u64) = sums.entry(entry.tag.as_str().to_owned()).or_default();
            *sum = (sum.0 + 1, sum.1 + entry.license_ms);
        }
    }
    Ok(sums)
}

pub fn enable(node: &Node) -> Result<()> {
    let enable = Request::SmartLicensing { enable: true };
    ensure!(node.control().change(&enable)?);
    Ok(())
}

pub fn command(idtoken: &str, force: bool) -> LicenseCommand {
    let idtoken = idtoken.to_owned();
    LicenseCommand::Register { idtoken, force }
}

pub fn register(node: &Node, idtoken: &str) -> Result<()> {
    node.control().license(command(idtoken, false))
}

pub fn status(gateway: &Gateway) -> Result<AgentStatus> {
    Ok(gateway.node()?.control().agent()?.1.status)
}

/// The instance that a node is registered as.
pub fn instance(gateway: &Gateway) -> Result<InstanceId> {
    let registered = status(gateway)?.registered;
    Ok(registered.context("it is registered")?.instance)
}

/// A call a subscriber, as the licenses for them come.
pub fn grow(gateway: &mut Gateway, subscribers: Range<u32>) -> Result<()> {
    for n in subscribers {
        // Room for the next call: it is asked for ahead of need.
        until("there is a license for another call", LIMIT, || {
            Ok(ceiling(gateway)?.is_none_or(|ceiling| ceiling > n))
        })?;
        gateway.accepted(&Call::new(n, "internet"))?;
    }
    until("the verdict is there", LIMIT, || {
        Ok(gateway.ggsn()?.tag.compliance == Some(Compliance::Authorized))
    })
}

pub fn ceiling(gateway: &Gateway) -> Result<Option<u32>> {
    Ok(gateway.ggsn()?.ceiling.map(|ceiling| ceiling.0))
}

/// Waits until the authority has every report, and no answer is missing.
pub fn settled(gateway: &Gateway) -> Result<()> {
    until("the authority has every report", LIMIT, || {
        let status = status(gateway)?;
        let queued: u64 = status.call_home.iter().map(|row| row.in_queue).sum();
        let answered = status.silence.is_none() && status.authorization.failure.is_none();
        Ok(answered && status.reports_waiting == 0 && queued == 0)
    })
}

/// Ends the registration, with which the last usage is reported.
pub fn deregister(gateway: &Gateway) -> Result<()> {
    let control = gateway.node()?.control();
    control.license(LicenseCommand::Deregister)
}

/// Looks at a node from its start to its end: it must not lose its registration, its ceiling or its policy. While the node
/// is down there is nothing to see.
pub struct Watch {
    ended: Arc<AtomicBool>,
    looking: Option<JoinHandle<Result<u32>>>,
}

impl Watch {
    /// The ceiling must not fall below what it is now.
    pub fn begin(gateway: &Gateway) -> Result<Self> {
        let floor = ceiling(gateway)?.context("a ceiling")?;
        let control = gateway.node()?.control().clone();
        let ended = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&ended);
        let looking = thread::spawn(move || watch(&control, floor, &stop));
        Ok(Self {
            ended,
            looking: Some(looking),
        })
    }

    /// What was seen was good.
    pub fn end(mut self) -> Result<()> {
        self.ended.store(true, Ordering::Relaxed);
        let looking = self.looking.take().context("it looks")?;
        let looks = looking
            .join()
            .map_err(|_| anyhow!("the watch panicked"))??;
        ensure!(looks > 0, "nothing was seen");
        Ok(())
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
    }
}

fn watch(control: &Control, floor: u32, ended: &AtomicBool) -> Result<u32> {
    let mut looks = 0;
    let mut last = false;
    while !last {
        // One look after the end, so that what was there then was seen.
        last = ended.load(Ordering::Relaxed);
        if let Ok(snapshot) = control.snapshot() {
            looks += 1;
            let named = snapshot.services.iter().find(|row| row.tag.name == "GGSN");
            let row = named.context("GGSN is a service of the catalog")?;
            let ceiling = row.ceiling.map_or(u32::MAX, |ceiling| ceiling.0);
            ensure!(snapshot.smart.mode == Mode::Registered, "not registered");
            ensure!(
                ceiling >= floor,
                "the ceiling fell from {floor} to {ceiling}"
            );
            ensure!(
                row.tag.state != State::Block,
                "it is blocked: {:?}",
                row.tag
            );
        }
        thread::park_timeout(LOOK_EVERY);
    }
    Ok(looks)
}

/// A message that waits with the courier.
pub struct Held {
    came: Receiver<()>,
    go: Sender<()>,
}

impl Held {
    /// The message has come.
    pub fn came(&self) -> Result<()> {
        self.came.recv_timeout(LIMIT).context("the message comes")
    }

    /// It goes on.
    pub fn release(self) {
        // Whoever held it has given up.
        let _gone = self.go.send(());
    }
}

/// Holds a message, and then goes on with it so.
pub fn held(
    then: impl FnOnce(&Passage) -> Result<Answering> + Send + 'static,
) -> (
    Held,
    impl FnOnce(&Passage) -> Result<Answering> + Send + 'static,
) {
    let (here, came) = channel();
    let (go, gone) = channel();
    let fate = move |passage: &Passage| {
        here.send(())?;
        gone.recv_timeout(LIMIT).context("it was let go")?;
        then(passage)
    };
    (Held { came, go }, fate)
}

/// As if there were no courier.
pub fn passed(passage: &Passage) -> Result<Answering> {
    passage.deliver().map(Answering::Whole)
}

/// Asks an agent for something from another thread.
pub fn asking(node: &Node, command: LicenseCommand) -> JoinHandle<Result<()>> {
    let control = node.control().clone();
    thread::spawn(move || control.license(command))
}

pub fn answered(asked: JoinHandle<Result<()>>) -> Result<()> {
    match asked.join() {
        Ok(result) => result,
        Err(_) => bail!("whoever asked panicked"),
    }
}
