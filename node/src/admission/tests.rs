use api::{CallKind as Kind, LEASE_MS_MIN};
use enforcer::gate::permits_dropped;
use enforcer::{Gate, GateConfig, Terms};
use licensing::{LicenseTime, RefusalReason, Wall};
use proptest::prelude::*;

use super::*;

const MS: u64 = 1_000_000;
const LEASE_MS: u64 = 2_000;

fn at(ms: u64) -> Now {
    Now {
        mono: Mono(ms * MS),
        wall: Wall(ms as i64),
        license: LicenseTime(0),
    }
}

fn class(service: &str, kind: Kind) -> CallClass {
    CallClass {
        service: service.into(),
        features: Vec::new(),
        kind,
    }
}

struct Rig {
    admissions: Admissions,
    gate: Arc<Gate>,
    ring: Arc<RefusalRing>,
    mme: ServiceIndex,
}

impl Rig {
    fn new(ceiling: Option<u32>) -> Self {
        let catalog = Arc::new(Catalog::staros());
        let services = u8::try_from(catalog.services().len()).unwrap();
        let gate = Gate::new(GateConfig::new(services, 1)).unwrap();
        let mme = catalog.service_named("MME").unwrap();
        let terms = Terms {
            ceiling,
            ..Terms::default()
        };
        gate.set_terms(mme, terms);
        let ring = Arc::new(RefusalRing::new(10_000));
        let seat = gate.worker().unwrap();
        let every = Duration::from_secs(1);
        let admissions = Admissions::new(seat, catalog, Arc::clone(&ring), 100, every);
        Self {
            admissions,
            gate,
            ring,
            mme,
        }
    }

    fn open(&mut self, name: &str, instance: u64, ms: u64) -> Result<ClientLease, AdmissionError> {
        let classes = vec![class("MME", Kind::Ordinary), class("MME", Kind::Emergency)];
        let open = ClientRequest::Open {
            name: name.into(),
            instance,
            lease_ms: LEASE_MS,
            classes,
        };
        self.admissions.handle(open, at(ms))
    }

    fn batch(
        &mut self,
        lease: u64,
        sequence: u64,
        (operation, class, calls): (BatchOperation, u16, u32),
        ms: u64,
    ) -> Result<ClientLease, AdmissionError> {
        let batch = ClientRequest::Batch {
            lease,
            sequence,
            operation,
            class,
            calls,
        };
        self.admissions.handle(batch, at(ms))
    }

    fn admit(&mut self, lease: u64, sequence: u64, calls: u32, ms: u64) -> ClientLease {
        let batch = (BatchOperation::Admit, 0, calls);
        self.batch(lease, sequence, batch, ms).unwrap()
    }

    fn counted(&self) -> u32 {
        self.gate.count_exact(self.mme)
    }

    fn drift(&mut self, ms: u64) -> u64 {
        self.admissions.recount_due = Mono(0);
        let recount = self.admissions.recount(at(ms).mono).unwrap();
        let rows = recount.rows.iter();
        rows.map(|row| row.counter.abs_diff(row.table.cast_signed()))
            .sum()
    }
}

//= L13
#[test]
fn the_same_batch_once_more_takes_nothing_and_gets_the_same_answer() {
    let mut rig = Rig::new(Some(10));
    let lease = rig.open("mme", 1, 0).unwrap().lease;
    let first = rig.admit(lease, 1, 7, 100);
    assert_eq!(rig.admit(lease, 1, 7, 500), first);
    assert_eq!((rig.counted(), first.holds.clone()), (7, vec![7, 0]));
    let wrong = rig.batch(lease, 1, (BatchOperation::Release, 0, 7), 600);
    let conflict = AdmissionError::Sequence {
        sequence: 1,
        last: 1,
    };
    assert_eq!(wrong, Err(conflict));
    let ahead = rig.batch(lease, 3, (BatchOperation::Admit, 0, 1), 600);
    assert!(matches!(ahead, Err(AdmissionError::Sequence { .. })));
    assert_eq!(rig.counted(), 7);
    let opened = rig.open("mme", 1, 700).unwrap();
    assert_eq!((opened.lease, opened.sequence), (lease, 1));
    assert_eq!(opened.holds, [7, 0]);
}

