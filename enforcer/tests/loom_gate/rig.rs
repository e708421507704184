//! What the models share: the run of loom, and a small gate with its workers.

use std::cell::Cell;
use std::sync::Arc;

use loom::sync::atomic::{
    AtomicI64,
    Ordering::{Relaxed, SeqCst},
    fence,
};
use loom::thread::{self, JoinHandle};

use enforcer::gate::mutants;
use enforcer::{
    Block, CallKind, Class, ClassId, Form, Gate, GateConfig, Permit, Terms, WorkerGate,
};
use licensing::{FeatureIndex, FeatureSet, ServiceIndex};

/// The service that most models use.
pub const S: ServiceIndex = ServiceIndex(0);
/// Another one.
pub const OTHER: ServiceIndex = ServiceIndex(1);

thread_local! {
    /// The form of the gates that a model makes, and how long their seals wait.
    static FORM: Cell<(Form, u32)> = const { Cell::new((Form::Atomic, 0)) };
}

/// The heavy fence, between threads that all have a fence of their own.
pub fn heavy_fence() -> bool {
    fence(SeqCst);
    true
}

/// Runs every interleaving of `model` on either form, under the mutant of the environment. Seals wait until windows end.
/// A window is four steps where the atomic form has one, so that form is explored to one preemption less; the models of
/// `asymmetric` go as far as the others.
pub fn check(model: impl Fn() + Sync + Send + 'static) {
    let model = Arc::new(model);
    let forms = [(Form::Atomic, 0), (Form::Asymmetric(heavy_fence), 1)];
    for (form, fewer) in forms {
        let model = Arc::clone(&model);
        explore(form, u32::MAX, fewer, move || model());
    }
}

/// Runs every interleaving of `model` on this form, with seals that wait for so many readings.
pub fn check_as(form: Form, spins: u32, model: impl Fn() + Sync + Send + 'static) {
    explore(form, spins, 0, model);
}

fn explore(form: Form, spins: u32, fewer: usize, model: impl Fn() + Sync + Send + 'static) {
    FORM.set((form, spins));
    if let Ok(name) = std::env::var("TOLLGATE_MUTANT") {
        assert!(mutants::select(&name), "no mutant {name}");
    }
    let mut builder = loom::model::Builder::new();
    let preemptions = builder.preemption_bound.unwrap_or(3);
    builder.preemption_bound = Some(preemptions.saturating_sub(fewer));
    builder.max_branches = 100_000;
    builder.check(model);
}

/// A gate of two services.
pub struct Rig {
    pub gate: Arc<Gate>,
    pub class: ClassId,
}

/// A gate for so many workers, with batch 1 and calm 0 unless told otherwise: it hands out credit whenever it may.
pub fn rig(workers: u16, terms: Terms) -> Rig {
    sized(workers, 1, 0, terms)
}

pub fn sized(workers: u16, batch: u32, calm: u32, terms: Terms) -> Rig {
    let (form, spins) = FORM.get();
    let config = GateConfig {
        batch,
        calm,
        form,
        spins,
        ..GateConfig::new(2, workers)
    };
    let gate = Gate::new(config).unwrap();
    let class = gate.intern(of_kind(CallKind::Ordinary)).unwrap();
    gate.set_terms(S, terms);
    Rig { gate, class }
}

impl Rig {
    pub fn worker(&self) -> WorkerGate {
        self.gate.worker().unwrap()
    }

    pub fn kind(&self, kind: CallKind) -> ClassId {
        self.gate.intern(of_kind(kind)).unwrap()
    }

    pub fn bringing(&self, feature: u8) -> ClassId {
        self.bringing_as(feature, CallKind::Ordinary)
    }

    pub fn bringing_as(&self, feature: u8, kind: CallKind) -> ClassId {
        let features = FeatureSet::EMPTY.with(FeatureIndex(feature));
        let class = Class {
            features,
            ..of_kind(kind)
        };
        self.gate.intern(class).unwrap()
    }

    pub fn elsewhere(&self) -> ClassId {
        let class = Class {
            service: OTHER,
            ..of_kind(CallKind::Ordinary)
        };
        self.gate.intern(class).unwrap()
    }
}

fn of_kind(kind: CallKind) -> Class {
    Class {
        service: S,
        features: FeatureSet::EMPTY,
        kind,
    }
}

pub fn ceiling(sessions: u32) -> Terms {
    Terms {
        ceiling: Some(sessions),
        ..Terms::default()
    }
}

pub fn blocked(terms: Terms) -> Terms {
    Terms {
        block: Some(Block::Service),
        ..terms
    }
}

pub fn shared(priority_share: u32, terms: Terms) -> Terms {
    Terms {
        priority_share,
        ..terms
    }
}

pub fn without(features: u64, terms: Terms) -> Terms {
    Terms {
        blocked_features: FeatureSet(features),
        ..terms
    }
}

/// Leaves the worker's cell open with `credit` of its own and the peak at least there.
pub fn warm(worker: &mut WorkerGate, class: ClassId, credit: usize) {
    let permits: Vec<_> = (0..credit).map(|_| worker.admit(class).unwrap()).collect();
    permits
        .into_iter()
        .for_each(|permit| worker.release(permit));
}

/// Raises the peak to `sessions` and gives everything to the pool.
pub fn raise_peak(gate: &Gate, worker: &mut WorkerGate, class: ClassId, sessions: usize) {
    let permits: Vec<_> = (0..sessions).map(|_| worker.restore(class)).collect();
    permits.into_iter().for_each(|permit| gate.release(permit));
}

/// Starts the other thread of a model.
///
/// Loom looks for an order to reverse at the last access alone, and loses sight of one that the same thread has followed
/// by a load. A first step of both threads on one word makes it begin with either of them, and so find the rest.
pub fn spawn<T: 'static>(other: impl FnOnce() -> T + 'static) -> JoinHandle<T> {
    let start = Ghost::default();
    let theirs = start.clone();
    let handle = thread::spawn(move || {
        theirs.add(1);
        other()
    });
    start.add(1);
    handle
}

/// Releases what there is; how many.
pub fn end(worker: &mut WorkerGate, permits: impl IntoIterator<Item = Permit>) -> usize {
    let mut ended = 0;
    for permit in permits {
        worker.release(permit);
        ended += 1;
    }
    ended
}

/// A number that all threads see at once and in one order, and that orders nothing else: every step is a relaxed
/// read-modify-write, reading too.
#[derive(Clone)]
pub struct Ghost(Arc<AtomicI64>);

impl Default for Ghost {
    fn default() -> Self {
        Self(Arc::new(AtomicI64::new(0)))
    }
}

impl Ghost {
    pub fn add(&self, more: i64) -> i64 {
        self.0.fetch_add(more, Relaxed) + more
    }

    pub fn raise(&self, to: i64) {
        self.0.fetch_max(to, Relaxed);
    }

    pub fn value(&self) -> i64 {
        self.add(0)
    }
}
