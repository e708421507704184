//! The gate: exact admission at the cost of one uncontended atomic step.
//!
//! *The promise.* No ordinary admission succeeds at an instant when the permits outstanding for its service are at or
//! above the ceiling in force. A refusal for the ceiling is given only if the ceiling was really reached at some instant
//! inside the call. Both hold for any number of workers, under any interleaving, while terms change; none of it leans on
//! a clock, a timer or a background thread. Deliberately absent: what licenses are. The gate knows classes, ceilings and
//! blocks, as [`Terms`] that somebody else decides.
//!
//! # Where the permits are
//!
//! A service's ceiling is held in escrow. Every permit that may still be given is a token, and each token is in exactly
//! one place: in a session, as a [`Permit`]; in a worker's *cell*, as credit that this worker may hand out by itself; in
//! the hands of a thread that moves it under the service's lock; or in the *pool*, which is what the ceiling leaves:
//!
//! ```text
//! sessions + credit in cells + in hands + pool = ceiling        the pool may be below zero: that is debt
//! '------------ granted -------------'
//! ```
//!
//! Tokens are all alike, so any worker may take back a permit that another one gave.
//!
//! | word | of | holds |
//! |---|---|---|
//! | ledger word | service | tight bit, unsettled bit, generation (30 bits), `granted` (32 bits) |
//! | state word | service | epoch, pending bit |
//! | limit, priority limit, peak | service | where ordinary and priority admissions end; the most sessions ever |
//! | class word | class and worker | what the terms in force mean for it: blocked and why, priority, emergency, its service |
//! | cell | worker and service | credit; whether it is sealed (`cell.rs`, by form) |
//!
//! # Two modes
//!
//! *Open.* An admission reads its class word and takes one from its worker's cell. A release adds
//! one to the cell of the worker that releases. No other worker writes that cache line, so each is an uncontended add.
//! A cell without credit is refilled from the pool under the lock, a batch at a time and less near the ceiling; one that
//! overflows gives its surplus back.
//!
//! *Tight.* When the pool has nothing left, whoever finds out *recalls*: it seals every cell, adds up what was in them,
//! and with one swap brings that home, sets the tight bit and moves the generation. Now `granted` is the exact number of
//! sessions. Admissions are compare-and-swaps of the whole word, releases one subtraction, and only here is anybody
//! refused for the ceiling. Tight mode ends when there is room again, or after a run of ordinary admissions without a
//! refusal (`calm`): a full service in balanced churn lives in the cells too.
//!
//! # Two forms
//!
//! How an owner moves the credit of its cell, and nothing else, has two forms. *Atomic*: one read-modify-write. *Asymmetric*
//! ([`Form::Asymmetric`]): a store that says busy and a store that says what is left, around a look at the cell's bound; no
//! call, panic or loop is in that window. Whoever seals sets the bounds to 0, issues one heavy fence that orders the memory of
//! all threads, and reads the busy bits, [`GateConfig::spins`] times at most. The owner looks at the bound after it has said
//! that it is busy: it sees the 0, or its window is seen. A cell that can't be collected, because its owner stands still inside the window or the
//! fence failed, keeps its credit, which is part of `granted`. The word then says *unsettled*: tight, but `granted` is only
//! a bound from above. In that state nobody is refused for the ceiling but as `Unsettled`, for want of knowledge; tight
//! mode isn't left; and everybody takes the lock and tries again, the owner by itself, without a fence.
//!
//! # The rules that make it exact
//!
//! 1. Anybody may seal a cell under the service's lock; only its owner opens it, under the lock as well.
//! 2. What moves two words holds the lock. What holds no lock is one read-modify-write of one word, or one window.
//! 3. Tight and settled means: every cell is sealed and empty. The bit is set after the last seal; it is cleared before the first
//!    cell is opened, under the lock, by a swap of the whole word that has `granted <= limit`.
//! 4. In open mode `granted <= min(limit, peak)`: a refill takes no more, and all else only lowers it.
//! 5. `granted` counts ordinary, priority and restored permits. Room is signed, and debt has none. Debt is made only by a
//!    swap that expects tight, or by a ceiling cut below use, which ends in a recall. In debt, releases pay the pool.
//! 6. In tight mode an ordinary admission needs `granted < limit` and a class that isn't blocked; a priority admission
//!    needs `granted < priority limit`, whatever the block. A priority call past a block recalls first if the mode is
//!    open. With a share of 0 its class is ordinary.
//! 7. A change sets pending, closes the cells, stores class words and limits, brings the credit home, moves the epoch and
//!    clears pending. Nobody finds a new word and an open cell: the cells are closed before.
//! 8. What is decided without the lock is decided on words that were read between two equal readings of epoch and
//!    pending, the second of which says: no change is under way.
//! 9. [`WorkerGate::replace`] within a service moves no token, so that no seal orders it: it reads its class word under
//!    the lock. [`WorkerGate::restore`] takes own credit, a refill, or else a place above any limit by a swap in tight
//!    mode. [`WorkerGate::reclass`] across services restores the new before it releases the old.
//! 10. Every admission by the word raises the peak before it returns, and so does whoever reads a tight word as a count
//!     or a refusal. By 4 no other admission can set a record.
//!
//! A block that is tried out ([`Terms::eased`]) is a blocked class word with a percentage beside it. The fast path knows
//! nothing of that: such a class leaves it, and whoever is not among the percentage is admitted as an ordinary class is, on
//! the own cell's credit or by the pool, and counted besides.
//!
//! Emergency classes touch none of it: their word never changes and they hold no token.
//! [`WorkerGate::admit_low_priority`] may refuse before any of it begins, on a count that is not exact below the ceiling;
//! whom it does not refuse, it admits like anybody else.
//!
//! # Why it holds
//!
//! *Never above.* A take succeeds only on credit above zero, and each unit of credit is part of `granted`; a swap succeeds
//! only on the word it was decided on. So sessions < `granted` <= limit before each ordinary admission, by rules 3 to 6.
//!
//! *Never refused for nothing.* A refusal at the ceiling has read a tight and settled word with `granted >= limit`, where `granted` is
//! the number of sessions, and by rule 8 that limit was in force at the same instant.
//!
//! *Never by old terms.* When a change returns, all cells are sealed and the generation has moved. An admission that had
//! read the old class word finds its cell sealed, and may open it only under the lock, hence after the change; one that
//! had read the old limit finds another generation and its swap fails. Who has read one *new* word before the change
//! is complete finds its cell closed, because that was done before the word was stored, and without credit sees the change
//! pending: nobody passes by the new terms while others pass by the old.
//!
//! *Nothing lost.* Below zero a cell has no credit, sealed or not. Takes and releases that come too late leave an offset
//! there; whoever opens the cell stores its value, so nobody reads it. A late release hands its token to the pool,
//! and opens the cell for the next one if the mode is open.
//!
//! | operation | takes effect at |
//! |---|---|
//! | admission | the take from the cell, or anywhere in its window; the refill's add; the swap of the ledger word |
//! | release | the add to the cell or to the pool |
//! | refusal at the ceiling | the reading of the ledger word |
//! | refusal by a block | the second reading of the state word, or any instant under the lock |
//! | change of terms | the swap that ends its recall |
//! | replacement within a service | the reading of the class word under the lock |
//! | exact count | the reading of a tight ledger word |
//!
//! # Orders
//!
//! Class words, limits and epochs are stored with release and read with acquire; cells and ledger word move with
//! acquire and release. Reading the class word of a change with acquire has made the closing of the cell visible. With the
//! cell's steps relaxed a session that changes service can be seen in neither. The atomic form has no sequentially consistent
//! step and no fence. In the asymmetric form a cell's word and bound are relaxed: the two fences order them, and all that
//! a window publishes is the word itself.
//! Class counters are std atomics of one writer each, a load and a store. What was released is stored with release and
//! read with acquire before what was admitted: nobody counts a permit out that he doesn't count in. The rest is relaxed.
//!
//! The generation has 30 bits: a thread would have to sleep through exactly 2^30 recalls of one service, between reading
//! the word and swapping it, to be mistaken.
//!
//! # Evidence
//!
//! `tests/loom_gate` runs small programs through every interleaving up to a bound of preemptions, and shows for each way
//! of breaking a rule above (`mutants.rs`) that some program fails: `tests/gate_mutants.md`. `tests/gate_model.rs` holds
//! every answer against a plain model, `tests/gate_stress.rs` lets eight threads loose under an oracle of its own, and
//! crate `benches` measures what it costs.

