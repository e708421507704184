//! The gate: exact admission, cheaper than it looks.

mod account;
mod config;
mod ledger;
#[cfg(not(loom))]
mod mutants;
#[cfg(loom)]
pub mod mutants;
mod permit;
mod row;
mod sync;
mod word;
mod worker;

use std::array;
use std::collections::HashMap;
use std::sync::Arc;

use crossbeam::utils::CachePadded;
use licensing::ServiceIndex;

use self::account::Account;
pub use self::config::{BATCH_MAX, CLASSES_MAX, GateConfig, GateError, SERVICES_MAX, WORKERS_MAX};
use self::ledger::Ledger;
pub use self::permit::{ClassId, Permit, Refusal, permits_dropped};
use self::row::{Row, SharedRow};
use self::sync::{AtomicU64, Mutex, Ordering, lock};
use self::word::ClassWord;
pub use self::worker::WorkerGate;
use crate::class::Class;
use crate::counts::{ClassCount, ClassCounters, Counts, ServiceCount};
use crate::terms::Terms;

/// The gate of one process: ledgers of all services, cells and counters of all workers.
///
/// Every service begins without a ceiling and without a block: calls are counted and let through (rule L2).
pub struct Gate {
    /// By class id, what the terms in force mean for it.
    classes: CachePadded<[AtomicU64; CLASSES_MAX]>,
    ledgers: [Ledger; SERVICES_MAX],
    rows: Box<[Arc<Row>]>,
    shared: SharedRow,
    registry: Mutex<Registry>,
    config: GateConfig,
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
        Ok(Arc::new(Self {
            classes: CachePadded::new(array::from_fn(|_| AtomicU64::new(ClassWord::UNKNOWN.0))),
            ledgers: array::from_fn(|_| Ledger::new()),
            rows: (0..workers).map(|_| Arc::new(Row::new())).collect(),
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
        let slot = self.classes.get(place).ok_or(GateError::ClassesFull)?;
        let id = ClassId(place as u16);
        self.ledger(class.service.at()).enroll(class, id.0, slot);
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
    /// A ceiling above 2^30 is none. One event that changes several services is not atomic across them. Terms for a
    /// service that the gate wasn't made for are ignored.
    pub fn set_terms(&self, service: ServiceIndex, terms: Terms) {
        if let Some(account) = self.known(service) {
            account.set_terms(terms, &self.classes[..]);
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

    /// The most permits ever outstanding at once, exact.
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

    #[inline(always)]
    fn class_slot(&self, id: ClassId) -> &AtomicU64 {
        &self.classes[id.at() % CLASSES_MAX]
    }

    #[inline(always)]
    fn class_word(&self, id: ClassId, order: Ordering) -> ClassWord {
        ClassWord(self.class_slot(id).load(order))
    }

    #[inline(always)]
    fn ledger(&self, service: usize) -> &Ledger {
        &self.ledgers[service % SERVICES_MAX]
    }

    /// The account of a service that the gate was made for.
    fn known(&self, service: ServiceIndex) -> Option<Account<'_>> {
        (service.0 < self.config.services).then(|| self.account(service.at()))
    }

    fn account(&self, service: usize) -> Account<'_> {
        Account {
            ledger: self.ledger(service),
            rows: &self.rows,
            service: service % SERVICES_MAX,
            batch: self.config.batch,
            calm: self.config.calm,
        }
    }
}

#[cfg(test)]
mod tests;
