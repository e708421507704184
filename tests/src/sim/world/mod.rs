//! The machines of one node and those around it, and what passes between them.

use std::collections::{BTreeMap, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use api::LicenseCommand;
use api::smart::Sudi;
use bulkstats::collector::{self, Collector};
use bulkstats::config::{FileConfig, Mechanism, Receiver, SchemaConfig};
use bulkstats::spool::{Found, Stored};
use bulkstats::view::{Agent as AgentView, Plane, Process, View, Zone};
use enforcer::verdicts::{Enforcer, Input, Output};
use licensing::record::{ClockRecord, OperatorRecord, Record};
use licensing::snapshot::{CatalogOrigin, Lab, NodeIdentity};
use licensing::{Catalog, Event, LicenseTime, Mode, Mono, Now, Snapshot, Wall};
use node::machines;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use smart_agent::{Agent, AtStart, Failure, Identity, Seed, Start, TagUse, Ticket, Timers, Told};
use snmp::Oid;
use snmp::delivery::{self, Delivery, Inform, Target};
use snmp::notifications::{DEFAULT_ENTERPRISE, News};
use tokio::runtime::Runtime;

use super::disk::{Disk, Mood};
use super::nms::Nms;
use super::outside::{Alarms, Clock};
use super::wire::{self, Packet, Wire};
use super::{Done, HEALED};
use crate::desk::{Desk, Of, usage_of};
use crate::leaks::model::SERVICES;
use crate::leaks::run::Run;

mod end;
mod make;
mod network;
mod told;
mod turns;

use make::{agent, bulkstats_config, catalog, deliver, enforcer, manager_address, run, seen};

/// License seconds a second: none is off the lab.
const SPEEDS: [Option<u32>; 4] = [None, Some(60), Some(3_600), Some(43_200)];
const WORKERS: u16 = 2;
/// Between two ticks of the control thread at most.
const TICK: Duration = Duration::from_millis(500);
/// After so long a message has no answer.
const ANSWER: Duration = Duration::from_secs(20);
/// Use is reported this often: a run has many reports, and faults meet them.
const REPORT: Duration = Duration::from_secs(10);
const RETRY: Duration = Duration::from_secs(1);
/// A registration that is asked for may last for as long as its retries.
const DEREGISTER_TRIES: u32 = 5;
/// Actions that are told of a run that fails.
const LAST_KEPT: usize = 12;
/// Samples that may wait for the disk.
const SAMPLES_KEPT: usize = 16;
const DAY_MS: i64 = 86_400_000;
/// Outputs of a machine after which it is said that it does not come to an end.
const OUTPUTS_MAX: u32 = 100_000;
/// Authorities to begin with, by speed.
#[derive(Default)]
pub(super) struct Templates {
    runtime: Option<Arc<Runtime>>,
    of: BTreeMap<Option<u32>, (Desk, String)>,
    wall: Option<Wall>,
}

impl Templates {
    fn runtime(&mut self) -> Result<Arc<Runtime>> {
        if let Some(runtime) = &self.runtime {
            return Ok(Arc::clone(runtime));
        }
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()?;
        Ok(Arc::clone(self.runtime.insert(Arc::new(runtime))))
    }

    /// A day that begins soon, so that each run has the same minutes.
    fn wall(&mut self) -> Result<Wall> {
        let since = std::time::UNIX_EPOCH.elapsed()?.as_millis();
        let today = i64::try_from(since)?.div_euclid(DAY_MS);
        Ok(*self.wall.get_or_insert(Wall((today + 1) * DAY_MS)))
    }

    /// An authority with two licenses of each service that is called here, and a token for registrations.
    fn desk(&mut self, speedup: Option<u32>) -> Result<(Desk, String)> {
        let (runtime, wall) = (self.runtime()?, self.wall()?);
        runtime.block_on(async {
            if let Some((desk, token)) = self.of.get(&speedup) {
                return Ok((desk.twin(wall).await?, token.clone()));
            }
            let catalog = Arc::new(catalog()?);
            let desk = Desk::new(Of { catalog, speedup }, wall).await?;
            desk.make_elsewhere().await?;
            for license in LICENSES {
                desk.own(license, 2).await?;
            }
            let token = desk.id_token().await?;
            let (desk, token) = self.of.entry(speedup).or_insert((desk, token));
            Ok((desk.twin(wall).await?, token.clone()))
        })
    }
}

/// By the places of [`SERVICES`].
pub(super) const LICENSES: [&str; 4] = ["GGSN", "PGW", "SAEGW", "SGW"];

#[derive(Default)]
struct Keeper {
    clock: Option<ClockRecord>,
    operator: Option<OperatorRecord>,
    failed: Mono,
    written: bool,
}

struct Seen {
    enabled: bool,
    usage: Vec<TagUse>,
    at: Mono,
}

pub(super) struct World {
    pub random: StdRng,
    pub speedup: Option<u32>,
    pub catalog: Arc<Catalog>,
    pub calls: Run,
    enforcer: Enforcer,
    current: Arc<Snapshot>,
    untold: Vec<News>,
    pub disk: Disk,
    keeper: Keeper,
    agent: Agent,
    seen: Seen,
    token: String,
    tickets: u64,
    answers: BTreeMap<Ticket, Result<(), String>>,
    /// Licenses times milliseconds in closed reports, each once.
    closed: BTreeMap<String, u64>,
    pub desk: Desk,
    pub authority_down: bool,
    /// The node's wall clock minus everybody else's.
    pub wall_off_ms: i64,
    pub runtime: Arc<Runtime>,
    pub wire: Wire,
    delivery: Delivery,
    pub nms: Nms,
    collector: Collector,
    spool: BTreeMap<Stored, Vec<u8>>,
    pub receiver_away: bool,
    /// Rows of services as samples have to have them, the newest last.
    sampled: VecDeque<Vec<String>>,
    outside: Clock,
    alarms: Alarms,
    starts: u8,
    life: u64,
    last: VecDeque<String>,
    pub done: Done,
    trace: DefaultHasher,
}

impl World {
    pub(super) fn new(seed: u64, templates: &mut Templates) -> Result<Self> {
        let mut random = StdRng::seed_from_u64(seed);
        let speedup = SPEEDS[random.random_range(0..SPEEDS.len())];
        let (desk, token) = templates.desk(speedup)?;
        let wall = templates.wall()?;
        let runtime = templates.runtime()?;
        let catalog = Arc::new(catalog()?);
        let now = Now {
            mono: Mono(1_000_000_000),
            wall,
            license: LicenseTime(0),
        };
        let mut disk = Disk::new(seed);
        // As an installation leaves it.
        disk.write(&Record::Operator(OperatorRecord::default()));
        let calls = run(seed, 0, speedup, now)?;
        let enforcer = enforcer(&catalog, speedup, &disk, now)?;
        let current = Arc::new(enforcer.snapshot(now));
        let agent = agent(&catalog, speedup, &disk, &current, seed, 0, now)?;
        let delivery = deliver(&disk, &current, now)?;
        let mut world = Self {
            random,
            speedup,
            catalog,
            calls,
            enforcer,
            seen: seen(&current, now),
            current,
            untold: Vec::new(),
            disk,
            keeper: Keeper {
                written: true,
                ..Keeper::default()
            },
            agent,
            token,
            tickets: 0,
            answers: BTreeMap::new(),
            closed: BTreeMap::new(),
            desk,
            authority_down: false,
            wall_off_ms: 0,
            runtime,
            wire: Wire::new(),
            delivery,
            nms: Nms::default(),
            collector: Collector::new(bulkstats_config()?, Vec::new())?,
            spool: BTreeMap::new(),
            receiver_away: false,
            sampled: VecDeque::new(),
            outside: Clock::new(speedup.unwrap_or(1)),
            alarms: Alarms::default(),
            starts: 0,
            life: 0,
            last: VecDeque::new(),
            done: Done::default(),
            trace: DefaultHasher::new(),
        };
        world.begin()?;
        Ok(world)
    }

    pub(super) fn now(&self) -> Now {
        self.calls.planes.now
    }

    /// What was done last, the newest last.
    pub(super) fn last_actions(&self) -> String {
        let last: Vec<&str> = self.last.iter().map(String::as_str).collect();
        last.join("; ")
    }

    /// Notes what is done, for whoever looks at a broken run.
    pub(super) fn note(&mut self, what: impl Into<String>) {
        if self.last.len() == LAST_KEPT {
            self.last.pop_front();
        }
        let now = self.now();
        let left = self.current.evaluation.remaining_s;
        let what = format!("{} ms: {} ({left} s left)", now.license.0, what.into());
        self.trace(&what);
        self.last.push_back(what);
    }

    pub(super) fn token(&self) -> String {
        self.token.clone()
    }

    pub(super) fn fault(&mut self, kind: &'static str) {
        *self.done.faults.entry(kind).or_default() += 1;
    }

    fn trace(&mut self, what: impl Hash) {
        what.hash(&mut self.trace);
    }

    /// What a start does before calls come.
    fn begin(&mut self) -> Result<()> {
        self.perform()?;
        let der = self.desk.authority.root().to_vec();
        self.agent
            .handle(smart_agent::Input::Root { der }, self.now());
        self.publish();
        self.tick()
    }

    /// The node ends, at once or as it is told to, and begins again.
    pub(super) fn restart(&mut self, orderly: bool) -> Result<()> {
        if orderly {
            self.tell(Input::Save)?;
        }
        let unkept = !self.keeper.written || self.keeper.clock.is_some() || self.disk.behind;
        self.disk.crash(&mut self.random);
        self.start_again(unkept)
    }

    /// The node begins again from what is on its disk.
    pub(super) fn start_again(&mut self, unkept: bool) -> Result<()> {
        self.starts = self.starts.wrapping_add(1);
        self.life += 1;
        let now = self.now();
        let seed = self.random.random();
        self.done.made += self.calls.done.made;
        self.done.refused += self.calls.done.refused;
        self.calls = run(seed, self.life, self.speedup, now)?;
        self.wire.hang_up();
        let was_lost = self.disk.found().lost;
        self.enforcer = enforcer(&self.catalog, self.speedup, &self.disk, now)?;
        self.outside.crashed(unkept, was_lost);
        self.current = Arc::new(self.enforcer.snapshot(now));
        self.seen = seen(&self.current, now);
        self.keeper = Keeper {
            written: true,
            ..Keeper::default()
        };
        self.untold.clear();
        let doubt = unkept || was_lost || self.outside.lost;
        self.nms.doubt |= doubt;
        self.agent = agent(
            &self.catalog,
            self.speedup,
            &self.disk,
            &self.current,
            seed,
            self.starts,
            now,
        )?;
        // Events of the start are told after what stood before it.
        let mut events = Vec::new();
        self.perform_into(&mut events)?;
        self.alarms.take_over(&self.enforcer.snapshot(now), doubt);
        if !doubt {
            events
                .iter()
                .try_for_each(|event| self.alarms.hear(event))?;
        }
        let before = self.enforcer.snapshot(now);
        self.delivery = deliver(&self.disk, &before, now)?;
        let found = self.spool.iter().map(|(stored, bytes)| Found {
            stored: stored.clone(),
            bytes: bytes.len() as u64,
        });
        self.collector = Collector::new(bulkstats_config()?, found.collect())?;
        self.untold.extend(events.into_iter().map(News::Event));
        self.begin()
    }

    /// Time passes; calls, and all that is due.
    pub(super) fn pass(&mut self, time: Duration) -> Result<()> {
        self.pass_by(time, TICK)
    }

    /// The same with so much time from one turn of the threads to the next.
    fn pass_by(&mut self, time: Duration, most: Duration) -> Result<()> {
        let mut left = time;
        while !left.is_zero() {
            // The control thread wakes when a license minute is to be charged.
            let due = self.enforcer.poll_timeout();
            let due = due.map_or(most, |at| at.since(self.now().mono));
            let step = left.min(most).min(due).max(Duration::from_millis(1));
            let step = step.min(left);
            left -= step;
            let surely = Clock::surely_runs(&self.current, self.licensed());
            let maybe = self.current.evaluation.running;
            let before = self.now().license;
            self.calls.pass(step)?;
            self.passed(before, surely, maybe)?;
        }
        Ok(())
    }

    /// A call, a deletion, or what else peers do.
    pub(super) fn traffic(&mut self) -> Result<()> {
        let surely = Clock::surely_runs(&self.current, self.licensed());
        let maybe = self.current.evaluation.running;
        let before = self.now().license;
        self.calls.traffic()?;
        self.passed(before, surely, maybe)
    }

    fn passed(&mut self, before: LicenseTime, surely: bool, maybe: bool) -> Result<()> {
        let passed = self.now().license.since(before);
        self.done.license_s += passed.as_secs();
        let kept = self.keeper.written && self.keeper.clock.is_none() && !self.disk.behind;
        let surely_after = Clock::surely_runs(&self.current, self.licensed());
        let millis = u64::try_from(passed.as_millis()).unwrap_or(u64::MAX);
        self.outside
            .pass(millis, surely && surely_after, maybe || surely, kept);
        self.tick()
    }

    /// Sessions that hold a license.
    fn licensed(&self) -> u32 {
        let gate = &self.calls.planes.gate;
        SERVICES.iter().map(|service| gate.count(*service)).sum()
    }
}
