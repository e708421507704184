//! The gate under eight threads, judged by an oracle of its own.
//!
//! Bounded by operations, not by time. Each run prints its seed; `TOLLGATE_SEED=n` repeats it, as far as the scheduler
//! lets it. Which form the gate has, and how long a seal waits, `form` of the parent says.
//!
//! The oracle keeps two counts of a service beside the gate. `low` rises after an admission has returned and falls before
//! a release begins: so many sessions are surely there. `high` rises before an admission begins and falls after a
//! release has returned: more can't be there. Together with the number of releases and admissions begun during a call
//! they bound the sessions at every instant of it. A call during which terms began or ended to change is not judged.
use std::array;
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering::SeqCst};
use std::thread;

use crossbeam::queue::SegQueue;
use enforcer::{
    Block, CallKind, Change, Class, ClassCounters, ClassId, Form, Gate, GateConfig, Permit,
    Refusal, Terms, WorkerGate, permits_dropped,
};
use licensing::{FeatureIndex, FeatureSet, RefusalReason, ServiceIndex};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::form;

const THREADS: usize = 8;
const SERVICES: usize = 2;
const OPERATIONS: u32 = 60_000;

fn seed() -> u64 {
    let seed = std::env::var("TOLLGATE_SEED")
        .ok()
        .and_then(|text| text.parse().ok());
    let seed = seed.unwrap_or_else(|| StdRng::from_os_rng().random());
    println!("TOLLGATE_SEED={seed}");
    seed
}

fn class(service: usize, features: u64, kind: CallKind) -> Class {
    Class {
        service: ServiceIndex(service as u8),
        features: FeatureSet(features),
        kind,
    }
}

fn gate(batch: u32, calm: u32) -> Arc<Gate> {
    let (form, spins) = form();
    let config = GateConfig {
        batch,
        calm,
        form,
        spins,
        ..GateConfig::new(SERVICES as u8, THREADS as u16)
    };
    Gate::new(config).unwrap()
}

/// Puts terms in force, and again until no worker stands still with credit in hand.
fn put_in_force(gate: &Gate, service: usize, terms: Terms) {
    while gate.set_terms(ServiceIndex(service as u8), terms) == Change::Pending {
        may_stand_still();
        thread::yield_now();
    }
}

/// In the asymmetric form alone.
fn may_stand_still() {
    assert!(matches!(form().0, Form::Asymmetric(_)), "unsettled");
}

/// There is a place, whether or not it can be told at once.
fn admit_in_the_end(worker: &mut WorkerGate, id: ClassId) -> Permit {
    loop {
        match worker.admit(id) {
            Ok(permit) => return permit,
            Err(refusal) => assert_eq!(refusal.reason, RefusalReason::Unsettled),
        }
        may_stand_still();
        thread::yield_now();
    }
}

/// What the oracle knows of one service.
struct Oracle {
    low: AtomicI64,
    low_max: AtomicI64,
    high: AtomicI64,
    high_max: AtomicI64,
    /// Admissions, restores and the like that have begun.
    begun: AtomicI64,
    /// Releases that have begun.
    ending: AtomicI64,
    /// Even: the terms of `lower` and `upper` are in force. Odd: a change is under way.
    version: AtomicU64,
    /// The ceiling is at least this ...
    lower: AtomicI64,
    /// ... and at most this.
    upper: AtomicI64,
    /// The service is blocked for sure.
    blocked: AtomicBool,
    /// It may be.
    may_block: AtomicBool,
    over_checked: AtomicU64,
    false_checked: AtomicU64,
}

impl Oracle {
    fn new() -> Self {
        let zero = || AtomicI64::new(0);
        Self {
            low: zero(),
            low_max: zero(),
            high: zero(),
            high_max: zero(),
            begun: zero(),
            ending: zero(),
            version: AtomicU64::new(0),
            lower: AtomicI64::new(i64::MAX),
            upper: AtomicI64::new(i64::MAX),
            blocked: AtomicBool::new(false),
            may_block: AtomicBool::new(false),
            over_checked: AtomicU64::new(0),
            false_checked: AtomicU64::new(0),
        }
    }

    fn entering(&self) {
        let high = self.high.fetch_add(1, SeqCst) + 1;
        self.high_max.fetch_max(high, SeqCst);
        self.begun.fetch_add(1, SeqCst);
    }