mod account;
mod cell;
mod config;
mod ledger;
#[cfg(not(loom))]
mod mutants;
#[cfg(loom)]
pub mod mutants;
mod permit;
mod row;
mod sync;
mod view;
mod word;
mod worker;

use std::array;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use licensing::ServiceIndex;

use self::account::Account;
pub use self::config::{
    BATCH_MAX, CLASSES_MAX, Form, GateConfig, GateError, HeavyFence, SERVICES_MAX, WORKERS_MAX,
};
use self::ledger::Ledger;
pub use self::permit::{ClassId, Permit, Refusal, permits_dropped};
use self::row::{Row, SharedRow};
use self::sync::{Mutex, lock};
pub use self::worker::WorkerGate;
use crate::class::Class;
use crate::counts::{ClassCount, ClassCounters, Counts, ServiceCount};
use crate::terms::Terms;

/// The gate of one process: ledgers of all services, cells and counters of all workers.
///
/// Every service begins without a ceiling and without a block: calls are counted and let through (rule L2).
pub struct Gate {
    ledgers: [Ledger; SERVICES_MAX],
    rows: Box<[Arc<Row>]>,
    shared: SharedRow,
    registry: Mutex<Registry>,
    config: GateConfig,
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

/// How far a change of terms has come on its return.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// No admission decided under the old terms can take effect any more.
    Done,
    /// One by a worker that was inside its window still may.
    Pending,
}

