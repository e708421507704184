//! `bulkstats-admit-p999`: the 99.9th percentile of an admission and its release while another thread takes a sample of all
//! schemas, over the same without one: the gate's counts, the snapshot, and every variable in each of four files, of a node
//! with 64 services and 64 features.
//!
//! There is a sample in each window of a quarter of a second, which is four times as often as the figure says. What else runs
//! on the machine makes some windows slow, never fast: so the fastest window of each kind is compared, and those without a
//! sample among themselves, by halves.
#![forbid(unsafe_code)]

use std::hint::black_box;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use benches::figure::{Figure, Good};
use benches::sandwich::{NOISE_MAX, Sample};
use bulkstats::Moment;
use bulkstats::config::{FileConfig, SchemaConfig};
use bulkstats::plan::FilePlan;
use bulkstats::table::Schema;
use bulkstats::view::{Agent, Apn, Causes, Messages, Plane, Process, View, Zone};
use enforcer::{
    CallKind, Class, ClassId, Config, Enforcer, Gate, GateConfig, Input, Restored, WorkerGate,
};
use licensing::snapshot::{CatalogOrigin, NodeIdentity, RefusedCounts};
use licensing::{Catalog, FeatureSet, Mono, Now, ServiceIndex, Wall};

const TAGS: u8 = 64;
const FILES: u8 = 4;
/// Windows of each kind.
const ROUNDS: usize = 80;
const WINDOW: Duration = Duration::from_millis(250);
/// A window lasts until its sample is taken, on a machine that others load; then something is wrong.
const SAMPLE_MAX: Duration = Duration::from_secs(30);
/// Admissions between two looks at what the sampler says.
const BATCH: usize = 1_024;
/// Longest list of variables in one schema, in characters; a line has 1,021.
const LIST_MAX: usize = 900;

fn main() -> ExitCode {
    let value = measured().inspect_err(|error| println!("not measured: {error:#}"));
    Figure {
        id: "bulkstats-admit-p999",
        value: value.ok().flatten(),
        target: 1.1,
        good: Good::AtMost,
    }
    .finish()
}

fn measured() -> Result<Option<f64>> {
    let gate = Gate::new(GateConfig::new(TAGS, 2))?;
    let classes = (0..TAGS).map(|service| {
        let class = Class {
            service: ServiceIndex(service),
            features: FeatureSet::EMPTY,
            kind: CallKind::Ordinary,
        };
        gate.intern(class)
    });
    let classes = classes.collect::<Result<Vec<ClassId>, _>>()?;
    let sampler = Sampler::new(Arc::clone(&gate))?;
    let (ask, asked) = channel();
    let (done, told) = channel();
    let thread = thread::spawn(move || sampler.run(&asked, &done));
    let mut worker = gate.worker()?;
    let (mut without, mut with) = (Vec::new(), Vec::new());
    window(&mut worker, &classes, None)?;
    for _ in 0..ROUNDS {
        without.push(window(&mut worker, &classes, None)?);
        ask.send(())?;
        with.push(window(&mut worker, &classes, Some(&told))?);
    }
    drop(ask);
    let bytes = thread.join().ok().context("the sampler failed")?;
    println!(
        "{} samples of {bytes} bytes, one in each of {ROUNDS} windows",
        ROUNDS
    );
    Ok(compared(&without, &with))
}

/// None: the windows without a sample disagree too much to say anything.
fn compared(without: &[f64], with: &[f64]) -> Option<f64> {
    let least = |times: &mut dyn Iterator<Item = &f64>| times.copied().fold(f64::MAX, f64::min);
    let even = least(&mut without.iter().step_by(2));
    let odd = least(&mut without.iter().skip(1).step_by(2));
    let noise = (even - odd).abs() / even.min(odd);
    let (fast, slow) = (even.min(odd), least(&mut with.iter()));
    println!(
        "p99.9 of an admission and its release, clock included: without a sample {fast:.0} ns (median of the windows {:.0}), with one {slow:.0} ns ({:.0}); halves without differ by {:.1} %",
        median(without),
        median(with),
        noise * 100.0
    );
    (noise <= NOISE_MAX).then(|| slow / fast)
}

fn median(times: &[f64]) -> f64 {
    Sample::new(times.to_vec()).median()
}

/// The 99.9th percentile of one window, in nanoseconds. It lasts until a sample is taken, if one is asked for.
fn window(
    worker: &mut WorkerGate,
    classes: &[ClassId],
    sample: Option<&Receiver<()>>,
) -> Result<f64> {
    let begun = Instant::now();
    let mut times = Times::default();
    let mut taken = sample.is_none();
    while !taken || begun.elapsed() < WINDOW {
        for class in classes.iter().cycle().take(BATCH) {
            let before = Instant::now();
            let permit = worker.admit(black_box(*class));
            let permit = permit.ok().context("there is no ceiling")?;
            worker.release(permit);
            times.count(before.elapsed());
        }
        if let Some(sample) = sample.filter(|_| !taken) {
            taken = sample.try_recv().is_ok();
            ensure!(begun.elapsed() < SAMPLE_MAX, "no sample was taken");
        }
    }
    Ok(times.quantile(0.999))
}

/// How long how many took: by nanosecond up to [`Self::FINE`], the rest together.
struct Times(Box<[u32; Self::FINE + 1]>);

impl Default for Times {
    fn default() -> Self {
        Self(Box::new([0; Self::FINE + 1]))
    }
}

impl Times {
    /// 32 KiB, of which few are touched: it is to leave the caches to the gate.
    const FINE: usize = 8_192;

    fn count(&mut self, took: Duration) {
        let ns = usize::try_from(took.as_nanos()).unwrap_or(usize::MAX);
        self.0[ns.min(Self::FINE)] += 1;
    }

