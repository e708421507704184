//! The machines as a start makes them.

use super::*;

pub(super) fn run(seed: u64, life: u64, speedup: Option<u32>, now: Now) -> Result<Run> {
    let mut run = Run::new(StdRng::seed_from_u64(seed ^ life << 32), WORKERS)?;
    run.planes.speedup = speedup.unwrap_or(1);
    run.planes.restart_at(now)?;
    Ok(run)
}

pub(super) fn enforcer(
    catalog: &Arc<Catalog>,
    speedup: Option<u32>,
    disk: &Disk,
    now: Now,
) -> Result<Enforcer> {
    let product = catalog.product("VPC_SI").context("a product")?;
    let node = NodeIdentity {
        name: "gw1".into(),
        pid: "VPC-SI".into(),
        serial: "SIM".into(),
        product: product.name.clone(),
        product_tag: product.tag.clone(),
        version: "0".into(),
        catalog: CatalogOrigin::File,
    };
    let config = enforcer::verdicts::Config {
        lab: lab(speedup),
        workers: WORKERS,
        ..enforcer::verdicts::Config::new(node, Arc::clone(catalog))
    };
    let restored = disk.found().restored(Vec::new());
    Ok(Enforcer::new(config, restored, now))
}

pub(super) fn agent(
    catalog: &Arc<Catalog>,
    speedup: Option<u32>,
    disk: &Disk,
    snapshot: &Snapshot,
    seed: u64,
    start: u8,
    now: Now,
) -> Result<Agent> {
    let product = catalog.product("VPC_SI").context("a product")?.tag.clone();
    let sudi = Sudi {
        udi_pid: "VPC-SI".into(),
        udi_serial_number: "SIM".into(),
    };
    let config = smart_agent::Config {
        lab: speedup.is_some(),
        speedup: speedup.unwrap_or(1),
        timers: Timers {
            report: REPORT,
            ..Timers::default()
        },
        ..smart_agent::Config::new(sudi, product, Arc::clone(catalog))
    };
    let mut random = [0; 32];
    StdRng::seed_from_u64(seed ^ u64::from(start) << 48).fill(&mut random);
    let start = Start {
        identity: Identity::new(Seed::new([7; 32]), &config.sudi)?,
        orders: AtStart::default(),
        restored: disk.agent.clone(),
        enabled: snapshot.smart.enabled,
        registered: snapshot.smart.mode == Mode::Registered,
        random,
    };
    Ok(Agent::new(config, start, now))
}

pub(super) fn seen(snapshot: &Snapshot, now: Now) -> Seen {
    Seen {
        enabled: snapshot.smart.enabled,
        usage: Vec::new(),
        at: now.mono,
    }
}

pub(super) fn manager_address() -> std::net::SocketAddr {
    ([192, 0, 2, 162], 162).into()
}

pub(super) fn deliver(disk: &Disk, snapshot: &Snapshot, now: Now) -> Result<Delivery> {
    let target = Target {
        inform: Some(Inform {
            timeout: Duration::from_secs(2),
            retries: 2,
        }),
        ..Target::new("nms", manager_address())
    };
    let config = delivery::Config {
        targets: vec![target],
        suppressed: std::collections::BTreeSet::new(),
        enterprise: Oid::new(&DEFAULT_ENTERPRISE)?,
        started: now.mono,
    };
    Ok(Delivery::new(config, disk.told(), snapshot, now)?)
}

pub(super) fn bulkstats_config() -> Result<bulkstats::config::Config> {
    let mut file = FileConfig::new(1, "/drop/%host%_%date%_%time%.csv");
    file.primary = Some(Receiver {
        address: "192.0.2.10".into(),
        mechanism: Mechanism::Sftp,
        login: Some("csv".into()),
    });
    let line = "tollgate-license schema t format T,%kind%,%name%,%sessions%";
    file.schemas.push(SchemaConfig::parse(line)?);
    Ok(bulkstats::config::Config {
        collection: true,
        files: vec![file],
        sample_interval_min: 1,
        transfer_interval_min: 2,
        ..bulkstats::config::Config::default()
    })
}

/// The embedded catalog, with so few sessions a license that some dozen subscribers meet a ceiling.
pub(super) fn catalog() -> Result<Catalog> {
    let text = Catalog::staros_text();
    let few = text.replace("sessions_per_license = 10_000", "sessions_per_license = 5");
    ensure!(few != text, "the catalog has other numbers");
    Ok(Catalog::parse(&few)?)
}

pub(super) fn lab(speedup: Option<u32>) -> Option<Lab> {
    speedup.map(|speedup| Lab {
        speedup,
        unsigned_catalog: true,
    })
}
