//! The rules end to end: the real gate and the real verdicts, joined by a loop as the node's is, in one thread.
#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    reason = "every function of this file is part of a test"
)]

use std::sync::Arc;
use std::time::Duration;

use enforcer::{
    Answer, CallKind, Class, ClassId, Config, Counts, Enforcer, Form, Gate, GateConfig, Input,
    LedgerBounds, Output, Permit, RecountRow, Refusal, RefusalRing, RefusalSeen, Restored,
    WorkerGate, WorkerRecount, permits_dropped,
};
use licensing::record::Record;
use licensing::snapshot::{NodeIdentity, ServiceStatus, State};
use licensing::{
    AlarmKind, Catalog, Compliance, Entitlement, FeatureIndex, FeatureSet, LicenseCount, Now,
    Policy, RefusalReason, ServiceIndex, TagRef, Wall,
};

const PGW: ServiceIndex = ServiceIndex(0);
const SAEGW: ServiceIndex = ServiceIndex(1);
const GGSN: ServiceIndex = ServiceIndex(2);
const GRE: FeatureIndex = FeatureIndex(0);
const DAY: Duration = Duration::from_secs(86_400);

/// The form of the gate: that of `rules_asymmetric.rs`, which has the same tests, or the atomic one. One thread needs no fence.
fn form() -> Form {
    match env!("CARGO_CRATE_NAME") {
        "rules_asymmetric" => Form::Asymmetric(|| true),
        _ => Form::Atomic,
    }
}

/// A node without sockets, files and threads: one worker, its sessions, and the control loop.
struct Node {
    gate: Arc<Gate>,
    worker: WorkerGate,
    enforcer: Enforcer,
    ring: RefusalRing,
    now: Now,
    sessions: Vec<Permit>,
    disk: Restored,
}

impl Node {
    fn new(catalog: Catalog) -> Self {
        let catalog = Arc::new(catalog);
        let product = &catalog.products()[0];
        let identity = NodeIdentity {
            name: "gw1".into(),
            pid: "VPC-SI".into(),
            serial: "1".into(),
            product: product.name.clone(),
            product_tag: product.tag.clone(),
            version: "0".into(),
            catalog: licensing::snapshot::CatalogOrigin::Embedded,
        };
        let services = u8::try_from(catalog.services().len()).unwrap();
        let gate = GateConfig {
            form: form(),
            ..GateConfig::new(services, 1)
        };
        let gate = Gate::new(gate).unwrap();
        let now = Now {
            wall: Wall(1_795_300_000_000),
            ..Now::default()
        };
        let config = Config::new(identity, catalog);
        let mut node = Self {
            worker: gate.worker().unwrap(),
            gate,
            enforcer: Enforcer::new(config, Restored::default(), now),
            ring: RefusalRing::new(64),
            now,
            sessions: Vec::new(),
            disk: Restored::default(),
        };
        node.perform();
        node
    }

    fn enabled() -> Self {
        let mut node = Self::new(Catalog::staros());
        node.tell(Input::SmartLicensing { enable: true });
        node
    }

    fn registered(catalog: Catalog) -> Self {
        let mut node = Self::new(catalog);
        node.tell(Input::SmartLicensing { enable: true });
        node.tell(Input::Registered);
        node
    }

    fn tell(&mut self, input: Input) {
        self.enforcer.handle(input, self.now);
        self.perform();
    }

    /// What a shell does: terms into the gate and the seal back, records to disk.
    fn perform(&mut self) {
        while let Some(output) = self.enforcer.poll_output() {
            match output {
                Output::Terms { service, terms } => {
                    self.gate.set_terms(service, terms);
                    let took_us = 1;
                    self.enforcer
                        .handle(Input::Sealed { service, took_us }, self.now);
                }
                Output::Persist(Record::Operator(record)) => self.disk.operator = Some(record),
                Output::Persist(Record::Clock(_)) | Output::Event(_) => {}
            }
        }
    }

