//! The gate against a plain model, one call at a time: every answer, count, counter and peak must be the model's.
//!
//! Several workers are driven from one thread, with small batches and ceilings, so that calls keep crossing between open
//! and tight mode. A failing sequence prints itself and its seed.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used)]

use std::collections::HashMap;
use std::sync::Arc;

use enforcer::{
    Block, CallKind, Class, ClassCounters, ClassId, Eased, Form, Gate, GateConfig, Permit, Terms,
    WorkerGate, permits_dropped,
};
use licensing::{FeatureIndex, FeatureSet, RefusalReason, ServiceIndex};
use proptest::prelude::*;

const SERVICES: u8 = 3;
const WORKERS: usize = 3;

#[derive(Clone, Debug)]
enum Step {
    Admit {
        worker: usize,
        class: Class,
    },
    Replace {
        worker: usize,
        session: usize,
        class: Class,
    },
    Restore {
        worker: usize,
        class: Class,
    },
    Reclass {
        worker: usize,
        session: usize,
        class: Class,
    },
    Release {
        worker: usize,
        session: usize,
    },
    ReleaseAnywhere {
        session: usize,
    },
    SetTerms {
        service: ServiceIndex,
        terms: Terms,
    },
    CountExactly {
        service: ServiceIndex,
    },
    Reseat {
        worker: usize,
    },
}

fn class() -> impl Strategy<Value = Class> {
    let kind = prop_oneof![
        4 => Just(CallKind::Ordinary),
        2 => Just(CallKind::Priority),
        1 => Just(CallKind::Emergency),
    ];
    (0..SERVICES, 0..4u64, kind).prop_map(|(service, features, kind)| Class {
        service: ServiceIndex(service),
        features: FeatureSet(features),
        kind,
    })
}

fn terms() -> impl Strategy<Value = Terms> {
    let ceiling = prop_oneof![3 => (0..40u32).prop_map(Some), 1 => Just(None)];
    let block = prop_oneof![
        6 => Just(None),
        1 => Just(Some(Block::Service)),
        1 => Just(Some(Block::Feature(FeatureIndex(5)))),
    ];
    let features = prop_oneof![3 => Just(0), 1 => 0..4u64];
    let barred = prop_oneof![3 => Just(0), 1 => 0..4u64];
    let eased = (
        0..3u8,
        prop_oneof![Just(Block::Service), Just(Block::Feature(FeatureIndex(5)))],
    );
    let parts = (
        ceiling,
        0..4u32,
        block,
        features,
        barred,
        eased,
        prop::array::uniform2(0..3u8),
    );
    parts.prop_map(
        |(ceiling, priority_share, block, features, barred, (share, by), tried)| Terms {
            ceiling,
            priority_share,
            block,
            blocked_features: FeatureSet(features),
            barred_features: FeatureSet(features & barred),
            // Of nobody or of everybody: shares of those between are the business of lots.
            eased: (share > 0).then_some(Eased {
                by,
                percent: 100 * share.saturating_sub(1),
            }),
            eased_features: (0..)
                .map(FeatureIndex)
                .zip(tried)
                .filter(|(_, share)| *share > 0)
                .map(|(feature, share)| (feature, 100 * (share - 1)))
                .collect::<Vec<_>>()
                .into(),
        },
    )
}

fn step() -> impl Strategy<Value = Step> {
    let worker = || 0..WORKERS;
    let session = || 0..64usize;
    let service = || (0..SERVICES).prop_map(ServiceIndex);
    prop_oneof![
        30 => (worker(), class()).prop_map(|(worker, class)| Step::Admit { worker, class }),
        4 => (worker(), session(), class())
            .prop_map(|(worker, session, class)| Step::Replace { worker, session, class }),
        3 => (worker(), class()).prop_map(|(worker, class)| Step::Restore { worker, class }),
        4 => (worker(), session(), class())
            .prop_map(|(worker, session, class)| Step::Reclass { worker, session, class }),
        22 => (worker(), session()).prop_map(|(worker, session)| Step::Release { worker, session }),
        2 => session().prop_map(|session| Step::ReleaseAnywhere { session }),
        3 => (service(), terms()).prop_map(|(service, terms)| Step::SetTerms { service, terms }),
        1 => service().prop_map(|service| Step::CountExactly { service }),
        1 => worker().prop_map(|worker| Step::Reseat { worker }),
    ]
}