#[derive(Default)]
struct Registry {
    ids: HashMap<Class, ClassId>,
    /// By class id.
    classes: Vec<Class>,
    /// By worker index, is there a worker?
    seated: Vec<bool>,
}

impl Gate {
    /// A gate of this size; all that it will ever allocate for admissions is allocated here.
    pub fn new(config: GateConfig) -> Result<Arc<Self>, GateError> {
        config.check()?;
        let workers = usize::from(config.workers);
        let asymmetric = matches!(config.form, Form::Asymmetric(_));
        let rows = (0..workers).map(|_| Arc::new(Row::new(asymmetric)));
        Ok(Arc::new(Self {
            ledgers: array::from_fn(|_| Ledger::new(asymmetric)),
            rows: rows.collect(),
            shared: SharedRow::new(),
            registry: Mutex::new(Registry {
                seated: vec![false; workers],
                ..Registry::default()
            }),
            config,
        }))
    }

    /// The id of a class, the same for the same class whenever it is asked for. Under the terms in force from then on.
    ///
    /// At most [`CLASSES_MAX`]; meant for configuration time.
    pub fn intern(&self, class: Class) -> Result<ClassId, GateError> {
        if class.service.0 >= self.config.services {
            return Err(GateError::UnknownService {
                service: class.service.0,
                services: self.config.services,
            });
        }
        let mut registry = lock(&self.registry);
        if let Some(id) = registry.ids.get(&class) {
            return Ok(*id);
        }
        let place = registry.classes.len();
        if place >= CLASSES_MAX {
            return Err(GateError::ClassesFull);
        }
        let id = ClassId(place as u16);
        let ledger = self.ledger(class.service.at());
        ledger.enroll(class, id, &self.rows);
        registry.classes.push(class);
        registry.ids.insert(class, id);
        Ok(id)
    }

    /// The class of an id; none for an id of another gate.
    pub fn class(&self, id: ClassId) -> Option<Class> {
        lock(&self.registry).classes.get(id.at()).copied()
    }

    /// A place for one more worker, the lowest that is free.
    pub fn worker(self: &Arc<Self>) -> Result<WorkerGate, GateError> {
        let mut registry = lock(&self.registry);
        let free = registry.seated.iter().position(|taken| !taken);
        let index = free.ok_or(GateError::WorkersFull(self.config.workers))?;
        registry.seated[index] = true;
        let row = Arc::clone(&self.rows[index]);
        Ok(WorkerGate::new(Arc::clone(self), row, index as u16))
    }

    /// Pours the cells of a worker that leaves, then frees its place.
    fn retire(&self, index: u16, row: &Row) {
        for service in 0..usize::from(self.config.services) {
            self.account(service).retire(row.cell(service));
        }
        lock(&self.registry).seated[usize::from(index)] = false;
    }

    /// Puts other terms in force for a service. On return no admission decided under the old ones can take effect;
    /// sessions that are there stay, whatever the new ones say (rules L7, L9).
    ///
    /// In the asymmetric form an admission that is inside its window may still take effect; [`Change::Pending`] says so, and
    /// the next that comes by, or [`Gate::count_exact`], looks again.
    ///
    /// A ceiling above 2^30 is none. One event that changes several services is not atomic across them. Terms for a
    /// service that the gate wasn't made for are ignored.
    pub fn set_terms(&self, service: ServiceIndex, terms: Terms) -> Change {
        match self.known(service) {
            Some(account) => account.set_terms(terms),
            None => Change::Done,
        }
    }