    fn entered(&self) {
        let low = self.low.fetch_add(1, SeqCst) + 1;
        self.low_max.fetch_max(low, SeqCst);
    }

    fn refused(&self) {
        self.high.fetch_sub(1, SeqCst);
    }

    fn leaving(&self) {
        self.low.fetch_sub(1, SeqCst);
        self.ending.fetch_add(1, SeqCst);
    }

    fn left(&self) {
        self.high.fetch_sub(1, SeqCst);
    }

    /// Before a call: sessions surely there, sessions at most there, and the ceilings of now. The steps are read in the
    /// order that is against [`Oracle::entering`] and [`Oracle::leaving`], so that none is missed, if one is counted twice.
    fn before(&self) -> Before {
        Before {
            version: self.version.load(SeqCst),
            ending: self.ending.load(SeqCst),
            low: self.low.load(SeqCst),
            begun: self.begun.load(SeqCst),
            high: self.high.load(SeqCst),
            lower: self.lower.load(SeqCst),
            upper: self.upper.load(SeqCst),
            blocked: self.blocked.load(SeqCst),
            may_block: self.may_block.load(SeqCst),
        }
    }

    /// One admission between two looks; an ordinary one is judged.
    fn watch(
        &self,
        class: Class,
        admit: impl FnOnce() -> Result<Permit, Refusal>,
    ) -> Option<Permit> {
        let before = self.before();
        self.entering();
        let answer = admit();
        if class.kind == CallKind::Ordinary {
            self.judge(&before, answer.as_ref().err());
        }
        match answer {
            Ok(_) => self.entered(),
            Err(_) => self.refused(),
        }
        answer.ok()
    }

    /// Judges what an ordinary admission said. No change may have begun or ended meanwhile, or nothing is known.
    fn judge(&self, before: &Before, refusal: Option<&Refusal>) {
        let ended = self.ending.load(SeqCst) - before.ending;
        let others = self.begun.load(SeqCst) - before.begun - 1;
        if before.version % 2 == 1 || self.version.load(SeqCst) != before.version {
            return;
        }
        let (surely, at_most) = (before.low - ended, before.high + others);
        match refusal.map(|refusal| refusal.reason) {
            None => {
                assert!(!before.blocked, "admitted under a block");
                let upper = before.upper;
                assert!(
                    surely < upper,
                    "admitted with {surely} sessions, ceiling {upper}"
                );
                self.over_checked.fetch_add(1, SeqCst);
            }
            Some(RefusalReason::AtCeiling) => {
                let lower = before.lower;
                assert!(
                    at_most >= lower,
                    "refused with {at_most} sessions, ceiling {lower}"
                );
                self.false_checked.fetch_add(1, SeqCst);
            }
            Some(RefusalReason::ServiceBlocked) => {
                assert!(before.may_block, "no block was ordered")
            }
            Some(RefusalReason::LowPriority) => panic!("nobody here has low priority"),
            Some(RefusalReason::Unsettled) => may_stand_still(),
            Some(RefusalReason::FeatureBlocked { .. }) => {}
        }
    }
}

struct Before {
    version: u64,
    ending: i64,
    low: i64,
    begun: i64,
    high: i64,
    lower: i64,
    upper: i64,
    blocked: bool,
    may_block: bool,
}

/// What all threads of a run share.
struct Field {
    gate: Arc<Gate>,
    oracles: [Oracle; SERVICES],
    /// Sessions that another thread shall end.
    passed: SegQueue<(Permit, Class)>,
    classes: Vec<(Class, ClassId)>,
    changes: AtomicU64,
    /// Held by the thread that changes terms.
    control: Mutex<()>,
}

impl Field {
    fn new(gate: Arc<Gate>, kinds: &[CallKind]) -> Self {
        let mut classes = Vec::new();
        for service in 0..SERVICES {
            for features in [0, 1, 3] {
                for kind in kinds {
                    let class = class(service, features, *kind);
                    classes.push((class, gate.intern(class).unwrap()));
                }
            }
        }
        Self {
            gate,
            oracles: array::from_fn(|_| Oracle::new()),
            passed: SegQueue::new(),
            classes,
            changes: AtomicU64::new(0),
            control: Mutex::new(()),
        }
    }

    fn oracle(&self, class: Class) -> Option<&Oracle> {
        (class.kind != CallKind::Emergency).then(|| &self.oracles[class.service.at()])
    }