fn reason(by: Block) -> RefusalReason {
    match by {
        Block::Service => RefusalReason::ServiceBlocked,
        Block::Feature(feature) => RefusalReason::FeatureBlocked { feature },
    }
}

/// What the rules say, in the plainest way.
#[derive(Default)]
struct Model {
    terms: [Terms; SERVICES as usize],
    live: [u32; SERVICES as usize],
    peak: [u32; SERVICES as usize],
    /// By worker and class; the place past the workers is that of threads without one.
    counters: HashMap<(usize, Class), ClassCounters>,
}

impl Model {
    fn reason(&self, class: Class, counted: bool) -> Option<RefusalReason> {
        let terms = self.terms[class.service.at()];
        let live = self.live[class.service.at()];
        let brought = class.features.intersection(terms.blocked_features);
        let barred = class.features.intersection(terms.barred_features);
        let blocked = match (terms.block, brought.iter().next()) {
            (Some(block), _) => Some(reason(block)),
            (None, Some(feature)) => Some(reason(Block::Feature(feature))),
            (None, None) => {
                let eased = self.eased(class).filter(|eased| eased.percent == 100);
                eased.map(|eased| reason(eased.by))
            }
        };
        let full = |extra| counted && terms.ceiling.is_some_and(|ceiling| live >= ceiling + extra);
        let at_ceiling = |extra| full(extra).then_some(RefusalReason::AtCeiling);
        match class.kind {
            CallKind::Emergency => None,
            CallKind::Priority if terms.priority_share > 0 && barred.is_empty() => {
                at_ceiling(terms.priority_share)
            }
            CallKind::Priority | CallKind::Ordinary => blocked.or(at_ceiling(0)),
        }
    }

    /// The block that is tried out on a class.
    fn eased(&self, class: Class) -> Option<Eased> {
        let terms = self.terms[class.service.at()];
        let tried: Vec<(FeatureIndex, u8)> = terms.eased_features.into();
        let brought = tried.into_iter().filter_map(|(feature, percent)| {
            let by = Block::Feature(feature);
            let brings = class.features.contains(feature);
            brings.then_some(Eased { by, percent })
        });
        let mut both: Vec<_> = terms.eased.into_iter().chain(brought).collect();
        both.sort_by_key(|eased| std::cmp::Reverse(eased.percent));
        both.first().copied()
    }

    /// Counts a call that a block was to refuse and let through.
    fn let_through(&mut self, worker: usize, class: Class) {
        let terms = self.terms[class.service.at()];
        let brought = class.features.intersection(terms.blocked_features);
        let barred = class.features.intersection(terms.barred_features);
        let exempt = match class.kind {
            CallKind::Emergency => true,
            CallKind::Priority => terms.priority_share > 0 && barred.is_empty(),
            CallKind::Ordinary => false,
        };
        if exempt || terms.block.is_some() || !brought.is_empty() {
            return;
        }
        let eased = self.eased(class).map(|eased| eased.by);
        let counters = self.counters(worker, class);
        match eased {
            Some(Block::Service) => counters.eased_service += 1,
            Some(Block::Feature(_)) => counters.eased_feature += 1,
            None => {}
        }
    }

    fn counters(&mut self, worker: usize, class: Class) -> &mut ClassCounters {
        self.counters.entry((worker, class)).or_default()
    }

    fn enter(&mut self, worker: usize, class: Class) {
        self.counters(worker, class).admitted += 1;
        if class.kind != CallKind::Emergency {
            let at = class.service.at();
            self.live[at] += 1;
            self.peak[at] = self.peak[at].max(self.live[at]);
        }
    }

    fn leave(&mut self, worker: usize, class: Class) {
        self.counters(worker, class).released += 1;
        if class.kind != CallKind::Emergency {
            self.live[class.service.at()] -= 1;
        }
    }

