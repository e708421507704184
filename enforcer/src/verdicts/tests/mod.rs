//! The machine, driven through its public face: inputs and time in, outputs and snapshots out.

mod evaluation;
mod faults;
mod features;
mod figures;
mod modes;
mod orders;
mod preview;
mod random;
mod registered;

use std::sync::Arc;
use std::time::Duration;

use licensing::record::{ClockRecord, OperatorRecord, Record};
use licensing::snapshot::{FeatureStatus, Lab, NodeIdentity, ServiceStatus, Snapshot};
use licensing::{
    AlarmId, AlarmKind, Catalog, Entitlement, Event, FeatureIndex, FeatureSet, LicenseCount,
    LicenseTime, Mono, Now, ServiceIndex, TagRef, Wall,
};

use super::{Answer, Config, Enforcer, Input, Output, Restored, RestoredClock};
use crate::class::{CallKind, Class};
use crate::counts::{ClassCount, ClassCounters, Counts, ServiceCount};
use crate::terms::Terms;

const GGSN: ServiceIndex = ServiceIndex(2);
const PGW: ServiceIndex = ServiceIndex(0);
const GRE: FeatureIndex = FeatureIndex(0);
const VOLTE: FeatureIndex = FeatureIndex(4);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);

/// 2026-11-22.
const START: Wall = Wall(1_795_300_000_000);

fn identity(catalog: &Catalog) -> NodeIdentity {
    let product = catalog.product("VPC_SI").unwrap_or(&catalog.products()[0]);
    NodeIdentity {
        name: "gw1".into(),
        pid: "VPC-SI".into(),
        serial: "1".into(),
        product: product.name.clone(),
        product_tag: product.tag.clone(),
        version: "0".into(),
        catalog: licensing::snapshot::CatalogOrigin::Embedded,
    }
}

fn config() -> Config {
    let catalog = Arc::new(Catalog::staros());
    Config::new(identity(&catalog), catalog)
}

/// A catalog of one service, `S`, ten sessions a license, and one feature, `F`, with these further keys.
fn small(service: &str, feature: &str) -> Config {
    let uuid = "401f2e9e-67fd-4131-b61d-6e229d13a338";
    let text = format!(
        r#"
[[product]]
name = "P"
tag = "regid.2026-01.org.example.P,1.0_{uuid}"
description = "p"
[[service]]
tag_id = 0
name = "S"
tag = "regid.2026-01.org.example.S,1.0_{uuid}"
description = "s"
sessions_per_license = 10
{service}
[[service]]
tag_id = 1
name = "T"
tag = "regid.2026-01.org.example.T,1.0_{uuid}"
description = "t"
sessions_per_license = 10
[[feature]]
tag_id = 0
name = "F"
tag = "regid.2026-01.org.example.F,1.0_{uuid}"
description = "f"
services = ["S"]
{feature}
"#
    );
    let catalog = Arc::new(Catalog::parse(&text).unwrap());
    Config::new(identity(&catalog), catalog)
}

const S: ServiceIndex = ServiceIndex(0);
const T: ServiceIndex = ServiceIndex(1);
const F: FeatureIndex = FeatureIndex(0);

/// The machine, its clock, what it said, and what the gate would count.
struct Rig {
    config: Config,
    now: Now,
    enforcer: Enforcer,
    counts: Counts,
    outputs: Vec<Output>,
    /// What it asked to be kept.
    disk: Restored,
    /// Everything that it was told, and what it began from.
    told: Vec<(Input, Now)>,
    beginning: (Restored, Now),
}

impl Rig {
    fn new(config: Config) -> Self {
        let now = Now {
            wall: START,
            ..Now::default()
        };
        Self::restored(config, Restored::default(), now)
    }

    /// As configured, with `license smart enable` in force.
    fn enabled(config: Config) -> Self {
        let mut rig = Self::new(config);
        rig.tell(Input::SmartLicensing { enable: true });
        rig
    }

    /// Enabled and registered.
    fn registered(config: Config) -> Self {
        let mut rig = Self::enabled(config);
        rig.tell(Input::Registered);
        rig
    }

    fn restored(config: Config, restored: Restored, now: Now) -> Self {
        let disk = restored.clone();
        let beginning = (restored.clone(), now);
        let enforcer = Enforcer::new(config.clone(), restored, now);
        let services = config.catalog.services().len();
        let mut rig = Self {
            config,
            now,
            enforcer,
            counts: Counts {
                services: vec![ServiceCount::default(); services],
                classes: Vec::new(),
            },
            outputs: Vec::new(),
            disk,
            told: Vec::new(),
            beginning,
        };
        rig.drain();
        rig
    }

    /// Another process finds what this one had asked to keep; its clocks begin anew, the wall goes on.
    fn restart(self) -> Self {
        let restored = Restored {
            tampered: false,
            ..self.disk
        };
        let now = Now {
            wall: self.now.wall,
            ..Now::default()
        };
        Self::restored(self.config, restored, now)
    }

    /// Another machine with the same beginning.
    fn enforcer_at_start(&self) -> Enforcer {
        let (restored, now) = self.beginning.clone();
        Enforcer::new(self.config.clone(), restored, now)
    }

    fn drain(&mut self) {
        while let Some(output) = self.enforcer.poll_output() {
            if let Output::Persist(record) = &output {
                self.keep(record.clone());
            }
            self.outputs.push(output);
        }
    }