/// What is refused is told, explained and counted; an emergency is not refused.
//= L8
//= L17
#[test]
fn a_batch_is_admitted_up_to_the_ceiling() {
    let mut rig = Rig::new(Some(10));
    let lease = rig.open("mme", 1, 0).unwrap().lease;
    let outcome = rig.admit(lease, 1, 13, 100).batch.unwrap();
    assert_eq!(outcome.done, 10);
    let refused = BatchRefusal {
        calls: 3,
        reason: RefusalReason::AtCeiling,
        sessions: 10,
        ceiling: Some(10),
    };
    assert_eq!(outcome.refused, Some(refused));
    let seen = rig.ring.drain();
    assert_eq!(seen.len(), 3);
    let explained = seen.iter().all(|seen| {
        &*seen.apn == "mme"
            && seen.ceiling == Some(10)
            && seen.at == Wall(100)
            && seen.sessions == 10
    });
    assert!(explained, "{seen:?}");
    let emergency = rig.batch(lease, 2, (BatchOperation::Admit, 1, 5), 200);
    assert_eq!(emergency.unwrap().holds, [10, 5]);
    assert_eq!((rig.counted(), rig.admissions.emergency()), (10, 5));
    let row = rig.admissions.clients(at(700).mono).remove(0);
    assert_eq!((row.sessions, row.admitted, row.refused), (15, 15, 3));
    assert_eq!(
        (row.services, row.lease_left_ms),
        (vec!["MME".into()], 1_500)
    );
    assert_eq!(rig.drift(800), 0);
}

//= L13
#[test]
fn a_silent_client_gives_back_once_and_only_after_its_lease() {
    let mut rig = Rig::new(None);
    let dead = rig.open("dead", 1, 0).unwrap().lease;
    let living = rig.open("living", 2, 0).unwrap().lease;
    rig.admit(dead, 1, 40, 100);
    rig.admit(living, 1, 2, 100);
    let beat = ClientRequest::Heartbeat { lease: living };
    let beat = rig.admissions.handle(beat, at(1_500)).unwrap();
    assert_eq!(beat.lease_left_ms, LEASE_MS);
    rig.admissions.expire(at(100 + LEASE_MS - 1).mono);
    assert_eq!(rig.counted(), 42);
    for ms in [100 + LEASE_MS, 101 + LEASE_MS] {
        rig.admissions.expire(at(ms).mono);
        assert_eq!((rig.counted(), rig.admissions.totals().expired), (2, 40));
    }
    let late = rig.batch(dead, 2, (BatchOperation::Release, 0, 1), 2_200);
    assert_eq!(late, Err(AdmissionError::UnknownLease(dead)));
    assert_eq!(rig.drift(2_200), 0);
    let again = rig.open("dead", 3, 2_300).unwrap();
    assert_ne!(again.lease, dead);
    let close = ClientRequest::Close { lease: living };
    assert_eq!(
        rig.admissions.handle(close, at(2_400)).unwrap().holds,
        [0, 0]
    );
    assert_eq!((rig.counted(), rig.admissions.totals().closed), (0, 2));
}

/// What lives is counted whatever the ceiling says; new calls wait until use is below it.
//= L7
//= L9
#[test]
fn a_restored_session_is_never_refused_and_makes_debt() {
    let mut rig = Rig::new(Some(5));
    let lease = rig.open("mme", 1, 0).unwrap().lease;
    let restored = rig.batch(lease, 1, (BatchOperation::Restore, 0, 8), 10);
    assert_eq!(restored.unwrap().holds, [8, 0]);
    assert_eq!(rig.counted(), 8);
    assert_eq!(rig.admit(lease, 2, 1, 20).batch.unwrap().done, 0);
    let late = rig.batch(lease, 3, (BatchOperation::Restore, 0, 1), 30);
    assert_eq!(late, Err(AdmissionError::RestoreTooLate));
    rig.batch(lease, 3, (BatchOperation::Release, 0, 4), 40)
        .unwrap();
    assert_eq!(rig.admit(lease, 4, 2, 50).batch.unwrap().done, 1);
    let row = rig.admissions.clients(at(60).mono).remove(0);
    assert_eq!((row.restored, row.admitted, row.sessions), (8, 1, 5));
}

