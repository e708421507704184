use std::collections::VecDeque;
use std::sync::Arc;

use super::*;
use crate::gate::{ClassId, Gate, GateConfig, Permit, WorkerGate};
use crate::verdicts::{CallWindow, Effect, Foreseen, PREVIEW_WINDOW_MIN};

/// Calls an hour of the scenarios.
const CALLS: u64 = 3_600;

/// A machine, the gate that it orders, and calls of which each lasts until so many more have come.
struct Scene {
    rig: Rig,
    gate: Arc<Gate>,
    worker: WorkerGate,
    live: VecDeque<Option<Permit>>,
}

impl Scene {
    fn new(rig: Rig) -> Self {
        let gate = Gate::new(GateConfig::new(2, 1)).unwrap();
        let worker = gate.worker().unwrap();
        let mut scene = Self {
            rig,
            gate,
            worker,
            live: VecDeque::new(),
        };
        scene.order();
        scene
    }

    /// The gate has what the machine orders.
    fn order(&mut self) {
        for service in [S, T] {
            self.gate.set_terms(service, self.rig.terms(service));
        }
    }

    fn class(&self, features: &[FeatureIndex]) -> ClassId {
        self.gate
            .intern(class(S, features, CallKind::Ordinary))
            .unwrap()
    }

    /// Calls of these classes in turn; says how many were refused.
    fn calls(&mut self, calls: u64, classes: &[ClassId], last: usize) -> u64 {
        let mut refused = 0;
        for class in classes.iter().cycle().take(usize::try_from(calls).unwrap()) {
            if self.live.len() >= last
                && let Some(Some(permit)) = self.live.pop_front()
            {
                self.worker.release(permit);
            }
            let permit = self.worker.admit(*class).ok();
            refused += u64::from(permit.is_none());
            self.live.push_back(permit);
        }
        refused
    }

    /// An hour of calls under what is in force, what `change` is foreseen to refuse, and what it then does.
    fn change(&mut self, change: Input, classes: &[ClassId], last: usize) -> (Foreseen, u64) {
        self.calls(last as u64, classes, last);
        let since = self.gate.sample();
        let refused = self.calls(CALLS, classes, last);
        assert_eq!(refused, 0, "before the change");
        let until = self.gate.sample();
        self.rig.tell(Input::Counts(until.clone()));
        let window = CallWindow {
            since: &since,
            until: &until,
            lasted: HOUR,
        };
        let foreseen = self
            .rig
            .enforcer
            .preview(change.clone(), window, self.rig.now);
        assert_eq!(foreseen[T.at()].refused_an_hour, Some(0));
        self.rig.tell(change);
        self.order();
        (foreseen[S.at()], self.calls(CALLS, classes, last))
    }

    fn end(mut self) {
        for permit in self.live.drain(..).flatten() {
            self.worker.release(permit);
        }
    }
}

/// Within a tenth of what was then seen.
fn near(foreseen: Foreseen, seen: u64) -> bool {
    let said = foreseen.refused_an_hour.unwrap();
    said.abs_diff(seen) * 10 <= seen
}

const ENABLE: Input = Input::SmartLicensing { enable: true };

#[test]
fn what_enabling_would_refuse_at_the_ceiling_of_evaluation_is_then_refused() {
    let mut scene = Scene::new(Rig::new(small("", "")));
    let class = scene.class(&[]);
    let (foreseen, seen) = scene.change(ENABLE, &[class], 20);
    assert_eq!(foreseen.effect, Effect::AtCeiling);
    assert_eq!(foreseen.calls, CALLS);
    // Ten of twenty find room; ten more go before the first does.
    assert_eq!(foreseen.refused_an_hour, Some(1_810));
    assert!(near(foreseen, seen), "{foreseen:?}, {seen} seen");
    scene.end();
}

#[test]
fn calls_that_fit_under_the_ceiling_go_on() {
    let mut scene = Scene::new(Rig::new(small("", "")));
    let class = scene.class(&[]);
    let (foreseen, seen) = scene.change(ENABLE, &[class], 10);
    assert_eq!(foreseen.effect, Effect::Unchanged);
    assert_eq!((foreseen.refused_an_hour, seen), (Some(0), 0));
    scene.end();
}

#[test]
fn sessions_that_do_not_end_leave_what_is_free() {
    let mut scene = Scene::new(Rig::new(small("", "")));
    let class = scene.class(&[]);
    let since = scene.gate.sample();
    scene.calls(4, &[class], 100);
    let until = scene.gate.sample();
    let foreseen = |lasted| {
        let (since, until) = (&since, &until);
        let window = CallWindow {
            since,
            until,
            lasted,
        };
        scene.rig.enforcer.preview(ENABLE, window, scene.rig.now)[S.at()]
    };
    // 240 calls an hour, and 6 of 10 sessions are free.
    assert_eq!(foreseen(MINUTE).refused_an_hour, Some(234));
    let short = foreseen(PREVIEW_WINDOW_MIN - Duration::from_millis(1));
    assert_eq!(short.refused_an_hour, None);
    assert_eq!((short.effect, short.calls), (Effect::AtCeiling, 4));
    scene.end();
}

#[test]
fn a_block_refuses_every_call_or_those_that_bring_its_feature() {
    let cases = [
        ("service", Effect::Blocked, CALLS),
        ("call", Effect::Partly, CALLS / 3),
    ];
    for (tie, effect, refused) in cases {
        let rule = format!("on_ooc = \"block\"\ngrace_days = 0\ntie = \"{tie}\"");
        let mut rig = Rig::registered(small("", &rule));
        rig.verdict(TagRef::Service(S), Answer::Authorized, None);
        let mut scene = Scene::new(rig);
        let classes = [scene.class(&[F]), scene.class(&[]), scene.class(&[])];
        let objection = Input::Verdict {
            tag: TagRef::Feature(F),
            answer: Answer::OutOfCompliance,
            granted: None,
            lasts_ms: None,
        };
        let (foreseen, seen) = scene.change(objection, &classes, 6);
        assert_eq!((foreseen.effect, seen), (effect, refused), "{tie}");
        assert_eq!(foreseen.refused_an_hour, Some(refused), "{tie}");
        scene.end();
    }
}

#[test]
fn a_preview_changes_nothing() {
    let rig = Rig::new(small("", ""));
    let before = rig.snapshot();
    let window = CallWindow {
        since: &rig.counts,
        until: &rig.counts,
        lasted: HOUR,
    };
    rig.enforcer.preview(ENABLE, window, rig.now);
    assert_eq!(rig.snapshot(), before);
    assert_eq!(rig.terms(S), Terms::default());
}
