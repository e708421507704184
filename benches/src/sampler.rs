//! What a node's other threads do for a sample of bulk statistics: the gate's counts, the snapshot, and every variable in
//! each of four files, of a node with 64 services and 64 features.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Result;
use bulkstats::Moment;
use bulkstats::config::{FileConfig, SchemaConfig};
use bulkstats::plan::FilePlan;
use bulkstats::table::Schema;
use bulkstats::view::{Agent, Apn, Causes, Messages, Plane, Process, View, Zone};
use enforcer::{Config, Enforcer, Gate, Input, Restored};
use licensing::snapshot::{CatalogOrigin, NodeIdentity, RefusedCounts};
use licensing::{Catalog, Mono, Now, Wall};

/// Services of the gate that is sampled, and as many features.
pub const TAGS: u8 = 64;
const FILES: u8 = 4;
/// Longest list of variables in one schema, in characters; a line has 1,021.
const LIST_MAX: usize = 900;

/// Takes samples.
pub struct Sampler {
    gate: Arc<Gate>,
    enforcer: Enforcer,
    plans: Vec<FilePlan>,
    plane: Plane,
    begun: Instant,
}

impl Sampler {
    /// Of a node with this gate, which has [`TAGS`] services.
    pub fn new(gate: Arc<Gate>) -> Result<Self> {
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

    /// One sample, with so many sessions; its bytes.
    pub fn sample(&mut self, sessions: u64) -> Result<usize> {
        let now = now(self.begun.elapsed().as_millis());
        self.enforcer.handle(Input::Counts(self.gate.sample()), now);
        while self.enforcer.poll_output().is_some() {}
        let view = View {
            uptime_s: 1,
            address: None,
            zone: Zone::default(),
            node: Arc::new(self.enforcer.snapshot(now)),
            process: Process::default(),
            plane: Plane {
                sessions,
                ..self.plane.clone()
            },
            agent: Agent::default(),
            bulkstats: Arc::default(),
        };
        let mut bytes = Vec::new();
        for plan in &self.plans {
            let moment = Moment::new(&view, now.wall, plan.kinds(), None);
            plan.write_sample(&moment, &view, &mut bytes);
        }
        Ok(black_box(&bytes).len())
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