#[test]
fn every_bound_is_told() {
    let mut rig = Rig::new(None);
    let lease = rig.open("mme", 1, 0).unwrap().lease;
    let taken = rig.open("mme", 2, 500);
    let lease_left_ms = 1_500;
    let name = "mme".to_owned();
    assert_eq!(
        taken,
        Err(AdmissionError::NameTaken {
            name,
            lease_left_ms
        })
    );
    let cases = [
        ((BatchOperation::Admit, 0, 0), AdmissionError::Calls(0)),
        (
            (BatchOperation::Admit, 0, 1_001),
            AdmissionError::Calls(1_001),
        ),
        (
            (BatchOperation::Admit, 2, 1),
            AdmissionError::Class {
                class: 2,
                classes: 2,
            },
        ),
        (
            (BatchOperation::Release, 0, 1),
            AdmissionError::NotHeld { calls: 1, held: 0 },
        ),
    ];
    for (batch, error) in cases {
        assert_eq!(rig.batch(lease, 1, batch, 600), Err(error));
    }
    let mut open = |name: &str, lease_ms, classes| {
        let open = ClientRequest::Open {
            name: name.into(),
            instance: 1,
            lease_ms,
            classes,
        };
        rig.admissions.handle(open, at(700)).unwrap_err()
    };
    let mme = || vec![class("MME", Kind::Ordinary)];
    assert_eq!(open("m e", LEASE_MS, mme()), AdmissionError::Name);
    assert_eq!(open("", LEASE_MS, mme()), AdmissionError::Name);
    let short = LEASE_MS_MIN - 1;
    assert_eq!(open("m", short, mme()), AdmissionError::LeaseLength(short));
    assert_eq!(open("m", LEASE_MS, vec![]), AdmissionError::Classes(0));
    let many = vec![class("MME", Kind::Ordinary); 33];
    assert_eq!(open("m", LEASE_MS, many), AdmissionError::Classes(33));
    let unknown = AdmissionError::UnknownService("MMX".into());
    assert_eq!(
        open("m", LEASE_MS, vec![class("MMX", Kind::Ordinary)]),
        unknown
    );
    for more in 1..CLIENTS {
        rig.open(&format!("mme-{more}"), 1, 700).unwrap();
    }
    let full = rig.open("one-more", 1, 700);
    assert_eq!(full, Err(AdmissionError::ClientsFull));
}

const CLIENTS: usize = api::CLIENTS_MAX;

#[test]
fn the_end_of_the_node_gives_everything_back() {
    let mut rig = Rig::new(None);
    let lease = rig.open("mme", 1, 0).unwrap().lease;
    rig.admit(lease, 1, 9, 0);
    let Rig {
        admissions,
        gate,
        mme,
        ..
    } = rig;
    drop(admissions);
    assert_eq!((gate.count_exact(mme), permits_dropped()), (0, 0));
}

/// What a client does next.
#[derive(Clone, Copy, Debug)]
enum Step {
    Open,
    Admit(u32),
    Release(u32),
    Restore(u32),
    Retry,
    Heartbeat,
    Close,
    Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => Just(Step::Open),
        5 => (1u32..9).prop_map(Step::Admit),
        3 => (1u32..9).prop_map(Step::Release),
        1 => (1u32..9).prop_map(Step::Restore),
        3 => Just(Step::Retry),
        2 => Just(Step::Heartbeat),
        1 => Just(Step::Close),
        3 => (1u64..1_500).prop_map(Step::Wait),
    ]
}

