//! Bulk statistics of a real node on their way to OpenSSH, by all that goes wrong: the receiver refuses, is slow, ends
//! connections in their middle and has a full disk, the node is killed, and its clock is a day ahead for a while.
#![forbid(unsafe_code)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, Result, bail, ensure};
use api::{BulkstatsCommand, BulkstatsStatus, Reply, Request};
use bulkstats::config::SchemaConfig;
use bulkstats::read::{ReadValue, Reader};
use bulkstats::spool::{Place, Stored};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use rustix::process::Signal;
use tempfile::TempDir;
use tests::gateway::Site;
use tests::node::{Configuration, Node};
use tests::receivers::{Flow, PASSWORD, Sshd, USER, Valve};
use tests::wait::until;

const FIGURE: &str = "bulkstats-lost";
/// For a busy machine.
const LIMIT: Duration = Duration::from_secs(120);
const DAY_MIN: i64 = 1_440;
/// One row a sample.
const SYSTEM: &str = "system schema s format \"s,%epochtime%,%uptime%\"";
/// Many rows a sample, which fill a small disk soon.
const WIDE: &str = "tollgate-license schema t format \"t,%epochtime%,%kind%,%tagid%,";
const WIDTH: usize = 900;

/// What is done to one interval.
#[derive(Clone, Copy, Debug)]
enum Fault {
    /// It is as it should be; then this is where transfers go.
    Through(Flow),
    /// The node is killed when it is about to take the sample, and starts again within the interval.
    KilledBefore,
    /// The node is killed in the middle of a transfer, likewise.
    KilledSending,
    /// The clock is a day ahead for two intervals.
    DayAhead,
}

/// One round of faults; between two all is delivered.
const ROUND: [Fault; 9] = [
    Fault::Through(Flow::Open),
    Fault::Through(Flow::Refused),
    Fault::KilledBefore,
    Fault::Through(Flow::Cut(700)),
    Fault::Through(Flow::Slow),
    Fault::KilledSending,
    Fault::DayAhead,
    Fault::Through(Flow::Cut(6_000)),
    Fault::Through(Flow::Open),
];

struct Stage {
    node: Option<Node>,
    configuration: Configuration,
    sshd: Sshd,
    valve: Valve,
    /// Says how many seconds the node's clock is ahead of the machine's.
    clock: PathBuf,
    ahead_s: f64,
    /// The minute since 1970 that was last shown to the node.
    minute: i64,
    /// Minutes that it was shown, of which each has one sample.
    shown: BTreeSet<i64>,
    /// Intervals without a sample that were to be told.
    jumped: u64,
    /// What the node has told until it was killed.
    told: Told,
    /// What came to the full disk and was taken away from it.
    taken: BTreeMap<String, Vec<u8>>,
    random: StdRng,
    _site: Site,
    dir: TempDir,
}

/// What the node told of intervals.
#[derive(Clone, Copy, Debug, Default)]
struct Told {
    skipped: u64,
    repeated: u64,
}

impl Told {
    fn add(&mut self, lines: &[String]) {
        for line in lines {
            assert!(!line.contains("dropped for want of room"), "{line}");
            assert!(!line.contains("was not written and is lost"), "{line}");
            if line.contains("intervals have no sample") {
                let number = line.split("intervals=").nth(1).unwrap_or_default();
                let digits = number.split(|c: char| !c.is_ascii_digit()).next();
                self.skipped += digits.and_then(|n| n.parse::<u64>().ok()).unwrap_or(0);
            }
            self.repeated += u64::from(line.contains("the sample of an interval that had one"));
        }
    }
}

impl Stage {
    fn set() -> Result<Self> {
        let dir = tempfile::tempdir()?;
        let sshd = Sshd::start(dir.path())?;
        let valve = Valve::start(sshd.port)?;
        let password = dir.path().join("password");
        fs::write(&password, PASSWORD)?;
        fs::set_permissions(&password, Permissions::from_mode(0o600))?;
        let receiver = format!(
            "[bulkstats.file.primary]\naddress = \"127.0.0.1\"\nport = {}\nmechanism = \"sftp\"\nlogin = \"{USER}\"\npassword_file = \"{}\"\nhost_key = \"{}\"\n",
            valve.port,
            password.display(),
            sshd.fingerprint("ed25519")?
        );
        let wide = format!("{WIDE}{}\"", "x".repeat(WIDTH));
        let section = format!(
            "[bulkstats]\ncollection = true\nsample_interval_min = 1\ntransfer_interval_min = 2\n\
             [[bulkstats.file]]\nnumber = 1\nremotefile = \"%date%_%time%.csv\"\nheader = \"H,%epochtime%\"\nfooter = \"F\"\nschemas = ['{SYSTEM}']\n{receiver}\
             [[bulkstats.file]]\nnumber = 2\nremotefile = \"full/%date%_%time%.csv\"\nheader = \"H,%epochtime%\"\nfooter = \"F\"\nschemas = ['{wide}']\n{receiver}"
        );
        let site = Site::new()?;
        let mut configuration = site.configuration().with(&section);
        let clock = dir.path().join("clock");
        configuration.clock = Some(clock.clone());
        let mut stage = Self {
            node: None,
            configuration,
            sshd,
            valve,
            clock,
            ahead_s: 0.0,
            minute: 0,
            shown: BTreeSet::new(),
            jumped: 0,
            told: Told::default(),
            taken: BTreeMap::new(),
            random: StdRng::seed_from_u64(6),
            _site: site,
            dir,
        };
        // It may have to be built, while time passes.
        tests::tollgate::binary()?;
        stage.minute = minute_of(real_s()?);
        stage.next()?;
        stage.start()?;
        // A node that never had a sample begins with the interval after the one that it first looks at.
        stage.ask(BulkstatsCommand::ForceGather)?;
        stage.sampled()?;
        Ok(stage)
    }