    /// One turn of the control loop.
    fn tick(&mut self) {
        let seen = self.ring.drain();
        self.tell(Input::Refusals(seen));
        self.tell(Input::RefusalsLost(self.ring.take_lost()));
        self.tell(Input::Counts(self.gate.sample()));
    }

    fn pass(&mut self, time: Duration) {
        self.now.mono = self.now.mono.after(time);
        self.now.license = self.now.license.after(time);
        self.now.wall.0 += i64::try_from(time.as_millis()).unwrap();
        self.tick();
    }

    fn class(&self, service: ServiceIndex, features: &[FeatureIndex], kind: CallKind) -> ClassId {
        let features = features.iter().copied().collect();
        let class = Class {
            service,
            features,
            kind,
        };
        self.gate.intern(class).unwrap()
    }

    fn ordinary(&self, service: ServiceIndex) -> ClassId {
        self.class(service, &[], CallKind::Ordinary)
    }

    /// A call arrives.
    fn call(&mut self, class: ClassId) -> Result<(), Refusal> {
        match self.worker.admit(class) {
            Ok(permit) => {
                self.sessions.push(permit);
                Ok(())
            }
            Err(refusal) => {
                self.note(class, refusal);
                Err(refusal)
            }
        }
    }

    fn note(&self, class: ClassId, refusal: Refusal) {
        self.ring.push(RefusalSeen {
            at: self.now.wall,
            service: self.gate.class(class).unwrap().service,
            reason: refusal.reason,
            sessions: refusal.sessions,
            ceiling: refusal.ceiling,
            apn: "internet".into(),
            cause: 199,
            new_subscriber: true,
        });
    }

    fn calls(&mut self, class: ClassId, calls: u32) {
        for call in 0..calls {
            let admitted = self.call(class);
            assert_eq!(admitted, Ok(()), "call {call} of {calls}");
        }
    }

    fn reason(&mut self, class: ClassId) -> Option<RefusalReason> {
        self.call(class).err().map(|refusal| refusal.reason)
    }