/// What a client should hold, and until when.
#[derive(Clone, Debug)]
struct Model {
    lease: u64,
    until: u64,
    sequence: u64,
    held: u32,
    begun: bool,
    last: Option<((BatchOperation, u16, u32), ClientLease)>,
}

const CEILING: u32 = 20;

/// Runs one step of one client against the model.
fn run(rig: &mut Rig, models: &mut [Option<Model>; 4], who: usize, step: Step, now: u64) {
    let total: u32 = models.iter().flatten().map(|model| model.held).sum();
    let Some(model) = &mut models[who] else {
        if let Step::Open = step {
            let lease = rig.open(&format!("c{who}"), 1, now).unwrap();
            models[who] = Some(Model {
                lease: lease.lease,
                until: now + LEASE_MS,
                sequence: 0,
                held: 0,
                begun: false,
                last: None,
            });
        }
        return;
    };
    let (batch, done) = match step {
        Step::Open => {
            let again = rig.open(&format!("c{who}"), 1, now).unwrap();
            assert_eq!(
                (again.lease, again.holds[0]),
                (model.lease, model.held.into())
            );
            model.until = now + LEASE_MS;
            return;
        }
        Step::Heartbeat => {
            let lease = model.lease;
            let beat = rig
                .admissions
                .handle(ClientRequest::Heartbeat { lease }, at(now));
            assert_eq!(beat.unwrap().holds[0], u64::from(model.held));
            model.until = now + LEASE_MS;
            return;
        }
        Step::Close => {
            let lease = model.lease;
            let closed = rig
                .admissions
                .handle(ClientRequest::Close { lease }, at(now));
            assert!(closed.is_ok());
            models[who] = None;
            return;
        }
        Step::Retry => {
            if let Some((batch, answer)) = &model.last {
                let again = rig.batch(model.lease, model.sequence, *batch, now);
                assert_eq!(again.as_ref(), Ok(answer));
                model.until = now + LEASE_MS;
            }
            return;
        }
        Step::Wait(_) => return,
        Step::Admit(calls) => {
            let room = CEILING.saturating_sub(total);
            ((BatchOperation::Admit, 0, calls), Some(calls.min(room)))
        }
        Step::Release(calls) => {
            let done = (calls <= model.held).then_some(calls);
            ((BatchOperation::Release, 0, calls), done)
        }
        Step::Restore(calls) => {
            let done = (!model.begun).then_some(calls);
            ((BatchOperation::Restore, 0, calls), done)
        }
    };
    let answer = rig.batch(model.lease, model.sequence + 1, batch, now);
    model.until = now + LEASE_MS;
    let Some(done) = done else {
        assert!(answer.is_err(), "{answer:?}");
        return;
    };
    let answer = answer.unwrap();
    assert_eq!(answer.batch.unwrap().done, done);
    model.held = match batch.0 {
        BatchOperation::Release => model.held - done,
        BatchOperation::Admit | BatchOperation::Restore => model.held + done,
    };
    model.begun |= batch.0 != BatchOperation::Restore;
    model.sequence += 1;
    model.last = Some((batch, answer));
}

proptest! {
    /// Clients that die, retry, restore and come back: the gate holds what the living hold, at every step.
    //= L13
    //= L14
    #[test]
    fn the_gate_holds_what_living_clients_hold(steps in prop::collection::vec((0usize..4, step()), 1..120)) {
        let mut rig = Rig::new(Some(CEILING));
        let mut models: [Option<Model>; 4] = Default::default();
        let mut now = 0;
        for (who, step) in steps {
            if let Step::Wait(ms) = step {
                now += ms;
                rig.admissions.expire(at(now).mono);
                for model in &mut models {
                    if model.as_ref().is_some_and(|model| model.until <= now) {
                        *model = None;
                    }
                }
            }
            run(&mut rig, &mut models, who, step, now);
            let held: u32 = models.iter().flatten().map(|model| model.held).sum();
            prop_assert_eq!(rig.counted(), held);
            prop_assert_eq!(rig.drift(now), 0);
        }
        let Rig { admissions, gate, mme, .. } = rig;
        drop(admissions);
        prop_assert_eq!((gate.count_exact(mme), permits_dropped()), (0, 0));
    }
}

