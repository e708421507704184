//! What is measured: admit and release through the gate, and the bare atomic pair beside it.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::AcqRel};

use enforcer::{CallKind, Class, ClassId, Form, Gate, GateConfig, Terms, WorkerGate};
use licensing::{FeatureIndex, FeatureSet, ServiceIndex};

/// Services of the gate, as many as the embedded catalog has.
pub const SERVICES: u8 = 7;
/// The service that is measured.
pub const SERVICE: ServiceIndex = ServiceIndex(2);
/// Its ceiling: one license.
pub const CEILING: u32 = 10_000;

/// The forms of the gate that there are here, first the one that nodes take.
pub fn forms() -> Vec<(&'static str, Form)> {
    let asymmetric = node::fence::asymmetric();
    let why = asymmetric.as_ref().err();
    why.inspect(|why| println!("no asymmetric form here: {why}"));
    let asymmetric = asymmetric.ok().map(|form| ("asymmetric", form));
    asymmetric
        .into_iter()
        .chain([("atomic", Form::Atomic)])
        .collect()
}

/// A gate in service: a ceiling, a blocked feature that our calls don't bring, and room below the old peak.
pub struct Subject {
    /// The gate.
    pub gate: Arc<Gate>,
    /// An ordinary class with three features.
    pub class: ClassId,
    /// The same of another service, which has no ceiling.
    pub elsewhere: ClassId,
}

impl Subject {
    /// For so many workers, of the atomic form.
    pub fn new(workers: u16) -> Self {
        Self::of(Form::Atomic, workers)
    }

    /// Of this form, for so many workers.
    pub fn of(form: Form, workers: u16) -> Self {
        Self::with_services(form, workers, SERVICES)
    }

    /// With so many services.
    pub fn with_services(form: Form, workers: u16, services: u8) -> Self {
        let gate = Gate::new(GateConfig {
            form,
            ..GateConfig::new(services, workers)
        });
        let gate = gate.expect("the size is within bounds");
        let features = [0, 3, 5].map(FeatureIndex).into_iter().collect();
        let class = Class {
            service: SERVICE,
            features,
            kind: CallKind::Ordinary,
        };
        let service = ServiceIndex(SERVICE.0 + 1);
        let elsewhere = Class { service, ..class };
        let [class, elsewhere] = [class, elsewhere]
            .map(|class| gate.intern(class).expect("there is room for two classes"));
        gate.set_terms(
            SERVICE,
            Terms {
                ceiling: Some(CEILING),
                priority_share: CEILING / 20,
                block: None,
                blocked_features: FeatureSet::EMPTY.with(FeatureIndex(7)),
                ..Terms::default()
            },
        );
        let subject = Self {
            gate,
            class,
            elsewhere,
        };
        subject.raise_peaks(&[subject.class], CEILING / 2);
        subject
    }

    /// A worker of the gate.
    pub fn worker(&self) -> WorkerGate {
        self.gate
            .worker()
            .expect("there is a place for this worker")
    }

    /// So many sessions of each class were there once.
    pub fn raise_peaks(&self, classes: &[ClassId], sessions: u32) {
        let mut worker = self.worker();
        for class in classes {
            let permits: Vec<_> = (0..sessions).map(|_| worker.restore(*class)).collect();
            permits
                .into_iter()
                .for_each(|permit| worker.release(permit));
        }
    }
}

/// So many admissions, each followed by its release. Every one must be let in.
#[inline(never)]
pub fn admit_release(worker: &mut WorkerGate, class: ClassId, pairs: u64) {
    let class = black_box(class);
    for _ in 0..pairs {
        match worker.admit(class) {
            Ok(permit) => worker.release(permit),
            Err(refusal) => unexpected(refusal),
        }
    }
}

#[cold]
#[inline(never)]
fn unexpected(refusal: enforcer::Refusal) {
    panic!("refused below the ceiling: {refusal:?}");
}

/// A count on a cache line of its own.
#[derive(Default)]
#[repr(align(128))]
pub struct Line(AtomicU64);

impl Line {
    /// One up; what was there before.
    #[inline(always)]
    pub fn add(&self) -> u64 {
        self.0.fetch_add(1, AcqRel)
    }

    /// One down; what was there before.
    #[inline(always)]
    pub fn sub(&self) -> u64 {
        self.0.fetch_sub(1, AcqRel)
    }
}

/// The yardstick: so many times one up and one down on an own line, each answer used as an admission would use it.
#[inline(never)]
pub fn add_sub(line: &Line, pairs: u64) {
    let limit = black_box(u64::from(CEILING));
    let mut refused = 0u64;
    for _ in 0..pairs {
        if line.add() >= limit {
            refused += 1;
        }
        if line.sub() == 0 {
            refused += 1;
        }
    }
    assert_eq!(black_box(refused), 0, "the yardstick has a line of its own");
}
