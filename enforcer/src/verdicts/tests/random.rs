//! Random inputs: what holds whatever happens.

use std::collections::BTreeSet;

use licensing::{Policy, RefusalReason};
use proptest::prelude::*;

use super::*;
use crate::counts::{LedgerBounds, RecountRow, WorkerRecount};
use crate::ring::RefusalSeen;
use crate::terms::Block;
use crate::verdicts::BulkstatsTroubles;

/// One input and the time that passes before it, or a restart in its place.
#[derive(Clone, Debug)]
struct Step {
    license_s: u64,
    wall_jump_s: i64,
    input: Option<Input>,
}

fn tag() -> impl Strategy<Value = TagRef> {
    // One place more than there are.
    prop_oneof![
        (0u8..3).prop_map(|at| TagRef::Service(ServiceIndex(at))),
        (0u8..2).prop_map(|at| TagRef::Feature(FeatureIndex(at))),
    ]
}

fn counts() -> impl Strategy<Value = Counts> {
    let service = prop_oneof![Just(0u32), 0u32..40];
    let services = prop::collection::vec((service, 0u32..60), 2);
    let class = (0u8..3, 0u64..2, 0u8..3, 0u64..9, 0u64..9, 0u64..4);
    let classes = prop::collection::vec(class, 0..4);
    (services, classes).prop_map(|(services, classes)| Counts {
        services: services
            .into_iter()
            .map(|(sessions, more)| ServiceCount {
                sessions,
                peak: sessions + more,
            })
            .collect(),
        classes: classes
            .into_iter()
            .map(
                |(service, features, kind, admitted, released, refused)| ClassCount {
                    class: Class {
                        service: ServiceIndex(service),
                        features: FeatureSet(features),
                        kind: [CallKind::Ordinary, CallKind::Priority, CallKind::Emergency]
                            [usize::from(kind)],
                    },
                    counters: ClassCounters {
                        admitted,
                        released,
                        refused_service: refused,
                        refused_feature: refused,
                        refused_ceiling: refused,
                        refused_low: refused,
                        ..ClassCounters::default()
                    },
                },
            )
            .collect(),
    })
}

fn recounted() -> impl Strategy<Value = Input> {
    let drift = prop_oneof![4 => Just(0i64), 1 => -2i64..3];
    (0u16..2, 0u8..3, 0u64..9, drift).prop_map(|(worker, service, table, drift)| {
        let class = class(ServiceIndex(service), &[F], CallKind::Ordinary);
        let counter = table as i64 + drift;
        let rows = vec![RecountRow {
            class,
            table,
            counter,
        }];
        Input::Recounted(WorkerRecount { worker, rows })
    })
}

fn refused() -> impl Strategy<Value = Input> {
    let reason = prop_oneof![
        Just(RefusalReason::AtCeiling),
        Just(RefusalReason::ServiceBlocked),
        (0u8..2).prop_map(|at| RefusalReason::FeatureBlocked {
            feature: FeatureIndex(at)
        }),
    ];
    (0u8..3, reason, any::<bool>()).prop_map(|(service, reason, new_subscriber)| {
        Input::Refusals(vec![RefusalSeen {
            at: START,
            service: ServiceIndex(service),
            reason,
            sessions: 10,
            ceiling: Some(10),
            apn: "a".into(),
            cause: 199,
            new_subscriber,
        }])
    })
}

fn verdict() -> impl Strategy<Value = Input> {
    let answer = prop_oneof![
        Just(Answer::Authorized),
        Just(Answer::OutOfCompliance),
        Just(Answer::InvalidTag),
    ];
    let licenses = prop::option::of(0u32..4);
    let lasts_ms = prop::option::of(0u64..200_000_000);
    (tag(), answer, licenses, lasts_ms).prop_map(|(tag, answer, licenses, lasts_ms)| {
        let granted = licenses.map(|licenses| Entitlement {
            licenses: LicenseCount(licenses),
            until: None,
        });
        Input::Verdict {
            tag,
            answer,
            granted,
            lasts_ms,
        }
    })
}