    fn end_one(&mut self) {
        let permit = self.sessions.pop().expect("there is a session");
        self.worker.release(permit);
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

    fn service(&self, service: ServiceIndex) -> ServiceStatus {
        let snapshot = self.enforcer.snapshot(self.now);
        snapshot.services[service.at()].clone()
    }

    fn has(&self, kind: AlarmKind) -> bool {
        let alarms = self.enforcer.snapshot(self.now).alarms;
        alarms.iter().any(|alarm| alarm.kind == kind)
    }

    /// What a worker finds when it goes through its table, and the ledgers between two readings of the counters.
    fn recount(&mut self) {
        let counts: Counts = self.gate.sample();
        let row = |count: &enforcer::ClassCount| {
            let id = self.gate.intern(count.class).unwrap();
            let in_table = self.sessions.iter().filter(|permit| permit.class() == id);
            RecountRow {
                class: count.class,
                table: in_table.count() as u64,
                counter: self.worker.counters(id).live(),
            }
        };
        let rows = counts.classes.iter().map(row).collect();
        let bounds = (0..).map(ServiceIndex).zip(&counts.services);
        let bounds = bounds.map(|(service, _)| {
            let mine = counts.classes.iter().filter(|count| {
                count.class.service == service && count.class.kind != CallKind::Emergency
            });
            let live = mine.map(|count| count.counters.live()).sum();
            LedgerBounds {
                service,
                ledger: self.gate.count_exact(service),
                low: live,
                high: live,
            }
        });
        let bounds = bounds.collect();
        self.tell(Input::Recounted(WorkerRecount { worker: 0, rows }));
        self.tell(Input::LedgerChecked(bounds));
    }

    /// Every session ends, and nothing is left of them.
    fn finish(mut self) {
        self.recount();
        let recount = self.enforcer.snapshot(self.now).recount.unwrap();
        assert_eq!(recount.drift, 0);
        while !self.sessions.is_empty() {
            self.end_one();
        }
        for service in 0..self.gate.sample().services.len() {
            let service = ServiceIndex(u8::try_from(service).unwrap());
            assert_eq!(self.gate.count_exact(service), 0);
        }
        assert_eq!(permits_dropped(), 0);
    }
}

//= L3
//= L6
//= L8
//= L17
#[test]
fn in_evaluation_the_10_001st_session_is_refused_and_a_release_lets_the_next_in() {
    let mut node = Node::enabled();
    let ggsn = node.ordinary(GGSN);
    node.calls(ggsn, 10_000);
    node.tick();
    assert_eq!(node.service(GGSN).tag.state, State::AllowAtLimit);
    let refused = node.call(ggsn);
    let expected = Refusal {
        reason: RefusalReason::AtCeiling,
        sessions: 10_000,
        ceiling: Some(10_000),
    };
    assert_eq!(refused, Err(expected));
    let emergency = node.class(GGSN, &[], CallKind::Emergency);
    node.calls(emergency, 3);
    node.calls(node.ordinary(PGW), 1);
    node.tick();
    let row = node.service(GGSN);
    assert_eq!((row.sessions.0, row.tag.licenses.0), (10_000, 1));
    assert_eq!(row.tag.refused.at_ceiling, 1);
    assert_eq!(row.tag.evaluation.max_call_count, 10_000);
    assert_eq!(row.tag.policy, Policy::Allow);
    assert!(node.has(AlarmKind::AtLimit { service: GGSN }));
    let snapshot = node.enforcer.snapshot(node.now);
    assert_eq!(
        (snapshot.emergency.sessions, snapshot.emergency.admitted),
        (3, 3)
    );
    let record = node.enforcer.history().next().unwrap();
    assert_eq!(
        (record.reason, record.sessions.0),
        (RefusalReason::AtCeiling, 10_000)
    );
    assert_eq!(record.compliance, Compliance::Evaluation);
    for _ in 0..4 {
        node.end_one();
    }
    node.calls(emergency, 3);
    assert_eq!(node.reason(node.ordinary(PGW)), None);
    assert_eq!(
        node.reason(ggsn),
        Some(RefusalReason::AtCeiling),
        "still full"
    );
    let first = node.sessions.swap_remove(0);
    node.worker.release(first);
    assert_eq!(node.reason(ggsn), None);
    assert_eq!(node.reason(ggsn), Some(RefusalReason::AtCeiling));
    node.finish();
}

//= L2
#[test]
fn until_it_is_enabled_calls_are_counted_and_none_is_refused() {
    let mut node = Node::new(Catalog::staros());
    let ggsn = node.ordinary(GGSN);
    node.calls(ggsn, 20_000);
    node.pass(100 * DAY);
    node.calls(ggsn, 1);
    node.tick();
    assert_eq!(node.service(GGSN).sessions.0, 20_001);
    node.tell(Input::SmartLicensing { enable: true });
    node.tick();
    let row = node.service(GGSN);
    assert_eq!(
        (row.sessions.0, row.tag.state),
        (20_001, State::AllowAtLimit)
    );
    assert_eq!(node.reason(ggsn), Some(RefusalReason::AtCeiling));
    node.finish();
}

//= L3
//= L7
//= L8
#[test]
fn when_evaluation_ends_new_calls_are_refused_and_none_is_ended() {
    let mut node = Node::enabled();
    let ggsn = node.ordinary(GGSN);
    let with_gre = node.class(GGSN, &[GRE], CallKind::Ordinary);
    let emergency = node.class(GGSN, &[], CallKind::Emergency);
    node.calls(ggsn, 500);
    node.tick();
    node.pass(90 * DAY);
    assert_eq!(node.reason(ggsn), Some(RefusalReason::ServiceBlocked));
    let pgw = node.ordinary(PGW);
    assert_eq!(node.reason(pgw), Some(RefusalReason::ServiceBlocked));
    node.tick();
    let row = node.service(GGSN);
    assert_eq!((row.sessions.0, row.tag.state), (500, State::Block));
    assert_eq!(row.tag.refused.blocked, 1);
    assert_eq!(row.tag.evaluation.policy_change_block, 1);
    let record = node.enforcer.history().nth(1).unwrap();
    assert_eq!(record.compliance, Compliance::EvaluationExpired);
    assert_eq!(record.policy, Policy::Block);

    // Change, hand-over, recovery and deletion are none of a block's business.
    let changed = node.sessions.pop().unwrap();
    let changed = node.worker.reclass(changed, with_gre);
    let moved = node.worker.reclass(changed, pgw);
    assert_eq!(moved.class(), pgw);
    assert_eq!(node.gate.count_exact(PGW), 1);
    assert_eq!(node.gate.count_exact(GGSN), 499);
    let back = node.worker.reclass(moved, ggsn);
    node.sessions.push(back);
    let recovered = node.worker.restore(ggsn);
    node.sessions.push(recovered);
    node.calls(emergency, 1);
    node.end_one();
    node.end_one();
    node.tick();
    assert_eq!(node.service(GGSN).sessions.0, 500);

    // A colliding new session is a new call: refused, and the old one stays.
    let old = node.sessions.pop().unwrap();
    let (refusal, old) = node.worker.replace(old, ggsn).unwrap_err();
    assert_eq!(refusal.reason, RefusalReason::ServiceBlocked);
    node.sessions.push(old);
    node.tell(Input::Registered);
    assert_eq!(
        node.reason(ggsn),
        None,
        "registered: one license to begin with"
    );
    node.finish();
}

//= L8
#[test]
fn priority_calls_go_over_a_ceiling_and_a_block_by_5_percent() {
    let mut node = Node::enabled();
    let ggsn = node.ordinary(GGSN);
    let priority = node.class(GGSN, &[], CallKind::Priority);
    node.calls(ggsn, 10_000);
    node.calls(priority, 500);
    assert_eq!(node.reason(priority), Some(RefusalReason::AtCeiling));
    node.tick();
    let row = node.service(GGSN);
    assert_eq!((row.sessions.0, row.priority_sessions.0), (10_500, 500));
    assert_eq!(row.tag.licenses.0, 2, "they hold licenses");
    node.end_one();
    assert_eq!(node.reason(ggsn), Some(RefusalReason::AtCeiling));
    assert_eq!(node.reason(priority), None);
    node.pass(90 * DAY);
    assert_eq!(node.reason(ggsn), Some(RefusalReason::ServiceBlocked));
    assert_eq!(node.reason(priority), Some(RefusalReason::AtCeiling));
    for _ in 0..600 {
        node.end_one();
    }
    node.calls(priority, 600);
    assert_eq!(node.reason(priority), Some(RefusalReason::AtCeiling));
    assert_eq!(node.reason(ggsn), Some(RefusalReason::ServiceBlocked));
    node.finish();
}

//= L5
//= L9
#[test]
fn fewer_licenses_end_no_session_and_stop_growth_until_use_is_below() {
    let mut node = Node::registered(Catalog::staros());
    let ggsn = node.ordinary(GGSN);
    let tag = TagRef::Service(GGSN);
    node.calls(ggsn, 1);
    node.tick();
    node.verdict(tag, Answer::Authorized, Some(3));
    node.calls(ggsn, 24_999);
    node.tick();
    node.verdict(tag, Answer::Authorized, Some(2));
    node.tick();
    assert_eq!(node.service(GGSN).sessions.0, 25_000);
    assert_eq!(node.service(GGSN).tag.state, State::AllowAtLimit);
    for _ in 0..5_000 {
        assert_eq!(node.reason(ggsn), Some(RefusalReason::AtCeiling));
        node.end_one();
    }
    assert_eq!(node.reason(ggsn), Some(RefusalReason::AtCeiling));
    node.end_one();
    assert_eq!(node.reason(ggsn), None, "below");
    node.tick();
    node.verdict(tag, Answer::OutOfCompliance, Some(1));
    assert_eq!(node.reason(ggsn), Some(RefusalReason::ServiceBlocked));
    assert_eq!(node.gate.count_exact(GGSN), 20_000);
    node.verdict(tag, Answer::Authorized, None);
    node.calls(ggsn, 5_000);
    node.finish();
}

fn catalog(tie: &str) -> Catalog {
    let uuid = "401f2e9e-67fd-4131-b61d-6e229d13a338";
    let tag = |name: &str| format!("tag = \"regid.2026-01.org.example.{name},1.0_{uuid}\"");
    let text = format!(
        "[[product]]\nname = \"P\"\n{}\ndescription = \"p\"\n\
         [[service]]\ntag_id = 0\nname = \"S\"\n{}\ndescription = \"s\"\nsessions_per_license = 10\n\
         [[feature]]\ntag_id = 0\nname = \"F\"\n{}\ndescription = \"f\"\nservices = [\"S\"]\n\
         grace_days = 1\ntie = \"{tie}\"\n",
        tag("P"),
        tag("S"),
        tag("F"),
    );
    Catalog::parse(&text).unwrap()
}

//= L5
//= L12
#[test]
fn a_feature_past_its_grace_refuses_what_it_is_tied_to() {
    for tie in ["service", "call"] {
        let mut node = Node::registered(catalog(tie));
        let feature = FeatureIndex(0);
        let service = ServiceIndex(0);
        let plain = node.ordinary(service);
        let brings = node.class(service, &[feature], CallKind::Ordinary);
        node.calls(brings, 1);
        node.tick();
        node.verdict(TagRef::Service(service), Answer::Authorized, None);
        node.verdict(TagRef::Feature(feature), Answer::OutOfCompliance, None);
        assert_eq!((node.reason(plain), node.reason(brings)), (None, None));
        node.pass(DAY);
        let blocked = Some(RefusalReason::FeatureBlocked { feature });
        let expected = if tie == "service" { blocked } else { None };
        assert_eq!(node.reason(plain), expected, "{tie}");
        assert_eq!(node.reason(brings), blocked, "{tie}");
        node.tick();
        let snapshot = node.enforcer.snapshot(node.now);
        let row = &snapshot.features[0];
        assert_eq!(row.tag.state, State::Block);
        assert_eq!(row.sessions.0, 2, "both live on");
        let record = node.enforcer.history().next().unwrap();
        assert_eq!(record.policy, Policy::Block);
        node.verdict(TagRef::Feature(feature), Answer::Authorized, None);
        assert_eq!((node.reason(plain), node.reason(brings)), (None, None));
        node.finish();
    }
}

//= L13
#[test]
fn a_colliding_session_takes_the_place_and_across_services_the_new_comes_first() {
    let mut node = Node::enabled();
    let saegw = node.ordinary(SAEGW);
    let pgw = node.ordinary(PGW);
    node.calls(saegw, 10_000);
    let old = node.sessions.pop().unwrap();
    let new = node.worker.replace(old, saegw).unwrap();
    node.sessions.push(new);
    assert_eq!(node.reason(saegw), Some(RefusalReason::AtCeiling));
    let old = node.sessions.pop().unwrap();
    let new = node.worker.replace(old, pgw).unwrap();
    node.sessions.push(new);
    node.tick();
    assert_eq!(
        node.service(SAEGW).sessions.0,
        9_999,
        "SAEGW only, or PGW only"
    );
    assert_eq!(node.service(PGW).sessions.0, 1);
    node.calls(saegw, 1);
    let old = node.sessions.swap_remove(9_999);
    let (refusal, old) = node.worker.replace(old, saegw).unwrap_err();
    assert_eq!(refusal.reason, RefusalReason::AtCeiling);
    node.sessions.push(old);
    node.tick();
    assert_eq!(
        node.service(PGW).sessions.0,
        1,
        "refused: the old one stays"
    );
    node.finish();
}

//= L14
#[test]
fn a_session_that_is_lost_or_counted_twice_is_a_drift() {
    let mut node = Node::enabled();
    let drift = AlarmKind::CountDrift {
        service: Some(GGSN),
        feature: None,
    };
    let with_gre = node.class(GGSN, &[GRE], CallKind::Ordinary);
    node.calls(with_gre, 5);
    node.recount();
    assert_eq!(node.service(GGSN).tag.drift, Some(0));
    assert_eq!(node.service(GGSN).tag.proved, Some(node.now.wall));
    let lost = node.sessions.pop().unwrap();
    node.recount();
    assert!(node.has(drift));
    assert_eq!(node.service(GGSN).tag.drift, Some(1));
    let snapshot = node.enforcer.snapshot(node.now);
    assert_eq!(snapshot.features[GRE.at()].tag.drift, Some(1));
    node.sessions.push(lost);
    node.recount();
    assert!(!node.has(drift));
    node.finish();
}

//= L15
#[test]
fn the_maximum_is_exact_although_nobody_looked_at_the_peak() {
    let mut node = Node::enabled();
    let ggsn = node.ordinary(GGSN);
    node.calls(ggsn, 777);
    for _ in 0..700 {
        node.end_one();
    }
    node.tick();
    let row = node.service(GGSN).tag.evaluation;
    assert_eq!((row.cur_call_count, row.max_call_count), (77, 777));
    node.tell(Input::Registered);
    node.tick();
    let tag = node.service(GGSN).tag;
    assert_eq!(tag.evaluation.cur_call_count, 0);
    assert_eq!(tag.evaluation.max_call_count, 777);
    assert_eq!(tag.registered.max_call_count, 77);
    node.finish();
}

//= L10
//= L13
#[test]
fn after_a_restart_the_last_verdict_bounds_the_calls_that_come_back() {
    let mut node = Node::registered(Catalog::staros());
    let ggsn = node.ordinary(GGSN);
    node.calls(ggsn, 15);
    node.tick();
    node.verdict(TagRef::Service(GGSN), Answer::OutOfCompliance, None);
    node.tell(Input::Save);
    let disk = node.disk.clone();
    node.finish();
    let operator = disk.operator.unwrap();
    let kept = operator.tags.iter().find(|kept| kept.verdict.is_some());
    let kept = kept.unwrap();
    assert_eq!(
        (kept.registered.cur_call_count, kept.authorized),
        (15, None)
    );
    let catalog = Arc::new(Catalog::staros());
    let product = &catalog.products()[0];
    let identity = NodeIdentity {
        name: "gw1".into(),
        pid: "VPC-SI".into(),
        serial: "1".into(),
        product: product.name.clone(),
        product_tag: product.tag.clone(),
        version: "0".into(),
        catalog: licensing::snapshot::CatalogOrigin::Embedded,
    };
    let restored = Restored {
        operator: Some(operator),
        ..Restored::default()
    };
    let enforcer = Enforcer::new(Config::new(identity, catalog), restored, Now::default());
    let row = enforcer.snapshot(Now::default()).services[GGSN.at()].clone();
    assert_eq!(row.sessions.0, 0, "counts are never kept");
    assert_eq!(row.tag.policy, Policy::Block, "as before the restart");
}

#[test]
fn features_of_a_class_reach_the_counts_of_both() {
    let mut node = Node::enabled();
    let set = FeatureSet::EMPTY.with(GRE).with(FeatureIndex(1));
    let features: Vec<_> = set.iter().collect();
    let class = node.class(PGW, &features, CallKind::Ordinary);
    node.calls(class, 12);
    node.tick();
    let snapshot = node.enforcer.snapshot(node.now);
    let uses = snapshot.features.iter().map(|row| row.sessions.0);
    assert_eq!(uses.collect::<Vec<_>>(), [12, 12, 0, 0, 0, 0, 0, 0, 0]);
    node.finish();
}