    /// So many parts took this at most.
    fn quantile(&self, part: f64) -> f64 {
        let all: u64 = self.0.iter().map(|n| u64::from(*n)).sum();
        let wanted = (all as f64 * part).ceil() as u64;
        let mut seen = 0;
        let found = self.0.iter().position(|n| {
            seen += u64::from(*n);
            seen >= wanted
        });
        found.unwrap_or(Self::FINE) as f64
    }
}

/// What a node's threads do for a sample.
struct Sampler {
    gate: Arc<Gate>,
    enforcer: Enforcer,
    plans: Vec<FilePlan>,
    plane: Plane,
    begun: Instant,
}

impl Sampler {
    fn new(gate: Arc<Gate>) -> Result<Self> {
        let node = NodeIdentity {
            name: "gw1".into(),
            pid: "TOLLGATE".into(),
            serial: "1".into(),
            product: "P".into(),
            product_tag: Catalog::staros().products()[0].tag.clone(),
            version: "1".into(),
            catalog: CatalogOrigin::default(),
        };
        let catalog = Arc::new(Catalog::parse(&catalog())?);
        let mut enforcer = Enforcer::new(Config::new(node, catalog), Restored::default(), now(0));
        enforcer.handle(Input::SmartLicensing { enable: true }, now(0));
        while enforcer.poll_output().is_some() {}
        let schemas = schemas();
        let plans = (1..=FILES).map(|number| {
            let mut file = FileConfig::new(number, "stats");
            file.schemas.clone_from(&schemas);
            FilePlan::new(file)
        });
        Ok(Self {
            gate,
            enforcer,
            plans: plans.collect::<Result<_, _>>()?,
            plane: plane(),
            begun: Instant::now(),
        })
    }

    /// A sample each time that one is asked for; the bytes of the last.
    fn run(mut self, asked: &Receiver<()>, done: &Sender<()>) -> usize {
        let mut bytes = 0;
        loop {
            match asked.recv_timeout(SAMPLE_MAX) {
                Ok(()) => bytes = self.sample(),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return bytes,
            }
            if done.send(()).is_err() {
                return bytes;
            }
        }
    }

    fn sample(&mut self) -> usize {
        let now = now(self.begun.elapsed().as_millis());
        self.enforcer.handle(Input::Counts(self.gate.sample()), now);
        while self.enforcer.poll_output().is_some() {}
        let view = View {
            uptime_s: 1,
            address: None,
            zone: Zone::default(),
            node: Arc::new(self.enforcer.snapshot(now)),
            process: Process::default(),
            plane: self.plane.clone(),
            agent: Agent::default(),
        };
        let mut bytes = Vec::new();
        for plan in &self.plans {
            let moment = Moment::new(&view, now.wall, plan.kinds(), None);
            plan.write_sample(&moment, &view, &mut bytes);
        }
        black_box(&bytes).len()
    }
}

fn now(ms: u128) -> Now {
    let ms = u64::try_from(ms).unwrap_or(u64::MAX);
    Now {
        mono: Mono(ms.saturating_mul(1_000_000)),
        wall: Wall(1_795_300_000_000_i64.saturating_add_unsigned(ms)),
        ..Now::default()
    }
}

fn catalog() -> String {
    let entry = |kind: &str, n: u8, last: &str| {
        let tag = format!(
            "regid.2026-01.example.tollgate.{kind}{n},1.0_0a0a0a0a-0000-4000-8000-0000000000{n:02}"
        );
        format!(
            "[[{kind}]]\ntag_id = {n}\nname = \"{kind}{n}\"\ntag = \"{tag}\"\ndescription = \"one of them\"\n{last}\n"
        )
    };
    let product = "[[product]]\nname = \"P\"\ntag = \"regid.2026-01.example.tollgate.P,1.0_0a0a0a0a-0000-4000-8000-0000000000ff\"\ndescription = \"\"\n";
    let services = (0..TAGS).map(|n| entry("service", n, "sessions_per_license = 10"));
    let features = (0..TAGS).map(|n| entry("feature", n, "services = [\"service0\"]"));
    let all = services.chain(features);
    std::iter::once(product.to_owned()).chain(all).collect()
}

/// A node that has seen most messages and causes.
fn plane() -> Plane {
    let apns = (0..16).map(|n| Apn {
        name: format!("apn{n}.example"),
        service: "service0".into(),
        sessions: 1_000,
        refused: RefusedCounts::default(),
    });
    let messages = (0..40).map(|kind| Messages {
        version: 2,
        kind,
        name: Some("create_session_request"),
        received: 1_000_000,
        sent: 1_000_000,
    });
    let causes = (0..60).map(|cause| Causes {
        version: 2,
        request: 32,
        name: Some("create_session_request"),
        cause,
        answered: 1_000_000,
        heard: 1_000_000,
    });
    Plane {
        apns: apns.collect(),
        messages: messages.collect(),
        causes: causes.collect(),
        ..Plane::default()
    }
}

/// Every variable of every schema, in as few lines as there must be.
fn schemas() -> Vec<SchemaConfig> {
    let mut all = Vec::new();
    let mut add = |schema, list: &mut String| {
        let n = all.len();
        all.push(SchemaConfig {
            schema,
            name: format!("s{n}"),
            format: format!("PPM,s{n}{}", std::mem::take(list)),
        });
    };
    for schema in Schema::ALL {
        let mut list = String::new();
        for about in schema.variables() {
            if list.len() + about.name.len() > LIST_MAX {
                add(schema, &mut list);
            }
            list.push_str(&format!(",%{}%", about.name));
        }
        add(schema, &mut list);
    }
    all
}