    fn refuse(&mut self, worker: usize, class: Class, reason: RefusalReason) {
        let counters = self.counters(worker, class);
        match reason {
            RefusalReason::ServiceBlocked => counters.refused_service += 1,
            RefusalReason::FeatureBlocked { .. } => counters.refused_feature += 1,
            RefusalReason::AtCeiling => counters.refused_ceiling += 1,
            RefusalReason::LowPriority => counters.refused_low += 1,
            RefusalReason::Unsettled => panic!("nobody stands still"),
        }
    }

    /// Does the token of the one serve the other?
    fn same_ledger(old: Class, new: Class) -> bool {
        let emergency = |class: Class| class.kind == CallKind::Emergency;
        old.service == new.service && !emergency(old) && !emergency(new)
    }
}

/// Both side by side.
struct Pair {
    gate: Arc<Gate>,
    workers: Vec<WorkerGate>,
    sessions: Vec<(Permit, Class)>,
    model: Model,
}

impl Pair {
    fn new(form: Form, batch: u32, calm: u32) -> Self {
        let config = GateConfig {
            batch,
            calm,
            form,
            ..GateConfig::new(SERVICES, WORKERS as u16)
        };
        let gate = Gate::new(config).unwrap();
        Self {
            workers: (0..WORKERS).map(|_| gate.worker().unwrap()).collect(),
            gate,
            sessions: Vec::new(),
            model: Model::default(),
        }
    }

    /// Interned at first use, under whatever terms hold then.
    fn id(&self, class: Class) -> ClassId {
        let id = self.gate.intern(class).unwrap();
        assert_eq!(self.gate.class(id), Some(class));
        id
    }

    fn pick(&mut self, session: usize) -> Option<(Permit, Class)> {
        let sessions = self.sessions.len();
        (sessions > 0).then(|| self.sessions.swap_remove(session % sessions))
    }