    /// The node's wall clock, in seconds.
    fn wall_s(&self) -> Result<f64> {
        Ok(real_s()? + self.ahead_s)
    }

    fn set_clock(&mut self, ahead_s: f64) -> Result<()> {
        self.ahead_s = ahead_s;
        let whole = self.clock.with_extension("new");
        fs::write(&whole, format!("{ahead_s:+.3}"))?;
        // By rename, so that nobody reads half of it.
        Ok(fs::rename(whole, &self.clock)?)
    }

    fn node(&self) -> Result<&Node> {
        self.node.as_ref().context("the node runs")
    }

    fn start(&mut self) -> Result<()> {
        self.node = Some(Node::start(&self.configuration)?);
        Ok(())
    }

    fn kill(&mut self) -> Result<()> {
        let node = self.node.take().context("the node runs")?;
        node.process().signal(Signal::KILL)?;
        node.process().read_to_the_end(LIMIT);
        self.told.add(&node.process().lines());
        Ok(())
    }

    fn status(&self) -> Result<BulkstatsStatus> {
        let reply = self.node()?.control().ask(&Request::Bulkstats)?;
        let Reply::Bulkstats { bulkstats } = reply else {
            bail!("bulk statistics were asked for, another reply came");
        };
        Ok(*bulkstats)
    }

    /// Completes files and begins their transfer.
    fn force(&self) -> Result<()> {
        self.ask(BulkstatsCommand::ForceTransfer)
    }

    fn ask(&self, command: BulkstatsCommand) -> Result<()> {
        let request = Request::BulkstatsDo { command };
        self.node()?.control().ask(&request).map(drop)
    }

    /// The next minute comes: its third second, so that some of it is left. A clock that is there by itself, while the
    /// machine stalled, is not put back.
    fn next(&mut self) -> Result<()> {
        self.minute = self.minute.max(minute_of(self.wall_s()?)) + 1;
        self.shown.insert(self.minute);
        let begin = (self.minute * 60 + 2) as f64;
        self.set_clock(begin - real_s()?)
    }

    /// Waits until both files have a sample of this minute, or of one that a stall of the machine made of it.
    fn sampled(&self) -> Result<()> {
        let spool = self.configuration.state_dir.join("bulkstats");
        let now = self.minute..self.minute + 60;
        let has = |file: u8| -> Result<bool> {
            for place in Place::ALL {
                for entry in fs::read_dir(spool.join(place.directory()))? {
                    let name = entry?.file_name();
                    let stored = Stored::parse(place, &name.to_string_lossy());
                    let of_now =
                        |stored: &Stored| stored.file == file && now.contains(&stored.minute);
                    if stored.as_ref().is_some_and(of_now) {
                        return Ok(true);
                    }
                }
            }
            Ok(false)
        };
        let what = format!("a sample of minute {}", self.minute);
        let both = until(&what, LIMIT, || Ok(has(1)? && has(2)?));
        both.with_context(|| self.log())
    }

    fn log(&self) -> String {
        self.node()
            .map_or_else(|_| String::new(), |node| node.process().log())
    }

    fn suffer(&mut self, fault: Fault) -> Result<()> {
        match fault {
            Fault::Through(flow) => {
                let flow = match flow {
                    Flow::Cut(most) => Flow::Cut(self.random.random_range(1..most)),
                    Flow::Open | Flow::Refused | Flow::Slow => flow,
                };
                self.valve.set(flow);
                self.next()?;
                self.sampled()?;
                self.force()
            }
            Fault::KilledBefore => {
                self.next()?;
                self.kill()?;
                self.start()?;
                self.sampled()
            }
            Fault::KilledSending => {
                self.valve.set(Flow::Slow);
                self.next()?;
                self.sampled()?;
                self.force()?;
                self.kill()?;
                self.start()
            }
            Fault::DayAhead => {
                let before = (self.minute, self.ahead_s);
                self.minute += DAY_MIN;
                self.jumped += DAY_MIN as u64;
                for _ in 0..2 {
                    self.next()?;
                    self.sampled()?;
                }
                let said = self.put_back()?;
                self.minute = before.0;
                self.set_clock(before.1)?;
                // It lands in an interval that had a sample, and says so before the next begins.
                until("the clock is seen to be put back", LIMIT, || {
                    Ok(self.put_back()? > said)
                })
            }
        }
    }