    /// The terms in force.
    pub fn terms(&self, service: ServiceIndex) -> Terms {
        self.known(service)
            .map(|account| account.ledger.terms())
            .unwrap_or_default()
    }

    /// Gives a permit back from a thread without a worker: to the pool.
    pub fn release(&self, permit: Permit) {
        let class = permit.class();
        let ledger = permit.ledger();
        permit.spend();
        self.shared.note_released(class);
        if !ledger.is_emergency() {
            self.ledger(ledger.service()).give_back(1);
        }
    }

    /// Permits outstanding, without a lock: exact while nothing moves or the service is full, otherwise off by at most
    /// the operations in flight, of which a refill counts its whole batch.
    pub fn count(&self, service: ServiceIndex) -> u32 {
        self.known(service).map_or(0, |account| account.count())
    }

    /// Permits outstanding at one instant of the call; costs every worker one slow admission.
    pub fn count_exact(&self, service: ServiceIndex) -> u32 {
        self.known(service)
            .map_or(0, |account| account.count_exact())
    }

    /// The most permits ever outstanding at once, exact. In the asymmetric form a record that is set while a worker
    /// stands still with credit in hand shows once that credit is home.
    pub fn peak(&self, service: ServiceIndex) -> u32 {
        self.known(service)
            .map_or(0, |account| account.ledger.peak())
    }

    /// Counters of a class, summed over the workers and the threads without one.
    ///
    /// Releases are read before admissions: a permit that passes between workers meanwhile makes no negative number of
    /// live ones.
    pub fn class_counters(&self, id: ClassId) -> ClassCounters {
        let by_workers: u64 = self.rows.iter().map(|row| row.released(id)).sum();
        let released = by_workers + self.shared.released(id);
        let start = ClassCounters {
            released,
            ..ClassCounters::default()
        };
        self.rows.iter().fold(start, |sum, row| {
            let of_row = row.others(id);
            ClassCounters {
                admitted: sum.admitted + of_row.admitted,
                refused_service: sum.refused_service + of_row.refused_service,
                refused_feature: sum.refused_feature + of_row.refused_feature,
                refused_ceiling: sum.refused_ceiling + of_row.refused_ceiling,
                refused_low: sum.refused_low + of_row.refused_low,
                refused_unsettled: sum.refused_unsettled + of_row.refused_unsettled,
                eased_service: sum.eased_service + of_row.eased_service,
                eased_feature: sum.eased_feature + of_row.eased_feature,
                ..sum
            }
        })
    }

    /// Everything counted, read in one pass; sessions never above the peak beside them.
    pub fn sample(&self) -> Counts {
        let services = (0..self.config.services).map(ServiceIndex).map(|service| {
            let sessions = self.count(service);
            ServiceCount {
                sessions,
                peak: self.peak(service).max(sessions),
            }
        });
        let services = services.collect();
        let classes = lock(&self.registry).classes.clone();
        let ids = (0..).map(ClassId);
        let classes = classes.into_iter().zip(ids).map(|(class, id)| ClassCount {
            class,
            counters: self.class_counters(id),
        });
        Counts {
            services,
            classes: classes.collect(),
        }
    }

    /// Do workers move their own credit by loads and stores?
    pub fn is_asymmetric(&self) -> bool {
        matches!(self.config.form, Form::Asymmetric(_))
    }

    #[inline(always)]
    fn ledger(&self, service: usize) -> &Ledger {
        &self.ledgers[service % SERVICES_MAX]
    }

    /// The account of a service that the gate was made for.
    fn known(&self, service: ServiceIndex) -> Option<Account<'_>> {
        (service.0 < self.config.services).then(|| self.account(service.at()))
    }

    #[inline]
    fn account(&self, service: usize) -> Account<'_> {
        Account {
            ledger: self.ledger(service),
            rows: &self.rows,
            service: service % SERVICES_MAX,
            batch: self.config.batch,
            calm: self.config.calm,
            form: self.config.form,
            spins: self.config.spins,
        }
    }
}

#[cfg(all(test, not(loom)))]
#[path = "tests/stress.rs"]
mod stress;
#[cfg(test)]
mod tests;