    /// The refusal that the model expects, in the gate's words.
    fn check_refusal(
        &mut self,
        worker: usize,
        class: Class,
        refusal: enforcer::Refusal,
        expected: Option<RefusalReason>,
    ) {
        let at = class.service.at();
        assert_eq!(Some(refusal.reason), expected);
        assert_eq!(refusal.sessions, self.model.live[at]);
        assert_eq!(refusal.ceiling, self.model.terms[at].ceiling);
        self.model.refuse(worker, class, refusal.reason);
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Admit { worker, class } => self.admit(worker, class),
            Step::Replace {
                worker,
                session,
                class,
            } => self.replace(worker, session, class),
            Step::Restore { worker, class } => {
                let id = self.id(class);
                self.sessions
                    .push((self.workers[worker].restore(id), class));
                self.model.enter(worker, class);
            }
            Step::Reclass {
                worker,
                session,
                class,
            } => self.reclass(worker, session, class),
            Step::Release { worker, session } => {
                if let Some((permit, class)) = self.pick(session) {
                    self.workers[worker].release(permit);
                    self.model.leave(worker, class);
                }
            }
            Step::ReleaseAnywhere { session } => {
                if let Some((permit, class)) = self.pick(session) {
                    self.gate.release(permit);
                    self.model.leave(WORKERS, class);
                }
            }
            Step::SetTerms { service, terms } => {
                self.gate.set_terms(service, terms);
                self.model.terms[service.at()] = terms;
                assert_eq!(self.gate.terms(service), terms);
            }
            Step::CountExactly { service } => {
                assert_eq!(
                    self.gate.count_exact(service),
                    self.model.live[service.at()]
                );
            }
            Step::Reseat { worker } => {
                let last = self.workers.len() - 1;
                drop(self.workers.swap_remove(worker));
                self.workers.push(self.gate.worker().unwrap());
                self.workers.swap(worker, last);
                assert_eq!(usize::from(self.workers[worker].index()), worker);
            }
        }
    }

    fn admit(&mut self, worker: usize, class: Class) {
        let id = self.id(class);
        let expected = self.model.reason(class, true);
        match self.workers[worker].admit(id) {
            Ok(permit) => {
                assert_eq!(expected, None);
                self.sessions.push((permit, class));
                self.model.let_through(worker, class);
                self.model.enter(worker, class);
            }
            Err(refusal) => self.check_refusal(worker, class, refusal, expected),
        }
    }

    //= L13
    fn replace(&mut self, worker: usize, session: usize, class: Class) {
        let Some((old, was)) = self.pick(session) else {
            return;
        };
        let id = self.id(class);
        let same = Model::same_ledger(was, class);
        let expected = self.model.reason(class, !same);
        match self.workers[worker].replace(old, id) {
            Ok(permit) => {
                assert_eq!(expected, None);
                self.sessions.push((permit, class));
                self.model.let_through(worker, class);
                self.change(worker, was, class, same);
            }
            Err((refusal, old)) => {
                self.check_refusal(worker, class, refusal, expected);
                self.sessions.push((old, was));
            }
        }
    }

    //= L7
    fn reclass(&mut self, worker: usize, session: usize, class: Class) {
        let Some((permit, was)) = self.pick(session) else {
            return;
        };
        let id = self.id(class);
        let permit = self.workers[worker].reclass(permit, id);
        self.sessions.push((permit, class));
        if was != class {
            self.change(worker, was, class, Model::same_ledger(was, class));
        }
    }

    /// Within a ledger no token moves, hence no peak; across ledgers the new one is there before the old one goes.
    fn change(&mut self, worker: usize, was: Class, class: Class, same_ledger: bool) {
        if same_ledger {
            self.model.counters(worker, class).admitted += 1;
            self.model.counters(worker, was).released += 1;
        } else {
            self.model.enter(worker, class);
            self.model.leave(worker, was);
        }
    }

    /// Everything that can be read.
    fn check(&self) {
        for service in (0..SERVICES).map(ServiceIndex) {
            assert_eq!(self.gate.count(service), self.model.live[service.at()]);
            assert_eq!(self.gate.peak(service), self.model.peak[service.at()]);
        }
        let counts = self.gate.sample();
        for (place, count) in counts.services.iter().enumerate() {
            assert_eq!(
                (count.sessions, count.peak),
                (self.model.live[place], self.model.peak[place])
            );
        }
        for count in &counts.classes {
            let id = self.id(count.class);
            let of = |worker| {
                self.model
                    .counters
                    .get(&(worker, count.class))
                    .copied()
                    .unwrap_or_default()
            };
            for (place, worker) in self.workers.iter().enumerate() {
                assert_eq!(worker.counters(id), of(place));
            }
            let sum = (0..=WORKERS).map(of).reduce(add).unwrap_or_default();
            assert_eq!(count.counters, sum);
        }
        assert_eq!(permits_dropped(), 0);
    }

    fn end(mut self) {
        for (permit, class) in self.sessions.drain(..) {
            self.workers[0].release(permit);
            self.model.leave(0, class);
        }
        self.check();
        for service in (0..SERVICES).map(ServiceIndex) {
            assert_eq!(self.gate.count_exact(service), 0);
        }
    }
}

fn add(a: ClassCounters, b: ClassCounters) -> ClassCounters {
    ClassCounters {
        admitted: a.admitted + b.admitted,
        released: a.released + b.released,
        refused_service: a.refused_service + b.refused_service,
        refused_feature: a.refused_feature + b.refused_feature,
        refused_ceiling: a.refused_ceiling + b.refused_ceiling,
        refused_low: a.refused_low + b.refused_low,
        refused_unsettled: a.refused_unsettled + b.refused_unsettled,
        eased_service: a.eased_service + b.eased_service,
        eased_feature: a.eased_feature + b.eased_feature,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, failure_persistence: None, ..ProptestConfig::default() })]

    /// Ceilings, blocks, priority, emergency, debt and every movement between classes, workers and services.
    //= L7
    //= L8
    //= L9
    //= L13
    #[test]
    fn the_gate_answers_as_the_model(
        batch in 1..=8u32,
        calm in 0..6u32,
        steps in prop::collection::vec(step(), 1..400),
    ) {
        for form in [Form::Atomic, Form::Asymmetric(|| true)] {
            let mut pair = Pair::new(form, batch, calm);
            for (place, step) in steps.iter().enumerate() {
                pair.take(step.clone());
                if place % 16 == 0 {
                    pair.check();
                }
            }
            pair.end();
        }
    }
}