fn input() -> impl Strategy<Value = Input> {
    prop_oneof![
        2 => Just(Input::Timeout),
        2 => any::<bool>().prop_map(|enable| Input::SmartLicensing { enable }),
        2 => (0u8..2, any::<bool>()).prop_map(|(at, enabled)| Input::Feature {
            feature: FeatureIndex(at),
            enabled
        }),
        1 => (0u32..100_000).prop_map(|speedup| Input::LabSpeedup { speedup }),
        8 => counts().prop_map(Input::Counts),
        1 => (0u8..3, 0u64..200_000).prop_map(|(at, took_us)| Input::Sealed {
            service: ServiceIndex(at),
            took_us
        }),
        2 => refused(),
        1 => (0u64..5).prop_map(Input::RefusalsLost),
        3 => recounted(),
        2 => (0u8..3, 0u32..5).prop_map(|(at, ledger)| Input::LedgerChecked(vec![LedgerBounds {
            service: ServiceIndex(at),
            ledger,
            low: 1,
            high: 3
        }])),
        4 => Just(Input::Registered),
        1 => Just(Input::RegistrationFailed),
        1 => Just(Input::Deregistered),
        8 => verdict(),
        2 => (tag(), 0u32..5, any::<bool>()).prop_map(|(tag, licenses, ok)| Input::Reported {
            tag,
            licenses: LicenseCount(licenses),
            ok
        }),
        1 => Just(Input::AuthorityUnreachable),
        1 => Just(Input::AuthorityReached),
        1 => any::<bool>().prop_map(Input::StateWritten),
        1 => Just(Input::StateTampered),
        1 => any::<bool>().prop_map(|expiring| Input::AuthorityCertificate { expiring }),
        1 => any::<bool>().prop_map(Input::ControlStalled),
        1 => any::<bool>().prop_map(Input::AgentStalled),
        1 => any::<bool>().prop_map(Input::SnmpStalled),
        1 => any::<[bool; 5]>().prop_map(|[stalled, undelivered, host_key, discarding, not_written]| {
            Input::Bulkstats(BulkstatsTroubles {
                stalled,
                undelivered,
                host_key,
                discarding,
                not_written,
            })
        }),
        1 => Just(Input::Save),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let license_s = prop_oneof![0u64..120, 0u64..200_000, 0u64..4_000_000];
    let wall_jump_s = prop_oneof![9 => Just(0i64), 1 => -200_000i64..200_000];
    let input = prop_oneof![19 => input().prop_map(Some), 1 => Just(None)];
    (license_s, wall_jump_s, input).prop_map(|(license_s, wall_jump_s, input)| Step {
        license_s,
        wall_jump_s,
        input,
    })
}

/// What somebody knows who only hears outputs.
#[derive(Default)]
struct Listener {
    outstanding: BTreeSet<(AlarmKind, AlarmId)>,
    last: AlarmId,
    gate: [Terms; 2],
    charged: u32,
}

impl Listener {
    fn hear_all(&mut self, outputs: &[Output]) {
        for output in outputs {
            match output {
                Output::Event(event) => self.hear(event),
                Output::Terms { service, terms } => self.gate[service.at()] = *terms,
                Output::Persist(Record::Operator(_)) => {}
                Output::Persist(Record::Clock(clock)) => {
                    assert!(clock.evaluation_minutes >= self.charged, "it never falls");
                    self.charged = clock.evaluation_minutes;
                }
            }
        }
    }

    fn hear(&mut self, event: &Event) {
        if let Event::AlarmRaised { alarm } = event {
            let known = self.outstanding.iter().any(|(kind, _)| *kind == alarm.kind);
            assert!(!known, "raised twice: {alarm:?}");
            assert!(alarm.id >= self.last, "a number used again: {alarm:?}");
            self.last = AlarmId(alarm.id.0 + 1);
            self.outstanding.insert((alarm.kind, alarm.id));
        }
        if let Event::AlarmCleared { alarm } = event {
            let there = self.outstanding.remove(&(alarm.kind, alarm.id));
            assert!(there, "cleared and never raised: {alarm:?}");
        }
        if let Event::AlarmRepeated { alarm } = event {
            let there = self.outstanding.contains(&(alarm.kind, alarm.id));
            assert!(there, "repeated and never raised: {alarm:?}");
        }
    }

    fn check(&self, rig: &Rig) {
        let alarms = rig.snapshot().alarms;
        let table: BTreeSet<_> = alarms.iter().map(|alarm| (alarm.kind, alarm.id)).collect();
        assert_eq!(table, self.outstanding, "the table is the truth");
        assert_eq!(self.gate, [rig.terms(S), rig.terms(T)], "the gate was told");
    }
}

fn check_snapshot(snapshot: &Snapshot, rig: &Rig) {
    let enforced = snapshot.smart.ever_enabled;
    for row in snapshot.rows() {
        let tag = row.tag();
        if tag.policy == Policy::Block {
            assert!(enforced);
            assert_eq!(tag.state, licensing::snapshot::State::Block);
        }
        if !enforced || !tag.in_use {
            assert_eq!(tag.compliance, None);
        }
        let (live, left) = match snapshot.smart.mode {
            licensing::Mode::Evaluation => (tag.evaluation, tag.registered),
            licensing::Mode::Registered => (tag.registered, tag.evaluation),
        };
        assert_eq!(left.cur_call_count, 0);
        if enforced {
            assert_eq!(live.policy, Some(tag.policy));
            assert_eq!(live.cur_call_count, row.sessions().0);
        }
        assert!(live.max_call_count >= live.cur_call_count);
        assert!(live.max_lic_count >= live.last_lic_count);
    }
    for row in &snapshot.services {
        let terms = rig.terms(row.service);
        let blocked = row.tag.policy == Policy::Block;
        assert_eq!(terms.block == Some(Block::Service), blocked);
        assert_eq!(
            terms.block.is_some(),
            row.tag.state == licensing::snapshot::State::Block
        );
        assert_eq!(row.blocked_by.is_some(), terms.block.is_some() && !blocked);
        if let Some(ceiling) = row.ceiling {
            assert_eq!(terms.ceiling, Some(ceiling.0));
        }
    }
    let evaluation = snapshot.evaluation;
    assert_eq!(
        evaluation.used_s + evaluation.remaining_s,
        evaluation.total_s
    );
}

fn walk(steps: &[Step], rule: &str) {
    let config = Config {
        lab: lab(1),
        workers: 2,
        history: 4,
        ..small(rule, "grace_days = 2\ntie = \"call\"")
    };
    let mut rig = Rig::new(config);
    let mut listener = Listener::default();
    let mut used_s = 0;
    for step in steps {
        rig.now.wall.0 += step.wall_jump_s * 1_000;
        rig.pass(Duration::from_secs(step.license_s));
        match &step.input {
            Some(input) => rig.tell(input.clone()),
            None => {
                replay(&rig);
                listener.hear_all(&rig.said());
                rig = rig.restart();
            }
        }
        let snapshot = rig.snapshot();
        assert!(snapshot.evaluation.used_s >= used_s, "it never falls");
        used_s = snapshot.evaluation.used_s;
        check_snapshot(&snapshot, &rig);
    }
    replay(&rig);
    listener.hear_all(&rig.said());
    listener.check(&rig);
}

/// The same inputs at the same times, read back from a journal, make the same outputs and the same snapshot.
fn replay(rig: &Rig) {
    let mut again = rig.enforcer_at_start();
    for told in &rig.told {
        let line = serde_json::to_string(told).unwrap();
        let (input, now) = serde_json::from_str(&line).unwrap();
        again.handle(input, now);
    }
    let outputs: Vec<_> = std::iter::from_fn(|| again.poll_output()).collect();
    assert_eq!(outputs, rig.outputs);
    assert_eq!(again.snapshot(rig.now), rig.snapshot());
    assert!(again.history().eq(rig.enforcer.history()));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    //= L3
    //= L15
    //= L16
    #[test]
    fn whatever_happens_the_rules_hold(
        steps in prop::collection::vec(step(), 1..120),
        rule in prop_oneof![Just(""), Just("grace_days = 3"), Just("on_ooc = \"allow\"")],
    ) {
        walk(&steps, rule);
    }
}