    /// Changes the terms of a service, unless another thread is at it.
    fn change_some(&self, random: &mut StdRng) {
        if let Ok(_control) = self.control.try_lock() {
            self.change(random.random_range(0..SERVICES), any_terms(random));
            self.changes.fetch_add(1, SeqCst);
        }
    }

    /// Puts terms in force and tells the oracle what may hold meanwhile.
    fn change(&self, service: usize, terms: Terms) {
        let oracle = &self.oracles[service];
        let ceiling = terms.ceiling.map_or(i64::MAX, i64::from);
        oracle.version.fetch_add(1, SeqCst);
        oracle.lower.fetch_min(ceiling, SeqCst);
        oracle.upper.fetch_max(ceiling, SeqCst);
        oracle.blocked.store(false, SeqCst);
        oracle.may_block.store(true, SeqCst);
        oracle.version.fetch_add(1, SeqCst);
        put_in_force(&self.gate, service, terms);
        oracle.version.fetch_add(1, SeqCst);
        oracle.lower.store(ceiling, SeqCst);
        oracle.upper.store(ceiling, SeqCst);
        oracle.blocked.store(terms.block.is_some(), SeqCst);
        oracle.may_block.store(terms.block.is_some(), SeqCst);
        oracle.version.fetch_add(1, SeqCst);
    }
}

/// One thread of the storm.
struct Caller<'a> {
    field: &'a Field,
    worker: WorkerGate,
    sessions: Vec<(Permit, Class)>,
    random: StdRng,
    admitted: u64,
    released: u64,
    refused: u64,
}

impl Caller<'_> {
    fn run(mut self) -> Self {
        for _ in 0..OPERATIONS {
            match self.random.random_range(0..100) {
                0..50 => self.admit(),
                50..53 => self.restore(),
                53..57 => self.replace(),
                57..60 => self.reclass(),
                60..85 => self.release_own(),
                85..95 => self.release_foreign(),
                _ => self.pass_on(),
            }
            match self.random.random_range(0..1000) {
                0..5 => self.field.change_some(&mut self.random),
                5..20 => self.count(),
                _ => {}
            }
        }
        while !self.sessions.is_empty() {
            self.release_own();
        }
        self
    }

    fn any_class(&mut self) -> (Class, ClassId) {
        let place = self.random.random_range(0..self.field.classes.len());
        self.field.classes[place]
    }

    fn pick(&mut self) -> Option<(Permit, Class)> {
        let sessions = self.sessions.len();
        (sessions > 0).then(|| {
            self.sessions
                .swap_remove(self.random.random_range(0..sessions))
        })
    }

    fn admit(&mut self) {
        let (class, id) = self.any_class();
        let Some(oracle) = self.field.oracle(class) else {
            let permit = self
                .worker
                .admit(id)
                .expect("an emergency call is never refused");
            self.admitted += 1;
            return self.sessions.push((permit, class));
        };
        match oracle.watch(class, || self.worker.admit(id)) {
            Some(permit) => {
                self.admitted += 1;
                self.sessions.push((permit, class));
            }
            None => self.refused += 1,
        }
    }

    fn restore(&mut self) {
        if self.sessions.len() > 4 {
            return;
        }
        let (class, id) = self.any_class();
        let oracle = self.field.oracle(class);
        oracle.inspect(|oracle| oracle.entering());
        self.sessions.push((self.worker.restore(id), class));
        oracle.inspect(|oracle| oracle.entered());
        self.admitted += 1;
    }

    /// The oracle counts a session that moves twice while it moves.
    fn replace(&mut self) {
        let (class, id) = self.any_class();
        let Some((old, was)) = self.pick() else {
            return;
        };
        let (oracle, from) = (self.field.oracle(class), self.field.oracle(was));
        oracle.inspect(|oracle| oracle.entering());
        from.inspect(|oracle| oracle.leaving());
        match self.worker.replace(old, id) {
            Ok(permit) => {
                from.inspect(|oracle| oracle.left());
                oracle.inspect(|oracle| oracle.entered());
                self.sessions.push((permit, class));
                (self.admitted, self.released) = (self.admitted + 1, self.released + 1);
            }
            Err((_, old)) => {
                oracle.inspect(|oracle| oracle.refused());
                from.inspect(|oracle| oracle.entered());
                self.sessions.push((old, was));
                self.refused += 1;
            }
        }
    }

    fn reclass(&mut self) {
        let (class, id) = self.any_class();
        let Some((old, was)) = self.pick() else {
            return;
        };
        if was == class {
            return self.sessions.push((old, was));
        }
        let (oracle, from) = (self.field.oracle(class), self.field.oracle(was));
        oracle.inspect(|oracle| oracle.entering());
        from.inspect(|oracle| oracle.leaving());
        self.sessions.push((self.worker.reclass(old, id), class));
        from.inspect(|oracle| oracle.left());
        oracle.inspect(|oracle| oracle.entered());
        (self.admitted, self.released) = (self.admitted + 1, self.released + 1);
    }

    fn release(&mut self, session: Option<(Permit, Class)>) {
        let Some((permit, class)) = session else {
            return;
        };
        let oracle = self.field.oracle(class);
        oracle.inspect(|oracle| oracle.leaving());
        self.worker.release(permit);
        oracle.inspect(|oracle| oracle.left());
        self.released += 1;
    }

    fn release_own(&mut self) {
        let session = self.pick();
        self.release(session);
    }

    fn release_foreign(&mut self) {
        let session = self.field.passed.pop();
        self.release(session);
    }

    fn count(&mut self) {
        let service = ServiceIndex(self.random.random_range(0..SERVICES) as u8);
        let count = if self.random.random_ratio(1, 8) {
            self.field.gate.count_exact(service)
        } else {
            self.field.gate.count(service)
        };
        let peak = self.field.gate.peak(service);
        // A record of restored sessions shows in the peak once the word is settled.
        let later = matches!(form().0, Form::Asymmetric(_));
        assert!(count <= peak || later, "{count} sessions, peak {peak}");
    }

    fn pass_on(&mut self) {
        if let Some(session) = self.pick() {
            self.field.passed.push(session);
        }
    }
}