    fn keep(&mut self, record: Record) {
        match record {
            Record::Clock(clock) => self.disk.clock = RestoredClock::Kept(clock),
            Record::Operator(operator) => self.disk.operator = Some(operator),
        }
    }

    fn tell(&mut self, input: Input) {
        self.told.push((input.clone(), self.now));
        self.enforcer.handle(input, self.now);
        self.drain();
    }

    /// Time passes in one step, license time as fast as the lab clock has it.
    fn pass(&mut self, license: Duration) {
        let speedup = self.config.lab.map_or(1, |lab| lab.speedup);
        let real = license / speedup;
        let real_ms = u64::try_from(real.as_millis()).unwrap();
        self.now = Now {
            mono: self.now.mono.after(real),
            wall: Wall(self.now.wall.0 + real_ms as i64),
            license: self.now.license.after(license),
        };
        self.tell(Input::Timeout);
    }

    fn sessions(&mut self, service: ServiceIndex, sessions: u32) {
        let count = &mut self.counts.services[service.at()];
        count.sessions = sessions;
        count.peak = count.peak.max(sessions);
        self.tell(Input::Counts(self.counts.clone()));
    }

    /// Sessions of both kinds, told at once.
    fn emergency_and_others(&mut self, emergency: u64, others: u64) {
        let class = |kind, admitted| ClassCount {
            class: Class {
                service: GGSN,
                features: FeatureSet::EMPTY,
                kind,
            },
            counters: ClassCounters {
                admitted,
                ..ClassCounters::default()
            },
        };
        self.counts.classes = vec![
            class(CallKind::Emergency, emergency),
            class(CallKind::Ordinary, others),
        ];
        self.tell(Input::Counts(self.counts.clone()));
    }

    /// Counters of a class, from here on.
    fn class(&mut self, class: Class, counters: ClassCounters) {
        let classes = &mut self.counts.classes;
        classes.retain(|count| count.class != class);
        classes.push(ClassCount { class, counters });
        self.tell(Input::Counts(self.counts.clone()));
    }

    fn verdict(&mut self, tag: TagRef, answer: Answer, licenses: Option<u32>) {
        let granted = licenses.map(|licenses| Entitlement {
            licenses: LicenseCount(licenses),
            until: None,
        });
        self.tell(Input::Verdict {
            tag,
            answer,
            granted,
            lasts_ms: None,
        });
    }

    fn snapshot(&self) -> Snapshot {
        self.enforcer.snapshot(self.now)
    }

    fn service(&self, service: ServiceIndex) -> ServiceStatus {
        self.snapshot().services.swap_remove(service.at())
    }

    fn feature(&self, feature: FeatureIndex) -> FeatureStatus {
        self.snapshot().features.swap_remove(feature.at())
    }

    /// What was said since this was last asked.
    fn said(&mut self) -> Vec<Output> {
        std::mem::take(&mut self.outputs)
    }

    fn events(&mut self) -> Vec<Event> {
        let said = self.said().into_iter();
        said.filter_map(|output| match output {
            Output::Event(event) => Some(event),
            Output::Terms { .. } | Output::Persist(_) => None,
        })
        .collect()
    }

    /// The terms that the gate was last given.
    fn terms(&self, of: ServiceIndex) -> Terms {
        let told = self.enforcer.services[of.at()].terms;
        told.expect("every service is told at a start")
    }

    fn clock(&self) -> &ClockRecord {
        let RestoredClock::Kept(clock) = &self.disk.clock else {
            panic!("each start writes one");
        };
        clock
    }

    fn alarms(&self) -> Vec<AlarmKind> {
        let alarms = self.snapshot().alarms;
        alarms.iter().map(|alarm| alarm.kind).collect()
    }

    fn has(&self, kind: AlarmKind) -> bool {
        self.alarms().contains(&kind)
    }
}

fn lab(speedup: u32) -> Option<Lab> {
    Some(Lab {
        speedup,
        unsigned_catalog: false,
    })
}

fn class(service: ServiceIndex, features: &[FeatureIndex], kind: CallKind) -> Class {
    Class {
        service,
        features: features.iter().copied().collect(),
        kind,
    }
}

fn admitted(admitted: u64, released: u64) -> ClassCounters {
    ClassCounters {
        admitted,
        released,
        ..ClassCounters::default()
    }
}

fn raised(events: &[Event]) -> Vec<AlarmKind> {
    let alarms = events.iter().filter_map(|event| {
        let Event::AlarmRaised { alarm } = event else {
            return None;
        };
        Some(alarm.kind)
    });
    alarms.collect()
}

fn cleared(events: &[Event]) -> Vec<AlarmKind> {
    let alarms = events.iter().filter_map(|event| {
        let Event::AlarmCleared { alarm } = event else {
            return None;
        };
        Some(alarm.kind)
    });
    alarms.collect()
}

fn repeated(events: &[Event]) -> Vec<(AlarmId, AlarmKind)> {
    let alarms = events.iter().filter_map(|event| {
        let Event::AlarmRepeated { alarm } = event else {
            return None;
        };
        Some((alarm.id, alarm.kind))
    });
    alarms.collect()
}

const TAG: TagRef = TagRef::Service(GGSN);
const OOC: AlarmKind = AlarmKind::ServiceOutOfCompliance { service: GGSN };