/// Otherwise what is released and restored again and again would never meet a ceiling.
#[test]
fn what_was_released_is_not_restored_under_the_same_lease() {
    let mut rig = Rig::new(Some(5));
    let lease = rig.open("mme", 1, LEASE_MS).unwrap().lease;
    rig.batch(lease, 1, (BatchOperation::Restore, 0, 8), 10)
        .unwrap();
    rig.batch(lease, 2, (BatchOperation::Release, 0, 8), 20)
        .unwrap();
    let again = rig.batch(lease, 3, (BatchOperation::Restore, 0, 8), 30);
    assert_eq!(again, Err(AdmissionError::RestoreTooLate));
}

/// The lock is held for one step at a time, so that other clients are answered in between.
//= L13 L14
#[test]
fn leases_that_run_out_together_give_back_in_steps_what_they_held() {
    let mut rig = Rig::new(None);
    let clients = api::CLIENTS_MAX as u32;
    for n in 0..clients {
        let lease = rig.open(&format!("mme-{n}"), 1, 0).unwrap().lease;
        assert_eq!(rig.admit(lease, 1, 1_000, 0).holds, [1_000, 0]);
    }
    let over = at(LEASE_MS).mono;
    let mut left = clients * 1_000;
    assert_eq!(rig.counted(), left);
    assert!(rig.admissions.expire(over), "more to do");
    left -= 4_096;
    assert_eq!(
        (rig.counted(), rig.admissions.clients(over).len()),
        (left, 0)
    );
    assert_eq!(rig.admissions.by_service()[&rig.mme], u64::from(left));
    assert_eq!(rig.drift(LEASE_MS), 0);
    // A client that comes now is served at once, and each of its requests is a step too.
    let lease = rig.open("mme-0", 2, LEASE_MS).unwrap().lease;
    rig.admit(lease, 1, 10, LEASE_MS);
    left -= 2 * 4_096;
    assert_eq!(rig.counted(), left + 10);
    let mut steps = 1;
    while rig.admissions.expire(over) {
        left -= 4_096;
        assert_eq!(rig.counted(), left + 10);
        steps += 1;
    }
    assert_eq!(steps, (clients * 1_000 / 4_096) - 2);
    assert_eq!((rig.counted(), rig.drift(LEASE_MS)), (10, 0));
    assert_eq!(rig.admissions.totals().expired, u64::from(clients) * 1_000);
    assert_eq!(permits_dropped(), 0);
}

/// What a client closes, and what the node ends with, comes back whole.
//= L13
#[test]
fn a_close_and_the_end_of_the_node_give_back_what_no_step_has_yet() {
    let mut rig = Rig::new(None);
    for n in 0..10 {
        let lease = rig.open(&format!("mme-{n}"), 1, 0).unwrap().lease;
        rig.admit(lease, 1, 1_000, 0);
    }
    rig.admissions.expire(at(LEASE_MS).mono);
    let lease = rig.open("late", 1, LEASE_MS).unwrap().lease;
    rig.admit(lease, 1, 5, LEASE_MS);
    let close = ClientRequest::Close { lease };
    rig.admissions.handle(close, at(LEASE_MS)).unwrap();
    let totals = rig.admissions.totals();
    assert_eq!((totals.expired, totals.closed), (10_000, 5));
    assert_eq!((totals.made, totals.refused), (10_005, 0));
    assert_eq!(rig.counted(), 0);
    let lease = rig.open("last", 1, LEASE_MS).unwrap().lease;
    for sequence in 1..=9 {
        rig.admit(lease, sequence, 1_000, LEASE_MS);
    }
    rig.admissions.expire(at(2 * LEASE_MS).mono);
    assert_eq!(rig.counted(), 9_000 - 4_096);
    let Rig {
        admissions,
        gate,
        mme,
        ..
    } = rig;
    drop(admissions);
    assert_eq!((gate.count_exact(mme), permits_dropped()), (0, 0));
}