/// Terms of every sort, ceilings from none at all to 40.
fn any_terms(random: &mut StdRng) -> Terms {
    let ceiling = match random.random_range(0..10) {
        0 => None,
        1 => Some(0),
        _ => Some(random.random_range(1..=40)),
    };
    let block = match random.random_range(0..10) {
        0 => Some(Block::Service),
        1 => Some(Block::Feature(FeatureIndex(9))),
        _ => None,
    };
    Terms {
        ceiling,
        priority_share: random.random_range(0..3),
        block,
        blocked_features: FeatureSet(if random.random_ratio(1, 4) { 2 } else { 0 }),
        ..Terms::default()
    }
}

/// Eight threads, terms that change all the time and counts that are read meanwhile.
//= L7
//= L8
//= L9
//= L13
#[test]
fn eight_threads_under_terms_that_keep_changing() {
    for (batch, calm) in [(1, 0), (4, 8), (64, 256)] {
        let seed = seed();
        let kinds = [
            CallKind::Ordinary,
            CallKind::Ordinary,
            CallKind::Priority,
            CallKind::Emergency,
        ];
        let field = Field::new(gate(batch, calm), &kinds);
        let callers: Vec<_> = thread::scope(|scope| {
            let callers: Vec<_> = (0..THREADS)
                .map(|place| {
                    let caller = Caller {
                        field: &field,
                        worker: field.gate.worker().unwrap(),
                        sessions: Vec::new(),
                        random: StdRng::seed_from_u64(seed.wrapping_add(place as u64)),
                        admitted: 0,
                        released: 0,
                        refused: 0,
                    };
                    scope.spawn(move || caller.run())
                })
                .collect();
            let joined = callers.into_iter().map(|caller| caller.join().unwrap());
            joined.collect()
        });
        println!("{} changes", field.changes.load(SeqCst));
        settle(&field, &callers);
    }
}