    /// How often the node has said that its clock was put back.
    fn put_back(&self) -> Result<usize> {
        let lines = self.node()?.process().lines();
        let put_back = |line: &&String| line.contains("the clock was put back");
        Ok(lines.iter().filter(put_back).count())
    }

    /// A collector takes away what has come to the disk that is full.
    fn take_away(&mut self) -> Result<()> {
        for entry in fs::read_dir(self.sshd.full())? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if !name.ends_with(".csv") {
                continue;
            }
            let octets = fs::read(entry.path())?;
            fs::remove_file(entry.path())?;
            let before = self.taken.insert(name.clone(), octets.clone());
            ensure!(
                before.is_none_or(|before| before == octets),
                "{name} came twice, and differs"
            );
        }
        Ok(())
    }

    /// All that was collected arrives, once nothing is in its way.
    fn deliver(&mut self) -> Result<()> {
        self.valve.set(Flow::Open);
        let began = Instant::now();
        loop {
            self.take_away()?;
            let files = self.status()?.files;
            if files.iter().all(|file| file.awaiting_records == 0) {
                return self.take_away();
            }
            ensure!(
                began.elapsed() < LIMIT,
                "not delivered: {files:?}\n{}",
                self.log()
            );
            self.force()?;
        }
    }

    /// The minutes of the samples of the first row of each schema, as often as they came.
    fn received(&self, files: &BTreeMap<String, Vec<u8>>, schema: &str) -> Result<Vec<i64>> {
        let reader = Reader::new(&[SchemaConfig::parse(schema)?], "H,%epochtime%", "F")?;
        let mut minutes = Vec::new();
        for (name, octets) in files {
            let text = std::str::from_utf8(octets)?;
            let rows = reader.read(text).with_context(|| name.clone())?;
            let mut times = Vec::new();
            for row in rows
                .iter()
                .filter(|row| !["header", "footer"].contains(&row.name.as_str()))
            {
                let Some(ReadValue::Int(s)) = row.value("epochtime") else {
                    bail!("{name}: a row without a time");
                };
                let at = i64::try_from(*s)? / 60;
                // The rows of one sample follow each other.
                let key = row.value("tagid").map(ToString::to_string);
                let kind = row.value("kind").map(ToString::to_string);
                times.push((at, kind, key));
            }
            let first = times
                .first()
                .map(|(_, kind, key)| (kind.clone(), key.clone()));
            let of_first = times
                .into_iter()
                .filter(|(_, kind, key)| Some((kind.clone(), key.clone())) == first);
            minutes.extend(of_first.map(|(at, ..)| at));
        }
        Ok(minutes)
    }
}

fn minute_of(s: f64) -> i64 {
    (s / 60.0) as i64
}

fn real_s() -> Result<f64> {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
    Ok(since.as_secs_f64())
}

/// Rounds of faults: enough for a figure where it is measured, and for each fault where it is tested.
fn rounds() -> usize {
    match std::env::var_os("TOLLGATE_FIGURE") {
        Some(_) => 8,
        None => 1,
    }
}

#[test]
fn no_interval_is_missing_or_repeated_whatever_fails() -> Result<()> {
    let mut stage = Stage::set()?;
    for _ in 0..rounds() {
        for fault in ROUND {
            stage.suffer(fault).with_context(|| format!("{fault:?}"))?;
        }
        stage.deliver()?;
    }
    stage.kill()?;
    let mut home = BTreeMap::new();
    for entry in fs::read_dir(stage.sshd.home())? {
        let path = entry?.path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if name.ends_with(".csv") {
            home.insert(name, fs::read(path)?);
        }
    }
    let wide = format!("{WIDE}{}\"", "x".repeat(WIDTH));
    let told = stage.told;
    // Some of a day may pass by itself while the machine stalls.
    ensure!(
        told.skipped >= stage.jumped / 2,
        "a day was skipped silently: {told:?}"
    );
    // What a stall of this machine made the node miss, it told.
    let excused = told.skipped.saturating_sub(stage.jumped);
    let mut lost = 0;
    for (files, schema) in [(&home, SYSTEM), (&stage.taken, wide.as_str())] {
        let minutes = stage.received(files, schema)?;
        let once: BTreeSet<i64> = minutes.iter().copied().collect();
        let missing: Vec<&i64> = stage.shown.difference(&once).collect();
        let repeated = (minutes.len() - once.len()) as u64;
        println!(
            "{} files, {} samples, missing {missing:?}, repeated {repeated}, told {told:?} of {} jumped over",
            files.len(),
            minutes.len(),
            stage.jumped
        );
        lost += (missing.len() as u64).saturating_sub(excused);
        lost += repeated.saturating_sub(told.repeated);
    }
    println!("{FIGURE} {lost}");
    ensure!(
        lost == 0,
        "{lost} intervals are missing or repeated; in {}",
        stage.dir.path().display()
    );
    Ok(())
}