/// Nothing is lost: counts, counters and peaks when all is over.
fn settle(field: &Field, callers: &[Caller<'_>]) {
    while let Some((permit, class)) = field.passed.pop() {
        field.oracle(class).inspect(|oracle| oracle.leaving());
        field.gate.release(permit);
        field.oracle(class).inspect(|oracle| oracle.left());
    }
    for (place, oracle) in field.oracles.iter().enumerate() {
        let service = ServiceIndex(place as u8);
        assert_eq!(
            (field.gate.count(service), field.gate.count_exact(service)),
            (0, 0)
        );
        let peak = i64::from(field.gate.peak(service));
        let (low, high) = (oracle.low_max.load(SeqCst), oracle.high_max.load(SeqCst));
        assert!(
            (low..=high).contains(&peak),
            "peak {peak}, surely {low}, at most {high}"
        );
        let checked =
            [&oracle.over_checked, &oracle.false_checked].map(|checked| checked.load(SeqCst));
        println!("service {place}: peak {low} <= {peak} <= {high}, judged {checked:?}");
        assert!(
            checked.iter().all(|checked| *checked > 100),
            "too little was judged"
        );
    }
    let distinct: HashSet<_> = field.classes.iter().map(|(_, id)| *id).collect();
    let sum = distinct
        .iter()
        .map(|id| field.gate.class_counters(*id))
        .fold(ClassCounters::default(), add);
    let total = |of: fn(&Caller<'_>) -> u64| callers.iter().map(of).sum::<u64>();
    assert_eq!(sum.live(), 0);
    assert_eq!(sum.admitted, total(|caller| caller.admitted));
    assert!(
        sum.released >= total(|caller| caller.released),
        "the last ones had no worker"
    );
    println!("{} refused unsettled", sum.refused_unsettled);
    let refused =
        sum.refused_service + sum.refused_feature + sum.refused_ceiling + sum.refused_unsettled;
    assert_eq!(refused, total(|caller| caller.refused));
    assert_eq!(permits_dropped(), 0);
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

/// Each thread holds at most so many sessions; the ceilings never go below what all of them may hold together.
const EACH: i64 = 5;

/// Whatever happens, nobody may be refused: there is always a place.
#[test]
fn eight_threads_that_leave_each_other_room() {
    for (batch, calm) in [(1, 0), (4, 8), (64, 256)] {
        let seed = seed();
        let gate = gate(batch, calm);
        let id = gate.intern(class(0, 1, CallKind::Ordinary)).unwrap();
        let budgets: [AtomicI64; THREADS] = array::from_fn(|_| AtomicI64::new(EACH));
        let passed: SegQueue<(Permit, usize)> = SegQueue::new();
        let all = THREADS as u32 * EACH as u32;
        gate.set_terms(
            ServiceIndex(0),
            Terms {
                ceiling: Some(all),
                ..Terms::default()
            },
        );
        thread::scope(|scope| {
            let callers: Vec<_> = (0..THREADS)
                .map(|me| {
                    let worker = gate.worker().unwrap();
                    let random = StdRng::seed_from_u64(seed.wrapping_add(me as u64));
                    let (budgets, passed) = (&budgets, &passed);
                    scope.spawn(move || roomy(worker, id, me, budgets, passed, random))
                })
                .collect();
            callers
                .into_iter()
                .for_each(|caller| caller.join().unwrap());
        });
        while let Some((permit, _)) = passed.pop() {
            gate.release(permit);
        }
        assert_eq!(gate.count_exact(ServiceIndex(0)), 0);
        assert!(gate.peak(ServiceIndex(0)) <= all);
        let counters = gate.class_counters(id);
        let refused =
            counters.refused_ceiling + counters.refused_feature + counters.refused_service;
        assert_eq!((counters.live(), refused), (0, 0));
        assert_eq!(permits_dropped(), 0);
    }
}

fn roomy(
    mut worker: WorkerGate,
    id: ClassId,
    me: usize,
    budgets: &[AtomicI64; THREADS],
    passed: &SegQueue<(Permit, usize)>,
    mut random: StdRng,
) {
    let all = THREADS as u32 * EACH as u32;
    let mut sessions = Vec::new();
    for _ in 0..OPERATIONS {
        match random.random_range(0..10) {
            0..5 if budgets[me].load(SeqCst) > 0 => {
                budgets[me].fetch_sub(1, SeqCst);
                sessions.push(admit_in_the_end(&mut worker, id));
            }
            0..7 => {
                if let Some(permit) = sessions.pop() {
                    worker.release(permit);
                    budgets[me].fetch_add(1, SeqCst);
                }
            }
            7..9 => {
                if let Some((permit, owner)) = passed.pop() {
                    worker.release(permit);
                    budgets[owner].fetch_add(1, SeqCst);
                }
            }
            9 if random.random_ratio(1, 20) => {
                let ceiling = (!random.random_ratio(1, 8)).then(|| all + random.random_range(0..3));
                let terms = Terms {
                    ceiling,
                    ..Terms::default()
                };
                put_in_force(worker.gate(), 0, terms);
            }
            _ => sessions
                .pop()
                .into_iter()
                .for_each(|permit| passed.push((permit, me))),
        }
    }
    sessions
        .into_iter()
        .for_each(|permit| worker.release(permit));
}

/// The highest ceiling that is ever in force there.
const TOP: u32 = 12;

/// Ordinary calls alone, hence no debt: at no instant do the threads hold more permits than the highest ceiling allows,
/// with nothing granted to what is in flight. One too many shows at once, because a permit is on the books from the return
/// of its admission to the beginning of its release.
//= L9
#[test]
fn eight_threads_never_hold_more_than_the_highest_ceiling() {
    for (batch, calm) in [(1, 0), (4, 8), (64, 256)] {
        let seed = seed();
        let crowd = Crowd {
            gate: gate(batch, calm),
            held: AtomicI64::new(0),
            most: AtomicI64::new(0),
            passed: SegQueue::new(),
            control: Mutex::new(()),
        };
        crowd.gate.set_terms(ServiceIndex(0), top_or_less(TOP));
        let ids: Vec<_> = [0, 1, 2]
            .map(|features| class(0, features, CallKind::Ordinary))
            .map(|class| crowd.gate.intern(class).unwrap())
            .into();
        thread::scope(|scope| {
            for place in 0..THREADS as u64 {
                let random = StdRng::seed_from_u64(seed.wrapping_add(place));
                let (crowd, ids) = (&crowd, &ids);
                scope.spawn(move || crowd.churn(ids, random));
            }
        });
        while let Some(permit) = crowd.passed.pop() {
            crowd.gate.release(permit);
        }
        assert_eq!(crowd.gate.count_exact(ServiceIndex(0)), 0);
        assert_eq!(crowd.most.load(SeqCst), i64::from(TOP), "never full");
        assert_eq!(crowd.gate.peak(ServiceIndex(0)), TOP);
        assert_eq!(permits_dropped(), 0);
    }
}

fn top_or_less(ceiling: u32) -> Terms {
    Terms {
        ceiling: Some(ceiling),
        ..Terms::default()
    }
}

/// What the threads of that test share.
struct Crowd {
    gate: Arc<Gate>,
    /// Permits in somebody's hands.
    held: AtomicI64,
    most: AtomicI64,
    passed: SegQueue<Permit>,
    /// Held by the thread that changes terms.
    control: Mutex<()>,
}

impl Crowd {
    fn churn(&self, ids: &[ClassId], mut random: StdRng) {
        let mut worker = self.gate.worker().unwrap();
        let mut own = Vec::new();
        for _ in 0..OPERATIONS {
            match random.random_range(0..1000) {
                0..550 => own.extend(self.admit(&mut worker, ids[random.random_range(0..3)])),
                550..850 => self.release(&mut worker, own.pop()),
                850..920 => self.release(&mut worker, self.passed.pop()),
                920..980 => own.pop().into_iter().for_each(|p| self.passed.push(p)),
                980..990 => {
                    self.gate.count_exact(ServiceIndex(0));
                }
                990..998 => self.change(&mut random),
                _ => {
                    drop(worker);
                    worker = self.gate.worker().unwrap();
                }
            }
        }
        own.into_iter()
            .for_each(|permit| self.release(&mut worker, Some(permit)));
    }

    fn admit(&self, worker: &mut WorkerGate, id: ClassId) -> Option<Permit> {
        let permit = worker.admit(id).ok()?;
        let held = self.held.fetch_add(1, SeqCst) + 1;
        assert!(held <= i64::from(TOP), "{held} permits at once");
        self.most.fetch_max(held, SeqCst);
        Some(permit)
    }

    fn release(&self, worker: &mut WorkerGate, permit: Option<Permit>) {
        if let Some(permit) = permit {
            self.held.fetch_sub(1, SeqCst);
            worker.release(permit);
        }
    }

    /// Another ceiling; or a block, after whose return the count may only fall.
    fn change(&self, random: &mut StdRng) {
        let Ok(_control) = self.control.try_lock() else {
            return;
        };
        let ceiling = top_or_less(TOP - random.random_range(0..6) / 2 * 3);
        if random.random_ratio(1, 4) {
            let block = Some(Block::Service);
            put_in_force(&self.gate, 0, Terms { block, ..ceiling });
            let mut count = self.gate.count(ServiceIndex(0));
            for _ in 0..20 {
                let now = self.gate.count(ServiceIndex(0));
                assert!(now <= count, "{count} sessions, then {now} under a block");
                count = now;
            }
        }
        put_in_force(&self.gate, 0, ceiling);
    }
}
